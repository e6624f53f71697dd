//! A view as panes of lines: what every pen that writes letters draws, whatever it writes them on.

use crate::lab::view::scene::Pick;
use crate::lab::view::width;

/// A view, its panes in the order of their weight.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sheet {
    /// The panes; the first is the list in which one picks.
    pub panes: Vec<Pane>,
}

/// A pane.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pane {
    /// Its title.
    pub title: String,
    /// What stands in it.
    pub body: Body,
    /// Which row is chosen.
    pub chosen: Option<usize>,
    /// What each row stands for; empty where nothing can be picked.
    pub picks: Vec<Pick>,
}

/// What stands in a pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Lines, wrapped.
    Text(Vec<(String, Tone)>),
    /// A table: heads, and rows.
    Table(Vec<Column>, Vec<(Vec<Cell>, Tone)>),
}

impl Default for Body {
    fn default() -> Body {
        Body::Text(Vec::new())
    }
}

/// A column of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// Whether it stands at the right of its room, as numbers do.
    pub right: bool,
    /// The least columns that it may be cut to; what is not cut has its whole width here.
    pub least: usize,
}

impl Column {
    /// A column of words.
    pub fn words(head: &str, least: usize) -> Column {
        Column { head: head.to_owned(), right: false, least }
    }

    /// A column of numbers, never cut.
    pub fn number(head: &str) -> Column {
        Column { head: head.to_owned(), right: true, least: usize::MAX }
    }
}

/// A cell of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A queue's lane, as wide as there is room.
    Lane(Lane),
}

impl Cell {
    /// A text, or a number.
    pub fn of(text: impl ToString) -> Cell {
        Cell::Text(text.to_string())
    }

    /// A text, or a dash for nothing.
    pub fn or_dash(text: Option<impl ToString>) -> Cell {
        Cell::Text(text.map_or_else(|| "-".to_owned(), |text| text.to_string()))
    }

    fn width(&self) -> usize {
        match self {
            Cell::Text(text) => width::of(text),
            Cell::Lane(_) => 0,
        }
    }
}

/// A queue's places from its first to its last: `=` committed, `c` done, `P` in hand, `.` waiting.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lane {
    /// The first place.
    pub min: i64,
    /// One past the last.
    pub max: i64,
    /// The next place to consume, as the broker knows it.
    pub committed: i64,
    /// Done, and not committed.
    pub done: Vec<i64>,
    /// In hand.
    pub hand: Vec<i64>,
}

impl Lane {
    /// The lane in so many columns; where there are more places, a column stands for several, and shows the most telling.
    pub fn draw(&self, columns: usize) -> String {
        let count = (self.max - self.min).max(0) as usize;
        let cells = count.min(columns);
        let of = |cell: usize| self.min + (cell * count / cells.max(1)) as i64;
        let glyph = |cell: usize| {
            let (from, to) = (of(cell), of(cell + 1));
            let holds = |places: &[i64]| places.iter().any(|place| (from..to).contains(place));
            match () {
                () if holds(&self.hand) => 'P',
                () if holds(&self.done) => 'c',
                () if to <= self.committed => '=',
                () => '.',
            }
        };
        (0..cells).map(glyph).collect()
    }
}

/// How a line looks; meaning always stands in letters too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tone {
    /// As all.
    #[default]
    Plain,
    /// A head.
    Head,
    /// As it should be.
    Good,
    /// Not decided.
    Open,
    /// Lost or broken.
    Bad,
    /// Less telling than the others.
    Dim,
}

impl Pane {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        match &self.body {
            Body::Text(lines) => lines.len(),
            Body::Table(_, rows) => rows.len(),
        }
    }

    /// A pane of sentences.
    pub fn text(title: impl Into<String>, lines: Vec<(String, Tone)>) -> Pane {
        Pane { title: title.into(), body: Body::Text(lines), ..Pane::default() }
    }

    /// The heads, and the lines in so many columns, each with its tone and the row that it is of.
    pub fn lines(&self, columns: usize) -> (Option<String>, Vec<(String, Tone, usize)>) {
        match &self.body {
            Body::Text(lines) => {
                let wrapped = lines.iter().enumerate().flat_map(|(row, (text, tone))| {
                    let wrapped = match text.is_empty() {
                        true => vec![String::new()],
                        false => width::wrap(text, columns),
                    };
                    wrapped.into_iter().map(move |line| (line, *tone, row))
                });
                (None, wrapped.collect())
            }
            Body::Table(heads, rows) => {
                let mark = if self.chosen.is_some() { 1 } else { 0 };
                let widths = widths(heads, rows, columns.saturating_sub(mark));
                let head: Vec<Cell> = heads.iter().map(|column| Cell::of(&column.head)).collect();
                let draw = |cells: &[Cell], chosen: bool| {
                    let line = line(heads, cells, &widths);
                    let mark = if chosen { ">" } else { &" "[..mark] };
                    format!("{mark}{line}").trim_end().to_owned()
                };
                let drawn = rows.iter().enumerate().map(|(row, (cells, tone))| {
                    let chosen = self.chosen == Some(row);
                    (draw(cells, chosen), *tone, row)
                });
                let has_heads = heads.iter().any(|column| !column.head.is_empty());
                (has_heads.then(|| draw(&head, false)), drawn.collect())
            }
        }
    }
}

/// What each column gets: its whole width where there is room, less from the widest that may be cut where there is not. A
/// column of lanes takes what is left.
fn widths(heads: &[Column], rows: &[(Vec<Cell>, Tone)], columns: usize) -> Vec<usize> {
    let whole = |at: usize| {
        let cells = rows.iter().filter_map(|(cells, _)| cells.get(at)).map(Cell::width);
        cells.max().unwrap_or(0).max(width::of(&heads[at].head))
    };
    let mut widths: Vec<usize> = (0..heads.len()).map(whole).collect();
    let room = columns.saturating_sub(2 * heads.len().saturating_sub(1));
    let is_lane = |at: usize| rows.iter().any(|(cells, _)| matches!(cells.get(at), Some(Cell::Lane(_))));
    if let Some(lane) = (0..heads.len()).find(|at| is_lane(*at)) {
        let others: usize = widths.iter().sum::<usize>() - widths[lane];
        widths[lane] = room.saturating_sub(others).max(LANE_LEAST);
    }
    while room < widths.iter().sum() {
        let spare = |at: usize| widths[at].saturating_sub(heads[at].least);
        let Some(widest) = (0..heads.len()).max_by_key(|at| (spare(*at), *at)).filter(|at| 0 < spare(*at)) else {
            break;
        };
        widths[widest] -= 1;
    }
    widths
}

/// A lane has so many columns at least.
const LANE_LEAST: usize = 8;

fn line(heads: &[Column], cells: &[Cell], widths: &[usize]) -> String {
    let mut out = String::new();
    for (at, cell) in cells.iter().enumerate() {
        let (Some(column), Some(room)) = (heads.get(at), widths.get(at)) else { break };
        let text = match cell {
            Cell::Text(text) => width::cut(text, *room),
            Cell::Lane(lane) => lane.draw(*room),
        };
        let gap = " ".repeat(room.saturating_sub(width::of(&text)));
        if 0 < at {
            out.push_str("  ");
        }
        match column.right {
            true => out.extend([gap.as_str(), text.as_str()]),
            false => out.extend([text.as_str(), gap.as_str()]),
        }
    }
    out
}

impl Sheet {
    /// The view as text in so many columns, pane by pane, nothing left out.
    pub fn text(&self, columns: usize) -> String {
        let mut out = String::new();
        for pane in &self.panes {
            if !out.is_empty() {
                out.push('\n');
            }
            let (head, lines) = pane.lines(columns);
            for line in std::iter::once(pane.title.clone()).chain(head).chain(lines.into_iter().map(|(line, ..)| line))
            {
                out.push_str(&width::cut(line.trim_end(), columns));
                out.push('\n');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_shows_what_was_done_above_the_place_that_is_committed() {
        let lane = Lane { min: 0, max: 12, committed: 3, done: vec![4, 5], hand: vec![3] };
        assert_eq!(lane.draw(20), "===Pcc......");
        assert_eq!(lane.draw(6), "=Pc...", "a column stands for two places");
        assert_eq!(lane.draw(0), "");
        assert_eq!(Lane::default().draw(5), "");
    }

    #[test]
    fn a_table_gives_from_its_widest_column() {
        let heads = vec![Column::words("topic", 5), Column::number("max")];
        let rows = vec![(vec![Cell::of("a-very-long-topic"), Cell::of(12)], Tone::Plain)];
        let pane = Pane { body: Body::Table(heads, rows), chosen: Some(0), ..Pane::default() };
        assert_eq!(pane.lines(40).1[0].0, ">a-very-long-topic   12");
        assert_eq!(pane.lines(16).1[0].0, ">a-very-lo~   12");
        assert_eq!(pane.lines(16).0.unwrap(), " topic       max");
        assert_eq!(pane.lines(1).1.len(), 1, "no room at all");
    }
}
