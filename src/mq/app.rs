//! The application port: what applications ask of a client process, what it asks back, and the answers both ways.
//!
//! The calls and returns at this port are the history that guarantees are judged by: a guarantee is what a client could
//! have noticed. Applications live outside the node, die with their process and keep only what they wrote themselves.

use std::fmt;

mod admin;

pub use admin::{AdminAnswer, AdminCall, GroupSettings, OrderConfAct, ResetTo, ResetWay, Rollback, TopicAt};

pub mod pull;

pub mod steer;

use crate::mq::app::pull::{PullAnswer, PullCall};
use crate::mq::message::{Group, Message, MessageQueue, Name, QueueOffset, StoredMessage, Topic};
use crate::mq::time::{Millis, Span};

/// Names one operation of an application, unique in a run; pairs an invocation with its return.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OpId(pub u64);

/// Names one callback to an application, unique in its process; pairs it with its answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TaskId(pub u64);

/// From the application into the node.
#[derive(Clone, PartialEq, Debug)]
pub enum Call {
    /// Send a message and wait.
    Send {
        /// The operation.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The letter.
        message: Message,
        /// The budget for the whole call; `None` is the producer's `sendMsgTimeout`.
        timeout: Option<Span>,
    },
    /// Create a topic through a producer (`createTopic`).
    CreateTopic {
        /// The operation.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The topic whose route names the brokers.
        key: Topic,
        /// The new topic.
        topic: Topic,
        /// Read and write queues on each broker.
        queues: i32,
    },
    /// Send, but not wait for the result, or name the queue.
    SendBy {
        /// The operation.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The letter.
        message: Message,
        /// The budget; `None` is the producer's `sendMsgTimeout`.
        timeout: Option<Span>,
        /// How.
        by: SendBy,
    },
    /// Send many messages of one topic at once and wait.
    SendBatch {
        /// The operation.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The letters.
        messages: Vec<Message>,
        /// The budget; `None` is the producer's `sendMsgTimeout`.
        timeout: Option<Span>,
    },
    /// Send a half message, run the local transaction when it is stored, and tell the broker how that ended.
    SendInTransaction {
        /// The operation.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The letter.
        message: Message,
    },
    /// A transaction listener's answer to [`Return::Execute`] or [`Return::Check`].
    Decided {
        /// Which callback.
        task: TaskId,
        /// What it decided.
        outcome: LocalOutcome,
    },
    /// Administer the cluster and wait.
    Admin {
        /// The operation.
        op: OpId,
        /// What is wanted.
        what: AdminCall,
    },
    /// Ask a pull consumer for something.
    Pull {
        /// The operation.
        op: OpId,
        /// The consumer's group.
        group: Group,
        /// What is wanted.
        what: Box<PullCall>,
    },
    /// Change a push consumer that runs.
    Steer {
        /// The operation.
        op: OpId,
        /// The consumer's group.
        group: Group,
        /// What is wanted.
        what: steer::Steering,
    },
    /// A selector's answer to [`Return::Select`].
    Selected {
        /// Which callback.
        task: TaskId,
        /// What it returned.
        choice: Choice,
    },
    /// A listener's answer to [`Return::Listen`].
    Listened {
        /// Which callback.
        task: TaskId,
        /// What it decided.
        outcome: ConsumeOutcome,
    },
}

/// How a message is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendBy {
    /// Who waits.
    pub mode: SendMode,
    /// Who chooses the queue.
    pub to: SendTo,
}

/// Who chooses a message's queue. One that is chosen is tried once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SendTo {
    /// The producer, from queue to queue.
    #[default]
    Any,
    /// The application, which names it.
    Queue(MessageQueue),
    /// A selector.
    Selected(Selector),
}

/// A selector with its argument. Source: `MessageQueueSelector`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// `mqs.get(id % mqs.size())`, as the release's ordered example has it.
    Modulo(i32),
    /// `SelectMessageQueueByHash`, by a text.
    Hash(Name),
    /// `SelectMessageQueueByRandom`.
    Random,
    /// `SelectMessageQueueByMachineRoom`, which returns null.
    MachineRoom,
    /// A class of the application's own: it is asked with [`Return::Select`] when the queues are known.
    Own,
}

/// What a selector of the application's own returned. Source: `MessageQueueSelector.select`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A queue, one of those it was shown or not.
    Queue(MessageQueue),
    /// Null.
    Null,
    /// It threw.
    Threw,
}

impl Selector {
    /// Its name, and its argument if it has one.
    pub fn words(&self) -> (&'static str, Option<String>) {
        match self {
            Selector::Modulo(id) => ("modulo", Some(id.to_string())),
            Selector::Hash(text) => ("hash", Some(text.to_string())),
            Selector::Random => ("random", None),
            Selector::MachineRoom => ("machine-room", None),
            Selector::Own => ("own", None),
        }
    }
}

/// Who waits for a send. Source: `CommunicationMode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SendMode {
    /// The application.
    #[default]
    Sync,
    /// A callback: the result comes as [`Return::Sent`] or [`Return::Failed`], or never.
    Async,
    /// Nobody: [`Return::Done`] says that it was written.
    Oneway,
}

impl SendMode {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            SendMode::Sync => "SYNC",
            SendMode::Async => "ASYNC",
            SendMode::Oneway => "ONEWAY",
        }
    }
}

/// From the node to the application.
#[derive(Clone, PartialEq, Debug)]
pub enum Return {
    /// A send ended with a result, whatever its status.
    Sent {
        /// The operation.
        op: OpId,
        /// The result.
        result: SendResult,
    },
    /// An operation ended with an exception.
    Failed {
        /// The operation.
        op: OpId,
        /// The exception.
        error: AppError,
    },
    /// An operation without a result ended.
    Done {
        /// The operation.
        op: OpId,
    },
    /// A half message is stored: please run the local transaction and answer with [`Call::Decided`].
    Execute {
        /// This callback.
        task: TaskId,
        /// The operation that it belongs to.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The half message; its unique key is the transaction's id.
        message: Message,
    },
    /// A broker asks how a transaction ended: please look and answer with [`Call::Decided`].
    Check {
        /// This callback.
        task: TaskId,
        /// The producer's group.
        group: Group,
        /// The half message as it was stored last, under its true address.
        message: StoredMessage,
    },
    /// A send in a transaction ended; its broker was told, if it could be.
    SentInTransaction {
        /// The operation.
        op: OpId,
        /// The half message's result; its offset id is empty, where upstream leaves null.
        result: SendResult,
        /// How the local transaction ended.
        state: LocalState,
    },
    /// An operator's call ended.
    Administered {
        /// The operation.
        op: OpId,
        /// What came out.
        what: AdminAnswer,
    },
    /// A pull consumer's call ended with a result.
    Told {
        /// The operation.
        op: OpId,
        /// The consumer's group.
        group: Group,
        /// What came out.
        what: Box<PullAnswer>,
    },
    /// A pull consumer's queues of a topic have changed. Source: `MessageQueueListener.messageQueueChanged`.
    QueuesChanged {
        /// The consumer's group.
        group: Group,
        /// The topic.
        topic: Topic,
        /// All its queues, sorted.
        all: Vec<MessageQueue>,
        /// Those that are this member's own, sorted.
        mine: Vec<MessageQueue>,
    },
    /// A message is about to be sent: please choose its queue and answer with [`Call::Selected`].
    Select {
        /// This callback.
        task: TaskId,
        /// The operation that it belongs to.
        op: OpId,
        /// The producer's group.
        group: Group,
        /// The queues of the topic, in the producer's order.
        queues: Vec<MessageQueue>,
        /// The message.
        message: Message,
    },
    /// Please consume these messages and answer with [`Call::Listened`].
    Listen {
        /// This callback.
        task: TaskId,
        /// The consumer's group.
        group: Group,
        /// The queue they came from.
        queue: MessageQueue,
        /// The messages, in queue order.
        messages: Vec<StoredMessage>,
    },
}

/// What a listener decided. Source: `ConsumeConcurrentlyStatus`, `ConsumeConcurrentlyContext.ackIndex`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsumeOutcome {
    /// `CONSUME_SUCCESS`; messages up to `ack_index` are done, those behind it failed. `i32::MAX` is all.
    Success {
        /// Index of the last message done.
        ack_index: i32,
    },
    /// `RECONSUME_LATER`.
    Later,
    /// `RECONSUME_LATER`, with `ConsumeConcurrentlyContext.delayLevelWhenNextConsume`: -1 is the dead letter topic at once, 0
    /// the broker's own ladder, above that a level. An ordered listener has no such context.
    LaterAt {
        /// The level.
        delay_level: i32,
    },
    /// The listener threw.
    Threw,
    /// The listener returned null.
    Null,
    /// What an ordered listener returned. To a concurrent one it is `RECONSUME_LATER` unless it is done.
    Ordered(Ordered),
}

/// What an ordered listener decided. Source: `ConsumeOrderlyStatus`, `ConsumeOrderlyContext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ordered {
    /// Its status.
    pub status: OrderlyStatus,
    /// `autoCommit`: whether success is for good at once.
    pub auto_commit: bool,
    /// `suspendCurrentQueueTimeMillis`; -1 is the consumer's own.
    pub suspend_millis: i64,
}

/// Source: `ConsumeOrderlyStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderlyStatus {
    /// `SUCCESS`.
    Success,
    /// `SUSPEND_CURRENT_QUEUE_A_MOMENT`.
    Suspend,
    /// `COMMIT`, of use without `autoCommit`.
    Commit,
    /// `ROLLBACK`, of use without `autoCommit`.
    Rollback,
}

impl Ordered {
    /// A status with what a context says by itself.
    pub const fn new(status: OrderlyStatus) -> Ordered {
        Ordered { status, auto_commit: true, suspend_millis: -1 }
    }
}

impl OrderlyStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            OrderlyStatus::Success => "SUCCESS",
            OrderlyStatus::Suspend => "SUSPEND_CURRENT_QUEUE_A_MOMENT",
            OrderlyStatus::Commit => "COMMIT",
            OrderlyStatus::Rollback => "ROLLBACK",
        }
    }
}

impl ConsumeOutcome {
    /// How many of a batch of `messages` are done with by this answer, from its first on.
    ///
    /// With `autoCommit` what an ordered listener rolls back is taken for done, as upstream takes it.
    pub fn done(self, messages: usize) -> usize {
        match self {
            ConsumeOutcome::Success { ack_index } => {
                usize::try_from(i64::from(ack_index) + 1).unwrap_or(0).min(messages)
            }
            ConsumeOutcome::Ordered(Ordered { status, auto_commit, .. }) => match (status, auto_commit) {
                (OrderlyStatus::Success | OrderlyStatus::Commit, _) | (OrderlyStatus::Rollback, true) => messages,
                (OrderlyStatus::Rollback, false) | (OrderlyStatus::Suspend, _) => 0,
            },
            ConsumeOutcome::Later | ConsumeOutcome::LaterAt { .. } | ConsumeOutcome::Threw | ConsumeOutcome::Null => 0,
        }
    }
}

/// How a local transaction ended. Source: `LocalTransactionState`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LocalState {
    /// `COMMIT_MESSAGE`.
    Commit,
    /// `ROLLBACK_MESSAGE`.
    Rollback,
    /// `UNKNOW`, as upstream spells it.
    Unknown,
}

/// What a transaction listener decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalOutcome {
    /// It returned a state.
    State(LocalState),
    /// It returned null.
    Null,
    /// It threw this.
    Threw(Name),
}

impl LocalState {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            LocalState::Commit => "COMMIT_MESSAGE",
            LocalState::Rollback => "ROLLBACK_MESSAGE",
            LocalState::Unknown => "UNKNOW",
        }
    }

    /// In a word, as facts and ledgers have it.
    pub fn word(self) -> &'static str {
        match self {
            LocalState::Commit => "commit",
            LocalState::Rollback => "rollback",
            LocalState::Unknown => "unknown",
        }
    }
}

/// Source: `SendStatus`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SendStatus {
    /// Stored, as durable as the broker's settings promise.
    SendOk,
    /// Stored; the flush was not confirmed in time.
    FlushDiskTimeout,
    /// Stored at the master; the slave did not confirm in time.
    FlushSlaveTimeout,
    /// Stored at the master; there is no usable slave.
    SlaveNotAvailable,
}

/// Source: `SendResult`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendResult {
    /// How it went.
    pub status: SendStatus,
    /// The unique key that the client made; of a batch, those of all its messages, joined by commas.
    pub msg_id: Name,
    /// The broker's id: host, port and log offset.
    pub offset_msg_id: Name,
    /// Where it went.
    pub queue: MessageQueue,
    /// Its place there.
    pub queue_offset: QueueOffset,
}

/// An exception as the application sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppError {
    /// The class.
    pub kind: ErrorKind,
    /// `getMessage()`, upstream's own text.
    pub text: Name,
    /// `responseCode`; -1 if there is none.
    pub code: i32,
    /// How many attempts went out.
    pub attempts: u32,
    /// Whether no attempt can have stored anything: checks of the client, refused connections, refusals before the append.
    pub provably_not_stored: bool,
}

/// Exception classes of the client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ErrorKind {
    /// `MQClientException`.
    Client,
    /// `MQBrokerException`.
    Broker,
    /// `RemotingConnectException`.
    Connect,
    /// `RemotingSendRequestException`.
    SendRequest,
    /// `RemotingTimeoutException`.
    Timeout,
    /// `RemotingTooMuchRequestException`.
    TooMuchRequest,
    /// `RuntimeException`: the producer cannot do that at all.
    Runtime,
}

/// What a consumer takes of a topic. Source: `MessageSelector`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MessageSelector {
    /// `byTag`: `*`, or tags between `||`.
    Tags(Name),
    /// `bySql`: a condition over properties.
    Sql(Name),
}

impl MessageSelector {
    /// The expression.
    pub fn text(&self) -> &Name {
        match self {
            MessageSelector::Tags(text) | MessageSelector::Sql(text) => text,
        }
    }

    /// Its language. Source: `ExpressionType`.
    pub fn language(&self) -> &'static str {
        match self {
            MessageSelector::Tags(_) => "TAG",
            MessageSelector::Sql(_) => "SQL92",
        }
    }
}

/// Tags.
impl From<&str> for MessageSelector {
    fn from(tags: &str) -> MessageSelector {
        MessageSelector::Tags(tags.into())
    }
}

/// Where a new group begins. Source: `ConsumeFromWhere`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConsumeFrom {
    /// `CONSUME_FROM_LAST_OFFSET`.
    #[default]
    Last,
    /// `CONSUME_FROM_FIRST_OFFSET`.
    First,
    /// `CONSUME_FROM_TIMESTAMP`; `None` is half an hour before the consumer was made, `consumeTimestamp`'s default.
    Timestamp(Option<Millis>),
}

/// Who gets a message of a group. Source: `MessageModel`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum MessageModel {
    /// One of its members.
    #[default]
    Clustering,
    /// Every member.
    Broadcasting,
}

impl MessageModel {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageModel::Clustering => "CLUSTERING",
            MessageModel::Broadcasting => "BROADCASTING",
        }
    }
}

impl SendStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            SendStatus::SendOk => "SEND_OK",
            SendStatus::FlushDiskTimeout => "FLUSH_DISK_TIMEOUT",
            SendStatus::FlushSlaveTimeout => "FLUSH_SLAVE_TIMEOUT",
            SendStatus::SlaveNotAvailable => "SLAVE_NOT_AVAILABLE",
        }
    }
}

impl ErrorKind {
    /// Upstream's class name.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Client => "MQClientException",
            ErrorKind::Broker => "MQBrokerException",
            ErrorKind::Connect => "RemotingConnectException",
            ErrorKind::SendRequest => "RemotingSendRequestException",
            ErrorKind::Timeout => "RemotingTimeoutException",
            ErrorKind::TooMuchRequest => "RemotingTooMuchRequestException",
            ErrorKind::Runtime => "RuntimeException",
        }
    }
}

impl fmt::Display for SendStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `SendResult [sendStatus=…, msgId=…, …]`. Source: `SendResult.toString`.
impl fmt::Display for SendResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = (Some(self.msg_id.as_str()), Some(self.offset_msg_id.as_str()));
        f.write_str(&send_result_text(self.status, ids, &self.queue, self.queue_offset))
    }
}

/// `SendResult [sendStatus=…, msgId=…, …]` with the two ids, which upstream may leave null. Source: `SendResult.toString`.
pub fn send_result_text(
    status: SendStatus,
    (msg_id, offset_msg_id): (Option<&str>, Option<&str>),
    queue: &MessageQueue,
    at: QueueOffset,
) -> String {
    format!(
        "SendResult [sendStatus={status}, msgId={}, offsetMsgId={}, messageQueue={queue}, queueOffset={}]",
        msg_id.unwrap_or("null"),
        offset_msg_id.unwrap_or("null"),
        at.0
    )
}
