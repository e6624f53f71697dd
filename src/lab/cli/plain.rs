//! `--plain`: the player as a dialogue of lines.

use std::io::BufRead;

use anyhow::{Context, Result};

use crate::lab::cli::load;
use crate::lab::tui::app::App;
use crate::lab::tui::dialogue::Dialogue;

/// Talks until the person leaves or the input ends; gives the app back.
pub(super) fn talk(app: App) -> Result<App> {
    let mut dialogue = Dialogue::new(app);
    load::say(&dialogue.begin())?;
    let mut lines = std::io::stdin().lock().lines();
    while !dialogue.left() {
        load::say("> ")?;
        let Some(line) = lines.next() else {
            load::say("\n")?;
            break;
        };
        let line = line.context("standard input can be read as text")?;
        load::say(&dialogue.hear(&line))?;
    }
    Ok(dialogue.app)
}
