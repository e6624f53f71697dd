//! A process that stands still in part, or does everything slowly: its entries wait aside until they may come up.

use crate::lab::fault::process::{Service, Task};
use crate::lab::sim::agenda::Item;
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::machine::Mood;
use crate::lab::sim::world::World;
use crate::lab::trace::record::Machine as MachineNote;
use crate::mq::app::Call;
use crate::mq::node::{Timer, Work};
use crate::mq::time::Span;

/// Flushes that have returned are not heard of.
pub(crate) const FLUSHES: u64 = 1 << 63;
/// Pieces of byte streams are not read.
pub(crate) const STREAMS: u64 = 1 << 62;
/// Listeners do not get to their end.
const LISTENERS: u64 = 1 << 61;

/// A healthy step, as far as it is slowed. Differs: a step costs no time of its own here; upstream's take some
/// microseconds each, so that a CPU has to be many times slower before anybody notices. A message that a consumer gives back
/// is done at once, whatever a send takes.
const STEP: Span = Span::from_micros(20);

const fn work_of(task: Task) -> Work {
    match task {
        Task::Send => Work::Send,
        Task::Pull => Work::Pull,
        Task::Admin => Work::Admin,
        Task::Route => Work::Route,
    }
}

const fn bit(timer: Timer) -> u64 {
    1 << timer as u64
}

const _: () = assert!((Timer::DeskDone as u64) < 61, "every timer has a bit below the others");

/// What stands still with a service: its timers, and what else its threads would do.
///
/// Differs: a service that another thread wakes does its work in the step that wakes it (a rebalance after a notification,
/// the first flush of a put that waits), so that is not withheld; what its timer begins is, and what it hears of.
pub(crate) const fn bits(service: Service) -> u64 {
    match service {
        Service::Flush => {
            bit(Timer::GroupCommit)
                | bit(Timer::FlushCommitLog)
                | bit(Timer::FlushConsumeQueue)
                | bit(Timer::CommitLog)
                | FLUSHES
        }
        Service::Dispatch => bit(Timer::Reput),
        Service::Ha => STREAMS,
        Service::Schedule => bit(Timer::Schedule) | bit(Timer::DelayOffsets),
        Service::Rebalance => bit(Timer::Rebalance),
        Service::Heartbeat => bit(Timer::Heartbeat) | bit(Timer::Registration),
        Service::ListenerPool => LISTENERS,
    }
}

impl World {
    /// One service of a process stands still from here on.
    pub(crate) fn pause_service(&mut self, number: u32, node: u16, service: Service, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        machine.services.push((number, service));
        machine.withheld |= bits(service);
        self.note_machine(node, cause, MachineNote::ServicePaused { service: service.as_str() });
    }

    /// It goes on: what waited comes up now, in order, unless another fault keeps it.
    pub(crate) fn resume_service(&mut self, number: u32, node: u16, service: Service, cause: u64) {
        let machine = &mut self.machines[usize::from(node)];
        machine.services.retain(|(other, _)| *other != number);
        machine.withheld = machine.services.iter().fold(0, |all, (_, service)| all | bits(*service));
        let streams = machine.withheld & STREAMS == 0;
        let aside = std::mem::take(&mut machine.aside);
        self.refile(node, aside);
        let seq = self.note_machine(node, cause, MachineNote::ServiceResumed { service: service.as_str() });
        if streams && service == Service::Ha {
            let stamp = self.stamp_of(node, seq);
            let open = crate::lab::sim::link::Shut::All;
            self.release_if(&stamp, |_, lane| lane.to == node && lane.shut != open);
        }
    }

    /// A timer of a service that stands still waits.
    #[cold]
    pub(crate) fn set_timer_aside(&mut self, node: u16, slot: u32) -> bool {
        let machine = &mut self.machines[usize::from(node)];
        let stands = machine.timers.name(slot).is_some_and(|timer| machine.withheld & bit(timer) != 0);
        if stands && machine.timers.would_fire(slot, self.now) {
            machine.aside.push(Item::Timer { node, slot });
            return true;
        }
        false
    }

    /// What a listener answers waits while its pool stands still.
    #[cold]
    pub(crate) fn set_errand_aside(&mut self, node: u16, at: u32) -> bool {
        let listened = matches!(&self.errands.at(at).kind, ErrandKind::Call { call, .. } if matches!(**call, Call::Listened { .. }));
        let machine = &mut self.machines[usize::from(node)];
        if listened && machine.withheld & LISTENERS != 0 {
            machine.aside.push(Item::Errand(at));
            return true;
        }
        false
    }

    /// Each step of a process takes so many times as long, or what its threads do of one kind alone; 0 is healthy again.
    pub(crate) fn slow_down(&mut self, node: u16, times: u64, task: Option<Task>) {
        let machine = &mut self.machines[usize::from(node)];
        let takes = Span(STEP.0.saturating_mul(times));
        match task {
            None => machine.slow = takes,
            Some(task) => machine.costs.0[work_of(task) as usize] = takes,
        }
    }

    /// A slow process is busy with the step that it has taken.
    #[cold]
    pub(crate) fn keep_busy(&mut self, node: u16) {
        let machine = &mut self.machines[usize::from(node)];
        if machine.mood != Mood::Running {
            return;
        }
        machine.mood = Mood::Paused;
        machine.busy = true;
        let (slow, incarnation) = (machine.slow, machine.incarnation);
        self.errand(self.after(slow), ErrandKind::Breathe { node, incarnation }, self.stamp.cause);
    }

    /// It has done its step: what came up meanwhile comes up now, in order. That is no step of its own.
    pub(crate) fn breathe(&mut self, node: u16, incarnation: u32) -> bool {
        let machine = &mut self.machines[usize::from(node)];
        if machine.busy && machine.incarnation == incarnation {
            machine.busy = false;
            machine.mood = Mood::Running;
            let parked = std::mem::take(&mut machine.parked);
            self.refile(node, parked);
        }
        false
    }
}
