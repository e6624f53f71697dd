//! G35: in broadcasting every live subscriber gets every message.

use std::collections::BTreeMap;

use crate::lab::check::Judged;
use crate::lab::check::delivery::{GRACE, Owed, is_severed, owed, reachable};
use crate::lab::check::filters::Wants;
use crate::lab::check::history::{History, Image};
use crate::lab::check::ids::Ids;
use crate::lab::check::letters::Delivery;
use crate::lab::check::minds::Minds;
use crate::lab::check::scene::{SETTLES, Scene};
use crate::lab::fault::episode::FaultKind;
use crate::lab::oracle::local_offsets::{self, LocalOffsets};
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{ConsumeFrom, MessageModel};
use crate::mq::message::{MessageQueue, Name};
use crate::mq::time::{Span, Time};

/// A consumer that broadcasts, alive at the end.
struct Subscriber<'a> {
    name: &'a Name,
    consumer: &'a ConsumerPlan,
    /// Since when its process is up.
    since: Time,
    /// What its offset file said when its process before this one died.
    kept: LocalOffsets,
    /// The lowest offset of each queue that this process was handed.
    begins: BTreeMap<(String, String, i64), i64>,
    /// What any process of the node was handed.
    handed: Ids,
    wants: Wants<'a>,
}

/// Whether anybody broadcasts.
pub(super) fn is_done_in(plan: &Plan) -> bool {
    plan.nodes.iter().any(|node| match &node.kind {
        NodeKind::Client(client) => {
            client.consumers.iter().any(|consumer| consumer.model == MessageModel::Broadcasting)
        }
        _ => false,
    })
}

/// Every acknowledged message that a broker which is up still has and that lies at or behind a live subscriber's place in its queue was handed to it, whatever it answered.
///
/// The place is what its own file says; without that 0 for one that begins at the first offset. One that begins elsewhere is
/// owed what lies behind the first message it was handed, and what was sent a minute or more after it came up. A file that is
/// lost, or had not been written yet, loses its owner's place and is no violation.
pub(super) fn broadcast_complete(history: &History, plan: &Plan) -> Judged {
    let subscribers = subscribers(history, plan);
    if subscribers.is_empty() {
        return Judged::inconclusive("nobody broadcasts and is up at the end", "结束时没有存活的广播消费者");
    }
    let reached = reachable(history, plan);
    let mut all = owed(history, plan);
    all.retain(|message| reached.by_anybody.contains(message.id));
    let calls: BTreeMap<Seq, Time> = history.sends.iter().map(|send| (send.seq, send.at)).collect();
    let scene = Scene::of(history, plan);
    let last_wrong = (scene.last_wrong() + GRACE).max(shaken(history, plan) + LEARNS);
    // Who is shaken off pulls again after the next heartbeat and rebalance, whose broker is forgotten after the next route, too; a
    // master that is gone is asked until its route is.
    let patience = |message: &Owed<'_>| match scene.master(message.broker) {
        Some((master, _)) if history.up_since.contains_key(&master) => last_wrong,
        _ => scene.last_wrong() + SETTLES,
    };
    let (mut count, mut pending) = (0, 0);
    for subscriber in &subscribers {
        for message in all.iter().filter(|message| subscriber.is_owed(message, &calls)) {
            count += 1;
            if subscriber.handed.contains(message.id) {
                continue;
            }
            if (message.at.max(subscriber.since) + GRACE).max(patience(message)) > history.end {
                pending += 1;
                continue;
            }
            let (name, to) = (message.name(), subscriber.name);
            return Judged::violation(
                "never delivered",
                message.seen(),
                format!("{name} was never delivered to {to}, which broadcasts in group {}", subscriber.consumer.group),
                format!("{name} 从未投递给广播消费组 {} 的 {to}", subscriber.consumer.group),
            );
        }
    }
    match (count, pending) {
        (0, _) => Judged::inconclusive("no message was owed to a subscriber", "没有应投递给广播消费者的消息"),
        (_, 0) => Judged::pass(
            format!("{count} owed to {} subscribers, {count} delivered", subscribers.len()),
            format!("{} 个广播消费者应收 {count} 条，已收 {count} 条", subscribers.len()),
        ),
        (_, open) => {
            let en = format!("{open} of {count} owed are not delivered yet when the run ends");
            Judged::inconclusive(&en, &format!("运行结束时 {count} 条中还有 {open} 条未投递"))
        }
    }
}

/// When something last happened that was not to a client's process alone: a name server may have forgotten a broker.
fn shaken(history: &History, plan: &Plan) -> Time {
    let is_client =
        |name: &Name| plan.nodes.iter().any(|node| node.name == *name && matches!(node.kind, NodeKind::Client(_)));
    let is_mild = |name: &Name| {
        plan.episodes.iter().filter(|episode| episode.name == *name).all(|episode| match &episode.kind {
            FaultKind::Kill { node } | FaultKind::Restart { node } | FaultKind::Stop { node } => is_client(node),
            _ => false,
        })
    };
    history.faults.iter().filter(|(_, name)| !is_mild(name)).map(|(at, _)| *at).max().unwrap_or(Time::ZERO)
}

fn subscribers<'a>(history: &History, plan: &'a Plan) -> Vec<Subscriber<'a>> {
    let mut subscribers = Vec::new();
    for (number, node) in plan.nodes.iter().enumerate() {
        let NodeKind::Client(client) = &node.kind else { continue };
        let id = NodeId(number as u16);
        let Some(since) = history.up_since.get(&id).copied().filter(|_| !is_severed(&node.name, plan)) else {
            continue;
        };
        for consumer in client.consumers.iter().filter(|consumer| consumer.model == MessageModel::Broadcasting) {
            // Who rests, or changed its mind while it ran, is owed what nobody says.
            let minds = Minds::of(history, &consumer.group, vec![id]);
            if minds.has_turned() || minds.rests() {
                continue;
            }
            let own = || history.deliveries.iter().filter(|one| one.node == id && one.group == consumer.group);
            let mut begins = BTreeMap::new();
            for delivery in own().filter(|delivery| since <= delivery.at) {
                let queue = &delivery.queue;
                let key = (queue.topic.to_string(), queue.broker.to_string(), i64::from(queue.queue_id));
                let begin = begins.entry(key).or_insert(i64::MAX);
                *begin = delivery.messages.iter().map(|one| one.queue_offset.0).fold(*begin, i64::min);
            }
            let handed = own().flat_map(Delivery::ids).collect();
            let mut kept = places_kept(history, id, &consumer.group, since);
            kept.retain(|(topic, broker, queue_id), _| {
                let queue =
                    MessageQueue { topic: (&**topic).into(), broker: (&**broker).into(), queue_id: *queue_id as i32 };
                keeps_place(history, plan, (id, &consumer.group), &queue, since)
            });
            let wants = Wants::of(&consumer.subscriptions);
            subscribers.push(Subscriber { name: &node.name, consumer, since, kept, begins, handed, wants });
        }
    }
    subscribers
}

/// What a node's offset file says to a process that boots at this moment.
pub(super) fn places_kept(history: &History, node: NodeId, group: &str, boot: Time) -> LocalOffsets {
    let last = history.disks.iter().rfind(|disk| disk.node == node && disk.at < boot);
    last.map(|disk| local_offsets::read(&Image(&disk.cached), group)).unwrap_or_default()
}

/// Whether a process that booted at a moment goes on in a queue at the place that its file held then.
///
/// It writes the file after ten seconds for the first time, and then it holds the queues of that moment alone: one that was
/// not on its route yet is read from the group's beginning. Source: `LocalFileOffsetStore.persistAll`.
pub(super) fn keeps_place(
    history: &History,
    plan: &Plan,
    (node, group): (NodeId, &str),
    queue: &MessageQueue,
    boot: Time,
) -> bool {
    let is_its = |broker: NodeId| {
        let kind = plan.nodes.get(usize::from(broker.0)).map(|node| &node.kind);
        matches!(kind, Some(NodeKind::Broker(own)) if own.broker_name == queue.broker)
    };
    let own = history.signs.pulls.iter().filter(|asked| asked.from == node && boot <= asked.at);
    let mut own = own.filter(|asked| {
        let place = &asked.place;
        (&*place.group, &*place.topic, place.queue) == (group, &*queue.topic, queue.queue_id) && is_its(asked.broker)
    });
    own.next().is_none_or(|first| first.at < boot + WRITES)
}

impl Subscriber<'_> {
    fn is_owed(&self, message: &Owed<'_>, calls: &BTreeMap<Seq, Time>) -> bool {
        let find = |name: &str| message.property(name);
        // What a condition that is not read here wants, nobody is owed.
        if self.wants.wants(message.topic, &find) != Some(true) {
            return false;
        }
        let queue = (message.topic.to_owned(), message.broker.to_owned(), i64::from(message.queue_id));
        if let Some(kept) = self.kept.get(&queue) {
            return *kept <= message.offset;
        }
        let called = calls.get(&message.first()).copied();
        self.consumer.from == ConsumeFrom::First
            || self.begins.get(&queue).is_some_and(|begin| *begin <= message.offset)
            || called.is_some_and(|called| self.since + GRACE <= called)
    }
}

/// When a process writes its file for the first time. Source: `MQClientInstance.startScheduledTask`.
const WRITES: Span = Span::from_secs(10);
/// How long it may take until a process pulls from a broker that its name server has just forgotten: the broker's next word,
/// a route poll and a heartbeat, 30 s each, a rebalance of 20 s, a pull that was put off.
///
/// The heartbeat of a rebalance is left out where the timer's is under way, and pulls under a subscription that the broker has
/// not heard of are refused until the next. Source: `MQClientInstance.sendHeartbeatToAllBrokerWithLock`.
const LEARNS: Span = Span::from_secs(115);
