//! `mqlab course check`: the author's check, a line for each lesson, then what is to be mended.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::args::{CourseArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED, USAGE, hunt, learn};
use crate::lab::learn::course::{self, Kind, Lesson};
use crate::lab::learn::lessons;
use crate::lab::learn::trial::Effort;
use crate::lab::locale::Lang;
use crate::lab::locale::learning as say;
use crate::lab::scenario::library;
use crate::lab::view::width;

/// Looks at the lessons and tells what was found. Exit code 1 if something is to be mended.
pub(super) fn check(args: &CourseArgs, look: Look) -> Result<ExitCode> {
    let mut all: Vec<(String, String)> = Vec::new();
    for asked in &args.lessons {
        match file(asked, look.lang) {
            Ok(file) => all.push(file),
            Err((code, text)) => {
                load::complain(&text);
                return Ok(ExitCode::from(code));
            }
        }
    }
    if all.is_empty() {
        all.extend(library::ALL.iter().map(|(name, text)| (format!("{name}.toml"), (*text).to_owned())));
    }
    let effort = Effort { most: args.seeds, jobs: hunt::jobs(args.jobs) };
    let text = args.format == Report::Text;
    let mut lessons = Vec::new();
    if text {
        load::say(&head(look.lang))?;
    }
    for (name, file) in &all {
        let lesson = course::check(name, file, effort);
        if text {
            load::say(&row(&lesson, look.lang))?;
        }
        lessons.push(lesson);
    }
    load::say(&if text { rest(&lessons, look.lang) } else { format!("{:#}\n", as_json(&lessons)) })?;
    let is_good = lessons.iter().all(Lesson::is_good);
    Ok(ExitCode::from(if is_good { 0 } else { NOT_EXPECTED }))
}

/// A lesson's file, or a file that lies here.
fn file(asked: &str, lang: Lang) -> Result<(String, String), (u8, String)> {
    let is_path = asked.contains(['/', '\\']) || (asked.ends_with(".toml") && Path::new(asked).exists());
    if is_path {
        let text = std::fs::read_to_string(asked);
        let refused = |error: std::io::Error| {
            let help = "name a scenario file, or a lesson of `mqlab learn list`";
            (INVALID, format!("{asked} cannot be read: {error}\n  help: {help}\n"))
        };
        return text.map(|text| (asked.to_owned(), text)).map_err(refused);
    }
    match lessons::find(asked) {
        Ok(id) => Ok((format!("{id}.toml"), library::text(id).unwrap_or_default().to_owned())),
        Err(unclear) => Err((USAGE, learn::unknown(asked, &unclear, lang))),
    }
}

/// Columns: the lesson's name, then one for each thing that is looked at.
const NAME: usize = 24;
const CELL: usize = 9;

fn cells(first: &str, cells: &[String]) -> String {
    let mut line = width::fit(first, NAME);
    for cell in cells {
        line.push(' ');
        line.push_str(&width::fit(cell, CELL));
    }
    line.trim_end().to_owned() + "\n"
}

fn head(lang: Lang) -> String {
    let names = [
        say::COURSE_WORDS,
        say::COURSE_HINTS,
        say::COURSE_UNSOLVED,
        say::COURSE_WAYS,
        say::COURSE_WRONG,
        say::COURSE_CARD,
        say::COURSE_RUN,
    ];
    let names: Vec<String> = names.iter().map(|words| words.text(lang).to_owned()).collect();
    cells(&format!("  {}", say::COURSE_LESSON.text(lang)), &names)
}

fn row(lesson: &Lesson, lang: Lang) -> String {
    let word = |good: bool| (if good { say::COURSE_OK } else { say::COURSE_NO }).text(lang).to_owned();
    let good = |kinds: &[Kind]| word(lesson.is_good_in(kinds));
    let is_read = lesson.is_good_in(&[Kind::Resolves]);
    let has_exercise = 0 < lesson.hints + lesson.solutions.0;
    let unsolved = match (has_exercise, lesson.is_good_in(&[Kind::Unsolved])) {
        (false, _) => "-".to_owned(),
        (true, true) => say::COURSE_FAILS.text(lang).to_owned(),
        (true, false) => say::COURSE_PASSES.text(lang).to_owned(),
    };
    let of = |(given, right): (usize, usize)| format!("{right}/{given}");
    let cells_of = match is_read {
        true => vec![
            good(&[Kind::Language, Kind::Width]),
            lesson.hints.to_string(),
            unsolved,
            of(lesson.solutions),
            of(lesson.wrong),
            good(&[Kind::Card]),
            good(&[Kind::Run]),
        ],
        false => vec!["-".to_owned(); 7],
    };
    cells(&format!("{} {}", if lesson.is_good() { '+' } else { '!' }, lesson.id), &cells_of)
}

/// What is to be mended, and the last line.
fn rest(lessons: &[Lesson], lang: Lang) -> String {
    let mut text = String::new();
    for lesson in lessons {
        for problem in &lesson.problems {
            let told = problem.text.text(lang).trim_end().replace('\n', "\n  ");
            text.push_str(&format!("{}: {told}\n", lesson.id));
        }
    }
    let good = lessons.iter().filter(|lesson| lesson.is_good()).count().to_string();
    let problems: usize = lessons.iter().map(|lesson| lesson.problems.len()).sum();
    let (count, problems_told) = (lessons.len().to_string(), problems.to_string());
    let values = [("good", good.as_str()), ("count", &count), ("problems", &problems_told)];
    let last = if problems == 0 { say::COURSE_DONE } else { say::COURSE_OPEN };
    text + &last.with(lang, &values) + "\n"
}

fn as_json(lessons: &[Lesson]) -> Value {
    let one = |lesson: &Lesson| {
        let problem = |problem: &course::Problem| json!({ "kind": problem.kind.as_str(), "en": problem.text.en, "zh": problem.text.zh });
        json!({
            "id": lesson.id,
            "good": lesson.is_good(),
            "steps": lesson.steps,
            "hints": lesson.hints,
            "solutions": { "given": lesson.solutions.0, "pass": lesson.solutions.1 },
            "wrong": { "given": lesson.wrong.0, "fail": lesson.wrong.1 },
            "problems": lesson.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    };
    let good = lessons.iter().all(Lesson::is_good);
    json!({ "good": good, "lessons": lessons.iter().map(one).collect::<Vec<_>>() })
}
