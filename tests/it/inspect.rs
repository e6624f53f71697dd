//! `mqlab inspect`: what it shows of a store, what it names as damaged, and that no damage brings it down.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use mqlab::lab::check::storage::{self, Breach, Crash, LogEnd, Retention, Seen};
use mqlab::lab::oracle::store::Store;
use proptest::prelude::*;
use serde_json::Value;

use super::oracle::{Case, Folder, image};

fn golden(case: &str, image: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store").join(case).join(image)
}

fn inspect(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.arg("inspect").arg(folder).args(arguments).output().unwrap()
}

#[track_caller]
fn shown(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = inspect(folder, arguments);
    let (out, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{talk}");
    format!("{out}{talk}")
}

#[track_caller]
fn json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let all = [arguments, &["--format", "json"]].concat();
    serde_json::from_str(&shown(folder, &all, code)).unwrap()
}

impl Folder {
    /// Writes it below a folder.
    fn write(&self, root: &Path) {
        for (name, bytes) in &self.0 {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

#[test]
fn a_summary_tells_what_there_is() {
    let folder = golden("13-clean-restart", "store");
    let text = shown(&folder, &[], 0);
    for part in
        ["0 .. 31087", "4 files of 8192 bytes", "2 topics, 4 queues, 90 units", "1 files, 197 entries", "not there"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let told = json(&folder, &[], 0);
    assert_eq!((&told["log"]["begin"], &told["log"]["end"]), (&Value::from(0), &Value::from(31087)));
    assert_eq!(told["queues"].as_array().unwrap().len(), 4);
    assert_eq!(told["index"][0]["slots"], 100);
    let chinese = shown(&folder, &["--lang", "zh"], 0);
    assert!(chinese.contains("2 个主题，4 个队列，90 项"), "{chinese}");
    let one = shown(&folder, &["--topic", "OrderEvents"], 0);
    assert!(one.contains("OrderEvents/0") && !one.contains("TopicTest/0"), "{one}");
}

#[test]
fn the_summary_ends_the_log_where_the_release_did() {
    for case in Case::all() {
        for told in case.told() {
            let end = json(&golden(&case.name, told.image), &[], 0)["log"]["end"].clone();
            // What recovery cut lies there still, and looks like the log: 24 is about that.
            let is_cut = ["19-corrupt-body-clean", "20-corrupt-body-abort", "22-corrupt-size", "24-ghost-messages"];
            let excused = is_cut.contains(&&*case.name) && told.image.starts_with("after");
            assert!(end == told.state["maxPhyOffset"] || excused, "{}/{}: {end}", case.name, told.image);
        }
    }
}

#[test]
fn a_record_is_shown_with_all_its_fields_and_bytes() {
    let folder = golden("04-encodings", "store");
    let first = json(&folder, &["--record", "0"], 0);
    assert_eq!(first["physical_offset"], 0);
    assert_eq!(first["hex"].as_str().unwrap().len() as u64, first["size"].as_u64().unwrap() * 2);
    let text = shown(&folder, &["--record", "0x0"], 0);
    assert!(text.contains("da a3 20 a7") && text.contains("message id"), "{text}");
    let inside = shown(&folder, &["--record", "5"], 4);
    assert!(inside.contains("it lies in the record at 0"), "{inside}");
    let outside = shown(&folder, &["--record", "999999999"], 4);
    assert!(outside.contains("no file of the log holds"), "{outside}");
    shown(&folder, &["--record", "x"], 2);
}

#[test]
fn a_queue_is_shown_with_what_its_units_lead_to() {
    let folder = golden("13-clean-restart", "store");
    let queue = json(&folder, &["--topic", "TopicTest", "--queue", "0", "--count", "3"], 0);
    let units = queue["units"].as_array().unwrap();
    assert_eq!(units.len(), 3);
    assert!(units.iter().all(|unit| unit["leads_to"] == "own" && unit["record"]["topic"] == "TopicTest"), "{queue}");
    let text = shown(&folder, &["--topic", "TopicTest", "--queue", "0", "--from", "2", "--count", "3"], 0);
    assert!(text.contains("--from 5"), "{text}");
    let wrong = shown(&folder, &["--topic", "TopicTst", "--queue", "0"], 4);
    assert!(wrong.contains("did you mean `TopicTest`"), "{wrong}");
    shown(&folder, &["--queue", "0"], 2);
    let stale = golden("16-torn-body", "store");
    let text = shown(&stale, &["--topic", "OrderEvents", "--queue", "0"], 1);
    assert!(text.contains("LEADS TO ANOTHER'S RECORD: TopicTest/0 #6"), "{text}");
}

#[test]
fn a_key_is_found_through_the_index_and_without_it() {
    let folder = golden("28-index", "store");
    let found = json(&folder, &["--key", "Aa", "--topic", "TopicTest"], 0);
    assert_eq!(found["found_by"], "index");
    let records = found["records"].as_array().unwrap();
    assert!(!records.is_empty() && found["collisions"].as_u64().unwrap() > 0, "{found}");
    let keys = |record: &Value| record["properties"]["KEYS"].as_str().unwrap_or_default().to_owned();
    assert!(records.iter().all(|record| keys(record).split(' ').any(|key| key == "Aa")), "{found}");
    let everywhere = json(&folder, &["--key", "Aa"], 0);
    assert!(records.len() < everywhere["records"].as_array().unwrap().len());
    let root = tempfile::tempdir().unwrap();
    let mut bare = image("28-index", "store");
    bare.0.retain(|name, _| !name.starts_with("index/"));
    bare.write(root.path());
    let found = json(root.path(), &["--key", "Aa", "--topic", "TopicTest"], 0);
    assert_eq!((&found["found_by"], found["records"].as_array().unwrap().len()), (&Value::from("log"), records.len()));
    let none = shown(root.path(), &["--key", "nobody's"], 0);
    assert!(none.contains("0 records"), "{none}");
}

#[test]
fn a_path_that_is_no_store_is_told_so_with_a_way_out() {
    let root = tempfile::tempdir().unwrap();
    let text = shown(&root.path().join("none"), &[], 4);
    assert!(text.contains("is not there") && text.contains("help:"), "{text}");
    let text = shown(root.path(), &["--verify"], 4);
    assert!(text.contains("is no store") && text.contains("help:"), "{text}");
    let text = shown(&golden("13-clean-restart", ""), &[], 4);
    assert!(text.contains("did you mean") && text.contains("after"), "{text}");
    let text = shown(&golden("13-clean-restart", "store/commitlog"), &[], 4);
    assert!(text.contains("did you mean") && text.contains("store`"), "{text}");
    let text = shown(&golden("13-clean-restart", "config.json"), &[], 4);
    assert!(text.contains("is a file"), "{text}");
}

#[test]
fn a_log_that_lies_elsewhere_is_named() {
    let (root, log) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    image("13-clean-restart", "store").write(root.path());
    fs::rename(root.path().join("commitlog"), log.path().join("log")).unwrap();
    let elsewhere = log.path().join("log");
    let clean = shown(root.path(), &["--verify", "--commitlog", elsewhere.to_str().unwrap()], 0);
    assert!(clean.contains("90 records"), "{clean}");
    let without = shown(root.path(), &["--verify"], 1);
    assert!(without.contains("--commitlog"), "{without}");
}

/// Golden images in which something is broken; every other one verifies clean.
const DAMAGED: &[(&str, &[&str])] = &[
    ("16-torn-body", &["after", "before", "store"]),
    ("18-torn-header", &["store"]),
    ("19-corrupt-body-clean", &["after", "before", "store"]),
    ("20-corrupt-body-abort", &["after", "before", "store"]),
    ("21-corrupt-properties", &["before"]),
    ("22-corrupt-size", &["after", "before", "store"]),
    ("23-corrupt-old-file", &["after", "before", "store"]),
    ("24-ghost-messages", &["after", "before"]),
    ("25-queues-lost-clean", &["after", "before", "store"]),
    ("26-queues-lost-abort", &["after", "store"]),
    ("30-get-statuses", &["after", "before", "store"]),
];

#[test]
fn every_golden_image_verifies_as_what_it_is() {
    for case in Case::all() {
        for image in case.images() {
            let is_damaged = DAMAGED.iter().any(|(name, images)| *name == case.name && images.contains(&&*image));
            let text = shown(&golden(&case.name, &image), &["--verify"], i32::from(is_damaged));
            assert!(text.contains("CRC is of its body alone"), "what no check covers is said: {text}");
        }
    }
}

#[test]
fn config_files_and_checkpoints_that_cannot_be_read_are_damage() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = image("13-clean-restart", "store");
    folder.0.insert("config/topics.json".into(), b"{\"topicConfigTable\":{\"orders\":{\"perm\":6}}}".to_vec());
    folder.0.insert("config/delayOffset.json".into(), b"{\"offsetTable\":{1:1,2:7\n}}".to_vec());
    folder.write(root.path());
    shown(root.path(), &["--verify"], 0);
    fs::write(root.path().join("config/delayOffset.json"), b"{\"offsetTable\":{1:1,2:").unwrap();
    fs::write(root.path().join("checkpoint"), b"short").unwrap();
    let told = json(root.path(), &["--verify"], 1);
    let files: Vec<&str> = told["damage"].as_array().unwrap().iter().map(|one| one["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["config/delayOffset.json", "checkpoint"]);
    let summary = shown(root.path(), &[], 0);
    assert!(summary.contains("damaged"), "{summary}");
}

/// Verifies as `inspect` does.
fn verify(folder: &Folder) -> Vec<Breach> {
    let dispatched_to = (!folder.0.contains_key("abort")).then_some(u64::MAX);
    let seen = Seen { end: LogEnd::Unknown, dispatched_to, ..Seen::of(folder) };
    storage::verify(seen, &mut |_| {}).breaches
}

/// Flips each bit of a range, one at a time, and asks that the damage is named: by file and offset, or by the place of the
/// record `at`.
fn flip_each(file: &str, range: std::ops::Range<usize>, object: std::ops::Range<usize>, at: Option<usize>) {
    let mut folder = image("13-clean-restart", "store");
    for byte in range {
        for bit in 0..8 {
            folder.0.get_mut(file).unwrap()[byte] ^= 1 << bit;
            let breaches = verify(&folder);
            let is_named = breaches.iter().any(|breach| {
                let is_there = breach.file == file && object.contains(&(breach.offset as usize));
                is_there || at.is_some_and(|at| breach.sentence.en.contains(&format!(" {at},")))
            });
            assert!(is_named, "{file} byte {byte} bit {bit}: {breaches:#?}");
            folder.0.get_mut(file).unwrap()[byte] ^= 1 << bit;
        }
    }
}

fn i32_at(bytes: &[u8], at: usize) -> usize {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn every_flipped_bit_of_a_record_s_checked_fields_is_named() {
    let store = image("13-clean-restart", "store");
    // The first record of the log, one in the middle, the last one.
    let records: Vec<(String, usize)> = {
        let all = Store::read(&store).records;
        [0, all.len() / 2, all.len() - 1]
            .iter()
            .map(|at| {
                let (start, place) = (all[*at].at / 8192 * 8192, all[*at].at % 8192);
                (format!("commitlog/{start:020}"), place as usize)
            })
            .collect()
    };
    for (file, at) in &records {
        let bytes = &store.0[file];
        let (size, body) = (i32_at(bytes, *at), i32_at(bytes, at + 84));
        let place = file[file.len() - 20..].parse::<usize>().unwrap() + at;
        let object = *at..at + size;
        // Size, magic, CRC; queue; position; length of the body, body.
        for field in [0..12, 12..16, 28..36, 84..88 + body] {
            flip_each(file, at + field.start..at + field.end, object.clone(), Some(place));
        }
    }
}

#[test]
fn every_flipped_bit_of_a_unit_is_named() {
    let store = image("13-clean-restart", "store");
    for file in store.0.keys().filter(|name| name.starts_with("consumequeue/")) {
        let count = store.0[file].chunks(20).position(|unit| unit == [0; 20]).unwrap();
        for unit in [0, count / 2, count - 1] {
            flip_each(file, unit * 20..unit * 20 + 20, unit * 20..unit * 20 + 20, None);
        }
    }
}

#[test]
fn every_flipped_bit_of_an_index_entry_is_named() {
    let store = image("13-clean-restart", "store");
    let file = store.0.keys().find(|name| name.starts_with("index/")).unwrap();
    let count = i32_at(&store.0[file], 36) - 1;
    for entry in [2, count / 2, count] {
        let at = 40 + 4 * 100 + 20 * entry;
        flip_each(file, at..at + 20, at..at + 20, None);
    }
    // Of the first one, the seconds are measured from a moment that is not kept.
    flip_each(file, 460..472, 460..480, None);
    flip_each(file, 476..480, 460..480, None);
}

#[test]
fn one_flipped_bit_is_told_with_file_and_offset_and_exit_code_1() {
    let root = tempfile::tempdir().unwrap();
    let mut folder = image("13-clean-restart", "store");
    folder.0.get_mut("commitlog/00000000000000000000").unwrap()[90] ^= 1;
    folder.write(root.path());
    let text = shown(root.path(), &["--verify"], 1);
    assert!(text.contains("DAMAGE      commitlog/00000000000000000000 at 8: no whole record at 0"), "{text}");
    let text = shown(root.path(), &["--record", "0"], 1);
    assert!(text.contains("no whole record at 0") && text.contains("CRC"), "{text}");
}

/// What may happen to a file.
#[derive(Clone, Debug)]
enum Damage {
    Write { file: prop::sample::Index, at: prop::sample::Index, bytes: Vec<u8> },
    Cut { file: prop::sample::Index, at: prop::sample::Index },
    Grow { file: prop::sample::Index, by: usize },
    Remove { file: prop::sample::Index },
    Rename { file: prop::sample::Index, name: u64 },
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    let byte = prop_oneof![Just(0), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()];
    prop_oneof![
        8 => (index(), index(), prop::collection::vec(byte, 1..24))
            .prop_map(|(file, at, bytes)| Damage::Write { file, at, bytes }),
        1 => (index(), index()).prop_map(|(file, at)| Damage::Cut { file, at }),
        1 => (index(), 1usize..5000).prop_map(|(file, by)| Damage::Grow { file, by }),
        1 => index().prop_map(|file| Damage::Remove { file }),
        1 => (index(), prop_oneof![Just(u64::MAX), Just(i64::MAX as u64), any::<u64>(), 0u64..50_000])
            .prop_map(|(file, name)| Damage::Rename { file, name }),
    ]
}

impl Damage {
    fn inflict(&self, folder: &mut Folder) {
        let (Damage::Write { file, .. }
        | Damage::Cut { file, .. }
        | Damage::Grow { file, .. }
        | Damage::Remove { file }
        | Damage::Rename { file, .. }) = self;
        let Some(name) =
            (!folder.0.is_empty()).then(|| folder.0.keys().nth(file.index(folder.0.len())).unwrap().clone())
        else {
            return;
        };
        let mut content = folder.0.remove(&name).unwrap();
        let place = |at: &prop::sample::Index, len: usize| if len == 0 { 0 } else { at.index(len) };
        let mut target = name.clone();
        match self {
            Damage::Write { at, bytes, .. } => {
                // Most damage should hit what is in use: the beginning of a file.
                let at = place(at, content.len().min(2000));
                let end = content.len().min(at + bytes.len());
                content[at..end].copy_from_slice(&bytes[..end - at]);
            }
            Damage::Cut { at, .. } => content.truncate(place(at, content.len())),
            Damage::Grow { by, .. } => content.resize(content.len() + by, 7),
            Damage::Remove { .. } => return,
            Damage::Rename { name: number, .. } => {
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                target = if folder == "index" {
                    format!("{folder}/{:017}", number % 10u64.pow(17))
                } else {
                    format!("{folder}/{number:020}")
                };
            }
        }
        folder.0.insert(target, content);
    }
}

const IMAGES: &[(&str, &str)] = &[
    ("01-plain", "store"),
    ("07-delay-rewrite", "store"),
    ("13-clean-restart", "store"),
    ("19-corrupt-body-clean", "store"),
    ("26-queues-lost-abort", "after"),
    ("28-index", "store"),
    ("29-retention", "after"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_brings_a_checker_down(which in 0..IMAGES.len(), damages in prop::collection::vec(damage(), 1..6), end in 0u64..60_000) {
        let whole = image(IMAGES[which].0, IMAGES[which].1);
        let mut folder = whole.clone();
        damages.iter().for_each(|damage| damage.inflict(&mut folder));
        for end in [LogEnd::Unknown, LogEnd::MayBeCut, LogEnd::NeverCut, LogEnd::At(end)] {
            for dispatched_to in [None, Some(u64::MAX)] {
                storage::verify(Seen { end, dispatched_to, ..Seen::of(&folder) }, &mut |_| {});
            }
        }
        let (seen, twin) = (Seen::of(&folder), Seen::of(&whole));
        let rule = Retention { now: 0, reserved: 0, due: true, forced: false };
        storage::recovered(Crash { cached: twin, stable: &folder }, seen);
        storage::recovered(Crash { cached: seen, stable: &whole }, twin);
        storage::idempotent(seen, twin);
        storage::loses_nothing(twin, seen);
        storage::checkpoint_is_safe(seen);
        storage::replica_is_prefix(seen, twin);
        storage::replica_is_prefix(twin, seen);
        storage::retention_is_safe(twin, seen, &rule);
        storage::retention_is_safe(seen, twin, &rule);
        Store::read(&folder);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_brings_inspect_down(which in 0..IMAGES.len(), damages in prop::collection::vec(damage(), 1..6), at in 0u64..9_000) {
        let root = tempfile::tempdir().unwrap();
        let mut folder = image(IMAGES[which].0, IMAGES[which].1);
        damages.iter().for_each(|damage| damage.inflict(&mut folder));
        folder.write(root.path());
        fs::create_dir_all(root.path().join("commitlog")).unwrap();
        let place = at.to_string();
        let looks: [&[&str]; 6] = [
            &[],
            &["--verify"],
            &["--record", &place],
            &["--record", "0"],
            &["--topic", "TopicTest", "--queue", "0"],
            &["--key", "Aa"],
        ];
        for look in looks {
            let output = inspect(root.path(), look);
            let talk = String::from_utf8_lossy(&output.stderr);
            prop_assert!(matches!(output.status.code(), Some(0 | 1 | 4)), "{look:?}: {:?} {talk}", output.status);
            prop_assert!(!talk.contains("panicked"), "{look:?}: {talk}");
        }
    }
}
