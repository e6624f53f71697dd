//! The app: which screen is up, and what a key does there.

use ratatui::crossterm::event::KeyCode;

use crate::lab::check;
use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::Scenario;
use crate::lab::sim::session::{RunResult, Session};
use crate::lab::trace::record::Level;
use crate::lab::tui::Options;
use crate::lab::tui::asked;
use crate::lab::tui::branch::{self, Branches};
use crate::lab::tui::card::Card;
use crate::lab::tui::home::{Home, Lesson, State};
use crate::lab::tui::menu::{Menu, Of};
use crate::lab::tui::player::{Player, Typing};
use crate::lab::tui::seen::Seen;
use crate::lab::tui::teaching::Teaching;
use crate::lab::tui::theme::Theme;
use crate::lab::tui::views;

/// The whole terminal program.
#[derive(Clone, Debug)]
pub struct App {
    /// How the terminal is used.
    pub options: Options,
    /// The first screen.
    pub home: Home,
    /// The player, while one is up.
    pub player: Option<Player>,
    /// The ways that the player's run went, while it is up.
    pub branches: Option<Branches>,
    /// The menu that lies over the screen.
    pub menu: Option<Menu>,
    /// Which page of the help lies over the screen, if it does.
    pub help: Option<usize>,
    /// The card that lies over the player.
    pub card: Option<Card>,
    /// The lesson that the player shows, if it was opened as one.
    pub taught: Option<String>,
    /// Whether that is somebody's first: few keys are shown.
    pub is_first: bool,
    /// Whether a card leads on to the tour's next lesson.
    pub touring: bool,
    /// How far somebody has got with which lesson, for whoever keeps that.
    pub told: Vec<(String, State)>,
    /// A file that was chosen: the terminal is left until it has been read.
    pub asked: Option<String>,
    /// Which colours stand for what.
    pub theme: Theme,
    /// Whether playing jumps from stop to stop.
    pub reduced_motion: bool,
    /// What was seen in players.
    pub seen: Seen,
    /// What the terminal is to copy.
    pub copied: Option<String>,
    /// A key at which it panics, to see what becomes of the terminal then.
    pub panics_on: Option<char>,
    scenarios: Vec<Scenario>,
    left: bool,
}

impl App {
    /// The first screen over these scenarios.
    pub fn new(scenarios: Vec<Scenario>, options: Options) -> App {
        let lesson = |scenario: &Scenario| {
            let teaching = Teaching::of(scenario);
            Lesson {
                id: scenario.plan.scenario.to_string(),
                title: scenario.lesson.title.clone(),
                question: scenario.lesson.question.clone(),
                minutes: teaching.minutes(scenario),
                track: teaching.track,
                state: State::New,
                step: None,
            }
        };
        let home = Home { lessons: scenarios.iter().map(lesson).collect(), ..Home::default() };
        App {
            options,
            home,
            player: None,
            branches: None,
            menu: None,
            help: None,
            card: None,
            taught: None,
            is_first: false,
            touring: false,
            told: Vec::new(),
            asked: None,
            theme: Theme::default(),
            reduced_motion: false,
            seen: Seen::default(),
            copied: None,
            panics_on: None,
            scenarios,
            left: false,
        }
    }

    /// Whether the person has left.
    pub fn left(&self) -> bool {
        self.left
    }

    /// Opens the player on the scenario of that place.
    pub fn open(&mut self, place: usize) {
        if let Some(scenario) = self.scenarios.get(place).cloned() {
            self.open_scenario(scenario);
        }
    }

    /// Opens the player on a scenario, whether the first screen knows it or not.
    pub fn open_scenario(&mut self, scenario: Scenario) {
        self.close();
        self.branches = Some(Branches::of(scenario.clone()));
        self.play(scenario);
    }

    /// The place of the scenario of a name.
    pub(super) fn place_of(&self, id: &str) -> Option<usize> {
        self.scenarios.iter().position(|scenario| *scenario.plan.scenario == *id)
    }

    /// Back to the first screen.
    pub(super) fn close(&mut self) {
        (self.player, self.branches, self.card, self.taught) = (None, None, None, None);
        self.is_first = false;
    }

    pub(super) fn leave(&mut self) {
        self.left = true;
    }

    fn play(&mut self, scenario: Scenario) {
        let result = Session::run(&scenario.plan, Level::Full);
        let findings = check::run(&result.trace, &scenario.plan);
        self.show(scenario, result, findings);
    }

    /// Opens the player on a run that was made already.
    pub fn resume(&mut self, scenario: Scenario, result: RunResult, findings: Vec<check::Finding>) {
        self.close();
        self.branches = Some(Branches::of(scenario.clone()));
        self.show(scenario, result, findings);
    }

    fn show(&mut self, scenario: Scenario, result: RunResult, findings: Vec<check::Finding>) {
        let mut player = Player::new(scenario, result, findings);
        player.seen = self.seen.clone();
        if let Some(before) = self.player.take() {
            player.stops = before.stops.taken_to(player.stops, (&player.trace, &player.handles));
            (player.answered, player.tab) = (before.answered, before.tab);
        }
        self.player = Some(player);
    }

    /// Something goes wrong at the moment that is looked at: the run branches there.
    pub(super) fn edit(&mut self, edit: &str) {
        let lang = self.options.lang;
        let (Some(player), Some(branches)) = (&mut self.player, &mut self.branches) else { return };
        let at = player.at;
        match branches.leave(&branch::dated(edit, &player.trace, at), at, lang) {
            Ok(scenario) => {
                self.play(scenario);
                self.look(at);
            }
            Err(text) => player.note = Some(Phrase::both(text)),
        }
    }

    /// Goes to another branch.
    pub(super) fn switch(&mut self, branch: usize) {
        let (Some(player), Some(branches)) = (&self.player, &mut self.branches) else { return };
        if let Some((scenario, at)) = branches.go_to(branch, player.at) {
            self.play(scenario);
            self.look(at);
        }
    }

    /// Goes to the scenario's next shape, with the same edits of the command line and without those made here.
    fn next_variant(&mut self) {
        let Some(player) = &self.player else { return };
        let variants = player.scenario.variants();
        let now = player.scenario.variant.as_ref();
        let at = variants.iter().position(|variant| Some(variant) == now).unwrap_or(0);
        let Some(next) = variants.get((at + 1) % variants.len().max(1)) else { return };
        if let Ok(scenario) = self.branches.as_ref().map_or(&player.scenario, Branches::base).in_variant(&next.name) {
            self.branches = Some(Branches::of(scenario.clone()));
            self.play(scenario);
        }
    }

    pub(super) fn look(&mut self, at: u64) {
        if let Some(player) = &mut self.player {
            player.go(at);
        }
    }

    fn open_faults(&mut self) {
        let Some(player) = &self.player else { return };
        let possible = branch::possible(&player.trace, &player.picture());
        let lang = self.options.lang;
        let lines = possible.iter().map(|(edit, words)| format!("{edit:<28} {}", words.text(lang))).collect();
        let edits: Vec<String> = possible.into_iter().map(|(edit, _)| edit).collect();
        // What the lesson asks for is chosen already.
        let chosen = self.to_break().and_then(|wanted| edits.iter().position(|edit| edit == wanted));
        self.menu = Some(Menu { of: Of::Faults(edits), lines, chosen: chosen.unwrap_or(0) });
    }

    fn open_branches(&mut self) {
        let Some(branches) = &self.branches else { return };
        let lines = (0..branches.all.len()).map(|number| branches.name(number, self.options.lang)).collect();
        self.menu = Some(Menu { of: Of::Branches, lines, chosen: branches.now });
    }

    fn ask_why(&mut self) {
        let lang = self.options.lang;
        let Some(player) = &mut self.player else { return };
        match asked::why(player, lang) {
            Ok(menu) => self.menu = Some(menu),
            Err(note) => player.note = Some(note),
        }
    }

    fn ask_why_not(&mut self) {
        if let Some(player) = self.player.as_ref().filter(|player| player.message < player.handles.messages.len()) {
            self.menu = Some(asked::why_not(player, self.options.lang));
        }
    }

    /// A key in the menu.
    fn choose_in(&mut self, mut menu: Menu, key: KeyCode) {
        match key {
            KeyCode::Esc | KeyCode::Char('q') => return,
            KeyCode::Up | KeyCode::Char('k') => menu.go(false),
            KeyCode::Down | KeyCode::Char('j') => menu.go(true),
            KeyCode::Enter => {
                return match &menu.of {
                    Of::Branches => self.switch(menu.chosen),
                    Of::Moments(steps, _) => {
                        if let Some(step) = steps.get(menu.chosen).copied().flatten() {
                            self.look(step);
                        }
                    }
                    Of::Conditions(texts) => {
                        if let Some(text) = texts.get(menu.chosen).cloned() {
                            self.choose_condition(text);
                        }
                    }
                    Of::Against(branches) => {
                        if let Some(branch) = branches.get(menu.chosen).copied() {
                            self.compare_with(branch);
                        }
                    }
                    Of::Faults(edits) => {
                        if let Some(edit) = edits.get(menu.chosen).cloned() {
                            self.edit(&edit);
                        }
                    }
                };
            }
            _ => {}
        }
        self.menu = Some(menu);
    }

    /// A tenth of a second has gone by.
    pub fn tick(&mut self) {
        if let Some(player) = &mut self.player {
            match self.reduced_motion && player.playing {
                true => player.follow(player.next_stop().unwrap_or(player.end())),
                false => player.tick(),
            }
            player.playing &= !self.reduced_motion;
        }
    }

    /// A key was pressed.
    pub fn press(&mut self, key: KeyCode) {
        if let KeyCode::Char(letter) = key {
            assert!(self.panics_on != Some(letter), "the key `{letter}` was to end in a panic");
        }
        if let Some(Player { prompt: Some(_), .. }) = &self.player {
            return self.type_in(key);
        }
        if let Some(menu) = self.menu.take() {
            return self.choose_in(menu, key);
        }
        if let Some(leaf) = self.help.take() {
            self.help = (key == KeyCode::Char('?')).then_some(leaf + 1);
            return;
        }
        if self.card.is_some() {
            return self.on_card(key);
        }
        if self.player.is_none() && (self.home.typing || !matches!(key, KeyCode::Char('?' | 'L'))) {
            if let Some(choice) = self.home.press(key) {
                self.follow(choice);
            }
            return;
        }
        match key {
            _ if self.steers(key) => {}
            KeyCode::Char('q') => self.leave(),
            KeyCode::Char('?') => self.help = Some(0),
            KeyCode::Char('L') => self.speak(),
            KeyCode::Char(']') if self.is_told() => self.finish(),
            KeyCode::Char('f') => self.open_faults(),
            KeyCode::Char('t') => self.open_branches(),
            KeyCode::Char('v') => self.next_variant(),
            KeyCode::Char('w') => self.ask_why(),
            KeyCode::Char('n') => self.ask_why_not(),
            KeyCode::Esc => self.close(),
            _ => {
                if let Some(player) = &mut self.player {
                    steer(player, key);
                }
            }
        }
    }

    pub(super) fn speak(&mut self) {
        self.options.lang = match self.options.lang {
            Lang::En => Lang::Zh,
            Lang::Zh => Lang::En,
        };
    }

    fn type_in(&mut self, key: KeyCode) {
        let Some(player) = &mut self.player else { return };
        let Some(mut text) = player.prompt.take() else { return };
        let typing = player.typing;
        match key {
            KeyCode::Enter if typing != Typing::Go => return self.takes(typing, &text),
            KeyCode::Esc => return player.typing = Typing::Go,
            KeyCode::Enter if text.starts_with('/') => return views::filter(player, &text[1..]),
            KeyCode::Enter if branch::is_edit(&text) => return self.edit(&text),
            KeyCode::Enter if text.starts_with("save ") => {
                let name = text["save ".len()..].trim();
                if player.save(name) {
                    self.home.runs.push(name.to_owned());
                }
                return;
            }
            KeyCode::Enter => return player.go_to(&text),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(c) if text.len() < 120 => text.push(c),
            _ => {}
        }
        player.prompt = Some(text);
    }
}

/// What a key does in the player.
fn steer(player: &mut Player, key: KeyCode) {
    match key {
        KeyCode::Char(' ') => player.playing = !player.playing && player.at < player.end(),
        KeyCode::Char('.') | KeyCode::Right => player.follow(player.at.saturating_add(1)),
        KeyCode::Char(',') | KeyCode::Left => player.follow(player.at.saturating_sub(1)),
        KeyCode::Char(']') => player.mark(true),
        KeyCode::Char('[') => player.mark(false),
        KeyCode::Char('g') | KeyCode::Home => player.go(0),
        KeyCode::Char('G') | KeyCode::End => player.go(player.end()),
        KeyCode::PageDown => player.go(player.at.saturating_add(10)),
        KeyCode::PageUp => player.go(player.at.saturating_sub(10)),
        KeyCode::Char(':') => player.prompt = Some(String::new()),
        KeyCode::Char('/') => player.prompt = Some("/".to_owned()),
        KeyCode::Char('J') => player.leaf = player.leaf.wrapping_add(1),
        KeyCode::Char(letter @ 'a'..='e') => player.answer(letter as usize - 'a' as usize),
        KeyCode::Char(number @ '1'..='6') => views::open(player, number),
        KeyCode::Down | KeyCode::Char('j') => views::choose(player, true),
        KeyCode::Up | KeyCode::Char('k') => views::choose(player, false),
        KeyCode::Tab => views::next_pane(player),
        KeyCode::Char('+') => player.speed = (player.speed * 2).min(64),
        KeyCode::Char('-') => player.speed = (player.speed / 2).max(1),
        _ => {}
    }
}
