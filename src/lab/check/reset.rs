//! G34: a group that was moved goes on where it was moved to.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::delivery::GRACE;
use crate::lab::check::history::History;
use crate::lab::check::letters::Delivery;
use crate::lab::check::scene::Scene;
use crate::lab::check::signs::Asked;
use crate::lab::check::start::{Copy, copies};
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{App, NodeId, Record, Seq, What};
use crate::mq::app::{AdminAnswer, AdminCall, Call, ResetTo, Return};
use crate::mq::message::{Group, MessageQueue, Topic};
use crate::mq::time::{Span, Time};

/// Groups that operators moved, in the order of their calls.
#[derive(Debug, Default)]
pub struct Resets {
    /// Each of them.
    pub seen: Vec<ResetSeen>,
    /// Calls that have not returned, by node, incarnation and operation.
    open: BTreeMap<(NodeId, u32, u64), usize>,
}

/// A group that an operator moved.
#[derive(Debug)]
pub struct ResetSeen {
    /// The call.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// The group.
    pub group: Group,
    /// The topic.
    pub topic: Topic,
    /// Where to: the moment, ms, where it is one.
    pub to: Option<i64>,
    /// The answer, if it was no refusal.
    pub told: Option<Told>,
}

/// What brokers answer to an operator who moves a group.
#[derive(Debug)]
pub struct Told {
    /// The return.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Where each queue is to go on.
    pub offsets: Vec<(MessageQueue, i64)>,
    /// Whether the brokers' tables were changed, which members that are up write over.
    pub in_table: bool,
}

impl Resets {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        let key = |op: u64| (node, record.incarnation, op);
        match &record.what {
            What::App(App::Called(call)) => {
                if let Call::Admin { op, what: AdminCall::ResetOffset { group, topic, to, .. } } = &**call {
                    self.open.insert(key(op.0), self.seen.len());
                    let (seq, at, group, topic) = (record.seq, record.at, group.clone(), topic.clone());
                    let to = if let ResetTo::At(moment @ 0..) = to { Some(*moment) } else { None };
                    self.seen.push(ResetSeen { seq, at, group, topic, to, told: None });
                }
            }
            What::App(App::Returned(answer)) => {
                let Return::Administered { op, what } = &**answer else { return };
                let (offsets, in_table) = match what {
                    AdminAnswer::Offsets(offsets) => (offsets.clone(), false),
                    AdminAnswer::Rollback(rows) => {
                        (rows.iter().map(|row| (row.queue.clone(), row.rollback_offset)).collect(), true)
                    }
                    _ => return,
                };
                if let Some(place) = self.open.remove(&key(op.0)) {
                    let (seq, at) = (record.seq, record.at);
                    self.seen[place].told = Some(Told { seq, at, offsets, in_table });
                }
            }
            _ => {}
        }
    }

    /// Whether a group was moved past this place of a queue, so that what lies before it is nobody's any more.
    ///
    /// A move that was not answered as a whole may have been taken at one broker and not at another: where it led to nobody
    /// knows, and what was there before it is owed to nobody.
    pub fn passed_over(
        &self,
        group: &str,
        (topic, broker, queue_id): (&str, &str, i32),
        (offset, at): (i64, Time),
    ) -> bool {
        let is_it = |reset: &&ResetSeen| reset.group == *group && reset.topic == *topic;
        if self.seen.iter().filter(is_it).any(|reset| reset.told.is_none() && at <= reset.at) {
            return true;
        }
        let told = self.seen.iter().filter(|reset| reset.group == *group).filter_map(|reset| reset.told.as_ref());
        told.flat_map(|told| &told.offsets).any(|(queue, place)| {
            queue.topic == *topic && queue.broker == *broker && queue.queue_id == queue_id && offset < *place
        })
    }
}

/// After an acknowledged move every message at or behind the place is handed out, again if need be, and nothing before it.
///
/// Members wait for ten seconds, then queues are shared out anew and pulled: that is given a minute more. What was under way
/// until then may lie on either side. Only the last move of a group in a topic is judged, and only if a member is up.
pub(super) fn reset_conformance(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let (mut places, mut pending, mut known) = (0, 0, None);
    for (at, reset) in history.resets.seen.iter().enumerate() {
        let Some(Told { seq, at: told, offsets, in_table: false }) = &reset.told else { continue };
        let again = |later: &ResetSeen| later.group == reset.group && later.topic == reset.topic;
        if history.resets.seen[at + 1..].iter().any(again) {
            continue;
        }
        let Some(consumer) = member(history, plan, reset) else { continue };
        let lost_power =
            |master: NodeId, by: Time| scene.power_losses(master).any(|lost| reset.at <= lost && lost <= by);
        let is_dark = |queue: &MessageQueue, by: Time| {
            scene
                .master(&queue.broker)
                .is_none_or(|(master, _)| !history.up_since.contains_key(&master) || lost_power(master, by))
        };
        // With the power places may have gone from the log, which are given again.
        let is_again = |queue: &MessageQueue, by: Time| {
            scene.master(&queue.broker).is_none_or(|(master, _)| lost_power(master, by))
        };
        for (queue, place) in offsets {
            places += 1;
            let settled = *told + SLEEP + GRACE;
            let after = || {
                let own = history.deliveries.iter().filter(|one| one.group == reset.group && one.queue == *queue);
                own.filter(|one| reset.at <= one.at)
            };
            if let Some(stray) = after().find(|one| settled < one.at && lowest(one) < *place)
                && !is_again(queue, stray.at)
            {
                return wrong("before its place", vec![reset.seq, *seq, stray.seq], reset, queue, *place);
            }
            let copies = copies(history, plan, queue, consumer);
            if history.clock_steps.is_empty()
                && let Some(nearest) = reset.to.and_then(|moment| nearest(&copies, moment))
                && nearest < *place
            {
                return wrong("behind the nearest", vec![reset.seq, *seq], reset, queue, *place);
            }
            let mut owed = copies.iter().filter(|copy| copy.wanted && *place <= copy.offset);
            let is_handed =
                |offset: i64| after().any(|one| one.messages.iter().any(|own| own.queue_offset.0 == offset));
            match owed.any(|copy| !is_handed(copy.offset)) {
                // A place that was written down and not forced is nobody's after the power went (F3); a broker that is down
                // hands nothing out.
                true if is_dark(queue, settled) => pending += 1,
                true if settled <= history.end => {
                    let judged = wrong("not delivered again", vec![reset.seq, *seq], reset, queue, *place);
                    if !changes_hands(&scene, reset, queue, *told) {
                        return judged;
                    }
                    known = known.or(Some(judged.known(SLEEPS_AND_LOSES)));
                }
                true => pending += 1,
                false => {}
            }
        }
    }
    if let Some(known) = known {
        return known;
    }
    match (places, pending) {
        (0, _) => Judged::inconclusive("no group that is up was moved", "没有重置过任何在线的消费组"),
        (_, 0) => {
            Judged::pass(format!("{places} queues gone on from their places"), format!("{places} 个队列从指定位点继续"))
        }
        (_, open) => {
            let en = format!("{open} of {places} queues have not gone on yet when the run ends");
            Judged::inconclusive(&en, &format!("运行结束时 {places} 个队列中还有 {open} 个未继续"))
        }
    }
}

/// Whether a queue went to another process while its owner slept before it took the new place over: to another member, or to
/// the next process of the same.
///
/// The broker keeps no place for a group that is told to move: each member writes that of the queues that it owns when it
/// wakes up, and the next owner of any other goes on from where the group stood.
fn changes_hands(scene: &Scene<'_>, reset: &ResetSeen, queue: &MessageQueue, told: Time) -> bool {
    let history = scene.history;
    let own = history.deliveries.iter().filter(|one| one.group == reset.group && one.queue == *queue);
    let until = told + SLEEP + REBALANCES;
    let before = own.clone().rfind(|one| one.at <= reset.at).map(|one| one.node);
    // Where a lease kept everybody waiting, whoever is handed something first shows whose it was then.
    let first = own.clone().find(|one| told + SLEEP < one.at).map(|one| one.node);
    let mut owners: BTreeSet<NodeId> =
        own.filter(|one| reset.at < one.at && one.at <= until).map(|one| one.node).chain(first).collect();
    owners.extend(before);
    // An owner whom nothing is left to be handed to shows by its pulls alone.
    let is_its = |asked: &&Asked| {
        let place = &asked.place;
        (place.group.as_str(), place.topic.as_str(), place.queue) == (&*reset.group, &*queue.topic, queue.queue_id)
            && scene.broker_name(asked.broker) == Some(&queue.broker)
    };
    let pulls = history.signs.pulls.iter().filter(is_its);
    owners.extend(pulls.clone().rfind(|asked| asked.at <= reset.at).map(|asked| asked.from));
    owners.extend(pulls.filter(|asked| reset.at < asked.at && asked.at <= until).map(|asked| asked.from));
    let is_reborn = |node: &NodeId| history.boots.iter().any(|(own, at)| own == node && reset.at < *at && *at <= until);
    1 < owners.len() || owners.iter().any(is_reborn)
}

/// The last of the messages that lie nearest to a moment: a lookup by time goes to one of them, and no further.
///
/// Source: `ConsumeQueue.getOffsetInQueueByTime`.
fn nearest(copies: &[Copy], moment: i64) -> Option<i64> {
    let best = copies.iter().map(|copy| copy.stored.abs_diff(moment)).min()?;
    copies.iter().filter(|copy| copy.stored.abs_diff(moment) == best).map(|copy| copy.offset).max()
}

fn wrong(clause: &'static str, witness: Vec<Seq>, reset: &ResetSeen, queue: &MessageQueue, place: i64) -> Judged {
    let ResetSeen { group, topic, .. } = reset;
    let queue = format!("{}/{}", queue.broker, queue.queue_id);
    Judged::violation(
        clause,
        witness,
        format!("{group} was moved to {place} in {topic} of {queue}: {clause}"),
        format!("{group} 在 {topic} 的 {queue} 被重置到 {place}，之后的投递与此不符"),
    )
}

fn lowest(delivery: &Delivery) -> i64 {
    delivery.messages.iter().map(|message| message.queue_offset.0).min().unwrap_or(i64::MAX)
}

/// The settings of a member that was up when the group was moved and is up at the end.
fn member<'a>(history: &History, plan: &'a Plan, reset: &ResetSeen) -> Option<&'a ConsumerPlan> {
    plan.nodes.iter().enumerate().find_map(|(number, node)| {
        let NodeKind::Client(client) = &node.kind else { return None };
        let since = history.up_since.get(&NodeId(number as u16)).copied().unwrap_or(Time::NEVER);
        client.consumers.iter().find(|one| one.group == reset.group && since <= reset.at)
    })
}

/// A move is lost where its queue changes hands: K29. Source: `MQClientInstance.resetOffset`, which looks at its own table of
/// queues again after ten seconds.
const SLEEPS_AND_LOSES: u8 = 29;
/// A rebalance, and a pull.
const REBALANCES: Span = Span::from_secs(25);
/// Source: `MQClientInstance.resetOffset`.
const SLEEP: Span = Span::from_secs(10);
