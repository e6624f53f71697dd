//! `mqlab hunt`: many seeds, grouped by what they break.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::lab::cli::args::{BenchFormat, HuntArgs, HuntLength, PlanArgs};
use crate::lab::cli::hunt::progress::Progress;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, NOT_EXPECTED, USAGE};
use crate::lab::explore::hunt::{self, Campaign, Ground};
use crate::lab::explore::shrink;
use crate::lab::explore::swarm::{Bounds, Length, Regime, kinds};
use crate::lab::fault::moment::{self, nearest};
use crate::lab::scenario::hunt::Draws;
use crate::mq::profile::Profile;

mod progress;

mod regressions;

mod told;

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
    let left = match args.regressions.as_ref().map(|folder| regressions::keep(folder, &report)) {
        None => BTreeSet::new(),
        Some(Ok(left)) => left,
        Some(Err(text)) => {
            load::complain(&text);
            return Ok(ExitCode::from(INVALID));
        }
    };
    match args.format {
        BenchFormat::Text => load::say(&told::text(args, &report, &left, look.lang))?,
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
