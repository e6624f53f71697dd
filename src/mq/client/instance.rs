//! What the parts of a process share: route look-ups, heartbeats, the timetable and the start of the consumers.
//!
//! Source: `org.apache.rocketmq.client.impl.factory.MQClientInstance`.

use std::collections::VecDeque;

use crate::mq::client::config::ClientConfig;
use crate::mq::client::consumer::{Consumer, consume_from_name};
use crate::mq::client::remoting::{Mode, Request, Target};
use crate::mq::client::route::{java_order, publish_info, subscribe_info};
use crate::mq::client::{Client, Fiber, Ready, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{MessageQueue, Name, Topic, java};
use crate::mq::node::{Addr, Step, Timer, TimerKey};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::{ConsumerData, HeartbeatData, JsonBody, ProducerData, RouteData};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

/// Look-ups at the nameserver, one at a time: the front one holds `lockNamesrv`.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteJobs {
    jobs: VecDeque<RouteJob>,
}

#[derive(Clone, Debug)]
struct RouteJob {
    topic: Topic,
    /// Ask for this topic instead and cap its queues: the template's name and `defaultTopicQueueNums`.
    template: Option<(Topic, i32)>,
    fiber: Fiber,
    /// When a job that still waits for the lock gives up.
    give_up: Time,
}

impl RouteJobs {
    /// When the first waiting job gives up.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.jobs.iter().skip(1).map(|job| job.give_up).min()
    }

    /// Lets go the jobs that have waited for the lock too long.
    pub(crate) fn expire(&mut self, now: Time, ready: &mut VecDeque<Ready>) {
        let mut at = 0;
        self.jobs.retain(|job| {
            at += 1;
            let keep = at == 1 || now < job.give_up;
            if !keep {
                ready.push_back(Ready { waiter: Waiter::Fiber(job.fiber), woken: Woken::Routed });
            }
            keep
        });
    }
}

/// A heartbeat round under way: it holds `lockHeartbeat`.
#[derive(Clone, Debug)]
pub(crate) struct HeartbeatRound {
    fiber: Fiber,
    /// Who is asked.
    at: Option<Addr>,
    left: VecDeque<Addr>,
    body: bytes::Bytes,
}

/// The main thread on its way through the consumers' `start()`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boot {
    /// What is left to do, in order.
    steps: VecDeque<BootStep>,
}

#[derive(Clone, Debug)]
enum BootStep {
    Route(Topic),
    /// The consumer that starts: what of this process is to be looked at.
    Check(usize),
    /// This subscription of that consumer, on behalf of the one that starts.
    CheckOne(usize, Topic),
    /// What a broker said to the one that starts.
    Checked(usize),
    Heartbeat,
    Rebalance,
}

/// `MQClientFactoryScheduledThread`: one task at a time, each on its own fixed grid.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    polls: Task,
    heartbeats: Task,
    persists: Task,
    work: Option<Work>,
}

#[derive(Clone, Copy, Debug)]
struct Task {
    timer: Timer,
    due: Time,
    period: Span,
}

/// What the scheduler is at.
#[derive(Clone, Debug)]
enum Work {
    Poll(VecDeque<Topic>),
    Heartbeat,
    /// Offsets still to report: consumer and queue; whether the first one's route has been refreshed.
    Persist(VecDeque<(usize, u64)>, bool),
}

impl Scheduler {
    pub(crate) fn new(config: &ClientConfig, step: &Step<'_>) -> Scheduler {
        let task = |timer, initial, period| Task { timer, due: step.mono + Span::from_millis(initial), period };
        let mut persists = task(Timer::ConsumerPersist, 10_000, config.persist_consumer_offset_interval);
        if config.consumers.is_empty() {
            // Nothing would ever be reported.
            persists.due = Time::NEVER;
        }
        Scheduler {
            polls: task(Timer::RoutePoll, 10, config.poll_nameserver_interval),
            heartbeats: task(Timer::Heartbeat, 1_000, config.heartbeat_broker_interval),
            persists,
            work: None,
        }
    }
}

impl Client {
    /// Arms the timetable and begins the consumers' start.
    ///
    /// Source: `MQClientInstance.startScheduledTask`, `DefaultMQPushConsumerImpl.start`.
    pub(super) fn start(&mut self, step: &mut Step<'_>) {
        for task in [self.scheduler.polls, self.scheduler.heartbeats] {
            step.out.arm(TimerKey::of(task.timer), task.due);
        }
        if self.consumers.is_empty() {
            return;
        }
        step.out.arm(TimerKey::of(self.scheduler.persists.timer), self.scheduler.persists.due);
        self.arm_rebalance(step);
        self.arm_cleaners(step);
        self.arm_lockers(step);
        for (at, consumer) in self.consumers.iter().enumerate() {
            if consumer.pulls() {
                // Its `start()` does nothing more: routes, heartbeats and shares come by the timetable.
                continue;
            }
            let mut topics: Vec<Topic> = consumer.topics().cloned().collect();
            java_order(&mut topics, |topic| java::hash(topic));
            self.boot.steps.extend(topics.into_iter().map(BootStep::Route));
            self.boot.steps.extend([BootStep::Check(at), BootStep::Heartbeat, BootStep::Rebalance]);
        }
        self.wake(Fiber::Boot, Woken::Go);
    }

    /// The main thread goes on with starting consumers.
    ///
    /// What `start()` throws ends the application's `main`, and with it the starting.
    pub(super) fn boot_on(&mut self, woken: Woken, step: &mut Step<'_>) {
        match self.boot.steps.pop_front() {
            Some(BootStep::Route(topic)) => self.look_up(topic, None, Fiber::Boot, step),
            Some(BootStep::Check(at)) => {
                for (of, topic) in self.to_check(at).into_iter().rev() {
                    self.boot.steps.push_front(BootStep::Checked(at));
                    self.boot.steps.push_front(BootStep::CheckOne(of, topic));
                }
                self.boot_on(Woken::Go, step);
            }
            Some(BootStep::CheckOne(of, topic)) => self.check_in_broker(of, &topic, step),
            Some(BootStep::Checked(at)) => match self.checked(at, woken, step) {
                true => self.boot_on(Woken::Go, step),
                false => self.boot.steps.clear(),
            },
            Some(BootStep::Heartbeat) => self.heartbeat_to_all(Fiber::Boot, step),
            Some(BootStep::Rebalance) => {
                self.wake_rebalance(step);
                self.wake(Fiber::Boot, Woken::Go);
            }
            None => {}
        }
    }

    /// Asks the nameserver for a topic's route; the fiber is woken with [`Woken::Routed`] whatever comes of it.
    ///
    /// Source: `MQClientInstance.updateTopicRouteInfoFromNameServer`.
    pub(super) fn look_up(&mut self, topic: Topic, template: Option<(Topic, i32)>, fiber: Fiber, step: &mut Step<'_>) {
        let give_up = step.mono + LOCK_TIMEOUT;
        self.route_jobs.jobs.push_back(RouteJob { topic, template, fiber, give_up });
        match self.route_jobs.jobs.len() {
            1 => self.next_look_up(step),
            _ => self.remoting.arm(give_up, step),
        }
    }

    fn next_look_up(&mut self, step: &mut Step<'_>) {
        let Some(job) = self.route_jobs.jobs.front() else { return };
        let asked = job.template.as_ref().map_or(&job.topic, |(template, _)| template);
        let header = Header::Route(asked.clone());
        let command = self.remoting.command(request::GET_ROUTEINTO_BY_TOPIC, header);
        let request = Request { command, timeout: ROUTE_TIMEOUT_MS, mode: Mode::Sync, waiter: Waiter::Route };
        match self.remoting.has_nameservers() {
            true => self.remoting.invoke(Target::Nameserver, request, step, &mut self.ready),
            false => self.ready.push_back(Ready { waiter: Waiter::Route, woken: Woken::Go }),
        }
    }

    /// The look-up that holds the lock has its answer.
    pub(super) fn route_answered(&mut self, woken: Woken, step: &mut Step<'_>) {
        let job = self.route_jobs.jobs.pop_front().expect("an answer comes to the look-up in front");
        if let Woken::Answered(Ok(command)) = woken {
            if let Some(route) = route_of(&command) {
                self.learn(&job, route, step);
            }
            self.remoting.recycle(command);
        }
        self.wake(job.fiber, Woken::Routed);
        self.next_look_up(step);
    }

    /// Takes a route in if it is news to the table, to a producer or to a consumer.
    fn learn(&mut self, job: &RouteJob, mut route: RouteData, step: &mut Step<'_>) {
        if let Some((_, queue_nums)) = job.template {
            for data in &mut route.queue_datas {
                let nums = queue_nums.min(data.read_queue_nums);
                data.read_queue_nums = nums;
                data.write_queue_nums = nums;
            }
        }
        let topic = &job.topic;
        let changed = self.routes.is_change(topic, &route);
        let wanted = self.producers.iter().any(|producer| producer.needs_route(topic))
            || self.consumers.iter().any(|consumer| consumer.needs_route(topic));
        // A malformed order configuration throws in upstream and leaves everything as it was.
        let Ok(info) = publish_info(topic, &route) else { return };
        if !changed && !wanted {
            return;
        }
        if changed {
            step.out.say(Fact::RouteLearned {
                topic: topic.clone(),
                brokers: route.broker_datas.len() as i64,
                queues: info.queues.len() as i64,
            });
        }
        for producer in &mut self.producers {
            producer.learn(topic, info.clone());
        }
        for consumer in &mut self.consumers {
            consumer.learn(topic, || subscribe_info(topic, &route));
        }
        self.routes.store(topic, route);
    }

    /// Tells every broker who lives here; dropped if a round is under way. The fiber is woken when it is over.
    ///
    /// Source: `MQClientInstance.sendHeartbeatToAllBrokerWithLock`.
    pub(super) fn heartbeat_to_all(&mut self, fiber: Fiber, step: &mut Step<'_>) {
        if self.heartbeat.is_some() {
            return self.wake(fiber, Woken::Go);
        }
        let left: VecDeque<Addr> = self.routes.addresses(!self.consumers.is_empty()).into();
        if left.is_empty() {
            return self.wake(fiber, Woken::Go);
        }
        let body = self.heartbeat_data().encode();
        self.heartbeat = Some(HeartbeatRound { fiber, at: None, left, body });
        self.next_heartbeat(step);
    }

    /// An answer tells the broker's version. Source: `MQClientAPIImpl.sendHearbeat`.
    pub(super) fn heartbeat_answered(&mut self, woken: Woken, step: &mut Step<'_>) {
        if let Woken::Answered(Ok(command)) = woken {
            let at = self.heartbeat.as_ref().and_then(|round| round.at);
            if let Some(at) = at.filter(|_| command.code == response::SUCCESS) {
                self.routes.hear_version(at);
            }
            self.remoting.recycle(command);
        }
        self.next_heartbeat(step);
    }

    fn next_heartbeat(&mut self, step: &mut Step<'_>) {
        let round = self.heartbeat.as_mut().expect("a round is under way");
        let Some(addr) = round.left.pop_front() else {
            let fiber = round.fiber;
            self.heartbeat = None;
            return self.wake(fiber, Woken::Go);
        };
        round.at = Some(addr);
        let mut command = self.remoting.command(request::HEART_BEAT, Header::None);
        command.body = Some(round.body.clone());
        let request = Request { command, timeout: HEARTBEAT_TIMEOUT_MS, mode: Mode::Sync, waiter: Waiter::Heartbeat };
        self.remoting.invoke(Target::At(addr), request, step, &mut self.ready);
    }

    /// Source: `MQClientInstance.prepareHeartbeatData`.
    fn heartbeat_data(&self) -> HeartbeatData {
        let mut consumers: Vec<ConsumerData> = self
            .consumers
            .iter()
            .map(|consumer| ConsumerData {
                group_name: consumer.group().clone(),
                consume_type: if consumer.pulls() { "CONSUME_ACTIVELY" } else { "CONSUME_PASSIVELY" }.into(),
                message_model: consumer.config().message_model.as_str().into(),
                consume_from_where: consume_from_name(consumer.config().consume_from).into(),
                subscription_data_set: consumer.told_subscriptions(),
                unit_mode: false,
            })
            .collect();
        java_order(&mut consumers, |data| java::hash(&data.group_name));
        let mut producers: Vec<ProducerData> =
            self.producers.iter().map(|producer| ProducerData { group_name: producer.group().clone() }).collect();
        java_order(&mut producers, |data| java::hash(&data.group_name));
        HeartbeatData { client_id: self.client_id.clone(), producer_data_set: producers, consumer_data_set: consumers }
    }

    /// One of the timetable's timers fired: runs the earliest due task unless one is under way.
    pub(super) fn scheduler_due(&mut self, step: &mut Step<'_>) {
        if self.scheduler.work.is_some() || self.shutdown.is_some() {
            return;
        }
        let now = step.mono;
        let scheduler = &mut self.scheduler;
        let tasks = [&mut scheduler.polls, &mut scheduler.heartbeats, &mut scheduler.persists];
        let Some(task) = tasks.into_iter().filter(|task| task.due <= now).min_by_key(|task| task.due) else { return };
        task.due += task.period;
        let (timer, due) = (task.timer, task.due);
        step.out.arm(TimerKey::of(timer), due);
        match timer {
            Timer::RoutePoll => {
                self.scheduler.work = Some(Work::Poll(self.known_topics().into()));
                self.wake(Fiber::Scheduler, Woken::Go);
            }
            Timer::Heartbeat => {
                self.routes.clean_offline_brokers();
                self.scheduler.work = Some(Work::Heartbeat);
                self.heartbeat_to_all(Fiber::Scheduler, step);
            }
            _ => {
                self.save_offsets(step);
                self.scheduler.work = Some(Work::Persist(self.offsets_to_persist(), false));
                self.consumers.iter_mut().for_each(Consumer::forget_unused_offsets);
                self.wake(Fiber::Scheduler, Woken::Go);
            }
        }
    }

    /// The scheduler goes on with its task.
    pub(super) fn scheduler_on(&mut self, woken: Woken, step: &mut Step<'_>) {
        match self.scheduler.work.take() {
            Some(Work::Poll(mut topics)) => {
                if let Some(topic) = topics.pop_front() {
                    self.scheduler.work = Some(Work::Poll(topics));
                    return self.look_up(topic, None, Fiber::Scheduler, step);
                }
            }
            Some(Work::Persist(mut queues, refreshed)) => {
                let refreshed = refreshed && matches!(woken, Woken::Routed);
                while let Some(&(consumer, queue)) = queues.front() {
                    let Some((topic, reported)) = self.persist(consumer, queue, Waiter::Fiber(Fiber::Scheduler), step)
                    else {
                        queues.pop_front();
                        continue;
                    };
                    if !reported && !refreshed {
                        self.scheduler.work = Some(Work::Persist(queues, true));
                        return self.look_up(topic, None, Fiber::Scheduler, step);
                    }
                    queues.pop_front();
                    if reported {
                        self.scheduler.work = Some(Work::Persist(queues, false));
                        return;
                    }
                }
            }
            Some(Work::Heartbeat) | None => {}
        }
        self.scheduler_due(step);
    }

    /// All topics that somebody here subscribes to or publishes.
    fn known_topics(&self) -> Vec<Topic> {
        let mut topics: Vec<Topic> = Vec::new();
        let subscribed = self.consumers.iter().flat_map(|consumer| consumer.topics());
        let published = self.producers.iter().flat_map(|producer| producer.topics());
        for topic in subscribed.chain(published) {
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
        java_order(&mut topics, |topic| java::hash(topic));
        topics
    }
}

/// The route in a successful answer.
pub(super) fn route_of(command: &Command) -> Option<RouteData> {
    if command.code != response::SUCCESS {
        return None;
    }
    RouteData::decode(command.body.as_deref()?).ok()
}

/// The queues of a topic in a successful answer, sorted; `None` if there is no queue.
pub(super) fn subscribed_queues(topic: &Topic, command: &Command) -> Option<Vec<MessageQueue>> {
    let queues = subscribe_info(topic, &route_of(command)?);
    Some(queues).filter(|queues| !queues.is_empty())
}

/// The name as a shared text, for tables keyed by it.
pub(super) fn not_exist(broker: &str) -> Name {
    Name::from(format!("The broker[{broker}] not exist"))
}

/// Source: `MQClientInstance.LOCK_TIMEOUT_MILLIS`.
const LOCK_TIMEOUT: Span = Span::from_millis(3000);
const ROUTE_TIMEOUT_MS: i64 = 3000;
const HEARTBEAT_TIMEOUT_MS: i64 = 3000;
