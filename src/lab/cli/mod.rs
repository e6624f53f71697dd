//! The front door: the command line, what it prints, and its exit codes.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 as asked, 2 usage, 70 a fault of the lab itself.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};

use crate::lab::bench;
use crate::lab::cli::args::{BenchArgs, BenchFormat, Cli, Command};

pub mod args;

/// Parses the command line and does what it says.
pub fn run() -> Result<ExitCode> {
    match Cli::parse().command {
        Some(Command::Bench(args)) => run_bench(&args),
        None => {
            Cli::command().print_help().context("standard output can be written")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn run_bench(args: &BenchArgs) -> Result<ExitCode> {
    if let Some(name) = &args.name
        && !bench::NAMES.contains(&name.as_str())
    {
        let nearest =
            bench::NAMES.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        eprintln!("no workload named `{name}`; did you mean `{}`?", nearest.copied().unwrap_or("mini"));
        eprintln!("workloads: {}", bench::NAMES.join(", "));
        return Ok(ExitCode::from(USAGE));
    }
    let report = bench::run(args.name.as_deref());
    match args.format {
        BenchFormat::Text => print!("{}", report.text()),
        BenchFormat::Json => {
            println!("{}", serde_json::to_string_pretty(&report).context("a report is plain data")?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// clap's own exit code for a wrong command line.
const USAGE: u8 = 2;
