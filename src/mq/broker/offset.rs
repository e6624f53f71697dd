//! What each group has consumed.
//!
//! Source: `ConsumerOffsetManager`.

use std::collections::BTreeMap;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{Bean, CastError, Table};
use crate::mq::message::java::{JavaMap, concurrent_order};
use crate::mq::message::{Group, Name, QueueId, QueueOffset, Topic};
use crate::mq::store::config_file::{self, ConfigError, Loaded, Unreadable};

/// Next offsets by topic, group and queue: looked up on every pull, so by borrowed names.
#[derive(Clone, Debug, Default)]
pub struct Offsets {
    table: BTreeMap<Topic, BTreeMap<Group, BTreeMap<QueueId, i64>>>,
    /// What the file says under keys that are no `topic@group`: nobody asks for it, and it is written back.
    odd: BTreeMap<Name, BTreeMap<QueueId, i64>>,
    /// Whether something changed since it was written.
    pub is_dirty: bool,
}

impl Offsets {
    /// What `consumerOffset.json` says.
    ///
    /// Differs: a table that is `null` counts as empty; upstream loads it and fails at every commit.
    pub fn load(disk: &mut dyn Disk) -> Result<(Offsets, Loaded), ConfigError> {
        let mut offsets = Offsets::default();
        let loaded = config_file::load(disk, FILE, &mut |json| offsets.read(json))?;
        Ok((offsets, loaded))
    }

    /// Takes over a master's: all queues of each of its keys. Source: `SlaveSynchronize.syncConsumerOffset`.
    pub fn merge(&mut self, masters: &[u8]) -> Result<(), Unreadable> {
        Ok(self.read(&Json::parse(masters)?)?)
    }

    fn read(&mut self, json: &Json) -> Result<(), CastError> {
        let Some(bean) = Bean::root(json)? else { return Ok(()) };
        let groups = bean.table("offsetTable")?.map(|table| table.tables()).transpose()?;
        let one = |(key, queues): &(Name, Table<'_>)| Ok((key.clone(), queues.numbers()?.into_iter().collect()));
        let read: Vec<(Name, BTreeMap<QueueId, i64>)> =
            groups.iter().flatten().map(one).collect::<Result<_, CastError>>()?;
        read.into_iter().for_each(|(key, queues)| self.take(key, queues));
        Ok(())
    }

    fn take(&mut self, key: Name, queues: BTreeMap<QueueId, i64>) {
        match key.split_once(SEPARATOR) {
            Some((topic, group)) => drop(self.table.entry(topic.into()).or_default().insert(group.into(), queues)),
            None => drop(self.odd.insert(key, queues)),
        }
    }

    /// The stored offset; one below zero counts as none. Source: `ConsumerOffsetManager.queryOffset`.
    pub fn get(&self, group: &str, topic: &str, queue_id: QueueId) -> Option<QueueOffset> {
        self.table
            .get(topic)?
            .get(group)?
            .get(&queue_id)
            .filter(|offset| **offset >= 0)
            .map(|offset| QueueOffset(*offset))
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

    /// Forgets a group's places in every topic.
    pub fn forget(&mut self, group: &str) {
        for groups in self.table.values_mut() {
            groups.remove(group);
        }
        self.is_dirty = true;
    }

    /// Gives a group the places that another one has in a topic. Source: `ConsumerOffsetManager.cloneOffset`.
    pub fn copy(&mut self, topic: &Topic, from: &Group, to: &Group) {
        let Some(groups) = self.table.get_mut(topic) else { return };
        if let Some(queues) = groups.get(from).cloned() {
            groups.insert(to.clone(), queues);
            self.is_dirty = true;
        }
    }

    /// Every stored offset.
    pub fn each(&self) -> impl Iterator<Item = (&Group, &Topic, QueueId, i64)> {
        self.table.iter().flat_map(|(topic, groups)| {
            groups.iter().flat_map(move |(group, queues)| {
                queues.iter().map(move |(queue, offset)| (group, topic, *queue, *offset))
            })
        })
    }

    /// The text of `consumerOffset.json`.
    pub fn text(&self) -> String {
        self.json().pretty()
    }

    /// The table as JSON.
    ///
    /// Differs: keys stand as in tables that were never loaded; upstream's, once loaded, are of another size.
    pub fn json(&self) -> Json {
        let mut table = JavaMap::concurrent(TABLE_CAPACITY);
        for (topic, groups) in &self.table {
            for (group, queues) in groups {
                table.put(format!("{topic}{SEPARATOR}{group}").into(), queues);
            }
        }
        for (key, queues) in &self.odd {
            table.put(key.clone().into(), queues);
        }
        let table = table.iter().map(|(key, queues)| (Json::Text(key.to_string()), queues_json(queues))).collect();
        Json::Object(vec![(Json::Text("offsetTable".to_owned()), Json::Object(table))])
    }
}

fn queues_json(queues: &BTreeMap<QueueId, i64>) -> Json {
    let order = concurrent_order(queues.keys().copied().collect(), QUEUES_CAPACITY);
    Json::Object(order.into_iter().map(|queue| (Json::Int(queue.into()), Json::Int(queues[&queue]))).collect())
}

/// Source: `ConsumerOffsetManager.offsetTable`.
const TABLE_CAPACITY: u32 = 512;
/// Source: `ConsumerOffsetManager.commitOffset`.
const QUEUES_CAPACITY: u32 = 32;
/// Source: `ConsumerOffsetManager.TOPIC_GROUP_SEPARATOR`.
const SEPARATOR: char = '@';
/// Source: `BrokerPathConfigHelper.getConsumerOffsetPath`.
pub const FILE: &str = "config/consumerOffset.json";
