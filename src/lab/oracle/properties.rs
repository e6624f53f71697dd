//! A record's properties: `name 01 value 02`, repeated; and the hashes that are made of them.

use std::collections::BTreeMap;

/// Parts of a pair are kept apart by this.
const NAME_END: u8 = 1;
/// Pairs are kept apart by this.
const PAIR_END: u8 = 2;

/// The pairs that count, in order; of two with one name the later wins.
///
/// A pair counts if splitting it the way Java splits gives a name and a value: an empty value, or a separator inside the
/// value, takes it out; separators at the value's end are cut off.
pub fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == PAIR_END).filter_map(pair)
}

/// A pair's two parts, if it counts.
fn pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let middle = pair.iter().position(|byte| *byte == NAME_END)?;
    let (name, mut value) = (&pair[..middle], &pair[middle + 1..]);
    while let [rest @ .., NAME_END] = value {
        value = rest;
    }
    (!value.is_empty() && !value.contains(&NAME_END)).then_some((name, value))
}

/// All of them.
pub fn all(text: &[u8]) -> BTreeMap<String, String> {
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    pairs(text).map(|(name, value)| (text_of(name), text_of(value))).collect()
}

/// A record's text with the places of its pairs: a log has many records, and each is asked for two or three names.
///
/// Of pairs with one name the later counts, as in [`all`].
#[derive(Clone, Debug, Default)]
pub struct Properties {
    text: Box<str>,
    /// Where each name begins and ends, and where its value ends, which begins one behind; sorted by name.
    spans: Box<[[u32; 3]]>,
    /// Which of them is the unique key.
    unique: Option<u32>,
}

impl Properties {
    /// Copies them out of a record.
    pub fn of(text: &[u8]) -> Properties {
        let text: Box<str> = String::from_utf8_lossy(text).into();
        let mut spans: Vec<[u32; 3]> = Vec::with_capacity(8);
        let name = |span: &[u32; 3]| &text[span[0] as usize..span[1] as usize];
        let mut begin = 0;
        for item in text.as_bytes().split(|byte| *byte == PAIR_END) {
            if let Some((own, value)) = pair(item) {
                let middle = begin + own.len();
                let span = [begin, middle, middle + 1 + value.len()].map(|at| at as u32);
                match spans.binary_search_by(|other| name(other).cmp(name(&span))) {
                    Ok(known) => spans[known] = span,
                    Err(place) => spans.insert(place, span),
                }
            }
            begin += item.len() + 1;
        }
        let unique = spans.iter().position(|span| name(span) == "UNIQ_KEY").map(|place| place as u32);
        Properties { spans: spans.into(), unique, text }
    }

    /// The value under `UNIQ_KEY`: every checker asks each copy for it.
    pub fn unique(&self) -> Option<&str> {
        let [_, middle, end] = self.spans[self.unique? as usize];
        Some(&self.text[middle as usize + 1..end as usize])
    }

    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Whether there is one.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let part = |from: u32, to: u32| &self.text[from as usize..to as usize];
        self.spans.iter().map(move |[begin, middle, end]| (part(*begin, *middle), part(*middle + 1, *end)))
    }
}

impl Eq for Properties {}

impl PartialEq for Properties {
    /// What counts is equal; where it stands in the text is not asked.
    fn eq(&self, other: &Properties) -> bool {
        self.text == other.text && self.spans == other.spans || self.iter().eq(other.iter())
    }
}

/// What the files beside the log are made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Marks<'a> {
    /// `TAGS`: its hash goes into the queue.
    pub tags: Option<&'a [u8]>,
    /// `KEYS`: each, between blanks, goes into the index.
    pub keys: Option<&'a [u8]>,
    /// `UNIQ_KEY`: goes into the index.
    pub unique: Option<&'a [u8]>,
    /// `DELAY`: the level of a delayed message.
    pub delay: Option<&'a [u8]>,
}

impl<'a> Marks<'a> {
    /// Reads them out of a record's properties.
    pub fn of(text: &'a [u8]) -> Marks<'a> {
        let mut marks = Marks::default();
        for (name, value) in pairs(text) {
            match name {
                b"TAGS" => marks.tags = Some(value),
                b"KEYS" => marks.keys = Some(value),
                b"UNIQ_KEY" => marks.unique = Some(value),
                b"DELAY" => marks.delay = Some(value),
                _ => {}
            }
        }
        marks
    }

    /// The keys that are indexed, in order: the unique one, then each of the others.
    pub fn indexed(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let keys = self.keys.into_iter().flat_map(|keys| keys.split(|byte| *byte == b' '));
        self.unique.into_iter().chain(keys.filter(|key| !key.is_empty()))
    }
}

/// Java's `String.hashCode`, carried on from the hash of what stands in front.
pub fn hash_on(hash: i32, text: &[u8]) -> i32 {
    let step = |hash: i32, unit: u16| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    if !text.is_ascii() {
        return String::from_utf8_lossy(text).encode_utf16().fold(hash, step);
    }
    // Four letters at once: the products of one step do not wait for each other.
    let (fours, rest) = text.as_chunks::<4>();
    let of_four = |hash: i32, [a, b, c, d]: &[u8; 4]| {
        let [a, b, c, d] = [*a, *b, *c, *d].map(i32::from);
        let four = a.wrapping_mul(29_791).wrapping_add(b * 961 + c * 31 + d);
        hash.wrapping_mul(923_521).wrapping_add(four)
    };
    rest.iter().fold(fours.iter().fold(hash, of_four), |hash, byte| step(hash, u16::from(*byte)))
}

/// The hash of a tag as units keep it, widened; 0 for none.
pub fn tag_hash(tag: &[u8]) -> i64 {
    i64::from(hash_on(0, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split_as_java_splits() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let text = text.replace('=', "\u{1}").replace(';', "\u{2}");
            let found: Vec<(String, String)> = pairs(text.as_bytes())
                .map(|(a, b)| (String::from_utf8_lossy(a).into(), String::from_utf8_lossy(b).into()))
                .collect();
            let expected: Vec<(String, String)> = expected.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check("", &[]);
        check("a=b;", &[("a", "b")]);
        check("a=b;c=d;", &[("a", "b"), ("c", "d")]);
        check("a=b", &[("a", "b")]);
        check("a=;b=c;", &[("b", "c")]);
        check("=v;", &[("", "v")]);
        check("a=b==;", &[("a", "b")]);
        check("a=b=c;", &[]);
        check("a==b;", &[]);
        check("word;;a=b;", &[("a", "b")]);
    }

    #[test]
    fn pairs_in_one_text_are_those_of_the_map() {
        for text in ["", "b=1;a=2;b=3;", "a=;b=c;=v;延=迟;", "word;;a=b==;a=;"] {
            let text = text.replace('=', "\u{1}").replace(';', "\u{2}");
            let (kept, map) = (Properties::of(text.as_bytes()), all(text.as_bytes()));
            let told: Vec<(&str, &str)> = map.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(kept.iter().collect::<Vec<_>>(), told, "{text:?}");
            assert!(told.iter().all(|(name, value)| kept.get(name) == Some(value)));
            assert!(!kept.contains_key("none"));
            assert_eq!(kept.unique(), None);
        }
        assert_eq!(Properties::of(b"a\x01b\x02"), Properties::of(b"a\x01c\x02a\x01b\x02"), "what counts is the same");
        assert_eq!(Properties::of(b"KEYS\x01k\x02UNIQ_KEY\x01U\x02TAGS\x01t\x02").unique(), Some("U"));
    }

    #[test]
    fn hashes_are_java_s() {
        assert_eq!((tag_hash(b"TagA"), tag_hash(b"TagB")), (2_598_919, 2_598_920));
        assert_eq!((tag_hash(b"Aa"), tag_hash(b"BB"), tag_hash(b"")), (2112, 2112, 0));
        assert_eq!(tag_hash("延".as_bytes()), 0x5EF6);
        assert_eq!(tag_hash("😀".as_bytes()), 0xD83D * 31 + 0xDE00);
        assert_eq!(hash_on(hash_on(0, b"ab"), b"cd"), hash_on(0, b"abcd"));
    }

    #[test]
    fn the_unique_key_comes_first_and_blanks_are_no_keys() {
        let marks = Marks::of(b"KEYS\x01 one  two \x02UNIQ_KEY\x01U\x02");
        assert_eq!(marks.indexed().collect::<Vec<_>>(), [&b"U"[..], b"one", b"two"]);
    }
}
