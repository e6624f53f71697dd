//! A run as moments: what is worth telling, each with the moment that led to it. Every export draws these.

use std::collections::BTreeSet;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{FrameNote, NodeId, Record, Road, Seq, What};
use crate::lab::view::lines::{self, Handles};
use crate::lab::view::story;
use crate::mq::time::Time;

/// The moments of a run, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moments {
    /// The nodes, by number.
    pub nodes: Vec<String>,
    /// What happened.
    pub all: Vec<Moment>,
    /// How many others there were that the choice left out.
    pub left_out: usize,
}

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The record.
    pub seq: Seq,
    /// The step, which people name it by: `#31`.
    pub step: u64,
    /// True time.
    pub at: Time,
    /// Whose, by number; nobody's is a fault that all suffer.
    pub node: Option<usize>,
    /// The record's kind.
    pub kind: &'static str,
    /// In a sentence.
    pub text: String,
    /// Whether it is worth telling even in a short account.
    pub main: bool,
    /// The nearest moment that led to it, by its place among the moments.
    pub cause: Option<usize>,
    /// The frame that leaves or comes in.
    pub frame: Option<FrameMark>,
}

/// A frame's departure or arrival.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameMark {
    /// The node at the other end, by number.
    pub peer: usize,
    /// `SEND_MESSAGE_V2`, `SUCCESS` …
    pub label: &'static str,
    /// The body's length in bytes.
    pub body: u32,
    /// Whether it comes in; its cause is its departure, if that was chosen.
    pub comes_in: bool,
    /// Whether it answers a request.
    pub answers: bool,
}

impl FrameMark {
    fn of(peer: NodeId, frame: &FrameNote, comes_in: bool) -> FrameMark {
        let answers = frame.flag & 1 == 1;
        FrameMark { peer: usize::from(peer.0), label: frame.label, body: frame.body, comes_in, answers }
    }
}

/// Which moments are wanted; the default is all but heartbeats.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Choice {
    /// Only what belongs to these: a node, a message (`m1`, a key, a unique key), or a topic. Faults belong to everybody.
    pub only: Vec<String>,
    /// Not before this.
    pub from: Option<Time>,
    /// Heartbeats and their answers, too.
    pub heartbeats: bool,
}

impl Moments {
    /// Departures whose frames come in, by their places: the others are lost, or still under way when the run ends.
    pub fn arrived(&self) -> BTreeSet<usize> {
        let comes_in = |moment: &&Moment| moment.frame.as_ref().is_some_and(|frame| frame.comes_in);
        let causes = self.all.iter().filter(comes_in).filter_map(|moment| moment.cause);
        causes.filter(|cause| self.all[*cause].frame.as_ref().is_some_and(|frame| !frame.comes_in)).collect()
    }
}

/// A word of a choice that names nothing in the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unknown(pub String);

/// What the words of a choice stand for.
struct Wanted {
    nodes: BTreeSet<NodeId>,
    records: BTreeSet<Seq>,
}

impl Wanted {
    fn of(trace: &Trace, handles: &Handles, words: &[String], lang: Lang) -> Result<Wanted, Unknown> {
        let mut wanted = Wanted { nodes: BTreeSet::new(), records: BTreeSet::new() };
        for word in words {
            if let Some(node) = trace.node(word) {
                wanted.nodes.insert(node);
                continue;
            }
            let own = |number: &usize| handles.messages[*number].1.topic == *word.as_str();
            let numbers: Vec<usize> = match handles.find(word) {
                Some(number) => vec![number],
                None => (0..handles.messages.len()).filter(own).collect(),
            };
            if numbers.is_empty() {
                return Err(Unknown(word.clone()));
            }
            for number in numbers {
                wanted.records.extend(story::of(trace, handles, number, lang).iter().map(|line| line.seq));
            }
        }
        Ok(wanted)
    }

    /// Frames of a story are known by what it tells of them: departures. An arrival follows its own.
    fn has(&self, record: &Record) -> bool {
        let departs = matches!(record.what, What::Road(Road::Arrived { .. })).then_some(record.cause).flatten();
        record.node.is_none_or(|node| self.nodes.contains(&node))
            || self.records.contains(&record.seq)
            || departs.is_some_and(|departure| self.records.contains(&departure))
    }
}

/// The moments that are wanted. Errors: a word of the choice names no node, message or topic of the run.
pub fn of(trace: &Trace, handles: &Handles, choice: &Choice, lang: Lang) -> Result<Moments, Unknown> {
    let wanted = match choice.only.is_empty() {
        true => None,
        false => Some(Wanted::of(trace, handles, &choice.only, lang)?),
    };
    let nodes = trace.header.nodes.iter().map(|node| node.name.to_string()).collect();
    let mut moments = Moments { nodes, ..Moments::default() };
    // For each record the moment that it is, or that led to it.
    let mut nearest: Vec<Option<usize>> = Vec::with_capacity(trace.records().len());
    for record in trace.records() {
        let cause = record.cause.and_then(|cause| {
            let at = trace.records().binary_search_by_key(&cause, |record| record.seq).ok()?;
            nearest.get(at).copied().flatten()
        });
        let found = moment(trace, handles, record, lang)
            .filter(|moment| choice.heartbeats || !is_heartbeat(trace, record, moment));
        let is_wanted =
            choice.from.is_none_or(|from| from <= record.at) && wanted.as_ref().is_none_or(|wanted| wanted.has(record));
        match found {
            Some(moment) if is_wanted => {
                nearest.push(Some(moments.all.len()));
                moments.all.push(Moment { cause, ..moment });
            }
            Some(_) => {
                moments.left_out += 1;
                nearest.push(cause);
            }
            None => nearest.push(cause),
        }
    }
    Ok(moments)
}

/// Heartbeats, and the answers to them.
fn is_heartbeat(trace: &Trace, record: &Record, moment: &Moment) -> bool {
    let is_it = |label: &str| label == "HEART_BEAT";
    let Some(frame) = &moment.frame else { return false };
    if is_it(frame.label) {
        return true;
    }
    // An answer is sent in the step in which its request came in.
    let departure = if frame.comes_in { record.cause.and_then(|cause| trace.get(cause)) } else { Some(record) };
    let request = departure.and_then(|sent| sent.cause).and_then(|cause| trace.get(cause));
    matches!(request.map(|request| &request.what), Some(What::Road(Road::Arrived { frame, .. })) if is_it(frame.label))
}

fn moment(trace: &Trace, handles: &Handles, record: &Record, lang: Lang) -> Option<Moment> {
    let node = record.node.map(|node| usize::from(node.0));
    let new = |text: String, main: bool, frame: Option<FrameMark>| Moment {
        seq: record.seq,
        step: record.step,
        at: record.at,
        node,
        kind: record.what.kind(),
        text,
        main,
        cause: None,
        frame,
    };
    match &record.what {
        What::Road(Road::Sent { to, frame, .. }) => {
            let text = format!("{} -> {}", frame.label, trace.name(*to));
            Some(new(text, false, Some(FrameMark::of(*to, frame, false))))
        }
        What::Road(Road::Arrived { from, frame, .. }) => {
            let text = format!("{} <- {}", frame.label, trace.name(*from));
            Some(new(text, false, Some(FrameMark::of(*from, frame, true))))
        }
        _ => {
            let line = lines::line(trace, handles, record, lang)?;
            Some(new(line.text, line.main, None))
        }
    }
}
