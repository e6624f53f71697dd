//! The command line as data.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::lab::cli::hunt::{asked, which};
use crate::lab::cli::mutants::MutantsArgs;

/// A deterministic laboratory for Apache RocketMQ 4.3.2: one seed is one history.
///
/// Examples:
///   mqlab                                     the list of scenarios, in the terminal
///   mqlab run 17-power-loss --no-tui          see a guarantee break, reproducibly
///   mqlab run 01-first-message --seed 7 --format json
///   mqlab show story order-1                  one message's whole trip
///   mqlab why 17-power-loss m10               why has nobody got this message?
///   mqlab export 17-power-loss --to html -o run.html
///   mqlab show progress 08-first-offset       how far each group has got, as mqadmin prints it
///   mqlab hunt 26-hunt --seeds 0..10000       draw clusters, traffic and faults, and see what breaks
///   mqlab inspect ~/store --verify            is everything in a broker's store whole?
#[derive(Parser, Debug)]
#[command(name = "mqlab", version, verbatim_doc_comment, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; without it, the list of scenarios.
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
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Draw with ASCII characters only.
    #[arg(long, global = true, env = "MQLAB_ASCII", value_parser = FalseyValueParser::new())]
    pub ascii: bool,
    /// Leave the mouse to the terminal.
    #[arg(long, global = true)]
    pub no_mouse: bool,
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
    /// Run a scenario once: in the player on a terminal, as text anywhere else.
    Run(RunArgs),
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

/// Which runs are held against each other.
#[derive(Args, Debug, Clone)]
pub struct DiffArgs {
    /// A scenario's name or file, with a seed if you like (`17-power-loss@7`); or a trace that `mqlab run --out` has written.
    #[arg(value_name = "A")]
    pub first: String,
    /// The other one.
    #[arg(value_name = "B")]
    pub second: String,
    /// How both runs are decided, where they are run here.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

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
    #[arg(long, value_name = "A..B", value_parser = asked::seeds)]
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

/// Which runs are held against each other.
#[derive(Args, Debug, Clone)]
pub struct DeterminismArgs {
    /// A scenario's name, or the path of a scenario file; its `[hunt]` says what is drawn.
    #[arg(default_value = "26-hunt")]
    pub scenario: String,
    /// Which seeds, e.g. `0..10000`; the end is not among them.
    #[arg(long, value_name = "A..B", value_parser = asked::seeds, default_value = "0..100")]
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

/// Which run.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// A scenario's name, or the path of a scenario file.
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Print text even on a terminal.
    #[arg(long)]
    pub no_tui: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Print what the applications print, with time and process; with `--quiet`, their lines alone.
    #[arg(long, conflicts_with_all = ["format", "json", "verbose"])]
    pub output: bool,
    /// Write the trace as JSON lines to this file (`.rmqrun`: compressed).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Hold the run against a trace that `--out` has written, by another build perhaps: the first record without an equal is
    /// named, matched by node, incarnation, kind and ordinal; exit code 5.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "json", "output", "out", "disk"])]
    pub against: Option<PathBuf>,
    /// Write each broker's disk as a store directory below this one, which must be empty or not there.
    #[arg(long, value_name = "DIR")]
    pub disk: Option<PathBuf>,
    /// Write the disks as they are at this event, e.g. `#64`, in place of the end.
    #[arg(long, value_name = "EVENT", value_parser = event, requires = "disk")]
    pub at: Option<u64>,
    /// How many threads a hunt may use; a single run is the same with any.
    #[arg(long, short = 'j', env = "MQLAB_JOBS", allow_negative_numbers = true)]
    pub jobs: Option<u32>,
    /// Show every event.
    #[arg(long, short)]
    pub verbose: bool,
    /// Show the result alone.
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
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

/// What a run prints.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Sentences, checks and the result.
    Text,
    /// One JSON summary.
    Json,
    /// Every record as a JSON line.
    Jsonl,
    /// One column a node.
    Lanes,
}

/// One view.
#[derive(Subcommand, Debug)]
pub enum Show {
    /// One column a node, arrows for frames.
    Lanes(ShowArgs),
    /// Topics with their clusters and groups, as `mqadmin topicList -c` prints them.
    Topics(ToolArgs),
    /// Brokers, as `mqadmin clusterList` prints them; with `--view` the first of the six views.
    Cluster(ToolOrViewArgs),
    /// How far groups have got, as `mqadmin consumerProgress` prints it; with `--group` queue by queue.
    Progress(ToolArgs),
    /// The ends of the queues, as `mqadmin topicStatus` prints them; with `--view` how far each group has got in each of them.
    Queues(ToolOrViewArgs),
    /// How far each message has come, and the trip of one.
    Messages {
        /// The run, the moment, and what is looked at.
        #[command(flatten)]
        view: ViewArgs,
        /// Only messages that have this in their name, topic, tag, body or state.
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
    },
    /// Half messages, what became of each, and how often brokers have asked.
    Transactions(ViewArgs),
    /// What is expected and judged, the events that show it, and the run in numbers.
    Checks(ViewArgs),
    /// The records of a log, where each of them is safe, and the bytes of one.
    Storage(ViewArgs),
    /// Messages that an operator would find, as `mqadmin queryMsgById`, `queryMsgByKey` and `queryMsgByUniqueKey` print them.
    Message(MessageArgs),
    /// One message's whole trip.
    Story {
        /// The message's key, its unique key, or its number (`m1`).
        key: String,
        /// Which run.
        #[command(flatten)]
        run: ShowArgs,
    },
}

/// What a tool finds out at a moment of a run.
#[derive(Args, Debug, Clone)]
pub struct ToolArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// At which virtual time, e.g. `12s`; the run's end by default.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Only this group, queue by queue.
    #[arg(long, short)]
    pub group: Option<String>,
    /// Only this topic.
    #[arg(long, short)]
    pub topic: Option<String>,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// What a tool finds out, or a view.
#[derive(Args, Debug, Clone)]
pub struct ToolOrViewArgs {
    /// What the tool is asked.
    #[command(flatten)]
    pub tool: ToolArgs,
    /// The view of that name, as the player shows it; `--at` may then be an event, too: `#31`.
    #[arg(long, conflicts_with_all = ["group", "topic"])]
    pub view: bool,
    /// What the view looks at: a message (`m1`, its key or its unique key), or a node.
    #[arg(long, value_name = "FOCUS", requires = "view")]
    pub focus: Option<String>,
}

/// A view at a moment of a run.
#[derive(Args, Debug, Clone)]
pub struct ViewArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// At which moment: a virtual time (`12s`) or an event (`#31`, before it); the run's end by default.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// What is looked at: a message (`m1`, its key or its unique key), or a node.
    #[arg(long, value_name = "FOCUS")]
    pub focus: Option<String>,
    /// What to print; the JSON's `schema` names its version.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// Which messages are looked for, and where.
#[derive(Args, Debug, Clone)]
pub struct MessageArgs {
    /// The run, the moment, and the topic to look in for a key; each topic of the run without one.
    #[command(flatten)]
    pub tool: ToolArgs,
    /// Which messages.
    #[command(flatten)]
    pub which: WhichMessage,
}

/// One way of three.
#[derive(Args, Debug, Clone)]
#[group(required = true, multiple = false)]
pub struct WhichMessage {
    /// By its offset message id.
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// By a key of the application's.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// By the id that its producer made.
    #[arg(long, value_name = "ID")]
    pub unique_key: Option<String>,
}

/// What is asked about.
#[derive(Args, Debug, Clone)]
pub struct WhyArgs {
    /// A scenario's name, or the path of a scenario file.
    pub scenario: String,
    /// An event, `#31`; or a message: its number (`m1`), its key or its unique key.
    pub focus: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Why the message is not in this state; by default in the first that it has not reached.
    #[arg(long, value_name = "STATE", value_enum)]
    pub not: Option<StateArg>,
    /// At this moment: a virtual time (`12s`) or the moment before an event (`#31`); the run's end by default.
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// How many causes to tell.
    #[arg(long, value_name = "COUNT", default_value_t = 12)]
    pub depth: usize,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// A state of a message's life.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateArg {
    /// Its application has called `send`.
    Sent,
    /// A record of it stands in a log.
    Stored,
    /// The record is durable.
    Flushed,
    /// The producer has heard that it was taken in.
    Acked,
    /// Its consume queue leads to it.
    Queued,
    /// A listener has been called with it.
    Delivered,
    /// A listener has said that it is done.
    Consumed,
}

/// What is exported, and where to.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    /// A scenario's name, or the path of a scenario file.
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// For whom.
    #[arg(long, value_enum)]
    pub to: Target,
    /// Where to write it; standard output by default.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Only what belongs to these: nodes, messages (`m1`, a key), or topics, with commas between.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Nothing before this virtual time; `--until` ends the run.
    #[arg(long, value_name = "TIME", value_parser = asked::time)]
    pub from: Option<crate::mq::time::Time>,
    /// Small events, too, and heartbeats.
    #[arg(long, short)]
    pub verbose: bool,
}

/// Who reads an export.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One file to step through in a browser; nothing is fetched.
    Html,
    /// A sequence diagram for Markdown.
    Mermaid,
    /// A timeline for ui.perfetto.dev.
    Perfetto,
    /// A log with vector clocks for ShiViz.
    Shiviz,
    /// Every record as a JSON line.
    Jsonl,
    /// What led to what, for Graphviz.
    Dot,
}

/// Which run a view is drawn of.
#[derive(Args, Debug, Clone)]
pub struct ShowArgs {
    /// A scenario's name, or the path of a scenario file.
    #[arg(default_value = "01-first-message")]
    pub scenario: String,
    /// How the run is decided.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// How many columns to use.
    #[arg(long)]
    pub width: Option<u16>,
}

/// Which store, and what of it. Without a choice: a summary.
#[derive(Args, Debug, Clone)]
pub struct InspectArgs {
    /// The store directory: the one that holds `commitlog`, `consumequeue`, `index` and `config`.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The commit log's directory, if it lies elsewhere (`storePathCommitLog`).
    #[arg(long, value_name = "DIR")]
    pub commitlog: Option<PathBuf>,
    /// Show the record that begins at this place of the log: all its fields and bytes.
    #[arg(long, value_name = "OFFSET", value_parser = place, conflicts_with_all = ["key", "queue", "verify"])]
    pub record: Option<u64>,
    /// The topic of `--queue` or `--key`.
    #[arg(long)]
    pub topic: Option<String>,
    /// Show the units of this queue of `--topic`, with the records they point at.
    #[arg(long, value_name = "ID", requires = "topic", conflicts_with_all = ["key", "verify"])]
    pub queue: Option<i32>,
    /// The first unit to show; the queue's first by default.
    #[arg(long, value_name = "NUMBER", requires = "queue")]
    pub from: Option<i64>,
    /// How many units to show.
    #[arg(long, value_name = "COUNT", requires = "queue", default_value_t = 100)]
    pub count: u64,
    /// Show the records of a key or a unique key: of `--topic`, or of every topic.
    #[arg(long, conflicts_with = "verify")]
    pub key: Option<String>,
    /// Hold every record, unit and index entry against each other; exit code 1 if something is damaged.
    #[arg(long, conflicts_with = "topic")]
    pub verify: bool,
    /// What to print.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}

/// What a report is printed as.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Lines to read.
    Text,
    /// One JSON object.
    Json,
}

/// An event's number, with or without `#`.
fn event(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix('#').unwrap_or(text);
    number.parse().map_err(|_| "an event is a number as the run prints it, e.g. `#64`".to_owned())
}

/// A place of the log, decimal or `0x…`.
fn place(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "a place is a number of bytes, e.g. `1073745920` or `0x40001000`".to_owned())
}

/// Which workload.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// One workload: ping, mini, broker, cluster, startup, append, store, recovery; all of these by default. Or tui: what the player takes.
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

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}
