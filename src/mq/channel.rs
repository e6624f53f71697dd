//! The connections of a process that accepts: who is at the other end, and the idle rule.
//!
//! A connection without traffic for 120 s is closed. One timer serves all of them: it is armed for the earliest and, when it
//! fires, looks again.
//!
//! Source: `NettyRemotingServer`, `IdleStateHandler` with `serverChannelMaxIdleTimeSeconds`.

use std::collections::BTreeMap;

use crate::mq::node::{Addr, ConnId, Out, Timer, TimerKey};
use crate::mq::time::{Span, Time};

/// Open connections.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    open: BTreeMap<ConnId, Channel>,
    is_armed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    peer: Addr,
    port: u16,
    last: Time,
}

impl Channels {
    /// A connection stands.
    pub fn open(&mut self, conn: ConnId, port: u16, peer: Addr, now: Time, out: &mut Out) {
        self.open.insert(conn, Channel { peer, port, last: now });
        if !self.is_armed {
            self.is_armed = true;
            out.arm(IDLE, now + IDLE_MAX);
        }
    }

    /// Something came or went on it.
    pub fn touch(&mut self, conn: ConnId, now: Time) {
        if let Some(channel) = self.open.get_mut(&conn) {
            channel.last = now;
        }
    }

    /// It is gone.
    pub fn close(&mut self, conn: ConnId) {
        self.open.remove(&conn);
    }

    /// Whether it stands.
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.open.contains_key(&conn)
    }

    /// Who is at the other end.
    pub fn peer(&self, conn: ConnId) -> Option<Addr> {
        self.open.get(&conn).map(|channel| channel.peer)
    }

    /// On which of our ports it came in.
    pub fn port(&self, conn: ConnId) -> Option<u16> {
        self.open.get(&conn).map(|channel| channel.port)
    }

    /// The idle timer fired: closes what has been silent for too long and returns it.
    pub fn close_idle(&mut self, now: Time, out: &mut Out) -> Vec<ConnId> {
        let idle: Vec<ConnId> =
            self.open.iter().filter(|(_, channel)| channel.last + IDLE_MAX <= now).map(|(conn, _)| *conn).collect();
        for conn in &idle {
            self.open.remove(conn);
            out.close(*conn);
        }
        let earliest = self.open.values().map(|channel| channel.last).min();
        self.is_armed = earliest.is_some();
        if let Some(last) = earliest {
            out.arm(IDLE, last + IDLE_MAX);
        }
        idle
    }
}

const IDLE: TimerKey = TimerKey::of(Timer::ChannelIdle);
/// Source: `NettyServerConfig.serverChannelMaxIdleTimeSeconds`.
const IDLE_MAX: Span = Span::from_secs(120);
