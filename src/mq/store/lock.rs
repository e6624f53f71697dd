//! The put lock, as others see it held.
//!
//! A node handles an event in no time; only what the disk says of its own slowness ([`Disk::stalled`]) would have kept a
//! thread inside the lock. The store remembers those spans: a put that comes within one is stored when it ends, and one that
//! comes more than a second after it began is refused.
//!
//! Source: `CommitLog.putMessageLock`, `beginTimeInLock`, `DefaultMessageStore.isOSPageCacheBusy`.
//!
//! [`Disk::stalled`]: crate::mq::disk::Disk::stalled

use std::collections::VecDeque;

use crate::mq::store::{Clock, MessageStore};
use crate::mq::time::{Millis, Span, Time};

/// Who holds the lock, and who will.
#[derive(Clone, Debug, Default)]
pub(super) struct PutLock {
    /// One behind the other, without gaps.
    holds: VecDeque<Hold>,
    /// What the last put was told that had to wait.
    told: Option<Millis>,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    /// `beginTimeInLock`.
    since: Millis,
    until: Time,
}

impl PutLock {
    /// When a put that comes now is inside: at once, or when those before it are out.
    pub(super) fn begin(&mut self, clock: Clock) -> Millis {
        while self.holds.front().is_some_and(|hold| hold.until <= clock.mono) {
            self.holds.pop_front();
        }
        let Some(last) = self.holds.back() else {
            self.told = None;
            return clock.wall;
        };
        let inside = clock.wall.plus(last.until.since(clock.mono).as_millis() as i64);
        // Both clocks are cut to a millisecond: one that comes later must not be told an earlier one for that.
        let inside = self.told.filter(|told| *told == inside.plus(1)).unwrap_or(inside);
        self.told = Some(inside);
        inside
    }

    /// The put that began at `since` stays inside for `stalled` ns.
    pub(super) fn hold(&mut self, clock: Clock, since: Millis, stalled: u64) {
        if stalled > 0 {
            let from = self.holds.back().map_or(clock.mono, |last| last.until);
            self.holds.push_back(Hold { since, until: from + Span(stalled) });
        }
    }

    /// When the last put that is inside, or waits for it, comes out; `None` if nobody is.
    fn until(&self, clock: Clock) -> Option<Time> {
        self.holds.back().map(|last| last.until).filter(|until| clock.mono < *until)
    }

    /// When a holder will have been inside for more than `limit`, or has been.
    fn too_long_from(&self, clock: Clock, limit: i64) -> Option<Time> {
        let from = |hold: &Hold| {
            let wait = hold.since.plus(limit + 1).since(clock.wall).max(0) as u64;
            clock.mono + Span::from_millis(wait)
        };
        let inside = self.holds.iter().filter(|hold| clock.mono < hold.until);
        inside.map(|hold| (from(hold), hold.until)).find(|(from, until)| from < until).map(|(from, _)| from)
    }

    /// For how many ms the lock has been held by whoever holds it.
    fn held_ms(&self, clock: Clock) -> Option<i64> {
        let holder = self.holds.iter().find(|hold| clock.mono < hold.until)?;
        Some(clock.wall.since(holder.since))
    }
}

impl MessageStore {
    /// Whether a put has been inside the lock for too long. Source: `DefaultMessageStore.isOSPageCacheBusy`.
    pub fn is_os_page_cache_busy(&self, clock: Clock) -> bool {
        let limit = self.config.os_page_cache_busy_timeout.as_millis() as i64;
        self.lock.held_ms(clock).is_some_and(|held| limit < held && held < HELD_FOR_EVER_MS)
    }

    /// From when on it will be; `None` if it will not.
    pub fn os_page_cache_busy_from(&self, clock: Clock) -> Option<Time> {
        self.lock.too_long_from(clock, self.config.os_page_cache_busy_timeout.as_millis() as i64)
    }

    /// When the put that was just made comes out of the lock, if the disk keeps it inside.
    pub fn inside_until(&self, clock: Clock) -> Option<Time> {
        self.lock.until(clock)
    }

    /// For how many ms a put has been inside the lock; 0 if none is. Source: `CommitLog.lockTimeMills`.
    pub fn lock_time_ms(&self, clock: Clock) -> i64 {
        self.lock.held_ms(clock).unwrap_or(0).max(0)
    }
}

/// Source: `DefaultMessageStore.isOSPageCacheBusy`: longer than this is taken for a lock that nobody holds.
const HELD_FOR_EVER_MS: i64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Clock {
        Clock { wall: Millis(1_000_000 + millis as i64), mono: Time(millis * 1_000_000) }
    }

    #[test]
    fn puts_behind_a_slow_one_begin_when_it_is_out() {
        let mut lock = PutLock::default();
        let since = lock.begin(at(0));
        lock.hold(at(0), since, 3_000_000_000);
        assert_eq!(lock.held_ms(at(2_500)), Some(2_500));
        assert_eq!(lock.until(at(500)), Some(at(3_000).mono));
        assert_eq!(lock.too_long_from(at(500), 1_000), Some(at(1_001).mono));
        assert_eq!(lock.too_long_from(at(500), 3_000), None);
        let since = lock.begin(at(500));
        assert_eq!(since, at(3_000).wall);
        lock.hold(at(500), since, 2_000_000_000);
        assert_eq!(lock.held_ms(at(3_100)), Some(100));
        assert_eq!(lock.too_long_from(at(3_100), 1_000), Some(at(4_001).mono));
        assert_eq!((lock.held_ms(at(5_000)), lock.until(at(5_000))), (None, None));
        assert_eq!(lock.begin(at(5_000)), at(5_000).wall);
    }
}
