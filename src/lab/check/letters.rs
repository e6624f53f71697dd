//! Letters as applications saw them: what they sent and what came back, what they were handed and what they answered.
//!
//! Messages stay where the trace keeps them.

use std::ops::Deref;
use std::sync::Arc;

use crate::lab::check::ids::{Id, Numbers};
use crate::lab::check::wording::is_of;
use crate::lab::trace::record::{NodeId, Record, Seq};
use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{AppError, Call, ConsumeOutcome, Return, SendResult};
use crate::mq::message::property::names;
use crate::mq::message::{Group, Message, MessageQueue, QueueOffset, StoredMessage};
use crate::mq::time::Time;

/// A send as its application saw it.
#[derive(Debug)]
pub struct SendSeen {
    /// The call.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// The message's number among all, from 1: `m1`.
    pub number: usize,
    /// The letter.
    pub message: Letter,
    /// Whether it was a half message: then a result does not mean that anybody is owed it.
    pub in_transaction: bool,
    /// Whether it asks for a delay.
    pub is_delayed: bool,
    /// What came back.
    pub outcome: Outcome,
    /// The number of the unique key that its result names.
    pub id: Option<Id>,
}

/// A letter of a call, where the trace keeps it.
#[derive(Clone, Debug)]
pub struct Letter(pub(super) Arc<Call>, pub(super) usize);

impl Deref for Letter {
    type Target = Message;
    fn deref(&self) -> &Message {
        &letters(&self.0)[self.1]
    }
}

/// The letters that a call sends.
pub(super) fn letters(call: &Call) -> &[Message] {
    match call {
        Call::Send { message, .. } | Call::SendBy { message, .. } | Call::SendInTransaction { message, .. } => {
            std::slice::from_ref(message)
        }
        Call::SendBatch { messages, .. } => messages,
        Call::CreateTopic { .. }
        | Call::Decided { .. }
        | Call::Selected { .. }
        | Call::Listened { .. }
        | Call::Pull { .. }
        | Call::Steer { .. }
        | Call::Admin { .. } => &[],
    }
}

/// What came back of a send.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A result.
    Sent(Seq, Time, SendResult),
    /// An exception.
    Failed(Seq, AppError),
    /// Nothing: the process died, or the run ended.
    Unknown,
}

impl Outcome {
    /// What each send of a call hears: of a batch's result, its own ids and place.
    pub(super) fn tell(self, sends: &mut [SendSeen], numbers: &mut Numbers) {
        if let [send] = sends {
            return send.hears(self, numbers);
        }
        for (at, send) in sends.iter_mut().enumerate() {
            let outcome = match &self {
                Outcome::Sent(seq, time, result) => {
                    let own = |ids: &str| ids.split(',').nth(at).unwrap_or_default().into();
                    let result = SendResult {
                        msg_id: own(&result.msg_id),
                        offset_msg_id: own(&result.offset_msg_id),
                        queue_offset: QueueOffset(result.queue_offset.0 + at as i64),
                        ..result.clone()
                    };
                    Outcome::Sent(*seq, *time, result)
                }
                other => other.clone(),
            };
            send.hears(outcome, numbers);
        }
    }
}

impl SendSeen {
    fn hears(&mut self, outcome: Outcome, numbers: &mut Numbers) {
        if let Outcome::Sent(_, _, result) = &outcome {
            self.id = Some(numbers.give(&result.msg_id, || result.msg_id.clone()));
        }
        self.outcome = outcome;
    }
}

/// A callback to a listener.
#[derive(Debug)]
pub struct Delivery {
    /// The callback.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Whose listener.
    pub node: NodeId,
    /// Of which of its processes.
    pub incarnation: u32,
    /// The group.
    pub group: Group,
    /// The queue.
    pub queue: MessageQueue,
    /// The number of the group's queue, of what listeners were handed.
    pub(super) lane: usize,
    /// The messages.
    pub messages: Handed,
    /// The same in short, once the whole trace is read.
    pub(super) brief: Briefs,
    /// The answer.
    pub answer: Option<ConsumeOutcome>,
    /// The record and the moment in which the listener was done with it: its answer, or its process's end.
    pub end: Option<(Seq, Time)>,
}

/// What most checkers ask of a message that was handed over: it lies beside the callback, the message somewhere in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Brief {
    /// The number of its unique key, if it has one.
    pub id: Option<Id>,
    /// Its place in its queue.
    pub offset: i64,
    /// Its broker's clock when it was stored, ms.
    pub stored: i64,
    /// Whether it says what the acknowledged call with its key said, letter by letter.
    pub is_as_sent: bool,
}

impl Brief {
    pub(super) fn of(message: &StoredMessage, id: Option<Id>, send: Option<&SendSeen>) -> Brief {
        let is_as_sent = send.is_some_and(|send| is_of(&message.message, &send.message));
        Brief { id, offset: message.queue_offset.0, stored: message.store_timestamp.0, is_as_sent }
    }
}

/// What checkers ask of the messages of a callback. Most callbacks have one: it lies in the callback itself.
#[derive(Debug)]
pub(super) enum Briefs {
    One([Brief; 1]),
    More(Box<[Brief]>),
}

impl Default for Briefs {
    fn default() -> Briefs {
        Briefs::More(Box::default())
    }
}

impl Deref for Briefs {
    type Target = [Brief];
    fn deref(&self) -> &[Brief] {
        match self {
            Briefs::One(one) => one,
            Briefs::More(more) => more,
        }
    }
}

impl FromIterator<Brief> for Briefs {
    fn from_iter<I: IntoIterator<Item = Brief>>(all: I) -> Briefs {
        let mut all = all.into_iter();
        match (all.next(), all.next()) {
            (Some(one), None) => Briefs::One([one]),
            (one, another) => Briefs::More(one.into_iter().chain(another).chain(all).collect()),
        }
    }
}

/// The messages of a callback or of a pull's answer, where the trace keeps them.
#[derive(Clone, Debug)]
pub struct Handed(Arc<Return>);

impl Deref for Handed {
    type Target = [StoredMessage];
    fn deref(&self) -> &[StoredMessage] {
        match &*self.0 {
            Return::Listen { messages, .. } => messages,
            Return::Told { what, .. } => match &**what {
                PullAnswer::Pulled(result) => &result.messages,
                PullAnswer::Queues(_) | PullAnswer::Offset(_) => &[],
            },
            _ => &[],
        }
    }
}

impl<'a> IntoIterator for &'a Handed {
    type Item = &'a StoredMessage;
    type IntoIter = std::slice::Iter<'a, StoredMessage>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Delivery {
    pub(super) fn of(record: &Record, node: NodeId, answer: &Arc<Return>) -> Option<Delivery> {
        let (group, queue) = handed_from(answer)?;
        let messages = Handed(answer.clone());
        let (seq, at, incarnation) = (record.seq, record.at, record.incarnation);
        let (group, queue) = (group.clone(), queue.clone());
        let (lane, brief, answer, end) = (0, Briefs::default(), None, None);
        Some(Delivery { seq, at, node, incarnation, group, queue, lane, messages, brief, answer, end })
    }

    /// Its messages, each with its number.
    pub fn numbered(&self) -> impl Iterator<Item = (Option<Id>, &StoredMessage)> {
        self.brief.iter().map(|brief| brief.id).zip(&self.messages)
    }

    /// The numbers of its messages, of those that have one.
    pub fn ids(&self) -> impl Iterator<Item = Id> {
        self.brief.iter().filter_map(|brief| brief.id)
    }

    /// How many of its messages are done, the first ones, by its listener's answer.
    pub fn done(&self) -> usize {
        self.answer.map_or(0, |answer| answer.done(self.brief.len()))
    }

    pub(super) fn answered(&mut self, record: &Record, outcome: ConsumeOutcome) {
        self.answer = Some(outcome);
        self.end.get_or_insert((record.seq, record.at));
    }
}

/// To whom messages were handed, and out of which queue, if they were.
fn handed_from(answer: &Return) -> Option<(&Group, &MessageQueue)> {
    match answer {
        Return::Listen { group, queue, .. } => Some((group, queue)),
        Return::Told { group, what, .. } => match &**what {
            PullAnswer::Pulled(result) => Some((group, &result.queue)),
            PullAnswer::Queues(_) | PullAnswer::Offset(_) => None,
        },
        _ => None,
    }
}

/// A message's key, or its number.
pub fn label(send: &SendSeen) -> String {
    match send.message.properties.get(names::KEYS) {
        Some(key) => format!("m{} {key}", send.number),
        None => format!("m{}", send.number),
    }
}

/// The unique key of a message as it was pulled.
pub fn uid(message: &Message) -> Option<&str> {
    message.properties.get(names::UNIQ_KEY).map(|key| key.as_str())
}
