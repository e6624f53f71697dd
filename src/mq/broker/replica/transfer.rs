//! The master's end: what a slave says that it has, and the log from there on.
//!
//! Upstream has two threads for each slave; here each is a place in a loop of known turns, and a timer is set only for the
//! turn at which it would find something. Nothing is sent before the slave's first report, which comes more than five
//! seconds after its connection; it counts as connected all the same.
//!
//! Source: `HAConnection`. Differs: how much lies unread in the two sockets is not known here; what a slave has not reported
//! counts, up to what both buffers hold.

use crate::mq::broker::Broker;
use crate::mq::broker::replica::stream::{self, Reports};
use crate::mq::broker::replica::{first_turn, named, next_turn};
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ConnId, Step, Timer, TimerKey};
use crate::mq::time::{Millis, Span, Time};

/// A slave's connection. Source: `HAConnection`.
#[derive(Clone, Debug)]
pub(super) struct SlaveLink {
    pub(super) conn: ConnId,
    peer: Name,
    reports: Reports,
    /// `slaveRequestOffset`: its first report.
    requested: Option<i64>,
    /// `slaveAckOffset`: its last.
    acked: i64,
    /// `nextTransferFromWhere`, once it has asked.
    next: Option<i64>,
    /// Up to where the sockets are known to be empty.
    drained: i64,
    /// When something was read last: both clocks, since a timer is needed.
    last_read: (Time, Millis),
    last_write: Millis,
    writing: Writing,
    /// A wait of the writing loop has ended before: only then a put's wake-up is meant for it.
    has_waited: bool,
    armed: Option<Time>,
}

/// What the writing loop does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    /// Sleeps until the slave has asked, in turns from then on.
    Asleep(Time),
    /// Waits for more of the log, in turns from then on.
    Idle(Time),
    /// The sockets are full.
    Blocked,
}

impl Broker {
    /// A slave connects.
    pub(in crate::mq::broker) fn slave_accepted(&mut self, conn: ConnId, peer: Addr, step: &mut Step<'_>) {
        let peer = named(peer);
        self.store.slave_connected();
        step.out.say(Fact::SlaveConnected { slave: peer.clone() });
        self.replica.slaves.push(SlaveLink {
            conn,
            peer,
            reports: Reports::default(),
            requested: None,
            acked: -1,
            next: None,
            drained: i64::MIN,
            last_read: (step.mono, step.wall),
            last_write: step.wall,
            writing: Writing::Asleep(step.mono),
            has_waited: false,
            armed: None,
        });
        self.arm_housekeeping(self.replica.slaves.len() - 1, step);
    }

    /// A slave's connection is gone, and whatever was under way to it.
    pub(super) fn slave_gone(&mut self, slave: usize, why: &'static str, step: &mut Step<'_>) {
        let link = self.replica.slaves.remove(slave);
        let number = u64::from(link.conn.0);
        step.out.disarm(TimerKey { name: Timer::HaHousekeeping, number });
        if link.armed.is_some() {
            step.out.disarm(TimerKey { name: Timer::HaTransfer, number });
        }
        self.store.slave_gone();
        step.out.say(Fact::SlaveGone { slave: link.peer, why });
    }

    /// A slave reports. Source: `HAConnection.ReadSocketService.processReadEvent`.
    pub(super) fn report_in(&mut self, slave: usize, bytes: &[u8], step: &mut Step<'_>) {
        let link = &mut self.replica.slaves[slave];
        link.last_read = (step.mono, step.wall);
        let Some(offset) = link.reports.take(bytes) else { return };
        let (conn, is_new) = (link.conn, offset != link.acked);
        link.acked = offset;
        let requested = *link.requested.get_or_insert(offset);
        if is_new {
            step.out.say(Fact::SlaveReported { slave: link.peer.clone(), offset });
        }
        // Repaired, a slave's first word says what it wants to be given, and is none about what it has (K02).
        let vouches = !self.config.profile.fix_k02 || requested < offset;
        let clock = Self::clock(step);
        if vouches && !self.store.slave_reported(clock, offset) {
            step.out.close(conn);
            return self.slave_gone(slave, "ahead", step);
        }
        self.resume(slave, step);
    }

    /// A slave's socket has room again.
    pub(in crate::mq::broker) fn replica_drained(&mut self, conn: ConnId, step: &mut Step<'_>) {
        let Some(slave) = self.replica.slaves.iter().position(|slave| slave.conn == conn) else { return };
        let link = &mut self.replica.slaves[slave];
        link.drained = link.next.unwrap_or(i64::MIN);
        self.resume(slave, step);
    }

    fn resume(&mut self, slave: usize, step: &mut Step<'_>) {
        if self.replica.slaves[slave].writing == Writing::Blocked && !self.replica.slaves[slave].is_full() {
            self.transfer(slave, step);
        }
    }

    /// Arms the turn at which the reading loop finds that the slave has been silent for too long.
    pub(super) fn arm_housekeeping(&mut self, slave: usize, step: &mut Step<'_>) {
        let (_, interval) = self.ha_intervals();
        let link = &self.replica.slaves[slave];
        let (mono, wall) = link.last_read;
        let at = first_turn((mono, SELECT), (step.mono, step.wall), (wall, interval));
        step.out.arm(TimerKey { name: Timer::HaHousekeeping, number: u64::from(link.conn.0) }, at);
    }

    pub(super) fn housekeeping_due(&mut self, slave: usize, step: &mut Step<'_>) {
        let (_, interval) = self.ha_intervals();
        let link = &self.replica.slaves[slave];
        if step.wall.since(link.last_read.1) <= interval.as_millis() as i64 {
            return self.arm_housekeeping(slave, step);
        }
        step.out.close(link.conn);
        self.slave_gone(slave, "expired", step);
    }

    /// A turn of the writing loop.
    pub(super) fn transfer_due(&mut self, slave: usize, step: &mut Step<'_>) {
        self.replica.slaves[slave].armed = None;
        match self.replica.slaves[slave].writing {
            Writing::Asleep(_) => self.transfer(slave, step),
            Writing::Idle(_) => {
                self.replica.slaves[slave].has_waited = true;
                self.transfer(slave, step);
            }
            Writing::Blocked => {}
        }
    }

    /// Sends what there is, as far as the sockets take it. Source: `HAConnection.WriteSocketService.run`.
    fn transfer(&mut self, slave: usize, step: &mut Step<'_>) {
        let (heartbeat, _) = self.ha_intervals();
        let most = self.config.store.ha_transfer_batch_size;
        loop {
            let link = &mut self.replica.slaves[slave];
            let Some(requested) = link.requested else { return };
            let next = match link.next {
                Some(next) => next,
                None => {
                    let from = if requested == 0 { self.store.fresh_slave_begins().0 } else { requested };
                    step.out.say(Fact::TransferBegun { slave: link.peer.clone(), requested, from });
                    link.drained = from;
                    *link.next.insert(from)
                }
            };
            // Repaired, a sign of life says that there is no more (K02).
            let has_more = self.config.profile.fix_k02 && self.store.has_log_data(next);
            if step.wall.since(link.last_write) > heartbeat.as_millis() as i64 && !has_more {
                link.last_write = step.wall;
                step.out.send_bytes(link.conn, stream::piece(next, &[]));
            }
            if link.is_full() {
                link.writing = Writing::Blocked;
                return;
            }
            let Some(data) = self.store.log_data(step.disk, next, most) else {
                link.writing = Writing::Idle(step.mono);
                return;
            };
            let size = data.len() as i64;
            link.next = Some(next + size);
            link.last_write = step.wall;
            step.out.send_bytes(link.conn, stream::piece(next, &data));
            step.out.say(Fact::Transferred { slave: link.peer.clone(), at: next, size });
        }
    }

    /// Arms every slave's next turn at which the writing loop finds something; a put that waits for slaves wakes those that
    /// wait, but none while none has waited before.
    ///
    /// Source: `WaitNotifyObject.allWaitForRunning`, `wakeupAll`.
    pub(in crate::mq::broker) fn arm_transfers(&mut self, step: &mut Step<'_>) {
        let asked = self.store.transfers_asked();
        let is_woken = asked != self.replica.asked && self.replica.slaves.iter().any(|link| link.has_waited);
        self.replica.asked = asked;
        for slave in 0..self.replica.slaves.len() {
            if is_woken && matches!(self.replica.slaves[slave].writing, Writing::Idle(_)) {
                self.replica.slaves[slave].has_waited = true;
                self.transfer(slave, step);
            }
            self.arm_transfer(slave, step);
        }
    }

    fn arm_transfer(&mut self, slave: usize, step: &mut Step<'_>) {
        let (heartbeat, _) = self.ha_intervals();
        let link = &mut self.replica.slaves[slave];
        let at = match (link.writing, link.next) {
            (Writing::Asleep(since), _) => link.requested.map(|_| next_turn(since, ASLEEP, step.mono + Span(1))),
            (Writing::Idle(since), Some(next)) if self.store.has_log_data(next) => {
                Some(next_turn(since, IDLE, step.mono + Span(1)))
            }
            (Writing::Idle(since), _) => {
                Some(first_turn((since, IDLE), (step.mono, step.wall), (link.last_write, heartbeat)))
            }
            (Writing::Blocked, _) => None,
        };
        if link.armed == at {
            return;
        }
        link.armed = at;
        let timer = TimerKey { name: Timer::HaTransfer, number: u64::from(link.conn.0) };
        match at {
            Some(at) => step.out.arm(timer, at),
            None => step.out.disarm(timer),
        }
    }
}

impl SlaveLink {
    fn is_full(&self) -> bool {
        // Whoever connects may report any number: a difference wraps round, as Java's does.
        self.next.is_some_and(|next| next.wrapping_sub(self.acked.max(self.drained)) >= SOCKETS)
    }
}

/// Source: `HAConnection.ReadSocketService.run`: `selector.select(1000)`.
const SELECT: Span = Span::from_secs(1);
/// Source: `HAConnection.WriteSocketService.run`: `Thread.sleep(10)`.
const ASLEEP: Span = Span::from_millis(10);
/// Source: `HAConnection.WriteSocketService.run`: `allWaitForRunning(100)`.
const IDLE: Span = Span::from_millis(100);
/// Source: `HAConnection`: `setSendBufferSize`, `setReceiveBufferSize`, 64 KiB each.
const SOCKETS: i64 = 128 << 10;
