//! Without faults every guarantee whose scope applies holds, on any plan of the library, under both profiles.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::plan::{Expect, Outcome, Plan};
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;
use mqlab::mq::profile::Profile;

fn dbg_run(plan: &Plan, what: &str) {
    let mut plan = plan.clone();
    plan.expects = check::suite(&plan)
        .into_iter()
        .map(|check| Expect { id: check.name().into(), check, outcome: Outcome::Holds })
        .collect();
    let trace = Session::run(&plan, Level::History).trace;
    for finding in check::run(&trace, &plan) {
        use std::io::Write;
        let mut all = std::fs::OpenOptions::new().create(true).append(true).open("/tmp/verdicts.txt").unwrap();
        let _ = writeln!(all, "{what} {} {} {}", finding.check, finding.verdict.as_str(), finding.summary.en);
        if matches!(finding.verdict, Verdict::Violation { .. } | Verdict::Known { .. }) {
            println!("{what}: {} {:?} {}", finding.check, finding.verdict, finding.summary.en);
        }
    }
}

fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for name in library::names() {
        let scenario = load(name, library::text(name).unwrap().as_bytes(), &Default::default()).unwrap();
        let variants = scenario.variants();
        if variants.is_empty() {
            all.push(scenario);
        } else {
            all.extend(variants.iter().map(|variant| scenario.in_variant(&variant.name).unwrap()));
        }
    }
    all
}

#[test]
fn debug_suite() {
    let faults = std::path::Path::new("/tmp/with_faults").exists();
    for scenario in all() {
        for profile in ["faithful", "hardened"] {
            for seed in [1, 2, 3] {
                let mut plan = scenario.plan.clone();
                plan.profile = Profile::named(profile).unwrap();
                plan.seed = seed;
                if !faults {
                    plan.episodes.clear();
                }
                dbg_run(&plan, &format!("{} {profile} {seed}", plan.scenario));
            }
        }
    }
}
