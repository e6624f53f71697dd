//! Topics made, changed, deleted, and closed for writing.
//!
//! Source: `CommandUtil`, `UpdateTopicSubCommand`, `DeleteTopicSubCommand`, `WipeWritePermSubCommand`.

use crate::mq::app::{AdminAnswer, AdminCall, TopicAt};
use crate::mq::client::admin::{Admin, Ask};
use crate::mq::client::exception::Exception;
use crate::mq::client::route::MASTER_ID;
use crate::mq::message::java::{hash, map_order};
use crate::mq::message::names::{dlq_topic, retry_topic};
use crate::mq::message::{Name, Topic};
use crate::mq::node::Addr;
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::admin::ClusterInfo;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

impl Admin {
    /// Who is to make the topic, or to delete it. A cluster that nobody knows has no brokers, and that is no error.
    pub(super) fn clustered(&mut self, command: &Command) {
        let info = cluster_info(command);
        match &self.what {
            AdminCall::UpdateTopic { at: TopicAt::Cluster(cluster), order, .. } => {
                let masters = addresses(&info, cluster, true);
                self.asks.extend(masters.into_iter().map(Ask::Update));
                self.asks.extend(order.then_some(Ask::Names));
            }
            AdminCall::UpdateGroup { cluster, .. } => {
                let masters = addresses(&info, cluster, true);
                self.asks.extend(masters.into_iter().map(Ask::UpdateGroup));
            }
            AdminCall::DeleteGroup { cluster, group } => {
                let masters = addresses(&info, cluster, true);
                self.asks.extend(masters.into_iter().map(Ask::DeleteGroup));
                self.asks.extend([retry_topic(group), dlq_topic(group)].map(Ask::Holders));
            }
            _ => {}
        }
    }

    /// Who is to delete a topic: every broker of the cluster, then every nameserver.
    ///
    /// Source: `DeleteTopicSubCommand.deleteTopic`.
    pub(super) fn held_by(&mut self, command: &Command, topic: &Topic, nameservers: &[Addr]) {
        let (AdminCall::DeleteTopic { cluster, .. } | AdminCall::DeleteGroup { cluster, .. }) = &self.what else {
            return;
        };
        let brokers = addresses(&cluster_info(command), cluster, false).into_iter();
        let mut nameservers: Vec<Addr> = nameservers.to_vec();
        nameservers.sort_unstable();
        map_order(&mut nameservers, |addr| hash(&addr.to_string()));
        let deletes = brokers.map(|addr| Ask::Delete(addr, topic.clone()));
        let forgets = nameservers.into_iter().map(|addr| Ask::Forget(addr, topic.clone()));
        self.ask_first(deletes.chain(forgets).collect());
    }

    /// A nameserver closed the broker, or did not: the others are asked all the same.
    pub(super) fn wiped(&mut self, addr: Addr, answer: Result<Box<Command>, Exception>) {
        let count = answer.ok().filter(|command| command.code == response::SUCCESS);
        let count = count.and_then(|command| match command.header {
            Header::Wiped(count) => Some(count),
            _ => None,
        });
        if let AdminAnswer::Wiped(wiped) = &mut self.told {
            wiped.push((addr.to_string().into(), count));
        }
    }
}

/// What a nameserver said of the clusters.
pub(super) fn cluster_info(command: &Command) -> ClusterInfo {
    command.body.as_deref().and_then(|body| ClusterInfo::decode(body).ok()).unwrap_or_default()
}

/// The addresses of a cluster's brokers, in the order of a set of texts.
///
/// Source: `CommandUtil.fetchMasterAddrByClusterName`, `fetchMasterAndSlaveAddrByClusterName`.
fn addresses(info: &ClusterInfo, cluster: &Name, masters_only: bool) -> Vec<Addr> {
    let brokers = info.cluster_addr_table.get(cluster).into_iter().flatten();
    let data = brokers.filter_map(|broker| info.broker_addr_table.get(broker));
    let addrs = data.flat_map(|data| &data.broker_addrs).filter(|(id, _)| !masters_only || **id == MASTER_ID);
    let mut texts: Vec<&Name> = addrs.map(|(_, addr)| addr).collect();
    map_order(&mut texts, |text| hash(text));
    texts.into_iter().filter_map(|text| Addr::parse(text)).collect()
}
