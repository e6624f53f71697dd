//! `mqlab diff A B`: where two runs part, and what became otherwise of which message.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::args::{DiffArgs, PlanArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::judge;
use crate::lab::cli::{INVALID, NOT_EXPECTED, against, determinism};
use crate::lab::locale::Lang;
use crate::lab::trace::compare::{self, Match, Side};
use crate::lab::trace::file;
use crate::lab::trace::log::Trace;
use crate::lab::view::life::Life;
use crate::lab::view::lines::Handles;

/// One of the two: its trace as lines, and the run itself where it was run here.
struct Told {
    name: String,
    lines: String,
    trace: Option<Trace>,
}

/// A message that came to another end: its name, its state in the first run and in the second; nothing where it was not sent.
type Other = (String, Option<String>, Option<String>);

/// Compares. Exit code 0 if every record has its equal, 1 if not.
pub(super) fn run(args: &DiffArgs, look: Look) -> Result<ExitCode> {
    let compared = told(&args.first, args, look).and_then(|first| {
        let second = told(&args.second, args, look)?;
        let parting = compare::parting(&first.lines, &second.lines, Match::ByOrdinal).map_err(|(side, why)| {
            let name = if side == Side::First { &first.name } else { &second.name };
            format!("{name} is no trace: {why}\n  help: write it again with `mqlab run --out`\n")
        })?;
        Ok((first, second, parting))
    });
    let (first, second, parting) = match compared {
        Ok(compared) => compared,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let others = match (&first.trace, &second.trace) {
        (Some(first), Some(second)) => Some(others(first, second, look.lang)),
        _ => None,
    };
    let text = match args.format {
        Report::Json => {
            let messages = others.as_ref().map(|others| others.iter().map(other_json).collect::<Vec<Value>>());
            let json = json!({ "first": first.name, "second": second.name, "parting": parting, "messages": messages });
            format!("{json:#}\n")
        }
        Report::Text => {
            let mut out = match (&parting, look.lang) {
                (None, Lang::En) => "every record has its equal: the two are one run\n".to_owned(),
                (None, Lang::Zh) => "每条记录都有对应：两者是同一次运行\n".to_owned(),
                (Some(_), Lang::En) => format!("- {}\n+ {}\n", first.name, second.name),
                (Some(_), Lang::Zh) => format!("- {}\n+ {}\n", first.name, second.name),
            };
            out.push_str(&parting.as_ref().map_or_else(String::new, |parting| determinism::parted(parting, look.lang)));
            out.push_str(&others.as_ref().map_or_else(String::new, |others| lines(others, look.lang)));
            out
        }
    };
    load::say(&text)?;
    Ok(ExitCode::from(if parting.is_some() { NOT_EXPECTED } else { 0 }))
}

/// `17-power-loss`, `17-power-loss@7`, or a file that `mqlab run --out` has written.
fn told(what: &str, args: &DiffArgs, look: Look) -> Result<Told, String> {
    let name = what.to_owned();
    if [".jsonl", ".rmqrun"].iter().any(|end| what.ends_with(end)) {
        let lines = against::read(Path::new(what)).map_err(|why| {
            format!("{what} cannot be read: {why}\n  help: name a file that `mqlab run --out` has written\n")
        })?;
        return Ok(Told { name, lines, trace: None });
    }
    let (scenario, seed) = match what.rsplit_once('@') {
        None => (what, None),
        Some((scenario, seed)) => {
            let wrong = |_| format!("`{seed}` is no seed\n  help: write `{scenario}@7`\n");
            (scenario, Some(seed.parse::<u64>().map_err(wrong)?))
        }
    };
    let mut plan: PlanArgs = args.plan.clone();
    plan.seed = seed.or(plan.seed);
    let judged = judge(load::scenario(scenario, &plan, look)?);
    let lines = file::jsonl(&judged.result.trace, &judged.result.digest);
    Ok(Told { name, lines, trace: Some(judged.result.trace) })
}

/// Messages by their names, with their states at the end of both runs, where those differ.
fn others(first: &Trace, second: &Trace, lang: Lang) -> Vec<Other> {
    let (one, two) = (states(first, lang), states(second, lang));
    let names = one.keys().chain(two.keys().filter(|name| !one.contains_key(*name)));
    let both = names.map(|name| (name.clone(), one.get(name).cloned(), two.get(name).cloned()));
    both.filter(|(_, first, second)| first != second).map(|((_, name), first, second)| (name, first, second)).collect()
}

/// By number and name, so that they stay in the order in which they were sent.
fn states(trace: &Trace, lang: Lang) -> BTreeMap<(usize, String), String> {
    let handles = Handles::of(trace);
    let each = (0..handles.messages.len()).map(|number| {
        let life = Life::of(trace, &handles, number);
        ((number, handles.name(number)), life.state(trace.steps()).text(lang).to_owned())
    });
    each.collect()
}

fn lines(others: &[Other], lang: Lang) -> String {
    if others.is_empty() {
        return match lang {
            Lang::En => "every message comes to the same end\n".to_owned(),
            Lang::Zh => "每条消息的结局相同\n".to_owned(),
        };
    }
    let mut out = match lang {
        Lang::En => format!("{} messages come to another end:\n", others.len()),
        Lang::Zh => format!("{} 条消息的结局不同：\n", others.len()),
    };
    let none = if lang == Lang::Zh { "没有发送" } else { "not sent" };
    for (name, first, second) in others {
        let (first, second) = (first.as_deref().unwrap_or(none), second.as_deref().unwrap_or(none));
        let _ = writeln!(out, "  {name:<16} {first} -> {second}");
    }
    out
}

fn other_json((name, first, second): &Other) -> Value {
    json!({ "message": name, "first": first, "second": second })
}
