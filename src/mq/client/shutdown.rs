//! A clean end: locks given back, offsets reported, groups unregistered, connections closed.
//!
//! Source: `DefaultMQPushConsumerImpl.shutdown`, `DefaultMQProducerImpl.shutdown`, `MQClientInstance.shutdown`.

use std::collections::VecDeque;

use crate::mq::client::remoting::{Mode, Request, Target};
use crate::mq::client::{Client, Fiber, Waiter, Woken};
use crate::mq::fact::Fact;
use crate::mq::message::{Group, MessageQueue};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Addr, Step};
use crate::mq::wire::code::request;
use crate::mq::wire::header::{Header, UnregisterClientHeader};

/// The main thread while it shuts down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown {
    /// Groups still to be ended, in order.
    groups: VecDeque<Ending>,
    /// Locks still to be given back, broker by broker; the first one's answer is awaited.
    locks: VecDeque<(usize, Vec<MessageQueue>)>,
    unlocking: bool,
    /// Offsets still to be reported.
    offsets: VecDeque<(usize, u64)>,
    /// The group that leaves, and the brokers it has still to tell.
    leaving: Option<(Ending, VecDeque<Addr>)>,
}

#[derive(Clone, Debug)]
enum Ending {
    Consumer(usize),
    Producer(usize),
}

impl Client {
    /// The operator asks for a clean end: consumers first, then producers, the inner one last.
    ///
    /// Differs: calls of applications that still wait are not answered; their threads die with the process.
    pub(super) fn stop(&mut self, _step: &mut Step<'_>) {
        if self.shutdown.is_some() {
            return;
        }
        for producer in &mut self.producers {
            producer.stop();
        }
        for consumer in &mut self.consumers {
            consumer.stop();
        }
        let consumers = (0..self.consumers.len()).map(Ending::Consumer);
        let producers = (0..self.producers.len()).map(Ending::Producer);
        self.shutdown = Some(Shutdown { groups: consumers.chain(producers).collect(), ..Shutdown::default() });
        self.wake(Fiber::Shutdown, Woken::Go);
    }

    /// The shutdown goes on; how a request ended makes no difference.
    pub(super) fn shutdown_on(&mut self, woken: Woken, step: &mut Step<'_>) {
        loop {
            let Some(shutdown) = &mut self.shutdown else { return };
            if std::mem::take(&mut shutdown.unlocking)
                && let Some((at, queues)) = shutdown.locks.pop_front()
            {
                self.unlocked(at, &queues, &woken);
            } else if let Some((at, queues)) = shutdown.locks.front().cloned() {
                if self.unlock_and_wait(at, &queues, step) {
                    self.shutdown.as_mut().expect("looked at above").unlocking = true;
                    return;
                }
                self.shutdown.as_mut().expect("looked at above").locks.pop_front();
            } else if let Some((consumer, queue)) = shutdown.offsets.pop_front() {
                let waiter = Waiter::Fiber(Fiber::Shutdown);
                if matches!(self.persist(consumer, queue, waiter, step), Some((_, true))) {
                    return;
                }
            } else if let Some((ending, addrs)) = &mut shutdown.leaving {
                let ending = ending.clone();
                match addrs.pop_front() {
                    Some(addr) => return self.unregister(&ending, addr, step),
                    None => shutdown.leaving = None,
                }
            } else {
                let Some(ending) = shutdown.groups.pop_front() else {
                    return self.end(step);
                };
                if let Ending::Consumer(at) = ending {
                    self.save_offsets_of(at, step);
                }
                let (locks, offsets) = match ending {
                    Ending::Consumer(at) => (self.locks_of(at), self.offsets_of(at)),
                    Ending::Producer(_) => (VecDeque::new(), Vec::new()),
                };
                let addrs = self.routes.addresses(true).into();
                let shutdown = self.shutdown.as_mut().expect("looked at above");
                shutdown.locks = locks;
                let forgets = self.config.profile.plants(Mistake::StopForgetsOffsets);
                shutdown.offsets = if forgets { VecDeque::new() } else { offsets.into() };
                shutdown.leaving = Some((ending, addrs));
            }
        }
    }

    /// Source: `MQClientInstance.unregisterClient`.
    fn unregister(&mut self, ending: &Ending, addr: Addr, step: &mut Step<'_>) {
        let (producer_group, consumer_group): (Option<Group>, Option<Group>) = match *ending {
            Ending::Consumer(at) => (None, Some(self.consumers[at].group().clone())),
            Ending::Producer(at) => (Some(self.producers[at].group().clone()), None),
        };
        let header = UnregisterClientHeader { client_id: self.client_id.clone(), producer_group, consumer_group };
        let command = self.remoting.command(request::UNREGISTER_CLIENT, Header::UnregisterClient(Box::new(header)));
        let waiter = Waiter::Fiber(Fiber::Shutdown);
        let request = Request { command, timeout: TIMEOUT_MS, mode: Mode::Sync, waiter };
        self.remoting.invoke(Target::At(addr), request, step, &mut self.ready);
    }

    fn end(&mut self, step: &mut Step<'_>) {
        self.shutdown = Some(Shutdown::default());
        self.remoting.close_all(step);
        step.out.say(Fact::Stopped {});
        step.out.exit();
    }
}

const TIMEOUT_MS: i64 = 3000;
