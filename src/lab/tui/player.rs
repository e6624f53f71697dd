//! The player: a finished run and the moment that is looked at.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::lab::check::{Finding, Verdict};
use crate::lab::fault::moment;
use crate::lab::locale::{Lang, Phrase};
use crate::lab::scenario::Scenario;
use crate::lab::sim::session::RunResult;
use crate::lab::trace::digest::Digest;
use crate::lab::trace::fold::{Picture, Pictures};
use crate::lab::trace::log::Trace;
use crate::lab::tui::seen::Seen;
use crate::lab::tui::stops::{self, Stops};
use crate::lab::view::lanes::Rows;
use crate::lab::view::life::Life;
use crate::lab::view::lines::Handles;
use crate::lab::view::scene::{Focus, Index};
use crate::lab::view::sheet::Sheet;
use crate::lab::view::tabs::Tab;

/// A pane of the player.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pane {
    /// The lanes.
    #[default]
    Timeline,
    /// The nodes, with what they hold.
    Cluster,
    /// One message and its record.
    Message,
}

/// What is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Typing {
    /// Where to go, or an edit.
    #[default]
    Go,
    /// A condition to stop at.
    Condition,
    /// What a bookmark is about.
    Bookmark,
}

impl Typing {
    /// What stands before it.
    pub fn sign(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Typing::Go, _) => ":",
            (Typing::Condition, Lang::En) => "stop when: ",
            (Typing::Condition, Lang::Zh) => "停止条件：",
            (Typing::Bookmark, Lang::En) => "bookmark, a note: ",
            (Typing::Bookmark, Lang::Zh) => "书签备注：",
        }
    }
}

/// A run and a moment of it.
#[derive(Clone, Debug)]
pub struct Player {
    /// What was run.
    pub scenario: Scenario,
    /// What was recorded.
    pub trace: Trace,
    /// What its records come to.
    pub digest: Digest,
    /// Its messages.
    pub handles: Handles,
    /// Its verdicts.
    pub findings: Vec<Finding>,
    /// The rows of its lanes.
    pub rows: Rows,
    /// The moment that is looked at: before this step.
    pub at: u64,
    /// Whether time goes on by itself.
    pub playing: bool,
    /// Steps a tick.
    pub speed: u64,
    /// Which message is looked at, from 0.
    pub message: usize,
    /// Its life.
    pub life: Life,
    /// Which pane is looked at; the only one on a small screen.
    pub pane: Pane,
    /// Which of the six views is up.
    pub tab: Tab,
    /// Which of that view's panes is looked at, from 0; the only one on a small screen.
    pub part: usize,
    /// How many lines of that pane have been scrolled over.
    pub scroll: usize,
    /// Which page of the lesson's text is up: pages turn over; the greatest number is the last.
    pub leaf: usize,
    /// What is looked at in all of them.
    pub focus: Focus,
    /// What is typed, and what it is for.
    pub prompt: Option<String>,
    /// See `prompt`.
    pub typing: Typing,
    /// Breakpoints, bookmarks, and the run's own marks.
    pub stops: Stops,
    /// What the last command came to.
    pub note: Option<Phrase>,
    /// The prediction that was answered last: its step, and the choice.
    pub answered: Option<(usize, usize)>,
    /// What was seen so far.
    pub seen: Seen,
    /// The steps of narration with their moments, in order.
    marks: Vec<(u64, usize)>,
    pictures: Pictures,
    index: OnceCell<Index>,
    /// The view that was drawn last, and of what.
    pub(super) drawn: RefCell<Option<(Drawn, Rc<Sheet>)>>,
}

/// What a drawing is of: a view, a moment, a focus, a language.
pub(super) type Drawn = (Tab, u64, Focus, Lang);

impl Player {
    /// A player at the beginning of a run.
    pub fn new(scenario: Scenario, result: RunResult, findings: Vec<Finding>) -> Player {
        let RunResult { trace, digest, .. } = result;
        let handles = Handles::of(&trace);
        let found = |(number, step): (usize, &crate::lab::scenario::lesson::Step)| {
            moment::find(&step.when, &trace).map(|at| (at, number))
        };
        let mut marks: Vec<(u64, usize)> = scenario.lesson.steps.iter().enumerate().filter_map(found).collect();
        marks.sort();
        let rows = Rows::of(&trace);
        let pictures = Pictures::of(&trace);
        let life = Life::of(&trace, &handles, 0);
        let stops = Stops::of(&trace, &findings);
        Player {
            scenario,
            handles,
            findings,
            rows,
            at: 0,
            playing: false,
            speed: 1,
            message: 0,
            life,
            pane: Pane::default(),
            tab: Tab::default(),
            part: 0,
            scroll: 0,
            leaf: 0,
            focus: Focus::default(),
            prompt: None,
            typing: Typing::default(),
            stops,
            note: None,
            answered: None,
            seen: Seen::default(),
            marks,
            pictures,
            index: OnceCell::new(),
            drawn: RefCell::new(None),
            trace,
            digest,
        }
    }

    /// The last moment.
    pub fn end(&self) -> u64 {
        self.trace.steps()
    }

    /// What the nodes are like at the moment.
    pub fn picture(&self) -> Picture {
        self.pictures.at(&self.trace, self.at)
    }

    /// What the nodes are like at any moment.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }

    /// What is found out about the run once, when it is first asked for.
    pub fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.trace, &self.handles))
    }

    /// The step of narration that holds now.
    pub fn narration(&self) -> Option<(usize, &crate::lab::scenario::lesson::Step)> {
        let behind = self.marks.partition_point(|(at, _)| *at <= self.at);
        let (_, number) = self.marks.get(behind.checked_sub(1)?)?;
        Some((*number, &self.scenario.lesson.steps[*number]))
    }

    /// Goes to a moment; never beyond the ends. Narration that begins to hold says what to look at.
    pub fn go(&mut self, at: u64) {
        let told = self.narration().map(|(number, _)| number);
        self.at = at.min(self.end());
        (self.note, self.leaf) = (None, 0);
        if self.at == self.end() {
            self.playing = false;
        }
        let narration = self.narration();
        let number = narration.map(|(number, _)| number);
        self.seen.look(&self.scenario.plan.scenario, number, self.at == self.end());
        if told == narration.map(|(number, _)| number) {
            return;
        }
        let pane = narration.and_then(|(_, step)| step.pane.clone());
        // A step that names no message leaves the one that was named last, whichever way time goes.
        let behind = self.marks.partition_point(|(at, _)| *at <= self.at);
        let told = self.marks[..behind].iter().rev();
        let message = told.filter_map(|(_, number)| self.scenario.lesson.steps[*number].message.as_deref()).next();
        let message = message.map_or(Some(0), |message| self.handles.find(message));
        self.pane = match pane.as_deref() {
            None | Some("timeline") => Pane::Timeline,
            Some("message") => Pane::Message,
            // What brokers hold stands with them.
            Some(_) => Pane::Cluster,
        };
        if let Some(number) = message {
            self.look_at(number);
        }
    }

    /// Goes to a moment as time goes: narration that begins to hold opens the view that it speaks of. A view that somebody opens
    /// stays until then.
    pub fn follow(&mut self, at: u64) {
        let told = self.narration().map(|(number, _)| number);
        self.go(at);
        let narration = self.narration();
        if told == narration.map(|(number, _)| number) {
            return;
        }
        let pane = narration.and_then(|(_, step)| step.pane.as_deref());
        let tab = Tab::ALL.into_iter().map(|(_, tab)| tab).find(|tab| Some(tab.name()) == pane);
        (self.tab, self.part, self.scroll) = (tab.unwrap_or_default(), 0, 0);
    }

    /// Goes to a step of narration at which somebody left, and says so.
    pub(super) fn go_on_at(&mut self, step: usize) {
        if let Some((at, _)) = self.marks.iter().find(|(_, number)| *number == step).copied() {
            self.follow(at);
            let words = crate::lab::locale::course::LEFT_HERE;
            self.note = Some(Phrase::of(words.en, words.zh));
        }
    }

    /// Looks at a message.
    pub fn look_at(&mut self, message: usize) {
        let filter = std::mem::take(&mut self.focus.filter);
        self.focus = Focus { message, filter, ..Focus::default() };
        if self.message != message {
            self.message = message;
            self.life = Life::of(&self.trace, &self.handles, message);
        }
    }

    /// The moments of narration, in order.
    pub(super) fn narrated(&self) -> impl Iterator<Item = u64> {
        self.marks.iter().map(|(at, _)| *at)
    }

    /// Time goes on, if it does; it stops at a step of narration and at a breakpoint.
    pub fn tick(&mut self) {
        if !self.playing {
            return;
        }
        let target = self.at.saturating_add(self.speed);
        match self.next_stop() {
            Some(mark) if mark <= target => {
                self.follow(mark);
                self.playing = false;
            }
            _ => self.follow(target),
        }
    }

    /// Answers the question of the moment, if there is one with so many choices.
    pub fn answer(&mut self, choice: usize) {
        if let Some((number, step)) = self.narration()
            && step.predict.as_ref().is_some_and(|predict| choice < predict.choices.len())
        {
            self.seen.answer(&self.scenario.plan.scenario, number, choice);
            // The reason stands at the end of the text.
            (self.answered, self.leaf) = (Some((number, choice)), usize::MAX);
        }
    }

    /// Looks at the next or the last message.
    pub fn next_message(&mut self, forward: bool) {
        let count = self.handles.messages.len().max(1);
        let step = if forward { 1 } else { count - 1 };
        self.look_at((self.message + step) % count);
    }

    /// Looks at the next pane.
    pub fn next_pane(&mut self) {
        self.pane = match self.pane {
            Pane::Timeline => Pane::Cluster,
            Pane::Cluster => Pane::Message,
            Pane::Message => Pane::Timeline,
        };
    }

    /// Goes where a text says: `31`, `1.25s`, `m10`, `order-3`, `violation`, `first:send-ok`, a fault, a check.
    pub fn go_to(&mut self, text: &str) {
        let text = text.trim();
        let Some(at) = self.find(text) else {
            self.note = Some(no_place(text));
            return;
        };
        self.go(at);
        self.playing = false;
        let end = self.end();
        if end < at {
            let (en, zh) = (format!("the run ends at #{end}"), format!("运行在 #{end} 结束"));
            self.note = Some(Phrase { en, zh });
        }
        if let Some(number) = self.handles.find(text) {
            self.look_at(number);
        }
    }

    fn find(&self, text: &str) -> Option<u64> {
        if let Ok(step) = text.trim_start_matches('#').parse::<u64>() {
            return Some(step);
        }
        if let Some(number) = self.handles.find(text) {
            let (seq, _) = self.handles.messages.get(number)?;
            return self.trace.get(*seq).map(|record| record.step);
        }
        let broken = |verdict: &Verdict| matches!(verdict, Verdict::Violation { .. } | Verdict::Known { .. });
        let asked = |finding: &&Finding| match text {
            "violation" => broken(&finding.verdict),
            id => *finding.id == *id,
        };
        if let Some(finding) = self.findings.iter().find(asked) {
            return Some(stops::witnessed(&self.trace, finding));
        }
        if self.scenario.plan.episodes.iter().any(|episode| *episode.name == *text) {
            return moment::find(&moment::parse(&format!("before:fault:{text}")).ok()?, &self.trace);
        }
        // `first send-ok` is what people say.
        let text = text.replacen("first ", "first:", 1);
        moment::find(&moment::parse(&text).ok()?, &self.trace)
    }
}

/// What is wrong with a text that leads nowhere: at which column, and what can be typed.
fn no_place(text: &str) -> Phrase {
    let (mut column, mut near) = (1, None);
    if let Err(error) = moment::parse(&text.replacen("first ", "first:", 1)) {
        column += text.get(..error.at.start).map_or(0, |before| before.chars().count());
        near = error.help.starts_with("did you mean").then_some(error.help);
    }
    let (en, zh) = match near {
        Some(near) => (near.clone(), near.replace("did you mean", "是不是")),
        None => {
            ("try 31, 1.25s, m1, first:append, violation".into(), "试试 31、1.25s、m1、first:append、violation".into())
        }
    };
    Phrase {
        en: format!("no event, time or message `{text}` (column {column}): {en}"),
        zh: format!("没有事件、时间或消息 `{text}`（第 {column} 列）：{zh}"),
    }
}
