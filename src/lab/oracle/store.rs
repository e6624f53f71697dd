//! A store read whole, for checks of short runs.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::lab::oracle::Files;
use crate::lab::oracle::layout::{Layout, Segment};
use crate::lab::oracle::log::{Piece, Walk};
use crate::lab::oracle::properties::Properties;
use crate::lab::oracle::queue::{Queue, Slot, Unit};
use crate::lab::oracle::record::Record;

/// One whole record of the log, with what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// Where it begins.
    pub at: u64,
    /// Its length in bytes.
    pub size: u32,
    /// Its topic.
    pub topic: Arc<str>,
    /// Its queue.
    pub queue: i32,
    /// Its place in the queue.
    pub queue_offset: i64,
    /// Its properties.
    pub properties: Properties,
    /// Its content, inflated.
    pub body: Vec<u8>,
    /// The broker's clock when it was stored, ms.
    pub stored: i64,
    /// Its producer's clock when it was made, ms.
    pub born: i64,
    /// How often it was tried before.
    pub reconsumed: i32,
    /// The application's flag.
    pub flag: i32,
    /// Whether its body is marked as compressed and cannot be inflated: no client, and no round of checks, can read it.
    pub is_garbled: bool,
    /// Whether its topic or properties have a zero in them, as no text has: a sector of it is missing.
    pub is_torn: bool,
}

/// A store as it lies on a disk.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Store {
    /// The log's records from its beginning to the first that is not whole.
    pub records: Vec<LogRecord>,
    /// Where that is.
    pub end: u64,
    /// Each queue's units from its beginning to the first that is none.
    pub queues: BTreeMap<(String, i32), Vec<Unit>>,
}

impl Store {
    /// Reads a store.
    pub fn read(files: &dyn Files) -> Store {
        let layout = Layout::of(files);
        let mut store = Store::default();
        store.read_log(files, &layout.log);
        for (name, segments) in &layout.queues {
            store.queues.insert(name.clone(), units(&mut Queue::new(files, segments)));
        }
        store
    }

    /// The record at a place of the log.
    pub fn record_at(&self, at: u64) -> Option<&LogRecord> {
        let place = self.records.binary_search_by_key(&at, |record| record.at).ok()?;
        self.records.get(place)
    }

    /// The unit of that number in a queue.
    pub fn unit(&self, topic: &str, queue: i32, number: i64) -> Option<&Unit> {
        let units = self.queues.get(&(topic.to_owned(), queue))?;
        let place = units.binary_search_by_key(&number, |unit| unit.number).ok()?;
        units.get(place)
    }

    /// How far the queues have followed the log.
    pub fn dispatched(&self) -> u64 {
        self.queues.values().flatten().map(|unit| unit.at + u64::from(unit.size)).max().unwrap_or(0)
    }

    fn read_log(&mut self, files: &dyn Files, segments: &[Segment]) {
        // A log has many records of few topics.
        let mut topics: Vec<Arc<str>> = Vec::new();
        let mut walk = Walk::new(files, segments);
        self.end = walk.at();
        loop {
            match walk.advance() {
                Piece::Record(record) => {
                    self.end = record.end();
                    let topic = topics.iter().find(|topic| topic.as_bytes() == record.topic).cloned();
                    let topic = topic.unwrap_or_else(|| {
                        topics.push(String::from_utf8_lossy(record.topic).into());
                        topics[topics.len() - 1].clone()
                    });
                    self.records.push(LogRecord::with(topic, &record));
                }
                Piece::Blank { at, room, .. } => self.end = at + room,
                Piece::Flawed { .. } | Piece::Empty { .. } | Piece::Gap { .. } | Piece::End { .. } => return,
            }
        }
    }
}

impl LogRecord {
    /// The unique key of the message that it is a copy of.
    pub fn id(&self) -> Option<&str> {
        self.properties.unique()
    }

    /// Copies a record out of the log.
    pub fn of(record: &Record<'_>) -> LogRecord {
        LogRecord::with(String::from_utf8_lossy(record.topic).into(), record)
    }

    fn with(topic: Arc<str>, record: &Record<'_>) -> LogRecord {
        let inflated = if record.is_compressed() { inflate(record.body) } else { None };
        LogRecord {
            at: record.at,
            size: record.size(),
            topic,
            queue: record.queue(),
            queue_offset: record.queue_offset(),
            properties: Properties::of(record.properties),
            is_garbled: record.is_compressed() && inflated.is_none(),
            is_torn: record.topic.contains(&0) || record.properties.contains(&0),
            body: inflated.unwrap_or_else(|| record.body.to_vec()),
            stored: record.stored(),
            born: record.born(),
            reconsumed: record.reconsumed(),
            flag: record.flag(),
        }
    }
}

/// A queue's units from its beginning to the first that is none.
fn units(queue: &mut Queue<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for number in queue.begin()..queue.room() {
        match queue.slot(number) {
            Slot::Unit(unit) => units.push(unit),
            Slot::Filler => {}
            Slot::Empty | Slot::Broken => break,
        }
    }
    units
}

/// A compressed body's content; `None` if it is no zlib stream.
pub fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).take(INFLATED_MAX).read_to_end(&mut out).ok()?;
    Some(out)
}

/// Nothing that a producer sends inflates to more.
const INFLATED_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::record::tests::bytes_of;

    const LOG: &str = "commitlog/00000000000000000000";

    #[test]
    fn the_log_is_read_to_its_first_damage_and_never_beyond() {
        let first = bytes_of(0, 0, b"one", "UNIQ_KEY\u{1}A\u{2}");
        let mut log = first.clone();
        log.extend(bytes_of(first.len() as u64, 1, b"two", "UNIQ_KEY\u{1}A\u{2}"));
        let whole = log.len();
        log.resize(4096, 0);
        for at in 0..whole {
            let mut damaged = log.clone();
            damaged[at] ^= 0x10;
            let found = Store::read(&Folder([(LOG.to_owned(), damaged)].into())).records.len();
            assert!(found <= 2, "byte {at}");
            assert!(found >= usize::from(at >= first.len()), "byte {at} is behind the first record");
        }
        let store = Store::read(&Folder([(LOG.to_owned(), log)].into()));
        assert_eq!((store.records.len(), store.end), (2, whole as u64));
        assert_eq!(store.records[1].properties.get("UNIQ_KEY"), Some("A"));
    }
}
