//! Armed timers of one process: the earliest is what the loop waits for.
//!
//! A timer that moves later leaves its entry where it is and is filed again when that comes up.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::mq::node::TimerKey;
use crate::mq::time::Time;

/// The timers of a process.
#[derive(Debug, Default)]
pub(super) struct Timers {
    armed: BTreeMap<TimerKey, Armed>,
    filed: BinaryHeap<Reverse<(Time, TimerKey)>>,
}

#[derive(Debug)]
struct Armed {
    /// When it fires; never, if it was disarmed.
    due: Time,
    /// The entry that will find it.
    filed: Time,
}

impl Timers {
    pub(super) fn arm(&mut self, timer: TimerKey, at: Time) {
        match self.armed.get_mut(&timer) {
            Some(armed) if armed.filed <= at => armed.due = at,
            Some(armed) => {
                (armed.due, armed.filed) = (at, at);
                self.filed.push(Reverse((at, timer)));
            }
            None => {
                self.armed.insert(timer, Armed { due: at, filed: at });
                self.filed.push(Reverse((at, timer)));
            }
        }
    }

    pub(super) fn disarm(&mut self, timer: TimerKey) {
        if let Some(armed) = self.armed.get_mut(&timer) {
            armed.due = Time::NEVER;
        }
    }

    /// The next one that is due by now.
    pub(super) fn due(&mut self, now: Time) -> Option<TimerKey> {
        while let Some(&Reverse((at, timer))) = self.filed.peek() {
            if now < at {
                return None;
            }
            self.filed.pop();
            let Some(armed) = self.armed.get_mut(&timer).filter(|armed| armed.filed == at) else { continue };
            if armed.due <= now {
                self.armed.remove(&timer);
                return Some(timer);
            }
            if armed.due == Time::NEVER {
                self.armed.remove(&timer);
                continue;
            }
            armed.filed = armed.due;
            self.filed.push(Reverse((armed.due, timer)));
        }
        None
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Time> {
        self.filed.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::node::Timer;

    #[test]
    fn timers_move_both_ways_fire_once_and_can_be_taken_back() {
        let [a, b, c] = [Timer::Reput, Timer::GroupCommit, Timer::CleanFiles].map(TimerKey::of);
        let mut timers = Timers::default();
        timers.arm(a, Time(10));
        timers.arm(b, Time(20));
        timers.arm(c, Time(5));
        timers.arm(a, Time(30));
        timers.arm(b, Time(15));
        timers.disarm(c);
        assert_eq!((timers.next(), timers.due(Time(9))), (Some(Time(5)), None));
        assert_eq!((timers.due(Time(15)), timers.due(Time(29))), (Some(b), None));
        assert_eq!((timers.due(Time(30)), timers.due(Time(99)), timers.next()), (Some(a), None, None));
    }
}
