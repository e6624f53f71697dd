//! `mqlab show messages|storage|transactions|checks`, and `cluster|queues` with `--view`: what the player shows, as text.

use std::process::ExitCode;

use anyhow::Result;

use crate::lab::check;
use crate::lab::cli::INVALID;
use crate::lab::cli::args::{Report, ViewArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::why::moment_of;
use crate::lab::sim::session::Session;
use crate::lab::trace::fold::Pictures;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::Level;
use crate::lab::view::lines::Handles;
use crate::lab::view::scene::{Focus, Index, Pick, Scene};
use crate::lab::view::tabs::Tab;

/// Columns of a view's text: wide enough for the names of a lesson.
const COLUMNS: usize = 160;

/// Runs the scenario and prints the view.
pub(super) fn show(tab: Tab, args: &ViewArgs, filter: Option<&str>, look: Look) -> Result<ExitCode> {
    match told((tab, filter.unwrap_or_default()), args, look) {
        Ok(text) => {
            load::say(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(text) => {
            load::complain(&text);
            Ok(ExitCode::from(INVALID))
        }
    }
}

fn told((tab, filter): (Tab, &str), args: &ViewArgs, look: Look) -> Result<String, String> {
    let scenario = load::scenario(&args.scenario, &args.plan, look)?;
    let trace = Session::run(&scenario.plan, Level::Full).trace;
    let handles = Handles::of(&trace);
    let mut focus = match &args.focus {
        None => Focus::default(),
        Some(text) => focus(&trace, &handles, text)?,
    };
    filter.clone_into(&mut focus.filter);
    let step = match &args.at {
        None => trace.steps(),
        Some(text) => moment_of(&trace, text)?,
    };
    let findings = check::run(&trace, &scenario.plan);
    let (pictures, index) = (Pictures::of(&trace), Index::of(&trace, &handles));
    let scene = Scene {
        trace: &trace,
        handles: &handles,
        pictures: &pictures,
        index: &index,
        findings: &findings,
        step: step.min(trace.steps()),
        lang: look.lang,
        focus: &focus,
        rows: usize::MAX,
    };
    let data = tab.data(&scene);
    Ok(match args.format {
        Report::Text => data.sheet(look.lang).text(COLUMNS),
        Report::Json => format!("{:#}\n", data.json()),
    })
}

/// What is looked at: a message or a node.
fn focus(trace: &Trace, handles: &Handles, text: &str) -> Result<Focus, String> {
    if let Some(message) = handles.find(text) {
        return Ok(Focus { message, ..Focus::default() });
    }
    if let Some(node) = trace.node(text) {
        return Ok(Focus { pick: Some(Pick::Node(node)), ..Focus::default() });
    }
    let nodes: Vec<&str> = trace.header.nodes.iter().map(|node| node.name.as_str()).collect();
    let messages = match handles.messages.len() {
        0 => String::new(),
        count => format!("m1 to m{count}, a message's key or unique key, or "),
    };
    Err(format!("nothing is called `{text}` in this run\n  help: {messages}a node: {}\n", nodes.join(", ")))
}
