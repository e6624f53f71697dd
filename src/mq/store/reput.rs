//! The follower: reads the commit log from where it stood and hands each record's news to the consume queues and
//! the index.
//!
//! Source: `DefaultMessageStore.ReputMessageService`, `CommitLogDispatcherBuildConsumeQueue`, `CommitLogDispatcherBuildIndex`.

use std::sync::Arc;

use crate::mq::disk::Disk;
use crate::mq::message::sys_flag::{TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::mistake::Mistake;
use crate::mq::store::config::Role;
use crate::mq::store::consume_queue::{Placed, Unit};
use crate::mq::store::consume_queue_ext::ExtUnit;
use crate::mq::store::delay::SCHEDULE_TOPIC;
use crate::mq::store::mapped_file::OS_PAGE_SIZE;
use crate::mq::store::outcome::News;
use crate::mq::store::record::{Found, Parsed, Region, Want, parse};
use crate::mq::store::{Flag, MessageStore, QUEUES_UNWRITEABLE, State};
use crate::mq::time::{Span, Time};

/// What keeps the follower where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stuck {
    /// It can read no further until the log has changed: what it looked like then.
    AtEnd(i64, i64),
    /// A consume queue's file cannot be made: how often it was tried, and when it is tried again.
    AtQueue(u32, Time),
}

/// Who wants a record, worked out when it is dispatched; empty if nobody was asked. Source: `CommitLogDispatcher`.
///
/// The owner's filters, so that the store need not know what they are.
pub trait BitMaps: std::fmt::Debug + Send + Sync {
    /// The map that goes into the extension of the record's unit.
    fn bit_map(&self, topic: &str, record: &[u8]) -> Vec<u8>;
}

impl MessageStore {
    /// Has the units of records from here on carry such maps, where queues have an extension.
    ///
    /// Differs: what a recovery dispatches again gets none; upstream asks the filters that it loaded.
    pub fn calc_bit_maps(&mut self, maps: Arc<dyn BitMaps>) {
        self.queues.bit_maps = Some(maps);
    }

    /// When the follower would find something: upstream's loop sleeps 1 ms between rounds.
    pub(super) fn next_reput(&self, now: Time) -> Option<Time> {
        let ticks = now.since(self.started).0 / REPUT_TICK.0 + 1;
        let tick = self.started + Span(ticks * REPUT_TICK.0);
        match self.stuck {
            Some(Stuck::AtQueue(_, at)) => Some(at),
            Some(stuck) if stuck == self.end_of_log() => None,
            _ if self.dispatch_stopped => None,
            _ => (self.reput_from < self.dispatchable()).then_some(tick),
        }
    }

    /// Up to where records may be handed on (K04).
    ///
    /// Faithful: as far as they can be read, forced or not. Source: `ReputMessageService.isCommitLogAvailable`.
    fn dispatchable(&self) -> i64 {
        let readable = self.log.max_offset();
        if self.profile.fix_k04 { readable.min(self.log.flushed_where) } else { readable }
    }

    /// A record that is there in part may become whole by a force alone, where that is waited for (K04).
    fn end_of_log(&self) -> Stuck {
        Stuck::AtEnd(self.dispatchable(), self.log.committed_where)
    }

    /// Reads everything that can be read. Source: `ReputMessageService.doReput`.
    pub(super) fn reput(&mut self, disk: &mut dyn Disk) {
        if matches!(self.stuck, Some(Stuck::AtQueue(_, at)) if self.now.mono < at) {
            return;
        }
        if matches!(self.stuck, Some(Stuck::AtEnd(..))) {
            self.stuck = None;
        }
        while self.reput_from < self.dispatchable() && !self.dispatch_stopped {
            if !self.reput_next(disk) {
                return;
            }
        }
    }

    /// Reads one record; whether the follower can go on.
    fn reput_next(&mut self, disk: &mut dyn Disk) -> bool {
        let Some(number) = self.log.find(self.reput_from, self.reput_from == 0) else {
            self.stuck = Some(self.end_of_log());
            return false;
        };
        let file = &self.log.files[number];
        let (from, end, id) = (file.from, file.end(), file.file);
        let readable = (from + file.readable()).min(self.dispatchable());
        self.reput_from = self.reput_from.max(from);
        if self.reput_from >= readable {
            self.stuck = Some(self.end_of_log());
            return false;
        }
        let region = Region { file: id, at: (self.reput_from - from) as u64, end: (readable - from) as u64 };
        let want = Want {
            crc: false,
            keys: self.config.message_index_enable,
            place: self.profile.fix_k18.then_some(self.reput_from),
            sectors: false,
            delays: &self.delays,
        };
        match parse(disk, region, want, &|topic| self.queues.intern(topic)) {
            Found::Record(record) => return self.reput_record(disk, record),
            Found::Blank => self.reput_from = end,
            // A slave waits for the rest of a record; a master skips what is readable.
            Found::Bad if self.config.role == Role::Slave && !self.profile.plants(Mistake::SlaveSkipsPartial) => {
                self.stuck = Some(self.end_of_log());
                return false;
            }
            // Repaired, nothing is skipped: whoever runs the broker has to look.
            Found::Mismatch { .. } | Found::Bad if self.profile.fix_k18 => {
                self.dispatch_stopped = true;
                self.set_flag(Flag::WriteLogicsQueueError, true);
                self.news.push(News::DispatchStopped { at: self.reput_from });
                return false;
            }
            Found::Mismatch { size } if size > 0 => self.reput_from += i64::from(size),
            Found::Mismatch { .. } | Found::Bad => self.reput_from = readable,
        }
        true
    }

    /// Hands a record on; while its queue's file cannot be made the follower stays here, as upstream's thread sleeps.
    fn reput_record(&mut self, disk: &mut dyn Disk, record: Parsed) -> bool {
        let (at, tries) = (self.reput_from, self.tries());
        if tries == 0 {
            self.news.push(News::Dispatched { at, size: record.size });
        }
        if !self.queue_up(disk, at, &record) {
            if tries + 1 < QUEUE_TRIES {
                self.stuck = Some(Stuck::AtQueue(tries + 1, self.now.mono + QUEUE_RETRY));
                return false;
            }
            self.set_flag(Flag::WriteLogicsQueueError, true);
        }
        self.stuck = None;
        self.build_index(disk, at, &record);
        // A unit, and for each key an entry, a slot and the header.
        self.retention.take((1 + 3 * record.keys.hashes().count()) * OS_PAGE_SIZE as usize);
        self.reput_from += i64::from(record.size);
        let Parsed { topic, queue_id, queue_offset, tags_code, .. } = record;
        if self.config.role != Role::Slave {
            self.news.push(News::Arrived { topic, queue_id, queue_offset, tags_code, at });
        }
        true
    }

    fn tries(&self) -> u32 {
        match self.stuck {
            Some(Stuck::AtQueue(tries, _)) => tries,
            _ => 0,
        }
    }

    /// Hands a record to the consume queue, then to the index. Source: `DefaultMessageStore.doDispatch`.
    ///
    /// Differs: during a recovery no time passes, so that the first failure to make a queue's file is taken for the last.
    pub(super) fn dispatch(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) {
        if self.state == State::Loaded && self.profile.fix_k06 {
            self.rebuild_unit(disk, at, record);
        } else if !self.queue_up(disk, at, record) {
            self.set_flag(Flag::WriteLogicsQueueError, true);
        }
        self.build_index(disk, at, record);
    }

    /// Puts the record's unit; `false` if the queue's file cannot be made.
    ///
    /// Records of prepared and rolled-back transactions have none. While a flag refuses units nothing is tried.
    /// Source: `ConsumeQueue.putMessagePositionInfoWrapper`.
    fn queue_up(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) -> bool {
        let kind = transaction_type(record.sys_flag);
        if kind == TRANSACTION_PREPARED || kind == TRANSACTION_ROLLBACK {
            return true;
        }
        // Upstream looks at the flags once, in front of its tries.
        let stops_too = if self.profile.plants(Mistake::DiskFullStopsQueues) { Flag::DiskFull as u32 } else { 0 };
        if self.flags & (QUEUES_UNWRITEABLE | stops_too) != 0 && self.tries() == 0 {
            self.set_flag(Flag::WriteLogicsQueueError, true);
            return true;
        }
        let file_size = self.queue_file_size();
        let place = self.queues.find_or_create(&record.topic, record.queue_id, file_size);
        let bit_map = match &self.queues.bit_maps {
            Some(maps) if self.queues.list[place].ext.is_some() => {
                let bytes = self.record_at(disk, at, record.size).unwrap_or_default();
                maps.bit_map(&record.topic, &bytes)
            }
            _ => Vec::new(),
        };
        let queue = &mut self.queues.list[place];
        let (tags_code, store_time) = (record.tags_code, record.store_timestamp.0);
        let is_tag = &*queue.topic != SCHEDULE_TOPIC;
        let is_narrow = is_tag && self.profile.plants(Mistake::TagsCodeNarrow);
        let tags_code = if is_narrow { i64::from(tags_code as i16) } else { tags_code };
        let tags_code = queue.extend(disk, ExtUnit { tags_code, store_time, bit_map });
        let unit = Unit { offset: at, size: record.size, tags_code };
        let Ok(placed) = queue.put(disk, unit, record.queue_offset) else { return false };
        self.checkpoint.logics = record.store_timestamp.0;
        if let Placed::At(queue_offset) = placed {
            let (topic, queue_id) = (record.topic.clone(), record.queue_id);
            self.news.push(News::Queued { topic, queue_id, queue_offset, at });
        }
        true
    }
}

/// Source: `ReputMessageService.run`: `Thread.sleep(1)`.
const REPUT_TICK: Span = Span::from_millis(1);
/// Source: `ConsumeQueue.putMessagePositionInfoWrapper`: `maxRetries`.
const QUEUE_TRIES: u32 = 30;
/// Source: `ConsumeQueue.putMessagePositionInfoWrapper`: `Thread.sleep(1000)`.
const QUEUE_RETRY: Span = Span::from_secs(1);
