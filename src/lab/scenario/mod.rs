//! A scenario as written (a script), and the same with every number decided (a plan).

use crate::lab::scenario::plan::Plan;
use crate::lab::scenario::report::{Problem, Report};
use crate::lab::scenario::script::Script;

pub mod script;

pub mod plan;

pub mod count;

pub mod lesson;

pub mod library;

pub mod overrides;

pub mod report;

mod resolve;

/// A scenario that can be run.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// What the simulator does.
    pub plan: Plan,
    /// What is told about it.
    pub lesson: lesson::Lesson,
    /// The script as it was read, overrides included.
    pub text: String,
}

/// No scenario file is longer, in bytes.
pub const FILE_MAX: usize = 1 << 20;

/// Reads a scenario file and decides every number.
///
/// Errors: the report names every problem with its place, or the first one if the file is no TOML of this shape.
pub fn load(name: &str, bytes: &[u8], changes: &overrides::Overrides) -> Result<Scenario, Report> {
    let text = read(name, bytes)?;
    let (name, text) = overrides::apply(name, text, changes)?;
    let script = parse(&name, &text)?;
    match resolve::resolve(&script, changes.seed) {
        Ok((plan, lesson)) => Ok(Scenario { plan, lesson, text }),
        Err(mut problems) => {
            problems.sort_by_key(|problem| problem.at.as_ref().map_or(0, |at| at.start));
            Err(Report { name, text, problems })
        }
    }
}

fn read(name: &str, bytes: &[u8]) -> Result<String, Report> {
    let refuse = |code, message: String, help: &str| {
        let problem = Problem { code, message, at: None, label: String::new(), help: help.to_owned() };
        Report::one(name, "", problem)
    };
    if bytes.len() > FILE_MAX {
        let message = format!("the file has {} bytes; a scenario has at most {FILE_MAX}", bytes.len());
        return Err(refuse("too_large", message, "is this the right file?"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => {
            let help = "start from a copy of scenarios/01-first-message.toml";
            Err(refuse("empty", "the file is empty".to_owned(), help))
        }
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let column = good.len() - good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) + 1;
            let byte = bytes[error.valid_up_to()];
            let message = format!("the file is not UTF-8: byte 0x{byte:02x} in line {line}, column {column}");
            Err(refuse("encoding", message, "save the file as UTF-8"))
        }
    }
}

fn parse(name: &str, text: &str) -> Result<Script, Report> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or("this is not TOML").to_owned();
        let help = suggestion(&message);
        let code = if message.starts_with("unknown") { "unknown_key" } else { "syntax" };
        let at = error.span().or(Some(0..0));
        Report::one(name, text, Problem { code, message, at, label: "here".to_owned(), help })
    })
}

/// The way out of an error of serde's: the nearest of the names that it lists.
fn suggestion(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let general = "a scenario is TOML; scenarios/17-power-loss.toml shows every table".to_owned();
    let Some(wrong) = names.next() else { return general };
    if !message.starts_with("unknown") {
        return general;
    }
    let known: Vec<&str> = names.collect();
    match crate::lab::fault::moment::nearest(wrong, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}
