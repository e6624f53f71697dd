//! What fastjson makes of a value where a type is wanted: numbers from texts, texts from anything, null from odd places.
//!
//! A [`Bean`] is an object read field by field. Keys match without regard to case, `-` and `_`; of two equal ones the last
//! counts; what is absent or null leaves a field as it is. What fastjson throws at is a [`CastError`] with the field's path.
//! Source: fastjson 1.2.51's `JavaBeanDeserializer`, `MapDeserializer`, `TypeUtils`.

use crate::mq::fastjson::Json;
use crate::mq::message::Name;
use crate::mq::message::java::{parse_int, parse_long};

/// A value that does not become the type which its field wants.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{field}` is `{found}`, not {wanted}")]
pub struct CastError {
    /// The field, with all that it lies in: `topicConfigTable.orders.perm`.
    pub field: String,
    /// The value, its first letters.
    pub found: String,
    /// What it should be.
    pub wanted: &'static str,
}

impl CastError {
    fn new(field: &str, value: &Json, wanted: &'static str) -> CastError {
        CastError { field: field.to_owned(), found: shown(value), wanted }
    }
}

/// An object whose fields are those of a Java class.
#[derive(Clone, Debug)]
pub struct Bean<'a> {
    path: String,
    pairs: &'a [(Json, Json)],
}

/// An object whose keys are those of a Java map.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    path: String,
    pairs: &'a [(Json, Json)],
}

impl<'a> Bean<'a> {
    /// A whole text as a bean; `None` for `null` and for an empty list, which fastjson takes for null.
    pub fn root(json: &'a Json) -> Result<Option<Bean<'a>>, CastError> {
        Ok(object("", json)?.map(|pairs| Bean { path: String::new(), pairs }))
    }

    /// A bean inside this one.
    pub fn bean(&self, field: &str) -> Result<Option<Bean<'a>>, CastError> {
        let Some(value) = self.find(field) else { return Ok(None) };
        let path = under(&self.path, field);
        Ok(object(&path, value)?.map(|pairs| Bean { path, pairs }))
    }

    /// A map inside this bean; an empty list is none.
    pub fn table(&self, field: &str) -> Result<Option<Table<'a>>, CastError> {
        let path = under(&self.path, field);
        match self.find(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Object(pairs)) => Ok(Some(Table { path, pairs })),
            Some(value) => Err(CastError::new(&path, value, "an object")),
        }
    }

    /// Whether the field is there, null or not.
    pub fn has(&self, field: &str) -> bool {
        self.find(field).is_some()
    }

    /// A number of 32 bits.
    pub fn int(&self, field: &str, absent: i32) -> Result<i32, CastError> {
        self.cast(field, "a number of 32 bits", int).map(|number| number.unwrap_or(absent))
    }

    /// A number of 64 bits.
    pub fn long(&self, field: &str, absent: i64) -> Result<i64, CastError> {
        self.cast(field, "a number of 64 bits", long).map(|number| number.unwrap_or(absent))
    }

    /// A number of 64 bits that its class holds as an object: it may be null.
    pub fn object_long(&self, field: &str) -> Result<Option<i64>, CastError> {
        self.cast(field, "a number of 64 bits", long)
    }

    /// The error that says what a field should be.
    pub fn refused(&self, field: &str, wanted: &'static str) -> CastError {
        CastError::new(&under(&self.path, field), self.find(field).unwrap_or(&Json::Null), wanted)
    }

    /// A truth value.
    pub fn flag(&self, field: &str, absent: bool) -> Result<bool, CastError> {
        self.cast(field, "a truth value", flag).map(|value| value.unwrap_or(absent))
    }

    /// A text.
    pub fn text(&self, field: &str) -> Option<Name> {
        self.find(field).and_then(text)
    }

    /// A constant's name, by its name or its number; `None` for an unknown name.
    pub fn constant(&self, field: &str, all: &[&'static str]) -> Result<Option<&'static str>, CastError> {
        self.cast(field, "a constant's name or number", |value| constant(value, all))
    }

    /// A list of numbers of 32 bits.
    pub fn ints(&self, field: &str) -> Result<Option<Vec<i32>>, CastError> {
        let path = under(&self.path, field);
        let item = |value: &Json| match int(value) {
            Some(number) => Ok(number.unwrap_or(0)),
            None => Err(CastError::new(&path, value, "a number of 32 bits")),
        };
        match self.find(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Array(items)) => items.iter().map(item).collect::<Result<_, _>>().map(Some),
            Some(value) => Err(CastError::new(&path, value, "a list of numbers")),
        }
    }

    fn find(&self, field: &str) -> Option<&'a Json> {
        let wanted = folded(field);
        let is_it = |key: &Json| key.as_str().is_some_and(|key| key == field || folded(key) == wanted);
        self.pairs.iter().rev().find(|(key, _)| is_it(key)).map(|(_, value)| value)
    }

    fn cast<T>(
        &self,
        field: &str,
        wanted: &'static str,
        to: impl FnOnce(&Json) -> Option<Option<T>>,
    ) -> Result<Option<T>, CastError> {
        let Some(value) = self.find(field) else { return Ok(None) };
        to(value).ok_or_else(|| CastError::new(&under(&self.path, field), value, wanted))
    }
}

impl<'a> Table<'a> {
    /// Names and beans. Errors: a key that is no text; a null, which a `ConcurrentHashMap` does not take.
    pub fn beans(&self) -> Result<Vec<(Name, Bean<'a>)>, CastError> {
        let bean = |path: String, value: &'a Json| match object(&path, value)? {
            Some(pairs) => Ok(Bean { path, pairs }),
            None => Err(CastError::new(&path, value, "an object")),
        };
        self.named(bean)
    }

    /// Names and maps.
    pub fn tables(&self) -> Result<Vec<(Name, Table<'a>)>, CastError> {
        self.named(|path, value| match value {
            Json::Object(pairs) => Ok(Table { path, pairs }),
            _ => Err(CastError::new(&path, value, "an object")),
        })
    }

    /// Numbers of 32 bits to numbers of 64 bits, quoted or not.
    pub fn numbers(&self) -> Result<Vec<(i32, i64)>, CastError> {
        let number = |(key, value): &(Json, Json)| {
            let wrong = |value, wanted| CastError::new(&self.path, value, wanted);
            let key = int(key).flatten().ok_or_else(|| wrong(key, "a number of 32 bits as key"))?;
            let number = long(value).flatten().ok_or_else(|| wrong(value, "a number of 64 bits"))?;
            Ok((key, number))
        };
        self.pairs.iter().map(number).collect()
    }

    fn named<T>(&self, to: impl Fn(String, &'a Json) -> Result<T, CastError>) -> Result<Vec<(Name, T)>, CastError> {
        let one = |(key, value): &'a (Json, Json)| {
            let Some(name) = key.as_str() else { return Err(CastError::new(&self.path, key, "a text as key")) };
            Ok((Name::from(name), to(under(&self.path, name), value)?))
        };
        self.pairs.iter().map(one).collect()
    }
}

/// The pairs of an object; `None` for null and an empty list.
fn object<'a>(path: &str, value: &'a Json) -> Result<Option<&'a [(Json, Json)]>, CastError> {
    match value {
        Json::Object(pairs) => Ok(Some(pairs)),
        Json::Null => Ok(None),
        Json::Array(items) if items.is_empty() => Ok(None),
        _ => Err(CastError::new(if path.is_empty() { "the text" } else { path }, value, "an object")),
    }
}

fn under(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// Source: `TypeUtils.fnv1a_64_lower`, by which keys and constants are matched.
pub fn folded(key: &str) -> String {
    key.chars().filter(|letter| !matches!(letter, '-' | '_')).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// A number of 32 bits: `None` is a misfit, `Some(None)` null. Source: `IntegerCodec.deserialze`, `TypeUtils.castToInt`.
pub fn int(value: &Json) -> Option<Option<i32>> {
    match value {
        Json::Null => Some(None),
        Json::Text(text) if is_null(text) => Some(None),
        Json::Bool(value) => Some(Some(i32::from(*value))),
        Json::Int(number) => i32::try_from(*number).ok().map(Some),
        Json::Number(text) => whole(text).map(|number| Some(number as i32)),
        Json::Text(text) => parse_int(&text.replace(',', "")).map(Some),
        Json::Array(_) | Json::Object(_) => None,
    }
}

/// A number of 64 bits. Source: `LongCodec.deserialze`, `TypeUtils.castToLong`.
pub fn long(value: &Json) -> Option<Option<i64>> {
    match value {
        Json::Null => Some(None),
        Json::Text(text) if is_null(text) => Some(None),
        Json::Int(number) => Some(Some(*number)),
        Json::Number(text) => whole(text).map(|number| Some(number as i64)),
        Json::Text(text) => parse_long(&text.replace(',', "")).map(Some),
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A truth value. Source: `BooleanCodec.deserialze`, `TypeUtils.castToBoolean`.
pub fn flag(value: &Json) -> Option<Option<bool>> {
    match value {
        Json::Null => Some(None),
        Json::Bool(value) => Some(Some(*value)),
        Json::Int(number) => Some(Some(*number == 1)),
        Json::Number(text) => whole(text).map(|number| Some(number as i32 == 1)),
        Json::Text(text) if is_null(text) => Some(None),
        Json::Text(text) if ["true", "1", "Y", "T"].iter().any(|yes| text.eq_ignore_ascii_case(yes)) => {
            Some(Some(true))
        }
        Json::Text(text) if ["false", "0", "N", "F"].iter().any(|no| text.eq_ignore_ascii_case(no)) => {
            Some(Some(false))
        }
        Json::Text(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A text; anything else as it is written. Source: `StringCodec.deserialze`.
pub fn text(value: &Json) -> Option<Name> {
    match value {
        Json::Null => None,
        Json::Text(text) => Some(Name::from(text.as_str())),
        other => Some(Name::from(other.compact())),
    }
}

/// A constant by name, without regard to case, or by number; an unknown name is null. Source: `EnumDeserializer`.
pub fn constant(value: &Json, all: &[&'static str]) -> Option<Option<&'static str>> {
    match value {
        Json::Null => Some(None),
        Json::Text(text) => Some(all.iter().copied().find(|name| folded(name) == folded(text))),
        Json::Int(number) => usize::try_from(*number).ok().and_then(|number| all.get(number)).map(|name| Some(*name)),
        _ => None,
    }
}

/// A value for an error: its first letters.
pub fn shown(value: &Json) -> String {
    let mut found = value.compact();
    if let Some((end, _)) = found.char_indices().nth(FOUND_MAX) {
        found.truncate(end);
    }
    found
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "null" | "NULL")
}

/// The whole part of a decimal number; the caller cuts it to its bits. Source: `TypeUtils.intValue`, `BigDecimal.intValue`.
fn whole(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_int(exponent)?),
        None if text.contains('.') => (text, 0),
        None => return None,
    };
    let (digits, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let number: i128 = format!("{digits}{fraction}").parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10i128.checked_pow(shift.unsigned_abs());
    match power {
        Some(power) if shift < 0 => Some(number / power),
        Some(power) => number.checked_mul(power),
        None if shift < 0 => Some(0),
        None => None,
    }
}

/// How much of an odd value an error shows, in letters.
const FOUND_MAX: usize = 40;
