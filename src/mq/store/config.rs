//! The settings of a store, with upstream's defaults. Source: `MessageStoreConfig`.

use crate::mq::message::Name;
use crate::mq::time::Span;

/// What a broker is to others of its name. Source: `BrokerRole`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `ASYNC_MASTER`: answers without asking its slaves.
    AsyncMaster,
    /// `SYNC_MASTER`: a sender that waits is answered when a slave has the message.
    SyncMaster,
    /// `SLAVE`: takes its log from a master, and puts from nobody.
    Slave,
}

/// The settings of a store. Source: `MessageStoreConfig`, whose defaults these are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// `mapedFileSizeCommitLog`, in bytes.
    pub commit_log_file_size: u64,
    /// `mapedFileSizeConsumeQueue`, in bytes; rounded up to whole units.
    pub consume_queue_file_size: u64,
    /// `maxMessageSize`: bounds the whole record.
    pub max_message_size: i32,
    /// `brokerRole`.
    pub role: Role,
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
    /// `transientStorePoolEnable`; in force only with an async flush and on a master.
    pub transient_store_pool_enable: bool,
    /// `transientStorePoolSize`.
    pub transient_store_pool_size: usize,
    /// `fastFailIfNoBufferInStorePool`.
    pub fast_fail_if_no_buffer_in_store_pool: bool,
    /// `commitIntervalCommitLog`.
    pub commit_interval: Span,
    /// `commitCommitLogLeastPages`.
    pub commit_least_pages: i64,
    /// `commitCommitLogThoroughInterval`.
    pub commit_thorough_interval: Span,
    /// `flushIntervalConsumeQueue`.
    pub flush_queue_interval: Span,
    /// `flushConsumeQueueLeastPages`.
    pub flush_queue_least_pages: i64,
    /// `flushConsumeQueueThoroughInterval`.
    pub flush_queue_thorough_interval: Span,
    /// `osPageCacheBusyTimeOutMills`.
    pub os_page_cache_busy_timeout: Span,
    /// `messageDelayLevel`: the wait of each level, separated by single blanks.
    pub message_delay_level: Name,
    /// `flushDelayOffsetInterval`.
    pub flush_delay_offset_interval: Span,
    /// `haSlaveFallbehindMax`, in bytes.
    pub ha_slave_fallbehind_max: i64,
    /// `offsetCheckInSlave`.
    pub offset_check_in_slave: bool,
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
    /// `cleanResourceInterval`.
    pub clean_resource_interval: Span,
    /// `deleteWhen`: hours of the day, separated by `;`.
    pub delete_when: Name,
    /// `fileReservedTime`, in hours.
    pub file_reserved_time_h: i64,
    /// `diskMaxUsedSpaceRatio`, percent; read as 10 to 95.
    pub disk_max_used_space_ratio: u64,
    /// System property `rocketmq.broker.diskSpaceCleanForciblyRatio`, percent.
    pub disk_space_clean_forcibly_ratio: u64,
    /// System property `rocketmq.broker.diskSpaceWarningLevelRatio`, percent.
    pub disk_space_warning_level_ratio: u64,
    /// `cleanFileForciblyEnable`.
    pub clean_file_forcibly_enable: bool,
    /// `deleteCommitLogFilesInterval`.
    pub delete_commit_log_files_interval: Span,
    /// `deleteConsumeQueueFilesInterval`.
    pub delete_consume_queue_files_interval: Span,
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
            role: Role::AsyncMaster,
            sync_flush: false,
            flush_interval: Span::from_millis(500),
            flush_least_pages: 4,
            flush_thorough_interval: Span::from_secs(10),
            sync_flush_timeout: Span::from_secs(5),
            transient_store_pool_enable: false,
            transient_store_pool_size: 5,
            fast_fail_if_no_buffer_in_store_pool: false,
            commit_interval: Span::from_millis(200),
            commit_least_pages: 4,
            commit_thorough_interval: Span::from_millis(200),
            flush_queue_interval: Span::from_secs(1),
            flush_queue_least_pages: 2,
            flush_queue_thorough_interval: Span::from_secs(60),
            os_page_cache_busy_timeout: Span::from_secs(1),
            message_delay_level: Name::from(DELAY_LEVELS),
            flush_delay_offset_interval: Span::from_secs(10),
            ha_slave_fallbehind_max: 256 << 20,
            offset_check_in_slave: false,
            message_index_enable: true,
            message_index_safe: false,
            max_hash_slot_num: 5_000_000,
            max_index_num: 20_000_000,
            max_msgs_num_batch: 64,
            zone_offset_ms: 8 * 3_600_000,
            clean_resource_interval: Span::from_secs(10),
            delete_when: Name::from("04"),
            file_reserved_time_h: 72,
            disk_max_used_space_ratio: 75,
            disk_space_clean_forcibly_ratio: 85,
            disk_space_warning_level_ratio: 90,
            clean_file_forcibly_enable: true,
            delete_commit_log_files_interval: Span::from_millis(100),
            delete_consume_queue_files_interval: Span::from_millis(100),
            check_crc_on_recover: true,
            access_message_in_memory_max_ratio: 40,
            max_transfer_count_in_memory: 32,
            max_transfer_bytes_in_memory: 256 << 10,
            max_transfer_count_in_disk: 8,
            max_transfer_bytes_in_disk: 64 << 10,
        }
    }
}

impl StoreConfig {
    /// Whether appends go through private buffers. Source: `MessageStoreConfig.isTransientStorePoolEnable`.
    pub fn has_transient_pool(&self) -> bool {
        self.transient_store_pool_enable && !self.sync_flush && self.role != Role::Slave
    }
}

/// Source: `MessageStoreConfig.messageDelayLevel`.
const DELAY_LEVELS: &str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
