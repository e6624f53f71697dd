//! The judge of candidates: a shorter plan is taken if it still breaks the same clause of the same guarantee.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use toml::Table;

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::hunt::blame::Blame;
use crate::lab::explore::hunt::{Nobody, Watch, trial};
use crate::lab::explore::shrink::{PER_RUN, Target, document, fingerprint};
use crate::lab::scenario::plan::Plan;
use crate::lab::scenario::{Scenario, load};

/// A plan that shows the target.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) plan: Plan,
    pub(super) run: std::rc::Rc<trial::Run>,
    pub(super) finding: Finding,
}

/// How a tag is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// By a run or two that could refute it.
    Quick,
    /// By the search that found it.
    Whole,
}

/// The search's state: the shortest plan so far, and what was tried.
pub(super) struct Search<'a> {
    name: &'a str,
    pub(super) target: &'a Target,
    watch: &'a dyn Watch,
    fingerprint: String,
    budget: u64,
    spent: u64,
    pub(super) replays: u64,
    pub(super) document: Table,
    /// Whether the governor must allow every fault.
    governed: bool,
    /// Whether each candidate's tag is looked at, not only that of a pass's result.
    pub(super) careful: bool,
    pub(super) look: Look,
    tried: BTreeMap<[u8; 32], bool>,
    /// Who says whether a text still fails, where that is no guarantee of the laboratory's.
    own: Option<&'a dyn Fn(&str) -> bool>,
}

impl<'a> Search<'a> {
    /// A search that begins at a text; nothing if that does not show the target.
    pub(super) fn new(
        (name, text): (&'a str, &str),
        target: &'a Target,
        budget: u64,
        watch: &'a dyn Watch,
    ) -> Option<Search<'a>> {
        let document = document::read(text)?;
        let mut search = Search {
            name,
            target,
            watch,
            fingerprint: fingerprint::coarse(target),
            budget,
            spent: 0,
            replays: 0,
            document,
            governed: target.within,
            careful: false,
            look: Look::Quick,
            tried: BTreeMap::new(),
            own: None,
        };
        let document = search.document.clone();
        let shown = search.show(&document).or_else(|| {
            // A scenario that a person wrote need not stay within what a hunt would have drawn.
            search.governed = false;
            search.show(&document)
        })?;
        search.has_tag(&shown, Look::Quick).then_some(search)
    }

    /// A search whose judge is somebody else's, with so many runs to spend.
    pub(super) fn by(text: &str, target: &'a Target, runs: u64, fails: &'a dyn Fn(&str) -> bool) -> Option<Search<'a>> {
        Some(Search {
            name: "",
            target,
            watch: &Nobody,
            fingerprint: String::new(),
            budget: runs * PER_RUN,
            spent: 0,
            replays: 0,
            document: document::read(text)?,
            governed: false,
            careful: false,
            look: Look::Quick,
            tried: BTreeMap::new(),
            own: Some(fails),
        })
    }

    /// Whether somebody else is the judge: then there is no tag to be looked at.
    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Goes back to a document, with as much to spend as at first; each tag is searched for from now on.
    pub(super) fn begin_again(&mut self, document: Table) {
        (self.document, self.spent, self.look) = (document, 0, Look::Whole);
        self.tried.clear();
    }

    /// Whether nothing is left to spend, or somebody has stopped it.
    pub(super) fn is_spent(&self) -> bool {
        self.budget <= self.spent || self.watch.stops()
    }

    /// Takes the candidate if it still shows the target.
    pub(super) fn take(&mut self, candidate: Table) -> bool {
        if candidate == self.document || self.is_spent() {
            return false;
        }
        let text = document::write(&candidate);
        let key = *blake3::hash(text.as_bytes()).as_bytes();
        let shows = match (self.tried.get(&key), self.own) {
            (Some(shows), Some(_)) => *shows,
            (None, Some(fails)) => {
                self.pay(1, 0);
                let shows = catch_unwind(AssertUnwindSafe(|| fails(&text))).unwrap_or(false);
                self.tried.insert(key, shows);
                shows
            }
            (Some(shows), None) if !self.careful || !shows => *shows,
            _ => {
                let shown = self.show(&candidate);
                let shows = shown.is_some_and(|shown| !self.careful || self.has_tag(&shown, self.look));
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
        let (governed, target) = (self.governed, self.target);
        let run = catch_unwind(AssertUnwindSafe(|| {
            if governed { trial::replay_within(&plan) } else { Ok(trial::replay(&plan)) }
        }));
        let steps = run.as_ref().map_or(0, |run| run.as_ref().map_or_else(|steps| *steps, |run| run.events));
        self.pay(1, steps);
        let run = run.ok()?.ok()?;
        let finding = catch_unwind(AssertUnwindSafe(|| find(&run, &plan, target))).ok()??;
        Some(Shown { plan, run: std::rc::Rc::new(run), finding })
    }

    /// Whether a plan's violation is the target's weakness.
    pub(super) fn has_tag(&mut self, shown: &Shown, look: Look) -> bool {
        let target = self.target;
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let mut blame = Blame::new(&shown.plan, std::slice::from_ref(&shown.finding));
            let fits = match look {
                Look::Quick => blame.fits(&shown.finding, target.tag.as_deref()),
                Look::Whole => blame.tag(&shown.finding) == target.tag,
            };
            (fits, blame.cost())
        }));
        let Ok((fits, (replays, events))) = judged else { return false };
        self.pay(replays, events);
        fits
    }

    fn pay(&mut self, replays: u64, steps: u64) {
        self.replays += replays;
        self.spent += replays * PER_RUN + steps;
        self.watch.shrinking(&self.fingerprint, self.replays);
    }
}

/// The target among what a run broke.
pub(super) fn find(run: &trial::Run, plan: &Plan, target: &Target) -> Option<Finding> {
    trial::judge_one(&run.trace, plan, &target.check).filter(|finding| match &finding.verdict {
        Verdict::Violation { clause, .. } | Verdict::Known { clause, .. } => *clause == target.clause,
        _ => false,
    })
}
