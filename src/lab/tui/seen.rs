//! What somebody has seen in the player and answered there, kept while the player comes and goes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What was seen of each scenario, by its name; whoever holds a clone of it sees the same.
#[derive(Clone, Debug, Default)]
pub struct Seen(Rc<RefCell<BTreeMap<String, Looked>>>);

/// What was seen of one scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Looked {
    /// The steps of narration, from 0.
    pub steps: BTreeSet<usize>,
    /// The first answer to each question: its step, and the choice, from 0.
    pub answers: BTreeMap<usize, usize>,
    /// Whether the end was seen.
    pub ended: bool,
}

impl Seen {
    /// A moment was looked at, at which a step holds perhaps.
    pub(super) fn look(&self, scenario: &str, step: Option<usize>, is_end: bool) {
        let mut all = self.0.borrow_mut();
        let looked = all.entry(scenario.to_owned()).or_default();
        looked.steps.extend(step);
        looked.ended |= is_end;
    }

    /// A question was answered.
    pub(super) fn answer(&self, scenario: &str, step: usize, choice: usize) {
        let mut all = self.0.borrow_mut();
        all.entry(scenario.to_owned()).or_default().answers.entry(step).or_insert(choice);
    }

    /// The last step of a scenario that was seen.
    pub(super) fn last(&self, scenario: &str) -> Option<usize> {
        self.0.borrow().get(scenario).and_then(|looked| looked.steps.last().copied())
    }

    /// Everything that was seen, by scenario.
    pub fn all(&self) -> BTreeMap<String, Looked> {
        self.0.borrow().clone()
    }
}
