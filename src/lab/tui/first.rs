//! The first screen, drawn: rows of the page that is up, and a box that says what the chosen one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::Widget;

use crate::lab::locale::course;
use crate::lab::tui::app::App;
use crate::lab::tui::draw::{boxed, draw_bar, style};
use crate::lab::tui::home::{Page, Row};
use crate::lab::tui::keys::{self, Binding};
use crate::lab::tui::{layout, panes};
use crate::lab::view::width;

/// Columns that a row's name may take.
const NAME_MAX: usize = 30;

/// The keys that do something on the page that is up.
pub(super) fn bindings(app: &App) -> Vec<&'static Binding> {
    let home = &app.home;
    let is_useful = |key: &str| match key {
        "/" => home.page == Page::First || home.page == Page::Lessons,
        "Esc" => home.page != Page::First || home.typing,
        // While something is typed, letters are letters.
        "L" | "?" | "q" => !home.typing,
        _ => true,
    };
    keys::HOME.iter().filter(|binding| is_useful(binding.key)).collect()
}

/// The first row that is shown where so many fit.
pub(super) fn first_shown(app: &App, rows: &[Row], fit: usize) -> usize {
    app.home.place(rows).saturating_sub(fit.saturating_sub(1))
}

/// Draws it.
pub(super) fn draw(area: Rect, buffer: &mut Buffer, app: &App) {
    let lang = app.options.lang;
    let rows = app.home.rows(lang);
    let sheet = layout::home(area, about_rows(app, &rows, area));
    head(sheet.head, buffer, app);
    let block = boxed(app, title(app));
    let inner = block.inner(sheet.list);
    block.render(sheet.list, buffer);
    let chosen = app.home.place(&rows);
    let fit = usize::from(inner.height);
    let longest = rows.iter().filter(|row| row.act.is_some()).map(|row| width::of(&row.name)).max();
    let longest = longest.unwrap_or(0).min(NAME_MAX);
    let shown = rows.iter().enumerate().skip(first_shown(app, &rows, fit)).take(fit);
    for (line, (number, row)) in shown.enumerate() {
        let (text, look) = drawn(row, number == chosen, (longest, usize::from(inner.width)));
        buffer.set_string(inner.x, inner.y + line as u16, text, look);
    }
    if let Some(row) = rows.get(chosen) {
        let block = boxed(app, width::cut(&row.name, usize::from(sheet.about.width.saturating_sub(2))));
        let inner = block.inner(sheet.about);
        block.render(sheet.about, buffer);
        let lines = width::wrap(&row.about, usize::from(inner.width));
        panes::put(inner, buffer, &lines.into_iter().map(|line| (line, Style::new())).collect::<Vec<_>>(), 0);
    }
    let bar = sheet.bar;
    match &app.home.note {
        Some(note) => {
            let line = width::cut(note.text(lang), usize::from(bar.width));
            buffer.set_string(bar.x, bar.y, line, style(app, Color::Yellow, Modifier::BOLD));
        }
        None => draw_bar(bar, buffer, app, &bindings(app)),
    }
}

/// Rows of the box below: what the chosen row says.
pub(super) fn about_rows(app: &App, rows: &[Row], area: Rect) -> u16 {
    let about = rows.get(app.home.place(rows)).map_or("", |row| row.about.as_str());
    let lines = width::wrap(about, usize::from(area.width.saturating_sub(2))).len();
    (lines as u16 + 2).clamp(4, 8)
}

/// The name of the program, and the languages; the latter in a line of their own where the first is too long.
fn head(area: Rect, buffer: &mut Buffer, app: &App) {
    let lang = app.options.lang;
    let (name, languages) = (course::NAME.text(lang), course::LANGUAGES.text(lang));
    let columns = usize::from(area.width);
    let look = style(app, Color::Cyan, Modifier::BOLD);
    buffer.set_string(area.x, area.y, width::cut(name, columns), look);
    let at = columns.saturating_sub(width::of(languages));
    let row = if width::of(name) + 2 <= at { 0 } else { 1 };
    if row < area.height {
        buffer.set_string(area.x + at as u16, area.y + row, width::cut(languages, columns), Style::new());
    }
}

fn title(app: &App) -> String {
    let (home, lang) = (&app.home, app.options.lang);
    let words = match home.page {
        Page::First => course::FIRST,
        Page::Lessons => course::LESSONS,
        Page::Sandbox => course::SANDBOX,
        Page::Runs => course::RUNS,
    };
    match (home.typing, home.filter.is_empty()) {
        (true, _) => format!("{}  {}{}_", words.text(lang), course::FILTER.text(lang), home.filter),
        (false, false) => format!("{}  {}{}", words.text(lang), course::FILTER.text(lang), home.filter),
        (false, true) => words.text(lang).to_owned(),
    }
}

/// A row of exactly so many columns, its name in so many.
fn drawn(row: &Row, is_chosen: bool, (name, columns): (usize, usize)) -> (String, Style) {
    if row.act.is_none() {
        return (width::fit(&row.name, columns), Style::new().add_modifier(Modifier::BOLD));
    }
    let mark = if is_chosen { '>' } else { ' ' };
    let note = if row.note.is_empty() { String::new() } else { format!("  {} ", row.note) };
    let room = columns.saturating_sub(width::of(&note));
    let text = format!("{mark} {}  {}", width::fit(&row.name, name), row.text);
    let look = if is_chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    (width::fit(&format!("{}{note}", width::fit(&text, room)), columns), look)
}
