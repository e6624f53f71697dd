//! A message that failed is given back to its broker; if that fails, the client sends a copy to the retry topic itself.
//!
//! ```text
//!  listener fails ─▶ request 36 to the master ─ ok ─▶ done: the broker made a copy
//!                          └─ any exception ─▶ CLIENT_INNER_PRODUCER sends to %RETRY%group ─ ok ─▶ done
//!                                                    └─ any exception ─▶ the caller keeps the message
//! ```
//!
//! A request that timed out may have been served: then there are two copies.
//! Source: `DefaultMQPushConsumerImpl.sendMessageBack`.

use std::sync::Arc;

use crate::mq::app::{SendMode, SendTo};
use crate::mq::client::config::CLIENT_INNER_PRODUCER_GROUP;
use crate::mq::client::consumer::Consumer;
use crate::mq::client::producer::send::{Caller, Started};
use crate::mq::client::remoting::{Mode, Request, Target, broker_exception, vip};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::id::offset_msg_id;
use crate::mq::message::property::names;
use crate::mq::message::{Group, Host, Message, Name, StoredMessage};
use crate::mq::node::{Addr, Step};
use crate::mq::time::Millis;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::{Header, SendBackHeader};

/// A message on its way back.
#[derive(Clone, Debug)]
pub(crate) struct Giving {
    pub(super) message: Arc<StoredMessage>,
    /// When its listener was called.
    pub(super) started: Millis,
    /// 0 lets the broker choose, a negative one makes it a dead letter.
    pub(super) delay_level: i32,
    /// The host that takes it; `None` is the master of the queue's broker.
    pub(super) to: Option<Host>,
    /// The group whose retry topic it goes to; `None` is the consumer's own.
    pub(super) group: Option<Group>,
}

/// How it went.
pub(super) enum Given {
    /// The broker has a copy.
    Taken,
    /// The copy is sent as a message: the caller is woken once more.
    Again,
    /// Nobody took it.
    Kept,
}

impl Client {
    /// Asks the broker to take a message back; the fiber is woken with how that went.
    pub(super) fn give_back(&mut self, at: usize, giving: &Giving, fiber: Fiber, step: &mut Step<'_>) {
        let broker = giving.message.broker.as_ref();
        let addr = match giving.to {
            Some(host) => Some(Addr { ip: host.ip, port: u16::try_from(host.port).unwrap_or(0) }),
            None => broker.and_then(|broker| self.routes.master(broker)),
        };
        let Some(addr) = addr else {
            // Upstream makes a VIP address out of null.
            return self.wake(fiber, Woken::Written(Ok(())));
        };
        let header = self.consumers[at].send_back_header(giving);
        let timeout = if self.consumers[at].pulls() { PULLER_TIMEOUT_MS } else { TIMEOUT_MS };
        let command = self.remoting.command(request::CONSUMER_SEND_MSG_BACK, Header::SendBack(Box::new(header)));
        let request = Request { command, timeout, mode: Mode::Sync, waiter: Waiter::Fiber(fiber) };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }

    /// Looks at how a message's way back ended, and sends a copy to the retry topic if the broker did not take it.
    pub(super) fn given_back(
        &mut self,
        at: usize,
        giving: &Giving,
        woken: Woken,
        fiber: Fiber,
        step: &mut Step<'_>,
    ) -> Given {
        let (why, is_last) = match woken {
            Woken::Answered(Ok(command)) if command.code == response::SUCCESS => return Given::Taken,
            Woken::Sent(Ok(())) => return Given::Taken,
            Woken::Answered(Ok(command)) => (broker_exception(&command).to_string().into(), false),
            Woken::Answered(Err(exception)) => (exception.to_string().into(), false),
            Woken::Sent(Err(why)) => (why, true),
            _ => (Name::from("java.lang.NullPointerException"), false),
        };
        let broker = giving.message.broker.clone().unwrap_or_default();
        step.out.say(Fact::SendBackFailed { broker, at: giving.message.commit_log_offset.0, why });
        if is_last {
            return Given::Kept;
        }
        let copy = self.consumers[at].retry_copy(giving);
        let (caller, group) = (Caller::Thread(fiber), CLIENT_INNER_PRODUCER_GROUP);
        let started = Started { caller, group, mode: SendMode::Sync, to: SendTo::Any, batch: None };
        self.start_send(started, copy, None, step);
        Given::Again
    }
}

impl Consumer {
    /// What the client sends to its group's retry topic: the body, and the properties as the listener saw them.
    ///
    /// The first copy's id is not among them: upstream sets it, then puts the old properties in its place.
    fn retry_copy(&self, giving: &Giving) -> Message {
        let stored = &giving.message;
        let mut properties = stored.message.properties.clone();
        let times = stored.reconsume_times;
        if !self.pulls() {
            properties.put(self.start_time.clone(), Name::from(giving.started.0));
        }
        if self.profile.fix_k31 {
            properties.remove(names::TRAN_MSG);
        }
        properties.put(names::RETRY_TOPIC, self.own_topic(stored));
        properties.put(names::RECONSUME_TIME, times.wrapping_add(1).to_string());
        properties.put(names::MAX_RECONSUME_TIMES, self.times_max().to_string());
        properties.put(names::DELAY, FIRST_LEVEL.wrapping_add(times).to_string());
        Message {
            topic: self.retry_topic.clone(),
            flag: stored.message.flag,
            properties,
            body: stored.message.body.clone(),
        }
    }

    /// The topic under which the listener sees a message. Source: `ConsumeMessageConcurrentlyService.resetRetryTopic`.
    pub(super) fn own_topic(&self, message: &StoredMessage) -> Name {
        let Message { topic, properties, .. } = &message.message;
        match *topic == self.retry_topic && !self.pulls() {
            true => properties.get(names::RETRY_TOPIC).unwrap_or(topic).clone(),
            false => topic.clone(),
        }
    }

    fn send_back_header(&self, giving: &Giving) -> SendBackHeader {
        let message = &giving.message;
        let unique = message.message.properties.get(names::UNIQ_KEY).cloned();
        let msg_id = unique.unwrap_or_else(|| offset_msg_id(message.store_host, message.commit_log_offset));
        SendBackHeader {
            offset: message.commit_log_offset.0,
            group: giving.group.clone().unwrap_or_else(|| self.config.group.clone()),
            delay_level: giving.delay_level,
            origin_msg_id: Some(msg_id),
            origin_topic: Some(self.own_topic(message)),
            unit_mode: false,
            max_reconsume_times: Some(self.times_max()),
        }
    }

    /// Source: `DefaultMQPushConsumerImpl.getMaxReconsumeTimes`, `DefaultMQPullConsumer.maxReconsumeTimes`.
    fn times_max(&self) -> i32 {
        match self.config.max_reconsume_times {
            -1 => RECONSUME_TIMES_MAX,
            max => max,
        }
    }
}

const TIMEOUT_MS: i64 = 5000;
/// Source: `DefaultMQPullConsumerImpl.sendMessageBack`.
const PULLER_TIMEOUT_MS: i64 = 3000;
const RECONSUME_TIMES_MAX: i32 = 16;
/// The level of the first retry.
const FIRST_LEVEL: i32 = 3;
