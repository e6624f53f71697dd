//! `mqlab run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::lab::cli::args::PlanArgs;

/// Which run.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// A scenario's name, with a seed if you like (`17-power-loss@7`); the path of a scenario or of a run file; `-`.
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Print text even on a terminal.
    #[arg(long)]
    pub no_tui: bool,
    /// The player as a dialogue of lines, for screen readers and pipes; `help` tells what may be typed.
    #[arg(long, conflicts_with_all = ["no_tui", "format", "json", "output", "out", "against", "disk"])]
    pub plain: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Print what the applications print, with time and process; with `--quiet`, their lines alone.
    #[arg(long, conflicts_with_all = ["format", "json", "verbose"])]
    pub output: bool,
    /// Write the trace as JSON lines to this file (`.rmqrun`: compressed).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Hold the run against a trace that `--out` has written, by another build perhaps: the first record without an equal is
    /// named, matched by node, incarnation, kind and ordinal; exit code 5.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "json", "output", "out", "disk"])]
    pub against: Option<PathBuf>,
    /// Write each broker's disk as a store directory below this one, which must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub disk: Option<PathBuf>,
    /// Write the disks as they are at this event, e.g. `#64`, in place of the end.
    #[arg(long, value_name = "EVENT", value_parser = event, requires = "disk")]
    pub at: Option<u64>,
    /// How many threads a hunt may use; a single run is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS", allow_negative_numbers = true)]
    pub jobs: Option<u32>,
    /// Show every event.
    #[arg(long, short)]
    pub verbose: bool,
    /// Show the result alone.
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// Which run is seen again.
#[derive(Args, Debug, Clone)]
pub struct ReplayArgs {
    /// A run file that `mqlab run --out` has written; a scenario's name, with a seed if you like (`17-power-loss@7`); the path
    /// of a scenario file or of a plan that a hunt found; `-`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Where the player begins, and what is told as text: an event (`#31`), a time (`1.25s`), a message (`m10`), `violation`, `first:send-ok`.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// Refuse a run file of another build instead of comparing.
    #[arg(long)]
    pub strict_build: bool,
    /// Print text even on a terminal.
    #[arg(long)]
    pub no_tui: bool,
    /// The player as a dialogue of lines, for screen readers and pipes; `help` tells what may be typed.
    #[arg(long, conflicts_with = "no_tui")]
    pub plain: bool,
    /// Show every event.
    #[arg(long, short)]
    pub verbose: bool,
}

/// What a run prints.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Sentences, checks and the result.
    Text,
    /// One JSON summary.
    Json,
    /// Every record as a JSON line.
    Jsonl,
    /// One column a node.
    Lanes,
}

/// An event's number, with or without `#`.
fn event(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map_err(|_| "an event is a number as the run prints it, e.g. `#64`".to_owned())
}
