//! Settings: flag before environment before the project's file before the user's before defaults, each with its origin.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// In a folder, with these variables and no others of ours.
fn mqlab(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.current_dir(folder).env_clear().env("XDG_CONFIG_HOME", folder.join("user")).args(arguments);
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A setting's value and origin.
fn of(name: &str, (code, out, talk): &(i32, String, String)) -> (String, String) {
    assert_eq!(*code, 0, "{talk}");
    let json: Value = serde_json::from_str(out).unwrap();
    let all = json["settings"].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {json:#}"));
    let text = |key: &str| one[key].as_str().unwrap().to_owned();
    (text("value"), text("origin"))
}

const SHOW: [&str; 4] = ["config", "show", "--format", "json"];

#[test]
fn a_flag_goes_before_a_variable_before_the_project_before_the_user_before_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let show =
        |variables: &[(&str, &str)], more: &[&str]| of("theme", &mqlab(root, variables, &[&SHOW[..], more].concat()));
    let is = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(show(&[], &[]), is("auto", "default"));
    fs::create_dir_all(root.join("user/mqlab")).unwrap();
    let user = root.join("user/mqlab/config.toml");
    fs::write(&user, "# mine\ntheme = \"dark\"\njobs = 3\n").unwrap();
    assert_eq!(show(&[], &[]), is("dark", &format!("{}:2", user.display())));
    let project = root.join("mqlab.toml");
    fs::write(&project, "theme = \"light\"\n").unwrap();
    let (value, origin) = show(&[], &[]);
    assert!(value == "light" && origin.ends_with("mqlab.toml:1"), "{value} {origin}");
    assert_eq!(show(&[("MQLAB_THEME", "mono")], &[]), is("mono", "MQLAB_THEME"));
    assert_eq!(show(&[("MQLAB_THEME", "mono")], &["--theme", "high-contrast"]), is("high-contrast", "--theme"));
    // What the project leaves open, the user's file says.
    assert_eq!(of("jobs", &mqlab(root, &[], &SHOW)).0, "3");
    // A variable that is set to nothing is not set.
    assert_eq!(show(&[("MQLAB_THEME", "")], &[]).0, "light");
}

#[test]
fn the_projects_file_is_looked_for_above_and_not_beyond_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("repository/a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(folder.path().join("repository/.git")).unwrap();
    fs::write(folder.path().join("mqlab.toml"), "lang = \"zh\"\n").unwrap();
    assert_eq!(of("lang", &mqlab(&deep, &[], &SHOW)).1, "default");
    fs::write(folder.path().join("repository/mqlab.toml"), "lang = \"zh\"\n").unwrap();
    assert_eq!(of("lang", &mqlab(&deep, &[], &SHOW)).0, "zh");
    let named = folder.path().join("named.toml");
    fs::write(&named, "color = \"never\"\n").unwrap();
    let shown = mqlab(&deep, &[], &[&SHOW[..], &["--config", named.to_str().unwrap()]].concat());
    assert_eq!((of("color", &shown).0, of("lang", &shown).0), ("never".into(), "en".into()), "that file alone");
    let shown = mqlab(&deep, &[("MQLAB_CONFIG", named.to_str().unwrap())], &SHOW);
    assert_eq!(of("color", &shown).0, "never");
}

#[test]
fn settings_reach_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let run = |variables: &[(&str, &str)], more: &[&str]| {
        mqlab(root, variables, &[&["run", "01-first-message", "--no-tui", "--quiet"], more].concat()).1
    };
    assert!(run(&[], &[]).contains("seed 1 "), "{}", run(&[], &[]));
    fs::write(root.join("mqlab.toml"), "seed = 5\nlang = \"zh\"\nseeds = \"2..4\"\njobs = 1\n").unwrap();
    let text = run(&[], &[]);
    assert!(text.contains("seed 5 ") && text.contains("检查"), "{text}");
    assert!(run(&[("MQLAB_SEED", "6")], &[]).contains("seed 6 "));
    assert!(run(&[("MQLAB_SEED", "6")], &["--seed", "7", "--lang", "en"]).contains("seed 7 "));
    let (code, out, talk) = mqlab(root, &[], &["check-determinism", "01-first-message", "--lang", "en"]);
    assert!(code == 0 && out.contains('2'), "{out}{talk}");
    assert_eq!(of("seeds", &mqlab(root, &[], &SHOW)).0, "2..4");
}

#[test]
fn what_is_no_setting_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, parts) in [
        ("lang = \"fr\"", &["mqlab.toml:1: `fr` is no value of lang", "one of en, zh"][..]),
        ("\n\nthem = \"dark\"", &["mqlab.toml:3: no setting named `them`", "did you mean `theme`?"]),
        ("jobs = -2", &["is no value of jobs", "a whole number"]),
        ("seeds = \"x\"", &["is no value of seeds"]),
        ("jobs = ", &["mqlab.toml:1: ", "help: "]),
    ] {
        fs::write(folder.path().join("mqlab.toml"), text).unwrap();
        let (code, out, talk) = mqlab(folder.path(), &[], &["config", "show"]);
        assert_eq!((code, out.as_str()), (4, ""), "{text}");
        for part in parts {
            assert!(talk.contains(part), "{part} in {talk}");
        }
    }
    fs::remove_file(folder.path().join("mqlab.toml")).unwrap();
    let (code, _, talk) = mqlab(folder.path(), &[], &["--config", "gone.toml", "list"]);
    assert!(code == 4 && talk.contains("gone.toml cannot be read"), "{talk}");
    let (code, text, _) = mqlab(folder.path(), &[], &["config", "show", "--lang", "zh"]);
    assert!(
        code == 0 && text.contains("没有读取文件") && text.contains("终端配色") && text.contains("--lang"),
        "{text}"
    );
}

#[test]
fn a_run_can_be_held_against_itself_and_notes_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let twice = [("MQLAB_CHECK_DETERMINISM", "1")];
    let (code, out, _) = mqlab(folder.path(), &twice, &["run", "17-power-loss", "--quiet"]);
    assert!(code == 0 && out.contains("as expected"), "{out}");
    let (_, _, talk) = mqlab(folder.path(), &[], &["-v", "scenario", "check", "17-power-loss"]);
    assert_eq!(talk, "", "no file was read");
    fs::write(folder.path().join("mqlab.toml"), "jobs = 1\n").unwrap();
    let (_, _, talk) = mqlab(folder.path(), &[], &["-v", "scenario", "check", "17-power-loss"]);
    assert!(talk.starts_with("settings: ") && talk.ends_with("mqlab.toml\n"), "{talk}");
    let noted = ["scenario", "show", "17-power-loss", "--set", "broker.broker-a.properties=nobodyKnows=1"];
    let (code, _, talk) = mqlab(folder.path(), &[], &noted);
    assert!(code == 0 && talk.contains("note: "), "{talk}");
    let (_, _, talk) = mqlab(folder.path(), &[], &[&noted[..], &["-q"]].concat());
    assert_eq!(talk, "");
}
