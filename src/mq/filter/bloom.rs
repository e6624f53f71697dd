//! Who wants a message, in a few bytes: every group's filter sets some bits, and a bit that is not set says no.
//!
//! A set bit says maybe; the condition is asked all the same.
//! Source: `BloomFilter`, `BloomFilterData`, `BitsArray`.

/// How many bits a map has and a filter sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Bits that a filter sets.
    pub positions: i32,
    /// Bits of a map, a multiple of eight.
    pub bits: i32,
}

impl Default for Shape {
    /// As the release has it: three bits of 112 for each filter.
    fn default() -> Shape {
        Shape::by_fn(20, 32)
    }
}

impl Shape {
    /// The shape for an error rate in percent, 1 to 99, and so many filters.
    ///
    /// The number of positions is the least whose errors are rare enough; the bits are counted by logarithms and rounded up.
    /// Source: `BloomFilter.createByFn`.
    pub fn by_fn(error_percent: i32, filters: i32) -> Shape {
        let percent = error_percent.clamp(1, 99) as u128;
        let positions = (1..=7).find(|k| 100 <= percent << k).unwrap_or(7);
        let per_filter = (log2((100 << POINT) / percent) * LOG2_E) >> POINT;
        let bits = (filters.max(1) as u128 * per_filter).div_ceil(1 << POINT);
        Shape { positions, bits: i32::try_from(bits.div_ceil(8) * 8).unwrap_or(i32::MAX) }
    }

    /// The bits that a group's filter sets. Source: `BloomFilter.calcBitPositions`.
    pub fn positions(self, group: &str, topic: &str) -> Vec<i32> {
        let hash = murmur3(format!("{group}#{topic}").as_bytes());
        let (one, two) = (hash as i32, (hash >> 32) as i32);
        let position = |number: i32| {
            let combined = one.wrapping_add(number.wrapping_mul(two));
            (if combined < 0 { !combined } else { combined }) % self.bits
        };
        (1..=self.positions).map(position).collect()
    }

    /// A map without bits.
    pub fn empty(self) -> Vec<u8> {
        vec![0; self.bits as usize / 8]
    }
}

/// The logarithm to the base of two of a number from 1 to 100, with 60 bits behind the point.
///
/// Whole numbers only, so that it is the same on every machine.
fn log2(mut number: u128) -> u128 {
    let mut log = 0;
    while 2 << POINT <= number {
        number >>= 1;
        log += 1 << POINT;
    }
    for place in (0..POINT).rev() {
        number = (number * number) >> POINT;
        if 2 << POINT <= number {
            number >>= 1;
            log |= 1 << place;
        }
    }
    log
}

/// Bits behind the point.
const POINT: u32 = 60;
/// `Math.log(Math.E) / Math.log(2)`, with 60 bits behind the point.
const LOG2_E: u128 = 1_663_314_137_230_540_311;

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
