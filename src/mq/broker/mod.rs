//! The post office: takes messages in, keeps them, hands them out.
//!
//! One process, one store, many connections. A request comes in on the port or on the VIP port two below it, is looked up
//! by its code, and is answered at once, later (a sync flush, a held pull) or never (a code nobody knows).
//!
//! Source: `BrokerController`.

use std::any::Any;

use crate::mq::broker::backs::Unanswered;
use crate::mq::broker::configs::Configs;
use crate::mq::broker::desk::Desks;
use crate::mq::broker::filter::Filters;
use crate::mq::broker::group::Groups;
use crate::mq::broker::hold::Holds;
use crate::mq::broker::members::Members;
use crate::mq::broker::offset::Offsets;
use crate::mq::broker::processor::relay::Relayed;
use crate::mq::broker::processor::send::{Parked, SendJob};
use crate::mq::broker::rebalance_lock::RebalanceLocks;
use crate::mq::broker::registration::Registration;
use crate::mq::broker::replica::Replica;
use crate::mq::broker::stats::Stats;
use crate::mq::broker::topic::Topics;
use crate::mq::broker::transaction::Transactions;
use crate::mq::broker::watched::Watched;
use crate::mq::channel::Channels;
use crate::mq::fact::Fact;
use crate::mq::filter::bloom::Shape;
use crate::mq::message::{Host, Name, PhysicalOffset, Topic, names};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, ConnId, Event, Frame, Node, Step, Timer, TimerKey};
use crate::mq::pool::Pool;
use crate::mq::profile::Profile;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::outcome::{News, StoreError};
use crate::mq::store::{Clock, MessageStore, Service};
use crate::mq::time::{Span, Time};
use crate::mq::wire::body::TopicConfig;
use crate::mq::wire::code::request;
use crate::mq::wire::command::{Command, Opaque};
use crate::mq::wire::header::Header;

pub mod topic;

pub mod group;

pub mod properties;

pub mod members;

pub mod offset;

pub mod filter;

mod backs;

mod configs;

mod desk;

mod matching;

mod news;

pub mod hold;

pub mod rebalance_lock;

pub mod registration;

mod replica;

pub mod transaction;

pub mod processor;

pub mod stats;

mod timers;

mod watched;

/// A broker's settings. Source: `BrokerConfig`, `NettyServerConfig`, whose defaults [`BrokerConfig::new`] gives.
#[derive(Clone, PartialEq, Debug)]
pub struct BrokerConfig {
    /// `brokerClusterName`.
    pub cluster: Name,
    /// `brokerName`.
    pub broker_name: Name,
    /// `brokerId`; 0 is the master.
    pub broker_id: i64,
    /// Where it listens: `listenPort`.
    pub addr: Addr,
    /// `brokerIP1`: the address it announces.
    pub broker_ip1: u32,
    /// `brokerIP2`: the address that its slaves are told.
    pub broker_ip2: u32,
    /// `namesrvAddr`.
    pub nameservers: Vec<Addr>,
    /// The store's settings.
    pub store: StoreConfig,
    /// `autoCreateTopicEnable`.
    pub auto_create_topic_enable: bool,
    /// `autoCreateSubscriptionGroup`.
    pub auto_create_subscription_group: bool,
    /// `brokerPermission`: bits of `PermName`.
    pub broker_permission: i32,
    /// `defaultTopicQueueNums`: queues of the template of automatic creation.
    pub default_topic_queue_nums: i32,
    /// `registerNameServerPeriod`; read as 10 s to 60 s.
    pub register_name_server_period: Span,
    /// `flushConsumerOffsetInterval`.
    pub flush_consumer_offset_interval: Span,
    /// `sendMessageThreadPoolNums`.
    pub send_threads: usize,
    /// `sendThreadPoolQueueCapacity`.
    pub send_queue_capacity: usize,
    /// `waitTimeMillsInSendQueue`.
    pub wait_time_in_send_queue: Span,
    /// `longPollingEnable`.
    pub long_polling_enable: bool,
    /// `shortPollingTimeMills`.
    pub short_polling_time_ms: i64,
    /// `slaveReadEnable`: whether a slow consumer is sent to a slave.
    pub slave_read_enable: bool,
    /// `enablePropertyFilter`: whether consumers may filter by SQL92.
    pub enable_property_filter: bool,
    /// `filterSupportRetry`: whether messages of retry topics are filtered again.
    pub filter_support_retry: bool,
    /// `enableCalcFilterBitMap`.
    pub enable_calc_filter_bit_map: bool,
    /// `filterDataCleanTimeSpan`.
    pub filter_data_clean_time_span_ms: i64,
    /// `expectConsumerNumUseFilter`: for how many filters bit maps are made.
    pub expect_consumer_num_use_filter: i32,
    /// `maxErrorRateOfBloomFilter`: how often a bit map may say yes to a filter that says no, in percent.
    pub max_error_rate_of_bloom_filter: i32,
    /// The shape of bit maps that follows from the two.
    pub bit_maps: Shape,
    /// `rejectTransactionMessage`.
    pub reject_transaction_message: bool,
    /// `transactionTimeOut`: how old a half message must be before it is asked for.
    pub transaction_time_out: Span,
    /// `transactionCheckMax`: how often it is asked for.
    pub transaction_check_max: i32,
    /// `transactionCheckInterval`.
    pub transaction_check_interval: Span,
    /// `rocketmq.broker.rebalance.lockMaxLiveTime`, a property of the JVM: how long a queue's lease lasts.
    pub lock_max_live_time: Span,
    /// Topics that exist from the first boot.
    pub topics: Vec<TopicConfig>,
    /// Which weaknesses are kept.
    pub profile: Profile,
}

impl BrokerConfig {
    /// The defaults of 4.3.2 for a master of that name at that address.
    pub fn new(broker_name: impl Into<Name>, addr: Addr) -> BrokerConfig {
        BrokerConfig {
            cluster: "DefaultCluster".into(),
            broker_name: broker_name.into(),
            broker_id: 0,
            addr,
            broker_ip1: addr.ip,
            broker_ip2: addr.ip,
            nameservers: Vec::new(),
            store: StoreConfig::default(),
            auto_create_topic_enable: true,
            auto_create_subscription_group: true,
            broker_permission: topic::PERM_READ | topic::PERM_WRITE,
            default_topic_queue_nums: 8,
            register_name_server_period: Span::from_secs(30),
            flush_consumer_offset_interval: Span::from_secs(5),
            send_threads: 1,
            send_queue_capacity: 10_000,
            wait_time_in_send_queue: Span::from_millis(200),
            long_polling_enable: true,
            short_polling_time_ms: 1_000,
            slave_read_enable: false,
            enable_property_filter: false,
            filter_support_retry: false,
            enable_calc_filter_bit_map: false,
            filter_data_clean_time_span_ms: filter::CLEAN_TIME_SPAN_MS,
            expect_consumer_num_use_filter: 32,
            max_error_rate_of_bloom_filter: 20,
            bit_maps: Shape::default(),
            reject_transaction_message: false,
            transaction_time_out: Span::from_secs(6),
            transaction_check_max: 15,
            transaction_check_interval: Span::from_secs(60),
            lock_max_live_time: Span::from_secs(60),
            topics: Vec::new(),
            profile: Profile::FAITHFUL,
        }
    }
}

/// Why a broker cannot boot.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("broker `{broker}`: {error}")]
pub struct BootError {
    /// Which broker.
    pub broker: Name,
    /// What its store says.
    pub error: StoreError,
}

/// A broker process.
#[derive(Clone, Debug)]
pub struct Broker {
    config: BrokerConfig,
    started: Time,
    store: Watched,
    channels: Channels,
    topics: Topics,
    groups: Groups,
    offsets: Offsets,
    filters: Filters,
    members: Members,
    holds: Holds,
    locks: RebalanceLocks,
    registration: Registration,
    sends: Pool<SendJob>,
    desks: Desks,
    parked: Vec<Parked>,
    backs: Vec<Unanswered>,
    relays: Vec<Relayed>,
    transactions: Transactions,
    replica: Replica,
    announced: Host,
    next_opaque: i32,
    next_conn: u32,
    /// What each store service's timer is armed for.
    armed: [Option<Time>; Service::COUNT],
    offsets_armed: bool,
    filters_armed: Option<Time>,
    holds_armed: bool,
    clients_armed: Option<Time>,
    fast_failure_armed: bool,
    stopping: bool,
    news: Vec<News>,
    stats: Stats,
}

impl Broker {
    /// Loads configs, opens the store, registers. Source: `BrokerController.initialize`, `start`.
    ///
    /// Errors: [`BootError`] if the store cannot be opened; damage in it is cut off, not an error.
    pub fn boot(config: BrokerConfig, step: &mut Step<'_>) -> Result<Broker, BootError> {
        let clock = Clock { wall: step.wall, mono: step.mono };
        let failed = |error: StoreError| BootError { broker: config.broker_name.clone(), error };
        let Configs { topics, offsets, groups, filters } =
            Configs::load(&config, step).map_err(|error| failed(error.into()))?;
        let bit_maps = config.enable_calc_filter_bit_map.then(|| configs::bit_maps(&filters));
        let store = MessageStore::open_with(config.store.clone(), config.profile.clone(), step.disk, clock, bit_maps)
            .map_err(failed)?;
        let mut broker = Broker {
            started: step.mono,
            store: Watched::new(store),
            channels: Channels::default(),
            topics,
            groups,
            offsets,
            filters,
            members: Members::default(),
            holds: Holds::default(),
            locks: RebalanceLocks::default(),
            registration: Registration::new(&config.nameservers),
            sends: Pool::new(config.send_threads, config.send_queue_capacity),
            desks: Desks::new(),
            parked: Vec::new(),
            backs: Vec::new(),
            relays: Vec::new(),
            transactions: Transactions::default(),
            replica: Replica::new(config.store.role),
            announced: Host { ip: config.broker_ip1, port: i32::from(config.addr.port) },
            next_opaque: 0,
            next_conn: 1,
            armed: [None; Service::COUNT],
            offsets_armed: false,
            filters_armed: None,
            holds_armed: false,
            clients_armed: None,
            fast_failure_armed: false,
            stopping: false,
            news: Vec::new(),
            stats: Stats::new(step.mono),
            config,
        };
        broker.settle(step);
        step.out.say(Fact::Started {});
        if broker.topics.is_dirty {
            broker.persist_topics(step);
        }
        broker.arm_filters(step);
        broker.start_checks();
        broker.start_replica(step);
        broker.register_all(step, false);
        step.out.arm(TimerKey::of(Timer::Registration), step.mono + REGISTRATION_DELAY);
        broker.settle(step);
        // Half messages of an earlier process may wait in a store that nobody touches any more.
        broker.arm_checks(step);
        Ok(broker)
    }

    /// The ports it listens on: its own, the VIP channel's two below, and that of replication, one above.
    pub fn ports(config: &BrokerConfig) -> [u16; 3] {
        let port = config.addr.port;
        [port, port.saturating_sub(VIP_BELOW), port.saturating_add(1)]
    }

    /// Where its log ends.
    pub fn log_end(&self) -> PhysicalOffset {
        self.store.log_end()
    }

    /// Its store.
    pub fn store(&self) -> &MessageStore {
        &self.store
    }

    /// Its groups' offsets.
    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// The pulls it holds.
    pub fn holds(&self) -> &Holds {
        &self.holds
    }

    /// Who may consume which queue in order.
    pub fn locks(&self) -> &RebalanceLocks {
        &self.locks
    }

    /// Who is connected.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// Its subscription groups.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Its groups' filters.
    pub fn filters(&self) -> &Filters {
        &self.filters
    }

    /// Its topics.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    fn clock(step: &Step<'_>) -> Clock {
        Clock { wall: step.wall, mono: step.mono }
    }

    /// A connection never used before.
    fn new_conn(&mut self) -> ConnId {
        let conn = ConnId(self.next_conn);
        self.next_conn += 2;
        conn
    }

    fn opaque(&mut self) -> Opaque {
        let opaque = Opaque(self.next_opaque);
        self.next_opaque = self.next_opaque.wrapping_add(1);
        opaque
    }

    fn received(&mut self, conn: ConnId, command: Box<Command>, step: &mut Step<'_>) {
        self.channels.touch(conn, step.mono);
        if command.is_response() {
            if self.synchronize_answered(conn, &command, step) || self.relay_answered(conn, &command, step) {
                return;
            }
            if let Some(name) = self.registration.name_of(conn).filter(|_| command.code == 0) {
                step.out.say(Fact::RegistrationAnswered { nameserver: name.clone() });
            }
            if let Header::Registered(header) = &command.header
                && self.registration.is_first_answer(&command)
            {
                self.learn_master(header);
                self.learn_orders(&command, step);
            }
            return;
        }
        if self.stopping {
            return;
        }
        match command.code {
            request::SEND_MESSAGE
            | request::SEND_MESSAGE_V2
            | request::SEND_BATCH_MESSAGE
            | request::CONSUMER_SEND_MSG_BACK => {
                self.submit_send(conn, command, step);
            }
            _ => self.at_the_desk(conn, command, step),
        }
    }

    /// Does a request that sends nothing.
    fn do_request(&mut self, conn: ConnId, command: Box<Command>, step: &mut Step<'_>) {
        let is_fast = self.channels.port(conn) == Some(self.config.addr.port.saturating_sub(VIP_BELOW));
        match command.code {
            request::END_TRANSACTION => self.end_transaction(conn, command, step),
            // Not on the VIP port: there it falls to the admin processor, which does not know it.
            request::PULL_MESSAGE if !is_fast => self.pull(conn, command, true, step),
            _ => self.manage(conn, &command, step),
        }
    }

    /// Answers a request, unless its connection is gone or it wants none.
    fn answer(&mut self, conn: ConnId, is_oneway: bool, response: Box<Command>, step: &mut Step<'_>) {
        if !is_oneway && self.channels.is_open(conn) {
            step.out.send(conn, response);
        }
    }

    /// Refuses a request with a code and a remark.
    fn refuse(&mut self, conn: ConnId, command: &Command, code: i32, remark: Name, step: &mut Step<'_>) {
        step.out.say(Fact::RequestRefused { request: command.code, code, remark: remark.clone() });
        let response = Command::response(code, command.opaque, Default::default()).with_remark(remark);
        self.answer(conn, command.is_oneway(), response, step);
    }

    /// A connection is gone.
    fn closed(&mut self, conn: ConnId, why: &'static str, step: &mut Step<'_>) {
        if self.registration.gone(conn) || self.replica_closed(conn, step) {
            return;
        }
        self.channels.close(conn);
        if self.config.profile.plants(Mistake::ClosedMemberStays) && why == "closed" {
            return;
        }
        let left = self.members.channel_gone(conn);
        self.say_left(left, why, why != "expired", step);
    }

    /// Takes what the store left, says it, and arms its services.
    fn settle(&mut self, step: &mut Step<'_>) {
        if !self.store.is_touched() {
            self.arm_transfers(step);
            return self.arm_offsets(step);
        }
        loop {
            let mut news = std::mem::take(&mut self.news);
            self.store.take_news(&mut news);
            if news.is_empty() {
                self.news = news;
                break;
            }
            for item in news.drain(..) {
                self.hear(item, step);
            }
            self.news = news;
        }
        self.arm_transfers(step);
        self.arm_services(step);
        self.arm_offsets(step);
        self.store.settled();
        if self.stopping && self.store.is_shut_down() {
            step.out.say(Fact::Stopped {});
            step.out.exit();
        }
    }

    /// Begins a clean stop. Source: `BrokerController.shutdown`.
    fn stop(&mut self, step: &mut Step<'_>) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        let clock = Self::clock(step);
        self.store.begin_shutdown(step.disk, clock);
        self.unregister_all(step);
        self.persist_offsets(step);
        self.persist_filters(step);
        self.check_on_leaving(step);
        self.settle(step);
    }

    fn fired(&mut self, key: TimerKey, step: &mut Step<'_>) {
        let service = match key.name {
            Timer::Reput => Service::Reput,
            Timer::GroupCommit => Service::GroupCommit,
            Timer::FlushCommitLog => Service::FlushCommitLog,
            Timer::FlushConsumeQueue => Service::FlushConsumeQueue,
            Timer::PutDeadline => Service::PutDeadline,
            Timer::CommitLog => Service::Commit,
            Timer::Schedule => Service::Schedule,
            Timer::DelayOffsets => Service::DelayOffsets,
            Timer::CleanFiles => Service::Clean,
            Timer::HaTransfer | Timer::HaHousekeeping | Timer::HaClient | Timer::SlaveSynchronize => {
                return self.replica_fired(key, step);
            }
            other => return self.fired_of_broker(other, step),
        };
        self.armed[service as usize] = None;
        let clock = Self::clock(step);
        self.store.fired(step.disk, clock, service);
    }
}

impl Node for Broker {
    fn on(&mut self, event: Event, step: &mut Step<'_>) {
        match event {
            Event::Accepted { conn, port, peer } if self.is_ha_port(port) => self.slave_accepted(conn, peer, step),
            Event::Accepted { conn, port, peer } => self.channels.open(conn, port, peer, step.mono, step.out),
            Event::Received { conn, frame: Frame::Command(command) } => self.received(conn, command, step),
            Event::Connected { conn } => {
                if !self.registration.connected(conn, step.out) {
                    self.replica_connected(conn, step);
                }
            }
            Event::Refused { conn, .. } => {
                if !self.registration.gone(conn) {
                    self.replica_refused(conn, step);
                }
            }
            Event::Closed { conn, .. } => self.closed(conn, "closed", step),
            Event::Fired { timer } => self.fired(timer, step),
            Event::Flushed { ticket, result } => {
                let clock = Self::clock(step);
                self.store.flush_answered(step.disk, clock, ticket, result);
            }
            Event::WallStepped => self.wall_stepped(step),
            Event::SpaceChanged => self.store.space_changed(),
            Event::Stop => self.stop(step),
            Event::Received { conn, frame: Frame::Bytes(bytes) } => self.bytes_in(conn, *bytes, step),
            Event::Drained { conn } => self.replica_drained(conn, step),
            Event::App(_) => {}
        }
        self.settle(step);
    }

    fn fork(&self) -> Box<dyn Node> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn is_retry(topic: &Topic) -> bool {
    topic.starts_with(RETRY_PREFIX)
}

/// Source: `MixAll.RETRY_GROUP_TOPIC_PREFIX`.
pub const RETRY_PREFIX: &str = names::RETRY_GROUP_TOPIC_PREFIX;
/// Source: `FAQUrl.suggestTodo`.
const SUGGEST_TODO: &str = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";
/// Source: `BrokerController`: the fast remoting server listens on `listenPort - 2`.
const VIP_BELOW: u16 = 2;
/// Source: `BrokerController.start`.
const REGISTRATION_DELAY: Span = Span::from_secs(10);
