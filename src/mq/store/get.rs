//! Reading: from a queue entry to the record's bytes, with upstream's statuses and limits.
//!
//! Source: `DefaultMessageStore.getMessage`.

use std::ops::Range;

use bytes::Bytes;

use crate::mq::disk::{Disk, FileId};
use crate::mq::message::record::{MAGIC, body_crc};
use crate::mq::message::{PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::mistake::Mistake;
use crate::mq::store::config::Role;
use crate::mq::store::consume_queue::{ConsumeQueue, UNIT, Unit};
use crate::mq::store::consume_queue_ext::ExtUnit;
use crate::mq::store::mapped_file::MappedFile;
use crate::mq::store::{Flag, MessageStore, State};

/// What is asked for.
pub struct GetRequest<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// From which entry.
    pub offset: QueueOffset,
    /// At most how many messages.
    pub max: i32,
    /// Which messages pass; a function of the tag's hash is such a filter, too.
    pub filter: &'a dyn MessageFilter,
}

/// Which messages a reader wants, asked twice. Source: `MessageFilter`.
pub trait MessageFilter {
    /// Before the log is read: by the tag's hash, `None` where it is lost, and by what the extension holds beside it.
    fn is_matched_by_consume_queue(&self, tags_code: Option<i64>, beside: Option<&ExtUnit>) -> bool;

    /// By the record's bytes.
    fn is_matched_by_commit_log(&self, _record: &[u8]) -> bool {
        true
    }
}

/// By the tag's hash alone; one that is lost passes. Source: `DefaultMessageFilter`.
impl<F: Fn(i64) -> bool> MessageFilter for F {
    fn is_matched_by_consume_queue(&self, tags_code: Option<i64>, _beside: Option<&ExtUnit>) -> bool {
        tags_code.is_none_or(self)
    }
}

/// What was found. Source: `GetMessageResult`.
#[derive(Clone, PartialEq, Debug)]
pub struct Got {
    /// How it went.
    pub status: GetStatus,
    /// Where to go on.
    pub next: QueueOffset,
    /// The queue's first entry.
    pub min: QueueOffset,
    /// One past the queue's last entry.
    pub max: QueueOffset,
    /// The records, one piece each.
    pub messages: Vec<Bytes>,
    /// Their bytes in all.
    pub size: usize,
    /// Whether the reader is so far behind that it should ask a slave.
    pub suggest_slave: bool,
}

/// Source: `GetMessageStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GetStatus {
    /// `FOUND`.
    Found,
    /// `NO_MATCHED_MESSAGE`.
    NoMatchedMessage,
    /// `MESSAGE_WAS_REMOVING`.
    MessageWasRemoving,
    /// `OFFSET_FOUND_NULL`.
    OffsetFoundNull,
    /// `OFFSET_OVERFLOW_BADLY`.
    OffsetOverflowBadly,
    /// `OFFSET_OVERFLOW_ONE`.
    OffsetOverflowOne,
    /// `OFFSET_TOO_SMALL`.
    OffsetTooSmall,
    /// `NO_MATCHED_LOGIC_QUEUE`.
    NoMatchedLogicQueue,
    /// `NO_MESSAGE_IN_QUEUE`.
    NoMessageInQueue,
}

impl GetStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            GetStatus::Found => "FOUND",
            GetStatus::NoMatchedMessage => "NO_MATCHED_MESSAGE",
            GetStatus::MessageWasRemoving => "MESSAGE_WAS_REMOVING",
            GetStatus::OffsetFoundNull => "OFFSET_FOUND_NULL",
            GetStatus::OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
            GetStatus::OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
            GetStatus::OffsetTooSmall => "OFFSET_TOO_SMALL",
            GetStatus::NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
            GetStatus::NoMessageInQueue => "NO_MESSAGE_IN_QUEUE",
        }
    }
}

impl MessageStore {
    /// Reads messages of one queue; `None` when the store is shut down or not readable, or the next body is damaged (K17).
    ///
    /// A queue that is not there is made in memory, as upstream.
    pub fn get(&mut self, disk: &mut dyn Disk, request: &GetRequest<'_>) -> Option<Got> {
        if self.state != State::Running || self.flags & Flag::NotReadable as u32 != 0 {
            return None;
        }
        let file_size = self.queue_file_size();
        let place = self.queues.find_or_create(request.topic, request.queue_id, file_size);
        let queue = &self.queues.list[place];
        let (min, max, asked) = (queue.min_offset(), queue.max_offset(), request.offset.0);
        let mut got = Got {
            status: GetStatus::NoMessageInQueue,
            next: QueueOffset(asked),
            min: QueueOffset(min),
            max: QueueOffset(max),
            messages: Vec::new(),
            size: 0,
            suggest_slave: false,
        };
        (got.status, got.next.0) = match () {
            () if max == 0 => (GetStatus::NoMessageInQueue, self.corrected(asked, 0)),
            () if asked < min => {
                let to = if self.profile.plants(Mistake::BelowBeginGoesToEnd) { max } else { min };
                (GetStatus::OffsetTooSmall, self.corrected(asked, to))
            }
            () if asked == max => (GetStatus::OffsetOverflowOne, asked),
            () if asked > max => {
                (GetStatus::OffsetOverflowBadly, self.corrected(asked, if min == 0 { 0 } else { max }))
            }
            () => {
                if !self.scan(disk, request, place, &mut got) {
                    return None;
                }
                (got.status, got.next.0)
            }
        };
        Some(got)
    }

    /// Whether a reader that asked in the wrong place is told where to go on: a slave leaves that to its master.
    ///
    /// Source: `DefaultMessageStore.nextOffsetCorrection`, `PullMessageProcessor.processRequest`.
    pub fn corrects_offsets(&self) -> bool {
        let corrects = self.config.role != Role::Slave || self.config.offset_check_in_slave;
        corrects || self.profile.plants(Mistake::LaggingSlaveCorrects)
    }

    /// Where a reader that asked in the wrong place goes on: a slave lets it ask there again, its master may know more.
    ///
    /// Source: `DefaultMessageStore.nextOffsetCorrection`.
    fn corrected(&self, asked: i64, to: i64) -> i64 {
        if self.corrects_offsets() { to } else { asked }
    }

    /// Walks the entries of one queue file from the asked one on; `false` in front of a body that is not what was stored
    /// (K17 repaired).
    fn scan(&self, disk: &mut dyn Disk, request: &GetRequest<'_>, place: usize, got: &mut Got) -> bool {
        let queue = &self.queues.list[place];
        let asked = request.offset.0;
        let Some(number) = queue.files.find(asked.saturating_mul(UNIT), false) else {
            got.status = GetStatus::OffsetFoundNull;
            got.next.0 = self.corrected(asked, roll_next_file(asked, queue.files.file_size));
            return true;
        };
        let file = &queue.files.files[number];
        let last = (file.from + file.wrote) / UNIT;
        let log_end = self.log.max_offset();
        let memory = self.memory_limit(disk);
        let scan_max = SCAN_BYTES_MIN.max(i64::from(request.max.max(0)) * UNIT) / UNIT;
        got.status = GetStatus::NoMatchedMessage;
        got.messages.reserve_exact((last - asked).clamp(0, i64::from(request.max.max(0))) as usize);
        let (mut next_file_at, mut deepest) = (i64::MIN, 0);
        let mut entry = asked;
        while entry < last && entry - asked < scan_max {
            let unit = queue.unit(disk, entry).expect("an entry below the file's end is readable");
            deepest = unit.offset;
            let skipped = next_file_at != i64::MIN && unit.offset < next_file_at;
            if !skipped {
                let on_disk = log_end.wrapping_sub(unit.offset) > memory;
                if self.is_batch_full(got, request.max, unit.size, on_disk) {
                    entry += i64::from(self.profile.plants(Mistake::NextOffsetOneFar));
                    break;
                }
                if is_wanted(disk, queue, unit.tags_code, request.filter) {
                    // What is found in place of a record whose file is gone is another one (K17).
                    let is_there = !self.profile.fix_k17 || self.log.min_offset() <= unit.offset;
                    match self.record_at(disk, unit.offset, unit.size).filter(|_| is_there) {
                        Some(bytes) if self.profile.fix_k17 && !has_its_body(&bytes) => {
                            if got.messages.is_empty() {
                                return false;
                            }
                            break;
                        }
                        Some(bytes) if !request.filter.is_matched_by_commit_log(&bytes) => {}
                        Some(bytes) => {
                            got.size += bytes.len();
                            got.messages.push(bytes);
                            got.status = GetStatus::Found;
                            next_file_at = i64::MIN;
                        }
                        None => {
                            if got.size == 0 {
                                got.status = GetStatus::MessageWasRemoving;
                            }
                            next_file_at = roll_next_log_file(unit.offset, self.log.file_size);
                        }
                    }
                } else if got.size == 0 {
                    got.status = GetStatus::NoMatchedMessage;
                }
            }
            entry += 1;
        }
        got.next.0 = entry;
        got.suggest_slave = log_end.wrapping_sub(deepest) > memory;
        true
    }

    /// Source: `DefaultMessageStore.isTheBatchFull`; the first message is never refused.
    fn is_batch_full(&self, got: &Got, max: i32, size: i32, on_disk: bool) -> bool {
        if got.size == 0 || got.messages.is_empty() {
            return false;
        }
        let config = &self.config;
        let (count_max, bytes_max) = match on_disk {
            true => (config.max_transfer_count_in_disk, config.max_transfer_bytes_in_disk),
            false => (config.max_transfer_count_in_memory, config.max_transfer_bytes_in_memory),
        };
        got.messages.len() >= max.max(0) as usize
            || got.size + size.max(0) as usize > bytes_max
            || got.messages.len() + 1 > count_max
    }

    /// Bytes of the log that count as being in memory. Source: `accessMessageInMemoryMaxRatio`.
    fn memory_limit(&self, disk: &mut dyn Disk) -> i64 {
        let share = u128::from(disk.memory()) * u128::from(self.config.access_message_in_memory_max_ratio) / 100;
        i64::try_from(share).unwrap_or(i64::MAX)
    }

    /// Whether the entry's record is so far from the log's end that it counts as being on disk only.
    ///
    /// Source: `DefaultMessageStore.checkInDiskByConsumeOffset`.
    pub fn is_in_disk(&self, disk: &mut dyn Disk, topic: &str, queue_id: QueueId, offset: QueueOffset) -> bool {
        let Some(place) = self.queues.find(topic, queue_id) else { return false };
        let Some(unit) = self.queues.list[place].valid_unit(disk, offset.0) else { return false };
        self.log.max_offset().wrapping_sub(unit.offset) > self.memory_limit(disk)
    }

    /// The bytes at a place in the log. Source: `CommitLog.getMessage`; only place 0 falls back to the first file.
    pub(super) fn record_at(&self, disk: &mut dyn Disk, offset: i64, size: i32) -> Option<Bytes> {
        let (file, range) = self.range_at(offset, size)?;
        Some(Bytes::copy_from_slice(disk.bytes(file, range)))
    }

    fn range_at(&self, offset: i64, size: i32) -> Option<(FileId, Range<u64>)> {
        let file = &self.log.files[self.log.find(offset, offset == 0)?];
        let from = offset % self.log.file_size;
        let end = from.checked_add(i64::from(size))?;
        (size >= 0 && from >= 0 && end <= file.readable()).then_some((file.file, from as u64..end as u64))
    }

    /// The record that begins at `offset`, by the length it claims, and never the first one instead of one that is gone.
    ///
    /// The claim is only held to the file's length, not to what of it was written. Source: `CommitLog.getData`.
    pub(super) fn record_from(&self, disk: &mut dyn Disk, offset: i64) -> Option<Bytes> {
        let file = &self.log.files[self.log.find(offset, false)?];
        let from = offset % self.log.file_size;
        if from < 0 || file.readable() < from + 4 {
            return None;
        }
        let claims = disk.bytes(file.file, from as u64..from as u64 + 4);
        let size = i32::from_be_bytes(claims.try_into().expect("four bytes"));
        let end = from + i64::from(size);
        (size >= 0 && end <= file.size).then(|| Bytes::copy_from_slice(disk.bytes(file.file, from as u64..end as u64)))
    }

    /// The record that begins at `offset`, by the length it claims. Source: `lookMessageByOffset`.
    pub fn look(&self, disk: &mut dyn Disk, offset: PhysicalOffset) -> Option<Bytes> {
        let length = self.record_at(disk, offset.0, 4)?;
        let size = i32::from_be_bytes(length[..].try_into().expect("four bytes"));
        self.record_at(disk, offset.0, size)
    }

    /// The entry stored at a time, or the nearer neighbour. Source: `ConsumeQueue.getOffsetInQueueByTime`.
    pub fn offset_by_time(&self, disk: &mut dyn Disk, topic: &str, queue_id: QueueId, timestamp: i64) -> QueueOffset {
        let Some(place) = self.queues.find(topic, queue_id) else { return QueueOffset(0) };
        let queue = &self.queues.list[place];
        let modified = disk.list(&queue.files.folder);
        let is_late = |name: &str| modified.iter().any(|info| info.name == name && info.modified_ms >= timestamp);
        let name_of = |from: i64| queue.files.name(from);
        let found = queue.files.files.iter().find(|file| is_late(&name_of(file.from)));
        let Some(file) = found.or(queue.files.files.last()).filter(|file| 0 < file.wrote) else {
            return QueueOffset(0);
        };
        let found = self.nearest_in_time(disk, queue, file, timestamp);
        QueueOffset(found.0 + i64::from(self.profile.plants(Mistake::TimeLookupOneFar)))
    }

    /// Halves one file of units until it stands between two of them.
    fn nearest_in_time(&self, disk: &mut dyn Disk, queue: &ConsumeQueue, file: &MappedFile, time: i64) -> QueueOffset {
        let mut low = queue.min_logic_offset.saturating_sub(file.from).max(0);
        let mut high = file.wrote - UNIT;
        // Bytes from the file's start, and times; -1 is none. What lies before the log's begin has no time.
        let (mut left, mut right) = (-1, -1);
        let (mut early, mut late) = (-1, -1);
        let log_min = self.log.min_offset();
        let entry_at = |offset: i64| QueueOffset(file.from.wrapping_add(offset) / UNIT);
        while low <= high {
            let middle = (low + high) / (2 * UNIT) * UNIT;
            let unit = Unit::decode(disk.bytes(file.file, middle as u64..(middle + UNIT) as u64));
            if unit.offset < log_min {
                (low, left) = (middle + UNIT, middle);
                continue;
            }
            match self.store_time(disk, unit.offset, unit.size) {
                None | Some(..0) => return QueueOffset(0),
                Some(stored) if stored == time => return entry_at(middle),
                Some(stored) if stored > time => (high, right, late) = (middle - UNIT, middle, stored),
                Some(stored) => (low, left, early) = (middle + UNIT, middle, stored),
            }
        }
        let distance = |stored: i64| time.wrapping_sub(stored).wrapping_abs();
        // With every unit before the log's begin this is one before the file's first entry, or entry 0, as upstream.
        let right_wins = early == -1 || late != -1 && distance(early) > distance(late);
        entry_at(if right_wins { right } else { left })
    }

    /// The time at which an entry's record was stored; -1 if it cannot be read. Source: `getMessageStoreTimeStamp`.
    pub fn store_time_of(&self, disk: &mut dyn Disk, topic: &str, queue_id: QueueId, offset: QueueOffset) -> i64 {
        let Some(place) = self.queues.find(topic, queue_id) else { return -1 };
        let unit = self.queues.list[place].valid_unit(disk, offset.0);
        unit.and_then(|unit| self.store_time(disk, unit.offset, unit.size)).unwrap_or(-1)
    }

    /// The time at which the first valid entry's record was stored; -1 if there is none. Source: `getEarliestMessageTime`.
    pub fn earliest_time_of(&self, disk: &mut dyn Disk, topic: &str, queue_id: QueueId) -> i64 {
        self.store_time_of(disk, topic, queue_id, self.min_queue_offset(topic, queue_id))
    }

    /// The time at which the log's first record was stored; -1 while its first file has less than twice `maxMessageSize`.
    ///
    /// Faithful: so much is asked for, whatever the record's length (Q18). Source: `getEarliestMessageTime`.
    pub fn earliest_time(&self, disk: &mut dyn Disk) -> i64 {
        let size = self.config.max_message_size.wrapping_mul(2);
        self.store_time(disk, self.log.min_offset(), size).unwrap_or(-1)
    }

    /// Where an entry's record begins in the log; 0 if there is no such entry. Source: `getCommitLogOffsetInQueue`.
    pub fn log_offset_of(
        &self,
        disk: &mut dyn Disk,
        topic: &str,
        queue_id: QueueId,
        offset: QueueOffset,
    ) -> PhysicalOffset {
        let Some(place) = self.queues.find(topic, queue_id) else { return PhysicalOffset(0) };
        PhysicalOffset(self.queues.list[place].valid_unit(disk, offset.0).map_or(0, |unit| unit.offset))
    }

    /// Source: `CommitLog.pickupStoreTimestamp`.
    pub(super) fn store_time(&self, disk: &mut dyn Disk, offset: i64, size: i32) -> Option<i64> {
        if offset < self.log.min_offset() {
            return None;
        }
        let (file, range) = self.range_at(offset, size)?;
        let bytes = disk.bytes(file, range.start..range.end.min(range.start + 64));
        Some(i64::from_be_bytes(bytes.get(56..64)?.try_into().ok()?))
    }
}

/// Whether a unit passes the filter's first stage. Source: `DefaultMessageStore.getMessage`.
fn is_wanted(disk: &mut dyn Disk, queue: &ConsumeQueue, tags_code: i64, filter: &dyn MessageFilter) -> bool {
    match queue.beside(disk, tags_code) {
        None => filter.is_matched_by_consume_queue(Some(tags_code), None),
        Some(beside) => filter.is_matched_by_consume_queue(beside.as_ref().map(|unit| unit.tags_code), beside.as_ref()),
    }
}

/// Whether a record's body agrees with its CRC; foreign bytes, too short to be a record or of another length than theirs, do
/// not: zeros, where a page went back to what was on the disk, have the CRC of an empty body.
fn has_its_body(record: &[u8]) -> bool {
    let int = |at: usize| record.get(at..at + 4).map(|four| i32::from_be_bytes(four.try_into().expect("four bytes")));
    let (Some(crc), Some(length)) = (int(8), int(84)) else { return false };
    if int(0).and_then(|size| usize::try_from(size).ok()) != Some(record.len()) || int(4) != Some(MAGIC) {
        return false;
    }
    let body = usize::try_from(length).ok().and_then(|length| record.get(88..)?.get(..length));
    body.is_some_and(|body| body_crc(body) == crc)
}

/// Source: `ConsumeQueue.rollNextFile`.
fn roll_next_file(entry: i64, file_size: i64) -> i64 {
    let entries = file_size / UNIT;
    entry + entries - entry % entries
}

/// Source: `CommitLog.rollNextFile`.
fn roll_next_log_file(offset: i64, file_size: i64) -> i64 {
    offset.wrapping_add(file_size - offset % file_size)
}

/// Source: `DefaultMessageStore.getMessage`: 16,000 bytes of the queue are scanned at least.
const SCAN_BYTES_MIN: i64 = 16_000;
