//! G64: the checkpoint against what it speaks for.

use std::collections::BTreeMap;

use crate::lab::check::storage::told::said;
use crate::lab::check::storage::{Breach, G64, Seen};
use crate::lab::oracle::checkpoint::{Checkpoint, NAME};
use crate::lab::oracle::layout::Layout;
use crate::lab::oracle::log::{Piece, Walk, with_record};
use crate::lab::oracle::queue::{Queue, Slot, Unit};
use crate::lab::oracle::record::Record;

pub(super) fn is_safe(stable: Seen<'_>) -> Vec<Breach> {
    let layout = Layout::of(stable.files);
    let checkpoint = Checkpoint::read(stable.files);
    let time = checkpoint.recovery_time();
    if time == 0 || layout.log.is_empty() {
        return Vec::new();
    }
    let (last, lacking) = settled(stable, &layout);
    let mut breaches = Vec::new();
    let mut breach = |clause, sentence| {
        breaches.push(Breach { guarantee: G64, clause, file: NAME.to_owned(), offset: 0, sentence });
    };
    if last.is_some_and(|last| last < time) {
        let last = last.unwrap_or(0);
        let sentence = said(
            format!(
                "the checkpoint says that all is there up to {time}, the last record with a unit was stored at {last}"
            ),
            format!("检查点声称 {time} 之前的都已落盘，而最后一条有队列项的记录存储于 {last}"),
        );
        breach("time", sentence);
    }
    if let Some((at, stored)) = lacking {
        let start = start(stable, &layout, time);
        if at < start {
            let sentence = said(
                format!("a recovery begins at {start}, and the record at {at}, stored at {stored}, has no unit"),
                format!("恢复从 {start} 开始，而 {at} 处（存储于 {stored}）的记录没有队列项"),
            );
            breach("start", sentence);
        }
    }
    breaches
}

/// The latest store time of the records in front of the first without its unit, and that one's place and time.
fn settled(stable: Seen<'_>, layout: &Layout) -> (Option<i64>, Option<(u64, i64)>) {
    let mut walk = Walk::new(stable.files, &layout.log);
    let mut queues: Queues<'_> = BTreeMap::new();
    for ((topic, number), segments) in &layout.queues {
        queues.entry(topic).or_default().insert(*number, Queue::new(stable.files, segments));
    }
    let mut last = None;
    loop {
        match walk.advance() {
            Piece::Record(record) if record.is_queued() && !has_unit(&mut queues, &record) => {
                return (last, Some((record.at, record.stored())));
            }
            // Behind a clock that was set back records are older than those in front of them, which are there as well.
            Piece::Record(record) => last = last.max(Some(record.stored())),
            Piece::Blank { .. } => {}
            Piece::Flawed { .. } | Piece::Empty { .. } | Piece::Gap { .. } | Piece::End { .. } => return (last, None),
        }
    }
}

/// By topic and number.
type Queues<'a> = BTreeMap<&'a str, BTreeMap<i32, Queue<'a>>>;

fn has_unit(queues: &mut Queues<'_>, record: &Record<'_>) -> bool {
    let of_topic = queues.get_mut(&*String::from_utf8_lossy(record.topic));
    let Some(queue) = of_topic.and_then(|own| own.get_mut(&record.queue())) else { return false };
    let slot = queue.slot(record.queue_offset());
    matches!(slot, Slot::Unit(Unit { at, size, .. }) if at == record.at && size == record.size())
}

/// Where a recovery after a crash begins: the last file whose first record was stored by then, else the first file.
fn start(stable: Seen<'_>, layout: &Layout, time: i64) -> u64 {
    let is_due = |at: u64| {
        let stored = with_record(stable.files, &layout.log, at, |record| record.stored());
        stored.is_some_and(|stored| stored != 0 && stored <= time)
    };
    let begin = layout.log.first().map_or(0, |segment| segment.start);
    layout.log.iter().rev().map(|segment| segment.start).find(|at| is_due(*at)).unwrap_or(begin)
}
