//! One seed is one history, and `mqlab check-determinism` sees when it is not; a run of another build is held against a trace.

use std::process::{Command, Output};

use mqlab::lab::explore::hunt::{Campaign, Ground};
use mqlab::lab::explore::swarm::Bounds;
use mqlab::lab::explore::twice::{self, Difference, Order};
use serde_json::Value;

fn mqlab(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.env_remove("MQLAB_JOBS").args(arguments).args(["--lang", "en"]).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn runs_here_and_elsewhere_are_the_same_and_have_one_digest() {
    let check = |more: &[&str]| mqlab(&[&["check-determinism", "26-hunt", "--format", "json"], more].concat());
    let one = check(&["--seeds", "0..20", "-j", "1"]);
    assert_eq!(one.status.code(), Some(0), "{one:?}");
    assert_eq!(json(&one)["mismatches"], 0);
    assert_eq!(one.stdout, check(&["--seeds", "0..20", "-j", "3"]).stdout);
    assert_ne!(json(&one)["digest"], json(&check(&["--seeds", "1..21"]))["digest"]);
    let written = mqlab(&["check-determinism", "17-power-loss", "--seeds", "0..3"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
}

#[test]
fn a_process_that_runs_otherwise_is_seen_and_the_first_record_is_named() {
    let planted = |seeds: &str, format: &str| {
        let asked =
            ["check-determinism", "26-hunt", "--plant", "acks-before-flush", "--seeds", seeds, "--format", format];
        let output = mqlab(&asked);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        output
    };
    let told = json(&planted("0..12", "json"));
    assert!(0 < told["mismatches"].as_u64().unwrap());
    let is_record = |one: &&Value| one["difference"]["record"].is_object();
    let one = told["first"].as_array().unwrap().iter().find(is_record).unwrap_or_else(|| panic!("{told:#}"));
    let record = &one["difference"]["record"];
    let (ours, theirs) = (&record["first"], &record["second"]);
    assert_ne!(ours["record"], theirs["record"]);
    for field in ["step", "seq", "incarnation", "ordinal"] {
        assert!(ours[field].is_u64(), "{field}: {ours:#}");
    }
    assert!(ours["kind"].is_string() && ours["node"].is_string());
    let text = String::from_utf8(planted(&one["seed"].to_string(), "text").stdout).unwrap();
    let line = format!(
        "- #{}, record {}: {}, incarnation {}, kind {}, ordinal {}",
        ours["step"],
        ours["seq"],
        ours["node"].as_str().unwrap(),
        ours["incarnation"],
        ours["kind"].as_str().unwrap(),
        ours["ordinal"]
    );
    assert!(text.contains("runs otherwise in another process") && text.contains(&line), "{line}\n{text}");
}

#[test]
fn the_order_in_which_seeds_are_run_does_not_matter_and_another_seed_does() {
    let campaign = Campaign {
        ground: Ground::Drawn,
        bounds: Bounds::default(),
        profile: "rocketmq-4.3.2".to_owned(),
        guided: None,
    };
    let forwards = twice::briefs(&campaign, 0..12, 1, Order::Forwards);
    assert_eq!(forwards, twice::briefs(&campaign, 0..12, 3, Order::Backwards));
    let whole = twice::whole(&campaign, 5);
    assert!(whole.trace.contains(&format!("\"digest\":\"{}\"", forwards[5].digest)), "in full it is the same run");
    assert_eq!(twice::difference(&whole, &twice::whole(&campaign, 5)), None);
    let other = twice::difference(&whole, &twice::whole(&campaign, 6)).unwrap();
    assert!(matches!(other, Difference::Plan { line, .. } if 0 < line));
    let mut bent = whole.clone();
    bent.trace = bent.trace.replacen("\"kind\":\"fired\"", "\"kind\":\"frayed\"", 1);
    let Some(Difference::Record(parting)) = twice::difference(&whole, &bent) else { panic!("it is bent") };
    assert_eq!((parting.first.unwrap().kind.as_str(), parting.second.unwrap().kind.as_str()), ("fired", "frayed"));
}

#[test]
fn a_run_is_held_against_a_trace_by_node_incarnation_kind_and_ordinal() {
    let folder = tempfile::tempdir().unwrap();
    let (file, packed) = (folder.path().join("then.jsonl"), folder.path().join("then.rmqrun"));
    let (file, packed) = (file.to_str().unwrap(), packed.to_str().unwrap());
    mqlab(&["run", "01-first-message", "--quiet", "--out", file]);
    mqlab(&["run", "01-first-message", "--quiet", "--out", packed]);
    let against = |file: &str, more: &[&str]| mqlab(&[&["run", "01-first-message", "--against", file], more].concat());
    for file in [file, packed] {
        let same = against(file, &[]);
        assert_eq!(same.status.code(), Some(0), "{same:?}");
    }
    // As a build that leaves one timer less and counts otherwise from then on would have written it.
    let text = std::fs::read_to_string(file).unwrap();
    let mut gone = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if gone.is_none() && record["kind"] == "fired" && 40 < record["seq"].as_u64().unwrap() {
            gone = Some(record);
            continue;
        }
        if let (Some(_), Some(seq)) = (&gone, record["seq"].as_u64()) {
            record["seq"] = (seq - 1).into();
            record["step"] = (record["step"].as_u64().unwrap() - 1).into();
        }
        lines.push(format!("{record}\n"));
    }
    let gone = gone.unwrap();
    std::fs::write(file, lines.concat()).unwrap();
    let parted = against(file, &[]);
    assert_eq!(parted.status.code(), Some(5), "{parted:?}");
    let said = String::from_utf8(parted.stdout).unwrap();
    let node = gone["node"].as_str().unwrap();
    assert!(said.contains(&format!(": {node}, incarnation 1, kind fired, ordinal ")), "{said}");
    assert_eq!(against(file, &["--seed", "4"]).status.code(), Some(5));
    std::fs::write(file, "hello\n").unwrap();
    let wrong = against(file, &[]);
    assert!(wrong.status.code() == Some(4) && String::from_utf8(wrong.stderr).unwrap().contains("line 1"));
}
