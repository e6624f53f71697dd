//! G67: which files a clean-up removed.

use crate::lab::check::storage::boot::Image;
use crate::lab::check::storage::told::said;
use crate::lab::check::storage::{Breach, G67, Retention};
use crate::lab::locale::Phrase;
use crate::lab::oracle::index::IndexFile;
use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::log::with_record;
use crate::lab::oracle::queue::{Queue, Slot};

pub(super) fn is_safe(before: &Image<'_>, after: &Image<'_>, rule: &Retention) -> Vec<Breach> {
    let mut breaches = Vec::new();
    log(before, after, rule, &mut breaches);
    let first = after.layout.log.first().map_or(before.end, |segment| segment.start);
    queues(before, after, first, &mut breaches);
    index(before, after, first, &mut breaches);
    breaches
}

fn log(before: &Image<'_>, after: &Image<'_>, rule: &Retention, breaches: &mut Vec<Breach>) {
    let files = &before.layout.log;
    let gone = gone(files, &after.layout.log);
    let oldest_left = files.iter().find(|file| !gone.contains(file)).map(|file| file.start);
    for file in gone {
        if let Some(oldest) = oldest_left.filter(|oldest| *oldest < file.start) {
            let sentence = said(
                format!("the file is gone while the older one of {oldest} is there"),
                format!("该文件已删除，而更旧的 {oldest} 仍在"),
            );
            breaches.push(breach("order", file, sentence));
        }
        if before.end <= file.end() {
            let end = before.end;
            let sentence = said(
                format!("the file is gone that the log was being written to: it ended at {end}"),
                format!("正在写入的文件被删除：日志到 {end} 为止"),
            );
            breaches.push(breach("active", file, sentence));
        }
        // A file is written for the last time when the log rolls: when the next one's first record was stored.
        let rolled = with_record(before.seen.files, files, file.end(), |record| record.stored());
        let is_old = rolled.is_none_or(|rolled| rolled.saturating_add(rule.reserved) <= rule.now);
        let may_go = rule.forced || (rule.due && is_old);
        if !may_go {
            let (written, now) = (rolled.unwrap_or(0), rule.now);
            let sentence = said(
                format!("the file is gone before its time: it was written until {written}, the clean-up was at {now}"),
                format!("该文件未到期就被删除：写入到 {written}，清理发生在 {now}"),
            );
            breaches.push(breach("age", file, sentence));
        }
    }
}

fn queues(before: &Image<'_>, after: &Image<'_>, first: u64, breaches: &mut Vec<Breach>) {
    for (name, files) in &before.layout.queues {
        let left = after.layout.queues.get(name).map_or(&[][..], Vec::as_slice);
        for file in gone(files, left) {
            let alone = std::slice::from_ref(file);
            let mut queue = Queue::new(before.seen.files, alone);
            let in_log = first..before.end;
            let leads = |slot| matches!(slot, Slot::Unit(unit) if in_log.contains(&unit.at));
            if let Some(number) = queue.numbers().find(|number| leads(queue.slot(*number))) {
                let (topic, id) = name;
                let sentence = said(
                    format!("the file is gone although unit {number} of {topic}/{id} leads to a record that is there"),
                    format!("该文件已删除，但 {topic}/{id} 的第 {number} 项指向的记录仍在"),
                );
                breaches.push(breach("queue", file, sentence));
            }
        }
    }
}

fn index(before: &Image<'_>, after: &Image<'_>, first: u64, breaches: &mut Vec<Breach>) {
    let gone = gone(&before.layout.index, &after.layout.index);
    for file in IndexFile::all(before.seen.files, &before.layout.index) {
        let end = file.header.end_at;
        if gone.contains(&file.segment) && first as i64 <= end {
            let sentence = said(
                format!("the file is gone although its last entry leads to {end}, and the log begins at {first}"),
                format!("该文件已删除，但它的最后一个条目指向 {end}，而日志从 {first} 开始"),
            );
            breaches.push(breach("index", file.segment, sentence));
        }
    }
}

fn gone<'a>(before: &'a [Segment], after: &[Segment]) -> Vec<&'a Segment> {
    before.iter().filter(|file| !after.iter().any(|other| other.path == file.path)).collect()
}

fn breach(clause: &'static str, file: &Segment, sentence: Phrase) -> Breach {
    Breach { guarantee: G67, clause, file: file.path.clone(), offset: 0, sentence }
}
