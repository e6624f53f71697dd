//! Disk faults, without an engine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::lab::fault::device::{Access, Field, FileSystem, Opening};
use crate::lab::fault::episode::Keep;
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::sim::dice::Dice;
use crate::mq::disk::{Burnt, Disk, DiskError};

const LOG: &str = "commitlog/00000000000000000000";
const NEXT: &str = "commitlog/00000000000000008192";

/// A disk with two segments of two pages each, stable, the first of them full of `a` and `b`.
fn disk() -> SimDisk {
    let mut disk = SimDisk::new(&DiskPlan::default());
    let log = disk.open(LOG, 8192).unwrap();
    disk.write(log, 0, &[b'a'; 4096]);
    disk.write(log, 4096, &[b'b'; 4096]);
    let next = disk.open(NEXT, 8192).unwrap();
    disk.write(next, 0, b"next");
    sync(&mut disk, log).unwrap();
    sync(&mut disk, next).unwrap();
    disk.put("config/topics.json", b"{\"a\":1}").unwrap();
    disk
}

fn sync(disk: &mut SimDisk, file: FileId) -> Result<(), DiskError> {
    disk.begin_flush(9, file, 0..8192);
    disk.complete_flush(9)
}

fn begin(disk: &mut SimDisk, number: u32, files: &str, wrong: Wrong) {
    let stream = Dice::new(7).stream(&["fault", "sick", "broker-a"]);
    let files = Files::parse(files).unwrap();
    disk.begin_fault(Onset { number, name: "sick".into(), files, wrong, until: None, stream });
}

fn dies(disk: &mut SimDisk, act: impl FnOnce(&mut SimDisk)) -> bool {
    catch_unwind(AssertUnwindSafe(|| act(disk))).is_err_and(|why| why.is::<Burnt>())
}

fn nth(number: u64) -> Occurs {
    Occurs { chance: Chance::Nth(number), sticky: false }
}

fn lose_power(disk: &mut SimDisk) {
    disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
}

fn read(disk: &mut SimDisk, name: &str) -> Vec<u8> {
    disk.get(name).unwrap().to_vec()
}

#[test]
fn what_an_overlay_hides_is_there_again_when_it_heals() {
    let edits = [
        ("commitlog/first", Wrong::BitFlip { field: Field::Any, nth: Some(5000), out_of: None }),
        ("commitlog/first", Wrong::BitFlip { field: Field::Any, nth: None, out_of: Some(100) }),
        ("config", Wrong::BitFlip { field: Field::Json, nth: None, out_of: None }),
        ("config", Wrong::Cut { to: 3 }),
        ("commitlog/first", Wrong::Cut { to: 5000 }),
        ("commitlog/first", Wrong::StalePage { stores: None }),
    ];
    let healthy = disk().cached_image();
    for (files, wrong) in edits {
        let mut disk = disk();
        begin(&mut disk, 1, files, wrong.clone());
        assert_ne!(disk.cached_image(), healthy, "{wrong:?}");
        assert_ne!(disk.stable_image(), healthy, "{wrong:?}: it lies on the device");
        disk.end_fault(1);
        assert_eq!(disk.cached_image(), healthy, "{wrong:?}");
        assert!(disk.faults.is_none(), "nothing is left of it");
    }
}

#[test]
fn images_show_what_a_process_reads() {
    for wrong in [
        Wrong::BitFlip { field: Field::Any, nth: None, out_of: Some(50) },
        Wrong::StalePage { stores: Some(1) },
        Wrong::Cut { to: 100 },
    ] {
        let mut disk = disk();
        begin(&mut disk, 1, "commitlog/first", wrong.clone());
        let seen = read(&mut disk, LOG);
        let image = disk.cached_image();
        assert_eq!(image.files[LOG].read(0..image.files[LOG].len), seen, "{wrong:?}");
    }
}

#[test]
fn what_is_written_over_a_flipped_bit_is_read() {
    let mut disk = disk();
    begin(&mut disk, 1, "commitlog/first", Wrong::BitFlip { field: Field::Any, nth: Some(11), out_of: None });
    let log = disk.open(LOG, 8192).unwrap();
    assert_ne!(disk.bytes(log, 10..11), b"a");
    disk.write(log, 10, b"z");
    assert_eq!(disk.bytes(log, 9..12), b"aza");
    disk.end_fault(1);
    assert_eq!(disk.bytes(log, 9..12), b"aza");
}

#[test]
fn overlays_of_two_faults_do_not_disturb_each_other() {
    let mut disk = disk();
    let log = disk.open(LOG, 8192).unwrap();
    begin(&mut disk, 1, "commitlog/first", Wrong::BitFlip { field: Field::Any, nth: Some(1), out_of: None });
    let one = disk.bytes(log, 0..8192).to_vec();
    begin(&mut disk, 2, "commitlog/first", Wrong::StalePage { stores: Some(1) });
    let two = disk.bytes(log, 0..8192).to_vec();
    assert_ne!(one, two);
    let mut other = disk.clone();
    disk.end_fault(2);
    assert_eq!(disk.bytes(log, 0..8192), one);
    other.end_fault(1);
    other.end_fault(2);
    assert_eq!(other.bytes(log, 0..4096), [b'a'; 4096]);
}

#[test]
fn each_file_system_makes_of_a_failed_sync_what_it_does() {
    for (name, system) in FileSystem::ALL {
        let mut disk = disk();
        let log = disk.open(LOG, 8192).unwrap();
        begin(&mut disk, 1, "commitlog", Wrong::SyncFails { occurs: Occurs::FIRST, system });
        disk.put("config/topics.json", b"{\"b\":2}").unwrap();
        disk.write(log, 0, b"new");
        let first = sync(&mut disk, log);
        let seen = disk.bytes(log, 0..3).to_vec();
        assert_eq!(disk.dirty_pages(), 0, "{name}: the pages are clean");
        assert_eq!(disk.stable_image().files[LOG].read(0..3), b"aaa", "{name}: and not on the device");
        let mut dark = disk.clone();
        lose_power(&mut dark);
        assert_eq!(read(&mut dark, LOG)[..3], *b"aaa", "{name}");
        let names_kept = dark.names.find("config/topics.json").is_some();
        let second = sync(&mut disk, log);
        let expected = match system {
            FileSystem::Ext4Ordered => (Err(DiskError::Io), Ok(()), b"new", true),
            FileSystem::Ext4Journal => (Ok(()), Err(DiskError::Io), b"new", true),
            FileSystem::Xfs => (Err(DiskError::Io), Ok(()), b"new", false),
            FileSystem::Btrfs => (Err(DiskError::Io), Ok(()), b"aaa", false),
        };
        assert_eq!(
            (first, second, &seen[..], names_kept),
            (expected.0, expected.1, &expected.2[..], expected.3),
            "{name}"
        );
        // A page that is written once more reaches the device after all.
        disk.write(log, 0, b"newer");
        sync(&mut disk, log).unwrap();
        lose_power(&mut disk);
        assert_eq!(read(&mut disk, LOG)[..5], *b"newer", "{name}");
    }
}

#[test]
fn a_lost_and_a_misdirected_page_are_found_when_the_cache_is_gone() {
    let mut lost = disk();
    let mut misled = disk();
    begin(&mut lost, 1, "commitlog", Wrong::LostWrite { occurs: Occurs::FIRST });
    let on = Access::Write;
    begin(&mut misled, 1, "commitlog", Wrong::Misdirected { on, occurs: Occurs::FIRST, by: 1, sibling: false });
    for disk in [&mut lost, &mut misled] {
        let log = disk.open(LOG, 8192).unwrap();
        disk.write(log, 0, &[b'n'; 4096]);
        assert_eq!(sync(disk, log), Ok(()));
        assert_eq!(disk.bytes(log, 0..1), b"n", "the cache knows better");
        lose_power(disk);
        assert_eq!(disk.bytes(log, 0..4096), [b'a'; 4096]);
    }
    let log = lost.open(LOG, 8192).unwrap();
    assert_eq!(lost.bytes(log, 4096..8192), [b'b'; 4096]);
    assert_eq!(misled.bytes(log, 4096..8192), [b'n'; 4096]);
    misled.end_fault(1);
    assert_eq!(misled.bytes(log, 4096..8192), [b'b'; 4096]);
    assert_eq!(misled.bytes(log, 0..4096), [b'n'; 4096]);
    lost.end_fault(1);
    assert_eq!(lost.bytes(log, 0..1), b"a", "what a device lost stays lost");

    let mut sibling = disk();
    begin(&mut sibling, 1, "commitlog", Wrong::Misdirected { on, occurs: Occurs::FIRST, by: 0, sibling: true });
    let log = sibling.open(LOG, 8192).unwrap();
    sibling.write(log, 0, b"stray");
    sync(&mut sibling, log).unwrap();
    lose_power(&mut sibling);
    assert_eq!(read(&mut sibling, NEXT)[..5], *b"stray");
}

#[test]
fn reads_are_spoilt_once_and_no_more() {
    let mut disk = disk();
    let log = disk.open(LOG, 8192).unwrap();
    begin(&mut disk, 1, "commitlog", Wrong::ReadFlip { nth: Some(2), out_of: 1 });
    let wrong = |disk: &mut SimDisk| disk.bytes(log, 0..64).iter().filter(|byte| **byte != b'a').count();
    assert_eq!([wrong(&mut disk), wrong(&mut disk), wrong(&mut disk)], [0, 1, 0]);
    disk.end_fault(1);
    begin(&mut disk, 2, "commitlog", Wrong::ReadFlip { nth: None, out_of: 100 });
    let flips: usize = (0..100).map(|_| wrong(&mut disk)).sum();
    assert!((20..150).contains(&flips), "64 a read, 6400 bytes, one in 100: {flips}");
    disk.end_fault(2);
    let (on, by) = (Access::Read, 1);
    begin(&mut disk, 3, "commitlog", Wrong::Misdirected { on, occurs: nth(2), by, sibling: false });
    assert_eq!([wrong(&mut disk), wrong(&mut disk), wrong(&mut disk)], [0, 64, 0]);
}

#[test]
fn an_access_that_cannot_be_served_is_a_death_and_a_call_an_error() {
    let mut sick = disk();
    let log = sick.open(LOG, 8192).unwrap();
    begin(&mut sick, 1, "commitlog", Wrong::MapFails { on: Access::Read, occurs: nth(2) });
    assert!(!dies(&mut sick, |disk| drop(disk.bytes(log, 0..1).to_vec())));
    assert!(dies(&mut sick, |disk| drop(disk.bytes(log, 0..1).to_vec())));
    assert!(!dies(&mut sick, |disk| drop(disk.bytes(log, 0..1).to_vec())));
    sick.end_fault(1);

    begin(&mut sick, 2, "commitlog/first", Wrong::BadSector { at: Some(100), len: 512 });
    assert!(!dies(&mut sick, |disk| drop(disk.bytes(log, 0..100).to_vec())));
    assert!(dies(&mut sick, |disk| drop(disk.bytes(log, 0..101).to_vec())));
    assert!(dies(&mut sick, |disk| disk.write(log, 100, b"part")));
    assert_eq!(sick.get(LOG), Err(DiskError::Io));
    sick.write(log, 0, &[b'w'; 4096]);
    assert_eq!(sick.bytes(log, 100..101), b"w", "a sector that is written whole is good again");
    sick.end_fault(2);

    let sticky = Occurs { chance: Chance::Nth(1), sticky: true };
    begin(&mut sick, 3, "any", Wrong::CallFails { on: Access::Write, occurs: sticky });
    assert_eq!(sick.write_through(log, 0, b"x"), Err(DiskError::Io));
    assert_eq!(sick.put("config/topics.json", b"x"), Err(DiskError::Io));
    assert_eq!(sick.bytes(log, 0..1), b"w", "nothing was written");
    sick.end_fault(3);
    begin(&mut sick, 4, "config", Wrong::CallFails { on: Access::Read, occurs: Occurs::FIRST });
    assert_eq!(sick.get("config/topics.json"), Err(DiskError::Io));
    assert!(sick.get("config/topics.json").is_ok(), "once");
    sick.end_fault(4);

    for (on, error) in [(Opening::Open, DiskError::Denied), (Opening::Map, DiskError::NoMemory)] {
        begin(&mut sick, 5, "commitlog", Wrong::Refused { on, occurs: Occurs::FIRST });
        assert_eq!(sick.open(LOG, 8192), Err(error));
        assert_eq!(sick.open(LOG, 8192), Ok(log));
        sick.end_fault(5);
    }
    begin(&mut sick, 6, "lock", Wrong::Refused { on: Opening::Lock, occurs: Occurs::FIRST });
    assert_eq!(sick.lock("lock"), Err(DiskError::Locked));
    assert_eq!(sick.lock("lock"), Ok(()));
}

#[test]
fn a_full_device_shows_in_one_of_three_ways() {
    let full = |shows| Wrong::Full { capacity: 4 * 4096, shows: Some(shows) };
    let mut create = disk();
    begin(&mut create, 1, "any", full(FullShows::Create));
    let log = create.open(LOG, 8192).unwrap();
    assert_eq!(create.space().total, 4 * 4096);
    assert!(create.open("commitlog/1", 8192).is_ok(), "three pages of four are in use");
    let more = create.open("commitlog/1", 8192).unwrap();
    create.write(more, 0, b"x");
    assert_eq!(create.open("commitlog/2", 8192), Err(DiskError::Full));
    assert_eq!(create.put("config/x", b"x"), Err(DiskError::Full));
    assert_eq!(create.write_through(more, 4096, b"x"), Err(DiskError::Full), "a hole");
    assert_eq!(create.write_through(log, 0, b"x"), Ok(()), "no hole");
    create.end_fault(1);
    assert!(create.open("commitlog/2", 8192).is_ok());

    let mut touch = disk();
    begin(&mut touch, 1, "any", Wrong::Full { capacity: 3 * 4096, shows: Some(FullShows::Touch) });
    let next = touch.open(NEXT, 8192).unwrap();
    assert!(!dies(&mut touch, |disk| disk.write(next, 0, b"x")));
    assert!(dies(&mut touch, |disk| disk.write(next, 4096, b"x")));

    let mut late = disk();
    begin(&mut late, 1, "any", Wrong::Full { capacity: 3 * 4096, shows: Some(FullShows::Writeback) });
    let next = late.open(NEXT, 8192).unwrap();
    late.write(next, 4096, b"late");
    assert_eq!(sync(&mut late, next), Err(DiskError::Full));
    late.write(next, 4100, b"r");
    assert_eq!(sync(&mut late, next), Err(DiskError::Full), "there is no block for it still");
    lose_power(&mut late);
    assert_eq!(late.bytes(next, 4096..4100), [0; 4]);
}

#[test]
fn a_file_that_ends_early_ends_so_for_everybody_and_grows_as_zeros() {
    let mut sick = disk();
    let log = sick.open(LOG, 8192).unwrap();
    begin(&mut sick, 1, "commitlog/first", Wrong::Cut { to: 5000 });
    assert_eq!(sick.list(LOG)[0].len, 5000);
    assert!(dies(&mut sick, |disk| drop(disk.bytes(log, 4999..5001).to_vec())));
    assert!(dies(&mut sick, |disk| disk.write(log, 5000, b"x")));
    assert_eq!(sick.open(LOG, 8192), Err(DiskError::Invalid));
    sick.end_fault(1);
    begin(&mut sick, 2, "commitlog/first", Wrong::Cut { to: 0 });
    assert_eq!(sick.get(LOG).unwrap(), "");
    assert_eq!(sick.open(LOG, 8192), Ok(log), "an empty file is made longer");
    assert_eq!(sick.bytes(log, 0..8192), [0; 8192]);
    sick.write(log, 0, b"anew");
    sick.end_fault(2);
    assert_eq!(sick.bytes(log, 0..5), b"anewa");
}

#[test]
fn a_slow_and_a_hung_device_let_stores_and_syncs_wait() {
    let mut sick = disk();
    let log = sick.open(LOG, 8192).unwrap();
    sick.begin_flush(9, log, 0..8192);
    let drawn = Span::from_millis(5);
    assert_eq!((sick.sync_span(9, drawn), sick.stalled()), (drawn, 0));
    begin(&mut sick, 1, "any", Wrong::Slow { times: 1_000 });
    assert_eq!(sick.sync_span(9, drawn), Span::from_secs(5));
    sick.write(log, 0, b"dirty");
    assert_eq!(sick.stalled(), 2_000_000_000, "the device's shortest sync is 2 ms");
    sick.write(log, 1, b"still dirty");
    assert_eq!(sick.stalled(), 2_000_000_000, "a dirty page waits for nothing");
    sick.set_time(Time(1));
    assert_eq!(sick.stalled(), 0, "another step");
    sick.end_fault(1);

    begin(&mut sick, 2, "commitlog", Wrong::Hung { at_most: Span::from_secs(10) });
    assert_eq!(sick.hung_until(9), Some(Time(10_000_000_001)));
    sick.set_time(Time(4_000_000_001));
    sick.write(log, 0, b"x");
    assert_eq!(sick.stalled(), 6_000_000_000);
    sick.set_time(Time(5_000_000_001));
    sick.write(log, 0, b"x");
    assert_eq!(sick.stalled(), 0, "whoever comes later waits behind the first");
    sick.end_fault(2);
    assert_eq!(sick.hung_until(9), None);

    let (min, max) = (Span::from_secs(1), Span::from_secs(2));
    begin(&mut sick, 3, "commitlog", Wrong::SlowSync { min, max, occurs: Occurs::ALWAYS });
    let span = sick.sync_span(9, drawn);
    assert!(min + drawn <= span && span <= max + drawn, "{span}");
    begin(&mut sick, 4, "any", Wrong::Slow { times: 1_000 });
    let (span, own) = (sick.sync_span(9, drawn), Span::from_secs(5));
    assert!(min + own <= span && span <= max + own, "a slow device is slow at its own work alone: {span}");
}

#[test]
fn a_fault_strikes_only_what_it_is_about() {
    let mut sick = disk();
    begin(&mut sick, 1, "commitlog/last", Wrong::CallFails { on: Access::Write, occurs: Occurs::ALWAYS });
    let (log, next) = (sick.open(LOG, 8192).unwrap(), sick.open(NEXT, 8192).unwrap());
    // A segment in which nothing was written yet is not the last one.
    sick.open("commitlog/00000000000000016384", 8192).unwrap();
    assert_eq!(sick.write_through(log, 0, b"x"), Ok(()));
    assert_eq!(sick.write_through(next, 0, b"x"), Err(DiskError::Io));
    assert_eq!(sick.put("config/topics.json", b"x"), Ok(()));
}
