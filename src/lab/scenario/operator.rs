//! The tables of operators, as a person writes them.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;

/// An operator at a terminal of its own.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorScript {
    /// Its name.
    pub name: Option<Text>,
    /// The process that it shares; one of its own, named like it, if left out.
    pub process: Option<Text>,
    /// When its process boots: a moment.
    pub start: Option<Text>,
    /// Groups that it moves.
    pub reset: Vec<Spanned<Table<ResetScript>>>,
    /// Topics that it makes or changes.
    pub update_topic: Vec<Spanned<Table<UpdateTopicScript>>>,
    /// Topics that it deletes.
    pub delete_topic: Vec<Spanned<Table<DeleteTopicScript>>>,
    /// Order configurations that it puts, asks for and deletes.
    pub order_conf: Vec<Spanned<Table<OrderConfScript>>>,
    /// Groups that it makes or changes.
    pub update_group: Vec<Spanned<Table<UpdateGroupScript>>>,
    /// Groups that it deletes.
    pub delete_group: Vec<Spanned<Table<DeleteGroupScript>>>,
    /// Brokers that it closes for producers.
    pub wipe_write_perm: Vec<Spanned<Table<WipeScript>>>,
    /// Messages that it looks for.
    pub query: Vec<Spanned<Table<QueryScript>>>,
}

/// `resetOffsetByTime`: a group is moved.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ResetScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The group.
    pub group: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// `now`; `end`, the end of each queue, which the tool knows as -1; or a moment as `yyyyMMddHHmmss` of UTC.
    pub to: Option<Text>,
    /// Whether offsets may move forward, too.
    pub force: Option<bool>,
    /// Who is told: `either`, as the tool does it: the members, and without any the brokers' tables; or one of them alone,
    /// `members` or `table`.
    pub way: Option<Text>,
}

/// `updateTopic`: a topic is made or changed on the masters of a cluster.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateTopicScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// The cluster, `DefaultCluster` if left out.
    pub cluster: Option<Text>,
    /// One broker alone, by its node's name, instead of a cluster's masters.
    pub broker: Option<Text>,
    /// Queues to read on each broker, 8 if left out.
    pub read: Option<Spanned<i64>>,
    /// Queues to write on each broker, 8 if left out.
    pub write: Option<Spanned<i64>>,
    /// Permission: 2 to write, 4 to read, 6 for both.
    pub perm: Option<Spanned<i64>>,
    /// Whether the brokers of the cluster are written down as its order configuration.
    pub order: Option<bool>,
}

/// `updateOrderConf`: where a topic's queues are, whoever is alive.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct OrderConfScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// `put`, which is also what is done if it is left out; `get`; `delete`.
    pub method: Option<Text>,
    /// The configuration, for `put`: `broker-a:4;broker-b:4`.
    pub conf: Option<Text>,
}

/// `updateSubGroup`: a group is made or changed on the masters of a cluster.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateGroupScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The group.
    pub group: Option<Text>,
    /// The cluster, `DefaultCluster` if left out.
    pub cluster: Option<Text>,
    /// `consumeEnable`.
    pub consume: Option<bool>,
    /// `consumeFromMinEnable`; off if left out.
    pub from_min: Option<bool>,
    /// `consumeBroadcastEnable`; off if left out.
    pub broadcast: Option<bool>,
    /// `retryQueueNums`.
    pub retry_queues: Option<Spanned<i64>>,
    /// `retryMaxTimes`.
    pub retries: Option<Spanned<i64>>,
    /// `brokerId`.
    pub broker_id: Option<Spanned<i64>>,
    /// `whichBrokerWhenConsumeSlowly`.
    pub slow_broker_id: Option<Spanned<i64>>,
    /// `notifyConsumerIdsChangedEnable`.
    pub notify: Option<bool>,
}

/// `deleteSubGroup`: a group is deleted on the masters of a cluster, with its topics of retries and dead letters.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct DeleteGroupScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The group.
    pub group: Option<Text>,
    /// The cluster, `DefaultCluster` if left out.
    pub cluster: Option<Text>,
}

/// `deleteTopic`: a topic is deleted at a cluster's brokers and at every nameserver.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct DeleteTopicScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The topic.
    pub topic: Option<Text>,
    /// The cluster, `DefaultCluster` if left out.
    pub cluster: Option<Text>,
}

/// `wipeWritePerm`: producers are led away from a broker.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct WipeScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The broker.
    pub broker: Option<Text>,
}

/// `queryMsgById`, `queryMsgByKey` or `queryMsgByUniqueKey`.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct QueryScript {
    /// How long after its process has booted.
    pub wait: Option<Text>,
    /// The topic, unless an id is given.
    pub topic: Option<Text>,
    /// An offset message id.
    pub id: Option<Text>,
    /// A key.
    pub key: Option<Text>,
    /// A unique key.
    pub unique_key: Option<Text>,
}
