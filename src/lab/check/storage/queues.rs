//! G61: every unit is the index of its record, and every record has its unit.
//!
//! The log is walked once. Each record looks into the slot that its queue offset names, which settles nearly every unit; the
//! slots that no record called its own are looked at afterwards, one by one.

use std::collections::BTreeMap;

use crate::lab::check::storage::log::place;
use crate::lab::check::storage::told::{Place, Told, said};
use crate::lab::check::storage::{G60, G61, LogEnd, Seen};
use crate::lab::locale::Phrase;
use crate::lab::oracle::config::Config;
use crate::lab::oracle::extension::Extension;
use crate::lab::oracle::layout::{Layout, QueueName, Segment};
use crate::lab::oracle::log::with_record;
use crate::lab::oracle::properties::Marks;
use crate::lab::oracle::queue::{Queue, Slot, UNIT, Unit};
use crate::lab::oracle::record::{Record, SCHEDULE_TOPIC};

/// All queues of a store.
pub(super) struct Queues<'a> {
    store: Seen<'a>,
    layout: &'a Layout,
    lines: Vec<Line<'a>>,
    by_topic: BTreeMap<Vec<u8>, BTreeMap<i32, usize>>,
    pub(super) own: u64,
}

/// One queue while the log is walked.
struct Line<'a> {
    name: QueueName,
    slots: Queue<'a>,
    /// Slots that a record has called its own, or that have been told of.
    seen: Vec<u64>,
    /// The number and record of the last unit that is its record's own.
    last: Option<(i64, u64)>,
    /// The number that the next record should have.
    next: Option<i64>,
    /// Records without a unit, since the last one with a unit.
    lacking: Lacking,
}

/// Records of one queue without their units.
#[derive(Default)]
struct Lacking {
    count: u64,
    /// The first of them: place and number.
    listed: Vec<(u64, i64)>,
}

impl<'a> Queues<'a> {
    pub(super) fn of(store: Seen<'a>, layout: &'a Layout, told: &mut Told) -> Queues<'a> {
        let mut queues = Queues { store, layout, lines: Vec::new(), by_topic: BTreeMap::new(), own: 0 };
        for (name, segments) in &layout.queues {
            files_fit(segments, told);
            queues.add(name.clone(), segments);
        }
        queues
    }

    fn add(&mut self, name: QueueName, segments: &'a [Segment]) -> usize {
        let at = self.lines.len();
        self.by_topic.entry(name.0.as_bytes().to_vec()).or_default().insert(name.1, at);
        let slots = Queue::new(self.store.files, segments);
        self.lines.push(Line { name, slots, seen: Vec::new(), last: None, next: None, lacking: Lacking::default() });
        at
    }

    fn line_of(&mut self, topic: &[u8], queue: i32) -> usize {
        let found = self.by_topic.get(topic).and_then(|queues| queues.get(&queue)).copied();
        found.unwrap_or_else(|| self.add((String::from_utf8_lossy(topic).into_owned(), queue), &[]))
    }

    /// The next record of the log.
    pub(super) fn record(&mut self, record: &Record<'_>, marks: &Marks<'_>, told: &mut Told) {
        if !record.is_queued() {
            return;
        }
        let line = self.line_of(record.topic, record.queue());
        let number = record.queue_offset();
        self.numbered(line, record, told);
        let slot = self.lines[line].slots.slot(number);
        match slot {
            Slot::Unit(unit) if unit.at == record.at => self.met(line, record, marks, &unit, told),
            Slot::Unit(unit) if record.at < unit.at && self.is_replaced(record) => {
                let sentence = replaced(&self.lines[line].name, number, record.at, unit.at);
                told.note("superseded", place(self.layout, record.at), sentence);
            }
            Slot::Unit(unit) if self.is_replaced(record) => {
                let sentence = repeats(&self.lines[line].name, number, record.at, unit.at);
                told.breach((G61, "missing"), place(self.layout, record.at), sentence);
            }
            Slot::Unit(unit) => {
                let line = &mut self.lines[line];
                line.mark(number);
                told.breach((G61, "unit"), line.place(number), points_elsewhere(&line.name, &unit, record.at));
            }
            Slot::Broken => {
                let line = &mut self.lines[line];
                line.mark(number);
                told.breach((G61, "hole"), line.place(number), broken(&line.name, number, Some(record.at)));
            }
            Slot::Empty | Slot::Filler => {
                let line = &mut self.lines[line];
                line.mark(number);
                line.lacking.count += 1;
                if line.lacking.listed.len() < LISTED_MAX {
                    line.lacking.listed.push((record.at, number));
                }
            }
        }
    }

    /// Some of the log could not be read: which number comes next is not known.
    pub(super) fn skipped(&mut self) {
        self.lines.iter_mut().for_each(|line| line.next = None);
    }

    /// Whether the slot of a record's number belongs to a later record that has the same number: the queue began anew.
    pub(super) fn is_replaced(&mut self, record: &Record<'_>) -> bool {
        if !record.is_queued() {
            return false;
        }
        let line = self.line_of(record.topic, record.queue());
        let Slot::Unit(unit) = self.lines[line].slots.slot(record.queue_offset()) else { return false };
        let own = (self.lines[line].name.clone(), record.queue_offset());
        unit.at != record.at && self.whose(&unit).is_some_and(|whose| whose == own)
    }

    /// The queue and number that the record of a unit names.
    fn whose(&self, unit: &Unit) -> Option<(QueueName, i64)> {
        let name = |record: &Record<'_>| {
            ((String::from_utf8_lossy(record.topic).into_owned(), record.queue()), record.queue_offset())
        };
        with_record(self.store.files, &self.layout.log, unit.at, name)
    }

    /// Numbers of one queue follow each other.
    fn numbered(&mut self, line: usize, record: &Record<'_>, told: &mut Told) {
        let (strict, number) = (matches!(self.store.end, LogEnd::At(_) | LogEnd::NeverCut), record.queue_offset());
        let line = &mut self.lines[line];
        match line.next {
            Some(next) if number < next => {
                if strict {
                    told.breach((G60, "queue offset"), place(self.layout, record.at), out_of_turn(record, next));
                }
                // The numbers began anew: who had no unit until now was of the queue before.
                line.lacking = Lacking::default();
            }
            Some(next) if next < number && strict => {
                told.breach((G60, "queue offset"), place(self.layout, record.at), out_of_turn(record, next));
            }
            _ => {}
        }
        line.next = Some(number.saturating_add(1));
    }

    /// A record met the unit that points at it.
    fn met(&mut self, line: usize, record: &Record<'_>, marks: &Marks<'_>, unit: &Unit, told: &mut Told) {
        let extensions = self.layout.extensions.get(&self.lines[line].name);
        let line = &mut self.lines[line];
        line.mark(unit.number);
        line.last = Some((unit.number, record.at));
        let lacking = std::mem::take(&mut line.lacking);
        missing(self.layout, line, &lacking, told);
        if unit.size != record.size() {
            told.breach((G61, "unit"), line.place_of(unit, 8), other_size(&line.name, unit, record.size()));
            return;
        }
        self.own += 1;
        let expected = record.tag(marks);
        if let Some(address) = unit.extension() {
            let found = extensions.and_then(|segments| Extension::read(self.store.files, segments, address));
            if found.is_none_or(|extension| extension.tag != expected) {
                told.breach((G61, "extension"), line.place_of(unit, 12), no_extension(&line.name, unit, address));
            }
        } else if record.delay_level(marks).is_some() {
            // Which delay a level has is configured, in whole seconds or more.
            let delay = unit.tag.saturating_sub(record.stored());
            if delay <= 0 || delay % 1000 != 0 {
                told.breach((G61, "unit"), line.place_of(unit, 12), other_delay(&line.name, unit, record.at, delay));
            }
        } else if unit.tag != expected {
            told.breach((G61, "unit"), line.place_of(unit, 12), other_tag(&line.name, unit, record.at, expected));
        }
    }

    /// The log has ended: what is left over, behind, or wrong?
    pub(super) fn finish(&mut self, end: u64, told: &mut Told, progress: &mut dyn FnMut(u64)) {
        let config = if self.store.end == LogEnd::Unknown { Config::read(self.store.files) } else { Config::default() };
        for at in 0..self.lines.len() {
            self.behind(at, &config, told);
            self.unclaimed(at, end, told);
            progress(self.lines[at].slots.segments().iter().map(|segment| segment.len).sum());
        }
    }

    /// The queue's last records have no units: dispatch is behind, or they are lost.
    fn behind(&mut self, at: usize, config: &Config, told: &mut Told) {
        let line = &mut self.lines[at];
        let mut lacking = std::mem::take(&mut line.lacking);
        let Some((first, number)) = lacking.listed.first().copied() else { return };
        let is_new =
            !config.topics.is_empty() && line.slots.segments().is_empty() && line.name.0.as_bytes() != SCHEDULE_TOPIC;
        if is_new && !config.topics.contains_key(&line.name.0) {
            told.note("superseded", place(self.layout, first), deleted(&line.name, lacking.count));
            return;
        }
        let due = self.store.dispatched_to.unwrap_or(0);
        if first < due {
            let listed = lacking.listed.partition_point(|(at, _)| *at < due);
            lacking.listed.truncate(listed);
            if listed < LISTED_MAX {
                lacking.count = listed as u64;
            }
            missing(self.layout, line, &lacking, told);
            return;
        }
        let sentence = lagging(&line.name, number, lacking.count, first);
        told.note("behind", line.place(number), sentence);
    }

    /// The slots that no record called its own.
    fn unclaimed(&mut self, at: usize, end: u64, told: &mut Told) {
        let begin = self.layout.log.first().map_or(0, |segment| segment.start);
        let queue_end = self.store.queue_ends.map(|ends| ends.get(&self.lines[at].name).copied().unwrap_or(0));
        let last = self.lines[at].last.map_or(-1, |(number, _)| number);
        let (mut expired, mut is_first) = (0u64, true);
        for (ordinal, number) in self.lines[at].slots.numbers().enumerate() {
            if queue_end.is_some_and(|end| end <= number) {
                break;
            }
            if self.lines[at].is_marked(ordinal) {
                is_first = false;
                continue;
            }
            let is_inside = number < last || queue_end.is_some();
            let line = &mut self.lines[at];
            match line.slots.slot(number) {
                Slot::Filler if is_first => {}
                Slot::Unit(unit) if unit.at < begin => {
                    (expired, is_first) = (expired + 1, false);
                }
                Slot::Unit(unit) if is_inside || unit.at < end => {
                    is_first = false;
                    self.judge(at, &unit, is_inside, told);
                }
                Slot::Unit(unit) => {
                    let count = line.rest(number);
                    told.note("left over", line.place(number), behind_log(&line.name, &unit, count, end));
                    break;
                }
                Slot::Empty | Slot::Broken | Slot::Filler if is_inside => {
                    told.breach((G61, "hole"), line.place(number), broken(&line.name, number, None));
                }
                Slot::Broken => {
                    told.note("left over", line.place(number), broken(&line.name, number, None));
                    break;
                }
                Slot::Empty | Slot::Filler => break,
            }
        }
        if 0 < expired {
            let line = &self.lines[at];
            told.note("expired", line.place(line.slots.begin()), old(&line.name, expired, begin));
        }
    }

    /// A unit that no record called its own, and that points into the log.
    fn judge(&mut self, at: usize, unit: &Unit, is_inside: bool, told: &mut Told) {
        let whose = self.whose(unit);
        let line = &self.lines[at];
        // What a cut left behind a queue's end may lie there for ever, or be taken in at the next start.
        let may_be_left = matches!(self.store.end, LogEnd::At(_) | LogEnd::MayBeCut) && !is_inside;
        match whose {
            Some(whose) if whose == (line.name.clone(), unit.number) => {}
            _ if may_be_left => told.note("left over", line.place(unit.number), foreign(&line.name, unit, whose)),
            _ => told.breach((G61, "unit"), line.place(unit.number), foreign(&line.name, unit, whose)),
        }
    }
}

impl Line<'_> {
    fn mark(&mut self, number: i64) {
        let Some(at) = self.slots.ordinal(number) else { return };
        if self.seen.is_empty() {
            self.seen = vec![0; self.slots.slots().div_ceil(64)];
        }
        self.seen[at / 64] |= 1 << (at % 64);
    }

    fn is_marked(&self, ordinal: usize) -> bool {
        self.seen.get(ordinal / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    /// How many units follow, that one included.
    fn rest(&mut self, number: i64) -> u64 {
        let mut numbers = self.slots.numbers().skip_while(|other| *other < number);
        let is_unit = |slots: &mut Queue<'_>, number| matches!(slots.slot(number), Slot::Unit(_));
        numbers.by_ref().take_while(|number| is_unit(&mut self.slots, *number)).count() as u64
    }

    fn place(&self, number: i64) -> Place {
        match self.slots.place(number) {
            Some((path, at)) => (path.to_owned(), at),
            None => (format!("consumequeue/{}/{}", self.name.0, self.name.1), 0),
        }
    }

    fn place_of(&self, unit: &Unit, field: u64) -> Place {
        let (file, at) = self.place(unit.number);
        (file, at + field)
    }
}

/// Records whose queue goes on behind them have lost their units.
fn missing(layout: &Layout, line: &Line<'_>, lacking: &Lacking, told: &mut Told) {
    for (at, number) in &lacking.listed {
        let (topic, queue) = &line.name;
        let en = format!("record {number} of {topic}/{queue} at {at} of the log has no unit");
        let zh = format!("{topic}/{queue} 的第 {number} 条记录（日志 {at} 处）没有队列项");
        let place = if line.slots.ordinal(*number).is_some() { line.place(*number) } else { place(layout, *at) };
        told.breach((G61, "missing"), place, said(en, zh));
    }
    told.more(lacking.count - lacking.listed.len() as u64);
}

/// The files of one queue follow each other and are of one length.
fn files_fit(segments: &[Segment], told: &mut Told) {
    for pair in segments.windows(2) {
        let (before, file) = (&pair[0], &pair[1]);
        if before.end() != file.start || before.len != file.len {
            let (end, start, len, usual) = (before.end(), file.start, file.len, before.len);
            let sentence = said(
                format!(
                    "the file begins at {start} with {len} bytes, the one in front of it ends at {end} with {usual}"
                ),
                format!("文件从 {start} 开始，长 {len} 字节；前一个文件在 {end} 结束，长 {usual} 字节"),
            );
            told.breach((G61, "gap"), (file.path.clone(), 0), sentence);
        }
    }
    for segment in segments.iter().filter(|segment| segment.len % UNIT as u64 != 0) {
        let len = segment.len;
        let sentence = said(format!("{len} bytes are no whole units"), format!("{len} 字节不是整数个队列项"));
        told.breach((G61, "gap"), (segment.path.clone(), 0), sentence);
    }
}

fn replaced((topic, queue): &QueueName, number: i64, at: u64, other: u64) -> Phrase {
    said(
        format!(
            "record {number} of {topic}/{queue} at {at} has given its number to the one at {other}: the queue began anew"
        ),
        format!("{topic}/{queue} 的第 {number} 条记录（{at} 处）的编号已归 {other} 处的记录：队列曾重新开始"),
    )
}

fn repeats((topic, queue): &QueueName, number: i64, at: u64, other: u64) -> Phrase {
    said(
        format!(
            "the record at {at} is number {number} of {topic}/{queue}, whose unit leads to that of the same number at {other}"
        ),
        format!("{at} 处的记录是 {topic}/{queue} 的第 {number} 条，但该编号的队列项指向 {other} 处的同号记录"),
    )
}

fn points_elsewhere((topic, queue): &QueueName, unit: &Unit, at: u64) -> Phrase {
    let (number, other) = (unit.number, unit.at);
    said(
        format!("unit {number} of {topic}/{queue} points at {other}, the record of that number lies at {at}"),
        format!("{topic}/{queue} 的第 {number} 项指向 {other}，而该编号的记录位于 {at}"),
    )
}

fn broken((topic, queue): &QueueName, number: i64, at: Option<u64>) -> Phrase {
    let (en, zh) = at.map_or((String::new(), String::new()), |at| {
        (format!(", the record of that number lies at {at}"), format!("，该编号的记录位于 {at}"))
    });
    said(
        format!("slot {number} of {topic}/{queue} holds no unit{en}"),
        format!("{topic}/{queue} 的第 {number} 个位置没有有效的队列项{zh}"),
    )
}

fn out_of_turn(record: &Record<'_>, next: i64) -> Phrase {
    let (topic, queue, number) = (String::from_utf8_lossy(record.topic), record.queue(), record.queue_offset());
    let at = record.at;
    said(
        format!("the record at {at} is number {number} of {topic}/{queue}, {next} is next"),
        format!("{at} 处的记录在 {topic}/{queue} 中编号 {number}，下一个应为 {next}"),
    )
}

fn other_size((topic, queue): &QueueName, unit: &Unit, size: u32) -> Phrase {
    let (number, found, at) = (unit.number, unit.size, unit.at);
    said(
        format!("unit {number} of {topic}/{queue} says {found} bytes, its record at {at} has {size}"),
        format!("{topic}/{queue} 的第 {number} 项写着 {found} 字节，它在 {at} 处的记录有 {size} 字节"),
    )
}

fn other_tag((topic, queue): &QueueName, unit: &Unit, at: u64, expected: i64) -> Phrase {
    let (number, found) = (unit.number, unit.tag);
    said(
        format!("unit {number} of {topic}/{queue} has the tag's hash {found}, its record at {at} has {expected}"),
        format!("{topic}/{queue} 的第 {number} 项的标签哈希是 {found}，它在 {at} 处的记录是 {expected}"),
    )
}

fn other_delay((topic, queue): &QueueName, unit: &Unit, at: u64, delay: i64) -> Phrase {
    let number = unit.number;
    said(
        format!("unit {number} of {topic}/{queue} is due {delay} ms after its record at {at} was stored"),
        format!("{topic}/{queue} 的第 {number} 项在其 {at} 处的记录存储后 {delay} 毫秒到期"),
    )
}

fn no_extension((topic, queue): &QueueName, unit: &Unit, address: u64) -> Phrase {
    let number = unit.number;
    said(
        format!("unit {number} of {topic}/{queue} leads to the extension at {address}, which is not its own"),
        format!("{topic}/{queue} 的第 {number} 项指向扩展文件 {address} 处，那里不是它的内容"),
    )
}

fn foreign((topic, queue): &QueueName, unit: &Unit, whose: Option<(QueueName, i64)>) -> Phrase {
    let (number, at) = (unit.number, unit.at);
    match whose {
        None => said(
            format!("unit {number} of {topic}/{queue} points at {at}, where no record begins"),
            format!("{topic}/{queue} 的第 {number} 项指向 {at}，那里没有记录开始"),
        ),
        Some(((other, id), place)) => said(
            format!("unit {number} of {topic}/{queue} points at {at}, whose record is number {place} of {other}/{id}"),
            format!("{topic}/{queue} 的第 {number} 项指向 {at}，那里的记录是 {other}/{id} 的第 {place} 条"),
        ),
    }
}

fn behind_log((topic, queue): &QueueName, unit: &Unit, count: u64, end: u64) -> Phrase {
    let (number, at) = (unit.number, unit.at);
    said(
        format!(
            "{count} units of {topic}/{queue}, from {number} on, point behind the log's end at {end}: the first at {at}"
        ),
        format!("{topic}/{queue} 从第 {number} 项起有 {count} 项指向日志末尾 {end} 之后：第一项指向 {at}"),
    )
}

fn old((topic, queue): &QueueName, count: u64, begin: u64) -> Phrase {
    said(
        format!("{count} units of {topic}/{queue} point at records that are gone: the log begins at {begin}"),
        format!("{topic}/{queue} 有 {count} 项指向已删除的记录：日志从 {begin} 开始"),
    )
}

fn deleted((topic, queue): &QueueName, count: u64) -> Phrase {
    said(
        format!("{count} records of {topic}/{queue} have no queue and the topic is not configured: it was deleted"),
        format!("{topic}/{queue} 的 {count} 条记录没有队列，且该主题未配置：主题已被删除"),
    )
}

fn lagging((topic, queue): &QueueName, number: i64, count: u64, at: u64) -> Phrase {
    said(
        format!(
            "{count} records of {topic}/{queue}, from number {number} at {at} on, have no unit yet: dispatch is behind"
        ),
        format!("{topic}/{queue} 从第 {number} 条（{at} 处）起有 {count} 条记录尚无队列项：分发落后"),
    )
}

/// So many records of one queue without a unit are told of one by one.
const LISTED_MAX: usize = 64;
