//! The frame around everything: head, panes, lesson, keys; complete at 80x24, never a panic at any size.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};

use crate::lab::locale::{Lang, course};
use crate::lab::tui::app::App;
use crate::lab::tui::card;
use crate::lab::tui::first;
use crate::lab::tui::keys::{self, Binding};
use crate::lab::tui::layout::{self, SMALLEST};
use crate::lab::tui::menu;
use crate::lab::tui::panes;
use crate::lab::tui::player::Player;
use crate::lab::tui::views;
use crate::lab::view::width;

/// Borders without box-drawing characters.
const ASCII: border::Set = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws the app.
pub(super) fn draw(frame: &mut Frame, app: &App) {
    let area = frame.area();
    draw_in(area, frame.buffer_mut(), app);
}

/// Draws the app into a buffer.
pub(super) fn draw_in(area: Rect, buffer: &mut Buffer, app: &App) {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("needs 60x16, have {}x{}, or use --no-tui", area.width, area.height);
        Paragraph::new(text).wrap(Wrap { trim: true }).render(area, buffer);
        return;
    }
    match &app.player {
        Some(player) => draw_player(area, buffer, app, player),
        None => first::draw(area, buffer, app),
    }
    if let Some(menu) = &app.menu {
        menu::draw(area, buffer, app, menu);
    }
    if let Some(leaf) = app.help {
        draw_help(area, buffer, app, leaf);
    }
}

/// A box with a title.
pub(super) fn boxed<'a>(app: &App, title: impl Into<String>) -> Block<'a> {
    let block = Block::bordered().title(title.into());
    if app.options.unicode { block } else { block.border_set(ASCII) }
}

/// A colour, where colours are wanted; the modifier stands either way.
pub(super) fn style(app: &App, color: Color, modifier: Modifier) -> Style {
    let style = Style::new().add_modifier(modifier);
    match app.theme.color(color).filter(|_| app.options.color) {
        Some(color) => style.fg(color),
        None => style,
    }
}

fn draw_player(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let sheet = layout::player(area, app, player);
    draw_head(sheet.head, buffer, app, player);
    if let Some(card) = &app.card {
        let over = Rect { y: area.y + 1, height: area.height - 2, ..area };
        card::draw(over, buffer, app, player, card);
        return draw_last(sheet.bar, buffer, app, player);
    }
    if let Some(cluster) = sheet.cluster {
        panes::cluster(cluster, buffer, app, player);
    }
    if let Some(timeline) = sheet.timeline {
        panes::timeline(timeline, buffer, app, player);
    }
    if let Some(message) = sheet.message {
        panes::inspector(message, buffer, app, player);
    }
    if !sheet.view.is_empty() {
        views::draw(&sheet.view, buffer, app, player);
    }
    panes::lesson(sheet.lesson, buffer, app, player);
    draw_last(sheet.bar, buffer, app, player);
}

/// The last line: what is typed, what the last command came to, or the keys.
fn draw_last(bar: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    match (&player.prompt, &player.note) {
        (Some(text), _) => {
            let sign = if text.starts_with('/') { "" } else { player.typing.sign(app.options.lang) };
            let line = width::cut(&format!("{sign}{text}_"), usize::from(bar.width));
            buffer.set_string(bar.x, bar.y, line, Style::new().add_modifier(Modifier::BOLD));
        }
        (None, Some(note)) => {
            let line = width::cut(note.text(app.options.lang), usize::from(bar.width));
            buffer.set_string(bar.x, bar.y, line, style(app, Color::Yellow, Modifier::BOLD));
        }
        (None, None) => draw_bar(bar, buffer, app, &bindings(app)),
    }
}

fn draw_head(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lang = app.options.lang;
    let plan = &player.scenario.plan;
    let state = match (player.playing, lang) {
        (true, Lang::En) => "PLAYING",
        (true, Lang::Zh) => "播放",
        (false, Lang::En) => "PAUSED",
        (false, Lang::Zh) => "暂停",
    };
    let time = player.trace.time(player.at);
    let right = format!("seed {}  ev {}/{}  t={time}  {state}", plan.seed, player.at, player.end());
    let branch = app.branches.as_ref().filter(|branches| 1 < branches.all.len());
    let branch = branch.map_or(String::new(), |branches| format!("[{}/{}] ", branches.now + 1, branches.all.len()));
    let shape = player.scenario.variant.as_ref().map_or(String::new(), |variant| format!("/{}", variant.name));
    let title = format!("{branch}{}{shape} {}", plan.scenario, player.scenario.lesson.title.text(lang));
    let room = usize::from(area.width).saturating_sub(width::of(&right) + 2);
    let line = format!("{}  {right}", width::fit(&title, room));
    let look = style(app, Color::Cyan, Modifier::BOLD);
    buffer.set_string(area.x, area.y, width::cut(&line, usize::from(area.width)), look);
}

/// The keys of the screen that is up, most important first; those that somebody in a first lesson knows of.
pub(super) fn bindings(app: &App) -> Vec<&'static Binding> {
    let all = match &app.player {
        None => return first::bindings(app),
        Some(_) if app.card.is_some() && app.taught.is_some() => keys::CARD,
        Some(_) if app.card.is_some() => &keys::CARD[1..],
        Some(_) => keys::PLAYER,
    };
    match app.learned().filter(|_| app.card.is_none()) {
        Some(known) => known.iter().filter_map(|key| all.iter().find(|own| own.key == *key)).collect(),
        None => all.iter().collect(),
    }
}

/// The keys that fit into so many columns, each with the column at which it begins and its text.
pub(super) fn bar(app: &App, bindings: &[&'static Binding], columns: u16) -> Vec<(u16, String, &'static Binding)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for binding in bindings {
        let piece = format!(" {} {} ", binding.key, binding.what.text(app.options.lang));
        let wide = width::of(&piece) as u16;
        if columns < at + wide {
            break;
        }
        pieces.push((at, piece, *binding));
        at += wide;
    }
    pieces
}

pub(super) fn draw_bar(area: Rect, buffer: &mut Buffer, app: &App, bindings: &[&'static Binding]) {
    for (at, piece, _) in bar(app, bindings, area.width) {
        buffer.set_string(area.x + at, area.y, piece, Style::new().add_modifier(Modifier::DIM));
    }
}

/// Every key of the screen that is up, in as many columns as stand beside each other; the rest on further pages.
fn draw_help(area: Rect, buffer: &mut Buffer, app: &App, leaf: usize) {
    let lang = app.options.lang;
    let all = match (&app.player, &app.card) {
        (None, _) => keys::HOME,
        (Some(_), Some(_)) => keys::CARD,
        (Some(_), None) => keys::PLAYER,
    };
    let lines: Vec<String> =
        all.iter().map(|binding| format!(" {:<8} {}", binding.key, binding.what.text(lang))).collect();
    let wide = lines.iter().map(|line| width::of(line)).max().unwrap_or(0).max(30) as u16 + 1;
    let room = usize::from(area.height.saturating_sub(2)).max(1);
    let beside = usize::from((area.width.saturating_sub(2) / wide).max(1)).min(lines.len().div_ceil(room));
    let pages = lines.len().div_ceil(room * beside);
    let page = leaf % pages;
    let shown = lines.len().div_ceil(pages).min(room * beside);
    let shown = &lines[page * shown..lines.len().min((page + 1) * shown)];
    let high = shown.len().div_ceil(beside);
    let (columns, rows) = ((wide * beside as u16 + 2).min(area.width), (high as u16 + 2).min(area.height));
    let over = Rect::new(area.x + (area.width - columns) / 2, area.y + (area.height - rows) / 2, columns, rows);
    // One cell more to the left: half of a wide character would stay there.
    let cleared = Rect::new(over.x.saturating_sub(1), over.y, over.width + 1, over.height);
    Clear.render(cleared.intersection(area), buffer);
    let title = match pages {
        1 => course::KEYS.text(lang).to_owned(),
        _ => course::KEYS_OF.with(lang, &[("page", &(page + 1).to_string()), ("pages", &pages.to_string())]),
    };
    let block = boxed(app, title);
    let inner = block.inner(over);
    block.render(over, buffer);
    for (number, line) in shown.iter().enumerate() {
        let (column, row) = (number / high, number % high);
        let at = (inner.x + column as u16 * wide, inner.y + row as u16);
        let room = usize::from(wide).min(usize::from(inner.right().saturating_sub(at.0)));
        buffer.set_string(at.0, at.1, width::cut(line, room), Style::new());
    }
}
