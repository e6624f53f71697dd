//! Every setting of 4.3.2 that a broker's file can hold, and what it does here.

use std::fmt;

use crate::mq::broker::BrokerConfig;
use crate::mq::filter::bloom::Shape;
use crate::mq::message::Name;
use crate::mq::node::Addr;
use crate::mq::store::config::Role;
use crate::mq::time::Span;

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its type in Java.
    pub kind: Kind,
    /// What it does.
    pub effect: Effect,
}

/// What a setting does.
#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// It is taken over. Errors: what the value would have to be.
    Set(Setter),
    /// It is an address of a real network, and taken over where there is one.
    Place(Setter),
    /// Nothing; why.
    Not(&'static str),
}

/// Takes a value over.
pub type Setter = fn(&mut BrokerConfig, &Value) -> Result<(), &'static str>;

/// A type in Java.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `int`.
    Int,
    /// `long`.
    Long,
    /// `boolean`.
    Bool,
    /// `String`.
    Text,
}

/// A value that upstream can read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Of an `int` or a `long`.
    Int(i64),
    /// Of a `boolean`.
    Bool(bool),
    /// Of a `String`.
    Text(Name),
}

impl Kind {
    /// Reads a value as `Integer.parseInt`, `Long.parseLong` and `Boolean.parseBoolean` do: no blanks, and whatever is not
    /// `true` is `false`.
    pub fn read(self, text: &Name) -> Option<Value> {
        match self {
            Kind::Int => text.parse::<i32>().ok().map(|number| Value::Int(i64::from(number))),
            Kind::Long => text.parse().ok().map(Value::Int),
            Kind::Bool => Some(Value::Bool(text.eq_ignore_ascii_case("true"))),
            Kind::Text => Some(Value::Text(text.clone())),
        }
    }

    /// What a value has to be.
    pub fn wanted(self) -> &'static str {
        match self {
            Kind::Int => "a whole number from -2147483648 to 2147483647, without blanks",
            Kind::Long => "a whole number, without blanks",
            Kind::Bool => "true or false",
            Kind::Text => "a text",
        }
    }
}

impl Value {
    fn int(&self) -> i64 {
        if let Value::Int(number) = self { *number } else { 0 }
    }

    fn bool(&self) -> bool {
        matches!(self, Value::Bool(true))
    }

    fn text(&self) -> Name {
        if let Value::Text(text) = self { text.clone() } else { Name::default() }
    }

    /// Bytes, percent; what is negative is nothing.
    fn size(&self) -> u64 {
        self.int().max(0) as u64
    }

    fn count(&self, least: i64) -> usize {
        self.int().max(least) as usize
    }

    fn millis(&self) -> Span {
        Span::from_millis(self.size())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(number) => number.fmt(f),
            Value::Bool(is) => is.fmt(f),
            Value::Text(text) => text.fmt(f),
        }
    }
}

const fn set(name: &'static str, kind: Kind, setter: Setter) -> Key {
    Key { name, kind, effect: Effect::Set(setter) }
}

const fn place(name: &'static str, kind: Kind, setter: Setter) -> Key {
    Key { name, kind, effect: Effect::Place(setter) }
}

const fn not(name: &'static str, kind: Kind, why: &'static str) -> Key {
    Key { name, kind, effect: Effect::Not(why) }
}

fn role(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    config.store.role = match value.text().as_str() {
        "ASYNC_MASTER" => Role::AsyncMaster,
        "SYNC_MASTER" => Role::SyncMaster,
        "SLAVE" => Role::Slave,
        _ => return Err("ASYNC_MASTER, SYNC_MASTER or SLAVE"),
    };
    Ok(())
}

fn flush_disk_type(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    config.store.sync_flush = match value.text().as_str() {
        "ASYNC_FLUSH" => false,
        "SYNC_FLUSH" => true,
        _ => return Err("ASYNC_FLUSH or SYNC_FLUSH"),
    };
    Ok(())
}

/// Differs: upstream takes any number above 0; a map for more filters would fit into no unit beside a queue.
fn expect_consumers(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    let number = i32::try_from(value.int()).ok().filter(|number| (1..=65_536).contains(number));
    config.expect_consumer_num_use_filter = number.ok_or("a number from 1 to 65536")?;
    config.bit_maps = Shape::by_fn(config.max_error_rate_of_bloom_filter, config.expect_consumer_num_use_filter);
    Ok(())
}

/// Upstream does not start with another number. Source: `BloomFilter`.
fn max_error_rate(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    let percent = i32::try_from(value.int()).ok().filter(|percent| (1..=99).contains(percent));
    config.max_error_rate_of_bloom_filter = percent.ok_or("percent, from 1 to 99")?;
    config.bit_maps = Shape::by_fn(config.max_error_rate_of_bloom_filter, config.expect_consumer_num_use_filter);
    Ok(())
}

fn listen_port(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    config.addr.port = u16::try_from(value.int()).map_err(|_| "a port: 0 to 65535")?;
    Ok(())
}

fn broker_ip1(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    config.broker_ip1 = ipv4(&value.text()).ok_or("an IPv4 address")?;
    Ok(())
}

fn broker_ip2(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    config.broker_ip2 = ipv4(&value.text()).ok_or("an IPv4 address")?;
    Ok(())
}

/// Four numbers below 256 with dots between them.
fn ipv4(text: &str) -> Option<u32> {
    let bytes: Option<Vec<u8>> = text.split('.').map(|part| part.parse().ok()).collect();
    Some(u32::from_be_bytes(bytes?.try_into().ok()?))
}

fn nameservers(config: &mut BrokerConfig, value: &Value) -> Result<(), &'static str> {
    const WANTED: &str = "addresses like 127.0.0.1:9876;192.168.0.1:9876";
    let address = |text: &str| {
        let (ip, port) = text.rsplit_once(':')?;
        Some(Addr { ip: ipv4(ip)?, port: port.parse().ok()? })
    };
    let text = value.text();
    let all: Option<Vec<Addr>> = text.split(';').map(address).collect();
    config.nameservers = all.ok_or(WANTED)?;
    Ok(())
}

/// Bytes of a consume queue's unit, to which its files' length is rounded up.
const UNIT: u64 = 20;

const PATH: &str = "each broker's disk is a folder of its own";
const NET: &str = "connections have no such setting here";
const POOL: &str = "only the pool of sends is modelled";
const NEVER: &str = "4.3.2 reads it nowhere";
const COM: &str = "statistics for sale are not kept";
const PULL: &str = "pulls wait in no queue here";
/// Source: `BrokerController.initialize`: a shorter `haMasterAddress` is none.
const HA_ADDRESS_MIN: usize = 6;

/// All of them, in the order in which upstream fills its classes.
pub const KEYS: [Key; 154] = [
    // Source: `BrokerConfig`.
    not("traceOn", Kind::Bool, "no trace messages are written by a broker of this release"),
    not("startAcceptSendRequestTimeStamp", Kind::Long, "sends are accepted from the boot on"),
    set("waitTimeMillsInSendQueue", Kind::Long, |config, value| {
        config.wait_time_in_send_queue = value.millis();
        Ok(())
    }),
    not("consumerFallbehindThreshold", Kind::Long, "no consumer is switched off for being slow"),
    not("brokerFastFailureEnable", Kind::Bool, "the queue of sends is always swept"),
    not("waitTimeMillsInPullQueue", Kind::Long, PULL),
    not("disableConsumeIfConsumerReadSlowly", Kind::Bool, "no consumer is switched off for being slow"),
    set("slaveReadEnable", Kind::Bool, |config, value| {
        config.slave_read_enable = value.bool();
        Ok(())
    }),
    not("registerBrokerTimeoutMills", Kind::Int, "a registration is never given up here"),
    not("regionId", Kind::Text, "only trace messages carry it"),
    not("transferMsgByHeap", Kind::Bool, "how bytes reach the socket is the driver's affair"),
    not("messageStorePlugIn", Kind::Text, "there are no plug-ins"),
    not("highSpeedMode", Kind::Bool, NEVER),
    not("rocketmqHome", Kind::Text, PATH),
    place("brokerName", Kind::Text, |config, value| {
        config.broker_name = value.text();
        Ok(())
    }),
    set("brokerPermission", Kind::Int, |config, value| {
        config.broker_permission = value.int() as i32;
        Ok(())
    }),
    set("defaultTopicQueueNums", Kind::Int, |config, value| {
        config.default_topic_queue_nums = value.int() as i32;
        Ok(())
    }),
    set("autoCreateTopicEnable", Kind::Bool, |config, value| {
        config.auto_create_topic_enable = value.bool();
        Ok(())
    }),
    set("brokerClusterName", Kind::Text, |config, value| {
        config.cluster = value.text();
        Ok(())
    }),
    place("brokerIP1", Kind::Text, broker_ip1),
    place("brokerIP2", Kind::Text, broker_ip2),
    set("sendMessageThreadPoolNums", Kind::Int, |config, value| {
        config.send_threads = value.count(1);
        Ok(())
    }),
    not("pullMessageThreadPoolNums", Kind::Int, POOL),
    not("queryMessageThreadPoolNums", Kind::Int, POOL),
    not("adminBrokerThreadPoolNums", Kind::Int, POOL),
    set("flushConsumerOffsetInterval", Kind::Int, |config, value| {
        config.flush_consumer_offset_interval = value.millis();
        Ok(())
    }),
    not("flushConsumerOffsetHistoryInterval", Kind::Int, NEVER),
    not("clusterTopicEnable", Kind::Bool, "the cluster's topic is always there"),
    place("namesrvAddr", Kind::Text, nameservers),
    set("brokerId", Kind::Long, |config, value| {
        config.broker_id = value.int();
        Ok(())
    }),
    set("autoCreateSubscriptionGroup", Kind::Bool, |config, value| {
        config.auto_create_subscription_group = value.bool();
        Ok(())
    }),
    set("rejectTransactionMessage", Kind::Bool, |config, value| {
        config.reject_transaction_message = value.bool();
        Ok(())
    }),
    not("fetchNamesrvAddrByAddressServer", Kind::Bool, "there is no address server"),
    set("sendThreadPoolQueueCapacity", Kind::Int, |config, value| {
        config.send_queue_capacity = value.count(0);
        Ok(())
    }),
    not("pullThreadPoolQueueCapacity", Kind::Int, PULL),
    not("queryThreadPoolQueueCapacity", Kind::Int, POOL),
    not("brokerTopicEnable", Kind::Bool, "the broker's topic is always there"),
    not("filterServerNums", Kind::Int, "filter servers are processes of their own"),
    set("longPollingEnable", Kind::Bool, |config, value| {
        config.long_polling_enable = value.bool();
        Ok(())
    }),
    not("notifyConsumerIdsChangedEnable", Kind::Bool, "consumers are always told of a change"),
    set("shortPollingTimeMills", Kind::Long, |config, value| {
        config.short_polling_time_ms = value.int();
        Ok(())
    }),
    not("clientManageThreadPoolNums", Kind::Int, POOL),
    not("commercialEnable", Kind::Bool, NEVER),
    not("commercialTimerCount", Kind::Int, NEVER),
    not("commercialTransCount", Kind::Int, NEVER),
    not("commercialBigCount", Kind::Int, NEVER),
    not("maxDelayTime", Kind::Int, NEVER),
    not("clientManagerThreadPoolQueueCapacity", Kind::Int, POOL),
    not("consumerManagerThreadPoolQueueCapacity", Kind::Int, POOL),
    not("consumerManageThreadPoolNums", Kind::Int, POOL),
    not("commercialBaseCount", Kind::Int, COM),
    set("enableCalcFilterBitMap", Kind::Bool, |config, value| {
        config.enable_calc_filter_bit_map = value.bool();
        Ok(())
    }),
    set("expectConsumerNumUseFilter", Kind::Int, expect_consumers),
    set("maxErrorRateOfBloomFilter", Kind::Int, max_error_rate),
    set("filterDataCleanTimeSpan", Kind::Long, |config, value| {
        config.filter_data_clean_time_span_ms = value.int();
        Ok(())
    }),
    set("filterSupportRetry", Kind::Bool, |config, value| {
        config.filter_support_retry = value.bool();
        Ok(())
    }),
    set("enablePropertyFilter", Kind::Bool, |config, value| {
        config.enable_property_filter = value.bool();
        Ok(())
    }),
    not("compressedRegister", Kind::Bool, "registrations travel as they are"),
    not("forceRegister", Kind::Bool, "a broker always registers"),
    not("heartbeatThreadPoolQueueCapacity", Kind::Int, POOL),
    not("heartbeatThreadPoolNums", Kind::Int, POOL),
    not("waitTimeMillsInHeartbeatQueue", Kind::Long, POOL),
    set("registerNameServerPeriod", Kind::Int, |config, value| {
        config.register_name_server_period = value.millis();
        Ok(())
    }),
    set("transactionTimeOut", Kind::Long, |config, value| {
        config.transaction_time_out = value.millis();
        Ok(())
    }),
    set("transactionCheckMax", Kind::Int, |config, value| {
        config.transaction_check_max = value.int() as i32;
        Ok(())
    }),
    set("transactionCheckInterval", Kind::Long, |config, value| {
        config.transaction_check_interval = value.millis();
        Ok(())
    }),
    not("endTransactionThreadPoolNums", Kind::Int, POOL),
    not("endTransactionPoolQueueCapacity", Kind::Int, POOL),
    not("waitTimeMillsInTransactionQueue", Kind::Long, POOL),
    // Source: `NettyServerConfig`.
    place("listenPort", Kind::Int, listen_port),
    not("serverWorkerThreads", Kind::Int, NET),
    not("serverSelectorThreads", Kind::Int, NET),
    not("serverOnewaySemaphoreValue", Kind::Int, NET),
    not("serverCallbackExecutorThreads", Kind::Int, NET),
    not("serverAsyncSemaphoreValue", Kind::Int, NET),
    not("serverChannelMaxIdleTimeSeconds", Kind::Int, NET),
    not("serverSocketSndBufSize", Kind::Int, NET),
    not("serverSocketRcvBufSize", Kind::Int, NET),
    not("serverPooledByteBufAllocatorEnable", Kind::Bool, NET),
    not("useEpollNativeSelector", Kind::Bool, NET),
    // Source: `NettyClientConfig`.
    not("clientCloseSocketIfTimeout", Kind::Bool, NET),
    not("clientWorkerThreads", Kind::Int, NET),
    not("clientOnewaySemaphoreValue", Kind::Int, NET),
    not("connectTimeoutMillis", Kind::Int, NET),
    not("clientCallbackExecutorThreads", Kind::Int, NET),
    not("channelNotActiveInterval", Kind::Long, NET),
    not("clientAsyncSemaphoreValue", Kind::Int, NET),
    not("clientChannelMaxIdleTimeSeconds", Kind::Int, NET),
    not("clientSocketSndBufSize", Kind::Int, NET),
    not("clientSocketRcvBufSize", Kind::Int, NET),
    not("clientPooledByteBufAllocatorEnable", Kind::Bool, NET),
    not("useTLS", Kind::Bool, NET),
    // Source: `MessageStoreConfig`.
    not("debugLockEnable", Kind::Bool, "it writes thread dumps"),
    not("duplicationEnable", Kind::Bool, "upstream stops dispatching with it, and nobody sets what it waits for"),
    set("osPageCacheBusyTimeOutMills", Kind::Long, |config, value| {
        config.store.os_page_cache_busy_timeout = value.millis();
        Ok(())
    }),
    not("diskFallRecorded", Kind::Bool, COM),
    not("warmMapedFileEnable", Kind::Bool, "files are not warmed up"),
    set("mapedFileSizeCommitLog", Kind::Int, |config, value| {
        config.store.commit_log_file_size = value.size();
        Ok(())
    }),
    set("mapedFileSizeConsumeQueue", Kind::Int, |config, value| {
        config.store.consume_queue_file_size = value.size().next_multiple_of(UNIT);
        Ok(())
    }),
    set("enableConsumeQueueExt", Kind::Bool, |config, value| {
        config.store.enable_consume_queue_ext = value.bool();
        Ok(())
    }),
    set("mappedFileSizeConsumeQueueExt", Kind::Int, |config, value| {
        config.store.consume_queue_ext_file_size = value.size();
        Ok(())
    }),
    set("bitMapLengthConsumeQueueExt", Kind::Int, |config, value| {
        config.store.bit_map_length_consume_queue_ext = value.int() as i32;
        Ok(())
    }),
    set("flushIntervalCommitLog", Kind::Int, |config, value| {
        config.store.flush_interval = value.millis();
        Ok(())
    }),
    set("flushIntervalConsumeQueue", Kind::Int, |config, value| {
        config.store.flush_queue_interval = value.millis();
        Ok(())
    }),
    not("putMsgIndexHightWater", Kind::Int, NEVER),
    set("cleanResourceInterval", Kind::Int, |config, value| {
        config.store.clean_resource_interval = value.millis();
        Ok(())
    }),
    set("maxMessageSize", Kind::Int, |config, value| {
        config.store.max_message_size = value.int() as i32;
        Ok(())
    }),
    set("checkCRCOnRecover", Kind::Bool, |config, value| {
        config.store.check_crc_on_recover = value.bool();
        Ok(())
    }),
    not("storePathCommitLog", Kind::Text, PATH),
    set("deleteWhen", Kind::Text, |config, value| {
        config.store.delete_when = value.text();
        Ok(())
    }),
    set("diskMaxUsedSpaceRatio", Kind::Int, |config, value| {
        config.store.disk_max_used_space_ratio = value.size();
        Ok(())
    }),
    set("deleteCommitLogFilesInterval", Kind::Int, |config, value| {
        config.store.delete_commit_log_files_interval = value.millis();
        Ok(())
    }),
    set("deleteConsumeQueueFilesInterval", Kind::Int, |config, value| {
        config.store.delete_consume_queue_files_interval = value.millis();
        Ok(())
    }),
    set("maxTransferBytesOnMessageInMemory", Kind::Int, |config, value| {
        config.store.max_transfer_bytes_in_memory = value.count(0);
        Ok(())
    }),
    set("maxTransferCountOnMessageInMemory", Kind::Int, |config, value| {
        config.store.max_transfer_count_in_memory = value.count(0);
        Ok(())
    }),
    set("maxTransferBytesOnMessageInDisk", Kind::Int, |config, value| {
        config.store.max_transfer_bytes_in_disk = value.count(0);
        Ok(())
    }),
    set("maxTransferCountOnMessageInDisk", Kind::Int, |config, value| {
        config.store.max_transfer_count_in_disk = value.count(0);
        Ok(())
    }),
    set("flushCommitLogLeastPages", Kind::Int, |config, value| {
        config.store.flush_least_pages = value.int();
        Ok(())
    }),
    set("flushConsumeQueueLeastPages", Kind::Int, |config, value| {
        config.store.flush_queue_least_pages = value.int();
        Ok(())
    }),
    set("flushCommitLogThoroughInterval", Kind::Int, |config, value| {
        config.store.flush_thorough_interval = value.millis();
        Ok(())
    }),
    set("flushConsumeQueueThoroughInterval", Kind::Int, |config, value| {
        config.store.flush_queue_thorough_interval = value.millis();
        Ok(())
    }),
    not("destroyMapedFileIntervalForcibly", Kind::Int, "no reader holds a file that is to go"),
    set("fileReservedTime", Kind::Int, |config, value| {
        config.store.file_reserved_time_h = value.int();
        Ok(())
    }),
    not("redeleteHangedFileInterval", Kind::Int, "no reader holds a file that is to go"),
    set("accessMessageInMemoryMaxRatio", Kind::Int, |config, value| {
        config.store.access_message_in_memory_max_ratio = value.size();
        Ok(())
    }),
    set("messageIndexEnable", Kind::Bool, |config, value| {
        config.store.message_index_enable = value.bool();
        Ok(())
    }),
    set("maxHashSlotNum", Kind::Int, |config, value| {
        config.store.max_hash_slot_num = value.int() as i32;
        Ok(())
    }),
    set("maxIndexNum", Kind::Int, |config, value| {
        config.store.max_index_num = value.int() as i32;
        Ok(())
    }),
    set("maxMsgsNumBatch", Kind::Int, |config, value| {
        config.store.max_msgs_num_batch = value.count(0);
        Ok(())
    }),
    not("haListenPort", Kind::Int, "upstream sets it to the port behind listenPort, whatever stands here"),
    set("haSendHeartbeatInterval", Kind::Int, |config, value| {
        config.store.ha_send_heartbeat_interval = value.millis();
        Ok(())
    }),
    set("haHousekeepingInterval", Kind::Int, |config, value| {
        config.store.ha_housekeeping_interval = value.millis();
        Ok(())
    }),
    set("brokerRole", Kind::Text, role),
    set("haTransferBatchSize", Kind::Int, |config, value| {
        config.store.ha_transfer_batch_size = value.int();
        Ok(())
    }),
    set("haSlaveFallbehindMax", Kind::Int, |config, value| {
        config.store.ha_slave_fallbehind_max = value.int();
        Ok(())
    }),
    set("flushDiskType", Kind::Text, flush_disk_type),
    set("syncFlushTimeout", Kind::Int, |config, value| {
        config.store.sync_flush_timeout = value.millis();
        Ok(())
    }),
    place("haMasterAddress", Kind::Text, |config, value| {
        config.store.ha_master_address = Some(value.text()).filter(|address| HA_ADDRESS_MIN <= address.len());
        Ok(())
    }),
    set("messageDelayLevel", Kind::Text, |config, value| {
        config.store.message_delay_level = value.text();
        Ok(())
    }),
    set("flushDelayOffsetInterval", Kind::Long, |config, value| {
        config.store.flush_delay_offset_interval = value.millis();
        Ok(())
    }),
    set("cleanFileForciblyEnable", Kind::Bool, |config, value| {
        config.store.clean_file_forcibly_enable = value.bool();
        Ok(())
    }),
    set("messageIndexSafe", Kind::Bool, |config, value| {
        config.store.message_index_safe = value.bool();
        Ok(())
    }),
    not("flushCommitLogTimed", Kind::Bool, "the flush service always waits for its wake-up or its interval"),
    not("storePathRootDir", Kind::Text, PATH),
    not("flushLeastPagesWhenWarmMapedFile", Kind::Int, "files are not warmed up"),
    set("offsetCheckInSlave", Kind::Bool, |config, value| {
        config.store.offset_check_in_slave = value.bool();
        Ok(())
    }),
    set("defaultQueryMaxNum", Kind::Int, |config, value| {
        config.store.default_query_max_num = value.count(0);
        Ok(())
    }),
    set("transientStorePoolEnable", Kind::Bool, |config, value| {
        config.store.transient_store_pool_enable = value.bool();
        Ok(())
    }),
    set("transientStorePoolSize", Kind::Int, |config, value| {
        config.store.transient_store_pool_size = value.count(0);
        Ok(())
    }),
    set("commitIntervalCommitLog", Kind::Int, |config, value| {
        config.store.commit_interval = value.millis();
        Ok(())
    }),
    set("fastFailIfNoBufferInStorePool", Kind::Bool, |config, value| {
        config.store.fast_fail_if_no_buffer_in_store_pool = value.bool();
        Ok(())
    }),
    not("useReentrantLockWhenPutMessage", Kind::Bool, "one step puts at a time, whatever the lock"),
    set("commitCommitLogLeastPages", Kind::Int, |config, value| {
        config.store.commit_least_pages = value.int();
        Ok(())
    }),
    set("commitCommitLogThoroughInterval", Kind::Int, |config, value| {
        config.store.commit_thorough_interval = value.millis();
        Ok(())
    }),
];
