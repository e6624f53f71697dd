//! The frames of a run: what the wire tap keeps is what was said.

use std::collections::BTreeSet;

use std::collections::BTreeMap;

use mqlab::lab::check::history::History;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{FrameNote, Level, Road, What};
use mqlab::lab::trace::wire::Wire;
use mqlab::mq::time::Span;
use mqlab::mq::wire::code::{name_of_request, name_of_response};
use mqlab::mq::wire::codec::{Decoder, encode, typed_response};
use mqlab::mq::wire::command::{Command, Opaque};
use mqlab::mq::wire::header::Header;

use crate::plans;

fn run(level: Level) -> Trace {
    let result = Session::run(&plans::shop(3, 5, Span::from_millis(100)), level);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

/// Every frame that left, with the connection's number.
fn sent(trace: &Trace) -> Vec<(u32, &FrameNote)> {
    let left = trace.records().iter().filter_map(|record| match &record.what {
        What::Road(Road::Sent { link, frame, .. }) => Some((link.0, frame)),
        _ => None,
    });
    left.collect()
}

fn command(note: &FrameNote) -> Command {
    let mut decoder = Decoder::new();
    decoder.push(&note.wire.as_ref().unwrap().bytes());
    let command = decoder.next().unwrap().unwrap();
    assert_eq!(decoder.next(), Ok(None), "one frame and nothing behind it");
    command
}

#[test]
fn at_level_full_every_frame_is_kept_and_reads_back() {
    let trace = run(Level::Full);
    let mut asked: BTreeMap<(u32, Opaque), i32> = BTreeMap::new();
    let mut typed = 0;
    for (link, note) in sent(&trace) {
        let command = command(note);
        assert_eq!((command.code, command.flag, command.opaque.0), (note.code, note.flag, note.opaque));
        assert_eq!(command.body.as_ref().map_or(0, |body| body.len() as u32), note.body);
        if !command.is_response() {
            assert_eq!(note.label, name_of_request(command.code));
            asked.insert((link, command.opaque), command.code);
            continue;
        }
        assert_eq!(note.label, name_of_response(command.code));
        let answer = typed_response(command, asked[&(link, Opaque(note.opaque))]).unwrap();
        typed += usize::from(!matches!(answer.header, Header::None | Header::Other(_)));
        assert_eq!(Some(encode(&answer)), note.wire.as_ref().map(Wire::bytes), "typed, it is the same frame");
    }
    assert!(10 < asked.len(), "{asked:?}");
    assert!(10 < typed, "{typed} typed answers");
}

#[test]
fn at_level_history_what_brokers_tell_senders_is_kept_and_what_tells_of_places() {
    let trace = run(Level::History);
    let kept = sent(&trace);
    assert_eq!(kept.len(), 5, "one for each order");
    for (_, note) in kept {
        let answer = typed_response(command(note), 310).unwrap();
        assert!(matches!(answer.header, Header::Sent(_)), "{answer:?}");
    }
    let arrived = trace.records().iter().filter_map(|record| match &record.what {
        What::Road(Road::Arrived { frame, .. }) => Some(frame.label),
        _ => None,
    });
    let labels: BTreeSet<&str> = arrived.collect();
    assert_eq!(labels, BTreeSet::from(["PULL_MESSAGE", "UPDATE_CONSUMER_OFFSET"]), "nobody replicates here");
}

/// The same trace with every frame as its bytes.
fn in_bytes(trace: &Trace) -> Trace {
    let mut copy = Trace::new(trace.header.clone());
    for mut record in trace.records().iter().cloned() {
        if let What::Road(Road::Sent { frame, .. } | Road::Arrived { frame, .. }) = &mut record.what {
            frame.wire = frame.wire.as_ref().map(|wire| Wire::Bytes(wire.bytes()));
        }
        copy.push(record);
    }
    copy
}

#[test]
fn what_a_typed_frame_says_of_its_queue_its_bytes_say() {
    let trace = run(Level::History);
    let [typed, bytes] = [History::of(&trace), History::of(&in_bytes(&trace))].map(|history| history.signs);
    assert!(!typed.pulls.is_empty() && typed.commits.iter().any(|commit| commit.by_pull));
    assert!(typed.commits.iter().any(|commit| !commit.by_pull));
    assert_eq!((typed.pulls, typed.commits), (bytes.pulls, bytes.commits));
}
