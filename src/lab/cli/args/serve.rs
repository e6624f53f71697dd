//! `mqlab serve`.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Args;

use crate::lab::cli::args::Report;

/// What is served, and how.
#[derive(Args, Debug, Clone)]
pub struct ServeArgs {
    /// The nameserver's port; 0 takes a free one and prints it.
    #[arg(long, value_name = "PORT", default_value_t = 9_876)]
    pub nameserver_port: u16,
    /// The broker's port, the VIP channel's is two below, replication's one above; 0 takes a free one and prints it.
    #[arg(long, value_name = "PORT", default_value_t = 10_911)]
    pub broker_port: u16,
    /// Keep files in this folder, a folder below it for each node; a temporary one by default.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Serve the nameservers and brokers of a scenario, or of a file of one: masters, slaves, topics, settings.
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: Option<String>,
    /// A broker's settings, as `mqbroker -c` takes them.
    #[arg(long, value_name = "FILE")]
    pub properties: Option<PathBuf>,
    /// One setting of the broker, or of one of them: `flushDiskType=SYNC_FLUSH`, `broker-a.brokerRole=SLAVE`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// The address that brokers tell their clients.
    #[arg(long, value_name = "ADDR")]
    pub advertise: Option<Ipv4Addr>,
    /// Listen on this address; one that other machines reach wants `--expose`.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub listen: Ipv4Addr,
    /// Let other machines in: nobody is asked who they are.
    #[arg(long)]
    pub expose: bool,
    /// A fault from the start, e.g. `drop reply send-message 1 in 5`; a line on standard input is one, too. May be repeated.
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<String>,
    /// Faults from a file, a line each; `@5s kill broker-a` comes five seconds after the start.
    #[arg(long = "faults", value_name = "FILE")]
    pub fault_file: Option<PathBuf>,
    /// What decides which frames a fault strikes.
    #[arg(long, env = "MQLAB_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Write what happens to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// What to print: lines to read, or a JSON object for each thing that happens.
    #[arg(long, value_enum, default_value_t = Report::Text)]
    pub format: Report,
}
