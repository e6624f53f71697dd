//! The frame around everything: head, panes, lesson, keys; complete at 80x24, never a panic at any size.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};

use crate::lab::locale::Lang;
use crate::lab::tui::app::App;
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

/// Columns of the list that a name may take.
const NAME_MAX: usize = 30;

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
        None => draw_home(area, buffer, app),
    }
    if let Some(menu) = &app.menu {
        menu::draw(area, buffer, app, menu);
    }
    if app.help {
        draw_help(area, buffer, app);
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

/// The first entry of the list that fits so many rows.
pub(super) fn first_shown(app: &App, rows: usize) -> usize {
    app.home.chosen.saturating_sub(rows.saturating_sub(1))
}

fn draw_home(area: Rect, buffer: &mut Buffer, app: &App) {
    let sheet = layout::home(area);
    let lang = app.options.lang;
    let title = match lang {
        Lang::En => "mqlab  a deterministic laboratory for RocketMQ 4.3.2: one seed is one history",
        Lang::Zh => "mqlab  RocketMQ 4.3.2 的确定性实验室：一个种子，一段历史",
    };
    buffer.set_string(
        sheet.head.x,
        sheet.head.y,
        width::cut(title, usize::from(sheet.head.width)),
        style(app, Color::Cyan, Modifier::BOLD),
    );
    let block = boxed(app, if lang == Lang::Zh { "场景" } else { "Scenarios" });
    let inner = block.inner(sheet.list);
    block.render(sheet.list, buffer);
    let rows = usize::from(inner.height);
    let first = first_shown(app, rows);
    let longest = app.home.entries.iter().map(|entry| width::of(&entry.name)).max().unwrap_or(0).min(NAME_MAX);
    for (row, (number, entry)) in app.home.entries.iter().enumerate().skip(first).take(rows).enumerate() {
        let chosen = number == app.home.chosen;
        let mark = if chosen { '>' } else { ' ' };
        let text = format!("{mark} {} {}", width::fit(&entry.name, longest), entry.title.text(lang));
        let look = if chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        let text = width::fit(&text, usize::from(inner.width));
        buffer.set_string(inner.x, inner.y + row as u16, text, look);
    }
    if let Some(entry) = app.home.entries.get(app.home.chosen) {
        let block = boxed(app, entry.name.clone());
        let inner = block.inner(sheet.question);
        block.render(sheet.question, buffer);
        let lines = width::wrap(entry.question.text(lang), usize::from(inner.width));
        panes::put(inner, buffer, &lines.into_iter().map(|line| (line, Style::new())).collect::<Vec<_>>(), 0);
    }
    draw_bar(sheet.bar, buffer, app, keys::HOME);
}

fn draw_player(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let sheet = layout::player(area, app, player);
    draw_head(sheet.head, buffer, app, player);
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
    let bar = sheet.bar;
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
        (None, None) => draw_bar(bar, buffer, app, keys::PLAYER),
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

/// The keys that fit into so many columns, each with the column at which it begins and its text.
pub(super) fn bar(app: &App, bindings: &'static [Binding], columns: u16) -> Vec<(u16, String, &'static Binding)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for binding in bindings {
        let piece = format!(" {} {} ", binding.key, binding.what.text(app.options.lang));
        let wide = width::of(&piece) as u16;
        if columns < at + wide {
            break;
        }
        pieces.push((at, piece, binding));
        at += wide;
    }
    pieces
}

fn draw_bar(area: Rect, buffer: &mut Buffer, app: &App, bindings: &'static [Binding]) {
    for (at, piece, _) in bar(app, bindings, area.width) {
        buffer.set_string(area.x + at, area.y, piece, Style::new().add_modifier(Modifier::DIM));
    }
}

fn draw_help(area: Rect, buffer: &mut Buffer, app: &App) {
    let bindings = if app.player.is_some() { keys::PLAYER } else { keys::HOME };
    let lines: Vec<String> =
        bindings.iter().map(|binding| format!(" {:<8} {}", binding.key, binding.what.text(app.options.lang))).collect();
    let (columns, rows) = (34.min(area.width), (lines.len() as u16 + 2).min(area.height));
    let over = Rect::new(area.x + (area.width - columns) / 2, area.y + (area.height - rows) / 2, columns, rows);
    // One cell more to the left: half of a wide character would stay there.
    let cleared = Rect::new(over.x.saturating_sub(1), over.y, over.width + 1, over.height);
    Clear.render(cleared.intersection(area), buffer);
    let title = if app.options.lang == Lang::Zh { "按键" } else { "Keys" };
    Paragraph::new(lines.join("\n")).block(boxed(app, title)).render(over, buffer);
}
