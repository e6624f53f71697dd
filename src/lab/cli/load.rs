//! What every command needs: the scenario, the look of the terminal, and a standard output that may be closed.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::path::Path;

use crate::lab::cli::args::{self, PlanArgs};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::report::Drawing;
use crate::lab::scenario::{FILE_MAX, Scenario, library, load};
use crate::lab::tui;

/// How people are talked to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// The language.
    pub(super) lang: Lang,
    /// With colours.
    pub(super) color: bool,
    /// With box-drawing characters.
    pub(super) unicode: bool,
    /// With the mouse, in the terminal.
    pub(super) mouse: bool,
}

/// A variable of the environment; one that is set to nothing is not set.
#[expect(clippy::disallowed_methods, reason = "the front door is where the environment is read")]
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The look that flags and environment ask for.
pub(super) fn look(flags: &args::Look) -> Look {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(environment).unwrap_or_default();
    let lang = match flags.lang {
        Some(args::Lang::En) => Lang::En,
        Some(args::Lang::Zh) => Lang::Zh,
        None => Lang::of_locale(&locale),
    };
    let color = match flags.color {
        args::Color::Always => true,
        args::Color::Never => false,
        args::Color::Auto => environment("NO_COLOR").is_none() && io::stdout().is_terminal(),
    };
    let utf8 = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    Look { lang, color, unicode: !flags.ascii && utf8, mouse: !flags.no_mouse }
}

/// The scenario of that name or path with the changes of the command line, or why not, as text.
///
/// A file outside the library keeps its path as its name, so that the command that is printed finds it again.
pub(super) fn scenario(name: &str, plan: &PlanArgs, look: Look) -> Result<Scenario, String> {
    let PlanArgs { seed, variant, until, sets, edits } = plan.clone();
    let changes = Overrides { seed, variant, until, sets, edits };
    let (shown, bytes) = read(name)?;
    let drawing = Drawing { color: look.color, unicode: look.unicode, width: 100 };
    let mut scenario = load(&shown, &bytes, &changes).map_err(|report| report.draw(drawing))?;
    name.clone_into(&mut scenario.origin.name);
    for note in &scenario.notes {
        complain(&format!("note: {}\n", note.text(look.lang)));
    }
    Ok(scenario)
}

fn read(name: &str) -> Result<(String, Vec<u8>), String> {
    if let Some(text) = library::text(name) {
        return Ok((format!("{name}.toml"), text.as_bytes().to_vec()));
    }
    let path = Path::new(name);
    let is_path = name.ends_with(".toml") || name.contains(['/', '\\']) || path.exists();
    if !is_path {
        let part = || library::names().find(|known| !name.is_empty() && known.contains(name));
        let help = match nearest(name, library::names()).or_else(part) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`mqlab list` shows what there is; a path ends in .toml".to_owned(),
        };
        return Err(format!("no scenario named `{name}`\n  help: {help}\n"));
    }
    let shown = path.file_name().map_or_else(|| name.to_owned(), |file| file.to_string_lossy().into_owned());
    if path.is_dir() {
        return Err(format!("{name} is a folder, not a scenario file\n  help: name a file in it\n"));
    }
    // One byte too many is enough to be told that it is too long: a device may never end.
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(name, &error))?;
    Ok((shown, bytes))
}

fn unreadable(name: &str, error: &io::Error) -> String {
    let help = match error.kind() {
        ErrorKind::NotFound => "`mqlab list` shows the scenarios that need no file",
        ErrorKind::PermissionDenied => "give yourself the right to read it",
        _ => "is it a regular file?",
    };
    format!("{name} cannot be read: {error}\n  help: {help}\n")
}

/// Prints data; a reader that has left is no error.
pub(super) fn say(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("standard output cannot be written"))
        }
        _ => Ok(()),
    }
}

/// Says what is wrong; if nobody can be told, the exit code still says so.
pub(super) fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Whether somebody sits in front of a screen.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal() && environment("TERM").is_none_or(|term| term != "dumb")
}

/// Opens the terminal on a list of scenarios, or on one of them at once.
pub(super) fn play(scenarios: Vec<Scenario>, look: Look, open: Option<usize>) -> anyhow::Result<()> {
    let options = tui::Options { lang: look.lang, color: look.color, unicode: look.unicode, mouse: look.mouse };
    let mut app = tui::app::App::new(scenarios, options);
    if let Some(place) = open {
        app.open(place);
    }
    Ok(tui::run(app)?)
}
