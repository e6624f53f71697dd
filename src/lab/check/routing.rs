//! G07: every copy lies where it belongs, and every group is handed what is its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::content::{SCHEDULE_TOPIC, is_own, sent};
use crate::lab::check::history::{History, Image, SendSeen, label, uid};
use crate::lab::oracle::config::Config;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{AdminCall, SendTo};
use crate::mq::message::names::{self, retry_topic};
use crate::mq::message::property::names as properties;

/// What was handed to which group, by group and unique key.
type Handed<'a> = BTreeSet<(&'a str, &'a str)>;

/// Groups are handed their own topics and retries; copies lie in the topic that was asked for, in a queue of it, and in the
/// retry and dead letter topics of groups that were handed the message.
pub(super) fn no_misrouting(history: &History, plan: &Plan) -> Judged {
    if let Some(found) = strangers(history, plan) {
        return found;
    }
    let all = history.deliveries.iter().chain(&history.pulls);
    let handed: Handed<'_> = all
        .flat_map(|one| one.messages.iter().filter_map(|own| Some((one.group.as_str(), uid(&own.message)?))))
        .collect();
    let sent = sent(history);
    for send in sent.values() {
        if let Some(found) = elsewhere(history, send) {
            return found;
        }
    }
    let changes_topics = plan
        .operators
        .iter()
        .flat_map(|operator| &operator.calls)
        .any(|(_, call)| matches!(call, AdminCall::UpdateTopic { .. } | AdminCall::DeleteTopic { .. }));
    let mut looked_at = 0;
    for broker in &history.brokers {
        if history.signs.is_sick(broker.node) || history.signs.is_swapped(broker.node) {
            continue;
        }
        let image = history.disks.iter().rfind(|disk| disk.node == broker.node);
        let topics = image.map(|disk| Config::read(&Image(&disk.cached)).topics).unwrap_or_default();
        for copy in &broker.store.records {
            let Some(id) = copy.properties.get(properties::UNIQ_KEY) else { continue };
            looked_at += 1;
            let send = sent.get(id.as_str()).copied();
            let queues = topics.get(&copy.topic).map(|topic| topic.write_queues.max(topic.read_queues));
            let is_outside = copy.topic != SCHEDULE_TOPIC
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
fn misplaced(copy: &LogRecord, id: &str, send: Option<&SendSeen>, handed: &Handed<'_>) -> Option<&'static str> {
    let topic = copy.topic.as_str();
    // Where it is parked, its own topic is told by a property.
    let real = if is_own(topic) { copy.properties.get(properties::REAL_TOPIC).map(String::as_str)? } else { topic };
    let of_group = |prefix: &str| real.strip_prefix(prefix);
    if let Some(group) = of_group(names::RETRY_GROUP_TOPIC_PREFIX).or_else(|| of_group(names::DLQ_GROUP_TOPIC_PREFIX)) {
        return (!handed.contains(&(group, id))).then_some("of another group");
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
        if is_system || !(is_subscribed(topic) || is_retry) {
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

/// A message that was acknowledged in another queue than the one that was named.
fn elsewhere(history: &History, send: &SendSeen) -> Option<Judged> {
    let (_, _, by) = history.signs.sends.get(&send.seq)?;
    let SendTo::Queue(asked) = &by.as_ref()?.to else { return None };
    let crate::lab::check::history::Outcome::Sent(seq, _, result) = &send.outcome else { return None };
    let name = label(send);
    (result.queue != *asked).then(|| {
        Judged::violation(
            "another queue",
            vec![send.seq, *seq],
            format!("{name} was sent to {asked} and stored in {}", result.queue),
            format!("{name} 发往 {asked}，却存入 {}", result.queue),
        )
    })
}

fn wrong(clause: &'static str, witness: Vec<Seq>, copy: &LogRecord) -> Judged {
    let (topic, queue, at) = (&copy.topic, copy.queue, copy.at);
    Judged::violation(
        clause,
        witness,
        format!("the copy at {at} of the log lies in {topic}/{queue}: {clause}"),
        format!("日志 {at} 处的副本位于 {topic}/{queue}，不该在那里"),
    )
}
