//! One thread pulls for all queues of all consumers; the broker holds a pull that finds nothing.
//!
//! Source: `PullMessageService`, `DefaultMQPushConsumerImpl.pullMessage`, `PullAPIWrapper`.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::mq::app::MessageModel;
use crate::mq::client::consumer::from_where::FromWhere;
use crate::mq::client::consumer::{Assigned, Consumer, Later};
use crate::mq::client::remoting::{Mode, Request};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::filter::is_tag_type;
use crate::mq::message::java::Key;
use crate::mq::message::record::{self, Reading};
use crate::mq::message::sys_flag::pull::{COMMIT_OFFSET, SUSPEND};
use crate::mq::message::{MessageQueue, Name, StoredMessage, property};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, Step};
use crate::mq::time::{Millis, Span};
use crate::mq::wire::body::SubscriptionData;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::{Header, PullHeader, PulledHeader};

/// The pull thread.
#[derive(Clone, Debug)]
pub(crate) struct PullMessage {
    /// Pull requests: consumer and queue.
    requests: VecDeque<(usize, u64)>,
    /// Why the thread does not go on by itself.
    blocked: Option<Blocked>,
    /// Whether it has been told to go on.
    scheduled: bool,
    /// Property names that every message gets, shared.
    min_offset: Key,
    max_offset: Key,
}

#[derive(Clone, Debug)]
enum Blocked {
    /// The broker of this queue has no known address.
    Route(usize, u64),
    /// A connection is being made.
    Connecting(Box<Connecting>),
    /// A queue was locked for the first time: the place of its first pull is asked for again.
    Seeking(u64, usize, Box<FromWhere>),
}

#[derive(Clone, Debug)]
struct Connecting {
    consumer: usize,
    queue: u64,
    addr: Addr,
    begin: Millis,
    request: Request,
}

impl Default for PullMessage {
    fn default() -> PullMessage {
        PullMessage {
            requests: VecDeque::new(),
            blocked: None,
            scheduled: false,
            min_offset: Key::from(property::names::MIN_OFFSET),
            max_offset: Key::from(property::names::MAX_OFFSET),
        }
    }
}

impl PullMessage {
    /// The ends of a queue as an answer has them.
    pub(super) fn bounds(&self, header: &PulledHeader) -> Bounds {
        Bounds {
            min: (self.min_offset.clone(), Name::from(header.min_offset)),
            max: (self.max_offset.clone(), Name::from(header.max_offset)),
        }
    }
}

/// What the decision list says about a pull request.
enum Decision {
    Pull,
    Seek(MessageQueue),
    Wait(Span, &'static str),
    Full(Full),
    Forget,
}

/// A limit that is passed.
#[derive(Clone, Copy)]
struct Full {
    why: &'static str,
    found: i64,
    most: i64,
}

impl Consumer {
    /// Steps 1 to 5 of the decision list.
    fn decide(&mut self, queue: u64, now: Millis) -> Decision {
        let Some(assigned) = self.assigned.get_mut(&queue) else { return Decision::Forget };
        let window = &mut assigned.window;
        if window.is_dropped() {
            return Decision::Forget;
        }
        window.mark_pulled(now);
        let config = &self.config;
        if !self.running {
            return Decision::Wait(AFTER_ERROR, "error");
        }
        if self.paused {
            return Decision::Wait(SUSPENDED, "paused");
        }
        let is_ordered = self.orderly.is_some();
        let limits = [
            ("cached-messages", window.msg_count(), config.pull_threshold_for_queue),
            ("cached-mib", window.msg_size() / MIB, config.pull_threshold_size_for_queue),
            ("cached-span", if is_ordered { 0 } else { window.max_span() }, config.consume_concurrently_max_span),
        ];
        if let Some((why, found, most)) = limits.into_iter().find(|(_, found, most)| most < found) {
            return Decision::Full(Full { why, found, most });
        }
        if is_ordered && !window.is_locked() {
            return Decision::Wait(AFTER_ERROR, "not-locked");
        }
        let reads_again = !self.profile.plants(Mistake::OffsetNotReadAgain);
        if is_ordered && reads_again && !std::mem::replace(&mut assigned.locked_first, true) {
            return Decision::Seek(assigned.queue.clone());
        }
        match self.subscriptions.contains_key(&assigned.queue.topic) {
            true => Decision::Pull,
            false => Decision::Wait(AFTER_ERROR, "error"),
        }
    }

    /// The header of the next pull; a slave must not be given an offset to store.
    fn pull_header(&self, assigned: &Assigned, slave: bool) -> PullHeader {
        let commit_offset = match self.config.message_model {
            MessageModel::Clustering => assigned.consumed.unwrap_or(-1),
            MessageModel::Broadcasting => 0,
        };
        let commits = 0 < commit_offset && !slave;
        let subscription = self.subscriptions.get(&assigned.queue.topic).expect("decided with a subscription");
        PullHeader {
            consumer_group: self.config.group.clone(),
            topic: assigned.queue.topic.clone(),
            queue_id: assigned.queue.queue_id,
            queue_offset: assigned.next_offset,
            max_msg_nums: self.config.pull_batch_size,
            sys_flag: SUSPEND | if commits { COMMIT_OFFSET } else { 0 },
            commit_offset,
            suspend_timeout_millis: BROKER_SUSPEND_MS,
            subscription: None,
            sub_version: subscription.sub_version,
            expression_type: Some(subscription.expression_type.clone()),
        }
    }
}

impl Client {
    /// Source: `PullMessageService.executePullRequestImmediately`.
    pub(super) fn pull_now(&mut self, consumer: usize, queue: u64) {
        self.pull.requests.push_back((consumer, queue));
        if self.pull.blocked.is_none() && !self.pull.scheduled {
            self.pull.scheduled = true;
            self.wake(Fiber::Pull, Woken::Go);
        }
    }

    /// Source: `DefaultMQPushConsumerImpl.executePullRequestLater`.
    fn pull_after(&mut self, at: usize, queue: u64, after: Span, why: &'static str, step: &mut Step<'_>) {
        if let Some(assigned) = self.consumers[at].assigned.get(&queue) {
            step.out.say(Fact::PullDelayed {
                topic: assigned.queue.topic.clone(),
                queue_id: assigned.queue.queue_id,
                millis: after.as_millis() as i64,
                why,
            });
        }
        self.pull_later.add(step.mono + after, Later::Pull(at, queue), step);
    }

    /// Too much is in hand: the same question again in a moment.
    fn pull_when_there_is_room(&mut self, at: usize, queue: u64, full: &Full, step: &mut Step<'_>) {
        if let Some(assigned) = self.consumers[at].assigned.get(&queue) {
            let (topic, queue_id) = (assigned.queue.topic.clone(), assigned.queue.queue_id);
            let (millis, Full { why, found, most }) = (FLOW_CONTROL.as_millis() as i32, *full);
            let most = i32::try_from(most).unwrap_or(i32::MAX);
            step.out.say(Fact::FlowControlled { topic, queue_id, millis, why, found, most });
        }
        self.pull_later.add(step.mono + FLOW_CONTROL, Later::Pull(at, queue), step);
    }

    /// Pulls put off, and offsets to be set right, fall due.
    pub(in crate::mq::client) fn pull_later_due(&mut self, step: &mut Step<'_>) {
        for later in self.pull_later.take_due(step) {
            match later {
                Later::Pull(consumer, queue) => self.pull_now(consumer, queue),
                Later::Repair(consumer, queue) => self.repair(consumer, queue, step),
                Later::Reset(consumer, reset) => self.reset(consumer, &reset, step),
                Later::Unlock(consumer, queue) => self.unlock(consumer, queue, step),
                Later::StopWaiting(consumer, queue) => self.stop_waiting(consumer, queue),
                Later::Consume(..) => {}
            }
        }
    }

    /// The pull thread goes on.
    pub(in crate::mq::client) fn pull_on(&mut self, woken: Woken, step: &mut Step<'_>) {
        if matches!(woken, Woken::Go) {
            self.pull.scheduled = false;
        } else {
            match self.pull.blocked.take() {
                Some(Blocked::Route(consumer, queue)) => self.pull_kernel(consumer, queue, true, step),
                Some(Blocked::Connecting(connecting)) => self.pull_connected(*connecting, woken, step),
                Some(Blocked::Seeking(queue, consumer, seeking)) => {
                    self.pull_sought(consumer, queue, *seeking, woken, step);
                }
                None => {}
            }
        }
        while self.pull.blocked.is_none()
            && let Some((consumer, queue)) = self.pull.requests.pop_front()
        {
            match self.consumers[consumer].decide(queue, step.wall) {
                Decision::Pull => self.pull_kernel(consumer, queue, false, step),
                Decision::Seek(key) => {
                    let seeking = Box::new(self.seek(consumer, key, Fiber::Pull, step));
                    self.pull.blocked = Some(Blocked::Seeking(queue, consumer, seeking));
                }
                Decision::Wait(after, why) => self.pull_after(consumer, queue, after, why, step),
                Decision::Full(full) => self.pull_when_there_is_room(consumer, queue, &full, step),
                Decision::Forget => {}
            }
        }
    }

    /// Source: `PullAPIWrapper.pullKernelImpl`.
    fn pull_kernel(&mut self, at: usize, queue: u64, refreshed: bool, step: &mut Step<'_>) {
        let consumer = &self.consumers[at];
        let Some(assigned) = consumer.assigned.get(&queue) else { return };
        let Some((addr, slave)) = self.routes.subscribe_address(&assigned.queue.broker, assigned.pull_from) else {
            if refreshed {
                return self.pull_after(at, queue, AFTER_ERROR, "error", step);
            }
            let topic = assigned.queue.topic.clone();
            self.pull.blocked = Some(Blocked::Route(at, queue));
            return self.look_up(topic, None, Fiber::Pull, step);
        };
        let language = consumer.subscriptions.get(&assigned.queue.topic).map(|data| &*data.expression_type);
        // `The broker[B, 0] does not upgrade to support for filter message by SQL92`: thrown before anything is sent.
        if !is_tag_type(language) && !self.routes.knows_version(addr) {
            return self.pull_after(at, queue, AFTER_ERROR, "error", step);
        }
        let header = Header::Pull(Box::new(consumer.pull_header(assigned, slave)));
        let command = self.remoting.command(request::PULL_MESSAGE, header);
        let waiter = Waiter::Pulled(at, queue);
        let request = Request { command, timeout: CLIENT_TIMEOUT_MS, mode: Mode::Async, waiter };
        match self.remoting.connected_or_wait(addr, Waiter::Fiber(Fiber::Pull), step) {
            true => self.remoting.invoke_at(addr, request, step.wall, step, &mut self.ready),
            false => {
                let connecting = Connecting { consumer: at, queue, addr, begin: step.wall, request };
                self.pull.blocked = Some(Blocked::Connecting(Box::new(connecting)));
            }
        }
    }

    /// The place of a first pull under a lock. One that could not be found is taken as it is: -1, which no broker has (K28).
    fn pull_sought(&mut self, at: usize, queue: u64, seeking: FromWhere, woken: Woken, step: &mut Step<'_>) {
        let place = match self.seek_on(seeking, woken, step) {
            Ok(place) => place,
            Err(seeking) => {
                self.pull.blocked = Some(Blocked::Seeking(queue, at, Box::new(seeking)));
                return;
            }
        };
        let consumer = &mut self.consumers[at];
        let Some(assigned) = consumer.assigned.get_mut(&queue) else { return };
        if place.offset < 0 && consumer.profile.fix_k28 {
            assigned.locked_first = false;
            return self.pull_after(at, queue, AFTER_ERROR, "error", step);
        }
        if place.consumed.is_some() {
            assigned.consumed = place.consumed;
        }
        if place.offset != assigned.next_offset {
            step.out.say(Fact::OffsetFixed {
                topic: assigned.queue.topic.clone(),
                queue_id: assigned.queue.queue_id,
                planned: assigned.next_offset,
                queue_offset: place.offset,
            });
        }
        assigned.next_offset = place.offset;
        match consumer.subscriptions.contains_key(&assigned.queue.topic) {
            true => self.pull_kernel(at, queue, false, step),
            false => self.pull_after(at, queue, AFTER_ERROR, "error", step),
        }
    }

    fn pull_connected(&mut self, connecting: Connecting, woken: Woken, step: &mut Step<'_>) {
        let Connecting { consumer, queue, addr, begin, request } = connecting;
        match woken {
            Woken::Written(Ok(())) => self.remoting.invoke_at(addr, request, begin, step, &mut self.ready),
            _ => self.pull_after(consumer, queue, AFTER_ERROR, "error", step),
        }
    }

    /// A pull's callback.
    pub(in crate::mq::client) fn pulled(&mut self, at: usize, queue: u64, woken: Woken, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let Some(assigned) = consumer.assigned.get_mut(&queue) else { return };
        let Woken::Answered(Ok(mut command)) = woken else {
            return self.pull_after(at, queue, AFTER_ERROR, "error", step);
        };
        let Header::Pulled(header) = command.header else {
            return self.pull_after(at, queue, AFTER_ERROR, "error", step);
        };
        assigned.pull_from = header.suggest_which_broker_id;
        match command.code {
            response::SUCCESS => {
                assigned.next_offset = header.next_begin_offset;
                let body = command.body.take().unwrap_or_default();
                self.remoting.recycle(command);
                self.found(at, queue, &header, &body, step);
            }
            response::PULL_NOT_FOUND | response::PULL_RETRY_IMMEDIATELY => {
                assigned.next_offset = header.next_begin_offset;
                // What waited in a queue that was given up is not counted any more, and not consumed either (K32).
                let is_given_up = self.config.profile.fix_k32 && assigned.window.is_dropped();
                if assigned.window.msg_count() == 0 && !is_given_up {
                    assigned.update_offset(header.next_begin_offset, true);
                }
                self.remoting.recycle(command);
                self.pull_now(at, queue);
            }
            response::PULL_OFFSET_MOVED => self.offset_illegal(at, queue, &header, step),
            _ => self.pull_after(at, queue, AFTER_ERROR, "error", step),
        }
    }

    fn found(&mut self, at: usize, queue: u64, header: &PulledHeader, body: &Bytes, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let assigned = consumer.assigned.get_mut(&queue).expect("the callback has looked");
        let subscription = consumer.subscriptions.get(&assigned.queue.topic);
        let subscription = subscription.filter(|_| !self.config.profile.plants(Mistake::TagsNotCheckedAgain));
        let bounds = self.pull.bounds(header);
        let (messages, separated) = decode(body, &assigned.queue, subscription, &bounds);
        if 0 < separated {
            let (topic, queue_id) = (assigned.queue.topic.clone(), assigned.queue.queue_id);
            step.out.say(Fact::TagsSeparated { topic, queue_id, count: separated });
        }
        let Some(first) = messages.first() else {
            return self.pull_now(at, queue);
        };
        step.out.say(Fact::Received {
            topic: assigned.queue.topic.clone(),
            broker: assigned.queue.broker.clone(),
            queue_id: assigned.queue.queue_id,
            count: messages.len() as i32,
            queue_offset: first.queue_offset.0,
        });
        let dispatch = assigned.window.put_message(&messages, Some(header.max_offset));
        if self.config.profile.plants(Mistake::CommitsOnReceipt) {
            assigned.update_offset(header.next_begin_offset, true);
        }
        let in_parallel = self.config.profile.plants(Mistake::OrderlyInParallel);
        let interval = consumer.config.pull_interval;
        match consumer.orderly.is_some() && !in_parallel {
            false => self.submit_consume(at, queue, messages, step),
            true if dispatch => self.consume_in_order(at, queue, step),
            true => {}
        }
        match interval == Span::ZERO {
            true => self.pull_now(at, queue),
            false => self.pull_later.add(step.mono + interval, Later::Pull(at, queue), step),
        }
    }

    /// The broker has no such offset: the queue is given up, its offset set right in 10 s, and a later rebalance takes it
    /// anew.
    fn offset_illegal(&mut self, at: usize, queue: u64, header: &PulledHeader, step: &mut Step<'_>) {
        let assigned = self.consumers[at].assigned.get_mut(&queue).expect("the callback has looked");
        assigned.next_offset = header.next_begin_offset;
        assigned.window.mark_dropped();
        let key = &assigned.queue;
        step.out.say(Fact::PullDelayed {
            topic: key.topic.clone(),
            queue_id: key.queue_id,
            millis: REPAIR_AFTER.as_millis() as i64,
            why: "offset-moved",
        });
        step.out.say(Fact::Revoked { topic: key.topic.clone(), broker: key.broker.clone(), queue_id: key.queue_id });
        self.pull_later.add(step.mono + REPAIR_AFTER, Later::Repair(at, queue), step);
    }

    /// Differs: upstream's thread waits up to a second for an ordered listener to end before it unlocks; here it does not.
    fn repair(&mut self, at: usize, queue: u64, step: &mut Step<'_>) {
        let Some(assigned) = self.consumers[at].assigned.get_mut(&queue) else { return };
        let offset = assigned.next_offset;
        assigned.update_offset(offset, false);
        // Once for itself and once because giving a queue up reports it.
        self.persist(at, queue, Waiter::Nobody, step);
        self.persist(at, queue, Waiter::Nobody, step);
        let consumer = &self.consumers[at];
        if consumer.orderly.is_some() && consumer.assigned.get(&queue).is_some_and(|own| !own.window.is_listening()) {
            self.unlock_delay(at, queue, step);
        }
        self.consumers[at].release(queue);
    }
}

/// The queue's ends as properties.
pub(super) struct Bounds {
    min: (Key, Name),
    max: (Key, Name),
}

/// The messages of an answer, and how many were dropped for their tags. Source: `PullAPIWrapper.processPullResult`.
pub(super) fn decode(
    body: &Bytes,
    queue: &MessageQueue,
    subscription: Option<&SubscriptionData>,
    bounds: &Bounds,
) -> (Vec<Arc<StoredMessage>>, i64) {
    let (mut messages, mut separated) = (Vec::new(), 0);
    let mut at = 0;
    while at < body.len()
        && let Some((mut message, len)) = record::decode_of(body, at, Reading::WHOLE, Some(&queue.topic))
    {
        at += len;
        if !subscription.is_none_or(|subscription| is_wanted(&message, subscription)) {
            separated += 1;
            continue;
        }
        message.broker = Some(queue.broker.clone());
        let properties = &mut message.message.properties;
        properties.put(bounds.min.0.clone(), bounds.min.1.clone());
        properties.put(bounds.max.0.clone(), bounds.max.1.clone());
        messages.push(Arc::new(message));
    }
    (messages, separated)
}

/// The broker chose by hash; the tag itself decides.
fn is_wanted(message: &StoredMessage, subscription: &SubscriptionData) -> bool {
    subscription.tags_set.is_empty()
        || message.message.properties.get(property::names::TAGS).is_some_and(|tag| subscription.tags_set.contains(tag))
}

/// Source: `DefaultMQPushConsumerImpl.PULL_TIME_DELAY_MILLS_WHEN_EXCEPTION`.
const AFTER_ERROR: Span = Span::from_millis(3000);
/// Source: `DefaultMQPushConsumerImpl.PULL_TIME_DELAY_MILLS_WHEN_SUSPEND`.
const SUSPENDED: Span = Span::from_millis(1000);
/// Source: `DefaultMQPushConsumerImpl.PULL_TIME_DELAY_MILLS_WHEN_FLOW_CONTROL`.
const FLOW_CONTROL: Span = Span::from_millis(50);
const REPAIR_AFTER: Span = Span::from_secs(10);
/// Source: `DefaultMQPushConsumerImpl.BROKER_SUSPEND_MAX_TIME_MILLIS`.
const BROKER_SUSPEND_MS: i64 = 15_000;
/// Source: `DefaultMQPushConsumerImpl.CONSUMER_TIMEOUT_MILLIS_WHEN_SUSPEND`.
const CLIENT_TIMEOUT_MS: i64 = 30_000;
const MIB: i64 = 1024 * 1024;
