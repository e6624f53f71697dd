//! What the applications print: their own standard output, as the Java programs write it.
//!
//! Producers print the result of a send (`System.out.printf("%s%n", sendResult)`) or the first line of a stack trace,
//! callbacks print either behind a word, push consumers print the bodies and then the list of messages, ordered consumers the
//! queue and the body, transaction listeners what they answer to a broker's question, operators what their tool finds. Pull
//! loops print each queue when its turn comes and each `PullResult`, pulls on a timetable each offset, queue and `PullResult`, as
//! the release's own examples do.
//! Differs: no thread's name stands before a line, since the laboratory has no threads.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::locale::{Lang, words};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, NodeId, Record, What};
use crate::lab::view::operator;
use crate::mq::app::pull::{PullAnswer, PullCall, PullWanted};
use crate::mq::app::{
    AdminCall, AppError, Call, ConsumeOutcome, ErrorKind, LocalOutcome, Return, SendMode, SendResult,
};
use crate::mq::message::property::names;
use crate::mq::message::{Group, MessageQueue, StoredMessage, id, text};
use crate::mq::time::Time;

/// One printed line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Print {
    /// True time.
    pub at: Time,
    /// The client process.
    pub node: String,
    /// The line, without what ends it.
    pub text: String,
}

/// One boot of a process.
type Process = (NodeId, u32);

/// What the lines of a process depend on besides the record that prints them.
#[derive(Default)]
struct Heard {
    /// Operations with a callback.
    asynchronous: BTreeSet<(Process, u64)>,
    /// Operations that create a topic.
    creating: BTreeSet<(Process, u64)>,
    /// What operators called.
    calls: BTreeMap<(Process, u64), AdminCall>,
    /// Groups with an ordered listener.
    ordered: BTreeSet<(NodeId, Group)>,
    /// From which queue each pull loop pulls.
    turns: BTreeMap<(Process, Group), MessageQueue>,
    /// Groups whose queues are pulled on a timetable.
    scheduled: BTreeSet<(NodeId, Group)>,
    /// From where each of their pulls goes.
    from: BTreeMap<(Process, u64), i64>,
    /// Transactions that a broker asks about, by callback.
    asked: BTreeMap<(Process, u64), String>,
}

/// Everything that the applications of a run printed, in order.
pub fn of(trace: &Trace, lang: Lang) -> Vec<Print> {
    let mut heard = Heard { ordered: ordered(trace), ..Heard::default() };
    let mut prints = Vec::new();
    for record in trace.records() {
        let (Some(node), What::App(app)) = (record.node, &record.what) else { continue };
        let printed = match app {
            App::Called(call) => heard.call((node, record.incarnation), call, lang),
            App::Returned(answer) => heard.answer((node, record.incarnation), answer, lang),
            App::Info { .. } | App::Noted { .. } => Vec::new(),
        };
        let print = |text| Print { at: record.at, node: trace.name(node).to_string(), text };
        prints.extend(printed.into_iter().map(print));
    }
    prints
}

/// The groups whose listeners answered as ordered ones do.
fn ordered(trace: &Trace) -> BTreeSet<(NodeId, Group)> {
    let mut groups: BTreeMap<(Process, u64), Group> = BTreeMap::new();
    let mut ordered = BTreeSet::new();
    for Record { node, incarnation, what, .. } in trace.records() {
        let Some(node) = *node else { continue };
        match what {
            What::App(App::Returned(answer)) => {
                if let Return::Listen { task, group, .. } = &**answer {
                    groups.insert(((node, *incarnation), task.0), group.clone());
                }
            }
            What::App(App::Called(call)) => {
                if let Call::Listened { task, outcome: ConsumeOutcome::Ordered(_) } = &**call
                    && let Some(group) = groups.get(&((node, *incarnation), task.0))
                {
                    ordered.insert((node, group.clone()));
                }
            }
            _ => {}
        }
    }
    ordered
}

impl Heard {
    fn call(&mut self, process: Process, call: &Call, lang: Lang) -> Vec<String> {
        match call {
            Call::SendBy { op, by, .. } if by.mode == SendMode::Async => {
                self.asynchronous.insert((process, op.0));
            }
            Call::CreateTopic { op, .. } => {
                self.creating.insert((process, op.0));
            }
            Call::Admin { op, what } => {
                self.calls.insert((process, op.0), what.clone());
            }
            Call::Pull { op, group, what } => match &**what {
                PullCall::FetchOffset { from_store: false, .. } => {
                    self.scheduled.insert((process.0, group.clone()));
                }
                PullCall::Pull(PullWanted { offset, .. }) if self.scheduled.contains(&(process.0, group.clone())) => {
                    self.from.insert((process, op.0), *offset);
                }
                PullCall::Queues(_) => drop(self.turns.remove(&(process, group.clone()))),
                PullCall::Pull(PullWanted { queue, .. }) => {
                    let before = self.turns.insert((process, group.clone()), queue.clone());
                    if before.as_ref() != Some(queue) {
                        return vec![format!("{}{queue}", words::PRINTS_QUEUE.text(lang))];
                    }
                }
                _ => {}
            },
            Call::Decided { task, outcome } => {
                let Some(id) = self.asked.remove(&(process, task.0)) else { return Vec::new() };
                let state = match outcome {
                    LocalOutcome::State(state) => state.as_str(),
                    LocalOutcome::Null => "null",
                    LocalOutcome::Threw(text) => text.as_str(),
                };
                return vec![format!("{} ---> {id} {state}", words::PRINTS_CHECKED.text(lang))];
            }
            _ => {}
        }
        Vec::new()
    }

    fn answer(&mut self, process: Process, answer: &Return, lang: Lang) -> Vec<String> {
        match answer {
            Return::Sent { op, result } => match self.asynchronous.contains(&(process, op.0)) {
                true => vec![format!("{}{result}", words::PRINTS_SENT.text(lang))],
                false => vec![result.to_string()],
            },
            Return::SentInTransaction { result, .. } => vec![without_offset_id(result)],
            Return::Failed { op, error } => match self.asynchronous.contains(&(process, op.0)) {
                true => vec![format!("{}{}", words::PRINTS_NOT_SENT.text(lang), thrown(error))],
                false => vec![thrown(error)],
            },
            Return::Done { op } if self.creating.contains(&(process, op.0)) => {
                vec![words::PRINTS_CREATED.text(lang).to_owned()]
            }
            Return::Listen { group, messages, .. } if self.ordered.contains(&(process.0, group.clone())) => {
                messages.iter().map(|stored| format!("{} {}", stored.queue_id, body(stored))).collect()
            }
            Return::Listen { messages, .. } => received(messages, lang),
            Return::Check { task, message, .. } => {
                let id = message.message.properties.get(names::UNIQ_KEY);
                let id = id.map_or("null".to_owned(), ToString::to_string);
                self.asked.insert((process, task.0), id);
                Vec::new()
            }
            Return::Administered { op, what } => {
                let call = self.calls.get(&(process, op.0));
                call.map(|call| operator::printed(call, what)).unwrap_or_default()
            }
            Return::Told { op, what, .. } => match &**what {
                PullAnswer::Pulled(result) => vec![match self.from.remove(&(process, op.0)) {
                    Some(offset) => format!("{offset}\t{}\t{result}", result.queue),
                    None => result.to_string(),
                }],
                PullAnswer::Queues(_) | PullAnswer::Offset(_) => Vec::new(),
            },
            Return::Done { .. } | Return::Execute { .. } | Return::Select { .. } | Return::QueuesChanged { .. } => {
                Vec::new()
            }
        }
    }
}

/// A half message's result; upstream never sets its offset id. Source: `DefaultMQProducerImpl.sendMessageInTransaction`.
fn without_offset_id(result: &SendResult) -> String {
    let ids = (Some(result.msg_id.as_str()), None);
    crate::mq::app::send_result_text(result.status, ids, &result.queue, result.queue_offset)
}

/// The bodies, one a line, and the list.
fn received(messages: &[StoredMessage], lang: Lang) -> Vec<String> {
    let mut lines: Vec<String> =
        messages.iter().map(|stored| format!("{}{}", words::PRINTS_BODY.text(lang), body(stored))).collect();
    let list: Vec<String> = messages.iter().map(message_ext).collect();
    lines.push(format!("{}[{}]", words::PRINTS_RECEIVED.text(lang), list.join(", ")));
    lines
}

/// `new String(msg.getBody(), "UTF-8")`.
fn body(stored: &StoredMessage) -> String {
    String::from_utf8_lossy(&stored.message.body).into_owned()
}

/// A message as a consumer prints it, under its offset id. Source: `MessageExt.toString` of a `MessageClientExt`.
pub fn message_ext(stored: &StoredMessage) -> String {
    let message = &stored.message;
    let content = Some(&*message.body).filter(|body| !body.is_empty());
    let inside = text::message(&message.topic, message.flag, Some(&message.properties), content, None);
    text::stored(stored, &id::offset_msg_id(stored.store_host, stored.commit_log_offset), &inside)
}

/// `Throwable.toString`: the class with its package, and the message.
pub fn thrown(error: &AppError) -> String {
    let package = match error.kind {
        ErrorKind::Client | ErrorKind::Broker => "org.apache.rocketmq.client.exception",
        ErrorKind::Connect | ErrorKind::SendRequest | ErrorKind::Timeout | ErrorKind::TooMuchRequest => {
            "org.apache.rocketmq.remoting.exception"
        }
        ErrorKind::Runtime => "java.lang",
    };
    format!("{package}.{}: {}", error.kind.as_str(), error.text)
}
