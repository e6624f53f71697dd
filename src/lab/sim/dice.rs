//! The seed, split into streams by name; each draw is addressed by its stream and its ordinal there.
//!
//! A stream's key is BLAKE3 of its path, keyed with the seed; its values are ChaCha8 under that key, one 64-bit word a draw.
//! So a draw depends on nothing but (seed, path, ordinal): adding or removing a node, a fault or a whole stream shifts no
//! other draw. A stream that is never drawn from costs nothing.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::mq::message::Name;
use crate::mq::time::Span;

/// The root of all chance in a run.
#[derive(Clone, Debug)]
pub struct Dice {
    root: [u8; 32],
}

/// One stream: a path and how far it has been drawn.
#[derive(Clone)]
pub struct Stream {
    rng: ChaCha8Rng,
    /// The path's key in short: what the digest calls this stream.
    id: u64,
    ordinal: u64,
}

/// One draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Roll {
    /// The stream's id.
    pub stream: u64,
    /// Which draw of that stream, from 0.
    pub ordinal: u64,
    /// Out of how many.
    pub of: u64,
    /// The result, below `of`.
    pub got: u64,
}

/// A chance as a ratio of whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Odds {
    /// How often.
    pub times: u64,
    /// Out of how many; at least 1.
    pub out_of: u64,
}

impl Odds {
    /// Never.
    pub const NEVER: Odds = Odds { times: 0, out_of: 1 };

    /// `times` in `out_of`.
    pub const fn of(times: u64, out_of: u64) -> Odds {
        assert!(out_of > 0, "odds are out of something");
        Odds { times, out_of }
    }
}

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice { root: *blake3::hash(&seed.to_le_bytes()).as_bytes() }
    }

    /// The stream of a path, given in its parts; nothing has been drawn yet.
    pub fn stream(&self, path: &[&str]) -> Stream {
        let mut hasher = blake3::Hasher::new_keyed(&self.root);
        for part in path {
            // The length keeps `a/bc` and `ab/c` apart.
            hasher.update(&(part.len() as u32).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let key = *hasher.finalize().as_bytes();
        let mut id = [0; 8];
        id.copy_from_slice(&key[..8]);
        Stream { rng: ChaCha8Rng::from_seed(key), id: u64::from_le_bytes(id), ordinal: 0 }
    }
}

impl Stream {
    /// A number in `0..of`, uniformly; `of` is at least 1.
    ///
    /// One word a draw, whatever `of` is: the ordinal is the address. The bias is below `of / 2^64`.
    #[inline]
    pub fn below(&mut self, of: u64) -> Roll {
        assert!(of > 0, "nothing lies below zero");
        let word = self.rng.next_u64();
        let got = ((u128::from(word) * u128::from(of)) >> 64) as u64;
        let roll = Roll { stream: self.id, ordinal: self.ordinal, of, got };
        self.ordinal += 1;
        roll
    }

    /// Goes to a draw by its ordinal.
    pub fn seek(&mut self, ordinal: u64) {
        self.rng.set_word_pos(u128::from(ordinal) * 2);
        self.ordinal = ordinal;
    }
}

impl Roll {
    /// The span that this draw picks between `min` and `max`, both included, for a draw `below` [`width`].
    #[inline]
    pub fn span(&self, min: Span) -> Span {
        Span(min.0.saturating_add(self.got))
    }
}

/// How many spans lie between `min` and `max`, both included: what to draw below for one of them.
#[inline]
pub fn width(min: Span, max: Span) -> u64 {
    max.0.saturating_sub(min.0).saturating_add(1)
}

/// A path as a person reads it.
pub fn path_name(path: &[&str]) -> Name {
    Name::from(path.join("/"))
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream {{ id: {:016x}, ordinal: {} }}", self.id, self.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(stream: &mut Stream, count: usize) -> Vec<u64> {
        (0..count).map(|_| stream.below(1_000).got).collect()
    }

    #[test]
    fn a_draw_depends_on_seed_path_and_ordinal_alone() {
        let dice = Dice::new(7);
        let all = draws(&mut dice.stream(&["link", "a", "b"]), 100);
        assert_eq!(draws(&mut dice.stream(&["link", "a", "b"]), 100), all);
        assert_ne!(draws(&mut dice.stream(&["link", "b", "a"]), 100), all);
        assert_ne!(draws(&mut dice.stream(&["link", "ab"]), 100), draws(&mut dice.stream(&["link", "a", "b"]), 100));
        assert_ne!(draws(&mut Dice::new(8).stream(&["link", "a", "b"]), 100), all);
        let mut sought = dice.stream(&["link", "a", "b"]);
        sought.seek(90);
        assert_eq!(draws(&mut sought, 10), all[90..]);
        assert_eq!(sought.below(1).ordinal, 100);
    }

    #[test]
    fn draws_cover_their_range_evenly() {
        let mut stream = Dice::new(1).stream(&["even"]);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[stream.below(10).got as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (9_600..10_400).contains(&count)), "{counts:?}");
        assert_eq!(width(Span(3), Span(3)), 1);
    }
}
