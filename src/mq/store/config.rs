//! The settings of a store, with upstream's defaults. Source: `MessageStoreConfig`.

use crate::mq::time::Span;

/// The settings of a store. Source: `MessageStoreConfig`, whose defaults these are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// `mapedFileSizeCommitLog`, in bytes.
    pub commit_log_file_size: u64,
    /// `mapedFileSizeConsumeQueue`, in bytes; rounded up to whole units.
    pub consume_queue_file_size: u64,
    /// `maxMessageSize`: bounds the whole record.
    pub max_message_size: i32,
    /// `flushDiskType` is `SYNC_FLUSH`.
    pub sync_flush: bool,
    /// `flushIntervalCommitLog`.
    pub flush_interval: Span,
    /// `flushCommitLogLeastPages`.
    pub flush_least_pages: i64,
    /// `flushCommitLogThoroughInterval`.
    pub flush_thorough_interval: Span,
    /// `syncFlushTimeout`.
    pub sync_flush_timeout: Span,
    /// `flushIntervalConsumeQueue`.
    pub flush_queue_interval: Span,
    /// `flushConsumeQueueLeastPages`.
    pub flush_queue_least_pages: i64,
    /// `flushConsumeQueueThoroughInterval`.
    pub flush_queue_thorough_interval: Span,
    /// `messageIndexEnable`.
    pub message_index_enable: bool,
    /// `messageIndexSafe`: recovery starts where the index, too, is durable.
    pub message_index_safe: bool,
    /// `maxHashSlotNum`.
    pub max_hash_slot_num: i32,
    /// `maxIndexNum`.
    pub max_index_num: i32,
    /// `maxMsgsNumBatch`: a key query answers at most so many records.
    pub max_msgs_num_batch: usize,
    /// How far this machine's zone is ahead of UTC, in ms: names of index files and hours of the day. The lab's is +08:00.
    pub zone_offset_ms: i64,
    /// `checkCRCOnRecover`.
    pub check_crc_on_recover: bool,
    /// `accessMessageInMemoryMaxRatio`, percent.
    pub access_message_in_memory_max_ratio: u64,
    /// `maxTransferCountOnMessageInMemory`.
    pub max_transfer_count_in_memory: usize,
    /// `maxTransferBytesOnMessageInMemory`.
    pub max_transfer_bytes_in_memory: usize,
    /// `maxTransferCountOnMessageInDisk`.
    pub max_transfer_count_in_disk: usize,
    /// `maxTransferBytesOnMessageInDisk`.
    pub max_transfer_bytes_in_disk: usize,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig {
            commit_log_file_size: 1 << 30,
            consume_queue_file_size: 300_000 * 20,
            max_message_size: 4 << 20,
            sync_flush: false,
            flush_interval: Span::from_millis(500),
            flush_least_pages: 4,
            flush_thorough_interval: Span::from_secs(10),
            sync_flush_timeout: Span::from_secs(5),
            flush_queue_interval: Span::from_secs(1),
            flush_queue_least_pages: 2,
            flush_queue_thorough_interval: Span::from_secs(60),
            message_index_enable: true,
            message_index_safe: false,
            max_hash_slot_num: 5_000_000,
            max_index_num: 20_000_000,
            max_msgs_num_batch: 64,
            zone_offset_ms: 8 * 3_600_000,
            check_crc_on_recover: true,
            access_message_in_memory_max_ratio: 40,
            max_transfer_count_in_memory: 32,
            max_transfer_bytes_in_memory: 256 << 10,
            max_transfer_count_in_disk: 8,
            max_transfer_bytes_in_disk: 64 << 10,
        }
    }
}
