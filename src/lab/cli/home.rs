//! `mqlab` on a terminal: the first screen, over the lessons of this binary and the files of this folder.

use std::fs;

use anyhow::Result;

use crate::lab::cli::args::PlanArgs;
use crate::lab::cli::learn;
use crate::lab::cli::load::Look;
use crate::lab::cli::source;
use crate::lab::locale::Phrase;
use crate::lab::scenario::FILE_MAX;
use crate::lab::tui;
use crate::lab::tui::app::App;

/// So many files of a folder are listed.
const FILES_MAX: usize = 200;

/// Stays on the terminal until the person leaves; a file that is chosen is read in between. How far somebody comes with the
/// lessons is written down.
pub(super) fn stay(mut app: App, look: Look) -> Result<()> {
    let runs = |name: &str| name.ends_with(".rmqrun");
    app.home.runs = here(runs, |_| true);
    app.home.files = here(|name| name.ends_with(".toml"), is_scenario);
    let mut keeper = learn::keeper(look);
    loop {
        let left = tui::run(&mut app, &mut |lesson, state| keeper.hears(lesson, state));
        keeper.saw(&app.seen);
        left?;
        let Some(file) = app.asked.take() else { return Ok(()) };
        match source::judged(&file, &PlanArgs::default(), look) {
            Ok((judged, recorded)) => {
                app.resume(judged.scenario, judged.result, judged.findings);
                if let (Some(player), Some(recorded)) = (&mut app.player, recorded) {
                    player.stops.bookmarks = recorded.file.bookmarks;
                }
            }
            Err(refusal) => {
                let first = refusal.text.lines().next().unwrap_or_default();
                app.home.note = Some(Phrase::both(first));
            }
        }
    }
}

/// Names of files of this folder, in order; a folder that cannot be read has none.
fn here(is_meant: impl Fn(&str) -> bool, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(folder) = fs::read_dir(".") else { return Vec::new() };
    let names = folder.flatten().filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_meant(name)).collect();
    names.sort_unstable();
    names.into_iter().filter(|name| is_one(name)).take(FILES_MAX).collect()
}

/// Whether a file says of itself that it is a scenario: other programs write TOML, too.
fn is_scenario(name: &str) -> bool {
    let is_short = fs::metadata(name).is_ok_and(|file| file.is_file() && file.len() <= FILE_MAX as u64);
    let text = if is_short { fs::read_to_string(name).unwrap_or_default() } else { String::new() };
    text.parse::<toml::Table>().is_ok_and(|file| file.contains_key("format") && file.contains_key("cluster"))
}
