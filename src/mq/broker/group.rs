//! The subscription groups of a broker: may they consume, how often is a message tried again.
//!
//! A group that nobody knows comes into being when a consumer names it, unless that is switched off.
//! Source: `SubscriptionGroupManager`.

use std::collections::BTreeMap;

use crate::mq::disk::Disk;
use crate::mq::fastjson::Json;
use crate::mq::fastjson::cast::{Bean, CastError};
use crate::mq::message::java::JavaMap;
use crate::mq::message::{Group, Name};
use crate::mq::store::config_file::{self, ConfigError, Loaded, Unreadable};
use crate::mq::time::Millis;
use crate::mq::wire::body::group::GroupConfig;
use crate::mq::wire::body::{DataVersion, JsonBody};

/// Reads a request's body; `None` for a body of `null`.
pub fn from_body(body: &[u8]) -> Result<Option<GroupConfig>, Unreadable> {
    let json = Json::parse(body)?;
    Ok(Bean::root(&json)?.map(|bean| read(&bean)).transpose()?)
}

fn read(bean: &Bean<'_>) -> Result<GroupConfig, CastError> {
    let absent = GroupConfig::new(Name::default());
    Ok(GroupConfig {
        group_name: bean.text("groupName").unwrap_or_default(),
        consume_enable: bean.flag("consumeEnable", absent.consume_enable)?,
        consume_from_min_enable: bean.flag("consumeFromMinEnable", absent.consume_from_min_enable)?,
        consume_broadcast_enable: bean.flag("consumeBroadcastEnable", absent.consume_broadcast_enable)?,
        retry_queue_nums: bean.int("retryQueueNums", absent.retry_queue_nums)?,
        retry_max_times: bean.int("retryMaxTimes", absent.retry_max_times)?,
        broker_id: bean.long("brokerId", absent.broker_id)?,
        which_broker_when_consume_slowly: bean
            .long("whichBrokerWhenConsumeSlowly", absent.which_broker_when_consume_slowly)?,
        notify_consumer_ids_changed_enable: bean
            .flag("notifyConsumerIdsChangedEnable", absent.notify_consumer_ids_changed_enable)?,
    })
}

/// All groups with their age.
#[derive(Clone, Debug)]
pub struct Groups {
    table: BTreeMap<Group, GroupConfig>,
    data_version: DataVersion,
    auto_create: bool,
}

impl Groups {
    /// The presets, then what `subscriptionGroup.json` says over them.
    ///
    /// The file's version is not taken over: its class has no setter for it, so it begins anew at every boot.
    pub fn load(disk: &mut dyn Disk, auto_create: bool, now: Millis) -> Result<(Groups, Loaded), ConfigError> {
        let table = PRESETS.into_iter().map(|name| (Group::from(name), GroupConfig::new(name.into()))).collect();
        let mut groups = Groups { table, data_version: DataVersion { timestamp: now.0, counter: 0 }, auto_create };
        let loaded = config_file::load(disk, FILE, &mut |json| {
            let Some(bean) = Bean::root(json)? else { return Ok(()) };
            let beans = match bean.table("subscriptionGroupTable")? {
                None if bean.has("subscriptionGroupTable") => {
                    return Err(bean.refused("subscriptionGroupTable", "an object"));
                }
                table => table.map(|table| table.beans()).transpose()?,
            };
            let one = |(name, bean): &(Name, Bean<'_>)| Ok((name.clone(), read(bean)?));
            let read: Vec<(Group, GroupConfig)> = beans.iter().flatten().map(one).collect::<Result<_, CastError>>()?;
            groups.table.extend(read);
            Ok(())
        })?;
        Ok((groups, loaded))
    }

    /// A group's settings, if it is known.
    pub fn get(&self, group: &str) -> Option<&GroupConfig> {
        self.table.get(group)
    }

    /// Every group, in the order of upstream's table.
    pub fn names(&self) -> Vec<Group> {
        let mut groups = JavaMap::concurrent(TABLE_CAPACITY);
        for name in self.table.keys() {
            groups.put(name.clone().into(), ());
        }
        groups.iter().map(|(name, ())| name.clone()).collect()
    }

    /// Makes a group that is not known, if groups may be made so; whether it did.
    ///
    /// Source: `SubscriptionGroupManager.findSubscriptionGroupConfig`, `MixAll.isSysConsumerGroup`.
    pub fn create(&mut self, group: &Group, now: Millis) -> bool {
        let may = self.auto_create || group.starts_with(SYSTEM_PREFIX);
        if !may || self.table.contains_key(group) {
            return false;
        }
        self.table.insert(group.clone(), GroupConfig::new(group.clone()));
        self.data_version = self.data_version.next(now.0);
        true
    }

    /// Makes or changes a group: a new version. Whether it was there before.
    ///
    /// Source: `SubscriptionGroupManager.updateSubscriptionGroupConfig`.
    pub fn put(&mut self, config: GroupConfig, now: Millis) -> bool {
        self.data_version = self.data_version.next(now.0);
        self.table.insert(config.group_name.clone(), config).is_some()
    }

    /// Removes a group: a new version. Whether it was there.
    ///
    /// Source: `SubscriptionGroupManager.deleteSubscriptionGroupConfig`.
    pub fn remove(&mut self, group: &str, now: Millis) -> bool {
        let is_known = self.table.remove(group).is_some();
        if is_known {
            self.data_version = self.data_version.next(now.0);
        }
        is_known
    }

    /// Takes over the table of a master; whether it is of another version.
    ///
    /// Source: `SlaveSynchronize.syncSubscriptionGroupConfig`.
    pub fn replace(&mut self, masters: &[u8]) -> Result<bool, Unreadable> {
        let json = Json::parse(masters)?;
        let version = json.get("dataVersion").map(DataVersion::from_json).unwrap_or_default();
        let mut table = BTreeMap::new();
        if let Some(groups) = Bean::root(&json)?.map(|bean| bean.table("subscriptionGroupTable")).transpose()?.flatten()
        {
            for (name, bean) in groups.beans()? {
                table.insert(name, read(&bean)?);
            }
        }
        let is_other = self.data_version != version;
        if is_other {
            self.data_version = version;
            self.table = table;
        }
        Ok(is_other)
    }

    /// The text of `subscriptionGroup.json`.
    pub fn text(&self) -> String {
        self.json().pretty()
    }

    /// The table as JSON.
    pub fn json(&self) -> Json {
        let mut groups = JavaMap::concurrent(TABLE_CAPACITY);
        for (name, config) in &self.table {
            groups.put(name.clone().into(), config.to_json());
        }
        let groups = groups.iter().map(|(name, config)| (Json::Text(name.to_string()), config.clone())).collect();
        Json::Object(vec![
            (Json::Text("dataVersion".to_owned()), self.data_version.to_json()),
            (Json::Text("subscriptionGroupTable".to_owned()), Json::Object(groups)),
        ])
    }
}

/// Groups that are always there. Source: `SubscriptionGroupManager.init`.
const PRESETS: [&str; 7] = [
    "TOOLS_CONSUMER",
    "FILTERSRV_CONSUMER",
    "SELF_TEST_C_GROUP",
    "CID_ONS-HTTP-PROXY",
    "CID_ONSAPI_PULL",
    "CID_ONSAPI_PERMISSION",
    "CID_ONSAPI_OWNER",
];
/// Source: `MixAll.CID_RMQ_SYS_PREFIX`.
const SYSTEM_PREFIX: &str = "CID_RMQ_SYS_";
/// Source: `SubscriptionGroupManager.subscriptionGroupTable`.
const TABLE_CAPACITY: u32 = 1_024;
/// Source: `BrokerPathConfigHelper.getSubscriptionGroupPath`.
pub const FILE: &str = "config/subscriptionGroup.json";
