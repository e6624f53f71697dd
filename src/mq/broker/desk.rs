//! Requests that keep a thread busy before they are done: on a machine whose processor is slow.
//!
//! Where work costs nothing, which is the rule, a request is done in the step that brings it. Sends have a pool of their own
//! (`processor::send`), whose thread a message keeps for as long.
//!
//! Source: `BrokerController.registerProcessor`. Differs: what is neither sent nor pulled shares one pool, where upstream has
//! one each for admin, clients, consumers, heartbeats and ends of transactions; and a request whose connection is gone by the
//! time it is done is dropped.

use crate::mq::broker::Broker;
use crate::mq::node::{ConnId, Step, Timer, TimerKey, Work};
use crate::mq::pool::Desk;
use crate::mq::time::Time;
use crate::mq::wire::code::request;
use crate::mq::wire::command::Command;

/// A request and where it came from.
type Job = (ConnId, Box<Command>);

/// The pools that answer everything but sends.
#[derive(Clone, Debug)]
pub(in crate::mq::broker) struct Desks {
    pulls: Desk<Job>,
    others: Desk<Job>,
}

impl Desks {
    /// All threads free.
    pub(in crate::mq::broker) fn new() -> Desks {
        Desks { pulls: Desk::new(PULL_THREADS), others: Desk::new(ADMIN_THREADS) }
    }

    fn of(&mut self, work: Work) -> &mut Desk<Job> {
        if work == Work::Pull { &mut self.pulls } else { &mut self.others }
    }

    /// When the next request is done.
    pub(in crate::mq::broker) fn next(&self) -> Option<Time> {
        self.pulls.next().into_iter().chain(self.others.next()).min()
    }
}

impl Broker {
    /// Does a request, or has it wait for a thread and its time.
    pub(in crate::mq::broker) fn at_the_desk(&mut self, conn: ConnId, command: Box<Command>, step: &mut Step<'_>) {
        let work = if command.code == request::PULL_MESSAGE { Work::Pull } else { Work::Admin };
        let (cost, desk) = (step.cost(work), self.desks.of(work));
        if cost.0 == 0 && desk.is_idle() {
            return self.do_request(conn, command, step);
        }
        desk.take((conn, command), step.mono, cost);
        self.arm_desks(step);
    }

    /// Does what is done by now.
    pub(in crate::mq::broker) fn desks_done(&mut self, step: &mut Step<'_>) {
        for work in [Work::Pull, Work::Admin] {
            while let Some((conn, command)) = self.desks.of(work).done(step.mono, step.cost(work)) {
                if !self.stopping && self.channels.is_open(conn) {
                    self.do_request(conn, command, step);
                }
            }
        }
        self.arm_desks(step);
    }

    fn arm_desks(&mut self, step: &mut Step<'_>) {
        if let Some(at) = self.desks.next() {
            step.out.arm(TimerKey::of(Timer::DeskDone), at);
        }
    }
}

/// Source: `BrokerConfig.pullMessageThreadPoolNums`: 16 and two for each processor, of which a machine has four here.
const PULL_THREADS: usize = 24;
/// Source: `BrokerConfig.adminBrokerThreadPoolNums`.
const ADMIN_THREADS: usize = 16;
