//! The repaired recovery: the log decides what the queues hold, damage in front of durable records is no torn tail, and what
//! was cut off cannot come back.
//!
//! None of this runs in the faithful profile; each part belongs to one switch (K06, K09, K18).

use crate::mq::disk::{Disk, DiskError, FileId};
use crate::mq::message::sys_flag::{TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::store::consume_queue::{ConsumeQueue, ENTRY_MAX, UNIT, Unit};
use crate::mq::store::outcome::{News, StoreError};
use crate::mq::store::record::Parsed;
use crate::mq::store::{Flag, MessageStore};

impl MessageStore {
    /// Makes the record's unit what the record says, whether it was there, was there wrongly, or was not (K06).
    pub(super) fn rebuild_unit(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) {
        let kind = transaction_type(record.sys_flag);
        if kind == TRANSACTION_PREPARED || kind == TRANSACTION_ROLLBACK {
            return;
        }
        let file_size = self.queue_file_size();
        let place = self.queues.find_or_create(&record.topic, record.queue_id, file_size);
        let unit = Unit { offset: at, size: record.size, tags_code: record.tags_code };
        if self.queues.list[place].rebuild(disk, unit, record.queue_offset).is_err() {
            self.set_flag(Flag::WriteLogicsQueueError, true);
        }
        self.checkpoint.logics = record.store_timestamp.0;
    }

    /// Cuts each queue behind the last entry that the log speaks of (K06).
    pub(super) fn end_rebuild(&mut self, disk: &mut dyn Disk) {
        let log_min = self.log.min_offset();
        for queue in &mut self.queues.list {
            queue.end_rebuild(disk, log_min);
        }
    }

    /// Refuses a log that is bad in front of what the checkpoint says was forced (K09).
    ///
    /// A torn tail begins behind it. Damage to what was forced after the last checkpoint cannot be told from one.
    pub(super) fn refuse_corruption(&self, number: usize, at: i64) -> Result<(), StoreError> {
        let bad = &self.log.files[number];
        if self.checkpoint.log_forced <= bad.from + at {
            return Ok(());
        }
        Err(StoreError::Corrupt { file: self.log.name(bad.from), at })
    }

    /// Wipes what was cut off, and takes no puts until that is durable (K18).
    ///
    /// Without it, records that end exactly where an old record begins bring the old ones back at the next crash.
    pub(super) fn wipe_cut(&mut self, disk: &mut dyn Disk) {
        if let Some((file, from, to)) = self.log.wipe_behind(disk) {
            self.recovery_force(file, from, to);
        }
    }

    /// Forces every file of the log and of the queues that was read, and takes no puts until that is done (K06).
    ///
    /// What a killed process left in the page cache reads well, but was perhaps never forced; the release counts it as
    /// flushed, and a record acknowledged as durable can then lie behind a hole.
    pub(super) fn force_recovered(&mut self) {
        let queues = self.queues.list.iter().flat_map(|queue| {
            let beside = queue.ext.iter().flat_map(|ext| &ext.files.files);
            queue.files.files.iter().chain(beside)
        });
        let ranges: Vec<(FileId, i64)> =
            self.log.files.iter().chain(queues).map(|file| (file.file, file.wrote)).collect();
        for (file, to) in ranges.into_iter().filter(|(_, to)| 0 < *to) {
            self.recovery_force(file, 0, to as u64);
        }
    }

    fn recovery_force(&mut self, file: FileId, from: u64, to: u64) {
        let ticket = self.ticket();
        self.recovery_forces.insert(ticket, (file, to as i64));
        self.news.push(News::Flush { ticket, file, from, to });
    }
}

impl ConsumeQueue {
    /// Puts `unit` where entry `queue_offset` belongs.
    ///
    /// A queue that cannot hold its first record there, because its files begin later or end earlier, is made anew from this
    /// entry on. A later record that is not the next one claims an entry that cannot be right: it is put as the next, as
    /// upstream appends over a gap, so that one damaged number does not cost the queue.
    fn rebuild(&mut self, disk: &mut dyn Disk, unit: Unit, queue_offset: i64) -> Result<(), DiskError> {
        let queue_offset = match self.rebuilt_to {
            ..0 => queue_offset.clamp(0, ENTRY_MAX),
            next => next,
        };
        let expected = queue_offset * UNIT;
        let begins = self.files.files.first().map_or(expected, |first| first.from);
        if self.rebuilt_to < 0 && (expected < begins || self.files.max_offset() < expected) {
            while !self.files.files.is_empty() {
                self.files.remove_last(disk);
            }
        }
        if self.files.files.is_empty() {
            (self.max_physic_offset, self.min_logic_offset) = (-1, 0);
        }
        if let Some(number) = self.files.find(expected, false)
            && expected < self.files.max_offset()
        {
            let file = &self.files.files[number];
            let at = (expected - file.from) as u64;
            if *disk.bytes(file.file, at..at + UNIT as u64) != unit.encode() {
                disk.write_through(file.file, at, &unit.encode())?;
            }
        } else {
            self.max_physic_offset = -1;
            self.put(disk, unit, queue_offset)?;
        }
        self.max_physic_offset = unit.offset;
        self.rebuilt_to = queue_offset + 1;
        Ok(())
    }

    /// Cuts behind the last entry that was rebuilt; without one, in front of the first that points into the log.
    fn end_rebuild(&mut self, disk: &mut dyn Disk, log_min: i64) {
        let entries = self.files.files.first().map_or(0, |first| first.from / UNIT)..self.max_offset();
        let end = match self.rebuilt_to {
            ..0 => entries.clone().find(|entry| self.unit(disk, *entry).is_none_or(|unit| log_min <= unit.offset)),
            to => Some(to),
        };
        if let Some(end) = end.filter(|end| *end < entries.end) {
            self.files.truncate(disk, end * UNIT);
            self.files.flushed_where = self.files.flushed_where.min(end * UNIT);
        }
        // What lies behind the end would be taken for units again.
        let _ = self.files.wipe_behind(disk);
    }
}
