//! The applications of a plan: producers, and the group that your logic is the listener of.

use std::fmt::Write;
use std::ops::{Range, RangeInclusive};

use crate::lab::prop::draw::{Draw, bounds};

/// How a producer sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It waits for each result.
    Sync,
    /// It has callbacks.
    Async,
    /// It hears nothing.
    Oneway,
    /// In transactions: some commit, some roll back, some are unknown until a broker asks.
    Transaction,
}

/// Applications: see [`workload`].
#[derive(Clone, Debug)]
pub struct Workload {
    topic: String,
    group: String,
    orderly: bool,
    broadcasting: bool,
    late: bool,
    members: (u64, u64),
    producers: (u64, u64),
    keys: (u64, u64),
    messages: (u64, u64),
    modes: Vec<Mode>,
    tags: Vec<String>,
    subscribe: String,
    delay: Option<(u64, u64)>,
    batch: u64,
    edges: bool,
    settings: bool,
}

/// One producer that sends 8 to 40 messages of topic `orders` with up to 8 keys to one consumer of group `consumers`.
///
/// Each message's body names it alone: [`crate::lab::prop::identity`].
pub fn workload() -> Workload {
    Workload {
        topic: "orders".to_owned(),
        group: "consumers".to_owned(),
        orderly: false,
        broadcasting: false,
        late: false,
        members: (1, 1),
        producers: (1, 1),
        keys: (1, 8),
        messages: (8, 40),
        modes: vec![Mode::Sync],
        tags: Vec::new(),
        subscribe: "*".to_owned(),
        delay: None,
        batch: 1,
        edges: false,
        settings: false,
    }
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

    /// Whether every member gets every message, and keeps its place in its own file.
    pub fn broadcasting(self, broadcasting: bool) -> Workload {
        Workload { broadcasting, ..self }
    }

    /// Whether members behind the first may come later, and leave again.
    pub fn churn(self, late: bool) -> Workload {
        Workload { late, ..self }
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

    /// Each producer sends in one of these ways; none given changes nothing.
    pub fn modes(self, one_of: impl IntoIterator<Item = Mode>) -> Workload {
        let modes: Vec<Mode> = one_of.into_iter().collect();
        if modes.is_empty() { self } else { Workload { modes, ..self } }
    }

    /// Each message has one of these tags.
    pub fn tags<'a>(self, one_of: impl IntoIterator<Item = &'a str>) -> Workload {
        Workload { tags: one_of.into_iter().map(str::to_owned).collect(), ..self }
    }

    /// What the group wants of the topic: `*`, or tags joined by `||`.
    pub fn subscribe(self, expression: &str) -> Workload {
        Workload { subscribe: expression.to_owned(), ..self }
    }

    /// Some producers' messages are parked at one of these levels: 1 is a second, 4 half a minute, and there is no higher one.
    pub fn delay(self, levels: RangeInclusive<u64>) -> Workload {
        Workload { delay: Some(bounds(&levels, 4)), ..self }
    }

    /// Some producers send so many at once at most.
    pub fn batches(self, most: u64) -> Workload {
        Workload { batch: most.clamp(1, 100), ..self }
    }

    /// Whether messages may be at their edges: bodies about the size from which on they are compressed, keys and properties that
    /// are no words of ASCII, tags of one hash code.
    pub fn edges(self, edges: bool) -> Workload {
        Workload { edges, ..self }
    }

    /// Whether producers' settings are drawn: timeouts of one to five seconds, no to three retries, the other broker, latency
    /// fault tolerance.
    pub fn settings(self, settings: bool) -> Workload {
        Workload { settings, ..self }
    }

    pub(super) fn topic_name(&self) -> &str {
        &self.topic
    }

    pub(super) fn group_name(&self) -> &str {
        &self.group
    }

    /// How much longer than others a plan runs: a broker asks once a minute how a transaction ended.
    pub(super) fn longer(&self) -> u64 {
        if self.modes.contains(&Mode::Transaction) { 130_000 } else { 0 }
    }

    /// Writes the clients, and gives their names.
    pub(super) fn write(&self, draw: &mut Draw, start: u64, healed: u64) -> Vec<String> {
        let mut names = Vec::new();
        for number in 1..=draw.between(self.producers) {
            let name = format!("producer-{number}");
            self.producer(draw, &name, (start, healed));
            names.push(name);
        }
        let mut leaves = String::new();
        for number in 1..=draw.between(self.members) {
            let mode = if self.orderly { "orderly" } else { "concurrent" };
            let model = if self.broadcasting { "model = \"broadcasting\"\n" } else { "" };
            let name = format!("consumer-{number}");
            let is_late = self.late && 1 < number && draw.coin();
            let start = if is_late { draw.between((start, healed)) } else { start };
            let Workload { topic, group, subscribe, .. } = self;
            let _ = write!(
                draw.out,
                "\n[[consumer]]\nname = \"{name}\"\ngroup = \"{group}\"\nstart = \"{start}ms\"\n{model}\
                 mode = \"{mode}\"\nfrom = \"first\"\nsubscribe = {{ \"{topic}\" = \"{subscribe}\" }}\n"
            );
            if is_late && draw.coin() {
                let at = draw.between((start, healed));
                let _ = write!(
                    leaves,
                    "\n[[fault]]\nname = \"{name}-leaves\"\nat = \"{at}ms\"\nstop = {{ node = \"{name}\" }}\n"
                );
            }
            names.push(name);
        }
        draw.out.push_str(&leaves);
        names
    }

    fn producer(&self, draw: &mut Draw, name: &str, (start, healed): (u64, u64)) {
        let (count, keys) = (draw.between(self.messages), draw.between(self.keys));
        let every = ((healed - start) / count).max(1);
        let mode = if self.modes.len() == 1 { self.modes[0] } else { *draw.one(&self.modes) };
        // A broker asks any member of the group how a transaction ended: one that runs none would never answer.
        let is_transaction = mode == Mode::Transaction;
        let group = if is_transaction { name } else { "producers" };
        let _ = writeln!(draw.out, "\n[[producer]]\nname = \"{name}\"\ngroup = \"{group}\"\nstart = \"{start}ms\"");
        if self.settings {
            let (timeout, retries) = (draw.between((1_000, 5_000)), draw.between((0, 3)));
            let _ = writeln!(draw.out, "timeout = \"{timeout}ms\"\nretries = {retries}");
            for setting in ["latency_fault", "retry_another_broker"] {
                let is_on = draw.coin();
                let _ = writeln!(draw.out, "{setting} = {is_on}");
            }
        }
        let _ = writeln!(draw.out, "[[producer.send]]\ntopic = \"{}\"\ncount = {count}", self.topic);
        let _ = writeln!(draw.out, "every = \"{every}ms\"\nwait = \"1s\"");
        if mode != Mode::Sync {
            let mode = match mode {
                Mode::Async => "async",
                Mode::Oneway => "oneway",
                _ => "transaction",
            };
            let _ = writeln!(draw.out, "mode = \"{mode}\"");
        }
        let key = if self.edges && draw.coin() { "钥匙-{n%" } else { "key-{n%" };
        let _ = writeln!(draw.out, "key = \"{key}{keys}}}\"\nbody = \"{name}/{{n}}\"");
        let batch = if self.batch > 1 && mode == Mode::Sync && draw.coin() { draw.between((2, self.batch)) } else { 1 };
        if batch > 1 {
            let _ = writeln!(draw.out, "batch = {}", batch.min(count));
        } else if self.orderly && !is_transaction {
            draw.out.push_str("select = \"hash:key\"\n");
        }
        if let (Some(levels), 1, true) = (self.delay, batch, draw.delays(self.delay.is_some())) {
            let level = draw.between(levels);
            let _ = writeln!(draw.out, "delay_level = {level}");
        }
        if !self.tags.is_empty() {
            let _ = writeln!(draw.out, "tag = \"{{pick:{}}}\"", self.tags.join(","));
        } else if self.edges {
            draw.out.push_str("tag = \"{pick:Aa,BB}\"\n");
        }
        if self.edges {
            let sizes = [64, 4_095, 4_096, 4_097, 70_000];
            let size = draw.one(&sizes);
            let _ = writeln!(draw.out, "size = {size}\nproperties = {{ \"名\" = \"值\" }}");
        }
        if is_transaction {
            decisions(draw, keys);
        }
    }
}

impl Draw {
    /// Whether a producer's messages are parked; nothing is drawn where none may be.
    fn delays(&mut self, may: bool) -> bool {
        may && self.coin()
    }
}

/// How the transactions of a producer end.
fn decisions(draw: &mut Draw, keys: u64) {
    for key in 0..keys.min(2) {
        let locals: &[&str] = if key == 0 { &["rollback", "unknown"] } else { &["commit", "unknown", "throw", "null"] };
        let _ = writeln!(draw.out, "[[producer.on]]\nmatch = {{ key = \"key-{key}\" }}");
        let (local, answer) = (draw.word(locals), draw.word(&["unknown", "ledger"]));
        let _ = writeln!(draw.out, "local = \"{local}\"\ncheck = [\"{answer}\", \"ledger\"]");
    }
    draw.out.push_str("[[producer.on]]\nlocal = \"commit\"\ncheck = [\"ledger\"]\n");
}
