//! The two ends: a client process with its producers and consumers.
//!
//! Producers and consumers of a process share one instance: its connections, requests, routes, heartbeats, one thread that
//! pulls, one that rebalances and one that keeps the timetable. The invariant to remember: **each of those threads does one
//! thing at a time**. A thread is a `Fiber`: it issues a request, names itself as the waiter, and goes on where it stood
//! when it is woken with the answer. Fibers that can go on wait in one queue, so that nothing recurses and the order in
//! which they run is the order in which they were woken.
//!
//! ```text
//!  Call::Send ─▶ producer ─▶ pick ─┐                      ┌─▶ consumer/pull ─▶ process_queue ─▶ concurrently, orderly ─▶ Listen
//!                                  ├─ instance, remoting ─┤                                               │
//!  timers ─▶ scheduler, rebalance ─┘   (routes, requests) └─▶ rebalance, queue_lock    offset_store ◀─────┘
//! ```

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;

use crate::mq::app::{Call, TaskId};
use crate::mq::fact::Fact;
use crate::mq::message::{Group, MessageQueue, Name};
use crate::mq::node::{ConnId, Event, Frame, Node, Step, Timer};
use crate::mq::time::Time;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

pub mod config;

pub mod exception;

pub mod validators;

pub mod route;

mod numbered;

mod remoting;

mod instance;

pub mod producer;

pub mod consumer;

mod shutdown;

mod admin;

#[cfg(test)]
mod tests;

use crate::mq::client::config::{
    AUTO_CREATE_TOPIC_KEY_TOPIC, CLIENT_INNER_PRODUCER_GROUP, ClientConfig, ProducerConfig,
};
use crate::mq::client::consumer::concurrently::Running;
use crate::mq::client::consumer::local::LocalOffsets;
use crate::mq::client::consumer::orderly::InOrder;
use crate::mq::client::consumer::pull::PullMessage;
use crate::mq::client::consumer::puller::check;
use crate::mq::client::consumer::rebalance::Rebalance;
use crate::mq::client::consumer::{Consumer, Delays, Later};
use crate::mq::client::exception::Exception;
use crate::mq::client::instance::{Boot, HeartbeatRound, RouteJobs, Scheduler};
use crate::mq::client::numbered::Numbered;
use crate::mq::client::producer::{Deciding, Ops, Producer};
use crate::mq::client::remoting::Remoting;
use crate::mq::client::route::Routes;
use crate::mq::client::shutdown::Shutdown;

/// A client process.
///
/// Source: `org.apache.rocketmq.client.impl.factory.MQClientInstance`, `MQClientManager`.
#[derive(Clone, Debug)]
pub struct Client {
    config: ClientConfig,
    client_id: Name,
    remoting: Remoting,
    routes: Routes,
    route_jobs: RouteJobs,
    scheduler: Scheduler,
    heartbeat: Option<HeartbeatRound>,
    boot: Boot,
    producers: Vec<Producer>,
    ops: Ops,
    deciding: Numbered<TaskId, Deciding>,
    /// Sends whose queue the application is asked for.
    selecting: Numbered<TaskId, u64>,
    consumers: Vec<Consumer>,
    /// Groups of pull consumers whose settings are wrong: their `start()` threw.
    start_failed: Vec<Group>,
    rebalance: Rebalance,
    pull: PullMessage,
    pull_later: Delays<Later>,
    consume_later: Delays<Later>,
    running: Numbered<TaskId, Running>,
    in_order: Numbered<TaskId, InOrder>,
    /// For when the lockers' timer is armed.
    lockers_armed: Time,
    next_task: u64,
    shutdown: Option<Shutdown>,
    ready: VecDeque<Ready>,
}

/// An upstream thread that does one thing at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fiber {
    /// The application's main thread while it starts the consumers.
    Boot,
    /// `MQClientFactoryScheduledThread`.
    Scheduler,
    /// `RebalanceService`.
    Rebalance,
    /// `PullMessageService`.
    Pull,
    /// An application's thread inside a call.
    Op(u64),
    /// A consume thread that sends a message back.
    Consume(TaskId),
    /// A consume thread that gives a message up whose queue is consumed in order.
    InOrder(TaskId),
    /// This consumer's `ConsumeMessageScheduledThread`, that locks its queues.
    Locker(usize),
    /// This consumer's cleaning thread.
    Clean(usize),
    /// The application's main thread while it shuts down.
    Shutdown,
}

/// Who hears how a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waiter {
    /// Nobody.
    Nobody,
    /// A thread.
    Fiber(Fiber),
    /// The route look-up that holds `lockNamesrv`.
    Route,
    /// The heartbeat round that holds `lockHeartbeat`.
    Heartbeat,
    /// The callback of a pull of this consumer and queue.
    Pulled(usize, u64),
}

/// What somebody was woken with.
#[derive(Clone, Debug)]
enum Woken {
    /// Nothing: it may go on.
    Go,
    /// An answer, or why there is none.
    Answered(Result<Box<Command>, Exception>),
    /// A one-way request went out, or why not.
    Written(Result<(), Exception>),
    /// A route look-up ended.
    Routed,
    /// A send of the client's own ended, or the text of its exception.
    Sent(Result<(), Name>),
}

/// A waiter that can go on.
#[derive(Clone, Debug)]
struct Ready {
    waiter: Waiter,
    woken: Woken,
}

/// A queue that this process owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned {
    /// The group.
    pub group: Group,
    /// The queue.
    pub queue: MessageQueue,
    /// From where the next pull goes.
    pub next_offset: i64,
    /// The offset that is reported as consumed; -1 if there is none.
    pub consumed: i64,
    /// Messages pulled and not done.
    pub cached: i64,
}

/// `PullRequest [consumerGroup=…, …]`: a queue in hand is its pull request. Source: `PullRequest.toString`.
impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owned { group, queue, next_offset, .. } = self;
        write!(f, "PullRequest [consumerGroup={group}, messageQueue={queue}, nextOffset={next_offset}]")
    }
}

impl Client {
    /// Starts the process: its producers, then its consumers, as an application's `main` does.
    ///
    /// A process with a consumer whose offset file is not [`readable`](consumer::local::readable) cannot start: whoever
    /// boots one looks first.
    pub fn boot(config: ClientConfig, step: &mut Step<'_>) -> Client {
        let inner = ProducerConfig::new(CLIENT_INNER_PRODUCER_GROUP);
        let mut producers: Vec<Producer> = config.producers.iter().cloned().chain([inner]).map(Producer::new).collect();
        for producer in &mut producers {
            // Asking for the template's route from the start is how brokers become known.
            producer.know_topic(&AUTO_CREATE_TOPIC_KEY_TOPIC.into());
        }
        let mut start_failed = Vec::new();
        for consumer in &config.consumers {
            if let Err(thrown) = check(consumer) {
                let (group, text) = (consumer.group.clone(), Name::from(thrown.to_string()));
                step.out.say(Fact::StartThrew { group, text });
                start_failed.push(consumer.group.clone());
            }
        }
        let started = config.consumers.iter().filter(|consumer| !start_failed.contains(&consumer.group));
        let consumers = started.map(|consumer| {
            let local = LocalOffsets::of(&config, consumer, step.disk);
            Consumer::new(consumer.clone(), config.profile.clone(), local, step.wall)
        });
        let consumers = consumers.collect();
        let remoting = Remoting::new(&config.nameservers, step);
        let mut client = Client {
            client_id: config.client_id(),
            remoting,
            routes: Routes::default(),
            route_jobs: RouteJobs::default(),
            scheduler: Scheduler::new(&config, step),
            heartbeat: None,
            boot: Boot::default(),
            producers,
            ops: Ops::new(config.ip, config.pid),
            deciding: Numbered::default(),
            selecting: Numbered::default(),
            consumers,
            start_failed,
            rebalance: Rebalance::default(),
            pull: PullMessage::default(),
            pull_later: Delays::new(Timer::PullLater),
            consume_later: Delays::new(Timer::ConsumeLater),
            running: Numbered::default(),
            in_order: Numbered::default(),
            lockers_armed: Time::NEVER,
            next_task: 0,
            shutdown: None,
            ready: VecDeque::new(),
            config,
        };
        step.out.say(Fact::Started {});
        client.start(step);
        client.run(step);
        client
    }

    /// The queues that this process owns and has not given up, by group, then queue.
    pub fn owned(&self) -> Vec<Owned> {
        let mut owned: Vec<Owned> = self.consumers.iter().flat_map(Consumer::owned).collect();
        owned.sort_by(|a, b| (&a.group, &a.queue).cmp(&(&b.group, &b.queue)));
        owned
    }

    /// The process's client id.
    pub fn client_id(&self) -> &Name {
        &self.client_id
    }

    fn wake(&mut self, fiber: Fiber, woken: Woken) {
        self.ready.push_back(Ready { waiter: Waiter::Fiber(fiber), woken });
    }

    /// Runs everybody who can go on, until nobody can.
    fn run(&mut self, step: &mut Step<'_>) {
        while let Some(Ready { waiter, woken }) = self.ready.pop_front() {
            match waiter {
                Waiter::Nobody => {}
                Waiter::Route => self.route_answered(woken, step),
                Waiter::Heartbeat => self.heartbeat_answered(woken, step),
                Waiter::Pulled(consumer, queue) => self.pulled(consumer, queue, woken, step),
                Waiter::Fiber(Fiber::Boot) => self.boot_on(woken, step),
                Waiter::Fiber(Fiber::Scheduler) => self.scheduler_on(woken, step),
                Waiter::Fiber(Fiber::Rebalance) => self.rebalance_on(woken, step),
                Waiter::Fiber(Fiber::Pull) => self.pull_on(woken, step),
                Waiter::Fiber(Fiber::Op(op)) => self.op_on(op, woken, step),
                Waiter::Fiber(Fiber::Consume(task)) => self.sent_back(task, woken, step),
                Waiter::Fiber(Fiber::InOrder(task)) => self.given_up(task, woken, step),
                Waiter::Fiber(Fiber::Locker(consumer)) => self.locker_on(consumer, woken, step),
                Waiter::Fiber(Fiber::Clean(consumer)) => self.clean_on(consumer, woken, step),
                Waiter::Fiber(Fiber::Shutdown) => self.shutdown_on(woken, step),
            }
        }
    }

    fn fired(&mut self, timer: Timer, step: &mut Step<'_>) {
        match timer {
            Timer::RequestDeadline => {
                self.route_jobs.expire(step.mono, &mut self.ready);
                let also = self.route_jobs.next_deadline();
                self.remoting.expire(also, step, &mut self.ready);
            }
            Timer::ChannelIdle => self.remoting.close_idle(step, &mut self.ready),
            Timer::RoutePoll | Timer::Heartbeat | Timer::ConsumerPersist => self.scheduler_due(step),
            Timer::Rebalance => self.rebalance_due(step),
            Timer::PullLater => self.pull_later_due(step),
            Timer::ConsumeLater => self.consume_later_due(step),
            Timer::CleanExpired => self.clean_due(step),
            Timer::OrderlyScheduled => self.lockers_due(step),
            _ => {}
        }
    }

    /// A request from a broker. Source: `ClientRemotingProcessor.processRequest`.
    ///
    /// Differs: of the six requests that a client serves the change of ids, the check of a transaction and the reset of offsets
    /// are; the other three are dropped.
    fn asked(&mut self, conn: ConnId, command: &Command, step: &mut Step<'_>) {
        match command.code {
            request::NOTIFY_CONSUMER_IDS_CHANGED => self.wake_rebalance(step),
            request::CHECK_TRANSACTION_STATE => self.asked_to_check(conn, command, step),
            request::RESET_CONSUMER_CLIENT_OFFSET => self.asked_to_reset(command, step),
            GET_CONSUMER_STATUS_FROM_CLIENT | GET_CONSUMER_RUNNING_INFO | CONSUME_MESSAGE_DIRECTLY => {}
            code => {
                let answer = Command::response(response::REQUEST_CODE_NOT_SUPPORTED, command.opaque, Header::None)
                    .with_remark(format!(" request type {code} not supported"));
                step.out.send(conn, answer);
            }
        }
    }
}

impl Node for Client {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Connected { conn } => self.remoting.connected(conn, step, &mut self.ready),
            Event::Refused { conn, .. } => self.remoting.refused(conn, step, &mut self.ready),
            Event::Closed { conn, why } => self.remoting.closed(conn, why, &mut self.ready),
            Event::Received { conn, frame: Frame::Command(command) } => {
                self.remoting.heard(conn, step.mono);
                match command.is_response() {
                    false => self.asked(conn, &command, step),
                    true => {
                        if let Some((waiter, command)) = self.remoting.answered(command) {
                            self.ready.push_back(Ready { waiter, woken: Woken::Answered(Ok(command)) });
                        }
                    }
                }
            }
            Event::Fired { timer } => self.fired(timer.name, step),
            Event::App(call) => match *call {
                Call::Send { op, group, message, timeout } => self.send(op, &group, message, timeout, step),
                Call::CreateTopic { op, group, key, topic, queues } => {
                    self.create_topic(producer::create::Wanted { op, key, topic, queues }, &group, step);
                }
                Call::SendBy { op, group, message, timeout, by } => {
                    self.send_by((op, &group), message, timeout, by, step);
                }
                Call::SendBatch { op, group, messages, timeout } => {
                    self.send_batch((op, &group), messages, timeout, step);
                }
                Call::Pull { op, group, what } => self.call_puller(op, &group, *what, step),
                Call::Admin { op, what } => self.administer(op, what, step),
                Call::Steer { op, group, what } => self.steer(op, &group, what, step),
                Call::SendInTransaction { op, group, message } => self.send_in_transaction(op, &group, message, step),
                Call::Decided { task, outcome } => self.decided(task, outcome, step),
                Call::Selected { task, choice } => self.selected(task, choice, step),
                Call::Listened { task, outcome } => self.listened(task, outcome, step),
            },
            Event::WallStepped => self.remoting.wall_stepped(step),
            Event::Stop => self.stop(step),
            Event::Received { frame: Frame::Bytes(_), .. }
            | Event::Accepted { .. }
            | Event::Drained { .. }
            | Event::SpaceChanged
            | Event::Flushed { .. } => {}
        }
        self.run(step);
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Source: `RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT`.
const GET_CONSUMER_STATUS_FROM_CLIENT: i32 = 221;
/// Source: `RequestCode.GET_CONSUMER_RUNNING_INFO`.
const GET_CONSUMER_RUNNING_INFO: i32 = 307;
/// Source: `RequestCode.CONSUME_MESSAGE_DIRECTLY`.
const CONSUME_MESSAGE_DIRECTLY: i32 = 309;
