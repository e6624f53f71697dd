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

use crate::mq::disk::{Disk, DiskError, FileId};
use crate::mq::message::{PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::profile::Profile;
use crate::mq::store::checkpoint::Checkpoint;
use crate::mq::store::consume_queue::ConsumeQueue;
use crate::mq::store::flush::{GroupCommit, QueueFlush, RealTime};
use crate::mq::store::mapped_file::{Dirty, MappedFileQueue};
use crate::mq::store::record::EncodeBuffer;
use crate::mq::time::{Millis, Span, Time};

pub mod record;

pub mod mapped_file;

mod commit_log;

mod durability;

pub mod flush;

mod reput;

pub mod consume_queue;

pub mod checkpoint;

mod recover;

pub mod get;

/// The settings of a store. Source: `MessageStoreConfig`, whose defaults these are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// `mapedFileSizeCommitLog`, in bytes.
    pub commit_log_file_size: u64,
    /// `mapedFileSizeConsumeQueue`, in bytes; rounded up to whole units.
    pub consume_queue_file_size: u64,
    /// `maxMessageSize`: bounds the whole record.
    pub max_message_size: i32,
    /// `flushDiskType` is `SYNC_FLUSH`.
    pub sync_flush: bool,
    /// `flushIntervalCommitLog`.
    pub flush_interval: Span,
    /// `flushCommitLogLeastPages`.
    pub flush_least_pages: i64,
    /// `flushCommitLogThoroughInterval`.
    pub flush_thorough_interval: Span,
    /// `syncFlushTimeout`.
    pub sync_flush_timeout: Span,
    /// `flushIntervalConsumeQueue`.
    pub flush_queue_interval: Span,
    /// `flushConsumeQueueLeastPages`.
    pub flush_queue_least_pages: i64,
    /// `flushConsumeQueueThoroughInterval`.
    pub flush_queue_thorough_interval: Span,
    /// `checkCRCOnRecover`.
    pub check_crc_on_recover: bool,
    /// `accessMessageInMemoryMaxRatio`, percent.
    pub access_message_in_memory_max_ratio: u64,
    /// `maxTransferCountOnMessageInMemory`.
    pub max_transfer_count_in_memory: usize,
    /// `maxTransferBytesOnMessageInMemory`.
    pub max_transfer_bytes_in_memory: usize,
    /// `maxTransferCountOnMessageInDisk`.
    pub max_transfer_count_in_disk: usize,
    /// `maxTransferBytesOnMessageInDisk`.
    pub max_transfer_bytes_in_disk: usize,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig {
            commit_log_file_size: 1 << 30,
            consume_queue_file_size: 300_000 * 20,
            max_message_size: 4 << 20,
            sync_flush: false,
            flush_interval: Span::from_millis(500),
            flush_least_pages: 4,
            flush_thorough_interval: Span::from_secs(10),
            sync_flush_timeout: Span::from_secs(5),
            flush_queue_interval: Span::from_secs(1),
            flush_queue_least_pages: 2,
            flush_queue_thorough_interval: Span::from_secs(60),
            check_crc_on_recover: true,
            access_message_in_memory_max_ratio: 40,
            max_transfer_count_in_memory: 32,
            max_transfer_bytes_in_memory: 256 << 10,
            max_transfer_count_in_disk: 8,
            max_transfer_bytes_in_disk: 64 << 10,
        }
    }
}

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
    log: MappedFileQueue,
    encode: EncodeBuffer,
    queues: Queues,
    checkpoint: Checkpoint,
    reput_from: i64,
    started: Time,
    group_commit: GroupCommit,
    real_time: RealTime,
    queue_flush: QueueFlush,
    /// The commit log's force that has not been answered.
    log_force: Option<(u64, Dirty)>,
    /// Consume queues' forces that have not been answered.
    queue_forces: BTreeMap<u64, (usize, Dirty)>,
    /// The checkpoint's force that has not been answered.
    checkpoint_force: Option<u64>,
    next_ticket: u64,
    next_request: u64,
    waiting_puts: BTreeMap<u64, Time>,
    /// Bits of [`Flag`]. Source: `RunningFlags`.
    flags: u32,
    /// The last checkpoint of a clean stop was asked for.
    shutdown_checkpoint: bool,
    state: State,
    news: Vec<News>,
}

/// Where a store is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Loaded,
    Running,
    ShuttingDown,
    ShutDown,
}

/// Consume queues by topic and number, found without allocating.
#[derive(Clone, Debug, Default)]
struct Queues {
    by_topic: BTreeMap<Topic, BTreeMap<QueueId, usize>>,
    list: Vec<ConsumeQueue>,
    /// `topicQueueTable`: the next queue offset, by place in `list`.
    next_offset: Vec<i64>,
}

impl Queues {
    fn find(&self, topic: &str, queue_id: QueueId) -> Option<usize> {
        self.by_topic.get(topic)?.get(&queue_id).copied()
    }

    /// The queue's place, made empty if it is not there. Source: `DefaultMessageStore.findConsumeQueue`.
    fn find_or_create(&mut self, topic: &Topic, queue_id: QueueId, file_size: i64) -> usize {
        if let Some(place) = self.find(topic, queue_id) {
            return place;
        }
        let place = self.list.len();
        self.list.push(ConsumeQueue::new(topic.clone(), queue_id, file_size));
        self.next_offset.push(0);
        self.by_topic.entry(topic.clone()).or_default().insert(queue_id, place);
        place
    }

    /// The shared name of a known topic.
    fn intern(&self, topic: &str) -> Option<Topic> {
        self.by_topic.get_key_value(topic).map(|(name, _)| name.clone())
    }
}

/// What became of a put. Source: `PutMessageResult`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Put {
    /// The status, final unless `waits`.
    pub status: PutStatus,
    /// Where the record landed, if it did.
    pub landed: Option<Landed>,
    /// The request under which [`News::PutDone`] will say the final status.
    pub waits: Option<u64>,
}

/// Where a record landed. Source: `AppendMessageResult`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landed {
    /// Its first byte in the log.
    pub at: PhysicalOffset,
    /// Its length.
    pub size: i32,
    /// Its entry number.
    pub queue_offset: QueueOffset,
    /// When it was stored.
    pub store_timestamp: Millis,
}

/// Source: `PutMessageStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PutStatus {
    /// `PUT_OK`.
    PutOk,
    /// `FLUSH_DISK_TIMEOUT`.
    FlushDiskTimeout,
    /// `FLUSH_SLAVE_TIMEOUT`.
    FlushSlaveTimeout,
    /// `SLAVE_NOT_AVAILABLE`.
    SlaveNotAvailable,
    /// `SERVICE_NOT_AVAILABLE`.
    ServiceNotAvailable,
    /// `CREATE_MAPEDFILE_FAILED`.
    CreateMapedFileFailed,
    /// `MESSAGE_ILLEGAL`.
    MessageIllegal,
    /// `PROPERTIES_SIZE_EXCEEDED`.
    PropertiesSizeExceeded,
    /// `OS_PAGECACHE_BUSY`.
    OsPagecacheBusy,
    /// `UNKNOWN_ERROR`.
    UnknownError,
}

impl PutStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            PutStatus::PutOk => "PUT_OK",
            PutStatus::FlushDiskTimeout => "FLUSH_DISK_TIMEOUT",
            PutStatus::FlushSlaveTimeout => "FLUSH_SLAVE_TIMEOUT",
            PutStatus::SlaveNotAvailable => "SLAVE_NOT_AVAILABLE",
            PutStatus::ServiceNotAvailable => "SERVICE_NOT_AVAILABLE",
            PutStatus::CreateMapedFileFailed => "CREATE_MAPEDFILE_FAILED",
            PutStatus::MessageIllegal => "MESSAGE_ILLEGAL",
            PutStatus::PropertiesSizeExceeded => "PROPERTIES_SIZE_EXCEEDED",
            PutStatus::OsPagecacheBusy => "OS_PAGECACHE_BUSY",
            PutStatus::UnknownError => "UNKNOWN_ERROR",
        }
    }
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
}

/// What the store leaves for its owner after a call.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// Force this range and answer with [`MessageStore::flush_answered`].
    Flush {
        /// Names the answer.
        ticket: u64,
        /// The file.
        file: FileId,
        /// First byte.
        from: u64,
        /// One past the last byte.
        to: u64,
    },
    /// A waiting put's final status.
    PutDone {
        /// The put's request.
        request: u64,
        /// How it ended.
        status: PutStatus,
    },
    /// The follower read a record.
    Dispatched {
        /// Where it begins.
        at: i64,
        /// Its length.
        size: i32,
    },
    /// Its news has been handed on: whoever waits for this queue may look.
    Arrived {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The record's entry number, as recorded.
        queue_offset: i64,
        /// The hash of its tag.
        tags_code: i64,
    },
    /// A unit went into a consume queue.
    Queued {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// The entry.
        queue_offset: i64,
        /// Where the record begins.
        at: i64,
    },
    /// The commit log is durable up to `to`.
    FlushDone {
        /// Was durable up to here.
        from: i64,
        /// Is durable up to here.
        to: i64,
    },
    /// A force of the commit log failed.
    FlushFailed {
        /// From.
        from: i64,
        /// To.
        to: i64,
    },
    /// The commit log went on to its next file.
    Rolled {
        /// Where it begins.
        at: i64,
    },
    /// The checkpoint was written and forced.
    CheckpointWritten {
        /// Its first time, ms.
        physic: i64,
        /// Its second time, ms.
        logics: i64,
    },
    /// The store was recovered.
    Recovered {
        /// Whether the last stop was clean.
        clean: bool,
        /// Where the log ends.
        log_end: i64,
        /// Records read.
        records: i64,
        /// Bytes behind the end that still hold something, looked at as far as 64 KiB.
        cut: i64,
    },
    /// A consume queue after recovery.
    QueueRecovered {
        /// The topic.
        topic: Topic,
        /// The queue.
        queue_id: QueueId,
        /// First entry.
        min: i64,
        /// One past the last entry.
        max: i64,
    },
}

/// Why a store cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The device refused.
    #[error("`{file}`: {error}")]
    Disk {
        /// Which file.
        file: String,
        /// What it said.
        error: DiskError,
    },
    /// A file's name is no offset.
    #[error("`{file}`: the name of a mapped file is its offset in 20 digits")]
    FileName {
        /// Which file.
        file: String,
    },
    /// Another process has the store open.
    #[error("Lock failed,MQ already started")]
    Locked,
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
        let mut store = MessageStore::load(config, profile, disk, clock)?;
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
        self.state = State::Running;
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
        self.state == State::Running && self.flags & UNWRITEABLE == 0
    }

    /// Raises or lowers a running flag and returns all bits. Source: `RunningFlags`.
    pub fn set_flag(&mut self, flag: Flag, on: bool) -> u32 {
        self.flags = if on { self.flags | flag as u32 } else { self.flags & !(flag as u32) };
        self.flags
    }

    /// All running flags. Source: `RunningFlags.getFlagBits`.
    pub fn flags(&self) -> u32 {
        self.flags
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
