//! G70 and G71: after everything has healed nobody waits for ever, and while something is broken nobody waits for longer
//! than the configuration says.
//!
//! The bounds are sums of the release's own periods; each constant names its class.

use crate::lab::check::delivery::{self, Debts, Member, Owed};
use crate::lab::check::history::History;
use crate::lab::check::letters::Outcome;
use crate::lab::check::lineage::Fate;
use crate::lab::check::{Judged, filters, seconds};
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::time::{Span, Time};

/// `RouteInfoManager.BROKER_CHANNEL_EXPIRED_TIME` and `ConsumerManager.CHANNEL_EXPIRED_TIMEOUT`.
const EXPIRES: Span = Span::from_secs(120);
/// `NamesrvController`, `ClientHousekeepingService`: the scan that finds what has expired.
const SCAN: Span = Span::from_secs(10);
/// `ClientConfig.pollNameServerInterval`.
const ROUTE_POLL: Span = Span::from_secs(30);
/// `ClientConfig.heartbeatBrokerInterval`, and `BrokerConfig.registerNameServerPeriod` by default.
const HEARTBEAT: Span = Span::from_secs(30);
/// `RebalanceService.waitInterval`.
const REBALANCE: Span = Span::from_secs(20);
/// `RebalanceLockManager.REBALANCE_LOCK_MAX_LIVE_TIME` and `ProcessQueue.REBALANCE_LOCK_INTERVAL`.
const LEASE: Span = Span::from_secs(60 + 20);
/// `DefaultMQPushConsumerImpl.CONSUMER_TIMEOUT_MILLIS_WHEN_SUSPEND`.
const LONG_POLL: Span = Span::from_secs(30);
/// `DefaultMQPushConsumerImpl.pullMessage`: how long an offset that is illegal is put aside.
const OFFSET_FIX: Span = Span::from_secs(10);

/// The fixed part of G70's bound.
fn bound(plan: &Plan, orderly: bool) -> Span {
    let lease = if orderly { LEASE } else { Span::ZERO };
    EXPIRES + SCAN + ROUTE_POLL + registers(plan) + REBALANCE + lease + LONG_POLL + OFFSET_FIX
}

/// The longest period in which a broker of the plan registers.
fn registers(plan: &Plan) -> Span {
    let of = |broker: &BrokerPlan| {
        let own = broker.properties.iter().rfind(|pair| pair.key == "registerNameServerPeriod");
        let millis = own.and_then(|pair| pair.value.parse::<u64>().ok()).map_or(HEARTBEAT.as_millis(), |own| own);
        Span::from_millis(millis.clamp(10_000, 60_000))
    };
    brokers(plan).map(|(_, broker)| of(broker)).max().unwrap_or(HEARTBEAT)
}

fn brokers(plan: &Plan) -> impl Iterator<Item = (NodeId, &BrokerPlan)> {
    plan.nodes.iter().enumerate().filter_map(|(number, node)| match &node.kind {
        NodeKind::Broker(broker) => Some((NodeId(number as u16), &**broker)),
        _ => None,
    })
}

/// G70: a bounded time after the last fault has begun, healed or booted anybody, every group has what it is owed and can be
/// handed: of the brokers that are up. Where part of the cluster stays broken for ever, the rest owes no less.
///
/// What waits for its next try is not overdue before that. Differs: a backlog gets one second for each thousand messages.
pub(super) fn drain_bound(history: &History, plan: &Plan) -> Judged {
    let groups = delivery::groups(history, plan);
    if groups.is_empty() {
        return Judged::inconclusive("no group consumes", "没有消费组");
    }
    let healed = healed(history);
    let debts = Debts::of(history, plan);
    let (mut met, mut open) = (0_usize, 0_usize);
    let mut oldest: Option<(&Owed<'_>, &Member<'_>)> = None;
    let mut longest = Span::ZERO;
    for member in groups.iter().filter(|member| member.is_up(history, plan)) {
        let Some(owed) = delivery::owed_in((history, plan), member, &debts) else {
            return filters::unread(member.group);
        };
        let bound = bound(plan, member.orderly) + Span::from_secs(owed.len() as u64 / 1_000);
        longest = longest.max(bound);
        for (message, fate) in owed.into_iter().filter(|(message, _)| debts.reached.contains(member, message.id)) {
            let since = healed.max(message.at).max(member.minds.last());
            match fate {
                Fate::Consumed | Fate::Dead => met += 1,
                Fate::UnderWay => open += 1,
                _ if history.end < since + bound => open += 1,
                _ if oldest.is_none_or(|(before, _)| message.at < before.at) => oldest = Some((message, member)),
                _ => {}
            }
        }
    }
    if let Some((message, member)) = oldest {
        let mut witness = message.seen();
        witness.extend(last_touch(history, message));
        let (name, group, waited) = (message.name(), member.group, seconds(history.end.since(healed.max(message.at))));
        let judged = Judged::violation(
            "drain",
            witness,
            format!("{name} is owed to group {group} for {waited}, the bound is {longest}"),
            format!("{name} 欠消费组 {group} 已 {waited}，上限是 {longest}"),
        );
        return member.missed((history, plan), message, judged);
    }
    match (met, open) {
        (0, _) => Judged::inconclusive("nothing was owed that could be handed out", "没有可投递的欠款"),
        (_, 0) => Judged::pass(
            format!("all {met} owed were handed out, the bound is {longest} after {healed}"),
            format!("应投递的 {met} 条全部投递，上限是 {healed} 之后 {longest}"),
        ),
        (_, open) => Judged::inconclusive(
            &format!("{open} are still owed, and the run ends within the bound of {longest} after {healed}"),
            &format!("还欠 {open} 条，而运行在 {healed} 之后 {longest} 的上限内结束"),
        ),
    }
}

/// When the last fault began or ended, the last clock was set and the last process booted.
fn healed(history: &History) -> Time {
    let faults = history.faults.iter().map(|(at, _)| *at);
    let boots = history.boots.iter().map(|(_, at)| *at);
    faults.chain(boots).chain(history.clock_steps.iter().map(|(_, at)| *at)).max().unwrap_or(Time::ZERO)
}

/// The last delivery of the queue that a message lies in.
fn last_touch(history: &History, message: &Owed<'_>) -> Option<Seq> {
    let of_queue = history.deliveries.iter().rev().find(|delivery| {
        let queue = &delivery.queue;
        (&*queue.broker, &*queue.topic, queue.queue_id) == (message.broker, message.topic, message.queue_id)
    });
    of_queue.map(|delivery| delivery.seq)
}

/// G71: while a master that was up all the time is there, a producer that goes on sending is answered within its own
/// attempts and the time for which a route may be stale.
///
/// Bound: send timeout times attempts, and 160 s: what is dead and silent expires at a nameserver (120 s), is found by its
/// scan (10 s) and is learned with the next route (30 s). Differs from the index, which says 150 s: upstream's own periods
/// add up to 160.
pub(super) fn unavailability(history: &History, plan: &Plan) -> Judged {
    let attempts = plan.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Client(client) => Some(client.producers.iter().map(|one| (one.send_timeout, one.retries + 1))),
        _ => None,
    });
    let Some((timeout, tries)) = attempts.flatten().max_by_key(|(timeout, tries)| timeout.0 * u64::from(*tries)) else {
        return Judged::inconclusive("nobody produces", "没有生产者");
    };
    let bound = Span(timeout.0 * u64::from(tries)) + EXPIRES + SCAN + ROUTE_POLL;
    if !brokers(plan).any(|(node, broker)| broker.broker_id == 0 && never_down(history, node)) {
        return Judged::inconclusive("no master was up all the time", "没有一个主节点一直在线");
    }
    let mut waiting: Option<(Seq, Time)> = None;
    let mut longest = Span::ZERO;
    for send in &history.sends {
        let Outcome::Sent(_, at, _) = &send.outcome else {
            waiting.get_or_insert((send.seq, send.at));
            continue;
        };
        let (seq, since) = waiting.take().unwrap_or((send.seq, send.at));
        let waited = at.since(since);
        if bound < waited {
            let waited = seconds(waited);
            return Judged::violation(
                "send",
                vec![seq, send.seq],
                format!("nothing could be sent for {waited}, the bound is {bound}"),
                format!("有 {waited} 无法发送，上限是 {bound}"),
            );
        }
        longest = longest.max(waited);
    }
    if let Some((seq, since)) = waiting
        && bound < history.end.since(since)
        && history.sends.last().is_some_and(|last| bound < last.at.since(since))
    {
        let waited = seconds(history.end.since(since));
        return Judged::violation(
            "send",
            vec![seq],
            format!("nothing could be sent for {waited} until the end, the bound is {bound}"),
            format!("直到结束有 {waited} 无法发送，上限是 {bound}"),
        );
    }
    let longest = seconds(longest);
    match history.sends.len() {
        0 => Judged::inconclusive("nothing was sent", "没有发送任何消息"),
        _ => Judged::pass(
            format!("nobody waited longer than {longest} for a send, the bound is {bound}"),
            format!("发送最长等待 {longest}，上限是 {bound}"),
        ),
    }
}

/// Whether a node booted once and nothing ended or paused it.
fn never_down(history: &History, node: NodeId) -> bool {
    history.up_since.contains_key(&node)
        && history.boots.iter().filter(|(booted, _)| *booted == node).count() == 1
        && !history.pauses.iter().any(|(paused, ..)| *paused == node)
}
