//! G01: what was acknowledged is there.
//!
//! Judged from the applications' returns and from the disks at the end, read by the oracle; never from what a broker says.

use crate::lab::check::Judged;
use crate::lab::check::fate::Limits;
use crate::lab::check::history::{BrokerSeen, History};
use crate::lab::check::ids::{ById, Id, Ids};
use crate::lab::check::letters::{SendSeen, label};
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{SendResult, SendStatus};
use crate::mq::message::property::names;
use crate::mq::time::Time;

/// An acknowledged message that is not there at the end.
struct Loss<'a> {
    send: &'a SendSeen,
    acked: Seq,
    at: Time,
    result: &'a SendResult,
    clause: &'static str,
}

const LOST: &str = "no copy";
const HIDDEN: &str = "no queue entry";

/// No acknowledged message is gone at the end, whatever happened.
pub(super) fn no_acked_loss(history: &History, trace: &Trace) -> Judged {
    verdict(history, trace, losses(history, trace))
}

/// The same where the strength of the acknowledgement promises it.
///
/// `SEND_OK` of an asynchronous flush, and every other status, promises to outlive a process, not a power loss of the
/// machine that holds the only copy; `SEND_OK` of a synchronous flush outlives both, and so does that of a master which
/// waits for its slaves, unless they lose power, too.
pub(super) fn acked_durability(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let mut promised = losses(history, trace);
    promised.retain(|loss| {
        let Some(broker) = trace.node(&loss.result.queue.broker) else { return true };
        if is_retired(loss, broker, (history, plan)) {
            return false;
        }
        // A sync that fails takes back what was in the page cache only, with some file systems: no acknowledgement of what is
        // in the page cache promises to outlive that. An acknowledgement may be under way when the power goes, or the sync
        // fails: who hears of it after that has sent before it.
        let power_losses = history.power_losses.iter().filter(|(node, ..)| *node == broker).map(|(.., at)| *at);
        // A master whose disk lied when it answered has less than it was told, and its slave is cut to agree with it (K02).
        let lied = || history.sick.is_sick(broker, loss.at);
        if plan.profile.fix_k02 && has_slave(&loss.result.queue.broker, plan) && lied() {
            return false;
        }
        let cache_went = power_losses.chain(history.sick.moments(broker)).any(|at| loss.send.at <= at);
        !cache_went || is_stable(loss, plan) || is_doubled(loss, history, plan)
    });
    verdict(history, trace, promised)
}

/// Whether the message's file has expired by its broker's rule and is gone: whether it might go is G67's question.
fn is_retired(loss: &Loss<'_>, broker: NodeId, (history, plan): (&History, &Plan)) -> bool {
    let begin = history.brokers.iter().find(|seen| seen.node == broker).and_then(|seen| seen.store.records.first());
    // Sixteen digits of address, sixteen of the place in the log.
    let place = loss.result.offset_msg_id.get(16..32).and_then(|place| u64::from_str_radix(place, 16).ok());
    let is_gone = begin.zip(place).is_some_and(|(begin, place)| place < begin.at);
    is_gone && Limits::of(plan).reserved_ms <= (history.end.since(loss.at).0 / 1_000_000) as i64
}

fn has_slave(name: &str, plan: &Plan) -> bool {
    plan.nodes.iter().any(|node| match &node.kind {
        NodeKind::Broker(broker) => broker.broker_id != 0 && broker.broker_name == *name,
        _ => false,
    })
}

/// Whether the acknowledgement says that the record is on the disk.
fn is_stable(loss: &Loss<'_>, plan: &Plan) -> bool {
    let waits = loss.send.message.properties.get(names::WAIT).is_none_or(|wait| &**wait == "true");
    let sync = plan.nodes.iter().any(|node| match &node.kind {
        NodeKind::Broker(broker) => broker.broker_name == loss.result.queue.broker && broker.sync_flush,
        _ => false,
    });
    sync && waits && loss.result.status == SendStatus::SendOk
}

/// Whether the acknowledgement says that a slave has the record, and no slave of this name lost its memory since.
fn is_doubled(loss: &Loss<'_>, history: &History, plan: &Plan) -> bool {
    let broker = &loss.result.queue.broker;
    let own = |node: NodeId| match plan.nodes.get(usize::from(node.0)).map(|node| &node.kind) {
        Some(NodeKind::Broker(own)) if own.broker_name == *broker => Some(own),
        _ => None,
    };
    let waits = loss.send.message.properties.get(names::WAIT).is_none_or(|wait| &**wait == "true");
    let is_sync = (0..plan.nodes.len()).any(|node| own(NodeId(node as u16)).is_some_and(|own| own.is_sync_master()));
    let is_its_slave = |node: NodeId| own(node).is_some_and(|own| own.broker_id != 0);
    let slave_went = history.power_losses.iter().any(|(node, _, at)| is_its_slave(*node) && loss.send.at <= *at);
    is_sync && waits && !slave_went && loss.result.status == SendStatus::SendOk
}

fn losses<'a>(history: &'a History, trace: &Trace) -> Vec<Loss<'a>> {
    let stored: Ids = history.copies_seen().filter_map(|copy| copy.id).collect();
    let holders: Vec<Holder<'_>> = history.brokers.iter().map(|broker| Holder::of(broker, history)).collect();
    let mut losses = Vec::new();
    for (send, acked, at, result) in history.acked() {
        let node = trace.node(&result.queue.broker);
        let holder = holders.iter().find(|holder| Some(holder.broker.node) == node);
        if history.deletions.spoil(&result.queue.topic, at) {
            continue;
        }
        let clause = match send.id.filter(|id| stored.contains(*id)) {
            None => LOST,
            Some(id) if holder.is_some_and(|holder| holder.hides(id, result)) => HIDDEN,
            Some(_) => continue,
        };
        losses.push(Loss { send, acked, at, result, clause });
    }
    losses
}

/// A broker whose queues are asked for what it acknowledged.
struct Holder<'a> {
    broker: &'a BrokerSeen,
    /// The first copy of each message.
    copies: ById<&'a LogRecord>,
    /// How far its queues have followed its log, if it is up; otherwise nothing is asked.
    followed: Option<u64>,
}

impl<'a> Holder<'a> {
    fn of(broker: &'a BrokerSeen, history: &History) -> Holder<'a> {
        let mut copies = ById::default();
        for (id, record) in broker.numbered() {
            if let Some(id) = id {
                copies.of(id).get_or_insert(record);
            }
        }
        let followed = history.up_since.contains_key(&broker.node).then(|| broker.store.dispatched());
        Holder { broker, copies, followed }
    }

    /// Whether the copy is in the log and its queue does not lead to it, although the broker is up and has followed its log.
    fn hides(&self, id: Id, result: &SendResult) -> bool {
        let (Some(copy), Some(followed)) = (self.copies.get(id), self.followed) else { return false };
        if followed < copy.at + u64::from(copy.size) {
            return false;
        }
        // A delayed message lies in the schedule topic, whatever queue its result names.
        let unit = match *copy.topic == *result.queue.topic {
            true => self.broker.store.unit(&result.queue.topic, result.queue.queue_id, result.queue_offset.0),
            false => self.broker.store.unit(&copy.topic, copy.queue, copy.queue_offset),
        };
        let led = unit.and_then(|unit| self.broker.store.record_at(unit.at));
        led.is_none_or(|record| record.id().is_none_or(|uid| uid != &*result.msg_id))
    }
}

fn verdict(history: &History, trace: &Trace, losses: Vec<Loss<'_>>) -> Judged {
    let acked = history.acked().count();
    if acked == 0 {
        return Judged::inconclusive("no send was acknowledged", "没有任何发送得到确认");
    }
    let Some(first) = losses.first() else {
        return Judged::pass(format!("all {acked} acknowledged are there"), format!("{acked} 条已确认消息全部都在"));
    };
    let mut witness = Vec::new();
    for loss in losses.iter().take(9) {
        witness.extend([loss.send.seq, loss.acked]);
        witness.extend(blow(history, trace.node(&loss.result.queue.broker), loss.at));
    }
    let (lost, name) = (losses.len(), label(first.send));
    Judged::violation(
        first.clause,
        witness,
        format!("{lost} of {acked} acked are lost, first {name}"),
        format!("{acked} 条已确认消息丢失了 {lost} 条，第一条是 {name}"),
    )
}

/// The first thing that happened to the holder after the acknowledgement.
fn blow(history: &History, holder: Option<NodeId>, acked: Time) -> Option<Seq> {
    let blows = history.power_losses.iter().chain(&history.deaths);
    let mut after: Vec<Seq> =
        blows.filter(|(node, _, at)| Some(*node) == holder && acked <= *at).map(|(_, seq, _)| *seq).collect();
    after.sort();
    after.first().copied()
}
