//! The first screen: a lesson to take, the tour, all lessons by track, the sandbox, the runs that lie here.
//!
//! Keys go in, rows and choices come out; whoever holds it opens what was chosen.

use ratatui::crossterm::event::KeyCode;

use crate::lab::locale::{Lang, Phrase, course};
use crate::lab::scenario::library::TOUR;
use crate::lab::tui::teaching::{number, track};

/// How far somebody has come with a lesson.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum State {
    /// Never opened.
    #[default]
    New,
    /// Opened.
    Begun,
    /// Seen to its card.
    Seen,
    /// Its exercise was passed.
    Passed,
}

/// A lesson, or a scenario that is none: that has no track.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lesson {
    /// The scenario's name.
    pub id: String,
    /// What it is called.
    pub title: Phrase,
    /// What it asks.
    pub question: Phrase,
    /// Its track.
    pub track: String,
    /// Minutes that it takes.
    pub minutes: usize,
    /// How far somebody has come with it.
    pub state: State,
    /// The last of its steps that was seen, from 0.
    pub step: Option<usize>,
}

/// What was chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A lesson, or another scenario of the library, by its name.
    Open(String),
    /// The tour, where it was left.
    Tour,
    /// The small cluster that is no lesson.
    Sandbox,
    /// A run file or a scenario file, by its path.
    Run(String),
    /// To leave.
    Quit,
}

/// Which of its pages is up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Page {
    /// What to do.
    #[default]
    First,
    /// All lessons.
    Lessons,
    /// The sandbox.
    Sandbox,
    /// The run files.
    Runs,
}

/// What Enter does in a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Turns to another page.
    Go(Page),
    /// Is a choice.
    Do(Choice),
}

/// A row of a page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// What stands first.
    pub name: String,
    /// What stands behind it.
    pub text: String,
    /// What stands at the right.
    pub note: String,
    /// What the box below says while the row is chosen.
    pub about: String,
    /// What Enter does; a heading does nothing, and is not chosen.
    pub act: Option<Act>,
}

/// The first screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Home {
    /// The lessons and other scenarios, in teaching order.
    pub lessons: Vec<Lesson>,
    /// Scenario files of this folder.
    pub files: Vec<String>,
    /// Run files of this folder.
    pub runs: Vec<String>,
    /// Which page is up.
    pub page: Page,
    /// Which of its rows is chosen.
    pub chosen: usize,
    /// What a lesson must have in its name, title or track to be listed; empty for all.
    pub filter: String,
    /// Whether the filter is being typed.
    pub typing: bool,
    /// What the last choice came to.
    pub note: Option<Phrase>,
}

impl Home {
    /// A lesson by its name.
    pub fn lesson(&self, id: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.id == id)
    }

    /// The lessons alone.
    pub fn course(&self) -> impl Iterator<Item = &Lesson> {
        self.lessons.iter().filter(|lesson| !lesson.track.is_empty())
    }

    /// A lesson has got so far; it never gets back.
    pub fn reach(&mut self, id: &str, state: State) {
        if let Some(lesson) = self.lessons.iter_mut().find(|lesson| lesson.id == id) {
            lesson.state = lesson.state.max(state);
        }
    }

    /// A step of a lesson has been seen.
    pub fn see(&mut self, id: &str, step: Option<usize>) {
        if let Some(lesson) = self.lessons.iter_mut().find(|lesson| lesson.id == id) {
            lesson.step = lesson.step.max(step);
        }
    }

    /// Whether nobody has seen a lesson yet.
    pub fn is_new(&self) -> bool {
        self.lessons.iter().all(|lesson| lesson.state < State::Seen)
    }

    /// The lesson to take now: the first that was begun, or else the first that is new, or the first.
    pub fn at_hand(&self) -> Option<&Lesson> {
        let first = |state: State| self.course().find(|lesson| lesson.state == state);
        first(State::Begun).or_else(|| first(State::New)).or_else(|| self.course().next())
    }

    /// The tour's lesson behind one of them, or the first that was not seen; nothing at its end.
    pub fn on_tour(&self, behind: Option<&str>) -> Option<&Lesson> {
        let tour = TOUR.iter().filter_map(|id| self.lesson(id));
        match behind {
            Some(id) => tour.skip_while(|lesson| lesson.id != id).nth(1),
            None => {
                let mut tour = tour.peekable();
                let first = tour.peek().copied();
                tour.find(|lesson| lesson.state < State::Seen).or(first)
            }
        }
    }

    /// The lesson behind another one.
    pub fn behind(&self, id: &str) -> Option<&Lesson> {
        self.course().skip_while(|lesson| lesson.id != id).nth(1)
    }

    /// The rows of the page that is up.
    pub fn rows(&self, lang: Lang) -> Vec<Row> {
        match self.page {
            Page::First => self.first(lang),
            Page::Lessons => self.by_track(lang),
            Page::Sandbox => self.sandbox(lang),
            Page::Runs => self.kept(lang),
        }
    }

    fn first(&self, lang: Lang) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some(lesson) = self.at_hand() {
            let words = match lesson.state {
                State::New => course::START,
                State::Begun => course::GO_ON,
                State::Seen | State::Passed => course::AGAIN,
            };
            let number = number(&lesson.id).map_or_else(|| lesson.id.clone(), |number| number.to_string());
            let row = self.row_of(lesson, lang);
            rows.push(Row {
                name: words.with(lang, &[("n", &number)]),
                text: lesson.title.text(lang).to_owned(),
                note: minutes(lesson, lang),
                about: course::LESSON_ABOUT.with(lang, &[("question", lesson.question.text(lang))]),
                ..row
            });
        }
        let goes = |name: &str, text: String, about: String, act: Act| Row {
            name: name.to_owned(),
            text,
            note: String::new(),
            about,
            act: Some(act),
        };
        let tour: Vec<&Lesson> = TOUR.iter().filter_map(|id| self.lesson(id)).collect();
        if tour.len() == TOUR.len() {
            let numbers: Vec<String> = TOUR.iter().filter_map(|id| number(id)).map(|n| n.to_string()).collect();
            let seen = tour.iter().filter(|lesson| State::Seen <= lesson.state).count().to_string();
            let count = tour.len().to_string();
            let comma = if lang == Lang::Zh { "、" } else { ", " };
            let values = [("all", numbers.join(comma)), ("seen", seen), ("count", count)];
            let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            rows.push(goes(
                course::TOUR.text(lang),
                course::TOUR_TEXT.with(lang, &values),
                course::TOUR_ABOUT.with(lang, &values),
                Act::Do(Choice::Tour),
            ));
        }
        rows.push(goes(
            course::LESSONS.text(lang),
            self.counted(lang),
            course::LESSONS_ABOUT.text(lang).to_owned(),
            Act::Go(Page::Lessons),
        ));
        rows.push(goes(
            course::SANDBOX.text(lang),
            course::SANDBOX_TEXT.text(lang).to_owned(),
            course::SANDBOX_ABOUT.text(lang).to_owned(),
            Act::Go(Page::Sandbox),
        ));
        let runs = match self.runs.len() {
            0 => course::NO_RUNS.text(lang).to_owned(),
            count => course::RUNS_TEXT.with(lang, &[("count", &count.to_string())]),
        };
        rows.push(goes(course::RUNS.text(lang), runs, course::RUNS_ABOUT.text(lang).to_owned(), Act::Go(Page::Runs)));
        rows
    }

    fn counted(&self, lang: Lang) -> String {
        let count = |least: State| self.course().filter(|lesson| least <= lesson.state).count().to_string();
        let tracks = course::TRACKS.iter().filter(|(name, _)| self.course().any(|lesson| lesson.track == *name));
        let tracks = tracks.count().to_string();
        let (all, seen, passed) = (count(State::New), count(State::Seen), count(State::Passed));
        course::LESSONS_TEXT.with(lang, &[("count", &all), ("tracks", &tracks), ("seen", &seen), ("passed", &passed)])
    }

    fn row_of(&self, lesson: &Lesson, lang: Lang) -> Row {
        let state = match lesson.state {
            State::New => None,
            State::Begun => Some(('.', course::BEGUN)),
            State::Seen => Some(('*', course::SEEN)),
            State::Passed => Some(('+', course::PASSED)),
        };
        let state = state.map_or_else(String::new, |(glyph, words)| format!("{glyph} {}  ", words.text(lang)));
        Row {
            name: lesson.id.clone(),
            text: lesson.title.text(lang).to_owned(),
            note: format!("{state}{}", minutes(lesson, lang)),
            about: lesson.question.text(lang).to_owned(),
            act: Some(Act::Do(Choice::Open(lesson.id.clone()))),
        }
    }

    /// Lessons below the names of their tracks; a track that the course does not know stands last.
    fn by_track(&self, lang: Lang) -> Vec<Row> {
        let known = |name: &str| course::TRACKS.iter().position(|(own, _)| *own == name).unwrap_or(usize::MAX);
        let mut names: Vec<&str> = self.course().map(|lesson| lesson.track.as_str()).collect();
        names.sort_by_key(|name| (known(name), *name));
        names.dedup();
        let mut rows = Vec::new();
        for name in names {
            let own: Vec<Row> = self
                .course()
                .filter(|lesson| lesson.track == name && self.fits(lesson))
                .map(|lesson| self.row_of(lesson, lang))
                .collect();
            if !own.is_empty() {
                rows.push(Row { name: track(name, lang).to_owned(), ..Row::default() });
                rows.extend(own);
            }
        }
        if rows.is_empty() {
            rows.push(Row { name: course::NOTHING_FITS.text(lang).to_owned(), ..Row::default() });
        }
        rows
    }

    /// Whether a lesson has what was typed; in either language. Digits are what its number begins with.
    fn fits(&self, lesson: &Lesson) -> bool {
        let wanted = self.filter.trim().to_lowercase();
        if !wanted.is_empty() && wanted.chars().all(|letter| letter.is_ascii_digit()) {
            let digits = wanted.trim_start_matches('0');
            return number(&lesson.id).is_some_and(|number| number.to_string().starts_with(digits));
        }
        let titles = [&lesson.title, &lesson.question].map(|phrase| format!("{} {}", phrase.en, phrase.zh));
        let tracks = [Lang::En, Lang::Zh].map(|lang| track(&lesson.track, lang));
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        has(&lesson.id) || titles.iter().any(|text| has(text)) || tracks.iter().any(|text| has(text))
    }

    fn sandbox(&self, lang: Lang) -> Vec<Row> {
        let mut rows = vec![Row {
            name: "sandbox".to_owned(),
            text: course::SMALL_CLUSTER.text(lang).to_owned(),
            note: String::new(),
            about: course::SMALL_CLUSTER_ABOUT.text(lang).to_owned(),
            act: Some(Act::Do(Choice::Sandbox)),
        }];
        let others = self.lessons.iter().filter(|lesson| lesson.track.is_empty());
        rows.extend(others.map(|lesson| Row { note: String::new(), ..self.row_of(lesson, lang) }));
        rows.extend(self.files.iter().map(|file| file_row(file, course::OWN_ABOUT.text(lang))));
        rows
    }

    fn kept(&self, lang: Lang) -> Vec<Row> {
        if self.runs.is_empty() {
            let about = course::RUNS_ABOUT.text(lang).to_owned();
            return vec![Row { name: course::NO_RUNS.text(lang).to_owned(), about, ..Row::default() }];
        }
        self.runs.iter().map(|file| file_row(file, course::RUN_ABOUT.text(lang))).collect()
    }

    /// The row that is chosen: never a heading, if there is anything else.
    pub fn place(&self, rows: &[Row]) -> usize {
        let place = self.chosen.min(rows.len().saturating_sub(1));
        let behind = rows.iter().skip(place).position(|row| row.act.is_some()).map(|more| place + more);
        behind.or_else(|| rows.iter().rposition(|row| row.act.is_some())).unwrap_or(place)
    }

    /// Moves the choice to the next row, or the last, that is no heading.
    pub fn go(&mut self, down: bool) {
        let rows = self.rows(Lang::En);
        let place = self.place(&rows);
        let is_one = |at: &usize| rows.get(*at).is_some_and(|row| row.act.is_some());
        let next = if down { (place + 1..rows.len()).find(is_one) } else { (0..place).rev().find(is_one) };
        self.chosen = next.unwrap_or(place);
    }

    /// Turns to a page.
    pub fn turn(&mut self, page: Page) {
        (self.page, self.chosen, self.typing) = (page, 0, false);
        self.filter.clear();
    }

    /// A key; what was chosen with it.
    pub fn press(&mut self, key: KeyCode) -> Option<Choice> {
        self.note = None;
        match key {
            KeyCode::Up => self.go(false),
            KeyCode::Down => self.go(true),
            KeyCode::Enter => return self.enter(),
            KeyCode::Esc if self.typing || !self.filter.is_empty() => {
                (self.chosen, self.typing) = (0, false);
                self.filter.clear();
            }
            KeyCode::Backspace if self.typing => {
                self.filter.pop();
                self.chosen = 0;
            }
            KeyCode::Char(letter) if self.typing => {
                if self.filter.len() < 60 {
                    self.filter.push(letter);
                }
                self.chosen = 0;
            }
            KeyCode::Char('/') => self.find(None),
            KeyCode::Char(digit @ '0'..='9') => self.find(Some(digit)),
            KeyCode::Char('k') => self.go(false),
            KeyCode::Char('j') => self.go(true),
            KeyCode::Char('g') | KeyCode::Home => self.chosen = 0,
            KeyCode::Char('G') | KeyCode::End => self.chosen = usize::MAX,
            KeyCode::Char('q') => return Some(Choice::Quit),
            KeyCode::Esc if self.page == Page::First => return Some(Choice::Quit),
            KeyCode::Esc => self.turn(Page::First),
            _ => {}
        }
        None
    }

    /// Begins to type what a lesson must have.
    fn find(&mut self, first: Option<char>) {
        self.turn(Page::Lessons);
        self.typing = true;
        self.filter.extend(first);
    }

    /// Does what the chosen row says.
    fn enter(&mut self) -> Option<Choice> {
        let rows = self.rows(Lang::En);
        let place = self.place(&rows);
        self.chosen = place;
        match rows.into_iter().nth(place)?.act? {
            Act::Go(page) => {
                self.turn(page);
                None
            }
            Act::Do(choice) => {
                self.typing = false;
                Some(choice)
            }
        }
    }
}

fn minutes(lesson: &Lesson, lang: Lang) -> String {
    course::MINUTES.with(lang, &[("n", &lesson.minutes.to_string())])
}

fn file_row(file: &str, about: &str) -> Row {
    Row {
        name: file.to_owned(),
        about: about.to_owned(),
        act: Some(Act::Do(Choice::Run(file.to_owned()))),
        ..Row::default()
    }
}
