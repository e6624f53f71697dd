//! What a store answers and what it leaves for its owner.

use crate::mq::disk::{DiskError, FileId};
use crate::mq::message::{Name, PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::store::config_file::{ConfigError, Unreadable};
use crate::mq::time::Millis;

/// What became of a put. Source: `PutMessageResult`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Put {
    /// The status, final unless `waits`.
    pub status: PutStatus,
    /// How the append went; `None` if it never came to one.
    pub append: Option<AppendStatus>,
    /// Where the record landed, if it did. An end of file answers where its blank record lies.
    pub landed: Option<Landed>,
    /// Where each record of a batch begins.
    pub places: Vec<PhysicalOffset>,
    /// The queue of the schedule topic in which it is parked until it is due.
    pub parked: Option<QueueId>,
    /// The request under which [`News::PutDone`] will say the final status.
    pub waits: Option<u64>,
}

impl Put {
    /// Nothing was stored.
    pub(super) fn refused(status: PutStatus) -> Put {
        Put { status, append: None, landed: None, places: Vec::new(), parked: None, waits: None }
    }

    /// Whether the message is in the log.
    pub fn is_stored(&self) -> bool {
        self.append == Some(AppendStatus::PutOk)
    }
}

/// Where a record landed. Source: `AppendMessageResult`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landed {
    /// Its first byte in the log.
    pub at: PhysicalOffset,
    /// Its length; a batch's whole length.
    pub size: i32,
    /// Its entry number; a batch's first.
    pub queue_offset: QueueOffset,
    /// When it was stored: the moment at which its put took the lock.
    pub store_timestamp: Millis,
    /// How many records: `msgNum`.
    pub count: i32,
}

/// Source: `AppendMessageStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendStatus {
    /// `PUT_OK`.
    PutOk,
    /// `END_OF_FILE`: a blank record was written instead.
    EndOfFile,
    /// `MESSAGE_SIZE_EXCEEDED`.
    MessageSizeExceeded,
    /// `PROPERTIES_SIZE_EXCEEDED`.
    PropertiesSizeExceeded,
    /// `UNKNOWN_ERROR`.
    UnknownError,
}

impl AppendStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            AppendStatus::PutOk => "PUT_OK",
            AppendStatus::EndOfFile => "END_OF_FILE",
            AppendStatus::MessageSizeExceeded => "MESSAGE_SIZE_EXCEEDED",
            AppendStatus::PropertiesSizeExceeded => "PROPERTIES_SIZE_EXCEEDED",
            AppendStatus::UnknownError => "UNKNOWN_ERROR",
        }
    }
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
    /// None of upstream's: the put threw, and nothing was stored.
    Thrown(Thrown),
}

/// What upstream throws out of a put; the request's answer is then a SYSTEM_ERROR.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Thrown {
    /// A `NumberFormatException`: the delay level is no number. Source: `Message.getDelayTimeLevel`.
    #[error("the delay level is no number")]
    DelayLevel,
    /// A `RuntimeException`: a record of a batch, or the batch, is too long. Source: `MessageExtBatchEncoder.encode`.
    #[error("message size exceeded")]
    MessageSizeExceeded,
    /// A buffer's exception: a length in a batch reaches behind its end, or is negative. Source: `MessageExtBatchEncoder.encode`.
    #[error("a length in the batch reaches out of it")]
    Batch,
}

impl Thrown {
    /// The class of upstream's exception.
    pub fn class(self) -> &'static str {
        match self {
            Thrown::DelayLevel => "java.lang.NumberFormatException",
            Thrown::MessageSizeExceeded => "java.lang.RuntimeException",
            Thrown::Batch => "java.nio.BufferUnderflowException",
        }
    }
}

impl PutStatus {
    /// Whether the sender gets a place in the queue. Source: `SendMessageProcessor.handlePutMessageResult`.
    pub fn is_sent(self) -> bool {
        matches!(
            self,
            PutStatus::PutOk
                | PutStatus::FlushDiskTimeout
                | PutStatus::FlushSlaveTimeout
                | PutStatus::SlaveNotAvailable
        )
    }

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
            PutStatus::Thrown(_) => "exception",
        }
    }
}

/// What the store leaves for its owner after a call.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// Force this range and answer with [`MessageStore::flush_answered`](crate::mq::store::MessageStore::flush_answered).
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
        /// Where the record begins.
        at: i64,
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
    /// A delayed message's moment came: it was put under its true address.
    Delivered {
        /// Its level.
        level: i32,
        /// Its entry in the level's queue.
        offset: i64,
        /// Its true topic.
        topic: Topic,
        /// Its true queue.
        queue_id: QueueId,
        /// Where the copy lies.
        landed: Landed,
    },
    /// A delayed message's moment came, and it is passed over for good.
    DelayedSkipped {
        /// Its level.
        level: i32,
        /// Its entry in the level's queue.
        offset: i64,
        /// `gone`, `too-long`, or what upstream throws at (K12).
        why: &'static str,
    },
    /// A delayed message's moment came, and its put was refused: it is tried again.
    DelayedRefused {
        /// Its level.
        level: i32,
        /// Its entry in the level's queue.
        offset: i64,
        /// The put's status, or what upstream throws at (K12 repaired).
        why: &'static str,
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
    /// A file of the commit log was removed.
    FileDeleted {
        /// Where it began.
        at: i64,
        /// Whether its time was over.
        expired: bool,
    },
    /// The disk passed its last watermark: puts are refused.
    DiskFull {
        /// How much of it is in use.
        percent: i64,
    },
    /// The disk has room again.
    DiskOk {
        /// How much of it is in use.
        percent: i64,
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
    /// `messageDelayLevel` cannot be read.
    #[error("`messageDelayLevel` is `{text}`: waits like `1s 5m 2h 1d`, separated by single blanks, are allowed")]
    DelayLevels {
        /// What it says.
        text: Name,
    },
    /// A number with which no store can work.
    #[error("`{name}` is {value}: {min} to {max} is allowed")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// What it says.
        value: i64,
        /// The smallest value that is allowed.
        min: i64,
        /// The largest one.
        max: i64,
    },
    /// Another process has the store open.
    #[error("Lock failed,MQ already started")]
    Locked,
}
