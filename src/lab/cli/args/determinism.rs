//! `mqlab check-determinism`.

use clap::{Args, ValueEnum};

use crate::lab::cli::args::BenchFormat;
use crate::lab::cli::hunt::asked;

/// Which runs are held against each other.
#[derive(Args, Debug, Clone)]
pub struct DeterminismArgs {
    /// A scenario's name, or the path of a scenario file; its `[hunt]` says what is drawn.
    #[arg(default_value = "26-hunt")]
    pub scenario: String,
    /// Which seeds, e.g. `0..10000`; the end is not among them.
    #[arg(long, env = "MQLAB_SEEDS", value_name = "A..B", value_parser = asked::seeds, default_value = "0..100")]
    pub seeds: std::ops::Range<u64>,
    /// `rocketmq-4.3.2` (`faithful`) or `hardened`; the scenario's own by default.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// How many threads here; the other process takes another number.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
    /// Let the other process run with this mistake planted, to see that it is found; only with `--features mutants`.
    #[arg(long, value_name = "MISTAKE", hide = true)]
    pub plant: Option<String>,
    /// What the other process is asked for.
    #[arg(long, value_enum, hide = true)]
    pub emit: Option<Emit>,
}

/// What the other process tells.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// A line for each seed.
    Briefs,
    /// The first seed's plan and every record.
    Trace,
}
