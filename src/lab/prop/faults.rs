//! What goes wrong in a plan, and what operators do in it.

use std::fmt::Write;

use crate::lab::prop::draw::{Draw, Flush, Scene};
use crate::lab::prop::kinds::{ALL, Bears, Family, Kind, verbs};

/// What goes wrong: see [`faults`].
#[derive(Clone, Debug)]
pub struct Faults {
    beyond: bool,
    families: Vec<Family>,
    only: Vec<String>,
    without: Vec<String>,
    /// Faults of each plan: their moments and verbs.
    fixed: Vec<(String, String)>,
    max: u64,
}

/// Nothing, until kinds are named; at most four faults, and within what is promised.
pub fn faults() -> Faults {
    let (families, only, without, fixed) = Default::default();
    Faults { beyond: false, families, only, without, fixed, max: 4 }
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

    /// Servers die, stop, stand still and slow down.
    pub fn process(self) -> Faults {
        self.and(Family::Process)
    }

    /// Roads are cut, slow, narrow, connections reset, nodes divided.
    pub fn network(self) -> Faults {
        self.and(Family::Network)
    }

    /// Client processes die, stop, stand still and slow down.
    pub fn clients(self) -> Faults {
        self.and(Family::Clients)
    }

    /// Machines of brokers lose power; within what is promised only where every record is forced first. Beyond, machines are
    /// replaced, come back with an old disk or each other's, or have a twin.
    pub fn power(self) -> Faults {
        self.and(Family::Power)
    }

    /// Disks of brokers are slow or hang; beyond what is promised they are full, lie, forget and break.
    pub fn disk(self) -> Faults {
        self.and(Family::Disk)
    }

    /// A handler runs out of memory, and its process dies in it.
    pub fn memory(self) -> Faults {
        self.and(Family::Memory)
    }

    /// Clocks step, drift, stand still.
    pub fn clock(self) -> Faults {
        self.and(Family::Clock)
    }

    /// Operators restart brokers one after the other or with other settings, move the group, add queues, close a broker for
    /// producers, and look for messages; beyond what is promised they delete the topic.
    pub fn operators(self) -> Faults {
        self.and(Family::Operators)
    }

    /// All of these.
    pub fn every_kind(self) -> Faults {
        self.process().network().clients().power().disk().memory().clock().operators()
    }

    /// Of the kinds named, only those with these words of a scenario.
    ///
    /// Panics: there is no such word; the text names those there are.
    pub fn only<'a>(mut self, verbs: impl IntoIterator<Item = &'a str>) -> Faults {
        self.only.extend(verbs.into_iter().map(known));
        self
    }

    /// Of the kinds named, none with these words of a scenario.
    ///
    /// Panics: there is no such word; the text names those there are.
    pub fn without<'a>(mut self, verbs: impl IntoIterator<Item = &'a str>) -> Faults {
        self.without.extend(verbs.into_iter().map(known));
        self
    }

    /// One more in every plan, at a moment as a scenario writes it: `before:nth(2):append@broker-a`, `first:send-ok + 5ms`. It
    /// is there whatever is promised.
    ///
    /// Panics: there is no such word; the text names those there are.
    pub fn at(mut self, moment: &str, verb: &str) -> Faults {
        self.fixed.push((moment.to_owned(), known(verb)));
        self
    }

    /// No more faults than this, those of [`Faults::at`] aside.
    pub fn max_episodes(self, most: u64) -> Faults {
        Faults { max: most, ..self }
    }

    /// The words of all faults that can be drawn.
    pub fn verbs() -> impl Iterator<Item = &'static str> {
        verbs()
    }

    fn and(mut self, family: Family) -> Faults {
        if !self.families.contains(&family) {
            self.families.push(family);
        }
        self
    }

    /// Whether a plan's faults know no bounds.
    pub(super) fn is_beyond(&self) -> bool {
        self.beyond
    }

    fn may_be(&self, kind: &Kind, scene: &Scene<'_>) -> bool {
        let is_borne = match kind.bears {
            Bears::Everything => true,
            Bears::Forced => scene.flush == Flush::Sync,
            Bears::Honesty => false,
        };
        let is_named = self.only.is_empty() || self.only.iter().any(|verb| verb == kind.verb);
        let is_left_out = self.without.iter().any(|verb| verb == kind.verb);
        let is_there = self.families.contains(&kind.family);
        is_there && is_named && !is_left_out && (self.beyond || is_borne)
    }

    /// Writes a plan's faults: a family first, then one of its kinds, so that none is drowned by a larger one.
    pub(super) fn write(&self, draw: &mut Draw, scene: &Scene<'_>) {
        let kinds: Vec<&Kind> = ALL.iter().filter(|kind| self.may_be(kind, scene)).collect();
        let families: Vec<Family> =
            self.families.iter().copied().filter(|family| kinds.iter().any(|kind| kind.family == *family)).collect();
        let mut seen: Vec<String> = Vec::new();
        if !families.is_empty() && self.max > 0 {
            for number in 1..=draw.between((1, self.max)) {
                let at = draw.between((scene.from, scene.to - 2_000));
                let family = *draw.one(&families);
                let own: Vec<&Kind> = kinds.iter().copied().filter(|kind| kind.family == family).collect();
                let kind = *draw.one(&own);
                let left = scene.to - at;
                write_one(draw, scene, (kind, number), (format!("{at}ms"), left), &mut seen);
            }
        }
        for (number, (moment, verb)) in (self.max + 1..).zip(&self.fixed) {
            let kind = ALL.iter().find(|kind| kind.verb == verb).expect("its word was looked up");
            write_one(draw, scene, (kind, number), (moment.clone(), 8_000), &mut seen);
        }
    }

    /// Writes what operators do, each action in every second plan.
    pub(super) fn write_operator(&self, draw: &mut Draw, scene: &Scene<'_>) {
        if !self.families.contains(&Family::Operators) {
            return;
        }
        let (topic, group) = scene.of;
        let start = scene.from;
        let mut actions = String::new();
        let wait = |draw: &mut Draw| format!("wait = \"{}ms\"", draw.between((10, scene.to - start)));
        let wanted = |verb: &str| {
            let is_named = self.only.is_empty() || self.only.iter().any(|own| own == verb);
            is_named && !self.without.iter().any(|own| own == verb)
        };
        for verb in ACTIONS {
            // A topic that comes back begins at 0, and its groups go on from where they were: what lies below is never delivered.
            let is_borne = self.beyond || verb != "operator.delete_topic";
            if !draw.coin() || !wanted(verb) || !is_borne {
                continue;
            }
            let _ = match verb {
                "operator.reset" => {
                    // Runs begin at 16:00 on the 10th of November 2018.
                    let second = draw.between((0, start / 1_000));
                    writeln!(
                        actions,
                        "[[operator.reset]]\n{}\ngroup = \"{group}\"\ntopic = \"{topic}\"\nto = \"201811101600{second:02}\"",
                        wait(draw)
                    )
                }
                "operator.update_topic" => writeln!(
                    actions,
                    "[[operator.update_topic]]\n{}\ntopic = \"{topic}\"\nread = 6\nwrite = 6",
                    wait(draw)
                ),
                "operator.wipe_write_perm" => writeln!(
                    actions,
                    "[[operator.wipe_write_perm]]\n{}\nbroker = \"{}\"",
                    wait(draw),
                    draw.master(scene)
                ),
                "operator.query" => {
                    writeln!(actions, "[[operator.query]]\n{}\ntopic = \"{topic}\"\nkey = \"key-1\"", wait(draw))
                }
                _ => writeln!(actions, "[[operator.delete_topic]]\n{}\ntopic = \"{topic}\"", wait(draw)),
            };
        }
        if !actions.is_empty() {
            let _ = write!(draw.out, "\n[[operator]]\nname = \"operator\"\nstart = \"{start}ms\"\n{actions}");
        }
    }
}

/// What operators do that is no `[[fault]]`.
pub(super) const ACTIONS: [&str; 5] =
    ["operator.reset", "operator.update_topic", "operator.wipe_write_perm", "operator.query", "operator.delete_topic"];

/// Writes one fault, unless its like is there already: two alike would be one.
fn write_one(
    draw: &mut Draw,
    scene: &Scene<'_>,
    (kind, number): (&Kind, u64),
    (at, left): (String, u64),
    seen: &mut Vec<String>,
) {
    let body = (kind.body)(draw, scene);
    let lasts = kind.lasts.map(|bounds| draw.between(bounds).min(left));
    let names: Vec<&str> = body.split('"').skip(1).step_by(2).collect();
    let targets: Vec<&str> = names.into_iter().filter(|name| scene.is_node(name)).collect();
    let like = format!("{} {}", kind.verb, targets.join(" "));
    if seen.contains(&like) || (kind.verb == "swap-disks" && body.is_empty()) {
        return;
    }
    seen.push(like);
    let verb = kind.verb;
    let _ = writeln!(draw.out, "\n[[fault]]\nname = \"{verb}-{number}\"\nat = \"{at}\"");
    if let Some(lasts) = lasts {
        let _ = writeln!(draw.out, "lasts = \"{lasts}ms\"");
    }
    let _ = writeln!(draw.out, "{verb} = {{ {body} }}");
}

impl Scene<'_> {
    fn is_node(&self, word: &str) -> bool {
        word.starts_with("ns-") || self.brokers.iter().chain(self.clients).any(|node| node == word)
    }
}

/// A verb or an operator's action, as its own text.
fn known(verb: &str) -> String {
    let all: Vec<&str> = verbs().chain(ACTIONS).collect();
    assert!(all.contains(&verb), "there is no fault `{verb}`; one of: {}", all.join(", "));
    verb.to_owned()
}
