//! A message as bytes in the log, both directions.
//!
//! Writing goes through one encode buffer that is never cleared: a blank record is written with whatever earlier messages
//! left in it. Reading never trusts a length: what lies behind the readable region is a damaged record.
//! Source: `CommitLog.DefaultAppendMessageCallback.doAppend`, `CommitLog.checkMessageAndReturnSize`.

use bytes::Bytes;

use crate::mq::disk::{Disk, FileId};
use crate::mq::message::property::{self, names};
use crate::mq::message::record::{BLANK_MAGIC, FIXED, MAGIC, body_crc};
use crate::mq::message::{Host, Name, QueueId, Topic, java, tags_code};
use crate::mq::store::index_file::key_hash;
use crate::mq::time::Millis;

/// A message on its way into the log. Source: `MessageExtBrokerInner`.
#[derive(Clone, PartialEq, Debug)]
pub struct NewMessage {
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// The application's flag.
    pub flag: i32,
    /// Compression and transaction bits.
    pub sys_flag: i32,
    /// The producer's clock.
    pub born_timestamp: Millis,
    /// The producer's address.
    pub born_host: Host,
    /// This broker's address.
    pub store_host: Host,
    /// How often it was tried again.
    pub reconsume_times: i32,
    /// The half message's place, for a commit.
    pub prepared_transaction_offset: i64,
    /// The stored body.
    pub body: Bytes,
    /// The property text, as it is stored.
    pub properties: Name,
}

impl NewMessage {
    /// The record's length in bytes. Source: `CommitLog.calMsgLength`.
    pub fn record_len(&self) -> usize {
        FIXED + self.body.len() + self.topic.len() + self.properties.len()
    }

    /// Whether the sender waits for the store; only the text `false` says no.
    ///
    /// Source: `Message.isWaitStoreMsgOK`.
    pub fn waits(&self) -> bool {
        property::find(&self.properties, names::WAIT).is_none_or(|wait| wait.eq_ignore_ascii_case("true"))
    }
}

/// The one buffer through which single messages go into the log. Source: `msgStoreItemMemory`.
///
/// Differs: upstream allocates `maxMessageSize + 8` bytes at start; here they come, as zeros, when they are needed.
#[derive(Clone, Debug, Default)]
pub struct EncodeBuffer {
    bytes: Vec<u8>,
}

impl EncodeBuffer {
    /// Writes the record from the buffer's start and returns it.
    pub fn record(&mut self, message: &NewMessage, place: &Place) -> &[u8] {
        let length = message.record_len();
        self.grow(length);
        let mut writer = Writer { bytes: &mut self.bytes, at: 0 };
        writer.i32(length as i32);
        writer.i32(MAGIC);
        writer.i32(body_crc(&message.body));
        writer.i32(message.queue_id);
        writer.i32(message.flag);
        writer.i64(place.queue_offset);
        writer.i64(place.physical_offset);
        writer.i32(message.sys_flag);
        writer.i64(message.born_timestamp.0);
        writer.host(message.born_host);
        writer.i64(place.store_timestamp.0);
        writer.host(message.store_host);
        writer.i32(message.reconsume_times);
        writer.i64(message.prepared_transaction_offset);
        writer.i32(message.body.len() as i32);
        writer.put(&message.body);
        writer.put(&[message.topic.len() as u8]);
        writer.put(message.topic.as_bytes());
        writer.put(&(message.properties.len() as i16).to_be_bytes());
        writer.put(message.properties.as_bytes());
        assert_eq!(writer.at, length, "a record is as long as it says");
        &self.bytes[..length]
    }

    /// A blank record over `space` bytes: 8 bytes of its own, then whatever the buffer held.
    pub fn blank(&mut self, space: usize) -> &[u8] {
        self.grow(space);
        self.bytes[..4].copy_from_slice(&(space as i32).to_be_bytes());
        self.bytes[4..8].copy_from_slice(&BLANK_MAGIC.to_be_bytes());
        &self.bytes[..space]
    }

    fn grow(&mut self, length: usize) {
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
    }
}

/// Where a record goes, decided in the put lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its entry number.
    pub queue_offset: i64,
    /// Its first byte in the log.
    pub physical_offset: i64,
    /// The broker's clock.
    pub store_timestamp: Millis,
}

struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn i32(&mut self, number: i32) {
        self.put(&number.to_be_bytes());
    }

    fn i64(&mut self, number: i64) {
        self.put(&number.to_be_bytes());
    }

    fn host(&mut self, host: Host) {
        self.put(&host.ip.to_be_bytes());
        self.i32(host.port);
    }
}

/// What a reader found at a place in the log. Source: `DispatchRequest`.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    /// A whole record.
    Record(Parsed),
    /// A blank record: the file ends here.
    Blank,
    /// A record whose parts do not add up to the length it claims.
    Mismatch {
        /// The length it claims.
        size: i32,
    },
    /// No record: wrong magic, wrong body, or cut.
    Bad,
}

/// A record in the log, as dispatch needs it.
#[derive(Clone, PartialEq, Debug)]
pub struct Parsed {
    /// Its length.
    pub size: i32,
    /// Its topic.
    pub topic: Topic,
    /// Its queue.
    pub queue_id: QueueId,
    /// Its entry number, as recorded.
    pub queue_offset: i64,
    /// Its place in the log, as recorded; never checked.
    pub physical_offset: i64,
    /// Its flags.
    pub sys_flag: i32,
    /// When it was stored.
    pub store_timestamp: Millis,
    /// Hash of its tag, or the delivery time of a delayed message.
    pub tags_code: i64,
    /// What the index puts it under.
    pub keys: Keys,
}

/// The hashes under which the index puts a record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    unique: Option<i32>,
    others: Vec<i32>,
}

impl Keys {
    /// The unique key, then each blank-separated key. Source: `IndexService.buildIndex`.
    fn of(topic: &str, properties: &str) -> Keys {
        let hash = |key| key_hash(topic, key);
        let others = property::find(properties, names::KEYS).unwrap_or_default();
        let others = others.split(KEY_SEPARATOR).filter(|key| !key.is_empty()).map(hash);
        Keys { unique: property::find(properties, names::UNIQ_KEY).map(hash), others: others.collect() }
    }

    /// All of them, in the order in which they are put.
    pub fn hashes(&self) -> impl Iterator<Item = i32> {
        self.unique.into_iter().chain(self.others.iter().copied())
    }
}

/// Where a record is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    /// The file.
    pub file: FileId,
    /// The record's first byte in the file.
    pub at: u64,
    /// One past the last readable byte.
    pub end: u64,
}

/// What a reader wants besides the fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Want {
    /// The body's CRC checked.
    pub crc: bool,
    /// The hashes of its keys.
    pub keys: bool,
    /// Where it begins in the log, if it must say so itself (K18).
    pub place: Option<i64>,
}

/// Reads the record at `region.at`.
///
/// Differs: a length that reaches behind the region is a bad record here, where upstream allocates it first and dies of
/// `OutOfMemoryError` when it is huge.
/// Source: `CommitLog.checkMessageAndReturnSize`.
pub fn parse(disk: &mut dyn Disk, region: Region, want: Want, intern: &dyn Fn(&str) -> Option<Topic>) -> Found {
    let Some(head) = fetch(disk, region, 0, 8) else { return Found::Bad };
    let (size, magic) = (be_i32(head, 0), be_i32(head, 4));
    match magic {
        MAGIC => {}
        BLANK_MAGIC => return Found::Blank,
        _ => return Found::Bad,
    }
    let Ok(total) = usize::try_from(size) else { return Found::Bad };
    let Some(head) = fetch(disk, region, 0, BODY) else { return Found::Bad };
    let body = be_i32(head, BODY - 4).max(0) as usize;
    let crc = be_i32(head, 8);
    if body > total {
        return Found::Bad;
    }
    let Some(&[topic_byte]) = fetch(disk, region, BODY + body, 1).and_then(|bytes| bytes.first_chunk::<1>()) else {
        return Found::Bad;
    };
    // A Java byte: lengths above 127 are negative and throw.
    let Ok(topic) = usize::try_from(topic_byte.cast_signed()) else { return Found::Bad };
    let Some(lengths) = fetch(disk, region, BODY + body + 1 + topic, 2) else { return Found::Bad };
    let properties = i16::from_be_bytes([lengths[0], lengths[1]]).max(0) as usize;
    if topic > total || properties > total {
        return Found::Bad;
    }
    let read = FIXED + body + topic + properties;
    let Some(bytes) = fetch(disk, region, 0, read) else { return Found::Bad };
    if want.place.is_some_and(|place| place != be_i64(bytes, 28)) {
        return Found::Bad;
    }
    if want.crc && body > 0 && body_crc(&bytes[BODY..BODY + body]) != crc {
        return Found::Bad;
    }
    let from = BODY + body + 1;
    let topic_text = java::text(&bytes[from..from + topic]);
    let properties_text = java::text(&bytes[read - properties..read]);
    let store_timestamp = Millis(be_i64(bytes, 56));
    let Some(tags) = tags_code_of(&topic_text, &properties_text, store_timestamp) else { return Found::Bad };
    if read != total {
        return Found::Mismatch { size };
    }
    Found::Record(Parsed {
        size,
        queue_id: be_i32(bytes, 12),
        queue_offset: be_i64(bytes, 20),
        physical_offset: be_i64(bytes, 28),
        sys_flag: be_i32(bytes, 36),
        store_timestamp,
        tags_code: tags,
        keys: if want.keys { Keys::of(&topic_text, &properties_text) } else { Keys::default() },
        topic: intern(&topic_text).unwrap_or_else(|| Name::from(&*topic_text)),
    })
}

/// The code that goes into the consume queue; `None` if a delay level is no number, which upstream answers with an
/// exception that makes the record unreadable.
fn tags_code_of(topic: &str, properties: &str, store_timestamp: Millis) -> Option<i64> {
    let tags = property::find(properties, names::TAGS).map_or(0, tags_code);
    if topic != SCHEDULE_TOPIC {
        return Some(tags);
    }
    let Some(level) = property::find(properties, names::DELAY) else { return Some(tags) };
    let level: i32 = level.parse().ok()?;
    if level <= 0 {
        return Some(tags);
    }
    let level = (level as usize).min(DELAYS_MS.len());
    Some(store_timestamp.plus(DELAYS_MS[level - 1]).0)
}

fn fetch(disk: &mut dyn Disk, region: Region, from: usize, length: usize) -> Option<&[u8]> {
    let start = region.at + from as u64;
    let end = start + length as u64;
    (end <= region.end).then(|| disk.bytes(region.file, start..end))
}

fn be_i32(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn be_i64(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Source: `MessageConst.KEY_SEPARATOR`.
const KEY_SEPARATOR: char = ' ';

/// Bytes before the body: everything up to and with its length.
const BODY: usize = 88;

/// Where delayed messages wait. Source: `ScheduleMessageService.SCHEDULE_TOPIC`.
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";

/// The delay of each level in ms, the first being level 1. Source: `MessageStoreConfig.messageDelayLevel`.
pub const DELAYS_MS: [i64; 18] = [
    1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000, 540_000,
    600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
];
