//! Retention: which files of the log go, when, and what follows them out of the queues and the index.
//!
//! ```text
//!   used:   0 ───────────── 75 % ────────── 85 % ────────── 90 % ──── 100 %
//!             expired files    expired files    any file but    the same, and
//!             at 04:00         at any hour      the last        puts are refused
//! ```
//!
//! Upstream looks every ten seconds. Here a pass is due only at the tick at which it could find something: a file that will
//! have expired in an hour of deletion, a watermark that may have been passed since the disk was looked at, a manual
//! request, or a log that begins later than the queues were last told.
//!
//! Source: `DefaultMessageStore.CleanCommitLogService`, `CleanConsumeQueueService`, `cleanExpiredConsumerQueue`.
//! Differs: a file leaves the log's list when it is removed, upstream's at the end of the pass; no reader holds a mapping from
//! one event to the next, so that no file hangs and `redeleteHangedFile` has nothing to do.

use crate::mq::disk::{Disk, Usage};
use crate::mq::message::java;
use crate::mq::mistake::Mistake;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::consume_queue::{ConsumeQueue, UNIT, Unit};
use crate::mq::store::delay::SCHEDULE_TOPIC;
use crate::mq::store::outcome::News;
use crate::mq::store::{Clock, Flag, MessageStore};
use crate::mq::time::{Calendar, Millis, Span, Time};

/// The clean-up services as data.
#[derive(Clone, Debug)]
pub(super) struct Retention {
    /// The hours of deletion, a bit each.
    hours: u32,
    /// `manualDeleteFileSeveralTimes`.
    manual: u32,
    /// `cleanImmediately`.
    clean_immediately: bool,
    /// Whether the disk was fuller than `diskMaxUsedSpaceRatio` when it was looked at.
    is_pressed: bool,
    /// When the last pass began.
    ran_at: Time,
    /// `lastPhysicalMinOffset`.
    last_min_offset: i64,
    /// Bytes that the disk had left below its next watermark when it was looked at.
    room: u64,
    /// Bytes that may have been taken since, counted high.
    taken: u64,
    pass: Option<Pass>,
}

/// A pass that pauses between two files or queues.
#[derive(Clone, Copy, Debug)]
struct Pass {
    due: Time,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Files of the log: how many still may go, how many could, and whether unexpired ones do, too.
    Log { left: usize, candidates: usize, at_once: bool },
    /// Consume queues, from this place on.
    Queues { next: usize },
}

impl Retention {
    /// Before the disk was looked at.
    pub(super) fn new(delete_when: &str) -> Retention {
        Retention {
            hours: hours(delete_when),
            manual: 0,
            clean_immediately: false,
            is_pressed: false,
            ran_at: Time::ZERO,
            last_min_offset: 0,
            room: 0,
            taken: 0,
            pass: None,
        }
    }

    /// `bytes` were written somewhere: at most so much more of the disk is in use.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes as u64 + 2 * PAGE;
    }

    /// Lets the disk be looked at in the next pass.
    pub(super) fn look_again(&mut self) {
        self.room = 0;
    }

    fn looked(&mut self, room: u64) {
        (self.room, self.taken) = (room, 0);
    }
}

impl MessageStore {
    /// The store starts: how far the disk is from its next watermark.
    pub(super) fn start_retention(&mut self, disk: &mut dyn Disk) {
        let space = disk.space();
        let is_low = percent_above(space, disk_max_ratio(&self.config)) || self.flags & Flag::DiskFull as u32 != 0;
        self.retention.looked(if is_low { 0 } else { room(space, &self.config) });
    }

    /// Somebody else took room from the disk, or made some: the next tick looks at it, as upstream's does at each.
    pub fn space_changed(&mut self) {
        self.retention.look_again();
    }

    /// Asks for 20 passes that delete expired files at any hour. Source: `executeDeleteFilesManually`.
    pub fn delete_files_manually(&mut self) {
        self.retention.manual = MANUAL_PASSES;
    }

    /// When a pass could find something, or goes on.
    pub(super) fn next_clean(&self, clock: Clock) -> Option<Time> {
        if let Some(pass) = &self.retention.pass {
            return Some(pass.due);
        }
        let tick = self.clean_tick(clock.mono);
        let is_eager =
            self.profile.plants(Mistake::DeletesActiveFile) || self.profile.plants(Mistake::DeletesYoungFile);
        let now = is_eager
            || self.retention.manual > 0
            || self.retention.last_min_offset < self.log.min_offset()
            // Somebody else may make room.
            || self.flags & Flag::DiskFull as u32 != 0
            || self.retention.room <= self.retention.taken;
        if now {
            return Some(tick);
        }
        let first = self.log.files.first().filter(|_| 1 < self.log.files.len())?;
        let expires = first.modified_ms.saturating_add(self.reserved_ms());
        let wait = Millis(expires).since(clock.wall).max(0) as u64;
        let earliest = self.clean_tick_from((clock.mono + Span::from_millis(wait)).max(tick));
        if self.retention.is_pressed {
            return Some(earliest);
        }
        let wall = clock.wall.plus(earliest.since(clock.mono).as_millis() as i64);
        let local = Calendar::of(wall, self.config.zone_offset_ms);
        let away = (0..24).find(|away| self.retention.hours & (1 << ((local.hour + away) % 24)) != 0)?;
        if away == 0 {
            return Some(earliest);
        }
        let into_hour = local.minute * 60_000 + local.second * 1_000 + local.milli;
        Some(self.clean_tick_from(earliest + Span::from_millis((away * 3_600_000 - into_hour) as u64)))
    }

    /// The next tick that has not been used. Source: `DefaultMessageStore.addScheduleTask`.
    fn clean_tick(&self, now: Time) -> Time {
        self.clean_tick_from(now.max(Time(self.retention.ran_at.0 + 1)))
    }

    /// The first tick at or after `at`.
    fn clean_tick_from(&self, at: Time) -> Time {
        let (first, period) = (self.started + CLEAN_DELAY, self.config.clean_resource_interval.0.max(1_000_000));
        first + Span(at.since(first).0.div_ceil(period) * period)
    }

    fn reserved_ms(&self) -> i64 {
        self.config.file_reserved_time_h.saturating_mul(3_600_000)
    }

    /// The timer fired: begins a pass, or goes on with one.
    pub(super) fn run_clean(&mut self, disk: &mut dyn Disk, clock: Clock) {
        if self.next_clean(clock).is_none_or(|due| clock.mono < due) {
            return;
        }
        let mut stage = match self.retention.pass.take() {
            Some(pass) => Some(pass.stage),
            None => {
                self.retention.ran_at = clock.mono;
                Some(self.begin_clean(disk, clock))
            }
        };
        while let Some(at) = stage {
            let (next, pause) = self.clean_step(disk, clock, at);
            stage = next;
            if let (Some(stage), true) = (next, pause > Span::ZERO) {
                self.retention.pass = Some(Pass { due: clock.mono + pause, stage });
                return;
            }
        }
    }

    /// One pass over the log to its end, its pauses left out. Source: `CleanCommitLogService.run`.
    pub fn clean_commit_log(&mut self, disk: &mut dyn Disk, clock: Clock) {
        let mut stage = self.begin_clean(disk, clock);
        while let Stage::Log { .. } = stage {
            let (Some(next), _) = self.clean_step(disk, clock, stage) else { return };
            stage = next;
        }
    }

    /// One pass over queues and index to its end, its pauses left out. Source: `CleanConsumeQueueService.run`.
    pub fn clean_consume_queues(&mut self, disk: &mut dyn Disk, clock: Clock) {
        let mut stage = Some(Stage::Queues { next: 0 });
        while let Some(at) = stage {
            (stage, _) = self.clean_step(disk, clock, at);
        }
    }

    /// Why a pass would delete, if it would. Source: `CleanCommitLogService.deleteExpiredFiles`.
    fn begin_clean(&mut self, disk: &mut dyn Disk, clock: Clock) -> Stage {
        let queues = Stage::Queues { next: 0 };
        // A `deleteWhen` that is no list of hours ends upstream's pass with an exception.
        let Some(is_time) = is_time_to_delete(&self.config.delete_when, clock.wall, self.config.zone_offset_ms) else {
            return queues;
        };
        let is_full = self.is_space_to_delete(disk);
        if !is_time && !is_full && self.retention.manual == 0 {
            return queues;
        }
        self.retention.manual = self.retention.manual.saturating_sub(1);
        let at_once = self.config.clean_file_forcibly_enable && self.retention.clean_immediately;
        let kept = usize::from(!self.profile.plants(Mistake::DeletesActiveFile));
        Stage::Log { left: FILES_A_PASS, candidates: self.log.files.len().saturating_sub(kept), at_once }
    }

    /// Looks at the disk: sets the flag, and says whether expired files are to go at any hour.
    ///
    /// The two paths of upstream's check lie on one disk here, so that they agree; a folder that is not there counts as full.
    /// Source: `CleanCommitLogService.isSpaceToDelete`.
    fn is_space_to_delete(&mut self, disk: &mut dyn Disk) -> bool {
        let (space, config) = (disk.space(), &self.config);
        let is_warned = percent_above(space, config.disk_space_warning_level_ratio);
        let is_forced = percent_above(space, config.disk_space_clean_forcibly_ratio);
        let is_pressed = percent_above(space, disk_max_ratio(config));
        self.retention.looked(room(space, config));
        self.retention.clean_immediately = is_warned || is_forced;
        self.retention.is_pressed = is_pressed;
        let is_full = match (is_warned, is_forced) {
            (true, _) => true,
            // Between the two marks the flag stays as it is.
            (false, true) => self.flags & Flag::DiskFull as u32 != 0,
            (false, false) => false,
        };
        if is_full != (self.flags & Flag::DiskFull as u32 != 0) {
            let percent = (u128::from(space.used) * 100 / u128::from(space.total.max(1))) as i64;
            self.news.push(if is_full { News::DiskFull { percent } } else { News::DiskOk { percent } });
            self.flags ^= Flag::DiskFull as u32;
        }
        let has_queues = self.queues.list.iter().any(|queue| !queue.files.files.is_empty());
        is_pressed || self.log.files.is_empty() || !has_queues
    }

    /// Removes a file or trims a queue; says how to go on, and after which pause.
    fn clean_step(&mut self, disk: &mut dyn Disk, clock: Clock, stage: Stage) -> (Option<Stage>, Span) {
        match stage {
            Stage::Log { left, candidates, at_once } => {
                let queues = (Some(Stage::Queues { next: 0 }), Span::ZERO);
                if left == 0 || candidates == 0 || !self.delete_first(disk, clock, at_once) {
                    return queues;
                }
                let rest = Stage::Log { left: left - 1, candidates: candidates - 1, at_once };
                match left == 1 || candidates == 1 {
                    true => queues,
                    false => (Some(rest), self.config.delete_commit_log_files_interval),
                }
            }
            Stage::Queues { next } => {
                let min = self.log.min_offset();
                if next == 0 {
                    if min <= self.retention.last_min_offset {
                        return (None, Span::ZERO);
                    }
                    self.retention.last_min_offset = min;
                }
                for place in next..self.queues.list.len() {
                    if self.queues.list[place].delete_expired(disk, min) > 0 {
                        let rest = Stage::Queues { next: place + 1 };
                        return (Some(rest), self.config.delete_consume_queue_files_interval);
                    }
                }
                self.trim_index(disk);
                (None, Span::ZERO)
            }
        }
    }

    /// Removes the log's first file if it has expired, or at once. Source: `MappedFileQueue.deleteExpiredFileByTime`.
    fn delete_first(&mut self, disk: &mut dyn Disk, clock: Clock, at_once: bool) -> bool {
        let (from, name) = match self.log.files.first() {
            Some(first) => (first.from, self.log.name(first.from)),
            None => return false,
        };
        let found = disk.list(&name).into_iter().find(|info| info.name == name);
        if let Some(info) = found {
            self.log.files[0].modified_ms = info.modified_ms;
        }
        let expires = self.log.files[0].modified_ms.saturating_add(self.reserved_ms());
        let is_only = self.log.files.len() == 1 && self.profile.plants(Mistake::DeletesActiveFile);
        let is_expired = expires <= clock.wall.0 || is_only || self.profile.plants(Mistake::DeletesYoungFile);
        if !is_expired && !at_once {
            return false;
        }
        self.log.remove_first(disk);
        if self.retention.is_pressed {
            self.retention.look_again();
        }
        self.news.push(News::FileDeleted { at: from, expired: is_expired });
        true
    }

    /// Drops the queues of every topic for which `is_used` does not hold: they begin again at entry 0. Never the schedule topic's.
    ///
    /// Their records stay in the log. Returns how many queues were dropped. Source: `DefaultMessageStore.cleanUnusedTopic`.
    pub fn clean_unused_topics(&mut self, disk: &mut dyn Disk, is_used: &dyn Fn(&str) -> bool) -> usize {
        let mut count = 0;
        let list = &mut self.queues.list;
        self.queues.by_topic.retain(|topic, queues| {
            let stays = **topic == *SCHEDULE_TOPIC || is_used(topic);
            if !stays {
                queues.values().for_each(|place| list[*place].destroy(disk));
                count += queues.len();
            }
            stays
        });
        count
    }

    /// Drops every queue whose records are all gone from the log: it begins again at entry 0. Never the schedule topic's.
    ///
    /// `false` where upstream's exception ends the command: the last file of a queue is full, and its reader runs out of it.
    /// Source: `DefaultMessageStore.cleanExpiredConsumerQueue`. Differs: queues are looked at in order of topic and number.
    pub fn clean_expired_queues(&mut self, disk: &mut dyn Disk) -> bool {
        let min = self.log.min_offset();
        let mut dropped = Vec::new();
        let mut is_whole = true;
        for (topic, queues) in self.queues.by_topic.iter().filter(|(topic, _)| ***topic != *SCHEDULE_TOPIC) {
            for (queue_id, place) in queues {
                match self.queues.list[*place].last_offset(disk) {
                    Ok(last) if last != -1 && last < min => dropped.push((topic.clone(), *queue_id, *place)),
                    Ok(_) => {}
                    Err(RanOut) => is_whole = false,
                }
                if !is_whole {
                    break;
                }
            }
            if !is_whole {
                break;
            }
        }
        for (topic, queue_id, place) in dropped {
            self.queues.list[place].destroy(disk);
            if let Some(queues) = self.queues.by_topic.get_mut(&topic) {
                queues.remove(&queue_id);
            }
        }
        self.queues.by_topic.retain(|_, queues| !queues.is_empty());
        is_whole
    }
}

/// A reader came to the end of a file that it took for longer.
struct RanOut;

impl ConsumeQueue {
    /// Removes leading files, never the last, whose newest unit points before `offset`; then finds the first valid entry.
    ///
    /// Source: `ConsumeQueue.deleteExpiredFile`, `MappedFileQueue.deleteExpiredFileByOffset`.
    fn delete_expired(&mut self, disk: &mut dyn Disk, offset: i64) -> usize {
        let mut count = 0;
        while 1 < self.files.files.len() {
            let first = &self.files.files[0];
            let last = first.size - UNIT;
            let is_over = first.wrote == first.size
                && Unit::decode(disk.bytes(first.file, last as u64..first.size as u64)).offset < offset;
            if !is_over {
                break;
            }
            self.files.remove_first(disk);
            count += 1;
        }
        self.correct_min_offset(disk, offset);
        count
    }

    /// One past the last record that the queue points at; -1 without files. Units behind the last one are read, too, as long as
    /// they point somewhere. Source: `ConsumeQueue.getLastOffset`.
    fn last_offset(&self, disk: &mut dyn Disk) -> Result<i64, RanOut> {
        let Some(file) = self.files.files.last() else { return Ok(-1) };
        let (mut last, mut at) = (-1, (file.wrote - UNIT).max(0));
        loop {
            if file.size < at + UNIT {
                return Err(RanOut);
            }
            let unit = Unit::decode(disk.bytes(file.file, at as u64..(at + UNIT) as u64));
            if unit.offset < 0 || unit.size <= 0 {
                return Ok(last);
            }
            last = unit.offset + i64::from(unit.size);
            at += UNIT;
        }
    }
}

/// Whether more than `percent` of the disk is in use.
fn percent_above(space: Usage, percent: u64) -> bool {
    u128::from(space.total) * u128::from(percent) < u128::from(space.used) * 100
}

/// Source: `MessageStoreConfig.getDiskMaxUsedSpaceRatio`.
fn disk_max_ratio(config: &StoreConfig) -> u64 {
    config.disk_max_used_space_ratio.clamp(10, 95)
}

/// Bytes to the next watermark.
fn room(space: Usage, config: &StoreConfig) -> u64 {
    let marks = [disk_max_ratio(config), config.disk_space_clean_forcibly_ratio, config.disk_space_warning_level_ratio];
    let above = marks.into_iter().filter(|mark| !percent_above(space, *mark));
    let bytes = above.map(|mark| (u128::from(space.total) * u128::from(mark) / 100) as u64);
    bytes.map(|mark| mark.saturating_sub(space.used) + 1).min().unwrap_or(u64::MAX)
}

/// Whether it is an hour of deletion; `None` where upstream throws. Source: `UtilAll.isItTimeToDo`.
fn is_time_to_delete(when: &str, now: Millis, zone_offset_ms: i64) -> Option<bool> {
    let hour = Calendar::of(now, zone_offset_ms).hour;
    for part in java::split(when, ';') {
        if i64::from(java::parse_int(part)?) == hour {
            return Some(true);
        }
    }
    Some(false)
}

/// The hours of deletion, as far as they can be read.
fn hours(when: &str) -> u32 {
    let hours = java::split(when, ';').into_iter().map_while(java::parse_int);
    hours.filter(|hour| (0..24).contains(hour)).fold(0, |hours, hour| hours | 1 << hour)
}

/// Source: `DefaultMessageStore.addScheduleTask`.
const CLEAN_DELAY: Span = Span::from_secs(60);
/// Source: `CleanCommitLogService.MAX_MANUAL_DELETE_FILE_TIMES`.
const MANUAL_PASSES: u32 = 20;
/// Source: `MappedFileQueue.DELETE_FILES_BATCH_MAX`.
const FILES_A_PASS: usize = 10;
/// A write takes at most two pages more than its bytes fill.
const PAGE: u64 = 4096;
