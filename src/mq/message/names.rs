//! Names that RocketMQ makes or keeps for itself. Source: `MixAll`.

use crate::mq::message::java::{parse_int, split};
use crate::mq::message::{Group, Name, Topic};

/// What a group's retry topic begins with.
pub const RETRY_GROUP_TOPIC_PREFIX: &str = "%RETRY%";
/// What a group's dead letter topic begins with.
pub const DLQ_GROUP_TOPIC_PREFIX: &str = "%DLQ%";
/// What the system's own topics begin with.
pub const SYSTEM_TOPIC_PREFIX: &str = "rmq_sys_";
/// What the system's own consumer groups begin with.
pub const CID_RMQ_SYS_PREFIX: &str = "CID_RMQ_SYS_";
/// Where half messages are parked. Source: `MixAll.RMQ_SYS_TRANS_HALF_TOPIC`.
pub const TRANS_HALF_TOPIC: &str = "RMQ_SYS_TRANS_HALF_TOPIC";
/// Where it is noted which half messages are settled. Source: `MixAll.RMQ_SYS_TRANS_OP_HALF_TOPIC`.
pub const TRANS_OP_TOPIC: &str = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/// The group whose offsets say how far the checks have come. Source: `MixAll.CID_SYS_RMQ_TRANS`.
pub const TRANS_GROUP: &str = "CID_RMQ_SYS_TRANS";

/// Where messages of `group` wait to be tried again. Source: `MixAll.getRetryTopic`.
pub fn retry_topic(group: &str) -> Topic {
    Name::from(format!("{RETRY_GROUP_TOPIC_PREFIX}{group}"))
}

/// Where messages of `group` end that failed too often. Source: `MixAll.getDLQTopic`.
pub fn dlq_topic(group: &str) -> Topic {
    Name::from(format!("{DLQ_GROUP_TOPIC_PREFIX}{group}"))
}

/// Whether a consumer group is the system's. Source: `MixAll.isSysConsumerGroup`.
pub fn is_system_group(group: &Group) -> bool {
    group.starts_with(CID_RMQ_SYS_PREFIX)
}

/// Whether a topic is the system's. Source: `MixAll.isSystemTopic`.
pub fn is_system_topic(topic: &Topic) -> bool {
    topic.starts_with(SYSTEM_TOPIC_PREFIX)
}

/// The VIP channel of an address `host:port`: two ports below; `None` if there is no port or it is no number.
///
/// Source: `MixAll.brokerVIPChannel`.
pub fn vip_channel(addr: &str) -> Option<Name> {
    let parts = split(addr, ':');
    let port = parse_int(parts.get(1)?)?.wrapping_sub(2);
    Some(Name::from(format!("{}:{port}", parts[0])))
}
