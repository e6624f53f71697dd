//! A hunt in parts, on many machines.
//!
//! The seeds `A..B` are cut into `N` blocks that lie one behind the other; part `i` of `N`, counted from 0, hunts block `i`
//! and leaves a file. What the files say together is what one hunt of `A..B` would have said, byte for byte but for the real
//! time, in whatever order and however often they are read. A part of a guided hunt learns from its own block alone: what its
//! parts say together depends on how many there are, on nothing else.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::lab::explore::hunt::guide::CHOICE;
use crate::lab::explore::hunt::shard::tally::Tally;
use crate::lab::explore::swarm::shape::Shape;
use crate::lab::explore::swarm::{Length, Regime};

pub mod file;

pub mod merge;

pub mod tally;

/// The sources of this build: the version, and a hash of every file.
pub const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("MQLAB_SOURCES"));

/// What is hunted: parts of one hunt agree in all of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Errand {
    /// The scenario's name or path, as it was asked for.
    pub scenario: String,
    /// A hash of its text.
    pub text: String,
    /// The first seed, and the one behind the last.
    pub seeds: (u64, u64),
    /// The profile.
    pub profile: String,
    /// The profile as it was asked for; the scenario's own if it was not.
    pub asked: Option<String>,
    /// Inside or outside of what is promised.
    pub regime: Regime,
    /// How long runs are.
    pub length: Length,
    /// The servers of which shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// Only these faults, in the order in which they were asked for.
    pub only: Vec<String>,
    /// Not these.
    pub without: Vec<String>,
    /// Whether of every few seeds in a row only the one is run that promises most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guided: bool,
    /// The sources of the build that hunts.
    pub build: String,
}

/// What one part has found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// What is hunted, all parts together.
    pub errand: Errand,
    /// Which part, from 0.
    pub index: u64,
    /// Of how many.
    pub count: u64,
    /// Real time.
    pub wall_ns: u64,
    /// What its seeds gave; fewer seeds than its block has if it was stopped.
    pub tally: Tally,
}

impl Errand {
    /// The name of what two hunts do not agree in, for people.
    pub fn differs(&self, other: &Errand) -> Vec<&'static str> {
        let rows = [
            ("scenario", self.scenario != other.scenario),
            ("scenario's text", self.text != other.text),
            ("--seeds", self.seeds != other.seeds),
            ("--profile", (&self.profile, &self.asked) != (&other.profile, &other.asked)),
            ("--within/--beyond", self.regime != other.regime),
            ("--length", self.length != other.length),
            ("--shape", self.shape != other.shape),
            ("--only", self.only != other.only),
            ("--without", self.without != other.without),
            ("--guided", self.guided != other.guided),
            ("build", self.build != other.build),
        ];
        rows.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// The flags that give any seed of it the draft that it has, but for the seeds: `26-hunt --profile hardened --within`.
    pub fn flags(&self) -> String {
        let mut out = self.scenario.clone();
        if let Some(name) = &self.asked {
            out.push_str(&format!(" --profile {name}"));
        }
        out.push_str(self.drawn());
        if let Some(shape) = self.shape {
            out.push_str(&format!(" --shape {}", shape.name()));
        }
        for (flag, verbs) in [("--only", &self.only), ("--without", &self.without)] {
            if !verbs.is_empty() {
                out.push_str(&format!(" {flag} {}", verbs.join(",")));
            }
        }
        out
    }

    /// Of how many seeds in a row one is run.
    pub fn row(&self) -> u64 {
        if self.guided { CHOICE.row } else { 1 }
    }

    fn drawn(&self) -> &'static str {
        match (self.regime, self.length) {
            (Regime::Mixed, Length::Standard) => "",
            (Regime::Within, Length::Standard) => " --within",
            (Regime::Beyond, Length::Standard) => " --beyond",
            (Regime::Mixed, Length::Long) => " --length long",
            (Regime::Within, Length::Long) => " --within --length long",
            (Regime::Beyond, Length::Long) => " --beyond --length long",
        }
    }
}

impl Part {
    /// The seeds that it is to hunt.
    pub fn block(&self) -> Range<u64> {
        block(self.errand.seeds.0..self.errand.seeds.1, self.index, self.count)
    }

    /// The seeds that it has not come to.
    pub fn left(&self) -> Range<u64> {
        let block = self.block();
        let behind = self.tally.seeds.saturating_mul(self.errand.row());
        block.start.saturating_add(behind).min(block.end)..block.end
    }
}

/// Block `index` of `count`: lengths differ by one at most, and together they are the seeds.
pub fn block(seeds: Range<u64>, index: u64, count: u64) -> Range<u64> {
    let length = u128::from(seeds.end.saturating_sub(seeds.start));
    let border = |number: u64| {
        let so_far = length * u128::from(number.min(count)) / u128::from(count.max(1));
        seeds.start + u64::try_from(so_far).unwrap_or(u64::MAX)
    };
    border(index)..border(index.saturating_add(1))
}

/// The name of a part's file: `shard-0-of-8.json`.
pub fn file_name(index: u64, count: u64) -> String {
    format!("shard-{index}-of-{count}.json")
}
