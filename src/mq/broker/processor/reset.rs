//! Moving a group: the broker works the new offsets out, and its members are told to go there.
//!
//! The broker's own table stays as it is. A member that does not hear of it, or dies before its ten seconds are over, leaves
//! the group where it was. Source: `AdminBrokerProcessor.resetOffset`, `Broker2Client.resetOffset`.

use crate::mq::broker::Broker;
use crate::mq::fact::Fact;
use crate::mq::message::MessageQueue;
use crate::mq::message::java;
use crate::mq::node::{ConnId, Step};
use crate::mq::wire::body::{JsonBody, QueueOffsets};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, ResetOffsetHeader};

impl Broker {
    /// Tells every member where to go on and answers with the offsets; a group without members is not moved.
    ///
    /// Differs: members of versions before 3.0.7 are not known here; upstream refuses them.
    pub(in crate::mq::broker) fn reset_offset(
        &mut self,
        header: &ResetOffsetHeader,
        command: &Command,
        step: &mut Step<'_>,
    ) -> Box<Command> {
        let answer =
            |code: i32, remark: String| Command::response(code, command.opaque, Header::None).with_remark(remark);
        let offsets = match self.new_offsets(header, step) {
            Ok(offsets) => offsets,
            Err(remark) => return answer(response::SYSTEM_ERROR, remark),
        };
        let ResetOffsetHeader { topic, group, timestamp, .. } = header;
        let members: Vec<ConnId> = match self.members.consumer_group(group) {
            Some(info) if !info.members.is_empty() => info.members.keys().copied().collect(),
            _ => {
                let remark = format!(
                    "Consumer not online, so can not reset offset, Group: {group} Topic: {topic} Timestamp: {timestamp}"
                );
                return answer(response::CONSUMER_NOT_ONLINE, remark);
            }
        };
        step.out.say(Fact::ResetSent { group: group.clone(), topic: topic.clone(), members: members.len() as i64 });
        let body = QueueOffsets(offsets).encode();
        for conn in members {
            if !self.channels.is_open(conn) {
                continue;
            }
            // Whether it was by force they are not told.
            let header = Header::ResetOffset(Box::new(ResetOffsetHeader { is_force: false, ..header.clone() }));
            let told = Command::oneway(request::RESET_CONSUMER_CLIENT_OFFSET, self.opaque(), header);
            step.out.send(conn, told.with_body(body.clone()));
        }
        // Upstream's answer keeps the remark with which it was made.
        answer(response::SUCCESS, "not set any response code".to_owned()).with_body(body)
    }

    /// The offset of each writable queue, in the order of upstream's table.
    fn new_offsets(
        &mut self,
        header: &ResetOffsetHeader,
        step: &mut Step<'_>,
    ) -> Result<Vec<(MessageQueue, i64)>, String> {
        let ResetOffsetHeader { topic, group, timestamp, is_force } = header;
        let Some(config) = self.topics.get(topic) else {
            return Err(format!("[reset-offset] reset offset failed, no topic in this broker. topic={topic}"));
        };
        let mut offsets = Vec::new();
        for queue_id in 0..config.write_queue_nums {
            let Some(stored) = self.offsets.get(group, topic, queue_id) else {
                return Err(format!("THe consumer group <{group}> not exist"));
            };
            let wanted = match timestamp {
                -1 => self.store.max_queue_offset(topic, queue_id),
                _ => self.store.offset_by_time(step.disk, topic, queue_id, *timestamp),
            };
            let wanted = wanted.0.max(0);
            let offset = if *is_force || wanted < stored.0 { wanted } else { stored.0 };
            let queue = MessageQueue { topic: topic.clone(), broker: self.config.broker_name.clone(), queue_id };
            offsets.push((queue, offset));
        }
        java::map_order(&mut offsets, |(queue, _)| java::queue_hash(queue));
        Ok(offsets)
    }
}
