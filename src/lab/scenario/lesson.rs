//! What is told about a run: title, question, and narration bound to moments.

use crate::lab::fault::episode::Trigger;
use crate::lab::locale::Phrase;
use crate::lab::scenario::places::Pattern;
use crate::lab::scenario::plan::Expect;
use crate::mq::message::Name;

/// A scenario's words.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lesson {
    /// What it is called.
    pub title: Phrase,
    /// What it asks.
    pub question: Phrase,
    /// Its narration, in the order of the file.
    pub steps: Vec<Step>,
    /// What the learner is to change, if anything.
    pub exercise: Option<Exercise>,
    /// What to do with it in production, if that is said.
    pub card: Option<Card>,
}

/// One thing to say, at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// When.
    pub when: Trigger,
    /// Which pane to look at.
    pub pane: Option<Name>,
    /// Which message to look at: `m1` or a key.
    pub message: Option<Name>,
    /// What to say.
    pub say: Phrase,
    /// What to ask.
    pub predict: Option<Predict>,
}

/// A question before a surprise.
#[derive(Clone, PartialEq, Debug)]
pub struct Predict {
    /// The question.
    pub ask: Phrase,
    /// The answers to choose from.
    pub choices: Vec<Phrase>,
    /// Which one is right, from 0.
    pub answer: usize,
    /// Why.
    pub why: Phrase,
}

/// What a learner is to change, and what must come out.
#[derive(Clone, PartialEq, Debug)]
pub struct Exercise {
    /// The task.
    pub goal: Phrase,
    /// Which settings may be changed.
    pub editable: Vec<Pattern>,
    /// What must come out: all of it.
    pub pass: Vec<Goal>,
    /// Hints, each more plain than the last.
    pub hints: Vec<Phrase>,
    /// Ways that pass.
    pub solutions: Vec<Attempt>,
    /// Ways that seem to pass and do not.
    pub wrong: Vec<Attempt>,
}

/// One condition of an exercise.
#[derive(Clone, PartialEq, Debug)]
pub struct Goal {
    /// What is expected of each run.
    pub expect: Expect,
    /// Over how many seeds.
    pub seeds: u64,
}

/// One way to change the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Settings, as for `--set`.
    pub sets: Vec<String>,
    /// Faults put in or left out, as for `--edit`.
    pub edits: Vec<String>,
    /// Why it works, or why not.
    pub why: Phrase,
}

/// What to do with a lesson in production.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// Settings, metrics, habits.
    pub lines: Vec<Phrase>,
    /// The chapter of the book, by its file's stem.
    pub read: Option<String>,
    /// Which sections of the article it covers.
    pub article: Vec<String>,
    /// The sentence of the article that is wrong, and what really happens; empty if none is.
    pub corrects: Phrase,
}
