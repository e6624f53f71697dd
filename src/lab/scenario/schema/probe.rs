//! Probes: a deserializer that has no values and notes what it is asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Shape;
use crate::lab::scenario::table::OneOrMore;

/// A name that no table has.
const NOBODY: &str = "\u{1}";
/// What stands for a moment on the calendar.
const DATE: &str = "2018-11-10T16:00:00Z";
/// How deep tables lie at most, and how many there are: more would be a reader that refuses its own names.
const PASSES_MAX: usize = 1_000;

/// Where something stands: keys, `[]` for an entry of a list, `*` for any key.
type Path = Vec<String>;

/// What has been found out.
#[derive(Default)]
pub(super) struct Notes {
    state: RefCell<State>,
    passes: usize,
}

#[derive(Default)]
struct State {
    /// The names that a table has.
    names: BTreeMap<Path, &'static [&'static str]>,
    /// What was asked for, by place.
    leaves: BTreeMap<Path, Leaf>,
    /// Places that take this or that.
    open: Vec<Path>,
    /// Of those, the one whose table is asked about in this pass.
    as_table: Option<Path>,
    /// The table whose names were asked for last.
    last: Path,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaf {
    Text,
    Integer,
    Number,
    Boolean,
    Datetime,
    List,
    OneOrMore,
    Map,
    Table,
}

/// A refusal; of an unknown name with those that are known.
#[derive(Debug)]
pub(super) struct Refused {
    known: Option<&'static [&'static str]>,
    text: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refused {}

impl Error for Refused {
    fn custom<T: fmt::Display>(text: T) -> Refused {
        Refused { known: None, text: text.to_string() }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Refused {
        Refused { known: Some(expected), text: format!("unknown field {field}") }
    }
}

impl Notes {
    /// Reads once; whether nothing was left to learn.
    pub(super) fn pass<T: for<'de> Deserialize<'de>>(&mut self) -> bool {
        self.passes += 1;
        assert!(self.passes < PASSES_MAX, "a table refuses the names that it has told");
        let read = T::deserialize(Probe { state: &self.state, path: Vec::new() });
        let state = self.state.get_mut();
        match read {
            Ok(_) => true,
            Err(Refused { known: Some(names), .. }) => {
                state.names.insert(state.last.clone(), names);
                false
            }
            Err(Refused { text, .. }) => panic!("a scenario's reader refuses a probe at {:?}: {text}", state.last),
        }
    }

    /// Asks each place that takes a text or a table about the table.
    pub(super) fn alternatives<T: for<'de> Deserialize<'de>>(&mut self) {
        for place in self.state.get_mut().open.clone() {
            self.state.get_mut().as_table = Some(place);
            while !self.pass::<T>() {}
        }
    }

    /// What the root takes.
    pub(super) fn shape(&self) -> Shape {
        self.state.borrow().shape(&Vec::new())
    }
}

impl State {
    fn shape(&self, path: &Path) -> Shape {
        let below = |key: &str| [path.as_slice(), &[key.to_owned()]].concat();
        if path.first().is_some_and(|key| key == "variant") && path.len() == 2 {
            return Shape::Anything;
        }
        let table = |names: &[&str]| {
            Shape::Table(names.iter().map(|name| ((*name).to_owned(), self.shape(&below(name)))).collect())
        };
        if self.open.contains(path) {
            // Such a table's values are all texts.
            let names = self.names.get(path).copied().unwrap_or_default();
            let fields = names.iter().map(|name| ((*name).to_owned(), Shape::Text)).collect();
            return Shape::Either(Box::new(Shape::Text), Box::new(Shape::Table(fields)));
        }
        match self.leaves.get(path) {
            Some(Leaf::Integer) => Shape::Integer,
            Some(Leaf::Number) => Shape::Number,
            Some(Leaf::Boolean) => Shape::Boolean,
            Some(Leaf::Datetime) => Shape::Datetime,
            Some(Leaf::List) => Shape::List(Box::new(self.shape(&below("[]")))),
            Some(Leaf::OneOrMore) => {
                let one = self.shape(&below("[]"));
                Shape::Either(Box::new(one.clone()), Box::new(Shape::List(Box::new(one))))
            }
            Some(Leaf::Map) => Shape::Map(Box::new(self.shape(&below("*")))),
            Some(Leaf::Table) => table(self.names.get(path).copied().unwrap_or_default()),
            Some(Leaf::Text) | None => Shape::Text,
        }
    }
}

/// Asked for whatever stands at a place.
struct Probe<'a> {
    state: &'a RefCell<State>,
    path: Path,
}

impl Probe<'_> {
    fn note(&self, leaf: Leaf) {
        self.state.borrow_mut().leaves.insert(self.path.clone(), leaf);
    }

    fn names(&self) -> Option<&'static [&'static str]> {
        self.state.borrow().names.get(&self.path).copied()
    }
}

/// Answers with a plain value.
macro_rules! plain {
    ($($method:ident => $leaf:ident, $visit:ident($value:expr);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.note(Leaf::$leaf);
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refused;

    plain! {
        deserialize_bool => Boolean, visit_bool(false);
        deserialize_i8 => Integer, visit_i8(1);
        deserialize_i16 => Integer, visit_i16(1);
        deserialize_i32 => Integer, visit_i32(1);
        deserialize_i64 => Integer, visit_i64(1);
        deserialize_u8 => Integer, visit_u8(1);
        deserialize_u16 => Integer, visit_u16(1);
        deserialize_u32 => Integer, visit_u32(1);
        deserialize_u64 => Integer, visit_u64(1);
        deserialize_f32 => Number, visit_f64(0.5);
        deserialize_f64 => Number, visit_f64(0.5);
        deserialize_char => Text, visit_str("x");
        deserialize_str => Text, visit_str("x");
        deserialize_string => Text, visit_str("x");
        deserialize_identifier => Text, visit_str("x");
    }

    /// A text, and in a pass of its own a table.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let as_table = {
            let mut state = self.state.borrow_mut();
            if !state.open.contains(&self.path) {
                state.open.push(self.path.clone());
            }
            state.as_table.as_ref() == Some(&self.path)
        };
        match as_table {
            false => visitor.visit_str("x"),
            true => {
                // One name at a time: some tables take only one of theirs.
                let keys = self.names().map_or(NOBODY, |names| names[0]);
                visitor.visit_map(Keys { state: self.state, path: self.path, left: vec![keys], now: "" })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.note(Leaf::List);
        visitor.visit_seq(One { state: self.state, path: [&self.path[..], &["[]".to_owned()]].concat(), given: false })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let names = self.names();
        self.note(if names.is_some() { Leaf::Table } else { Leaf::Map });
        let mut left = names.map_or_else(|| vec![NOBODY], <[&str]>::to_vec);
        left.reverse();
        visitor.visit_map(Keys { state: self.state, path: self.path, left, now: "" })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if name.contains("Datetime") {
            self.note(Leaf::Datetime);
            return visitor.visit_map(Wrapped { probe: None, fields, at: 0, inner: DATE });
        }
        if name.contains("Spanned") {
            return visitor.visit_map(Wrapped { probe: Some(self), fields, at: 0, inner: "" });
        }
        self.note(Leaf::Table);
        self.state.borrow_mut().names.insert(self.path.clone(), fields);
        let mut left = fields.to_vec();
        left.reverse();
        visitor.visit_map(Keys { state: self.state, path: self.path, left, now: "" })
    }

    /// A table or a list of them: asked as a list.
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        assert_eq!(name, OneOrMore::<()>::NAME, "no scenario has another tuple");
        self.note(Leaf::OneOrMore);
        visitor.visit_seq(One { state: self.state, path: [&self.path[..], &["[]".to_owned()]].concat(), given: false })
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct newtype_struct tuple enum ignored_any
    }
}

/// A list of one entry.
struct One<'a> {
    state: &'a RefCell<State>,
    path: Path,
    given: bool,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        if std::mem::replace(&mut self.given, true) {
            return Ok(None);
        }
        seed.deserialize(Probe { state: self.state, path: self.path.clone() }).map(Some)
    }
}

/// A table: its names in turn, last first.
struct Keys<'a> {
    state: &'a RefCell<State>,
    path: Path,
    left: Vec<&'static str>,
    now: &'static str,
}

impl<'de> MapAccess<'de> for Keys<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.state.borrow_mut().last.clone_from(&self.path);
        let Some(name) = self.left.pop() else { return Ok(None) };
        self.now = name;
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        let key = if self.now == NOBODY { "*" } else { self.now };
        let path = [&self.path[..], &[key.to_owned()]].concat();
        seed.deserialize(Probe { state: self.state, path })
    }
}

/// A key.
struct Name(&'static str);

impl<'de> Deserializer<'de> for Name {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_map(Wrapped { probe: None, fields, at: 0, inner: self.0 })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A value with its place in the file, or a date: a table of private keys around what is meant, which comes last.
struct Wrapped<'a> {
    probe: Option<Probe<'a>>,
    fields: &'static [&'static str],
    at: usize,
    inner: &'static str,
}

impl<'de> MapAccess<'de> for Wrapped<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(name) = self.fields.get(self.at) else { return Ok(None) };
        self.at += 1;
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        if self.at < self.fields.len() {
            return seed.deserialize(de::value::UsizeDeserializer::new(0));
        }
        match self.probe.take() {
            Some(probe) => seed.deserialize(probe),
            None => seed.deserialize(Name(self.inner)),
        }
    }
}
