//! Schemas: what is published of the outputs is what is printed, and a scenario's is what its reader takes.

use assert_cmd::Command;
use mqlab::lab::scenario::{library, schema};
use serde_json::{Value, json};

fn mqlab(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(arguments).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the published schemas use of JSON Schema.
const KEYS: [&str; 18] = [
    "$schema",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "enum",
    "const",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "prefixItems",
];

/// Where a value is not as a schema has it; of JSON Schema as much as the published ones use.
pub fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    for key in schema.as_object().unwrap().keys() {
        assert!(KEYS.contains(&key.as_str()), "this validator does not know {key}");
    }
    // One of several shapes, or of several types: what fits best tells what is wrong.
    if let Some(all) = schema["anyOf"].as_array() {
        return all.iter().map(|one| faults(one, value, at)).min_by_key(Vec::len).unwrap();
    }
    if let Some(all) = schema["type"].as_array() {
        let as_one = |kind: &Value| {
            let mut one = schema.clone();
            one["type"] = kind.clone();
            faults(&one, value, at)
        };
        return all.iter().map(as_one).min_by_key(Vec::len).unwrap();
    }
    let fits = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some(other) => panic!("{other}"),
    };
    if !fits {
        return vec![format!("{at}: {value} is no {}", schema["type"])];
    }
    let mut wrong = Vec::new();
    if schema.get("const").is_some_and(|only| only != value)
        || schema["enum"].as_array().is_some_and(|all| !all.contains(value))
    {
        wrong.push(format!("{at}: {value} is not one of them"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        wrong.push(format!("{at}: {number} is less than {least}"));
    }
    of_object(schema, value, at, &mut wrong);
    of_list(schema, value, at, &mut wrong);
    wrong
}

fn of_object(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(map) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !map.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{at}.{} is missing", name.as_str().unwrap()));
        }
    }
    for (name, own) in map {
        let at = format!("{at}.{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => wrong.extend(faults(schema, own, &at)),
            (None, Some(Value::Bool(false))) => wrong.push(format!("{at} is not known")),
            (None, _) => {}
        }
    }
}

fn of_list(schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let Some(list) = value.as_array() else { return };
    let (size, count) = (|key: &str| schema[key].as_u64(), list.len() as u64);
    if size("minItems").is_some_and(|least| count < least) || size("maxItems").is_some_and(|most| most < count) {
        wrong.push(format!("{at}: {count} are not as many as there may be"));
    }
    for (place, own) in list.iter().enumerate() {
        if let Some(schema) = schema["prefixItems"].get(place).or(schema.get("items")) {
            wrong.extend(faults(schema, own, &format!("{at}[{place}]")));
        }
    }
}

pub fn published(name: &str) -> Value {
    serde_json::from_str(&mqlab(&["schema", name])).unwrap()
}

#[test]
fn what_is_printed_is_what_is_published() {
    let none = Vec::<String>::new();
    for (name, command) in [
        ("run", &["run", "17-power-loss", "--format", "json"][..]),
        ("run", &["run", "22-four-shapes", "--format", "json"]),
        ("why", &["why", "17-power-loss", "m10", "--format", "json", "--at", "3s", "--not", "flushed"]),
        ("why", &["why", "17-power-loss", "#31", "--format", "json"]),
        ("diff", &["diff", "17-power-loss@3", "17-power-loss@4", "--format", "json"]),
        ("keys", &["keys", "--format", "json"]),
        ("config", &["config", "show", "--format", "json"]),
        ("scenarios", &["scenario", "list", "--format", "json"]),
        (
            "hunt",
            &["hunt", "26-hunt", "--seeds", "125..130", "--profile", "faithful", "--format", "json", "--no-shrink"],
        ),
        ("bench", &["bench", "mini", "--format", "json"]),
        ("cluster", &["show", "cluster", "14-half-message", "--view", "--format", "json"]),
        ("messages", &["show", "messages", "14-half-message", "--format", "json"]),
        ("queues", &["show", "queues", "08-first-offset", "--view", "--format", "json"]),
        ("storage", &["show", "storage", "17-power-loss", "--at", "1.2s", "--format", "json"]),
        ("transactions", &["show", "transactions", "15-nobody-remembers", "--format", "json"]),
        ("checks", &["show", "checks", "17-power-loss", "--format", "json"]),
        ("learn-list", &["learn", "list", "--format", "json", "--data", "nowhere"]),
        ("learn-progress", &["learn", "progress", "--format", "json", "--data", "nowhere"]),
        ("course", &["course", "check", "17", "--seeds", "1", "--format", "json"]),
    ] {
        let value: Value = serde_json::from_str(&mqlab(command)).unwrap();
        assert_eq!(faults(&published(name), &value, name), none, "{command:?}");
    }
}

#[test]
fn what_is_told_of_a_store_is_what_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    mqlab(&["run", "16-inside-the-log", "--quiet", "--disk", out.to_str().unwrap()]);
    let store = out.join("broker-a");
    for (name, asked) in [
        ("inspect", &[][..]),
        ("inspect-verify", &["--verify"]),
        ("inspect-record", &["--record", "1062"]),
        ("inspect-key", &["--key", "order-4"]),
        ("inspect-queue", &["--topic", "orders", "--queue", "0"]),
    ] {
        let command = [&["inspect", store.to_str().unwrap(), "--format", "json"], asked].concat();
        let value: Value = serde_json::from_str(&mqlab(&command)).unwrap();
        assert_eq!(faults(&published(name), &value, name), Vec::<String>::new(), "{command:?}");
    }
}

#[test]
fn every_line_of_a_trace_and_of_a_run_file_is_as_published() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.jsonl");
    mqlab(&["run", "17-power-loss", "--quiet", "--out", file.to_str().unwrap()]);
    let trace = published("trace");
    let kept = std::fs::read_to_string(&file).unwrap();
    let printed = mqlab(&["run", "01-first-message", "--format", "jsonl"]);
    for line in kept.lines().chain(printed.lines()) {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(faults(&trace, &value, "line"), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_schema_refuses_what_is_not_so() {
    let trace = published("trace");
    let record = json!({ "step": 1, "seq": 2, "at": 3, "kind": "fired" });
    assert_eq!(faults(&trace, &record, ""), Vec::<String>::new());
    for (key, value) in [("kind", json!("frayed")), ("step", json!("one")), ("node", json!(7))] {
        let mut bent = record.clone();
        bent[key] = value;
        assert!(!faults(&trace, &bent, "").is_empty(), "{bent}");
    }
    let mut run: Value = serde_json::from_str(&mqlab(&["run", "17-power-loss", "--format", "json"])).unwrap();
    run["novelty"] = json!(1);
    assert_eq!(faults(&published("run"), &run, "run"), ["run.novelty is not known"]);
}

#[test]
fn every_scenario_of_the_library_is_as_the_schema_has_it() {
    let schema = schema::schema();
    assert_eq!(schema, published("scenario"));
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    for (name, text) in library::ALL {
        let mut value = json(text);
        // A date of TOML is a table of its own in between; in JSON it is a text.
        if let Some(start) = value.get_mut("start") {
            *start = json!("2018-11-10T16:00:00Z");
        }
        assert_eq!(faults(&schema, &value, name), Vec::<String>::new(), "{name}");
    }
    for (text, wrong) in [
        ("[[broker]]\nflash = 'sync'", "x.broker[0].flash is not known"),
        ("seed = 'x'", "x.seed: \"x\" is no \"integer\""),
        ("[[fault]]\nkill = 'broker-a'", "is no \"object\""),
    ] {
        let found = faults(&schema, &json(text), "x");
        assert!(found.iter().any(|one| one.contains(wrong)), "{text}: {found:?}");
    }
}

#[test]
fn schemas_are_listed_and_a_misspelt_one_is_answered() {
    let list = mqlab(&["schema"]);
    for name in ["scenario", "run", "trace", "why", "diff", "keys", "config"] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(["schema", "tracs"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("did you mean `trace`?"));
    assert_eq!(mqlab(&["scenario", "schema"]), mqlab(&["schema", "scenario"]));
}
