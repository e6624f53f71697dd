//! G63: a store before and after a boot.

use std::collections::BTreeSet;

use crate::lab::check::storage::log::place;
use crate::lab::check::storage::told::said;
use crate::lab::check::storage::{Breach, G63, LogEnd, Seen};
use crate::lab::locale::Phrase;
use crate::lab::oracle::Files;
use crate::lab::oracle::layout::{Layout, QueueName, Segment};
use crate::lab::oracle::log::{Piece, Walk};
use crate::lab::oracle::queue::{Queue, Slot};

/// A store with the border of its log.
pub(super) struct Image<'a> {
    pub(super) seen: Seen<'a>,
    pub(super) layout: Layout,
    pub(super) begin: u64,
    pub(super) end: u64,
}

impl<'a> Image<'a> {
    pub(super) fn of(seen: Seen<'a>) -> Image<'a> {
        let layout = Layout::of(seen.files);
        let begin = layout.log.first().map_or(0, |segment| segment.start);
        let end = match seen.end {
            LogEnd::At(end) => end,
            _ => whole_to(seen.files, &layout, u64::MAX),
        };
        Image { seen, layout, begin, end }
    }

    fn breach(&self, clause: &'static str, at: u64, sentence: Phrase) -> Breach {
        let (file, offset) = place(&self.layout, at);
        Breach { guarantee: G63, clause, file, offset, sentence }
    }

    /// How far a queue goes: to the first slot without a unit in front of the log's end.
    fn queue_end(&self, name: &QueueName) -> i64 {
        if let Some(ends) = self.seen.queue_ends {
            return ends.get(name).copied().unwrap_or(0);
        }
        let Some(segments) = self.layout.queues.get(name) else { return 0 };
        let mut queue = Queue::new(self.seen.files, segments);
        let mut end = queue.begin();
        for number in queue.numbers() {
            match queue.slot(number) {
                Slot::Unit(unit) if unit.at < self.end => end = number + 1,
                Slot::Filler => end = number + 1,
                _ => break,
            }
        }
        end
    }
}

/// One past the last record of the log up to which everything is whole, at most `most`. A blank that nothing follows does not
/// count: some recoveries end the log in front of it.
fn whole_to(files: &dyn Files, layout: &Layout, most: u64) -> u64 {
    let mut walk = Walk::new(files, &layout.log);
    let mut end = walk.at();
    loop {
        match walk.advance() {
            Piece::Record(record) if record.end() <= most => end = record.end(),
            Piece::Blank { .. } => {}
            _ => return end,
        }
    }
}

/// The first byte of a range of the log that differs between two stores; what one of them does not have differs.
pub(super) fn first_difference(
    (ours, layout): (&dyn Files, &Layout),
    (theirs, their_layout): (&dyn Files, &Layout),
    (from, to): (u64, u64),
) -> Option<u64> {
    let (mut at, step) = (from, STEP.min(ours.ahead()).min(theirs.ahead()) as u64);
    while at < to {
        let (Some(own), Some(their)) = (holder(layout, at), holder(their_layout, at)) else { return Some(at) };
        let end = to.min(own.end()).min(their.end()).min(at + step);
        let len = (end - at) as usize;
        let (a, b) = (ours.read(&own.path, at - own.start, len), theirs.read(&their.path, at - their.start, len));
        if a != b {
            let same = a.iter().zip(b.iter()).take_while(|(a, b)| a == b).count();
            return Some(at + same as u64);
        }
        at = end;
    }
    None
}

fn holder(layout: &Layout, at: u64) -> Option<&Segment> {
    layout.log.iter().find(|segment| (segment.start..segment.end()).contains(&at))
}

pub(super) fn recovered(cached: &Image<'_>, stable: &dyn Files, booted: &Image<'_>) -> Vec<Breach> {
    let mut breaches = keeps_stable(cached, stable, booted);
    if cached.end < booted.end {
        let (end, before) = (booted.end, cached.end);
        let sentence = said(
            format!("after the boot the log ends at {end}, at the crash it ended at {before}"),
            format!("启动后日志到 {end} 为止，崩溃时到 {before} 为止"),
        );
        breaches.push(booted.breach("prefix", before, sentence));
    }
    let (mut from, to) = (cached.begin.max(booted.begin), cached.end.min(booted.end));
    while let Some(at) = first_difference(image(booted), image(cached), (from, to)) {
        if let Some(end) = end_of_filler(cached, at) {
            from = end;
            continue;
        }
        let sentence = said(
            format!("after the boot the log has another byte at {at} than at the crash"),
            format!("启动后日志在 {at} 处的字节与崩溃时不同"),
        );
        breaches.push(booted.breach("prefix", at, sentence));
        break;
    }
    breaches
}

/// Where a blank ends that has `at` behind its own eight bytes: what stands there is whatever was at hand.
fn end_of_filler(store: &Image<'_>, at: u64) -> Option<u64> {
    let mut walk = Walk::new(store.seen.files, &store.layout.log);
    loop {
        match walk.advance() {
            Piece::Record(record) if record.end() <= at => {}
            Piece::Blank { at: blank, room, .. } if blank + room <= at => {}
            Piece::Blank { at: blank, room, .. } if blank + BLANK_OWN <= at => return Some(blank + room),
            _ => return None,
        }
    }
}

pub(super) fn keeps_stable(cached: &Image<'_>, stable: &dyn Files, later: &Image<'_>) -> Vec<Breach> {
    let stable_layout = Layout::of(stable);
    let unstable = first_difference((stable, &stable_layout), image(cached), (cached.begin, cached.end));
    let promised = whole_to(stable, &stable_layout, unstable.unwrap_or(cached.end));
    let kept = match first_difference(image(later), (stable, &stable_layout), (later.begin, promised)) {
        Some(at) => at.min(later.end),
        None => later.end,
    };
    if promised <= kept || promised <= later.begin {
        return Vec::new();
    }
    let sentence = said(
        format!("the log was stable up to {promised} at the crash, what is there now is the same up to {kept} only"),
        format!("崩溃时日志到 {promised} 为止已落盘，如今只到 {kept} 为止仍相同"),
    );
    vec![later.breach("lost", kept, sentence)]
}

pub(super) fn idempotent(once: &Image<'_>, twice: &Image<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if once.end != twice.end {
        let (first, second) = (once.end, twice.end);
        let sentence = said(
            format!("the first boot ended the log at {first}, the second at {second}"),
            format!("第一次启动后日志到 {first} 为止，第二次到 {second} 为止"),
        );
        breaches.push(twice.breach("log end", first.min(second), sentence));
    }
    same_log(once, twice, &mut breaches);
    same_queues(once, twice, false, &mut breaches);
    breaches
}

pub(super) fn loses_nothing(stopped: &Image<'_>, booted: &Image<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if booted.end < stopped.end {
        let (now, before) = (booted.end, stopped.end);
        let sentence = said(
            format!("after the boot the log ends at {now}, at the clean stop it ended at {before}"),
            format!("启动后日志到 {now} 为止，正常停止时到 {before} 为止"),
        );
        breaches.push(booted.breach("log end", now, sentence));
    }
    same_log(stopped, booted, &mut breaches);
    same_queues(stopped, booted, true, &mut breaches);
    breaches
}

fn same_log(before: &Image<'_>, after: &Image<'_>, breaches: &mut Vec<Breach>) {
    let range = (before.begin.max(after.begin), before.end.min(after.end));
    if let Some(at) = first_difference(image(after), image(before), range) {
        let sentence =
            said(format!("the boot changed the log's byte at {at}"), format!("启动改变了日志 {at} 处的字节"));
        breaches.push(after.breach("log", at, sentence));
    }
}

/// Queues go as far and hold the same; `may_grow` lets them go further.
fn same_queues(before: &Image<'_>, after: &Image<'_>, may_grow: bool, breaches: &mut Vec<Breach>) {
    let names: BTreeSet<&QueueName> = before.layout.queues.keys().chain(after.layout.queues.keys()).collect();
    for name in names {
        let (old_end, new_end) = (before.queue_end(name), after.queue_end(name));
        let (topic, queue) = name;
        let mut breach = |number: i64, sentence| {
            let files = after.layout.queues.get(name);
            let place = files.and_then(|segments| {
                let (path, at) = Queue::new(after.seen.files, segments).place(number)?;
                Some((path.to_owned(), at))
            });
            let (file, offset) = place.unwrap_or((format!("consumequeue/{topic}/{queue}"), 0));
            breaches.push(Breach { guarantee: G63, clause: "queue", file, offset, sentence });
        };
        if new_end < old_end || (old_end < new_end && !may_grow) {
            let sentence = said(
                format!("{topic}/{queue} went to {old_end} and goes to {new_end} after the boot"),
                format!("{topic}/{queue} 原来到 {old_end} 为止，启动后到 {new_end} 为止"),
            );
            breach(old_end.min(new_end), sentence);
        }
        let (Some(old), Some(new)) = (before.layout.queues.get(name), after.layout.queues.get(name)) else { continue };
        let (mut old, mut new) = (Queue::new(before.seen.files, old), Queue::new(after.seen.files, new));
        let numbers = old.begin().max(new.begin())..old_end.min(new_end);
        if let Some(number) = numbers.clone().find(|number| old.slot(*number) != new.slot(*number)) {
            let sentence = said(
                format!("the boot changed unit {number} of {topic}/{queue}"),
                format!("启动改变了 {topic}/{queue} 的第 {number} 项"),
            );
            breach(number, sentence);
        }
    }
}

fn image<'a>(image: &'a Image<'_>) -> (&'a dyn Files, &'a Layout) {
    (image.seen.files, &image.layout)
}

/// Bytes of a blank record that mean something.
const BLANK_OWN: u64 = 8;
/// Bytes compared at once.
const STEP: usize = 256 << 10;
