//! G03 no phantom, and G05 one offset, one content.

use std::cell::OnceCell;

use indexmap::map::Entry;

use crate::lab::check::Judged;
use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::history::{CopySeen, History};
use crate::lab::check::ids::{By, Id, Ids};
use crate::lab::check::letters::Outcome;
use crate::lab::check::wording::{Content, content_of, content_of_copy};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::time::{Millis, Time};

/// Every copy and every delivery is of a message whose send was called before, and a send that was refused stores nothing.
pub(super) fn no_phantom(history: &History) -> Judged {
    let sent = Sent { history, contents: OnceCell::new() };
    // What the medium made of a record, and what was copied of that, nobody sent: G03 is promised of everything else (F5).
    let flipped = history.copies_seen().filter(|copy| history.signs.is_flipped(copy.node, copy.record));
    let rotten: Ids = flipped.filter_map(|copy| copy.id).collect();
    let mut looked_at = 0;
    for delivery in &history.deliveries {
        for (place, brief) in delivery.brief.iter().enumerate() {
            looked_at += 1;
            let known = match brief.id.filter(|_| brief.is_as_sent) {
                Some(id) => sent.by(id, delivery.seq),
                None => sent.says(&content_of(&delivery.messages[place].message)),
            };
            match known {
                Some((seq, refused)) if seq < delivery.seq && !refused => {}
                _ if brief.id.is_some_and(|id| rotten.contains(id)) => {}
                known => {
                    let clause = if known.is_some_and(|(_, refused)| refused) { "refused" } else { "never sent" };
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
    let is_whole = |copy: &CopySeen<'_>| {
        !history.signs.is_flipped(copy.node, copy.record) && !copy.id.is_some_and(|id| rotten.contains(id))
    };
    for CopySeen { id, is_as_sent, record, .. } in history.copies_seen().filter(is_whole) {
        looked_at += 1;
        let known = match id.filter(|_| is_as_sent) {
            Some(id) => sent.by(id, Seq(u64::MAX)),
            None => sent.says(&content_of_copy(record)),
        };
        if known.is_none_or(|(_, refused)| refused) && !is_own(&record.topic) {
            let clause = if known.is_some() { "refused" } else { "never sent" };
            let en = format!("the log holds a message at {} that was {clause}", record.at);
            let zh = format!("日志 {} 处有一条从未发送（或已被拒绝）的消息", record.at);
            return Judged::violation(clause, known.map(|(seq, _)| seq).into_iter().collect(), en, zh);
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

/// What was sent.
struct Sent<'a> {
    history: &'a History,
    contents: OnceCell<Contents<'a>>,
}

/// What the calls said: made only where a message is not known by its key.
struct Contents<'a> {
    /// When each content was first sent, and whether every send of it was refused.
    known: By<Content<'a>, (Seq, bool)>,
    /// Which of them each send has.
    of_sends: Vec<usize>,
}

impl<'a> Contents<'a> {
    fn of(history: &'a History) -> Contents<'a> {
        let mut known: By<Content<'_>, (Seq, bool)> = By::default();
        let of_sends = history.sends.iter().map(|send| {
            let refused = matches!(&send.outcome, Outcome::Failed(_, error) if error.provably_not_stored);
            let entry = known.entry(content_of(&send.message));
            let place = entry.index();
            entry.or_insert((send.seq, true)).1 &= refused;
            place
        });
        let of_sends = of_sends.collect();
        Contents { known, of_sends }
    }
}

impl<'a> Sent<'a> {
    fn contents(&self) -> &Contents<'a> {
        self.contents.get_or_init(|| Contents::of(self.history))
    }

    /// What is known of the content of an acknowledged message, before a record: its own call was not refused, and if it came
    /// later, an earlier one may have said the same.
    fn by(&self, id: Id, before: Seq) -> Option<(Seq, bool)> {
        let send = self.history.sent(id)?;
        if send.seq < before {
            return Some((send.seq, false));
        }
        let contents = self.contents();
        contents.known.get_index(contents.of_sends[send.number - 1]).map(|(_, known)| *known)
    }

    /// What is known of a content.
    fn says(&self, content: &Content<'_>) -> Option<(Seq, bool)> {
        self.contents().known.get(content).copied()
    }
}

/// Topics that the release writes by itself.
fn is_own(topic: &str) -> bool {
    topic.starts_with("RMQ_SYS_") || topic == SCHEDULE_TOPIC || topic == "OFFSET_MOVED_EVENT"
}

/// True time of a store time, if no clock was set. A damaged record says anything: numbers stop after some thirty years.
pub(super) fn true_time(stored: i64, start: Millis) -> Time {
    Time(stored.saturating_sub(start.0).clamp(0, 1 << 40) as u64 * 1_000_000)
}

/// A queue of one epoch: broker, topic, queue.
type Lane<'a> = (NodeId, &'a str, i32, Epoch);
/// How many power losses, or boots after a failed sync, and how many deletions were before.
type Epoch = (usize, usize);

/// Within one epoch of a queue, everything seen at one offset is one message. A power loss begins a new epoch: recovery may
/// have cut the queue, and its numbers are given again. So does the deletion of its topic, and a boot after a sync that
/// failed: some file systems drop the pages then, and recovery finds what the disk has.
pub(super) fn offset_agreement(history: &History, trace: &Trace) -> Judged {
    let mut seen = Offsets::default();
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
    for (send, seq, at, result) in history.acked() {
        let Some(node) = trace.node(&result.queue.broker) else { continue };
        let queue = &result.queue;
        // The result of a delayed message names its own queue, and its place in the schedule topic's.
        if send.is_delayed {
            continue;
        }
        let Some(epoch) = epoch(node, &queue.topic, send.at, at) else { continue };
        seen.see((node, &queue.topic, queue.queue_id, epoch), result.queue_offset.0, send.id, seq);
    }
    let brokers: Vec<Option<NodeId>> =
        history.lanes().map(|queue| trace.node(&queue.broker).filter(|node| is_told(*node))).collect();
    for delivery in &history.deliveries {
        let Some(node) = brokers[delivery.lane] else { continue };
        let queue = &delivery.queue;
        for message in &*delivery.brief {
            // Pulled before a power loss, a message may be handed over after it: its store time tells its epoch.
            let stored = true_time(message.stored, trace.header.start);
            let at = delivery.at.min(stored + crate::mq::time::Span::from_millis(1));
            let Some(epoch) = epoch(node, &queue.topic, stored.min(at), at) else { continue };
            seen.see((node, &queue.topic, queue.queue_id, epoch), message.offset, message.id, delivery.seq);
        }
    }
    for CopySeen { id, node, record, .. } in history.copies_seen().filter(|copy| is_told(copy.node)) {
        let stored = true_time(record.stored, trace.header.start);
        let at = stored + crate::mq::time::Span::from_millis(1);
        let Some(epoch) = epoch(node, &record.topic, stored, at) else { continue };
        seen.see((node, &record.topic, record.queue, epoch), record.queue_offset, id, Seq(u64::MAX));
    }
    if let Some(((_, topic, queue, _), offset, first, second)) = seen.clash {
        let witness = [first, second].into_iter().filter(|seq| seq.0 != u64::MAX).collect();
        return Judged::violation(
            "two messages",
            witness,
            format!("{topic}/{queue} offset {offset} was seen as two messages"),
            format!("{topic}/{queue} 的位点 {offset} 上出现了两条不同的消息"),
        );
    }
    match seen.count {
        0 => Judged::inconclusive("no offset was seen", "没有观察到任何位点"),
        count => Judged::pass(format!("{count} offsets, one message each"), format!("{count} 个位点，各对应一条消息")),
    }
}

/// What was seen at which offset.
#[derive(Default)]
struct Offsets<'a> {
    lanes: By<Lane<'a>, Vec<Option<(Id, Seq)>>>,
    /// Which message was seen at an offset of a lane, by its number, and where first; below [`NEAR`] in the lane itself.
    far: By<(usize, i64), (Id, Seq)>,
    /// At how many offsets something was seen.
    count: usize,
    /// The first offset at which another message was seen.
    clash: Option<(Lane<'a>, i64, Seq, Seq)>,
}

impl<'a> Offsets<'a> {
    fn see(&mut self, lane: Lane<'a>, offset: i64, id: Option<Id>, seq: Seq) {
        let Some(id) = id.filter(|_| self.clash.is_none()) else { return };
        let own = self.lanes.entry(lane);
        let number = own.index();
        let near = own.or_default();
        let new = || (id, seq);
        let (known, first) = match usize::try_from(offset) {
            Ok(offset) if offset < NEAR => {
                if near.len() <= offset {
                    near.resize(offset + 1, None);
                }
                self.count += usize::from(near[offset].is_none());
                *near[offset].get_or_insert_with(new)
            }
            _ => {
                let entry = self.far.entry((number, offset));
                self.count += usize::from(matches!(entry, Entry::Vacant(_)));
                *entry.or_insert_with(new)
            }
        };
        if known != id {
            self.clash = Some((lane, offset, first, seq));
        }
    }
}

/// Queues count from 0: offsets below this are looked up by themselves.
const NEAR: usize = 1 << 16;

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
