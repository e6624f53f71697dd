//! One frame of the road, read a second time: code, flag and the fields of its header.
//!
//! ```text
//! | length 4 | kind 1 · header length 3 | header: JSON (kind 0) or ROCKETMQ (kind 1) | body |
//! ROCKETMQ: | code 2 | language 1 | version 2 | opaque 4 | flag 4 | remark 4 + n | fields 4 + n: { key 2 + n, value 4 + n } … |
//! ```

use std::borrow::Cow;

use crate::lab::oracle::json::Json;
use crate::lab::oracle::{i16_at, i32_at};

/// What a frame says, its body aside.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frame<'a> {
    /// Request code, or response code.
    pub code: i32,
    /// Bit 0: response; bit 1: one-way.
    pub flag: i32,
    /// The fields of its custom header, in order; of two with one name the later counts.
    pub fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Frame<'a> {
    /// Reads a frame, its length word included; `None` if it is none.
    pub fn read(bytes: &'a [u8]) -> Option<Frame<'a>> {
        let word = i32_at(bytes, 4);
        let length = usize::try_from(word & 0x00ff_ffff).ok()?;
        let header = bytes.get(8..8 + length)?;
        match word >> 24 {
            0 => of_json(header),
            1 => of_fields(header),
            _ => None,
        }
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A field that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }
}

/// What follows a frame's header; `None` if it is no frame.
pub fn body(bytes: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(i32_at(bytes, 4) & 0x00ff_ffff).ok()?;
    bytes.get(8 + length..)
}

fn of_json<'a>(header: &[u8]) -> Option<Frame<'a>> {
    let json = Json::parse(header).ok()?;
    let number = |name: &str| json.get(name).and_then(Json::int).and_then(|number| i32::try_from(number).ok());
    let (code, flag) = (number("code")?, number("flag").unwrap_or(0));
    let members = json.get("extFields").map_or(&[][..], Json::members);
    let text = |value: &Json| match value {
        Json::Text(text) | Json::Number(text) => Some(text.clone().into()),
        Json::Int(number) => Some(number.to_string().into()),
        Json::Bool(flag) => Some(flag.to_string().into()),
        _ => None,
    };
    let fields = members.iter().filter_map(|(name, value)| Some((name.clone().into(), text(value)?))).collect();
    Some(Frame { code, flag, fields })
}

fn of_fields(header: &[u8]) -> Option<Frame<'_>> {
    let (code, flag) = (i32::from(i16_at(header, 0)), i32_at(header, 9));
    let remark = usize::try_from(i32_at(header, 13).max(0)).ok()?;
    let mut rest = header.get(17 + remark + 4..).unwrap_or_default();
    let mut fields = Vec::with_capacity(16);
    while !rest.is_empty() {
        let key = usize::try_from(i16_at(rest, 0)).ok()?;
        let value = usize::try_from(i32_at(rest, 2 + key)).ok()?;
        let text = |from: usize, len: usize| Some(String::from_utf8_lossy(rest.get(from..from + len)?));
        fields.push((text(2, key)?, text(6 + key, value)?));
        rest = &rest[6 + key + value..];
    }
    Some(Frame { code, flag, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(kind: u8, header: &[u8]) -> Vec<u8> {
        let mut bytes = ((header.len() + 4) as u32).to_be_bytes().to_vec();
        bytes.extend(((u32::from(kind) << 24) | header.len() as u32).to_be_bytes());
        bytes.extend(header);
        bytes
    }

    #[test]
    fn both_kinds_of_header_say_the_same() {
        let json = br#"{"code":15,"flag":2,"extFields":{"topic":"orders","queueId":"3"},"opaque":7}"#;
        let mut binary = vec![0, 15, 0, 0, 0];
        binary.extend([0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 0]);
        let mut pairs = Vec::new();
        for (key, value) in [("topic", "orders"), ("queueId", "3")] {
            pairs.extend((key.len() as i16).to_be_bytes());
            pairs.extend(key.bytes());
            pairs.extend((value.len() as i32).to_be_bytes());
            pairs.extend(value.bytes());
        }
        binary.extend((pairs.len() as i32).to_be_bytes());
        binary.extend(pairs);
        let text = framed(0, json);
        let one = Frame::read(&text).expect("JSON");
        assert_eq!((one.code, one.flag, one.number("queueId"), one.text("topic")), (15, 2, Some(3), Some("orders")));
        assert_eq!(Frame::read(&framed(1, &binary)), Some(one));
    }

    #[test]
    fn what_is_cut_off_is_no_frame_and_harms_nobody() {
        let whole = framed(0, br#"{"code":15,"flag":0,"extFields":{"a":"b"}}"#);
        assert!((0..whole.len()).all(|len| Frame::read(&whole[..len]).is_none()));
        let binary = framed(1, &[0, 15, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 200, 1, 2]);
        assert_eq!(Frame::read(&binary), None);
    }
}
