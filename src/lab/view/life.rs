//! One message's life: which stages it had reached at a moment, and where its record stands.

use std::collections::BTreeMap;

use crate::lab::locale::{Lang, Words, words};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, NodeId, Record, Seq, What};
use crate::lab::view::lines::Handles;
use crate::lab::view::owners::Owners;
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
        let lines = story::of(trace, handles, number, Lang::En);
        let trip = lines.iter().filter_map(|line| trace.get(line.seq));
        Life::on(trace, &Fates::of(trace), trip)
    }

    /// The lives of all messages.
    pub fn all(trace: &Trace, owners: &Owners, messages: usize) -> Vec<Life> {
        let fates = Fates::of(trace);
        (0..messages).map(|number| Life::on(trace, &fates, owners.trip(trace, number))).collect()
    }

    /// The life of which these records tell.
    fn on<'a>(trace: &'a Trace, fates: &Fates, trip: impl Iterator<Item = &'a Record>) -> Life {
        let mut life = Life::default();
        for record in trip {
            let stage = match &record.what {
                What::Fact(Fact::Appended { topic, queue_id, size, at, queue_offset }) => {
                    let queue = format!("{topic}/{queue_id} #{queue_offset}");
                    let Some(node) = record.node else { continue };
                    let (broker, step) = (trace.name(node).clone(), record.step);
                    life.places.push(Place { step, broker, queue, at: *at, size: i64::from(*size) });
                    life.reached.extend(fates.fate(node, record.seq, at + i64::from(*size)));
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
            life.reached.push(Reached { step: record.step, at: record.at, stage });
        }
        life.reached.sort_by_key(|reached| reached.step);
        life
    }

    /// The stages that were ever reached, each with the step of its first time.
    pub fn firsts(&self) -> impl Iterator<Item = (Stage, u64)> {
        let mut firsts: BTreeMap<Stage, u64> = BTreeMap::new();
        for reached in &self.reached {
            firsts.entry(reached.stage).or_insert(reached.step);
        }
        firsts.into_iter()
    }

    /// The steps at which a stage was reached.
    pub fn steps(&self, stage: Stage) -> impl Iterator<Item = u64> {
        self.reached.iter().filter(move |reached| reached.stage == stage).map(|reached| reached.step)
    }

    /// How often a stage was reached before a step.
    pub fn count(&self, stage: Stage, before: u64) -> usize {
        self.reached.iter().filter(|reached| reached.stage == stage && reached.step < before).count()
    }

    /// When a stage was reached first, before a step.
    pub fn first(&self, stage: Stage, before: u64) -> Option<Time> {
        let found = self.reached.iter().find(|reached| reached.stage == stage && reached.step < before);
        found.map(|reached| reached.at)
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

/// What brokers said of their logs as a whole, by broker, in order: forced up to here, recovered up to there.
struct Fates(BTreeMap<NodeId, [Vec<Said>; 2]>);

struct Said {
    seq: Seq,
    step: u64,
    at: Time,
    to: i64,
}

impl Fates {
    fn of(trace: &Trace) -> Fates {
        let mut fates = Fates(BTreeMap::new());
        for record in trace.records() {
            let (kind, to) = match &record.what {
                What::Fact(Fact::Flushed { to, .. }) => (0, *to),
                What::Fact(Fact::Recovered { log_end, .. }) => (1, *log_end),
                _ => continue,
            };
            if let Some(node) = record.node {
                let said = Said { seq: record.seq, step: record.step, at: record.at, to };
                fates.0.entry(node).or_default()[kind].push(said);
            }
        }
        fates
    }

    /// What became of a record: durable at last, or not there when its broker recovered.
    fn fate(&self, broker: NodeId, written: Seq, end: i64) -> impl Iterator<Item = Reached> {
        let behind = |kind: usize, is_it: fn(i64, i64) -> bool| {
            let said = &self.0.get(&broker)?[kind];
            said[said.partition_point(|said| said.seq <= written)..].iter().find(|said| is_it(said.to, end))
        };
        let lost = behind(1, |to, end| to < end);
        let flushed = behind(0, |to, end| end <= to).filter(|said| lost.is_none_or(|lost| said.seq < lost.seq));
        let reached = |said: &Said, stage| Reached { step: said.step, at: said.at, stage };
        let flushed = flushed.map(|said| reached(said, Stage::Flushed));
        flushed.into_iter().chain(lost.map(|said| reached(said, Stage::Lost)))
    }
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
