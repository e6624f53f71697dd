//! The letter: a topic, properties, a body; and the same after it has been stored.
//!
//! Names are shared strings, never `String`s: a message's topic is copied at every hop of its trip.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use crate::mq::time::Millis;

pub mod java;

pub mod names;

pub mod property;

pub mod sys_flag;

pub mod id;

pub mod compress;

pub mod record;

pub mod batch;

pub mod text;

use property::Properties;

/// A shared, immutable string: a topic, a group, a broker's or a node's name, a key, a tag.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Arc<str>);

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        // Names that are looked up are mostly clones of those that are there.
        if Arc::ptr_eq(&self.0, &other.0) { std::cmp::Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A topic's name. Source: `org.apache.rocketmq.common.message.Message.topic`.
pub type Topic = Name;

/// A producer or consumer group's name.
pub type Group = Name;

/// A queue's number within its topic on one broker; negative lets the broker choose.
pub type QueueId = i32;

/// A byte position in the commit log of one broker.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PhysicalOffset(pub i64);

/// An entry number in a consume queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct QueueOffset(pub i64);

/// A host as a record stores it: IPv4 and a 4-byte port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Host {
    /// The address, first byte in the highest bits.
    pub ip: u32,
    /// The port.
    pub port: i32,
}

/// As an operator types it: `10.0.2.1:10911`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.ip.to_be_bytes();
        write!(f, "{a}.{b}.{c}.{d}:{}", self.port)
    }
}

/// One lane of a topic on one broker.
///
/// Ordered as upstream sorts it: topic, broker name, queue id. Source: `MessageQueue.compareTo`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageQueue {
    /// The topic.
    pub topic: Topic,
    /// The broker's name.
    pub broker: Name,
    /// The queue's number there.
    pub queue_id: QueueId,
}

/// A message as an application makes it.
///
/// Source: `org.apache.rocketmq.common.message.Message`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Where it goes.
    pub topic: Topic,
    /// The application's flag, untouched by RocketMQ.
    pub flag: i32,
    /// Tags, keys and everything else, by name.
    pub properties: Properties,
    /// The content.
    pub body: Bytes,
}

/// A message as a broker stored it and a consumer sees it.
///
/// Source: `org.apache.rocketmq.common.message.MessageExt`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredMessage {
    /// The letter itself; the body is as stored until the client inflates it.
    pub message: Message,
    /// The broker it came from, if the reader knows.
    pub broker: Option<Name>,
    /// Its queue.
    pub queue_id: QueueId,
    /// The record's length in the log, in bytes.
    pub store_size: i32,
    /// Its place in the queue.
    pub queue_offset: QueueOffset,
    /// Compression and transaction bits.
    pub sys_flag: i32,
    /// The producer's clock when it was sent.
    pub born_timestamp: Millis,
    /// The producer's address as the broker saw it.
    pub born_host: Host,
    /// The broker's clock when it was stored.
    pub store_timestamp: Millis,
    /// The broker's address.
    pub store_host: Host,
    /// Its place in the commit log.
    pub commit_log_offset: PhysicalOffset,
    /// CRC-32 of the stored body, without the sign bit.
    pub body_crc: i32,
    /// How often it has been tried again.
    pub reconsume_times: i32,
    /// The half message's place in the log, for a committed transaction.
    pub prepared_transaction_offset: i64,
}

/// The hash of a tag that the consume queue keeps: `String.hashCode`, widened; 0 for none.
///
/// Source: `MessageExtBrokerInner.tagsString2tagsCode`.
pub fn tags_code(tags: &str) -> i64 {
    i64::from(java::hash(tags))
}

impl MessageQueue {
    /// Java's hash of it. Source: `MessageQueue.hashCode`.
    pub fn hash_code(&self) -> i32 {
        let parts = [java::hash(&self.broker), self.queue_id, java::hash(&self.topic)];
        parts.into_iter().fold(1i32, |hash, part| hash.wrapping_mul(31).wrapping_add(part))
    }
}

impl Name {
    /// A name with this text.
    pub fn new(text: impl AsRef<str>) -> Name {
        Name(Arc::from(text.as_ref()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The empty name.
impl Default for Name {
    fn default() -> Name {
        Name::from("")
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(Arc::from(text))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(Arc::from(text))
    }
}

/// The number in decimal.
impl From<i64> for Name {
    fn from(number: i64) -> Name {
        const DIGITS_MAX: usize = 20;
        let mut text = [b'0'; DIGITS_MAX];
        let (mut at, mut left) = (DIGITS_MAX, number.unsigned_abs());
        while left > 0 || at == DIGITS_MAX {
            at -= 1;
            text[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        if number < 0 {
            at -= 1;
            text[at] = b'-';
        }
        Name::from(std::str::from_utf8(&text[at..]).expect("digits are ASCII"))
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// `MessageQueue [topic=T, brokerName=B, queueId=N]`. Source: `MessageQueue.toString`.
impl fmt::Display for MessageQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageQueue [topic={}, brokerName={}, queueId={}]", self.topic, self.broker, self.queue_id)
    }
}

impl fmt::Debug for MessageQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.broker, self.queue_id)
    }
}
