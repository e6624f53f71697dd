//! G01h: at the moment in which an acknowledgement leaves its broker, those who should have the message have it.
//!
//! | what the answer says | who has it |
//! |---|---|
//! | `SEND_OK`, and the sender waits for the store | by the settings in force: the master's disk (`SYNC_FLUSH`), a slave's cache (`SYNC_MASTER`), both |
//! | every other success, and `SEND_OK` to who does not wait | the master's cache |
//! | any of them from a master with a pool of direct buffers | nobody that can be seen |
//!
//! The answer is read from its bytes, what was stored and flushed from the disks' records; no broker is asked. A slave that
//! has had the message and lost it since has had it. Whether a sender waits stands in its message; of an answer that never
//! reached its sender, nothing but the master's cache is asked.

use std::collections::BTreeMap;

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::letters::{Outcome, SendSeen, label};
use crate::lab::check::logs::{Log, Logs, Piece};
use crate::lab::fault::episode::FaultKind;
use crate::lab::oracle::answer;
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, FrameNote, Machine, NodeId, Record, Road, Seq, What};
use crate::mq::message::Name;
use crate::mq::message::property::names;

/// G01h.
pub(super) fn ack_honest(history: &History, trace: &Trace, plan: &Plan) -> Judged {
    let mut judge = Judge::new(history, plan);
    for record in trace.records() {
        judge.see(record);
    }
    judge.verdict()
}

/// What a broker's settings promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Promise {
    sync_flush: bool,
    sync_master: bool,
    /// What it appends is in its own buffers first.
    pool: bool,
}

/// A broker of the plan.
struct Broker<'a> {
    plan: &'a BrokerPlan,
    /// As it was booted last.
    promise: Promise,
    /// Who may have what it has.
    slaves: Vec<NodeId>,
    /// Its log may have lost its end.
    lost: Option<Seq>,
}

/// An acknowledgement that was not true.
struct Lie<'a> {
    clause: &'static str,
    weakness: Option<u8>,
    acked: Seq,
    at: u64,
    send: Option<&'a SendSeen>,
    witness: Vec<Seq>,
}

struct Judge<'a> {
    plan: &'a Plan,
    brokers: BTreeMap<NodeId, Broker<'a>>,
    logs: Logs,
    /// Sends by the id of the place that they heard of, in the order of hearing.
    heard: BTreeMap<&'a str, Vec<(Seq, &'a SendSeen)>>,
    acks: usize,
    lies: Vec<Lie<'a>>,
}

const CACHE: &str = "not in the cache";
const DISK: &str = "not on the disk";
const SLAVE: &str = "no slave has it";

/// K01: a failed flush moves the flushed position.
const FAILED_FLUSH: u8 = 1;
/// K02: a slave's word is taken for bytes that its master does not have.
const SLAVE_AHEAD: u8 = 2;

impl<'a> Judge<'a> {
    fn new(history: &'a History, plan: &'a Plan) -> Judge<'a> {
        let mut heard: BTreeMap<&str, Vec<(Seq, &SendSeen)>> = BTreeMap::new();
        for send in &history.sends {
            if let Outcome::Sent(seq, _, result) = &send.outcome {
                heard.entry(&result.offset_msg_id).or_default().push((*seq, send));
            }
        }
        for sends in heard.values_mut() {
            sends.sort_by_key(|(seq, _)| *seq);
        }
        let brokers = brokers(plan).map(|(node, own)| {
            let is_its =
                |other: &BrokerPlan| other.broker_name == own.broker_name || named(other, "haMasterAddress").is_some();
            let slaves = brokers(plan).filter(|(other, broker)| *other != node && is_its(broker));
            let slaves = slaves.map(|(other, _)| other).collect();
            (node, Broker { plan: own, promise: promise(own, &[]), slaves, lost: None })
        });
        Judge { plan, brokers: brokers.collect(), logs: Logs::default(), heard, acks: 0, lies: Vec::new() }
    }

    fn see(&mut self, record: &Record) {
        self.logs.see(record);
        match &record.what {
            What::Fault(Fault::Begun { name, .. }) => self.reconfigured(name, true),
            What::Fault(Fault::Ended { name }) => self.reconfigured(name, false),
            What::Machine(Machine::PowerLost { .. } | Machine::DiskReplaced { .. }) => {
                if let Some(broker) = record.node.and_then(|node| self.brokers.get_mut(&node)) {
                    broker.lost = Some(record.seq);
                }
            }
            What::Road(Road::Sent { frame, .. }) => {
                if let Some((node, ids)) = record.node.zip(taken(frame)) {
                    self.answered((node, record.seq), frame.code, &ids);
                }
            }
            _ => {}
        }
    }

    /// A fault's settings are in force from here on, or no more.
    fn reconfigured(&mut self, name: &Name, begins: bool) {
        let Some(episode) = self.plan.episodes.iter().find(|episode| episode.name == *name) else { return };
        let FaultKind::Reconfigure { node, changes } = &episode.kind else { return };
        let number = self.plan.nodes.iter().position(|other| other.name == *node);
        if let Some(broker) = number.and_then(|number| self.brokers.get_mut(&NodeId(number as u16))) {
            broker.promise = promise(broker.plan, if begins { changes } else { &[] });
        }
    }

    fn answered(&mut self, (node, acked): (NodeId, Seq), code: i32, ids: &str) {
        let Some((broker, at)) = self.brokers.get(&node).zip(answer::place(ids)) else { return };
        self.acks += 1;
        let sends = ids.split(',').next().and_then(|id| self.heard.get(id));
        let next = |sends: &Vec<(Seq, &'a SendSeen)>| {
            let at = sends.partition_point(|(heard, _)| *heard < acked);
            // A place that was cut off is given to another message: one that nobody had sent yet was not answered.
            sends.get(at).map(|(_, send)| *send).filter(|send| send.seq < acked)
        };
        let send = sends.and_then(next);
        let waits = send.is_some_and(|send| {
            send.message.properties.get(names::WAIT).is_none_or(|wait| wait.eq_ignore_ascii_case("true"))
        });
        let full = waits && code == SUCCESS;
        let log = self.logs.of(node);
        let mut lies = Vec::new();
        match log.and_then(|log| log.piece(at)) {
            // What a pool holds nobody sees; what a slave was given came out of it.
            None if broker.promise.pool => {}
            None => lies.push((CACHE, None, Vec::new())),
            Some(piece) if full => {
                let log = log.expect("the piece lies in it");
                if broker.promise.sync_flush && !log.is_stable(piece) {
                    let weakness = log.failed().filter(|_| !self.plan.profile.fix_k01).map(|_| FAILED_FLUSH);
                    lies.push((DISK, weakness, log.failed().into_iter().collect()));
                }
                if broker.promise.sync_master && !self.is_doubled(broker, piece) {
                    let weakness = broker.lost.filter(|_| !self.plan.profile.fix_k02).map(|_| SLAVE_AHEAD);
                    lies.push((SLAVE, weakness, broker.lost.into_iter().collect()));
                }
            }
            Some(_) => {}
        }
        for (clause, weakness, witness) in lies {
            self.lies.push(Lie { clause, weakness, acked, at, send, witness });
        }
    }

    /// Whether a slave has what a master stored. A repaired slave keeps what it finds to be the same already: of two records
    /// that begin alike it is given the rest.
    fn is_doubled(&self, broker: &Broker<'_>, piece: Piece) -> bool {
        let has = |log: &Log| log.has(piece) || (self.plan.profile.fix_k02 && log.has_rest(piece));
        broker.slaves.iter().any(|slave| self.logs.of(*slave).is_some_and(has))
    }

    fn verdict(self) -> Judged {
        if self.brokers.is_empty() || self.acks == 0 {
            return Judged::inconclusive("no send was acknowledged", "没有任何发送得到确认");
        }
        let (acks, lied) = (self.acks, self.lies.len());
        // One that no registered weakness explains goes first.
        let Some(first) = self.lies.iter().min_by_key(|lie| lie.weakness.is_some()) else {
            let zh = format!("{acks} 次确认发出时，该有消息的都有");
            return Judged::pass(format!("{acks} acknowledgements were true when they left"), zh);
        };
        let mut witness = vec![first.acked];
        witness.extend(&first.witness);
        for lie in self.lies.iter().take(9) {
            witness.push(lie.acked);
            witness.extend(lie.send.map(|send| send.seq));
        }
        let name = first.send.map_or_else(|| format!("{}", first.at), label);
        let (en, zh) = (first.clause, in_chinese(first.clause));
        let judged = Judged::violation(
            first.clause,
            witness,
            format!("{lied} of {acks} acknowledgements were not true when they left, first {name}: {en}"),
            format!("{acks} 次确认中有 {lied} 次在发出时并不属实，第一次是 {name}：{zh}"),
        );
        match first.weakness {
            Some(weakness) => judged.known(weakness),
            None => judged,
        }
    }
}

fn in_chinese(clause: &str) -> &'static str {
    match clause {
        CACHE => "主节点缓存中没有",
        DISK => "磁盘上没有",
        _ => "没有任何从节点拥有它",
    }
}

/// The ids in an answer to a send, if it says that the message was taken.
fn taken(frame: &FrameNote) -> Option<String> {
    let took =
        frame.flag & RESPONSE != 0 && [SUCCESS, DISK_TIMEOUT, SLAVE_MISSING, SLAVE_TIMEOUT].contains(&frame.code);
    took.then(|| answer::ids(&frame.wire.as_ref()?.bytes())).flatten()
}

fn brokers(plan: &Plan) -> impl Iterator<Item = (NodeId, &BrokerPlan)> {
    plan.nodes.iter().enumerate().filter_map(|(number, node)| match &node.kind {
        NodeKind::Broker(broker) => Some((NodeId(number as u16), &**broker)),
        _ => None,
    })
}

fn named<'a>(broker: &'a BrokerPlan, key: &str) -> Option<&'a Name> {
    broker.properties.iter().rfind(|pair| pair.key == key).map(|pair| &pair.value)
}

/// What a broker promises with these settings changed.
fn promise(broker: &BrokerPlan, changes: &[(Name, Name)]) -> Promise {
    let changed = |key: &str| changes.iter().rfind(|(own, _)| own == key).map(|(_, value)| &**value);
    let sync_flush = changed("flushDiskType").map_or(broker.sync_flush, |kind| kind == "SYNC_FLUSH");
    let sync_master = changed("brokerRole").map_or(broker.is_sync_master(), |role| role == "SYNC_MASTER");
    let pool = changed("transientStorePoolEnable").or(named(broker, "transientStorePoolEnable").map(|value| &**value));
    Promise { sync_flush, sync_master, pool: pool == Some("true") && !sync_flush }
}

/// Of a frame's flag: it answers.
const RESPONSE: i32 = 1;
/// The code of `SEND_OK`.
const SUCCESS: i32 = 0;
/// `FLUSH_DISK_TIMEOUT`.
const DISK_TIMEOUT: i32 = 10;
/// `SLAVE_NOT_AVAILABLE`.
const SLAVE_MISSING: i32 = 11;
/// `FLUSH_SLAVE_TIMEOUT`.
const SLAVE_TIMEOUT: i32 = 12;
