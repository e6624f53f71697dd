//! A timeline: a process for each node, with what lasted, what happened, and an arrow for each frame.
//!
//! Shape: the JSON object form of the trace event format, which ui.perfetto.dev and `chrome://tracing` open; `ts` and `dur`
//! in microseconds of virtual time.

use serde_json::{Value, json};

use crate::lab::export::head;
use crate::lab::trace::log::Trace;
use crate::lab::view::moments::{Moment, Moments};
use crate::lab::view::spans::{Kind, Lasting};
use crate::mq::time::Time;

/// Rows of a node.
const ROAD: u64 = 1;
const EVENTS: u64 = 2;
/// A frame is drawn so long, in microseconds: without a length no arrow can begin or end at it.
const FRAME: f64 = 1.0;

/// The file. What is open when the run ends, at `end`, is drawn to there.
pub fn of(trace: &Trace, moments: &Moments, lasting: &[Lasting], end: Time) -> String {
    let mut events: Vec<Value> = Vec::new();
    for lane in 0..=moments.nodes.len() {
        let name = moments.nodes.get(lane).map_or("faults", String::as_str);
        events.push(json!({ "ph": "M", "name": "process_name", "pid": pid(lane), "args": { "name": name } }));
        events
            .push(json!({ "ph": "M", "name": "process_sort_index", "pid": pid(lane), "args": { "sort_index": lane } }));
        for (tid, name) in [(ROAD, "frames"), (EVENTS, "events")] {
            events.push(
                json!({ "ph": "M", "name": "thread_name", "pid": pid(lane), "tid": tid, "args": { "name": name } }),
            );
        }
    }
    for span in lasting {
        events.extend(drawn(span, moments.nodes.len(), end));
    }
    let arrived = moments.arrived();
    for (place, moment) in moments.all.iter().enumerate() {
        happened(moments, moment, arrived.contains(&place), &mut events);
    }
    let file = json!({
        "displayTimeUnit": "ms",
        "otherData": { "run": head(trace, moments.left_out) },
        "traceEvents": events,
    });
    format!("{file}\n")
}

fn pid(lane: usize) -> u64 {
    lane as u64 + 1
}

/// Microseconds; a double holds a nanosecond of a hundred days.
fn micros(at: Time) -> f64 {
    at.0 as f64 / 1_000.0
}

/// Calls, callbacks and flushes overlap: each is an asynchronous pair, which gets a row where there is room.
fn drawn(span: &Lasting, faults: usize, end: Time) -> [Value; 2] {
    let lane = pid(span.node.unwrap_or(faults));
    let category = span.kind.word();
    let row = match span.kind {
        Kind::Call | Kind::Callback | Kind::Fault => span.name.clone(),
        Kind::Life | Kind::Flush | Kind::Pause => format!("{category} {}", span.name),
    };
    let to = span.to.unwrap_or(end).max(span.from);
    let args = json!({ "seq": span.seq.0, "is_open": span.to.is_none() });
    [("b", span.from), ("e", to)].map(|(phase, at)| {
        json!({ "ph": phase, "cat": category, "id": span.seq.0, "name": row, "pid": lane, "tid": EVENTS, "ts": micros(at), "args": args })
    })
}

/// A frame's departure has an arrow only if it comes in.
fn happened(moments: &Moments, moment: &Moment, arrives: bool, events: &mut Vec<Value>) {
    let lane = pid(moment.node.unwrap_or(moments.nodes.len()));
    let cause = moment.cause.map(|cause| format!("#{}", moments.all[cause].step));
    let args = json!({ "step": format!("#{}", moment.step), "kind": moment.kind, "cause": cause });
    let ts = micros(moment.at);
    let Some(frame) = &moment.frame else {
        let scope = if moment.node.is_some() { "t" } else { "g" };
        events.push(json!({ "ph": "i", "s": scope, "cat": moment.kind, "name": moment.text, "pid": lane, "tid": EVENTS, "ts": ts, "args": args }));
        return;
    };
    events.push(json!({ "ph": "X", "cat": "frame", "name": moment.text, "pid": lane, "tid": ROAD, "ts": ts, "dur": FRAME, "args": args }));
    let flow = match (frame.comes_in, moment.cause) {
        (false, _) => arrives.then_some(("s", moment.seq.0)),
        (true, Some(cause)) if moments.all[cause].frame.as_ref().is_some_and(|frame| !frame.comes_in) => {
            Some(("f", moments.all[cause].seq.0))
        }
        (true, _) => None,
    };
    if let Some((phase, id)) = flow {
        let mut arrow =
            json!({ "ph": phase, "cat": "frame", "id": id, "name": frame.label, "pid": lane, "tid": ROAD, "ts": ts });
        if phase == "f" {
            arrow["bp"] = json!("e");
        }
        events.push(arrow);
    }
}
