//! The topics of a broker.
//!
//! Source: `TopicConfigManager`.

use std::collections::BTreeMap;

use crate::mq::disk::{Disk, DiskError};
use crate::mq::message::{Name, Topic};
use crate::mq::time::Millis;
use crate::mq::wire::body::{DataVersion, JsonBody, TopicConfig, TopicConfigTable};

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
}

impl Topics {
    /// The presets of a broker, then what `topics.json` says over them.
    pub fn load(disk: &mut dyn Disk, cluster: &Name, broker: &Name, auto_create: bool, now: Millis) -> Topics {
        let mut table = TopicConfigTable {
            data_version: DataVersion { timestamp: now.0, counter: 0 },
            topic_config_table: BTreeMap::new(),
            buckets: BUCKETS,
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
            presets.push((AUTO_CREATE_TOPIC, 8, read_write | PERM_INHERIT));
        }
        for (topic, queues, perm) in presets {
            table.topic_config_table.insert(topic.into(), config(topic.into(), queues, perm));
        }
        if let Some(saved) = read_config::<TopicConfigTable>(disk, FILE) {
            table.data_version = saved.data_version;
            table.topic_config_table.extend(saved.topic_config_table);
        }
        Topics { table, auto_create }
    }

    /// The config of a topic.
    pub fn get(&self, topic: &str) -> Option<&TopicConfig> {
        self.table.topic_config_table.get(topic)
    }

    /// The whole table, as it is registered.
    pub fn table(&self) -> &TopicConfigTable {
        &self.table
    }

    /// Creates or replaces a topic: a new version.
    pub fn put(&mut self, config: TopicConfig, now: Millis) {
        self.table.topic_config_table.insert(config.topic_name.clone(), config);
        self.table.data_version.timestamp = now.0;
        self.table.data_version.counter += 1;
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

    /// Writes `topics.json`.
    pub fn persist(&self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        write_config(disk, FILE, &self.table)
    }
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

/// Reads a config file, or its `.bak` if it is missing, empty or broken. Source: `ConfigManager.load`.
pub fn read_config<T: JsonBody>(disk: &mut dyn Disk, file: &str) -> Option<T> {
    let read = |disk: &mut dyn Disk, file: &str| {
        let bytes = disk.get(file).ok().filter(|bytes| !bytes.is_empty())?;
        T::decode(&bytes).ok()
    };
    read(disk, file).or_else(|| read(disk, &format!("{file}.bak")))
}

/// The recipe of small files: `.tmp`, copy the old to `.bak`, delete, rename. Source: `MixAll.string2File`.
pub fn write_config<T: JsonBody>(disk: &mut dyn Disk, file: &str, body: &T) -> Result<(), DiskError> {
    let (tmp, bak) = (format!("{file}.tmp"), format!("{file}.bak"));
    disk.put(&tmp, &body.encode_pretty())?;
    if let Ok(old) = disk.get(file) {
        disk.put(&bak, &old)?;
        disk.remove(file)?;
    }
    disk.rename(&tmp, file)
}

/// Source: `BrokerPathConfigHelper.getTopicConfigPath`.
const FILE: &str = "config/topics.json";
/// Buckets of `new ConcurrentHashMap<>(1024)`, which holds upstream's table.
const BUCKETS: u32 = 2_048;
