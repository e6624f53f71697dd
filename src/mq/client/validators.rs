//! What a name and a message must look like before anything leaves the process. Source: `Validators`.

use crate::mq::client::config::AUTO_CREATE_TOPIC_KEY_TOPIC;
use crate::mq::client::exception::Exception;
use crate::mq::wire::code::response;

/// Source: `Validators.checkTopic`.
pub fn check_topic(topic: &str) -> Result<(), Exception> {
    if is_blank(topic) {
        return Err(Exception::client("The specified topic is blank"));
    }
    if !topic.bytes().all(is_legal) {
        let text = format!("The specified topic[{topic}] contains illegal characters, allowing only {VALID_PATTERN}");
        return Err(Exception::client(text));
    }
    if LENGTH_MAX < topic.len() {
        return Err(Exception::client("The specified topic is longer than topic max length 255."));
    }
    if topic == AUTO_CREATE_TOPIC_KEY_TOPIC {
        return Err(Exception::client(format!("The topic[{topic}] is conflict with AUTO_CREATE_TOPIC_KEY_TOPIC.")));
    }
    Ok(())
}

/// Source: `Validators.checkGroup`.
pub fn check_group(group: &str) -> Result<(), Exception> {
    if is_blank(group) {
        return Err(Exception::client("the specified group is blank"));
    }
    if !group.bytes().all(is_legal) {
        let text = format!("the specified group[{group}] contains illegal characters, allowing only {VALID_PATTERN}");
        return Err(Exception::client(text));
    }
    if LENGTH_MAX < group.len() {
        return Err(Exception::client("the specified group is longer than group max length 255."));
    }
    Ok(())
}

/// Checks a message by its topic and its body's length, `None` being no body. Source: `Validators.checkMessage`.
pub fn check_message(topic: &str, body: Option<usize>, max_message_size: usize) -> Result<(), Exception> {
    check_topic(topic)?;
    let illegal = |text: String| Err(Exception::Client { code: response::MESSAGE_ILLEGAL, text: text.into() });
    match body {
        None => illegal("the message body is null".into()),
        Some(0) => illegal("the message body length is zero".into()),
        Some(len) if max_message_size < len => {
            illegal(format!("the message body size over max value, MAX: {max_message_size}"))
        }
        Some(_) => Ok(()),
    }
}

/// Source: `UtilAll.isBlank`.
fn is_blank(text: &str) -> bool {
    text.chars().all(is_java_whitespace)
}

/// Java's `Character.isWhitespace`: Unicode's, without the no-break spaces, with the four separators.
fn is_java_whitespace(c: char) -> bool {
    match c {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        '\u{1c}'..='\u{1f}' => true,
        _ => c.is_whitespace(),
    }
}

/// The bytes of `^[%|a-zA-Z0-9_-]+$`, whose bar is a literal.
fn is_legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'%' | b'|' | b'_' | b'-')
}

const VALID_PATTERN: &str = "^[%|a-zA-Z0-9_-]+$";

/// Source: `Validators.CHARACTER_MAX_LENGTH`.
const LENGTH_MAX: usize = 255;

/// What a user property must not be. Source: `Message.putUserProperty`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UserPropertyError {
    /// The name is one of RocketMQ's own (`RuntimeException`).
    #[error("The Property<{0}> is used by system, input another please")]
    Reserved(String),
    /// The name or the value is missing or blank (`IllegalArgumentException`).
    #[error("The name or value of property can not be null or blank string!")]
    Blank,
}

/// Checks a user's property. Source: `Message.putUserProperty`.
pub fn check_user_property(name: Option<&str>, value: Option<&str>) -> Result<(), UserPropertyError> {
    if let Some(name) = name
        && RESERVED.contains(&name)
    {
        return Err(UserPropertyError::Reserved(name.to_owned()));
    }
    match name.is_none_or(is_blank) || value.is_none_or(is_blank) {
        true => Err(UserPropertyError::Blank),
        false => Ok(()),
    }
}

/// Source: `MessageConst.STRING_HASH_SET`, which leaves three names out.
const RESERVED: [&str; 22] = [
    "TRACE_ON",
    "MSG_REGION",
    "KEYS",
    "TAGS",
    "WAIT",
    "DELAY",
    "RETRY_TOPIC",
    "REAL_TOPIC",
    "REAL_QID",
    "TRAN_MSG",
    "PGROUP",
    "MIN_OFFSET",
    "MAX_OFFSET",
    "BUYER_ID",
    "ORIGIN_MESSAGE_ID",
    "TRANSFER_FLAG",
    "CORRECTION_FLAG",
    "MQ2_FLAG",
    "RECONSUME_TIME",
    "UNIQ_KEY",
    "MAX_RECONSUME_TIMES",
    "CONSUME_START_TIME",
];
