//! Request and response codes, numbers as upstream. Source: `RequestCode`, `ResponseCode`.

/// What is asked.
pub mod request {
    /// `SEND_MESSAGE`, version 1 header.
    pub const SEND_MESSAGE: i32 = 10;
    /// `PULL_MESSAGE`.
    pub const PULL_MESSAGE: i32 = 11;
    /// `QUERY_CONSUMER_OFFSET`.
    pub const QUERY_CONSUMER_OFFSET: i32 = 14;
    /// `UPDATE_CONSUMER_OFFSET`.
    pub const UPDATE_CONSUMER_OFFSET: i32 = 15;
    /// `QUERY_MESSAGE`.
    pub const QUERY_MESSAGE: i32 = 12;
    /// `UPDATE_AND_CREATE_TOPIC`.
    pub const UPDATE_AND_CREATE_TOPIC: i32 = 17;
    /// `SEARCH_OFFSET_BY_TIMESTAMP`.
    pub const SEARCH_OFFSET_BY_TIMESTAMP: i32 = 29;
    /// `GET_MAX_OFFSET`.
    pub const GET_MAX_OFFSET: i32 = 30;
    /// `GET_MIN_OFFSET`.
    pub const GET_MIN_OFFSET: i32 = 31;
    /// `VIEW_MESSAGE_BY_ID`.
    pub const VIEW_MESSAGE_BY_ID: i32 = 33;
    /// `HEART_BEAT`.
    pub const HEART_BEAT: i32 = 34;
    /// `CHECK_CLIENT_CONFIG`.
    pub const CHECK_CLIENT_CONFIG: i32 = 46;
    /// `UNREGISTER_CLIENT`.
    pub const UNREGISTER_CLIENT: i32 = 35;
    /// `CONSUMER_SEND_MSG_BACK`.
    pub const CONSUMER_SEND_MSG_BACK: i32 = 36;
    /// `END_TRANSACTION`.
    pub const END_TRANSACTION: i32 = 37;
    /// `GET_CONSUMER_LIST_BY_GROUP`.
    pub const GET_CONSUMER_LIST_BY_GROUP: i32 = 38;
    /// `GET_BROKER_RUNTIME_INFO`.
    pub const GET_BROKER_RUNTIME_INFO: i32 = 28;
    /// `GET_BROKER_CLUSTER_INFO`.
    pub const GET_BROKER_CLUSTER_INFO: i32 = 106;
    /// `GET_TOPIC_STATS_INFO`.
    pub const GET_TOPIC_STATS_INFO: i32 = 202;
    /// `GET_CONSUMER_CONNECTION_LIST`.
    pub const GET_CONSUMER_CONNECTION_LIST: i32 = 203;
    /// `GET_ALL_TOPIC_LIST_FROM_NAMESERVER`.
    pub const GET_ALL_TOPIC_LIST_FROM_NAMESERVER: i32 = 206;
    /// `GET_ALL_TOPIC_CONFIG`, slave to master.
    pub const GET_ALL_TOPIC_CONFIG: i32 = 21;
    /// `GET_ALL_CONSUMER_OFFSET`, slave to master.
    pub const GET_ALL_CONSUMER_OFFSET: i32 = 43;
    /// `GET_ALL_DELAY_OFFSET`, slave to master.
    pub const GET_ALL_DELAY_OFFSET: i32 = 45;
    /// `GET_ALL_SUBSCRIPTIONGROUP_CONFIG`, slave to master.
    pub const GET_ALL_SUBSCRIPTIONGROUP_CONFIG: i32 = 201;
    /// `GET_CONSUME_STATS`.
    pub const GET_CONSUME_STATS: i32 = 208;
    /// `WIPE_WRITE_PERM_OF_BROKER`, to the nameserver.
    pub const WIPE_WRITE_PERM_OF_BROKER: i32 = 205;
    /// `DELETE_TOPIC_IN_BROKER`.
    pub const DELETE_TOPIC_IN_BROKER: i32 = 215;
    /// `DELETE_TOPIC_IN_NAMESRV`.
    pub const DELETE_TOPIC_IN_NAMESRV: i32 = 216;
    /// `RESET_CONSUMER_CLIENT_OFFSET`, broker to client.
    pub const RESET_CONSUMER_CLIENT_OFFSET: i32 = 220;
    /// `INVOKE_BROKER_TO_RESET_OFFSET`.
    pub const INVOKE_BROKER_TO_RESET_OFFSET: i32 = 222;
    /// `CHECK_TRANSACTION_STATE`, broker to client.
    pub const CHECK_TRANSACTION_STATE: i32 = 39;
    /// `NOTIFY_CONSUMER_IDS_CHANGED`, broker to client.
    pub const NOTIFY_CONSUMER_IDS_CHANGED: i32 = 40;
    /// `LOCK_BATCH_MQ`.
    pub const LOCK_BATCH_MQ: i32 = 41;
    /// `UNLOCK_BATCH_MQ`.
    pub const UNLOCK_BATCH_MQ: i32 = 42;
    /// `PUT_KV_CONFIG`, to the nameserver.
    pub const PUT_KV_CONFIG: i32 = 100;
    /// `GET_KV_CONFIG`, to the nameserver.
    pub const GET_KV_CONFIG: i32 = 101;
    /// `DELETE_KV_CONFIG`, to the nameserver.
    pub const DELETE_KV_CONFIG: i32 = 102;
    /// `GET_KVLIST_BY_NAMESPACE`, to the nameserver.
    pub const GET_KVLIST_BY_NAMESPACE: i32 = 219;
    /// `UPDATE_AND_CREATE_SUBSCRIPTIONGROUP`.
    pub const UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: i32 = 200;
    /// `DELETE_SUBSCRIPTIONGROUP`.
    pub const DELETE_SUBSCRIPTIONGROUP: i32 = 207;
    /// `REGISTER_BROKER`, broker to nameserver.
    pub const REGISTER_BROKER: i32 = 103;
    /// `UNREGISTER_BROKER`, broker to nameserver.
    pub const UNREGISTER_BROKER: i32 = 104;
    /// `GET_ROUTEINTO_BY_TOPIC`, to the nameserver.
    pub const GET_ROUTEINTO_BY_TOPIC: i32 = 105;
    /// `SEND_MESSAGE_V2`.
    pub const SEND_MESSAGE_V2: i32 = 310;
    /// `SEND_BATCH_MESSAGE`.
    pub const SEND_BATCH_MESSAGE: i32 = 320;
    /// `UPDATE_BROKER_CONFIG`.
    pub const UPDATE_BROKER_CONFIG: i32 = 25;
    /// `GET_EARLIEST_MSG_STORETIME`.
    pub const GET_EARLIEST_MSG_STORETIME: i32 = 32;
    /// `GET_PRODUCER_CONNECTION_LIST`.
    pub const GET_PRODUCER_CONNECTION_LIST: i32 = 204;
    /// `GET_CONSUMER_STATUS_FROM_CLIENT`, broker to client.
    pub const GET_CONSUMER_STATUS_FROM_CLIENT: i32 = 221;
    /// `INVOKE_BROKER_TO_GET_CONSUMER_STATUS`.
    pub const INVOKE_BROKER_TO_GET_CONSUMER_STATUS: i32 = 223;
    /// `GET_TOPICS_BY_CLUSTER`, to the nameserver.
    pub const GET_TOPICS_BY_CLUSTER: i32 = 224;
    /// `QUERY_TOPIC_CONSUME_BY_WHO`.
    pub const QUERY_TOPIC_CONSUME_BY_WHO: i32 = 300;
    /// `REGISTER_FILTER_SERVER`.
    pub const REGISTER_FILTER_SERVER: i32 = 301;
    /// `QUERY_CONSUME_TIME_SPAN`.
    pub const QUERY_CONSUME_TIME_SPAN: i32 = 303;
    /// `GET_SYSTEM_TOPIC_LIST_FROM_NS`, to the nameserver.
    pub const GET_SYSTEM_TOPIC_LIST_FROM_NS: i32 = 304;
    /// `GET_SYSTEM_TOPIC_LIST_FROM_BROKER`.
    pub const GET_SYSTEM_TOPIC_LIST_FROM_BROKER: i32 = 305;
    /// `CLEAN_EXPIRED_CONSUMEQUEUE`.
    pub const CLEAN_EXPIRED_CONSUMEQUEUE: i32 = 306;
    /// `GET_CONSUMER_RUNNING_INFO`, to the broker and from it to the client.
    pub const GET_CONSUMER_RUNNING_INFO: i32 = 307;
    /// `QUERY_CORRECTION_OFFSET`.
    pub const QUERY_CORRECTION_OFFSET: i32 = 308;
    /// `CONSUME_MESSAGE_DIRECTLY`, to the broker and from it to the client.
    pub const CONSUME_MESSAGE_DIRECTLY: i32 = 309;
    /// `GET_UNIT_TOPIC_LIST`, to the nameserver.
    pub const GET_UNIT_TOPIC_LIST: i32 = 311;
    /// `GET_HAS_UNIT_SUB_TOPIC_LIST`, to the nameserver.
    pub const GET_HAS_UNIT_SUB_TOPIC_LIST: i32 = 312;
    /// `GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST`, to the nameserver.
    pub const GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: i32 = 313;
    /// `CLONE_GROUP_OFFSET`.
    pub const CLONE_GROUP_OFFSET: i32 = 314;
    /// `VIEW_BROKER_STATS_DATA`.
    pub const VIEW_BROKER_STATS_DATA: i32 = 315;
    /// `CLEAN_UNUSED_TOPIC`.
    pub const CLEAN_UNUSED_TOPIC: i32 = 316;
    /// `GET_BROKER_CONSUME_STATS`.
    pub const GET_BROKER_CONSUME_STATS: i32 = 317;
    /// `QUERY_DATA_VERSION`, to the nameserver.
    pub const QUERY_DATA_VERSION: i32 = 322;
}

/// What is answered.
pub mod response {
    /// `SUCCESS`.
    pub const SUCCESS: i32 = 0;
    /// `SYSTEM_ERROR`.
    pub const SYSTEM_ERROR: i32 = 1;
    /// `SYSTEM_BUSY`.
    pub const SYSTEM_BUSY: i32 = 2;
    /// `REQUEST_CODE_NOT_SUPPORTED`.
    pub const REQUEST_CODE_NOT_SUPPORTED: i32 = 3;
    /// `FLUSH_DISK_TIMEOUT`.
    pub const FLUSH_DISK_TIMEOUT: i32 = 10;
    /// `SLAVE_NOT_AVAILABLE`.
    pub const SLAVE_NOT_AVAILABLE: i32 = 11;
    /// `FLUSH_SLAVE_TIMEOUT`.
    pub const FLUSH_SLAVE_TIMEOUT: i32 = 12;
    /// `MESSAGE_ILLEGAL`.
    pub const MESSAGE_ILLEGAL: i32 = 13;
    /// `SERVICE_NOT_AVAILABLE`.
    pub const SERVICE_NOT_AVAILABLE: i32 = 14;
    /// `NO_PERMISSION`.
    pub const NO_PERMISSION: i32 = 16;
    /// `TOPIC_NOT_EXIST`.
    pub const TOPIC_NOT_EXIST: i32 = 17;
    /// `PULL_NOT_FOUND`.
    pub const PULL_NOT_FOUND: i32 = 19;
    /// `PULL_RETRY_IMMEDIATELY`.
    pub const PULL_RETRY_IMMEDIATELY: i32 = 20;
    /// `PULL_OFFSET_MOVED`.
    pub const PULL_OFFSET_MOVED: i32 = 21;
    /// `QUERY_NOT_FOUND`.
    pub const QUERY_NOT_FOUND: i32 = 22;
    /// `SUBSCRIPTION_PARSE_FAILED`.
    pub const SUBSCRIPTION_PARSE_FAILED: i32 = 23;
    /// `SUBSCRIPTION_NOT_EXIST`.
    pub const SUBSCRIPTION_NOT_EXIST: i32 = 24;
    /// `SUBSCRIPTION_NOT_LATEST`.
    pub const SUBSCRIPTION_NOT_LATEST: i32 = 25;
    /// `SUBSCRIPTION_GROUP_NOT_EXIST`.
    pub const SUBSCRIPTION_GROUP_NOT_EXIST: i32 = 26;
    /// `FILTER_DATA_NOT_EXIST`.
    pub const FILTER_DATA_NOT_EXIST: i32 = 27;
    /// `FILTER_DATA_NOT_LATEST`.
    pub const FILTER_DATA_NOT_LATEST: i32 = 28;
    /// `NO_MESSAGE`.
    pub const NO_MESSAGE: i32 = 208;
    /// `CONSUMER_NOT_ONLINE`.
    pub const CONSUMER_NOT_ONLINE: i32 = 206;
    /// `CONSUME_MSG_TIMEOUT`.
    pub const CONSUME_MSG_TIMEOUT: i32 = 207;
}

/// A request code's constant name, `?` for one not spoken here.
pub fn name_of_request(code: i32) -> &'static str {
    match code {
        request::SEND_MESSAGE => "SEND_MESSAGE",
        request::PULL_MESSAGE => "PULL_MESSAGE",
        request::QUERY_CONSUMER_OFFSET => "QUERY_CONSUMER_OFFSET",
        request::UPDATE_CONSUMER_OFFSET => "UPDATE_CONSUMER_OFFSET",
        request::UPDATE_AND_CREATE_TOPIC => "UPDATE_AND_CREATE_TOPIC",
        request::SEARCH_OFFSET_BY_TIMESTAMP => "SEARCH_OFFSET_BY_TIMESTAMP",
        request::GET_MAX_OFFSET => "GET_MAX_OFFSET",
        request::GET_MIN_OFFSET => "GET_MIN_OFFSET",
        request::QUERY_MESSAGE => "QUERY_MESSAGE",
        request::VIEW_MESSAGE_BY_ID => "VIEW_MESSAGE_BY_ID",
        request::WIPE_WRITE_PERM_OF_BROKER => "WIPE_WRITE_PERM_OF_BROKER",
        request::DELETE_TOPIC_IN_BROKER => "DELETE_TOPIC_IN_BROKER",
        request::DELETE_TOPIC_IN_NAMESRV => "DELETE_TOPIC_IN_NAMESRV",
        request::HEART_BEAT => "HEART_BEAT",
        request::CHECK_CLIENT_CONFIG => "CHECK_CLIENT_CONFIG",
        request::UNREGISTER_CLIENT => "UNREGISTER_CLIENT",
        request::CONSUMER_SEND_MSG_BACK => "CONSUMER_SEND_MSG_BACK",
        request::END_TRANSACTION => "END_TRANSACTION",
        request::CHECK_TRANSACTION_STATE => "CHECK_TRANSACTION_STATE",
        request::GET_BROKER_RUNTIME_INFO => "GET_BROKER_RUNTIME_INFO",
        request::GET_BROKER_CLUSTER_INFO => "GET_BROKER_CLUSTER_INFO",
        request::GET_TOPIC_STATS_INFO => "GET_TOPIC_STATS_INFO",
        request::GET_CONSUMER_CONNECTION_LIST => "GET_CONSUMER_CONNECTION_LIST",
        request::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
        request::GET_ALL_TOPIC_CONFIG => "GET_ALL_TOPIC_CONFIG",
        request::GET_ALL_CONSUMER_OFFSET => "GET_ALL_CONSUMER_OFFSET",
        request::GET_ALL_DELAY_OFFSET => "GET_ALL_DELAY_OFFSET",
        request::GET_ALL_SUBSCRIPTIONGROUP_CONFIG => "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
        request::GET_CONSUME_STATS => "GET_CONSUME_STATS",
        request::RESET_CONSUMER_CLIENT_OFFSET => "RESET_CONSUMER_CLIENT_OFFSET",
        request::INVOKE_BROKER_TO_RESET_OFFSET => "INVOKE_BROKER_TO_RESET_OFFSET",
        request::GET_CONSUMER_LIST_BY_GROUP => "GET_CONSUMER_LIST_BY_GROUP",
        request::NOTIFY_CONSUMER_IDS_CHANGED => "NOTIFY_CONSUMER_IDS_CHANGED",
        request::LOCK_BATCH_MQ => "LOCK_BATCH_MQ",
        request::UNLOCK_BATCH_MQ => "UNLOCK_BATCH_MQ",
        request::PUT_KV_CONFIG => "PUT_KV_CONFIG",
        request::GET_KV_CONFIG => "GET_KV_CONFIG",
        request::DELETE_KV_CONFIG => "DELETE_KV_CONFIG",
        request::GET_KVLIST_BY_NAMESPACE => "GET_KVLIST_BY_NAMESPACE",
        request::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP => "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
        request::DELETE_SUBSCRIPTIONGROUP => "DELETE_SUBSCRIPTIONGROUP",
        request::REGISTER_BROKER => "REGISTER_BROKER",
        request::UNREGISTER_BROKER => "UNREGISTER_BROKER",
        request::GET_ROUTEINTO_BY_TOPIC => "GET_ROUTEINTO_BY_TOPIC",
        request::SEND_MESSAGE_V2 => "SEND_MESSAGE_V2",
        request::SEND_BATCH_MESSAGE => "SEND_BATCH_MESSAGE",
        _ => name_of_inquiry(code),
    }
}

/// What only operators ask, and what brokers ask clients for them.
fn name_of_inquiry(code: i32) -> &'static str {
    match code {
        request::UPDATE_BROKER_CONFIG => "UPDATE_BROKER_CONFIG",
        request::GET_EARLIEST_MSG_STORETIME => "GET_EARLIEST_MSG_STORETIME",
        request::GET_PRODUCER_CONNECTION_LIST => "GET_PRODUCER_CONNECTION_LIST",
        request::GET_CONSUMER_STATUS_FROM_CLIENT => "GET_CONSUMER_STATUS_FROM_CLIENT",
        request::INVOKE_BROKER_TO_GET_CONSUMER_STATUS => "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
        request::GET_TOPICS_BY_CLUSTER => "GET_TOPICS_BY_CLUSTER",
        request::QUERY_TOPIC_CONSUME_BY_WHO => "QUERY_TOPIC_CONSUME_BY_WHO",
        request::REGISTER_FILTER_SERVER => "REGISTER_FILTER_SERVER",
        request::QUERY_CONSUME_TIME_SPAN => "QUERY_CONSUME_TIME_SPAN",
        request::GET_SYSTEM_TOPIC_LIST_FROM_NS => "GET_SYSTEM_TOPIC_LIST_FROM_NS",
        request::GET_SYSTEM_TOPIC_LIST_FROM_BROKER => "GET_SYSTEM_TOPIC_LIST_FROM_BROKER",
        request::CLEAN_EXPIRED_CONSUMEQUEUE => "CLEAN_EXPIRED_CONSUMEQUEUE",
        request::GET_CONSUMER_RUNNING_INFO => "GET_CONSUMER_RUNNING_INFO",
        request::QUERY_CORRECTION_OFFSET => "QUERY_CORRECTION_OFFSET",
        request::CONSUME_MESSAGE_DIRECTLY => "CONSUME_MESSAGE_DIRECTLY",
        request::GET_UNIT_TOPIC_LIST => "GET_UNIT_TOPIC_LIST",
        request::GET_HAS_UNIT_SUB_TOPIC_LIST => "GET_HAS_UNIT_SUB_TOPIC_LIST",
        request::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST",
        request::CLONE_GROUP_OFFSET => "CLONE_GROUP_OFFSET",
        request::VIEW_BROKER_STATS_DATA => "VIEW_BROKER_STATS_DATA",
        request::CLEAN_UNUSED_TOPIC => "CLEAN_UNUSED_TOPIC",
        request::GET_BROKER_CONSUME_STATS => "GET_BROKER_CONSUME_STATS",
        request::QUERY_DATA_VERSION => "QUERY_DATA_VERSION",
        _ => "?",
    }
}

/// A response code's constant name, `?` for one not spoken here.
pub fn name_of_response(code: i32) -> &'static str {
    match code {
        response::SUCCESS => "SUCCESS",
        response::SYSTEM_ERROR => "SYSTEM_ERROR",
        response::SYSTEM_BUSY => "SYSTEM_BUSY",
        response::REQUEST_CODE_NOT_SUPPORTED => "REQUEST_CODE_NOT_SUPPORTED",
        response::FLUSH_DISK_TIMEOUT => "FLUSH_DISK_TIMEOUT",
        response::SLAVE_NOT_AVAILABLE => "SLAVE_NOT_AVAILABLE",
        response::FLUSH_SLAVE_TIMEOUT => "FLUSH_SLAVE_TIMEOUT",
        response::MESSAGE_ILLEGAL => "MESSAGE_ILLEGAL",
        response::SERVICE_NOT_AVAILABLE => "SERVICE_NOT_AVAILABLE",
        response::NO_PERMISSION => "NO_PERMISSION",
        response::TOPIC_NOT_EXIST => "TOPIC_NOT_EXIST",
        response::PULL_NOT_FOUND => "PULL_NOT_FOUND",
        response::PULL_RETRY_IMMEDIATELY => "PULL_RETRY_IMMEDIATELY",
        response::PULL_OFFSET_MOVED => "PULL_OFFSET_MOVED",
        response::QUERY_NOT_FOUND => "QUERY_NOT_FOUND",
        response::FILTER_DATA_NOT_EXIST => "FILTER_DATA_NOT_EXIST",
        response::FILTER_DATA_NOT_LATEST => "FILTER_DATA_NOT_LATEST",
        response::SUBSCRIPTION_PARSE_FAILED => "SUBSCRIPTION_PARSE_FAILED",
        response::SUBSCRIPTION_NOT_EXIST => "SUBSCRIPTION_NOT_EXIST",
        response::SUBSCRIPTION_NOT_LATEST => "SUBSCRIPTION_NOT_LATEST",
        response::SUBSCRIPTION_GROUP_NOT_EXIST => "SUBSCRIPTION_GROUP_NOT_EXIST",
        response::CONSUMER_NOT_ONLINE => "CONSUMER_NOT_ONLINE",
        response::CONSUME_MSG_TIMEOUT => "CONSUME_MSG_TIMEOUT",
        response::NO_MESSAGE => "NO_MESSAGE",
        _ => "?",
    }
}
