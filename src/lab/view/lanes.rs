//! A run as lanes: one column a node, one row an event, arrows for frames.

use std::collections::BTreeMap;

use crate::lab::locale::{Lang, sentences};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Record, Road, What};
use crate::lab::view::lines::{self, Handles};
use crate::mq::time::Time;

/// The lanes of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lanes {
    /// The nodes, left to right.
    pub nodes: Vec<String>,
    /// Rows in order.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The step.
    pub step: u64,
    /// True time.
    pub at: Time,
    /// What is drawn.
    pub mark: Mark,
}

/// The rows of a run by their places; a row is made when it is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows {
    /// The lanes that they are drawn in, without a row.
    pub lanes: Lanes,
    /// The step and the record of each.
    places: Vec<(u64, usize)>,
}

impl Rows {
    /// The rows of a run: those of [`of`].
    pub fn of(trace: &Trace) -> Rows {
        let mut told: BTreeMap<&'static str, bool> = BTreeMap::new();
        let mut is_told = |kind| *told.entry(kind).or_insert_with(|| sentences::of(kind).is_some());
        let mut has_row = |record: &Record| match (&record.what, record.node) {
            (What::Road(Road::Arrived { frame, .. }), Some(_)) if frame.label != "HEART_BEAT" => true,
            (What::Fault(_), _) | (_, Some(_)) => is_told(record.what.kind()),
            _ => false,
        };
        let places = trace.records().iter().enumerate();
        let places = places.filter(|(_, record)| has_row(record)).map(|(at, record)| (record.step, at)).collect();
        let nodes = trace.header.nodes.iter().map(|node| node.name.to_string()).collect();
        Rows { lanes: Lanes { nodes, rows: Vec::new() }, places }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// How many are past at the moment `#step`.
    pub fn past(&self, step: u64) -> usize {
        self.places.partition_point(|(own, _)| *own < step)
    }

    /// The step of one.
    pub fn step(&self, place: usize) -> Option<u64> {
        self.places.get(place).map(|(step, _)| *step)
    }

    /// One of them.
    pub fn row(&self, trace: &Trace, handles: &Handles, place: usize, lang: Lang) -> Option<Row> {
        let (_, at) = self.places.get(place)?;
        row(trace, handles, trace.records().get(*at)?, lang)
    }
}

/// What a row draws.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark {
    /// A frame from one lane to another.
    Arrow {
        /// From which lane.
        from: usize,
        /// To which lane.
        to: usize,
        /// The frame's name.
        label: String,
    },
    /// Something in one lane.
    Event {
        /// Which lane.
        lane: usize,
        /// What.
        text: String,
    },
    /// Something that all lanes suffer.
    Fault {
        /// What.
        text: String,
    },
}

/// The lanes of a run; heartbeats, timers and what has no sentence are left out.
pub fn of(trace: &Trace, handles: &Handles, lang: Lang) -> Lanes {
    let nodes = trace.header.nodes.iter().map(|node| node.name.to_string()).collect();
    let rows = trace.records().iter().filter_map(|record| row(trace, handles, record, lang)).collect();
    Lanes { nodes, rows }
}

/// The row of one record.
pub fn row(trace: &Trace, handles: &Handles, record: &Record, lang: Lang) -> Option<Row> {
    let mark = match (&record.what, record.node) {
        (What::Road(Road::Arrived { from, frame, .. }), Some(node)) if frame.label != "HEART_BEAT" => {
            Mark::Arrow { from: lane(*from), to: lane(node), label: frame.label.to_owned() }
        }
        (What::Fault(_), _) => Mark::Fault { text: lines::line(trace, handles, record, lang)?.text },
        (_, Some(node)) => {
            let line = lines::line(trace, handles, record, lang)?;
            Mark::Event { lane: lane(node), text: line.text }
        }
        _ => return None,
    };
    Some(Row { step: record.step, at: record.at, mark })
}

fn lane(node: NodeId) -> usize {
    usize::from(node.0)
}

impl Lanes {
    /// The lanes as text in so many columns: a head, then one line a row.
    pub fn text(&self, columns: usize) -> Vec<String> {
        let mut out = vec![self.head(columns)];
        out.extend(self.rows.iter().map(|row| self.draw(row, columns)));
        out
    }

    /// The columns that one lane has.
    fn lane_width(&self, columns: usize) -> usize {
        (columns.saturating_sub(margin(columns)) / self.nodes.len().max(1)).max(4)
    }

    /// The head: who stands where.
    pub fn head(&self, columns: usize) -> String {
        let width = self.lane_width(columns);
        let mut head = match columns < NARROW {
            true => format!("{:>6} ", "#"),
            false => format!("{:>6} {:>9}  ", "#", "t"),
        };
        for name in &self.nodes {
            head.push_str(&super::width::fit(name, width - 1));
            head.push(' ');
        }
        super::width::cut(head.trim_end(), columns)
    }

    /// One row.
    pub fn draw(&self, row: &Row, columns: usize) -> String {
        let width = self.lane_width(columns);
        let mut cells = vec![' '; width * self.nodes.len()];
        for lane in 0..self.nodes.len() {
            cells[lane * width] = '|';
        }
        let head = match columns < NARROW {
            true => format!("{:>6} ", row.step),
            false => format!("{:>6} {:>9}  ", row.step, row.at.to_string()),
        };
        let body = match &row.mark {
            Mark::Arrow { from, to, label } => {
                arrow(&mut cells, (from * width, to * width), label);
                cells.into_iter().collect::<String>()
            }
            Mark::Event { lane, text } => {
                // A text that would run out of the picture begins further left, and says whose it is.
                let room = columns.saturating_sub(margin(columns) + 2);
                let own = lane * width;
                let (start, text) = match own + super::width::of(text) <= room {
                    true => (own, text.clone()),
                    false => {
                        let text = format!("{}: {text}", self.nodes[*lane]);
                        (own.min(room.saturating_sub(super::width::of(&text))), text)
                    }
                };
                let before: String = cells[..start].iter().collect();
                format!("{before}* {text}")
            }
            Mark::Fault { text } => format!("X {text}"),
        };
        super::width::cut(format!("{head}{body}").trim_end(), columns)
    }
}

/// A picture of fewer columns has no room for the time.
const NARROW: usize = 70;

/// Columns before the first lane.
fn margin(columns: usize) -> usize {
    if columns < NARROW { 7 } else { 18 }
}

/// Draws an arrow between two columns, its label in the middle.
fn arrow(cells: &mut [char], (from, to): (usize, usize), label: &str) {
    let (left, right) = (from.min(to), from.max(to));
    for cell in &mut cells[left + 1..right] {
        *cell = '-';
    }
    let room = (right - left).saturating_sub(4);
    let label: Vec<char> = label.chars().take(room).collect();
    let start = left + 2 + (room - label.len()) / 2;
    cells[start..start + label.len()].copy_from_slice(&label);
    match from < to {
        true => cells[right - 1] = '>',
        false if left < right => cells[left + 1] = '<',
        false => {}
    }
}
