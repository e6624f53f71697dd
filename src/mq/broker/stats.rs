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
    transferred: Meter,
    /// `GROUP_GET_NUMS`, by group and topic.
    gets: BTreeMap<(Group, Topic), Meter>,
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
        while self.changes.front().is_some_and(|(oldest, _)| *oldest + KEPT < tick) {
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
        let last = self.last(now);
        let rate = |seconds: u64| match seconds < last {
            true => thousandths((self.at(last) - self.at(last - seconds)) * 1_000 / seconds as i64),
            false => String::new(),
        };
        [10, 60, 600].map(rate).join(" ")
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

impl Stats {
    /// Nothing is counted yet.
    pub fn new(now: Time) -> Stats {
        let meter = || Meter::new(now, SECOND, now);
        Stats { puts: meter(), transferred: meter(), gets: BTreeMap::new(), started: now }
    }

    /// So many records were put.
    pub(super) fn put(&mut self, count: usize, now: Time) {
        self.puts.add(count as i64, now);
    }

    /// A read of the store found so many records.
    pub(super) fn transferred(&mut self, count: usize, now: Time) {
        if 0 < count {
            self.transferred.add(count as i64, now);
        }
    }

    /// A group was handed so many messages. Source: `BrokerStatsManager.incGroupGetNums`.
    pub(super) fn got(&mut self, group: &Group, topic: &Topic, count: usize, now: Time) {
        let started = self.started;
        let meter = self.gets.entry((group.clone(), topic.clone()));
        meter.or_insert_with(|| Meter::new(started, TEN_SECONDS, now)).add(count as i64, now);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn a_rate_is_the_difference_of_two_samples_a_while_apart() {
        let mut stats = Stats::new(at(500));
        for second in 0..20 {
            stats.put(2, at(500 + second * 1_000 + 300));
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
    fn old_samples_go_and_their_total_stays() {
        let mut stats = Stats::new(at(0));
        for second in 0..2_000 {
            stats.put(1, at(second * 1_000 + 1));
        }
        assert!(stats.puts.changes.len() <= KEPT as usize + 1);
        assert_eq!(stats.put_tps(at(2_000_000)), "1.0 1.0 1.0");
    }
}
