//! `mqlab hunt`: many seeds, grouped by what they break; in one process or in parts.

use std::num::NonZero;
use std::process::ExitCode;

use anyhow::Result;

use crate::lab::cli::args::{HuntArgs, HuntCommand};
pub(super) use crate::lab::cli::hunt::ending::Whole;
use crate::lab::cli::hunt::ending::{Ending, silently};
use crate::lab::cli::hunt::progress::Progress;
use crate::lab::cli::hunt::which::Which;
use crate::lab::cli::load::{self, Look};
use crate::lab::cli::{INVALID, USAGE};
use crate::lab::explore::hunt::report::Report;
use crate::lab::explore::hunt::shard::tally::Tally;
use crate::lab::explore::hunt::shard::{Errand, Part, block};
use crate::lab::explore::hunt::{self, Campaign, Nobody};
use crate::lab::explore::shrink;
use crate::lab::fault::moment::nearest;

pub(super) mod asked;

mod ending;

mod merge;

mod part;

mod progress;

mod regressions;

mod told;

pub(super) mod which;

/// The lab itself is broken.
const LAB: u8 = 70;
/// Nothing is broken, and not all was looked at.
const INCOMPLETE: u8 = 3;
/// Ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Hunts, and prints what was found. Exit code 1 if something is broken that is no registered weakness.
#[expect(clippy::disallowed_types, reason = "how long it took is told to people, and may be limited by them")]
pub(super) fn run(args: &HuntArgs, look: Look) -> Result<ExitCode> {
    if let Some(HuntCommand::Merge(merge)) = &args.command {
        return merge::run(merge, look);
    }
    let asked = asked::campaign(args, look);
    let asked = asked.and_then(|asked| {
        let which = which::which(args, &load::environment).map_err(|text| (USAGE, text))?;
        Ok((asked, which))
    });
    let ((campaign, errand), which) = match asked {
        Ok(asked) => asked,
        Err((code, text)) => {
            load::complain(&text);
            return Ok(ExitCode::from(code));
        }
    };
    let all = errand.seeds.0..errand.seeds.1;
    let seeds = which.map_or(all.clone(), |which| block(all, which.index, which.count));
    if let Some(wanted) = &args.print_plan {
        return print_plan(&campaign, seeds.start, wanted.as_deref(), args);
    }
    let start = std::time::Instant::now();
    // Of a limited time the last part is for shrinking. A part is not shrunk: the merge shrinks what all have found first.
    let shrinks = !args.no_shrink && args.out.is_none();
    let deadline = args.length_of_time.map(|span| {
        let seeds = if shrinks { span / 5 * 4 } else { span };
        (start + seeds, start + span)
    });
    let watch = Progress::new((seeds.end - seeds.start).div_ceil(errand.row()), deadline)?;
    let jobs = jobs(args.jobs);
    let ending = Ending {
        errand: &errand,
        shrinks,
        regressions: args.regressions.as_deref(),
        format: args.format,
        lang: look.lang,
        jobs,
    };
    let elapsed = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if let Some(out) = &args.out {
        let which = which.unwrap_or(Which { index: 0, count: 1 });
        let path = part::path(out, which);
        let standing = part::standing(&path, &errand, which);
        let mut kept = standing.clone().unwrap_or_else(|| empty(&errand, which));
        if standing.is_none() || !kept.left().is_empty() {
            let tally = silently(|| hunt::tally(&campaign, seeds, jobs, &watch));
            watch.bar.finish_and_clear();
            if standing.is_none() || kept.tally.seeds < tally.seeds {
                kept = Part { wall_ns: elapsed(), tally, ..kept };
                if let Err(text) = part::write(&path, &kept) {
                    load::complain(&text);
                    return Ok(ExitCode::from(INVALID));
                }
            }
        }
        let report = Report { wall_ns: kept.wall_ns, ..kept.tally.clone().report() };
        ending.tell(&report, &[])?;
        load::complain(&part::told(&path, &kept, standing == Some(kept.clone()), look.lang));
        // Whatever it has found, the part is done: who judges is the merge.
        return Ok(ExitCode::from(if watch.is_interrupted() { INTERRUPTED } else { 0 }));
    }
    let report = silently(|| {
        let mut report = hunt::hunt(&campaign, seeds, jobs, &watch);
        report.wall_ns = elapsed();
        ending.shrink(&mut report, &watch);
        report
    });
    watch.bar.finish_and_clear();
    ending.tell(&report, &[])
}

fn empty(errand: &Errand, which: Which) -> Part {
    let Which { index, count } = which;
    Part { errand: errand.clone(), index, count, wall_ns: 0, tally: Tally::default() }
}

/// As many threads as were asked for, or as there are cores.
pub(super) fn jobs(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}

/// Prints a seed's plan as it was drawn, or the one of what it breaks, shrunk.
fn print_plan(campaign: &Campaign, seed: u64, wanted: Option<&str>, args: &HuntArgs) -> Result<ExitCode> {
    let Some(wanted) = wanted else {
        load::say(&hunt::plan(campaign, seed))?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut report = silently(|| hunt::hunt(campaign, seed..seed.saturating_add(1), 1, &Nobody));
    let names: Vec<String> = report.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    report.findings.retain(|finding| finding.fingerprint == wanted);
    if report.findings.is_empty() {
        let help = match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it breaks: {}", names.join(", ")),
        };
        load::complain(&format!("seed {seed} breaks nothing named `{wanted}`\n  help: {help}\n"));
        return Ok(ExitCode::from(USAGE));
    }
    if !args.no_shrink {
        silently(|| hunt::shrink(&mut report, 1, shrink::BUDGET, &Nobody));
    }
    load::say(&report.findings[0].plan)?;
    Ok(ExitCode::SUCCESS)
}
