//! What operators ask about groups and queues: written here, and read by tools that speak to a broker.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::mq::fastjson::Json;
use crate::mq::message::java::{JavaMap, hash, map_order};
use crate::mq::message::{Group, MessageQueue, Name};
use crate::mq::time::{Calendar, Millis};
use crate::mq::wire::body::admin::{Connection, ConsumeStats, thousandths};
use crate::mq::wire::body::fields::{int_order, key, list, text, texts};
use crate::mq::wire::body::queues::queue_json;

/// Whose reading of a queue is looked at, in store times. Source: `QueueTimeSpan`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueTimeSpan {
    /// The queue.
    pub queue: MessageQueue,
    /// Of its first message.
    pub min: i64,
    /// Of its last message.
    pub max: i64,
    /// Of the last message that the group has consumed.
    pub consumed: i64,
    /// How long the next one has been waiting, ms; 0 if there is none.
    pub delay: i64,
}

/// Names and values in the order in which upstream puts them into its map. Source: `KVTable`.
pub fn runtime_table(rows: impl IntoIterator<Item = (Name, Name)>) -> Bytes {
    let table: JavaMap<Name> = rows.into_iter().collect();
    let rows = table.iter().map(|(name, value)| (text(name), text(value))).collect();
    written(vec![(key("table"), Json::Object(rows))])
}

/// Groups by name. Source: `GroupList`.
pub fn group_list(groups: impl IntoIterator<Item = Group>) -> Bytes {
    let mut groups: Vec<Name> = groups.into_iter().collect();
    map_order(&mut groups, |group| hash(group));
    written(vec![(key("groupList"), texts(&groups))])
}

/// The members of a producer group. Source: `ProducerConnection`.
pub fn producer_connection(members: &[Connection]) -> Bytes {
    written(vec![(key("connectionSet"), list(members))])
}

/// How far a group has got in a topic's queues, by the clock. Source: `QueryConsumeTimeSpanBody`.
pub fn time_spans(spans: &[QueueTimeSpan]) -> Bytes {
    let span = |span: &QueueTimeSpan| {
        Json::Object(vec![
            (key("consumeTimeStamp"), Json::Int(span.consumed)),
            (key("consumeTimeStampStr"), text(&shown(span.consumed))),
            (key("delayTime"), Json::Int(span.delay)),
            (key("maxTimeStamp"), Json::Int(span.max)),
            (key("maxTimeStampStr"), text(&shown(span.max))),
            (key("messageQueue"), queue_json(&span.queue)),
            (key("minTimeStamp"), Json::Int(span.min)),
            (key("minTimeStampStr"), text(&shown(span.min))),
        ])
    };
    written(vec![(key("consumeTimeSpanSet"), Json::Array(spans.iter().map(span).collect()))])
}

/// Source: `UtilAll.YYYY_MM_DD_HH_MM_SS_SSS`, in the zone of a machine that stands in Greenwich.
fn shown(wall: i64) -> String {
    let Calendar { year, month, day, hour, minute, second, milli } = Calendar::of(Millis(wall), 0);
    format!("{year:04}-{month:02}-{day:02}#{hour:02}:{minute:02}:{second:02}:{milli:03}")
}

/// Offsets by queue number. Source: `QueryCorrectionOffsetBody`.
pub fn corrections(offsets: &BTreeMap<i32, i64>) -> Bytes {
    let numbers: Vec<i32> = offsets.keys().copied().collect();
    let rows = int_order(&numbers).into_iter().map(|queue| (Json::Int(queue.into()), Json::Int(offsets[&queue])));
    written(vec![(key("correctionOffsets"), Json::Object(rows.collect()))])
}

/// Every group's progress, topic by topic, and how far all are behind. Source: `ConsumeStatsList`.
pub fn consume_stats_list(broker: &str, groups: &[(Group, Vec<ConsumeStats>)], total_diff: i64) -> Bytes {
    let group = |(group, stats): &(Group, Vec<ConsumeStats>)| Json::Object(vec![(text(group), list(stats))]);
    written(vec![
        (key("brokerAddr"), text(broker)),
        (key("consumeStatsList"), Json::Array(groups.iter().map(group).collect())),
        (key("totalDiff"), Json::Int(total_diff)),
    ])
}

/// Over the last minute, hour and day: how many, in a second and at a time, the latter two in thousandths; a rate over no time
/// is no number. Source: `BrokerStatsData`.
pub fn stats_data(spans: [(i64, Option<i64>, i64); 3]) -> Bytes {
    let [minute, hour, day] = spans.map(|(sum, tps, avgpt)| {
        let tps = tps.map_or(Json::Null, |tps| Json::Number(thousandths(tps)));
        let avgpt = Json::Number(thousandths(avgpt));
        Json::Object(vec![(key("avgpt"), avgpt), (key("sum"), Json::Int(sum)), (key("tps"), tps)])
    });
    written(vec![(key("statsDay"), day), (key("statsHour"), hour), (key("statsMinute"), minute)])
}

/// What members say of their offsets, by client. Source: `GetConsumerStatusBody`.
pub fn consumer_status(members: &[(Name, Json)]) -> Bytes {
    let mut members = members.to_vec();
    map_order(&mut members, |(client, _)| hash(client));
    let table = members.into_iter().map(|(client, offsets)| (text(&client), offsets)).collect();
    written(vec![(key("consumerTable"), Json::Object(table)), (key("messageQueueTable"), Json::Object(Vec::new()))])
}

/// What one member says of its offsets, out of its own [`consumer_status`].
pub fn member_status(body: &[u8]) -> Option<Json> {
    Json::parse(body).ok()?.get("messageQueueTable").cloned()
}

fn written(pairs: Vec<(Json, Json)>) -> Bytes {
    Bytes::from(Json::Object(pairs).compact())
}

/// How far a group is behind in a topic. Source: `ConsumeStats.computeTotalDiff`.
pub fn total_diff(stats: &ConsumeStats) -> i64 {
    stats.0.values().map(|row| row.broker_offset - row.consumer_offset).sum()
}
