//! Pass 1: time after the violation goes.

use toml::{Table, Value};

use crate::lab::explore::shrink::document::{self, millis, rows, span};
use crate::lab::explore::shrink::search::Search;

/// Guarantees that something happens in the end: a run that was cut too early breaks them, too, and shows nothing.
const LIVENESS: &[&str] = &[
    "at-least-once",
    "drain-bound",
    "broadcast-complete",
    "filter-complete",
    "transaction-resolved",
    "transaction-atomic",
    "dlq-exact",
    "rebalance-coverage",
    "no-stuck-entity",
    "not-late",
    "retry-schedule",
    "derived-continuity",
];
/// So long everything has been well before one of them is believed to be broken: the drain's bound and some more.
const DRAIN: u64 = 260_000;

/// Ends the run earlier, by bisection to whole seconds.
pub(super) fn pass(search: &mut Search<'_>) {
    let Some(whole) = search.document.get("until").and_then(millis) else { return };
    let is_liveness = LIVENESS.contains(&&*search.target.check);
    let least = if is_liveness { last(&search.document) + DRAIN } else { 1_000 };
    let (mut low, mut high) = (least.div_ceil(1_000), whole.div_ceil(1_000));
    while low < high && !search.is_spent() {
        let middle = low.midpoint(high);
        if ends(search, middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
}

fn ends(search: &mut Search<'_>, seconds: u64) -> bool {
    search.change(|document| {
        document.insert("until".to_owned(), span(seconds * 1_000));
    })
}

/// When the last fault is over and the last message has been asked for, as far as the text tells.
fn last(document: &Table) -> u64 {
    let of = |table: &Table, key: &str| table.get(key).and_then(millis).unwrap_or(0);
    let faults = rows(document, "fault").into_iter().map(|fault| of(fault, "at") + of(fault, "lasts"));
    let sends = rows(document, "producer").into_iter().map(|producer| {
        let spans = document::rows(producer, "send").into_iter().map(|send| {
            let count = send.get("count").and_then(Value::as_integer).unwrap_or(1).unsigned_abs();
            of(send, "wait") + of(send, "every") * count
        });
        of(producer, "start") + spans.sum::<u64>()
    });
    faults.chain(sends).max().unwrap_or(0)
}
