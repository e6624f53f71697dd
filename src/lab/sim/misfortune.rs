//! What goes wrong with whole machines, their disks and their clocks.

use crate::lab::fault::episode::{FaultKind, Keep, Trigger};
use crate::lab::fault::process::{Breaks, ClockWrong};
use crate::lab::fault::road::{Shape, Spread};
use crate::lab::sim::agenda::Item;
use crate::lab::sim::clock::Bend;
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::machine::Boot;
use crate::lab::sim::process::Death;
use crate::lab::sim::spread;
use crate::lab::sim::world::World;
use crate::lab::trace::record::Machine as MachineNote;
use crate::mq::message::Name;
use crate::mq::time::{Span, Time};

impl World {
    /// Something goes wrong with machines.
    pub(crate) fn befall(&mut self, number: u32, kind: &FaultKind, seq: u64) {
        match kind {
            FaultKind::PauseService { node, service } => {
                self.each(node, |world, node| world.pause_service(number, node, *service, seq));
            }
            FaultKind::SlowCpu { node, times, task } => {
                self.each(node, |world, node| world.slow_down(node, *times, *task));
            }
            FaultKind::Crash { node, breaks } => {
                self.raise_storm(number);
                self.each(node, |world, node| world.set_to_break(number, node, *breaks, seq));
            }
            FaultKind::RackLoss { nodes, within, .. } => {
                self.raise_storm(number);
                let stamp = self.lab_stamp(seq);
                for node in self.nodes_named(nodes) {
                    let after = Span(self.storm_draw(number, within.0 + 1, &stamp));
                    self.errand(self.after(after), ErrandKind::Strike { number, node }, seq);
                }
            }
            FaultKind::Replace { node } => self.each(node, |world, node| world.lose_machine(node, seq)),
            FaultKind::Restore { node, age } => {
                if let Some(node) = self.node_named(node) {
                    self.snapshots.insert(number, self.machines[usize::from(node)].disk.fork());
                    self.errand(self.after(*age), ErrandKind::Strike { number, node }, seq);
                }
            }
            FaultKind::Reconfigure { node, .. } => {
                if let (Some(node), Some(boot)) = (self.node_named(node), self.setup.reboots.get(&number).cloned()) {
                    self.boot_as(node, boot, seq);
                }
            }
            FaultKind::SwapDisks { one, other } => self.swap_disks((one, other), seq),
            FaultKind::Twin { twin, .. } => {
                self.each(twin, |world, node| world.errand(world.now, ErrandKind::Boot(node), seq));
            }
            FaultKind::Clock { node, wrong } => {
                self.each(node, |world, node| world.clock_goes_wrong(number, node, *wrong, seq));
            }
            _ => {}
        }
    }

    /// It is over.
    pub(crate) fn recover(&mut self, number: u32, kind: &FaultKind, seq: u64) {
        match kind {
            FaultKind::PauseService { node, service } => {
                self.each(node, |world, node| world.resume_service(number, node, *service, seq));
            }
            FaultKind::SlowCpu { node, task, .. } => self.each(node, |world, node| world.slow_down(node, 0, *task)),
            FaultKind::Crash { node, .. } => self.each(node, |world, node| {
                world.machines[usize::from(node)].fuse = None;
                world.errand(world.now, ErrandKind::Boot(node), seq);
            }),
            FaultKind::RackLoss { nodes, .. } | FaultKind::Rolling { nodes, .. } => {
                for node in self.nodes_named(nodes) {
                    self.errand(self.now, ErrandKind::Boot(node), seq);
                }
            }
            FaultKind::Replace { node } => {
                self.each(node, |world, node| world.errand(world.now, ErrandKind::Boot(node), seq));
            }
            FaultKind::Reconfigure { node, .. } => {
                if let Some(node) = self.node_named(node) {
                    let boot = self.setup.boot_of(node);
                    self.boot_as(node, boot, seq);
                }
            }
            FaultKind::Restore { .. } => drop(self.snapshots.remove(&number)),
            FaultKind::SwapDisks { one, other } => self.swap_disks((one, other), seq),
            FaultKind::Twin { twin, .. } => self.each(twin, |world, node| world.die(node, Death::Killed, seq)),
            FaultKind::Clock { node, wrong } => {
                self.each(node, |world, node| world.clock_heals(number, node, *wrong, seq));
            }
            _ => {}
        }
    }

    /// A process will run out of memory in a handler; one draw says in which, if odds do.
    pub(crate) fn set_to_break(&mut self, number: u32, node: u16, breaks: Breaks, cause: u64) {
        let stamp = self.stamp_of(node, cause);
        let left = match breaks {
            Breaks::After(effects) => effects,
            Breaks::Odds(odds) => {
                let mean = Span(odds.out_of / odds.times.max(1));
                let spread = Spread { min: Span::ZERO, mean, shape: Shape::Exponential };
                spread::pick(&spread, self.storm_draw(number, spread::OF, &stamp)).0
            }
        };
        self.machines[usize::from(node)].fuse = Some(left);
    }

    /// A fault gets at one of its nodes. Gives whether that was a step.
    pub(crate) fn strike(&mut self, number: u32, node: u16, cause: u64) -> bool {
        if !self.active.contains(&number) {
            return false;
        }
        self.begin_lab(cause);
        match self.setup.episodes[number as usize].kind.clone() {
            FaultKind::RackLoss { keep, .. } => self.die(node, Death::PowerLost(keep), cause),
            FaultKind::Restore { .. } => {
                let Some(mut disk) = self.snapshots.remove(&number) else { return true };
                self.die(node, Death::Killed, cause);
                disk.kill();
                self.machines[usize::from(node)].disk = disk;
                let seq = self.note_machine(node, cause, MachineNote::DiskReplaced { how: "an old snapshot" });
                self.errand(self.now, ErrandKind::Boot(node), seq);
            }
            _ => {}
        }
        true
    }

    /// A machine is gone for good; what stands in its place has an empty disk.
    pub(crate) fn lose_machine(&mut self, node: u16, cause: u64) {
        self.die(node, Death::PowerLost(Keep::LoseAllUnsynced), cause);
        let level = self.rec.level;
        let machine = &mut self.machines[usize::from(node)];
        if let Some(setup) = &machine.setup.disk {
            machine.disk = (setup.make)();
            machine.disk.set_recording(level);
        }
        machine.ledger.clear();
        self.note_machine(node, cause, MachineNote::DiskReplaced { how: "an empty one" });
    }

    /// A process is killed, and boots again in another way.
    fn boot_as(&mut self, node: u16, boot: Boot, cause: u64) {
        self.die(node, Death::Killed, cause);
        self.machines[usize::from(node)].setup.boot = boot;
        self.errand(self.now, ErrandKind::Boot(node), cause);
    }

    /// Two machines boot with each other's disks.
    pub(crate) fn swap_disks(&mut self, (one, other): (&Name, &Name), cause: u64) {
        let (Some(one), Some(other)) = (self.node_named(one), self.node_named(other)) else { return };
        if one == other {
            return;
        }
        for node in [one, other] {
            self.die(node, Death::Killed, cause);
        }
        let (low, high) = (usize::from(one.min(other)), usize::from(one.max(other)));
        let (left, right) = self.machines.split_at_mut(high);
        std::mem::swap(&mut left[low].disk, &mut right[0].disk);
        for node in [one, other] {
            let seq = self.note_machine(node, cause, MachineNote::DiskReplaced { how: "another machine's" });
            self.errand(self.now, ErrandKind::Boot(node), seq);
        }
    }

    /// Wall clocks that are off from the beginning are so before anybody boots.
    pub(crate) fn set_clocks_off(&mut self) {
        for number in 0..self.setup.episodes.len() {
            if let (FaultKind::Clock { node, wrong: ClockWrong::Offset { millis } }, true) =
                (self.setup.episodes[number].kind.clone(), self.is_static(number as u32))
            {
                self.each(&node, |world, node| world.machines[usize::from(node)].clock.step_wall(millis));
            }
        }
    }

    fn is_static(&self, number: u32) -> bool {
        self.setup.episodes[number as usize].trigger == Trigger::At(Time::ZERO)
    }

    /// A machine's clocks go wrong.
    pub(crate) fn clock_goes_wrong(&mut self, number: u32, node: u16, wrong: ClockWrong, cause: u64) {
        let now = self.now;
        let clock = &mut self.machines[usize::from(node)].clock;
        match wrong {
            ClockWrong::Offset { millis } => {
                if !self.is_static(number) {
                    self.machines[usize::from(node)].clock.step_wall(millis);
                }
                self.note_machine(node, cause, MachineNote::WallStepped { millis });
                return;
            }
            ClockWrong::Drift { millionths } => clock.bend(now, Bend::new(number, millionths, 1)),
            ClockWrong::Coarse { millis } => clock.bend(now, Bend::new(number, 0, millis)),
            ClockWrong::Freeze { span, .. } => {
                clock.bend(now, Bend::new(number, -1_000_000, 1));
                self.raise_storm(number);
                self.storm_again(number, span, cause);
            }
            ClockWrong::Diverge { by } => clock.push_mono(by),
        }
        self.clock_bent(node, cause);
    }

    /// A frozen clock goes on, faster until it has caught up; then the fault is over.
    pub(crate) fn clock_turns(&mut self, number: u32, node: u16, (span, faster): (Span, u64), cause: u64) {
        let now = self.now;
        let clock = &mut self.machines[usize::from(node)].clock;
        if clock.gone(now, number) >= 0 {
            return self.errand(now, ErrandKind::End(number), cause);
        }
        clock.bend(now, Bend::new(number, faster as i64, 1));
        self.clock_bent(node, cause);
        let caught_up = (u128::from(span.0) * 1_000_000).div_ceil(u128::from(faster.max(1)));
        self.storm_again(number, Span(u64::try_from(caught_up).unwrap_or(u64::MAX / 2)), cause);
    }

    /// A machine's clocks are right again, as far as a clock may be set.
    pub(crate) fn clock_heals(&mut self, number: u32, node: u16, wrong: ClockWrong, cause: u64) {
        let now = self.now;
        let clock = &mut self.machines[usize::from(node)].clock;
        match wrong {
            ClockWrong::Offset { millis } => return self.step_wall(node, -millis, cause),
            ClockWrong::Drift { .. } => {
                let gone = clock.unbend(now, number);
                self.clock_bent(node, cause);
                return self.step_wall(node, -(gone / 1_000_000), cause);
            }
            ClockWrong::Freeze { .. } => {
                let gone = clock.unbend(now, number);
                clock.take_back(gone);
            }
            ClockWrong::Coarse { .. } => drop(clock.unbend(now, number)),
            ClockWrong::Diverge { .. } => return,
        }
        self.clock_bent(node, cause);
    }

    /// A machine's clocks run at another rate, or the monotonic one has jumped: its timers move with it.
    fn clock_bent(&mut self, node: u16, cause: u64) {
        let now = self.now;
        let machine = &mut self.machines[usize::from(node)];
        let clock = machine.clock.clone();
        let rate = clock.rate();
        let moved = machine.timers.remap(|mono| clock.true_time(mono).max(now));
        self.note_machine(node, cause, MachineNote::ClockBent { rate });
        for (slot, due) in moved {
            self.file(due, Item::Timer { node, slot });
        }
    }
}
