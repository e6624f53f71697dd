//! G03 no phantom, and G05 one offset, one content.

use crate::lab::check::Judged;
use crate::lab::check::history::{Content, History, Outcome, content_of, content_of_copy, uid};
use crate::lab::check::ids::{By, Ids};
use crate::lab::oracle::store::LogRecord;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::message::property::names;
use crate::mq::time::{Millis, Time};

/// Every copy and every delivery is of a message whose send was called before, and a send that was refused stores nothing.
pub(super) fn no_phantom(history: &History) -> Judged {
    // When a content was first sent, and whether every send of it was refused.
    let mut sent: By<Content<'_>, (Seq, bool)> = By::default();
    for send in &history.sends {
        let refused = matches!(&send.outcome, Outcome::Failed(_, error) if error.provably_not_stored);
        let entry = sent.entry(content_of(&send.message)).or_insert((send.seq, true));
        entry.1 &= refused;
    }
    // What the medium made of a record, and what was copied of that, nobody sent: G03 is promised of everything else (F5).
    let flipped = history.copies().filter(|(node, record)| history.signs.is_flipped(*node, record));
    let rotten: Ids<'_> = flipped.filter_map(|(_, record)| record.id()).collect();
    let mut looked_at = 0;
    for delivery in &history.deliveries {
        for message in &delivery.messages {
            looked_at += 1;
            match sent.get(&content_of(&message.message)) {
                Some((seq, refused)) if *seq < delivery.seq && !refused => {}
                _ if uid(&message.message).is_some_and(|id| rotten.contains(id)) => {}
                known => {
                    let clause = if known.is_some_and(|(_, refused)| *refused) { "refused" } else { "never sent" };
                    let witness = vec![delivery.seq];
                    return Judged::violation(
                        clause,
                        witness,
                        format!("a message was delivered that was {clause}"),
                        "投递了从未发送（或已被拒绝）的消息",
                    );
                }
            }
        }
    }
    let is_rotten = |record: &LogRecord| record.id().is_some_and(|id| rotten.contains(id));
    let is_whole =
        |(node, record): &(NodeId, &LogRecord)| !history.signs.is_flipped(*node, record) && !is_rotten(record);
    for (_, record) in history.copies().filter(is_whole) {
        looked_at += 1;
        let known = sent.get(&content_of_copy(record));
        if known.is_none_or(|(_, refused)| *refused) && !is_own(&record.topic) {
            let clause = if known.is_some() { "refused" } else { "never sent" };
            let en = format!("the log holds a message at {} that was {clause}", record.at);
            let zh = format!("日志 {} 处有一条从未发送（或已被拒绝）的消息", record.at);
            return Judged::violation(clause, known.map(|(seq, _)| *seq).into_iter().collect(), en, zh);
        }
    }
    match looked_at {
        0 => Judged::inconclusive("nothing was stored or delivered", "没有任何存储或投递"),
        _ => Judged::pass(
            format!("{looked_at} copies and deliveries looked at"),
            format!("检查了 {looked_at} 份副本与投递"),
        ),
    }
}

/// Topics that the release writes by itself.
fn is_own(topic: &str) -> bool {
    topic.starts_with("RMQ_SYS_") || topic == "SCHEDULE_TOPIC_XXXX" || topic == "OFFSET_MOVED_EVENT"
}

/// True time of a store time, if no clock was set. A damaged record says anything: numbers stop after some thirty years.
pub(super) fn true_time(stored: i64, start: Millis) -> Time {
    Time(stored.saturating_sub(start.0).clamp(0, 1 << 40) as u64 * 1_000_000)
}

/// A queue's place: broker, topic, queue, epoch, offset.
type Place<'a> = (NodeId, &'a str, i32, Epoch, i64);
/// How many power losses, or boots after a failed sync, and how many deletions were before.
type Epoch = (usize, usize);

/// Within one epoch of a queue, everything seen at one offset is one message. A power loss begins a new epoch: recovery may
/// have cut the queue, and its numbers are given again. So does the deletion of its topic, and a boot after a sync that
/// failed: some file systems drop the pages then, and recovery finds what the disk has.
pub(super) fn offset_agreement(history: &History, trace: &Trace) -> Judged {
    let mut seen: By<Place<'_>, (&str, Seq)> = By::default();
    let began = |node: NodeId, at: Time| {
        let losses = history.power_losses.iter().filter(|(n, _, t)| *n == node && *t < at).count();
        losses + history.sick.boots(history, node).filter(|boot| *boot < at).count()
    };
    // What was under way while an epoch began is of either.
    let epoch = |node: NodeId, topic: &str, from: Time, at: Time| -> Option<Epoch> {
        let losses = began(node, from);
        (losses == began(node, at)).then_some((losses, history.deletions.epoch(topic, from, at)?))
    };
    // Nor does a store time tell an epoch where a clock was set.
    let is_told = |node: NodeId| {
        began(node, Time::NEVER) == 0 || !history.clock_steps.iter().any(|(stepped, _)| *stepped == node)
    };
    let mut clash = None;
    let mut places: Vec<(Place<'_>, &str, Seq)> = Vec::new();
    for (send, seq, at, result) in history.acked() {
        let Some(node) = trace.node(&result.queue.broker) else { continue };
        let queue = &result.queue;
        // The result of a delayed message names its own queue, and its place in the schedule topic's.
        if send.message.properties.get(names::DELAY).is_some_and(|level| **level != *"0") {
            continue;
        }
        let Some(epoch) = epoch(node, &queue.topic, send.at, at) else { continue };
        let place = (node, &*queue.topic, queue.queue_id, epoch, result.queue_offset.0);
        places.push((place, &result.msg_id, seq));
    }
    for delivery in &history.deliveries {
        let Some(node) = trace.node(&delivery.queue.broker) else { continue };
        let queue = &delivery.queue;
        for message in delivery.messages.iter().filter(|_| is_told(node)) {
            let Some(uid) = uid(&message.message) else { continue };
            // Pulled before a power loss, a message may be handed over after it: its store time tells its epoch.
            let stored = true_time(message.store_timestamp.0, trace.header.start);
            let at = delivery.at.min(stored + crate::mq::time::Span::from_millis(1));
            let Some(epoch) = epoch(node, &queue.topic, stored.min(at), at) else { continue };
            let place = (node, &*queue.topic, queue.queue_id, epoch, message.queue_offset.0);
            places.push((place, uid, delivery.seq));
        }
    }
    for (node, record) in history.copies().filter(|(node, _)| is_told(*node)) {
        let Some(uid) = record.id() else { continue };
        let stored = true_time(record.stored, trace.header.start);
        let at = stored + crate::mq::time::Span::from_millis(1);
        let Some(epoch) = epoch(node, &record.topic, stored, at) else { continue };
        let place = (node, &*record.topic, record.queue, epoch, record.queue_offset);
        places.push((place, uid, Seq(u64::MAX)));
    }
    for (place, uid, seq) in places {
        let (known, first) = *seen.entry(place).or_insert((uid, seq));
        if known != uid {
            clash = Some((place, first, seq));
            break;
        }
    }
    if let Some(((_, topic, queue, _, offset), first, second)) = clash {
        let witness = [first, second].into_iter().filter(|seq| seq.0 != u64::MAX).collect();
        return Judged::violation(
            "two messages",
            witness,
            format!("{topic}/{queue} offset {offset} was seen as two messages"),
            format!("{topic}/{queue} 的位点 {offset} 上出现了两条不同的消息"),
        );
    }
    match seen.len() {
        0 => Judged::inconclusive("no offset was seen", "没有观察到任何位点"),
        count => Judged::pass(format!("{count} offsets, one message each"), format!("{count} 个位点，各对应一条消息")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_store_time_is_some_time() {
        let start = Millis(1_541_865_600_000);
        assert_eq!(true_time(start.0 + 7, start), Time(7_000_000));
        assert_eq!(true_time(i64::MIN, start), Time(0));
        assert!(Time(1 << 59) < true_time(i64::MAX, start));
    }
}
