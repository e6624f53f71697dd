//! Pass 2: faults that the violation does not need go.

use std::collections::BTreeSet;

use toml::Table;

use crate::lab::explore::shrink::document::{keep, rows};
use crate::lab::explore::shrink::search::Search;

/// Drops faults, by delta debugging.
pub(super) fn pass(search: &mut Search<'_>) {
    search.change(|document| keep(document, "fault", |_, fault| fault.get("off").is_none()));
    ddmin(search, &|document: &Table| rows(document, "fault").len(), &|document, gone| {
        keep(document, "fault", |at, _| !gone.contains(&at));
    });
}

/// Removes parts of a list, halves first, then ever smaller ones, until none can be removed alone.
pub(super) fn ddmin(
    search: &mut Search<'_>,
    len: &dyn Fn(&Table) -> usize,
    remove: &dyn Fn(&mut Table, &BTreeSet<usize>),
) {
    let mut size = len(&search.document);
    while 0 < size && !search.is_spent() {
        let mut from = 0;
        let mut has_changed = false;
        // From the front: what happened first is the most likely not to matter.
        while from < len(&search.document) {
            let gone: BTreeSet<usize> = (from..from + size).collect();
            if search.change(|document| remove(document, &gone)) {
                has_changed = true;
            } else {
                from += size;
            }
        }
        if !(has_changed && size == 1) {
            size /= 2;
        }
    }
}
