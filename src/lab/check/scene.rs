//! What checkers of groups share: who is in a group, what lies in each queue, what was handed out of it, and when something
//! happened after which queues change hands.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::filters::Wants;
use crate::lab::check::history::History;
use crate::lab::check::letters::{Delivery, uid};
use crate::lab::fault::episode::{Episode, FaultKind};
use crate::lab::oracle::store::{LogRecord, Store};
use crate::lab::scenario::plan::{BrokerPlan, ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::NodeId;
use crate::mq::app::{ConsumeFrom, MessageModel, MessageSelector};
use crate::mq::message::names::retry_topic;
use crate::mq::message::{Group, StoredMessage, Topic};
use crate::mq::time::{Span, Time};

/// A group that shares its queues, all of whose members are push consumers of one kind that subscribe to the same.
pub(super) struct Club<'a> {
    pub(super) group: &'a Group,
    pub(super) subscriptions: &'a [(Topic, MessageSelector)],
    pub(super) members: Vec<(NodeId, &'a ConsumerPlan)>,
    pub(super) retry: String,
    wants: Wants<'a>,
}

impl Club<'_> {
    pub(super) fn is_orderly(&self) -> bool {
        self.members.iter().any(|(_, member)| member.orderly)
    }

    /// Whether it begins every queue at its first message.
    pub(super) fn is_from_first(&self) -> bool {
        self.members.iter().all(|(_, member)| member.from == ConsumeFrom::First)
    }

    /// Whether it wants a copy; `None` if its condition is not read here.
    pub(super) fn wants(&self, copy: &LogRecord) -> Option<bool> {
        let find = |name: &str| copy.properties.get(name);
        if *copy.topic == *self.retry { Some(true) } else { self.wants.wants(&copy.topic, &find) }
    }

    /// How often a message is tried again at most, by its most patient member; `None` is without end.
    pub(super) fn tries_max(&self) -> Option<i32> {
        let own = |member: &ConsumerPlan| match (member.max_reconsume, member.orderly) {
            (-1, true) => i32::MAX,
            (-1, false) => TRIES_MAX,
            (own, _) => own,
        };
        self.members.iter().map(|(_, member)| own(member)).max().filter(|most| *most < i32::MAX)
    }
}

/// The groups that share, are of one mind all the time and leave their offsets to their push consumers.
pub(super) fn clubs(plan: &Plan) -> Vec<Club<'_>> {
    let mut clubs: BTreeMap<&Group, Club<'_>> = BTreeMap::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    // Who changes its mind while it runs, or rests, is of another mind than the plan's.
    others.extend(plan.steered.iter().map(|steered| steered.group.as_str()));
    for (number, node) in (0..).zip(&plan.nodes) {
        let NodeKind::Client(client) = &node.kind else { continue };
        others.extend(client.pull_consumers.iter().map(|own| own.group.as_str()));
        for consumer in &client.consumers {
            let (group, subscriptions) = (&consumer.group, &consumer.subscriptions);
            let club = clubs.entry(group).or_insert_with(|| Club {
                group,
                subscriptions,
                members: Vec::new(),
                retry: retry_topic(group).to_string(),
                wants: Wants::of(subscriptions),
            });
            let is_like = consumer.subscriptions == *club.subscriptions
                && club.members.iter().all(|(_, one)| one.orderly == consumer.orderly);
            if !is_like || consumer.model == MessageModel::Broadcasting {
                others.insert(group);
            }
            club.members.push((NodeId(number), consumer));
        }
    }
    clubs.into_values().filter(|club| !others.contains(&**club.group)).collect()
}

/// A queue of one broker: broker, topic, number.
pub(super) type QueueKey<'a> = (&'a str, &'a str, i32);
/// A message in a callback: the callback and the message's index in it.
pub(super) type Handed<'a> = (&'a Delivery, usize);
/// Where a group is handed something: group, queue, offset.
type HandedAt<'a> = (&'a str, QueueKey<'a>, i64);

/// A run with the indices that checkers of groups need.
pub(super) struct Scene<'a> {
    pub(super) history: &'a History,
    pub(super) plan: &'a Plan,
    /// The only master of each name, with its store at the end.
    masters: BTreeMap<&'a str, (NodeId, Option<&'a Store>)>,
    /// What lies in each queue at the end, by offset.
    copies: BTreeMap<QueueKey<'a>, Vec<&'a LogRecord>>,
    handed: BTreeMap<HandedAt<'a>, Vec<Handed<'a>>>,
    /// Moments after which queues may change hands, in order, each with the moment until which it or one before it may show.
    disturbed: Vec<(Time, Time)>,
    /// Moments at which something went wrong, in order; that a client came is nothing of the kind.
    wrong: Vec<Time>,
    /// When a process last came.
    last_boot: Time,
}

impl<'a> Scene<'a> {
    pub(super) fn of(history: &'a History, plan: &'a Plan) -> Scene<'a> {
        let mut masters: BTreeMap<&str, (NodeId, Option<&Store>)> = BTreeMap::new();
        let mut doubles: BTreeSet<&str> = BTreeSet::new();
        let roles = &history.roles;
        let is_master = |node, broker: &BrokerPlan| roles.is_master(node, (&broker.broker_name, broker.broker_id));
        for (node, broker) in brokers(plan).filter(|(node, broker)| is_master(*node, broker)) {
            let store = history.brokers.iter().find(|seen| seen.node == node).map(|seen| &*seen.store);
            if masters.insert(&broker.broker_name, (node, store)).is_some() {
                doubles.insert(&broker.broker_name);
            }
        }
        masters.retain(|name, _| !doubles.contains(name) && !roles.is_doubled(name));
        let mut copies: BTreeMap<QueueKey<'_>, Vec<&LogRecord>> = BTreeMap::new();
        for (name, (_, store)) in &masters {
            for record in store.iter().flat_map(|store| &store.records) {
                copies.entry((name, &record.topic, record.queue)).or_default().push(record);
            }
        }
        copies.values_mut().for_each(|records| records.sort_by_key(|record| record.queue_offset));
        let mut handed: BTreeMap<HandedAt<'_>, Vec<Handed<'_>>> = BTreeMap::new();
        for delivery in &history.deliveries {
            let queue = &delivery.queue;
            for (number, message) in delivery.messages.iter().enumerate() {
                let at = (
                    delivery.group.as_str(),
                    (queue.broker.as_str(), queue.topic.as_str(), queue.queue_id),
                    message.queue_offset.0,
                );
                handed.entry(at).or_default().push((delivery, number));
            }
        }
        let (disturbed, wrong) = (disturbances(history, plan, &copies), wrongs(history, plan));
        let last_boot = history.boots.iter().map(|(_, at)| *at).max().unwrap_or(Time::ZERO);
        Scene { history, plan, masters, copies, handed, disturbed, wrong, last_boot }
    }

    /// A broker's name.
    pub(super) fn broker_name(&self, node: NodeId) -> Option<&'a str> {
        match self.plan.nodes.get(usize::from(node.0)).map(|node| &node.kind) {
            Some(NodeKind::Broker(broker)) => Some(&broker.broker_name),
            _ => None,
        }
    }

    /// The only master of a name.
    pub(super) fn master(&self, name: &str) -> Option<(NodeId, &'a Store)> {
        let (node, store) = self.masters.get(name)?;
        Some((*node, (*store)?))
    }

    /// Masters whose clocks and disks can be believed.
    pub(super) fn is_honest(&self, node: NodeId) -> bool {
        let signs = &self.history.signs;
        !signs.is_sick(node)
            && !signs.is_swapped(node)
            && !self.history.clock_steps.iter().any(|(stepped, _)| *stepped == node)
    }

    /// What lies in a queue at the end, by offset.
    pub(super) fn copies(&self, queue: QueueKey<'a>) -> &[&'a LogRecord] {
        self.copies.get(&queue).map_or(&[], Vec::as_slice)
    }

    /// The callbacks in which a group was handed this copy.
    pub(super) fn handed(
        &self,
        group: &'a str,
        queue: QueueKey<'a>,
        copy: &'a LogRecord,
    ) -> impl Iterator<Item = Handed<'a>> + '_ {
        let all = self.handed.get(&(group, queue, copy.queue_offset)).map_or(&[][..], Vec::as_slice);
        let id = copy.id();
        all.iter().copied().filter(move |(delivery, number)| uid(&delivery.messages[*number].message) == id)
    }

    /// Whether a copy has the offset of another that the group was handed before the broker lost power.
    pub(super) fn is_given_again(&self, group: &'a str, queue: QueueKey<'a>, copy: &LogRecord, master: NodeId) -> bool {
        let all = self.handed.get(&(group, queue, copy.queue_offset)).map_or(&[][..], Vec::as_slice);
        let id = copy.id();
        let stored = self.true_time(copy.stored);
        let is_other = all.iter().any(|(delivery, number)| uid(&delivery.messages[*number].message) != id);
        is_other && self.power_losses(master).any(|at| at <= stored)
    }

    /// Whether a queue's own entry leads to a copy: what no entry leads to nobody is handed.
    pub(super) fn is_reachable(&self, broker: &str, copy: &LogRecord) -> bool {
        let unit = self.master(broker).and_then(|(_, store)| store.unit(&copy.topic, copy.queue, copy.queue_offset));
        unit.is_some_and(|unit| unit.at == copy.at)
    }

    /// When somebody last came, went, was kept from talking or changed the routes, up to a moment.
    pub(super) fn last_disturbance(&self, before: Time) -> Option<Time> {
        let at = self.disturbed.partition_point(|(at, _)| *at <= before);
        self.disturbed[..at].last().map(|(at, _)| *at)
    }

    /// Until when what has happened up to a moment may show in who owns what.
    pub(super) fn settles(&self, before: Time) -> Time {
        let at = self.disturbed.partition_point(|(at, _)| *at <= before);
        self.disturbed[..at].last().map_or(Time::ZERO, |(_, until)| *until)
    }

    /// When something last went wrong, or a process came or went.
    pub(super) fn last_wrong(&self) -> Time {
        self.wrong.last().copied().unwrap_or(Time::ZERO).max(self.last_boot)
    }

    /// When something first went wrong after a moment.
    pub(super) fn first_wrong_after(&self, moment: Time) -> Option<Time> {
        self.wrong.get(self.wrong.partition_point(|at| *at <= moment)).copied()
    }

    /// Whether something went wrong between two moments.
    pub(super) fn went_wrong(&self, from: Time, to: Time) -> bool {
        let at = self.wrong.partition_point(|at| *at < from);
        self.wrong.get(at).is_some_and(|at| *at <= to)
    }

    /// A broker's end: deaths and losses of power, in order.
    pub(super) fn ends(&self, node: NodeId) -> impl Iterator<Item = Time> + '_ {
        let all = self.history.deaths.iter().chain(&self.history.power_losses);
        all.filter(move |(dead, ..)| *dead == node).map(|(_, _, at)| *at)
    }

    pub(super) fn power_losses(&self, node: NodeId) -> impl Iterator<Item = Time> + '_ {
        self.history.power_losses.iter().filter(move |(dead, ..)| *dead == node).map(|(_, _, at)| *at)
    }

    /// True time of a broker's wall clock, where no clock was set.
    pub(super) fn true_time(&self, wall: i64) -> Time {
        Time((wall - self.plan.start.0).max(0).unsigned_abs() * 1_000_000)
    }

    /// Whether every fault is over when the run ends, and everybody is up.
    pub(super) fn is_whole(&self) -> bool {
        let (history, plan) = (self.history, self.plan);
        let is_up = |number: usize| history.up_since.contains_key(&NodeId(number as u16));
        self.is_healed() && (0..plan.nodes.len()).all(is_up)
    }

    /// Whether every fault is over when the run ends.
    pub(super) fn is_healed(&self) -> bool {
        let history = self.history;
        let is_over = |episode: &Episode| {
            let own = history.faults.iter().filter(|(_, name)| *name == episode.name).count();
            let is_lasting = !episode.kind.hinders().is_empty()
                || matches!(episode.kind, FaultKind::Disk { .. } | FaultKind::Clock { .. } | FaultKind::Pause { .. });
            !is_lasting || own == 0 || 2 <= own
        };
        self.plan.episodes.iter().all(is_over) && history.pauses.iter().all(|(_, _, end)| end.is_some())
    }
}

/// Whether a handed message was settled in its callback by a listener's answer.
pub(super) fn is_settled(club: &Club<'_>, (delivery, number): Handed<'_>) -> bool {
    let Some(answer) = delivery.answer else { return false };
    let message: &StoredMessage = &delivery.messages[number];
    let is_given_up = club.tries_max().is_some_and(|most| most <= message.reconsume_times);
    // What a concurrent listener did not do is sent back; whether a copy came of it is G06's question.
    !club.is_orderly() || number < answer.done(delivery.messages.len()) || is_given_up
}

/// The plan's brokers.
pub(super) fn brokers(plan: &Plan) -> impl Iterator<Item = (NodeId, &BrokerPlan)> {
    plan.nodes.iter().enumerate().filter_map(|(number, node)| match &node.kind {
        NodeKind::Broker(broker) => Some((NodeId(number as u16), &**broker)),
        _ => None,
    })
}

fn disturbances(history: &History, plan: &Plan, copies: &BTreeMap<QueueKey<'_>, Vec<&LogRecord>>) -> Vec<(Time, Time)> {
    let (first, later): (Vec<Time>, Vec<Time>) = wrongs(history, plan).into_iter().partition(|at| *at < FIRST_BOOTS);
    // A client that comes has friends to tell, and nobody has to be missed first.
    let first = first.into_iter().chain(history.boots.iter().map(|(_, at)| *at));
    // A topic's first message in a broker may have made it there.
    let born = copies.values().filter_map(|records| records.iter().map(|record| record.stored).min());
    let born = born.map(|wall| Time((wall - plan.start.0).max(0).unsigned_abs() * 1_000_000));
    let mild = born.chain(history.signs.administered.iter().copied()).map(|at| (at, at + LEARNED));
    let first = first.map(|at| (at, at + LEARNED));
    let mut all: Vec<(Time, Time)> = mild.chain(first).chain(later.into_iter().map(|at| (at, at + SETTLES))).collect();
    all.sort_unstable();
    let mut most = Time::ZERO;
    for (_, until) in &mut all {
        most = most.max(*until);
        *until = most;
    }
    all
}

/// When something went wrong, when processes went and when servers came, in order.
fn wrongs(history: &History, plan: &Plan) -> Vec<Time> {
    let ends = history.deaths.iter().chain(&history.power_losses).map(|(_, _, at)| *at);
    let is_client =
        |node: NodeId| matches!(plan.nodes.get(usize::from(node.0)).map(|node| &node.kind), Some(NodeKind::Client(_)));
    let boots = history.boots.iter().filter(|(node, _)| !is_client(*node)).map(|(_, at)| *at);
    let faults = history.faults.iter().map(|(at, _)| *at);
    let pauses = history.pauses.iter().flat_map(|(_, from, to)| [Some(*from), *to]).flatten();
    let clocks = history.clock_steps.iter().map(|(_, at)| *at);
    let sick = history.signs.sick.iter().map(|(_, _, at)| *at);
    let mut all: Vec<Time> = ends.chain(boots).chain(faults).chain(pauses).chain(clocks).chain(sick).collect();
    all.sort_unstable();
    all
}

/// Source: `SubscriptionGroupConfig.retryMaxTimes`, `DefaultMQPushConsumer.maxReconsumeTimes`.
pub(super) const TRIES_MAX: i32 = 16;
/// How long queues may go on changing hands after a disturbance: a silent member's 130 s, a route, a rebalance, a lock.
pub(super) const SETTLES: Span = Span::from_secs(240);
/// Until everybody has learned of a new topic, or of each other at the beginning: a route poll, three rebalances.
const LEARNED: Span = Span::from_secs(90);
/// Until when the nodes of a plan have booted that it starts with.
pub(super) const FIRST_BOOTS: Time = Time(1_000_000_000);
