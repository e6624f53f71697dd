//! What a broker counts: messages taken in and handed out, and how many a second that is.
//!
//! Upstream samples running totals, the store's each second and a group's every ten; a rate is the difference of two samples.
//! Here nothing samples: a total is kept for each tick at which it had changed, so that every sample can be told afterwards.
//!
//! Source: `StoreStatsService`, `BrokerStatsManager`, `StatsItem`. Differs: ticks come exactly when they are due, and what
//! happens at the very moment of one is in it; rates are told to three decimals.

use std::collections::{BTreeMap, VecDeque};

use crate::mq::message::{Group, Topic};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::admin::thousandths;

/// All counters of a broker.
#[derive(Clone, Debug)]
pub struct Stats {
    puts: Meter,
    /// Bytes of all of them.
    put_bytes: i64,
    found: Meter,
    missed: Meter,
    transferred: Meter,
    /// `GROUP_GET_NUMS`, by group and topic.
    gets: BTreeMap<(Group, Topic), Meter>,
    /// `TOPIC_PUT_NUMS`, by topic: what producers sent, and nothing that the broker put by itself.
    sends: BTreeMap<Topic, Meter>,
    started: Time,
}

/// A total with its past, tick by tick.
#[derive(Clone, Debug)]
struct Meter {
    started: Time,
    period: Span,
    /// The first tick that sees it.
    first: u64,
    total: i64,
    /// Ticks at which the total had changed, with what it was then.
    changes: VecDeque<(u64, i64)>,
    /// The total before the oldest of them.
    before: i64,
}

impl Meter {
    fn new(started: Time, period: Span, now: Time) -> Meter {
        let first = now.since(started).0.div_ceil(period.0);
        Meter { started, period, first, total: 0, changes: VecDeque::new(), before: 0 }
    }

    fn add(&mut self, count: i64, now: Time) {
        let tick = now.since(self.started).0.div_ceil(self.period.0);
        self.total += count;
        match self.changes.back_mut() {
            Some((last, total)) if *last == tick => *total = self.total,
            _ => self.changes.push_back((tick, self.total)),
        }
        let kept = if self.period == SECOND { KEPT } else { KEPT_LONG };
        while self.changes.front().is_some_and(|(oldest, _)| *oldest + kept < tick) {
            self.before = self.changes.pop_front().map_or(0, |(_, total)| total);
        }
    }

    fn at(&self, tick: u64) -> i64 {
        let behind = self.changes.partition_point(|(at, _)| *at <= tick);
        behind.checked_sub(1).map_or(self.before, |place| self.changes[place].1)
    }

    /// The last tick.
    fn last(&self, now: Time) -> u64 {
        now.since(self.started).0 / self.period.0
    }

    /// The rates over 10, 60 and 600 seconds, each empty where so much has not passed yet.
    ///
    /// Source: `StoreStatsService.getPutTps`, `CallSnapshot.getTPS`.
    fn rates(&self, now: Time) -> String {
        [10, 60, 600].map(|seconds| self.rate(seconds, now).map(thousandths).unwrap_or_default()).join(" ")
    }

    /// The rate over a while in thousandths, if so much has passed.
    fn rate(&self, seconds: u64, now: Time) -> Option<i64> {
        let last = self.last(now);
        (seconds < last).then(|| (self.at(last) - self.at(last - seconds)) * 1_000 / seconds as i64)
    }

    /// What lies between the newest sample and one at most so many before it, of those that are taken at every so-many-th tick.
    ///
    /// Source: `StatsItem.computeStatsData`.
    fn snapshot(&self, every: u64, most: u64, now: Time) -> Snapshot {
        let last = self.last(now) / every * every;
        let first = self.first.div_ceil(every) * every;
        if last < first {
            return Snapshot { sum: 0, tps: Some(0), avgpt: 0 };
        }
        let ticks = (last - first).min(most * every);
        let sum = self.at(last) - self.at(last - ticks);
        let span = (ticks * self.period.as_millis()) as i64;
        let avgpt = if 0 < sum { 1_000 } else { 0 };
        Snapshot { sum, tps: (0 < span).then(|| sum * 1_000_000 / span), avgpt }
    }

    /// The rate over the last minute, or over as much of it as was sampled, in thousandths.
    ///
    /// Source: `StatsItem.computeStatsData`.
    fn minute(&self, now: Time) -> i64 {
        let last = self.last(now);
        let ticks = last.saturating_sub(self.first).min(MINUTE_TICKS);
        if ticks == 0 {
            return 0;
        }
        (self.at(last) - self.at(last - ticks)) * 1_000_000 / (ticks * self.period.as_millis()) as i64
    }
}

/// What a counter did in a while. Source: `StatsSnapshot`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Snapshot {
    /// How many.
    pub(super) sum: i64,
    /// In a second, in thousandths; `None` where one sample alone is divided by no time.
    pub(super) tps: Option<i64>,
    /// At a time, in thousandths.
    pub(super) avgpt: i64,
}

impl Stats {
    /// Nothing is counted yet.
    pub fn new(now: Time) -> Stats {
        let meter = || Meter::new(now, SECOND, now);
        let [puts, found, missed, transferred] = [meter(), meter(), meter(), meter()];
        Stats {
            puts,
            put_bytes: 0,
            found,
            missed,
            transferred,
            gets: BTreeMap::new(),
            sends: BTreeMap::new(),
            started: now,
        }
    }

    /// So many records of so many bytes were put.
    pub(super) fn put(&mut self, count: usize, bytes: i64, now: Time) {
        self.puts.add(count as i64, now);
        self.put_bytes += bytes;
    }

    /// A read of the store found something or not, and so many records of it.
    pub(super) fn read(&mut self, is_found: bool, count: usize, now: Time) {
        if is_found {
            self.found.add(1, now);
        } else {
            self.missed.add(1, now);
        }
        if 0 < count {
            self.transferred.add(count as i64, now);
        }
    }

    /// How many records were put, and how many bytes.
    pub(super) fn put_total(&self) -> (i64, i64) {
        (self.puts.total, self.put_bytes)
    }

    /// How many records were handed out.
    pub(super) fn transferred_total(&self) -> i64 {
        self.transferred.total
    }

    /// `getFoundTps`, `getMissTps` and `getTotalTps` of the runtime info.
    pub(super) fn read_tps(&self, now: Time) -> [String; 3] {
        let both = |seconds: u64| {
            let rate = |meter: &Meter| meter.rate(seconds, now).unwrap_or(0);
            thousandths(rate(&self.found) + rate(&self.missed))
        };
        [self.found.rates(now), self.missed.rates(now), [10, 60, 600].map(both).join(" ")]
    }

    /// A group was handed so many messages. Source: `BrokerStatsManager.incGroupGetNums`.
    pub(super) fn got(&mut self, group: &Group, topic: &Topic, count: usize, now: Time) {
        let started = self.started;
        let meter = self.gets.entry((group.clone(), topic.clone()));
        meter.or_insert_with(|| Meter::new(started, TEN_SECONDS, now)).add(count as i64, now);
    }

    /// A producer's messages were taken in. Source: `BrokerStatsManager.incTopicPutNums`.
    pub(super) fn sent(&mut self, topic: &Topic, count: usize, now: Time) {
        let started = self.started;
        if !self.sends.contains_key(topic) {
            self.sends.insert(topic.clone(), Meter::new(started, TEN_SECONDS, now));
        }
        if let Some(meter) = self.sends.get_mut(topic) {
            meter.add(count as i64, now);
        }
    }

    /// A counter by its set's name and its key there: over the last minute, hour and day.
    ///
    /// Source: `BrokerStatsManager.getStatsItem`. Differs: two of the sets are kept, and every message is a time of its own.
    pub(super) fn item(&self, set: &str, key: &str, now: Time) -> Option<[Snapshot; 3]> {
        let meter = match set {
            "TOPIC_PUT_NUMS" => self.sends.get(key),
            "GROUP_GET_NUMS" => {
                let (topic, group) = key.split_once('@')?;
                self.gets.iter().find(|((own, of), _)| *own == *group && *of == *topic).map(|(_, meter)| meter)
            }
            _ => None,
        }?;
        Some([(1, 6), (60, 6), (360, 24)].map(|(every, most)| meter.snapshot(every, most, now)))
    }

    /// `putTps` of the runtime info.
    pub(super) fn put_tps(&self, now: Time) -> String {
        self.puts.rates(now)
    }

    /// `getTransferedTps` of the runtime info.
    pub(super) fn transferred_tps(&self, now: Time) -> String {
        self.transferred.rates(now)
    }

    /// How many messages in a thousand seconds a group was handed, by the last minute.
    ///
    /// Source: `BrokerStatsManager.tpsGroupGetNums`.
    pub(super) fn group_tps(&self, group: &str, topic: &str, now: Time) -> i64 {
        let found = self.gets.iter().find(|((own, of), _)| *own == *group && *of == *topic);
        found.map_or(0, |(_, meter)| meter.minute(now))
    }
}

/// Source: `StoreStatsService.FREQUENCY_OF_SAMPLING`.
const SECOND: Span = Span::from_secs(1);
/// Source: `StatsItem.init`.
const TEN_SECONDS: Span = Span::from_secs(10);
/// Source: `StatsItem.samplingInSeconds`.
const MINUTE_TICKS: u64 = 6;
/// Source: `StoreStatsService.MAX_RECORDS_OF_SAMPLING`.
const KEPT: u64 = 600;
/// A day of ten seconds each, and an hour.
const KEPT_LONG: u64 = 9_000;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn a_rate_is_the_difference_of_two_samples_a_while_apart() {
        let mut stats = Stats::new(at(500));
        for second in 0..20 {
            stats.put(2, 10, at(500 + second * 1_000 + 300));
        }
        assert_eq!(stats.put_tps(at(10_499)), "  ", "ten samples are one too few");
        assert_eq!(stats.put_tps(at(11_500)), "2.0  ");
        assert_eq!(stats.put_tps(at(11_600)), "2.0  ", "what came behind the sample is not in it");
        assert_eq!(stats.put_tps(at(25_500)), "1.0  ");
        assert_eq!(stats.put_tps(at(61_500)), "0.0 0.633 ");
        assert_eq!(stats.transferred_tps(at(61_500)), "0.0 0.0 ");
    }

    #[test]
    fn a_groups_first_sample_holds_what_came_before_it() {
        let mut stats = Stats::new(at(0));
        let (group, topic) = (Group::from("billing"), Topic::from("orders"));
        stats.got(&group, &topic, 5, at(12_000));
        let tps = |stats: &Stats, now: u64| stats.group_tps("billing", "orders", at(now));
        assert_eq!(tps(&stats, 29_999), 0, "one sample is no difference");
        stats.got(&group, &topic, 3, at(25_000));
        assert_eq!(tps(&stats, 30_000), 300);
        assert_eq!(tps(&stats, 40_000), 150);
        assert_eq!(tps(&stats, 90_000), 0, "a minute later it is forgotten");
        assert_eq!(stats.group_tps("billing", "returns", at(40_000)), 0);
    }

    #[test]
    fn a_counter_is_told_by_the_minute_the_hour_and_the_day() {
        let mut stats = Stats::new(at(0));
        let topic = Topic::from("orders");
        stats.sent(&topic, 2, at(3_000));
        let told = |stats: &Stats, now: u64| stats.item("TOPIC_PUT_NUMS", "orders", at(now)).unwrap();
        let none = Snapshot { sum: 0, tps: Some(0), avgpt: 0 };
        assert_eq!(told(&stats, 9_999), [none; 3], "no sample yet");
        assert_eq!(told(&stats, 10_000), [Snapshot { tps: None, ..none }, none, none], "one, and no time");
        stats.sent(&topic, 3, at(15_000));
        assert_eq!(told(&stats, 20_000)[0], Snapshot { sum: 3, tps: Some(300), avgpt: 1_000 });
        stats.sent(&topic, 6, at(700_000));
        assert_eq!(told(&stats, 1_200_000)[1], Snapshot { sum: 6, tps: Some(10), avgpt: 1_000 });
        assert_eq!(told(&stats, 7_200_000)[2], Snapshot { sum: 0, ..none });
        assert_eq!(stats.item("TOPIC_PUT_NUMS", "returns", at(0)), None);
        assert_eq!(stats.item("TOPIC_PUT_SIZE", "orders", at(0)), None);
    }

    #[test]
    fn old_samples_go_and_their_total_stays() {
        let mut stats = Stats::new(at(0));
        for second in 0..2_000 {
            stats.put(1, 10, at(second * 1_000 + 1));
        }
        assert!(stats.puts.changes.len() <= KEPT as usize + 1);
        assert_eq!(stats.put_tps(at(2_000_000)), "1.0 1.0 1.0");
    }
}
