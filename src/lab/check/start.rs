//! G33: a group begins in a queue where it should, and goes on where it stood.

use std::collections::BTreeMap;

use crate::lab::check::Judged;
use crate::lab::check::broadcast::{keeps_place, places_kept};
use crate::lab::check::filters::Wants;
use crate::lab::check::history::History;
use crate::lab::check::letters::Delivery;
use crate::lab::check::minds::Minds;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{ConsumeFrom, ConsumeOutcome, MessageModel};
use crate::mq::message::MessageQueue;
use crate::mq::time::{Millis, Span, Time};

/// Those who begin in each queue together: a group that shares, or one process of a group that broadcasts.
struct Reader<'a> {
    consumer: &'a ConsumerPlan,
    name: String,
    nodes: Vec<NodeId>,
    /// Whether its members want the same: what another mind has passed over is nobody's start (K16).
    is_of_one_mind: bool,
}

/// A copy in a queue.
pub(super) struct Copy {
    pub(super) offset: i64,
    pub(super) stored: i64,
    pub(super) wanted: bool,
}

/// What is wrong with a start.
struct Wrong {
    clause: &'static str,
    en: &'static str,
    zh: &'static str,
}

/// The first message that each reader was handed of each queue is one at which it may begin.
///
/// What a broker was asked for is not looked at, only what listeners were handed: a start is judged by the messages that lie
/// there. *First* is the lowest copy, *last* the lowest or none that lay there before (a queue is young or it is not), *a
/// moment* one of the two copies around it, or the lowest where the queue is young. A broadcasting reader knows no young queues.
/// A reader that boots again goes on at its own place, as old as the last report that it must have made.
pub(super) fn start_position(history: &History, plan: &Plan) -> Judged {
    if !history.clock_steps.is_empty() {
        return Judged::inconclusive("a clock was set: store times say nothing", "有时钟被拨动：存储时间不可信");
    }
    let mut starts = 0;
    // Who changed its mind while it ran may have passed over what it wants later, and pulls anew what it gave up.
    let turned = |reader: &Reader<'_>| Minds::of(history, &reader.consumer.group, reader.nodes.clone()).has_turned();
    for reader in readers(plan).into_iter().filter(|reader| reader.is_of_one_mind && !turned(reader)) {
        let mut by_queue: BTreeMap<&MessageQueue, Vec<&Delivery>> = BTreeMap::new();
        // Whoever was moved by an operator begins where G34 says.
        let moved = history.resets.seen.iter().filter(|reset| reset.group == reader.consumer.group);
        let moved = moved.map(|reset| reset.at).min().unwrap_or(Time::NEVER);
        for delivery in history.deliveries.iter().filter(|one| reader.is_handed(one) && one.at < moved) {
            by_queue.entry(&delivery.queue).or_default().push(delivery);
        }
        for (queue, deliveries) in by_queue.into_iter().filter(|(queue, _)| !queue.topic.starts_with('%')) {
            let copies = copies(history, plan, queue, reader.consumer);
            starts += 1;
            let begins = reader.begin(history, plan, &copies, &deliveries);
            let found = begins.or_else(|| reader.goes_on((history, plan), queue, &copies, &deliveries, &mut starts));
            let Some((wrong, witness)) = found else { continue };
            let (name, Wrong { clause, en, zh }) = (&reader.name, wrong);
            let at = format!("{}/{} of {}", queue.topic, queue.queue_id, queue.broker);
            return Judged::violation(
                clause,
                witness,
                format!("{name} in {at}: {en}"),
                format!("{name} 在 {at}：{zh}"),
            );
        }
    }
    match starts {
        0 => Judged::inconclusive("nobody was handed anything", "没有任何投递"),
        _ => Judged::pass(format!("{starts} starts looked at"), format!("检查了 {starts} 个起点")),
    }
}

fn readers(plan: &Plan) -> Vec<Reader<'_>> {
    let mut readers: Vec<Reader<'_>> = Vec::new();
    for (number, node) in plan.nodes.iter().enumerate() {
        let NodeKind::Client(client) = &node.kind else { continue };
        for consumer in &client.consumers {
            let id = NodeId(number as u16);
            let shares = consumer.model == MessageModel::Clustering;
            let known = readers.iter_mut().find(|one| shares && one.consumer.group == consumer.group);
            match known {
                Some(known) => {
                    known.nodes.push(id);
                    known.is_of_one_mind &= known.consumer.subscriptions == consumer.subscriptions;
                }
                None => {
                    let name = if shares { consumer.group.to_string() } else { node.name.to_string() };
                    readers.push(Reader { consumer, name, nodes: vec![id], is_of_one_mind: true });
                }
            }
        }
    }
    readers
}

/// The copies of a queue by offset; those of other tags are not wanted.
pub(super) fn copies(history: &History, plan: &Plan, queue: &MessageQueue, consumer: &ConsumerPlan) -> Vec<Copy> {
    let is_subscribed = consumer.subscriptions.iter().any(|(topic, _)| *topic == queue.topic);
    let wants = Wants::of(&consumer.subscriptions);
    let wanted = |record: &LogRecord| {
        let find = |name: &str| record.properties.get(name);
        // A retry topic is read whole, and so is what a condition asks for that is not read here.
        !is_subscribed || wants.wants(&queue.topic, &find).unwrap_or(true)
    };
    let is_there = |record: &&LogRecord| *record.topic == *queue.topic && record.queue == queue.queue_id;
    let mut copies: Vec<Copy> = history
        .brokers
        .iter()
        .filter(|broker| match plan.nodes.get(usize::from(broker.node.0)).map(|node| &node.kind) {
            Some(NodeKind::Broker(own)) => own.broker_name == queue.broker,
            _ => false,
        })
        .flat_map(|broker| broker.store.records.iter().filter(is_there))
        .map(|record| Copy { offset: record.queue_offset, stored: record.stored, wanted: wanted(record) })
        .collect();
    copies.sort_by_key(|copy| copy.offset);
    copies
}

/// The lowest offset of some deliveries, and who was handed it.
fn lowest<'a>(deliveries: impl Iterator<Item = &'a &'a Delivery>) -> Option<(i64, Seq)> {
    let each = deliveries.flat_map(|one| one.messages.iter().map(|message| (message.queue_offset.0, one.seq)));
    each.min()
}

impl Reader<'_> {
    fn is_handed(&self, delivery: &Delivery) -> bool {
        delivery.group == self.consumer.group && self.nodes.contains(&delivery.node)
    }

    /// Its processes' boots in order: the wall clock shows `start` and the time.
    fn boots<'a>(&'a self, history: &'a History) -> impl Iterator<Item = Time> + 'a {
        let own = history.boots.iter().filter(|(node, _)| self.nodes.contains(node));
        own.map(|(_, at)| *at)
    }

    /// Where it begins when nothing is known of it.
    fn begin(
        &self,
        history: &History,
        plan: &Plan,
        copies: &[Copy],
        deliveries: &[&Delivery],
    ) -> Option<(Wrong, Vec<Seq>)> {
        let (begin, seq) = lowest(deliveries.iter())?;
        let first = copies.iter().find(|copy| copy.wanted)?.offset;
        let wall = |at: Time| plan.start.plus(at.as_millis() as i64).0;
        let boot = self.boots(history).min()?;
        let is_old = copies.iter().any(|copy| copy.offset == begin && copy.stored < wall(boot));
        let shares = self.consumer.model == MessageModel::Clustering;
        let wrong = match self.consumer.from {
            ConsumeFrom::First => (first < begin).then_some(LATER_THAN_FIRST),
            ConsumeFrom::Last if shares => (first < begin && is_old).then_some(IN_THE_MIDDLE),
            ConsumeFrom::Last => is_old.then_some(NOT_AT_THE_END),
            ConsumeFrom::Timestamp(_) if shares && begin == first => None,
            ConsumeFrom::Timestamp(given) => {
                let moment = |at: Time| given.unwrap_or(Millis(wall(at) - HALF_AN_HOUR_MS)).0;
                let (early, late) = (moment(boot) - SECOND_MS, moment(self.boots(history).max()?));
                let low = copies.iter().rfind(|copy| copy.stored <= early).map_or(first, |copy| copy.offset);
                let high = copies.iter().find(|copy| copy.wanted && late <= copy.stored);
                match () {
                    () if begin < low => Some(BEFORE_ITS_MOMENT),
                    () if high.is_some_and(|high| high.offset < begin) => Some(AFTER_ITS_MOMENT),
                    () => None,
                }
            }
        };
        wrong.map(|wrong| (wrong, vec![seq]))
    }

    /// Where it goes on when its only process boots again.
    fn goes_on(
        &self,
        (history, plan): (&History, &Plan),
        queue: &MessageQueue,
        copies: &[Copy],
        deliveries: &[&Delivery],
        starts: &mut usize,
    ) -> Option<(Wrong, Vec<Seq>)> {
        let [node] = self.nodes[..] else { return None };
        let boots: Vec<Time> = self.boots(history).collect();
        for (at, boot) in boots.iter().enumerate().skip(1) {
            let until = boots.get(at + 1).copied().unwrap_or(Time::NEVER);
            let after = deliveries.iter().filter(|one| *boot <= one.at && one.at < until);
            let Some((begin, seq)) = lowest(after) else { continue };
            let all = history.deaths.iter().chain(&history.power_losses);
            let died: Vec<Time> =
                all.filter(|(dead, _, at)| *dead == node && at <= boot).map(|(_, _, at)| *at).collect();
            let place = match self.consumer.model {
                MessageModel::Clustering => reported(history, copies, deliveries, &died),
                MessageModel::Broadcasting => {
                    let key = (queue.topic.to_string(), queue.broker.to_string(), i64::from(queue.queue_id));
                    let group = &self.consumer.group;
                    let place = places_kept(history, node, group, *boot).get(&key).copied();
                    place.filter(|_| keeps_place(history, plan, (node, group), queue, *boot))
                }
            };
            *starts += 1;
            if place.is_some_and(|place| begin < place) {
                return Some((BEFORE_ITS_PLACE, vec![seq]));
            }
        }
        None
    }
}

/// The place that processes must have reported before they died: everything wanted before it was consumed some reports before
/// the process that did so ended. None if a broker died: it may have forgotten.
fn reported(history: &History, copies: &[Copy], deliveries: &[&Delivery], died: &[Time]) -> Option<i64> {
    let brokers: Vec<NodeId> = history.brokers.iter().map(|broker| broker.node).collect();
    let mut deaths = history.deaths.iter().chain(&history.power_losses);
    if deaths.any(|(node, _, _)| brokers.contains(node)) {
        return None;
    }
    let is_done = |offset: i64| {
        deliveries.iter().any(|one| {
            let done = matches!(one.answer, Some(ConsumeOutcome::Success { ack_index: i32::MAX }));
            let in_time = one.end.is_some_and(|(_, end)| {
                let own = died.iter().filter(|at| end <= **at).min();
                own.is_some_and(|at| end + REPORTS <= *at)
            });
            done && in_time && one.messages.iter().any(|message| message.queue_offset.0 == offset)
        })
    };
    let open = copies.iter().filter(|copy| copy.wanted).find(|copy| !is_done(copy.offset));
    open.map(|copy| copy.offset).or_else(|| copies.last().map(|copy| copy.offset + 1))
}

const LATER_THAN_FIRST: Wrong =
    Wrong {
        clause: "later than the first", en: "it should begin at the first message", zh: "应从第一条消息开始"
    };
const IN_THE_MIDDLE: Wrong = Wrong {
    clause: "in the middle",
    en: "it begins in the middle of what lay there before",
    zh: "起点落在已有消息的中间",
};
const NOT_AT_THE_END: Wrong = Wrong {
    clause: "not at the end",
    en: "it broadcasts from the last offset and is handed what lay there before",
    zh: "广播从末尾开始，却收到了之前的消息",
};
const BEFORE_ITS_MOMENT: Wrong =
    Wrong {
        clause: "before its moment", en: "it begins before the moment it names", zh: "起点早于指定的时刻"
    };
const AFTER_ITS_MOMENT: Wrong =
    Wrong { clause: "after its moment", en: "it begins after the moment it names", zh: "起点晚于指定的时刻" };
const BEFORE_ITS_PLACE: Wrong = Wrong {
    clause: "before its place",
    en: "it boots again and goes back behind the place it had reported",
    zh: "重启后退回到已上报的位点之前",
};

const HALF_AN_HOUR_MS: i64 = 30 * 60 * 1000;
/// The default moment is cut to a second.
const SECOND_MS: i64 = 1000;
/// Three rounds of reports.
const REPORTS: Span = Span::from_secs(15);
