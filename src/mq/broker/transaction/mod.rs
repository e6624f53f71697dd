//! Transactions: a half message is parked, settled by its producer, and asked for if it is not.
//!
//! ```text
//!   half send ─▶ RMQ_SYS_TRANS_HALF_TOPIC        commit ─▶ the true topic, then a note in RMQ_SYS_TRANS_OP_HALF_TOPIC
//!        every 60 s ─▶ no note? ─▶ put it back, ask a member of its producer group      rollback ─▶ the note alone
//! ```
//!
//! The invariant to remember: **nothing is ever taken out**. A half message stays in the log; a note says that its offset is
//! settled, and two cursors of the group `CID_RMQ_SYS_TRANS` say how far the rounds have come. They live with all other
//! consumer offsets, in a file that is written every 5 s.
//!
//! Source: `TransactionalMessageServiceImpl`, `TransactionalMessageBridge`, `EndTransactionProcessor`,
//! `TransactionalMessageCheckService`.

use crate::mq::broker::Broker;
use crate::mq::broker::transaction::check::Round;
use crate::mq::broker::transaction::end::Committing;
use crate::mq::message::java::parse_int;
use crate::mq::message::property::{self, Properties, names as properties};
use crate::mq::message::sys_flag::{TRANSACTION_NOT, with_transaction_type};
use crate::mq::message::{Host, Name, PhysicalOffset, StoredMessage, names};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Step, Timer, TimerKey};
use crate::mq::store::config::Role;
use crate::mq::store::record::NewMessage;
use crate::mq::time::{Millis, Span, Time};

mod ask;

mod check;

pub mod end;

/// What a broker keeps of transactions between two events.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    /// Commits whose true message waits for its force.
    committing: Vec<(u64, Committing)>,
    /// A round that is not over.
    round: Option<Round>,
    /// Counts the producers that were asked. Source: `ProducerManager.positiveAtomicCounter`.
    asked: i32,
    /// From when the rounds are counted: the end of the last one.
    counted_from: Time,
    /// Whether a round may find something.
    is_awake: bool,
    is_armed: bool,
    /// Half messages whose notes no queue has yet, with the notes' places in the log. Kept only where a record waits for its
    /// force before it is dispatched (K04 is repaired): a half message that is read before its note would be asked for again,
    /// and its copy would be committed once more.
    unread: Vec<(i64, PhysicalOffset)>,
    held: HeldCursors,
}

/// Where K03 is repaired: cursors that may be written down while those in force are behind something that is not durable.
#[derive(Clone, Debug, Default)]
struct HeldCursors {
    /// That of the half topic, and that of the op topic.
    safe: [i64; 2],
    /// Where the log ended when a cursor moved last.
    seen: PhysicalOffset,
}

/// Whether a message is a half one. Source: `SendMessageProcessor.sendMessage`.
pub fn is_half(message: &NewMessage) -> bool {
    let mark = property::find(&message.properties, properties::TRAN_MSG);
    mark.is_some_and(|mark| mark.eq_ignore_ascii_case("true"))
}

/// The message as it is parked: its true address in properties, written anew in Java's order.
///
/// It counts as an ordinary message, so that it has its place in the half topic's queue. A delay level stays and diverts it
/// to the schedule topic (K21), unless it is put aside. A level that is no number is left for the store to refuse.
/// Source: `TransactionalMessageBridge.parseHalfMessageInner`.
pub fn half_of(message: NewMessage, puts_level_aside: bool) -> NewMessage {
    let mut map = Properties::decode(&message.properties);
    let is_level = |level: &Name| parse_int(level).is_some_and(|level| level > 0);
    if puts_level_aside && let Some(level) = map.get(properties::DELAY).cloned().filter(is_level) {
        map.remove(properties::DELAY);
        map.put(LEVEL_ASIDE, level);
    }
    map.put(properties::REAL_TOPIC, message.topic);
    map.put(properties::REAL_QID, message.queue_id.to_string());
    NewMessage {
        topic: names::TRANS_HALF_TOPIC.into(),
        queue_id: 0,
        sys_flag: with_transaction_type(message.sys_flag, TRANSACTION_NOT),
        properties: map.encode().into(),
        ..message
    }
}

/// The note that a half message is settled.
///
/// Its text is made before `WAIT` is set to false, so what is stored says true. Source: `makeOpMessageInner`.
/// Differs: it gets no unique key; upstream sets one after the text was made, so that nobody ever sees it.
pub fn op_of(half: &StoredMessage, store_host: Host, now: Millis) -> NewMessage {
    let mut map = Properties::new();
    map.put(properties::TAGS, SETTLED_TAG);
    map.put(properties::WAIT, "true");
    let text = map.encode();
    map.put(properties::WAIT, "false");
    NewMessage {
        topic: names::TRANS_OP_TOPIC.into(),
        queue_id: half.queue_id,
        flag: 0,
        sys_flag: 0,
        born_timestamp: now,
        born_host: store_host,
        store_host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: half.queue_offset.0.to_string().into(),
        properties: text.into(),
        map: Some(Box::new(map)),
    }
}

impl Broker {
    /// A cursor is about to move over what was copied or settled: until that is durable, the cursors as they are now are those
    /// that are written down (K03).
    fn hold_cursors(&mut self, step: &mut Step<'_>) {
        if !self.config.profile.fix_k03 {
            return;
        }
        if self.transactions.held.seen <= self.store.flushed() {
            self.transactions.held.safe = CURSORS.map(|topic| self.cursor(topic));
        }
        self.transactions.held.seen = self.store.log_end();
        let end = self.store.log_end().0;
        self.store.await_copy(Self::clock(step), end);
    }

    /// The cursors that have to be written instead of those in force.
    pub(super) fn held_cursors(&self) -> Option<[(&'static str, i64); 2]> {
        let HeldCursors { safe, seen } = &self.transactions.held;
        let [half, op] = CURSORS;
        (self.store.flushed() < *seen).then_some([(half, safe[0]), (op, safe[1])])
    }

    /// The first round comes an interval from now; a slave has none. Source: `TransactionalMessageCheckService.start`.
    pub(super) fn start_checks(&mut self) {
        self.transactions.counted_from = self.started;
        self.transactions.is_awake = true;
    }

    /// Something was put: half messages and notes are looked at in the next round.
    ///
    /// While there is neither, rounds would find nothing and are not awaited.
    pub(super) fn wake_checks(&mut self, topic: &str) {
        let is_ours = topic == names::TRANS_HALF_TOPIC || topic == names::TRANS_OP_TOPIC;
        self.transactions.is_awake |= is_ours;
    }

    /// Arms the next round, if there may be something to look at.
    pub(super) fn arm_checks(&mut self, step: &mut Step<'_>) {
        if self.config.profile.plants(Mistake::NeverChecks) {
            return;
        }
        let transactions = &mut self.transactions;
        if !transactions.is_awake || transactions.is_armed || self.stopping || self.config.store.role == Role::Slave {
            return;
        }
        transactions.is_armed = true;
        let interval = self.config.transaction_check_interval.0.max(1);
        let since = step.mono.since(transactions.counted_from).0;
        let at = transactions.counted_from + Span((since / interval + 1) * interval);
        step.out.arm(TimerKey::of(Timer::TransactionCheck), at);
    }
}

/// The two topics with a cursor.
const CURSORS: [&str; 2] = [names::TRANS_HALF_TOPIC, names::TRANS_OP_TOPIC];
/// The property in which a copy names the moment at which the first one was stored; it ends with the half message, and the
/// release has none like it.
const FIRST_STORED: &str = "TRAN_FIRST_STORED";
/// The property that keeps a half message's delay level until its commit; the release has none like it.
const LEVEL_ASIDE: &str = "TRAN_DELAY";
/// Source: `TransactionalMessageUtil.REMOVETAG`.
const SETTLED_TAG: &str = "d";
