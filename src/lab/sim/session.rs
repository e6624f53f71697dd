//! A session: one run that can be stepped, looked back on and branched. What the command line and the terminal hold.
//!
//! Looking back never touches a node: it is reading the trace. Branching from a step forks the nearest kept world before it
//! and replays to it; each replayed record must be the one that the first run left, or the session says which differs.

use std::fmt;

use crate::lab::scenario::plan::Plan;
use crate::lab::sim::world::{Panic, Setup, World};
use crate::lab::trace::digest::Digest;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Level, Record};
use crate::mq::time::Time;

/// A run under somebody's hands.
pub struct Session {
    world: World,
    trace: Trace,
    /// Forks of the world by step, earliest first; the first is at step 0.
    kept: Vec<World>,
    /// Steps between two of them.
    every: u64,
}

/// A whole run.
#[derive(Clone, PartialEq, Debug)]
pub struct RunResult {
    /// What was kept of it.
    pub trace: Trace,
    /// The digest of all its records.
    pub digest: Digest,
    /// Steps taken.
    pub events: u64,
    /// True time at the last step.
    pub virtual_time: Time,
    /// Processes that ended in a panic, each a finding.
    pub panics: Vec<Panic>,
    /// Whether the run was cut at [`STEPS_MAX`].
    pub cut: bool,
}

/// Two runs of one plan that did not do the same: the lab or a node is not deterministic.
#[derive(Clone, PartialEq, Debug)]
pub struct Divergence {
    /// The step of the first record that differs.
    pub step: u64,
    /// What the first run left there.
    pub first: Option<Box<Record>>,
    /// What the second left.
    pub second: Option<Box<Record>>,
}

/// No run takes more steps.
pub const STEPS_MAX: u64 = 100_000_000;

/// About so many records are kept for each message at level `history`.
const RECORDS_A_MESSAGE: usize = 16;
/// A world is kept every so many steps at first: about 20 ms of a run's cost.
const KEEP_EVERY: u64 = 16_384;
/// Beyond so many kept worlds every second one is given up and the distance doubles.
const KEPT_MAX: usize = 32;

impl Session {
    /// A session at the beginning of a plan's run.
    pub fn new(plan: &Plan, level: Level) -> Session {
        Session::of(World::new(plan, level))
    }

    /// A session at the beginning of a hand-made world's run.
    pub fn of_setup(setup: Setup) -> Session {
        Session::of(setup.world())
    }

    fn of(world: World) -> Session {
        Session { trace: Trace::new(world.header()), kept: vec![world.fork()], every: KEEP_EVERY, world }
    }

    /// Runs a plan to its end.
    pub fn run(plan: &Plan, level: Level) -> RunResult {
        let messages: usize = plan.senders.iter().map(|sender| sender.sends.len()).sum();
        let room = if level == Level::History { messages * RECORDS_A_MESSAGE } else { 0 };
        Session::run_world(World::new(plan, level), room)
    }

    /// Runs a hand-made world to its end.
    pub fn run_setup(setup: Setup) -> RunResult {
        Session::run_world(setup.world(), 0)
    }

    fn run_world(mut world: World, room: usize) -> RunResult {
        let mut trace = Trace::new(world.header());
        trace.reserve(room);
        let mut cut = false;
        while world.step() {
            world.take_records().for_each(|record| trace.push(record));
            if world.at() >= STEPS_MAX {
                cut = true;
                break;
            }
        }
        world.finish();
        world.take_records().for_each(|record| trace.push(record));
        let (digest, events, virtual_time) = (world.digest(), world.at(), world.now());
        RunResult { trace, digest, events, virtual_time, panics: world.panics().to_vec(), cut }
    }

    /// Takes the next step; `false` at the end.
    pub fn step(&mut self) -> bool {
        if self.world.at() >= STEPS_MAX || !self.world.step() {
            self.world.finish();
            self.collect();
            return false;
        }
        self.collect();
        if self.world.at().is_multiple_of(self.every) {
            self.keep();
        }
        true
    }

    /// Steps until the moment `#step`; `false` if the run ends before.
    pub fn run_to(&mut self, step: u64) -> bool {
        while self.world.at() < step {
            if !self.step() {
                return false;
            }
        }
        true
    }

    /// The moment the session is at: the next step's number.
    pub fn at(&self) -> u64 {
        self.world.at()
    }

    /// What was kept so far.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The digest of all records so far.
    pub fn digest(&self) -> Digest {
        self.world.digest()
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A copy of the session that goes its own way.
    pub fn fork(&self) -> Session {
        Session {
            world: self.world.fork(),
            trace: self.trace.clone(),
            kept: self.kept.iter().map(World::fork).collect(),
            every: self.every,
        }
    }

    /// A session at an earlier (or the present) moment, from which the run can go on otherwise.
    ///
    /// Errors: the replay to that moment left another record than the first run: names the first that differs.
    pub fn branch(&self, step: u64) -> Result<Session, Divergence> {
        assert!(step <= self.at(), "one can branch from what has happened");
        let nearest = self.kept.partition_point(|world| world.at() <= step);
        assert!(nearest > 0, "the world at step 0 is always kept");
        let mut world = self.kept[nearest - 1].fork();
        let mut trace = Trace::new(self.trace.header.clone());
        for record in self.trace.before(world.at()) {
            trace.push(record.clone());
        }
        while world.at() < step {
            let number = world.at();
            let stepped = world.step();
            let fresh: Vec<Record> = world.take_records().collect();
            if let Some(divergence) = compare(number, self.trace.step(number), &fresh) {
                return Err(divergence);
            }
            fresh.into_iter().for_each(|record| trace.push(record));
            if !stepped {
                return Err(Divergence { step: number, first: None, second: None });
            }
        }
        if step == self.at() && world.digest() != self.digest() {
            return Err(Divergence { step, first: None, second: None });
        }
        let kept = self.kept[..nearest].iter().map(World::fork).collect();
        Ok(Session { world, trace, kept, every: self.every })
    }

    fn collect(&mut self) {
        let trace = &mut self.trace;
        self.world.take_records().for_each(|record| trace.push(record));
    }

    fn keep(&mut self) {
        self.kept.push(self.world.fork());
        if self.kept.len() <= KEPT_MAX {
            return;
        }
        self.every *= 2;
        let every = self.every;
        self.kept.retain(|world| world.at().is_multiple_of(every));
    }
}

/// Runs two worlds side by side and names the first record in which they differ; they must be made at level `full`.
///
/// With two worlds of one plan this is the lab's test of itself; nothing of either run is kept.
pub fn first_difference(mut first: World, mut second: World) -> Option<Divergence> {
    loop {
        let step = first.at();
        let stepped = [first.step(), second.step()];
        let (ours, theirs): (Vec<Record>, Vec<Record>) =
            (first.take_records().collect(), second.take_records().collect());
        if let Some(divergence) = compare(step, &ours, &theirs) {
            return Some(divergence);
        }
        if stepped[0] != stepped[1] || first.digest() != second.digest() {
            return Some(Divergence { step, first: None, second: None });
        }
        if !stepped[0] || first.at() >= STEPS_MAX {
            return None;
        }
    }
}

fn compare(step: u64, first: &[Record], second: &[Record]) -> Option<Divergence> {
    if first == second {
        return None;
    }
    let same = first.iter().zip(second).take_while(|(a, b)| a == b).count();
    let at = |records: &[Record]| records.get(same).map(|record| Box::new(record.clone()));
    Some(Divergence { step, first: at(first), second: at(second) })
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |record: &Option<Box<Record>>| match record {
            None => String::from("nothing"),
            Some(record) => format!("record {} at {:?}: {:?}", record.seq.0, record.at, record.what),
        };
        write!(f, "step {}: the first run left {}, the second {}", self.step, say(&self.first), say(&self.second))
    }
}

impl std::error::Error for Divergence {}
