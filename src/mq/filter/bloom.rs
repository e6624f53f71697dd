//! Who wants a message, in fourteen bytes: every group's filter sets three bits, and a bit that is not set says no.
//!
//! A set bit says maybe; the condition is asked all the same.
//! Source: `BloomFilter`, `BloomFilterData`, `BitsArray`. Differs: for the default error rate and number of consumers
//! (`createByFn(20, 32)`) alone; the release works length and positions out of them with logarithms.

/// The bits that a group's filter sets. Source: `BloomFilter.calcBitPositions`.
pub fn positions(group: &str, topic: &str) -> [i32; POSITIONS] {
    let hash = murmur3(format!("{group}#{topic}").as_bytes());
    let (one, two) = (hash as i32, (hash >> 32) as i32);
    [1, 2, 3].map(|number: i32| {
        let combined = one.wrapping_add(number.wrapping_mul(two));
        (if combined < 0 { !combined } else { combined }) % BITS
    })
}

/// A map without bits.
pub fn empty() -> Vec<u8> {
    vec![0; BITS as usize / 8]
}

/// Sets a filter's bits; those beyond the map are left out. Source: `BloomFilter.hashTo`.
pub fn set(map: &mut [u8], positions: &[i32]) {
    for position in positions {
        if let Some((byte, bit)) = place(*position).and_then(|(at, bit)| Some((map.get_mut(at)?, bit))) {
            *byte |= bit;
        }
    }
}

/// Whether all of a filter's bits are set. Source: `BloomFilter.isHit`.
pub fn is_hit(map: &[u8], positions: &[i32]) -> bool {
    positions
        .iter()
        .all(|position| place(*position).is_some_and(|(at, bit)| map.get(at).is_some_and(|byte| byte & bit != 0)))
}

fn place(position: i32) -> Option<(usize, u8)> {
    let position = usize::try_from(position).ok()?;
    Some((position / 8, 1 << (position % 8)))
}

/// The first half of MurmurHash3 in its 128-bit form for 64-bit machines, seed 0.
fn murmur3(bytes: &[u8]) -> u64 {
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
    let mix_one = |word: u64| word.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix_two = |word: u64| word.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let (mut one, mut two) = (0u64, 0u64);
    let blocks = bytes.chunks_exact(16);
    let rest = blocks.remainder();
    for block in blocks {
        one = (one ^ mix_one(word(&block[..8]))).rotate_left(27).wrapping_add(two);
        one = one.wrapping_mul(5).wrapping_add(0x52dc_e729);
        two = (two ^ mix_two(word(&block[8..]))).rotate_left(31).wrapping_add(one);
        two = two.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low, high) = rest.split_at(rest.len().min(8));
    one ^= mix_one(word(low)) ^ bytes.len() as u64;
    two ^= mix_two(word(high)) ^ bytes.len() as u64;
    one = one.wrapping_add(two);
    two = two.wrapping_add(one);
    finished(one).wrapping_add(finished(two))
}

fn finished(mut word: u64) -> u64 {
    word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;
/// How many bits a filter sets. Source: `BloomFilter.createByFn(20, 32)`.
pub const POSITIONS: usize = 3;
/// How many bits a map has. Source: `BloomFilter.createByFn(20, 32)`.
pub const BITS: i32 = 112;
