//! The index: which records have a key. A list of files, the last of which is written.
//!
//! Everything is found by hash alone: an answer can hold records of other keys, and whoever asks has to look. The last file
//! is forced only when it is full and the next one begins; a crash costs it, and the keys behind the start of the recovery
//! are put again.
//!
//! Source: `IndexService`, `CommitLogDispatcherBuildIndex`, `DefaultMessageStore.queryMessage`.

use bytes::Bytes;

use crate::mq::disk::{Disk, DiskError};
use crate::mq::message::PhysicalOffset;
use crate::mq::message::record::{Reading, decode_with};
use crate::mq::message::sys_flag::{TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::mistake::Mistake;
use crate::mq::store::index_file::{Header, IndexFile, Shape, Window, key_hash};
use crate::mq::store::outcome::News;
use crate::mq::store::record::Parsed;
use crate::mq::store::{Flag, MessageStore};
use crate::mq::time::Calendar;

/// Where index files lie. Source: `StorePathConfigHelper.getStorePathIndex`.
pub const FOLDER: &str = "index/";

/// All index files, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Index {
    shape: Shape,
    pub(super) files: Vec<IndexFile>,
}

/// What a key query found. Source: `QueryOffsetResult`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Indexed {
    /// Log offsets, newest first within a file, newest file first.
    pub offsets: Vec<PhysicalOffset>,
    /// Store time of the newest entry of all, ms.
    pub last_update_timestamp: i64,
    /// Log offset of the newest entry of all.
    pub last_update_offset: i64,
}

/// Records that a key query found. Source: `QueryMessageResult`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Queried {
    /// The records' bytes, in order of the log.
    pub messages: Vec<Bytes>,
    /// Store time of the newest entry of all, ms.
    pub last_update_timestamp: i64,
    /// Log offset of the newest entry of all.
    pub last_update_offset: i64,
}

/// What is looked for in the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyQuery<'a> {
    /// The topic.
    pub topic: &'a str,
    /// One key, or a unique key.
    pub key: &'a str,
    /// At most so many; the store's `maxMsgsNumBatch` is a limit of its own.
    pub max: usize,
    /// Stored at this time or later, ms.
    pub begin: i64,
    /// Stored at this time or before, ms.
    pub end: i64,
}

impl Index {
    /// No files.
    pub(super) fn new(shape: Shape) -> Index {
        Index { shape, files: Vec::new() }
    }

    /// Loads the files; after a crash those are removed that end later than the checkpoint says is durable.
    ///
    /// Source: `IndexService.load`. Differs: a file of another name or length is left alone; upstream maps whatever lies
    /// there with its own numbers, which makes a foreign file 420 MB long.
    pub(super) fn load(&mut self, disk: &mut dyn Disk, clean: bool, durable_until: i64) {
        for info in disk.list(FOLDER) {
            if !is_index_name(&info.name) {
                continue;
            }
            let file = match IndexFile::load(disk, info.name.clone(), self.shape) {
                Ok(file) => file,
                Err(DiskError::Invalid) => continue,
                // What the device does not give ends the loading, and nobody looks at that.
                Err(_) => return,
            };
            if clean || file.header.end_timestamp <= durable_until {
                self.files.push(file);
            } else {
                // A file that is gone already is as good as removed.
                let _ = disk.remove(&file.name);
            }
        }
    }

    /// Removes every file: a recovery that reads the whole log puts every key again (K06).
    ///
    /// Which of them are whole cannot be told: the last one is not even forced by a clean stop, and their times are the
    /// wall clock's.
    pub(super) fn clear(&mut self, disk: &mut dyn Disk) {
        for info in disk.list(FOLDER).into_iter().filter(|info| is_index_name(&info.name)) {
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&info.name);
        }
        self.files.clear();
    }

    /// Removes the files, never the last one, whose records are all before `offset`.
    ///
    /// Source: `IndexService.deleteExpiredFile`.
    pub(super) fn delete_expired(&mut self, disk: &mut dyn Disk, offset: i64) {
        while 1 < self.files.len() && self.files[0].header.end_phy_offset < offset {
            let file = self.files.remove(0);
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&file.name);
        }
    }

    /// The last file, or a new one behind a full one; `None` when the disk refuses it.
    ///
    /// Returns also the file that was full before, which is then to be forced.
    /// Differs: a second file within a millisecond gets the next millisecond's name; upstream would open the first one
    /// again and write over it.
    fn last_or_create(&mut self, disk: &mut dyn Disk, name: impl Fn(i64) -> String) -> Option<Option<usize>> {
        let full = match self.files.last() {
            Some(last) if !last.is_write_full() => return Some(None),
            Some(_) => Some(self.files.len() - 1),
            None => None,
        };
        let mut later = 0;
        let free = loop {
            let name = format!("{FOLDER}{}", name(later));
            if disk.list(&name).is_empty() {
                break name;
            }
            later += 1;
        };
        let before = full.map(|at| self.files[at].header);
        let file = IndexFile::create(disk, free, self.shape, before.as_ref()).ok()?;
        self.files.push(file);
        Some(full)
    }

    /// Source: `IndexService.queryOffset`.
    fn query(&self, disk: &mut dyn Disk, query: &KeyQuery<'_>) -> Indexed {
        let hash = key_hash(query.topic, query.key);
        let window = Window { begin: query.begin, end: query.end, max: query.max };
        let mut found = Vec::new();
        for file in self.files.iter().rev() {
            if file.header.is_time_matched(query.begin, query.end) {
                file.select(disk, hash, window, &mut found);
            }
            if file.header.begin_timestamp < query.begin || query.max <= found.len() {
                break;
            }
        }
        let last = self.files.last().map_or(Header::default(), |file| file.header);
        Indexed {
            offsets: found.into_iter().map(PhysicalOffset).collect(),
            last_update_timestamp: last.end_timestamp,
            last_update_offset: last.end_phy_offset,
        }
    }
}

impl MessageStore {
    /// Puts a record's keys: its unique key, then each of its keys.
    ///
    /// A record before the newest entry has been put already; one *at* it is put again, as upstream does.
    /// Source: `IndexService.buildIndex`. Differs: upstream tries three times, a second apart, to make a file, and holds the
    /// dispatcher meanwhile; here the third failure is taken for the first.
    pub(super) fn build_index(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) {
        if !self.config.message_index_enable || !self.has_index_file(disk) {
            return;
        }
        let newest = self.index.files.last().expect("there is a file").header.end_phy_offset;
        if at < newest || transaction_type(record.sys_flag) == TRANSACTION_ROLLBACK {
            return;
        }
        let left_out = usize::from(self.profile.plants(Mistake::IndexForgetsFirstKey));
        for hash in record.keys.hashes().skip(left_out) {
            let stored = record.store_timestamp.0;
            while !self.index.files.last_mut().expect("there is a file").put(disk, hash, at, stored) {
                if !self.has_index_file(disk) {
                    return;
                }
            }
        }
    }

    /// Looks at the slots of several records' keys at once.
    ///
    /// Keys fall anywhere in the index, and nearly each is a wait for memory. Looked at one behind the other without anything
    /// in between, the waits overlap.
    pub(super) fn look_at_slots<'a>(&self, disk: &mut dyn Disk, records: impl Iterator<Item = &'a Parsed>) {
        let Some(last) = self.index.files.last() else { return };
        let hashes = records.flat_map(|record| record.keys.hashes());
        std::hint::black_box(hashes.fold(0, |seen, hash| seen ^ last.look(disk, hash)));
    }

    /// Whether there is a file with room; makes one if there is not. Source: `IndexService.retryGetAndCreateIndexFile`.
    fn has_index_file(&mut self, disk: &mut dyn Disk) -> bool {
        let (wall, zone) = (self.now.wall, self.config.zone_offset_ms);
        let name = |later: i64| Calendar::of(wall.plus(later), zone).human_string();
        match self.index.last_or_create(disk, name) {
            Some(None) => true,
            Some(Some(full)) => {
                self.force_index(full);
                true
            }
            None => {
                self.set_flag(Flag::WriteIndexFileError, true);
                false
            }
        }
    }

    /// Asks for the force of a full file. Source: `IndexService.flush`, on a thread of its own.
    fn force_index(&mut self, number: usize) {
        let (file, len, time) = {
            let full = &self.index.files[number];
            (full.file, full.file_len(), full.header.end_timestamp)
        };
        let ticket = self.ticket();
        self.index_forces.insert(ticket, time);
        self.news.push(News::Flush { ticket, file, from: 0, to: len });
    }

    /// A full file is durable: the checkpoint learns it, and is written with whatever its other times are (K05).
    ///
    /// Faithful: those times may be ahead of what the consume queues have forced. Source: `IndexService.flush`,
    /// `StoreCheckpoint.flush`.
    pub(super) fn index_forced(&mut self, disk: &mut dyn Disk, end_timestamp: i64) {
        if end_timestamp <= 0 {
            return;
        }
        self.checkpoint.index = end_timestamp;
        self.flush_checkpoint(disk);
    }

    /// Where records with a key begin, by hash. Source: `IndexService.queryOffset`.
    pub fn query_offset(&self, disk: &mut dyn Disk, query: KeyQuery<'_>) -> Indexed {
        let max = query.max.min(self.config.max_msgs_num_batch);
        self.index.query(disk, &KeyQuery { max, ..query })
    }

    /// Records with a key, or with one of the same hash; the window ends earlier with each of at most three rounds.
    ///
    /// Source: `DefaultMessageStore.queryMessage`.
    pub fn query_message(&self, disk: &mut dyn Disk, query: KeyQuery<'_>) -> Queried {
        let mut queried = Queried::default();
        let mut end = query.end;
        for _ in 0..QUERY_ROUNDS {
            let mut indexed = self.query_offset(disk, KeyQuery { end, ..query });
            if indexed.offsets.is_empty() {
                break;
            }
            indexed.offsets.sort_unstable();
            queried.last_update_timestamp = indexed.last_update_timestamp;
            queried.last_update_offset = indexed.last_update_offset;
            for (number, offset) in indexed.offsets.into_iter().enumerate() {
                // The window follows the first record, at place 0 the log's first one if that one is gone; without it upstream
                // throws, logs that, and passes over the offset.
                if number == 0 {
                    let first = self.look(disk, offset).and_then(|bytes| decode_with(&bytes, 0, AS_STORED));
                    let Some((first, _)) = first else { continue };
                    end = first.store_timestamp.0;
                }
                queried.messages.extend(self.record_from(disk, offset.0));
            }
            if queried.messages.iter().any(|bytes| !bytes.is_empty()) || end < query.begin {
                break;
            }
        }
        queried
    }

    /// Removes the index files whose records are all gone from the log, never the last one.
    pub fn trim_index(&mut self, disk: &mut dyn Disk) {
        self.index.delete_expired(disk, self.log.min_offset());
    }

    /// How many index files there are.
    pub fn index_files(&self) -> usize {
        self.index.files.len()
    }
}

/// Whether a path is that of an index file: 17 digits.
fn is_index_name(path: &str) -> bool {
    let name = path.strip_prefix(FOLDER).unwrap_or_default();
    name.len() == NAME_LEN && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits of a file's name: `yyyyMMddHHmmssSSS`.
const NAME_LEN: usize = 17;
/// How upstream reads a record inside the store.
const AS_STORED: Reading = Reading { body: true, inflate: false };
/// Source: `DefaultMessageStore.queryMessage`.
const QUERY_ROUNDS: usize = 3;
