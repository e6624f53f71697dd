//! The settings of a store, with upstream's defaults. Source: `MessageStoreConfig`.

use crate::mq::message::Name;
use crate::mq::store::consume_queue::UNIT;
use crate::mq::store::consume_queue_ext;
use crate::mq::store::index_file;
use crate::mq::store::outcome::StoreError;
use crate::mq::store::record::BLANK_LEN;
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
    /// `enableConsumeQueueExt`: units point into an extension that holds what filters want to know.
    pub enable_consume_queue_ext: bool,
    /// `mappedFileSizeConsumeQueueExt`, in bytes.
    pub consume_queue_ext_file_size: u64,
    /// `bitMapLengthConsumeQueueExt`: bits of a filter bitmap.
    pub bit_map_length_consume_queue_ext: i32,
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
    /// `haSendHeartbeatInterval`: how long either end of a replication is silent at most.
    pub ha_send_heartbeat_interval: Span,
    /// `haHousekeepingInterval`: after such a silence of the other end a replication's connection is closed.
    pub ha_housekeeping_interval: Span,
    /// `haTransferBatchSize`, in bytes.
    pub ha_transfer_batch_size: i64,
    /// `haMasterAddress`; an address shorter than six characters is none.
    pub ha_master_address: Option<Name>,
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
    /// `defaultQueryMaxNum`: how many records are looked for by a unique key.
    pub default_query_max_num: usize,
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
            enable_consume_queue_ext: false,
            consume_queue_ext_file_size: 48 << 20,
            bit_map_length_consume_queue_ext: 64,
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
            ha_send_heartbeat_interval: Span::from_secs(5),
            ha_housekeeping_interval: Span::from_secs(20),
            ha_transfer_batch_size: 32 << 10,
            ha_master_address: None,
            ha_slave_fallbehind_max: 256 << 20,
            offset_check_in_slave: false,
            message_index_enable: true,
            message_index_safe: false,
            max_hash_slot_num: 5_000_000,
            max_index_num: 20_000_000,
            max_msgs_num_batch: 64,
            default_query_max_num: 32,
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
    /// Refuses numbers with which no store can work: files without room, a modulus or a grid of zero.
    ///
    /// Upper bounds are Java's: lengths are ints there, an index file's whole length, too.
    /// Differs: upstream loads them, and throws, divides by zero or turns for ever later.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let slots = self.max_hash_slot_num;
        let millis = |span: Span| i64::try_from(span.0.div_ceil(Span::from_millis(1).0)).unwrap_or(i64::MAX);
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let entries_max = (INT_MAX - index_file::HEADER as i64 - 4 * i64::from(slots)) / 20;
        let settings = [
            ("mapedFileSizeCommitLog", size(self.commit_log_file_size), BLANK_LEN as i64, INT_MAX),
            ("mapedFileSizeConsumeQueue", size(self.consume_queue_file_size), 1, INT_MAX / UNIT * UNIT),
            ("mappedFileSizeConsumeQueueExt", size(self.consume_queue_ext_file_size), EXT_MIN, INT_MAX),
            ("maxHashSlotNum", i64::from(slots), 1, (INT_MAX - index_file::HEADER as i64 - 2 * 20) / 4),
            ("maxIndexNum", i64::from(self.max_index_num), 2, entries_max),
            ("flushIntervalCommitLog", millis(self.flush_interval), 1, INT_MAX),
            ("flushIntervalConsumeQueue", millis(self.flush_queue_interval), 1, INT_MAX),
        ];
        match settings.into_iter().find(|(_, value, min, max)| !(min..=max).contains(&value)) {
            Some((name, value, min, max)) => Err(StoreError::Setting { name, value, min, max }),
            None => Ok(()),
        }
    }

    /// Whether appends go through private buffers. Source: `MessageStoreConfig.isTransientStorePoolEnable`.
    pub fn has_transient_pool(&self) -> bool {
        self.transient_store_pool_enable && !self.sync_flush && self.role != Role::Slave
    }
}

/// Source: `MessageStoreConfig.messageDelayLevel`.
const DELAY_LEVELS: &str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
/// The shortest unit of an extension and what its file keeps free.
const EXT_MIN: i64 = consume_queue_ext::UNIT_MIN as i64 + consume_queue_ext::END_BLANK;
/// Java's `Integer.MAX_VALUE`.
const INT_MAX: i64 = i32::MAX as i64;
