//! `mqlab scenario`: a new one runs as it is written, lists and files are shown, and what they come to.

use assert_cmd::Command;
use serde_json::Value;

fn mqlab(folder: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_new_scenario_runs_as_it_is_and_is_never_written_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let mqlab = |arguments: &[&str]| mqlab(folder.path(), arguments);
    let (code, out, talk) = mqlab(&["scenario", "new", "my-outage"]);
    assert!(code == 0 && out.contains("run it: mqlab run my-outage.toml"), "{out}{talk}");
    let (code, out, talk) = mqlab(&["run", "my-outage.toml", "--no-tui"]);
    assert_eq!(code, 0, "{out}{talk}");
    assert!(
        out.contains("POWER LOST") || out.contains("power-loss") || out.contains("断电"),
        "something happens: {out}"
    );
    assert!(out.contains("store-recovers") && out.contains("as expected"), "{out}");
    let (code, out, _) = mqlab(&["why", "my-outage.toml", "m10"]);
    assert!(code == 0 && out.starts_with("m10 order-10"), "{out}");
    // Whoever wrote in it keeps it.
    std::fs::write(folder.path().join("my-outage.toml"), "mine").unwrap();
    let (code, _, talk) = mqlab(&["scenario", "new", "my-outage"]);
    assert!(code == 4 && talk.contains("is there already") && talk.contains("help: "), "{talk}");
    assert_eq!(std::fs::read_to_string(folder.path().join("my-outage.toml")).unwrap(), "mine");
    let (code, ..) = mqlab(&["scenario", "new", "other", "-o", "deep/other.toml"]);
    assert_eq!(code, 4, "there is no such folder");
    let (code, _, talk) = mqlab(&["scenario", "new", "../x"]);
    assert!(code == 4 && talk.contains("is no name of a scenario"), "{talk}");
}

#[test]
fn every_line_of_the_new_one_has_its_comment_or_speaks_for_itself() {
    let text = include_str!("../../src/lab/cli/scenario/new.toml");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 12);
    assert!(text.contains("mqlab run {name}.toml") && text.contains("mqlab why {name}.toml m1"));
}

#[test]
fn scenarios_are_listed_and_shown() {
    let here = std::path::Path::new(".");
    let (code, text, _) = mqlab(here, &["scenario", "list"]);
    assert_eq!((code, text), (0, mqlab(here, &["list"]).1));
    let (_, json, _) = mqlab(here, &["scenario", "list", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let all = json["scenarios"].as_array().unwrap();
    assert_eq!(all.len(), mqlab::lab::scenario::library::ALL.len());
    assert!(all.iter().all(|one| one["title"]["zh"].as_str().is_some_and(|title| !title.is_empty())));
    let (_, text, _) = mqlab(here, &["scenario", "show", "17-power-loss"]);
    assert_eq!(text, std::fs::read_to_string("scenarios/17-power-loss.toml").unwrap());
    let (code, _, talk) = mqlab(here, &["scenario", "show", "17-power-los"]);
    assert!(code == 4 && talk.contains("did you mean `17-power-loss`?"), "{talk}");
}

#[test]
fn resolved_every_number_has_a_line_and_a_change_changes_its_own() {
    let here = std::path::Path::new(".");
    let resolved =
        |more: &[&str]| mqlab(here, &[&["scenario", "show", "17-power-loss", "--resolved"], more].concat()).1;
    let plain = resolved(&[]);
    let line = |text: &str, part: &str| text.lines().find(|line| line.contains(part)).map(str::to_owned);
    assert_eq!(line(&plain, "until"), Some("until = 40.000000000s".to_owned()), "{plain}");
    for default in ["flush_thorough_interval", "commit_log_file_size", "torn_writes", "latency_max"] {
        assert!(line(&plain, default).is_some(), "{default} in {plain}");
    }
    let interval = line(&plain, ".flush_interval").unwrap();
    assert!(interval.ends_with("= 500ms"), "{interval}");
    let changed = resolved(&["--set", "broker.broker-a.flush_interval=250ms"]);
    let differ: Vec<_> = plain.lines().zip(changed.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(differ.len(), 1, "{differ:?}");
    assert!(differ[0].0.contains("flush_interval"));
    assert!(plain.lines().all(|line| line.contains(" = ")), "{plain}");
}
