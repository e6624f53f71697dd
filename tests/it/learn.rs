//! `mqlab learn` as a person uses it: own copies, verdicts, hints, answers, and what is kept between two visits.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use mqlab::lab::learn::grade::{Verdict, grade};
use mqlab::lab::learn::trial::{Came, Effort};
use mqlab::lab::learn::{copy, lessons};
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::{self, Overrides};
use mqlab::lab::scenario::{Scenario, library, load};
use serde_json::Value;

use crate::course::planted;

/// A person's folder, and where progress is kept.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mqlab"));
        command.current_dir(self.folder.path()).args(arguments).env("MQLAB_DATA", self.path("state"));
        command.env_remove("MQLAB_LANG").env("LC_ALL", "C");
        command
    }

    /// The exit code, what is printed, what is said.
    fn mqlab(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::from(self.command(arguments)).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (_, out, talk) = self.mqlab(arguments);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{talk}"))
    }

    fn change(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }
}

/// The command that the last line names.
fn next(text: &str) -> &str {
    let last = text.trim_end().lines().last().unwrap_or_default();
    let next = last.strip_prefix("next: ").unwrap_or_else(|| panic!("no next command: {text}"));
    next.split_once(", then ").map_or(next, |(_, command)| command)
}

const COPY: &str = "17-power-loss.toml";

#[test]
fn an_exercise_from_the_list_to_the_verdict() {
    let desk = Desk::new();
    let (code, out, _) = desk.mqlab(&["learn", "list"]);
    assert!(code == 0 && out.contains("17-power-loss            new     The power goes out"), "{out}");
    assert_eq!(next(&out), "mqlab learn 01-first-message");
    assert_eq!(desk.mqlab(&["learn"]).1, out);
    let (code, out, _) = desk.mqlab(&["learn", "17"]);
    assert!(code == 0 && out.contains("exercise  ") && out.contains("may be changed: broker.*.flush"), "{out}");
    assert_eq!(next(&out), "mqlab learn edit 17-power-loss");
    let (code, _, talk) = desk.mqlab(&["learn", "check"]);
    assert!(code == 6 && talk.contains("17-power-loss.toml is not there"), "{talk}");
    assert_eq!(next(&talk), "mqlab learn edit 17-power-loss");
    let (code, out, _) = desk.mqlab(&["learn", "edit", "power"]);
    assert!(code == 0 && out.starts_with("17-power-loss.toml is yours"), "{out}");
    assert_eq!(next(&out), "mqlab learn check 17-power-loss");
    let (code, out, _) = desk.mqlab(&["learn", "start"]);
    assert!(code == 0 && out.contains("is there already and stays"), "{out}");

    let check = ["learn", "check", "17-power-loss", "--seeds", "3"];
    let (code, out, _) = desk.mqlab(&check);
    assert!(code == 6 && out.starts_with("nothing is changed yet\nNOT YET: `acked-is-durable` is to hold"), "{out}");
    desk.change(COPY, "flush_interval = \"500ms\"", "flush_interval = \"10ms\"");
    let (code, out, _) = desk.mqlab(&check);
    assert!(code == 6 && out.starts_with("NOT YET: `acked-is-durable` is to hold, and in seed 1"), "{out}");
    assert!(out.contains("seen: ") && next(&out) == "mqlab learn hint 17-power-loss", "{out}");
    let replay = out.lines().find_map(|line| line.strip_prefix("replay  mqlab ")).unwrap();
    let (code, run, talk) = desk.mqlab(&replay.split(' ').chain(["--no-tui"]).collect::<Vec<_>>());
    assert!(code == 0 && run.contains("VIOLATED as the lesson expects"), "{run}{talk}");
    let json = desk.json(&[&check[..], &["--format", "json"]].concat());
    assert_eq!((json["verdict"].as_str(), json["seed"].as_u64()), (Some("not-yet"), Some(1)), "{json}");

    desk.change(COPY, "flush = \"async\"", "flush = \"sync\"");
    let (code, out, _) = desk.mqlab(&check);
    assert!(code == 0 && out.starts_with("PASSED: 3 of 3 seeds"), "{out}");
    assert_eq!(next(&out), "mqlab learn 01-first-message");
    let json = desk.json(&["learn", "list", "--format", "json"]);
    let stages = json["lessons"].as_array().unwrap().iter().filter(|one| one["stage"] == "passed");
    assert_eq!(stages.map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), ["17-power-loss"]);
    let json = desk.json(&["learn", "progress", "--format", "json"]);
    let taken = &json["lessons"]["17-power-loss"];
    assert_eq!((taken["passed"].as_bool(), json["next"].as_str()), (Some(true), Some("01-first-message")));
    assert!(taken["copy"].as_str().is_some_and(|copy| copy.ends_with(COPY)), "{json}");
}

#[test]
fn a_copy_is_found_where_it_was_written_and_by_its_path() {
    let desk = Desk::new();
    fs::create_dir(desk.path("there")).unwrap();
    let mut command = desk.command(&["learn", "edit", "17"]);
    assert!(command.current_dir(desk.path("there")).output().unwrap().status.success());
    let (code, out, _) = desk.mqlab(&["learn", "check", "--seeds", "1"]);
    assert!(code == 6 && out.contains("nothing is changed yet"), "{out}");
    fs::copy(desk.path("there").join(COPY), desk.path("mine.toml")).unwrap();
    desk.change("mine.toml", "flush = \"async\"", "flush = \"sync\"");
    for arguments in [&["mine.toml"][..], &["./mine.toml"], &["17", "mine.toml"]] {
        let (code, out, talk) = desk.mqlab(&[&["learn", "check", "--seeds", "1"], arguments].concat());
        assert!(code == 0 && out.starts_with("PASSED"), "{arguments:?} {out}{talk}");
    }
}

#[test]
fn what_is_not_yours_to_change_is_named_with_its_line_and_the_way_back() {
    let desk = Desk::new();
    desk.mqlab(&["learn", "edit", "17"]);
    desk.change(COPY, "count = 10", "count = 1");
    let text = fs::read_to_string(desk.path(COPY)).unwrap();
    let line = 1 + text.lines().position(|line| line.starts_with("count = 1")).unwrap();
    let (code, out, talk) = desk.mqlab(&["learn", "check"]);
    assert_eq!((code, out.as_str()), (4, ""), "{talk}");
    assert!(talk.contains("`producer.shop.send.1.count` is not yours to change"), "{talk}");
    assert!(
        talk.contains(&format!("17-power-loss.toml:{line}:")) && talk.contains("put it back: count = 10"),
        "{talk}"
    );
    assert_eq!(next(&talk), "mqlab learn check 17-power-loss");
    let json = desk.json(&["learn", "check", "--format", "json"]);
    assert_eq!((json["verdict"].as_str(), json["problems"][0]["line"].as_u64()), (Some("invalid"), Some(line as u64)));
    let zh = desk.mqlab(&["learn", "check", "--lang", "zh"]).2;
    assert!(zh.contains("本练习不能改") && zh.contains("请改回：count = 10"), "{zh}");
    // A file that is none is told by its reader.
    desk.change(COPY, "count = 1", "count = ");
    let (code, _, talk) = desk.mqlab(&["learn", "check"]);
    assert!(code == 4 && talk.contains(&format!("17-power-loss.toml:{line}:")), "{talk}");
}

fn lesson() -> Scenario {
    lessons::of_text("planted.toml", &planted()).unwrap()
}

fn graded(change: impl Fn(String) -> String) -> Result<Verdict, String> {
    let lesson = lesson();
    let text = change(copy::of(&lesson, Lang::En));
    grade(&lesson, ("copy.toml", &text), Effort { most: None, jobs: 2 }, Lang::En).map_err(|report| report.to_string())
}

#[test]
fn whatever_is_added_or_taken_away_elsewhere_is_foreign() {
    assert!(matches!(graded(|text| text), Ok(Verdict::Untouched(Came::Missed(_)))));
    assert_eq!(graded(|text| text.replace("flush = \"async\"", "flush = \"sync\"")), Ok(Verdict::Came(Came::Held(4))));
    // A key that was left out may be added, and one that stands there may go.
    let gone = graded(|text| text.replace("flush_least_pages = 4", "#"));
    assert!(matches!(gone, Ok(Verdict::Came(Came::Missed(_)))), "{gone:?}");
    let cases = [
        ("role = \"async-master\"\n", "", "`broker.broker-a.role`", "put it back: role = \"async-master\""),
        ("role = ", "id = 0\nrole = ", "`broker.broker-a.id`", "take `id` out"),
        (
            "[[topic]]",
            "[[fault]]\nname = \"more\"\nat = \"1s\"\nkill = { node = \"broker-a\" }\n[[topic]]",
            "`fault.",
            "put",
        ),
        ("outcome = \"violated\"", "outcome = \"holds\"", "`expect.acked-is-durable.outcome`", "put it back"),
        ("until = \"40s\"", "until = \"1s\"", "`until`", "put it back: until = \"40s\""),
    ];
    for (from, to, path, back) in cases {
        let report = graded(|text| text.replacen(from, to, 1)).unwrap_err();
        assert!(report.contains(path) && report.contains(back), "{from}: {report}");
        assert!(report.contains("What may be changed: broker.*.flush"), "{report}");
    }
}

/// Every answer of the course, made in a learner's copy: nothing of it is foreign, and it passes.
#[test]
fn every_written_answer_passes_as_a_copy() {
    let effort = Effort { most: Some(1), jobs: 1 };
    for id in library::names() {
        let lesson = lessons::scenario(id).unwrap();
        let text = copy::of(&lesson, Lang::En);
        let exercise = lesson.lesson.exercise.as_ref().unwrap();
        let untouched = grade(&lesson, ("copy.toml", &text), effort, Lang::En).unwrap();
        assert!(matches!(untouched, Verdict::Untouched(Came::Missed(_))), "{id}: {untouched:?}");
        // What is changed in one of several shapes is changed in the file by hand.
        for way in exercise.solutions.iter().filter(|_| lesson.variant.is_none()) {
            let document: toml::Table = toml::from_str(&text).unwrap();
            let changed = overrides::changed(&document, &way.sets, &way.edits).unwrap();
            let changed = toml::to_string(&changed).unwrap();
            let graded = grade(&lesson, ("copy.toml", &changed), effort, Lang::En);
            let graded = graded.unwrap_or_else(|report| panic!("{id} {:?}: {report}", way.sets));
            assert_eq!(graded, Verdict::Came(Came::Held(1)), "{id} {:?} {:?}", way.sets, way.edits);
        }
    }
}

#[test]
fn a_copy_of_several_shapes_is_changed_in_the_one_that_is_meant() {
    let lesson = lessons::scenario("22-four-shapes").unwrap();
    let text = copy::of(&lesson, Lang::En);
    let pair = "role = \"sync-master\"\n[[variant.broker]]\nname = \"broker-a-s\"\nrole = \"slave\"\nof = \"broker-a\"\n\
                [[variant.broker]]\nname = \"broker-b\"\n";
    let first = "name = \"broker-a\" # <- yours\n";
    assert!(text.contains(first), "{text}");
    let changed = text.replacen(first, &format!("name = \"broker-a\"\n{pair}"), 1);
    let graded = grade(&lesson, ("copy.toml", &changed), Effort { most: Some(2), jobs: 2 }, Lang::En);
    assert_eq!(graded.unwrap_or_else(|report| panic!("{report}")), Verdict::Came(Came::Held(2)));
}

#[test]
fn a_wrong_exercise_is_told_where_it_stands() {
    let cases = [
        ("expect = \"acked-is-durable\"", "expect = \"acked\"", "no expectation named \"acked\""),
        ("expect = \"acked-is-durable\"", "check = \"lost\"", "no expectation is a `lost`"),
        ("expect = \"acked-is-durable\", ", "", "does not say what is looked at"),
        ("outcome = \"holds\", seeds", "count = \"1\", seeds", "counts nothing"),
        ("seeds = 4", "seeds = 0", "seeds = 0 is out of range"),
        ("editable = [\"broker.*.flush\"", "editable = [\"broker.*.flsh\"", "did you mean `flush`?"),
        ("editable = [\"broker.*.flush\"", "editable = [\"broker.broker-b.flush\"", "no broker named `broker-b`"),
        ("editable = [\"broker.*.flush\"", "editable = [\"puller.*.keep\"", "has no `puller`"),
        ("broker.*.flush=sync", "topic.orders.queues=1", "`topic.orders.queues` is not editable in this exercise"),
        ("broker.*.flush=sync", "broker.broker-b.flush=sync", "did you mean `broker-a`?"),
        ("set = [\"broker.*.flush=sync\"]", "set = []", "changes nothing"),
        ("set = [\"broker.*.flush=sync\"]", "edit = [\"-outage\"]", "`fault.outage.off` is not editable"),
        ("why.en = \"Four pages are never dirty.\"\n", "", "has no English"),
        ("article = [\"5.2\"]", "article = [\"5.2a\"]", "is no section of the article"),
        ("[card]", "[card]\nread = \"no such\"", "is no chapter of the book"),
    ];
    for (from, to, part) in cases {
        let text = planted();
        assert!(text.contains(from), "{from}");
        let report = load("bad.toml", text.replacen(from, to, 1).as_bytes(), &Overrides::default()).unwrap_err();
        let drawn = report.to_string();
        assert!(drawn.contains(part) && drawn.contains("bad.toml:") && drawn.contains("help: "), "{from}: {drawn}");
    }
    let several = planted().replace("expect = \"acked-is-durable\"", "check = \"no-acked-loss\"");
    assert!(load("good.toml", several.as_bytes(), &Overrides::default()).is_ok(), "one expectation is of that kind");
    let both = planted().replace(
        "pass = { expect = \"acked-is-durable\", outcome = \"holds\", seeds = 4 }",
        "pass = [{ expect = \"acked-is-durable\", seeds = 2 }, { expect = \"no-order-twice\", count = \"1\", seeds = 4 }]",
    );
    let scenario = load("two.toml", both.as_bytes(), &Overrides::default()).unwrap();
    assert_eq!(scenario.lesson.exercise.unwrap().pass.len(), 2);
}

#[test]
fn hints_come_one_by_one_and_the_answer_when_it_is_asked_for() {
    let desk = Desk::new();
    let count = lessons::scenario("17-power-loss").unwrap().lesson.exercise.unwrap().hints.len();
    for number in 1..=count {
        let (code, out, _) = desk.mqlab(&["learn", "hint", "17"]);
        assert!(code == 0 && out.contains(&format!("hint {number} of {count}: ")), "{out}");
        assert!(!out.contains(&format!("hint {} of", number + 1)), "{out}");
        assert_eq!(next(&out), "mqlab learn edit 17-power-loss");
    }
    let (_, out, _) = desk.mqlab(&["learn", "hint"]);
    assert!(out.contains("that was the last hint") && next(&out) == "mqlab learn solution 17-power-loss", "{out}");
    let (code, _, talk) = desk.mqlab(&["learn", "solution"]);
    assert!(code == 2 && talk.contains("add `--yes` to mqlab learn solution 17-power-loss"), "{talk}");
    let (code, out, _) = desk.mqlab(&["learn", "solution", "--yes"]);
    assert!(code == 0 && next(&out).starts_with("mqlab learn "), "{out}");
    let json = desk.json(&["learn", "progress", "--format", "json"]);
    assert_eq!(json["lessons"]["17-power-loss"]["hints"].as_u64(), Some(count as u64));
}

#[test]
fn a_reset_forgets_and_loses_nothing() {
    let desk = Desk::new();
    desk.mqlab(&["learn", "edit", "17"]);
    desk.mqlab(&["learn", "hint", "2"]);
    desk.change(COPY, "flush = \"async\"", "flush = \"sync\"");
    let mine = fs::read_to_string(desk.path(COPY)).unwrap();
    let (code, _, talk) = desk.mqlab(&["learn", "reset", "17"]);
    assert!(code == 2 && talk.contains("--yes") && desk.path(COPY).exists(), "{talk}");
    let (code, out, _) = desk.mqlab(&["learn", "reset", "17", "--yes"]);
    assert!(code == 0 && out.contains("17-power-loss.toml is kept as 17-power-loss.toml.old"), "{out}");
    assert_eq!(next(&out), "mqlab learn 17-power-loss");
    assert_eq!(fs::read_to_string(desk.path("17-power-loss.toml.old")).unwrap(), mine);
    let json = desk.json(&["learn", "progress", "--format", "json"]);
    assert!(json["lessons"]["17-power-loss"].is_null() && !json["lessons"]["02-wrong-address"].is_null(), "{json}");
    desk.mqlab(&["learn", "edit", "17"]);
    let (code, out, _) = desk.mqlab(&["learn", "reset", "--all", "--yes"]);
    assert!(code == 0 && out.contains("17-power-loss.toml.old-2"), "{out}");
    assert_eq!(desk.json(&["learn", "progress", "--format", "json"])["lessons"], Value::Object(Default::default()));
}

#[test]
fn a_damaged_file_of_progress_is_set_aside_and_said() {
    let desk = Desk::new();
    desk.mqlab(&["learn", "hint", "17"]);
    let file = desk.path("state/progress.json");
    assert!(fs::read_to_string(&file).unwrap().contains("17-power-loss"));
    fs::write(&file, "{ \"version\": 1, \"less").unwrap();
    let (code, out, talk) = desk.mqlab(&["learn", "progress"]);
    assert!(code == 0 && talk.contains("cannot be read") && talk.contains("progress.json.old"), "{talk}");
    assert!(out.starts_with("0 of "), "{out}");
    assert_eq!(fs::read_to_string(desk.path("state/progress.json.old")).unwrap(), "{ \"version\": 1, \"less");
    assert_eq!(desk.mqlab(&["learn", "progress"]).2, "", "it is said once");
    fs::write(&file, "{ \"version\": 7 }").unwrap();
    let (_, _, talk) = desk.mqlab(&["learn", "progress", "--lang", "zh"]);
    assert!(talk.contains("版本 7") && desk.path("state/progress.json.old-2").exists(), "{talk}");
}

#[test]
fn progress_that_cannot_be_kept_stops_nobody() {
    let desk = Desk::new();
    fs::write(desk.path("state"), "a file where the folder should be").unwrap();
    let (code, _, talk) = desk.mqlab(&["learn", "hint", "17"]);
    assert!(talk.contains("MQLAB_DATA") && (code == 0 || code == 4), "{talk}");
    assert_eq!(fs::read_to_string(desk.path("state")).unwrap(), "a file where the folder should be");
}

#[test]
fn names_that_mean_nothing_or_too_much_are_answered() {
    let desk = Desk::new();
    let (code, _, talk) = desk.mqlab(&["learn", "17-powerloss"]);
    assert!(code == 2 && talk.contains("did you mean `17-power-loss`?"), "{talk}");
    let (code, _, talk) = desk.mqlab(&["learn", "hint", "three"]);
    assert!(code == 2 && talk.contains("30-three-subscriptions, 31-three-answers, 32-three-retries"), "{talk}");
    let (code, _, talk) = desk.mqlab(&["learn", "check"]);
    assert!(code == 2 && talk.contains("no lesson was begun yet") && talk.contains("mqlab learn next"), "{talk}");
    let (code, _, talk) = desk.mqlab(&["course", "check", "power-lass"]);
    assert!(code == 2 && talk.contains("did you mean `17-power-loss`?"), "{talk}");
    let (code, out, _) = desk.mqlab(&["learn", "--tour"]);
    assert!(code == 0 && out.starts_with("01-first-message"), "{out}");
    let (_, out, _) = desk.mqlab(&["learn", "list"]);
    assert!(out.contains("01-first-message         begun") && next(&out) == "mqlab learn 01-first-message", "{out}");
    let (_, out, _) = desk.mqlab(&["learn", "list", "--tour"]);
    assert_eq!(out.lines().count(), 7, "{out}");
}

#[test]
fn what_is_seen_in_the_player_is_remembered() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["learn", "17", "--plain", "--lang", "en"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"mark\nmark\nc\nend\nquit\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && next(&out) == "mqlab learn edit 17-power-loss", "{out}");
    let json = desk.json(&["learn", "progress", "--format", "json"]);
    let taken = &json["lessons"]["17-power-loss"];
    assert_eq!(taken["stage"].as_str(), Some("seen"), "{json}");
    assert_eq!((taken["answers"].as_u64(), taken["right"].as_u64()), (Some(1), Some(1)), "{json}");
    assert!(taken["steps"].as_u64().is_some_and(|steps| 2 <= steps), "{json}");
    let (_, out, _) = desk.mqlab(&["learn", "next"]);
    assert!(out.starts_with("17-power-loss"), "{out}");
}

#[test]
fn a_copy_that_is_watched_is_checked_when_it_is_saved() {
    let desk = Desk::new();
    desk.mqlab(&["learn", "edit", "17"]);
    let mut child =
        desk.command(&["learn", "check", "--watch", "--seeds", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("watching 17-power-loss.toml"));
    assert!(lines.by_ref().any(|line| line.starts_with("next: ")), "the first verdict");
    desk.change(COPY, "flush_interval = \"500ms\"", "flush_interval = \"10ms\"");
    assert!(lines.by_ref().any(|line| line.starts_with("NOT YET")), "the second");
    // Saved as editors do: another file takes its place.
    let text = fs::read_to_string(desk.path(COPY)).unwrap().replace("flush = \"async\"", "flush = \"sync\"");
    fs::write(desk.path("new"), text).unwrap();
    fs::rename(desk.path("new"), desk.path(COPY)).unwrap();
    assert!(lines.by_ref().any(|line| line.starts_with("PASSED")), "the third");
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_course_is_checked_from_the_command_line() {
    let desk = Desk::new();
    fs::write(desk.path("planted.toml"), planted()).unwrap();
    let (code, out, talk) = desk.mqlab(&["course", "check", "planted.toml", "--seeds", "2"]);
    assert_eq!(code, 0, "{out}{talk}");
    assert_eq!(out.lines().last(), Some("all 1 lessons are in order"));
    assert!(out.contains("+ 17-power-loss"), "{out}");
    desk.change("planted.toml", "[card]\ndo.en", "[card]\ndo.zh = []\n[other]\ndo.en");
    let (code, out, _) = desk.mqlab(&["course", "check", "planted.toml"]);
    assert!(code == 1 && out.lines().last().unwrap().starts_with("0 of 1 lessons are in order, 1 thing"), "{out}");
    fs::write(desk.path("planted.toml"), planted().replace("broker.*.flush=sync", "broker.*.flush_interval=1s"))
        .unwrap();
    let json = desk.json(&["course", "check", "planted.toml", "--format", "json"]);
    let problem = &json["lessons"][0]["problems"][0];
    assert_eq!((json["good"].as_bool(), problem["kind"].as_str()), (Some(false), Some("solution")), "{json}");
    assert!(Path::new(env!("CARGO_BIN_EXE_mqlab")).exists());
}
