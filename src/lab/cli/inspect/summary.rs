//! What there is: the log's range, queues, index, checkpoint and config files.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::cli::inspect::{Store, time};
use crate::lab::oracle::checkpoint::Checkpoint;
use crate::lab::oracle::config::{ConfigFile, NAMES};
use crate::lab::oracle::index::IndexFile;
use crate::lab::oracle::json::Json;
use crate::lab::oracle::layout::{QueueName, Segment};
use crate::lab::oracle::log::{Piece, Walk};
use crate::lab::oracle::queue::{Queue, Slot};
use crate::lab::oracle::{Files, is_zero};

#[derive(Serialize, JsonSchema)]
pub(super) struct Summary {
    store: String,
    log: LogSummary,
    queues: Vec<QueueSummary>,
    index: Vec<IndexSummary>,
    checkpoint: Option<CheckpointSummary>,
    config: Vec<ConfigSummary>,
    abort: bool,
    lock: bool,
    strangers: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct LogSummary {
    begin: u64,
    end: u64,
    files: usize,
    file_bytes: u64,
    /// Files made ahead, still empty.
    ahead: usize,
}

#[derive(Serialize, JsonSchema)]
struct QueueSummary {
    topic: String,
    queue: i32,
    min: i64,
    max: i64,
    units: i64,
    files: usize,
    extension: bool,
}

#[derive(Serialize, JsonSchema)]
struct IndexSummary {
    file: String,
    entries: u32,
    room: Option<u32>,
    slots: Option<u32>,
    begin_time: i64,
    end_time: i64,
    begin_at: i64,
    end_at: i64,
}

#[derive(Serialize, JsonSchema)]
struct CheckpointSummary {
    log_time: i64,
    queue_time: i64,
    index_time: i64,
}

#[derive(Serialize, JsonSchema)]
struct ConfigSummary {
    file: String,
    state: &'static str,
    entries: usize,
    problem: Option<String>,
}

/// Shows the summary; of one topic's queues, if one is named.
pub(super) fn show(store: &Store, folder: &Path, topic: Option<&str>) -> Result<ExitCode> {
    let (begin, end) = range(store);
    let mut summary = Summary {
        store: folder.display().to_string(),
        log: log(store, begin, end),
        queues: Vec::new(),
        index: index(store),
        checkpoint: store.layout.checkpoint.map(|_| checkpoint(store)),
        config: NAMES.iter().map(|name| config(store, name)).collect(),
        abort: store.layout.abort,
        lock: store.layout.lock,
        strangers: store.layout.strangers.clone(),
    };
    for (name, segments) in store.layout.queues.iter().filter(|(name, _)| topic.is_none_or(|topic| topic == name.0)) {
        summary.queues.push(queue(store, name, segments, (begin, end)));
    }
    store.print(&summary, || text(store, &summary))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the log begins and ends, without reading it all: near the end the last unit of a queue leads to a record, and from
/// there the log is walked.
fn range(store: &Store) -> (u64, u64) {
    let log = &store.layout.log;
    let Some(first) = log.first() else { return (0, 0) };
    let last = log.iter().rfind(|file| !is_zero(&store.files.read(&file.path, 0, 8))).unwrap_or(first);
    let mut ends: Vec<u64> = store.layout.queues.values().filter_map(|segments| last_unit(store, segments)).collect();
    ends.retain(|at| last.start <= *at && *at < last.end());
    ends.sort_unstable();
    // A unit that leads nowhere is left over, or damaged: then the one before it in the log has its turn.
    for at in ends.into_iter().rev().chain([last.start]) {
        let Some(mut walk) = Walk::from(&store.files, log, at) else { continue };
        if let Some(end) = walked(&mut walk) {
            return (first.start, end);
        }
    }
    (first.start, last.start)
}

/// Where a walk ends, if it begins with a record or a blank.
fn walked(walk: &mut Walk<'_>) -> Option<u64> {
    let mut end = None;
    loop {
        match walk.advance() {
            Piece::Record(record) => end = Some(record.end()),
            Piece::Blank { at, room, .. } => end = Some(at + room),
            Piece::Flawed { .. } | Piece::Empty { .. } | Piece::Gap { .. } | Piece::End { .. } => return end,
        }
    }
}

fn last_unit(store: &Store, segments: &[Segment]) -> Option<u64> {
    let mut queue = Queue::new(&store.files, segments);
    let last = queue.end() - 1;
    match queue.slot(last) {
        Slot::Unit(unit) => Some(unit.at),
        _ => None,
    }
}

fn log(store: &Store, begin: u64, end: u64) -> LogSummary {
    let files = &store.layout.log;
    let ahead = files.iter().filter(|file| end <= file.start && begin < file.start).count();
    LogSummary { begin, end, files: files.len(), file_bytes: files.first().map_or(0, |file| file.len), ahead }
}

fn queue(store: &Store, name: &QueueName, segments: &[Segment], (begin, end): (u64, u64)) -> QueueSummary {
    let mut queue = Queue::new(&store.files, segments);
    let max = queue.end().min(queue.first_at(end));
    let min = queue.first_at(begin).min(max);
    let extension = store.layout.extensions.contains_key(name);
    let (topic, files) = (name.0.clone(), segments.len());
    QueueSummary { topic, queue: name.1, min, max, units: max - min, files, extension }
}

fn index(store: &Store) -> Vec<IndexSummary> {
    let summary = |file: IndexFile<'_>| IndexSummary {
        file: file.segment.path.clone(),
        entries: file.count(),
        room: file.shape.map(|shape| shape.entries - 1),
        slots: file.shape.map(|shape| shape.slots),
        begin_time: file.header.begin_time,
        end_time: file.header.end_time,
        begin_at: file.header.begin_at,
        end_at: file.header.end_at,
    };
    IndexFile::all(&store.files, &store.layout.index).into_iter().map(summary).collect()
}

fn checkpoint(store: &Store) -> CheckpointSummary {
    let Checkpoint { physic, logics, index } = Checkpoint::read(&store.files);
    CheckpointSummary { log_time: physic, queue_time: logics, index_time: index }
}

fn config(store: &Store, name: &str) -> ConfigSummary {
    let file = ConfigFile::read(&store.files, name);
    let state = match (&file.found, &file.before) {
        (Some(Ok(_)), _) => "whole",
        (Some(Err(_)), Some(Ok(_))) => "damaged, the one before is taken",
        (Some(Err(_)), _) => "damaged",
        (None, Some(Ok(_))) => "missing, the one before is taken",
        (None, _) => "missing",
    };
    let problem = file.found.as_ref().and_then(|found| found.as_ref().err()).map(ToString::to_string);
    // The one member that is a table holds what the file is about.
    let tables = |json: &Json| {
        json.members().iter().filter(|(name, _)| name != "dataVersion").map(|(_, table)| table.members().len()).sum()
    };
    let entries = file.taken().map_or(0, tables);
    ConfigSummary { file: file.path, state, entries, problem }
}

fn text(store: &Store, summary: &Summary) -> String {
    let mut out = String::new();
    let log = &summary.log;
    let _ = writeln!(out, "{:<12}{}", store.pick("store", "存储"), summary.store);
    let ahead = if 0 < log.ahead {
        format!("{}{}", store.pick(", made ahead: ", "，预先创建："), log.ahead)
    } else {
        String::new()
    };
    let (files, bytes) = (log.files, log.file_bytes);
    let _ = match store.pick("en", "zh") {
        "en" => writeln!(out, "{:<12}{} .. {}  in {files} files of {bytes} bytes{ahead}", "log", log.begin, log.end),
        _ => writeln!(out, "{:<12}{} .. {}  共 {files} 个文件，每个 {bytes} 字节{ahead}", "日志", log.begin, log.end),
    };
    let mut topics: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for queue in &summary.queues {
        let topic = topics.entry(&queue.topic).or_default();
        *topic = (topic.0 + 1, topic.1 + queue.units);
    }
    let units: i64 = topics.values().map(|(_, units)| units).sum();
    let (count, queues) = (topics.len(), summary.queues.len());
    let _ = match store.pick("en", "zh") {
        "en" => writeln!(out, "{:<12}{count} topics, {queues} queues, {units} units", "queues"),
        _ => writeln!(out, "{:<12}{count} 个主题，{queues} 个队列，{units} 项", "队列"),
    };
    for queue in &summary.queues {
        let QueueSummary { topic, queue, min, max, units, .. } = queue;
        let _ = writeln!(out, "  {:<32} {min:>10} .. {max:<10} {units:>10}", format!("{topic}/{queue}"));
    }
    index_text(store, summary, &mut out);
    if let Some(checkpoint) = &summary.checkpoint {
        let (log, queues, index) =
            (time(checkpoint.log_time), time(checkpoint.queue_time), time(checkpoint.index_time));
        let _ = match store.pick("en", "zh") {
            "en" => writeln!(out, "{:<12}log {log}, queues {queues}, index {index}", "checkpoint"),
            _ => writeln!(out, "{:<12}日志 {log}，队列 {queues}，索引 {index}", "检查点"),
        };
    }
    config_text(store, summary, &mut out);
    let abort = match summary.abort {
        true => store.pick("there: the broker runs, or did not stop cleanly", "存在：Broker 正在运行，或未正常停止"),
        false => store.pick("not there: the last stop was clean", "不存在：上次是正常停止"),
    };
    let _ = writeln!(out, "{:<12}{abort}", "abort");
    if !summary.strangers.is_empty() {
        let names = summary.strangers.join(", ");
        let _ = writeln!(out, "{:<12}{names}", store.pick("not known", "未知文件"));
    }
    out
}

fn index_text(store: &Store, summary: &Summary, out: &mut String) {
    let entries: u64 = summary.index.iter().map(|file| u64::from(file.entries)).sum();
    let files = summary.index.len();
    let _ = match store.pick("en", "zh") {
        "en" => writeln!(out, "{:<12}{files} files, {entries} entries", "index"),
        _ => writeln!(out, "{:<12}{files} 个文件，{entries} 个条目", "索引"),
    };
    for file in &summary.index {
        let room = file.room.map_or_else(|| "?".to_owned(), |room| room.to_string());
        let (name, entries) = (file.file.strip_prefix("index/").unwrap_or(&file.file), file.entries);
        let (from, to) = (time(file.begin_time), time(file.end_time));
        let _ = writeln!(out, "  {name} {entries:>10} / {room:<10} {from} .. {to}");
    }
}

fn config_text(store: &Store, summary: &Summary, out: &mut String) {
    let found = summary.config.iter().filter(|file| file.state != "missing").count();
    let _ = match store.pick("en", "zh") {
        "en" => writeln!(out, "{:<12}{found} of {} files", "config", summary.config.len()),
        _ => writeln!(out, "{:<12}{} 个文件中的 {found} 个", "配置", summary.config.len()),
    };
    for file in summary.config.iter().filter(|file| file.state != "missing") {
        let name = file.file.strip_prefix("config/").unwrap_or(&file.file);
        let problem = file.problem.as_ref().map_or_else(String::new, |problem| format!(" ({problem})"));
        let _ = writeln!(out, "  {name:<32} {:>10} {}{problem}", file.entries, state(store, file.state));
    }
}

fn state<'a>(store: &Store, state: &'a str) -> &'a str {
    match state {
        "whole" => store.pick(state, "完整"),
        "damaged" => store.pick(state, "损坏"),
        "damaged, the one before is taken" => store.pick(state, "损坏，采用前一份"),
        _ => store.pick(state, "缺失，采用前一份"),
    }
}
