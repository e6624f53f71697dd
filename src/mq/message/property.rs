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
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Name)> {
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
    let of_item = |item: &'a str| value_of(item.strip_prefix(name)?.strip_prefix(NAME_VALUE_SEPARATOR)?);
    text.rsplit(PROPERTY_SEPARATOR).find_map(of_item)
}

/// The pairs of a text: items that Java's `split`, which drops trailing empty parts, splits into exactly two.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(PROPERTY_SEPARATOR).filter_map(|item| {
        let (name, rest) = item.split_once(NAME_VALUE_SEPARATOR)?;
        Some((name, value_of(rest)?))
    })
}

/// The value in what stands behind a name and its separator.
fn value_of(rest: &str) -> Option<&str> {
    let value = rest.trim_end_matches(NAME_VALUE_SEPARATOR);
    (!value.is_empty() && !value.contains(NAME_VALUE_SEPARATOR)).then_some(value)
}

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
}
