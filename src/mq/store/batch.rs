//! Batches: many messages of one topic queue in one put.
//!
//! The records are made whole before the lock is taken, with the store time of that moment; queue offset and place are
//! written into them inside. They lie side by side in one file.
//!
//! Source: `CommitLog.putMessages`, `MessageExtBatchEncoder.encode`, `DefaultAppendMessageCallback.doAppend(batch)`.

use bytes::Bytes;

use crate::mq::disk::Disk;
use crate::mq::message::batch::{Entry, entries};
use crate::mq::message::id::offset_msg_id;
use crate::mq::message::sys_flag::{TRANSACTION_NOT, transaction_type};
use crate::mq::message::{Host, Name, PhysicalOffset, QueueId, QueueOffset, Topic};
use crate::mq::mistake::Mistake;
use crate::mq::store::commit_log::{Appended, TOPIC_LEN_MAX, fits_no_file, java_len};
use crate::mq::store::outcome::{AppendStatus, Landed, Put, PutStatus, Thrown};
use crate::mq::store::record::{BLANK_LEN, Place, Record, waits};
use crate::mq::store::{Clock, MessageStore, delay};
use crate::mq::time::Millis;

/// A batch on its way into the log. Source: `MessageExtBatch`.
#[derive(Clone, PartialEq, Debug)]
pub struct NewBatch {
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// Compression bits; a batch has no transaction.
    pub sys_flag: i32,
    /// The producer's clock.
    pub born_timestamp: Millis,
    /// The producer's address.
    pub born_host: Host,
    /// This broker's address.
    pub store_host: Host,
    /// How often it was tried again.
    pub reconsume_times: i32,
    /// The request's own properties: what they ask for counts, they are not stored.
    pub properties: Name,
    /// The messages, as they came.
    pub body: Bytes,
}

/// The records of a batch, made before the lock is taken.
#[derive(Debug)]
pub(super) struct Encoded {
    bytes: Vec<u8>,
    /// Where each record begins.
    starts: Vec<usize>,
}

/// The ids of a batch's records, joined by commas. Source: `DefaultAppendMessageCallback.doAppend(batch)`.
pub fn ids(host: Host, places: &[PhysicalOffset]) -> Name {
    let ids: Vec<Name> = places.iter().map(|at| offset_msg_id(host, *at)).collect();
    ids.iter().map(|id| &**id).collect::<Vec<&str>>().join(",").into()
}

impl NewBatch {
    /// Whether the sender waits for the store.
    pub(super) fn waits(&self) -> bool {
        waits(&self.properties)
    }

    /// Makes the records, queue offset and place still 0.
    ///
    /// Source: `MessageExtBatchEncoder.encode`.
    fn encode(&self, max: i32, stored: Millis) -> Result<Encoded, Thrown> {
        let max = max.max(0) as usize;
        let mut encoded = Encoded { bytes: Vec::with_capacity(self.body.len() * 2), starts: Vec::new() };
        for entry in entries(&self.body) {
            let Entry { flag, body, properties } = entry.map_err(|_| Thrown::Batch)?;
            let record = Record {
                topic: &self.topic,
                queue_id: self.queue_id,
                flag,
                sys_flag: self.sys_flag,
                born_timestamp: self.born_timestamp,
                born_host: self.born_host,
                store_host: self.store_host,
                reconsume_times: self.reconsume_times,
                prepared_transaction_offset: 0,
                body,
                properties,
            };
            let start = encoded.bytes.len();
            let end = start + record.len();
            if max < end {
                return Err(Thrown::MessageSizeExceeded);
            }
            encoded.bytes.resize(end, 0);
            let place = Place { queue_offset: 0, physical_offset: 0, store_timestamp: stored };
            record.write(&mut encoded.bytes[start..], &place);
            encoded.starts.push(start);
        }
        Ok(encoded)
    }
}

impl MessageStore {
    /// Appends the messages of a batch side by side and says where they landed.
    ///
    /// Statuses as with [`MessageStore::put`]. A batch that is delayed or of a transaction is illegal.
    /// Source: `DefaultMessageStore.putMessages`, `CommitLog.putMessages`; the checks stand in their order.
    pub fn put_batch(&mut self, disk: &mut dyn Disk, clock: Clock, batch: &NewBatch) -> Put {
        if !self.takes_puts() {
            return Put::refused(PutStatus::ServiceNotAvailable);
        }
        let max = self.config.max_message_size;
        if java_len(&batch.topic) > TOPIC_LEN_MAX || batch.body.len() > max.max(0) as usize {
            return Put::refused(PutStatus::MessageIllegal);
        }
        if self.is_os_page_cache_busy(clock) {
            return Put::refused(PutStatus::OsPagecacheBusy);
        }
        if transaction_type(batch.sys_flag) != TRANSACTION_NOT {
            return Put::refused(PutStatus::MessageIllegal);
        }
        match delay::asked(&batch.properties) {
            Ok(level) if level <= 0 => {}
            Ok(_) => return Put::refused(PutStatus::MessageIllegal),
            Err(thrown) => return Put::refused(PutStatus::Thrown(thrown)),
        }
        let mut encoded = match batch.encode(max, clock.wall) {
            Ok(encoded) => encoded,
            Err(thrown) => return Put::refused(PutStatus::Thrown(thrown)),
        };
        let mut put = self.append(disk, clock, batch.waits(), |store, disk, stored| {
            store.append_batch(disk, stored, batch, &mut encoded)
        });
        if let Some(landed) = put.landed.filter(|_| put.is_stored()) {
            put.places = encoded.starts.iter().map(|start| PhysicalOffset(landed.at.0 + *start as i64)).collect();
        }
        put
    }

    /// Source: `DefaultAppendMessageCallback.doAppend(batch)`.
    fn append_batch(
        &mut self,
        disk: &mut dyn Disk,
        stored: Millis,
        batch: &NewBatch,
        encoded: &mut Encoded,
    ) -> Appended {
        let file_size = self.queue_file_size();
        let queue = self.queues.find_or_create(&batch.topic, batch.queue_id, file_size);
        let first = self.queues.next_offset[queue];
        let file = self.log.files.last_mut().expect("made before the append");
        let space = file.size - file.wrote;
        if self.profile.fix_k27 && fits_no_file(encoded.bytes.len(), file.size) {
            file.store_timestamp = 0;
            return Appended::Refused(AppendStatus::MessageSizeExceeded);
        }
        let landed = Landed {
            at: PhysicalOffset(file.from + file.wrote),
            size: encoded.bytes.len() as i32,
            queue_offset: QueueOffset(first),
            store_timestamp: stored,
            count: encoded.starts.len() as i32,
        };
        (file.store_timestamp, file.modified_ms) = (stored.0, stored.0);
        if encoded.bytes.len() + BLANK_LEN > space as usize {
            // Whatever the file held behind the 8 bytes stays.
            file.append(disk, self.encode.short_blank(space as usize), space);
            return Appended::At(AppendStatus::EndOfFile, Landed { size: space as i32, count: 1, ..landed });
        }
        for (number, start) in encoded.starts.iter().enumerate() {
            let record = &mut encoded.bytes[*start..];
            let number = if self.profile.plants(Mistake::BatchSharesOffset) { 0 } else { number };
            record[20..28].copy_from_slice(&(first + number as i64).to_be_bytes());
            record[28..36].copy_from_slice(&(landed.at.0 + *start as i64).to_be_bytes());
            if self.profile.fix_k30 {
                record[56..64].copy_from_slice(&stored.0.to_be_bytes());
            }
        }
        file.append(disk, &encoded.bytes, encoded.bytes.len() as i64);
        self.queues.next_offset[queue] += i64::from(landed.count);
        Appended::At(AppendStatus::PutOk, landed)
    }
}
