//! Hints, one further each time, and the answer.

use super::open::task;
use super::{Desk, refused};
use crate::lab::cli::source::Refusal;
use crate::lab::locale::learning as say;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::lesson::Exercise;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::view::width;

/// Columns of a text.
const COLUMNS: usize = 100;

/// One hint more; those that were given stand before it.
pub(super) fn hint(desk: &mut Desk, id: &'static str) -> Result<String, Refusal> {
    let scenario = super::scenario(id)?;
    let exercise = exercise(desk, &scenario)?;
    let count = exercise.hints.len();
    let taken = desk.progress.at(id);
    let is_last = count <= taken.hints;
    taken.hints = (taken.hints + 1).min(count);
    let given = taken.hints;
    desk.keep();
    if count == 0 {
        return Ok(desk.line(say::NO_HINTS, &[]) + &desk.goes_on(&format!("mqlab learn solution {id}")));
    }
    let mut text = String::new();
    for (number, hint) in (1..).zip(&exercise.hints[..given]) {
        let values = [("number", number.to_string()), ("count", count.to_string())];
        let hint = hint.text(desk.lang());
        let line = desk.line(say::HINT, &[("number", &values[0].1), ("count", &values[1].1), ("hint", hint)]);
        text += &wrapped(line.trim_end());
    }
    if is_last {
        text += &desk.line(say::NO_MORE_HINTS, &[]);
        return Ok(text + &desk.goes_on(&format!("mqlab learn solution {id}")));
    }
    let file = super::copy::place(desk, id);
    Ok(text
        + &match file.exists() {
            true => desk.goes_on(&format!("mqlab learn check {id}")),
            false => desk.goes_on(&format!("mqlab learn edit {id}")),
        })
}

/// The ways that pass, and why.
pub(super) fn solution(desk: &mut Desk, id: &'static str, yes: bool) -> Result<String, Refusal> {
    let scenario = super::scenario(id)?;
    let exercise = exercise(desk, &scenario)?;
    if exercise.solutions.is_empty() {
        return Ok(desk.line(say::NO_SOLUTION, &[]) + &desk.goes_on(&format!("mqlab learn hint {id}")));
    }
    let question = say::ASK_SOLUTION.with(desk.lang(), &[("lesson", id)]);
    if !desk.agrees(yes, &question, &format!("mqlab learn solution {id}"))? {
        return Ok(desk.line(say::LEFT, &[]) + &desk.goes_on(&format!("mqlab learn hint {id}")));
    }
    desk.progress.at(id).solution = true;
    desk.keep();
    let mut text = String::new();
    let mut first = None;
    for (number, way) in (1..).zip(&exercise.solutions) {
        let variant = scenario.variant.as_ref().map(|variant| variant.name.clone());
        let (sets, edits) = (way.sets.clone(), way.edits.clone());
        let flags = Overrides { variant, sets, edits, ..Overrides::default() }.flags();
        text += &desk.line(say::SOLUTION, &[("number", &number.to_string()), ("flags", flags.trim_start())]);
        text += &wrapped(way.why.text(desk.lang()));
        first.get_or_insert(format!("mqlab run {id}{flags}"));
    }
    let replay = first.unwrap_or_default();
    text += &desk.line(say::REPLAY, &[("command", &replay)]);
    text += &card(desk, &scenario);
    Ok(text + &desk.goes_on(&format!("mqlab learn edit {id}")))
}

/// What a lesson gives to take home.
pub(super) fn card(desk: &Desk, scenario: &Scenario) -> String {
    let Some(card) = &scenario.lesson.card else { return String::new() };
    let lang = desk.lang();
    let mut text = desk.line(say::CARD, &[]);
    for line in &card.lines {
        for (row, part) in width::wrap(line.text(lang), COLUMNS - 4).iter().enumerate() {
            text += &format!("  {} {part}\n", if row == 0 { '-' } else { ' ' });
        }
    }
    if !card.corrects.is_empty() {
        text += &desk.line(say::CORRECTS, &[]);
        text += &width::wrap(card.corrects.text(lang), COLUMNS - 2)
            .iter()
            .map(|line| format!("  {line}\n"))
            .collect::<String>();
    }
    if let Some(chapter) = &card.read {
        text += &desk.line(say::CARD_READ, &[("chapter", chapter)]);
    }
    text
}

fn exercise<'a>(desk: &Desk, scenario: &'a Scenario) -> Result<&'a Exercise, Refusal> {
    scenario.lesson.exercise.as_ref().ok_or_else(|| refused(task(desk, scenario)))
}

fn wrapped(text: &str) -> String {
    width::wrap(text, COLUMNS).join("\n") + "\n"
}
