//! The one thing that a nameserver keeps on its disk: values by namespace and key, which operators put there.
//!
//! ```text
//!  namesrv/kvConfig.json        written whole at every put and delete, never forced
//!                     .bak      the text before; written, and read by nobody
//! ```
//!
//! Nameservers do not talk to each other: a value is on those that an operator reached. Of the namespaces one means
//! something to the nameserver itself, [`ORDER_TOPIC_CONFIG`]: `broker-a:4;broker-b:4` under a topic's name.
//! Source: `KVConfigManager`, `MixAll.string2File`; `user.home` is the root of the machine's disk.

use crate::mq::disk::{Disk, DiskError, replace};
use crate::mq::fastjson::Json;
use crate::mq::message::Name;
use crate::mq::message::java::{self, JavaMap};
use crate::mq::wire::body::KvTable;

/// Where the order configurations of topics are. Source: `NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG`.
pub const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";

/// Namespaces, each with its keys.
#[derive(Clone, Debug, Default)]
pub struct KvConfig {
    table: JavaMap<JavaMap<Name>>,
}

/// The file is there and cannot be read: the nameserver does not start.
///
/// Upstream's `NamesrvController.initialize` throws what fastjson threw; an object without `configTable` is a null to it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{FILE}` cannot be read ({why}): mend it, or move it away to begin without; `{FILE}.bak` is the text before")]
pub struct KvConfigError {
    /// What is wrong with it.
    pub why: String,
}

/// Whether the file can be read, or is not there. Source: `NamesrvStartup.main0`.
pub fn readable(disk: &mut dyn Disk) -> Result<(), KvConfigError> {
    KvConfig::load(disk).map(drop)
}

impl KvConfig {
    /// What the file says; nothing if it is missing or empty, or the device refuses.
    ///
    /// Errors: [`KvConfigError`]. Source: `KVConfigManager.load`.
    pub fn load(disk: &mut dyn Disk) -> Result<KvConfig, KvConfigError> {
        let Ok(bytes) = disk.get(FILE) else { return Ok(KvConfig::default()) };
        let text = java::text(&bytes);
        if java::is_blank(&text) {
            return Ok(KvConfig::default());
        }
        let json = Json::parse(text.as_bytes()).map_err(|error| KvConfigError { why: error.to_string() })?;
        let Some(spaces) = json.get("configTable") else {
            return Err(KvConfigError { why: "it has no `configTable`".to_owned() });
        };
        let keys = |keys: &Json| -> JavaMap<Name> {
            let pairs = keys.pairs().iter();
            pairs.filter_map(|(key, value)| Some((key.as_str()?.into(), value.as_str()?.into()))).collect()
        };
        let spaces = spaces.pairs().iter();
        Ok(KvConfig { table: spaces.filter_map(|(name, own)| Some((name.as_str()?.into(), keys(own)))).collect() })
    }

    /// Sets a value and writes the file. Errors: the device's; the value is set all the same.
    ///
    /// Source: `KVConfigManager.putKVConfig`.
    pub fn put(&mut self, at: (&Name, &Name), value: &Name, disk: &mut dyn Disk) -> Result<(), DiskError> {
        let (namespace, key) = at;
        let mut keys = self.table.get(namespace).cloned().unwrap_or_default();
        keys.put(key.clone().into(), value.clone());
        self.table.put(namespace.clone().into(), keys);
        self.persist(disk)
    }

    /// Removes a value, if it is there, and writes the file; whether it was. Errors: the device's.
    ///
    /// The namespace stays, without keys as well. Source: `KVConfigManager.deleteKVConfig`.
    pub fn delete(&mut self, at: (&Name, &Name), disk: &mut dyn Disk) -> (bool, Result<(), DiskError>) {
        let (namespace, key) = at;
        let mut known = false;
        if let Some(mut keys) = self.table.get(namespace).cloned() {
            known = keys.remove(key).is_some();
            self.table.put(namespace.clone().into(), keys);
        }
        (known, self.persist(disk))
    }

    /// A value. Source: `KVConfigManager.getKVConfig`.
    pub fn get(&self, namespace: &str, key: &str) -> Option<&Name> {
        self.table.get(namespace)?.get(key)
    }

    /// A namespace, if anything was ever put there. Source: `KVConfigManager.getKVListByNamespace`.
    pub fn list(&self, namespace: &str) -> Option<KvTable> {
        let keys = self.table.get(namespace)?;
        Some(KvTable(keys.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    /// Source: `KVConfigManager.persist`.
    fn persist(&self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        let text = |text: &Name| Json::Text(text.to_string());
        let keys = |keys: &JavaMap<Name>| keys.iter().map(|(key, value)| (text(key), text(value))).collect();
        let spaces = self.table.iter().map(|(name, own)| (text(name), Json::Object(keys(own)))).collect();
        let table = Json::Object(vec![(Json::Text("configTable".to_owned()), Json::Object(spaces))]);
        replace(disk, FILE, &table.compact())
    }
}

/// Source: `NamesrvConfig.kvConfigPath`.
pub const FILE: &str = "namesrv/kvConfig.json";
