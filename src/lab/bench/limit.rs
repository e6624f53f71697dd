//! The bare limit: as many entries as a workload files, on a heap of time, sequence and index alone.
//!
//! Each entry taken out files one at a later time, as the workload's do, with as many pending as the workload has on
//! average; nothing else happens. No simulator built on such a heap can be faster.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use crate::lab::bench::Load;

/// Does the heap work of a round.
pub(crate) fn run(load: Load) {
    let heaps = load.heaps.max(1);
    let each = load.filed / heaps;
    for heap in 0..heaps {
        one(each, load.pending.max(1) as u64, heap);
    }
}

fn one(entries: u64, pending: u64, seed: u64) {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
    let mut seq = 0;
    while seq < pending.min(entries) {
        heap.push(Reverse((later(seed ^ seq), seq, seq as u32)));
        seq += 1;
    }
    while let Some(Reverse((at, number, index))) = heap.pop() {
        if seq < entries {
            heap.push(Reverse((at + later(number ^ seed), seq, index)));
            seq += 1;
        }
        black_box(at);
    }
}

/// One to ten milliseconds, by a multiplication.
fn later(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    1_000_000 + mixed * 9_000_000 / (1 << 24)
}
