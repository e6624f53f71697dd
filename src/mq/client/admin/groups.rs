//! Subscription groups made, changed and deleted.
//!
//! A group that is changed is replaced: what the command is not told becomes what the command starts from, and that forbids
//! broadcasting. A group that is deleted is back, with a release's own settings, as soon as a member names it, unless brokers
//! may not make groups.
//!
//! Source: `UpdateSubGroupSubCommand`, `DeleteSubscriptionGroupCommand`. Differs: upstream sleeps for a second behind a broker
//! that did not take a change.

use bytes::Bytes;

use crate::mq::app::{AdminAnswer, AdminCall};
use crate::mq::client::admin::{Admin, Ask};
use crate::mq::client::exception::Exception;
use crate::mq::message::{Group, Topic};
use crate::mq::node::Addr;
use crate::mq::wire::body::group::GroupConfig;
use crate::mq::wire::code::response;
use crate::mq::wire::command::Command;

impl Admin {
    /// The group that is deleted.
    pub(super) fn group(&self) -> Group {
        match &self.what {
            AdminCall::DeleteGroup { group, .. } => group.clone(),
            _ => Group::default(),
        }
    }

    /// The body of a change. Source: `MQClientAPIImpl.createSubscriptionGroup`.
    pub(super) fn settings(&self) -> Bytes {
        let AdminCall::UpdateGroup { settings, .. } = &self.what else { return Bytes::new() };
        let config = GroupConfig {
            group_name: settings.group.clone(),
            consume_enable: settings.consume,
            consume_from_min_enable: settings.from_min,
            consume_broadcast_enable: settings.broadcast,
            retry_queue_nums: settings.retry_queues,
            retry_max_times: settings.retries,
            broker_id: settings.broker_id,
            which_broker_when_consume_slowly: settings.slow_broker_id,
            notify_consumer_ids_changed_enable: settings.notify,
        };
        Bytes::from(config.to_json().compact())
    }

    /// Whether an answer is none, or says no, and the command goes on all the same: a broker that did not take a change of a
    /// group, and whatever comes behind a group's own end, of which the rest is then left out.
    pub(super) fn passes_over(&mut self, asked: &Ask, answer: &Result<Box<Command>, Exception>) -> bool {
        if answer.as_ref().is_ok_and(|command| command.code == response::SUCCESS) {
            return false;
        }
        match (asked, &self.what) {
            (Ask::UpdateGroup(_), _) => true,
            (Ask::Holders(_) | Ask::Delete(..) | Ask::Forget(..), AdminCall::DeleteGroup { .. }) => {
                self.asks.clear();
                true
            }
            _ => false,
        }
    }

    /// A nameserver forgot a topic; the last one of a topic of a group that is deleted ends that topic.
    pub(super) fn forgotten(&mut self, addr: Addr, topic: Topic) {
        let is_last = !matches!(self.asks.front(), Some(Ask::Forget(..)));
        match &mut self.told {
            AdminAnswer::GroupGone { topics, .. } if is_last => topics.push(topic),
            _ => self.done_by(addr),
        }
    }
}
