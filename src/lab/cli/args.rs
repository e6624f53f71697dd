//! The command line as data.

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A deterministic laboratory for Apache RocketMQ 4.3.2: one seed is one history.
#[derive(Parser, Debug)]
#[command(name = "mqlab", version)]
pub struct Cli {
    /// What to do; without it, the help.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Measure this machine: each workload beside its bare limit.
    Bench(BenchArgs),
}

/// Which workload.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// One workload; all by default.
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
    /// `{"workloads": [...]}`.
    Json,
}
