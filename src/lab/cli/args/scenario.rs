//! `mqlab scenario`.

use std::path::PathBuf;

use clap::Subcommand;

/// What to do with scenario files.
#[derive(Subcommand, Debug)]
pub enum ScenarioCommand {
    /// Say what is wrong with a scenario, without running it.
    Check {
        /// A scenario's name, or the path of a scenario file.
        scenario: String,
    },
    /// Make a scenario of the `.properties` files of a cluster's brokers; what in them is not what it looks is told by
    /// file and line.
    Import {
        /// The files, one for each broker.
        #[arg(required = true)]
        files: Vec<String>,
        /// Where to write the scenario; standard output by default.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// End with exit code 1 if anything was told.
        #[arg(long)]
        strict: bool,
    },
}
