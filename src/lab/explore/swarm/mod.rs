//! Drafts: whole scenarios drawn from a seed, each feature left out of every second one.
//!
//! A draft is text: the scenario file that a person would have written. It is read like any other, so what a hunt ran and what
//! a colleague replays from the printed plan is one thing. Ranges are those of the guarantees' reference, section 3; a
//! standard draft is small (at most three servers in seven of ten), has one burst of faults and heals.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::lab::explore::swarm::cluster::Cluster;
use crate::lab::explore::swarm::occasion::Occasion;
use crate::lab::explore::swarm::pick::Picks;
use crate::lab::explore::swarm::rare::Rare;
use crate::lab::explore::swarm::shape::Shape;

mod cluster;

pub mod kinds;

mod occasion;

mod pick;

mod rare;

pub mod shape;

mod storm;

mod traffic;

/// What may be drawn.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// Inside or outside of what is promised.
    pub regime: Regime,
    /// How long runs are.
    pub length: Length,
    /// If any, the servers of this shape alone.
    pub shape: Option<Shape>,
    /// If any, only these fault verbs.
    pub only: BTreeSet<String>,
    /// Not these fault verbs.
    pub without: BTreeSet<String>,
}

/// How far faults go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Four of five seeds within, one beyond.
    #[default]
    Mixed,
    /// No fault takes away what an acknowledgement alive rests on.
    Within,
    /// Anything; only what is promised even then is judged.
    Beyond,
}

/// How long runs are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Length {
    /// One burst, some 5,000 steps.
    #[default]
    Standard,
    /// Bursts and calm over five minutes to six hours.
    Long,
}

/// A scenario drawn from a seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// The scenario without its faults and its end.
    pub head: String,
    /// What is to go wrong, in order of time.
    pub faults: Vec<Wish>,
    /// Whether faults must stay within what is promised.
    pub within: bool,
    /// When nothing has gone wrong for long enough that everybody has found each other.
    pub warm: u64,
    /// When everything that heals has healed and nothing new is asked for, in milliseconds.
    pub healed: u64,
    /// When the run ends at the latest, in milliseconds.
    pub until: u64,
}

/// A fault that is to happen, unless the governor refuses it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Its name.
    pub name: String,
    /// When, in milliseconds.
    pub at: u64,
    /// How long, in milliseconds; for ever if it is none.
    pub lasts: Option<u64>,
    /// The scenario's word for it.
    pub verb: &'static str,
    /// What belongs to the verb, as an inline table.
    pub body: String,
}

/// Draws a seed's scenario.
pub fn draw(seed: u64, bounds: &Bounds, profile: &str) -> Draft {
    let picks = Picks::new(seed);
    let within = match bounds.regime {
        Regime::Within => true,
        Regime::Beyond => false,
        Regime::Mixed => picks.of(&["regime"]).chance(4, 5),
    };
    // An occasion has a shape of its own.
    let occasion = match (bounds.length, bounds.shape) {
        (Length::Standard, None) => Occasion::draw(&picks),
        _ => Occasion::None,
    };
    let rare = Rare::draw(&picks, occasion);
    let cluster = Cluster::draw(&picks, &rare, within).shaped(bounds.shape);
    let times = traffic::Times::draw(&picks, &cluster, (bounds.length, &rare));
    let mut head = String::new();
    let _ = writeln!(head, "format = 1\nid = \"hunt-{seed}\"\nseed = {seed}");
    let _ = writeln!(head, "title.en = \"Seed {seed}\"\ntitle.zh = \"种子 {seed}\"");
    let _ = writeln!(head, "question.en = \"Does it hold?\"\nquestion.zh = \"能守住承诺吗？\"\n");
    cluster.write(&mut head, profile);
    let clients = traffic::write(&mut head, (&picks, &rare), &cluster, &times);
    let scene = storm::Scene { cluster: &cluster, clients: &clients, times: &times, within, occasion };
    let faults = storm::draw(&picks, &scene, bounds);
    Draft { head, faults, within, warm: times.warm, healed: times.healed, until: times.until }
}

impl Draft {
    /// The scenario: with the faults that may begin, those that may not as `off`, and its end.
    pub fn text(&self, refused: &BTreeSet<String>, until: u64) -> String {
        let mut text = format!("until = \"{until}ms\"\n{}", self.head);
        for wish in &self.faults {
            let _ = write!(text, "\n[[fault]]\nname = \"{}\"\nat = \"{}ms\"\n", wish.name, wish.at);
            if let Some(lasts) = wish.lasts {
                let _ = writeln!(text, "lasts = \"{lasts}ms\"");
            }
            if refused.contains(&wish.name) {
                text.push_str("off = true # refused: it would have taken away what an acknowledgement rests on\n");
            }
            let _ = writeln!(text, "{} = {}", wish.verb, wish.body);
        }
        text
    }

    /// The scenario with every fault, as long as it may be.
    pub fn whole(&self) -> String {
        self.text(&BTreeSet::new(), self.until)
    }
}
