//! Words of a condition, one by one.
//!
//! A word that is not asked for is not looked at: what follows a whole condition may be anything.
//! Source: `SelectorParserTokenManager`, `SimpleCharStream`, `TokenMgrError`.

use crate::mq::filter::error::{Cause, LEXICAL, SqlError, Trouble};

/// The kinds of words, numbered as `SelectorParserConstants`, whose order is that of words wanted in an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    End = 0,
    Not = 8,
    And,
    Or,
    Between,
    In,
    True,
    False,
    Null,
    Is,
    Decimal,
    Floating,
    Text = 20,
    Property,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Open,
    Comma,
    Close,
    Plus,
    Minus,
}

/// All kinds with how the release's errors call them (`TOKEN_IMAGE`), and ours.
pub(super) const KINDS: [(Kind, &str, &str); 24] = [
    (Kind::End, "<EOF>", "the end"),
    (Kind::Not, "\"NOT\"", "NOT"),
    (Kind::And, "\"AND\"", "AND"),
    (Kind::Or, "\"OR\"", "OR"),
    (Kind::Between, "\"BETWEEN\"", "BETWEEN"),
    (Kind::In, "\"IN\"", "IN"),
    (Kind::True, "\"TRUE\"", "TRUE"),
    (Kind::False, "\"FALSE\"", "FALSE"),
    (Kind::Null, "\"NULL\"", "NULL"),
    (Kind::Is, "\"IS\"", "IS"),
    (Kind::Decimal, "<DECIMAL_LITERAL>", "a number"),
    (Kind::Floating, "<FLOATING_POINT_LITERAL>", "a number with a point"),
    (Kind::Text, "<STRING_LITERAL>", "a text"),
    (Kind::Property, "<ID>", "a property"),
    (Kind::Equal, "\"=\"", "`=`"),
    (Kind::NotEqual, "\"<>\"", "`<>`"),
    (Kind::Greater, "\">\"", "`>`"),
    (Kind::GreaterEqual, "\">=\"", "`>=`"),
    (Kind::Less, "\"<\"", "`<`"),
    (Kind::LessEqual, "\"<=\"", "`<=`"),
    (Kind::Open, "\"(\"", "`(`"),
    (Kind::Comma, "\",\"", "`,`"),
    (Kind::Close, "\")\"", "`)`"),
    (Kind::Minus, "\"-\"", "`-`"),
];

/// A word and its bytes in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub kind: Kind,
    pub begin: usize,
    pub end: usize,
}

/// The next word at or behind byte `at`.
pub(super) fn next(text: &str, at: usize) -> Result<Word, SqlError> {
    let begin = skipped(text, at)?;
    let rest = &text[begin..];
    let word = |kind, length| Ok(Word { kind, begin, end: begin + length });
    let Some(first) = rest.chars().next() else { return word(Kind::End, 0) };
    match first {
        'a'..='z' | 'A'..='Z' | '_' | '$' => {
            let is_in = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$';
            let length = rest.find(|letter| !is_in(letter)).unwrap_or(rest.len());
            word(reserved(&rest[..length]), length)
        }
        '0'..='9' | '.' => match number(rest) {
            Some((kind, length)) => word(kind, length),
            None => Err(refused(text, begin, 2, Trouble::Point)),
        },
        '\'' => match quoted(rest) {
            Some(length) => word(Kind::Text, length),
            None => Err(refused(text, begin, usize::MAX, Trouble::OpenText)),
        },
        _ => match SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            Some((sign, kind)) => word(*kind, sign.len()),
            None => Err(refused(text, begin, 1 + usize::from(first == '/'), Trouble::Letter { letter: first })),
        },
    }
}

/// Where the next word begins: behind blanks and comments. Two minus signs are a comment only if their line ends.
fn skipped(text: &str, mut at: usize) -> Result<usize, SqlError> {
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
        let rest = &rest[blank..];
        at += blank;
        if let Some(comment) = rest.strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return Err(refused(text, at, usize::MAX, Trouble::OpenComment));
            };
            at += end + 4;
        } else if let Some(end) = rest.find(['\n', '\r']).filter(|_| rest.starts_with("--")) {
            at += end + 1;
        } else {
            return Ok(at);
        }
    }
}

fn reserved(word: &str) -> Kind {
    let found = RESERVED.iter().find(|(reserved, _)| reserved.eq_ignore_ascii_case(word));
    found.map_or(Kind::Property, |(_, kind)| *kind)
}

/// The longest number: an integer has no leading zero, so that `007` is a zero before something else.
fn number(rest: &str) -> Option<(Kind, usize)> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let exponent = |from: usize| {
        let has_letter = matches!(bytes.get(from), Some(b'e' | b'E'));
        let sign = usize::from(matches!(bytes.get(from + 1), Some(b'+' | b'-')));
        let digits = if has_letter { digits((from + 1 + sign).min(bytes.len())) } else { 0 };
        if digits == 0 { 0 } else { 1 + sign + digits }
    };
    let whole = digits(0);
    if bytes.get(whole) == Some(&b'.') {
        let fraction = digits(whole + 1);
        if whole + fraction == 0 {
            return None;
        }
        let length = whole + 1 + fraction;
        return Some((Kind::Floating, length + exponent(length)));
    }
    match exponent(whole) {
        0 if bytes[0] == b'0' => Some((Kind::Decimal, 1)),
        0 => Some((Kind::Decimal, whole + usize::from(matches!(bytes.get(whole), Some(b'l' | b'L'))))),
        length => Some((Kind::Floating, whole + length)),
    }
}

/// A text with its quotes. Of two quotes together the first ends it only if no later quote does.
fn quoted(rest: &str) -> Option<usize> {
    let (mut from, mut end) = (1, None);
    while let Some(length) = rest[from..].find('\'') {
        let close = from + length + 1;
        end = Some(close);
        if !rest[close..].starts_with('\'') {
            break;
        }
        from = close + 1;
    }
    end
}

/// An error of the reader, who had read `read` letters of 16 bits from byte `begin`.
fn refused(text: &str, begin: usize, read: usize, trouble: Trouble) -> SqlError {
    let units: Vec<u16> = text.encode_utf16().collect();
    let first = text[..begin].encode_utf16().count();
    let last = first.saturating_add(read).min(units.len()) - 1;
    let (is_end, read) = (last + 1 == units.len(), last + 1 - first);
    let (mut line, mut column) = place(&units[..=last]);
    let is_line_end = matches!(units[last], LF | CR);
    if is_end {
        (line, column) = if is_line_end { (line + 1, 0) } else { (line, column + 1) };
    }
    let after = match read {
        ..=1 => String::new(),
        _ => escaped(&units[first..last + usize::from(is_end)]),
    };
    let met = match is_end {
        true => "<EOF> ".to_owned(),
        false => format!("\"{}\" ({}), ", escaped(&units[last..=last]), units[last]),
    };
    let message = format!("Lexical error at line {line}, column {column}.  Encountered: {met}after : \"{after}\"");
    let cause = Cause { class: LEXICAL, message: Some(message) };
    SqlError { column: column_of(text, begin), trouble, cause }
}

/// Our column of a byte.
pub(super) fn column_of(text: &str, byte: usize) -> usize {
    text[..byte].chars().count() + 1
}

/// Where the release says that a word begins; the end of the text is its last letter.
pub(super) fn place_of(text: &str, word: Word) -> (u32, u32) {
    // A word begins with a letter of one byte.
    let end = if word.kind == Kind::End { text.len() } else { word.begin + 1 };
    place(&text[..end].encode_utf16().collect::<Vec<u16>>())
}

/// Line and column of the last of these letters. Source: `SimpleCharStream.UpdateLineColumn`.
fn place(units: &[u16]) -> (u32, u32) {
    if units.is_empty() {
        return (0, 0);
    }
    let (mut line, mut column) = (1, 0);
    let (mut after_lf, mut after_cr) = (false, false);
    for unit in units {
        column += 1;
        if after_lf || (after_cr && *unit != LF) {
            (line, column) = (line + 1, 1);
        }
        (after_lf, after_cr) = (*unit == LF, *unit == CR);
        if *unit == TAB {
            column = (column - 1) / TAB_SIZE * TAB_SIZE + TAB_SIZE;
        }
    }
    (line, column)
}

/// Source: `TokenMgrError.addEscapes`, `ParseException.add_escapes`.
pub(super) fn escaped(units: &[u16]) -> String {
    let mut text = String::new();
    for unit in units {
        match *unit {
            0 => {}
            8 => text.push_str("\\b"),
            TAB => text.push_str("\\t"),
            LF => text.push_str("\\n"),
            12 => text.push_str("\\f"),
            CR => text.push_str("\\r"),
            34 => text.push_str("\\\""),
            39 => text.push_str("\\'"),
            92 => text.push_str("\\\\"),
            plain @ 0x20..=0x7e => text.extend(char::from_u32(plain.into())),
            other => text.push_str(&format!("\\u{other:04x}")),
        }
    }
    text
}

const RESERVED: [(&str, Kind); 9] = [
    ("NOT", Kind::Not),
    ("AND", Kind::And),
    ("OR", Kind::Or),
    ("BETWEEN", Kind::Between),
    ("IN", Kind::In),
    ("TRUE", Kind::True),
    ("FALSE", Kind::False),
    ("NULL", Kind::Null),
    ("IS", Kind::Is),
];
/// Longer ones first.
const SIGNS: [(&str, Kind); 11] = [
    ("<>", Kind::NotEqual),
    (">=", Kind::GreaterEqual),
    ("<=", Kind::LessEqual),
    ("=", Kind::Equal),
    (">", Kind::Greater),
    ("<", Kind::Less),
    ("(", Kind::Open),
    (",", Kind::Comma),
    (")", Kind::Close),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
];
const TAB: u16 = 9;
const LF: u16 = 10;
const CR: u16 = 13;
/// `SimpleCharStream.tabSize`.
const TAB_SIZE: u32 = 8;
