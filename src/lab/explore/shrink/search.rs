//! The judge of candidates: a shorter plan is taken if it still breaks the same clause of the same guarantee.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use toml::Table;

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::hunt::{blame, trial};
use crate::lab::explore::shrink::{Target, document};
use crate::lab::scenario::plan::Plan;
use crate::lab::scenario::{Scenario, load};

/// A plan that shows the target.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) plan: Plan,
    pub(super) run: std::rc::Rc<trial::Run>,
    pub(super) finding: Finding,
}

/// The search's state: the shortest plan so far, and what was tried.
pub(super) struct Search<'a> {
    name: &'a str,
    pub(super) target: &'a Target,
    budget: u64,
    pub(super) replays: u64,
    pub(super) document: Table,
    /// Whether the governor must allow every fault.
    governed: bool,
    /// Whether each candidate's tag is looked at, not only that of a pass's result.
    pub(super) careful: bool,
    tried: BTreeMap<[u8; 32], bool>,
}

impl<'a> Search<'a> {
    /// A search that begins at a text; nothing if that does not show the target.
    pub(super) fn new(name: &'a str, text: &str, target: &'a Target, budget: u64) -> Option<Search<'a>> {
        let document = document::read(text)?;
        let (governed, careful, tried) = (target.within, false, BTreeMap::new());
        let mut search = Search { name, target, budget, replays: 0, document, governed, careful, tried };
        let document = search.document.clone();
        let shown = search.show(&document).or_else(|| {
            // A scenario that a person wrote need not stay within what a hunt would have drawn.
            search.governed = false;
            search.show(&document)
        })?;
        search.has_tag(&shown).then_some(search)
    }

    /// Whether no replay is left.
    pub(super) fn is_spent(&self) -> bool {
        self.budget <= self.replays
    }

    /// Takes the candidate if it still shows the target.
    pub(super) fn take(&mut self, candidate: Table) -> bool {
        if candidate == self.document || self.is_spent() {
            return false;
        }
        let key = *blake3::hash(document::write(&candidate).as_bytes()).as_bytes();
        let shows = match self.tried.get(&key) {
            Some(shows) if !self.careful || !shows => *shows,
            _ => {
                let shown = self.show(&candidate);
                let shows = shown.is_some_and(|shown| !self.careful || self.has_tag(&shown));
                self.tried.insert(key, shows);
                shows
            }
        };
        if shows {
            self.document = candidate;
        }
        shows
    }

    /// Takes what a change makes of the document, if that still shows the target.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Table)) -> bool {
        let mut candidate = self.document.clone();
        change(&mut candidate);
        self.take(candidate)
    }

    /// Runs a document; nothing if it is no scenario or does not show the target.
    pub(super) fn show(&mut self, document: &Table) -> Option<Shown> {
        let Scenario { plan, .. } = load(self.name, document::write(document).as_bytes(), &Default::default()).ok()?;
        self.replays += 1;
        let (governed, target) = (self.governed, self.target);
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let run = if governed { trial::replay_within(&plan)? } else { trial::replay(&plan) };
            let finding = find(&run, &plan, target)?;
            Some((run, finding))
        }));
        let (run, finding) = judged.ok().flatten()?;
        Some(Shown { plan, run: std::rc::Rc::new(run), finding })
    }

    /// Whether a plan's violation is the target's weakness.
    pub(super) fn has_tag(&mut self, shown: &Shown) -> bool {
        let (tag, replays) = blame::counted(&shown.plan, &shown.finding, self.target.within);
        self.replays += replays;
        tag == self.target.tag
    }
}

/// The target among what a run broke.
pub(super) fn find(run: &trial::Run, plan: &Plan, target: &Target) -> Option<Finding> {
    trial::judge_one(&run.trace, plan, &target.check).filter(|finding| match &finding.verdict {
        Verdict::Violation { clause, .. } | Verdict::Known { clause, .. } => *clause == target.clause,
        _ => false,
    })
}
