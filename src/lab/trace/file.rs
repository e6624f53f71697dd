//! A trace as JSON lines: a header, one line a record, and the digest last.
//!
//! Each line has the record's step, number, true time, node, clocks and cause, its `kind`, and the fields of that kind; a place
//! in a log, `at` to who says it, is `place`, and `at` is always the time.

use std::fmt::Debug;

use serde_json::{Map, Value, json};

use crate::lab::trace::digest::Digest;
use crate::lab::trace::log::{Header, Trace};
use crate::lab::trace::record::{App, Clock, DiskEvent, Fault, FrameNote, Machine, Record, Road, What};
use crate::mq::app::pull::{PullAnswer, PullCall};
use crate::mq::app::{AdminAnswer, Call, Return, SendTo};
use crate::mq::fact;
use crate::mq::message::{Message, MessageQueue, Name, StoredMessage};

/// The format's version.
pub const VERSION: u32 = 1;

/// The whole trace, each line ended by a newline.
pub fn jsonl(trace: &Trace, digest: &Digest) -> String {
    let mut out = String::new();
    line(&mut out, header_json(&trace.header));
    for record in trace.records() {
        line(&mut out, record_json(trace, record));
    }
    line(&mut out, json!({ "digest": digest.to_string(), "records": trace.records().len(), "steps": trace.steps() }));
    out
}

/// The first line: what the run was.
pub fn header_json(header: &Header) -> Value {
    let nodes: Vec<Value> = header
        .nodes
        .iter()
        .map(|node| json!({ "name": node.name.as_str(), "role": lower(&node.role), "addr": node.addr.as_str() }))
        .collect();
    json!({
        "format": VERSION,
        "scenario": header.scenario.as_str(),
        "seed": header.seed,
        "profile": header.profile.as_str(),
        "start_ms": header.start.0,
        "nodes": nodes,
        "build": env!("CARGO_PKG_VERSION"),
    })
}

fn line(out: &mut String, value: Value) {
    out.push_str(&value.to_string());
    out.push('\n');
}

fn lower(value: &dyn Debug) -> String {
    format!("{value:?}").to_lowercase()
}

/// One record.
pub fn record_json(trace: &Trace, record: &Record) -> Value {
    let mut map = Map::new();
    map.insert("step".into(), json!(record.step));
    map.insert("seq".into(), json!(record.seq.0));
    map.insert("at".into(), json!(record.at.0));
    if let Some(node) = record.node {
        map.insert("node".into(), json!(trace.name(node).as_str()));
        map.insert("incarnation".into(), json!(record.incarnation));
        map.insert("wall".into(), json!(record.wall.0));
        map.insert("mono".into(), json!(record.mono.0));
    }
    if let Some(cause) = record.cause {
        map.insert("cause".into(), json!(cause.0));
    }
    map.insert("kind".into(), json!(record.what.kind()));
    if let Value::Object(fields) = fields(trace, &record.what) {
        for (name, value) in fields {
            // What a kind calls as every record calls something of its own has another name here: a place in a log is no time.
            let name = match map.contains_key(&name) {
                true if name == "at" => PLACE.to_owned(),
                true => format!("own_{name}"),
                false => name,
            };
            map.insert(name, value);
        }
    }
    Value::Object(map)
}

/// Under which name a record's field `at`, a place in a log or a file, stands beside its time.
pub const PLACE: &str = "place";

fn fields(trace: &Trace, what: &What) -> Value {
    match what {
        What::Machine(machine) => match machine {
            Machine::BootFailed { why } | Machine::Panicked { why } => json!({ "why": why.as_str() }),
            Machine::PowerLost { lost, kept, torn } => json!({ "lost": lost, "kept": kept, "torn": torn }),
            Machine::WallStepped { millis } => json!({ "millis": millis }),
            Machine::ClockBent { rate } => json!({ "rate": rate }),
            Machine::ServicePaused { service } | Machine::ServiceResumed { service } => json!({ "service": service }),
            Machine::DiskReplaced { how } => json!({ "how": how }),
            _ => json!({}),
        },
        What::Road(road) => road_fields(trace, road),
        What::Clock(Clock::Armed { timer, at }) => {
            json!({ "timer": format!("{:?}", timer.name), "number": timer.number, "for": at.0 })
        }
        What::Clock(Clock::Disarmed { timer } | Clock::Fired { timer }) => {
            json!({ "timer": format!("{:?}", timer.name), "number": timer.number })
        }
        What::Disk(disk) => disk_fields(disk),
        What::App(App::Called(call)) => call_fields(call),
        What::App(App::Returned(answer)) => return_fields(answer),
        What::App(App::Info { op }) => json!({ "op": op }),
        What::App(App::Noted { key, value }) => json!({ "key": key.as_str(), "value": value.as_str() }),
        What::Fact(fact) => {
            let mut map = Map::new();
            fact.each_field(|name, value| {
                let value = match value {
                    fact::Value::Int(number) => json!(number),
                    fact::Value::Text(text) => json!(text),
                };
                map.insert(name.to_owned(), value);
            });
            Value::Object(map)
        }
        What::Fault(Fault::Begun { name, what }) => json!({ "name": name.as_str(), "what": what.as_str() }),
        What::Fault(Fault::Ended { name }) => json!({ "name": name.as_str() }),
        What::Rolled { stream, ordinal, of, got } => {
            json!({ "stream": stream.as_str(), "ordinal": ordinal, "of": of, "got": got })
        }
    }
}

fn frame_fields(frame: &FrameNote) -> Value {
    let mut map = Map::new();
    map.insert("code".into(), json!(frame.code));
    map.insert("label".into(), json!(frame.label));
    map.insert("flag".into(), json!(frame.flag));
    map.insert("opaque".into(), json!(frame.opaque));
    map.insert("body".into(), json!(frame.body));
    if let Some(remark) = &frame.remark {
        map.insert("remark".into(), json!(remark.as_str()));
    }
    if let Some(wire) = &frame.wire {
        map.insert("wire".into(), json!(hex(&wire.bytes())));
    }
    Value::Object(map)
}

fn road_fields(trace: &Trace, road: &Road) -> Value {
    match road {
        Road::Opening { link, to } => json!({ "link": link.0, "to": to.to_string() }),
        Road::Opened { link } | Road::Drained { link } => json!({ "link": link.0 }),
        Road::Refused { link, why } => json!({ "link": link.0, "why": lower(why) }),
        Road::Closed { link, why } => json!({ "link": link.0, "why": lower(why) }),
        Road::Sent { link, to, frame } => {
            json!({ "link": link.0, "to": trace.name(*to).as_str(), "frame": frame_fields(frame) })
        }
        Road::Arrived { link, from, frame } => {
            json!({ "link": link.0, "from": trace.name(*from).as_str(), "frame": frame_fields(frame) })
        }
        Road::Held { link, span } => json!({ "link": link.0, "span": span.map(|span| span.0) }),
        Road::Dropped { link, why } => json!({ "link": link.0, "why": why }),
    }
}

fn disk_fields(disk: &DiskEvent) -> Value {
    match disk {
        DiskEvent::Stored { file, at, bytes, len } => {
            json!({ "file": file.as_str(), "offset": at, "len": len, "bytes": hex(bytes) })
        }
        DiskEvent::Named { what, file, to, len } => {
            json!({ "what": what, "file": file.as_str(), "to": to.as_ref().map(|to| to.as_str()), "len": len })
        }
        DiskEvent::FlushAsked { ticket, file, from, to } => {
            json!({ "ticket": ticket, "file": file.as_str(), "from": from, "to": to })
        }
        DiskEvent::Wrong { what, file, at } => json!({ "what": what, "file": file.as_str(), "offset": at }),
        DiskEvent::FlushDone { ticket } => json!({ "ticket": ticket }),
        DiskEvent::FlushFailed { ticket, error } => json!({ "ticket": ticket, "error": error.to_string() }),
        DiskEvent::Image { cached, stable } => {
            json!({ "files": cached.files.len(), "stable_files": stable.files.len() })
        }
    }
}

fn call_fields(call: &Call) -> Value {
    match call {
        Call::Send { op, group, message, timeout } => {
            json!({
                "op": op.0,
                "group": group.as_str(),
                "topic": message.topic.as_str(),
                "properties": properties(message),
                "body": hex(&message.body),
                "timeout": timeout.map(|timeout| timeout.0),
            })
        }
        Call::CreateTopic { op, group, topic, queues, .. } => {
            json!({ "op": op.0, "group": group.as_str(), "topic": topic.as_str(), "queues": queues })
        }
        Call::Admin { op, what } => json!({ "op": op.0, "what": what.command() }),
        Call::Steer { op, group, what } => {
            json!({ "op": op.0, "group": group.as_str(), "what": what.to_string() })
        }
        Call::Pull { op, group, what } => json!({
            "op": op.0,
            "group": group.as_str(),
            "what": what.method(),
            "topic": match &**what {
                PullCall::Queues(topic) | PullCall::InBalance(topic) => Some(topic.as_str()),
                what => what.queue().map(|queue| queue.topic.as_str()),
            },
            "queue": what.queue().map(|queue| format!("{}/{}", queue.broker, queue.queue_id)),
            "number": what.number(),
        }),
        Call::SendBy { op, group, message, timeout, by } => json!({
            "op": op.0,
            "group": group.as_str(),
            "topic": message.topic.as_str(),
            "properties": properties(message),
            "body": hex(&message.body),
            "timeout": timeout.map(|timeout| timeout.0),
            "mode": by.mode.as_str(),
            "queue": match &by.to {
                SendTo::Queue(queue) => Some(queue.to_string()),
                SendTo::Any | SendTo::Selected(_) => None,
            },
            "selector": match &by.to {
                SendTo::Selected(selector) => json!(selector.words()),
                SendTo::Any | SendTo::Queue(_) => Value::Null,
            },
        }),
        Call::SendBatch { op, group, messages, timeout } => {
            let messages: Vec<Value> = messages
                .iter()
                .map(|message| json!({ "properties": properties(message), "body": hex(&message.body) }))
                .collect();
            let timeout = timeout.map(|timeout| timeout.0);
            json!({ "op": op.0, "group": group.as_str(), "messages": messages, "timeout": timeout })
        }
        Call::SendInTransaction { op, group, message } => json!({
            "op": op.0,
            "group": group.as_str(),
            "topic": message.topic.as_str(),
            "properties": properties(message),
            "body": hex(&message.body),
        }),
        Call::Selected { task, choice } => json!({ "task": task.0, "choice": format!("{choice:?}") }),
        Call::Decided { task, outcome } => json!({ "task": task.0, "outcome": format!("{outcome:?}") }),
        Call::Listened { task, outcome } => json!({ "task": task.0, "outcome": format!("{outcome:?}") }),
    }
}

fn properties(message: &Message) -> Map<String, Value> {
    message.properties.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect()
}

fn select_fields(task: u64, op: u64, queues: &[MessageQueue], message: &Message) -> Value {
    let queues = short(queues);
    let topic = message.topic.as_str();
    json!({ "task": task, "op": op, "queues": queues, "topic": topic, "properties": properties(message) })
}

fn administered_fields(op: u64, what: &AdminAnswer) -> Value {
    let texts = |names: &[Name]| names.iter().map(|name| json!(name.as_str())).collect::<Vec<_>>();
    let names = |name: &'static str, rows: Vec<Value>| json!({ "op": op, name: rows });
    match what {
        AdminAnswer::Offsets(offsets) => names(
            "offsets",
            offsets.iter().map(|(queue, offset)| json!({ "queue": queue.to_string(), "offset": offset })).collect(),
        ),
        AdminAnswer::Rollback(rows) => names(
            "rollback",
            rows.iter()
                .map(|row| {
                    json!({
                        "queue": row.queue.to_string(),
                        "broker_offset": row.broker_offset,
                        "consumer_offset": row.consumer_offset,
                        "timestamp_offset": row.timestamp_offset,
                        "rollback_offset": row.rollback_offset,
                    })
                })
                .collect(),
        ),
        AdminAnswer::DoneBy(addrs) => names("done_by", addrs.iter().map(|addr| json!(addr.as_str())).collect()),
        AdminAnswer::Wiped(wiped) => names(
            "wiped",
            wiped.iter().map(|(addr, count)| json!({ "nameserver": addr.as_str(), "topics": count })).collect(),
        ),
        AdminAnswer::Ordered { by, conf } => {
            json!({ "op": op, "done_by": texts(by), "order_conf": conf.as_str() })
        }
        AdminAnswer::GroupGone { by, topics } => json!({ "op": op, "done_by": texts(by), "topics": texts(topics) }),
        AdminAnswer::Value(value) => json!({ "op": op, "value": value.as_str() }),
        AdminAnswer::Messages(found) => names(
            "messages",
            found
                .iter()
                .map(|found| {
                    json!({
                        "topic": found.message.topic.as_str(),
                        "queue_id": found.queue_id,
                        "queue_offset": found.queue_offset.0,
                        "commit_log_offset": found.commit_log_offset.0,
                        "properties": properties(&found.message),
                    })
                })
                .collect(),
        ),
    }
}

fn return_fields(answer: &Return) -> Value {
    match answer {
        Return::Sent { op, result } => json!({
            "op": op.0,
            "status": result.status.as_str(),
            "msg_id": result.msg_id.as_str(),
            "offset_msg_id": result.offset_msg_id.as_str(),
            "broker": result.queue.broker.as_str(),
            "topic": result.queue.topic.as_str(),
            "queue_id": result.queue.queue_id,
            "queue_offset": result.queue_offset.0,
        }),
        Return::SentInTransaction { op, result, state } => json!({
            "op": op.0,
            "status": result.status.as_str(),
            "msg_id": result.msg_id.as_str(),
            "broker": result.queue.broker.as_str(),
            "topic": result.queue.topic.as_str(),
            "queue_id": result.queue.queue_id,
            "queue_offset": result.queue_offset.0,
            "state": state.as_str(),
        }),
        Return::Execute { task, op, group, message } => json!({
            "task": task.0,
            "op": op.0,
            "group": group.as_str(),
            "topic": message.topic.as_str(),
            "properties": properties(message),
        }),
        Return::Select { task, op, queues, message, .. } => select_fields(task.0, op.0, queues, message),
        Return::Check { task, group, message } => json!({
            "task": task.0,
            "group": group.as_str(),
            "queue_offset": message.queue_offset.0,
            "commit_log_offset": message.commit_log_offset.0,
            "topic": message.message.topic.as_str(),
            "properties": properties(&message.message),
        }),
        Return::Failed { op, error } => json!({
            "op": op.0,
            "error": error.kind.as_str(),
            "text": error.text.as_str(),
            "code": error.code,
            "attempts": error.attempts,
        }),
        Return::Done { op } => json!({ "op": op.0 }),
        Return::Administered { op, what } => administered_fields(op.0, what),
        Return::Told { op, group, what } => told_fields(op.0, group, what),
        Return::QueuesChanged { group, topic, all, mine } => json!({
            "group": group.as_str(),
            "topic": topic.as_str(),
            "all": short(all),
            "mine": short(mine),
        }),
        Return::Listen { task, group, queue, messages } => {
            let messages = handed(messages);
            json!({
                "task": task.0,
                "group": group.as_str(),
                "broker": queue.broker.as_str(),
                "topic": queue.topic.as_str(),
                "queue_id": queue.queue_id,
                "messages": messages,
            })
        }
    }
}

/// What a pull consumer told.
fn told_fields(op: u64, group: &str, what: &PullAnswer) -> Value {
    match what {
        PullAnswer::Queues(queues) => json!({ "op": op, "group": group, "queues": short(queues) }),
        PullAnswer::Offset(offset) => json!({ "op": op, "group": group, "offset": offset }),
        PullAnswer::Pulled(result) => json!({
            "op": op,
            "group": group,
            "status": result.status.as_str(),
            "next_begin_offset": result.next_begin_offset,
            "min_offset": result.min_offset,
            "max_offset": result.max_offset,
            "broker": result.queue.broker.as_str(),
            "topic": result.queue.topic.as_str(),
            "queue_id": result.queue.queue_id,
            "messages": handed(&result.messages),
        }),
    }
}

fn short(queues: &[MessageQueue]) -> Vec<String> {
    queues.iter().map(|queue| format!("{}/{}", queue.broker, queue.queue_id)).collect()
}

/// Messages as an application is handed them.
fn handed(messages: &[StoredMessage]) -> Vec<Value> {
    let each = messages.iter().map(|message| {
        let key = message.message.properties.get("UNIQ_KEY").map(|key| key.as_str());
        json!({ "queue_offset": message.queue_offset.0, "msg_id": key, "body": hex(&message.message.body) })
    });
    each.collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('?'));
        }
    }
    out
}
