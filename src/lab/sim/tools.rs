//! What RocketMQ's own command line tools find out, at a moment of a run, from the nodes' answers.
//!
//! Source: `TopicListSubCommand`, `ClusterListSubCommand`, `ConsumerProgressSubCommand`, `TopicStatusSubCommand`,
//! `DefaultMQAdminExtImpl`. A node that does not answer is passed over where the tools would fail.

use std::collections::BTreeMap;

use crate::lab::sim::world::World;
use crate::lab::trace::log::Role;
use crate::lab::trace::record::NodeId;
use crate::mq::message::property::names;
use crate::mq::message::{Group, MessageQueue, Name, StoredMessage, Topic, id, java, record};
use crate::mq::node::Addr;
use crate::mq::time::Millis;
use crate::mq::wire::body::admin::{
    ClusterInfo, ConsumeStats, ConsumerConnection, OffsetWrapper, TopicList, TopicOffset, TopicStats,
};
use crate::mq::wire::body::{JsonBody, KvTable, RouteData};
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::{Command, version_desc};
use crate::mq::wire::header::{Header, QueryMessageHeader};

/// Who answers the tools: the nodes of a run at a moment, or servers.
pub trait Answers {
    /// The addresses of the nameservers.
    fn nameservers(&self) -> Vec<Name>;

    /// What the server at an address answers; `None` if it does not run, or not there, or does not answer at once.
    fn ask(&self, addr: &str, code: i32, header: Header) -> Option<Box<Command>>;

    /// The time.
    fn wall(&self) -> Millis;
}

impl Answers for World {
    fn nameservers(&self) -> Vec<Name> {
        let nodes = self.header().nodes.into_iter();
        nodes.filter(|node| node.role == Role::Nameserver).map(|node| node.addr).collect()
    }

    fn ask(&self, addr: &str, code: i32, header: Header) -> Option<Box<Command>> {
        let nodes = self.header().nodes;
        let number = nodes.iter().position(|node| node.role != Role::Client && node.addr == *addr)?;
        World::ask(self, NodeId(number as u16), code, header)
    }

    fn wall(&self) -> Millis {
        self.setup().start.plus(self.now().as_millis() as i64)
    }
}

/// A topic with its cluster and one of its groups, which is empty where it has none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicRow {
    /// The cluster of its first broker.
    pub cluster: Name,
    /// The topic.
    pub topic: Topic,
    /// A group with a member that subscribes to it or with a place in it.
    pub group: Group,
}

/// A broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerRow {
    /// Its cluster.
    pub cluster: Name,
    /// Its name.
    pub broker: Name,
    /// Its id.
    pub id: i64,
    /// The address that it announces.
    pub addr: Name,
    /// What it says of itself; empty if it does not answer.
    pub info: BTreeMap<Name, Name>,
    /// How old its earliest message is, in ms; 0 if it does not answer. A log whose first file is short says that it begins
    /// 1 ms before 1970 (Q18), and the tool shows the hours since then.
    pub age: i64,
}

/// A group with the sum of its lags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupRow {
    /// The group.
    pub group: Group,
    /// How many members it has.
    pub count: usize,
    /// The lowest version of theirs, `OFFLINE` if there are none.
    pub version: Name,
    /// `PUSH` or `PULL`, if there are members.
    pub kind: Name,
    /// The model, if there are members.
    pub model: Name,
    /// How many messages in a thousand seconds it was handed, by the last minute.
    pub tps: i64,
    /// How many messages it is behind.
    pub diff: i64,
    /// Queue by queue.
    pub queues: BTreeMap<MessageQueue, OffsetWrapper>,
}

/// Every topic with its groups. Source: `TopicListSubCommand -c`.
pub fn topics(world: &dyn Answers) -> Vec<TopicRow> {
    let groups = progress(world);
    let mut rows = Vec::new();
    for topic in
        topic_list(world).into_iter().filter(|topic| !topic.starts_with("%RETRY%") && !topic.starts_with("%DLQ%"))
    {
        let route = route(world, &topic);
        let cluster = route.and_then(|route| route.broker_datas.first().map(|data| data.cluster.clone()));
        let cluster = cluster.unwrap_or_default();
        let mut own: Vec<Group> = groups
            .iter()
            .filter(|row| row.queues.keys().any(|queue| queue.topic == topic))
            .map(|row| row.group.clone())
            .collect();
        if own.is_empty() {
            own.push(Group::default());
        }
        rows.extend(own.into_iter().map(|group| TopicRow { cluster: cluster.clone(), topic: topic.clone(), group }));
    }
    rows
}

/// Every broker that a nameserver knows. Source: `ClusterListSubCommand`.
pub fn cluster(world: &dyn Answers) -> Vec<BrokerRow> {
    let info: ClusterInfo = ask_nameserver(world, request::GET_BROKER_CLUSTER_INFO, &[]).unwrap_or_default();
    let mut rows = Vec::new();
    for (cluster, brokers) in &info.cluster_addr_table {
        for data in brokers.iter().filter_map(|broker| info.broker_addr_table.get(broker)) {
            for (id, addr) in &data.broker_addrs {
                let answer: Option<KvTable> = ask_broker(world, addr, request::GET_BROKER_RUNTIME_INFO, &[]);
                let table = answer.map(|table| table.0).unwrap_or_default();
                let earliest = table.get("earliestMessageTimeStamp").and_then(|text| text.parse::<i64>().ok());
                let now = world.wall().0;
                let age = earliest.map_or(0, |earliest| now - earliest);
                let (cluster, broker, addr) = (cluster.clone(), data.broker_name.clone(), addr.clone());
                rows.push(BrokerRow { cluster, broker, id: *id, addr, info: table, age });
            }
        }
    }
    rows
}

/// Every group that has a retry topic. Source: `ConsumerProgressSubCommand`.
pub fn progress(world: &dyn Answers) -> Vec<GroupRow> {
    let mut rows = Vec::new();
    for topic in topic_list(world) {
        let Some(group) = topic.strip_prefix("%RETRY%") else { continue };
        let fields = [("consumerGroup", group)];
        let mut row = GroupRow {
            group: group.into(),
            count: 0,
            version: "OFFLINE".into(),
            kind: Name::default(),
            model: Name::default(),
            tps: 0,
            diff: 0,
            queues: BTreeMap::new(),
        };
        for addr in masters(world, &topic) {
            if let Some(stats) = ask_broker::<ConsumeStats>(world, &addr, request::GET_CONSUME_STATS, &fields) {
                row.queues.extend(stats.0);
                row.tps += stats.1;
            }
            // Any broker knows all members: the last one's answer counts.
            let code = request::GET_CONSUMER_CONNECTION_LIST;
            if let Some(members) = ask_broker::<ConsumerConnection>(world, &addr, code, &fields) {
                row.count = members.connection_set.len();
                if let Some(lowest) = members.connection_set.iter().map(|member| member.version).min() {
                    row.version = version_desc(lowest).unwrap_or_default();
                    let is_pull = members.consume_type == "CONSUME_ACTIVELY";
                    row.kind = if is_pull { "PULL".into() } else { "PUSH".into() };
                    row.model = if is_pull { Name::default() } else { members.message_model };
                }
            }
        }
        row.diff = row.queues.values().map(|queue| queue.broker_offset - queue.consumer_offset).sum();
        rows.push(row);
    }
    rows
}

/// The queues of every topic that is not a broker's or a cluster's own name. Source: `TopicStatusSubCommand`.
pub fn queues(world: &dyn Answers) -> BTreeMap<MessageQueue, TopicOffset> {
    let mut rows = BTreeMap::new();
    for topic in topic_list(world) {
        for addr in masters(world, &topic) {
            let stats: Option<TopicStats> =
                ask_broker(world, &addr, request::GET_TOPIC_STATS_INFO, &[("topic", &topic)]);
            rows.extend(stats.unwrap_or_default().0);
        }
    }
    rows
}

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted<'a> {
    /// By an offset message id.
    Id(&'a str),
    /// By a key, in one topic or in every.
    Key(&'a str, Option<&'a str>),
    /// By a unique key, in one topic or in every.
    UniqueKey(&'a str, Option<&'a str>),
}

/// The messages that an operator would find. Source: `MQAdminImpl.viewMessage`, `queryMessage`.
///
/// Differs: a unique key is looked for from the run's begin on.
pub fn messages(world: &dyn Answers, wanted: Wanted<'_>) -> Vec<StoredMessage> {
    let (key, topic, is_unique) = match wanted {
        Wanted::Id(id) => return view(world, id).into_iter().collect(),
        Wanted::Key(key, topic) => (key, topic, false),
        Wanted::UniqueKey(key, topic) => (key, topic, true),
    };
    let topics = topic.map_or_else(|| topic_list(world), |topic| vec![topic.into()]);
    let mut found: Vec<StoredMessage> = Vec::new();
    for topic in topics {
        let header = QueryMessageHeader {
            topic: topic.clone(),
            key: key.into(),
            max_num: KEY_MAX,
            begin_timestamp: 0,
            end_timestamp: i64::MAX,
        };
        for addr in masters(world, &topic) {
            let header = Header::QueryMessage(Box::new(header.clone()), Some(is_unique));
            let answer = world.ask(&addr, request::QUERY_MESSAGE, header);
            let body = answer.filter(|answer| answer.code == response::SUCCESS).and_then(|answer| answer.body);
            found.extend(body.iter().flat_map(record::decode_all));
        }
    }
    let has = |message: &StoredMessage, name: &str| {
        message.message.properties.get(name).is_some_and(|keys| java::split(keys, ' ').contains(&key))
    };
    found.retain(|message| has(message, if is_unique { names::UNIQ_KEY } else { names::KEYS }));
    if is_unique {
        found.sort_by_key(|message| message.store_timestamp);
        found.truncate(1);
    }
    found
}

fn view(world: &dyn Answers, id: &str) -> Option<StoredMessage> {
    let (host, at) = id::parse_offset_msg_id(id)?;
    let addr = Addr { ip: host.ip, port: u16::try_from(host.port).ok()? }.to_string();
    let answer = world.ask(&addr, request::VIEW_MESSAGE_BY_ID, Header::ViewMessage(at.0))?;
    let body = answer.body.filter(|_| answer.code == response::SUCCESS)?;
    record::decode(&body, 0).map(|(message, _)| message)
}

fn topic_list(world: &dyn Answers) -> Vec<Topic> {
    let list: TopicList = ask_nameserver(world, request::GET_ALL_TOPIC_LIST_FROM_NAMESERVER, &[]).unwrap_or_default();
    let mut topics = list.topic_list;
    topics.sort();
    topics
}

fn route(world: &dyn Answers, topic: &str) -> Option<RouteData> {
    let code = request::GET_ROUTEINTO_BY_TOPIC;
    let names = world.nameservers();
    let answer = names.iter().find_map(|addr| world.ask(addr, code, Header::Route(topic.into())))?;
    RouteData::decode(answer.body.as_deref()?).ok()
}

/// The masters of a topic, or another address of a broker without one.
fn masters(world: &dyn Answers, topic: &str) -> Vec<Name> {
    let route = route(world, topic).unwrap_or_default();
    let of = |data: &crate::mq::wire::body::BrokerData| {
        data.broker_addrs.get(&0).or_else(|| data.broker_addrs.values().next()).cloned()
    };
    route.broker_datas.iter().filter_map(of).collect()
}

/// The first nameserver that answers.
fn ask_nameserver<T: JsonBody>(world: &dyn Answers, code: i32, fields: &[(&str, &str)]) -> Option<T> {
    world.nameservers().iter().find_map(|addr| ask_broker(world, addr, code, fields))
}

/// The server that is there at an address, if it is the one that announces it.
fn ask_broker<T: JsonBody>(world: &dyn Answers, addr: &str, code: i32, fields: &[(&str, &str)]) -> Option<T> {
    let header = match fields {
        [] => Header::None,
        fields => Header::Other(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()),
    };
    let answer = world.ask(addr, code, header).filter(|answer| answer.code == response::SUCCESS)?;
    T::decode(answer.body.as_deref()?).ok()
}

/// Source: `QueryMsgByKeySubCommand.queryByKey`.
const KEY_MAX: i32 = 64;
