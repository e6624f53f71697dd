//! Typed headers, one struct a conversation. Field names and order are upstream's classes'.

use crate::mq::message::property::names;
use crate::mq::message::{Group, Name, QueueId, Topic};

/// A command's header: which conversation, with its fields.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Header {
    /// No header class.
    #[default]
    None,
    /// A send request.
    Send(Box<SendHeader>),
    /// A stored message's answer.
    Sent(SentHeader),
    /// A pull request.
    Pull(Box<PullHeader>),
    /// A pull's answer.
    Pulled(PulledHeader),
    /// `QueryConsumerOffsetRequestHeader`.
    QueryOffset(Box<GroupQueueHeader>),
    /// `UpdateConsumerOffsetRequestHeader`.
    UpdateOffset(Box<UpdateOffsetHeader>),
    /// Responses whose only field is `offset`: query, max, min, search.
    Offset(i64),
    /// `GetConsumerListByGroupRequestHeader`.
    ConsumerList(Group),
    /// `NotifyConsumerIdsChangedRequestHeader`.
    IdsChanged(Group),
    /// `GetRouteInfoRequestHeader`.
    Route(Topic),
    /// `RegisterBrokerRequestHeader`.
    RegisterBroker(Box<RegisterBrokerHeader>),
    /// `RegisterBrokerResponseHeader`: haServerAddr, masterAddr.
    Registered(Box<RegisteredHeader>),
    /// `UnRegisterBrokerRequestHeader`.
    UnregisterBroker(Box<UnregisterBrokerHeader>),
    /// `UnregisterClientRequestHeader`.
    UnregisterClient(Box<UnregisterClientHeader>),
    /// `CreateTopicRequestHeader`.
    CreateTopic(Box<CreateTopicHeader>),
    /// Headers of one topic queue: `GetMaxOffsetRequestHeader`, `GetMinOffsetRequestHeader`.
    Queue(Box<QueueHeader>),
    /// `SearchOffsetRequestHeader`.
    SearchOffset(Box<SearchOffsetHeader>),
    /// `ConsumerSendMsgBackRequestHeader`.
    SendBack(Box<SendBackHeader>),
    /// `EndTransactionRequestHeader`.
    EndTransaction(Box<EndTransactionHeader>),
    /// `CheckTransactionStateRequestHeader`.
    CheckTransaction(Box<CheckTransactionHeader>),
    /// `ResetOffsetRequestHeader`.
    ResetOffset(Box<ResetOffsetHeader>),
    /// `DeleteTopicRequestHeader`, `DeleteTopicInNamesrvRequestHeader`.
    DeleteTopic(Topic),
    /// `WipeWritePermOfBrokerRequestHeader`.
    WipeWritePerm(Name),
    /// `WipeWritePermOfBrokerResponseHeader`: how many topics.
    Wiped(i32),
    /// `ViewMessageRequestHeader`: a place in the log.
    ViewMessage(i64),
    /// `QueryMessageRequestHeader`, and whether the key is a unique one, if that is said: [`UNIQUE_MSG_QUERY_FLAG`].
    QueryMessage(Box<QueryMessageHeader>, Option<bool>),
    /// `QueryMessageResponseHeader`.
    Queried(QueriedHeader),
    /// `PutKVConfigRequestHeader`.
    PutKv(Box<PutKvHeader>),
    /// `GetKVConfigRequestHeader`, `DeleteKVConfigRequestHeader`.
    KvKey(Box<KvKeyHeader>),
    /// `GetKVConfigResponseHeader`.
    KvValue(Option<Name>),
    /// `GetKVListByNamespaceRequestHeader`.
    KvNamespace(Name),
    /// `DeleteSubscriptionGroupRequestHeader`.
    DeleteGroup(Group),
    /// A header of a class not typed here: ext fields in the order of the frame; none for a class without values.
    Other(Vec<(Name, Name)>),
}

impl Header {
    /// A class whose values are all null: its frame has an empty map of fields, not none.
    pub fn empty() -> Header {
        Header::Other(Vec::new())
    }

    /// A field of a header that is not typed here.
    pub fn field(&self, name: &str) -> Option<&Name> {
        let Header::Other(fields) = self else { return None };
        fields.iter().find(|(own, _)| *own == *name).map(|(_, value)| value)
    }
}

/// Source: `SendMessageRequestHeader`; travels as `SendMessageRequestHeaderV2`, whose letters are given.
#[derive(Clone, PartialEq, Debug)]
pub struct SendHeader {
    /// `a`.
    pub producer_group: Group,
    /// `b`.
    pub topic: Topic,
    /// `c`: the template for auto-creation, TBW102.
    pub default_topic: Topic,
    /// `d`.
    pub default_topic_queue_nums: i32,
    /// `e`.
    pub queue_id: QueueId,
    /// `f`.
    pub sys_flag: i32,
    /// `g`, in ms.
    pub born_timestamp: i64,
    /// `h`.
    pub flag: i32,
    /// `i`: the property text.
    pub properties: Option<Name>,
    /// `j`.
    pub reconsume_times: Option<i32>,
    /// `k`.
    pub unit_mode: bool,
    /// `l`.
    pub max_reconsume_times: Option<i32>,
    /// `m`.
    pub batch: bool,
}

/// Source: `SendMessageResponseHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct SentHeader {
    /// The offset message id: 32 hex digits.
    pub msg_id: Name,
    /// The queue chosen.
    pub queue_id: QueueId,
    /// Its offset there.
    pub queue_offset: i64,
    /// Never set by 4.3.2.
    pub transaction_id: Option<Name>,
}

/// Source: `PullMessageRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct PullHeader {
    /// The group.
    pub consumer_group: Group,
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// From where.
    pub queue_offset: i64,
    /// At most how many.
    pub max_msg_nums: i32,
    /// `PullSysFlag` bits.
    pub sys_flag: i32,
    /// The offset to commit on the way, valid with bit 0.
    pub commit_offset: i64,
    /// How long the broker may hold it, in ms.
    pub suspend_timeout_millis: i64,
    /// The expression, valid with bit 2.
    pub subscription: Option<Name>,
    /// The subscription's version.
    pub sub_version: i64,
    /// `TAG` or `SQL92`.
    pub expression_type: Option<Name>,
}

/// Source: `PullMessageResponseHeader`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PulledHeader {
    /// Whom to ask next.
    pub suggest_which_broker_id: i64,
    /// From where.
    pub next_begin_offset: i64,
    /// The queue's first offset.
    pub min_offset: i64,
    /// One past the queue's last offset.
    pub max_offset: i64,
}

/// Source: `QueryConsumerOffsetRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupQueueHeader {
    /// The group.
    pub consumer_group: Group,
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
}

/// Source: `UpdateConsumerOffsetRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct UpdateOffsetHeader {
    /// The group.
    pub consumer_group: Group,
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// The next offset to consume.
    pub commit_offset: i64,
}

/// Source: `RegisterBrokerRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct RegisterBrokerHeader {
    /// The broker's name.
    pub broker_name: Name,
    /// `ip:port` as announced.
    pub broker_addr: Name,
    /// The cluster.
    pub cluster_name: Name,
    /// Where slaves connect.
    pub ha_server_addr: Name,
    /// 0 is the master.
    pub broker_id: i64,
    /// Whether the body is compressed.
    pub compressed: bool,
    /// CRC of the body, 0 is unchecked.
    pub body_crc32: i32,
}

/// Source: `RegisterBrokerResponseHeader`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RegisteredHeader {
    /// The master's replication address, for a slave.
    pub ha_server_addr: Option<Name>,
    /// The master's address, for a slave.
    pub master_addr: Option<Name>,
}

/// Source: `UnRegisterBrokerRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct UnregisterBrokerHeader {
    /// The broker's name.
    pub broker_name: Name,
    /// Its address.
    pub broker_addr: Name,
    /// Its cluster.
    pub cluster_name: Name,
    /// Its id.
    pub broker_id: i64,
}

/// Source: `UnregisterClientRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct UnregisterClientHeader {
    /// The client's id.
    pub client_id: Name,
    /// The producer group that leaves.
    pub producer_group: Option<Group>,
    /// The consumer group that leaves.
    pub consumer_group: Option<Group>,
}

/// Source: `CreateTopicRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTopicHeader {
    /// The topic.
    pub topic: Topic,
    /// The template.
    pub default_topic: Topic,
    /// Read queues.
    pub read_queue_nums: i32,
    /// Write queues.
    pub write_queue_nums: i32,
    /// Permission bits.
    pub perm: i32,
    /// `SINGLE_TAG` or `MULTI_TAG`.
    pub topic_filter_type: Name,
    /// Unit bits.
    pub topic_sys_flag: Option<i32>,
    /// Whether the topic is ordered.
    pub order: bool,
}

/// Source: `GetMaxOffsetRequestHeader`, `GetMinOffsetRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueHeader {
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
}

/// Source: `SearchOffsetRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct SearchOffsetHeader {
    /// The topic.
    pub topic: Topic,
    /// The queue.
    pub queue_id: QueueId,
    /// The moment looked for, in ms.
    pub timestamp: i64,
}

/// Source: `ConsumerSendMsgBackRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct SendBackHeader {
    /// The commit-log offset of the message.
    pub offset: i64,
    /// The group that failed.
    pub group: Group,
    /// 0 lets the broker choose, -1 is the dead letter queue.
    pub delay_level: i32,
    /// The message's first id.
    pub origin_msg_id: Option<Name>,
    /// The message's topic.
    pub origin_topic: Option<Topic>,
    /// Unit mode.
    pub unit_mode: bool,
    /// When to give up.
    pub max_reconsume_times: Option<i32>,
}

/// Source: `EndTransactionRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct EndTransactionHeader {
    /// The producer's group.
    pub producer_group: Group,
    /// The half message's queue offset.
    pub tran_state_table_offset: i64,
    /// The half message's place in the log.
    pub commit_log_offset: i64,
    /// The transaction bits of a sys flag: 8 commit, 12 rollback, 0 unknown.
    pub commit_or_rollback: i32,
    /// Whether a check asked for it.
    pub from_transaction_check: bool,
    /// The unique key.
    pub msg_id: Name,
    /// What a check gave; the producer's own call has none.
    pub transaction_id: Option<Name>,
}

/// Source: `CheckTransactionStateRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckTransactionHeader {
    /// The half message's queue offset.
    pub tran_state_table_offset: i64,
    /// The half message's place in the log.
    pub commit_log_offset: i64,
    /// The unique key.
    pub msg_id: Option<Name>,
    /// The unique key again.
    pub transaction_id: Option<Name>,
    /// The half message's offset id.
    pub offset_msg_id: Option<Name>,
}

/// Source: `ResetOffsetRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct ResetOffsetHeader {
    /// The topic.
    pub topic: Topic,
    /// The group.
    pub group: Group,
    /// To which moment, ms; -1 is the end.
    pub timestamp: i64,
    /// Whether forward, too.
    pub is_force: bool,
}

/// What stands beside the fields of every answer to a send: where a client that traces would send its traces, and that it
/// should; as `SendMessageProcessor.sendMessage` does with the defaults of `regionId` and `traceOn`.
pub const TRACED: [(&str, &str); 2] = [(names::MSG_REGION, "DefaultRegion"), (names::TRACE_ON, "true")];

/// A field that stands beside those of the header's class. Source: `MixAll.UNIQUE_MSG_QUERY_FLAG`.
pub const UNIQUE_MSG_QUERY_FLAG: &str = "_UNIQUE_KEY_QUERY";

/// Source: `QueryMessageRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct QueryMessageHeader {
    /// The topic.
    pub topic: Topic,
    /// A key, or a unique key.
    pub key: Name,
    /// At most how many.
    pub max_num: i32,
    /// Stored at this time or later, ms.
    pub begin_timestamp: i64,
    /// Stored at this time or before, ms.
    pub end_timestamp: i64,
}

/// Source: `QueryMessageResponseHeader`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct QueriedHeader {
    /// Store time of the index's newest entry, ms.
    pub index_last_update_timestamp: i64,
    /// Log offset of the index's newest entry.
    pub index_last_update_phyoffset: i64,
}

/// Source: `PutKVConfigRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct PutKvHeader {
    /// Where the key belongs.
    pub namespace: Name,
    /// The key.
    pub key: Name,
    /// Its value from now on.
    pub value: Name,
}

/// Source: `GetKVConfigRequestHeader`, `DeleteKVConfigRequestHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct KvKeyHeader {
    /// Where the key belongs.
    pub namespace: Name,
    /// The key.
    pub key: Name,
}
