//! Topics made, changed, deleted, and closed for writing.
//!
//! Source: `CommandUtil`, `UpdateTopicSubCommand`, `DeleteTopicSubCommand`, `WipeWritePermSubCommand`.

use crate::mq::app::{AdminAnswer, AdminCall};
use crate::mq::client::admin::{Admin, Ask};
use crate::mq::client::exception::Exception;
use crate::mq::client::route::MASTER_ID;
use crate::mq::message::Name;
use crate::mq::message::java::{hash, map_order};
use crate::mq::node::Addr;
use crate::mq::wire::body::JsonBody;
use crate::mq::wire::body::admin::ClusterInfo;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::Header;

impl Admin {
    /// Who is to make the topic, or to delete it. A cluster that nobody knows has no brokers, and that is no error.
    pub(super) fn clustered(&mut self, command: &Command, nameservers: &[Addr]) {
        let info = command.body.as_deref().and_then(|body| ClusterInfo::decode(body).ok()).unwrap_or_default();
        match &self.what {
            AdminCall::UpdateTopic { cluster, .. } => {
                let masters = addresses(&info, cluster, true);
                self.asks.extend(masters.into_iter().map(Ask::Update));
            }
            AdminCall::DeleteTopic { cluster, .. } => {
                let brokers = addresses(&info, cluster, false);
                self.asks.extend(brokers.into_iter().map(Ask::Delete));
                let mut nameservers: Vec<Addr> = nameservers.to_vec();
                nameservers.sort_unstable();
                map_order(&mut nameservers, |addr| hash(&addr.to_string()));
                self.asks.extend(nameservers.into_iter().map(Ask::Forget));
            }
            _ => {}
        }
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
