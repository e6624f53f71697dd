//! One message's whole trip: everything that its send led to, in order.

use std::collections::BTreeSet;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, FrameNote, Machine, NodeId, Record, Road, Seq, What};
use crate::lab::view::lines::{self, Handles, Line};
use crate::mq::app::{Call, Return};
use crate::mq::fact::Fact;
use crate::mq::message::property::names;

/// The trip of a message, by its place from 0: its lines, frames included.
pub fn of(trace: &Trace, handles: &Handles, number: usize, lang: Lang) -> Vec<Line> {
    let Some((call, _)) = handles.messages.get(number) else { return Vec::new() };
    let mut led: BTreeSet<Seq> = BTreeSet::from([*call]);
    let mut story = Vec::new();
    let mut places: BTreeSet<(Option<NodeId>, i64)> = BTreeSet::new();
    for record in trace.records() {
        let follows = record.seq == *call || record.cause.is_some_and(|cause| led.contains(&cause));
        let belongs = match (&record.what, owner(trace, handles, number, record)) {
            // A broker's follower reads several records in one step.
            (What::Fact(Fact::Dispatched { at, .. } | Fact::Queued { at, .. }), _) => {
                places.contains(&(record.node, *at))
            }
            (_, Owner::This) => true,
            (_, Owner::Other) => false,
            (_, Owner::Unknown) => follows,
        };
        if belongs {
            if let What::Fact(Fact::Appended { at, .. }) = &record.what {
                places.insert((record.node, *at));
            }
            led.insert(record.seq);
            story.extend(lines::line(trace, handles, record, lang).or_else(|| frame(trace, record)));
        }
    }
    story
}

/// Whose trip a record belongs to, where it says so itself.
///
/// Causes alone would mix trips up: sends that waited for the same route go on in one step, and a batch is handed over for
/// each of its messages.
enum Owner {
    This,
    Other,
    /// Its cause decides.
    Unknown,
}

fn owner(trace: &Trace, handles: &Handles, number: usize, record: &Record) -> Owner {
    let (call, _) = &handles.messages[number];
    let is = |own: bool| if own { Owner::This } else { Owner::Other };
    match &record.what {
        // The next send is another story.
        What::App(App::Called(called)) => match &**called {
            Call::Send { .. } | Call::SendBy { .. } | Call::SendBatch { .. } | Call::SendInTransaction { .. } => {
                is(record.seq == *call)
            }
            _ => Owner::Unknown,
        },
        What::App(App::Returned(answer)) => match &**answer {
            Return::Listen { messages, .. } => {
                is(messages.iter().any(|message| handles.of_stored(message) == Some(number)))
            }
            Return::Sent { op, .. }
            | Return::SentInTransaction { op, .. }
            | Return::Execute { op, .. }
            | Return::Select { op, .. }
            | Return::Failed { op, .. } => match handles.of_call(record, op.0) {
                Some(first) => is(handles.messages[first].0 == *call),
                None => Owner::Other,
            },
            Return::Check { message, .. } => is(handles.of_stored(message) == Some(number)),
            _ => Owner::Unknown,
        },
        // Faults and boots begin stories of their own, whatever they waited for.
        What::Fault(_) | What::Machine(Machine::Booted) => Owner::Other,
        What::Road(Road::Sent { frame, .. } | Road::Arrived { frame, .. }) => carried(handles, number, frame),
        // A queue is chosen for the frame that is written next.
        What::Fact(Fact::QueuePicked { .. }) => {
            let behind = trace.step(record.step).iter().filter(|other| record.seq < other.seq);
            let mut frames = behind.filter_map(|other| match &other.what {
                What::Road(Road::Sent { frame, .. }) if SENDS.contains(&frame.code) => Some(frame),
                _ => None,
            });
            match frames.next().map(|frame| carried(handles, number, frame)) {
                Some(Owner::Other) => Owner::Other,
                _ => Owner::Unknown,
            }
        }
        _ => Owner::Unknown,
    }
}

/// Whose message a send's frame carries, by the unique keys in it.
fn carried(handles: &Handles, number: usize, frame: &FrameNote) -> Owner {
    let known = known_in(handles, frame);
    match known.is_empty() {
        true => Owner::Unknown,
        false if known.contains(&number) => Owner::This,
        false => Owner::Other,
    }
}

/// The messages that a send's frame carries, by the unique keys in it; none in any other frame.
pub(super) fn known_in(handles: &Handles, frame: &FrameNote) -> Vec<usize> {
    let is_request = frame.flag & 1 == 0;
    let Some(wire) = frame.wire.as_ref().filter(|_| is_request && SENDS.contains(&frame.code)) else {
        return Vec::new();
    };
    unique_keys(&wire.bytes()).filter_map(|uid| handles.of_uid(uid)).collect()
}

/// The unique keys in a frame: 32 hex digits, a few bytes behind the property's name.
fn unique_keys(wire: &[u8]) -> impl Iterator<Item = &str> {
    let name = names::UNIQ_KEY.as_bytes();
    let places = (0..wire.len().saturating_sub(name.len())).filter(move |at| wire[*at..].starts_with(name));
    places.filter_map(move |at| {
        let rest = &wire[at + name.len()..];
        // One separator, written as a byte or as an escape of JSON.
        let begin = if rest.first() == Some(&b'\\') { 6 } else { 1 };
        let key = rest.get(begin..begin + 32)?;
        key.iter().all(u8::is_ascii_hexdigit).then(|| std::str::from_utf8(key).ok())?
    })
}

/// Requests that carry messages of applications.
pub(super) const SENDS: [i32; 3] = [10, 310, 320];

/// A frame that left, with whom it goes to.
fn frame(trace: &Trace, record: &Record) -> Option<Line> {
    let What::Road(Road::Sent { to, frame, .. }) = &record.what else { return None };
    let actor = record.node.map_or_else(String::new, |node| trace.name(node).to_string());
    let text = format!("--{}--> {}", frame.label, trace.name(*to));
    let (step, at, seq) = (record.step, record.at, record.seq);
    Some(Line { step, at, seq, actor, kind: "sent", text, main: false })
}
