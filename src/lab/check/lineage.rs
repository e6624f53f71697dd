//! What became of a message in a group: consumed, dead, still under way, or forgotten.

use crate::lab::check::history::{History, uid};
use crate::lab::check::ids::{ById, Ids, Seen};
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

/// What a group did with each message, by unique key.
pub(super) struct Lineages<'a> {
    consumed: Ids<'a>,
    dead: Ids<'a>,
    /// Copies that were parked with a delay and have not been put under their true topic.
    parked: ById<'a, i64>,
    /// Copies under `%RETRY%` that no listener was handed.
    unheard: Ids<'a>,
    /// When it was handed out last, and whether that was answered.
    last: ById<'a, (Time, bool)>,
}

impl<'a> Lineages<'a> {
    /// Reads what a group's listeners answered and what the brokers' disks hold for it.
    pub(super) fn of(history: &'a History, group: &str) -> Lineages<'a> {
        let (retry, dlq) = (retry_topic(group), dlq_topic(group));
        let (mut consumed, mut last) = (Ids::default(), ById::default());
        let mut heard: Seen<(&str, i32, i64, &str)> = Seen::default();
        for delivery in history.deliveries.iter().filter(|delivery| delivery.group == *group) {
            let done = delivery.answer.map_or(0, |answer| answer.done(delivery.messages.len()));
            for (at, message) in delivery.messages.iter().enumerate() {
                let Some(id) = uid(&message.message) else { continue };
                if at < done {
                    consumed.insert(id);
                }
                last.insert(id, (delivery.at, delivery.answer.is_some()));
                heard.insert((&*delivery.queue.topic, delivery.queue.queue_id, message.queue_offset.0, id));
            }
        }
        let mut all =
            Lineages { consumed, dead: Ids::default(), parked: ById::default(), unheard: Ids::default(), last };
        for (_, copy) in history.copies() {
            let Some(id) = copy.id() else { continue };
            if copy.topic == *dlq {
                all.dead.insert(id);
                *all.parked.entry(id).or_default() -= i64::from(was_parked(copy));
            } else if copy.topic == *retry {
                *all.parked.entry(id).or_default() -= i64::from(was_parked(copy));
                if !heard.contains(&(&*copy.topic, copy.queue, copy.queue_offset, id)) {
                    all.unheard.insert(id);
                }
            } else if copy.topic == SCHEDULE_TOPIC
                && copy.properties.get(names::REAL_TOPIC).is_some_and(|real| real == &*retry || real == &*dlq)
            {
                *all.parked.entry(id).or_default() += 1;
            }
        }
        all
    }

    /// What became of a message.
    pub(super) fn fate(&self, id: &str) -> Fate {
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

/// Where messages wait for their time. Source: `ScheduleMessageService.SCHEDULE_TOPIC`.
const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
