//! G07: every copy lies where it belongs, and every group is handed what is its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::content::{SCHEDULE_TOPIC, is_own};
use crate::lab::check::history::{History, Image};
use crate::lab::check::ids::Id;
use crate::lab::check::letters::{SendSeen, label};
use crate::lab::check::minds::Minds;
use crate::lab::check::scene::brokers;
use crate::lab::oracle::config::Config;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{AdminCall, Selector, SendTo};
use crate::mq::message::MessageQueue;
use crate::mq::message::java;
use crate::mq::message::names::{self, retry_topic};
use crate::mq::message::property::names as properties;

/// What was handed to which group, by group and unique key.
type Handed<'a> = BTreeSet<(&'a str, Id)>;

/// Groups are handed their own topics and retries; copies lie in the topic that was asked for, in a queue of it, and in the
/// retry and dead letter topics of groups that were handed the message.
pub(super) fn no_misrouting(history: &History, plan: &Plan) -> Judged {
    if let Some(found) = strangers(history, plan) {
        return found;
    }
    let all = history.deliveries.iter().chain(&history.pulls);
    let handed: Handed<'_> = all.flat_map(|one| one.ids().map(|id| (one.group.as_str(), id))).collect();
    let changes_topics = plan.operators.iter().flat_map(|operator| &operator.calls).any(|(_, call)| {
        use AdminCall::{DeleteTopic, UpdateTopic, WipeWritePerm};
        matches!(call, UpdateTopic { .. } | DeleteTopic { .. } | WipeWritePerm { .. })
    });
    // Where the file of topics can be lost, a topic may come again with other queues.
    let keeps_topics = !changes_topics && (history.power_losses.is_empty() || plan.profile.fixes("K13"));
    for send in history.sends.iter().filter(|send| send.id.is_some()) {
        if let Some(found) = elsewhere(history, send, keeps_topics.then_some(plan)) {
            return found;
        }
    }
    let mut looked_at = 0;
    for broker in &history.brokers {
        if history.signs.is_sick(broker.node) || history.signs.is_swapped(broker.node) {
            continue;
        }
        let image = history.disks.iter().rfind(|disk| disk.node == broker.node);
        let topics = image.map(|disk| Config::read(&Image(&disk.cached)).topics).unwrap_or_default();
        for (id, copy) in broker.numbered() {
            let Some(id) = id else { continue };
            looked_at += 1;
            let send = history.sent(id);
            let queues = topics.get(&*copy.topic).map(|topic| topic.write_queues.max(topic.read_queues));
            let is_outside = *copy.topic != *SCHEDULE_TOPIC
                && !changes_topics
                && (copy.queue < 0 || queues.is_some_and(|queues| queues <= i64::from(copy.queue)));
            let clause = match () {
                () if is_outside => "no such queue",
                () => match misplaced(copy, id, send, &handed) {
                    Some(clause) => clause,
                    None => continue,
                },
            };
            return wrong(clause, send.map(|send| send.seq).into_iter().collect(), copy);
        }
    }
    match looked_at + history.deliveries.len() {
        0 => Judged::inconclusive("nothing was stored or delivered", "没有任何存储或投递"),
        count => Judged::pass(
            format!("{count} copies and deliveries in their places"),
            format!("{count} 份副本与投递各在其位"),
        ),
    }
}

/// Why a copy lies where it should not.
fn misplaced(copy: &LogRecord, id: Id, send: Option<&SendSeen>, handed: &Handed<'_>) -> Option<&'static str> {
    let topic = copy.topic.as_ref();
    // Where it is parked, its own topic is told by a property.
    let real = if is_own(topic) { copy.properties.get(properties::REAL_TOPIC)? } else { topic };
    let of_group = |prefix: &str| real.strip_prefix(prefix);
    if let Some(group) = of_group(names::RETRY_GROUP_TOPIC_PREFIX).or_else(|| of_group(names::DLQ_GROUP_TOPIC_PREFIX)) {
        return (!handed.contains(&(group, id))).then_some("of another group");
    }
    // A copy that comes out of a parked one keeps the word of where it was to go.
    let own_queue = copy.properties.get(properties::REAL_QID).and_then(|queue| queue.parse::<i32>().ok());
    let is_out = copy.properties.get(properties::REAL_TOPIC).is_some_and(|own| own == &*copy.topic);
    if is_out && own_queue.is_some_and(|own| own != copy.queue) {
        return Some("another queue than its own");
    }
    let send = send?;
    let may_park = send.in_transaction || real != names::TRANS_HALF_TOPIC;
    let is_its = send.message.topic == *real || (may_park && (is_own(real) || real == names::TRANS_OP_TOPIC));
    (!is_its).then_some("another topic")
}

/// A group that was handed what it never asked for.
fn strangers(history: &History, plan: &Plan) -> Option<Judged> {
    let mut consumers: BTreeMap<(NodeId, &str), &ConsumerPlan> = BTreeMap::new();
    for (number, node) in (0..).zip(&plan.nodes) {
        if let NodeKind::Client(client) = &node.kind {
            consumers.extend(client.consumers.iter().map(|one| ((NodeId(number), one.group.as_str()), one)));
        }
    }
    for delivery in &history.deliveries {
        let Some(consumer) = consumers.get(&(delivery.node, delivery.group.as_str())) else { continue };
        let topic = &delivery.queue.topic;
        let is_subscribed = |topic: &str| consumer.subscriptions.iter().any(|(own, _)| *own == *topic);
        let is_retry = *topic == retry_topic(&delivery.group);
        let is_system = is_own(topic) || *topic == *names::TRANS_OP_TOPIC;
        let turned = || Minds::of(history, &delivery.group, vec![delivery.node]).turned_to(topic);
        if is_system || !(is_subscribed(topic) || is_retry || turned()) {
            let (group, queue) = (&delivery.group, &delivery.queue);
            return Some(Judged::violation(
                "of another group",
                vec![delivery.seq],
                format!("{group} was handed something of {}/{}", queue.topic, queue.queue_id),
                format!("{group} 收到了 {}/{} 的消息", queue.topic, queue.queue_id),
            ));
        }
    }
    None
}

/// A message that was acknowledged in another queue than the one that was named or selected.
fn elsewhere(history: &History, send: &SendSeen, plan: Option<&Plan>) -> Option<Judged> {
    let (node, _, by) = history.signs.send(send.seq)?;
    let crate::lab::check::letters::Outcome::Sent(seq, _, result) = &send.outcome else { return None };
    let (is_there, asked) = match &by.as_ref()?.to {
        SendTo::Queue(asked) => (result.queue == *asked, asked.to_string()),
        SendTo::Selected(Selector::Hash(text)) => {
            let plan = plan.filter(|plan| !renames_queues(plan, *node))?;
            (may_be_selected(plan, text, &result.queue), format!("the queue of {text}"))
        }
        _ => return None,
    };
    let name = label(send);
    (!is_there).then(|| {
        Judged::violation(
            "another queue",
            vec![send.seq, *seq],
            format!("{name} was sent to {asked} and stored in {}", result.queue),
            format!("{name} 发往 {asked}，却存入 {}", result.queue),
        )
    })
}

/// Whether a producer of a client renames queues of its own list: where no broker is well it takes the next queue and gives
/// it another's place, and selectors see that.
///
/// Source: `MQFaultStrategy.selectOneMessageQueue`.
fn renames_queues(plan: &Plan, node: NodeId) -> bool {
    let node = plan.nodes.get(usize::from(node.0));
    node.is_some_and(|node| match &node.kind {
        NodeKind::Client(client) => client.producers.iter().any(|producer| producer.latency_fault),
        _ => false,
    })
}

/// Whether a hash selects a queue, whichever masters the producer knew of. Source: `SelectMessageQueueByHash`, over queues in
/// order of their brokers' names.
fn may_be_selected(plan: &Plan, text: &str, queue: &MessageQueue) -> bool {
    let masters: BTreeMap<&str, i32> = brokers(plan)
        .filter(|(_, broker)| broker.broker_id == 0)
        .filter_map(|(_, broker)| {
            let own = broker.topics.iter().find(|own| own.topic == queue.topic)?;
            Some((broker.broker_name.as_str(), own.queues))
        })
        .collect();
    if !masters.contains_key(queue.broker.as_str()) || MASTERS_MAX < masters.len() {
        return true;
    }
    let hash = java::hash(text).checked_abs().unwrap_or(i32::MIN);
    let selects = |known: u32, queues_of: &dyn Fn(i32) -> i32| {
        let known = || masters.iter().enumerate().filter(|(at, _)| known & (1 << at) != 0).map(|(_, own)| own);
        let count: i32 = known().map(|(_, queues)| queues_of(*queues)).sum();
        let mut left = hash.checked_rem(count).unwrap_or(-1);
        known().any(|(broker, queues)| {
            let is_it = *broker == queue.broker.as_str() && left == queue.queue_id;
            left -= queues_of(*queues);
            is_it
        })
    };
    (1_u32..1 << masters.len()).any(|known| selects(known, &|queues| queues) || selects(known, &|_| TEMPLATE))
}

/// Queues of a topic that no nameserver knows at the moment: those of the template, as many as a producer takes of them.
///
/// Source: `DefaultMQProducer.defaultTopicQueueNums`.
const TEMPLATE: i32 = 4;
/// With more masters there are too many ways in which some of them can be unknown.
const MASTERS_MAX: usize = 8;

fn wrong(clause: &'static str, witness: Vec<Seq>, copy: &LogRecord) -> Judged {
    let (topic, queue, at) = (&copy.topic, copy.queue, copy.at);
    Judged::violation(
        clause,
        witness,
        format!("the copy at {at} of the log lies in {topic}/{queue}: {clause}"),
        format!("日志 {at} 处的副本位于 {topic}/{queue}，不该在那里"),
    )
}
