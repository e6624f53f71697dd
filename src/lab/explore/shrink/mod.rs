//! Shrinking: the smallest plan that still breaks the same thing, for a person to read.
//!
//! It works on a plan's text, never on its seed: each pass proposes a shorter scenario, which is taken if it loads, runs, and
//! breaks the same clause of the same guarantee under the same profile. What the violation is (its tag) is looked at after
//! each pass, by a run or two that could refute it; where it has changed, the pass is taken back and repeated with such a look
//! at every step. The whole search for the tag is made once, of the result; if it says otherwise, everything is done again
//! with the whole search as the look. The budget counts steps of runs, not time, so that the result is the same on every
//! machine, and a long plan costs no more than a short one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::explore::hunt::{Nobody, Watch};
use crate::lab::explore::shrink::search::{Look, Search};

mod cut;

mod document;

mod faults;

pub mod fingerprint;

mod magnitudes;

mod nodes;

mod search;

mod settings;

pub mod size;

mod told;

mod workload;

pub use told::command;

/// What a shrunk plan must still show.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The check's name.
    pub check: String,
    /// The guarantee that it judges.
    pub guarantee: String,
    /// Which part of it.
    pub clause: String,
    /// The weakness, or several that it takes together; none if it is none of the registered ones.
    pub tag: Option<String>,
    /// The profile, which stands in the text.
    pub profile: String,
    /// Whether every fault must stay within what is promised.
    pub within: bool,
}

/// A plan after shrinking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shrunk {
    /// The scenario, with a head for people and with what it expects.
    pub text: String,
    /// What it is: guarantee, clause, tag, shape of the witness.
    pub fingerprint: String,
    /// How many runs it took.
    pub replays: u64,
    /// Messages that are asked for.
    pub operations: u64,
    /// Faults.
    pub episodes: u64,
    /// Nameservers, brokers and clients.
    pub nodes: u64,
    /// Steps of its run.
    pub events: u64,
    /// Records of the witness.
    pub witness: u64,
}

/// So many steps are spent on a plan, if nothing else is said; a run costs [`PER_RUN`] more than it has.
pub const BUDGET: u64 = 10_000_000;
/// What reading, setting up and judging a run costs beside its steps, in steps.
pub const PER_RUN: u64 = 1_000;

/// A pass: what it proposes is judged by the search.
type Pass = fn(&mut Search<'_>);

/// What makes runs shorter comes first, what only makes them nicer to read last.
const PASSES: &[Pass] = &[
    cut::horizon,
    cut::pass,
    faults::pass,
    nodes::pass,
    workload::pass,
    cut::sooner,
    settings::pass,
    settings::messages,
    magnitudes::faults,
    magnitudes::roads,
    magnitudes::rounded,
];

/// Shrinks a plan; nothing if it does not show the target.
pub fn shrink(name: &str, text: &str, target: &Target, budget: u64) -> Option<Shrunk> {
    shrink_watched((name, text), target, budget, &Nobody)
}

/// The same under somebody's eyes: what it has come to when the watch stops it is the result.
pub fn shrink_watched((name, text): (&str, &str), target: &Target, budget: u64, watch: &dyn Watch) -> Option<Shrunk> {
    let mut search = Search::new((name, text), target, budget, watch)?;
    let whole = search.document.clone();
    rounds(&mut search);
    if search.document != whole && !is_still_that(&mut search, Look::Whole) {
        search.begin_again(whole);
        rounds(&mut search);
    }
    told::tell(name, text, &mut search)
}

/// Makes a plan's text smaller by the same passes, where somebody else says which text still fails, in so many runs at most;
/// nothing if it is no document.
pub fn shrink_by(text: &str, runs: u64, fails: &dyn Fn(&str) -> bool) -> Option<String> {
    let own = || "own".to_owned();
    let target = Target { check: own(), guarantee: own(), clause: own(), tag: None, profile: own(), within: false };
    let mut search = Search::by(text, &target, runs, fails)?;
    rounds(&mut search);
    Some(document::write(&search.document))
}

/// Every pass, again and again until none of them does anything any more.
fn rounds(search: &mut Search<'_>) {
    // What is told about a scenario is no part of what it does, and may name what goes.
    search.change(|document| {
        for key in ["step", "exercise", "card", "expect", "hunt", "plan", "needs", "track"] {
            document.remove(key);
        }
    });
    loop {
        let before = search.document.clone();
        for pass in PASSES {
            let safe = search.document.clone();
            search.careful = false;
            pass(search);
            if search.document == safe || search.is_own() || is_still_that(search, search.look) {
                continue;
            }
            search.document = safe;
            search.careful = true;
            pass(search);
        }
        if search.document == before || search.is_spent() {
            break;
        }
    }
}

/// Whether the document's violation has the target's tag. A look costs a few runs, and may exceed the budget by them.
fn is_still_that(search: &mut Search<'_>, look: Look) -> bool {
    let document = search.document.clone();
    search.show(&document).is_some_and(|shown| search.has_tag(&shown, look))
}
