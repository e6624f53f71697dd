//! One index file: from the hash of `topic#key` to where records begin in the commit log.
//!
//! ```text
//!   0          8          16         24         32           36           40           40 + 4S        40 + 4S + 20N
//!   ├ begin ms ┼ end ms   ┼ begin at ┼ end at   ┼ slot count ┼ next entry ┼ slots … 4S ┼ entries … 20N ┤
//!   entry:  key hash 4 · log offset 8 · seconds since begin 4 · the slot's entry before 4
//! ```
//!
//! A slot names its newest entry and each entry the one before it, so that a look-up walks backwards in time. Entry 0 is
//! never used: 0 means "no entry". The header is kept in memory, too, and written with each entry.
//!
//! Source: `IndexFile`, `IndexHeader`.

use crate::mq::disk::{Disk, DiskError, FileId};
use crate::mq::message::java;

/// Bytes of the header. Source: `IndexHeader.INDEX_HEADER_SIZE`.
pub const HEADER: u64 = 40;
/// Bytes of a slot. Source: `IndexFile.hashSlotSize`.
const SLOT: u64 = 4;
/// Bytes of an entry. Source: `IndexFile.indexSize`.
const ENTRY: u64 = 20;

/// How many slots and entries an index file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// `maxHashSlotNum`.
    pub slots: i32,
    /// `maxIndexNum`.
    pub entries: i32,
}

impl Shape {
    /// The file's length in bytes.
    pub fn file_len(self) -> u64 {
        HEADER + self.slots as u64 * SLOT + self.entries as u64 * ENTRY
    }

    fn slot_at(self, slot: i32) -> u64 {
        HEADER + slot as u64 * SLOT
    }

    /// Where an entry lies; `None` for a number that only damage can have written.
    fn entry_at(self, entry: i32) -> Option<u64> {
        (0..self.entries).contains(&entry).then(|| HEADER + self.slots as u64 * SLOT + entry as u64 * ENTRY)
    }
}

/// The header in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Store time of the first entry, ms.
    pub begin_timestamp: i64,
    /// Store time of the last entry, ms.
    pub end_timestamp: i64,
    /// Log offset of the first entry.
    pub begin_phy_offset: i64,
    /// Log offset of the last entry.
    pub end_phy_offset: i64,
    /// Counts entries, whatever its name says: one more for each that is put.
    pub hash_slot_count: i32,
    /// The number of the next entry; starts at 1, and is 0 on disk until the first entry is put.
    pub index_count: i32,
}

impl Header {
    /// Reads 40 bytes; a count that is not positive is read as 1. Source: `IndexHeader.load`.
    pub fn decode(bytes: &[u8]) -> Header {
        let long = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let int = |at: usize| i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        Header {
            begin_timestamp: long(0),
            end_timestamp: long(8),
            begin_phy_offset: long(16),
            end_phy_offset: long(24),
            hash_slot_count: int(32),
            index_count: int(36).max(1),
        }
    }

    /// The 40 bytes.
    pub fn encode(&self) -> [u8; HEADER as usize] {
        let mut bytes = [0; HEADER as usize];
        bytes[..8].copy_from_slice(&self.begin_timestamp.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.end_timestamp.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.begin_phy_offset.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.end_phy_offset.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.hash_slot_count.to_be_bytes());
        bytes[36..].copy_from_slice(&self.index_count.to_be_bytes());
        bytes
    }

    /// Whether the file may hold something stored between two times. Source: `IndexFile.isTimeMatched`.
    pub fn is_time_matched(&self, begin: i64, end: i64) -> bool {
        let own = self.begin_timestamp..=self.end_timestamp;
        begin < *own.start() && end > *own.end() || own.contains(&begin) || own.contains(&end)
    }
}

/// An index file: its mapping and its header. The entries stay on the disk.
#[derive(Clone, Debug)]
pub struct IndexFile {
    /// The mapping.
    pub file: FileId,
    /// Its path.
    pub name: String,
    /// Its header.
    pub header: Header,
    shape: Shape,
}

impl IndexFile {
    /// Makes a file that goes on where one before it ended: those end values are its begin *and* its end until its first
    /// entry, whose distance in time is therefore measured from there.
    ///
    /// Errors: what the disk says. Source: the constructor of `IndexFile`.
    pub fn create(disk: &mut dyn Disk, name: String, shape: Shape, before: Option<&Header>) -> Result<Self, DiskError> {
        let file = disk.open(&name, shape.file_len())?;
        let mut header = Header { index_count: 1, ..Header::default() };
        let (offset, time) = before.map_or((0, 0), |header| (header.end_phy_offset, header.end_timestamp));
        if offset > 0 {
            (header.begin_phy_offset, header.end_phy_offset) = (offset, offset);
        }
        if time > 0 {
            (header.begin_timestamp, header.end_timestamp) = (time, time);
        }
        if offset > 0 || time > 0 {
            // The counts are not written before the first entry.
            disk.write(file, 0, &Header { index_count: 0, ..header }.encode()[..32]);
        }
        Ok(IndexFile { file, name, header, shape })
    }

    /// Opens a file that is there. Errors: [`DiskError::Invalid`] for one of another length.
    pub fn load(disk: &mut dyn Disk, name: String, shape: Shape) -> Result<Self, DiskError> {
        let file = disk.open(&name, shape.file_len())?;
        let header = Header::decode(disk.bytes(file, 0..HEADER));
        Ok(IndexFile { file, name, header, shape })
    }

    /// Its length in bytes.
    pub fn file_len(&self) -> u64 {
        self.shape.file_len()
    }

    /// Whether no entry fits any more. Source: `IndexFile.isWriteFull`.
    pub fn is_write_full(&self) -> bool {
        self.header.index_count >= self.shape.entries
    }

    /// Puts an entry for a key's hash; `false` if the file is full.
    ///
    /// Source: `IndexFile.putKey`. Differs: the header's fields are written in one piece, upstream writes them one by one.
    pub fn put(&mut self, disk: &mut dyn Disk, key_hash: i32, phy_offset: i64, store_timestamp: i64) -> bool {
        let count = self.header.index_count;
        if self.is_write_full() {
            return false;
        }
        let slot_at = self.shape.slot_at(key_hash % self.shape.slots);
        let newest = self.believable(int(disk, self.file, slot_at));
        let header = &mut self.header;
        let seconds = match header.begin_timestamp {
            ..=0 => 0,
            begin => (store_timestamp.wrapping_sub(begin) / 1000).clamp(0, i64::from(i32::MAX)) as i32,
        };
        let mut entry = [0; ENTRY as usize];
        entry[..4].copy_from_slice(&key_hash.to_be_bytes());
        entry[4..12].copy_from_slice(&phy_offset.to_be_bytes());
        entry[12..16].copy_from_slice(&seconds.to_be_bytes());
        entry[16..].copy_from_slice(&newest.to_be_bytes());
        let entry_at = self.shape.entry_at(count).expect("not full: the count is an entry's number");
        disk.write(self.file, entry_at, &entry);
        disk.write(self.file, slot_at, &count.to_be_bytes());
        if count <= 1 {
            header.begin_phy_offset = phy_offset;
            header.begin_timestamp = store_timestamp;
        }
        header.hash_slot_count = header.hash_slot_count.wrapping_add(1);
        header.index_count += 1;
        header.end_phy_offset = phy_offset;
        header.end_timestamp = store_timestamp;
        disk.write(self.file, 0, &header.encode());
        true
    }

    /// Looks at a hash's slot for its own sake: whoever then puts a key under it finds the slot in the processor's caches.
    pub fn look(&self, disk: &mut dyn Disk, key_hash: i32) -> u8 {
        let at = self.shape.slot_at(key_hash % self.shape.slots);
        disk.bytes(self.file, at..at + SLOT)[0]
    }

    /// Adds to `found` where records with this key's hash begin that were stored between `begin` and `end`, newest first.
    ///
    /// Times are known to the second only, so a narrow window can miss. A chain that damage has bent ends at the first
    /// number that cannot be, and after as many steps as there are entries.
    /// Source: `IndexFile.selectPhyOffset`.
    pub fn select(&self, disk: &mut dyn Disk, key_hash: i32, window: Window, found: &mut Vec<i64>) {
        let mut number = self.believable(int(disk, self.file, self.shape.slot_at(key_hash % self.shape.slots)));
        if self.header.index_count <= 1 {
            return;
        }
        for _ in 0..self.shape.entries {
            if number == NO_ENTRY || window.max <= found.len() {
                return;
            }
            let Some(at) = self.shape.entry_at(number) else { return };
            let entry = disk.bytes(self.file, at..at + ENTRY);
            let seconds = be_int(&entry[12..16]);
            if seconds < 0 {
                return;
            }
            let stored = self.header.begin_timestamp.wrapping_add(i64::from(seconds) * 1000);
            if be_int(&entry[..4]) == key_hash && window.begin <= stored && stored <= window.end {
                found.push(i64::from_be_bytes(entry[4..12].try_into().expect("eight bytes")));
            }
            let before = self.believable(be_int(&entry[16..]));
            if before == number || stored < window.begin {
                return;
            }
            number = before;
        }
    }

    /// A number of an entry as read, or none if it cannot be one.
    fn believable(&self, number: i32) -> i32 {
        if number <= NO_ENTRY || self.header.index_count < number { NO_ENTRY } else { number }
    }
}

/// Which entries are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Stored at this time or later, ms.
    pub begin: i64,
    /// Stored at this time or before, ms.
    pub end: i64,
    /// At most so many.
    pub max: usize,
}

/// The hash under which a topic's key is put, without building the text `topic#key`.
///
/// Source: `IndexService.buildKey`, `IndexFile.indexKeyHashMethod`: the smallest number has no absolute value and becomes 0.
pub fn key_hash(topic: &str, key: &str) -> i32 {
    let hash = java::hash_on(java::hash_on(java::hash(topic), "#"), key);
    hash.checked_abs().unwrap_or(0)
}

fn int(disk: &mut dyn Disk, file: FileId, at: u64) -> i32 {
    be_int(disk.bytes(file, at..at + 4))
}

fn be_int(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

/// Source: `IndexFile.invalidIndex`.
const NO_ENTRY: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_key_is_that_of_the_joined_text() {
        assert_eq!(key_hash("TopicTest", "7F0000010D0F18B4AAC2000000000000"), 435_253_660);
        assert_eq!(key_hash("SCHEDULE_TOPIC_XXXX", "order-1"), 630_921_785);
        assert_eq!(key_hash("a", "键"), java::hash("a#键").wrapping_abs());
        assert_eq!(java::hash("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn a_header_without_entries_counts_from_one() {
        let header = Header::decode(&[0; 40]);
        assert_eq!(header, Header { index_count: 1, ..Header::default() });
        assert_eq!(Header::decode(&header.encode()), header);
    }

    #[test]
    fn time_ranges_match_when_they_overlap_as_upstream_asks() {
        let header = Header { begin_timestamp: 10, end_timestamp: 20, ..Header::default() };
        for (begin, end, matches) in [
            (0, 30, true),
            (0, 9, false),
            (0, 10, true),
            (15, 16, true),
            (20, 99, true),
            (21, 99, false),
            (0, 20, true),
        ] {
            assert_eq!(header.is_time_matched(begin, end), matches, "{begin}..={end}");
        }
    }
}
