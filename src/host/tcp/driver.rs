//! The loop: waits for what is next and hands it on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel};
use std::time::Duration;

use mio::event::Event as Ready;
use mio::net::TcpListener;
use mio::{Events, Poll, Token, Waker};

use crate::host::fault::Order;
use crate::host::tcp::active::Faults;
use crate::host::tcp::clock::Clock;
use crate::host::tcp::conn::Conn;
use crate::host::tcp::flusher::{Asker, Flusher};
use crate::host::tcp::log::{Log, Stamp, Witness};
use crate::host::tcp::machine::{Machine, Running};
use crate::host::tcp::{Ask, Done, Handle, Limits, Notice, notices};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::{Machine as MachineNote, Seq, What};
use crate::mq::disk::DiskError;
use crate::mq::message::Name;
use crate::mq::node::{ConnId, Effect, Event, Frame, Out};
use crate::mq::time::{Span, Time};

/// Nodes over real sockets.
pub struct Driver {
    pub(super) poll: Poll,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
    pub(super) machines: Vec<Running>,
    /// A listener, whose it is and whether it speaks a byte stream.
    pub(super) listeners: Vec<Option<(TcpListener, usize, u16, bool)>>,
    pub(super) conns: Vec<Option<Conn>>,
    /// Places of `conns` that are free; those that became free in this turn are not given away before its end.
    pub(super) free: Vec<usize>,
    pub(super) freed: Vec<usize>,
    pub(super) open: usize,
    /// Bytes of unfinished frames.
    pub(super) unread: usize,
    pub(super) next_link: u32,
    /// Connections with something to write, and those that were not read to the end.
    pub(super) dirty: Vec<usize>,
    pub(super) again: Vec<(usize, u32)>,
    pub(super) flusher: Flusher,
    pub(super) faults: Faults,
    later: BinaryHeap<Reverse<(Time, u64)>>,
    put_off: BTreeMap<u64, Later>,
    next_later: u64,
    /// Events that came up while a node was being heard.
    pub(super) pending: VecDeque<(usize, u32, Event, Option<Seq>)>,
    pub(super) log: Log,
    pub(super) out: Out,
    pub(super) effects: Vec<Effect>,
    pub(super) scratch: Box<[u8]>,
    asks: Receiver<Ask>,
    notices: SyncSender<Notice>,
    /// When a clean stop is given up, once one is under way.
    pub(super) stopping: Option<Time>,
    pub(super) panicked: bool,
}

/// What happens later.
#[derive(Debug)]
pub(super) enum Later {
    /// A request that a fault holds back comes in.
    In(usize, u32, ConnId, Frame, Option<Seq>),
    /// A frame that a fault holds back goes out.
    Out(usize, u32, ConnId, Frame),
    /// A flush on a slow disk is answered.
    Flushed(Asker, Result<(), DiskError>, Option<Seq>),
    /// A connection that does not come about is given up, or one that does not empty.
    Patience(usize, u32),
    /// Listeners are looked at again.
    Accept(usize),
    /// A fault ends by itself.
    Heal(u32),
}

/// How a driver ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// A node ended in a panic.
    pub panicked: bool,
    /// Every process that was asked to stop did, in time.
    pub in_time: bool,
    /// The last process of each machine came to its own end: every store is closed cleanly.
    pub cleanly: bool,
}

/// The waker's token, and where those of listeners begin.
const WAKER: Token = Token(usize::MAX);
pub(super) const LISTENERS: usize = usize::MAX / 2;
/// The longest sleep: how late a clock that was set is noticed.
const SLEEP_MAX: Span = Span::from_secs(1);
/// Timers of one machine between two looks at the sockets.
const FIRED_MAX: usize = 64;
/// How long a clean stop may take.
const STOP_MAX: Span = Span::from_secs(20);
const SCRATCH: usize = 64 << 10;
const EVENTS: usize = 1_024;

impl Driver {
    /// A driver of these machines, none of which runs yet, who may talk to it, and what it tells.
    ///
    /// Errors: the system's, when there is nothing to wait with.
    pub fn new(
        machines: Vec<Machine>,
        (seed, limits): (u64, Limits),
        witness: Option<Witness>,
    ) -> io::Result<(Driver, Handle, Receiver<Notice>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let nodes: Arc<[Name]> = machines.iter().map(|machine| machine.name.clone()).collect();
        let (asked, asks) = channel();
        let (told, heard) = notices();
        let driver = Driver {
            poll,
            clock: Clock::new(),
            limits,
            machines: machines.into_iter().zip(0..).map(|(setup, at)| Running::new(setup, seed, at)).collect(),
            listeners: Vec::new(),
            conns: Vec::new(),
            free: Vec::new(),
            freed: Vec::new(),
            open: 0,
            unread: 0,
            next_link: 0,
            dirty: Vec::new(),
            again: Vec::new(),
            flusher: Flusher::start(Arc::clone(&waker))?,
            faults: Faults::new(seed),
            later: BinaryHeap::new(),
            put_off: BTreeMap::new(),
            next_later: 0,
            pending: VecDeque::new(),
            log: Log::new(witness),
            out: Out::default(),
            effects: Vec::new(),
            scratch: vec![0; SCRATCH].into_boxed_slice(),
            asks,
            notices: told,
            stopping: None,
            panicked: false,
        };
        Ok((driver, Handle { asks: asked, waker, nodes }, heard))
    }

    /// Boots every machine in order.
    ///
    /// Errors: the first that cannot boot, and why.
    pub fn boot_all(&mut self) -> Result<(), (Name, Name)> {
        for machine in 0..self.machines.len() {
            self.boot(machine).map_err(|why| (self.machines[machine].setup.name.clone(), why))?;
        }
        self.settle();
        Ok(())
    }

    /// Carries an order out before it runs.
    pub fn begin(&mut self, order: Order) -> Done {
        let done = self.order(order);
        self.settle();
        done
    }

    /// Runs until it is asked to stop and has.
    pub fn run(mut self) -> Ended {
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_over() {
            match self.poll.poll(&mut events, Some(self.patience())) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
            self.look_at_the_clocks();
            for ready in &events {
                self.ready(ready);
            }
            for (place, link) in std::mem::take(&mut self.again) {
                self.read(place, link);
            }
            while let Some((asker, result)) = self.flusher.answered() {
                self.flushed(asker, result);
            }
            while let Ok(ask) = self.asks.try_recv() {
                self.asked(ask);
            }
            self.fire();
            self.settle();
        }
        let in_time = self.machines.iter().all(|machine| machine.node.is_none());
        let cleanly = in_time && !self.machines.iter().any(|machine| machine.has_crashed);
        self.tell(Notice::Ended);
        Ended { panicked: self.panicked, in_time, cleanly }
    }

    /// Handles what came up, writes what can be written, and gives places back.
    fn settle(&mut self) {
        while let Some((machine, incarnation, event, cause)) = self.pending.pop_front() {
            if self.machines[machine].incarnation == incarnation {
                self.step(machine, event, cause);
            }
        }
        self.write_all();
        self.free.append(&mut self.freed);
    }

    fn is_over(&self) -> bool {
        let Some(until) = self.stopping else { return false };
        let is_quiet = self.conns.iter().flatten().all(|conn| conn.output.len() == 0);
        let is_down = self.machines.iter().all(|machine| machine.node.is_none());
        until <= self.clock.mono() || (is_down && is_quiet)
    }

    /// How long there is nothing to do.
    fn patience(&self) -> Duration {
        if !self.again.is_empty() || !self.pending.is_empty() {
            return Duration::ZERO;
        }
        let now = self.clock.mono();
        let timers = self.machines.iter().filter_map(|machine| machine.timers.next());
        let later = self.later.peek().map(|Reverse((at, _))| *at);
        let next = timers.chain(later).chain([now + SLEEP_MAX]).min().unwrap_or(now);
        Duration::from_nanos(next.since(now).0)
    }

    fn ready(&mut self, ready: &Ready) {
        match ready.token() {
            WAKER => {}
            Token(place) if LISTENERS <= place => self.accept(place - LISTENERS),
            Token(place) => {
                let Some(link) = self.conns.get(place).and_then(Option::as_ref).map(|conn| conn.link) else { return };
                if ready.is_writable() {
                    self.writable(place, link);
                }
                if ready.is_readable() || ready.is_read_closed() || ready.is_error() {
                    self.read(place, link);
                }
            }
        }
    }

    /// A wall clock that was set is told to every process.
    fn look_at_the_clocks(&mut self) {
        let Some(millis) = self.clock.stepped() else { return };
        for machine in 0..self.machines.len() {
            let seq = self.note_machine(machine, None, MachineNote::WallStepped { millis });
            self.step(machine, Event::WallStepped, seq);
        }
    }

    /// Fires what is due.
    fn fire(&mut self) {
        let now = self.clock.mono();
        for machine in 0..self.machines.len() {
            for _ in 0..FIRED_MAX {
                let Some(timer) = self.machines[machine].timers.due(now) else { break };
                self.fired(machine, timer);
            }
        }
        while let Some(&Reverse((at, number))) = self.later.peek() {
            if now < at {
                break;
            }
            self.later.pop();
            if let Some(later) = self.put_off.remove(&number) {
                self.come_up(later);
            }
        }
    }

    /// Files something for later.
    pub(super) fn after(&mut self, span: Span, later: Later) {
        let number = self.next_later;
        self.next_later += 1;
        self.later.push(Reverse((self.clock.mono() + span, number)));
        self.put_off.insert(number, later);
    }

    fn come_up(&mut self, later: Later) {
        match later {
            Later::In(machine, incarnation, conn, frame, cause) => {
                let running = &self.machines[machine];
                if running.incarnation == incarnation && running.conns.contains_key(&conn) {
                    self.step(machine, Event::Received { conn, frame }, cause);
                }
            }
            Later::Out(machine, incarnation, conn, frame) => {
                if self.machines[machine].incarnation == incarnation {
                    self.put_out(machine, conn, &frame);
                }
            }
            Later::Flushed(asker, result, cause) => self.tell_flushed(asker, result, cause),
            Later::Patience(place, link) => self.out_of_patience(place, link),
            Later::Accept(listener) => self.accept(listener),
            Later::Heal(number) => self.heal(Some(number)),
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::Order(order, told) => {
                let done = self.order(order);
                // Who asked may have gone.
                let _ = told.send(done);
            }
            Ask::Call(machine, call) => self.call_in(machine, *call),
            Ask::Stop => self.stop(),
        }
    }

    /// Begins a clean stop: brokers and clients first, nameservers when these have gone.
    pub(super) fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        self.heal(None);
        self.stopping = Some(self.clock.mono() + STOP_MAX);
        for machine in 0..self.machines.len() {
            if self.machines[machine].setup.role != Role::Nameserver {
                self.ask_stop(machine);
            }
        }
        self.stop_nameservers();
    }

    /// Nameservers stop when nobody is left who would take his leave.
    pub(super) fn stop_nameservers(&mut self) {
        let others = self.machines.iter().filter(|machine| machine.setup.role != Role::Nameserver);
        if self.stopping.is_none() || others.into_iter().any(|machine| machine.node.is_some()) {
            return;
        }
        for machine in 0..self.machines.len() {
            self.ask_stop(machine);
        }
    }

    fn ask_stop(&mut self, machine: usize) {
        if self.machines[machine].node.is_some() {
            let seq = self.note_machine(machine, None, MachineNote::StopAsked);
            let incarnation = self.machines[machine].incarnation;
            self.pending.push_back((machine, incarnation, Event::Stop, seq));
        }
    }

    /// Tells who listens, unless they are behind.
    pub(super) fn tell(&self, notice: Notice) {
        match self.notices.try_send(notice) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// What the records of a machine have in common now.
    pub(super) fn stamp(&self, machine: usize) -> Stamp {
        let node = Some((machine, self.machines[machine].incarnation));
        Stamp { node, wall: self.clock.wall(), mono: self.clock.mono() }
    }

    /// Records what happened to a machine.
    pub(super) fn note_machine(&mut self, machine: usize, cause: Option<Seq>, note: MachineNote) -> Option<Seq> {
        if !self.log.is_on() {
            return None;
        }
        let stamp = self.stamp(machine);
        self.log.begin();
        self.log.note(stamp, cause, || What::Machine(note))
    }
}
