//! A scenario tried over many seeds: does what an exercise asks for come out in all of them?
//!
//! Seeds run on several threads and are begun in their order; the first that fails ends it, and is the same with any number
//! of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use toml::{Table, Value};

use crate::lab::check::{self, Finding};
use crate::lab::locale::Phrase;
use crate::lab::scenario::lesson::Goal;
use crate::lab::scenario::load;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use crate::lab::scenario::report::Report;
use crate::lab::sim::session::Session;
use crate::lab::trace::record::Level;

/// How many seeds, on how many threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// No more seeds than this, whatever the exercise asks for.
    pub most: Option<u64>,
    /// Threads.
    pub jobs: usize,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Came {
    /// As asked for, in so many seeds.
    Held(u64),
    /// Not so, and in which seed first.
    Missed(Miss),
    /// The lab is at fault: a process panicked, or the lab did.
    Broken(u64, String),
}

/// What came out otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct Miss {
    /// In which seed.
    pub seed: u64,
    /// The expectation that was looked at.
    pub expect: String,
    /// What should come out.
    pub wanted: Outcome,
    /// `pass`, `violation`, `known`, `inconclusive`.
    pub verdict: &'static str,
    /// In a sentence: what was seen.
    pub seen: Phrase,
}

/// A scenario that is tried: its file's name, its text, and which of its shapes.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// The file's name.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
    /// The shape, if it has several.
    pub variant: Option<&'a str>,
}

/// Runs the seeds from 1 on, as many as the conditions ask for.
///
/// Errors: the scenario cannot be run.
pub fn run(tried: Tried<'_>, pass: &[Goal], effort: Effort) -> Result<Came, Report> {
    let bare = bare(tried.text);
    let tried = Tried { text: &bare, ..tried };
    plan(tried, 1)?;
    let asked = pass.iter().map(|goal| goal.seeds).max().unwrap_or(1);
    let seeds = effort.most.map_or(asked, |most| asked.min(most.max(1)));
    let next = AtomicU64::new(1);
    let worst: Mutex<Option<(u64, Came)>> = Mutex::new(None);
    let found = || worst.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..effort.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    // Every seed below the first that failed was begun before it.
                    if seeds < seed || found().as_ref().is_some_and(|(failed, _)| *failed < seed) {
                        return;
                    }
                    let Some(came) = one(tried, pass, seed) else { continue };
                    let mut worst = found();
                    if worst.as_ref().is_none_or(|(failed, _)| seed < *failed) {
                        *worst = Some((seed, came));
                    }
                }
            });
        }
    });
    let worst = worst.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(worst.map_or(Came::Held(seeds), |(_, came)| came))
}

/// One seed; nothing if all is as asked for.
fn one(tried: Tried<'_>, pass: &[Goal], seed: u64) -> Option<Came> {
    let run = || -> Result<Option<Came>, String> {
        let mut plan = plan(tried, seed).map_err(|report| report.to_string())?;
        plan.expects = pass.iter().filter(|goal| seed <= goal.seeds).map(|goal| goal.expect.clone()).collect();
        let result = Session::run(&plan, level(&plan.expects));
        if let Some(panic) = result.panics.first() {
            return Err(format!("{} in #{}", panic.text, panic.step));
        }
        let findings = check::asked(&result.trace, &plan);
        Ok(findings
            .into_iter()
            .find(|finding| !finding.is_as_expected())
            .map(|finding| Came::Missed(miss(seed, finding))))
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(came)) => came,
        Ok(Err(text)) => Some(Came::Broken(seed, text)),
        Err(_) => Some(Came::Broken(seed, "the lab panicked".to_owned())),
    }
}

fn miss(seed: u64, finding: Finding) -> Miss {
    let verdict = finding.verdict.as_str();
    Miss { seed, expect: finding.id, wanted: finding.expected, verdict, seen: finding.summary }
}

fn plan(tried: Tried<'_>, seed: u64) -> Result<Plan, Report> {
    let changes = Overrides { seed: Some(seed), variant: tried.variant.map(str::to_owned), ..Overrides::default() };
    load(tried.name, tried.text.as_bytes(), &changes).map(|scenario| scenario.plan)
}

/// What the checks need of a trace: some look at frames.
fn level(expects: &[Expect]) -> Level {
    let looks_closely = |expect: &Expect| matches!(expect.check, Check::Frames { .. } | Check::Sometimes { .. });
    if expects.iter().any(looks_closely) { Level::Full } else { Level::History }
}

/// The text without what is told about it, which no run needs.
fn bare(text: &str) -> String {
    let Ok(mut document) = toml::from_str::<Table>(text) else { return text.to_owned() };
    strip(&mut document);
    for variant in document.get_mut("variant").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(variant) = variant.as_table_mut() {
            strip(variant);
        }
    }
    toml::to_string(&document).unwrap_or_else(|_| text.to_owned())
}

fn strip(document: &mut Table) {
    for told in ["exercise", "card", "step"] {
        document.remove(told);
    }
}
