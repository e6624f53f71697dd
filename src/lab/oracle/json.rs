//! The JSON of the config files, as fastjson writes it: a number or an object may be the name of a member, without quotes.

use std::fmt;

/// A value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Members in order, each name as a text.
    Map(Vec<(String, Json)>),
}

/// Where a text is no JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonFlaw {
    /// The byte.
    pub at: usize,
    /// What should be there.
    pub wanted: &'static str,
}

impl fmt::Display for JsonFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: expected {}", self.at, self.wanted)
    }
}

impl Json {
    /// Reads a text to its end.
    pub fn parse(bytes: &[u8]) -> Result<Json, JsonFlaw> {
        let mut parser = Parser { bytes, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        if parser.at < bytes.len() { parser.fail("the end") } else { Ok(value) }
    }

    /// A member; `None` if there is none, or this is no map.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members().iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// Members; none of anything else.
    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Json::Map(members) => members,
            _ => &[],
        }
    }

    /// A whole number.
    pub fn int(&self) -> Option<i64> {
        match self {
            Json::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn fail<T>(&self, wanted: &'static str) -> Result<T, JsonFlaw> {
        Err(JsonFlaw { at: self.at, wanted })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Json, JsonFlaw> {
        if DEPTH_MAX < depth {
            return self.fail("less nesting");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"' | b'\'') => self.text().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => Ok(self.number()),
            _ => self.word(),
        }
    }

    /// A value as it is written: fastjson names the members of some tables by objects.
    fn raw(&mut self, depth: usize) -> Result<String, JsonFlaw> {
        let from = self.at;
        self.value(depth + 1)?;
        Ok(String::from_utf8_lossy(&self.bytes[from..self.at]).into_owned())
    }

    fn map(&mut self, depth: usize) -> Result<Json, JsonFlaw> {
        self.at += 1;
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Map(members));
        }
        loop {
            self.space();
            let name = match self.peek() {
                Some(b'"' | b'\'') => self.text()?,
                Some(byte) if is_bare(byte) => self.bare(),
                Some(b'{') => self.raw(depth)?,
                _ => return self.fail("the name of a member"),
            };
            if !self.take(b':') {
                return self.fail("`:`");
            }
            members.push((name, self.value(depth + 1)?));
            if self.take(b'}') {
                return Ok(Json::Map(members));
            }
            if !self.take(b',') {
                return self.fail("`,` or `}`");
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, JsonFlaw> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Json::List(items));
            }
            if !self.take(b',') {
                return self.fail("`,` or `]`");
            }
        }
    }

    /// A name without quotes: a number, or a word.
    fn bare(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(is_bare) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()
    }

    fn number(&mut self) -> Json {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
        text.parse().map_or(Json::Number(text), Json::Int)
    }

    fn word(&mut self) -> Result<Json, JsonFlaw> {
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.fail("a value")
    }

    fn text(&mut self) -> Result<String, JsonFlaw> {
        let quote = self.peek();
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let Some(byte) = self.peek() else { return self.fail("a closing quote") };
            self.at += 1;
            match byte {
                _ if Some(byte) == quote => return Ok(String::from_utf8_lossy(&out).into_owned()),
                b'\\' => {
                    let letter = self.escape()?;
                    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFlaw> {
        let Some(byte) = self.peek() else { return self.fail("an escaped letter") };
        self.at += 1;
        Ok(match byte {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'v' => '\u{b}',
            b'0'..=b'7' => char::from(byte - b'0'),
            b'x' => self.unit(2)?.map_or(char::REPLACEMENT_CHARACTER, |unit| char::from(unit as u8)),
            b'u' => return self.letter(),
            other => char::from(other),
        })
    }

    /// A letter of one unit or of a pair; half a pair is no letter.
    fn letter(&mut self) -> Result<char, JsonFlaw> {
        let first = self.unit(4)?.unwrap_or(0xD800);
        let mut units = vec![first];
        if (0xD800..0xDC00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 2;
            match self.unit(4)? {
                Some(second) if (0xDC00..0xE000).contains(&second) => units.push(second),
                _ => self.at = back,
            }
        }
        Ok(char::decode_utf16(units).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&mut self, digits: usize) -> Result<Option<u16>, JsonFlaw> {
        let Some(text) = self.bytes.get(self.at..self.at + digits) else { return self.fail("hex digits") };
        let value = text.iter().try_fold(0u16, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)? as u16));
        self.at += digits;
        Ok(value)
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-')
}

/// The deepest nesting that is read.
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Json) {
        assert_eq!(Json::parse(text.as_bytes()), Ok(expected), "{text}");
    }

    #[track_caller]
    fn fails(text: &str, at: usize) {
        let flaw = Json::parse(text.as_bytes()).expect_err(text);
        assert_eq!(flaw.at, at, "{text}: {flaw}");
    }

    #[test]
    fn what_a_broker_writes_is_read() {
        let map = |members: &[(&str, Json)]| Json::Map(members.iter().map(|(n, v)| ((*n).into(), v.clone())).collect());
        check(
            "{\"offsetTable\":{1:1,2:7\n}}",
            map(&[("offsetTable", map(&[("1", Json::Int(1)), ("2", Json::Int(7))]))]),
        );
        check("{\n\t\"a@g\":{0:-5}\n}", map(&[("a@g", map(&[("0", Json::Int(-5))]))]));
        check(
            "[true,false,null,1.5,\"\"]",
            Json::List(vec![
                Json::Bool(true),
                Json::Bool(false),
                Json::Null,
                Json::Number("1.5".into()),
                Json::Text(String::new()),
            ]),
        );
        check(r#""a\"\\\/\n\u5ef6\ud83d\ude00\ud83dx\x41""#, Json::Text("a\"\\/\n延😀\u{fffd}xA".into()));
        check("{}", Json::Map(Vec::new()));
    }

    #[test]
    fn what_is_no_json_is_named_by_its_place() {
        fails("", 0);
        fails("{\"a\":1", 6);
        fails("{\"a\" 1}", 5);
        fails("{,}", 1);
        fails("[1 2]", 3);
        fails("\"abc", 4);
        fails("\"\\u12\"", 3);
        fails("{} x", 3);
        fails(&"[".repeat(100), 65);
    }
}
