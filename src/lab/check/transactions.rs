//! Transactions as outsiders saw them: what listeners were asked and said, what ledgers hold, what lies in the logs.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::history::BrokerSeen;
use crate::lab::oracle::frame::Frame;
use crate::lab::oracle::store::{LogRecord, Store};
use crate::lab::trace::record::{App, NodeId, Record, Road, Seq, What};
use crate::lab::trace::wire::Wire;
use crate::mq::app::{Call, LocalOutcome, LocalState, Return, SendStatus};
use crate::mq::message::property::{Properties, names as properties};
use crate::mq::message::{Group, Name, names};
use crate::mq::time::{Millis, Time};

/// All transactions of a run whose half messages were acknowledged, and what applications wrote down.
#[derive(Debug, Default)]
pub struct Transactions {
    /// In the order in which they were seen first.
    pub seen: Vec<TransactionSeen>,
    /// Lines of ledgers: what is booked, as what.
    pub ledger: Vec<(Seq, Name, Name)>,
    by_id: BTreeMap<Name, usize>,
    /// Callbacks that have not been answered, by node, incarnation and task.
    open: BTreeMap<(NodeId, u32, u64), (usize, Asked)>,
}

/// What a callback is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    /// It runs the local transaction.
    ToRun,
    /// It is asked how that ended.
    HowItEnded,
}

/// A transaction.
#[derive(Debug)]
pub struct TransactionSeen {
    /// Its id, the half message's unique key.
    pub id: Name,
    /// What it is booked under.
    pub key: Name,
    /// The record in which it was seen first, which is the first sign that its half message was stored.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// What listeners said, and when, in order; those that died or stayed silent said nothing.
    pub said: Vec<(Seq, Time, LocalOutcome)>,
    /// How often and when it was asked for.
    pub checks: Vec<CheckSeen>,
    /// The state with which the producer's call returned.
    pub returned: Option<LocalState>,
    /// The callback that ran the local transaction, where one did.
    pub executed: Option<Seq>,
    /// How the half message was stored, as the call said when it returned.
    pub half: Option<SendStatus>,
    /// What the callback that ran the local transaction answered.
    pub local: Option<(Seq, LocalOutcome)>,
    /// What its producer then told the broker, as it arrived.
    pub told: Vec<(Seq, LocalState)>,
}

/// A question how a transaction ended.
#[derive(Debug)]
pub struct CheckSeen {
    /// The callback.
    pub seq: Seq,
    /// When.
    pub at: Time,
    /// Who was asked.
    pub node: NodeId,
    /// As a member of which group.
    pub group: Group,
    /// The group that the message names.
    pub asked: Name,
    /// When the message was made, by its producer's clock.
    pub born: Millis,
    /// How long it was to be left in peace, in seconds.
    pub immunity: Option<i64>,
    /// How often this copy says that it was asked for, this time included.
    pub times: i64,
}

impl Transactions {
    /// Takes a record in.
    pub(super) fn see(&mut self, record: &Record, node: NodeId) {
        let key = |task: u64| (node, record.incarnation, task);
        match &record.what {
            What::App(App::Noted { key, value }) => self.ledger.push((record.seq, key.clone(), value.clone())),
            What::App(App::Called(call)) => {
                if let Call::Decided { task, outcome } = &**call
                    && let Some((place, asked)) = self.open.remove(&key(task.0))
                {
                    self.seen[place].said.push((record.seq, record.at, outcome.clone()));
                    if asked == Asked::ToRun {
                        self.seen[place].local = Some((record.seq, outcome.clone()));
                    }
                }
            }
            What::App(App::Returned(answer)) => match &**answer {
                Return::Execute { task, message, .. } => {
                    let place = self.place(&message.properties, record);
                    self.seen[place].executed.get_or_insert(record.seq);
                    self.open.insert(key(task.0), (place, Asked::ToRun));
                }
                Return::Check { task, group, message } => {
                    let own = &message.message.properties;
                    let place = self.place(own, record);
                    self.open.insert(key(task.0), (place, Asked::HowItEnded));
                    self.seen[place].checks.push(CheckSeen {
                        seq: record.seq,
                        at: record.at,
                        node,
                        group: group.clone(),
                        asked: own.get(properties::PGROUP).cloned().unwrap_or_default(),
                        born: message.born_timestamp,
                        immunity: own
                            .get(properties::CHECK_IMMUNITY_TIME_IN_SECONDS)
                            .and_then(|seconds| seconds.parse().ok()),
                        times: own
                            .get(properties::TRANSACTION_CHECK_TIMES)
                            .and_then(|times| times.parse().ok())
                            .unwrap_or(0),
                    });
                }
                Return::SentInTransaction { result, state, .. } => {
                    // One that was never executed was rolled back for its status; its key is not known here.
                    if let Some(place) = self.by_id.get(&result.msg_id) {
                        self.seen[*place].returned = Some(*state);
                        self.seen[*place].half = Some(result.status);
                    }
                }
                _ => {}
            },
            What::Road(Road::Arrived { frame, .. }) if frame.code == END_TRANSACTION && frame.flag & 1 == 0 => {
                let bytes = frame.wire.as_ref().map(Wire::brief).unwrap_or_default();
                if let Some((id, state)) = Frame::read(&bytes).as_ref().and_then(ended)
                    && let Some(place) = self.by_id.get(id)
                {
                    self.seen[*place].told.push((record.seq, state));
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, own: &Properties, record: &Record) -> usize {
        let id = own.get(properties::UNIQ_KEY).cloned().unwrap_or_default();
        let place = *self.by_id.entry(id.clone()).or_insert(self.seen.len());
        if place == self.seen.len() {
            let key = own.get(properties::KEYS).cloned().unwrap_or_else(|| id.clone());
            let (seq, at) = (record.seq, record.at);
            self.seen.push(TransactionSeen {
                id,
                key,
                seq,
                at,
                said: vec![],
                checks: vec![],
                returned: None,
                executed: None,
                half: None,
                local: None,
                told: vec![],
            });
        }
        place
    }

    /// What the ledgers say of a transaction, the first line first.
    pub fn booked<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (Seq, &'a Name)> {
        let lines = self.ledger.iter().filter(move |(_, own, _)| **own == *key);
        lines.map(|(seq, _, value)| (*seq, value))
    }
}

/// Which transaction a frame says has ended, and how, where it was not asked for.
///
/// Source: `DefaultMQProducerImpl.endTransaction`, `MessageSysFlag`.
fn ended<'a>(frame: &'a Frame<'_>) -> Option<(&'a str, LocalState)> {
    let state = match frame.number("commitOrRollback")? {
        COMMIT => LocalState::Commit,
        ROLLBACK => LocalState::Rollback,
        _ => LocalState::Unknown,
    };
    (frame.text("fromTransactionCheck") != Some("true")).then_some((frame.text("msgId")?, state))
}

/// Source: `RequestCode`.
const END_TRANSACTION: i32 = 37;
/// Source: `MessageSysFlag.TRANSACTION_COMMIT_TYPE`.
const COMMIT: i64 = 2 << 2;
/// Source: `MessageSysFlag.TRANSACTION_ROLLBACK_TYPE`.
const ROLLBACK: i64 = 3 << 2;

impl TransactionSeen {
    /// What the broker was told that the local transaction did not come to: both ends.
    pub fn told_otherwise(&self) -> Option<(Seq, Seq)> {
        let (ran, local) = self.local.as_ref()?;
        // One that threw, or answered nothing, is unknown. Source: `DefaultMQProducerImpl.sendMessageInTransaction`.
        let meant = match local {
            LocalOutcome::State(state) => *state,
            _ => LocalState::Unknown,
        };
        let other = self.told.iter().find(|(_, told)| *told != meant)?;
        Some((*ran, other.0))
    }

    /// When a listener first said so.
    pub fn said(&self, state: LocalState) -> Option<Seq> {
        let wanted = LocalOutcome::State(state);
        self.said.iter().find(|(_, _, said)| *said == wanted).map(|(seq, _, _)| *seq)
    }
}

/// What a log holds of one transaction.
#[derive(Debug)]
pub struct Logged<'a> {
    /// Half messages: the first one and those that were put back, in the log's order.
    pub halves: Vec<&'a LogRecord>,
    /// Notes that settle one of them.
    pub notes: Vec<&'a LogRecord>,
    /// True messages.
    pub finals: Vec<&'a LogRecord>,
    /// Half messages that were diverted to the schedule topic (K21).
    pub diverted: Vec<&'a LogRecord>,
}

/// Where a log's records of transactions lie: it is asked for each transaction again and again.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the transaction's id, in the log's order.
    own: BTreeMap<String, Vec<usize>>,
    /// Notes, by the place of the half message that they settle.
    notes: BTreeMap<i64, Vec<usize>>,
}

impl Ledger {
    /// Of one log.
    pub fn of(store: &Store) -> Ledger {
        let mut ledger = Ledger::default();
        for (at, record) in store.records.iter().enumerate() {
            if record.properties.contains_key(properties::TRAN_MSG)
                && let Some(id) = record.id()
            {
                ledger.own.entry(id.to_owned()).or_default().push(at);
            }
            let settles = || std::str::from_utf8(&record.body).ok()?.parse::<i64>().ok();
            if *record.topic == *names::TRANS_OP_TOPIC
                && let Some(half) = settles()
            {
                ledger.notes.entry(half).or_default().push(at);
            }
        }
        ledger
    }
}

impl<'a> Logged<'a> {
    /// Looks a transaction up in a broker's log.
    pub fn of(broker: &'a BrokerSeen, id: &str) -> Logged<'a> {
        let BrokerSeen { store, ledger, .. } = broker;
        let mut logged = Logged { halves: vec![], notes: vec![], finals: vec![], diverted: vec![] };
        // A true message that waits for its delay, or its retry, names its own topic.
        let is_half = |record: &LogRecord| {
            record.properties.get(properties::REAL_TOPIC).is_some_and(|topic| topic == names::TRANS_HALF_TOPIC)
        };
        for record in ledger.own.get(id).into_iter().flatten().map(|at| &store.records[*at]) {
            match record.topic.as_ref() {
                names::TRANS_HALF_TOPIC => logged.halves.push(record),
                SCHEDULE_TOPIC if is_half(record) => logged.diverted.push(record),
                _ => logged.finals.push(record),
            }
        }
        let places: BTreeSet<i64> = logged.halves.iter().map(|half| half.queue_offset).collect();
        let mut notes: Vec<usize> =
            places.iter().filter_map(|half| ledger.notes.get(half)).flatten().copied().collect();
        notes.sort_unstable();
        logged.notes = notes.into_iter().map(|at| &store.records[at]).collect();
        logged
    }

    /// How often the last copy says that it was looked at.
    pub fn times(&self) -> i64 {
        let last = self.halves.last().and_then(|half| half.properties.get(properties::TRANSACTION_CHECK_TIMES));
        last.and_then(|times| times.parse().ok()).unwrap_or(0)
    }
}
