//! What an operator asks about topics, groups and the broker itself.
//!
//! Source: `AdminBrokerProcessor.getTopicStatsInfo`, `getConsumeStats`, `getConsumerConnectionList`, `getBrokerRuntimeInfo`.

use std::collections::BTreeSet;

use crate::mq::broker::Broker;
use crate::mq::message::java;
use crate::mq::message::{MessageQueue, Name, QueueOffset, Topic};
use crate::mq::node::Step;
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::admin::{
    Connection, ConsumeStats, ConsumerConnection, OffsetWrapper, TopicOffset, TopicStats,
};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::codec::NULL_POINTER;
use crate::mq::wire::command::{Command, VERSION};
use crate::mq::wire::header::Header;

impl Broker {
    /// Answers one of the four requests.
    pub(in crate::mq::broker) fn status(
        &mut self,
        header: &Header,
        command: &Command,
        step: &mut Step<'_>,
    ) -> Box<Command> {
        let field = |name: &str| header.field(name).cloned().unwrap_or_default();
        let (topic, group) = (field("topic"), field("consumerGroup"));
        let required = if command.code == request::GET_TOPIC_STATS_INFO { "topic" } else { "consumerGroup" };
        if command.code != request::GET_BROKER_RUNTIME_INFO && header.field(required).is_none() {
            return Command::response(response::SYSTEM_ERROR, command.opaque, Header::None).with_remark(NULL_POINTER);
        }
        let answer = match command.code {
            request::GET_TOPIC_STATS_INFO => self.topic_stats(&topic, step).map(|stats| stats.encode()),
            request::GET_CONSUME_STATS => Ok(self.consume_stats(&group, &topic, step).encode()),
            request::GET_CONSUMER_CONNECTION_LIST => self.connections(&group).map(|members| members.encode()),
            _ => Ok(self.runtime_info(step)),
        };
        match answer {
            Ok(body) => Command::response(response::SUCCESS, command.opaque, Header::None).with_body(body),
            Err((code, remark)) => Command::response(code, command.opaque, Header::None).with_remark(remark),
        }
    }

    fn queue(&self, topic: &Topic, queue_id: i32) -> MessageQueue {
        MessageQueue { topic: topic.clone(), broker: self.config.broker_name.clone(), queue_id }
    }

    fn topic_stats(&self, topic: &Topic, step: &mut Step<'_>) -> Result<TopicStats, (i32, String)> {
        let Some(config) = self.topics.get(topic) else {
            return Err((response::TOPIC_NOT_EXIST, format!("topic[{topic}] not exist")));
        };
        let mut stats = TopicStats::default();
        for queue_id in 0..config.write_queue_nums {
            let min = self.store.min_queue_offset(topic, queue_id).0.max(0);
            let max = self.store.max_queue_offset(topic, queue_id).0.max(0);
            let last = match max {
                0 => 0,
                max => self.store.store_time_of(step.disk, topic, queue_id, QueueOffset(max - 1)).max(0),
            };
            let row = TopicOffset { min_offset: min, max_offset: max, last_update_timestamp: last };
            stats.0.insert(self.queue(topic, queue_id), row);
        }
        Ok(stats)
    }

    /// How far a group has got in a topic, or in every topic in which it has a place.
    fn consume_stats(&self, group: &Name, topic: &Topic, step: &mut Step<'_>) -> ConsumeStats {
        let topics: BTreeSet<Topic> = match java::is_blank(topic) {
            true => self.offsets.each().filter(|(own, ..)| *own == group).map(|(_, topic, ..)| topic.clone()).collect(),
            false => BTreeSet::from([topic.clone()]),
        };
        let info = self.members.consumer_group(group);
        let mut stats = ConsumeStats::default();
        for topic in topics {
            let Some(config) = self.topics.get(&topic) else { continue };
            // What its members do not subscribe to any more is passed over, unless nothing is known of them.
            if info.is_some_and(|info| !info.subscriptions.is_empty() && !info.subscriptions.contains_key(&topic)) {
                continue;
            }
            for queue_id in 0..config.read_queue_nums {
                let broker_offset = self.store.max_queue_offset(&topic, queue_id).0.max(0);
                let consumer_offset = self.offsets.get(group, &topic, queue_id).map_or(0, |offset| offset.0);
                let last_timestamp = match consumer_offset {
                    0 => 0,
                    next => self.store.store_time_of(step.disk, &topic, queue_id, QueueOffset(next - 1)).max(0),
                };
                let row = OffsetWrapper { broker_offset, consumer_offset, last_timestamp };
                stats.0.insert(self.queue(&topic, queue_id), row);
            }
            stats.1 += self.stats.group_tps(group, &topic, step.mono);
        }
        stats
    }

    /// Source: `AdminBrokerProcessor.getConsumerConnectionList`.
    fn connections(&self, group: &Name) -> Result<ConsumerConnection, (i32, String)> {
        let Some(info) = self.members.consumer_group(group) else {
            return Err((response::CONSUMER_NOT_ONLINE, format!("the consumer group[{group}] not online")));
        };
        let connection = |(conn, member): (&_, &crate::mq::broker::members::Member)| Connection {
            client_id: member.client_id.clone(),
            client_addr: self.channels.peer(*conn).map(|peer| peer.to_string().into()).unwrap_or_default(),
            version: VERSION,
        };
        Ok(ConsumerConnection {
            connection_set: info.members.iter().map(connection).collect(),
            consume_from_where: info.consume_from_where.clone(),
            consume_type: info.consume_type.clone(),
            message_model: info.message_model.clone(),
            subscriptions: info
                .topics
                .iter()
                .filter_map(|topic| info.subscriptions.get(topic))
                .map(|subscription| (*subscription.data).clone())
                .collect(),
        })
    }
}
