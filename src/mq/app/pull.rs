//! What an application asks of a pull consumer, and what it is told.

use std::fmt;

use crate::mq::message::{Group, MessageQueue, Name, StoredMessage, Topic};
use crate::mq::time::Span;

/// A call of a pull consumer. Source: `DefaultMQPullConsumer`.
///
/// Differs: a queue is always given; upstream's `mq is null` cannot be said.
#[derive(Clone, PartialEq, Debug)]
pub enum PullCall {
    /// `fetchSubscribeMessageQueues`: the queues of a topic as the nameserver has them.
    Queues(Topic),
    /// `fetchMessageQueuesInBalance`: those of a topic that are this member's own.
    InBalance(Topic),
    /// `pull`, or `pullBlockIfNotFound`.
    Pull(PullWanted),
    /// `fetchConsumeOffset`: -1 if there is none, -2 if it cannot be had.
    FetchOffset {
        /// The queue.
        queue: MessageQueue,
        /// Whether only the store counts, not what is remembered.
        from_store: bool,
    },
    /// `updateConsumeOffset`: into memory.
    UpdateOffset {
        /// The queue.
        queue: MessageQueue,
        /// The offset.
        offset: i64,
    },
    /// `updateConsumeOffsetToBroker`.
    UpdateOffsetToBroker {
        /// The queue.
        queue: MessageQueue,
        /// The offset.
        offset: i64,
        /// Whether no answer is waited for.
        is_oneway: bool,
    },
    /// `searchOffset`: the place of a moment, ms.
    SearchOffset {
        /// The queue.
        queue: MessageQueue,
        /// The moment.
        timestamp: i64,
    },
    /// `minOffset`.
    MinOffset(MessageQueue),
    /// `maxOffset`.
    MaxOffset(MessageQueue),
    /// `sendMessageBack`.
    SendBack(Box<SendBack>),
}

/// One pull.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullWanted {
    /// From which queue.
    pub queue: MessageQueue,
    /// Which tags; `None` is all.
    pub expression: Option<Name>,
    /// From where.
    pub offset: i64,
    /// At most how many.
    pub max_nums: i32,
    /// How long the broker is waited for; `None` is `consumerPullTimeoutMillis`. A pull that blocks has its own.
    pub timeout: Option<Span>,
    /// Whether the broker holds it while there is nothing: `pullBlockIfNotFound`.
    pub blocks: bool,
    /// Whether the answer comes to a `PullCallback`, and nobody waits.
    pub is_async: bool,
}

/// A message to be given back.
#[derive(Clone, PartialEq, Debug)]
pub struct SendBack {
    /// The message as it was pulled.
    pub message: StoredMessage,
    /// 0 lets the broker choose, a negative one makes it a dead letter.
    pub delay_level: i32,
    /// The broker that takes it; `None` is the host that stored it.
    pub broker: Option<Name>,
    /// Whose retry topic it goes to; `None` is the consumer's own.
    pub group: Option<Group>,
}

/// What a pull consumer tells.
#[derive(Clone, PartialEq, Debug)]
pub enum PullAnswer {
    /// Queues, in the order in which upstream's set gives them.
    Queues(Vec<MessageQueue>),
    /// An offset.
    Offset(i64),
    /// What a pull came to.
    Pulled(PullResult),
}

/// Source: `PullStatus`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PullStatus {
    /// Messages.
    Found,
    /// Nothing there yet.
    NoNewMsg,
    /// Messages, and none that was wanted.
    NoMatchedMsg,
    /// No such place.
    OffsetIllegal,
}

/// Source: `PullResult`.
#[derive(Clone, PartialEq, Debug)]
pub struct PullResult {
    /// How it went.
    pub status: PullStatus,
    /// Where to go on.
    pub next_begin_offset: i64,
    /// The queue's first offset.
    pub min_offset: i64,
    /// One past the queue's last offset.
    pub max_offset: i64,
    /// From which queue.
    pub queue: MessageQueue,
    /// The messages; upstream has null where there are none.
    pub messages: Vec<StoredMessage>,
}

impl PullCall {
    /// Upstream's name of the method.
    pub fn method(&self) -> &'static str {
        match self {
            PullCall::Queues(_) => "fetchSubscribeMessageQueues",
            PullCall::InBalance(_) => "fetchMessageQueuesInBalance",
            PullCall::Pull(PullWanted { blocks: true, .. }) => "pullBlockIfNotFound",
            PullCall::Pull(_) => "pull",
            PullCall::FetchOffset { .. } => "fetchConsumeOffset",
            PullCall::UpdateOffset { .. } => "updateConsumeOffset",
            PullCall::UpdateOffsetToBroker { .. } => "updateConsumeOffsetToBroker",
            PullCall::SearchOffset { .. } => "searchOffset",
            PullCall::MinOffset(_) => "minOffset",
            PullCall::MaxOffset(_) => "maxOffset",
            PullCall::SendBack(_) => "sendMessageBack",
        }
    }

    /// The queue that it is about, if it names one.
    pub fn queue(&self) -> Option<&MessageQueue> {
        match self {
            PullCall::Queues(_) | PullCall::InBalance(_) | PullCall::SendBack(_) => None,
            PullCall::Pull(PullWanted { queue, .. })
            | PullCall::FetchOffset { queue, .. }
            | PullCall::UpdateOffset { queue, .. }
            | PullCall::UpdateOffsetToBroker { queue, .. }
            | PullCall::SearchOffset { queue, .. }
            | PullCall::MinOffset(queue)
            | PullCall::MaxOffset(queue) => Some(queue),
        }
    }

    /// The number that it carries: an offset, a moment or a delay level.
    pub fn number(&self) -> Option<i64> {
        match self {
            PullCall::Pull(PullWanted { offset, .. })
            | PullCall::UpdateOffset { offset, .. }
            | PullCall::UpdateOffsetToBroker { offset, .. } => Some(*offset),
            PullCall::SearchOffset { timestamp, .. } => Some(*timestamp),
            PullCall::SendBack(back) => Some(i64::from(back.delay_level)),
            PullCall::Queues(_)
            | PullCall::InBalance(_)
            | PullCall::FetchOffset { .. }
            | PullCall::MinOffset(_)
            | PullCall::MaxOffset(_) => None,
        }
    }
}

impl PullStatus {
    /// Upstream's name of the constant.
    pub fn as_str(self) -> &'static str {
        match self {
            PullStatus::Found => "FOUND",
            PullStatus::NoNewMsg => "NO_NEW_MSG",
            PullStatus::NoMatchedMsg => "NO_MATCHED_MSG",
            PullStatus::OffsetIllegal => "OFFSET_ILLEGAL",
        }
    }
}

/// `PullResult [pullStatus=…, …]`. Source: `PullResult.toString`.
impl fmt::Display for PullResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PullResult { status, next_begin_offset, min_offset, max_offset, messages, .. } = self;
        write!(
            f,
            "PullResult [pullStatus={}, nextBeginOffset={next_begin_offset}, minOffset={min_offset}, \
             maxOffset={max_offset}, msgFoundList={}]",
            status.as_str(),
            messages.len()
        )
    }
}

/// How long a task of a timetable rests if its callback does not say it. Source: `PullTaskContext.pullNextDelayTimeMillis`.
pub const NEXT_DELAY: Span = Span::from_millis(200);
/// How long it rests when the callback throws. Source: `MQPullConsumerScheduleService.PullTaskImpl`.
pub const DELAY_WHEN_THROWN: Span = Span::from_millis(1_000);
/// How many threads a timetable has. Source: `MQPullConsumerScheduleService.pullThreadNums`.
pub const PULL_THREADS: i64 = 20;
