//! The ledger: one commit log for everything, a consume queue for each topic queue, and the services that follow the log.
//!
//! The store holds positions, never bytes, and knows neither frames nor nodes. It is called with the disk lent for one step,
//! returns outcomes, and leaves [`News`] for its owner: forces it wants, records dispatched, waiting puts answered. Its
//! services are polling loops upstream; here each has a deadline while there is work ([`MessageStore::deadlines`]).
//!
//! ```text
//! put ─▶ commit log ─▶ (force) ─▶ PutDone          get ─▶ consume queue ─▶ commit log
//!            └─▶ reput ─▶ consume queue, index
//! ```
//!
//! Source: `DefaultMessageStore`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mq::disk::{Disk, DiskError, FileId};
use crate::mq::message::{PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::profile::Profile;
use crate::mq::store::checkpoint::Checkpoint;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::delay::DelayLevels;
use crate::mq::store::flush::{GroupCommit, QueueFlush, RealTime};
use crate::mq::store::ha::{Slaves, Waiting};
use crate::mq::store::index::Index;
use crate::mq::store::lock::PutLock;
use crate::mq::store::mapped_file::{Dirty, MappedFile, MappedFileQueue};
use crate::mq::store::outcome::{News, StoreError};
use crate::mq::store::queues::Queues;
use crate::mq::store::record::EncodeBuffer;
use crate::mq::store::reput::{BitMaps, Stuck};
use crate::mq::store::retain::Retention;
use crate::mq::store::schedule::Schedule;
use crate::mq::store::shutdown::Stopping;
use crate::mq::store::transient::CommitTurns;
use crate::mq::time::{Millis, Time};

pub mod config;

pub mod config_file;

pub mod outcome;

pub mod record;

pub mod delay;

pub mod delay_offset;

pub mod schedule;

pub mod mapped_file;

mod queues;

pub mod index_file;

pub mod index;

mod commit_log;

mod copies;

pub mod batch;

mod lock;

mod allocate;

mod transient;

mod ha;

mod agree;

mod group_transfer;

mod durability;

pub mod flush;

mod shutdown;

pub mod retain;

pub mod reput;

pub mod consume_queue;

pub mod consume_queue_ext;

pub mod checkpoint;

mod recover;

mod rebuild;

pub mod get;

/// The node's clocks at a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Wall clock.
    pub wall: Millis,
    /// Monotonic clock.
    pub mono: Time,
}

/// A store over a lent disk.
#[derive(Clone, Debug)]
pub struct MessageStore {
    config: StoreConfig,
    profile: Profile,
    delays: DelayLevels,
    log: MappedFileQueue,
    /// The log's next file, made already.
    ahead: Option<MappedFile>,
    /// Buffers of the transient store pool that are not lent.
    free_buffers: usize,
    commits: CommitTurns,
    retention: Retention,
    encode: EncodeBuffer,
    queues: Queues,
    index: Index,
    checkpoint: Checkpoint,
    /// The clocks at the last call.
    now: Clock,
    reput_from: i64,
    stuck: Option<Stuck>,
    started: Time,
    group_commit: GroupCommit,
    real_time: RealTime,
    queue_flush: QueueFlush,
    /// The commit log's force that has not been answered.
    log_force: Option<(u64, Dirty)>,
    /// Consume queues' forces that have not been answered.
    queue_forces: BTreeMap<u64, (usize, Dirty)>,
    /// Full index files' forces that have not been answered, with the time up to which each then is durable.
    index_forces: BTreeMap<u64, i64>,
    /// Forces of what a repaired recovery read and wiped, until they are answered: no puts before (K06, K18).
    recovery_forces: BTreeMap<u64, (FileId, i64)>,
    /// The dispatcher met a bad record and stays there (K18).
    dispatch_stopped: bool,
    /// The checkpoint's force that has not been answered.
    checkpoint_force: Option<u64>,
    schedule: Schedule,
    /// Config files whose next text is being forced.
    staged: config_file::Staged,
    next_ticket: u64,
    next_request: u64,
    waiting_puts: BTreeMap<u64, Waiting>,
    /// Requests that wait for the log to be durable up to there (K03).
    copies: Vec<(u64, i64)>,
    lock: PutLock,
    slaves: Slaves,
    /// Bits of [`Flag`]. Source: `RunningFlags`.
    flags: u32,
    /// A force has failed and the profile does not forget it: puts are refused.
    poisoned: bool,
    /// It was one of the log: it is not forced again.
    log_poisoned: bool,
    state: State,
    news: Vec<News>,
}

/// Where a store is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Loaded,
    Running,
    ShuttingDown(Stopping),
    ShutDown,
}

/// A bit that refuses work. Source: `RunningFlags`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Flag {
    /// `NOT_READABLE_BIT`.
    NotReadable = 1,
    /// `NOT_WRITEABLE_BIT`.
    NotWriteable = 2,
    /// `WRITE_LOGICS_QUEUE_ERROR_BIT`: stays until a restart.
    WriteLogicsQueueError = 4,
    /// `WRITE_INDEX_FILE_ERROR_BIT`: stays until a restart.
    WriteIndexFileError = 8,
    /// `DISK_FULL_BIT`.
    DiskFull = 16,
}

/// Any of these refuses puts. Source: `RunningFlags.isWriteable`.
const UNWRITEABLE: u32 = 2 | 4 | 8 | 16;
/// Any of these refuses queue units; a full disk does not. Source: `RunningFlags.isCQWriteable`.
const QUEUES_UNWRITEABLE: u32 = 2 | 4 | 8;

/// A service with a deadline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Service {
    /// `ReputMessageService`.
    Reput,
    /// `GroupCommitService`'s idle pass.
    GroupCommit,
    /// `FlushRealTimeService`.
    FlushCommitLog,
    /// `FlushConsumeQueueService`.
    FlushConsumeQueue,
    /// The earliest waiting put's `syncFlushTimeout`.
    PutDeadline,
    /// `CommitRealTimeService`.
    Commit,
    /// `ScheduleMessageService`: the first level that has something to do.
    Schedule,
    /// `ScheduleMessageService.persist`.
    DelayOffsets,
    /// `CleanCommitLogService` and `CleanConsumeQueueService`.
    Clean,
}

impl Service {
    /// How many there are.
    pub const COUNT: usize = 9;
}

impl MessageStore {
    /// Loads, recovers and starts a store: takes the lock and leaves the `abort` file.
    ///
    /// Errors: [`StoreError`]; damage in the files is not one, recovery cuts it off.
    /// Source: `DefaultMessageStore.load`, `start`.
    pub fn open(
        config: StoreConfig,
        profile: Profile,
        disk: &mut dyn Disk,
        clock: Clock,
    ) -> Result<MessageStore, StoreError> {
        MessageStore::open_with(config, profile, disk, clock, None)
    }

    /// Opens a store that asks who wants a record from its recovery on: what is dispatched again is asked about again.
    ///
    /// Source: `BrokerController.initialize`, which adds `CommitLogDispatcherCalcBitMap` before it loads the store.
    pub fn open_with(
        config: StoreConfig,
        profile: Profile,
        disk: &mut dyn Disk,
        clock: Clock,
        bit_maps: Option<Arc<dyn BitMaps>>,
    ) -> Result<MessageStore, StoreError> {
        let mut store = MessageStore::load_with(config, profile, disk, clock, bit_maps)?;
        store.start(disk, clock)?;
        Ok(store)
    }

    /// The second half of [`MessageStore::open`]. Source: `DefaultMessageStore.start`.
    pub fn start(&mut self, disk: &mut dyn Disk, clock: Clock) -> Result<(), StoreError> {
        disk.lock(LOCK).map_err(|error| match error {
            DiskError::Locked => StoreError::Locked,
            error => StoreError::Disk { file: LOCK.to_owned(), error },
        })?;
        let put = |disk: &mut dyn Disk, file: &str, bytes: &[u8]| {
            disk.put(file, bytes).map_err(|error| StoreError::Disk { file: file.to_owned(), error })
        };
        put(disk, LOCK, b"lock")?;
        self.reput_from = self.log.max_offset();
        put(disk, ABORT, b"")?;
        self.started = clock.mono;
        self.now = clock;
        self.start_retention(disk);
        self.state = State::Running;
        self.start_schedule(clock);
        Ok(())
    }

    /// Takes what happened since the last call.
    pub fn take_news(&mut self, news: &mut Vec<News>) {
        news.append(&mut self.news);
    }

    /// Where the commit log ends.
    pub fn log_end(&self) -> PhysicalOffset {
        PhysicalOffset(self.log.max_offset())
    }

    /// Where the commit log begins; -1 if it has no file.
    pub fn log_begin(&self) -> PhysicalOffset {
        PhysicalOffset(self.log.min_offset())
    }

    /// Up to where the commit log is durable.
    pub fn flushed(&self) -> PhysicalOffset {
        PhysicalOffset(self.log.flushed_where)
    }

    /// How many bytes the follower is behind.
    pub fn behind(&self) -> i64 {
        self.log.max_offset() - self.reput_from
    }

    /// One past the last entry of a queue; 0 for one that is not there. Source: `getMaxOffsetInQueue`.
    pub fn max_queue_offset(&self, topic: &str, queue_id: QueueId) -> QueueOffset {
        QueueOffset(self.queues.find(topic, queue_id).map_or(0, |place| self.queues.list[place].max_offset()))
    }

    /// The first entry of a queue; 0 for one that is not there. Source: `getMinOffsetInQueue`.
    pub fn min_queue_offset(&self, topic: &str, queue_id: QueueId) -> QueueOffset {
        QueueOffset(self.queues.find(topic, queue_id).map_or(0, |place| self.queues.list[place].min_offset()))
    }

    /// Every consume queue with its first entry and one past its last, in order of topic and number.
    pub fn each_queue(&self) -> impl Iterator<Item = (&Topic, QueueId, i64, i64)> {
        let places = self.queues.by_topic.values().flat_map(BTreeMap::values);
        places
            .map(|place| &self.queues.list[*place])
            .map(|queue| (&queue.topic, queue.queue_id, queue.min_offset(), queue.max_offset()))
    }

    /// The checkpoint's three times in memory, ms.
    pub fn checkpoint(&self) -> (i64, i64, i64) {
        (self.checkpoint.physic, self.checkpoint.logics, self.checkpoint.index)
    }

    /// How many files the commit log has.
    pub fn commit_log_files(&self) -> usize {
        self.log.files.len()
    }

    /// The next queue offset of every topic queue that was written or loaded. Source: `CommitLog.topicQueueTable`.
    pub fn topic_queue_table(&self) -> impl Iterator<Item = (&Topic, QueueId, i64)> {
        let places = self.queues.by_topic.values().flat_map(BTreeMap::values);
        places.map(|place| {
            let queue = &self.queues.list[*place];
            (&queue.topic, queue.queue_id, self.queues.next_offset[*place])
        })
    }

    /// Whether puts are taken. Source: `RunningFlags.isWriteable`.
    pub fn is_writeable(&self) -> bool {
        self.state == State::Running && self.has_clean_flags() && self.recovery_forces.is_empty()
    }

    fn has_clean_flags(&self) -> bool {
        self.flags & UNWRITEABLE == 0 && !self.poisoned
    }

    /// Raises or lowers a running flag and returns all bits.
    ///
    /// `NOT_WRITEABLE` cannot be raised while another flag refuses puts. Source: `RunningFlags.getAndMakeNotWriteable`.
    pub fn set_flag(&mut self, flag: Flag, on: bool) -> u32 {
        if flag == Flag::NotWriteable && on && self.flags & UNWRITEABLE != 0 {
            return self.flags;
        }
        if flag == Flag::DiskFull {
            self.retention.look_again();
        }
        self.flags = if on { self.flags | flag as u32 } else { self.flags & !(flag as u32) };
        self.flags
    }

    /// All running flags. Source: `RunningFlags.getFlagBits`.
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// How long delayed messages wait.
    pub fn delays(&self) -> &DelayLevels {
        &self.delays
    }

    /// This store's settings.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    fn queue_file_size(&self) -> i64 {
        (self.config.consume_queue_file_size.div_ceil(20) * 20) as i64
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}

/// The file that exists while the store runs. Source: `StorePathConfigHelper.getAbortFile`.
pub const ABORT: &str = "abort";
/// The file whose lock keeps a second process out. Source: `StorePathConfigHelper.getLockFile`.
pub const LOCK: &str = "lock";
