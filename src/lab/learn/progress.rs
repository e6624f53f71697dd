//! How far somebody has come: what is written down between two visits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::lab::scenario::library::{self, TOUR};

/// The version of what is written.
pub const VERSION: u32 = 1;

/// Everything that is written down.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// See [`VERSION`].
    pub version: u32,
    /// The lesson that was looked at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Whether somebody goes through the tour.
    #[serde(default)]
    pub touring: bool,
    /// By lesson.
    #[serde(default)]
    pub lessons: BTreeMap<String, Taken>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { version: VERSION, last: None, touring: false, lessons: BTreeMap::new() }
    }
}

/// What somebody has done with a lesson.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(default)]
pub struct Taken {
    /// Steps of narration that were seen, from 0.
    pub steps: BTreeSet<usize>,
    /// Answers to predictions: step and choice, from 0; the first that was given.
    pub answers: BTreeMap<usize, usize>,
    /// Whether the run was seen to its end.
    pub ended: bool,
    /// How many hints were taken.
    pub hints: usize,
    /// Whether a solution was looked at.
    pub solution: bool,
    /// Whether the exercise was passed.
    pub passed: bool,
    /// Where the learner's copy lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<PathBuf>,
}

/// How far a lesson is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Nobody was here.
    New,
    /// Somebody was here.
    Begun,
    /// The run was seen to its end.
    Seen,
    /// The exercise was passed.
    Passed,
}

impl Stage {
    /// As programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::New => "new",
            Stage::Begun => "begun",
            Stage::Seen => "seen",
            Stage::Passed => "passed",
        }
    }
}

impl Progress {
    /// How far a lesson is.
    pub fn stage(&self, id: &str) -> Stage {
        match self.lessons.get(id) {
            None => Stage::New,
            Some(taken) if taken.passed => Stage::Passed,
            Some(taken) if taken.ended => Stage::Seen,
            Some(_) => Stage::Begun,
        }
    }

    /// A lesson is looked at: it is begun, and the last one.
    pub fn at(&mut self, id: &str) -> &mut Taken {
        self.last = Some(id.to_owned());
        self.lessons.entry(id.to_owned()).or_default()
    }

    /// What was seen of a lesson in the player.
    pub fn saw(&mut self, id: &str, steps: &BTreeSet<usize>, answers: &BTreeMap<usize, usize>, ended: bool) {
        let taken = self.lessons.entry(id.to_owned()).or_default();
        taken.steps.extend(steps);
        for (step, choice) in answers {
            taken.answers.entry(*step).or_insert(*choice);
        }
        taken.ended |= ended;
    }

    /// Everything about a lesson is forgotten.
    pub fn forget(&mut self, id: &str) {
        self.lessons.remove(id);
        if self.last.as_deref() == Some(id) {
            self.last = None;
        }
    }

    /// What comes next: the lesson that was begun last and is not passed, or else the first that is not.
    pub fn next(&self, tour: bool) -> Option<&'static str> {
        let row: Vec<&'static str> = if tour { TOUR.to_vec() } else { library::names().collect() };
        let is_open = |id: &&'static str| self.stage(id) < Stage::Passed;
        let last = row.iter().find(|id| self.last.as_deref() == Some(**id)).copied().filter(is_open);
        last.or_else(|| row.into_iter().find(is_open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_what_was_begun_and_then_what_is_open() {
        let mut progress = Progress::default();
        assert_eq!(progress.next(false), Some("01-first-message"));
        progress.at("17-power-loss");
        assert_eq!((progress.next(false), progress.next(true)), (Some("17-power-loss"), Some("17-power-loss")));
        progress.at("17-power-loss").passed = true;
        progress.at("01-first-message").passed = true;
        assert_eq!((progress.next(false), progress.next(true)), (Some("02-wrong-address"), Some("06-push-is-pull")));
        progress.forget("01-first-message");
        assert_eq!((progress.stage("01-first-message"), progress.last.as_deref()), (Stage::New, None));
        for id in TOUR {
            progress.at(id).passed = true;
        }
        assert_eq!(progress.next(true), None);
    }

    #[test]
    fn the_first_answer_is_kept_and_what_was_seen_stays_seen() {
        let mut progress = Progress::default();
        progress.saw("17-power-loss", &[0, 1].into(), &[(1, 0)].into(), true);
        progress.saw("17-power-loss", &[2].into(), &[(1, 2), (3, 0)].into(), false);
        let taken = &progress.lessons["17-power-loss"];
        assert_eq!((taken.steps.len(), taken.ended), (3, true));
        assert_eq!(taken.answers, [(1, 0), (3, 0)].into());
        assert_eq!(progress.stage("17-power-loss"), Stage::Seen);
        let text = serde_json::to_string(&progress).unwrap();
        assert_eq!(serde_json::from_str::<Progress>(&text).unwrap(), progress);
    }
}
