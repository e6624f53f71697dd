//! `mqlab run --disk`: the brokers' disks become store directories, at the end of a run or before one of its events.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use mqlab::host::mmap::MmapDisk;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::{Clock, MessageStore};
use mqlab::mq::time::{Millis, Time};
use serde_json::Value;

/// Exit code, standard output, standard error.
fn mqlab(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.args(arguments).env_remove("MQLAB_SEED").env_remove("MQLAB_LANG").env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().expect("the binary exits by itself"), text(output.stdout), text(output.stderr))
}

/// The log's end of a store directory, as `inspect` tells it, which must find nothing wrong.
fn log_end(store: &Path) -> u64 {
    let (code, text, talk) = mqlab(&["inspect", store.to_str().unwrap(), "--verify", "--format", "json"]);
    assert_eq!(code, 0, "{text}{talk}");
    let (_, text, _) = mqlab(&["inspect", store.to_str().unwrap(), "--format", "json"]);
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in:\n{text}"));
    told["log"]["end"].as_u64().unwrap()
}

#[test]
fn the_end_of_a_run_is_a_store_that_opens_on_a_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("disks");
    let (code, _, talk) = mqlab(&["run", "01-first-message", "--quiet", "--disk", target.to_str().unwrap()]);
    assert_eq!(code, 0, "{talk}");
    let root = target.join("broker-a");
    assert!(talk.contains(&root.display().to_string()), "it says where: {talk}");
    let end = log_end(&root);
    let mut disk = MmapDisk::new(&root).unwrap();
    let clock = Clock { wall: Millis(1_541_865_700_000), mono: Time::ZERO };
    let store = MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, &mut disk, clock).unwrap();
    assert_eq!(store.log_end().0 as u64, end);
    let queued: i64 = (0..4).map(|queue| store.max_queue_offset("orders", queue).0).sum();
    assert_eq!(queued, 5, "the orders of the lesson");
}

#[test]
fn before_an_event_the_disk_holds_what_had_been_written_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let (_, trace, _) = mqlab(&["run", "01-first-message", "--format", "jsonl"]);
    let records = trace.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let appends: Vec<u64> =
        records.filter(|record| record["kind"] == "appended").map(|record| record["step"].as_u64().unwrap()).collect();
    assert!(3 <= appends.len(), "three orders: {appends:?}");
    let mut ends = Vec::new();
    for (number, event) in [appends[1], appends[1] + 1].into_iter().enumerate() {
        let target = folder.path().join(number.to_string());
        let (event, path) = (event.to_string(), target.to_str().unwrap());
        let (code, _, talk) = mqlab(&["run", "01-first-message", "--quiet", "--disk", path, "--at", &event]);
        assert_eq!(code, 0, "{talk}");
        ends.push(log_end(&target.join("broker-a")));
    }
    assert!(0 < ends[0] && ends[0] < ends[1], "one order, then two: {ends:?}");
}

#[test]
fn a_target_that_is_not_empty_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::write(&own, "mine").unwrap();
    let target = folder.path().to_str().unwrap();
    let (code, out, talk) = mqlab(&["run", "01-first-message", "--quiet", "--disk", target]);
    assert_eq!((code, &*out), (4, ""), "{talk}");
    assert!(talk.contains("is not empty") && talk.contains("help:"), "{talk}");
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let (code, _, talk) = mqlab(&["run", "01-first-message", "--quiet", "--disk", own.to_str().unwrap()]);
    assert_eq!(code, 4, "{talk}");
    assert!(talk.contains("cannot be used"), "{talk}");
}

#[test]
fn an_event_behind_the_end_is_told_with_the_number_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("disks");
    let path = target.to_str().unwrap();
    let (code, _, talk) = mqlab(&["run", "01-first-message", "--quiet", "--disk", path, "--at", "99999999"]);
    assert_eq!(code, 4, "{talk}");
    assert!(talk.contains("the run ends before #99999999") && talk.contains("events"), "{talk}");
    assert!(!target.exists(), "nothing was written");
    let (code, _, talk) = mqlab(&["run", "01-first-message", "--at", "5"]);
    assert_eq!(code, 2, "`--at` is of `--disk` alone: {talk}");
}
