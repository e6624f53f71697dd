//! A record byte by byte: its fields, its bytes, and the twenty bytes of its queue that lead to it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::locale::{Words, views};
use crate::lab::oracle::Files;
use crate::lab::oracle::layout::Layout;
use crate::lab::oracle::queue::{Queue, Slot};
use crate::lab::oracle::record::{BODY, Record};
use crate::mq::time::{Calendar, Millis};

/// A field of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Field {
    /// Its name in English: `total size`.
    pub name: &'static str,
    /// What it holds.
    pub value: String,
    /// Its first byte within the record.
    pub from: usize,
    /// One past its last.
    pub to: usize,
    /// Its label.
    #[serde(skip)]
    pub(super) label: Words,
}

/// A row of bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// Where it begins in the log, in hexadecimal digits.
    pub at: String,
    /// The bytes, two digits each.
    pub hex: Vec<String>,
    /// The same as letters, a point for what is none.
    pub text: String,
}

/// An entry of a consume queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Unit {
    /// The queue: `orders/3`.
    pub queue: String,
    /// The entry's number.
    pub number: i64,
    /// Its bytes as it lies: place, length, hash of the tag.
    pub hex: [String; 3],
    /// The record that it leads to.
    pub at: i64,
    /// That record's length.
    pub len: i64,
    /// The hash of its tag, or a moment of delivery.
    pub tag: i64,
    /// Whether it leads to the record that is looked at.
    pub leads: bool,
}

/// The fields of a record, in their order.
pub(super) fn fields(record: &Record<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut at = 0;
    let mut field = |label: Words, len: usize, value: String| {
        fields.push(Field { name: label.en, value, from: at, to: at + len, label });
        at += len;
    };
    let host = |(ip, port): (std::net::Ipv4Addr, i32)| format!("{ip}:{port}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    field(views::TOTAL_SIZE, 4, record.size().to_string());
    field(views::MAGIC, 4, format!("{:08X}", crate::lab::oracle::record::MAGIC));
    field(views::BODY_CRC, 4, format!("{:08X}", record.crc()));
    field(views::QUEUE_ID, 4, record.queue().to_string());
    field(views::FLAG, 4, record.flag().to_string());
    field(views::QUEUE_OFFSET, 8, record.queue_offset().to_string());
    field(views::PHYSICAL, 8, record.declared().to_string());
    field(views::SYS_FLAG, 4, record.sys_flag().to_string());
    field(views::BORN, 8, clock(record.born()));
    field(views::BORN_HOST, 8, host(record.born_host()));
    field(views::STORED_AT, 8, clock(record.stored()));
    field(views::STORE_HOST, 8, host(record.store_host()));
    field(views::TIMES, 4, record.reconsumed().to_string());
    field(views::PREPARED, 8, record.prepared().to_string());
    let body = if record.is_compressed() { format!("zlib {}", record.body.len()) } else { text(record.body) };
    field(views::BODY, 4 + record.body.len(), body);
    field(views::TOPIC, 1 + record.topic.len(), text(record.topic));
    let pairs = crate::lab::oracle::properties::pairs(record.properties);
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", text(name), text(value))).collect();
    field(views::PROPERTIES, 2 + record.properties.len(), pairs.join(" "));
    debug_assert!(fields[14].from == BODY - 4, "the body stands behind fourteen fields");
    fields
}

/// A wall clock's reading, as the release's tools show it.
fn clock(millis: i64) -> String {
    let Calendar { year, month, day, hour, minute, second, milli } = Calendar::of(Millis(millis), 0);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03}")
}

/// The bytes of a record, twelve a row.
pub(super) fn rows(record: &Record<'_>) -> Vec<Row> {
    let row = |(number, bytes): (usize, &[u8])| Row {
        at: format!("{:x}", record.at + (number * ROW) as u64),
        hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        text: bytes.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect(),
    };
    record.bytes.chunks(ROW).enumerate().map(row).collect()
}

/// The entry of a record's queue under its number, if there is one.
pub(super) fn unit(files: &dyn Files, layout: &Layout, record: &Record<'_>) -> Option<Unit> {
    let topic = String::from_utf8_lossy(record.topic).into_owned();
    let name = format!("{topic}/{}", record.queue());
    let segments = layout.queues.get(&(topic, record.queue()))?;
    let mut queue = Queue::new(files, segments);
    let Slot::Unit(unit) = queue.slot(record.queue_offset()) else { return None };
    let (path, at) = queue.place(record.queue_offset())?;
    let bytes = files.read(path, at, 20);
    let hex = |range: std::ops::Range<usize>| {
        let digits: Vec<String> = bytes.get(range).unwrap_or(&[]).iter().map(|byte| format!("{byte:02x}")).collect();
        digits.join(" ")
    };
    Some(Unit {
        queue: name,
        number: unit.number,
        hex: [hex(0..8), hex(8..12), hex(12..20)],
        at: unit.at as i64,
        len: i64::from(unit.size),
        tag: unit.tag,
        leads: unit.at == record.at,
    })
}

/// Bytes of a row.
const ROW: usize = 12;
