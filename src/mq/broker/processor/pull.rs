//! A consumer asks for messages: answered, or held until there is news.
//!
//! Source: `PullMessageProcessor`, `PullRequestHoldService`. Differs: pulls hold no thread of their pool, since they cost
//! nothing here.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::mq::broker::filter::FilterData;
use crate::mq::broker::hold::Held;
use crate::mq::broker::matching::Wanted;
use crate::mq::broker::members::Subscription;
use crate::mq::broker::processor::offset_moved;
use crate::mq::broker::topic::PERM_READ;
use crate::mq::broker::{Broker, RETRY_PREFIX, SUGGEST_TODO};
use crate::mq::fact::Fact;
use crate::mq::filter::{is_tag_type, tag};
use crate::mq::message::sys_flag::pull::{COMMIT_OFFSET, SUBSCRIPTION, SUSPEND};
use crate::mq::message::{Name, PhysicalOffset, QueueId, QueueOffset, Topic, record};
use crate::mq::mistake::Mistake;
use crate::mq::node::{ConnId, Step};
use crate::mq::store::config::Role;
use crate::mq::store::get::{GetRequest, GetStatus, Got, MessageFilter};
use crate::mq::time::Millis;
use crate::mq::wire::body::SubscriptionData;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, PullHeader, PulledHeader};

impl Broker {
    /// Answers or holds a pull; `may_hold` is false when a held one is looked at again.
    pub(in crate::mq::broker) fn pull(
        &mut self,
        conn: ConnId,
        command: Box<Command>,
        may_hold: bool,
        step: &mut Step<'_>,
    ) {
        let Header::Pull(header) = &command.header else {
            return self.refuse(conn, &command, response::SYSTEM_ERROR, "the pull request has no header".into(), step);
        };
        self.create_group(&header.consumer_group, step);
        let wanted = match self.checked(conn, header, step.wall) {
            Ok(wanted) => wanted,
            Err((code, remark)) => return self.refuse_pull(conn, &command, code, remark, step),
        };
        let request = GetRequest {
            topic: &header.topic,
            queue_id: header.queue_id,
            offset: QueueOffset(header.queue_offset),
            max: header.max_msg_nums,
            filter: &wanted,
        };
        let Some(got) = self.store.for_reading().get(step.disk, &request) else {
            return self.refuse(conn, &command, response::SYSTEM_ERROR, "store getMessage return null".into(), step);
        };
        let is_slave = self.config.store.role == Role::Slave;
        if may_hold && header.sys_flag & COMMIT_OFFSET != 0 && !is_slave {
            self.commit_offset(&header.consumer_group, &header.topic, header.queue_id, header.commit_offset, step);
        }
        let (code, suggested) = self.verdict(header, &got);
        if code == response::PULL_OFFSET_MOVED {
            let moved = offset_moved::event(header, got.next.0, &self.config.broker_name);
            self.put_offset_moved(moved, step);
        }
        if code == response::PULL_NOT_FOUND && may_hold && header.sys_flag & SUSPEND != 0 {
            return self.hold(conn, command, wanted, step);
        }
        let (group, topic, queue_id) = (header.consumer_group.clone(), header.topic.clone(), header.queue_id);
        let count = got.messages.len() as i32;
        self.stats.read(got.status == GetStatus::Found, got.messages.len(), step.mono);
        if code == response::SUCCESS {
            self.stats.got(&group, &topic, got.messages.len(), step.mono);
        }
        let passed_over = got.next.0 - header.queue_offset - i64::from(count);
        if 0 < passed_over && matches!(got.status, GetStatus::Found | GetStatus::NoMatchedMessage) {
            let (group, topic) = (group.clone(), topic.clone());
            step.out.say(Fact::FilteredOut { group, topic, queue_id, count: passed_over });
        }
        step.out.say(Fact::Pulled { group, topic, queue_id, count, queue_offset: header.queue_offset });
        let is_oneway = command.is_oneway();
        self.answer(conn, is_oneway, answer_of(command, (code, suggested), got), step);
    }

    /// The code of an answer, and whom to ask next. A slave that does not correct sends whoever asks in the wrong place back.
    ///
    /// Faithful: only a slave's own switch is asked whether it may be read, and all that it decides is whom to ask next.
    fn verdict(&self, header: &PullHeader, got: &Got) -> (i32, i64) {
        let group = self.groups.get(&header.consumer_group);
        let (usual, slowly) = group.map_or((0, 0), |group| (group.broker_id, group.which_broker_when_consume_slowly));
        match code_of(got.status, header.queue_offset) {
            response::PULL_OFFSET_MOVED if !self.store.corrects_offsets() => (response::PULL_RETRY_IMMEDIATELY, usual),
            code if !self.config.slave_read_enable => (code, 0),
            code => (code, if got.suggest_slave { slowly } else { usual }),
        }
    }

    /// A refusal whose header is there and says nothing.
    fn refuse_pull(&mut self, conn: ConnId, command: &Command, code: i32, remark: Name, step: &mut Step<'_>) {
        step.out.say(Fact::RequestRefused { request: command.code, code, remark: remark.clone() });
        let response = Command::response(code, command.opaque, Header::empty()).with_remark(remark);
        self.answer(conn, command.is_oneway(), response, step);
    }

    /// The checks in front of a pull, in upstream's order. Source: `PullMessageProcessor.processRequest`.
    fn checked(&self, conn: ConnId, header: &PullHeader, now: Millis) -> Result<Wanted, (i32, Name)> {
        let (group, topic) = (&header.consumer_group, &header.topic);
        if self.config.broker_permission & PERM_READ == 0 {
            let [a, b, c, d] = self.config.broker_ip1.to_be_bytes();
            let remark = format!("the broker[{a}.{b}.{c}.{d}] pulling message is forbidden");
            return Err((response::NO_PERMISSION, remark.into()));
        }
        match self.groups.get(group) {
            Some(config) if config.consume_enable => {}
            Some(_) => {
                return Err((response::NO_PERMISSION, format!("subscription group no permission, {group}").into()));
            }
            None => {
                let remark = format!("subscription group [{group}] does not exist, {SUGGEST_TODO}");
                return Err((response::SUBSCRIPTION_GROUP_NOT_EXIST, remark.into()));
            }
        }
        let Some(config) = self.topics.get(topic) else {
            let remark = format!("topic[{topic}] not exist, apply first please! {SUGGEST_TODO}");
            return Err((response::TOPIC_NOT_EXIST, remark.into()));
        };
        if config.perm & PERM_READ == 0 {
            return Err((response::NO_PERMISSION, format!("the topic[{topic}] pulling message is forbidden").into()));
        }
        if header.queue_id < 0 || header.queue_id >= config.read_queue_nums {
            let peer = self.channels.peer(conn).unwrap_or_default();
            let remark = format!(
                "queueId[{}] is illegal, topic:[{topic}] topicConfig.readQueueNums:[{}] consumer:[/{peer}]",
                header.queue_id, config.read_queue_nums
            );
            return Err((response::SYSTEM_ERROR, remark.into()));
        }
        let (subscription, filter) = match header.sys_flag & SUBSCRIPTION {
            0 => self.known_subscription(header)?,
            _ => of_request(header, now)?,
        };
        let language = &subscription.expression_type;
        if !is_tag_type(Some(language)) && !self.config.enable_property_filter {
            return Err((response::SYSTEM_ERROR, not_supported(language)));
        }
        let retried = topic.strip_prefix(RETRY_PREFIX).filter(|_| self.config.filter_support_retry);
        let retried = retried
            .map(|group| self.filters.of_group(group).map(|(topic, filter)| (topic.clone(), filter.clone())).collect());
        let null_passes = self.config.profile.plants(Mistake::NullPasses);
        Ok(Wanted { subscription, filter, retried, null_passes })
    }

    /// The group's subscription as its heartbeats have it.
    fn known_subscription(&self, header: &PullHeader) -> Result<Found, (i32, Name)> {
        let (group, topic) = (&header.consumer_group, &header.topic);
        let Some(info) = self.members.consumer_group(group) else {
            let remark = format!("the consumer's group info not exist{SUGGEST_TODO}");
            return Err((response::SUBSCRIPTION_NOT_EXIST, remark.into()));
        };
        let may_broadcast = self.groups.get(group).is_some_and(|config| config.consume_broadcast_enable);
        if !may_broadcast && info.message_model == "BROADCASTING" {
            let remark = format!("the consumer group[{group}] can not consume by broadcast way");
            return Err((response::NO_PERMISSION, remark.into()));
        }
        let Some(subscription) = info.subscriptions.get(topic) else {
            let remark = format!("the consumer's subscription not exist{SUGGEST_TODO}");
            return Err((response::SUBSCRIPTION_NOT_EXIST, remark.into()));
        };
        if subscription.version < header.sub_version {
            return Err((response::SUBSCRIPTION_NOT_LATEST, "the consumer's subscription not latest".into()));
        }
        if is_tag_type(Some(&subscription.expression_type)) {
            return Ok((subscription.clone(), None));
        }
        let Some(filter) = self.filters.get(topic, group) else {
            let remark = "The broker's consumer filter data is not exist!Your expression may be wrong!";
            return Err((response::FILTER_DATA_NOT_EXIST, remark.into()));
        };
        if filter.client_version < header.sub_version {
            return Err((response::FILTER_DATA_NOT_LATEST, "the consumer's consumer filter data not latest".into()));
        }
        Ok((subscription.clone(), Some(filter.clone())))
    }

    fn hold(&mut self, conn: ConnId, command: Box<Command>, wanted: Wanted, step: &mut Step<'_>) {
        let Header::Pull(header) = &command.header else { unreachable!("the caller pulled") };
        let (topic, queue_id, from) = (header.topic.clone(), header.queue_id, header.queue_offset);
        let timeout = match self.config.long_polling_enable {
            true => header.suspend_timeout_millis,
            false => self.config.short_polling_time_ms,
        };
        step.out.say(Fact::Held { topic: topic.clone(), queue_id, queue_offset: from });
        let held = Held { conn, command, from, since: step.wall, timeout, wanted };
        self.holds.hold(&topic, queue_id, held);
        self.arm_holds(step);
    }

    /// Looks at the held pulls of a queue: something arrived, or a sweep came by.
    ///
    /// A pull goes on when an entry behind its offset passes its filter, or its time is over; without an arrival, its tag and
    /// its place, any entry passes, and so does a record without properties.
    ///
    /// Source: `PullRequestHoldService.notifyMessageArriving`. Differs: the record's bit map is not asked, which says of a
    /// new record what its properties say.
    pub(in crate::mq::broker) fn notify_arrival(
        &mut self,
        topic: &Topic,
        queue_id: QueueId,
        newest: i64,
        arrival: Option<(i64, PhysicalOffset)>,
        step: &mut Step<'_>,
    ) {
        let mut held = self.holds.take(topic, queue_id);
        let mut waiting = Vec::new();
        for pull in held.drain(..) {
            let newest = match newest > pull.from {
                true => newest,
                false => self.store.max_queue_offset(topic, queue_id).0,
            };
            let why = if newest > pull.from && self.is_wanted(&pull.wanted, arrival, step) {
                "arrived"
            } else if pull.is_over(step.wall) {
                "timeout"
            } else {
                waiting.push(pull);
                continue;
            };
            step.out.say(Fact::HoldReleased { topic: topic.clone(), queue_id, queue_offset: pull.from, why });
            let mut command = pull.command;
            if self.config.profile.plants(Mistake::ArrivalIsPassedOver)
                && let Header::Pull(header) = &mut command.header
            {
                header.queue_offset = newest.max(pull.from);
            }
            self.pull(pull.conn, command, false, step);
        }
        held.append(&mut waiting);
        self.holds.put_back(topic, queue_id, held);
    }

    fn is_wanted(&self, wanted: &Wanted, arrival: Option<(i64, PhysicalOffset)>, step: &mut Step<'_>) -> bool {
        let Some((tags_code, at)) = arrival else { return true };
        if !wanted.is_matched_by_consume_queue(Some(tags_code), None) {
            return false;
        }
        if !wanted.reads_records() {
            return true;
        }
        let record = self.store.look(step.disk, at);
        let properties = record.as_deref().and_then(record::properties_of);
        properties.is_none_or(|properties| wanted.is_matched_by_properties(Some(&properties)))
    }

    /// Stores a group's offset and says so when it changed.
    pub(in crate::mq::broker) fn commit_offset(
        &mut self,
        group: &Name,
        topic: &Topic,
        queue_id: QueueId,
        offset: i64,
        step: &mut Step<'_>,
    ) {
        let stored = self.offsets.get(group, topic, queue_id).map_or(offset, |stored| stored.0);
        let is_lower = stored < offset && self.config.profile.plants(Mistake::CommitKeepsLower);
        let offset = if is_lower { stored } else { offset };
        if self.offsets.commit(group, topic, queue_id, QueueOffset(offset)) {
            let (group, topic) = (group.clone(), topic.clone());
            step.out.say(Fact::OffsetCommitted { group, topic, queue_id, queue_offset: offset });
        }
    }
}

/// A subscription, and its filter if it is not by tag.
type Found = (Subscription, Option<Arc<FilterData>>);

/// The subscription that travels in the request. A condition that does not compile filters nothing.
///
/// Source: `FilterAPI.build`, `ConsumerFilterManager.build`; the assertion behind it is off.
fn of_request(header: &PullHeader, now: Millis) -> Result<Found, (i32, Name)> {
    let built = tag::Subscription::build(header.subscription.as_deref(), header.expression_type.as_deref());
    let Ok(built) = built else {
        return Err((response::SUBSCRIPTION_PARSE_FAILED, "parse the consumer's subscription failed".into()));
    };
    let data = SubscriptionData {
        class_filter_mode: false,
        topic: header.topic.clone(),
        sub_string: built.expression,
        tags_set: built.tags,
        code_set: built.codes,
        sub_version: header.sub_version,
        expression_type: built.language,
    };
    let filter = match is_tag_type(Some(&data.expression_type)) {
        true => None,
        false => FilterData::build(&header.topic, &header.consumer_group, &data, now, None).ok().map(Arc::new),
    };
    Ok((Subscription::of(&data), filter))
}

/// What a consumer hears whose language is switched off.
pub(super) fn not_supported(language: &str) -> Name {
    format!("The broker does not support consumer to filter message by {language}").into()
}

/// Source: `PullMessageProcessor.processRequest`, the switch over the store's status.
fn code_of(status: GetStatus, asked: i64) -> i32 {
    match status {
        GetStatus::Found => response::SUCCESS,
        GetStatus::NoMatchedMessage | GetStatus::MessageWasRemoving => response::PULL_RETRY_IMMEDIATELY,
        GetStatus::OffsetFoundNull | GetStatus::OffsetOverflowOne => response::PULL_NOT_FOUND,
        GetStatus::NoMatchedLogicQueue | GetStatus::NoMessageInQueue if asked == 0 => response::PULL_NOT_FOUND,
        GetStatus::NoMatchedLogicQueue
        | GetStatus::NoMessageInQueue
        | GetStatus::OffsetTooSmall
        | GetStatus::OffsetOverflowBadly => response::PULL_OFFSET_MOVED,
    }
}

fn answer_of(request: Box<Command>, (code, suggested): (i32, i64), mut got: Got) -> Box<Command> {
    let header = PulledHeader {
        suggest_which_broker_id: suggested,
        next_begin_offset: got.next.0,
        min_offset: got.min.0,
        max_offset: got.max.0,
    };
    let response = request.answered(code, Header::Pulled(header)).with_remark(got.status.as_str());
    let body = match got.messages.len() {
        0 | 1 => got.messages.pop(),
        _ => Some(joined(&got.messages, got.size)),
    };
    match body {
        None => response,
        Some(body) => response.with_body(body),
    }
}

fn joined(pieces: &[Bytes], size: usize) -> Bytes {
    let mut body = BytesMut::with_capacity(size);
    for piece in pieces {
        body.extend_from_slice(piece);
    }
    body.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(subscription: Option<&str>, language: Option<&str>) -> Result<Found, (i32, Name)> {
        let header = PullHeader {
            consumer_group: "bars".into(),
            topic: "people".into(),
            queue_id: 0,
            queue_offset: 0,
            max_msg_nums: 32,
            sys_flag: SUBSCRIPTION,
            commit_offset: 0,
            suspend_timeout_millis: 0,
            subscription: subscription.map(Name::from),
            sub_version: 7,
            expression_type: language.map(Name::from),
        };
        of_request(&header, Millis(1))
    }

    #[test]
    fn a_subscription_in_the_request_is_taken_as_it_is() {
        let codes =
            |found: Result<Found, _>| found.map(|(subscription, _)| subscription.codes.map(|codes| codes.to_vec()));
        assert_eq!(codes(inline(None, None)), Ok(None));
        assert_eq!(codes(inline(Some("*"), Some("TAG"))), Ok(None));
        assert_eq!(codes(inline(Some(" Aa || BB"), None)), Ok(Some(vec![2112])));
        // Blank tags are none: nothing passes.
        assert_eq!(codes(inline(Some("|| ||"), None)), Ok(Some(vec![])));
        let refused = (response::SUBSCRIPTION_PARSE_FAILED, "parse the consumer's subscription failed".into());
        assert_eq!(codes(inline(Some("||"), None)), Err(refused.clone()));
        assert_eq!(codes(inline(Some(""), Some("SQL92"))), Err(refused));
    }

    #[test]
    fn a_condition_in_the_request_that_does_not_compile_filters_nothing() {
        let filter = |text| {
            inline(Some(text), Some("SQL92")).map(|(_, filter)| filter.and_then(|filter| filter.compiled.clone()))
        };
        assert!(filter("age > 18").is_ok_and(|sql| sql.is_some_and(|sql| sql.passes(&|_| Some("19")))));
        assert_eq!(filter("age >"), Ok(None));
    }
}
