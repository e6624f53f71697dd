//! Run files: every command that looks at a run takes one, beside scenarios, plans and standard input; one that does not come
//! out as it was written is refused.

use assert_cmd::Command;
use serde_json::Value;

fn mqlab(arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    let output = command.args(arguments).write_stdin(input.to_vec()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with `kept.rmqrun`: a power loss over a disk that is forced, with another seed.
fn kept() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.rmqrun").to_str().unwrap().to_owned();
    let set = "broker.broker-a.flush=sync";
    let run = ["run", "17-power-loss", "--no-tui", "--quiet", "--seed", "7", "--set", set, "--out", &path];
    let (_, out, talk) = mqlab(&run, b"");
    assert!(out.contains("seed 7"), "{out}{talk}");
    (folder, path)
}

#[test]
fn every_command_that_looks_at_a_run_takes_a_run_file() {
    let (_folder, path) = kept();
    for (run, part) in [
        (&["why", &path, "m1"][..], "m1 order-1"),
        (&["export", &path, "--to", "mermaid"], "sequenceDiagram"),
        (&["show", "lanes", &path], "broker-a"),
        (&["show", "story", "order-1", &path], "m1 order-1"),
        (&["show", "queues", &path], "#Broker Name"),
        (&["replay", &path, "--no-tui"], "the run is the one of "),
        (&["run", &path, "--no-tui"], "--set broker.broker-a.flush=sync"),
        (&["scenario", "show", &path], "flush = \"sync\""),
    ] {
        let (code, out, talk) = mqlab(run, b"");
        // The synced broker loses nothing, and the scenario expects that it does.
        assert!([0, 1].contains(&code) && out.contains(part), "{run:?}: {code}\n{out}{talk}");
    }
    let (code, out, _) = mqlab(&["diff", &path, "17-power-loss@7", "--format", "json"], b"");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1);
    assert!(json["messages"].as_array().is_some_and(|all| !all.is_empty()), "both were run here: {json:#}");
}

#[test]
fn standard_input_is_a_scenario_or_a_run_file() {
    let (_folder, path) = kept();
    let packed = std::fs::read(&path).unwrap();
    let scenario = std::fs::read("scenarios/01-first-message.toml").unwrap();
    for (run, input, part) in [
        (&["why", "-", "m1"][..], &packed, "m1 order-1"),
        (&["replay", "-", "--no-tui"], &packed, "the run is the one of -"),
        (&["show", "lanes", "-"], &scenario, "billing-1"),
        (&["scenario", "check", "-"], &scenario, "can be run"),
    ] {
        let (code, out, talk) = mqlab(run, input);
        assert!([0, 1].contains(&code) && out.contains(part), "{run:?}: {code}\n{out}{talk}");
    }
    let (code, _, talk) = mqlab(&["run", "-", "--no-tui"], b"");
    assert!(code == 4 && talk.contains("the file is empty"), "{talk}");
}

#[test]
fn a_run_file_of_another_run_is_refused_and_the_first_difference_named() {
    let (folder, path) = kept();
    let plain = folder.path().join("bent.jsonl").to_str().unwrap().to_owned();
    let whole = String::from_utf8(zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap()).unwrap();
    // As a build would have written it in which a timer of the broker is called otherwise.
    let bent = whole.replacen("\"kind\":\"fired\"", "\"kind\":\"armed\"", 1);
    let (rest, foot) = bent.trim_end().rsplit_once('\n').unwrap();
    let mut foot: Value = serde_json::from_str(foot).unwrap();
    foot["digest"] = "0".repeat(32).into();
    std::fs::write(&plain, format!("{rest}\n{foot}\n")).unwrap();
    for run in [&["replay", &plain, "--no-tui"][..], &["why", &plain, "m1"], &["export", &plain, "--to", "dot"]] {
        let (code, out, talk) = mqlab(run, b"");
        assert_eq!((code, out.as_str()), (5, ""), "{run:?}: {talk}");
        assert!(talk.contains("is not the one of") && talk.contains("kind armed") && talk.contains("help: "), "{talk}");
    }
    // Whoever changes the run does not want the one that was written.
    let (code, out, talk) = mqlab(&["why", &plain, "m1", "--seed", "8"], b"");
    assert!(code == 0 && out.contains("m1 order-1"), "{talk}");
    let strict = whole.replacen(concat!("\"build\":\"", env!("CARGO_PKG_VERSION"), "\""), "\"build\":\"0.0.1\"", 1);
    std::fs::write(&plain, strict).unwrap();
    let (code, _, talk) = mqlab(&["replay", &plain, "--no-tui", "--strict-build"], b"");
    assert!(code == 4 && talk.contains("was written by mqlab 0.0.1") && talk.contains("help: "), "{talk}");
}

#[test]
fn the_time_of_a_record_is_its_time_whatever_else_it_tells() {
    let (_, lines, _) = mqlab(&["run", "17-power-loss", "--format", "jsonl"], b"");
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times: Vec<u64> = records
        .iter()
        .filter(|record| !record["kind"].is_null())
        .map(|record| record["at"].as_u64().unwrap())
        .collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "time never goes back");
    let appended: Vec<&Value> = records.iter().filter(|record| record["kind"] == "appended").collect();
    let ends: Vec<i64> =
        appended.iter().map(|one| one["place"].as_i64().unwrap() + one["size"].as_i64().unwrap()).collect();
    assert!(ends[..10].windows(2).all(|pair| pair[0] < pair[1]), "places in the log: {ends:?}");
    let (_, why, _) = mqlab(&["why", "17-power-loss", "#32"], b"");
    assert!(why.contains("has followed the log over "), "{why}");
}

#[test]
fn what_is_found_nowhere_is_answered_with_what_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let old = path("old.jsonl", "{\"format\":1}\n{\"digest\":\"ab\"}\n");
    let cut = path("cut.jsonl", "{\"format\":1}\n{\"kind\":\"fired\"}\n");
    for (name, parts) in [
        (
            "17-power-los",
            &["tried: the ", " scenarios of this build, and the file ./17-power-los", "`17-power-loss`"][..],
        ),
        ("nothing-like-it", &["tried: ", "`-` is standard input"]),
        ("gone.rmqrun", &["gone.rmqrun cannot be read"]),
        ("17-power-loss@soon", &["`soon` is no seed", "17-power-loss@7"]),
        (&old, &["does not say how it is run again", "mqlab run --against"]),
        (&cut, &["it was cut"]),
    ] {
        for command in [&["why", name, "m1"][..], &["export", name, "--to", "dot"], &["replay", name, "--no-tui"]] {
            let (code, out, talk) = mqlab(command, b"");
            assert_eq!((code, out.as_str()), (4, ""), "{command:?}");
            for part in parts {
                assert!(talk.contains(part), "{part} in {talk}");
            }
        }
    }
}

#[test]
fn a_plan_that_a_hunt_found_is_a_run_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("found.toml").to_str().unwrap().to_owned();
    let (code, text, talk) = mqlab(&["hunt", "26-hunt", "--seeds", "3..4", "--print-plan"], b"");
    assert_eq!(code, 0, "{talk}");
    std::fs::write(&plan, text).unwrap();
    for command in [&["replay", &plan, "--no-tui"][..], &["show", "lanes", &plan], &["export", &plan, "--to", "shiviz"]]
    {
        let (code, out, talk) = mqlab(command, b"");
        assert!([0, 1, 3].contains(&code) && !out.is_empty(), "{command:?}: {code} {talk}");
    }
}

#[test]
fn the_player_writes_its_branch_with_its_bookmarks_and_never_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.rmqrun").to_str().unwrap().to_owned();
    let lines = format!("go 28\n+kill broker-a\nbookmark here it dies\nsave {path}\nsave {path}\nquit\n");
    let (_, out, talk) = mqlab(&["run", "17-power-loss", "--plain"], lines.as_bytes());
    assert!(
        out.contains("mine.rmqrun is written: mqlab replay") && out.contains("mine.rmqrun is not written: "),
        "{out}{talk}"
    );
    let (_, out, talk) = mqlab(&["replay", &path, "--no-tui"], b"");
    assert!(out.contains("bookmark  #28 ") && out.contains("here it dies"), "{out}{talk}");
    assert!(out.contains("--edit '+kill broker-a @nth("), "the branch: {out}");
    assert!(out.contains("the run is the one of "), "{out}");
}

#[test]
fn a_moment_is_told_as_text_and_a_wrong_one_with_its_column() {
    let (code, out, talk) = mqlab(&["replay", "17-power-loss", "--no-tui", "--at", "first:power-loss"], b"");
    assert_eq!(code, 0, "{talk}");
    let moment = out.split_once("\nat  #").unwrap().1;
    assert!(moment.to_lowercase().contains("power") && moment.contains("m10 order-10  ACKED, NOT DURABLE"), "{moment}");
    let (code, out, talk) = mqlab(&["replay", "17-power-loss", "--no-tui", "--at", "first:apend"], b"");
    assert!(code == 4 && out.is_empty() && talk.contains("(column 7): did you mean `append`?"), "{talk}");
}

#[test]
fn bookmarks_stand_in_the_run_file() {
    let (_folder, path) = kept();
    let (code, out, talk) = mqlab(&["replay", &path, "--plain"], b"go 31\nbookmark before the outage\nquit\n");
    assert!(code == 0 && out.contains("bookmark at #31") && out.contains("keeps 1 bookmarks"), "{out}{talk}");
    let (_, out, _) = mqlab(&["replay", &path, "--no-tui"], b"");
    assert!(out.contains("bookmark  #31 ") && out.contains("before the outage"), "{out}");
    let (_, out, _) = mqlab(&["replay", &path, "--plain"], b"]\n]\n]\n]\n]\n]\n]\n");
    assert!(out.contains("bookmark before the outage"), "the mark keys find it: {out}");
    let (code, out, _) = mqlab(&["run", "17-power-loss", "--against", &path, "--seed", "7"], b"");
    assert_eq!(code, 5, "{out}: that run was not synced");
}
