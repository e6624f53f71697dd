//! The hunt: many seeds, each a scenario of its own, judged by every checker.
//!
//! Seeds run on several threads and are folded in their order, so that what a hunt says does not depend on how many there
//! are. A violation is run again with repairs until it is known which weakness it is, or that it is none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::hunt::blame::Blame;
use crate::lab::explore::hunt::guide::Choice;
use crate::lab::explore::hunt::report::{Hit, Line, Report};
use crate::lab::explore::hunt::shard::tally::Tally;
use crate::lab::explore::hunt::trial::Trial;
use crate::lab::explore::shrink::{self, Shrunk, Target, fingerprint};
use crate::lab::explore::swarm::Bounds;

pub mod blame;

pub mod debt;

pub mod effect;

mod front;

pub mod governor;

pub mod guide;

pub mod report;

pub mod shard;

pub mod trial;

/// What is hunted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Campaign {
    /// Where.
    pub ground: Ground,
    /// What may be drawn.
    pub bounds: Bounds,
    /// `rocketmq-4.3.2` or `hardened`.
    pub profile: String,
    /// If any: of every few seeds in a row only the one is run that promises most. On drawn ground alone.
    pub guided: Option<Choice>,
}

/// Where a hunt takes place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ground {
    /// In scenarios drawn from the seed.
    Drawn,
    /// In a scenario as it is written, with other seeds.
    Written {
        /// Its file's name.
        name: String,
        /// Its text.
        text: String,
    },
}

/// Who watches a hunt, from any thread.
pub trait Watch: Sync {
    /// A seed is done.
    fn done(&self, _line: &Line) {}
    /// What was found is being made small: so many runs so far for this one.
    fn shrinking(&self, _fingerprint: &str, _replays: u64) {}
    /// A finding is as small as it gets.
    fn shrunk(&self) {}
    /// Whether to stop: no further seed is begun, and what is being made smaller stays as it is by then.
    fn stops(&self) -> bool {
        false
    }
}

/// Nobody.
#[derive(Debug)]
pub struct Nobody;

impl Watch for Nobody {}

/// One seed in so many is looked at for which of its faults had an effect.
const SAMPLE: u64 = 100;

/// Runs the seeds on `jobs` threads. What was not reached when the watch stopped it is not in the report, and neither is what
/// lies behind a gap.
pub fn hunt(campaign: &Campaign, seeds: Range<u64>, jobs: usize, watch: &dyn Watch) -> Report {
    let mut report = Report::default();
    front::each(campaign, seeds, jobs, watch, &mut |line| report.take(line));
    report
}

/// The same as figures that can be added to those of other seeds.
pub fn tally(campaign: &Campaign, seeds: Range<u64>, jobs: usize, watch: &dyn Watch) -> Tally {
    let mut tally = Tally::default();
    front::each(campaign, seeds, jobs, watch, &mut |line| tally.take(line));
    tally
}

/// Shrinks the first plan of each finding, on `jobs` threads; the result is the same with any. What is no registered weakness
/// comes first. When the watch stops it, what has not been begun stays as it was found.
pub fn shrink(report: &mut Report, jobs: usize, budget: u64, watch: &dyn Watch) {
    let mut order: Vec<usize> = (0..report.findings.len()).collect();
    order.sort_by_key(|at| report.findings[*at].known.is_some());
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Shrunk>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while !watch.stops() {
                    let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                    let finding = &report.findings[at];
                    let name = format!("seed-{}.plan.toml", finding.first_seed);
                    let shrunk = finding
                        .target
                        .as_ref()
                        .and_then(|target| shrink::shrink_watched((&name, &finding.plan), target, budget, watch));
                    if let Some(shrunk) = shrunk {
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at, shrunk);
                    }
                    watch.shrunk();
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.into_iter().for_each(|(at, shrunk)| report.put(at, shrunk));
}

/// One seed's line.
pub fn one(campaign: &Campaign, seed: u64) -> Line {
    looked_at(campaign, seed).0
}

/// One seed's line, and what it came across in all its shades.
fn looked_at(campaign: &Campaign, seed: u64) -> (Line, BTreeSet<u64>) {
    let Campaign { ground, bounds, profile, .. } = campaign;
    let run = || {
        let trial = match ground {
            Ground::Drawn => trial::run(seed, bounds, profile),
            Ground::Written { name, text } => trial::written(seed, (name, text), profile),
        };
        let hits = hits(&trial, profile);
        (trial, hits)
    };
    let Ok((trial, mut hits)) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) else {
        return (broken(seed, profile), BTreeSet::new());
    };
    let name = format!("seed-{seed}.plan.toml");
    let is_sampled = seed.is_multiple_of(SAMPLE);
    if is_sampled && trial::replay(&trial.plan).digest != trial.digest {
        hits.push(harness(
            "not-replayed",
            "the printed plan does not give the same run",
            "所打印的计划不能重现同一次运行",
            &trial.text,
        ));
    }
    let kinds = trial.plan.episodes.iter().map(|episode| format!("fault:{}", episode.kind.verb()));
    let marks: BTreeSet<String> = kinds.chain(trial.marks.kinds.iter().map(|mark| (*mark).to_owned())).collect();
    let line = Line {
        seed,
        inconclusive: trial.inconclusive,
        events: trial.events,
        virtual_ns: trial.virtual_ns,
        faults: trial.faults,
        sampled: is_sampled.then(|| effect::of(&name, &trial.text)),
        hits,
        marks,
    };
    (line, trial.marks.shades)
}

/// What a seed broke, each once.
fn hits(trial: &Trial, profile: &str) -> Vec<Hit> {
    let mut blame = Blame::new(&trial.plan, &trial.findings).after(trial.events);
    let mut hits: Vec<Hit> = Vec::new();
    for finding in &trial.findings {
        let hit = hit(trial, finding, &mut blame, profile);
        if !hits.iter().any(|other| other.fingerprint == hit.fingerprint) {
            hits.push(hit);
        }
    }
    hits
}

fn hit(trial: &Trial, finding: &Finding, blame: &mut Blame<'_>, profile: &str) -> Hit {
    let clause = match &finding.verdict {
        Verdict::Violation { clause, .. } | Verdict::Known { clause, .. } => *clause,
        Verdict::Harness { .. } => {
            return harness("panic", &finding.summary.en, &finding.summary.zh, &trial.text);
        }
        _ => "",
    };
    let known = blame.tag(finding);
    let guarantee = finding.judges();
    let target = Target {
        check: finding.check.to_owned(),
        guarantee: guarantee.clone(),
        clause: clause.to_owned(),
        tag: known.clone(),
        profile: profile.to_owned(),
        within: trial.within,
    };
    Hit {
        fingerprint: fingerprint::coarse(&target),
        verdict: if known.is_some() { "known" } else { "violation" }.to_owned(),
        guarantee,
        known,
        summary: (finding.summary.en.clone(), finding.summary.zh.clone()),
        plan: trial.text.clone(),
        target: Some(target),
    }
}

fn harness(what: &str, en: &str, zh: &str, plan: &str) -> Hit {
    Hit {
        fingerprint: format!("harness-{what}"),
        guarantee: "lab".to_owned(),
        verdict: "harness".to_owned(),
        known: None,
        summary: (en.to_owned(), zh.to_owned()),
        plan: plan.to_owned(),
        target: None,
    }
}

/// The lab panicked: the seed is what is left of it.
fn broken(seed: u64, profile: &str) -> Line {
    let plan = format!("# seed {seed}, profile {profile}: the lab panicked\n");
    let hits = vec![harness("lab-panic", "the lab panicked", "实验室自身 panic", &plan)];
    Line { seed, inconclusive: true, hits, ..Line::default() }
}

/// The scenario that a seed gives, as text: what a hunt has run, governor and end included.
pub fn plan(campaign: &Campaign, seed: u64) -> String {
    match &campaign.ground {
        Ground::Drawn => trial::run(seed, &campaign.bounds, &campaign.profile).text,
        Ground::Written { name, text } => trial::written(seed, (name, text), &campaign.profile).text,
    }
}
