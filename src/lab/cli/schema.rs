//! `mqlab schema`: what a scenario file may hold, and what commands print as JSON, as JSON schemas.
//!
//! The first is asked of the reader itself, the kinds of events of the trace, reports and views of their types; the rest is
//! written down here. All are held against
//! real outputs by `tests/it/schemas.rs`. Version 1 of each may get more keys; a key that is there stays and means the same.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::USAGE;
use crate::lab::cli::load::{self, Look};
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;
use crate::lab::scenario;
use crate::lab::trace::record::What;

mod clients;
mod derived;
mod learning;

pub(super) use derived::of;

/// A schema: its name, what it is of, and the schema.
pub(super) type Known = (&'static str, &'static str, fn() -> Value);

const WRITTEN: [Known; 14] = [
    ("scenario", "a scenario file", scenario::schema::schema),
    ("run", "mqlab run SCENARIO --format json", run),
    ("trace", "each line of mqlab run SCENARIO --format jsonl, of a run file, and of mqlab serve --trace", trace),
    ("why", "mqlab why RUN FOCUS --format json", why),
    ("diff", "mqlab diff A B --format json", diff),
    ("keys", "mqlab keys --format json", keys),
    ("config", "mqlab config show --format json", config),
    ("learn-list", "mqlab learn list --format json", learning::lessons),
    ("learn-check", "mqlab learn check --format json", learning::verdict),
    ("learn-progress", "mqlab learn progress --format json", learning::progress),
    ("course", "mqlab course check --format json", learning::course),
    ("serve", "each line of mqlab serve --format json", serve),
    ("send", "each line of mqlab send --format json", clients::send),
    ("consume", "each line of mqlab consume --format json", clients::consume),
];

/// All of them.
fn all() -> impl Iterator<Item = &'static Known> + Clone {
    WRITTEN.iter().chain(&derived::REPORTS).chain(&derived::STORES)
}

/// Prints a schema, or which there are.
pub(super) fn print(name: Option<&str>, look: Look) -> Result<ExitCode> {
    let Some(name) = name else {
        let lines = all().map(|(name, of, _)| format!("{name:<14} {of}\n"));
        load::say(&lines.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some((.., schema)) = all().find(|(own, ..)| *own == name) {
        load::say(&format!("{:#}\n", schema()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<&str> = all().map(|(name, ..)| *name).collect();
    let (near, all) = (nearest(name, names.iter().copied()), names.join(", "));
    load::complain(&match (near, look.lang) {
        (Some(near), Lang::En) => format!("no schema named `{name}`\n  help: did you mean `{near}`?\n"),
        (Some(near), Lang::Zh) => format!("没有名为 `{name}` 的 schema\n  帮助：是不是 `{near}`？\n"),
        (None, Lang::En) => format!("no schema named `{name}`\n  help: there are: {all}\n"),
        (None, Lang::Zh) => format!("没有名为 `{name}` 的 schema\n  帮助：有 {all}\n"),
    });
    Ok(ExitCode::from(USAGE))
}

/// An object with exactly these keys, some of which may be left out.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let both = required.iter().chain(optional);
    let properties: serde_json::Map<String, Value> =
        both.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": names, "properties": properties, "additionalProperties": false })
}

fn list(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn maybe(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn number() -> Value {
    json!({ "type": "integer" })
}

fn truth() -> Value {
    json!({ "type": "boolean" })
}

fn whole(title: &str, mut schema: Value) -> Value {
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".to_owned(), json!(format!("{title}, version 1")));
    }
    schema
}

/// The keys of one run.
fn one_run() -> Vec<(&'static str, Value)> {
    let check = object(
        &[
            ("id", text()),
            ("guarantee", text()),
            ("outcome", text()),
            ("expected", text()),
            ("check", text()),
            ("asked", truth()),
            ("summary", text()),
        ],
        &[],
    );
    vec![
        ("scenario", text()),
        ("seed", number()),
        ("digest", json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })),
        ("events", number()),
        ("virtual_ns", number()),
        ("wall_ns", number()),
        ("checks", list(check)),
        ("as_expected", truth()),
    ]
}

fn run() -> Value {
    let one = one_run();
    let more = [
        ("variant", text()),
        ("sent", number()),
        ("acked", number()),
        ("lost", number()),
        ("late", number()),
        ("send_gap_ns", number()),
        ("receive_gap_ns", number()),
    ];
    let shape: Vec<(&str, Value)> = more.into_iter().chain(one.clone()).collect();
    let several: Vec<(&str, Value)> = one
        .iter()
        .filter(|(name, _)| *name != "checks")
        .cloned()
        .chain([("variants", list(object(&shape, &[])))])
        .collect();
    whole("A run, or one of each shape", json!({ "anyOf": [object(&one, &[]), object(&several, &[])] }))
}

fn trace() -> Value {
    let node = object(&[("name", text()), ("role", text()), ("addr", text())], &[]);
    let changes = object(
        &[
            ("name", text()),
            ("text", text()),
            ("seed", number()),
            ("variant", maybe(text())),
            ("until", maybe(text())),
            ("sets", list(text())),
            ("edits", list(text())),
        ],
        &[],
    );
    let mark = object(&[("at", number()), ("note", text())], &[]);
    let head = object(
        &[
            ("format", json!({ "const": 1 })),
            ("scenario", text()),
            ("seed", number()),
            ("profile", text()),
            ("start_ms", number()),
            ("nodes", list(node)),
            ("build", text()),
        ],
        &[("run", changes), ("bookmarks", list(mark))],
    );
    let kinds: Vec<&str> = What::kinds().collect();
    // Beside these a record has the keys of its kind.
    let record = json!({
        "type": "object",
        "required": ["step", "seq", "at", "kind"],
        "properties": {
            "step": number(), "seq": number(), "at": number(), "node": text(), "incarnation": number(), "wall": number(),
            "mono": number(), "cause": number(), "kind": { "enum": kinds },
        },
    });
    let foot = object(&[("digest", text()), ("records", number()), ("steps", number())], &[]);
    whole("A line of a trace", json!({ "anyOf": [head, record, foot] }))
}

fn why() -> Value {
    let because = object(
        &[
            ("step", number()),
            ("at", number()),
            ("seq", number()),
            ("node", text()),
            ("kind", text()),
            ("text", text()),
        ],
        &[],
    );
    let event = object(
        &[
            ("what", list(because.clone())),
            ("causes", list(because.clone())),
            ("further", number()),
            ("effects", list(because)),
        ],
        &[],
    );
    let due = object(&[("node", text()), ("timer", text()), ("at", number())], &[]);
    let unmet =
        object(&[("text", text()), ("who", maybe(text())), ("since", maybe(number())), ("next", maybe(due))], &[]);
    let reached = maybe(object(&[("step", number()), ("at", number())], &[]));
    let states = ["sent", "stored", "flushed", "acked", "queued", "delivered", "consumed"];
    let states: Vec<(&str, Value)> = states.iter().map(|state| (*state, reached.clone())).collect();
    let message = object(
        &[
            ("message", text()),
            ("moment", number()),
            ("state", text()),
            ("reached", object(&states, &[])),
            ("asked", text()),
            ("unmet", list(unmet)),
        ],
        &[],
    );
    whole("Why, or why not", json!({ "anyOf": [event, message] }))
}

fn diff() -> Value {
    let place = object(
        &[
            ("step", number()),
            ("seq", number()),
            ("at", number()),
            ("node", maybe(text())),
            ("incarnation", number()),
            ("kind", text()),
            ("ordinal", number()),
            ("record", json!({ "type": "object" })),
        ],
        &[],
    );
    let parting = object(&[("first", maybe(place.clone())), ("second", maybe(place))], &[]);
    let message = object(&[("message", text()), ("first", maybe(text())), ("second", maybe(text()))], &[]);
    let keys = [("first", text()), ("second", text()), ("parting", maybe(parting)), ("messages", maybe(list(message)))];
    whole("Where two runs part", object(&keys, &[]))
}

fn keys() -> Value {
    let key = object(&[("key", text()), ("what", text())], &[]);
    whole(
        "Keys of the terminal program",
        object(&[("home", list(key.clone())), ("player", list(key.clone())), ("card", list(key))], &[]),
    )
}

fn serve() -> Value {
    let event = |name: &str| ("event", json!({ "const": name }));
    let nameserver = object(&[("node", text()), ("addr", text())], &[]);
    let addrs = ["node", "addr", "vip_addr", "ha_addr", "folder"].map(|name| (name, text()));
    let ready = object(
        &[
            event("ready"),
            ("namesrv_addr", text()),
            ("nameservers", list(nameserver)),
            ("brokers", list(object(&addrs, &[]))),
            ("temporary", truth()),
            ("pid", number()),
            ("ms", number()),
        ],
        &[],
    );
    let of_node = ["booted", "boot-failed", "exited", "killed", "panicked", "refused"]
        .map(|name| object(&[event(name), ("node", text()), ("why", maybe(text()))], &[]));
    let of_fault =
        ["fault-began", "fault-ended"].map(|name| object(&[event(name), ("number", number()), ("fault", text())], &[]));
    let fault = object(&[("number", number()), ("fault", text())], &[]);
    let misread = [("line", text()), ("word", text()), ("column", number()), ("allowed", list(text()))];
    let misread: Vec<(&str, Value)> = [event("misread"), ("near", maybe(text()))].into_iter().chain(misread).collect();
    let mut all = vec![ready, object(&misread, &[])];
    all.extend(of_node);
    all.extend(of_fault);
    all.extend([
        object(&[event("faults"), ("faults", list(fault))], &[]),
        object(&[event("bad-frame"), ("node", text()), ("peer", text()), ("why", text())], &[]),
        object(&[event("stopped"), ("cleanly", truth())], &[]),
    ]);
    whole("Something that happened to a server", json!({ "anyOf": all }))
}

fn config() -> Value {
    let setting = object(&[("name", text()), ("value", text()), ("origin", text()), ("variable", text())], &[]);
    whole("Settings", object(&[("settings", list(setting)), ("files", list(text()))], &[]))
}
