//! G21: messages of one key are consumed in the order in which one producer sent them.
//!
//! A later message of a key is sent when the one before it has been acknowledged; where both went to one queue, the queue has
//! them in that order, and every ordered group consumes them so. Where they went to two, the routes must have changed.
//!
//! In one queue of one key the order is a chain: that it has no cycle is that no consumption lies before an earlier one's.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::ids::ById;
use crate::lab::check::letters::{SendSeen, label};
use crate::lab::check::scene::{Scene, clubs};
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{Selector, SendMode, SendResult, SendTo};
use crate::mq::message::MessageQueue;
use crate::mq::message::property::names;
use crate::mq::time::Time;

/// A sender's key: process, topic, selector's argument.
type Key<'a> = (NodeId, u32, &'a str, String);

/// A message of a chain.
struct Link<'a> {
    send: &'a SendSeen,
    acked: (Seq, Time),
    result: &'a SendResult,
}

/// In every ordered group no message of a key is consumed first before one that was sent earlier.
pub(super) fn per_key_order(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let chains = chains(history);
    let is_moved = |group: &str, topic: &str| {
        history.resets.seen.iter().any(|reset| reset.group == *group && reset.topic == *topic)
    };
    let clubs = clubs(plan);
    let groups: Vec<&str> =
        clubs.iter().filter(|club| club.is_orderly() && club.is_from_first()).map(|club| club.group.as_str()).collect();
    let consumed: BTreeMap<&str, ById<Seq>> =
        groups.iter().map(|group| (*group, first_consumed(history, group))).collect();
    let mut looked_at = 0;
    for ((_, _, topic, _), links) in &chains {
        if let Some(found) = moved(&scene, links) {
            return found;
        }
        let mut by_queue: BTreeMap<&MessageQueue, Vec<&Link<'_>>> = BTreeMap::new();
        // Another disk has other messages.
        let is_honest = |name: &str| scene.master(name).is_some_and(|(master, _)| scene.is_honest(master));
        for link in links.iter().filter(|link| is_honest(&link.result.queue.broker)) {
            by_queue.entry(&link.result.queue).or_default().push(link);
        }
        for links in by_queue.values() {
            if let Some((before, after)) =
                links.windows(2).map(|two| (two[0], two[1])).find(|two| stored_wrong(&scene, *two))
            {
                return wrong("stored", vec![before.send.seq, after.send.seq], &label(after.send));
            }
            for (group, consumed) in consumed.iter().filter(|(group, _)| !is_moved(group, topic)) {
                let mut latest: Option<(Seq, &Link<'_>)> = None;
                for link in links {
                    let Some(own) = link.send.id.and_then(|id| consumed.get(id)) else { continue };
                    looked_at += 1;
                    match latest {
                        Some((before, earlier)) if *own < before => {
                            let witness = vec![earlier.send.seq, link.send.seq, *own, before];
                            return wrong("consumed", witness, &format!("{} in {group}", label(link.send)));
                        }
                        _ => latest = Some((*own, link)),
                    }
                }
            }
        }
    }
    match looked_at {
        0 => Judged::inconclusive("no ordered group consumed messages of a key", "没有顺序消费组消费过同键消息"),
        _ => Judged::pass(
            format!("{looked_at} messages in the order of their keys"),
            format!("{looked_at} 条消息按键有序"),
        ),
    }
}

/// Acknowledged sends by key, each called after the one before it was acknowledged.
fn chains(history: &History) -> BTreeMap<Key<'_>, Vec<Link<'_>>> {
    let mut chains: BTreeMap<Key<'_>, Vec<Link<'_>>> = BTreeMap::new();
    for (send, seq, at, result) in history.acked() {
        let Some((node, incarnation, Some(by))) = history.signs.send(send.seq) else { continue };
        let argument = match &by.to {
            SendTo::Selected(Selector::Hash(text)) => text.to_string(),
            SendTo::Selected(Selector::Modulo(number)) => number.to_string(),
            _ => continue,
        };
        let topic = send.message.topic.as_str();
        let is_delayed = send.message.properties.get(names::DELAY).is_some();
        if by.mode != SendMode::Sync || is_delayed || history.deletions.spoil(topic, Time::ZERO) {
            continue;
        }
        let chain = chains.entry((*node, *incarnation, topic, argument)).or_default();
        if chain.last().is_none_or(|last| last.acked.0 < send.seq) {
            chain.push(Link { send, acked: (seq, at), result });
        }
    }
    chains
}

/// When a group first consumed each message.
fn first_consumed(history: &History, group: &str) -> ById<Seq> {
    let mut consumed: ById<Seq> = ById::default();
    for delivery in history.deliveries.iter().filter(|delivery| delivery.group == *group) {
        let Some((seq, _)) = delivery.end else { continue };
        for id in delivery.brief.iter().take(delivery.done()).filter_map(|brief| brief.id) {
            let first = consumed.of(id).get_or_insert(seq);
            *first = seq.min(*first);
        }
    }
    consumed
}

/// Whether a queue has two messages of a key in another order, though its broker lost nothing in between.
fn stored_wrong(scene: &Scene<'_>, (before, after): (&Link<'_>, &Link<'_>)) -> bool {
    let Some((master, _)) = scene.master(&before.result.queue.broker) else { return false };
    let lost = scene.power_losses(master).any(|at| before.acked.1 <= at && at <= after.acked.1);
    scene.is_honest(master) && !lost && after.result.queue_offset <= before.result.queue_offset
}

/// Two messages of a key in two queues, though nothing has changed the routes since long before.
fn moved(scene: &Scene<'_>, links: &[Link<'_>]) -> Option<Judged> {
    let queues: BTreeSet<&MessageQueue> = links.iter().map(|link| &link.result.queue).collect();
    if queues.len() < 2 {
        return None;
    }
    let two = links
        .windows(2)
        .find(|two| two[0].result.queue != two[1].result.queue && scene.settles(two[1].acked.1) < two[0].send.at)?;
    Some(wrong("moved", vec![two[0].send.seq, two[1].send.seq], &label(two[1].send)))
}

fn wrong(clause: &'static str, witness: Vec<Seq>, name: &str) -> Judged {
    Judged::violation(
        clause,
        witness,
        format!("{name} is out of the order of its key: {clause}"),
        format!("{name} 违反了同键顺序：{clause}"),
    )
}
