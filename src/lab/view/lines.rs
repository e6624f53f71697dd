//! A run as sentences: one line for each event worth telling.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::lab::locale::{self, Lang, faults, sentences, words};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, Clock, DiskEvent, Fault, Machine, NodeId, Record, Road, Seq, What};
use crate::lab::view::operator;
use crate::mq::app::pull::{PullAnswer, PullCall};
use crate::mq::app::{Call, Choice, ConsumeOutcome, LocalOutcome, Return, SendTo};
use crate::mq::fact::Value;
use crate::mq::message::property::names;
use crate::mq::message::{Message, MessageQueue, StoredMessage};
use crate::mq::node::RefusedWhy;
use crate::mq::time::Time;

/// One event in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The step.
    pub step: u64,
    /// True time.
    pub at: Time,
    /// The record.
    pub seq: Seq,
    /// Who: a node's name, or `FAULT`.
    pub actor: String,
    /// Its kind.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
    /// Whether it is worth telling even in a short account.
    pub main: bool,
}

/// Which messages there are: `m1` is the first that any application sent.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Handles {
    /// Calls by node, incarnation and operation.
    calls: BTreeMap<(NodeId, u32, u64), usize>,
    /// By unique key, once a result named it.
    uids: BTreeMap<String, usize>,
    /// The messages, with the record of each call.
    pub messages: Vec<(Seq, Message)>,
}

/// Kinds that a short account tells.
const MAIN: &[&str] = &[
    "killed",
    "panicked",
    "power-lost",
    "boot-failed",
    "fault-begun",
    "disk-fault",
    "refused",
    "route-learned",
    "broker-registered",
    "broker-dropped",
    "attempt-failed",
    "request-refused",
    "start-threw",
    "filter-refused",
    "filtered-out",
    "tags-separated",
    "recovered",
    "appended",
    "flushed",
    "flush-failed",
    "transaction-ended",
    "half-checked",
    "half-discarded",
    "check-round-failed",
    "lock-expired",
    "queue-lock-lost",
    "sent-result",
    "failed",
    "listen",
    "pull-result",
    "info",
    "exited",
];

impl Handles {
    /// The messages of a run.
    pub fn of(trace: &Trace) -> Handles {
        let mut handles = Handles::default();
        for record in trace.records() {
            let Some(node) = record.node else { continue };
            match &record.what {
                What::App(App::Called(call)) => {
                    if let Call::SendBatch { op, messages, .. } = &**call {
                        handles.calls.insert((node, record.incarnation, op.0), handles.messages.len());
                        handles.messages.extend(messages.iter().map(|message| (record.seq, message.clone())));
                    }
                    if let Call::Send { op, message, .. }
                    | Call::SendBy { op, message, .. }
                    | Call::SendInTransaction { op, message, .. } = &**call
                    {
                        handles.calls.insert((node, record.incarnation, op.0), handles.messages.len());
                        handles.messages.push((record.seq, message.clone()));
                    }
                }
                What::App(App::Returned(answer)) => {
                    let (op, uid) = match &**answer {
                        Return::Sent { op, result } | Return::SentInTransaction { op, result, .. } => {
                            (op, Some(&result.msg_id))
                        }
                        Return::Execute { op, message, .. } => (op, message.properties.get(names::UNIQ_KEY)),
                        _ => continue,
                    };
                    if let (Some(number), Some(uid)) = (handles.calls.get(&(node, record.incarnation, op.0)), uid) {
                        let own = uid.split(',').enumerate();
                        handles.uids.extend(own.map(|(at, uid)| (uid.to_owned(), number + at)));
                    }
                }
                _ => {}
            }
        }
        handles
    }

    /// A message by `m1`, by its key or by its unique key: its place from 0.
    pub fn find(&self, text: &str) -> Option<usize> {
        let number = text.strip_prefix('m').and_then(|digits| digits.parse::<usize>().ok());
        if let Some(number) = number
            && (1..=self.messages.len()).contains(&number)
        {
            return Some(number - 1);
        }
        let keyed = |(_, message): &(Seq, Message)| message.properties.get(names::KEYS).is_some_and(|key| *key == text);
        self.messages.iter().position(keyed).or_else(|| self.uids.get(text).copied())
    }

    /// `m1 order-1`.
    pub fn name(&self, number: usize) -> String {
        let key = self.messages.get(number).and_then(|(_, message)| message.properties.get(names::KEYS));
        match key {
            Some(key) => format!("m{} {key}", number + 1),
            None => format!("m{}", number + 1),
        }
    }

    /// The place of a message as it was pulled.
    pub fn of_stored(&self, message: &StoredMessage) -> Option<usize> {
        let uid = message.message.properties.get(names::UNIQ_KEY)?;
        let key = message.message.properties.get(names::KEYS);
        self.uids.get(uid.as_str()).copied().or_else(|| key.and_then(|key| self.find(key)))
    }

    fn call(&self, record: &Record, op: u64) -> String {
        self.of_call(record, op).map_or_else(|| "?".to_owned(), |number| self.name(number))
    }

    /// The first message that an operation of a record's process sends.
    pub fn of_call(&self, record: &Record, op: u64) -> Option<usize> {
        record.node.and_then(|node| self.calls.get(&(node, record.incarnation, op))).copied()
    }

    /// The place of a message by its unique key, once a result named it.
    pub fn of_uid(&self, uid: &str) -> Option<usize> {
        self.uids.get(uid).copied()
    }
}

/// Every event of a run that has a sentence.
pub fn of(trace: &Trace, handles: &Handles, lang: Lang) -> Vec<Line> {
    trace.records().iter().filter_map(|record| line(trace, handles, record, lang)).collect()
}

/// The sentence of one record.
pub fn line(trace: &Trace, handles: &Handles, record: &Record, lang: Lang) -> Option<Line> {
    let kind = record.what.kind();
    let template = match &record.what {
        What::App(App::Returned(answer)) if is_no_send(handles, record, answer) => sentences::CALL_FAILED,
        _ => sentences::of(kind)?,
    };
    let template = template.text(lang);
    let text = locale::fill(template, |field, out| value((handles, lang), record, field, out));
    let actor = actor(trace, record);
    let main = MAIN.contains(&kind);
    Some(Line { step: record.step, at: record.at, seq: record.seq, actor, kind, text, main })
}

/// Whether an operation failed that sent nothing.
fn is_no_send(handles: &Handles, record: &Record, answer: &Return) -> bool {
    let Return::Failed { op, .. } = answer else { return false };
    handles.of_call(record, op.0).is_none()
}

/// What happened in one step, whole: the frame that came in, what has a sentence, and something even if nothing has.
pub fn of_step(trace: &Trace, handles: &Handles, step: u64, lang: Lang) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut last = String::new();
    for record in trace.step(step) {
        let text = match &record.what {
            What::Road(Road::Arrived { from, frame, .. }) => match lang {
                Lang::En => format!("gets {} from {}", frame.label, trace.name(*from)),
                Lang::Zh => format!("收到 {} 的 {}", trace.name(*from), frame.label),
            },
            _ => match line(trace, handles, record, lang) {
                Some(line) => line.text,
                None => continue,
            },
        };
        let actor = actor(trace, record);
        told.push(if actor == last { text } else { format!("{actor}: {text}") });
        last = actor;
    }
    if told.is_empty() {
        told.extend(trace.step(step).first().map(|record| match &record.what {
            What::Clock(Clock::Fired { timer }) => format!("{}: timer {:?}", actor(trace, record), timer.name),
            What::Disk(DiskEvent::Image { .. }) => {
                format!("{}: {}", actor(trace, record), words::IMAGE_KEPT.text(lang))
            }
            what => format!("{}: {}", actor(trace, record), what.kind()),
        }));
    }
    told.join("; ")
}

/// Whose record it is.
fn actor(trace: &Trace, record: &Record) -> String {
    record.node.map_or("FAULT", |node| trace.name(node).as_str()).to_owned()
}

/// Writes a field of a record; `false` if it has no such field.
fn value((handles, lang): (&Handles, Lang), record: &Record, field: &str, out: &mut dyn Write) -> bool {
    let mut put = |value: &dyn fmt::Display| write!(out, "{value}").is_ok();
    match (&record.what, field) {
        (What::Fact(fact), _) => {
            let mut done = false;
            fact.each_field(|name, value| {
                if name == field && !done {
                    done = match value {
                        Value::Int(number) => put(&number),
                        Value::Text(text) if matches!(field, "why" | "role" | "state") => {
                            put(&words::reason(text, lang))
                        }
                        Value::Text(text) => put(&text),
                    };
                }
            });
            done
        }
        (What::Machine(Machine::PowerLost { lost, .. }), "lost") => put(lost),
        (What::Machine(Machine::PowerLost { kept, .. }), "kept") => put(kept),
        (What::Machine(Machine::BootFailed { why } | Machine::Panicked { why }), "why") => put(why),
        (What::Machine(Machine::WallStepped { millis }), "millis") => put(millis),
        (What::Machine(Machine::ClockBent { rate }), "rate") => put(rate),
        (What::Machine(Machine::ServicePaused { service } | Machine::ServiceResumed { service }), "service") => {
            put(&words::reason(service, lang))
        }
        (What::Machine(Machine::DiskReplaced { how }), "how") => put(&words::reason(how, lang)),
        (What::Road(Road::Refused { why, .. }), "why") => put(&match why {
            RefusedWhy::Refused => words::reason("refused", lang),
            RefusedWhy::TimedOut => words::reason("timed out", lang),
        }),
        (What::Disk(DiskEvent::Wrong { what, .. }), "what") => put(&words::reason(what, lang)),
        (What::Disk(DiskEvent::Wrong { file, .. }), "file") => put(file),
        (What::Disk(DiskEvent::Wrong { at, .. }), "at") => put(at),
        (What::Fault(Fault::Begun { what, .. }), "what") => put(&faults::fault(what, lang)),
        (What::Fault(Fault::Begun { name, .. } | Fault::Ended { name }), "name") => put(name),
        (What::App(App::Noted { key, .. }), "key") => put(key),
        (What::App(App::Noted { value, .. }), "value") => put(&words::reason(value, lang)),
        (What::App(App::Called(call)), _) => called((handles, lang), record, call, field, &mut put),
        (What::App(App::Returned(answer)), _) => returned(handles, record, answer, field, &mut put),
        _ => false,
    }
}

fn called(
    (handles, lang): (&Handles, Lang),
    record: &Record,
    call: &Call,
    field: &str,
    put: &mut dyn FnMut(&dyn fmt::Display) -> bool,
) -> bool {
    match (call, field) {
        (Call::Decided { outcome, .. }, "outcome") => put(&match outcome {
            LocalOutcome::State(state) => state.as_str(),
            LocalOutcome::Null => "null",
            LocalOutcome::Threw(text) => text.as_str(),
        }),
        (Call::Selected { choice, .. }, "queue") => match choice {
            Choice::Queue(queue) => put(&format!("{}/{}", queue.broker, queue.queue_id)),
            Choice::Null => put(&"null"),
            Choice::Threw => put(&words::reason("threw", lang)),
        },
        (Call::SendBy { by, .. }, "mode") => put(&by.mode.as_str()),
        (Call::SendBy { by, .. }, "to") => match &by.to {
            SendTo::Any => put(&""),
            SendTo::Queue(queue) => put(&format!(" -> {}/{}", queue.broker, queue.queue_id)),
            SendTo::Selected(selector) => {
                let (name, argument) = selector.words();
                put(&format!(" -> {name}{}", argument.map(|text| format!(":{text}")).unwrap_or_default()))
            }
        },
        (Call::Admin { what, .. }, "what") => put(&what.command()),
        (Call::Pull { what, .. }, "what") => put(&asked(what)),
        (Call::Steer { what, .. }, "what") => put(what),
        (Call::SendBatch { messages, .. }, "count") => put(&messages.len()),
        (
            Call::Send { op, .. }
            | Call::SendBy { op, .. }
            | Call::SendBatch { op, .. }
            | Call::SendInTransaction { op, .. },
            "message",
        ) => put(&handles.call(record, op.0)),
        (Call::Listened { outcome, .. }, "outcome") => put(&match outcome {
            ConsumeOutcome::Success { .. } => "CONSUME_SUCCESS",
            ConsumeOutcome::Later | ConsumeOutcome::LaterAt { .. } => "RECONSUME_LATER",
            ConsumeOutcome::Threw => words::reason("threw", lang),
            ConsumeOutcome::Null => "null",
            ConsumeOutcome::Ordered(answer) => answer.status.as_str(),
        }),
        _ => false,
    }
}

fn returned(
    handles: &Handles,
    record: &Record,
    answer: &Return,
    field: &str,
    put: &mut dyn FnMut(&dyn fmt::Display) -> bool,
) -> bool {
    match (answer, field) {
        (
            Return::Sent { op, .. }
            | Return::SentInTransaction { op, .. }
            | Return::Execute { op, .. }
            | Return::Select { op, .. }
            | Return::Failed { op, .. },
            "message",
        ) => put(&handles.call(record, op.0)),
        (Return::Sent { result, .. } | Return::SentInTransaction { result, .. }, "status") => put(&result.status),
        (Return::Sent { result, .. }, "queue") => put(&format!("{}/{}", result.queue.topic, result.queue.queue_id)),
        (Return::Sent { result, .. } | Return::SentInTransaction { result, .. }, "offset") => {
            put(&result.queue_offset.0)
        }
        (Return::SentInTransaction { state, .. }, "state") => put(&state.as_str()),
        (Return::Administered { what, .. }, "what") => put(&operator::short(what)),
        (Return::Told { what, .. }, "what") => put(&told(handles, what)),
        (Return::QueuesChanged { topic, .. }, "topic") => put(topic),
        (Return::QueuesChanged { mine, .. }, "mine") => put(&short(mine)),
        (Return::Check { message, .. }, "message") => put(&match handles.of_stored(message) {
            Some(number) => handles.name(number),
            None => format!("#{}", message.queue_offset.0),
        }),
        (Return::Failed { error, .. }, "attempts") => put(&error.attempts),
        (Return::Failed { error, .. }, "kind") => put(&error.kind.as_str()),
        (Return::Failed { error, .. }, "text") => put(&error.text),
        (Return::Listen { messages, .. }, "messages") => put(&names_of(handles, messages)),
        _ => false,
    }
}

/// Messages by their names, or by their places.
fn names_of(handles: &Handles, messages: &[StoredMessage]) -> String {
    let each = messages.iter().map(|message| match handles.of_stored(message) {
        Some(number) => handles.name(number),
        None => format!("#{}", message.queue_offset.0),
    });
    each.collect::<Vec<String>>().join(", ")
}

/// `maxOffset(broker-a/0)`, `pull(broker-a/0, 3)`.
fn asked(what: &PullCall) -> String {
    let about = match what {
        PullCall::Queues(topic) | PullCall::InBalance(topic) => Some(topic.to_string()),
        PullCall::SendBack(back) => Some(format!("#{}", back.message.queue_offset.0)),
        what => what.queue().map(|queue| format!("{}/{}", queue.broker, queue.queue_id)),
    };
    let words: Vec<String> = about.into_iter().chain(what.number().map(|number| number.to_string())).collect();
    format!("{}({})", what.method(), words.join(", "))
}

/// `FOUND m1 order-1, goes on at 1`.
fn told(handles: &Handles, what: &PullAnswer) -> String {
    match what {
        PullAnswer::Queues(queues) => short(queues),
        PullAnswer::Offset(offset) => offset.to_string(),
        PullAnswer::Pulled(result) => {
            let names = names_of(handles, &result.messages);
            let gap = if names.is_empty() { "" } else { " " };
            format!("{}{gap}{names} -> {}", result.status.as_str(), result.next_begin_offset)
        }
    }
}

fn short(queues: &[MessageQueue]) -> String {
    let each = queues.iter().map(|queue| format!("{}/{}", queue.broker, queue.queue_id));
    each.collect::<Vec<String>>().join(", ")
}
