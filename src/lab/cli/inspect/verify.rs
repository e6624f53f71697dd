//! Everything against everything: records, units, index entries, config files.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::check::storage::{self, LogEnd, Seen, Verified};
use crate::lab::cli::inspect::Store;
use crate::lab::locale::Lang;
use crate::lab::oracle::config::{ConfigFile, NAMES};

#[derive(Serialize, JsonSchema)]
pub(super) struct Outcome<'a> {
    result: &'static str,
    log_begin: u64,
    log_end: u64,
    records: u64,
    units: u64,
    entries: u64,
    damage: Vec<Damage<'a>>,
    unlisted: u64,
    notes: Vec<Noted<'a>>,
    not_covered: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Damage<'a> {
    file: String,
    offset: u64,
    /// The guarantee of the index, or `config`.
    guarantee: String,
    clause: &'a str,
    sentence: String,
}

#[derive(Serialize, JsonSchema)]
struct Noted<'a> {
    kind: &'a str,
    file: &'a str,
    offset: u64,
    sentence: &'a str,
}

pub(super) fn verify(store: &Store) -> Result<ExitCode> {
    let bar = store.bar(storage::work(&store.files));
    // A store that was stopped cleanly has dispatched everything: what has no unit will never have one.
    let dispatched_to = (!store.layout.abort).then_some(u64::MAX);
    let seen = Seen { end: LogEnd::Unknown, dispatched_to, ..Seen::of(&store.files) };
    let found = storage::verify(seen, &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    let outcome = outcome(store, &found);
    store.print(&outcome, || text(store, &outcome))?;
    Ok(ExitCode::from(u8::from(!outcome.damage.is_empty())))
}

fn outcome<'a>(store: &Store, found: &'a Verified) -> Outcome<'a> {
    let breaches = found.breaches.iter().map(|breach| Damage {
        file: breach.file.clone(),
        offset: breach.offset,
        guarantee: breach.guarantee.to_string(),
        clause: breach.clause,
        sentence: breach.sentence.text(store.lang).to_owned(),
    });
    let damage: Vec<Damage<'_>> =
        log(store).into_iter().chain(breaches).chain(config(store)).chain(checkpoint(store)).collect();
    let notes = found.notes.iter().map(|note| Noted {
        kind: note.kind,
        file: &note.file,
        offset: note.offset,
        sentence: note.sentence.text(store.lang),
    });
    Outcome {
        result: if damage.is_empty() { "clean" } else { "damaged" },
        log_begin: found.counts.begin,
        log_end: found.counts.end,
        records: found.counts.records,
        units: found.counts.units,
        entries: found.counts.entries,
        damage,
        unlisted: found.unlisted,
        notes: notes.collect(),
        not_covered: match store.lang {
            Lang::En => NOT_COVERED_EN,
            Lang::Zh => NOT_COVERED_ZH,
        },
    }
}

/// Queues without a log lead nowhere.
fn log(store: &Store) -> Option<Damage<'static>> {
    if !store.layout.log.is_empty() || store.layout.queues.is_empty() {
        return None;
    }
    let sentence = store.pick(
        "there are queues and no commit log; `--commitlog DIR` names one that lies elsewhere",
        "有队列而没有日志；日志若在别处，用 `--commitlog DIR` 指明",
    );
    let (file, guarantee, clause) = ("commitlog".to_owned(), "G60".to_owned(), "gap");
    Some(Damage { file, offset: 0, guarantee, clause, sentence: sentence.to_owned() })
}

/// Config files that cannot be read; one that is missing is no damage.
fn config(store: &Store) -> Vec<Damage<'static>> {
    let damage = |name: &&str| {
        let file = ConfigFile::read(&store.files, name);
        let flaw = file.found.as_ref()?.as_ref().err().copied()?;
        let before = matches!(file.before, Some(Ok(_)));
        let sentence = match (store.lang, before) {
            (Lang::En, true) => format!("{flaw}; a start takes the one before"),
            (Lang::En, false) => format!("{flaw}; a start finds none before it and begins with nothing"),
            (Lang::Zh, true) => format!("{flaw}；启动时采用前一份"),
            (Lang::Zh, false) => format!("{flaw}；没有前一份，启动时从空开始"),
        };
        Some(Damage {
            file: file.path,
            offset: flaw.at as u64,
            guarantee: "config".to_owned(),
            clause: "json",
            sentence,
        })
    };
    NAMES.iter().filter_map(damage).collect()
}

fn checkpoint(store: &Store) -> Option<Damage<'static>> {
    let len = store.layout.checkpoint.filter(|len| *len != CHECKPOINT)?;
    let sentence = match store.lang {
        Lang::En => format!("the file has {len} bytes, a broker writes {CHECKPOINT}"),
        Lang::Zh => format!("文件长 {len} 字节，Broker 写入的是 {CHECKPOINT} 字节"),
    };
    Some(Damage { file: "checkpoint".to_owned(), offset: 0, guarantee: "G64".to_owned(), clause: "length", sentence })
}

fn text(store: &Store, outcome: &Outcome<'_>) -> String {
    let mut out = String::new();
    let Outcome { log_begin, log_end, records, units, entries, .. } = outcome;
    let _ = match store.lang {
        Lang::En => writeln!(
            out,
            "verified    log {log_begin} .. {log_end}: {records} records; {units} units and {entries} index entries lead to them"
        ),
        Lang::Zh => writeln!(
            out,
            "核对        日志 {log_begin} .. {log_end}：{records} 条记录；{units} 个队列项与 {entries} 个索引条目指向它们"
        ),
    };
    for note in &outcome.notes {
        let _ = writeln!(out, "note        {} at {}: {}", note.file, note.offset, note.sentence);
    }
    for damage in &outcome.damage {
        let Damage { file, offset, guarantee, clause, sentence } = damage;
        let _ = writeln!(out, "DAMAGE      {file} at {offset}: {sentence} ({guarantee} {clause})");
    }
    if 0 < outcome.unlisted {
        let _ = match store.lang {
            Lang::En => writeln!(out, "            and {} more places", outcome.unlisted),
            Lang::Zh => writeln!(out, "            以及另外 {} 处", outcome.unlisted),
        };
    }
    let _ = writeln!(out, "{:<12}{}", store.pick("not covered", "未覆盖"), outcome.not_covered);
    let places = outcome.damage.len() as u64 + outcome.unlisted;
    let _ = match (store.lang, places) {
        (Lang::En, 0) => writeln!(out, "result      clean"),
        (Lang::En, _) => writeln!(out, "result      {places} places are damaged"),
        (Lang::Zh, 0) => writeln!(out, "结果        完好"),
        (Lang::Zh, _) => writeln!(out, "结果        {places} 处损坏"),
    };
    out
}

/// What nothing in the format protects (K17).
const NOT_COVERED_EN: &str = "a record's CRC is of its body alone; flags, times, hosts, counts, topic and properties may \
    have changed unnoticed where no unit and no index entry says otherwise";
const NOT_COVERED_ZH: &str =
    "记录的 CRC 只覆盖消息体；标志、时间、主机、计数、主题与属性若有改动，只要队列项与索引条目没有矛盾就无从发现";
/// Bytes of a checkpoint.
const CHECKPOINT: u64 = 4096;
