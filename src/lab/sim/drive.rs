//! Performing: a node is handed an event, and what it wrote is scheduled, recorded and answered.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::lab::sim::agenda::Item;
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::link::{Conn, End, EndState, OPENER, Parcel};
use crate::lab::sim::machine::{Action, Mood, stream_name};
use crate::lab::sim::process::Death;
use crate::lab::sim::record::Tag;
use crate::lab::sim::timer::Up;
use crate::lab::sim::world::World;
use crate::lab::trace::digest::{call_word, fact_word, frame_word, return_word, text_word};
use crate::lab::trace::record::{App, Clock, LinkId, NodeId, Road, What};
use crate::mq::app::{Call, Return};
use crate::mq::disk::Burnt;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ClosedWhy, ConnId, Effect, Event, Frame, RefusedWhy, Step, TimerKey};
use crate::mq::time::{Span, Time};

/// How a call into a node ended, if not by returning.
type Unwound = Box<dyn Any + Send>;

impl World {
    /// Hands an event to a process and performs what it writes.
    #[inline]
    pub(crate) fn call(&mut self, node: u16, event: Event) {
        if !self.rec.reached.is_empty() {
            self.act_before();
            if self.halted {
                return;
            }
        }
        let trip = if self.rec.watches.is_empty() { None } else { self.trip_for(node) };
        let machine = &mut self.machines[usize::from(node)];
        let Some(process) = machine.node.as_mut() else { return };
        self.out.set_fuse(machine.fuse);
        self.out.set_trip(trip);
        if machine.setup.disk.is_some() {
            machine.disk.set_clock(self.stamp.wall, self.stamp.at);
        }
        let mut step = Step {
            wall: self.stamp.wall,
            mono: self.stamp.mono,
            disk: &mut *machine.disk,
            dice: &mut machine.dice,
            costs: &machine.costs,
            out: &mut self.out,
        };
        let ended = catch_unwind(AssertUnwindSafe(|| process.on(event, &mut step)));
        machine.fuse = self.out.fuse();
        let slow = machine.slow > Span::ZERO;
        self.perform_all(node);
        if let Err(unwound) = ended {
            self.unwound(node, unwound);
        } else if slow {
            self.keep_busy(node);
        }
    }

    /// Records and performs what the last call left, in order.
    #[inline]
    pub(crate) fn perform_all(&mut self, node: u16) {
        if !self.machines[usize::from(node)].dice.rolled.is_empty() {
            self.note_rolled(node);
        }
        if self.machines[usize::from(node)].setup.disk.is_some() {
            self.journal(node);
        }
        let mut effects = std::mem::take(&mut self.effects);
        self.out.swap(&mut effects);
        for effect in effects.drain(..) {
            self.perform(node, effect);
            if !self.rec.reached.is_empty() {
                self.act_before();
            }
            if self.halted {
                break;
            }
        }
        self.effects = effects;
    }

    /// A step was cut: by a fuse, which is a kill, or by a bug of the node.
    pub(crate) fn unwound(&mut self, node: u16, unwound: Unwound) {
        if self.halted {
            return;
        }
        let death = if unwound.is::<Burnt>() {
            Death::Killed
        } else if let Some(text) = unwound.downcast_ref::<&str>() {
            Death::Panicked(Name::new(text))
        } else if let Some(text) = unwound.downcast_ref::<String>() {
            Death::Panicked(Name::new(text))
        } else {
            Death::Panicked(Name::new("a panic without a text"))
        };
        self.die(node, death, self.stamp.cause);
    }

    #[inline]
    fn perform(&mut self, node: u16, effect: Effect) {
        match effect {
            Effect::Send { conn, frame } => self.send(node, conn, frame),
            Effect::Arm { timer, at } => self.arm(node, timer, at),
            Effect::Disarm { timer } => {
                let disarmed = || What::Clock(Clock::Disarmed { timer });
                self.rec.note(&self.stamp, Tag::Disarmed, (timer.name as u64, timer.number), disarmed);
                self.machines[usize::from(node)].timers.disarm(timer);
            }
            Effect::Say(fact) => {
                let word = fact_word(&fact);
                if let Some(marks) = &mut self.rec.marks {
                    marks.said(&fact);
                }
                self.rec.note(&self.stamp, Tag::Fact, (word, 0), || What::Fact(fact));
            }
            Effect::App(answer) => self.returned(node, &answer),
            Effect::Connect { conn, to } => self.connect(node, conn, to),
            Effect::Close { conn } => self.close(node, conn),
            Effect::Flush { ticket, file, from, to } => self.ask_flush(node, ticket, file, from..to),
            Effect::Exit => self.die(node, Death::Exited, self.stamp.cause),
        }
    }

    #[inline]
    fn send(&mut self, node: u16, conn: ConnId, frame: Frame) {
        let Some(link) = self.machines[usize::from(node)].link(conn) else {
            return self.misnamed(node, conn);
        };
        let side = side_of(conn);
        let ends = &self.net.conns[link as usize].ends;
        if ends[side].state != EndState::Open {
            return self.note_dropped(link, "not open");
        }
        let to = NodeId(ends[1 - side].node);
        let word = frame_word(&frame);
        let words = (u64::from(link) << 16 | u64::from(to.0), word);
        let keep = self.rec.keeps_sent(&frame);
        let seq = if keep || !self.rec.watches.is_empty() {
            let sent = Road::Sent { link: LinkId(link), to, frame: self.rec.frame_note(&frame, keep) };
            self.rec.note_if(keep, &self.stamp, Tag::Sent, words, || What::Road(sent))
        } else {
            self.rec.note_if(false, &self.stamp, Tag::Sent, words, || unreachable!("nobody asks"))
        };
        let mut stamp = self.stamp;
        stamp.cause = seq;
        self.launch(&stamp, link, side, Parcel::Frame(frame));
    }

    #[inline]
    fn arm(&mut self, node: u16, timer: TimerKey, at: Time) {
        let words = (timer.name as u64 ^ at.0.rotate_left(8), timer.number);
        let cause = self.rec.note(&self.stamp, Tag::Armed, words, || What::Clock(Clock::Armed { timer, at }));
        let machine = &mut self.machines[usize::from(node)];
        let due = machine.true_time(at).max(self.now);
        if let Some(slot) = machine.timers.arm(timer, (at, due), cause) {
            self.file(due, Item::Timer { node, slot });
        }
    }

    /// A timer's entry comes up.
    #[inline]
    pub(crate) fn timer_up(&mut self, node: u16, slot: u32) -> bool {
        let machine = &mut self.machines[usize::from(node)];
        if machine.mood == Mood::Paused && machine.timers.would_fire(slot, self.now) {
            machine.parked.push(Item::Timer { node, slot });
            return false;
        }
        if machine.withheld != 0 && self.set_timer_aside(node, slot) {
            return false;
        }
        match self.machines[usize::from(node)].timers.up(slot, self.now) {
            Up::Stale => false,
            Up::Again(at) => {
                self.file(at, Item::Timer { node, slot });
                false
            }
            Up::Fires { key: timer, cause } => {
                self.begin(node, cause);
                let fired = || What::Clock(Clock::Fired { timer });
                self.stamp.cause = self.rec.note(&self.stamp, Tag::Fired, (timer.name as u64, timer.number), fired);
                self.call(node, Event::Fired { timer });
                true
            }
        }
    }

    fn connect(&mut self, node: u16, conn: ConnId, to: Addr) {
        let link = self.net.conns.len() as u32;
        if conn.0.is_multiple_of(2) || !self.machines[usize::from(node)].name_link(conn, link) {
            return self.misnamed(node, conn);
        }
        let words = (u64::from(link), u64::from(to.ip) << 16 | u64::from(to.port));
        let opening = || What::Road(Road::Opening { link: LinkId(link), to });
        let seq = self.rec.note(&self.stamp, Tag::Opening, words, opening);
        let opener = End { node, conn, state: EndState::Opening };
        let Some(&target) = self.net.hosts.get(&to.ip) else {
            // Nobody has that address: no answer, ever.
            self.net.conns.push(Conn::new(opener, to, [0, 0], self.now));
            return self.await_connect(link, seq);
        };
        let lanes = [self.net.lane(node, target), self.net.lane(target, node)];
        let mut made = Conn::new(opener, to, lanes, self.now);
        made.ends[1].node = target;
        let no_port = self.net.is_exhausted((node, target), self.now);
        self.net.conns.push(made);
        let mut stamp = self.stamp;
        stamp.cause = seq;
        if no_port {
            return self.errand(self.now, ErrandKind::ConnectFails { link, why: RefusedWhy::Refused }, seq);
        }
        self.launch(&stamp, link, 0, Parcel::Syn);
    }

    fn close(&mut self, node: u16, conn: ConnId) {
        let Some(link) = self.machines[usize::from(node)].link(conn) else {
            return self.misnamed(node, conn);
        };
        let side = side_of(conn);
        let end = &mut self.net.conns[link as usize].ends[side];
        let before = std::mem::replace(&mut end.state, EndState::Closed);
        if before == EndState::Closed {
            return;
        }
        if side == OPENER && before == EndState::Open {
            self.net.conns[link as usize].waits_from = Some(self.now);
        }
        let mut stamp = self.stamp;
        stamp.cause = self.note_closed(&stamp, link, ClosedWhy::Fin);
        if before == EndState::Open {
            self.launch(&stamp, link, side, Parcel::Fin);
        }
    }

    /// A node named a connection that it never had, or gave a name twice: a bug of the node.
    fn misnamed(&mut self, node: u16, conn: ConnId) {
        let text = format!("connection {} is not the process's own", conn.0);
        self.die(node, Death::Panicked(Name::from(text)), self.stamp.cause);
    }

    fn returned(&mut self, node: u16, answer: &Arc<Return>) {
        let word = return_word(answer);
        let op = match &**answer {
            Return::Sent { op, .. }
            | Return::SentInTransaction { op, .. }
            | Return::Failed { op, .. }
            | Return::Administered { op, .. }
            | Return::Told { op, .. }
            | Return::Done { op } => Some(op.0),
            Return::Listen { .. }
            | Return::Execute { .. }
            | Return::Check { .. }
            | Return::Select { .. }
            | Return::QueuesChanged { .. } => None,
        };
        let machine = &mut self.machines[usize::from(node)];
        if let Some(op) = op {
            machine.open_ops.retain(|&open| open != op);
        }
        let told = || What::App(App::Returned(Arc::clone(answer)));
        let seq = self.rec.note(&self.stamp, Tag::Returned, (word, op.unwrap_or(u64::MAX)), told);
        let Some(mut apps) = self.machines[usize::from(node)].apps.take() else { return };
        let mut actions = std::mem::take(&mut self.actions);
        let dice = &mut self.machines[usize::from(node)].dice;
        apps.on_return(self.now, answer, &mut |below| dice.draw_for_apps(below), &mut actions);
        self.machines[usize::from(node)].apps = Some(apps);
        self.note_rolled(node);
        self.act(node, &mut actions, seq);
        self.actions = actions;
    }

    /// Files what applications do, each as a step of its own.
    pub(crate) fn act(&mut self, node: u16, actions: &mut Vec<Action>, cause: u64) {
        let incarnation = self.machines[usize::from(node)].incarnation;
        for action in actions.drain(..) {
            let (at, kind) = match action {
                Action::Call(call) => (self.now, ErrandKind::Call { node, incarnation, call }),
                Action::Wake { at, token } => (at.max(self.now), ErrandKind::Wake { node, incarnation, token }),
                Action::Note { key, value } => (self.now, ErrandKind::Note { node, incarnation, key, value }),
                Action::Crash => (self.now, ErrandKind::Crash { node, incarnation }),
            };
            self.errand(at, kind, cause);
        }
    }

    /// An application writes into the ledger on its machine: for good.
    pub(crate) fn note_ledger(&mut self, node: u16, key: Name, value: Name, cause: u64) {
        self.begin(node, cause);
        let words = (text_word(&key), text_word(&value));
        let (noted, written) = ((key.clone(), value.clone()), (key, value));
        self.machines[usize::from(node)].ledger.insert(written.0, written.1);
        self.rec.note(&self.stamp, Tag::Noted, words, || What::App(App::Noted { key: noted.0, value: noted.1 }));
    }

    /// An application calls.
    pub(crate) fn call_in(&mut self, node: u16, call: Box<Call>, cause: u64) {
        self.begin(node, cause);
        let op = match &*call {
            Call::Send { op, .. }
            | Call::SendBy { op, .. }
            | Call::SendBatch { op, .. }
            | Call::SendInTransaction { op, .. }
            | Call::CreateTopic { op, .. }
            | Call::Pull { op, .. }
            | Call::Steer { op, .. }
            | Call::Admin { op, .. } => Some(op.0),
            Call::Listened { .. } | Call::Decided { .. } | Call::Selected { .. } => None,
        };
        self.machines[usize::from(node)].open_ops.extend(op);
        let words = (call_word(&call), op.unwrap_or(u64::MAX));
        let called = || What::App(App::Called(Arc::new((*call).clone())));
        self.stamp.cause = self.rec.note(&self.stamp, Tag::Called, words, called);
        self.call(node, Event::App(call));
    }

    /// Records what was drawn in the call that has ended.
    #[cold]
    pub(crate) fn note_rolled(&mut self, node: u16) {
        let machine = &mut self.machines[usize::from(node)];
        for (stream, roll) in machine.dice.rolled.drain(..) {
            let name = &machine.setup.name;
            self.rec.words(roll.stream, roll.ordinal);
            self.rec.note(&self.stamp, Tag::Rolled, (roll.of, roll.got), || {
                let stream = crate::lab::sim::dice::path_name(&["node", name, stream_name(usize::from(stream))]);
                What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
            });
        }
    }
}

/// Which end of a connection a process has that names it so: odd names are the opener's.
#[inline]
pub(crate) fn side_of(conn: ConnId) -> usize {
    usize::from(conn.0.is_multiple_of(2))
}
