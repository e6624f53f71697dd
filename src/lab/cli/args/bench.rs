//! `mqlab bench` and `mqlab crash-states`.

use clap::{Args, ValueEnum};

use crate::lab::cli::args::seed;

/// Which workload.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// One workload: ping, mini, broker, cluster, startup, append, store, recovery; all of these by default. Or serve: sends over real sockets; or tui: what the player takes.
    pub name: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
}

/// What a benchmark prints.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchFormat {
    /// A table.
    Text,
    /// `{"workloads": [...]}`, and `{"mutants": [...]}` of `mqlab mutants`.
    Json,
}

/// Which crash states.
#[derive(Args, Debug, Clone)]
pub struct CrashArgs {
    /// Which weaknesses the store has: `rocketmq-4.3.2` (alias `faithful`) or `hardened`.
    #[arg(long, default_value = "rocketmq-4.3.2")]
    pub profile: String,
    /// 1: crashes in the workloads; 2: inside each recovery, too; and so on.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=4))]
    pub depth: u32,
    /// List up to 2^14 states at a moment instead of 2^8.
    #[arg(long)]
    pub deep: bool,
    /// One workload; all by default. May be repeated.
    #[arg(long = "workload", value_name = "NAME")]
    pub workloads: Vec<String>,
    /// Plant a mistake, to see that it is found; only in a build with `--features mutants`.
    #[arg(long, value_name = "MISTAKE")]
    pub plant: Option<String>,
    /// In which order the file system makes names and content durable.
    #[arg(long, value_enum, default_value_t = FileSystem::Ordered)]
    pub personality: FileSystem,
    /// What random choices are drawn from.
    #[arg(long, env = "MQLAB_SEED", default_value_t = 1, value_parser = seed)]
    pub seed: u64,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
    /// How many threads to use; the output is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
}

/// A file system's personality.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystem {
    /// Names in order, and none missing that came before a store that survives.
    Ordered,
    /// Names in order, not ordered with stores; lengths may survive without content.
    Writeback,
    /// Any names. The release forces no folder, so that neither profile keeps its guarantees here.
    Reordering,
    /// Everything up to a moment.
    Strict,
}
