//! Pen 2: a run as one HTML file, in which it is stepped through in a browser. Nothing is fetched: data, style and script are
//! in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lab::locale::Lang;
use crate::lab::locale::page::{NO_SCRIPT, WORDS};
use crate::lab::trace::file::record_json;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::Seq;
use crate::lab::view::lines::Handles;
use crate::lab::view::moments::{Moment, Moments};
use crate::lab::view::samples::{self, Samples};
use crate::lab::view::story;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// What the page says beside the trace.
pub struct About<'a> {
    /// The scenario's title.
    pub title: &'a str,
    /// Its question.
    pub question: &'a str,
    /// The result in one line, digest included.
    pub result: &'a str,
    /// Whether everything came out as expected.
    pub as_expected: bool,
    /// The command that gives the run again.
    pub replay: &'a str,
    /// What the checkers found.
    pub findings: Vec<Told>,
    /// The views at chosen moments.
    pub samples: Samples,
}

/// A finding.
pub struct Told {
    /// The check.
    pub id: String,
    /// In a word.
    pub outcome: String,
    /// In a sentence.
    pub summary: String,
    /// Whether the guarantee holds.
    pub holds: bool,
    /// Whether that was expected.
    pub as_expected: bool,
    /// The records that show it.
    pub witness: Vec<Seq>,
}

/// The page.
pub fn of((trace, handles): (&Trace, &Handles), moments: &Moments, about: &About<'_>, lang: Lang) -> String {
    let data = data((trace, handles), moments, about, lang).to_string();
    let tag = match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    fill(&[
        ("lang", tag),
        ("build", env!("CARGO_PKG_VERSION")),
        ("title", &escaped(&format!("{} {}", trace.header.scenario, about.title))),
        ("style", STYLE.trim_end()),
        ("noscript", NO_SCRIPT.text(lang)),
        // Whatever a body holds, it ends no element.
        ("data", &data.replace('<', "\\u003c")),
        ("script", SCRIPT.trim_end()),
    ])
}

/// The page with its places filled, each once, in one pass: what is filled in is not looked at again.
fn fill(places: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(PAGE.len() + places.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = PAGE;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, after) = behind.split_once("}}").expect("every place of the page is closed");
        let (_, text) = places.iter().find(|(own, _)| *own == name).expect("every place of the page is known");
        out.push_str(before);
        out.push_str(text);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn escaped(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn data((trace, handles): (&Trace, &Handles), moments: &Moments, about: &About<'_>, lang: Lang) -> Value {
    let header = &trace.header;
    let places: BTreeMap<Seq, usize> =
        moments.all.iter().enumerate().map(|(place, moment)| (moment.seq, place)).collect();
    let nodes: Vec<Value> = header
        .nodes
        .iter()
        .map(|node| {
            let role = format!("{:?}", node.role).to_lowercase();
            json!({ "name": node.name.as_str(), "role": role, "addr": node.addr.as_str() })
        })
        .collect();
    let arrived = moments.arrived();
    let all: Vec<Value> =
        moments.all.iter().enumerate().map(|(place, one)| moment(trace, one, !arrived.contains(&place))).collect();
    let messages: Vec<Value> = (0..handles.messages.len())
        .map(|number| {
            let told = story::of(trace, handles, number, lang);
            // A story tells of departures; the rows are arrivals.
            let own = told.iter().filter_map(|line| places.get(&line.seq).copied());
            let mut own: std::collections::BTreeSet<usize> = own.collect();
            let arrivals = moments.all.iter().enumerate().filter(|(_, one)| {
                one.frame.as_ref().is_some_and(|frame| frame.comes_in)
                    && one.cause.is_some_and(|cause| own.contains(&cause))
            });
            let arrivals: Vec<usize> = arrivals.map(|(place, _)| place).collect();
            own.extend(arrivals);
            json!({ "name": handles.name(number), "moments": own })
        })
        .collect();
    let findings: Vec<Value> = about
        .findings
        .iter()
        .map(|told| {
            let witness: Vec<usize> = told.witness.iter().filter_map(|seq| places.get(seq).copied()).collect();
            json!({
                "id": told.id,
                "outcome": told.outcome,
                "summary": told.summary,
                "holds": told.holds,
                "as_expected": told.as_expected,
                "witness": witness,
            })
        })
        .collect();
    let words: serde_json::Map<String, Value> =
        WORDS.iter().map(|(name, phrase)| ((*name).to_owned(), json!(phrase.text(lang)))).collect();
    json!({
        "format": 1,
        "scenario": header.scenario.as_str(),
        "title": about.title,
        "question": about.question,
        "seed": header.seed,
        "profile": header.profile.as_str(),
        "result": about.result,
        "as_expected": about.as_expected,
        "replay": about.replay,
        "nodes": nodes,
        "moments": all,
        "messages": messages,
        "findings": findings,
        "words": words,
        "tabs": samples::VIEWS.iter().map(|tab| tab.title().text(lang)).collect::<Vec<_>>(),
        "samples": about.samples.moments.iter().map(|sample| {
            json!({ "step": sample.step, "time": sample.time, "views": sample.views })
        }).collect::<Vec<_>>(),
        "texts": about.samples.texts,
    })
}

fn moment(trace: &Trace, moment: &Moment, never_arrives: bool) -> Value {
    let frame = moment.frame.as_ref().map(|frame| {
        json!({
            "peer": frame.peer,
            "label": frame.label,
            "comes_in": frame.comes_in,
            "answers": frame.answers,
            "lost": !frame.comes_in && never_arrives,
        })
    });
    let mut fields = trace.get(moment.seq).map_or(Value::Null, |record| record_json(trace, record));
    if let Value::Object(fields) = &mut fields {
        // Told already, or of no use to a reader.
        for name in ["step", "at", "node", "kind"] {
            fields.remove(name);
        }
        if let Some(Value::String(hex)) = fields.get_mut("body")
            && let Some(text) = text_of(hex)
        {
            *hex = text;
        }
        fields.values_mut().for_each(shorten);
    }
    json!({
        "step": moment.step,
        "at": moment.at.0,
        "time": moment.at.to_string(),
        "node": moment.node,
        "kind": moment.kind,
        "text": moment.text,
        "main": moment.main,
        "cause": moment.cause,
        "frame": frame,
        "fields": fields,
    })
}

/// A body's letters, if it is text.
fn text_of(hex: &str) -> Option<String> {
    let digit = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digit).collect();
    String::from_utf8(bytes?).ok().filter(|text| !text.contains(|letter: char| letter.is_control() && letter != '\n'))
}

/// Frames and bodies in hex are cut: a page is no archive, `--to jsonl` is.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if TEXT_MAX < text.len() => {
            let cut = text.floor_char_boundary(TEXT_MAX);
            *text = format!("{}… ({})", &text[..cut], text.len());
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(map) => {
            map.remove("wire");
            map.values_mut().for_each(shorten);
        }
        _ => {}
    }
}

/// Bytes of a field's text.
const TEXT_MAX: usize = 160;
