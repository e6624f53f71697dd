//! What a plan is drawn from: servers here, applications and faults beside, each within the bounds that a test gives.

use std::fmt::Write;
use std::ops::RangeInclusive;

use crate::lab::prop::faults::Faults;
use crate::lab::prop::workload::Workload;
use crate::lab::sim::dice::{Dice, Stream};

/// The clients boot, in milliseconds.
const START: u64 = 1_000;
/// From here on things go wrong.
const WARM: u64 = 6_000;
/// A slave's first report comes ten seconds after its boot.
const SLAVES: u64 = 10_000;
/// From the last heal to the end: nothing that fails three times is still under way.
const DRAIN: u64 = 75_000;

/// How a broker keeps records: `flushDiskType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// `ASYNC_FLUSH`.
    Async,
    /// `SYNC_FLUSH`.
    Sync,
}

/// What a master's acknowledgement waits for: `brokerRole`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replication {
    /// `ASYNC_MASTER`.
    Async,
    /// `SYNC_MASTER`.
    Sync,
}

/// Servers: see [`topology`].
#[derive(Clone, Debug)]
pub struct Topology {
    nameservers: (u64, u64),
    pairs: (u64, u64),
    slaves: bool,
    flush: Vec<Flush>,
    replication: Vec<Replication>,
}

/// One nameserver and one master of either flush, until it is told otherwise.
pub fn topology() -> Topology {
    Topology {
        nameservers: (1, 1),
        pairs: (1, 1),
        slaves: false,
        flush: vec![Flush::Async, Flush::Sync],
        replication: vec![Replication::Async],
    }
}

impl Topology {
    /// How many nameservers; at least one, at most three.
    pub fn nameservers(self, many: RangeInclusive<u64>) -> Topology {
        Topology { nameservers: bounds(&many, 3), ..self }
    }

    /// How many brokers; at least one, at most three.
    pub fn pairs(self, many: RangeInclusive<u64>) -> Topology {
        Topology { pairs: bounds(&many, 3), ..self }
    }

    /// Whether masters may have a slave.
    pub fn slaves(self, may: bool) -> Topology {
        Topology { slaves: may, ..self }
    }

    /// One of these is drawn; none given changes nothing.
    pub fn flush(self, one_of: impl IntoIterator<Item = Flush>) -> Topology {
        let flush: Vec<Flush> = one_of.into_iter().collect();
        if flush.is_empty() { self } else { Topology { flush, ..self } }
    }

    /// Where masters have a slave, one of these is drawn; none given changes nothing.
    pub fn replication(self, one_of: impl IntoIterator<Item = Replication>) -> Topology {
        let replication: Vec<Replication> = one_of.into_iter().collect();
        if replication.is_empty() { self } else { Topology { replication, ..self } }
    }
}

/// A range of at least one and at most so many.
pub(super) fn bounds(many: &RangeInclusive<u64>, most: u64) -> (u64, u64) {
    let least = (*many.start()).clamp(1, most);
    (least, (*many.end()).clamp(least, most))
}

/// The scenario of a seed.
pub(super) fn scenario(seed: u64, topology: &Topology, workload: &Workload, faults: &Faults) -> String {
    let dice = Dice::new(seed);
    let mut draw = Draw { stream: dice.stream(&["prop", "servers"]), out: String::new() };
    let pairs = draw.between(topology.pairs);
    let nameservers = draw.between(topology.nameservers);
    let flush = *draw.one(&topology.flush);
    let slaves = topology.slaves && draw.between((0, 1)) == 1;
    let later = if slaves { SLAVES } else { 0 };
    let (start, warm) = (START + later, WARM + later);
    let healed = warm + draw.between((6_000, 16_000));
    let floor = draw.between((200, 2_000));
    let until = healed + DRAIN + workload.longer();
    let _ = writeln!(draw.out, "format = 1\nid = \"plan-{seed}\"\nseed = {seed}\nuntil = \"{until}ms\"");
    draw.out.push_str("title.en = \"A plan\"\ntitle.zh = \"一份计划\"\n");
    draw.out.push_str("question.en = \"Does the property hold?\"\nquestion.zh = \"性质成立吗？\"\n");
    let _ = writeln!(draw.out, "\n[cluster]\nnameserver = {nameservers}");
    let _ = writeln!(draw.out, "network = {{ latency = \"{floor}us..{}us\" }}", floor + 3_000);
    let role = if slaves { *draw.one(&topology.replication) } else { Replication::Async };
    let (masters, brokers) = draw.brokers(pairs, slaves, (flush, role));
    draw.stream = dice.stream(&["prop", "traffic"]);
    let names: Vec<String> = masters.iter().map(quoted).collect();
    let queues = draw.between((1, 4));
    let topic = workload.topic_name();
    let _ = writeln!(draw.out, "\n[[topic]]\nname = \"{topic}\"\nqueues = {queues}\non = [{}]", names.join(", "));
    let clients = workload.write(&mut draw, start, healed);
    draw.stream = dice.stream(&["prop", "faults"]);
    let scene = Scene {
        nameservers,
        masters: &masters,
        brokers: &brokers,
        clients: &clients,
        of: (topic, workload.group_name()),
        flush,
        from: warm,
        to: healed,
    };
    faults.write(&mut draw, &scene);
    draw.stream = dice.stream(&["prop", "operators"]);
    faults.write_operator(&mut draw, &scene);
    draw.out
}

fn quoted(name: impl std::fmt::Display) -> String {
    format!("\"{name}\"")
}

/// Where things go wrong.
pub(super) struct Scene<'a> {
    pub(super) nameservers: u64,
    pub(super) masters: &'a [String],
    /// Masters and slaves.
    pub(super) brokers: &'a [String],
    pub(super) clients: &'a [String],
    /// The topic and the consumer group.
    pub(super) of: (&'a str, &'a str),
    pub(super) flush: Flush,
    /// When everybody has found each other, in milliseconds.
    pub(super) from: u64,
    /// When all has healed.
    pub(super) to: u64,
}

/// Choices from a stream, and the text that they become.
pub(super) struct Draw {
    stream: Stream,
    pub(super) out: String,
}

impl Draw {
    /// A number, both ends included.
    pub(super) fn between(&mut self, (least, most): (u64, u64)) -> u64 {
        least + self.stream.below(most - least + 1).got
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.stream.below(of.len() as u64).got as usize]
    }

    /// One of these words.
    pub(super) fn word<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.stream.below(of.len() as u64).got as usize]
    }

    /// Half of the time.
    pub(super) fn coin(&mut self) -> bool {
        self.between((0, 1)) == 1
    }

    /// A span forward or back, of at most so many milliseconds.
    pub(super) fn signed(&mut self, most: u64) -> String {
        format!("{}{}ms", self.one(&["", "-"]), self.between((10, most)))
    }

    pub(super) fn nameserver(&mut self, scene: &Scene<'_>) -> String {
        format!("ns-{}", self.between((1, scene.nameservers)))
    }

    pub(super) fn master(&mut self, scene: &Scene<'_>) -> String {
        self.one(scene.masters).clone()
    }

    pub(super) fn broker(&mut self, scene: &Scene<'_>) -> String {
        self.one(scene.brokers).clone()
    }

    pub(super) fn client(&mut self, scene: &Scene<'_>) -> String {
        self.one(scene.clients).clone()
    }

    /// A broker mostly, or a nameserver.
    pub(super) fn server(&mut self, scene: &Scene<'_>) -> String {
        if self.between((0, 4)) == 0 { self.nameserver(scene) } else { self.broker(scene) }
    }

    pub(super) fn any(&mut self, scene: &Scene<'_>) -> String {
        if self.coin() { self.server(scene) } else { self.client(scene) }
    }

    /// The two ends of a road: a client's to a broker mostly.
    pub(super) fn ends(&mut self, scene: &Scene<'_>) -> String {
        let (broker, client) = (self.broker(scene), self.client(scene));
        match self.between((0, 5)) {
            0 => format!("from = \"{broker}\", to = \"{}\"", self.nameserver(scene)),
            1 => format!("from = \"{client}\", to = \"{}\"", self.nameserver(scene)),
            2 => format!("from = \"{broker}\", to = \"{client}\""),
            _ => format!("from = \"{client}\", to = \"{broker}\""),
        }
    }

    /// Masters, and all brokers.
    fn brokers(
        &mut self,
        pairs: u64,
        slaves: bool,
        (flush, replication): (Flush, Replication),
    ) -> (Vec<String>, Vec<String>) {
        let (mut masters, mut names) = (Vec::new(), Vec::new());
        let flush = if flush == Flush::Sync { "sync" } else { "async" };
        for name in &["broker-a", "broker-b", "broker-c"][..pairs as usize] {
            let _ = writeln!(self.out, "\n[[broker]]\nname = \"{name}\"\nflush = \"{flush}\"");
            if replication == Replication::Sync {
                self.out.push_str("role = \"sync-master\"\n");
            }
            masters.push((*name).to_owned());
            names.push((*name).to_owned());
            if slaves {
                let _ = writeln!(self.out, "\n[[broker]]\nname = \"{name}-s\"\nrole = \"slave\"\nof = \"{name}\"");
                names.push(format!("{name}-s"));
            }
        }
        (masters, names)
    }
}
