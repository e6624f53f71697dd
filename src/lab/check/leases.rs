//! Leases of queues as the road showed them: who asked for which lock, what was answered, who let go.
//!
//! ```text
//!  asked ─▶ at the broker ─▶ answered ─▶ at the client      granted: its lease runs from somewhere between the two arrivals
//!                                                           refused: another's lease runs, and the client has been told
//! ```
//!
//! What is read from this is certain on either side: a lease began when it was asked for at the earliest, and was given to
//! another when that one had its answer at the latest.

use std::collections::BTreeMap;

use crate::lab::check::history::History;
use crate::lab::check::letters::Delivery;
use crate::lab::check::signs::{self, Place};
use crate::lab::oracle::frame;
use crate::lab::oracle::json::Json;
use crate::lab::trace::record::{NodeId, Record, Road, Seq, What};
use crate::lab::trace::wire::Wire;
use crate::mq::message::{Group, Topic};
use crate::mq::time::{Span, Time};

/// A queue for which a member asked, and what it was told.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// Who.
    pub from: NodeId,
    /// Its process.
    pub incarnation: u32,
    /// Which broker.
    pub broker: NodeId,
    /// Which queue.
    pub place: Place,
    /// When the question came to the broker.
    pub asked: (Seq, Time),
    /// When the answer came to the client.
    pub answered: (Seq, Time),
    /// Whether it was granted.
    pub is_granted: bool,
    /// Whether the client still waited for the answer.
    pub in_time: bool,
}

/// A question that has no answer yet.
#[derive(Debug)]
struct Open {
    sent: Option<Time>,
    asked: (Seq, Time),
    places: Vec<Place>,
}

/// Names a conversation: client, broker, the request's number.
type Talk = (NodeId, NodeId, i32);

/// All of that, in the order of the answers.
#[derive(Debug, Default)]
pub struct Leases {
    /// Answered questions.
    pub asked: Vec<Asked>,
    /// Clients that let some of a group's queues go, when that came to which broker.
    pub let_go: Vec<(NodeId, NodeId, Time)>,
    sent: BTreeMap<Talk, Time>,
    open: BTreeMap<Talk, Open>,
}

impl Leases {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        let here = (record.seq, record.at);
        match &record.what {
            What::Road(Road::Sent { to, frame, .. }) if frame.code == LOCK_BATCH_MQ && frame.flag & 1 == 0 => {
                self.sent.insert((node, *to, frame.opaque), record.at);
            }
            What::Road(Road::Arrived { from, frame, .. }) => match (frame.flag & 1 == 1, frame.code) {
                (false, UNLOCK_BATCH_MQ) => self.let_go.push((*from, node, record.at)),
                (false, LOCK_BATCH_MQ) => {
                    let talk = (*from, node, frame.opaque);
                    let Some(places) = frame.wire.as_ref().and_then(wished) else { return };
                    self.open.insert(talk, Open { sent: self.sent.remove(&talk), asked: here, places });
                }
                (true, SUCCESS) => {
                    let Some(open) = self.open.remove(&(node, *from, frame.opaque)) else { return };
                    let Some(granted) = frame.wire.as_ref().and_then(granted) else { return };
                    let in_time = open.sent.is_some_and(|sent| record.at < sent + PATIENCE);
                    self.asked.extend(open.places.into_iter().map(|place| Asked {
                        from: node,
                        incarnation: record.incarnation,
                        broker: *from,
                        is_granted: granted.contains(&(place.topic.clone(), place.queue)),
                        place,
                        asked: open.asked,
                        answered: here,
                        in_time,
                    }));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// What was answered about a queue.
    fn of<'a>(&'a self, broker: NodeId, place: &'a Place) -> impl DoubleEndedIterator<Item = &'a Asked> {
        self.asked.iter().filter(move |one| one.broker == broker && one.place == *place)
    }
}

/// A lock that was granted while another's lease ran: whose lease, and who was given it.
///
/// Where the broker ended, or a clock was set, nobody can say how old a lease was there.
pub(super) fn granted_twice(history: &History) -> Option<(&Asked, &Asked)> {
    let leases = &history.leases;
    leases.asked.iter().filter(|next| next.is_granted).find_map(|next| {
        let before = |one: &&Asked| one.is_granted && one.answered.0 < next.asked.0;
        let held = leases.of(next.broker, &next.place).rev().find(before)?;
        let (from, to) = (held.asked.1, next.answered.1);
        let let_go = leases.let_go.iter().any(|(client, broker, at)| {
            (*client, *broker) == (held.from, held.broker) && from <= *at + PATIENCE && *at <= to
        });
        let is_live = to < from + LEASE && held.from != next.from;
        let forgot = history.deaths.iter().chain(&history.power_losses).any(|(node, ..)| *node == next.broker);
        let is_timed = history.clock_steps.iter().any(|(node, _)| *node == next.broker);
        (is_live && !let_go && !forgot && !is_timed).then_some((held, next))
    })
}

/// The answer that refused a queue to the process that is handed a batch of it, if that is the last that it heard.
pub(super) fn refused<'a>(history: &'a History, broker: NodeId, delivery: &Delivery) -> Option<&'a Asked> {
    let place = place_of(delivery);
    let process = (delivery.node, delivery.incarnation);
    let is_its = |one: &&Asked| (one.from, one.incarnation) == process && one.answered.0 < delivery.seq;
    let last =
        history.leases.asked.iter().rev().filter(|one| one.broker == broker && one.place == place).find(is_its)?;
    // The thread that asked may not have had its turn yet.
    let is_held = history.pauses.iter().any(|(node, from, to)| {
        *node == delivery.node && *from <= delivery.at && to.is_none_or(|to| last.answered.1 <= to + SINKS_IN)
    });
    let is_old = last.answered.1 + SINKS_IN <= delivery.at;
    (!last.is_granted && last.in_time && is_old && !is_held).then_some(last)
}

fn place_of(delivery: &Delivery) -> Place {
    let queue = &delivery.queue;
    Place { group: delivery.group.clone(), topic: queue.topic.clone(), queue: queue.queue_id }
}

/// Where a member of an ordered group began to read behind what the group had committed when its lock was granted: the lock,
/// the place it should have begun from, the pull. Only where nothing else moves the group.
pub(super) fn began_before(history: &History, broker: NodeId, place: &Place) -> Option<(Seq, i64, Seq, i64)> {
    let seen = &history.signs;
    let is_moved = history.resets.seen.iter().any(|reset| *reset.group == *place.group);
    let clients: Vec<NodeId> = history.leases.of(broker, place).map(|one| one.from).collect();
    if is_moved || seen.moved.iter().any(|(client, _)| clients.contains(client)) {
        return None;
    }
    let mut own = seen.pulls.iter().filter(|pull| pull.broker == broker && pull.place == *place);
    let commits: Vec<_> = seen.commits.iter().filter(|one| one.broker == broker && one.place == *place).collect();
    own.find_map(|pull| {
        let lock = history.leases.of(broker, place).rev().find(|one| one.is_granted && one.answered.0 < pull.sent)?;
        if lock.from != pull.from || !begins(history, pull) {
            return None;
        }
        let at = commits.partition_point(|one| one.seq < lock.asked.0);
        let last = commits[..at].last()?;
        let goes_back = commits[at..].iter().any(|one| one.seq < pull.seq && one.value <= pull.offset);
        let shaken = |at: Time| last.at <= at && at <= pull.at;
        let ended = |(node, _, at): &(NodeId, Seq, Time)| *node == broker && shaken(*at);
        let is_down = history.deaths.iter().chain(&history.power_losses).any(ended);
        let paused = history.pauses.iter().any(|(node, from, to)| {
            [broker, pull.from].contains(node) && *from <= pull.at && to.is_none_or(|to| last.at <= to)
        });
        let is_behind = 0 <= pull.offset && pull.offset < last.value;
        (is_behind && !goes_back && !is_down && !paused).then_some((lock.asked.0, last.value, pull.seq, pull.offset))
    })
}

/// Whether a pull is its process's first of the queue: one that has read it before may hold on to where it was.
fn begins(history: &History, pull: &signs::Asked) -> bool {
    let boots = history.boots.iter().filter(|(node, at)| *node == pull.from && *at <= pull.at);
    let boot = boots.map(|(_, at)| *at).max().unwrap_or(Time::ZERO);
    let mut earlier = history.signs.pulls.iter().filter(|one| (one.from, one.broker) == (pull.from, pull.broker));
    !earlier.any(|one| one.place == pull.place && boot <= one.at && one.seq < pull.seq)
}

fn wished(wire: &Wire) -> Option<Vec<Place>> {
    let json = body(wire)?;
    let group = Group::from(json.get("consumerGroup")?.text()?);
    let queues = queues(json.get("mqSet")?);
    Some(queues.into_iter().map(|(topic, queue)| Place { group: group.clone(), topic, queue }).collect())
}

fn granted(wire: &Wire) -> Option<Vec<(Topic, i32)>> {
    Some(queues(body(wire)?.get("lockOKMQSet")?))
}

fn body(wire: &Wire) -> Option<Json> {
    let bytes = wire.bytes();
    Json::parse(frame::body(&bytes)?).ok()
}

fn queues(list: &Json) -> Vec<(Topic, i32)> {
    let read = |one: &Json| {
        let queue = i32::try_from(one.get("queueId")?.int()?).ok()?;
        Some((Topic::from(one.get("topic")?.text()?), queue))
    };
    match list {
        Json::List(items) => items.iter().filter_map(read).collect(),
        _ => Vec::new(),
    }
}

/// Source: `RequestCode`.
const LOCK_BATCH_MQ: i32 = 41;
/// Source: `RequestCode`.
const UNLOCK_BATCH_MQ: i32 = 42;
/// Source: `RemotingSysResponseCode`.
const SUCCESS: i32 = 0;
/// How long a client waits for an answer. Source: `RebalanceImpl.lock`, `lockAll`.
const PATIENCE: Span = Span::from_secs(1);
/// Source: `RebalanceLockManager.REBALANCE_LOCK_MAX_LIVE_TIME`.
const LEASE: Span = Span::from_secs(60);
/// Until what a client has heard is known to all its threads.
const SINKS_IN: Span = Span::from_millis(500);
