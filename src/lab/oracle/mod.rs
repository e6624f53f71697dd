//! What is really there: a second reading of log and queues, from the published format alone.
//!
//! Nothing of the system is named here, so that what judges the engine shares no line with it; golden bytes of the Java
//! release hold both readings to one format.
//!
//! ```text
//!   record   total 4 · magic 4 · body crc 4 · queue 4 · flag 4 · queue offset 8 · log offset 8 · sys flag 4 · born 8
//!            born host 8 · stored 8 · store host 8 · reconsumed 4 · prepared 8 · body 4+n · topic 1+n · properties 2+n
//!   unit     log offset 8 · size 4 · hash of the tag 8
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

/// Files as bytes: a folder of mapped files, or an image in memory.
pub trait Files {
    /// Every file's path, relative to the store and with `/`, and its length.
    fn list(&self) -> Vec<(String, u64)>;

    /// Bytes of a file from a place on, at most so many: fewer at its end, none behind it or where there is no such file.
    /// Borrowed where they lie in one piece.
    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]>;

    /// The parts of a range, in order, outside which every byte of it is zero. Who does not know says: all of it.
    fn written(&self, _path: &str, range: Range<u64>) -> Vec<Range<u64>> {
        vec![range]
    }
}

/// One whole record of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRecord {
    /// Where it begins.
    pub at: u64,
    /// Its length in bytes.
    pub size: u32,
    /// Its topic.
    pub topic: String,
    /// Its queue.
    pub queue: i32,
    /// Its place in the queue.
    pub queue_offset: i64,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// Its content, inflated.
    pub body: Vec<u8>,
    /// The broker's clock when it was stored, ms.
    pub stored: i64,
}

/// One unit of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Its number.
    pub number: i64,
    /// The record it points at.
    pub at: u64,
    /// That record's length.
    pub size: u32,
    /// The hash of its tag.
    pub tag: i64,
}

/// A store as it lies on a disk.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Store {
    /// The log's records from its beginning to the first that is not whole.
    pub records: Vec<LogRecord>,
    /// Where that is.
    pub end: u64,
    /// Each queue's units from its beginning to the first that is none.
    pub queues: BTreeMap<(String, i32), Vec<Unit>>,
}

const MAGIC: u32 = 0xDAA3_20A7;
const BLANK: u32 = 0xCBD4_3194;
const FIXED: usize = 91;
const UNIT: usize = 20;
const COMPRESSED: i32 = 1;
/// No record is longer: the most that a 4 MiB body with topic and properties comes to.
const RECORD_MAX: usize = (4 << 20) + FIXED + 255 + 65_535;

impl Store {
    /// Reads a store.
    pub fn read(files: &dyn Files) -> Store {
        let mut store = Store::default();
        store.read_log(files);
        store.read_queues(files);
        store
    }

    /// The record at a place of the log.
    pub fn record_at(&self, at: u64) -> Option<&LogRecord> {
        let place = self.records.binary_search_by_key(&at, |record| record.at).ok()?;
        self.records.get(place)
    }

    /// The unit of that number in a queue.
    pub fn unit(&self, topic: &str, queue: i32, number: i64) -> Option<&Unit> {
        let units = self.queues.get(&(topic.to_owned(), queue))?;
        let place = units.binary_search_by_key(&number, |unit| unit.number).ok()?;
        units.get(place)
    }

    /// How far the queues have followed the log.
    pub fn dispatched(&self) -> u64 {
        self.queues.values().flatten().map(|unit| unit.at + u64::from(unit.size)).max().unwrap_or(0)
    }

    fn read_log(&mut self, files: &dyn Files) {
        let mut logs: Vec<(u64, String, u64)> = files
            .list()
            .into_iter()
            .filter_map(|(path, len)| Some((path.strip_prefix("commitlog/")?.parse().ok()?, path, len)))
            .collect();
        logs.sort();
        self.end = logs.first().map_or(0, |(start, ..)| *start);
        for (start, path, len) in logs {
            if start != self.end {
                return;
            }
            let mut at = 0;
            loop {
                match parse(files, &path, at, len, start + at) {
                    Parsed::Record(record) => {
                        at += u64::from(record.size);
                        self.end = start + at;
                        self.records.push(*record);
                    }
                    // The rest of the file is blank: the log goes on in the next.
                    Parsed::Blank => {
                        self.end = start + len;
                        break;
                    }
                    Parsed::Nothing => return,
                }
                if at >= len {
                    break;
                }
            }
        }
    }

    fn read_queues(&mut self, files: &dyn Files) {
        let mut found: Vec<(String, i32, u64, String, u64)> = Vec::new();
        for (path, len) in files.list() {
            let Some(rest) = path.strip_prefix("consumequeue/") else { continue };
            let parts: Vec<&str> = rest.split('/').collect();
            if let [topic, queue, file] = parts[..]
                && let (Ok(queue), Ok(start)) = (queue.parse(), file.parse())
            {
                found.push((topic.to_owned(), queue, start, path.clone(), len));
            }
        }
        found.sort();
        for (topic, queue, start, path, len) in found {
            let units = self.queues.entry((topic, queue)).or_default();
            read_units(files, (&path, start, len), units);
        }
    }
}

fn read_units(files: &dyn Files, (path, start, len): (&str, u64, u64), units: &mut Vec<Unit>) {
    let mut at = 0;
    while at < len {
        let bytes = files.read(path, at, 200 * UNIT);
        if bytes.len() < UNIT {
            return;
        }
        for unit in bytes.chunks_exact(UNIT) {
            let (offset, size, tag) = (i64_at(unit, 0), i32_at(unit, 8), i64_at(unit, 12));
            if offset < 0 || size <= 0 {
                return;
            }
            // Units before the queue's first are written as blanks of this size.
            if size != i32::MAX {
                let number = ((start + at) / UNIT as u64) as i64;
                units.push(Unit { number, at: offset as u64, size: size as u32, tag });
            }
            at += UNIT as u64;
        }
    }
}

enum Parsed {
    Record(Box<LogRecord>),
    Blank,
    Nothing,
}

fn parse(files: &dyn Files, path: &str, at: u64, len: u64, log_at: u64) -> Parsed {
    let head = files.read(path, at, 8);
    if head.len() < 8 {
        return Parsed::Nothing;
    }
    let (size, magic) = (i32_at(&head, 0), i32_at(&head, 4).cast_unsigned());
    if magic == BLANK {
        return Parsed::Blank;
    }
    let whole = FIXED as i32 <= size && size as usize <= RECORD_MAX && u64::from(size.cast_unsigned()) <= len - at;
    if magic != MAGIC || !whole {
        return Parsed::Nothing;
    }
    match record(&files.read(path, at, size as usize), log_at) {
        Some(record) => Parsed::Record(Box::new(record)),
        None => Parsed::Nothing,
    }
}

fn record(bytes: &[u8], at: u64) -> Option<LogRecord> {
    let (crc, sys_flag) = (i32_at(bytes, 8), i32_at(bytes, 36));
    if i64_at(bytes, 28) != at as i64 {
        return None;
    }
    let body_len = usize::try_from(i32_at(bytes, 84)).ok()?;
    let body = bytes.get(88..88 + body_len)?;
    let rest = &bytes[88 + body_len..];
    let topic_len = usize::from(*rest.first()?);
    let topic = String::from_utf8(rest.get(1..1 + topic_len)?.to_vec()).ok()?;
    let rest = &rest[1 + topic_len..];
    let properties_len = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
    let text = String::from_utf8_lossy(rest.get(2..2 + properties_len)?).into_owned();
    if rest.len() != 2 + properties_len || crc32fast::hash(body) & 0x7fff_ffff != crc.cast_unsigned() {
        return None;
    }
    let pairs = text.split('\u{2}').filter_map(|pair| pair.split_once('\u{1}'));
    Some(LogRecord {
        at,
        size: bytes.len() as u32,
        topic,
        queue: i32_at(bytes, 12),
        queue_offset: i64_at(bytes, 20),
        properties: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: if sys_flag & COMPRESSED == 0 { body.to_vec() } else { inflate(body)? },
        stored: i64_at(bytes, 56),
    })
}

fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    // Nothing that a producer sends inflates to more.
    flate2::read::ZlibDecoder::new(bytes).take(64 << 20).read_to_end(&mut out).ok()?;
    Some(out)
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    i32::from_be_bytes(word)
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(word)
}

/// The hash of a tag as units keep it: of Java's `String.hashCode`, widened; 0 for none.
pub fn tag_hash(tag: &str) -> i64 {
    i64::from(tag.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit))))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(BTreeMap<String, Vec<u8>>);

    impl Files for Folder {
        fn list(&self) -> Vec<(String, u64)> {
            self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect()
        }

        fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
            let bytes = &self.0[path];
            let at = bytes.len().min(at as usize);
            Cow::Borrowed(&bytes[at..bytes.len().min(at + len)])
        }
    }

    fn bytes_of(at: u64, body: &[u8]) -> Vec<u8> {
        let properties = "UNIQ_KEY\u{1}A\u{2}";
        let size = FIXED + body.len() + 1 + properties.len();
        let mut out = Vec::new();
        out.extend((size as i32).to_be_bytes());
        out.extend(MAGIC.to_be_bytes());
        out.extend((crc32fast::hash(body) & 0x7fff_ffff).to_be_bytes());
        out.extend([0; 16]);
        out.extend(at.to_be_bytes());
        out.extend([0; 48]);
        out.extend((body.len() as i32).to_be_bytes());
        out.extend(body);
        out.extend([1, b'T']);
        out.extend((properties.len() as u16).to_be_bytes());
        out.extend(properties.as_bytes());
        out
    }

    #[test]
    fn the_log_is_read_to_its_first_damage_and_never_beyond() {
        let first = bytes_of(0, b"one");
        let mut log = first.clone();
        log.extend(bytes_of(first.len() as u64, b"two"));
        let whole = log.len();
        log.resize(4096, 0);
        for at in 0..whole {
            let mut damaged = log.clone();
            damaged[at] ^= 0x10;
            let folder = Folder(BTreeMap::from([("commitlog/00000000000000000000".to_owned(), damaged)]));
            let found = Store::read(&folder).records.len();
            assert!(found <= 2, "byte {at}");
            assert!(found >= usize::from(at >= first.len()), "byte {at} is behind the first record");
        }
        let folder = Folder(BTreeMap::from([("commitlog/00000000000000000000".to_owned(), log)]));
        let store = Store::read(&folder);
        assert_eq!((store.records.len(), store.end), (2, whole as u64));
        assert_eq!(store.records[1].properties["UNIQ_KEY"], "A");
    }
}
