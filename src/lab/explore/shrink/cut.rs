//! Pass 1: time after the violation goes, and time in which nothing happens.

use std::collections::BTreeSet;

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
/// A span that is short enough, in milliseconds.
const QUIET: u64 = 1_000;

/// Ends the run earlier, by bisection to whole seconds.
pub(super) fn pass(search: &mut Search<'_>) {
    let Some(whole) = search.document.get("until").and_then(millis) else { return };
    let is_liveness = search.is_own() || LIVENESS.contains(&&*search.target.check);
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
    moments(document).into_iter().max().unwrap_or(0)
}

fn of(table: &Table, key: &str) -> u64 {
    table.get(key).and_then(millis).unwrap_or(0)
}

/// When faults begin and end and rows of messages do, as far as the text tells.
fn moments(document: &Table) -> Vec<u64> {
    let mut all = Vec::new();
    for fault in rows(document, "fault") {
        if let Some(at) = fault.get("at").and_then(millis) {
            all.extend([at, at + of(fault, "lasts")]);
        }
    }
    for producer in rows(document, "producer") {
        let mut at = of(producer, "start");
        for send in rows(producer, "send") {
            let (begin, end) = span_of(send, at);
            all.extend([begin, end]);
            at = end;
        }
    }
    all
}

/// When a row of messages begins and ends if the one before it has ended.
fn span_of(send: &Table, after: u64) -> (u64, u64) {
    let count = send.get("count").and_then(Value::as_integer).map_or(1, i64::unsigned_abs);
    let begin = after + of(send, "wait");
    (begin, begin + of(send, "every") * count)
}

/// Drops what comes late: faults that begin and messages that are asked for behind a moment, by bisection to whole seconds;
/// what is owed by then has its time. In a run of hours most of what can go goes so.
pub(super) fn horizon(search: &mut Search<'_>) {
    let (mut low, mut high) = (1, last(&search.document).div_ceil(1_000));
    while low < high && !search.is_spent() {
        let middle = low.midpoint(high);
        if search.change(|document| drop_behind(document, middle * 1_000)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
}

fn drop_behind(document: &mut Table, moment: u64) {
    document::keep(document, "fault", |_, fault| fault.get("at").and_then(millis).is_none_or(|at| at < moment));
    for number in 0..rows(document, "producer").len() {
        let Some(producer) = document::row(document, "producer", number) else { continue };
        let mut at = of(producer, "start");
        let mut left = Vec::new();
        for send in rows(producer, "send") {
            let (begin, end) = span_of(send, at);
            at = end;
            let fits = moment.saturating_sub(begin).div_ceil(of(send, "every").max(1));
            let count = send.get("count").and_then(Value::as_integer).map_or(1, i64::unsigned_abs).min(fits);
            if 0 < count {
                let mut send = send.clone();
                if send.contains_key("count") {
                    send.insert("count".to_owned(), Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)));
                }
                left.push(Value::Table(send));
            }
        }
        match left.is_empty() {
            true => drop(producer.remove("send")),
            false => drop(producer.insert("send".to_owned(), Value::Array(left))),
        }
    }
    let until = of(document, "until").min(moment + DRAIN);
    document.insert("until".to_owned(), span(until));
}

/// Spans in which nothing is asked for and nothing goes wrong become shorter, the longest first.
pub(super) fn sooner(search: &mut Search<'_>) {
    let mut known: BTreeSet<u64> = BTreeSet::new();
    while !search.is_spent() {
        let mut all = moments(&search.document);
        all.push(0);
        all.sort_unstable();
        let gaps = all.windows(2).map(|pair| (pair[1] - pair[0], pair[1]));
        let Some((gap, moment)) = gaps.filter(|(gap, _)| QUIET < *gap && !known.contains(gap)).max() else { return };
        let by = [gap - QUIET, gap - 5 * QUIET.min(gap / 5), gap / 2];
        let goes = |search: &mut Search<'_>, by: u64| search.change(|document| pull(document, moment, by));
        if !by.into_iter().any(|by| goes(search, by)) {
            known.insert(gap);
        }
    }
}

/// Everything from a moment on comes earlier.
fn pull(document: &mut Table, moment: u64, by: u64) {
    for number in 0..rows(document, "fault").len() {
        let Some(fault) = document::row(document, "fault", number) else { continue };
        if let Some(at) = fault.get("at").and_then(millis).filter(|at| moment <= *at) {
            fault.insert("at".to_owned(), span(at - by));
        }
    }
    for number in 0..rows(document, "producer").len() {
        let Some(producer) = document::row(document, "producer", number) else { continue };
        let mut at = of(producer, "start");
        for block in 0..rows(producer, "send").len() {
            let Some(send) = document::row(producer, "send", block) else { continue };
            let (begin, end) = span_of(send, at);
            if at < moment && moment <= begin {
                let wait = of(send, "wait").saturating_sub(by);
                send.insert("wait".to_owned(), span(wait));
                break;
            }
            at = end;
        }
    }
    // What is owed in the end keeps its time.
    let whole = of(document, "until");
    let until = whole.saturating_sub(by).max(last(document) + DRAIN).min(whole);
    document.insert("until".to_owned(), span(until));
}

#[cfg(test)]
mod tests {
    use super::{drop_behind, moments, pull};
    use crate::lab::explore::shrink::document::{read, rows};

    const TEXT: &str = "until = '1000s'\n[[producer]]\nstart = '1s'\n\
                        [[producer.send]]\ncount = 10\nevery = '1s'\nwait = '1s'\n\
                        [[producer.send]]\ncount = 2\nevery = '1s'\nwait = '488s'\n\
                        [[fault]]\nat = '5s'\nlasts = '3s'\n[[fault]]\nat = '600s'\n[[fault]]\nat = 'recovered@b'\n";

    #[test]
    fn what_comes_behind_the_horizon_goes() {
        let mut document = read(TEXT).unwrap();
        drop_behind(&mut document, 6_000);
        assert_eq!(rows(&document, "fault").len(), 2, "what begins at an event stays");
        let sends = rows(rows(&document, "producer")[0], "send");
        assert_eq!(sends.len(), 1);
        assert_eq!(sends[0]["count"].as_integer(), Some(4), "at 2, 3, 4 and 5 s");
        assert_eq!(document["until"].as_str(), Some("266s"));
    }

    #[test]
    fn what_comes_after_a_quiet_span_comes_sooner() {
        let mut document = read(TEXT).unwrap();
        assert_eq!(moments(&document), [5_000, 8_000, 600_000, 600_000, 2_000, 12_000, 500_000, 502_000]);
        pull(&mut document, 500_000, 480_000);
        assert_eq!(moments(&document), [5_000, 8_000, 120_000, 120_000, 2_000, 12_000, 20_000, 22_000]);
        assert_eq!(document["until"].as_str(), Some("520s"));
    }
}
