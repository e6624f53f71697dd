//! Which queues are mine now: one thread asks for the members, shares the queues out, gives up and takes.
//!
//! Source: `RebalanceService`, `RebalanceImpl`, `RebalancePushImpl`.

use std::collections::VecDeque;

use crate::mq::app::ConsumeFrom;
use crate::mq::client::config::RETRY_GROUP_TOPIC_PREFIX;
use crate::mq::client::consumer::process_queue::ProcessQueue;
use crate::mq::client::consumer::{Assigned, Consumer};
use crate::mq::client::exception::Exception;
use crate::mq::client::remoting::{Mode, Request, Target, vip};
use crate::mq::client::route::{MASTER_ID, java_order, queue_hash};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Name, Topic, java};
use crate::mq::node::{Addr, Step, Timer, TimerKey};
use crate::mq::time::{Millis, Span, Time};
use crate::mq::wire::body::{ConsumerIdList, JsonBody};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{GroupQueueHeader, Header, QueueHeader, SearchOffsetHeader};

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
    /// A route, because this queue's broker is not known.
    QueryRoute(MessageQueue),
    /// A queue's offset.
    Query(MessageQueue),
    /// A route, because this queue's master is not known.
    PlaceRoute(MessageQueue),
    /// Where to begin in a queue without an offset.
    Place(MessageQueue),
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
        for at in order {
            let mut topics: Vec<Topic> = self.consumers[at].topics().cloned().collect();
            java_order(&mut topics, |topic| java::hash(topic));
            left.extend(topics.into_iter().map(|topic| (at, topic)));
        }
        self.rebalance.run = Some(Run { left, current: None });
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
        self.rebalance.run = None;
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
            Stage::QueryRoute(queue) => match self.routes.admin_address(&queue.broker) {
                Some(addr) => self.query_offset(by_topic, queue, addr, step),
                None => self.take_next(by_topic, step),
            },
            Stage::Query(queue) => self.offset_answered(by_topic, queue, woken, step),
            Stage::PlaceRoute(queue) => match self.routes.master(&queue.broker) {
                Some(addr) => self.ask_place(by_topic, queue, addr, step),
                None => self.take_next(by_topic, step),
            },
            Stage::Place(queue) => {
                if let Some(offset) = offset_in(woken).ok().flatten() {
                    self.take(&mut by_topic, queue, offset, None, step);
                }
                self.take_next(by_topic, step);
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

    /// Asks as the thread does: synchronously, on the VIP port.
    fn rebalance_asks(&mut self, addr: Addr, command: Box<Command>, timeout: i64, step: &mut Step<'_>) {
        let request = Request { command, timeout, mode: Mode::Sync, waiter: Waiter::Fiber(Fiber::Rebalance) };
        let target = Target::At(vip(self.config.vip_channel_enabled, addr));
        self.remoting.invoke(target, request, step, &mut self.ready);
    }

    /// Source: `MQClientInstance.findConsumerIdList`.
    fn ask_members(&mut self, mut by_topic: ByTopic, addr: Addr, step: &mut Step<'_>) {
        by_topic.stage = Stage::Members;
        let group = self.consumers[by_topic.consumer].group().clone();
        self.stay(by_topic);
        let command = self.remoting.command(request::GET_CONSUMER_LIST_BY_GROUP, Header::ConsumerList(group));
        self.rebalance_asks(addr, command, MEMBERS_TIMEOUT_MS, step);
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
        let Ok(mine) = consumer.config.strategy.allocate(&self.client_id, &queues, &members) else {
            return self.wake(Fiber::Rebalance, Woken::Go);
        };
        self.own(by_topic, mine, step);
    }

    /// Broadcasting: every queue is everybody's.
    fn take_all(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        match by_topic.queues.take() {
            Some(queues) => self.own(by_topic, queues, step),
            None => self.wake(Fiber::Rebalance, Woken::Go),
        }
    }

    /// These queues of the topic are mine from now on, and no others.
    ///
    /// Source: `RebalanceImpl.updateProcessQueueTableInRebalance`.
    fn own(&mut self, mut by_topic: ByTopic, mut mine: Vec<MessageQueue>, step: &mut Step<'_>) {
        let consumer = &mut self.consumers[by_topic.consumer];
        by_topic.gone = consumer.drop_all_but(&by_topic.topic, &mine, step);
        let gone = &by_topic.gone;
        mine.retain(|queue| consumer.find(queue).is_none_or(|id| gone.contains(&id)));
        java_order(&mut mine, queue_hash);
        by_topic.wanted = mine.into();
        self.give_next(by_topic, step);
    }

    /// Reports the offset of the next queue to give up, then forgets it.
    fn give_next(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        while let Some(queue) = by_topic.gone.pop_front() {
            by_topic.changed = true;
            let waiter = Waiter::Fiber(Fiber::Rebalance);
            let reported = self.persist(by_topic.consumer, queue, waiter, step);
            self.consumers[by_topic.consumer].release(queue);
            if matches!(reported, Some((_, true))) {
                by_topic.stage = Stage::Give;
                return self.stay(by_topic);
            }
        }
        self.take_next(by_topic, step);
    }

    /// Source: `RebalanceImpl.updateProcessQueueTableInRebalance`, second half.
    fn take_next(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        let Some(queue) = by_topic.wanted.pop_front() else {
            return self.dispatch(by_topic, step);
        };
        if let Some(local) = &self.consumers[by_topic.consumer].local {
            let stored = local.stored(&queue, step.disk);
            return self.place(by_topic, queue, Ok(stored), step);
        }
        match self.routes.admin_address(&queue.broker) {
            Some(addr) => self.query_offset(by_topic, queue, addr, step),
            None => {
                let topic = by_topic.topic.clone();
                by_topic.stage = Stage::QueryRoute(queue);
                self.stay(by_topic);
                self.look_up(topic, None, Fiber::Rebalance, step);
            }
        }
    }

    fn query_offset(&mut self, mut by_topic: ByTopic, queue: MessageQueue, addr: Addr, step: &mut Step<'_>) {
        let header = GroupQueueHeader {
            consumer_group: self.consumers[by_topic.consumer].group().clone(),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id,
        };
        by_topic.stage = Stage::Query(queue);
        self.stay(by_topic);
        let command = self.remoting.command(request::QUERY_CONSUMER_OFFSET, Header::QueryOffset(Box::new(header)));
        self.rebalance_asks(addr, command, QUERY_TIMEOUT_MS, step);
    }

    fn offset_answered(&mut self, by_topic: ByTopic, queue: MessageQueue, woken: Woken, step: &mut Step<'_>) {
        self.place(by_topic, queue, offset_in(woken), step);
    }

    /// Begins where the store says, or looks for a place if it says nothing; without an answer the queue is left for later.
    ///
    /// Source: `RebalancePushImpl.computePullFromWhere`.
    fn place(
        &mut self,
        mut by_topic: ByTopic,
        queue: MessageQueue,
        stored: Result<Option<i64>, Exception>,
        step: &mut Step<'_>,
    ) {
        match stored {
            Ok(Some(offset)) => self.take(&mut by_topic, queue, offset, Some(offset), step),
            Ok(None) => {
                let retry = queue.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX);
                let from = self.consumers[by_topic.consumer].config.consume_from;
                match (from, retry) {
                    (ConsumeFrom::First, _) | (ConsumeFrom::Last, true) => {
                        self.take(&mut by_topic, queue, 0, None, step);
                    }
                    (ConsumeFrom::Last, false) | (ConsumeFrom::Timestamp(_), _) => {
                        return self.find_place(by_topic, queue, step);
                    }
                }
            }
            Err(_) => {}
        }
        self.take_next(by_topic, step);
    }

    /// Looks for the end of a queue, or for a moment in it; its master alone is asked.
    fn find_place(&mut self, mut by_topic: ByTopic, queue: MessageQueue, step: &mut Step<'_>) {
        match self.routes.master(&queue.broker) {
            Some(addr) => self.ask_place(by_topic, queue, addr, step),
            None => {
                let topic = by_topic.topic.clone();
                by_topic.stage = Stage::PlaceRoute(queue);
                self.stay(by_topic);
                self.look_up(topic, None, Fiber::Rebalance, step);
            }
        }
    }

    fn ask_place(&mut self, mut by_topic: ByTopic, queue: MessageQueue, addr: Addr, step: &mut Step<'_>) {
        let retry = queue.topic.starts_with(RETRY_GROUP_TOPIC_PREFIX);
        let (topic, queue_id) = (queue.topic.clone(), queue.queue_id);
        let (code, header) = match self.consumers[by_topic.consumer].config.consume_from {
            ConsumeFrom::Timestamp(Some(Millis(timestamp))) if !retry => {
                let header = SearchOffsetHeader { topic, queue_id, timestamp };
                (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(Box::new(header)))
            }
            _ => (request::GET_MAX_OFFSET, Header::Queue(Box::new(QueueHeader { topic, queue_id }))),
        };
        by_topic.stage = Stage::Place(queue);
        self.stay(by_topic);
        let command = self.remoting.command(code, header);
        self.rebalance_asks(addr, command, ADMIN_TIMEOUT_MS, step);
    }

    /// A queue is mine: an empty window from `offset` on.
    fn take(
        &mut self,
        by_topic: &mut ByTopic,
        queue: MessageQueue,
        offset: i64,
        consumed: Option<i64>,
        step: &mut Step<'_>,
    ) {
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
        let assigned = Assigned { queue, window, next_offset: offset, consumed, pull_from: MASTER_ID };
        consumer.assigned.insert(id, assigned);
        by_topic.taken.push(id);
        by_topic.changed = true;
    }

    fn dispatch(&mut self, mut by_topic: ByTopic, _step: &mut Step<'_>) {
        for queue in std::mem::take(&mut by_topic.taken) {
            self.pull_now(by_topic.consumer, queue);
        }
        if by_topic.changed {
            // Pulls start under the old version of the subscription, before the heartbeat that raises it.
            by_topic.stage = Stage::Dispatched;
            self.stay(by_topic);
        }
        self.wake(Fiber::Rebalance, Woken::Go);
    }

    /// Source: `RebalancePushImpl.messageQueueChanged`.
    fn queues_changed(&mut self, mut by_topic: ByTopic, step: &mut Step<'_>) {
        if let Some(subscription) = self.consumers[by_topic.consumer].subscriptions.get_mut(&by_topic.topic) {
            subscription.sub_version = step.wall.0;
        }
        by_topic.stage = Stage::Heartbeat;
        self.stay(by_topic);
        self.heartbeat_to_all(Fiber::Rebalance, step);
    }
}

impl Consumer {
    /// Gives up the topic's queues that are not among `mine` or have not been pulled for too long; their numbers.
    fn drop_all_but(&mut self, topic: &Topic, mine: &[MessageQueue], step: &mut Step<'_>) -> VecDeque<u64> {
        let mut gone = VecDeque::new();
        for (id, assigned) in &mut self.assigned {
            let queue = &assigned.queue;
            if queue.topic != *topic || mine.contains(queue) && !assigned.window.is_pull_expired(step.wall) {
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

/// The offset in an answer: none if the broker has none, an error if there was no answer.
fn offset_in(woken: Woken) -> Result<Option<i64>, Exception> {
    let Woken::Answered(answer) = woken else { return Ok(None) };
    let command = answer?;
    Ok(match (command.code, &command.header) {
        (response::SUCCESS, Header::Offset(offset)) => Some(*offset),
        _ => None,
    })
}

fn members_in(command: &Command) -> Option<Vec<Name>> {
    ConsumerIdList::decode(command.body.as_deref()?).ok().map(|list| list.0)
}

/// Source: `RebalanceService.waitInterval`.
const WAIT: Span = Span::from_secs(20);
const MEMBERS_TIMEOUT_MS: i64 = 3000;
const QUERY_TIMEOUT_MS: i64 = 5000;
const ADMIN_TIMEOUT_MS: i64 = 6000;
