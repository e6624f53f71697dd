//! A stored message as bytes, as pulls return it and the commit log holds it.
//!
//! ```text
//!   0 TOTALSIZE   8 BODYCRC  16 FLAG         28 PHYSICALOFFSET  40 BORNTIMESTAMP  56 STORETIMESTAMP     72 RECONSUMETIMES  84 BODY
//!   4 MAGICCODE  12 QUEUEID  20 QUEUEOFFSET  36 SYSFLAG         48 BORNHOST       64 STOREHOSTADDRESS   76 PREPAREDOFFSET  … TOPIC PROPERTIES
//! ```
//!
//! Body and its 4-byte length, topic and its 1-byte length, properties and their 2-byte length. All integers big-endian.
//! Source: `MessageDecoder.decode`, `MessageDecoder.encode`.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use crate::mq::message::property::Properties;
use crate::mq::message::{
    Host, Message, Name, PhysicalOffset, QueueOffset, StoredMessage, Topic, compress, java, sys_flag,
};
use crate::mq::time::Millis;

/// Magic of a message record. Source: `MessageDecoder.MESSAGE_MAGIC_CODE`.
pub const MAGIC: i32 = -626_843_481;
/// Magic of the blank record at the end of a file. Source: `CommitLog.BLANK_MAGIC_CODE`.
pub const BLANK_MAGIC: i32 = -875_286_124;
/// Bytes of a record without body, topic and properties.
pub const FIXED: usize = 91;
/// Where the body's length stands. Source: `MessageDecoder.BODY_SIZE_POSITION`.
const BODY_AT: usize = 84;

/// What of a record is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Read the body, or skip it.
    pub body: bool,
    /// Inflate a compressed body.
    pub inflate: bool,
}

impl Reading {
    /// As `MessageDecoder.decode(buffer)`: body read and inflated.
    pub const WHOLE: Reading = Reading { body: true, inflate: true };
}

/// Reads the record at `at`: the message and the record's length; `None` if it is damaged or cut.
///
/// The body is a slice of `bytes`. Lengths and magic are not compared with each other, as upstream.
/// Source: `MessageDecoder.decode`.
pub fn decode(bytes: &Bytes, at: usize) -> Option<(StoredMessage, usize)> {
    decode_with(bytes, at, Reading::WHOLE)
}

/// Reads the record at `at`, the body only as `reading` says.
pub fn decode_with(bytes: &Bytes, at: usize, reading: Reading) -> Option<(StoredMessage, usize)> {
    decode_of(bytes, at, reading, None)
}

/// The same where the reader knows the topic to expect: its name is shared instead of made once more.
pub fn decode_of(
    bytes: &Bytes,
    at: usize,
    reading: Reading,
    expected: Option<&Topic>,
) -> Option<(StoredMessage, usize)> {
    let mut reader = Reader { bytes, at };
    let store_size = reader.i32()?;
    reader.i32()?;
    let body_crc = reader.i32()?;
    let queue_id = reader.i32()?;
    let flag = reader.i32()?;
    let queue_offset = QueueOffset(reader.i64()?);
    let commit_log_offset = PhysicalOffset(reader.i64()?);
    let sys_flag = reader.i32()?;
    let born_timestamp = Millis(reader.i64()?);
    let born_host = reader.host()?;
    let store_timestamp = Millis(reader.i64()?);
    let store_host = reader.host()?;
    let reconsume_times = reader.i32()?;
    let prepared_transaction_offset = reader.i64()?;
    let body = read_body(&mut reader, sys_flag, reading)?;
    // A Java byte: a length above 127 is negative and makes upstream throw.
    let topic_length = usize::try_from(reader.u8()?.cast_signed()).ok()?;
    let topic = java::text(reader.take(topic_length)?);
    let topic = match expected {
        Some(name) if **name == *topic => name.clone(),
        _ => Name::from(&*topic),
    };
    let properties_length = reader.i16()?;
    let properties = match usize::try_from(properties_length) {
        Ok(length) if length > 0 => Properties::decode(&java::text(reader.take(length)?)),
        _ => Properties::new(),
    };
    let message = StoredMessage {
        message: Message { topic, flag, properties, body },
        broker: None,
        queue_id,
        store_size,
        queue_offset,
        sys_flag,
        born_timestamp,
        born_host,
        store_timestamp,
        store_host,
        commit_log_offset,
        body_crc,
        reconsume_times,
        prepared_transaction_offset,
    };
    Some((message, reader.at - at))
}

/// Reads records one after another until the bytes end or one is damaged. Source: `MessageDecoder.decodes`.
pub fn decode_all(bytes: &Bytes) -> Vec<StoredMessage> {
    let mut messages = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some((message, length)) = decode(bytes, at) else { break };
        messages.push(message);
        at += length;
    }
    messages
}

/// Writes a message as a record, the body deflated if its flag says so. Source: `MessageDecoder.encode`.
pub fn encode(stored: &StoredMessage) -> Bytes {
    match stored.sys_flag & sys_flag::COMPRESSED {
        0 => encode_as_is(stored),
        _ => encode_with(stored, &compress::deflate(&stored.message.body)),
    }
}

/// The same with the body as it is, whatever its flag says. Source: `MessageDecoder.encode` without `needCompress`.
pub fn encode_as_is(stored: &StoredMessage) -> Bytes {
    encode_with(stored, &stored.message.body)
}

fn encode_with(stored: &StoredMessage, body: &[u8]) -> Bytes {
    let message = &stored.message;
    let properties = message.properties.encode();
    let size = FIXED + body.len() + message.topic.len() + properties.len();
    let mut out = BytesMut::with_capacity(size);
    out.put_i32(if stored.store_size > 0 { stored.store_size } else { size as i32 });
    out.put_i32(MAGIC);
    out.put_i32(stored.body_crc);
    out.put_i32(stored.queue_id);
    out.put_i32(message.flag);
    out.put_i64(stored.queue_offset.0);
    out.put_i64(stored.commit_log_offset.0);
    out.put_i32(stored.sys_flag);
    out.put_i64(stored.born_timestamp.0);
    out.put_u32(stored.born_host.ip);
    out.put_i32(stored.born_host.port);
    out.put_i64(stored.store_timestamp.0);
    out.put_u32(stored.store_host.ip);
    out.put_i32(stored.store_host.port);
    out.put_i32(stored.reconsume_times);
    out.put_i64(stored.prepared_transaction_offset);
    out.put_i32(body.len() as i32);
    out.put_slice(body);
    out.put_u8(message.topic.len() as u8);
    out.put_slice(message.topic.as_bytes());
    out.put_i16(properties.len() as i16);
    out.put_slice(properties.as_bytes());
    out.freeze()
}

/// The text of a record's properties, without reading the rest; `None` where it has none. Source: `MessageDecoder.decodeProperties`.
pub fn properties_of(record: &[u8]) -> Option<Cow<'_, str>> {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte));
    let body = number(record.get(BODY_AT..BODY_AT + 4)?);
    let topic_at = BODY_AT.checked_add(4)?.checked_add(body)?;
    let from = topic_at + 1 + usize::from(*record.get(topic_at)?) + 2;
    let length = number(record.get(from - 2..from)?);
    let text = record.get(from..from + length).filter(|text| !text.is_empty() && length <= i16::MAX as usize)?;
    Some(java::text(text))
}

/// CRC-32 of a body without the sign bit; 0 for none. Source: `UtilAll.crc32`.
pub fn body_crc(body: &[u8]) -> i32 {
    (crc32fast::hash(body) & 0x7FFF_FFFF).cast_signed()
}

fn read_body(reader: &mut Reader<'_>, flag: i32, reading: Reading) -> Option<Bytes> {
    let length = reader.i32()?;
    let Ok(length) = usize::try_from(length) else { return Some(Bytes::new()) };
    let body = reader.slice(length)?;
    if !reading.body {
        return Some(Bytes::new());
    }
    if reading.inflate && flag & sys_flag::COMPRESSED != 0 && length > 0 {
        return compress::inflate(&body).map(Bytes::from);
    }
    Some(body)
}

/// A place in the bytes; every read that would pass the end is `None`.
struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let end = self.at.checked_add(N)?;
        let found = self.bytes.get(self.at..end)?.try_into().ok()?;
        self.at = end;
        Some(found)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn host(&mut self) -> Option<Host> {
        let ip = u32::from_be_bytes(self.array()?);
        Some(Host { ip, port: self.i32()? })
    }

    fn slice(&mut self, length: usize) -> Option<Bytes> {
        let from = self.at;
        self.take(length)?;
        Some(self.bytes.slice(from..self.at))
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(length)?;
        let found = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(found)
    }
}
