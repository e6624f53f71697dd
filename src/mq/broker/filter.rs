//! Expressions that consumer groups filter by, other than tags.
//!
//! A group's filter outlives the group by a day, so that a consumer which comes back finds what was worked out for it.
//! Source: `ConsumerFilterManager`, `ConsumerFilterData`. Differs: filters are kept and aged here; they are compiled, and
//! registered by heartbeats, once the broker understands SQL92.

use std::collections::BTreeMap;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{Bean, CastError};
use crate::mq::message::java::JavaMap;
use crate::mq::message::{Group, Name, Topic};
use crate::mq::store::config_file::{self, ConfigError, Loaded};
use crate::mq::time::Millis;

/// A group's filter on a topic. Source: `ConsumerFilterData`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterData {
    /// The expression; `None` where the file says null.
    pub expression: Option<Name>,
    /// Its language.
    pub expression_type: Option<Name>,
    /// The topic.
    pub topic: Option<Topic>,
    /// The group.
    pub consumer_group: Option<Group>,
    /// When it was registered, ms.
    pub born_time: i64,
    /// When nobody used it any more, ms; before the birth while it is in use.
    pub dead_time: i64,
    /// The version of the subscription that brought it.
    pub client_version: i64,
    /// Its bits in a queue unit's map, and how many bits such a map has.
    pub bloom: (Vec<i32>, i32),
}

impl FilterData {
    /// Whether nobody uses it. Source: `ConsumerFilterData.isDead`.
    pub fn is_dead(&self) -> bool {
        self.born_time <= self.dead_time
    }

    fn to_json(&self) -> Json {
        let (positions, bits) = &self.bloom;
        let positions = positions.iter().map(|bit| Json::Int((*bit).into())).collect();
        let mut fields = vec![
            (
                key("bloomFilterData"),
                pairs([("bitNum", Json::Int((*bits).into())), ("bitPos", Json::Array(positions))]),
            ),
            (key("bornTime"), Json::Int(self.born_time)),
            (key("clientVersion"), Json::Int(self.client_version)),
        ];
        let text = |name: &str, value: &Option<Name>| value.as_ref().map(|value| (key(name), key(value)));
        fields.extend(text("consumerGroup", &self.consumer_group));
        fields.push((key("dead"), Json::Bool(self.is_dead())));
        fields.push((key("deadTime"), Json::Int(self.dead_time)));
        fields.extend(text("expression", &self.expression));
        fields.extend(text("expressionType", &self.expression_type));
        fields.extend(text("topic", &self.topic));
        Json::Object(fields)
    }

    /// A filter, and whether its bits are those of this broker's maps. Source: `BloomFilter.isValid`.
    fn read(bean: &Bean<'_>) -> Result<(FilterData, bool), CastError> {
        let bloom = match bean.bean("bloomFilterData")? {
            Some(bloom) => (bloom.ints("bitPos")?.unwrap_or_default(), bloom.int("bitNum", 0)?),
            None => (Vec::new(), 0),
        };
        let data = FilterData {
            expression: bean.text("expression"),
            expression_type: bean.text("expressionType"),
            topic: bean.text("topic"),
            consumer_group: bean.text("consumerGroup"),
            born_time: bean.long("bornTime", 0)?,
            dead_time: bean.long("deadTime", 0)?,
            client_version: bean.long("clientVersion", 0)?,
            bloom,
        };
        let fits = data.bloom.0.len() == BLOOM_POSITIONS && data.bloom.1 == BLOOM_BITS;
        Ok((data, fits))
    }
}

/// All filters, by topic and group.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    table: BTreeMap<Topic, BTreeMap<Group, FilterData>>,
    /// Whether something changed since it was written.
    pub is_dirty: bool,
}

impl Filters {
    /// What `consumerFilter.json` says, if its bits still fit; who was alive is taken for dead since half a minute.
    pub fn load(disk: &mut dyn Disk, now: Millis) -> Result<(Filters, Loaded), ConfigError> {
        let mut filters = Filters::default();
        let loaded = config_file::load(disk, FILE, &mut |json| {
            let Some(bean) = Bean::root(json)? else { return Ok(()) };
            let Some(topics) = bean.table("filterDataByTopic")? else { return Ok(()) };
            let mut table: BTreeMap<Topic, BTreeMap<Group, FilterData>> = BTreeMap::new();
            let mut fits = true;
            for (topic, bean) in topics.beans()? {
                let groups = table.entry(topic).or_default();
                let beans = match bean.table("groupFilterData")? {
                    Some(beans) => beans,
                    None if bean.has("groupFilterData") => return Err(bean.refused("groupFilterData", "an object")),
                    None => continue,
                };
                for (group, bean) in beans.beans()? {
                    let (mut data, has_our_bits) = FilterData::read(&bean)?;
                    fits &= has_our_bits;
                    if data.dead_time == 0 {
                        data.dead_time = data.born_time.max(now.0 - DEAD_BEFORE_LOAD_MS);
                    }
                    groups.insert(group, data);
                }
            }
            if fits {
                filters.is_dirty = !table.is_empty();
                filters.table = table;
            }
            Ok(())
        })?;
        Ok((filters, loaded))
    }

    /// A group's filter on a topic.
    pub fn get(&self, topic: &str, group: &str) -> Option<&FilterData> {
        self.table.get(topic)?.get(group)
    }

    /// When the first of the dead has been dead for too long; `None` while nobody is.
    pub fn next_cleaning(&self) -> Option<Millis> {
        let all = self.table.values().flat_map(BTreeMap::values);
        all.filter(|data| data.is_dead()).map(|data| Millis(data.dead_time.saturating_add(CLEAN_TIME_SPAN_MS))).min()
    }

    /// The text of `consumerFilter.json`, without those who are dead for too long, who go. Source: `encode`, `clean`.
    ///
    /// Differs: topics and groups stand as in tables that were never loaded.
    pub fn text(&mut self, now: Millis) -> String {
        for groups in self.table.values_mut() {
            groups.retain(|_, data| !data.is_dead() || now.0.saturating_sub(data.dead_time) < CLEAN_TIME_SPAN_MS);
        }
        self.table.retain(|_, groups| !groups.is_empty());
        let mut topics = JavaMap::concurrent(TABLE_CAPACITY);
        for (topic, groups) in &self.table {
            let mut data: JavaMap<Json> = JavaMap::default();
            groups.iter().for_each(|(group, filter)| drop(data.put(group.clone().into(), filter.to_json())));
            let data = pairs([("groupFilterData", object(&data)), ("topic", key(topic))]);
            topics.put(topic.clone().into(), data);
        }
        pairs([("filterDataByTopic", object(&topics))]).pretty()
    }
}

fn key(name: &str) -> Json {
    Json::Text(name.to_owned())
}

fn pairs<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    Json::Object(pairs.into_iter().map(|(name, value)| (key(name), value)).collect())
}

fn object(map: &JavaMap<Json>) -> Json {
    Json::Object(map.iter().map(|(name, value)| (key(name), value.clone())).collect())
}

/// Source: `ConsumerFilterManager.filterDataByTopic`.
const TABLE_CAPACITY: u32 = 256;
/// Source: `BloomFilter.createByFn(20, 32)`: `maxErrorRateOfBloomFilter`, `expectConsumerNumUseFilter`.
const BLOOM_POSITIONS: usize = 3;
/// Source: `BloomFilter.createByFn(20, 32)`.
const BLOOM_BITS: i32 = 112;
/// Source: `ConsumerFilterManager.decode`.
const DEAD_BEFORE_LOAD_MS: i64 = 30_000;
/// Source: `BrokerConfig.filterDataCleanTimeSpan`.
const CLEAN_TIME_SPAN_MS: i64 = 24 * 3_600 * 1_000;
/// Source: `BrokerPathConfigHelper.getConsumerFilterPath`.
pub const FILE: &str = "config/consumerFilter.json";
