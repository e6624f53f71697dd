//! G32: every delivery of a message to a group beyond the first has a cause, and a cause explains no more than it can.
//!
//! ```text
//!  another copy of the message in its own topic        U1 its producer tried again · U11 a transaction was settled twice
//!                                                      U10 the broker delivered a delay again
//!  a copy under %RETRY%                                U4 a listener failed · U9 it held the message for too long
//!                                                      U8 given back twice · U10 the broker delivered a delay again
//!  the same record                                     U4 it failed and was tried again where it was
//!                                                      U5 its process died before the offset was kept
//!                                                      U6 the queue changed hands · U7 the broker forgot the offset
//!                                                      U12 an operator moved the group, or its own file is gone
//! ```
//!
//! Causes are tried in this order, and the first that suffices is the one. Judged from what outsiders saw: callbacks, deaths,
//! boots, faults, and the disks at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::lab::check::Judged;
use crate::lab::check::broadcast::keeps_place;
use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::history::{CopySeen, History};
use crate::lab::check::ids::{By, Id, Ids};
use crate::lab::check::letters::Delivery;
use crate::lab::check::signs::Place;
use crate::lab::fault::episode::FaultKind;
use crate::lab::fault::process::Service;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{MessageModel, SendMode};
use crate::mq::message::names::retry_topic;
use crate::mq::message::property::names;
use crate::mq::time::{Span, Time};

/// Why a message is delivered once more: a row of the table of causes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Cause {
    ProducerRetry = 1,
    ListenerFailed = 4,
    NotCommitted = 5,
    Moved = 6,
    OffsetLost = 7,
    GivenBackTwice = 8,
    TimedOut = 9,
    DelayFiredAgain = 10,
    SettledTwice = 11,
    Reset = 12,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U{}", *self as u8)
    }
}

/// Where a record lies: broker, topic, queue, offset.
type Spot<'a> = (&'a str, &'a str, i32, i64);

/// A message in one callback.
struct Handing<'a> {
    delivery: &'a Delivery,
    place: Spot<'a>,
    /// The message's number.
    id: Id,
    /// Whether the listener said that it is done.
    done: bool,
    in_transaction: bool,
    /// Whether it came out of the schedule topic.
    was_delayed: bool,
}

impl Handing<'_> {
    fn process(&self) -> (NodeId, u32) {
        (self.delivery.node, self.delivery.incarnation)
    }

    /// Whether it came out of a queue of that number, whoever's: frames do not name brokers.
    fn is_of(&self, place: &Place) -> bool {
        let (_, topic, queue, _) = self.place;
        (place.group.as_str(), place.topic.as_str(), place.queue) == (&*self.delivery.group, topic, queue)
    }

    /// When the listener said that this message failed.
    fn failed(&self) -> Option<Time> {
        let (_, at) = self.delivery.end.filter(|_| self.delivery.answer.is_some() && !self.done)?;
        Some(at)
    }

    /// When the listener said that it is done.
    fn ended(&self) -> Option<Time> {
        let (_, at) = self.delivery.end.filter(|_| self.done)?;
        Some(at)
    }
}

/// What happened around a group, as far as it moves queues and loses offsets.
struct Surroundings<'a> {
    history: &'a History,
    plan: &'a Plan,
    /// Moments after which queues may change hands.
    disturbed: Vec<Time>,
    /// When a node could not talk, whole or to somebody: from, to.
    silent: Vec<(NodeId, Time, Time)>,
    brokers: BTreeSet<NodeId>,
    /// How often a send of the plan is tried at most.
    attempts_max: usize,
    /// Whether a clean stop writes the delay cursors (K24).
    keeps_cursors: bool,
    /// Copies that wait in the schedule topic, or have, by message and the topic they are for; none where disks may have
    /// lost some.
    parked: BTreeMap<(Id, &'a str), usize>,
}

impl<'a> Surroundings<'a> {
    fn of(history: &'a History, plan: &'a Plan) -> Surroundings<'a> {
        // Who only sends moves no queues.
        let sends_only = |node: &NodeId| {
            plan.nodes
                .get(usize::from(node.0))
                .is_some_and(|node| matches!(&node.kind, NodeKind::Client(client) if client.consumers.is_empty()))
        };
        let deaths = history.deaths.iter().chain(&history.power_losses);
        let deaths = deaths.filter(|(node, ..)| !sends_only(node)).map(|(_, _, at)| *at);
        let boots = history.boots.iter().filter(|(node, _)| !sends_only(node)).map(|(_, at)| *at);
        let faults = history.faults.iter().map(|(at, _)| *at);
        let mut disturbed: Vec<Time> = deaths.chain(boots).chain(faults).collect();
        disturbed.sort_unstable();
        let (mut brokers, mut attempts_max) = (BTreeSet::new(), 1);
        for (number, node) in (0..).zip(&plan.nodes) {
            match &node.kind {
                NodeKind::Broker(_) => drop(brokers.insert(NodeId(number))),
                NodeKind::Client(client) => {
                    let tries = client.producers.iter().map(|producer| 1 + producer.retries as usize).max();
                    attempts_max = attempts_max.max(tries.unwrap_or(1));
                }
                NodeKind::Nameserver => {}
            }
        }
        // What is sent with a callback is counted apart, and no plan sets that number.
        let mut manners = history.signs.sends.iter().filter_map(|(_, (.., by))| by.as_ref());
        if manners.any(|by| by.mode == SendMode::Async) {
            attempts_max = attempts_max.max(ASYNC_ATTEMPTS);
        }
        let silent = silences(history, plan, &brokers);
        let keeps_cursors = plan.profile.fixes("K24");
        let mut parked = BTreeMap::new();
        let is_whole = history.power_losses.is_empty() && history.sick.count() == 0;
        for CopySeen { id, record: copy, .. } in
            history.copies_seen().filter(|copy| is_whole && *copy.record.topic == *SCHEDULE_TOPIC)
        {
            if let (Some(id), Some(topic)) = (id, copy.properties.get(names::REAL_TOPIC)) {
                *parked.entry((id, topic)).or_insert(0) += 1;
            }
        }
        Surroundings { history, plan, disturbed, silent, brokers, attempts_max, keeps_cursors, parked }
    }

    /// When a process died between two moments, by kill, exit or without power.
    fn death_of(&self, node: NodeId, from: Time, to: Time) -> Option<Time> {
        let all = self.history.deaths.iter().chain(&self.history.power_losses);
        all.filter(|(dead, _, at)| *dead == node && from <= *at && *at <= to).map(|(_, _, at)| *at).min()
    }

    fn power_lost(&self, from: Time, to: Time) -> bool {
        let mut all = self.history.power_losses.iter();
        all.any(|(node, _, at)| self.brokers.contains(node) && from <= *at && *at <= to)
    }

    /// How often brokers have died before a moment. A clean stop that writes how far the levels have come is no death, except
    /// behind a failed sync: a repaired broker's cursors wait for the copies, which are not forced any more (K03).
    fn broker_deaths(&self, before: Time) -> usize {
        let all = self.history.deaths.iter().chain(&self.history.power_losses);
        let forgets = |node: NodeId, at: Time| {
            !self.keeps_cursors || !self.history.exits.contains(&(node, at)) || self.history.sick.is_sick(node, at)
        };
        all.filter(|(node, _, at)| self.brokers.contains(node) && *at <= before && forgets(*node, *at)).count()
    }

    fn broker_death(&self, from: Time, to: Time) -> Option<Time> {
        self.brokers.iter().filter_map(|broker| self.death_of(*broker, from, to)).min()
    }

    /// Whether an operator moved the group between a handing and a moment, or its machine lost the file of its offsets.
    fn is_reset(&self, handing: &Handing<'a>, by: Time) -> bool {
        let Delivery { group, queue, at, node, .. } = handing.delivery;
        let is_between = |moment: Time| *at <= moment && moment <= by;
        let mut resets = self.history.resets.seen.iter();
        resets.any(|reset| reset.group == *group && reset.topic == queue.topic && is_between(reset.at))
            || self.history.power_losses.iter().any(|(lost, _, moment)| lost == node && is_between(*moment))
    }

    /// Whether the process that was handed a record had overwritten the file of its places when it took the queue over.
    fn begins_anew(&self, next: &Handing<'a>) -> bool {
        let Delivery { group, queue, at, node, .. } = next.delivery;
        let boots = self.history.boots.iter().filter(|(booted, boot)| booted == node && boot <= at);
        let boot = boots.map(|(_, boot)| *boot).max().unwrap_or(Time::ZERO);
        !keeps_place(self.history, self.plan, (*node, group), queue, boot)
    }

    /// Whether queues may change hands at a moment, or back into the same ones: somebody came, went, or was kept from talking.
    fn may_move(&self, at: Time) -> bool {
        let settles = |since: Time| if since < FIRST_BOOTS { BEGINS } else { SETTLES };
        self.disturbed.iter().any(|since| *since <= at && at <= *since + settles(*since))
    }

    /// Whether something happened between two moments after which queues move.
    fn is_disturbed(&self, from: Time, to: Time) -> bool {
        self.disturbed.iter().any(|at| from <= *at && *at <= to)
    }

    /// Whether what a listener had done may not have reached the broker by `by`: the offset that is committed is the lowest
    /// that is not done, goes out every five seconds, and arrives only where somebody listens.
    fn uncommitted(&self, handing: &Handing<'a>, by: Time) -> bool {
        let Some(ended) = handing.ended() else { return true };
        if self.has_said_goodbye(handing, ended, by) {
            return self.is_held_back(handing, by);
        }
        let own = self.history.boots.iter().filter(|(node, at)| *node == handing.delivery.node && *at <= ended);
        let boot = own.map(|(_, at)| *at).max().unwrap_or(Time::ZERO);
        if by <= ended + COMMITS || by <= boot + FIRST_COMMIT {
            return true;
        }
        self.speechless(handing.delivery.node).any(|(from, to)| from <= ended + COMMITS && by <= to + COMMITS)
            || self.is_held_back(handing, by)
    }

    /// Whether a process that went on with the queue afterwards stopped cleanly, with nothing between it and its brokers: it
    /// has said how far it came.
    fn has_said_goodbye(&self, handing: &Handing<'a>, ended: Time, by: Time) -> bool {
        let node = handing.delivery.node;
        let talks = |at: Time| !self.speechless(node).any(|(from, to)| from <= at + FAREWELL && at <= to + COMMITS);
        let mut exits = self.history.exits.iter().filter(|(exited, _)| *exited == node).map(|(_, at)| *at);
        exits.any(|at| ended + SECOND <= at && at <= by && talks(at) && !self.was_the_last(handing, at))
    }

    /// When a node had nobody to talk to, one silence that runs into the next told as one.
    fn speechless(&self, node: NodeId) -> impl Iterator<Item = (Time, Time)> {
        let own = self.silent.iter().filter(|(silent, ..)| *silent == node || self.brokers.contains(silent));
        let mut all: Vec<(Time, Time)> = own.map(|(_, from, to)| (*from, *to)).collect();
        all.sort_unstable();
        let mut joined: Vec<(Time, Time)> = Vec::new();
        for (from, to) in all {
            match joined.last_mut() {
                Some((_, last)) if from <= *last + COMMITS => *last = to.max(*last),
                _ => joined.push((from, to)),
            }
        }
        joined.into_iter()
    }

    /// Whether its process was handed nothing more of the queue between its end and a moment: then the queue may have gone
    /// while it was consumed, and what is done behind that is not committed.
    fn was_the_last(&self, handing: &Handing<'a>, by: Time) -> bool {
        let Some(ended) = handing.ended() else { return true };
        self.of_queue(handing, handing.process()).all(|other| other.at <= ended || by <= other.at)
    }

    /// Whether a lower message of the same process was not done by then: the offset stood in front of it.
    fn is_held_back(&self, handing: &Handing<'_>, by: Time) -> bool {
        let (.., offset) = handing.place;
        self.of_queue(handing, handing.process()).any(|other| {
            let is_lower = other.brief.iter().any(|message| message.offset < offset);
            is_lower && other.at <= by && other.end.is_none_or(|(_, end)| by <= end + COMMITS)
        })
    }

    /// What a process was handed of the queue of a handing.
    fn of_queue(&self, handing: &Handing<'a>, process: (NodeId, u32)) -> impl Iterator<Item = &'a Delivery> {
        let all = self.history.of_lane(handing.delivery);
        all.filter(move |other| (other.node, other.incarnation) == process)
    }

    /// Whether the process that hands a record out again read it from a slave, which hears of its master's offsets once a minute:
    /// while the master is away, a new owner goes on from what the slave has heard.
    fn asked_a_slave(&self, before: &Handing<'a>, next: &Handing<'a>) -> bool {
        let (.., offset) = next.place;
        let is_slave = |node: NodeId| self.history.slaves.iter().any(|(_, slave)| slave.node == node);
        self.history.signs.pulls.iter().any(|asked| {
            asked.from == next.delivery.node
                && is_slave(asked.broker)
                && before.delivery.at <= asked.at
                && asked.at <= next.delivery.at
                && before.ended().is_none_or(|ended| asked.at <= ended + SLAVE_HEARS)
                && asked.offset <= offset
                && next.is_of(&asked.place)
        })
    }

    /// Whether somebody who had the queue before wrote his place over a later one before it was begun with again: the broker
    /// takes what it is told (K14), and whether that may be is G30's question.
    fn was_taken_back(&self, before: &Handing<'a>, next: &Handing<'a>, began: Time) -> bool {
        let (.., offset) = next.place;
        let Some(ended) = before.ended() else { return true };
        self.history.signs.commits.iter().any(|commit| {
            ended <= commit.at
                && commit.at <= began
                && commit.value <= offset
                && commit.from != before.delivery.node
                && next.is_of(&commit.place)
        })
    }

    /// When the process that hands a record out again began to read its queue from there or before.
    fn began_again(&self, before: &Handing<'a>, next: &Handing<'a>) -> Time {
        let (.., offset) = next.place;
        let steps_back = |other: &&Delivery| {
            before.delivery.seq < other.seq && other.brief.iter().any(|message| message.offset <= offset)
        };
        let first = self.of_queue(next, next.process()).find(steps_back);
        let began = first.map_or(next.delivery.at, |first| first.at);
        // It may have learned where to go on before it fell silent, and a pull that was lost is only then sent again.
        let silent = self.speechless(next.delivery.node).find(|(from, to)| *from <= began && began <= *to + LOST_PULL);
        silent.map_or(began, |(from, _)| from)
    }
}

/// When nodes could not talk: frozen, cut off, delayed, and brokers that were down.
fn silences(history: &History, plan: &Plan, brokers: &BTreeSet<NodeId>) -> Vec<(NodeId, Time, Time)> {
    let number = |name: &str| (0..).zip(&plan.nodes).find(|(_, node)| node.name == *name).map(|(at, _)| NodeId(at));
    let paused = history.pauses.iter().map(|(node, from, to)| (*node, *from, to.unwrap_or(history.end)));
    let mut silent: Vec<(NodeId, Time, Time)> = paused.collect();
    // Of a replication that stands still no client hears anything.
    let is_heard = |kind: &FaultKind| !matches!(kind, FaultKind::PauseService { service: Service::Ha, .. });
    for episode in plan.episodes.iter().filter(|episode| is_heard(&episode.kind)) {
        // The first is its beginning, the second its end.
        let Some((at, _)) = history.faults.iter().find(|(_, name)| *name == episode.name) else { continue };
        let ends = episode.lasts.map_or(history.end, |lasts| *at + lasts);
        for name in episode.kind.hinders() {
            match &*name {
                "*" => silent.extend((0..plan.nodes.len()).map(|node| (NodeId(node as u16), *at, ends))),
                name => silent.extend(number(name).map(|node| (node, *at, ends))),
            }
        }
    }
    for (node, _, at) in history.deaths.iter().chain(&history.power_losses).filter(|(node, ..)| brokers.contains(node))
    {
        let back = history.boots.iter().filter(|(booted, boot)| booted == node && at < boot).map(|(_, boot)| *boot);
        silent.push((*node, *at, back.min().unwrap_or(history.end)));
    }
    silent
}

/// The handings of one message to one group, with what explained the extra ones.
struct Account<'a> {
    handings: Vec<Handing<'a>>,
    /// Failures that have explained a delivery.
    spent: BTreeSet<(Seq, Spot<'a>)>,
    /// How many more each of them has explained.
    forks: BTreeMap<(Seq, Spot<'a>), u32>,
    /// Whether the group is one process and keeps its own offsets.
    broadcasts: bool,
}

impl<'a> Account<'a> {
    /// A failure before a moment that has explained nothing yet.
    fn failure(&mut self, before: Time, only: impl Fn(&Handing<'a>) -> bool) -> bool {
        let fits = |handing: &&Handing<'a>| {
            handing.failed().is_some_and(|at| at <= before)
                && only(handing)
                && !self.spent.contains(&(handing.delivery.seq, handing.place))
        };
        let Some(found) = self.handings.iter().find(fits) else { return false };
        self.spent.insert((found.delivery.seq, found.place))
    }

    /// The cause of one more delivery.
    fn cause(&mut self, next: &Handing<'a>, around: &Surroundings<'a>, retry: &str) -> Option<Cause> {
        let at = next.delivery.at;
        let (_, topic, ..) = next.place;
        if self.handings.iter().any(|handing| handing.place == next.place) {
            return self.again(next, around);
        }
        if topic != retry {
            let places: BTreeSet<&Spot<'_>> = self.handings.iter().map(|handing| &handing.place).collect();
            let copies = places.into_iter().filter(|(_, topic, ..)| *topic != retry).count();
            if next.in_transaction {
                return Some(Cause::SettledTwice);
            }
            // What its producer tried is parked once a try.
            let parked = next.was_delayed.then(|| around.parked.get(&(next.id, topic))).flatten();
            let attempts_max = parked.map_or(around.attempts_max, |parked| around.attempts_max.min(*parked));
            if copies < attempts_max {
                return Some(Cause::ProducerRetry);
            }
            // How far a level has come is written every ten seconds: a broker that comes back delivers again what came due
            // since, each copy once a life. Both copies may be handed out after that, so the first handing tells nothing.
            let lives = 1 + around.broker_deaths(at);
            return (next.was_delayed && copies < attempts_max * lives).then_some(Cause::DelayFiredAgain);
        }
        if self.failure(at, |_| true) {
            return Some(Cause::ListenerFailed);
        }
        let held = |handing: &Handing<'_>| handing.delivery.at + CONSUME_TIMEOUT <= at;
        let mut late = self.handings.iter().filter(|handing| held(handing));
        if late.any(|handing| handing.delivery.end.is_none_or(|(_, end)| handing.delivery.at + CONSUME_TIMEOUT <= end))
        {
            return Some(Cause::TimedOut);
        }
        // Given back, and because that had no answer sent by the client, too, whose own producer tries three times.
        if let Some(cause) = self.fork(around) {
            return Some(cause);
        }
        let first = self.handings.iter().filter_map(Handing::failed).min()?;
        around.broker_death(first, at).map(|_| Cause::DelayFiredAgain)
    }

    /// The cause of one more copy of a failure that has explained one already.
    fn fork(&mut self, around: &Surroundings<'_>) -> Option<Cause> {
        for handing in &self.handings {
            let Some(failed) = handing.failed() else { continue };
            let since = Time(failed.0.saturating_sub(SETTLES.0)).max(FIRST_BOOTS);
            let forks = self.forks.entry((handing.delivery.seq, handing.place)).or_insert(0);
            if *forks < FALLBACK_ATTEMPTS && around.is_disturbed(since, failed + CALL) {
                *forks += 1;
                return Some(if *forks == 1 { Cause::GivenBackTwice } else { Cause::ProducerRetry });
            }
        }
        None
    }

    /// The cause of one more delivery of the same record.
    fn again(&mut self, next: &Handing<'a>, around: &Surroundings<'a>) -> Option<Cause> {
        let at = next.delivery.at;
        if self.failure(at, |handing| handing.place == next.place && handing.process() == next.process()) {
            return Some(Cause::ListenerFailed);
        }
        let before = self.handings.iter().rfind(|handing| handing.place == next.place)?;
        let (since, began) = (before.delivery.at, around.began_again(before, next));
        let is_other = before.process() != next.process();
        if around.is_reset(before, at) {
            return Some(Cause::Reset);
        }
        if let Some(death) = around.death_of(before.delivery.node, since, at)
            && is_other
            && around.uncommitted(before, death)
        {
            return Some(Cause::NotCommitted);
        }
        if !around.may_move(began) {
            return around.history.roles.is_doubled(next.place.0).then_some(Cause::OffsetLost);
        }
        if around.uncommitted(before, began) || around.was_the_last(before, began) {
            return Some(Cause::Moved);
        }
        // The file that a broadcasting consumer writes every five seconds holds the queues of that moment: one that was gone
        // from its route and comes back is read from the group's beginning. Source: `LocalFileOffsetStore.persistAll`.
        if self.broadcasts && !is_other && before.delivery.at + COMMITS <= began {
            return Some(Cause::Reset);
        }
        if self.broadcasts && is_other && around.begins_anew(next) {
            return Some(Cause::Reset);
        }
        // The broker keeps offsets in memory and writes them every five seconds; power takes the file with it.
        let forgot = around.broker_death(since, at).is_some_and(|death| {
            around.power_lost(since, at) || before.ended().is_none_or(|ended| death <= ended + PERSISTS)
        });
        let went_back = || around.asked_a_slave(before, next) || around.was_taken_back(before, next, began);
        // The other master of its name keeps other places.
        let is_doubled = around.history.roles.is_doubled(next.place.0);
        (forgot || went_back() || is_doubled).then_some(Cause::OffsetLost)
    }
}

/// Every delivery beyond the first has a cause.
pub(super) fn explained(history: &History, plan: &Plan) -> Judged {
    let around = Surroundings::of(history, plan);
    // In broadcasting every process has a copy of its own.
    let broadcasts: BTreeSet<&str> = plan
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Client(client) => Some(&client.consumers),
            _ => None,
        })
        .flatten()
        .filter(|consumer| consumer.model == MessageModel::Broadcasting)
        .map(|consumer| consumer.group.as_str())
        .collect();
    let owner = |delivery: &'_ Delivery| broadcasts.contains(&*delivery.group).then_some(delivery.node);
    // What was handed over, and what of that once more: the rest has nothing to explain.
    let mut handed: By<(&str, Option<NodeId>), (Ids, Ids)> = By::default();
    for delivery in &history.deliveries {
        let (once, again) = handed.entry((&delivery.group, owner(delivery))).or_default();
        for id in delivery.ids() {
            if !once.insert(id) {
                again.insert(id);
            }
        }
    }
    let mut accounts: By<(&str, Option<NodeId>, Id), Account<'_>> = By::default();
    let mut causes: BTreeMap<Cause, usize> = BTreeMap::new();
    let mut total = 0;
    for delivery in &history.deliveries {
        let done = delivery.done();
        let owner = owner(delivery);
        let (_, again) = &handed[&(&*delivery.group, owner)];
        for (number, brief) in delivery.brief.iter().enumerate() {
            let Some(id) = brief.id else { continue };
            total += 1;
            if !again.contains(id) {
                continue;
            }
            let (queue, properties) = (&delivery.queue, &delivery.messages[number].message.properties);
            let handing = Handing {
                delivery,
                place: (&queue.broker, &queue.topic, queue.queue_id, brief.offset),
                id,
                done: number < done,
                in_transaction: properties.get(names::TRAN_MSG).is_some(),
                was_delayed: properties.get(names::REAL_TOPIC).is_some(),
            };
            let account = accounts.entry((&delivery.group, owner, id)).or_insert_with(|| Account {
                handings: Vec::new(),
                spent: BTreeSet::new(),
                forks: BTreeMap::new(),
                broadcasts: owner.is_some(),
            });
            if !account.handings.is_empty() {
                let Some(cause) = account.cause(&handing, &around, &retry_topic(&delivery.group)) else {
                    return unexplained(history, account, &handing);
                };
                *causes.entry(cause).or_insert(0) += 1;
            }
            account.handings.push(handing);
        }
    }
    if total == 0 {
        return Judged::inconclusive("nothing was delivered", "没有任何投递");
    }
    let extra: usize = causes.values().sum();
    let told: Vec<String> = causes.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
    Judged::pass(
        format!("{total} deliveries, {extra} of them once more{told}"),
        format!("共投递 {total} 次，其中重复 {extra} 次{told}"),
    )
}

fn unexplained(history: &History, account: &Account<'_>, next: &Handing<'_>) -> Judged {
    let (broker, topic, queue, offset) = next.place;
    let key = next.delivery.numbered().find(|(id, _)| *id == Some(next.id));
    let key = key.and_then(|(_, message)| message.message.properties.get(names::KEYS));
    let key = key.map_or(history.key(next.id), |key| key.as_str());
    let group = &next.delivery.group;
    let seqs = account.handings.iter().map(|handing| handing.delivery.seq).chain([next.delivery.seq]).collect();
    Judged::violation(
        "unexplained",
        seqs,
        format!(
            "{key} was delivered to {group} once more, from {topic}/{queue} #{offset} of {broker}, and nothing explains it"
        ),
        format!("{key} 又一次投递给 {group}（{broker} 的 {topic}/{queue} #{offset}），找不到原因"),
    )
}

/// A stop begins so long before its end where nothing is in its way.
const SECOND: Span = Span::from_secs(1);
/// What a client that stops takes for its farewells.
const FAREWELL: Span = Span::from_secs(4);
/// Offsets go to the broker every five seconds, and a little later they are there. Source:
/// `ClientConfig.persistConsumerOffsetInterval`.
const COMMITS: Span = Span::from_secs(7);
/// A process writes offsets ten seconds after its start for the first time. Source: `MQClientInstance.startScheduledTask`.
const FIRST_COMMIT: Span = Span::from_secs(12);
/// A broker's offsets reach its file every five seconds, first after ten. Source: `BrokerController.initialize`.
const PERSISTS: Span = Span::from_secs(20);
/// Source: `BrokerController.start`: `SlaveSynchronize.syncAll` once a minute, ten seconds after the start at first.
const SLAVE_HEARS: Span = Span::from_secs(80);
/// How long queues may go on moving: a connection that is idle for two minutes, then a rebalance, then a held pull.
const SETTLES: Span = Span::from_secs(240);
/// How long they move at the beginning, when nobody has been lost: three rebalances.
const BEGINS: Span = Span::from_secs(60);
/// Source: `DefaultMQPushConsumer.consumeTimeout`.
const CONSUME_TIMEOUT: Span = Span::from_secs(15 * 60);
/// A pull without an answer is given up after 30 s and sent again after 3 s. Source:
/// `DefaultMQPushConsumerImpl.CONSUMER_TIMEOUT_MILLIS_WHEN_SUSPEND`, `PULL_TIME_DELAY_MILLS_WHEN_EXCEPTION`.
const LOST_PULL: Span = Span::from_secs(35);
/// All machines boot within this, at the beginning.
const FIRST_BOOTS: Time = Time(1_000_000_000);
/// Attempts of the client's own producer, where the call that gives a message back has failed.
///
/// Source: `DefaultMQProducer.retryTimesWhenSendFailed`.
const FALLBACK_ATTEMPTS: u32 = 3;
/// A call that gives a message back is given up after this. Source: `ConsumeMessageConcurrentlyService.sendMessageBack`.
const CALL: Span = Span::from_secs(10);
/// Attempts of a send with a callback. Source: `DefaultMQProducer.retryTimesWhenSendAsyncFailed`.
const ASYNC_ATTEMPTS: usize = 3;
