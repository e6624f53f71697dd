//! Master and slave: the log as a stream of bytes over a port of its own, one above the broker's.
//!
//! ```text
//!   slave                                   master
//!     | -- i64 how far my log reaches ------> |   report, acknowledgement and sign of life in one
//!     |  <------- i64 at, i32 size, bytes --- |   size 0 is a sign of life
//! ```
//!
//! The pieces in which bytes come mean nothing. Nobody compares contents, unless K02 is repaired: a slave closes the
//! connection when it is offered bytes that do not begin where its log ends, and asks again.
//!
//! Source: `HAService`, `HAConnection`, `SlaveSynchronize`.

use bytes::Bytes;

use crate::mq::broker::Broker;
use crate::mq::broker::replica::follow::Following;
use crate::mq::broker::replica::transfer::SlaveLink;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ConnId, Step, Timer, TimerKey};
use crate::mq::store::config::Role;
use crate::mq::time::{Millis, Span, Time};

mod agree;

mod follow;

mod stream;

mod synchronize;

mod transfer;

/// Both ends of a broker's replications.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    /// Connections of slaves, by the order of their numbers. Source: `HAService.connectionList`.
    slaves: Vec<SlaveLink>,
    /// How many puts that wait for slaves had come when the slaves were last looked at.
    asked: u64,
    /// How this broker follows its master; `None` for a master. Source: `HAService.HAClient`.
    following: Option<Following>,
}

impl Replica {
    /// Nobody is connected; a slave makes its first attempt as soon as it may.
    pub(super) fn new(role: Role) -> Replica {
        Replica { slaves: Vec::new(), asked: 0, following: (role == Role::Slave).then(Following::default) }
    }
}

impl Broker {
    /// The replication port: `haListenPort` is what `listenPort` is, and one. Source: `BrokerStartup.createBrokerController`.
    pub(super) fn is_ha_port(&self, port: u16) -> bool {
        port == self.config.addr.port.saturating_add(1)
    }

    fn following(&mut self) -> Option<&mut Following> {
        self.replica.following.as_mut()
    }

    /// Begins to follow a master, if this is a slave. Source: `BrokerController.initialize`, `HAService.start`.
    pub(super) fn start_replica(&mut self, step: &mut Step<'_>) {
        if self.replica.following.is_some() {
            self.start_following(step);
            self.start_synchronizing(step);
        }
    }

    /// A connection that a slave asked for stands.
    pub(super) fn replica_connected(&mut self, conn: ConnId, step: &mut Step<'_>) {
        let _ = self.master_connected(conn, step) || self.synchronize_connected(conn, step);
    }

    /// A connection that a slave asked for does not come about.
    pub(super) fn replica_refused(&mut self, conn: ConnId, step: &mut Step<'_>) {
        let _ = self.master_refused(conn, step) || self.synchronize_closed(conn, step);
    }

    /// A replication's other end has sent something.
    pub(super) fn bytes_in(&mut self, conn: ConnId, bytes: Bytes, step: &mut Step<'_>) {
        match self.replica.slaves.iter().position(|slave| slave.conn == conn) {
            Some(slave) => self.report_in(slave, &bytes, step),
            None => self.log_in(conn, &bytes, step),
        }
    }

    /// A replication's connection is gone; whether it was one.
    pub(super) fn replica_closed(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        match self.replica.slaves.iter().position(|slave| slave.conn == conn) {
            Some(slave) => self.slave_gone(slave, "closed", step),
            None => return self.master_closed(conn, step) || self.synchronize_closed(conn, step),
        }
        true
    }

    pub(super) fn replica_fired(&mut self, timer: TimerKey, step: &mut Step<'_>) {
        let slave = self.replica.slaves.iter().position(|slave| u64::from(slave.conn.0) == timer.number);
        match (timer.name, slave) {
            (Timer::HaTransfer, Some(slave)) => self.transfer_due(slave, step),
            (Timer::HaHousekeeping, Some(slave)) => self.housekeeping_due(slave, step),
            (Timer::HaClient, _) => self.following_due(step),
            (Timer::SlaveSynchronize, _) => self.synchronize_due(timer, step),
            _ => {}
        }
    }

    /// The wall clock left the monotonic one, on which nothing here is counted.
    pub(super) fn replica_wall_stepped(&mut self, step: &mut Step<'_>) {
        for slave in 0..self.replica.slaves.len() {
            self.arm_housekeeping(slave, step);
        }
        self.arm_following(step);
        self.arm_transfers(step);
    }

    fn ha_intervals(&self) -> (Span, Span) {
        (self.config.store.ha_send_heartbeat_interval, self.config.store.ha_housekeeping_interval)
    }
}

/// The first turn of a loop that waits `period` at `since` and after, later than `now`, at which more than `interval` has
/// passed since `last` on the wall clock, which shows `wall` now.
///
/// Source: the loops of `HAConnection` and `HAClient`: `interval > getHaSendHeartbeatInterval()`.
fn first_turn((since, period): (Time, Span), (now, wall): (Time, Millis), (last, interval): (Millis, Span)) -> Time {
    let over_ms = last.plus(interval.as_millis() as i64 + 1).since(wall).max(0) as u64;
    let over = now + Span::from_millis(over_ms);
    next_turn(since, period, over.max(now + Span(1)))
}

/// The first turn at or after `at` of a loop that waits `period` at `since` and after.
fn next_turn(since: Time, period: Span, at: Time) -> Time {
    since + Span(at.since(since).0.div_ceil(period.0).max(1) * period.0)
}

/// How a peer is named.
fn named(addr: Addr) -> Name {
    Name::from(addr.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    #[test]
    fn a_loop_finds_at_its_next_turn_that_an_interval_has_passed() {
        let turn = |now, wall, last| {
            first_turn((at(0), Span::from_millis(100)), (at(now), Millis(wall)), (Millis(last), Span::from_secs(5)))
        };
        assert_eq!(turn(0, 1_000, 1_000), at(5_100), "at 5,000 ms it is not more than 5,000 ms");
        assert_eq!(turn(250, 1_250, 1_000), at(5_100));
        assert_eq!(turn(0, 1_000, 1_001), at(5_100));
        assert_eq!(turn(300, 90_000, 1_000), at(400), "the clock was put forward");
        assert_eq!(turn(0, 1_000, 61_000), at(65_100), "and back");
    }
}
