//! `mqlab scenario show --resolved`: a plan with every number decided, a line for each.

use std::fmt::Write;

use crate::lab::scenario::plan::Plan;
use crate::mq::time::{Span, Time};

/// `nodes[1].kind.flush_interval = 500ms`: the plan as paths and values, so that two can be compared line by line.
pub(super) fn text(plan: &Plan) -> String {
    let whole = format!("{plan:#?}");
    let mut out = String::new();
    let mut open: Vec<Open> = Vec::new();
    for line in whole.lines().map(str::trim) {
        if [")", "),", "}", "},", "]", "],"].contains(&line) {
            open.pop();
            continue;
        }
        let (name, rest) = match line.split_once(": ") {
            Some((name, rest)) if name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') => {
                (format!(".{name}"), rest)
            }
            _ => (entry(&mut open), line),
        };
        match rest.strip_suffix(['{', '(', '[']) {
            // What is opened and closed in one line stands in `rest` as a whole.
            Some(_) => {
                let count = rest.ends_with('[').then_some(0);
                open.push(Open { name, kind: rest.trim_end_matches('(').to_owned(), count });
            }
            None => {
                let path: String = open.iter().map(|one| one.name.as_str()).chain([name.as_str()]).collect();
                let path = path.trim_start_matches('.');
                let kind = open.last().map_or("", |one| one.kind.as_str());
                let _ = writeln!(out, "{path} = {}", value(rest.trim_end_matches(','), kind));
            }
        }
    }
    out
}

/// A bracket that is open.
struct Open {
    name: String,
    kind: String,
    /// Of a list: how many entries there were.
    count: Option<usize>,
}

/// `[2]` in a list; nothing where a value only has a kind around it.
fn entry(open: &mut [Open]) -> String {
    match open.last_mut() {
        Some(Open { count: Some(count), .. }) => {
            *count += 1;
            format!("[{count}]")
        }
        _ => String::new(),
    }
}

/// Spans and moments as people write them, everything else as it is.
fn value(text: &str, kind: &str) -> String {
    match (kind, text.parse::<u64>()) {
        ("Span", Ok(nanos)) => Span(nanos).to_string(),
        ("Time", Ok(nanos)) if nanos == Time::NEVER.0 => "never".to_owned(),
        ("Time", Ok(nanos)) => Time(nanos).to_string(),
        _ => text.to_owned(),
    }
}
