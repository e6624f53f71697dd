//! Where a group has got to: in memory, and at the broker.
//!
//! Source: `org.apache.rocketmq.client.consumer.store.RemoteBrokerOffsetStore`. The memory part is a field of each queue in
//! hand: upstream's table holds entries for those only, as it drops the others at every report.

use std::collections::VecDeque;

use crate::mq::client::consumer::{Assigned, Consumer};
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::route::{java_order, queue_hash};
use crate::mq::client::{Client, Waiter};
use crate::mq::message::Topic;
use crate::mq::node::Step;
use crate::mq::wire::code::request;
use crate::mq::wire::header::{Header, UpdateOffsetHeader};

impl Assigned {
    /// Notes an offset; with `increase_only` a lower one changes nothing. Source: `updateOffset`.
    pub(super) fn update_offset(&mut self, offset: i64, increase_only: bool) {
        match self.consumed {
            Some(known) if increase_only && offset <= known => {}
            _ => self.consumed = Some(offset),
        }
    }
}

impl Client {
    /// All queues whose offsets the timetable reports. Source: `MQClientInstance.persistAllConsumerOffset`.
    pub(in crate::mq::client) fn offsets_to_persist(&self) -> VecDeque<(usize, u64)> {
        let mut all = VecDeque::new();
        for at in 0..self.consumers.len() {
            all.extend(self.offsets_of(at));
        }
        all
    }

    /// The queues of one consumer that have an offset, as iterating upstream's table gives them; none of one that broadcasts.
    pub(in crate::mq::client) fn offsets_of(&self, consumer: usize) -> Vec<(usize, u64)> {
        let Consumer { assigned, local, .. } = &self.consumers[consumer];
        if local.is_some() {
            return Vec::new();
        }
        let mut queues: Vec<_> = assigned.iter().filter(|(_, assigned)| assigned.consumed.is_some()).collect();
        java_order(&mut queues, |(_, assigned)| queue_hash(&assigned.queue));
        queues.into_iter().map(|(id, _)| (consumer, *id)).collect()
    }

    /// Reports a queue's offset one-way, changed or not; the waiter is woken when it is written.
    ///
    /// `None` if there is nothing to report, as always in broadcasting; else the topic, and false if no broker is known that could be told.
    /// Source: `RemoteBrokerOffsetStore.updateConsumeOffsetToBroker`.
    pub(in crate::mq::client) fn persist(
        &mut self,
        consumer: usize,
        queue: u64,
        waiter: Waiter,
        step: &mut Step<'_>,
    ) -> Option<(Topic, bool)> {
        let owner = &self.consumers[consumer];
        if owner.local.is_some() {
            return None;
        }
        let assigned = owner.assigned.get(&queue)?;
        let topic = assigned.queue.topic.clone();
        let commit_offset = assigned.consumed?;
        let Some(addr) = self.routes.admin_address(&assigned.queue.broker) else {
            return Some((topic, false));
        };
        let header = UpdateOffsetHeader {
            consumer_group: owner.config.group.clone(),
            topic: topic.clone(),
            queue_id: assigned.queue.queue_id,
            commit_offset,
        };
        let command = self.remoting.command(request::UPDATE_CONSUMER_OFFSET, Header::UpdateOffset(Box::new(header)));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Oneway, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
        Some((topic, true))
    }
}

const TIMEOUT_MS: i64 = 5000;
