//! A consumer asks for messages: answered, or held until there is news.
//!
//! Source: `PullMessageProcessor`, `PullRequestHoldService`. Differs: pulls hold no thread of their pool, since they cost
//! nothing here; expressions other than tags, and OFFSET_MOVED_EVENT messages, come with the delivery semantics.

use bytes::{Bytes, BytesMut};

use crate::mq::broker::hold::Held;
use crate::mq::broker::members::Subscription;
use crate::mq::broker::topic::PERM_READ;
use crate::mq::broker::{Broker, SUGGEST_TODO};
use crate::mq::fact::Fact;
use crate::mq::message::sys_flag::pull::{COMMIT_OFFSET, SUBSCRIPTION, SUSPEND};
use crate::mq::message::{Name, QueueId, QueueOffset, Topic, tags_code};
use crate::mq::node::{ConnId, Step};
use crate::mq::store::get::{GetRequest, GetStatus, Got};
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
        let subscription = match self.checked_subscription(conn, header) {
            Ok(subscription) => subscription,
            Err((code, remark)) => return self.refuse_pull(conn, &command, code, remark, step),
        };
        let request = GetRequest {
            topic: &header.topic,
            queue_id: header.queue_id,
            offset: QueueOffset(header.queue_offset),
            max: header.max_msg_nums,
            filter: &|code| subscription.passes(code),
        };
        let Some(got) = self.store.for_reading().get(step.disk, &request) else {
            return self.refuse(conn, &command, response::SYSTEM_ERROR, "store getMessage return null".into(), step);
        };
        if may_hold && header.sys_flag & COMMIT_OFFSET != 0 {
            self.commit_offset(&header.consumer_group, &header.topic, header.queue_id, header.commit_offset, step);
        }
        let code = code_of(got.status, header.queue_offset);
        if code == response::PULL_NOT_FOUND && may_hold && header.sys_flag & SUSPEND != 0 {
            return self.hold(conn, command, subscription, step);
        }
        let (group, topic, queue_id) = (header.consumer_group.clone(), header.topic.clone(), header.queue_id);
        let count = got.messages.len() as i32;
        step.out.say(Fact::Pulled { group, topic, queue_id, count, queue_offset: header.queue_offset });
        let is_oneway = command.is_oneway();
        self.answer(conn, is_oneway, answer_of(command, code, got), step);
    }

    /// A refusal whose header is there and says nothing.
    fn refuse_pull(&mut self, conn: ConnId, command: &Command, code: i32, remark: Name, step: &mut Step<'_>) {
        step.out.say(Fact::RequestRefused { request: command.code, code, remark: remark.clone() });
        let response = Command::response(code, command.opaque, Header::empty()).with_remark(remark);
        self.answer(conn, command.is_oneway(), response, step);
    }

    /// The checks in front of a pull, in upstream's order. Source: `PullMessageProcessor.processRequest`.
    fn checked_subscription(&self, conn: ConnId, header: &PullHeader) -> Result<Subscription, (i32, Name)> {
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
        if header.sys_flag & SUBSCRIPTION != 0 {
            return Ok(of_request(header));
        }
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
        Ok(subscription.clone())
    }

    fn hold(&mut self, conn: ConnId, command: Box<Command>, subscription: Subscription, step: &mut Step<'_>) {
        let Header::Pull(header) = &command.header else { unreachable!("the caller pulled") };
        let (topic, queue_id, from) = (header.topic.clone(), header.queue_id, header.queue_offset);
        let timeout = match self.config.long_polling_enable {
            true => header.suspend_timeout_millis,
            false => self.config.short_polling_time_ms,
        };
        step.out.say(Fact::Held { topic: topic.clone(), queue_id, queue_offset: from });
        let held = Held { conn, command, from, since: step.wall, timeout, subscription };
        self.holds.hold(&topic, queue_id, held);
        self.arm_holds(step);
    }

    /// Looks at the held pulls of a queue: something arrived, or a sweep came by.
    ///
    /// A pull goes on when an entry behind its offset passes its filter, or its time is over; without a tag any entry
    /// passes. Source: `PullRequestHoldService.notifyMessageArriving`.
    pub(in crate::mq::broker) fn notify_arrival(
        &mut self,
        topic: &Topic,
        queue_id: QueueId,
        newest: i64,
        tag: Option<i64>,
        step: &mut Step<'_>,
    ) {
        let mut held = self.holds.take(topic, queue_id);
        let mut waiting = Vec::new();
        for pull in held.drain(..) {
            let newest = match newest > pull.from {
                true => newest,
                false => self.store.max_queue_offset(topic, queue_id).0,
            };
            let why = if newest > pull.from && tag.is_none_or(|code| pull.subscription.passes(code)) {
                "arrived"
            } else if pull.is_over(step.wall) {
                "timeout"
            } else {
                waiting.push(pull);
                continue;
            };
            step.out.say(Fact::HoldReleased { topic: topic.clone(), queue_id, queue_offset: pull.from, why });
            self.pull(pull.conn, pull.command, false, step);
        }
        held.append(&mut waiting);
        self.holds.put_back(topic, queue_id, held);
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
        if self.offsets.commit(group, topic, queue_id, QueueOffset(offset)) {
            let (group, topic) = (group.clone(), topic.clone());
            step.out.say(Fact::OffsetCommitted { group, topic, queue_id, queue_offset: offset });
        }
    }
}

/// The subscription that travels in the request. Source: `FilterAPI.build`.
fn of_request(header: &PullHeader) -> Subscription {
    let expression = header.subscription.as_deref().unwrap_or("*");
    let codes: Vec<i32> =
        expression.split("||").map(str::trim).filter(|tag| !tag.is_empty()).map(|tag| tags_code(tag) as i32).collect();
    let is_all = expression.is_empty() || expression == "*";
    Subscription {
        version: header.sub_version,
        codes: (!is_all).then(|| codes.into()),
        expression_type: header.expression_type.clone().unwrap_or_else(|| "TAG".into()),
    }
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

fn answer_of(request: Box<Command>, code: i32, mut got: Got) -> Box<Command> {
    let header = PulledHeader {
        suggest_which_broker_id: 0,
        next_begin_offset: got.next.0,
        min_offset: got.min.0,
        max_offset: got.max.0,
    };
    let response = request.answered(code, Header::Pulled(header));
    let response = if code == response::SUCCESS { response } else { response.with_remark(got.status.as_str()) };
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
