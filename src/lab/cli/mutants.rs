//! `mqlab mutants`: the hunt against each mistake that can be planted.

use clap::Args;

use crate::lab::cli::args::BenchFormat;
use crate::lab::cli::hunt::asked;

#[cfg(feature = "mutants")]
mod table;

#[cfg(feature = "mutants")]
pub(super) use table::run;

/// Which mistakes are hunted.
#[derive(Args, Debug, Clone)]
pub struct MutantsArgs {
    /// Which seeds for each mistake, until one shows it; the end is not among them.
    #[arg(long, value_name = "A..B", value_parser = asked::seeds, default_value = "0..2000")]
    pub seeds: std::ops::Range<u64>,
    /// Only these mistakes, with commas between.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many threads; as many as there are cores by default. What is printed is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS")]
    pub jobs: Option<usize>,
    /// Do not shrink the plans that show them.
    #[arg(long)]
    pub no_shrink: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = BenchFormat::Text)]
    pub format: BenchFormat,
}

/// Says that this build has no mistakes, and which has.
#[cfg(not(feature = "mutants"))]
pub(super) fn run(_args: &MutantsArgs, look: super::load::Look) -> anyhow::Result<std::process::ExitCode> {
    use crate::lab::cli::{USAGE, load};
    use crate::lab::locale::Lang;
    load::complain(match look.lang {
        Lang::En => "this build has no mistakes to plant\n  help: cargo run --release --features mutants -- mutants\n",
        Lang::Zh => "此构建不含可植入的错误\n  帮助：cargo run --release --features mutants -- mutants\n",
    });
    Ok(std::process::ExitCode::from(USAGE))
}
