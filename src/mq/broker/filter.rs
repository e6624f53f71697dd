//! Expressions that consumer groups filter by, other than tags.
//!
//! A group's filter outlives the group by a day, so that a consumer which comes back finds what was worked out for it.
//! A heartbeat brings an expression, which is compiled once; pulls ask what was compiled. What does not compile is not kept,
//! and a pull then hears that there is no filter.
//! Source: `ConsumerFilterManager`, `ConsumerFilterData`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{Bean, CastError};
use crate::mq::filter::error::SqlError;
use crate::mq::filter::sql::Sql;
use crate::mq::filter::{SQL92, bloom, is_tag_type};
use crate::mq::message::java::JavaMap;
use crate::mq::message::{Group, Name, Topic};
use crate::mq::store::config_file::{self, ConfigError, Loaded};
use crate::mq::time::Millis;
use crate::mq::wire::body::SubscriptionData;

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
    /// The expression compiled, if it could be.
    pub compiled: Option<Arc<Sql>>,
}

/// Why an expression was not compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompileError {
    /// Nobody speaks its language: upstream runs into a null.
    Language,
    /// What is wrong with it.
    Sql(SqlError),
}

/// What became of a filter in a heartbeat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// It is `new`, `changed`, `revived` or `dead`.
    Now(&'static str),
    /// It could not be compiled; an older one is gone.
    Refused(CompileError),
}

/// Compiles an expression. Source: `FilterFactory.get`, `FilterSpi.compile`.
pub fn compile(expression: &str, language: &str) -> Result<Sql, CompileError> {
    match language {
        SQL92 => Sql::compile(expression).map_err(CompileError::Sql),
        _ => Err(CompileError::Language),
    }
}

impl FilterData {
    /// A new filter; one that is made for a single pull has no bits. Source: `ConsumerFilterManager.build`, `BloomFilter.generate`.
    pub fn build(
        topic: &Topic,
        group: &Group,
        data: &SubscriptionData,
        now: Millis,
        shape: Option<bloom::Shape>,
    ) -> Result<FilterData, CompileError> {
        let compiled = compile(&data.sub_string, &data.expression_type)?;
        Ok(FilterData {
            expression: Some(data.sub_string.clone()),
            expression_type: Some(data.expression_type.clone()),
            topic: Some(topic.clone()),
            consumer_group: Some(group.clone()),
            born_time: now.0,
            dead_time: 0,
            client_version: data.sub_version,
            bloom: shape.map_or((Vec::new(), 0), |shape| (shape.positions(group, topic), shape.bits)),
            compiled: Some(Arc::new(compiled)),
        })
    }

    /// Whether its bits are those of maps of this shape. Source: `BloomFilter.isValid`.
    pub fn has_bits_of(&self, shape: bloom::Shape) -> bool {
        self.bloom.0.len() == shape.positions as usize && self.bloom.1 == shape.bits
    }

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

    fn read(bean: &Bean<'_>) -> Result<FilterData, CastError> {
        let bloom = match bean.bean("bloomFilterData")? {
            Some(bloom) => (bloom.ints("bitPos")?.unwrap_or_default(), bloom.int("bitNum", 0)?),
            None => (Vec::new(), 0),
        };
        let (expression, expression_type) = (bean.text("expression"), bean.text("expressionType"));
        let compiled = expression.as_ref().zip(expression_type.as_ref());
        let compiled = compiled.and_then(|(text, language)| compile(text, language).ok()).map(Arc::new);
        Ok(FilterData {
            expression,
            expression_type,
            compiled,
            topic: bean.text("topic"),
            consumer_group: bean.text("consumerGroup"),
            born_time: bean.long("bornTime", 0)?,
            dead_time: bean.long("deadTime", 0)?,
            client_version: bean.long("clientVersion", 0)?,
            bloom,
        })
    }
}

/// All filters, by topic and group.
#[derive(Clone, Debug)]
pub struct Filters {
    table: BTreeMap<Topic, BTreeMap<Group, Arc<FilterData>>>,
    /// Whether something changed since it was written.
    pub is_dirty: bool,
    /// How long the dead are kept, ms. Source: `BrokerConfig.filterDataCleanTimeSpan`.
    pub clean_time_span_ms: i64,
    /// The shape of bit maps. Source: `ConsumerFilterManager.bloomFilter`.
    pub shape: bloom::Shape,
}

impl Default for Filters {
    fn default() -> Filters {
        Filters {
            table: BTreeMap::new(),
            is_dirty: false,
            clean_time_span_ms: CLEAN_TIME_SPAN_MS,
            shape: bloom::Shape::default(),
        }
    }
}

impl Filters {
    /// What `consumerFilter.json` says, if its bits still fit; who was alive is taken for dead since half a minute.
    pub fn load(disk: &mut dyn Disk, shape: bloom::Shape, now: Millis) -> Result<(Filters, Loaded), ConfigError> {
        let mut filters = Filters { shape, ..Filters::default() };
        let loaded = config_file::load(disk, FILE, &mut |json| {
            let Some(bean) = Bean::root(json)? else { return Ok(()) };
            let Some(topics) = bean.table("filterDataByTopic")? else { return Ok(()) };
            let mut table: BTreeMap<Topic, BTreeMap<Group, Arc<FilterData>>> = BTreeMap::new();
            let mut fits = true;
            for (topic, bean) in topics.beans()? {
                let groups = table.entry(topic).or_default();
                let beans = match bean.table("groupFilterData")? {
                    Some(beans) => beans,
                    None if bean.has("groupFilterData") => return Err(bean.refused("groupFilterData", "an object")),
                    None => continue,
                };
                for (group, bean) in beans.beans()? {
                    let mut data = FilterData::read(&bean)?;
                    fits &= data.has_bits_of(shape);
                    if data.dead_time == 0 {
                        data.dead_time = data.born_time.max(now.0 - DEAD_BEFORE_LOAD_MS);
                    }
                    groups.insert(group, Arc::new(data));
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
    pub fn get(&self, topic: &str, group: &str) -> Option<&Arc<FilterData>> {
        self.table.get(topic)?.get(group)
    }

    /// A topic's filters by group.
    pub fn of_topic(&self, topic: &str) -> impl Iterator<Item = (&Group, &Arc<FilterData>)> {
        self.table.get(topic).into_iter().flatten()
    }

    /// All filters of a group, by topic.
    pub fn of_group(&self, group: &str) -> impl Iterator<Item = (&Topic, &Arc<FilterData>)> {
        self.table.iter().filter_map(move |(topic, groups)| Some((topic, groups.get(group)?)))
    }

    /// What a group's heartbeat says of its subscriptions; what happened to a filter, by topic.
    ///
    /// Source: `ConsumerFilterManager.register`.
    pub fn register(&mut self, group: &Group, all: &[SubscriptionData], now: Millis) -> Vec<(Topic, Change)> {
        let mut changes = Vec::new();
        for data in all {
            if !is_tag_type(Some(&data.expression_type)) && !data.sub_string.is_empty() {
                changes.extend(self.register_one(group, data, now).map(|change| (data.topic.clone(), change)));
            }
        }
        let is_named = |topic: &Topic| all.iter().any(|data| data.topic == *topic);
        changes.extend(self.die(group, now, |topic| !is_named(topic)));
        changes
    }

    /// A newer version counts; what it says is compiled only where it says something else.
    ///
    /// Source: `FilterDataMapByTopic.register`.
    fn register_one(&mut self, group: &Group, data: &SubscriptionData, now: Millis) -> Option<Change> {
        let groups = self.table.entry(data.topic.clone()).or_default();
        let shape = self.shape;
        let bits = (shape.positions(group, &data.topic), shape.bits);
        let (is_same, word) = match groups.get_mut(group) {
            None => (false, "new"),
            Some(known) if data.sub_version < known.client_version => return None,
            Some(known) if data.sub_version == known.client_version && !known.is_dead() => return None,
            Some(known) => {
                let is_same = known.expression.as_ref() == Some(&data.sub_string)
                    && known.expression_type.as_ref() == Some(&data.expression_type)
                    && known.bloom == bits;
                // The same version revives whatever it says.
                (is_same || data.sub_version == known.client_version, "changed")
            }
        };
        self.is_dirty = true;
        if is_same && let Some(known) = groups.get_mut(group) {
            let known = Arc::make_mut(known);
            let was_dead = known.is_dead();
            known.client_version = data.sub_version;
            if was_dead {
                known.dead_time = 0;
            }
            return was_dead.then_some(Change::Now("revived"));
        }
        match FilterData::build(&data.topic, group, data, now, Some(shape)) {
            Ok(built) => {
                groups.insert(group.clone(), Arc::new(built));
                Some(Change::Now(word))
            }
            Err(error) => {
                groups.remove(group);
                Some(Change::Refused(error))
            }
        }
    }

    /// A group is gone: its filters die. Source: `ConsumerFilterManager.unRegister`.
    pub fn unregister(&mut self, group: &Group, now: Millis) -> Vec<(Topic, Change)> {
        self.die(group, now, |_| true)
    }

    fn die(&mut self, group: &Group, now: Millis, which: impl Fn(&Topic) -> bool) -> Vec<(Topic, Change)> {
        let mut dead = Vec::new();
        for (topic, groups) in &mut self.table {
            if let Some(known) = groups.get_mut(group)
                && !known.is_dead()
                && which(topic)
            {
                Arc::make_mut(known).dead_time = now.0;
                dead.push((topic.clone(), Change::Now("dead")));
            }
        }
        self.is_dirty |= !dead.is_empty();
        dead
    }

    /// When the first of the dead has been dead for too long; `None` while nobody is.
    pub fn next_cleaning(&self) -> Option<Millis> {
        let all = self.table.values().flat_map(BTreeMap::values);
        all.filter(|data| data.is_dead())
            .map(|data| Millis(data.dead_time.saturating_add(self.clean_time_span_ms)))
            .min()
    }

    /// The text of `consumerFilter.json`, without those who are dead for too long, who go. Source: `encode`, `clean`.
    ///
    /// Differs: topics and groups stand as in tables that were never loaded.
    pub fn text(&mut self, now: Millis) -> String {
        let span = self.clean_time_span_ms;
        for groups in self.table.values_mut() {
            groups.retain(|_, data| !data.is_dead() || now.0.saturating_sub(data.dead_time) < span);
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
/// Source: `ConsumerFilterManager.decode`.
const DEAD_BEFORE_LOAD_MS: i64 = 30_000;
/// Source: `BrokerConfig.filterDataCleanTimeSpan`.
pub const CLEAN_TIME_SPAN_MS: i64 = 24 * 3_600 * 1_000;
/// Source: `BrokerPathConfigHelper.getConsumerFilterPath`.
pub const FILE: &str = "config/consumerFilter.json";
