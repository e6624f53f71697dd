//! Nodes under a driver of the test's own: virtual time, disks, the roads among them, and ends of roads that the test holds.
//!
//! A road takes no time, a flush neither. What a node says to another or to the outside is kept in the order in which it is said.

use std::collections::{BTreeMap, VecDeque};

use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::node::{
    Addr, Choice, ClosedWhy, ConnId, Costs, Effect, Event, Frame, Node, Out, RefusedWhy, Step, Stream, TimerKey,
};
use mqlab::mq::time::{Millis, Time};
use mqlab::mq::wire::command::Command;

use super::story::Process;
use crate::disk::sim;

/// Makes a process.
pub(super) type Boot = Box<dyn Fn(&mut Step<'_>) -> Box<dyn Node>>;

/// A command that a node here said.
pub(super) struct Heard {
    pub(super) from: usize,
    pub(super) to: End,
    pub(super) command: Box<Command>,
}

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum End {
    /// The test's, by the recording's number.
    Outside(u32),
    /// A node's here.
    Inside(usize, ConnId),
}

struct Machine {
    ip: u32,
    ports: Vec<u16>,
    node: Option<Box<dyn Node>>,
    disk: SimDisk,
}

pub(super) struct Stage {
    epoch: i64,
    now: Time,
    machines: Vec<Machine>,
    agenda: BTreeMap<(Time, u64), (usize, TimerKey)>,
    armed: BTreeMap<(usize, TimerKey), (Time, u64)>,
    events: VecDeque<(usize, Event)>,
    roads: BTreeMap<(usize, ConnId), End>,
    next: u64,
    next_even: u32,
    /// What the dice of the next steps show.
    pub(super) chosen: u64,
    pub(super) heard: Vec<Heard>,
}

/// A broker chooses a queue for a message that names none, and nothing else here: as the real one did.
#[derive(Clone, Copy)]
struct Chosen(u64);

impl Choice for Chosen {
    fn below(&mut self, _: Stream, below: u64) -> u64 {
        self.0.min(below - 1)
    }
}

impl Stage {
    pub(super) fn new(epoch: i64, processes: &[Process]) -> Stage {
        let machine =
            |process: &Process| Machine { ip: process.ip, ports: process.ports.clone(), node: None, disk: sim() };
        Stage {
            epoch,
            now: Time::ZERO,
            machines: processes.iter().map(machine).collect(),
            agenda: BTreeMap::new(),
            armed: BTreeMap::new(),
            events: VecDeque::new(),
            roads: BTreeMap::new(),
            next: 0,
            next_even: 2,
            chosen: 0,
            heard: Vec::new(),
        }
    }

    /// Lets time pass up to a moment, and everything happen that is due by then.
    pub(super) fn run_until(&mut self, until: Time) {
        while let Some((&(at, number), &(machine, timer))) =
            self.agenda.first_key_value().filter(|due| due.0.0 <= until)
        {
            self.agenda.remove(&(at, number));
            self.armed.remove(&(machine, timer));
            self.now = self.now.max(at);
            self.tell(machine, Event::Fired { timer });
        }
        self.now = self.now.max(until);
    }

    pub(super) fn boot(&mut self, machine: usize, boot: &Boot) {
        let node = self.step(machine, |_, step| Some(boot(step)));
        self.machines[machine].node = node;
        self.settle();
    }

    /// The process dies, and its kernel ends its connections.
    pub(super) fn kill(&mut self, machine: usize) {
        self.machines[machine].node = None;
        self.machines[machine].disk.kill();
        self.events.retain(|(other, _)| *other != machine);
        self.agenda.retain(|_, (other, _)| *other != machine);
        self.armed.retain(|(other, _), _| *other != machine);
        let ends: Vec<(usize, ConnId)> = self.roads.keys().filter(|(own, _)| *own == machine).copied().collect();
        for end in ends {
            self.close(end);
        }
        self.settle();
    }

    pub(super) fn is_up(&self, machine: usize) -> bool {
        self.machines[machine].node.is_some()
    }

    pub(super) fn stop(&mut self, machine: usize) {
        self.tell(machine, Event::Stop);
    }

    /// Somebody outside connects; gives the node's end.
    pub(super) fn accept(&mut self, machine: usize, port: u16, peer: Addr, outside: u32) -> Option<ConnId> {
        if !self.is_up(machine) {
            return None;
        }
        let conn = self.even();
        self.roads.insert((machine, conn), End::Outside(outside));
        self.tell(machine, Event::Accepted { conn, port, peer });
        Some(conn)
    }

    /// Somebody outside says something; false if the road has ended.
    pub(super) fn receive(&mut self, machine: usize, conn: ConnId, command: Box<Command>) -> bool {
        let is_there = self.roads.contains_key(&(machine, conn));
        if is_there {
            self.tell(machine, Event::Received { conn, frame: Frame::Command(command) });
        }
        is_there
    }

    /// Somebody outside hangs up.
    pub(super) fn hang_up(&mut self, machine: usize, conn: ConnId) {
        if self.roads.remove(&(machine, conn)).is_some() {
            self.tell(machine, Event::Closed { conn, why: ClosedWhy::Fin });
        }
    }

    fn tell(&mut self, machine: usize, event: Event) {
        self.events.push_back((machine, event));
        self.settle();
    }

    /// Hands out what waits, and what comes of it.
    fn settle(&mut self) {
        while let Some((machine, event)) = self.events.pop_front() {
            self.step(machine, |node, step| {
                if let Some(node) = node {
                    node.on(event, step);
                }
            });
        }
    }

    /// One call of a node, and its effects.
    fn step<R>(&mut self, machine: usize, act: impl FnOnce(Option<&mut dyn Node>, &mut Step<'_>) -> R) -> R {
        let (wall, mono) = (Millis(self.epoch + self.now.as_millis() as i64), self.now);
        let Machine { node, disk, .. } = &mut self.machines[machine];
        let (mut out, mut dice) = (Out::default(), Chosen(self.chosen));
        disk.set_clock(wall);
        disk.set_time(mono);
        let mut step = Step { wall, mono, disk, dice: &mut dice, costs: &Costs::default(), out: &mut out };
        let given = act(node.as_deref_mut().map(|node| node as &mut dyn Node), &mut step);
        let effects: Vec<Effect> = out.drain().collect();
        for effect in effects {
            self.perform(machine, effect);
        }
        given
    }

    fn perform(&mut self, machine: usize, effect: Effect) {
        match effect {
            Effect::Connect { conn, to } => self.connect(machine, conn, to),
            Effect::Send { conn, frame } => self.send(machine, conn, frame),
            Effect::Close { conn } => self.close((machine, conn)),
            Effect::Arm { timer, at } => {
                self.disarm(machine, timer);
                let at = (at.max(self.now), self.next);
                self.next += 1;
                self.armed.insert((machine, timer), at);
                self.agenda.insert(at, (machine, timer));
            }
            Effect::Disarm { timer } => self.disarm(machine, timer),
            Effect::Flush { ticket, file, from, to } => {
                let disk = &mut self.machines[machine].disk;
                disk.begin_flush(ticket, file, from..to);
                let result = disk.complete_flush(ticket);
                self.events.push_back((machine, Event::Flushed { ticket, result }));
            }
            Effect::Exit => self.kill(machine),
            Effect::App(_) | Effect::Say(_) => {}
        }
    }

    fn disarm(&mut self, machine: usize, timer: TimerKey) {
        if let Some(at) = self.armed.remove(&(machine, timer)) {
            self.agenda.remove(&at);
        }
    }

    fn connect(&mut self, machine: usize, conn: ConnId, to: Addr) {
        let listens = |other: &Machine| other.node.is_some() && other.ip == to.ip && other.ports.contains(&to.port);
        let Some(other) = self.machines.iter().position(listens) else {
            return self.events.push_back((machine, Event::Refused { conn, why: RefusedWhy::Refused }));
        };
        let theirs = self.even();
        self.roads.insert((machine, conn), End::Inside(other, theirs));
        self.roads.insert((other, theirs), End::Inside(machine, conn));
        let peer = Addr { ip: self.machines[machine].ip, port: EPHEMERAL + theirs.0 as u16 };
        self.events.push_back((other, Event::Accepted { conn: theirs, port: to.port, peer }));
        self.events.push_back((machine, Event::Connected { conn }));
    }

    fn send(&mut self, machine: usize, conn: ConnId, frame: Frame) {
        let Some(&end) = self.roads.get(&(machine, conn)) else { return };
        if let Frame::Command(command) = &frame {
            self.heard.push(Heard { from: machine, to: end, command: command.clone() });
        }
        if let End::Inside(other, theirs) = end {
            self.events.push_back((other, Event::Received { conn: theirs, frame }));
        }
    }

    fn close(&mut self, (machine, conn): (usize, ConnId)) {
        if let Some(End::Inside(other, theirs)) = self.roads.remove(&(machine, conn)) {
            self.roads.remove(&(other, theirs));
            self.events.push_back((other, Event::Closed { conn: theirs, why: ClosedWhy::Fin }));
        }
    }

    fn even(&mut self) -> ConnId {
        let conn = ConnId(self.next_even);
        self.next_even += 2;
        conn
    }
}

/// Where a node's own ports begin.
const EPHEMERAL: u16 = 40_000;
