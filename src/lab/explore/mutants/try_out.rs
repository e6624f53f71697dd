//! One mistake, one seed: run with it, judged, and held against the same plan without it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::lab::check::{Finding, Verdict};
use crate::lab::explore::hunt::trial::{self, Trial};
use crate::lab::explore::shrink::Target;
use crate::lab::explore::swarm::{Bounds, Regime};
use crate::lab::scenario::plan::Plan;
use crate::mq::mistake::Mistake;
use crate::mq::profile::Profile;

/// How a seed shows a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// What must stay when the plan is made smaller.
    pub target: Target,
    /// Every guarantee that it breaks, those first that should see it.
    pub guarantees: Vec<String>,
    /// The first in a sentence, English and Chinese.
    pub summary: (String, String),
    /// The scenario, with the mistake.
    pub plan: String,
}

/// The repaired profile with a mistake in it, and without the repairs that would hide it.
pub fn profile(mistake: Mistake) -> String {
    let mut profile = Profile { planted: Some(mistake), ..Profile::HARDENED };
    for row in mistake.hidden_by() {
        profile.set(row, false);
    }
    profile.name()
}

/// What may be drawn: faults that take away nothing that an acknowledgement rests on.
fn bounds() -> Bounds {
    Bounds { regime: Regime::Within, ..Bounds::default() }
}

/// Runs a seed with the mistake; nothing if it breaks nothing that it keeps without. A run that the mistake makes panic shows
/// nothing: the lab's own alarm is no guarantee.
pub fn one(mistake: Mistake, seed: u64) -> Option<Hit> {
    catch_unwind(AssertUnwindSafe(|| {
        let trial = trial::run(seed, &bounds(), &profile(mistake));
        hit(mistake, &trial)
    }))
    .ok()?
}

/// Whether a seed's run is another one without the mistake.
pub fn changes(mistake: Mistake, seed: u64) -> bool {
    let differs = || {
        let trial = trial::run(seed, &bounds(), &profile(mistake));
        trial::replay(&without(&trial.plan)).digest != trial.digest
    };
    catch_unwind(AssertUnwindSafe(differs)).unwrap_or(true)
}

fn hit(mistake: Mistake, trial: &Trial) -> Option<Hit> {
    let mut broken: Vec<(&Finding, &str)> = trial.findings.iter().filter_map(violated).collect();
    if broken.is_empty() {
        return None;
    }
    let clean = without(&trial.plan);
    let twin = trial::replay(&clean);
    broken.retain(|(finding, _)| {
        // What a registered weakness does is no mistake's work, and what is a violation beside it is not the weakness's.
        let keeps = |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::Known { .. });
        trial::judge_one(&twin.trace, &clean, finding.check).is_some_and(|twin| keeps(&twin.verdict))
    });
    if !mistake.hidden_by().is_empty() {
        // A profile that lacks repairs breaks things by itself, other ones in the twin's run, perhaps.
        broken.retain(|(finding, _)| mistake.sees().contains(&&*finding.judges()));
    }
    broken.sort_by_key(|(finding, _)| !mistake.sees().contains(&&*finding.judges()));
    let (first, clause) = broken.first()?;
    Some(Hit {
        target: Target {
            check: first.check.to_owned(),
            guarantee: first.judges(),
            clause: (*clause).to_owned(),
            tag: None,
            profile: profile(mistake),
            within: trial.within,
        },
        guarantees: broken.iter().map(|(finding, _)| finding.judges()).collect(),
        summary: (first.summary.en.clone(), first.summary.zh.clone()),
        plan: trial.text.clone(),
    })
}

fn violated(finding: &Finding) -> Option<(&Finding, &str)> {
    match &finding.verdict {
        Verdict::Violation { clause, .. } => Some((finding, *clause)),
        _ => None,
    }
}

fn without(plan: &Plan) -> Plan {
    let mut clean = plan.clone();
    clean.profile.planted = None;
    clean
}
