//! The front door: the command line, what it prints, and its exit codes.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 as expected, 1 an expectation did not come true,
//! 2 usage, 3 nothing to judge, 4 a scenario or setting is invalid, 5 a replay diverged, 6 an exercise is not passed yet, 70 a
//! fault of the lab itself.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, FromArgMatches};

use crate::lab::bench;
use crate::lab::cli::args::{BenchArgs, BenchFormat, Cli, Command, ConfigCommand, CourseCommand, Report};
use crate::lab::fault::moment::nearest;
use crate::lab::scenario::{Scenario, library};

pub mod args;

mod about;
mod against;
mod clients;
mod config;
mod course;
mod crash_states;
mod determinism;
mod diff;
mod disk;
mod export;
mod home;
mod hunt;
mod inspect;
mod learn;
mod load;
mod matrix;
mod message;
mod mutants;
mod plain;
mod replay;
mod run;
mod scenario;
mod schema;
mod serve;
mod show;
mod shrink;
mod source;
mod tools;
mod views;
mod why;

/// An expectation did not come true.
const NOT_EXPECTED: u8 = 1;
/// clap's own exit code for a wrong command line.
const USAGE: u8 = 2;
/// A scenario or a setting is invalid.
const INVALID: u8 = 4;
/// A replay diverged.
const DIVERGED: u8 = 5;
/// An exercise is not passed yet.
const NOT_PASSED: u8 = 6;
/// The lab itself is at fault.
const LAB: u8 = 70;

/// Parses the command line and does what it says.
pub fn run() -> Result<ExitCode> {
    let named = config::named(&without_empty(Cli::command()).get_matches());
    let files = match config::files(named.as_deref()) {
        Ok(files) => files,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let matches = without_empty(config::with_defaults(Cli::command(), &files)).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let look = load::look(&cli.look);
    if cli.look.verbose {
        files.told(look.lang);
    }
    match cli.command {
        Some(Command::Learn(args)) => learn::run(&args, look),
        Some(Command::Course(CourseCommand::Check(args))) => course::check(&args, look),
        Some(Command::Run(args)) => run::run(&args, look),
        Some(Command::Replay(args)) => replay::run(&args, look),
        Some(Command::Show(view)) => show::show(&view, look),
        Some(Command::Why(args)) => why::run(&args, look),
        Some(Command::Export(args)) => export::run(&args, look),
        Some(Command::List) => scenario::list(Report::Text, look),
        Some(Command::Inspect(args)) => inspect::inspect(&args, look),
        Some(Command::Serve(args)) => serve::run(&args, look),
        Some(Command::Send(args)) => clients::send::run(&args, look),
        Some(Command::Consume(args)) => clients::consume::run(&args, look),
        Some(Command::Admin(command)) => clients::admin::run(&command, look),
        Some(Command::Bench(args)) => run_bench(&args),
        Some(Command::CrashStates(args)) => crash_states::run(&args, look),
        Some(Command::CheckDeterminism(args)) => determinism::run(&args, look),
        Some(Command::Hunt(args)) => hunt::run(&args, look),
        Some(Command::Mutants(args)) => mutants::run(&args, look),
        Some(Command::Shrink(args)) => shrink::run(&args, look),
        Some(Command::Scenario(command)) => scenario::run(&command, look),
        Some(Command::Diff(args)) => diff::run(&args, look),
        Some(Command::Keys { format }) => about::keys(format, look),
        Some(Command::Config(ConfigCommand::Show { format })) => config::show(&files, &matches, format, look),
        Some(Command::Schema { name }) => schema::print(name.as_deref(), look),
        Some(Command::Doctor) => about::doctor(look),
        Some(Command::Completions { shell }) => about::completions(shell),
        Some(Command::Man { command }) => about::man(command.as_deref()),
        None if !look.no_input && load::is_terminal() => {
            load::teach(None, look)?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            Cli::command().print_help().context("standard output can be written")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The same command line, deaf to variables that are set to nothing.
fn without_empty(command: clap::Command) -> clap::Command {
    let deaf = |argument: clap::Arg| {
        let name = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        match name.is_some_and(|name| load::environment(&name).is_none()) {
            true => argument.env(None::<&'static str>),
            false => argument,
        }
    };
    command.mut_args(deaf).mut_subcommands(without_empty)
}

fn library_scenarios() -> Result<Vec<Scenario>> {
    let load = |(name, text): &(&str, &str)| {
        crate::lab::scenario::load(name, text.as_bytes(), &Default::default())
            .context("the scenarios of this binary are sound")
    };
    library::ALL.iter().map(load).collect()
}

fn run_bench(args: &BenchArgs) -> Result<ExitCode> {
    if let Some(name) = &args.name
        && !bench::NAMES.contains(&name.as_str())
    {
        let help = match nearest(name, bench::NAMES.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", bench::NAMES.join(", ")),
        };
        load::complain(&format!("no workload named `{name}`\n  help: {help}\n"));
        return Ok(ExitCode::from(USAGE));
    }
    let report = bench::run(args.name.as_deref());
    match args.format {
        BenchFormat::Text => load::say(&report.text())?,
        BenchFormat::Json => {
            load::say(&format!("{}\n", serde_json::to_string_pretty(&report).context("a report is plain data")?))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
