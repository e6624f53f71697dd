//! What is told about a run: title, question, and narration bound to moments.

use crate::lab::fault::episode::Trigger;
use crate::lab::locale::Phrase;
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
