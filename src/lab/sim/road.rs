//! What happens when a parcel comes up: it is held, parked, lost, or handed to the process at the other end.

use crate::lab::sim::agenda::Item;
use crate::lab::sim::bend::Fate;
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::link::{
    ACCEPTOR, Conn, EndState, Flight, Lane, Net, OPENER, Parcel, Shut, frame_len, retransmission,
};
use crate::lab::sim::machine::Mood;
use crate::lab::sim::record::{Stamp, Tag};
use crate::lab::sim::withhold;
use crate::lab::sim::world::World;
use crate::lab::trace::record::{LinkId, NodeId, Road, What};
use crate::mq::node::{ClosedWhy, Event, Frame, RefusedWhy};
use crate::mq::time::Time;

impl World {
    /// Sends a parcel on its way from `side`.
    #[inline]
    pub(crate) fn launch(&mut self, stamp: &Stamp, link: u32, side: usize, parcel: Parcel) {
        let lane = &self.net.lanes[self.net.conns[link as usize].ways[side].lane as usize];
        let name = |node: u16| &self.machines[usize::from(node)].setup.name;
        let names = [name(lane.from), name(lane.to)];
        let bent = !lane.faults.is_empty();
        let len = match &parcel {
            Parcel::Frame(frame) => frame_len(frame),
            _ => 0,
        };
        let mut passage = self.net.pass(&self.dice, names, link, side, self.now);
        if bent {
            self.net.bend(&self.dice, names, (link, side), len, (self.now, &mut passage));
        }
        let latency = passage.latency;
        self.rec.words(latency.stream, latency.ordinal);
        self.rec.note(stamp, Tag::Rolled, (latency.of, latency.got), || {
            let stream = Net::path(names, "latency");
            What::Rolled { stream, ordinal: latency.ordinal, of: latency.of, got: latency.got }
        });
        if let Some(roll) = passage.stall {
            self.rec.words(roll.stream, roll.ordinal);
            self.rec.note(stamp, Tag::Rolled, (roll.of, roll.got), || {
                let stream = Net::path(names, "stall");
                What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
            });
        }
        if let Some(span) = passage.stalled {
            self.rec.note(stamp, Tag::Held, (u64::from(link), span.0), || {
                What::Road(Road::Held { link: LinkId(link), span: Some(span) })
            });
        }
        if bent {
            let fate = self.struck(stamp, link, side);
            return self.launch_bent(stamp, (link, side), (parcel, len), passage.at, fate);
        }
        let at = self.net.in_order(link, side, passage.at);
        self.depart(stamp, (link, side), (parcel, len), at);
    }

    /// A parcel is on its way and comes up at `at`.
    #[inline]
    pub(crate) fn depart(&mut self, stamp: &Stamp, (link, side): (u32, usize), (parcel, len): (Parcel, u32), at: Time) {
        let way = &mut self.net.conns[link as usize].ways[side];
        way.buffered += u64::from(len);
        way.full |= way.buffered > self.net.lanes[way.lane as usize].buffer;
        let number = way.next;
        way.next += 1;
        let flight = Flight { parcel, link, number, side: side as u8, len, cause: stamp.cause };
        let place = self.net.flights.insert(flight);
        self.file(at, Item::Flight(place));
    }

    /// The same under faults on its lane.
    #[cold]
    fn launch_bent(
        &mut self,
        stamp: &Stamp,
        way: (u32, usize),
        (mut parcel, len): (Parcel, u32),
        at: Time,
        fate: Fate,
    ) {
        let at = self.net.in_order(way.0, way.1, at);
        if let (Some(passed), Parcel::Frame(frame)) = (fate.overtakes, &mut parcel) {
            self.net.overtake(way, passed, frame);
        }
        let again = match (&parcel, fate.twice) {
            (Parcel::Frame(frame), true) => Some(Parcel::Frame(frame.clone())),
            _ => None,
        };
        if fate.lost {
            parcel = Parcel::Lost;
        }
        self.depart(stamp, way, (parcel, len), at);
        if let Some(again) = again {
            self.depart(stamp, way, (again, len), at);
        }
    }

    /// A parcel comes up. Gives whether that was a step.
    #[inline]
    pub(crate) fn arrive(&mut self, at: u32) -> bool {
        let flight = self.net.flights.at(at);
        let side = usize::from(flight.side);
        let conn = &mut self.net.conns[flight.link as usize];
        let node = conn.ends[1 - side].node;
        let mood = self.machines[usize::from(node)].mood;
        if matches!(flight.parcel, Parcel::Greet) {
            return self.greet(at, node, mood);
        }
        let way = &mut conn.ways[side];
        let shut = self.net.lanes[way.lane as usize].shut;
        if shut != Shut::No || !way.held.is_empty() {
            let ends = matches!(flight.parcel, Parcel::Fin | Parcel::Rst);
            if shut == Shut::All || ends || !way.held.is_empty() {
                return self.hold(at);
            }
        }
        if self.machines[usize::from(node)].withheld & withhold::STREAMS != 0
            && matches!(flight.parcel, Parcel::Frame(Frame::Bytes(_)))
        {
            return self.hold(at);
        }
        if mood == Mood::Paused && !matches!(flight.parcel, Parcel::Syn) {
            self.machines[usize::from(node)].parked.push(Item::Flight(at));
            return false;
        }
        if flight.number != way.expected {
            // Those before it were held by a cut and are under way again.
            let again = way.resumes.max(self.now);
            self.file(again, Item::Flight(at));
            return false;
        }
        way.expected += 1;
        way.buffered -= u64::from(flight.len);
        if way.full && way.buffered <= self.net.lanes[way.lane as usize].buffer / 2 {
            way.full = false;
            let (link, now) = (flight.link, self.now);
            self.errand(now, ErrandKind::Drained { link, side }, flight_cause(&self.net, at));
        }
        let flight = self.net.flights.take(at);
        if mood == Mood::Off {
            return self.vanish(flight, node);
        }
        match flight.parcel {
            Parcel::Frame(frame) => self.frame_in(flight.link, side, frame, flight.cause),
            Parcel::Syn => self.syn_in(flight.link, node, flight.cause),
            Parcel::SynAck => self.syn_ack_in(flight.link, node, flight.cause),
            Parcel::Refuse => self.refused(flight.link, RefusedWhy::Refused, flight.cause),
            Parcel::Fin => self.closed(flight.link, 1 - side, ClosedWhy::Fin, flight.cause),
            Parcel::Rst => self.closed(flight.link, 1 - side, ClosedWhy::Reset, flight.cause),
            Parcel::Lost | Parcel::Greet => false,
        }
    }

    #[inline]
    fn frame_in(&mut self, link: u32, side: usize, frame: Frame, cause: u64) -> bool {
        let [sender, receiver] = {
            let ends = &self.net.conns[link as usize].ends;
            [ends[side], ends[1 - side]]
        };
        self.begin(receiver.node, cause);
        if receiver.state != EndState::Open {
            self.note_dropped(link, "no such connection");
            if sender.state == EndState::Open {
                self.launch(&self.stamp.clone(), link, 1 - side, Parcel::Rst);
            }
            return true;
        }
        let keep = self.rec.keeps_arrived(&frame);
        let note = keep.then(|| self.rec.frame_note(&frame, keep));
        let words = (u64::from(link), u64::from(sender.node));
        let waits = !self.rec.watches.is_empty();
        let seq = match note {
            None if !waits => self.rec.note_if(false, &self.stamp, Tag::Arrived, words, || unreachable!("nobody asks")),
            note => {
                let frame = note.unwrap_or_else(|| self.rec.frame_note(&frame, keep));
                let arrived = Road::Arrived { link: LinkId(link), from: NodeId(sender.node), frame };
                self.rec.note_if(keep, &self.stamp, Tag::Arrived, words, || What::Road(arrived))
            }
        };
        self.stamp.cause = seq;
        self.call(receiver.node, Event::Received { conn: receiver.conn, frame });
        true
    }

    /// A connect reaches a machine that is on.
    fn syn_in(&mut self, link: u32, node: u16, cause: u64) -> bool {
        self.begin(node, cause);
        let lane = self.net.conns[link as usize].ways[OPENER].lane;
        if !self.net.lanes[lane as usize].faults.is_empty() && self.syn_bent(link) {
            return true;
        }
        self.syn_taken(link, node);
        true
    }

    /// A machine that is on takes a connect, or its port refuses it, inside the step under way.
    pub(crate) fn syn_taken(&mut self, link: u32, node: u16) {
        let mood = self.machines[usize::from(node)].mood;
        let port = self.net.conns[link as usize].to.port;
        let machine = &mut self.machines[usize::from(node)];
        if mood == Mood::Down || !machine.setup.ports.contains(&port) {
            return self.launch(&self.stamp.clone(), link, ACCEPTOR, Parcel::Refuse);
        }
        let conn = machine.accept();
        let fresh = machine.name_link(conn, link);
        assert!(fresh, "the driver counts the connections it accepts");
        let end = &mut self.net.conns[link as usize].ends[ACCEPTOR];
        end.conn = conn;
        end.state = EndState::Open;
        self.note_opened(link, ACCEPTOR);
        self.launch(&self.stamp.clone(), link, ACCEPTOR, Parcel::SynAck);
        if mood == Mood::Paused {
            let flight = Flight { parcel: Parcel::Greet, link, number: 0, side: 0, len: 0, cause: self.stamp.cause };
            let at = self.net.flights.insert(flight);
            return self.machines[usize::from(node)].parked.push(Item::Flight(at));
        }
        self.accepted(link, node);
    }

    fn accepted(&mut self, link: u32, node: u16) {
        let Conn { ends, to, .. } = &self.net.conns[link as usize];
        let ip = self.machines[usize::from(ends[OPENER].node)].setup.ip;
        // An ephemeral port that tells connections of one machine apart.
        let port = 32_768 + (link % 28_232) as u16;
        let event =
            Event::Accepted { conn: ends[ACCEPTOR].conn, port: to.port, peer: crate::mq::node::Addr { ip, port } };
        self.call(node, event);
    }

    /// A paused process goes on and hears of a connection that its kernel took.
    fn greet(&mut self, at: u32, node: u16, mood: Mood) -> bool {
        if mood == Mood::Paused {
            self.machines[usize::from(node)].parked.push(Item::Flight(at));
            return false;
        }
        let flight = self.net.flights.take(at);
        if mood != Mood::Running || self.net.conns[flight.link as usize].ends[ACCEPTOR].state != EndState::Open {
            return false;
        }
        self.begin(node, flight.cause);
        self.accepted(flight.link, node);
        true
    }

    fn syn_ack_in(&mut self, link: u32, node: u16, cause: u64) -> bool {
        self.begin(node, cause);
        let end = &mut self.net.conns[link as usize].ends[OPENER];
        if end.state != EndState::Opening {
            self.note_dropped(link, "given up");
            self.launch(&self.stamp.clone(), link, OPENER, Parcel::Rst);
            return true;
        }
        end.state = EndState::Open;
        let conn = end.conn;
        self.note_opened(link, OPENER);
        self.call(node, Event::Connected { conn });
        true
    }

    /// A connect comes to nothing, if it is still waited for.
    pub(crate) fn refused(&mut self, link: u32, why: RefusedWhy, cause: u64) -> bool {
        let end = &mut self.net.conns[link as usize].ends[OPENER];
        let (node, conn) = (end.node, end.conn);
        if end.state != EndState::Opening {
            return false;
        }
        end.state = EndState::Closed;
        self.begin(node, cause);
        let words = (u64::from(link), why as u64);
        let refused = || What::Road(Road::Refused { link: LinkId(link), why });
        self.stamp.cause = self.rec.note(&self.stamp, Tag::Refused, words, refused);
        self.call(node, Event::Refused { conn, why });
        true
    }

    /// A connection ends for `side`, if it stood there.
    pub(crate) fn closed(&mut self, link: u32, side: usize, why: ClosedWhy, cause: u64) -> bool {
        let end = &mut self.net.conns[link as usize].ends[side];
        if end.state != EndState::Open {
            return false;
        }
        end.state = EndState::Closed;
        let (node, conn) = (end.node, end.conn);
        self.begin(node, cause);
        self.stamp.cause = self.note_closed(&self.stamp.clone(), link, why);
        self.call(node, Event::Closed { conn, why });
        true
    }

    fn note_opened(&mut self, link: u32, side: usize) {
        let opened = || What::Road(Road::Opened { link: LinkId(link) });
        self.stamp.cause = self.rec.note(&self.stamp, Tag::Opened, (u64::from(link), side as u64), opened);
    }

    pub(crate) fn note_closed(&mut self, stamp: &Stamp, link: u32, why: ClosedWhy) -> u64 {
        let closed = || What::Road(Road::Closed { link: LinkId(link), why });
        self.rec.note(stamp, Tag::Closed, (u64::from(link), why as u64), closed)
    }

    pub(crate) fn note_dropped(&mut self, link: u32, why: &'static str) {
        let dropped = || What::Road(Road::Dropped { link: LinkId(link), why });
        self.rec.note(&self.stamp, Tag::Dropped, (u64::from(link), why.len() as u64), dropped);
    }

    /// A cut keeps a parcel. A connect that it keeps too long is given up.
    fn hold(&mut self, at: u32) -> bool {
        let flight = self.net.flights.at(at);
        let (link, side, cause) = (flight.link, usize::from(flight.side), flight.cause);
        let handshake = matches!(flight.parcel, Parcel::Syn | Parcel::SynAck | Parcel::Refuse);
        let conn = &mut self.net.conns[link as usize];
        let sender = conn.ends[side].node;
        conn.ways[side].held.push_back(at);
        if handshake {
            self.await_connect(link, cause);
        }
        self.begin(sender, cause);
        let held = || What::Road(Road::Held { link: LinkId(link), span: None });
        self.rec.note(&self.stamp, Tag::Held, (u64::from(link), 0), held);
        true
    }

    /// Gives a connect up when its time is over.
    pub(crate) fn await_connect(&mut self, link: u32, cause: u64) {
        let opened_at = self.net.conns[link as usize].opened_at;
        let at = (opened_at + self.net.roads.connect_timeout).max(self.now);
        self.errand(at, ErrandKind::ConnectFails { link, why: RefusedWhy::TimedOut }, cause);
    }

    /// Lets go what a cut held on a lane that is open again.
    pub(crate) fn release(&mut self, lane: u32, stamp: &Stamp) {
        self.release_if(stamp, |number, _| number == lane);
    }

    /// Lets go what is held on the lanes for which `open` says so.
    pub(crate) fn release_if(&mut self, stamp: &Stamp, open: impl Fn(u32, &Lane) -> bool) {
        for link in 0..self.net.conns.len() {
            for side in [OPENER, ACCEPTOR] {
                let way = &mut self.net.conns[link].ways[side];
                let lane = way.lane;
                if way.held.is_empty() || !open(lane, &self.net.lanes[lane as usize]) {
                    continue;
                }
                let held = std::mem::take(&mut way.held);
                let lane = &self.net.lanes[lane as usize];
                let name = |node: u16| &self.machines[usize::from(node)].setup.name;
                let names = [name(lane.from), name(lane.to)];
                // One draw for all of them: they travel together. What is still under way comes up after them.
                let passage = self.net.pass(&self.dice, names, link as u32, side, self.now);
                self.net.in_order(link as u32, side, passage.at);
                let roll = passage.latency;
                self.rec.words(roll.stream, roll.ordinal);
                self.rec.note(stamp, Tag::Rolled, (roll.of, roll.got), || {
                    let stream = Net::path(names, "latency");
                    What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
                });
                let at = self.now + roll.span(self.net.roads.latency_min);
                self.net.conns[link].ways[side].resumes = at;
                for flight in held {
                    self.file(at, Item::Flight(flight));
                }
            }
        }
    }

    /// A parcel reaches a machine without power.
    fn vanish(&mut self, flight: Flight, node: u16) -> bool {
        let side = usize::from(flight.side);
        match flight.parcel {
            Parcel::Syn => self.await_connect(flight.link, flight.cause),
            Parcel::Lost => return false,
            _ => {
                let now = self.now;
                self.net.conns[flight.link as usize].ways[side].lost.get_or_insert(now);
            }
        }
        self.begin(node, flight.cause);
        self.note_dropped(flight.link, "no power");
        true
    }

    /// A machine has power again: whoever still sends to its old connections learns of it at TCP's next try.
    pub(crate) fn await_retransmissions(&mut self, node: u16, cause: u64) {
        for link in 0..self.net.conns.len() {
            for side in [OPENER, ACCEPTOR] {
                let conn = &mut self.net.conns[link];
                if conn.ends[1 - side].node != node || conn.ends[side].state != EndState::Open {
                    continue;
                }
                if let Some(lost) = conn.ways[side].lost.take() {
                    let at = retransmission(lost, self.now);
                    self.errand(at, ErrandKind::Retransmit { link: link as u32, side: 1 - side }, cause);
                }
            }
        }
    }
}

fn flight_cause(net: &Net, at: u32) -> u64 {
    net.flights.at(at).cause
}
