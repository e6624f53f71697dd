//! Order: what an ordered listener is promised of a queue (G20, G22, G23).

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::history::History;
use crate::lab::check::leases;
use crate::lab::check::letters::Delivery;
use crate::lab::check::signs::Place;
use crate::lab::check::{Judged, Verdict};
use crate::lab::fault::episode::FaultKind;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{ConsumeOutcome, Ordered, OrderlyStatus};
use crate::mq::message::{Group, MessageQueue};
use crate::mq::time::{Span, Time};

/// A queue as one ordered group was handed it.
struct Handed<'a> {
    group: &'a Group,
    queue: &'a MessageQueue,
    /// The queue's broker.
    broker: Option<NodeId>,
    /// `maxReconsumeTimes` of the group; -1 is without end.
    reconsume_max: i32,
    /// In the order of the calls.
    deliveries: Vec<&'a Delivery>,
}

/// What is handed to ordered groups, by group and queue. A group of which a member is concurrent is none: that one leases nothing.
fn handed<'a>(history: &'a History, plan: &'a Plan) -> Vec<Handed<'a>> {
    let mut ordered: BTreeMap<&Group, i32> = BTreeMap::new();
    let (mut brokers, mut mixed): (BTreeMap<&str, NodeId>, BTreeSet<&Group>) = Default::default();
    for (number, node) in plan.nodes.iter().enumerate() {
        match &node.kind {
            NodeKind::Client(client) => {
                let own = client.consumers.iter().filter(|consumer| consumer.orderly);
                ordered.extend(own.map(|consumer| (&consumer.group, consumer.max_reconsume)));
                let others = client.consumers.iter().filter(|consumer| !consumer.orderly);
                mixed.extend(others.map(|consumer| &consumer.group));
            }
            NodeKind::Broker(broker) if broker.broker_id == 0 => {
                brokers.insert(&broker.broker_name, NodeId(number as u16));
            }
            NodeKind::Broker(_) | NodeKind::Nameserver => {}
        }
    }
    ordered.retain(|group, _| !mixed.contains(group));
    let mut all: BTreeMap<(&Group, &MessageQueue), Handed<'a>> = BTreeMap::new();
    for delivery in &history.deliveries {
        let (group, queue) = (&delivery.group, &delivery.queue);
        let Some(reconsume_max) = ordered.get(group).copied() else { continue };
        let broker = brokers.get(&*queue.broker).copied();
        let handed = Handed { group, queue, broker, reconsume_max, deliveries: Vec::new() };
        all.entry((group, queue)).or_insert(handed).deliveries.push(delivery);
    }
    all.into_values().collect()
}

fn nothing_handed() -> Judged {
    Judged::inconclusive("no ordered listener was called", "没有调用过顺序监听器")
}

fn offsets(delivery: &Delivery) -> impl Iterator<Item = i64> {
    delivery.messages.iter().map(|message| message.queue_offset.0)
}

impl Handed<'_> {
    fn name(&self) -> String {
        format!("{}/{} of {} for {}", self.queue.topic, self.queue.queue_id, self.queue.broker, self.group)
    }

    /// Whether an operator moved the group in between: what was suspended may be left behind.
    fn is_reset(&self, history: &History, from: Time, to: Time) -> bool {
        let mut own = history.resets.seen.iter().filter(|reset| reset.group == *self.group);
        own.any(|reset| reset.topic == self.queue.topic && from <= reset.at && reset.at <= to)
    }

    /// Whether the queue's offsets may have been given to other messages in between.
    fn lost_power(&self, history: &History, from: Time, to: Time) -> bool {
        history.power_losses.iter().any(|(node, _, at)| Some(*node) == self.broker && from <= *at && *at <= to)
    }
}

/// Whether a queue may have changed hands, back into the same ones, before a moment: somebody came, went, or was kept from
/// talking.
fn may_have_moved(history: &History, before: Time) -> bool {
    let is_near = |at: &Time| *at <= before && before <= *at + SETTLES;
    history.boots.iter().any(|(_, at)| is_near(at) && FIRST_BOOTS < *at)
        || history.deaths.iter().chain(&history.power_losses).any(|(_, _, at)| is_near(at))
        || history.faults.iter().any(|(at, _)| is_near(at))
}

/// G20: in one process a queue goes forward, one batch at a time, and nobody sees a later message first; a new owner steps back
/// to what was committed, and no further.
pub(super) fn queue_fifo(history: &History, plan: &Plan) -> Judged {
    let (mut looked_at, mut known) = (0, None);
    for handed in handed(history, plan) {
        let mut seen: BTreeSet<i64> = BTreeSet::new();
        let mut last: Option<&Delivery> = None;
        let (mut floor, mut open, mut is_unsettled) = (i64::MIN, None, false);
        for delivery in &handed.deliveries {
            looked_at += 1;
            let before = last.filter(|last| !handed.lost_power(history, last.at, delivery.at));
            let head = offsets(delivery).next().unwrap_or(i64::MAX);
            // Behind a loss of power offsets may be given anew; what the owner had pulled before is handed over all the same,
            // until it steps back to where the broker stands.
            let steps_back = last.is_some_and(|last| offsets(last).next().is_some_and(|before| head < before));
            let lost = before.is_none() && last.is_some();
            if lost || (is_unsettled && steps_back) {
                is_unsettled = lost && !steps_back;
                seen.clear();
            }
            let same = before.filter(|last| (last.node, last.incarnation) == (delivery.node, delivery.incarnation));
            if same.is_none() {
                (floor, open) = (i64::MIN, None);
            }
            let is_sorted = delivery.messages.is_sorted_by(|a, b| a.queue_offset < b.queue_offset);
            let first_seen = offsets(delivery).find(|offset| !seen.contains(offset));
            let overtaken = first_seen.zip(seen.last()).is_some_and(|(first, highest)| first < *highest);
            let clause = if !is_sorted {
                Some(("batch", "a batch is not in order", "一批消息内部乱序"))
            } else if overtaken {
                Some(("overtaken", "a later message was handed over first", "后面的消息先投递了"))
            } else if same.is_some_and(|last| last.end.is_none_or(|(seq, _)| delivery.seq < seq)) {
                Some(("two at once", "one process consumes two batches at once", "同一进程同时消费两批"))
            } else if head < floor && !may_have_moved(history, delivery.at) {
                Some(("stepped back", "what was done is handed over again", "已完成的消息再次投递"))
            } else {
                None
            };
            if let Some((clause, en, zh)) = clause {
                let witness = before.into_iter().chain([*delivery]).map(|delivery| delivery.seq).collect();
                let at = handed.name();
                let (en, zh) = (format!("{at}, offset {head}: {en}"), format!("{at} 位点 {head}：{zh}"));
                let judged = Judged::violation(clause, witness, en, zh);
                match by_leases((history, plan), &handed, delivery, judged) {
                    found if !matches!(found.verdict, Verdict::Known { .. }) => return found,
                    found => known = known.or(Some(found)),
                }
            }
            seen.extend(offsets(delivery));
            (floor, open) = goes_on_from(delivery, open);
            last = Some(delivery);
        }
        if let Some(judged) = began_before(history, &handed) {
            return judged;
        }
    }
    match (looked_at, known) {
        (0, _) => nothing_handed(),
        (_, Some(known)) => known,
        _ => Judged::pass(format!("{looked_at} batches in order"), format!("{looked_at} 批，顺序正确")),
    }
}

/// An owner that began in front of what the group had committed when it had the lock.
fn began_before(history: &History, handed: &Handed<'_>) -> Option<Judged> {
    let (group, topic) = (handed.group.clone(), handed.queue.topic.clone());
    let place = Place { group, topic, queue: handed.queue.queue_id };
    let (lock, committed, pull, from) = leases::began_before(history, handed.broker?, &place)?;
    let at = handed.name();
    Some(Judged::violation(
        "began before",
        vec![lock, pull],
        format!("{at}: its new owner reads from {from}, and {committed} was committed when it had the lock"),
        format!("{at}：新的所有者取得锁时已提交到 {committed}，却从 {from} 开始读"),
    ))
}

/// Below which offset the same owner is handed nothing more after this, and the lowest offset that is not committed.
fn goes_on_from(delivery: &Delivery, open: Option<i64>) -> (i64, Option<i64>) {
    let head = offsets(delivery).next().unwrap_or(i64::MIN);
    let behind = offsets(delivery).last().map_or(i64::MIN, |last| last + 1);
    match delivery.answer {
        Some(ConsumeOutcome::Ordered(Ordered { status, auto_commit: false, .. })) => match status {
            OrderlyStatus::Success => (behind, Some(open.unwrap_or(head))),
            OrderlyStatus::Commit => (behind, None),
            OrderlyStatus::Rollback => (open.unwrap_or(head), None),
            OrderlyStatus::Suspend => (head, open),
        },
        Some(answer) if 0 < answer.done(delivery.messages.len()) => (behind, None),
        _ => (head, None),
    }
}

/// G22: two processes never have a queue in their listeners at once, and who was overtaken in its listener does not go on
/// without asking for the lock. A broker grants no lock while another's lease runs, and who was refused it does not go on.
///
/// Outside of what 4.3.2 promises an overlap is the registered weakness K07: the broker forgot the leases, wall clocks
/// disagree, or the lease was not renewed and the listener outlived it.
pub(super) fn exclusive(history: &History, plan: &Plan) -> Judged {
    let (mut looked_at, mut known) = (0, None);
    for handed in handed(history, plan) {
        looked_at += handed.deliveries.len();
        for Shared { pair, words, excused } in shared(history, plan, &handed) {
            let judged = overlap(plan, &handed, pair, words);
            match excused {
                false => return judged,
                true => known = known.or(Some(judged.known(LEASES))),
            }
        }
        if let Some(judged) = after_refusal(history, plan, &handed) {
            return judged;
        }
    }
    if let Some((held, next)) = leases::granted_twice(history) {
        return granted_twice(plan, held, next);
    }
    match (looked_at, known) {
        (0, _) => nothing_handed(),
        (_, Some(known)) => known,
        _ => Judged::pass(format!("{looked_at} batches, none beside another"), format!("{looked_at} 批，没有同时消费")),
    }
}

/// A batch that was begun by a process that had last been refused the queue.
fn after_refusal(history: &History, plan: &Plan, handed: &Handed<'_>) -> Option<Judged> {
    let broker = handed.broker?;
    let (told, delivery) = handed.deliveries.iter().find_map(|delivery| {
        let told = leases::refused(history, broker, delivery)?;
        (!is_slowed(history, plan, delivery)).then_some((told, delivery))
    })?;
    let (name, at) = (name_of(plan, delivery.node), handed.name());
    Some(Judged::violation(
        "after a refusal",
        vec![told.answered.0, delivery.seq],
        format!("{at}: {name} goes on, and was told that another has the lock"),
        format!("{at}：{name} 已被告知锁属于别人，却继续消费"),
    ))
}

/// Whether some thread of a process got no turn, or a late one, by then.
fn is_slowed(history: &History, plan: &Plan, delivery: &Delivery) -> bool {
    let own = plan.nodes.get(usize::from(delivery.node.0)).map(|node| &node.name);
    history.faults.iter().filter(|(at, _)| *at <= delivery.at).any(|(_, name)| {
        let kind = plan.episodes.iter().find(|episode| episode.name == *name).map(|episode| &episode.kind);
        match kind {
            Some(FaultKind::PauseService { node, .. } | FaultKind::SlowCpu { node, .. }) => Some(node) == own,
            _ => false,
        }
    })
}

fn granted_twice(plan: &Plan, held: &leases::Asked, next: &leases::Asked) -> Judged {
    let (one, two) = (name_of(plan, held.from), name_of(plan, next.from));
    let leases::Asked { place, .. } = next;
    let at = format!("{}/{} of {} for {}", place.topic, place.queue, name_of(plan, next.broker), place.group);
    Judged::violation(
        "granted twice",
        vec![held.asked.0, next.answered.0],
        format!("{at}: {two} was given the lock while the lease of {one} ran"),
        format!("{at}：{one} 的租约还未到期，锁却给了 {two}"),
    )
}

fn name_of(plan: &Plan, node: NodeId) -> String {
    plan.nodes.get(usize::from(node.0)).map(|node| node.name.to_string()).unwrap_or_default()
}

/// Two processes with a queue at once.
struct Shared<'a> {
    pair: (&'a Delivery, &'a Delivery),
    words: Words,
    /// Whether 4.3.2 promises nothing there (K07).
    excused: bool,
}

/// Where two processes have a queue at once, in order.
fn shared<'a>(history: &History, plan: &Plan, handed: &Handed<'a>) -> Vec<Shared<'a>> {
    let (mut found, mut running): (Vec<Shared<'a>>, Vec<&Delivery>) = Default::default();
    for (number, delivery) in handed.deliveries.iter().copied().enumerate() {
        running.retain(|other| other.end.is_none_or(|(seq, _)| delivery.seq < seq));
        for other in running.iter().filter(|other| !same_process(other, delivery)) {
            let pair = (*other, delivery);
            let excused = leases_unsafe(history, handed, pair) || outlived(history, plan, pair);
            found.push(Shared { pair, words: TWO_AT_ONCE, excused });
        }
        if let Some(before) = went_on(&handed.deliveries[..number], delivery) {
            let pair = (before, delivery);
            found.push(Shared { pair, words: WENT_ON, excused: leases_unsafe(history, handed, pair) });
        }
        running.push(delivery);
    }
    found
}

/// A disorder as what it comes from, where leases had meant nothing by then: it is promised while they hold (G20, G23).
fn by_leases((history, plan): (&History, &Plan), handed: &Handed<'_>, delivery: &Delivery, judged: Judged) -> Judged {
    let mut lapses = shared(history, plan, handed).into_iter().filter(|shared| shared.excused);
    if lapses.any(|shared| shared.pair.1.seq <= delivery.seq) { judged.known(LEASES) } else { judged }
}

fn same_process(one: &Delivery, other: &Delivery) -> bool {
    (one.node, one.incarnation) == (other.node, other.incarnation)
}

/// The batch during which another process took the queue over, if its own goes straight on with `next`.
fn went_on<'a>(before: &[&'a Delivery], next: &Delivery) -> Option<&'a Delivery> {
    let at = before.iter().rposition(|other| same_process(other, next))?;
    let (_, end) = before[at].end?;
    let taken_over = before[at + 1..].iter().any(|other| other.at < end && !same_process(other, next));
    (taken_over && next.at < end + ASKS).then_some(before[at])
}

/// What an overlap is called, in both languages.
type Words = (&'static str, &'static str, &'static str);

const TWO_AT_ONCE: Words = ("two at once", "consume at once", "同时消费");
const WENT_ON: Words = ("went on", "consume in turns, and nobody asked for the lock", "交替消费，却没有重新申请锁");

fn overlap(
    plan: &Plan,
    handed: &Handed<'_>,
    (first, second): (&Delivery, &Delivery),
    (clause, en, zh): Words,
) -> Judged {
    let (one, two, at) = (name_of(plan, first.node), name_of(plan, second.node), handed.name());
    let witness = vec![first.seq, second.seq];
    Judged::violation(clause, witness, format!("{at}: {one} and {two} {en}"), format!("{at}：{one} 和 {two} {zh}"))
}

/// Whether leases meant nothing for a while: the broker had forgotten them, or clocks disagree about their age.
fn leases_unsafe(history: &History, handed: &Handed<'_>, (first, second): (&Delivery, &Delivery)) -> bool {
    let boots = history.boots.iter().filter(|(node, _)| Some(*node) == handed.broker);
    let near = |at: Time| at <= second.at && second.at <= at + LEASE + RENEWALS;
    boots.skip(1).any(|(_, at)| near(*at))
        || history.clock_steps.iter().any(|(node, at)| {
            (Some(*node) == handed.broker || [first.node, second.node].contains(node)) && *at <= second.at
        })
}

/// Whether a listener outlived a lease that its process could not renew.
fn outlived(history: &History, plan: &Plan, (first, second): (&Delivery, &Delivery)) -> bool {
    first.at + MARGIN <= second.at && was_kept_from_renewing(history, plan, (first, second))
}

/// Whether something kept a process from renewing its lease until another's listener was called.
fn was_kept_from_renewing(history: &History, plan: &Plan, (first, second): (&Delivery, &Delivery)) -> bool {
    let since = Time(second.at.0.saturating_sub((LEASE + RENEWALS).0));
    let paused = history
        .pauses
        .iter()
        .any(|(node, from, to)| *node == first.node && *from <= second.at && to.is_none_or(|to| since <= to));
    paused
        || history.faults.iter().any(|(at, name)| {
            let kind = plan.episodes.iter().find(|episode| episode.name == *name).map(|episode| &episode.kind);
            kind.is_some_and(|kind| !kind.hinders().is_empty()) && *at <= second.at
        })
}

/// G23: nothing behind a message that was suspended is handed over before it is done or given up, whoever owns the queue.
pub(super) fn no_overtaking(history: &History, plan: &Plan) -> Judged {
    let (mut looked_at, mut suspensions, mut known) = (0, 0, None);
    for handed in handed(history, plan) {
        let mut events: Vec<(Seq, &Delivery, bool)> = Vec::new();
        for delivery in &handed.deliveries {
            events.push((delivery.seq, delivery, false));
            events.extend(delivery.end.filter(|_| delivery.answer.is_some()).map(|(seq, _)| (seq, *delivery, true)));
        }
        events.sort_by_key(|(seq, ..)| *seq);
        let mut suspended: BTreeMap<i64, Seq> = BTreeMap::new();
        let mut done: BTreeSet<i64> = BTreeSet::new();
        let mut last = Time::ZERO;
        for (_, delivery, is_answer) in events {
            if handed.lost_power(history, last, delivery.at) || handed.is_reset(history, last, delivery.at) {
                suspended.clear();
                done.clear();
            }
            last = delivery.at;
            if is_answer {
                let upto = delivery.done();
                for (place, message) in delivery.messages.iter().enumerate() {
                    let offset = message.queue_offset.0;
                    let given_up = 0 <= handed.reconsume_max && handed.reconsume_max <= message.reconsume_times;
                    if place < upto || given_up {
                        suspended.remove(&offset);
                        done.insert(offset);
                    } else if !done.contains(&offset) {
                        suspensions += 1;
                        suspended.insert(offset, delivery.seq);
                    }
                }
                continue;
            }
            looked_at += 1;
            let highest = offsets(delivery).last().unwrap_or(i64::MIN);
            let left_out = suspended.range(..highest).find(|(offset, _)| !offsets(delivery).any(|own| own == **offset));
            if let Some((offset, seq)) = left_out {
                let at = handed.name();
                let judged = Judged::violation(
                    "overtaken",
                    vec![*seq, delivery.seq],
                    format!("{at}: {highest} is handed over while {offset} is suspended"),
                    format!("{at}：位点 {offset} 已暂停，却投递了 {highest}"),
                );
                match by_leases((history, plan), &handed, delivery, judged) {
                    found if !matches!(found.verdict, Verdict::Known { .. }) => return found,
                    found => known = known.or(Some(found)),
                }
            }
        }
    }
    match (looked_at, known) {
        (0, _) => nothing_handed(),
        (_, Some(known)) => known,
        _ => Judged::pass(
            format!("{looked_at} batches, {suspensions} messages suspended, none overtaken"),
            format!("{looked_at} 批，暂停 {suspensions} 条，没有被越过"),
        ),
    }
}

/// The broker grants another's queue when its lease is older. Source: `RebalanceLockManager`.
const LEASE: Span = Span::from_secs(60);
/// The weakness of leases: K07.
const LEASES: u8 = 7;
/// Who finds that it has no fresh lock asks for it so much later at the earliest.
const ASKS: Span = Span::from_millis(10);
/// How often a lease is renewed, with a margin for the road.
const RENEWALS: Span = Span::from_secs(30);
/// No batch begins when the last grant is older; so whoever is overtaken by a lease's end began at least so long before.
const MARGIN: Span = Span::from_secs(30);
/// Until when the nodes of a plan have booted that it starts with.
const FIRST_BOOTS: Time = Time(1_000_000_000);
/// Until a change of members has had all its effects: a silent member's 130 s, a rebalance, a lock.
const SETTLES: Span = Span::from_secs(240);
