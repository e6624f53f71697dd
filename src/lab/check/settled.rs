//! G10 to G13: half messages are invisible, end as their transactions did, are settled in time, and are asked for by the rules.
//!
//! Judged from the callbacks of listeners, the applications' ledgers, deliveries, and the disks at the end.

use std::collections::BTreeSet;

use crate::lab::check::Judged;
use crate::lab::check::delivery::is_severed;
use crate::lab::check::fate::{Fate, Limits, fate};
use crate::lab::check::history::{BrokerSeen, History};
use crate::lab::check::transactions::{CheckSeen, Logged, TransactionSeen};
use crate::lab::fault::episode::FaultKind;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{LocalOutcome, LocalState, SendStatus};
use crate::mq::message::Name;
use crate::mq::message::property::names as properties;
use crate::mq::time::{Span, Time};

/// What a round and the roads take besides.
const SLACK: Span = Span::from_secs(60);

/// No consumer sees a message before its transaction was said to be committed, and none that was never said to be.
pub(super) fn half_invisible(history: &History) -> Judged {
    let mut looked_at = 0;
    for delivery in &history.deliveries {
        for message in &delivery.messages {
            let own = &message.message.properties;
            if own.get(properties::TRAN_MSG).is_none() {
                continue;
            }
            looked_at += 1;
            let id = own.get(properties::UNIQ_KEY).cloned().unwrap_or_default();
            let seen = history.transactions.seen.iter().find(|seen| seen.id == id);
            let said = seen.and_then(|seen| seen.said(LocalState::Commit));
            if said.is_none_or(|said| delivery.seq < said) {
                let clause = if said.is_some() { "too early" } else { "not committed" };
                let witness = seen.map(|seen| seen.seq).into_iter().chain([delivery.seq]).collect();
                let name = seen.map_or_else(|| id.to_string(), |seen| seen.key.to_string());
                let en = format!("{name} was delivered and nobody had committed it");
                return Judged::violation(clause, witness, en, format!("{name} 未提交就被投递"));
            }
        }
    }
    match (looked_at, history.transactions.seen.len()) {
        (0, 0) => Judged::inconclusive("there is no transaction", "没有事务"),
        (_, seen) => Judged::pass(
            format!("{looked_at} deliveries of {seen} transactions, each committed before"),
            format!("{seen} 个事务共 {looked_at} 次投递，都在提交之后"),
        ),
    }
}

/// What the ledgers say of a transaction and what became of its message agree, and its broker is told how it ended.
///
/// Contradictory answers of the applications are their own fault and are passed over; what still waits is not judged yet.
/// What a registered weakness that is not repaired explains is known (K11, K21).
pub(super) fn transaction_atomic(history: &History, plan: &Plan) -> Judged {
    let limits = Limits::of(plan);
    let (mut agree, mut open, mut known) = (0, 0, None);
    for seen in &history.transactions.seen {
        if let Some(executed) = seen.executed
            && seen.half.is_some_and(|half| half != SendStatus::SendOk)
        {
            let key = &seen.key;
            return Judged::violation(
                "on an unsafe half",
                vec![seen.seq, executed],
                format!("{key} ran although its half message was not stored as asked for"),
                format!("{key} 的半消息未按要求存好，本地事务却执行了"),
            );
        }
        // Several are booked under one key: where none was run for this half message, the line is that of another.
        let own = history.transactions.booked(&seen.key).filter(|_| seen.executed.is_some());
        let mut booked: Vec<(Seq, &str)> = own.map(|(seq, value)| (seq, value.as_str())).collect();
        let said = |state| seen.said(state).map(|seq| (seq, LocalState::word(state)));
        booked.extend([said(LocalState::Commit), said(LocalState::Rollback)].into_iter().flatten());
        let commits = booked.iter().any(|(_, value)| *value == "commit");
        let rolls_back = booked.iter().any(|(_, value)| *value == "rollback");
        let (fate, weakness) = fate(history, seen, &limits);
        let wrong = match (commits, rolls_back, fate) {
            (true, true, _) | (_, _, Fate::Lost) => continue,
            (true, false, Fate::Committed) | (false, true, Fate::RolledBack) => None,
            (true, false, Fate::RolledBack) => {
                Some(("rolled back", "is committed and was rolled back", "已提交却被回滚"))
            }
            (true, false, Fate::GivenUp) => Some(("given up", "is committed and was given up", "已提交却被放弃")),
            (true, false, Fate::Forgotten) => Some(("forgotten", "is committed and was forgotten", "已提交却被遗忘")),
            (true, false, Fate::Diverted) => {
                Some(("diverted", "is committed and stays in the schedule topic", "已提交却留在延时主题"))
            }
            (false, true, Fate::Committed) => Some(("committed", "is rolled back and was committed", "已回滚却被提交")),
            (false, false, Fate::Committed) => Some(("committed", "was committed by nobody", "没有人提交过")),
            (true, false, Fate::Pending) => {
                open += 1;
                continue;
            }
            (false, ..) => None,
        };
        let Some((clause, en, zh)) = wrong else {
            agree += 1;
            continue;
        };
        let witness = [seen.seq].into_iter().chain(booked.iter().map(|(seq, _)| *seq)).collect();
        let key = &seen.key;
        let judged = Judged::violation(clause, witness, format!("{key} {en}"), format!("{key} {zh}"));
        match weakness {
            None => return judged,
            Some(weakness) => known = known.or(Some(judged.known(weakness))),
        }
    }
    if let Some(told) = history.transactions.seen.iter().find_map(told_otherwise) {
        return told;
    }
    if let Some(known) = known {
        return known;
    }
    match (agree, open) {
        (0, 0) => Judged::inconclusive("no transaction was decided", "没有已决的事务"),
        (_, 0) => Judged::pass(
            format!("{agree} transactions, each as its ledger says"),
            format!("{agree} 个事务，都与账本一致"),
        ),
        (_, open) => Judged::inconclusive(
            &format!("{open} committed transactions still wait when the run ends"),
            &format!("运行结束时还有 {open} 个已提交的事务在等待"),
        ),
    }
}

/// A producer that told its broker something else than its local transaction had come to.
fn told_otherwise(seen: &TransactionSeen) -> Option<Judged> {
    let ((ran, told), key) = (seen.told_otherwise()?, &seen.key);
    Some(Judged::violation(
        "told otherwise",
        vec![seen.seq, ran, told],
        format!("the broker was told another end of {key} than its local transaction had come to"),
        format!("{key} 的本地事务结果与告知 Broker 的不同"),
    ))
}

/// Every half message is committed, rolled back or given up for a reason, in time after the last blow.
///
/// What a registered weakness that is not repaired explains is known (K11, K21, K22).
pub(super) fn transaction_resolved(history: &History, plan: &Plan) -> Judged {
    let limits = Limits::of(plan);
    let last_boot = history.up_since.values().max().copied().unwrap_or(Time::ZERO);
    let blows = history.power_losses.iter().chain(&history.deaths).map(|(_, _, at)| *at).max();
    let healed = last_boot.max(blows.unwrap_or(Time::ZERO));
    let rounds = limits.checks_max.saturating_add(1).max(1);
    let bound = Span::from_millis(limits.interval_ms.saturating_mul(rounds).max(0) as u64) + SLACK;
    let (mut resolved, mut open, mut known) = (0, 0, None);
    for seen in &history.transactions.seen {
        let (fate, weakness) = fate(history, seen, &limits);
        let clause = match fate {
            Fate::Committed | Fate::RolledBack | Fate::GivenUp => {
                resolved += 1;
                continue;
            }
            // Whether it may be lost is G01's question.
            Fate::Lost => continue,
            Fate::Forgotten => "forgotten",
            Fate::Diverted => "diverted",
            Fate::Pending if !can_be_resolved(history, plan, seen) => continue,
            Fate::Pending if healed.max(seen.at) + bound <= history.end => "not in time",
            Fate::Pending => {
                open += 1;
                continue;
            }
        };
        let witness = [seen.seq].into_iter().chain(seen.checks.iter().map(|check| check.seq)).collect();
        let (en, zh) = (format!("{} is {clause}", seen.key), format!("{} 没有结局：{clause}", seen.key));
        let judged = Judged::violation(clause, witness, en, zh);
        match weakness {
            None => return judged,
            Some(weakness) => known = known.or(Some(judged.known(weakness))),
        }
    }
    if let Some(known) = known {
        return known;
    }
    match (resolved, open) {
        (0, 0) => Judged::inconclusive("there is no transaction", "没有事务"),
        (_, 0) => Judged::pass(format!("all {resolved} are resolved"), format!("{resolved} 个事务都有结局")),
        (_, open) => Judged::inconclusive(
            &format!("{open} half messages still have time when the run ends"),
            &format!("运行结束时还有 {open} 条半消息未到期限"),
        ),
    }
}

/// Whether a broker that is up at the end holds the half message, and a producer is there that it can ask.
fn can_be_resolved(history: &History, plan: &Plan, seen: &TransactionSeen) -> bool {
    let is_there = |node: NodeId| {
        let reached = plan.nodes.get(usize::from(node.0)).is_some_and(|node| !is_severed(&node.name, plan));
        reached && history.up_since.contains_key(&node)
    };
    let holds = |broker: &BrokerSeen| !Logged::of(broker, &seen.id).halves.is_empty();
    let asked = plan.nodes.iter().enumerate().any(|(number, node)| match &node.kind {
        NodeKind::Client(client) => {
            is_there(NodeId(number as u16)) && client.producers.iter().any(|producer| producer.transactional)
        }
        _ => false,
    });
    asked && history.brokers.iter().any(|broker| is_there(broker.node) && holds(broker))
}

/// Nobody is asked too early, too often, in another group's name, or for what is settled.
pub(super) fn check_back(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let (limits, mut asked) = (Limits::of(plan), 0);
    for seen in history.transactions.seen.iter().filter(|seen| !seen.checks.is_empty()) {
        let logged: Vec<(&BrokerSeen, Logged<'_>)> =
            history.brokers.iter().map(|broker| (broker, Logged::of(broker, &seen.id))).collect();
        let lineages = history.brokers.iter().map(|broker| lineages(history, trace, broker, seen)).sum::<i64>().max(1);
        for (number, check) in seen.checks.iter().enumerate() {
            asked += 1;
            let clause = match () {
                () if limits.checks_max < check.times || limits.checks_max * lineages <= number as i64 => "too often",
                () if check.group != check.asked || !is_member(plan, trace, check) => "wrong group",
                () if is_early(history, trace, check, &limits) => "too early",
                () if is_settled_before((history, trace), seen, check, &logged) => "settled",
                () if is_committed_before((history, trace, plan), check, &logged) => "committed",
                () => continue,
            };
            let before = seen.checks[..number].last().map(|check| check.seq);
            let witness = [seen.seq].into_iter().chain(before).chain([check.seq]).collect();
            let en = format!("{} was asked for, number {}: {clause}", seen.key, number + 1);
            let zh = format!("{} 的第 {} 次回查不合规则：{clause}", seen.key, number + 1);
            return Judged::violation(clause, witness, en, zh);
        }
    }
    match asked {
        0 => Judged::inconclusive("nobody was asked", "没有发生回查"),
        _ => Judged::pass(format!("{asked} questions by the rules"), format!("{asked} 次回查都合规则")),
    }
}

/// How many lines of copies a half message can have in a broker's log, each of which is asked for on its own.
///
/// A producer that tried again has begun one more. The place up to which half messages were looked at may be behind when a
/// broker comes back, at the beginning even: it finds copies that it had looked at beside the last one, and from then on goes
/// on with all of them.
pub(super) fn lineages(history: &History, trace: &Trace, broker: &BrokerSeen, seen: &TransactionSeen) -> i64 {
    let halves = Logged::of(broker, &seen.id).halves;
    let born: BTreeSet<i64> = halves.iter().map(|half| half.born).collect();
    // Attempts within one millisecond are told apart by what no copy is without.
    let first = |half: &&&LogRecord| !half.properties.contains_key(properties::TRANSACTION_CHECK_TIMES);
    let begun = born.len().max(halves.iter().filter(first).count());
    let ends = history.deaths.iter().chain(&history.power_losses).filter(|(node, ..)| *node == broker.node);
    // What lost a page to a failed sync may have lost how often it had asked.
    let failures = history.sick.moments(broker.node);
    let last = ends.map(|(.., at)| *at).chain(failures).max();
    let is_before = |stored: i64| {
        let wall = |at: Time| trace.header.start.0 + (at.0 / 1_000_000) as i64;
        last.is_some_and(|last| stored <= wall(last) || !history.clock_steps.is_empty())
    };
    let left = halves.iter().filter(|half| is_before(half.stored)).count();
    (begun + left) as i64
}

fn is_member(plan: &Plan, trace: &Trace, check: &CheckSeen) -> bool {
    plan.nodes.iter().any(|node| match &node.kind {
        NodeKind::Client(client) => {
            *trace.name(check.node) == node.name
                && client.producers.iter().any(|producer| producer.group == check.group)
        }
        _ => false,
    })
}

/// Whether a question came before the half message's time. Where a wall clock was set nobody can say.
fn is_early(history: &History, trace: &Trace, check: &CheckSeen, limits: &Limits) -> bool {
    let wall = trace.header.start.0 + (check.at.0 / 1_000_000) as i64;
    let due = check.immunity.map_or(limits.time_out_ms, |seconds| seconds.saturating_mul(1_000));
    history.clock_steps.is_empty() && wall - check.born.0 < due
}

/// Whether a note that settles the transaction was stored well before the question.
fn is_settled_before(
    (history, trace): (&History, &Trace),
    seen: &TransactionSeen,
    check: &CheckSeen,
    logged: &[(&BrokerSeen, Logged<'_>)],
) -> bool {
    let wall = trace.header.start.0 + (check.at.0 / 1_000_000) as i64;
    // A note counts when it can be read: dispatched, and forced before that where this is waited for; a fault may hold it up.
    let fault = history.faults.iter().map(|(at, _)| *at).filter(|at| *at <= check.at).max().unwrap_or(Time::ZERO);
    let fault = trace.header.start.0 + (fault.0 / 1_000_000) as i64;
    let follows = IN_FLIGHT + history.waits_for_force.unwrap_or_default();
    let is_old = |stored: i64, by: i64| stored.max(fault) + follows.as_millis() as i64 <= by;
    let decided = seen.said.iter().any(|(seq, _, said)| {
        *seq < check.seq && matches!(said, LocalOutcome::State(LocalState::Commit | LocalState::Rollback))
    });
    let is_open = |(broker, logged): &(&BrokerSeen, Logged<'_>)| {
        // A producer that tried again has a half message in another place, which no note elsewhere settles.
        let mut line: Vec<&LogRecord> =
            logged.halves.iter().copied().filter(|half| half.born == check.born.0 && half.stored <= wall).collect();
        // The copy that is asked for was made in the same round, of the one before it: a note for that one is late if it was
        // not there yet, and names nothing that is looked at from then on.
        let Some(asked) = line.pop() else { return false };
        let by = if line.is_empty() { wall } else { asked.stored };
        let is_noted = |half: &LogRecord| {
            let names =
                |note: &LogRecord| std::str::from_utf8(&note.body).ok() == Some(&*half.queue_offset.to_string());
            logged.notes.iter().any(|note| names(note) && is_old(note.stored, by))
        };
        let ends = history.deaths.iter().chain(&history.power_losses);
        let may_fork = ends.into_iter().any(|(node, _, at)| *node == broker.node && *at <= check.at);
        match line.last() {
            None => !is_noted(asked),
            Some(_) if may_fork => line.iter().any(|half| !is_noted(half)),
            Some(before) => !is_noted(before),
        }
    };
    decided && history.clock_steps.is_empty() && !logged.iter().any(is_open)
}

/// Whether the true message lay in the log well before the broker asked, and nothing had kept it from noting that.
///
/// The note follows the message at once. A producer that tried again has a half message that is still open; a broker that ended
/// or whose disk was struck in between may not have come to its note.
fn is_committed_before(
    (history, trace, plan): (&History, &Trace, &Plan),
    check: &CheckSeen,
    logged: &[(&BrokerSeen, Logged<'_>)],
) -> bool {
    let first = |half: &&&LogRecord| !half.properties.contains_key(properties::TRANSACTION_CHECK_TIMES);
    let begun: usize = logged.iter().map(|(_, logged)| logged.halves.iter().filter(first).count()).sum();
    let holds = |(_, logged): &&(&BrokerSeen, Logged<'_>)| !logged.finals.is_empty();
    let Some((broker, logged)) = logged.iter().find(holds).filter(|_| begun == 1) else { return false };
    let is_up = |at: Time| at <= check.at;
    let mut ends = history.deaths.iter().chain(&history.power_losses);
    let ended = ends.any(|(node, _, at)| *node == broker.node && is_up(*at));
    let begun_by = |name: &Name| history.faults.iter().any(|(at, own)| own == name && is_up(*at));
    let strikes = |kind: &FaultKind| {
        matches!(kind, FaultKind::Disk { .. } | FaultKind::Pause { .. } | FaultKind::PauseService { .. })
    };
    let struck = plan.episodes.iter().any(|episode| strikes(&episode.kind) && begun_by(&episode.name));
    if ended || struck || history.sick.moments(broker.node).any(is_up) || !history.clock_steps.is_empty() {
        return false;
    }
    // It asks with a copy that it has made for that.
    let wall = trace.header.start.0 + (check.at.0 / 1_000_000) as i64;
    let asked = logged.halves.iter().rfind(|half| half.stored <= wall && !first(half));
    let committed = logged.finals.iter().map(|last| last.stored).min();
    let follows = (IN_FLIGHT + history.waits_for_force.unwrap_or_default()).as_millis() as i64;
    asked.zip(committed).is_some_and(|(asked, committed)| committed + follows <= asked.stored)
}

/// A question may be on its way while the answer to another is taken in.
const IN_FLIGHT: Span = Span::from_secs(2);
