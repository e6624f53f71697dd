//! A node's dice: each draw is a hash of the seed, the node, the stream and the draw's number there.

use crate::mq::node::{Choice, Stream};

/// The dice of one node.
#[derive(Clone, Debug)]
pub(super) struct NodeDice {
    seed: u64,
    drawn: [u64; Stream::COUNT],
}

impl NodeDice {
    pub(super) fn new(seed: u64, node: usize) -> NodeDice {
        NodeDice { seed: mixed(seed ^ mixed(node as u64)), drawn: [0; Stream::COUNT] }
    }
}

impl Choice for NodeDice {
    fn below(&mut self, stream: Stream, below: u64) -> u64 {
        let drawn = &mut self.drawn[stream as usize];
        *drawn += 1;
        let hash = mixed(self.seed ^ mixed((stream as u64) << 48 ^ *drawn));
        ((u128::from(hash) * u128::from(below)) >> 64) as u64
    }
}

/// Whether the `number`-th chance of a fault strikes, once in so many times.
pub(super) fn strikes(seed: u64, fault: u32, number: u64, one_in: u64) -> bool {
    mixed(seed ^ mixed(u64::from(fault) << 40 ^ number)).is_multiple_of(one_in.max(1))
}

/// SplitMix64's finisher.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
