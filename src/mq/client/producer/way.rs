//! Other ways of sending than to wait for one result: with a callback, one-way, to a queue that the application names or a
//! selector chooses, many at once.
//!
//! With a callback the first attempt is like any other; only a request that got no answer is tried again, at the normal port,
//! unchanged but for its number, and with no time of its own: `onExceptionImpl` is given a timeout of 0, and
//! `NettyRemotingAbstract.scanResponseTable` gives such a request up a second or two later. Hence `wait response timeout 0ms`.
//! A process that shuts down forgets what has not been answered: those callbacks are never called.
//!
//! Source: `DefaultMQProducerImpl.send(msg, callback)`, `send(msg, mq)`, `sendOneway`, `MQClientAPIImpl.sendMessageAsync`,
//! `onExceptionImpl`. Differs: the executor in which a send with a callback begins has always a free thread.

use bytes::Bytes;

use crate::mq::app::{self, OpId, Return, Selector, SendBy, SendMode, SendTo, TaskId};
use crate::mq::client::config::RETRY_GROUP_TOPIC_PREFIX;
use crate::mq::client::exception::Exception;
use crate::mq::client::producer::Op;
use crate::mq::client::producer::send::{Caller, Send, Started, send_result};
use crate::mq::client::remoting::{Mode, Request, Target, broker_exception};
use crate::mq::client::validators::check_message;
use crate::mq::client::{Client, Fiber, Waiter};
use crate::mq::fact::Fact;
use crate::mq::message::java::{self, parse_int};
use crate::mq::message::property::{Properties, names};
use crate::mq::message::{Message, MessageQueue, Name, batch};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Choice, Step, Stream};
use crate::mq::time::Span;
use crate::mq::wire::code::request;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, SendHeader};

/// The message that stands for a batch, still without a body; `None` if these messages cannot be one.
fn batch_of(messages: &[Message], max_message_size: usize) -> Option<Message> {
    let first = messages.first()?;
    let waits =
        |message: &Message| message.properties.get(names::WAIT).is_none_or(|wait| wait.eq_ignore_ascii_case("true"));
    let is_legal = |message: &Message| {
        let level = message.properties.get(names::DELAY).map_or(Some(0), |level| parse_int(level));
        level.is_some_and(|level| level <= 0)
            && !message.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX)
            && message.topic == first.topic
            && waits(message) == waits(first)
            && check_message(&message.topic, Some(message.body.len()), max_message_size).is_ok()
    };
    let mut properties = Properties::new();
    properties.put(names::WAIT, if waits(first) { "true" } else { "false" });
    let whole = Message { topic: first.topic.clone(), flag: 0, properties, body: Bytes::new() };
    messages.iter().all(is_legal).then_some(whole)
}

/// A request with a callback, to be made once more.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) header: SendHeader,
    pub(super) body: Bytes,
}

/// What a selector returns for these queues, or the exception that its answer comes to.
fn select(selector: &Selector, queues: &[MessageQueue], dice: &mut dyn Choice) -> Result<MessageQueue, Exception> {
    let len = queues.len() as i32;
    let at = match selector {
        Selector::Modulo(id) => id.wrapping_rem(len),
        // |MIN| stays negative in Java.
        Selector::Hash(text) => java::hash(text).wrapping_abs().wrapping_rem(len),
        Selector::Random => i32::try_from(dice.below(Stream::QueueStart, queues.len() as u64)).unwrap_or(0),
        // The application is asked before this.
        Selector::MachineRoom | Selector::Own => return Err(Exception::client("select message queue return null.")),
    };
    let found = usize::try_from(at).ok().and_then(|at| queues.get(at));
    found.cloned().ok_or_else(|| Exception::client("select message queue throwed exception."))
}

impl Client {
    /// An application sends in another way.
    pub(crate) fn send_by(
        &mut self,
        (op, group): (OpId, &str),
        message: Message,
        timeout: Option<Span>,
        by: SendBy,
        step: &mut Step<'_>,
    ) {
        let SendBy { mode, to } = by;
        if mode == SendMode::Async && timeout == Some(Span::ZERO) {
            let text = if to == SendTo::Any { "DEFAULT ASYNC send call timeout" } else { "call timeout" };
            let error = Exception::TooMuchRequest(text).into_error(0, true);
            return step.out.app(Return::Failed { op, error });
        }
        let started = Started { caller: Caller::App(op), group, mode, to, batch: None };
        self.start_send(started, message, timeout, step);
    }

    /// An application sends many messages of one topic at once. Source: `DefaultMQProducer.batch`, `MessageBatch.generateFromList`.
    ///
    /// They are one message to the road: never deflated, with `WAIT` as its only property.
    pub(crate) fn send_batch(
        &mut self,
        (op, group): (OpId, &str),
        mut messages: Vec<Message>,
        timeout: Option<Span>,
        step: &mut Step<'_>,
    ) {
        let max = self.producer_of(group).map_or(usize::MAX, |at| self.producers[at].config.max_message_size);
        let Some(first) = batch_of(&messages, max) else {
            let exception = Exception::client("Failed to initiate the MessageBatch");
            return step.out.app(Return::Failed { op, error: exception.into_error(0, true) });
        };
        let mut ids: Vec<Name> = Vec::with_capacity(messages.len());
        for message in &mut messages {
            if message.properties.get(names::UNIQ_KEY).is_none() {
                let id = self.ops.ids.next(step.wall);
                message.properties.put(names::UNIQ_KEY, id);
            }
            ids.extend(message.properties.get(names::UNIQ_KEY).cloned());
        }
        let ids = ids.iter().map(Name::as_str).collect::<Vec<&str>>().join(",");
        let is_cut = messages.len() > 1 && self.config.profile.plants(Mistake::BatchLosesLast);
        let kept = messages.len() - usize::from(is_cut);
        let message = Message { body: batch::encode(&messages[..kept]), ..first };
        let batch = Some(ids.into());
        let caller = Caller::App(op);
        let started = Started { caller, group, mode: SendMode::Sync, to: SendTo::Any, batch };
        self.start_send(started, message, timeout, step);
    }

    /// Sends to the queue that the application named, once.
    pub(super) fn send_to_queue(&mut self, id: u64, mut send: Box<Send>, step: &mut Step<'_>) {
        let queue = send.queue.clone().expect("the application named it");
        if queue.topic != send.message.topic {
            let exception = Exception::client("message's topic not equal mq's topic");
            return self.call_fails(send.caller, exception.into_error(0, true), step);
        }
        send.times = 1;
        let (topic, broker, queue_id) = (queue.topic, queue.broker, queue.queue_id);
        let is_known = self.routes.master(&broker).is_some();
        step.out.say(Fact::QueuePicked { topic, broker, queue_id, attempt: 1 });
        if !is_known {
            return self.send_asks_for_master(id, send, step);
        }
        if let Err(send) = self.send_kernel(id, send, step) {
            self.send_fails(&send, step);
        }
    }

    /// Has a selector choose the queue, to which the message is then sent once.
    ///
    /// Source: `DefaultMQProducerImpl.sendSelectImpl`.
    pub(super) fn send_selected(&mut self, id: u64, send: Box<Send>, selector: &Selector, step: &mut Step<'_>) {
        let info = self.producers[send.producer].topics.get(&*send.message.topic).filter(|info| info.ok());
        let selected = match (info, selector, send.caller) {
            (Some(info), Selector::Own, Caller::App(op)) => {
                let queues = info.queues.clone();
                return self.ask_selector(id, (send, op), queues, step);
            }
            (Some(info), ..) => select(selector, &info.queues, step.dice),
            (None, ..) => Err(Exception::client(format!("No route info for this topic, {}", send.message.topic))),
        };
        self.go_to_selected(id, send, selected, step);
    }

    /// Asks the application which queue it wants.
    fn ask_selector(&mut self, id: u64, (send, op): (Box<Send>, OpId), queues: Vec<MessageQueue>, step: &mut Step<'_>) {
        let task = TaskId(self.next_task);
        self.next_task += 1;
        self.selecting.insert(task, id);
        let group = self.producers[send.producer].config.group.clone();
        step.out.app(Return::Select { task, op, group, queues, message: send.message.clone() });
        self.ops.waiting.insert(id, Op::Send(send));
    }

    /// The application has chosen.
    pub(crate) fn selected(&mut self, task: TaskId, choice: app::Choice, step: &mut Step<'_>) {
        let Some(id) = self.selecting.remove(task) else { return };
        let Some(Op::Send(send)) = self.ops.waiting.remove(id) else { return };
        let selected = match choice {
            app::Choice::Queue(queue) => Ok(queue),
            app::Choice::Null => Err(Exception::client("select message queue return null.")),
            app::Choice::Threw => Err(Exception::client("select message queue throwed exception.")),
        };
        self.go_to_selected(id, send, selected, step);
    }

    fn go_to_selected(
        &mut self,
        id: u64,
        mut send: Box<Send>,
        selected: Result<MessageQueue, Exception>,
        step: &mut Step<'_>,
    ) {
        let is_late = send.timeout < step.wall.since(send.begin_first);
        match selected {
            Ok(_) if is_late => {
                let exception = Exception::TooMuchRequest("sendSelectImpl call timeout");
                self.call_fails(send.caller, exception.into_error(0, true), step);
            }
            Ok(queue) => {
                let is_ignored = self.config.profile.plants(Mistake::SelectionIgnored) && self.has_queues(&send);
                send.queue = Some(if is_ignored { self.pick(&send, step) } else { queue });
                send.is_fixed = true;
                send.begin_prev = step.wall;
                self.send_to_queue(id, send, step);
            }
            Err(exception) => self.call_fails(send.caller, exception.into_error(0, true), step),
        }
    }

    /// The call ends with the exception of its last attempt.
    pub(super) fn send_fails(&mut self, send: &Send, step: &mut Step<'_>) {
        let exception = send.exception.clone().expect("an attempt failed");
        self.call_fails(send.caller, exception.into_error(send.times, !send.maybe_stored), step);
    }

    /// The only attempt of a call failed before anything was written: a call that chose its queue says so in its own words.
    fn send_never_left(&mut self, send: &Send, step: &mut Step<'_>) {
        match send.is_fixed {
            true => self.send_fails(send, step),
            false => self.send_exhausted(send, 1, step),
        }
    }

    /// A one-way send was written, or not.
    pub(super) fn oneway_written(&mut self, mut send: Box<Send>, written: Result<(), Exception>, step: &mut Step<'_>) {
        match written {
            Ok(()) => {
                self.note_latency(&send, false, step);
                if let Caller::App(op) = send.caller {
                    step.out.app(Return::Done { op });
                }
            }
            Err(exception) => {
                self.attempt_failed(&mut send, exception, step);
                self.send_never_left(&send, step);
            }
        }
    }

    /// A send with a callback was answered, or given up.
    pub(super) fn async_answered(
        &mut self,
        id: u64,
        mut send: Box<Send>,
        answer: Result<Box<Command>, Exception>,
        step: &mut Step<'_>,
    ) {
        let exception = match answer {
            Ok(command) => {
                let (result, refusal) = (send_result(&send, &command), broker_exception(&command));
                self.remoting.recycle(command);
                if let Some(result) = result {
                    self.note_latency(&send, false, step);
                    return self.send_returns(&send, result, step);
                }
                self.attempt_failed(&mut send, refusal, step);
                return self.send_fails(&send, step);
            }
            Err(exception) => exception,
        };
        let told = match &exception {
            Exception::SendRequest(_) => Exception::client("send request failed"),
            Exception::Timeout { millis, .. } => Exception::client(format!("wait response timeout {millis}ms")),
            other => other.clone(),
        };
        let is_first = send.times == 1;
        let never_left = matches!(exception, Exception::Connect(_) | Exception::TooMuchRequest(_));
        let is_over = matches!(exception, Exception::TooMuchRequest(_));
        self.attempt_failed(&mut send, exception, step);
        if is_first && never_left {
            return self.send_never_left(&send, step);
        }
        send.exception = Some(told);
        let retries = self.producers[send.producer].config.retry_times_when_send_async_failed;
        match is_over || retries < send.times {
            true => self.send_fails(&send, step),
            false => self.send_again(id, send, step),
        }
    }

    /// Makes the same request once more, to whichever broker the next queue is on; its queue number stays.
    fn send_again(&mut self, id: u64, mut send: Box<Send>, step: &mut Step<'_>) {
        send.times += 1;
        send.begin_prev = step.wall;
        let has_queues = self.has_queues(&send);
        if !send.is_fixed && has_queues {
            let broker = self.pick(&send, step).broker;
            send.queue.as_mut().expect("an attempt has a queue").broker = broker;
        }
        let queue = send.queue.clone().expect("an attempt has a queue");
        let Again { header, body } = (**send.again.as_ref().expect("the first attempt left it")).clone();
        let mut command = self.remoting.command(request::SEND_MESSAGE_V2, Header::Send(Box::new(header)));
        command.body = Some(body);
        let target = self.routes.master(&queue.broker).map_or(Target::Nameserver, Target::At);
        step.out.say(Fact::QueuePicked {
            topic: queue.topic,
            broker: queue.broker,
            queue_id: queue.queue_id,
            attempt: send.times as i32,
        });
        self.ops.waiting.insert(id, Op::Send(send));
        let request = Request { command, timeout: 0, mode: Mode::Async, waiter: Waiter::Fiber(Fiber::Op(id)) };
        self.remoting.invoke(target, request, step, &mut self.ready);
    }
}
