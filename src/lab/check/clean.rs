//! G73 and G74: every call ends in time, nothing that was acknowledged is lost in silence, and connections do not pile up.

use std::collections::BTreeMap;

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::ids::Ids;
use crate::lab::check::letters::{Outcome, label};
use crate::lab::check::scene::Scene;
use crate::lab::oracle::answer;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{SendMode, SendResult, SendStatus, SendTo};
use crate::mq::time::{Span, Time};

/// Whoever waits for a send hears how it ended; and where a disk loses what was acknowledged, somebody is told of an error.
pub(super) fn clean_error(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let mut looked_at = 0;
    if let Some(found) = unanswered(&scene, &mut looked_at).or_else(|| silent(&scene, &mut looked_at)) {
        return found;
    }
    match looked_at {
        0 => Judged::inconclusive("nobody waited for anything", "没有等待中的调用"),
        _ => Judged::pass(format!("{looked_at} calls ended in time"), format!("{looked_at} 次调用都按时结束")),
    }
}

/// The longest that a call of a plan's producers may take, with its connections.
fn budget(plan: &Plan) -> Span {
    let clients = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Client(client) => Some(&client.producers),
        _ => None,
    });
    let own = clients.flatten().map(|one| Span(one.send_timeout.0 * u64::from(one.retries + 1)));
    let called = plan.senders.iter().flat_map(|sender| &sender.sends).filter_map(|send| send.timeout);
    let longest = own.chain(called.map(|one| Span(one.0 * 3))).max().unwrap_or(Span::ZERO);
    longest + ROAD
}

/// A call of a process that still runs, and that nobody has answered.
fn unanswered(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let (history, budget) = (scene.history, budget(scene.plan));
    for send in history.sends.iter().filter(|send| !send.in_transaction) {
        let Some((node, _, by)) = history.signs.send(send.seq) else { continue };
        // A callback may never come, one-way has no end, and a selector of the application's own may think for ever.
        let waits = by.as_ref().is_none_or(|by| {
            by.mode == SendMode::Sync && !matches!(by.to, SendTo::Selected(crate::mq::app::Selector::Own))
        });
        if !waits {
            continue;
        }
        *looked_at += 1;
        let is_same = history.up_since.get(node).is_some_and(|since| *since <= send.at);
        let is_over = scene.is_healed() && send.at.max(scene.last_wrong()) + budget <= history.end;
        if matches!(send.outcome, Outcome::Unknown) && is_same && is_over {
            let name = label(send);
            return Some(Judged::violation(
                "unanswered",
                vec![send.seq],
                format!("the call that sends {name} never ended, {budget} after it should have"),
                format!("发送 {name} 的调用始终没有结束，已超过 {budget}"),
            ));
        }
    }
    None
}

/// An acknowledged message that a sick disk has lost, and of which nobody was told.
///
/// An answer other than `SEND_OK` says so itself: its message may be lost if the server dies. A broker that takes nothing any
/// more shows everybody that something is wrong with it; who goes on as if nothing were (K01) tells nobody.
fn silent(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let history = scene.history;
    let sick: BTreeMap<NodeId, (Seq, Time)> =
        history.signs.sick.iter().rev().map(|(node, seq, at)| (*node, (*seq, *at))).collect();
    if sick.is_empty() {
        return None;
    }
    let stored: Ids = history.copies_seen().filter_map(|copy| copy.id).collect();
    for (send, acked, at, result) in history.acked() {
        let Some((master, store)) = scene.master(&result.queue.broker) else { continue };
        let Some((struck, since)) = sick.get(&master) else { continue };
        *looked_at += 1;
        let is_retired = store.records.first().is_none_or(|first| 0 < first.at)
            || history.deletions.spoil(&result.queue.topic, at)
            || history.signs.is_swapped(master);
        let is_by_power = scene.power_losses(master).next().is_some();
        let is_told =
            history.signs.told.iter().any(|(_, told)| *since <= *told) || !goes_on(history, result, master, *since);
        let is_warned = result.status != SendStatus::SendOk;
        // A bit that changed by itself shows when somebody reads the log, and cuts it there; whether a boot says so is G66.
        let end = answer::place(&result.offset_msg_id).map(|at| at + send.message.body.len() as u64 + REST);
        let is_rotten = history.signs.is_flipped_alone(master)
            || end.is_some_and(|end| history.signs.flips.iter().any(|(node, at)| *node == master && *at < end));
        let is_stored = send.id.is_some_and(|id| stored.contains(id));
        if is_stored || is_retired || is_by_power || is_told || is_warned || is_rotten {
            continue;
        }
        let name = label(send);
        return Some(Judged::violation(
            "silent",
            vec![*struck, send.seq, acked],
            format!("{name} was acknowledged and is lost on a sick disk, and nobody was told"),
            format!("{name} 已确认，却在故障磁盘上丢失，且没有任何报错"),
        ));
    }
    None
}

/// Whether a broker has taken something that it was sent after its disk was struck, and before it was started again.
fn goes_on(history: &History, result: &SendResult, broker: NodeId, since: Time) -> bool {
    let boots = history.boots.iter().filter(|(node, at)| *node == broker && since < *at);
    let until = boots.map(|(_, at)| *at).min().unwrap_or(Time::NEVER);
    let is_its = |other: &SendResult| other.queue.broker == result.queue.broker;
    history.acked().any(|(send, _, _, other)| is_its(other) && (since..until).contains(&send.at))
}

/// When all is quiet, two machines have no more connections than their services.
pub(super) fn resource_bounds(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    if !scene.is_whole() || history.end < scene.last_wrong() + IDLE {
        return Judged::inconclusive("it was never quiet for long enough", "没有足够长的平静期");
    }
    let mut pairs: BTreeMap<(NodeId, NodeId), usize> = BTreeMap::new();
    for sides in history.signs.links.values() {
        if let [(one, _), (other, _)] = sides[..] {
            *pairs.entry((one.min(other), one.max(other))).or_insert(0) += 1;
        }
    }
    let name =
        |node: &NodeId| plan.nodes.get(usize::from(node.0)).map(|node| node.name.to_string()).unwrap_or_default();
    if let Some(((one, other), count)) = pairs.iter().find(|(_, count)| LINKS_MAX < **count) {
        let (one, other) = (name(one), name(other));
        return Judged::violation(
            "connections",
            Vec::new(),
            format!("{one} and {other} have {count} connections when all is quiet, at most {LINKS_MAX} are needed"),
            format!("平静时 {one} 与 {other} 之间有 {count} 条连接，最多需要 {LINKS_MAX} 条"),
        );
    }
    match pairs.len() {
        0 => Judged::inconclusive("no connection stands at the end", "结束时没有连接"),
        count => Judged::pass(
            format!("{count} pairs of machines, none with more than {LINKS_MAX} connections"),
            format!("{count} 对机器，连接数都不超过 {LINKS_MAX}"),
        ),
    }
}

/// What a record has beside its body, unless an application gives it very long properties.
const REST: u64 = 1 << 10;
/// Connecting, three attempts of 3 s, and a table of answers that is looked through every second.
const ROAD: Span = Span::from_secs(60);
/// A connection that is idle for 120 s is closed. Source: `NettyServerConfig.serverChannelMaxIdleTimeSeconds`.
const IDLE: Span = Span::from_secs(150);
/// The port itself, the VIP channel and replication, for a client and for tools beside it.
const LINKS_MAX: usize = 6;
