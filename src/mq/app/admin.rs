//! What operators ask for, and what they are told.
//!
//! Source: `DefaultMQAdminExt` and the commands of `mqadmin`.

use std::fmt;

use crate::mq::message::{Group, Host, MessageQueue, Name, StoredMessage, Topic};

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
        /// Where.
        at: TopicAt,
        /// Queues to read on each.
        read: i32,
        /// Queues to write on each.
        write: i32,
        /// Permission bits.
        perm: i32,
        /// Whether it is to be ordered: the brokers of the cluster are then written down as its order configuration, or the
        /// one broker beside those that stand there.
        order: bool,
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
    /// `updateOrderConf`: where a topic's queues are, whoever is alive.
    OrderConf {
        /// The topic.
        topic: Topic,
        /// What is done with it.
        act: OrderConfAct,
    },
    /// `updateSubGroup`: makes a group, or changes one, on the masters of a cluster.
    UpdateGroup {
        /// The cluster.
        cluster: Name,
        /// The group as it is to be.
        settings: Box<GroupSettings>,
    },
    /// `deleteSubGroup`: from the masters of a cluster, and its topics of retries and of dead letters with it.
    DeleteGroup {
        /// The group.
        group: Group,
        /// The cluster.
        cluster: Name,
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

/// Where `updateTopic` makes a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TopicAt {
    /// `-c`: on every master of a cluster.
    Cluster(Name),
    /// `-b`: on the broker at this address alone.
    Broker(Host),
}

impl fmt::Display for TopicAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopicAt::Cluster(cluster) => write!(f, "-c {cluster}"),
            TopicAt::Broker(host) => write!(f, "-b {host}"),
        }
    }
}

/// What is done with an order configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderConfAct {
    /// It is this from now on, at every nameserver: `broker-a:4;broker-b:4`.
    Put(Name),
    /// It is asked for, at one nameserver.
    Get,
    /// It is deleted at every nameserver.
    Delete,
}

/// A group as an operator wants it. Source: `SubscriptionGroupConfig`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSettings {
    /// `groupName`.
    pub group: Group,
    /// `consumeEnable`, `-s`.
    pub consume: bool,
    /// `consumeFromMinEnable`, `-m`; off unless it is given, and read by nothing.
    pub from_min: bool,
    /// `consumeBroadcastEnable`, `-d`; off unless it is given.
    pub broadcast: bool,
    /// `retryQueueNums`, `-q`.
    pub retry_queues: i32,
    /// `retryMaxTimes`, `-r`.
    pub retries: i32,
    /// `brokerId`, `-i`.
    pub broker_id: i64,
    /// `whichBrokerWhenConsumeSlowly`, `-w`.
    pub slow_broker_id: i64,
    /// `notifyConsumerIdsChangedEnable`, `-a`.
    pub notify: bool,
}

/// As Java's `toString` writes it.
impl fmt::Display for GroupSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GroupSettings { group, consume, from_min, broadcast, .. } = self;
        write!(
            f,
            "SubscriptionGroupConfig [groupName={group}, consumeEnable={consume}, consumeFromMinEnable={from_min}, \
             consumeBroadcastEnable={broadcast}, retryQueueNums={}, retryMaxTimes={}, brokerId={}, \
             whichBrokerWhenConsumeSlowly={}, notifyConsumerIdsChangedEnable={}]",
            self.retry_queues, self.retries, self.broker_id, self.slow_broker_id, self.notify,
        )
    }
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
    /// Which brokers made an ordered topic, and the order configuration that nameservers were given.
    Ordered {
        /// The brokers' addresses.
        by: Vec<Name>,
        /// The configuration.
        conf: Name,
    },
    /// Who deleted a group, and which of its topics were deleted everywhere.
    GroupGone {
        /// The brokers' addresses.
        by: Vec<Name>,
        /// The topics.
        topics: Vec<Topic>,
    },
    /// A value of a nameserver.
    Value(Name),
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
            AdminCall::UpdateTopic { topic, at, read, write, perm, order } => {
                let order = if *order { " -o true" } else { "" };
                format!("updateTopic {at} -t {topic} -r {read} -w {write} -p {perm}{order}")
            }
            AdminCall::OrderConf { topic, act } => match act {
                OrderConfAct::Put(conf) => format!("updateOrderConf -t {topic} -m put -v {conf}"),
                OrderConfAct::Get => format!("updateOrderConf -t {topic} -m get"),
                OrderConfAct::Delete => format!("updateOrderConf -t {topic} -m delete"),
            },
            AdminCall::UpdateGroup { cluster, settings } => {
                let GroupSettings { group, consume, from_min, broadcast, retry_queues, retries, .. } = &**settings;
                let GroupSettings { broker_id, slow_broker_id, notify, .. } = &**settings;
                format!(
                    "updateSubGroup -c {cluster} -g {group} -s {consume} -m {from_min} -d {broadcast} -q {retry_queues} \
                     -r {retries} -i {broker_id} -w {slow_broker_id} -a {notify}"
                )
            }
            AdminCall::DeleteGroup { group, cluster } => format!("deleteSubGroup -c {cluster} -g {group}"),
            AdminCall::DeleteTopic { topic, cluster } => format!("deleteTopic -c {cluster} -t {topic}"),
            AdminCall::WipeWritePerm { broker } => format!("wipeWritePerm -b {broker}"),
            AdminCall::ViewMessage { id } => format!("queryMsgById -i {id}"),
            AdminCall::QueryByKey { topic, key } => format!("queryMsgByKey -t {topic} -k {key}"),
            AdminCall::QueryByUniqueKey { topic, id } => format!("queryMsgByUniqueKey -t {topic} -i {id}"),
        }
    }
}
