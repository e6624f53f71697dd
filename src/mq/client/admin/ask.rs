//! How each question is put: to whom, in which words, and how long an answer is awaited.

use bytes::Bytes;

use crate::mq::app::AdminCall;
use crate::mq::client::admin::{Admin, Ask};
use crate::mq::client::remoting::Mode;
use crate::mq::message::{Name, id};
use crate::mq::node::Addr;
use crate::mq::wire::code::request;
use crate::mq::wire::header::{
    CreateTopicHeader, Header, QueryMessageHeader, QueueHeader, ResetOffsetHeader, SearchOffsetHeader,
    UpdateOffsetHeader,
};

/// A question as it is sent.
pub(super) struct Question {
    pub(super) to: To,
    pub(super) code: i32,
    pub(super) header: Header,
    /// In ms.
    pub(super) timeout: i64,
    pub(super) mode: Mode,
    pub(super) body: Option<Bytes>,
}

/// Whom it goes to.
pub(super) enum To {
    AnyNameserver,
    Nameserver(Addr),
    /// By its VIP channel, if clients use that.
    Broker(Addr),
}

impl Admin {
    pub(super) fn question(&self, ask: &Ask) -> Question {
        let (to, code, header) = self.words(ask);
        let (timeout, mode) = match ask {
            Ask::Query(_) => (QUERY_TIMEOUT_MS, Mode::Async),
            Ask::View(..) => (VIEW_TIMEOUT_MS, Mode::Sync),
            _ => (TIMEOUT_MS, Mode::Sync),
        };
        let body = matches!(ask, Ask::UpdateGroup(_)).then(|| self.settings());
        Question { to, code, header, timeout, mode, body }
    }

    fn words(&self, ask: &Ask) -> (To, i32, Header) {
        match ask {
            Ask::Route => (To::AnyNameserver, request::GET_ROUTEINTO_BY_TOPIC, Header::Route(self.topic())),
            Ask::Cluster | Ask::Names | Ask::Holders(_) => {
                (To::AnyNameserver, request::GET_BROKER_CLUSTER_INFO, Header::None)
            }
            Ask::Wipe(addr) => {
                let broker = match &self.what {
                    AdminCall::WipeWritePerm { broker } => broker.clone(),
                    _ => Name::default(),
                };
                (To::Nameserver(*addr), request::WIPE_WRITE_PERM_OF_BROKER, Header::WipeWritePerm(broker))
            }
            Ask::Forget(addr, topic) => {
                (To::Nameserver(*addr), request::DELETE_TOPIC_IN_NAMESRV, Header::DeleteTopic(topic.clone()))
            }
            Ask::Delete(addr, topic) => {
                (To::Broker(*addr), request::DELETE_TOPIC_IN_BROKER, Header::DeleteTopic(topic.clone()))
            }
            Ask::UpdateGroup(addr) => (To::Broker(*addr), request::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, Header::None),
            Ask::DeleteGroup(addr) => {
                (To::Broker(*addr), request::DELETE_SUBSCRIPTIONGROUP, Header::DeleteGroup(self.group()))
            }
            Ask::PutOrder(..) | Ask::GetOrder | Ask::JoinOrder(_) | Ask::DeleteOrder(_) => self.order_words(ask),
            Ask::Update(addr) => (To::Broker(*addr), request::UPDATE_AND_CREATE_TOPIC, self.update()),
            Ask::View(addr, at) => (To::Broker(*addr), request::VIEW_MESSAGE_BY_ID, Header::ViewMessage(at.0)),
            Ask::Query(addr) => (To::Broker(*addr), request::QUERY_MESSAGE, self.query()),
            Ask::Reset(addr)
            | Ask::Stats { addr, .. }
            | Ask::Ends { addr, .. }
            | Ask::Place { addr, .. }
            | Ask::Commit { addr, .. } => {
                let (code, header) = self.reset_words(ask);
                (To::Broker(*addr), code, header)
            }
        }
    }

    fn reset_words(&self, ask: &Ask) -> (i32, Header) {
        let (group, moment, is_force) = self.reset_of();
        match ask {
            Ask::Stats { .. } => (request::GET_CONSUME_STATS, Header::Other(vec![("consumerGroup".into(), group)])),
            Ask::Ends { .. } => (request::GET_TOPIC_STATS_INFO, Header::Other(vec![("topic".into(), self.topic())])),
            Ask::Place { row, .. } => {
                let (topic, queue_id) = (row.queue.topic.clone(), row.queue.queue_id);
                match moment {
                    -1 => (request::GET_MAX_OFFSET, Header::Queue(Box::new(QueueHeader { topic, queue_id }))),
                    timestamp => {
                        let header = SearchOffsetHeader { topic, queue_id, timestamp };
                        (request::SEARCH_OFFSET_BY_TIMESTAMP, Header::SearchOffset(Box::new(header)))
                    }
                }
            }
            Ask::Commit { row, .. } => {
                let header = UpdateOffsetHeader {
                    consumer_group: group,
                    topic: row.queue.topic.clone(),
                    queue_id: row.queue.queue_id,
                    commit_offset: row.timestamp_offset,
                };
                (request::UPDATE_CONSUMER_OFFSET, Header::UpdateOffset(Box::new(header)))
            }
            _ => {
                let header = ResetOffsetHeader { topic: self.topic(), group, timestamp: moment, is_force };
                (request::INVOKE_BROKER_TO_RESET_OFFSET, Header::ResetOffset(Box::new(header)))
            }
        }
    }

    /// The topic that the call is about.
    pub(super) fn topic(&self) -> Name {
        match &self.what {
            AdminCall::ResetOffset { topic, .. }
            | AdminCall::UpdateTopic { topic, .. }
            | AdminCall::DeleteTopic { topic, .. }
            | AdminCall::OrderConf { topic, .. }
            | AdminCall::QueryByKey { topic, .. }
            | AdminCall::QueryByUniqueKey { topic, .. } => topic.clone(),
            AdminCall::WipeWritePerm { .. }
            | AdminCall::UpdateGroup { .. }
            | AdminCall::DeleteGroup { .. }
            | AdminCall::ViewMessage { .. } => Name::default(),
        }
    }

    /// Source: `MQClientAPIImpl.createTopic`, called with `DefaultMQAdminExt.createTopicKey`.
    fn update(&self) -> Header {
        let (read_queue_nums, write_queue_nums, perm, order) = match self.what {
            AdminCall::UpdateTopic { read, write, perm, order, .. } => (read, write, perm, order),
            _ => (0, 0, 0, false),
        };
        Header::CreateTopic(Box::new(CreateTopicHeader {
            topic: self.topic(),
            default_topic: ADMIN_TOPIC_KEY.into(),
            read_queue_nums,
            write_queue_nums,
            perm,
            topic_filter_type: "SINGLE_TAG".into(),
            topic_sys_flag: Some(0),
            order,
        }))
    }

    /// Source: `QueryMsgByKeySubCommand`, `MQAdminImpl.queryMessageByUniqKey`.
    fn query(&self) -> Header {
        let (key, max_num, begin_timestamp, is_unique) = match &self.what {
            AdminCall::QueryByKey { key, .. } => (key.clone(), KEY_MAX, 0, false),
            AdminCall::QueryByUniqueKey { id, .. } => {
                let made = id::nearly_time(id, self.at).map_or(0, |made| made.0);
                (id.clone(), UNIQUE_MAX, made - MADE_BEFORE_MS, true)
            }
            _ => (Name::default(), 0, 0, false),
        };
        let (topic, end_timestamp) = (self.topic(), i64::MAX);
        let header = QueryMessageHeader { topic, key, max_num, begin_timestamp, end_timestamp };
        Header::QueryMessage(Box::new(header), Some(is_unique))
    }
}

/// Source: `DefaultMQAdminExt.createTopicKey`.
const ADMIN_TOPIC_KEY: &str = "TBW102";
/// Source: `DefaultMQAdminExt.timeoutMillis`.
const TIMEOUT_MS: i64 = 5000;
/// Source: `MQAdminImpl.timeoutMillis`.
const VIEW_TIMEOUT_MS: i64 = 6000;
/// Source: `MQAdminImpl.queryMessage`.
const QUERY_TIMEOUT_MS: i64 = 3 * VIEW_TIMEOUT_MS;
/// Source: `QueryMsgByKeySubCommand.queryByKey`.
const KEY_MAX: i32 = 64;
/// Source: `MQAdminImpl.queryMessageByUniqKey`; the broker takes its `defaultQueryMaxNum` instead.
const UNIQUE_MAX: i32 = 32;
/// How long before its key was made a message can have been stored. Source: `MQAdminImpl.queryMessageByUniqKey`.
const MADE_BEFORE_MS: i64 = 1000;
