//! A message as bytes in the log, both directions.
//!
//! Writing goes through one encode buffer that is never cleared: a blank record is written with whatever earlier messages
//! left in it. Reading never trusts a length: what lies behind the readable region is a damaged record.
//! Source: `CommitLog.DefaultAppendMessageCallback.doAppend`, `CommitLog.checkMessageAndReturnSize`.

use bytes::Bytes;

use crate::mq::disk::{Disk, FileId};
use crate::mq::message::property::{self, Properties, names};
use crate::mq::message::record::{BLANK_MAGIC, FIXED, MAGIC, body_crc};
use crate::mq::message::{Host, Name, QueueId, Topic, java, tags_code};
use crate::mq::store::delay::{self, DelayLevels};
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
    /// The properties as the broker has them in memory, where that is not what the text says.
    pub map: Option<Box<Properties>>,
}

impl NewMessage {
    /// The record's length in bytes. Source: `CommitLog.calMsgLength`.
    pub fn record_len(&self) -> usize {
        FIXED + self.body.len() + self.topic.len() + self.properties.len()
    }

    pub(super) fn record(&self) -> Record<'_> {
        Record {
            topic: &self.topic,
            queue_id: self.queue_id,
            flag: self.flag,
            sys_flag: self.sys_flag,
            born_timestamp: self.born_timestamp,
            born_host: self.born_host,
            store_host: self.store_host,
            reconsume_times: self.reconsume_times,
            prepared_transaction_offset: self.prepared_transaction_offset,
            body: &self.body,
            properties: self.properties.as_bytes(),
        }
    }

    /// Whether the sender waits for the store: it does if it does not say; every text but `true` says no.
    ///
    /// Source: `Message.isWaitStoreMsgOK`.
    pub fn waits(&self) -> bool {
        waits(self.map.as_deref(), &self.properties)
    }
}

/// Whether a sender with these properties waits for the store. Source: `Message.isWaitStoreMsgOK`.
pub(super) fn waits(map: Option<&Properties>, text: &str) -> bool {
    let wait = match map {
        Some(map) => map.get(names::WAIT).map(|wait| &**wait),
        None => property::find(text, names::WAIT),
    };
    wait.is_none_or(|wait| wait.eq_ignore_ascii_case("true"))
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
        let record = message.record();
        let length = record.len();
        self.grow(length);
        record.write(&mut self.bytes[..length], place);
        &self.bytes[..length]
    }

    /// A blank record over `space` bytes: 8 bytes of its own, then whatever the buffer held.
    pub fn blank(&mut self, space: usize) -> &[u8] {
        self.grow(space);
        self.short_blank(space);
        &self.bytes[..space]
    }

    /// The 8 bytes alone: what a batch leaves of a blank record, here and in the file.
    pub fn short_blank(&mut self, space: usize) -> &[u8] {
        self.grow(BLANK_LEN);
        self.bytes[..4].copy_from_slice(&(space as i32).to_be_bytes());
        self.bytes[4..BLANK_LEN].copy_from_slice(&BLANK_MAGIC.to_be_bytes());
        &self.bytes[..BLANK_LEN]
    }

    fn grow(&mut self, length: usize) {
        if self.bytes.len() < length {
            self.bytes.resize(length, 0);
        }
    }
}

/// What a record is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) topic: &'a str,
    pub(super) queue_id: QueueId,
    pub(super) flag: i32,
    pub(super) sys_flag: i32,
    pub(super) born_timestamp: Millis,
    pub(super) born_host: Host,
    pub(super) store_host: Host,
    pub(super) reconsume_times: i32,
    pub(super) prepared_transaction_offset: i64,
    pub(super) body: &'a [u8],
    pub(super) properties: &'a [u8],
}

impl Record<'_> {
    pub(super) fn len(&self) -> usize {
        FIXED + self.body.len() + self.topic.len() + self.properties.len()
    }

    /// Fills `bytes`, which are as many as [`Record::len`] says.
    pub(super) fn write(&self, bytes: &mut [u8], place: &Place) {
        let length = bytes.len();
        let mut writer = Writer { bytes, at: 0 };
        writer.i32(length as i32);
        writer.i32(MAGIC);
        writer.i32(body_crc(self.body));
        writer.i32(self.queue_id);
        writer.i32(self.flag);
        writer.i64(place.queue_offset);
        writer.i64(place.physical_offset);
        writer.i32(self.sys_flag);
        writer.i64(self.born_timestamp.0);
        writer.host(self.born_host);
        writer.i64(place.store_timestamp.0);
        writer.host(self.store_host);
        writer.i32(self.reconsume_times);
        writer.i64(self.prepared_transaction_offset);
        writer.i32(self.body.len() as i32);
        writer.put(self.body);
        writer.put(&[self.topic.len() as u8]);
        writer.put(self.topic.as_bytes());
        writer.put(&(self.properties.len() as i16).to_be_bytes());
        writer.put(self.properties);
        assert_eq!(writer.at, length, "a record is as long as it says");
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
    fn of(topic: &str, unique: Option<&str>, keys: Option<&str>) -> Keys {
        let hash = |key| key_hash(topic, key);
        let others = keys.unwrap_or_default().split(KEY_SEPARATOR).filter(|key| !key.is_empty());
        Keys { unique: unique.map(hash), others: others.map(hash).collect() }
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
pub struct Want<'a> {
    /// The body's CRC checked.
    pub crc: bool,
    /// The hashes of its keys.
    pub keys: bool,
    /// Where it begins in the log, if it must say so itself (K18).
    pub place: Option<i64>,
    /// A lost sector counts as damage in its texts, too, which no CRC covers (K17).
    pub sectors: bool,
    /// How long delayed messages wait.
    pub delays: &'a DelayLevels,
}

/// Reads the record at `region.at`.
///
/// Differs: a length that reaches behind the region is a bad record here, where upstream allocates it first and dies of
/// `OutOfMemoryError` when it is huge.
/// Source: `CommitLog.checkMessageAndReturnSize`.
pub fn parse(disk: &mut dyn Disk, region: Region, want: Want<'_>, intern: &dyn Fn(&str) -> Option<Topic>) -> Found {
    let Some(head) = fetch(disk, region, 0, 8) else { return Found::Bad };
    let (size, magic) = (be_i32(head, 0), be_i32(head, 4));
    match magic {
        MAGIC => {}
        BLANK_MAGIC => return Found::Blank,
        _ => return Found::Bad,
    }
    let Ok(total) = usize::try_from(size) else { return Found::Bad };
    // Nearly every record is as long as it says: then one look at the disk is enough, instead of five.
    if let Some(bytes) = fetch(disk, region, 0, total)
        && let Some(parts) = Parts::of(total, |at| bytes.get(at).copied())
        && parts.len() == total
    {
        return found(bytes, parts, (size, region.at), want, intern);
    }
    let parts = Parts::of(total, |at| fetch(disk, region, at, 1).map(|byte| byte[0]));
    let Some(parts) = parts else { return Found::Bad };
    match fetch(disk, region, 0, parts.len()) {
        Some(bytes) => found(bytes, parts, (size, region.at), want, intern),
        None => Found::Bad,
    }
}

/// The lengths of a record's three parts, as it gives them.
#[derive(Clone, Copy, Debug)]
struct Parts {
    body: usize,
    topic: usize,
    properties: usize,
}

impl Parts {
    /// Reads them from a record that claims to be `total` bytes long; `None` if none of that length can have them.
    #[inline]
    fn of(total: usize, mut byte: impl FnMut(usize) -> Option<u8>) -> Option<Parts> {
        let body = [byte(BODY - 4)?, byte(BODY - 3)?, byte(BODY - 2)?, byte(BODY - 1)?];
        let body = i32::from_be_bytes(body).max(0) as usize;
        if body > total {
            return None;
        }
        // A Java byte: lengths above 127 are negative and throw.
        let topic = usize::try_from(byte(BODY + body)?.cast_signed()).ok()?;
        let behind = BODY + body + 1 + topic;
        let properties = i16::from_be_bytes([byte(behind)?, byte(behind + 1)?]).max(0) as usize;
        (topic <= total && properties <= total).then_some(Parts { body, topic, properties })
    }

    /// The length of a record of such parts.
    fn len(self) -> usize {
        FIXED + self.body + self.topic + self.properties
    }
}

/// What a record's bytes say, all of which can be read; `at` is their place in the file.
fn found(
    bytes: &[u8],
    parts: Parts,
    (size, at): (i32, u64),
    want: Want<'_>,
    intern: &dyn Fn(&str) -> Option<Topic>,
) -> Found {
    let Parts { body, topic, properties } = parts;
    if want.place.is_some_and(|place| place != be_i64(bytes, 28)) {
        return Found::Bad;
    }
    if want.crc && body > 0 && body_crc(&bytes[BODY..BODY + body]) != be_i32(bytes, 8) {
        return Found::Bad;
    }
    let (from, read) = (BODY + body + 1, bytes.len());
    if want.sectors && has_lost_sector(bytes, at, [from..from + topic, read - properties..read]) {
        return Found::Bad;
    }
    let topic = java::text(&bytes[from..from + topic]);
    let properties = java::text(&bytes[read - properties..]);
    let store_timestamp = Millis(be_i64(bytes, 56));
    let Ok(delivery) = delay::delivery(&topic, &properties, store_timestamp, want.delays) else { return Found::Bad };
    if Ok(read) != usize::try_from(size) {
        return Found::Mismatch { size };
    }
    let (mut tags, mut unique, mut keys) = (None, None, None);
    for (name, value) in property::pairs(&properties) {
        match name {
            names::TAGS => tags = Some(value),
            names::UNIQ_KEY => unique = Some(value),
            names::KEYS => keys = Some(value),
            _ => {}
        }
    }
    Found::Record(Parsed {
        size,
        queue_id: be_i32(bytes, 12),
        queue_offset: be_i64(bytes, 20),
        physical_offset: be_i64(bytes, 28),
        sys_flag: be_i32(bytes, 36),
        store_timestamp,
        tags_code: delivery.unwrap_or_else(|| tags.map_or(0, tags_code)),
        keys: if want.keys { Keys::of(&topic, unique, keys) } else { Keys::default() },
        topic: intern(&topic).unwrap_or_else(|| Name::from(&*topic)),
    })
}

/// Whether one of the device's sectors has nothing but zeros of this record although a text lies in it.
///
/// A text never is: properties end with a separator, and no topic has a zero in it. So a power loss took that sector.
fn has_lost_sector(record: &[u8], at: u64, texts: [std::ops::Range<usize>; 2]) -> bool {
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    let sectors = texts.flat_map(|text| (at + text.start as u64) / SECTOR..=(at + text.end as u64 - 1) / SECTOR);
    sectors.into_iter().any(|sector| {
        let from = (sector * SECTOR).saturating_sub(at) as usize;
        let to = ((sector + 1) * SECTOR - at).min(record.len() as u64) as usize;
        record[from..to].iter().all(|byte| *byte == 0)
    })
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

/// What a device writes whole or not at all.
const SECTOR: u64 = 512;

/// Source: `MessageConst.KEY_SEPARATOR`.
const KEY_SEPARATOR: char = ' ';

/// Bytes of a blank record's own. Source: `DefaultAppendMessageCallback.END_FILE_MIN_BLANK_LENGTH`.
pub(super) const BLANK_LEN: usize = 8;

/// Bytes before the body: everything up to and with its length.
const BODY: usize = 88;
