//! Opening what a process left behind, after a clean stop or after a crash.
//!
//! Consume queues first, each to its first unit that points nowhere; then the log, to its first record that does not hold,
//! checked by CRC; then each is cut to the other. After a crash the log is read from the file that the checkpoint picks, and
//! its records are dispatched again: a queue drops what it has. Cutting moves positions only, the bytes stay.
//!
//! Source: `DefaultMessageStore.load`, `recover`; `CommitLog.recoverNormally`, `recoverAbnormally`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mq::disk::{Disk, DiskError};
use crate::mq::message::Name;
use crate::mq::message::record::MAGIC;
use crate::mq::mistake::Mistake;
use crate::mq::profile::Profile;
use crate::mq::store::checkpoint::{self, Checkpoint};
use crate::mq::store::config::StoreConfig;
use crate::mq::store::delay::DelayLevels;
use crate::mq::store::flush::{GroupCommit, QueueFlush, RealTime};
use crate::mq::store::ha::Slaves;
use crate::mq::store::index::Index;
use crate::mq::store::index_file::Shape;
use crate::mq::store::lock::PutLock;
use crate::mq::store::mapped_file::MappedFileQueue;
use crate::mq::store::outcome::{News, StoreError};
use crate::mq::store::record::{EncodeBuffer, Found, Parsed, Region, Want, parse};
use crate::mq::store::reput::BitMaps;
use crate::mq::store::retain::Retention;
use crate::mq::store::schedule::Schedule;
use crate::mq::store::transient::CommitTurns;
use crate::mq::store::{ABORT, Clock, MessageStore, Queues, State, delay_offset};

impl MessageStore {
    /// Loads and recovers a store without starting it. Source: `DefaultMessageStore.load`.
    pub fn load(
        config: StoreConfig,
        profile: Profile,
        disk: &mut dyn Disk,
        clock: Clock,
    ) -> Result<MessageStore, StoreError> {
        MessageStore::load_with(config, profile, disk, clock, None)
    }

    /// The first half of [`MessageStore::open_with`].
    pub(super) fn load_with(
        config: StoreConfig,
        profile: Profile,
        disk: &mut dyn Disk,
        clock: Clock,
        bit_maps: Option<Arc<dyn BitMaps>>,
    ) -> Result<MessageStore, StoreError> {
        config.check()?;
        let delays = delays(&config)?;
        let clean = disk.list(ABORT).iter().all(|info| info.name != ABORT);
        let (schedule, cursors) = Schedule::load(disk)?;
        let mut log = MappedFileQueue::new("commitlog/".to_owned(), config.commit_log_file_size as i64);
        log.load(disk)?;
        let checkpoint = Checkpoint::open(disk).map_err(|error| disk_error(checkpoint::FILE, error))?;
        let real_time =
            RealTime::new(clock.mono, config.flush_interval, config.flush_thorough_interval, config.flush_least_pages);
        let queue_flush =
            QueueFlush::new(clock.mono, config.flush_queue_interval, config.flush_queue_thorough_interval);
        let commits = CommitTurns::new(
            clock.mono,
            config.commit_interval,
            config.commit_thorough_interval,
            config.commit_least_pages,
        );
        let free_buffers = if config.has_transient_pool() { config.transient_store_pool_size } else { 0 };
        let retention = Retention::new(&config.delete_when);
        let mut store = MessageStore {
            queues: Queues::new(&config),
            index: Index::new(Shape { slots: config.max_hash_slot_num, entries: config.max_index_num }),
            config,
            profile,
            delays,
            log,
            ahead: None,
            free_buffers,
            commits,
            retention,
            encode: EncodeBuffer::default(),
            checkpoint,
            now: clock,
            reput_from: 0,
            stuck: None,
            started: clock.mono,
            group_commit: GroupCommit::default(),
            real_time,
            queue_flush,
            log_force: None,
            queue_forces: BTreeMap::new(),
            index_forces: BTreeMap::new(),
            recovery_forces: BTreeMap::new(),
            dispatch_stopped: false,
            checkpoint_force: None,
            schedule,
            staged: Default::default(),
            next_ticket: 0,
            next_request: 0,
            waiting_puts: BTreeMap::new(),
            copies: Vec::new(),
            lock: PutLock::default(),
            slaves: Slaves::default(),
            flags: 0,
            poisoned: false,
            log_poisoned: false,
            state: State::Loaded,
            news: Vec::new(),
        };
        store.load_queues(disk, bit_maps)?;
        if store.profile.fix_k06 {
            store.index.clear(disk);
        } else {
            store.index.load(disk, clean, store.checkpoint.index);
        }
        store.recover(disk, clean)?;
        if let Some(why) = cursors.passed_over {
            store.news.push(News::ConfigPassedOver { file: delay_offset::FILE, why, has_backup: cursors.found });
        }
        Ok(store)
    }

    /// Source: `DefaultMessageStore.loadConsumeQueue`; folders whose name is no number are skipped.
    fn load_queues(&mut self, disk: &mut dyn Disk, bit_maps: Option<Arc<dyn BitMaps>>) -> Result<(), StoreError> {
        self.queues.bit_maps = bit_maps;
        let file_size = self.queue_file_size();
        let mut known: Option<(String, i32)> = None;
        for info in disk.list("consumequeue/") {
            let mut parts = info.name.split('/').skip(1);
            let (Some(topic), Some(number), Some(_)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let Ok(queue_id) = number.parse::<i32>() else { continue };
            if known.as_ref().is_some_and(|(name, id)| name == topic && *id == queue_id) {
                continue;
            }
            known = Some((topic.to_owned(), queue_id));
            let place = self.queues.find_or_create(&Name::from(topic), queue_id, file_size);
            self.queues.list[place].load(disk)?;
        }
        Ok(())
    }

    fn recover(&mut self, disk: &mut dyn Disk, clean: bool) -> Result<(), StoreError> {
        for queue in &mut self.queues.list {
            queue.recover(disk, self.profile.fix_k06);
        }
        let highest = self.queues.list.iter().map(|queue| queue.max_physic_offset).max().unwrap_or(-1);
        let records = if self.log.files.is_empty() {
            if !clean {
                self.drop_queues(disk);
            }
            0
        } else {
            self.recover_log(disk, clean, highest)?
        };
        let log_min = self.log.min_offset();
        for place in 0..self.queues.list.len() {
            let queue = &mut self.queues.list[place];
            queue.correct_min_offset(disk, log_min);
            self.queues.next_offset[place] = queue.max_offset();
        }
        // What dispatch said is old news; what it asked to be forced is not.
        self.news.retain(|news| matches!(news, News::Flush { .. }));
        let log_end = self.log.max_offset();
        let cut = self.left_behind_end(disk, log_end);
        self.news.push(News::Recovered { clean, log_end, records, cut });
        let places: Vec<usize> = self.queues.by_topic.values().flat_map(BTreeMap::values).copied().collect();
        for place in places {
            let queue = &self.queues.list[place];
            let (topic, queue_id, min, max) =
                (queue.topic.clone(), queue.queue_id, queue.min_offset(), queue.max_offset());
            self.news.push(News::QueueRecovered { topic, queue_id, min, max });
        }
        Ok(())
    }

    /// Reads the log to its first record that does not hold, and cuts there. Returns how many records were read.
    fn recover_log(&mut self, disk: &mut dyn Disk, clean: bool, highest: i64) -> Result<i64, StoreError> {
        let replays = !clean || self.profile.fix_k06;
        let mut number = match (self.profile.fix_k06, clean) {
            (true, _) => 0,
            (false, true) => self.log.files.len().saturating_sub(3),
            (false, false) => self.crash_start(disk),
        };
        let keys = replays && self.config.message_index_enable;
        let trusts = self.profile.plants(Mistake::RecoveryTrustsBodies);
        let (crc, sectors) = (self.config.check_crc_on_recover && !trusts, self.profile.fix_k17 && !trusts);
        let mut within = 0;
        let mut records = 0;
        let mut last = 0;
        let mut batch = Vec::with_capacity(REPLAY_BATCH);
        let end = loop {
            let file = &self.log.files[number];
            let (from, size) = (file.from, file.size);
            let region = Region { file: file.file, at: within as u64, end: size as u64 };
            let place = self.profile.fix_k18.then_some(from + within);
            let want = Want { crc, keys, place, sectors, delays: &self.delays };
            match parse(disk, region, want, &|topic| self.queues.intern(topic)) {
                Found::Record(record) => {
                    let at = from + within;
                    last = at;
                    within += i64::from(record.size);
                    records += 1;
                    if replays {
                        batch.push((at, record));
                    }
                    if batch.len() == REPLAY_BATCH {
                        self.replay(disk, &mut batch);
                    }
                }
                Found::Blank if number + 1 < self.log.files.len() => (number, within) = (number + 1, 0),
                Found::Blank | Found::Mismatch { .. } | Found::Bad => break from + within,
            }
        };
        self.replay(disk, &mut batch);
        if self.profile.fix_k09 {
            self.refuse_corruption(number, within)?;
        }
        let end = if !clean && records > 0 && self.profile.plants(Mistake::RecoveryCutsOneMore) { last } else { end };
        self.log.flushed_where = end;
        self.log.committed_where = end;
        if !self.profile.plants(Mistake::KeepsTornTail) {
            self.log.truncate(disk, end);
        }
        if self.profile.fix_k18 {
            self.wipe_cut(disk);
        }
        if highest >= end && !self.profile.plants(Mistake::QueueOutlivesLog) {
            for queue in &mut self.queues.list {
                queue.truncate(disk, end);
            }
        }
        if self.profile.fix_k06 {
            self.end_rebuild(disk);
        }
        if self.profile.fix_k06 || self.profile.fix_k02 {
            self.force_recovered();
        }
        Ok(records)
    }

    /// Dispatches records again, in their order.
    fn replay(&mut self, disk: &mut dyn Disk, batch: &mut Vec<(i64, Parsed)>) {
        self.look_at_slots(disk, batch.iter().map(|(_, record)| record));
        let left_out = usize::from(self.profile.plants(Mistake::RebuildSkipsOne));
        for (at, record) in batch.drain(..).skip(left_out) {
            self.dispatch(disk, at, &record);
        }
    }

    /// The newest file whose first record the checkpoint covers; the first file if none is.
    ///
    /// Source: `CommitLog.isMappedFileMatchedRecover`.
    fn crash_start(&self, disk: &mut dyn Disk) -> usize {
        let is_index_safe = self.config.message_index_enable && self.config.message_index_safe;
        let covered_until = if is_index_safe { self.checkpoint.min_index() } else { self.checkpoint.min() };
        let slack = if self.profile.plants(Mistake::CheckpointWithoutSlack) { checkpoint::SLACK_MS } else { 0 };
        let covered_until = covered_until + slack;
        let covered = |disk: &mut dyn Disk, number: usize| {
            let bytes = disk.bytes(self.log.files[number].file, 0..64.min(self.log.file_size as u64));
            let Some(head) = bytes.first_chunk::<64>() else { return false };
            let magic = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let stored = i64::from_be_bytes(head[56..64].try_into().expect("eight bytes"));
            magic == MAGIC && stored != 0 && stored <= covered_until
        };
        (0..self.log.files.len()).rev().find(|number| covered(disk, *number)).unwrap_or(0)
    }

    /// How many bytes behind the log's end still hold something, as far as one looks.
    fn left_behind_end(&self, disk: &mut dyn Disk, end: i64) -> i64 {
        let Some(number) = self.log.find(end, false) else { return 0 };
        let file = &self.log.files[number];
        let from = end - file.from;
        let to = (from + LOOK_BEHIND).min(file.size);
        let bytes = disk.bytes(file.file, from as u64..to as u64);
        bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as i64 + 1)
    }

    /// A crash without any commit log: the queues go, too. Source: `DefaultMessageStore.destroyLogics`.
    fn drop_queues(&mut self, disk: &mut dyn Disk) {
        for queue in &mut self.queues.list {
            queue.destroy(disk);
        }
        let bit_maps = self.queues.bit_maps.take();
        self.queues = Queues::new(&self.config);
        self.queues.bit_maps = bit_maps;
    }
}

fn delays(config: &StoreConfig) -> Result<DelayLevels, StoreError> {
    let text = &config.message_delay_level;
    DelayLevels::parse(text).ok_or_else(|| StoreError::DelayLevels { text: text.clone() })
}

fn disk_error(file: &str, error: DiskError) -> StoreError {
    StoreError::Disk { file: file.to_owned(), error }
}

/// How far behind the end one looks for bytes that were cut off: only to say how many there were.
const LOOK_BEHIND: i64 = 64 << 10;

/// So many records are read before they are dispatched, for [`MessageStore::look_at_slots`].
const REPLAY_BATCH: usize = 32;
