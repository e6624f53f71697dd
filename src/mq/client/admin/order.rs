//! Order configurations: where a topic's queues are, whoever is alive.
//!
//! Each nameserver is given the text, one after the other: the first that cannot be reached ends the call, and those before it
//! keep what they were given.
//!
//! Source: `UpdateOrderConfCommand`, `UpdateTopicSubCommand` with `-o`, `MQClientAPIImpl.putKVConfigValue`. Differs: a topic that
//! is made on one broker alone (`-b`), whose configuration is joined to the one there is, is not built.

use std::collections::VecDeque;

use crate::mq::app::{AdminAnswer, AdminCall, OrderConfAct};
use crate::mq::client::admin::ask::To;
use crate::mq::client::admin::topics::cluster_info;
use crate::mq::client::admin::{Admin, Ask, Thrown, runtime};
use crate::mq::message::Name;
use crate::mq::message::java::{hash, map_order};
use crate::mq::node::Addr;
use crate::mq::wire::code::request;
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
        let AdminCall::UpdateTopic { cluster, write, .. } = &self.what else { return Ok(()) };
        let info = cluster_info(command);
        let mut brokers: Vec<&Name> = info.cluster_addr_table.get(cluster).ok_or_else(runtime)?.iter().collect();
        map_order(&mut brokers, |name| hash(name));
        let parts: Vec<String> = brokers.iter().map(|name| format!("{name}:{write}")).collect();
        let conf = Name::from(parts.join(";"));
        self.asks.extend(nameservers.iter().map(|addr| Ask::PutOrder(*addr, conf.clone())));
        Ok(())
    }

    /// A nameserver took a configuration.
    pub(super) fn ordered(&mut self, addr: Addr, given: Name) {
        match &mut self.told {
            AdminAnswer::Ordered { conf, .. } => *conf = given,
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

/// Source: `NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG`.
const ORDER_TOPIC_CONFIG: &str = "ORDER_TOPIC_CONFIG";
