//! Where everything stands on a screen, for drawing and for the mouse.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::lab::tui::app::App;
use crate::lab::tui::panes;
use crate::lab::tui::player::{Pane, Player};

/// Below this there is one line that says so.
pub(super) const SMALLEST: (u16, u16) = (60, 16);
/// Below this one pane is shown at a time.
const FULL: (u16, u16) = (80, 24);
/// Rows of the message's pane.
const MESSAGE_ROWS: u16 = 6;
/// The least rows of the pane or panes above the message's.
const TOP_ROWS: u16 = 8;

/// The list's screen.
pub(super) struct HomeSheet {
    pub(super) head: Rect,
    pub(super) list: Rect,
    pub(super) question: Rect,
    pub(super) bar: Rect,
}

/// The player's screen; a pane that is not shown has no rectangle.
pub(super) struct PlayerSheet {
    pub(super) head: Rect,
    pub(super) cluster: Option<Rect>,
    pub(super) timeline: Option<Rect>,
    pub(super) message: Option<Rect>,
    pub(super) lesson: Rect,
    pub(super) bar: Rect,
}

/// Where the list stands.
pub(super) fn home(area: Rect) -> HomeSheet {
    let rows = [Constraint::Length(2), Constraint::Min(3), Constraint::Length(4), Constraint::Length(1)];
    let [head, list, question, bar] = Layout::vertical(rows).areas(area);
    HomeSheet { head, list, question, bar }
}

/// Where the player's panes stand: the lesson has the rows that its text needs.
pub(super) fn player(area: Rect, app: &App, player: &Player) -> PlayerSheet {
    let small = area.width < FULL.0 || area.height < FULL.1;
    let (least, others) = if small { (4, TOP_ROWS - 2) } else { (6, TOP_ROWS + MESSAGE_ROWS) };
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
    if small {
        let [head, pane, _, lesson, bar] = Layout::vertical(rows(0)).areas(area);
        let shown = |which| (player.pane == which).then_some(pane);
        let (cluster, timeline, message) = (shown(Pane::Cluster), shown(Pane::Timeline), shown(Pane::Message));
        return PlayerSheet { head, cluster, timeline, message, lesson, bar };
    }
    let [head, top, message, lesson, bar] = Layout::vertical(rows(MESSAGE_ROWS)).areas(area);
    let columns = [Constraint::Length((area.width / 3).clamp(28, 40)), Constraint::Min(20)];
    let [cluster, timeline] = Layout::horizontal(columns).areas(top);
    PlayerSheet { head, cluster: Some(cluster), timeline: Some(timeline), message: Some(message), lesson, bar }
}
