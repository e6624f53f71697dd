//! Order configurations: where a topic's queues are, whoever is alive.
//!
//! Each nameserver is given the text, one after the other: the first that cannot be reached ends the call, and those before it
//! keep what they were given.
//!
//! Source: `UpdateOrderConfCommand`, `UpdateTopicSubCommand` with `-o`, `MQClientAPIImpl.putKVConfigValue`,
//! `DefaultMQAdminExtImpl.createOrUpdateOrderConf`.

use std::collections::{BTreeMap, VecDeque};

use crate::mq::app::{AdminAnswer, AdminCall, AppError, ErrorKind, OrderConfAct, TopicAt};
use crate::mq::client::admin::ask::To;
use crate::mq::client::admin::topics::cluster_info;
use crate::mq::client::admin::{Admin, Ask, Thrown, runtime};
use crate::mq::client::exception::Exception;
use crate::mq::message::Name;
use crate::mq::message::java::{hash, map_order};
use crate::mq::node::Addr;
use crate::mq::wire::body::admin::ClusterInfo;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{Header, KvKeyHeader, PutKvHeader};

/// What is asked for an order configuration.
pub(super) fn asks(act: &OrderConfAct, nameservers: impl Iterator<Item = Addr>) -> VecDeque<Ask> {
    match act {
        OrderConfAct::Put(conf) => nameservers.map(|addr| Ask::PutOrder(addr, conf.clone())).collect(),
        OrderConfAct::Get => VecDeque::from([Ask::GetOrder]),
        OrderConfAct::Delete => nameservers.map(Ask::DeleteOrder).collect(),
    }
}

impl Admin {
    pub(super) fn order_words(&self, ask: &Ask) -> (To, i32, Header) {
        let (namespace, key) = (Name::from(ORDER_TOPIC_CONFIG), self.topic());
        match ask {
            Ask::PutOrder(addr, conf) => {
                let header = PutKvHeader { namespace, key, value: conf.clone() };
                (To::Nameserver(*addr), request::PUT_KV_CONFIG, Header::PutKv(Box::new(header)))
            }
            Ask::DeleteOrder(addr) => {
                let header = KvKeyHeader { namespace, key };
                (To::Nameserver(*addr), request::DELETE_KV_CONFIG, Header::KvKey(Box::new(header)))
            }
            _ => {
                let header = KvKeyHeader { namespace, key };
                (To::AnyNameserver, request::GET_KV_CONFIG, Header::KvKey(Box::new(header)))
            }
        }
    }

    /// The brokers that an ordered topic was made on, masters and those that have a slave alone, make up its configuration.
    ///
    /// Errors: nobody knows the cluster, which is a null. Source: `CommandUtil.fetchBrokerNameByClusterName`.
    pub(super) fn named(&mut self, command: &Command, nameservers: &[Addr]) -> Result<(), Thrown> {
        let AdminCall::UpdateTopic { at, write, .. } = &self.what else { return Ok(()) };
        let info = cluster_info(command);
        let cluster = match at {
            TopicAt::Cluster(cluster) => cluster,
            TopicAt::Broker(host) => {
                let own = Name::from(format!("{}:{write}", name_of(&info, &host.to_string()).ok_or_else(nobody)?));
                self.asks.push_back(Ask::JoinOrder(own));
                return Ok(());
            }
        };
        let mut brokers: Vec<&Name> = info.cluster_addr_table.get(cluster).ok_or_else(runtime)?.iter().collect();
        map_order(&mut brokers, |name| hash(name));
        let parts: Vec<String> = brokers.iter().map(|name| format!("{name}:{write}")).collect();
        let conf = Name::from(parts.join(";"));
        self.asks.extend(nameservers.iter().map(|addr| Ask::PutOrder(*addr, conf.clone())));
        Ok(())
    }

    /// A broker's part takes its place in the configuration that there is, whatever kept a nameserver from telling that.
    pub(super) fn joined(&mut self, own: &Name, answer: Result<Box<Command>, Exception>, nameservers: &[Addr]) {
        let told = answer.ok().filter(|command| command.code == response::SUCCESS);
        let old = match told.map(|command| std::mem::take(&mut { command }.header)) {
            Some(Header::KvValue(Some(value))) => value,
            _ => Name::default(),
        };
        let broker = |part: &str| part.split(':').next().unwrap_or_default().to_owned();
        let mut parts: BTreeMap<String, String> =
            old.split(';').filter(|part| !part.is_empty()).map(|part| (broker(part), part.to_owned())).collect();
        parts.insert(broker(own), own.to_string());
        let mut parts: Vec<(String, String)> = parts.into_iter().collect();
        map_order(&mut parts, |(name, _)| hash(name));
        let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
        let conf = Name::from(parts.join(";"));
        if let AdminAnswer::Ordered { conf, .. } = &mut self.told {
            *conf = own.clone();
        }
        self.asks.extend(nameservers.iter().map(|addr| Ask::PutOrder(*addr, conf.clone())));
    }

    /// A nameserver took a configuration: of a cluster it is told whole, of a broker its own part.
    pub(super) fn ordered(&mut self, addr: Addr, given: Name) {
        let is_part = matches!(&self.what, AdminCall::UpdateTopic { at: TopicAt::Broker(_), .. });
        match &mut self.told {
            AdminAnswer::Ordered { conf, .. } if !is_part => *conf = given,
            AdminAnswer::Ordered { .. } => {}
            _ => self.done_by(addr),
        }
    }

    /// A nameserver told a configuration.
    pub(super) fn order_is(&mut self, command: &Command) {
        if let Header::KvValue(Some(value)) = &command.header {
            self.told = AdminAnswer::Value(value.clone());
        }
    }
}

/// The broker's name at an address. Source: `CommandUtil.fetchBrokerNameByAddr`.
fn name_of<'a>(info: &'a ClusterInfo, addr: &str) -> Option<&'a Name> {
    let mut all = info.broker_addr_table.iter();
    all.find(|(_, data)| data.broker_addrs.values().any(|own| *own == *addr)).map(|(name, _)| name)
}

/// Source: `CommandUtil.ERROR_MESSAGE`.
fn nobody() -> Thrown {
    let text = Name::from(NOBODY_THERE);
    Box::new(AppError { kind: ErrorKind::Runtime, text, code: -1, attempts: 0, provably_not_stored: true })
}

/// Source: `CommandUtil.ERROR_MESSAGE`.
const NOBODY_THERE: &str = "Make sure the specified clusterName exists or the name server connected to is correct.";
/// Source: `NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG`.
const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";
