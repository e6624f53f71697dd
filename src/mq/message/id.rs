//! The two ids of a message: the one its producer makes, and the one that says where a broker stored it.

use crate::mq::message::{Host, Name, PhysicalOffset};
use crate::mq::time::Millis;

/// Where a message is stored, as 32 upper-case hex digits: IPv4, 4-byte port, 8-byte log offset.
///
/// Source: `MessageDecoder.createMessageId`.
pub fn offset_msg_id(host: Host, at: PhysicalOffset) -> Name {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&host.ip.to_be_bytes());
    bytes[4..8].copy_from_slice(&host.port.to_be_bytes());
    bytes[8..].copy_from_slice(&at.0.to_be_bytes());
    hex(&bytes)
}

/// Reads an offset message id; digits behind the 32nd are not looked at, as upstream.
///
/// Source: `MessageDecoder.decodeMessageId`.
pub fn parse_offset_msg_id(id: &str) -> Option<(Host, PhysicalOffset)> {
    let bytes: [u8; 16] = first_bytes(id)?;
    let [i0, i1, i2, i3, p0, p1, p2, p3, rest @ ..] = bytes;
    let host = Host { ip: u32::from_be_bytes([i0, i1, i2, i3]), port: i32::from_be_bytes([p0, p1, p2, p3]) };
    Some((host, PhysicalOffset(i64::from_be_bytes(rest))))
}

/// Makes unique keys: client address, process, class loader, milliseconds of the month, counter.
///
/// Source: `MessageClientIDSetter`. Differs: the month begins in UTC, upstream's in the host's time zone; nothing here reads
/// the host's zone.
#[derive(Clone, Debug)]
pub struct UniqIds {
    fixed: [u8; 10],
    counter: u16,
    month: (i64, i64),
}

impl UniqIds {
    /// A process's generator.
    pub fn new(ip: u32, pid: u16, class_hash: u32) -> UniqIds {
        let mut fixed = [0; 10];
        fixed[..4].copy_from_slice(&ip.to_be_bytes());
        fixed[4..6].copy_from_slice(&pid.to_be_bytes());
        fixed[6..].copy_from_slice(&class_hash.to_be_bytes());
        UniqIds { fixed, counter: 0, month: (0, i64::MIN) }
    }

    /// The next id at `now`, 32 upper-case hex digits.
    pub fn next(&mut self, now: Millis) -> Name {
        if self.month.1 <= now.0 {
            self.month = month_of(now);
        }
        let mut bytes = [0; 16];
        bytes[..10].copy_from_slice(&self.fixed);
        bytes[10..].copy_from_slice(&tail(now, self.month.0, self.counter));
        self.counter = self.counter.wrapping_add(1);
        hex(&bytes)
    }
}

/// The last six bytes of a unique key: milliseconds since the month began (32 bits), counter. Source: `MessageClientIDSetter.createUniqIDBuffer`.
pub fn tail(now: Millis, month_start: i64, counter: u16) -> [u8; 6] {
    let since = now.0.wrapping_sub(month_start) as i32;
    let [a, b, c, d] = since.to_be_bytes();
    let [e, f] = counter.to_be_bytes();
    [a, b, c, d, e, f]
}

/// First millisecond of the month of `now` and of the next month, in UTC.
pub fn month_of(now: Millis) -> (i64, i64) {
    let days = now.0.div_euclid(DAY);
    let (year, month) = year_month(days);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (days_before(year, month) * DAY, days_before(next.0, next.1) * DAY)
}

/// When a unique key was made, read at `now`: in this month, or in the one before if that would not be past yet.
///
/// Source: `MessageClientIDSetter.getNearlyTimeFromID`.
pub fn nearly_time(id: &str, now: Millis) -> Option<Millis> {
    let bytes: [u8; 14] = first_bytes(id)?;
    let span = i64::from(u32::from_be_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]));
    let (start, _) = month_of(now);
    match start + span < now.0 {
        true => Some(Millis(start + span)),
        false => Some(Millis(month_of(Millis(start - 1)).0 + span)),
    }
}

/// Which client made a unique key: its IPv4 address. Source: `MessageClientIDSetter.getIPStrFromID`.
pub fn maker(id: &str) -> Option<u32> {
    first_bytes(id).map(u32::from_be_bytes)
}

/// The bytes that pairs of hex digits stand for; what is no digit counts as -1, and one digit too many for nothing.
///
/// Source: `UtilAll.string2bytes`.
pub fn pairs(text: &str) -> impl Iterator<Item = u8> {
    let mut units = text.encode_utf16();
    std::iter::from_fn(move || {
        let (high, low) = (units.next()?, units.next()?);
        Some((nibble(high) << 4 | nibble(low)) as u8)
    })
}

fn first_bytes<const N: usize>(id: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let mut pairs = pairs(id);
    for byte in &mut bytes {
        *byte = pairs.next()?;
    }
    Some(bytes)
}

const DAY: i64 = 86_400_000;

/// Civil year and month of a day counted from 1970-01-01 (Howard Hinnant's algorithm).
fn year_month(days: i64) -> (i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month)
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (month + 9) % 12;
    let doy = (153 * mp + 2) / 5;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Upper-case hex. Source: `UtilAll.bytes2string`.
pub fn hex(bytes: &[u8; 16]) -> Name {
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    Name::from(std::str::from_utf8(&text).expect("digits are ASCII"))
}

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

fn nibble(unit: u16) -> i32 {
    char::from_u32(u32::from(unit)).and_then(|digit| digit.to_digit(16)).map_or(-1, |value| value as i32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn offset_ids_read_back() {
        let host = Host { ip: 0xC064_035A, port: 10_911 };
        let id = offset_msg_id(host, PhysicalOffset(71_515));
        assert_eq!(id, "C064035A00002A9F000000000001175B");
        assert_eq!(parse_offset_msg_id(&id), Some((host, PhysicalOffset(71_515))));
        assert_eq!(parse_offset_msg_id("C0"), None);
        assert_eq!(parse_offset_msg_id("Ж64035A00002A9F000000000001175B"), None, "31 letters");
        let odd = parse_offset_msg_id("Ж064035A00002A9Fxyz0000000011753").unwrap();
        assert_eq!((odd.0.ip, odd.1.0), (0xF064_035A, 0xFFF0_0000_0001_1753_u64.cast_signed()));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_begin_another_month() {
        let first = 1_541_030_400_000;
        let mut ids = UniqIds::new(1, 2, 3);
        ids.next(Millis(first));
        assert_eq!(&ids.next(Millis(first - 1))[20..], "FFFFFFFF0001");
        assert_eq!(&ids.next(Millis(first + 31 * DAY))[20..], format!("{:08X}0002", DAY));
    }

    #[test]
    fn months_begin_at_their_first() {
        assert_eq!(month_of(Millis(1_540_289_732_431)), (1_538_352_000_000, 1_541_030_400_000));
        assert_eq!(month_of(Millis(0)), (0, 31 * DAY));
    }
}
