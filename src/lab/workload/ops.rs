//! Operations of a plan: every number decided.

use crate::mq::app::steer::Steering;
use crate::mq::app::{AdminCall, MessageModel, Ordered, Selector, SendTo};
use crate::mq::message::property::names;
use crate::mq::message::{Group, Message, MessageQueue, Name, Topic};
use crate::mq::time::Span;

/// A sender: a list of messages that one application sends, one at a time.
#[derive(Clone, PartialEq, Debug)]
pub struct Sender {
    /// The client node.
    pub node: Name,
    /// The producer's group there.
    pub group: Group,
    /// How it sends.
    pub way: Way,
    /// How many messages a call takes: more than one are a batch.
    pub batch: usize,
    /// Who chooses the queue.
    pub select: Select,
    /// When the first message goes out, counted from the node's first boot.
    pub start: Span,
    /// The messages in order; the next is sent when the last has returned and its own time has come.
    pub sends: Vec<PlannedSend>,
}

/// An operator: calls of one client process, each at its time.
#[derive(Clone, PartialEq, Debug)]
pub struct Operator {
    /// The client node.
    pub node: Name,
    /// How long after the node's boot, and what.
    pub calls: Vec<(Span, AdminCall)>,
}

/// What an application asks of a push consumer while that runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Steered {
    /// The client node.
    pub node: Name,
    /// The consumer's group there.
    pub group: Group,
    /// How long after the node's boot, and what.
    pub calls: Vec<(Span, Steering)>,
}

/// A pull loop: an application that goes round the queues of a topic.
#[derive(Clone, PartialEq, Debug)]
pub struct Puller {
    /// The client node.
    pub node: Name,
    /// The pull consumer's group there.
    pub group: Group,
    /// The topic.
    pub topic: Topic,
    /// Which tags; `None` is all.
    pub tags: Option<Name>,
    /// At most how many messages a pull takes.
    pub batch: i32,
    /// In rounds, or on a timetable.
    pub how: How,
    /// Whether the group's members share the queues out, or each has them all.
    pub model: MessageModel,
    /// How many threads a timetable has.
    pub threads: usize,
    /// When its first round begins, counted from the node's boot.
    pub start: Span,
    /// How long it rests between two rounds, or between two pulls of a queue.
    pub pause: Span,
    /// How many rounds it makes; `None` is without end.
    pub rounds: Option<u64>,
    /// Where its table of offsets is.
    pub keep: Keep,
    /// How long the work on a batch takes at least.
    pub takes_min: Span,
    /// How long it takes at most; drawn between the two.
    pub takes_max: Span,
    /// Keys of messages on which the work fails.
    pub fails: Vec<Name>,
    /// Whether it gives those back, or goes on behind them.
    pub gives_back: bool,
    /// Whether the failure passes through the callback of a timetable.
    pub throws: bool,
}

/// How an application pulls.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum How {
    /// Round after round; the broker holds a pull that finds nothing.
    #[default]
    Block,
    /// Round after round; a pull that finds nothing is answered at once.
    Pull,
    /// `MQPullConsumerScheduleService`: each of its queues has a task.
    Scheduled,
}

/// Where a pull loop keeps its table of offsets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// In memory: it begins anew with its process.
    #[default]
    Memory,
    /// In the ledger of its machine, written when the work on a batch ends.
    Ledger,
    /// At the broker, told when the work on a batch ends, asked for when a queue comes first.
    Broker,
}

/// Who chooses the queue of each message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Select {
    /// The producer, from queue to queue.
    #[default]
    RoundRobin,
    /// The sender, always this one.
    Queue(MessageQueue),
    /// `SelectMessageQueueByHash`, by the message's key.
    HashKey,
    /// The article's own selector, by the message's key, which is a number.
    ModuloKey,
    /// `SelectMessageQueueByRandom`.
    Random,
    /// `SelectMessageQueueByMachineRoom`.
    MachineRoom,
    /// A user's own class.
    Own,
}

impl Select {
    /// Who chooses this message's queue.
    pub fn of(&self, message: &Message) -> SendTo {
        let key = || message.properties.get(names::KEYS).cloned().unwrap_or_default();
        SendTo::Selected(match self {
            Select::RoundRobin => return SendTo::Any,
            Select::Queue(queue) => return SendTo::Queue(queue.clone()),
            Select::HashKey => Selector::Hash(key()),
            Select::ModuloKey => Selector::Modulo(key().parse().unwrap_or(0)),
            Select::Random => Selector::Random,
            Select::MachineRoom => Selector::MachineRoom,
            Select::Own => Selector::Own,
        })
    }
}

/// How messages are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Way {
    /// `send(message)`: it waits for the result.
    #[default]
    Sync,
    /// `send(message, callback)`: the next goes out when its time has come, whatever became of this one.
    Async,
    /// `sendOneway`.
    Oneway,
    /// `createTopic(key, topic, queues)`: the letter carries the topic and the key, and is never sent.
    CreateTopic {
        /// Read and write queues on each broker.
        queues: i32,
    },
    /// `sendMessageInTransaction`: one whose key stands in the ledger is not begun again.
    Transaction,
}

/// One message to send.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedSend {
    /// Not before this long after the sender's start.
    pub due: Span,
    /// The letter.
    pub message: Message,
    /// The budget; `None` is the producer's own.
    pub timeout: Option<Span>,
}

/// A listener's behaviour: the first rule that matches a message answers for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Listener {
    /// The client node.
    pub node: Name,
    /// The consumer's group there.
    pub group: Group,
    /// Whether it is a `MessageListenerOrderly`.
    pub is_ordered: bool,
    /// The rules; a message that none matches is consumed at once.
    pub rules: Vec<ListenRule>,
}

/// A transaction listener's behaviour: the first rule that matches a message answers for it; without one the local
/// transaction commits, and what a broker asks is looked up in the ledger.
#[derive(Clone, PartialEq, Debug)]
pub struct Decider {
    /// The client node.
    pub node: Name,
    /// The producer's group there.
    pub group: Group,
    /// The rules.
    pub rules: Vec<DecideRule>,
}

/// What a transaction listener does with messages of one key.
#[derive(Clone, PartialEq, Debug)]
pub struct DecideRule {
    /// Only messages of this topic.
    pub topic: Option<Topic>,
    /// Only messages with this key.
    pub key: Option<Name>,
    /// What the local transaction does.
    pub local: LocalAct,
    /// What is answered when a broker asks, by the number of the question; the last one repeats.
    pub checks: Vec<CheckAct>,
    /// How long the local transaction takes at least.
    pub takes_min: Span,
    /// How long it takes at most; drawn between the two.
    pub takes_max: Span,
}

/// What a local transaction does and what its listener returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalAct {
    /// It commits, and says so.
    Commit,
    /// It rolls back, and says so.
    Rollback,
    /// It leaves things open: `UNKNOW`.
    Unknown,
    /// It throws.
    Throw,
    /// It returns null.
    Null,
    /// It commits, and the process dies before it can say so.
    Crash,
}

/// What a transaction listener answers to a broker's question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckAct {
    /// `COMMIT_MESSAGE`.
    Commit,
    /// `ROLLBACK_MESSAGE`.
    Rollback,
    /// `UNKNOW`.
    Unknown,
    /// It throws.
    Throw,
    /// It returns null.
    Null,
    /// It never answers.
    Silent,
    /// What the process remembers; null for what it never saw.
    Memory,
    /// What stands in the ledger; `UNKNOW` for what does not.
    Ledger,
}

/// What a listener does with messages of one key.
#[derive(Clone, PartialEq, Debug)]
pub struct ListenRule {
    /// Only messages of this topic.
    pub topic: Option<Topic>,
    /// Only messages with this key.
    pub key: Option<Name>,
    /// Answers by delivery, the last one repeats.
    pub replies: Vec<Reply>,
    /// How long it takes at least.
    pub takes_min: Span,
    /// How long it takes at most; drawn between the two.
    pub takes_max: Span,
}

/// A listener's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// `CONSUME_SUCCESS`.
    Ok,
    /// `CONSUME_SUCCESS` up to this index of the batch.
    OkTo(i32),
    /// `RECONSUME_LATER`.
    Fail,
    /// `RECONSUME_LATER` at this delay level.
    FailAt(i32),
    /// It throws.
    Throw,
    /// It returns null.
    Null,
    /// It never answers.
    Timeout,
    /// The process dies in it.
    Crash,
    /// What an ordered listener returns.
    Ordered(Ordered),
}
