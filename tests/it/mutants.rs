//! exploring
use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;
use mqlab::mq::mistake::Mistake;
use std::collections::BTreeSet;

fn all_checks(plan: &mut Plan) {
    let checks = [
        Check::AckedDurability, Check::AtLeastOnce, Check::NoPhantom, Check::OffsetAgreement, Check::LogWellFormed,
        Check::StoreConsistent, Check::IndexRecall, Check::KeepsStable, Check::CheckpointSafe, Check::ReplicaPrefix,
        Check::StaleRoute, Check::HalfInvisible, Check::TransactionAtomic, Check::TransactionResolved, Check::CheckBack,
        Check::DuplicatesExplained, Check::StartPosition, Check::ResetConformance, Check::BroadcastComplete,
        Check::QueueFifo, Check::OrderlyExclusive, Check::NoOvertaking, Check::FilterSound, Check::FilterComplete,
        Check::DrainBound, Check::Unavailability,
    ];
    plan.expects = checks.into_iter().map(|check| Expect { id: check.name().into(), check, outcome: Outcome::Either, ..plan.expects.first().cloned().unwrap() }).collect();
}
fn judged(plan: &Plan) -> (mqlab::lab::trace::digest::Digest, BTreeSet<String>) {
    let r = Session::run(plan, Level::History);
    if !r.panics.is_empty() { println!("PANIC {:?}", r.panics); }
    let f = check::run(&r.trace, plan);
    let bad = f.iter().filter(|f| matches!(f.verdict, Verdict::Violation{..} | Verdict::Known{..})).map(|f| f.judges()).collect();
    if std::env::var("DETAIL").is_ok() { for f in &f { if !matches!(f.verdict, Verdict::Pass) { println!("   {} {:?} {}", f.judges(), f.verdict, f.summary.en); } } }
    (r.digest, bad)
}
#[test]
#[ignore]
fn explore() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let scen = std::env::var("SCEN").unwrap_or_default();
    let mut sources: Vec<(String, String)> = library::names().filter(|n| !n.starts_with("21")).map(|n| (n.to_string(), library::text(n).unwrap().to_string())).collect();
    let mut files: Vec<_> = std::fs::read_dir("tests/it/mutants").map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    for f in files { sources.push((f.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&f).unwrap())); }
    for (name, text) in &sources {
        if !name.contains(&scen) { continue; }
        let scenario = match load(name, text.as_bytes(), &Overrides::default()) { Ok(s) => s, Err(e) => { println!("{name}: {e}: {:#?}", e.problems); continue } };
        let mut plan = scenario.plan;
        all_checks(&mut plan);
        for fixed in [None, Some("K24"), Some("K21")] {
            let mut plan = plan.clone();
            fixed.map(|row| plan.profile.set(row, true));
            let (clean, bad0) = judged(&plan);
            if fixed.is_none() { println!("CLEAN {name} {bad0:?}"); }
            for m in Mistake::ALL.iter().filter(|m| m.takes_back() == fixed && m.name().contains(&only)) {
                let mut plan = plan.clone();
                plan.profile.planted = Some(*m);
                let got = std::panic::catch_unwind(|| judged(&plan));
                match got {
                    Ok((digest, bad)) if digest != clean => println!("SHOWN {} {name} {:?}", m.name(), bad.difference(&bad0).collect::<Vec<_>>()),
                    Ok(_) => {}
                    Err(_) => println!("PANICKED {} {name}", m.name()),
                }
            }
        }
    }
}
