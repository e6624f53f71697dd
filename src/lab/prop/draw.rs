//! What a plan is drawn from: servers, traffic and faults, each within the bounds that a test gives.

use std::fmt::Write;
use std::ops::{Range, RangeInclusive};

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

/// Servers: see [`topology`].
#[derive(Clone, Debug)]
pub struct Topology {
    nameservers: (u64, u64),
    pairs: (u64, u64),
    slaves: bool,
    flush: Vec<Flush>,
}

/// One nameserver and one master of either flush, until it is told otherwise.
pub fn topology() -> Topology {
    Topology { nameservers: (1, 1), pairs: (1, 1), slaves: false, flush: vec![Flush::Async, Flush::Sync] }
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
}

/// Applications: see [`workload`].
#[derive(Clone, Debug)]
pub struct Workload {
    topic: String,
    group: String,
    orderly: bool,
    members: (u64, u64),
    producers: (u64, u64),
    keys: (u64, u64),
    messages: (u64, u64),
}

/// One producer that sends 8 to 40 messages of topic `orders` with up to 8 keys to one consumer of group `consumers`.
///
/// Each message's body names it alone: [`crate::lab::prop::identity`].
pub fn workload() -> Workload {
    let (topic, group) = ("orders".to_owned(), "consumers".to_owned());
    let (members, producers, keys, messages) = ((1, 1), (1, 1), (1, 8), (8, 40));
    Workload { topic, group, orderly: false, members, producers, keys, messages }
}

impl Workload {
    /// The topic.
    pub fn topic(self, topic: &str) -> Workload {
        Workload { topic: topic.to_owned(), ..self }
    }

    /// The consumer group, for [`crate::lab::prop::Lab::consumer`].
    pub fn group(self, group: &str) -> Workload {
        Workload { group: group.to_owned(), ..self }
    }

    /// Whether the listener is a `MessageListenerOrderly`, and messages of one key go to one queue.
    pub fn orderly(self, orderly: bool) -> Workload {
        Workload { orderly, ..self }
    }

    /// How many clients are in the group; a ledger lies on one machine, so more than one have several.
    pub fn members(self, many: RangeInclusive<u64>) -> Workload {
        Workload { members: bounds(&many, 4), ..self }
    }

    /// How many producers.
    pub fn producers(self, many: RangeInclusive<u64>) -> Workload {
        Workload { producers: bounds(&many, 4), ..self }
    }

    /// How many keys there are.
    pub fn keys(self, many: Range<u64>) -> Workload {
        Workload { keys: bounds(&(many.start..=many.end.saturating_sub(1)), 1_000), ..self }
    }

    /// How many messages each producer sends.
    pub fn messages(self, many: RangeInclusive<u64>) -> Workload {
        Workload { messages: bounds(&many, 10_000), ..self }
    }
}

/// What goes wrong: see [`faults`].
#[derive(Clone, Debug)]
pub struct Faults {
    beyond: bool,
    kinds: Vec<Kind>,
    max: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Process,
    Network,
    Clients,
    Power,
}

/// Nothing, until kinds are named; at most four faults, and within what is promised.
pub fn faults() -> Faults {
    Faults { beyond: false, kinds: Vec::new(), max: 4 }
}

impl Faults {
    /// No fault takes away what a promise rests on, as it is without a word.
    pub fn within(self) -> Faults {
        Faults { beyond: false, ..self }
    }

    /// Any fault: then only honesty is owed.
    pub fn beyond(self) -> Faults {
        Faults { beyond: true, ..self }
    }

    /// Servers die, stop and stand still.
    pub fn process(self) -> Faults {
        self.and(Kind::Process)
    }

    /// Roads are cut, slow, and connections reset.
    pub fn network(self) -> Faults {
        self.and(Kind::Network)
    }

    /// Client processes die, stop and stand still.
    pub fn clients(self) -> Faults {
        self.and(Kind::Clients)
    }

    /// Machines of brokers lose power; within what is promised only where every record is forced first.
    pub fn power(self) -> Faults {
        self.and(Kind::Power)
    }

    /// No more faults than this.
    pub fn max_episodes(self, most: u64) -> Faults {
        Faults { max: most, ..self }
    }

    fn and(mut self, kind: Kind) -> Faults {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        self
    }

    /// Whether a plan's faults know no bounds.
    pub(super) fn is_beyond(&self) -> bool {
        self.beyond
    }
}

/// A range of at least one and at most so many.
fn bounds(many: &RangeInclusive<u64>, most: u64) -> (u64, u64) {
    let least = (*many.start()).clamp(1, most);
    (least, (*many.end()).clamp(least, most))
}

/// The scenario of a seed.
pub(super) fn scenario(seed: u64, topology: &Topology, workload: &Workload, faults: &Faults) -> String {
    let dice = Dice::new(seed);
    let mut draw = Draw { stream: dice.stream(&["prop", "servers"]), out: String::new() };
    let pairs = draw.between(topology.pairs);
    let nameservers = draw.between(topology.nameservers);
    let flush = topology.flush[draw.between((0, topology.flush.len() as u64 - 1)) as usize];
    let slaves = topology.slaves && draw.between((0, 1)) == 1;
    let later = if slaves { SLAVES } else { 0 };
    let (start, warm) = (START + later, WARM + later);
    let healed = warm + draw.between((6_000, 16_000));
    let floor = draw.between((200, 2_000));
    let until = healed + DRAIN;
    let _ = writeln!(draw.out, "format = 1\nid = \"plan-{seed}\"\nseed = {seed}\nuntil = \"{until}ms\"");
    draw.out.push_str("title.en = \"A plan\"\ntitle.zh = \"一份计划\"\n");
    draw.out.push_str("question.en = \"Does the property hold?\"\nquestion.zh = \"性质成立吗？\"\n");
    let _ = writeln!(draw.out, "\n[cluster]\nnameserver = {nameservers}");
    let _ = writeln!(draw.out, "network = {{ latency = \"{floor}us..{}us\" }}", floor + 3_000);
    let brokers = draw.brokers(pairs, slaves, flush);
    draw.stream = dice.stream(&["prop", "traffic"]);
    let names: Vec<String> = ["broker-a", "broker-b", "broker-c"][..pairs as usize].iter().map(quoted).collect();
    let queues = draw.between((1, 4));
    let topic = &workload.topic;
    let _ = writeln!(draw.out, "\n[[topic]]\nname = \"{topic}\"\nqueues = {queues}\non = [{}]", names.join(", "));
    let clients = draw.clients(workload, start, healed);
    draw.stream = dice.stream(&["prop", "faults"]);
    let scene = Scene { brokers: &brokers, clients: &clients, flush, from: warm, to: healed };
    draw.faults(faults, &scene);
    draw.out
}

fn quoted(name: impl std::fmt::Display) -> String {
    format!("\"{name}\"")
}

struct Scene<'a> {
    brokers: &'a [String],
    clients: &'a [String],
    flush: Flush,
    from: u64,
    to: u64,
}

struct Draw {
    stream: Stream,
    out: String,
}

impl Draw {
    fn between(&mut self, (least, most): (u64, u64)) -> u64 {
        least + self.stream.below(most - least + 1).got
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.stream.below(of.len() as u64).got as usize]
    }

    fn brokers(&mut self, pairs: u64, slaves: bool, flush: Flush) -> Vec<String> {
        let mut names = Vec::new();
        let flush = if flush == Flush::Sync { "sync" } else { "async" };
        for name in &["broker-a", "broker-b", "broker-c"][..pairs as usize] {
            let _ = writeln!(self.out, "\n[[broker]]\nname = \"{name}\"\nflush = \"{flush}\"");
            names.push((*name).to_owned());
            if slaves {
                let _ = writeln!(self.out, "\n[[broker]]\nname = \"{name}-s\"\nrole = \"slave\"\nof = \"{name}\"");
                names.push(format!("{name}-s"));
            }
        }
        names
    }

    fn clients(&mut self, workload: &Workload, start: u64, healed: u64) -> Vec<String> {
        let Workload { topic, group, orderly, .. } = workload;
        let mut names = Vec::new();
        for number in 1..=self.between(workload.producers) {
            let (count, keys) = (self.between(workload.messages), self.between(workload.keys));
            let every = ((healed - start) / count).max(1);
            let name = format!("producer-{number}");
            let _ =
                writeln!(self.out, "\n[[producer]]\nname = \"{name}\"\ngroup = \"producers\"\nstart = \"{start}ms\"");
            let _ =
                writeln!(self.out, "[[producer.send]]\ntopic = \"{topic}\"\ncount = {count}\nevery = \"{every}ms\"");
            let _ = writeln!(self.out, "wait = \"1s\"\nkey = \"key-{{n%{keys}}}\"\nbody = \"{name}/{{n}}\"");
            if *orderly {
                self.out.push_str("select = \"hash:key\"\n");
            }
            names.push(name);
        }
        for number in 1..=self.between(workload.members) {
            let mode = if *orderly { "orderly" } else { "concurrent" };
            let name = format!("consumer-{number}");
            let _ = writeln!(self.out, "\n[[consumer]]\nname = \"{name}\"\ngroup = \"{group}\"\nstart = \"{start}ms\"");
            let _ = writeln!(self.out, "mode = \"{mode}\"\nfrom = \"first\"\nsubscribe = {{ \"{topic}\" = \"*\" }}");
            names.push(name);
        }
        names
    }

    fn faults(&mut self, faults: &Faults, scene: &Scene<'_>) {
        let may = |kind: &&Kind| **kind != Kind::Power || faults.beyond || scene.flush == Flush::Sync;
        let kinds: Vec<Kind> = faults.kinds.iter().filter(may).copied().collect();
        if kinds.is_empty() || faults.max == 0 {
            return;
        }
        for number in 1..=self.between((1, faults.max)) {
            let at = self.between((scene.from, scene.to - 2_000));
            let lasts = self.between((200, 8_000)).min(scene.to - at);
            let (broker, client) = (self.one(scene.brokers).clone(), self.one(scene.clients).clone());
            let kind = *self.one(&kinds);
            let (verb, body) = match kind {
                Kind::Power => ("power-loss", format!("node = \"{broker}\", keep = \"lose-all-unsynced\"")),
                Kind::Process | Kind::Clients => {
                    let node = if kind == Kind::Process { broker } else { client };
                    (*self.one(&["kill", "kill", "stop", "pause"]), format!("node = \"{node}\""))
                }
                Kind::Network => {
                    let ends = format!("from = \"{client}\", to = \"{broker}\"");
                    match self.between((0, 2)) {
                        0 => ("cut", ends),
                        1 => ("reset", ends),
                        _ => ("delay", format!("{ends}, by = \"{}ms\"", self.between((10, 2_000)))),
                    }
                }
            };
            let _ = writeln!(self.out, "\n[[fault]]\nname = \"{verb}-{number}\"\nat = \"{at}ms\"");
            if verb != "reset" {
                let _ = writeln!(self.out, "lasts = \"{lasts}ms\"");
            }
            let _ = writeln!(self.out, "{verb} = {{ {body} }}");
        }
    }
}
