//! The life of a process: boot, pause, stop, the ways to die, and what its machine's disk does meanwhile.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::lab::fault::episode::Keep;
use crate::lab::sim::agenda::Item;
use crate::lab::sim::dice::{path_name, width};
use crate::lab::sim::drive::side_of;
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::link::{EndState, Parcel};
use crate::lab::sim::machine::Mood;
use crate::lab::sim::record::Tag;
use crate::lab::sim::storage::DiskDeed;
use crate::lab::sim::withhold;
use crate::lab::sim::world::{Flushing, Panic, World};
use crate::lab::trace::digest::text_word;
use crate::lab::trace::record::{App, DiskEvent, Level, Machine as MachineNote, NodeId, Seq, What};
use crate::mq::disk::{DiskError, FileId};
use crate::mq::message::Name;
use crate::mq::node::{ConnId, Event, Step};

/// How a process ends.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Death {
    /// Killed: the page cache survives, its connections are closed by the kernel.
    Killed,
    /// By itself.
    Exited,
    /// By a bug, with its text.
    Panicked(Name),
    /// With its machine.
    PowerLost(Keep),
}

impl World {
    /// Boots a node's process, as a step of its own.
    pub(crate) fn boot(&mut self, node: u16, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        if matches!(machine.mood, Mood::Running | Mood::Paused) {
            return;
        }
        let was_off = machine.mood == Mood::Off;
        machine.mood = Mood::Running;
        machine.incarnation += 1;
        self.begin(node, cause);
        let machine = &mut self.machines[usize::from(node)];
        let boot = machine.setup.boot.clone();
        self.out.set_fuse(machine.fuse);
        self.out.set_trip(None);
        machine.disk.set_clock(self.stamp.wall, self.stamp.at);
        let mut step = Step {
            wall: self.stamp.wall,
            mono: self.stamp.mono,
            disk: &mut *machine.disk,
            dice: &mut machine.dice,
            costs: &machine.costs,
            out: &mut self.out,
        };
        let ended = catch_unwind(AssertUnwindSafe(|| boot(&mut step)));
        machine.fuse = self.out.fuse();
        let (note, unwound) = match ended {
            Ok(Ok(process)) => {
                machine.node = Some(process);
                (MachineNote::Booted, None)
            }
            Ok(Err(why)) => (MachineNote::BootFailed { why }, None),
            Err(unwound) => (MachineNote::Booted, Some(unwound)),
        };
        let failed = note != MachineNote::Booted;
        self.stamp.cause = self.note_machine(node, self.stamp.cause, note);
        if was_off {
            self.await_retransmissions(node, self.stamp.cause);
        }
        self.perform_all(node);
        if let Some(unwound) = unwound {
            return self.unwound(node, unwound);
        }
        if self.halted {
            return;
        }
        if failed {
            return self.bury(node, false);
        }
        self.boot_apps(node);
    }

    fn boot_apps(&mut self, node: u16) {
        let machine = &mut self.machines[usize::from(node)];
        let Some(boot) = &machine.setup.apps else { return };
        let mut apps = boot();
        apps.recall(&machine.ledger);
        let mut actions = Vec::new();
        apps.boot(self.now, &mut actions);
        machine.apps = Some(apps);
        self.act(node, &mut actions, self.stamp.cause);
    }

    /// Ends a process, inside the step under way.
    pub(crate) fn die(&mut self, node: u16, death: Death, cause: u64) {
        let machine = &self.machines[usize::from(node)];
        let alive = matches!(machine.mood, Mood::Running | Mood::Paused);
        let power = matches!(death, Death::PowerLost(_));
        let exited = matches!(death, Death::Exited);
        if machine.mood == Mood::Off || (!alive && !power) {
            return;
        }
        let note = match death {
            Death::Killed => MachineNote::Killed,
            Death::Exited => MachineNote::Exited,
            Death::Panicked(ref why) => MachineNote::Panicked { why: why.clone() },
            Death::PowerLost(keep) => self.lose_power(node, keep),
        };
        let seq = self.note_machine(node, cause, note);
        if let Death::Panicked(text) = death {
            let (step, seq) = (self.rec.steps - 1, Seq(seq));
            self.panics.push(Panic { node: NodeId(node), step, seq, text });
        }
        let stamp = self.stamp_of(node, seq);
        for op in std::mem::take(&mut self.machines[usize::from(node)].open_ops) {
            self.rec.note(&stamp, Tag::Info, (op, 0), || What::App(App::Info { op }));
        }
        self.note_image(node, seq);
        self.halted |= node == self.stamp.node;
        self.close_all(node, seq);
        let returns = self.machines[usize::from(node)].returns.filter(|_| exited);
        self.bury(node, power);
        if let Some(cause) = returns {
            self.errand(self.now, ErrandKind::Boot(node), cause);
        }
    }

    /// Closes the connections of a process that has died, as its kernel would, and forgets it.
    fn close_all(&mut self, node: u16, cause: u64) {
        let stamp = self.stamp_of(node, cause);
        let silent = self.machines[usize::from(node)].mood == Mood::Off;
        let mut unread = self.drop_parked(node);
        unread.sort_unstable();
        for name in 0..self.machines[usize::from(node)].conns.len() {
            let conn = ConnId(name as u32);
            let Some(link) = self.machines[usize::from(node)].link(conn) else { continue };
            let side = side_of(conn);
            let end = &mut self.net.conns[link as usize].ends[side];
            if std::mem::replace(&mut end.state, EndState::Closed) != EndState::Open || silent {
                continue;
            }
            // A kernel that closes a socket with unread bytes sends a reset.
            let parcel = if unread.binary_search(&(link, side)).is_ok() { Parcel::Rst } else { Parcel::Fin };
            self.launch(&stamp, link, side, parcel);
        }
    }

    /// Forgets what a paused process had not heard yet; gives the connection ends that had unread parcels.
    fn drop_parked(&mut self, node: u16) -> Vec<(u32, usize)> {
        let mut unread = Vec::new();
        let machine = &mut self.machines[usize::from(node)];
        let aside = std::mem::take(&mut machine.aside);
        for item in std::mem::take(&mut machine.parked).into_iter().chain(aside) {
            match item {
                Item::Flight(at) => {
                    let flight = self.net.flights.take(at);
                    if matches!(flight.parcel, Parcel::Greet) {
                        continue;
                    }
                    let side = usize::from(flight.side);
                    let way = &mut self.net.conns[flight.link as usize].ways[side];
                    way.expected = flight.number + 1;
                    way.buffered -= u64::from(flight.len);
                    if matches!(flight.parcel, Parcel::Frame(_)) {
                        unread.push((flight.link, 1 - side));
                    }
                }
                Item::Flush(at) => drop(self.flushes.take(at)),
                Item::Errand(at) => drop(self.errands.take(at)),
                Item::Timer { .. } => {}
            }
        }
        unread
    }

    fn bury(&mut self, node: u16, power: bool) {
        let machine = &mut self.machines[usize::from(node)];
        machine.clear_process();
        machine.mood = if power { Mood::Off } else { Mood::Down };
        machine.disk.set_fuse(None);
        if !power {
            machine.disk.kill();
        }
    }

    fn lose_power(&mut self, node: u16, keep: Keep) -> MachineNote {
        let machine = &mut self.machines[usize::from(node)];
        machine.mood = Mood::Off;
        let dice = &mut machine.dice;
        let [lost, kept, torn] = machine.disk.power_loss(keep, &mut |below| dice.draw_for_power(below));
        self.note_rolled(node);
        MachineNote::PowerLost { lost, kept, torn }
    }

    /// Records what happened to a machine.
    pub(crate) fn note_machine(&mut self, node: u16, cause: u64, note: MachineNote) -> u64 {
        let words = match &note {
            MachineNote::Booted => (1, 0),
            MachineNote::BootFailed { why } => (2, text_word(why)),
            MachineNote::Exited => (3, 0),
            MachineNote::Killed => (4, 0),
            MachineNote::Panicked { why } => (5, text_word(why)),
            MachineNote::PowerLost { lost, kept, torn } => (6, lost ^ kept.rotate_left(20) ^ torn.rotate_left(40)),
            MachineNote::Paused => (7, 0),
            MachineNote::Resumed => (8, 0),
            MachineNote::StopAsked => (9, 0),
            MachineNote::WallStepped { millis } => (10, *millis as u64),
            MachineNote::ClockBent { rate } => (11, *rate as u64),
            MachineNote::ServicePaused { service } => (12, text_word(service)),
            MachineNote::ServiceResumed { service } => (13, text_word(service)),
            MachineNote::DiskReplaced { how } => (14, text_word(how)),
        };
        let stamp = self.stamp_of(node, cause);
        self.rec.note(&stamp, Tag::Machine, words, || What::Machine(note))
    }

    /// Pauses a process: it gets no steps, its machine and its clocks go on.
    pub(crate) fn pause(&mut self, node: u16, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        if machine.mood == Mood::Running || machine.busy {
            machine.mood = Mood::Paused;
            machine.busy = false;
            self.halted |= node == self.stamp.node;
            self.note_machine(node, cause, MachineNote::Paused);
        }
    }

    /// Lets a paused process go on: what had come up meanwhile comes up now, in order.
    pub(crate) fn resume(&mut self, node: u16, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        if machine.mood != Mood::Paused || machine.busy {
            return;
        }
        machine.mood = Mood::Running;
        let parked = std::mem::take(&mut machine.parked);
        self.refile(node, parked);
        self.note_machine(node, cause, MachineNote::Resumed);
    }

    /// What could not come up before comes up now, in order.
    pub(crate) fn refile(&mut self, node: u16, items: Vec<Item>) {
        for item in items {
            if let Item::Timer { slot, .. } = item {
                self.machines[usize::from(node)].timers.refile(slot, self.now);
            }
            self.file(self.now, item);
        }
    }

    /// Steps a wall clock; the process is told.
    pub(crate) fn step_wall(&mut self, node: u16, millis: i64, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        machine.clock.step_wall(millis);
        let incarnation = machine.incarnation;
        let seq = self.note_machine(node, cause, MachineNote::WallStepped { millis });
        self.errand(self.now, ErrandKind::WallStepped { node, incarnation }, seq);
    }

    /// Asks a process to stop cleanly.
    pub(crate) fn ask_stop(&mut self, node: u16, cause: u64) {
        let machine = &self.machines[usize::from(node)];
        if matches!(machine.mood, Mood::Running | Mood::Paused) {
            let incarnation = machine.incarnation;
            self.machines[usize::from(node)].stopping = true;
            let seq = self.note_machine(node, cause, MachineNote::StopAsked);
            self.errand(self.now, ErrandKind::Stop { node, incarnation }, seq);
        }
    }

    /// A process asks for durability.
    pub(crate) fn ask_flush(&mut self, node: u16, ticket: u64, file: FileId, range: Range<u64>) {
        let machine = &mut self.machines[usize::from(node)];
        machine.disk.begin_flush(ticket, file, range.clone());
        let words = (ticket, u64::from(file.0) << 48 ^ range.start ^ range.end.rotate_left(24));
        let asked = || {
            let file = machine.disk.name_of(file);
            What::Disk(DiskEvent::FlushAsked { ticket, file, from: range.start, to: range.end })
        };
        let cause = self.rec.note(&self.stamp, Tag::FlushAsked, words, asked);
        let (min, max) =
            machine.setup.disk.as_ref().map_or_else(Default::default, |disk| (disk.fsync_min, disk.fsync_max));
        let (dice, name) = (&self.dice, &machine.setup.name);
        let stream = machine.fsync.get_or_insert_with(|| Box::new(dice.stream(&["disk", name, "fsync"])));
        let roll = stream.below(width(min, max));
        self.rec.words(roll.stream, roll.ordinal);
        self.rec.note(&self.stamp, Tag::Rolled, (roll.of, roll.got), || {
            let stream = path_name(&["disk", name, "fsync"]);
            What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
        });
        let span = machine.disk.sync_span(ticket, roll.span(min));
        let incarnation = machine.incarnation;
        let at = self.flushes.insert(Flushing { node, incarnation, ticket, cause, result: None });
        self.journal(node);
        self.file(self.after(span), Item::Flush(at));
    }

    /// A flush is due: the disk completes it even while the process is paused.
    pub(crate) fn flush_up(&mut self, at: u32) -> bool {
        let Flushing { node, incarnation, ticket, cause, result } = self.flushes.at(at).clone();
        let machine = &mut self.machines[usize::from(node)];
        let alive = matches!(machine.mood, Mood::Running | Mood::Paused);
        if !alive || machine.incarnation != incarnation {
            self.flushes.take(at);
            return false;
        }
        if let Some(until) = machine.disk.hung_until(ticket).filter(|until| self.now < *until) {
            self.file(until, Item::Flush(at));
            return false;
        }
        let paused = machine.mood == Mood::Paused;
        let aside = machine.withheld & withhold::FLUSHES != 0;
        let known = result.is_some();
        let result = result.unwrap_or_else(|| machine.disk.complete_flush(ticket));
        self.begin(node, cause);
        if !known {
            self.journal(node);
            self.stamp.cause = self.note_flushed(ticket, &result);
        }
        if paused || aside {
            let flushing = self.flushes.at_mut(at);
            flushing.result = Some(result);
            flushing.cause = self.stamp.cause;
            let machine = &mut self.machines[usize::from(node)];
            let list = if paused { &mut machine.parked } else { &mut machine.aside };
            list.push(Item::Flush(at));
            return true;
        }
        self.flushes.take(at);
        self.call(node, Event::Flushed { ticket, result });
        true
    }

    fn note_flushed(&mut self, ticket: u64, result: &Result<(), DiskError>) -> u64 {
        match *result {
            Ok(()) => {
                let done = || What::Disk(DiskEvent::FlushDone { ticket });
                self.rec.note(&self.stamp, Tag::FlushDone, (ticket, 0), done)
            }
            Err(error) => {
                let failed = || What::Disk(DiskEvent::FlushFailed { ticket, error });
                self.rec.note(&self.stamp, Tag::FlushFailed, (ticket, text_word(&error.to_string())), failed)
            }
        }
    }

    /// Records what a machine's disk holds. The digest knows its content from the stores and flushes before.
    pub(crate) fn note_image(&mut self, node: u16, cause: u64) {
        let disk = &self.machines[usize::from(node)].disk;
        if self.machines[usize::from(node)].setup.disk.is_none() {
            return;
        }
        let stamp = self.stamp_of(node, cause);
        self.rec.note(&stamp, Tag::Image, (0, 0), || {
            What::Disk(DiskEvent::Image { cached: disk.cached_image(), stable: disk.stable_image() })
        });
    }

    /// Records what the last call did to the disk.
    pub(crate) fn journal(&mut self, node: u16) {
        let mut deeds = std::mem::take(&mut self.deeds);
        self.machines[usize::from(node)].disk.take_events(&mut deeds);
        for deed in deeds.drain(..) {
            match deed {
                DiskDeed::Stored { file, word, at, len, bytes, hash } => {
                    self.rec.words(word, at);
                    let keep = match self.rec.level {
                        Level::Digest => false,
                        // What a log holds when is judged; its bytes stand in the images.
                        Level::History => file.starts_with("commitlog/"),
                        Level::Full => true,
                    };
                    let stored = || What::Disk(DiskEvent::Stored { file, at, bytes, len });
                    self.rec.note_if(keep, &self.stamp, Tag::Stored, (hash, len), stored);
                }
                DiskDeed::Named { what, file, to, len } => {
                    self.rec.words(text_word(&file), to.as_deref().map_or(0, text_word));
                    let named = || What::Disk(DiskEvent::Named { what, file, to, len });
                    self.rec.note(&self.stamp, Tag::Named, (text_word(what), len), named);
                }
                DiskDeed::Wrong { what, file, at } => self.note_struck(what, file, at),
                DiskDeed::Rolled { fault, roll } => self.note_fault_rolled(node, &fault, roll),
            }
        }
        self.deeds = deeds;
    }
}
