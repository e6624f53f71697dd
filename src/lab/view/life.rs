//! One message's life: which stages it had reached at a moment, and where its record stands.

use crate::lab::locale::{Lang, Words, words};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, NodeId, What};
use crate::lab::view::lines::Handles;
use crate::lab::view::story;
use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{Call, Return};
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::time::Time;

/// A stage of a message's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The application called `send`.
    Sent,
    /// A record stands in the log, in the page cache.
    Stored,
    /// The record is durable.
    Flushed,
    /// The producer heard that it was taken in.
    Acked,
    /// The producer heard that it was not.
    Failed,
    /// A listener was called with it.
    Delivered,
    /// The listener succeeded.
    Consumed,
    /// The broker recovered without it.
    Lost,
}

/// A stage that was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// In this step.
    pub step: u64,
    /// True time.
    pub at: Time,
    /// The stage.
    pub stage: Stage,
}

/// A record in a broker's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Written in this step.
    pub step: u64,
    /// The broker's node.
    pub broker: Name,
    /// `topic/queue #offset`.
    pub queue: String,
    /// Where it begins in the log.
    pub at: i64,
    /// Its length in bytes.
    pub size: i64,
}

/// A message's life, every stage in the order in which it was reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Life {
    reached: Vec<Reached>,
    places: Vec<Place>,
    uid: Option<Name>,
}

impl Life {
    /// The life of a message, by its place from 0.
    pub fn of(trace: &Trace, handles: &Handles, number: usize) -> Life {
        let mut life = Life::default();
        let mut records: Vec<(NodeId, u64, i64)> = Vec::new();
        for line in story::of(trace, handles, number, Lang::En) {
            let Some(record) = trace.get(line.seq) else { continue };
            let stage = match &record.what {
                What::Fact(Fact::Appended { topic, queue_id, size, at, queue_offset }) => {
                    let queue = format!("{topic}/{queue_id} #{queue_offset}");
                    let Some(node) = record.node else { continue };
                    let (broker, step) = (trace.name(node).clone(), record.step);
                    life.places.push(Place { step, broker, queue, at: *at, size: i64::from(*size) });
                    records.push((node, record.seq.0, at + i64::from(*size)));
                    Stage::Stored
                }
                What::App(App::Called(call)) => match &**call {
                    Call::Send { .. }
                    | Call::SendBy { .. }
                    | Call::SendBatch { .. }
                    | Call::SendInTransaction { .. } => Stage::Sent,
                    Call::Listened { outcome, .. } if 0 < outcome.done(usize::MAX) => Stage::Consumed,
                    _ => continue,
                },
                What::App(App::Returned(answer)) => match &**answer {
                    Return::Sent { result, .. } | Return::SentInTransaction { result, .. } => {
                        life.uid = Some(result.msg_id.clone());
                        Stage::Acked
                    }
                    Return::Failed { .. } => Stage::Failed,
                    Return::Listen { .. } => Stage::Delivered,
                    Return::Told { what, .. } if matches!(**what, PullAnswer::Pulled(_)) => Stage::Delivered,
                    Return::Told { .. } => continue,
                    Return::Done { .. }
                    | Return::Administered { .. }
                    | Return::QueuesChanged { .. }
                    | Return::Execute { .. }
                    | Return::Select { .. }
                    | Return::Check { .. } => continue,
                },
                _ => continue,
            };
            life.reached.push(Reached { step: line.step, at: line.at, stage });
        }
        life.reached.extend(records.into_iter().filter_map(|record| fate(trace, record)).flatten());
        life.reached.sort_by_key(|reached| reached.step);
        life
    }

    /// When a stage was reached first, before a step.
    pub fn first(&self, stage: Stage, before: u64) -> Option<Time> {
        let found = self.reached.iter().find(|reached| reached.stage == stage && reached.step < before);
        found.map(|reached| reached.at)
    }

    /// The steps in which a stage was reached, in order.
    pub fn steps(&self, stage: Stage) -> impl Iterator<Item = u64> {
        self.reached.iter().filter(move |reached| reached.stage == stage).map(|reached| reached.step)
    }

    /// Where its last record before a step stands.
    pub fn place(&self, before: u64) -> Option<&Place> {
        self.places.iter().rev().find(|place| place.step < before)
    }

    /// Its unique key, once a result named it.
    pub fn uid(&self, before: u64) -> Option<&Name> {
        self.uid.as_ref().filter(|_| self.first(Stage::Acked, before).is_some())
    }

    /// What may be said of it before a step, in a word.
    pub fn state(&self, before: u64) -> Words {
        let has = |stage| self.first(stage, before).is_some();
        match () {
            () if has(Stage::Lost) && !has(Stage::Delivered) => words::LOST,
            () if has(Stage::Consumed) => words::CONSUMED,
            () if has(Stage::Delivered) => words::IN_HAND,
            () if has(Stage::Acked) && has(Stage::Flushed) => words::ACKED_DURABLE,
            () if has(Stage::Acked) => words::ACKED_NOT_DURABLE,
            () if has(Stage::Stored) => words::STORED_NOT_ACKED,
            () if has(Stage::Failed) => words::SEND_FAILED,
            () if has(Stage::Sent) => words::IN_FLIGHT,
            () => words::NOT_SENT,
        }
    }

    /// `sent 1.240 > stored 1.243 > flushed -- …`: the road and how far it has come before a step.
    pub fn road(&self, before: u64, lang: Lang) -> String {
        let heard = if self.first(Stage::Failed, before).is_some() { Stage::Failed } else { Stage::Acked };
        let stages = [Stage::Sent, Stage::Stored, Stage::Flushed, heard, Stage::Delivered];
        let stage = |stage: Stage| {
            let name = stage.name().text(lang);
            match self.first(stage, before) {
                Some(at) => format!("{name} {}.{:03}", at.0 / 1_000_000_000, at.0 / 1_000_000 % 1_000),
                None => format!("{name} --"),
            }
        };
        stages.map(stage).join(" > ")
    }
}

/// The messages that end as lost, by their places.
pub fn lost(trace: &Trace, handles: &Handles) -> Vec<usize> {
    // A run in which no broker recovered has lost nothing, and lives of many messages take their time.
    let recovered = trace.records().iter().filter(|record| matches!(record.what, What::Fact(Fact::Recovered { .. })));
    let brokers = trace.header.nodes.iter().filter(|node| node.role == crate::lab::trace::log::Role::Broker);
    if recovered.count() <= brokers.count() {
        return Vec::new();
    }
    let is_lost = |number: &usize| Life::of(trace, handles, *number).state(trace.steps()) == words::LOST;
    (0..handles.messages.len().min(LOST_MAX)).filter(is_lost).collect()
}

/// So many messages are looked at for lost ones.
const LOST_MAX: usize = 50;

/// What became of a record: durable at last, or not there when its broker recovered.
fn fate(trace: &Trace, (broker, written, end): (NodeId, u64, i64)) -> Option<Vec<Reached>> {
    let mut fate = Vec::new();
    for record in trace.records().iter().filter(|record| record.node == Some(broker) && written < record.seq.0) {
        let stage = match &record.what {
            What::Fact(Fact::Flushed { to, .. }) if end <= *to && fate.is_empty() => Stage::Flushed,
            What::Fact(Fact::Recovered { log_end, .. }) if *log_end < end => Stage::Lost,
            _ => continue,
        };
        fate.push(Reached { step: record.step, at: record.at, stage });
        if stage == Stage::Lost {
            break;
        }
    }
    (!fate.is_empty()).then_some(fate)
}

impl Stage {
    /// Its name.
    pub fn name(self) -> Words {
        match self {
            Stage::Sent => words::SENT,
            Stage::Stored => words::STORED,
            Stage::Flushed => words::FLUSHED,
            Stage::Acked => words::ACKED,
            Stage::Failed => words::FAILED,
            Stage::Delivered => words::DELIVERED,
            Stage::Consumed => words::CONSUMED,
            Stage::Lost => words::LOST,
        }
    }
}
