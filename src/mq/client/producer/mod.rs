//! Call in, command out, outcome back: producers and the calls that wait in them.
//!
//! A call is the application's own thread: it looks for the topic's queues, picks one, sends, and on an exception of the
//! right kind tries again with what is left of its budget. An attempt may use the whole rest of the budget, so a timeout is
//! never followed by another attempt.

use std::collections::BTreeMap;

use crate::mq::app::OpId;
use crate::mq::client::admin::Admin;
use crate::mq::client::config::ProducerConfig;
use crate::mq::client::consumer::puller::Pulling;
use crate::mq::client::numbered::Numbered;
use crate::mq::client::producer::pick::{FaultStrategy, TopicPublishInfo};
use crate::mq::client::producer::transaction::{CHECK_THREADS, CHECKS_MAX, Check};
use crate::mq::client::{Client, Woken};
use crate::mq::message::id::UniqIds;
use crate::mq::message::java::Key;
use crate::mq::message::{Group, Topic, property};
use crate::mq::node::Step;
use crate::mq::pool::Pool;

pub(crate) use transaction::Deciding;

pub mod pick;

pub(crate) mod send;

mod transaction;

mod way;

pub(crate) mod create;

/// A producer of this process.
///
/// Source: `org.apache.rocketmq.client.impl.producer.DefaultMQProducerImpl`.
#[derive(Clone, Debug)]
pub(crate) struct Producer {
    config: ProducerConfig,
    topics: BTreeMap<Topic, TopicPublishInfo>,
    strategy: FaultStrategy,
    /// The thread that answers brokers' questions.
    checks: Pool<Check>,
    running: bool,
}

/// Calls that wait, and what their messages get from the process.
#[derive(Clone, Debug)]
pub(crate) struct Ops {
    pub(super) waiting: Numbered<u64, Op>,
    next: u64,
    ids: UniqIds,
    /// The property's name, shared by all messages.
    uniq_key: Key,
    /// The property text under way, kept for its room.
    text: String,
}

/// A call of an application.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Send(Box<send::Send>),
    Create(Box<create::Create>),
    Admin(Box<Admin>),
    Pull(Box<Pulling>),
    /// The heartbeats behind a new subscription.
    Steer(OpId),
}

impl Producer {
    pub(crate) fn new(config: ProducerConfig) -> Producer {
        let strategy = FaultStrategy::new(config.send_latency_fault_enable);
        let checks = Pool::new(CHECK_THREADS, CHECKS_MAX);
        Producer { config, topics: BTreeMap::new(), strategy, checks, running: true }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.config.group
    }

    /// Puts an empty entry for a topic, so that its route is polled.
    pub(crate) fn know_topic(&mut self, topic: &Topic) {
        if !self.topics.contains_key(&**topic) {
            self.topics.insert(topic.clone(), TopicPublishInfo::default());
        }
    }

    /// Source: `DefaultMQProducerImpl.getPublishTopicList`.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// Source: `DefaultMQProducerImpl.isPublishTopicNeedUpdate`.
    pub(crate) fn needs_route(&self, topic: &Topic) -> bool {
        !self.topics.get(&**topic).is_some_and(TopicPublishInfo::ok)
    }

    /// Source: `DefaultMQProducerImpl.updateTopicPublishInfo`.
    pub(crate) fn learn(&mut self, topic: &Topic, info: TopicPublishInfo) {
        self.topics.insert(topic.clone(), info);
    }

    pub(crate) fn stop(&mut self) {
        self.running = false;
    }
}

impl Ops {
    pub(crate) fn new(ip: u32, pid: u16) -> Ops {
        Ops {
            waiting: Numbered::default(),
            next: 0,
            ids: UniqIds::new(ip, pid, CLASS_LOADER_HASH),
            uniq_key: Key::from(property::names::UNIQ_KEY),
            text: String::new(),
        }
    }

    pub(super) fn add(&mut self, op: Op) -> u64 {
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, op);
        id
    }
}

impl Client {
    fn producer_of(&self, group: &str) -> Option<usize> {
        self.producers.iter().position(|producer| producer.config.group == *group)
    }

    /// A call goes on.
    pub(super) fn op_on(&mut self, id: u64, woken: Woken, step: &mut Step<'_>) {
        match self.ops.waiting.remove(id) {
            Some(Op::Send(send)) => self.send_on(id, send, woken, step),
            Some(Op::Create(create)) => self.create_on(id, create, woken, step),
            Some(Op::Pull(pulling)) => self.pulling_on(id, pulling, woken, step),
            Some(Op::Admin(admin)) => self.admin_on(id, admin, woken, step),
            Some(Op::Steer(op)) => self.steered(op, woken, step),
            None => {}
        }
    }
}

/// The hash that Java 8's usual class loader gives, third part of every unique key.
const CLASS_LOADER_HASH: u32 = 0x18B4_AAC2;
