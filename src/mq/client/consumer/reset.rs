//! A broker says where a group is to go on: everything of the topic is let go, ten seconds pass, the offsets are set.
//!
//! ```text
//!  told ─▶ pause, drop the topic's queues ─ 10 s ─▶ set and report each offset, forget the queue ─▶ go on, rebalance
//! ```
//!
//! Source: `ClientRemotingProcessor.resetOffset`, `MQClientInstance.resetOffset`.

use crate::mq::client::consumer::{Assigned, Consumer, Later};
use crate::mq::client::route::{java_order, queue_hash};
use crate::mq::client::{Client, Waiter};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Topic};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::time::Span;
use crate::mq::wire::body::{JsonBody, QueueOffsets};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// Where a topic's queues are to go on.
#[derive(Clone, Debug)]
pub(crate) struct Reset {
    topic: Topic,
    offsets: QueueOffsets,
}

impl Client {
    /// A broker moves a group. What is cached is thrown away, and so is what listeners under way will answer.
    pub(in crate::mq::client) fn asked_to_reset(&mut self, command: &Command, step: &mut Step<'_>) {
        let Header::ResetOffset(header) = &command.header else { return };
        if self.config.profile.plants(Mistake::ResetIgnored) {
            return;
        }
        let pushes = |consumer: &Consumer| *consumer.group() == header.group && !consumer.pulls();
        let Some(at) = self.consumers.iter().position(pushes) else { return };
        let offsets = command.body.as_deref().map(QueueOffsets::decode);
        let Ok(offsets) = offsets.unwrap_or_else(|| Ok(QueueOffsets::default())) else { return };
        let consumer = &mut self.consumers[at];
        consumer.paused = true;
        let mut queues = 0;
        for assigned in consumer.assigned.values_mut() {
            if assigned.queue.topic == header.topic && offsets.get(&assigned.queue).is_some() {
                assigned.window.mark_dropped();
                assigned.window.clear();
                queues += 1;
            }
        }
        step.out.say(Fact::ResetBegun { group: header.group.clone(), topic: header.topic.clone(), queues });
        let reset = Box::new(Reset { topic: header.topic.clone(), offsets });
        self.pull_later.add(step.mono + SLEEP, Later::Reset(at, reset), step);
    }

    /// The ten seconds are over. Queues that are in hand now are meant, whoever had them before.
    ///
    /// Differs: upstream rebalances this consumer alone, in this thread.
    pub(super) fn reset(&mut self, at: usize, reset: &Reset, step: &mut Step<'_>) {
        let assigned = &self.consumers[at].assigned;
        let mut queues: Vec<(u64, MessageQueue, i64)> =
            assigned.iter().filter_map(|(id, own)| Some((*id, own.queue.clone(), reset.offset_of(own)?))).collect();
        java_order(&mut queues, |(_, queue, _)| queue_hash(queue));
        for (id, queue, offset) in queues {
            if let Some(assigned) = self.consumers[at].assigned.get_mut(&id) {
                assigned.update_offset(offset, false);
            }
            self.persist(at, id, Waiter::Nobody, step);
            self.consumers[at].release(id);
            let MessageQueue { topic, broker, queue_id } = queue;
            step.out.say(Fact::OffsetReset { topic, broker, queue_id, queue_offset: offset });
        }
        self.consumers[at].paused = false;
        self.wake_rebalance(step);
    }
}

impl Reset {
    fn offset_of(&self, own: &Assigned) -> Option<i64> {
        self.offsets.get(&own.queue).filter(|_| own.queue.topic == self.topic)
    }
}

const SLEEP: Span = Span::from_secs(10);
