//! The list of scenarios.

use crate::lab::locale::Phrase;

/// One entry of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The scenario's name.
    pub name: String,
    /// What it is called.
    pub title: Phrase,
    /// What it asks.
    pub question: Phrase,
}

/// The list and what is chosen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Home {
    /// The entries, in teaching order.
    pub entries: Vec<Entry>,
    /// Which one is chosen.
    pub chosen: usize,
}

impl Home {
    /// Moves the choice.
    pub fn go(&mut self, down: bool) {
        let last = self.entries.len().saturating_sub(1);
        self.chosen = if down { last.min(self.chosen + 1) } else { self.chosen.saturating_sub(1) };
    }
}
