//! An upstream thread pool as data: slots, a bounded queue, and for each waiting job the moment it came.
//!
//! A node handles an event in no time; a pool says what a thread would have made visible: a job keeps its slot until its
//! last event, later jobs wait, and those that wait too long can be told so.

use std::collections::VecDeque;

use crate::mq::time::{Span, Time};

/// A pool of `slots` threads before a queue of at most `capacity` jobs.
#[derive(Clone, Debug)]
pub struct Pool<J> {
    slots: usize,
    busy: usize,
    capacity: usize,
    waiting: VecDeque<Waiting<J>>,
}

/// A job in the queue.
#[derive(Clone, Debug)]
pub struct Waiting<J> {
    /// The job.
    pub job: J,
    /// When it was submitted, on the node's monotonic clock.
    pub since: Time,
}

/// What became of a submitted job.
#[derive(Debug, PartialEq, Eq)]
pub enum Submitted<J> {
    /// A slot was free: run it now and call [`Pool::finish`] at its last event.
    Run(J),
    /// It waits in the queue.
    Queued,
    /// The queue is full; upstream's `RejectedExecutionException`.
    Rejected(J),
}

impl<J> Pool<J> {
    /// A pool with all slots free.
    pub fn new(slots: usize, capacity: usize) -> Pool<J> {
        assert!(slots > 0, "a pool has at least one thread");
        Pool { slots, busy: 0, capacity, waiting: VecDeque::new() }
    }

    /// Hands a job in at `now`.
    pub fn submit(&mut self, job: J, now: Time) -> Submitted<J> {
        if self.busy < self.slots {
            assert!(self.waiting.is_empty(), "a free slot and a waiting job");
            self.busy += 1;
            return Submitted::Run(job);
        }
        if self.waiting.len() >= self.capacity {
            return Submitted::Rejected(job);
        }
        self.waiting.push_back(Waiting { job, since: now });
        Submitted::Queued
    }

    /// A running job ended: gives its slot to the oldest waiting job, which runs now, or frees it.
    pub fn finish(&mut self) -> Option<J> {
        assert!(self.busy > 0, "finish without a running job");
        match self.waiting.pop_front() {
            Some(next) => Some(next.job),
            None => {
                self.busy -= 1;
                None
            }
        }
    }

    /// The oldest waiting job.
    pub fn oldest(&self) -> Option<&Waiting<J>> {
        self.waiting.front()
    }

    /// Takes the oldest waiting job out without running it (`BrokerFastFailure`).
    pub fn evict_oldest(&mut self) -> Option<Waiting<J>> {
        self.waiting.pop_front()
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many jobs hold a slot.
    pub fn busy(&self) -> usize {
        self.busy
    }
}

/// A pool whose jobs take time before they do anything: each holds its thread that long, and is handed back then.
#[derive(Clone, Debug)]
pub struct Desk<J> {
    pool: Pool<J>,
    /// When which job is done, in the order in which they began.
    at_work: Vec<(Time, J)>,
}

impl<J> Desk<J> {
    /// A desk of so many threads before a queue without an end: upstream's 100,000 are more than there are senders here.
    pub fn new(slots: usize) -> Desk<J> {
        Desk { pool: Pool::new(slots, usize::MAX), at_work: Vec::new() }
    }

    /// Whether nothing is under way: a job that takes no time may be done at once.
    pub fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    /// Takes a job in that takes so long once a thread is free.
    pub fn take(&mut self, job: J, now: Time, cost: Span) {
        if let Submitted::Run(job) = self.pool.submit(job, now) {
            self.at_work.push((now + cost, job));
        }
    }

    /// The next job that is done by now; whoever waited longest has its thread from here on.
    pub fn done(&mut self, now: Time, cost: Span) -> Option<J> {
        let at = self.at_work.iter().position(|(until, _)| *until <= now)?;
        let (_, job) = self.at_work.remove(at);
        if let Some(next) = self.pool.finish() {
            self.at_work.push((now + cost, next));
        }
        Some(job)
    }

    /// When the next is done.
    pub fn next(&self) -> Option<Time> {
        self.at_work.iter().map(|(until, _)| *until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_hands_jobs_back_when_their_time_is_over_and_who_waits_begins_then() {
        let (mut desk, cost) = (Desk::new(2), Span(10));
        for (at, job) in ['a', 'b', 'c'].into_iter().enumerate() {
            desk.take(job, Time(at as u64), cost);
        }
        assert_eq!((desk.next(), desk.done(Time(9), cost)), (Some(Time(10)), None));
        assert_eq!((desk.done(Time(10), cost), desk.done(Time(10), cost)), (Some('a'), None));
        assert_eq!((desk.done(Time(30), Span(0)), desk.done(Time(30), Span(0))), (Some('b'), Some('c')));
        assert!(desk.is_idle() && desk.next().is_none());
    }

    #[test]
    fn one_slot_runs_one_job_and_queues_up_to_capacity() {
        let mut pool = Pool::new(1, 1);
        assert_eq!(pool.submit('a', Time(1)), Submitted::Run('a'));
        assert_eq!(pool.submit('b', Time(2)), Submitted::Queued);
        assert_eq!(pool.submit('c', Time(3)), Submitted::Rejected('c'));
        assert_eq!(pool.oldest().map(|waiting| waiting.since), Some(Time(2)));
        assert_eq!(pool.finish(), Some('b'));
        assert_eq!(pool.finish(), None);
        assert_eq!(pool.busy(), 0);
    }
}
