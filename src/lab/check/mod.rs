//! What it means: guarantees, and verdicts from what outsiders could see.

use std::fmt;

use crate::lab::trace::record::Seq;

/// A guarantee of the index: `G01` is number 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Guarantee(pub u8);

/// What became of one guarantee in one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Which guarantee.
    pub guarantee: Guarantee,
    /// What came out.
    pub verdict: Verdict,
    /// In a sentence: what was counted, what was found.
    pub summary: String,
}

/// What came out.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It held, and there was something to judge.
    Pass,
    /// It was broken.
    Violation {
        /// Which part of the guarantee.
        clause: &'static str,
        /// At most 30 records that show it, in order.
        witness: Vec<Seq>,
    },
    /// It was broken by a registered weakness of the release.
    Known {
        /// The weakness: `K01` is number 1.
        weakness: u8,
        /// Which part of the guarantee.
        clause: &'static str,
        /// At most 30 records that show it, in order.
        witness: Vec<Seq>,
    },
    /// There was nothing to judge.
    Inconclusive {
        /// What evidence was missing.
        missing: String,
    },
    /// The lab itself is broken.
    Harness {
        /// Which invariant.
        invariant: String,
    },
}

impl Verdict {
    /// The word in JSON: `pass`, `violation`, `known`, `inconclusive`, `harness`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Violation { .. } => "violation",
            Verdict::Known { .. } => "known",
            Verdict::Inconclusive { .. } => "inconclusive",
            Verdict::Harness { .. } => "harness",
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "G{:02}", self.0)
    }
}
