//! What a hunt found: seeds folded in their order, violations grouped by what they are.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::explore::shrink::{Shrunk, Target};

/// One seed's result, small enough to keep by the thousand.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, JsonSchema, Deserialize)]
pub struct Line {
    /// The seed.
    pub seed: u64,
    /// Whether there was nothing to judge.
    pub inconclusive: bool,
    /// Steps.
    pub events: u64,
    /// Simulated time.
    pub virtual_ns: u64,
    /// Faults that began.
    pub faults: u64,
    /// Of a seed that was looked at for it: faults that began in it, and those with an effect.
    pub sampled: Option<(u64, u64)>,
    /// What it broke.
    pub hits: Vec<Hit>,
    /// What it reached: kinds of facts and faults.
    pub marks: BTreeSet<String>,
}

/// A guarantee that a seed broke.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema, Deserialize)]
pub struct Hit {
    /// What it is: guarantee, clause, tag.
    pub fingerprint: String,
    /// `G01` …, or the check's name.
    pub guarantee: String,
    /// `violation`, `known` or `harness`.
    pub verdict: String,
    /// The weakness, or several that it takes together.
    pub known: Option<String>,
    /// In a sentence, English and Chinese.
    pub summary: (String, String),
    /// The scenario that shows it.
    pub plan: String,
    /// What of it must stay when it is shrunk; nothing where the lab itself failed.
    pub target: Option<Target>,
}

/// A group of hits with one fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema, Deserialize)]
pub struct Finding {
    /// What it is.
    pub fingerprint: String,
    /// The guarantee.
    pub guarantee: String,
    /// `violation`, `known` or `harness`.
    pub verdict: String,
    /// The weakness.
    pub known: Option<String>,
    /// The lowest seed.
    pub first_seed: u64,
    /// How many seeds.
    pub count: u64,
    /// The first in a sentence, English and Chinese.
    pub summary: (String, String),
    /// The scenario that shows the first, shrunk if that was asked for.
    pub plan: String,
    /// What of it must stay when it is shrunk.
    pub target: Option<Target>,
    /// How small it has become.
    pub shrunk: Option<Size>,
}

/// What is left of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema, Deserialize)]
pub struct Size {
    /// What it is, with the shape of its witness.
    pub fingerprint: String,
    /// Messages that are asked for.
    pub operations: u64,
    /// Faults.
    pub episodes: u64,
    /// Nameservers, brokers and clients.
    pub nodes: u64,
    /// Steps.
    pub events: u64,
    /// Records of the witness.
    pub witness: u64,
    /// How many runs it took.
    pub replays: u64,
}

/// A hunt's result.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, JsonSchema, Deserialize)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Seeds with nothing to judge.
    pub inconclusive: u64,
    /// Real time.
    pub wall_ns: u64,
    /// Steps.
    pub events: u64,
    /// Simulated time.
    pub virtual_ns: u64,
    /// Faults that began.
    pub faults: u64,
    /// Faults with an effect, extrapolated from the sample.
    pub effective: u64,
    /// Faults that began in the sample, and those of them with an effect.
    pub sample: (u64, u64),
    /// What was found, the first seeds first.
    pub findings: Vec<Finding>,
    /// What was reached, with the number of seeds that did.
    pub marks: BTreeMap<String, u64>,
    /// The seed that reached something new last.
    pub last_new_mark: u64,
}

impl Report {
    /// Takes the next seed in; seeds come in order.
    pub fn take(&mut self, line: Line) {
        self.seeds += 1;
        self.inconclusive += u64::from(line.inconclusive);
        self.events += line.events;
        self.virtual_ns += line.virtual_ns;
        self.faults += line.faults;
        if let Some((began, effective)) = line.sampled {
            self.sample.0 += began;
            self.sample.1 += effective;
        }
        if let Some(effective) = (self.faults * self.sample.1).checked_div(self.sample.0) {
            self.effective = effective;
        }
        for mark in line.marks {
            let count = self.marks.entry(mark).or_insert(0);
            if *count == 0 {
                self.last_new_mark = line.seed;
            }
            *count += 1;
        }
        for hit in line.hits {
            match self.findings.iter_mut().find(|finding| finding.fingerprint == hit.fingerprint) {
                Some(finding) => finding.count += 1,
                None => self.findings.push(Finding {
                    fingerprint: hit.fingerprint,
                    guarantee: hit.guarantee,
                    verdict: hit.verdict,
                    known: hit.known,
                    first_seed: line.seed,
                    count: 1,
                    summary: hit.summary,
                    plan: hit.plan,
                    target: hit.target,
                    shrunk: None,
                }),
            }
        }
    }

    /// Puts a shrunk plan in place of the one that was found.
    pub fn put(&mut self, at: usize, shrunk: Shrunk) {
        let Some(finding) = self.findings.get_mut(at) else { return };
        let Shrunk { text, fingerprint, replays, operations, episodes, nodes, events, witness } = shrunk;
        finding.plan = text;
        finding.shrunk = Some(Size { fingerprint, operations, episodes, nodes, events, witness, replays });
    }

    /// Whether something was found that is no registered weakness.
    pub fn has_violation(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == "violation")
    }

    /// Whether the lab itself failed.
    pub fn has_harness(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == "harness")
    }
}
