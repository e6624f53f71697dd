//! An upstream thread pool as data: slots, a bounded queue, and for each waiting job the moment it came.
//!
//! A node handles an event in no time; a pool says what a thread would have made visible: a job keeps its slot until its
//! last event, later jobs wait, and those that wait too long can be told so.

use std::collections::VecDeque;

use crate::mq::time::Time;

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

#[cfg(test)]
mod tests {
    use super::*;

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
