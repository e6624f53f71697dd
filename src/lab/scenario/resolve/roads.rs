//! Faults of roads: each verb with its ends and its numbers; what is left out is the catalogue's default.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::faults::Kinds;
use super::{Resolver, clip, place};
use crate::lab::fault::episode::FaultKind;
use crate::lab::fault::road::{PlayedBy, Prefix, RoadWrong, Shape, Share, Split, Spread};
use crate::lab::scenario::fault::FaultScript;
use crate::lab::scenario::script::Text;
use crate::lab::scenario::wrong::{LatencyScript, PartitionScript, ResetsScript};
use crate::mq::message::Name;
use crate::mq::time::Span;

/// The verbs of this file, for those that name none.
pub(super) const VERBS: &str = "latency, bandwidth, stall, datagram, resets, half-open, partition, flap, clog, swizzle, \
                                refuse-connect, full-table, port-exhaustion, slow-accept, split-view";

const MICROS_200: Span = Span::from_micros(200);
const MILLI: Span = Span::from_millis(1);
const SECOND: Span = Span::from_secs(1);
const MINUTE: Span = Span::from_secs(60);
const HOUR: Span = Span::from_secs(3_600);

/// Both ends and whether one way is meant.
type Ends<'a> = (&'a Option<Text>, &'a Option<Text>, &'a Option<Spanned<bool>>);

impl Resolver<'_> {
    pub(super) fn bent_roads(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(latency) = &table.latency {
            let script = latency.get_ref();
            let wrong = RoadWrong::Latency(self.spread(script));
            self.bent(kinds, latency.span(), (&script.from, &script.to, &script.one_way), wrong);
        }
        if let Some(narrow) = &table.bandwidth {
            let script = narrow.get_ref();
            let per_second = self.number(&script.rate, 100_000_000, 1_000..=10_000_000_000, "rate") as u64;
            let buffer = self.number(&script.buffer, 1 << 20, 1_024..=1 << 30, "buffer") as u64;
            let wrong = RoadWrong::Bandwidth { per_second, buffer };
            self.bent(kinds, narrow.span(), (&script.from, &script.to, &script.one_way), wrong);
        }
        if let Some(stall) = &table.stall {
            let script = stall.get_ref();
            let odds = self.share(&script.odds, (1, 100));
            let first = self.within(&script.first, Span::from_millis(200), MILLI..=MINUTE, "first");
            let wrong = RoadWrong::Stall { odds, first };
            self.bent(kinds, stall.span(), (&script.from, &script.to, &script.one_way), wrong);
        }
        if let Some(datagram) = &table.datagram {
            let script = datagram.get_ref();
            let (drop, twice) = (self.share(&script.drop, (1, 20)), self.share(&script.twice, (1, 20)));
            let window = self.number(&script.window, 4, 0..=16, "window") as u64;
            let wrong = RoadWrong::Datagram { drop, twice, window };
            self.bent(kinds, datagram.span(), (&script.from, &script.to, &script.one_way), wrong);
        }
        if let Some(clog) = &table.clog {
            let script = clog.get_ref();
            let odds = self.share(&script.odds, (1, 200));
            let mean = self.within(&script.mean, SECOND, MILLI..=MINUTE, "mean");
            let wrong = RoadWrong::Clog { odds, mean };
            self.bent(kinds, clog.span(), (&script.from, &script.to, &script.one_way), wrong);
        }
        self.connects(table, kinds);
        self.resets(table, kinds);
        self.divisions(table, kinds);
    }

    fn connects(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        let one_way = Some(Spanned::new(0..0, true));
        if let Some(half) = &table.half_open {
            let script = half.get_ref();
            self.bent(kinds, half.span(), (&script.from, &script.to, &one_way), RoadWrong::HalfOpen);
        }
        if let Some(refuse) = &table.refuse_connect {
            let script = refuse.get_ref();
            if let Some(by) = &script.by {
                let help = "leave it out, or write `slow-accept`";
                self.wrong("contradiction", Some(by.span()), "a refused connect is refused at once".into(), help);
            }
            let wrong = RoadWrong::RefuseConnect { odds: self.share(&script.odds, (1, 20)) };
            self.bent(kinds, refuse.span(), (&script.from, &script.to, &one_way), wrong);
        }
        if let Some(full) = &table.full_table {
            let script = full.get_ref();
            let wrong = RoadWrong::FullTable { room: self.number(&script.room, 0, 0..=65_536, "room") as u64 };
            self.bent(kinds, full.span(), (&script.from, &script.to, &one_way), wrong);
        }
        if let Some(none) = &table.port_exhaustion {
            let script = none.get_ref();
            let wrong = RoadWrong::PortExhaustion { ports: self.number(&script.ports, 0, 0..=65_536, "ports") as u64 };
            self.bent(kinds, none.span(), (&script.from, &script.to, &one_way), wrong);
        }
        if let Some(slow) = &table.slow_accept {
            let script = slow.get_ref();
            if let Some(odds) = &script.odds {
                let help = "leave it out, or write `refuse-connect`";
                self.wrong("contradiction", Some(odds.span()), "every connect is accepted late".into(), help);
            }
            let two = Span::from_secs(2);
            let (min, max) = self.spans(&script.by, (two, two));
            if HOUR < max {
                let help = "write a span or a range of at most 1h";
                self.wrong("out_of_range", place(&script.by), format!("by = {max} is out of range"), help);
            }
            let wrong = RoadWrong::SlowAccept { min, max };
            self.bent(kinds, slow.span(), (&script.from, &script.to, &one_way), wrong);
        }
    }

    fn resets(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(reset) = &table.reset {
            let script: &ResetsScript = reset.get_ref();
            if let Some(every) = &script.every {
                let message = "a `reset` happens once".to_owned();
                self.wrong("contradiction", Some(every.span()), message, "write `resets` for many");
            }
            let prefix = self.word(&script.prefix, "prefix", &Prefix::ALL);
            let [from, to] = self.ends(&script.from, &script.to);
            kinds.push((reset.span(), FaultKind::Reset { from, to, prefix }));
        }
        if let Some(resets) = &table.resets {
            let script = resets.get_ref();
            let prefix = self.word(&script.prefix, "prefix", &Prefix::ALL);
            let mean = self.within(&script.every, Span::from_secs(50), MILLI..=HOUR, "every");
            let [from, to] = self.ends(&script.from, &script.to);
            kinds.push((resets.span(), FaultKind::Resets { from, to, mean, prefix }));
        }
    }

    fn divisions(&mut self, table: &FaultScript, kinds: &mut Kinds) {
        if let Some(partition) = &table.partition {
            let script = partition.get_ref();
            let both = !script.one_way.as_ref().is_some_and(|one_way| *one_way.get_ref());
            if let Some(split) = self.split(script, partition.span()) {
                kinds.push((partition.span(), FaultKind::Partition { split, both }));
            }
        }
        if let Some(flap) = &table.flap {
            let script = flap.get_ref();
            let [from, to] = self.ends(&script.from, &script.to);
            let both = !script.one_way.as_ref().is_some_and(|one_way| *one_way.get_ref());
            let down = self.within(&script.down, SECOND, MILLI..=HOUR, "down");
            let up = self.within(&script.up, SECOND, MILLI..=HOUR, "up");
            let cycles = self.number(&script.cycles, 10, 1..=10_000, "cycles") as u64;
            kinds.push((flap.span(), FaultKind::Flap { from, to, both, down, up, cycles }));
        }
        if let Some(swizzle) = &table.swizzle {
            let script = swizzle.get_ref();
            let nodes = match &script.nodes {
                Some(nodes) => nodes.iter().map(|node| self.target(node)).collect(),
                None => vec![Name::from("*")],
            };
            let every = self.within(&script.every, SECOND, MILLI..=HOUR, "every");
            kinds.push((swizzle.span(), FaultKind::Swizzle { nodes, every }));
        }
        if let Some(view) = &table.split_view {
            let script = view.get_ref();
            let (broker, nameserver) = (self.node(&script.broker), self.node(&script.nameserver));
            if self.nodes.contains(&broker) && !self.is_broker(&broker) {
                let message = format!("\"{broker}\" registers with no nameserver");
                self.wrong("wrong_value", Some(script.broker.span()), message, "name a broker");
            }
            if self.nodes.contains(&nameserver) && !nameserver.starts_with("ns-") {
                let message = format!("\"{nameserver}\" is no nameserver");
                self.wrong("wrong_value", Some(script.nameserver.span()), message, "e.g. `nameserver = \"ns-1\"`");
            }
            kinds.push((view.span(), FaultKind::SplitView { broker, nameserver }));
        }
    }

    /// How a partition divides: one key says it.
    fn split(&mut self, script: &PartitionScript, at: std::ops::Range<usize>) -> Option<Split> {
        let mut splits = Vec::new();
        if let Some(node) = &script.isolate {
            splits.push((node.span(), Split::Isolate(self.node(node))));
        }
        if let Some(side) = &script.side {
            let nodes = side.get_ref().iter().map(|node| self.node(node)).collect();
            splits.push((side.span(), Split::Halves(nodes)));
        }
        if let Some(node) = &script.bridge {
            splits.push((node.span(), Split::Bridge(self.node(node))));
        }
        if let Some(ring) = script.ring.as_ref().filter(|ring| *ring.get_ref()) {
            splits.push((ring.span(), Split::Ring));
        }
        match (&script.role, &script.other_role) {
            (Some(role), Some(_)) => {
                let one = self.word(&script.role, "role", &PlayedBy::ALL);
                let other = self.word(&script.other_role, "other-role", &PlayedBy::ALL);
                splits.push((role.span(), Split::Roles(one, other)));
            }
            (None, None) => {}
            (one, other) => {
                let at = place(one).or(place(other));
                let help = "write `role = \"clients\", other-role = \"brokers\"`";
                self.wrong("missing", at, "two roles are divided from each other".into(), help);
                return None;
            }
        }
        if let Some((second, _)) = splits.get(1) {
            let message = "a partition is divided in one way".to_owned();
            self.wrong("contradiction", Some(second.clone()), message, "write one [[fault]] for each");
        } else if splits.is_empty() {
            let help = "add one of: isolate, side, bridge, ring, role";
            self.wrong("missing", Some(at), "this partition does not say who is on which side".into(), help);
        }
        splits.into_iter().next().map(|(_, split)| split)
    }

    fn bent(&mut self, kinds: &mut Kinds, at: std::ops::Range<usize>, ends: Ends<'_>, wrong: RoadWrong) {
        let [from, to] = self.ends(ends.0, ends.1);
        let both = !ends.2.as_ref().is_some_and(|one_way| *one_way.get_ref());
        kinds.push((at, FaultKind::Road { from, to, both, wrong }));
    }

    fn spread(&mut self, script: &LatencyScript) -> Spread {
        let min = self.within(&script.min, MICROS_200, Span::ZERO..=HOUR, "min");
        let mean = self.within(&script.mean, min + MILLI, Span::ZERO..=HOUR, "mean");
        if mean < min {
            let message = format!("a mean of {mean} is below the least, {min}");
            self.wrong("contradiction", place(&script.mean), message, "write a mean that is at least `min`");
        }
        let names = [("exponential", 0), ("lognormal", 1), ("bimodal", 2), ("pareto", 3)];
        let shape = match self.word(&script.shape, "shape", &names) {
            0 => Shape::Exponential,
            1 => Shape::LogNormal,
            2 => Shape::Bimodal,
            _ => Shape::Pareto { hundredths: self.alpha(&script.alpha) },
        };
        if let (Some(alpha), false) = (&script.alpha, matches!(shape, Shape::Pareto { .. })) {
            let help = "write `shape = \"pareto\"`, or leave it out";
            self.wrong("contradiction", Some(alpha.span()), "only Pareto's shape has an alpha".into(), help);
        }
        Spread { min, mean, shape }
    }

    fn alpha(&mut self, given: &Option<Spanned<f64>>) -> u64 {
        let Some(alpha) = given else { return 150 };
        let value = *alpha.get_ref();
        if !(1.1..=3.0).contains(&value) {
            let message = format!("alpha = {value} is out of range");
            self.wrong("out_of_range", Some(alpha.span()), message, "between 1.1 and 3.0");
            return 150;
        }
        (value * 100.0).round() as u64
    }

    /// `1 in 20`.
    pub(super) fn share(&mut self, given: &Option<Text>, default: (u64, u64)) -> Share {
        let (times, out_of) = self.odds(given).unwrap_or(default);
        Share { times, out_of }
    }

    /// A span of some range.
    pub(super) fn within(
        &mut self,
        given: &Option<Text>,
        default: Span,
        range: RangeInclusive<Span>,
        what: &str,
    ) -> Span {
        let span = self.span(given, default);
        if given.is_none() || range.contains(&span) {
            return span;
        }
        let text = given.as_ref().map_or("", |text| text.get_ref().as_str());
        let message = format!("{what} = {} is out of range", clip(text));
        let help = format!("between {} and {}", range.start(), range.end());
        self.wrong("out_of_range", place(given), message, &help);
        default
    }

    pub(super) fn is_broker(&self, node: &Name) -> bool {
        let names = self.script.broker.iter().filter_map(|broker| broker.get_ref().name.as_ref());
        names.into_iter().any(|name| *name.get_ref() == node.as_str())
    }
}
