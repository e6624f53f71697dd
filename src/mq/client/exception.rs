//! Exceptions as values, with upstream's own texts.

use std::fmt;

use crate::mq::app::{AppError, ErrorKind};
use crate::mq::message::Name;
use crate::mq::node::Addr;
use crate::mq::wire::code::response;

/// What a call of the client can end with instead of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exception {
    /// `MQClientException`: `responseCode` and the message as it was given.
    Client {
        /// -1 if the exception was made without one.
        code: i32,
        /// Upstream's `errorMessage`.
        text: Name,
    },
    /// `MQBrokerException`: a broker's code and remark.
    Broker {
        /// The response code.
        code: i32,
        /// The remark.
        remark: Option<Name>,
    },
    /// `RemotingConnectException`; without an address when no nameserver could be reached.
    Connect(Option<Addr>),
    /// `RemotingSendRequestException`: the connection broke with the request on it.
    SendRequest(Addr),
    /// `RemotingTimeoutException`: no answer in so many ms.
    Timeout {
        /// Who was asked.
        addr: Addr,
        /// How long was waited.
        millis: i64,
    },
    /// `RemotingTimeoutException` before the request was written: connecting used the time up.
    LateConnect(&'static str),
    /// `RemotingTooMuchRequestException`.
    TooMuchRequest(&'static str),
}

impl Exception {
    /// An `MQClientException` without a code.
    pub fn client(text: impl Into<Name>) -> Exception {
        Exception::Client { code: -1, text: text.into() }
    }

    /// The class that an application sees.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Exception::Client { .. } => ErrorKind::Client,
            Exception::Broker { .. } => ErrorKind::Broker,
            Exception::Connect(_) => ErrorKind::Connect,
            Exception::SendRequest(_) => ErrorKind::SendRequest,
            Exception::Timeout { .. } | Exception::LateConnect(_) => ErrorKind::Timeout,
            Exception::TooMuchRequest(_) => ErrorKind::TooMuchRequest,
        }
    }

    /// Whether the request that ended so cannot have stored a message: it was never written, or the broker refused it
    /// before the append.
    pub fn precedes_append(&self) -> bool {
        match self {
            Exception::Client { .. }
            | Exception::Connect(_)
            | Exception::LateConnect(_)
            | Exception::TooMuchRequest(_) => true,
            Exception::SendRequest(_) | Exception::Timeout { .. } => false,
            Exception::Broker { code, .. } => matches!(
                *code,
                response::SYSTEM_BUSY
                    | response::MESSAGE_ILLEGAL
                    | response::SERVICE_NOT_AVAILABLE
                    | response::NO_PERMISSION
                    | response::TOPIC_NOT_EXIST
            ),
        }
    }

    /// The `responseCode` that a producer gives the exception it throws after its last attempt.
    ///
    /// Source: `DefaultMQProducerImpl.sendDefaultImpl`, `ClientErrorCode`.
    pub(crate) fn code_after_attempts(&self) -> i32 {
        match self {
            Exception::Broker { code, .. } => *code,
            Exception::Connect(_) => CONNECT_BROKER,
            Exception::Timeout { .. } | Exception::LateConnect(_) => ACCESS_BROKER_TIMEOUT,
            Exception::Client { .. } => BROKER_NOT_EXIST,
            Exception::SendRequest(_) | Exception::TooMuchRequest(_) => -1,
        }
    }

    /// What the application is given.
    pub(crate) fn into_error(self, attempts: u32, provably_not_stored: bool) -> AppError {
        let code = match &self {
            Exception::Client { code, .. } | Exception::Broker { code, .. } => *code,
            _ => -1,
        };
        AppError { kind: self.kind(), text: Name::from(self.to_string()), code, attempts, provably_not_stored }
    }
}

/// `getMessage()`.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exception::Client { code, text } => f.write_str(&client_text(*code, text)),
            Exception::Broker { code, remark } => {
                f.write_str(&broker_text(*code, remark.as_ref().map_or("null", |text| text)))
            }
            Exception::Connect(Some(addr)) => write!(f, "connect to <{addr}> failed"),
            Exception::Connect(None) => f.write_str("connect to <null> failed"),
            Exception::SendRequest(addr) => write!(f, "send request to <{addr}> failed"),
            Exception::Timeout { addr, millis } => {
                write!(f, "wait response on the channel <{addr}> timeout, {millis}(ms)")
            }
            Exception::LateConnect(text) | Exception::TooMuchRequest(text) => f.write_str(text),
        }
    }
}

/// `MQClientException.getMessage()`; code -1 is the constructor without a code.
pub fn client_text(code: i32, text: &str) -> String {
    match code {
        -1 => with_default_url(text.to_owned()),
        _ => broker_text(code, text),
    }
}

/// `MQBrokerException.getMessage()`.
pub fn broker_text(code: i32, text: &str) -> String {
    with_default_url(format!("CODE: {code}  DESC: {text}"))
}

/// Source: `FAQUrl.attachDefaultURL`.
fn with_default_url(text: String) -> String {
    match text.contains("\nSee ") {
        true => text,
        false => text + "\nFor more information, please visit the url, http://rocketmq.apache.org/docs/faq/",
    }
}

/// What many texts end with. Source: `FAQUrl.suggestTodo`.
pub const SUGGEST_TODO: &str = "\nSee http://rocketmq.apache.org/docs/faq/ for further details.";

/// Source: `ClientErrorCode.CONNECT_BROKER_EXCEPTION`.
const CONNECT_BROKER: i32 = 10_001;
/// Source: `ClientErrorCode.ACCESS_BROKER_TIMEOUT`.
const ACCESS_BROKER_TIMEOUT: i32 = 10_002;
/// Source: `ClientErrorCode.BROKER_NOT_EXIST_EXCEPTION`.
const BROKER_NOT_EXIST: i32 = 10_003;
/// Source: `ClientErrorCode.NO_NAME_SERVER_EXCEPTION`.
pub(crate) const NO_NAME_SERVER: i32 = 10_004;
/// Source: `ClientErrorCode.NOT_FOUND_TOPIC_EXCEPTION`.
pub(crate) const NOT_FOUND_TOPIC: i32 = 10_005;
