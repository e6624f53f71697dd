//! Where everything stands on a screen, for drawing and for the mouse.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::lab::tui::app::App;
use crate::lab::tui::panes;
use crate::lab::tui::player::{Pane, Player};
use crate::lab::tui::views;
use crate::lab::view::tabs::Tab;

/// Below this there is one line that says so.
pub(super) const SMALLEST: (u16, u16) = (60, 16);
/// Below this one pane is shown at a time.
const FULL: (u16, u16) = (80, 24);
/// The least rows of a view's list.
const LIST_LEAST: u16 = 5;
/// From here on a view shows all of its panes.
const RICH: (u16, u16) = (120, 36);
/// Rows of the message's pane.
const MESSAGE_ROWS: u16 = 6;
/// The least rows of the pane or panes above the message's.
const TOP_ROWS: u16 = 8;

/// The first screen.
pub(super) struct HomeSheet {
    pub(super) head: Rect,
    pub(super) list: Rect,
    pub(super) about: Rect,
    pub(super) bar: Rect,
}

/// The player's screen; a pane that is not shown has no rectangle.
pub(super) struct PlayerSheet {
    pub(super) head: Rect,
    pub(super) cluster: Option<Rect>,
    pub(super) timeline: Option<Rect>,
    pub(super) message: Option<Rect>,
    /// The panes of the view that is up, by their places in it; none of the first view's, whose rectangles are above.
    pub(super) view: Vec<(usize, Rect)>,
    pub(super) lesson: Rect,
    pub(super) bar: Rect,
}

/// Where the first screen's list stands, and below it so many rows about what is chosen.
pub(super) fn home(area: Rect, about: u16) -> HomeSheet {
    let rows = [Constraint::Length(2), Constraint::Min(3), Constraint::Length(about), Constraint::Length(1)];
    let [head, list, about, bar] = Layout::vertical(rows).areas(area);
    HomeSheet { head, list, about, bar }
}

/// Where the player's panes stand: the lesson has the rows that its text needs.
pub(super) fn player(area: Rect, app: &App, player: &Player) -> PlayerSheet {
    let small = area.width < FULL.0 || area.height < FULL.1;
    let is_first = player.tab == Tab::Cluster;
    let (least, others) = match (small, is_first) {
        (true, _) => (4, TOP_ROWS - 2),
        (false, true) => (6, TOP_ROWS + MESSAGE_ROWS),
        (false, false) => (4, TOP_ROWS + MESSAGE_ROWS),
    };
    let text = panes::lesson_lines(app, player, usize::from(area.width.saturating_sub(2)));
    let wanted = u16::try_from(text.len() + 2).unwrap_or(u16::MAX);
    let lesson_rows = wanted.clamp(least, (area.height - 2).saturating_sub(others).max(least));
    let rows = |message: u16| {
        [
            Constraint::Length(1),
            Constraint::Min(4),
            Constraint::Length(message),
            Constraint::Length(lesson_rows),
            Constraint::Length(1),
        ]
    };
    if !is_first {
        let [head, body, _, lesson, bar] = Layout::vertical(rows(0)).areas(area);
        let list = views::sheet(player, app.options.lang).map_or(0, |sheet| sheet.panes[0].rows());
        let view = view(body, (area, small), (player.part, list), player.tab.panes());
        return PlayerSheet { head, cluster: None, timeline: None, message: None, view, lesson, bar };
    }
    let view = Vec::new();
    if small {
        let [head, pane, _, lesson, bar] = Layout::vertical(rows(0)).areas(area);
        let shown = |which| (player.pane == which).then_some(pane);
        let (cluster, timeline, message) = (shown(Pane::Cluster), shown(Pane::Timeline), shown(Pane::Message));
        return PlayerSheet { head, cluster, timeline, message, view, lesson, bar };
    }
    let [head, top, message, lesson, bar] = Layout::vertical(rows(MESSAGE_ROWS)).areas(area);
    let columns = [Constraint::Length((area.width / 3).clamp(28, 40)), Constraint::Min(20)];
    let [cluster, timeline] = Layout::horizontal(columns).areas(top);
    PlayerSheet { head, cluster: Some(cluster), timeline: Some(timeline), message: Some(message), view, lesson, bar }
}

/// Where a view's panes stand: the list above, with the rows that it needs up to a half; two others beside each other below
/// it, all of them where there is room.
fn view(body: Rect, (area, small): (Rect, bool), (part, list): (usize, usize), panes: usize) -> Vec<(usize, Rect)> {
    if small || panes < 2 {
        return vec![(part.min(panes.saturating_sub(1)), body)];
    }
    let is_wide = RICH.0 <= area.width && RICH.1 <= area.height;
    let below = if is_wide { panes - 1 } else { (panes - 1).min(2) };
    let wanted = u16::try_from(list + 3).unwrap_or(u16::MAX).clamp(LIST_LEAST, (body.height / 2).max(LIST_LEAST));
    let [above, rest] = Layout::vertical([Constraint::Length(wanted), Constraint::Min(1)]).areas(body);
    // What stands last has the longest lines.
    let shares = (0..below).map(|at| Constraint::Fill(if at + 1 == below { 9 } else { 7 }));
    let columns = Layout::horizontal(shares).split(rest);
    let mut shown = vec![(0, above)];
    // A pane that has no room of its own takes the last one's while it is looked at.
    shown.extend(columns.iter().enumerate().map(|(at, column)| match at + 1 == below && below < part {
        true => (part, *column),
        false => (at + 1, *column),
    }));
    shown
}
