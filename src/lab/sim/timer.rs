//! A machine's timers. A timer that moves later leaves its agenda entry where it is; the entry is filed again when it comes
//! up. So a request table that moves its one deadline at every request costs one entry a deadline, not one a request.

use crate::mq::node::{Timer, TimerKey};
use crate::mq::time::Time;

/// The timers of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    /// Sorted by key.
    index: Vec<(TimerKey, u32)>,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: TimerKey,
    /// When it is due, in true time; `None` while it is not armed.
    due: Option<Time>,
    /// The same by its machine's monotonic clock.
    mono: Time,
    /// When its live agenda entry comes up.
    filed: Option<Time>,
    /// The record of its arming.
    cause: u64,
}

/// What a timer's agenda entry means when it comes up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Up {
    /// Nothing: it was moved, disarmed, or its process is gone.
    Stale,
    /// It was moved later: file it again.
    Again(Time),
    /// It fires.
    Fires { key: TimerKey, cause: u64 },
}

impl Timers {
    /// Arms or moves a timer; the answer is an entry to file, if its present one does not come up in time.
    pub(crate) fn arm(&mut self, key: TimerKey, (mono, due): (Time, Time), cause: u64) -> Option<u32> {
        let number = self.slot_of(key);
        let slot = &mut self.slots[number as usize];
        slot.due = Some(due);
        slot.mono = mono;
        slot.cause = cause;
        if slot.filed.is_some_and(|filed| filed <= due) {
            return None;
        }
        slot.filed = Some(due);
        Some(number)
    }

    /// Disarms a timer; its entry stays and comes to nothing.
    pub(crate) fn disarm(&mut self, key: TimerKey) {
        if let Ok(at) = self.index.binary_search_by_key(&key, |&(key, _)| key) {
            let number = self.index[at].1;
            self.slots[number as usize].due = None;
            self.release(number);
        }
    }

    /// An entry comes up at `now`.
    pub(crate) fn up(&mut self, number: u32, now: Time) -> Up {
        let Some(slot) = self.slots.get_mut(number as usize) else { return Up::Stale };
        if slot.filed != Some(now) {
            return Up::Stale;
        }
        slot.filed = None;
        match slot.due {
            None => {
                self.release(number);
                Up::Stale
            }
            Some(due) if now < due => {
                slot.filed = Some(due);
                Up::Again(due)
            }
            Some(_) => {
                slot.due = None;
                let up = Up::Fires { key: slot.key, cause: slot.cause };
                self.release(number);
                up
            }
        }
    }

    /// Whether an entry that comes up at `now` would fire.
    pub(crate) fn would_fire(&self, number: u32, now: Time) -> bool {
        self.slots
            .get(number as usize)
            .is_some_and(|slot| slot.filed == Some(now) && slot.due.is_some_and(|due| due <= now))
    }

    /// The name of the timer that an entry is for.
    pub(crate) fn name(&self, number: u32) -> Option<Timer> {
        self.slots.get(number as usize).map(|slot| slot.key.name)
    }

    /// The machine's clock runs at another rate: every timer is due when that shows its time. Gives the entries to file.
    pub(crate) fn remap(&mut self, true_time: impl Fn(Time) -> Time) -> Vec<(u32, Time)> {
        let mut file = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let Some(before) = slot.due else { continue };
            let due = true_time(slot.mono);
            slot.due = Some(due);
            if due < before && slot.filed.is_none_or(|filed| due < filed) {
                slot.filed = Some(due);
                file.push((number as u32, due));
            }
        }
        file
    }

    /// A parked entry is filed again at `now`.
    pub(crate) fn refile(&mut self, number: u32, now: Time) {
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.filed = Some(now);
        }
    }

    fn slot_of(&mut self, key: TimerKey) -> u32 {
        match self.index.binary_search_by_key(&key, |&(key, _)| key) {
            Ok(at) => self.index[at].1,
            Err(at) => {
                let slot = Slot { key, due: None, mono: Time::ZERO, filed: None, cause: 0 };
                let number = match self.free.pop() {
                    Some(number) => {
                        self.slots[number as usize] = slot;
                        number
                    }
                    None => {
                        self.slots.push(slot);
                        (self.slots.len() - 1) as u32
                    }
                };
                self.index.insert(at, (key, number));
                number
            }
        }
    }

    /// Gives up the slot of a numbered timer that is neither armed nor filed. A timer without a number is armed again soon.
    ///
    /// An entry that was moved away may still name the slot; it counts only if it comes up when the slot's own would.
    fn release(&mut self, number: u32) {
        let slot = self.slots[number as usize];
        if slot.key.number == 0 || slot.due.is_some() || slot.filed.is_some() {
            return;
        }
        if let Ok(at) = self.index.binary_search_by_key(&slot.key, |&(key, _)| key) {
            self.index.remove(at);
            self.free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TimerKey = TimerKey::of(Timer::Toy);

    #[test]
    fn a_timer_that_moves_later_keeps_its_entry() {
        let mut timers = Timers::default();
        assert_eq!(timers.arm(KEY, (Time(10), Time(10)), 1), Some(0));
        assert_eq!(timers.arm(KEY, (Time(30), Time(30)), 2), None);
        assert_eq!(timers.up(0, Time(10)), Up::Again(Time(30)));
        assert_eq!(timers.up(0, Time(30)), Up::Fires { key: KEY, cause: 2 });
        assert_eq!(timers.up(0, Time(30)), Up::Stale);
    }

    #[test]
    fn a_timer_that_moves_earlier_fires_once() {
        let mut timers = Timers::default();
        timers.arm(KEY, (Time(30), Time(30)), 1);
        assert_eq!(timers.arm(KEY, (Time(10), Time(10)), 2), Some(0));
        assert_eq!(timers.up(0, Time(10)), Up::Fires { key: KEY, cause: 2 });
        assert_eq!(timers.up(0, Time(30)), Up::Stale);
    }

    #[test]
    fn a_disarmed_timer_does_not_fire_and_numbered_slots_are_reused() {
        let mut timers = Timers::default();
        for number in 1..1_000 {
            let key = TimerKey { name: Timer::JobDone, number };
            let slot = timers.arm(key, (Time(number), Time(number)), number).unwrap();
            if number % 2 == 0 {
                timers.disarm(key);
                assert_eq!(timers.up(slot, Time(number)), Up::Stale);
            } else {
                assert_eq!(timers.up(slot, Time(number)), Up::Fires { key, cause: number });
            }
        }
        assert_eq!((timers.slots.len(), timers.index.len()), (1, 0));
    }
}
