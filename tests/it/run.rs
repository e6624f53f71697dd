//! `run`, `show` and `list` as a person or a script meets them.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn mqlab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.args(arguments).env_remove("MQLAB_SEED").env_remove("MQLAB_LANG").env("NO_COLOR", "1");
    command
}

#[track_caller]
fn run(arguments: &[&str]) -> (i32, String) {
    let output = mqlab(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().expect("the binary exits by itself"), text)
}

#[track_caller]
fn summary(arguments: &[&str]) -> Value {
    let (_, text) = run(arguments);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

#[test]
fn one_seed_is_one_digest_wherever_it_runs() {
    let here = summary(&["run", "01-first-message", "--seed", "1", "--format", "json"]);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = mqlab(&["run", "01-first-message", "--seed", "1", "--json", "--jobs", "7"])
        .current_dir(folder.path())
        .env("LC_ALL", "C")
        .env("HOME", "/nonexistent")
        .env("TZ", "Asia/Shanghai")
        .env("LANG", "zh_CN.UTF-8")
        .output()
        .unwrap();
    let elsewhere: Value = serde_json::from_slice(&elsewhere.stdout).unwrap();
    let other = summary(&["run", "01-first-message", "--seed", "2", "--format", "json"]);
    assert_eq!(here["digest"], elsewhere["digest"]);
    assert_ne!(here["digest"], other["digest"]);
    assert_eq!(here["digest"].as_str().unwrap().len(), 32);
}

#[test]
fn the_json_summary_has_its_fields() {
    let summary = summary(&["run", "01-first-message", "--seed", "1", "--format", "json"]);
    assert_eq!(summary["scenario"], "01-first-message");
    assert_eq!(summary["seed"], 1);
    assert_eq!(summary["as_expected"], true);
    for number in ["events", "virtual_ns", "wall_ns"] {
        assert!(summary[number].as_u64().unwrap() > 0, "{number}");
    }
    let checks = summary["checks"].as_array().unwrap();
    assert!(!checks.is_empty());
    for check in checks {
        for field in ["id", "guarantee", "outcome", "expected"] {
            assert!(check[field].is_string(), "{field} of {check}");
        }
    }
}

#[test]
fn a_power_cut_loses_what_was_acked_and_not_flushed() {
    let (code, text) = run(&["run", "17-power-loss", "--no-tui"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("VIOLATED as the lesson expects"), "{text}");
}

#[test]
fn a_sync_flush_a_mere_kill_and_a_late_cut_lose_nothing() {
    let kill = "fault.outage={ kill = { node = \"broker-a\" } }";
    let twins: [&[&str]; 3] = [
        &["--set", "broker.broker-a.flush=sync"],
        &["--set", kill],
        &["--set", "fault.outage.at=12s", "--set", "fault.return.at=17s"],
    ];
    for twin in twins {
        let (code, text) = run(&[&["run", "17-power-loss", "--no-tui"], twin].concat());
        assert!(text.contains("all 10 acknowledged are there"), "{twin:?}\n{text}");
        assert_eq!(code, 1, "{twin:?}: the expected loss did not come true\n{text}");
        assert!(!text.contains("VIOLATED"), "{twin:?}\n{text}");
    }
}

#[test]
fn a_wrong_address_ends_in_upstreams_own_words() {
    let (code, text) = run(&["run", "02-wrong-address", "--no-tui"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("RemotingTooMuchRequestException: sendDefaultImpl call timeout"), "{text}");
    assert!(text.contains("after 1 attempts"), "{text}");
}

#[test]
fn an_unknown_scenario_is_answered_with_the_nearest_name() {
    let output = mqlab(&["run", "17-power-los"]).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{talk}");
    assert!(talk.contains("17-power-loss"), "{talk}");
}

#[test]
fn show_draws_lanes_and_a_story() {
    let (code, lanes) = run(&["show", "lanes", "01-first-message", "--seed", "1"]);
    assert_eq!(code, 0);
    assert!(lanes.contains("broker-a"), "{lanes}");
    let (code, story) = run(&["show", "story", "m1", "01-first-message", "--seed", "1"]);
    assert_eq!(code, 0);
    assert!(story.lines().count() > 8, "{story}");
}

#[test]
fn the_embedded_scenarios_are_those_of_the_folder() {
    let (code, text) = run(&["list"]);
    assert_eq!(code, 0);
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(text.contains(&name), "{name} is not listed:\n{text}");
    }
}

#[test]
fn every_line_of_a_trace_is_json_and_the_last_one_is_the_digest() {
    let (_, text) = run(&["run", "01-first-message", "--seed", "1", "--format", "jsonl"]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["format"], &lines[0]["scenario"]), (&Value::from(1), &Value::from("01-first-message")));
    let here = summary(&["run", "01-first-message", "--seed", "1", "--format", "json"]);
    assert_eq!(lines.last().unwrap()["digest"], here["digest"]);
    assert!(lines.iter().any(|line| line["kind"] == "appended" && line["cause"].is_u64()));
}

#[test]
fn both_languages_are_spoken() {
    let (_, text) = run(&["run", "17-power-loss", "--lang", "zh"]);
    assert!(text.contains("断电") && text.contains("如本课预期被违反"), "{text}");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let empty = ["MQLAB_SEED", "MQLAB_LANG", "MQLAB_ASCII", "MQLAB_JOBS"];
    let run = |value: &str, names: &[&str]| {
        let mut command = mqlab(&["run", "17-power-loss", "--quiet"]);
        command.envs(names.iter().map(|name| (name, value))).output().unwrap()
    };
    let output = run("", &empty);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("seed 2018"));
    assert_eq!(run("1", &["MQLAB_ASCII"]).status.code(), Some(0));
    for (name, value) in [("MQLAB_SEED", "x"), ("MQLAB_SEED", "-1"), ("MQLAB_LANG", "fr"), ("MQLAB_JOBS", "-3")] {
        assert_eq!(run(value, &[name]).status.code(), Some(2), "{name}={value}");
    }
}

#[test]
fn wrong_seeds_ends_and_settings_are_answered() {
    let said = |arguments: &[&str]| {
        let output = mqlab(&[&["run", "17-power-loss", "--quiet"], arguments].concat()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let cases: [(&[&str], i32, &str); 9] = [
        (&["--seed", "-1"], 2, "a seed is a whole number from 0 to 18446744073709551615"),
        (&["--seed", "18446744073709551616"], 2, "a seed is a whole number"),
        (&["--until", "-1s"], 4, "is not a span of time"),
        (&["--until", "0s"], 4, "a run of 0s is impossible"),
        (&["--until", "9999999999999999999999s"], 4, "584 years"),
        (&["--set", "broker.broker-a.flsh=sync"], 4, "did you mean `flush`?"),
        (&["--set", "fault.outage={ kil = {} }"], 4, "did you mean `kill`?"),
        (&["--set", "flush"], 4, "PATH=VALUE"),
        (&["--out", "/"], 4, "cannot be written"),
    ];
    for (arguments, code, part) in cases {
        let (found, talk) = said(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {talk}");
        assert!(talk.contains(part), "{arguments:?}: {talk}");
    }
    let (_, talk) = said(&["--until", "0s"]);
    assert!(!talk.contains("would boot"), "one wrong end is one problem: {talk}");
}

#[test]
fn a_part_of_a_name_is_answered_with_the_name() {
    let output = mqlab(&["run", "17"]).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(talk.contains("did you mean `17-power-loss`?"), "{talk}");
}
