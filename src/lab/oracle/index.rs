//! An index file: from the hash of a key to places of the log.
//!
//! ```text
//!   0    begin time 8 · end time 8 · begin place 8 · end place 8 · entries ever put 4 · next entry 4
//!   40   slots, 4 each: the newest entry whose hash falls here, 0 for none
//!        entries, 20 each, the first never used: hash 4 · place 8 · seconds since begin time 4 · older entry of the slot 4
//! ```
//!
//! How many slots there are is configured and stands nowhere. `Shape::detect` finds it out: only with the right number do
//! entries hang on the slots that their hashes name.

use crate::lab::oracle::layout::Segment;
use crate::lab::oracle::properties::hash_on;
use crate::lab::oracle::window::{self, Window};
use crate::lab::oracle::{Files, i32_at, i64_at};

/// What stands at the beginning of an index file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Store time of the first entry, ms.
    pub begin_time: i64,
    /// Store time of the last entry, ms.
    pub end_time: i64,
    /// Place of the first entry's record.
    pub begin_at: i64,
    /// Place of the last entry's record.
    pub end_at: i64,
    /// How many entries were put. Upstream calls it `hashSlotCount`.
    pub put: i32,
    /// The number of the next entry; the first is 1.
    pub next: i32,
}

impl Header {
    /// The most entries that one of its two counts speaks of.
    fn most(&self) -> i32 {
        self.put.max(self.next.saturating_sub(1)).max(0)
    }
}

/// How many slots and entries a file has room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// `maxHashSlotNum`.
    pub slots: u32,
    /// `maxIndexNum`.
    pub entries: u32,
}

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Its number, from 1.
    pub number: u32,
    /// The hash of topic and key.
    pub hash: i32,
    /// The record.
    pub at: i64,
    /// When it was stored: seconds since the file's begin time.
    pub seconds: i32,
    /// The next older entry of its slot, 0 for none.
    pub older: i32,
}

/// An index file.
pub struct IndexFile<'a> {
    /// What stands at its beginning.
    pub header: Header,
    /// Its slots and entries; `None` if they cannot be told.
    pub shape: Option<Shape>,
    /// Its name and length.
    pub segment: &'a Segment,
    files: &'a dyn Files,
    entries: Window<'a>,
}

impl<'a> IndexFile<'a> {
    /// Every index file of a store. They are made alike: what one tells of its shape holds for others of its length.
    pub fn all(files: &'a dyn Files, segments: &'a [Segment]) -> Vec<IndexFile<'a>> {
        let mut all: Vec<IndexFile<'a>> = Vec::with_capacity(segments.len());
        for segment in segments {
            let known = all.iter().rev().filter(|other| other.segment.len == segment.len).find_map(|other| other.shape);
            all.push(IndexFile::open(files, segment, known));
        }
        for at in 0..all.len() {
            if all[at].shape.is_none() {
                let len = all[at].segment.len;
                all[at].shape = all.iter().find(|other| other.segment.len == len).and_then(|other| other.shape);
            }
        }
        all
    }

    fn open(files: &'a dyn Files, segment: &'a Segment, known: Option<Shape>) -> IndexFile<'a> {
        let bytes = files.read(&segment.path, 0, HEADER);
        let header = Header {
            begin_time: i64_at(&bytes, 0),
            end_time: i64_at(&bytes, 8),
            begin_at: i64_at(&bytes, 16),
            end_at: i64_at(&bytes, 24),
            put: i32_at(&bytes, 32),
            next: i32_at(&bytes, 36),
        };
        let entries = Window::new(files, &segment.path, segment.len, window::SMALL);
        let shape = Shape::detect(files, segment, &header, known);
        IndexFile { header, shape, segment, files, entries }
    }

    /// How many entries it says that it holds, as many as there is room for.
    pub fn count(&self) -> u32 {
        let room = self.shape.map_or(0, |shape| shape.entries.saturating_sub(1));
        u32::try_from(self.header.next.saturating_sub(1)).unwrap_or(0).min(room)
    }

    /// How many entries it holds as far as its two counts agree; where they do not, the one that the entries bear out.
    pub fn agreed(&mut self) -> u32 {
        let (count, put) = (self.count(), u32::try_from(self.header.put).unwrap_or(0));
        let is_blank =
            |entry: Option<Entry>, number| entry.is_none_or(|entry| entry == Entry { number, ..Entry::default() });
        let is_last = put != count
            && !is_blank(self.entry(put), put)
            && is_blank(self.entry(put.saturating_add(1)), put.saturating_add(1));
        if is_last { put } else { count }
    }

    /// The entry of that number; `None` where the shape is not known or there is no room for it.
    pub fn entry(&mut self, number: u32) -> Option<Entry> {
        let at = self.entry_place(number)?;
        Some(Entry::of(self.entries.bytes(at, ENTRY), number))
    }

    /// Where in the file the entry of that number stands.
    pub fn entry_place(&self, number: u32) -> Option<u64> {
        let shape = self.shape.filter(|shape| number < shape.entries)?;
        Some(shape.entry_at(number))
    }

    /// Where in the file the slot of that number stands.
    pub fn slot_place(slot: u32) -> u64 {
        HEADER as u64 + u64::from(slot) * SLOT as u64
    }

    /// The slot that a hash falls into.
    pub fn slot_of(&self, hash: i32) -> Option<u32> {
        self.shape.map(|shape| hash.unsigned_abs() % shape.slots)
    }

    /// What a slot holds.
    pub fn slot(&self, slot: u32) -> i32 {
        i32_at(&self.files.read(&self.segment.path, Self::slot_place(slot), SLOT), 0)
    }

    /// The entries of a hash, newest first, as a query follows them. It ends where an entry does not lead to an older one.
    pub fn chain(&mut self, hash: i32) -> Vec<Entry> {
        let mut found = Vec::new();
        let count = self.count();
        let mut number = self.slot_of(hash).map_or(0, |slot| self.slot(slot));
        while 0 < number && number.unsigned_abs() <= count {
            let Some(entry) = self.entry(number.unsigned_abs()) else { break };
            if entry.hash == hash {
                found.push(entry);
            }
            if number <= entry.older {
                break;
            }
            number = entry.older;
        }
        found
    }

    /// The store time that an entry tells, ms, to a second.
    pub fn time_of(&self, entry: &Entry) -> i64 {
        self.header.begin_time.saturating_add(i64::from(entry.seconds) * 1000)
    }
}

impl Entry {
    fn of(bytes: &[u8], number: u32) -> Entry {
        Entry {
            number,
            hash: i32_at(bytes, 0),
            at: i64_at(bytes, 4),
            seconds: i32_at(bytes, 12),
            older: i32_at(bytes, 16),
        }
    }
}

impl Shape {
    /// The shape of a default broker's files.
    pub const DEFAULT: Shape = Shape { slots: 5_000_000, entries: 20_000_000 };

    /// The default's where the length is its, and else the one with which the file's entries hang on their slots; `None` for a
    /// file without entries, or if none does. What is `known` of another file of its length is tried first.
    fn detect(files: &dyn Files, segment: &Segment, header: &Header, known: Option<Shape>) -> Option<Shape> {
        if segment.len == Shape::DEFAULT.file_len() {
            return Some(Shape::DEFAULT);
        }
        let reader = Reader { files, segment, header };
        // Whoever changes one number keeps the four entries a slot.
        let likely = Shape::of_slots(segment.len.saturating_sub(HEADER as u64) / 84, segment.len);
        known.into_iter().chain(likely).find(|shape| reader.fits(*shape)).or_else(|| reader.search())
    }

    /// Where the entries begin.
    pub fn slots_end(self) -> u64 {
        self.entry_at(0)
    }

    /// The length of a file of this shape.
    pub fn file_len(self) -> u64 {
        self.entry_at(self.entries)
    }

    fn of_slots(slots: u64, len: u64) -> Option<Shape> {
        let entries = len.checked_sub(HEADER as u64 + slots.checked_mul(SLOT as u64)?)?;
        let shape = Shape { slots: slots.try_into().ok()?, entries: (entries / ENTRY as u64).try_into().ok()? };
        (0 < shape.slots && 1 < shape.entries && shape.file_len() == len).then_some(shape)
    }

    fn entry_at(self, number: u32) -> u64 {
        HEADER as u64 + u64::from(self.slots) * SLOT as u64 + u64::from(number) * ENTRY as u64
    }
}

struct Reader<'a> {
    files: &'a dyn Files,
    segment: &'a Segment,
    header: &'a Header,
}

impl Reader<'_> {
    /// The shape that fits best of those in which the first or the last entry is where the header says.
    fn search(&self) -> Option<Shape> {
        let most = self.header.most().unsigned_abs();
        if most == 0 {
            return None;
        }
        // A shape without room for the entries that the header speaks of is one only if the header is damaged.
        self.best(|shape| most < shape.entries).or_else(|| self.best(|shape| shape.entries <= most))
    }

    fn best(&self, may_be: impl Fn(&Shape) -> bool) -> Option<Shape> {
        let shapes = (1..=self.segment.len / SLOT as u64).filter_map(|slots| Shape::of_slots(slots, self.segment.len));
        // With more slots everything lies further behind: one window goes along with either end.
        let (mut firsts, mut lasts) = (self.window(), self.window());
        let is_there = |window: &mut Window<'_>, shape: Shape, number: u32, wanted: i64| {
            let entry = Entry::of(window.bytes(shape.entry_at(number), ENTRY), number);
            entry.at == wanted && entry != Entry { number, ..Entry::default() } && self.hangs(shape, number)
        };
        // Either end will do: one of the two may be damaged.
        let fitting = shapes.filter(may_be).filter(|shape| {
            (is_there(&mut firsts, *shape, 1, self.header.begin_at)
                || is_there(&mut lasts, *shape, self.count(*shape), self.header.end_at))
                && self.fits(*shape)
        });
        fitting.max_by_key(|shape| self.bounds(*shape))
    }

    fn window(&self) -> Window<'_> {
        Window::new(self.files, &self.segment.path, self.segment.len, window::SMALL)
    }

    /// Whether most of the first, or most of the last, entries hang on their slots.
    fn fits(&self, shape: Shape) -> bool {
        let count = self.count(shape);
        let most_hang = |numbers: std::ops::RangeInclusive<u32>| {
            let all = numbers.clone().count();
            all / 2 < numbers.filter(|number| self.hangs(shape, *number)).count()
        };
        most_hang(1..=count.min(SAMPLE)) || most_hang(count.saturating_sub(SAMPLE).max(SAMPLE) + 1..=count)
    }

    /// How many of the borders are where they would be: between slots and entries, and behind the last entry.
    fn bounds(&self, shape: Shape) -> u32 {
        let count = self.count(shape);
        let is_empty = |number| self.entry(shape, number) == Entry { number, ..Entry::default() };
        let slots = self.files.read(&self.segment.path, HEADER as u64, shape.slots as usize * SLOT);
        let are_slots = slots.chunks_exact(SLOT).all(|slot| (0..=self.header.most()).contains(&i32_at(slot, 0)));
        let ends = self.entry(shape, count).at == self.header.end_at;
        let is_clear = count + 1 == shape.entries || is_empty(count + 1);
        u32::from(is_empty(0)) + 2 * u32::from(are_slots) + u32::from(ends) + u32::from(is_clear)
    }

    fn count(&self, shape: Shape) -> u32 {
        self.header.most().unsigned_abs().min(shape.entries - 1)
    }

    /// Whether the slot of the entry's hash leads to it or to a newer one.
    fn hangs(&self, shape: Shape, number: u32) -> bool {
        let entry = self.entry(shape, number);
        let place = IndexFile::slot_place(entry.hash.unsigned_abs() % shape.slots);
        let newest = i32_at(&self.files.read(&self.segment.path, place, SLOT), 0);
        0 <= entry.hash && entry.older.unsigned_abs() < number && (number as i32..=self.header.most()).contains(&newest)
    }

    fn entry(&self, shape: Shape, number: u32) -> Entry {
        Entry::of(&self.files.read(&self.segment.path, shape.entry_at(number), ENTRY), number)
    }
}

/// The hash under which a key of a topic is kept.
pub fn key_hash(topic: &[u8], key: &[u8]) -> i32 {
    key_hash_on(topic_hash(topic), key)
}

/// What all hashes of a topic's keys begin with.
pub fn topic_hash(topic: &[u8]) -> i32 {
    hash_on(hash_on(0, topic), b"#")
}

/// The hash under which a key is kept, carried on from [`topic_hash`].
pub fn key_hash_on(topic: i32, key: &[u8]) -> i32 {
    hash_on(topic, key).checked_abs().unwrap_or(0)
}

/// Bytes in front of the slots.
pub const HEADER: usize = 40;
/// Bytes of a slot.
pub const SLOT: usize = 4;
/// Bytes of an entry.
pub const ENTRY: usize = 20;
/// How many of the first, and of the last, entries are looked at to tell a shape.
const SAMPLE: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::layout::Layout;

    /// A file with these hashes, each entry at ten times its number.
    fn index(shape: Shape, hashes: &[i32]) -> Folder {
        let mut bytes = vec![0; shape.file_len() as usize];
        let mut put = |at: u64, word: &[u8]| bytes[at as usize..at as usize + word.len()].copy_from_slice(word);
        let mut slots = vec![0i32; shape.slots as usize];
        for (hash, number) in hashes.iter().zip(1..) {
            let slot = hash.unsigned_abs() % shape.slots;
            let older = std::mem::replace(&mut slots[slot as usize], number);
            let at = i64::from(number) * 10;
            let entry =
                [&hash.to_be_bytes()[..], &at.to_be_bytes(), &number.to_be_bytes(), &older.to_be_bytes()].concat();
            put(shape.entry_at(number as u32), &entry);
            put(IndexFile::slot_place(slot), &number.to_be_bytes());
        }
        let next = hashes.len() as i32 + 1;
        put(0, &1_000i64.to_be_bytes());
        put(16, &10i64.to_be_bytes());
        put(32, &(next - 1).to_be_bytes());
        put(36, &next.to_be_bytes());
        Folder([("index/20261122212550092".to_owned(), bytes)].into())
    }

    #[test]
    fn shapes_are_told_from_the_entries() {
        let hashes: Vec<i32> = (1..40).map(|number| number * 7919).collect();
        for (slots, entries) in [(100, 250), (10, 60), (20, 50), (7, 400), (500, 60)] {
            let shape = Shape { slots, entries };
            for count in [1, 2, 39] {
                let folder = index(shape, &hashes[..count]);
                let layout = Layout::of(&folder);
                let files = IndexFile::all(&folder, &layout.index);
                assert_eq!(
                    (files[0].shape, files[0].count()),
                    (Some(shape), count as u32),
                    "{slots} {entries} {count}"
                );
            }
        }
        let empty = index(Shape { slots: 7, entries: 400 }, &[]);
        assert!(IndexFile::all(&empty, &Layout::of(&empty).index)[0].shape.is_none());
    }

    #[test]
    fn a_chain_leads_from_the_newest_to_the_oldest() {
        let folder = index(Shape { slots: 10, entries: 60 }, &[13, 23, 4, 13]);
        let layout = Layout::of(&folder);
        let file = &mut IndexFile::all(&folder, &layout.index)[0];
        let numbers = |chain: Vec<Entry>| chain.iter().map(|entry| entry.number).collect::<Vec<_>>();
        assert_eq!(numbers(file.chain(13)), [4, 1]);
        assert_eq!(numbers(file.chain(23)), [2]);
        assert!(file.chain(33).is_empty());
        let newest = file.chain(13)[0];
        assert_eq!((newest.at, file.time_of(&newest)), (40, 5_000));
    }

    #[test]
    fn keys_hash_as_in_the_worked_examples() {
        assert_eq!(key_hash(b"TopicTest", b"7F0000010D0F18B4AAC2000000000000"), 435_253_660);
        assert_eq!(key_hash(b"SCHEDULE_TOPIC_XXXX", b"order-1"), 630_921_785);
    }
}
