//! Bodies of the conversations: what upstream's `RemotingSerializable` classes hold, to and from fastjson's text.
//!
//! Bean fields are written in alphabetical order, absent objects are left out, maps stand in Java's order.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::mq::fastjson::{Json, JsonError};
use crate::mq::message::java::JavaMap;
use crate::mq::message::{Group, Name, Topic};

mod fields;

pub mod group;

pub mod locks;

pub mod text;

mod queues;

pub mod admin;

pub mod inquiry;

pub use queues::QueueOffsets;

use fields::{
    flag, int, int_order, key, list, long, long_order, map, name, number, read_list, read_texts, text, texts,
};

/// Who serves a topic. Source: `TopicRouteData`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouteData {
    /// `b1:4;b2:4`, for ordered topics.
    pub order_topic_conf: Option<Name>,
    /// The topic's queues by broker name.
    pub queue_datas: Vec<QueueData>,
    /// The brokers.
    pub broker_datas: Vec<BrokerData>,
    /// Filter servers by broker address.
    pub filter_server_table: BTreeMap<Name, Vec<Name>>,
}

/// A topic's queues on one broker name. Source: `QueueData`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct QueueData {
    /// The broker.
    pub broker_name: Name,
    /// Queues to read.
    pub read_queue_nums: i32,
    /// Queues to write.
    pub write_queue_nums: i32,
    /// Permission bits.
    pub perm: i32,
    /// `topicSynFlag`.
    pub topic_sys_flag: i32,
}

/// The addresses behind one broker name. Source: `BrokerData`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BrokerData {
    /// The cluster.
    pub cluster: Name,
    /// The broker.
    pub broker_name: Name,
    /// Id to `ip:port`; 0 is the master.
    pub broker_addrs: BTreeMap<i64, Name>,
}

/// A topic as a broker keeps it. Source: `TopicConfig`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicConfig {
    /// The topic.
    pub topic_name: Topic,
    /// Queues to read.
    pub read_queue_nums: i32,
    /// Queues to write.
    pub write_queue_nums: i32,
    /// Permission bits: 4 read, 2 write, 1 inherit.
    pub perm: i32,
    /// `SINGLE_TAG` or `MULTI_TAG`.
    pub topic_filter_type: Name,
    /// Unit bits.
    pub topic_sys_flag: i32,
    /// Whether it is ordered.
    pub order: bool,
}

/// The age of a table. Source: `DataVersion`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DataVersion {
    /// When it changed last, ms.
    pub timestamp: i64,
    /// How often it changed.
    pub counter: i64,
}

/// A broker's topics. Source: `TopicConfigSerializeWrapper`.
#[derive(Clone, Debug, Default)]
pub struct TopicConfigTable {
    /// The table's age.
    pub data_version: DataVersion,
    /// The topics.
    pub topic_config_table: BTreeMap<Topic, TopicConfig>,
    /// The capacity that the concurrent map was made with which holds them, and which decides the order in which they are
    /// written; 0 for the plain map of a table that was read.
    pub capacity: u32,
}

/// The order of a map is no part of it.
impl PartialEq for TopicConfigTable {
    fn eq(&self, other: &TopicConfigTable) -> bool {
        self.data_version == other.data_version && self.topic_config_table == other.topic_config_table
    }
}

impl Eq for TopicConfigTable {}

/// What a broker registers with. Source: `RegisterBrokerBody`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegisterBrokerBody {
    /// Its topics.
    pub topic_config_serialize_wrapper: TopicConfigTable,
    /// Its filter servers.
    pub filter_server_list: Vec<Name>,
}

/// What a client says about itself. Source: `HeartbeatData`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeartbeatData {
    /// The client's id, `ip@instance`.
    pub client_id: Name,
    /// Its producers.
    pub producer_data_set: Vec<ProducerData>,
    /// Its consumers.
    pub consumer_data_set: Vec<ConsumerData>,
}

/// A subscription to be looked at before a consumer starts. Source: `CheckClientRequestBody`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CheckClientBody {
    /// The client's id.
    pub client_id: Name,
    /// The consumer's group.
    pub group: Group,
    /// The subscription; none is fine.
    pub subscription_data: Option<SubscriptionData>,
}

/// A producer in a heartbeat. Source: `ProducerData`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerData {
    /// Its group.
    pub group_name: Group,
}

/// A consumer in a heartbeat. Source: `ConsumerData`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerData {
    /// Its group.
    pub group_name: Group,
    /// `CONSUME_PASSIVELY` (push) or `CONSUME_ACTIVELY` (pull).
    pub consume_type: Name,
    /// `CLUSTERING` or `BROADCASTING`.
    pub message_model: Name,
    /// `CONSUME_FROM_LAST_OFFSET` …
    pub consume_from_where: Name,
    /// What it subscribes to.
    pub subscription_data_set: Vec<SubscriptionData>,
    /// Unit mode.
    pub unit_mode: bool,
}

/// A subscription. Source: `SubscriptionData`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionData {
    /// A filter class, never used here.
    pub class_filter_mode: bool,
    /// The topic.
    pub topic: Topic,
    /// The expression.
    pub sub_string: Name,
    /// Its tags.
    pub tags_set: Vec<Name>,
    /// Their hashes.
    pub code_set: Vec<i32>,
    /// When it was built, ms.
    pub sub_version: i64,
    /// `TAG` or `SQL92`.
    pub expression_type: Name,
}

/// The members of a group. Source: `GetConsumerListByGroupResponseBody`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsumerIdList(pub Vec<Name>);

/// Names and values. Source: `KVTable`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KvTable(pub BTreeMap<Name, Name>);

/// A body that is JSON.
pub trait JsonBody: Sized {
    /// The value, keys in upstream's order.
    fn to_json(&self) -> Json;

    /// Reads the value; absent fields get upstream's defaults.
    fn from_json(json: &Json) -> Self;

    /// The bytes on the wire.
    fn encode(&self) -> Bytes {
        Bytes::from(self.to_json().compact())
    }

    /// Reads bytes. Errors: the text is not JSON.
    fn decode(bytes: &[u8]) -> Result<Self, JsonError> {
        Json::parse(bytes).map(|json| Self::from_json(&json))
    }
}

impl JsonBody for RouteData {
    fn to_json(&self) -> Json {
        let mut pairs = vec![(key("brokerDatas"), list(&self.broker_datas))];
        let servers: JavaMap<Json> =
            self.filter_server_table.iter().map(|(addr, names)| (addr.clone(), texts(names))).collect();
        pairs.push((key("filterServerTable"), map(servers)));
        if let Some(conf) = &self.order_topic_conf {
            pairs.push((key("orderTopicConf"), text(conf)));
        }
        pairs.push((key("queueDatas"), list(&self.queue_datas)));
        Json::Object(pairs)
    }

    fn from_json(json: &Json) -> RouteData {
        let servers = json.get("filterServerTable").map(Json::pairs).unwrap_or_default();
        RouteData {
            order_topic_conf: name(json, "orderTopicConf"),
            queue_datas: read_list(json, "queueDatas"),
            broker_datas: read_list(json, "brokerDatas"),
            filter_server_table: servers
                .iter()
                .filter_map(|(addr, names)| Some((addr.as_str()?.into(), read_texts(names))))
                .collect(),
        }
    }
}

impl JsonBody for QueueData {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("brokerName"), text(&self.broker_name)),
            (key("perm"), int(self.perm)),
            (key("readQueueNums"), int(self.read_queue_nums)),
            (key("topicSynFlag"), int(self.topic_sys_flag)),
            (key("writeQueueNums"), int(self.write_queue_nums)),
        ])
    }

    fn from_json(json: &Json) -> QueueData {
        QueueData {
            broker_name: name(json, "brokerName").unwrap_or_default(),
            read_queue_nums: number(json, "readQueueNums", 0),
            write_queue_nums: number(json, "writeQueueNums", 0),
            perm: number(json, "perm", 0),
            topic_sys_flag: number(json, "topicSynFlag", 0),
        }
    }
}

impl JsonBody for BrokerData {
    fn to_json(&self) -> Json {
        let addrs =
            long_order(self.broker_addrs.iter()).into_iter().map(|(id, addr)| (Json::Int(*id), text(addr))).collect();
        Json::Object(vec![
            (key("brokerAddrs"), Json::Object(addrs)),
            (key("brokerName"), text(&self.broker_name)),
            (key("cluster"), text(&self.cluster)),
        ])
    }

    fn from_json(json: &Json) -> BrokerData {
        let addrs = json.get("brokerAddrs").map(Json::pairs).unwrap_or_default();
        BrokerData {
            cluster: name(json, "cluster").unwrap_or_default(),
            broker_name: name(json, "brokerName").unwrap_or_default(),
            broker_addrs: addrs.iter().filter_map(|(id, addr)| Some((id.as_i64()?, addr.as_str()?.into()))).collect(),
        }
    }
}

impl JsonBody for TopicConfig {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("order"), Json::Bool(self.order)),
            (key("perm"), int(self.perm)),
            (key("readQueueNums"), int(self.read_queue_nums)),
            (key("topicFilterType"), text(&self.topic_filter_type)),
            (key("topicName"), text(&self.topic_name)),
            (key("topicSysFlag"), int(self.topic_sys_flag)),
            (key("writeQueueNums"), int(self.write_queue_nums)),
        ])
    }

    fn from_json(json: &Json) -> TopicConfig {
        TopicConfig {
            topic_name: name(json, "topicName").unwrap_or_default(),
            read_queue_nums: number(json, "readQueueNums", 16),
            write_queue_nums: number(json, "writeQueueNums", 16),
            perm: number(json, "perm", 6),
            topic_filter_type: name(json, "topicFilterType").unwrap_or_else(|| "SINGLE_TAG".into()),
            topic_sys_flag: number(json, "topicSysFlag", 0),
            order: flag(json, "order", false),
        }
    }
}

impl JsonBody for DataVersion {
    fn to_json(&self) -> Json {
        Json::Object(vec![(key("counter"), Json::Int(self.counter)), (key("timestamp"), Json::Int(self.timestamp))])
    }

    fn from_json(json: &Json) -> DataVersion {
        DataVersion { timestamp: long(json, "timestamp", 0), counter: long(json, "counter", 0) }
    }
}

impl JsonBody for TopicConfigTable {
    fn to_json(&self) -> Json {
        let mut topics: JavaMap<Json> = match self.capacity {
            0 => JavaMap::default(),
            capacity => JavaMap::concurrent(capacity),
        };
        for (topic, config) in &self.topic_config_table {
            topics.put(topic.clone().into(), config.to_json());
        }
        Json::Object(vec![(key("dataVersion"), self.data_version.to_json()), (key("topicConfigTable"), map(topics))])
    }

    fn from_json(json: &Json) -> TopicConfigTable {
        let topics = json.get("topicConfigTable").map(Json::pairs).unwrap_or_default();
        TopicConfigTable {
            data_version: json.get("dataVersion").map(DataVersion::from_json).unwrap_or_default(),
            topic_config_table: topics
                .iter()
                .filter_map(|(topic, config)| Some((topic.as_str()?.into(), TopicConfig::from_json(config))))
                .collect(),
            capacity: 0,
        }
    }
}

impl JsonBody for RegisterBrokerBody {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("filterServerList"), texts(&self.filter_server_list)),
            (key("topicConfigSerializeWrapper"), self.topic_config_serialize_wrapper.to_json()),
        ])
    }

    fn from_json(json: &Json) -> RegisterBrokerBody {
        RegisterBrokerBody {
            topic_config_serialize_wrapper: json
                .get("topicConfigSerializeWrapper")
                .map(TopicConfigTable::from_json)
                .unwrap_or_default(),
            filter_server_list: json.get("filterServerList").map(read_texts).unwrap_or_default(),
        }
    }
}

impl JsonBody for HeartbeatData {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("clientID"), text(&self.client_id)),
            (key("consumerDataSet"), list(&self.consumer_data_set)),
            (key("producerDataSet"), list(&self.producer_data_set)),
        ])
    }

    fn from_json(json: &Json) -> HeartbeatData {
        HeartbeatData {
            client_id: name(json, "clientID").unwrap_or_default(),
            producer_data_set: read_list(json, "producerDataSet"),
            consumer_data_set: read_list(json, "consumerDataSet"),
        }
    }
}

impl JsonBody for CheckClientBody {
    fn to_json(&self) -> Json {
        let mut fields = vec![(key("clientId"), text(&self.client_id)), (key("group"), text(&self.group))];
        fields.extend(self.subscription_data.as_ref().map(|data| (key("subscriptionData"), data.to_json())));
        Json::Object(fields)
    }

    fn from_json(json: &Json) -> CheckClientBody {
        CheckClientBody {
            client_id: name(json, "clientId").unwrap_or_default(),
            group: name(json, "group").unwrap_or_default(),
            subscription_data: json.get("subscriptionData").map(SubscriptionData::from_json),
        }
    }
}

impl JsonBody for ProducerData {
    fn to_json(&self) -> Json {
        Json::Object(vec![(key("groupName"), text(&self.group_name))])
    }

    fn from_json(json: &Json) -> ProducerData {
        ProducerData { group_name: name(json, "groupName").unwrap_or_default() }
    }
}

impl JsonBody for ConsumerData {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("consumeFromWhere"), text(&self.consume_from_where)),
            (key("consumeType"), text(&self.consume_type)),
            (key("groupName"), text(&self.group_name)),
            (key("messageModel"), text(&self.message_model)),
            (key("subscriptionDataSet"), list(&self.subscription_data_set)),
            (key("unitMode"), Json::Bool(self.unit_mode)),
        ])
    }

    fn from_json(json: &Json) -> ConsumerData {
        ConsumerData {
            group_name: name(json, "groupName").unwrap_or_default(),
            consume_type: name(json, "consumeType").unwrap_or_default(),
            message_model: name(json, "messageModel").unwrap_or_default(),
            consume_from_where: name(json, "consumeFromWhere").unwrap_or_default(),
            subscription_data_set: read_list(json, "subscriptionDataSet"),
            unit_mode: flag(json, "unitMode", false),
        }
    }
}

impl JsonBody for SubscriptionData {
    fn to_json(&self) -> Json {
        let tags: JavaMap<()> = self.tags_set.iter().map(|tag| (tag.clone(), ())).collect();
        let codes = int_order(&self.code_set).into_iter().map(int).collect();
        Json::Object(vec![
            (key("classFilterMode"), Json::Bool(self.class_filter_mode)),
            (key("codeSet"), Json::Array(codes)),
            (key("expressionType"), text(&self.expression_type)),
            (key("subString"), text(&self.sub_string)),
            (key("subVersion"), Json::Int(self.sub_version)),
            (key("tagsSet"), Json::Array(tags.iter().map(|(tag, ())| text(tag)).collect())),
            (key("topic"), text(&self.topic)),
        ])
    }

    fn from_json(json: &Json) -> SubscriptionData {
        SubscriptionData {
            class_filter_mode: flag(json, "classFilterMode", false),
            topic: name(json, "topic").unwrap_or_default(),
            sub_string: name(json, "subString").unwrap_or_default(),
            tags_set: json.get("tagsSet").map(read_texts).unwrap_or_default(),
            code_set: json
                .get("codeSet")
                .map(Json::items)
                .unwrap_or_default()
                .iter()
                .filter_map(Json::as_i32)
                .collect(),
            sub_version: long(json, "subVersion", 0),
            expression_type: name(json, "expressionType").unwrap_or_else(|| "TAG".into()),
        }
    }
}

impl JsonBody for ConsumerIdList {
    fn to_json(&self) -> Json {
        Json::Object(vec![(key("consumerIdList"), texts(&self.0))])
    }

    fn from_json(json: &Json) -> ConsumerIdList {
        ConsumerIdList(json.get("consumerIdList").map(read_texts).unwrap_or_default())
    }
}

impl JsonBody for KvTable {
    fn to_json(&self) -> Json {
        let pairs: JavaMap<Json> = self.0.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        Json::Object(vec![(key("table"), map(pairs))])
    }

    fn from_json(json: &Json) -> KvTable {
        let pairs = json.get("table").map(Json::pairs).unwrap_or_default();
        KvTable(
            pairs.iter().filter_map(|(name, value)| Some((name.as_str()?.into(), value.as_str()?.into()))).collect(),
        )
    }
}
