//! `mqlab check-determinism`: every seed twice in this process, and once in another one with another environment.

use std::fmt::Write;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::lab::cli::args::{BenchFormat, DeterminismArgs, Emit, PlanArgs};
use crate::lab::cli::hunt::asked;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED, USAGE};
use crate::lab::explore::hunt::Campaign;
use crate::lab::explore::swarm::Bounds;
use crate::lab::explore::twice::{self, Brief, Difference, Order, Whole};
use crate::lab::locale::Lang;
use crate::lab::trace::compare::{Parting, Place};
use crate::mq::profile::Profile;

/// So many seeds that differ are looked at closely.
const LOOKED_AT: usize = 3;
/// So often a seed is looked at: what comes from chance may not come again.
const LOOKS: u32 = 3;

/// All runs together.
#[derive(Serialize)]
struct Summary {
    scenario: String,
    profile: String,
    seeds: (u64, u64),
    /// Runs of each seed.
    runs: u64,
    /// Steps of all seeds, once.
    events: u64,
    /// Of the first runs: the same with every build of the same sources.
    digest: String,
    /// How many seeds differ.
    mismatches: u64,
    /// The first of them.
    first: Vec<Mismatch>,
}

/// A seed with two histories.
#[derive(Serialize)]
struct Mismatch {
    seed: u64,
    /// `again` or `other-process`.
    run: &'static str,
    /// Nothing if it was not seen again.
    difference: Option<Difference>,
}

/// Runs the seeds and says whether they are the same. Exit code 1 if one is not.
pub(super) fn run(args: &DeterminismArgs, look: Look) -> Result<ExitCode> {
    let campaign = match campaign(args, look) {
        Ok(campaign) => campaign,
        Err((code, text)) => {
            load::complain(&text);
            return Ok(ExitCode::from(code));
        }
    };
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(emit) = args.emit {
        let text = match emit {
            Emit::Briefs => serde_json::to_string(&twice::briefs(&campaign, args.seeds.clone(), jobs, Order::Forwards)),
            Emit::Trace => serde_json::to_string(&twice::whole(&campaign, args.seeds.start)),
        };
        load::say(&text.context("plain data")?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let first = twice::briefs(&campaign, args.seeds.clone(), jobs, Order::Forwards);
    // The second time behind other work than the first: the last seed comes first.
    let again = twice::briefs(&campaign, args.seeds.clone(), jobs, Order::Backwards);
    let other: Vec<Brief> = match other_process(args, Emit::Briefs, args.seeds.clone(), jobs) {
        Ok(text) => serde_json::from_str(&text).context("the other process prints briefs")?,
        Err(text) => {
            load::complain(&text);
            return Ok(ExitCode::from(70));
        }
    };
    let mut differ = Vec::new();
    for (number, brief) in first.iter().enumerate() {
        if again.get(number) != Some(brief) {
            differ.push((brief.seed, "again"));
        } else if other.get(number) != Some(brief) {
            differ.push((brief.seed, "other-process"));
        }
    }
    let looked_at = differ.iter().take(LOOKED_AT);
    let summary = Summary {
        scenario: args.scenario.clone(),
        profile: campaign.profile.clone(),
        seeds: (args.seeds.start, args.seeds.end),
        runs: 3,
        events: first.iter().map(|brief| brief.events).sum(),
        digest: twice::digest(&first),
        mismatches: differ.len() as u64,
        first: looked_at.map(|(seed, run)| mismatch(args, &campaign, *seed, run)).collect(),
    };
    match args.format {
        BenchFormat::Text => load::say(&text(&summary, look.lang))?,
        BenchFormat::Json => {
            load::say(&format!("{}\n", serde_json::to_string_pretty(&summary).context("plain data")?))?;
        }
    }
    Ok(ExitCode::from(if differ.is_empty() { 0 } else { NOT_EXPECTED }))
}

fn campaign(args: &DeterminismArgs, look: Look) -> Result<Campaign, (u8, String)> {
    let scenario = load::scenario(&args.scenario, &PlanArgs::default(), look).map_err(|text| (INVALID, text))?;
    let mut profile = asked::profile(&scenario, args.profile.as_deref())?;
    if let Some(name) = &args.plant {
        let mut planted = Profile::FAITHFUL;
        planted.plant(name).map_err(|wrong| (USAGE, format!("{wrong}: {}\n", wrong.help())))?;
        if args.emit.is_some() {
            profile = format!("{profile}!{name}");
        }
    }
    Ok(Campaign { ground: asked::ground(&scenario), bounds: Bounds::default(), profile, guided: None })
}

/// What another process of this program says: from another place, with other variables and another number of threads.
fn other_process(
    args: &DeterminismArgs,
    emit: Emit,
    seeds: std::ops::Range<u64>,
    jobs: usize,
) -> Result<String, String> {
    let wrong =
        |why: String| format!("the other process cannot be heard: {why}\n  help: is this program still there?\n");
    let program = std::env::current_exe().map_err(|error| wrong(error.to_string()))?;
    let mut command = Command::new(program);
    let path = std::fs::canonicalize(&args.scenario).ok().map(|path| path.display().to_string());
    command.arg("check-determinism").arg(path.unwrap_or_else(|| args.scenario.clone()));
    command.args(["--seeds", &format!("{}..{}", seeds.start, seeds.end)]);
    command.args(["--emit", if emit == Emit::Briefs { "briefs" } else { "trace" }]);
    command.args(["-j", if jobs == 1 { "2" } else { "1" }]);
    if let Some(name) = &args.profile {
        command.args(["--profile", name]);
    }
    if let Some(name) = &args.plant {
        command.args(["--plant", name]);
    }
    let elsewhere = [
        ("LC_ALL", "zh_CN.UTF-8"),
        ("TZ", "Asia/Shanghai"),
        ("HOME", "/nonexistent"),
        ("MQLAB_ASCII", "1"),
        ("MQLAB_SEED", "4711"),
        ("SOURCE_DATE_EPOCH", "0"),
    ];
    // The many bytes move the stack, and whatever might hang on an address.
    command.current_dir("/").env_clear().envs(elsewhere).env("MQLAB_FILLER", "x".repeat(5_000));
    let output = command.output().map_err(|error| wrong(error.to_string()))?;
    if !output.status.success() {
        return Err(wrong(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|error| wrong(error.to_string()))
}

/// Looks closely at a seed that differs.
fn mismatch(args: &DeterminismArgs, campaign: &Campaign, seed: u64, run: &'static str) -> Mismatch {
    let second = || match run {
        "again" => Some(twice::whole(campaign, seed)),
        _ => {
            let text = other_process(args, Emit::Trace, seed..seed.saturating_add(1), 1).ok()?;
            serde_json::from_str::<Whole>(&text).ok()
        }
    };
    let once = || twice::difference(&twice::whole(campaign, seed), &second()?);
    let difference = (0..LOOKS).find_map(|_| std::panic::catch_unwind(std::panic::AssertUnwindSafe(once)).ok()?);
    Mismatch { seed, run, difference }
}

fn text(summary: &Summary, lang: Lang) -> String {
    let Summary { scenario, profile, seeds: (from, to), events, digest, mismatches, first, .. } = summary;
    let mut out = String::new();
    let _ = match lang {
        Lang::En => writeln!(
            out,
            "{scenario} ({profile}), seeds {from}..{to}: each twice here and once in another process, {events} events each time\n\
             {mismatches} seeds differ\ndigest  {digest}"
        ),
        Lang::Zh => writeln!(
            out,
            "{scenario}（{profile}），种子 {from}..{to}：每个在本进程运行两次，在另一进程运行一次，每次共 {events} 个事件\n\
             {mismatches} 个种子不一致\n摘要  {digest}"
        ),
    };
    for Mismatch { seed, run, difference } in first {
        let is_again = *run == "again";
        let _ = match (lang, is_again) {
            (Lang::En, true) => writeln!(out, "\nseed {seed} runs otherwise when it is run again"),
            (Lang::En, false) => writeln!(out, "\nseed {seed} runs otherwise in another process"),
            (Lang::Zh, true) => writeln!(out, "\n种子 {seed} 再次运行时不同"),
            (Lang::Zh, false) => writeln!(out, "\n种子 {seed} 在另一进程中运行时不同"),
        };
        match difference {
            None => out.push_str(match lang {
                Lang::En => "  looked at three times more, it ran the same: it is chance\n",
                Lang::Zh => "  再看三次均相同：属于偶然\n",
            }),
            Some(Difference::Plan { line, first, second }) => {
                let _ = match lang {
                    Lang::En => {
                        writeln!(out, "  another plan is drawn, from line {line} on\n    - {first}\n    + {second}")
                    }
                    Lang::Zh => writeln!(out, "  抽取的计划从第 {line} 行起不同\n    - {first}\n    + {second}"),
                };
            }
            Some(Difference::Record(parting)) => out.push_str(&parted(parting, lang)),
        }
    }
    out
}

/// The first record that differs, from both sides.
pub(super) fn parted(parting: &Parting, lang: Lang) -> String {
    let mut out = String::from(match lang {
        Lang::En => "  the first record that differs:\n",
        Lang::Zh => "  第一条不同的记录：\n",
    });
    for (sign, place) in [("-", &parting.first), ("+", &parting.second)] {
        let Some(Place { step, seq, node, incarnation, kind, ordinal, record, .. }) = place else {
            let _ = writeln!(out, "    {sign} {}", if lang == Lang::Zh { "没有这条记录" } else { "no such record" });
            continue;
        };
        let node = node.as_deref().unwrap_or("lab");
        let _ = match lang {
            Lang::En => writeln!(
                out,
                "    {sign} #{step}, record {seq}: {node}, incarnation {incarnation}, kind {kind}, ordinal {ordinal}\n      {record}"
            ),
            Lang::Zh => writeln!(
                out,
                "    {sign} #{step}，记录 {seq}：{node}，第 {incarnation} 次启动，类型 {kind}，序号 {ordinal}\n      {record}"
            ),
        };
    }
    out
}
