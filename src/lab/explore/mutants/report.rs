//! What became of each mistake.

use serde::{Deserialize, Serialize};

use crate::lab::explore::mutants::try_out::Hit;
use crate::lab::explore::shrink::{Shrunk, Target};
use crate::mq::mistake::Mistake;

/// A mistake's row.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// What is wrong, in one sentence.
    pub about: String,
    /// The bug of the release's history, the registered weakness, or the kind that it is of.
    pub of: String,
    /// Whether a seed showed it.
    pub found: bool,
    /// How many seeds were tried, that one among them.
    pub seeds: u64,
    /// The seed that showed it.
    pub seed: Option<u64>,
    /// The guarantee that caught it: one of those that should, if it was among them.
    pub guarantee: Option<String>,
    /// Every guarantee that the seed broke.
    pub guarantees: Vec<String>,
    /// Messages that the shrunk plan asks for.
    pub ops: Option<u64>,
    /// Its faults.
    pub episodes: Option<u64>,
    /// Its nodes.
    pub nodes: Option<u64>,
    /// Its steps.
    pub events: Option<u64>,
    /// What was seen, English and Chinese.
    pub summary: Option<(String, String)>,
    /// Why it was not found, English and Chinese.
    pub why: Option<(String, String)>,
    /// The scenario that shows it, shrunk if that was asked for.
    pub plan: Option<String>,
    /// Whether every seed was tried, or one showed it.
    #[serde(skip)]
    pub is_decided: bool,
    /// What of the plan must stay.
    #[serde(skip)]
    pub target: Option<Target>,
}

/// All rows, in the order of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// A row each.
    pub mutants: Vec<Row>,
    /// Real time.
    pub wall_ns: u64,
}

impl Row {
    /// A mistake that a seed showed.
    pub fn found(mistake: Mistake, seed: u64, seeds: u64, hit: Hit) -> Row {
        let Hit { target, guarantees, summary, plan } = hit;
        Row {
            found: true,
            is_decided: true,
            seed: Some(seed),
            guarantee: Some(target.guarantee.clone()),
            guarantees,
            summary: Some(summary),
            plan: Some(plan),
            target: Some(target),
            ..Row::missed(mistake, seeds, true)
        }
    }

    /// A mistake that no seed showed; if not all were tried it is undecided.
    pub fn missed(mistake: Mistake, seeds: u64, is_decided: bool) -> Row {
        let (id, about, of) = (mistake.name().to_owned(), mistake.about().to_owned(), mistake.of().to_owned());
        Row { id, about, of, seeds, is_decided, ..Row::default() }
    }

    /// Puts a shrunk plan in place of the one that was found.
    pub fn put(&mut self, shrunk: Shrunk) {
        self.ops = Some(shrunk.operations);
        self.episodes = Some(shrunk.episodes);
        self.nodes = Some(shrunk.nodes);
        self.events = Some(shrunk.events);
        self.plan = Some(shrunk.text);
    }
}

impl Report {
    /// Mistakes that were found.
    pub fn found(&self) -> usize {
        self.mutants.iter().filter(|row| row.found).count()
    }
}
