//! A scenario as written (a script), and the same with every number decided (a plan).

use crate::lab::locale::Phrase;
use crate::lab::scenario::plan::Plan;
use crate::lab::scenario::report::Report;
use crate::lab::scenario::variant::Variant;

pub mod script;

pub mod exercise;

pub mod device;

pub mod fault;

pub mod wrong;

pub mod operator;

pub mod puller;

pub mod table;

pub mod bilingual;

pub mod selector;

pub mod plan;

pub mod count;

pub mod lesson;

pub mod hunt;

pub mod found;

pub mod library;

pub mod overrides;

pub mod places;

pub mod edit;

pub mod variant;

pub mod report;

pub mod run_file;

pub mod schema;

mod read;

mod resolve;

pub(crate) mod remark;

pub mod import;

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
    /// The file's name, and what was changed in it.
    pub origin: Origin,
    /// Which of its file's shapes it is, if that has several.
    pub variant: Option<Variant>,
    /// What a hunt draws anew for each seed.
    pub draws: hunt::Draws,
    /// Where it comes from, if a hunt found it.
    pub found: Option<found::FoundScript>,
}

/// Where a scenario comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Origin {
    /// The file's name.
    pub name: String,
    /// The file's text.
    pub text: String,
    /// What the command line, and whoever looked at a run, changed.
    pub changes: overrides::Overrides,
}

impl Scenario {
    /// The same scenario with more edits.
    ///
    /// Errors: an edit means nothing here.
    pub fn edited(&self, edits: &[String]) -> Result<Scenario, Report> {
        let Origin { name, text, changes } = &self.origin;
        let mut changes = changes.clone();
        changes.edits.extend_from_slice(edits);
        load(name, text.as_bytes(), &changes)
    }

    /// The shapes that its file has; none where it has one only.
    pub fn variants(&self) -> Vec<Variant> {
        variant::all(&self.origin.text)
    }

    /// The same scenario in another shape.
    ///
    /// Errors: its file has no such shape, or that is no scenario.
    pub fn in_variant(&self, variant: &str) -> Result<Scenario, Report> {
        let Origin { name, text, changes } = &self.origin;
        let changes = overrides::Overrides { variant: Some(variant.to_owned()), ..changes.clone() };
        load(name, text.as_bytes(), &changes)
    }

    /// The command that runs it as it is.
    pub fn command(&self) -> String {
        let Origin { name, changes, .. } = &self.origin;
        let known = name.strip_suffix(".toml").filter(|name| library::text(name).is_some());
        let name = overrides::quoted(known.unwrap_or(name));
        format!("mqlab run {name} --seed {}{}", self.plan.seed, changes.flags())
    }
}

/// No scenario file is longer, in bytes.
pub const FILE_MAX: usize = 1 << 20;

/// The version of the format that is read.
const FORMAT: i64 = 1;

/// Reads a scenario file and decides every number.
///
/// Errors: the report names every problem with its place, or the first one if the file is no TOML of this shape.
pub fn load(name: &str, bytes: &[u8], changes: &overrides::Overrides) -> Result<Scenario, Report> {
    let original = read::text(name, bytes)?;
    let origin = Origin { name: name.to_owned(), text: original.clone(), changes: changes.clone() };
    let overrides::Applied { name, text, variant } = overrides::apply(name, original, changes)?;
    let variant = variant.and_then(|chosen| variant::all(&origin.text).into_iter().find(|one| one.name == chosen));
    let script = read::script(&name, &text)?;
    match resolve::resolve(&script, &text, changes.seed) {
        Ok(resolve::Resolved { plan, lesson, notes, draws }) => {
            let found = script.plan;
            Ok(Scenario { plan, lesson, text, notes, origin, variant, draws, found })
        }
        Err(mut problems) => {
            problems.sort_by_key(|problem| problem.at.as_ref().map_or(0, |at| at.start));
            Err(Report { name, text, problems })
        }
    }
}
