//! `mqlab scenario`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::lab::cli::args::{PlanArgs, Report};

/// What to do with scenario files.
#[derive(Subcommand, Debug)]
pub enum ScenarioCommand {
    /// List the scenarios of this build.
    List {
        /// What to print.
        #[arg(long, value_enum, default_value_t = Report::Text)]
        format: Report,
    },
    /// Print a scenario file; with `--resolved` what it comes to, every default included.
    Show {
        /// A scenario's name, or the path of a scenario or of a run file.
        scenario: String,
        /// Every number that decides the run.
        #[arg(long)]
        resolved: bool,
        /// What is changed.
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Write a scenario to begin with, which runs as it is and says what each line means.
    New {
        /// Its name; the file is NAME.toml.
        name: String,
        /// Where to write it; NAME.toml in this folder by default. Nothing is ever overwritten.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print the JSON schema of a scenario file, for editors.
    Schema,
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
