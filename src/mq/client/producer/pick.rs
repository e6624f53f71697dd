//! Choosing a queue: round robin, away from the broker that just failed, or steered by latency.

use std::collections::BTreeMap;

use crate::mq::message::{MessageQueue, Name};
use crate::mq::node::{Choice, Stream};
use crate::mq::time::Millis;

/// The queues of a topic that a producer may write to, and where its round robin stands.
///
/// Source: `org.apache.rocketmq.client.impl.producer.TopicPublishInfo`, `ThreadLocalIndex`.
/// Differs: one counter a producer and topic, where upstream has one a sending thread.
#[derive(Clone, Debug, Default)]
pub struct TopicPublishInfo {
    /// Ordered by broker name, then queue.
    pub queues: Vec<MessageQueue>,
    /// Whether the nameserver knew the topic.
    pub have_route: bool,
    /// Whether a static order configuration made the list.
    pub order_topic: bool,
    /// Write queues by broker, as the route lists them.
    pub write_queue_nums: Vec<(Name, i32)>,
    index: Counter,
}

/// A counter that begins at a random place. Source: `ThreadLocalIndex`.
#[derive(Clone, Copy, Debug, Default)]
struct Counter(Option<i32>);

impl Counter {
    fn next(&mut self, dice: &mut dyn Choice) -> i32 {
        let index = match self.0 {
            Some(index) => index,
            None => i32::try_from(dice.below(Stream::QueueStart, 1 << 31)).unwrap_or(0),
        };
        let next = index.wrapping_add(1).wrapping_abs().max(0);
        self.0 = Some(next);
        next
    }
}

impl TopicPublishInfo {
    /// The queues of a route.
    pub fn new(queues: Vec<MessageQueue>, order_topic: bool, write_queue_nums: Vec<(Name, i32)>) -> TopicPublishInfo {
        TopicPublishInfo { queues, have_route: true, order_topic, write_queue_nums, index: Counter(None) }
    }

    /// Sets the round robin's counter, as if it had last given `index`.
    pub fn set_index(&mut self, index: i32) {
        self.index = Counter(Some(index));
    }

    /// The number that the round robin gave last; `None` before the first.
    pub fn index(&self) -> Option<i32> {
        self.index.0
    }

    /// Whether there is a queue to send to. Source: `TopicPublishInfo.ok`.
    pub fn ok(&self) -> bool {
        !self.queues.is_empty()
    }

    /// The next queue, if possible on another broker than `last`; its place in the list.
    ///
    /// Source: `TopicPublishInfo.selectOneMessageQueue`.
    pub fn select(&mut self, last: Option<&Name>, dice: &mut dyn Choice) -> usize {
        assert!(self.ok(), "select from an empty list");
        let Some(last) = last else {
            return position(self.index.next(dice), self.queues.len());
        };
        let mut index = self.index.next(dice);
        for _ in 0..self.queues.len() {
            let at = position(index, self.queues.len());
            index = index.wrapping_add(1);
            if self.queues[at].broker != *last {
                return at;
            }
        }
        position(self.index.next(dice), self.queues.len())
    }

    fn write_queues_of(&self, broker: &str) -> Option<i32> {
        self.write_queue_nums.iter().find(|(name, _)| name == broker).map(|(_, nums)| *nums)
    }
}

fn position(index: i32, len: usize) -> usize {
    // |MIN| stays negative in Java; upstream then takes the first queue.
    usize::try_from(index.wrapping_abs() % len as i32).unwrap_or(0)
}

/// Steers sends round brokers that were slow or failed.
///
/// Source: `org.apache.rocketmq.client.latency.MQFaultStrategy`, `LatencyFaultToleranceImpl`.
#[derive(Clone, Debug, Default)]
pub struct FaultStrategy {
    /// `sendLatencyFaultEnable`.
    pub enabled: bool,
    items: BTreeMap<Name, FaultItem>,
    worst: Counter,
}

/// What is remembered of one broker. Source: `LatencyFaultToleranceImpl.FaultItem`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultItem {
    /// The last attempt's latency in ms.
    pub latency: i64,
    /// From when it may be used again.
    pub start: Millis,
}

impl FaultStrategy {
    /// A strategy with an empty table.
    pub fn new(enabled: bool) -> FaultStrategy {
        FaultStrategy { enabled, ..FaultStrategy::default() }
    }

    /// Sets the counter with which one of the better half is picked.
    pub fn set_worst_index(&mut self, index: i32) {
        self.worst = Counter(Some(index));
    }

    /// What is remembered of `broker`.
    pub fn item(&self, broker: &str) -> Option<FaultItem> {
        self.items.get(broker).copied()
    }

    /// Notes how an attempt went. Source: `MQFaultStrategy.updateFaultItem`.
    pub fn update(&mut self, broker: &Name, latency: i64, isolation: bool, now: Millis) {
        if !self.enabled {
            return;
        }
        let away = not_available_duration(if isolation { ISOLATION_LATENCY_MS } else { latency });
        self.items.insert(broker.clone(), FaultItem { latency, start: now.plus(away) });
    }

    /// The queue for the next attempt; its place in the list, which this may change.
    ///
    /// Two of upstream's slips are kept: with a last broker only that broker is accepted while it is available, and the
    /// substitute is written into the shared list, where it stays until the next route.
    /// Source: `MQFaultStrategy.selectOneMessageQueue`.
    pub fn select(
        &mut self,
        info: &mut TopicPublishInfo,
        last: Option<&Name>,
        now: Millis,
        dice: &mut dyn Choice,
    ) -> usize {
        if !self.enabled {
            return info.select(last, dice);
        }
        let mut index = info.index.next(dice);
        for _ in 0..info.queues.len() {
            let at = position(index, info.queues.len());
            index = index.wrapping_add(1);
            let broker = &info.queues[at].broker;
            if self.is_available(broker, now) && last.is_none_or(|last| last == broker) {
                return at;
            }
        }
        // An empty table gives no name; upstream's look-up of it throws and is caught.
        let Some(best) = self.pick_one_at_least(now, dice) else {
            return info.select(None, dice);
        };
        match info.write_queues_of(&best) {
            Some(nums) if 0 < nums => {
                let at = info.select(None, dice);
                let queue_id = info.index.next(dice) % nums;
                info.queues[at].broker = best;
                info.queues[at].queue_id = queue_id;
                at
            }
            _ => {
                self.items.remove(&best);
                info.select(None, dice)
            }
        }
    }

    fn is_available(&self, broker: &str, now: Millis) -> bool {
        self.items.get(broker).is_none_or(|item| 0 <= now.since(item.start))
    }

    /// One of the better half of the table. Source: `LatencyFaultToleranceImpl.pickOneAtLeast`.
    fn pick_one_at_least(&mut self, now: Millis, dice: &mut dyn Choice) -> Option<Name> {
        let mut items: Vec<(&Name, FaultItem)> = self.items.iter().map(|(name, item)| (name, *item)).collect();
        shuffle(&mut items, Stream::LatencyShuffle, dice);
        items.sort_by_key(|(_, item)| (now.since(item.start) < 0, item.latency, item.start));
        let half = items.len() / 2;
        let at = match half {
            0 => 0,
            _ => usize::try_from(self.worst.next(dice)).unwrap_or(0) % half,
        };
        items.get(at).map(|(name, _)| (*name).clone())
    }
}

/// For how long a broker of that latency is avoided, in ms. Source: `MQFaultStrategy.computeNotAvailableDuration`.
pub fn not_available_duration(latency: i64) -> i64 {
    LADDER.iter().rev().find(|(from, _)| *from <= latency).map_or(0, |(_, away)| *away)
}

/// Mixes a list as `Collections.shuffle` does: from the end, each place swapped with one drawn up to it.
pub(crate) fn shuffle<T>(list: &mut [T], stream: Stream, dice: &mut dyn Choice) {
    for at in (1..list.len()).rev() {
        let other = dice.below(stream, at as u64 + 1);
        list.swap(at, usize::try_from(other).unwrap_or(0));
    }
}

/// Latency from which, and for how long a broker is avoided. Source: `MQFaultStrategy.latencyMax`, `notAvailableDuration`.
const LADDER: [(i64, i64); 7] =
    [(50, 0), (100, 0), (550, 30_000), (1000, 60_000), (2000, 120_000), (3000, 180_000), (15_000, 600_000)];

const ISOLATION_LATENCY_MS: i64 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;

    struct Zero;

    impl Choice for Zero {
        fn below(&mut self, _: Stream, _: u64) -> u64 {
            0
        }
    }

    fn info(queues: &[(&str, i32)]) -> TopicPublishInfo {
        let queues = queues
            .iter()
            .map(|(broker, id)| MessageQueue { topic: "T".into(), broker: (*broker).into(), queue_id: *id })
            .collect();
        TopicPublishInfo::new(queues, false, Vec::new())
    }

    #[test]
    fn a_retry_goes_to_another_broker_if_there_is_one() {
        let mut two = info(&[("a", 0), ("a", 1), ("b", 0)]);
        let first = two.select(None, &mut Zero);
        assert_eq!(two.queues[first].broker, "a");
        let second = two.select(Some(&"a".into()), &mut Zero);
        assert_eq!(two.queues[second].broker, "b");
        let mut one = info(&[("a", 0), ("a", 1)]);
        let only = one.select(Some(&"a".into()), &mut Zero);
        assert_eq!(one.queues[only].broker, "a");
    }

    #[test]
    fn the_counter_survives_the_largest_number() {
        let mut two = info(&[("a", 0), ("a", 1)]);
        two.set_index(i32::MAX);
        assert_eq!(two.select(None, &mut Zero), 0);
        assert_eq!(two.index(), Some(0));
    }
}
