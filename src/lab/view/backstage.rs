//! What lies behind the picture: timers that are set, messages in listeners' hands, how far logs were followed and copied, and
//! what the disks hold. Folded from the records as the picture is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, Clock, Machine, NodeId, Record, What};
use crate::lab::view::disk::Disk;
use crate::mq::app::{Call, ConsumeOutcome, Return};
use crate::mq::fact::Fact;
use crate::mq::message::{Group, MessageQueue, Name, Topic};
use crate::mq::node::TimerKey;
use crate::mq::time::Time;

/// A whole system at a moment, as far as its picture does not show it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Backstage {
    /// Timers that are set, with the true time at which they fire.
    pub timers: BTreeMap<(NodeId, TimerKey), Time>,
    /// What members have of a queue: by client, group and queue.
    pub hands: BTreeMap<(NodeId, Group, MessageQueue), Hands>,
    /// Up to where each broker has followed its log.
    pub dispatched: BTreeMap<NodeId, i64>,
    /// Up to where a slave has said that it has each broker's log.
    pub replicated: BTreeMap<NodeId, i64>,
    /// Routes as each client knows them: brokers and writable queues by topic.
    pub routes: BTreeMap<NodeId, BTreeMap<Topic, (i64, i64)>>,
    /// What applications wrote down on their machines.
    pub notes: BTreeMap<(NodeId, Name), Name>,
    /// The disks, by node.
    pub disks: Vec<Disk>,
    /// The nodes' names: a master registers under its own.
    names: Arc<[Name]>,
    /// Callbacks under way: what they were given.
    tasks: BTreeMap<(NodeId, u64), (Group, MessageQueue, Vec<i64>)>,
}

/// What a member has of a queue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hands {
    /// Given to a listener and not done: by place, the step since which.
    pub open: BTreeMap<i64, u64>,
    /// Done.
    pub done: BTreeSet<i64>,
}

/// What lies behind the pictures of one trace at any moment.
#[derive(Clone, Debug)]
pub struct Kept {
    kept: Vec<Backstage>,
}

/// One is kept every so many records.
const KEEP_EVERY: usize = 16_384;

impl Backstage {
    fn fold(&mut self, record: &Record) {
        let Some(node) = record.node else { return };
        match &record.what {
            What::Clock(Clock::Armed { timer, at }) => {
                // From the node's clock to the true one, as far apart as they are when it is set.
                let ahead = at.0.saturating_sub(record.mono.0);
                self.timers.insert((node, *timer), Time(record.at.0.saturating_add(ahead)));
            }
            What::Clock(Clock::Disarmed { timer } | Clock::Fired { timer }) => {
                self.timers.remove(&(node, *timer));
            }
            What::Machine(machine) => self.machine(node, machine),
            What::Disk(event) => self.disks[usize::from(node.0)].fold(event),
            What::App(app) => self.app(record, node, app),
            What::Fact(fact) => self.fact(node, fact),
            What::Road(_) | What::Fault(_) | What::Rolled { .. } => {}
        }
    }

    fn machine(&mut self, node: NodeId, machine: &Machine) {
        if !machine.ends() {
            return;
        }
        self.timers.retain(|(own, _), _| *own != node);
        self.hands.retain(|(own, ..), _| *own != node);
        self.tasks.retain(|(own, _), _| *own != node);
        self.routes.remove(&node);
        self.dispatched.remove(&node);
        self.disks[usize::from(node.0)].end();
    }

    fn app(&mut self, record: &Record, node: NodeId, app: &App) {
        match app {
            App::Returned(answer) => {
                if let Return::Listen { task, group, queue, messages } = &**answer {
                    let places: Vec<i64> = messages.iter().map(|message| message.queue_offset.0).collect();
                    let hands = self.hands.entry((node, group.clone(), queue.clone())).or_default();
                    hands.open.extend(places.iter().map(|place| (*place, record.step)));
                    self.tasks.insert((node, task.0), (group.clone(), queue.clone(), places));
                }
            }
            App::Called(call) => {
                if let Call::Listened { task, outcome } = &**call {
                    self.listened(node, task.0, *outcome);
                }
            }
            App::Noted { key, value } => drop(self.notes.insert((node, key.clone()), value.clone())),
            App::Info { .. } => {}
        }
    }

    /// What failed stays in hand until its group is noted behind it, or it comes back.
    fn listened(&mut self, node: NodeId, task: u64, outcome: ConsumeOutcome) {
        let Some((group, queue, places)) = self.tasks.remove(&(node, task)) else { return };
        let done = outcome.done(places.len());
        if let Some(hands) = self.hands.get_mut(&(node, group, queue)) {
            for place in &places[..done] {
                hands.open.remove(place);
                hands.done.insert(*place);
            }
        }
    }

    fn fact(&mut self, node: NodeId, fact: &Fact) {
        match fact {
            Fact::Recovered { log_end, .. } => {
                // Its follower begins at the end: what recovery dispatched is behind it.
                self.dispatched.insert(node, *log_end);
                self.replicated.entry(node).and_modify(|to| *to = (*to).min(*log_end));
            }
            Fact::Dispatched { at, size } => {
                self.dispatched.insert(node, at + i64::from(*size));
            }
            Fact::SlaveReported { offset, .. } => {
                let to = self.replicated.entry(node).or_insert(0);
                *to = (*to).max(*offset);
            }
            Fact::RouteLearned { topic, brokers, queues } => {
                self.routes.entry(node).or_default().insert(topic.clone(), (*brokers, *queues));
            }
            // What lies below the group's place is of no use to anybody.
            Fact::OffsetCommitted { group, topic, queue_id, queue_offset } => {
                let broker = &self.names[usize::from(node.0)];
                let own = self.hands.iter_mut().filter(|((_, of, queue), _)| {
                    of == group && queue.topic == *topic && queue.queue_id == *queue_id && queue.broker == *broker
                });
                for (_, hands) in own {
                    hands.open = hands.open.split_off(queue_offset);
                    hands.done = hands.done.split_off(queue_offset);
                }
            }
            Fact::Revoked { topic, broker, queue_id } => self.hands.retain(|(own, _, queue), _| {
                *own != node || queue.topic != *topic || queue.broker != *broker || queue.queue_id != *queue_id
            }),
            _ => {}
        }
    }
}

impl Kept {
    /// What lies behind the pictures of a trace.
    pub fn of(trace: &Trace) -> Kept {
        let nodes = trace.header.nodes.len();
        let names = trace.header.nodes.iter().map(|node| node.name.clone()).collect();
        let mut now = Backstage { disks: vec![Disk::default(); nodes], names, ..Backstage::default() };
        let mut kept = vec![now.clone()];
        for (number, record) in trace.records().iter().enumerate() {
            now.fold(record);
            if (number + 1).is_multiple_of(KEEP_EVERY) {
                kept.push(now.clone());
            }
        }
        Kept { kept }
    }

    /// What it is at the moment `#step`.
    pub fn at(&self, trace: &Trace, step: u64) -> Backstage {
        let before = trace.before(step);
        let nearest = before.len() / KEEP_EVERY;
        let mut now = self.kept[nearest].clone();
        before[nearest * KEEP_EVERY..].iter().for_each(|record| now.fold(record));
        now
    }
}
