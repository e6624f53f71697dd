//! Durability: who waits for which offset, and when upstream's flush threads would have forced what.
//!
//! A force is asked for with [`News::Flush`](crate::mq::store::outcome::News) and answered later; meanwhile nothing waits. Upstream's
//! three loops are kept as data: the group commit's request lists, the real-time flush's grid of 500 ms, the consume queues'
//! grid of 1 s. Timers are armed only while a loop would find work, for the tick at which it would have found it.
//!
//! Source: `CommitLog.GroupCommitService`, `CommitLog.FlushRealTimeService`, `DefaultMessageStore.FlushConsumeQueueService`.
//! Differs: the thorough intervals are counted on the monotonic clock, upstream's on the wall clock.

use std::collections::VecDeque;

use crate::mq::time::{Span, Time};

/// A put that waits for its bytes to be durable. Source: `GroupCommitRequest`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitRequest {
    /// The put's number.
    pub number: u64,
    /// One past the record's last byte.
    pub next_offset: i64,
    /// When the put gives up.
    pub deadline: Time,
}

/// `GroupCommitService` as data.
#[derive(Clone, Debug, Default)]
pub struct GroupCommit {
    /// `requestsWrite`: come since the last swap.
    pub writing: Vec<CommitRequest>,
    /// `requestsRead`: being answered.
    pub reading: VecDeque<CommitRequest>,
    /// Forces done for the first request that is being answered.
    pub rounds: u8,
    /// A put that does not wait has woken the service.
    pub woken: bool,
    /// Whether anything was answered since the last swap: only then the checkpoint moves.
    pub answered: bool,
}

/// What the service does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitStep {
    /// Answer this request.
    Answer(CommitRequest, bool),
    /// Force what is dirty of the file at `flushed_where`, then ask again.
    Force,
    /// The swapped list is done: move the checkpoint.
    ListDone,
    /// Nothing to do.
    Rest,
}

impl GroupCommit {
    /// Decides the next step at `flushed_where`.
    ///
    /// A request gets at most two forces, and after the second its success is not looked at again: the first message of a
    /// file needs two, and is answered FLUSH_DISK_TIMEOUT although it is durable.
    pub fn next(&mut self, flushed_where: i64) -> CommitStep {
        if self.reading.is_empty() {
            if std::mem::take(&mut self.answered) {
                return CommitStep::ListDone;
            }
            if !self.writing.is_empty() {
                self.woken = false;
                self.reading.extend(self.writing.drain(..));
            }
        }
        let Some(request) = self.reading.front().copied() else {
            return if std::mem::take(&mut self.woken) { CommitStep::Force } else { CommitStep::Rest };
        };
        let durable = flushed_where >= request.next_offset;
        if self.rounds < 2 && !durable {
            self.rounds += 1;
            return CommitStep::Force;
        }
        let ok = self.rounds < 2;
        self.reading.pop_front();
        self.rounds = 0;
        self.answered = true;
        CommitStep::Answer(request, ok)
    }
}

/// `FlushRealTimeService`'s loop as data: when its current turn began, and how thorough it is.
#[derive(Clone, Debug)]
pub struct RealTime {
    interval: Span,
    thorough_interval: Span,
    least_pages: i64,
    begin: Time,
    last_thorough: Time,
    thorough: bool,
    /// A put came while a force was under way.
    pub notified: bool,
}

impl RealTime {
    /// The loop at its start: the first turn is thorough.
    pub fn new(now: Time, interval: Span, thorough_interval: Span, least_pages: i64) -> RealTime {
        let interval = interval.max(Span::from_millis(1));
        RealTime {
            interval,
            thorough_interval,
            least_pages,
            begin: now,
            last_thorough: now,
            thorough: true,
            notified: false,
        }
    }

    /// Lets the turns pass that ended at or before `now` without finding anything.
    pub fn catch_up(&mut self, now: Time) {
        let idle = now.since(self.begin).0 / self.interval.0;
        if idle == 0 {
            return;
        }
        let last = self.begin + Span(idle * self.interval.0);
        loop {
            let from = (self.begin + self.interval).max(self.due(self.begin));
            if from > last {
                break;
            }
            self.last_thorough = from;
            self.begin = from;
            self.thorough = true;
        }
        if self.begin < last {
            self.begin = last;
            self.thorough = false;
        }
    }

    /// The first beginning of a turn, on the grid of `begin`, at which thorough is due.
    fn due(&self, begin: Time) -> Time {
        let wait = (self.last_thorough + self.thorough_interval).since(begin);
        begin + Span(wait.0.div_ceil(self.interval.0) * self.interval.0)
    }

    /// How many pages the current turn wants before it forces; 0 is thorough.
    pub fn least(&self) -> i64 {
        if self.thorough { 0 } else { self.least_pages }
    }

    /// When a turn will force what is dirty, if no put wakes the loop before.
    pub fn next_force(&self, dirty_pages: i64) -> Time {
        if self.thorough || dirty_pages >= self.least_pages {
            return self.begin + self.interval;
        }
        self.due(self.begin).max(self.begin + self.interval) + self.interval
    }

    /// A turn ended at `now`: the next begins.
    pub fn turn(&mut self, now: Time) {
        self.begin = now;
        self.thorough = now >= self.last_thorough + self.thorough_interval;
        if self.thorough {
            self.last_thorough = now;
        }
    }
}

/// `FlushConsumeQueueService`'s loop as data.
#[derive(Clone, Debug)]
pub struct QueueFlush {
    start: Time,
    interval: Span,
    thorough_interval: Span,
    last_thorough: Option<Time>,
    /// Forces that have not been answered yet.
    pub under_way: usize,
    /// The logics time that a thorough pass captured before it forced.
    pub captured: Option<i64>,
    /// How far each queue's units and extension went then, where the pass has to reach that (K05).
    pub ends: Vec<[i64; 2]>,
}

impl QueueFlush {
    /// The loop at its start.
    pub fn new(now: Time, interval: Span, thorough_interval: Span) -> QueueFlush {
        let interval = interval.max(Span::from_millis(1));
        QueueFlush {
            start: now,
            interval,
            thorough_interval,
            last_thorough: None,
            under_way: 0,
            captured: None,
            ends: Vec::new(),
        }
    }

    /// The first tick after `now`.
    pub fn next_tick(&self, now: Time) -> Time {
        let ticks = now.since(self.start).0 / self.interval.0 + 1;
        self.start + Span(ticks * self.interval.0)
    }

    /// The first tick after `now` that is thorough.
    pub fn next_thorough(&self, now: Time) -> Time {
        let tick = self.next_tick(now);
        let Some(last) = self.last_thorough else { return tick };
        let wait = (last + self.thorough_interval).since(tick);
        tick + Span(wait.0.div_ceil(self.interval.0) * self.interval.0)
    }

    /// Whether the tick at `now` is thorough; notes that it was.
    pub fn begin(&mut self, now: Time) -> bool {
        let thorough = self.last_thorough.is_none_or(|last| now >= last + self.thorough_interval);
        if thorough {
            self.last_thorough = Some(now);
        }
        thorough
    }

    /// Lets thorough ticks pass that found nothing: the grid of thorough passes goes on while nothing is dirty.
    pub fn catch_up(&mut self, now: Time) {
        if now < self.start + self.interval {
            return;
        }
        let last_tick = self.start + Span(now.since(self.start).0 / self.interval.0 * self.interval.0);
        let mut last = self.last_thorough.unwrap_or(self.start + self.interval);
        while last + self.thorough_interval <= last_tick {
            let wait = self.thorough_interval.0.div_ceil(self.interval.0) * self.interval.0;
            last += Span(wait.max(self.interval.0));
        }
        self.last_thorough = Some(last.min(last_tick));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    fn real_time() -> RealTime {
        RealTime::new(Time::ZERO, Span::from_millis(500), Span::from_secs(10), 4)
    }

    #[test]
    fn a_quiet_loop_is_thorough_every_ten_seconds() {
        let mut turns = real_time();
        turns.catch_up(at(1_200));
        assert_eq!(turns.least(), 4);
        turns.turn(at(1_200));
        assert_eq!(turns.next_force(1), at(10_700), "decided at 10.2 s, forced half a second later");
        assert_eq!(turns.next_force(4), at(1_700));
        turns.catch_up(at(10_300));
        assert_eq!(turns.least(), 0);
    }

    #[test]
    fn the_first_message_of_a_file_is_refused_after_its_second_force() {
        let mut service = GroupCommit::default();
        let request = CommitRequest { number: 1, next_offset: 200, deadline: Time::NEVER };
        service.writing.push(request);
        assert_eq!(service.next(0), CommitStep::Force);
        assert_eq!(service.next(100), CommitStep::Force);
        assert_eq!(service.next(200), CommitStep::Answer(request, false));
        assert_eq!(service.next(200), CommitStep::ListDone);
        assert_eq!(service.next(200), CommitStep::Rest);
    }

    #[test]
    fn consume_queues_are_thorough_at_their_first_tick_and_each_minute() {
        let mut service = QueueFlush::new(Time::ZERO, Span::from_secs(1), Span::from_secs(60));
        assert_eq!(service.next_thorough(at(10)), at(1_000));
        assert!(service.begin(at(1_000)));
        assert_eq!(service.next_thorough(at(1_000)), at(61_000));
        assert!(!service.begin(at(2_000)));
    }
}
