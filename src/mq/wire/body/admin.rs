//! What operators are told: clusters, topics, queues and groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::mq::fastjson::Json;
use crate::mq::message::java::{JavaMap, hash, map_order, queue_hash};
use crate::mq::message::{MessageQueue, Name, Topic};
use crate::mq::wire::body::fields::{int, key, list, long, map, name, number, read_list, read_texts, text, texts};
use crate::mq::wire::body::queues::{queue_json, read_queue};
use crate::mq::wire::body::{BrokerData, JsonBody, SubscriptionData};

/// Topics by name. Source: `TopicList`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicList {
    /// The topics.
    pub topic_list: Vec<Topic>,
    /// The broker whose topics they are, if they are one's.
    pub broker_addr: Option<Name>,
}

/// Who belongs to which cluster. Source: `ClusterInfo`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClusterInfo {
    /// The brokers by name.
    pub broker_addr_table: BTreeMap<Name, BrokerData>,
    /// The brokers' names by cluster.
    pub cluster_addr_table: BTreeMap<Name, BTreeSet<Name>>,
}

/// The ends of a queue. Source: `TopicOffset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TopicOffset {
    /// The first entry.
    pub min_offset: i64,
    /// One past the last.
    pub max_offset: i64,
    /// When the last one was stored, ms; 0 if there is none.
    pub last_update_timestamp: i64,
}

/// A topic's queues. Source: `TopicStatsTable`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TopicStats(pub BTreeMap<MessageQueue, TopicOffset>);

/// How far a group has got in a queue. Source: `OffsetWrapper`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OffsetWrapper {
    /// One past the queue's last entry.
    pub broker_offset: i64,
    /// The group's place.
    pub consumer_offset: i64,
    /// When the last message before that place was stored, ms; 0 if there is none.
    pub last_timestamp: i64,
}

/// How far a group has got, and how many messages in a thousand seconds it was handed. Source: `ConsumeStats`.
///
/// Differs: `consumeTps` has three decimals.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsumeStats(pub BTreeMap<MessageQueue, OffsetWrapper>, pub i64);

/// Thousandths as `Double.toString` writes them, as far as three decimals go.
pub fn thousandths(number: i64) -> String {
    let text = format!("{}.{:03}", number / 1_000, number % 1_000);
    let bare = text.trim_end_matches('0');
    if bare.ends_with('.') { format!("{bare}0") } else { bare.to_owned() }
}

/// A decimal in thousandths; what cannot be read, and what is below nothing, is 0.
fn read_thousandths(text: &str) -> i64 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let read = |text: &str| text.parse::<u32>().ok().map(i64::from);
    read(whole).zip(read(&digits)).map_or(0, |(whole, rest)| whole * 1_000 + rest)
}

/// The members of a group. Source: `ConsumerConnection`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsumerConnection {
    /// The members.
    pub connection_set: Vec<Connection>,
    /// Where a group without a place begins.
    pub consume_from_where: Name,
    /// `CONSUME_PASSIVELY` (push) or `CONSUME_ACTIVELY` (pull).
    pub consume_type: Name,
    /// `CLUSTERING` or `BROADCASTING`.
    pub message_model: Name,
    /// What it subscribes to, in the order in which that came.
    pub subscriptions: Vec<SubscriptionData>,
}

/// A member. Source: `Connection`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Connection {
    /// Its id.
    pub client_id: Name,
    /// Its address.
    pub client_addr: Name,
    /// Its version's number.
    pub version: i32,
}

impl JsonBody for TopicList {
    fn to_json(&self) -> Json {
        let mut topics = self.topic_list.clone();
        map_order(&mut topics, |topic| hash(topic));
        let broker = self.broker_addr.iter().map(|addr| (key("brokerAddr"), text(addr)));
        Json::Object(broker.chain([(key("topicList"), texts(&topics))]).collect())
    }

    fn from_json(json: &Json) -> TopicList {
        TopicList {
            topic_list: json.get("topicList").map(read_texts).unwrap_or_default(),
            broker_addr: name(json, "brokerAddr"),
        }
    }
}

impl JsonBody for ClusterInfo {
    fn to_json(&self) -> Json {
        let brokers: JavaMap<Json> =
            self.broker_addr_table.iter().map(|(name, data)| (name.clone(), data.to_json())).collect();
        let names = |names: &BTreeSet<Name>| {
            let mut names: Vec<Name> = names.iter().cloned().collect();
            map_order(&mut names, |name| hash(name));
            texts(&names)
        };
        let clusters: JavaMap<Json> =
            self.cluster_addr_table.iter().map(|(name, brokers)| (name.clone(), names(brokers))).collect();
        Json::Object(vec![(key("brokerAddrTable"), map(brokers)), (key("clusterAddrTable"), map(clusters))])
    }

    fn from_json(json: &Json) -> ClusterInfo {
        let pairs = |field: &str| json.get(field).map(Json::pairs).unwrap_or_default();
        let brokers = pairs("brokerAddrTable").iter();
        let clusters = pairs("clusterAddrTable").iter();
        ClusterInfo {
            broker_addr_table: brokers
                .filter_map(|(name, data)| Some((name.as_str()?.into(), BrokerData::from_json(data))))
                .collect(),
            cluster_addr_table: clusters
                .filter_map(|(name, brokers)| Some((name.as_str()?.into(), read_texts(brokers).into_iter().collect())))
                .collect(),
        }
    }
}

/// A table by queue, in the order of a map of them.
fn by_queue<V>(table: &BTreeMap<MessageQueue, V>, value: impl Fn(&V) -> Json) -> Json {
    let mut rows: Vec<(&MessageQueue, &V)> = table.iter().collect();
    map_order(&mut rows, |(queue, _)| queue_hash(queue));
    Json::Object(rows.into_iter().map(|(queue, row)| (queue_json(queue), value(row))).collect())
}

fn read_by_queue<V>(json: &Json, value: impl Fn(&Json) -> V) -> BTreeMap<MessageQueue, V> {
    let rows = json.get("offsetTable").map(Json::pairs).unwrap_or_default();
    rows.iter().map(|(queue, row)| (read_queue(queue), value(row))).collect()
}

impl JsonBody for TopicStats {
    fn to_json(&self) -> Json {
        let row = |row: &TopicOffset| {
            Json::Object(vec![
                (key("lastUpdateTimestamp"), Json::Int(row.last_update_timestamp)),
                (key("maxOffset"), Json::Int(row.max_offset)),
                (key("minOffset"), Json::Int(row.min_offset)),
            ])
        };
        Json::Object(vec![(key("offsetTable"), by_queue(&self.0, row))])
    }

    fn from_json(json: &Json) -> TopicStats {
        TopicStats(read_by_queue(json, |row| TopicOffset {
            min_offset: long(row, "minOffset", 0),
            max_offset: long(row, "maxOffset", 0),
            last_update_timestamp: long(row, "lastUpdateTimestamp", 0),
        }))
    }
}

impl JsonBody for ConsumeStats {
    fn to_json(&self) -> Json {
        let row = |row: &OffsetWrapper| {
            Json::Object(vec![
                (key("brokerOffset"), Json::Int(row.broker_offset)),
                (key("consumerOffset"), Json::Int(row.consumer_offset)),
                (key("lastTimestamp"), Json::Int(row.last_timestamp)),
            ])
        };
        let tps = Json::Number(thousandths(self.1));
        Json::Object(vec![(key("consumeTps"), tps), (key("offsetTable"), by_queue(&self.0, row))])
    }

    fn from_json(json: &Json) -> ConsumeStats {
        let rows = read_by_queue(json, |row| OffsetWrapper {
            broker_offset: long(row, "brokerOffset", 0),
            consumer_offset: long(row, "consumerOffset", 0),
            last_timestamp: long(row, "lastTimestamp", 0),
        });
        let tps = match json.get("consumeTps") {
            Some(Json::Number(text)) => read_thousandths(text),
            Some(Json::Int(number)) => number.saturating_mul(1_000),
            _ => 0,
        };
        ConsumeStats(rows, tps)
    }
}

impl JsonBody for ConsumerConnection {
    fn to_json(&self) -> Json {
        // The group's own table is copied into one that is made large enough, and no larger.
        let mut own = JavaMap::concurrent(DEFAULT_CAPACITY);
        for data in &self.subscriptions {
            own.put(data.topic.clone().into(), data);
        }
        let mut subscriptions = JavaMap::concurrent(self.subscriptions.len() as u32);
        for (topic, data) in own.iter() {
            subscriptions.put(topic.clone().into(), data.to_json());
        }
        Json::Object(vec![
            (key("connectionSet"), list(&self.connection_set)),
            (key("consumeFromWhere"), text(&self.consume_from_where)),
            (key("consumeType"), text(&self.consume_type)),
            (key("messageModel"), text(&self.message_model)),
            (key("subscriptionTable"), map(subscriptions)),
        ])
    }

    fn from_json(json: &Json) -> ConsumerConnection {
        ConsumerConnection {
            connection_set: read_list(json, "connectionSet"),
            consume_from_where: name(json, "consumeFromWhere").unwrap_or_default(),
            consume_type: name(json, "consumeType").unwrap_or_default(),
            message_model: name(json, "messageModel").unwrap_or_default(),
            subscriptions: json
                .get("subscriptionTable")
                .map(Json::pairs)
                .unwrap_or_default()
                .iter()
                .map(|(_, data)| SubscriptionData::from_json(data))
                .collect(),
        }
    }
}

impl JsonBody for Connection {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("clientAddr"), text(&self.client_addr)),
            (key("clientId"), text(&self.client_id)),
            (key("language"), text("JAVA")),
            (key("version"), int(self.version)),
        ])
    }

    fn from_json(json: &Json) -> Connection {
        Connection {
            client_id: name(json, "clientId").unwrap_or_default(),
            client_addr: name(json, "clientAddr").unwrap_or_default(),
            version: number(json, "version", 0),
        }
    }
}

/// A `ConcurrentHashMap` made without a word about its size is as large as one that is asked for so much.
const DEFAULT_CAPACITY: u32 = 8;
