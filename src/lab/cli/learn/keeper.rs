//! What the terminal program says of lessons, written down; and what was written down, told to it.

use super::{Desk, desk};
use crate::lab::cli::load::{self, Look};
use crate::lab::learn::progress::Stage;
use crate::lab::scenario::library;
use crate::lab::tui::app::App;
use crate::lab::tui::home::State;
use crate::lab::tui::seen::Seen;

/// Who writes down how far somebody comes, if that can be done at all.
pub(in crate::lab::cli) struct Keeper {
    desk: Option<Desk>,
}

/// Somebody who writes it down.
pub(in crate::lab::cli) fn keeper(look: Look) -> Keeper {
    let desk = desk(look).map_err(|refusal| load::complain(&refusal.text)).ok();
    Keeper { desk }
}

/// Tells the first screen how far somebody is with each lesson.
pub(in crate::lab::cli) fn remember(app: &mut App, look: Look) {
    let Ok(desk) = desk(look) else { return };
    for id in library::names() {
        let state = match desk.progress.stage(id) {
            Stage::New => State::New,
            Stage::Begun => State::Begun,
            Stage::Seen => State::Seen,
            Stage::Passed => State::Passed,
        };
        app.home.reach(id, state);
        let steps = desk.progress.lessons.get(id).map(|taken| &taken.steps);
        app.home.see(id, steps.and_then(|steps| steps.last().copied()));
    }
}

impl Keeper {
    /// A lesson has got so far. The screen is the program's now: whatever goes wrong is told afterwards.
    pub(in crate::lab::cli) fn hears(&mut self, lesson: &str, state: State) {
        let Some(desk) = &mut self.desk else { return };
        desk.progress.at(lesson).ended |= State::Seen <= state;
        let _ = desk.store.save(&desk.progress);
    }

    /// What was looked at, and answered, of the lessons that were begun.
    pub(in crate::lab::cli) fn saw(&mut self, seen: &Seen) {
        let Some(desk) = &mut self.desk else { return };
        let mut is_new = false;
        for (id, looked) in seen.all() {
            if desk.progress.lessons.contains_key(&id) {
                desk.progress.saw(&id, &looked.steps, &looked.answers, false);
                is_new = true;
            }
        }
        if is_new {
            desk.keep();
        }
    }
}
