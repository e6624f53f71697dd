//! Choices of one seed, each from a stream of its own: what is drawn for one thing moves nothing else.

use crate::lab::sim::dice::{Dice, Stream};

/// The seed of a draft.
#[derive(Clone, Debug)]
pub(super) struct Picks(Dice);

/// Choices for one thing.
pub(super) struct Pick(Stream);

impl Picks {
    pub(super) fn new(seed: u64) -> Picks {
        Picks(Dice::new(seed))
    }

    /// The choices for the thing of that path.
    pub(super) fn of(&self, path: &[&str]) -> Pick {
        let mut whole = vec!["swarm"];
        whole.extend_from_slice(path);
        Pick(self.0.stream(&whole))
    }

    /// Whether a feature is left out of the whole run, as every second one is: what is not there masks nothing.
    pub(super) fn omits(&self, feature: &str) -> bool {
        self.of(&["omit", feature]).chance(1, 2)
    }
}

impl Pick {
    /// `true` so often.
    pub(super) fn chance(&mut self, times: u64, out_of: u64) -> bool {
        self.0.below(out_of).got < times
    }

    /// A number, both ends included.
    pub(super) fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.0.below(max.saturating_sub(min) + 1).got
    }

    /// A number, every order of magnitude as likely as another: a power of two first, then a number below the next.
    pub(super) fn spread(&mut self, min: u64, max: u64) -> u64 {
        let (low, high) = (min.max(1).ilog2(), max.max(1).ilog2());
        let floor = 1_u64 << self.between(u64::from(low), u64::from(high));
        self.between(floor.max(min), (floor * 2 - 1).min(max).max(min))
    }

    /// One of them.
    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.0.below(of.len() as u64).got as usize]
    }

    /// One of them by weight; the weights are not all zero.
    pub(super) fn weighted<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut left = self.0.below(of.iter().map(&weight).sum()).got;
        let chosen = of.iter().find(|one| {
            let own = weight(one);
            let is_it = left < own;
            left = left.saturating_sub(own);
            is_it
        });
        chosen.expect("the weights' sum lies behind the last of them")
    }
}
