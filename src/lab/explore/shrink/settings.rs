//! Passes 5 and 8: settings and attributes of messages go back to their defaults.

use toml::{Table, Value};

use crate::lab::explore::shrink::document::{self, Path, at, rows};
use crate::lab::explore::shrink::search::Search;

/// What a scenario is not readable without, even where the loader has a default.
const KEPT: &[&str] = &["name", "group", "topic", "subscribe", "count", "profile", "of", "on", "send"];

/// Settings of servers and clients, first all of a table, then one by one.
pub(super) fn pass(search: &mut Search<'_>) {
    let mut tables: Vec<Path> = vec![vec!["cluster".to_owned()]];
    for list in ["broker", "topic", "producer", "consumer"] {
        for number in 0..rows(&search.document, list).len() {
            tables.push(vec![list.to_owned(), number.to_string()]);
        }
    }
    for table in tables {
        lines(search, &table);
        let inner = |search: &mut Search<'_>, key: &str| {
            matches!(at(&mut search.document, &[table.clone(), vec![key.to_owned()]].concat()), Some(Value::Table(_)))
        };
        clear(search, &table);
        for key in ["disk", "network", "limits"] {
            if inner(search, key) {
                clear(search, &[table.clone(), vec![key.to_owned()]].concat());
            }
        }
    }
    // Repairs may go; a planted mistake is what is looked for, and without it something else would be found.
    search.change(|document| {
        let Some(Value::Table(profile)) = document.get_mut("profile") else { return };
        profile.retain(|key, _| key == PLANT);
        if profile.is_empty() {
            document.remove("profile");
        }
    });
}

const PLANT: &str = "plant";

/// Attributes of messages and rules.
pub(super) fn messages(search: &mut Search<'_>) {
    for (list, inner) in [("producer", "send"), ("producer", "on"), ("consumer", "on")] {
        for client in 0..rows(&search.document, list).len() {
            for block in 0..rows(rows(&search.document, list)[client], inner).len() {
                let place = vec![list.to_owned(), client.to_string(), inner.to_owned(), block.to_string()];
                if inner == "send" {
                    set(search, &place, "body", Value::String("{n}".to_owned()));
                }
                clear(search, &place);
                if inner == "send" {
                    set(search, &place, "key", Value::String("{n}".to_owned()));
                }
            }
        }
    }
    for client in 0..rows(&search.document, "consumer").len() {
        let place = vec!["consumer".to_owned(), client.to_string(), "subscribe".to_owned()];
        let Some(Value::Table(topics)) = at(&mut search.document, &place) else { continue };
        for topic in topics.keys().cloned().collect::<Vec<_>>() {
            set(search, &place, &topic, Value::String("*".to_owned()));
        }
    }
}

/// Removes a table's keys: all at once, then one by one.
fn clear(search: &mut Search<'_>, place: &Path) {
    let Some(Value::Table(table)) = at(&mut search.document, place) else { return };
    let keys: Vec<String> = table.keys().filter(|key| !KEPT.contains(&&***key)).cloned().collect();
    let remove = |document: &mut Table, keys: &[String]| {
        if let Some(Value::Table(table)) = at(document, place) {
            table.retain(|key, _| !keys.iter().any(|gone| *gone == *key));
        }
    };
    if search.change(|document| remove(document, &keys)) {
        return;
    }
    for key in keys {
        search.change(|document| remove(document, std::slice::from_ref(&key)));
    }
}

fn set(search: &mut Search<'_>, place: &Path, key: &str, value: Value) {
    search.change(|document| {
        if let Some(Value::Table(table)) = at(document, place)
            && table.contains_key(key)
        {
            table.insert(key.to_owned(), value);
        }
    });
}

/// Lines of a broker's `.properties`.
fn lines(search: &mut Search<'_>, table: &Path) {
    let place = [table.clone(), vec!["properties".to_owned()]].concat();
    let Some(text) = at(&mut search.document, &place).and_then(|value| value.as_str().map(str::to_owned)) else {
        return;
    };
    let mut left: Vec<&str> = text.lines().collect();
    for line in text.lines() {
        let fewer: Vec<&str> = left.iter().copied().filter(|other| *other != line).collect();
        let shorter = fewer.iter().map(|line| format!("{line}\n")).collect::<String>();
        let took = search.change(|document| {
            if let Some(value) = document::at(document, &place) {
                *value = Value::String(shorter);
            }
        });
        if took {
            left = fewer;
        }
    }
}
