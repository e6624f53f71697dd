//! G72: nothing stands still for ever: no message that a client has pulled, no half message that is put back and put back.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::coverage::owners;
use crate::lab::check::fate::Limits;
use crate::lab::check::history::History;
use crate::lab::check::scene::{Club, Handed, QueueKey, Scene, clubs};
use crate::lab::check::settled::lineages;
use crate::lab::check::signs::Asked;
use crate::lab::check::transactions::Logged;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::time::{Span, Time};

/// No half message is put back more often than it can be asked for, and nothing that was pulled waits for its listener for
/// two minutes while nobody is at work.
pub(super) fn no_stuck_entity(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let mut looked_at = 0;
    if let Some(found) = put_back(&scene, trace, &mut looked_at) {
        return found;
    }
    let since = scene.settles(history.end);
    let clubs = clubs(plan);
    if scene.is_whole() && since + STUCK <= history.end {
        for club in &clubs {
            if let Some(found) = held(&scene, club, since, &mut looked_at) {
                return found;
            }
        }
    }
    match looked_at {
        0 => Judged::inconclusive("it was never quiet for long enough", "没有足够长的平静期"),
        _ => Judged::pass(
            format!("{looked_at} queues and half messages move"),
            format!("{looked_at} 个队列与半消息都在前进"),
        ),
    }
}

/// A half message of which the log holds more copies than there can be questions.
fn put_back(scene: &Scene<'_>, trace: &Trace, looked_at: &mut usize) -> Option<Judged> {
    let (history, plan) = (scene.history, scene.plan);
    let limits = Limits::of(plan);
    for broker in &history.brokers {
        for seen in &history.transactions.seen {
            *looked_at += 1;
            let copies = Logged::of(broker, &seen.id).halves.len() as i64;
            if (limits.checks_max + 2).saturating_mul(lineages(history, trace, broker, seen)) < copies {
                let judged = stuck(
                    "put back",
                    vec![seen.seq],
                    &seen.key,
                    &format!("{copies} copies"),
                    &format!("{copies} 份副本"),
                );
                return Some(if plan.profile.fixes("K22") { judged } else { judged.known(CURSORS_STAND) });
            }
        }
    }
    None
}

/// A message that its owner has pulled, and that no listener was handed.
fn held<'a>(scene: &Scene<'a>, club: &'a Club<'a>, since: Time, looked_at: &mut usize) -> Option<Judged> {
    let history = scene.history;
    let mut last_read: BTreeMap<(QueueKey<'_>, NodeId), &Asked> = BTreeMap::new();
    for pull in history.signs.pulls.iter().filter(|pull| *pull.place.group == **club.group) {
        if let Some(broker) = scene.broker_name(pull.broker) {
            last_read.insert(((broker, pull.place.topic.as_str(), pull.place.queue), pull.from), pull);
        }
    }
    // Who is at work, or was a moment ago, has not stopped.
    let own = history.deliveries.iter().filter(|one| one.group == *club.group);
    let at_work: BTreeSet<NodeId> =
        own.filter(|one| one.end.is_none_or(|(_, end)| history.end < end + STUCK)).map(|one| one.node).collect();
    for (queue, owners) in owners(scene, club, since) {
        let [(node, _)] = owners.iter().collect::<Vec<_>>()[..] else { continue };
        let Some((master, _)) = scene.master(queue.0) else { continue };
        let Some(pull) = last_read.get(&(queue, *node)).filter(|_| scene.is_honest(master)) else { continue };
        *looked_at += 1;
        if at_work.contains(node) || history.resets.seen.iter().any(|reset| reset.group == *club.group) {
            continue;
        }
        let is_left = |copy: &&&LogRecord| {
            let mut handed = scene.handed(club.group, queue, copy);
            let none: Option<Handed<'_>> = handed.next();
            none.is_none()
                && scene.true_time(copy.stored) + STUCK <= history.end
                && copy.queue_offset < pull.offset
                && !copy.is_garbled
                && club.wants(copy) == Some(true)
                && scene.is_reachable(queue.0, copy)
        };
        // Where a queue's first messages were never asked for, the group began behind them.
        let begun = club.is_from_first() && scene.power_losses(master).next().is_none();
        if let Some(copy) = scene.copies(queue).iter().filter(|_| begun).find(is_left) {
            let (broker, topic, number) = queue;
            let name = format!("{topic}/{number} #{} of {broker}", copy.queue_offset);
            let group = club.group;
            return Some(stuck("held", vec![pull.seq], &name, &format!("in {group}"), &format!("在 {group} 中")));
        }
    }
    None
}

fn stuck(clause: &'static str, witness: Vec<Seq>, name: &str, how: &str, how_zh: &str) -> Judged {
    Judged::violation(
        clause,
        witness,
        format!("{name} does not move any more, {how}: {clause}"),
        format!("{name} 不再前进，{how_zh}：{clause}"),
    )
}

/// Source: `ProcessQueue.PULL_MAX_IDLE_TIME`.
const STUCK: Span = Span::from_secs(120);
/// An exception leaves the cursors of half messages where they are: K22.
const CURSORS_STAND: u8 = 22;
