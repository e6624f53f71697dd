//! Delayed messages on their way out: when its moment has come, a parked message is put again under its true address.
//!
//! Each level has a queue of its own in the schedule topic, in which everybody waits equally long, so that only the first
//! entry needs to be looked at. A level has one task; each run of it ends by saying when the next one is.
//!
//! ```text
//!            ┌──────────── nothing more: in 100 ms ────────────┐
//!   1 s ──▶ run ── entry due ──▶ put ── PUT_OK ──▶ next entry ─┘
//!            ▲ │                  └─ refused: this entry again in 10 s
//!            └─┴─ entry not due: when it is
//! ```
//!
//! The cursors, one a level, are written to `delayOffset.json` every 10 s, and not at a clean stop (K24): whoever was
//! delivered since is delivered again after the next start. A copy is not durable when its cursor is written (K03).
//!
//! Source: `ScheduleMessageService`. Differs: the 100 ms rounds of a level that has nothing to do are not run; its next run is
//! at the round that would have found something. A stretch of due messages longer than [`DELIVERIES_MAX`] is put in several
//! runs at the same moment. The rounds of the file are counted on the monotonic clock, upstream's by the wall.

use std::collections::VecDeque;

use crate::mq::disk::Disk;
use crate::mq::message::property::names;
use crate::mq::message::record::{Reading, decode_with};
use crate::mq::message::{Name, Topic, java};
use crate::mq::mistake::Mistake;
use crate::mq::store::config::Role;
use crate::mq::store::config_file::Loaded;
use crate::mq::store::consume_queue::Unit;
use crate::mq::store::delay::{SCHEDULE_TOPIC, queue_of_level};
use crate::mq::store::delay_offset::{self, DelayOffsets};
use crate::mq::store::outcome::{Landed, News, PutStatus};
use crate::mq::store::record::NewMessage;
use crate::mq::store::{Clock, MessageStore};
use crate::mq::time::{Millis, Span, Time};

/// The levels' tasks and their cursors.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    /// `offsetTable`: the cursors as they are written.
    offsets: DelayOffsets,
    /// Whether they moved since they were written.
    is_dirty: bool,
    /// Whether the cursors of a clean stop were written, or need not be.
    is_closed: bool,
    /// One a level; none before the start, and none on a slave.
    tasks: Vec<Task>,
    /// The earliest run that has something to do.
    wake: Option<Time>,
}

/// A level's pending task. Source: `DeliverDelayedMessageTimerTask`.
#[derive(Clone, Debug)]
struct Task {
    level: i32,
    delay_ms: i64,
    /// The entry that it begins with.
    offset: i64,
    /// When it runs, on the wall clock: `java.util.Timer` looks at that one.
    due: Millis,
    /// The same on the monotonic clock, until the wall clock steps.
    at: Time,
    /// Whether it has something to do then; if not, it goes round every 100 ms.
    is_armed: bool,
    /// By how much the stored moments of delivery were found to be ahead of a clock that stepped back (K19).
    ahead_ms: i64,
    /// Delivered copies that may not be durable: entry, and where in the log the copy ends (K03).
    copies: VecDeque<(i64, i64)>,
}

/// What a run leaves its task with: the entry that it goes on with, and when.
enum Next {
    /// Nothing was readable at the cursor: in a round, and the table of cursors does not hear of it.
    Idle(i64),
    /// Everything readable was looked at: in a round.
    Round(i64),
    /// After so many ms.
    After(i64, i64),
}

/// What became of an entry whose moment has come.
enum Delivered {
    Put {
        topic: Topic,
        queue_id: i32,
        landed: Landed,
    },
    /// The record is no longer there, or what is there is none.
    Gone,
    /// It found no room: the whole record was too long for any file, and is lost with success.
    Vanished,
    Refused(PutStatus),
    /// Upstream throws: it has no address, or its put failed so.
    Thrown(&'static str),
}

impl Schedule {
    /// Reads the cursors. Source: `ScheduleMessageService.load`.
    pub(super) fn load(disk: &mut dyn Disk) -> Result<(Schedule, Loaded), super::config_file::ConfigError> {
        let (offsets, loaded) = DelayOffsets::load(disk)?;
        Ok((Schedule { offsets, ..Schedule::default() }, loaded))
    }

    fn move_to(&mut self, level: i32, offset: i64) {
        self.is_dirty |= self.offsets.table.insert(level, offset) != Some(offset);
    }
}

impl Task {
    /// Runs next after so many ms. A wait that no run lives to see is cut.
    fn set(&mut self, clock: Clock, wait_ms: i64, is_armed: bool) {
        let wait = wait_ms.clamp(0, WAIT_MAX_MS);
        self.due = clock.wall.plus(wait);
        self.at = clock.mono + Span::from_millis(wait as u64);
        self.is_armed = is_armed;
    }

    /// Goes round until the first round that is not over at `now`.
    fn go_round(&mut self, now: Time) {
        if self.is_armed || now <= self.at {
            return;
        }
        let round = Span::from_millis(ROUND_MS as u64);
        let rounds = now.since(self.at).0.div_ceil(round.0);
        self.at += Span(rounds * round.0);
        self.due = self.due.plus(rounds as i64 * ROUND_MS);
    }

    /// The moment of delivery, corrected if it lies further ahead than the level waits: the clock must have stepped back.
    ///
    /// As released such an entry is due at once. Repaired, it waits as long as its level says from the moment at which it was
    /// noticed, and those behind it at their distance from it. Source: `correctDeliverTimestamp`.
    fn corrected(&mut self, now: i64, deliver_at: i64, fix_k19: bool) -> i64 {
        let latest = now.wrapping_add(self.delay_ms);
        if deliver_at <= latest {
            return deliver_at;
        }
        if !fix_k19 {
            return now;
        }
        self.ahead_ms = self.ahead_ms.max(deliver_at.saturating_sub(latest));
        deliver_at.saturating_sub(self.ahead_ms)
    }

    /// The cursor to write down: as released wherever it is; repaired, not behind a copy that may be lost with power.
    fn cursor(&mut self, offset: i64, flushed: i64, fix_k03: bool) -> i64 {
        while self.copies.front().is_some_and(|(_, end)| *end <= flushed) {
            self.copies.pop_front();
        }
        match self.copies.front() {
            Some((entry, _)) if fix_k03 => offset.min(*entry),
            _ => offset,
        }
    }
}

impl MessageStore {
    /// The cursors, by level.
    pub fn delay_offsets(&self) -> &DelayOffsets {
        &self.schedule.offsets
    }

    /// The first run of every level, 1 s from now; none on a slave. Source: `ScheduleMessageService.start`.
    pub(super) fn start_schedule(&mut self, clock: Clock) {
        if self.config.role == Role::Slave {
            return;
        }
        for level in 1..=self.delays.max() {
            let mut offset = self.schedule.offsets.table.get(&level).copied().unwrap_or(0);
            if self.profile.fix_k20 {
                offset = offset.min(self.max_queue_offset(SCHEDULE_TOPIC, queue_of_level(level)).0);
            }
            let delay_ms = self.delays.delay_ms(level).expect("the table has every level up to its highest");
            let mut task = Task {
                level,
                delay_ms,
                offset,
                due: clock.wall,
                at: clock.mono,
                is_armed: false,
                ahead_ms: 0,
                copies: VecDeque::new(),
            };
            task.set(clock, FIRST_DELAY_MS, false);
            self.schedule.tasks.push(task);
        }
        self.plan_schedule(clock.mono);
    }

    /// When the schedule has something to do, and when its cursors are written.
    pub(super) fn schedule_deadlines(&self, now: Time) -> [Option<Time>; 2] {
        let is_to_write = self.schedule.is_dirty && !self.schedule.tasks.is_empty();
        [self.schedule.wake, is_to_write.then(|| self.next_cursor_round(now))]
    }

    /// Looks which levels have found something to do, and when the first of them runs.
    pub(super) fn plan_schedule(&mut self, now: Time) {
        let Some(queues) = self.queues.by_topic.get(SCHEDULE_TOPIC) else { return };
        for task in self.schedule.tasks.iter_mut().filter(|task| !task.is_armed) {
            let Some(place) = queues.get(&queue_of_level(task.level)) else { continue };
            let queue = &self.queues.list[*place];
            if queue.readable_from(task.offset).is_some() || task.offset < queue.min_offset() {
                task.go_round(now);
                task.is_armed = true;
            }
        }
        self.schedule.wake = self.schedule.tasks.iter().filter(|task| task.is_armed).map(|task| task.at).min();
    }

    /// Runs every task whose time has come.
    pub(super) fn run_schedule(&mut self, disk: &mut dyn Disk, clock: Clock) {
        for place in 0..self.schedule.tasks.len() {
            let task = &self.schedule.tasks[place];
            if task.is_armed && task.at <= clock.mono {
                self.run_task(disk, clock, place);
            }
        }
        self.plan_schedule(clock.mono);
    }

    fn run_task(&mut self, disk: &mut dyn Disk, clock: Clock, place: usize) {
        let next = self.deliver(disk, clock, place);
        let task = &mut self.schedule.tasks[place];
        let (level, began) = (task.level, task.offset);
        let (offset, wait_ms) = match next {
            Next::Idle(offset) | Next::Round(offset) => (offset, None),
            Next::After(offset, wait_ms) => (offset, Some(wait_ms)),
        };
        task.offset = offset;
        task.set(clock, wait_ms.unwrap_or(ROUND_MS), wait_ms.is_some());
        if !matches!(next, Next::Idle(_)) {
            let is_behind = began < offset && self.profile.plants(Mistake::DelayCursorOfBatchStart);
            self.schedule.move_to(level, if is_behind { began + 1 } else { offset });
        }
    }

    /// When a unit of the schedule topic is due: its last number, or what the extension holds for it; where that is lost, what
    /// the record's store time makes of it.
    fn deliver_timestamp(&self, disk: &mut dyn Disk, queue: usize, level: i32, unit: Unit) -> i64 {
        match self.queues.list[queue].beside(disk, unit.tags_code) {
            None => unit.tags_code,
            Some(Some(beside)) => beside.tags_code,
            Some(None) => {
                let stored = self.store_time(disk, unit.offset, unit.size).unwrap_or(-1);
                self.delays.deliver_timestamp(level, Millis(stored)).0
            }
        }
    }

    /// Puts what is due of a level, from its task's entry to the end of that file of the queue. Source: `executeOnTimeup`.
    fn deliver(&mut self, disk: &mut dyn Disk, clock: Clock, place: usize) -> Next {
        let Task { level, offset: from, .. } = self.schedule.tasks[place];
        let Some(queue) = self.queues.find(SCHEDULE_TOPIC, queue_of_level(level)) else { return Next::Idle(from) };
        let Some(end) = self.queues.list[queue].readable_from(from) else {
            return Next::Idle(from.max(self.queues.list[queue].min_offset()));
        };
        for offset in from..end {
            if from + DELIVERIES_MAX <= offset {
                return Next::After(offset, 0);
            }
            let unit = self.queues.list[queue].unit(disk, offset).expect("readable up to the end");
            let fix_k19 = self.profile.fix_k19;
            let wished = self.deliver_timestamp(disk, queue, level, unit);
            let early = if self.profile.plants(Mistake::DelayFiresEarly) { 500 } else { 0 };
            let wished = wished.saturating_sub(early);
            let due = self.schedule.tasks[place].corrected(clock.wall.0, wished, fix_k19);
            if clock.wall.0 < due {
                return Next::After(offset, due.saturating_sub(clock.wall.0));
            }
            match self.put_due(disk, clock, unit) {
                Delivered::Put { topic, queue_id, landed } => {
                    let end = landed.at.0 + i64::from(landed.size);
                    self.schedule.tasks[place].copies.push_back((offset, end));
                    self.news.push(News::Delivered { level, offset, topic, queue_id, landed });
                }
                Delivered::Gone => self.news.push(News::DelayedSkipped { level, offset, why: "gone" }),
                Delivered::Vanished => self.news.push(News::DelayedSkipped { level, offset, why: "too-long" }),
                Delivered::Refused(status) if self.profile.plants(Mistake::RefusedDelayIsSkipped) => {
                    self.news.push(News::DelayedSkipped { level, offset, why: status.as_str() });
                }
                Delivered::Refused(status) => {
                    self.news.push(News::DelayedRefused { level, offset, why: status.as_str() });
                    return Next::After(offset, PERIOD_MS);
                }
                Delivered::Thrown(why) if self.profile.fix_k12 => {
                    self.news.push(News::DelayedRefused { level, offset, why });
                    return Next::After(offset, PERIOD_MS);
                }
                Delivered::Thrown(why) => self.news.push(News::DelayedSkipped { level, offset, why }),
            }
        }
        Next::Round(end)
    }

    /// Puts a message whose moment has come. Source: `messageTimeup`.
    ///
    /// Its properties are stored as they were parked; only in memory its sender does not wait and it is not delayed again.
    fn put_due(&mut self, disk: &mut dyn Disk, clock: Clock, unit: Unit) -> Delivered {
        let Some(bytes) = self.record_at(disk, unit.offset, unit.size) else { return Delivered::Gone };
        let Some((stored, _)) = decode_with(&bytes, 0, Reading { body: true, inflate: false }) else {
            return Delivered::Gone;
        };
        let mut map = stored.message.properties;
        let properties = Name::from(map.encode());
        map.put(names::WAIT, "false");
        if !self.profile.plants(Mistake::DelayedKeepsLevel) {
            map.remove(names::DELAY);
        }
        let Some(queue_id) = map.get(names::REAL_QID).and_then(|queue| java::parse_int(queue)) else {
            return Delivered::Thrown("no-real-queue");
        };
        let Some(topic) = map.get(names::REAL_TOPIC).cloned() else {
            return match self.takes_puts() {
                true => Delivered::Thrown("no-real-topic"),
                false => Delivered::Refused(PutStatus::ServiceNotAvailable),
            };
        };
        let queue_id = if self.profile.plants(Mistake::DelayedToFirstQueue) { 0 } else { queue_id };
        let message = NewMessage {
            topic: topic.clone(),
            queue_id,
            flag: stored.message.flag,
            sys_flag: stored.sys_flag,
            born_timestamp: stored.born_timestamp,
            born_host: stored.born_host,
            store_host: stored.store_host,
            reconsume_times: stored.reconsume_times,
            prepared_transaction_offset: 0,
            body: stored.message.body,
            properties,
            map: Some(Box::new(map)),
        };
        let put = self.put(disk, clock, &message);
        match (put.status, put.landed) {
            (PutStatus::PutOk, Some(landed)) if put.is_stored() => Delivered::Put { topic, queue_id, landed },
            (PutStatus::PutOk, _) => Delivered::Vanished,
            (PutStatus::Thrown(_), _) => Delivered::Thrown("thrown"),
            (status, _) => Delivered::Refused(status),
        }
    }

    /// The wall clock stepped: runs are awaited by the wall, as in a `java.util.Timer`.
    ///
    /// A step back makes every level wait until the clock is where it was. Differs: a step forward makes what it passed over
    /// due at once; upstream's timer sleeps out the wait that it had computed, 100 ms at most.
    pub fn wall_stepped(&mut self, clock: Clock) {
        for task in &mut self.schedule.tasks {
            task.go_round(clock.mono);
            let wait = task.due.since(clock.wall);
            task.set(clock, wait, task.is_armed);
        }
        self.now = clock;
        self.plan_schedule(clock.mono);
    }

    /// The first round of the cursors' file after `now`.
    fn next_cursor_round(&self, now: Time) -> Time {
        let first = self.started + CURSORS_DELAY;
        if now < first {
            return first;
        }
        let period = self.config.flush_delay_offset_interval.0.max(1);
        first + Span((now.since(first).0 / period + 1) * period)
    }

    /// Writes the cursors, if they moved.
    pub(super) fn write_cursors(&mut self, disk: &mut dyn Disk) {
        if !std::mem::take(&mut self.schedule.is_dirty) {
            return;
        }
        let (flushed, fix_k03) = (self.log.flushed_where, self.profile.fix_k03);
        let mut written = self.schedule.offsets.clone();
        for task in &mut self.schedule.tasks {
            let Some(offset) = written.table.get_mut(&task.level) else { continue };
            let cursor = task.cursor(*offset, flushed, fix_k03);
            self.schedule.is_dirty |= cursor != *offset;
            *offset = cursor;
        }
        self.write_config(disk, delay_offset::FILE, written.text());
    }

    /// The cursors at a clean stop, when every copy is durable: as released they are not written again.
    ///
    /// Source: `ScheduleMessageService.shutdown` cancels the timer.
    pub(super) fn write_last_cursors(&mut self, disk: &mut dyn Disk) {
        let delivers = self.config.role != Role::Slave;
        let fix_k24 = self.profile.fix_k24 && !self.profile.plants(Mistake::StopForgetsDelays);
        if fix_k24 && delivers && !std::mem::replace(&mut self.schedule.is_closed, true) {
            self.write_cursors(disk);
        }
    }

    /// The cursors' file could not be written: the next round tries again.
    pub(super) fn cursors_failed(&mut self) {
        self.schedule.is_dirty = self.config.role != Role::Slave;
    }
}

/// Source: `ScheduleMessageService.FIRST_DELAY_TIME`.
const FIRST_DELAY_MS: i64 = 1_000;
/// Source: `ScheduleMessageService.DELAY_FOR_A_WHILE`.
const ROUND_MS: i64 = 100;
/// Source: `ScheduleMessageService.DELAY_FOR_A_PERIOD`.
const PERIOD_MS: i64 = 10_000;
/// Source: `ScheduleMessageService.start`.
const CURSORS_DELAY: Span = Span::from_secs(10);
/// The longest wait, 100 years: what a setting may ask for and no clock here shows.
const WAIT_MAX_MS: i64 = 100 * 365 * 86_400_000;
/// How many entries a run puts at most.
pub const DELIVERIES_MAX: i64 = 1_000;
