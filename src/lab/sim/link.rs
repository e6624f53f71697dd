//! The roads: connections as events, one stream of parcels a direction.
//!
//! ```text
//!   opener                        acceptor
//!     | -- Syn ------------------->  |   Accepted
//!     |  <------------------ SynAck -|
//!  Connected                         |
//!     | == Frame, Frame, … ========> |   Received   in order: delivery = max(previous, now + latency)
//!     |  <----------------- Fin/Rst -|
//!   Closed
//! ```
//!
//! A parcel has a number in its direction and is handed over in that order whatever happens on the way; nothing is ever
//! delivered twice. A cut holds the parcels of one direction between two machines; healing lets them go on in order.
//! Differs: TCP's retransmission times after a cut are not kept, held parcels need one latency after it heals; a
//! connection that is cut is not given up after 15 minutes without an answer. One whose segments are lost is (`stall`).

use std::collections::{BTreeMap, VecDeque};

use crate::lab::fault::road::RoadWrong;
use crate::lab::sim::bend::{LaneFault, Struck};
use crate::lab::sim::dice::{Dice, Odds, Roll, Stream, path_name, width};
use crate::lab::sim::slab::Slab;
use crate::mq::message::Name;
use crate::mq::node::{Addr, ConnId, Frame};
use crate::mq::time::{Span, Time};

/// What the roads are like between any two machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Roads {
    /// One way, at least.
    pub latency_min: Span,
    /// One way, at most; drawn for each parcel.
    pub latency_max: Span,
    /// How often a frame is stalled, as TCP is by a lost segment.
    pub stall: Odds,
    /// For how long.
    pub stall_for: Span,
    /// When a connect is given up that nobody answers.
    pub connect_timeout: Span,
    /// Bytes under way in one direction beyond which the sender is told when half of them have gone.
    pub buffer: u64,
}

impl Default for Roads {
    /// Half a millisecond to one and a half, no stalls; upstream's 3 s; 1 MiB.
    fn default() -> Roads {
        Roads {
            latency_min: Span::from_micros(500),
            latency_max: Span::from_micros(1_500),
            stall: Odds::NEVER,
            stall_for: Span::ZERO,
            connect_timeout: Span::from_secs(3),
            buffer: 1 << 20,
        }
    }
}

/// The side that opened a connection, in its `ends` and `ways`.
pub(crate) const OPENER: usize = 0;
/// The side that accepted it.
pub(crate) const ACCEPTOR: usize = 1;

/// A connection of the world. Its place is its `LinkId`.
#[derive(Clone, Debug)]
pub(crate) struct Conn {
    pub(crate) ends: [End; 2],
    /// `ways[side]` leads away from that side.
    pub(crate) ways: [Way; 2],
    pub(crate) to: Addr,
    pub(crate) opened_at: Time,
    /// When the side that opened it closed it first, and keeps its port for a while.
    pub(crate) waits_from: Option<Time>,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// The machine; meaningless at the acceptor of an address that nobody has.
    pub(crate) node: u16,
    /// Its name for the connection.
    pub(crate) conn: ConnId,
    pub(crate) state: EndState,
}

/// What a side thinks of its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EndState {
    /// Asked for, or not heard of yet.
    Opening,
    Open,
    Closed,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    pub(crate) lane: u32,
    /// The latest delivery decided so far.
    pub(crate) last: Time,
    /// The number of the next parcel to leave.
    pub(crate) next: u32,
    /// The number of the next parcel to be handed over.
    pub(crate) expected: u32,
    /// Bytes under way.
    pub(crate) buffered: u64,
    /// Whether the sender waits to hear that the buffer has room.
    pub(crate) full: bool,
    /// When a frame was first lost because the machine had no power.
    pub(crate) lost: Option<Time>,
    /// When the parcels that a cut held come up again.
    pub(crate) resumes: Time,
    /// Parcels that a cut holds, in order.
    pub(crate) held: VecDeque<u32>,
}

/// All traffic from one machine to another, over whatever connections.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) shut: Shut,
    pub(crate) delay: Span,
    /// Bytes under way on one of its connections beyond which the sender waits.
    pub(crate) buffer: u64,
    /// What bends its parcels' times or fates; empty unless a fault is in force.
    pub(crate) faults: Vec<LaneFault>,
    latency: Option<Box<Stream>>,
    stall: Option<Box<Stream>>,
}

/// What a lane keeps from arriving.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Shut {
    /// Nothing.
    No,
    /// FIN and RST, and what comes behind them.
    Ends,
    /// Everything.
    All,
}

/// Something on its way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) parcel: Parcel,
    pub(crate) link: u32,
    /// Its number in its direction.
    pub(crate) number: u32,
    /// The side it left.
    pub(crate) side: u8,
    pub(crate) len: u32,
    /// The record of its leaving.
    pub(crate) cause: u64,
}

/// What is on its way.
#[derive(Clone, Debug)]
pub(crate) enum Parcel {
    Frame(Frame),
    /// A connect.
    Syn,
    /// Its answer.
    SynAck,
    /// Its refusal.
    Refuse,
    /// The other side closes.
    Fin,
    /// The other side does not know this connection.
    Rst,
    /// The kernel accepted while the process was paused: the process hears it later.
    Greet,
    /// Lost on the way; keeps its place in the order.
    Lost,
}

/// A fault on lanes that is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rule {
    /// Whose.
    pub(crate) episode: u32,
    /// From; `None` is every machine.
    pub(crate) from: Option<u16>,
    /// To; `None` is every machine.
    pub(crate) to: Option<u16>,
    /// Both directions.
    pub(crate) both: bool,
    pub(crate) what: RuleKind,
}

/// What a rule does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum RuleKind {
    Cut,
    Delay(Span),
    Wrong {
        /// What its draws are addressed by, beside the lane.
        tag: Name,
        wrong: RoadWrong,
    },
}

impl Rule {
    pub(crate) fn covers(&self, from: u16, to: u16) -> bool {
        let matches = |a: u16, b: u16| self.from.is_none_or(|x| x == a) && self.to.is_none_or(|x| x == b);
        matches(from, to) || (self.both && matches(to, from))
    }
}

/// The network of one world.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    pub(crate) roads: Roads,
    pub(crate) conns: Vec<Conn>,
    pub(crate) flights: Slab<Flight>,
    pub(crate) lanes: Vec<Lane>,
    lane_of: BTreeMap<(u16, u16), u32>,
    pub(crate) hosts: BTreeMap<u32, u16>,
    pub(crate) rules: Vec<Rule>,
    /// What faults did to the parcel that leaves; empty between launches, kept for its room.
    pub(crate) struck: Vec<Struck>,
}

/// How long a frame takes and what was drawn for it.
pub(crate) struct Passage {
    pub(crate) at: Time,
    pub(crate) latency: Roll,
    pub(crate) stall: Option<Roll>,
    pub(crate) stalled: Option<Span>,
}

impl Net {
    pub(crate) fn new(roads: Roads) -> Net {
        Net {
            roads,
            conns: Vec::new(),
            flights: Slab::default(),
            lanes: Vec::new(),
            lane_of: BTreeMap::new(),
            hosts: BTreeMap::new(),
            rules: Vec::new(),
            struck: Vec::new(),
        }
    }

    /// The lane between two machines.
    pub(crate) fn lane(&mut self, from: u16, to: u16) -> u32 {
        if let Some(&lane) = self.lane_of.get(&(from, to)) {
            return lane;
        }
        let lane = self.lanes.len() as u32;
        let buffer = self.roads.buffer;
        self.lanes.push(Lane {
            from,
            to,
            shut: Shut::No,
            delay: Span::ZERO,
            buffer,
            faults: Vec::new(),
            latency: None,
            stall: None,
        });
        self.lane_of.insert((from, to), lane);
        self.rule_lane(lane as usize);
        lane
    }

    /// Makes a lane what the rules in force say; gives whether it lets more through than before.
    fn rule_lane(&mut self, number: usize) -> bool {
        let lane = &mut self.lanes[number];
        let before = std::mem::take(&mut lane.faults);
        let was = std::mem::replace(&mut lane.shut, Shut::No);
        (lane.delay, lane.buffer) = (Span::ZERO, self.roads.buffer);
        for rule in self.rules.iter().filter(|rule| rule.covers(lane.from, lane.to)) {
            match &rule.what {
                RuleKind::Cut => lane.shut = Shut::All,
                RuleKind::Delay(by) => lane.delay += *by,
                RuleKind::Wrong { wrong: RoadWrong::HalfOpen, .. } => lane.shut = lane.shut.max(Shut::Ends),
                RuleKind::Wrong { tag, wrong } => {
                    if let RoadWrong::Bandwidth { buffer, .. } = wrong {
                        lane.buffer = lane.buffer.min(*buffer);
                    }
                    // A fault that stays in force keeps its place in its stream.
                    let kept = before.iter().find(|fault| fault.episode == rule.episode && fault.tag == *tag);
                    let fresh = || LaneFault::new(rule.episode, tag.clone(), wrong.clone());
                    lane.faults.push(kept.cloned().unwrap_or_else(fresh));
                }
            }
        }
        lane.shut < was
    }

    /// Makes every lane what the rules in force say; gives the lanes that let more through than before.
    pub(crate) fn apply_rules(&mut self) -> Vec<u32> {
        (0..self.lanes.len()).filter(|&number| self.rule_lane(number)).map(|number| number as u32).collect()
    }

    /// Decides when a parcel that leaves now on `side` of `link` is handed over if nothing is before it.
    #[inline]
    pub(crate) fn pass(&mut self, dice: &Dice, names: [&Name; 2], link: u32, side: usize, now: Time) -> Passage {
        let lane = &mut self.lanes[self.conns[link as usize].ways[side].lane as usize];
        let path = |what| ["link", names[0].as_str(), names[1].as_str(), what];
        let Roads { latency_min, latency_max, stall, stall_for, .. } = self.roads;
        let latency = lane
            .latency
            .get_or_insert_with(|| Box::new(dice.stream(&path("latency"))))
            .below(width(latency_min, latency_max));
        let mut at = now + latency.span(latency_min) + lane.delay;
        let (mut stall_roll, mut stalled) = (None, None);
        if stall.times > 0 {
            let roll = lane.stall.get_or_insert_with(|| Box::new(dice.stream(&path("stall")))).below(stall.out_of);
            stall_roll = Some(roll);
            if roll.got < stall.times {
                stalled = Some(stall_for);
                at += stall_for;
            }
        }
        Passage { at, latency, stall: stall_roll, stalled }
    }

    /// When a parcel is handed over that nothing would keep until `at`: not before those ahead of it.
    #[inline]
    pub(crate) fn in_order(&mut self, link: u32, side: usize, at: Time) -> Time {
        let way = &mut self.conns[link as usize].ways[side];
        way.last = way.last.max(at);
        way.last
    }

    /// Whether no port is left at `from` for another connection over its lane to `to`.
    #[cold]
    pub(crate) fn is_exhausted(&self, (from, to): (u16, u16), now: Time) -> bool {
        let Some(&lane) = self.lane_of.get(&(from, to)) else { return false };
        let ports = self.lanes[lane as usize].faults.iter().filter_map(LaneFault::ports).min();
        ports.is_some_and(|ports| {
            let own = self.conns.iter().filter(|conn| conn.ends[OPENER].node == from && conn.ends[ACCEPTOR].node == to);
            let taken = own.filter(|conn| match conn.ends[OPENER].state {
                EndState::Opening | EndState::Open => true,
                EndState::Closed => conn.waits_from.is_some_and(|from| now < from + TIME_WAIT),
            });
            ports <= taken.count() as u64
        })
    }

    /// How many connections a machine has accepted and holds.
    #[cold]
    pub(crate) fn accepted_by(&self, node: u16) -> u64 {
        let held = |conn: &&Conn| conn.ends[ACCEPTOR].node == node && conn.ends[ACCEPTOR].state == EndState::Open;
        self.conns.iter().filter(held).count() as u64
    }

    /// A lane's stream as a person reads it.
    pub(crate) fn path(names: [&Name; 2], what: &str) -> Name {
        path_name(&["link", names[0], names[1], what])
    }
}

impl Conn {
    pub(crate) fn new(opener: End, to: Addr, lanes: [u32; 2], now: Time) -> Conn {
        let way = |lane| Way { lane, ..Way::default() };
        let acceptor = End { node: u16::MAX, conn: ConnId(0), state: EndState::Opening };
        Conn { ends: [opener, acceptor], ways: lanes.map(way), to, opened_at: now, waits_from: None }
    }
}

/// How long TCP keeps the port of whoever closes first.
const TIME_WAIT: Span = Span::from_secs(60);

/// Roughly how many bytes a frame has on the wire: the body, and what an ordinary header comes to.
#[inline]
pub(crate) fn frame_len(frame: &Frame) -> u32 {
    const HEADER: usize = 160;
    let len = match frame {
        Frame::Command(command) => HEADER + command.body.as_ref().map_or(0, |body| body.len()),
        Frame::Bytes(bytes) => bytes.len(),
    };
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// When TCP, having first sent at `sent`, would next try again from `now` on: 200 ms, doubling, at most 120 s apart.
pub(crate) fn retransmission(sent: Time, now: Time) -> Time {
    const FIRST: Span = Span::from_millis(200);
    const LONGEST: Span = Span::from_secs(120);
    let (mut at, mut wait) = (sent, FIRST);
    while at < now {
        at += wait;
        wait = Span((wait.0 * 2).min(LONGEST.0));
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_frame_is_tried_again_at_doubling_distances() {
        let at = |millis: u64| Time(millis * 1_000_000);
        assert_eq!(retransmission(at(0), at(1)), at(200));
        assert_eq!(retransmission(at(0), at(201)), at(600));
        assert_eq!(retransmission(at(0), at(5_000)), at(6_200));
        assert_eq!(retransmission(at(7), at(7)), at(7));
    }

    #[test]
    fn rules_cover_directions_and_everybody() {
        let rule = |from, to, both| Rule { episode: 0, from, to, both, what: RuleKind::Cut };
        assert!(rule(Some(1), Some(2), false).covers(1, 2));
        assert!(!rule(Some(1), Some(2), false).covers(2, 1));
        assert!(rule(Some(1), Some(2), true).covers(2, 1));
        assert!(rule(None, Some(2), false).covers(5, 2));
        assert!(!rule(None, Some(2), false).covers(2, 5));
    }
}
