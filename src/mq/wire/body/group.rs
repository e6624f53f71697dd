//! A subscription group's settings, as a broker keeps them and as an operator sends them.

use crate::mq::fastjson::Json;
use crate::mq::message::Group;

/// A group's settings. Source: `SubscriptionGroupConfig`, whose defaults [`GroupConfig::new`] gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `groupName`.
    pub group_name: Group,
    /// `consumeEnable`: pulls are answered.
    pub consume_enable: bool,
    /// `consumeFromMinEnable`; read by nothing.
    pub consume_from_min_enable: bool,
    /// `consumeBroadcastEnable`.
    pub consume_broadcast_enable: bool,
    /// `retryQueueNums`.
    pub retry_queue_nums: i32,
    /// `retryMaxTimes`.
    pub retry_max_times: i32,
    /// `brokerId`: whom to pull from.
    pub broker_id: i64,
    /// `whichBrokerWhenConsumeSlowly`.
    pub which_broker_when_consume_slowly: i64,
    /// `notifyConsumerIdsChangedEnable`.
    pub notify_consumer_ids_changed_enable: bool,
}

impl GroupConfig {
    /// The defaults of 4.3.2.
    pub fn new(group_name: Group) -> GroupConfig {
        GroupConfig {
            group_name,
            consume_enable: true,
            consume_from_min_enable: true,
            consume_broadcast_enable: true,
            retry_queue_nums: 1,
            retry_max_times: 16,
            broker_id: 0,
            which_broker_when_consume_slowly: 1,
            notify_consumer_ids_changed_enable: true,
        }
    }

    /// The bean, keys in upstream's order.
    pub fn to_json(&self) -> Json {
        let text = |text: &str| Json::Text(text.to_owned());
        Json::Object(vec![
            (text("brokerId"), Json::Int(self.broker_id)),
            (text("consumeBroadcastEnable"), Json::Bool(self.consume_broadcast_enable)),
            (text("consumeEnable"), Json::Bool(self.consume_enable)),
            (text("consumeFromMinEnable"), Json::Bool(self.consume_from_min_enable)),
            (text("groupName"), text(&self.group_name)),
            (text("notifyConsumerIdsChangedEnable"), Json::Bool(self.notify_consumer_ids_changed_enable)),
            (text("retryMaxTimes"), Json::Int(self.retry_max_times.into())),
            (text("retryQueueNums"), Json::Int(self.retry_queue_nums.into())),
            (text("whichBrokerWhenConsumeSlowly"), Json::Int(self.which_broker_when_consume_slowly)),
        ])
    }
}
