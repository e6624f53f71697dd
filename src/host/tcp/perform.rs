//! A node is handed an event, and what it asks for is done: the one place where nodes are called.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mio::Interest;

use crate::host::fault::Side;
use crate::host::tcp::Notice;
use crate::host::tcp::active::Fate;
use crate::host::tcp::driver::{Driver, LISTENERS, Later};
use crate::host::tcp::flusher::Asker;
use crate::host::tcp::log::{frame_note, link};
use crate::host::tcp::machine::Answer;
use crate::lab::trace::log::Role;
use crate::lab::trace::record::{App, Clock, DiskEvent, Machine as MachineNote, NodeId, Road, Seq, What};
use crate::mq::app::Call;
use crate::mq::disk::{DiskError, FileId};
use crate::mq::message::Name;
use crate::mq::node::{ConnId, Effect, Event, Frame, Step, TimerKey};
use crate::mq::wire::codec;

/// How a process ends.
pub(super) enum Death {
    /// By itself.
    Exited,
    /// By an order.
    Killed,
    /// By a bug.
    Panicked(Name),
    /// It never came to life.
    Unborn(Name),
}

impl Driver {
    /// Begins a step of a machine with an event.
    pub(super) fn step(&mut self, machine: usize, event: Event, cause: Option<Seq>) {
        self.log.begin();
        self.hand(machine, event, cause);
    }

    /// Hands an event to a process and does what it asks for.
    fn hand(&mut self, machine: usize, event: Event, cause: Option<Seq>) {
        let running = &mut self.machines[machine];
        let (Some(node), Some(disk)) = (running.node.as_mut(), running.disk.as_mut()) else { return };
        let mut step = Step {
            wall: self.clock.wall(),
            mono: self.clock.mono(),
            disk,
            dice: &mut running.dice,
            costs: &running.costs,
            out: &mut self.out,
        };
        let ended = catch_unwind(AssertUnwindSafe(|| node.on(event, &mut step)));
        self.perform_all(machine, cause);
        if let Err(unwound) = ended {
            self.die(machine, Death::Panicked(panic_text(&*unwound)), cause);
        }
    }

    /// Boots a machine's process: its ports first, so that nobody is told of a broker that cannot be reached.
    ///
    /// Errors: what stands in the way; it is told, too.
    pub(super) fn boot(&mut self, machine: usize) -> Result<(), Name> {
        let booted = self.try_to_boot(machine);
        if let Err(why) = &booted {
            drop(self.out.drain());
            self.die(machine, Death::Unborn(why.clone()), None);
        }
        booted
    }

    fn try_to_boot(&mut self, machine: usize) -> Result<(), Name> {
        let is_full = self.faults.full_disk(&self.machines[machine].setup.name);
        let running = &mut self.machines[machine];
        let sockets = running.setup.sockets();
        let sockets = sockets.map_err(|(port, error)| Name::from(format!("port {port}: {error}")))?;
        let folder = running.setup.folder.display().to_string();
        running.mount(is_full).map_err(|error| Name::from(format!("{folder}: {error}")))?;
        running.incarnation += 1;
        let (wall, mono) = (self.clock.wall(), self.clock.mono());
        let running = &mut self.machines[machine];
        let disk = running.disk.as_mut().expect("mounted above");
        let mut step = Step { wall, mono, disk, dice: &mut running.dice, costs: &running.costs, out: &mut self.out };
        let boot = &running.setup.boot;
        let booted = match catch_unwind(AssertUnwindSafe(|| boot(&mut step))) {
            Ok(booted) => booted,
            Err(unwound) => Err(panic_text(&*unwound)),
        };
        running.node = Some(booted?);
        for (socket, at) in sockets.into_iter().zip(0..) {
            let listening = self.listen(machine, at, socket);
            listening.map_err(|error| Name::from(error.to_string()))?;
        }
        let seq = self.note_machine(machine, None, MachineNote::Booted);
        self.tell(Notice::Booted { node: self.machines[machine].setup.name.clone() });
        self.perform_all(machine, seq);
        Ok(())
    }

    fn listen(&mut self, machine: usize, port: usize, socket: std::net::TcpListener) -> std::io::Result<()> {
        socket.set_nonblocking(true)?;
        let mut socket = mio::net::TcpListener::from_std(socket);
        let place = self.listeners.len();
        self.poll.registry().register(&mut socket, mio::Token(LISTENERS + place), Interest::READABLE)?;
        let port = &self.machines[machine].setup.ports[port];
        self.listeners.push(Some((socket, machine, port.number, port.is_stream)));
        self.machines[machine].listeners.push(place);
        Ok(())
    }

    fn perform_all(&mut self, machine: usize, cause: Option<Seq>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.out.swap(&mut effects);
        for effect in effects.drain(..) {
            if self.machines[machine].node.is_none() {
                break;
            }
            self.perform(machine, effect, cause);
        }
        self.effects = effects;
    }

    fn perform(&mut self, machine: usize, effect: Effect, cause: Option<Seq>) {
        match effect {
            Effect::Send { conn, frame } => self.send(machine, conn, frame, cause),
            Effect::Arm { timer, at } => self.machines[machine].timers.arm(timer, at),
            Effect::Disarm { timer } => self.machines[machine].timers.disarm(timer),
            Effect::Say(fact) => {
                if self.log.is_on() {
                    let stamp = self.stamp(machine);
                    self.log.note(stamp, cause, || What::Fact(fact));
                }
            }
            Effect::Connect { conn, to } => self.connect(machine, conn, to, cause),
            Effect::Close { conn } => self.close(machine, conn, cause),
            Effect::Flush { ticket, file, from, to } => self.flush(machine, (ticket, file), (from, to), cause),
            Effect::App(answer) => self.returned(machine, &answer, cause),
            Effect::Exit => self.die(machine, Death::Exited, cause),
        }
    }

    pub(super) fn fired(&mut self, machine: usize, timer: TimerKey) {
        self.log.begin();
        let mut cause = None;
        if self.log.is_on() {
            let stamp = self.stamp(machine);
            cause = self.log.note(stamp, None, || What::Clock(Clock::Fired { timer }));
        }
        self.hand(machine, Event::Fired { timer }, cause);
    }

    fn send(&mut self, machine: usize, conn: ConnId, frame: Frame, cause: Option<Seq>) {
        let Some(&place) = self.machines[machine].conns.get(&conn) else { return };
        let Some(held) = self.conns[place].as_mut() else { return };
        let number = held.link;
        let mut fate = None;
        if let Frame::Command(command) = &frame {
            let asked = match command.is_response() {
                true => held.asked.remove(&command.opaque.0).map(|code| (Side::Reply, code)),
                // What a broker asks of a client; what a node asks of another is met where it comes in.
                false => conn.0.is_multiple_of(2).then_some((Side::Request, command.code)),
            };
            if let Some((side, code)) = asked.filter(|_| self.faults.on_frames) {
                fate = self.faults.fate(&self.machines[machine].setup.name, side, code);
            }
        }
        let to = self.outside();
        let seq = self.note_road(machine, cause, || Road::Sent { link: link(number), to, frame: frame_note(&frame) });
        match fate {
            None => self.put_out(machine, conn, &frame),
            Some((Fate::Late(span), _)) => {
                self.note_road(machine, seq, || Road::Held { link: link(number), span: Some(span) });
                let incarnation = self.machines[machine].incarnation;
                self.after(span, Later::Out(machine, incarnation, conn, frame));
            }
            Some((_, by)) => {
                self.note_road(machine, by.or(seq), || Road::Dropped { link: link(number), why: STRUCK });
            }
        }
    }

    /// Puts a frame into what goes out next.
    pub(super) fn put_out(&mut self, machine: usize, conn: ConnId, frame: &Frame) {
        let Some(&place) = self.machines[machine].conns.get(&conn) else { return };
        let Some(held) = self.conns[place].as_mut() else { return };
        match frame {
            Frame::Command(command) => {
                held.asks(command);
                held.output.push(&codec::encode(command));
            }
            Frame::Bytes(bytes) => {
                held.is_stream = true;
                held.output.push(bytes);
            }
        }
        if !std::mem::replace(&mut held.is_dirty, true) {
            self.dirty.push(place);
        }
    }

    fn flush(&mut self, machine: usize, (ticket, file): (u64, FileId), (from, to): (u64, u64), cause: Option<Seq>) {
        if self.log.is_on() {
            let (stamp, file) = (self.stamp(machine), self.machines[machine].file(file));
            self.log.note(stamp, cause, || What::Disk(DiskEvent::FlushAsked { ticket, file, from, to }));
        }
        let running = &self.machines[machine];
        let asker = Asker { machine, incarnation: running.incarnation, ticket };
        let Some(disk) = &running.disk else { return };
        match disk.files.forcing(file, from..to) {
            Ok(forcing) => self.flusher.ask(asker, forcing),
            Err(error) => self.pending.push_back((
                machine,
                asker.incarnation,
                Event::Flushed { ticket, result: Err(error) },
                cause,
            )),
        }
    }

    /// A flush has been answered: its process hears of it, in time, or later on a slow disk.
    pub(super) fn flushed(&mut self, asker: Asker, result: Result<(), DiskError>) {
        let name = &self.machines[asker.machine].setup.name;
        let result = if self.faults.failing_disk(name) { Err(DiskError::Io) } else { result };
        match self.faults.slow_disk(name) {
            Some((span, by)) => self.after(span, Later::Flushed(asker, result, by)),
            None => self.tell_flushed(asker, result, None),
        }
    }

    pub(super) fn tell_flushed(&mut self, asker: Asker, result: Result<(), DiskError>, by: Option<Seq>) {
        let Asker { machine, incarnation, ticket } = asker;
        if self.machines[machine].incarnation != incarnation || self.machines[machine].node.is_none() {
            return;
        }
        self.log.begin();
        let mut cause = None;
        if self.log.is_on() {
            let stamp = self.stamp(machine);
            cause = self.log.note(stamp, by, || match result {
                Ok(()) => What::Disk(DiskEvent::FlushDone { ticket }),
                Err(error) => What::Disk(DiskEvent::FlushFailed { ticket, error }),
            });
        }
        self.hand(machine, Event::Flushed { ticket, result }, cause);
    }

    /// A client process returns, or calls back.
    fn returned(&mut self, machine: usize, answer: &Answer, cause: Option<Seq>) {
        if self.log.is_on() {
            let stamp = self.stamp(machine);
            self.log.note(stamp, cause, || What::App(App::Returned(Arc::clone(answer))));
        }
        let running = &mut self.machines[machine];
        let incarnation = running.incarnation;
        let Some(application) = &mut running.setup.application else { return };
        let mut calls = Vec::new();
        application(answer, &mut calls);
        for call in calls {
            let seq = self.note_call(machine, cause, &call);
            self.pending.push_back((machine, incarnation, Event::App(Box::new(call)), seq));
        }
    }

    /// An application calls.
    pub(super) fn call_in(&mut self, machine: usize, call: Call) {
        if machine < self.machines.len() {
            let seq = self.note_call(machine, None, &call);
            self.step(machine, Event::App(Box::new(call)), seq);
        }
    }

    fn note_call(&mut self, machine: usize, cause: Option<Seq>, call: &Call) -> Option<Seq> {
        if !self.log.is_on() {
            return None;
        }
        let stamp = self.stamp(machine);
        self.log.note(stamp, cause, || What::App(App::Called(Arc::new(call.clone()))))
    }

    /// Ends a process: its ports and connections end with it, as a kernel would see to.
    pub(super) fn die(&mut self, machine: usize, death: Death, cause: Option<Seq>) {
        let node = self.machines[machine].setup.name.clone();
        let (note, notice) = match death {
            Death::Exited => (MachineNote::Exited, Notice::Exited { node }),
            Death::Killed => (MachineNote::Killed, Notice::Killed { node }),
            Death::Panicked(why) => {
                self.panicked = true;
                (MachineNote::Panicked { why: why.clone() }, Notice::Panicked { node, why })
            }
            Death::Unborn(why) => (MachineNote::BootFailed { why: why.clone() }, Notice::BootFailed { node, why }),
        };
        self.machines[machine].has_crashed = !matches!(note, MachineNote::Exited);
        self.note_machine(machine, cause, note);
        self.tell(notice);
        self.close_all(machine);
        self.machines[machine].bury();
        if self.machines[machine].setup.role != Role::Nameserver {
            self.stop_nameservers();
        }
    }

    /// Whoever is at the other end of a connection: to a trace it is the one behind all machines.
    pub(super) fn outside(&self) -> NodeId {
        NodeId(self.machines.len() as u16)
    }

    pub(super) fn note_road(&mut self, machine: usize, cause: Option<Seq>, road: impl FnOnce() -> Road) -> Option<Seq> {
        if !self.log.is_on() {
            return None;
        }
        let stamp = self.stamp(machine);
        self.log.note(stamp, cause, || What::Road(road()))
    }
}

/// Why a frame is lost that a fault takes.
pub(super) const STRUCK: &str = "a fault";

fn panic_text(unwound: &(dyn Any + Send)) -> Name {
    match (unwound.downcast_ref::<&str>(), unwound.downcast_ref::<String>()) {
        (Some(text), _) => Name::new(text),
        (None, Some(text)) => Name::new(text),
        (None, None) => Name::new("a panic without a text"),
    }
}
