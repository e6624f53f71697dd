//! Bodies of the conversations about queue locks. The order of a set of queues is kept as it came.

use crate::mq::fastjson::Json;
use crate::mq::message::{Group, MessageQueue, Name};
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::fields::{int, key, list, name, number, read_list, text};

/// Which queues a member wants to lock or to unlock. Source: `LockBatchRequestBody`, `UnlockBatchRequestBody`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LockBatchRequestBody {
    /// The group.
    pub consumer_group: Group,
    /// The member.
    pub client_id: Name,
    /// The queues.
    pub mq_set: Vec<MessageQueue>,
}

/// Which of them it holds. Source: `LockBatchResponseBody`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LockBatchResponseBody {
    /// The queues.
    pub lock_ok_mq_set: Vec<MessageQueue>,
}

impl JsonBody for MessageQueue {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("brokerName"), text(&self.broker)),
            (key("queueId"), int(self.queue_id)),
            (key("topic"), text(&self.topic)),
        ])
    }

    fn from_json(json: &Json) -> MessageQueue {
        MessageQueue {
            topic: name(json, "topic").unwrap_or_default(),
            broker: name(json, "brokerName").unwrap_or_default(),
            queue_id: number(json, "queueId", 0),
        }
    }
}

impl JsonBody for LockBatchRequestBody {
    fn to_json(&self) -> Json {
        Json::Object(vec![
            (key("clientId"), text(&self.client_id)),
            (key("consumerGroup"), text(&self.consumer_group)),
            (key("mqSet"), list(&self.mq_set)),
        ])
    }

    fn from_json(json: &Json) -> LockBatchRequestBody {
        LockBatchRequestBody {
            consumer_group: name(json, "consumerGroup").unwrap_or_default(),
            client_id: name(json, "clientId").unwrap_or_default(),
            mq_set: read_list(json, "mqSet"),
        }
    }
}

impl JsonBody for LockBatchResponseBody {
    fn to_json(&self) -> Json {
        Json::Object(vec![(key("lockOKMQSet"), list(&self.lock_ok_mq_set))])
    }

    fn from_json(json: &Json) -> LockBatchResponseBody {
        LockBatchResponseBody { lock_ok_mq_set: read_list(json, "lockOKMQSet") }
    }
}
