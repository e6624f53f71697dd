//! Whoever reads where a queue has nothing is sent elsewhere, and a message says so: operators may listen to it.
//!
//! Source: `PullMessageProcessor.generateOffsetMovedEvent`, `OffsetMovedEvent`. Differs: a pull does not wait until the message is
//! forced, as one does upstream where sends wait for it.

use bytes::Bytes;

use crate::mq::broker::Broker;
use crate::mq::fastjson::Json;
use crate::mq::message::Name;
use crate::mq::message::property::{Properties, names};
use crate::mq::node::Step;
use crate::mq::store::record::NewMessage;
use crate::mq::wire::header::PullHeader;

/// A message of a group that was sent elsewhere: its group and what it says.
pub(super) struct Moved {
    group: Name,
    body: Bytes,
}

/// What is to be said of a pull that goes on at `next`.
pub(super) fn event(pull: &PullHeader, next: i64, broker: &Name) -> Moved {
    let key = |name: &str| Json::Text(name.to_owned());
    let text = |name: &Name| Json::Text(name.to_string());
    let queue = Json::Object(vec![
        (key("brokerName"), text(broker)),
        (key("queueId"), Json::Int(pull.queue_id.into())),
        (key("topic"), text(&pull.topic)),
    ]);
    let event = Json::Object(vec![
        (key("consumerGroup"), text(&pull.consumer_group)),
        (key("messageQueue"), queue),
        (key("offsetNew"), Json::Int(next)),
        (key("offsetRequest"), Json::Int(pull.queue_offset)),
    ]);
    Moved { group: pull.consumer_group.clone(), body: Bytes::from(event.compact()) }
}

impl Broker {
    /// Puts the message; nobody hears if that fails.
    pub(super) fn put_offset_moved(&mut self, moved: Moved, step: &mut Step<'_>) {
        let Moved { group, body } = moved;
        let mut map = Properties::new();
        map.put(names::TAGS, group.clone());
        map.put(names::DELAY, "0");
        map.put(names::KEYS, group);
        let message = NewMessage {
            topic: TOPIC.into(),
            queue_id: 0,
            flag: 0,
            sys_flag: 0,
            born_timestamp: step.wall,
            born_host: self.announced,
            store_host: self.announced,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
            body,
            properties: map.encode().into(),
            map: None,
        };
        let clock = Self::clock(step);
        let put = self.store.put(step.disk, clock, &message);
        self.say_appended(&put, message, step);
    }
}

/// Source: `MixAll.OFFSET_MOVED_EVENT`.
const TOPIC: &str = "OFFSET_MOVED_EVENT";
