//! A frame that is kept: typed as it travelled, bytes where somebody reads them.

use bytes::Bytes;

use crate::mq::message::{Group, Topic};
use crate::mq::wire::codec;
use crate::mq::wire::codec::raw::SerializeType;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// What was on the wire, length word included.
///
/// A command stays typed until it is asked for its bytes: most frames that are kept are read by nobody, and what they cost
/// is a clone.
#[derive(Clone, Debug)]
pub enum Wire {
    /// As bytes.
    Bytes(Bytes),
    /// As the command that gives them.
    Typed(Box<Command>),
}

/// What a client says of one queue of its group, in a pull or where it commits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfQueue {
    /// The group.
    pub group: Group,
    /// The topic.
    pub topic: Topic,
    /// The queue's number.
    pub queue: i32,
    /// Everything before this offset is settled, if it says so.
    pub settled: Option<i64>,
    /// From where it reads, if it does.
    pub reads: Option<i64>,
}

impl Wire {
    /// The bytes; a typed frame is encoded anew each time.
    pub fn bytes(&self) -> Bytes {
        match self {
            Wire::Bytes(bytes) => bytes.clone(),
            Wire::Typed(command) => codec::encode(command),
        }
    }

    /// Bytes that say the same, for who reads header fields alone: what is typed has the binary header, which costs a third of
    /// the text that it travelled with.
    pub fn brief(&self) -> Bytes {
        match self {
            Wire::Bytes(bytes) => bytes.clone(),
            Wire::Typed(command) => codec::encode_as(command, SerializeType::RocketMq),
        }
    }

    /// What a typed pull or commit says of its queue: there are more of them than of anything else, and nobody has to read
    /// them out of bytes. `None` for whatever else it is, and for bytes.
    pub fn of_queue(&self) -> Option<OfQueue> {
        let Wire::Typed(command) = self else { return None };
        match &command.header {
            Header::Pull(pull) => Some(OfQueue {
                group: pull.consumer_group.clone(),
                topic: pull.topic.clone(),
                queue: pull.queue_id,
                settled: (pull.sys_flag & COMMITS_OFFSET == COMMITS_OFFSET).then_some(pull.commit_offset),
                reads: Some(pull.queue_offset),
            }),
            Header::UpdateOffset(update) => Some(OfQueue {
                group: update.consumer_group.clone(),
                topic: update.topic.clone(),
                queue: update.queue_id,
                settled: Some(update.commit_offset),
                reads: None,
            }),
            _ => None,
        }
    }
}

/// Source: `PullSysFlag.FLAG_COMMIT_OFFSET`.
const COMMITS_OFFSET: i32 = 1;

impl PartialEq for Wire {
    fn eq(&self, other: &Wire) -> bool {
        self.bytes() == other.bytes()
    }
}

impl From<Bytes> for Wire {
    fn from(bytes: Bytes) -> Wire {
        Wire::Bytes(bytes)
    }
}
