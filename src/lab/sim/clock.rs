//! A machine's two clocks as functions of true time: the wall clock, and the monotonic one that drives its timers.

use crate::mq::time::{Millis, Span, Time};

/// What a machine's clocks show. While nothing is wrong with them they show true time, moved by a constant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Beyond true time at `since`, in ns.
    wall_ahead: i64,
    /// The same of the monotonic clock.
    mono_ahead: i64,
    since: Time,
    /// What is wrong with their rates; empty on a healthy machine.
    bends: Vec<Bend>,
}

/// One fault's part in the rates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bend {
    pub(crate) episode: u32,
    /// In millionths beyond true time's rate.
    pub(crate) rate: i64,
    /// The wall clock's step in ms; 1 is the usual.
    pub(crate) grain: u64,
    /// What it has moved the clocks by so far, in ns.
    gone: i64,
}

impl Bend {
    pub(crate) fn new(episode: u32, rate: i64, grain: u64) -> Bend {
        Bend { episode, rate, grain: grain.max(1), gone: 0 }
    }
}

impl Clock {
    #[inline]
    pub(crate) fn wall(&self, start: Millis, now: Time) -> Millis {
        if self.bends.is_empty() {
            return Millis(start.0 + (now.0 as i64).saturating_add(self.wall_ahead).div_euclid(1_000_000));
        }
        let shown = start.0 + (now.0 as i64 + self.wall_ahead + self.bent(now)).div_euclid(1_000_000);
        let grain = self.bends.iter().map(|bend| bend.grain).max().unwrap_or(1) as i64;
        Millis(shown - shown.rem_euclid(grain))
    }

    #[inline]
    pub(crate) fn mono(&self, now: Time) -> Time {
        let bent = if self.bends.is_empty() { 0 } else { self.bent(now) };
        now.0.checked_add_signed(self.mono_ahead + bent).map_or(now, Time)
    }

    /// The true time at which the monotonic clock shows `mono`; never, while it stands still.
    #[inline]
    pub(crate) fn true_time(&self, mono: Time) -> Time {
        if mono == Time::NEVER {
            return mono;
        }
        if self.bends.is_empty() {
            return Time(mono.0.saturating_add_signed(-self.mono_ahead));
        }
        let base = self.since.0.saturating_add_signed(self.mono_ahead);
        let Some(ahead) = mono.0.checked_sub(base) else { return self.since };
        let rate = 1_000_000 + self.rate();
        if rate <= 0 {
            return if ahead == 0 { self.since } else { Time::NEVER };
        }
        let span = (u128::from(ahead) * 1_000_000).div_ceil(rate as u128);
        Time(u64::try_from(span).unwrap_or(u64::MAX).saturating_add(self.since.0))
    }

    /// Moves the wall clock.
    pub(crate) fn step_wall(&mut self, millis: i64) {
        self.wall_ahead = self.wall_ahead.saturating_add(millis.saturating_mul(1_000_000));
    }

    /// Moves the monotonic clock ahead.
    pub(crate) fn push_mono(&mut self, by: Span) {
        self.mono_ahead = self.mono_ahead.saturating_add_unsigned(by.0);
    }

    /// From now on a fault has this part in the rates.
    pub(crate) fn bend(&mut self, now: Time, bend: Bend) {
        self.rebase(now);
        match self.bends.iter_mut().find(|other| other.episode == bend.episode) {
            Some(other) => *other = Bend { gone: other.gone, ..bend },
            None => self.bends.push(bend),
        }
    }

    /// A fault has no part in the rates any more; gives what it has moved the clocks by, in ns.
    pub(crate) fn unbend(&mut self, now: Time, episode: u32) -> i64 {
        self.rebase(now);
        let gone = self.bends.iter().find(|bend| bend.episode == episode).map_or(0, |bend| bend.gone);
        self.bends.retain(|bend| bend.episode != episode);
        gone
    }

    /// Takes back by how much a fault has put both clocks behind. A monotonic clock that is ahead stays so.
    pub(crate) fn take_back(&mut self, gone: i64) {
        self.wall_ahead -= gone.min(0);
        self.mono_ahead -= gone.min(0);
    }

    /// What a fault has moved the clocks by until now, in ns.
    pub(crate) fn gone(&self, now: Time, episode: u32) -> i64 {
        let bend = self.bends.iter().find(|bend| bend.episode == episode);
        bend.map_or(0, |bend| bend.gone + drift(now, self.since, bend.rate))
    }

    /// The rate of both clocks in millionths beyond true time's.
    pub(crate) fn rate(&self) -> i64 {
        self.bends.iter().map(|bend| bend.rate).sum::<i64>().max(-1_000_000)
    }

    fn bent(&self, now: Time) -> i64 {
        drift(now, self.since, self.rate())
    }

    fn rebase(&mut self, now: Time) {
        let bent = self.bent(now);
        self.wall_ahead += bent;
        self.mono_ahead += bent;
        for bend in &mut self.bends {
            bend.gone += drift(now, self.since, bend.rate);
        }
        self.since = now;
    }
}

fn drift(now: Time, since: Time, rate: i64) -> i64 {
    let span = i128::from(now.0.saturating_sub(since.0));
    (span * i128::from(rate)).div_euclid(1_000_000) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = Millis(1_000);

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    #[test]
    fn a_clock_that_drifts_shows_more_and_its_timers_come_earlier() {
        let mut clock = Clock::default();
        clock.bend(at(1_000), Bend::new(0, 50_000, 1));
        assert_eq!(clock.mono(at(2_000)), at(2_050));
        assert_eq!(clock.wall(START, at(2_000)), Millis(3_050));
        assert_eq!(clock.true_time(at(2_050)), at(2_000));
        assert_eq!(clock.unbend(at(2_000), 0), 50_000_000);
        assert_eq!(clock.mono(at(3_000)), at(3_050));
    }

    #[test]
    fn a_frozen_clock_stands_still_and_catches_up() {
        let mut clock = Clock::default();
        clock.bend(at(1_000), Bend::new(0, -1_000_000, 1));
        assert_eq!((clock.mono(at(1_500)), clock.true_time(at(1_001))), (at(1_000), Time::NEVER));
        clock.bend(at(2_000), Bend::new(0, 1_000_000, 1));
        assert_eq!(clock.true_time(at(1_500)), at(2_250));
        assert_eq!((clock.mono(at(3_000)), clock.gone(at(3_000), 0)), (at(3_000), 0));
    }

    #[test]
    fn every_reading_is_reached_at_the_time_that_it_is_asked_for() {
        let mut clock = Clock::default();
        clock.push_mono(Span::from_millis(7));
        for rate in [-49_999, -1, 0, 3, 50_000, 999_999] {
            clock.bend(at(100), Bend::new(0, rate, 1));
            for wanted in [110_u64, 1_234, 99_999].map(at) {
                let due = clock.true_time(wanted);
                assert!(clock.mono(due) >= wanted && clock.mono(Time(due.0 - 2)) < wanted, "{rate} {wanted}");
            }
        }
    }

    #[test]
    fn a_coarse_wall_clock_gives_one_stamp_to_many_moments() {
        let mut clock = Clock::default();
        clock.bend(at(0), Bend::new(0, 0, 100));
        assert_eq!(clock.wall(START, at(199)), clock.wall(START, at(100)));
        assert_eq!(clock.mono(at(199)), at(199));
    }
}
