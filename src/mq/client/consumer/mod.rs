//! The push consumer: it pulls, and calls the listener. Beside it in `puller` the one whose application pulls.
//!
//! ```text
//!  rebalance ─▶ this queue is mine ─▶ pull ─▶ process queue ─▶ listener ─▶ lowest offset not done ─▶ broker
//!                     │                ▲  │ too much cached: wait
//!                     │ ordered        └──┘ ordered and not locked: wait
//!                     └─▶ lock at the broker, every 20 s anew
//! ```
//!
//! The invariant to remember: one outstanding pull a queue. A pull request lives in exactly one place: the pull thread's
//! queue, the request table, or the list of those put off.

use std::collections::BTreeMap;

use crate::mq::app::{ConsumeFrom, MessageModel, MessageSelector};
use crate::mq::client::Owned;
use crate::mq::client::config::{ConsumerConfig, RETRY_GROUP_TOPIC_PREFIX};
use crate::mq::client::consumer::clean::Cleaner;
use crate::mq::client::consumer::concurrently::ConsumeRequest;
use crate::mq::client::consumer::local::LocalOffsets;
use crate::mq::client::consumer::orderly::Orderly;
use crate::mq::client::consumer::process_queue::ProcessQueue;
use crate::mq::client::consumer::puller::Puller;
use crate::mq::client::route::java_order;
use crate::mq::filter::tag::{self, Subscription};
use crate::mq::message::java::Key;
use crate::mq::message::{Group, MessageQueue, Name, Topic, java, property};
use crate::mq::node::{Step, Timer, TimerKey};
use crate::mq::pool::Pool;
use crate::mq::profile::Profile;
use crate::mq::time::{Millis, Time};
use crate::mq::wire::body::SubscriptionData;

pub mod allocate;

mod ring;

mod steer;

pub mod rebalance;

pub(crate) mod pull;

pub(crate) mod puller;

pub(crate) mod check;

pub mod process_queue;

pub(crate) mod from_where;

pub(crate) mod concurrently;

pub(crate) mod orderly;

pub(crate) mod queue_lock;

pub(crate) mod back;

pub(crate) mod clean;

pub(crate) mod offset_store;

pub mod local;

pub(crate) mod reset;

/// A consumer of this process: one that pushes, or one whose application pulls.
///
/// Source: `org.apache.rocketmq.client.impl.consumer.DefaultMQPushConsumerImpl`, `DefaultMQPullConsumerImpl`.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    profile: Profile,
    config: ConsumerConfig,
    retry_topic: Topic,
    subscriptions: BTreeMap<Topic, SubscriptionData>,
    /// The readable queues of each subscribed topic, sorted. Source: `RebalanceImpl.topicSubscribeInfoTable`.
    subscribe_info: BTreeMap<Topic, Vec<MessageQueue>>,
    /// The queues in hand by number; a number is never used twice, so whatever is under way for a queue given up finds
    /// nothing. Source: `RebalanceImpl.processQueueTable`.
    assigned: BTreeMap<u64, Assigned>,
    next_assigned: u64,
    /// The offset file of one that broadcasts.
    local: Option<LocalOffsets>,
    /// The consume threads.
    threads: Pool<ConsumeRequest>,
    running: bool,
    /// Whether pulls wait. Source: `DefaultMQPushConsumerImpl.pause`.
    paused: bool,
    /// The property's name, shared by all messages.
    start_time: Key,
    /// The last moment at which a listener was called, and its text.
    last_start: (Millis, Name),
    cleaner: Cleaner,
    /// What consumes in order, if its listener is ordered.
    orderly: Option<Box<Orderly>>,
    /// What a pull consumer has besides; such a one has no listener.
    puller: Option<Box<Puller>>,
}

/// A queue in hand: its window, its pull request and its offset.
///
/// Source: `ProcessQueue`, `PullRequest`, and this queue's entries of `RemoteBrokerOffsetStore.offsetTable` and
/// `PullAPIWrapper.pullFromWhichNodeTable`.
#[derive(Clone, Debug)]
pub(crate) struct Assigned {
    queue: MessageQueue,
    window: ProcessQueue,
    next_offset: i64,
    /// The offset in memory; `None` if there is none.
    consumed: Option<i64>,
    /// The broker id that the last answer suggested.
    pull_from: i64,
    /// Whether it has been pulled under a lock. Source: `PullRequest.lockedFirst`.
    locked_first: bool,
}

impl Consumer {
    /// A consumer with its subscriptions, and that to its retry topic unless it broadcasts.
    ///
    /// Source: `DefaultMQPushConsumerImpl.copySubscription`.
    /// Differs: an expression that upstream would refuse at `subscribe` is taken as `*`.
    pub(crate) fn new(
        mut config: ConsumerConfig,
        profile: Profile,
        local: Option<LocalOffsets>,
        now: Millis,
    ) -> Consumer {
        if config.consume_from == ConsumeFrom::Timestamp(None) {
            // The default is a text of whole seconds.
            let begin = now.plus(-CONSUME_TIMESTAMP_BACK_MS).0;
            config.consume_from = ConsumeFrom::Timestamp(Some(Millis(begin - begin.rem_euclid(1000))));
        }
        let retry_topic = Name::from(format!("{RETRY_GROUP_TOPIC_PREFIX}{}", config.group));
        let mut subscriptions = BTreeMap::new();
        for (topic, selector) in &config.subscriptions {
            subscriptions.insert(topic.clone(), subscription(topic, selector, now));
        }
        let puller = Puller::new(&config).map(Box::new);
        if config.message_model == MessageModel::Clustering && puller.is_none() {
            subscriptions.insert(retry_topic.clone(), subscription(&retry_topic, &tag::ALL.into(), now));
        }
        let threads = Pool::new(config.consume_thread_min, usize::MAX);
        let orderly = config.consume_orderly.then(|| Box::new(Orderly::new(config.consume_thread_min)));
        Consumer {
            profile,
            config,
            retry_topic,
            subscriptions,
            subscribe_info: BTreeMap::new(),
            assigned: BTreeMap::new(),
            next_assigned: 0,
            local,
            threads,
            running: true,
            paused: false,
            start_time: Key::from(property::names::CONSUME_START_TIME),
            last_start: (Millis(0), Name::from("0")),
            cleaner: Cleaner::default(),
            orderly,
            puller,
        }
    }

    pub(crate) fn group(&self) -> &Group {
        &self.config.group
    }

    pub(crate) fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// Whether its application pulls.
    pub(crate) fn pulls(&self) -> bool {
        self.puller.is_some()
    }

    /// What it shares out. Source: `RebalanceImpl.subscriptionInner`.
    fn shared_topics(&self) -> impl Iterator<Item = &Topic> {
        self.subscriptions.keys()
    }

    /// What it tells others that it subscribes to: a pull consumer only what is registered.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.subscriptions().map(|data| &data.topic)
    }

    /// Source: `DefaultMQPushConsumerImpl.subscriptions`, `DefaultMQPullConsumerImpl.subscriptions`.
    pub(crate) fn subscriptions(&self) -> impl Iterator<Item = &SubscriptionData> {
        let is_told = |topic: &Topic| self.config.subscriptions.iter().any(|(registered, _)| registered == topic);
        self.subscriptions.values().filter(move |data| !self.pulls() || is_told(&data.topic))
    }

    /// As heartbeats have them: a pull consumer's are of version 0.
    pub(crate) fn told_subscriptions(&self) -> Vec<SubscriptionData> {
        let mut told: Vec<SubscriptionData> = self.subscriptions().cloned().collect();
        if self.pulls() {
            told.iter_mut().for_each(|data| data.sub_version = 0);
        }
        told
    }

    /// Whoever pulls from a topic subscribes to all of it. Source: `DefaultMQPullConsumerImpl.subscriptionAutomatically`.
    fn subscribe_automatically(&mut self, topic: &Topic, now: Millis) {
        if !self.subscriptions.contains_key(topic) {
            self.subscriptions.insert(topic.clone(), subscription(topic, &tag::ALL.into(), now));
        }
    }

    /// Source: `DefaultMQPushConsumerImpl.isSubscribeTopicNeedUpdate`.
    pub(crate) fn needs_route(&self, topic: &Topic) -> bool {
        self.subscriptions.contains_key(topic) && !self.subscribe_info.contains_key(topic)
    }

    /// Source: `DefaultMQPushConsumerImpl.updateTopicSubscribeInfo`.
    pub(crate) fn learn(&mut self, topic: &Topic, queues: impl FnOnce() -> Vec<MessageQueue>) {
        if self.subscriptions.contains_key(topic) {
            self.subscribe_info.insert(topic.clone(), queues());
        }
    }

    /// The queues in hand that have not been given up.
    pub(crate) fn owned(&self) -> impl Iterator<Item = Owned> {
        self.assigned.values().filter(|assigned| !assigned.window.is_dropped()).map(|assigned| Owned {
            group: self.config.group.clone(),
            queue: assigned.queue.clone(),
            next_offset: assigned.next_offset,
            consumed: assigned.consumed.unwrap_or(-1),
            cached: assigned.window.msg_count(),
        })
    }

    pub(crate) fn stop(&mut self) {
        self.running = false;
    }

    /// Offsets of queues that are not in hand are forgotten when those that are are reported.
    pub(crate) fn forget_unused_offsets(&mut self) {
        if let Some(puller) = &mut self.puller
            && !self.assigned.is_empty()
        {
            puller.forget_loose();
        }
    }

    /// Forgets a queue; a broadcasting consumer remembers how far it had got.
    fn release(&mut self, queue: u64) {
        if let Some(gone) = self.assigned.remove(&queue)
            && let (Some(local), Some(offset)) = (&mut self.local, gone.consumed)
        {
            local.remember(gone.queue, offset);
        }
    }

    fn find(&self, queue: &MessageQueue) -> Option<u64> {
        self.assigned.iter().find(|(_, assigned)| assigned.queue == *queue).map(|(id, _)| *id)
    }
}

/// Source: `FilterAPI.build`.
fn subscription(topic: &Topic, selector: &MessageSelector, now: Millis) -> SubscriptionData {
    let built = Subscription::build(Some(selector.text()), Some(selector.language()));
    let built = built.or_else(|_| Subscription::tags(None)).expect("all is a tag expression");
    subscription_of(topic, built, now)
}

/// A subscription as others are told of it.
fn subscription_of(topic: &Topic, built: Subscription, now: Millis) -> SubscriptionData {
    let Subscription { expression, mut tags, language, .. } = built;
    java_order(&mut tags, |tag| java::hash(tag));
    let mut codes: Vec<i32> = tags.iter().map(|tag| java::hash(tag)).collect();
    codes.sort_unstable();
    codes.dedup();
    java_order(&mut codes, |code| *code);
    SubscriptionData {
        class_filter_mode: false,
        topic: topic.clone(),
        sub_string: expression,
        tags_set: tags,
        code_set: codes,
        sub_version: now.0,
        expression_type: language,
    }
}

/// Upstream's name of the constant.
pub(crate) fn consume_from_name(from: ConsumeFrom) -> &'static str {
    match from {
        ConsumeFrom::Last => "CONSUME_FROM_LAST_OFFSET",
        ConsumeFrom::First => "CONSUME_FROM_FIRST_OFFSET",
        ConsumeFrom::Timestamp(_) => "CONSUME_FROM_TIMESTAMP",
    }
}

/// Things put off, in the order in which they fall due; one timer for the first.
#[derive(Clone, Debug)]
pub(crate) struct Delays<T> {
    timer: Timer,
    due: BTreeMap<(Time, u64), T>,
    next: u64,
    armed: Time,
}

/// What is put off.
#[derive(Clone, Debug)]
pub(crate) enum Later {
    /// A pull request.
    Pull(usize, u64),
    /// An offset that the broker found illegal is set right.
    Repair(usize, u64),
    /// Offsets that a broker has moved are set.
    Reset(usize, Box<reset::Reset>),
    /// The lock of a queue given up is let go.
    Unlock(usize, MessageQueue),
    /// The rebalance waits no longer for the listener of a queue to be given up.
    StopWaiting(usize, u64),
    /// Messages that could not be sent back are consumed again.
    Consume(usize, ConsumeRequest),
}

impl<T> Delays<T> {
    pub(crate) fn new(timer: Timer) -> Delays<T> {
        Delays { timer, due: BTreeMap::new(), next: 0, armed: Time::NEVER }
    }

    pub(crate) fn add(&mut self, at: Time, thing: T, step: &mut Step<'_>) {
        self.due.insert((at, self.next), thing);
        self.next += 1;
        self.arm(step);
    }

    /// Arms for the first; an earlier arming is left, it finds nothing due and arms anew.
    fn arm(&mut self, step: &mut Step<'_>) {
        if let Some(((first, _), _)) = self.due.first_key_value()
            && *first < self.armed
        {
            self.armed = *first;
            step.out.arm(TimerKey::of(self.timer), *first);
        }
    }

    /// What is due now, in order.
    fn take_due(&mut self, step: &mut Step<'_>) -> Vec<T> {
        self.armed = Time::NEVER;
        let mut due = Vec::new();
        while let Some(entry) = self.due.first_entry()
            && entry.key().0 <= step.mono
        {
            due.push(entry.remove());
        }
        self.arm(step);
        due
    }
}

/// Source: `DefaultMQPushConsumer.consumeTimestamp`.
const CONSUME_TIMESTAMP_BACK_MS: i64 = 30 * 60 * 1000;
