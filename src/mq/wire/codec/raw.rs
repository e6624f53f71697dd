//! The lower layer: a frame with its ext fields as texts.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::mq::message::Name;
use crate::mq::message::java::JavaMap;
use crate::mq::wire::codec::{CodecError, binary_header, json_header};

/// Ext fields: a Java map whose values may be null, as a JSON header can make them.
pub type ExtFields = JavaMap<Option<Name>>;

/// A command as its frame says it. Source: `RemotingCommand` without its `customHeader`.
#[derive(Clone, PartialEq, Debug)]
pub struct RawCommand {
    /// Request code or response code.
    pub code: i32,
    /// Who speaks; `None` for a language that 4.3.2 does not know.
    pub language: Option<Language>,
    /// The speaker's `MQVersion` ordinal.
    pub version: i32,
    /// Ties response and request; `None` if the frame carries none.
    pub opaque: Option<i32>,
    /// Bit 0: response; bit 1: one-way.
    pub flag: i32,
    /// Free text.
    pub remark: Option<Name>,
    /// The header's fields; `None` and empty are told apart in JSON only.
    pub ext_fields: Option<ExtFields>,
    /// The body; never empty once decoded.
    pub body: Option<Bytes>,
    /// How the header was or will be written.
    pub serialize_type: SerializeType,
}

/// How a header is written. Source: `SerializeType`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SerializeType {
    /// fastjson's text.
    Json = 0,
    /// The binary form.
    RocketMq = 1,
}

/// A speaker's language; its number is its place. Source: `LanguageCode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the languages'")]
pub enum Language {
    Java,
    Cpp,
    Dotnet,
    Python,
    Delphi,
    Erlang,
    Ruby,
    Other,
    Http,
    Go,
    Php,
    Oms,
}

/// Bytes of the word in front of a header: type and length.
const TYPE_WORD: usize = 4;
const RESPONSE: i32 = 1;
const ONEWAY: i32 = 2;

impl RawCommand {
    /// Whether this answers a request. Source: `RemotingCommand.isResponseType`.
    pub fn is_response(&self) -> bool {
        self.flag & RESPONSE != 0
    }

    /// Whether nobody waits for an answer. Source: `RemotingCommand.isOnewayRPC`.
    pub fn is_oneway(&self) -> bool {
        self.flag & ONEWAY != 0
    }

    /// Makes it a response. Source: `RemotingCommand.markResponseType`.
    pub fn mark_response(&mut self) {
        self.flag |= RESPONSE;
    }

    /// Makes it a one-way request. Source: `RemotingCommand.markOnewayRPC`.
    pub fn mark_oneway(&mut self) {
        self.flag |= ONEWAY;
    }

    /// The whole frame, length word included.
    ///
    /// Errors: [`CodecError::NoLanguage`], and only for the binary header.
    /// Source: `RemotingCommand.encode`.
    pub fn encode(&self) -> Result<Bytes, CodecError> {
        let body = self.body.as_deref().unwrap_or_default();
        let head = self.encode_header()?;
        let mut frame = BytesMut::with_capacity(head.len() + body.len());
        frame.put_slice(&head);
        frame.put_slice(body);
        Ok(frame.freeze())
    }

    /// The frame up to its body, whose length is counted in. Source: `RemotingCommand.encodeHeader`.
    pub fn encode_header(&self) -> Result<Bytes, CodecError> {
        let header = match self.serialize_type {
            SerializeType::Json => json_header::encode(self).into_bytes(),
            SerializeType::RocketMq => binary_header::encode(self)?,
        };
        let length = TYPE_WORD + header.len() + self.body.as_ref().map_or(0, Bytes::len);
        let mut head = BytesMut::with_capacity(TYPE_WORD + TYPE_WORD + header.len());
        head.put_i32(length as i32);
        head.put_slice(&mark_protocol_type(header.len() as i32, self.serialize_type));
        head.put_slice(&header);
        Ok(head.freeze())
    }

    /// Reads a frame without its length word.
    ///
    /// Errors: the header is cut, of no known type, or not what its type says. Bytes behind the header are the body,
    /// `None` if there are none.
    /// Source: `RemotingCommand.decode`.
    pub fn decode(frame: &Bytes) -> Result<RawCommand, CodecError> {
        let Some(word) = frame.first_chunk::<TYPE_WORD>() else {
            let (wanted, left) = (TYPE_WORD as i64, frame.len());
            return Err(CodecError::Short { what: "serialize type and header length", at: 0, wanted, left });
        };
        let word = i32::from_be_bytes(*word);
        let length = header_length(word);
        let left = frame.len() - TYPE_WORD;
        if left < length {
            return Err(CodecError::Short { what: "header", at: TYPE_WORD, wanted: length as i64, left });
        }
        let header = &frame[TYPE_WORD..TYPE_WORD + length];
        let number = word.to_be_bytes()[0];
        let mut raw = match SerializeType::of(number).ok_or(CodecError::SerializeType(number))? {
            SerializeType::Json => json_header::decode(header)?,
            SerializeType::RocketMq => binary_header::decode(header)?,
        };
        let body = frame.slice(TYPE_WORD + length..);
        raw.body = (!body.is_empty()).then_some(body);
        Ok(raw)
    }
}

/// The word in front of a header. Source: `RemotingCommand.markProtocolType`.
pub fn mark_protocol_type(length: i32, serialize_type: SerializeType) -> [u8; 4] {
    let [_, a, b, c] = length.to_be_bytes();
    [serialize_type as u8, a, b, c]
}

/// The header's length out of the word in front of it. Source: `RemotingCommand.getHeaderLength`.
pub fn header_length(word: i32) -> usize {
    (word & 0xFF_FFFF) as usize
}

impl SerializeType {
    /// The type of a number. Source: `SerializeType.valueOf`.
    pub fn of(number: u8) -> Option<SerializeType> {
        [SerializeType::Json, SerializeType::RocketMq].into_iter().find(|kind| *kind as u8 == number)
    }

    /// The constant's name.
    pub fn as_str(self) -> &'static str {
        match self {
            SerializeType::Json => "JSON",
            SerializeType::RocketMq => "ROCKETMQ",
        }
    }
}

impl Language {
    /// All, by number.
    pub const ALL: [Language; 12] = [
        Language::Java,
        Language::Cpp,
        Language::Dotnet,
        Language::Python,
        Language::Delphi,
        Language::Erlang,
        Language::Ruby,
        Language::Other,
        Language::Http,
        Language::Go,
        Language::Php,
        Language::Oms,
    ];

    /// The language of a number. Source: `LanguageCode.valueOf`.
    pub fn of(number: u8) -> Option<Language> {
        Language::ALL.get(usize::from(number)).copied()
    }

    /// The constant's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Java => "JAVA",
            Language::Cpp => "CPP",
            Language::Dotnet => "DOTNET",
            Language::Python => "PYTHON",
            Language::Delphi => "DELPHI",
            Language::Erlang => "ERLANG",
            Language::Ruby => "RUBY",
            Language::Other => "OTHER",
            Language::Http => "HTTP",
            Language::Go => "GO",
            Language::Php => "PHP",
            Language::Oms => "OMS",
        }
    }
}

/// `RemotingCommand [code=…, …]`. Source: `RemotingCommand.toString`.
impl fmt::Display for RawCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = |text: Option<&str>| text.unwrap_or("null").to_owned();
        let (language, remark) = (null(self.language.map(Language::as_str)), null(self.remark.as_deref()));
        let opaque = self.opaque.unwrap_or_default();
        write!(f, "RemotingCommand [code={}, language={language}, version={}, ", self.code, self.version)?;
        write!(f, "opaque={opaque}, flag(B)={:b}, remark={remark}, extFields=", self.flag)?;
        match &self.ext_fields {
            None => f.write_str("null")?,
            Some(fields) => {
                let pairs: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={}", null(value.as_deref()))).collect();
                write!(f, "{{{}}}", pairs.join(", "))?;
            }
        }
        write!(f, ", serializeTypeCurrentRPC={}]", self.serialize_type.as_str())
    }
}
