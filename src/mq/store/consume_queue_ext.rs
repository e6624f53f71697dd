//! The consume queue's extension: what a filter knows of a message before the log is read. Off unless `enableConsumeQueueExt`.
//!
//! ```text
//!   0      2           10             18            20
//!   ├ size ┼ tags code ┼ store time   ┼ bitmap size ┼ bitmap … ┤        four bytes of each file stay free;
//!                                                                       a size of -1 says that the file ends here
//! ```
//!
//! A queue unit then holds, instead of the tag's hash, the unit's address: its place counted from the smallest number on, so
//! that it is below every hash. It is weakly reliable: what cannot be written is left out, what cannot be read hides the hash,
//! and the units that a repaired recovery corrects (K06) hold the plain hash again.
//!
//! Source: `ConsumeQueueExt`.

use crate::mq::disk::{Disk, FileId};
use crate::mq::message::QueueId;
use crate::mq::store::mapped_file::MappedFileQueue;

/// Addresses are at most this. Source: `ConsumeQueueExt.MAX_ADDR`.
pub const MAX_ADDRESS: i64 = i32::MIN as i64 - 1;
/// No unit begins or ends behind this. Source: `ConsumeQueueExt.MAX_REAL_OFFSET`.
const MAX_PLACE: i64 = MAX_ADDRESS.wrapping_sub(i64::MIN);
/// Bytes of a unit without a bitmap. Source: `CqExtUnit.MIN_EXT_UNIT_SIZE`.
pub const UNIT_MIN: usize = 20;
/// Bytes of the longest unit. Source: `CqExtUnit.MAX_EXT_UNIT_SIZE`.
const UNIT_MAX: usize = i16::MAX as usize;
/// What every file keeps free. Source: `ConsumeQueueExt.END_BLANK_DATA_LENGTH`.
pub const END_BLANK: i64 = 4;
/// Says that a file ends here. Source: `ConsumeQueueExt.fullFillToEnd`.
const END_MARK: i16 = -1;
/// Source: `ConsumeQueueExt.put`: `retryTimes`.
const TRIES: usize = 3;

/// What is kept beside a queue unit. Source: `CqExtUnit`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExtUnit {
    /// The hash of the tag.
    pub tags_code: i64,
    /// When the record was stored, ms.
    pub store_time: i64,
    /// Which filters the message passes, a bit each; empty if nobody worked that out.
    pub bit_map: Vec<u8>,
}

impl ExtUnit {
    /// Its bytes; `None` if there are too many.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let size = UNIT_MIN + self.bit_map.len();
        if size > UNIT_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&(size as i16).to_be_bytes());
        bytes.extend_from_slice(&self.tags_code.to_be_bytes());
        bytes.extend_from_slice(&self.store_time.to_be_bytes());
        bytes.extend_from_slice(&(self.bit_map.len() as i16).to_be_bytes());
        bytes.extend_from_slice(&self.bit_map);
        Some(bytes)
    }

    /// Reads a unit at the start of `bytes`, and the size it claims, which nobody compares with the bitmap's.
    ///
    /// Source: `CqExtUnit.read`. Differs: upstream throws where the bytes end too early.
    fn decode(bytes: &[u8]) -> Option<(ExtUnit, i64)> {
        let (head, rest) = bytes.split_first_chunk::<UNIT_MIN>()?;
        let [a, b, tag_and_time @ .., y, z] = head;
        let size = i16::from_be_bytes([*a, *b]);
        if size < 1 {
            return None;
        }
        let long = |at: usize| i64::from_be_bytes(tag_and_time[at..at + 8].try_into().expect("eight bytes"));
        let bit_map = match usize::try_from(i16::from_be_bytes([*y, *z])) {
            Ok(length) => rest.get(..length)?.to_vec(),
            Err(_) => Vec::new(),
        };
        Some((ExtUnit { tags_code: long(0), store_time: long(8), bit_map }, i64::from(size)))
    }
}

/// Whether a queue unit's last number is an address and no hash. Source: `ConsumeQueueExt.isExtAddr`.
pub fn is_address(tags_code: i64) -> bool {
    tags_code <= MAX_ADDRESS
}

/// Where the unit of an address begins. Source: `ConsumeQueueExt.unDecorate`.
fn place_of(address: i64) -> i64 {
    address.wrapping_sub(i64::MIN)
}

/// One topic queue's extension.
#[derive(Clone, Debug)]
pub struct ConsumeQueueExt {
    /// The files.
    pub files: MappedFileQueue,
}

impl ConsumeQueueExt {
    /// An extension without units.
    pub fn new(topic: &str, queue_id: QueueId, file_size: i64) -> ConsumeQueueExt {
        ConsumeQueueExt { files: MappedFileQueue::new(format!("{FOLDER}{topic}/{queue_id}/"), file_size) }
    }

    /// Appends a unit and returns its address; `None` if it has to do without. Source: `ConsumeQueueExt.put`.
    pub fn put(&mut self, disk: &mut dyn Disk, unit: &ExtUnit) -> Option<i64> {
        let bytes = unit.encode()?;
        let size = bytes.len() as i64;
        if self.files.max_offset().saturating_add(size) > MAX_PLACE {
            return None;
        }
        for _ in 0..TRIES {
            let Ok(file) = self.files.last_or_create(disk, 0) else { continue };
            let left = file.size - file.wrote;
            if size > left - END_BLANK {
                // Only damage leaves less room than a mark takes.
                if left < 2 {
                    return None;
                }
                disk.write(file.file, file.wrote as u64, &END_MARK.to_be_bytes());
                file.wrote = file.size;
            } else if disk.write_through(file.file, file.wrote as u64, &bytes).is_ok() {
                let place = file.from + file.wrote;
                file.wrote += size;
                return Some(place.wrapping_add(i64::MIN));
            }
        }
        None
    }

    /// The unit of an address, if it is there. Source: `ConsumeQueueExt.get`.
    pub fn get(&self, disk: &mut dyn Disk, address: i64) -> Option<ExtUnit> {
        self.read(disk, address).map(|(unit, _)| unit)
    }

    fn read(&self, disk: &mut dyn Disk, address: i64) -> Option<(ExtUnit, i64)> {
        let place = Some(address).filter(|address| is_address(*address)).map(place_of)?;
        let file = &self.files.files[self.files.find(place, place == 0)?];
        let at = place % self.files.file_size;
        let end = file.wrote.min(at + (UNIT_MIN + UNIT_MAX) as i64);
        (at < end).then(|| ExtUnit::decode(disk.bytes(file.file, at as u64..end as u64)))?
    }

    /// Finds the end after a start: behind the last unit of the last file, counted by sizes alone.
    ///
    /// Source: `ConsumeQueueExt.recover`. Differs: a size that reaches out of its file ends the count; upstream throws, and
    /// does not start.
    pub fn recover(&mut self, disk: &mut dyn Disk) {
        let Some(last) = self.files.files.last() else { return };
        let end = last.from + units_end(disk, last.file, last.size);
        self.files.flushed_where = end;
        self.files.truncate(disk, end);
    }

    /// Drops what lies behind the unit of the highest address that the queue holds.
    ///
    /// Source: `ConsumeQueueExt.truncateByMaxAddress`.
    pub fn truncate_behind(&mut self, disk: &mut dyn Disk, address: i64) {
        if let Some((_, size)) = self.read(disk, address) {
            self.files.truncate(disk, place_of(address).saturating_add(size));
        }
    }

    /// Removes the files that end before the unit of the lowest address that the queue holds.
    ///
    /// Source: `ConsumeQueueExt.truncateByMinAddress`.
    pub fn truncate_before(&mut self, disk: &mut dyn Disk, address: i64) {
        if !is_address(address) {
            return;
        }
        while self.files.files.first().is_some_and(|first| first.end() < place_of(address)) {
            let first = self.files.files.remove(0);
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&format!("{}{:020}", self.files.folder, first.from));
        }
    }
}

/// Where the units of a file end.
fn units_end(disk: &mut dyn Disk, file: FileId, size: i64) -> i64 {
    let mut at = 0;
    while at + 2 <= size {
        let claimed = disk.bytes(file, at as u64..at as u64 + 2);
        let next = at + i64::from(i16::from_be_bytes([claimed[0], claimed[1]]));
        if next <= at || size < next {
            break;
        }
        at = next;
    }
    at
}

/// Where extensions lie. Source: `StorePathConfigHelper.getStorePathConsumeQueueExt`.
pub const FOLDER: &str = "consumequeue_ext/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_its_size_its_numbers_and_its_bitmap() {
        let unit = ExtUnit { tags_code: 110_760, store_time: 7, bit_map: vec![0b1010_0000, 1] };
        let bytes = unit.encode().expect("it is short");
        assert_eq!(bytes, [0, 22, 0, 0, 0, 0, 0, 1, 0xB0, 0xA8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 2, 0b1010_0000, 1]);
        assert_eq!(ExtUnit::decode(&bytes), Some((unit, 22)));
        assert_eq!(ExtUnit::decode(&bytes[..21]), None, "the bitmap is cut");
        assert_eq!(ExtUnit::decode(&[0xFF; 40]), None, "a mark is no unit");
        assert_eq!(ExtUnit { bit_map: vec![0; UNIT_MAX - UNIT_MIN + 1], ..ExtUnit::default() }.encode(), None);
    }

    #[test]
    fn addresses_are_below_every_hash() {
        assert!(!is_address(i64::from(i32::MIN)), "the smallest hash");
        assert!(is_address(i64::from(i32::MIN) - 1));
        assert_eq!(place_of(i64::MIN), 0);
        assert_eq!(place_of(MAX_ADDRESS), MAX_PLACE);
    }
}
