//! The transient store pool: appends go into private memory first, and a service moves them into the files.
//!
//! ```text
//! put ─▶ buffer ─▶ (commit) ─▶ file, readable ─▶ (force) ─▶ durable
//! ```
//!
//! What is not committed is invisible to readers, to the follower and to slaves, and dies with the process. The commit
//! service is a loop of 200 ms that puts wake; here it is a grid, with a deadline while something waits in a buffer.
//!
//! Source: `TransientStorePool`, `CommitLog.CommitRealTimeService`.
//! Differs: the thorough interval is counted on the monotonic clock, upstream's on the wall clock.

use crate::mq::disk::Disk;
use crate::mq::store::{Clock, MessageStore};
use crate::mq::time::{Span, Time};

/// `CommitRealTimeService`'s loop as data.
#[derive(Clone, Debug)]
pub(super) struct CommitTurns {
    interval: Span,
    thorough_interval: Span,
    least_pages: i64,
    /// When the next turn is, if nobody wakes the loop.
    next: Time,
    /// `lastCommitTimestamp`.
    last: Option<Time>,
}

impl CommitTurns {
    /// The loop at its start.
    pub(super) fn new(now: Time, interval: Span, thorough_interval: Span, least_pages: i64) -> CommitTurns {
        let interval = interval.max(Span::from_millis(1));
        CommitTurns { interval, thorough_interval, least_pages, next: now, last: None }
    }

    fn is_thorough(&self, at: Time) -> bool {
        self.last.is_none_or(|last| last + self.thorough_interval <= at)
    }

    /// A turn begins: how many pages it wants; 0 is thorough.
    fn begin(&mut self, now: Time) -> i64 {
        if !self.is_thorough(now) {
            return self.least_pages;
        }
        self.last = Some(now);
        0
    }

    /// The turn ends.
    fn end(&mut self, now: Time, moved: bool) {
        if moved {
            self.last = Some(now);
        }
        self.next = now + self.interval;
    }

    /// Lets the turns pass that came at or before `now` and found nothing.
    fn catch_up(&mut self, now: Time) {
        let apart = self.thorough_interval.0.div_ceil(self.interval.0).max(1);
        let period = self.interval.0.saturating_mul(apart);
        while self.next <= now {
            if self.is_thorough(self.next) {
                // Thorough turns come a whole period apart from here on.
                self.next += Span(now.since(self.next).0 / period * period);
                self.last = Some(self.next);
            }
            self.next += self.interval;
        }
    }

    /// When a turn will commit `pages`, if nobody wakes the loop before.
    fn due(&self, pages: i64) -> Time {
        let Some(last) = self.last.filter(|_| pages < self.least_pages) else { return self.next };
        let wait = (last + self.thorough_interval).since(self.next);
        self.next + Span(wait.0.div_ceil(self.interval.0) * self.interval.0)
    }
}

impl MessageStore {
    /// Whether every buffer of the pool is lent, so that sends are to be refused.
    ///
    /// Source: `DefaultMessageStore.isTransientStorePoolDeficient`.
    pub fn is_transient_store_pool_deficient(&self) -> bool {
        self.config.has_transient_pool() && self.free_buffers == 0
    }

    /// When the commit service would find something.
    pub(super) fn next_commit(&self) -> Option<Time> {
        if !self.config.has_transient_pool() {
            return None;
        }
        let file = self.log.committing()?;
        (self.log.committed_where < file.from + file.wrote).then(|| self.commits.due(file.uncommitted_pages()))
    }

    /// A put wakes the commit service.
    pub(super) fn wake_commit(&mut self, disk: &mut dyn Disk, clock: Clock) {
        self.commits.catch_up(Time(clock.mono.0.saturating_sub(1)));
        self.commit_turn(disk, clock);
    }

    /// The service's timer fired.
    pub(super) fn run_commit(&mut self, disk: &mut dyn Disk, clock: Clock) {
        if self.next_commit().is_some_and(|due| due <= clock.mono) {
            self.wake_commit(disk, clock);
        }
    }

    /// One turn: commits, and wakes the flush if something moved.
    fn commit_turn(&mut self, disk: &mut dyn Disk, clock: Clock) {
        let least_pages = self.commits.begin(clock.mono);
        let moved = self.commit(disk, least_pages);
        self.commits.end(clock.mono, moved);
        if moved {
            self.wake_real_time(clock);
        }
    }

    /// Whether something moved out of a buffer. Source: `MappedFileQueue.commit`.
    pub(super) fn commit(&mut self, disk: &mut dyn Disk, least_pages: i64) -> bool {
        let (moved, is_back) = self.log.commit(disk, least_pages);
        self.free_buffers += usize::from(is_back);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    #[test]
    fn a_turn_is_thorough_when_the_last_commit_is_long_ago() {
        let mut turns = CommitTurns::new(at(0), Span::from_millis(200), Span::from_millis(500), 4);
        turns.catch_up(at(1_250));
        assert_eq!(turns.last, Some(at(1_200)), "thorough at 0, 600 and 1200 ms");
        assert_eq!(turns.begin(at(1_250)), 4);
        turns.end(at(1_250), false);
        assert_eq!(turns.due(1), at(1_850), "turns at 1450 and 1650 ms want four pages");
        assert_eq!(turns.due(4), at(1_450));
        assert_eq!(turns.begin(at(1_850)), 0);
    }

    #[test]
    fn a_day_of_idle_turns_is_caught_up_with_at_once() {
        let mut turns = CommitTurns::new(at(0), Span::from_millis(200), Span::from_millis(200), 4);
        turns.catch_up(at(86_400_100));
        assert_eq!((turns.last, turns.next), (Some(at(86_400_000)), at(86_400_200)));
    }
}
