//! An episode: one fault with its target, its trigger and how it heals.

use crate::lab::fault::device::{Files, Wrong};
use crate::lab::fault::process::{Breaks, ClockWrong, Service, Task};
use crate::lab::fault::road::{Prefix, RoadWrong, Split};
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

/// When something happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// At a true time of the run.
    At(Time),
    /// After something has happened.
    After {
        /// What.
        event: EventMatch,
        /// Which occurrence, from 1.
        nth: u64,
        /// Inside that step, before its remaining effects (`before:`), or in a step of its own after it.
        before: bool,
        /// How much later.
        delay: Span,
    },
}

/// Which records a trigger waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventMatch {
    /// Any record of this kind (see `What::kind`), at this node if one is named.
    Kind {
        /// The kind.
        kind: Name,
        /// The node.
        node: Option<Name>,
    },
    /// The beginning of the fault of this name.
    Fault(Name),
}

/// One fault of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Episode {
    /// Its name, unique in the plan.
    pub name: Name,
    /// When it begins.
    pub trigger: Trigger,
    /// How long it lasts before it heals by itself; `None` is for ever.
    pub lasts: Option<Span>,
    /// What it does.
    pub kind: FaultKind,
}

/// What a fault does. Nodes are named as in the plan; `*` stands for every node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The process dies, the page cache survives (catalogue P1).
    Kill {
        /// The node.
        node: Name,
    },
    /// The machine loses power: process dead, connections silent, unflushed pages at the mercy of `keep` (M1).
    PowerLoss {
        /// The node.
        node: Name,
        /// What survives.
        keep: Keep,
    },
    /// The process boots again on the same disk (P3); a running one is killed first.
    Restart {
        /// The node.
        node: Name,
    },
    /// The operator asks the process to stop cleanly (P2).
    Stop {
        /// The node.
        node: Name,
    },
    /// The process gets no steps; clocks go on (P4).
    Pause {
        /// The node.
        node: Name,
    },
    /// It goes on.
    Resume {
        /// The node.
        node: Name,
    },
    /// Nothing passes from one node to another, connections stay (N7, N8).
    Cut {
        /// From.
        from: Name,
        /// To.
        to: Name,
        /// Whether the other direction is cut too.
        both: bool,
    },
    /// Cuts between these nodes end, or all of them if both are `*`.
    Heal {
        /// One side.
        from: Name,
        /// The other.
        to: Name,
    },
    /// Connections between two nodes are reset (N5).
    Reset {
        /// One side.
        from: Name,
        /// The other.
        to: Name,
        /// What of the bytes under way still arrives.
        prefix: Prefix,
    },
    /// Connections between two nodes are reset again and again, at drawn distances (N5).
    Resets {
        /// One side.
        from: Name,
        /// The other.
        to: Name,
        /// How far apart two resets are on average.
        mean: Span,
        /// What of the bytes under way still arrives.
        prefix: Prefix,
    },
    /// The roads from one node to another do something wrong (N1 to N4, N6, N10, N11).
    Road {
        /// From.
        from: Name,
        /// To.
        to: Name,
        /// Whether the other direction does so, too.
        both: bool,
        /// What.
        wrong: RoadWrong,
    },
    /// The nodes are divided, and nothing passes between the sides (N7, N8).
    Partition {
        /// How they are divided.
        split: Split,
        /// Whether the second side cannot speak to the first either.
        both: bool,
    },
    /// The roads between two nodes go down and come up again and again (N9).
    Flap {
        /// From.
        from: Name,
        /// To.
        to: Name,
        /// Whether the other direction is cut too.
        both: bool,
        /// How long they are down, give or take a tenth.
        down: Span,
        /// How long they are up, give or take a tenth.
        up: Span,
        /// How often.
        cycles: u64,
    },
    /// Half of the nodes lose their roads one by one, and get them back in another order (N10).
    Swizzle {
        /// Among which nodes; `*` is all.
        nodes: Vec<Name>,
        /// How far apart two changes are.
        every: Span,
    },
    /// A nameserver hears nothing of a broker: what stands is reset, connects are refused (N12).
    SplitView {
        /// The broker.
        broker: Name,
        /// The nameserver that it is hidden from.
        nameserver: Name,
    },
    /// Another fault ends here, whenever it would by itself.
    End {
        /// Its name.
        fault: Name,
    },
    /// Frames between two nodes take longer (N1).
    Delay {
        /// From.
        from: Name,
        /// To.
        to: Name,
        /// By how much.
        by: Span,
    },
    /// A wall clock steps (T3).
    ClockStep {
        /// The node.
        node: Name,
        /// By how many ms.
        millis: i64,
    },
    /// One part of a process gets no steps, the others and the clocks go on (P4).
    PauseService {
        /// The node.
        node: Name,
        /// Which part.
        service: Service,
    },
    /// Each step of a process takes so many times as long, or what its threads do of one kind of task (P5).
    SlowCpu {
        /// The node.
        node: Name,
        /// How many times.
        times: u64,
        /// Which kind alone; `None` is the whole process, as on one thread.
        task: Option<Task>,
    },
    /// A handler runs out of memory, and the process dies in it (P7).
    Crash {
        /// The node.
        node: Name,
        /// When.
        breaks: Breaks,
    },
    /// Several machines lose power within a short time (M2).
    RackLoss {
        /// Which.
        nodes: Vec<Name>,
        /// Within which time, drawn for each.
        within: Span,
        /// What survives.
        keep: Keep,
    },
    /// The machine is gone for good; when the fault ends one with an empty disk boots in its place (M3).
    Replace {
        /// The node.
        node: Name,
    },
    /// The disk as it is at this moment comes back after a while: an old snapshot is restored (M4).
    Restore {
        /// The node.
        node: Name,
        /// How old the snapshot is then.
        age: Span,
    },
    /// Two machines boot with each other's disks (M4).
    SwapDisks {
        /// The one.
        one: Name,
        /// The other.
        other: Name,
    },
    /// A second process with a broker's name and id boots on a machine of its own (M5).
    Twin {
        /// The broker.
        node: Name,
        /// The second machine, a node of the plan that nothing else boots.
        twin: Name,
    },
    /// A broker boots again with other settings (X1, X5).
    Reconfigure {
        /// The broker.
        node: Name,
        /// Its file's settings, as key and value, over those that it had.
        changes: Vec<(Name, Name)>,
    },
    /// One process after the other is killed and comes back (X7).
    Rolling {
        /// Which, in this order.
        nodes: Vec<Name>,
        /// How far apart two of them are killed.
        every: Span,
        /// How long each is down.
        down: Span,
    },
    /// A machine's clocks do something wrong (T1, T2, T4 to T6).
    Clock {
        /// The node.
        node: Name,
        /// What.
        wrong: ClockWrong,
    },
    /// A disk does something wrong (D1 to D13).
    Disk {
        /// The node.
        node: Name,
        /// Which files.
        files: Files,
        /// What.
        wrong: Wrong,
    },
}

impl FaultKind {
    /// How long a fault lasts that does not say it; `None` is for ever.
    pub fn lasts_by_itself(&self) -> Option<Span> {
        match self {
            FaultKind::Disk { wrong: Wrong::Hung { at_most }, .. } => Some(*at_most),
            FaultKind::Partition { .. } | FaultKind::Replace { .. } => Some(Span::from_secs(30)),
            FaultKind::SplitView { .. } | FaultKind::Twin { .. } => Some(Span::from_secs(60)),
            FaultKind::PauseService { .. } => Some(Span::from_secs(5)),
            FaultKind::Road { wrong: RoadWrong::HalfOpen, .. } => Some(Span::from_secs(120)),
            _ => None,
        }
    }
}

/// What of the unflushed pages, names and small files survives a power loss: the persistence adversary's policies.
///
/// A policy chooses among what the disk's [`Personality`](crate::lab::fault::disk::Personality) allows: where that
/// says that nothing survives without what came before, what came before survives, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// `lose-all-unsynced`, alias `fsynced`: exactly what was flushed.
    #[default]
    LoseAllUnsynced,
    /// `keep-all`: everything.
    KeepAll,
    /// `uniform`: each page's version is drawn, how many names and how much of each small file.
    Uniform,
    /// `log-lost/json-kept`: of the commit log exactly what was flushed, everything else whole.
    LogLostJsonKept,
    /// `json-lost/log-kept`: of the small files nothing that was not committed, everything mapped whole.
    JsonLostLogKept,
    /// `last-page-only`: of each file's dirty pages only the last; names and small files whole.
    LastPageOnly,
    /// `even-pages-only`: the dirty pages with an even number; names and small files whole.
    EvenPagesOnly,
    /// `header-kept/body-lost`: of each file what lies before and in the sector in which its last store begins; names and
    /// small files whole.
    HeaderKeptBodyLost,
}

impl Keep {
    /// All of them, as a scenario writes them; the alias first, as the default.
    pub const ALL: [(&'static str, Keep); 9] = [
        ("fsynced", Keep::LoseAllUnsynced),
        ("lose-all-unsynced", Keep::LoseAllUnsynced),
        ("keep-all", Keep::KeepAll),
        ("uniform", Keep::Uniform),
        ("log-lost/json-kept", Keep::LogLostJsonKept),
        ("json-lost/log-kept", Keep::JsonLostLogKept),
        ("last-page-only", Keep::LastPageOnly),
        ("even-pages-only", Keep::EvenPagesOnly),
        ("header-kept/body-lost", Keep::HeaderKeptBodyLost),
    ];
}
