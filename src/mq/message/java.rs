//! What Java does with strings and maps, where RocketMQ's bytes depend on it.

use std::borrow::{Borrow, Cow};
use std::ops::Deref;

use crate::mq::message::{MessageQueue, Name};

/// `String.hashCode`: over UTF-16 units, wrapping at 32 bits.
pub fn hash(text: &str) -> i32 {
    hash_on(0, text)
}

/// The hash of a text that begins with one whose hash is `before` and goes on with `text`.
pub fn hash_on(before: i32, text: &str) -> i32 {
    match text.is_ascii() {
        true => hash_ascii(before, text.as_bytes()),
        false => text.encode_utf16().fold(before, add),
    }
}

#[inline]
fn add(hash: i32, unit: u16) -> i32 {
    hash.wrapping_mul(31).wrapping_add(i32::from(unit))
}

/// Eight units at a time: each is multiplied by its own power of 31, so that none waits for the one before it.
fn hash_ascii(before: i32, text: &[u8]) -> i32 {
    let (eights, rest) = text.as_chunks::<8>();
    let mut hash = before;
    for eight in eights {
        let mut sum = hash.wrapping_mul(POWERS[0].wrapping_mul(31));
        for (byte, power) in eight.iter().zip(POWERS) {
            sum = sum.wrapping_add(i32::from(*byte).wrapping_mul(power));
        }
        hash = sum;
    }
    rest.iter().fold(hash, |hash, byte| add(hash, u16::from(*byte)))
}

/// 31 to the power of 7, 6 … 0, at 32 bits.
const POWERS: [i32; 8] = {
    let mut powers = [1_i32; 8];
    let mut at = 7;
    while 0 < at {
        powers[at - 1] = powers[at].wrapping_mul(31);
        at -= 1;
    }
    powers
};

/// Bytes as text, as `new String(bytes, UTF_8)` reads them: what is no UTF-8 becomes the replacement character.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// `String.split(separator)`: trailing empty parts are dropped; a text without the separator is one part.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(separator).collect();
    if parts.len() > 1 {
        while parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
    }
    parts
}

/// Whether there is nothing but what Java takes for white space: no space that forbids a line break.
///
/// Source: `UtilAll.isBlank`, `Character.isWhitespace`.
pub fn is_blank(text: &str) -> bool {
    let is_space = |c: char| match c {
        '\u{A0}' | '\u{2007}' | '\u{202F}' | '\u{85}' => false,
        '\u{1C}'..='\u{1F}' => true,
        c => c.is_whitespace(),
    };
    text.chars().all(is_space)
}

/// `Long.parseLong`: an optional sign, then decimal digits of any script; `None` where Java throws.
pub fn parse_long(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    // Counted downwards: the smallest number has no positive twin.
    let number = digits.chars().try_fold(0i64, |number, letter| number.checked_mul(10)?.checked_sub(digit(letter)?))?;
    if negative { Some(number) } else { number.checked_neg() }
}

/// `Integer.parseInt`.
pub fn parse_int(text: &str) -> Option<i32> {
    parse_long(text).and_then(|number| i32::try_from(number).ok())
}

/// `Character.digit(letter, 10)` of a 16-bit letter.
fn digit(letter: char) -> Option<i64> {
    let letter = u32::from(letter);
    let zero = ZEROS.iter().rev().find(|zero| u32::from(**zero) <= letter)?;
    let value = letter - u32::from(*zero);
    (value < 10).then_some(i64::from(value))
}

/// The zeros of all scripts with decimal digits in the basic plane; the other nine digits follow each.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

/// A map's key with its hash, which a Java string keeps too: a name that many messages get is hashed once.
#[derive(Clone, Debug)]
pub struct Key {
    name: Name,
    /// As `HashMap.hash`: the high half folded into the low one.
    hash: u32,
}

impl<N: Into<Name>> From<N> for Key {
    fn from(name: N) -> Key {
        let name = name.into();
        let hash = hash(&name).cast_unsigned();
        Key { name, hash: hash ^ (hash >> 16) }
    }
}

impl Deref for Key {
    type Target = str;
    fn deref(&self) -> &str {
        &self.name
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.name
    }
}

/// A map in the iteration order of `java.util.HashMap<String, V>`.
///
/// That order is ascending bucket, insertion order inside a bucket; the table starts at 16 buckets and doubles when the
/// 13th, 25th … entry comes, or, below 64, when a bucket gets its ninth. It never shrinks.
/// Differs: a bucket of nine and more entries in a table of 64 and more becomes a tree in Java, which may move its root
/// to the bucket's front; here it stays a list. A concurrent map that grows may turn the order inside a bucket.
/// Source: `java.util.HashMap` of the JDK, which `Message.properties`, ext fields and most JSON bodies are.
#[derive(Debug)]
pub struct JavaMap<V> {
    /// Sorted by bucket, then by insertion.
    entries: Vec<Entry<V>>,
    buckets: u32,
    /// A `ConcurrentHashMap` grows when it is three quarters full, a `HashMap` when it is fuller.
    grows_early: bool,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    key: Key,
    value: V,
}

impl<V> Default for JavaMap<V> {
    fn default() -> JavaMap<V> {
        JavaMap { entries: Vec::new(), buckets: 16, grows_early: false }
    }
}

/// Equal if the same keys map to equal values; the order is not looked at, as in Java.
impl<V: PartialEq> PartialEq for JavaMap<V> {
    fn eq(&self, other: &JavaMap<V>) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<V: Eq> Eq for JavaMap<V> {}

impl<V> JavaMap<V> {
    /// A map in the order of `new ConcurrentHashMap(capacity)`. Source: `ConcurrentHashMap.addCount` of the JDK.
    pub fn concurrent(capacity: u32) -> JavaMap<V> {
        JavaMap { entries: Vec::new(), buckets: concurrent_buckets(capacity), grows_early: true }
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entries.iter().find(|entry| *entry.key == *key).map(|entry| &entry.value)
    }

    /// Sets `key` to `value` and returns what stood there; a replaced value keeps its place.
    pub fn put(&mut self, key: Key, value: V) -> Option<V> {
        let same = |entry: &&mut Entry<V>| entry.key.hash == key.hash && entry.key.name == key.name;
        if let Some(entry) = self.entries.iter_mut().find(same) {
            return Some(std::mem::replace(&mut entry.value, value));
        }
        let bucket = key.hash & (self.buckets - 1);
        let end = self.entries.partition_point(|entry| entry.key.hash & (self.buckets - 1) <= bucket);
        self.entries.insert(end, Entry { key, value });
        if self.entries.len() > TREEIFY_THRESHOLD && self.buckets < MIN_TREEIFY_CAPACITY {
            let start = self.entries.partition_point(|entry| entry.key.hash & (self.buckets - 1) < bucket);
            if end + 1 - start > TREEIFY_THRESHOLD {
                self.grow();
            }
        }
        let (entries, room) = (self.entries.len() as u64 * 4, u64::from(self.buckets) * 3);
        if room < entries || (self.grows_early && room == entries) {
            self.grow();
        }
        None
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let at = self.entries.iter().position(|entry| *entry.key == *key)?;
        Some(self.entries.remove(at).value)
    }

    /// All pairs in Java's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &V)> + Clone {
        self.entries.iter().map(|entry| (&entry.key.name, &entry.value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn grow(&mut self) {
        self.buckets *= 2;
        let mask = self.buckets - 1;
        self.entries.sort_by_key(|entry| entry.key.hash & mask);
    }
}

/// A copy has room for one more pair: each end of a message's trip takes one and adds to it.
impl<V: Clone> Clone for JavaMap<V> {
    fn clone(&self) -> JavaMap<V> {
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        entries.extend_from_slice(&self.entries);
        JavaMap { entries, buckets: self.buckets, grows_early: self.grows_early }
    }
}

impl<V> FromIterator<(Name, V)> for JavaMap<V> {
    fn from_iter<I: IntoIterator<Item = (Name, V)>>(pairs: I) -> JavaMap<V> {
        let mut map = JavaMap::default();
        for (key, value) in pairs {
            map.put(key.into(), value);
        }
        map
    }
}

/// Orders items as iterating a Java `HashMap` of them would: by bucket, then by the order given.
pub fn map_order<T>(list: &mut [T], hash: impl Fn(&T) -> i32) {
    let mut buckets = 16;
    while buckets * 3 / 4 < list.len() {
        buckets *= 2;
    }
    list.sort_by_key(|item| {
        let hash = hash(item) as u32;
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
}

/// Source: `MessageQueue.hashCode`.
pub fn queue_hash(queue: &MessageQueue) -> i32 {
    let of_broker = 31i32.wrapping_add(hash(&queue.broker));
    let of_queue = of_broker.wrapping_mul(31).wrapping_add(queue.queue_id);
    of_queue.wrapping_mul(31).wrapping_add(hash(&queue.topic))
}

/// `Integer` keys in the order of a `new ConcurrentHashMap(capacity)` that holds them.
pub fn concurrent_order(mut keys: Vec<i32>, capacity: u32) -> Vec<i32> {
    let mut buckets = concurrent_buckets(capacity);
    while u64::from(buckets) * 3 <= keys.len() as u64 * 4 {
        buckets *= 2;
    }
    let spread = |key: &i32| key.cast_unsigned() ^ (key.cast_unsigned() >> 16);
    keys.sort_by_key(|key| spread(key) & (buckets - 1));
    keys
}

/// Source: `ConcurrentHashMap`'s constructor and `tableSizeFor` of the JDK: half as much again, rounded up.
fn concurrent_buckets(capacity: u32) -> u32 {
    (capacity + capacity / 2 + 1).next_power_of_two()
}

/// `HashMap.TREEIFY_THRESHOLD`.
const TREEIFY_THRESHOLD: usize = 8;
/// `HashMap.MIN_TREEIFY_CAPACITY`.
const MIN_TREEIFY_CAPACITY: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_units_at_a_time_hash_as_one_by_one() {
        let text = "orders#7F0000010D0F18B4AAC2000000000000~polygenelubricants";
        for length in 0..=text.len() {
            let one_by_one = text[..length].bytes().fold(-7, |hash, byte| add(hash, byte.into()));
            assert_eq!(hash_on(-7, &text[..length]), one_by_one, "{length}");
        }
        assert_eq!(hash(text), hash_on(hash("orders#7F"), &text[9..]));
    }

    #[test]
    fn a_thirteenth_entry_moves_high_buckets_behind_low_ones() {
        let mut map: JavaMap<i32> = JavaMap::default();
        for (value, key) in ["KEYS", "TAGS", "MIN_OFFSET"].into_iter().enumerate() {
            map.put(key.into(), value as i32);
        }
        let order: Vec<&str> = map.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(order, ["MIN_OFFSET", "KEYS", "TAGS"]);
        for number in 0..10 {
            map.put(format!("filler{number}").into(), number);
        }
        assert_eq!(map.buckets, 32);
        assert_eq!(map.put("KEYS".into(), 9), Some(0));
        assert_eq!(map.remove("KEYS"), Some(9));
        assert_eq!(map.len(), 12);
    }

    #[test]
    fn a_concurrent_map_begins_larger_and_grows_sooner() {
        assert_eq!(JavaMap::<()>::concurrent(32).buckets, 64);
        assert_eq!(JavaMap::<()>::concurrent(1_024).buckets, 2_048);
        assert_eq!(concurrent_order(vec![0, 17, 33, 64], 32), [0, 64, 17, 33]);
        let mut map: JavaMap<i32> = JavaMap::concurrent(10);
        for number in 0..12 {
            map.put(format!("{number}").into(), number);
        }
        assert_eq!(map.buckets, 32);
    }

    #[test]
    fn numbers_parse_as_in_java() {
        let cases = [("7", Some(7)), ("+7", Some(7)), ("-07", Some(-7)), ("٣", Some(3)), ("９９", Some(99))];
        let odd = [("", None), ("-", None), ("1 ", None), ("1.5", None), ("0x10", None), ("--1", None), ("²", None)];
        for (text, wanted) in cases.into_iter().chain(odd) {
            assert_eq!(parse_long(text), wanted, "{text}");
        }
        assert_eq!(parse_long("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_long("9223372036854775808"), None);
        assert_eq!(parse_int("2147483648"), None);
        assert_eq!(parse_int("-2147483648"), Some(i32::MIN));
    }

    #[test]
    fn split_drops_trailing_empty_parts_only() {
        assert_eq!(split("a,,b,,", ','), ["a", "", "b"]);
        assert_eq!(split(",a", ','), ["", "a"]);
        assert_eq!(split("", ','), [""]);
        assert!(split(",,", ',').is_empty());
    }
}
