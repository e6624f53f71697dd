//! The picture: what every node is like at a moment, folded from what it said.
//!
//! Looking back never touches a node: whoever draws the past folds the records before it. At the end of a run the picture
//! must be what the real nodes are (`tests/it/picture.rs`), which fails the day that a fact is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Machine, Record, What};
use crate::mq::fact::Fact;
use crate::mq::message::{Group, Name, QueueId, Topic};

/// A whole system at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Picture {
    /// The nodes, by number.
    pub nodes: Vec<NodePicture>,
}

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// It has not booted yet.
    #[default]
    Waiting,
    /// It runs.
    Up,
    /// It gets no steps.
    Paused,
    /// It is dead, its machine is not.
    Down,
    /// Its machine has no power.
    Off,
}

/// One node at a moment; what belongs to another kind of node is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodePicture {
    /// Whether it runs.
    pub state: State,
    /// A broker's log: where it ends, and up to where it is durable.
    pub log_end: i64,
    /// See `log_end`.
    pub flushed: i64,
    /// A broker's queues: first entry, and one past the last.
    pub queues: BTreeMap<(Topic, QueueId), (i64, i64)>,
    /// A broker's offsets by group, topic and queue.
    pub offsets: BTreeMap<(Group, Topic, QueueId), i64>,
    /// A broker's held pulls.
    pub held: BTreeMap<(Topic, QueueId), u64>,
    /// A broker's members: group, client, `producer` or `consumer`.
    pub members: BTreeSet<(Group, Name, &'static str)>,
    /// A broker's leases for consuming in order: who holds a queue, or held it last.
    pub leases: BTreeMap<(Group, Topic, QueueId), Name>,
    /// A nameserver's live brokers, by address.
    pub brokers: BTreeSet<Name>,
    /// A client's queues: topic, broker, queue.
    pub owned: BTreeSet<(Topic, Name, QueueId)>,
    /// Offsets as the broker wrote them last to its file.
    persisted: BTreeMap<(Group, Topic, QueueId), i64>,
    /// Offsets that lie beside the file and are being forced.
    staged: Option<BTreeMap<(Group, Topic, QueueId), i64>>,
}

/// The file in which a broker keeps its groups' offsets.
const OFFSETS: &str = "consumerOffset.json";

/// Pictures of one trace at any moment: one is kept every so many records.
#[derive(Clone, Debug)]
pub struct Pictures {
    kept: Vec<Picture>,
}

/// A picture is kept every so many records.
const KEEP_EVERY: usize = 4_096;

impl Picture {
    /// The picture before anything has happened.
    pub fn new(nodes: usize) -> Picture {
        Picture { nodes: vec![NodePicture::default(); nodes] }
    }

    /// Takes one record in.
    pub fn fold(&mut self, record: &Record) {
        let Some(node) = record.node.and_then(|node| self.nodes.get_mut(usize::from(node.0))) else { return };
        match &record.what {
            What::Machine(machine) => node.machine(machine),
            What::Fact(fact) => node.fact(fact),
            _ => {}
        }
    }
}

impl NodePicture {
    /// A process that ends takes its memory along; what it wrote to its file stays, and is read when it boots again.
    fn machine(&mut self, machine: &Machine) {
        let ends = |node: &mut NodePicture, state| {
            let persisted = std::mem::take(&mut node.persisted);
            *node = NodePicture { state, persisted, ..NodePicture::default() };
        };
        match machine {
            Machine::Booted => {
                self.state = State::Up;
                self.offsets = self.persisted.clone();
            }
            Machine::BootFailed { .. } | Machine::Exited | Machine::Killed | Machine::Panicked { .. } => {
                ends(self, State::Down);
            }
            Machine::PowerLost { .. } => ends(self, State::Off),
            Machine::Paused => self.state = State::Paused,
            Machine::Resumed => self.state = State::Up,
            Machine::DiskReplaced { .. } => self.persisted.clear(),
            Machine::StopAsked
            | Machine::WallStepped { .. }
            | Machine::ClockBent { .. }
            | Machine::ServicePaused { .. }
            | Machine::ServiceResumed { .. } => {}
        }
    }

    fn fact(&mut self, fact: &Fact) {
        match fact.clone() {
            Fact::Recovered { log_end, .. } => (self.log_end, self.flushed) = (log_end, log_end),
            Fact::QueueRecovered { topic, queue_id, min, max } => {
                self.queues.insert((topic, queue_id), (min, max));
            }
            Fact::Appended { at, size, .. } => self.log_end = at + i64::from(size),
            Fact::Replicated { at, size } => self.log_end = at + size,
            Fact::Flushed { to, .. } => self.flushed = to,
            Fact::Queued { topic, queue_id, queue_offset, .. } => {
                self.queues.entry((topic, queue_id)).or_insert((queue_offset, 0)).1 = queue_offset + 1;
            }
            Fact::OffsetCommitted { group, topic, queue_id, queue_offset } => {
                self.offsets.insert((group, topic, queue_id), queue_offset);
            }
            Fact::ConfigStaged { file: OFFSETS } => self.staged = Some(self.offsets.clone()),
            Fact::ConfigFailed { file: OFFSETS, .. } => self.staged = None,
            Fact::ConfigPersisted { file: OFFSETS } => {
                self.persisted = self.staged.take().unwrap_or_else(|| self.offsets.clone());
            }
            Fact::Held { topic, queue_id, .. } => *self.held.entry((topic, queue_id)).or_insert(0) += 1,
            Fact::HoldReleased { topic, queue_id, .. } => {
                let place = (topic, queue_id);
                match self.held.get_mut(&place) {
                    Some(count) if *count > 1 => *count -= 1,
                    _ => drop(self.held.remove(&place)),
                }
            }
            Fact::ClientRegistered { group, client, role } => drop(self.members.insert((group, client, role))),
            Fact::ClientDropped { group, client, .. } => {
                self.members.retain(|(other, name, _)| *other != group || *name != client);
            }
            Fact::LockGranted { group, client, topic, queue_id } => {
                self.leases.insert((group, topic, queue_id), client);
            }
            Fact::LockReleased { group, topic, queue_id, .. } => drop(self.leases.remove(&(group, topic, queue_id))),
            Fact::BrokerRegistered { addr, .. } => drop(self.brokers.insert(addr)),
            Fact::BrokerDropped { addr, .. } => drop(self.brokers.remove(&addr)),
            Fact::Assigned { topic, broker, queue_id, .. } => drop(self.owned.insert((topic, broker, queue_id))),
            Fact::Revoked { topic, broker, queue_id } => drop(self.owned.remove(&(topic, broker, queue_id))),
            _ => {}
        }
    }
}

impl Pictures {
    /// The pictures of a trace.
    pub fn of(trace: &Trace) -> Pictures {
        let mut picture = Picture::new(trace.header.nodes.len());
        let mut kept = vec![picture.clone()];
        for (number, record) in trace.records().iter().enumerate() {
            picture.fold(record);
            if (number + 1).is_multiple_of(KEEP_EVERY) {
                kept.push(picture.clone());
            }
        }
        Pictures { kept }
    }

    /// The picture at the moment `#step`.
    pub fn at(&self, trace: &Trace, step: u64) -> Picture {
        let before = trace.before(step);
        let nearest = before.len() / KEEP_EVERY;
        let mut picture = self.kept[nearest].clone();
        before[nearest * KEEP_EVERY..].iter().for_each(|record| picture.fold(record));
        picture
    }
}
