//! Which registered weakness a violation is: the repair without which it would be there.
//!
//! A tag is an experiment, not an opinion: the same scenario runs again with repairs. One alone is tried first, the likeliest
//! before the others; where none of those is enough, all of them together; if the violation stays, it is none of theirs.
//! Otherwise it is the fewest that take together, of several such sets the one of the later rows. A checker's own word for a
//! weakness stands where no switch repairs that.
//!
//! All findings of one seed share their runs, and nothing else is judged in them: a tag depends on its plan alone.
//!
//! Broken is a check, not a clause of it. A checker tells the first clause that is broken and keeps the others to itself; a
//! repair after which it tells another one has changed what is told, and perhaps no more than that. Counting the clause would
//! call a weakness what stays broken under its repair; not counting it asks for one repair more, or says that it is none of
//! them, and both are looked at by people.

use std::collections::BTreeMap;
use std::ops::{BitOr, Sub};

use crate::lab::check::{self, Finding, Verdict};
use crate::lab::explore::hunt::trial;
use crate::lab::scenario::plan::{Expect, Outcome, Plan};
use crate::lab::sim::session::STEPS_MAX;
use crate::mq::profile::SWITCHES;

/// A violation with the weakness that it is, if it is one.
pub fn tag(plan: &Plan, finding: &Finding) -> Option<String> {
    Blame::new(plan, std::slice::from_ref(finding)).tag(finding)
}

/// A set of repairs, by the places of their switches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
struct Repairs(u32);

/// What one plan broke, and under which repairs it does not.
#[derive(Debug)]
pub struct Blame<'a> {
    plan: &'a Plan,
    /// What was broken, as it is judged again.
    broken: Vec<Expect>,
    /// The repairs that are not in force.
    open: Repairs,
    /// Which of `broken` still is, by repairs.
    runs: BTreeMap<Repairs, Vec<bool>>,
    /// A run of so many steps is no better than the one that was broken: under one repair alone, half messages may multiply
    /// without end.
    most: u64,
    replays: u64,
    events: u64,
}

impl<'a> Blame<'a> {
    /// A plan and what its run broke.
    pub fn new(plan: &'a Plan, findings: &[Finding]) -> Blame<'a> {
        let suite = check::suite(plan);
        let mut broken: Vec<Expect> = Vec::new();
        for finding in findings {
            let is_it = |expect: &&Expect| *expect.id == *finding.id && expect.check.name() == finding.check;
            let asked = plan.expects.iter().find(is_it).cloned();
            let owed = || suite.iter().find(|check| check.name() == finding.check && finding.id == finding.check);
            let expect = asked.or_else(|| {
                let (id, check) = (finding.check.into(), owed()?.clone());
                Some(Expect { id, check, outcome: Outcome::Holds })
            });
            broken.extend(expect.filter(|expect| !broken.iter().any(|other| other.id == expect.id)));
        }
        let open = (0..SWITCHES.len()).filter(|at| !plan.profile.fixes(SWITCHES[*at].row)).map(Repairs::one);
        let open = open.fold(Repairs::default(), Repairs::bitor);
        let runs = BTreeMap::from([(Repairs::default(), vec![true; broken.len()])]);
        Blame { plan, broken, open, runs, most: STEPS_MAX, replays: 0, events: 0 }
    }

    /// The same where the plan's own run took so many steps.
    pub fn after(self, events: u64) -> Blame<'a> {
        Blame { most: STEPS_MAX.min(TIMES * events + AT_LEAST), ..self }
    }

    /// How many runs it took so far, and how many steps those had.
    pub fn cost(&self) -> (u64, u64) {
        (self.replays, self.events)
    }

    /// The weakness that one of the findings is, if it is one.
    pub fn tag(&mut self, finding: &Finding) -> Option<String> {
        let own = match own_word(finding) {
            Word::Silent => None,
            Word::Switch(own) => Some(own),
            Word::Last(own) => return Some(own),
            Word::Nothing => return None,
        };
        let at = self.place(finding)?;
        // One repair alone is what most take; the checker's own word is tried first.
        let mut alone: Vec<Repairs> = own.as_deref().and_then(Repairs::of).into_iter().collect();
        alone.extend(likely(finding).iter().filter_map(|row| Repairs::of(row)));
        alone.retain(|one| self.open.has(*one));
        if let Some(one) = alone.into_iter().find(|one| self.holds(at, *one)) {
            return Some(one.name());
        }
        if self.open.is_empty() || !self.holds(at, self.open) {
            return None;
        }
        let rows: Vec<Repairs> = self.open.each().rev().collect();
        let mut needed = self.needed(at, Repairs::default(), false, &rows);
        // More repairs are not always better: what can still be taken back goes.
        for one in needed.each().collect::<Vec<_>>() {
            if needed != one && self.holds(at, needed - one) {
                needed = needed - one;
            }
        }
        Some(needed.name())
    }

    /// Whether a finding is still what a tag says, by the fewest runs that can refute it: away with these repairs, there with
    /// one of them fewer; a finding that is no weakness is there with all of them.
    pub fn fits(&mut self, finding: &Finding, tag: Option<&str>) -> bool {
        match own_word(finding) {
            Word::Last(own) => return tag == Some(&*own),
            Word::Nothing => return tag.is_none(),
            Word::Switch(_) | Word::Silent => {}
        }
        let Some(at) = self.place(finding) else { return tag.is_none() };
        let Some(tag) = tag else { return self.open.is_empty() || !self.holds(at, self.open) };
        let Some(rows) = tag.split('+').map(Repairs::of).collect::<Option<Vec<Repairs>>>() else { return false };
        let whole = rows.iter().copied().fold(Repairs::default(), Repairs::bitor);
        self.open.has(whole)
            && self.holds(at, whole)
            && rows.iter().all(|one| *one == whole || !self.holds(at, whole - *one))
    }

    fn place(&self, finding: &Finding) -> Option<usize> {
        self.broken.iter().position(|expect| *expect.id == *finding.id)
    }

    /// Whether what was broken is not under these repairs.
    fn holds(&mut self, at: usize, repairs: Repairs) -> bool {
        let plan = self.plan;
        if !self.runs.contains_key(&repairs) {
            let mut profile = plan.profile.clone();
            for one in repairs.each() {
                profile.set(&one.name(), true);
            }
            let repaired = Plan { profile, expects: self.broken.clone(), ..plan.clone() };
            let run = trial::replay_at_most(&repaired, self.most);
            self.replays += 1;
            self.events += run.events;
            let is_endless = self.most < STEPS_MAX && self.most <= run.events;
            let is_broken =
                |finding: &Finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Inconclusive { .. });
            let verdicts = match is_endless {
                true => vec![true; self.broken.len()],
                false => check::asked(&run.trace, &repaired).iter().map(is_broken).collect(),
            };
            self.runs.insert(repairs, verdicts);
        }
        !self.runs[&repairs][at]
    }

    /// The fewest of `rows` that take together with what is `kept`, the first of them rather than the last. Halves are tried
    /// before single ones. With all of them it holds; `is_new` tells whether `kept` alone has not been tried yet.
    fn needed(&mut self, at: usize, kept: Repairs, is_new: bool, rows: &[Repairs]) -> Repairs {
        if rows.is_empty() || (is_new && self.holds(at, kept)) {
            return Repairs::default();
        }
        if let [one] = rows {
            return *one;
        }
        let (dear, other) = rows.split_at(rows.len().div_ceil(2));
        let all = |rows: &[Repairs]| rows.iter().copied().fold(Repairs::default(), Repairs::bitor);
        let of_other = self.needed(at, kept | all(dear), true, other);
        let of_dear = self.needed(at, kept | of_other, !of_other.is_empty(), dear);
        of_dear | of_other
    }
}

impl Repairs {
    fn one(at: usize) -> Repairs {
        Repairs(1 << at)
    }

    fn of(row: &str) -> Option<Repairs> {
        SWITCHES.iter().position(|switch| switch.row == row).map(Repairs::one)
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn has(self, other: Repairs) -> bool {
        self.0 & other.0 == other.0
    }

    /// Each of them alone, in the order of the rows.
    fn each(self) -> impl DoubleEndedIterator<Item = Repairs> {
        (0..SWITCHES.len()).map(Repairs::one).filter(move |one| self.has(*one))
    }

    /// `K01+K03`.
    fn name(self) -> String {
        let rows = SWITCHES.iter().enumerate().filter(|(at, _)| self.has(Repairs::one(*at)));
        rows.map(|(_, switch)| switch.row).collect::<Vec<_>>().join("+")
    }
}

impl BitOr for Repairs {
    type Output = Repairs;

    fn bitor(self, other: Repairs) -> Repairs {
        Repairs(self.0 | other.0)
    }
}

impl Sub for Repairs {
    type Output = Repairs;

    fn sub(self, other: Repairs) -> Repairs {
        Repairs(self.0 & !other.0)
    }
}

/// What a checker says of the weakness itself.
enum Word {
    /// Nothing is broken.
    Nothing,
    /// It says none.
    Silent,
    /// A weakness with a switch: to be tried.
    Switch(String),
    /// A weakness that no switch repairs: its word is the last.
    Last(String),
}

fn own_word(finding: &Finding) -> Word {
    match &finding.verdict {
        Verdict::Known { weakness, .. } => {
            let own = format!("K{weakness:02}");
            if Repairs::of(&own).is_some() { Word::Switch(own) } else { Word::Last(own) }
        }
        Verdict::Violation { .. } => Word::Silent,
        _ => Word::Nothing,
    }
}

/// The weaknesses that usually break a guarantee, the likeliest first.
fn likely(finding: &Finding) -> &'static [&'static str] {
    match finding.check {
        "ack-honest" => &["K01", "K02"],
        "acked-durability" => &["K01", "K09", "K17", "K06", "K18", "K27"],
        "no-overrun" => &["K04", "K03", "K32"],
        "at-least-once" | "drain-bound" | "broadcast-complete" | "filter-complete" => {
            &["K04", "K03", "K02", "K20", "K12", "K13", "K06", "K05"]
        }
        "derived-continuity" | "transaction-resolved" | "transaction-atomic" => {
            &["K03", "K22", "K23", "K11", "K04", "K20", "K21", "K31"]
        }
        "corruption-told" => &["K09", "K18"],
        "log-well-formed" => &["K30", "K18"],
        "retry-schedule" => &["K31"],
        "check-back" => &["K04", "K22"],
        "clean-error" => &["K01", "K04"],
        "replica-prefix" => &["K02", "K10"],
        "checkpoint-safe" => &["K05", "K06"],
        "store-consistent" | "index-recall" => &["K05", "K06", "K18", "K04"],
        "never-early" => &["K19"],
        "not-late" => &["K20", "K03", "K12"],
        "offset-agreement" => &["K04", "K06", "K02", "K27"],
        "duplicates-explained" => &["K28", "K24", "K13", "K04"],
        _ => &["K04", "K03", "K01", "K02"],
    }
}

/// How often as long as the plan's own run one with repairs may be.
const TIMES: u64 = 4;
/// And steps besides.
const AT_LEAST: u64 = 50_000;
