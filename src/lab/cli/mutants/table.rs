//! What is printed of it: a row for each mistake, those that were not found with the reason.

use std::fmt::Write;
use std::io::IsTerminal;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::lab::cli::args::BenchFormat;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::mutants::MutantsArgs;
use crate::lab::cli::{NOT_EXPECTED, USAGE};
use crate::lab::explore::mutants::report::{Report, Row};
use crate::lab::explore::mutants::{self, Campaign, Watch};
use crate::lab::explore::shrink;
use crate::lab::fault::moment::nearest;
use crate::lab::locale::Lang;
use crate::mq::mistake::Mistake;

/// Nine of ten have to be found.
const SHARE: (usize, usize) = (9, 10);

/// Hunts each mistake, and prints the table. Exit code 1 if fewer are found than should be.
#[expect(clippy::disallowed_types, reason = "how long it took is told to people")]
pub(in crate::lab::cli) fn run(args: &MutantsArgs, look: Look) -> Result<ExitCode> {
    let mistakes = match mistakes(&args.only, look.lang) {
        Ok(mistakes) => mistakes,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(USAGE));
        }
    };
    let start = std::time::Instant::now();
    let campaign = Campaign { mistakes, seeds: args.seeds.clone() };
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let watch = Progress::new(&campaign)?;
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut report = mutants::hunt(&campaign, jobs, &watch);
    watch.bar.set_message("");
    mutants::finish(&mut report, &campaign.seeds, jobs, (!args.no_shrink).then_some(shrink::BUDGET));
    std::panic::set_hook(hook);
    watch.bar.finish_and_clear();
    report.wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    match args.format {
        BenchFormat::Text => load::say(&text(&report, look.lang))?,
        BenchFormat::Json => {
            load::say(&format!("{}\n", serde_json::to_string_pretty(&report).context("a report is plain data")?))?;
        }
    }
    let is_enough = report.mutants.len() * SHARE.0 <= report.found() * SHARE.1;
    Ok(if is_enough { ExitCode::SUCCESS } else { ExitCode::from(NOT_EXPECTED) })
}

fn mistakes(only: &[String], lang: Lang) -> Result<Vec<Mistake>, String> {
    if only.is_empty() {
        return Ok(Mistake::ALL.to_vec());
    }
    let known = |name: &String| {
        Mistake::parse(name).ok_or_else(|| {
            let near = nearest(name, Mistake::ALL.iter().map(|mistake| mistake.name()));
            match (lang, near) {
                (Lang::En, Some(near)) => format!("no mistake is named `{name}`\n  help: did you mean `{near}`?\n"),
                (Lang::En, None) => {
                    format!("no mistake is named `{name}`\n  help: `mqlab mutants --seeds 0` names all of them\n")
                }
                (Lang::Zh, Some(near)) => format!("没有名为 `{name}` 的错误\n  帮助：是否指 `{near}`？\n"),
                (Lang::Zh, None) => format!("没有名为 `{name}` 的错误\n  帮助：`mqlab mutants --seeds 0` 会列出全部\n"),
            }
        })
    };
    let wanted = only.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    Ok(Mistake::ALL.iter().copied().filter(|mistake| wanted.contains(mistake)).collect())
}

fn text(report: &Report, lang: Lang) -> String {
    let mut out = String::new();
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let heads = match lang {
        Lang::En => ["mistake", "seeds", "caught by", "ops", "faults"],
        Lang::Zh => ["mistake", "seeds", "guarantee", "ops", "episodes"],
    };
    let [mistake, seeds, caught, ops, faults] = heads;
    let _ = writeln!(out, "{mistake:<28} {seeds:>5}  {caught:<10} {ops:>4} {faults:>6}");
    for row in report.mutants.iter().filter(|row| row.found) {
        let Row { id, seeds, guarantee, ops, episodes, .. } = row;
        let guarantee = guarantee.as_deref().unwrap_or_default();
        let _ = writeln!(out, "{id:<28} {seeds:>5}  {guarantee:<10} {:>4} {:>6}", number(*ops), number(*episodes));
    }
    for row in report.mutants.iter().filter(|row| !row.found) {
        let Row { id, seeds, about, why, .. } = row;
        let why = why.as_ref().map_or("", |(en, zh)| if lang == Lang::Zh { zh } else { en });
        let missed = if lang == Lang::Zh { "未发现" } else { "not found" };
        let _ = writeln!(out, "{id:<28} {seeds:>5}  {missed}\n  {about}\n  {why}");
    }
    let (found, all, seconds) = (report.found(), report.mutants.len(), report.wall_ns / 1_000_000_000);
    let _ = match lang {
        Lang::En => writeln!(out, "\n{found} of {all} found in {seconds} s"),
        Lang::Zh => writeln!(out, "\n发现 {found} / {all} 个，用时 {seconds} 秒"),
    };
    out
}

/// Progress on a terminal, and Ctrl-C.
struct Progress {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    fn new(campaign: &Campaign) -> Result<Progress> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        // The second Ctrl-C ends the process: the first lets the seeds under way come to their end.
        let second = move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(second).context("Ctrl-C can be listened to once")?;
        let bar = if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{spinner} {pos} seeds  {per_sec}  {elapsed}  {msg}");
            ProgressBar::new(campaign.mistakes.len() as u64)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Ok(Progress { bar, interrupted })
    }
}

impl Watch for Progress {
    fn done(&self, mistake: Mistake, seed: u64, found: bool) {
        self.bar.inc(1);
        let found = if found { "!" } else { "" };
        self.bar.set_message(format!("{}: {seed}{found}", mistake.name()));
    }

    fn stops(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
