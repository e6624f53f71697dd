//! The JSON dialect of bodies and config files: fastjson writes keys of numbers and objects unquoted, and reads quite a lot.
//!
//! One value type for both directions. Objects keep the order in which they were read or built; whoever builds one for the
//! wire puts the keys in upstream's order (bean fields alphabetically, maps in Java's order).
//! Comments, single-quoted texts, bare words as keys, spare commas and a byte order mark are read, as there.
//! Source: fastjson 1.2.51 as `RemotingSerializable` uses it. Differs: `$ref`, `@type` and the escape `\\x` mean nothing here.

use std::fmt::Write;

pub mod cast;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// Pairs in order; a key is a text, a number or, in upstream's tables, an object.
    Object(Vec<(Json, Json)>),
}

/// Why a text is not JSON.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("json at byte {at}: {problem}")]
pub struct JsonError {
    /// Where, in bytes from the start.
    pub at: usize,
    /// What.
    pub problem: &'static str,
}

/// What fastjson throws at a text that is none; what it says of it is its own.
pub const EXCEPTION: &str = "com.alibaba.fastjson.JSONException";

impl Json {
    /// Reads one value; white space around it is allowed, anything else behind it is not.
    ///
    /// Errors: [`JsonError`] with the place; nesting deeper than [`DEPTH_MAX`] is one.
    pub fn parse(bytes: &[u8]) -> Result<Json, JsonError> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| JsonError { at: error.valid_up_to(), problem: "not UTF-8" })?;
        let mut parser = Parser { text: text.as_bytes(), at: 0 };
        if text.starts_with('\u{feff}') {
            parser.at = '\u{feff}'.len_utf8();
        }
        let value = parser.value(0)?;
        parser.space();
        match parser.peek() {
            None => Ok(value),
            Some(_) => parser.fail("something behind the value"),
        }
    }

    /// The value under a text key; the last of duplicates, as in a Java map.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(pairs) = self else { return None };
        pairs.iter().rev().find(|(found, _)| matches!(found, Json::Text(text) if text == key)).map(|(_, value)| value)
    }

    /// A whole number, also one written as a text.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Int(number) => Some(*number),
            Json::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A 32-bit number, also one written as a text.
    pub fn as_i32(&self) -> Option<i32> {
        self.as_i64().and_then(|number| i32::try_from(number).ok())
    }

    /// A truth value, also one written as a text or 0 and 1.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            Json::Int(number) => Some(*number != 0),
            Json::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list's items; none for anything else.
    pub fn items(&self) -> &[Json] {
        match self {
            Json::Array(items) => items,
            _ => &[],
        }
    }

    /// An object's pairs; none for anything else.
    pub fn pairs(&self) -> &[(Json, Json)] {
        match self {
            Json::Object(pairs) => pairs,
            _ => &[],
        }
    }

    /// The text on one line.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// The text as config files hold it: tabs, `key:value` without blanks, maps with number keys on one line, and so
    /// lists of numbers, which are `int[]` there.
    ///
    /// Source: `RemotingSerializable.toJson(obj, true)`.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, Some(0));
        out
    }

    fn write(&self, out: &mut String, indent: Option<usize>) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Json::Number(text) => out.push_str(text),
            Json::Text(text) => write_text(out, text),
            Json::Array(items) => write_array(out, items, indent),
            Json::Object(pairs) => write_object(out, pairs, indent),
        }
    }
}

fn write_array(out: &mut String, items: &[Json], indent: Option<usize>) {
    let inner = indent.map(|depth| depth + 1);
    let is_flat = items.iter().all(|item| matches!(item, Json::Int(_)));
    out.push('[');
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        if !is_flat {
            line(out, inner);
        }
        item.write(out, inner);
    }
    if !is_flat {
        line(out, indent);
    }
    out.push(']');
}

fn write_object(out: &mut String, pairs: &[(Json, Json)], indent: Option<usize>) {
    let inner = indent.map(|depth| depth + 1);
    out.push('{');
    for (number, (key, value)) in pairs.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        if matches!(key, Json::Text(_)) {
            line(out, inner);
        }
        key.write(out, inner);
        out.push(':');
        value.write(out, inner);
    }
    if !pairs.is_empty() {
        line(out, indent);
    }
    out.push('}');
}

fn line(out: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push('\n');
        out.extend(std::iter::repeat_n('\t', depth));
    }
}

/// A quoted text with fastjson's escapes.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04X}", letter as u32);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

/// The deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;

/// How many bytes there are up to and with `mark`.
fn past(text: &[u8], mark: &[u8]) -> usize {
    text.windows(mark.len()).position(|found| found == mark).map_or(text.len(), |at| at + mark.len())
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn fail<T>(&self, problem: &'static str) -> Result<T, JsonError> {
        Err(JsonError { at: self.at, problem })
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips white space and comments; one that never ends takes the rest.
    fn space(&mut self) {
        loop {
            match self.text.get(self.at..) {
                Some([b' ' | b'\t' | b'\n' | b'\r' | 0xC, ..]) => self.at += 1,
                Some([b'/', b'*', rest @ ..]) => self.at += 2 + past(rest, b"*/"),
                Some([b'/', b'/', rest @ ..]) => self.at += 2 + past(rest, b"\n"),
                _ => return,
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        if depth > DEPTH_MAX {
            return self.fail("nested too deeply");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(quote @ (b'"' | b'\'')) => self.text(quote).map(Json::Text),
            Some(b'-' | b'+' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
            None => self.fail("the text ends where a value should begin"),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut pairs = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Json::Object(pairs));
                }
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let key = self.key(depth)?;
            self.space();
            if self.peek() != Some(b':') {
                return self.fail("expected `:`");
            }
            self.at += 1;
            pairs.push((key, self.value(depth + 1)?));
            self.space();
            if !matches!(self.peek(), Some(b',' | b'}')) {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    fn key(&mut self, depth: usize) -> Result<Json, JsonError> {
        match self.peek() {
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$') => {
                let start = self.at;
                while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$')) {
                    self.at += 1;
                }
                Ok(match &self.text[start..self.at] {
                    b"null" => Json::Null,
                    b"true" => Json::Bool(true),
                    b"false" => Json::Bool(false),
                    word => Json::Text(String::from_utf8_lossy(word).into_owned()),
                })
            }
            _ => self.value(depth + 1),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                Some(b',') => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            items.push(self.value(depth + 1)?);
            self.space();
            if !matches!(self.peek(), Some(b',' | b']')) {
                return self.fail("expected `,` or `]`");
            }
        }
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        match text.parse() {
            Ok(number) => Ok(Json::Int(number)),
            Err(_) if text.bytes().any(|byte| byte.is_ascii_digit()) => Ok(Json::Number(text)),
            Err(_) => self.fail("not a number"),
        }
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        for (word, value) in words {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.fail("no value begins so")
    }

    fn text(&mut self, quote: u8) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            match self.peek() {
                None => return self.fail("the text ends inside quotes"),
                Some(byte) if byte == quote => {
                    self.at += 1;
                    let text = String::from_utf8_lossy(&out).into_owned();
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let letter = self.escape()?;
                    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) => {
                    self.at += 1;
                    out.push(byte);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let Some(byte) = self.peek() else { return self.fail("the text ends inside an escape") };
        self.at += 1;
        let letter = match byte {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' | b'F' => '\u{c}',
            b'v' => '\u{b}',
            b'0'..=b'7' => char::from(byte - b'0'),
            b'u' => return self.unicode(),
            b'"' | b'\\' | b'/' | b'\'' => char::from(byte),
            _ => return self.fail("no such escape"),
        };
        Ok(letter)
    }

    /// Four hex digits, and four more behind `\u` for the second half of a pair; a lone half becomes U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.four()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        if self.text.get(self.at..self.at + 2) != Some(b"\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        self.at += 2;
        let second = self.four()?;
        let joined = 0x1_0000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF);
        Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                self.at += 4;
                Ok(value)
            }
            None => self.fail("expected four hex digits"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_numbers_and_objects_are_unquoted_both_ways() {
        for text in [r#"{"brokerAddrs":{0:"a:1",17:"b:1"},"x":[]}"#, r#"{"offsetTable":{{"queueId":0,"topic":"T"}:5}}"#]
        {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().compact(), text);
        }
    }

    #[test]
    fn damage_is_an_error_with_its_place() {
        let cases = [("", 0), ("{\"a\"", 4), ("[1 2]", 3), ("{\"a\":tru}", 5), ("\"\\u12\"", 3), ("{}x", 2)];
        for (text, at) in cases {
            assert_eq!(Json::parse(text.as_bytes()).unwrap_err().at, at, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Json::parse(deep.as_bytes()).unwrap_err().problem, "nested too deeply");
    }
}
