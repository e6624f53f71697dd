//! The follower: reads the commit log from where it stood and hands each record's news to the consume queues and
//! the index.
//!
//! Source: `DefaultMessageStore.ReputMessageService`, `CommitLogDispatcherBuildConsumeQueue`, `CommitLogDispatcherBuildIndex`.

use crate::mq::disk::Disk;
use crate::mq::message::sys_flag::{TRANSACTION_PREPARED, TRANSACTION_ROLLBACK, transaction_type};
use crate::mq::store::consume_queue::{Placed, Unit};
use crate::mq::store::outcome::News;
use crate::mq::store::record::{Found, Parsed, Region, Want, parse};
use crate::mq::store::{Flag, MessageStore, QUEUES_UNWRITEABLE, State};
use crate::mq::time::{Span, Time};

impl MessageStore {
    /// The first tick after `now`: upstream's loop sleeps 1 ms between rounds.
    pub(super) fn next_reput(&self, now: Time) -> Time {
        let ticks = now.since(self.started).0 / REPUT_TICK.0 + 1;
        self.started + Span(ticks * REPUT_TICK.0)
    }

    /// Reads everything up to the log's end. Source: `ReputMessageService.doReput`.
    pub(super) fn reput(&mut self, disk: &mut dyn Disk) {
        while self.reput_from < self.log.max_offset() {
            let Some(number) = self.log.find(self.reput_from, self.reput_from == 0) else { return };
            let file = &self.log.files[number];
            let (from, end) = (file.from, file.end());
            let readable = from + file.wrote;
            self.reput_from = self.reput_from.max(from);
            if self.reput_from >= readable {
                return;
            }
            let region = Region { file: file.file, at: (self.reput_from - from) as u64, end: file.wrote as u64 };
            let want = Want {
                crc: false,
                keys: self.config.message_index_enable,
                place: self.profile.fix_k18.then_some(self.reput_from),
                delays: &self.delays,
            };
            match parse(disk, region, want, &|topic| self.queues.intern(topic)) {
                Found::Record(record) => {
                    let at = self.reput_from;
                    self.reput_from += i64::from(record.size);
                    self.news.push(News::Dispatched { at, size: record.size });
                    self.dispatch(disk, at, &record);
                    let Parsed { topic, queue_id, queue_offset, tags_code, .. } = record;
                    self.news.push(News::Arrived { topic, queue_id, queue_offset, tags_code });
                }
                Found::Blank => self.reput_from = end,
                // Repaired, nothing is skipped: whoever runs the broker has to look.
                Found::Mismatch { .. } | Found::Bad if self.profile.fix_k18 => {
                    self.dispatch_stopped = true;
                    self.set_flag(Flag::WriteLogicsQueueError, true);
                    self.news.push(News::DispatchStopped { at: self.reput_from });
                    return;
                }
                Found::Mismatch { size } if size > 0 => self.reput_from += i64::from(size),
                // A master skips the rest of what is readable.
                Found::Mismatch { .. } | Found::Bad => self.reput_from = readable,
            }
        }
    }

    /// Hands a record to the consume queue, then to the index. Source: `DefaultMessageStore.doDispatch`.
    pub(super) fn dispatch(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) {
        if self.state == State::Loaded && self.profile.fix_k06 {
            self.rebuild_unit(disk, at, record);
        } else {
            self.queue_up(disk, at, record);
        }
        self.build_index(disk, at, record);
    }

    /// Puts the record's unit. Records of prepared and rolled-back transactions have none.
    fn queue_up(&mut self, disk: &mut dyn Disk, at: i64, record: &Parsed) {
        let kind = transaction_type(record.sys_flag);
        if kind == TRANSACTION_PREPARED || kind == TRANSACTION_ROLLBACK {
            return;
        }
        if self.flags & QUEUES_UNWRITEABLE != 0 {
            self.set_flag(Flag::WriteLogicsQueueError, true);
            return;
        }
        let file_size = self.queue_file_size();
        let place = self.queues.find_or_create(&record.topic, record.queue_id, file_size);
        let unit = Unit { offset: at, size: record.size, tags_code: record.tags_code };
        match self.queues.list[place].put(disk, unit, record.queue_offset) {
            Ok(Placed::At(queue_offset)) => {
                self.checkpoint.logics = record.store_timestamp.0;
                let (topic, queue_id) = (record.topic.clone(), record.queue_id);
                self.news.push(News::Queued { topic, queue_id, queue_offset, at });
            }
            Ok(Placed::Known) => self.checkpoint.logics = record.store_timestamp.0,
            // Upstream tries 30 times, a second apart, and then raises WRITE_LOGICS_QUEUE_ERROR.
            Err(_) => {
                self.set_flag(Flag::WriteLogicsQueueError, true);
            }
        }
    }
}

/// Source: `ReputMessageService.run`: `Thread.sleep(1)`.
const REPUT_TICK: Span = Span::from_millis(1);
