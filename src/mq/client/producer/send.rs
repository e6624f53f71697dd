//! The send that waits for its result, and what other ways share with it. Source: `DefaultMQProducerImpl.sendDefaultImpl`, `sendKernelImpl`.

use bytes::Bytes;

use crate::mq::app::{AppError, ErrorKind, OpId, Return, Selector, SendMode, SendResult, SendStatus, SendTo};
use crate::mq::client::exception::{Exception, NO_NAME_SERVER, NOT_FOUND_TOPIC, SUGGEST_TODO};
use crate::mq::client::instance::not_exist;
use crate::mq::client::producer::Op;
use crate::mq::client::producer::pick::TopicPublishInfo;
use crate::mq::client::producer::transaction::half_failed;
use crate::mq::client::producer::way::Again;
use crate::mq::client::remoting::{Mode, Request, Target, broker_exception, vip};
use crate::mq::client::validators::check_message;
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{Message, MessageQueue, Name, QueueOffset, compress, java, names, property, sys_flag};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::time::{Millis, Span};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, SendHeader};

/// One call of `send`.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(super) caller: Caller,
    /// Who waits.
    pub(super) mode: SendMode,
    /// Whether the queue is chosen once for all: named by the application or by a selector.
    pub(super) is_fixed: bool,
    /// The selector that is still to choose.
    pub(super) selector: Option<Selector>,
    /// Whether the body holds many messages, whose unique keys are made already.
    is_batch: bool,
    pub(super) producer: usize,
    pub(super) message: Message,
    /// The unique key, once an attempt has set it.
    msg_id: Option<Name>,
    /// The properties and the body as they travel, once an attempt has made them.
    made: Option<Made>,
    /// The whole budget in ms.
    pub(super) timeout: i64,
    pub(super) begin_first: Millis,
    pub(super) begin_prev: Millis,
    stage: Stage,
    /// Attempts begun.
    pub(super) times: u32,
    /// Where the attempts before this one went.
    brokers_sent: Vec<Name>,
    pub(super) queue: Option<MessageQueue>,
    pub(super) exception: Option<Exception>,
    result: Option<SendResult>,
    /// Whether an attempt may have stored the message.
    pub(super) maybe_stored: bool,
    /// What a callback's request is made of once more.
    pub(super) again: Option<Box<Again>>,
}

/// A call as it begins.
pub(crate) struct Started<'a> {
    pub(crate) caller: Caller,
    pub(crate) group: &'a str,
    pub(crate) mode: SendMode,
    /// Who chooses the queue.
    pub(crate) to: SendTo,
    /// The joined unique keys of a batch.
    pub(crate) batch: Option<Name>,
}

/// Who hears how a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Caller {
    /// The application.
    App(OpId),
    /// The transaction whose half message it sends.
    Half(OpId),
    /// A thread of the client itself, that gives a message back.
    Thread(Fiber),
}

#[derive(Clone, Debug)]
struct Made {
    properties: Name,
    body: Bytes,
    sys_flag: i32,
}

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The topic's own route.
    Topic,
    /// The template's route.
    Template,
    /// The route again, because the picked broker has no master.
    Master,
    /// A broker's answer.
    Answer,
}

impl Client {
    /// An application sends a message.
    pub(crate) fn send(&mut self, op: OpId, group: &str, message: Message, timeout: Option<Span>, step: &mut Step<'_>) {
        let caller = Caller::App(op);
        let started = Started { caller, group, mode: SendMode::Sync, to: SendTo::Any, batch: None };
        self.start_send(started, message, timeout, step);
    }

    /// Begins a call: checks the producer and the message, then looks for the topic's queues.
    pub(in crate::mq::client) fn start_send(
        &mut self,
        started: Started<'_>,
        message: Message,
        timeout: Option<Span>,
        step: &mut Step<'_>,
    ) {
        let Started { caller, group, mode, to, batch } = started;
        let (queue, selector) = match to {
            SendTo::Any => (None, None),
            SendTo::Queue(queue) => (Some(queue), None),
            SendTo::Selected(selector) => (None, Some(selector)),
        };
        let checked = self.running_producer(group).and_then(|producer| {
            let max = self.producers[producer].config.max_message_size;
            check_message(&message.topic, Some(message.body.len()), max).map(|()| producer)
        });
        let producer = match checked {
            Ok(producer) => producer,
            Err(exception) => return self.call_fails(caller, exception.into_error(0, true), step),
        };
        let config = &self.producers[producer].config;
        let timeout = timeout.unwrap_or(config.send_msg_timeout).as_millis() as i64;
        let mut send = Box::new(Send {
            caller,
            mode,
            is_fixed: queue.is_some(),
            selector,
            is_batch: batch.is_some(),
            producer,
            message,
            msg_id: batch,
            made: None,
            timeout,
            begin_first: step.wall,
            begin_prev: step.wall,
            stage: Stage::Topic,
            times: 0,
            brokers_sent: Vec::new(),
            queue,
            exception: None,
            result: None,
            maybe_stored: false,
            again: None,
        });
        let id = self.ops.next;
        self.ops.next += 1;
        if send.is_fixed {
            return self.send_to_queue(id, send, step);
        }
        let producer = &mut self.producers[producer];
        if producer.needs_route(&send.message.topic) {
            producer.know_topic(&send.message.topic);
            send.stage = Stage::Topic;
            return self.send_looks_up(id, send, step);
        }
        self.send_attempts(id, send, step);
    }

    /// The running producer of a group.
    pub(super) fn running_producer(&self, group: &str) -> Result<usize, Exception> {
        match self.producer_of(group) {
            Some(at) if self.producers[at].running => Ok(at),
            Some(_) => {
                let text = format!("The producer service state not OK, SHUTDOWN_ALREADY{SUGGEST_TODO}");
                Err(Exception::client(text))
            }
            None => {
                let text = format!("The producer service state not OK, CREATE_JUST{SUGGEST_TODO}");
                Err(Exception::client(text))
            }
        }
    }

    /// Waits for a look-up of the topic, or of its template.
    fn send_looks_up(&mut self, id: u64, send: Box<Send>, step: &mut Step<'_>) {
        let config = &self.producers[send.producer].config;
        let template = match send.stage {
            Stage::Template => Some((config.create_topic_key.clone(), config.default_topic_queue_nums)),
            _ => None,
        };
        let topic = send.message.topic.clone();
        self.ops.waiting.insert(id, Op::Send(send));
        self.look_up(topic, template, Fiber::Op(id), step);
    }

    /// A send goes on with a look-up's end or a broker's answer.
    pub(super) fn send_on(&mut self, id: u64, mut send: Box<Send>, woken: Woken, step: &mut Step<'_>) {
        match send.stage {
            Stage::Topic => {
                let info = self.producers[send.producer].topics.get(&*send.message.topic);
                if info.is_none_or(|info| !info.have_route && !info.ok()) {
                    send.stage = Stage::Template;
                    return self.send_looks_up(id, send, step);
                }
                self.send_attempts(id, send, step);
            }
            Stage::Template => self.send_attempts(id, send, step),
            Stage::Master => match self.send_kernel(id, send, step) {
                Ok(()) => {}
                Err(send) if send.is_fixed => self.send_fails(&send, step),
                Err(send) => self.send_attempts(id, send, step),
            },
            Stage::Answer => match (send.mode, woken) {
                (SendMode::Oneway, Woken::Written(written)) => self.oneway_written(send, written, step),
                (SendMode::Async, Woken::Answered(answer)) => self.async_answered(id, send, answer, step),
                (_, woken) => self.send_answered(id, send, woken, step),
            },
        }
    }

    /// Begins attempts until one is on its way or none is left.
    fn send_attempts(&mut self, id: u64, mut send: Box<Send>, step: &mut Step<'_>) {
        if let Some(selector) = send.selector.take() {
            return self.send_selected(id, send, &selector, step);
        }
        if send.times == 0 && !self.has_queues(&send) {
            return self.send_has_no_route(&send, step);
        }
        let attempts = match send.mode {
            SendMode::Sync => 1 + self.producers[send.producer].config.retry_times_when_send_failed,
            SendMode::Async | SendMode::Oneway => 1,
        };
        // A route without queues that came meanwhile ends the call; upstream goes on with the list it began with.
        while send.times < attempts && self.has_queues(&send) {
            let same = send.queue.clone().filter(|_| self.config.profile.plants(Mistake::RetriesSameQueue));
            let queue = match same {
                Some(queue) => queue,
                None => self.pick(&send, step),
            };
            send.brokers_sent.extend(send.queue.replace(queue).map(|before| before.broker));
            send.begin_prev = step.wall;
            if send.timeout < step.wall.since(send.begin_first) {
                return self.send_timed_out(&send, step);
            }
            send.times += 1;
            let queue = send.queue.as_ref().expect("picked above");
            step.out.say(Fact::QueuePicked {
                topic: queue.topic.clone(),
                broker: queue.broker.clone(),
                queue_id: queue.queue_id,
                attempt: send.times as i32,
            });
            if self.routes.master(&queue.broker).is_none() {
                return self.send_asks_for_master(id, send, step);
            }
            send = match self.send_kernel(id, send, step) {
                Ok(()) => return,
                Err(send) => send,
            };
        }
        self.send_exhausted(&send, attempts, step);
    }

    /// Whether the topic has a queue to send to.
    pub(super) fn has_queues(&self, send: &Send) -> bool {
        self.producers[send.producer].topics.get(&*send.message.topic).is_some_and(TopicPublishInfo::ok)
    }

    /// Waits for the route, because the broker has no master that is known.
    pub(super) fn send_asks_for_master(&mut self, id: u64, mut send: Box<Send>, step: &mut Step<'_>) {
        send.stage = Stage::Master;
        self.send_looks_up(id, send, step);
    }

    pub(super) fn pick(&mut self, send: &Send, step: &mut Step<'_>) -> MessageQueue {
        let producer = &mut self.producers[send.producer];
        let info = producer.topics.get_mut(&*send.message.topic).expect("the caller has looked");
        let last = send.queue.as_ref().map(|queue| &queue.broker);
        let at = producer.strategy.select(info, last, step.wall, step.dice);
        info.queues[at].clone()
    }

    /// Writes an attempt, or hands the call back if it failed at once.
    pub(super) fn send_kernel(&mut self, id: u64, mut send: Box<Send>, step: &mut Step<'_>) -> Result<(), Box<Send>> {
        let queue = send.queue.as_ref().expect("an attempt has a queue");
        let Some(addr) = self.routes.master(&queue.broker) else {
            let exception = Exception::client(not_exist(&queue.broker));
            self.attempt_failed(&mut send, exception, step);
            return Err(send);
        };
        let left = send.timeout - step.wall.since(send.begin_first);
        if left < 0 {
            self.attempt_failed(&mut send, Exception::TooMuchRequest("sendKernelImpl call timeout"), step);
            return Err(send);
        }
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        let made = match &send.made {
            Some(made) => made.clone(),
            None => self.make(&mut send, step),
        };
        let mut made = made;
        let is_again = send.times > 1 && made.sys_flag & sys_flag::COMPRESSED != 0;
        if is_again && self.config.profile.plants(Mistake::CompressesTwice) {
            made.body = Bytes::from(compress::deflate(&made.body));
        }
        let (times, times_max) = take_times(&mut send.message);
        let config = &self.producers[send.producer].config;
        let header = SendHeader {
            producer_group: config.group.clone(),
            topic,
            default_topic: config.create_topic_key.clone(),
            default_topic_queue_nums: config.default_topic_queue_nums,
            queue_id,
            sys_flag: made.sys_flag,
            born_timestamp: step.wall.0,
            flag: send.message.flag,
            properties: Some(made.properties),
            reconsume_times: Some(times),
            unit_mode: false,
            max_reconsume_times: times_max,
            batch: send.is_batch,
        };
        let mode = match send.mode {
            SendMode::Sync => Mode::Sync,
            SendMode::Async => {
                send.again = Some(Box::new(Again { header: header.clone(), body: made.body.clone() }));
                Mode::Async
            }
            SendMode::Oneway => Mode::Oneway,
        };
        let code = if send.is_batch { request::SEND_BATCH_MESSAGE } else { request::SEND_MESSAGE_V2 };
        let mut command = self.remoting.command(code, Header::Send(Box::new(header)));
        command.body = Some(made.body);
        send.stage = Stage::Answer;
        self.ops.waiting.insert(id, Op::Send(send));
        let waiter = Waiter::Fiber(Fiber::Op(id));
        let request = Request { command, timeout: left, mode, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
        Ok(())
    }

    /// Gives the message its unique key and makes what travels; later attempts send the same.
    fn make(&mut self, send: &mut Send, step: &mut Step<'_>) -> Made {
        let msg_id = match send.message.properties.get(&self.ops.uniq_key).or(send.msg_id.as_ref()) {
            Some(msg_id) => msg_id.clone(),
            None => {
                let msg_id = self.ops.ids.next(step.wall);
                send.message.properties.put(self.ops.uniq_key.clone(), msg_id.clone());
                msg_id
            }
        };
        send.msg_id = Some(msg_id);
        let config = &self.producers[send.producer].config;
        let is_large = config.compress_msg_body_over_how_much <= send.message.body.len();
        let (body, sys_flag) = match is_large && !send.is_batch {
            true => (Bytes::from(compress::deflate(&send.message.body)), sys_flag::COMPRESSED),
            false => (send.message.body.clone(), 0),
        };
        let half = send.message.properties.get(property::names::TRAN_MSG);
        let is_half = half.is_some_and(|half| half.eq_ignore_ascii_case("true"));
        let sys_flag = if self.config.profile.plants(Mistake::CompressionUntold) { 0 } else { sys_flag };
        let sys_flag = if is_half { sys_flag | sys_flag::TRANSACTION_PREPARED } else { sys_flag };
        self.ops.text.clear();
        send.message.properties.encode_into(&mut self.ops.text);
        if self.config.profile.plants(Mistake::PropertiesCut) {
            let text = &mut self.ops.text;
            let last = text.trim_end_matches(property::PROPERTY_SEPARATOR).rfind(property::PROPERTY_SEPARATOR);
            text.truncate(last.map_or(text.len(), |at| at + 1));
        }
        let made = Made { properties: Name::from(&*self.ops.text), body, sys_flag };
        let retries = 0 < config.retry_times_when_send_failed;
        // What goes to a retry topic is made anew: its first attempt took properties out.
        if retries && !is_retry(&send.message.topic) {
            send.made = Some(made.clone());
        }
        made
    }

    fn send_answered(&mut self, id: u64, mut send: Box<Send>, woken: Woken, step: &mut Step<'_>) {
        let Woken::Answered(answer) = woken else { woken_for_nothing() };
        let exception = match answer {
            Ok(command) => {
                let answered = send_result(&send, &command);
                let exception = broker_exception(&command);
                self.remoting.recycle(command);
                match answered {
                    Some(result) => {
                        self.note_latency(&send, false, step);
                        let config = &self.producers[send.producer].config;
                        let retries = config.retry_another_broker_when_not_store_ok && !send.is_fixed;
                        let is_ok = result.status == SendStatus::SendOk;
                        let goes_on = is_ok && send.times == 1 && !send.is_fixed;
                        if goes_on && self.config.profile.plants(Mistake::RetriesAfterSuccess) {
                            return self.send_attempts(id, send, step);
                        }
                        if !is_ok && retries {
                            send.result = Some(result);
                            send.maybe_stored = true;
                            return self.send_attempts(id, send, step);
                        }
                        return self.send_returns(&send, result, step);
                    }
                    None => exception,
                }
            }
            Err(exception) => exception,
        };
        let retried = match &exception {
            Exception::Broker { code, .. } => RETRIED.contains(code),
            _ => true,
        };
        self.attempt_failed(&mut send, exception, step);
        if send.is_fixed {
            return self.send_fails(&send, step);
        }
        match retried {
            true => self.send_attempts(id, send, step),
            false => self.send_ended_by_broker(&mut send, step),
        }
    }

    pub(super) fn attempt_failed(&mut self, send: &mut Send, exception: Exception, step: &mut Step<'_>) {
        self.note_latency(send, true, step);
        send.maybe_stored |= !exception.precedes_append();
        step.out.say(Fact::AttemptFailed {
            broker: send.queue.as_ref().map_or_else(|| Name::from(""), |queue| queue.broker.clone()),
            attempt: send.times as i32,
            why: Name::from(exception.to_string()),
        });
        send.exception = Some(exception);
    }

    /// Notes how an attempt went; a call that named its queue is none of the table's business, unless a callback tells.
    pub(super) fn note_latency(&mut self, send: &Send, isolation: bool, step: &Step<'_>) {
        if send.is_fixed && send.mode != SendMode::Async {
            return;
        }
        let producer = &mut self.producers[send.producer];
        if let Some(queue) = &send.queue {
            producer.strategy.update(&queue.broker, step.wall.since(send.begin_prev), isolation, step.wall);
        }
    }

    /// A broker's refusal that is not retried ends the call, unless an earlier attempt gave a result.
    fn send_ended_by_broker(&mut self, send: &mut Send, step: &mut Step<'_>) {
        match (send.result.take(), send.exception.take()) {
            (Some(result), _) => self.send_returns(send, result, step),
            (None, Some(exception)) => {
                let error = exception.into_error(send.times, !send.maybe_stored);
                self.call_fails(send.caller, error, step);
            }
            (None, None) => woken_for_nothing(), // an exception was noted just before
        }
    }

    fn send_timed_out(&mut self, send: &Send, step: &mut Step<'_>) {
        if let Some(result) = send.result.clone() {
            return self.send_returns(send, result, step);
        }
        let exception = Exception::TooMuchRequest("sendDefaultImpl call timeout");
        let error = exception.into_error(send.times, !send.maybe_stored);
        self.call_fails(send.caller, error, step);
    }

    pub(super) fn send_exhausted(&mut self, send: &Send, attempts: u32, step: &mut Step<'_>) {
        if let Some(result) = send.result.clone() {
            return self.send_returns(send, result, step);
        }
        let last = send.queue.as_ref().map(|queue| &queue.broker);
        let mut brokers: Vec<&str> = send.brokers_sent.iter().chain(last).map(Name::as_str).collect();
        brokers.resize(attempts as usize, "null");
        let text = format!(
            "Send [{}] times, still failed, cost [{}]ms, Topic: {}, BrokersSent: [{}]{SUGGEST_TODO}",
            send.times,
            step.wall.since(send.begin_first),
            send.message.topic,
            brokers.join(", "),
        );
        let error = AppError {
            kind: ErrorKind::Client,
            text: text.into(),
            code: send.exception.as_ref().map_or(-1, Exception::code_after_attempts),
            attempts: send.times,
            provably_not_stored: !send.maybe_stored,
        };
        self.call_fails(send.caller, error, step);
    }

    /// A call ends with a result: the application hears it, or the half message's transaction goes on.
    pub(super) fn send_returns(&mut self, send: &Send, result: SendResult, step: &mut Step<'_>) {
        match send.caller {
            Caller::App(op) => step.out.app(Return::Sent { op, result }),
            Caller::Half(op) => self.half_sent(send, op, result, step),
            Caller::Thread(fiber) => self.wake(fiber, Woken::Sent(Ok(()))),
        }
    }

    /// A call ends with an exception.
    pub(super) fn call_fails(&mut self, caller: Caller, error: AppError, step: &mut Step<'_>) {
        match caller {
            Caller::App(op) => step.out.app(Return::Failed { op, error }),
            Caller::Half(op) => step.out.app(Return::Failed { op, error: half_failed(error) }),
            Caller::Thread(fiber) => self.wake(fiber, Woken::Sent(Err(error.text))),
        }
    }

    fn send_has_no_route(&mut self, send: &Send, step: &mut Step<'_>) {
        let (code, text) = match self.remoting.has_nameservers() {
            false => (NO_NAME_SERVER, format!("No name server address, please set it.{SUGGEST_TODO}")),
            true => (NOT_FOUND_TOPIC, format!("No route info of this topic, {}{SUGGEST_TODO}", send.message.topic)),
        };
        let error =
            AppError { kind: ErrorKind::Client, text: text.into(), code, attempts: 0, provably_not_stored: true };
        self.call_fails(send.caller, error, step);
    }
}

fn is_retry(topic: &str) -> bool {
    topic.starts_with(names::RETRY_GROUP_TOPIC_PREFIX)
}

/// How often a message to a retry topic failed, and how often it may: taken out of its properties, when their text is made.
///
/// A second attempt finds them gone: it says 0 and nothing, for which a broker has no answer but an exception.
/// Source: `DefaultMQProducerImpl.sendKernelImpl`.
fn take_times(message: &mut Message) -> (i32, Option<i32>) {
    if !is_retry(&message.topic) {
        return (0, None);
    }
    let mut take = |name| message.properties.remove(name).and_then(|times| java::parse_int(&times));
    (take(property::names::RECONSUME_TIME).unwrap_or(0), take(property::names::MAX_RECONSUME_TIMES))
}

/// The result in an answer; `None` if the answer is a refusal. Source: `MQClientAPIImpl.processSendResponse`.
pub(super) fn send_result(send: &Send, command: &Command) -> Option<SendResult> {
    let status = match command.code {
        response::SUCCESS => SendStatus::SendOk,
        response::FLUSH_DISK_TIMEOUT => SendStatus::FlushDiskTimeout,
        response::FLUSH_SLAVE_TIMEOUT => SendStatus::FlushSlaveTimeout,
        response::SLAVE_NOT_AVAILABLE => SendStatus::SlaveNotAvailable,
        _ => return None,
    };
    let Header::Sent(sent) = &command.header else { return None };
    let mut queue = send.queue.clone()?;
    queue.queue_id = sent.queue_id;
    Some(SendResult {
        status,
        msg_id: send.msg_id.clone()?,
        offset_msg_id: sent.msg_id.clone(),
        queue,
        queue_offset: QueueOffset(sent.queue_offset),
    })
}

fn woken_for_nothing() -> ! {
    panic!("a call that waits for an answer was woken without one")
}

/// Codes after which a synchronous send tries again; 204 and 205 are NO_BUYER_ID and NOT_IN_CURRENT_UNIT.
const RETRIED: [i32; 6] = [
    response::TOPIC_NOT_EXIST,
    response::SERVICE_NOT_AVAILABLE,
    response::SYSTEM_ERROR,
    response::NO_PERMISSION,
    204,
    205,
];
