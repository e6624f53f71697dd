//! The frame around everything: head, panes, lesson, keys; complete at 80x24, never a panic at any size.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};

use crate::lab::locale::Lang;
use crate::lab::tui::app::App;
use crate::lab::tui::keys::{self, Binding};
use crate::lab::tui::panes;
use crate::lab::tui::player::Player;
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
/// Below this there is one line that says so.
const SMALLEST: (u16, u16) = (60, 16);

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
    if app.options.color { style.fg(color) } else { style }
}

fn draw_home(area: Rect, buffer: &mut Buffer, app: &App) {
    let [head, list, question, bar] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(3), Constraint::Length(4), Constraint::Length(1)])
            .areas(area);
    let lang = app.options.lang;
    let title = match lang {
        Lang::En => "mqlab  a deterministic laboratory for RocketMQ 4.3.2: one seed is one history",
        Lang::Zh => "mqlab  RocketMQ 4.3.2 的确定性实验室：一个种子，一段历史",
    };
    buffer.set_string(
        head.x,
        head.y,
        width::cut(title, usize::from(head.width)),
        style(app, Color::Cyan, Modifier::BOLD),
    );
    let block = boxed(app, if lang == Lang::Zh { "场景" } else { "Scenarios" });
    let inner = block.inner(list);
    block.render(list, buffer);
    let rows = usize::from(inner.height);
    let first = app.home.chosen.saturating_sub(rows.saturating_sub(1));
    for (row, (number, entry)) in app.home.entries.iter().enumerate().skip(first).take(rows).enumerate() {
        let chosen = number == app.home.chosen;
        let mark = if chosen { '>' } else { ' ' };
        let text = format!("{mark} {:<20} {}", entry.name, entry.title.text(lang));
        let look = if chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        let text = width::fit(&text, usize::from(inner.width));
        buffer.set_string(inner.x, inner.y + row as u16, text, look);
    }
    if let Some(entry) = app.home.entries.get(app.home.chosen) {
        let block = boxed(app, entry.name.clone());
        Paragraph::new(entry.question.text(lang).to_owned())
            .wrap(Wrap { trim: true })
            .block(block)
            .render(question, buffer);
    }
    draw_bar(bar, buffer, app, keys::HOME);
}

fn draw_player(area: Rect, buffer: &mut Buffer, app: &App, player: &Player) {
    let lesson_rows = if area.height < 20 { 4 } else { 6 };
    let inspector_rows = if area.height < 20 { 0 } else { 5 };
    let [head, top, inspector, lesson, bar] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(4),
        Constraint::Length(inspector_rows),
        Constraint::Length(lesson_rows),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(head, buffer, app, player);
    let [cluster, timeline] =
        Layout::horizontal([Constraint::Length((area.width / 3).clamp(24, 40)), Constraint::Min(20)]).areas(top);
    panes::cluster(cluster, buffer, app, player);
    panes::timeline(timeline, buffer, app, player);
    if inspector_rows > 0 {
        panes::inspector(inspector, buffer, app, player);
    }
    panes::lesson(lesson, buffer, app, player);
    match (&player.prompt, &player.note) {
        (Some(text), _) => {
            let line = width::cut(&format!(":{text}_"), usize::from(bar.width));
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
    let title = format!("{} {}", plan.scenario, player.scenario.lesson.title.text(lang));
    let room = usize::from(area.width).saturating_sub(width::of(&right) + 2);
    let line = format!("{}  {right}", width::fit(&title, room));
    let look = style(app, Color::Cyan, Modifier::BOLD);
    buffer.set_string(area.x, area.y, width::cut(&line, usize::from(area.width)), look);
}

/// As many keys as fit.
fn draw_bar(area: Rect, buffer: &mut Buffer, app: &App, bindings: &[Binding]) {
    let mut line = String::new();
    for binding in bindings {
        let piece = format!(" {} {} ", binding.key, binding.what.text(app.options.lang));
        if width::of(&line) + width::of(&piece) > usize::from(area.width) {
            break;
        }
        line.push_str(&piece);
    }
    buffer.set_string(area.x, area.y, line, Style::new().add_modifier(Modifier::DIM));
}

fn draw_help(area: Rect, buffer: &mut Buffer, app: &App) {
    let bindings = if app.player.is_some() { keys::PLAYER } else { keys::HOME };
    let lines: Vec<String> =
        bindings.iter().map(|binding| format!(" {:<8} {}", binding.key, binding.what.text(app.options.lang))).collect();
    let (columns, rows) = (34.min(area.width), (lines.len() as u16 + 2).min(area.height));
    let over = Rect::new(area.x + (area.width - columns) / 2, area.y + (area.height - rows) / 2, columns, rows);
    Clear.render(over, buffer);
    let title = if app.options.lang == Lang::Zh { "按键" } else { "Keys" };
    Paragraph::new(lines.join("\n")).block(boxed(app, title)).render(over, buffer);
}
