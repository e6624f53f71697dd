//! The tables of a nameserver.
//!
//! Source: `RouteInfoManager`.

use std::collections::{BTreeMap, BTreeSet};

use crate::mq::message::java::JavaMap;
use crate::mq::message::{Name, Topic};
use crate::mq::mistake::Mistake;
use crate::mq::node::ConnId;
use crate::mq::profile::Profile;
use crate::mq::time::Millis;
use crate::mq::wire::body::admin::{ClusterInfo, TopicList};
use crate::mq::wire::body::{BrokerData, DataVersion, QueueData, RegisterBrokerBody, RouteData};
use crate::mq::wire::header::{RegisterBrokerHeader, RegisteredHeader, UnregisterBrokerHeader};

/// Topics, brokers, clusters, and who is alive.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    pub(super) profile: Profile,
    topics: BTreeMap<Topic, Vec<QueueData>>,
    brokers: BTreeMap<Name, BrokerData>,
    clusters: BTreeMap<Name, BTreeSet<Name>>,
    /// By announced address.
    live: BTreeMap<Name, Live>,
    /// Addresses that are not taken in again; none, but with a mistake planted.
    gone: BTreeSet<Name>,
}

#[derive(Clone, Debug)]
struct Live {
    last: Millis,
    version: DataVersion,
    conn: ConnId,
    ha_server_addr: Name,
}

/// What became of a registration.
#[derive(Clone, PartialEq, Debug)]
pub struct Registered {
    /// The answer's header.
    pub header: RegisteredHeader,
    /// Whether the address was not known before.
    pub first: bool,
}

/// A broker that left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// Its name.
    pub broker: Name,
    /// Its address.
    pub addr: Name,
}

/// Empty tables, and no mistake planted.
impl Default for RouteInfo {
    fn default() -> RouteInfo {
        RouteInfo::new(Profile::FAITHFUL)
    }
}

impl RouteInfo {
    /// Empty tables.
    pub fn new(profile: Profile) -> RouteInfo {
        let (topics, brokers, clusters, live, gone) = Default::default();
        RouteInfo { profile, topics, brokers, clusters, live, gone }
    }

    /// Takes a registration in. Topics that it does not name are never removed.
    ///
    /// Source: `RouteInfoManager.registerBroker`.
    pub fn register(
        &mut self,
        header: &RegisterBrokerHeader,
        body: RegisterBrokerBody,
        conn: ConnId,
        now: Millis,
    ) -> Registered {
        if self.gone.contains(&header.broker_addr) {
            return Registered { header: self.master_of(header), first: false };
        }
        self.clusters.entry(header.cluster_name.clone()).or_default().insert(header.broker_name.clone());
        let mut first = !self.brokers.contains_key(&header.broker_name);
        let broker = self.brokers.entry(header.broker_name.clone()).or_insert_with(|| BrokerData {
            cluster: header.cluster_name.clone(),
            broker_name: header.broker_name.clone(),
            broker_addrs: BTreeMap::new(),
        });
        first |= broker.broker_addrs.insert(header.broker_id, header.broker_addr.clone()).is_none();
        let table = body.topic_config_serialize_wrapper;
        let known = self.live.get(&header.broker_addr).map(|live| live.version);
        let is_news = known != Some(table.data_version) && !self.profile.plants(Mistake::IgnoresNewTopics);
        if header.broker_id == MASTER && (first || is_news) {
            for config in table.topic_config_table.into_values() {
                self.update_queues(
                    config.topic_name,
                    QueueData {
                        broker_name: header.broker_name.clone(),
                        read_queue_nums: config.read_queue_nums,
                        write_queue_nums: config.write_queue_nums,
                        perm: config.perm,
                        topic_sys_flag: config.topic_sys_flag,
                    },
                );
            }
        }
        let ha_server_addr = header.ha_server_addr.clone();
        self.live
            .insert(header.broker_addr.clone(), Live { last: now, version: table.data_version, conn, ha_server_addr });
        Registered { header: self.master_of(header), first }
    }

    /// Source: `RouteInfoManager.createAndUpdateQueueData`: equal data stays in place, other data goes to the end.
    fn update_queues(&mut self, topic: Topic, data: QueueData) {
        let queues = self.topics.entry(topic).or_default();
        if queues.contains(&data) {
            return;
        }
        queues.retain(|found| found.broker_name != data.broker_name);
        queues.push(data);
    }

    /// What a slave is told about its master; a master is told nothing.
    fn master_of(&self, header: &RegisterBrokerHeader) -> RegisteredHeader {
        if header.broker_id == MASTER {
            return RegisteredHeader::default();
        }
        let master = self.brokers.get(&header.broker_name).and_then(|broker| broker.broker_addrs.get(&MASTER));
        let live = master.and_then(|addr| self.live.get(addr));
        RegisteredHeader {
            ha_server_addr: live.map(|live| live.ha_server_addr.clone()),
            master_addr: live.and(master).cloned(),
        }
    }

    /// Source: `RouteInfoManager.unregisterBroker`.
    pub fn unregister(&mut self, header: &UnregisterBrokerHeader) -> Option<Dropped> {
        self.live.remove(&header.broker_addr);
        let broker = self.brokers.get_mut(&header.broker_name)?;
        let addr = broker.broker_addrs.remove(&header.broker_id)?;
        if self.profile.plants(Mistake::UnregisterByName) {
            self.gone.extend(std::mem::take(&mut broker.broker_addrs).into_values());
        }
        self.drop_if_empty(&header.broker_name);
        Some(Dropped { broker: header.broker_name.clone(), addr })
    }

    /// Forgets a topic's queues until a broker registers other data; how many brokers had any.
    ///
    /// Source: `RouteInfoManager.deleteTopic`.
    pub fn delete_topic(&mut self, topic: &str) -> usize {
        self.topics.remove(topic).map_or(0, |queues| queues.len())
    }

    /// Takes the right to write off all of a broker's queues; how many topics that are.
    ///
    /// They stay so while the broker registers what it registered before: its data are only looked at when their version is new.
    /// Source: `RouteInfoManager.wipeWritePermOfBroker`.
    pub fn wipe_write_perm(&mut self, broker: &str) -> i32 {
        let own = self.topics.values_mut().flatten().filter(|data| data.broker_name == *broker);
        let mut count = 0;
        for data in own {
            data.perm &= !PERM_WRITE;
            count += 1;
        }
        count
    }

    /// A connection is gone: whoever registered over it last is gone, too.
    ///
    /// Source: `RouteInfoManager.onChannelDestroy`.
    pub fn channel_gone(&mut self, conn: ConnId) -> Option<Dropped> {
        let addr = self.live.iter().find(|(_, live)| live.conn == conn).map(|(addr, _)| addr.clone())?;
        self.drop_addr(addr)
    }

    /// How old the word of a broker that is routed may be.
    pub fn expires_after_ms(&self) -> i64 {
        let is_early = self.profile.plants(Mistake::ExpiresBetweenHeartbeats);
        if is_early { 15_000 } else { crate::mq::namesrv::BROKER_EXPIRED_MS }
    }

    /// Drops everybody not heard from for two minutes. Source: `RouteInfoManager.scanNotActiveBroker`.
    pub fn expire(&mut self, now: Millis) -> Vec<(ConnId, Dropped)> {
        let is_old = |live: &Live| live.last.plus(self.expires_after_ms()) < now;
        let old: Vec<(ConnId, Name)> =
            self.live.iter().filter(|(_, live)| is_old(live)).map(|(addr, live)| (live.conn, addr.clone())).collect();
        old.into_iter().filter_map(|(conn, addr)| Some((conn, self.drop_addr(addr)?))).collect()
    }

    /// When the broker that was silent longest was heard last.
    pub fn oldest(&self) -> Option<Millis> {
        self.live.values().map(|live| live.last).min()
    }

    /// Addresses of brokers that are alive.
    pub fn live(&self) -> impl Iterator<Item = &Name> {
        self.live.keys()
    }

    fn drop_addr(&mut self, addr: Name) -> Option<Dropped> {
        self.live.remove(&addr);
        if self.profile.plants(Mistake::ReturnStaysAway) {
            self.gone.insert(addr.clone());
        }
        let found = self.brokers.values_mut().find_map(|broker| {
            let id = broker.broker_addrs.iter().find(|(_, found)| **found == addr).map(|(id, _)| *id)?;
            broker.broker_addrs.remove(&id);
            Some(broker.broker_name.clone())
        });
        let broker = found?;
        self.drop_if_empty(&broker);
        Some(Dropped { broker, addr })
    }

    /// A name without addresses goes, and with it its queues. While a slave's address remains, the master's queues stay.
    fn drop_if_empty(&mut self, name: &Name) {
        if self.brokers.get(name).is_none_or(|broker| !broker.broker_addrs.is_empty()) {
            return;
        }
        self.brokers.remove(name);
        self.clusters.retain(|_, names| {
            names.remove(name);
            !names.is_empty()
        });
        self.topics.retain(|_, queues| {
            queues.retain(|data| data.broker_name != *name);
            !queues.is_empty()
        });
    }

    /// Every cluster with its brokers. Source: `RouteInfoManager.getAllClusterInfo`.
    pub fn clusters(&self) -> ClusterInfo {
        ClusterInfo { broker_addr_table: self.brokers.clone(), cluster_addr_table: self.clusters.clone() }
    }

    /// Every topic. Source: `RouteInfoManager.getAllTopicList`.
    pub fn topics(&self) -> TopicList {
        self.topics_with(|_| true)
    }

    /// The topics of a cluster's brokers; none of a cluster that is not known. Source: `RouteInfoManager.getTopicsByCluster`.
    pub fn topics_of_cluster(&self, cluster: &str) -> TopicList {
        let brokers = self.clusters.get(cluster);
        let is_theirs = |queue: &QueueData| brokers.is_some_and(|brokers| brokers.contains(&queue.broker_name));
        self.topics_with(|queues| queues.iter().any(is_theirs))
    }

    /// The topics whose first broker sets the one unit flag, if it is wanted, and has or has not the other.
    ///
    /// Source: `RouteInfoManager.getUnitTopics`, `getHasUnitSubTopicList`, `getHasUnitSubUnUnitTopicList`.
    pub fn topics_by_flags(&self, flags: i32, without: i32) -> TopicList {
        let fits = |queue: &QueueData| queue.topic_sys_flag & flags == flags && queue.topic_sys_flag & without == 0;
        self.topics_with(|queues| queues.first().is_some_and(fits))
    }

    fn topics_with(&self, fits: impl Fn(&[QueueData]) -> bool) -> TopicList {
        // A set of them is filled in the order of the table, which is larger: names that meet in a bucket keep it.
        let mut topics = JavaMap::concurrent(TABLE_CAPACITY);
        for (topic, _) in self.topics.iter().filter(|(_, queues)| fits(queues)) {
            topics.put(topic.clone().into(), ());
        }
        TopicList { topic_list: topics.iter().map(|(topic, ())| topic.clone()).collect(), broker_addr: None }
    }

    /// Clusters and brokers, whose names are topics, too, and a broker that may be asked for more.
    ///
    /// Source: `RouteInfoManager.getSystemTopicList`.
    pub fn system_topics(&self) -> TopicList {
        let names = self.clusters.iter().flat_map(|(cluster, brokers)| std::iter::once(cluster).chain(brokers));
        let topics: BTreeSet<Topic> = names.cloned().collect();
        let brokers: JavaMap<&BrokerData> = self.brokers.iter().map(|(name, broker)| (name.clone(), broker)).collect();
        let broker_addr = brokers.iter().find_map(|(_, broker)| broker.broker_addrs.values().next().cloned());
        TopicList { topic_list: topics.into_iter().collect(), broker_addr }
    }

    /// The version of the table with which an address registered last. Source: `RouteInfoManager.queryBrokerTopicConfig`.
    pub fn version_of(&self, addr: &str) -> Option<DataVersion> {
        self.live.get(addr).map(|live| live.version)
    }

    /// Whoever is there has been heard. Source: `RouteInfoManager.updateBrokerInfoUpdateTimestamp`.
    pub fn heard(&mut self, addr: &str, now: Millis) {
        if let Some(live) = self.live.get_mut(addr) {
            live.last = now;
        }
    }

    /// Who serves a topic, if both a queue and a broker are known. Source: `RouteInfoManager.pickupTopicRouteData`.
    pub fn pickup(&self, topic: &str) -> Option<RouteData> {
        let queues = self.topics.get(topic)?;
        // The brokers stand in the order of a Java set of their names.
        let names: JavaMap<()> = queues.iter().map(|data| (data.broker_name.clone(), ())).collect();
        let brokers: Vec<BrokerData> = names.iter().filter_map(|(name, ())| self.brokers.get(name).cloned()).collect();
        let most = if self.profile.plants(Mistake::RouteNamesOneBroker) { 1 } else { brokers.len() };
        let brokers = brokers.into_iter().take(most).collect::<Vec<_>>();
        if queues.is_empty() || brokers.is_empty() {
            return None;
        }
        Some(RouteData { queue_datas: queues.clone(), broker_datas: brokers, ..RouteData::default() })
    }
}

/// Source: `PermName.PERM_WRITE`.
const PERM_WRITE: i32 = 2;
/// Source: `MixAll.MASTER_ID`.
const MASTER: i64 = 0;
/// A concurrent map of this capacity has as many buckets as `RouteInfoManager.topicQueueTable`: 1,024.
const TABLE_CAPACITY: u32 = 682;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mq::wire::body::{TopicConfig, TopicConfigTable};

    fn header(name: &str, id: i64) -> RegisterBrokerHeader {
        RegisterBrokerHeader {
            broker_name: name.into(),
            broker_addr: format!("10.0.2.{id}:10911").into(),
            cluster_name: "C".into(),
            ha_server_addr: format!("10.0.2.{id}:10912").into(),
            broker_id: id,
            compressed: false,
            body_crc32: 0,
        }
    }

    fn body(counter: i64, topics: &[&str]) -> RegisterBrokerBody {
        let config = |topic: &str| TopicConfig {
            topic_name: topic.into(),
            read_queue_nums: 4,
            write_queue_nums: 4,
            perm: 6,
            topic_filter_type: "SINGLE_TAG".into(),
            topic_sys_flag: 0,
            order: false,
        };
        RegisterBrokerBody {
            topic_config_serialize_wrapper: TopicConfigTable {
                data_version: DataVersion { timestamp: 1, counter },
                topic_config_table: topics.iter().map(|topic| (Name::from(*topic), config(topic))).collect(),
                capacity: 0,
            },
            filter_server_list: Vec::new(),
        }
    }

    #[test]
    fn a_broker_is_routed_until_its_connection_goes() {
        let mut routes = RouteInfo::default();
        assert!(routes.register(&header("a", 0), body(1, &["T"]), ConnId(2), Millis(0)).first);
        assert!(!routes.register(&header("a", 0), body(1, &["T"]), ConnId(4), Millis(30)).first);
        assert_eq!(routes.pickup("T").unwrap().queue_datas.len(), 1);
        assert_eq!(routes.channel_gone(ConnId(2)), None, "a connection that was replaced is nobody's");
        assert_eq!(routes.channel_gone(ConnId(4)).unwrap().broker, "a");
        assert_eq!(routes.pickup("T"), None);
    }

    #[test]
    fn a_slave_alone_routes_nothing_and_keeps_its_masters_queues() {
        let mut routes = RouteInfo::default();
        assert_eq!(routes.register(&header("a", 1), body(1, &["T"]), ConnId(2), Millis(0)).header.master_addr, None);
        assert_eq!(routes.pickup("T"), None);
        routes.register(&header("a", 0), body(1, &["T"]), ConnId(4), Millis(0));
        let told = routes.register(&header("a", 1), body(1, &["T"]), ConnId(2), Millis(0)).header;
        assert_eq!(told.master_addr.unwrap(), "10.0.2.0:10911");
        routes.channel_gone(ConnId(4));
        let route = routes.pickup("T").unwrap();
        assert_eq!(route.broker_datas[0].broker_addrs.keys().collect::<Vec<_>>(), [&1]);
    }

    #[test]
    fn silence_expires_after_two_minutes_and_not_at_them() {
        let mut routes = RouteInfo::default();
        routes.register(&header("a", 0), body(1, &["T"]), ConnId(2), Millis(0));
        assert!(routes.expire(Millis(120_000)).is_empty());
        assert_eq!(routes.expire(Millis(120_001)).len(), 1);
    }

    #[test]
    fn topics_missing_from_a_later_registration_stay() {
        let mut routes = RouteInfo::default();
        routes.register(&header("a", 0), body(1, &["T", "U"]), ConnId(2), Millis(0));
        routes.register(&header("a", 0), body(2, &["T"]), ConnId(2), Millis(0));
        assert!(routes.pickup("U").is_some());
    }
}
