//! What a learner does: the exercise of a scenario, ways that pass and ways that seem to, and the card that is taken home.

use serde::Deserialize;
use toml::Spanned;

use crate::lab::scenario::bilingual::Bilingual;
use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::{OneOrMore, Table};

/// What a learner is to change.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct ExerciseScript {
    /// The task.
    pub goal: Option<Spanned<Bilingual>>,
    /// Which settings may be changed, as paths of `--set`; `*` is any name.
    pub editable: Vec<Text>,
    /// What must come out; of several conditions all.
    pub pass: OneOrMore<PassScript>,
    /// Hints, each more plain than the last.
    pub hints: Table<LinesScript>,
    /// Ways that pass.
    pub solution: Vec<Spanned<Table<AttemptScript>>>,
    /// Ways that seem to pass and do not.
    pub wrong: Vec<Spanned<Table<AttemptScript>>>,
}

/// What an exercise must reach.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct PassScript {
    /// The expectation that is looked at, by its id.
    pub expect: Option<Text>,
    /// Or the kind of its check, where one expectation is of that kind.
    pub check: Option<Text>,
    /// `holds`, `violated` or `either`.
    pub outcome: Option<Text>,
    /// The count that it allows, in the place of the expectation's own.
    pub count: Option<Text>,
    /// Over how many seeds.
    pub seeds: Option<Spanned<i64>>,
}

/// One way to change the scenario.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct AttemptScript {
    /// Settings, as for `--set`.
    pub set: Vec<Text>,
    /// Faults put in or left out, as for `--edit`.
    pub edit: Vec<Text>,
    /// Why it works; or what one thought, and what happens instead.
    pub why: Option<Spanned<Bilingual>>,
}

/// What to do with a lesson in production.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct CardScript {
    /// Two to four lines: each a setting, a metric or a habit.
    #[serde(rename = "do")]
    pub lines: Table<LinesScript>,
    /// The chapter of the book, by its file's stem.
    pub read: Option<Text>,
    /// Which sections of the article it covers.
    pub article: Vec<Text>,
    /// The sentence of the article that is wrong, and what really happens.
    pub corrects: Option<Spanned<Bilingual>>,
}

/// Lines in both languages.
#[derive(Deserialize, Clone, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct LinesScript {
    /// English.
    pub en: Vec<Text>,
    /// Chinese.
    pub zh: Vec<Text>,
}
