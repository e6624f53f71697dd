//! The table of consume queues. Source: `DefaultMessageStore.consumeQueueTable`, `CommitLog.topicQueueTable`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mq::message::{QueueId, Topic};
use crate::mq::store::config::StoreConfig;
use crate::mq::store::consume_queue::ConsumeQueue;
use crate::mq::store::consume_queue_ext::ConsumeQueueExt;
use crate::mq::store::reput::BitMaps;

/// Consume queues by topic and number, found without allocating.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    pub(super) by_topic: BTreeMap<Topic, BTreeMap<QueueId, usize>>,
    pub(super) list: Vec<ConsumeQueue>,
    /// `topicQueueTable`: the next queue offset, by place in `list`.
    pub(super) next_offset: Vec<i64>,
    /// Length of an extension's files, if queues have one.
    ext_file_size: Option<i64>,
    /// What works out who wants a record.
    pub(super) bit_maps: Option<Arc<dyn BitMaps>>,
}

impl Queues {
    /// No queues.
    pub(super) fn new(config: &StoreConfig) -> Queues {
        let ext_file_size = config.enable_consume_queue_ext.then_some(config.consume_queue_ext_file_size as i64);
        Queues { ext_file_size, ..Queues::default() }
    }

    pub(super) fn find(&self, topic: &str, queue_id: QueueId) -> Option<usize> {
        self.by_topic.get(topic)?.get(&queue_id).copied()
    }

    /// The queue's place, made empty if it is not there. Source: `DefaultMessageStore.findConsumeQueue`.
    pub(super) fn find_or_create(&mut self, topic: &Topic, queue_id: QueueId, file_size: i64) -> usize {
        if let Some(place) = self.find(topic, queue_id) {
            return place;
        }
        let place = self.list.len();
        let mut queue = ConsumeQueue::new(topic.clone(), queue_id, file_size);
        queue.ext = self.ext_file_size.map(|size| ConsumeQueueExt::new(topic, queue_id, size));
        self.list.push(queue);
        self.next_offset.push(0);
        self.by_topic.entry(topic.clone()).or_default().insert(queue_id, place);
        place
    }

    /// The shared name of a known topic.
    pub(super) fn intern(&self, topic: &str) -> Option<Topic> {
        self.by_topic.get_key_value(topic).map(|(name, _)| name.clone())
    }
}
