//! The applications of one client process: senders that send one at a time, listeners that answer by rule.
//!
//! They live and die with their process: one that boots again begins anew, since what it had sent it knew from memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lab::workload::decide::{Deciders, Running};
use crate::lab::workload::ops::{
    Decider, ListenRule, Listener, Operator, PlannedSend, Puller, Reply, Sender, Steered, Way,
};
use crate::lab::workload::pulls::Pulls;
use crate::mq::app::{
    Call, Choice, ConsumeOutcome, OpId, Ordered, OrderlyStatus, Return, SendBy, SendMode, SendTo, TaskId,
};
use crate::mq::message::property::names;
use crate::mq::message::{Group, Message, Name, StoredMessage};
use crate::mq::time::{Span, Time};

/// What an application does.
#[derive(Clone, PartialEq, Debug)]
pub enum AppAction {
    /// It calls, or answers a callback.
    Call(Box<Call>),
    /// It wants to be woken.
    Wake {
        /// When, in true time.
        at: Time,
        /// Given back then.
        token: u64,
    },
    /// It writes into the ledger of its machine.
    Note {
        /// Under which key.
        key: Name,
        /// What.
        value: Name,
    },
    /// It takes its process down.
    Crash,
}

/// All applications of one process.
#[derive(Clone, Debug)]
pub struct Apps {
    senders: Vec<Sending>,
    listeners: Vec<Listener>,
    deciders: Deciders,
    /// How often each group was handed a key.
    deliveries: BTreeMap<(Group, Name), usize>,
    /// Answers that are being thought about, by token.
    thinking: BTreeMap<u64, Thought>,
    next_token: u64,
    /// What is called at a moment known from the start, by token.
    calls: BTreeMap<u64, (Span, Call)>,
    pullers: Vec<Pulls>,
}

/// What an application does when it has thought.
#[derive(Clone, Debug)]
enum Thought {
    Listened(TaskId, Reply),
    Executed(Running),
}

#[derive(Clone, Debug)]
struct Sending {
    /// Shared with the setup and with the process's lives before: what is sent changes only where a ledger is read.
    sender: Arc<Sender>,
    /// Numbers its operations: the sender's place in the plan, shifted.
    base: u64,
    started: Time,
    next: usize,
}

impl Apps {
    /// The applications of a process: its senders with their places in the plan, and its listeners.
    pub fn new(senders: Vec<(usize, Arc<Sender>)>, listeners: Vec<Listener>, deciders: Vec<Decider>) -> Apps {
        let sending =
            |(place, sender)| Sending { sender, base: (place as u64) << OPS_BITS, started: Time::ZERO, next: 0 };
        let senders: Vec<Sending> = senders.into_iter().map(sending).collect();
        let next_token = senders.len() as u64;
        let (deliveries, thinking) = Default::default();
        let (calls, pullers) = Default::default();
        let deciders = Deciders::new(deciders);
        Apps { senders, listeners, deciders, deliveries, thinking, next_token, calls, pullers }
    }

    /// Pull loops are here as well, with their places behind all operators of the plan.
    pub fn with_pullers(mut self, pullers: Vec<(usize, Puller)>) -> Apps {
        for (place, puller) in pullers {
            self.pullers.push(Pulls::new(puller, (place as u64) << OPS_BITS, self.next_token));
            self.next_token += 1;
        }
        self
    }

    /// Operators are here as well, with their places behind all senders of the plan.
    pub fn with_operators(mut self, operators: Vec<(usize, Operator)>) -> Apps {
        for (place, operator) in operators {
            for (number, (due, call)) in operator.calls.into_iter().enumerate() {
                let op = OpId((place as u64) << OPS_BITS | number as u64);
                self.calls.insert(self.next_token, (due, Call::Admin { op, what: call }));
                self.next_token += 1;
            }
        }
        self
    }

    /// Whoever steers a push consumer is here as well, with its place behind all pull loops of the plan.
    pub fn with_steered(mut self, steered: Vec<(usize, Steered)>) -> Apps {
        for (place, Steered { group, calls, .. }) in steered {
            for (number, (due, what)) in calls.into_iter().enumerate() {
                let op = OpId((place as u64) << OPS_BITS | number as u64);
                self.calls.insert(self.next_token, (due, Call::Steer { op, group: group.clone(), what }));
                self.next_token += 1;
            }
        }
        self
    }

    /// What earlier processes wrote into the machine's ledger: a transaction that is booked is not begun again.
    pub fn recall(&mut self, ledger: &BTreeMap<Name, Name>) {
        self.deciders.recall(ledger);
        self.pullers.iter_mut().for_each(|puller| puller.recall(ledger));
        for Sending { sender, .. } in self.senders.iter_mut().filter(|sending| sending.sender.way == Way::Transaction) {
            Arc::make_mut(sender).sends.retain(|send| !self.deciders.is_booked(&send.message));
        }
    }

    /// The process has booted.
    pub fn boot(&mut self, now: Time, out: &mut Vec<AppAction>) {
        for (token, sending) in self.senders.iter_mut().enumerate() {
            sending.started = now + sending.sender.start;
            if let Some(first) = sending.sender.sends.first() {
                out.push(AppAction::Wake { at: sending.started + first.due, token: token as u64 });
            }
        }
        out.extend(self.calls.iter().map(|(token, (due, ..))| AppAction::Wake { at: now + *due, token: *token }));
        out.extend(self.pullers.iter().filter_map(|puller| puller.boot(now)));
    }

    /// The process returned, or calls back. `draw(n)` gives a number below `n`.
    pub fn on_return(
        &mut self,
        now: Time,
        answer: &Return,
        draw: &mut dyn FnMut(u64) -> u64,
        out: &mut Vec<AppAction>,
    ) {
        let mut work = |least, most| takes(least, most, draw);
        if self.pullers.iter_mut().any(|puller| puller.takes(now, (answer, OPS_MASK), &mut work, out)) {
            return;
        }
        match answer {
            Return::Sent { op, .. } | Return::SentInTransaction { op, .. } | Return::Failed { op, .. } => {
                self.go_on(now, *op, false, out);
            }
            // A scenario has no selector of its own to be asked.
            Return::Select { task, .. } => {
                let call = Call::Selected { task: *task, choice: Choice::Null };
                out.push(AppAction::Call(Box::new(call)));
            }
            Return::Execute { task, group, message, .. } => {
                let (running, least, most) = self.deciders.execute(*task, group, message);
                match takes(least, most, draw) {
                    Span::ZERO => self.deciders.end(running, out),
                    takes => out.push(self.think(now + takes, Thought::Executed(running))),
                }
            }
            Return::Check { task, group, message } => self.deciders.check(*task, group, &message.message, out),
            Return::Listen { task, group, messages, .. } => {
                out.extend(self.listen(now, *task, (group, messages), draw))
            }
            Return::Done { op } => self.go_on(now, *op, true, out),
            Return::Administered { .. } | Return::Told { .. } | Return::QueuesChanged { .. } => {}
        }
    }

    /// A moment asked for has come.
    pub fn on_wake(&mut self, now: Time, token: u64, out: &mut Vec<AppAction>) {
        match self.thinking.remove(&token) {
            Some(Thought::Listened(task, reply)) => return out.extend(action_of(task, reply)),
            Some(Thought::Executed(running)) => return self.deciders.end(running, out),
            None => {}
        }
        if let Some((_, call)) = self.calls.remove(&token) {
            return out.push(AppAction::Call(Box::new(call)));
        }
        if let Some(puller) = self.pullers.iter_mut().find(|puller| puller.token() == token) {
            return puller.wake(now, out);
        }
        if let Some(sending) = self.senders.get_mut(token as usize) {
            let at = now.max(sending.started);
            sending.send_next(at, token, out);
        }
    }

    /// A send returned, with a result or without: the next goes out when its time has come. Who has callbacks does not wait.
    fn go_on(&mut self, now: Time, op: OpId, is_done: bool, out: &mut Vec<AppAction>) {
        let found = self.senders.iter_mut().enumerate().find(|(_, sending)| sending.base == op.0 & !OPS_MASK);
        let Some((token, sending)) = found else { return };
        let way = sending.sender.way;
        let ends_so = matches!(way, Way::Oneway | Way::CreateTopic { .. });
        if way == Way::Async || (is_done && !ends_so) {
            return;
        }
        let Some(next) = sending.sender.sends.get(sending.next) else { return };
        let due = sending.started + next.due;
        if due <= now {
            sending.send_next(now, token as u64, out);
        } else {
            out.push(AppAction::Wake { at: due, token: token as u64 });
        }
    }

    /// A listener is called: the first rule that matches its first message answers for the batch.
    fn listen(
        &mut self,
        now: Time,
        task: TaskId,
        (group, messages): (&Group, &[StoredMessage]),
        draw: &mut dyn FnMut(u64) -> u64,
    ) -> Option<AppAction> {
        let is_ordered = self.listeners.iter().any(|listener| listener.group == *group && listener.is_ordered);
        let done = if is_ordered { Reply::Ordered(Ordered::new(OrderlyStatus::Success)) } else { Reply::Ok };
        let own = || self.listeners.iter().filter(|listener| listener.group == *group);
        let has_rules = own().any(|listener| !listener.rules.is_empty());
        let Some(first) = messages.first().filter(|_| has_rules) else { return action_of(task, done) };
        let key = first.message.properties.get(names::KEYS).cloned().unwrap_or_default();
        let delivery = self.deliveries.entry((group.clone(), key.clone())).or_insert(0);
        let nth = *delivery;
        *delivery += 1;
        let mut rules =
            self.listeners.iter().filter(|listener| listener.group == *group).flat_map(|listener| &listener.rules);
        let matches = |rule: &&ListenRule| {
            rule.key.as_ref().is_none_or(|wanted| *wanted == key)
                && rule.topic.as_ref().is_none_or(|wanted| *wanted == first.message.topic)
        };
        let Some(rule) = rules.find(matches) else { return action_of(task, done) };
        let reply = rule.replies.get(nth.min(rule.replies.len().saturating_sub(1))).copied().unwrap_or(done);
        match takes(rule.takes_min, rule.takes_max, draw) {
            Span::ZERO => action_of(task, reply),
            takes => Some(self.think(now + takes, Thought::Listened(task, reply))),
        }
    }

    /// Thinks until a moment.
    fn think(&mut self, at: Time, thought: Thought) -> AppAction {
        let token = self.next_token;
        self.next_token += 1;
        self.thinking.insert(token, thought);
        AppAction::Wake { at, token }
    }
}

/// How long something takes, drawn between the two.
fn takes(least: Span, most: Span, draw: &mut dyn FnMut(u64) -> u64) -> Span {
    let spread = (most - least).0;
    least + Span(if spread == 0 { 0 } else { draw(spread + 1) })
}

impl Sending {
    /// Sends the next message; with callbacks the one behind it is awaited at once.
    fn send_next(&mut self, now: Time, token: u64, out: &mut Vec<AppAction>) {
        let Some(PlannedSend { message, timeout, .. }) = self.sender.sends.get(self.next).cloned() else { return };
        let op = OpId(self.base | self.next as u64);
        self.next += 1;
        let group = self.sender.group.clone();
        if 1 < self.sender.batch {
            let rest = self.sender.sends.iter().skip(self.next).take(self.sender.batch - 1);
            let messages: Vec<Message> =
                std::iter::once(message).chain(rest.map(|send| send.message.clone())).collect();
            self.next += messages.len() - 1;
            return out.push(AppAction::Call(Box::new(Call::SendBatch { op, group, messages, timeout })));
        }
        let to = self.sender.select.of(&message);
        let is_plain = to == SendTo::Any;
        let by = |mode| SendBy { mode, to };
        out.push(AppAction::Call(Box::new(match self.sender.way {
            Way::Sync if is_plain => Call::Send { op, group, message, timeout },
            Way::Sync => Call::SendBy { op, group, message, timeout, by: by(SendMode::Sync) },
            Way::Async => Call::SendBy { op, group, message, timeout, by: by(SendMode::Async) },
            Way::Oneway => Call::SendBy { op, group, message, timeout, by: by(SendMode::Oneway) },
            Way::CreateTopic { queues } => {
                let key = message.properties.get(names::KEYS).cloned().unwrap_or_default();
                Call::CreateTopic { op, group, key, topic: message.topic, queues }
            }
            Way::Transaction => Call::SendInTransaction { op, group, message },
        })));
        if let (Way::Async, Some(next)) = (self.sender.way, self.sender.sends.get(self.next)) {
            out.push(AppAction::Wake { at: now.max(self.started + next.due), token });
        }
    }
}

/// What a reply does; a timeout does nothing.
fn action_of(task: TaskId, reply: Reply) -> Option<AppAction> {
    let outcome = match reply {
        Reply::Ok => ConsumeOutcome::Success { ack_index: i32::MAX },
        Reply::OkTo(ack_index) => ConsumeOutcome::Success { ack_index },
        Reply::Fail => ConsumeOutcome::Later,
        Reply::FailAt(delay_level) => ConsumeOutcome::LaterAt { delay_level },
        Reply::Throw => ConsumeOutcome::Threw,
        Reply::Null => ConsumeOutcome::Null,
        Reply::Ordered(answer) => ConsumeOutcome::Ordered(answer),
        Reply::Timeout => return None,
        Reply::Crash => return Some(AppAction::Crash),
    };
    Some(AppAction::Call(Box::new(Call::Listened { task, outcome })))
}

/// Bits of an operation's number that count within its sender.
const OPS_BITS: u32 = 32;
const OPS_MASK: u64 = (1 << OPS_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::workload::ops::Select;
    use crate::mq::message::property::Properties;
    use bytes::Bytes;

    fn send(due: u64) -> PlannedSend {
        let body = Bytes::from_static(b"x");
        let message = Message { topic: "T".into(), flag: 0, properties: Properties::new(), body };
        PlannedSend { due: Span::from_millis(due), message, timeout: None }
    }

    #[test]
    fn a_sender_waits_for_its_answer_and_for_its_time() {
        let sender = Sender {
            node: "shop".into(),
            group: "g".into(),
            way: Way::Sync,
            select: Select::RoundRobin,
            batch: 1,
            start: Span::ZERO,
            sends: vec![send(0), send(10)],
        };
        let mut apps = Apps::new(vec![(3, sender.into())], Vec::new(), Vec::new());
        let mut out = Vec::new();
        apps.boot(Time::ZERO, &mut out);
        assert_eq!(out, [AppAction::Wake { at: Time::ZERO, token: 0 }]);
        out.clear();
        apps.on_wake(Time::ZERO, 0, &mut out);
        let AppAction::Call(call) = &out[0] else { panic!("it sends") };
        let Call::Send { op, .. } = **call else { panic!("it sends") };
        assert_eq!(op, OpId(3 << 32));
        out.clear();
        apps.on_return(Time(5), &Return::Done { op }, &mut |_| 0, &mut out);
        assert!(out.is_empty());
        apps.go_on(Time(5), op, false, &mut out);
        assert_eq!(out, [AppAction::Wake { at: Time(10_000_000), token: 0 }]);
    }
}
