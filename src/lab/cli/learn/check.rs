//! Checking your copy, once or whenever it is saved.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Desk, copy, from_here, help, refused};
use crate::lab::cli::args::{CheckArgs, Report};
use crate::lab::cli::load;
use crate::lab::cli::source::Refusal;
use crate::lab::cli::{INVALID, LAB, NOT_PASSED, hunt};
use crate::lab::learn::grade::{self, Verdict};
use crate::lab::learn::lessons;
use crate::lab::learn::trial::{Came, Effort, Miss};
use crate::lab::locale::learning as say;
use crate::lab::scenario::overrides::quoted;
use crate::lab::scenario::plan::Outcome;
use crate::lab::scenario::report::{self, Drawing};
use crate::lab::scenario::{FILE_MAX, Scenario};

/// How often a file is looked at.
const LOOKED_AT_EVERY: std::time::Duration = std::time::Duration::from_millis(300);

/// What is checked.
struct Asked {
    id: &'static str,
    scenario: Scenario,
    file: PathBuf,
    effort: Effort,
}

/// Checks, and says what came of it.
pub(super) fn run(desk: &mut Desk, args: &CheckArgs) -> Result<ExitCode> {
    let asked = match asked(desk, args) {
        Ok(asked) => asked,
        Err(refusal) => return load::answer(Err(refusal)),
    };
    desk.progress.at(asked.id);
    if args.watch {
        return watch(desk, &asked);
    }
    match read(desk, &asked) {
        Ok(Some(text)) => once(desk, &asked, &text, args.format),
        Ok(None) => {
            let missing = desk.line(say::NO_COPY, &[("file", &from_here(&asked.file))]);
            load::complain(&(missing + &desk.goes_on(&format!("mqlab learn edit {}", asked.id))));
            Ok(ExitCode::from(NOT_PASSED))
        }
        Err(refusal) => load::answer(Err(refusal)),
    }
}

fn asked(desk: &Desk, args: &CheckArgs) -> Result<Asked, Refusal> {
    let is_path = |text: &&str| text.contains(['/', '\\']) || (text.ends_with(".toml") && Path::new(text).exists());
    let path = args.file.clone().or_else(|| args.lesson.as_deref().filter(is_path).map(PathBuf::from));
    let named = args.lesson.as_deref().filter(|text| args.file.is_some() || !is_path(text));
    let id = match (named, &path) {
        // A copy says itself of which lesson it is.
        (None, Some(path)) => match own_id(path) {
            Some(id) => id,
            None => desk.named(&path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default())?,
        },
        (named, _) => desk.meant(named)?,
    };
    let file = path.unwrap_or_else(|| copy::place(desk, id));
    let effort = Effort { most: args.seeds, jobs: hunt::jobs(args.jobs) };
    Ok(Asked { id, scenario: super::scenario(id)?, file, effort })
}

/// The lesson that a file says it is of.
fn own_id(path: &Path) -> Option<&'static str> {
    let table: toml::Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
    lessons::find(table.get("id")?.as_str()?).ok()
}

/// The copy's text; nothing if there is none.
fn read(desk: &Desk, asked: &Asked) -> Result<Option<String>, Refusal> {
    let Asked { id, file, .. } = asked;
    let unreadable = |error: &str| {
        let values = [("file", from_here(file)), ("error", error.to_owned())];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        refused(desk.line(say::UNREADABLE, &[&values[..], &[("lesson", id)]].concat()))
    };
    match std::fs::read(file) {
        Ok(bytes) if bytes.len() <= FILE_MAX => {
            String::from_utf8(bytes).map(Some).map_err(|error| unreadable(&error.to_string()))
        }
        Ok(bytes) => Err(unreadable(&format!("{} bytes", bytes.len()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

fn once(desk: &mut Desk, asked: &Asked, text: &str, format: Report) -> Result<ExitCode> {
    let name = from_here(&asked.file);
    let graded = grade::grade(&asked.scenario, (&name, text), asked.effort, desk.lang());
    if let Ok(verdict) = &graded {
        let taken = desk.progress.at(asked.id);
        taken.passed |= verdict.is_passed();
        taken.copy = std::path::absolute(&asked.file).ok();
    }
    desk.keep();
    let code = match &graded {
        Ok(Verdict::Came(Came::Held(_)) | Verdict::Untouched(Came::Held(_))) => 0,
        Ok(Verdict::Came(Came::Broken(..)) | Verdict::Untouched(Came::Broken(..))) => LAB,
        Ok(_) => NOT_PASSED,
        Err(_) => INVALID,
    };
    if format == Report::Json {
        load::say(&format!("{:#}\n", json(asked, &graded)))?;
        return Ok(ExitCode::from(code));
    }
    match &graded {
        Ok(verdict) => load::say(&told(desk, asked, verdict))?,
        Err(report) => {
            let drawing = Drawing { color: desk.look.color, unicode: desk.look.unicode, width: 100 };
            load::complain(&report.draw(drawing));
            load::complain(&desk.goes_on(&check(asked)));
        }
    }
    Ok(ExitCode::from(code))
}

/// The command that checks this copy again.
fn check(asked: &Asked) -> String {
    let name = from_here(&asked.file);
    match asked.file.file_stem().is_some_and(|stem| stem == asked.id) {
        true => format!("mqlab learn check {}", asked.id),
        false => format!("mqlab learn check {} {}", asked.id, quoted(&name)),
    }
}

fn told(desk: &Desk, asked: &Asked, verdict: &Verdict) -> String {
    let (came, is_touched) = match verdict {
        Verdict::Untouched(came) => (came, false),
        Verdict::Came(came) => (came, true),
    };
    match came {
        Came::Held(_) if !is_touched => desk.line(say::PASSED_UNTOUCHED, &[]) + &desk.after(),
        Came::Held(seeds) => {
            let passed = desk.line(say::PASSED, &[("seeds", &seeds.to_string())]);
            passed + &help::card(desk, &asked.scenario) + &desk.after()
        }
        Came::Broken(seed, text) => {
            let broken = desk.line(say::BROKEN, &[("seed", &seed.to_string()), ("text", text)]);
            broken + &desk.line(say::REPLAY, &[("command", &replay(asked, *seed))]) + &desk.goes_on(&check(asked))
        }
        Came::Missed(miss) => missed(desk, asked, miss, is_touched),
    }
}

fn missed(desk: &Desk, asked: &Asked, miss: &Miss, is_touched: bool) -> String {
    let wanted = match miss.wanted {
        Outcome::Holds => say::SHOULD_HOLD,
        Outcome::Violated => say::SHOULD_FAIL,
        Outcome::Either => say::SHOULD_EITHER,
    };
    let (wanted, seed) = (wanted.text(desk.lang()), miss.seed.to_string());
    let mut text = if is_touched { String::new() } else { desk.line(say::UNTOUCHED, &[]) };
    text += &desk.line(say::NOT_YET, &[("expect", &miss.expect), ("wanted", wanted), ("seed", &seed)]);
    text += &format!("  {}", desk.line(say::SEEN, &[("seen", miss.seen.text(desk.lang()))]));
    text += &desk.line(say::REPLAY, &[("command", &replay(asked, miss.seed))]);
    let command = format!("mqlab learn hint {}", asked.id);
    text + &match is_touched {
        true => desk.goes_on(&command),
        false => desk.line(say::NEXT_EDIT, &[("file", &from_here(&asked.file)), ("command", &check(asked))]),
    }
}

/// The command that shows a seed of this copy.
fn replay(asked: &Asked, seed: u64) -> String {
    let name = from_here(&asked.file);
    let path = if name.contains(['/', '\\']) { name } else { format!("./{name}") };
    let variant = asked.scenario.variant.as_ref().map(|variant| format!(" --variant {}", quoted(&variant.name)));
    format!("mqlab run {} --seed {seed}{}", quoted(&path), variant.unwrap_or_default())
}

fn json(asked: &Asked, graded: &Result<Verdict, report::Report>) -> Value {
    let mut value = json!({ "lesson": asked.id, "file": from_here(&asked.file) });
    let more = match graded {
        Ok(Verdict::Came(Came::Held(seeds)) | Verdict::Untouched(Came::Held(seeds))) => {
            json!({ "verdict": "passed", "seeds": seeds })
        }
        Ok(Verdict::Came(Came::Missed(miss)) | Verdict::Untouched(Came::Missed(miss))) => json!({
            "verdict": "not-yet",
            "touched": matches!(graded, Ok(Verdict::Came(_))),
            "expect": miss.expect,
            "wanted": miss.wanted.as_str(),
            "outcome": miss.verdict,
            "seed": miss.seed,
            "seen": { "en": miss.seen.en, "zh": miss.seen.zh },
            "replay": replay(asked, miss.seed),
        }),
        Ok(Verdict::Came(Came::Broken(seed, text)) | Verdict::Untouched(Came::Broken(seed, text))) => {
            json!({ "verdict": "broken", "seed": seed, "text": text })
        }
        Err(report) => {
            let problem = |problem: &report::Problem| {
                let place = report.place(problem);
                json!({
                    "message": problem.message,
                    "help": problem.help,
                    "line": place.map(|(line, _)| line),
                    "column": place.map(|(_, column)| column),
                })
            };
            json!({ "verdict": "invalid", "problems": report.problems.iter().map(problem).collect::<Vec<_>>() })
        }
    };
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// Checks whenever the file is another one than before, until the exercise is passed.
#[expect(clippy::disallowed_methods, reason = "a person's file is looked at until it is saved")]
fn watch(desk: &mut Desk, asked: &Asked) -> Result<ExitCode> {
    let name = from_here(&asked.file);
    load::say(&desk.line(say::WATCHING, &[("file", &name), ("command", &check(asked))]))?;
    // Not there is a state as well; nothing was said of any yet.
    let mut last: Option<Option<String>> = None;
    loop {
        let now = match read(desk, asked) {
            Ok(now) => now,
            Err(refusal) => return load::answer(Err(refusal)),
        };
        if last.as_ref() != Some(&now) {
            match &now {
                Some(text) => {
                    let code = once(desk, asked, text, Report::Text)?;
                    if code == ExitCode::SUCCESS {
                        return Ok(code);
                    }
                }
                None => load::say(&desk.line(say::FILE_GONE, &[("file", &name)]))?,
            }
            last = Some(now);
        }
        std::thread::sleep(LOOKED_AT_EVERY);
    }
}
