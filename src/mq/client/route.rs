//! Routes as a client keeps them: what the nameserver last said, and the queues and addresses that follow from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::mq::client::producer::pick::TopicPublishInfo;
use crate::mq::message::{MessageQueue, Name, Topic, java};
use crate::mq::node::{Addr, Choice, Stream};
use crate::mq::wire::body::RouteData;

/// What a static order configuration can be broken by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OrderConfError {
    /// An entry without a colon (`ArrayIndexOutOfBoundsException`).
    #[error("an entry of orderTopicConf has no queue count")]
    NoCount,
    /// A count that is not a number (`NumberFormatException`).
    #[error("a queue count of orderTopicConf is not a number")]
    BadCount,
}

/// The queues that a producer may write to. Source: `MQClientInstance.topicRouteData2TopicPublishInfo`.
pub fn publish_info(topic: &Topic, route: &RouteData) -> Result<TopicPublishInfo, OrderConfError> {
    let write_queue_nums =
        route.queue_datas.iter().map(|data| (data.broker_name.clone(), data.write_queue_nums)).collect();
    if let Some(conf) = route.order_topic_conf.as_ref().filter(|conf| !conf.is_empty()) {
        return Ok(TopicPublishInfo::new(order_queues(topic, conf)?, true, write_queue_nums));
    }
    let mut datas: Vec<_> = route.queue_datas.iter().filter(|data| data.perm & PERM_WRITE != 0).collect();
    datas.sort_by(|a, b| java_compare(&a.broker_name, &b.broker_name));
    let mut queues = Vec::new();
    for data in datas {
        let broker = route.broker_datas.iter().find(|broker| broker.broker_name == data.broker_name);
        if broker.is_some_and(|broker| broker.broker_addrs.contains_key(&MASTER_ID)) {
            queues.extend((0..data.write_queue_nums).map(|id| queue(topic, &data.broker_name, id)));
        }
    }
    Ok(TopicPublishInfo::new(queues, false, write_queue_nums))
}

/// The queues that a consumer may read, sorted. Source: `MQClientInstance.topicRouteData2TopicSubscribeInfo`.
pub fn subscribe_info(topic: &Topic, route: &RouteData) -> Vec<MessageQueue> {
    let mut queues: Vec<MessageQueue> = route
        .queue_datas
        .iter()
        .filter(|data| data.perm & PERM_READ != 0)
        .flat_map(|data| (0..data.read_queue_nums).map(|id| queue(topic, &data.broker_name, id)))
        .collect();
    queues.sort();
    queues.dedup();
    queues
}

/// `b1:4;b2:4`, split as Java's `split` does: empty parts at the end fall away.
fn order_queues(topic: &Topic, conf: &str) -> Result<Vec<MessageQueue>, OrderConfError> {
    let mut queues = Vec::new();
    for entry in java::split(conf, ';') {
        let parts = java::split(entry, ':');
        let [broker, count, ..] = parts[..] else { return Err(OrderConfError::NoCount) };
        let count: i32 = count.parse().map_err(|_| OrderConfError::BadCount)?;
        let broker = Name::from(broker);
        queues.extend((0..count).map(|id| queue(topic, &broker, id)));
    }
    Ok(queues)
}

fn queue(topic: &Topic, broker: &Name, queue_id: i32) -> MessageQueue {
    MessageQueue { topic: topic.clone(), broker: broker.clone(), queue_id }
}

/// `String.compareTo`: by UTF-16 unit.
fn java_compare(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// The master's address, if there is one. Source: `BrokerData.selectBrokerAddr`, first half.
pub fn master_of<'a>(route: &'a RouteData, broker: &str) -> Option<&'a Name> {
    route.broker_datas.iter().find(|data| data.broker_name == broker)?.broker_addrs.get(&MASTER_ID)
}

pub(crate) use crate::mq::message::java::{map_order as java_order, queue_hash};

/// The route table and the addresses by broker name.
///
/// Source: `MQClientInstance.topicRouteTable`, `brokerAddrTable`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    table: BTreeMap<Topic, RouteData>,
    brokers: BTreeMap<Name, Vec<(i64, Addr)>>,
    /// Who has answered a heartbeat, and with it told a version. Source: `MQClientInstance.brokerVersionTable`.
    ///
    /// Differs: which version is not kept, as all brokers here are of one.
    versions: BTreeSet<Addr>,
}

impl Routes {
    /// Whether `route` says something else than what is stored. Source: `MQClientInstance.topicRouteDataIsChange`.
    pub(crate) fn is_change(&self, topic: &Topic, route: &RouteData) -> bool {
        match self.table.get(topic) {
            Some(old) => sorted(old) != sorted(route),
            None => true,
        }
    }

    /// Stores a route; its brokers' addresses replace what was known under their names.
    pub(crate) fn store(&mut self, topic: &Topic, route: RouteData) {
        for broker in &route.broker_datas {
            let addrs = broker.broker_addrs.iter().filter_map(|(id, text)| Some((*id, Addr::parse(text)?))).collect();
            self.brokers.insert(broker.broker_name.clone(), addrs);
        }
        self.table.insert(topic.clone(), route);
    }

    /// A broker told its version.
    pub(crate) fn hear_version(&mut self, addr: Addr) {
        self.versions.insert(addr);
    }

    /// Whether a broker's version is known; one that is not counts as older than all.
    pub(crate) fn knows_version(&self, addr: Addr) -> bool {
        self.versions.contains(&addr)
    }

    /// Source: `MQClientInstance.findBrokerAddressInPublish`.
    pub(crate) fn master(&self, broker: &str) -> Option<Addr> {
        self.brokers.get(broker)?.iter().find(|(id, _)| *id == MASTER_ID).map(|(_, addr)| *addr)
    }

    /// The address and whether it is a slave's. Source: `MQClientInstance.findBrokerAddressInSubscribe`.
    pub(crate) fn subscribe_address(&self, broker: &str, id: i64) -> Option<(Addr, bool)> {
        let addrs = self.brokers.get(broker)?;
        let (id, addr) = addrs.iter().find(|(known, _)| *known == id).or_else(|| addrs.first())?;
        Some((*addr, *id != MASTER_ID))
    }

    /// The master, or else a slave. Source: `MQClientInstance.findBrokerAddressInAdmin`.
    pub(crate) fn admin_address(&self, broker: &str) -> Option<Addr> {
        self.brokers.get(broker)?.first().map(|(_, addr)| *addr)
    }

    /// Some broker of the topic. Source: `MQClientInstance.findBrokerAddrByTopic`, `BrokerData.selectBrokerAddr`.
    pub(crate) fn some_broker_of(&self, topic: &Topic, dice: &mut dyn Choice) -> Option<Addr> {
        let brokers = &self.table.get(topic)?.broker_datas;
        let mut draw = |below: usize| match below {
            0 | 1 => 0,
            _ => usize::try_from(dice.below(Stream::ConsumerListBroker, below as u64)).unwrap_or(0),
        };
        let broker = brokers.get(draw(brokers.len()))?;
        let text = match broker.broker_addrs.get(&MASTER_ID) {
            Some(master) => master,
            None => broker.broker_addrs.values().nth(draw(broker.broker_addrs.len()))?,
        };
        Addr::parse(text)
    }

    /// Forgets addresses that no stored route names. Source: `MQClientInstance.cleanOfflineBroker`.
    pub(crate) fn clean_offline_brokers(&mut self) {
        let listed: Vec<Addr> = self
            .table
            .values()
            .flat_map(|route| &route.broker_datas)
            .flat_map(|broker| broker.broker_addrs.values())
            .filter_map(|text| Addr::parse(text))
            .collect();
        self.brokers.retain(|_, addrs| {
            addrs.retain(|(_, addr)| listed.contains(addr));
            !addrs.is_empty()
        });
    }

    /// Every known address: masters, and slaves if `slaves`.
    pub(crate) fn addresses(&self, slaves: bool) -> Vec<Addr> {
        let mut brokers: Vec<_> = self.brokers.iter().collect();
        java_order(&mut brokers, |(name, _)| java::hash(name));
        let addrs = brokers.into_iter().flat_map(|(_, addrs)| addrs);
        addrs.filter(|(id, _)| slaves || *id == MASTER_ID).map(|(_, addr)| *addr).collect()
    }
}

fn sorted(route: &RouteData) -> RouteData {
    let mut route = route.clone();
    route.queue_datas.sort_by(|a, b| java_compare(&a.broker_name, &b.broker_name));
    route.broker_datas.sort_by(|a, b| java_compare(&a.broker_name, &b.broker_name));
    route
}

/// Source: `MixAll.MASTER_ID`.
pub(crate) const MASTER_ID: i64 = 0;

/// Source: `PermName.PERM_READ`.
const PERM_READ: i32 = 4;
/// Source: `PermName.PERM_WRITE`.
const PERM_WRITE: i32 = 2;
