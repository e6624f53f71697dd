//! Which queues are mine now: one thread asks for the members, shares the queues out, gives up and takes.
//!
//! Source: `RebalanceService`, `RebalanceImpl`, `RebalancePushImpl`, `RebalancePullImpl`.

use std::collections::VecDeque;

use crate::mq::app::Return;
use crate::mq::client::config::UNLIMITED;
use crate::mq::client::consumer::from_where::{FromWhere, Place};
use crate::mq::client::consumer::process_queue::ProcessQueue;
use crate::mq::client::consumer::{Assigned, Consumer, Later};
use crate::mq::client::route::{MASTER_ID, java_order, queue_hash};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Name, Topic, java};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{ConsumerIdList, JsonBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// The rebalance thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rebalance {
    /// Whether it was woken while it ran: one more run follows, however often that was.
    notified: bool,
    /// When it wakes by itself.
    due: Time,
    run: Option<Run>,
}

/// One run over all consumers.
#[derive(Clone, Debug)]
struct Run {
    left: VecDeque<(usize, Topic)>,
    current: Option<ByTopic>,
    /// The consumers that take part; one that is paused does not.
    whose: Vec<usize>,
}

/// `rebalanceByTopic` under way.
#[derive(Clone, Debug)]
struct ByTopic {
    consumer: usize,
    topic: Topic,
    /// The queues as they were known when the topic's turn came; a route that comes meanwhile serves the next run.
    queues: Option<Vec<MessageQueue>>,
    stage: Stage,
    /// Queues to give up.
    gone: VecDeque<u64>,
    /// Queues to take.
    wanted: VecDeque<MessageQueue>,
    /// Queues taken.
    taken: Vec<u64>,
    /// All queues of the topic and those that are mine, for a pull consumer's application.
    told: Option<Box<(Vec<MessageQueue>, Vec<MessageQueue>)>>,
    changed: bool,
}

/// What the thread waits for.
#[derive(Clone, Debug)]
enum Stage {
    /// A route, because no broker is known to ask for the members.
    Route,
    /// The members.
    Members,
    /// Giving queues up: the report of one is being written.
    Give,
    /// Giving an ordered queue up: its report is written, its lock is next.
    Unlock(u64),
    /// The listener of an ordered queue to be given up, for a second.
    Listener(u64),
    /// The lock of an ordered queue to be taken.
    Lock(MessageQueue),
    /// The place where a queue's first pull begins.
    Seek(FromWhere),
    /// The pull thread goes first.
    Dispatched,
    /// The heartbeat after a change.
    Heartbeat,
}

impl Client {
    /// Arms the thread's own wait.
    pub(in crate::mq::client) fn arm_rebalance(&mut self, step: &mut Step<'_>) {
        self.rebalance.due = step.mono + WAIT;
        step.out.arm(TimerKey::of(Timer::Rebalance), self.rebalance.due);
    }

    /// The thread's wait is over.
    pub(in crate::mq::client) fn rebalance_due(&mut self, step: &mut Step<'_>) {
        if self.rebalance.run.is_none() && self.rebalance.due <= step.mono && self.shutdown.is_none() {
            self.begin_rebalance();
        }
    }

    /// Source: `MQClientInstance.rebalanceImmediately`, `ServiceThread.wakeup`.
    pub(in crate::mq::client) fn wake_rebalance(&mut self, _step: &mut Step<'_>) {
        if self.consumers.is_empty() || self.shutdown.is_some() {
            return;
        }
        match self.rebalance.run {
            Some(_) => self.rebalance.notified = true,
            None => self.begin_rebalance(),
        }
    }

    fn begin_rebalance(&mut self) {
        let mut order: Vec<usize> = (0..self.consumers.len()).collect();
        java_order(&mut order, |at| java::hash(self.consumers[*at].group()));
        let mut left = VecDeque::new();
        // Source: `DefaultMQPushConsumerImpl.doRebalance`.
        order.retain(|at| !self.consumers[*at].paused);
        for at in order.iter().copied() {
            let mut topics: Vec<Topic> = self.consumers[at].shared_topics().cloned().collect();
            java_order(&mut topics, |topic| java::hash(topic));
            left.extend(topics.into_iter().map(|topic| (at, topic)));
        }
        self.rebalance.run = Some(Run { left, current: None, whose: order });
        self.wake(Fiber::Rebalance, Woken::Go);
    }

    /// The thread goes on.
    pub(in crate::mq::client) fn rebalance_on(&mut self, woken: Woken, step: &mut Step<'_>) {
        let Some(run) = &mut self.rebalance.run else { return };
        match run.current.take() {
            Some(by_topic) => self.rebalance_topic(by_topic, woken, step),
            None => match run.left.pop_front() {
                Some((consumer, topic)) => self.begin_topic(consumer, topic, step),
                None => self.end_rebalance(step),
            },
        }
    }

    fn end_rebalance(&mut self, step: &mut Step<'_>) {
        for at in self.rebalance.run.take().map(|run| run.whose).unwrap_or_default() {
            self.let_go_of_other_topics(at, step);
        }
        match std::mem::take(&mut self.rebalance.notified) && self.shutdown.is_none() {
            true => self.begin_rebalance(),
            false => self.arm_rebalance(step),
        }
    }

    fn begin_topic(&mut self, consumer: usize, topic: Topic, step: &mut Step<'_>) {
        let queues = self.consumers[consumer].subscribe_info.get(&topic).cloned();
        let by_topic = ByTopic {
            consumer,
            topic,
            queues,
            stage: Stage::Route,
            gone: VecDeque::new(),
            wanted: VecDeque::new(),
            taken: Vec::new(),
            told: None,
            changed: false,
        };
        if self.consumers[consumer].local.is_some() {
            return self.take_all(by_topic, step);
        }
        match self.routes.some_broker_of(&by_topic.topic, step.dice) {
            Some(addr) => self.ask_members(by_topic, addr, step),
            None => {
                let topic = by_topic.topic.clone();
                self.stay(by_topic);
                self.look_up(topic, None, Fiber::Rebalance, step);
            }
        }
    }

    fn rebalance_topic(&mut self, mut by_topic: ByTopic, woken: Woken, step: &mut Step<'_>) {
        let stage = std::mem::replace(&mut by_topic.stage, Stage::Give);
        match stage {
            Stage::Route => match self.routes.some_broker_of(&by_topic.topic, step.dice) {
                Some(addr) => self.ask_members(by_topic, addr, step),
                None => self.wake(Fiber::Rebalance, Woken::Go),
            },
            Stage::Members => self.share_out(by_topic, woken, step),
            Stage::Give => self.give_next(by_topic, step),
            Stage::Unlock(queue) => self.unlock_given(by_topic, queue, false, step),
            Stage::Listener(queue) => self.unlock_given(by_topic, queue, true, step),
            Stage::Lock(queue) => {
                let locked = self.lock_answered(by_topic.consumer, &woken, step);
                match locked.is_some_and(|locked| locked.contains(&queue)) {
                    true => self.seek_queue(by_topic, queue, step),
                    false => self.take_next(by_topic, step),
                }
            }
            Stage::Seek(seeking) => {
                let queue = seeking.queue.clone();
                match self.seek_on(seeking, woken, step) {
                    Ok(place) => {
                        self.take(&mut by_topic, queue, place, step);
                        self.take_next(by_topic, step);
                    }
                    Err(seeking) => {
                        by_topic.stage = Stage::Seek(seeking);
                        self.stay(by_topic);
                    }
                }
            }
            Stage::Dispatched => self.queues_changed(by_topic, step),
            Stage::Heartbeat => self.wake(Fiber::Rebalance, Woken::Go),
        }
    }

    /// Keeps the topic's state until the thread is woken.
    fn stay(&mut self, by_topic: ByTopic) {
        let run = self.rebalance.run.as_mut().expect("a topic belongs to a run");
        run.current = Some(by_topic);
    }

    /// Source: `MQClientInstance.findConsumerIdList`.
    fn ask_members(&mut self, mut by_topic: ByTopic, addr: Addr, step: &mut Step<'_>) {
        by_topic.stage = Stage::Members;
        let group = self.consumers[by_topic.consumer].group().clone();
        self.stay(by_topic);
        let command = self.remoting.command(request::GET_CONSUMER_LIST_BY_GROUP, Header::ConsumerList(group));
        self.thread_asks(Fiber::Rebalance, addr, command, MEMBERS_TIMEOUT_MS, step);
    }

    fn share_out(&mut self, mut by_topic: ByTopic, woken: Woken, step: &mut Step<'_>) {
        let members = match woken {
            Woken::Answered(Ok(command)) if command.code == response::SUCCESS => members_in(&command),
            _ => None,
        };
        let (Some(queues), Some(mut members)) = (by_topic.queues.take(), members) else {
            return self.wake(Fiber::Rebalance, Woken::Go);
        };
        members.sort();
        let consumer = &self.consumers[by_topic.consumer];
        let Ok(mut mine) = consumer.config.strategy.allocate(&self.client_id, &queues, &members) else {
            return self.wake(Fiber::Rebalance, Woken::Go);
        };
        let is_last = members.len() > 1 && members.last() == Some(&self.client_id);
        if is_last && self.config.profile.plants(Mistake::TwoMembersOneQueue) {
            mine.extend(queues.first().filter(|queue| !mine.contains(queue)).cloned().into_iter().collect::<Vec<_>>());
        }
        if is_last && self.config.profile.plants(Mistake::QueueOfNobody) {
            mine.pop();
        }
        self.own(by_topic, queues, mine, step);
    }

    /// Broadcasting: every queue is everybody's.
    fn take_all(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        match by_topic.queues.take() {
            Some(queues) => self.own(by_topic, queues.clone(), queues, step),
            None => self.wake(Fiber::Rebalance, Woken::Go),
        }
    }

    /// These queues of the topic are mine from now on, and no others.
    ///
    /// Source: `RebalanceImpl.updateProcessQueueTableInRebalance`.
    fn own(&mut self, mut by_topic: ByTopic, all: Vec<MessageQueue>, mut mine: Vec<MessageQueue>, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[by_topic.consumer];
        if consumer.pulls() {
            by_topic.told = Some(Box::new((all, mine.clone())));
        }
        by_topic.gone = consumer.drop_all_but(&by_topic.topic, &mine, step);
        let gone = &by_topic.gone;
        mine.retain(|queue| consumer.find(queue).is_none_or(|id| gone.contains(&id)));
        java_order(&mut mine, queue_hash);
        by_topic.wanted = mine.into();
        self.give_next(by_topic, step);
    }

    /// Reports the offset of the next queue to give up, then forgets it; an ordered one is unlocked in between.
    ///
    /// Source: `RebalancePushImpl.removeUnnecessaryMessageQueue`.
    fn give_next(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        while let Some(queue) = by_topic.gone.pop_front() {
            let reported = match self.config.profile.plants(Mistake::HandoverWithoutCommit) {
                true => None,
                false => self.persist(by_topic.consumer, queue, Waiter::Fiber(Fiber::Rebalance), step),
            };
            let consumer = &mut self.consumers[by_topic.consumer];
            let is_ordered = consumer.orderly.is_some();
            if !is_ordered {
                by_topic.changed = true;
                consumer.release(queue);
            }
            by_topic.stage = if is_ordered { Stage::Unlock(queue) } else { Stage::Give };
            if matches!(reported, Some((_, true))) {
                return self.stay(by_topic);
            }
            if is_ordered {
                self.stay(by_topic);
                return self.wake(Fiber::Rebalance, Woken::Go);
            }
        }
        self.take_next(by_topic, step);
    }

    /// Unlocks a queue whose offset is reported, and gives it up; not while its listener runs, which is waited for once.
    fn unlock_given(&mut self, mut by_topic: ByTopic, queue: u64, waited: bool, step: &mut Step<'_>) {
        let at = by_topic.consumer;
        let Some(assigned) = self.consumers[at].assigned.get_mut(&queue) else {
            return self.give_next(by_topic, step);
        };
        assigned.consumed = None;
        if !assigned.window.is_listening() {
            by_topic.changed = true;
            self.unlock_delay(at, queue, step);
            self.consumers[at].assigned.remove(&queue);
        } else if waited {
            let MessageQueue { topic, broker, queue_id } = assigned.queue.clone();
            step.out.say(Fact::StillConsuming { topic, broker, queue_id });
        } else {
            by_topic.stage = Stage::Listener(queue);
            self.pull_later.add(step.mono + TRY_LOCK, Later::StopWaiting(at, queue), step);
            return self.stay(by_topic);
        }
        self.give_next(by_topic, step);
    }

    /// The listener of a queue ended, or was waited for long enough: the thread goes on if it waits for that.
    pub(super) fn stop_waiting(&mut self, consumer: usize, queue: u64) {
        let current = self.rebalance.run.as_ref().and_then(|run| run.current.as_ref());
        if current.is_some_and(|by_topic| {
            by_topic.consumer == consumer && matches!(by_topic.stage, Stage::Listener(waited) if waited == queue)
        }) {
            self.wake(Fiber::Rebalance, Woken::Go);
        }
    }

    /// Source: `RebalanceImpl.updateProcessQueueTableInRebalance`, second half.
    fn take_next(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        let at = by_topic.consumer;
        while let Some(queue) = by_topic.wanted.pop_front() {
            let consumer = &self.consumers[at];
            if consumer.find(&queue).is_some() {
                // Its listener ran, so that it could not be given up.
                continue;
            }
            if consumer.orderly.is_none() {
                return self.seek_queue(by_topic, queue, step);
            }
            if let Some(addr) = self.routes.master(&queue.broker) {
                by_topic.stage = Stage::Lock(queue.clone());
                self.stay(by_topic);
                return self.ask_lock(at, addr, vec![queue], Fiber::Rebalance, step);
            }
        }
        self.dispatch(by_topic, step);
    }

    /// Finds the place of a queue's first pull; a pull consumer's application knows its own, and nobody asks.
    fn seek_queue(&mut self, mut by_topic: ByTopic, queue: MessageQueue, step: &mut Step<'_>) {
        if let Some(puller) = &mut self.consumers[by_topic.consumer].puller {
            puller.forget(&queue);
            self.take(&mut by_topic, queue, Place::FIRST, step);
            by_topic.stage = Stage::Give;
            self.stay(by_topic);
            return self.wake(Fiber::Rebalance, Woken::Go);
        }
        by_topic.stage = Stage::Seek(self.seek(by_topic.consumer, queue, Fiber::Rebalance, step));
        self.stay(by_topic);
    }

    /// A queue is mine: an empty window from `offset` on.
    fn take(&mut self, by_topic: &mut ByTopic, queue: MessageQueue, place: Place, step: &mut Step<'_>) {
        let Place { offset, consumed } = place;
        let is_zero = offset < 0 && self.config.profile.plants(Mistake::FailedSeekIsZero);
        let offset = if is_zero { 0 } else { offset };
        if offset < 0 {
            return;
        }
        step.out.say(Fact::Assigned {
            topic: queue.topic.clone(),
            broker: queue.broker.clone(),
            queue_id: queue.queue_id,
            queue_offset: offset,
        });
        let consumer = &mut self.consumers[by_topic.consumer];
        let consumed = consumed.or_else(|| consumer.local.as_ref()?.remembered(&queue));
        let id = consumer.next_assigned;
        consumer.next_assigned += 1;
        let window = ProcessQueue::new(step.wall);
        let assigned =
            Assigned { queue, window, next_offset: offset, consumed, pull_from: MASTER_ID, locked_first: false };
        consumer.assigned.insert(id, assigned);
        by_topic.taken.push(id);
        by_topic.changed = true;
    }

    fn dispatch(&mut self, mut by_topic: ByTopic, _step: &mut Step<'_>) {
        for queue in std::mem::take(&mut by_topic.taken) {
            if !self.consumers[by_topic.consumer].pulls() {
                self.pull_now(by_topic.consumer, queue);
            }
        }
        if by_topic.changed {
            // Pulls start under the old version of the subscription, before the heartbeat that raises it.
            by_topic.stage = Stage::Dispatched;
            self.stay(by_topic);
        }
        self.wake(Fiber::Rebalance, Woken::Go);
    }

    /// Source: `RebalancePushImpl.messageQueueChanged`, `RebalancePullImpl.messageQueueChanged`.
    fn queues_changed(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        if let Some(told) = by_topic.told.take() {
            let (all, mine) = *told;
            let consumer = &self.consumers[by_topic.consumer];
            if consumer.config.pull.as_ref().is_some_and(|pull| pull.has_queue_listener) {
                let (group, topic) = (consumer.group().clone(), by_topic.topic.clone());
                step.out.app(Return::QueuesChanged { group, topic, all, mine });
            }
            return self.wake(Fiber::Rebalance, Woken::Go);
        }
        if let Some(subscription) = self.consumers[by_topic.consumer].subscriptions.get_mut(&by_topic.topic) {
            subscription.sub_version = step.wall.0;
        }
        self.consumers[by_topic.consumer].share_limits(step);
        by_topic.stage = Stage::Heartbeat;
        self.stay(by_topic);
        self.heartbeat_to_all(Fiber::Rebalance, step);
    }
}

impl Consumer {
    /// A topic's limits, if it has any, are shared out among all queues in hand: those of every topic count.
    fn share_limits(&mut self, step: &mut Step<'_>) {
        let queues = self.assigned.len() as i64;
        let config = &mut self.config;
        let (messages, mib) = (config.pull_threshold_for_topic, config.pull_threshold_size_for_topic);
        if queues == 0 || (messages, mib) == (UNLIMITED, UNLIMITED) {
            return;
        }
        if messages != UNLIMITED {
            config.pull_threshold_for_queue = (messages / queues).max(1);
        }
        if mib != UNLIMITED {
            config.pull_threshold_size_for_queue = (mib / queues).max(1);
        }
        let (messages, mib) = (config.pull_threshold_for_queue, config.pull_threshold_size_for_queue);
        step.out.say(Fact::LimitsShared { group: config.group.clone(), queues, messages, mib });
    }

    /// Gives up the topic's queues that are not among `mine` or have not been pulled for too long; their numbers.
    fn drop_all_but(&mut self, topic: &Topic, mine: &[MessageQueue], step: &mut Step<'_>) -> VecDeque<u64> {
        let mut gone = VecDeque::new();
        let pulls = self.pulls();
        for (id, assigned) in &mut self.assigned {
            let queue = &assigned.queue;
            if queue.topic != *topic || mine.contains(queue) && (pulls || !assigned.window.is_pull_expired(step.wall)) {
                continue;
            }
            if !assigned.window.is_dropped() {
                assigned.window.mark_dropped();
                step.out.say(Fact::Revoked {
                    topic: queue.topic.clone(),
                    broker: queue.broker.clone(),
                    queue_id: queue.queue_id,
                });
            }
            gone.push_back(*id);
        }
        gone
    }
}

fn members_in(command: &Command) -> Option<Vec<Name>> {
    ConsumerIdList::decode(command.body.as_deref()?).ok().map(|list| list.0)
}

/// Source: `RebalanceService.waitInterval`.
const WAIT: Span = Span::from_secs(20);
const MEMBERS_TIMEOUT_MS: i64 = 3000;
/// How long a queue's listener is waited for. Source: `RebalancePushImpl.removeUnnecessaryMessageQueue`.
const TRY_LOCK: Span = Span::from_millis(1000);
