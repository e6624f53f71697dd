//! Places in a scenario file: where two files differ, and which paths of `--set` lead there.

use std::fmt;
use std::ops::Range;

use toml::de::{DeArray, DeTable, DeValue};
use toml::{Table, Value};

use crate::lab::scenario::overrides::{ALONE, split_path};

/// One step down into a document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// To a key of a table.
    Key(String),
    /// To an entry of a list, from 0.
    At(usize),
}

/// A place in a document: the steps that lead there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Place(pub Vec<Step>);

impl Place {
    /// As `--set` writes it, with the names that the entries have in the document.
    pub fn path(&self, document: &Table) -> String {
        let mut path = String::new();
        for (number, step) in self.0.iter().enumerate() {
            let dot = if number > 0 { "." } else { "" };
            let part = match step {
                Step::Key(key) => key.clone(),
                Step::At(at) => {
                    let entry = Place(self.0[..=number].to_vec());
                    let named = entry.value(document).and_then(name);
                    named.map_or_else(|| (at + 1).to_string(), str::to_owned)
                }
            };
            path.push_str(&format!("{dot}{}", shown(&part)));
        }
        path
    }

    /// What stands there.
    pub fn value<'a>(&self, document: &'a Table) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let Step::Key(key) = first else { return None };
        rest.iter().try_fold(document.get(key)?, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::At(at) => value.get(*at),
        })
    }
}

/// Which bytes of a file hold what stands at a place; its table's, if the file has nothing there.
pub fn span(text: &str, place: &Place) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut here = Here::Table(document.get_ref());
    for step in &place.0 {
        let value = match (&here, step) {
            (Here::Table(table), Step::Key(key)) => table.get(key.as_str()),
            (Here::List(list), Step::At(at)) => list.get(*at),
            _ => None,
        };
        let Some(value) = value else { break };
        found = Some(value.span());
        here = match value.get_ref() {
            DeValue::Table(table) => Here::Table(table),
            DeValue::Array(list) => Here::List(list),
            _ => break,
        };
    }
    found
}

/// What a step goes down from.
enum Here<'a, 'b> {
    Table(&'a DeTable<'b>),
    List(&'a DeArray<'b>),
}

/// A key as a path writes it.
fn shown(key: &str) -> String {
    if key.contains('.') { format!("\"{key}\"") } else { key.to_owned() }
}

/// Where two documents differ: each place as deep as it goes. A list differs at the entries that one lacks.
pub fn differences(one: &Table, other: &Table) -> Vec<Place> {
    let mut all = Vec::new();
    of_tables(one, other, &mut Vec::new(), &mut all);
    all
}

fn of_tables(one: &Table, other: &Table, at: &mut Vec<Step>, all: &mut Vec<Place>) {
    let more = other.iter().filter(|(key, _)| !one.contains_key(*key));
    for (key, _) in one.iter().chain(more) {
        at.push(Step::Key(key.clone()));
        of_values(one.get(key), other.get(key), at, all);
        at.pop();
    }
}

fn of_values(one: Option<&Value>, other: Option<&Value>, at: &mut Vec<Step>, all: &mut Vec<Place>) {
    match (one, other) {
        (Some(Value::Table(one)), Some(Value::Table(other))) => of_tables(one, other, at, all),
        // A table that one of them leaves out is one without keys; an entry of a list is there or not.
        (Some(Value::Table(table)), None) if is_key(at) && !table.is_empty() => {
            of_tables(table, &Table::new(), at, all)
        }
        (None, Some(Value::Table(table))) if is_key(at) && !table.is_empty() => {
            of_tables(&Table::new(), table, at, all)
        }
        // Tables in a list are entries; anything else in one is a value.
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.iter().chain(other).all(Value::is_table) => {
            for place in 0..one.len().max(other.len()) {
                at.push(Step::At(place));
                of_values(one.get(place), other.get(place), at, all);
                at.pop();
            }
        }
        (one, other) if one == other => {}
        _ => all.push(Place(at.clone())),
    }
}

fn is_key(at: &[Step]) -> bool {
    matches!(at.last(), Some(Step::Key(_)))
}

/// A path of `--set` in which `*` is any name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads one.
    pub fn new(text: &str) -> Pattern {
        Pattern(split_path(text))
    }

    /// Its parts between dots.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// Whether a place of the document is meant, or lies below one that is.
    pub fn covers(&self, place: &Place, document: &Table) -> bool {
        let (Some((part, parts)), Some((Step::Key(key), steps))) = (self.0.split_first(), place.0.split_first()) else {
            return false;
        };
        (part == key || part == "*") && is_below(document.get(key), key, parts, steps)
    }
}

/// Whether the steps go along the parts to their end.
fn is_below(here: Option<&Value>, kind: &str, parts: &[String], steps: &[Step]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    let Some((step, steps)) = steps.split_first() else { return false };
    match step {
        Step::Key(key) => {
            let next = here.and_then(|value| value.get(key.as_str()));
            (part == key || part == "*") && is_below(next, key, rest, steps)
        }
        Step::At(at) => {
            let entry = here.and_then(|value| value.get(*at));
            let is_named = part == "*" || entry.and_then(name) == Some(part.as_str()) || *part == (at + 1).to_string();
            (is_named && is_below(entry, kind, rest, steps))
                || (ALONE.contains(&kind) && is_below(entry, kind, parts, steps))
        }
    }
}

/// What an entry of a list is called.
pub(super) fn name(entry: &Value) -> Option<&str> {
    entry.get("name").or(entry.get("id")).and_then(Value::as_str)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.0.iter().enumerate() {
            write!(f, "{}{}", if number > 0 { "." } else { "" }, shown(part))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "id = 'x'\n[[broker]]\nname = 'broker-a'\nflush = 'async'\n[[producer]]\nname = 'p'\n\
                        [[producer.send]]\ncount = 1\n[[producer.send]]\ncount = 2\n";

    fn document(text: &str) -> Table {
        toml::from_str(text).expect("TOML")
    }

    fn changed(from: &str, to: &str) -> Vec<String> {
        let (one, other) = (document(FILE), document(&FILE.replace(from, to)));
        differences(&one, &other).iter().map(|place| place.path(&other)).collect()
    }

    #[test]
    fn differences_are_named_by_the_path_that_sets_them() {
        assert_eq!(changed("'async'", "'sync'"), ["broker.broker-a.flush"]);
        assert_eq!(changed("flush = 'async'", ""), ["broker.broker-a.flush"]);
        assert_eq!(changed("count = 2", "count = 2\nkey = 'k'"), ["producer.p.send.2.key"]);
        assert_eq!(changed("count = 2\n", "count = 2\n[[fault]]\nname = 'f'\n"), ["fault"]);
        assert_eq!(changed("[[producer.send]]\ncount = 2\n", ""), ["producer.p.send.2"]);
        assert_eq!(changed("id = 'x'", "id = 'x'\n[profile.fix]\nK01 = true"), ["profile.fix.K01"]);
        assert_eq!(changed("id = 'x'", "id = 'x'"), [""; 0]);
    }

    #[test]
    fn a_pattern_covers_what_it_names_and_what_lies_below() {
        let one = document(FILE);
        let place = Place(vec![
            Step::Key("producer".into()),
            Step::At(0),
            Step::Key("send".into()),
            Step::At(1),
            Step::Key("count".into()),
        ]);
        for covers in [
            "producer.*.send.count",
            "producer.p.send.2.count",
            "producer.p.send",
            "producer.1.send.*.count",
            "producer",
        ] {
            assert!(Pattern::new(covers).covers(&place, &one), "{covers}");
        }
        for other in [
            "producer.q.send.count",
            "producer.p.send.1.count",
            "producer.*.send.key",
            "broker.*.flush",
            "producer.p.send.2.count.x",
        ] {
            assert!(!Pattern::new(other).covers(&place, &one), "{other}");
        }
        assert_eq!(place.value(&one).and_then(Value::as_integer), Some(2));
    }
}
