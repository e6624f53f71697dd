//! The commit log: append, roll with a blank record, and who waits for durability.
//!
//! Source: `DefaultMessageStore.putMessage`, `CommitLog.putMessage`, `DefaultAppendMessageCallback.doAppend`.
//! Differs: upstream holds `putMessageLock`; a node handles one event at a time. Delayed messages are not parked here yet:
//! the schedule service comes with the delivery semantics.

use crate::mq::disk::Disk;
use crate::mq::message::sys_flag::{TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::message::{PhysicalOffset, QueueOffset};
use crate::mq::store::flush::CommitRequest;
use crate::mq::store::outcome::{Landed, News, Put, PutStatus};
use crate::mq::store::record::{NewMessage, Place};
use crate::mq::store::{Clock, MessageStore};

impl MessageStore {
    /// Appends one message at the end of the log and says where it landed.
    ///
    /// With a sync flush and a sender that waits the status is final only in [`News::PutDone`].
    /// Source: `DefaultMessageStore.putMessage`; the checks stand in its order.
    pub fn put(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage) -> Put {
        let refused = |status| Put { status, landed: None, waits: None };
        if !self.is_writeable() {
            return refused(PutStatus::ServiceNotAvailable);
        }
        if java_len(&message.topic) > TOPIC_LEN_MAX {
            return refused(PutStatus::MessageIllegal);
        }
        if java_len(&message.properties) > PROPERTIES_LEN_MAX {
            return refused(PutStatus::PropertiesSizeExceeded);
        }
        self.append_one(disk, clock, message)
    }

    /// The commit log's own append, without the checks in front of it. Source: `CommitLog.putMessage`.
    pub fn append_one(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage) -> Put {
        self.now = clock;
        let refused = |status| Put { status, landed: None, waits: None };
        let rolled_before = self.log.files.len();
        if self.log.last_or_create(disk, 0).is_err() {
            return refused(PutStatus::CreateMapedFileFailed);
        }
        let appended = match self.do_append(disk, clock, message) {
            Appended::EndOfFile => match self.log.last_or_create(disk, 0) {
                Ok(_) => self.do_append(disk, clock, message),
                Err(_) => return refused(PutStatus::CreateMapedFileFailed),
            },
            done => done,
        };
        if rolled_before < self.log.files.len() && rolled_before > 0 {
            let at = self.log.files.last().expect("just made").from;
            self.news.push(News::Rolled { at });
        }
        let landed = match appended {
            Appended::Landed(landed) => landed,
            Appended::Illegal => return refused(PutStatus::MessageIllegal),
            // Upstream does not look at the result of the append after a roll: a record that fits no file is answered
            // with success, and a whole blank file is all that is left of it.
            Appended::EndOfFile => return refused(PutStatus::PutOk),
        };
        self.after_append(disk, clock, message, landed)
    }

    /// Source: `CommitLog.handleDiskFlush`.
    fn after_append(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage, landed: Landed) -> Put {
        let done = Put { status: PutStatus::PutOk, landed: Some(landed), waits: None };
        if !self.config.sync_flush {
            self.wake_real_time(clock);
            return done;
        }
        if !message.waits() {
            self.group_commit.woken = true;
            self.run_group_commit(disk, clock);
            return done;
        }
        self.next_request += 1;
        let number = self.next_request;
        let deadline = clock.mono + self.config.sync_flush_timeout;
        let next_offset = landed.at.0 + i64::from(landed.size);
        self.waiting_puts.insert(number, deadline);
        self.group_commit.writing.push(CommitRequest { number, next_offset, deadline });
        self.run_group_commit(disk, clock);
        Put { waits: Some(number), ..done }
    }

    /// Source: `DefaultAppendMessageCallback.doAppend`.
    fn do_append(&mut self, disk: &mut dyn Disk, clock: Clock, message: &NewMessage) -> Appended {
        let file_size = self.queue_file_size();
        let queue = self.queues.find_or_create(&message.topic, message.queue_id, file_size);
        let kind = transaction_type(message.sys_flag);
        let is_outside_queues = kind == TRANSACTION_PREPARED || kind == TRANSACTION_ROLLBACK;
        let queue_offset = if is_outside_queues { 0 } else { self.queues.next_offset[queue] };
        let length = message.record_len();
        if message.properties.len() > PROPERTIES_LEN_MAX || length > self.config.max_message_size as usize {
            return Appended::Illegal;
        }
        let file = self.log.files.last_mut().expect("made before the append");
        let space = (file.size - file.wrote) as usize;
        let at = file.wrote as u64;
        if length + END_FILE_MIN_BLANK > space {
            disk.write(file.file, at, self.encode.blank(space));
            file.wrote = file.size;
            file.store_timestamp = clock.wall.0;
            return Appended::EndOfFile;
        }
        let physical_offset = file.from + file.wrote;
        let place = Place { queue_offset, physical_offset, store_timestamp: clock.wall };
        disk.write(file.file, at, self.encode.record(message, &place));
        file.wrote += length as i64;
        file.store_timestamp = clock.wall.0;
        assert!(file.wrote <= file.size, "a record never spans files");
        if !is_outside_queues {
            self.queues.next_offset[queue] += 1;
        }
        Appended::Landed(Landed {
            at: PhysicalOffset(physical_offset),
            size: length as i32,
            queue_offset: QueueOffset(queue_offset),
            store_timestamp: clock.wall,
        })
    }
}

/// Source: `AppendMessageStatus`.
enum Appended {
    Landed(Landed),
    EndOfFile,
    Illegal,
}

/// `String.length()`: UTF-16 units.
fn java_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Source: `Byte.MAX_VALUE` in `DefaultMessageStore.putMessage`.
const TOPIC_LEN_MAX: usize = 127;
/// Source: `Short.MAX_VALUE`, first as characters, then as bytes.
const PROPERTIES_LEN_MAX: usize = 32_767;
/// Source: `DefaultAppendMessageCallback.END_FILE_MIN_BLANK_LENGTH`.
const END_FILE_MIN_BLANK: usize = 8;
