//! Vector clocks: for each moment its node, what that node knew of every other one, and what happened.
//!
//! The first line is the expression that reads the rest, the second the one that would part several runs, as ShiViz expects
//! them at the head of a file.

use std::fmt::Write;

use serde_json::{Map, json};

use crate::lab::view::moments::Moments;

/// The expression: host and clock in one line, the event in the next.
pub const EXPRESSION: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// The log. What happens to all nodes at once, a fault, stands in a lane of its own, which nothing leads to.
pub fn of(moments: &Moments) -> String {
    let mut out = format!("{EXPRESSION}\n\n");
    let lanes = moments.nodes.len() + 1;
    let mut clocks = vec![vec![0_u64; lanes]; lanes];
    // What a lane knew when a moment was over.
    let mut known: Vec<Vec<u64>> = Vec::with_capacity(moments.all.len());
    for moment in &moments.all {
        let lane = moment.node.unwrap_or(moments.nodes.len());
        let of_cause = moment.cause.map(|cause| known[cause].clone());
        let own = &mut clocks[lane];
        for (mine, theirs) in own.iter_mut().zip(of_cause.iter().flatten()) {
            *mine = (*mine).max(*theirs);
        }
        own[lane] += 1;
        let told = own.iter().enumerate().filter(|(_, count)| 0 < **count);
        let clock: Map<String, serde_json::Value> =
            told.map(|(lane, count)| (host(moments, lane), json!(count))).collect();
        let event = moment.text.replace(['\n', '\r'], " ");
        let _ = writeln!(
            out,
            "{} {}\n#{} {} {event}",
            host(moments, lane),
            serde_json::Value::Object(clock),
            moment.step,
            moment.at
        );
        known.push(own.clone());
    }
    out
}

fn host(moments: &Moments, lane: usize) -> String {
    moments.nodes.get(lane).map_or_else(|| "FAULT".to_owned(), |name| name.replace(char::is_whitespace, "_"))
}
