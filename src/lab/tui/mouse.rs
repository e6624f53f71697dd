//! The mouse: the wheel steps, a click opens, goes to an event, or presses a key of the bottom bar. Nothing needs it.

use ratatui::crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::lab::tui::app::App;
use crate::lab::tui::draw::{bar, bindings};
use crate::lab::tui::first;
use crate::lab::tui::keys;
use crate::lab::tui::layout::{self, SMALLEST};
use crate::lab::tui::panes;
use crate::lab::tui::player::Pane;
use crate::lab::tui::views;

/// Does what the mouse asks for on a screen.
pub(super) fn act(app: &mut App, event: MouseEvent, area: Rect) {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return;
    }
    let at = Position::new(event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
            let down = event.kind == MouseEventKind::ScrollDown;
            let steps = app.player.is_some() && app.menu.is_none() && app.card.is_none();
            app.press(match (steps, down) {
                (true, true) => KeyCode::Right,
                (true, false) => KeyCode::Left,
                (false, true) => KeyCode::Down,
                (false, false) => KeyCode::Up,
            });
        }
        MouseEventKind::Down(_) if app.menu.is_some() => app.menu = None,
        MouseEventKind::Down(_) if app.help.is_some() => app.help = None,
        MouseEventKind::Down(MouseButton::Left) if app.player.is_some() => in_player(app, at, area),
        MouseEventKind::Down(MouseButton::Left) => in_list(app, at, area),
        _ => {}
    }
}

fn in_list(app: &mut App, at: Position, area: Rect) {
    let all = app.home.rows(app.options.lang);
    let sheet = layout::home(area, first::about_rows(app, &all, area));
    if sheet.bar.contains(at) {
        return on_bar(app, at, sheet.bar);
    }
    let rows = usize::from(sheet.list.height.saturating_sub(2));
    let Some(row) = at.y.checked_sub(sheet.list.y + 1).map(usize::from).filter(|row| *row < rows) else { return };
    let number = first::first_shown(app, &all, rows) + row;
    if all.get(number).is_some_and(|row| row.act.is_some()) {
        app.home.chosen = number;
        app.press(KeyCode::Enter);
    }
}

fn in_player(app: &mut App, at: Position, area: Rect) {
    let Some(player) = &app.player else { return };
    let sheet = layout::player(area, app, player);
    if sheet.bar.contains(at) {
        return on_bar(app, at, sheet.bar);
    }
    if app.card.is_some() {
        return;
    }
    let hit = |pane: Option<Rect>| pane.is_some_and(|pane| pane.contains(at));
    let panes = [(sheet.cluster, Pane::Cluster), (sheet.timeline, Pane::Timeline), (sheet.message, Pane::Message)];
    let pane = panes.into_iter().find(|(pane, _)| hit(*pane)).map(|(_, pane)| pane);
    let step = sheet.timeline.filter(|timeline| timeline.contains(at)).and_then(|timeline| {
        let (first, _, rows) = panes::shown_rows(player, timeline);
        let row = at.y.checked_sub(timeline.y + 2).map(usize::from).filter(|row| *row < rows)?;
        player.rows.step(first + row)
    });
    let view = sheet.view.into_iter().find(|(_, place)| place.contains(at));
    let row = view
        .filter(|(part, _)| *part == 0)
        .and_then(|(_, place)| views::row_at((player, app.options.lang), place, at.y));
    let Some(player) = &mut app.player else { return };
    if let Some((part, _)) = view {
        (player.part, player.scroll) = (part, 0);
    }
    if let Some(pick) = row {
        views::look(player, pick);
    }
    if let Some(step) = step {
        player.playing = false;
        player.go(step + 1);
    }
    if let Some(pane) = pane {
        player.pane = pane;
    }
}

fn on_bar(app: &mut App, at: Position, area: Rect) {
    let column = at.x - area.x;
    let pieces = bar(app, &bindings(app), area.width);
    let piece = pieces.into_iter().rfind(|(begins, ..)| *begins <= column);
    if let Some((begins, text, binding)) = piece
        && usize::from(column - begins) < crate::lab::view::width::of(&text)
        && let Some(key) = keys::pressed(binding)
    {
        app.press(key);
    }
}
