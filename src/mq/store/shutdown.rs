//! A clean stop: no more puts and gets, buffers and log out, the follower drained, queues out, then the checkpoint.
//!
//! Source: `DefaultMessageStore.shutdown`, `FlushRealTimeService.run`, `FlushConsumeQueueService.run`.
//! Differs: the second that upstream sleeps first is not slept, and the follower is not waited for: it has read all that it can
//! when it is called.

use crate::mq::disk::Disk;
use crate::mq::mistake::Mistake;
use crate::mq::store::consume_queue::ConsumeQueue;
use crate::mq::store::{ABORT, Clock, MessageStore, State};

/// How far a clean stop is, with the rounds done there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stopping {
    /// The log's bytes are committed and forced, a file a round.
    Log(u8),
    /// The consume queues are forced, a file of each a round.
    Queues(u8),
    /// Delay cursors are written, where that is repaired (K24).
    Cursors,
    /// The checkpoint is forced.
    Checkpoint,
}

impl MessageStore {
    /// Begins a clean stop; it ends when all its forces are answered.
    pub fn begin_shutdown(&mut self, disk: &mut dyn Disk, clock: Clock) {
        self.now = clock;
        if self.state != State::Running {
            return;
        }
        if !self.leaves_tail() {
            self.reput(disk);
        }
        self.state = State::ShuttingDown(Stopping::Log(0));
        self.pump_shutdown(disk);
    }

    fn leaves_tail(&self) -> bool {
        self.profile.plants(Mistake::StopLeavesTail)
    }

    /// Whether a clean stop has ended.
    pub fn is_shut_down(&self) -> bool {
        self.state == State::ShutDown
    }

    /// Goes on with a clean stop as far as it gets without an answer.
    pub(super) fn pump_shutdown(&mut self, disk: &mut dyn Disk) {
        while let State::ShuttingDown(stage) = self.state {
            if self.log_force.is_some()
                || self.queue_flush.under_way > 0
                || self.checkpoint_force.is_some()
                || self.staged.is_busy()
            {
                return;
            }
            self.state = match stage {
                Stopping::Log(round) => {
                    for _ in 0..LOG_ROUNDS {
                        if !self.config.has_transient_pool() || !self.commit(disk, 0) {
                            break;
                        }
                    }
                    self.force_log(0);
                    match self.log_force {
                        Some(_) if round < LOG_ROUNDS => State::ShuttingDown(Stopping::Log(round + 1)),
                        _ => {
                            if !self.leaves_tail() {
                                self.reput(disk);
                            }
                            State::ShuttingDown(Stopping::Queues(0))
                        }
                    }
                }
                Stopping::Queues(round) => {
                    if round < QUEUE_ROUNDS {
                        self.force_queues(0);
                    }
                    match self.queue_flush.under_way {
                        0 => {
                            self.drop_file_ahead(disk);
                            self.write_last_cursors(disk);
                            State::ShuttingDown(Stopping::Cursors)
                        }
                        _ => State::ShuttingDown(Stopping::Queues(round + 1)),
                    }
                }
                Stopping::Cursors => {
                    // After three rounds a queue with many files may have one that nobody has forced.
                    if !self.poisoned && !self.queues.list.iter().any(ConsumeQueue::is_dirty) {
                        self.checkpoint.forced_logics = self.checkpoint.logics;
                    }
                    self.flush_checkpoint(disk);
                    State::ShuttingDown(Stopping::Checkpoint)
                }
                Stopping::Checkpoint => {
                    // What cannot be trusted is left to the recovery after a crash.
                    if self.has_clean_flags() && (self.behind() == 0 || self.leaves_tail()) {
                        // A file that is gone already is as good as removed.
                        let _ = disk.remove(ABORT);
                    }
                    State::ShutDown
                }
            };
        }
    }
}

/// Source: `FlushCommitLogService.RETRY_TIMES_OVER`.
const LOG_ROUNDS: u8 = 10;
/// Source: `FlushConsumeQueueService.RETRY_TIMES_OVER`.
const QUEUE_ROUNDS: u8 = 3;
