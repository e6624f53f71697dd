//! The watchdogs: what a hunt must find, so that one that has gone blind does not go unnoticed.

use mqlab::lab::explore::hunt::{blame, trial};
use mqlab::lab::explore::mutants::{self, try_out};
use mqlab::lab::explore::swarm::{Bounds, Regime};
use mqlab::mq::mistake::Mistake;

/// Mistakes of a store, a broker and a client, each with the seeds in which one must show it.
const PLANTED: [(Mistake, u64); 3] =
    [(Mistake::AcksBeforeFlush, 20), (Mistake::RollbackDelivers, 60), (Mistake::CommitsOnReceipt, 20)];
/// Seeds in which one must show K01 in the release as it is.
const FAITHFUL: u64 = 300;

#[test]
fn three_planted_mistakes_are_found() {
    for (mistake, seeds) in PLANTED {
        let campaign = mutants::Campaign { mistakes: vec![mistake], seeds: 0..seeds };
        let report = mutants::hunt(&campaign, 2, &mutants::Nobody);
        let row = &report.mutants[0];
        assert!(row.found, "{} is not found in {seeds} seeds: the hunt has gone blind", row.id);
        let guarantee = row.guarantee.as_deref().unwrap();
        assert!(mistake.sees().contains(&guarantee), "{} is caught by {guarantee} alone", row.id);
        assert!(row.plan.as_ref().unwrap().contains(&format!("plant = \"{}\"", row.id)));
    }
}

#[test]
fn a_mistake_that_is_not_there_is_not_found() {
    // Its occasion is none of these seeds': the same runs, and what they break by themselves does not count.
    let mistake = Mistake::LaggingSlaveCorrects;
    assert!((0..10).all(|seed| try_out::one(mistake, seed).is_none() && !try_out::changes(mistake, seed)));
}

#[test]
fn a_report_is_the_same_whoever_works_on_it() {
    let campaign = mutants::Campaign { mistakes: vec![Mistake::BlankLost, Mistake::NeverChecks], seeds: 3..9 };
    let alone = mutants::hunt(&campaign, 1, &mutants::Nobody);
    assert_eq!(alone, mutants::hunt(&campaign, 3, &mutants::Nobody));
    assert_eq!(alone.mutants.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["blank-lost", "never-checks"]);
}

#[test]
fn the_release_is_caught_lying_about_a_failed_sync() {
    let bounds = Bounds { regime: Regime::Within, ..Bounds::default() };
    let is_k01 = |seed: u64| {
        let trial = trial::run(seed, &bounds, "rocketmq-4.3.2");
        let mut lies = trial.findings.iter().filter(|finding| finding.check == "ack-honest");
        lies.any(|finding| blame::tag(&trial.plan, finding).as_deref() == Some("K01"))
    };
    assert!((0..FAITHFUL).any(is_k01), "K01 is not found in {FAITHFUL} seeds: the hunt has gone blind");
}

#[test]
fn the_command_prints_a_row_a_mistake() {
    let mqlab = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mqlab"));
        command.args(["mutants", "--lang", "en"]).args(arguments).output().unwrap()
    };
    let output = mqlab(&["--only", "blank-lost", "--seeds", "0..20", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &report["mutants"][0];
    assert_eq!((&row["id"], &row["found"]), (&"blank-lost".into(), &true.into()));
    assert!(row["guarantee"].as_str().is_some_and(|guarantee| guarantee.starts_with('G')));
    for field in ["seeds", "ops", "episodes"] {
        assert!(row[field].as_u64().is_some(), "{field}: {row}");
    }
    let output = mqlab(&["--only", "lagging-slave-corrects", "--seeds", "0..3", "--no-shrink"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("not found") && told.contains("0 of 1 found"), "{told}");
    let output = mqlab(&["--only", "blank-lots"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("did you mean `blank-lost`?"), "{told}");
}
