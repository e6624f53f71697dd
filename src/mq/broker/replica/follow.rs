//! The slave's end: connects to its master, takes the log's bytes, and says how far they reach.
//!
//! The time of the last sign of life is moved by what is read and by a new connection, never by what is written: a slave
//! whose master is silent reports once a second from the sixth second on, and gives up after twenty.
//!
//! Source: `HAService.HAClient`. Differs: its loop turns once a second from the moment at which it would first report; a
//! connect that nobody answers is given up by the driver, after 3 s and not after 5; a size below zero closes the
//! connection, where upstream's thread fails again and again.

use crate::mq::broker::Broker;
use crate::mq::broker::replica::agree::Comparing;
use crate::mq::broker::replica::named;
use crate::mq::broker::replica::stream::{self, Incoming};
use crate::mq::broker::replica::synchronize::Synchronizing;
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ConnId, Step, Timer, TimerKey};
use crate::mq::time::{Millis, Span};
use crate::mq::wire::header::RegisteredHeader;

/// How a slave stands to its master. Source: `HAClient`.
#[derive(Clone, Debug, Default)]
pub(super) struct Following {
    /// `masterAddress`.
    master: Option<Addr>,
    road: Road,
    /// Whom the connection leads to: a changed address waits for the next one.
    connected_to: Name,
    /// `currentReportedOffset`.
    reported: i64,
    /// `lastWriteTimestamp`.
    last: Millis,
    incoming: Incoming,
    /// What this connection has to compare before it takes anything (K02).
    pub(super) comparing: Option<Comparing>,
    pub(super) synchronizing: Synchronizing,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Road {
    /// Waits five seconds for the next attempt.
    #[default]
    Resting,
    Opening(ConnId),
    Up(ConnId),
}

impl Broker {
    /// The loop begins. Source: `HAService.start`, `BrokerController.initialize`.
    pub(super) fn start_following(&mut self, step: &mut Step<'_>) {
        let configured = self.config.store.ha_master_address.as_deref().and_then(Addr::parse);
        let Some(following) = &mut self.replica.following else { return };
        following.master = configured;
        self.connect_master(step);
    }

    /// A nameserver said where the master is: for the next connection, unless a file says it.
    ///
    /// Source: `BrokerController.doRegisterBrokerAll`, `HAClient.updateMasterAddress`.
    pub(in crate::mq::broker) fn learn_master(&mut self, answer: &RegisteredHeader) {
        let is_configured = self.config.store.ha_master_address.is_some();
        let Some(following) = &mut self.replica.following else { return };
        following.synchronizing.master = answer.master_addr.as_deref().and_then(Addr::parse);
        if let Some(master) = answer.ha_server_addr.as_deref().and_then(Addr::parse)
            && !is_configured
        {
            following.master = Some(master);
        }
    }

    /// Source: `HAClient.connectMaster`.
    fn connect_master(&mut self, step: &mut Step<'_>) {
        let reported = self.store.log_end().0;
        let conn = self.new_conn();
        let Some(following) = &mut self.replica.following else { return };
        following.reported = reported;
        following.last = step.wall;
        match following.master {
            Some(master) => {
                following.connected_to = named(master);
                following.road = Road::Opening(conn);
                step.out.connect(conn, master);
            }
            None => self.rest(step),
        }
    }

    fn rest(&mut self, step: &mut Step<'_>) {
        let Some(following) = &mut self.replica.following else { return };
        following.road = Road::Resting;
        step.out.arm(TimerKey::of(Timer::HaClient), step.mono + REST);
    }

    /// The connection stands; whether it is this one.
    pub(super) fn master_connected(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        let comparing = self.to_compare();
        let reported = comparing.map_or(self.store.log_end().0, |comparing| comparing.same_to);
        let Some(following) = self.replica.following.as_mut().filter(|one| one.road == Road::Opening(conn)) else {
            return false;
        };
        following.road = Road::Up(conn);
        following.comparing = comparing;
        following.reported = reported;
        following.last = step.wall;
        step.out.say(Fact::MasterConnected { master: following.connected_to.clone() });
        self.arm_following(step);
        true
    }

    /// The connection does not come about; whether it is this one.
    pub(super) fn master_refused(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        let is_mine = self.replica.following.as_ref().is_some_and(|one| one.road == Road::Opening(conn));
        if is_mine {
            self.rest(step);
        }
        is_mine
    }

    /// The master closed, or the connection broke; whether it is this one.
    pub(super) fn master_closed(&mut self, conn: ConnId, step: &mut Step<'_>) -> bool {
        let is_mine = self.replica.following.as_ref().is_some_and(|one| one.road == Road::Up(conn));
        if is_mine {
            self.leave_master("closed", step);
        }
        is_mine
    }

    /// Forgets the connection and tries again at once. Source: `HAClient.closeMaster`.
    fn leave_master(&mut self, why: &'static str, step: &mut Step<'_>) {
        let Some(following) = &mut self.replica.following else { return };
        following.incoming.clear();
        step.out.say(Fact::MasterGone { master: following.connected_to.clone(), why });
        self.connect_master(step);
    }

    /// Bytes of the master's log. Source: `HAClient.processReadEvent`.
    pub(super) fn log_in(&mut self, conn: ConnId, bytes: &[u8], step: &mut Step<'_>) {
        let Some(following) = self.replica.following.as_mut().filter(|one| one.road == Road::Up(conn)) else {
            return;
        };
        following.last = step.wall;
        following.incoming.push(bytes);
        if let Err(why) = self.dispatch(conn, step) {
            step.out.close(conn);
            self.leave_master(why, step);
        }
    }

    /// Takes every piece that is whole. Source: `HAClient.dispatchReadRequest`.
    fn dispatch(&mut self, conn: ConnId, step: &mut Step<'_>) -> Result<(), &'static str> {
        while let Some(following) = &mut self.replica.following {
            let Some(head) = following.incoming.head() else { break };
            let comparing = following.comparing;
            let own = comparing.map_or(self.store.log_end().0, |comparing| comparing.same_to);
            if own != 0 && own != head.at {
                step.out.say(Fact::ReplicaDiverged { own, pushed: head.at });
                return Err("diverged");
            }
            if head.size < 0 {
                return Err("garbled");
            }
            let Some(mut data) = following.incoming.take(head) else { break };
            let mut at = head.at;
            if let Some(comparing) = comparing {
                let size = data.len();
                let new = self.compare(comparing, (head, &data), step)?.unwrap_or(0);
                let _ = data.split_to(size - new);
                at += data.len().abs_diff(size) as i64;
                if data.is_empty() {
                    self.report_grown(conn, step);
                    continue;
                }
            }
            let clock = Self::clock(step);
            let is_taken = self.store.append_data(step.disk, clock, at, &data);
            if is_taken && !data.is_empty() {
                step.out.say(Fact::Replicated { at, size: data.len() as i64 });
            }
            self.report_grown(conn, step);
        }
        Ok(())
    }

    /// Reports if the log has grown. Source: `HAClient.reportSlaveMaxOffsetPlus`.
    fn report_grown(&mut self, conn: ConnId, step: &mut Step<'_>) {
        let end = self.vouched_for();
        let Some(following) = &mut self.replica.following else { return };
        if following.reported < end {
            following.reported = end;
            step.out.send_bytes(conn, stream::report(end));
        }
    }

    /// A turn of the loop. Source: `HAClient.run`.
    pub(super) fn following_due(&mut self, step: &mut Step<'_>) {
        let (heartbeat, housekeeping) = self.ha_intervals();
        let Some(following) = &mut self.replica.following else { return };
        let conn = match following.road {
            Road::Resting => return self.connect_master(step),
            Road::Opening(_) => return,
            Road::Up(conn) => conn,
        };
        let silence_ms = step.wall.since(following.last);
        if silence_ms > heartbeat.as_millis() as i64 {
            step.out.send_bytes(conn, stream::report(following.reported));
        }
        if silence_ms > housekeeping.as_millis() as i64 {
            step.out.close(conn);
            return self.leave_master("expired", step);
        }
        self.arm_following(step);
    }

    /// Arms the turn at which there is something to say, and each second from then on.
    pub(super) fn arm_following(&mut self, step: &mut Step<'_>) {
        let (heartbeat, _) = self.ha_intervals();
        let Some(following) = &self.replica.following else { return };
        if let Road::Up(_) = following.road {
            let first_ms = following.last.plus(heartbeat.as_millis() as i64 + 1).since(step.wall);
            let wait = if first_ms > 0 { Span::from_millis(first_ms as u64) } else { SELECT };
            step.out.arm(TimerKey::of(Timer::HaClient), step.mono + wait);
        }
    }
}

/// Source: `HAClient.run`: `waitForRunning(1000 * 5)`.
const REST: Span = Span::from_secs(5);
/// Source: `HAClient.run`: `selector.select(1000)`.
const SELECT: Span = Span::from_secs(1);
