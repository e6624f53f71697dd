//! One record of the log, and what can be wrong with it.
//!
//! ```text
//!   record   total 4 · magic 4 · body crc 4 · queue 4 · flag 4 · queue offset 8 · log offset 8 · sys flag 4 · born 8
//!            born host 8 · stored 8 · store host 8 · reconsumed 4 · prepared 8 · body 4+n · topic 1+n · properties 2+n
//!   blank    total 4 · magic 4 · whatever was left in a buffer, to the end of the file
//! ```
//!
//! The CRC is of the body alone: a changed header field, topic or property can pass for whole, and shows only where another
//! file says otherwise.

use std::net::Ipv4Addr;

use crate::lab::oracle::properties::{Marks, tag_hash};
use crate::lab::oracle::window::Window;
use crate::lab::oracle::{i16_at, i32_at, i64_at, is_zero};

/// A whole record, as it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// Where it begins in the log.
    pub at: u64,
    /// All its bytes.
    pub bytes: &'a [u8],
    /// The body, as stored.
    pub body: &'a [u8],
    /// The topic.
    pub topic: &'a [u8],
    /// The property text.
    pub properties: &'a [u8],
}

impl<'a> Record<'a> {
    /// Its length.
    pub fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Where the next one begins.
    pub fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    /// The body's CRC, its highest bit cleared.
    pub fn crc(&self) -> i32 {
        i32_at(self.bytes, CRC)
    }

    /// Its queue.
    pub fn queue(&self) -> i32 {
        i32_at(self.bytes, QUEUE)
    }

    /// The application's flag.
    pub fn flag(&self) -> i32 {
        i32_at(self.bytes, 16)
    }

    /// Its place in the queue.
    pub fn queue_offset(&self) -> i64 {
        i64_at(self.bytes, 20)
    }

    /// Where it says that it lies.
    pub fn declared(&self) -> i64 {
        i64_at(self.bytes, POSITION)
    }

    /// Bits of compression and transactions.
    pub fn sys_flag(&self) -> i32 {
        i32_at(self.bytes, SYS_FLAG)
    }

    /// The producer's clock when it was made, ms.
    pub fn born(&self) -> i64 {
        i64_at(self.bytes, 40)
    }

    /// The producer's address.
    pub fn born_host(&self) -> (Ipv4Addr, i32) {
        self.host_at(48)
    }

    /// The broker's clock when it was stored, ms.
    pub fn stored(&self) -> i64 {
        i64_at(self.bytes, STORED)
    }

    /// The broker's address.
    pub fn store_host(&self) -> (Ipv4Addr, i32) {
        self.host_at(64)
    }

    /// How often it was tried before.
    pub fn reconsumed(&self) -> i32 {
        i32_at(self.bytes, 72)
    }

    /// The half message that it settles, or 0.
    pub fn prepared(&self) -> i64 {
        i64_at(self.bytes, 76)
    }

    /// Whether the body is a zlib stream.
    pub fn is_compressed(&self) -> bool {
        self.sys_flag() & COMPRESSED != 0
    }

    /// Which transaction it belongs to, from the bits.
    pub fn transaction(&self) -> Transaction {
        match self.sys_flag() & TRANSACTION {
            0 => Transaction::None,
            4 => Transaction::Prepared,
            8 => Transaction::Commit,
            _ => Transaction::Rollback,
        }
    }

    /// Whether it belongs into a queue.
    pub fn is_queued(&self) -> bool {
        matches!(self.transaction(), Transaction::None | Transaction::Commit)
    }

    /// Whether its keys belong into the index.
    pub fn is_indexed(&self) -> bool {
        self.transaction() != Transaction::Rollback
    }

    /// The properties that other files are made of.
    pub fn marks(&self) -> Marks<'a> {
        Marks::of(self.properties)
    }

    /// The level of a delayed message that waits: its unit holds the moment of delivery.
    pub fn delay_level(&self, marks: &Marks<'_>) -> Option<i32> {
        (self.topic == SCHEDULE_TOPIC).then(|| marks.delay.and_then(number)).flatten().filter(|level| 0 < *level)
    }

    /// The hash of its tag.
    pub fn tag(&self, marks: &Marks<'_>) -> i64 {
        marks.tags.map_or(0, tag_hash)
    }

    fn host_at(&self, at: usize) -> (Ipv4Addr, i32) {
        (Ipv4Addr::from(i32_at(self.bytes, at).cast_unsigned()), i32_at(self.bytes, at + 4))
    }
}

/// What a record is to a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transaction {
    /// Nothing.
    None,
    /// A half message of the old kind: in the log alone.
    Prepared,
    /// A commit.
    Commit,
    /// A rollback: in the log alone.
    Rollback,
}

/// What begins at a place of a log file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<'a> {
    /// A whole record.
    Record(Record<'a>),
    /// A blank: the rest of the file is filler.
    Blank {
        /// The length it names.
        size: i32,
    },
    /// Zeros.
    Empty,
    /// The end of the file.
    Full,
    /// Something else.
    Flawed(Flaw),
}

/// Why bytes are no whole record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The magic is neither a record's nor a blank's.
    Magic {
        /// What is there.
        found: u32,
        /// Whether the rest names this place, or fills the file: a record or blank whose magic was changed.
        is_placed: bool,
    },
    /// The length is less than the least, or reaches behind the file.
    Size {
        /// What is there.
        found: i32,
        /// Bytes up to the end of the file.
        room: u64,
    },
    /// The lengths of body, topic and properties do not add up to the whole.
    Parts {
        /// The whole, as it says.
        size: i32,
        /// What they add up to; `None` where they reach behind it.
        sum: Option<i64>,
    },
    /// The body is not the one that the CRC was made of.
    Crc {
        /// The CRC that is there.
        found: i32,
        /// The body's.
        body: i32,
    },
    /// A delayed message whose level is no number: the release reads it as damaged.
    Delay,
}

impl Flaw {
    /// Whether the bytes were once a record or a blank, and not just what an older record left.
    pub fn is_of_a_record(&self) -> bool {
        match self {
            Flaw::Magic { is_placed, .. } => *is_placed,
            _ => true,
        }
    }

    /// The first byte, within the record, of the field that does not fit.
    pub fn field(&self) -> u64 {
        match self {
            Flaw::Magic { .. } => 4,
            Flaw::Size { .. } => 0,
            Flaw::Parts { .. } => BODY_LENGTH as u64,
            Flaw::Crc { .. } => CRC as u64,
            Flaw::Delay => BODY as u64,
        }
    }
}

/// Reads what begins at `at` of a log file whose first byte has the place `start` in the log.
pub fn read<'w>(window: &'w mut Window<'_>, start: u64, at: u64) -> Found<'w> {
    let room = window.file_len().saturating_sub(at);
    let head = window.bytes(at, HEAD);
    if head.is_empty() {
        return Found::Full;
    }
    let (size, magic) = (i32_at(head, 0), i32_at(head, 4).cast_unsigned());
    if is_zero(&head[..head.len().min(8)]) {
        return Found::Empty;
    }
    match magic {
        MAGIC => {}
        BLANK => return Found::Blank { size },
        found => {
            let fills = 8 <= size && u64::from(size.cast_unsigned()) == room;
            let is_placed = fills || (FIXED as i32 <= size && i64_at(head, POSITION) == (start + at) as i64);
            return Found::Flawed(Flaw::Magic { found, is_placed: is_placed && head.len() == HEAD });
        }
    }
    if size < FIXED as i32 || room < u64::from(size.cast_unsigned()) {
        return Found::Flawed(Flaw::Size { found: size, room });
    }
    whole(window.bytes(at, size as usize), start + at)
}

/// Reads a record that fills `bytes` and whose length and magic are right.
fn whole(bytes: &[u8], at: u64) -> Found<'_> {
    let size = bytes.len() as i32;
    let short = || Found::Flawed(Flaw::Parts { size, sum: None });
    let Some((body, rest)) = part(bytes, BODY, i64::from(i32_at(bytes, BODY_LENGTH))) else { return short() };
    // A Java byte: lengths above 127 are negative.
    let topic_length = bytes.get(rest).map_or(-1, |length| i64::from(length.cast_signed()));
    let Some((topic, rest)) = part(bytes, rest + 1, topic_length) else { return short() };
    if bytes.len() < rest + 2 {
        return short();
    }
    let Some((properties, end)) = part(bytes, rest + 2, i64::from(i16_at(bytes, rest))) else { return short() };
    if end != bytes.len() {
        return Found::Flawed(Flaw::Parts { size, sum: Some(end as i64) });
    }
    let (found, body_crc) = (i32_at(bytes, CRC), (crc32fast::hash(body) & 0x7fff_ffff).cast_signed());
    if found != body_crc {
        return Found::Flawed(Flaw::Crc { found, body: body_crc });
    }
    let record = Record { at, bytes, body, topic, properties };
    if topic == SCHEDULE_TOPIC && record.marks().delay.is_some_and(|level| number(level).is_none()) {
        return Found::Flawed(Flaw::Delay);
    }
    Found::Record(record)
}

/// A part of that length, and where it ends.
fn part(bytes: &[u8], from: usize, len: i64) -> Option<(&[u8], usize)> {
    let end = from.checked_add(usize::try_from(len).ok()?)?;
    Some((bytes.get(from..end)?, end))
}

fn number(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Magic of a record.
pub const MAGIC: u32 = 0xDAA3_20A7;
/// Magic of a blank.
pub const BLANK: u32 = 0xCBD4_3194;
/// Bytes of a record without body, topic and properties.
pub const FIXED: usize = 91;
/// Where delayed messages wait.
pub const SCHEDULE_TOPIC: &[u8] = b"SCHEDULE_TOPIC_XXXX";

/// Offset of the body's CRC.
pub const CRC: usize = 8;
/// Offset of the queue's number.
pub const QUEUE: usize = 12;
/// Offset of the record's own place.
pub const POSITION: usize = 28;
/// Offset of the flags.
pub const SYS_FLAG: usize = 36;
/// Offset of the store time.
pub const STORED: usize = 56;
/// Offset of the body's length.
pub const BODY_LENGTH: usize = 84;
/// Offset of the body.
pub const BODY: usize = 88;

/// Bytes that tell whether a record names its own place.
const HEAD: usize = 36;
const COMPRESSED: i32 = 1;
const TRANSACTION: i32 = 12;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;
    use crate::lab::oracle::window::LOG;

    /// A record's bytes.
    pub(crate) fn bytes_of(at: u64, queue_offset: i64, body: &[u8], properties: &str) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(((FIXED + body.len() + 1 + properties.len()) as i32).to_be_bytes());
        out.extend(MAGIC.to_be_bytes());
        out.extend((crc32fast::hash(body) & 0x7fff_ffff).to_be_bytes());
        out.extend([0; 8]);
        out.extend(queue_offset.to_be_bytes());
        out.extend(at.to_be_bytes());
        out.extend([0; 48]);
        out.extend((body.len() as i32).to_be_bytes());
        out.extend(body);
        out.extend([1, b'T']);
        out.extend((properties.len() as u16).to_be_bytes());
        out.extend(properties.as_bytes());
        out
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Found<'_>) {
        let folder = Folder([("f".to_owned(), bytes.to_vec())].into());
        let mut window = Window::new(&folder, "f", bytes.len() as u64, LOG);
        assert_eq!(read(&mut window, 0, 0), expected);
    }

    /// The plain message of the format's worked examples.
    const PLAIN: &str = "000000b0daa320a769c865ed000000020000000000000000000000000000000000000000000000000000016806b5bc00\
        c0a801140000c8220000016806b5bc7b0a00000500002a9f0000000000000000000000000000000e48656c6c6f20526f\
        636b65744d5109546f70696354657374003e554e49515f4b455901374630303030303130443046313842344141433230\
        3030303030303030303030025741495401747275650254414753015461674102";

    /// The delayed message of the format's worked examples, at 0x40001000 of the log.
    const DELAYED: &str = "000000f5daa320a70cf3db90000000020000000000000000000000070000000040001000000000000000016806b5bfe8\
        c0a801140000c8220000016806b5bfed0a00000500002a9f0000000000000000000000000000000ce5bbb6e697b62068\
        656c6c6f135343484544554c455f544f5049435f58585858007b5245414c5f544f50494301546f7069635465737402\
        4b455953016f726465722d31206f726465722d3202554e49515f4b455901374630303030303130443046313842344141\
        4332303030303030303030303031025741495401747275650244454c41590133025441475301546167420252454\
        14c5f51494401300200";

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    #[test]
    fn the_worked_example_is_read_field_by_field() {
        let bytes = unhex(PLAIN);
        let folder = Folder([("f".to_owned(), bytes.clone())].into());
        let mut window = Window::new(&folder, "f", bytes.len() as u64, LOG);
        let Found::Record(record) = read(&mut window, 0, 0) else { panic!("a whole record") };
        assert_eq!((record.size(), record.crc(), record.queue()), (176, 0x69C8_65ED, 2));
        assert_eq!((record.born(), record.stored()), (1_546_300_800_000, 1_546_300_800_123));
        assert_eq!(record.born_host(), (Ipv4Addr::new(192, 168, 1, 20), 51234));
        assert_eq!(record.store_host(), (Ipv4Addr::new(10, 0, 0, 5), 10911));
        assert_eq!((record.body, record.topic), (&b"Hello RocketMQ"[..], &b"TopicTest"[..]));
        let marks = record.marks();
        assert_eq!(record.tag(&marks), 2_598_919);
        assert_eq!(marks.unique, Some(&b"7F0000010D0F18B4AAC2000000000000"[..]));
        assert!(record.is_queued() && record.is_indexed() && !record.is_compressed());
    }

    #[test]
    fn a_delayed_message_tells_its_level() {
        let mut bytes = unhex(DELAYED);
        bytes.truncate(245);
        bytes[0..4].copy_from_slice(&245i32.to_be_bytes());
        let folder = Folder([("f".to_owned(), bytes.clone())].into());
        let mut window = Window::new(&folder, "f", bytes.len() as u64, LOG);
        let Found::Record(record) = read(&mut window, 0x4000_1000, 0) else { panic!("a whole record") };
        assert_eq!((record.declared(), record.queue_offset()), (0x4000_1000, 7));
        assert_eq!(record.delay_level(&record.marks()), Some(3));
        let damaged: Vec<u8> = bytes.iter().map(|byte| if *byte == b'3' { b'x' } else { *byte }).collect();
        check(&damaged, Found::Flawed(Flaw::Delay));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let whole = bytes_of(0, 0, b"body", "A\u{1}B\u{2}");
        let with = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= byte;
            bytes
        };
        let size = whole.len() as i32;
        check(&[], Found::Full);
        check(&[0; 7], Found::Empty);
        check(&[0; 200], Found::Empty);
        check(&with(7, 1), Found::Flawed(Flaw::Magic { found: MAGIC ^ 1, is_placed: true }));
        check(&with(3, 2), Found::Flawed(Flaw::Size { found: size ^ 2, room: size as u64 }));
        check(&with(0, 0x80), Found::Flawed(Flaw::Size { found: size ^ i32::MIN, room: size as u64 }));
        check(&with(87, 1), Found::Flawed(Flaw::Parts { size, sum: None }));
        check(&with(92, 0x80), Found::Flawed(Flaw::Parts { size, sum: None }));
        let crc = (crc32fast::hash(b"body") & 0x7fff_ffff).cast_signed();
        check(&with(11, 1), Found::Flawed(Flaw::Crc { found: crc ^ 1, body: crc }));
        let mut blank = vec![7; 300];
        blank[..8].copy_from_slice(&[0, 0, 1, 0x2c, 0xcb, 0xd4, 0x31, 0x94]);
        check(&blank, Found::Blank { size: 300 });
        blank[7] ^= 4;
        check(&blank, Found::Flawed(Flaw::Magic { found: BLANK ^ 4, is_placed: true }));
        check(&[7; 300], Found::Flawed(Flaw::Magic { found: 0x0707_0707, is_placed: false }));
    }
}
