//! Messages whose listener takes too long are sent back and let go; the listener goes on regardless.
//!
//! Source: `ConsumeMessageConcurrentlyService.cleanExpireMsg`, `ProcessQueue.cleanExpiredMsg`.

use std::collections::VecDeque;

use crate::mq::client::consumer::back::{Given, Giving};
use crate::mq::client::{Client, Fiber, Woken};
use crate::mq::node::{Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};

/// One consumer's cleaning thread.
#[derive(Clone, Debug)]
pub(crate) struct Cleaner {
    /// When it runs next; never again once a run has thrown.
    due: Time,
    /// Queues that this run has still to look at.
    queues: VecDeque<u64>,
    /// How many messages of the front queue this run may still send back.
    left: usize,
    /// The message on its way back.
    back: Option<Giving>,
    running: bool,
}

impl Default for Cleaner {
    fn default() -> Cleaner {
        Cleaner { due: Time::NEVER, queues: VecDeque::new(), left: 0, back: None, running: false }
    }
}

impl Client {
    /// Arms the cleaning threads; one timer stands for all. Ordered listeners have none, nor has who pulls.
    pub(in crate::mq::client) fn arm_cleaners(&mut self, step: &mut Step<'_>) {
        for consumer in self.consumers.iter_mut().filter(|consumer| consumer.orderly.is_none() && !consumer.pulls()) {
            consumer.cleaner.due = step.mono + consumer.config.consume_timeout;
        }
        self.arm_next_clean(step);
    }

    fn arm_next_clean(&mut self, step: &mut Step<'_>) {
        let next = self.consumers.iter().map(|consumer| consumer.cleaner.due).min();
        if let Some(next) = next.filter(|next| *next != Time::NEVER) {
            step.out.arm(TimerKey::of(Timer::CleanExpired), next);
        }
    }

    /// The timer fired.
    pub(in crate::mq::client) fn clean_due(&mut self, step: &mut Step<'_>) {
        for at in 0..self.consumers.len() {
            let consumer = &mut self.consumers[at];
            if consumer.cleaner.running || step.mono < consumer.cleaner.due || !consumer.running {
                continue;
            }
            consumer.cleaner.due += consumer.config.consume_timeout.max(Span::from_millis(1));
            consumer.cleaner.running = true;
            consumer.cleaner.queues = consumer.assigned.keys().copied().collect();
            consumer.cleaner.left = LOOP_MAX;
            self.clean(at, step);
        }
        self.arm_next_clean(step);
    }

    /// Sends the next expired message back, or ends the run.
    fn clean(&mut self, at: usize, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let timeout = consumer.config.consume_timeout.as_millis() as i64;
        while let Some(queue) = consumer.cleaner.queues.front().copied() {
            let first = consumer.assigned.get(&queue).and_then(|assigned| assigned.window.first());
            let expired = match first {
                // No start time: parsing it throws, and a scheduled task that throws never runs again.
                Some((_, None)) if 0 < consumer.cleaner.left => {
                    consumer.cleaner = Cleaner::default();
                    return;
                }
                Some((message, Some(started))) if timeout < step.wall.since(started) => {
                    Some((message.clone(), started))
                }
                _ => None,
            };
            match expired.filter(|_| 0 < consumer.cleaner.left) {
                Some((message, started)) => {
                    consumer.cleaner.left -= 1;
                    // To the host that stored the message.
                    let to = Some(message.store_host);
                    let giving = Giving { message, started, delay_level: EXPIRED_DELAY_LEVEL, to, group: None };
                    consumer.cleaner.back = Some(giving.clone());
                    return self.give_back(at, &giving, Fiber::Clean(at), step);
                }
                None => {
                    consumer.cleaner.queues.pop_front();
                    consumer.cleaner.left = LOOP_MAX;
                }
            }
        }
        consumer.cleaner.running = false;
    }

    /// The cleaning thread goes on: what the broker took back leaves the window if it is still its first.
    pub(in crate::mq::client) fn clean_on(&mut self, at: usize, woken: Woken, step: &mut Step<'_>) {
        let Some(giving) = self.consumers[at].cleaner.back.take() else { return };
        let given = self.given_back(at, &giving, woken, Fiber::Clean(at), step);
        let consumer = &mut self.consumers[at];
        if let Given::Again = given {
            consumer.cleaner.back = Some(giving);
            return;
        }
        let message = giving.message;
        if let Given::Taken = given
            && let Some(queue) = consumer.cleaner.queues.front()
            && let Some(assigned) = consumer.assigned.get_mut(queue)
            && assigned.window.first().is_some_and(|(first, _)| first.queue_offset == message.queue_offset)
        {
            assigned.window.remove_message([&message]);
        }
        self.clean(at, step);
    }
}

/// At most so many messages of a queue in one run.
const LOOP_MAX: usize = 16;
const EXPIRED_DELAY_LEVEL: i32 = 3;
