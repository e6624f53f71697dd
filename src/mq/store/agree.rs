//! A slave's log that may not be its master's any more: compared from its last file on, and cut where the two part.
//!
//! Only with K02 repaired. Differs: the release compares nothing, and a slave whose log is longer than its master's, or
//! another one, keeps it for ever.

use crate::mq::disk::Disk;
use crate::mq::store::MessageStore;
use crate::mq::store::record::{Found, Region, Want, parse};

impl MessageStore {
    /// Where the file of the log's last byte begins; `None` if the log is empty.
    pub fn last_file_begins(&self) -> Option<i64> {
        let last = self.log.files.iter().rev().find(|file| 0 < file.wrote)?;
        Some(last.from)
    }

    /// How many bytes from `at` on are those of `data`: all that both have, or less.
    pub fn agrees_for(&self, disk: &mut dyn Disk, at: i64, data: &[u8]) -> usize {
        let Some(file) = self.log.find(at, at == 0).map(|number| &self.log.files[number]) else { return 0 };
        let from = at - file.from;
        let to = file.wrote.min(from + data.len() as i64);
        if to <= from {
            return 0;
        }
        let own = disk.bytes(file.file, from as u64..to as u64);
        own.iter().zip(data).position(|(own, other)| own != other).unwrap_or(own.len())
    }

    /// Whether the first record of the file that begins at `file` ends at or before `at`: then two logs that are the same
    /// in between are the same before it, since a record names its own place and time.
    pub fn has_whole_record(&self, disk: &mut dyn Disk, file: i64, at: i64) -> bool {
        self.record_before(disk, file, at) != file
    }

    /// Where the record begins that holds the byte at `at`, in the file that begins at `file`.
    fn record_before(&self, disk: &mut dyn Disk, file: i64, at: i64) -> i64 {
        let Some(found) = self.log.files.iter().find(|other| other.from == file) else { return file };
        let mut begins = file;
        while begins < at {
            let region = Region { file: found.file, at: (begins - file) as u64, end: found.wrote as u64 };
            let want = Want { crc: false, keys: false, place: None, sectors: false, delays: &self.delays };
            match parse(disk, region, want, &|topic| self.queues.intern(topic)) {
                Found::Record(record) if begins + i64::from(record.size) <= at => begins += i64::from(record.size),
                _ => break,
            }
        }
        begins
    }

    /// Cuts the log at `to`, which lies in its last file: what is behind is wiped, and leaves the queues.
    pub fn cut_log(&mut self, disk: &mut dyn Disk, to: i64) {
        let Some(file) = self.last_file_begins() else { return };
        let record = self.record_before(disk, file, to);
        // What is being forced may lie behind the cut: its answer finds nothing, and everything is forced again.
        self.log_force = None;
        self.queue_forces.clear();
        self.queue_flush.under_way = 0;
        self.queue_flush.captured = None;
        self.log.truncate(disk, to);
        if self.log.files.last().is_some_and(|last| to <= last.from) {
            self.drop_file_ahead(disk);
        }
        while self.log.files.last().is_some_and(|last| to <= last.from) {
            self.log.remove_last(disk);
        }
        self.wipe_cut(disk);
        self.log.flushed_where = self.log.flushed_where.min(to);
        self.log.committed_where = self.log.committed_where.min(to);
        for place in 0..self.queues.list.len() {
            let queue = &mut self.queues.list[place];
            if record <= queue.max_physic_offset {
                queue.truncate(disk, record);
                self.queues.next_offset[place] = self.queues.list[place].max_offset();
            }
        }
        self.reput_from = self.reput_from.min(record);
        self.stuck = None;
        self.index_again(disk, record);
    }

    /// Has every key put again if the index knows a record at or behind `cut`: its entries would lead to others there, and
    /// those would not be put, being in front of the newest. Queues pass over what they have.
    fn index_again(&mut self, disk: &mut dyn Disk, cut: i64) {
        if self.index.files.last().is_none_or(|last| last.header.end_phy_offset < cut) {
            return;
        }
        self.index.clear(disk);
        self.index_forces.clear();
        self.checkpoint.index = 0;
        // A log of which nothing is left has no least offset: what comes next is its first.
        self.reput_from = self.log.min_offset().max(0);
    }
}
