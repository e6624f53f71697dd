//! A round: half messages are walked through from the cursor on, against the notes that say which are settled.
//!
//! Upstream's loop is kept branch by branch, because what it forgets can be seen: an op cursor that is moved to the end of its
//! queue loses the notes that were read and not used (K22); an exception leaves both cursors where they were (K22); a message
//! that is put back counts as a new one, so the old one's late end is no longer found. The switches K11, K22 and K23 are here.
//! Source: `TransactionalMessageServiceImpl.check`.

use std::collections::BTreeMap;

use crate::mq::broker::Broker;
use crate::mq::broker::topic::{PERM_READ, PERM_WRITE, config};
use crate::mq::fact::Fact;
use crate::mq::message::java::{parse_int, parse_long};
use crate::mq::message::property::names as properties;
use crate::mq::message::record::decode;
use crate::mq::message::sys_flag::without_compressed;
use crate::mq::message::{QueueOffset, StoredMessage, Topic, names};
use crate::mq::mistake::Mistake;
use crate::mq::node::{Step, Timer, TimerKey};
use crate::mq::store::config::Role;
use crate::mq::store::get::{GetRequest, GetStatus};
use crate::mq::store::outcome::PutStatus;
use crate::mq::store::record::NewMessage;
use crate::mq::time::{Millis, Span};

/// A round under way.
#[derive(Clone, Debug)]
pub(super) struct Round {
    start: Millis,
    /// The half topic's cursor when the round began.
    half: i64,
    /// The op topic's.
    op: i64,
    /// Notes that were read: the half message's offset, and the note's.
    settled: BTreeMap<i64, i64>,
    /// Notes that are of no more use.
    done: Vec<i64>,
    ops: Ops,
    /// The half message that is looked at.
    at: i64,
    /// The cursor if the round ended now.
    half_to: i64,
    /// Half messages that could not be read.
    nulls: u32,
    /// How many producers were asked in it.
    asked: u32,
    /// How often it waited.
    waits: u32,
}

/// The last look at the notes. Source: `PullResult`.
#[derive(Clone, Copy, Debug)]
struct Ops {
    next: i64,
    /// When the last note of those found was made; `None` if none was found.
    last_born: Option<Millis>,
}

/// What was read of a queue.
struct Pulled {
    status: PullStatus,
    next: i64,
    messages: Vec<StoredMessage>,
}

/// Source: `PullStatus`, as `TransactionalMessageBridge.getMessage` uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PullStatus {
    Found,
    NoNewMsg,
    NoMatchedMsg,
    OffsetIllegal,
}

/// How a look at one half message ended.
enum Turn {
    /// On to whatever the round stands at.
    Next,
    /// The round is over.
    Over,
    /// It would spin until something changes.
    Spins,
}

/// An exception of upstream's, by its class.
type Thrown = &'static str;

impl Broker {
    /// The check's timer fired: a new round, or one that waited goes on.
    pub(in crate::mq::broker) fn checks_due(&mut self, step: &mut Step<'_>) {
        (self.transactions.is_armed, self.transactions.is_awake) = (false, false);
        if self.stopping {
            return;
        }
        let mut thrown = None;
        let round = match self.transactions.round.take() {
            Some(round) => Some(round),
            None => self.begin_round(step).unwrap_or_else(|why| {
                thrown = Some(why);
                None
            }),
        };
        if let Some(mut round) = round {
            loop {
                match self.turn(&mut round, step) {
                    Ok(Turn::Next) => {}
                    Ok(Turn::Over) => break self.end_round(&round, step),
                    Ok(Turn::Spins) => return self.wait_in_round(round, step),
                    Err(why) => break thrown = Some(why),
                }
            }
        }
        if let Some(why) = thrown {
            let half = self.cursor(names::TRANS_HALF_TOPIC);
            step.out.say(Fact::CheckRoundFailed { half, why });
        }
        self.transactions.counted_from = step.mono;
        // What this round put back is in no queue yet, and has awoken the next one. What the queues have not followed yet may
        // be half messages: repaired (K04) they wait for a force, which may be longer than a round.
        self.transactions.is_awake |= thrown.is_some() || self.has_open_ends() || 0 < self.store.behind();
        self.arm_checks(step);
    }

    /// Whoever waits for the next round is woken by the stop and does one more: in a store that gives nothing any more, it
    /// comes as far as making its topic.
    ///
    /// Source: `ServiceThread.waitForRunning`, `TransactionalMessageCheckService.onWaitEnd`.
    pub(in crate::mq::broker) fn check_on_leaving(&mut self, step: &mut Step<'_>) {
        let checks = self.config.store.role != Role::Slave && !self.config.profile.plants(Mistake::NeverChecks);
        if checks && self.topics.get(names::TRANS_HALF_TOPIC).is_none() {
            self.create_topic(config(names::TRANS_HALF_TOPIC.into(), 1, PERM_READ | PERM_WRITE), step);
        }
    }

    /// The cursors and the first notes; `None` if there is nothing to walk through.
    fn begin_round(&mut self, step: &mut Step<'_>) -> Result<Option<Round>, Thrown> {
        if self.topics.get(names::TRANS_HALF_TOPIC).is_none() {
            self.create_topic(config(names::TRANS_HALF_TOPIC.into(), 1, PERM_READ | PERM_WRITE), step);
        }
        let (half, op) = (self.cursor(names::TRANS_HALF_TOPIC), self.cursor(names::TRANS_OP_TOPIC));
        let mut round = Round {
            start: step.wall,
            half,
            op,
            settled: BTreeMap::new(),
            done: Vec::new(),
            ops: Ops { next: op, last_born: None },
            at: half,
            half_to: half,
            nulls: 0,
            asked: 0,
            waits: 0,
        };
        // Without an answer from the store this queue is passed over.
        Ok(self.fill_ops(&mut round, op, step)?.then_some(round))
    }

    /// Looks at the half message at which the round stands.
    fn turn(&mut self, round: &mut Round, step: &mut Step<'_>) -> Result<Turn, Thrown> {
        if step.wall.since(round.start) > ROUND_MAX_MS {
            return Ok(Turn::Over);
        }
        let is_settled = round.settled.remove(&round.at).is_some() || self.has_unread_note(round.at);
        if is_settled && !self.config.profile.plants(Mistake::ChecksAfterCommit) {
            return Ok(round.advance());
        }
        let mut pulled = self.read(names::TRANS_HALF_TOPIC, round.at, 1, step)?.ok_or(NULL_POINTER)?;
        let Some(mut half) = pulled.messages.pop() else {
            if pulled.status == PullStatus::Found {
                step.out.say(Fact::HalfDiscarded { half: round.at, why: "unreadable" });
                return Ok(round.advance());
            }
            round.nulls += 1;
            if round.nulls > NULLS_MAX || pulled.status == PullStatus::NoNewMsg {
                return Ok(Turn::Over);
            }
            (round.at, round.half_to) = (pulled.next, pulled.next);
            return Ok(Turn::Next);
        };
        let Some(times) = self.checked_again(&mut half) else {
            step.out.say(Fact::HalfDiscarded { half: round.at, why: "asked-too-often" });
            return Ok(round.advance());
        };
        let reserved_ms = self.config.store.file_reserved_time_h.saturating_mul(3_600_000);
        let since = if self.config.profile.fix_k11 { first_stored(&mut half) } else { half.born_timestamp };
        let age = step.wall.since(since);
        if age > reserved_ms {
            step.out.say(Fact::HalfDiscarded { half: round.at, why: "too-old" });
            return Ok(round.advance());
        }
        if half.store_timestamp >= round.start {
            return Ok(Turn::Over);
        }
        let timeout = self.config.transaction_time_out.as_millis() as i64;
        let immunity = immunity(&half, timeout);
        let in_peace = immunity.is_some_and(|immunity| age < immunity);
        if in_peace && immunity <= Some(age.saturating_add(SECOND_LOOK_MS)) && !self.config.profile.fix_k23 {
            step.out.say(Fact::HalfDiscarded { half: round.at, why: "expired-meanwhile" });
            return Ok(round.advance());
        }
        if in_peace && self.left_in_peace(round, &mut half, times, step) {
            return Ok(round.advance());
        }
        if immunity.is_none() && (0..timeout).contains(&age) {
            return Ok(Turn::Over);
        }
        let is_due = match round.ops.last_born {
            None => age > immunity.unwrap_or(timeout),
            Some(born) => born.since(round.start) > timeout,
        };
        if is_due || age <= -1 {
            if !self.put_back(&mut half, step) {
                return Ok(Turn::Spins);
            }
            let group = half.message.properties.get(properties::PGROUP).cloned().unwrap_or_default();
            let client = self.ask_producer(&half, step);
            step.out.say(Fact::HalfChecked { group, client, half: round.at, times });
            round.asked += 1;
            if round.asked == POOL_PLANTED && self.config.profile.plants(Mistake::FullPoolEndsScan) {
                return Err("RejectedExecutionException");
            }
            return Ok(round.advance());
        }
        let had_none = round.ops.last_born.is_none();
        let from = round.ops.next;
        if !self.fill_ops(round, from, step)? {
            return Err(NULL_POINTER);
        }
        Ok(if had_none && round.ops.last_born.is_none() { Turn::Spins } else { Turn::Next })
    }

    /// Counts a look at a half message; `None` if it was looked at too often. Source: `needDiscard`.
    fn checked_again(&self, half: &mut StoredMessage) -> Option<i32> {
        let before = half.message.properties.get(properties::TRANSACTION_CHECK_TIMES);
        let times = match before.map(|times| parse_int(times).unwrap_or(-1)) {
            None => 1,
            Some(times) if times >= self.config.transaction_check_max => return None,
            Some(times) => times.wrapping_add(1),
        };
        let kept = if self.config.profile.plants(Mistake::CheckKeepsCount) { 1 } else { times };
        half.message.properties.put(properties::TRANSACTION_CHECK_TIMES, kept.to_string());
        Some(times)
    }

    /// A half message that may not be asked for yet: put back for a later round, or found to be settled.
    ///
    /// Source: `checkPrepareQueueOffset`.
    fn left_in_peace(&mut self, round: &mut Round, half: &mut StoredMessage, times: i32, step: &mut Step<'_>) -> bool {
        let first = half.message.properties.get(properties::TRAN_PREPARED_QUEUE_OFFSET);
        let first = first.map(|first| parse_long(first).unwrap_or(-1));
        match first {
            Some(-1) => return false,
            Some(first) => {
                if let Some(op) = round.settled.remove(&first) {
                    round.done.push(op);
                    return true;
                }
            }
            None => {
                let own = half.queue_offset.0.to_string();
                half.message.properties.put(properties::TRAN_PREPARED_QUEUE_OFFSET, own);
            }
        }
        // Unlike a copy that is asked for, this one is stored with what the broker set: nobody waits for it.
        half.message.properties.put(properties::WAIT, "false");
        let before = round.at;
        let is_put = self.put_back(half, step);
        if is_put {
            step.out.say(Fact::HalfPutBack { half: before, again: half.queue_offset.0, times });
        }
        is_put
    }

    /// Writes a half message once more; it then has the copy's place.
    ///
    /// The application's flag is lost on the way, and a compressed body is stored inflated under its old flag: a reader that
    /// trusts the flag fails at that copy, and so does the producer that is asked (K22). Repaired, copy and question say that
    /// the body is as it is. Source: `renewHalfMessageInner`, `putBackHalfMsgQueue`.
    fn put_back(&mut self, half: &mut StoredMessage, step: &mut Step<'_>) -> bool {
        let text = half.message.properties.encode();
        half.message.properties.put(properties::WAIT, "false");
        if self.config.profile.fix_k22 {
            half.sys_flag = without_compressed(half.sys_flag);
        }
        let message = NewMessage {
            topic: half.message.topic.clone(),
            queue_id: half.queue_id,
            flag: 0,
            sys_flag: half.sys_flag,
            born_timestamp: half.born_timestamp,
            born_host: half.born_host,
            store_host: half.store_host,
            reconsume_times: 0,
            prepared_transaction_offset: 0,
            body: half.message.body.clone(),
            properties: text.into(),
            map: Some(Box::new(half.message.properties.clone())),
        };
        let clock = Self::clock(step);
        let put = self.store.put(step.disk, clock, &message);
        self.say_appended(&put, message, step);
        let Some(landed) = put.landed.filter(|_| put.status == PutStatus::PutOk) else { return false };
        (half.queue_offset, half.commit_log_offset) = (landed.queue_offset, landed.at);
        true
    }

    /// Reads notes from an offset on; `false` if the store gave no answer.
    ///
    /// Behind the last note the cursor is moved there at once, whatever was read and not used (K22). Repaired, it moves if it is
    /// the cursor itself that was no place to read from.
    /// Source: `fillOpRemoveMap`.
    fn fill_ops(&mut self, round: &mut Round, from: i64, step: &mut Step<'_>) -> Result<bool, Thrown> {
        let Some(pulled) = self.read(names::TRANS_OP_TOPIC, from, OPS_MAX, step)? else { return Ok(false) };
        let may_move = from == round.op || !self.config.profile.fix_k22;
        if may_move && matches!(pulled.status, PullStatus::OffsetIllegal | PullStatus::NoMatchedMsg) {
            self.move_cursor(names::TRANS_OP_TOPIC, pulled.next, step);
        }
        round.ops = Ops { next: pulled.next, last_born: pulled.messages.last().map(|op| op.born_timestamp) };
        for op in &pulled.messages {
            let is_settled = op.message.properties.get(properties::TAGS).is_some_and(|tag| *tag == super::SETTLED_TAG);
            let half = std::str::from_utf8(&op.message.body).ok().and_then(parse_long).unwrap_or(-1);
            match (is_settled, half < round.half) {
                (false, _) => {}
                (true, true) => round.done.push(op.queue_offset.0),
                (true, false) => drop(round.settled.insert(half, op.queue_offset.0)),
            }
        }
        Ok(true)
    }

    /// Reads a queue as this service's own group; `None` if the store gave no answer.
    ///
    /// Bodies are inflated. Errors: a record cannot be read; where K22 is repaired, it is left out. Source: `TransactionalMessageBridge.getMessage`.
    fn read(&mut self, topic: &str, offset: i64, max: i32, step: &mut Step<'_>) -> Result<Option<Pulled>, Thrown> {
        let topic = Topic::from(topic);
        let request =
            GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(offset), max, filter: &|_: i64| true };
        let Some(got) = self.store.get(step.disk, &request) else { return Ok(None) };
        self.stats.read(got.status == GetStatus::Found, got.messages.len(), step.mono);
        if got.status == GetStatus::Found {
            self.stats.got(&names::TRANS_GROUP.into(), &topic, got.messages.len(), step.mono);
        }
        let status = match got.status {
            GetStatus::Found => PullStatus::Found,
            GetStatus::NoMatchedMessage => PullStatus::NoMatchedMsg,
            GetStatus::NoMessageInQueue => PullStatus::NoNewMsg,
            _ => PullStatus::OffsetIllegal,
        };
        let decoded = || got.messages.iter().map(|bytes| decode(bytes, 0).map(|(message, _)| message));
        let readable: Option<Vec<StoredMessage>> = decoded().collect();
        let messages = match readable {
            Some(messages) => messages,
            None if self.config.profile.fix_k22 => decoded().flatten().collect(),
            None => return Err(NULL_POINTER),
        };
        Ok(Some(Pulled { status, next: got.next.0, messages }))
    }

    /// Ends a round: both cursors move, that of the notes over those that are done without a gap. Source: `calculateOpOffset`.
    fn end_round(&mut self, round: &Round, step: &mut Step<'_>) {
        if round.half_to != round.half {
            self.move_cursor(names::TRANS_HALF_TOPIC, round.half_to, step);
        }
        let mut done = round.done.clone();
        done.sort_unstable();
        let op = done.iter().fold((round.op, true), |(to, gapless), op| match gapless && *op == to {
            true => (to + 1, true),
            false => (to, false),
        });
        if op.0 != round.op {
            self.move_cursor(names::TRANS_OP_TOPIC, op.0, step);
        }
        if self.store.max_queue_offset(names::TRANS_HALF_TOPIC, 0).0 > 0 {
            let (half_from, half_to) = (round.half, round.half_to);
            let (op_from, op_to) = (round.op, self.cursor(names::TRANS_OP_TOPIC));
            step.out.say(Fact::CheckRoundEnded { half_from, half_to, op_from, op_to });
        }
    }

    /// Upstream's loop would spin until its minute is over. Differs: it looks again after 1 ms, then every 100 ms.
    fn wait_in_round(&mut self, mut round: Round, step: &mut Step<'_>) {
        let wait = if round.waits == 0 { SPIN_FIRST } else { SPIN };
        round.waits += 1;
        self.transactions.round = Some(round);
        self.transactions.is_armed = true;
        step.out.arm(TimerKey::of(Timer::TransactionCheck), step.mono + wait);
    }

    /// Whether a half message that its queue has is settled by a note that no queue has yet.
    fn has_unread_note(&mut self, half: i64) -> bool {
        let followed = self.store.log_end().0 - self.store.behind();
        self.transactions.unread.retain(|(_, note)| followed <= note.0);
        let is_there = half < self.store.max_queue_offset(names::TRANS_HALF_TOPIC, 0).0;
        is_there && self.transactions.unread.iter().any(|(settled, _)| *settled == half)
    }

    /// Whether a cursor stands in front of its queue's end.
    fn has_open_ends(&self) -> bool {
        [names::TRANS_HALF_TOPIC, names::TRANS_OP_TOPIC]
            .iter()
            .any(|topic| self.cursor(topic) != self.store.max_queue_offset(topic, 0).0)
    }

    /// How far the rounds have come in a topic. Source: `TransactionalMessageBridge.fetchConsumeOffset`.
    pub(super) fn cursor(&self, topic: &str) -> i64 {
        let stored = self.offsets.get(names::TRANS_GROUP, topic, 0);
        stored.unwrap_or_else(|| self.store.min_queue_offset(topic, 0)).0
    }

    fn move_cursor(&mut self, topic: &str, to: i64, step: &mut Step<'_>) {
        self.hold_cursors(step);
        self.commit_offset(&names::TRANS_GROUP.into(), &topic.into(), 0, to, step);
    }
}

impl Round {
    fn advance(&mut self) -> Turn {
        self.at += 1;
        self.half_to = self.at;
        Turn::Next
    }
}

/// How long the application wants a half message to be left in peace, if it says so. Source: `getImmunityTime`.
fn immunity(half: &StoredMessage, timeout: i64) -> Option<i64> {
    let seconds = half.message.properties.get(properties::CHECK_IMMUNITY_TIME_IN_SECONDS)?;
    Some(match parse_long(seconds).unwrap_or(-1) {
        -1 => timeout,
        seconds => seconds.wrapping_mul(1_000),
    })
}

/// When the first copy of a half message was stored, and every copy from now on says so.
fn first_stored(half: &mut StoredMessage) -> Millis {
    let own = &mut half.message.properties;
    if let Some(first) = own.get(super::FIRST_STORED).and_then(|first| parse_long(first)) {
        return Millis(first);
    }
    own.put(super::FIRST_STORED, half.store_timestamp.0.to_string());
    half.store_timestamp
}

/// The age is read twice (K23). Differs: upstream's clock hardly ever moves on in between; here it always does, by the least
/// that a clock can.
const SECOND_LOOK_MS: i64 = 1;
const NULL_POINTER: Thrown = "NullPointerException";
/// Source: `TransactionalMessageServiceImpl.MAX_PROCESS_TIME_LIMIT`.
const ROUND_MAX_MS: i64 = 60_000;
/// Source: `TransactionalMessageServiceImpl.MAX_RETRY_COUNT_WHEN_HALF_NULL`.
const NULLS_MAX: u32 = 1;
/// Source: `TransactionalMessageServiceImpl.fillOpRemoveMap`.
const OPS_MAX: i32 = 32;
/// The check of a round that finds the pool full ([`Mistake::FullPoolEndsScan`]): upstream's holds 2,000.
const POOL_PLANTED: u32 = 3;
const SPIN_FIRST: Span = Span::from_millis(1);
const SPIN: Span = Span::from_millis(100);
