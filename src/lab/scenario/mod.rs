//! A scenario as written (a script), and the same with every number decided (a plan).

use crate::lab::locale::Phrase;
use crate::lab::scenario::plan::Plan;
use crate::lab::scenario::report::Report;

pub mod script;

pub mod device;

pub mod operator;

pub mod puller;

pub mod table;

pub mod bilingual;

pub mod selector;

pub mod plan;

pub mod count;

pub mod lesson;

pub mod library;

pub mod overrides;

pub mod report;

mod read;

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
    /// What is not wrong, and should be known: settings that do nothing.
    pub notes: Vec<Phrase>,
}

/// No scenario file is longer, in bytes.
pub const FILE_MAX: usize = 1 << 20;

/// The version of the format that is read.
const FORMAT: i64 = 1;

/// Reads a scenario file and decides every number.
///
/// Errors: the report names every problem with its place, or the first one if the file is no TOML of this shape.
pub fn load(name: &str, bytes: &[u8], changes: &overrides::Overrides) -> Result<Scenario, Report> {
    let text = read::text(name, bytes)?;
    let (name, text) = overrides::apply(name, text, changes)?;
    let script = read::script(&name, &text)?;
    match resolve::resolve(&script, changes.seed) {
        Ok((plan, lesson, notes)) => Ok(Scenario { plan, lesson, text, notes }),
        Err(mut problems) => {
            problems.sort_by_key(|problem| problem.at.as_ref().map_or(0, |at| at.start));
            Err(Report { name, text, problems })
        }
    }
}
