//! View 6, checks: what the scenario expects and what is judged in every run, the events that show it, and the run in numbers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::check::{Finding, Verdict};
use crate::lab::locale::{Lang, Words, views};
use crate::lab::trace::record::Seq;
use crate::lab::view::life::Stage;
use crate::lab::view::scene::{At, Pick, Scene};
use crate::lab::view::sheet::{Body, Cell, Column, Pane, Sheet, Tone};
use crate::lab::view::why;

/// What the version of the data is called: `mqlab.view.checks/1`.
pub const SCHEMA: &str = "mqlab.view.checks/1";

/// The checks at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Checks {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// Whether the run has ended: before that, only what has been broken is decided.
    pub is_over: bool,
    /// What was judged, in the order of the scenario; what it did not ask for last.
    pub checks: Vec<Check>,
    /// Which of them is looked at.
    pub chosen: Option<usize>,
    /// The events that show it, as far as they have happened.
    pub witness: Vec<Event>,
    /// The run in numbers, up to the moment.
    pub numbers: Vec<Number>,
}

/// A check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Check {
    /// The expectation's name, or the check's.
    pub id: String,
    /// `G01`, or the check's name.
    pub judges: String,
    /// `pass`, `violation`, `known`, `inconclusive`, `harness`; `open` while it is not decided.
    pub verdict: &'static str,
    /// Whether the scenario asked for it.
    pub asked: bool,
    /// Whether that is as the scenario expects; `null` while it is not decided.
    pub as_expected: Option<bool>,
    /// In a sentence; empty while it is not decided.
    pub summary: String,
    /// The part of the guarantee that was broken.
    pub clause: Option<&'static str>,
}

/// An event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Event {
    /// When.
    pub at: At,
    /// Who.
    pub actor: String,
    /// What, in a sentence.
    pub text: String,
}

/// A number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Number {
    /// Of what: `sent`.
    pub name: &'static str,
    /// How many.
    pub count: u64,
    #[serde(skip)]
    label: Words,
}

/// The checks at a scene's moment.
pub fn of(scene: &Scene<'_>) -> Checks {
    let is_over = scene.step == scene.trace.steps();
    let picked = match &scene.focus.pick {
        Some(Pick::Check(id)) => scene.findings.iter().position(|finding| finding.id == *id),
        _ => None,
    };
    let broken = |finding: &Finding| finding.asked && !witness(finding).is_empty();
    let chosen =
        picked.or_else(|| scene.findings.iter().position(broken)).or((!scene.findings.is_empty()).then_some(0));
    let told = |seq: &Seq| {
        let record = scene.trace.get(*seq).filter(|record| record.step < scene.step)?;
        let told = why::told(scene.trace, scene.handles, record, scene.lang);
        Some(Event { at: At::of(record.step, record.at), actor: told.actor, text: told.text })
    };
    let shown = chosen.map_or(&[][..], |at| witness(&scene.findings[at]));
    Checks {
        schema: SCHEMA,
        at: scene.at(),
        is_over,
        checks: scene.findings.iter().map(|finding| check(scene, finding, is_over)).collect(),
        chosen,
        witness: shown.iter().filter_map(told).collect(),
        numbers: numbers(scene),
    }
}

fn witness(finding: &Finding) -> &[Seq] {
    match &finding.verdict {
        Verdict::Violation { witness, .. } | Verdict::Known { witness, .. } => witness,
        Verdict::Pass | Verdict::Inconclusive { .. } | Verdict::Harness { .. } => &[],
    }
}

/// A finding, as far as it is decided: at the end, or once all has happened that shows that it was broken.
fn check(scene: &Scene<'_>, finding: &Finding, is_over: bool) -> Check {
    let last = witness(finding).last().and_then(|seq| scene.trace.get(*seq));
    let is_decided = is_over || last.is_some_and(|record| record.step < scene.step);
    Check {
        id: finding.id.clone(),
        judges: finding.judges(),
        verdict: if is_decided { finding.verdict.as_str() } else { "open" },
        asked: finding.asked,
        as_expected: is_decided.then(|| finding.is_as_expected()),
        summary: if is_decided { finding.summary.text(scene.lang).to_owned() } else { String::new() },
        clause: match &finding.verdict {
            Verdict::Violation { clause, .. } | Verdict::Known { clause, .. } if is_decided => Some(clause),
            _ => None,
        },
    }
}

fn numbers(scene: &Scene<'_>) -> Vec<Number> {
    let (counts, step) = (&scene.index.counts, scene.step);
    let all = [
        (views::EVENTS, step),
        (views::FRAMES, counts.frames(step)),
        (views::FAULTS, counts.faults(step)),
        (views::SENT_COUNT, counts.stage(Stage::Sent, step)),
        (views::ACKED_COUNT, counts.stage(Stage::Acked, step)),
        (views::FAILED_COUNT, counts.stage(Stage::Failed, step)),
        (views::STORED_COUNT, counts.stage(Stage::Stored, step)),
        (views::FLUSHED_COUNT, counts.stage(Stage::Flushed, step)),
        (views::DELIVERED_COUNT, counts.stage(Stage::Delivered, step)),
        (views::CONSUMED_COUNT, counts.stage(Stage::Consumed, step)),
        (views::LOST_COUNT, counts.stage(Stage::Lost, step)),
        (views::DELIVERIES_COUNT, counts.deliveries(step)),
    ];
    all.into_iter().map(|(label, count)| Number { name: label.en, count, label }).collect()
}

impl Check {
    fn word(&self) -> (Words, Tone, char) {
        match self.verdict {
            "pass" => (views::HOLDS, Tone::Good, '+'),
            "violation" => (views::IS_VIOLATED, Tone::Bad, '!'),
            "known" => (views::IS_KNOWN, Tone::Bad, '!'),
            "inconclusive" => (views::IS_INCONCLUSIVE, Tone::Dim, '?'),
            "open" => (views::NOT_YET, Tone::Open, '?'),
            _ => (views::IS_HARNESS, Tone::Bad, '!'),
        }
    }
}

impl Checks {
    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        let event = |event: &Event| (format!("#{} {}: {}", event.at.step, event.actor, event.text), Tone::Plain);
        let mut witness: Vec<(String, Tone)> = Vec::new();
        let looked = self.chosen.and_then(|at| self.checks.get(at));
        if let Some(check) = looked.filter(|check| !check.summary.is_empty()) {
            witness.push((format!("{}: {}", check.id, check.summary), check.word().1));
        }
        witness.extend(self.witness.iter().map(event));
        if self.witness.is_empty() {
            witness.push((views::NO_WITNESS.text(lang).to_owned(), Tone::Dim));
        }
        let number = |number: &Number| (vec![Cell::of(number.label.text(lang)), Cell::of(number.count)], Tone::Plain);
        let numbers = Body::Table(
            vec![Column::words("", usize::MAX), Column::number("")],
            self.numbers.iter().map(number).collect(),
        );
        Sheet {
            panes: vec![
                self.list(lang),
                Pane::text(views::WITNESS.text(lang), witness),
                Pane { title: views::STATISTICS.text(lang).to_owned(), body: numbers, ..Pane::default() },
            ],
        }
    }

    fn list(&self, lang: Lang) -> Pane {
        let title = views::EXPECTED.text(lang);
        if self.checks.is_empty() {
            return Pane::text(title, vec![(views::NO_CHECKS.text(lang).to_owned(), Tone::Dim)]);
        }
        let heads = vec![
            Column::words("", 1),
            Column::words(views::CHECK.text(lang), 12),
            Column::words(views::GUARANTEE.text(lang), 4),
            Column::words(views::VERDICT.text(lang), 8),
            Column::words(views::EXPECTS.text(lang), 8),
        ];
        let row = |check: &Check| {
            let (word, tone, glyph) = check.word();
            let expected = match check.as_expected {
                Some(true) => views::AS_EXPECTED.text(lang),
                Some(false) => views::NOT_AS_EXPECTED.text(lang),
                None => "-",
            };
            let cells = vec![
                Cell::of(glyph),
                Cell::of(&check.id),
                Cell::of(&check.judges),
                Cell::of(word.text(lang)),
                Cell::of(expected),
            ];
            (cells, tone)
        };
        Pane {
            title: title.to_owned(),
            body: Body::Table(heads, self.checks.iter().map(row).collect()),
            chosen: self.chosen,
            picks: self.checks.iter().map(|check| Pick::Check(check.id.clone())).collect(),
        }
    }
}
