//! The window between pulled and done, one a queue.
//!
//! Messages enter in queue order and leave in any order; the lowest one left is the offset that may be committed.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::mq::message::StoredMessage;
use crate::mq::time::Millis;

/// What is cached of one queue.
///
/// Source: `org.apache.rocketmq.client.impl.consumer.ProcessQueue`.
#[derive(Clone, Debug)]
pub struct ProcessQueue {
    /// Sorted by offset; appended at the back and emptied from the front, so a deque beats a tree.
    cached: VecDeque<Cached>,
    /// Taken by an ordered listener, not yet committed.
    consuming_orderly: BTreeMap<i64, Arc<StoredMessage>>,
    msg_count: i64,
    msg_size: i64,
    queue_offset_max: i64,
    dropped: bool,
    consuming: bool,
    msg_acc_cnt: i64,
    last_pull: Millis,
    /// Whether the broker has leased the queue to this member, and since when.
    locked: bool,
    last_lock: Millis,
    /// Whether an ordered listener runs: upstream's `lockConsume`.
    listening: bool,
}

/// One cached message.
#[derive(Clone, Debug)]
struct Cached {
    offset: i64,
    message: Arc<StoredMessage>,
    /// When its listener was called (`CONSUME_START_TIME`).
    started: Option<Millis>,
}

impl ProcessQueue {
    /// An empty window, as if pulled at `now`.
    pub fn new(now: Millis) -> ProcessQueue {
        ProcessQueue {
            cached: VecDeque::new(),
            consuming_orderly: BTreeMap::new(),
            msg_count: 0,
            msg_size: 0,
            queue_offset_max: 0,
            dropped: false,
            consuming: false,
            msg_acc_cnt: 0,
            last_pull: now,
            locked: false,
            last_lock: now,
            listening: false,
        }
    }

    /// Takes messages in; true if an ordered consumer must be told. Source: `ProcessQueue.putMessage`.
    ///
    /// `max_offset` is the queue's end as the broker told it with these messages (property MAX_OFFSET).
    pub fn put_message(&mut self, messages: &[Arc<StoredMessage>], max_offset: Option<i64>) -> bool {
        for message in messages {
            let offset = message.queue_offset.0;
            if self.put_one(message).is_none() {
                self.msg_count += 1;
                self.queue_offset_max = offset;
                self.msg_size += body_len(message);
            }
        }
        let dispatch = !self.cached.is_empty() && !self.consuming;
        if dispatch {
            self.consuming = true;
        }
        if let (Some(last), Some(max_offset)) = (messages.last(), max_offset) {
            let left = max_offset - last.queue_offset.0;
            if 0 < left {
                self.msg_acc_cnt = left;
            }
        }
        dispatch
    }

    /// Takes done messages out and returns the offset that may be committed: the lowest one left, or one past the last
    /// ever put if none is left; -1 if the window was already empty. Source: `ProcessQueue.removeMessage`.
    pub fn remove_message<'a>(&mut self, messages: impl IntoIterator<Item = &'a Arc<StoredMessage>>) -> i64 {
        if self.cached.is_empty() {
            return -1;
        }
        for message in messages {
            if let Ok(at) = self.find(message.queue_offset.0) {
                self.cached.remove(at);
                self.msg_count -= 1;
                self.msg_size -= body_len(message);
            }
        }
        self.cached.front().map_or(self.queue_offset_max + 1, |first| first.offset)
    }

    /// Moves up to `batch` of the lowest messages to an ordered listener. Source: `ProcessQueue.takeMessags`.
    pub fn take_messages(&mut self, batch: usize) -> Vec<Arc<StoredMessage>> {
        let taken: Vec<_> = self.cached.drain(..batch.min(self.cached.len())).map(|cached| cached.message).collect();
        for message in &taken {
            self.consuming_orderly.insert(message.queue_offset.0, message.clone());
        }
        if taken.is_empty() {
            self.consuming = false;
        }
        taken
    }

    /// What an ordered listener took is done: the next offset, or nothing if it had taken nothing.
    ///
    /// Source: `ProcessQueue.commit`, whose `lastKey` throws on an empty map.
    pub fn commit(&mut self) -> Option<i64> {
        let (last, _) = self.consuming_orderly.last_key_value()?;
        let next = last + 1;
        for message in self.consuming_orderly.values() {
            self.msg_count -= 1;
            self.msg_size -= body_len(message);
        }
        self.consuming_orderly.clear();
        Some(next)
    }

    /// Puts everything back that an ordered listener took. Source: `ProcessQueue.rollback`.
    pub fn rollback(&mut self) {
        for message in std::mem::take(&mut self.consuming_orderly).into_values() {
            self.put_one(&message);
        }
    }

    /// Puts these messages back. Source: `ProcessQueue.makeMessageToCosumeAgain`.
    pub fn make_message_to_consume_again(&mut self, messages: &[Arc<StoredMessage>]) {
        for message in messages {
            self.consuming_orderly.remove(&message.queue_offset.0);
            self.put_one(message);
        }
    }

    /// Forgets everything. Source: `ProcessQueue.clear`.
    pub fn clear(&mut self) {
        self.cached.clear();
        self.consuming_orderly.clear();
        self.msg_count = 0;
        self.msg_size = 0;
        self.queue_offset_max = 0;
    }

    /// The distance between the highest and the lowest cached offset. Source: `ProcessQueue.getMaxSpan`.
    pub fn max_span(&self) -> i64 {
        match (self.cached.front(), self.cached.back()) {
            (Some(first), Some(last)) => last.offset - first.offset,
            _ => 0,
        }
    }

    /// Notes when the listener of these messages was called.
    pub fn mark_started(&mut self, messages: &[Arc<StoredMessage>], now: Millis) {
        for message in messages {
            if let Ok(at) = self.find(message.queue_offset.0) {
                self.cached[at].started = Some(now);
            }
        }
    }

    /// The lowest cached message and when its listener was called.
    pub fn first(&self) -> Option<(&Arc<StoredMessage>, Option<Millis>)> {
        self.cached.front().map(|cached| (&cached.message, cached.started))
    }

    /// Whether anything is cached outside an ordered listener's hands. Source: `ProcessQueue.hasTempMessage`.
    pub fn has_temp_message(&self) -> bool {
        !self.cached.is_empty()
    }

    /// Messages pulled and not done, what flow control looks at.
    pub fn msg_count(&self) -> i64 {
        self.msg_count
    }

    /// Their body bytes.
    pub fn msg_size(&self) -> i64 {
        self.msg_size
    }

    /// The offset of the last new message put.
    pub fn queue_offset_max(&self) -> i64 {
        self.queue_offset_max
    }

    /// How far the broker is ahead of what was pulled.
    pub fn msg_acc_cnt(&self) -> i64 {
        self.msg_acc_cnt
    }

    /// Whether an ordered listener has been told of messages.
    pub fn is_consuming(&self) -> bool {
        self.consuming
    }

    /// The cached offsets, ascending.
    pub fn cached_offsets(&self) -> impl Iterator<Item = i64> {
        self.cached.iter().map(|cached| cached.offset)
    }

    /// The offsets in an ordered listener's hands, ascending.
    pub fn consuming_offsets(&self) -> impl Iterator<Item = i64> {
        self.consuming_orderly.keys().copied()
    }

    /// Whether the queue was given up.
    pub fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Gives the queue up: whatever is under way for it comes to nothing.
    pub fn mark_dropped(&mut self) {
        self.dropped = true;
    }

    /// Whether the broker has leased the queue, as far as this member knows. Source: `ProcessQueue.isLocked`.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// Whether the lease is too old to be trusted: half as old as the broker lets it grow. Source: `ProcessQueue.isLockExpired`.
    pub fn is_lock_expired(&self, now: Millis) -> bool {
        REBALANCE_LOCK_MAX_LIVE_MS < now.since(self.last_lock)
    }

    /// The broker leased the queue, or renewed its lease.
    pub fn mark_locked(&mut self, now: Millis) {
        self.locked = true;
        self.last_lock = now;
    }

    /// The lease is another's, or was given back.
    pub fn mark_unlocked(&mut self) {
        self.locked = false;
    }

    /// Whether an ordered listener runs.
    pub fn is_listening(&self) -> bool {
        self.listening
    }

    /// An ordered listener begins or ends.
    pub fn set_listening(&mut self, listening: bool) {
        self.listening = listening;
    }

    /// Notes a pull. Source: `ProcessQueue.setLastPullTimestamp`.
    pub fn mark_pulled(&mut self, now: Millis) {
        self.last_pull = now;
    }

    /// Whether no pull has started for so long that something must be wrong. Source: `ProcessQueue.isPullExpired`.
    pub fn is_pull_expired(&self, now: Millis) -> bool {
        PULL_MAX_IDLE_MS < now.since(self.last_pull)
    }

    fn find(&self, offset: i64) -> Result<usize, usize> {
        match self.cached.back() {
            Some(last) if last.offset < offset => Err(self.cached.len()),
            _ => self.cached.binary_search_by_key(&offset, |cached| cached.offset),
        }
    }

    fn put_one(&mut self, message: &Arc<StoredMessage>) -> Option<Arc<StoredMessage>> {
        match self.find(message.queue_offset.0) {
            Ok(at) => Some(std::mem::replace(&mut self.cached[at].message, message.clone())),
            Err(at) => {
                let cached = Cached { offset: message.queue_offset.0, message: message.clone(), started: None };
                self.cached.insert(at, cached);
                None
            }
        }
    }
}

fn body_len(message: &StoredMessage) -> i64 {
    message.message.body.len() as i64
}

/// Source: `ProcessQueue.PULL_MAX_IDLE_TIME`.
const PULL_MAX_IDLE_MS: i64 = 120_000;
/// Source: `ProcessQueue.REBALANCE_LOCK_MAX_LIVE_TIME`.
const REBALANCE_LOCK_MAX_LIVE_MS: i64 = 30_000;
