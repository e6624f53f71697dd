//! `mqlab show`: one view of a run, as text.

use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::INVALID;
use crate::lab::cli::args::{Show, ToolArgs, ToolOrViewArgs, ViewArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::message;
use crate::lab::cli::source;
use crate::lab::cli::tools::{self, Tool};
use crate::lab::cli::views;
use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::view::lines::Handles;
use crate::lab::view::tabs::Tab;
use crate::lab::view::{lanes, story, width};

/// Draws a view.
pub(super) fn show(view: &Show, look: Look) -> Result<ExitCode> {
    let args = match view {
        Show::Lanes(args) | Show::Story { run: args, .. } => args,
        Show::Topics(args) => return tools::show(Tool::Topics, args, look),
        Show::Cluster(args) => return tool_or_view((Tool::Cluster, Tab::Cluster), args, look),
        Show::Progress(args) => return tools::show(Tool::Progress, args, look),
        Show::Queues(args) => return tool_or_view((Tool::Queues, Tab::Queues), args, look),
        Show::Messages { view, filter } => return views::show(Tab::Messages, view, filter.as_deref(), look),
        Show::Transactions(args) => return views::show(Tab::Transactions, args, None, look),
        Show::Checks(args) => return views::show(Tab::Checks, args, None, look),
        Show::Storage(args) => return views::show(Tab::Storage, args, None, look),
        Show::Message(args) => return message::show(args, look),
    };
    let trace = match source::trace(&args.scenario, &args.plan, look) {
        Ok(trace) => trace,
        Err(refusal) => return load::answer(Err(refusal)),
    };
    let columns = args.width.map_or(120, usize::from).max(20);
    match view {
        Show::Lanes(_) => load::say(&lanes(&trace, look.lang, columns))?,
        Show::Story { key, .. } => {
            let handles = Handles::of(&trace);
            let Some(number) = handles.find(key) else {
                let count = handles.messages.len();
                let help = match handles.messages.first() {
                    None => "nothing was sent in this run".to_owned(),
                    Some(_) => format!("m1 to m{count}, a message's key, or its unique key"),
                };
                load::complain(&format!("no message `{key}` in this run\n  help: {help}\n"));
                return Ok(ExitCode::from(INVALID));
            };
            let mut out = format!("{}\n", handles.name(number));
            for line in story::of(&trace, &handles, number, look.lang) {
                let head = format!("{:>9}  {:<6} {:<10} ", line.at.to_string(), format!("#{}", line.step), line.actor);
                out.push_str(&width::cut(&format!("{head}{}", line.text), columns));
                out.push('\n');
            }
            load::say(&out)?;
        }
        _ => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn tool_or_view((tool, tab): (Tool, Tab), args: &ToolOrViewArgs, look: Look) -> Result<ExitCode> {
    if !args.view {
        return tools::show(tool, &args.tool, look);
    }
    let ToolOrViewArgs { tool: ToolArgs { scenario, plan, at, format, .. }, focus, .. } = args.clone();
    views::show(tab, &ViewArgs { scenario, plan, at, focus, format }, None, look)
}

/// A run as lanes.
pub(super) fn lanes(trace: &Trace, lang: Lang, columns: usize) -> String {
    let handles = Handles::of(trace);
    let mut out = lanes::of(trace, &handles, lang).text(columns).join("\n");
    out.push('\n');
    out
}
