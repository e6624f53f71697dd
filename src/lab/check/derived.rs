//! G06: what a broker copies by itself never loses the message: neither a wait, nor a retry, nor a commit.
//!
//! Each of these puts a new copy into the log and moves a cursor past the old one; a cursor that is durable before the copy
//! loses the message with the power (K03).

use crate::lab::check::delays::waiting;
use crate::lab::check::delivery::{self, Debts, GRACE};
use crate::lab::check::fate::{Fate as End, Limits, fate};
use crate::lab::check::history::{History, Image};
use crate::lab::check::lineage::Fate;
use crate::lab::check::scene::Scene;
use crate::lab::check::{Judged, filters};
use crate::lab::oracle::config::Config;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::NodeId;
use crate::mq::app::{LocalOutcome, LocalState};
use crate::mq::message::names::retry_topic;
use crate::mq::time::Time;

/// Every copy that a cursor has passed has a successor.
pub(super) fn derived_continuity(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let mut looked_at = 0;
    let found = waits(&scene, &mut looked_at)
        .or_else(|| retries(&scene, &mut looked_at))
        .or_else(|| halves(&scene, &mut looked_at));
    match found {
        Some(found) => found,
        None if looked_at == 0 => Judged::inconclusive("no broker copied anything", "没有派生的副本"),
        None => Judged::pass(
            format!("{looked_at} copies that a cursor has passed have their successors"),
            format!("游标越过的 {looked_at} 份副本都有后继"),
        ),
    }
}

/// Delayed messages that the cursor of their level has passed.
fn waits(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let history = scene.history;
    for (node, waits) in waiting(scene) {
        let Some(image) = history.disks.iter().rfind(|disk| disk.node == node) else { continue };
        if history.signs.is_swapped(node) {
            continue;
        }
        let cursors = Config::read(&Image(&image.cached)).delayed;
        for (wait, parked) in &waits.parked {
            let is_passed = cursors.get(&(parked.queue + 1)).is_some_and(|cursor| parked.queue_offset < *cursor);
            if !is_passed || parked.is_garbled || history.deletions.spoil(wait.1, Time::ZERO) {
                continue;
            }
            *looked_at += 1;
            if waits.fired(wait, parked).is_some() {
                continue;
            }
            let losses: Vec<Time> = scene.power_losses(node).collect();
            // A cursor that was there before the copy has not passed it: that is G43's.
            let stepped = history.clock_steps.iter().any(|(stepped, _)| *stepped == node);
            if !losses.is_empty() && (stepped || losses.iter().any(|at| *at <= scene.true_time(parked.stored))) {
                continue;
            }
            // The copy was given to the page cache, and the failed sync had its page: no promise outlives F4.
            let is_struck = || history.sick.moments(node).any(|at| scene.true_time(parked.stored) <= at);
            if !losses.is_empty() && is_struck() {
                continue;
            }
            let call = history.id(wait.0).and_then(|id| history.sent(id)).map(|send| send.seq);
            if losses.is_empty() && history.signs.is_sick(node) {
                if scene.plan.profile.fixes("K12") {
                    continue;
                }
                return Some(lost("wait", wait.0, call).known(DROPPED));
            }
            let judged = lost("wait", wait.0, call);
            return Some(by_power(scene, judged, !losses.is_empty()));
        }
    }
    None
}

/// Messages that a concurrent listener failed, and of which nothing is left to be tried again.
fn retries(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let (history, plan) = (scene.history, scene.plan);
    let debts = Debts::of(history, plan);
    for member in delivery::groups(history, plan).iter().filter(|member| !member.orderly && member.is_up(history, plan))
    {
        let Some(owed) = delivery::owed_in((history, plan), member, &debts) else {
            return Some(filters::unread(member.group));
        };
        for (message, fate) in owed {
            *looked_at += usize::from(matches!(fate, Fate::UnderWay | Fate::Dead | Fate::Consumed));
            let Fate::Failed(at) = fate else { continue };
            // An operator who deletes the group takes what waits in its retry topic.
            if history.deletions.spoil(&retry_topic(member.group), at) {
                continue;
            }
            if history.end < at.max(scene.last_wrong()) + GRACE || !debts.reached.contains(member, message.id) {
                continue;
            }
            let lost_power = history.power_losses.iter().any(|(node, _, loss)| is_broker(scene, *node) && at <= *loss);
            return Some(by_power(scene, lost("retry", &message.name(), Some(message.first())), lost_power));
        }
    }
    None
}

/// Half messages that the cursor has passed, with nothing that settles them; and commits without a message.
fn halves(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let (history, plan) = (scene.history, scene.plan);
    let limits = Limits::of(plan);
    if history.brokers.iter().any(|broker| !scene.is_honest(broker.node)) {
        return None;
    }
    for seen in &history.transactions.seen {
        let (end, weakness) = fate(history, seen, &limits);
        *looked_at += usize::from(end == End::Committed);
        let commits = |said: &LocalOutcome| *said == LocalOutcome::State(LocalState::Commit);
        let is_committed = seen.said.iter().any(|(_, _, said)| commits(said))
            && !seen.said.iter().any(|(_, _, said)| *said == LocalOutcome::State(LocalState::Rollback));
        let clause = match end {
            End::Forgotten if weakness.is_none() => "half",
            End::RolledBack if is_committed => "commit",
            _ => continue,
        };
        let lost_power = history.power_losses.iter().any(|(node, ..)| is_broker(scene, *node));
        return Some(by_power(scene, lost(clause, &seen.key, Some(seen.seq)), lost_power));
    }
    None
}

fn is_broker(scene: &Scene<'_>, node: NodeId) -> bool {
    scene.broker_name(node).is_some()
}

fn by_power(scene: &Scene<'_>, judged: Judged, lost_power: bool) -> Judged {
    if lost_power && !scene.plan.profile.fixes("K03") { judged.known(NOT_DURABLE) } else { judged }
}

fn lost(clause: &'static str, name: &str, seen: Option<crate::lab::trace::record::Seq>) -> Judged {
    Judged::violation(
        clause,
        seen.into_iter().collect(),
        format!("a cursor has passed {name}, and the copy that should follow is not there: {clause}"),
        format!("游标已越过 {name}，后继副本却不存在：{clause}"),
    )
}

/// A cursor was durable before the copy: K03.
const NOT_DURABLE: u8 = 3;
/// An exception while it was put again dropped it: K12.
const DROPPED: u8 = 12;
