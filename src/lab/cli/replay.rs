//! `mqlab replay`: a run again, at a moment; a run file must come out as it was written, and keeps the bookmarks.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::args::ReplayArgs;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::{Judged, exit_code, text};
use crate::lab::cli::source::{self, Recorded, Refusal};
use crate::lab::locale::Lang;
use crate::lab::scenario::run_file;
use crate::lab::tui::player::Player;
use crate::lab::view::lines;

/// Runs it again, in the player on a terminal.
pub(super) fn run(args: &ReplayArgs, look: Look) -> Result<ExitCode> {
    if let Err(refusal) = same_build(args, look) {
        return load::answer(Err(refusal));
    }
    let (judged, recorded) = match source::judged(&args.run, &args.plan, look) {
        Ok(judged) => judged,
        Err(refusal) => return load::answer(Err(refusal)),
    };
    let bookmarks = recorded.as_ref().map(|recorded| recorded.file.bookmarks.clone()).unwrap_or_default();
    let on_screen = !args.no_tui && !look.no_input && load::is_terminal();
    if args.plain || on_screen {
        let at = args.at.as_deref();
        let left = load::replay(judged, (bookmarks.clone(), at), (look, args.plain))?;
        return match recorded.filter(|_| left != bookmarks && args.run != "-") {
            Some(recorded) => load::answer(keep(&recorded, &left, look.lang).map_err(Refusal::from)),
            None => Ok(ExitCode::SUCCESS),
        };
    }
    let told = args.at.as_deref().map(|at| moment(&judged, at, look.lang)).transpose();
    let told = match told {
        Ok(told) => told.unwrap_or_default(),
        Err(text) => return load::answer(Err(Refusal::from(text))),
    };
    load::say(&text(&judged, look.lang, (args.verbose, false)))?;
    load::say(&told)?;
    for mark in &bookmarks {
        let time = judged.result.trace.time(mark.at);
        let word = if look.lang == Lang::Zh { "书签" } else { "bookmark" };
        load::say(&format!("{word}  #{} {time} {}\n", mark.at, mark.note))?;
    }
    if let Some(recorded) = &recorded {
        let name = &recorded.name;
        load::say(&match look.lang {
            Lang::En => format!("the run is the one of {name}\n"),
            Lang::Zh => format!("本次运行与 {name} 相同\n"),
        })?;
    }
    Ok(ExitCode::from(exit_code(&judged)))
}

/// A moment as text: what had just happened, and how far each message had come.
fn moment(judged: &Judged, at: &str, lang: Lang) -> Result<String, String> {
    let Judged { scenario, result, findings, .. } = judged;
    let mut player = Player::new(scenario.clone(), result.clone(), findings.clone());
    player.go_to(at);
    if let Some(note) = &player.note {
        return Err(format!("--at: {}\n", note.text(lang)));
    }
    let step = player.at.saturating_sub(1);
    let mut out = format!(
        "at  #{} {}  {}\n",
        player.at,
        player.trace.time(player.at),
        lines::of_step(&player.trace, &player.handles, step, lang)
    );
    for number in 0..player.handles.messages.len() {
        player.look_at(number);
        let _ = writeln!(out, "    {}  {}", player.handles.name(number), player.life.state(player.at).text(lang));
    }
    Ok(out)
}

/// With `--strict-build`, that this build wrote the file.
fn same_build(args: &ReplayArgs, look: Look) -> Result<(), Refusal> {
    let ours = env!("CARGO_PKG_VERSION");
    let recorded = match args.strict_build && args.run != "-" {
        true => source::of(&args.run, &args.plan, look)?.recorded,
        false => None,
    };
    match recorded.and_then(|recorded| recorded.file.build).filter(|build| build != ours) {
        None => Ok(()),
        Some(build) => Err(Refusal::from(format!(
            "{} was written by mqlab {build}, and this is {ours}\n  help: leave out --strict-build, and it is compared\n",
            args.run
        ))),
    }
}

/// Writes the bookmarks into the run file; the run in it stays as it is.
fn keep(recorded: &Recorded, bookmarks: &[run_file::Bookmark], lang: Lang) -> Result<String, String> {
    let name = &recorded.name;
    let text = run_file::with_bookmarks(&recorded.file.lines, bookmarks);
    let written = run_file::bytes(name, text).and_then(|bytes| std::fs::write(Path::new(name), bytes));
    written
        .map_err(|error| format!("{name} cannot be written: {error}\n  help: give yourself the right to write it\n"))?;
    let count = bookmarks.len();
    Ok(match lang {
        Lang::En => format!("{name} keeps {count} bookmarks\n"),
        Lang::Zh => format!("{name} 保存了 {count} 个书签\n"),
    })
}
