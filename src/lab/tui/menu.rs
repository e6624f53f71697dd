//! A menu over the screen: what may go wrong now, the branches of the run, or why something happened.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Clear, Widget};

use crate::lab::locale::{Lang, Words};
use crate::lab::tui::app::App;
use crate::lab::tui::draw::boxed;
use crate::lab::view::width;

/// What a menu's lines are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    /// Faults, as edits without their moment.
    Faults(Vec<String>),
    /// The branches, by number.
    Branches,
    /// Conditions to stop at; nothing is one to be typed.
    Conditions(Vec<Option<String>>),
    /// Branches to compare with, by number.
    Against(Vec<usize>),
    /// Answers, each with the moment that it names, if it names one: to why, or to why not.
    Moments(Vec<Option<u64>>, Words),
}

/// A menu that is up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Menu {
    /// What its lines are.
    pub of: Of,
    /// What stands there.
    pub lines: Vec<String>,
    /// Which line.
    pub chosen: usize,
}

const FAULTS: Words = Words {
    en: "What goes wrong here?  Enter does it; : and +kill X for others",
    zh: "此刻出什么错？  Enter 执行；其他：按 : 输入 +kill X",
};
/// Over what led to an event and what it led to.
pub(super) const WHY: Words = Words {
    en: "Why?  < led to it, > it led to; Enter goes there",
    zh: "为什么？  < 原因，> 后果；Enter 前往",
};
/// Over what a message waits for.
pub(super) const WHY_NOT: Words = Words {
    en: "Why not?  + is reached, - is not; Enter goes there",
    zh: "为什么没有？  + 已达到，- 未达到；Enter 前往",
};
/// Over everything that followed from an event.
pub(super) const FOLLOWED: Words =
    Words { en: "What followed?  Enter goes there", zh: "之后发生了什么？  Enter 前往" };
/// Over two branches side by side.
pub(super) const DIFFERENCES: Words = Words {
    en: "What differs?  this | that; Enter goes there",
    zh: "有何不同？  本分支 | 另一分支；Enter 前往",
};
const CONDITIONS: Words =
    Words { en: "Where to stop?  Enter sets or takes away", zh: "停在哪里？  Enter 设置或取消" };
const AGAINST: Words = Words { en: "Compare with which branch?", zh: "与哪个分支比较？" };
const BRANCHES: Words = Words { en: "Branches", zh: "分支" };

impl Menu {
    /// Goes up or down, around the ends.
    pub fn go(&mut self, down: bool) {
        let count = self.lines.len().max(1);
        self.chosen = (self.chosen + if down { 1 } else { count - 1 }) % count;
    }
}

/// Draws the menu over the middle of the screen; it scrolls where it is longer.
pub(super) fn draw(area: Rect, buffer: &mut Buffer, app: &App, menu: &Menu) {
    let lang: Lang = app.options.lang;
    let title = match menu.of {
        Of::Faults(_) => FAULTS,
        Of::Branches => BRANCHES,
        Of::Conditions(_) => CONDITIONS,
        Of::Against(_) => AGAINST,
        Of::Moments(_, title) => title,
    };
    let widest = menu.lines.iter().map(|line| width::of(line)).max().unwrap_or(0).max(width::of(title.text(lang)));
    let columns = (widest as u16 + 6).min(area.width);
    let rows = (menu.lines.len() as u16 + 2).min(area.height.saturating_sub(2));
    let over = Rect::new(area.x + (area.width - columns) / 2, area.y + (area.height - rows) / 2, columns, rows);
    let cleared = Rect::new(over.x.saturating_sub(1), over.y, over.width + 1, over.height);
    Clear.render(cleared.intersection(area), buffer);
    let block = boxed(app, title.text(lang));
    let inner = block.inner(over);
    block.render(over, buffer);
    let first = menu.chosen.saturating_sub(usize::from(inner.height).saturating_sub(1));
    for (row, (number, line)) in menu.lines.iter().enumerate().skip(first).take(usize::from(inner.height)).enumerate() {
        let chosen = number == menu.chosen;
        let text = width::fit(&format!("{} {line}", if chosen { '>' } else { ' ' }), usize::from(inner.width));
        let look = if chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        buffer.set_string(inner.x, inner.y + row as u16, text, look);
    }
}
