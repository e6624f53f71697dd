//! What a store answers and what it leaves for its owner.

use crate::mq::disk::{DiskError, FileId};
use crate::mq::message::{PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::store::config_file::{ConfigError, Unreadable};
use crate::mq::time::Millis;

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
    /// The follower met a bad record and stays in front of it (K18 repaired).
    DispatchStopped {
        /// Where it begins.
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
    /// A config file's next text lies beside it and is being forced.
    ConfigStaged {
        /// The file.
        file: &'static str,
    },
    /// A config file was written.
    ConfigWritten {
        /// The file.
        file: &'static str,
    },
    /// A config file could not be written.
    ConfigFailed {
        /// The file.
        file: &'static str,
        /// Why.
        error: DiskError,
    },
    /// A config file was there, could not be read and was passed over.
    ConfigPassedOver {
        /// The file.
        file: &'static str,
        /// Why.
        why: Box<Unreadable>,
        /// Whether its `.bak` was read instead.
        has_backup: bool,
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
    /// A record is bad that was durable (K09 repaired).
    #[error("`{file}` at {at}: the record was durable and is damaged; restore the file from a replica or a copy")]
    Corrupt {
        /// Which file.
        file: String,
        /// The record's first byte in that file.
        at: i64,
    },
    /// A config file and its `.bak` cannot be read.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Another process has the store open.
    #[error("Lock failed,MQ already started")]
    Locked,
}
