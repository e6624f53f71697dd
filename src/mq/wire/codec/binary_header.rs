//! The ROCKETMQ header: fixed fields, then remark and ext fields with their lengths.
//!
//! ```text
//! | code 2 | language 1 | version 2 | opaque 4 | flag 4 | remark 4 + n | ext 4 + n: { key 2 + n, value 4 + n } … |
//! ```
//!
//! Code and version lose their high halves. Source: `RocketMQSerializable`.

use bytes::BufMut;

use crate::mq::message::Name;
use crate::mq::wire::codec::CodecError;
use crate::mq::wire::codec::raw::{ExtFields, Language, RawCommand, SerializeType};

/// Writes the header. Errors: no language.
pub(super) fn encode(command: &RawCommand) -> Result<Vec<u8>, CodecError> {
    let language = command.language.ok_or(CodecError::NoLanguage)?;
    let remark = command.remark.as_deref().unwrap_or_default();
    let mut out = Vec::with_capacity(FIXED + remark.len());
    out.put_i16(command.code as i16);
    out.put_u8(language as u8);
    out.put_i16(command.version as i16);
    out.put_i32(command.opaque.unwrap_or_default());
    out.put_i32(command.flag);
    out.put_i32(remark.len() as i32);
    out.put_slice(remark.as_bytes());
    let mut ext = Vec::new();
    for (name, value) in command.ext_fields.iter().flat_map(ExtFields::iter) {
        let Some(value) = value else { continue };
        ext.put_i16(name.len() as i16);
        ext.put_slice(name.as_bytes());
        ext.put_i32(value.len() as i32);
        ext.put_slice(value.as_bytes());
    }
    out.put_i32(ext.len() as i32);
    out.put_slice(&ext);
    Ok(out)
}

/// Reads the header; what stands behind its ext fields is not looked at, as upstream.
pub(super) fn decode(header: &[u8]) -> Result<RawCommand, CodecError> {
    let mut input = Input { bytes: header, at: 0 };
    let code = i32::from(i16::from_be_bytes(input.word("code")?));
    let [language] = input.word("language")?;
    let version = i32::from(i16::from_be_bytes(input.word("version")?));
    let opaque = i32::from_be_bytes(input.word("opaque")?);
    let flag = i32::from_be_bytes(input.word("flag")?);
    let remark = match i32::from_be_bytes(input.word("remark length")?) {
        length if length <= 0 => None,
        length => Some(input.text("remark", i64::from(length))?),
    };
    let ext_fields = match i32::from_be_bytes(input.word("ext fields length")?) {
        length if length <= 0 => None,
        length => Some(pairs(input.take("ext fields", i64::from(length))?)?),
    };
    Ok(RawCommand {
        code,
        language: Language::of(language),
        version,
        opaque: Some(opaque),
        flag,
        remark,
        ext_fields,
        body: None,
        serialize_type: SerializeType::RocketMq,
    })
}

/// Source: `RocketMQSerializable.mapDeserialize`.
fn pairs(bytes: &[u8]) -> Result<ExtFields, CodecError> {
    let mut input = Input { bytes, at: 0 };
    let mut pairs = ExtFields::default();
    while input.at < bytes.len() {
        let length = i16::from_be_bytes(input.word("ext field's name length")?);
        let name = input.text("ext field's name", i64::from(length))?;
        let length = i32::from_be_bytes(input.word("ext field's value length")?);
        let value = input.text("ext field's value", i64::from(length))?;
        pairs.put(name.into(), Some(value));
    }
    Ok(pairs)
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn word<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CodecError> {
        let mut word = [0; N];
        word.copy_from_slice(self.take(what, N as i64)?);
        Ok(word)
    }

    fn text(&mut self, what: &'static str, length: i64) -> Result<Name, CodecError> {
        self.take(what, length).map(|bytes| Name::new(String::from_utf8_lossy(bytes)))
    }

    fn take(&mut self, what: &'static str, wanted: i64) -> Result<&'a [u8], CodecError> {
        let (at, left) = (self.at, self.bytes.len() - self.at);
        let length = usize::try_from(wanted).ok().filter(|length| *length <= left);
        let Some(length) = length else { return Err(CodecError::Short { what, at, wanted, left }) };
        self.at += length;
        Ok(&self.bytes[at..self.at])
    }
}

/// A header without remark and ext fields, in bytes.
const FIXED: usize = 21;
