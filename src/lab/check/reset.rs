//! G34: a group that was moved goes on where it was moved to.

use crate::lab::check::Judged;
use crate::lab::check::delivery::GRACE;
use crate::lab::check::history::{Delivery, History, ResetSeen};
use crate::lab::check::start::copies;
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::message::MessageQueue;
use crate::mq::time::{Span, Time};

/// After an acknowledged move every message at or behind the place is handed out, again if need be, and nothing before it.
///
/// Members wait for ten seconds, then queues are shared out anew and pulled: that is given a minute more. What was under way
/// until then may lie on either side. Only the last move of a group in a topic is judged, and only if a member is up.
pub(super) fn reset_conformance(history: &History, plan: &Plan) -> Judged {
    let mut places = 0;
    let mut pending = 0;
    for (at, reset) in history.resets.iter().enumerate() {
        let Some((seq, told, offsets)) = &reset.told else { continue };
        let again = |later: &ResetSeen| later.group == reset.group && later.topic == reset.topic;
        if history.resets[at + 1..].iter().any(again) {
            continue;
        }
        let Some(consumer) = member(history, plan, reset) else { continue };
        for (queue, place) in offsets {
            places += 1;
            let settled = *told + SLEEP + GRACE;
            let after = || {
                let own = history.deliveries.iter().filter(|one| one.group == reset.group && one.queue == *queue);
                own.filter(|one| reset.at <= one.at)
            };
            if let Some(stray) = after().find(|one| settled < one.at && lowest(one) < *place) {
                return wrong("before its place", vec![reset.seq, *seq, stray.seq], reset, queue, *place);
            }
            let copies = copies(history, plan, queue, consumer);
            let mut owed = copies.iter().filter(|copy| copy.wanted && *place <= copy.offset);
            let is_handed =
                |offset: i64| after().any(|one| one.messages.iter().any(|own| own.queue_offset.0 == offset));
            match owed.any(|copy| !is_handed(copy.offset)) {
                true if settled <= history.end => {
                    return wrong("not delivered again", vec![reset.seq, *seq], reset, queue, *place);
                }
                true => pending += 1,
                false => {}
            }
        }
    }
    match (places, pending) {
        (0, _) => Judged::inconclusive("no group that is up was moved", "没有重置过任何在线的消费组"),
        (_, 0) => {
            Judged::pass(format!("{places} queues gone on from their places"), format!("{places} 个队列从指定位点继续"))
        }
        (_, open) => {
            let en = format!("{open} of {places} queues have not gone on yet when the run ends");
            Judged::inconclusive(&en, &format!("运行结束时 {places} 个队列中还有 {open} 个未继续"))
        }
    }
}

fn wrong(clause: &'static str, witness: Vec<Seq>, reset: &ResetSeen, queue: &MessageQueue, place: i64) -> Judged {
    let ResetSeen { group, topic, .. } = reset;
    let queue = format!("{}/{}", queue.broker, queue.queue_id);
    Judged::violation(
        clause,
        witness,
        format!("{group} was moved to {place} in {topic} of {queue}: {clause}"),
        format!("{group} 在 {topic} 的 {queue} 被重置到 {place}，之后的投递与此不符"),
    )
}

fn lowest(delivery: &Delivery) -> i64 {
    delivery.messages.iter().map(|message| message.queue_offset.0).min().unwrap_or(i64::MAX)
}

/// The settings of a member that was up when the group was moved and is up at the end.
fn member<'a>(history: &History, plan: &'a Plan, reset: &ResetSeen) -> Option<&'a ConsumerPlan> {
    plan.nodes.iter().enumerate().find_map(|(number, node)| {
        let NodeKind::Client(client) = &node.kind else { return None };
        let since = history.up_since.get(&NodeId(number as u16)).copied().unwrap_or(Time::NEVER);
        client.consumers.iter().find(|one| one.group == reset.group && since <= reset.at)
    })
}

/// Source: `MQClientInstance.resetOffset`.
const SLEEP: Span = Span::from_secs(10);
