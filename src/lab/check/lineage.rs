//! What became of a message in a group: consumed, dead, still under way, or forgotten.

use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::history::{CopySeen, History};
use crate::lab::check::ids::{ById, Id, Ids, Seen};
use crate::lab::oracle::store::LogRecord;
use crate::mq::message::names::{dlq_topic, retry_topic};
use crate::mq::message::property::names;
use crate::mq::time::Time;

/// What became of a message in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// A listener said that it is done.
    Consumed,
    /// It lies under `%DLQ%` of the group.
    Dead,
    /// A listener has it, or a copy of it waits to be tried again.
    UnderWay,
    /// The last that was heard of it is that it failed, then; nothing of it waits.
    Failed(Time),
    /// No listener of the group was handed it.
    Unseen,
}

/// What a group did with each message.
#[derive(Default)]
pub(super) struct Lineages {
    consumed: Ids,
    dead: Ids,
    /// Copies that were parked with a delay and have not been put under their true topic.
    parked: ById<i64>,
    /// Copies under `%RETRY%` that no listener was handed.
    unheard: Ids,
    /// When it was handed out last, and whether that was answered.
    last: ById<(Time, bool)>,
}

impl Lineages {
    /// Reads what a group's listeners answered and what the brokers' disks hold for it.
    pub(super) fn of(history: &History, group: &str) -> Lineages {
        let (retry, dlq) = (retry_topic(group), dlq_topic(group));
        let mut all = Lineages::default();
        // What listeners were handed out of `%RETRY%`.
        let mut heard: Seen<(i32, i64, Id)> = Seen::default();
        for delivery in history.deliveries.iter().filter(|delivery| delivery.group == *group) {
            let (done, is_retry) = (delivery.done(), delivery.queue.topic == retry);
            for (at, brief) in delivery.brief.iter().enumerate() {
                let Some(id) = brief.id else { continue };
                if at < done {
                    all.consumed.insert(id);
                }
                *all.last.of(id) = Some((delivery.at, delivery.answer.is_some()));
                if is_retry {
                    heard.insert((delivery.queue.queue_id, brief.offset, id));
                }
            }
        }
        for CopySeen { id, record: copy, .. } in history.copies_seen() {
            let Some(id) = id else { continue };
            if *copy.topic == *dlq {
                all.dead.insert(id);
                *all.parked.of(id).get_or_insert(0) -= i64::from(was_parked(copy));
            } else if *copy.topic == *retry {
                *all.parked.of(id).get_or_insert(0) -= i64::from(was_parked(copy));
                if !heard.contains(&(copy.queue, copy.queue_offset, id)) {
                    all.unheard.insert(id);
                }
            } else if *copy.topic == *SCHEDULE_TOPIC
                && copy.properties.get(names::REAL_TOPIC).is_some_and(|real| real == &*retry || real == &*dlq)
            {
                *all.parked.of(id).get_or_insert(0) += 1;
            }
        }
        all
    }

    /// What became of a message.
    pub(super) fn fate(&self, id: Id) -> Fate {
        let is_waiting = self.unheard.contains(id) || self.parked.get(id).is_some_and(|parked| 0 < *parked);
        match self.last.get(id) {
            _ if self.consumed.contains(id) => Fate::Consumed,
            _ if self.dead.contains(id) => Fate::Dead,
            None => Fate::Unseen,
            Some((_, false)) => Fate::UnderWay,
            Some(_) if is_waiting => Fate::UnderWay,
            Some((at, true)) => Fate::Failed(*at),
        }
    }
}

/// Whether a copy came out of the schedule topic: what lay there keeps its true topic as a property.
fn was_parked(copy: &LogRecord) -> bool {
    copy.properties.contains_key(names::REAL_TOPIC)
}
