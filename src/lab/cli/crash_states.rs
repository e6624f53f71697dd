//! `mqlab crash-states`: every state in which a crash can leave a store, as a table or as JSON.

use std::fmt::Write;
use std::io::IsTerminal;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::lab::cli::USAGE;
use crate::lab::cli::args::{BenchFormat, CrashArgs, FileSystem};
use crate::lab::cli::load::{self, Look};
use crate::lab::explore::crash::report::Report;
use crate::lab::explore::crash::script::Workload;
use crate::lab::explore::crash::{self, Settings, table};
use crate::lab::fault::disk::Personality;
use crate::lab::fault::moment::nearest;
use crate::mq::profile::Profile;

/// All workloads together.
#[derive(Serialize)]
struct Summary {
    profile: String,
    personality: &'static str,
    depth: u32,
    deep: bool,
    seed: u64,
    workloads: usize,
    points: u64,
    states: u64,
    distinct: u64,
    sampled: u64,
    skipped: u64,
    violations: u64,
    known: u64,
    wall_ns: u64,
    reports: Vec<Report>,
}

/// Goes through what was asked for and prints it. Exit code 1 if something is broken that is no registered weakness.
#[expect(clippy::disallowed_types, reason = "how long it took is told to people only")]
pub(super) fn run(args: &CrashArgs, _look: Look) -> Result<ExitCode> {
    let (settings, workloads) = match asked(args) {
        Ok(asked) => asked,
        Err(text) => {
            eprint!("{text}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let start = std::time::Instant::now();
    let reports = explore_all(&workloads, &settings, args.jobs);
    let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let summary = sum(&settings, reports, wall_ns);
    match args.format {
        BenchFormat::Text => load::say(&text(&summary))?,
        BenchFormat::Json => {
            load::say(&format!("{}\n", serde_json::to_string_pretty(&summary).context("a summary is plain data")?))?;
        }
    }
    Ok(ExitCode::from(u8::from(0 < summary.violations)))
}

fn asked(args: &CrashArgs) -> Result<(Settings, Vec<Workload>), String> {
    let Some(mut profile) = Profile::named(&args.profile) else {
        let known = ["rocketmq-4.3.2", "faithful", "hardened"];
        let help = nearest(&args.profile, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("no profile named `{}`{help}\nprofiles: {}\n", args.profile, known.join(", ")));
    };
    if let Some(name) = &args.plant {
        profile.plant(name).map_err(|wrong| format!("{wrong}: {}\n", wrong.help()))?;
    }
    let all = table::all();
    let names: Vec<&str> = all.iter().map(|workload| workload.name).collect();
    for asked in &args.workloads {
        if !names.contains(&asked.as_str()) {
            let near = nearest(asked, names.iter().copied());
            let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(format!("no workload named `{asked}`{help}\nworkloads: {}\n", names.join(", ")));
        }
    }
    let wanted = |workload: &Workload| args.workloads.is_empty() || args.workloads.iter().any(|n| n == workload.name);
    let workloads = all.iter().filter(|workload| wanted(workload)).cloned().collect();
    let personality = match args.personality {
        FileSystem::Ordered => Personality::Ordered,
        FileSystem::Writeback => Personality::Writeback,
        FileSystem::Reordering => Personality::Reordering,
        FileSystem::Strict => Personality::Strict,
    };
    Ok((Settings { profile, personality, depth: args.depth, deep: args.deep, seed: args.seed }, workloads))
}

/// Goes through workloads on several threads. Each is a function of its own; the reports stand in the workloads' order.
fn explore_all(workloads: &[Workload], settings: &Settings, jobs: Option<usize>) -> Vec<Report> {
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let bar = progress(workloads.len());
    let next = AtomicUsize::new(0);
    let reports: Mutex<Vec<Option<Report>>> = Mutex::new(vec![None; workloads.len()]);
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, workloads.len().max(1)) {
            scope.spawn(|| {
                while let Some(workload) = workloads.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let place = workloads.iter().position(|other| other.name == workload.name);
                    let report = crash::explore(workload, settings);
                    bar.inc(1);
                    bar.set_message(workload.name);
                    if let (Ok(mut reports), Some(place)) = (reports.lock(), place) {
                        reports[place] = Some(report);
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    let reports = reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    reports.into_iter().flatten().collect()
}

/// A bar on the terminal; nothing anywhere else.
fn progress(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} workloads  {elapsed}  {msg}");
    ProgressBar::new(length as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn sum(settings: &Settings, reports: Vec<Report>, wall_ns: u64) -> Summary {
    let total = |of: fn(&Report) -> u64| reports.iter().map(of).sum();
    Summary {
        profile: settings.profile.name(),
        personality: settings.personality.as_str(),
        depth: settings.depth,
        deep: settings.deep,
        seed: settings.seed,
        workloads: reports.len(),
        points: total(|report| report.points),
        states: total(|report| report.states),
        distinct: total(|report| report.distinct),
        sampled: total(|report| report.sampled),
        skipped: total(|report| report.skipped),
        violations: total(Report::violations),
        known: total(Report::known),
        wall_ns,
        reports,
    }
}

fn text(summary: &Summary) -> String {
    let mut out = String::new();
    let Summary { profile, personality, depth, seed, .. } = summary;
    let _ =
        writeln!(out, "crash states   profile {profile}   file system {personality}   depth {depth}   seed {seed}\n");
    let row = |name: &str, cells: [String; 5]| {
        let [points, states, distinct, skipped, broken] = cells;
        format!("{name:<18} {points:>8} {states:>10} {distinct:>10} {skipped:>8}  {broken}\n")
    };
    out.push_str(&row("workload", ["points", "states", "distinct", "sampled", "broken"].map(str::to_owned)));
    for report in &summary.reports {
        let cells = [report.points, report.states, report.distinct, report.skipped].map(|number| number.to_string());
        let [points, states, distinct, skipped] = cells;
        out.push_str(&row(report.workload, [points, states, distinct, skipped, tags(report)]));
    }
    for report in summary.reports.iter().filter(|report| !report.findings.is_empty()) {
        let _ = writeln!(out, "\n{}", report.workload);
        for finding in &report.findings {
            let tag = finding.weakness.map_or("VIOLATION", |row| row);
            let (guarantee, clause, states) = (&finding.guarantee, finding.clause, finding.states);
            let _ = writeln!(out, "  {tag:<9} {guarantee} {clause}, in {states} states; the first:");
            let _ = writeln!(out, "    found  {}: {}", finding.file, finding.found);
            let inside = if finding.depth > 1 { " (inside a recovery)" } else { "" };
            let _ = writeln!(out, "    crash  after {}{inside}", finding.after);
            let _ = writeln!(out, "    left   {}", finding.left);
        }
    }
    let Summary { points, states, distinct, sampled, skipped, violations, known, .. } = summary;
    let _ = writeln!(
        out,
        "\n{} workloads, {points} points, {states} states, {distinct} distinct; {skipped} points have more states than were tried, \
         {sampled} were tried there",
        summary.workloads
    );
    let _ = writeln!(out, "{violations} violations, {known} known weaknesses, {} ms", summary.wall_ns / 1_000_000);
    out
}

fn tags(report: &Report) -> String {
    let mut rows: Vec<&str> = report.findings.iter().map(|finding| finding.weakness.unwrap_or("VIOLATION")).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.join(" ")
}
