//! `mqlab inspect`: what lies in a store directory, read by the oracle; a production broker's as well as a simulated one's.
//!
//! Files are mapped for reading and never written. Sizes are taken from the files, so that no configuration is asked for.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::host::files::{FilesError, MappedFolder};
use crate::lab::cli::INVALID;
use crate::lab::cli::args::{InspectArgs, Report};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::schema;
use crate::lab::locale::Lang;
use crate::lab::oracle::Files;
use crate::lab::oracle::layout::Layout;
use crate::mq::time::{Calendar, Millis};

mod key;
mod queue;
mod record;
mod summary;
mod verify;

/// What each form of the command prints as JSON: its schema's name, the form, the schema.
pub(super) const SCHEMAS: [schema::Known; 5] = [
    ("inspect", "mqlab inspect DIR --format json", || schema::of::<summary::Summary>("A store in short")),
    ("inspect-verify", "mqlab inspect DIR --verify --format json", || {
        schema::of::<verify::Outcome>("A store, verified")
    }),
    ("inspect-record", "mqlab inspect DIR --record AT --format json", || {
        schema::of::<record::Whole>("A record of the log")
    }),
    ("inspect-key", "mqlab inspect DIR --key KEY --format json", || {
        schema::of::<key::Search>("The records with a key")
    }),
    ("inspect-queue", "mqlab inspect DIR --topic T --queue N --format json", || {
        schema::of::<queue::Listed>("The units of a queue")
    }),
];

/// A store that is open, and how people want it told.
struct Store {
    files: Mapped,
    layout: Layout,
    lang: Lang,
    report: Report,
}

/// A mapped folder as the oracle reads it.
struct Mapped(MappedFolder);

impl Files for Mapped {
    fn list(&self) -> Vec<(String, u64)> {
        self.0.list().map(|(name, len)| (name.to_owned(), len)).collect()
    }

    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
        self.0.read(path, at, len)
    }
}

/// Opens a store and shows what was asked for.
pub(super) fn inspect(args: &InspectArgs, look: Look) -> Result<ExitCode> {
    let opened = open(args);
    let files = match opened {
        Ok(files) => Mapped(files),
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    let layout = Layout::of(&files);
    let store = Store { files, layout, lang: look.lang, report: args.format };
    if args.verify {
        return verify::verify(&store);
    }
    if let Some(place) = args.record {
        return record::show(&store, place);
    }
    match (&args.key, &args.topic, args.queue) {
        (Some(key), topic, _) => key::show(&store, key, topic.as_deref()),
        (None, Some(topic), Some(queue)) => queue::show(&store, (topic, queue), (args.from, args.count)),
        (None, topic, _) => summary::show(&store, &args.folder, topic.as_deref()),
    }
}

/// Everything of a store that lies in a directory, or why there is none, with a way out.
fn open(args: &InspectArgs) -> Result<MappedFolder, String> {
    let root = &args.folder;
    let shown = root.display();
    if !root.is_dir() {
        let what = if root.exists() { "is a file, not a directory" } else { "is not there" };
        let help = "name the directory that holds `commitlog`, `consumequeue` and `index`";
        return Err(format!("{shown} {what}\n  help: {help}\n"));
    }
    let parts: Vec<&str> = PARTS.iter().copied().filter(|part| root.join(part).exists()).collect();
    let is_store = parts.iter().any(|part| !["config", "lock", "abort"].contains(part));
    if !is_store && args.commitlog.is_none() {
        return Err(format!(
            "{shown} is no store: it holds none of commitlog, consumequeue, index, checkpoint\n{}",
            near(root)
        ));
    }
    let mut folder = MappedFolder::default();
    let mut add = |name: &str, path: &Path| folder.add(name, path).map_err(|error| unreadable(&error));
    for part in parts {
        add(part, &root.join(part))?;
    }
    if let Some(path) = &args.commitlog {
        add("commitlog", path)?;
    }
    Ok(folder)
}

/// Where a store is, for somebody who named a directory beside, above or below it.
fn near(root: &Path) -> String {
    let is_store = |path: &Path| path.join("commitlog").is_dir() || path.join("consumequeue").is_dir();
    let mut below: Vec<_> = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    below.sort();
    let above = root.parent().filter(|parent| is_store(parent)).map(Path::to_path_buf);
    match above.or_else(|| below.into_iter().find(|path| is_store(path))) {
        Some(path) => format!("  help: did you mean `{}`?\n", path.display()),
        None => {
            "  help: a broker's is `storePathRootDir`, by default ~/store; `--commitlog` names a log that lies elsewhere\n"
                .to_owned()
        }
    }
}

fn unreadable(error: &FilesError) -> String {
    format!("{error}\n  help: give yourself the right to read it; a copy of the store will do\n")
}

impl Store {
    fn pick<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// Prints one JSON object, or the lines.
    fn print(&self, json: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        match self.report {
            Report::Json => {
                let json = serde_json::to_string_pretty(json).context("a report is plain data")?;
                load::say(&format!("{json}\n"))
            }
            Report::Text => load::say(&text()),
        }
    }

    /// A bar on standard error while somebody looks; of so many bytes.
    fn bar(&self, bytes: u64) -> ProgressBar {
        let bar = ProgressBar::new(bytes);
        let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar
    }
}

/// A moment as people read it, in UTC; `-` for none.
fn time(millis: i64) -> String {
    if millis <= 0 {
        return "-".to_owned();
    }
    let Calendar { year, month, day, hour, minute, second, milli } = Calendar::of(Millis(millis), 0);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03}")
}

/// Bytes as text where they are one, for a glance.
fn glance(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most * 4)]);
    let mut out: String =
        text.chars().take(most).map(|letter| if letter.is_control() { '.' } else { letter }).collect();
    if most < text.chars().count() || most * 4 < bytes.len() {
        out.push('…');
    }
    out
}

/// What a store directory may hold.
const PARTS: &[&str] =
    &["commitlog", "consumequeue", "consumequeue_ext", "index", "config", "checkpoint", "abort", "lock"];
