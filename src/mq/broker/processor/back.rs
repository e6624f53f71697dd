//! A consumer gives a message back: a copy of it waits in the group's retry topic, or lies in its dead letter topic.
//!
//! ```text
//!  request: log offset ─▶ the record ─▶ failed too often? ─ no ─▶ %RETRY%group, level 3 + times ─▶ parked until due
//!                                                └────────── yes ─▶ %DLQ%group, which nobody may read
//! ```
//!
//! The invariant to remember: what is put is a new record. The old one stays where it is, and its group's offset passes it.
//!
//! Source: `SendMessageProcessor.consumerSendMsgBack`, `handleRetryAndDLQ`.

use crate::mq::broker::processor::admit::{self, UNIT_SUB};
use crate::mq::broker::topic::{PERM_READ, PERM_WRITE, config};
use crate::mq::broker::transaction;
use crate::mq::broker::{Broker, SUGGEST_TODO};
use crate::mq::fact::Fact;
use crate::mq::message::id::offset_msg_id;
use crate::mq::message::java::parse_int;
use crate::mq::message::names::{dlq_topic, retry_topic};
use crate::mq::message::property::names;
use crate::mq::message::record::{Reading, decode_with};
use crate::mq::message::{Host, Name, PhysicalOffset, QueueId, StoredMessage};
use crate::mq::mistake::Mistake;
use crate::mq::node::{ConnId, Step, Stream};
use crate::mq::store::outcome::{Put, PutStatus};
use crate::mq::store::record::NewMessage;
use crate::mq::wire::body::TopicConfig;
use crate::mq::wire::body::group::GroupConfig;
use crate::mq::wire::code::response;
use crate::mq::wire::command::{Command, VERSION};
use crate::mq::wire::header::{Header, SendBackHeader};

/// Where a message that is given back may go, before anybody has looked at it.
#[derive(Clone, PartialEq, Debug)]
pub enum Door {
    /// Nowhere: a code and a text.
    Refused(i32, Name),
    /// Nowhere, with success: the group has no retry queues, so the message is let go.
    Dropped,
    /// To the group's retry topic: as it is, or as it has to be made.
    Open(TopicConfig),
}

/// What a message that is given back becomes.
#[derive(Clone, PartialEq, Debug)]
pub struct Back {
    /// The new message.
    pub message: NewMessage,
    /// The dead letter topic as it has to be made if it is not there; `None` while the message is tried again.
    pub dead: Option<TopicConfig>,
    /// The delay level that the message carries; 0 is none.
    pub level: i32,
}

/// The checks in front of the look at the message, in upstream's order; `known` is the group's retry topic, if there is one.
pub fn door(
    group: Option<&GroupConfig>,
    (permission, ip): (i32, u32),
    header: &SendBackHeader,
    known: Option<&TopicConfig>,
) -> Door {
    let Some(group) = group else {
        return Door::Refused(response::SUBSCRIPTION_GROUP_NOT_EXIST, no_group(&header.group));
    };
    if permission & PERM_WRITE == 0 {
        let [a, b, c, d] = ip.to_be_bytes();
        let remark = format!("the broker[{a}.{b}.{c}.{d}] sending message is forbidden");
        return Door::Refused(response::NO_PERMISSION, remark.into());
    }
    if group.retry_queue_nums <= 0 {
        return Door::Dropped;
    }
    let Some(known) = known else {
        let mut made = config(retry_topic(&header.group), group.retry_queue_nums, PERM_READ | PERM_WRITE);
        made.topic_sys_flag = if header.unit_mode { UNIT_SUB } else { 0 };
        return Door::Open(made);
    };
    match known.perm & PERM_WRITE {
        0 => {
            let remark = format!("the topic[{}] sending message is forbidden", known.topic_name);
            Door::Refused(response::NO_PERMISSION, remark.into())
        }
        _ => Door::Open(known.clone()),
    }
}

/// How often a group's messages are tried again; `None` where upstream throws: the request does not say.
///
/// What the group's config says counts only for clients older than 3.4.9.
pub fn times_max(version: i32, group: &GroupConfig, asked: Option<i32>) -> Option<i32> {
    match SAYS_TIMES <= version {
        true => asked,
        false => Some(group.retry_max_times),
    }
}

/// The message that is put for one that is given back.
///
/// `ORIGIN_MESSAGE_ID` is set when the property text is made already, and reaches the log only where parking makes the text
/// anew. A `DELAY` from the last round stays on a dead letter, which is therefore parked once more before it lies in its topic.
pub fn back(stored: StoredMessage, header: &SendBackHeader, max: i32, (store_host, queue_id): (Host, QueueId)) -> Back {
    let times = stored.reconsume_times;
    let id = offset_msg_id(stored.store_host, stored.commit_log_offset);
    let mut map = stored.message.properties;
    if map.get(names::RETRY_TOPIC).is_none() {
        map.put(names::RETRY_TOPIC, stored.message.topic);
    }
    map.put(names::WAIT, "false");
    let dead = (max <= times || header.delay_level < 0).then(|| config(dlq_topic(&header.group), DLQ_NUMS, PERM_WRITE));
    if dead.is_none() {
        let level = match header.delay_level {
            0 => FIRST_LEVEL.wrapping_add(times),
            level => level,
        };
        map.put(names::DELAY, level.to_string());
    }
    let level = map.get(names::DELAY).and_then(|level| parse_int(level)).unwrap_or(0);
    let properties = Name::from(map.encode());
    if map.get(names::ORIGIN_MESSAGE_ID).is_none_or(|id| id.trim().is_empty()) {
        map.put(names::ORIGIN_MESSAGE_ID, id);
    }
    let message = NewMessage {
        topic: dead.as_ref().map_or_else(|| retry_topic(&header.group), |dead| dead.topic_name.clone()),
        queue_id: if dead.is_some() { 0 } else { queue_id },
        flag: stored.message.flag,
        sys_flag: stored.sys_flag,
        born_timestamp: stored.born_timestamp,
        born_host: stored.born_host,
        store_host,
        reconsume_times: times.wrapping_add(1),
        prepared_transaction_offset: 0,
        body: stored.message.body,
        properties,
        map: Some(Box::new(map)),
    };
    Back { message, dead, level }
}

/// What the put of a message that is given back answers: success, or the status by name.
pub fn answer_of(status: PutStatus) -> (i32, Option<&'static str>) {
    match status {
        PutStatus::PutOk => (response::SUCCESS, None),
        PutStatus::Thrown(_) => (response::SYSTEM_ERROR, Some("java.lang.RuntimeException")),
        status => (response::SYSTEM_ERROR, Some(status.as_str())),
    }
}

impl Broker {
    /// Takes a message back from a consumer. Its put never waits for the disk or for a slave (K03).
    pub(in crate::mq::broker) fn take_back(&mut self, conn: ConnId, mut command: Box<Command>, step: &mut Step<'_>) {
        let taken = match std::mem::take(&mut command.header) {
            Header::SendBack(header) => self.taken_back(&header, step),
            _ => Err((response::SYSTEM_ERROR, "the request has no header".into())),
        };
        match taken {
            Err((code, remark)) => self.refuse(conn, &command, code, remark, step),
            Ok(put) => {
                let is_oneway = command.is_oneway();
                let answer = command.answered(response::SUCCESS, Header::None);
                match put {
                    None => self.answer(conn, is_oneway, answer, step),
                    Some(put) => self.answer_durable(&put, (conn, is_oneway), answer, step),
                }
            }
        }
    }

    /// The put of the copy; none for a message that is let go.
    fn taken_back(&mut self, header: &SendBackHeader, step: &mut Step<'_>) -> Result<Option<Put>, (i32, Name)> {
        self.create_group(&header.group, step);
        let group = self.groups.get(&header.group).cloned();
        let retry = retry_topic(&header.group);
        let broker = (self.config.broker_permission, self.config.broker_ip1);
        let made = match door(group.as_ref(), broker, header, self.topics.get(&retry)) {
            Door::Refused(code, remark) => return Err((code, remark)),
            Door::Dropped => return Ok(None),
            Door::Open(made) => made,
        };
        let group = group.expect("a group that nobody knows is refused at the door");
        let queues = u64::from(group.retry_queue_nums.unsigned_abs());
        let queue_id = step.dice.below(Stream::BrokerQueue, queues) as QueueId;
        if self.topics.get(&retry).is_none() {
            self.create_topic(made, step);
        }
        let found = self.store.look(step.disk, PhysicalOffset(header.offset));
        let reading = Reading { body: true, inflate: false };
        let Some((stored, _)) = found.and_then(|bytes| decode_with(&bytes, 0, reading)) else {
            let remark = format!("look message by offset failed, {}", header.offset);
            return Err((response::SYSTEM_ERROR, remark.into()));
        };
        let max = times_max(VERSION, &group, header.max_reconsume_times).ok_or_else(null_pointer)?;
        let before = stored.reconsume_times;
        let profile = &self.config.profile;
        let early = i32::from(profile.plants(Mistake::DeadOneEarly));
        let late = i32::from(profile.plants(Mistake::DeadOneLate));
        let max = max.saturating_sub(early).saturating_add(late);
        let Back { mut message, dead, level } = back(stored, header, max, (self.announced, queue_id));
        if profile.plants(Mistake::BackKeepsCount) {
            message.reconsume_times = before;
        }
        if transaction::is_half(&message) && profile.plants(Mistake::BackIsHalf) {
            message = transaction::half_of(message, profile.fix_k21);
        }
        let is_twice = dead.is_some() && profile.plants(Mistake::DeadTwice);
        let times = message.reconsume_times;
        let (group, at) = (header.group.clone(), header.offset);
        match dead {
            None => step.out.say(Fact::SentBack { group, at, level, times }),
            Some(dead) => {
                self.create_if_absent(dead, step);
                step.out.say(Fact::DeadLettered { group, at, level, times });
            }
        }
        let clock = Self::clock(step);
        if is_twice {
            let put = self.store.put(step.disk, clock, &message);
            self.say_appended(&put, message.clone(), step);
        }
        let put = self.store.put(step.disk, clock, &message);
        self.say_appended(&put, message, step);
        match answer_of(put.status) {
            (_, None) => Ok(Some(put)),
            (code, Some(remark)) => Err((code, remark.into())),
        }
    }

    /// A message that a consumer sends to its retry topic itself, because it could not give it back, is a dead letter if it has
    /// failed too often. Source: `SendMessageProcessor.handleRetryAndDLQ`.
    pub(in crate::mq::broker) fn dead_if_exhausted(
        &mut self,
        message: &mut NewMessage,
        max: Option<i32>,
        step: &mut Step<'_>,
    ) -> Result<(), (i32, Name)> {
        let Some(name) = admit::group_of_retry(&message.topic) else { return Ok(()) };
        self.create_group(&name, step);
        let dead = admit::dead_of(&name, self.groups.get(&name), VERSION, (max, message.reconsume_times))?;
        if let Some(dead) = dead {
            message.topic = dead.topic_name.clone();
            message.queue_id = 0;
            self.create_if_absent(dead, step);
        }
        Ok(())
    }

    fn create_if_absent(&mut self, made: TopicConfig, step: &mut Step<'_>) {
        if self.topics.get(&made.topic_name).is_none() {
            self.create_topic(made, step);
        }
    }
}

pub(super) fn no_group(group: &str) -> Name {
    format!("subscription group not exist, {group} {SUGGEST_TODO}").into()
}

/// What the answer says when upstream unboxes a number that is not there.
pub(super) fn null_pointer() -> (i32, Name) {
    (response::SYSTEM_ERROR, "java.lang.NullPointerException".into())
}

/// The level of the first retry. Source: `SendMessageProcessor.consumerSendMsgBack`.
const FIRST_LEVEL: i32 = 3;
/// Source: `AbstractSendMessageProcessor.DLQ_NUMS_PER_GROUP`.
pub(super) const DLQ_NUMS: i32 = 1;
/// From this version on a request says how often its group tries. Source: `MQVersion.Version.V3_4_9`.
const SAYS_TIMES: i32 = 121;
