//! The machine's two clocks, read here and nowhere else.

#![expect(clippy::disallowed_types, reason = "the real machine's clocks: nodes are told them by Step")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::mq::time::{Millis, Time};

/// Both clocks, and how far apart they were when nodes were last told.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    apart: i64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        let mut clock = Clock { start: Instant::now(), apart: 0 };
        clock.apart = clock.apart_by();
        clock
    }

    /// The monotonic clock, from the driver's start.
    pub(super) fn mono(&self) -> Time {
        Time(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The wall clock.
    pub(super) fn wall(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// By how many milliseconds the wall clock left the monotonic one since nodes were told, if that is worth telling.
    pub(super) fn stepped(&mut self) -> Option<i64> {
        let apart = self.apart_by();
        let by = apart - self.apart;
        if by.abs() < STEP {
            return None;
        }
        self.apart = apart;
        Some(by)
    }

    fn apart_by(&self) -> i64 {
        self.wall().0 - i64::try_from(self.mono().as_millis()).unwrap_or(i64::MAX)
    }
}

/// What a clock is corrected by in passing is no step, in milliseconds.
const STEP: i64 = 100;
