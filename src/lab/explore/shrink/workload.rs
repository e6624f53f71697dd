//! Pass 4: messages and application rules that the violation does not need go.

use toml::{Table, Value};

use crate::lab::explore::shrink::document::{keep, millis, row, rows, span};
use crate::lab::explore::shrink::search::Search;

/// Drops rows of messages, then messages of a row, then rules.
pub(super) fn pass(search: &mut Search<'_>) {
    for client in 0..rows(&search.document, "producer").len() {
        drop_rows(search, ("producer", "send"), client);
        drop_rows(search, ("producer", "on"), client);
        for block in 0..blocks(&search.document, ("producer", "send"), client) {
            fewer(search, (client, block));
        }
    }
    for client in 0..rows(&search.document, "consumer").len() {
        drop_rows(search, ("consumer", "on"), client);
    }
}

fn blocks(document: &Table, (list, inner): (&str, &str), client: usize) -> usize {
    rows(document, list).get(client).map_or(0, |client| rows(client, inner).len())
}

/// The last ones first, so that the numbers of those before them stay.
fn drop_rows(search: &mut Search<'_>, (list, inner): (&str, &str), client: usize) {
    for block in (0..blocks(&search.document, (list, inner), client)).rev() {
        search.change(|document| {
            if let Some(client) = row(document, list, client) {
                keep(client, inner, |at, _| at != block);
            }
        });
    }
}

/// Messages go from the end, from the front (the others stay where they are in time), or from between.
fn fewer(search: &mut Search<'_>, place: (usize, usize)) {
    let ways: [fn(&mut Table, u64); 3] = [
        |send, less| count(send, |count| count.saturating_sub(less)),
        |send, less| {
            let every = send.get("every").and_then(millis).unwrap_or(0);
            let wait = send.get("wait").and_then(millis).unwrap_or(0);
            count(send, |count| count.saturating_sub(less));
            send.insert("wait".to_owned(), span(wait + every * less));
        },
        |send, less| {
            let every = send.get("every").and_then(millis).unwrap_or(0);
            let whole = number(send);
            let left = whole.saturating_sub(less).max(1);
            count(send, |_| left);
            send.insert("every".to_owned(), span(every * whole / left));
        },
    ];
    for way in ways {
        let mut less = send(&search.document, place).map_or(0, number);
        while 0 < less && !search.is_spent() {
            let now = send(&search.document, place).map_or(0, number);
            let took = less < now
                && search.change(|document| {
                    let producer = row(document, "producer", place.0);
                    if let Some(send) = producer.and_then(|producer| row(producer, "send", place.1)) {
                        way(send, less);
                    }
                });
            if !took {
                less /= 2;
            }
        }
    }
}

fn send(document: &Table, (client, block): (usize, usize)) -> Option<&Table> {
    rows(rows(document, "producer").get(client)?, "send").get(block).copied()
}

fn number(send: &Table) -> u64 {
    send.get("count").and_then(Value::as_integer).map_or(1, i64::unsigned_abs)
}

fn count(send: &mut Table, change: impl FnOnce(u64) -> u64) {
    let count = change(number(send)).max(1);
    send.insert("count".to_owned(), Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)));
}
