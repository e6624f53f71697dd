//! The service that answers puts which wait for a slave: one after the other, each with five waits at most.
//!
//! A wait ends after a second, or as soon as any slave reports more than was known. So five reports end a put's patience,
//! however little each of them brought: a record of more than about five pieces of 32 KiB is answered FLUSH_SLAVE_TIMEOUT
//! within milliseconds. And one put that is waited for keeps those behind it waiting.
//!
//! Source: `HAService.GroupTransferService`. Differs: a put wakes the service at once, its idle turns of 10 ms find nothing.

use std::collections::VecDeque;

use crate::mq::time::{Span, Time};

/// `GroupTransferService` as data.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupTransfer {
    /// `requestsWrite`, then `requestsRead`: numbers of puts and one past their last bytes.
    requests: VecDeque<(u64, i64)>,
    /// How many waits the first of them has begun.
    begun: u32,
    /// When the one under way is over.
    until: Option<Time>,
    /// `notifyTransferObject.hasNotified`: somebody reported more.
    notified: bool,
    /// How many puts have come.
    pub(super) asked: u64,
}

impl GroupTransfer {
    /// A put waits.
    pub(super) fn put(&mut self, request: u64, next_offset: i64) {
        self.asked += 1;
        self.requests.push_back((request, next_offset));
    }

    /// A slave reported more than any had.
    pub(super) fn notify(&mut self) {
        self.notified = true;
    }

    /// When the wait under way is over.
    pub(super) fn waits_until(&self) -> Option<Time> {
        self.until
    }

    /// The next put that is answered at `now`, and whether slaves have it; `None` while the first of them is waited for.
    pub(super) fn next(&mut self, now: Time, reported: i64, waits_max: u32) -> Option<(u64, bool)> {
        let (request, next_offset) = *self.requests.front()?;
        loop {
            if let Some(until) = self.until {
                if !self.notified && now < until {
                    return None;
                }
                self.notified = false;
                self.until = None;
            }
            let reached = reported >= next_offset;
            if reached || self.begun >= waits_max {
                self.requests.pop_front();
                self.begun = 0;
                return Some((request, reached));
            }
            self.begun += 1;
            self.until = Some(now + WAIT);
        }
    }
}

/// Source: `GroupTransferService.doWaitTransfer`.
pub(super) const WAITS_MAX: u32 = 5;
/// Source: `GroupTransferService.doWaitTransfer`: `waitForRunning(1000)`.
const WAIT: Span = Span::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    #[test]
    fn five_reports_end_the_patience_with_a_large_record() {
        let mut service = GroupTransfer::default();
        service.put(1, 300_000);
        service.put(2, 300_100);
        assert_eq!(service.next(at(0), 0, WAITS_MAX), None);
        for piece in 1..5 {
            service.notify();
            assert_eq!(service.next(at(piece), 32_768 * piece as i64, WAITS_MAX), None, "after {piece} reports");
        }
        service.notify();
        assert_eq!(service.next(at(5), 163_840, WAITS_MAX), Some((1, false)));
        assert_eq!(service.next(at(5), 163_840, WAITS_MAX), None, "the second has five waits of its own");
        service.notify();
        assert_eq!(service.next(at(6), 300_100, WAITS_MAX), Some((2, true)));
        assert_eq!(service.next(at(6), 300_100, WAITS_MAX), None);
    }

    #[test]
    fn a_silent_slave_is_waited_for_five_times_a_second_by_each_in_turn() {
        let mut service = GroupTransfer::default();
        service.put(1, 100);
        service.put(2, 200);
        let mut answered = Vec::new();
        for millis in (0..=10_000).step_by(100) {
            while let Some((request, reached)) = service.next(at(millis), 0, WAITS_MAX) {
                answered.push((millis, request, reached));
            }
        }
        assert_eq!(answered, [(5_000, 1, false), (10_000, 2, false)]);
    }

    #[test]
    fn what_slaves_have_is_answered_at_once() {
        let mut service = GroupTransfer::default();
        service.put(1, 100);
        assert_eq!(service.next(at(0), 100, WAITS_MAX), Some((1, true)));
        assert_eq!(service.waits_until(), None);
    }
}
