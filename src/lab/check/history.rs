//! The trace as outsiders saw it: what applications asked and heard, what disks held, what happened to machines.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::lab::check::deleted::Deletions;
use crate::lab::check::leases::Leases;
use crate::lab::check::minds::Told;
use crate::lab::check::reset::Resets;
use crate::lab::check::roles::Roles;
use crate::lab::check::sick::Sick;
use crate::lab::check::signs::Signs;
use crate::lab::check::storage::Verified;
use crate::lab::check::transactions::{Ledger, Transactions};
use crate::lab::oracle::Files;
use crate::lab::oracle::store::{LogRecord, Store};
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::image::{DiskImage, PAGE};
use crate::lab::trace::log::{Role, Trace};
use crate::lab::trace::record::{App, DiskEvent, Fault, Machine, NodeId, Record, Seq, What};
use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{AppError, Call, ConsumeOutcome, Return, SendResult};
use crate::mq::message::property::names;
use crate::mq::message::{Group, Message, MessageQueue, Name, QueueOffset, StoredMessage};
use crate::mq::time::{Span, Time};

/// What outsiders saw.
#[derive(Debug, Default)]
pub struct History {
    /// Sends in the order of their calls.
    pub sends: Vec<SendSeen>,
    /// Transactions, in the order in which their half messages were seen first.
    pub transactions: Transactions,
    /// Deliveries in the order of their callbacks.
    pub deliveries: Vec<Delivery>,
    /// What pull consumers were given, in order: nobody owes it to them, and they answer nothing.
    pub pulls: Vec<Delivery>,
    /// Push consumers that were told to want something else or to rest, in order.
    pub(super) told: Vec<Told>,
    /// Groups that operators moved, in the order of their calls.
    pub resets: Resets,
    /// Who was a master, once [`History::part`] has looked.
    pub(super) roles: Roles,
    /// Topics that operators deleted, in the order of their calls.
    pub deletions: Deletions,
    /// What road, disks and operators showed.
    pub signs: Signs,
    /// Locks of queues, as the road showed them.
    pub leases: Leases,
    /// Brokers with what their disks hold at the end; masters alone, once [`History::part`] has told them apart.
    pub brokers: Vec<BrokerSeen>,
    /// Slaves with what their disks hold at the end, each behind its master's node, if that is there.
    pub slaves: Vec<(Option<NodeId>, BrokerSeen)>,
    /// Records of slaves that their masters do not have there: of whom they are told, which slave, which record.
    alone: Vec<(NodeId, usize, usize)>,
    /// Disks as they were at deaths and at the end, in order.
    pub disks: Vec<DiskSeen>,
    /// Power losses: node, record, moment.
    pub power_losses: Vec<(NodeId, Seq, Time)>,
    /// Deaths of processes other than by power.
    pub deaths: Vec<(NodeId, Seq, Time)>,
    /// Disks that have not kept what a sync should have made durable.
    pub sick: Sick,
    /// Those of them that were clean stops.
    pub exits: Vec<(NodeId, Time)>,
    /// Nodes whose wall clock was set, and when, once each time.
    pub clock_steps: Vec<(NodeId, Time)>,
    /// Nodes whose wall clock was set back, and by how many ms.
    pub set_back: Vec<(NodeId, i64)>,
    /// When which nodes booted.
    pub boots: Vec<(NodeId, Time)>,
    /// When which nodes got no steps, and again some.
    pub pauses: Vec<(NodeId, Time, Option<Time>)>,
    /// When which faults began or ended.
    pub faults: Vec<(Time, Name)>,
    /// Since when each node is up, if it is.
    pub up_since: BTreeMap<NodeId, Time>,
    /// How long a record may wait for its force before it is dispatched, where that is waited for (K04 is repaired).
    pub waits_for_force: Option<Span>,
    /// When the run ended.
    pub end: Time,
    /// What one look at each final disk found, once somebody has asked.
    pub(super) verified: OnceCell<Vec<(Seq, Verified)>>,
}

/// A send as its application saw it.
#[derive(Debug)]
pub struct SendSeen {
    /// The call.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// The message's number among all, from 1: `m1`.
    pub number: usize,
    /// The letter.
    pub message: Message,
    /// Whether it was a half message: then a result does not mean that anybody is owed it.
    pub in_transaction: bool,
    /// What came back.
    pub outcome: Outcome,
}

/// What came back of a send.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A result.
    Sent(Seq, Time, SendResult),
    /// An exception.
    Failed(Seq, AppError),
    /// Nothing: the process died, or the run ended.
    Unknown,
}

impl Outcome {
    /// What each send of a call hears: of a batch's result, its own ids and place.
    fn tell(&self, sends: &mut [SendSeen]) {
        let is_batch = 1 < sends.len();
        for (at, send) in sends.iter_mut().enumerate() {
            send.outcome = match self {
                Outcome::Sent(seq, time, result) if is_batch => {
                    let own = |ids: &str| ids.split(',').nth(at).unwrap_or_default().into();
                    let result = SendResult {
                        msg_id: own(&result.msg_id),
                        offset_msg_id: own(&result.offset_msg_id),
                        queue_offset: QueueOffset(result.queue_offset.0 + at as i64),
                        ..result.clone()
                    };
                    Outcome::Sent(*seq, *time, result)
                }
                other => other.clone(),
            };
        }
    }
}

/// A callback to a listener.
#[derive(Debug)]
pub struct Delivery {
    /// The callback.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Whose listener.
    pub node: NodeId,
    /// Of which of its processes.
    pub incarnation: u32,
    /// The group.
    pub group: Group,
    /// The queue.
    pub queue: MessageQueue,
    /// The messages.
    pub messages: Handed,
    /// The answer.
    pub answer: Option<ConsumeOutcome>,
    /// The record and the moment in which the listener was done with it: its answer, or its process's end.
    pub end: Option<(Seq, Time)>,
}

/// The messages of a callback or of a pull's answer, where the trace keeps them.
#[derive(Clone, Debug)]
pub struct Handed(Arc<Return>);

impl Deref for Handed {
    type Target = [StoredMessage];
    fn deref(&self) -> &[StoredMessage] {
        match &*self.0 {
            Return::Listen { messages, .. } => messages,
            Return::Told { what, .. } => match &**what {
                PullAnswer::Pulled(result) => &result.messages,
                PullAnswer::Queues(_) | PullAnswer::Offset(_) => &[],
            },
            _ => &[],
        }
    }
}

impl<'a> IntoIterator for &'a Handed {
    type Item = &'a StoredMessage;
    type IntoIter = std::slice::Iter<'a, StoredMessage>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A broker's disk at the end.
#[derive(Debug)]
pub struct BrokerSeen {
    /// Which node.
    pub node: NodeId,
    /// What its disk holds, read by the oracle.
    pub store: Store,
    /// Where in its log the records of transactions lie.
    pub ledger: Ledger,
}

/// A disk at one moment.
#[derive(Debug)]
pub struct DiskSeen {
    /// Which node's.
    pub node: NodeId,
    /// The record that holds it.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// The node's wall clock, ms.
    pub wall: i64,
    /// What a process would have read.
    pub cached: Arc<DiskImage>,
    /// What would have been left without power.
    pub stable: Arc<DiskImage>,
}

/// Names an operation or a callback: node, incarnation, number.
type Key = (NodeId, u32, u64);

impl Delivery {
    fn of(record: &Record, node: NodeId, of: (&Group, &MessageQueue), answer: &Arc<Return>) -> Delivery {
        Delivery {
            seq: record.seq,
            at: record.at,
            node,
            incarnation: record.incarnation,
            group: of.0.clone(),
            queue: of.1.clone(),
            messages: Handed(answer.clone()),
            answer: None,
            end: None,
        }
    }

    fn answered(&mut self, record: &Record, outcome: ConsumeOutcome) {
        self.answer = Some(outcome);
        self.end.get_or_insert((record.seq, record.at));
    }
}

impl DiskSeen {
    fn of(record: &Record, node: NodeId, cached: &Arc<DiskImage>, stable: &Arc<DiskImage>) -> DiskSeen {
        let (seq, at, wall) = (record.seq, record.at, record.wall.0);
        DiskSeen { node, seq, at, wall, cached: cached.clone(), stable: stable.clone() }
    }
}

impl History {
    /// Reads a trace.
    pub fn of(trace: &Trace) -> History {
        let end = trace.records().last().map_or(Time::ZERO, |record| record.at);
        let mut history = History { end, ..History::default() };
        let (mut open, mut tasks): (BTreeMap<Key, Range<usize>>, BTreeMap<Key, usize>) = Default::default();
        for record in trace.records() {
            history.faults.extend(fault(record));
            let Some(node) = record.node else { continue };
            history.see(record, node);
            let mut ends = |op: u64, outcome: Outcome, sends: &mut Vec<SendSeen>| {
                if let Some(at) = open.remove(&(node, record.incarnation, op)) {
                    outcome.tell(&mut sends[at]);
                }
            };
            match &record.what {
                What::App(App::Called(call)) => match &**call {
                    Call::Send { op, message, .. }
                    | Call::SendBy { op, message, .. }
                    | Call::SendInTransaction { op, message, .. } => {
                        let is_half = matches!(**call, Call::SendInTransaction { .. });
                        let places = history.begin((record.seq, record.at), std::slice::from_ref(message), is_half);
                        open.insert((node, record.incarnation, op.0), places);
                    }
                    Call::SendBatch { op, messages, .. } => {
                        let places = history.begin((record.seq, record.at), messages, false);
                        open.insert((node, record.incarnation, op.0), places);
                    }
                    Call::Listened { task, outcome } => {
                        if let Some(at) = tasks.get(&(node, record.incarnation, task.0)) {
                            history.deliveries[*at].answered(record, *outcome);
                        }
                    }
                    Call::Steer { group, what, .. } => history.told.push(Told::of(record, node, group, what)),
                    Call::CreateTopic { .. }
                    | Call::Decided { .. }
                    | Call::Selected { .. }
                    | Call::Pull { .. }
                    | Call::Admin { .. } => {}
                },
                What::App(App::Returned(answer)) => match &**answer {
                    Return::Sent { op, result } | Return::SentInTransaction { op, result, .. } => {
                        let outcome = Outcome::Sent(record.seq, record.at, result.clone());
                        ends(op.0, outcome, &mut history.sends);
                    }
                    Return::Failed { op, error } => {
                        ends(op.0, Outcome::Failed(record.seq, error.clone()), &mut history.sends);
                    }
                    Return::Listen { task, group, queue, .. } => {
                        tasks.insert((node, record.incarnation, task.0), history.deliveries.len());
                        history.deliveries.push(Delivery::of(record, node, (group, queue), answer));
                    }
                    Return::Told { .. } => history.pulls.extend(pulled(record, node, answer)),
                    Return::Done { .. }
                    | Return::QueuesChanged { .. }
                    | Return::Administered { .. }
                    | Return::Execute { .. }
                    | Return::Select { .. }
                    | Return::Check { .. } => {}
                },
                What::Disk(DiskEvent::Image { cached, stable }) => {
                    history.disks.push(DiskSeen::of(record, node, cached, stable));
                }
                What::Machine(machine) => history.machine(node, record.seq, record.at, machine),
                _ => {}
            }
        }
        history.read_disks(trace);
        history
    }

    /// Takes in what is told apart elsewhere.
    fn see(&mut self, record: &Record, node: NodeId) {
        self.transactions.see(record, node);
        self.resets.see(record, node);
        self.deletions.see(record, node);
        self.signs.see(record, node);
        self.leases.see(record, node);
        self.sick.see(record, node);
    }

    /// A call begins with these messages; gives their places among the sends.
    fn begin(&mut self, (seq, at): (Seq, Time), messages: &[Message], in_transaction: bool) -> Range<usize> {
        let first = self.sends.len();
        for message in messages {
            let (number, message) = (self.sends.len() + 1, message.clone());
            self.sends.push(SendSeen { seq, at, number, message, in_transaction, outcome: Outcome::Unknown });
        }
        first..self.sends.len()
    }

    fn read_disks(&mut self, trace: &Trace) {
        let last: BTreeMap<NodeId, &DiskSeen> = self.disks.iter().map(|disk| (disk.node, disk)).collect();
        for (node, disk) in last {
            if trace.header.nodes[usize::from(node.0)].role == Role::Broker {
                let store = Store::read(&Image(&disk.cached));
                self.brokers.push(BrokerSeen { node, ledger: Ledger::of(&store), store });
            }
        }
    }

    fn machine(&mut self, node: NodeId, seq: Seq, at: Time, machine: &Machine) {
        match machine {
            Machine::Booted => {
                self.up_since.insert(node, at);
                self.boots.push((node, at));
            }
            Machine::Paused => self.pauses.push((node, at, None)),
            Machine::Resumed => self.goes_on(node, at),
            Machine::PowerLost { .. } => {
                self.up_since.remove(&node);
                self.ends(node, seq, at);
                self.power_losses.push((node, seq, at));
            }
            Machine::WallStepped { millis } => {
                self.clock_steps.push((node, at));
                self.set_back.extend((*millis < 0).then_some((node, -millis)));
            }
            Machine::ClockBent { .. } => self.clock_steps.push((node, at)),
            Machine::Killed | Machine::Exited | Machine::Panicked { .. } | Machine::BootFailed { .. } => {
                self.up_since.remove(&node);
                self.ends(node, seq, at);
                self.deaths.push((node, seq, at));
                if matches!(machine, Machine::Exited) {
                    self.exits.push((node, at));
                }
            }
            _ => {}
        }
    }

    fn goes_on(&mut self, node: NodeId, at: Time) {
        if let Some((.., end)) = self.pauses.iter_mut().rev().find(|(paused, _, end)| *paused == node && end.is_none())
        {
            *end = Some(at);
        }
    }

    /// A process ended: so did its listeners, and its pause.
    fn ends(&mut self, node: NodeId, seq: Seq, at: Time) {
        self.goes_on(node, at);
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.node == node) {
            delivery.end.get_or_insert((seq, at));
        }
    }

    /// Sends that were acknowledged, with the acknowledgement; half messages are not among them.
    pub fn acked(&self) -> impl Iterator<Item = (&SendSeen, Seq, Time, &SendResult)> {
        self.sends.iter().filter(|send| !send.in_transaction).filter_map(|send| match &send.outcome {
            Outcome::Sent(seq, at, result) => Some((send, *seq, *at, result)),
            _ => None,
        })
    }

    /// Tells slaves from masters, as the plan does and operators did.
    pub fn part(&mut self, plan: &Plan) {
        let thorough = plan.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Broker(broker) => Some(broker.flush_thorough_interval),
            _ => None,
        });
        self.waits_for_force = thorough.max().filter(|_| plan.profile.fix_k04);
        let broker = |node: NodeId| match plan.nodes.get(usize::from(node.0)).map(|node| &node.kind) {
            Some(NodeKind::Broker(broker)) => Some(broker),
            _ => None,
        };
        self.roles = Roles::of(self, plan);
        let roles = std::mem::take(&mut self.roles);
        let is_master = |node: NodeId, own: &BrokerPlan| roles.is_master(node, (&own.broker_name, own.broker_id));
        for seen in std::mem::take(&mut self.brokers) {
            match broker(seen.node).filter(|own| !is_master(seen.node, own)) {
                None => self.brokers.push(seen),
                Some(own) => {
                    let is_its = |node: &NodeId| {
                        broker(*node)
                            .is_some_and(|other| is_master(*node, other) && other.broker_name == own.broker_name)
                    };
                    let master = (0..plan.nodes.len()).map(|number| NodeId(number as u16)).find(is_its);
                    self.slaves.push((master, seen));
                }
            }
        }
        self.roles = roles;
        self.alone = (0..self.slaves.len()).flat_map(|slave| self.alone_on(slave)).collect();
    }

    fn alone_on(&self, number: usize) -> Vec<(NodeId, usize, usize)> {
        let (master, slave) = &self.slaves[number];
        let of_master = self.brokers.iter().find(|broker| Some(broker.node) == *master);
        let is_there = |record: &LogRecord| {
            let same = of_master.and_then(|master| master.store.record_at(record.at));
            same.is_some_and(|same| same.properties == record.properties)
        };
        let records = slave.store.records.iter().enumerate().filter(|(_, record)| !is_there(record));
        records.map(|(at, _)| (master.unwrap_or(slave.node), number, at)).collect()
    }

    /// Every broker's disk, the slaves' as well.
    pub fn stores(&self) -> impl Iterator<Item = &BrokerSeen> {
        self.brokers.iter().chain(self.slaves.iter().map(|(_, slave)| slave))
    }

    /// Whether a machine lost its power and has not been started again: what lies on its disk is not a store yet, recovery
    /// comes first.
    pub fn is_off(&self, node: NodeId) -> bool {
        !self.up_since.contains_key(&node) && self.power_losses.iter().any(|(lost, ..)| *lost == node)
    }

    /// Every stored copy with its broker. What a slave holds is its master's copy, unless that one has something else there.
    ///
    /// What is torn is none while its machine is off: a recovery may cut it off.
    pub fn copies(&self) -> impl Iterator<Item = (NodeId, &LogRecord)> {
        let is_whole = |node: NodeId, record: &LogRecord| !record.is_torn || !self.is_off(node);
        let own = self.brokers.iter().flat_map(move |broker| {
            let whole = broker.store.records.iter().filter(move |record| is_whole(broker.node, record));
            whole.map(|record| (broker.node, record))
        });
        let replicated = self.alone.iter().filter_map(move |(node, slave, at)| {
            let slave = &self.slaves[*slave].1;
            let record = &slave.store.records[*at];
            is_whole(slave.node, record).then_some((*node, record))
        });
        own.chain(replicated)
    }
}

/// What a pull consumer was given, if it was.
fn pulled(record: &Record, node: NodeId, answer: &Arc<Return>) -> Option<Delivery> {
    let Return::Told { group, what, .. } = &**answer else { return None };
    match &**what {
        PullAnswer::Pulled(result) => Some(Delivery::of(record, node, (group, &result.queue), answer)),
        PullAnswer::Queues(_) | PullAnswer::Offset(_) => None,
    }
}

/// When which fault began or ended, if a record tells of one.
fn fault(record: &Record) -> Option<(Time, Name)> {
    match &record.what {
        What::Fault(Fault::Begun { name, .. } | Fault::Ended { name }) => Some((record.at, name.clone())),
        _ => None,
    }
}

/// A disk's image as the oracle reads it.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a>(pub &'a DiskImage);

impl Files for Image<'_> {
    fn list(&self) -> Vec<(String, u64)> {
        self.0.files.iter().map(|(path, file)| (path.clone(), file.len)).collect()
    }

    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
        let Some(file) = self.0.files.get(path) else { return Cow::Borrowed(&[]) };
        let end = at.saturating_add(len as u64).min(file.len);
        let (page, from) = (at / PAGE as u64, (at % PAGE as u64) as usize);
        if at < end && from + (end - at) as usize <= PAGE {
            let bytes = file.pages.get(&page).map_or(&ZEROS, |page| &**page);
            return Cow::Borrowed(&bytes[from..from + (end - at) as usize]);
        }
        Cow::Owned(file.read(at..end))
    }

    fn written(&self, path: &str, range: Range<u64>) -> Vec<Range<u64>> {
        let Some(file) = self.0.files.get(path).filter(|_| range.start < range.end) else { return Vec::new() };
        let pages = file.pages.range(range.start / PAGE as u64..=(range.end - 1) / PAGE as u64);
        let mut parts: Vec<Range<u64>> = Vec::new();
        for (number, _) in pages {
            let (from, to) = (number * PAGE as u64, (number + 1) * PAGE as u64);
            match parts.last_mut() {
                Some(last) if last.end == from => last.end = to.min(range.end),
                _ => parts.push(from.max(range.start)..to.min(range.end)),
            }
        }
        parts
    }
}

const ZEROS: [u8; PAGE] = [0; PAGE];

/// What a message is to its sender: topic, body, keys, tag and user properties in the order of their names.
pub type Content<'a> = (&'a str, &'a [u8], Vec<(&'a str, &'a str)>);

/// Properties that the road adds.
const OF_THE_ROAD: &[&str] = &[
    names::UNIQ_KEY,
    names::WAIT,
    names::DELAY,
    names::RETRY_TOPIC,
    names::REAL_TOPIC,
    names::REAL_QID,
    names::TRAN_MSG,
    names::PGROUP,
    names::TRANSACTION_CHECK_TIMES,
    names::CHECK_IMMUNITY_TIME_IN_SECONDS,
    names::TRAN_PREPARED_QUEUE_OFFSET,
    names::MIN_OFFSET,
    names::MAX_OFFSET,
    names::CONSUME_START_TIME,
    names::ORIGIN_MESSAGE_ID,
    names::RECONSUME_TIME,
    names::MAX_RECONSUME_TIMES,
    names::MSG_REGION,
    names::TRACE_ON,
];

fn content<'a>(topic: &'a str, body: &'a [u8], pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Content<'a> {
    let mut own: Vec<(&str, &str)> = pairs.filter(|(name, _)| !OF_THE_ROAD.contains(name)).collect();
    own.sort_unstable();
    (topic, body, own)
}

/// What a letter says.
pub fn content_of(message: &Message) -> Content<'_> {
    let pairs = message.properties.iter().map(|(name, value)| (&**name, &**value));
    content(&message.topic, &message.body, pairs)
}

/// What a stored copy says.
pub fn content_of_copy(record: &LogRecord) -> Content<'_> {
    let topic = record.properties.get(names::RETRY_TOPIC).filter(|_| record.topic.starts_with('%'));
    let pairs = record.properties.iter();
    content(topic.unwrap_or(&record.topic), &record.body, pairs)
}

/// The unique key of a message as it was pulled.
pub fn uid(message: &Message) -> Option<&str> {
    message.properties.get(names::UNIQ_KEY).map(|key| key.as_str())
}

/// A message's key, or its number.
pub fn label(send: &SendSeen) -> String {
    match send.message.properties.get(names::KEYS) {
        Some(key) => format!("m{} {key}", send.number),
        None => format!("m{}", send.number),
    }
}
