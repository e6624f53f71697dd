//! The application port: what applications ask of a client process, what it asks back, and the answers both ways.
//!
//! The calls and returns at this port are the history that guarantees are judged by: a guarantee is what a client could
//! have noticed. Applications live outside the node, die with their process and keep only what they wrote themselves.

use std::fmt;

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
    /// A listener's answer to [`Return::Listen`].
    Listened {
        /// Which callback.
        task: TaskId,
        /// What it decided.
        outcome: ConsumeOutcome,
    },
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
    /// The listener threw.
    Threw,
    /// The listener returned null.
    Null,
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
    /// The unique key that the client made.
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
}

/// Where a new group begins. Source: `ConsumeFromWhere`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ConsumeFrom {
    /// `CONSUME_FROM_LAST_OFFSET`.
    #[default]
    Last,
    /// `CONSUME_FROM_FIRST_OFFSET`.
    First,
    /// `CONSUME_FROM_TIMESTAMP`.
    Timestamp(Millis),
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
