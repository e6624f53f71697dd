//! Locks of queues that are consumed in order: asked for at the queue's master, renewed every 20 s, let go.
//!
//! ```text
//!  rebalance ─▶ lock one ─▶ take the queue ┄▶ (not yet: the flag is set on queues in hand only)
//!  1 s, 21 s, 41 s … ─▶ lock all in hand, dropped ones, too ─▶ flag and moment by queue
//! ```
//!
//! The one thread that locks also puts queues off: while it waits for a broker nothing of that goes on.
//!
//! Source: `RebalanceImpl.lock`, `lockAll`, `unlock`, `RebalancePushImpl.unlockDelay`, `ConsumeMessageOrderlyService`.

use std::collections::{BTreeMap, VecDeque};

use crate::mq::client::consumer::{Assigned, Consumer, Later};
use crate::mq::client::remoting::{Mode, Request, Target};
use crate::mq::client::route::{java_order, queue_hash};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Name, java};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::locks::{LockBatchRequestBody, LockBatchResponseBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::header::Header;

/// A consumer's `ConsumeMessageScheduledThread`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locker {
    due: BTreeMap<(Time, u64), Task>,
    next: u64,
    busy: Option<Busy>,
}

/// What the thread does when its time has come.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// It locks all queues in hand.
    LockAll,
    /// It locks one queue, which is then consumed.
    Lock(u64, MessageQueue),
    /// It has a queue consumed.
    Consume(u64),
}

/// What the thread waits in.
#[derive(Clone, Debug)]
enum Busy {
    /// A broker's answer about these queues; others follow. The moment at which the round was due.
    All { due: Time, asked: Vec<MessageQueue>, left: VecDeque<Vec<MessageQueue>> },
    /// The answer about this queue.
    One(u64, MessageQueue),
}

impl Client {
    /// Arms the first round of every ordered consumer. Source: `ConsumeMessageOrderlyService.start`.
    pub(in crate::mq::client) fn arm_lockers(&mut self, step: &mut Step<'_>) {
        for at in 0..self.consumers.len() {
            self.locker_does(at, step.mono + FIRST_LOCK, Task::LockAll, step);
        }
    }

    /// Has a consumer's thread do something at a moment; not after its shutdown.
    pub(super) fn locker_does(&mut self, at: usize, due: Time, task: Task, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[at];
        if let Some(orderly) = consumer.orderly.as_mut().filter(|_| consumer.running) {
            let locker = &mut orderly.locker;
            locker.due.insert((due, locker.next), task);
            locker.next += 1;
            self.arm_next_locker(step);
        }
    }

    /// Arms for the first task of a thread that is free.
    fn arm_next_locker(&mut self, step: &mut Step<'_>) {
        let free = self.consumers.iter().filter_map(Consumer::locker).filter(|locker| locker.busy.is_none());
        let first = free.filter_map(|locker| locker.due.keys().next()).map(|(due, _)| *due).min();
        if let Some(first) = first.filter(|first| *first < self.lockers_armed) {
            self.lockers_armed = first;
            step.out.arm(TimerKey::of(Timer::OrderlyScheduled), first);
        }
    }

    /// The timer fired.
    pub(in crate::mq::client) fn lockers_due(&mut self, step: &mut Step<'_>) {
        self.lockers_armed = Time::NEVER;
        for at in 0..self.consumers.len() {
            self.locker_goes_on(at, step);
        }
        self.arm_next_locker(step);
    }

    /// A consumer's thread does what is due, until it has to wait.
    fn locker_goes_on(&mut self, at: usize, step: &mut Step<'_>) {
        while let Some(orderly) = self.consumers[at].orderly.as_mut().filter(|orderly| orderly.locker.busy.is_none())
            && let Some(first) = orderly.locker.due.first_entry()
            && first.key().0 <= step.mono
        {
            let (due, _) = *first.key();
            match first.remove() {
                Task::Consume(queue) => self.consume_in_order(at, queue, step),
                Task::LockAll => {
                    let left = self.consumers[at].by_broker().into();
                    self.lock_next(at, due, left, step);
                }
                Task::Lock(id, queue) => match self.routes.master(&queue.broker) {
                    Some(addr) if self.consumers[at].running => {
                        self.set_busy(at, Some(Busy::One(id, queue.clone())));
                        self.ask_lock(at, addr, vec![queue], Fiber::Locker(at), step);
                    }
                    _ => self.locker_does(at, step.mono + AFTER_REFUSAL, Task::Consume(id), step),
                },
            }
        }
    }

    /// Locks the queues of the next broker, or ends the round: the next is due 20 s after this one was.
    fn lock_next(&mut self, at: usize, due: Time, mut left: VecDeque<Vec<MessageQueue>>, step: &mut Step<'_>) {
        while let Some(asked) = left.pop_front().filter(|_| self.consumers[at].running) {
            if let Some(addr) = asked.first().and_then(|queue| self.routes.master(&queue.broker)) {
                self.set_busy(at, Some(Busy::All { due, asked: asked.clone(), left }));
                return self.ask_lock(at, addr, asked, Fiber::Locker(at), step);
            }
        }
        self.locker_does(at, due + LOCK_INTERVAL, Task::LockAll, step);
    }

    /// A broker answered, or did not: then the flags stay as they are.
    pub(in crate::mq::client) fn locker_on(&mut self, at: usize, woken: Woken, step: &mut Step<'_>) {
        let busy = self.consumers[at].orderly.as_mut().and_then(|orderly| orderly.locker.busy.take());
        let locked = self.lock_answered(at, &woken, step);
        match busy {
            Some(Busy::All { due, asked, left }) => {
                if let Some(locked) = locked {
                    for queue in asked.iter().filter(|queue| !locked.contains(queue)) {
                        self.consumers[at].lost_lock(queue, step);
                    }
                }
                self.lock_next(at, due, left, step);
            }
            Some(Busy::One(id, queue)) => {
                let is_locked = locked.is_some_and(|locked| locked.contains(&queue));
                let after = if is_locked { AFTER_LOCK } else { AFTER_REFUSAL };
                self.locker_does(at, step.mono + after, Task::Consume(id), step);
            }
            None => {}
        }
        self.locker_goes_on(at, step);
        self.arm_next_locker(step);
    }

    fn set_busy(&mut self, at: usize, busy: Option<Busy>) {
        if let Some(orderly) = &mut self.consumers[at].orderly {
            orderly.locker.busy = busy;
        }
    }

    /// Asks a master for locks, as a thread does. Source: `MQClientAPIImpl.lockBatchMQ`.
    pub(super) fn ask_lock(
        &mut self,
        at: usize,
        addr: Addr,
        queues: Vec<MessageQueue>,
        fiber: Fiber,
        step: &mut Step<'_>,
    ) {
        let mut command = self.remoting.command(request::LOCK_BATCH_MQ, Header::None);
        command.body = Some(self.lock_body(at, queues).encode());
        self.thread_asks(fiber, addr, command, TIMEOUT_MS, step);
    }

    fn lock_body(&self, at: usize, mut mq_set: Vec<MessageQueue>) -> LockBatchRequestBody {
        java_order(&mut mq_set, queue_hash);
        let consumer_group = self.consumers[at].group().clone();
        LockBatchRequestBody { consumer_group, client_id: self.client_id.clone(), mq_set }
    }

    /// The queues that a master leased, noted on those in hand; nothing if it did not answer.
    pub(super) fn lock_answered(&mut self, at: usize, woken: &Woken, step: &mut Step<'_>) -> Option<Vec<MessageQueue>> {
        let Woken::Answered(Ok(command)) = woken else { return None };
        if command.code != response::SUCCESS {
            return None;
        }
        let locked = LockBatchResponseBody::decode(command.body.as_deref()?).ok()?.lock_ok_mq_set;
        let forgets = locked.len() == 1 && self.config.profile.plants(Mistake::WonLockForgotten);
        for queue in locked.iter().filter(|_| !forgets) {
            self.consumers[at].got_lock(queue, step);
        }
        Some(locked)
    }

    /// Lets a queue's lock go now, or in 20 s if messages of it are cached. Source: `RebalancePushImpl.unlockDelay`.
    ///
    /// Differs: upstream's delayed unlock waits for the timetable's thread to be free.
    pub(super) fn unlock_delay(&mut self, at: usize, id: u64, step: &mut Step<'_>) {
        let Some(assigned) = self.consumers[at].assigned.get(&id) else { return };
        let queue = assigned.queue.clone();
        if !assigned.window.has_temp_message() {
            return self.unlock(at, queue, step);
        }
        let MessageQueue { topic, broker, queue_id } = queue.clone();
        step.out.say(Fact::UnlockDelayed { topic, broker, queue_id, millis: UNLOCK_DELAY.as_millis() as i64 });
        self.pull_later.add(step.mono + UNLOCK_DELAY, Later::Unlock(at, queue), step);
    }

    /// Lets a queue's lock go, one-way and not on the VIP port. Source: `RebalanceImpl.unlock`.
    pub(super) fn unlock(&mut self, at: usize, queue: MessageQueue, step: &mut Step<'_>) {
        let Some(addr) = self.routes.master(&queue.broker) else { return };
        let mut command = self.remoting.command(request::UNLOCK_BATCH_MQ, Header::None);
        command.body = Some(self.lock_body(at, vec![queue]).encode());
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Oneway, waiter: Waiter::Nobody };
        self.remoting.invoke(Target::At(addr), request, step, &mut self.ready);
    }

    /// What a consumer that ends has to unlock, broker by broker. Source: `RebalanceImpl.unlockAll`.
    pub(in crate::mq::client) fn locks_of(&self, at: usize) -> VecDeque<(usize, Vec<MessageQueue>)> {
        match self.consumers[at].orderly {
            Some(_) => self.consumers[at].by_broker().into_iter().map(|queues| (at, queues)).collect(),
            None => VecDeque::new(),
        }
    }

    /// Unlocks queues of one broker and waits for the answer; false if the broker has no known master.
    pub(in crate::mq::client) fn unlock_and_wait(
        &mut self,
        at: usize,
        queues: &[MessageQueue],
        step: &mut Step<'_>,
    ) -> bool {
        let Some(addr) = queues.first().and_then(|queue| self.routes.master(&queue.broker)) else { return false };
        let mut command = self.remoting.command(request::UNLOCK_BATCH_MQ, Header::None);
        command.body = Some(self.lock_body(at, queues.to_vec()).encode());
        self.thread_asks(Fiber::Shutdown, addr, command, TIMEOUT_MS, step);
        true
    }

    /// How that ended: what a broker unlocked is not locked any more.
    pub(in crate::mq::client) fn unlocked(&mut self, at: usize, queues: &[MessageQueue], woken: &Woken) {
        if matches!(woken, Woken::Answered(Ok(command)) if command.code == response::SUCCESS) {
            for assigned in self.consumers[at].assigned.values_mut().filter(|own| queues.contains(&own.queue)) {
                assigned.window.mark_unlocked();
            }
        }
    }
}

impl Consumer {
    fn locker(&self) -> Option<&Locker> {
        self.orderly.as_ref().map(|orderly| &orderly.locker)
    }

    /// The queues in hand by broker, those given up but still in the table, too. Source: `buildProcessQueueTableByBrokerName`.
    fn by_broker(&self) -> Vec<Vec<MessageQueue>> {
        let mut brokers: BTreeMap<&Name, Vec<MessageQueue>> = BTreeMap::new();
        for Assigned { queue, .. } in self.assigned.values() {
            brokers.entry(&queue.broker).or_default().push(queue.clone());
        }
        let mut brokers: Vec<_> = brokers.into_iter().collect();
        java_order(&mut brokers, |(broker, _)| java::hash(broker));
        brokers.into_iter().map(|(_, queues)| queues).collect()
    }

    fn got_lock(&mut self, queue: &MessageQueue, step: &mut Step<'_>) {
        let Some(assigned) = self.assigned.values_mut().find(|assigned| assigned.queue == *queue) else { return };
        if !assigned.window.is_locked() {
            let MessageQueue { topic, broker, queue_id } = queue.clone();
            step.out.say(Fact::QueueLocked { topic, broker, queue_id });
        }
        assigned.window.mark_locked(step.wall);
    }

    fn lost_lock(&mut self, queue: &MessageQueue, step: &mut Step<'_>) {
        let Some(assigned) = self.assigned.values_mut().find(|assigned| assigned.queue == *queue) else { return };
        if assigned.window.is_locked() {
            let MessageQueue { topic, broker, queue_id } = queue.clone();
            step.out.say(Fact::QueueLockLost { topic, broker, queue_id });
        }
        assigned.window.mark_unlocked();
    }
}

const FIRST_LOCK: Span = Span::from_millis(1000);
/// Source: `ProcessQueue.REBALANCE_LOCK_INTERVAL`.
const LOCK_INTERVAL: Span = Span::from_secs(20);
/// Source: `RebalancePushImpl.UNLOCK_DELAY_TIME_MILLS`.
const UNLOCK_DELAY: Span = Span::from_secs(20);
/// Source: `ConsumeMessageOrderlyService.tryLockLaterAndReconsume`.
const AFTER_LOCK: Span = Span::from_millis(10);
const AFTER_REFUSAL: Span = Span::from_millis(3000);
const TIMEOUT_MS: i64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_stand_in_a_request_as_the_release_iterates_over_them() {
        let queue = |topic: &str, queue_id| MessageQueue { topic: topic.into(), broker: "broker-a".into(), queue_id };
        // As recorded: golden conversation 06-push-orderly.
        let recorded = [queue("TopicOrder", 0), queue("TopicOrder", 1), queue("%RETRY%GroupOrderly", 0)];
        for turn in 0..recorded.len() {
            let mut queues = recorded.to_vec();
            queues.rotate_left(turn);
            java_order(&mut queues, queue_hash);
            assert_eq!(queues, recorded);
        }
    }
}
