//! The way through the course: from the first screen into a lesson, to its card, and on to the next one.

use ratatui::crossterm::event::KeyCode;

use crate::lab::fault::moment;
use crate::lab::locale::Phrase;
use crate::lab::scenario::library;
use crate::lab::scenario::load;
use crate::lab::tui::app::App;
use crate::lab::tui::card::Card;
use crate::lab::tui::home::{Choice, Lesson, Page, State};
use crate::lab::tui::player::Player;

/// What a lesson asks to be broken: at which of its moments, and with which fault.
struct Break {
    lesson: &'static str,
    when: &'static str,
    edit: &'static str,
}

const BREAKS: &[Break] =
    &[Break { lesson: "01-first-message", when: "first:deliver", edit: "+cut shop broker-a for 30s" }];

impl App {
    /// Does what was chosen on the first screen.
    pub fn follow(&mut self, choice: Choice) {
        self.touring = choice == Choice::Tour;
        match choice {
            Choice::Open(id) => self.begin(&id),
            Choice::Tour => {
                if let Some(id) = self.home.on_tour(None).map(|lesson| lesson.id.clone()) {
                    self.begin(&id);
                }
            }
            Choice::Sandbox => {
                let (name, text) = library::SANDBOX;
                match load(name, text.as_bytes(), &Default::default()) {
                    Ok(scenario) => self.open_scenario(scenario),
                    Err(report) => self.home.note = Some(Phrase::both(report.to_string())),
                }
            }
            Choice::Run(path) => self.asked = Some(path),
            Choice::Quit => self.leave(),
        }
    }

    /// Opens a lesson and says so, where it was left if it was; somebody who has seen none yet is shown few keys.
    fn begin(&mut self, id: &str) {
        let Some(place) = self.place_of(id) else { return };
        self.home.see(id, self.seen.last(id));
        let left = self.home.lesson(id).filter(|lesson| lesson.state == State::Begun).and_then(|lesson| lesson.step);
        self.open(place);
        self.is_first = self.home.is_new();
        if let (Some(step), Some(player)) = (left, &mut self.player) {
            player.go_on_at(step);
        }
        if self.home.lesson(id).is_some_and(|lesson| !lesson.track.is_empty()) {
            self.taught = Some(id.to_owned());
            self.reach(State::Begun);
        }
    }

    /// The lesson that is up has got so far.
    fn reach(&mut self, state: State) {
        let Some(id) = self.taught.clone() else { return };
        self.home.reach(&id, state);
        self.told.push((id, state));
    }

    /// Where `n` leads from a card.
    pub fn next_lesson(&self) -> Option<&Lesson> {
        let id = self.taught.as_deref()?;
        match self.touring {
            true => self.home.on_tour(Some(id)),
            false => self.home.behind(id),
        }
    }

    /// Puts the card over the screen; the lesson is seen then.
    pub(super) fn finish(&mut self) {
        let Some(player) = &self.player else { return };
        let branches = self.branches.as_ref().filter(|branches| branches.now != 0);
        self.card = Some(Card::of(player, branches.map(|branches| branches.base())));
        self.reach(State::Seen);
    }

    /// Whether `]` leads to the card: at the end of a scenario that tells something.
    pub(super) fn is_told(&self) -> bool {
        let told = |player: &Player| player.at == player.end() && !player.scenario.lesson.steps.is_empty();
        self.player.as_ref().is_some_and(told)
    }

    /// A key on the card.
    pub(super) fn on_card(&mut self, key: KeyCode) {
        match key {
            KeyCode::Esc | KeyCode::Char('[' | ',') => self.card = None,
            KeyCode::Char('n') if self.taught.is_some() => self.go_on(),
            KeyCode::Char('J') | KeyCode::PageDown | KeyCode::Down | KeyCode::Char('j') => {
                if let Some(card) = &mut self.card {
                    card.leaf = card.leaf.wrapping_add(1);
                }
            }
            KeyCode::Char('y') => self.copy_command(),
            KeyCode::Char('L') => self.speak(),
            KeyCode::Char('?') => self.help = Some(0),
            KeyCode::Char('q') => self.leave(),
            _ => {}
        }
    }

    /// To the next lesson, or to the list where there is none.
    fn go_on(&mut self) {
        match self.next_lesson().map(|lesson| lesson.id.clone()) {
            Some(id) => self.begin(&id),
            None => {
                self.close();
                self.touring = false;
                self.home.turn(Page::Lessons);
            }
        }
    }

    /// What the lesson asks to be broken now, while that is still to do.
    pub(super) fn to_break(&self) -> Option<&'static str> {
        let id = self.taught.as_deref()?;
        self.branches.as_ref().filter(|branches| branches.all.len() == 1)?;
        let (_, step) = self.player.as_ref()?.narration()?;
        let here = |own: &&Break| own.lesson == id && moment::parse(own.when).is_ok_and(|when| when == step.when);
        BREAKS.iter().find(here).map(|own| own.edit)
    }

    /// Whether the run that is looked at is a branch of a lesson's.
    pub(super) fn is_broken(&self) -> bool {
        self.taught.is_some() && self.branches.as_ref().is_some_and(|branches| branches.now != 0)
    }

    /// The keys that somebody in a first lesson has been told of; nothing once all of them are shown.
    pub(super) fn learned(&self) -> Option<Vec<&'static str>> {
        let player = self.player.as_ref().filter(|_| self.is_first)?;
        let mut keys = vec!["]", "."];
        if player.answered.is_some() {
            keys.push(",");
        }
        if self.to_break().is_some() {
            keys.push("f");
        }
        if self.is_broken() {
            keys.push("t");
        }
        keys.extend(["?", "q"]);
        Some(keys)
    }
}
