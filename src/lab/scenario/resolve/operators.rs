//! Operators, and what they ask for.

use std::ops::Range;

use toml::Spanned;

use super::sharing::moment;
use super::{Resolver, clip, place};
use crate::lab::scenario::operator::{
    DeleteGroupScript, DeleteTopicScript, OrderConfScript, QueryScript, ResetScript, UpdateGroupScript,
    UpdateTopicScript, WipeScript,
};
use crate::lab::scenario::plan::{NodeKind, NodePlan};
use crate::lab::scenario::script::Text;
use crate::lab::scenario::table::Table;
use crate::lab::workload::ops::Operator;
use crate::mq::app::{AdminCall, GroupSettings, OrderConfAct, ResetTo, ResetWay, TopicAt};
use crate::mq::message::{Host, Name};
use crate::mq::time::Span;

impl Resolver<'_> {
    /// The operators of a script; processes of their own come behind all nodes there are.
    pub(super) fn operators(&mut self, nodes: &mut Vec<NodePlan>) -> Vec<Operator> {
        let script = self.script;
        let mut operators = Vec::new();
        let is_client = |node: &NodePlan| matches!(node.kind, NodeKind::Client(_));
        let (mut clients, servers): (Vec<NodePlan>, Vec<NodePlan>) = nodes.drain(..).partition(is_client);
        for operator in &script.operator {
            let table = operator.get_ref();
            let Some(at) = self.process(&mut clients, &servers, (&table.name, &table.process), &table.start) else {
                continue;
            };
            let mut calls: Vec<(Span, AdminCall)> = table.reset.iter().map(|one| self.reset(one)).collect();
            calls.extend(table.update_topic.iter().map(|one| self.update_topic(one, &servers)));
            calls.extend(table.delete_topic.iter().map(|one| self.delete_topic(one)));
            calls.extend(table.order_conf.iter().filter_map(|one| self.order_conf(one)));
            calls.extend(table.update_group.iter().map(|one| self.update_group(one)));
            calls.extend(table.delete_group.iter().map(|one| self.delete_group(one)));
            calls.extend(table.wipe_write_perm.iter().map(|one| self.wipe(one)));
            calls.extend(table.query.iter().filter_map(|one| self.query(one)));
            operators.push(Operator { node: clients[at].name.clone(), calls });
        }
        nodes.extend(servers);
        nodes.extend(clients);
        operators
    }

    fn reset(&mut self, reset: &Spanned<Table<ResetScript>>) -> (Span, AdminCall) {
        let table = reset.get_ref();
        let group = self.legal(&table.group, "group", reset.span());
        let topic = self.legal(&table.topic, "topic", reset.span());
        let to = self.reset_to(&table.to);
        let force = table.force.unwrap_or(true);
        let ways = [("either", ResetWay::Either), ("members", ResetWay::Members), ("table", ResetWay::Table)];
        let way = self.word(&table.way, "way", &ways);
        (self.span(&table.wait, Span::ZERO), AdminCall::ResetOffset { group, topic, to, force, way })
    }

    fn update_topic(&mut self, update: &Spanned<Table<UpdateTopicScript>>, servers: &[NodePlan]) -> (Span, AdminCall) {
        let table = update.get_ref();
        let topic = self.legal(&table.topic, "topic", update.span());
        let at = match &table.broker {
            None => TopicAt::Cluster(self.cluster_of(&table.cluster, update.span())),
            Some(broker) => {
                if let Some(cluster) = &table.cluster {
                    let message = "a topic is made on a broker or on a cluster".to_owned();
                    self.wrong("contradiction", Some(cluster.span()), message, "leave `cluster` or `broker` out");
                }
                TopicAt::Broker(self.host_of(broker, servers))
            }
        };
        let mut queues = |given: &Option<Spanned<i64>>, what: &str| self.number(given, QUEUES, 0..=1024, what) as i32;
        let (read, write) = (queues(&table.read, "read"), queues(&table.write, "write"));
        let perm = self.number(&table.perm, READ_WRITE, 0..=7, "perm") as i32;
        let order = table.order.unwrap_or(false);
        (self.span(&table.wait, Span::ZERO), AdminCall::UpdateTopic { topic, at, read, write, perm, order })
    }

    /// Where a broker says that it is, as an operator types it.
    fn host_of(&mut self, broker: &Text, servers: &[NodePlan]) -> Host {
        let name = self.node(broker);
        let found = servers.iter().find_map(|node| match &node.kind {
            NodeKind::Broker(plan) if node.name == name => {
                Some(Host { ip: plan.broker_ip1, port: i32::from(plan.listen_port) })
            }
            _ => None,
        });
        if found.is_none() && self.nodes.contains(&name) {
            let message = format!("\"{name}\" is no broker");
            self.wrong("wrong_value", Some(broker.span()), message, "a topic is made on a broker");
        }
        found.unwrap_or_default()
    }

    fn order_conf(&mut self, order: &Spanned<Table<OrderConfScript>>) -> Option<(Span, AdminCall)> {
        let table = order.get_ref();
        let topic = self.legal(&table.topic, "topic", order.span());
        let methods = [("put", Method::Put), ("get", Method::Get), ("delete", Method::Delete)];
        let method = self.word(&table.method, "method", &methods);
        let conf = table.conf.as_ref().map(|conf| conf.get_ref().trim()).filter(|conf| !conf.is_empty());
        let act = match (method, conf) {
            (Method::Put, Some(conf)) => OrderConfAct::Put(conf.into()),
            (Method::Get, None) => OrderConfAct::Get,
            (Method::Delete, None) => OrderConfAct::Delete,
            (Method::Put, None) => {
                let help = "please set orderConf, e.g. `conf = \"broker-a:4;broker-b:4\"`";
                self.wrong("missing", Some(super::head(order.span())), "this has no order configuration".into(), help);
                return None;
            }
            (Method::Get | Method::Delete, Some(_)) => {
                let message = "an order configuration is given, and not put".to_owned();
                self.wrong("contradiction", place(&table.conf), message, "leave `conf` out, or say `method = \"put\"`");
                return None;
            }
        };
        Some((self.span(&table.wait, Span::ZERO), AdminCall::OrderConf { topic, act }))
    }

    fn update_group(&mut self, update: &Spanned<Table<UpdateGroupScript>>) -> (Span, AdminCall) {
        let table = update.get_ref();
        let group = self.legal(&table.group, "group", update.span());
        let cluster = self.cluster_of(&table.cluster, update.span());
        let settings = Box::new(GroupSettings {
            group,
            consume: table.consume.unwrap_or(true),
            from_min: table.from_min.unwrap_or(false),
            broadcast: table.broadcast.unwrap_or(false),
            retry_queues: self.number(&table.retry_queues, RETRY_QUEUES, 0..=1024, "retry_queues") as i32,
            retries: self.number(&table.retries, RETRIES, -1..=1024, "retries") as i32,
            broker_id: self.number(&table.broker_id, 0, 0..=1024, "broker_id"),
            slow_broker_id: self.number(&table.slow_broker_id, SLOW_BROKER, 0..=1024, "slow_broker_id"),
            notify: table.notify.unwrap_or(true),
        });
        (self.span(&table.wait, Span::ZERO), AdminCall::UpdateGroup { cluster, settings })
    }

    fn delete_group(&mut self, delete: &Spanned<Table<DeleteGroupScript>>) -> (Span, AdminCall) {
        let table = delete.get_ref();
        let group = self.legal(&table.group, "group", delete.span());
        let cluster = self.cluster_of(&table.cluster, delete.span());
        (self.span(&table.wait, Span::ZERO), AdminCall::DeleteGroup { group, cluster })
    }

    fn delete_topic(&mut self, delete: &Spanned<Table<DeleteTopicScript>>) -> (Span, AdminCall) {
        let table = delete.get_ref();
        let topic = self.legal(&table.topic, "topic", delete.span());
        let cluster = self.cluster_of(&table.cluster, delete.span());
        (self.span(&table.wait, Span::ZERO), AdminCall::DeleteTopic { topic, cluster })
    }

    fn wipe(&mut self, wipe: &Spanned<Table<WipeScript>>) -> (Span, AdminCall) {
        let table = wipe.get_ref();
        let broker = self.legal(&table.broker, "broker", wipe.span());
        (self.span(&table.wait, Span::ZERO), AdminCall::WipeWritePerm { broker })
    }

    fn query(&mut self, query: &Spanned<Table<QueryScript>>) -> Option<(Span, AdminCall)> {
        let table = query.get_ref();
        let given = |text: &Option<Text>| text.as_ref().map(|text| Name::from(text.get_ref().as_str()));
        let mut topic = || self.legal(&table.topic, "topic", query.span());
        let call = match (given(&table.id), given(&table.key), given(&table.unique_key)) {
            (Some(id), None, None) => AdminCall::ViewMessage { id },
            (None, Some(key), None) => AdminCall::QueryByKey { topic: topic(), key },
            (None, None, Some(id)) => AdminCall::QueryByUniqueKey { topic: topic(), id },
            _ => {
                let message = "this query does not say what it looks for, or says it twice".to_owned();
                let help = "give one of `id`, `key` and `unique_key`, the last two with a `topic`";
                self.wrong("contradiction", Some(super::head(query.span())), message, help);
                return None;
            }
        };
        Some((self.span(&table.wait, Span::ZERO), call))
    }

    fn cluster_of(&mut self, cluster: &Option<Text>, at: Range<usize>) -> Name {
        match cluster {
            Some(_) => self.legal(cluster, "cluster", at),
            None => CLUSTER.into(),
        }
    }

    fn reset_to(&mut self, to: &Option<Text>) -> ResetTo {
        let help = "`now`, `end`, or year, month, day, hour, minute and second of UTC in one: \"20181110163000\"";
        let Some(text) = to else {
            self.wrong("missing", None, "this reset does not say where to".into(), help);
            return ResetTo::Now;
        };
        match text.get_ref().as_str() {
            "now" => return ResetTo::Now,
            "end" => return END,
            _ => {}
        }
        match moment(text.get_ref()) {
            Some(moment) => ResetTo::At(moment.0),
            None => {
                let message = format!("`{}` is no moment", clip(text.get_ref()));
                self.wrong("wrong_value", place(to), message, help);
                ResetTo::Now
            }
        }
    }
}

/// What is done with an order configuration.
#[derive(Clone, Copy)]
enum Method {
    Put,
    Get,
    Delete,
}

/// The end of each queue. Source: `Broker2Client.resetOffset`, `DefaultMQAdminExtImpl.resetOffsetConsumeOffset`.
const END: ResetTo = ResetTo::At(-1);
/// Source: `UpdateTopicSubCommand`.
const QUEUES: i64 = 8;
/// Source: `TopicConfig.perm`.
const READ_WRITE: i64 = 6;
/// Source: `SubscriptionGroupConfig.retryQueueNums`.
const RETRY_QUEUES: i64 = 1;
/// Source: `SubscriptionGroupConfig.retryMaxTimes`.
const RETRIES: i64 = 16;
/// Source: `SubscriptionGroupConfig.whichBrokerWhenConsumeSlowly`.
const SLOW_BROKER: i64 = 1;
/// Source: `BrokerConfig.brokerClusterName`.
const CLUSTER: &str = "DefaultCluster";
