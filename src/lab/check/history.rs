//! The trace as outsiders saw it: what applications asked and heard, what disks held, what happened to machines.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indexmap::Equivalent;

use crate::lab::check::deleted::Deletions;
use crate::lab::check::delivery::Fates;
use crate::lab::check::ids::{By, ById, Id, Ids, Numbers};
use crate::lab::check::leases::Leases;
use crate::lab::check::letters::{Brief, Delivery, Letter, Outcome, SendSeen, letters};
use crate::lab::check::minds::Told;
use crate::lab::check::reset::Resets;
use crate::lab::check::roles::Roles;
use crate::lab::check::sick::Sick;
use crate::lab::check::signs::Signs;
use crate::lab::check::storage::Verified;
use crate::lab::check::transactions::{Ledger, Transactions};
use crate::lab::check::wording::copy_is_of;
use crate::lab::oracle::Files;
use crate::lab::oracle::store::{LogRecord, Store};
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::image::{DiskImage, PAGE};
use crate::lab::trace::log::{Role, Trace};
use crate::lab::trace::record::{App, DiskEvent, Fault, Machine, NodeId, Record, Seq, What};
use crate::mq::app::{Call, Return, SendResult};
use crate::mq::message::property::names;
use crate::mq::message::{Group, Message, MessageQueue, Name, StoredMessage};
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
    /// The numbers of unique keys.
    numbers: Numbers,
    /// The places, among the sends, of those that were acknowledged.
    acked: ById<usize>,
    /// What each group was handed of each queue, by its place among the deliveries.
    lanes: By<(Group, MessageQueue), Vec<usize>>,
    /// What one look at each final disk found, once somebody has asked.
    pub(super) verified: OnceCell<Vec<(Seq, Verified)>>,
    /// What became of what each group is owed, of those that somebody has asked for.
    pub(super) fates: RefCell<BTreeMap<Group, Fates>>,
    /// What each group wants of what was acknowledged, of the groups that somebody has asked for.
    pub(super) wanted: RefCell<BTreeMap<Group, Ids>>,
}

/// A broker's disk at the end.
#[derive(Debug)]
pub struct BrokerSeen {
    /// Which node.
    pub node: NodeId,
    /// What its disk holds, read by the oracle; a slave that holds the same as another broker shares it.
    pub store: Arc<Store>,
    /// Where in its log the records of transactions lie.
    pub ledger: Arc<Ledger>,
    /// Of each of its records the number of its unique key, if it has one, and whether it is as it was sent.
    brief: Arc<[(Option<Id>, bool)]>,
}

impl BrokerSeen {
    /// The log's records, each with its message's number.
    pub fn numbered(&self) -> impl Iterator<Item = (Option<Id>, &LogRecord)> {
        self.brief.iter().map(|(id, _)| *id).zip(&self.store.records)
    }

    fn copy(&self, at: usize) -> CopySeen<'_> {
        let (id, is_as_sent) = self.brief[at];
        CopySeen { node: self.node, id, is_as_sent, record: &self.store.records[at] }
    }
}

/// A stored copy.
#[derive(Clone, Copy, Debug)]
pub struct CopySeen<'a> {
    /// Whose it is.
    pub node: NodeId,
    /// The number of its unique key, if it has one.
    pub id: Option<Id>,
    /// Whether it says what the acknowledged call with its key said, letter by letter.
    pub is_as_sent: bool,
    /// What the oracle read.
    pub record: &'a LogRecord,
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
        // Every sixth record or so is a delivery or a pull, every twelfth a send.
        let most = trace.records().len() / 5;
        history.deliveries.reserve(most);
        history.sends.reserve(most / 2);
        history.signs.reserve(most);
        let (mut open, mut tasks): (By<Key, Range<usize>>, By<Key, usize>) = Default::default();
        for record in trace.records() {
            history.faults.extend(fault(record));
            let Some(node) = record.node else { continue };
            history.see(record, node);
            let mut ends = |op: u64, outcome: Outcome, history: &mut History| {
                if let Some(at) = open.swap_remove(&(node, record.incarnation, op)) {
                    outcome.tell(&mut history.sends[at], &mut history.numbers);
                }
            };
            match &record.what {
                What::App(App::Called(call)) => match &**call {
                    Call::Send { op, .. }
                    | Call::SendBy { op, .. }
                    | Call::SendInTransaction { op, .. }
                    | Call::SendBatch { op, .. } => {
                        let places = history.begin((record.seq, record.at), call);
                        open.insert((node, record.incarnation, op.0), places);
                    }
                    Call::Listened { task, outcome } => {
                        if let Some(at) = tasks.swap_remove(&(node, record.incarnation, task.0)) {
                            history.deliveries[at].answered(record, *outcome);
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
                        ends(op.0, outcome, &mut history);
                    }
                    Return::Failed { op, error } => {
                        ends(op.0, Outcome::Failed(record.seq, error.clone()), &mut history);
                    }
                    Return::Listen { task, .. } => {
                        tasks.insert((node, record.incarnation, task.0), history.deliveries.len());
                        history.hand(record, node, answer);
                    }
                    Return::Told { .. } => {
                        history.pulls.extend(Delivery::of(record, node, answer));
                    }
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
        history.look_back();
        history.read_disks(trace);
        history
    }

    /// Takes in what is told apart elsewhere, each where it is told of.
    fn see(&mut self, record: &Record, node: NodeId) {
        match &record.what {
            What::App(_) => {
                self.transactions.see(record, node);
                self.resets.see(record, node);
                self.deletions.see(record, node);
                self.signs.see(record, node);
            }
            What::Road(_) => {
                self.transactions.see(record, node);
                self.signs.see(record, node);
                self.leases.see(record, node);
            }
            What::Disk(_) => {
                self.signs.see(record, node);
                self.sick.see(record, node);
            }
            What::Machine(_) => self.signs.see(record, node),
            What::Clock(_) | What::Fact(_) | What::Fault(_) | What::Rolled { .. } => {}
        }
    }

    /// A call begins; gives the places of its letters among the sends.
    fn begin(&mut self, (seq, at): (Seq, Time), call: &Arc<Call>) -> Range<usize> {
        let first = self.sends.len();
        let in_transaction = matches!(**call, Call::SendInTransaction { .. });
        for which in 0..letters(call).len() {
            let (number, message) = (self.sends.len() + 1, Letter(call.clone(), which));
            let is_delayed = message.properties.get(names::DELAY).is_some_and(|level| *level != "0");
            let (outcome, id) = (Outcome::Unknown, None);
            self.sends.push(SendSeen { seq, at, number, message, in_transaction, is_delayed, outcome, id });
        }
        first..self.sends.len()
    }

    /// A listener is handed something.
    fn hand(&mut self, record: &Record, node: NodeId, answer: &Arc<Return>) {
        let Some(mut delivery) = Delivery::of(record, node, answer) else { return };
        let place = self.deliveries.len();
        match self.lanes.get_full_mut(&Lane(&delivery.group, &delivery.queue)) {
            Some((lane, _, all)) => {
                delivery.lane = lane;
                all.push(place);
            }
            None => {
                let lane = (delivery.group.clone(), delivery.queue.clone());
                (delivery.lane, _) = self.lanes.insert_full(lane, vec![place]);
            }
        }
        self.deliveries.push(delivery);
    }

    /// What a delivery's group was handed of its queue, in order.
    pub(super) fn of_lane<'a>(&'a self, of: &Delivery) -> impl DoubleEndedIterator<Item = &'a Delivery> + use<'a> {
        self.lanes[of.lane].iter().map(|at| &self.deliveries[*at])
    }

    /// The queues of which groups were handed something, by the numbers that deliveries name.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &MessageQueue> {
        self.lanes.keys().map(|(_, queue)| queue)
    }

    /// The queues of which a group was handed something, each with that, in order.
    pub(super) fn lanes_of(
        &self,
        group: &str,
    ) -> impl Iterator<Item = (&MessageQueue, impl DoubleEndedIterator<Item = &Delivery>)> {
        let own = self.lanes.iter().filter(move |((of, _), _)| *of == *group);
        own.map(|((_, queue), all)| (queue, all.iter().map(|at| &self.deliveries[*at])))
    }

    /// All acknowledgements are known: what was handed over is compared with what was sent, while it is looked at anyway.
    fn look_back(&mut self) {
        let History { sends, acked, numbers, deliveries, pulls, .. } = self;
        *acked = sends.iter().enumerate().filter_map(|(place, send)| Some((send.id?, place))).collect();
        let mut brief = |message: &StoredMessage| {
            let id = message.message.properties.get(names::UNIQ_KEY).map(|key| numbers.give(key, || key.clone()));
            let send = id.and_then(|id| acked.get(id)).map(|place| &sends[*place]);
            Brief::of(message, id, send)
        };
        for some in deliveries.chunks_mut(AT_ONCE).chain(pulls.chunks_mut(AT_ONCE)) {
            // Messages lie all over the memory. Those of several callbacks are asked for first, so that the processor fetches
            // them side by side instead of waiting for each.
            let said =
                |delivery: &Delivery| delivery.messages.iter().map(|message| touch(&message.message)).sum::<usize>();
            std::hint::black_box(some.iter().map(said).sum::<usize>());
            for delivery in some {
                delivery.brief = delivery.messages.iter().map(&mut brief).collect();
            }
        }
    }

    fn read_disks(&mut self, trace: &Trace) {
        let last: BTreeMap<NodeId, &DiskSeen> = self.disks.iter().map(|disk| (disk.node, disk)).collect();
        for (node, disk) in &last {
            if trace.header.nodes[usize::from(node.0)].role != Role::Broker {
                continue;
            }
            let twin = self.brokers.iter().find(|other| last[&other.node].cached.agrees(&disk.cached, STORE));
            if let Some(twin) = twin {
                let (store, ledger, brief) = (twin.store.clone(), twin.ledger.clone(), twin.brief.clone());
                self.brokers.push(BrokerSeen { node: *node, store, ledger, brief });
                continue;
            }
            let store = Store::read(&Image(&disk.cached));
            let in_short = |record: &LogRecord| {
                let id = record.id().map(|key| self.numbers.give(key, || key.into()));
                let send = id.and_then(|id| self.acked.get(id)).map(|place| &self.sends[*place]);
                (id, send.is_some_and(|send| copy_is_of(record, &send.message)))
            };
            let brief = store.records.iter().map(in_short).collect();
            let ledger = Arc::new(Ledger::of(&store));
            self.brokers.push(BrokerSeen { node: *node, ledger, store: Arc::new(store), brief });
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
        if of_master.is_some_and(|master| Arc::ptr_eq(&master.store, &slave.store)) {
            return Vec::new();
        }
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
        self.copies_seen().map(|copy| (copy.node, copy.record))
    }

    /// The same, with what is known of each.
    pub fn copies_seen(&self) -> impl Iterator<Item = CopySeen<'_>> {
        let own = self.brokers.iter().flat_map(|broker| (0..broker.brief.len()).map(|at| broker.copy(at)));
        let whole = move |copy: &CopySeen<'_>| !copy.record.is_torn || !self.is_off(copy.node);
        let replicated = self.alone.iter().filter_map(move |(node, slave, at)| {
            let copy = self.slaves[*slave].1.copy(*at);
            whole(&copy).then_some(CopySeen { node: *node, ..copy })
        });
        own.filter(whole).chain(replicated)
    }

    /// The acknowledged call that sent a message.
    pub(super) fn sent(&self, id: Id) -> Option<&SendSeen> {
        self.acked.get(id).map(|place| &self.sends[*place])
    }

    /// The number of a unique key, if anybody saw it.
    pub(super) fn id(&self, key: &str) -> Option<Id> {
        self.numbers.get(key)
    }

    /// The unique key of a message.
    pub(super) fn key(&self, id: Id) -> &str {
        self.numbers.key(id)
    }
}

/// A group's queue, asked for.
#[derive(Hash)]
struct Lane<'a>(&'a Group, &'a MessageQueue);

impl Equivalent<(Group, MessageQueue)> for Lane<'_> {
    fn equivalent(&self, (group, queue): &(Group, MessageQueue)) -> bool {
        self.0 == group && self.1 == queue
    }
}

/// When which fault began or ended, if a record tells of one.
fn fault(record: &Record) -> Option<(Time, Name)> {
    match &record.what {
        What::Fault(Fault::Begun { name, .. } | Fault::Ended { name }) => Some((record.at, name.clone())),
        _ => None,
    }
}

/// Reads a byte of each part of a message.
fn touch(message: &Message) -> usize {
    let byte = |text: &[u8]| usize::from(text.first().copied().unwrap_or(0));
    message.properties.iter().map(|(_, value)| byte(value.as_bytes())).sum::<usize>() + byte(&message.body)
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

    fn ahead(&self) -> usize {
        AHEAD
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

/// Callbacks whose messages are fetched side by side.
const AT_ONCE: usize = 32;
/// What [`Store::read`] reads.
const STORE: &[&str] = &["commitlog", "consumequeue"];
const ZEROS: [u8; PAGE] = [0; PAGE];
/// Pages that are copied at once stay in the processor's cache.
const AHEAD: usize = 32 << 10;
