//! `mqlab export`: a run for other tools, or as a page.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::check::Verdict;
use crate::lab::cli::args::{ExportArgs, Target};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::run::{self, Judged};
use crate::lab::cli::source;
use crate::lab::export::{dot, mermaid, perfetto, shiviz};
use crate::lab::fault::moment::nearest;
use crate::lab::page::{self, About, Told};
use crate::lab::trace::file;
use crate::lab::trace::fold::Pictures;
use crate::lab::view::lines::Handles;
use crate::lab::view::moments::{self, Choice, Moments, Unknown};
use crate::lab::view::samples;
use crate::lab::view::scene::{Focus, Index, Scene};
use crate::lab::view::spans;

/// Runs a scenario and writes it.
pub(super) fn run(args: &ExportArgs, look: Look) -> Result<ExitCode> {
    let written = source::judged(&args.run, &args.plan, look).and_then(|(judged, _)| {
        let text = drawn(&judged, args, look)?;
        match &args.output {
            None => Ok(text),
            Some(path) => Ok(write(path, &text).map(|()| String::new())?),
        }
    });
    load::answer(written)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| {
        let help = "name a file in a folder that you may write to";
        format!("{} cannot be written: {error}\n  help: {help}\n", path.display())
    })
}

/// The export, or what is wrong with what was asked for.
fn drawn(judged: &Judged, args: &ExportArgs, look: Look) -> Result<String, String> {
    let trace = &judged.result.trace;
    let is_chosen = !args.only.is_empty() || args.from.is_some();
    if args.to == Target::Jsonl {
        let help = "the records of a choice would lack their causes: `--to mermaid` and the others take one";
        return match is_chosen {
            true => Err(format!("`--to jsonl` writes the whole run\n  help: {help}\n")),
            false => Ok(file::jsonl(trace, &judged.result.digest)),
        };
    }
    let handles = Handles::of(trace);
    let choice = Choice { only: args.only.clone(), from: args.from, heartbeats: args.verbose };
    let moments =
        moments::of(trace, &handles, &choice, look.lang).map_err(|unknown| unknown_word(judged, &handles, &unknown))?;
    Ok(match args.to {
        Target::Html => page(judged, &handles, &moments, look),
        Target::Mermaid => mermaid::of(trace, &moments, args.verbose),
        Target::Perfetto => {
            let lasting = match is_chosen {
                // What lasted belongs to nodes; of a choice only the moments are drawn.
                true => Vec::new(),
                false => spans::of(trace, &handles, look.lang),
            };
            perfetto::of(trace, &moments, &lasting, judged.result.virtual_time)
        }
        Target::Shiviz => shiviz::of(&moments),
        Target::Jsonl | Target::Dot => dot::of(trace, &moments),
    })
}

fn unknown_word(judged: &Judged, handles: &Handles, Unknown(word): &Unknown) -> String {
    let nodes = judged.result.trace.header.nodes.iter().map(|node| node.name.to_string());
    let topics = handles.messages.iter().map(|(_, message)| message.topic.to_string());
    let keys = (0..handles.messages.len())
        .filter_map(|number| handles.name(number).split_once(' ').map(|(_, key)| key.to_owned()));
    let known: Vec<String> = nodes.chain(topics).chain(keys).collect();
    let help = match nearest(word, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name a node, a topic, or a message by `m1` or its key".to_owned(),
    };
    format!("nothing in this run is called `{word}`\n  help: {help}\n")
}

/// Columns of a view's text on the page, and rows of its lists.
const COLUMNS: usize = 112;
/// See [`COLUMNS`].
const ROWS: usize = 60;

fn page(judged: &Judged, handles: &Handles, moments: &Moments, look: Look) -> String {
    let Judged { scenario, result, findings, .. } = judged;
    let (title, question) = (scenario.lesson.title.text(look.lang), scenario.lesson.question.text(look.lang));
    let told = findings.iter().map(|finding| Told {
        id: finding.id.clone(),
        outcome: run::outcome(finding, look.lang).to_owned(),
        summary: finding.summary.text(look.lang).to_owned(),
        holds: matches!(finding.verdict, Verdict::Pass),
        as_expected: finding.is_as_expected(),
        witness: match &finding.verdict {
            Verdict::Violation { witness, .. } | Verdict::Known { witness, .. } => witness.clone(),
            _ => Vec::new(),
        },
    });
    let (pictures, index) = (Pictures::of(&result.trace), Index::of(&result.trace, handles));
    let scene = Scene {
        trace: &result.trace,
        handles,
        pictures: &pictures,
        index: &index,
        findings,
        step: 0,
        lang: look.lang,
        focus: &Focus::default(),
        rows: ROWS,
    };
    let samples = samples::of(&scene, COLUMNS);
    let about = About {
        title,
        question,
        result: &format!("{}, digest {}", run::came_out(judged, look.lang), result.digest),
        as_expected: run::exit_code(judged) == 0,
        replay: &scenario.command(),
        findings: told.collect(),
        samples,
    };
    page::of((&result.trace, handles), moments, &about, look.lang)
}
