//! The concurrent listener: every chunk of messages is a job of its own, in no order.
//!
//! Source: `ConsumeMessageConcurrentlyService`.

use std::sync::Arc;

use crate::mq::app::{ConsumeOutcome, Return, TaskId};
use crate::mq::client::consumer::back::{Given, Giving};
use crate::mq::client::consumer::{Consumer, Later};
use crate::mq::client::{Client, Fiber, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{Name, StoredMessage};
use crate::mq::mistake::Mistake;
use crate::mq::node::Step;
use crate::mq::pool::Submitted;
use crate::mq::time::{Millis, Span};

/// Messages of one queue for one call of the listener.
///
/// Source: `ConsumeMessageConcurrentlyService.ConsumeRequest`.
#[derive(Clone, Debug)]
pub(crate) struct ConsumeRequest {
    queue: u64,
    messages: Vec<Arc<StoredMessage>>,
}

/// A consume thread at work: in the listener, or sending messages back after it.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    consumer: usize,
    request: ConsumeRequest,
    /// The next message to send back.
    next_back: usize,
    /// `delayLevelWhenNextConsume` of what is given back.
    delay_level: i32,
    /// The message on its way back.
    giving: Option<Box<Giving>>,
    /// When the listener was called.
    started: Millis,
    /// Messages that could not be sent back.
    back_failed: Vec<Arc<StoredMessage>>,
}

impl Client {
    /// Source: `ConsumeMessageConcurrentlyService.submitConsumeRequest`.
    pub(super) fn submit_consume(
        &mut self,
        at: usize,
        queue: u64,
        mut messages: Vec<Arc<StoredMessage>>,
        step: &mut Step<'_>,
    ) {
        let batch = self.consumers[at].config.consume_message_batch_max_size.max(1);
        if messages.len() <= batch {
            return self.submit_one(at, ConsumeRequest { queue, messages }, step);
        }
        if batch == 1 {
            for message in messages {
                self.submit_one(at, ConsumeRequest { queue, messages: vec![message] }, step);
            }
            return;
        }
        while !messages.is_empty() {
            let rest = messages.split_off(batch.min(messages.len()));
            self.submit_one(at, ConsumeRequest { queue, messages }, step);
            messages = rest;
        }
    }

    fn submit_one(&mut self, at: usize, job: ConsumeRequest, step: &mut Step<'_>) {
        match self.consumers[at].threads.submit(job, step.mono) {
            Submitted::Run(job) => self.consume(at, job, step),
            Submitted::Queued => {}
            Submitted::Rejected(job) => {
                self.consume_later.add(step.mono + RETRY_AFTER, Later::Consume(at, job), step);
            }
        }
    }

    /// Calls the listener; jobs of queues given up are skipped.
    fn consume(&mut self, at: usize, job: ConsumeRequest, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let mut next = Some(job);
        while let Some(job) = next {
            let Some(assigned) = consumer.assigned.get_mut(&job.queue).filter(|found| !found.window.is_dropped())
            else {
                next = consumer.threads.finish();
                continue;
            };
            assigned.window.mark_started(&job.messages, step.wall);
            let queue = assigned.queue.clone();
            if consumer.last_start.0 != step.wall {
                consumer.last_start = (step.wall, Name::from(step.wall.0));
            }
            let messages = job.messages.iter().map(|message| consumer.for_listener(message)).collect();
            let task = TaskId(self.next_task);
            self.next_task += 1;
            let group = consumer.config.group.clone();
            step.out.app(Return::Listen { task, group, queue, messages });
            let running = Running {
                consumer: at,
                request: job,
                next_back: 0,
                delay_level: 0,
                giving: None,
                started: step.wall,
                back_failed: Vec::new(),
            };
            self.running.insert(task, running);
            return;
        }
    }

    /// A thread has nothing left to do for its job: it takes the next one.
    fn thread_free(&mut self, at: usize, step: &mut Step<'_>) {
        if let Some(next) = self.consumers[at].threads.finish() {
            self.consume(at, next, step);
        }
    }

    /// A listener has answered. An answer nobody waits for is dropped.
    pub(in crate::mq::client) fn listened(&mut self, task: TaskId, outcome: ConsumeOutcome, step: &mut Step<'_>) {
        let Some(mut running) = self.running.remove(task) else {
            return self.listened_in_order(task, outcome, step);
        };
        let at = running.consumer;
        if self.consumers[at].is_dropped(running.request.queue) {
            return self.thread_free(at, step);
        }
        let done = outcome.done(running.request.messages.len());
        if self.consumers[at].local.is_some() {
            // Upstream logs "BROADCASTING, the message consume failed, drop it".
            for failed in &running.request.messages[done..] {
                step.out.say(Fact::ConsumeDropped {
                    topic: failed.message.topic.clone(),
                    queue_id: failed.queue_id,
                    queue_offset: failed.queue_offset.0,
                });
            }
            return self.consumed(running, step);
        }
        running.next_back = done;
        if let ConsumeOutcome::LaterAt { delay_level } = outcome {
            running.delay_level = delay_level;
        }
        self.send_back(task, running, step);
    }

    /// Gives the next failed message back, or ends the job when there is none.
    ///
    /// Source: `ConsumeMessageConcurrentlyService.processConsumeResult`, `sendMessageBack`.
    fn send_back(&mut self, task: TaskId, mut running: Running, step: &mut Step<'_>) {
        if let Some(message) = running.request.messages.get(running.next_back).cloned() {
            let (at, started) = (running.consumer, running.started);
            let giving = Giving { message, started, delay_level: running.delay_level, to: None, group: None };
            running.giving = Some(Box::new(giving.clone()));
            self.running.insert(task, running);
            return self.give_back(at, &giving, Fiber::Consume(task), step);
        }
        self.consumed(running, step);
    }

    /// A message was given back, or not: then it is one failure older and stays.
    pub(in crate::mq::client) fn sent_back(&mut self, task: TaskId, woken: Woken, step: &mut Step<'_>) {
        let Some(mut running) = self.running.remove(task) else { return };
        let Some(giving) = running.giving.take() else { return };
        match self.given_back(running.consumer, &giving, woken, Fiber::Consume(task), step) {
            Given::Again => {
                running.giving = Some(giving);
                self.running.insert(task, running);
                return;
            }
            Given::Kept if self.config.profile.plants(Mistake::DropsFailedBack) => {}
            Given::Kept => running.back_failed.push(again(&giving.message)),
            Given::Taken => {}
        }
        running.next_back += 1;
        self.send_back(task, running, step);
    }

    /// Takes what is done out of the window and moves the offset up to the lowest message left.
    fn consumed(&mut self, running: Running, step: &mut Step<'_>) {
        let Running { consumer: at, request, back_failed, .. } = running;
        let failed: Vec<i64> = back_failed.iter().map(|message| message.queue_offset.0).collect();
        if let Some(assigned) = self.consumers[at].assigned.get_mut(&request.queue) {
            let done = request.messages.iter().filter(|message| !failed.contains(&message.queue_offset.0));
            let highest = done.clone().map(|message| message.queue_offset.0 + 1).max();
            let lowest = assigned.window.remove_message(done);
            let takes_highest = self.config.profile.plants(Mistake::CommitsHighest);
            let offset = highest.filter(|_| takes_highest).unwrap_or(lowest);
            if 0 <= offset && !assigned.window.is_dropped() {
                assigned.update_offset(offset, true);
            }
        }
        if let Some(first) = back_failed.first() {
            step.out.say(Fact::ConsumeDelayed {
                topic: first.message.topic.clone(),
                queue_id: first.queue_id,
                count: back_failed.len() as i32,
                millis: RETRY_AFTER.as_millis() as i64,
            });
            let again = ConsumeRequest { queue: request.queue, messages: back_failed };
            self.consume_later.add(step.mono + RETRY_AFTER, Later::Consume(at, again), step);
        }
        self.thread_free(at, step);
    }

    /// Messages put off fall due.
    pub(in crate::mq::client) fn consume_later_due(&mut self, step: &mut Step<'_>) {
        for later in self.consume_later.take_due(step) {
            if let Later::Consume(at, job) = later {
                self.submit_one(at, job, step);
            }
        }
    }
}

impl Consumer {
    fn is_dropped(&self, queue: u64) -> bool {
        self.assigned.get(&queue).is_none_or(|assigned| assigned.window.is_dropped())
    }

    /// The message as the listener sees it: when it was handed over, and under its own topic.
    ///
    /// Source: `ConsumeMessageConcurrentlyService.resetRetryTopic`.
    fn for_listener(&self, stored: &StoredMessage) -> StoredMessage {
        let mut seen = stored.clone();
        seen.message.properties.put(self.start_time.clone(), self.last_start.1.clone());
        if seen.message.topic == self.retry_topic {
            seen.message.topic = self.own_topic(stored);
        }
        seen
    }
}

/// The message once more, one failure older.
pub(super) fn again(message: &Arc<StoredMessage>) -> Arc<StoredMessage> {
    let mut again = StoredMessage::clone(message);
    again.reconsume_times += 1;
    Arc::new(again)
}

const RETRY_AFTER: Span = Span::from_millis(5000);
