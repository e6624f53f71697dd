//! One record: all its fields, and its bytes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::check::storage;
use crate::lab::cli::inspect::{Store, glance, time};
use crate::lab::cli::{INVALID, load};
use crate::lab::locale::Lang;
use crate::lab::oracle::log::{Piece, Walk};
use crate::lab::oracle::properties;
use crate::lab::oracle::record::{Record, Transaction};
use crate::lab::oracle::store::inflate;

#[derive(Serialize, JsonSchema)]
pub(super) struct Fields {
    pub(super) at: u64,
    file: String,
    file_offset: u64,
    pub(super) size: u32,
    crc: i32,
    pub(super) topic: String,
    pub(super) queue: i32,
    pub(super) queue_offset: i64,
    physical_offset: i64,
    flag: i32,
    sys_flag: i32,
    compressed: bool,
    transaction: &'static str,
    born: i64,
    born_host: String,
    pub(super) stored: i64,
    store_host: String,
    reconsume_times: i32,
    prepared_offset: i64,
    message_id: String,
    pub(super) properties: BTreeMap<String, String>,
    /// The body as text, inflated; what is no UTF-8 is replaced.
    body: String,
    body_bytes: usize,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Whole {
    #[serde(flatten)]
    fields: Fields,
    hex: String,
}

/// What lies at a place of the log.
enum Lies {
    Record(Box<Whole>, String),
    Blank { size: i32, room: u64 },
    Flawed { en: String, zh: String, dump: String },
    Nothing,
}

pub(super) fn show(store: &Store, place: u64) -> Result<ExitCode> {
    let Some(mut walk) = Walk::from(&store.files, &store.layout.log, place) else {
        let (first, last) = (store.layout.log.first(), store.layout.log.last());
        let (begin, end) = (first.map_or(0, |file| file.start), last.map_or(0, |file| file.end()));
        load::complain(&format!("no file of the log holds {place}\n  help: the files hold {begin} to {end}\n"));
        return Ok(ExitCode::from(INVALID));
    };
    let (file, offset) = walk.place();
    let lies = match walk.advance() {
        Piece::Record(record) => {
            let fields = Fields::of(&record, (file, offset));
            let hex = record.bytes.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            Lies::Record(Box::new(Whole { fields, hex }), dump(record.bytes, place))
        }
        Piece::Blank { size, room, .. } => Lies::Blank { size, room },
        Piece::Flawed { flaw, .. } => {
            let (en, zh) = storage::wrong(flaw);
            let bytes = crate::lab::oracle::Files::read(&store.files, file, offset, 256);
            Lies::Flawed { en, zh, dump: dump(&bytes, place) }
        }
        Piece::Empty { .. } | Piece::Gap { .. } | Piece::End { .. } => Lies::Nothing,
    };
    told(store, place, (file, offset), lies)
}

fn told(store: &Store, place: u64, (file, offset): (&str, u64), lies: Lies) -> Result<ExitCode> {
    match lies {
        Lies::Record(record, dump) => {
            store.print(&*record, || format!("{}\n{dump}", record.fields.text(store)))?;
            Ok(ExitCode::SUCCESS)
        }
        Lies::Blank { size, room } => {
            let json =
                serde_json::json!({ "at": place, "file": file, "file_offset": offset, "blank": size, "room": room });
            store.print(&json, || match store.lang {
                Lang::En => format!("a blank of {size} bytes fills the rest of {file}\n"),
                Lang::Zh => format!("{size} 字节的空白填满了 {file} 的剩余部分\n"),
            })?;
            Ok(ExitCode::SUCCESS)
        }
        lies => {
            // Inside a record its beginning is what was meant.
            if let Some(at) = holder(store, place) {
                let help = format!("it lies in the record at {at}: `--record {at}`");
                load::complain(&format!("no record begins at {place}\n  help: {help}\n"));
                return Ok(ExitCode::from(INVALID));
            }
            let Lies::Flawed { en, zh, dump } = lies else {
                let help = "without `--record` the summary tells the log's range";
                load::complain(&format!("nothing was written at {place}\n  help: {help}\n"));
                return Ok(ExitCode::from(INVALID));
            };
            let json = serde_json::json!({ "at": place, "file": file, "file_offset": offset, "damage": en });
            store.print(&json, || match store.lang {
                Lang::En => format!("no whole record at {place}, {file} {offset}: {en}\n\n{dump}"),
                Lang::Zh => format!("{place}（{file} 的 {offset}）处没有完整的记录：{zh}\n\n{dump}"),
            })?;
            Ok(ExitCode::from(1))
        }
    }
}

/// The record that a place lies inside of.
fn holder(store: &Store, place: u64) -> Option<u64> {
    let file = store.layout.log.iter().find(|file| (file.start..file.end()).contains(&place))?;
    let mut walk = Walk::from(&store.files, &store.layout.log, file.start)?;
    loop {
        match walk.advance() {
            Piece::Record(record) if record.end() <= place => {}
            Piece::Record(record) => return (record.at < place).then_some(record.at),
            Piece::Flawed { .. } | Piece::Empty { .. } => {
                walk.skip().filter(|next| *next <= place)?;
            }
            Piece::Blank { .. } | Piece::Gap { .. } | Piece::End { .. } => return None,
        }
    }
}

impl Fields {
    pub(super) fn of(record: &Record<'_>, (file, file_offset): (&str, u64)) -> Fields {
        let host = |(ip, port): (std::net::Ipv4Addr, i32)| format!("{ip}:{port}");
        let (ip, port) = record.store_host();
        let inflated = if record.is_compressed() { inflate(record.body) } else { None };
        Fields {
            at: record.at,
            file: file.to_owned(),
            file_offset,
            size: record.size(),
            crc: record.crc(),
            topic: String::from_utf8_lossy(record.topic).into_owned(),
            queue: record.queue(),
            queue_offset: record.queue_offset(),
            physical_offset: record.declared(),
            flag: record.flag(),
            sys_flag: record.sys_flag(),
            compressed: record.is_compressed(),
            transaction: match record.transaction() {
                Transaction::None => "none",
                Transaction::Prepared => "prepared",
                Transaction::Commit => "commit",
                Transaction::Rollback => "rollback",
            },
            born: record.born(),
            born_host: host(record.born_host()),
            stored: record.stored(),
            store_host: host(record.store_host()),
            reconsume_times: record.reconsumed(),
            prepared_offset: record.prepared(),
            message_id: format!("{:08X}{port:08X}{:016X}", u32::from(ip), record.at),
            properties: properties::all(record.properties),
            body: String::from_utf8_lossy(inflated.as_deref().unwrap_or(record.body)).into_owned(),
            body_bytes: record.body.len(),
        }
    }

    /// The body as text.
    pub(super) fn body_text(&self) -> &str {
        &self.body
    }

    fn text(&self, store: &Store) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:<18}{value}");
        };
        line("at", format!("{}  ({} {})", self.at, self.file, self.file_offset));
        line("size", self.size.to_string());
        line("body crc", format!("{:#010x}", self.crc));
        line("topic", self.topic.clone());
        line("queue", self.queue.to_string());
        line("queue offset", self.queue_offset.to_string());
        line("physical offset", self.physical_offset.to_string());
        line("flag", self.flag.to_string());
        let compressed = if self.compressed { ", compressed" } else { "" };
        line("sys flag", format!("{} (transaction {}{compressed})", self.sys_flag, self.transaction));
        line("born", format!("{}  {}  {}", self.born, time(self.born), self.born_host));
        line("stored", format!("{}  {}  {}", self.stored, time(self.stored), self.store_host));
        line("reconsume times", self.reconsume_times.to_string());
        line("prepared offset", self.prepared_offset.to_string());
        line("message id", self.message_id.clone());
        for (name, value) in &self.properties {
            line(store.pick("property", "属性"), format!("{name} = {value}"));
        }
        let body = glance(self.body.as_bytes(), 200);
        line("body", format!("{} {}: {body}", self.body_bytes, store.pick("bytes", "字节")));
        out
    }
}

/// Bytes as hex and letters, sixteen a line, each line with its place in the log.
fn dump(bytes: &[u8], place: u64) -> String {
    let mut out = String::new();
    for (line, row) in bytes.chunks(16).enumerate() {
        let mut hex = String::new();
        for (at, byte) in row.iter().enumerate() {
            let _ = write!(hex, "{byte:02x}{}", if at == 7 { "  " } else { " " });
        }
        let letter = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let letters: String = row.iter().map(letter).collect();
        let at = place + line as u64 * 16;
        let _ = writeln!(out, "{at:>12}  {hex:<50}{letters}");
    }
    out
}
