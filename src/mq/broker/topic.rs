//! The topics of a broker.
//!
//! Source: `TopicConfigManager`.

use std::collections::BTreeMap;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{Bean, CastError};
use crate::mq::message::java::JavaMap;
use crate::mq::message::{Name, Topic};
use crate::mq::store::config_file::{self, ConfigError, Loaded};
use crate::mq::time::Millis;
use crate::mq::wire::body::{DataVersion, JsonBody, KvTable, TopicConfig, TopicConfigTable};

/// The template of automatic creation. Source: `MixAll.AUTO_CREATE_TOPIC_KEY_TOPIC`.
pub const AUTO_CREATE_TOPIC: &str = "TBW102";
/// May be read. Source: `PermName`.
pub const PERM_READ: i32 = 4;
/// May be written. Source: `PermName`.
pub const PERM_WRITE: i32 = 2;
/// May be a template. Source: `PermName`.
pub const PERM_INHERIT: i32 = 1;

/// All topic configs with their age.
#[derive(Clone, Debug)]
pub struct Topics {
    table: TopicConfigTable,
    auto_create: bool,
    /// Whether something changed that the file was not told.
    pub is_dirty: bool,
}

/// What the presets are named after, and whether automatic creation has its template.
#[derive(Clone, Copy, Debug)]
pub struct Presets<'a> {
    /// `brokerClusterName`.
    pub cluster: &'a Name,
    /// `brokerName`.
    pub broker: &'a Name,
    /// `autoCreateTopicEnable`.
    pub auto_create: bool,
    /// `defaultTopicQueueNums`.
    pub template_queues: i32,
}

impl Topics {
    /// The presets of a broker, then what `topics.json` says over them.
    pub fn load(disk: &mut dyn Disk, preset: &Presets<'_>, now: Millis) -> Result<(Topics, Loaded), ConfigError> {
        let Presets { cluster, broker, auto_create, template_queues } = *preset;
        let mut table = TopicConfigTable {
            data_version: DataVersion { timestamp: now.0, counter: 0 },
            topic_config_table: BTreeMap::new(),
            capacity: TABLE_CAPACITY,
        };
        let read_write = PERM_READ | PERM_WRITE;
        let mut presets = vec![
            ("SELF_TEST_TOPIC", 1, read_write),
            ("BenchmarkTest", 1024, read_write),
            (cluster.as_str(), 16, read_write | PERM_INHERIT),
            (broker.as_str(), 1, read_write | PERM_INHERIT),
            ("OFFSET_MOVED_EVENT", 1, read_write),
        ];
        if auto_create {
            presets.push((AUTO_CREATE_TOPIC, template_queues, read_write | PERM_INHERIT));
        }
        for (topic, queues, perm) in presets {
            table.topic_config_table.insert(topic.into(), config(topic.into(), queues, perm));
        }
        let loaded = config_file::load(disk, FILE, &mut |json| {
            let Some(bean) = Bean::root(json)? else { return Ok(()) };
            let version = read_version(&bean, now)?;
            // In this order: a file whose version is null is passed over, and its topics stay.
            table.topic_config_table.extend(read_topics(&bean)?);
            table.data_version = version.ok_or_else(|| bean.refused("dataVersion", "a version"))?;
            Ok(())
        })?;
        Ok((Topics { table, auto_create, is_dirty: false }, loaded))
    }

    /// The config of a topic.
    pub fn get(&self, topic: &str) -> Option<&TopicConfig> {
        self.table.topic_config_table.get(topic)
    }

    /// The whole table, as it is registered.
    pub fn table(&self) -> &TopicConfigTable {
        &self.table
    }

    /// Takes over the table of a master; whether it is of another version. Source: `SlaveSynchronize.syncTopicConfig`.
    pub fn replace(&mut self, masters: TopicConfigTable) -> bool {
        let is_other = self.table.data_version != masters.data_version;
        if is_other {
            self.table.data_version = masters.data_version;
            self.table.topic_config_table = masters.topic_config_table;
        }
        is_other
    }

    /// Creates or replaces a topic: a new version.
    pub fn put(&mut self, config: TopicConfig, now: Millis) {
        self.table.topic_config_table.insert(config.topic_name.clone(), config);
        self.table.data_version = self.table.data_version.next(now.0);
        self.is_dirty = true;
    }

    /// The table counts as changed.
    pub fn next_version(&mut self, now: Millis) {
        self.table.data_version = self.table.data_version.next(now.0);
    }

    /// Removes a topic: a new version. Whether it was there. Source: `TopicConfigManager.deleteTopicConfig`.
    pub fn remove(&mut self, topic: &str, now: Millis) -> bool {
        let is_known = self.table.topic_config_table.remove(topic).is_some();
        if is_known {
            self.table.data_version = self.table.data_version.next(now.0);
            self.is_dirty = true;
        }
        is_known
    }

    /// Marks the topics that `orders` names as ordered, and all others as not: a new version if that is news. What changed.
    ///
    /// Source: `TopicConfigManager.updateOrderTopicConfig`.
    pub fn order(&mut self, orders: &KvTable, now: Millis) -> Vec<(Topic, bool)> {
        let mut changed = Vec::new();
        for (topic, config) in &mut self.table.topic_config_table {
            let is_ordered = orders.0.contains_key(topic);
            if std::mem::replace(&mut config.order, is_ordered) != is_ordered {
                changed.push((topic.clone(), is_ordered));
            }
        }
        if !changed.is_empty() {
            self.table.data_version = self.table.data_version.next(now.0);
            self.is_dirty = true;
        }
        changed
    }

    /// A new topic after the template that a producer names; `None` if there is no such template or it may not be one.
    ///
    /// Source: `TopicConfigManager.createTopicInSendMessageMethod`.
    pub fn after_template(&mut self, topic: &Topic, template: &str, client_queues: i32) -> Option<TopicConfig> {
        let found = self.table.topic_config_table.get_mut(template)?;
        if template == AUTO_CREATE_TOPIC && !self.auto_create {
            found.perm = PERM_READ | PERM_WRITE;
        }
        if found.perm & PERM_INHERIT == 0 {
            return None;
        }
        let queues = client_queues.min(found.write_queue_nums).max(0);
        let mut created = config(topic.clone(), queues, found.perm & !PERM_INHERIT);
        created.topic_filter_type = found.topic_filter_type.clone();
        Some(created)
    }

    /// The text of `topics.json`.
    pub fn text(&self) -> String {
        self.json().pretty()
    }

    /// The table as JSON. A name that the file did not give is null, and left out again.
    pub fn json(&self) -> Json {
        let mut topics = JavaMap::concurrent(TABLE_CAPACITY);
        for (topic, config) in &self.table.topic_config_table {
            let mut fields = config.to_json().pairs().to_vec();
            fields.retain(|(_, value)| value.as_str() != Some(""));
            topics.put(topic.clone().into(), Json::Object(fields));
        }
        let topics = topics.iter().map(|(topic, config)| (Json::Text(topic.to_string()), config.clone())).collect();
        Json::Object(vec![
            (Json::Text("dataVersion".to_owned()), self.table.data_version.to_json()),
            (Json::Text("topicConfigTable".to_owned()), Json::Object(topics)),
        ])
    }
}

/// The version that a file gives; `None` for null and for a counter of null.
fn read_version(bean: &Bean<'_>, now: Millis) -> Result<Option<DataVersion>, CastError> {
    let absent = DataVersion { timestamp: now.0, counter: 0 };
    match bean.bean("dataVersion")? {
        None => Ok((!bean.has("dataVersion")).then_some(absent)),
        Some(version) => {
            let timestamp = version.long("timestamp", absent.timestamp)?;
            let counter = if version.has("counter") { version.object_long("counter")? } else { Some(absent.counter) };
            Ok(counter.map(|counter| DataVersion { timestamp, counter }))
        }
    }
}

fn read_topics(bean: &Bean<'_>) -> Result<Vec<(Topic, TopicConfig)>, CastError> {
    let topics = match bean.table("topicConfigTable")? {
        Some(table) => table.beans()?,
        None if bean.has("topicConfigTable") => return Err(bean.refused("topicConfigTable", "an object")),
        None => Vec::new(),
    };
    topics.iter().map(|(topic, bean)| Ok((topic.clone(), read_config(bean)?))).collect()
}

fn read_config(bean: &Bean<'_>) -> Result<TopicConfig, CastError> {
    let absent = config(Topic::default(), QUEUES_ABSENT, PERM_READ | PERM_WRITE);
    let filter_type = match bean.has("topicFilterType") {
        true => bean.constant("topicFilterType", &["SINGLE_TAG", "MULTI_TAG"])?.unwrap_or_default().into(),
        false => absent.topic_filter_type,
    };
    Ok(TopicConfig {
        topic_name: bean.text("topicName").unwrap_or_default(),
        read_queue_nums: bean.int("readQueueNums", absent.read_queue_nums)?,
        write_queue_nums: bean.int("writeQueueNums", absent.write_queue_nums)?,
        perm: bean.int("perm", absent.perm)?,
        topic_filter_type: filter_type,
        topic_sys_flag: bean.int("topicSysFlag", absent.topic_sys_flag)?,
        order: bean.flag("order", absent.order)?,
    })
}

/// A topic with as many queues to read as to write.
pub fn config(topic: Topic, queues: i32, perm: i32) -> TopicConfig {
    TopicConfig {
        topic_name: topic,
        read_queue_nums: queues,
        write_queue_nums: queues,
        perm,
        topic_filter_type: "SINGLE_TAG".into(),
        topic_sys_flag: 0,
        order: false,
    }
}

/// Source: `TopicConfig.defaultReadQueueNums`.
const QUEUES_ABSENT: i32 = 16;
/// Source: `TopicConfigManager.topicConfigTable`.
const TABLE_CAPACITY: u32 = 1_024;
/// Source: `BrokerPathConfigHelper.getTopicConfigPath`.
pub const FILE: &str = "config/topics.json";
