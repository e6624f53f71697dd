//! What any set of seeds gave, such that two sets can be added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lab::explore::hunt::report::{Finding, Hit, Line, Report};

/// Seeds folded in any order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds with nothing to judge.
    pub inconclusive: u64,
    /// Steps.
    pub events: u64,
    /// Simulated time.
    pub virtual_ns: u64,
    /// Faults that began.
    pub faults: u64,
    /// Faults that began in the sample, and those of them with an effect.
    pub sample: (u64, u64),
    /// What was found, by fingerprint.
    pub findings: BTreeMap<String, Seen>,
    /// What was reached: in how many seeds, and the lowest of them.
    pub marks: BTreeMap<String, (u64, u64)>,
}

/// Hits with one fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The lowest seed, and the hit's place among that seed's.
    pub first: (u64, u64),
    /// How many.
    pub count: u64,
    /// The first.
    pub hit: Hit,
}

impl Tally {
    /// Takes a seed in.
    pub fn take(&mut self, line: Line) {
        let Line { seed, inconclusive, events, virtual_ns, faults, sampled, hits, marks } = line;
        let mut one = Tally {
            seeds: 1,
            inconclusive: u64::from(inconclusive),
            events,
            virtual_ns,
            faults,
            sample: sampled.unwrap_or_default(),
            ..Tally::default()
        };
        one.marks = marks.into_iter().map(|mark| (mark, (1, seed))).collect();
        for (place, hit) in (0..).zip(hits) {
            one.see(hit.fingerprint.clone(), Seen { first: (seed, place), count: 1, hit });
        }
        self.add(one);
    }

    /// Adds what other seeds gave. A file may say anything: numbers stop at the largest.
    pub fn add(&mut self, other: Tally) {
        let plus = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        plus(&mut self.seeds, other.seeds);
        plus(&mut self.inconclusive, other.inconclusive);
        plus(&mut self.events, other.events);
        plus(&mut self.virtual_ns, other.virtual_ns);
        plus(&mut self.faults, other.faults);
        plus(&mut self.sample.0, other.sample.0);
        plus(&mut self.sample.1, other.sample.1);
        for (mark, (count, first)) in other.marks {
            let sum = self.marks.entry(mark).or_insert((0, first));
            *sum = (sum.0.saturating_add(count), sum.1.min(first));
        }
        other.findings.into_iter().for_each(|(fingerprint, seen)| self.see(fingerprint, seen));
    }

    fn see(&mut self, fingerprint: String, seen: Seen) {
        let Some(known) = self.findings.get_mut(&fingerprint) else {
            self.findings.insert(fingerprint, seen);
            return;
        };
        let count = known.count.saturating_add(seen.count);
        if seen.first < known.first {
            *known = seen;
        }
        known.count = count;
    }

    /// The report that one hunt of these seeds gives.
    pub fn report(self) -> Report {
        let mut findings: Vec<(String, Seen)> = self.findings.into_iter().collect();
        findings.sort_by_key(|(_, seen)| seen.first);
        let effective = (u128::from(self.faults) * u128::from(self.sample.1)).checked_div(u128::from(self.sample.0));
        Report {
            seeds: self.seeds,
            inconclusive: self.inconclusive,
            wall_ns: 0,
            events: self.events,
            virtual_ns: self.virtual_ns,
            faults: self.faults,
            effective: u64::try_from(effective.unwrap_or_default()).unwrap_or(u64::MAX),
            sample: self.sample,
            last_new_mark: self.marks.values().map(|(_, first)| *first).max().unwrap_or_default(),
            marks: self.marks.into_iter().map(|(mark, (count, _))| (mark, count)).collect(),
            findings: findings.into_iter().map(|(fingerprint, seen)| finding(fingerprint, seen)).collect(),
        }
    }
}

fn finding(fingerprint: String, seen: Seen) -> Finding {
    let Seen { first, count, hit } = seen;
    let Hit { guarantee, verdict, known, summary, plan, target, .. } = hit;
    let first_seed = first.0;
    Finding { fingerprint, guarantee, verdict, known, first_seed, count, summary, plan, target, shrunk: None }
}
