//! Driving the three flush services: asking for forces, taking their answers, moving the checkpoint.

use crate::mq::disk::{Disk, DiskError};
use crate::mq::mistake::Mistake;
use crate::mq::store::consume_queue::ConsumeQueue;
use crate::mq::store::flush::CommitStep;
use crate::mq::store::mapped_file::{Dirty, OS_PAGE_SIZE};
use crate::mq::store::outcome::{News, PutStatus};
use crate::mq::store::{Clock, MessageStore, Service, State};
use crate::mq::time::{Span, Time};

impl MessageStore {
    /// When each service would find work next; `None` while it would not.
    pub fn deadlines(&self, clock: Clock) -> [(Service, Option<Time>); Service::COUNT] {
        let running = self.state == State::Running;
        let reput = running.then(|| self.next_reput(clock.mono)).flatten();
        let is_dirty = running && self.log_force.is_none() && self.has_to_force_log(0).is_some();
        let idle_commit = is_dirty && self.config.sync_flush;
        let commit = idle_commit.then(|| clock.mono + GROUP_COMMIT_IDLE);
        let is_async = is_dirty && !self.config.sync_flush;
        let real_time = is_async.then(|| self.real_time.next_force(self.dirty_log_pages()));
        let queues = (running && self.queue_flush.under_way == 0).then(|| self.next_queue_flush(clock.mono)).flatten();
        let put = self.next_put_deadline();
        let [schedule, cursors] = self.schedule_deadlines(clock.mono);
        [
            (Service::Reput, reput),
            (Service::GroupCommit, commit),
            (Service::FlushCommitLog, real_time),
            (Service::FlushConsumeQueue, queues),
            (Service::PutDeadline, put),
            (Service::Commit, running.then(|| self.next_commit()).flatten()),
            (Service::Schedule, schedule.filter(|_| running)),
            (Service::DelayOffsets, cursors.filter(|_| running)),
            (Service::Clean, running.then(|| self.next_clean(clock)).flatten()),
        ]
    }

    /// A service's timer fired; early, late or twice is harmless.
    pub fn fired(&mut self, disk: &mut dyn Disk, clock: Clock, service: Service) {
        self.now = clock;
        if self.state == State::ShutDown {
            return;
        }
        match service {
            Service::Reput => {
                self.reput(disk);
                self.plan_schedule(clock.mono);
            }
            Service::GroupCommit => {
                self.group_commit.woken = true;
                self.run_group_commit(clock);
            }
            Service::FlushCommitLog => self.run_real_time(clock),
            Service::FlushConsumeQueue => self.run_queue_flush(disk, clock),
            Service::PutDeadline => self.expire_puts(clock),
            Service::Commit => self.run_commit(disk, clock),
            Service::Schedule if self.state == State::Running => self.run_schedule(disk, clock),
            Service::DelayOffsets if self.state == State::Running => self.write_cursors(disk),
            Service::Schedule | Service::DelayOffsets => {}
            Service::Clean => self.run_clean(disk, clock),
        }
    }

    /// A force was answered. An unknown ticket is one of a process that is gone: nothing happens.
    pub fn flush_answered(&mut self, disk: &mut dyn Disk, clock: Clock, ticket: u64, result: Result<(), DiskError>) {
        self.now = clock;
        if self.log_force.as_ref().is_some_and(|(asked, _)| *asked == ticket) {
            let (_, dirty) = self.log_force.take().expect("looked at above");
            self.log_answered(&dirty, result);
            if self.config.sync_flush {
                self.run_group_commit(clock);
            } else {
                self.real_time_answered(clock);
                self.force_for_slaves();
            }
            self.copies_forced(clock);
        } else if let Some((queue, dirty)) = self.queue_forces.remove(&ticket) {
            match self.position_moves(result) {
                true => self.queues.list[queue].flushed(&dirty, result.is_ok()),
                false => self.queue_flush.captured = None,
            }
            self.queue_flush.under_way -= 1;
            if self.queue_flush.under_way == 0 {
                self.queue_pass_done(disk);
            }
        } else if let Some(end_timestamp) = self.index_forces.remove(&ticket) {
            // A failed force ends upstream's thread before it has told the checkpoint.
            self.position_moves(result);
            if self.state != State::ShutDown && result.is_ok() {
                self.index_forced(disk, end_timestamp);
            }
        } else if let Some((file, to)) = self.recovery_forces.get(&ticket).copied() {
            // Repaired, a store whose recovery is not durable takes no puts.
            if result.is_ok() {
                self.recovery_forces.remove(&ticket);
                self.log.forced(file, to);
            }
        } else if self.checkpoint_force == Some(ticket) {
            self.checkpoint_force = None;
            self.position_moves(result);
            if result.is_ok() {
                let (physic, logics) = (self.checkpoint.physic, self.checkpoint.logics);
                self.news.push(News::CheckpointWritten { physic, logics });
            }
        } else {
            self.config_answered(disk, ticket, result);
        }
        self.pump_shutdown(disk);
    }

    /// Whether a force's outcome moves the flushed position (K01).
    ///
    /// Faithful: always, a failure is logged; so is a file that cannot be held, which here are files that are gone.
    /// Hardened: a failure moves nothing and refuses every further put. Source: `MappedFile.flush`.
    fn position_moves(&mut self, result: Result<(), DiskError>) -> bool {
        let is_refused = result.is_err() && self.profile.fix_k01;
        self.poisoned |= is_refused;
        !is_refused
    }

    fn log_answered(&mut self, dirty: &Dirty, result: Result<(), DiskError>) {
        let from = self.log.flushed_where;
        if result.is_err() {
            self.news.push(News::FlushFailed { from, to: dirty.up_to });
        }
        if !self.position_moves(result) {
            // What was not forced counts as clean to the system: a second force would succeed and mean nothing.
            self.log_poisoned = true;
            return;
        }
        self.log.flushed(dirty, result.is_ok());
        if self.config.sync_flush || self.real_time.least() == 0 {
            self.log.store_timestamp = dirty.store_timestamp;
        }
        if !self.config.sync_flush && self.log.store_timestamp > 0 {
            self.checkpoint.physic = self.log.store_timestamp;
        }
        self.news.push(News::FlushDone { from, to: self.log.flushed_where });
    }

    /// Runs the group commit as far as it gets without an answer.
    pub(super) fn run_group_commit(&mut self, clock: Clock) {
        debug_assert!(self.config.sync_flush, "the group commit belongs to a sync flush");
        while self.log_force.is_none() {
            match self.group_commit.next(self.log.flushed_where) {
                CommitStep::Force => self.force_log(0),
                CommitStep::Answer(request, ok) => {
                    let status = if ok { PutStatus::PutOk } else { PutStatus::FlushDiskTimeout };
                    self.disk_done(clock, request.number, status);
                }
                CommitStep::ListDone => {
                    if self.log.store_timestamp > 0 {
                        self.checkpoint.physic = self.log.store_timestamp;
                    }
                }
                CommitStep::Rest => return,
            }
        }
    }

    /// A put wakes the real-time flush. Source: `CommitLog.handleDiskFlush`, `ServiceThread.wakeup`.
    pub(super) fn wake_real_time(&mut self, clock: Clock) {
        if self.log_force.is_some() {
            self.real_time.notified = true;
            return;
        }
        self.real_time.catch_up(clock.mono);
        self.end_turn(clock);
    }

    fn run_real_time(&mut self, clock: Clock) {
        if self.config.sync_flush
            || self.log_force.is_some()
            || clock.mono < self.real_time.next_force(self.dirty_log_pages())
        {
            return;
        }
        // The turn that ends now: all turns before it ended without finding enough.
        self.real_time.catch_up(Time(clock.mono.0.saturating_sub(1)));
        self.end_turn(clock);
    }

    fn end_turn(&mut self, clock: Clock) {
        self.force_log(self.real_time.least());
        if self.log_force.is_none() {
            self.real_time.turn(clock.mono);
        }
    }

    fn real_time_answered(&mut self, clock: Clock) {
        self.real_time.turn(clock.mono);
        if std::mem::take(&mut self.real_time.notified) {
            self.end_turn(clock);
        }
    }

    /// What a force of the log would cover, if one may be tried.
    fn has_to_force_log(&self, least_pages: i64) -> Option<Dirty> {
        self.log.dirty(least_pages).filter(|_| !self.log_poisoned)
    }

    /// Asks for a force of the log if `least_pages` are dirty.
    pub(super) fn force_log(&mut self, least_pages: i64) {
        let Some(dirty) = self.has_to_force_log(least_pages) else { return };
        let ticket = self.ticket();
        self.log_force = Some((ticket, dirty));
        self.news.push(News::Flush { ticket, file: dirty.file, from: dirty.from as u64, to: dirty.to as u64 });
    }

    fn dirty_log_pages(&self) -> i64 {
        let Some(at) = self.log.find(self.log.flushed_where, self.log.flushed_where == 0) else { return 0 };
        let file = &self.log.files[at];
        if file.is_full() { i64::MAX } else { file.readable() / OS_PAGE_SIZE - file.flushed / OS_PAGE_SIZE }
    }

    fn next_queue_flush(&self, now: Time) -> Option<Time> {
        let least = self.config.flush_queue_least_pages;
        let mut dirty = self.queues.list.iter().filter(|queue| queue.is_dirty()).peekable();
        if dirty.peek().is_none() && !self.checkpoint.is_dirty() {
            return None;
        }
        let enough = dirty.any(|queue| queue.dirty(least).iter().any(Option::is_some));
        Some(if enough { self.queue_flush.next_tick(now) } else { self.queue_flush.next_thorough(now) })
    }

    /// One pass over all consume queues. Source: `FlushConsumeQueueService.doFlush`.
    fn run_queue_flush(&mut self, disk: &mut dyn Disk, clock: Clock) {
        if self.queue_flush.under_way > 0 {
            return;
        }
        self.queue_flush.catch_up(Time(clock.mono.0.saturating_sub(1)));
        let thorough = self.queue_flush.begin(clock.mono);
        self.queue_flush.captured = thorough.then_some(self.checkpoint.logics);
        self.queue_flush.ends.clear();
        if thorough && self.profile.fix_k05 {
            self.queue_flush.ends.extend(self.queues.list.iter().map(ConsumeQueue::ends));
        }
        self.force_queues(if thorough { 0 } else { self.config.flush_queue_least_pages });
        if self.queue_flush.under_way == 0 {
            self.queue_pass_done(disk);
        }
    }

    pub(super) fn force_queues(&mut self, least_pages: i64) {
        for queue in 0..self.queues.list.len() {
            for dirty in self.queues.list[queue].dirty(least_pages).into_iter().flatten() {
                let ticket = self.ticket();
                self.queue_forces.insert(ticket, (queue, dirty));
                self.queue_flush.under_way += 1;
                self.news.push(News::Flush { ticket, file: dirty.file, from: dirty.from as u64, to: dirty.to as u64 });
            }
        }
    }

    /// A thorough pass writes the logics time that it captured before it forced, and the checkpoint.
    ///
    /// A pass forces one file of each queue, and a queue may have gone on in others since the last one: repaired, it goes on
    /// until it has come to where the queues ended when it began (K05).
    fn queue_pass_done(&mut self, disk: &mut dyn Disk) {
        let forced = self.queues.list.iter().zip(&self.queue_flush.ends).all(|(queue, ends)| queue.is_forced_to(*ends));
        if !forced && self.queue_flush.captured.is_some() {
            self.force_queues(0);
            if self.queue_flush.under_way > 0 {
                return;
            }
        }
        let Some(captured) = self.queue_flush.captured.take() else { return };
        if captured > 0 {
            let is_ahead = self.profile.plants(Mistake::CheckpointAhead);
            let captured = if is_ahead { captured.max(self.now.wall.0) } else { captured };
            self.checkpoint.logics = captured;
            // What recovery found is counted as forced, and is not before its own force has come back.
            if self.recovery_forces.is_empty() {
                self.checkpoint.forced_logics = captured;
            }
        }
        self.flush_checkpoint(disk);
    }

    /// Writes the checkpoint and asks for its force. Source: `StoreCheckpoint.flush`.
    pub fn flush_checkpoint(&mut self, disk: &mut dyn Disk) {
        if self.profile.fix_k09 {
            self.checkpoint.log_forced = self.checkpoint.log_forced.max(self.log.forced_where());
        }
        self.checkpoint.write(disk, self.profile.fix_k05);
        let ticket = self.ticket();
        self.checkpoint_force = Some(ticket);
        self.news.push(News::Flush { ticket, file: self.checkpoint.file, from: 0, to: 32 });
    }
}

/// Source: `GroupCommitService.run`: `waitForRunning(10)`.
const GROUP_COMMIT_IDLE: Span = Span::from_millis(10);
