//! What lasted: lives of processes, calls, callbacks, flushes and faults, each from its beginning to its end.

use std::collections::BTreeMap;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, DiskEvent, Fault, Machine, NodeId, Record, Seq, What};
use crate::lab::view::lines::{self, Handles};
use crate::mq::app::{Call, Return};
use crate::mq::time::Time;

/// Something that lasted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lasting {
    /// Of which kind.
    pub kind: Kind,
    /// Whose, by number; nobody's is a fault.
    pub node: Option<usize>,
    /// What it was.
    pub name: String,
    /// The record that began it.
    pub seq: Seq,
    /// Since when.
    pub from: Time,
    /// Until when; what is open when the run ends has no end.
    pub to: Option<Time>,
}

/// What lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A process, from boot to death.
    Life,
    /// An application's call, until it returns.
    Call,
    /// A callback, until the application answers.
    Callback,
    /// A flush, until it is done or has failed.
    Flush,
    /// A fault, until it heals.
    Fault,
    /// A process that gets no steps.
    Pause,
}

impl Kind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Life => "process",
            Kind::Call => "call",
            Kind::Callback => "callback",
            Kind::Flush => "flush",
            Kind::Fault => "fault",
            Kind::Pause => "pause",
        }
    }
}

/// What an open span is found by: its kind, its node, and a number or a name of that kind.
type Key = (Kind, Option<NodeId>, String);

/// Spans that are not closed yet, and all that there are.
#[derive(Default)]
struct Spans {
    all: Vec<Lasting>,
    open: BTreeMap<Key, usize>,
}

impl Spans {
    fn begin(&mut self, record: &Record, (kind, id): (Kind, String), name: String) {
        self.open.insert((kind, record.node, id), self.all.len());
        let node = record.node.map(|node| usize::from(node.0));
        self.all.push(Lasting { kind, node, name, seq: record.seq, from: record.at, to: None });
    }

    fn end(&mut self, record: &Record, (kind, id): (Kind, String)) {
        if let Some(at) = self.open.remove(&(kind, record.node, id)) {
            self.all[at].to = Some(record.at);
        }
    }

    /// A process is gone, and with it all that it had under way.
    fn die(&mut self, record: &Record) {
        let (own, rest): (BTreeMap<Key, usize>, _) =
            std::mem::take(&mut self.open).into_iter().partition(|((_, node, _), _)| *node == record.node);
        self.open = rest;
        for at in own.into_values() {
            self.all[at].to = Some(record.at);
        }
    }
}

/// All of a run, in the order of their beginnings.
pub fn of(trace: &Trace, handles: &Handles, lang: Lang) -> Vec<Lasting> {
    let mut spans = Spans::default();
    for record in trace.records() {
        let told = || lines::line(trace, handles, record, lang).map_or_else(String::new, |line| line.text);
        match &record.what {
            What::Machine(machine) => life(&mut spans, record, machine),
            What::App(App::Called(call)) => match &**call {
                Call::Listened { task, .. } | Call::Decided { task, .. } | Call::Selected { task, .. } => {
                    spans.end(record, (Kind::Callback, task.0.to_string()));
                }
                Call::Send { op, .. }
                | Call::SendBy { op, .. }
                | Call::SendBatch { op, .. }
                | Call::SendInTransaction { op, .. }
                | Call::CreateTopic { op, .. }
                | Call::Admin { op, .. }
                | Call::Steer { op, .. }
                | Call::Pull { op, .. } => spans.begin(record, (Kind::Call, op.0.to_string()), told()),
            },
            What::App(App::Returned(answer)) => match &**answer {
                Return::Listen { task, .. }
                | Return::Execute { task, .. }
                | Return::Check { task, .. }
                | Return::Select { task, .. } => spans.begin(record, (Kind::Callback, task.0.to_string()), told()),
                Return::Sent { op, .. }
                | Return::SentInTransaction { op, .. }
                | Return::Failed { op, .. }
                | Return::Done { op, .. }
                | Return::Administered { op, .. }
                | Return::Told { op, .. } => spans.end(record, (Kind::Call, op.0.to_string())),
                Return::QueuesChanged { .. } => {}
            },
            What::Disk(DiskEvent::FlushAsked { ticket, file, from, to }) => {
                spans.begin(record, (Kind::Flush, ticket.to_string()), format!("{file} {from}..{to}"));
            }
            What::Disk(DiskEvent::FlushDone { ticket } | DiskEvent::FlushFailed { ticket, .. }) => {
                spans.end(record, (Kind::Flush, ticket.to_string()));
            }
            What::Fault(Fault::Begun { name, .. }) => spans.begin(record, (Kind::Fault, name.to_string()), told()),
            What::Fault(Fault::Ended { name }) => spans.end(record, (Kind::Fault, name.to_string())),
            _ => {}
        }
    }
    spans.all
}

fn life(spans: &mut Spans, record: &Record, machine: &Machine) {
    match machine {
        Machine::Booted => {
            let name = format!("process {}", record.incarnation);
            spans.begin(record, (Kind::Life, String::new()), name);
        }
        Machine::Paused => spans.begin(record, (Kind::Pause, String::new()), "pause".to_owned()),
        Machine::Resumed => spans.end(record, (Kind::Pause, String::new())),
        Machine::Killed
        | Machine::Exited
        | Machine::Panicked { .. }
        | Machine::BootFailed { .. }
        | Machine::PowerLost { .. } => spans.die(record),
        _ => {}
    }
}
