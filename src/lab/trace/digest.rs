//! The digest: a running 128-bit chain over the fixed-width words of every record.
//!
//! It guards against divergence, not against forgers: folding a record costs a few nanoseconds, so it runs at every level
//! of recording and is the same at each. Marks kept every 1,024 records let two runs be compared without keeping either.

use std::fmt;

use crate::mq::app::{
    AdminAnswer, AdminCall, AppError, Call, Choice, ConsumeOutcome, LocalOutcome, Ordered, Return, Rollback,
    SendResult, SendTo,
};
use crate::mq::fact::{Fact, Value};
use crate::mq::message::{Message, MessageQueue, Name, StoredMessage};
use crate::mq::node::Frame;
use crate::mq::wire::command::Command;
use crate::mq::wire::header::{self as h, Header};

mod pull;

/// What a run's records fold to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub u128);

/// The chain while it grows.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    fold: Fold,
    records: u64,
    marks: Vec<Digest>,
}

/// Two folded lanes: words go in by pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fold {
    a: u64,
    b: u64,
}

/// A mark is kept after every so many records.
pub const MARK_EVERY: u64 = 1_024;

// Odd, dense constants: digits of pi and of e.
const START_A: u64 = 0x243f_6a88_85a3_08d3;
const START_B: u64 = 0xb7e1_5162_8aed_2a6b;
const MIX_A: u64 = 0x1319_8a2e_0370_7345;
const MIX_B: u64 = 0xbf71_5880_9cf4_f3c7;

#[inline]
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Default for Fold {
    fn default() -> Fold {
        Fold { a: START_A, b: START_B }
    }
}

impl Fold {
    /// Takes two words in. Both reach both lanes, so that a zero factor in one loses nothing.
    #[inline]
    pub fn pair(&mut self, x: u64, y: u64) {
        self.a = multiply(self.a ^ x, y ^ MIX_A).wrapping_add(self.b);
        self.b = multiply(self.b ^ y, x ^ MIX_B);
    }

    /// Takes bytes in, length first.
    ///
    /// What does not fill a block is read as two words that may overlap: every byte is in one of them, and nothing is copied.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.pair(bytes.len() as u64, 0x62);
        let (x, y) = match bytes.len() {
            0 => return,
            1..4 => (u64::from(bytes[0]), u64::from(bytes[bytes.len() / 2]) << 8 | u64::from(bytes[bytes.len() - 1])),
            4..8 => (half(bytes, 0), half(bytes, bytes.len() - 4)),
            8..=16 => (word(bytes, 0), word(bytes, bytes.len() - 8)),
            _ => return self.blocks(bytes),
        };
        self.pair(x, y);
    }

    /// Takes more than 16 bytes in.
    fn blocks(&mut self, bytes: &[u8]) {
        let (mut c, mut d) = (MIX_B, MIX_A);
        let mut chunks = bytes.chunks_exact(32);
        for chunk in &mut chunks {
            // Four independent lanes would help longer bodies; two keep short ones cheap.
            self.a = multiply(self.a ^ word(chunk, 0), word(chunk, 8) ^ MIX_A).wrapping_add(c);
            c = multiply(c ^ word(chunk, 16), word(chunk, 24) ^ MIX_B).wrapping_add(d);
            d = d.rotate_left(17) ^ word(chunk, 24);
        }
        if chunks.remainder().len() > 16 {
            let at = bytes.len() - chunks.remainder().len();
            self.pair(word(bytes, at), word(bytes, at + 8));
        }
        self.pair(c ^ word(bytes, bytes.len() - 16), d ^ word(bytes, bytes.len() - 8));
    }

    /// Takes a text in.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The fold in one word.
    #[inline]
    pub fn word(&self) -> u64 {
        multiply(self.a ^ MIX_B, self.b ^ MIX_A) ^ self.a
    }

    /// The fold in 128 bits.
    #[inline]
    pub fn digest(&self) -> Digest {
        Digest(u128::from(self.a) << 64 | u128::from(self.b))
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[inline]
fn half(bytes: &[u8], at: usize) -> u64 {
    let mut half = [0; 4];
    half.copy_from_slice(&bytes[at..at + 4]);
    u64::from(u32::from_le_bytes(half))
}

impl Chain {
    /// Takes in part of the record under way.
    #[inline]
    pub fn pair(&mut self, x: u64, y: u64) {
        self.fold.pair(x, y);
    }

    /// Ends a record and gives its number.
    #[inline]
    pub fn end_record(&mut self) -> u64 {
        let seq = self.records;
        self.records += 1;
        if self.records.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.fold.digest());
        }
        seq
    }

    /// How many records went in.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The digest so far.
    pub fn digest(&self) -> Digest {
        self.fold.digest()
    }

    /// The digest after every [`MARK_EVERY`] records.
    pub fn marks(&self) -> &[Digest] {
        &self.marks
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A frame's word: its fields one by one, with its body.
#[inline]
pub fn frame_word(frame: &Frame) -> u64 {
    let mut fold = Fold::default();
    match frame {
        Frame::Command(command) => command.fold(&mut fold),
        Frame::Bytes(bytes) => fold.bytes(bytes),
    }
    fold.word()
}

/// A call's word.
pub fn call_word(call: &Call) -> u64 {
    let mut fold = Fold::default();
    call.fold(&mut fold);
    fold.word()
}

/// A return's word.
pub fn return_word(answer: &Return) -> u64 {
    let mut fold = Fold::default();
    answer.fold(&mut fold);
    fold.word()
}

/// A fact's word: its kind and its fields in order.
pub fn fact_word(fact: &Fact) -> u64 {
    let mut fold = Fold::default();
    fold.text(fact.kind());
    fact.each_field(|_, value| match value {
        Value::Int(number) => fold.pair(number as u64, 1),
        Value::Text(text) => fold.text(text),
    });
    fold.word()
}

/// The word of bytes.
pub fn bytes_word(bytes: &[u8]) -> u64 {
    let mut fold = Fold::default();
    fold.bytes(bytes);
    fold.word()
}

/// A text's word.
pub fn text_word(text: &str) -> u64 {
    let mut fold = Fold::default();
    fold.text(text);
    fold.word()
}

/// What can be folded field by field. Sums go in with their variant's number first.
trait Folded {
    fn fold(&self, into: &mut Fold);
}

macro_rules! numbers {
    ($($type:ty),*) => { $(
        impl Folded for $type {
            #[inline]
            fn fold(&self, into: &mut Fold) {
                into.pair(i64::from(*self) as u64, 2);
            }
        }
    )* };
}

numbers!(i32, i64, u32, bool);

impl Folded for u64 {
    fn fold(&self, into: &mut Fold) {
        into.pair(*self, 3);
    }
}

impl Folded for Name {
    #[inline]
    fn fold(&self, into: &mut Fold) {
        into.text(self);
    }
}

impl<T: Folded> Folded for Option<T> {
    #[inline]
    fn fold(&self, into: &mut Fold) {
        match self {
            None => into.pair(0, 4),
            Some(value) => {
                into.pair(1, 4);
                value.fold(into);
            }
        }
    }
}

impl<T: Folded> Folded for [T] {
    fn fold(&self, into: &mut Fold) {
        into.pair(self.len() as u64, 5);
        for value in self {
            value.fold(into);
        }
    }
}

impl<A: Folded, B: Folded> Folded for (A, B) {
    fn fold(&self, into: &mut Fold) {
        self.0.fold(into);
        self.1.fold(into);
    }
}

impl Folded for bytes::Bytes {
    #[inline]
    fn fold(&self, into: &mut Fold) {
        into.bytes(self);
    }
}

/// Folds the named fields of a struct, and refuses to compile when one is forgotten.
macro_rules! folded {
    ($type:path { $($field:ident),* $(,)? }) => {
        impl Folded for $type {
            fn fold(&self, into: &mut Fold) {
                let $type { $($field),* } = self;
                $( $field.fold(into); )*
            }
        }
    };
}

folded!(h::SendHeader {
    producer_group,
    topic,
    default_topic,
    default_topic_queue_nums,
    queue_id,
    sys_flag,
    born_timestamp,
    flag,
    properties,
    reconsume_times,
    unit_mode,
    max_reconsume_times,
    batch
});
folded!(h::SentHeader { msg_id, queue_id, queue_offset, transaction_id });
folded!(h::PullHeader {
    consumer_group,
    topic,
    queue_id,
    queue_offset,
    max_msg_nums,
    sys_flag,
    commit_offset,
    suspend_timeout_millis,
    subscription,
    sub_version,
    expression_type
});
folded!(h::PulledHeader { suggest_which_broker_id, next_begin_offset, min_offset, max_offset });
folded!(h::GroupQueueHeader { consumer_group, topic, queue_id });
folded!(h::UpdateOffsetHeader { consumer_group, topic, queue_id, commit_offset });
folded!(h::RegisterBrokerHeader {
    broker_name,
    broker_addr,
    cluster_name,
    ha_server_addr,
    broker_id,
    compressed,
    body_crc32
});
folded!(h::RegisteredHeader { ha_server_addr, master_addr });
folded!(h::UnregisterBrokerHeader { broker_name, broker_addr, cluster_name, broker_id });
folded!(h::UnregisterClientHeader { client_id, producer_group, consumer_group });
folded!(h::CreateTopicHeader {
    topic,
    default_topic,
    read_queue_nums,
    write_queue_nums,
    perm,
    topic_filter_type,
    topic_sys_flag,
    order
});
folded!(h::QueueHeader { topic, queue_id });
folded!(h::SearchOffsetHeader { topic, queue_id, timestamp });
folded!(h::EndTransactionHeader {
    producer_group,
    tran_state_table_offset,
    commit_log_offset,
    commit_or_rollback,
    from_transaction_check,
    msg_id,
    transaction_id
});
folded!(h::CheckTransactionHeader {
    tran_state_table_offset,
    commit_log_offset,
    msg_id,
    transaction_id,
    offset_msg_id
});
folded!(h::ResetOffsetHeader { topic, group, timestamp, is_force });
folded!(h::QueryMessageHeader { topic, key, max_num, begin_timestamp, end_timestamp });
folded!(h::PutKvHeader { namespace, key, value });
folded!(h::KvKeyHeader { namespace, key });
folded!(h::QueriedHeader { index_last_update_timestamp, index_last_update_phyoffset });
folded!(h::SendBackHeader { offset, group, delay_level, origin_msg_id, origin_topic, unit_mode, max_reconsume_times });

impl<T: Folded> Folded for Box<T> {
    #[inline]
    fn fold(&self, into: &mut Fold) {
        (**self).fold(into);
    }
}

impl Folded for Command {
    #[inline]
    fn fold(&self, into: &mut Fold) {
        let Command { code, flag, opaque, remark, header, body } = self;
        into.pair(two(*code, *flag), two(opaque.0, i32::from(remark.is_some()) | i32::from(body.is_some()) << 1));
        if let Some(remark) = remark {
            remark.fold(into);
        }
        if !matches!(header, Header::None) {
            header.fold(into);
        }
        if let Some(body) = body {
            body.fold(into);
        }
    }
}

#[inline]
fn two(high: i32, low: i32) -> u64 {
    u64::from(high as u32) << 32 | u64::from(low as u32)
}

impl Folded for Header {
    fn fold(&self, into: &mut Fold) {
        macro_rules! variant {
            ($number:literal, $value:expr) => {{
                into.pair($number, 6);
                $value.fold(into);
            }};
        }
        match self {
            Header::None => into.pair(0, 6),
            Header::Send(header) => variant!(1, header),
            Header::Sent(header) => variant!(2, header),
            Header::Pull(header) => variant!(3, header),
            Header::Pulled(header) => variant!(4, header),
            Header::QueryOffset(header) => variant!(5, header),
            Header::UpdateOffset(header) => variant!(6, header),
            Header::Offset(offset) => variant!(7, offset),
            Header::ConsumerList(group) => variant!(8, group),
            Header::IdsChanged(group) => variant!(9, group),
            Header::Route(topic) => variant!(10, topic),
            Header::RegisterBroker(header) => variant!(11, header),
            Header::Registered(header) => variant!(12, header),
            Header::UnregisterBroker(header) => variant!(13, header),
            Header::UnregisterClient(header) => variant!(14, header),
            Header::CreateTopic(header) => variant!(15, header),
            Header::Queue(header) => variant!(16, header),
            Header::SearchOffset(header) => variant!(17, header),
            Header::SendBack(header) => variant!(18, header),
            Header::EndTransaction(header) => variant!(20, header),
            Header::CheckTransaction(header) => variant!(21, header),
            Header::ResetOffset(header) => variant!(22, header),
            Header::DeleteTopic(topic) => variant!(23, topic),
            Header::WipeWritePerm(broker) => variant!(24, broker),
            Header::Wiped(count) => variant!(25, count),
            Header::ViewMessage(offset) => variant!(26, offset),
            Header::QueryMessage(header, is_unique) => {
                variant!(27, header);
                is_unique.fold(into);
            }
            Header::Queried(header) => variant!(28, header),
            Header::PutKv(header) => variant!(29, header),
            Header::KvKey(header) => variant!(30, header),
            Header::KvValue(value) => variant!(31, value),
            Header::KvNamespace(namespace) => variant!(32, namespace),
            Header::DeleteGroup(group) => variant!(33, group),
            Header::Other(fields) => variant!(19, fields.as_slice()),
        }
    }
}

folded!(MessageQueue { topic, broker, queue_id });

impl Folded for Message {
    fn fold(&self, into: &mut Fold) {
        let Message { topic, flag, properties, body } = self;
        topic.fold(into);
        flag.fold(into);
        for (name, value) in properties.iter() {
            name.fold(into);
            value.fold(into);
        }
        body.fold(into);
    }
}

impl Folded for StoredMessage {
    fn fold(&self, into: &mut Fold) {
        self.message.fold(into);
        self.broker.fold(into);
        into.pair(two(self.queue_id, self.store_size), self.queue_offset.0 as u64);
        into.pair(two(self.sys_flag, self.body_crc), self.born_timestamp.0 as u64);
        into.pair(two(self.born_host.ip as i32, self.born_host.port), self.store_timestamp.0 as u64);
        into.pair(two(self.store_host.ip as i32, self.store_host.port), self.commit_log_offset.0 as u64);
        into.pair(self.reconsume_times as u64, self.prepared_transaction_offset as u64);
    }
}

impl Folded for LocalOutcome {
    fn fold(&self, into: &mut Fold) {
        match self {
            LocalOutcome::State(state) => into.text(state.as_str()),
            LocalOutcome::Null => into.pair(0, 7),
            LocalOutcome::Threw(text) => {
                into.pair(1, 7);
                text.fold(into);
            }
        }
    }
}

impl Folded for AdminCall {
    fn fold(&self, into: &mut Fold) {
        into.text(&self.command());
        if let AdminCall::ResetOffset { way, .. } = self {
            into.pair(*way as u64, 11);
        }
    }
}

impl Folded for AdminAnswer {
    fn fold(&self, into: &mut Fold) {
        match self {
            AdminAnswer::Offsets(offsets) => {
                for (queue, offset) in offsets {
                    queue.fold(into);
                    offset.fold(into);
                }
            }
            AdminAnswer::Rollback(rows) => {
                for Rollback { queue, broker_offset, consumer_offset, timestamp_offset, rollback_offset } in rows {
                    queue.fold(into);
                    into.pair(*broker_offset as u64, *consumer_offset as u64);
                    into.pair(*timestamp_offset as u64, *rollback_offset as u64);
                }
            }
            AdminAnswer::DoneBy(addrs) => addrs.iter().for_each(|addr| addr.fold(into)),
            AdminAnswer::Wiped(wiped) => {
                for (addr, count) in wiped {
                    addr.fold(into);
                    count.map(|count| count as u64).fold(into);
                }
            }
            AdminAnswer::Ordered { by, conf } => {
                by.iter().for_each(|addr| addr.fold(into));
                conf.fold(into);
            }
            AdminAnswer::GroupGone { by, topics } => by.iter().chain(topics).for_each(|name| name.fold(into)),
            AdminAnswer::Value(value) => value.fold(into),
            AdminAnswer::Messages(found) => found.iter().for_each(|message| message.fold(into)),
        }
    }
}

impl Folded for Call {
    fn fold(&self, into: &mut Fold) {
        match self {
            Call::Send { op, group, message, timeout } => {
                into.pair(op.0, 1);
                group.fold(into);
                message.fold(into);
                timeout.map(|span| span.0).fold(into);
            }
            Call::CreateTopic { op, group, key, topic, queues } => {
                into.pair(op.0, 2);
                group.fold(into);
                key.fold(into);
                topic.fold(into);
                queues.fold(into);
            }
            Call::SendBy { op, group, message, timeout, by } => {
                into.pair(op.0, 6);
                group.fold(into);
                message.fold(into);
                timeout.map(|span| span.0).fold(into);
                into.text(by.mode.as_str());
                match &by.to {
                    SendTo::Any => into.pair(0, 4),
                    SendTo::Queue(queue) => Some(queue.clone()).fold(into),
                    SendTo::Selected(selector) => {
                        let (name, argument) = selector.words();
                        into.pair(2, 4);
                        into.text(name);
                        into.text(&argument.unwrap_or_default());
                    }
                }
            }
            Call::SendBatch { op, group, messages, timeout } => {
                into.pair(op.0, 7);
                group.fold(into);
                messages.as_slice().fold(into);
                timeout.map(|span| span.0).fold(into);
            }
            Call::SendInTransaction { op, group, message } => {
                into.pair(op.0, 4);
                group.fold(into);
                message.fold(into);
            }
            Call::Decided { task, outcome } => {
                into.pair(task.0, 5);
                outcome.fold(into);
            }
            Call::Selected { task, choice } => {
                into.pair(task.0, 9);
                choice.fold(into);
            }
            Call::Admin { op, what } => {
                into.pair(op.0, 8);
                what.fold(into);
            }
            Call::Steer { op, group, what } => {
                into.pair(op.0, 11);
                group.fold(into);
                into.text(&what.to_string());
            }
            Call::Pull { op, group, what } => {
                into.pair(op.0, 10);
                group.fold(into);
                what.fold(into);
            }
            Call::Listened { task, outcome } => {
                into.pair(task.0, 3);
                outcome.fold(into);
            }
        }
    }
}

impl Folded for ConsumeOutcome {
    fn fold(&self, into: &mut Fold) {
        let (variant, value) = match self {
            ConsumeOutcome::Success { ack_index } => (0, *ack_index as u64),
            ConsumeOutcome::Later => (1, 0),
            ConsumeOutcome::LaterAt { delay_level } => (5, *delay_level as u64),
            ConsumeOutcome::Threw => (2, 0),
            ConsumeOutcome::Null => (3, 0),
            ConsumeOutcome::Ordered(Ordered { status, auto_commit, suspend_millis }) => {
                into.pair(u64::from(*auto_commit), *suspend_millis as u64);
                (4, *status as u64)
            }
        };
        into.pair(variant, value);
    }
}

impl Folded for Choice {
    fn fold(&self, into: &mut Fold) {
        match self {
            Choice::Queue(queue) => queue.fold(into),
            Choice::Null => into.pair(0, 1),
            Choice::Threw => into.pair(0, 2),
        }
    }
}

impl Folded for SendResult {
    fn fold(&self, into: &mut Fold) {
        let SendResult { status, msg_id, offset_msg_id, queue, queue_offset } = self;
        into.text(status.as_str());
        msg_id.fold(into);
        offset_msg_id.fold(into);
        queue.fold(into);
        queue_offset.0.fold(into);
    }
}

impl Folded for Return {
    fn fold(&self, into: &mut Fold) {
        match self {
            Return::Sent { op, result } => {
                into.pair(op.0, 1);
                result.fold(into);
            }
            Return::SentInTransaction { op, result, state } => {
                into.pair(op.0, 5);
                result.fold(into);
                into.text(state.as_str());
            }
            Return::Execute { task, op, group, message } => {
                into.pair(task.0, 6);
                into.pair(op.0, 8);
                group.fold(into);
                message.fold(into);
            }
            Return::Select { task, op, group, queues, message } => {
                into.pair(task.0, 10);
                into.pair(op.0, queues.len() as u64);
                group.fold(into);
                queues.iter().for_each(|queue| queue.fold(into));
                message.fold(into);
            }
            Return::Check { task, group, message } => {
                into.pair(task.0, 7);
                group.fold(into);
                message.fold(into);
            }
            Return::Failed { op, error } => {
                into.pair(op.0, 2);
                let AppError { kind, text, code, attempts, provably_not_stored } = error;
                into.text(kind.as_str());
                text.fold(into);
                code.fold(into);
                attempts.fold(into);
                provably_not_stored.fold(into);
            }
            Return::Done { op } => into.pair(op.0, 3),
            Return::Administered { op, what } => {
                into.pair(op.0, 9);
                what.fold(into);
            }
            Return::Told { op, group, what } => {
                into.pair(op.0, 11);
                group.fold(into);
                what.fold(into);
            }
            Return::QueuesChanged { group, topic, all, mine } => {
                into.pair(all.len() as u64, 12);
                group.fold(into);
                topic.fold(into);
                all.iter().chain(mine).for_each(|queue| queue.fold(into));
            }
            Return::Listen { task, group, queue, messages } => {
                into.pair(task.0, 4);
                group.fold(into);
                queue.fold(into);
                messages.as_slice().fold(into);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mq::wire::command::Opaque;

    #[test]
    fn every_word_and_its_place_matter() {
        let chain = |words: &[(u64, u64)]| {
            let mut fold = Fold::default();
            words.iter().for_each(|&(x, y)| fold.pair(x, y));
            fold.digest()
        };
        let whole = chain(&[(1, 2), (3, 4)]);
        for other in [chain(&[(1, 2), (3, 5)]), chain(&[(1, 2), (4, 3)]), chain(&[(3, 4), (1, 2)]), chain(&[(1, 2)])] {
            assert_ne!(other, whole);
        }
        assert_ne!(chain(&[(START_A, 2), (3, 4)]), chain(&[(START_A, 3), (3, 4)]), "a zero factor loses nothing");
    }

    #[test]
    fn every_byte_of_a_body_matters() {
        let word_of = |body: &[u8]| {
            let frame = Command::request(10, Opaque(1), Header::None).with_body(Bytes::copy_from_slice(body));
            frame_word(&Frame::Command(frame))
        };
        for len in 0..150 {
            let body = vec![7_u8; len];
            let whole = word_of(&body);
            for at in 0..len {
                let mut other = body.clone();
                other[at] = 8;
                assert_ne!(word_of(&other), whole, "byte {at} of {len}");
            }
            assert_ne!(word_of(&vec![7; len + 1]), whole);
        }
    }

    #[test]
    fn a_fact_is_its_kind_and_its_fields() {
        let queued = |at| fact_word(&Fact::Queued { topic: "t".into(), queue_id: 1, queue_offset: 2, at });
        assert_eq!(queued(3), queued(3));
        assert_ne!(queued(3), queued(4));
    }

    #[test]
    fn a_mark_is_kept_every_1024_records() {
        let mut chain = Chain::default();
        for number in 0..3_000 {
            chain.pair(number, 0);
            assert_eq!(chain.end_record(), number);
        }
        assert_eq!((chain.records(), chain.marks().len()), (3_000, 2));
    }
}
