//! What every command needs: the scenario, the look of the terminal, and a standard output that may be closed.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::lab::cli::args::{self, PlanArgs};
use crate::lab::cli::plain;
use crate::lab::cli::run::Judged;
use crate::lab::cli::source::{self, Refusal};
use crate::lab::cli::{home, learn, library_scenarios};
use crate::lab::locale::Lang;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::run_file::Bookmark;
use crate::lab::tui;
use crate::lab::tui::app::App;
use crate::lab::tui::home::Choice;
use crate::lab::tui::seen::Seen;
use crate::lab::tui::theme::Theme;

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
    /// Which colours stand for what, in the terminal.
    pub(super) theme: Theme,
    /// Whether playing jumps from stop to stop.
    pub(super) reduced_motion: bool,
    /// Whether nobody is asked anything.
    pub(super) no_input: bool,
    /// Whether notes are left out.
    pub(super) quiet: bool,
    /// Where what is kept between two visits lies, if the person says so.
    pub(super) data: Option<&'static Path>,
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
    let theme = match flags.theme {
        args::Theme::Auto => environment("COLORFGBG").map_or(Theme::Auto, |ground| Theme::of_ground(&ground)),
        args::Theme::Dark => Theme::Dark,
        args::Theme::Light => Theme::Light,
        args::Theme::HighContrast => Theme::HighContrast,
        args::Theme::Mono => Theme::Mono,
    };
    Look {
        lang,
        color,
        unicode: !flags.ascii && utf8,
        mouse: !flags.no_mouse,
        theme,
        reduced_motion: flags.reduced_motion,
        no_input: flags.no_input,
        quiet: flags.quiet,
        // It is asked for once, and holds as long as the program runs.
        data: flags.data.clone().map(|data| &*Box::leak(data.into_boxed_path())),
    }
}

/// The scenario of that name or path with the changes of the command line, or why not, as text.
pub(super) fn scenario(name: &str, plan: &PlanArgs, look: Look) -> Result<Scenario, String> {
    let scenario = source::of(name, plan, look)?.scenario;
    noted(&scenario, look);
    Ok(scenario)
}

/// Tells what should be known of a scenario.
pub(super) fn noted(scenario: &Scenario, look: Look) {
    for note in scenario.notes.iter().filter(|_| !look.quiet) {
        complain(&format!("note: {}\n", note.text(look.lang)));
    }
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

/// Prints an answer, or why there is none; the exit code says which.
pub(super) fn answer(answered: Result<String, Refusal>) -> anyhow::Result<ExitCode> {
    match answered {
        Ok(text) => {
            say(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Refusal { text, code }) => {
            complain(&text);
            Ok(ExitCode::from(code))
        }
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

/// Opens the terminal on one scenario; the first screen, with those of the binary, lies behind it.
pub(super) fn play(scenario: Scenario, look: Look) -> anyhow::Result<()> {
    let mut app = app(library_scenarios()?, look);
    learn::remember(&mut app, look);
    app.open_scenario(scenario);
    home::stay(app, look)
}

/// Opens a lesson, the tour or the first screen, on the screen.
pub(super) fn teach(choice: Option<Choice>, look: Look) -> anyhow::Result<()> {
    let mut app = app(library_scenarios()?, look);
    learn::remember(&mut app, look);
    if let Some(choice) = choice {
        app.follow(choice);
    }
    home::stay(app, look)
}

/// A lesson as a dialogue of lines; gives what was seen.
pub(super) fn study(scenario: Scenario, look: Look) -> anyhow::Result<Seen> {
    let mut app = app(vec![scenario], look);
    app.open(0);
    Ok(plain::talk(app)?.seen)
}

/// A run as a dialogue of lines.
pub(super) fn talk(scenario: Scenario, look: Look) -> anyhow::Result<()> {
    let mut app = app(Vec::new(), look);
    app.open_scenario(scenario);
    plain::talk(app)?;
    Ok(())
}

/// Opens a run that was there before, with its bookmarks, at a moment; gives the bookmarks back as they were left.
pub(super) fn replay(
    judged: Judged,
    (bookmarks, at): (Vec<Bookmark>, Option<&str>),
    (look, as_lines): (Look, bool),
) -> anyhow::Result<Vec<Bookmark>> {
    let mut app = app(Vec::new(), look);
    app.resume(judged.scenario, judged.result, judged.findings);
    if let Some(player) = &mut app.player {
        player.stops.bookmarks = bookmarks;
        if let Some(at) = at {
            player.go_to(at);
        }
    }
    let app = match as_lines {
        true => plain::talk(app)?,
        false => {
            tui::run(&mut app, &mut |_, _| ())?;
            app
        }
    };
    Ok(app.player.map(|player| player.stops.bookmarks).unwrap_or_default())
}

/// The terminal program over these scenarios.
pub(super) fn app(scenarios: Vec<Scenario>, look: Look) -> App {
    let options = tui::Options { lang: look.lang, color: look.color, unicode: look.unicode, mouse: look.mouse };
    let mut app = App::new(scenarios, options);
    (app.theme, app.reduced_motion) = (look.theme, look.reduced_motion);
    if cfg!(feature = "mutants") {
        app.panics_on = environment("MQLAB_PANICS_ON").and_then(|key| key.chars().next());
    }
    app
}
