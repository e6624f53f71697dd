//! G60: the log, piece by piece.

use crate::lab::check::storage::told::{Place, Told, said};
use crate::lab::check::storage::{G60, LogEnd, Seen};
use crate::lab::locale::Phrase;
use crate::lab::oracle::layout::{Layout, Segment};
use crate::lab::oracle::log::{Piece, Walk};
use crate::lab::oracle::record::{BLANK, Flaw, MAGIC, POSITION, Record, STORED};

/// What hangs on the log: it is shown every record, and knows whether a record behind a damage is still the log's own.
pub(super) trait Followers {
    /// The next record of the log.
    fn record(&mut self, record: &Record<'_>, told: &mut Told);

    /// Some of the log could not be read.
    fn skipped(&mut self);

    /// Whether a record is known to be none of the log's any more: its place in its queue belongs to another.
    fn is_replaced(&mut self, record: &Record<'_>) -> bool;
}

/// Where the log begins and ends, and how many records lie between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) records: u64,
}

/// Walks the log to its end and tells of everything on the way that is no record and no blank.
pub(super) fn judge(
    store: Seen<'_>,
    layout: &Layout,
    followers: &mut dyn Followers,
    told: &mut Told,
    progress: &mut dyn FnMut(u64),
) -> Extent {
    lengths(&layout.log, told);
    let walk = Walk::new(store.files, &layout.log);
    let begin = walk.at();
    let mut judge = Judge { store, layout, walk, extent: Extent { begin, end: begin, records: 0 }, last: None };
    let mut reported = begin;
    while judge.step(followers, told) {
        if reported + STEP <= judge.extent.end {
            progress(judge.extent.end - reported);
            reported = judge.extent.end;
        }
    }
    progress(judge.extent.end.saturating_sub(reported));
    judge.extent
}

struct Judge<'a> {
    store: Seen<'a>,
    layout: &'a Layout,
    walk: Walk<'a>,
    extent: Extent,
    /// The last record's place and store time.
    last: Option<(u64, i64)>,
}

impl Judge<'_> {
    /// Takes one piece; `false` at the end.
    fn step(&mut self, followers: &mut dyn Followers, told: &mut Told) -> bool {
        let claimed = match self.store.end {
            LogEnd::At(end) => Some(end),
            _ => None,
        };
        // A cut in front of a blank leaves the end there, so the piece decides and not the walk.
        let stop = |at: u64| claimed.is_some_and(|end| end <= at);
        match self.walk.advance() {
            Piece::Record(record) if stop(record.at) => false,
            Piece::Record(record) => {
                let place = place(self.layout, record.at);
                if claimed.is_some_and(|end| end < record.end()) {
                    told.breach((G60, "record"), place, across(record.at, claimed.unwrap_or(0)));
                    return false;
                }
                if record.declared() != record.at as i64 {
                    let declared = record.declared();
                    told.breach((G60, "position"), within(&place, POSITION as u64), moved(record.at, declared));
                }
                if let Some((before, time)) = self.last.filter(|(_, time)| record.stored() < *time)
                    && self.store.end == LogEnd::NeverCut
                {
                    let sentence = earlier(record.at, record.stored(), before, time);
                    told.breach((G60, "time"), within(&place, STORED as u64), sentence);
                }
                self.last = Some((record.at, record.stored()));
                self.extent.end = record.end();
                self.extent.records += 1;
                followers.record(&record, told);
                true
            }
            Piece::Blank { at, .. } if stop(at) => false,
            Piece::Blank { at, size, room } => {
                if i64::from(size) != room as i64 {
                    told.breach((G60, "blank"), place(self.layout, at), short_blank(at, size, room));
                }
                self.extent.end = at + room;
                true
            }
            Piece::Flawed { at, flaw } if !stop(at) => self.damaged(at, Some(flaw), followers, told),
            Piece::Empty { at } if !stop(at) => self.damaged(at, None, followers, told),
            Piece::Gap { at, next } if !stop(at) => {
                told.breach((G60, "gap"), place(self.layout, next), gap(at, next));
                self.extent.end = next;
                followers.skipped();
                true
            }
            Piece::End { at } if !stop(at) => {
                self.extent.end = at;
                if let Some(end) = claimed {
                    told.breach((G60, "record"), place(self.layout, at), too_short(at, end));
                }
                false
            }
            Piece::Flawed { .. } | Piece::Empty { .. } | Piece::Gap { .. } | Piece::End { .. } => false,
        }
    }

    /// No record begins here: is it the end?
    fn damaged(&mut self, at: u64, flaw: Option<Flaw>, followers: &mut dyn Followers, told: &mut Told) -> bool {
        self.extent.end = at;
        if self.store.end == LogEnd::MayBeCut {
            return false;
        }
        let next = self.walk.skip();
        let in_log = next.filter(|next| match self.store.end {
            LogEnd::At(end) => *next < end,
            LogEnd::Unknown => !self.is_left_over(*next, followers),
            _ => true,
        });
        let (file, offset) = place(self.layout, at);
        let field = flaw.map_or(0, |flaw| flaw.field());
        match (in_log, self.store.end) {
            (Some(next), _) => {
                told.breach((G60, "record"), (file, offset + field), damage(at, flaw, Some(next)));
                self.extent.end = next;
                followers.skipped();
                return true;
            }
            (None, LogEnd::At(_)) => {
                told.breach((G60, "record"), (file, offset + field), damage(at, flaw, None));
            }
            (None, _) if flaw.is_some_and(|flaw| flaw.is_of_a_record()) => {
                told.breach((G60, "record"), (file, offset + field), damage(at, flaw, None));
            }
            (None, _) if flaw.is_some() || next.is_some() => told.note("left over", (file, offset), left_over(at)),
            (None, _) => {}
        }
        false
    }

    /// Whether what the walk skipped to is what a cut left behind the log's end.
    fn is_left_over(&mut self, next: u64, followers: &mut dyn Followers) -> bool {
        let Some(mut walk) = Walk::from(self.store.files, &self.layout.log, next) else { return false };
        match walk.advance() {
            Piece::Record(record) => followers.is_replaced(&record),
            _ => false,
        }
    }
}

/// Files of a log are all of one length, but for a last one that was made and never got any.
fn lengths(segments: &[Segment], told: &mut Told) {
    let Some(first) = segments.first() else { return };
    for segment in with_length(segments).iter().filter(|segment| segment.len != first.len) {
        let (len, usual) = (segment.len, first.len);
        let sentence = said(
            format!(
                "the file has {len} bytes where the first one has {usual}: a broker ignores it and all that follow"
            ),
            format!("文件长 {len} 字节，而第一个文件长 {usual} 字节：Broker 会忽略它及其后的所有文件"),
        );
        told.breach((G60, "gap"), (segment.path.clone(), 0), sentence);
    }
}

/// Files without a last one that holds nothing: a crash can leave a name without its length, and a broker makes it anew.
pub(super) fn with_length(segments: &[Segment]) -> &[Segment] {
    match segments.split_last() {
        Some((last, rest)) if last.len == 0 => rest,
        _ => segments,
    }
}

/// The file that holds a place of the log, and the byte in it.
pub(super) fn place(layout: &Layout, at: u64) -> Place {
    let holds = |segment: &&Segment| (segment.start..segment.end()).contains(&at);
    match layout.log.iter().find(holds).or(layout.log.last()) {
        Some(segment) => (segment.path.clone(), at.saturating_sub(segment.start)),
        None => ("commitlog".to_owned(), at),
    }
}

fn within(place: &Place, offset: u64) -> Place {
    (place.0.clone(), place.1 + offset)
}

fn damage(at: u64, flaw: Option<Flaw>, next: Option<u64>) -> Phrase {
    let (en, zh) = match flaw {
        None => ("zeros where a record should be".to_owned(), "应为记录之处全是零".to_owned()),
        Some(flaw) => wrong(flaw),
    };
    match next {
        Some(next) => said(
            format!("no whole record at {at}: {en}; the log goes on at {next}"),
            format!("{at} 处没有完整的记录：{zh}；日志在 {next} 处继续"),
        ),
        None => said(
            format!("no whole record at {at}: {en}; no record follows, a recovery cuts the log here"),
            format!("{at} 处没有完整的记录：{zh}；其后没有记录，恢复会在此截断日志"),
        ),
    }
}

/// What a flaw is, in words.
pub(super) fn wrong(flaw: Flaw) -> (String, String) {
    match flaw {
        Flaw::Magic { found, .. } => (
            format!("the magic is {found:#010x}, a record has {MAGIC:#010x} and a blank {BLANK:#010x}"),
            format!("魔数是 {found:#010x}，记录应为 {MAGIC:#010x}，空白应为 {BLANK:#010x}"),
        ),
        Flaw::Size { found, room } => (
            format!("the size is {found}, possible are 91 to the {room} bytes left in the file"),
            format!("大小是 {found}，可能的范围是 91 到文件剩余的 {room} 字节"),
        ),
        Flaw::Parts { size, sum: Some(sum) } => (
            format!("the size is {size}, body, topic and properties add up to {sum}"),
            format!("大小是 {size}，消息体、主题与属性合计 {sum}"),
        ),
        Flaw::Parts { size, sum: None } => (
            format!("the size is {size}, body, topic or properties reach behind it"),
            format!("大小是 {size}，消息体、主题或属性超出了它"),
        ),
        Flaw::Crc { found, body } => (
            format!("the CRC is {found:#010x}, that of the body is {body:#010x}"),
            format!("CRC 是 {found:#010x}，消息体的 CRC 是 {body:#010x}"),
        ),
        Flaw::Delay => (
            "its delay level is no number, the release cannot read it".to_owned(),
            "延迟级别不是数字，无法读取".to_owned(),
        ),
    }
}

fn across(at: u64, end: u64) -> Phrase {
    said(
        format!("the record at {at} reaches over the log's end at {end}"),
        format!("{at} 处的记录越过了日志末尾 {end}"),
    )
}

fn moved(at: u64, declared: i64) -> Phrase {
    said(format!("the record at {at} says that it lies at {declared}"), format!("{at} 处的记录自称位于 {declared}"))
}

fn earlier(at: u64, stored: i64, before: u64, time: i64) -> Phrase {
    said(
        format!("the record at {at} was stored at {stored}, the one in front of it, at {before}, at {time}"),
        format!("{at} 处的记录存储于 {stored}，它前面 {before} 处的记录存储于 {time}"),
    )
}

fn short_blank(at: u64, size: i32, room: u64) -> Phrase {
    said(
        format!("the blank at {at} names {size} bytes, {room} are left in the file"),
        format!("{at} 处的空白自称 {size} 字节，文件剩余 {room} 字节"),
    )
}

fn gap(at: u64, next: u64) -> Phrase {
    said(
        format!("the file begins at {next}, the one in front of it ends at {at}"),
        format!("文件从 {next} 开始，前一个文件在 {at} 结束"),
    )
}

fn too_short(at: u64, end: u64) -> Phrase {
    said(format!("the files end at {at}, the log at {end}"), format!("文件到 {at} 为止，日志到 {end} 为止"))
}

fn left_over(at: u64) -> Phrase {
    said(format!("behind the log's end at {at} lies what a cut left"), format!("日志末尾 {at} 之后是截断留下的内容"))
}

/// Progress is told of every so many bytes.
const STEP: u64 = 4 << 20;
