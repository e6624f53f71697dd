//! Who is connected: producers and consumers by group, as their heartbeats say.
//!
//! Source: `ProducerManager`, `ConsumerManager`, `ConsumerGroupInfo`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::mq::filter::{is_tag_type, tag};
use crate::mq::message::{Group, Name, Topic};
use crate::mq::node::ConnId;
use crate::mq::time::Millis;
use crate::mq::wire::body::{ConsumerData, SubscriptionData};

/// All members.
#[derive(Clone, Debug, Default)]
pub struct Members {
    producers: BTreeMap<Group, BTreeMap<ConnId, Member>>,
    consumers: BTreeMap<Group, ConsumerGroup>,
    /// Whose heartbeats are not heard; nobody's, but with a mistake planted.
    expelled: BTreeSet<(Group, ConnId)>,
}

/// A client in a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its id.
    pub client_id: Name,
    /// When its last heartbeat came.
    pub last: Millis,
}

/// A consumer group. Model and types are the last heartbeat's.
#[derive(Clone, Debug, Default)]
pub struct ConsumerGroup {
    /// `CLUSTERING` or `BROADCASTING`.
    pub message_model: Name,
    /// `CONSUME_PASSIVELY` (push) or `CONSUME_ACTIVELY` (pull).
    pub consume_type: Name,
    /// Where a group without a place begins, as its members see it.
    pub consume_from_where: Name,
    /// What it subscribes to.
    pub subscriptions: BTreeMap<Topic, Subscription>,
    /// Its topics in the order in which they came.
    pub topics: Vec<Topic>,
    /// Its members.
    pub members: BTreeMap<ConnId, Member>,
}

/// A topic's subscription as pulls look at it.
#[derive(Clone, PartialEq, Debug)]
pub struct Subscription {
    /// When it was built.
    pub version: i64,
    /// The tag hashes that pass; `None` is all.
    pub codes: Option<Arc<[i32]>>,
    /// `TAG` or `SQL92`.
    pub expression_type: Name,
    /// The whole of it, for who asks.
    pub data: Arc<SubscriptionData>,
}

/// A client that left a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// The group.
    pub group: Group,
    /// The client.
    pub client: Name,
    /// Whether it was a consumer.
    pub is_consumer: bool,
}

impl Subscription {
    /// From a heartbeat's or a request's data.
    pub fn of(data: &SubscriptionData) -> Subscription {
        let is_all = data.sub_string == tag::ALL || !is_tag_type(Some(&data.expression_type));
        Subscription {
            version: data.sub_version,
            codes: (!is_all).then(|| data.code_set.clone().into()),
            expression_type: data.expression_type.clone(),
            data: Arc::new(data.clone()),
        }
    }

    /// Whether a tag hash passes. Source: `DefaultMessageFilter`, `ExpressionMessageFilter.isMatchedByConsumeQueue`.
    pub fn passes(&self, code: i64) -> bool {
        self.codes.as_ref().is_none_or(|codes| codes.contains(&(code as i32)))
    }
}

impl Members {
    /// A producer's heartbeat; whether it is new.
    pub fn register_producer(&mut self, group: &Group, conn: ConnId, client_id: &Name, now: Millis) -> bool {
        let member = Member { client_id: client_id.clone(), last: now };
        self.producers.entry(group.clone()).or_default().insert(conn, member).is_none()
    }

    /// A consumer's heartbeat: whether it is new, and whether the group changed.
    ///
    /// A newer version of a known subscription replaces it and does not count as a change; topics that this heartbeat does
    /// not name are removed. Source: `ConsumerManager.registerConsumer`, `ConsumerGroupInfo.updateSubscription`.
    pub fn register_consumer(
        &mut self,
        data: &ConsumerData,
        conn: ConnId,
        client_id: &Name,
        now: Millis,
    ) -> (bool, bool) {
        if self.expelled.contains(&(data.group_name.clone(), conn)) {
            return (false, false);
        }
        let group = self.consumers.entry(data.group_name.clone()).or_default();
        group.message_model = data.message_model.clone();
        group.consume_type = data.consume_type.clone();
        group.consume_from_where = data.consume_from_where.clone();
        let member = Member { client_id: client_id.clone(), last: now };
        let is_new = group.members.insert(conn, member).is_none();
        let mut changed = is_new;
        for subscription in &data.subscription_data_set {
            match group.subscriptions.get_mut(&subscription.topic) {
                None => {
                    group.subscriptions.insert(subscription.topic.clone(), Subscription::of(subscription));
                    group.topics.push(subscription.topic.clone());
                    changed = true;
                }
                Some(known) if known.version < subscription.sub_version => *known = Subscription::of(subscription),
                Some(_) => {}
            }
        }
        let before = group.subscriptions.len();
        group.subscriptions.retain(|topic, _| data.subscription_data_set.iter().any(|named| named.topic == *topic));
        group.topics.retain(|topic| group.subscriptions.contains_key(topic));
        (is_new, changed || group.subscriptions.len() != before)
    }

    /// A consumer group.
    pub fn consumer_group(&self, group: &str) -> Option<&ConsumerGroup> {
        self.consumers.get(group)
    }

    /// The groups whose members subscribe to a topic. Source: `ConsumerManager.queryTopicConsumeByWho`.
    pub fn subscribers(&self, topic: &Topic) -> impl Iterator<Item = &Group> {
        self.consumers.iter().filter(|(_, info)| info.subscriptions.contains_key(topic)).map(|(group, _)| group)
    }

    /// Every member of every group: group, client, whether it consumes.
    pub fn each(&self) -> impl Iterator<Item = (&Group, &Name, bool)> {
        let producers = self
            .producers
            .iter()
            .flat_map(|(group, members)| members.values().map(move |m| (group, &m.client_id, false)));
        let consumers = self
            .consumers
            .iter()
            .flat_map(|(group, info)| info.members.values().map(move |m| (group, &m.client_id, true)));
        producers.chain(consumers)
    }

    /// The connections of a producer group's members, with their ids; `None` for a group that never had any.
    pub fn producer_group(&self, group: &str) -> Option<impl Iterator<Item = (ConnId, &Name)>> {
        let members = self.producers.get(group)?;
        Some(members.iter().map(|(conn, member)| (*conn, &member.client_id)))
    }

    /// Takes a client out of its groups by request. Source: `ClientManageProcessor.unregisterClient`.
    pub fn unregister(&mut self, conn: ConnId, producer: Option<&Group>, consumer: Option<&Group>) -> Vec<Left> {
        let mut left = Vec::new();
        if let Some(group) = producer {
            left.extend(self.leave_producers(group, conn));
            self.producers.retain(|_, members| !members.is_empty());
        }
        if let Some(group) = consumer {
            left.extend(self.leave_consumers(group, conn));
        }
        left
    }

    /// A connection is gone: out of every group. Empty producer groups stay, as upstream. Source: `doChannelCloseEvent`.
    pub fn channel_gone(&mut self, conn: ConnId) -> Vec<Left> {
        let producers: Vec<Group> = self
            .producers
            .iter()
            .filter(|(_, members)| members.contains_key(&conn))
            .map(|(group, _)| group.clone())
            .collect();
        let consumers: Vec<Group> = self
            .consumers
            .iter()
            .filter(|(_, info)| info.members.contains_key(&conn))
            .map(|(group, _)| group.clone())
            .collect();
        let mut left: Vec<Left> = producers.iter().filter_map(|group| self.leave_producers(group, conn)).collect();
        left.extend(consumers.iter().filter_map(|group| self.leave_consumers(group, conn)));
        left
    }

    /// Takes a consumer out for good ([`crate::mq::mistake::Mistake::UnregisterTakesAll`]).
    pub fn expel(&mut self, group: &Group, conn: ConnId) -> Vec<Left> {
        self.expelled.insert((group.clone(), conn));
        self.unregister(conn, None, Some(group))
    }

    /// Connections whose last heartbeat is older than two minutes. Source: `scanNotActiveChannel`.
    pub fn expired(&self, now: Millis) -> Vec<ConnId> {
        let is_old = |member: &Member| now.since(member.last) > EXPIRED_MS;
        let members = self.producers.values().chain(self.consumers.values().map(|info| &info.members));
        let mut old: Vec<ConnId> =
            members.flatten().filter(|(_, member)| is_old(member)).map(|(conn, _)| *conn).collect();
        old.sort_unstable();
        old.dedup();
        old
    }

    /// When the member that was silent longest was heard last.
    pub fn oldest(&self) -> Option<Millis> {
        let members = self.producers.values().chain(self.consumers.values().map(|info| &info.members));
        members.flatten().map(|(_, member)| member.last).min()
    }

    fn leave_producers(&mut self, group: &Group, conn: ConnId) -> Option<Left> {
        let member = self.producers.get_mut(group)?.remove(&conn)?;
        Some(Left { group: group.clone(), client: member.client_id, is_consumer: false })
    }

    fn leave_consumers(&mut self, group: &Group, conn: ConnId) -> Option<Left> {
        let info = self.consumers.get_mut(group)?;
        let member = info.members.remove(&conn)?;
        if info.members.is_empty() {
            self.consumers.remove(group);
        }
        Some(Left { group: group.clone(), client: member.client_id, is_consumer: true })
    }
}

/// Source: `ProducerManager.CHANNEL_EXPIRED_TIMEOUT`, `ConsumerManager.CHANNEL_EXPIRED_TIMEOUT`.
pub const EXPIRED_MS: i64 = 120_000;
