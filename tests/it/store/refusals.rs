//! What the store does when the disk refuses, fails, or holds what it should not: the release's behaviour, or a clear error.

use mqlab::mq::disk::DiskError;
use mqlab::mq::message::QueueOffset;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::ABORT;
use mqlab::mq::store::Flag;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::get::{GetRequest, GetStatus};
use mqlab::mq::store::outcome::{AppendStatus, PutStatus, StoreError};

use super::machine::{AnyDisk, Kind, Machine, sim_disk};
use super::sick::Sick;
use super::survival::{clock, config, logged, message, readable};

fn sick(profile: &Profile, config: StoreConfig) -> Machine {
    boot(profile, AnyDisk::Sick(Box::new(Sick::healthy())), config)
}

fn boot(profile: &Profile, disk: AnyDisk, config: StoreConfig) -> Machine {
    match Machine::boot_as(profile, disk, config, clock()) {
        Ok(machine) => machine,
        Err(error) => panic!("{error}"),
    }
}

fn put(machine: &mut Machine, number: usize) -> PutStatus {
    let put = machine.put(&message(number));
    machine.pass(2);
    put.waits.map_or(put.status, |request| machine.done[&request])
}

fn sync() -> StoreConfig {
    StoreConfig { sync_flush: true, ..config() }
}

/// A store with `count` messages, stopped cleanly.
fn stopped(disk: AnyDisk, count: usize) -> AnyDisk {
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    for number in 0..count {
        assert_eq!(put(&mut machine, number), PutStatus::PutOk);
    }
    machine.shut_down().0
}

fn sim() -> AnyDisk {
    AnyDisk::Sim(Box::new(sim_disk()))
}

#[test]
fn a_log_file_that_cannot_be_made_refuses_the_put_and_the_next_try_may_succeed() {
    for error in [DiskError::Full, DiskError::Denied, DiskError::Io] {
        let mut machine = sick(&Profile::FAITHFUL, config());
        machine.disk.sick().open = Some(("commitlog/", error));
        assert_eq!(put(&mut machine, 0), PutStatus::CreateMapedFileFailed);
        assert!(logged(&mut machine).is_empty());
        machine.disk.sick().open = None;
        assert_eq!(put(&mut machine, 1), PutStatus::PutOk);
        // The file ahead can be had; the one behind it cannot, and a roll needs it.
        machine.disk.sick().open = Some(("commitlog/", error));
        let mut stored = 1;
        let refused = loop {
            let put = machine.put(&message(stored));
            match put.status {
                PutStatus::PutOk => stored += 1,
                _ => break put,
            }
        };
        assert_eq!(refused.status, PutStatus::CreateMapedFileFailed);
        assert_eq!(refused.append, Some(AppendStatus::EndOfFile), "the blank record was written");
        assert_eq!(machine.store.commit_log_files(), 2);
        machine.disk.sick().open = None;
        assert_eq!(put(&mut machine, 99), PutStatus::PutOk);
        assert_eq!(machine.store.commit_log_files(), 3);
    }
}

#[test]
fn a_failed_channel_write_leaves_a_hole_and_nobody_hears_of_it() {
    let mut machine = sick(&Profile::FAITHFUL, config());
    machine.disk.sick().channel = Some(DiskError::Io);
    assert_eq!(put(&mut machine, 0), PutStatus::PutOk);
    machine.disk.sick().channel = None;
    assert_eq!(put(&mut machine, 2), PutStatus::PutOk);
    assert_eq!(machine.store.max_queue_offset("orders", 0), QueueOffset(2));
    assert_eq!(readable(&mut machine), [message(2).body.to_vec()], "the first unit is zeros");
    assert_eq!(machine.store.flags(), 0);
}

#[test]
fn a_queue_file_that_cannot_be_made_is_tried_thirty_times_before_puts_are_refused() {
    let mut machine = sick(&Profile::FAITHFUL, config());
    machine.disk.sick().open = Some(("consumequeue/", DiskError::Full));
    assert_eq!(put(&mut machine, 0), PutStatus::PutOk);
    machine.pass(28_900);
    assert_eq!((machine.store.flags(), machine.store.behind() > 0), (0, true), "29 tries");
    machine.pass(200);
    assert_eq!((machine.store.flags(), machine.store.behind()), (Flag::WriteLogicsQueueError as u32, 0));
    assert_eq!(put(&mut machine, 1), PutStatus::ServiceNotAvailable);
    let (mut disk, _) = machine.shut_down();
    assert!(disk.lend().get(ABORT).is_ok(), "the next start is one after a crash");
    disk.sick().open = None;
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    assert_eq!(readable(&mut machine), [message(0).body.to_vec()], "which dispatches the record");

    let mut machine = sick(&Profile::FAITHFUL, config());
    machine.disk.sick().open = Some(("consumequeue/", DiskError::Full));
    assert_eq!(put(&mut machine, 0), PutStatus::PutOk);
    machine.pass(10_000);
    machine.disk.sick().open = None;
    machine.pass(1_000);
    assert_eq!((machine.store.flags(), readable(&mut machine).len()), (0, 1));
}

#[test]
fn k01_a_failed_force_is_acknowledged_by_the_release_and_ends_all_puts_when_repaired() {
    let fix = Profile::with_fix("K01").unwrap();
    for (profile, first, second) in [
        (Profile::FAITHFUL, PutStatus::PutOk, PutStatus::PutOk),
        (fix.clone(), PutStatus::FlushDiskTimeout, PutStatus::ServiceNotAvailable),
    ] {
        let mut machine = sick(&profile, sync());
        machine.disk.sick().force = Some(DiskError::Io);
        assert_eq!(put(&mut machine, 0), first);
        let moved = machine.store.flushed().0 > 0;
        assert_eq!(moved, first == PutStatus::PutOk);
        machine.disk.sick().force = None;
        assert_eq!(put(&mut machine, 1), second);
        let (mut disk, _) = machine.shut_down();
        assert_eq!(disk.lend().get(ABORT).is_ok(), second != PutStatus::PutOk);
    }
    // Queues and checkpoint: the first thorough pass comes after a second.
    for (profile, writeable) in [(Profile::FAITHFUL, true), (fix, false)] {
        let mut machine = sick(&profile, sync());
        assert_eq!(put(&mut machine, 0), PutStatus::PutOk);
        machine.disk.sick().force = Some(DiskError::Io);
        machine.pass(1_500);
        assert_eq!(machine.store.is_writeable(), writeable);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let mut disk = Sick::healthy();
    disk.open = Some(("checkpoint", DiskError::Denied));
    let error = Machine::boot(AnyDisk::Sick(Box::new(disk)), config(), clock()).err().unwrap();
    assert_eq!(error.to_string(), "`checkpoint`: permission denied");

    // On a real disk: a folder where a file is expected, and a file where a folder is.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("checkpoint")).unwrap();
    let error = Machine::boot(AnyDisk::new(Kind::Mmap, folder.path().to_owned()), config(), clock()).err().unwrap();
    assert!(error.to_string().starts_with("`checkpoint`: "), "{error}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("commitlog"), "no folder").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, AnyDisk::new(Kind::Mmap, folder.path().to_owned()), config());
    assert_eq!(put(&mut machine, 0), PutStatus::CreateMapedFileFailed);
}

#[test]
fn a_segment_that_is_missing_in_the_middle_is_a_gap_and_no_end() {
    let mut disk = stopped(sim(), 60);
    disk.lend().remove("commitlog/00000000000000004096").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    assert_eq!(machine.store.commit_log_files(), 2);
    assert!(machine.store.log_end().0 > 8192, "recovery goes on in the next file that is there");
    let topic = "orders".into();
    let ask =
        |offset| GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(offset), max: 32, filter: &|_| true };
    // The entry of the first record in the gap.
    let gone = (0..30)
        .find(|entry| machine.store.log_offset_of(machine.disk.lend(), "orders", 0, QueueOffset(*entry)).0 >= 4096)
        .unwrap();
    let got = machine.store.get(machine.disk.lend(), &ask(gone)).unwrap();
    assert_ne!(got.status, GetStatus::NoMessageInQueue);
    assert!(got.messages.iter().all(|record| i64::from_be_bytes(record[28..36].try_into().unwrap()) >= 8192));
    assert_eq!(put(&mut machine, 61), PutStatus::PutOk);
}

#[test]
fn a_foreign_file_ends_the_loading_or_is_named() {
    let mut disk = stopped(sim(), 5);
    disk.lend().put("commitlog/notes.txt", b"short").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    assert_eq!(logged(&mut machine).len(), 5, "a file of another length is left alone, and all behind it");
    let (mut disk, _) = machine.shut_down();
    disk.lend().put("commitlog/notes.txt", &[b'x'; 4096]).unwrap();
    let error = Machine::boot(disk, config(), clock()).err().unwrap();
    assert!(error.to_string().contains("`commitlog/notes.txt`"), "{error}");
    assert!(matches!(error, StoreError::FileName { .. }));
}

#[test]
fn a_segment_of_the_wrong_size_hides_itself_and_what_follows() {
    let mut disk = stopped(sim(), 60);
    let second = "commitlog/00000000000000004096";
    disk.lend().remove(second).unwrap();
    disk.lend().put(second, &[0; 100]).unwrap();
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    assert_eq!(machine.store.commit_log_files(), 1);
    assert!(machine.store.log_end().0 < 4096);
    let kept = logged(&mut machine).len();
    assert!((1..60).contains(&kept));
}

#[test]
fn an_empty_checkpoint_is_one_of_zeros() {
    let mut disk = stopped(sim(), 5);
    disk.lend().remove("checkpoint").unwrap();
    disk.lend().put("checkpoint", b"").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, disk, config());
    assert_eq!(machine.store.checkpoint(), (0, 0, 0));
    assert_eq!(readable(&mut machine).len(), 5);

    let folder = tempfile::tempdir().unwrap();
    let disk = stopped(AnyDisk::new(Kind::Mmap, folder.path().to_owned()), 5);
    drop(disk);
    std::fs::write(folder.path().join("checkpoint"), b"").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, AnyDisk::new(Kind::Mmap, folder.path().to_owned()), config());
    assert_eq!(machine.store.checkpoint(), (0, 0, 0));
    assert_eq!(readable(&mut machine).len(), 5);
}

#[test]
fn a_bad_delay_table_keeps_the_store_from_loading() {
    let config = StoreConfig { message_delay_level: "1s 2x".into(), ..config() };
    let error = Machine::boot(sim(), config, clock()).err().unwrap();
    assert!(error.to_string().contains("`messageDelayLevel` is `1s 2x`"), "{error}");
}
