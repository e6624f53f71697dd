//! Two runs side by side: where they part, which events only one of them has, and which messages come to another end.

use std::collections::BTreeMap;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::view::life::Life;
use crate::lab::view::lines::{self, Handles, Line};

/// An event of one run beside the one of the other that should be its equal: of the same node, kind and ordinal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// In the first run; nothing if it has none.
    pub first: Option<Line>,
    /// In the second.
    pub second: Option<Line>,
}

/// A message that came to another end: its name, its state in the first run and in the second; nothing where it was not sent.
pub type Other = (String, Option<String>, Option<String>);

/// What differs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Differences {
    /// The first step whose records are not the same; nothing if the two are one run.
    pub parting: Option<u64>,
    /// Events worth telling that differ, in order of time.
    pub rows: Vec<Row>,
    /// Messages that come to another end.
    pub messages: Vec<Other>,
}

/// Holds two runs of one build against each other.
pub fn of(first: (&Trace, &Handles), second: (&Trace, &Handles), lang: Lang) -> Differences {
    let (one, two) = (first.0.records(), second.0.records());
    let same = one.iter().zip(two).take_while(|(one, two)| one == two).count();
    let parted = [one.get(same), two.get(same)].into_iter().flatten().map(|record| record.step).min();
    let Some(parting) = parted else { return Differences::default() };
    let rows = rows(&keyed(first, lang), &keyed(second, lang));
    Differences { parting: Some(parting), rows, messages: others(first, second, lang) }
}

/// Whose, of which kind, and how many of that kind came before there.
type Key = (String, &'static str, usize);

fn keyed((trace, handles): (&Trace, &Handles), lang: Lang) -> BTreeMap<Key, Line> {
    let mut counts: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    let lines = lines::of(trace, handles, lang).into_iter().filter(|line| line.main);
    let keyed = lines.map(|line| {
        let count = counts.entry((line.actor.clone(), line.kind)).or_insert(0);
        let ordinal = *count;
        *count += 1;
        ((line.actor.clone(), line.kind, ordinal), line)
    });
    keyed.collect()
}

fn rows(first: &BTreeMap<Key, Line>, second: &BTreeMap<Key, Line>) -> Vec<Row> {
    let only_second = second.keys().filter(|key| !first.contains_key(*key));
    let both = first.keys().chain(only_second).map(|key| (first.get(key), second.get(key)));
    let differ = both.filter(|(one, two)| one.map(|line| &line.text) != two.map(|line| &line.text));
    let mut rows: Vec<Row> = differ.map(|(one, two)| Row { first: one.cloned(), second: two.cloned() }).collect();
    let when = |row: &Row| {
        let each = [&row.first, &row.second].into_iter().flatten();
        each.map(|line| (line.at, line.seq)).min()
    };
    rows.sort_by_key(when);
    rows
}

/// Messages by their names, with their states at the end of both runs, where those differ.
pub fn others(first: (&Trace, &Handles), second: (&Trace, &Handles), lang: Lang) -> Vec<Other> {
    let (one, two) = (states(first, lang), states(second, lang));
    let names = one.keys().chain(two.keys().filter(|name| !one.contains_key(*name)));
    let both = names.map(|name| (name.clone(), one.get(name).cloned(), two.get(name).cloned()));
    both.filter(|(_, first, second)| first != second).map(|((_, name), first, second)| (name, first, second)).collect()
}

/// By number and name, so that they stay in the order in which they were sent.
fn states((trace, handles): (&Trace, &Handles), lang: Lang) -> BTreeMap<(usize, String), String> {
    let each = (0..handles.messages.len()).map(|number| {
        let life = Life::of(trace, handles, number);
        ((number, handles.name(number)), life.state(trace.steps()).text(lang).to_owned())
    });
    each.collect()
}
