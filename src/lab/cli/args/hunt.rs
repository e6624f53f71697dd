//! `mqlab hunt` and `mqlab shrink`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::lab::cli::args::BenchFormat;
use crate::lab::cli::hunt::{asked, which};

/// What is shrunk.
#[derive(Args, Debug, Clone)]
pub struct ShrinkArgs {
    /// A plan that a hunt found, or any scenario.
    pub scenario: String,
    /// Which check must stay broken, by its name or its guarantee; the first that is broken by default.
    #[arg(long, value_name = "ID")]
    pub check: Option<String>,
    /// How many steps of runs may be spent; each run costs a thousand more than it has.
    #[arg(long, value_name = "STEPS", default_value_t = crate::lab::explore::shrink::BUDGET)]
    pub budget: u64,
    /// Write the result here instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What is hunted.
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HuntArgs {
    /// What to do with parts of a hunt.
    #[command(subcommand)]
    pub command: Option<HuntCommand>,
    /// A scenario's name, or the path of a scenario file; its `[hunt]` says what is drawn.
    #[arg(default_value = "26-hunt")]
    pub scenario: String,
    /// Which seeds, e.g. `0..10000`; the end is not among them.
    #[arg(long, env = "MQLAB_SEEDS", value_name = "A..B", value_parser = asked::seeds)]
    pub seeds: Option<std::ops::Range<u64>>,
    /// Hunt for so long, e.g. `5m`; the last fifth of it is for shrinking.
    #[arg(long = "for", value_name = "SPAN", value_parser = asked::span)]
    pub length_of_time: Option<std::time::Duration>,
    /// How many threads; as many as there are cores by default. What is printed is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// `rocketmq-4.3.2` (`faithful`) or `hardened`; the scenario's own by default.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Only faults that no acknowledgement rests on.
    #[arg(long, conflicts_with = "beyond")]
    pub within: bool,
    /// Any fault; only what is promised even then is judged.
    #[arg(long)]
    pub beyond: bool,
    /// Draw only these faults, by their verbs, with commas between.
    #[arg(long, value_name = "VERBS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these faults out.
    #[arg(long, value_name = "VERBS", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Of every eight seeds run the one that is most like those that came across what is rare.
    #[arg(long)]
    pub guided: bool,
    /// How long runs are.
    #[arg(long, value_enum, default_value_t = HuntLength::Standard)]
    pub length: HuntLength,
    /// Every draft has the servers of this shape, of the four that the article has.
    #[arg(long, value_enum)]
    pub shape: Option<HuntShape>,
    /// Do not shrink what is found.
    #[arg(long)]
    pub no_shrink: bool,
    /// Write each finding's plan into this folder, under its fingerprint; a plan that stands there and is no larger stays.
    #[arg(long, value_name = "DIR")]
    pub regressions: Option<PathBuf>,
    /// Print the first seed's plan as it was drawn, or, shrunk, that of something it breaks.
    #[arg(long, value_name = "FINGERPRINT", num_args = 0..=1, require_equals = true)]
    pub print_plan: Option<Option<String>>,
    /// Hunt only this part of the seeds, e.g. `0/8` for the first of eight; `auto`: the one that the variables of a Kubernetes
    /// Indexed Job, a Slurm array or GNU parallel name.
    #[arg(long, value_name = "I/N|auto", value_parser = which::shard)]
    pub shard: Option<ShardArg>,
    /// Of how many parts the one is that the engine's variables name.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub shards: Option<u64>,
    /// Write a part's result to this file (`.json`) or folder, and shrink nothing: `mqlab hunt merge` does. A part that is there
    /// already is not hunted again.
    #[arg(long, value_name = "PATH", conflicts_with = "regressions")]
    pub out: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
}

/// Which part of a hunt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShardArg {
    /// This one, from 0, of so many.
    Part(u64, u64),
    /// The one that the engine's variables name.
    Auto,
}

/// What to do with parts of a hunt.
#[derive(Subcommand, Debug, Clone)]
pub enum HuntCommand {
    /// Put the parts of a hunt together: the report is the one of an uncut hunt.
    Merge(MergeArgs),
}

/// Which parts.
#[derive(Args, Debug, Clone)]
pub struct MergeArgs {
    /// Files that `mqlab hunt --out` has written, or folders of them; in any order, and as often as you like.
    #[arg(required = true, value_name = "PATH")]
    pub parts: Vec<PathBuf>,
    /// How many threads shrink; the result is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// Do not shrink what is found.
    #[arg(long)]
    pub no_shrink: bool,
    /// Write each finding's plan into this folder, under its fingerprint; a plan that stands there and is no larger stays.
    #[arg(long, value_name = "DIR")]
    pub regressions: Option<PathBuf>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
}

/// How long a hunt's runs are.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum HuntLength {
    /// One burst of faults, some thousand steps.
    Standard,
    /// Bursts and calm over five minutes to six hours.
    Long,
}

/// The article's four shapes of a cluster.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum HuntShape {
    /// One master.
    #[value(name = "single")]
    Single,
    /// Two masters without slaves.
    #[value(name = "2m-noslave", aliases = ["2m", "masters"])]
    Masters,
    /// Two masters with a slave each, ASYNC_MASTER.
    #[value(name = "2m-2s-async", alias = "pairs-async")]
    PairsAsync,
    /// Two masters with a slave each, SYNC_MASTER.
    #[value(name = "2m-2s-sync", alias = "pairs-sync")]
    PairsSync,
}
