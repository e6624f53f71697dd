//! Without faults every guarantee whose scope applies holds, on any plan of the library, under both profiles.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;
use mqlab::mq::profile::Profile;

/// What a scenario shows without any fault, and why.
const SHOWN: &[(&str, &str, &str)] = &[
    ("15-nobody-remembers", "transaction-atomic", "its producer forgets what it committed, and says so to no question"),
    ("29-sql-switch", "at-least-once", "the broker refuses the group's condition: enablePropertyFilter is off"),
    ("34-topic-returns", "log-well-formed", "a topic that was deleted counts from 0 again"),
    ("34-topic-returns", "store-consistent", "a topic's queues are deleted, its records are not"),
    ("34-topic-returns", "acked-durability", "what was sent while its topic was deleted has no queue"),
    ("35-two-minds", "at-least-once", "two subscriptions in one group: K16"),
    ("35-two-minds", "filter-complete", "two subscriptions in one group: K16"),
    ("35-two-minds", "start-position", "what the other subscription wants is passed over: K16"),
];

fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for name in library::names() {
        let scenario = load(name, library::text(name).unwrap().as_bytes(), &Default::default()).unwrap();
        let variants = scenario.variants();
        match variants.is_empty() {
            true => all.push(scenario),
            false => all.extend(variants.iter().map(|variant| scenario.in_variant(&variant.name).unwrap())),
        }
    }
    all
}

/// What the suite finds wrong in a run of a plan: check, clause, summary.
fn found(plan: &Plan) -> Vec<(&'static str, String)> {
    let expect = |check: Check| Expect { id: check.name().into(), check, outcome: Outcome::Holds };
    let expects = check::suite(plan).into_iter().map(expect).collect();
    let plan = Plan { expects, ..plan.clone() };
    let findings = check::run(&Session::run(&plan, Level::History).trace, &plan);
    let is_wrong = |verdict: &Verdict| !matches!(verdict, Verdict::Pass | Verdict::Inconclusive { .. });
    let wrong = findings.into_iter().filter(|finding| is_wrong(&finding.verdict));
    wrong.map(|finding| (finding.check, format!("{:?} {}", finding.verdict, finding.summary.en))).collect()
}

#[test]
fn without_faults_every_guarantee_holds_on_every_plan_under_both_profiles() {
    let mut wrong = Vec::new();
    for scenario in all() {
        for (profile, seed) in [("faithful", 1), ("hardened", 1), ("faithful", 2), ("hardened", 2)] {
            let mut plan = scenario.plan.clone();
            (plan.profile, plan.seed) = (Profile::named(profile).unwrap(), seed);
            plan.episodes.clear();
            let name = &plan.scenario;
            let is_shown = |check: &str| SHOWN.iter().any(|(own, known, _)| *name == **own && *known == check);
            for (check, said) in found(&plan).into_iter().filter(|(check, _)| !is_shown(check)) {
                wrong.push(format!("{name} {profile} seed {seed}: {check}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_suite_has_what_applies_to_its_plan_and_no_more() {
    let of = |name: &str| {
        let plan = load(name, library::text(name).unwrap().as_bytes(), &Default::default()).unwrap().plan;
        check::suite(&plan).iter().map(Check::name).collect::<Vec<_>>()
    };
    let (first, half, ordered) = (of("01-first-message"), of("14-half-message"), of("12-same-key-same-line"));
    assert!(first.contains(&"no-overrun") && !first.contains(&"check-back") && !first.contains(&"queue-fifo"));
    assert!(half.contains(&"check-back") && half.contains(&"transaction-atomic"));
    assert!(ordered.contains(&"queue-fifo") && ordered.contains(&"per-key-order"));
    assert!(of("07-one-or-all").contains(&"broadcast-complete") && !ordered.contains(&"broadcast-complete"));
    let replicated = of("24-master-dies");
    assert!(replicated.contains(&"replica-prefix") && !first.contains(&"replica-prefix"));
}
