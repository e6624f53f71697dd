//! What a master's puts ask of its slaves, what it gives them to read, and the bytes that a slave takes.
//!
//! Only the two numbers are kept that a put looks at: how many slaves are connected, and the highest offset that any of
//! them ever reported. Who connects, what is sent and when is replication's business.
//!
//! Source: `CommitLog.handleHA`, `HAService.isSlaveOK`, `CommitLog.getData`, `CommitLog.appendData`.

use bytes::Bytes;

use crate::mq::disk::Disk;
use crate::mq::message::PhysicalOffset;
use crate::mq::mistake::Mistake;
use crate::mq::store::config::Role;
use crate::mq::store::group_transfer::{self, GroupTransfer};
use crate::mq::store::mapped_file::MappedFile;
use crate::mq::store::outcome::{News, PutStatus};
use crate::mq::store::{Clock, MessageStore, State};
use crate::mq::time::Time;

/// What a master knows of its slaves. Source: `HAService`.
#[derive(Clone, Debug, Default)]
pub(super) struct Slaves {
    /// `connectionCount`.
    connections: usize,
    /// `push2SlaveMaxOffset`: never lowered.
    push2_slave_max_offset: i64,
    /// Who waits for the number above.
    pub(super) transfer: GroupTransfer,
}

/// A put whose sender waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// One past its last byte.
    pub(super) next_offset: i64,
    /// When it gives up what it waits for.
    pub(super) deadline: Time,
    pub(super) stage: Stage,
}

/// What a put waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The force of its bytes.
    Disk,
    /// A slave; with the status that the disk gave.
    Slave(PutStatus),
}

impl MessageStore {
    /// A slave's connection stands. Source: `HAService.getConnectionCount`.
    pub fn slave_connected(&mut self) {
        self.slaves.connections += 1;
    }

    /// A slave's connection is gone.
    pub fn slave_gone(&mut self) {
        assert!(self.slaves.connections > 0, "a slave that goes was connected");
        self.slaves.connections -= 1;
    }

    /// A slave reported that its log reaches to `offset`; whether its word is taken.
    ///
    /// Faithful: it always is, even for bytes that this log does not have (K02). Source: `HAService.notifyTransferSome`.
    pub fn slave_reported(&mut self, clock: Clock, offset: i64) -> bool {
        if self.profile.fix_k02 && self.log.max_offset() < offset {
            return false;
        }
        let offset = if self.profile.plants(Mistake::AnyReportAcksAll) { self.log.max_offset() } else { offset };
        if self.slaves.push2_slave_max_offset < offset {
            self.slaves.push2_slave_max_offset = offset;
            self.slaves.transfer.notify();
            self.run_group_transfer(clock);
        }
        true
    }

    /// How many slaves are connected.
    pub fn slave_connections(&self) -> usize {
        self.slaves.connections
    }

    /// The highest offset that a slave ever reported. Source: `HAService.getPush2SlaveMaxOffset`.
    pub fn push2_slave_max_offset(&self) -> i64 {
        self.slaves.push2_slave_max_offset
    }

    /// How many puts asked a slave for its word so far: each wakes those who transfer.
    ///
    /// Source: `CommitLog.handleHA`, `WaitNotifyObject.wakeupAll`.
    pub fn transfers_asked(&self) -> u64 {
        self.slaves.transfer.asked
    }

    /// Whether a slave is there and near enough. Source: `HAService.isSlaveOK`.
    fn is_slave_ok(&self, next_offset: i64) -> bool {
        self.slaves.connections > 0
            && next_offset - self.slaves.push2_slave_max_offset < self.config.ha_slave_fallbehind_max
    }

    /// What a waiting put does when the disk has said `status`: its final status, or `None` if it now waits for a slave.
    ///
    /// Source: `CommitLog.handleHA`.
    pub(super) fn handle_ha(
        &mut self,
        clock: Clock,
        number: u64,
        next_offset: i64,
        status: PutStatus,
    ) -> Option<PutStatus> {
        if self.config.role != Role::SyncMaster || self.profile.plants(Mistake::AcksBeforeSlave) {
            return Some(status);
        }
        if !self.is_slave_ok(next_offset) {
            if self.profile.plants(Mistake::NoSlaveIsOk) {
                return Some(status);
            }
            return Some(PutStatus::SlaveNotAvailable);
        }
        let deadline = clock.mono + self.config.sync_flush_timeout;
        self.waiting_puts.insert(number, Waiting { next_offset, deadline, stage: Stage::Slave(status) });
        self.slaves.transfer.put(number, next_offset);
        self.force_for_slaves();
        self.run_group_transfer(clock);
        None
    }

    /// Lets the transfer service answer whom it can.
    fn run_group_transfer(&mut self, clock: Clock) {
        let waits = if self.profile.plants(Mistake::OneWakeUp) { 1 } else { group_transfer::WAITS_MAX };
        let reported = self.slaves.push2_slave_max_offset;
        while let Some((request, reached)) = self.slaves.transfer.next(clock.mono, reported, waits) {
            let Some(Waiting { stage: Stage::Slave(status), .. }) = self.waiting_puts.remove(&request) else {
                continue;
            };
            let status = if reached { status } else { PutStatus::FlushSlaveTimeout };
            self.news.push(News::PutDone { request, status });
        }
    }

    /// The disk has answered for a waiting put: it is done, or goes on to wait for a slave.
    pub(super) fn disk_done(&mut self, clock: Clock, request: u64, status: PutStatus) {
        let Some(waiting) = self.waiting_puts.remove(&request) else { return };
        let is_hidden = status == PutStatus::FlushDiskTimeout && self.profile.plants(Mistake::FlushTimeoutIsOk);
        let status = if is_hidden { PutStatus::PutOk } else { status };
        if let Some(status) = self.handle_ha(clock, request, waiting.next_offset, status) {
            self.news.push(News::PutDone { request, status });
        }
    }

    /// When the first wait is over: a put's own, or the transfer service's.
    pub(super) fn next_put_deadline(&self) -> Option<Time> {
        let own = self.waiting_puts.values().map(|waiting| waiting.deadline).min();
        own.into_iter().chain(self.slaves.transfer.waits_until()).min()
    }

    /// Ends the waits whose time is up.
    pub(super) fn expire_puts(&mut self, clock: Clock) {
        self.run_group_transfer(clock);
        let is_over = |waiting: &Waiting| waiting.deadline <= clock.mono;
        let over: Vec<(u64, Stage)> = self
            .waiting_puts
            .iter()
            .filter(|(_, waiting)| is_over(waiting))
            .map(|(number, waiting)| (*number, waiting.stage))
            .collect();
        for (request, stage) in over {
            match stage {
                Stage::Disk => self.disk_done(clock, request, PutStatus::FlushDiskTimeout),
                Stage::Slave(_) => {
                    self.waiting_puts.remove(&request);
                    self.news.push(News::PutDone { request, status: PutStatus::FlushSlaveTimeout });
                }
            }
        }
    }

    /// Where a slave that has nothing begins to read.
    ///
    /// Faithful: at the beginning of the last file (K10). Source: `HAConnection.WriteSocketService.run`.
    pub fn fresh_slave_begins(&self) -> PhysicalOffset {
        let end = self.log.max_offset();
        if self.profile.plants(Mistake::FreshSlaveBeginsAtEnd) {
            return PhysicalOffset(end);
        }
        let begin = if self.profile.fix_k10 { self.log.min_offset() } else { end - end % self.log.file_size };
        PhysicalOffset(begin.max(0))
    }

    /// Up to `most` readable bytes of the log from `from` to the end of its file; `None` if there are none.
    ///
    /// Source: `DefaultMessageStore.getCommitLogData`, `CommitLog.getData`: place 0 falls back to the first file.
    pub fn log_data(&self, disk: &mut dyn Disk, from: i64, most: i64) -> Option<Bytes> {
        if self.state == State::ShutDown {
            return None;
        }
        let file = &self.log.files[self.log.find(from, from == 0)?];
        let at = from % self.log.file_size;
        let size = (self.given_of(file) - at).min(most);
        (at >= 0 && size > 0).then(|| Bytes::copy_from_slice(disk.bytes(file.file, at as u64..(at + size) as u64)))
    }

    /// Whether [`MessageStore::log_data`] has something there.
    pub fn has_log_data(&self, from: i64) -> bool {
        let file = self.log.find(from, from == 0).map(|at| &self.log.files[at]);
        self.state != State::ShutDown && file.is_some_and(|file| from % self.log.file_size < self.given_of(file))
    }

    /// Up to where a file is given to slaves, from its start.
    ///
    /// Faithful: as far as it can be read, so that a slave keeps what the master loses with its power. With K02 repaired: as
    /// far as it has been flushed, and a put that waits for slaves has the log flushed. Source: `CommitLog.getData`.
    fn given_of(&self, file: &MappedFile) -> i64 {
        match self.profile.fix_k02 && !self.profile.plants(Mistake::DivergedSlaveGoesOn) {
            false => file.readable(),
            true if !self.recovery_forces.is_empty() => 0,
            true => file.readable().min(self.log.flushed_where - file.from),
        }
    }

    /// Asks for a force if a put waits for slaves that are not given it before (K02).
    pub(super) fn force_for_slaves(&mut self) {
        let flushed = self.log.flushed_where;
        let waits = |put: &Waiting| matches!(put.stage, Stage::Slave(_)) && flushed < put.next_offset;
        let is_idle = self.log_force.is_none() && self.state == State::Running;
        if self.profile.fix_k02 && !self.config.sync_flush && is_idle && self.waiting_puts.values().any(waits) {
            self.force_log(0);
        }
    }

    /// A slave takes raw bytes of its master's log, which begin at `start` there; whether they fit the file.
    ///
    /// Written through the channel; a failed write is swallowed and the position moves on. An empty piece can make the file
    /// that it names. No store time is noted, so that a slave's checkpoint never learns one.
    /// Source: `DefaultMessageStore.appendToCommitLog`, `CommitLog.appendData`, `MappedFile.appendMessage`.
    pub fn append_data(&mut self, disk: &mut dyn Disk, clock: Clock, start: i64, data: &[u8]) -> bool {
        self.now = clock;
        if self.state != State::Running || !self.next_log_file(disk, start) {
            return false;
        }
        let file = self.log.files.last_mut().expect("made above");
        if file.size - file.wrote < data.len() as i64 {
            return false;
        }
        let _ = disk.write_through(file.file, file.wrote as u64, data);
        file.wrote += data.len() as i64;
        true
    }
}
