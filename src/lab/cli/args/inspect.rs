//! `mqlab inspect`.

use std::path::PathBuf;

use clap::Args;

use crate::lab::cli::args::Report;

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

/// A place of the log, decimal or `0x…`.
fn place(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "a place is a number of bytes, e.g. `1073745920` or `0x40001000`".to_owned())
}
