//! One queue: its units with the records that they point at.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::cli::inspect::{Store, glance, time};
use crate::lab::cli::{INVALID, load};
use crate::lab::fault::moment::nearest;
use crate::lab::oracle::log::with_record;
use crate::lab::oracle::queue::{Queue, Slot, Unit};
use crate::lab::oracle::record::Record;

#[derive(Serialize, JsonSchema)]
pub(super) struct Listed {
    topic: String,
    queue: i32,
    begin: i64,
    end: i64,
    units: Vec<Row>,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    number: i64,
    at: u64,
    size: u32,
    tag: i64,
    /// `own`, `another's`, `nothing`, `expired`, or for a slot `filler` and `broken`.
    leads_to: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<Led>,
}

#[derive(Serialize, JsonSchema)]
struct Led {
    topic: String,
    queue: i32,
    queue_offset: i64,
    stored: i64,
    tags: Option<String>,
    keys: Option<String>,
    body: String,
}

pub(super) fn show(store: &Store, (topic, id): (&str, i32), (from, count): (Option<i64>, u64)) -> Result<ExitCode> {
    let name = (topic.to_owned(), id);
    let Some(segments) = store.layout.queues.get(&name) else {
        load::complain(&format!("there is no queue {topic}/{id}\n  help: {}\n", hint(store, topic)));
        return Ok(ExitCode::from(INVALID));
    };
    let mut queue = Queue::new(&store.files, segments);
    let (begin, end) = (queue.begin(), queue.end());
    let first = from.unwrap_or(begin).max(begin);
    let last = first.saturating_add(i64::try_from(count).unwrap_or(i64::MAX)).min(queue.room());
    let mut units = Vec::new();
    for number in first..last {
        match queue.slot(number) {
            Slot::Unit(unit) => units.push(led(store, topic, id, &unit)),
            Slot::Empty => break,
            Slot::Filler => units.push(Row::bare(number, "filler")),
            Slot::Broken => units.push(Row::bare(number, "broken")),
        }
    }
    let listed = Listed { topic: topic.to_owned(), queue: id, begin, end, units };
    store.print(&listed, || text(store, &listed))?;
    let is_wrong = listed.units.iter().any(|row| ["another's", "nothing", "broken"].contains(&row.leads_to));
    Ok(ExitCode::from(u8::from(is_wrong)))
}

fn hint(store: &Store, topic: &str) -> String {
    let own: Vec<String> =
        store.layout.queues.keys().filter(|(name, _)| name == topic).map(|(_, id)| id.to_string()).collect();
    if !own.is_empty() {
        return format!("{topic} has {}", own.join(", "));
    }
    match nearest(topic, store.layout.queues.keys().map(|(name, _)| name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "without `--topic` the summary lists the queues".to_owned(),
    }
}

fn led(store: &Store, topic: &str, queue: i32, unit: &Unit) -> Row {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let look = |record: &Record<'_>| {
        let marks = record.marks();
        let is_own = record.topic == topic.as_bytes()
            && record.queue() == queue
            && record.queue_offset() == unit.number
            && record.size() == unit.size;
        let led = Led {
            topic: text(record.topic),
            queue: record.queue(),
            queue_offset: record.queue_offset(),
            stored: record.stored(),
            tags: marks.tags.map(text),
            keys: marks.keys.or(marks.unique).map(text),
            body: glance(record.body, 40),
        };
        (is_own, led)
    };
    let begin = store.layout.log.first().map_or(0, |file| file.start);
    let (leads_to, record) = match with_record(&store.files, &store.layout.log, unit.at, look) {
        Some((true, record)) => ("own", Some(record)),
        Some((false, record)) => ("another's", Some(record)),
        None if unit.at < begin => ("expired", None),
        None => ("nothing", None),
    };
    Row { number: unit.number, at: unit.at, size: unit.size, tag: unit.tag, leads_to, record }
}

impl Row {
    fn bare(number: i64, leads_to: &'static str) -> Row {
        Row { number, at: 0, size: 0, tag: 0, leads_to, record: None }
    }
}

fn text(store: &Store, listed: &Listed) -> String {
    let mut out = String::new();
    let Listed { topic, queue, begin, end, units } = listed;
    let _ = writeln!(out, "{topic}/{queue}  {begin} .. {end}");
    for row in units {
        let Row { number, at, size, tag, leads_to, record } = row;
        let led = match record {
            None => word(store, leads_to).to_owned(),
            Some(record) => {
                let name = match *leads_to {
                    "own" => String::new(),
                    _ => {
                        format!("{} {}/{} #{} ", word(store, leads_to), record.topic, record.queue, record.queue_offset)
                    }
                };
                let (tags, keys) = (record.tags.as_deref().unwrap_or("-"), record.keys.as_deref().unwrap_or("-"));
                format!("{name}{} tags {tags} keys {keys} {}", time(record.stored), record.body)
            }
        };
        let _ = writeln!(out, "{number:>10} {at:>14} {size:>8} {tag:>14}  {led}");
    }
    let shown = units.last().map_or(*begin, |row| row.number + 1);
    if shown < *end {
        let more = end - shown;
        let _ = match store.pick("en", "zh") {
            "en" => writeln!(out, "{more} more: `--from {shown}`, `--count` for more at once"),
            _ => writeln!(out, "还有 {more} 项：`--from {shown}`，`--count` 可一次显示更多"),
        };
    }
    out
}

fn word<'a>(store: &Store, leads_to: &'a str) -> &'a str {
    match leads_to {
        "another's" => store.pick("LEADS TO ANOTHER'S RECORD:", "指向他人的记录："),
        "nothing" => store.pick("LEADS TO NO RECORD", "没有指向任何记录"),
        "expired" => store.pick("expired", "已过期"),
        "filler" => store.pick("filler", "填充"),
        "broken" => store.pick("NO UNIT", "不是有效的队列项"),
        other => other,
    }
}
