//! What follows when all seeds are in: shrinking, files of plans, the report, the exit code. It is the same after a hunt and
//! after its parts have come together.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::cli::args::BenchFormat;
use crate::lab::cli::hunt::progress::Progress;
use crate::lab::cli::hunt::{INCOMPLETE, LAB, regressions, told};
use crate::lab::cli::load;
use crate::lab::cli::{INVALID, NOT_EXPECTED};
use crate::lab::explore::hunt::report::Report;
use crate::lab::explore::hunt::shard::Errand;
use crate::lab::explore::hunt::{self};
use crate::lab::explore::shrink;
use crate::lab::locale::Lang;

/// How a hunt ends.
pub(super) struct Ending<'a> {
    /// What was hunted.
    pub(super) errand: &'a Errand,
    /// Whether findings are made small.
    pub(super) shrinks: bool,
    /// Where plans are kept.
    pub(super) regressions: Option<&'a Path>,
    /// What is printed.
    pub(super) format: BenchFormat,
    pub(super) lang: Lang,
    pub(super) jobs: usize,
}

/// Seeds that are not in a merged report.
#[derive(Serialize, JsonSchema)]
pub(in crate::lab::cli) struct Gap {
    pub(super) shard: u64,
    pub(super) seeds: (u64, u64),
}

/// A report, and what it is not about.
#[derive(Serialize, JsonSchema)]
pub(in crate::lab::cli) struct Whole<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "<[Gap]>::is_empty")]
    missing: &'a [Gap],
}

impl Ending<'_> {
    /// Shrinks if that is wanted and nobody has asked to stop.
    pub(super) fn shrink(&self, report: &mut Report, watch: &Progress) {
        if self.shrinks && !watch.is_interrupted() {
            watch.begins_to_shrink(report.findings.len() as u64);
            hunt::shrink(report, self.jobs, shrink::BUDGET, watch);
        }
    }

    /// Keeps the plans, prints the report, and gives the exit code.
    pub(super) fn tell(&self, report: &Report, missing: &[Gap]) -> Result<ExitCode> {
        let left = match self.regressions.map(|folder| regressions::keep(folder, report)) {
            None => BTreeSet::new(),
            Some(Ok(left)) => left,
            Some(Err(text)) => {
                load::complain(&text);
                return Ok(ExitCode::from(INVALID));
            }
        };
        match self.format {
            BenchFormat::Text => load::say(&told::text(self, report, &left))?,
            BenchFormat::Json => {
                let whole = Whole { report, missing };
                load::say(&format!("{}\n", serde_json::to_string_pretty(&whole).context("a report is plain data")?))?;
            }
        }
        Ok(ExitCode::from(match () {
            () if report.has_harness() => LAB,
            () if report.has_violation() => NOT_EXPECTED,
            () if !missing.is_empty() => INCOMPLETE,
            () => 0,
        }))
    }
}

/// Runs something that may panic by design, and says nothing of it.
pub(super) fn silently<T>(run: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = run();
    std::panic::set_hook(hook);
    result
}
