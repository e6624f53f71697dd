//! `mqlab run`: one run, as sentences, as one JSON summary, as JSON lines or as lanes.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::lab::check::{self, Finding, Verdict};
use crate::lab::cli::args::{Format, RunArgs};
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, against, disk, matrix, show};
use crate::lab::locale::Lang;
use crate::lab::scenario::{Scenario, run_file};
use crate::lab::sim::session::{RunResult, Session};
use crate::lab::trace::file;
use crate::lab::trace::record::Level;
use crate::lab::view::lines::{self, Handles, Line};
use crate::lab::view::prints;
use crate::lab::view::width;

/// One run with its verdicts.
pub(super) struct Judged {
    pub(super) scenario: Scenario,
    pub(super) result: RunResult,
    pub(super) findings: Vec<Finding>,
    pub(super) wall_ns: u64,
}

/// A run as JSON.
#[derive(Serialize)]
pub(super) struct Summary<'a> {
    scenario: &'a str,
    seed: u64,
    digest: String,
    pub(super) events: u64,
    pub(super) virtual_ns: u64,
    pub(super) wall_ns: u64,
    checks: Vec<CheckSummary<'a>>,
    pub(super) as_expected: bool,
}

#[derive(Serialize)]
struct CheckSummary<'a> {
    id: &'a str,
    guarantee: String,
    outcome: &'static str,
    expected: &'static str,
    check: &'static str,
    asked: bool,
    summary: &'a str,
}

/// Runs a scenario and prints what was asked for.
pub(super) fn run(args: &RunArgs, look: Look) -> Result<ExitCode> {
    let scenario = match load::scenario(&args.scenario, &args.plan, look) {
        Ok(scenario) => scenario,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    if let Some(Err(text)) = args.disk.as_deref().map(disk::is_free) {
        load::complain(&text);
        return Ok(ExitCode::from(INVALID));
    }
    let writes = args.out.is_some() || args.disk.is_some();
    let writes = writes || args.against.is_some();
    let plain = args.no_tui || args.json || args.output || args.format != Format::Text || writes || args.quiet;
    if args.plain {
        load::talk(scenario, look)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !plain && !args.verbose && !look.no_input && load::is_terminal() {
        load::play(scenario, look)?;
        return Ok(ExitCode::SUCCESS);
    }
    if scenario.origin.changes.variant.is_none() && scenario.variant.is_some() {
        return matrix::run(&scenario, args, look);
    }
    let judged = judge(scenario);
    if !look.quiet {
        warn(&judged, look.lang);
    }
    if let Err(text) = same_again(&judged) {
        load::complain(&text);
        return Ok(ExitCode::from(70));
    }
    if let Some(file) = &args.against {
        return against::run(file, &judged, look.lang);
    }
    if let Some(path) = &args.out {
        let lines = file::jsonl(&judged.result.trace, &judged.result.digest);
        let whole = run_file::written(&lines, &judged.scenario, &[]);
        let bytes = run_file::bytes(&path.to_string_lossy(), whole).context("compressing in memory")?;
        if let Err(error) = std::fs::write(path, bytes) {
            let help = "name a file in a folder that you may write to";
            load::complain(&format!("{} cannot be written: {error}\n  help: {help}\n", path.display()));
            return Ok(ExitCode::from(INVALID));
        }
    }
    if let Some(target) = &args.disk
        && let Err(text) = keep_disks(target, args.at, &judged)
    {
        load::complain(&text);
        return Ok(ExitCode::from(INVALID));
    }
    let format = if args.json { Format::Json } else { args.format };
    match format {
        _ if args.output => load::say(&output(&judged, look.lang, args.quiet))?,
        Format::Text => load::say(&text(&judged, look.lang, (args.verbose, args.quiet)))?,
        Format::Json => load::say(&format!("{}\n", json(&judged, look.lang)?))?,
        Format::Jsonl => load::say(&file::jsonl(&judged.result.trace, &judged.result.digest))?,
        Format::Lanes => load::say(&show::lanes(&judged.result.trace, look.lang, 120))?,
    }
    Ok(ExitCode::from(exit_code(&judged)))
}

/// With `MQLAB_CHECK_DETERMINISM=1` the plan is run a second time, and must be the same run.
fn same_again(judged: &Judged) -> Result<(), String> {
    if load::environment("MQLAB_CHECK_DETERMINISM").as_deref() != Some("1") {
        return Ok(());
    }
    let (first, second) = (judged.result.digest, Session::run(&judged.scenario.plan, Level::Digest).digest);
    match first == second {
        true => Ok(()),
        false => Err(format!(
            "one seed has two histories: {first}, and then {second}\n  help: `mqlab check-determinism {}` names the first record \
             that differs; please report it\n",
            judged.scenario.origin.name
        )),
    }
}

/// A found plan that runs otherwise than when it was written says so; what it must show is its expectations' to say.
fn warn(judged: &Judged, lang: Lang) {
    let Scenario { found, origin, .. } = &judged.scenario;
    let then = found.as_ref().and_then(|found| found.digest.as_deref());
    let now = judged.result.digest.to_string();
    if let Some(then) = then.filter(|then| *then != now && origin.changes == Default::default()) {
        load::complain(&match lang {
            Lang::En => format!(
                "note: the run's digest is {now}, the plan was written with {then}\n  help: where they part: the build of then \
                 writes its trace with `--out FILE`, `--against FILE` compares\n"
            ),
            Lang::Zh => format!(
                "提示：本次运行的摘要为 {now}，而计划写成时为 {then}\n  帮助：要找出分歧之处，用当时的版本以 `--out FILE` 写出轨迹，\
                 再以 `--against FILE` 比较\n"
            ),
        });
    }
}

/// Writes the brokers' disks, and says where; or why not, with a way out.
fn keep_disks(target: &Path, event: Option<u64>, judged: &Judged) -> Result<(), String> {
    let disks = match event {
        None => disk::at_the_end(&judged.result.trace),
        Some(event) => disk::at_event(&judged.scenario.plan, event)
            .map_err(|events| format!("the run ends before #{event}\n  help: it has {events} events\n"))?,
    };
    disk::write(target, &disks).map_err(|error| {
        let help = "name a directory on a disk with room";
        format!("{} cannot be written: {error}\n  help: {help}\n", target.display())
    })?;
    for (broker, _) in &disks {
        load::complain(&format!("{} holds the disk of {broker}\n", target.join(broker).display()));
    }
    Ok(())
}

#[expect(clippy::disallowed_types, reason = "how long a run took is told to people only")]
pub(super) fn judge(scenario: Scenario) -> Judged {
    let start = std::time::Instant::now();
    let result = Session::run(&scenario.plan, Level::Full);
    let findings = check::run(&result.trace, &scenario.plan);
    let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Judged { scenario, result, findings, wall_ns }
}

/// 70 before 1 before 3: a broken lab says nothing about the rest.
pub(super) fn exit_code(judged: &Judged) -> u8 {
    let any = |matches: fn(&Finding) -> bool| judged.findings.iter().any(matches);
    if !judged.result.panics.is_empty() || any(|finding| matches!(finding.verdict, Verdict::Harness { .. })) {
        70
    } else if any(|finding| !finding.is_as_expected() && !matches!(finding.verdict, Verdict::Inconclusive { .. })) {
        1
    } else if judged.result.cut || any(|finding| !finding.is_as_expected()) {
        3
    } else {
        0
    }
}

fn json(judged: &Judged, lang: Lang) -> Result<String> {
    serde_json::to_string_pretty(&summary(judged, lang)).context("a summary is plain data")
}

/// What there is to say of a run to a program.
pub(super) fn summary(judged: &Judged, lang: Lang) -> Summary<'_> {
    let checks = judged
        .findings
        .iter()
        .map(|finding| CheckSummary {
            id: &finding.id,
            guarantee: finding.judges(),
            outcome: finding.verdict.as_str(),
            expected: finding.expected.as_str(),
            check: finding.check,
            asked: finding.asked,
            summary: finding.summary.text(lang),
        })
        .collect();
    Summary {
        scenario: &judged.scenario.plan.scenario,
        seed: judged.scenario.plan.seed,
        digest: judged.result.digest.to_string(),
        events: judged.result.events,
        virtual_ns: judged.result.virtual_time.0,
        wall_ns: judged.wall_ns,
        checks,
        as_expected: exit_code(judged) == 0,
    }
}

/// The run as sentences, its checks, its result, and how to see it again.
pub(super) fn text(judged: &Judged, lang: Lang, (verbose, quiet): (bool, bool)) -> String {
    let Judged { scenario, result, findings, .. } = judged;
    let mut out = String::new();
    let plan = &scenario.plan;
    let head = format!("{}  {}", plan.scenario, scenario.lesson.title.text(lang));
    let room = " ".repeat(47_usize.saturating_sub(width::of(&head)));
    let _ = writeln!(out, "{head}{room} seed {}   profile {}", plan.seed, result.trace.header.profile);
    if !quiet {
        let handles = Handles::of(&result.trace);
        let lines = lines::of(&result.trace, &handles, lang);
        events(&mut out, &lines, verbose, lang);
    }
    let _ = writeln!(out, "{}", if lang == Lang::Zh { "检查" } else { "checks" });
    for finding in findings {
        out.push_str(&check_line(judged, finding, lang));
    }
    for panic in &result.panics {
        let _ = writeln!(out, "  X {} panicked in #{}: {}", result.trace.name(panic.node), panic.step, panic.text);
    }
    let word = if lang == Lang::Zh { "结果" } else { "result" };
    let _ = writeln!(out, "{word}  {}", result_line(judged, lang));
    let _ = writeln!(out, "digest  {}", result.digest);
    let _ = writeln!(out, "replay  {}", scenario.command());
    out
}

/// How it came out, in how many events and how long.
fn result_line(judged: &Judged, lang: Lang) -> String {
    let wall = judged.wall_ns / 1_000_000;
    match lang {
        Lang::En => format!("{}, {wall} ms real", came_out(judged, lang)),
        Lang::Zh => format!("{}，实际 {wall} 毫秒", came_out(judged, lang)),
    }
}

/// The same as far as it is the same everywhere.
pub(super) fn came_out(judged: &Judged, lang: Lang) -> String {
    let verdict = match (exit_code(judged), lang) {
        (0, Lang::En) => "as expected",
        (0, Lang::Zh) => "符合预期",
        (3, Lang::En) => "nothing to judge",
        (3, Lang::Zh) => "无从判断",
        (70, _) => "the lab itself is at fault: please report it",
        (_, Lang::En) => "NOT as expected",
        (_, Lang::Zh) => "不符合预期",
    };
    let (events, time) = (judged.result.events, judged.result.virtual_time);
    match lang {
        Lang::En => format!("{verdict} in {events} events, {time} virtual"),
        Lang::Zh => format!("{verdict}：{events} 个事件，虚拟时间 {time}"),
    }
}

/// What the applications print; `bare` as they print it, otherwise each line behind its time and process.
fn output(judged: &Judged, lang: Lang, bare: bool) -> String {
    let mut out = String::new();
    for print in prints::of(&judged.result.trace, lang) {
        let _ = match bare {
            true => writeln!(out, "{}", print.text),
            false => writeln!(out, "{:>9}  {:<10} {}", print.at.to_string(), print.node, print.text),
        };
    }
    out
}

/// Events in order; of the small ones between two that matter only the number, unless all are wanted.
fn events(out: &mut String, lines: &[Line], all: bool, lang: Lang) {
    let mut hidden = 0;
    for line in lines {
        if !all && !line.main {
            hidden += 1;
            continue;
        }
        let time = line.at.to_string();
        let _ = writeln!(out, "{time:>9}  {:<6} {:<10} {}", format!("#{}", line.step), line.actor, line.text);
    }
    if hidden > 0 {
        let _ = match lang {
            Lang::En => writeln!(out, "      ...  {hidden} smaller events hidden, -v shows them"),
            Lang::Zh => writeln!(out, "      ...  隐藏了 {hidden} 个小事件，-v 全部显示"),
        };
    }
}

pub(super) fn check_line(judged: &Judged, finding: &Finding, lang: Lang) -> String {
    let expected = finding.is_as_expected();
    let glyph = match (&finding.verdict, expected) {
        (Verdict::Pass, true) => '+',
        (Verdict::Inconclusive { .. }, _) => '?',
        _ => '!',
    };
    let word = outcome(finding, lang);
    let summary = finding.summary.text(lang);
    let mut out = format!("  {glyph} {:<26} {:<14} {word}: {summary}\n", finding.id, finding.judges());
    if let Verdict::Violation { witness, .. } | Verdict::Known { witness, .. } = &finding.verdict {
        let handles = Handles::of(&judged.result.trace);
        // The first message's call and answer, and what came last.
        let shown = witness.iter().take(2).chain(witness.iter().skip(2).last());
        for record in shown.filter_map(|seq| judged.result.trace.get(*seq)) {
            if let Some(line) = lines::line(&judged.result.trace, &handles, record, lang) {
                let _ = writeln!(out, "      {:>9} #{} {} {}", line.at.to_string(), line.step, line.actor, line.text);
            }
        }
    }
    out
}

/// What a check found, in a word, beside what was expected.
pub(super) fn outcome(finding: &Finding, lang: Lang) -> &'static str {
    match (&finding.verdict, finding.is_as_expected(), lang) {
        (Verdict::Pass, true, Lang::En) => "holds",
        (Verdict::Pass, true, Lang::Zh) => "成立",
        (Verdict::Pass, false, Lang::En) => "holds, but the lesson expects it to be violated",
        (Verdict::Pass, false, Lang::Zh) => "成立，但本课预期它被违反",
        (Verdict::Violation { .. } | Verdict::Known { .. }, true, Lang::En) => "VIOLATED as the lesson expects",
        (Verdict::Violation { .. } | Verdict::Known { .. }, true, Lang::Zh) => "如本课预期被违反",
        (Verdict::Violation { .. } | Verdict::Known { .. }, false, Lang::En) => "VIOLATED",
        (Verdict::Violation { .. } | Verdict::Known { .. }, false, Lang::Zh) => "被违反",
        (Verdict::Inconclusive { .. }, _, Lang::En) => "nothing to judge",
        (Verdict::Inconclusive { .. }, _, Lang::Zh) => "无从判断",
        (Verdict::Harness { .. }, ..) => "HARNESS",
    }
}
