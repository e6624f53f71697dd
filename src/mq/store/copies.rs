//! Copies whose originals are let go when they are there: what K03's repair waits for.
//!
//! The release appends a copy, of a message that was given back or of a half message, and moves a cursor over the original at
//! once; the cursor stands in a file that power may keep while it takes the copy. Repaired, whoever moves the cursor asks here
//! first, whatever the flush mode is.

use crate::mq::store::outcome::{News, PutStatus};
use crate::mq::store::{Clock, MessageStore, State};

impl MessageStore {
    /// Asks for what lies in front of `end` to be made durable: [`News::PutDone`] has the request that is given back. `None`
    /// if it is durable already, or if nobody waits for that (K03).
    pub fn await_copy(&mut self, clock: Clock, end: i64) -> Option<u64> {
        if !self.profile.fix_k03 || end <= self.log.flushed_where {
            return None;
        }
        self.next_request += 1;
        self.copies.push((self.next_request, end));
        self.force_for_copies(clock);
        Some(self.next_request)
    }

    /// A force of the log was answered.
    pub(super) fn copies_forced(&mut self, clock: Clock) {
        let (flushed, never) = (self.log.flushed_where, self.log_poisoned);
        let news = &mut self.news;
        self.copies.retain(|(request, end)| {
            let is_durable = *end <= flushed;
            if is_durable || never {
                let status = if is_durable { PutStatus::PutOk } else { PutStatus::FlushDiskTimeout };
                news.push(News::PutDone { request: *request, status });
            }
            !is_durable && !never
        });
        self.force_for_copies(clock);
    }

    fn force_for_copies(&mut self, clock: Clock) {
        if self.copies.is_empty() || self.log_force.is_some() || self.state != State::Running {
            return;
        }
        if self.config.sync_flush {
            self.group_commit.woken = true;
            self.run_group_commit(clock);
        } else {
            self.force_log(0);
        }
    }
}
