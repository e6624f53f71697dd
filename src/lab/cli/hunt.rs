//! `mqlab hunt`: many seeds, grouped by what they break.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::lab::cli::args::{BenchFormat, HuntArgs, HuntLength, PlanArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED, USAGE};
use crate::lab::explore::hunt::report::{Finding, Line, Report, Size};
use crate::lab::explore::hunt::{self, Campaign, Ground, Watch};
use crate::lab::explore::shrink::fingerprint::file_name;
use crate::lab::explore::shrink::{self, size};
use crate::lab::explore::swarm::{Bounds, Length, Regime, kinds};
use crate::lab::fault::moment::{self, nearest};
use crate::lab::locale::Lang;
use crate::lab::scenario::hunt::Draws;
use crate::mq::profile::Profile;

/// The lab itself is broken.
const LAB: u8 = 70;

/// Hunts, and prints what was found. Exit code 1 if something is broken that is no registered weakness.
#[expect(clippy::disallowed_types, reason = "how long it took is told to people, and may be limited by them")]
pub(super) fn run(args: &HuntArgs, look: Look) -> Result<ExitCode> {
    let campaign = match campaign(args, look) {
        Ok(campaign) => campaign,
        Err((code, text)) => {
            load::complain(&text);
            return Ok(ExitCode::from(code));
        }
    };
    let seeds = match &args.seeds {
        Some(seeds) => seeds.clone(),
        None if args.length_of_time.is_some() => 0..u64::MAX,
        None => 0..1_000,
    };
    if args.print_plan {
        let seed = seeds.start;
        load::say(&hunt::plan(&campaign, seed))?;
        return Ok(ExitCode::SUCCESS);
    }
    let start = std::time::Instant::now();
    // Of a limited time the last part is for shrinking.
    let deadline = args.length_of_time.map(|span| {
        let seeds = if args.no_shrink { span } else { span / 5 * 4 };
        (start + seeds, start + span)
    });
    let watch = Progress::new(&seeds, deadline)?;
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut report = hunt::hunt(&campaign, seeds, jobs, &watch);
    report.wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if !args.no_shrink && !watch.is_interrupted() {
        watch.begins_to_shrink(report.findings.len() as u64);
        hunt::shrink(&mut report, jobs, shrink::BUDGET, &watch);
    }
    std::panic::set_hook(hook);
    watch.bar.finish_and_clear();
    let left = match args.regressions.as_ref().map(|folder| keep(folder, &report)) {
        None => BTreeSet::new(),
        Some(Ok(left)) => left,
        Some(Err(text)) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    match args.format {
        BenchFormat::Text => load::say(&text(args, &report, &left, look.lang))?,
        BenchFormat::Json => {
            load::say(&format!("{}\n", serde_json::to_string_pretty(&report).context("a report is plain data")?))?;
        }
    }
    Ok(ExitCode::from(match () {
        () if report.has_harness() => LAB,
        () if report.has_violation() => NOT_EXPECTED,
        () => 0,
    }))
}

fn campaign(args: &HuntArgs, look: Look) -> Result<Campaign, (u8, String)> {
    let scenario = load::scenario(&args.scenario, &PlanArgs::default(), look).map_err(|text| (INVALID, text))?;
    let profile = match &args.profile {
        None => scenario.plan.profile.name(),
        Some(name) => match Profile::named(name) {
            Some(profile) => profile.name(),
            None => {
                let known = ["rocketmq-4.3.2", "faithful", "hardened"];
                let help =
                    nearest(name, known).map_or_else(|| known.join(", "), |near| format!("did you mean `{near}`?"));
                return Err((USAGE, format!("no profile named `{name}`\n  help: {help}\n")));
            }
        },
    };
    for verb in args.only.iter().chain(&args.without) {
        if !kinds::verbs().any(|known| known == verb) {
            let all: Vec<&str> = kinds::verbs().collect();
            let help = nearest(verb, kinds::verbs())
                .map_or_else(|| format!("there are: {}", all.join(", ")), |near| format!("did you mean `{near}`?"));
            return Err((USAGE, format!("a hunt draws no fault named `{verb}`\n  help: {help}\n")));
        }
    }
    let regime = match (args.within, args.beyond) {
        (true, _) => Regime::Within,
        (_, true) => Regime::Beyond,
        _ => Regime::Mixed,
    };
    let length = match args.length {
        HuntLength::Standard => Length::Standard,
        HuntLength::Long => Length::Long,
    };
    let bounds = Bounds {
        regime,
        length,
        only: args.only.iter().cloned().collect(),
        without: args.without.iter().cloned().collect(),
    };
    let ground = match scenario.draws {
        Draws::Everything => Ground::Drawn,
        Draws::Seed => Ground::Written { name: scenario.origin.name.clone(), text: scenario.origin.text.clone() },
    };
    Ok(Campaign { ground, bounds, profile })
}

/// Seeds `A..B`, or one.
pub(super) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| format!("`{text}` is no seed; write `0..10000`"));
    match text.split_once("..") {
        None => number(text).map(|seed| seed..seed.saturating_add(1)),
        Some((from, to)) => {
            let (from, to) = (number(from)?, number(to)?);
            if to <= from {
                return Err(format!("`{text}` holds no seed: the end is not among them; write `{from}..{}`", from + 1));
            }
            Ok(from..to)
        }
    }
}

/// A span of real time: `5m`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    moment::span(text).map(|span| Duration::from_nanos(span.0)).map_err(|error| error.message)
}

/// Progress on a terminal, an end in time, and Ctrl-C.
#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
struct Progress {
    bar: ProgressBar,
    /// When no further seed is begun, and when shrinking ends.
    deadline: Option<(std::time::Instant, std::time::Instant)>,
    shrinks: AtomicBool,
    interrupted: Arc<AtomicBool>,
}

#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
impl Progress {
    fn new(seeds: &Range<u64>, deadline: Option<(std::time::Instant, std::time::Instant)>) -> Result<Progress> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        // The second Ctrl-C ends the process: the first lets what is under way come to its end.
        let second = move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        ctrlc::set_handler(second).context("Ctrl-C can be listened to once")?;
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(seeds.end - seeds.start).with_style(style("seeds  {per_sec}"))
        } else {
            ProgressBar::hidden()
        };
        Ok(Progress { bar, deadline, shrinks: AtomicBool::new(false), interrupted })
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn begins_to_shrink(&self, findings: u64) {
        self.shrinks.store(true, Ordering::Relaxed);
        self.bar.set_style(style("findings shrunk"));
        self.bar.set_length(findings);
        self.bar.set_position(0);
        self.bar.set_message("");
    }
}

fn style(counted: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {counted}  {{elapsed}}  {{msg}}"));
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[expect(clippy::disallowed_types, reason = "a person's patience is measured in real time")]
impl Watch for Progress {
    fn done(&self, line: &Line) {
        self.bar.inc(1);
        if let Some(hit) = line.hits.first() {
            self.bar.set_message(format!("seed {}: {}", line.seed, hit.fingerprint));
        }
    }

    fn shrinking(&self, fingerprint: &str, replays: u64) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{fingerprint}: {replays} runs"));
        }
    }

    fn shrunk(&self) {
        self.bar.inc(1);
    }

    fn stops(&self) -> bool {
        let end = self.deadline.map(|(seeds, all)| if self.shrinks.load(Ordering::Relaxed) { all } else { seeds });
        self.is_interrupted() || end.is_some_and(|end| end <= std::time::Instant::now())
    }
}

/// Writes each finding's plan into a folder, under its coarse fingerprint; gives the files that stay as they were.
///
/// A plan that stands there already, and is as small or smaller, stays: somebody may have read it. What is no plan stays, too.
fn keep(folder: &Path, report: &Report) -> Result<BTreeSet<PathBuf>, String> {
    let help = "help: name a folder that you may write to";
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("{} cannot be made: {error}\n  {help}\n", folder.display()))?;
    let mut left = BTreeSet::new();
    for finding in &report.findings {
        let path = folder.join(file_name(&finding.fingerprint));
        if stays(&path, &finding.plan) {
            left.insert(path);
            continue;
        }
        let beside = path.with_extension("tmp");
        std::fs::write(&beside, &finding.plan)
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|error| format!("{} cannot be written: {error}\n  {help}\n", path.display()))?;
    }
    Ok(left)
}

/// Whether what stands at a path is not to be replaced by a plan.
fn stays(path: &Path, plan: &str) -> bool {
    match std::fs::read_to_string(path) {
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        Ok(standing) => match (size::of(&standing), size::of(plan)) {
            (Some(standing), Some(new)) => standing <= new,
            _ => true,
        },
    }
}

fn text(args: &HuntArgs, report: &Report, left: &BTreeSet<PathBuf>, lang: Lang) -> String {
    let mut out = String::new();
    let millis = (report.wall_ns / 1_000_000).max(1);
    let (seeds, events) = (report.seeds, report.events);
    let per_second = |count: u64| u128::from(count) * 1_000 / u128::from(millis);
    let seconds = format!("{}.{:01}", millis / 1_000, millis % 1_000 / 100);
    let rates = (per_second(seeds), per_second(events) / 1_000);
    let faster = report.virtual_ns / report.wall_ns.max(1);
    let (faults, effective, inconclusive) = (report.faults, report.effective, report.inconclusive);
    let _ = match lang {
        Lang::En => writeln!(
            out,
            "{seeds} seeds in {seconds} s: {} seeds/s, {} k events/s, {faster} times real time\n\
             {faults} faults, {effective} of them changed something; {inconclusive} seeds with nothing to judge",
            rates.0, rates.1
        ),
        Lang::Zh => writeln!(
            out,
            "{seeds} 个种子，用时 {seconds} 秒：{} 个/秒，{} 千事件/秒，真实时间的 {faster} 倍\n\
             {faults} 次故障，其中 {effective} 次有影响；{inconclusive} 个种子没有可判之处",
            rates.0, rates.1
        ),
    };
    for finding in &report.findings {
        let Finding { fingerprint, verdict, count, first_seed, .. } = finding;
        let summary = if lang == Lang::Zh { &finding.summary.1 } else { &finding.summary.0 };
        let (seed, times) = if lang == Lang::Zh { ("首个种子", "次") } else { ("first seed", "x") };
        let _ = writeln!(out, "\n{fingerprint:<32} {verdict:<10} {count} {times}   {seed} {first_seed}\n  {summary}");
        if let Some(Size { operations, episodes, nodes, events, witness, replays, .. }) = &finding.shrunk {
            let _ = match lang {
                Lang::En => writeln!(
                    out,
                    "  {operations} operations, {episodes} faults, {nodes} nodes, {events} events, \
                     a witness of {witness} records; {replays} runs"
                ),
                Lang::Zh => writeln!(
                    out,
                    "  {operations} 个操作，{episodes} 次故障，{nodes} 个节点，{events} 个事件，{witness} 条证据；{replays} 次运行"
                ),
            };
        }
        if finding.shrunk.is_none() && finding.target.is_some() && !args.no_shrink {
            out.push_str(if lang == Lang::Zh { "  未缩减\n" } else { "  not shrunk\n" });
        }
        let replay = match &args.regressions {
            Some(folder) => {
                let path = folder.join(file_name(&finding.fingerprint));
                let note = match (left.contains(&path), lang) {
                    (false, _) => "",
                    (true, Lang::En) => "   # as it stood: it is no larger than the one found now",
                    (true, Lang::Zh) => "   # 保留原有文件：不比这次找到的大",
                };
                format!("mqlab run {}{note}", path.display())
            }
            None => {
                let profile = args.profile.as_ref().map(|name| format!(" --profile {name}")).unwrap_or_default();
                let regime = if args.within {
                    " --within"
                } else if args.beyond {
                    " --beyond"
                } else {
                    ""
                };
                format!("mqlab hunt {} --seeds {first_seed}{profile}{regime} --print-plan", args.scenario)
            }
        };
        let _ = writeln!(out, "  {replay}");
    }
    let marks = report.marks.len();
    let since = report.last_new_mark;
    let _ = match (lang, report.findings.is_empty()) {
        (Lang::En, true) => {
            writeln!(out, "\nnothing is broken; {marks} marks reached, the last new one by seed {since}")
        }
        (Lang::En, false) => writeln!(out, "\n{marks} marks reached, the last new one by seed {since}"),
        (Lang::Zh, true) => writeln!(out, "\n没有发现问题；到达 {marks} 个标记，最后一个新标记来自种子 {since}"),
        (Lang::Zh, false) => writeln!(out, "\n到达 {marks} 个标记，最后一个新标记来自种子 {since}"),
    };
    out
}
