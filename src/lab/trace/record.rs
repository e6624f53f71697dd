//! A record: one line of what happened.
//!
//! A *step* is one agenda entry handed to a node or to the lab; it is what a person steps and what `events` counts. A step
//! leaves one or more records. `cause` points at the record that led to this one: every effect at its event, every arrival
//! at its sending, every firing at its arming.

use std::sync::Arc;

use bytes::Bytes;

use crate::lab::trace::image::DiskImage;
use crate::lab::trace::wire::Wire;
use crate::mq::app::pull::PullAnswer;
use crate::mq::app::{Call, Return};
use crate::mq::disk::DiskError;
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ClosedWhy, RefusedWhy, TimerKey};
use crate::mq::time::{Millis, Span, Time};

/// A record's number, counted over the run from 0; never shown to a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(pub u64);

/// A node's number in the order of the plan; the trace's header gives its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct NodeId(pub u16);

/// A connection of the whole world, counted over the run from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LinkId(pub u32);

/// How much is kept; the digest is the same at every level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// The digest alone.
    Digest,
    /// What checkers need: applications, faults, machines, images, where logs are stored into, and the frames they read, as sent.
    History,
    /// Everything.
    Full,
}

/// One line of the trace.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The step that left it, from 0: `#31` is the moment before step 31.
    pub step: u64,
    /// Its number.
    pub seq: Seq,
    /// True time, never shown to a node.
    pub at: Time,
    /// Whose line it is; `None` is the lab's own (a fault).
    pub node: Option<NodeId>,
    /// That node's boot counter, from 1.
    pub incarnation: u32,
    /// That node's wall clock.
    pub wall: Millis,
    /// That node's monotonic clock.
    pub mono: Time,
    /// The record that led to this one.
    pub cause: Option<Seq>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// To a process or its machine.
    Machine(Machine),
    /// On the network.
    Road(Road),
    /// With a timer.
    Clock(Clock),
    /// On a disk.
    Disk(DiskEvent),
    /// At the application port.
    App(App),
    /// What a node said.
    Fact(Fact),
    /// A fault began or ended.
    Fault(Fault),
    /// A die was rolled.
    Rolled {
        /// The stream's path.
        stream: Name,
        /// Which draw of that stream, from 0.
        ordinal: u64,
        /// Out of how many.
        of: u64,
        /// The result.
        got: u64,
    },
}

/// What happens to a process or its machine.
#[derive(Clone, PartialEq, Debug)]
pub enum Machine {
    /// The process booted.
    Booted,
    /// It could not boot: what its constructor said.
    BootFailed {
        /// Why.
        why: Name,
    },
    /// It ended by itself.
    Exited,
    /// It was killed; the page cache survives.
    Killed,
    /// It panicked: a bug in a node, with its message.
    Panicked {
        /// The panic's text.
        why: Name,
    },
    /// Power went; what the disk lost.
    PowerLost {
        /// Dirty pages that are gone.
        lost: u64,
        /// Dirty pages that survived by chance or policy.
        kept: u64,
        /// Pages that survived in part.
        torn: u64,
    },
    /// It gets no steps.
    Paused,
    /// It goes on.
    Resumed,
    /// The operator asked it to stop.
    StopAsked,
    /// Its wall clock stepped.
    WallStepped {
        /// By how many ms.
        millis: i64,
    },
    /// Its clocks run at another rate from here on.
    ClockBent {
        /// In millionths beyond true time's.
        rate: i64,
    },
    /// One part of it gets no steps.
    ServicePaused {
        /// Which.
        service: &'static str,
    },
    /// It does again.
    ServiceResumed {
        /// Which.
        service: &'static str,
    },
    /// Its disk is another one now.
    DiskReplaced {
        /// Which: `an empty one`, `an old snapshot`, `another machine's`.
        how: &'static str,
    },
}

/// What happens on the network.
#[derive(Clone, PartialEq, Debug)]
pub enum Road {
    /// A connection was asked for.
    Opening {
        /// The connection.
        link: LinkId,
        /// Where to.
        to: Addr,
    },
    /// It stands (said once for each side).
    Opened {
        /// The connection.
        link: LinkId,
    },
    /// It did not come about.
    Refused {
        /// The connection.
        link: LinkId,
        /// Why.
        why: RefusedWhy,
    },
    /// It ended for this side.
    Closed {
        /// The connection.
        link: LinkId,
        /// How.
        why: ClosedWhy,
    },
    /// A frame left.
    Sent {
        /// The connection.
        link: LinkId,
        /// Who is at the other end.
        to: NodeId,
        /// The frame.
        frame: FrameNote,
    },
    /// A frame came in; its cause is its `Sent`.
    Arrived {
        /// The connection.
        link: LinkId,
        /// Who sent it.
        from: NodeId,
        /// The frame.
        frame: FrameNote,
    },
    /// A frame waits behind a fault.
    Held {
        /// The connection.
        link: LinkId,
        /// For how long, if that is known.
        span: Option<Span>,
    },
    /// A frame is lost with its connection.
    Dropped {
        /// The connection.
        link: LinkId,
        /// Why.
        why: &'static str,
    },
    /// The buffer has room again.
    Drained {
        /// The connection.
        link: LinkId,
    },
}

/// A frame in short, and its bytes where somebody reads them.
#[derive(Clone, PartialEq, Debug)]
pub struct FrameNote {
    /// Request code, or response code; 0 for a byte stream.
    pub code: i32,
    /// Bit 0: response; bit 1: one-way.
    pub flag: i32,
    /// Ties response and request.
    pub opaque: i32,
    /// `SEND_MESSAGE_V2`, `SUCCESS` …
    pub label: &'static str,
    /// The body's length in bytes.
    pub body: u32,
    /// The remark.
    pub remark: Option<Name>,
    /// The whole frame as on the wire, length word included, at the levels and codes that somebody reads.
    pub wire: Option<Wire>,
}

/// What happens with a timer.
#[derive(Clone, PartialEq, Debug)]
pub enum Clock {
    /// It was set or moved.
    Armed {
        /// Which.
        timer: TimerKey,
        /// For when, on the node's monotonic clock.
        at: Time,
    },
    /// It was taken back.
    Disarmed {
        /// Which.
        timer: TimerKey,
    },
    /// It fired.
    Fired {
        /// Which.
        timer: TimerKey,
    },
}

/// What happens on a disk.
#[derive(Clone, PartialEq, Debug)]
pub enum DiskEvent {
    /// Bytes were stored into a mapping, or a small file was replaced.
    Stored {
        /// The file.
        file: Name,
        /// From where.
        at: u64,
        /// What; empty below level `full`.
        bytes: Bytes,
        /// How many bytes.
        len: u64,
    },
    /// A file was created, renamed or removed.
    Named {
        /// `create`, `rename`, `remove`.
        what: &'static str,
        /// The file.
        file: Name,
        /// The new name of a rename.
        to: Option<Name>,
        /// The length of a created file.
        len: u64,
    },
    /// A flush was asked for.
    FlushAsked {
        /// The node's ticket.
        ticket: u64,
        /// The file.
        file: Name,
        /// From.
        from: u64,
        /// To.
        to: u64,
    },
    /// It is done: what the range held when asked is durable.
    FlushDone {
        /// The node's ticket.
        ticket: u64,
    },
    /// It failed.
    FlushFailed {
        /// The node's ticket.
        ticket: u64,
        /// How.
        error: DiskError,
    },
    /// A disk fault struck.
    Wrong {
        /// What it did.
        what: &'static str,
        /// The file.
        file: Name,
        /// Where in it.
        at: u64,
    },
    /// What the disk holds, taken at a fault's end and at the end of the run.
    Image {
        /// What a process on this machine would read now.
        cached: Arc<DiskImage>,
        /// What would be left without power.
        stable: Arc<DiskImage>,
    },
}

/// What happens at the application port; `actor` is the node.
#[derive(Clone, PartialEq, Debug)]
pub enum App {
    /// The application called, or answered a callback.
    Called(Arc<Call>),
    /// The node returned, or called back.
    Returned(Arc<Return>),
    /// The process died with this operation open: its outcome is unknown.
    Info {
        /// The operation.
        op: u64,
    },
    /// The application wrote into the ledger on its own machine, which outlives its process.
    Noted {
        /// Under which key.
        key: Name,
        /// What.
        value: Name,
    },
}

/// A fault's episode.
#[derive(Clone, PartialEq, Debug)]
pub enum Fault {
    /// It began.
    Begun {
        /// The episode's name.
        name: Name,
        /// The verb and its target, as a scenario writes them.
        what: Name,
    },
    /// It ended.
    Ended {
        /// The episode's name.
        name: Name,
    },
}

/// Kinds of records that are not facts, in the order of [`What`]'s variants.
const KINDS: &[&str] = &[
    "booted",
    "boot-failed",
    "exited",
    "killed",
    "panicked",
    "power-lost",
    "paused",
    "resumed",
    "stop-asked",
    "wall-stepped",
    "clock-bent",
    "service-paused",
    "service-resumed",
    "disk-replaced",
    "opening",
    "opened",
    "refused",
    "closed",
    "sent",
    "arrived",
    "road-held",
    "dropped",
    "drained",
    "armed",
    "disarmed",
    "fired",
    "stored",
    "named",
    "flush-asked",
    "flush-done",
    "flush-error",
    "disk-fault",
    "image",
    "call-send",
    "call-create-topic",
    "call-send-by",
    "call-send-batch",
    "call-transaction",
    "call-admin",
    "call-pull",
    "call-steer",
    "decided",
    "listened",
    "sent-result",
    "failed",
    "done",
    "listen",
    "execute-local",
    "check-local",
    "sent-in-transaction",
    "administered",
    "told",
    "pull-result",
    "queues-changed",
    "info",
    "noted",
    "fault-begun",
    "fault-ended",
    "rolled",
];

impl What {
    /// Every kind there is, facts last.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().chain(Fact::KINDS).copied()
    }

    /// Whether a record can be of this kind.
    pub fn is_kind(kind: &str) -> bool {
        What::kinds().any(|known| known == kind)
    }

    /// The kind as filters and moments name it: `sent`, `booted`, `appended` …
    pub fn kind(&self) -> &'static str {
        match self {
            What::Machine(machine) => machine.kind(),
            What::Road(road) => road.kind(),
            What::Clock(Clock::Armed { .. }) => "armed",
            What::Clock(Clock::Disarmed { .. }) => "disarmed",
            What::Clock(Clock::Fired { .. }) => "fired",
            What::Disk(disk) => disk.kind(),
            What::App(App::Called(call)) => match **call {
                Call::Send { .. } => "call-send",
                Call::CreateTopic { .. } => "call-create-topic",
                Call::SendBy { .. } => "call-send-by",
                Call::SendBatch { .. } => "call-send-batch",
                Call::SendInTransaction { .. } => "call-transaction",
                Call::Admin { .. } => "call-admin",
                Call::Pull { .. } => "call-pull",
                Call::Steer { .. } => "call-steer",
                Call::Decided { .. } => "decided",
                Call::Selected { .. } => "selected",
                Call::Listened { .. } => "listened",
            },
            What::App(App::Returned(answer)) => match **answer {
                Return::Sent { .. } => "sent-result",
                Return::Failed { .. } => "failed",
                Return::Done { .. } => "done",
                Return::Administered { .. } => "administered",
                Return::Told { ref what, .. } => match **what {
                    PullAnswer::Pulled(_) => "pull-result",
                    PullAnswer::Queues(_) | PullAnswer::Offset(_) => "told",
                },
                Return::QueuesChanged { .. } => "queues-changed",
                Return::Listen { .. } => "listen",
                Return::Execute { .. } => "execute-local",
                Return::Select { .. } => "select",
                Return::Check { .. } => "check-local",
                Return::SentInTransaction { .. } => "sent-in-transaction",
            },
            What::App(App::Info { .. }) => "info",
            What::App(App::Noted { .. }) => "noted",
            What::Fact(fact) => fact.kind(),
            What::Fault(Fault::Begun { .. }) => "fault-begun",
            What::Fault(Fault::Ended { .. }) => "fault-ended",
            What::Rolled { .. } => "rolled",
        }
    }
}

impl Machine {
    /// Whether a process ends with it.
    pub fn ends(&self) -> bool {
        matches!(
            self,
            Machine::Killed
                | Machine::Exited
                | Machine::Panicked { .. }
                | Machine::BootFailed { .. }
                | Machine::PowerLost { .. }
        )
    }

    fn kind(&self) -> &'static str {
        match self {
            Machine::Booted => "booted",
            Machine::BootFailed { .. } => "boot-failed",
            Machine::Exited => "exited",
            Machine::Killed => "killed",
            Machine::Panicked { .. } => "panicked",
            Machine::PowerLost { .. } => "power-lost",
            Machine::Paused => "paused",
            Machine::Resumed => "resumed",
            Machine::StopAsked => "stop-asked",
            Machine::WallStepped { .. } => "wall-stepped",
            Machine::ClockBent { .. } => "clock-bent",
            Machine::ServicePaused { .. } => "service-paused",
            Machine::ServiceResumed { .. } => "service-resumed",
            Machine::DiskReplaced { .. } => "disk-replaced",
        }
    }
}

impl Road {
    fn kind(&self) -> &'static str {
        match self {
            Road::Opening { .. } => "opening",
            Road::Opened { .. } => "opened",
            Road::Refused { .. } => "refused",
            Road::Closed { .. } => "closed",
            Road::Sent { .. } => "sent",
            Road::Arrived { .. } => "arrived",
            Road::Held { .. } => "road-held",
            Road::Dropped { .. } => "dropped",
            Road::Drained { .. } => "drained",
        }
    }
}

impl DiskEvent {
    fn kind(&self) -> &'static str {
        match self {
            DiskEvent::Stored { .. } => "stored",
            DiskEvent::Named { .. } => "named",
            DiskEvent::FlushAsked { .. } => "flush-asked",
            DiskEvent::FlushDone { .. } => "flush-done",
            DiskEvent::FlushFailed { .. } => "flush-error",
            DiskEvent::Wrong { .. } => "disk-fault",
            DiskEvent::Image { .. } => "image",
        }
    }
}
