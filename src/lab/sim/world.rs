//! The world: machines, roads, dice and the agenda. One step is one agenda entry handed to a node or to the lab.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lab::fault::episode::{Episode, Trigger};
use crate::lab::scenario::plan::Plan;
use crate::lab::sim::agenda::{Agenda, Item};
use crate::lab::sim::dice::{Dice, Stream};
use crate::lab::sim::errand::{Errand, ErrandKind};
use crate::lab::sim::link::{Net, Roads};
use crate::lab::sim::machine::{Action, Boot, Machine, MachineSetup, Mood};
use crate::lab::sim::marks::Marks;
use crate::lab::sim::record::{Goal, LAB, NONE, Recorder, Stamp, WireTap};
use crate::lab::sim::slab::Slab;
use crate::lab::sim::storage::{DiskDeed, MachineDisk};
use crate::lab::sim::storm::Storm;
use crate::lab::trace::digest::{Chain, Digest};
use crate::lab::trace::log::{Header, NodeHead, Role};
use crate::lab::trace::record::{Level, NodeId, Record, Seq};
use crate::mq::disk::DiskError;
use crate::mq::message::Name;
use crate::mq::node::{Addr, Effect, Node, Out};
use crate::mq::time::{Millis, Span, Time};

/// What a world is before it runs. A plan gives one; nodes made by hand are added one by one.
#[derive(Clone)]
pub struct Setup {
    /// The scenario's id.
    pub scenario: Name,
    /// The profile's name.
    pub profile: Name,
    /// The seed.
    pub seed: u64,
    /// What is kept.
    pub level: Level,
    /// Every wall clock at step 0.
    pub start: Millis,
    /// Where the run ends, in true time.
    pub until: Time,
    /// The roads.
    pub roads: Roads,
    /// How entries of one moment are ordered.
    pub schedule: Schedule,
    /// Which frames are kept as bytes.
    pub tap: Option<WireTap>,
    /// What goes wrong.
    pub episodes: Arc<[Episode]>,
    /// How a node boots after a fault that changes its settings, by the fault's place.
    pub(crate) reboots: BTreeMap<u32, Boot>,
    machines: Vec<(MachineSetup, Trigger)>,
}

/// How entries of one moment are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Schedule {
    /// In the order of their filing.
    #[default]
    Fifo,
    /// By a draw, then in the order of their filing.
    Drawn,
}

/// A process that ended in a panic: a bug in a node, and a finding of every run that meets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panic {
    /// Which node.
    pub node: NodeId,
    /// In which step.
    pub step: u64,
    /// Its record.
    pub seq: Seq,
    /// The panic's text.
    pub text: Name,
}

/// A whole system in virtual time.
pub struct World {
    pub(crate) now: Time,
    pub(crate) setup: Setup,
    pub(crate) agenda: Agenda,
    pub(crate) dice: Dice,
    ties: Option<Box<Stream>>,
    pub(crate) rec: Recorder,
    pub(crate) machines: Vec<Machine>,
    pub(crate) net: Net,
    pub(crate) flushes: Slab<Flushing>,
    pub(crate) errands: Slab<Errand>,
    pub(crate) out: Out,
    /// The effects under way; empty between steps, kept for its room.
    pub(crate) effects: Vec<Effect>,
    /// What an application does; empty between steps, kept for its room.
    pub(crate) actions: Vec<Action>,
    /// Whose step it is.
    pub(crate) stamp: Stamp,
    /// The process whose step it is died in it.
    pub(crate) halted: bool,
    pub(crate) panics: Vec<Panic>,
    /// Episodes that have begun and not ended.
    pub(crate) active: BTreeSet<u32>,
    /// Those of them that act more than once.
    pub(crate) storms: BTreeMap<u32, Storm>,
    /// Disks as they were, by the episode that brings them back.
    pub(crate) snapshots: BTreeMap<u32, Box<dyn MachineDisk>>,
    finished: bool,
    /// What the step under way did to a disk; empty between steps, kept for its room.
    pub(crate) deeds: Vec<DiskDeed>,
}

/// A flush under way.
#[derive(Clone, Debug)]
pub(crate) struct Flushing {
    pub(crate) node: u16,
    pub(crate) incarnation: u32,
    pub(crate) ticket: u64,
    pub(crate) cause: u64,
    /// Known, and not told yet because the process is paused.
    pub(crate) result: Option<Result<(), DiskError>>,
}

impl Setup {
    /// An empty world of a seed: default roads, no end but [`Time::NEVER`], wall clocks at 2018-11-11T00:00:00+08:00.
    pub fn new(seed: u64) -> Setup {
        Setup {
            scenario: Name::new(""),
            profile: Name::new("rocketmq-4.3.2"),
            seed,
            level: Level::Digest,
            start: Millis(1_541_865_600_000),
            until: Time(u64::MAX - 1),
            roads: Roads::default(),
            schedule: Schedule::Fifo,
            tap: None,
            episodes: Arc::new([]),
            reboots: BTreeMap::new(),
            machines: Vec::new(),
        }
    }

    /// How a node boots if no fault has changed that.
    pub(crate) fn boot_of(&self, node: u16) -> Boot {
        self.machines[usize::from(node)].0.boot.clone()
    }

    /// Adds a machine that boots as `boots` says; its number is its place.
    pub fn add_machine(&mut self, machine: MachineSetup, boots: Trigger) -> NodeId {
        assert!(self.machines.len() < usize::from(LAB), "a world has fewer than 65,535 machines");
        self.machines.push((machine, boots));
        NodeId((self.machines.len() - 1) as u16)
    }

    /// Adds a machine without a disk that runs a node made by hand and listens on `addr`.
    ///
    /// Each boot takes a fork of `node`; having no constructor, it is woken once by [`Timer::Toy`](crate::mq::node::Timer).
    pub fn add_node(&mut self, name: impl Into<Name>, addr: Addr, node: Box<dyn Node>) -> NodeId {
        let machine = MachineSetup {
            name: name.into(),
            role: Role::Client,
            ip: addr.ip,
            ports: vec![addr.port],
            boot: crate::lab::sim::boot::by_hand(node),
            apps: None,
            disk: None,
        };
        self.add_machine(machine, Trigger::At(Time::ZERO))
    }

    /// The number of a machine.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        let at = self.machines.iter().position(|(machine, _)| machine.name == name)?;
        Some(NodeId(at as u16))
    }

    /// The world at its beginning.
    pub fn world(self) -> World {
        let dice = Dice::new(self.seed);
        let mut net = Net::new(self.roads);
        let mut machines = Vec::with_capacity(self.machines.len());
        for (number, (machine, _)) in self.machines.iter().enumerate() {
            let before = net.hosts.insert(machine.ip, number as u16);
            assert!(before.is_none(), "two machines have one address");
            machines.push(Machine::new(machine.clone(), dice.clone(), self.level));
        }
        let mut rec = Recorder::new(self.level);
        rec.tap = self.tap;
        let ties = match self.schedule {
            Schedule::Fifo => None,
            Schedule::Drawn => Some(Box::new(dice.stream(&["schedule", "tie"]))),
        };
        let (at, wall) = (Time::ZERO, self.start);
        let mut world = World {
            now: Time::ZERO,
            agenda: Agenda::default(),
            dice,
            ties,
            rec,
            machines,
            net,
            flushes: Slab::default(),
            errands: Slab::default(),
            out: Out::default(),
            effects: Vec::new(),
            actions: Vec::new(),
            stamp: Stamp { at, node: LAB, incarnation: 0, wall, mono: at, cause: NONE },
            halted: false,
            panics: Vec::new(),
            active: BTreeSet::new(),
            storms: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            finished: false,
            deeds: Vec::new(),
            setup: self,
        };
        world.set_clocks_off();
        for number in 0..world.setup.machines.len() {
            let trigger = world.setup.machines[number].1.clone();
            world.await_trigger(trigger, Goal::Boot(number as u16));
        }
        for number in 0..world.setup.episodes.len() {
            let trigger = world.setup.episodes[number].trigger.clone();
            world.await_trigger(trigger, Goal::Episode(number as u32));
        }
        world
    }
}

impl World {
    /// The world of a plan at its beginning.
    pub fn new(plan: &Plan, level: Level) -> World {
        let mut setup = crate::lab::sim::boot::setup(plan);
        setup.level = level;
        setup.world()
    }

    /// Handles the next entry that is somebody's; `false` when nothing is left before the end.
    pub fn step(&mut self) -> bool {
        self.step_asking(&mut |_, _| true)
    }

    /// The same, asking before each episode whose time has come whether it may begin: one that may not leaves no trace, as
    /// if it stood in the plan with `off = true`.
    ///
    /// What begins inside a step (`before:`) is not asked for.
    #[inline]
    pub fn step_asking(&mut self, may_begin: &mut impl FnMut(&World, u32) -> bool) -> bool {
        while let Some(entry) = self.agenda.next(self.setup.until) {
            debug_assert!(self.now <= entry.at, "time does not go back");
            self.now = entry.at;
            let stepped = match entry.item {
                Item::Flight(at) => self.arrive(at),
                Item::Timer { node, slot } => self.timer_up(node, slot),
                Item::Flush(at) => self.flush_up(at),
                Item::Errand(at) => match self.errands.at(at).kind {
                    ErrandKind::Begin(number) if !may_begin(self, number) => {
                        self.errands.take(at);
                        false
                    }
                    _ => self.errand_up(at),
                },
            };
            if stepped {
                if !self.rec.reached.is_empty() {
                    self.file_reached();
                }
                return true;
            }
        }
        false
    }

    /// Steps until nothing is left before the end, or `steps` have been taken in all; gives whether something is left.
    pub fn run(&mut self, steps: u64) -> bool {
        while self.rec.steps < steps {
            if !self.step() {
                return false;
            }
        }
        true
    }

    /// Notes from now on what kinds of things it comes across.
    pub fn keep_marks(&mut self) {
        self.rec.marks = Some(Marks::default());
    }

    /// What it has come across since that was asked for.
    pub fn marks(&self) -> Marks {
        self.rec.marks.clone().unwrap_or_default()
    }

    /// Moves the run's end: what lies behind it stays where it is.
    pub fn set_until(&mut self, until: Time) {
        self.setup.until = until;
    }

    /// Ends the run: a last step of the lab in which the disks' contents are recorded. Does nothing the second time.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if self.machines.iter().all(|machine| machine.setup.disk.is_none()) {
            return;
        }
        self.begin_lab(NONE);
        for node in 0..self.machines.len() {
            self.note_image(node as u16, NONE);
        }
    }

    /// A copy of the whole world. Records kept and not yet taken stay with the original.
    pub fn fork(&self) -> World {
        let mut rec = self.rec.clone();
        rec.take_fresh();
        World {
            now: self.now,
            setup: self.setup.clone(),
            agenda: self.agenda.clone(),
            dice: self.dice.clone(),
            ties: self.ties.clone(),
            rec,
            machines: self.machines.iter().map(Machine::fork).collect(),
            net: self.net.clone(),
            flushes: self.flushes.clone(),
            errands: self.errands.clone(),
            out: Out::default(),
            effects: Vec::new(),
            actions: Vec::new(),
            stamp: self.stamp,
            halted: self.halted,
            panics: self.panics.clone(),
            active: self.active.clone(),
            storms: self.storms.clone(),
            snapshots: self.snapshots.iter().map(|(number, disk)| (*number, disk.fork())).collect(),
            finished: self.finished,
            deeds: Vec::new(),
        }
    }

    /// An episode of the plan, by its place.
    pub fn episode(&self, number: u32) -> &Episode {
        &self.setup.episodes[number as usize]
    }

    /// What the world was made from.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Steps taken; the next one has this number.
    pub fn at(&self) -> u64 {
        self.rec.steps
    }

    /// The digest of all records so far, the same at every level.
    pub fn digest(&self) -> Digest {
        self.rec.digest()
    }

    /// The chain behind the digest, with its marks.
    pub fn chain(&self) -> &Chain {
        self.rec.chain()
    }

    /// The records kept since the last call.
    pub fn take_records(&mut self) -> std::vec::Drain<'_, Record> {
        self.rec.take_fresh()
    }

    /// Processes that ended in a panic.
    pub fn panics(&self) -> &[Panic] {
        &self.panics
    }

    /// A process as itself, while it lives.
    pub fn process(&self, node: NodeId) -> Option<&dyn Node> {
        self.machines[usize::from(node.0)].node.as_deref()
    }

    /// Whether a node's process gets steps.
    pub fn mood(&self, node: NodeId) -> Mood {
        self.machines[usize::from(node.0)].mood
    }

    /// What the run is, for its trace.
    pub fn header(&self) -> Header {
        let head = |machine: &Machine| {
            let port = machine.setup.ports.first().copied().unwrap_or(0);
            let addr = Addr { ip: machine.setup.ip, port };
            NodeHead { name: machine.setup.name.clone(), role: machine.setup.role, addr: Name::from(addr.to_string()) }
        };
        Header {
            scenario: self.setup.scenario.clone(),
            seed: self.setup.seed,
            profile: self.setup.profile.clone(),
            start: self.setup.start,
            nodes: self.machines.iter().map(head).collect(),
        }
    }

    /// Entries of the agenda filed so far, those that came to nothing included, and those pending.
    pub fn agenda_load(&self) -> (u64, usize) {
        (self.agenda.filed(), self.agenda.pending())
    }

    /// Lets a node's process die before its `left + 1`-th effect from here, its boot included; `None` takes the fuse out.
    pub fn set_effect_fuse(&mut self, node: NodeId, left: Option<u64>) {
        self.machines[usize::from(node.0)].fuse = left;
    }

    /// Lets a node's process die at the disk operation after `left` more, its boot included; `None` takes the fuse out.
    pub fn set_disk_fuse(&mut self, node: NodeId, left: Option<u64>) {
        self.machines[usize::from(node.0)].disk.set_fuse(left);
    }

    /// A node's disk.
    pub fn disk(&self, node: NodeId) -> &dyn MachineDisk {
        &*self.machines[usize::from(node.0)].disk
    }

    /// Files an entry.
    #[inline]
    pub(crate) fn file(&mut self, at: Time, item: Item) {
        match &mut self.ties {
            None => self.agenda.file(at, item),
            Some(ties) => {
                let tie = ties.below(1 << 16).got as u16;
                self.agenda.file_tied(at, tie, item);
            }
        }
    }

    /// Files an errand.
    pub(crate) fn errand(&mut self, at: Time, kind: ErrandKind, cause: u64) {
        let at_slab = self.errands.insert(Errand { kind, cause });
        self.file(at, Item::Errand(at_slab));
    }

    /// What the records of a node have in common at this moment.
    #[inline]
    pub(crate) fn stamp_of(&self, node: u16, cause: u64) -> Stamp {
        let machine = &self.machines[usize::from(node)];
        Stamp {
            at: self.now,
            node,
            incarnation: machine.incarnation,
            wall: machine.wall(self.setup.start, self.now),
            mono: machine.mono(self.now),
            cause,
        }
    }

    /// What the records of the lab have in common at this moment.
    pub(crate) fn lab_stamp(&self, cause: u64) -> Stamp {
        let wall = Millis(self.setup.start.0 + (self.now.0 / 1_000_000) as i64);
        Stamp { at: self.now, node: LAB, incarnation: 0, wall, mono: self.now, cause }
    }

    /// Begins a step of a node.
    #[inline]
    pub(crate) fn begin(&mut self, node: u16, cause: u64) {
        self.rec.steps += 1;
        self.halted = false;
        self.stamp = self.stamp_of(node, cause);
    }

    /// Begins a step of the lab.
    pub(crate) fn begin_lab(&mut self, cause: u64) {
        self.rec.steps += 1;
        self.halted = false;
        self.stamp = self.lab_stamp(cause);
    }

    /// The number of a node by its name in a plan; `*` is every node.
    pub(crate) fn node_named(&self, name: &str) -> Option<u16> {
        let at = self.machines.iter().position(|machine| machine.setup.name == name)?;
        Some(at as u16)
    }

    /// Spans are added to true time here, in one place.
    pub(crate) fn after(&self, span: Span) -> Time {
        self.now + span
    }
}
