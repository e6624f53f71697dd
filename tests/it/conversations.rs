//! Frames of a real 4.3.2 cluster: each reads and is written again byte for byte, and the nameserver here gives the real
//! one's answers.
//!
//! Nothing about a conversation is written down here: others of the same shape can be dropped in.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use mqlab::mq::message::record;
use mqlab::mq::wire::body::locks::{LockBatchRequestBody, LockBatchResponseBody};
use mqlab::mq::wire::body::{ConsumerIdList, HeartbeatData, JsonBody, RegisterBrokerBody, RouteData};
use mqlab::mq::wire::code::{request, response};
use mqlab::mq::wire::codec::raw::{Language, RawCommand};
use mqlab::mq::wire::codec::{CodecError, Decoder, from_raw, to_raw, typed_response};
use mqlab::mq::wire::command::Command;
use mqlab::mq::wire::header::Header;
use serde_json::{Value, json};

mod differ;

mod nameserver;

mod races;

mod recording;

mod relayed;

mod replay;

mod shapes;

mod stage;

mod story;

mod table;

/// One line of a conversation.
#[derive(Clone, Debug)]
struct Said {
    /// Milliseconds since the scenario began.
    ms: u64,
    /// The connection.
    conn: u32,
    event: Spoken,
}

#[derive(Clone, Debug)]
enum Spoken {
    Opened { from: String, to: String, port: String, client: String },
    Frame(Frame),
    Closed { by_client: bool },
}

#[derive(Clone, Debug)]
struct Frame {
    /// From the side that connected.
    from_client: bool,
    /// As the recorder read it.
    header: Value,
    serialize_type: String,
    body_length: usize,
    bytes: Bytes,
}

/// Every conversation by name.
fn conversations() -> BTreeMap<String, Vec<Said>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/conversations");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let all: BTreeMap<String, Vec<Said>> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(path.join("frames.jsonl")).unwrap();
            (name, text.lines().filter_map(said).collect())
        })
        .collect();
    assert!(!all.is_empty());
    all
}

/// Pieces of the replication port are no frames.
fn said(line: &str) -> Option<Said> {
    let line: Value = serde_json::from_str(line).unwrap();
    let text = |field: &str| line[field].as_str().unwrap_or("").to_owned();
    let event = match line["ev"].as_str().unwrap() {
        "open" => Spoken::Opened { from: text("from"), to: text("to"), port: text("port"), client: text("clientAddr") },
        "close" => Spoken::Closed { by_client: line["by"] == "client" },
        "bytes" => return None,
        "frame" => {
            let hex = text("hex");
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            Spoken::Frame(Frame {
                from_client: line["dir"] == "c2s",
                header: line["header"].clone(),
                serialize_type: text("serializeType"),
                body_length: line["bodyLength"].as_u64().unwrap() as usize,
                bytes: (0..hex.len()).step_by(2).map(byte).collect(),
            })
        }
        other => panic!("a line `{other}`"),
    };
    Some(Said { ms: line["ms"].as_u64().unwrap(), conn: line["conn"].as_u64().unwrap() as u32, event })
}

fn frames(said: &[Said]) -> impl Iterator<Item = (u32, &Frame)> {
    said.iter().filter_map(|said| match &said.event {
        Spoken::Frame(frame) => Some((said.conn, frame)),
        _ => None,
    })
}

fn raw(frame: &Frame) -> RawCommand {
    RawCommand::decode(&frame.bytes.slice(4..)).unwrap_or_else(|error| panic!("{error}: {}", frame.header))
}

#[test]
fn every_frame_reads_as_it_was_read_and_is_written_byte_for_byte() {
    let mut count = 0;
    for (name, said) in conversations() {
        for (conn, frame) in frames(&said) {
            let raw = raw(frame);
            let fields = raw.ext_fields.as_ref().map(|fields| {
                let pairs = fields.iter().map(|(name, value)| (name.to_string(), json!(value.as_deref())));
                Value::Object(pairs.collect())
            });
            let mut shown = json!({
                "code": raw.code,
                "flag": raw.flag,
                "opaque": raw.opaque,
                "version": raw.version,
                "language": raw.language.map(Language::as_str),
            });
            let mut header = frame.header.clone();
            header.as_object_mut().unwrap().remove("serializeTypeCurrentRPC");
            // An absent remark or map has no key in JSON, and a null or empty one in the binary header.
            for (key, value) in [("remark", json!(raw.remark.as_deref())), ("extFields", json!(fields))] {
                if header.get(key).is_some() {
                    shown[key] = value;
                } else {
                    assert!(value.is_null() || value == json!({}), "{name} {conn}: {key} {value}");
                }
            }
            assert_eq!(shown, header, "{name} {conn}");
            assert_eq!(raw.serialize_type.as_str(), frame.serialize_type, "{name} {conn}");
            assert_eq!(raw.body.as_ref().map_or(0, Bytes::len), frame.body_length, "{name} {conn}");
            assert_eq!(raw.encode().unwrap(), frame.bytes, "{name} {conn}: {}", frame.header);
            count += 1;
        }
    }
    assert!(500 < count, "{count} frames");
}

#[test]
fn a_stream_that_is_cut_anywhere_gives_the_same_commands() {
    for (name, said) in conversations() {
        let mut streams: BTreeMap<(u32, bool), Vec<&Frame>> = BTreeMap::new();
        for (conn, frame) in frames(&said) {
            streams.entry((conn, frame.from_client)).or_default().push(frame);
        }
        for (stream, frames) in streams {
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.iter().copied()).collect();
            let mut decoder = Decoder::new();
            let mut opaques = Vec::new();
            for piece in bytes.chunks(7 + stream.0 as usize % 91) {
                decoder.push(piece);
                loop {
                    match decoder.next() {
                        Ok(Some(command)) => opaques.push(i64::from(command.opaque.0)),
                        Ok(None) => break,
                        // A request whose header lacks what its class requires: the stream goes on.
                        Err(CodecError::Missing { .. } | CodecError::Unparsable { .. } | CodecError::Refused(_)) => {
                            opaques.push(-1);
                        }
                        Err(error) => panic!("{name} {stream:?}: {error}"),
                    }
                }
            }
            let wanted: Vec<i64> = frames.iter().map(|frame| frame.header["opaque"].as_i64().unwrap()).collect();
            assert_eq!(opaques.len(), wanted.len(), "{name} {stream:?}");
            assert!(opaques.iter().zip(&wanted).all(|(got, wanted)| *got == -1 || got == wanted), "{name} {stream:?}");
        }
    }
}

/// A typed header knows its fields and nothing else: what it reads, it writes.
#[test]
fn typed_headers_write_what_they_read() {
    let (mut requests, mut answers) = (0, 0);
    for (name, said) in conversations() {
        let mut asked: BTreeMap<(u32, bool, i32), i32> = BTreeMap::new();
        for (conn, frame) in frames(&said) {
            let raw = raw(frame);
            let opaque = raw.opaque.unwrap();
            let typed = if raw.is_response() {
                let code = asked[&(conn, !frame.from_client, opaque)];
                from_raw(raw.clone()).and_then(|command| typed_response(command, code))
            } else {
                asked.insert((conn, frame.from_client, opaque), raw.code);
                from_raw(raw.clone())
            };
            let typed = match typed {
                Ok(typed) => typed,
                // What the error scenario sends on purpose.
                Err(CodecError::Missing { .. } | CodecError::Unparsable { .. } | CodecError::Refused(_))
                    if name.contains("errors") =>
                {
                    continue;
                }
                Err(error) => panic!("{name}: {error}: {}", frame.header),
            };
            if matches!(typed.header, Header::None | Header::Other(_)) {
                continue;
            }
            *(if raw.is_response() { &mut answers } else { &mut requests }) += 1;
            let again = to_raw(&typed, raw.serialize_type).encode().unwrap();
            assert_eq!(again, raw.encode().unwrap(), "{name}: {typed:?}\n{}", frame.header);
        }
    }
    assert!(100 < requests && 50 < answers, "{requests} requests, {answers} answers");
}

#[test]
fn bodies_are_read_and_written_byte_for_byte() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, said) in conversations() {
        let mut asked: BTreeMap<(u32, bool, i32), i32> = BTreeMap::new();
        for (conn, frame) in frames(&said) {
            let raw = raw(frame);
            let opaque = raw.opaque.unwrap();
            let code = if raw.is_response() { asked[&(conn, !frame.from_client, opaque)] } else { raw.code };
            if !raw.is_response() {
                asked.insert((conn, frame.from_client, opaque), raw.code);
            }
            // The error scenario also sends bodies that are none.
            let Some(body) = raw.body.as_ref().filter(|_| !name.contains("errors")) else { continue };
            let kind = match (code, raw.is_response(), raw.code) {
                (request::HEART_BEAT, false, _) => again::<HeartbeatData>("heartbeat", &name, body),
                (request::REGISTER_BROKER, false, _) => registered(&name, body),
                (request::GET_ROUTEINTO_BY_TOPIC, true, response::SUCCESS) => again::<RouteData>("route", &name, body),
                (request::GET_CONSUMER_LIST_BY_GROUP, true, response::SUCCESS) => {
                    again::<ConsumerIdList>("consumers", &name, body)
                }
                (request::LOCK_BATCH_MQ, false, _) => again::<LockBatchRequestBody>("lock", &name, body),
                (request::LOCK_BATCH_MQ, true, response::SUCCESS) => {
                    again::<LockBatchResponseBody>("locked", &name, body)
                }
                (request::UNLOCK_BATCH_MQ, false, _) => again::<LockBatchRequestBody>("unlock", &name, body),
                (request::PULL_MESSAGE, true, response::SUCCESS) => pulled(&name, body),
                _ => continue,
            };
            *seen.entry(kind).or_insert(0) += 1;
        }
    }
    for kind in ["heartbeat", "registration", "route", "consumers", "pulled", "lock", "locked", "unlock"] {
        assert!(seen.contains_key(kind), "no {kind} in {seen:?}");
    }
}

fn again<T: JsonBody>(kind: &'static str, name: &str, body: &Bytes) -> &'static str {
    let typed = T::decode(body).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (again, text) = (typed.encode(), String::from_utf8_lossy(body));
    assert_eq!(String::from_utf8_lossy(&again), text, "{name}: {kind}");
    kind
}

/// A broker's own table lies in a larger map than a table that was read, and so in another order.
fn registered(name: &str, body: &Bytes) -> &'static str {
    let mut typed = RegisterBrokerBody::decode(body).unwrap_or_else(|error| panic!("{name}: {error}"));
    let text = String::from_utf8_lossy(body);
    // One topic alone travels in a map of its own; a bucket of two keeps the order in which they were put.
    for capacity in [0, 1_024] {
        typed.topic_config_serialize_wrapper.capacity = capacity;
        if String::from_utf8_lossy(&typed.encode()) == text {
            return "registration";
        }
    }
    panic!("{name}: {} is not {text}", String::from_utf8_lossy(&typed.encode()))
}

/// Records as the log holds them: read whole, none left over.
fn pulled(name: &str, body: &Bytes) -> &'static str {
    let found = record::decode_all(body);
    let bytes: usize = found.iter().map(|message| message.store_size as usize).sum();
    assert_eq!(bytes, body.len(), "{name}: {} records", found.len());
    "pulled"
}

/// The frame of an answer in the header type that its node speaks.
fn written(answer: &Command, like: &RawCommand) -> Bytes {
    to_raw(answer, like.serialize_type).encode().unwrap()
}
