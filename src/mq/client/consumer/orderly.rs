//! The ordered listener: one thread at a time on a queue, and only while its lock is fresh.
//!
//! ```text
//!  put_message ─▶ task ─▶ monitor of the queue ─▶ locked, not 30 s old? ─▶ take ─▶ listener ─▶ commit ─┐
//!                  ▲                               │ no: lock, then again     ▲   │ suspend            │
//!                  └───────────────────────────────┴─── in 1 s ◀──────────────┼───┘                    │
//!                                                                             └────────────────────────┘
//! ```
//!
//! A task names a queue, not messages; it goes on until nothing is cached, the listener suspends, the lock is missing or a
//! minute is over. What it took is not in the window any more and not done: an offset moves when it is committed.
//!
//! Source: `ConsumeMessageOrderlyService`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::mq::app::{ConsumeOutcome, Ordered, OrderlyStatus, Return, SendMode, SendTo, TaskId};
use crate::mq::client::config::CLIENT_INNER_PRODUCER_GROUP;
use crate::mq::client::consumer::concurrently::again;
use crate::mq::client::consumer::process_queue::ProcessQueue;
use crate::mq::client::consumer::queue_lock::{Locker, Task};
use crate::mq::client::consumer::{Assigned, Consumer};
use crate::mq::client::producer::send::{Caller, Started};
use crate::mq::client::{Client, Fiber, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::property::names;
use crate::mq::message::{Message, MessageQueue, Name, StoredMessage};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::pool::{Pool, Submitted};
use crate::mq::time::{Millis, Span};

/// What an ordered consumer has besides.
#[derive(Clone, Debug)]
pub(crate) struct Orderly {
    /// The consume threads; a job is a queue.
    threads: Pool<u64>,
    /// The queues of which a task is under way, and the tasks that wait for them in threads of their own.
    ///
    /// By name: a queue that was given up and taken again has a new window and the old monitor.
    monitors: BTreeMap<MessageQueue, Monitor>,
    pub(super) locker: Locker,
}

/// A queue's Java monitor. Source: `MessageQueueLock`.
#[derive(Clone, Debug, Default)]
struct Monitor {
    is_held: bool,
    waiting: VecDeque<u64>,
}

/// A thread that consumes a queue: in the listener, or giving messages up after it.
#[derive(Clone, Debug)]
pub(crate) struct InOrder {
    consumer: usize,
    queue: u64,
    key: MessageQueue,
    /// Since when it has consumed without a break.
    begin: Millis,
    messages: Vec<Arc<StoredMessage>>,
    answer: Ordered,
    /// The next message of which it is asked how often it has failed.
    next: usize,
    /// Whether a message of the batch is to be consumed again.
    suspend: bool,
}

/// How far a task got.
enum Ran {
    /// It has its thread still: in the listener, or in front of a monitor.
    On,
    /// It is over.
    Ended,
}

impl Orderly {
    pub(super) fn new(threads: usize) -> Orderly {
        Orderly { threads: Pool::new(threads, usize::MAX), monitors: BTreeMap::new(), locker: Locker::default() }
    }

    /// A task is over: its thread takes the next one, and who waited for the queue goes on.
    fn leave(&mut self, key: Option<&MessageQueue>) -> impl Iterator<Item = u64> {
        let mut heir = None;
        if let Some(key) = key
            && let Some(monitor) = self.monitors.get_mut(key)
        {
            monitor.is_held = false;
            heir = monitor.waiting.pop_front();
            if heir.is_none() {
                self.monitors.remove(key);
            }
        }
        heir.into_iter().chain(self.threads.finish())
    }
}

impl Client {
    /// Has a queue consumed by the next free thread. Source: `ConsumeMessageOrderlyService.submitConsumeRequest`.
    pub(super) fn consume_in_order(&mut self, at: usize, queue: u64, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let Some(orderly) = consumer.orderly.as_mut().filter(|_| consumer.running) else { return };
        if let Submitted::Run(queue) = orderly.threads.submit(queue, step.mono) {
            self.run_tasks([queue].into(), step, at);
        }
    }

    /// Runs tasks, each in its thread, until all of them wait or are over.
    fn run_tasks(&mut self, mut tasks: VecDeque<u64>, step: &mut Step<'_>, at: usize) {
        while let Some(queue) = tasks.pop_front() {
            let key = self.consumers[at].assigned.get(&queue).map(|assigned| assigned.queue.clone());
            if let Ran::Ended = self.begin_task(at, queue, key.as_ref(), step)
                && let Some(orderly) = &mut self.consumers[at].orderly
            {
                tasks.extend(orderly.leave(key.as_ref()));
            }
        }
    }

    /// A task begins: behind the monitor, with a fresh lock, or not at all. Source: `ConsumeRequest.run`.
    fn begin_task(&mut self, at: usize, queue: u64, key: Option<&MessageQueue>, step: &mut Step<'_>) -> Ran {
        let consumer = &mut self.consumers[at];
        let Some(orderly) = &mut consumer.orderly else { return Ran::Ended };
        let Some((assigned, key)) = consumer.assigned.get(&queue).zip(key) else { return Ran::Ended };
        let monitor = orderly.monitors.entry(key.clone()).or_default();
        if monitor.is_held {
            monitor.waiting.push_back(queue);
            return Ran::On;
        }
        monitor.is_held = true;
        let window = &assigned.window;
        if !window.is_dropped() && !consumer.may_consume(window, step.wall) {
            self.lock_and_consume(at, queue, AFTER_BEGIN, step);
            return Ran::Ended;
        }
        self.consume_next(at, queue, key, step.wall, step)
    }

    /// Calls the listener with what is cached next, unless something speaks against it.
    fn consume_next(&mut self, at: usize, queue: u64, key: &MessageQueue, begin: Millis, step: &mut Step<'_>) -> Ran {
        let consumer = &mut self.consumers[at];
        let goes_on = consumer.profile.plants(Mistake::DroppedStillConsumed);
        let is_own = |assigned: &&Assigned| !assigned.window.is_dropped() || goes_on;
        let Some(assigned) = consumer.assigned.get(&queue).filter(is_own) else {
            return Ran::Ended;
        };
        if !consumer.may_consume(&assigned.window, step.wall) {
            self.lock_and_consume(at, queue, AFTER_LOSS, step);
            return Ran::Ended;
        }
        if MAX_TIME_CONSUME_CONTINUOUSLY_MS < step.wall.since(begin) {
            let MessageQueue { topic, queue_id, .. } = key.clone();
            step.out.say(Fact::ConsumeYielded { topic, queue_id, millis: BREAK.as_millis() as i64 });
            self.locker_does(at, step.mono + BREAK, Task::Consume(queue), step);
            return Ran::Ended;
        }
        let Some(assigned) = consumer.assigned.get_mut(&queue) else { return Ran::Ended };
        let messages = assigned.window.take_messages(consumer.config.consume_message_batch_max_size);
        if messages.is_empty() {
            return Ran::Ended;
        }
        assigned.window.set_listening(true);
        let task = TaskId(self.next_task);
        self.next_task += 1;
        let group = consumer.config.group.clone();
        let handed = messages.iter().map(|message| StoredMessage::clone(message)).collect();
        step.out.app(Return::Listen { task, group, queue: key.clone(), messages: handed });
        let answer = Ordered::new(OrderlyStatus::Suspend);
        let key = key.clone();
        let running = InOrder { consumer: at, queue, key, begin, messages, answer, next: 0, suspend: false };
        self.in_order.insert(task, running);
        Ran::On
    }

    /// Source: `ConsumeMessageOrderlyService.tryLockLaterAndReconsume`.
    fn lock_and_consume(&mut self, at: usize, queue: u64, after: Span, step: &mut Step<'_>) {
        let Some(assigned) = self.consumers[at].assigned.get(&queue) else { return };
        let key = assigned.queue.clone();
        step.out.say(Fact::ConsumeAwaitsLock {
            topic: key.topic.clone(),
            queue_id: key.queue_id,
            why: if assigned.window.is_locked() { "lock-expired" } else { "not-locked" },
            millis: after.as_millis() as i64,
        });
        self.locker_does(at, step.mono + after, Task::Lock(queue, key), step);
    }

    /// An ordered listener has answered. An answer nobody waits for is dropped.
    pub(super) fn listened_in_order(&mut self, task: TaskId, outcome: ConsumeOutcome, step: &mut Step<'_>) {
        let Some(mut running) = self.in_order.remove(task) else { return };
        if let Some(assigned) = self.consumers[running.consumer].assigned.get_mut(&running.queue) {
            assigned.window.set_listening(false);
        }
        self.stop_waiting(running.consumer, running.queue);
        running.answer = match outcome {
            ConsumeOutcome::Ordered(answer) => answer,
            ConsumeOutcome::Success { .. } => Ordered::new(OrderlyStatus::Success),
            ConsumeOutcome::Later | ConsumeOutcome::LaterAt { .. } | ConsumeOutcome::Threw | ConsumeOutcome::Null => {
                Ordered::new(OrderlyStatus::Suspend)
            }
        };
        match running.answer.status {
            OrderlyStatus::Suspend => self.check_reconsume_times(task, running, step),
            _ => self.conclude(running, step),
        }
    }

    /// Gives up what has failed too often; the rest is one failure older and makes the queue rest.
    ///
    /// Source: `ConsumeMessageOrderlyService.checkReconsumeTimes`, `sendMessageBack`.
    fn check_reconsume_times(&mut self, task: TaskId, mut running: InOrder, step: &mut Step<'_>) {
        let max = self.consumers[running.consumer].times_max_in_order();
        while let Some(message) = running.messages.get_mut(running.next) {
            if max <= message.reconsume_times {
                let copy = self.consumers[running.consumer].given_up_copy(message);
                // Upstream's copy and the message have one map of properties.
                Arc::make_mut(message).message.properties = copy.properties.clone();
                self.in_order.insert(task, running);
                let (caller, group) = (Caller::Thread(Fiber::InOrder(task)), CLIENT_INNER_PRODUCER_GROUP);
                let started = Started { caller, group, mode: SendMode::Sync, to: SendTo::Any, batch: None };
                return self.start_send(started, copy, None, step);
            }
            *message = again(message);
            running.suspend = true;
            running.next += 1;
        }
        self.conclude(running, step);
    }

    /// A message was given up, or nobody took it: then it is tried again.
    pub(in crate::mq::client) fn given_up(&mut self, task: TaskId, woken: Woken, step: &mut Step<'_>) {
        let Some(mut running) = self.in_order.remove(task) else { return };
        if let Woken::Sent(Err(why)) = woken
            && let Some(message) = running.messages.get_mut(running.next)
        {
            let broker = message.broker.clone().unwrap_or_default();
            step.out.say(Fact::SendBackFailed { broker, at: message.commit_log_offset.0, why });
            *message = again(message);
            running.suspend = true;
        }
        running.next += 1;
        self.check_reconsume_times(task, running, step);
    }

    /// Commits, puts back or leaves things open, then goes on or stops.
    ///
    /// Source: `ConsumeMessageOrderlyService.processConsumeResult`.
    fn conclude(&mut self, running: InOrder, step: &mut Step<'_>) {
        let InOrder { consumer: at, queue, key, begin, messages, answer, suspend, .. } = running;
        let Ordered { status, auto_commit, suspend_millis } = answer;
        let mut rests = false;
        let mut commits = false;
        match status {
            OrderlyStatus::Suspend if suspend && !self.config.profile.plants(Mistake::SuspendedIsSkipped) => {
                rests = true
            }
            OrderlyStatus::Suspend | OrderlyStatus::Success => commits = auto_commit,
            OrderlyStatus::Commit => commits = true,
            OrderlyStatus::Rollback => (commits, rests) = (auto_commit, !auto_commit),
        }
        let mut goes_on = !rests;
        if let Some(assigned) = self.consumers[at].assigned.get_mut(&queue) {
            if rests && status == OrderlyStatus::Rollback {
                assigned.window.rollback();
            } else if rests {
                assigned.window.make_message_to_consume_again(&messages);
            }
            if commits {
                match assigned.window.commit() {
                    Some(offset) if !assigned.window.is_dropped() => assigned.update_offset(offset, false),
                    Some(_) => {}
                    // Upstream's commit throws, and the thread forgets the queue.
                    None => goes_on = false,
                }
            }
            if rests {
                let first = assigned.window.first().map_or(0, |(first, _)| first.queue_offset.0);
                self.rest(at, queue, (&key, first), suspend_millis, step);
            }
        }
        let ran = if goes_on { self.consume_next(at, queue, &key, begin, step) } else { Ran::Ended };
        if let Ran::Ended = ran
            && let Some(orderly) = &mut self.consumers[at].orderly
        {
            let tasks = orderly.leave(Some(&key)).collect();
            self.run_tasks(tasks, step, at);
        }
    }

    /// A queue rests. Source: `ConsumeMessageOrderlyService.submitConsumeRequestLater`.
    fn rest(&mut self, at: usize, queue: u64, (key, first): (&MessageQueue, i64), millis: i64, step: &mut Step<'_>) {
        let own = self.consumers[at].config.suspend_current_queue_time.as_millis() as i64;
        let millis = if millis == -1 { own } else { millis }.clamp(REST_MIN_MS, REST_MAX_MS);
        step.out.say(Fact::Suspended { topic: key.topic.clone(), queue_id: key.queue_id, queue_offset: first, millis });
        self.locker_does(at, step.mono + Span::from_millis(millis.unsigned_abs()), Task::Consume(queue), step);
    }
}

impl Consumer {
    /// Whether an ordered listener may be given what a queue has: its lock is held, and the lease of it runs.
    fn may_consume(&self, window: &ProcessQueue, now: Millis) -> bool {
        let (is_locked, runs) = (window.is_locked(), !window.is_lock_expired(now));
        if self.profile.plants(Mistake::LockOrLease) { is_locked || runs } else { is_locked && runs }
    }

    /// Source: `ConsumeMessageOrderlyService.getMaxReconsumeTimes`.
    fn times_max_in_order(&self) -> i32 {
        match self.config.max_reconsume_times {
            -1 => i32::MAX,
            max => max,
        }
    }

    /// What is sent to the group's retry topic for a message that failed too often; the broker makes it a dead letter.
    ///
    /// A message of the retry topic keeps that as its topic: no ordered listener's message is given its own name back.
    /// Source: `ConsumeMessageOrderlyService.sendMessageBack`.
    fn given_up_copy(&self, stored: &StoredMessage) -> Message {
        let mut properties = stored.message.properties.clone();
        let times = stored.reconsume_times;
        properties.put(names::RECONSUME_TIME, times.to_string());
        properties.put(names::RETRY_TOPIC, stored.message.topic.clone());
        properties.put(names::MAX_RECONSUME_TIMES, self.times_max_in_order().to_string());
        properties.put(names::DELAY, FIRST_LEVEL.wrapping_add(times).to_string());
        let topic: Name = self.retry_topic.clone();
        Message { topic, flag: stored.message.flag, properties, body: stored.message.body.clone() }
    }
}

/// Source: `ConsumeMessageOrderlyService.MAX_TIME_CONSUME_CONTINUOUSLY`.
const MAX_TIME_CONSUME_CONTINUOUSLY_MS: i64 = 60_000;
/// When the lock is asked for that a task did not find, and that it lost.
const AFTER_BEGIN: Span = Span::from_millis(100);
const AFTER_LOSS: Span = Span::from_millis(10);
const BREAK: Span = Span::from_millis(10);
/// Bounds of a rest. Source: `ConsumeMessageOrderlyService.submitConsumeRequestLater`.
const REST_MIN_MS: i64 = 10;
const REST_MAX_MS: i64 = 30_000;
/// The delay level of the first retry.
const FIRST_LEVEL: i32 = 3;
