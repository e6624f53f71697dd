//! What an operator asks about who consumes what, and how far; and the little he may tidy.
//!
//! Source: `AdminBrokerProcessor`. Differs: settings (26) and units of a consume queue (321) are not handed out.

use std::collections::{BTreeMap, BTreeSet};

use crate::mq::broker::Broker;
use crate::mq::message::{Group, MessageQueue, Name, QueueOffset, Topic, java};
use crate::mq::node::Step;
use crate::mq::wire::body::admin::{Connection, ConsumeStats, OffsetWrapper};
use crate::mq::wire::body::inquiry::{
    QueueTimeSpan, consume_stats_list, corrections, group_list, producer_connection, stats_data, time_spans, total_diff,
};
use crate::mq::wire::body::{JsonBody, admin::TopicList};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::{Command, VERSION};
use crate::mq::wire::header::Header;

/// A refusal: code and remark.
type Refused = (i32, String);

impl Broker {
    /// Answers; a code that nobody knows is answered with nothing, and its caller waits in vain.
    pub(in crate::mq::broker) fn inquire(&mut self, command: &Command, step: &mut Step<'_>) -> Option<Box<Command>> {
        let field = |name: &str| command.header.field(name).cloned().unwrap_or_default();
        let body = match command.code {
            request::GET_EARLIEST_MSG_STORETIME => return Some(self.earliest_of(command, step)),
            request::GET_PRODUCER_CONNECTION_LIST => self.producers(&field("producerGroup")),
            request::QUERY_TOPIC_CONSUME_BY_WHO => Ok(Some(group_list(self.groups_of(&field("topic"))))),
            request::QUERY_CONSUME_TIME_SPAN => self.spans(&field("topic"), &field("group"), step),
            request::GET_SYSTEM_TOPIC_LIST_FROM_BROKER => Ok(Some(self.system_topics().encode())),
            request::CLEAN_EXPIRED_CONSUMEQUEUE => {
                self.store.clean_expired_queues(step.disk);
                Ok(None)
            }
            request::CLEAN_UNUSED_TOPIC => {
                let topics = &self.topics;
                self.store.clean_unused_topics(step.disk, &|topic| topics.get(topic).is_some());
                Ok(None)
            }
            request::QUERY_CORRECTION_OFFSET => {
                self.corrected(&field("topic"), &field("filterGroups"), &field("compareGroup"))
            }
            request::CLONE_GROUP_OFFSET => {
                let is_offline = command.header.field("offline").is_some_and(|text| text.eq_ignore_ascii_case("true"));
                self.clone_offsets(&field("topic"), &field("srcGroup"), &field("destGroup"), is_offline);
                Ok(None)
            }
            request::VIEW_BROKER_STATS_DATA => self.counter(&field("statsName"), &field("statsKey"), step),
            request::GET_BROKER_CONSUME_STATS => {
                let is_order = command.header.field("isOrder").is_some_and(|text| text.eq_ignore_ascii_case("true"));
                Ok(Some(self.all_stats(is_order, step)))
            }
            _ => return None,
        };
        let answer = |code: i32| Command::response(code, command.opaque, Header::None);
        Some(match body {
            Ok(Some(body)) => answer(response::SUCCESS).with_body(body),
            Ok(None) => answer(response::SUCCESS),
            Err((code, remark)) => answer(code).with_remark(remark),
        })
    }

    /// Source: `AdminBrokerProcessor.getEarliestMsgStoretime`.
    fn earliest_of(&self, command: &Command, step: &mut Step<'_>) -> Box<Command> {
        let topic = command.header.field("topic").cloned().unwrap_or_default();
        let queue_id = command.header.field("queueId").and_then(|text| text.parse().ok()).unwrap_or(0);
        let earliest = self.store.earliest_time_of(step.disk, &topic, queue_id);
        let header = Header::Other(vec![("timestamp".into(), Name::from(earliest.to_string()))]);
        Command::response(response::SUCCESS, command.opaque, header)
    }

    /// Source: `AdminBrokerProcessor.getProducerConnectionList`.
    fn producers(&self, group: &Group) -> Result<Option<bytes::Bytes>, Refused> {
        let Some(members) = self.members.producer_group(group) else {
            return Err((response::SYSTEM_ERROR, format!("the producer group[{group}] not exist")));
        };
        let members: Vec<Connection> = members
            .map(|(conn, client)| Connection {
                client_id: client.clone(),
                client_addr: self.channels.peer(conn).map(|peer| peer.to_string().into()).unwrap_or_default(),
                version: VERSION,
            })
            .collect();
        Ok(Some(producer_connection(&members)))
    }

    /// Who subscribes to a topic now, and who has a place in it. Source: `AdminBrokerProcessor.queryTopicConsumeByWho`.
    fn groups_of(&self, topic: &Topic) -> BTreeSet<Group> {
        let stored = self.offsets.each().filter(|(_, own, ..)| *own == topic).map(|(group, ..)| group.clone());
        self.members.subscribers(topic).cloned().chain(stored).collect()
    }

    /// Source: `AdminBrokerProcessor.queryConsumeTimeSpan`.
    fn spans(&self, topic: &Topic, group: &Group, step: &mut Step<'_>) -> Result<Option<bytes::Bytes>, Refused> {
        let Some(config) = self.topics.get(topic) else {
            return Err((response::TOPIC_NOT_EXIST, format!("topic[{topic}] not exist")));
        };
        let mut spans = Vec::new();
        for queue_id in 0..config.write_queue_nums {
            let queue = MessageQueue { topic: topic.clone(), broker: self.config.broker_name.clone(), queue_id };
            let min = self.store.earliest_time_of(step.disk, topic, queue_id);
            let end = self.store.max_queue_offset(topic, queue_id).0;
            let max = self.store.store_time_of(step.disk, topic, queue_id, QueueOffset(end - 1));
            let next = self.offsets.get(group, topic, queue_id).map_or(-1, |offset| offset.0);
            let consumed = match 0 < next {
                true => self.store.store_time_of(step.disk, topic, queue_id, QueueOffset(next - 1)),
                false => min,
            };
            let delay = match next < end {
                true => step.wall.0 - self.store.store_time_of(step.disk, topic, queue_id, QueueOffset(next)),
                false => 0,
            };
            spans.push(QueueTimeSpan { queue, min, max, consumed, delay });
        }
        Ok(Some(time_spans(&spans)))
    }

    /// Source: `TopicConfigManager.getSystemTopic`.
    fn system_topics(&self) -> TopicList {
        let template = self.config.auto_create_topic_enable.then_some("TBW102");
        let own = [&*self.config.cluster, &*self.config.broker_name];
        let topics = ["SELF_TEST_TOPIC"].into_iter().chain(template).chain(["BenchmarkTest"]).chain(own);
        let mut list: Vec<Topic> = Vec::new();
        for topic in topics.chain(["OFFSET_MOVED_EVENT"]) {
            if list.iter().all(|known| *known != *topic) {
                list.push(topic.into());
            }
        }
        TopicList { topic_list: list, broker_addr: None }
    }

    /// The lowest place of any group in each queue; one of `compare`'s that lies below it makes it infinite.
    ///
    /// Faithful: groups that are named as filters are not passed over but lose their places, in every topic.
    /// Source: `AdminBrokerProcessor.queryCorrectionOffset`, `ConsumerOffsetManager.queryMinOffsetInAllGroup`. Differs: a
    /// queue in which only `compare` has a place is left out, where upstream throws.
    fn corrected(&mut self, topic: &Topic, filters: &Name, compare: &Group) -> Result<Option<bytes::Bytes>, Refused> {
        if !java::is_blank(filters) {
            filters.split(',').for_each(|group| self.offsets.forget(group));
        }
        let mut lowest: BTreeMap<i32, i64> = BTreeMap::new();
        for (_, _, queue_id, offset) in self.offsets.each().filter(|(_, own, ..)| *own == topic) {
            if self.store.min_queue_offset(topic, queue_id).0 <= offset {
                lowest.entry(queue_id).and_modify(|lowest| *lowest = offset.min(*lowest)).or_insert(offset);
            }
        }
        for (queue_id, lowest) in &mut lowest {
            if self.offsets.get(compare, topic, *queue_id).is_some_and(|own| own.0 < *lowest) {
                *lowest = i64::MAX;
            }
        }
        Ok(Some(corrections(&lowest)))
    }

    /// Gives a group the places of another one.
    ///
    /// Faithful: without a topic nothing is copied, since the topic that is asked for and not the one looked at is copied.
    /// Source: `AdminBrokerProcessor.cloneGroupOffset`.
    fn clone_offsets(&mut self, topic: &Topic, from: &Group, to: &Group, is_offline: bool) {
        if java::is_blank(topic) || self.topics.get(topic).is_none() {
            return;
        }
        let info = self.members.consumer_group(from);
        let is_left = |info: &crate::mq::broker::members::ConsumerGroup| {
            !info.subscriptions.is_empty() && !info.subscriptions.contains_key(topic)
        };
        if is_offline || !info.is_some_and(is_left) {
            self.offsets.copy(topic, from, to);
        }
    }

    /// Source: `AdminBrokerProcessor.ViewBrokerStatsData`.
    fn counter(&self, set: &Name, key: &Name, step: &Step<'_>) -> Result<Option<bytes::Bytes>, Refused> {
        match self.stats.item(set, key, step.mono) {
            Some(spans) => Ok(Some(stats_data(spans.map(|span| (span.sum, span.tps, span.avgpt))))),
            None => Err((response::SYSTEM_ERROR, format!("The stats <{set}> <{key}> not exist"))),
        }
    }

    /// Every group's progress. Source: `AdminBrokerProcessor.fetchAllConsumeStatsInBroker`.
    fn all_stats(&self, is_order: bool, step: &mut Step<'_>) -> bytes::Bytes {
        let (mut groups, mut behind) = (Vec::new(), 0);
        for group in self.groups.names() {
            let own = self.offsets.each().filter(|(own, ..)| **own == group).map(|(_, topic, ..)| topic.clone());
            let mut topics: Vec<Topic> = own.collect::<BTreeSet<_>>().into_iter().collect();
            java::map_order(&mut topics, |topic| java::hash(topic));
            let stats: Vec<ConsumeStats> =
                topics.iter().filter_map(|topic| self.stats_of(&group, topic, is_order, step)).collect();
            behind += stats.iter().map(total_diff).sum::<i64>();
            groups.push((group, stats));
        }
        let addr = crate::mq::node::Addr { ip: self.announced.ip, port: self.config.addr.port };
        consume_stats_list(&addr.to_string(), &groups, behind)
    }

    fn stats_of(&self, group: &Group, topic: &Topic, is_order: bool, step: &mut Step<'_>) -> Option<ConsumeStats> {
        let config = self.topics.get(topic).filter(|config| !is_order || config.order)?;
        let info = self.members.consumer_group(group);
        if info.is_some_and(|info| !info.subscriptions.is_empty() && !info.subscriptions.contains_key(topic)) {
            return None;
        }
        let mut stats = ConsumeStats::default();
        for queue_id in 0..config.write_queue_nums {
            let queue = MessageQueue { topic: topic.clone(), broker: self.config.broker_name.clone(), queue_id };
            let consumer_offset = self.offsets.get(group, topic, queue_id).map_or(0, |offset| offset.0);
            let last = self.store.store_time_of(step.disk, topic, queue_id, QueueOffset(consumer_offset - 1));
            let row = OffsetWrapper {
                broker_offset: self.store.max_queue_offset(topic, queue_id).0.max(0),
                consumer_offset,
                last_timestamp: last.max(0),
            };
            stats.0.insert(queue, row);
        }
        stats.1 = self.stats.group_tps(group, topic, step.mono);
        Some(stats)
    }
}
