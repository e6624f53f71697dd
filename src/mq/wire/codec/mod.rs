//! Frames: a command as bytes, and back.
//!
//! ```text
//! | length 4 | type 1 | header length 3 | header | body |
//!            ^ counted by `length` from here to the end
//! ```
//!
//! The type says how the header is written: `json_header` (the default) or `binary_header`. Two layers: a
//! [`RawCommand`] knows ext fields as texts, a [`Command`] its typed header. The invariant: a command's frame decodes to
//! that command, through either type.
//!
//! A request's code decides the class of its header; a response's class is known to whoever asked ([`typed_response`]).

use bytes::{Bytes, BytesMut};

use crate::mq::fastjson::JsonError;
use crate::mq::wire::code::{request, response};
use crate::mq::wire::command::{Command, Opaque, VERSION};
use crate::mq::wire::header::Header;

pub mod raw;

pub mod class;

mod member;

mod json_header;

mod binary_header;

mod typed;

#[cfg(test)]
mod tests;

use raw::{Language, RawCommand, SerializeType};

/// Why bytes are not a command.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    /// The length word is above the limit.
    #[error("frame claims {claimed} bytes with its length word, limit is {FRAME_MAX}")]
    FrameTooLong {
        /// The whole frame, in bytes.
        claimed: i64,
    },
    /// The length word is below zero.
    #[error("frame claims a negative length, {claimed} bytes")]
    FrameNegative {
        /// The length word.
        claimed: i32,
    },
    /// The bytes end too early.
    #[error("{what} at byte {at}: wants {wanted} bytes, {left} are left")]
    Short {
        /// What was being read.
        what: &'static str,
        /// Where, in bytes from the start of the frame behind its length word, or of its header.
        at: usize,
        /// How many bytes it claims.
        wanted: i64,
        /// How many there are.
        left: usize,
    },
    /// The type byte is neither JSON nor ROCKETMQ.
    #[error("frame's serialize type is {0}, allowed are 0 (JSON) and 1 (ROCKETMQ)")]
    SerializeType(u8),
    /// The header is not JSON.
    #[error("frame's header: {0}")]
    Json(#[from] JsonError),
    /// The header is JSON of another shape.
    #[error("frame's header: `{field}` is {found}, wanted {wanted}")]
    HeaderField {
        /// The field, or the header itself.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A command without a language cannot be written as ROCKETMQ.
    #[error("command has no language, the ROCKETMQ header needs one")]
    NoLanguage,
    /// A field that the header's class requires is not there.
    #[error("`{class}`: the custom field <{field}> is null")]
    Missing {
        /// Upstream's class.
        class: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field's text is not of the field's type.
    #[error("`{class}`: field `{field}` is `{found}`, wanted {wanted}")]
    Unparsable {
        /// Upstream's class.
        class: &'static str,
        /// The field.
        field: &'static str,
        /// The text.
        found: String,
        /// The type.
        wanted: &'static str,
    },
    /// The fields are of their types and together not allowed. The text is upstream's.
    #[error("{0}")]
    Refused(String),
}

/// The longest frame, length word included. Source: `NettyDecoder.FRAME_MAX_LENGTH`, `com.rocketmq.remoting.frameMaxLength`.
pub const FRAME_MAX: i64 = 16_777_216;

/// The whole frame of a command, length word included, its header in JSON.
///
/// Source: `RemotingCommand.encode`, `makeCustomHeaderToNet`.
pub fn encode(command: &Command) -> Bytes {
    encode_as(command, SerializeType::Json)
}

/// The same with the header of a type.
pub fn encode_as(command: &Command, serialize_type: SerializeType) -> Bytes {
    to_raw(command, serialize_type).encode().expect("a command's language is known")
}

/// The command with its header as texts.
pub fn to_raw(command: &Command, serialize_type: SerializeType) -> RawCommand {
    RawCommand {
        code: command.code,
        language: Some(Language::Java),
        version: VERSION,
        opaque: Some(command.opaque.0),
        flag: command.flag,
        remark: command.remark.clone(),
        ext_fields: typed::put(command.code, &command.header),
        body: command.body.clone(),
        serialize_type,
    }
}

/// The command with a typed header: of a request the one of its code, of anything else [`Header::Other`].
///
/// Errors: a required field is missing, or a text is not of its field's type.
/// Source: `RemotingCommand.decodeCommandCustomHeader`. Differs: there such a field is logged and left null, and the
/// request fails where the null is met; a typed header has no nulls, so here it fails at once. A frame without a number
/// gets 0, upstream's the decoder's own next one.
pub fn from_raw(raw: RawCommand) -> Result<Command, CodecError> {
    let mut command = Command {
        code: raw.code,
        flag: raw.flag,
        opaque: Opaque(raw.opaque.unwrap_or_default()),
        remark: raw.remark,
        header: Header::None,
        body: raw.body,
    };
    let request = (!command.is_response()).then_some(raw.code);
    command.header = match request.and_then(typed::request) {
        Some(take) => take(&raw.ext_fields.unwrap_or_default())?,
        None => typed::other(raw.ext_fields),
    };
    Ok(command)
}

/// The answer to a request whose header [`from_raw`] does not take; `None` if nobody waits for one.
///
/// Upstream leaves what is missing null, and fails where the null is met; nothing of that place is told here.
/// Source: `NettyRemotingAbstract.processRequestCommand`, `RemotingHelper.exceptionSimpleDesc`.
pub fn refusal(raw: &RawCommand, error: &CodecError) -> Option<Box<Command>> {
    let remark = match error {
        CodecError::Missing { .. } | CodecError::Unparsable { .. } => NULL_POINTER.to_owned(),
        CodecError::Refused(text) => format!("{REFUSED}: {text}"),
        _ => return None,
    };
    // A nameserver's table is asked for null and has none.
    let is_route = raw.code == request::GET_ROUTEINTO_BY_TOPIC && remark == NULL_POINTER;
    let (code, remark) = match is_route {
        true => (response::TOPIC_NOT_EXIST, NO_ROUTE.to_owned()),
        false => (response::SYSTEM_ERROR, remark),
    };
    let opaque = raw.opaque.filter(|_| !raw.is_response() && !raw.is_oneway())?;
    Some(Command::response(code, Opaque(opaque), Header::None).with_remark(remark))
}

/// What a nameserver says that is asked for no topic.
const NO_ROUTE: &str = "No topic route info in name server for the topic: null\nSee http://rocketmq.apache.org/docs/faq/ for further details.";

/// What a null that nobody expects becomes.
pub const NULL_POINTER: &str = "java.lang.NullPointerException";
/// What a header's own check throws.
const REFUSED: &str = "org.apache.rocketmq.remoting.exception.RemotingCommandException";

/// A response as its asker reads it: with the header of the answer to `request_code`.
///
/// A response that brings no field of its class keeps what it has, as refusals do, unless its class needs none and it is
/// a success. Errors: as [`from_raw`].
/// Source: `RemotingCommand.decodeCommandCustomHeader` as each of `MQClientAPIImpl`'s and `BrokerOuterAPI`'s calls uses it.
pub fn typed_response(mut command: Command, request_code: i32) -> Result<Command, CodecError> {
    let Some((class, take)) = typed::response(request_code) else { return Ok(command) };
    let pairs = match &command.header {
        Header::Other(pairs) => pairs.as_slice(),
        Header::None => &[],
        _ => return Ok(command),
    };
    let bare = !pairs.iter().any(|(name, _)| class.fields.iter().any(|field| *name == *field.name));
    if bare && (class.needs_fields() || command.code != response::SUCCESS) {
        return Ok(command);
    }
    command.header = take(&pairs.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect())?;
    Ok(command)
}

/// Commands out of a stream of bytes that is cut anywhere.
///
/// A frame that is none ends the stream: every later call repeats the error, as upstream closes the connection. A frame
/// whose header does not fit its code is an error once, and the stream goes on.
/// Source: `NettyDecoder`.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    input: BytesMut,
    broken: Option<CodecError>,
}

impl Decoder {
    /// A decoder at the beginning of a connection.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Takes bytes in, as many as came.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.input.extend_from_slice(bytes);
        }
    }

    /// The next command, if all its bytes are here.
    #[expect(clippy::should_implement_trait, reason = "an end for now is not an end: no iterator")]
    pub fn next(&mut self) -> Result<Option<Command>, CodecError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        match self.frame() {
            Ok(Some(raw)) => from_raw(raw).map(Some),
            Ok(None) => Ok(None),
            Err(error) => {
                self.input = BytesMut::new();
                self.broken = Some(error.clone());
                Err(error)
            }
        }
    }

    fn frame(&mut self) -> Result<Option<RawCommand>, CodecError> {
        let Some(word) = self.input.first_chunk::<LENGTH_WORD>() else { return Ok(None) };
        let claimed = i32::from_be_bytes(*word);
        let Ok(length) = usize::try_from(claimed) else { return Err(CodecError::FrameNegative { claimed }) };
        let whole = i64::from(claimed) + LENGTH_WORD as i64;
        if FRAME_MAX < whole {
            return Err(CodecError::FrameTooLong { claimed: whole });
        }
        if self.input.len() - LENGTH_WORD < length {
            return Ok(None);
        }
        let frame = self.input.split_to(LENGTH_WORD + length).freeze();
        RawCommand::decode(&frame.slice(LENGTH_WORD..)).map(Some)
    }
}

/// Bytes of the length word, which does not count itself.
const LENGTH_WORD: usize = 4;
