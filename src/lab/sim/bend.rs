//! What faults on a road do to a parcel that leaves, and to a connect that arrives. Nothing here runs while no fault is in
//! force on the lane.
//!
//! Each fault draws from a stream of its own on each lane, the same number of draws for each parcel whatever comes of them;
//! a lane's latency is drawn from the lane's own stream all the same, so that no draw of it depends on a fault.

use crate::lab::fault::road::RoadWrong;
use crate::lab::fault::road::{Shape, Spread};
use crate::lab::sim::dice::{Dice, Roll, Stream, path_name, width};
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::link::{ACCEPTOR, EndState, Net, OPENER, Parcel, Passage};
use crate::lab::sim::record::{Stamp, Tag};
use crate::lab::sim::spread;
use crate::lab::sim::world::World;
use crate::lab::trace::record::{LinkId, Road, What};
use crate::mq::message::Name;
use crate::mq::node::Frame;
use crate::mq::time::{Span, Time};

/// A fault in force on one lane.
#[derive(Clone, Debug)]
pub(crate) struct LaneFault {
    pub(crate) episode: u32,
    /// What its draws are addressed by, beside the lane.
    pub(crate) tag: Name,
    wrong: RoadWrong,
    stream: Option<Box<Stream>>,
    /// When the last parcel has passed a narrow road.
    free_at: Time,
}

/// What a fault did to the parcel that leaves.
#[derive(Clone, Debug)]
pub(crate) enum Struck {
    /// It drew.
    Rolled { tag: Name, roll: Roll },
    /// The parcel waits so much longer.
    Held(Span),
    /// It is lost.
    Lost,
    /// It comes twice.
    Twice,
    /// It overtakes so many.
    Overtakes(u32),
    /// It is tried in vain until then.
    GivenUp(Time),
}

/// What becomes of a parcel, beside its time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fate {
    pub(crate) lost: bool,
    pub(crate) twice: bool,
    pub(crate) overtakes: Option<u32>,
}

/// What a fault on a lane draws with, and where it says what it did.
struct Draw<'a> {
    dice: &'a Dice,
    /// From whom to whom the lane leads.
    names: [&'a Name; 2],
    struck: &'a mut Vec<Struck>,
}

/// No two tries of TCP are farther apart here.
const RETRY_LONGEST: Span = Span::from_secs(60);
/// Then it gives up.
const RETRY_UNTIL: Span = Span::from_secs(900);

impl LaneFault {
    pub(crate) fn new(episode: u32, tag: Name, wrong: RoadWrong) -> LaneFault {
        LaneFault { episode, tag, wrong, stream: None, free_at: Time::ZERO }
    }

    /// How many ports it leaves to each machine.
    pub(crate) fn ports(&self) -> Option<u64> {
        match self.wrong {
            RoadWrong::PortExhaustion { ports } => Some(ports),
            _ => None,
        }
    }

    fn roll(&mut self, draw: &mut Draw<'_>, below: u64) -> u64 {
        let tag = &self.tag;
        let path = || Box::new(draw.dice.stream(&["fault", tag, draw.names[0], draw.names[1]]));
        let roll = self.stream.get_or_insert_with(path).below(below.max(1));
        draw.struck.push(Struck::Rolled { tag: tag.clone(), roll });
        roll.got
    }

    /// What it does to a parcel of `len` bytes; 0 is no frame.
    fn bend(&mut self, draw: &mut Draw<'_>, len: u32, (now, passage): (Time, &mut Passage), base: &mut Span) {
        match self.wrong.clone() {
            RoadWrong::Latency(given) => {
                let drawn = spread::pick(&given, self.roll(draw, spread::OF));
                // The road's own latency goes once: a second fault that took it off again would send parcels back in time.
                passage.at = Time(passage.at.0.saturating_sub(std::mem::take(base).0)) + drawn;
            }
            RoadWrong::Bandwidth { per_second, .. } => {
                let waits = Span(self.free_at.0.saturating_sub(now.0));
                let takes = u128::from(len) * 1_000_000_000 / u128::from(per_second.max(1));
                self.free_at = now + waits + Span(takes as u64);
                passage.at += Span(self.free_at.0 - now.0);
                if waits > Span::ZERO {
                    draw.struck.push(Struck::Held(waits));
                }
            }
            RoadWrong::Stall { odds, first } => {
                let (mut lost, mut wait) = (Span::ZERO, first);
                while self.roll(draw, odds.out_of) < odds.times {
                    lost += wait;
                    wait = Span((wait.0 * 2).min(RETRY_LONGEST.0));
                    if lost >= RETRY_UNTIL {
                        lost = RETRY_UNTIL;
                        draw.struck.push(Struck::GivenUp(now + lost));
                        break;
                    }
                }
                if lost > Span::ZERO {
                    passage.at += lost;
                    draw.struck.push(Struck::Held(lost));
                }
            }
            RoadWrong::Clog { odds, mean } => {
                let sticks = self.roll(draw, odds.out_of) < odds.times;
                let spread = Spread { min: Span::ZERO, mean, shape: Shape::Exponential };
                let span = spread::pick(&spread, self.roll(draw, spread::OF));
                if sticks && len > 0 {
                    passage.at += span;
                    draw.struck.push(Struck::Held(span));
                }
            }
            RoadWrong::Datagram { drop, twice, window } if len > 0 => {
                if self.roll(draw, drop.out_of) < drop.times {
                    draw.struck.push(Struck::Lost);
                }
                if self.roll(draw, twice.out_of) < twice.times {
                    draw.struck.push(Struck::Twice);
                }
                let passed = self.roll(draw, window + 1) as u32;
                if passed > 0 {
                    draw.struck.push(Struck::Overtakes(passed));
                }
            }
            RoadWrong::Datagram { .. }
            | RoadWrong::HalfOpen
            | RoadWrong::RefuseConnect { .. }
            | RoadWrong::FullTable { .. }
            | RoadWrong::PortExhaustion { .. }
            | RoadWrong::SlowAccept { .. } => {}
        }
    }
}

impl Net {
    /// Lets the faults of its lane do to a parcel what they do.
    #[cold]
    pub(crate) fn bend(
        &mut self,
        dice: &Dice,
        names: [&Name; 2],
        (link, side): (u32, usize),
        len: u32,
        (now, passage): (Time, &mut Passage),
    ) {
        let lane = &mut self.lanes[self.conns[link as usize].ways[side].lane as usize];
        let mut base = passage.latency.span(self.roads.latency_min);
        let mut draw = Draw { dice, names, struck: &mut self.struck };
        for fault in &mut lane.faults {
            fault.bend(&mut draw, len, (now, passage), &mut base);
        }
    }

    /// Puts a frame in the place of one that left `passed` frames before it, and that one into its place.
    pub(crate) fn overtake(&mut self, (link, side): (u32, usize), passed: u32, frame: &mut Frame) {
        let way = &self.conns[link as usize].ways[side];
        let Some(number) = way.next.checked_sub(passed).filter(|number| *number >= way.expected) else { return };
        let ahead = self
            .flights
            .iter_mut()
            .find(|flight| flight.link == link && usize::from(flight.side) == side && flight.number == number);
        if let Some(Parcel::Frame(ahead)) = ahead.map(|flight| &mut flight.parcel) {
            std::mem::swap(ahead, frame);
        }
    }
}

impl World {
    /// Records what faults did to the parcel that leaves, and gives what becomes of it.
    #[cold]
    pub(crate) fn struck(&mut self, stamp: &Stamp, link: u32, side: usize) -> Fate {
        let mut fate = Fate::default();
        let mut struck = std::mem::take(&mut self.net.struck);
        for what in struck.drain(..) {
            match what {
                Struck::Rolled { tag, roll } => self.note_lane_rolled(stamp, (link, side), &tag, roll),
                Struck::Held(span) => {
                    let held = || What::Road(Road::Held { link: LinkId(link), span: Some(span) });
                    self.rec.note(stamp, Tag::Held, (u64::from(link), span.0), held);
                }
                Struck::Lost => {
                    fate.lost = true;
                    let why = "lost, not reachable over TCP";
                    let dropped = || What::Road(Road::Dropped { link: LinkId(link), why });
                    self.rec.note(stamp, Tag::Dropped, (u64::from(link), why.len() as u64), dropped);
                }
                Struck::Twice => fate.twice = true,
                Struck::Overtakes(passed) => fate.overtakes = Some(passed),
                Struck::GivenUp(at) => {
                    for side in [OPENER, ACCEPTOR] {
                        let node = self.net.conns[link as usize].ends[side].node;
                        let Some(machine) = self.machines.get(usize::from(node)) else { continue };
                        let kind = ErrandKind::GiveUp { link, side, node, incarnation: machine.incarnation };
                        self.errand(at, kind, stamp.cause);
                    }
                }
            }
        }
        self.net.struck = struck;
        fate
    }

    fn note_lane_rolled(&mut self, stamp: &Stamp, (link, side): (u32, usize), tag: &Name, roll: Roll) {
        let lane = &self.net.lanes[self.net.conns[link as usize].ways[side].lane as usize];
        let [from, to] = [lane.from, lane.to].map(|node| self.machines[usize::from(node)].setup.name.clone());
        self.rec.words(roll.stream, roll.ordinal);
        self.rec.note(stamp, Tag::Rolled, (roll.of, roll.got), || {
            let stream = path_name(&["fault", tag, &from, &to]);
            What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
        });
    }

    /// Faults on the lane of a connect that has arrived: `true` if it is refused or taken later.
    #[cold]
    pub(crate) fn syn_bent(&mut self, link: u32) -> bool {
        let stamp = self.stamp;
        let lane = self.net.conns[link as usize].ways[OPENER].lane as usize;
        let [from, to] = [self.net.lanes[lane].from, self.net.lanes[lane].to];
        let names = [from, to].map(|node| self.machines[usize::from(node)].setup.name.clone());
        let names = [&names[0], &names[1]];
        let (mut refused, mut late) = (false, Span::ZERO);
        let held = self.net.accepted_by(to);
        let Net { lanes, struck, .. } = &mut self.net;
        let mut draw = Draw { dice: &self.dice, names, struck };
        for fault in &mut lanes[lane].faults {
            match fault.wrong {
                RoadWrong::RefuseConnect { odds } => {
                    refused |= fault.roll(&mut draw, odds.out_of) < odds.times;
                }
                RoadWrong::SlowAccept { min, max } => {
                    late += min + Span(fault.roll(&mut draw, width(min, max)));
                }
                RoadWrong::FullTable { room } => refused |= room <= held,
                _ => {}
            }
        }
        self.struck(&stamp, link, OPENER);
        if refused {
            self.launch(&stamp, link, ACCEPTOR, Parcel::Refuse);
        } else if late > Span::ZERO {
            let held = || What::Road(Road::Held { link: LinkId(link), span: Some(late) });
            let cause = self.rec.note(&stamp, Tag::Held, (u64::from(link), late.0), held);
            self.errand(self.after(late), ErrandKind::Accept { link }, cause);
            self.await_connect(link, cause);
        }
        refused || late > Span::ZERO
    }

    /// A connect that a slow machine left waiting is taken.
    pub(crate) fn accept_late(&mut self, link: u32, cause: u64) -> bool {
        let ends = self.net.conns[link as usize].ends;
        let off = self.machines[usize::from(ends[ACCEPTOR].node)].mood == crate::lab::sim::machine::Mood::Off;
        if off || ends[OPENER].state != EndState::Opening {
            return false;
        }
        self.begin(ends[ACCEPTOR].node, cause);
        self.syn_taken(link, ends[ACCEPTOR].node);
        true
    }
}
