//! What checkers tell, collected.

use crate::lab::check::Guarantee;
use crate::lab::check::storage::{BREACHES_MAX, Breach, Note};
use crate::lab::locale::Phrase;

/// Breaches and notes as they are found.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) breaches: Vec<Breach>,
    pub(super) unlisted: u64,
    pub(super) notes: Vec<Note>,
}

/// A file and a byte in it.
pub(super) type Place = (String, u64);

impl Told {
    /// Something is broken.
    pub(super) fn breach(
        &mut self,
        (guarantee, clause): (Guarantee, &'static str),
        (file, offset): Place,
        sentence: Phrase,
    ) {
        if self.breaches.len() == BREACHES_MAX {
            self.unlisted += 1;
            return;
        }
        self.breaches.push(Breach { guarantee, clause, file, offset, sentence });
    }

    /// More is broken than is worth a sentence each.
    pub(super) fn more(&mut self, count: u64) {
        self.unlisted += count;
    }

    /// Something is worth saying.
    pub(super) fn note(&mut self, kind: &'static str, (file, offset): Place, sentence: Phrase) {
        if self.notes.len() < BREACHES_MAX {
            self.notes.push(Note { kind, file, offset, sentence });
        }
    }
}

/// A sentence in both languages.
pub(super) fn said(en: impl Into<String>, zh: impl Into<String>) -> Phrase {
    Phrase { en: en.into(), zh: zh.into() }
}
