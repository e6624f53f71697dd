//! Why something happened: the chain of causes behind an event, and what it led to.

use std::fmt::Write;

use crate::lab::locale::{self, Lang, sentences};
use crate::lab::trace::file::{PLACE, record_json};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Record, Seq};
use crate::lab::view::lines::{self, Handles};
use crate::mq::time::Time;

/// An event in a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Because {
    /// The record.
    pub seq: Seq,
    /// The step.
    pub step: u64,
    /// True time.
    pub at: Time,
    /// Whose.
    pub actor: String,
    /// Its kind.
    pub kind: &'static str,
    /// In a sentence.
    pub text: String,
}

/// An answer to *why*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// What is asked about: the records of a step, or one record.
    pub what: Vec<Because>,
    /// What led to it, nearest first.
    pub causes: Vec<Because>,
    /// What it led to at once.
    pub effects: Vec<Because>,
    /// How many causes further back were left out.
    pub further: usize,
}

/// Why a step happened: the causes of its first record, and what all of its records led to in other steps.
///
/// At most `depth` causes are told. `None` if the run has no such step.
pub fn of_step((trace, handles): (&Trace, &Handles), step: u64, depth: usize, lang: Lang) -> Option<Why> {
    let records = trace.step(step);
    let first = records.first()?;
    let tell = |record: &Record| told(trace, handles, record, lang);
    let (causes, further) = causes((trace, handles), first, depth, lang);
    let behind = trace.records().iter().filter(|record| step < record.step);
    let is_own = |cause: Seq| records.binary_search_by_key(&cause, |record| record.seq).is_ok();
    let effects = behind.filter(|record| record.cause.is_some_and(is_own)).map(tell).collect();
    Some(Why { what: records.iter().map(tell).collect(), causes, effects, further })
}

/// The causes of a record, nearest first, and how many there are beyond `depth`.
pub fn causes(
    (trace, handles): (&Trace, &Handles),
    record: &Record,
    depth: usize,
    lang: Lang,
) -> (Vec<Because>, usize) {
    let before = |record: &Record| record.cause.and_then(|cause| trace.get(cause));
    let chain: Vec<&Record> = std::iter::successors(before(record), |record| before(record)).collect();
    let causes = chain.iter().take(depth).map(|record| told(trace, handles, record, lang)).collect();
    (causes, chain.len().saturating_sub(depth))
}

/// One record in a sentence, whatever its kind.
pub fn told(trace: &Trace, handles: &Handles, record: &Record, lang: Lang) -> Because {
    let text = match lines::line(trace, handles, record, lang) {
        Some(line) => line.text,
        None => small(trace, record, lang),
    };
    let actor = record.node.map_or("FAULT", |node| trace.name(node).as_str()).to_owned();
    Because { seq: record.seq, step: record.step, at: record.at, actor, kind: record.what.kind(), text }
}

/// The sentence of a record that an account of the whole leaves out.
fn small(trace: &Trace, record: &Record, lang: Lang) -> String {
    let kind = record.what.kind();
    let Some(words) = sentences::small(kind) else { return kind.to_owned() };
    let fields = record_json(trace, record);
    let put = |value: &serde_json::Value, out: &mut dyn Write| match value {
        serde_json::Value::String(text) => out.write_str(text).is_ok(),
        serde_json::Value::Null => false,
        other => write!(out, "{other}").is_ok(),
    };
    locale::fill(words.text(lang), |name, out| {
        let is_place = name == "at" && fields.get(PLACE).is_some();
        put(&fields[if is_place { PLACE } else { name }], out) || put(&fields["frame"][name], out)
    })
}
