//! Every crash state of small canonical workloads, in the suite; all workloads are gone through by `mqlab crash-states`.
//!
//! Each workload here is small enough for a debug build. What the whole table shows stands in the README.

use std::collections::BTreeSet;
use std::process::Command;

use mqlab::lab::explore::crash::report::Report;
use mqlab::lab::explore::crash::{Settings, explore, table};
use mqlab::mq::mistake::Mistake;
use mqlab::mq::profile::Profile;

/// Goes through the workload of that name.
fn gone_through(name: &str, settings: &Settings) -> Report {
    let all = table::all();
    let workload = all.iter().find(|workload| workload.name == name);
    explore(workload.unwrap_or_else(|| panic!("{name} is in the table")), settings)
}

fn of(profile: Profile) -> Settings {
    Settings { profile, ..Settings::default() }
}

#[test]
fn the_table_has_at_least_thirty_workloads_each_with_a_name_of_its_own() {
    let all = table::all();
    let names: BTreeSet<&str> = all.iter().map(|workload| workload.name).collect();
    assert_eq!(names.len(), all.len(), "no name twice");
    assert!(30 <= all.len(), "{} workloads", all.len());
}

#[test]
fn no_crash_state_of_a_hardened_store_breaks_a_guarantee() {
    for name in ["async-1", "sync-1", "no-index", "log-roll-8", "log-roll-9", "log-roll-7", "first-boot"] {
        let report = gone_through(name, &of(Profile::HARDENED));
        assert_eq!(report.findings, [], "{name}");
        assert!(0 < report.recoveries, "{name}: recoveries are crashed, too");
        assert!(14 <= report.distinct, "{name}: {} distinct states", report.distinct);
        assert!(report.distinct < report.states, "{name}: equal states are booted once");
    }
}

#[test]
fn what_breaks_in_the_release_is_a_registered_weakness() {
    let report = gone_through("async-1", &of(Profile::FAITHFUL));
    assert_eq!(report.violations(), 0, "{:#?}", report.findings);
    let tags: BTreeSet<Option<&str>> = report.findings.iter().map(|finding| finding.weakness).collect();
    assert_eq!(tags, BTreeSet::from([Some("K06")]));

    // The tag is the outcome of an experiment: with that one repair nothing is found.
    let repaired = Profile::with_fix("K06").expect("the row has a switch");
    assert_eq!(gone_through("async-1", &of(repaired)).findings, []);
}

#[test]
fn a_recovery_that_keeps_the_torn_tail_is_found_out() {
    for profile in [Profile::HARDENED, Profile::FAITHFUL] {
        let planted = Profile { planted: Some(Mistake::KeepsTornTail), ..profile };
        let name = planted.name();
        let report = gone_through("async-1", &of(planted));
        assert!(0 < report.violations(), "{name}: {:#?}", report.findings);
        let first = &report.findings[0];
        assert!(!first.found.is_empty() && !first.after.is_empty(), "{name}: {first:?}");
    }
}

#[test]
fn a_deeper_look_finds_more_states_and_the_same_verdict() {
    let once = gone_through("async-1", &Settings { depth: 1, ..Settings::default() });
    let twice = gone_through("async-1", &Settings::default());
    let deep = gone_through("async-1", &Settings { deep: true, ..Settings::default() });
    assert!(once.points < twice.points, "inside recoveries there are moments, too");
    assert!(0 < twice.skipped);
    assert_eq!((deep.skipped, deep.recoveries_skipped), (0, 0), "14 units are enough for all states here");
    assert!(twice.states < deep.states);
    for report in [once, twice, deep] {
        assert_eq!(report.findings, []);
    }
}

#[test]
fn the_command_says_the_same_with_any_number_of_threads() {
    let run = |jobs: &str| {
        let names = ["--workload", "async-1", "--workload", "no-index", "--profile", "hardened", "--format", "json"];
        let run = Command::new(env!("CARGO_BIN_EXE_mqlab")).arg("crash-states").args(names).args(["-j", jobs]).output();
        let run = run.expect("the binary runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let mut json: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let wall = json.as_object_mut().and_then(|fields| fields.remove("wall_ns"));
        assert!(wall.and_then(|wall| wall.as_u64()).is_some_and(|wall| 0 < wall));
        json
    };
    let one = run("1");
    assert_eq!(one, run("3"));
    assert_eq!(one["workloads"], 2);
    for field in ["points", "states", "distinct", "sampled", "skipped"] {
        assert!(one[field].as_u64().is_some_and(|number| 0 < number), "{field}");
    }
    assert_eq!((&one["violations"], &one["known"]), (&0.into(), &0.into()));
}

#[test]
fn wrong_names_are_told_with_the_right_ones_and_a_planted_mistake_fails_the_command() {
    let run = |args: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_mqlab")).arg("crash-states").args(args).output();
        let run = run.expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (run.status.code(), text(&run.stdout), text(&run.stderr))
    };
    let (code, _, error) = run(&["--workload", "asinc-1"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no workload named `asinc-1`; did you mean `async-1`?"), "{error}");
    let (code, _, error) = run(&["--profile", "hard"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no profile named `hard`") && error.contains("hardened"), "{error}");

    let planted = ["--plant", "torn-tail-kept", "--workload", "async-1", "--profile", "hardened"];
    let (code, out, _) = run(&planted);
    assert_eq!(code, Some(1));
    assert!(out.contains("profile hardened!torn-tail-kept") && out.contains("VIOLATION"), "{out}");
}
