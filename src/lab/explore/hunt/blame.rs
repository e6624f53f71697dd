//! Which registered weakness a violation is: the repair without which it would be there.
//!
//! A tag is an experiment, not an opinion: the same scenario runs with every repair on; if the violation stays it is none of
//! theirs. Otherwise repairs are taken back one by one, as long as the violation stays away; what cannot be taken back is the
//! tag. A checker's own word for a weakness stands where no switch repairs that.

use std::cell::Cell;

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::hunt::trial;
use crate::lab::scenario::plan::Plan;
use crate::mq::profile::{Profile, SWITCHES};

/// A violation with the weakness that it is, if it is one.
pub fn tag(plan: &Plan, finding: &Finding, within: bool) -> Option<String> {
    counted(plan, finding, within).0
}

/// The same, with the number of runs that it took.
pub fn counted(plan: &Plan, finding: &Finding, within: bool) -> (Option<String>, u64) {
    let runs = Cell::new(0);
    (experiment(plan, finding, within, &runs), runs.get())
}

fn experiment(plan: &Plan, finding: &Finding, within: bool, runs: &Cell<u64>) -> Option<String> {
    let own = match &finding.verdict {
        Verdict::Known { weakness, .. } => Some(format!("K{weakness:02}")),
        Verdict::Violation { .. } => None,
        _ => return None,
    };
    if own.as_ref().is_some_and(|own| !SWITCHES.iter().any(|switch| switch.row == own)) {
        return own;
    }
    let open: Vec<&str> = SWITCHES.iter().map(|switch| switch.row).filter(|row| !plan.profile.fixes(row)).collect();
    if open.is_empty() {
        return None;
    }
    let holds = |repairs: &[&str]| {
        let mut profile = plan.profile.clone();
        for row in repairs {
            profile.set(row, true);
        }
        runs.set(runs.get() + 1);
        !breaks(plan, profile, finding, within)
    };
    // One repair alone is what most take; the checker's own word is tried first.
    let mut alone: Vec<&str> = open.iter().copied().filter(|row| Some(*row) == own.as_deref()).collect();
    alone.extend(likely(finding).iter().copied().filter(|row| open.contains(row) && Some(*row) != own.as_deref()));
    if let Some(row) = alone.iter().find(|row| holds(&[row])) {
        return Some((*row).to_owned());
    }
    if !holds(&open) {
        return None;
    }
    let mut needed = open.clone();
    for row in &open {
        let fewer: Vec<&str> = needed.iter().copied().filter(|other| other != row).collect();
        if holds(&fewer) {
            needed = fewer;
        }
    }
    Some(needed.join("+"))
}

/// Whether the plan with other repairs breaks the same guarantee.
fn breaks(plan: &Plan, profile: Profile, finding: &Finding, within: bool) -> bool {
    let plan = Plan { profile, ..plan.clone() };
    let run = trial::replay(&plan);
    trial::judge(&run.trace, &plan, within).iter().any(|other| other.check == finding.check)
}

/// The weaknesses that usually break a guarantee, the likeliest first.
fn likely(finding: &Finding) -> &'static [&'static str] {
    match finding.check {
        "ack-honest" => &["K01", "K02"],
        "acked-durability" => &["K01", "K09", "K17", "K06", "K18", "K27"],
        "no-overrun" => &["K04", "K03"],
        "at-least-once" | "drain-bound" | "broadcast-complete" | "filter-complete" => {
            &["K04", "K03", "K02", "K20", "K12", "K13", "K06", "K05"]
        }
        "derived-continuity" | "transaction-resolved" | "transaction-atomic" => {
            &["K03", "K22", "K23", "K11", "K04", "K20", "K21"]
        }
        "replica-prefix" => &["K02", "K10"],
        "checkpoint-safe" => &["K05", "K06"],
        "store-consistent" | "index-recall" => &["K05", "K06", "K18", "K04"],
        "never-early" => &["K19"],
        "not-late" => &["K20", "K03", "K12"],
        "offset-agreement" => &["K04", "K06", "K02", "K27"],
        "duplicates-explained" => &["K28", "K24", "K13", "K04"],
        _ => &["K04", "K03", "K01", "K02"],
    }
}
