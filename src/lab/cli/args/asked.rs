//! `mqlab why`, `mqlab diff`, `mqlab export`: what is asked of runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::lab::cli::args::{PlanArgs, Report};
use crate::lab::cli::hunt::asked;

/// Which runs are held against each other.
#[derive(Args, Debug, Clone)]
pub struct DiffArgs {
    /// A scenario's name or file, with a seed if you like (`17-power-loss@7`); or a run file that `mqlab run --out` has written.
    #[arg(value_name = "A")]
    pub first: String,
    /// The other one.
    #[arg(value_name = "B")]
    pub second: String,
    /// How both runs are decided, where they are run here.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// What is asked about.
#[derive(Args, Debug, Clone)]
pub struct WhyArgs {
    /// A scenario's name, with a seed if you like (`17-power-loss@7`); the path of a scenario or of a run file; `-`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// An event, `#31`; or a message: its number (`m1`), its key or its unique key.
    pub focus: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Why the message is not in this state; by default in the first that it has not reached.
    #[arg(long, value_name = "STATE", value_enum)]
    pub not: Option<StateArg>,
    /// At this moment: a virtual time (`12s`) or the moment before an event (`#31`); the run's end by default.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// How many causes to tell.
    #[arg(long, value_name = "COUNT", default_value_t = 12)]
    pub depth: usize,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// A state of a message's life.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateArg {
    /// Its application has called `send`.
    #[value(alias = "发出")]
    Sent,
    /// A record of it stands in a log.
    #[value(alias = "写入")]
    Stored,
    /// The record is durable.
    #[value(alias = "落盘")]
    Flushed,
    /// The producer has heard that it was taken in.
    #[value(alias = "确认")]
    Acked,
    /// Its consume queue leads to it.
    #[value(alias = "入队")]
    Queued,
    /// A listener has been called with it.
    #[value(alias = "投递")]
    Delivered,
    /// A listener has said that it is done.
    #[value(alias = "消费")]
    Consumed,
}

/// What is exported, and where to.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// A scenario's name, with a seed if you like (`17-power-loss@7`); the path of a scenario or of a run file; `-`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// For whom.
    #[arg(long, value_enum)]
    pub to: Target,
    /// Where to write it; standard output by default.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only what belongs to these: nodes, messages (`m1`, a key), or topics, with commas between.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Nothing before this virtual time; `--until` ends the run.
    #[arg(long, value_name = "TIME", value_parser = asked::time)]
    pub from: Option<crate::mq::time::Time>,
    /// Small events, too, and heartbeats.
    #[arg(long, short)]
    pub verbose: bool,
}

/// Who reads an export.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One file to step through in a browser; nothing is fetched.
    Html,
    /// A sequence diagram for Markdown.
    Mermaid,
    /// A timeline for ui.perfetto.dev.
    Perfetto,
    /// A log with vector clocks for ShiViz.
    Shiviz,
    /// Every record as a JSON line.
    Jsonl,
    /// What led to what, for Graphviz.
    Dot,
}
