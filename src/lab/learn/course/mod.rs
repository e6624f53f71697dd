//! The author's check: is every lesson of the course as it should be?
//!
//! It resolves; all of its words stand in both languages and fit the screen; it has hints; untouched its exercise fails, every
//! way that is written down passes, and none of those that seem to pass does; it has a card; and it runs as it expects.

use crate::lab::check;
use crate::lab::learn::lessons;
use crate::lab::learn::trial::{self, Came, Effort, Tried};
use crate::lab::locale::Phrase;
use crate::lab::scenario::lesson::{Attempt, Exercise};
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::report::Report;
use crate::lab::scenario::{Scenario, load};
use crate::lab::sim::session::Session;
use crate::lab::trace::record::Level;

mod words;

pub use words::{EXERCISE_COLUMNS, EXERCISE_ROWS, STRIP_COLUMNS, STRIP_ROWS, strip};

/// An exercise has at least so many hints.
pub const HINTS_LEAST: usize = 2;
/// And so many ways that seem to pass.
pub const WRONG_LEAST: usize = 2;
/// Lines of a card.
pub const CARD_LINES: std::ops::RangeInclusive<usize> = 2..=4;

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// That it can be read and run.
    Resolves,
    /// That every text stands in both languages.
    Language,
    /// That every text fits where it is shown.
    Width,
    /// That there is an exercise with hints.
    Exercise,
    /// That the exercise fails as long as nothing is changed.
    Unsolved,
    /// That the ways which are written down pass.
    Solution,
    /// That the ways which seem to pass do not.
    Wrong,
    /// That there is a card.
    Card,
    /// That it runs as it expects.
    Run,
}

impl Kind {
    /// As programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Resolves => "resolves",
            Kind::Language => "language",
            Kind::Width => "width",
            Kind::Exercise => "exercise",
            Kind::Unsolved => "unsolved",
            Kind::Solution => "solution",
            Kind::Wrong => "wrong",
            Kind::Card => "card",
            Kind::Run => "run",
        }
    }
}

/// One thing to mend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What was looked at.
    pub kind: Kind,
    /// What is wrong.
    pub text: Phrase,
}

/// A lesson as it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lesson {
    /// Its name.
    pub id: String,
    /// Steps of narration.
    pub steps: usize,
    /// Hints.
    pub hints: usize,
    /// Ways that are written down, and how many of them pass.
    pub solutions: (usize, usize),
    /// Ways that seem to pass, and how many of them do not.
    pub wrong: (usize, usize),
    /// What is to be mended.
    pub problems: Vec<Problem>,
}

impl Lesson {
    /// Whether there is nothing to mend.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether there is nothing of one kind to mend.
    pub fn is_good_in(&self, kinds: &[Kind]) -> bool {
        self.problems.iter().all(|problem| !kinds.contains(&problem.kind))
    }

    fn wrong(&mut self, kind: Kind, en: impl Into<String>, zh: impl Into<String>) {
        self.problems.push(Problem { kind, text: Phrase::of(en, zh) });
    }
}

/// Looks at one lesson: a scenario file's name and text.
pub fn check(name: &str, text: &str, effort: Effort) -> Lesson {
    let id = name.strip_suffix(".toml").unwrap_or(name).to_owned();
    let mut lesson = Lesson { id, ..Lesson::default() };
    let scenario = match lessons::of_text(name, text) {
        Ok(scenario) => scenario,
        Err(report) => {
            lesson.wrong(Kind::Resolves, report.to_string(), report.to_string());
            return lesson;
        }
    };
    lesson.id = scenario.plan.scenario.to_string();
    lesson.steps = scenario.lesson.steps.len();
    words::look(&scenario, &mut lesson);
    card(&scenario, &mut lesson);
    match &scenario.lesson.exercise {
        None => lesson.wrong(Kind::Exercise, "it has no exercise", "没有练习"),
        Some(exercise) => the_exercise(&scenario, exercise, effort, &mut lesson),
    }
    runs(&scenario, &mut lesson);
    lesson.problems.sort_by_key(|problem| problem.kind);
    lesson
}

fn card(scenario: &Scenario, lesson: &mut Lesson) {
    let Some(card) = &scenario.lesson.card else {
        return lesson.wrong(Kind::Card, "it has no card", "没有卡片");
    };
    let (least, most) = (CARD_LINES.start(), CARD_LINES.end());
    let lines = card.lines.len();
    if !CARD_LINES.contains(&lines) {
        lesson.wrong(
            Kind::Card,
            format!("its card has {lines} lines, and should have {least} to {most}"),
            format!("卡片有 {lines} 行，应为 {least} 到 {most} 行"),
        );
    }
}

fn the_exercise(scenario: &Scenario, exercise: &Exercise, effort: Effort, lesson: &mut Lesson) {
    lesson.hints = exercise.hints.len();
    if lesson.hints < HINTS_LEAST {
        let count = lesson.hints;
        lesson.wrong(
            Kind::Exercise,
            format!("it has {count} hints, and should have at least {HINTS_LEAST}"),
            format!("有 {count} 条提示，至少应有 {HINTS_LEAST} 条"),
        );
    }
    // What fails ends at the first seed that shows it: nothing is saved with fewer.
    let thorough = Effort { most: None, ..effort };
    let untouched = Attempt { sets: Vec::new(), edits: Vec::new(), why: Phrase::default() };
    if let Ok(Came::Held(seeds)) = try_one(scenario, exercise, &untouched, thorough) {
        lesson.wrong(
            Kind::Unsolved,
            format!("it passes with nothing changed, in {seeds} seeds"),
            format!("什么都不改就通过（{seeds} 个种子）"),
        );
    }
    if exercise.solutions.is_empty() {
        lesson.wrong(Kind::Solution, "no way that passes is written down", "没有写出答案");
    }
    for (number, attempt) in (1..).zip(&exercise.solutions) {
        lesson.solutions.0 += 1;
        match try_one(scenario, exercise, attempt, effort) {
            Ok(Came::Held(_)) => lesson.solutions.1 += 1,
            other => {
                let (why, why_zh) = told(other, scenario, attempt);
                let en = format!("way {number} does not pass: {why}");
                lesson.wrong(Kind::Solution, en, format!("第 {number} 种解法不通过：{why_zh}"));
            }
        }
    }
    let given = exercise.wrong.len();
    if given < WRONG_LEAST {
        lesson.wrong(
            Kind::Wrong,
            format!("{given} wrong ways are written down, and there should be at least {WRONG_LEAST}"),
            format!("写出了 {given} 种错解，至少应有 {WRONG_LEAST} 种"),
        );
    }
    for (number, attempt) in (1..).zip(&exercise.wrong) {
        lesson.wrong.0 += 1;
        match try_one(scenario, exercise, attempt, thorough) {
            Ok(Came::Missed(_)) => lesson.wrong.1 += 1,
            Ok(Came::Held(seeds)) => {
                let flags = flags(attempt);
                let en = format!("wrong way {number} passes in {seeds} seeds:{flags}");
                lesson.wrong(
                    Kind::Wrong,
                    en,
                    format!("第 {number} 种错解通过了 {seeds} 个种子：{}", flags.trim_start()),
                );
            }
            other => {
                let (why, why_zh) = told(other, scenario, attempt);
                let en = format!("wrong way {number} cannot be tried: {why}");
                lesson.wrong(Kind::Wrong, en, format!("第 {number} 种错解无法尝试：{why_zh}"));
            }
        }
    }
}

/// The flags that make an attempt.
fn flags(attempt: &Attempt) -> String {
    let (sets, edits) = (attempt.sets.clone(), attempt.edits.clone());
    Overrides { sets, edits, ..Overrides::default() }.flags()
}

/// The changes of an attempt, in the scenario's shape.
fn changes(scenario: &Scenario, attempt: &Attempt) -> Overrides {
    let variant = scenario.variant.as_ref().map(|variant| variant.name.clone());
    Overrides { variant, sets: attempt.sets.clone(), edits: attempt.edits.clone(), ..Overrides::default() }
}

/// Tries one way.
///
/// Errors: what it makes of the scenario cannot be run.
pub fn try_one(scenario: &Scenario, exercise: &Exercise, attempt: &Attempt, effort: Effort) -> Result<Came, Report> {
    let origin = &scenario.origin;
    let changed = load(&origin.name, origin.text.as_bytes(), &changes(scenario, attempt))?;
    // The shape is in the text by now.
    let tried = Tried { name: &origin.name, text: &changed.text, variant: None };
    trial::run(tried, &exercise.pass, effort)
}

/// What came of a way that should have passed.
fn told(came: Result<Came, Report>, scenario: &Scenario, attempt: &Attempt) -> (String, String) {
    match came {
        Ok(Came::Missed(miss)) => {
            let seed = miss.seed;
            let origin = scenario.origin.name.strip_suffix(".toml").unwrap_or(&scenario.origin.name);
            let command = format!("mqlab run {origin} --seed {seed}{}", changes(scenario, attempt).flags());
            let tell = |seen: &str| format!("{} = {}, {seen}; {command}", miss.expect, miss.verdict);
            (tell(&miss.seen.en), tell(&miss.seen.zh))
        }
        Ok(Came::Broken(seed, text)) => {
            (format!("the lab is at fault in seed {seed}: {text}"), format!("种子 {seed} 中实验室自身出错：{text}"))
        }
        Ok(Came::Held(_)) => (String::new(), String::new()),
        Err(report) => (report.to_string(), report.to_string()),
    }
}

/// That each of its shapes runs as it expects.
fn runs(scenario: &Scenario, lesson: &mut Lesson) {
    let mut shapes: Vec<Result<Scenario, Report>> =
        scenario.variants().iter().map(|variant| scenario.in_variant(&variant.name)).collect();
    if shapes.is_empty() {
        shapes.push(Ok(scenario.clone()));
    }
    for shape in shapes {
        let scenario = match shape {
            Ok(scenario) => scenario,
            Err(report) => {
                lesson.wrong(Kind::Resolves, report.to_string(), report.to_string());
                continue;
            }
        };
        let result = Session::run(&scenario.plan, Level::Full);
        for finding in check::run(&result.trace, &scenario.plan).iter().filter(|finding| !finding.is_as_expected()) {
            let command = scenario.command();
            let tell = |seen: &str| format!("{} = {}, {seen}; {command}", finding.id, finding.verdict.as_str());
            lesson.wrong(Kind::Run, tell(&finding.summary.en), tell(&finding.summary.zh));
        }
        if let Some(panic) = result.panics.first() {
            let text = format!("{} in #{}", panic.text, panic.step);
            lesson.wrong(Kind::Run, text.clone(), text);
        }
    }
}
