//! The storage checkers: each refuses a planted violation and accepts the undamaged twin, and all of them know the golden
//! images of the release for what they are.

use std::collections::BTreeMap;

use mqlab::lab::check::storage::{self, Breach, Crash, LogEnd, Retention, Seen};
use mqlab::lab::oracle::layout::QueueName;

use super::oracle::{Case, Folder, Told, image};

/// What a golden store breaks by itself: case, image, clauses with their counts. The release loses units and entries, takes
/// in stale units, and serves what is damaged; every other image breaks nothing.
const KNOWN: &[(&str, &[&str], &[&str])] = &[
    // The index in progress is dropped and made anew from the recovery's first file on.
    ("15-crash-checkpoint", &["after", "store"], &["G62 missing 1"]),
    // A clean start takes in a unit that a cut had left.
    ("16-torn-body", &["store"], &["G61 unit 1"]),
    ("18-torn-header", &["store"], &["G61 unit 1"]),
    ("19-corrupt-body-clean", &["store"], &["G61 unit 5", "G62 entry 24", "G62 missing 17"]),
    ("20-corrupt-body-abort", &["store"], &["G61 unit 1"]),
    ("22-corrupt-size", &["store"], &["G61 unit 1"]),
    // The damage lies in a file that recovery does not look at.
    ("23-corrupt-old-file", &["after", "store"], &["G60 record 1", "G61 unit 1", "G62 entry 3"]),
    // Lost queues are not made anew after a clean stop, and begin again at 0.
    ("25-queues-lost-clean", &["after"], &["G61 missing 35"]),
    ("25-queues-lost-clean", &["store"], &["G60 queue offset 2", "G61 missing 20"]),
    // After a crash they are, from the recovery's first file on.
    ("26-queues-lost-abort", &["after", "store"], &["G61 missing 46", "G62 missing 1"]),
    ("30-get-statuses", &["after", "store"], &["G61 gap 1", "G61 missing 64"]),
];

fn counted(breaches: &[Breach]) -> Vec<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for breach in breaches {
        *counts.entry(format!("{} {}", breach.guarantee, breach.clause)).or_default() += 1;
    }
    counts.into_iter().map(|(what, count)| format!("{what} {count}")).collect()
}

/// How far queues went, as the release told it.
fn ends(told: &Told<'_>) -> BTreeMap<QueueName, i64> {
    let name = |queue: &serde_json::Value| {
        (queue["topic"].as_str().unwrap().to_owned(), queue["queueId"].as_i64().unwrap() as i32)
    };
    let queues = told.state["queues"].as_array().unwrap().iter();
    queues.map(|queue| (name(queue), queue["maxOffset"].as_i64().unwrap())).collect()
}

#[test]
fn a_golden_store_breaks_only_what_its_case_is_about() {
    let (mut images, mut broken) = (0, 0);
    for case in Case::all() {
        for told in case.told() {
            let (folder, ends) = (case.image(told.image), ends(&told));
            let end = told.state["maxPhyOffset"].as_u64().unwrap();
            let end_known = Seen { end: LogEnd::At(end), queue_ends: Some(&ends), ..Seen::of(&folder) };
            let found = storage::verify(Seen { dispatched_to: Some(end), ..end_known }, &mut |_| {});
            let known = KNOWN.iter().find(|(name, images, _)| *name == case.name && images.contains(&told.image));
            let expected = known.map_or(&[][..], |(.., clauses)| clauses);
            assert_eq!(counted(&found.breaches), expected, "{}/{}: {:#?}", case.name, told.image, found.breaches);
            (images, broken) = (images + 1, broken + usize::from(known.is_some()));
        }
    }
    assert_eq!(broken, KNOWN.iter().map(|(_, images, _)| images.len()).sum::<usize>());
    assert!(images >= 50, "{images} images");
}

/// A store of several files with everything in it: 90 records, 197 index entries.
fn store() -> Folder {
    image("13-clean-restart", "store")
}

fn never_cut(folder: &Folder) -> Seen<'_> {
    Seen { end: LogEnd::NeverCut, dispatched_to: Some(u64::MAX), ..Seen::of(folder) }
}

/// The first file whose path begins so.
fn file<'a>(folder: &'a mut Folder, prefix: &str) -> &'a mut Vec<u8> {
    folder.0.iter_mut().find(|(path, _)| path.starts_with(prefix)).unwrap_or_else(|| panic!("no `{prefix}`")).1
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Where the record of that number in the log's first file begins.
fn record(folder: &Folder, number: usize) -> usize {
    let bytes = &folder.0["commitlog/00000000000000000000"];
    (0..number).fold(0, |at, _| at + i32_at(bytes, at) as usize)
}

#[track_caller]
fn refuses(check: impl Fn(&Folder) -> Vec<Breach>, clause: &str, damage: impl FnOnce(&mut Folder)) {
    let mut folder = store();
    assert_eq!(check(&folder), [], "the undamaged twin");
    damage(&mut folder);
    let breaches = check(&folder);
    assert!(breaches.iter().any(|breach| breach.clause == clause), "{clause}: {breaches:#?}");
}

#[test]
fn g60_a_log_that_is_not_well_formed_is_refused() {
    let check = |folder: &Folder| storage::well_formed(never_cut(folder));
    let at = record(&store(), 3);
    let flip = |offset: usize, bit: u8| move |folder: &mut Folder| file(folder, "commitlog/")[at + offset] ^= bit;
    refuses(check, "record", flip(3, 1));
    refuses(check, "record", flip(5, 1));
    refuses(check, "record", flip(9, 1));
    refuses(check, "record", flip(90, 1));
    refuses(check, "record", |folder| file(folder, "commitlog/")[at..at + 100].fill(0));
    refuses(check, "position", flip(35, 1));
    refuses(check, "queue offset", flip(27, 4));
    refuses(check, "time", flip(58, 1));
    refuses(check, "gap", |folder| drop(folder.0.remove("commitlog/00000000000000008192")));
    refuses(check, "gap", |folder| file(folder, "commitlog/00000000000000024576").truncate(8000));
    refuses(check, "blank", |folder| {
        let bytes = file(folder, "commitlog/");
        let blank = bytes.windows(4).rposition(|word| word == [0xCB, 0xD4, 0x31, 0x94]).unwrap();
        bytes[blank - 1] ^= 1;
    });
}

#[test]
fn g60_behind_a_cut_and_behind_the_end_that_was_told_nothing_is_looked_at() {
    let mut folder = store();
    let at = record(&folder, 3);
    file(&mut folder, "commitlog/")[at + 90] ^= 1;
    assert_eq!(storage::well_formed(Seen::of(&folder)), []);
    let told = |end: usize| Seen { end: LogEnd::At(end as u64), ..Seen::of(&folder) };
    assert_eq!(storage::well_formed(told(at)), []);
    assert_eq!(counted(&storage::well_formed(told(record(&folder, 8)))), ["G60 record 1"]);
    assert_eq!(counted(&storage::well_formed(told(at - 1))), ["G60 record 1"]);
}

#[test]
fn g61_queues_that_do_not_agree_are_refused() {
    let check = |folder: &Folder| storage::queues_agree(never_cut(folder));
    let queue = "consumequeue/TopicTest/0/";
    for byte in [2, 7, 11, 19] {
        refuses(check, "unit", |folder| file(folder, queue)[40 + byte] ^= 1);
    }
    refuses(check, "hole", |folder| file(folder, queue)[48] |= 0x80);
    refuses(check, "missing", |folder| file(folder, queue)[40..60].fill(0));
    refuses(check, "missing", |folder| drop(folder.0.remove("consumequeue/TopicTest/0/00000000000000000000")));
    // The first unit is gone, and the others follow one place early.
    refuses(check, "unit", |folder| file(folder, queue).rotate_left(20));
    refuses(check, "unit", |folder| {
        let bytes = file(folder, queue);
        let end = bytes.chunks(20).position(|unit| unit == [0; 20]).unwrap() * 20;
        bytes.copy_within(0..20, end);
    });
    refuses(check, "gap", |folder| file(folder, queue).truncate(1990));
}

#[test]
fn g61_units_that_end_earlier_are_behind_and_no_more() {
    let mut folder = store();
    let bytes = file(&mut folder, "consumequeue/TopicTest/0/");
    let end = bytes.chunks(20).position(|unit| unit == [0; 20]).unwrap() * 20;
    bytes[end - 40..end].fill(0);
    let found = storage::verify(Seen { dispatched_to: None, ..never_cut(&folder) }, &mut |_| {});
    assert_eq!(found.breaches, []);
    assert_eq!(found.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), ["behind"]);
    assert_eq!(counted(&storage::queues_agree(never_cut(&folder))), ["G61 missing 2"]);
}

#[test]
fn g62_an_index_that_does_not_recall_is_refused() {
    let check = |folder: &Folder| storage::index_recalls(never_cut(folder));
    let entry = 40 + 4 * 100 + 20 * 30;
    for byte in [1, 3, 8, 11, 15] {
        refuses(check, "entry", |folder| file(folder, "index/")[entry + byte] ^= 1);
    }
    refuses(check, "chain", |folder| file(folder, "index/")[entry + 19] ^= 1);
    for slot in [0, 50, 99] {
        refuses(check, "chain", |folder| file(folder, "index/")[40 + 4 * slot + 3] ^= 1);
    }
    for byte in [7, 15, 23, 31, 35, 39] {
        refuses(check, "header", |folder| file(folder, "index/")[byte] ^= 1);
    }
    refuses(check, "missing", |folder| {
        // As if the last two entries had never been put.
        let bytes = file(folder, "index/");
        let count = i32_at(bytes, 36) as usize;
        bytes[36..40].copy_from_slice(&(count as i32 - 2).to_be_bytes());
        bytes[32..36].copy_from_slice(&(count as i32 - 3).to_be_bytes());
        bytes[440 + 20 * (count - 2)..440 + 20 * count].fill(0);
    });
}

#[test]
fn g63_a_recovery_that_loses_or_invents_is_refused() {
    let (cached, booted) = (image("14-crash-recovery", "before"), image("14-crash-recovery", "after"));
    let judge = |stable: &Folder, booted: &Folder| {
        counted(&storage::recovered(Crash { cached: Seen::of(&cached), stable }, Seen::of(booted)))
    };
    assert_eq!(judge(&cached, &booted), [""; 0]);
    // What was not stable may be lost, what was may not.
    let cut = |folder: &Folder, records: usize| {
        let mut cut = folder.clone();
        let from = record(folder, records);
        for (path, bytes) in cut.0.iter_mut().filter(|(path, _)| path.starts_with("commitlog/")) {
            bytes[if path.ends_with("00000000") { from } else { 0 }..].fill(0);
        }
        cut
    };
    let (five, three) = (cut(&cached, 5), cut(&cached, 3));
    assert_eq!(judge(&five, &booted), [""; 0]);
    assert_eq!(judge(&five, &five), [""; 0]);
    assert_eq!(judge(&three, &five), [""; 0]);
    assert_eq!(judge(&five, &three), ["G63 lost 1"]);
    // A record that was not in the log at the crash: cut off long before, and read again.
    let told = Seen { end: LogEnd::At(record(&cached, 3) as u64), ..Seen::of(&cached) };
    let ghosts = storage::recovered(Crash { cached: told, stable: &three }, Seen::of(&five));
    assert_eq!(counted(&ghosts), ["G63 prefix 1"]);
    let mut other = booted.clone();
    file(&mut other, "commitlog/")[record(&booted, 2) + 19] ^= 1;
    assert_eq!(judge(&three, &other), ["G63 lost 1", "G63 prefix 1"]);
}

#[test]
fn g63_a_second_recovery_that_changes_something_is_refused() {
    let once = image("14-crash-recovery", "after");
    let judge = |twice: &Folder| counted(&storage::idempotent(Seen::of(&once), Seen::of(twice)));
    assert_eq!(judge(&once), [""; 0]);
    let mut twice = once.clone();
    file(&mut twice, "consumequeue/TopicTest/0/")[40 + 12] ^= 1;
    assert_eq!(judge(&twice), ["G63 queue 1"]);
    let mut twice = once.clone();
    file(&mut twice, "consumequeue/TopicTest/0/")[40..].fill(0);
    assert_eq!(judge(&twice), ["G63 queue 1"]);
    let mut twice = once.clone();
    let at = record(&once, 4);
    file(&mut twice, "commitlog/")[at + 10] ^= 1;
    assert!(judge(&twice).contains(&"G63 log end 1".to_owned()));
    let mut twice = once.clone();
    file(&mut twice, "commitlog/")[at + 19] ^= 1;
    assert_eq!(judge(&twice), ["G63 log 1"]);
}

#[test]
fn g63_a_clean_stop_that_loses_something_is_refused() {
    let (stopped, booted) = (image("13-clean-restart", "before"), image("13-clean-restart", "after"));
    let judge = |booted: &Folder| counted(&storage::loses_nothing(Seen::of(&stopped), Seen::of(booted)));
    assert_eq!(judge(&booted), [""; 0]);
    // More than there was is no loss.
    assert_eq!(judge(&store()), [""; 0]);
    let mut lost = booted.clone();
    file(&mut lost, "commitlog/00000000000000008192").fill(0);
    let found = judge(&lost);
    assert!(found.contains(&"G63 log end 1".to_owned()) && found.iter().any(|clause| clause.starts_with("G63 queue")));
    let mut lost = booted.clone();
    lost.0.retain(|path, _| !path.starts_with("consumequeue/"));
    assert_eq!(judge(&lost), ["G63 queue 4"]);
}

#[test]
fn g64_a_checkpoint_ahead_of_its_queues_is_refused() {
    let stored = |folder: &Folder, number: usize| {
        let at = record(folder, number) + 56;
        i64::from_be_bytes(file(&mut folder.clone(), "commitlog/")[at..at + 8].try_into().unwrap())
    };
    let with = |time: i64, lost_from: Option<usize>| {
        let mut folder = store();
        let bytes = file(&mut folder, "checkpoint");
        for word in 0..2 {
            bytes[word * 8..word * 8 + 8].copy_from_slice(&time.to_be_bytes());
        }
        if let Some(unit) = lost_from {
            file(&mut folder, "consumequeue/TopicTest/0/")[unit * 20..].fill(0);
        }
        counted(&storage::checkpoint_is_safe(Seen::of(&folder)))
    };
    let folder = store();
    let early = stored(&folder, 4);
    assert_eq!(with(0, None), [""; 0]);
    assert_eq!(with(early, None), [""; 0]);
    // Queues that end early are safe while recovery begins in front of what they lack.
    assert_eq!(with(early, Some(8)), [""; 0]);
    let last = i64::MAX / 2;
    assert_eq!(with(last, None), ["G64 time 1"]);
    assert_eq!(with(last, Some(8)), ["G64 start 1", "G64 time 1"]);
}

#[test]
fn g65_a_slave_that_is_no_prefix_is_refused() {
    let (master, slave) = (store(), image("13-clean-restart", "before"));
    let judge =
        |master: &Folder, slave: &Folder| counted(&storage::replica_is_prefix(Seen::of(master), Seen::of(slave)));
    assert_eq!(judge(&master, &slave), [""; 0]);
    assert_eq!(judge(&master, &master), [""; 0]);
    assert_eq!(judge(&slave, &master), ["G65 ahead 1"]);
    let mut other = slave.clone();
    file(&mut other, "commitlog/")[record(&slave, 5) + 19] ^= 1;
    assert_eq!(judge(&master, &other), ["G65 bytes 1"]);
    // A slave that was added later begins at the master's last file.
    let mut fresh = master.clone();
    fresh.0.remove("commitlog/00000000000000000000");
    assert_eq!(judge(&master, &fresh), [""; 0]);
}

#[test]
fn g67_a_clean_up_that_takes_too_much_is_refused() {
    let (before, after) = (image("29-retention", "before"), image("29-retention", "after"));
    let rule = Retention { now: i64::MAX / 2, reserved: 72 * 3_600_000, due: true, forced: false };
    let judge = |after: &Folder, rule: &Retention| {
        counted(&storage::retention_is_safe(Seen::of(&before), Seen::of(after), rule))
    };
    assert_eq!(judge(&after, &rule), [""; 0]);
    assert_eq!(judge(&before, &rule), [""; 0]);
    let early = Retention { now: 1_546_300_900_000, ..rule };
    assert_eq!(judge(&after, &early), ["G67 age 3"]);
    assert_eq!(judge(&after, &Retention { due: false, ..rule }), ["G67 age 3"]);
    assert_eq!(judge(&after, &Retention { forced: true, ..early }), [""; 0]);
    let without = |names: &[&str]| {
        let mut twin = after.clone();
        for name in names {
            assert!(twin.0.remove(*name).is_some(), "{name}");
        }
        judge(&twin, &rule)
    };
    assert_eq!(without(&["commitlog/00000000000000032768"]), ["G67 order 1"]);
    assert!(without(&["commitlog/00000000000000040960"]).contains(&"G67 active 1".to_owned()));
    assert_eq!(without(&["consumequeue/TopicTest/0/00000000000000001600"]), ["G67 queue 1"]);
    let newest = after.0.keys().rfind(|name| name.starts_with("index/")).unwrap();
    assert_eq!(without(&[newest]), ["G67 index 1"]);
}
