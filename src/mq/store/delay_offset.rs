//! How far each delay level has been delivered: the file `delayOffset.json`.
//!
//! Source: `ScheduleMessageService.encode`, `decode`, `DelayOffsetSerializeWrapper`.

use std::collections::BTreeMap;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::Bean;
use crate::mq::message::java::concurrent_order;
use crate::mq::store::config_file::{self, ConfigError, Loaded};

/// The next entry of each level's queue. A level that the setting does not name is kept as well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DelayOffsets {
    /// By level, from 1.
    pub table: BTreeMap<i32, i64>,
}

impl DelayOffsets {
    /// What `delayOffset.json` says.
    pub fn load(disk: &mut dyn Disk) -> Result<(DelayOffsets, Loaded), ConfigError> {
        let mut offsets = DelayOffsets::default();
        let loaded = config_file::load(disk, FILE, &mut |json| {
            let Some(bean) = Bean::root(json)? else { return Ok(()) };
            match bean.table("offsetTable")? {
                Some(table) => offsets.table = table.numbers()?.into_iter().collect(),
                None if bean.has("offsetTable") => return Err(bean.refused("offsetTable", "an object")),
                None => {}
            }
            Ok(())
        })?;
        Ok((offsets, loaded))
    }

    /// The text of `delayOffset.json`.
    pub fn text(&self) -> String {
        self.json().pretty()
    }

    /// The table as JSON.
    pub fn json(&self) -> Json {
        let levels = concurrent_order(self.table.keys().copied().collect(), TABLE_CAPACITY);
        let pairs = levels.into_iter().map(|level| (Json::Int(level.into()), Json::Int(self.table[&level])));
        Json::Object(vec![(Json::Text("offsetTable".to_owned()), Json::Object(pairs.collect()))])
    }
}

/// Source: `ScheduleMessageService.offsetTable`.
const TABLE_CAPACITY: u32 = 32;
/// Source: `StorePathConfigHelper.getDelayOffsetStorePath`.
pub const FILE: &str = "config/delayOffset.json";
