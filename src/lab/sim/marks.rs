//! What kinds of things a run has come across.

use std::collections::BTreeSet;

use crate::mq::fact::{Fact, Value};

/// What a run has come across so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Kinds of facts that were said.
    pub kinds: BTreeSet<&'static str>,
    /// The same told apart by why, with which code, for the how manieth time: a hash of each.
    pub shades: BTreeSet<u64>,
}

/// A text that says why is taken into a shade up to this length: longer ones tell of one case alone.
const LONGEST: usize = 40;
/// Larger numbers are one.
const LARGEST: i64 = 40;

impl Marks {
    /// A fact was said.
    pub(crate) fn said(&mut self, fact: &Fact) {
        self.kinds.insert(fact.kind());
        let mut shade = Hash::default();
        shade.take(fact.kind().bytes());
        fact.each_field(|name, value| match (name, value) {
            // Digits are addresses and places.
            ("why", Value::Text(why)) if why.len() < LONGEST => {
                shade.take(why.bytes().filter(|byte| !byte.is_ascii_digit()));
            }
            ("code" | "request" | "times" | "level" | "attempt", Value::Int(number)) => {
                shade.take(number.min(LARGEST).to_le_bytes());
            }
            _ => {}
        });
        self.shades.insert(shade.0);
    }
}

/// A hash that is the same on every machine: FNV-1a, 64 bits.
#[derive(Clone, Copy, Debug)]
pub struct Hash(pub u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Takes bytes in.
    pub fn take(&mut self, bytes: impl IntoIterator<Item = u8>) {
        bytes.into_iter().for_each(|byte| self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    }
}
