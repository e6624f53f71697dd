//! One seed is one history: runs of one seed held against each other, whoever made them and whenever.

use std::fmt::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::lab::explore::hunt::{Campaign, Ground, trial};
use crate::lab::scenario::load;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::plan::Plan;
use crate::lab::sim::session::Session;
use crate::lab::trace::compare::{self, Match, Parting};
use crate::lab::trace::file;
use crate::lab::trace::record::Level;

/// A seed's run in short.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Brief {
    /// The seed.
    pub seed: u64,
    /// A hash of the plan that was drawn.
    pub plan: String,
    /// The digest of all records; `panicked` if the lab did.
    pub digest: String,
    /// Steps.
    pub events: u64,
}

/// A seed's run in full.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Whole {
    /// The plan's text.
    pub plan: String,
    /// Every record, as JSON lines.
    pub trace: String,
}

/// In what two runs of a seed differ.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub enum Difference {
    /// Other plans were drawn: the number of the first line that differs, and both lines.
    #[serde(rename = "plan")]
    Plan {
        /// From 1.
        line: usize,
        /// As the first has it.
        first: String,
        /// As the second has it.
        second: String,
    },
    /// The first record.
    #[serde(rename = "record")]
    Record(Box<Parting>),
}

/// In which order seeds are run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// As they are counted.
    Forwards,
    /// The last first.
    Backwards,
}

/// Runs a seed.
pub fn brief(campaign: &Campaign, seed: u64) -> Brief {
    let run = || match &campaign.ground {
        Ground::Drawn => {
            let (text, run) = trial::unjudged(seed, &campaign.bounds, &campaign.profile);
            (told(text, &campaign.profile), run.digest, run.events)
        }
        Ground::Written { name, text } => {
            let plan = written(seed, (name, text), &campaign.profile);
            let result = Session::run(&plan, Level::Digest);
            (text.clone(), result.digest, result.events)
        }
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok((text, digest, events)) => {
            let plan = blake3::hash(text.as_bytes()).to_hex()[..16].to_owned();
            Brief { seed, plan, digest: digest.to_string(), events }
        }
        Err(_) => Brief { seed, plan: String::new(), digest: "panicked".to_owned(), events: 0 },
    }
}

/// Runs seeds on `jobs` threads; the briefs are in order of the seeds.
pub fn briefs(campaign: &Campaign, seeds: Range<u64>, jobs: usize, order: Order) -> Vec<Brief> {
    let next = AtomicU64::new(0);
    let count = seeds.end.saturating_sub(seeds.start);
    let done: Mutex<Vec<Brief>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if count <= place {
                        return;
                    }
                    let seed = match order {
                        Order::Forwards => seeds.start + place,
                        Order::Backwards => seeds.end - 1 - place,
                    };
                    let brief = brief(campaign, seed);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(brief);
                }
            });
        }
    });
    let mut briefs = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    briefs.sort_by_key(|brief| brief.seed);
    briefs
}

/// Runs a seed and keeps everything.
pub fn whole(campaign: &Campaign, seed: u64) -> Whole {
    let (text, plan) = match &campaign.ground {
        Ground::Drawn => {
            let (text, _) = trial::unjudged(seed, &campaign.bounds, &campaign.profile);
            let plan = written(seed, ("seed.plan.toml", &text), "");
            (told(text, &campaign.profile), plan)
        }
        Ground::Written { name, text } => (text.clone(), written(seed, (name, text), &campaign.profile)),
    };
    let result = Session::run(&plan, Level::Full);
    Whole { plan: text, trace: file::jsonl(&result.trace, &result.digest) }
}

/// A plan's text without the mistake that was planted, so that what differs is what the mistake does.
fn told(text: String, profile: &str) -> String {
    match profile.split_once('!') {
        None => text,
        Some((_, planted)) => text.replace(&format!("\n[profile]\nplant = \"{planted}\"\n"), ""),
    }
}

/// A scenario with another seed and profile; without a profile's name it stays as it is written.
fn written(seed: u64, (name, text): (&str, &str), profile: &str) -> Plan {
    let mut sets = Vec::new();
    if !profile.is_empty() {
        let (profile, planted) = profile.split_once('!').unwrap_or((profile, ""));
        sets.push(format!("seed={seed}"));
        sets.push(format!("cluster.profile=\"{profile}\""));
        if !planted.is_empty() {
            sets.push(format!("profile.plant=\"{planted}\""));
        }
    }
    let changes = Overrides { sets, ..Overrides::default() };
    load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan
}

/// In what two runs of a seed differ, if they do.
pub fn difference(first: &Whole, second: &Whole) -> Option<Difference> {
    if first.plan != second.plan {
        let (mut ours, mut theirs) = (first.plan.lines(), second.plan.lines());
        for line in 1.. {
            let (first, second) = (ours.next(), theirs.next());
            if first != second || first.is_none() {
                let own = |line: Option<&str>| line.unwrap_or_default().to_owned();
                return Some(Difference::Plan { line, first: own(first), second: own(second) });
            }
        }
    }
    let parting = compare::parting(&first.trace, &second.trace, Match::InOrder).ok().flatten();
    parting.map(|parting| Difference::Record(Box::new(parting)))
}

/// One digest of all briefs.
pub fn digest(briefs: &[Brief]) -> String {
    let mut text = String::new();
    for Brief { seed, plan, digest, events } in briefs {
        let _ = writeln!(text, "{seed} {plan} {digest} {events}");
    }
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}
