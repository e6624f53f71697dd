//! Properties: names, and the `\x01 \x02` text in which they travel and are stored.
//!
//! Shape: name, `\x01`, value, `\x02`, repeated, the last `\x02` included.

use std::sync::LazyLock;

use crate::mq::message::Name;
use crate::mq::message::java::{JavaMap, Key};

/// Property names. Source: `MessageConst`.
pub mod names {
    /// Blank-separated keys, indexed.
    pub const KEYS: &str = "KEYS";
    /// One tag.
    pub const TAGS: &str = "TAGS";
    /// Whether the producer waits for the store; absent is true.
    pub const WAIT: &str = "WAIT";
    /// The delay level.
    pub const DELAY: &str = "DELAY";
    /// The original topic of a retried message.
    pub const RETRY_TOPIC: &str = "RETRY_TOPIC";
    /// The true topic, while parked.
    pub const REAL_TOPIC: &str = "REAL_TOPIC";
    /// The true queue, while parked.
    pub const REAL_QID: &str = "REAL_QID";
    /// Marks a half message.
    pub const TRAN_MSG: &str = "TRAN_MSG";
    /// The producer group of a half message.
    pub const PGROUP: &str = "PGROUP";
    /// How often a half message was looked at.
    pub const TRANSACTION_CHECK_TIMES: &str = "TRANSACTION_CHECK_TIMES";
    /// How many seconds a half message is left in peace.
    pub const CHECK_IMMUNITY_TIME_IN_SECONDS: &str = "CHECK_IMMUNITY_TIME_IN_SECONDS";
    /// The first place of a half message that was put back in peace.
    pub const TRAN_PREPARED_QUEUE_OFFSET: &str = "TRAN_PREPARED_QUEUE_OFFSET";
    /// The queue's first offset when pulled.
    pub const MIN_OFFSET: &str = "MIN_OFFSET";
    /// One past the queue's last offset when pulled.
    pub const MAX_OFFSET: &str = "MAX_OFFSET";
    /// When the listener began, ms.
    pub const CONSUME_START_TIME: &str = "CONSUME_START_TIME";
    /// The message id that the producer's client made.
    pub const UNIQ_KEY: &str = "UNIQ_KEY";
    /// The broker's id of the first stored copy.
    pub const ORIGIN_MESSAGE_ID: &str = "ORIGIN_MESSAGE_ID";
    /// How often it was tried again.
    pub const RECONSUME_TIME: &str = "RECONSUME_TIME";
    /// When to give up.
    pub const MAX_RECONSUME_TIMES: &str = "MAX_RECONSUME_TIMES";
    /// The broker's region, in a response's ext fields.
    pub const MSG_REGION: &str = "MSG_REGION";
    /// Whether tracing is on, in a response's ext fields.
    pub const TRACE_ON: &str = "TRACE_ON";
}

/// Between a name and its value. Source: `MessageDecoder.NAME_VALUE_SEPARATOR`.
pub const NAME_VALUE_SEPARATOR: char = '\u{1}';
/// After each pair. Source: `MessageDecoder.PROPERTY_SEPARATOR`.
pub const PROPERTY_SEPARATOR: char = '\u{2}';

/// A message's properties, in the iteration order of the Java `HashMap` that upstream keeps them in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Properties {
    map: JavaMap<Name>,
}

impl Properties {
    /// No properties.
    pub fn new() -> Properties {
        Properties::default()
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&Name> {
        self.map.get(name)
    }

    /// Sets `name` to `value` and returns what stood there.
    pub fn put(&mut self, name: impl Into<Key>, value: impl Into<Name>) -> Option<Name> {
        self.map.put(name.into(), value.into())
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Name> {
        self.map.remove(name)
    }

    /// All pairs, in Java's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Name)> + Clone {
        self.map.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The text, in Java's order. Source: `MessageDecoder.messageProperties2String`.
    pub fn encode(&self) -> String {
        let length = self.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        let mut text = String::with_capacity(length);
        self.encode_into(&mut text);
        text
    }

    /// Adds the text to `text`.
    pub fn encode_into(&self, text: &mut String) {
        for (name, value) in self.iter() {
            text.push_str(name);
            text.push(NAME_VALUE_SEPARATOR);
            text.push_str(value);
            text.push(PROPERTY_SEPARATOR);
        }
    }

    /// Reads the text: a pair is kept only if Java's `split` gives exactly two parts; later duplicates win.
    ///
    /// Source: `MessageDecoder.string2messageProperties`.
    pub fn decode(text: &str) -> Properties {
        let mut properties = Properties::new();
        for (name, value) in pairs(text) {
            properties.put(key(name), shared(value));
        }
        properties
    }
}

/// One property of an encoded text, without building the map; the last of duplicates.
pub fn find<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    pairs(text).filter(|(found, _)| *found == name).last().map(|(_, value)| value)
}

/// The pairs of a text: items that Java's `split`, which drops trailing empty parts, splits into exactly two.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    Pairs { rest: text }
}

struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (text, bytes) = (self.rest, self.rest.as_bytes());
            let name = next_mark(bytes, 0);
            match bytes.get(name) {
                None => return None,
                Some(&PAIR_END) => self.rest = &text[name + 1..],
                Some(_) => {
                    let from = name + 1;
                    let first = next_mark(bytes, from);
                    let mut end = first;
                    while bytes.get(end) == Some(&NAME_END) {
                        end = next_mark(bytes, end + 1);
                    }
                    self.rest = text.get(end + 1..).unwrap_or_default();
                    // Behind the value there may be more of its separators, and nothing else.
                    let is_pair = bytes[first..end].iter().all(|byte| *byte == NAME_END);
                    if from < first && is_pair {
                        return Some((&text[..name], &text[from..first]));
                    }
                }
            }
        }
    }
}

/// Where the next separator of either kind stands at or behind `from`; the text's length if there is none.
///
/// Eight bytes at a look: a broker reads each message's properties several times.
#[inline]
fn next_mark(text: &[u8], from: usize) -> usize {
    const BELOW_THREE: u64 = 0x0303_0303_0303_0303;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        // The lowest high bit stands in the first byte below 3; what is above it may be wrong.
        let found = word.wrapping_sub(BELOW_THREE) & !word & HIGH;
        if found == 0 {
            at += 8;
            continue;
        }
        at += found.trailing_zeros() as usize / 8;
        if text[at] != 0 {
            return at;
        }
        at += 1;
    }
    let is_mark = |byte: &u8| matches!(*byte, NAME_END | PAIR_END);
    text.get(at..).and_then(|rest| rest.iter().position(is_mark)).map_or(text.len(), |more| at + more)
}

const NAME_END: u8 = NAME_VALUE_SEPARATOR as u8;
const PAIR_END: u8 = PROPERTY_SEPARATOR as u8;

/// A property's name, shared and hashed already if every message has it: decoding is on every pull's way.
fn key(name: &str) -> Key {
    static KEYS: LazyLock<[Key; 4]> =
        LazyLock::new(|| [names::WAIT, names::UNIQ_KEY, names::KEYS, names::TAGS].map(Key::from));
    match KEYS.iter().find(|key| ***key == *name) {
        Some(key) => key.clone(),
        None => Key::from(name),
    }
}

/// A property's value, shared if it is the one that nearly every message has.
fn shared(value: &str) -> Name {
    static TRUE: LazyLock<Name> = LazyLock::new(|| Name::from("true"));
    match value == TRUE.as_str() {
        true => TRUE.clone(),
        false => Name::from(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::message::java::split;

    #[test]
    fn a_pair_is_what_java_splits_into_two() {
        for item in [
            "",
            "a",
            "\u{1}",
            "a\u{1}",
            "\u{1}b",
            "a\u{1}b",
            "a\u{1}b\u{1}",
            "a\u{1}b\u{1}\u{1}",
            "a\u{1}\u{1}b",
            "a\u{1}b\u{1}c",
        ] {
            let expected = match split(item, NAME_VALUE_SEPARATOR)[..] {
                [name, value] => Some((name, value)),
                _ => None,
            };
            assert_eq!(pairs(item).next(), expected, "{item:?}");
        }
    }

    #[test]
    fn marks_are_found_wherever_they_stand_between_whatever_bytes() {
        for len in 0..40 {
            for fill in [0, 3, b'x', 0x80, 0xff] {
                let mut text = vec![fill; len];
                assert_eq!(next_mark(&text, 0), len);
                for at in 0..len {
                    text[at] = if at % 2 == 0 { NAME_END } else { PAIR_END };
                    for from in 0..=len + 1 {
                        assert_eq!(
                            next_mark(&text, from),
                            if from <= at { at } else { len },
                            "{at} from {from} of {len}"
                        );
                    }
                    text[at] = fill;
                }
            }
        }
    }

    #[test]
    fn the_last_of_duplicates_that_reads_as_a_pair_is_found() {
        let text = "A\u{1}one\u{2}B\u{1}b\u{2}A\u{1}two\u{2}A\u{1}\u{2}AA\u{1}three\u{2}A";
        assert_eq!(find(text, "A"), Some("two"));
        assert_eq!(find(text, "B"), Some("b"));
        assert_eq!(find(text, "three"), None);
    }
}
