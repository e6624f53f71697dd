//! Fields of a bean, to and from JSON values.

use crate::mq::fastjson::Json;
use crate::mq::message::Name;
use crate::mq::message::java::JavaMap;
use crate::mq::wire::body::JsonBody;

pub(super) fn key(name: &str) -> Json {
    Json::Text(name.to_owned())
}

pub(super) fn text(name: &str) -> Json {
    Json::Text(name.to_owned())
}

pub(super) fn int(number: i32) -> Json {
    Json::Int(i64::from(number))
}

pub(super) fn texts(names: &[Name]) -> Json {
    Json::Array(names.iter().map(|name| text(name)).collect())
}

pub(super) fn list<T: JsonBody>(items: &[T]) -> Json {
    Json::Array(items.iter().map(JsonBody::to_json).collect())
}

pub(super) fn map(pairs: JavaMap<Json>) -> Json {
    Json::Object(pairs.iter().map(|(name, value)| (text(name), value.clone())).collect())
}

pub(super) fn name(json: &Json, field: &str) -> Option<Name> {
    json.get(field).and_then(Json::as_str).map(Name::from)
}

pub(super) fn number(json: &Json, field: &str, absent: i32) -> i32 {
    json.get(field).and_then(Json::as_i32).unwrap_or(absent)
}

pub(super) fn long(json: &Json, field: &str, absent: i64) -> i64 {
    json.get(field).and_then(Json::as_i64).unwrap_or(absent)
}

pub(super) fn flag(json: &Json, field: &str, absent: bool) -> bool {
    json.get(field).and_then(Json::as_bool).unwrap_or(absent)
}

pub(super) fn read_texts(json: &Json) -> Vec<Name> {
    json.items().iter().filter_map(Json::as_str).map(Name::from).collect()
}

pub(super) fn read_list<T: JsonBody>(json: &Json, field: &str) -> Vec<T> {
    json.get(field).map(Json::items).unwrap_or_default().iter().map(T::from_json).collect()
}

/// Java's order of `Long` keys: by bucket, the table at its smallest for that many.
pub(super) fn long_order<'a, V>(pairs: impl Iterator<Item = (&'a i64, V)>) -> Vec<(&'a i64, V)> {
    let mut pairs: Vec<(&i64, V)> = pairs.collect();
    let mask = buckets(pairs.len()) - 1;
    pairs.sort_by_key(|(id, _)| spread(((**id) ^ ((**id) as u64 >> 32) as i64) as u32) & mask);
    pairs
}

/// Java's order of `Integer` keys.
pub(super) fn int_order(codes: &[i32]) -> Vec<i32> {
    let mut codes = codes.to_vec();
    let mask = buckets(codes.len()) - 1;
    codes.sort_by_key(|code| spread(code.cast_unsigned()) & mask);
    codes
}

pub(super) fn spread(hash: u32) -> u32 {
    hash ^ (hash >> 16)
}

pub(super) fn buckets(entries: usize) -> u32 {
    let mut buckets = 16;
    while entries as u64 * 4 > u64::from(buckets) * 3 {
        buckets *= 2;
    }
    buckets
}
