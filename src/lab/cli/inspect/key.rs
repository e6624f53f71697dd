//! The records of a key: through the index, and where that does not lead to any, by reading the log.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::cli::inspect::record::Fields;
use crate::lab::cli::inspect::{Store, glance, time};
use crate::lab::oracle::config::Config;
use crate::lab::oracle::index::{IndexFile, key_hash};
use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::log::{Piece, Walk, with_record};
use crate::lab::oracle::record::Record;

#[derive(Serialize, JsonSchema)]
pub(super) struct Search {
    key: String,
    topic: Option<String>,
    /// `index`, or `log` where the index led to none.
    found_by: &'static str,
    /// Index entries of other keys with the same hash.
    collisions: usize,
    records: Vec<Fields>,
}

pub(super) fn show(store: &Store, key: &str, topic: Option<&str>) -> Result<ExitCode> {
    let mut search = Search {
        key: key.to_owned(),
        topic: topic.map(str::to_owned),
        found_by: "index",
        collisions: 0,
        records: Vec::new(),
    };
    by_index(store, &mut search);
    if search.records.is_empty() {
        search.found_by = "log";
        by_log(store, &mut search);
    }
    store.print(&search, || text(store, &search))?;
    Ok(ExitCode::SUCCESS)
}

fn by_index(store: &Store, search: &mut Search) {
    let mut places = BTreeSet::new();
    for topic in topics(store, search.topic.as_deref()) {
        let hash = key_hash(topic.as_bytes(), search.key.as_bytes());
        for file in &mut IndexFile::all(&store.files, &store.layout.index) {
            places.extend(file.chain(hash).into_iter().filter_map(|entry| u64::try_from(entry.at).ok()));
        }
    }
    for at in places {
        let look = |record: &Record<'_>| {
            has_key(record, search.key.as_bytes(), search.topic.as_deref()).then(|| fields(store, record))
        };
        match with_record(&store.files, &store.layout.log, at, look) {
            Some(Some(found)) => search.records.push(found),
            Some(None) => search.collisions += 1,
            // The record has expired, or the log was cut in front of it.
            None => {}
        }
    }
}

/// The topic that was named, or all there are.
fn topics(store: &Store, topic: Option<&str>) -> BTreeSet<String> {
    match topic {
        Some(topic) => [topic.to_owned()].into(),
        None => {
            let queues = store.layout.queues.keys().map(|(topic, _)| topic.clone());
            queues.chain(Config::read(&store.files).topics.into_keys()).collect()
        }
    }
}

fn by_log(store: &Store, search: &mut Search) {
    let bar = store.bar(store.layout.log.iter().map(|file| file.len).sum());
    let begin = store.layout.log.first().map_or(0, |file| file.start);
    let mut walk = Walk::new(&store.files, &store.layout.log);
    loop {
        match walk.advance() {
            Piece::Record(record) => {
                if has_key(&record, search.key.as_bytes(), search.topic.as_deref()) {
                    search.records.push(fields(store, &record));
                }
                if record.at % STEP < u64::from(record.size()) {
                    bar.set_position(record.at - begin);
                }
            }
            Piece::Flawed { .. } | Piece::Empty { .. } => {
                if walk.skip().is_none() {
                    break;
                }
            }
            Piece::Blank { .. } | Piece::Gap { .. } => {}
            Piece::End { .. } => break,
        }
    }
    bar.finish_and_clear();
}

fn has_key(record: &Record<'_>, key: &[u8], topic: Option<&str>) -> bool {
    topic.is_none_or(|topic| topic.as_bytes() == record.topic) && record.marks().indexed().any(|own| own == key)
}

fn fields(store: &Store, record: &Record<'_>) -> Fields {
    let holds = |file: &&Segment| (file.start..file.end()).contains(&record.at);
    let place = store.layout.log.iter().find(holds).map(|file| (file.path.as_str(), record.at - file.start));
    Fields::of(record, place.unwrap_or(("commitlog", record.at)))
}

fn text(store: &Store, search: &Search) -> String {
    let mut out = String::new();
    let (count, key) = (search.records.len(), &search.key);
    let way = match (search.found_by, count) {
        ("index", _) => store.pick("through the index", "通过索引"),
        (_, 0) => store.pick("neither through the index nor in the log", "索引和日志中都没有"),
        _ => store.pick("in the log; the index leads to none", "在日志中；索引没有指向它们"),
    };
    let _ = match store.pick("en", "zh") {
        "en" => writeln!(out, "{count} records with the key {key}, {way}"),
        _ => writeln!(out, "键 {key} 有 {count} 条记录，{way}"),
    };
    for record in &search.records {
        let place = format!("{}/{} #{}", record.topic, record.queue, record.queue_offset);
        let _ = writeln!(
            out,
            "{:>14} {:>8}  {}  {place}  {}",
            record.at,
            record.size,
            time(record.stored),
            record.glance()
        );
    }
    if 0 < search.collisions {
        let _ = match store.pick("en", "zh") {
            "en" => writeln!(out, "{} entries have the same hash and another key", search.collisions),
            _ => writeln!(out, "{} 个条目哈希相同但键不同", search.collisions),
        };
    }
    out
}

impl Fields {
    fn glance(&self) -> String {
        let tags = self.properties.get("TAGS").map_or("-", String::as_str);
        format!("tags {tags} {}", glance(self.body_text().as_bytes(), 60))
    }
}

/// The bar moves about every so many bytes.
const STEP: u64 = 4 << 20;
