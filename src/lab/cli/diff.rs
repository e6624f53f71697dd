//! `mqlab diff A B`: where two runs part, and what became otherwise of which message.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::lab::cli::args::{DiffArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::judge;
use crate::lab::cli::{INVALID, NOT_EXPECTED, against, determinism, source};
use crate::lab::locale::Lang;
use crate::lab::scenario::run_file;
use crate::lab::trace::compare::{self, Match, Side};
use crate::lab::trace::file;
use crate::lab::trace::log::Trace;
use crate::lab::view::differences::{self, Other};
use crate::lab::view::lines::Handles;

/// One of the two: its trace as lines, and the run itself where it was run here.
struct Told {
    name: String,
    lines: String,
    trace: Option<Trace>,
}

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
        (Some(first), Some(second)) => {
            let handles = (Handles::of(first), Handles::of(second));
            Some(differences::others((first, &handles.0), (second, &handles.1), look.lang))
        }
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

/// A run; of a run file the trace that stands in it, whatever build wrote it.
fn told(what: &str, args: &DiffArgs, look: Look) -> Result<Told, String> {
    let name = what.to_owned();
    let source = match source::of(what, &args.plan, look) {
        Ok(source) => source,
        // What says nothing of its scenario can be compared all the same.
        Err(why) => match against::read(Path::new(what)) {
            Ok(lines) if run_file::is_one(lines.as_bytes()) => return Ok(Told { name, lines, trace: None }),
            _ => return Err(why),
        },
    };
    let judged = judge(source.scenario);
    let trace = judged.result.trace;
    let Some(recorded) = source.recorded else {
        let lines = file::jsonl(&trace, &judged.result.digest);
        return Ok(Told { name, lines, trace: Some(trace) });
    };
    let is_it = judged.result.digest.to_string() == recorded.file.digest;
    Ok(Told { name, lines: recorded.file.lines, trace: is_it.then_some(trace) })
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
