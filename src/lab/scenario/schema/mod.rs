//! The JSON schema of a scenario file, for editors: asked of the very types that read it, so that it cannot fall behind.
//!
//! The reader is run on probes instead of values. A probe that is asked for a number notes a number; one that is asked for a
//! table offers a name that no table has, and the refusal names all that it does have.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::lab::scenario::script::Script;

mod docs;
mod probe;

use docs::Docs;
use probe::Notes;

/// What may stand at a place of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    Text,
    Integer,
    Number,
    Boolean,
    Datetime,
    /// Any table: the shapes of a scenario repeat its own tables.
    Anything,
    List(Box<Shape>),
    Map(Box<Shape>),
    Table(Vec<(String, Shape)>),
    Either(Box<Shape>, Box<Shape>),
}

/// The schema, with the sentence of each key.
pub fn schema() -> Value {
    let shape = of::<Script>();
    let docs = Docs::of_sources();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of mqlab, format 1",
    });
    if let (Value::Object(whole), Value::Object(root)) = (&mut schema, written(&shape, &docs)) {
        whole.extend(root);
    }
    schema
}

/// The shape of a whole file.
static WHOLE: OnceLock<Shape> = OnceLock::new();

/// The part of a path of `--set` that no table of a scenario knows, and what would be known in its place.
pub fn unknown_part(parts: &[String]) -> Option<(String, Vec<String>)> {
    let mut shape = WHOLE.get_or_init(of::<Script>);
    let mut rest = parts.iter().peekable();
    while let Some(part) = rest.next() {
        shape = match shape {
            Shape::Table(fields) => match fields.iter().find(|(name, _)| name == part) {
                Some((_, field)) => field,
                None => return Some((part.clone(), fields.iter().map(|(name, _)| name.clone()).collect())),
            },
            Shape::Map(value) => &**value,
            Shape::Either(_, table) if matches!(**table, Shape::Table(_)) => return None,
            _ => return Some((part.clone(), Vec::new())),
        };
        let Shape::List(item) = shape else { continue };
        let Shape::Table(fields) = &**item else { continue };
        // The name of an entry, which may be left out where there is one.
        let is_field = |next: &&&String| fields.iter().any(|(name, _)| name == **next);
        if rest.peek().filter(is_field).is_none() {
            rest.next();
        }
        shape = &**item;
    }
    None
}

/// The shape that a type reads.
fn of<T: for<'de> Deserialize<'de>>() -> Shape {
    let mut notes = Notes::default();
    // Each failed pass has learned the names of one more table.
    while !notes.pass::<T>() {}
    notes.alternatives::<T>();
    notes.shape()
}

fn written(shape: &Shape, docs: &Docs) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Datetime => json!({ "type": "string", "format": "date-time" }),
        Shape::Anything => json!({ "type": "object" }),
        Shape::List(item) => json!({ "type": "array", "items": written(item, docs) }),
        Shape::Map(value) => json!({ "type": "object", "additionalProperties": written(value, docs) }),
        Shape::Either(one, other) => json!({ "anyOf": [written(one, docs), written(other, docs)] }),
        Shape::Table(fields) => {
            let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            let mut properties = Map::new();
            for (name, shape) in fields {
                let mut property = written(shape, docs);
                if let (Value::Object(property), Some(text)) = (&mut property, docs.field(&names, name)) {
                    property.insert("description".to_owned(), json!(text));
                }
                properties.insert(name.clone(), property);
            }
            let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
            if let (Value::Object(table), Some(text)) = (&mut table, docs.table(&names)) {
                table.insert("description".to_owned(), json!(text));
            }
            table
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_with_its_keys_and_their_sentences() {
        let schema = schema();
        let broker = &schema["properties"]["broker"]["items"]["properties"];
        assert_eq!(broker["flush"]["type"], "string");
        assert_eq!(broker["flush"]["description"], "`async` or `sync`: `flushDiskType`.");
        assert_eq!(broker["disk"]["properties"]["torn_writes"]["type"], "boolean");
        let fault = &schema["properties"]["fault"]["items"]["properties"];
        assert_eq!(fault["power-loss"]["properties"]["keep"]["type"], "string");
        assert!(50 < fault.as_object().unwrap().len(), "{fault}");
        assert_eq!(schema["properties"]["title"]["anyOf"][1]["properties"]["zh"]["type"], "string");
        let subscribe = &schema["properties"]["consumer"]["items"]["properties"]["subscribe"];
        assert_eq!(subscribe["additionalProperties"]["anyOf"][1]["properties"]["sql"]["type"], "string");
        assert_eq!(schema["properties"]["start"]["format"], "date-time");
    }

    #[test]
    fn paths_go_through_the_tables_that_the_reader_knows() {
        let unknown = |path: &str| {
            let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
            unknown_part(&parts).map(|(part, _)| part)
        };
        let known = [
            "broker.*.flush",
            "producer.shop.send.count",
            "producer.*.send.2.timeout",
            "profile.fix.*",
            "fault.goodbye",
            "fault.flip.bit-flip.nth",
            "consumer.*.subscribe",
            "consumer.*.subscribe.orders",
            "consumer.*.limits.span",
            "fault",
        ];
        assert_eq!(known.map(unknown), [const { None }; 10]);
        assert_eq!(unknown("broker.*.flsh"), Some("flsh".to_owned()));
        assert_eq!(unknown("broker.*.flush.x"), Some("x".to_owned()));
        assert_eq!(unknown("brokers.*.flush"), Some("brokers".to_owned()));
        let pass = &schema()["properties"]["exercise"]["properties"]["pass"];
        assert_eq!(pass["anyOf"][0]["properties"]["seeds"]["type"], "integer");
        assert_eq!(pass["anyOf"][1]["items"]["properties"]["expect"]["type"], "string");
    }

    #[test]
    fn each_key_has_a_sentence() {
        fn silent(at: &str, schema: &Value, all: &mut Vec<String>) {
            for (name, one) in schema["properties"].as_object().into_iter().flatten() {
                let at = format!("{at}.{name}");
                if one["description"].as_str().is_none() && !at.ends_with(".en") && !at.ends_with(".zh") {
                    all.push(at.clone());
                }
                silent(&at, one, all);
                silent(&at, &one["items"], all);
                silent(&at, &one["additionalProperties"], all);
            }
        }
        let mut all = Vec::new();
        silent("", &schema(), &mut all);
        assert_eq!(all, Vec::<String>::new());
    }
}
