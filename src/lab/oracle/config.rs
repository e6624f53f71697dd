//! The config files: what a broker knows besides its messages.
//!
//! A broker writes each as `<name>.json.tmp`, copies the old one to `<name>.json.bak` and moves the new one into place; where
//! the file is missing, empty or damaged it reads the one before.

use std::collections::BTreeMap;

use crate::lab::oracle::Files;
use crate::lab::oracle::json::{Json, JsonFlaw};

/// One file, as a start would find it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigFile {
    /// Its path.
    pub path: String,
    /// What it holds; `None` if there is no file.
    pub found: Option<Result<Json, JsonFlaw>>,
    /// What the one before holds; `None` if there is no such file.
    pub before: Option<Result<Json, JsonFlaw>>,
}

impl ConfigFile {
    /// Reads one of [`NAMES`].
    pub fn read(files: &dyn Files, name: &str) -> ConfigFile {
        let path = format!("config/{name}.json");
        let lengths: BTreeMap<String, u64> = files.list().into_iter().collect();
        let parse = |path: &str| {
            let len = lengths.get(path)?;
            let len = usize::try_from(*len).unwrap_or(usize::MAX).min(FILE_MAX);
            // An empty file counts as none.
            (0 < len).then(|| Json::parse(&files.read(path, 0, len)))
        };
        ConfigFile { found: parse(&path), before: parse(&format!("{path}.bak")), path }
    }

    /// What a start takes: the file, or the one before.
    pub fn taken(&self) -> Option<&Json> {
        let whole = |file: &'_ Option<Result<Json, JsonFlaw>>| matches!(file, Some(Ok(_)));
        let file = if whole(&self.found) { &self.found } else { &self.before };
        file.as_ref().and_then(|file| file.as_ref().ok())
    }
}

/// What the config files say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// Topics with read queues, write queues and permissions.
    pub topics: BTreeMap<String, Topic>,
    /// The next offset of each group, topic and queue.
    pub consumed: BTreeMap<(String, String, i32), i64>,
    /// The next offset of each delay level.
    pub delayed: BTreeMap<i32, i64>,
    /// Groups that are configured.
    pub groups: Vec<String>,
    /// Topic, group and expression of each filter.
    pub filters: Vec<(String, String, String)>,
}

/// A topic as configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Topic {
    /// `readQueueNums`.
    pub read_queues: i64,
    /// `writeQueueNums`.
    pub write_queues: i64,
    /// `perm`: 4 reads, 2 writes.
    pub permission: i64,
}

impl Config {
    /// Reads all of them.
    pub fn read(files: &dyn Files) -> Config {
        let mut config = Config::default();
        for name in NAMES {
            let file = ConfigFile::read(files, name);
            let Some(json) = file.taken() else { continue };
            match *name {
                "topics" => config.topics = topics(json),
                "consumerOffset" => config.consumed = consumed(json),
                "delayOffset" => config.delayed = delayed(json),
                "subscriptionGroup" => config.groups = names(json, "subscriptionGroupTable"),
                _ => config.filters = filters(json),
            }
        }
        config
    }
}

fn topics(json: &Json) -> BTreeMap<String, Topic> {
    let number = |topic: &Json, name: &str| topic.get(name).and_then(Json::int).unwrap_or(0);
    let topic = |(name, json): &(String, Json)| {
        let topic = Topic {
            read_queues: number(json, "readQueueNums"),
            write_queues: number(json, "writeQueueNums"),
            permission: number(json, "perm"),
        };
        (name.clone(), topic)
    };
    members(json, "topicConfigTable").iter().map(topic).collect()
}

fn consumed(json: &Json) -> BTreeMap<(String, String, i32), i64> {
    let mut consumed = BTreeMap::new();
    for (name, queues) in members(json, "offsetTable") {
        let (topic, group) = name.split_once('@').unwrap_or((name, ""));
        for (queue, offset) in numbers(queues) {
            consumed.insert((group.to_owned(), topic.to_owned(), queue), offset);
        }
    }
    consumed
}

fn delayed(json: &Json) -> BTreeMap<i32, i64> {
    json.get("offsetTable").map(|table| numbers(table).collect()).unwrap_or_default()
}

fn filters(json: &Json) -> Vec<(String, String, String)> {
    let mut filters = Vec::new();
    for (topic, data) in members(json, "filterDataByTopic") {
        for (group, filter) in members(data, "groupFilterData") {
            let expression = filter.get("expression").and_then(Json::text).unwrap_or_default();
            filters.push((topic.clone(), group.clone(), expression.to_owned()));
        }
    }
    filters
}

fn names(json: &Json, member: &str) -> Vec<String> {
    members(json, member).iter().map(|(name, _)| name.clone()).collect()
}

fn members<'a>(json: &'a Json, name: &str) -> &'a [(String, Json)] {
    json.get(name).map_or(&[], Json::members)
}

fn numbers(json: &Json) -> impl Iterator<Item = (i32, i64)> + '_ {
    json.members().iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.int()?)))
}

/// The names of the files.
pub const NAMES: &[&str] = &["topics", "consumerOffset", "delayOffset", "subscriptionGroup", "consumerFilter"];
/// No config file that is longer is read to its end: it would not be one.
const FILE_MAX: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;

    fn folder(files: &[(&str, &str)]) -> Folder {
        Folder(files.iter().map(|(name, text)| (format!("config/{name}"), text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn files_are_read_as_a_broker_writes_them() {
        let config = Config::read(&folder(&[
            (
                "topics.json",
                "{\n\t\"dataVersion\":{\n\t\t\"counter\":2,\n\t\t\"timestamp\":1\n\t},\n\t\"topicConfigTable\":{\n\t\t\
             \"orders\":{\n\t\t\t\"order\":false,\n\t\t\t\"perm\":6,\n\t\t\t\"readQueueNums\":4,\n\t\t\t\"writeQueueNums\":8\n\t\t}\n\t}\n}",
            ),
            ("consumerOffset.json", "{\n\t\"offsetTable\":{\n\t\t\"orders@billing\":{0:3,1:4\n\t\t}\n\t}\n}"),
            ("delayOffset.json", "{\n\t\"offsetTable\":{3:17\n\t}\n}"),
            ("subscriptionGroup.json", "{\"subscriptionGroupTable\":{\"billing\":{\"groupName\":\"billing\"}}}"),
            (
                "consumerFilter.json",
                "{\"filterDataByTopic\":{\"orders\":{\"groupFilterData\":{\"billing\":{\"expression\":\"a > 1\"}}}}}",
            ),
        ]));
        assert_eq!(config.topics["orders"], Topic { read_queues: 4, write_queues: 8, permission: 6 });
        assert_eq!(config.consumed[&("billing".to_owned(), "orders".to_owned(), 1)], 4);
        assert_eq!((config.delayed[&3], config.groups), (17, vec!["billing".to_owned()]));
        assert_eq!(config.filters, [("orders".to_owned(), "billing".to_owned(), "a > 1".to_owned())]);
    }

    #[test]
    fn a_damaged_or_empty_file_gives_way_to_the_one_before() {
        for broken in ["", "{\"offsetTable\":{3:1"] {
            let files = folder(&[("delayOffset.json", broken), ("delayOffset.json.bak", "{\"offsetTable\":{3:9}}")]);
            assert_eq!(Config::read(&files).delayed[&3], 9, "{broken}");
            let file = ConfigFile::read(&files, "delayOffset");
            assert_eq!(file.found.is_some(), !broken.is_empty());
        }
        assert_eq!(Config::read(&Folder::default()), Config::default());
    }
}
