//! The checks in front of a put, in upstream's order: each looks at the request and at what the broker knows, and nothing else.
//!
//! Source: `AbstractSendMessageProcessor.msgCheck`, `SendMessageProcessor.handleRetryAndDLQ`.

use crate::mq::broker::SUGGEST_TODO;
use crate::mq::broker::processor::back::{DLQ_NUMS, no_group, null_pointer, times_max};
use crate::mq::broker::topic::{AUTO_CREATE_TOPIC, PERM_READ, PERM_WRITE, Topics, config};
use crate::mq::message::names::{RETRY_GROUP_TOPIC_PREFIX, dlq_topic};
use crate::mq::message::sys_flag::MULTI_TAGS;
use crate::mq::message::{Host, Name, QueueId};
use crate::mq::node::Addr;
use crate::mq::store::record::NewMessage;
use crate::mq::time::Millis;
use crate::mq::wire::body::TopicConfig;
use crate::mq::wire::body::group::GroupConfig;
use crate::mq::wire::code::response;
use crate::mq::wire::header::SendHeader;

/// A response code and the text beside it.
pub type Refusal = (i32, Name);

/// What a topic means for a message that goes there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// How many queues may be written.
    pub write_queues: i32,
    /// What the topic adds to the message's flags.
    pub sys_flag: i32,
}

/// Whether messages are taken at all: a broker that may not be written refuses those of ordered topics alone.
pub fn may_send(header: &SendHeader, (permission, ip): (i32, u32), topics: &Topics) -> Result<(), Refusal> {
    let topic = &header.topic;
    if permission & PERM_WRITE == 0 && topics.get(topic).is_some_and(|topic| topic.order) {
        let [a, b, c, d] = ip.to_be_bytes();
        return Err((
            response::NO_PERMISSION,
            format!("the broker[{a}.{b}.{c}.{d}] sending message is forbidden").into(),
        ));
    }
    if *topic == AUTO_CREATE_TOPIC {
        let remark = format!("the topic[{topic}] is conflict with system reserved words.").into();
        return Err((response::SYSTEM_ERROR, remark));
    }
    Ok(())
}

/// The topic that a send to an unknown one gives birth to, if it does.
pub fn born_of(header: &SendHeader, topics: &mut Topics) -> Option<TopicConfig> {
    let is_retry = header.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX);
    let after = topics.after_template(&header.topic, &header.default_topic, header.default_topic_queue_nums);
    let mut born = after.or_else(|| is_retry.then(|| config(header.topic.clone(), 1, PERM_READ | PERM_WRITE)))?;
    born.topic_sys_flag = match (header.unit_mode, is_retry) {
        (false, _) => 0,
        (true, false) => UNIT,
        (true, true) => UNIT_SUB,
    };
    Some(born)
}

/// Whether the topic, by now as it is, has the queue that is named.
pub fn accepted(header: &SendHeader, found: Option<&TopicConfig>, peer: Addr) -> Result<Accepted, Refusal> {
    let Some(found) = found else {
        let remark = format!("topic[{}] not exist, apply first please!{SUGGEST_TODO}", header.topic);
        return Err((response::TOPIC_NOT_EXIST, remark.into()));
    };
    if header.queue_id >= found.write_queue_nums.max(found.read_queue_nums) {
        let remark = format!("request queueId[{}] is illegal, {found} Producer: {peer}", header.queue_id);
        return Err((response::SYSTEM_ERROR, remark.into()));
    }
    Ok(Accepted { write_queues: found.write_queue_nums, sys_flag: added_by(found) })
}

/// What a topic adds to the flags of its messages.
pub fn added_by(topic: &TopicConfig) -> i32 {
    if topic.topic_filter_type == "MULTI_TAG" { MULTI_TAGS } else { 0 }
}

/// The group whose retry topic this is.
pub fn group_of_retry(topic: &str) -> Option<Name> {
    topic.strip_prefix(RETRY_GROUP_TOPIC_PREFIX).map(Name::from)
}

/// The dead letter topic for a message that its consumer sends to `%RETRY%` itself and that has failed too often: as it has
/// to be made if it is not there.
pub fn dead_of(
    name: &Name,
    group: Option<&GroupConfig>,
    version: i32,
    header: (Option<i32>, i32),
) -> Result<Option<TopicConfig>, Refusal> {
    let (max, times) = header;
    let Some(group) = group else {
        return Err((response::SUBSCRIPTION_GROUP_NOT_EXIST, no_group(name)));
    };
    let max = times_max(version, group, max).ok_or_else(null_pointer)?;
    Ok((max <= times).then(|| config(dlq_topic(name), DLQ_NUMS, PERM_WRITE)))
}

/// The message of a request, for a queue.
pub fn message_of(
    header: SendHeader,
    (queue_id, sys_flag): (QueueId, i32),
    (peer, store_host): (Addr, Host),
    body: bytes::Bytes,
) -> NewMessage {
    NewMessage {
        topic: header.topic,
        queue_id,
        flag: header.flag,
        sys_flag: header.sys_flag | sys_flag,
        born_timestamp: Millis(header.born_timestamp),
        born_host: Host { ip: peer.ip, port: i32::from(peer.port) },
        store_host,
        reconsume_times: header.reconsume_times.unwrap_or(0),
        prepared_transaction_offset: 0,
        body,
        properties: header.properties.unwrap_or_default(),
        map: None,
    }
}

/// Source: `TopicSysFlag.FLAG_UNIT`.
const UNIT: i32 = 1;
/// Source: `TopicSysFlag.FLAG_UNIT_SUB`.
pub(super) const UNIT_SUB: i32 = 1 << 1;
