//! Who of a group gets what, and from where on: the model, the start and the rule that shares queues out.

use super::{Resolver, clip, days_since_1970, place};
use crate::lab::scenario::script::{ConsumerScript, Text};
use crate::mq::app::{ConsumeFrom, MessageModel};
use crate::mq::client::consumer::allocate::{RoomResolver, Strategy, VIRTUAL_NODES};
use crate::mq::message::{MessageQueue, Name};
use crate::mq::time::Millis;

/// The words of `allocate`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Averagely,
    ByCircle,
    ByConfig,
    MachineRoom,
    ConsistentHash,
    Nearby,
}

impl Resolver<'_> {
    pub(super) fn model(&mut self, table: &ConsumerScript) -> MessageModel {
        let words = [("clustering", MessageModel::Clustering), ("broadcasting", MessageModel::Broadcasting)];
        let model = self.word(&table.model, "model", &words);
        let is_ordered = table.mode.as_ref().is_some_and(|mode| mode.get_ref() == "orderly");
        if model == MessageModel::Broadcasting && is_ordered {
            // Upstream's never gets a lock: every pull ends in "not locked", for ever.
            let message = "an orderly listener is never called in broadcasting".to_owned();
            self.wrong(
                "contradiction",
                place(&table.model),
                message,
                "leave `mode` out, or write `model = \"clustering\"`",
            );
        }
        model
    }

    pub(super) fn consume_from(&mut self, table: &ConsumerScript) -> ConsumeFrom {
        let moment = table.timestamp.as_ref().and_then(|text| {
            let moment = moment(text.get_ref());
            if moment.is_none() {
                let message = format!("`{}` is no moment", clip(text.get_ref()));
                let help = "year, month, day, hour, minute and second of UTC in one: \"20181110163000\"";
                self.wrong("wrong_value", Some(text.span()), message, help);
            }
            moment
        });
        let words =
            [("last", ConsumeFrom::Last), ("first", ConsumeFrom::First), ("timestamp", ConsumeFrom::Timestamp(moment))];
        let from = self.word(&table.from, "from", &words);
        if table.timestamp.is_some() && !matches!(from, ConsumeFrom::Timestamp(_)) {
            let message = "a timestamp says where `from = \"timestamp\"` begins".to_owned();
            self.wrong(
                "contradiction",
                place(&table.timestamp),
                message,
                "leave it out, or write `from = \"timestamp\"`",
            );
        }
        from
    }

    pub(super) fn strategy(&mut self, table: &ConsumerScript) -> Strategy {
        let words = [
            ("averagely", Rule::Averagely),
            ("by-circle", Rule::ByCircle),
            ("by-config", Rule::ByConfig),
            ("machine-room", Rule::MachineRoom),
            ("consistent-hash", Rule::ConsistentHash),
            ("machine-room-nearby", Rule::Nearby),
        ];
        let rule = self.word(&table.allocate, "allocate", &words);
        if let Some(first) = table.own.as_ref().and_then(|own| own.first()).filter(|_| rule != Rule::ByConfig) {
            let message = "only `by-config` is told its queues".to_owned();
            self.wrong(
                "contradiction",
                Some(first.span()),
                message,
                "leave `own` out, or write `allocate = \"by-config\"`",
            );
        }
        let has_rooms = matches!(rule, Rule::MachineRoom | Rule::Nearby);
        if let Some(first) = table.rooms.as_ref().and_then(|own| own.first()).filter(|_| !has_rooms) {
            let message = "only `machine-room` and `machine-room-nearby` know rooms".to_owned();
            let help = "leave `rooms` out, or write `allocate = \"machine-room\"`";
            self.wrong("contradiction", Some(first.span()), message, help);
        }
        match rule {
            Rule::Averagely => Strategy::Averagely,
            Rule::ByCircle => Strategy::ByCircle,
            Rule::ByConfig => {
                Strategy::ByConfig(table.own.iter().flatten().filter_map(|text| self.own_queue(text)).collect())
            }
            Rule::MachineRoom => {
                let rooms = table.rooms.iter().flatten().map(|room| Name::from(room.get_ref().as_str()));
                Strategy::MachineRoom(rooms.collect())
            }
            Rule::ConsistentHash => Strategy::ConsistentHash(VIRTUAL_NODES),
            Rule::Nearby => {
                let rooms = table.rooms.iter().flatten().filter_map(|text| self.room(text)).collect();
                Strategy::Nearby(Box::default(), RoomResolver::Table(rooms))
            }
        }
    }

    /// A room written as `broker-a = east`, or with the beginning of a client's id before the sign.
    fn room(&mut self, text: &Text) -> Option<(Name, Name)> {
        let parts = text.get_ref().split_once('=').map(|(begin, room)| (begin.trim(), room.trim()));
        let Some((begin, room)) = parts.filter(|(begin, room)| !begin.is_empty() && !room.is_empty()) else {
            let message = format!("`{}` puts nobody into a room", clip(text.get_ref()));
            let help = "the beginning of a broker's name or of a client's id, and the room: \"broker-a = east\"";
            self.wrong("wrong_value", Some(text.span()), message, help);
            return None;
        };
        Some((begin.into(), room.into()))
    }

    /// A queue written as `orders/broker-a/0`.
    fn own_queue(&mut self, text: &Text) -> Option<MessageQueue> {
        let parts: Vec<&str> = text.get_ref().split('/').collect();
        let queue = match parts[..] {
            [topic, broker, number] => number.parse().ok().filter(|id| 0 <= *id).map(|queue_id| MessageQueue {
                topic: topic.into(),
                broker: broker.into(),
                queue_id,
            }),
            _ => None,
        };
        if queue.is_none() {
            let message = format!("`{}` names no queue", clip(text.get_ref()));
            self.wrong("wrong_value", Some(text.span()), message, "topic, broker and number: \"orders/broker-a/0\"");
        }
        queue
    }
}

/// `yyyyMMddHHmmss` as Java's milliseconds. Source: `UtilAll.parseDate`; the machines' zone is UTC.
pub(super) fn moment(text: &str) -> Option<Millis> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let is_moment = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    is_moment.then_some(Millis(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::time::Calendar;

    #[test]
    fn moments_are_read_as_calendars_show_them() {
        let read = moment("20181110163005").expect("it is one");
        assert_eq!(Calendar::of(read, 0).human_string(), "20181110163005000");
        for wrong in ["2018111016300", "20181310163005", "20181110243005", "2018111016300x", "２０１８１１１０１６"]
        {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
