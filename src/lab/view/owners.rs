//! Whose trip each record belongs to: the stories of all messages, found in one pass.

use std::collections::BTreeMap;

use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, Machine, NodeId, Record, Road, Seq, What};
use crate::lab::view::lines::Handles;
use crate::lab::view::story::{self, SENDS};
use crate::mq::app::{Call, Return};
use crate::mq::fact::Fact;

/// The records of each message's trip.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Owners {
    trips: Vec<Vec<u32>>,
}

/// The messages that a record belongs to, by their places from 0.
type Own = Vec<u32>;

impl Owners {
    /// The trips of all messages: what [`story::of`] tells of each.
    pub fn of(trace: &Trace, handles: &Handles) -> Owners {
        let mut calls: BTreeMap<Seq, Own> = BTreeMap::new();
        for (number, (call, _)) in handles.messages.iter().enumerate() {
            calls.entry(*call).or_default().push(number as u32);
        }
        let mut owners = Owners { trips: vec![Vec::new(); handles.messages.len()] };
        let mut places: BTreeMap<(Option<NodeId>, i64), Own> = BTreeMap::new();
        let mut all: Vec<Own> = Vec::with_capacity(trace.records().len());
        for (index, record) in trace.records().iter().enumerate() {
            let led = record.cause.and_then(|cause| at(trace, cause)).and_then(|cause| all.get(cause));
            let led = || led.cloned().unwrap_or_default();
            let own = match &record.what {
                What::Fact(Fact::Dispatched { at, .. } | Fact::Queued { at, .. }) => {
                    places.get(&(record.node, *at)).cloned().unwrap_or_default()
                }
                _ => said(handles, &calls, record).unwrap_or_else(led),
            };
            let own = match &record.what {
                What::Fact(Fact::QueuePicked { .. }) => picked(trace, handles, record, own),
                _ => own,
            };
            if let What::Fact(Fact::Appended { at, .. }) = &record.what {
                let place = places.entry((record.node, *at)).or_default();
                place.extend(&own);
                place.sort_unstable();
                place.dedup();
            }
            own.iter().for_each(|number| owners.trips[*number as usize].push(index as u32));
            all.push(own);
        }
        owners
    }

    /// The records of a message's trip, in order.
    pub fn trip<'a>(&'a self, trace: &'a Trace, message: usize) -> impl DoubleEndedIterator<Item = &'a Record> {
        let own = self.trips.get(message).map_or(&[][..], Vec::as_slice);
        own.iter().map(|index| &trace.records()[*index as usize])
    }
}

/// Where a record stands among those that were kept.
fn at(trace: &Trace, seq: Seq) -> Option<usize> {
    let guess = seq.0 as usize;
    match trace.records().get(guess) {
        Some(record) if record.seq == seq => Some(guess),
        _ => trace.records().binary_search_by_key(&seq, |record| record.seq).ok(),
    }
}

/// Whose a record is, where it says so itself.
fn said(handles: &Handles, calls: &BTreeMap<Seq, Own>, record: &Record) -> Option<Own> {
    let of_seq = |seq: &Seq| calls.get(seq).cloned().unwrap_or_default();
    match &record.what {
        What::App(App::Called(call)) => match &**call {
            Call::Send { .. } | Call::SendBy { .. } | Call::SendBatch { .. } | Call::SendInTransaction { .. } => {
                Some(of_seq(&record.seq))
            }
            _ => None,
        },
        What::App(App::Returned(answer)) => match &**answer {
            Return::Listen { messages, .. } => {
                Some(sorted(messages.iter().filter_map(|message| handles.of_stored(message))))
            }
            Return::Sent { op, .. }
            | Return::SentInTransaction { op, .. }
            | Return::Execute { op, .. }
            | Return::Select { op, .. }
            | Return::Failed { op, .. } => {
                let first = handles.of_call(record, op.0);
                Some(first.map(|first| of_seq(&handles.messages[first].0)).unwrap_or_default())
            }
            Return::Check { message, .. } => Some(sorted(handles.of_stored(message).into_iter())),
            _ => None,
        },
        What::Fault(_) | What::Machine(Machine::Booted) => Some(Own::new()),
        What::Road(Road::Sent { frame, .. } | Road::Arrived { frame, .. }) => {
            Some(sorted(story::known_in(handles, frame).into_iter())).filter(|own| !own.is_empty())
        }
        _ => None,
    }
}

/// A queue is chosen for the frame that is written next: those whose frame it is not have no part in it.
fn picked(trace: &Trace, handles: &Handles, record: &Record, own: Own) -> Own {
    let behind = trace.step(record.step).iter().filter(|other| record.seq < other.seq);
    let mut frames = behind.filter_map(|other| match &other.what {
        What::Road(Road::Sent { frame, .. }) if SENDS.contains(&frame.code) => Some(frame),
        _ => None,
    });
    let known = frames.next().map_or_else(Vec::new, |frame| story::known_in(handles, frame));
    match known.is_empty() {
        true => own,
        false => own.into_iter().filter(|number| known.contains(&(*number as usize))).collect(),
    }
}

fn sorted(numbers: impl Iterator<Item = usize>) -> Own {
    let mut own: Own = numbers.map(|number| number as u32).collect();
    own.sort_unstable();
    own.dedup();
    own
}
