//! The lessons, and how far somebody is with each.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::Desk;
use crate::lab::cli::args::Report;
use crate::lab::cli::load;
use crate::lab::learn::lessons;
use crate::lab::learn::progress::{Stage, Taken};
use crate::lab::locale::{Words, learning as say};
use crate::lab::scenario::library::TOUR;
use crate::lab::scenario::{Scenario, library};
use crate::lab::view::width;

fn word(stage: Stage) -> Words {
    match stage {
        Stage::New => say::STAGE_NEW,
        Stage::Begun => say::STAGE_BEGUN,
        Stage::Seen => say::STAGE_SEEN,
        Stage::Passed => say::STAGE_PASSED,
    }
}

/// Prints the lessons.
pub(super) fn lessons(desk: &Desk, tour: bool, format: Report) -> Result<ExitCode> {
    let ids: Vec<&'static str> = if tour { TOUR.to_vec() } else { library::names().collect() };
    let mut all = Vec::new();
    for id in ids {
        match super::scenario(id) {
            Ok(scenario) => all.push((id, scenario)),
            Err(refusal) => return load::answer(Err(refusal)),
        }
    }
    load::say(&match format {
        Report::Json => {
            let rows: Vec<Value> = all.iter().map(|(id, scenario)| row(desk, id, scenario)).collect();
            format!("{:#}\n", json!({ "lessons": rows }))
        }
        Report::Text => {
            let mut text = if tour { desk.line(say::TOUR_HEAD, &[]) } else { String::new() };
            for (id, scenario) in &all {
                let stage = width::fit(word(desk.progress.stage(id)).text(desk.lang()), 7);
                text += &format!("{id:<24} {stage} {}\n", scenario.lesson.title.text(desk.lang()));
            }
            text + &next(desk, tour)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What to type next.
fn next(desk: &Desk, tour: bool) -> String {
    match desk.progress.next(tour) {
        Some(id) => desk.goes_on(&format!("mqlab learn {id}")),
        None if tour => desk.line(say::TOUR_PASSED, &[]) + &desk.goes_on("mqlab learn next"),
        None => desk.line(say::ALL_PASSED, &[]) + &desk.goes_on("mqlab hunt 26-hunt"),
    }
}

fn row(desk: &Desk, id: &str, scenario: &Scenario) -> Value {
    let lesson = &scenario.lesson;
    json!({
        "id": id,
        "number": lessons::number(id),
        "title": { "en": lesson.title.en, "zh": lesson.title.zh },
        "question": { "en": lesson.question.en, "zh": lesson.question.zh },
        "tour": TOUR.contains(&id),
        "exercise": lesson.exercise.is_some(),
        "stage": desk.progress.stage(id).as_str(),
    })
}

/// Prints how far somebody is.
pub(super) fn progress(desk: &Desk, format: Report) -> Result<ExitCode> {
    let file = super::from_here(&desk.store.file());
    let count = |stage: Stage| library::names().filter(|id| desk.progress.stage(id) == stage).count();
    let (all, passed, seen, begun) =
        (library::ALL.len(), count(Stage::Passed), count(Stage::Seen), count(Stage::Begun));
    load::say(&match format {
        Report::Json => {
            let begun = desk.progress.lessons.iter().map(|(id, taken)| (id.clone(), told(desk, id, taken)));
            let lessons: serde_json::Map<String, Value> = begun.collect();
            let next = desk.progress.next(false);
            let totals = json!({ "all": all, "passed": passed });
            format!("{:#}\n", json!({ "file": file, "next": next, "count": totals, "lessons": lessons }))
        }
        Report::Text => {
            let counts = [all, passed, seen, begun].map(|count| count.to_string());
            let [all, passed, seen, begun] = &counts;
            let values: [(&str, &str); 4] = [("count", all), ("passed", passed), ("seen", seen), ("begun", begun)];
            let mut text = desk.line(say::PROGRESS_HEAD, &values);
            for (id, taken) in &desk.progress.lessons {
                let stage = width::fit(word(desk.progress.stage(id)).text(desk.lang()), 7);
                let right = right(id, taken).to_string();
                let counts = [taken.steps.len(), taken.answers.len(), taken.hints].map(|count| count.to_string());
                let [steps, answers, hints] = &counts;
                let values: [(&str, &str); 4] =
                    [("steps", steps), ("right", &right), ("answers", answers), ("hints", hints)];
                text += &format!("{id:<24} {stage} {}", desk.line(say::PROGRESS_LINE, &values));
            }
            text + &desk.line(say::PROGRESS_FILE, &[("file", &file)]) + &next(desk, false)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// How many answers were right.
fn right(id: &str, taken: &Taken) -> usize {
    let Ok(scenario) = super::scenario(id) else { return 0 };
    let predict = |step: &usize| scenario.lesson.steps.get(*step).and_then(|step| step.predict.as_ref());
    taken.answers.iter().filter(|(step, choice)| predict(step).is_some_and(|one| one.answer == **choice)).count()
}

fn told(desk: &Desk, id: &str, taken: &Taken) -> Value {
    json!({
        "stage": desk.progress.stage(id).as_str(),
        "steps": taken.steps.len(),
        "answers": taken.answers.len(),
        "right": right(id, taken),
        "hints": taken.hints,
        "solution": taken.solution,
        "passed": taken.passed,
        "copy": taken.copy.as_ref().map(|path| path.display().to_string()),
    })
}
