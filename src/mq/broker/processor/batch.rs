//! Many messages come in at once. Source: `SendMessageProcessor.sendBatchMessage`.

use crate::mq::broker::{Broker, is_retry};
use crate::mq::fact::Fact;
use crate::mq::message::{Host, Name, QueueId};
use crate::mq::node::{ConnId, Step};
use crate::mq::store::batch::{self, NewBatch};
use crate::mq::store::outcome::{Landed, Put};
use crate::mq::time::Millis;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::SendHeader;

impl Broker {
    /// Checks, writes and answers a batch; whether the job is over. All of its records stand side by side, or none is there.
    pub(super) fn send_batch(
        &mut self,
        (conn, mut command): (ConnId, Box<Command>),
        header: SendHeader,
        (queue_id, sys_flag): (QueueId, i32),
        step: &mut Step<'_>,
    ) -> bool {
        let topic = header.topic;
        let length = topic.encode_utf16().count();
        let illegal = match () {
            () if TOPIC_MAX < length => Some(format!("message topic length too long {length}")),
            () if is_retry(&topic) => Some(format!("batch request does not support retry group {topic}")),
            () => None,
        };
        if let Some(remark) = illegal {
            self.refuse_send(conn, &command, (response::MESSAGE_ILLEGAL, remark.into()), step);
            return true;
        }
        step.out.say(Fact::SendAccepted { topic: topic.clone(), queue_id });
        let peer = self.channels.peer(conn).unwrap_or_default();
        let batch = NewBatch {
            topic,
            queue_id,
            sys_flag: header.sys_flag | sys_flag,
            born_timestamp: Millis(header.born_timestamp),
            born_host: Host { ip: peer.ip, port: i32::from(peer.port) },
            store_host: self.announced,
            reconsume_times: header.reconsume_times.unwrap_or(0),
            properties: header.properties.unwrap_or_default(),
            body: command.body.take().unwrap_or_default(),
        };
        let clock = Self::clock(step);
        let put = self.store.put_batch(step.disk, clock, &batch);
        let Some(landed) = put.landed.filter(|_| put.status.is_sent()) else {
            self.refuse_put(conn, &command, put.status, step);
            return true;
        };
        self.stats.put(put.places.len(), i64::from(landed.size), step.mono);
        self.stats.sent(&batch.topic, put.places.len(), step.mono);
        say_batch(&put, landed, (&batch.topic, queue_id), step);
        let msg_id = batch::ids(self.announced, &put.places);
        let parked = self.parked_of(&put, (conn, command, queue_id), (landed, msg_id), step);
        self.park_or_answer(parked, step)
    }
}

/// Says where each record landed.
fn say_batch(put: &Put, landed: Landed, (topic, queue_id): (&Name, QueueId), step: &mut Step<'_>) {
    let end = landed.at.0 + i64::from(landed.size);
    let ends = put.places.iter().skip(1).map(|next| next.0).chain([end]);
    for (number, (at, end)) in put.places.iter().zip(ends).enumerate() {
        step.out.say(Fact::Appended {
            topic: topic.clone(),
            queue_id,
            size: (end - at.0) as i32,
            at: at.0,
            queue_offset: landed.queue_offset.0 + number as i64,
        });
    }
}

/// Source: `Byte.MAX_VALUE`.
const TOPIC_MAX: usize = 127;
