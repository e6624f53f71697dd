//! Time as numbers. There is no clock here: whoever drives a node tells it the time.
//!
//! [`Time`] and [`Span`] count nanoseconds; [`Millis`] is Java's `System.currentTimeMillis()`, used wherever upstream
//! computes in milliseconds. Arithmetic saturates: no sum of times can wrap or panic.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A moment on a monotonic clock, in nanoseconds since that clock's zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub u64);

/// A wall-clock reading in milliseconds since 1970, as Java's `System.currentTimeMillis()` gives it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

impl Time {
    /// The clock's zero.
    pub const ZERO: Time = Time(0);
    /// A moment that never comes.
    pub const NEVER: Time = Time(u64::MAX);

    /// The span from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Whole milliseconds since the clock's zero.
    pub fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Span {
        Span(nanos)
    }

    /// A span of whole microseconds.
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros.saturating_mul(1_000))
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis.saturating_mul(1_000_000))
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs.saturating_mul(1_000_000_000))
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Millis {
    /// The difference `self - earlier` in milliseconds; negative if the wall clock stepped back.
    pub fn since(self, earlier: Millis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This reading moved by `millis`, which may be negative.
    pub fn plus(self, millis: i64) -> Millis {
        Millis(self.0.saturating_add(millis))
    }
}

/// A wall-clock reading as a calendar shows it. Gregorian, as Java's, from 1970 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// 0 to 999.
    pub milli: i64,
}

impl Calendar {
    /// The reading in a zone that is `zone_offset_ms` ahead of UTC.
    pub fn of(wall: Millis, zone_offset_ms: i64) -> Calendar {
        let local = wall.0.saturating_add(zone_offset_ms);
        let (days, rest) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
        // Years that begin in March have their leap day at the end; 400 of them are an era of 146,097 days.
        let from_march = days + 719_468;
        let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Calendar {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: rest / 3_600_000,
            minute: rest / 60_000 % 60,
            second: rest / 1_000 % 60,
            milli: rest % 1_000,
        }
    }

    /// `yyyyMMddHHmmssSSS`. Source: `UtilAll.timeMillisToHumanString`.
    pub fn human_string(&self) -> String {
        let Calendar { year, month, day, hour, minute, second, milli } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{milli:03}")
    }
}

const DAY_MS: i64 = 86_400_000;

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1_000_000_000, self.0 / 1_000_000 % 1_000)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// The shortest exact form in one unit: `250ns`, `40us`, `1250ms`, `10s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "0s"),
            n if n % 1_000_000_000 == 0 => write!(f, "{}s", n / 1_000_000_000),
            n if n % 1_000_000 == 0 => write!(f, "{}ms", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{}us", n / 1_000),
            n => write!(f, "{n}ns"),
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::NEVER + Span::from_secs(1), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time(5)), Span::ZERO);
        assert_eq!(Millis(i64::MAX).plus(1), Millis(i64::MAX));
        assert_eq!(Span::from_secs(u64::MAX), Span(u64::MAX));
    }

    #[test]
    fn a_calendar_knows_leap_years_and_zones() {
        let cases = [
            (0, 0, "19700101000000000"),
            (1_541_865_600_000, 28_800_000, "20181111000000000"),
            (1_582_934_400_000, 0, "20200229000000000"),
            (1_583_020_799_999, 0, "20200229235959999"),
            (951_782_400_000, 0, "20000229000000000"),
            (4_107_542_400_000, 0, "21000301000000000"),
            (1_546_300_800_123, -3_600_000, "20181231230000123"),
        ];
        for (millis, zone, text) in cases {
            assert_eq!(Calendar::of(Millis(millis), zone).human_string(), text);
        }
    }

    #[test]
    fn spans_print_in_their_largest_exact_unit() {
        let cases = [(0, "0s"), (250, "250ns"), (40_000, "40us"), (1_250_000_000, "1250ms"), (10_000_000_000, "10s")];
        for (nanos, text) in cases {
            assert_eq!(Span(nanos).to_string(), text);
        }
    }
}
