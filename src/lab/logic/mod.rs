//! Your own code in the place of a scenario's applications: a listener, a transaction listener, a queue
//! selector.
//!
//! ```text
//!  Lab::of(plan) ─ consumer(group, make) ─▶ run() ─▶ Run: verdicts, deliveries, ledgers, digest
//!                        │ once for each boot of each client with that group
//!                        ▼
//!                 ConsumerLogic ── on_batch(cx, messages) ─▶ Outcome
//!                        └─ cx: time, dice, a ledger that outlives the process
//! ```
//!
//! What a logic keeps in its fields is its process's memory, and gone when that dies. What it writes with [`Cx::write`] lies
//! on its machine's disk, durable at once, as rows of a database that commits. A logic asks [`Cx`] for time and chance, never
//! the operating system: then one seed is one history with it, too.

use std::collections::BTreeMap;

use crate::mq::app::{AppError, Call, ConsumeOutcome, LocalOutcome, LocalState, OpId, SendResult};
use crate::mq::message::{Group, Message, MessageQueue, Name, StoredMessage};
use crate::mq::time::{Span, Time};

mod apps;

mod run;

pub use run::{Broken, Lab, Run};

/// A listener of your own. Source of what it stands for: `MessageListenerConcurrently`, `MessageListenerOrderly`.
pub trait ConsumerLogic: Send {
    /// The process has booted; what an earlier one wrote can be read.
    fn on_boot(&mut self, _cx: &mut Cx<'_>) {}

    /// Messages of one queue, as many as `consumeMessageBatchMaxSize` at most. A panic is what an exception is in Java.
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome;

    /// A message that this logic sent with [`Cx::send`] has its result.
    fn on_sent(&mut self, _cx: &mut Cx<'_>, _op: OpId, _result: Result<&SendResult, &AppError>) {}
}

/// A transaction listener of your own. Source of what it stands for: `TransactionListener`.
pub trait TxnLogic: Send {
    /// The process has booted; what an earlier one wrote can be read.
    fn on_boot(&mut self, _cx: &mut Cx<'_>) {}

    /// The half message is stored: the local transaction. A panic is what an exception is in Java.
    fn execute(&mut self, cx: &mut Cx<'_>, message: &Message) -> LocalState;

    /// A broker asks how it ended. A panic is what an exception is in Java.
    fn check(&mut self, cx: &mut Cx<'_>, message: &StoredMessage) -> LocalState;
}

/// A queue selector of your own. Source of what it stands for: `MessageQueueSelector`.
pub trait QueueSelector: Send {
    /// The place in `queues` of the queue to which a message is sent, once; `None` is null in Java, and a panic is an
    /// exception.
    fn select(&mut self, cx: &mut Cx<'_>, queues: &[MessageQueue], message: &Message) -> Option<usize>;
}

/// What a listener decides, and how long it takes for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    answer: ConsumeOutcome,
    takes: Span,
}

impl Outcome {
    /// `CONSUME_SUCCESS`: all messages are done.
    pub fn done() -> Outcome {
        Outcome::of(ConsumeOutcome::Success { ack_index: i32::MAX })
    }

    /// Messages up to this index are done, those behind it failed. Source: `ConsumeConcurrentlyContext.setAckIndex`.
    pub fn done_to(ack_index: i32) -> Outcome {
        Outcome::of(ConsumeOutcome::Success { ack_index })
    }

    /// `RECONSUME_LATER`.
    pub fn later() -> Outcome {
        Outcome::of(ConsumeOutcome::Later)
    }

    /// `RECONSUME_LATER` at a delay level of one's own; -1 is the dead letter topic.
    pub fn later_at(delay_level: i32) -> Outcome {
        Outcome::of(ConsumeOutcome::LaterAt { delay_level })
    }

    /// Any answer of the port.
    pub fn of(answer: ConsumeOutcome) -> Outcome {
        Outcome { answer, takes: Span::ZERO }
    }

    /// Only after this time: its thread of the consumer's pool is taken until then.
    pub fn after(self, takes: Span) -> Outcome {
        Outcome { takes, ..self }
    }
}

/// What a logic may ask for while it is called.
pub struct Cx<'a> {
    now: Time,
    node: &'a str,
    ledger: &'a mut BTreeMap<Name, Name>,
    draw: &'a mut dyn FnMut(u64) -> u64,
    deeds: Vec<Deed>,
    next_op: &'a mut u64,
}

/// What a logic did in one call, in order.
#[derive(Debug)]
enum Deed {
    Wrote(Name, Name),
    Called(Box<Call>, OpId),
    Crashed,
}

impl Cx<'_> {
    /// True time since the run began.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The client's name in the scenario.
    pub fn node(&self) -> &str {
        self.node
    }

    /// A number below `below`, from the seed. Zero for zero.
    pub fn draw(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { (self.draw)(below) }
    }

    /// What this machine's ledger holds under a key, written by this process or by one before it.
    pub fn read(&self, key: &str) -> Option<&str> {
        self.ledger.get(key).map(Name::as_str)
    }

    /// Writes into this machine's ledger: durable at once, and read by whoever boots here later.
    pub fn write(&mut self, key: impl Into<Name>, value: impl Into<Name>) {
        let (key, value) = (key.into(), value.into());
        self.ledger.insert(key.clone(), value.clone());
        self.deeds.push(Deed::Wrote(key, value));
    }

    /// Sends through a producer of this client, which the scenario must have. Only a consumer hears of the result.
    pub fn send(&mut self, group: impl Into<Group>, message: Message) -> OpId {
        let op = OpId(*self.next_op);
        *self.next_op += 1;
        let call = Call::Send { op, group: group.into(), message, timeout: None };
        self.deeds.push(Deed::Called(Box::new(call), op));
        op
    }

    /// Takes the process down when this call is over: what it was going to answer is lost.
    pub fn crash(&mut self) {
        self.deeds.push(Deed::Crashed);
    }
}

/// A logic that can be copied, so that a session can look back and branch.
trait Consumer: ConsumerLogic {
    fn fork(&self) -> Box<dyn Consumer>;
}

impl<L: ConsumerLogic + Clone + 'static> Consumer for L {
    fn fork(&self) -> Box<dyn Consumer> {
        Box::new(self.clone())
    }
}

/// See [`Consumer`].
trait Transactions: TxnLogic {
    fn fork(&self) -> Box<dyn Transactions>;
}

impl<L: TxnLogic + Clone + 'static> Transactions for L {
    fn fork(&self) -> Box<dyn Transactions> {
        Box::new(self.clone())
    }
}

/// See [`Consumer`].
trait Chooser: QueueSelector {
    fn fork(&self) -> Box<dyn Chooser>;
}

impl<L: QueueSelector + Clone + 'static> Chooser for L {
    fn fork(&self) -> Box<dyn Chooser> {
        Box::new(self.clone())
    }
}

/// What a Java method comes to when it throws.
fn threw() -> LocalOutcome {
    LocalOutcome::Threw("java.lang.RuntimeException".into())
}
