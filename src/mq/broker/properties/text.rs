//! The text of a `.properties` file, read as Java reads it.
//!
//! Source: `java.util.Properties.load(InputStream)`: Latin-1 bytes, comments with `#` and `!`, a backslash at a line's end
//! joins the next line, a key ends at `=`, `:` or blank space, and the blanks behind a value belong to it.

use crate::mq::message::Name;

/// A key with its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The line on which the key begins, from 1.
    pub line: usize,
    /// The key; may be empty.
    pub key: Name,
    /// The value; may be empty.
    pub value: Name,
}

/// A `\u` without four hexadecimal digits: Java refuses the whole file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: Malformed \\uxxxx encoding.")]
pub struct Malformed {
    /// From 1.
    pub line: usize,
}

/// Reads a file's bytes; of a key that stands twice both pairs come, and the last one counts.
///
/// Differs: bytes that are UTF-8 are read as such, where Java makes Latin-1 of them; it matters for names only, for all values
/// that mean something are ASCII.
pub fn read(bytes: &[u8]) -> Result<Vec<Pair>, Malformed> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut pairs = Vec::new();
    let mut lines = natural_lines(&text).enumerate();
    while let Some((number, first)) = lines.next() {
        let line = number + 1;
        let start = first.trim_start_matches(BLANK);
        if start.is_empty() || start.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = start.to_owned();
        while goes_on(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(BLANK));
        }
        let (key, value) = split(&logical);
        let plain = |escaped| unescape(escaped).ok_or(Malformed { line });
        pairs.push(Pair { line, key: plain(key)?.into(), value: plain(value)?.into() });
    }
    Ok(pairs)
}

/// `\n`, `\r` and `\r\n` end a line.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Whether a line ends with an odd number of backslashes.
fn goes_on(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Where the key ends, and where the value begins.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c: char| {
        let ends = !escaped && (matches!(c, '=' | ':') || BLANK.contains(&c));
        escaped = c == '\\' && !escaped;
        ends
    });
    let Some(end) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(BLANK);
    let value = rest.strip_prefix(['=', ':']).map_or(rest, |value| value.trim_start_matches(BLANK));
    (&line[..end], value)
}

fn unescape(text: &str) -> Option<String> {
    // Units of UTF-16, for two escapes may be one character.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let plain = match (c, c == '\\') {
            (_, false) => c,
            (_, true) => match chars.next() {
                None => break,
                Some('t') => '\t',
                Some('r') => '\r',
                Some('n') => '\n',
                Some('f') => '\u{c}',
                Some('u') => {
                    let mut unit = 0;
                    for _ in 0..4 {
                        unit = unit * 16 + chars.next()?.to_digit(16)? as u16;
                    }
                    units.push(unit);
                    continue;
                }
                Some(other) => other,
            },
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

/// What Java takes for blank space here.
const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let read = read(text.as_bytes()).expect("well formed");
        read.into_iter().map(|pair| (pair.key.to_string(), pair.value.to_string())).collect()
    }

    fn of(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn keys_end_at_an_equals_sign_a_colon_or_a_blank() {
        let text = "a=1\nb : 2\nc 3\n  d\t=\t4\ne\nf==5\n=6\ng\\=h=7\n";
        let expected =
            [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", ""), ("f", "=5"), ("", "6"), ("g=h", "7")];
        assert_eq!(pairs(text), of(&expected));
    }

    #[test]
    fn comments_joined_lines_and_escapes_are_java_s() {
        let text = "#a=1\n ! b=2\r\nnames=x;\\\n    y\\\\\\\n z\rpath=c\\:\\temp\\u4e2d\\ud83d\\ude00\nlast=a\\";
        let expected = [("names", "x;y\\z"), ("path", "c:\temp\u{4e2d}\u{1f600}"), ("last", "a")];
        assert_eq!(pairs(text), of(&expected));
    }

    #[test]
    fn blanks_behind_a_value_belong_to_it() {
        assert_eq!(pairs("a=true \nb= x\t\n"), of(&[("a", "true "), ("b", "x\t")]));
    }

    #[test]
    fn a_broken_unicode_escape_refuses_the_file_and_names_its_line() {
        assert_eq!(read(b"a=1\n\nb=\\u12g4\n"), Err(Malformed { line: 3 }));
        assert_eq!(read(b"b=\\u12"), Err(Malformed { line: 1 }));
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        assert_eq!(read(b"a=\xe9").expect("well formed")[0].value, "é");
    }
}
