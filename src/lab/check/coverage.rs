//! G36: when all is quiet, every queue of a group's topics has one owner: it is pulled by one member, and by no other.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::history::{History, Image};
use crate::lab::check::scene::{Club, QueueKey, Scene, brokers, clubs};
use crate::lab::check::{Judged, seconds};
use crate::lab::oracle::config::Config;
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::time::{Span, Time};

/// Who reads a queue while all is quiet, each with the last time.
pub(super) type Owners = BTreeMap<NodeId, (Seq, Time)>;

/// The queues that members of a group can read, with who does so since a moment.
pub(super) fn owners<'a>(scene: &Scene<'a>, club: &'a Club<'a>, since: Time) -> BTreeMap<QueueKey<'a>, Owners> {
    let history = scene.history;
    let mut owners: BTreeMap<QueueKey<'_>, Owners> = BTreeMap::new();
    for (node, broker) in brokers(scene.plan) {
        let is_there = scene.master(&broker.broker_name).is_some_and(|(master, _)| master == node);
        if !is_there || !is_found(scene.plan, node, broker, club) {
            continue;
        }
        let Some(image) = history.disks.iter().rfind(|disk| disk.node == node) else { continue };
        let topics = Config::read(&Image(&image.cached)).topics;
        let own = club.subscriptions.iter().map(|(topic, _)| topic.as_str()).chain([club.retry.as_str()]);
        for topic in own {
            let Some(found) = topics.get(topic).filter(|topic| topic.permission & READS != 0) else { continue };
            for queue in 0..i32::try_from(found.read_queues).unwrap_or(0).min(QUEUES_MAX) {
                owners.insert((&broker.broker_name, topic, queue), Owners::new());
            }
        }
    }
    for pull in history.signs.pulls.iter().filter(|pull| since <= pull.at && *pull.place.group == **club.group) {
        let Some(name) = scene.broker_name(pull.broker) else { continue };
        if let Some(own) = owners.get_mut(&(name, pull.place.topic.as_str(), pull.place.queue)) {
            own.insert(pull.from, (pull.seq, pull.at));
        }
    }
    for delivery in history.deliveries.iter().filter(|one| since <= one.at && one.group == *club.group) {
        let queue = &delivery.queue;
        if let Some(own) = owners.get_mut(&(queue.broker.as_str(), queue.topic.as_str(), queue.queue_id)) {
            own.entry(delivery.node).or_insert((delivery.seq, delivery.at));
        }
    }
    owners
}

/// Whether the members learn of a broker, and find it where it says that it is.
fn is_found(plan: &Plan, node: NodeId, broker: &BrokerPlan, club: &Club<'_>) -> bool {
    let all = |names: &[crate::mq::message::Name]| names.iter().cloned().collect::<BTreeSet<_>>();
    let is_like = club.members.iter().all(|(member, _)| match &plan.nodes[usize::from(member.0)].kind {
        NodeKind::Client(client) => all(&client.nameservers) == all(&broker.nameservers),
        _ => false,
    });
    is_like && plan.nodes[usize::from(node.0)].ip == broker.broker_ip1
}

/// Since the routes, the members and the faults have settled, no queue has two owners and none has nobody.
///
/// Judged by what members pull: a queue of which a listener still holds something may rest.
pub(super) fn rebalance_coverage(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let since = scene.settles(history.end);
    if !scene.is_whole() || history.end < since + LOOKS {
        return Judged::inconclusive("it was never quiet for long enough", "没有足够长的平静期");
    }
    let (mut looked_at, clubs) = (0, clubs(plan));
    for club in &clubs {
        let is_alike = club.members.iter().all(|(_, member)| member.strategy == club.members[0].1.strategy);
        // The others leave queues to nobody by their own rules.
        if !is_alike || !club.members[0].1.shares_out_all() {
            continue;
        }
        for ((broker, topic, queue), owners) in owners(&scene, club, since) {
            looked_at += 1;
            let clause = match owners.len() {
                1 => continue,
                0 if is_busy(&scene, club, (broker, topic, queue)) => continue,
                0 => "nobody",
                _ => "two owners",
            };
            let group = club.group;
            let witness = owners.values().map(|(seq, _)| *seq).collect();
            let span = seconds(history.end.since(since));
            return Judged::violation(
                clause,
                witness,
                format!("{topic}/{queue} of {broker} in {group}, quiet for {span}: {clause}"),
                format!("{broker} 的 {topic}/{queue} 在 {group} 中，平静 {span} 后：{clause}"),
            );
        }
    }
    match looked_at {
        0 => Judged::inconclusive("no group shares queues that can be read", "没有可分配的队列"),
        _ => Judged::pass(format!("{looked_at} queues, one owner each"), format!("{looked_at} 个队列各有一个所有者")),
    }
}

/// Whether a listener still holds something of a queue.
pub(super) fn is_busy(scene: &Scene<'_>, club: &Club<'_>, (broker, topic, queue): QueueKey<'_>) -> bool {
    scene.history.deliveries.iter().any(|one| {
        one.end.is_none()
            && one.group == *club.group
            && (&*one.queue.broker, &*one.queue.topic, one.queue.queue_id) == (broker, topic, queue)
    })
}

/// A pull is held for at most 30 s.
const LOOKS: Span = Span::from_secs(60);
/// Source: `PermName.PERM_READ`.
const READS: i64 = 4;
/// More queues than this no topic has.
const QUEUES_MAX: i32 = 4_096;
