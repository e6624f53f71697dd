//! The commit log: append, roll with a blank record, and who waits for durability.
//!
//! Source: `DefaultMessageStore.putMessage`, `CommitLog.putMessage`, `DefaultAppendMessageCallback.doAppend`.
//! Differs: upstream holds `putMessageLock`; a node handles one event at a time.

use crate::mq::disk::Disk;
use crate::mq::message::sys_flag::{TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::message::{PhysicalOffset, QueueOffset};
use crate::mq::mistake::Mistake;
use crate::mq::store::config::Role;
use crate::mq::store::flush::CommitRequest;
use crate::mq::store::ha::{Stage, Waiting};
use crate::mq::store::outcome::{AppendStatus, Landed, Put, PutStatus};
use crate::mq::store::record::{BLANK_LEN, NewMessage, Place};
use crate::mq::store::{Clock, MessageStore, delay};
use crate::mq::time::Millis;

impl MessageStore {
    /// Appends one message at the end of the log and says where it landed.
    ///
    /// Where the sender waits for a force or a slave, the status is final only in [`News::PutDone`](crate::mq::store::outcome::News::PutDone).
    /// Source: `DefaultMessageStore.putMessage`; the checks stand in its order.
    pub fn put(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage) -> Put {
        if !self.takes_puts() {
            return Put::refused(PutStatus::ServiceNotAvailable);
        }
        if java_len(&message.topic) > TOPIC_LEN_MAX {
            return Put::refused(PutStatus::MessageIllegal);
        }
        if java_len(&message.properties) > PROPERTIES_LEN_MAX {
            return Put::refused(PutStatus::PropertiesSizeExceeded);
        }
        if self.is_os_page_cache_busy(clock) {
            return Put::refused(PutStatus::OsPagecacheBusy);
        }
        self.append_one(disk, clock, message)
    }

    /// Whether puts get past the first three checks. Source: `DefaultMessageStore.putMessage`.
    pub(super) fn takes_puts(&self) -> bool {
        self.is_writeable() && self.config.role != Role::Slave
    }

    /// The commit log's own append, without the checks in front of it. Source: `CommitLog.putMessage`.
    pub fn append_one(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage) -> Put {
        let wishes = message.wishes();
        let low = i32::from(self.profile.plants(Mistake::DelayLevelOneLow));
        let delay = wishes.delay.map(|level| if level > 1 { level - low } else { level });
        let parked = match delay::parked(message, delay, &self.delays) {
            Ok(parked) => parked,
            Err(thrown) => return Put::refused(PutStatus::Thrown(thrown)),
        };
        let queue = parked.as_ref().map(|parked| parked.queue_id);
        let message = parked.as_ref().unwrap_or(message);
        let put = self.append(disk, clock, wishes.waits, |store, disk, stored| store.do_append(disk, stored, message));
        Put { parked: queue.filter(|_| put.is_stored()), ..put }
    }

    /// Takes the lock, rolls if it must, appends, and sees to disk and slaves.
    ///
    /// The result of the append after a roll is not looked at: what fits no file is answered with success, and a whole blank
    /// file is all that is left of it (K27). Source: `CommitLog.putMessage`, `putMessages`.
    pub(super) fn append(
        &mut self,
        disk: &mut dyn Disk,
        clock: Clock,
        waits: bool,
        mut write: impl FnMut(&mut MessageStore, &mut dyn Disk, Millis) -> Appended,
    ) -> Put {
        self.now = clock;
        let (stored, stalled) = (self.lock.begin(clock), disk.stalled());
        let appended = match self.next_log_file(disk, 0) {
            false => None,
            true => Some(match write(self, disk, stored) {
                Appended::At(AppendStatus::EndOfFile, blank) => match self.next_log_file(disk, 0) {
                    true => write(self, disk, stored),
                    false => Appended::NoNextFile(blank),
                },
                done => done,
            }),
        };
        let failed = !matches!(appended, Some(Appended::At(..)));
        let stays = if failed && self.profile.plants(Mistake::LockNoteStays) { FOR_HOURS } else { 0 };
        self.lock.hold(clock, stored, disk.stalled().saturating_sub(stalled) + stays);
        let (append, landed) = match appended {
            None => return Put::refused(PutStatus::CreateMapedFileFailed),
            Some(Appended::NoNextFile(blank)) => {
                let append = Some(AppendStatus::EndOfFile);
                return Put { append, landed: Some(blank), ..Put::refused(PutStatus::CreateMapedFileFailed) };
            }
            Some(Appended::Refused(AppendStatus::UnknownError)) => {
                let append = Some(AppendStatus::UnknownError);
                return Put { append, ..Put::refused(PutStatus::UnknownError) };
            }
            Some(Appended::Refused(status)) => {
                return Put { append: Some(status), ..Put::refused(PutStatus::MessageIllegal) };
            }
            Some(Appended::At(status, landed)) => (status, landed),
        };
        self.retention.take(landed.size as usize);
        let (status, waits) = self.after_append(disk, clock, waits, landed.at.0 + i64::from(landed.size));
        Put { append: Some(append), landed: Some(landed), waits, ..Put::refused(status) }
    }

    /// The status as far as it is known, and the request under which the rest will be said.
    ///
    /// Source: `CommitLog.handleDiskFlush`, `handleHA`.
    fn after_append(
        &mut self,
        disk: &mut dyn Disk,
        clock: Clock,
        waits: bool,
        next_offset: i64,
    ) -> (PutStatus, Option<u64>) {
        if !self.config.sync_flush {
            match self.config.has_transient_pool() {
                true => self.wake_commit(disk, clock),
                false => self.wake_real_time(clock),
            }
            if !waits {
                return (PutStatus::PutOk, None);
            }
            self.next_request += 1;
            let number = self.next_request;
            return match self.handle_ha(clock, number, next_offset, PutStatus::PutOk) {
                Some(status) => (status, None),
                None => (PutStatus::PutOk, Some(number)),
            };
        }
        if !waits || self.profile.plants(Mistake::AcksBeforeFlush) {
            self.group_commit.woken = true;
            self.run_group_commit(clock);
            return (PutStatus::PutOk, None);
        }
        self.next_request += 1;
        let number = self.next_request;
        let deadline = clock.mono + self.config.sync_flush_timeout;
        self.waiting_puts.insert(number, Waiting { next_offset, deadline, stage: Stage::Disk });
        self.group_commit.writing.push(CommitRequest { number, next_offset, deadline });
        self.run_group_commit(clock);
        (PutStatus::PutOk, Some(number))
    }

    /// Source: `DefaultAppendMessageCallback.doAppend`.
    fn do_append(&mut self, disk: &mut dyn Disk, stored: Millis, message: &NewMessage) -> Appended {
        let file_size = self.queue_file_size();
        let queue = self.queues.find_or_create(&message.topic, message.queue_id, file_size);
        let kind = transaction_type(message.sys_flag);
        let is_outside_queues = kind == TRANSACTION_PREPARED || kind == TRANSACTION_ROLLBACK;
        let queue_offset = if is_outside_queues { 0 } else { self.queues.next_offset[queue] };
        let is_taken = !is_outside_queues && self.profile.plants(Mistake::OffsetBeforeAppend);
        self.queues.next_offset[queue] += i64::from(is_taken);
        let length = message.record_len();
        let file = self.log.files.last_mut().expect("made before the append");
        let refused = match () {
            () if file.is_full() => Some(AppendStatus::UnknownError),
            () if message.properties.len() > PROPERTIES_LEN_MAX => Some(AppendStatus::PropertiesSizeExceeded),
            () if length > self.config.max_message_size.max(0) as usize => Some(AppendStatus::MessageSizeExceeded),
            () if self.profile.fix_k27 && fits_no_file(length, file.size) => Some(AppendStatus::MessageSizeExceeded),
            () => None,
        };
        if let Some(status) = refused {
            // The result's store time is 0, and the file takes that over.
            file.store_timestamp = 0;
            return Appended::Refused(status);
        }
        let space = file.size - file.wrote;
        let physical_offset = file.from + file.wrote;
        let landed = Landed {
            at: PhysicalOffset(physical_offset),
            size: length as i32,
            queue_offset: QueueOffset(queue_offset),
            store_timestamp: stored,
            count: 1,
        };
        (file.store_timestamp, file.modified_ms) = (stored.0, stored.0);
        if length + BLANK_LEN > space as usize {
            let blank = self.encode.blank(space as usize);
            file.append(disk, if self.profile.plants(Mistake::BlankLost) { &[] } else { blank }, space);
            return Appended::At(AppendStatus::EndOfFile, Landed { size: space as i32, ..landed });
        }
        let place = Place { queue_offset, physical_offset, store_timestamp: stored };
        file.append(disk, self.encode.record(message, &place), length as i64);
        if !is_outside_queues && !is_taken {
            self.queues.next_offset[queue] += 1;
        }
        Appended::At(AppendStatus::PutOk, landed)
    }
}

/// What became of an append. Source: `AppendMessageResult`.
pub(super) enum Appended {
    /// The record, or the blank record that ended the file, lies there.
    At(AppendStatus, Landed),
    /// The blank record was written, and the next file could not be made.
    NoNextFile(Landed),
    /// Nothing was written.
    Refused(AppendStatus),
}

/// Whether not even an empty log file has room for so many bytes and the blank behind them (K27).
pub(super) fn fits_no_file(len: usize, file_size: i64) -> bool {
    file_size < (len + BLANK_LEN) as i64
}

/// `String.length()`: UTF-16 units.
pub(super) fn java_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Source: `Byte.MAX_VALUE` in `DefaultMessageStore.putMessage`.
pub(super) const TOPIC_LEN_MAX: usize = 127;
/// Source: `Short.MAX_VALUE`, first as characters, then as bytes.
const PROPERTIES_LEN_MAX: usize = 32_767;
/// Three hours of stalling: what a note that is never cleared amounts to ([`Mistake::LockNoteStays`]).
const FOR_HOURS: u64 = 3 * 3_600 * 1_000_000_000;
