//! Consumers that were told while they ran to want something else, or to rest.
//!
//! What a group is owed follows from what it always wanted: a topic that a member gave up, or that not all members took, is
//! promised to nobody (K16), and of one whose selector changed only what every selector takes.

use crate::lab::check::filters::Selected;
use crate::lab::check::history::History;
use crate::lab::trace::record::{NodeId, Record};
use crate::mq::app::MessageSelector;
use crate::mq::app::steer::Steering;
use crate::mq::message::Group;
use crate::mq::time::Time;

/// One call to a push consumer.
#[derive(Debug)]
pub(super) struct Told {
    node: NodeId,
    at: Time,
    group: Group,
    what: Steering,
}

impl Told {
    pub(super) fn of(record: &Record, node: NodeId, group: &Group, what: &Steering) -> Told {
        Told { node, at: record.at, group: group.clone(), what: what.clone() }
    }
}

/// What the members of one group were told, in order.
pub(super) struct Minds<'a> {
    told: Vec<&'a Told>,
    members: Vec<NodeId>,
    history: &'a History,
}

impl<'a> Minds<'a> {
    /// Of these members.
    pub(super) fn of(history: &'a History, group: &str, members: Vec<NodeId>) -> Minds<'a> {
        let told = history.told.iter().filter(|told| *told.group == *group && members.contains(&told.node)).collect();
        Minds { told, members, history }
    }

    /// When the group last changed its mind, rested or went on.
    pub(super) fn last(&self) -> Time {
        self.told.iter().map(|told| told.at).max().unwrap_or(Time::ZERO)
    }

    /// Whether somebody subscribed or unsubscribed.
    pub(super) fn has_turned(&self) -> bool {
        self.told.iter().any(|told| matches!(told.what, Steering::Subscribe { .. } | Steering::Unsubscribe { .. }))
    }

    /// Whether a member that is up rests when the run ends: its queues are nobody else's.
    pub(super) fn rests(&self) -> bool {
        self.members.iter().any(|node| {
            let Some(since) = self.history.up_since.get(node) else { return false };
            let mut own = self.told.iter().filter(|told| told.node == *node && *since <= told.at);
            let last = own.rfind(|told| matches!(told.what, Steering::Suspend | Steering::Resume));
            last.is_some_and(|told| told.what == Steering::Suspend)
        })
    }

    /// What was subscribed to of a topic while the members ran.
    fn taken(&self, topic: &str) -> impl Iterator<Item = (NodeId, &'a MessageSelector)> {
        self.told.iter().filter_map(move |told| match &told.what {
            Steering::Subscribe { topic: own, selector } if *own == *topic => Some((told.node, selector)),
            _ => None,
        })
    }

    /// Whether something of a topic may be handed to the group, beside what its members began with.
    pub(super) fn may_take<'b>(&self, topic: &str, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        let mut may = false;
        for (_, selector) in self.taken(topic) {
            may |= Selected::of(selector).takes(property)?;
        }
        Some(may)
    }

    /// Whether a message is promised to the group, some of whose members wanted it in the beginning, or nobody did.
    pub(super) fn keeps<'b>(
        &self,
        began: bool,
        topic: &str,
        property: &dyn Fn(&str) -> Option<&'b str>,
    ) -> Option<bool> {
        let is_left = |told: &&Told| matches!(&told.what, Steering::Unsubscribe { topic: own } if *own == *topic);
        if self.told.iter().any(is_left) {
            return Some(false);
        }
        let mut taken = self.taken(topic).peekable();
        if taken.peek().is_none() {
            return Some(began);
        }
        if !self.members.iter().all(|member| self.taken(topic).any(|(node, _)| node == *member)) {
            return Some(false);
        }
        for (_, selector) in taken {
            if !Selected::of(selector).takes(property)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether nothing but what members began with, or what they were told while they ran, makes this topic one of theirs.
    pub(super) fn turned_to(&self, topic: &str) -> bool {
        self.taken(topic).next().is_some()
    }
}
