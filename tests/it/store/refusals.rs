//! What the store does when the disk refuses or fails for a while. The table of all that can be wrong is `failures`.

use mqlab::mq::disk::DiskError;
use mqlab::mq::message::property::Properties;
use mqlab::mq::message::{Message, batch};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::ABORT;
use mqlab::mq::store::Flag;
use mqlab::mq::store::batch::NewBatch;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::{AppendStatus, PutStatus};
use mqlab::mq::store::record::NewMessage;

use super::machine::{AnyDisk, Machine, sim_disk};
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
fn a_bad_delay_table_keeps_the_store_from_loading() {
    let config = StoreConfig { message_delay_level: "1s 2x".into(), ..config() };
    let error = Machine::boot(sim(), config, clock()).err().unwrap();
    assert!(error.to_string().contains("`messageDelayLevel` is `1s 2x`"), "{error}");
}

/// What the log holds, when something has been put that no file of 4,096 bytes can hold.
fn put_what_fits_no_file(profile: &Profile, in_batch: bool) -> (PutStatus, usize, Vec<Vec<u8>>) {
    let mut machine = boot(profile, sim(), config());
    assert_eq!(put(&mut machine, 0), PutStatus::PutOk);
    let big = NewMessage { body: vec![b'x'; 4_096].into(), ..message(1) };
    let put = match in_batch {
        false => machine.put(&big),
        true => {
            let letter = Message {
                topic: "orders".into(),
                body: vec![b'x'; 1_400].into(),
                flag: 0,
                properties: Properties::default(),
            };
            let letters = [letter.clone(), letter.clone(), letter];
            let NewMessage { topic, queue_id, sys_flag, born_timestamp, born_host, store_host, .. } = message(1);
            let batch = NewBatch {
                topic,
                queue_id,
                sys_flag,
                born_timestamp,
                born_host,
                store_host,
                reconsume_times: 0,
                properties: "".into(),
                body: batch::encode(&letters),
            };
            machine.store.put_batch(machine.disk.lend(), machine.clock, &batch)
        }
    };
    machine.pass(2);
    let files = machine.store.commit_log_files();
    (put.status, files, logged(&mut machine))
}

#[test]
fn k27_what_fits_no_log_file_is_answered_with_success_or_refused() {
    let only = vec![message(0).body.to_vec()];
    for in_batch in [false, true] {
        assert_eq!(put_what_fits_no_file(&Profile::FAITHFUL, in_batch), (PutStatus::PutOk, 2, only.clone()));
        let repaired = Profile::with_fix("K27").unwrap();
        assert_eq!(put_what_fits_no_file(&repaired, in_batch), (PutStatus::MessageIllegal, 1, only.clone()));
    }
}

/// When the log says that its records were stored, one put held up in the lock and a batch that came while it was.
fn stamps_behind_a_slow_put(profile: &Profile) -> Vec<i64> {
    let mut machine = sick(profile, config());
    machine.disk.sick().slow = 50_000_000;
    assert_eq!(machine.put(&message(0)).status, PutStatus::PutOk);
    let letter =
        Message { topic: "orders".into(), body: vec![b'x'; 10].into(), flag: 0, properties: Properties::default() };
    let NewMessage { topic, queue_id, sys_flag, born_timestamp, born_host, store_host, .. } = message(1);
    let body = batch::encode(&[letter]);
    let reconsume_times = 0;
    let properties = "".into();
    let batch = NewBatch {
        topic,
        queue_id,
        sys_flag,
        born_timestamp,
        born_host,
        store_host,
        reconsume_times,
        properties,
        body,
    };
    let put = machine.store.put_batch(machine.disk.lend(), machine.clock, &batch);
    let end = put.landed.unwrap().at.0 as u64;
    let disk = machine.disk.lend();
    let file = disk.open("commitlog/00000000000000000000", 4_096).unwrap();
    let mut stamp = |at: u64| i64::from_be_bytes(disk.bytes(file, at + 56..at + 64).try_into().unwrap());
    vec![stamp(0), stamp(end)]
}

#[test]
fn k30_a_batch_that_waited_for_the_lock_is_stamped_before_or_behind_who_held_it() {
    let stamps = stamps_behind_a_slow_put(&Profile::FAITHFUL);
    assert_eq!(stamps[0], stamps[1], "the batch is as old as its wait began");
    let stamps = stamps_behind_a_slow_put(&Profile::with_fix("K30").unwrap());
    assert!(stamps[0] + 50 <= stamps[1], "{stamps:?}");
}
