//! G71: how long producers still turn to a master that is dead.
//!
//! A process that ends closes its connections: the nameservers forget it at once, and the producers' next look at their
//! routes is enough. A machine without power is silent: the nameservers forget it when it has not registered for two minutes,
//! at their next scan. Measured from what leaves the producers' machines, never from what anybody says.

use crate::lab::check::history::History;
use crate::lab::check::{Judged, seconds};
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Record, Road, Seq, What};
use crate::mq::time::Span;

/// A master's death, and the last that a producer sent it after that.
struct Hole<'a> {
    master: &'a str,
    silent: bool,
    death: Seq,
    last: Option<(Seq, Span)>,
}

/// No producer turns to a dead master longer than the upstream settings allow.
pub(super) fn stale_route(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let holes: Vec<Hole<'_>> = holes(history, trace, plan);
    if holes.is_empty() {
        return Judged::inconclusive("no master died", "没有主节点死亡");
    }
    for Hole { master, silent, death, last } in &holes {
        if let Some((seq, after)) = last.filter(|(_, after)| bound(*silent) < *after) {
            let bound = bound(*silent);
            let after = seconds(after);
            let en = format!("a producer turned to {master} {after} after its death, allowed are {bound}");
            let zh = format!("{master} 死亡 {after} 之后生产者仍在找它，上限是 {bound}");
            return Judged::violation("stale", vec![*death, seq], en, zh);
        }
    }
    let (mut en, mut zh) = (Vec::new(), Vec::new());
    for Hole { master, silent, last, .. } in &holes {
        let (after, bound) = (seconds(last.map_or(Span::ZERO, |(_, after)| after)), bound(*silent));
        let (how, how_zh) = if *silent { ("silent", "断电无声") } else { ("closed", "连接关闭") };
        en.push(format!("{master} ({how}) for {after} of at most {bound}"));
        zh.push(format!("{master}（{how_zh}）{after}，上限 {bound}"));
    }
    Judged::pass(format!("turned to {}", en.join(", ")), format!("死后仍被寻找的时间：{}", zh.join("；")))
}

fn bound(silent: bool) -> Span {
    if silent { Span(EXPIRY.0 + SCAN.0 + REFRESH.0) } else { REFRESH }
}

fn holes<'a>(history: &History, trace: &Trace, plan: &'a Plan) -> Vec<Hole<'a>> {
    let deaths = history.deaths.iter().map(|death| (death, false));
    let deaths = deaths.chain(history.power_losses.iter().map(|loss| (loss, true)));
    let mut holes = Vec::new();
    for ((node, seq, at), silent) in deaths {
        let Some(master) = plan.nodes.get(usize::from(node.0)) else { continue };
        if !matches!(&master.kind, NodeKind::Broker(broker) if broker.broker_id == 0) {
            continue;
        }
        let back = history.boots.iter().find(|(other, boot)| other == node && at < boot).map(|(_, boot)| *boot);
        let until = back.unwrap_or(history.end + Span(1));
        let mut turns = trace.records().iter().rev().filter(|record| *at < record.at && record.at < until);
        let last = turns.find(|record| is_send(record, (*node, master.ip), plan));
        let last = last.map(|record| (record.seq, record.at.since(*at)));
        holes.push(Hole { master: &master.name, silent, death: *seq, last });
    }
    holes.sort_by_key(|hole| hole.death);
    holes
}

/// Whether a producer's machine connects to that one, or sends it a message over a connection that it thinks stands.
fn is_send(record: &Record, (to, ip): (NodeId, u32), plan: &Plan) -> bool {
    let produces = |node: NodeId| match plan.nodes.get(usize::from(node.0)).map(|node| &node.kind) {
        Some(NodeKind::Client(client)) => client.consumers.is_empty() && !client.producers.is_empty(),
        _ => false,
    };
    let is_turn = match &record.what {
        What::Road(Road::Opening { to: addr, .. }) => addr.ip == ip,
        What::Road(Road::Sent { to: node, frame, .. }) => *node == to && frame.label.starts_with("SEND_"),
        _ => false,
    };
    is_turn && record.node.is_some_and(produces)
}

/// A client looks at its routes so often: `pollNameServerInterval`; and finishes what it has begun then.
const REFRESH: Span = Span::from_secs(30 + 3);
/// A nameserver forgets who has been silent for so long: `RouteInfoManager.BROKER_CHANNEL_EXPIRED_TIME`.
const EXPIRY: Span = Span::from_secs(120);
/// It looks so often: `NamesrvController.initialize`.
const SCAN: Span = Span::from_secs(10);
