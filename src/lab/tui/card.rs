//! A lesson's card: what happened in figures, the checks, what to do in production, the exercise, the way on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Clear, Widget};

use crate::lab::locale::{Lang, Words, course};
use crate::lab::scenario::Scenario;
use crate::lab::sim::session::Session;
use crate::lab::trace::record::Level;
use crate::lab::tui::app::App;
use crate::lab::tui::draw::{boxed, style};
use crate::lab::tui::home::Lesson;
use crate::lab::tui::panes::{self, Line};
use crate::lab::tui::player::Player;
use crate::lab::tui::teaching::{Teaching, number};
use crate::lab::view::life::Stage;
use crate::lab::view::lines::Handles;
use crate::lab::view::scene::Index;
use crate::lab::view::width;

/// How many messages have come how far at the end of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// The application called `send`.
    pub sent: u64,
    /// It was told that a broker has it.
    pub acked: u64,
    /// It was told that none has.
    pub failed: u64,
    /// A record stood in a log.
    pub stored: u64,
    /// A listener was called with it.
    pub delivered: u64,
    /// Calls of listeners beyond one a message.
    pub again: u64,
    /// A broker recovered without it.
    pub lost: u64,
}

impl Figures {
    fn of(index: &Index, end: u64) -> Figures {
        let count = |stage: Stage| index.counts.stage(stage, end);
        let delivered = count(Stage::Delivered);
        Figures {
            sent: count(Stage::Sent),
            acked: count(Stage::Acked),
            failed: count(Stage::Failed),
            stored: count(Stage::Stored),
            delivered,
            again: index.counts.deliveries(end).saturating_sub(delivered),
            lost: count(Stage::Lost),
        }
    }

    /// In a line; what did not happen at all is left out.
    pub fn line(&self, lang: Lang) -> String {
        if self.sent == 0 {
            return course::NO_MESSAGE.text(lang).to_owned();
        }
        let [sent, acked, stored, delivered] =
            [self.sent, self.acked, self.stored, self.delivered].map(|count| count.to_string());
        let values = [("sent", &*sent), ("acked", &*acked), ("stored", &*stored), ("delivered", &*delivered)];
        let mut line = course::FIGURES.with(lang, &values);
        let more = [(course::FAILED_TOO, self.failed), (course::TWICE_TOO, self.again), (course::LOST_TOO, self.lost)];
        for (words, count) in more.into_iter().filter(|(_, count)| 0 < *count) {
            line.push_str(&words.with(lang, &[("n", &count.to_string())]));
        }
        line
    }
}

/// A card that is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// The run that is looked at.
    pub figures: Figures,
    /// The lesson's run, if that is another one.
    pub base: Option<Figures>,
    /// The lesson's words.
    pub teaching: Teaching,
    /// Which of its pages is up.
    pub leaf: usize,
}

impl Card {
    /// The card of a run; the scenario as the lesson has it, if the run is a branch of that.
    pub fn of(player: &Player, base: Option<&Scenario>) -> Card {
        let run = |scenario: &Scenario| {
            let trace = Session::run(&scenario.plan, Level::Full).trace;
            let handles = Handles::of(&trace);
            Figures::of(&Index::of(&trace, &handles), trace.steps())
        };
        Card {
            figures: Figures::of(player.index(), player.end()),
            base: base.map(run),
            teaching: Teaching::of(&player.scenario),
            leaf: 0,
        }
    }
}

/// The card's text in lines of so many columns.
pub(super) fn lines(app: &App, player: &Player, card: &Card, columns: usize) -> Vec<Line> {
    let lang = app.options.lang;
    let mut out: Vec<Line> = Vec::new();
    let head = |out: &mut Vec<Line>, words: Words| {
        if !out.is_empty() {
            out.push((String::new(), Style::new()));
        }
        out.push((words.text(lang).to_owned(), style(app, Color::Cyan, Modifier::BOLD)));
    };
    let indented = |out: &mut Vec<Line>, indent: usize, text: &str, look: Style| {
        let wrapped = width::wrap(text, columns.saturating_sub(indent));
        out.extend(wrapped.into_iter().map(|line| (format!("{:indent$}{line}", ""), look)));
    };
    let tell = |out: &mut Vec<Line>, text: &str, look: Style| indented(out, 2, text, look);
    let plain = Style::new();
    head(&mut out, course::WHAT_HAPPENED);
    if let Some(base) = card.base {
        tell(&mut out, course::AS_IT_IS.text(lang), plain);
        indented(&mut out, 4, &base.line(lang), plain);
        let branch = app.branches.as_ref().and_then(|branches| branches.all.get(branches.now));
        let edits = branch.map_or_else(String::new, |branch| branch.edits.join("  "));
        tell(&mut out, &course::AS_CHANGED.with(lang, &[("edits", &edits)]), plain);
        indented(&mut out, 4, &card.figures.line(lang), plain);
    } else {
        tell(&mut out, &card.figures.line(lang), plain);
    }
    let checks = panes::verdicts(app, player);
    if !checks.is_empty() {
        head(&mut out, course::CHECKED);
        checks.iter().for_each(|(text, look)| tell(&mut out, text, *look));
    }
    let Teaching { goal, production, corrects, chapter, .. } = &card.teaching;
    if !production.is_empty() || chapter.is_some() {
        head(&mut out, course::IN_PRODUCTION);
        production.iter().for_each(|line| tell(&mut out, &format!("- {}", line.text(lang)), plain));
        if let Some(chapter) = chapter {
            tell(&mut out, &course::READ_ON.with(lang, &[("chapter", chapter)]), plain);
        }
    }
    if !corrects.is_empty() {
        head(&mut out, course::CORRECTS);
        tell(&mut out, corrects.text(lang), plain);
    }
    if !goal.is_empty() {
        head(&mut out, course::EXERCISE);
        tell(&mut out, goal.text(lang), plain);
        let id = player.scenario.plan.scenario.as_str();
        let short = number(id).map_or_else(|| id.to_owned(), |number| format!("{number:02}"));
        tell(&mut out, &course::EXERCISE_HOW.with(lang, &[("n", &short)]), Style::new().add_modifier(Modifier::BOLD));
    }
    head(&mut out, course::REPRODUCE);
    tell(&mut out, &player.scenario.command(), plain);
    if let Some(next) = next(app, lang) {
        out.push((String::new(), plain));
        tell(&mut out, &next, Style::new().add_modifier(Modifier::BOLD));
    }
    out
}

/// What `n` leads to, in a line.
fn next(app: &App, lang: Lang) -> Option<String> {
    let id = app.taught.as_deref()?;
    let words = |words: Words, lesson: &Lesson| {
        let n = number(&lesson.id).map_or_else(|| lesson.id.clone(), |number| number.to_string());
        words.with(lang, &[("n", &n), ("title", lesson.title.text(lang))])
    };
    Some(match (app.touring, app.next_lesson()) {
        (true, Some(lesson)) => words(course::TOUR_NEXT, lesson),
        (false, Some(lesson)) => words(course::NEXT_LESSON, lesson),
        (true, None) => course::TOUR_DONE.text(lang).to_owned(),
        (false, None) => app.home.lesson(id).map(|_| course::COURSE_DONE.text(lang).to_owned())?,
    })
}

/// Draws the card over the panes.
pub(super) fn draw(area: Rect, buffer: &mut Buffer, app: &App, player: &Player, card: &Card) {
    let lang = app.options.lang;
    Clear.render(area, buffer);
    let title = player.scenario.lesson.title.text(lang);
    let title = match number(&player.scenario.plan.scenario) {
        Some(number) => course::CARD.with(lang, &[("n", &number.to_string()), ("title", title)]),
        None => course::CARD_OF.with(lang, &[("title", title)]),
    };
    let block = boxed(app, width::cut(&title, usize::from(area.width.saturating_sub(2))));
    let block = block.border_style(style(app, Color::Cyan, Modifier::empty()));
    let inner = block.inner(area);
    let lines = lines(app, player, card, usize::from(inner.width));
    let (shown, page, pages) = panes::leaf(&lines, usize::from(inner.height), card.leaf);
    let turn = course::TURN_KEY.with(lang, &[("page", &page.to_string()), ("pages", &pages.to_string())]);
    let block = if 1 < pages { block.title_bottom(panes::to_the_right(turn)) } else { block };
    block.render(area, buffer);
    panes::put(inner, buffer, shown, 0);
}
