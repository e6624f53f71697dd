//! Pulls that found nothing and wait for news.
//!
//! Source: `PullRequestHoldService`, `ManyPullRequest`.

use std::collections::BTreeMap;

use crate::mq::broker::matching::Wanted;
use crate::mq::message::{QueueId, Topic};
use crate::mq::node::ConnId;
use crate::mq::time::Millis;
use crate::mq::wire::command::Command;

/// All held pulls, in order of arrival by queue.
#[derive(Clone, Debug, Default)]
pub struct Holds {
    table: BTreeMap<Topic, BTreeMap<QueueId, Vec<Held>>>,
}

/// A pull that waits.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who asked.
    pub conn: ConnId,
    /// The request.
    pub command: Box<Command>,
    /// From where it asks.
    pub from: i64,
    /// When it was held.
    pub since: Millis,
    /// For how long at most, ms.
    pub timeout: i64,
    /// What it wants.
    pub wanted: Wanted,
}

impl Held {
    /// Whether its time is over.
    pub fn is_over(&self, now: Millis) -> bool {
        now >= self.since.plus(self.timeout)
    }
}

impl Holds {
    /// Holds a pull. Source: `suspendPullRequest`.
    pub fn hold(&mut self, topic: &Topic, queue_id: QueueId, held: Held) {
        match self.table.get_mut(topic) {
            Some(queues) => queues.entry(queue_id).or_default().push(held),
            None => {
                self.table.entry(topic.clone()).or_default().entry(queue_id).or_default().push(held);
            }
        }
    }

    /// Takes every held pull of a queue out, to be looked at. Source: `ManyPullRequest.cloneListAndClear`.
    pub fn take(&mut self, topic: &str, queue_id: QueueId) -> Vec<Held> {
        self.table.get_mut(topic).and_then(|queues| queues.get_mut(&queue_id)).map(std::mem::take).unwrap_or_default()
    }

    /// Puts pulls back that go on waiting, and the room of those that do not.
    pub fn put_back(&mut self, topic: &str, queue_id: QueueId, held: Vec<Held>) {
        if let Some(queue) = self.table.get_mut(topic).and_then(|queues| queues.get_mut(&queue_id)) {
            assert!(queue.is_empty(), "nothing is held while the held pulls of a queue are looked at");
            *queue = held;
        }
    }

    /// Every queue with a held pull.
    pub fn queues(&self) -> Vec<(Topic, QueueId)> {
        let queues =
            self.table.iter().flat_map(|(topic, queues)| queues.iter().map(move |(queue, held)| (topic, *queue, held)));
        queues.filter(|(_, _, held)| !held.is_empty()).map(|(topic, queue, _)| (topic.clone(), queue)).collect()
    }

    /// How many pulls each queue holds.
    pub fn each(&self) -> impl Iterator<Item = (&Topic, QueueId, usize)> {
        let queues = self
            .table
            .iter()
            .flat_map(|(topic, queues)| queues.iter().map(move |(queue, held)| (topic, *queue, held.len())));
        queues.filter(|(_, _, count)| *count > 0)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.each().next().is_none()
    }
}
