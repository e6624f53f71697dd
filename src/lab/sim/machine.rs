//! A machine: one process, its applications, its disk, its dice, its clocks and timers; and what it takes to boot it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lab::fault::process::Service;
use crate::lab::sim::agenda::Item;
use crate::lab::sim::clock::Clock;
use crate::lab::sim::dice::{Dice, Roll, Stream};
use crate::lab::sim::storage::{MachineDisk, NoDisk};
use crate::lab::sim::timer::Timers;
use crate::lab::trace::log::Role;
use crate::lab::trace::record::Level;
use crate::mq::app::{Call, Return};
use crate::mq::message::Name;
use crate::mq::node::{Choice, ConnId, Costs, Node, Step, Stream as NodeStream};
use crate::mq::time::{Millis, Span, Time};

/// Makes a process on a machine: the node's own constructor. What it cannot do it says in a sentence.
pub type Boot = Arc<dyn Fn(&mut Step<'_>) -> Result<Box<dyn Node>, Name> + Send + Sync>;

/// Makes a process's applications.
pub type BootApps = Arc<dyn Fn() -> Box<dyn Applications> + Send + Sync>;

/// The applications of one client process: they call it, are called back, and die with it.
pub trait Applications: Send {
    /// What earlier processes of this machine wrote into its ledger; told before [`Applications::boot`].
    fn recall(&mut self, _ledger: &Ledger) {}

    /// The process has booted.
    fn boot(&mut self, now: Time, out: &mut Vec<Action>);

    /// The process returned, or calls back.
    fn on_return(&mut self, now: Time, answer: &Return, draw: &mut dyn FnMut(u64) -> u64, out: &mut Vec<Action>);

    /// A moment asked for with [`Action::Wake`] has come.
    fn on_wake(&mut self, now: Time, token: u64, out: &mut Vec<Action>);

    /// A copy of them all.
    fn fork(&self) -> Box<dyn Applications>;
}

/// What applications wrote to their machine's own disk, each line durable when it is written: a database's tables.
pub type Ledger = BTreeMap<Name, Name>;

/// What an application does.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// It calls, or answers a callback.
    Call(Box<Call>),
    /// It wants to be woken.
    Wake {
        /// When, in true time.
        at: Time,
        /// Given back then.
        token: u64,
    },
    /// It writes into its machine's ledger.
    Note {
        /// Under which key.
        key: Name,
        /// What.
        value: Name,
    },
    /// It takes its process down.
    Crash,
}

/// What a machine is before it runs.
#[derive(Clone)]
pub struct MachineSetup {
    /// Its name, unique in the world.
    pub name: Name,
    /// What its process is.
    pub role: Role,
    /// Its address, first byte in the highest bits; unique in the world.
    pub ip: u32,
    /// The ports its process listens on while it lives. The first is the one that the trace's header shows.
    pub ports: Vec<u16>,
    /// Its process.
    pub boot: Boot,
    /// The process's applications, if it has any.
    pub apps: Option<BootApps>,
    /// Its disk; `None` is a machine without one.
    pub disk: Option<DiskSetup>,
}

/// What a machine's disk is before it runs.
#[derive(Clone)]
pub struct DiskSetup {
    /// A flush takes at least this long.
    pub fsync_min: Span,
    /// A flush takes at most this long; drawn for each.
    pub fsync_max: Span,
    /// Makes the empty disk.
    pub make: Arc<dyn Fn() -> Box<dyn MachineDisk> + Send + Sync>,
}

/// Whether a machine's process gets steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// No process, the machine is on: its ports refuse.
    Down,
    /// The process runs.
    Running,
    /// The process gets no steps; the machine goes on.
    Paused,
    /// No power: silence.
    Off,
}

/// A machine of a world.
pub(crate) struct Machine {
    pub(crate) setup: MachineSetup,
    pub(crate) mood: Mood,
    pub(crate) incarnation: u32,
    pub(crate) node: Option<Box<dyn Node>>,
    pub(crate) apps: Option<Box<dyn Applications>>,
    pub(crate) disk: Box<dyn MachineDisk>,
    pub(crate) dice: NodeDice,
    pub(crate) timers: Timers,
    /// By [`ConnId`]: the world's connection.
    pub(crate) conns: Vec<u32>,
    next_accept: u32,
    pub(crate) clock: Clock,
    /// What of it stands still, as bits: see [`withheld`](crate::lab::sim::withhold::bits); 0 is nothing.
    pub(crate) withheld: u64,
    /// Whose doing that is.
    pub(crate) services: Vec<(u32, Service)>,
    /// Entries of what stands still, in order.
    pub(crate) aside: Vec<Item>,
    /// How long each of its steps takes; zero on a healthy machine.
    pub(crate) slow: Span,
    /// It is paused for as long as its last step takes, and for no other reason.
    pub(crate) busy: bool,
    pub(crate) costs: Costs,
    /// Effects left before the fuse burns.
    pub(crate) fuse: Option<u64>,
    /// Its process was asked to stop and has not come to its end.
    pub(crate) stopping: bool,
    /// A new process follows the one that stops, by the doing of this record.
    pub(crate) returns: Option<u64>,
    /// Operations that have been called and have not returned.
    pub(crate) open_ops: Vec<u64>,
    /// Entries that came up while it was paused, in order.
    pub(crate) parked: Vec<Item>,
    pub(crate) fsync: Option<Box<Stream>>,
    /// What its applications wrote down.
    pub(crate) ledger: Ledger,
}

const NO_CONN: u32 = u32::MAX;

/// A process may name at most so many connections in its life.
const CONNS_MAX: u32 = 1 << 22;

impl Machine {
    pub(crate) fn new(setup: MachineSetup, dice: Dice, level: Level) -> Machine {
        let dice = NodeDice::new(dice, setup.name.clone());
        let mut disk: Box<dyn MachineDisk> = match &setup.disk {
            Some(disk) => (disk.make)(),
            None => Box::new(NoDisk),
        };
        disk.set_recording(level);
        Machine {
            setup,
            mood: Mood::Down,
            incarnation: 0,
            node: None,
            apps: None,
            disk,
            dice,
            timers: Timers::default(),
            conns: Vec::new(),
            next_accept: 2,
            clock: Clock::default(),
            withheld: 0,
            services: Vec::new(),
            aside: Vec::new(),
            slow: Span::ZERO,
            busy: false,
            costs: Costs::default(),
            fuse: None,
            stopping: false,
            returns: None,
            open_ops: Vec::new(),
            parked: Vec::new(),
            fsync: None,
            ledger: Ledger::new(),
        }
    }

    pub(crate) fn fork(&self) -> Machine {
        Machine {
            setup: self.setup.clone(),
            mood: self.mood,
            incarnation: self.incarnation,
            node: self.node.as_ref().map(|node| node.fork()),
            apps: self.apps.as_ref().map(|apps| apps.fork()),
            disk: self.disk.fork(),
            dice: self.dice.clone(),
            timers: self.timers.clone(),
            conns: self.conns.clone(),
            next_accept: self.next_accept,
            clock: self.clock.clone(),
            withheld: self.withheld,
            services: self.services.clone(),
            aside: self.aside.clone(),
            slow: self.slow,
            busy: self.busy,
            costs: self.costs,
            fuse: self.fuse,
            stopping: self.stopping,
            returns: self.returns,
            open_ops: self.open_ops.clone(),
            parked: self.parked.clone(),
            fsync: self.fsync.clone(),
            ledger: self.ledger.clone(),
        }
    }

    /// Its wall clock at a true time.
    #[inline]
    pub(crate) fn wall(&self, start: Millis, now: Time) -> Millis {
        self.clock.wall(start, now)
    }

    /// Its monotonic clock at a true time.
    #[inline]
    pub(crate) fn mono(&self, now: Time) -> Time {
        self.clock.mono(now)
    }

    /// The true time at which its monotonic clock shows `mono`.
    #[inline]
    pub(crate) fn true_time(&self, mono: Time) -> Time {
        self.clock.true_time(mono)
    }

    /// The world's connection that the process names so.
    #[inline]
    pub(crate) fn link(&self, conn: ConnId) -> Option<u32> {
        self.conns.get(conn.0 as usize).copied().filter(|&link| link != NO_CONN)
    }

    /// Enters a connection under the process's name for it; refuses a name that was used or is out of bounds.
    pub(crate) fn name_link(&mut self, conn: ConnId, link: u32) -> bool {
        if conn.0 >= CONNS_MAX || self.link(conn).is_some() {
            return false;
        }
        let at = conn.0 as usize;
        if self.conns.len() <= at {
            self.conns.resize(at + 1, NO_CONN);
        }
        self.conns[at] = link;
        true
    }

    /// The name for a connection that the driver accepts for the process.
    pub(crate) fn accept(&mut self) -> ConnId {
        let conn = ConnId(self.next_accept);
        self.next_accept += 2;
        conn
    }

    /// Forgets everything that lives in the process.
    pub(crate) fn clear_process(&mut self) {
        self.node = None;
        self.apps = None;
        self.timers = Timers::default();
        self.conns.clear();
        self.next_accept = 2;
        self.fuse = None;
        (self.stopping, self.returns) = (false, None);
        self.open_ops.clear();
        self.parked.clear();
        self.aside.clear();
        self.busy = false;
    }
}

/// A machine's dice as its node sees them: streams named by an enum, made when first drawn from.
#[derive(Clone)]
pub(crate) struct NodeDice {
    root: Dice,
    name: Name,
    streams: [Option<Box<Stream>>; NodeStream::COUNT + 2],
    /// Draws of the step under way, by stream.
    pub(crate) rolled: Vec<(u8, Roll)>,
}

/// The streams beyond the node's own.
const APPS: usize = NodeStream::COUNT;
const POWER: usize = NodeStream::COUNT + 1;

impl NodeDice {
    fn new(root: Dice, name: Name) -> NodeDice {
        NodeDice { root, name, streams: [const { None }; NodeStream::COUNT + 2], rolled: Vec::new() }
    }

    fn draw(&mut self, stream: usize, below: u64) -> u64 {
        let (root, name) = (&self.root, &self.name);
        let roll = self.streams[stream]
            .get_or_insert_with(|| Box::new(root.stream(&["node", name, stream_name(stream)])))
            .below(below);
        self.rolled.push((stream as u8, roll));
        roll.got
    }

    /// A draw of this machine's applications.
    pub(crate) fn draw_for_apps(&mut self, below: u64) -> u64 {
        self.draw(APPS, below)
    }

    /// A draw for what a power loss leaves.
    pub(crate) fn draw_for_power(&mut self, below: u64) -> u64 {
        self.draw(POWER, below)
    }
}

impl Choice for NodeDice {
    fn below(&mut self, stream: NodeStream, below: u64) -> u64 {
        self.draw(stream as usize, below)
    }
}

/// The last part of a stream's path, by its place.
pub(crate) fn stream_name(stream: usize) -> &'static str {
    const NAMES: [&str; NodeStream::COUNT + 2] = [
        "nameserver-shuffle",
        "nameserver-start",
        "queue-start",
        "consumer-list-broker",
        "broker-queue",
        "latency-shuffle",
        "toy",
        "apps",
        "power",
    ];
    NAMES[stream]
}

const _: () = assert!(NodeStream::Toy as usize == 6, "the names of the streams stand in the enum's order");
