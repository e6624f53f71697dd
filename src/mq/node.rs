//! Contract 1, the node: a driver hands a process an [`Event`] with a [`Step`]; the node changes itself and writes
//! [`Effect`]s; some effects are [`Fact`]s; nothing else leaves.
//!
//! A node is a process: a nameserver, a broker, or a client with its producers and consumers. It never reads a clock,
//! opens a file, draws from the operating system, blocks or prints. Booting is a constructor of the node's own type, so a
//! half-built node cannot exist.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{Call, Return};
use crate::mq::disk::{Disk, DiskError, FileId, burn};
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::time::{Millis, Span, Time};
use crate::mq::wire::command::Command;

/// A process under a driver.
pub trait Node: Send {
    /// Handles one event to its end: changes the node, writes effects to `step.out`.
    fn on(&mut self, event: Event, step: &mut Step<'_>);

    /// A copy of the whole process, sharing nothing that can change.
    fn fork(&self) -> Box<dyn Node>;

    /// The node as itself, for a test that compares its state with the picture folded from its facts.
    fn as_any(&self) -> &dyn Any;
}

/// What a node is lent for one call. It keeps nothing of it.
pub struct Step<'a> {
    /// The node's own wall clock, as Java would read it.
    pub wall: Millis,
    /// The node's own monotonic clock.
    pub mono: Time,
    /// The machine's disk.
    pub disk: &'a mut dyn Disk,
    /// This node's own dice.
    pub dice: &'a mut dyn Choice,
    /// What work costs on this machine; all zero unless the plan says so.
    pub costs: &'a Costs,
    /// Where effects go. A field of its own, so that bytes lent by the disk may be read while writing effects.
    pub out: &'a mut Out,
}

impl Step<'_> {
    /// How long `work` holds its thread on this machine.
    pub fn cost(&self, work: Work) -> Span {
        self.costs.0[work as usize]
    }
}

/// What happens to a node.
#[derive(Debug)]
pub enum Event {
    /// A connection that this node asked for stands.
    Connected {
        /// The connection.
        conn: ConnId,
    },
    /// A connection that this node asked for does not come about.
    Refused {
        /// The connection.
        conn: ConnId,
        /// Refused at once, or nobody answered in the connect timeout.
        why: RefusedWhy,
    },
    /// Somebody connected to one of this node's ports.
    Accepted {
        /// The connection (even).
        conn: ConnId,
        /// The local port.
        port: u16,
        /// The other side's address.
        peer: Addr,
    },
    /// A frame came in.
    Received {
        /// Over which connection.
        conn: ConnId,
        /// What.
        frame: Frame,
    },
    /// The send buffer has room again.
    Drained {
        /// The connection.
        conn: ConnId,
    },
    /// The connection is gone; no further event names it.
    Closed {
        /// The connection.
        conn: ConnId,
        /// A FIN leaves pending requests waiting, a reset fails them.
        why: ClosedWhy,
    },
    /// An armed timer is due. May come late or twice.
    Fired {
        /// Which.
        timer: TimerKey,
    },
    /// A flush is answered.
    Flushed {
        /// The ticket of the [`Effect::Flush`].
        ticket: u64,
        /// Whether the range is durable.
        result: Result<(), DiskError>,
    },
    /// The application calls, or answers a callback.
    App(Box<Call>),
    /// The wall clock left the monotonic one: re-arm whatever was computed from wall time.
    WallStepped,
    /// Somebody else took room from this machine's disk, or made some: look again, as a loop that polls it would.
    SpaceChanged,
    /// The operator asks the process to stop cleanly; it ends with [`Effect::Exit`].
    Stop,
}

/// What a node asks of its driver.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Open a connection; answered by `Connected` or `Refused`.
    Connect {
        /// Chosen by the node, odd, never used before.
        conn: ConnId,
        /// Where to.
        to: Addr,
    },
    /// Send a frame; frames of one connection stay in order.
    Send {
        /// Over which connection.
        conn: ConnId,
        /// What.
        frame: Frame,
    },
    /// Close a connection (FIN). No `Closed` event follows on this side.
    Close {
        /// The connection.
        conn: ConnId,
    },
    /// Wake me; arming again moves the timer.
    Arm {
        /// Which.
        timer: TimerKey,
        /// On the node's monotonic clock.
        at: Time,
    },
    /// Do not wake me.
    Disarm {
        /// Which.
        timer: TimerKey,
    },
    /// Make a range durable; answered by `Flushed`.
    Flush {
        /// Chosen by the node.
        ticket: u64,
        /// The file.
        file: FileId,
        /// First byte.
        from: u64,
        /// One past the last byte.
        to: u64,
    },
    /// Answer the application, or call it back; shared, since the application and a trace read the same value.
    App(Arc<Return>),
    /// Say what happened.
    Say(Fact),
    /// The process ends.
    Exit,
}

/// A frame on a connection.
#[derive(Debug, Clone)]
pub enum Frame {
    /// A remoting command, travelling typed; bytes only where somebody looks.
    Command(Box<Command>),
    /// A piece of a byte stream whose borders mean nothing (the replication port).
    Bytes(Box<Bytes>),
}

/// A connection as one node names it: odd where the node opened it, even where the driver accepted for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ConnId(pub u32);

/// An IPv4 address and a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Addr {
    /// The address, first byte in the highest bits.
    pub ip: u32,
    /// The port.
    pub port: u16,
}

/// Why a connection did not come about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusedWhy {
    /// Nobody listens there; known within a round trip.
    Refused,
    /// Nobody answered: the driver gives up after the connect timeout of 3 s.
    TimedOut,
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClosedWhy {
    /// The other side closed in order.
    Fin,
    /// The connection was reset; frames in flight may be lost.
    Reset,
}

/// A timer's name and number. A node has at most one timer of each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimerKey {
    /// Which upstream service it belongs to.
    pub name: Timer,
    /// Which one of them; 0 where there is one.
    pub number: u64,
}

impl TimerKey {
    /// The only timer of that name.
    pub const fn of(name: Timer) -> TimerKey {
        TimerKey { name, number: 0 }
    }
}

/// What a timer is for: the upstream thread or task that would have woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Timer {
    /// `NettyRemotingAbstract.scanResponseTable` and synchronous waits: the earliest deadline of the request table.
    RequestDeadline,
    /// `IdleStateHandler`: the earliest connection that has been silent for 120 s.
    ChannelIdle,
    /// `RouteInfoManager.scanNotActiveBroker`, every 10 s.
    BrokerExpiry,
    /// `BrokerController`: registration with all nameservers, every 30 s.
    Registration,
    /// `ClientHousekeepingService`: channel expiry, every 10 s.
    ClientExpiry,
    /// `ConsumerOffsetManager.persist`, every 5 s.
    OffsetPersist,
    /// `ConsumerFilterManager.persist`, every 10 s.
    FilterPersist,
    /// `BrokerFastFailure`: requests too long in their queue, every 10 ms.
    FastFailure,
    /// `PullRequestHoldService`: the sweep of held pulls, every 5 s.
    HoldSweep,
    /// `ReputMessageService`, every 1 ms.
    Reput,
    /// `GroupCommitService`.
    GroupCommit,
    /// `FlushRealTimeService`, every 500 ms.
    FlushCommitLog,
    /// `FlushConsumeQueueService`, every 1 s.
    FlushConsumeQueue,
    /// A waiting put's `syncFlushTimeout`.
    PutDeadline,
    /// `CommitRealTimeService`, every 200 ms.
    CommitLog,
    /// `ScheduleMessageService`: the first level that has something to do.
    Schedule,
    /// `ScheduleMessageService.persist`, every 10 s.
    DelayOffsets,
    /// `DefaultMessageStore.cleanFilesPeriodically`, every 10 s.
    CleanFiles,
    /// `TransactionalMessageCheckService`, every 60 s.
    TransactionCheck,
    /// A job whose cost or stall ends.
    JobDone,
    /// `MQClientInstance`: route poll, every 30 s.
    RoutePoll,
    /// `MQClientInstance`: clean offline brokers and heartbeat, every 30 s.
    Heartbeat,
    /// `MQClientInstance`: persist all consumer offsets, every 5 s.
    ConsumerPersist,
    /// `RebalanceService`, every 20 s or when woken.
    Rebalance,
    /// `PullMessageServiceScheduledThread`: a pull request put off.
    PullLater,
    /// `ConsumeMessageConcurrentlyService`: resubmission after 5 s.
    ConsumeLater,
    /// `ConsumeMessageConcurrentlyService.cleanExpireMsg`, every 15 min.
    CleanExpired,
    /// `ConsumeMessageOrderlyService`: its scheduled thread.
    OrderlyScheduled,
    /// A synchronous send's whole budget.
    SendDeadline,
    /// A clean shutdown's next stage.
    Shutdown,
    /// `HAConnection.WriteSocketService`: a slave's, by its connection.
    HaTransfer,
    /// `HAConnection.ReadSocketService`: a slave's silence, by its connection.
    HaHousekeeping,
    /// `HAService.HAClient`: the loop of a slave.
    HaClient,
    /// `SlaveSynchronize`: 0 every minute, 1 the request under way.
    SlaveSynchronize,
    /// A node outside the system (a benchmark's toy).
    Toy,
    /// A request has kept its thread busy for as long as its work takes here.
    DeskDone,
}

/// The node's dice: each draw is addressed by its stream and its ordinal there.
pub trait Choice {
    /// A number in `0..below`, uniformly; `below` is at least 1.
    fn below(&mut self, stream: Stream, below: u64) -> u64;
}

/// What a node draws for: the sources of chance that upstream has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Stream {
    /// `NettyRemotingClient.updateNameServerAddressList`: the shuffle.
    NameserverShuffle,
    /// `NettyRemotingClient.initValueIndex`: the first index, 0..998.
    NameserverStart,
    /// `ThreadLocalIndex`: where the round robin over queues begins; `SelectMessageQueueByRandom`.
    QueueStart,
    /// `MQClientInstance.findBrokerAddrByTopic`: whom to ask for the consumer list.
    ConsumerListBroker,
    /// `SendMessageProcessor`: the queue when the request names none.
    BrokerQueue,
    /// `LatencyFaultToleranceImpl.pickOneAtLeast`: the shuffle.
    LatencyShuffle,
    /// A node outside the system (a benchmark's toy).
    Toy,
}

impl Stream {
    /// How many streams there are.
    pub const COUNT: usize = 7;
}

/// What work is: what a slow processor makes dear, a kind of task at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Work {
    /// A broker handles a send.
    Send,
    /// A broker handles a pull.
    Pull,
    /// A broker handles anything else.
    Admin,
    /// A nameserver handles a request.
    Route,
}

/// What each kind of work costs, indexed by [`Work`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Costs(pub [Span; 4]);

/// The effects of one step, in order. Each write is a place where the fuse can burn.
#[derive(Debug, Default)]
pub struct Out {
    effects: Vec<Effect>,
    /// Effects still allowed before the process dies; `None` is no fuse.
    fuse: Option<u64>,
    /// The process dies right after an effect of this kind.
    trip: Option<Trip>,
}

/// Kills a process right after its n-th effect of a kind.
#[derive(Clone, Debug)]
pub struct Trip {
    /// The kind, as [`Effect::kind`] gives it.
    pub kind: Name,
    /// How many effects of that kind pass before the one that kills.
    pub passes: u64,
}

impl Out {
    /// Opens a connection.
    pub fn connect(&mut self, conn: ConnId, to: Addr) {
        self.put(Effect::Connect { conn, to });
    }

    /// Sends a command.
    pub fn send(&mut self, conn: ConnId, command: Box<Command>) {
        self.put(Effect::Send { conn, frame: Frame::Command(command) });
    }

    /// Sends a piece of a byte stream.
    pub fn send_bytes(&mut self, conn: ConnId, bytes: Bytes) {
        self.put(Effect::Send { conn, frame: Frame::Bytes(Box::new(bytes)) });
    }

    /// Closes a connection.
    pub fn close(&mut self, conn: ConnId) {
        self.put(Effect::Close { conn });
    }

    /// Arms or moves a timer.
    pub fn arm(&mut self, timer: TimerKey, at: Time) {
        self.put(Effect::Arm { timer, at });
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: TimerKey) {
        self.put(Effect::Disarm { timer });
    }

    /// Asks for durability of `from..to` in `file`.
    pub fn flush(&mut self, ticket: u64, file: FileId, from: u64, to: u64) {
        self.put(Effect::Flush { ticket, file, from, to });
    }

    /// Answers or calls the application.
    pub fn app(&mut self, answer: Return) {
        self.put(Effect::App(Arc::new(answer)));
    }

    /// Says a fact.
    pub fn say(&mut self, fact: Fact) {
        self.put(Effect::Say(fact));
    }

    /// Ends the process.
    pub fn exit(&mut self) {
        self.put(Effect::Exit);
    }

    /// For a driver: lets the process die before its `left + 1`-th effect from here; `None` removes the fuse.
    pub fn set_fuse(&mut self, left: Option<u64>) {
        self.fuse = left;
    }

    /// For a driver: what is left of the fuse.
    pub fn fuse(&self) -> Option<u64> {
        self.fuse
    }

    /// For a driver: lets the process die right after an effect of a kind; `None` takes the trip away.
    pub fn set_trip(&mut self, trip: Option<Trip>) {
        self.trip = trip;
    }

    /// For a driver: the effects written so far, taken out in order; the buffer keeps its room.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Effect> {
        self.effects.drain(..)
    }

    /// For a driver: swaps the effects out without giving up either buffer's room.
    pub fn swap(&mut self, other: &mut Vec<Effect>) {
        std::mem::swap(&mut self.effects, other);
    }

    #[inline]
    fn put(&mut self, effect: Effect) {
        if self.fuse.is_some() || self.trip.is_some() {
            return self.put_doomed(effect);
        }
        self.effects.push(effect);
    }

    /// Writes an effect of a process that is to die by it, or by a later one.
    #[cold]
    fn put_doomed(&mut self, effect: Effect) {
        match &mut self.fuse {
            Some(0) => burn(),
            Some(left) => *left -= 1,
            None => {}
        }
        let hit = self.trip.as_ref().is_some_and(|trip| effect.kind() == &*trip.kind);
        self.effects.push(effect);
        let Some(trip) = self.trip.as_mut().filter(|_| hit) else { return };
        match trip.passes {
            0 => burn(),
            _ => trip.passes -= 1,
        }
    }
}

impl Effect {
    /// The kind as traces name the record that it leaves.
    pub fn kind(&self) -> &'static str {
        match self {
            Effect::Connect { .. } => "opening",
            Effect::Send { .. } => "sent",
            Effect::Close { .. } => "closed",
            Effect::Arm { .. } => "armed",
            Effect::Disarm { .. } => "disarmed",
            Effect::Flush { .. } => "flush-asked",
            Effect::App(answer) => match **answer {
                Return::Sent { .. } => "sent-result",
                Return::Failed { .. } => "failed",
                Return::Done { .. } => "done",
                Return::Administered { .. } => "administered",
                Return::Told { ref what, .. } => match **what {
                    PullAnswer::Pulled(_) => "pull-result",
                    PullAnswer::Queues(_) | PullAnswer::Offset(_) => "told",
                },
                Return::QueuesChanged { .. } => "queues-changed",
                Return::Execute { .. } => "execute-local",
                Return::Select { .. } => "select",
                Return::Check { .. } => "check-local",
                Return::SentInTransaction { .. } => "sent-in-transaction",
                Return::Listen { .. } => "listen",
            },
            Effect::Say(fact) => fact.kind(),
            Effect::Exit => "exited",
        }
    }
}

impl Addr {
    /// The address `a.b.c.d:port`.
    pub const fn new(a: u8, b: u8, c: u8, d: u8, port: u16) -> Addr {
        Addr { ip: u32::from_be_bytes([a, b, c, d]), port }
    }

    /// The same host on another port.
    pub const fn with_port(self, port: u16) -> Addr {
        Addr { ip: self.ip, port }
    }

    /// Reads `a.b.c.d:port`.
    pub fn parse(text: &str) -> Option<Addr> {
        let (host, port) = text.split_once(':')?;
        let mut bytes = [0; 4];
        let mut parts = host.split('.');
        for byte in &mut bytes {
            *byte = parts.next()?.parse().ok()?;
        }
        match parts.next() {
            None => Some(Addr { ip: u32::from_be_bytes(bytes), port: port.parse().ok()? }),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.ip.to_be_bytes();
        write!(f, "{a}.{b}.{c}.{d}:{}", self.port)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const _: () = assert!(size_of::<Event>() <= 32, "an event is moved on every step");
const _: () = assert!(size_of::<Effect>() <= 64, "an effect is moved on every step");
