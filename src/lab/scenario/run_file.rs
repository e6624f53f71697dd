//! A run file: a trace as JSON lines whose head says how it is run again, plain or compressed, with the bookmarks that
//! somebody left in it.

use std::io::Read;

use serde_json::{Map, Value, json};

use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::{Origin, Scenario};

/// A moment that somebody wants to find again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bookmark {
    /// The moment: before this step.
    pub at: u64,
    /// What it is about.
    pub note: String,
}

/// A run that was written.
#[derive(Clone, PartialEq, Debug)]
pub struct RunFile {
    /// The whole trace, head included.
    pub lines: String,
    /// How it is run again; what older builds wrote does not say.
    pub origin: Option<Origin>,
    /// Which build wrote it.
    pub build: Option<String>,
    /// The digest of its records.
    pub digest: String,
    /// In order.
    pub bookmarks: Vec<Bookmark>,
}

/// How a compressed file begins.
const PACKED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// No trace is longer, in bytes of text.
const TEXT_MAX: u64 = 4 << 30;

/// Whether so a run file begins, and no scenario.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&PACKED) || bytes.starts_with(b"{")
}

/// A trace with the head of a run file.
pub fn written(lines: &str, scenario: &Scenario, bookmarks: &[Bookmark]) -> String {
    let (head, rest) = lines.split_once('\n').unwrap_or((lines, ""));
    let Ok(Value::Object(mut head)) = serde_json::from_str::<Value>(head) else { return lines.to_owned() };
    let Origin { name, text, changes } = &scenario.origin;
    let variant = scenario.variant.as_ref().map(|variant| &variant.name).or(changes.variant.as_ref());
    let run = json!({
        "name": name,
        "text": text,
        "seed": scenario.plan.seed,
        "variant": variant,
        "until": changes.until,
        "sets": changes.sets,
        "edits": changes.edits,
    });
    head.insert("run".to_owned(), run);
    with_bookmarks(&format!("{}\n{rest}", Value::Object(head)), bookmarks)
}

/// A trace with other bookmarks.
pub fn with_bookmarks(lines: &str, bookmarks: &[Bookmark]) -> String {
    let (head, rest) = lines.split_once('\n').unwrap_or((lines, ""));
    let Ok(Value::Object(mut head)) = serde_json::from_str::<Value>(head) else { return lines.to_owned() };
    let marks: Vec<Value> = bookmarks.iter().map(|mark| json!({ "at": mark.at, "note": mark.note })).collect();
    head.insert("bookmarks".to_owned(), Value::Array(marks));
    format!("{}\n{rest}", Value::Object(head))
}

/// The bytes of a file: compressed where its name ends in `.rmqrun`.
///
/// Errors: there is no memory to compress in.
pub fn bytes(name: &str, text: String) -> std::io::Result<Vec<u8>> {
    match name.ends_with(".rmqrun") {
        true => zstd::encode_all(text.as_bytes(), 3),
        false => Ok(text.into_bytes()),
    }
}

/// The lines of a file, compressed or not. Errors: why it has none.
pub fn lines(bytes: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let read = match bytes.starts_with(&PACKED) {
        true => zstd::Decoder::new(bytes).and_then(|packed| packed.take(TEXT_MAX).read_to_string(&mut text)),
        false => (&mut &*bytes).read_to_string(&mut text),
    };
    read.map_err(|error| error.to_string())?;
    Ok(text)
}

/// A run file. Errors: what about it is none.
pub fn read(bytes: &[u8]) -> Result<RunFile, String> {
    let lines = lines(bytes)?;
    let head = lines.lines().next().unwrap_or_default();
    let head: Map<String, Value> = match serde_json::from_str(head) {
        Ok(Value::Object(head)) if head.contains_key("format") => head,
        Ok(_) => return Err("line 1 is not the head of a trace".to_owned()),
        Err(error) => return Err(format!("line 1: {error}")),
    };
    let foot: Option<Value> = lines.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
    let digest = foot.as_ref().and_then(|foot| foot.get("digest")).and_then(Value::as_str);
    let digest = digest.ok_or_else(|| "its last line has no digest: it was cut".to_owned())?.to_owned();
    let marks = head.get("bookmarks").and_then(Value::as_array).into_iter().flatten();
    let mark = |mark: &Value| {
        let note = mark.get("note").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Bookmark { at: mark.get("at")?.as_u64()?, note })
    };
    let mut bookmarks: Vec<Bookmark> = marks.filter_map(mark).collect();
    bookmarks.sort();
    let build = head.get("build").and_then(Value::as_str).map(str::to_owned);
    let origin = head.get("run").and_then(origin);
    Ok(RunFile { lines, origin, build, digest, bookmarks })
}

fn origin(run: &Value) -> Option<Origin> {
    let text = |name: &str| run.get(name).and_then(Value::as_str).map(str::to_owned);
    let texts = |name: &str| {
        let list = run.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let changes = Overrides {
        seed: run.get("seed").and_then(Value::as_u64),
        variant: text("variant"),
        until: text("until"),
        sets: texts("sets"),
        edits: texts("edits"),
    };
    Some(Origin { name: text("name")?, text: text("text")?, changes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario::{library, load};

    #[test]
    fn a_run_file_brings_its_scenario_its_changes_and_its_bookmarks_back() {
        let changes = Overrides { sets: vec!["broker.broker-a.flush=sync".to_owned()], ..Overrides::default() };
        let text = library::text("17-power-loss").unwrap();
        let scenario = load("17-power-loss", text.as_bytes(), &changes).unwrap();
        let marks = [Bookmark { at: 31, note: "断电".to_owned() }];
        let lines = "{\"format\":1,\"build\":\"0.1.0\"}\n{\"kind\":\"x\"}\n{\"digest\":\"ab\"}\n";
        let whole = written(lines, &scenario, &marks);
        for name in ["x.rmqrun", "x.jsonl"] {
            let bytes = bytes(name, whole.clone()).unwrap();
            assert!(is_one(&bytes));
            let file = read(&bytes).unwrap();
            assert_eq!((file.lines.as_str(), file.digest.as_str()), (whole.as_str(), "ab"));
            assert_eq!((file.build.as_deref(), &file.bookmarks[..]), (Some("0.1.0"), &marks[..]));
            let origin = file.origin.unwrap();
            assert_eq!((origin.text.as_str(), origin.changes.seed), (text, Some(2018)));
            assert_eq!(origin.changes.sets, changes.sets);
        }
        assert!(!is_one(text.as_bytes()));
    }

    #[test]
    fn what_is_no_run_file_is_told() {
        for (bytes, why) in [
            (&b"{\"x\":1}\n"[..], "not the head"),
            (b"{\"format\":1}\n{\"kind\":\"x\"}\n", "it was cut"),
            (b"{\"format\"", "line 1"),
            (&[0x28, 0xb5, 0x2f, 0xfd, 0], ""),
            (b"{\"format\":1}\xff", "UTF-8"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let old = read(b"{\"format\":1}\n{\"digest\":\"ab\"}\n").unwrap();
        assert_eq!((old.origin, old.bookmarks), (None, Vec::new()));
    }
}
