//! What can be counted: copies, failed sends, frames, events.

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::letters::{Outcome, label};
use crate::lab::check::transactions::{Logged, TransactionSeen};
use crate::lab::fault::episode::{EventMatch, Trigger};
use crate::lab::fault::moment;
use crate::lab::scenario::count::CountRule;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Road, What};
use crate::mq::message::Name;
use crate::mq::message::property::names;
use crate::mq::time::Span;

/// How many copies of messages the logs hold at the end.
pub(super) fn stored(history: &History, (key, topic): (Option<&str>, Option<&str>), count: &CountRule) -> Judged {
    if history.brokers.is_empty() {
        return Judged::inconclusive("no broker has a disk", "没有 Broker 磁盘");
    }
    let is_it = |record: &crate::lab::oracle::store::LogRecord| {
        key.is_none_or(|key| record.properties.get(names::KEYS).is_some_and(|own| own == key))
            && topic.is_none_or(|topic| *record.topic == *topic)
    };
    let found = history.copies().filter(|(_, record)| is_it(record)).count() as u64;
    let (en, zh) = (format!("{found} stored, expected {count}"), format!("存储 {found} 条，预期 {count}"));
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", Vec::new(), en, zh),
    }
}

/// How many records the logs hold of messages in transactions: half ones, their copies, true ones, and notes.
pub(super) fn records(history: &History, key: Option<&str>, count: &CountRule) -> Judged {
    if history.transactions.seen.is_empty() {
        return Judged::inconclusive("there is no transaction", "没有事务");
    }
    let mut found = 0;
    for broker in &history.brokers {
        let is_it = |seen: &&TransactionSeen| key.is_none_or(|key| seen.key == key);
        for seen in history.transactions.seen.iter().filter(is_it) {
            let logged = Logged::of(broker, &seen.id);
            found += (logged.halves.len() + logged.finals.len() + logged.notes.len()) as u64;
        }
    }
    let (en, zh) = (format!("{found} records, expected {count}"), format!("共 {found} 条记录，预期 {count}"));
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", Vec::new(), en, zh),
    }
}

/// How often applications were asked how a transaction ended.
pub(super) fn check_backs(history: &History, key: Option<&str>, count: &CountRule) -> Judged {
    if history.transactions.seen.is_empty() {
        return Judged::inconclusive("there is no transaction", "没有事务");
    }
    let is_it = |seen: &&TransactionSeen| key.is_none_or(|key| seen.key == key);
    let checks = history.transactions.seen.iter().filter(is_it).flat_map(|seen| &seen.checks);
    let witness: Vec<_> = checks.map(|check| check.seq).collect();
    let found = witness.len() as u64;
    let (en, zh) = (format!("asked {found} times, expected {count}"), format!("回查 {found} 次，预期 {count}"));
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", witness, en, zh),
    }
}

/// How many sends ended with an exception of this class or text.
pub(super) fn send_fails(history: &History, error: &str, count: &CountRule) -> Judged {
    if history.sends.is_empty() {
        return Judged::inconclusive("nothing was sent", "没有发送");
    }
    let mut witness = Vec::new();
    let mut first = None;
    for send in &history.sends {
        let Outcome::Failed(seq, exception) = &send.outcome else { continue };
        if exception.text.contains(error) || exception.kind.as_str().contains(error) {
            witness.push(*seq);
            first.get_or_insert_with(|| format!("{}: {} attempts", label(send), exception.attempts));
        }
    }
    let found = witness.len() as u64;
    let first = first.map_or_else(String::new, |first| format!(" ({first})"));
    let en = format!("{found} sends failed with \"{error}\", expected {count}{first}");
    let zh = format!("{found} 次发送以 \"{error}\" 失败，预期 {count}{first}");
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", witness, en, zh),
    }
}

/// How many frames of a code arrived at a node.
pub(super) fn frames(trace: &Trace, to: &Name, frame: &str, count: &CountRule) -> Judged {
    let Some(node) = trace.node(to) else {
        return Judged::inconclusive("there is no such node", "没有这个节点");
    };
    let mut witness = Vec::new();
    let mut any = false;
    for record in trace.records() {
        // Where frames that leave are kept, all are; where not, some of those that arrive.
        any |= matches!(record.what, What::Road(Road::Sent { .. }));
        if let (Some(at), What::Road(Road::Arrived { frame: note, .. })) = (record.node, &record.what)
            && at == node
            && note.label == frame
        {
            witness.push(record.seq);
        }
    }
    if !any {
        return Judged::inconclusive("no frame was recorded", "没有记录到任何帧");
    }
    let found = witness.len() as u64;
    let en = format!("{found} frames {frame} arrived at {to}, expected {count}");
    let zh = format!("{to} 收到 {found} 个 {frame} 帧，预期 {count}");
    match count.allows(found) {
        true => Judged::pass(en, zh),
        false => Judged::violation("count", witness, en, zh),
    }
}

/// Whether an event happened at all.
pub(super) fn sometimes(trace: &Trace, event: &EventMatch) -> Judged {
    let moment = Trigger::After { event: event.clone(), nth: 1, before: true, delay: Span::ZERO };
    match moment::find(&moment, trace) {
        Some(step) => Judged::pass(format!("it happened, first at #{step}"), format!("发生过，第一次在 #{step}")),
        None => Judged::inconclusive("it never happened, so nothing was shown", "从未发生，什么也没有证明"),
    }
}
