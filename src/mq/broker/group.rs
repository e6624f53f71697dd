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
use crate::mq::wire::body::{DataVersion, JsonBody};

/// A group's settings. Source: `SubscriptionGroupConfig`, whose defaults [`GroupConfig::new`] gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `groupName`.
    pub group_name: Group,
    /// `consumeEnable`: pulls are answered.
    pub consume_enable: bool,
    /// `consumeFromMinEnable`; read by nothing.
    pub consume_from_min_enable: bool,
    /// `consumeBroadcastEnable`.
    pub consume_broadcast_enable: bool,
    /// `retryQueueNums`.
    pub retry_queue_nums: i32,
    /// `retryMaxTimes`.
    pub retry_max_times: i32,
    /// `brokerId`: whom to pull from.
    pub broker_id: i64,
    /// `whichBrokerWhenConsumeSlowly`.
    pub which_broker_when_consume_slowly: i64,
    /// `notifyConsumerIdsChangedEnable`.
    pub notify_consumer_ids_changed_enable: bool,
}

impl GroupConfig {
    /// The defaults of 4.3.2.
    pub fn new(group_name: Group) -> GroupConfig {
        GroupConfig {
            group_name,
            consume_enable: true,
            consume_from_min_enable: true,
            consume_broadcast_enable: true,
            retry_queue_nums: 1,
            retry_max_times: 16,
            broker_id: 0,
            which_broker_when_consume_slowly: 1,
            notify_consumer_ids_changed_enable: true,
        }
    }

    fn to_json(&self) -> Json {
        let text = |text: &str| Json::Text(text.to_owned());
        Json::Object(vec![
            (text("brokerId"), Json::Int(self.broker_id)),
            (text("consumeBroadcastEnable"), Json::Bool(self.consume_broadcast_enable)),
            (text("consumeEnable"), Json::Bool(self.consume_enable)),
            (text("consumeFromMinEnable"), Json::Bool(self.consume_from_min_enable)),
            (text("groupName"), text(&self.group_name)),
            (text("notifyConsumerIdsChangedEnable"), Json::Bool(self.notify_consumer_ids_changed_enable)),
            (text("retryMaxTimes"), Json::Int(self.retry_max_times.into())),
            (text("retryQueueNums"), Json::Int(self.retry_queue_nums.into())),
            (text("whichBrokerWhenConsumeSlowly"), Json::Int(self.which_broker_when_consume_slowly)),
        ])
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
            let one = |(name, bean): &(Name, Bean<'_>)| Ok((name.clone(), GroupConfig::read(bean)?));
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
                table.insert(name, GroupConfig::read(&bean)?);
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
