//! A ring of hashes: members stand on it, a key belongs to the next one clockwise.
//!
//! Source: `ConsistentHashRouter`, `VirtualNode`, and MD5 (RFC 1321) as the JDK has it.

use std::collections::BTreeMap;

use crate::mq::message::Name;

/// Members by the hash of each of their places.
pub(super) struct Ring<'a> {
    places: BTreeMap<u32, &'a str>,
}

impl<'a> Ring<'a> {
    /// Each member `times` times on the ring.
    pub(super) fn new(members: &'a [Name], times: usize) -> Ring<'a> {
        let mut places = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            // A name that came before goes on counting where that one stopped.
            let before = members[..at].iter().filter(|other| *other == member).count() * times;
            for number in before..before + times {
                places.insert(place(&format!("{member}-{number}")), member.as_str());
            }
        }
        Ring { places }
    }

    /// The first member at or behind the key's hash, or the first of all.
    pub(super) fn follower(&self, key: &str) -> Option<&'a str> {
        let behind = self.places.range(place(key)..).next();
        behind.or_else(|| self.places.first_key_value()).map(|(_, member)| *member)
    }
}

/// Source: `ConsistentHashRouter.MD5Hash.hash`: the first four bytes.
fn place(key: &str) -> u32 {
    md5(key.as_bytes())[0].swap_bytes()
}

/// The digest as four words.
fn md5(text: &[u8]) -> [u32; 4] {
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize((text.len() + 8) / 64 * 64 + 56, 0);
    padded.extend_from_slice(&(text.len() as u64 * 8).to_le_bytes());
    let mut digest: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let word =
            |at: usize| u32::from_le_bytes([block[at * 4], block[at * 4 + 1], block[at * 4 + 2], block[at * 4 + 3]]);
        let [mut a, mut b, mut c, mut d] = digest;
        for round in 0..64 {
            let (mixed, at) = match round / 16 {
                0 => ((b & c) | (!b & d), round),
                1 => ((d & b) | (!d & c), (5 * round + 1) % 16),
                2 => (b ^ c ^ d, (3 * round + 5) % 16),
                _ => (c ^ (b | !d), 7 * round % 16),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(SINES[round]).wrapping_add(word(at));
            let turned = sum.rotate_left(TURNS[round / 16][round % 4]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
        }
        for (whole, part) in digest.iter_mut().zip([a, b, c, d]) {
            *whole = whole.wrapping_add(part);
        }
    }
    digest
}

const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The whole part of 2^32 times the sine of 1 to 64.
const SINES: [u32; 64] = [
    0xD76A_A478,
    0xE8C7_B756,
    0x2420_70DB,
    0xC1BD_CEEE,
    0xF57C_0FAF,
    0x4787_C62A,
    0xA830_4613,
    0xFD46_9501,
    0x6980_98D8,
    0x8B44_F7AF,
    0xFFFF_5BB1,
    0x895C_D7BE,
    0x6B90_1122,
    0xFD98_7193,
    0xA679_438E,
    0x49B4_0821,
    0xF61E_2562,
    0xC040_B340,
    0x265E_5A51,
    0xE9B6_C7AA,
    0xD62F_105D,
    0x0244_1453,
    0xD8A1_E681,
    0xE7D3_FBC8,
    0x21E1_CDE6,
    0xC337_07D6,
    0xF4D5_0D87,
    0x455A_14ED,
    0xA9E3_E905,
    0xFCEF_A3F8,
    0x676F_02D9,
    0x8D2A_4C8A,
    0xFFFA_3942,
    0x8771_F681,
    0x6D9D_6122,
    0xFDE5_380C,
    0xA4BE_EA44,
    0x4BDE_CFA9,
    0xF6BB_4B60,
    0xBEBF_BC70,
    0x289B_7EC6,
    0xEAA1_27FA,
    0xD4EF_3085,
    0x0488_1D05,
    0xD9D4_D039,
    0xE6DB_99E5,
    0x1FA2_7CF8,
    0xC4AC_5665,
    0xF429_2244,
    0x432A_FF97,
    0xAB94_23A7,
    0xFC93_A039,
    0x655B_59C3,
    0x8F0C_CC92,
    0xFFEF_F47D,
    0x8584_5DD1,
    0x6FA8_7E4F,
    0xFE2C_E6E0,
    0xA301_4314,
    0x4E08_11A1,
    0xF753_7E82,
    0xBD3A_F235,
    0x2AD7_D2BB,
    0xEB86_D391,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_rfc() {
        let shown = |text: &str| md5(text.as_bytes()).map(|word| format!("{:08x}", word.swap_bytes())).concat();
        assert_eq!(shown(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(shown("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
        let long = "12345678901234567890123456789012345678901234567890123456789012345678901234567890";
        assert_eq!(shown(long), "57edf4a22be3c955ac49da2e2107b67a");
    }
}
