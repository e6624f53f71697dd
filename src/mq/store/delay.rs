//! Delayed messages on their way in: the table of levels, and the letter that is readdressed to the schedule topic.
//!
//! A message with a delay level is stored under `SCHEDULE_TOPIC_XXXX`, in the queue of its level, with its true address in
//! two more properties. Its queue unit then carries the moment of delivery where others carry the hash of their tag.
//!
//! Source: `CommitLog.putMessage`, `ScheduleMessageService`.

use crate::mq::message::property::{self, Properties, names};
use crate::mq::message::sys_flag::{TRANSACTION_COMMIT, TRANSACTION_NOT, transaction_type};
use crate::mq::message::{Name, QueueId, java};
use crate::mq::store::outcome::Thrown;
use crate::mq::store::record::NewMessage;
use crate::mq::time::Millis;

/// Where delayed messages wait. Source: `ScheduleMessageService.SCHEDULE_TOPIC`.
pub const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";

/// How long each level waits. Source: `ScheduleMessageService.delayLevelTable`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelayLevels {
    /// In ms, level 1 first.
    delays_ms: Vec<i64>,
}

impl DelayLevels {
    /// Reads `messageDelayLevel`; `None` where upstream's exception makes the store's loading fail.
    ///
    /// Waits are separated by single blanks; each is a number and one of `s`, `m`, `h`, `d`. A product that does not fit
    /// wraps, as in Java. Source: `ScheduleMessageService.parseDelayLevel`.
    pub fn parse(text: &str) -> Option<DelayLevels> {
        let waits = java::split(text, ' ');
        let delays_ms = waits.into_iter().map(|wait| {
            let unit = wait.chars().next_back()?;
            let unit_ms: i64 = match unit {
                's' => 1_000,
                'm' => 60_000,
                'h' => 3_600_000,
                'd' => 86_400_000,
                _ => return None,
            };
            let number = java::parse_long(&wait[..wait.len() - unit.len_utf8()])?;
            Some(unit_ms.wrapping_mul(number))
        });
        delays_ms.collect::<Option<Vec<i64>>>().map(|delays_ms| DelayLevels { delays_ms })
    }

    /// The highest level. Source: `ScheduleMessageService.maxDelayLevel`.
    pub fn max(&self) -> i32 {
        self.delays_ms.len() as i32
    }

    /// A level's wait in ms; `None` for a level that is not in the table.
    pub fn delay_ms(&self, level: i32) -> Option<i64> {
        let place = usize::try_from(level).ok()?.checked_sub(1)?;
        self.delays_ms.get(place).copied()
    }

    /// When a message of that level is to be delivered; a level that is not in the table waits a second.
    ///
    /// Source: `ScheduleMessageService.computeDeliverTimestamp`.
    pub fn deliver_timestamp(&self, level: i32, stored: Millis) -> Millis {
        Millis(stored.0.wrapping_add(self.delay_ms(level).unwrap_or(UNKNOWN_LEVEL_MS)))
    }
}

/// The schedule topic's queue of a level. Source: `ScheduleMessageService.delayLevel2QueueId`.
pub fn queue_of_level(level: i32) -> QueueId {
    level.wrapping_sub(1)
}

/// The level of a queue of the schedule topic. Source: `ScheduleMessageService.queueId2DelayLevel`.
pub fn level_of_queue(queue_id: QueueId) -> i32 {
    queue_id.wrapping_add(1)
}

/// The delay level that a text of properties asks for; 0 if it says nothing.
pub(super) fn asked(text: &str) -> Result<i32, Thrown> {
    level(property::find(text, names::DELAY))
}

/// The delay level that a property says; 0 if there is none. Source: `Message.getDelayTimeLevel`.
pub(super) fn level(text: Option<&str>) -> Result<i32, Thrown> {
    match text {
        None => Ok(0),
        Some(level) => java::parse_int(level).ok_or(Thrown::DelayLevel),
    }
}

/// The message as it is parked, if it asks to be delayed and is of a type that can be.
///
/// Half messages and rollbacks are never parked, but a half message travels as an ordinary one and is (K21). The level is
/// clamped; the properties are written anew, in the order of Java's `HashMap`. Source: `CommitLog.putMessage`.
pub(super) fn parked(
    message: &NewMessage,
    asked: Result<i32, Thrown>,
    levels: &DelayLevels,
) -> Result<Option<NewMessage>, Thrown> {
    let kind = transaction_type(message.sys_flag);
    if kind != TRANSACTION_NOT && kind != TRANSACTION_COMMIT {
        return Ok(None);
    }
    let asked = asked?;
    if asked <= 0 {
        return Ok(None);
    }
    let mut map = match &message.map {
        Some(map) => Properties::clone(map),
        None => Properties::decode(&message.properties),
    };
    let level = asked.min(levels.max());
    if level < asked {
        map.put(names::DELAY, level.to_string());
    }
    map.put(names::REAL_TOPIC, message.topic.clone());
    map.put(names::REAL_QID, message.queue_id.to_string());
    Ok(Some(NewMessage {
        topic: Name::from(SCHEDULE_TOPIC),
        queue_id: queue_of_level(level),
        properties: map.encode().into(),
        map: Some(Box::new(map)),
        ..message.clone()
    }))
}

/// The moment of delivery that a record's queue unit carries; `Ok(None)` if it is not a delayed one.
///
/// A level that is no number makes the record unreadable, for dispatch and recovery alike.
/// Source: `CommitLog.checkMessageAndReturnSize`.
pub(super) fn delivery(
    topic: &str,
    properties: &str,
    stored: Millis,
    levels: &DelayLevels,
) -> Result<Option<i64>, Thrown> {
    if topic != SCHEDULE_TOPIC {
        return Ok(None);
    }
    let level = asked(properties)?.min(levels.max());
    Ok((level > 0).then(|| levels.deliver_timestamp(level, stored).0))
}

/// Source: `ScheduleMessageService.computeDeliverTimestamp`.
const UNKNOWN_LEVEL_MS: i64 = 1_000;
