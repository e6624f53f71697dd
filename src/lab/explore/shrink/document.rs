//! A plan's text as a document: read, changed, and written again as a person would have.

use std::fmt::Write;

use toml::{Table, Value};

/// The tables of a scenario in the order in which a person tells them.
const ORDER: &[&str] = &[
    "hunt", "plan", "cluster", "profile", "broker", "topic", "producer", "consumer", "puller", "operator", "fault",
    "step", "expect",
];
/// The keys that come first, wherever they are.
const FIRST: &[&str] = &[
    "format", "id", "seed", "until", "title", "question", "name", "role", "of", "group", "at", "lasts", "topic",
    "mode", "count", "wait", "every",
];

/// Reads a text.
pub(super) fn read(text: &str) -> Option<Table> {
    text.parse().ok()
}

/// Writes a document.
pub(super) fn write(document: &Table) -> String {
    let mut out = String::new();
    let place = |key: &str| ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len());
    keys(document).into_iter().filter(|key| place(key) == ORDER.len()).for_each(|key| {
        let _ = writeln!(out, "{key} = {}", document[key]);
    });
    for key in ORDER {
        match document.get(*key) {
            Some(Value::Table(table)) => section(&mut out, &format!("[{key}]"), key, table),
            Some(Value::Array(rows)) => {
                for row in rows.iter().filter_map(Value::as_table) {
                    section(&mut out, &format!("[[{key}]]"), key, row);
                }
            }
            _ => {}
        }
    }
    out
}

fn section(out: &mut String, head: &str, path: &str, table: &Table) {
    let _ = writeln!(out, "{}{head}", if path.contains('.') { "" } else { "\n" });
    for key in keys(table) {
        if !is_rows(&table[key]) {
            let _ = writeln!(out, "{key} = {}", table[key]);
        }
    }
    for (key, value) in table {
        if is_rows(value)
            && let Value::Array(rows) = value
        {
            for row in rows.iter().filter_map(Value::as_table) {
                section(out, &format!("[[{path}.{key}]]"), &format!("{path}.{key}"), row);
            }
        }
    }
}

/// Rows of tables get heads of their own; everything else stands on one line.
fn is_rows(value: &Value) -> bool {
    matches!(value, Value::Array(rows) if !rows.is_empty() && rows.iter().all(Value::is_table))
}

fn keys(table: &Table) -> Vec<&str> {
    let place = |key: &str| FIRST.iter().position(|known| *known == key).unwrap_or(FIRST.len());
    let mut keys: Vec<&str> = table.keys().map(String::as_str).collect();
    keys.sort_by_key(|key| place(key));
    keys
}

/// The rows of a list of tables; none where there is no such list.
pub(super) fn rows<'a>(table: &'a Table, list: &str) -> Vec<&'a Table> {
    let rows = table.get(list).and_then(Value::as_array);
    rows.into_iter().flatten().filter_map(Value::as_table).collect()
}

/// A row of a list of tables.
pub(super) fn row<'a>(table: &'a mut Table, list: &str, at: usize) -> Option<&'a mut Table> {
    table.get_mut(list)?.as_array_mut()?.get_mut(at)?.as_table_mut()
}

/// Keeps of a list of tables what is wanted; an empty list goes.
pub(super) fn keep(table: &mut Table, list: &str, mut wanted: impl FnMut(usize, &Table) -> bool) {
    if let Some(Value::Array(rows)) = table.get_mut(list) {
        let mut at = 0;
        rows.retain(|row| {
            at += 1;
            row.as_table().is_some_and(|row| wanted(at - 1, row))
        });
        if rows.is_empty() {
            table.remove(list);
        }
    }
}

/// A text of a table.
pub(super) fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}

/// Whether a name stands anywhere in a value.
pub(super) fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name || text.split(['@', ':', '/']).any(|part| part == name),
        Value::Array(values) => values.iter().any(|value| names(value, name)),
        Value::Table(table) => table.values().any(|value| names(value, name)),
        _ => false,
    }
}

/// Removes every fault that speaks of a name, and every table's list entry that is the name.
pub(super) fn forget(document: &mut Table, name: &str) {
    keep(document, "fault", |_, fault| !fault.iter().any(|(key, value)| key != "name" && names(value, name)));
    if let Some(Value::Array(topics)) = document.get_mut("topic") {
        for topic in topics.iter_mut().filter_map(Value::as_table_mut) {
            if let Some(Value::Array(on)) = topic.get_mut("on") {
                on.retain(|broker| broker.as_str() != Some(name));
            }
        }
    }
}

/// A place in a document: keys, and numbers of rows as text.
pub(super) type Path = Vec<String>;

/// Every place that holds no table and no row, in order.
pub(super) fn leaves(value: &Value, path: &Path, out: &mut Vec<Path>) {
    let mut go = |key: String, value: &Value| leaves(value, &[path.clone(), vec![key]].concat(), out);
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| go(key.clone(), value)),
        Value::Array(rows) => rows.iter().enumerate().for_each(|(at, value)| go(at.to_string(), value)),
        _ => out.push(path.clone()),
    }
}

/// What stands at a place.
pub(super) fn at<'a>(document: &'a mut Table, path: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    let mut value = document.get_mut(first)?;
    for key in rest {
        value = match value {
            Value::Table(table) => table.get_mut(key)?,
            Value::Array(rows) => rows.get_mut(key.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Milliseconds of a span as a plan writes it; nothing where it is none.
pub(super) fn millis(value: &Value) -> Option<u64> {
    let span = crate::lab::fault::moment::span(value.as_str()?).ok()?;
    Some(span.0.div_ceil(1_000_000))
}

/// A span for people.
pub(super) fn span(millis: u64) -> Value {
    match millis % 1_000 {
        0 if millis > 0 => Value::String(format!("{}s", millis / 1_000)),
        _ => Value::String(format!("{millis}ms")),
    }
}

#[cfg(test)]
mod tests {
    use crate::lab::scenario::{library, load};

    #[test]
    fn a_scenario_that_is_read_and_written_is_the_same_plan() {
        for (name, text) in library::ALL {
            let again = super::write(&super::read(text).unwrap());
            let plan = |text: &str| load(name, text.as_bytes(), &Default::default()).unwrap().plan;
            assert_eq!(plan(&again), plan(text), "{again}");
        }
    }

    #[test]
    fn what_names_a_node_that_is_gone_goes_with_it() {
        let text = "[[topic]]\non = ['a', 'b']\n[[fault]]\nname = 'b'\nkill = { node = 'a' }\n\
                    [[fault]]\nname = 'x'\ncut = { from = 'c', to = 'b' }\n[[fault]]\nat = 'recovered@b'\n";
        let mut document = super::read(text).unwrap();
        super::forget(&mut document, "b");
        let left = super::rows(&document, "fault");
        assert_eq!(left.len(), 1);
        assert_eq!(super::text(left[0], "name"), Some("b"));
        assert_eq!(document["topic"][0]["on"].as_array().unwrap().len(), 1);
    }
}
