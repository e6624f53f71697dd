//! Changes from the command line: a seed, an end, `--set PATH=VALUE` and `--edit EDIT`.
//!
//! A path goes through tables by key and through lists by name (`broker.broker-a.flush`), by id or by number from 1; the
//! number may be left out where there is one; `*` is every entry. A value is TOML or a bare word. A table set at a fault's name replaces its verb.

use toml::{Table, Value};

use crate::lab::fault::moment::nearest;
use crate::lab::scenario::report::{Problem, Report};
use crate::lab::scenario::variant;

/// What the command line changes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Overrides {
    /// The seed.
    pub seed: Option<u64>,
    /// Which of the file's shapes is meant; the first by default.
    pub variant: Option<String>,
    /// When the run ends.
    pub until: Option<String>,
    /// `PATH=VALUE`, in order.
    pub sets: Vec<String>,
    /// Faults put in or left out, in order, after the rest (see [`edit`](super::edit)).
    pub edits: Vec<String>,
}

impl Overrides {
    /// The flags that say the same, quoted for a shell; the seed is not among them.
    pub fn flags(&self) -> String {
        let mut flags = String::new();
        let variant = self.variant.iter().map(|variant| ("variant", variant));
        let until = self.until.iter().map(|until| ("until", until));
        let sets = self.sets.iter().map(|set| ("set", set));
        for (flag, value) in variant.chain(until).chain(sets).chain(self.edits.iter().map(|edit| ("edit", edit))) {
            // An edit that begins with a dash must not look like a flag.
            let joint = if value.starts_with('-') { '=' } else { ' ' };
            flags.push_str(&format!(" --{flag}{joint}{}", quoted(value)));
        }
        flags
    }
}

/// A text as a shell takes it.
pub fn quoted(text: &str) -> String {
    match text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=".contains(c)) {
        true if !text.is_empty() => text.to_owned(),
        _ => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Keys of a fault that are not its verb.
const FAULT_KEYS: &[&str] = &["name", "at", "lasts", "off"];
/// Lists whose entries have names.
const LISTS: &[&str] = &[
    "broker", "topic", "producer", "consumer", "puller", "operator", "fault", "expect", "step", "send", "on", "reset",
];
/// Lists without names: one that has a single entry is that entry.
pub(super) const ALONE: &[&str] = &["send", "on", "call", "update_topic", "delete_topic", "wipe_write_perm", "query"];

/// A file with the changes made.
pub(crate) struct Applied {
    /// Its name, and what was changed.
    pub(crate) name: String,
    /// Its text; as it is if nothing was changed.
    pub(crate) text: String,
    /// Which of its shapes it is, if it has several.
    pub(crate) variant: Option<String>,
}

/// Makes the changes.
pub(crate) fn apply(name: &str, text: String, changes: &Overrides) -> Result<Applied, Report> {
    let is_plain = changes.until.is_none() && changes.sets.is_empty() && changes.edits.is_empty();
    // A file of several shapes says so in its own words.
    if is_plain && changes.variant.is_none() && !text.contains("variant") {
        return Ok(Applied { name: name.to_owned(), text, variant: None });
    }
    // What is wrong with the file itself is said of the file.
    super::read::script(name, &text)?;
    let mut table: Table = toml::from_str(&text).map_err(|error| {
        let help = "mend the file first".to_owned();
        refuse(
            name,
            Problem { code: "syntax", message: error.message().to_owned(), at: None, label: String::new(), help },
        )
    })?;
    let mut name = name.to_owned();
    let wanted = changes.variant.as_deref();
    let variant = variant::choose(&mut table, wanted).map_err(|problem| refuse(&name, problem))?;
    if is_plain && variant.is_none() {
        return Ok(Applied { name, text, variant: None });
    }
    if let Some(variant) = &variant {
        name.push_str(&format!(" as {variant}"));
    }
    if let Some(until) = &changes.until {
        table.insert("until".to_owned(), Value::String(until.clone()));
        name.push_str(&format!(" with until={until}"));
    }
    for set in &changes.sets {
        set_one(&mut table, set).map_err(|problem| refuse(&format!("--set {set}"), problem))?;
        name.push_str(&format!(" with {set}"));
    }
    for edit in &changes.edits {
        super::edit::apply(&mut table, edit).map_err(|problem| refuse(&format!("--edit {edit}"), problem))?;
        name.push_str(&format!(" with {edit}"));
    }
    let text = toml::to_string(&table).map_err(|error| {
        let message = format!("the changed scenario cannot be written: {error}");
        refuse(&name, Problem { code: "override", message, at: None, label: String::new(), help: String::new() })
    })?;
    Ok(Applied { name, text, variant })
}

/// A document with settings and edits made, as the command line makes them.
pub fn changed(document: &Table, sets: &[String], edits: &[String]) -> Result<Table, Problem> {
    let mut table = document.clone();
    for set in sets {
        set_one(&mut table, set)?;
    }
    for edit in edits {
        super::edit::apply(&mut table, edit)?;
    }
    Ok(table)
}

/// Why a path leads to nothing that could be set, whatever the value.
pub(super) fn leads_nowhere(document: &Table, parts: &[String], path: &str) -> Option<Problem> {
    let kinds = [Value::String(String::new()), Value::Table(Table::new()), Value::Array(Vec::new())];
    let mut tried = kinds.into_iter().map(|value| put(&mut document.clone(), parts, value, path).err());
    let first = tried.next().flatten()?;
    tried.all(|problem| problem.is_some()).then_some(first)
}

fn refuse(name: &str, problem: Problem) -> Report {
    Report::one(name, "", problem)
}

fn problem(message: String, help: String) -> Problem {
    Problem { code: "override", message, at: None, label: String::new(), help }
}

fn set_one(table: &mut Table, set: &str) -> Result<(), Problem> {
    let Some((path, value)) = set.split_once('=') else {
        return Err(problem(format!("`{set}` is not PATH=VALUE"), "e.g. --set broker.broker-a.flush=sync".to_owned()));
    };
    let value = read_value(value.trim())?;
    let parts = split_path(path.trim());
    if parts.iter().any(String::is_empty) {
        let help = "a path is keys and names joined by dots: broker.broker-a.flush".to_owned();
        return Err(problem(format!("the path `{path}` has an empty part"), help));
    }
    put(table, &parts, value, path)
}

/// Parts between dots; a part may be quoted.
pub(super) fn split_path(path: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in path.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts
}

pub(super) fn read_value(text: &str) -> Result<Value, Problem> {
    match toml::from_str::<Table>(&format!("value = {text}")).map(|mut table| table.remove("value")) {
        Ok(Some(value)) => Ok(value),
        _ if text.starts_with(['{', '[', '"', '\'']) => {
            Err(problem(format!("`{text}` is not a TOML value"), "is a bracket or a quote missing?".to_owned()))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn put(table: &mut Table, parts: &[String], value: Value, path: &str) -> Result<(), Problem> {
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    if rest.is_empty() {
        if LISTS.contains(&first.as_str()) && !value.is_array() {
            let help = format!("name one of them: {first}.NAME.KEY=VALUE");
            return Err(problem(format!("`{first}` is a list"), help));
        }
        table.insert(first.clone(), value);
        return Ok(());
    }
    match table.get_mut(first) {
        Some(Value::Table(inner)) => put(inner, rest, value, path),
        Some(Value::Array(list)) => put_in_list(list, first, rest, value, path),
        Some(_) => Err(problem(format!("`{first}` in `{path}` is a value, nothing lies below it"), String::new())),
        None if LISTS.contains(&first.as_str()) => {
            Err(problem(format!("this scenario has no `{first}`"), String::new()))
        }
        None => {
            // A table that the file leaves out.
            let mut inner = Table::new();
            put(&mut inner, rest, value, path)?;
            table.insert(first.clone(), Value::Table(inner));
            Ok(())
        }
    }
}

fn put_in_list(list: &mut [Value], kind: &str, parts: &[String], value: Value, path: &str) -> Result<(), Problem> {
    let Some((name, rest)) = parts.split_first() else { return Ok(()) };
    if name == "*" && !list.is_empty() {
        // Every entry that has such a place; one at least.
        let mut put = |entry| put_in_entry(entry, (kind, name), rest, value.clone(), path);
        let put: Vec<Result<(), Problem>> = list.iter_mut().map(&mut put).collect();
        return if put.iter().any(Result::is_ok) { Ok(()) } else { put.into_iter().collect() };
    }
    let named =
        |entry: &Value| ["name", "id"].iter().any(|key| entry.get(key).and_then(Value::as_str) == Some(name.as_str()));
    let by_number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < list.len());
    let (at, rest) = match list.iter().position(named).or(by_number) {
        Some(at) => (at, rest),
        None if list.len() == 1 && ALONE.contains(&kind) => (0, parts),
        None => return Err(unknown_entry(list, kind, name)),
    };
    put_in_entry(&mut list[at], (kind, name), rest, value, path)
}

fn put_in_entry(
    entry: &mut Value,
    (kind, name): (&str, &str),
    rest: &[String],
    value: Value,
    path: &str,
) -> Result<(), Problem> {
    let Some(entry) = entry.as_table_mut() else {
        return Err(problem(format!("`{path}` does not lead to a table"), String::new()));
    };
    if !rest.is_empty() {
        return put(entry, rest, value, path);
    }
    let Value::Table(replacement) = value else {
        let help = format!("set one of its keys: {kind}.{name}.KEY=VALUE");
        return Err(problem(format!("`{kind}.{name}` is a table"), help));
    };
    if kind == "fault" {
        let verbs: Vec<String> = entry.keys().filter(|key| !FAULT_KEYS.contains(&key.as_str())).cloned().collect();
        for verb in verbs {
            entry.remove(&verb);
        }
    }
    entry.extend(replacement);
    Ok(())
}

fn unknown_entry(list: &[Value], kind: &str, name: &str) -> Problem {
    let names: Vec<&str> =
        list.iter().filter_map(|entry| entry.get("name").or(entry.get("id")).and_then(Value::as_str)).collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is: {}", names.join(", ")),
    };
    problem(format!("no {kind} named `{name}`"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "id = 'x'\n[[broker]]\nname = 'broker-a'\n[[fault]]\nname = 'outage'\nat = '1s'\nkill = { node = 'a' }\n\
                        [[producer]]\nname = 'p'\n[[producer.send]]\ncount = 1\n";

    fn set(sets: &[&str]) -> Result<Table, Problem> {
        let mut table: Table = toml::from_str(FILE).unwrap();
        for one in sets {
            set_one(&mut table, one)?;
        }
        Ok(table)
    }

    #[test]
    fn paths_go_by_name_number_and_where_there_is_one() {
        let table = set(&["broker.broker-a.flush=sync", "producer.p.send.count=7", "profile.fix.K01=true"]).unwrap();
        assert_eq!(table["broker"][0]["flush"].as_str(), Some("sync"));
        assert_eq!(table["producer"][0]["send"][0]["count"].as_integer(), Some(7));
        assert_eq!(table["profile"]["fix"]["K01"].as_bool(), Some(true));
        let table = set(&["broker.*.flush=sync", "producer.*.send.count=7"]).unwrap();
        assert_eq!(table["broker"][0]["flush"].as_str(), Some("sync"));
        assert_eq!(table["producer"][0]["send"][0]["count"].as_integer(), Some(7));
        assert!(set(&["producer.*.on.takes=1s"]).unwrap_err().message.contains("no `on`"));
    }

    #[test]
    fn a_table_at_a_fault_replaces_its_verb_and_keeps_its_time() {
        let table = set(&["fault.outage={ pause = { node = 'a' } }"]).unwrap();
        let fault = table["fault"][0].as_table().unwrap();
        assert_eq!(fault.keys().collect::<Vec<_>>(), ["at", "name", "pause"]);
    }

    #[test]
    fn wrong_paths_and_values_are_answered() {
        let cases = [
            ("flush", "PATH=VALUE"),
            ("broker.broker-b.flush=sync", "no broker named `broker-b`"),
            ("broker=1", "is a list"),
            ("fault.outage=7", "is a table"),
            ("fault.outage={ kill", "not a TOML value"),
            ("a..b=1", "empty part"),
            ("id.x=1", "nothing lies below"),
            ("topic.orders.queues=1", "no `topic`"),
        ];
        for (wrong, part) in cases {
            let error = set(&[wrong]).unwrap_err();
            assert!(error.message.contains(part), "{wrong}: {}", error.message);
        }
        assert_eq!(set(&["broker.broker_a.flush=sync"]).unwrap_err().help, "did you mean `broker-a`?");
    }
}
