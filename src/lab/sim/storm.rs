//! Faults that act more than once, and those that divide the nodes: each turn is a step of the lab's own, and what it
//! chooses comes from the fault's own stream.

use crate::lab::fault::episode::FaultKind;
use crate::lab::fault::process::ClockWrong;
use crate::lab::fault::road::{PlayedBy, Shape, Split, Spread};
use crate::lab::sim::dice::{Stream, path_name};
use crate::lab::sim::errand::ErrandKind;
use crate::lab::sim::link::{Rule, RuleKind};
use crate::lab::sim::process::Death;
use crate::lab::sim::record::{Stamp, Tag};
use crate::lab::sim::spread;
use crate::lab::sim::world::World;
use crate::lab::trace::log::Role;
use crate::lab::trace::record::What;
use crate::mq::message::Name;
use crate::mq::time::Span;

/// A fault under way that acts again.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    pub(crate) stream: Stream,
    /// The stream's path as a person reads it.
    pub(crate) path: Name,
    /// Turns taken.
    pub(crate) turn: usize,
    /// Nodes, in the order in which it gets at them.
    pub(crate) order: Vec<u16>,
}

impl World {
    /// What a fault's draws are addressed by: its verb, and which one it is of those with this verb and this target. So
    /// neither its name nor any other fault of the plan shifts them.
    pub(crate) fn fault_tag(&self, number: u32) -> Name {
        let kind = &self.setup.episodes[number as usize].kind;
        let (verb, target) = (kind.verb(), kind.target());
        let before = self.setup.episodes[..number as usize].iter();
        match before.filter(|other| other.kind.verb() == verb && other.kind.target() == target).count() {
            0 => Name::from(verb),
            before => Name::from(format!("{verb}#{}", before + 1)),
        }
    }

    /// A fault begins that draws for itself and may act again.
    pub(crate) fn raise_storm(&mut self, number: u32) {
        let (tag, target) = (self.fault_tag(number), self.setup.episodes[number as usize].kind.target());
        let path = ["fault", tag.as_str(), target.as_str()];
        let storm = Storm { stream: self.dice.stream(&path), path: path_name(&path), turn: 0, order: Vec::new() };
        self.storms.insert(number, storm);
    }

    /// A draw of such a fault.
    pub(crate) fn storm_draw(&mut self, number: u32, below: u64, stamp: &Stamp) -> u64 {
        let Some(storm) = self.storms.get_mut(&number) else { return 0 };
        let roll = storm.stream.below(below.max(1));
        self.rec.words(roll.stream, roll.ordinal);
        self.rec.note(stamp, Tag::Rolled, (roll.of, roll.got), || {
            let stream = storm.path.clone();
            What::Rolled { stream, ordinal: roll.ordinal, of: roll.of, got: roll.got }
        });
        roll.got
    }

    /// Its next turn, in a step of its own.
    pub(crate) fn storm_again(&mut self, number: u32, span: Span, seq: u64) {
        self.errand(self.after(span), ErrandKind::Turn(number), seq);
    }

    /// Some of these numbers, each once, in a drawn order.
    pub(crate) fn storm_order(&mut self, number: u32, mut from: Vec<u16>, count: usize, stamp: &Stamp) -> Vec<u16> {
        let mut order = Vec::with_capacity(count);
        for _ in 0..count.min(from.len()) {
            let at = self.storm_draw(number, from.len() as u64, stamp) as usize;
            order.push(from.swap_remove(at));
        }
        order
    }

    /// The nodes of these names; `*` is all.
    pub(crate) fn nodes_named(&self, names: &[Name]) -> Vec<u16> {
        if names.iter().any(|name| &**name == "*") {
            return (0..self.machines.len() as u16).collect();
        }
        names.iter().filter_map(|name| self.node_named(name)).collect()
    }

    /// A turn comes up. Gives whether that was a step.
    pub(crate) fn storm_turn(&mut self, number: u32, cause: u64) -> bool {
        if !self.storms.contains_key(&number) {
            return false;
        }
        self.begin_lab(cause);
        let kind = self.setup.episodes[number as usize].kind.clone();
        self.storm_acts(number, &kind, cause);
        true
    }

    /// What a fault does at a turn, its first one included.
    pub(crate) fn storm_acts(&mut self, number: u32, kind: &FaultKind, seq: u64) {
        let stamp = self.lab_stamp(seq);
        let Some(storm) = self.storms.get_mut(&number) else { return };
        let turn = storm.turn;
        storm.turn += 1;
        match kind {
            FaultKind::Resets { from, to, mean, prefix } => {
                if turn > 0 {
                    self.reset((from, to), *prefix, seq);
                }
                let spread = Spread { min: Span::ZERO, mean: *mean, shape: Shape::Exponential };
                let span = spread::pick(&spread, self.storm_draw(number, spread::OF, &stamp));
                self.storm_again(number, span.max(Span(1)), seq);
            }
            FaultKind::Flap { from, to, both, down, up, cycles } => {
                let goes_down = turn.is_multiple_of(2);
                if turn as u64 >= 2 * cycles {
                    self.errand(self.now, ErrandKind::End(number), seq);
                    return;
                }
                if goes_down {
                    self.rule(number, (from, to), *both, RuleKind::Cut, seq);
                } else {
                    self.unrule(number, seq);
                }
                let base = if goes_down { *down } else { *up };
                // A tenth either way.
                let jitter = self.storm_draw(number, base.0 / 5 + 1, &stamp);
                self.storm_again(number, Span((base.0 - base.0 / 10 + jitter).max(1)), seq);
            }
            FaultKind::Swizzle { nodes, every } => self.swizzle(number, turn, (nodes, *every), seq),
            FaultKind::Rolling { nodes, every, down } => {
                let Some(&node) = self.nodes_named(nodes).get(turn) else {
                    return self.errand(self.now, ErrandKind::End(number), seq);
                };
                self.die(node, Death::Killed, seq);
                self.errand(self.after(*down), ErrandKind::Boot(node), seq);
                self.storm_again(number, *every, seq);
            }
            FaultKind::Clock { node, wrong: ClockWrong::Freeze { span, faster } } => {
                self.each(node, |world, node| world.clock_turns(number, node, (*span, *faster), seq));
            }
            _ => {}
        }
    }

    fn swizzle(&mut self, number: u32, turn: usize, (nodes, every): (&[Name], Span), seq: u64) {
        let stamp = self.lab_stamp(seq);
        if turn == 0 {
            let all = self.nodes_named(nodes);
            let half = all.len().div_ceil(2);
            let stopped = self.storm_order(number, all, half, &stamp);
            let released = self.storm_order(number, stopped.clone(), half, &stamp);
            if let Some(storm) = self.storms.get_mut(&number) {
                storm.order = [stopped, released].concat();
            }
        }
        let Some(storm) = self.storms.get(&number) else { return };
        let half = storm.order.len() / 2;
        let Some(&node) = storm.order.get(turn) else {
            return self.errand(self.now, ErrandKind::End(number), seq);
        };
        if turn < half {
            self.net.rules.push(Rule { episode: number, from: Some(node), to: None, both: true, what: RuleKind::Cut });
        } else {
            self.net.rules.retain(|rule| rule.episode != number || rule.from != Some(node));
        }
        self.apply_rules(seq);
        self.storm_again(number, every, seq);
    }

    /// Divides the nodes.
    pub(crate) fn divide(&mut self, number: u32, split: &Split, both: bool, seq: u64) {
        self.raise_storm(number);
        let stamp = self.lab_stamp(seq);
        let all: Vec<u16> = (0..self.machines.len() as u16).collect();
        let pairs = |one: &[u16], other: &[u16]| -> Vec<(u16, u16)> {
            one.iter().flat_map(|&a| other.iter().filter(move |&&b| a != b).map(move |&b| (a, b))).collect()
        };
        let others = |some: &[u16]| -> Vec<u16> { all.iter().copied().filter(|node| !some.contains(node)).collect() };
        let cut = match split {
            Split::Isolate(node) => {
                let one = self.nodes_named(std::slice::from_ref(node));
                pairs(&one, &others(&one))
            }
            Split::Halves(names) if names.is_empty() => {
                let mut one = Vec::new();
                for &node in &all {
                    // A side is drawn for each node, so that one node more shifts no other's.
                    if self.storm_draw(number, 2, &stamp) == 0 {
                        one.push(node);
                    }
                }
                pairs(&one, &others(&one))
            }
            Split::Halves(names) => {
                let one = self.nodes_named(names);
                pairs(&one, &others(&one))
            }
            Split::Bridge(node) => {
                let bridge = self.nodes_named(std::slice::from_ref(node));
                let rest = others(&bridge);
                let (one, other) = rest.split_at(rest.len() / 2);
                pairs(one, other)
            }
            Split::Ring => {
                let count = all.len();
                // A majority is reached: itself, and the nearest on both sides.
                let reach = (count / 2).div_ceil(2);
                let far = |a: u16, b: u16| {
                    let apart = usize::from(a.abs_diff(b));
                    apart.min(count - apart) > reach
                };
                pairs(&all, &all).into_iter().filter(|&(a, b)| far(a, b)).collect()
            }
            Split::Roles(one, other) => pairs(&self.playing(*one), &self.playing(*other)),
        };
        for (from, to) in cut {
            self.net.rules.push(Rule { episode: number, from: Some(from), to: Some(to), both, what: RuleKind::Cut });
        }
        self.apply_rules(seq);
    }

    fn playing(&self, role: PlayedBy) -> Vec<u16> {
        let role = match role {
            PlayedBy::Clients => Role::Client,
            PlayedBy::Brokers => Role::Broker,
            PlayedBy::Nameservers => Role::Nameserver,
        };
        let numbers = 0..self.machines.len() as u16;
        numbers.filter(|&node| self.machines[usize::from(node)].setup.role == role).collect()
    }

    /// Takes a fault's rules away.
    pub(crate) fn unrule(&mut self, number: u32, seq: u64) {
        self.net.rules.retain(|rule| rule.episode != number);
        self.apply_rules(seq);
    }
}
