//! What is still owed while a run is under way: when nothing is any more, the run may end.
//!
//! This is a guess from what applications saw, not a verdict: what it forgets is found open by the checkers, what it owes for
//! too long costs time and no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::oracle::condition::{Answer, Condition};
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::sim::machine::Mood;
use crate::lab::sim::world::World;
use crate::lab::trace::record::{App, Machine, NodeId, Record, What};
use crate::mq::app::{
    Call, ConsumeFrom, ConsumeOutcome, LocalState, MessageModel, MessageSelector, Return, SendResult,
};
use crate::mq::message::property::{Properties, names};
use crate::mq::message::{Group, Message, Name, Topic};
use crate::mq::time::{Span, Time};

/// A group that is owed messages.
#[derive(Debug)]
struct Member {
    group: Group,
    subscriptions: Vec<(Topic, MessageSelector)>,
    /// How often it tries again before it gives a message up; none if it never does.
    tries_max: Option<u32>,
    /// Its processes.
    nodes: BTreeSet<NodeId>,
}

/// An open call or callback: node, incarnation, number.
type Key = (NodeId, u32, u64);

/// Who is owed what.
#[derive(Debug)]
pub struct Debt {
    groups: Vec<Member>,
    /// Who broadcasts from the first offset on: each process is owed all, for a while.
    subscribers: Vec<Member>,
    masters: BTreeMap<Name, Vec<NodeId>>,
    calls: BTreeMap<Key, Vec<Message>>,
    tasks: BTreeMap<Key, (Group, Vec<Name>)>,
    /// Unique keys with the broker that holds them, topic and tag.
    owed: BTreeMap<Name, Held>,
    consumed: BTreeSet<(Group, Name)>,
    /// What processes were handed at all.
    handed: BTreeSet<(NodeId, Name)>,
    /// How often a group's listener failed on a message.
    failed: BTreeMap<(Group, Name), u32>,
    /// Half messages whose end nobody has told yet.
    undecided: BTreeSet<Name>,
    /// The last call of a send.
    last_call: Time,
    sent: u64,
    listened: u64,
}

/// Where an acknowledged message lies.
#[derive(Clone, Debug)]
struct Held {
    broker: Name,
    topic: Topic,
    properties: Properties,
}

/// So long after the last send nobody sends any more: longer than senders of a draft wait between two.
const SILENT: Span = Span::from_secs(6);

/// So long after the patience with transactions is over, what was broadcast is overdue.
const FINDS: Span = Span::from_secs(50);

impl Debt {
    /// Nothing is owed in a plan's run yet.
    pub fn new(plan: &Plan) -> Debt {
        let (mut groups, mut masters): (Vec<Member>, BTreeMap<Name, Vec<NodeId>>) = Default::default();
        let mut subscribers = Vec::new();
        for (number, node) in plan.nodes.iter().enumerate() {
            let id = NodeId(number as u16);
            match &node.kind {
                NodeKind::Broker(broker) => masters.entry(broker.broker_name.clone()).or_default().push(id),
                NodeKind::Client(client) => {
                    for own in &client.consumers {
                        if own.model == MessageModel::Broadcasting {
                            subscribers.extend((own.from == ConsumeFrom::First).then(|| Member {
                                group: own.group.clone(),
                                subscriptions: own.subscriptions.clone(),
                                tries_max: None,
                                nodes: BTreeSet::from([id]),
                            }));
                            continue;
                        }
                        match groups.iter_mut().find(|group| group.group == own.group) {
                            Some(group) => {
                                group.nodes.insert(id);
                            }
                            None => groups.push(Member {
                                group: own.group.clone(),
                                subscriptions: own.subscriptions.clone(),
                                tries_max: u32::try_from(own.max_reconsume).ok().filter(|_| !own.orderly),
                                nodes: BTreeSet::from([id]),
                            }),
                        }
                    }
                }
                NodeKind::Nameserver => {}
            }
        }
        Debt {
            groups,
            subscribers,
            masters,
            calls: BTreeMap::new(),
            tasks: BTreeMap::new(),
            owed: BTreeMap::new(),
            consumed: BTreeSet::new(),
            handed: BTreeSet::new(),
            failed: BTreeMap::new(),
            undecided: BTreeSet::new(),
            last_call: Time::ZERO,
            sent: 0,
            listened: 0,
        }
    }

    /// Hears what happened.
    pub fn hear(&mut self, record: &Record) {
        let Some(node) = record.node else { return };
        let key = |number: u64| (node, record.incarnation, number);
        match &record.what {
            What::App(App::Called(call)) => match &**call {
                Call::Send { op, message, .. }
                | Call::SendBy { op, message, .. }
                | Call::SendInTransaction { op, message, .. } => {
                    self.last_call = record.at;
                    self.calls.insert(key(op.0), vec![message.clone()]);
                }
                Call::SendBatch { op, messages, .. } => {
                    self.last_call = record.at;
                    self.calls.insert(key(op.0), messages.to_vec());
                }
                Call::Listened { task, outcome } => self.listened(key(task.0), *outcome),
                _ => {}
            },
            What::App(App::Returned(answer)) => match &**answer {
                Return::Sent { op, result } => self.acknowledged(key(op.0), result, None),
                Return::SentInTransaction { op, result, state } => {
                    self.acknowledged(key(op.0), result, Some(*state));
                }
                Return::Failed { op, .. } => {
                    self.calls.remove(&key(op.0));
                }
                Return::Listen { task, group, messages, .. } => {
                    let ids = messages.iter().filter_map(|one| one.message.properties.get(names::UNIQ_KEY));
                    let ids: Vec<Name> = ids.map(|id| Name::from(&**id)).collect();
                    if self.subscribers.iter().any(|own| own.nodes.contains(&node)) {
                        self.handed.extend(ids.iter().map(|id| (node, id.clone())));
                    }
                    self.tasks.insert(key(task.0), (group.clone(), ids));
                }
                _ => {}
            },
            What::Machine(
                Machine::Killed
                | Machine::Exited
                | Machine::PowerLost { .. }
                | Machine::Panicked { .. }
                | Machine::BootFailed { .. },
            ) => {
                self.calls.retain(|(of, ..), _| *of != node);
                self.tasks.retain(|(of, ..), _| *of != node);
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, key: Key, result: &SendResult, state: Option<LocalState>) {
        let Some(messages) = self.calls.remove(&key) else { return };
        self.sent += 1;
        for (id, message) in result.msg_id.split(',').zip(&messages) {
            let id = Name::from(id);
            let held = Held {
                broker: result.queue.broker.clone(),
                topic: message.topic.clone(),
                properties: message.properties.clone(),
            };
            match state {
                Some(LocalState::Rollback) => continue,
                Some(LocalState::Unknown) => {
                    self.undecided.insert(id.clone());
                }
                Some(LocalState::Commit) | None => {}
            }
            self.owed.insert(id, held);
        }
    }

    fn listened(&mut self, key: Key, outcome: ConsumeOutcome) {
        let Some((group, ids)) = self.tasks.remove(&key) else { return };
        self.listened += 1;
        let done = outcome.done(ids.len());
        let tries_max = self.groups.iter().find(|own| own.group == group).and_then(|own| own.tries_max);
        for (at, id) in ids.into_iter().enumerate() {
            let key = (group.clone(), id);
            let failed = self.failed.entry(key.clone()).or_insert(0);
            *failed += u32::from(done <= at);
            // One that is given up becomes a dead letter.
            if at < done || tries_max.is_some_and(|most| most < *failed) {
                self.consumed.insert(key);
            }
        }
    }

    /// Whether applications were told of a send and of a delivery at all.
    pub fn has_traffic(&self) -> bool {
        0 < self.sent && (0 < self.listened || self.groups.is_empty())
    }

    /// Whether nothing is owed to anybody who is up by anybody who is up. An open end of a
    /// transaction counts until `patience`, what a process that broadcasts was not handed for a while more: until it must
    /// have found its brokers.
    pub fn is_settled(&self, world: &World, patience: Time) -> bool {
        let is_up = |node: NodeId| matches!(world.mood(node), Mood::Running);
        if !self.calls.is_empty() || !self.tasks.is_empty() || world.now() < self.last_call + SILENT {
            return false;
        }
        let wants = |group: &Member, held: &Held| {
            group.subscriptions.iter().any(|(topic, what)| *topic == held.topic && is_wanted(what, &held.properties))
        };
        self.owed.iter().all(|(id, held)| {
            let is_there = self.masters.get(&held.broker).is_some_and(|nodes| nodes.iter().any(|node| is_up(*node)));
            if !is_there || (self.undecided.contains(id) && patience <= world.now()) {
                return true;
            }
            let is_missed = |own: &Member| {
                wants(own, held)
                    && own.nodes.iter().any(|node| is_up(*node) && !self.handed.contains(&(*node, id.clone())))
            };
            if world.now() < patience + FINDS && self.subscribers.iter().any(is_missed) {
                return false;
            }
            self.groups.iter().all(|group| {
                !wants(group, held)
                    || self.consumed.contains(&(group.group.clone(), id.clone()))
                    || !group.nodes.iter().any(|node| is_up(*node))
            })
        })
    }
}

fn is_wanted(what: &MessageSelector, properties: &Properties) -> bool {
    let find = |name: &str| properties.get(name).map(|value| value.to_string());
    match what {
        MessageSelector::Tags(text) if **text == *"*" => true,
        MessageSelector::Tags(text) => text.split("||").any(|one| Some(one.trim()) == find(names::TAGS).as_deref()),
        MessageSelector::Sql(text) => Condition::read(text).is_none_or(|read| read.answer(&find) == Answer::Yes),
    }
}
