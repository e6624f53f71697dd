//! The plan: after resolution nothing is optional. The simulator works on this, and on nothing a person wrote.

use crate::lab::fault::disk::Personality;
use crate::lab::fault::episode::{Episode, EventMatch, Trigger};
use crate::lab::scenario::count::CountRule;
use crate::lab::workload::ops::{Decider, Listener, Operator, Puller, Sender, Steered};
use crate::mq::app::{ConsumeFrom, MessageModel, MessageSelector};
use crate::mq::broker::properties::text::Pair;
use crate::mq::client::consumer::allocate::Strategy;
use crate::mq::message::{Group, Name, QueueId, Topic};
use crate::mq::profile::Profile;
use crate::mq::store::config::Role;
use crate::mq::time::{Millis, Span, Time};

/// Everything that decides a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The scenario's id.
    pub scenario: Name,
    /// The seed.
    pub seed: u64,
    /// When the run ends, true time.
    pub until: Time,
    /// Every node's wall clock at step 0.
    pub start: Millis,
    /// Which weaknesses are kept.
    pub profile: Profile,
    /// `orderMessageEnable` of the nameservers.
    pub order_message_enable: bool,
    /// The roads between nodes.
    pub network: Network,
    /// The nodes, in order of declaration; their number is their place here.
    pub nodes: Vec<NodePlan>,
    /// Who sends what.
    pub senders: Vec<Sender>,
    /// Who listens how.
    pub listeners: Vec<Listener>,
    /// Who decides how transactions end.
    pub deciders: Vec<Decider>,
    /// Who administers.
    pub operators: Vec<Operator>,
    /// Who pulls.
    pub pullers: Vec<Puller>,
    /// What applications ask of their push consumers while these run.
    pub steered: Vec<Steered>,
    /// What goes wrong.
    pub episodes: Vec<Episode>,
    /// What is expected of the run.
    pub expects: Vec<Expect>,
}

/// The default latency of every link, one way; a latency is drawn for each frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Network {
    /// At least.
    pub latency_min: Span,
    /// At most.
    pub latency_max: Span,
}

/// One node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodePlan {
    /// Its name, unique in the plan.
    pub name: Name,
    /// Its address, first byte in the highest bits.
    pub ip: u32,
    /// Its disk's speeds.
    pub disk: DiskPlan,
    /// When it boots.
    pub boot: Trigger,
    /// What it is.
    pub kind: NodeKind,
}

/// A disk's speeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskPlan {
    /// A flush takes at least this long.
    pub fsync_min: Span,
    /// A flush takes at most this long.
    pub fsync_max: Span,
    /// The device's size in bytes.
    pub capacity: u64,
    /// The machine's memory in bytes.
    pub memory: u64,
    /// Whether a page that survives a power loss may survive in part.
    pub torn_writes: bool,
    /// In which order its file system makes names and content durable.
    pub personality: Personality,
}

impl Default for DiskPlan {
    /// The disk of a node that says nothing about it.
    fn default() -> DiskPlan {
        DiskPlan {
            fsync_min: Span::from_millis(2),
            fsync_max: Span::from_millis(9),
            capacity: 1 << 40,
            memory: 16 << 30,
            torn_writes: false,
            personality: Personality::Ordered,
        }
    }
}

/// What a node is, with every setting decided.
#[derive(Clone, PartialEq, Debug)]
pub enum NodeKind {
    /// A nameserver.
    Nameserver,
    /// A broker.
    Broker(Box<BrokerPlan>),
    /// A client process.
    Client(Box<ClientPlan>),
}

/// A broker's settings; the rest are 4.3.2's defaults.
#[derive(Clone, PartialEq, Debug)]
pub struct BrokerPlan {
    /// `brokerClusterName`.
    pub cluster: Name,
    /// `brokerName`.
    pub broker_name: Name,
    /// `brokerId`; 0 is the master.
    pub broker_id: i64,
    /// The address it announces, `brokerIP1`; first byte in the highest bits.
    pub broker_ip1: u32,
    /// `listenPort`.
    pub listen_port: u16,
    /// `namesrvAddr`: node names of the nameservers.
    pub nameservers: Vec<Name>,
    /// `brokerRole`.
    pub role: Role,
    /// `flushDiskType` is `SYNC_FLUSH`.
    pub sync_flush: bool,
    /// `flushIntervalCommitLog`.
    pub flush_interval: Span,
    /// `flushCommitLogLeastPages`.
    pub flush_least_pages: u64,
    /// `flushCommitLogThoroughInterval`.
    pub flush_thorough_interval: Span,
    /// `mapedFileSizeCommitLog`, in bytes.
    pub commit_log_file_size: u64,
    /// `mapedFileSizeConsumeQueue`, in bytes.
    pub consume_queue_file_size: u64,
    /// `autoCreateTopicEnable`.
    pub auto_create_topic: bool,
    /// Topics in its `topics.json` at first boot.
    pub topics: Vec<TopicPlan>,
    /// What else its `.properties` file says; the fields above go before it.
    pub properties: Vec<Pair>,
    /// Its own profile, if it is another than the run's.
    pub profile: Option<Profile>,
}

impl BrokerPlan {
    /// Whether its `SEND_OK` waits for a slave.
    pub fn is_sync_master(&self) -> bool {
        self.role == Role::SyncMaster
    }
}

/// A topic that exists from the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicPlan {
    /// Its name.
    pub topic: Topic,
    /// Read and write queues.
    pub queues: QueueId,
}

/// A client process.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientPlan {
    /// Node names of the nameservers.
    pub nameservers: Vec<Name>,
    /// The node whose client id it says that it has.
    pub client_id_of: Option<Name>,
    /// Its producers.
    pub producers: Vec<ProducerPlan>,
    /// Its push consumers.
    pub consumers: Vec<ConsumerPlan>,
    /// Its pull consumers.
    pub pull_consumers: Vec<PullConsumerPlan>,
}

/// A pull consumer's settings.
#[derive(Clone, PartialEq, Debug)]
pub struct PullConsumerPlan {
    /// `consumerGroup`.
    pub group: Group,
    /// `messageModel`.
    pub model: MessageModel,
    /// `registerTopics`: what is shared out among the group's members.
    pub registered: Vec<Topic>,
}

/// A producer's settings.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerPlan {
    /// `producerGroup`.
    pub group: Group,
    /// `sendMsgTimeout`.
    pub send_timeout: Span,
    /// `retryTimesWhenSendFailed`.
    pub retries: u32,
    /// `sendLatencyFaultEnable`.
    pub latency_fault: bool,
    /// `retryAnotherBrokerWhenNotStoreOK`.
    pub retry_not_ok: bool,
    /// Whether it is a `TransactionMQProducer`.
    pub transactional: bool,
}

/// A push consumer's settings.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerPlan {
    /// `consumerGroup`.
    pub group: Group,
    /// Topics, and what of them.
    pub subscriptions: Vec<(Topic, MessageSelector)>,
    /// `consumeThreadMin`.
    pub threads: u32,
    /// `consumeMessageBatchMaxSize`.
    pub batch_max: u32,
    /// `pullBatchSize`.
    pub pull_batch: u32,
    /// `messageModel`.
    pub model: MessageModel,
    /// `consumeFromWhere` with `consumeTimestamp`.
    pub from: ConsumeFrom,
    /// `allocateMessageQueueStrategy`.
    pub strategy: Strategy,
    /// `maxReconsumeTimes`; -1 is 16 to a concurrent listener and without end to an ordered one.
    pub max_reconsume: i32,
    /// Whether its listener is a `MessageListenerOrderly`.
    pub orderly: bool,
    /// `suspendCurrentQueueTimeMillis`.
    pub suspend: Span,
    /// When it stops pulling for a while.
    pub limits: LimitsPlan,
}

impl ConsumerPlan {
    /// Whether its strategy gives every queue to some member, wherever it stands.
    pub fn shares_out_all(&self) -> bool {
        matches!(self.strategy, Strategy::Averagely | Strategy::ByCircle | Strategy::ConsistentHash(_))
    }
}

/// How much a push consumer takes in hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitsPlan {
    /// `pullThresholdForQueue`, in messages.
    pub queue: i64,
    /// `pullThresholdSizeForQueue`, in MiB.
    pub queue_mib: i64,
    /// `pullThresholdForTopic`, in messages; -1 is none.
    pub topic: i64,
    /// `pullThresholdSizeForTopic`, in MiB; -1 is none.
    pub topic_mib: i64,
    /// `consumeConcurrentlyMaxSpan`.
    pub span: i64,
}

/// The release's defaults.
impl Default for LimitsPlan {
    fn default() -> LimitsPlan {
        LimitsPlan { queue: 1_000, queue_mib: 100, topic: -1, topic_mib: -1, span: 2_000 }
    }
}

/// What a scenario expects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// Its name in the scenario.
    pub id: Name,
    /// What is judged.
    pub check: Check,
    /// What should come out.
    pub outcome: Outcome,
}

/// A check of the library with everything that it is told. Its name and its sentence are a page of the book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    /// `no-acked-loss`: no acknowledged message is gone at the end, whatever happened: G01 without its scope.
    NoAckedLoss,
    /// `acked-durability`: what was acknowledged is there at the end, if no fault went beyond what the answer spoke of.
    AckedDurability,
    /// `ack-honest`: at the moment in which an acknowledgement leaves its broker, those who should have the message have it.
    AckHonest,
    /// `at-least-once`: every group gets every message that it is owed at least once.
    AtLeastOnce,
    /// `no-phantom`: nothing is stored or delivered that nobody sent.
    NoPhantom,
    /// `offset-agreement`: one offset of a queue is one message, whoever tells of it.
    OffsetAgreement,
    /// `log-well-formed`: from its first byte to its end every log is records and blanks without a gap.
    LogWellFormed,
    /// `corruption-told`: what was durable and is damaged is never dropped in silence: corruption is not a crash.
    CorruptionTold,
    /// `store-consistent`: at the end every queue entry points at a whole record that is its own, and every record has its
    /// entry.
    StoreConsistent,
    /// `index-recall`: at the end every key of every log is found through the index.
    IndexRecall,
    /// `keeps-stable`: what was on the disk when a broker died is still there at its next death and at the end.
    KeepsStable,
    /// `checkpoint-safe`: at every death and at the end the checkpoint is not ahead of what it speaks for.
    CheckpointSafe,
    /// `replica-prefix`: while a slave is connected and at the end its log is a part of its master's.
    ReplicaPrefix,
    /// `stale-route`: producers turn to a dead master for no longer than routes may be stale.
    StaleRoute,
    /// `half-invisible`: no consumer sees a message before its transaction was said to be committed.
    HalfInvisible,
    /// `transaction-atomic`: what the applications' ledgers say and what consumers can see agree.
    TransactionAtomic,
    /// `transaction-resolved`: every half message is committed, rolled back or given up within a bound.
    TransactionResolved,
    /// `check-back`: brokers ask how a transaction ended by the rules: not too early, not too often, a member of the group.
    CheckBack,
    /// `duplicates-explained`: every delivery beyond the first has a cause, and a cause explains no more than it can.
    DuplicatesExplained,
    /// `start-position`: a group begins in a queue where the rules say, and goes on where it stood.
    StartPosition,
    /// `reset-conformance`: a group that an operator moved goes on where it was moved to.
    ResetConformance,
    /// `broadcast-complete`: in broadcasting every live subscriber gets every message.
    BroadcastComplete,
    /// `queue-fifo`: an ordered listener is handed each queue in order.
    QueueFifo,
    /// `orderly-exclusive`: two processes never consume a queue in order at once.
    OrderlyExclusive,
    /// `no-overtaking`: nothing passes a suspended message.
    NoOvertaking,
    /// `filter-sound`: a group gets nothing that it does not want.
    FilterSound,
    /// `filter-complete`: a group gets all that it wants.
    FilterComplete,
    /// `drain-bound`: a bounded time after everything has healed every group has what it is owed.
    DrainBound,
    /// `unavailability`: while a master is up nobody waits for a send longer than the configuration says.
    Unavailability,
    /// `no-overrun`: a group's place never passes what it has not settled.
    NoOverrun,
    /// `no-regress`: a group's place does not go back without a cause.
    NoRegress,
    /// `derived-continuity`: what a broker copies by itself (retry, delay, commit, half message) never loses the message.
    DerivedContinuity,
    /// `content-integrity`: what is handed out and stored says what was sent.
    ContentIntegrity,
    /// `no-misrouting`: every copy lies where it belongs.
    NoMisrouting,
    /// `retry-schedule`: what failed is tried again no earlier than its level says.
    RetrySchedule,
    /// `dlq-exact`: dead letters are those that failed often enough, and no others.
    DlqExact,
    /// `never-early`: a delayed message is not there before its time.
    NeverEarly,
    /// `not-late`: a delayed message is there soon after its time.
    NotLate,
    /// `per-key-order`: messages of one key are consumed in the order in which they were sent.
    PerKeyOrder,
    /// `rebalance-coverage`: when all is quiet every queue has one owner.
    RebalanceCoverage,
    /// `no-stuck-entity`: no queue, lock or half message stands still for ever.
    NoStuckEntity,
    /// `clean-error`: every call ends in time, and nothing is lost in silence.
    CleanError,
    /// `resource-bounds`: connections do not grow without bound.
    ResourceBounds,
    /// `records`: how many records the logs hold of messages in transactions, the notes that settle them among them.
    Records {
        /// Only the message of this key.
        message: Option<Name>,
        /// How many.
        count: CountRule,
    },
    /// `check-backs`: how often applications are asked how a transaction ended.
    CheckBacks {
        /// Only the message of this key.
        message: Option<Name>,
        /// How often.
        count: CountRule,
    },
    /// `deliveries`: how often messages are handed to a listener, each counted by itself.
    Deliveries {
        /// Only the message of this key.
        message: Option<Name>,
        /// Only to this group.
        group: Option<Group>,
        /// How often.
        count: CountRule,
    },
    /// `deliveries` with a node: how often messages are handed to the listeners of one client process.
    DeliveriesTo {
        /// The client process.
        node: Name,
        /// Only the message of this key.
        message: Option<Name>,
        /// Only to this group.
        group: Option<Group>,
        /// How often.
        count: CountRule,
    },
    /// `stored`: how many copies of messages the brokers' logs hold at the end, all together.
    Stored {
        /// Only the message of this key.
        message: Option<Name>,
        /// Only of this topic: copies that wait for their moment lie in another one.
        topic: Option<Topic>,
        /// How many.
        count: CountRule,
    },
    /// `send-fails`: how many sends end with an exception of this class or text.
    SendFails {
        /// Part of the class's name or of the text.
        error: Name,
        /// How many.
        count: CountRule,
    },
    /// `frames`: how many frames of a code arrive at a node.
    Frames {
        /// The node.
        to: Name,
        /// The code's name.
        frame: Name,
        /// How many.
        count: CountRule,
    },
    /// `acked`: how many sends got a result.
    Acked {
        /// How many.
        count: CountRule,
    },
    /// `lost`: how many of those are on no disk at the end.
    Lost {
        /// How many.
        count: CountRule,
    },
    /// `late`: how many of those came to a listener later than 10 s after, or never.
    Late {
        /// How many.
        count: CountRule,
    },
    /// `send-gap`: the longest time without an acknowledged send, in whole seconds.
    SendGap {
        /// How long.
        count: CountRule,
    },
    /// `receive-gap`: the longest time without a delivery, in whole seconds.
    ReceiveGap {
        /// How long.
        count: CountRule,
    },
    /// `sometimes`: an event happens at least once; otherwise nothing was shown.
    Sometimes {
        /// The event.
        event: EventMatch,
    },
}

impl Check {
    /// The library, in the order of the variants.
    pub const NAMES: &[&str] = &[
        "no-acked-loss",
        "acked-durability",
        "ack-honest",
        "at-least-once",
        "no-phantom",
        "offset-agreement",
        "log-well-formed",
        "corruption-told",
        "store-consistent",
        "index-recall",
        "keeps-stable",
        "checkpoint-safe",
        "replica-prefix",
        "stale-route",
        "half-invisible",
        "transaction-atomic",
        "transaction-resolved",
        "check-back",
        "duplicates-explained",
        "start-position",
        "reset-conformance",
        "broadcast-complete",
        "queue-fifo",
        "orderly-exclusive",
        "no-overtaking",
        "filter-sound",
        "filter-complete",
        "drain-bound",
        "unavailability",
        "no-overrun",
        "no-regress",
        "derived-continuity",
        "content-integrity",
        "no-misrouting",
        "retry-schedule",
        "dlq-exact",
        "never-early",
        "not-late",
        "per-key-order",
        "rebalance-coverage",
        "no-stuck-entity",
        "clean-error",
        "resource-bounds",
        "records",
        "check-backs",
        "deliveries",
        "stored",
        "send-fails",
        "frames",
        "acked",
        "lost",
        "late",
        "send-gap",
        "receive-gap",
        "sometimes",
    ];

    /// Those that are told nothing but their name.
    pub const PLAIN: &[Check] = &[
        Check::NoAckedLoss,
        Check::AckedDurability,
        Check::AtLeastOnce,
        Check::NoPhantom,
        Check::OffsetAgreement,
        Check::LogWellFormed,
        Check::CorruptionTold,
        Check::StoreConsistent,
        Check::IndexRecall,
        Check::KeepsStable,
        Check::CheckpointSafe,
        Check::ReplicaPrefix,
        Check::StaleRoute,
        Check::HalfInvisible,
        Check::TransactionAtomic,
        Check::TransactionResolved,
        Check::AckHonest,
        Check::CheckBack,
        Check::DuplicatesExplained,
        Check::StartPosition,
        Check::ResetConformance,
        Check::BroadcastComplete,
        Check::QueueFifo,
        Check::OrderlyExclusive,
        Check::NoOvertaking,
        Check::FilterSound,
        Check::FilterComplete,
        Check::DrainBound,
        Check::Unavailability,
        Check::NoOverrun,
        Check::NoRegress,
        Check::DerivedContinuity,
        Check::ContentIntegrity,
        Check::NoMisrouting,
        Check::RetrySchedule,
        Check::DlqExact,
        Check::NeverEarly,
        Check::NotLate,
        Check::PerKeyOrder,
        Check::RebalanceCoverage,
        Check::NoStuckEntity,
        Check::CleanError,
        Check::ResourceBounds,
    ];

    /// The same with another count; nothing if it counts nothing.
    pub fn counting(mut self, new: CountRule) -> Option<Check> {
        match &mut self {
            Check::Records { count, .. }
            | Check::CheckBacks { count, .. }
            | Check::Deliveries { count, .. }
            | Check::DeliveriesTo { count, .. }
            | Check::Stored { count, .. }
            | Check::SendFails { count, .. }
            | Check::Frames { count, .. }
            | Check::Acked { count }
            | Check::Lost { count }
            | Check::Late { count }
            | Check::SendGap { count }
            | Check::ReceiveGap { count } => *count = new,
            _ => return None,
        }
        Some(self)
    }

    /// Its name in the library.
    pub fn name(&self) -> &'static str {
        match self {
            Check::NoAckedLoss => "no-acked-loss",
            Check::AckedDurability => "acked-durability",
            Check::AckHonest => "ack-honest",
            Check::AtLeastOnce => "at-least-once",
            Check::NoPhantom => "no-phantom",
            Check::OffsetAgreement => "offset-agreement",
            Check::LogWellFormed => "log-well-formed",
            Check::CorruptionTold => "corruption-told",
            Check::StoreConsistent => "store-consistent",
            Check::IndexRecall => "index-recall",
            Check::KeepsStable => "keeps-stable",
            Check::CheckpointSafe => "checkpoint-safe",
            Check::ReplicaPrefix => "replica-prefix",
            Check::StaleRoute => "stale-route",
            Check::HalfInvisible => "half-invisible",
            Check::TransactionAtomic => "transaction-atomic",
            Check::TransactionResolved => "transaction-resolved",
            Check::CheckBack => "check-back",
            Check::DuplicatesExplained => "duplicates-explained",
            Check::StartPosition => "start-position",
            Check::ResetConformance => "reset-conformance",
            Check::BroadcastComplete => "broadcast-complete",
            Check::QueueFifo => "queue-fifo",
            Check::OrderlyExclusive => "orderly-exclusive",
            Check::NoOvertaking => "no-overtaking",
            Check::FilterSound => "filter-sound",
            Check::FilterComplete => "filter-complete",
            Check::DrainBound => "drain-bound",
            Check::Unavailability => "unavailability",
            Check::NoOverrun => "no-overrun",
            Check::NoRegress => "no-regress",
            Check::DerivedContinuity => "derived-continuity",
            Check::ContentIntegrity => "content-integrity",
            Check::NoMisrouting => "no-misrouting",
            Check::RetrySchedule => "retry-schedule",
            Check::DlqExact => "dlq-exact",
            Check::NeverEarly => "never-early",
            Check::NotLate => "not-late",
            Check::PerKeyOrder => "per-key-order",
            Check::RebalanceCoverage => "rebalance-coverage",
            Check::NoStuckEntity => "no-stuck-entity",
            Check::CleanError => "clean-error",
            Check::ResourceBounds => "resource-bounds",
            Check::Records { .. } => "records",
            Check::CheckBacks { .. } => "check-backs",
            Check::Deliveries { .. } | Check::DeliveriesTo { .. } => "deliveries",
            Check::Stored { .. } => "stored",
            Check::SendFails { .. } => "send-fails",
            Check::Frames { .. } => "frames",
            Check::Acked { .. } => "acked",
            Check::Lost { .. } => "lost",
            Check::Late { .. } => "late",
            Check::SendGap { .. } => "send-gap",
            Check::ReceiveGap { .. } => "receive-gap",
            Check::Sometimes { .. } => "sometimes",
        }
    }
}

/// The outcome a scenario expects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Outcome {
    /// Pass.
    #[default]
    Holds,
    /// Violation or known weakness.
    Violated,
    /// Either.
    Either,
}

impl Outcome {
    /// As a scenario writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Violated => "violated",
            Outcome::Either => "either",
        }
    }
}
