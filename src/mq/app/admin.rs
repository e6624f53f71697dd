//! What operators ask for, and what they are told.
//!
//! Source: `DefaultMQAdminExt` and the commands of `mqadmin`.

use crate::mq::message::{Group, MessageQueue, Name, StoredMessage, Topic};

/// What an operator asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AdminCall {
    /// `resetOffsetByTime`, or one half of it.
    ResetOffset {
        /// The group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// Where to.
        to: ResetTo,
        /// Whether an offset may be moved forward, too.
        force: bool,
        /// Who is told.
        way: ResetWay,
    },
    /// `updateTopic`: makes a topic, or changes one.
    UpdateTopic {
        /// The topic.
        topic: Topic,
        /// On the masters of this cluster.
        cluster: Name,
        /// Queues to read on each.
        read: i32,
        /// Queues to write on each.
        write: i32,
        /// Permission bits.
        perm: i32,
    },
    /// `deleteTopic`: from the brokers of a cluster, then from every nameserver.
    DeleteTopic {
        /// The topic.
        topic: Topic,
        /// The cluster.
        cluster: Name,
    },
    /// `wipeWritePerm`: no nameserver gives this broker's queues to producers any more.
    WipeWritePerm {
        /// The broker's name.
        broker: Name,
    },
    /// `queryMsgById`.
    ViewMessage {
        /// The offset message id.
        id: Name,
    },
    /// `queryMsgByKey`.
    QueryByKey {
        /// The topic.
        topic: Topic,
        /// The key.
        key: Name,
    },
    /// `queryMsgByUniqueKey`.
    QueryByUniqueKey {
        /// The topic.
        topic: Topic,
        /// The unique key, or an offset message id.
        id: Name,
    },
}

/// Where a group is moved to: the first message at or behind a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResetTo {
    /// The moment of the call. It lies behind every message, and so is nearest to the last one.
    Now,
    /// This one, ms; -1 is the end of each queue.
    At(i64),
}

/// Who is told that a group is moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResetWay {
    /// Its members; if there are none, the brokers' tables are changed, as the tool does.
    #[default]
    Either,
    /// Its members: `resetOffsetByTimestamp`.
    Members,
    /// The brokers' tables: `resetOffsetByTimestampOld`. Members that are up write over it.
    Table,
}

/// What an operator is told.
#[derive(Clone, PartialEq, Debug)]
pub enum AdminAnswer {
    /// Where each queue was reset to by its members.
    Offsets(Vec<(MessageQueue, i64)>),
    /// What became of each queue in the brokers' tables.
    Rollback(Vec<Rollback>),
    /// Who did it: the addresses of brokers, then of nameservers.
    DoneBy(Vec<Name>),
    /// How many topics each nameserver closed; `None` where that failed.
    Wiped(Vec<(Name, Option<i32>)>),
    /// Messages found.
    Messages(Vec<StoredMessage>),
}

/// A queue whose offset was changed in a broker's table. Source: `RollbackStats`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollback {
    /// The queue.
    pub queue: MessageQueue,
    /// One past the queue's last entry.
    pub broker_offset: i64,
    /// The group's place before.
    pub consumer_offset: i64,
    /// The place of the moment.
    pub timestamp_offset: i64,
    /// The group's place now.
    pub rollback_offset: i64,
}

impl AdminCall {
    /// As it would be typed behind `mqadmin`.
    pub fn command(&self) -> String {
        match self {
            AdminCall::ResetOffset { group, topic, to, force, way } => {
                let name = match way {
                    ResetWay::Either | ResetWay::Members => "resetOffsetByTime",
                    ResetWay::Table => "resetOffsetByTimeOld",
                };
                let moment = match to {
                    ResetTo::Now => "now".to_owned(),
                    ResetTo::At(moment) => moment.to_string(),
                };
                format!("{name} -g {group} -t {topic} -s {moment} -f {force}")
            }
            AdminCall::UpdateTopic { topic, cluster, read, write, perm } => {
                format!("updateTopic -c {cluster} -t {topic} -r {read} -w {write} -p {perm}")
            }
            AdminCall::DeleteTopic { topic, cluster } => format!("deleteTopic -c {cluster} -t {topic}"),
            AdminCall::WipeWritePerm { broker } => format!("wipeWritePerm -b {broker}"),
            AdminCall::ViewMessage { id } => format!("queryMsgById -i {id}"),
            AdminCall::QueryByKey { topic, key } => format!("queryMsgByKey -t {topic} -k {key}"),
            AdminCall::QueryByUniqueKey { topic, id } => format!("queryMsgByUniqueKey -t {topic} -i {id}"),
        }
    }
}
