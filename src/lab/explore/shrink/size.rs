//! How large a plan is to its reader.

use toml::{Table, Value};

use crate::lab::explore::shrink::document::{self, rows};

/// What makes a plan larger, the weightiest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Size {
    /// Faults that are on.
    pub episodes: u64,
    /// Messages that are asked for.
    pub operations: u64,
    /// Characters, comments aside.
    pub characters: usize,
}

/// The size of a plan's text; nothing if it is no document.
pub fn of(text: &str) -> Option<Size> {
    let document = document::read(text)?;
    let is_on = |fault: &&Table| fault.get("off").and_then(Value::as_bool) != Some(true);
    let told = text.lines().filter(|line| !line.starts_with('#'));
    Some(Size {
        episodes: rows(&document, "fault").into_iter().filter(is_on).count() as u64,
        operations: operations(&document),
        characters: told.map(|line| line.chars().count()).sum(),
    })
}

/// Messages that a document asks for.
pub(super) fn operations(document: &Table) -> u64 {
    let sends = rows(document, "producer").into_iter().flat_map(|producer| rows(producer, "send"));
    sends.map(|send| send.get("count").and_then(Value::as_integer).map_or(1, i64::unsigned_abs)).sum()
}
