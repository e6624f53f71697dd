//! A consume queue: 20 bytes a message, where it is, how long, and the hash of its tag.
//!
//! ```text
//!   0            8        12           20
//!   ├ log offset ┼ size   ┼ tags code  ┤
//! ```
//!
//! Source: `ConsumeQueue`.

use crate::mq::disk::{Disk, DiskError};
use crate::mq::message::{QueueId, Topic};
use crate::mq::store::consume_queue_ext::{self, ConsumeQueueExt, ExtUnit};
use crate::mq::store::mapped_file::{Dirty, MappedFileQueue};
use crate::mq::store::outcome::StoreError;

/// Bytes of a unit. Source: `ConsumeQueue.CQ_STORE_UNIT_SIZE`.
pub const UNIT: i64 = 20;
/// What upstream takes for no address.
const NO_ADDRESS: i64 = 1;
/// No queue of this world is longer; what claims to be is damage.
pub(super) const ENTRY_MAX: i64 = i64::MAX / UNIT / 4;

/// One topic queue's units.
#[derive(Clone, Debug)]
pub struct ConsumeQueue {
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// The files.
    pub files: MappedFileQueue,
    /// What filters want to know, if the store keeps it.
    pub ext: Option<ConsumeQueueExt>,
    /// Log offset of the newest unit; -1 if there is none.
    pub max_physic_offset: i64,
    /// First valid byte.
    pub min_logic_offset: i64,
    /// One past the highest entry that a rebuilding recovery has seen in the log (K06); -1 before it saw one.
    pub rebuilt_to: i64,
}

/// A unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Where the record begins in the commit log.
    pub offset: i64,
    /// Its length.
    pub size: i32,
    /// The hash of its tag.
    pub tags_code: i64,
}

/// What became of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placed {
    /// It was written, as this entry.
    At(i64),
    /// It was there already.
    Known,
}

impl ConsumeQueue {
    /// A queue without units.
    pub fn new(topic: Topic, queue_id: QueueId, file_size: i64) -> ConsumeQueue {
        let folder = format!("consumequeue/{topic}/{queue_id}/");
        let files = MappedFileQueue::new(folder, file_size);
        ConsumeQueue { topic, queue_id, files, ext: None, max_physic_offset: -1, min_logic_offset: 0, rebuilt_to: -1 }
    }

    /// One past the last entry. Source: `ConsumeQueue.getMaxOffsetInQueue`.
    pub fn max_offset(&self) -> i64 {
        self.files.max_offset() / UNIT
    }

    /// The first entry. Source: `ConsumeQueue.getMinOffsetInQueue`.
    pub fn min_offset(&self) -> i64 {
        self.min_logic_offset / UNIT
    }

    /// Opens the files that are there. Errors: those of [`MappedFileQueue::load`]. Source: `ConsumeQueue.load`.
    pub fn load(&mut self, disk: &mut dyn Disk) -> Result<(), StoreError> {
        self.files.load(disk)?;
        self.ext.as_mut().map_or(Ok(()), |ext| ext.files.load(disk))
    }

    /// Removes every file; what is put next begins the queue. Source: `ConsumeQueue.destroy`.
    pub fn destroy(&mut self, disk: &mut dyn Disk) {
        (self.max_physic_offset, self.min_logic_offset) = (-1, 0);
        for files in std::iter::once(&mut self.files).chain(self.ext.as_mut().map(|ext| &mut ext.files)) {
            while !files.files.is_empty() {
                files.remove_last(disk);
            }
            files.flushed_where = 0;
        }
    }

    /// What a flush with `least_pages` would force: of the units, and of their extension. Source: `ConsumeQueue.flush`.
    pub fn dirty(&self, least_pages: i64) -> [Option<Dirty>; 2] {
        let ext = self.ext.as_ref().and_then(|ext| ext.files.dirty(least_pages));
        [self.files.dirty(least_pages), ext]
    }

    /// How far its units and its extension go.
    pub fn ends(&self) -> [i64; 2] {
        [self.files.max_offset(), self.ext.as_ref().map_or(0, |ext| ext.files.max_offset())]
    }

    /// Whether everything in front of there has been forced.
    pub fn is_forced_to(&self, [units, beside]: [i64; 2]) -> bool {
        units <= self.files.flushed_where && self.ext.as_ref().is_none_or(|ext| beside <= ext.files.flushed_where)
    }

    /// Whether a thorough flush would find something.
    pub fn is_dirty(&self) -> bool {
        self.files.is_dirty() || self.ext.as_ref().is_some_and(|ext| ext.files.is_dirty())
    }

    /// A force was answered, of the units or of their extension.
    pub fn flushed(&mut self, dirty: &Dirty, succeeded: bool) {
        match &mut self.ext {
            Some(ext) if ext.files.files.iter().any(|file| file.file == dirty.file) => {
                ext.files.flushed(dirty, succeeded);
            }
            _ => self.files.flushed(dirty, succeeded),
        }
    }

    /// What stands in a record's unit for its tag: the hash, or where the extension keeps it beside the rest.
    ///
    /// A record that is dispatched again is extended again. Source: `ConsumeQueue.putMessagePositionInfoWrapper`.
    pub fn extend(&mut self, disk: &mut dyn Disk, beside: ExtUnit) -> i64 {
        let tags_code = beside.tags_code;
        let address = self.ext.as_mut().and_then(|ext| ext.put(disk, &beside));
        // An address too high to be one is none, as upstream.
        address.filter(|address| consume_queue_ext::is_address(*address)).unwrap_or(tags_code)
    }

    /// What the extension holds for a unit: `None` if its last number is the hash itself, `Some(None)` if it points to
    /// nothing.
    pub fn beside(&self, disk: &mut dyn Disk, tags_code: i64) -> Option<Option<ExtUnit>> {
        let ext = self.ext.as_ref().filter(|_| consume_queue_ext::is_address(tags_code))?;
        Some(ext.get(disk, tags_code))
    }

    /// Appends a unit for entry `queue_offset`.
    ///
    /// A record that the queue has passed is known. A queue that begins late is filled from its file's start with units that
    /// point nowhere. A gap is appended over, so that entry and recorded queue offset disagree, as upstream.
    /// A failed write is logged upstream and the position moves on: the unit reads as zeros.
    /// Errors: the file cannot be made, or has no room for a whole unit.
    /// Source: `ConsumeQueue.putMessagePositionInfo`. Differs: a queue does not begin at an entry that only damage can have
    /// written; upstream makes a file from which nothing can be read, or drops the unit as it is dropped here.
    pub fn put(&mut self, disk: &mut dyn Disk, unit: Unit, queue_offset: i64) -> Result<Placed, DiskError> {
        if unit.offset <= self.max_physic_offset {
            return Ok(Placed::Known);
        }
        let expected = queue_offset.wrapping_mul(UNIT);
        let begins = self.files.files.last().is_none_or(|last| last.first && last.wrote == 0);
        if begins && !(0..=ENTRY_MAX * UNIT).contains(&expected) {
            return Ok(Placed::Known);
        }
        let file = self.files.last_or_create(disk, expected)?;
        if file.first && queue_offset != 0 && file.wrote == 0 {
            let until = expected % file.size;
            for at in (0..until).step_by(UNIT as usize) {
                let _ = disk.write_through(file.file, at as u64, &PRE_BLANK.encode());
            }
            file.wrote = until;
            self.min_logic_offset = expected;
            self.files.flushed_where = expected;
        }
        let file = self.files.files.last_mut().expect("made above");
        let current = file.from + file.wrote;
        if queue_offset != 0 && expected < current {
            return Ok(Placed::Known);
        }
        self.max_physic_offset = unit.offset;
        if file.size < file.wrote + UNIT {
            return Err(DiskError::Invalid);
        }
        let _ = disk.write_through(file.file, file.wrote as u64, &unit.encode());
        file.wrote += UNIT;
        Ok(Placed::At(current / UNIT))
    }

    /// The unit of entry `index`, if it is readable.
    pub fn unit(&self, disk: &mut dyn Disk, index: i64) -> Option<Unit> {
        let at = index.checked_mul(UNIT)?;
        let file = &self.files.files[self.files.find(at, false)?];
        let from = at - file.from;
        (from + UNIT <= file.wrote).then(|| Unit::decode(disk.bytes(file.file, from as u64..(from + UNIT) as u64)))
    }

    /// The unit of entry `index`, if it is readable and not before the first valid one. Source: `ConsumeQueue.getIndexBuffer`.
    pub fn valid_unit(&self, disk: &mut dyn Disk, index: i64) -> Option<Unit> {
        (self.min_logic_offset <= index.checked_mul(UNIT)?).then(|| self.unit(disk, index))?
    }

    /// One past the last readable entry of the file that holds entry `index`; `None` if that entry is not readable.
    ///
    /// Source: `ConsumeQueue.getIndexBuffer`.
    pub fn readable_from(&self, index: i64) -> Option<i64> {
        let at = index.checked_mul(UNIT)?;
        let file = &self.files.files[self.files.find(at, false)?];
        let end = (file.from + file.wrote) / UNIT;
        (index < end).then_some(end)
    }

    /// Finds the end after a start: the first unit that points nowhere, in the last three files or in all of them.
    ///
    /// Source: `ConsumeQueue.recover`, which looks at three.
    pub fn recover(&mut self, disk: &mut dyn Disk, whole: bool) {
        if self.files.files.is_empty() {
            return;
        }
        if whole {
            self.files.remove_behind_gap(disk);
        }
        let mut number = if whole { 0 } else { self.files.files.len().saturating_sub(3) };
        let mut highest = NO_ADDRESS;
        let end = loop {
            let file = &self.files.files[number];
            let mut at = 0;
            while at < file.size {
                let unit = Unit::decode(disk.bytes(file.file, at as u64..(at + UNIT) as u64));
                if unit.offset < 0 || unit.size <= 0 {
                    break;
                }
                at += UNIT;
                self.max_physic_offset = unit.offset;
                if consume_queue_ext::is_address(unit.tags_code) {
                    highest = unit.tags_code;
                }
            }
            if at < file.size || number + 1 == self.files.files.len() {
                break file.from + at;
            }
            number += 1;
        };
        self.files.flushed_where = end;
        self.files.truncate(disk, end);
        if let Some(ext) = &mut self.ext {
            ext.recover(disk);
            ext.truncate_behind(disk, highest);
        }
    }

    /// Drops every unit that points at or behind `physical`. Source: `ConsumeQueue.truncateDirtyLogicFiles`.
    ///
    /// The extension keeps what it has: upstream comes to it only where no unit is left, and then has no address.
    pub fn truncate(&mut self, disk: &mut dyn Disk, physical: i64) {
        self.max_physic_offset = physical - 1;
        while let Some(last) = self.files.files.last_mut() {
            let mut keep = 0;
            while keep < last.size {
                let unit = Unit::decode(disk.bytes(last.file, keep as u64..(keep + UNIT) as u64));
                let points_somewhere = unit.offset >= 0 && unit.size > 0;
                // The first unit of a file is taken without looking at its size, as upstream.
                if unit.offset >= physical || (keep > 0 && !points_somewhere) {
                    break;
                }
                keep += UNIT;
                self.max_physic_offset = unit.offset;
            }
            last.wrote = keep;
            last.flushed = keep;
            if keep > 0 {
                return;
            }
            self.files.remove_last(disk);
        }
    }

    /// Moves the first valid entry to the first one that the log still holds. Source: `ConsumeQueue.correctMinOffset`.
    pub fn correct_min_offset(&mut self, disk: &mut dyn Disk, log_min: i64) {
        let Some(first) = self.files.files.first() else { return };
        for at in (0..first.wrote).step_by(UNIT as usize) {
            let unit = Unit::decode(disk.bytes(first.file, at as u64..(at + UNIT) as u64));
            if unit.offset >= log_min {
                self.min_logic_offset = first.from + at;
                if let Some(ext) = &mut self.ext {
                    ext.truncate_before(disk, unit.tags_code);
                }
                return;
            }
        }
    }
}

impl Unit {
    /// The 20 bytes.
    pub fn encode(self) -> [u8; UNIT as usize] {
        let mut bytes = [0; UNIT as usize];
        bytes[..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.size.to_be_bytes());
        bytes[12..].copy_from_slice(&self.tags_code.to_be_bytes());
        bytes
    }

    /// Reads 20 bytes.
    pub fn decode(bytes: &[u8]) -> Unit {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] =
            bytes.try_into().expect("a unit is 20 bytes");
        Unit {
            offset: i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            size: i32::from_be_bytes([i, j, k, l]),
            tags_code: i64::from_be_bytes([m, n, o, p, q, r, s, t]),
        }
    }
}

/// The unit that fills a queue from its file's start to its first entry. Source: `ConsumeQueue.fillPreBlank`.
pub const PRE_BLANK: Unit = Unit { offset: 0, size: i32::MAX, tags_code: 0 };
