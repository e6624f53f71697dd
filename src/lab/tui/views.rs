//! The six views: one is up, all follow one focus. Each is drawn from the lines that its data gives.

use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;

use crate::lab::locale::Lang;
use crate::lab::tui::app::App;
use crate::lab::tui::draw::{boxed, style};
use crate::lab::tui::player::{Drawn, Player};
use crate::lab::view::scene::{Pick, Scene};
use crate::lab::view::sheet::{Pane, Sheet, Tone};
use crate::lab::view::tabs::{Data, Tab};
use crate::lab::view::width;

/// Rows of a long list that are found out around what is looked at: more than any screen has.
const ROWS: usize = 200;

/// Opens the view of a key.
pub(super) fn open(player: &mut Player, number: char) {
    if let Some((_, tab)) = Tab::ALL.into_iter().find(|(key, _)| *key == number) {
        (player.tab, player.part, player.scroll) = (tab, 0, 0);
    }
}

/// Lists the messages that have this, in their view.
pub(super) fn filter(player: &mut Player, text: &str) {
    text.trim().clone_into(&mut player.focus.filter);
    open(player, '2');
}

/// Looks at the next pane.
pub(super) fn next_pane(player: &mut Player) {
    match player.tab {
        Tab::Cluster => player.next_pane(),
        tab => (player.part, player.scroll) = ((player.part + 1) % tab.panes(), 0),
    }
}

/// Goes down or up: in the view's list to the next or the last one, in a record to the next field, elsewhere by a line.
pub(super) fn choose(player: &mut Player, forward: bool) {
    let Some(sheet) = sheet(player, Lang::En) else { return player.next_message(forward) };
    let step = |at: usize, last: usize| if forward { last.min(at + 1) } else { at.saturating_sub(1) };
    let part = player.part.min(sheet.panes.len().saturating_sub(1));
    let Some(pane) = sheet.panes.get(part) else { return };
    let last = pane.rows().saturating_sub(1);
    match (part, player.tab) {
        (0, _) => {
            let place = pane.chosen.map_or(0, |place| step(place, last));
            if let Some(pick) = pane.picks.get(place).cloned() {
                look(player, pick);
            }
        }
        (1, Tab::Storage) => player.focus.field = Some(player.focus.field.map_or(0, |field| step(field, last))),
        // A line may be wrapped into several.
        _ => player.scroll = step(player.scroll, last.saturating_mul(4)),
    }
}

/// Looks at something; the message that it is of is looked at in every view.
pub(super) fn look(player: &mut Player, pick: Pick) {
    let message = match &pick {
        Pick::Message(number) => Some(*number),
        Pick::Record { node, at } => {
            player.index().ledger.in_log(*node, *at, player.at).and_then(|letter| letter.message)
        }
        Pick::Queue { .. } | Pick::Check(_) | Pick::Node(_) => None,
    };
    player.look_at(message.unwrap_or(player.message));
    player.focus.pick = Some(pick).filter(|pick| !matches!(pick, Pick::Message(_)));
}

/// The data of a view at the moment that is looked at.
pub fn data(player: &Player, tab: Tab, lang: Lang) -> Data {
    tab.data(&Scene {
        trace: &player.trace,
        handles: &player.handles,
        pictures: player.pictures(),
        index: player.index(),
        findings: &player.findings,
        step: player.at,
        lang,
        focus: &player.focus,
        rows: ROWS,
    })
}

/// The view that is up as lines, but for the first, which has panes of its own; what was drawn last is kept.
pub(super) fn sheet(player: &Player, lang: Lang) -> Option<Rc<Sheet>> {
    if player.tab == Tab::Cluster {
        return None;
    }
    let of: Drawn = (player.tab, player.at, player.focus.clone(), lang);
    if let Some((drawn, sheet)) = &*player.drawn.borrow()
        && *drawn == of
    {
        return Some(sheet.clone());
    }
    let sheet = Rc::new(data(player, player.tab, lang).sheet(lang));
    *player.drawn.borrow_mut() = Some((of, sheet.clone()));
    Some(sheet)
}

/// Draws the panes of the view that is up, each in its place.
pub(super) fn draw(places: &[(usize, Rect)], buffer: &mut Buffer, app: &App, player: &Player) {
    let Some(sheet) = sheet(player, app.options.lang) else { return };
    for (part, area) in places {
        if let Some(pane) = sheet.panes.get(*part) {
            let scroll = (player.part == *part).then_some(player.scroll);
            draw_pane(*area, buffer, app, (pane, scroll));
        }
    }
}

fn draw_pane(area: Rect, buffer: &mut Buffer, app: &App, (pane, scroll): (&Pane, Option<usize>)) {
    let is_looked_at = scroll.is_some();
    let title = if is_looked_at { format!("> {}", pane.title) } else { pane.title.clone() };
    let block = boxed(app, width::cut(&title, usize::from(area.width.saturating_sub(2))));
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let block = if is_looked_at { block.title_style(bold) } else { block };
    let inner = block.inner(area);
    block.render(area, buffer);
    let columns = usize::from(inner.width);
    let (head, lines) = pane.lines(columns);
    let from = u16::from(head.is_some()).min(inner.height);
    if let Some(head) = head.filter(|_| 0 < inner.height) {
        buffer.set_string(inner.x, inner.y, width::fit(&head, columns), bold);
    }
    let rows = usize::from(inner.height - from);
    let first = first_shown(pane, &lines, rows, scroll.unwrap_or(0));
    for (number, (line, tone, row)) in lines.iter().enumerate().skip(first).take(rows) {
        let place = number - first;
        let hidden = lines.len() - (first + rows).min(lines.len());
        let (text, look) = match place + 1 == rows && 0 < hidden && pane.chosen != Some(*row) {
            true => (format!("  ... +{}", hidden + 1), Style::new().add_modifier(Modifier::DIM)),
            false if pane.chosen == Some(*row) => (line.clone(), Style::new().add_modifier(Modifier::REVERSED)),
            false => (line.clone(), toned(app, *tone)),
        };
        buffer.set_string(inner.x, inner.y + from + place as u16, width::fit(&text, columns), look);
    }
}

/// The first line that is shown: so that the chosen row is among them, or what was scrolled to.
fn first_shown(pane: &Pane, lines: &[(String, Tone, usize)], rows: usize, scroll: usize) -> usize {
    let chosen = lines.iter().position(|(.., row)| Some(*row) == pane.chosen);
    let first = chosen.map_or(scroll, |chosen| chosen.saturating_sub(rows * 2 / 3));
    first.min(lines.len().saturating_sub(rows))
}

/// What stands in a row of the screen, if that is a row of the list that is drawn there.
pub(super) fn row_at((player, lang): (&Player, Lang), list: Rect, y: u16) -> Option<Pick> {
    let sheet = sheet(player, lang)?;
    let pane = sheet.panes.first()?;
    let (head, lines) = pane.lines(usize::from(list.width.saturating_sub(2)));
    let from = 1 + u16::from(head.is_some());
    let rows = usize::from(list.height.saturating_sub(1 + from));
    let place = usize::from(y.checked_sub(list.y + from)?);
    let (.., row) = lines.get(first_shown(pane, &lines, rows, player.scroll) + place).filter(|_| place < rows)?;
    pane.picks.get(*row).cloned()
}

fn toned(app: &App, tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Head => Style::new().add_modifier(Modifier::BOLD),
        Tone::Good => style(app, Color::Blue, Modifier::empty()),
        Tone::Open => style(app, Color::Yellow, Modifier::empty()),
        Tone::Bad => style(app, Color::Red, Modifier::empty()),
        Tone::Dim => Style::new().add_modifier(Modifier::DIM),
    }
}
