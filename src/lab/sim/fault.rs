//! The faults a world suffers: triggers that wait for a time or a record, episodes that begin and end.

use crate::lab::fault::episode::{Episode, EventMatch, FaultKind, Trigger};
use crate::lab::fault::road::{Prefix, RoadWrong, Share};
use crate::lab::sim::agenda::Item;
use crate::lab::sim::errand::{Errand, ErrandKind};
use crate::lab::sim::link::{ACCEPTOR, EndState, OPENER, Parcel, Rule, RuleKind};
use crate::lab::sim::machine::Mood;
use crate::lab::sim::process::Death;
use crate::lab::sim::record::{Goal, NONE, Reached, Recorder, Stamp, Tag, Watch};
use crate::lab::sim::world::World;
use crate::lab::trace::digest::text_word;
use crate::lab::trace::record::{Fault, LinkId, Road, What};
use crate::mq::message::Name;
use crate::mq::node::{ClosedWhy, Event, Frame, Trip};
use crate::mq::time::{Span, Time};

impl World {
    /// Waits for a trigger.
    pub(crate) fn await_trigger(&mut self, trigger: Trigger, goal: Goal) {
        match trigger {
            Trigger::At(at) => self.file_goal(at, goal, NONE),
            Trigger::After { event, nth, before, delay } => {
                let node = match &event {
                    EventMatch::Kind { node: Some(name), .. } => self.node_named(name),
                    _ => None,
                };
                self.rec.watches.push(Watch { event, node, nth, before, delay, goal, seen: 0 });
            }
        }
    }

    fn file_goal(&mut self, at: Time, goal: Goal, cause: u64) {
        let kind = match goal {
            Goal::Episode(number) => ErrandKind::Begin(number),
            Goal::Boot(node) => ErrandKind::Boot(node),
        };
        self.errand(at, kind, cause);
    }

    /// After a step: what was reached in it gets a step of its own.
    #[cold]
    pub(crate) fn file_reached(&mut self) {
        for Reached { goal, delay, cause, .. } in std::mem::take(&mut self.rec.reached) {
            self.file_goal(self.after(delay), goal, cause);
        }
    }

    /// Inside a step: what was reached and must come before its remaining effects begins here.
    #[cold]
    pub(crate) fn act_before(&mut self) {
        let mut at = 0;
        while at < self.rec.reached.len() {
            let Reached { goal, before, delay, cause } = self.rec.reached[at];
            match goal {
                Goal::Episode(number) if before && delay == Span::ZERO => {
                    self.rec.reached.remove(at);
                    self.begin_episode(number, cause);
                }
                _ => at += 1,
            }
        }
    }

    /// The trip that kills a process right at the effect that an episode waits for, so that nothing after it happens.
    #[cold]
    pub(crate) fn trip_for(&self, node: u16) -> Option<Trip> {
        let name = &self.machines[usize::from(node)].setup.name;
        self.rec.watches.iter().find_map(|watch| {
            let Goal::Episode(number) = watch.goal else { return None };
            let EventMatch::Kind { kind, .. } = &watch.event else { return None };
            let kills = match &self.setup.episodes[number as usize].kind {
                FaultKind::Kill { node } | FaultKind::PowerLoss { node, .. } | FaultKind::Restart { node } => {
                    &**node == "*" || node == name
                }
                _ => false,
            };
            let here = watch.node.is_none_or(|wanted| wanted == node);
            if !watch.before || watch.delay != Span::ZERO || !kills || !here {
                return None;
            }
            Some(Trip { kind: kind.clone(), passes: watch.nth.saturating_sub(watch.seen + 1) })
        })
    }

    /// An errand comes up.
    pub(crate) fn errand_up(&mut self, at: u32) -> bool {
        if let Some((node, incarnation)) = self.errands.at(at).kind.process() {
            let machine = &mut self.machines[usize::from(node)];
            match machine.mood {
                Mood::Paused if machine.incarnation == incarnation => {
                    machine.parked.push(Item::Errand(at));
                    return false;
                }
                Mood::Running if machine.incarnation == incarnation => {
                    if machine.withheld != 0 && self.set_errand_aside(node, at) {
                        return false;
                    }
                }
                _ => {
                    self.errands.take(at);
                    return false;
                }
            }
        }
        let Errand { kind, cause } = self.errands.take(at);
        match kind {
            ErrandKind::Boot(node) => {
                let machine = &mut self.machines[usize::from(node)];
                let asleep = matches!(machine.mood, Mood::Down | Mood::Off);
                if !asleep && machine.stopping {
                    // Whoever starts a service that is still stopping waits for its end.
                    machine.returns = Some(cause);
                }
                self.boot(node, cause);
                return asleep;
            }
            ErrandKind::Begin(number) => {
                self.begin_lab(cause);
                self.begin_episode(number, cause);
            }
            ErrandKind::End(number) => return self.end_episode(number, cause),
            ErrandKind::Turn(number) => return self.storm_turn(number, cause),
            ErrandKind::Call { node, call, .. } => self.call_in(node, call, cause),
            ErrandKind::Wake { node, token, .. } => return self.wake(node, token, cause),
            ErrandKind::Note { node, key, value, .. } => self.note_ledger(node, key, value, cause),
            ErrandKind::Crash { node, .. } => {
                self.begin(node, cause);
                self.die(node, Death::Killed, cause);
            }
            ErrandKind::Stop { node, .. } => {
                self.begin(node, cause);
                self.call(node, Event::Stop);
            }
            ErrandKind::WallStepped { node, .. } => {
                self.begin(node, cause);
                self.call(node, Event::WallStepped);
            }
            ErrandKind::SpaceChanged { node, .. } => {
                self.begin(node, cause);
                self.call(node, Event::SpaceChanged);
            }
            ErrandKind::Drained { link, side } => return self.drained(link, side, cause),
            ErrandKind::Strike { number, node } => return self.strike(number, node, cause),
            ErrandKind::Breathe { node, incarnation } => return self.breathe(node, incarnation),
            ErrandKind::Accept { link } => return self.accept_late(link, cause),
            ErrandKind::GiveUp { link, side, .. } => return self.closed(link, side, ClosedWhy::Reset, cause),
            ErrandKind::ConnectFails { link, why } => return self.refused(link, why, cause),
            ErrandKind::Retransmit { link, side } => {
                if self.net.conns[link as usize].ends[1 - side].state != EndState::Open {
                    return false;
                }
                self.begin_lab(cause);
                let stamp = self.stamp;
                self.launch(&stamp, link, side, Parcel::Rst);
            }
        }
        true
    }

    fn wake(&mut self, node: u16, token: u64, cause: u64) -> bool {
        let Some(mut apps) = self.machines[usize::from(node)].apps.take() else { return false };
        let mut actions = Vec::new();
        apps.on_wake(self.now, token, &mut actions);
        self.machines[usize::from(node)].apps = Some(apps);
        self.act(node, &mut actions, cause);
        // Waking leaves no record: what the application does has steps of its own.
        false
    }

    /// The buffer has room again; a paused process hears it when it goes on.
    fn drained(&mut self, link: u32, side: usize, cause: u64) -> bool {
        let end = self.net.conns[link as usize].ends[side];
        if end.state == EndState::Open && self.machines[usize::from(end.node)].mood == Mood::Paused {
            let at = self.errands.insert(Errand { kind: ErrandKind::Drained { link, side }, cause });
            self.machines[usize::from(end.node)].parked.push(Item::Errand(at));
            return false;
        }
        if end.state != EndState::Open || self.machines[usize::from(end.node)].mood != Mood::Running {
            return false;
        }
        self.begin(end.node, cause);
        let drained = || What::Road(Road::Drained { link: LinkId(link) });
        self.stamp.cause = self.rec.note(&self.stamp, Tag::Drained, (u64::from(link), side as u64), drained);
        self.call(end.node, Event::Drained { conn: end.conn });
        true
    }

    /// Begins an episode, inside the step under way.
    fn begin_episode(&mut self, number: u32, cause: u64) {
        let Episode { name, kind, lasts, .. } = self.setup.episodes[number as usize].clone();
        let what = kind.sentence();
        let words = (text_word(&name), text_word(&what));
        let stamp = self.lab_stamp(cause);
        let seq = self.rec.note(&stamp, Tag::Fault, words, || What::Fault(Fault::Begun { name, what }));
        self.active.insert(number);
        self.inflict(number, &kind, seq);
        if let Some(span) = lasts {
            self.errand(self.after(span), ErrandKind::End(number), seq);
        }
    }

    fn inflict(&mut self, number: u32, kind: &FaultKind, seq: u64) {
        match kind {
            FaultKind::Kill { node } => self.each(node, |world, node| world.die(node, Death::Killed, seq)),
            FaultKind::PowerLoss { node, keep } => {
                self.each(node, |world, node| world.die(node, Death::PowerLost(*keep), seq));
            }
            FaultKind::Restart { node } => self.each(node, |world, node| {
                world.die(node, Death::Killed, seq);
                world.errand(world.now, ErrandKind::Boot(node), seq);
            }),
            FaultKind::Stop { node } => self.each(node, |world, node| world.ask_stop(node, seq)),
            FaultKind::Pause { node } => self.each(node, |world, node| world.pause(node, seq)),
            FaultKind::Resume { node } => self.each(node, |world, node| world.resume(node, seq)),
            FaultKind::Cut { from, to, both } => self.rule(number, (from, to), *both, RuleKind::Cut, seq),
            FaultKind::Delay { from, to, by } => self.rule(number, (from, to), false, RuleKind::Delay(*by), seq),
            FaultKind::Heal { from, to } => self.heal(from, to, seq),
            FaultKind::Reset { from, to, prefix } => self.reset((from, to), *prefix, seq),
            FaultKind::Road { from, to, both, wrong } => {
                let what = RuleKind::Wrong { tag: self.fault_tag(number), wrong: wrong.clone() };
                self.rule(number, (from, to), *both, what, seq);
            }
            FaultKind::Partition { split, both } => self.divide(number, split, *both, seq),
            FaultKind::Resets { .. }
            | FaultKind::Flap { .. }
            | FaultKind::Swizzle { .. }
            | FaultKind::Rolling { .. } => {
                self.raise_storm(number);
                self.storm_acts(number, kind, seq);
            }
            FaultKind::SplitView { broker, nameserver } => {
                let wrong = RoadWrong::RefuseConnect { odds: Share { times: 1, out_of: 1 } };
                let what = RuleKind::Wrong { tag: self.fault_tag(number), wrong };
                self.rule(number, (broker, nameserver), false, what, seq);
                self.reset((broker, nameserver), Prefix::None, seq);
            }
            FaultKind::End { fault } => {
                let named = self.setup.episodes.iter().position(|episode| episode.name == *fault);
                if let Some(number) = named {
                    self.heal_episode(number as u32, seq);
                }
            }
            FaultKind::ClockStep { node, millis } => {
                self.each(node, |world, node| world.step_wall(node, *millis, seq));
            }
            FaultKind::PauseService { .. }
            | FaultKind::SlowCpu { .. }
            | FaultKind::Crash { .. }
            | FaultKind::RackLoss { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Restore { .. }
            | FaultKind::SwapDisks { .. }
            | FaultKind::Twin { .. }
            | FaultKind::Reconfigure { .. }
            | FaultKind::Clock { .. } => self.befall(number, kind, seq),
            FaultKind::Disk { node, files, wrong } => {
                self.each(node, |world, node| world.begin_disk_fault(number, node, (files, wrong), seq));
            }
        }
    }

    /// Ends an episode, as a step of its own, unless it was ended before.
    fn end_episode(&mut self, number: u32, cause: u64) -> bool {
        if !self.active.contains(&number) {
            return false;
        }
        self.begin_lab(cause);
        self.heal_episode(number, cause);
        true
    }

    /// What an episode did heals, inside the step under way.
    fn heal_episode(&mut self, number: u32, cause: u64) {
        if !self.active.remove(&number) {
            return;
        }
        let stamp = self.lab_stamp(cause);
        let Episode { name, kind, .. } = self.setup.episodes[number as usize].clone();
        let words = (text_word(&name), u64::MAX);
        let seq = self.rec.note(&stamp, Tag::Fault, words, || What::Fault(Fault::Ended { name }));
        self.storms.remove(&number);
        match &kind {
            FaultKind::Kill { node } | FaultKind::PowerLoss { node, .. } | FaultKind::Stop { node } => {
                self.each(node, |world, node| world.errand(world.now, ErrandKind::Boot(node), seq));
            }
            FaultKind::Pause { node } => self.each(node, |world, node| world.resume(node, seq)),
            FaultKind::Cut { .. }
            | FaultKind::Delay { .. }
            | FaultKind::Road { .. }
            | FaultKind::Partition { .. }
            | FaultKind::Flap { .. }
            | FaultKind::Swizzle { .. }
            | FaultKind::SplitView { .. } => self.unrule(number, seq),
            FaultKind::ClockStep { node, millis } => {
                self.each(node, |world, node| world.step_wall(node, -*millis, seq));
            }
            FaultKind::Disk { node, .. } => self.each(node, |world, node| world.end_disk_fault(number, node, seq)),
            FaultKind::PauseService { .. }
            | FaultKind::SlowCpu { .. }
            | FaultKind::Crash { .. }
            | FaultKind::RackLoss { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Restore { .. }
            | FaultKind::SwapDisks { .. }
            | FaultKind::Twin { .. }
            | FaultKind::Reconfigure { .. }
            | FaultKind::Rolling { .. }
            | FaultKind::Clock { .. } => self.recover(number, &kind, seq),
            FaultKind::Restart { .. }
            | FaultKind::Resume { .. }
            | FaultKind::Heal { .. }
            | FaultKind::Reset { .. }
            | FaultKind::Resets { .. }
            | FaultKind::End { .. } => {}
        }
    }

    /// Does something to the node of that name, or to every node. A name that nobody has is a fault without a target.
    pub(crate) fn each(&mut self, name: &Name, mut act: impl FnMut(&mut World, u16)) {
        if &**name == "*" {
            for node in 0..self.machines.len() {
                act(self, node as u16);
            }
        } else if let Some(node) = self.node_named(name) {
            act(self, node);
        }
    }

    pub(crate) fn rule(&mut self, episode: u32, ends: (&Name, &Name), both: bool, what: RuleKind, seq: u64) {
        let side = |name: &Name| if &**name == "*" { Some(None) } else { self.node_named(name).map(Some) };
        let (Some(from), Some(to)) = (side(ends.0), side(ends.1)) else { return };
        self.net.rules.push(Rule { episode, from, to, both, what });
        self.apply_rules(seq);
    }

    fn heal(&mut self, from: &Name, to: &Name, seq: u64) {
        let [from, to] = [from, to].map(|name| self.node_named(name));
        let touches = |rule: &Rule, node: Option<u16>| node.is_none_or(|n| rule.from == Some(n) || rule.to == Some(n));
        self.net.rules.retain(|rule| rule.what != RuleKind::Cut || !(touches(rule, from) && touches(rule, to)));
        self.apply_rules(seq);
    }

    pub(crate) fn apply_rules(&mut self, seq: u64) {
        let stamp = self.lab_stamp(seq);
        for lane in self.net.apply_rules() {
            self.release(lane, &stamp);
        }
    }

    /// Resets the connections between two nodes: of what is under way in each direction a drawn number of whole frames
    /// arrives, of a byte stream a part of the next one, too; the rest is lost, and both sides hear of it.
    pub(crate) fn reset(&mut self, (from, to): (&Name, &Name), prefix: Prefix, seq: u64) {
        let stamp = self.lab_stamp(seq);
        let [from, to] = [from, to].map(|name| (&**name == "*", self.node_named(name)));
        let is = |(any, named): (bool, Option<u16>), node: u16| any || named == Some(node);
        for link in 0..self.net.conns.len() {
            let conn = &self.net.conns[link];
            let [a, b] = conn.ends;
            let between = (is(from, a.node) && is(to, b.node)) || (is(from, b.node) && is(to, a.node));
            if between && a.state == EndState::Open && b.state == EndState::Open {
                for side in [OPENER, ACCEPTOR] {
                    self.reset_way(&stamp, (link as u32, side), prefix);
                }
            }
        }
    }

    fn reset_way(&mut self, stamp: &Stamp, (link, side): (u32, usize), prefix: Prefix) {
        let way = &self.net.conns[link as usize].ways[side];
        let (next, under_way) = (way.next, u64::from(way.next - way.expected));
        let lane = &self.net.lanes[way.lane as usize];
        let name = |node: u16| &*self.machines[usize::from(node)].setup.name;
        let number = u64::from(link).to_string();
        let path = ["reset", name(lane.from), name(lane.to), number.as_str()];
        let mut stream = self.dice.stream(&path);
        let mut rolled = |rec: &mut Recorder, below: u64| {
            let roll = stream.below(below);
            rec.words(roll.stream, roll.ordinal);
            rec.note(stamp, Tag::Rolled, (roll.of, roll.got), || {
                let stream = crate::lab::sim::dice::path_name(&path);
                What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
            });
            roll.got
        };
        let drawn = rolled(&mut self.rec, under_way + 1);
        let whole = match prefix {
            Prefix::Uniform => drawn,
            Prefix::None => 0,
            Prefix::All => under_way,
        };
        let lost = next - (under_way - whole) as u32;
        let mut dropped = 0_u64;
        for flight in self.net.flights.iter_mut() {
            let ours = flight.link == link && usize::from(flight.side) == side;
            if ours && lost <= flight.number && matches!(flight.parcel, Parcel::Frame(_)) {
                if let (true, Prefix::Uniform, Parcel::Frame(Frame::Bytes(bytes))) =
                    (flight.number == lost, prefix, &mut flight.parcel)
                {
                    // A byte stream may be cut anywhere.
                    let part = rolled(&mut self.rec, bytes.len() as u64 + 1) as usize;
                    if 0 < part && part < bytes.len() {
                        bytes.truncate(part);
                        continue;
                    }
                }
                flight.parcel = Parcel::Lost;
                dropped += 1;
            }
        }
        for _ in 0..dropped {
            let note = || What::Road(Road::Dropped { link: LinkId(link), why: "reset" });
            self.rec.note(stamp, Tag::Dropped, (u64::from(link), 0), note);
        }
        self.launch(stamp, link, side, Parcel::Rst);
    }
}
