//! Where a run comes from: the library, a scenario file, a plan that a hunt found, a run file, or standard input (`-`).
//!
//! A run file is run again, and must come out as it was written.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::lab::cli::args::PlanArgs;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::{self, Judged};
use crate::lab::cli::{DIVERGED, INVALID, determinism};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::report::Drawing;
use crate::lab::scenario::run_file::{self, RunFile};
use crate::lab::scenario::{self, FILE_MAX, Scenario, library};
use crate::lab::sim::session::{RunResult, Session};
use crate::lab::trace::compare::{self, Match};
use crate::lab::trace::file;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::Level;

/// A scenario, and the run file that it stands in, if it does.
pub(super) struct Source {
    pub(super) scenario: Scenario,
    pub(super) recorded: Option<Recorded>,
}

/// What was written of a run.
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) file: RunFile,
    /// Whether the command line changes the run, so that it need not come out as it was written.
    is_changed: bool,
}

/// Why there is no run, and the exit code for that.
pub(super) struct Refusal {
    pub(super) text: String,
    pub(super) code: u8,
}

impl From<String> for Refusal {
    fn from(text: String) -> Refusal {
        Refusal { text, code: INVALID }
    }
}

/// Bytes, and under which name they are told of.
struct Found {
    shown: String,
    bytes: Vec<u8>,
    /// Whether that is a run file; one that is called a scenario is none.
    is_run: bool,
}

/// The scenario of a name, with the changes of the command line; or why not, as text.
///
/// A file outside the library keeps its path as its name, so that the command that is printed finds it again.
pub(super) fn of(name: &str, plan: &PlanArgs, look: Look) -> Result<Source, String> {
    let PlanArgs { seed, variant, until, sets, edits } = plan.clone();
    let mut changes = Overrides { seed, variant, until, sets, edits };
    let drawing = Drawing { color: look.color, unicode: look.unicode, width: 100 };
    let (name, with_seed) = split(name)?;
    changes.seed = with_seed.or(changes.seed);
    let found = read(name)?;
    if !found.is_run {
        let mut scenario =
            scenario::load(&found.shown, &found.bytes, &changes).map_err(|report| report.draw(drawing))?;
        name.clone_into(&mut scenario.origin.name);
        return Ok(Source { scenario, recorded: None });
    }
    let file = run_file::read(&found.bytes).map_err(|why| {
        format!("{name} is no trace: {why}\n  help: write it again with `mqlab run SCENARIO --out {name}`\n")
    })?;
    let Some(origin) = &file.origin else {
        return Err(format!(
            "{name} does not say how it is run again: its head has no `run`\n  help: write it again with `mqlab run \
             SCENARIO --out {name}`; `mqlab run --against` and `mqlab diff` read it as it is\n"
        ));
    };
    let is_changed = changes != Overrides::default();
    let changes = over(&origin.changes, changes);
    let scenario =
        scenario::load(&origin.name, origin.text.as_bytes(), &changes).map_err(|report| report.draw(drawing))?;
    Ok(Source { scenario, recorded: Some(Recorded { name: name.to_owned(), file, is_changed }) })
}

/// What the file changes, and over that what the command line does.
fn over(written: &Overrides, asked: Overrides) -> Overrides {
    let mut changes = written.clone();
    changes.seed = asked.seed.or(changes.seed);
    changes.variant = asked.variant.or(changes.variant);
    changes.until = asked.until.or(changes.until);
    changes.sets.extend(asked.sets);
    changes.edits.extend(asked.edits);
    changes
}

/// A run of that name, judged. A run file whose run comes out otherwise is refused: its events are not these.
pub(super) fn judged(name: &str, plan: &PlanArgs, look: Look) -> Result<(Judged, Option<Recorded>), Refusal> {
    let Source { scenario, recorded } = of(name, plan, look)?;
    load::noted(&scenario, look);
    let judged = run::judge(scenario);
    if let Some(recorded) = &recorded {
        recorded.is_the_run(&judged.scenario, &judged.result, look.lang)?;
    }
    Ok((judged, recorded))
}

/// The same without verdicts: its trace.
pub(super) fn trace(name: &str, plan: &PlanArgs, look: Look) -> Result<Trace, Refusal> {
    let Source { scenario, recorded } = of(name, plan, look)?;
    load::noted(&scenario, look);
    let result = Session::run(&scenario.plan, Level::Full);
    if let Some(recorded) = &recorded {
        recorded.is_the_run(&scenario, &result, look.lang)?;
    }
    Ok(result.trace)
}

impl Recorded {
    /// That a run of its scenario is the one that was written; if the command line changes nothing.
    pub(super) fn is_the_run(&self, scenario: &Scenario, result: &RunResult, lang: Lang) -> Result<(), Refusal> {
        let digest = result.digest.to_string();
        if self.is_changed || digest == self.file.digest {
            return Ok(());
        }
        let name = &self.name;
        let build = self.file.build.as_deref().unwrap_or("?");
        let mut text = match lang {
            Lang::En => {
                format!("the run is not the one of {name}, which mqlab {build} wrote (-: the file, +: this run)\n")
            }
            Lang::Zh => format!("本次运行与 {name}（由 mqlab {build} 写成）不同（-：文件，+：本次运行）\n"),
        };
        let ours = file::jsonl(&result.trace, &result.digest);
        match compare::parting(&self.file.lines, &ours, Match::ByOrdinal) {
            Ok(Some(parting)) => text.push_str(&determinism::parted(&parting, lang)),
            Ok(None) => {}
            Err((_, why)) => text.push_str(&format!("{name} is no trace: {why}\n")),
        }
        let command = scenario.command();
        text.push_str(&match lang {
            Lang::En => format!("  help: `{command}` is the run of this build\n"),
            Lang::Zh => format!("  帮助：`{command}` 是本版本的运行\n"),
        });
        Err(Refusal { text, code: DIVERGED })
    }
}

/// `17-power-loss@7` is the scenario with a seed.
fn split(name: &str) -> Result<(&str, Option<u64>), String> {
    let Some((scenario, seed)) = name.rsplit_once('@') else { return Ok((name, None)) };
    let is_there = library::text(scenario).is_some() || Path::new(scenario).is_file();
    match seed.parse::<u64>() {
        _ if Path::new(name).exists() => Ok((name, None)),
        Ok(seed) => Ok((scenario, Some(seed))),
        Err(_) if is_there => Err(format!("`{seed}` is no seed\n  help: write `{scenario}@7`\n")),
        Err(_) => Ok((name, None)),
    }
}

fn read(name: &str) -> Result<Found, String> {
    if let Some(text) = library::text(name) {
        return Ok(Found { shown: format!("{name}.toml"), bytes: text.as_bytes().to_vec(), is_run: false });
    }
    if name == "-" {
        let (bytes, is_run) =
            bytes(io::stdin(), true).map_err(|error| format!("standard input cannot be read: {error}\n"))?;
        return Ok(Found { shown: "-".to_owned(), bytes, is_run });
    }
    let path = Path::new(name);
    let ends = [".toml", ".rmqrun", ".jsonl"];
    let is_path = ends.iter().any(|end| name.ends_with(end)) || name.contains(['/', '\\']) || path.exists();
    if !is_path {
        let part = || library::names().find(|known| !name.is_empty() && known.contains(name));
        let help = match nearest(name, library::names()).or_else(part) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "`mqlab list` shows what there is; a file ends in .toml or .rmqrun; `-` is standard input".to_owned()
            }
        };
        let count = library::names().count();
        return Err(format!(
            "no scenario named `{name}`\n  tried: the {count} scenarios of this build, and the file ./{name}\n  help: {help}\n"
        ));
    }
    if path.is_dir() {
        return Err(format!("{name} is a folder, not a scenario file\n  help: name a file in it\n"));
    }
    let shown = path.file_name().map_or_else(|| name.to_owned(), |file| file.to_string_lossy().into_owned());
    let may_be_run = !name.ends_with(".toml");
    let read = File::open(path).and_then(|file| bytes(file, may_be_run));
    let (bytes, is_run) = read.map_err(|error| unreadable(name, &error))?;
    Ok(Found { shown, bytes, is_run })
}

/// A scenario up to one byte too many, which is enough to be told that it is too long: a device may never end. A run file is
/// read to its end. And which of the two it is.
fn bytes(from: impl Read, may_be_run: bool) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    let mut scenario = from.take(FILE_MAX as u64 + 1);
    scenario.read_to_end(&mut bytes)?;
    let is_run = may_be_run && run_file::is_one(&bytes);
    if is_run {
        scenario.into_inner().take(RUN_FILE_MAX).read_to_end(&mut bytes)?;
    }
    Ok((bytes, is_run))
}

/// No run file is longer, in bytes.
const RUN_FILE_MAX: u64 = 1 << 32;

fn unreadable(name: &str, error: &io::Error) -> String {
    let help = match error.kind() {
        ErrorKind::NotFound => "`mqlab list` shows the scenarios that need no file",
        ErrorKind::PermissionDenied => "give yourself the right to read it",
        _ => "is it a regular file?",
    };
    format!("{name} cannot be read: {error}\n  help: {help}\n")
}
