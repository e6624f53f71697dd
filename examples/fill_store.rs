//! Fills a store directory through the real engine, on memory-mapped files, and reads it back by two hands: by the engine's
//! decoder and by the oracle. `cargo run --release --example fill_store -- DIR MESSAGES [BODY]`
//!
//! What it leaves is a store of default sizes that a broker opens, and something for `mqlab inspect DIR --verify` to do.

use std::error::Error;

use bytes::Bytes;
use mqlab::host::mmap::MmapDisk;
use mqlab::lab::oracle::Files;
use mqlab::lab::oracle::layout::Layout;
use mqlab::lab::oracle::log::{Piece, Walk};
use mqlab::lab::oracle::record::Record;
use mqlab::mq::message::Host;
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::record::{Reading, decode_with};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::{News, PutStatus};
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::{Clock, MessageStore};
use mqlab::mq::time::{Millis, Span, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, messages, rest @ ..] = &arguments[..] else {
        return Err("name a directory and a number of messages".into());
    };
    let messages: u64 = messages.parse()?;
    let body: u64 = rest.first().map_or(Ok(1024), |body| body.parse())?;
    fill(folder, messages, body)?;
    let compared = compare(folder, body)?;
    println!("{folder} holds {messages} messages, {compared} compared field by field");
    Ok(())
}

fn fill(folder: &str, messages: u64, body: u64) -> Result<(), Box<dyn Error>> {
    let mut disk = MmapDisk::new(folder)?;
    let mut clock = Clock { wall: START, mono: Time::ZERO };
    let mut store = MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, &mut disk, clock)?;
    for number in 0..messages {
        let put = store.put(&mut disk, clock, &message(number, body));
        assert!(put.status == PutStatus::PutOk, "message {number}: {}", put.status.as_str());
        if number % 16 == 15 {
            pass(&mut store, &mut disk, &mut clock);
        }
    }
    while 0 < store.behind() {
        pass(&mut store, &mut disk, &mut clock);
    }
    store.begin_shutdown(&mut disk, clock);
    answer(&mut store, &mut disk, clock);
    assert!(store.is_shut_down(), "a clean stop ends when its forces are answered");
    Ok(())
}

/// A millisecond goes by: dispatch and the flushers have their turns.
fn pass(store: &mut MessageStore, disk: &mut MmapDisk, clock: &mut Clock) {
    let end = clock.mono + Span::from_millis(1);
    let due = |store: &MessageStore, clock: Clock| {
        let deadlines = store.deadlines(clock).into_iter().filter_map(|(service, at)| Some((at?, service)));
        deadlines.min().filter(|(at, _)| *at <= end)
    };
    while let Some((at, service)) = due(store, *clock) {
        clock.mono = clock.mono.max(at);
        store.fired(disk, *clock, service);
        answer(store, disk, *clock);
    }
    (clock.wall, clock.mono) = (clock.wall.plus(1), end);
}

/// Every force that was asked for. Nothing is forced to the device: the page cache is enough for an example.
fn answer(store: &mut MessageStore, disk: &mut MmapDisk, clock: Clock) {
    let mut news = Vec::new();
    loop {
        store.take_news(&mut news);
        if news.is_empty() {
            return;
        }
        for item in news.drain(..) {
            if let News::Flush { ticket, .. } = item {
                store.flush_answered(disk, clock, ticket, Ok(()));
            }
        }
    }
}

/// The message of a number: everything in it is drawn from the number.
fn message(number: u64, body: u64) -> NewMessage {
    let mut dice = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % below
    };
    let host = |draw: u64| Host { ip: draw as u32, port: (draw >> 32) as i32 & 0xFFFF };
    let key = format!("{number:032X}");
    let tag = ["TagA", "TagB", "延时", "", "Aa", "BB"][draw(6) as usize];
    let mut properties =
        format!("KEYS\u{1}order-{number} {}\u{2}UNIQ_KEY\u{1}{key}\u{2}WAIT\u{1}true\u{2}", draw(1000));
    if !tag.is_empty() {
        properties += &format!("TAGS\u{1}{tag}\u{2}");
    }
    let length = draw(2 * body + 1);
    let letter = draw(256) as u8;
    NewMessage {
        topic: ["orders", "payments", "延迟", "t"][draw(4) as usize].into(),
        queue_id: draw(4) as i32,
        flag: draw(1 << 32) as i32,
        sys_flag: 0,
        born_timestamp: START.plus(number as i64),
        born_host: host(draw(u64::MAX)),
        store_host: host(draw(u64::MAX)),
        reconsume_times: draw(17) as i32,
        prepared_transaction_offset: draw(1 << 40) as i64,
        body: (0..length).map(|at| letter.wrapping_add((at * at) as u8)).collect::<Vec<u8>>().into(),
        properties: properties.into(),
        map: None,
    }
}

/// Reads the log back and holds each record against the message of its number.
fn compare(folder: &str, body: u64) -> Result<u64, Box<dyn Error>> {
    let files = Folder(mqlab::host::files::MappedFolder::open(folder.as_ref())?);
    let layout = Layout::of(&files);
    let mut walk = Walk::new(&files, &layout.log);
    let mut number = 0;
    loop {
        match walk.advance() {
            Piece::Record(record) => same(&record, &message(number, body)),
            Piece::Blank { .. } => continue,
            Piece::Empty { .. } | Piece::End { .. } => return Ok(number),
            other => return Err(format!("message {number}: {other:?}").into()),
        }
        number += 1;
    }
}

fn same(record: &Record<'_>, message: &NewMessage) {
    let bytes = Bytes::copy_from_slice(record.bytes);
    let (decoded, size) = decode_with(&bytes, 0, Reading::WHOLE).expect("the engine reads what it wrote");
    assert_eq!((size, decoded.store_size), (record.bytes.len(), record.size() as i32));
    assert_eq!((&decoded.message.body, record.body), (&message.body, &*message.body));
    assert_eq!((&*decoded.message.topic, record.topic), (&*message.topic, message.topic.as_bytes()));
    assert_eq!(decoded.message.properties, Properties::decode(&message.properties));
    assert_eq!(record.properties, message.properties.as_bytes());
    assert_eq!([decoded.queue_id, record.queue()], [message.queue_id; 2]);
    assert_eq!([decoded.born_timestamp.0, record.born()], [message.born_timestamp.0; 2]);
    assert_eq!((decoded.body_crc, decoded.queue_offset.0), (record.crc(), record.queue_offset()));
    assert_eq!([decoded.commit_log_offset.0, record.declared()], [record.at as i64; 2]);
}

struct Folder(mqlab::host::files::MappedFolder);

impl Files for Folder {
    fn list(&self) -> Vec<(String, u64)> {
        self.0.list().map(|(name, len)| (name.to_owned(), len)).collect()
    }

    fn read(&self, path: &str, at: u64, len: usize) -> std::borrow::Cow<'_, [u8]> {
        self.0.read(path, at, len)
    }
}

const START: Millis = Millis(1_546_300_800_000);
