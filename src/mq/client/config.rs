//! What a client process is configured with; defaults are the release's.

use crate::mq::app::{ConsumeFrom, MessageModel, MessageSelector};
use crate::mq::client::consumer::allocate::Strategy;
use crate::mq::message::{Group, Name, Topic, names};
use crate::mq::node::Addr;
use crate::mq::profile::Profile;
use crate::mq::time::Span;

/// One client process: its producers and consumers share one instance.
///
/// Source: `ClientConfig`.
/// Differs: one instance a process; upstream makes one for each client id.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientConfig {
    /// The node's name.
    pub name: Name,
    /// The address that ids are made of.
    pub ip: u32,
    /// The process id, upstream's instance name.
    pub pid: u16,
    /// The address and process id of which it makes its client id, where they are not its own: two processes behind one
    /// address whose numbers happen to be the same.
    pub says: Option<(u32, u16)>,
    /// The nameservers, in the order given.
    pub nameservers: Vec<Addr>,
    /// `vipChannelEnabled`.
    pub vip_channel_enabled: bool,
    /// `pollNameServerInterval`.
    pub poll_nameserver_interval: Span,
    /// `heartbeatBrokerInterval`.
    pub heartbeat_broker_interval: Span,
    /// `persistConsumerOffsetInterval`.
    pub persist_consumer_offset_interval: Span,
    /// Which weaknesses are kept.
    pub profile: Profile,
    /// Its producers, started in this order.
    pub producers: Vec<ProducerConfig>,
    /// Its consumers, started after them in this order.
    pub consumers: Vec<ConsumerConfig>,
}

/// Source: `DefaultMQProducer`.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerConfig {
    /// The group.
    pub group: Group,
    /// `createTopicKey`.
    pub create_topic_key: Topic,
    /// `defaultTopicQueueNums`.
    pub default_topic_queue_nums: i32,
    /// `sendMsgTimeout`.
    pub send_msg_timeout: Span,
    /// `compressMsgBodyOverHowmuch`, in bytes.
    pub compress_msg_body_over_how_much: usize,
    /// `retryTimesWhenSendFailed`.
    pub retry_times_when_send_failed: u32,
    /// `retryTimesWhenSendAsyncFailed`.
    pub retry_times_when_send_async_failed: u32,
    /// `retryAnotherBrokerWhenNotStoreOK`.
    pub retry_another_broker_when_not_store_ok: bool,
    /// `maxMessageSize`, in bytes.
    pub max_message_size: usize,
    /// `sendLatencyFaultEnable`.
    pub send_latency_fault_enable: bool,
    /// Whether it is a `TransactionMQProducer` with a listener.
    pub transactional: bool,
}

/// Source: `DefaultMQPushConsumer`, `DefaultMQPullConsumer`.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerConfig {
    /// The group.
    pub group: Group,
    /// `messageModel`.
    pub message_model: MessageModel,
    /// Topics, and what of them.
    pub subscriptions: Vec<(Topic, MessageSelector)>,
    /// `consumeFromWhere`.
    pub consume_from: ConsumeFrom,
    /// `allocateMessageQueueStrategy`.
    pub strategy: Strategy,
    /// `consumeThreadMin`: how many listeners run at once.
    pub consume_thread_min: usize,
    /// `consumeConcurrentlyMaxSpan`.
    pub consume_concurrently_max_span: i64,
    /// `pullThresholdForQueue`, in messages.
    pub pull_threshold_for_queue: i64,
    /// `pullThresholdSizeForQueue`, in MiB.
    pub pull_threshold_size_for_queue: i64,
    /// `pullThresholdForTopic`, in messages: shared out among the queues in hand.
    pub pull_threshold_for_topic: i64,
    /// `pullThresholdSizeForTopic`, in MiB: shared out as well.
    pub pull_threshold_size_for_topic: i64,
    /// `pullInterval`.
    pub pull_interval: Span,
    /// `pullBatchSize`.
    pub pull_batch_size: i32,
    /// `consumeMessageBatchMaxSize`.
    pub consume_message_batch_max_size: usize,
    /// Whether its listener is a `MessageListenerOrderly`.
    pub consume_orderly: bool,
    /// `suspendCurrentQueueTimeMillis`: how long an ordered listener lets a queue rest.
    pub suspend_current_queue_time: Span,
    /// `maxReconsumeTimes`; -1 is 16 to a concurrent listener and without end to an ordered one.
    pub max_reconsume_times: i32,
    /// `consumeTimeout`: how long a listener may hold a message.
    pub consume_timeout: Span,
    /// What makes it a pull consumer; its subscriptions are then `registerTopics`, all of each.
    pub pull: Option<PullConfig>,
}

/// What only a pull consumer is configured with. Source: `DefaultMQPullConsumer`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullConfig {
    /// `brokerSuspendMaxTimeMillis`: how long a broker may hold a pull that blocks.
    pub broker_suspend_max_time: Span,
    /// `consumerTimeoutMillisWhenSuspend`: how long such a pull is waited for.
    pub consumer_timeout_when_suspend: Span,
    /// `consumerPullTimeoutMillis`: how long any other is.
    pub consumer_pull_timeout: Span,
    /// Whether it has a `MessageQueueListener`.
    pub has_queue_listener: bool,
}

/// The release's defaults.
impl Default for PullConfig {
    fn default() -> PullConfig {
        PullConfig {
            broker_suspend_max_time: Span::from_secs(20),
            consumer_timeout_when_suspend: Span::from_secs(30),
            consumer_pull_timeout: Span::from_secs(10),
            has_queue_listener: false,
        }
    }
}

impl ClientConfig {
    /// A process without producers and consumers.
    pub fn new(name: impl Into<Name>, ip: u32, pid: u16, nameservers: Vec<Addr>) -> ClientConfig {
        ClientConfig {
            name: name.into(),
            ip,
            pid,
            says: None,
            nameservers,
            vip_channel_enabled: true,
            poll_nameserver_interval: Span::from_secs(30),
            heartbeat_broker_interval: Span::from_secs(30),
            persist_consumer_offset_interval: Span::from_secs(5),
            profile: Profile::FAITHFUL,
            producers: Vec::new(),
            consumers: Vec::new(),
        }
    }

    /// `ip@pid`, or `ip@DEFAULT` for a process that does nothing but consume broadcasts.
    ///
    /// Source: `ClientConfig.buildMQClientId`, `changeInstanceNameToPID`, which a broadcasting consumer does not call.
    pub fn client_id(&self) -> Name {
        let broadcasts = |consumer: &ConsumerConfig| consumer.message_model == MessageModel::Broadcasting;
        if self.producers.is_empty() && !self.consumers.is_empty() && self.consumers.iter().all(broadcasts) {
            return self.default_client_id();
        }
        let (ip, pid) = self.says.unwrap_or((self.ip, self.pid));
        let [a, b, c, d] = ip.to_be_bytes();
        Name::from(format!("{a}.{b}.{c}.{d}@{pid}"))
    }

    /// The id of an instance that was given no name: the same whenever it starts, and the same for all of one host.
    pub fn default_client_id(&self) -> Name {
        let [a, b, c, d] = self.ip.to_be_bytes();
        Name::from(format!("{a}.{b}.{c}.{d}@DEFAULT"))
    }
}

impl ProducerConfig {
    /// A producer of `group` with the release's defaults.
    pub fn new(group: impl Into<Group>) -> ProducerConfig {
        ProducerConfig {
            group: group.into(),
            create_topic_key: AUTO_CREATE_TOPIC_KEY_TOPIC.into(),
            default_topic_queue_nums: 4,
            send_msg_timeout: Span::from_millis(3000),
            compress_msg_body_over_how_much: 4096,
            retry_times_when_send_failed: 2,
            retry_times_when_send_async_failed: 2,
            retry_another_broker_when_not_store_ok: false,
            max_message_size: 4 * 1024 * 1024,
            send_latency_fault_enable: false,
            transactional: false,
        }
    }
}

impl ConsumerConfig {
    /// A push consumer of `group` without subscriptions, with the release's defaults.
    pub fn new(group: impl Into<Group>) -> ConsumerConfig {
        ConsumerConfig {
            group: group.into(),
            message_model: MessageModel::Clustering,
            subscriptions: Vec::new(),
            consume_from: ConsumeFrom::Last,
            strategy: Strategy::Averagely,
            consume_thread_min: 20,
            consume_concurrently_max_span: 2000,
            pull_threshold_for_queue: 1000,
            pull_threshold_size_for_queue: 100,
            pull_threshold_for_topic: UNLIMITED,
            pull_threshold_size_for_topic: UNLIMITED,
            pull_interval: Span::ZERO,
            pull_batch_size: 32,
            consume_message_batch_max_size: 1,
            consume_orderly: false,
            suspend_current_queue_time: Span::from_millis(1000),
            max_reconsume_times: -1,
            consume_timeout: Span::from_secs(15 * 60),
            pull: None,
        }
    }

    /// A pull consumer of `group` with no topic registered, with the release's defaults.
    pub fn pull(group: impl Into<Group>) -> ConsumerConfig {
        ConsumerConfig { pull: Some(PullConfig::default()), max_reconsume_times: 16, ..ConsumerConfig::new(group) }
    }
}

/// A topic without limits of its own.
pub const UNLIMITED: i64 = -1;

/// The topic whose route is the template for topics that do not exist yet. Source: `MixAll.AUTO_CREATE_TOPIC_KEY_TOPIC`.
pub const AUTO_CREATE_TOPIC_KEY_TOPIC: &str = "TBW102";

/// What a group's retry topic begins with. Source: `MixAll.RETRY_GROUP_TOPIC_PREFIX`.
pub const RETRY_GROUP_TOPIC_PREFIX: &str = names::RETRY_GROUP_TOPIC_PREFIX;

/// The producer that every instance owns. Source: `MixAll.CLIENT_INNER_PRODUCER_GROUP`.
pub const CLIENT_INNER_PRODUCER_GROUP: &str = "CLIENT_INNER_PRODUCER";
