//! The benchmark of bugs: each mistake that can be planted changes something.

use std::collections::BTreeMap;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::digest::Digest;
use mqlab::lab::trace::record::Level;
use mqlab::mq::mistake::Mistake;

/// Small scenarios with faults, made for the mistakes that the library's have no occasion for.
const OWN: [(&str, &str); 15] = [
    ("crash", include_str!("mutants/crash.toml")),
    ("sync", include_str!("mutants/sync.toml")),
    ("pair", include_str!("mutants/pair.toml")),
    ("retry", include_str!("mutants/retry.toml")),
    ("delays", include_str!("mutants/delays.toml")),
    ("sends", include_str!("mutants/sends.toml")),
    ("members", include_str!("mutants/members.toml")),
    ("ordered", include_str!("mutants/ordered.toml")),
    ("deals", include_str!("mutants/deals.toml")),
    ("deals-async", include_str!("mutants/deals-async.toml")),
    ("full", include_str!("mutants/full.toml")),
    ("refused", include_str!("mutants/refused.toml")),
    ("reread", include_str!("mutants/reread.toml")),
    ("away", include_str!("mutants/away.toml")),
    ("expired", include_str!("mutants/expired.toml")),
];

/// Those of the library that show what the small ones do not.
const LIBRARY: [&str; 6] =
    ["23-build-2m2s", "05-two-sieves", "07-one-or-all", "08-first-offset", "29-sql-switch", "33-reset-offset"];

fn plans() -> Vec<Plan> {
    let own = OWN.iter().map(|(name, text)| (*name, *text));
    let library = LIBRARY.iter().map(|name| (*name, library::text(name).unwrap()));
    own.chain(library)
        .map(|(name, text)| {
            load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|wrong| panic!("{wrong}"))
        })
        .map(|scenario| scenario.plan)
        .collect()
}

#[test]
fn each_planted_mistake_changes_a_run() {
    let plans = plans();
    let mut clean: BTreeMap<(usize, Option<&str>), Digest> = BTreeMap::new();
    let mut same = Vec::new();
    for mistake in Mistake::ALL {
        let repair = mistake.takes_back();
        let changes = (0..plans.len()).any(|at| {
            let mut plan = plans[at].clone();
            repair.map(|row| plan.profile.set(row, true));
            let clean = *clean.entry((at, repair)).or_insert_with(|| Session::run(&plan, Level::Digest).digest);
            plan.profile.planted = Some(*mistake);
            Session::run(&plan, Level::Digest).digest != clean
        });
        if !changes {
            same.push(*mistake);
        }
    }
    assert_eq!(same, []);
}

#[test]
fn a_planted_rollback_that_delivers_is_seen() {
    let text = library::text("14-half-message").unwrap();
    let set = |set: &str| Overrides { sets: vec![set.to_owned()], ..Overrides::default() };
    let planted = load("14-half-message", text.as_bytes(), &set("profile.plant=rollback-delivers")).unwrap().plan;
    assert_eq!(planted.profile.name(), "rocketmq-4.3.2!rollback-delivers");
    let result = Session::run(&planted, Level::Full);
    let findings = check::run(&result.trace, &planted);
    assert!(findings.iter().any(|finding| matches!(finding.verdict, Verdict::Violation { .. })), "{findings:?}");
    let wrong = load("14-half-message", text.as_bytes(), &set("profile.plant=nothing")).unwrap_err();
    assert!(format!("{wrong:?}").contains("no mistake is named `nothing`"), "{wrong:?}");
}

/// What small scenarios show of a checker's newer clauses: the scenario, the mistake, the check, the clause.
const CLAUSES: [(&str, Mistake, &str, &str); 12] = [
    ("retry", Mistake::BackKeepsCount, "retry-schedule", "not counted"),
    ("retry", Mistake::DeadOneEarly, "dlq-exact", "one hop early"),
    ("retry", Mistake::DeadTwice, "dlq-exact", "twice"),
    ("delays", Mistake::DelayedToFirstQueue, "no-misrouting", "another queue than its own"),
    ("deals-async", Mistake::OpForgotten, "check-back", "committed"),
    ("deals-async", Mistake::LocalResultLost, "transaction-atomic", "told otherwise"),
    ("ordered", Mistake::LeaseTooShort, "orderly-exclusive", "granted twice"),
    ("refused", Mistake::LockOrLease, "orderly-exclusive", "after a refusal"),
    ("reread", Mistake::OffsetNotReadAgain, "queue-fifo", "began before"),
    ("away", Mistake::LaggingSlaveCorrects, "duplicates-explained", "unexplained"),
    ("away", Mistake::SlaveForgetsOffsets, "duplicates-explained", "unexplained"),
    ("expired", Mistake::BelowBeginGoesToEnd, "at-least-once", "never delivered"),
];

#[test]
fn a_clause_is_broken_with_its_mistake_and_kept_without() {
    use mqlab::lab::explore::hunt::trial;
    let mut wrong = Vec::new();
    for (name, mistake, check, clause) in CLAUSES {
        let (_, text) = OWN.iter().find(|(own, _)| *own == name).unwrap();
        let clean = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|wrong| panic!("{wrong}")).plan;
        let mut planted = clean.clone();
        planted.profile.planted = Some(mistake);
        let verdict = |plan: &Plan| trial::judge_one(&trial::replay(plan).trace, plan, check).unwrap().verdict;
        if verdict(&clean) != Verdict::Pass {
            wrong.push(format!("{name}: {check} without a mistake: {:?}", verdict(&clean)));
        }
        let is_it =
            |verdict: &Verdict| matches!(verdict, Verdict::Violation { clause: broken, .. } if *broken == clause);
        if !is_it(&verdict(&planted)) {
            wrong.push(format!("{name} with {}: {check}: {:?}", mistake.name(), verdict(&planted)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_are_gone_before_they_expire_are_a_loss() {
    use mqlab::lab::explore::hunt::trial;
    use mqlab::lab::scenario::plan::NodeKind;
    let (name, text) = OWN.iter().find(|(own, _)| *own == "expired").unwrap();
    let plan = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|wrong| panic!("{wrong}")).plan;
    let trace = trial::replay(&plan).trace;
    let verdict = |plan: &Plan| trial::judge_one(&trace, plan, "acked-durability").unwrap().verdict;
    assert_eq!(verdict(&plan), Verdict::Pass);
    let mut longer = plan.clone();
    for node in &mut longer.nodes {
        if let NodeKind::Broker(broker) = &mut node.kind {
            broker.properties.retain(|pair| pair.key != *"fileReservedTime");
        }
    }
    let lost = verdict(&longer);
    assert!(matches!(lost, Verdict::Violation { clause: "no copy", .. }), "{lost:?}");
}
