//! Tables whose keys are queues: fastjson writes such a key as an object, which no other JSON does.

use crate::mq::fastjson::Json;
use crate::mq::message::MessageQueue;
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::fields::{int, key, name, number, text};

/// Offsets by queue, in the order in which iterating upstream's map gives them.
///
/// Source: `ResetOffsetBody`, `OffsetSerializeWrapper`, which are written alike.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueOffsets(pub Vec<(MessageQueue, i64)>);

impl QueueOffsets {
    /// The offset of a queue.
    pub fn get(&self, queue: &MessageQueue) -> Option<i64> {
        self.0.iter().find(|(known, _)| known == queue).map(|(_, offset)| *offset)
    }
}

impl JsonBody for QueueOffsets {
    fn to_json(&self) -> Json {
        let table = self.0.iter().map(|(queue, offset)| (queue_json(queue), Json::Int(*offset))).collect();
        Json::Object(vec![(key("offsetTable"), Json::Object(table))])
    }

    fn from_json(json: &Json) -> QueueOffsets {
        let table = json.get("offsetTable").map(Json::pairs).unwrap_or_default();
        QueueOffsets(table.iter().filter_map(|(queue, offset)| Some((read_queue(queue), offset.as_i64()?))).collect())
    }
}

/// A queue as a key.
pub(super) fn queue_json(queue: &MessageQueue) -> Json {
    Json::Object(vec![
        (key("brokerName"), text(&queue.broker)),
        (key("queueId"), int(queue.queue_id)),
        (key("topic"), text(&queue.topic)),
    ])
}

pub(super) fn read_queue(json: &Json) -> MessageQueue {
    MessageQueue {
        topic: name(json, "topic").unwrap_or_default(),
        broker: name(json, "brokerName").unwrap_or_default(),
        queue_id: number(json, "queueId", 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_offset_file_is_written_with_objects_for_keys_and_read_again() {
        let queue = |queue_id| MessageQueue { topic: "T".into(), broker: "b".into(), queue_id };
        let table = QueueOffsets(vec![(queue(1), 5), (queue(0), 3)]);
        let text = table.to_json().pretty();
        let expected = "{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":1,\n\t\t\t\"topic\":\"T\"\n\t\t}:5,\
                        {\n\t\t\t\"brokerName\":\"b\",\n\t\t\t\"queueId\":0,\n\t\t\t\"topic\":\"T\"\n\t\t}:3\n\t}\n}";
        assert_eq!(text, expected);
        assert_eq!(QueueOffsets::decode(text.as_bytes()), Ok(table));
        assert_eq!(QueueOffsets::default().to_json().pretty(), "{\n\t\"offsetTable\":{}\n}");
    }
}
