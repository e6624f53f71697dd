//! What each group has consumed.
//!
//! Source: `ConsumerOffsetManager`.

use std::collections::BTreeMap;

use crate::mq::broker::topic::{read_config, write_config};
use crate::mq::disk::{Disk, DiskError};
use crate::mq::message::{Group, Name, QueueId, QueueOffset, Topic};
use crate::mq::wire::body::ConsumerOffsets;

/// Next offsets by topic, group and queue: looked up on every pull, so by borrowed names.
#[derive(Clone, Debug, Default)]
pub struct Offsets {
    table: BTreeMap<Topic, BTreeMap<Group, BTreeMap<QueueId, i64>>>,
    /// Whether something changed since it was written.
    pub is_dirty: bool,
}

impl Offsets {
    /// What `consumerOffset.json` says.
    pub fn load(disk: &mut dyn Disk) -> Offsets {
        let mut offsets = Offsets::default();
        let ConsumerOffsets(saved) = read_config(disk, FILE).unwrap_or_default();
        for (key, queues) in saved {
            if let Some((topic, group)) = key.split_once(SEPARATOR) {
                offsets.table.entry(topic.into()).or_default().insert(group.into(), queues);
            }
        }
        offsets
    }

    /// The stored offset.
    pub fn get(&self, group: &str, topic: &str, queue_id: QueueId) -> Option<QueueOffset> {
        self.table.get(topic)?.get(group)?.get(&queue_id).map(|offset| QueueOffset(*offset))
    }

    /// Stores an offset, smaller ones too; whether it changed. Source: `ConsumerOffsetManager.commitOffset`.
    pub fn commit(&mut self, group: &Group, topic: &Topic, queue_id: QueueId, offset: QueueOffset) -> bool {
        if let Some(stored) = self
            .table
            .get_mut(topic)
            .and_then(|groups| groups.get_mut(group))
            .and_then(|queues| queues.get_mut(&queue_id))
        {
            let changed = *stored != offset.0;
            *stored = offset.0;
            self.is_dirty |= changed;
            return changed;
        }
        self.table.entry(topic.clone()).or_default().entry(group.clone()).or_default().insert(queue_id, offset.0);
        self.is_dirty = true;
        true
    }

    /// Every stored offset.
    pub fn each(&self) -> impl Iterator<Item = (&Group, &Topic, QueueId, i64)> {
        self.table.iter().flat_map(|(topic, groups)| {
            groups.iter().flat_map(move |(group, queues)| {
                queues.iter().map(move |(queue, offset)| (group, topic, *queue, *offset))
            })
        })
    }

    /// Writes `consumerOffset.json`.
    pub fn persist(&mut self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        let mut table: BTreeMap<Name, BTreeMap<QueueId, i64>> = BTreeMap::new();
        for (topic, groups) in &self.table {
            for (group, queues) in groups {
                table.insert(format!("{topic}{SEPARATOR}{group}").into(), queues.clone());
            }
        }
        write_config(disk, FILE, &ConsumerOffsets(table))?;
        self.is_dirty = false;
        Ok(())
    }
}

/// Source: `ConsumerOffsetManager.TOPIC_GROUP_SEPARATOR`.
const SEPARATOR: char = '@';
/// Source: `BrokerPathConfigHelper.getConsumerOffsetPath`.
const FILE: &str = "config/consumerOffset.json";
