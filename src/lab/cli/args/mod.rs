//! The command line as data.

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lab::cli::mutants::MutantsArgs;

mod asked;
mod bench;
mod clients;
mod course;
mod determinism;
mod hunt;
mod inspect;
mod learn;
mod run;
mod scenario;
mod serve;
mod show;

pub use asked::{DiffArgs, ExportArgs, StateArg, Target, WhyArgs};
pub use bench::{BenchArgs, BenchFormat, CrashArgs, FileSystem};
pub use clients::{AdminCommand, ClusterArgs, ConsumeArgs, From, QueryArgs, SendArgs};
pub use course::{CourseArgs, CourseCommand};
pub use determinism::{DeterminismArgs, Emit};
pub use hunt::{HuntArgs, HuntCommand, HuntLength, HuntShape, MergeArgs, ShardArg, ShrinkArgs};
pub use inspect::InspectArgs;
pub use learn::{CheckArgs, LearnArgs, LearnCommand};
pub use run::{Format, ReplayArgs, RunArgs};
pub use scenario::ScenarioCommand;
pub use serve::ServeArgs;
pub use show::{MessageArgs, Show, ShowArgs, ToolArgs, ToolOrViewArgs, ViewArgs, WhichMessage};

/// A deterministic laboratory for Apache RocketMQ 4.3.2: one seed is one history.
///
/// Examples:
///   mqlab                                     lessons, a tour, a sandbox, in the terminal
///   mqlab learn next                          the lesson that comes next
///   mqlab run 17-power-loss --no-tui          see a guarantee break, reproducibly
///   mqlab run 01-first-message --seed 7 --format json
///   mqlab show story order-1                  one message's whole trip
///   mqlab why 17-power-loss m10               why has nobody got this message?
///   mqlab export 17-power-loss --to html -o run.html
///   mqlab show progress 08-first-offset       how far each group has got, as mqadmin prints it
///   mqlab hunt 26-hunt --seeds 0..10000       draw clusters, traffic and faults, and see what breaks
///   mqlab serve                               a RocketMQ on 127.0.0.1:9876, with faults on a switch
///   mqlab send orders hello                   a message to it; `mqlab consume orders` prints what comes
///   mqlab inspect ~/store --verify            is everything in a broker's store whole?
#[derive(Parser, Debug)]
#[command(name = "mqlab", version, verbatim_doc_comment, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; without it, the first screen: lessons, a tour, a sandbox.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the terminal is used.
    #[command(flatten)]
    pub look: Look,
}

/// How the terminal is used.
#[derive(Args, Debug, Clone)]
pub struct Look {
    /// The language of narration and sentences.
    #[arg(long, global = true, env = "MQLAB_LANG", value_enum)]
    pub lang: Option<Lang>,
    /// When to use colour.
    #[arg(long, global = true, env = "MQLAB_COLOR", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Draw with ASCII characters only.
    #[arg(long, global = true, env = "MQLAB_ASCII", value_parser = FalseyValueParser::new())]
    pub ascii: bool,
    /// Leave the mouse to the terminal.
    #[arg(long, global = true, env = "MQLAB_NO_MOUSE", value_parser = FalseyValueParser::new())]
    pub no_mouse: bool,
    /// Which colours the terminal program uses; `auto` asks `COLORFGBG` for the ground.
    #[arg(long, global = true, env = "MQLAB_THEME", value_enum, default_value_t = Theme::Auto)]
    pub theme: Theme,
    /// Playing jumps from stop to stop instead of moving.
    #[arg(long, global = true, env = "MQLAB_REDUCED_MOTION", value_parser = FalseyValueParser::new())]
    pub reduced_motion: bool,
    /// Ask nobody anything: print text where the terminal program would open.
    #[arg(long, global = true, env = "MQLAB_NO_INPUT", value_parser = FalseyValueParser::new())]
    pub no_input: bool,
    /// Say more.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Say less: no notes.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Keep what lies between two visits in this folder.
    #[arg(long, global = true, env = "MQLAB_DATA", value_name = "FOLDER", hide = true)]
    pub data: Option<std::path::PathBuf>,
    /// Read settings from this file alone.
    #[arg(long, global = true, env = "MQLAB_CONFIG", value_name = "FILE")]
    pub config: Option<std::path::PathBuf>,
}

/// Which colours are used.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the terminal's ground asks for.
    Auto,
    /// For a dark ground.
    Dark,
    /// For a light ground.
    Light,
    /// The brightest colours.
    HighContrast,
    /// No colours.
    Mono,
}

/// A language.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// 中文.
    Zh,
}

/// When to use colour.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Take lessons and do their exercises: checked, with hints and answers.
    Learn(LearnArgs),
    /// Look after the lessons themselves.
    #[command(subcommand)]
    Course(CourseCommand),
    /// Run a scenario once: in the player on a terminal, as text anywhere else.
    Run(RunArgs),
    /// See a run again: of a run file, which must come out as it was written and keeps your bookmarks, or of a scenario.
    Replay(ReplayArgs),
    /// Draw one view of a run as text.
    #[command(subcommand)]
    Show(Show),
    /// Say why something happened, or has not happened yet.
    Why(WhyArgs),
    /// Write a run in the language of another tool, or as a page to step through in a browser.
    Export(ExportArgs),
    /// List the scenarios.
    List,
    /// Look into a store directory, a production broker's too; nothing is ever written.
    Inspect(InspectArgs),
    /// Be a RocketMQ: the same nameserver and brokers behind real ports, for real clients, with faults on a switch.
    Serve(ServeArgs),
    /// Send messages to a RocketMQ 4.x, one that `mqlab serve` serves or any other.
    Send(Box<SendArgs>),
    /// Consume from a RocketMQ 4.x as a push consumer does, and print what comes.
    Consume(Box<ConsumeArgs>),
    /// Ask a RocketMQ 4.x what `mqadmin` asks: topics, routes, progress, messages.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Measure this machine: each workload beside its bare limit.
    Bench(BenchArgs),
    /// Go through every state in which a crash can leave a store.
    CrashStates(CrashArgs),
    /// Run a scenario with many seeds, and group what breaks.
    Hunt(HuntArgs),
    /// Run seeds twice here and once in another process with another environment: is one seed one history?
    CheckDeterminism(DeterminismArgs),
    /// Hunt each mistake that can be planted; only in a build with `--features mutants`.
    Mutants(MutantsArgs),
    /// Make a scenario as small as it can be while it still breaks the same guarantee.
    Shrink(ShrinkArgs),
    /// Look at scenario files, or make one of a broker's own settings.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Where two runs part, and what became otherwise of which message.
    Diff(DiffArgs),
    /// Print every key of the terminal program.
    Keys {
        /// What to print.
        #[arg(long, value_enum, default_value_t = Report::Text)]
        format: Report,
    },
    /// Print settings and where each comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the JSON schema of a scenario file or of what a command prints; without a name, which there are.
    Schema {
        /// Of what.
        name: Option<String>,
    },
    /// Say what the terminal program finds here: size, locale, colours.
    Doctor,
    /// Print a shell's completions.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of the whole or of one command, for `man -l -`.
    Man {
        /// Which command.
        command: Option<String>,
    },
}

/// What decides a run.
#[derive(Args, Debug, Clone, Default)]
pub struct PlanArgs {
    /// The seed; the scenario's own by default.
    #[arg(long, env = "MQLAB_SEED", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Which shape of a scenario that has several; `run` runs all of them by default.
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// End the run at this virtual time, e.g. `40s`.
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Change one setting, e.g. `broker.broker-a.flush=sync`. May be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// Put a fault in (`+kill broker-a @1.2s`) or leave one out (`-outage`). May be repeated.
    #[arg(long = "edit", value_name = "EDIT", allow_hyphen_values = true)]
    pub edits: Vec<String>,
}

/// What to do with settings.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Every setting with its value and its origin: flag, environment, ./mqlab.toml, the user's file, default.
    Show {
        /// What to print.
        #[arg(long, value_enum, default_value_t = Report::Text)]
        format: Report,
    },
}

/// What a report is printed as.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Lines to read.
    Text,
    /// One JSON object.
    Json,
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}
