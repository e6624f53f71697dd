//! Messages whose listener takes too long are sent back and let go; the listener goes on regardless.
//!
//! Source: `ConsumeMessageConcurrentlyService.cleanExpireMsg`, `ProcessQueue.cleanExpiredMsg`.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::message::StoredMessage;
use crate::mq::node::{Addr, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::Header;

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
    back: Option<Arc<StoredMessage>>,
    running: bool,
}

impl Default for Cleaner {
    fn default() -> Cleaner {
        Cleaner { due: Time::NEVER, queues: VecDeque::new(), left: 0, back: None, running: false }
    }
}

impl Client {
    /// Arms the cleaning threads; one timer stands for all.
    pub(in crate::mq::client) fn arm_cleaners(&mut self, step: &mut Step<'_>) {
        for consumer in &mut self.consumers {
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
                Some((message, Some(started))) if timeout < step.wall.since(started) => Some(message.clone()),
                _ => None,
            };
            match expired.filter(|_| 0 < consumer.cleaner.left) {
                Some(message) => {
                    consumer.cleaner.left -= 1;
                    consumer.cleaner.back = Some(message.clone());
                    return self.clean_sends_back(at, &message, step);
                }
                None => {
                    consumer.cleaner.queues.pop_front();
                    consumer.cleaner.left = LOOP_MAX;
                }
            }
        }
        consumer.cleaner.running = false;
    }

    /// To the host that stored the message, for it alone knows the log offset.
    fn clean_sends_back(&mut self, at: usize, message: &StoredMessage, step: &mut Step<'_>) {
        let host = message.store_host;
        let addr = Addr { ip: host.ip, port: u16::try_from(host.port).unwrap_or(0) };
        let mut header = self.consumers[at].send_back_header(message);
        header.delay_level = EXPIRED_DELAY_LEVEL;
        let command = self.remoting.command(request::CONSUMER_SEND_MSG_BACK, Header::SendBack(Box::new(header)));
        let waiter = Waiter::Fiber(Fiber::Clean(at));
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }

    /// The cleaning thread goes on: what the broker took back leaves the window if it is still its first.
    pub(in crate::mq::client) fn clean_on(&mut self, at: usize, woken: Woken, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        let Some(message) = consumer.cleaner.back.take() else { return };
        let ok = matches!(woken, Woken::Answered(Ok(command)) if command.code == response::SUCCESS);
        if ok
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
const TIMEOUT_MS: i64 = 5000;
