//! Two runs held against each other, and what the binary says of itself.

use assert_cmd::Command;
use serde_json::Value;

fn mqlab(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn one_run_is_itself_and_two_seeds_part_somewhere() {
    let (code, out, _) = mqlab(&["diff", "17-power-loss@3", "17-power-loss@3"]);
    assert_eq!(code, 0);
    assert!(out.contains("every record has its equal") && out.contains("the same end"), "{out}");
    let (code, out, _) = mqlab(&["diff", "17-power-loss@3", "17-power-loss@4"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("- 17-power-loss@3\n+ 17-power-loss@4") && out.contains("the first record that differs"),
        "{out}"
    );
}

#[test]
fn messages_that_come_to_another_end_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let synced = folder.path().join("synced.toml");
    let text = std::fs::read_to_string("scenarios/17-power-loss.toml").unwrap();
    std::fs::write(&synced, text.replacen("flush = \"async\"", "flush = \"sync\"", 1)).unwrap();
    let (code, out, talk) = mqlab(&["diff", "17-power-loss", synced.to_str().unwrap(), "--format", "json"]);
    assert_eq!(code, 1, "{talk}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let messages = json["messages"].as_array().unwrap();
    let third = messages.iter().find(|one| one["message"] == "m3 order-3").unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(third["first"], "LOST");
    assert_ne!(third["second"], "LOST");
    assert!(json["parting"]["first"]["step"].is_u64());
}

#[test]
fn a_trace_that_was_written_is_compared_and_what_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (code, ..) = mqlab(&["run", "01-first-message", "--no-tui", "--out", &path("a.rmqrun")]);
    assert_eq!(code, 0);
    let (code, out, _) = mqlab(&["diff", "01-first-message", &path("a.rmqrun")]);
    assert!(code == 0 && out.contains("every record has its equal"), "{out}");
    std::fs::write(path("b.jsonl"), "{\"x\":1}\n").unwrap();
    for (other, told) in [
        (path("b.jsonl"), "is no trace"),
        (path("c.jsonl"), "cannot be read"),
        ("01-first-message@x".into(), "is no seed"),
    ] {
        let (code, out, talk) = mqlab(&["diff", "01-first-message", &other]);
        assert_eq!((code, out.as_str()), (4, ""), "{other}");
        assert!(talk.contains(told) && talk.contains("help: "), "{talk}");
    }
}

#[test]
fn every_shell_gets_completions_and_every_command_a_page() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, _) = mqlab(&["completions", shell]);
        assert!(code == 0 && out.contains("mqlab") && out.contains("check-determinism"), "{shell}");
    }
    let (code, page, _) = mqlab(&["man"]);
    assert!(code == 0 && page.contains(".TH mqlab") && page.contains("hunt"), "{page}");
    let (code, page, _) = mqlab(&["man", "export"]);
    assert!(code == 0 && page.contains(".TH mqlab-export") && page.contains("mermaid"), "{page}");
    let (code, _, talk) = mqlab(&["man", "exprot"]);
    assert!(code == 2 && talk.contains("did you mean `export`?"), "{talk}");
}

#[test]
fn keys_are_those_of_the_player_in_both_languages() {
    let (_, out, _) = mqlab(&["keys", "--lang", "en"]);
    assert!(out.contains("the player\n") && out.contains("  w          why\n"), "{out}");
    let (_, out, _) = mqlab(&["keys", "--lang", "zh"]);
    assert!(out.contains("为什么没有"), "{out}");
    let (_, out, _) = mqlab(&["keys", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let names =
        |screen: &str| json[screen].as_array().unwrap().iter().map(|one| one["key"].clone()).collect::<Vec<_>>();
    assert!(
        names("player").contains(&Value::from("n"))
            && names("home").contains(&Value::from("Enter"))
            && names("card").contains(&Value::from("n"))
    );
}

#[test]
fn the_doctor_says_what_is_not_as_it_should_be_and_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab"))
        .arg("doctor")
        .env("TERM", "dumb")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(out.contains("! terminal  dumb") && out.contains("help: TERM=dumb"), "{out}");
    assert!(out.contains("! boxes     ASCII") && out.contains("+ widths"), "{out}");
}
