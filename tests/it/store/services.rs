//! The store's services: buffers and commits, the file ahead, retention, slaves, the put lock, the repair of K04.

use mqlab::mq::disk::Usage;
use mqlab::mq::message::{PhysicalOffset, QueueOffset};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::{Role, StoreConfig};
use mqlab::mq::store::outcome::{News, PutStatus};
use mqlab::mq::store::{Flag, Service};
use mqlab::mq::time::{Millis, Span, Time};

use super::machine::{AnyDisk, Machine, sim_disk};
use super::sick::Sick;
use super::survival::{START, clock, config, logged, message, readable};

fn boot(config: StoreConfig) -> Machine {
    boot_on(AnyDisk::Sim(Box::new(sim_disk())), config)
}

fn boot_on(mut disk: AnyDisk, config: StoreConfig) -> Machine {
    disk.set_clock(START);
    match Machine::boot(disk, config, clock()) {
        Ok(machine) => machine,
        Err(error) => panic!("{error}"),
    }
}

fn put(machine: &mut Machine, number: usize) {
    assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
    machine.pass(2);
}

/// Lets both clocks go on.
fn pass(machine: &mut Machine, millis: u64) {
    for _ in 0..millis / 1_000 {
        machine.pass(1_000);
        machine.clock.wall = machine.clock.wall.plus(1_000);
        machine.disk.set_clock(machine.clock.wall);
    }
}

fn due(machine: &Machine, service: Service) -> Option<Time> {
    machine.store.deadlines(machine.clock).into_iter().find(|(other, _)| *other == service).unwrap().1
}

fn pooled(size: usize) -> StoreConfig {
    StoreConfig { transient_store_pool_enable: true, transient_store_pool_size: size, ..config() }
}

#[test]
fn what_is_not_committed_is_seen_by_nobody_and_dies_with_the_process() {
    let mut machine = boot(pooled(5));
    put(&mut machine, 0);
    assert_eq!(readable(&mut machine).len(), 0, "a turn of the commit service has just been");
    machine.pass(205);
    assert_eq!(readable(&mut machine).len(), 1);
    put(&mut machine, 1);
    assert_eq!((readable(&mut machine).len(), logged(&mut machine).len()), (1, 1));
    let mut killed = boot_on(machine.disk.after_kill(), config());
    assert_eq!(logged(&mut killed).len(), 1, "it was acknowledged, and is gone");

    let mut machine = boot(pooled(5));
    put(&mut machine, 0);
    put(&mut machine, 1);
    machine.pass(205);
    assert_eq!((readable(&mut machine).len(), logged(&mut machine).len()), (2, 2));
    put(&mut machine, 2);
    let (disk, _) = machine.shut_down();
    let mut machine = boot_on(disk, config());
    assert_eq!(logged(&mut machine).len(), 3, "a clean stop commits");
}

#[test]
fn a_pool_without_buffers_refuses_sends_and_maps_or_refuses_the_next_file() {
    // One buffer each for the file that is written and the file ahead.
    let mut machine = boot(pooled(2));
    assert!(!machine.store.is_transient_store_pool_deficient());
    put(&mut machine, 0);
    assert!(machine.store.is_transient_store_pool_deficient());
    for number in 1..40 {
        put(&mut machine, number);
    }
    machine.pass(1_000);
    assert_eq!(machine.store.commit_log_files(), 2);
    assert_eq!(readable(&mut machine).len(), 40, "the third file is mapped, or has a buffer that came back");

    let mut machine = boot(StoreConfig { fast_fail_if_no_buffer_in_store_pool: true, ..pooled(1) });
    let mut number = 0;
    let refused = loop {
        // All within one turn of the commit service.
        match machine.put(&message(number)).status {
            PutStatus::PutOk => number += 1,
            other => break other,
        }
    };
    assert_eq!(refused, PutStatus::CreateMapedFileFailed);
    machine.pass(400);
    assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk, "the full file gave its buffer back");
}

#[test]
fn the_next_file_lies_there_all_zeros_until_a_clean_stop_or_the_next_recovery() {
    let files = |disk: &mut AnyDisk| disk.lend().list("commitlog/").len();
    let mut machine = boot(config());
    put(&mut machine, 0);
    assert_eq!((machine.store.commit_log_files(), files(&mut machine.disk)), (1, 2));
    let ahead = machine.disk.lend().get("commitlog/00000000000000004096").unwrap();
    assert!(ahead.len() == 4096 && ahead.iter().all(|byte| *byte == 0));
    let mut disk = machine.disk.after_kill();
    assert_eq!(files(&mut disk), 2);
    let mut machine = boot_on(disk, config());
    assert_eq!((machine.store.commit_log_files(), files(&mut machine.disk)), (1, 1), "recovery cut it off");
    for number in 1..60 {
        put(&mut machine, number);
    }
    assert_eq!(files(&mut machine.disk), machine.store.commit_log_files() + 1);
    let (mut disk, store) = machine.shut_down();
    assert_eq!(files(&mut disk), store.commit_log_files());
}

#[test]
fn an_expired_file_goes_in_the_hour_of_deletion_and_nothing_wakes_before() {
    let config = StoreConfig { file_reserved_time_h: 1, ..config() };
    let mut machine = boot(config);
    put(&mut machine, 0);
    pass(&mut machine, 70_000);
    assert_eq!(due(&machine, Service::Clean), None, "one file, and a disk with room");
    for number in 1..90 {
        put(&mut machine, number);
    }
    pass(&mut machine, 20_000);
    let files = machine.store.commit_log_files();
    assert!(files > 3);
    // The run begins at midnight in the lab's zone. The wall clock stood still during the puts, so that the first tick
    // after 04:00 comes ten seconds later than four hours.
    let four = Time::ZERO + Span::from_secs(4 * 3_600 + 10);
    assert_eq!(due(&machine, Service::Clean), Some(four));
    let before = Time(four.0 - 1_000_000);
    machine.clock.wall = machine.clock.wall.plus(before.since(machine.clock.mono).as_millis() as i64);
    machine.clock.mono = before;
    machine.pass(50);
    assert_eq!(machine.store.commit_log_files(), files - 1, "the first goes at once, the next after a pause");
    machine.pass(1_000);
    assert_eq!(machine.store.commit_log_files(), 1, "never the last");
    assert!(machine.store.min_queue_offset("orders", 0).0 > 0, "the queues follow");
    assert_eq!(
        machine.news.iter().filter(|news| matches!(news, News::FileDeleted { expired: true, .. })).count(),
        files - 1
    );
    assert_eq!(due(&machine, Service::Clean), None);
}

#[test]
fn watermarks_delete_what_has_expired_then_anything_then_refuse_puts() {
    let full = |percent: u64| Some(Usage { used: percent * 10, total: 1_000 });
    let mut machine = boot_on(AnyDisk::Sick(Box::new(Sick::healthy())), config());
    for number in 0..90 {
        put(&mut machine, number);
    }
    let files = machine.store.commit_log_files();
    machine.disk.sick().space = full(80);
    pass(&mut machine, 70_000);
    assert_eq!((machine.store.commit_log_files(), machine.store.flags()), (files, 0), "nothing has expired");
    // The disk is looked at again when something was written.
    machine.disk.sick().space = full(95);
    for number in 0..30 {
        put(&mut machine, number);
    }
    pass(&mut machine, 20_000);
    assert_eq!(machine.store.commit_log_files(), 1, "unexpired ones go, too");
    assert_eq!(machine.store.flags(), Flag::DiskFull as u32);
    assert_eq!(machine.put(&message(0)).status, PutStatus::ServiceNotAvailable);
    machine.disk.sick().space = full(87);
    pass(&mut machine, 20_000);
    assert_eq!(machine.store.flags(), Flag::DiskFull as u32, "between the marks it stays");
    machine.disk.sick().space = full(50);
    pass(&mut machine, 20_000);
    assert_eq!(machine.store.flags(), 0);
    put(&mut machine, 1);
    assert!(machine.news.iter().any(|news| matches!(news, News::DiskOk { percent: 50 })));
}

#[test]
fn a_queue_that_points_nowhere_any_more_is_dropped_on_request_and_begins_again() {
    let mut machine = boot(StoreConfig { file_reserved_time_h: 0, ..config() });
    let mut old = message(0);
    old.topic = "old".into();
    assert_eq!(machine.put(&old).status, PutStatus::PutOk);
    for number in 0..60 {
        put(&mut machine, number);
    }
    machine.store.delete_files_manually();
    machine.store.clean_commit_log(machine.disk.lend(), machine.clock);
    machine.store.clean_consume_queues(machine.disk.lend(), machine.clock);
    assert_eq!(machine.store.min_queue_offset("old", 0), QueueOffset(0), "its minimum stays behind");
    assert!(machine.store.clean_expired_queues(machine.disk.lend()));
    assert!(machine.store.each_queue().all(|(topic, ..)| *topic != *"old"));
    let landed = machine.put(&old).landed.unwrap();
    assert_eq!(landed.queue_offset, QueueOffset(0));
}

#[test]
fn a_sync_master_waits_for_a_slave_as_long_as_one_is_there() {
    let mut machine = boot(StoreConfig { role: Role::SyncMaster, ..config() });
    assert_eq!(machine.put(&message(0)).status, PutStatus::SlaveNotAvailable);
    machine.store.slave_connected();
    let waits = machine.put(&message(1)).waits.expect("it waits");
    let end = machine.store.log_end().0;
    machine.store.slave_reported(machine.clock, end - 1);
    machine.pass(10);
    assert!(!machine.done.contains_key(&waits));
    machine.store.slave_reported(machine.clock, end);
    machine.pass(10);
    assert_eq!(machine.done[&waits], PutStatus::PutOk);
    let waits = machine.put(&message(2)).waits.expect("it waits");
    machine.pass(4_900);
    assert!(!machine.done.contains_key(&waits));
    machine.pass(200);
    assert_eq!(machine.done[&waits], PutStatus::FlushSlaveTimeout);
    machine.store.slave_gone();
    assert_eq!(machine.put(&message(3)).status, PutStatus::SlaveNotAvailable);
    assert_eq!(logged(&mut machine).len(), 4, "all of them are stored");
}

#[test]
fn a_slave_takes_raw_bytes_and_hands_on_whole_records() {
    let mut master = boot(config());
    for number in 0..3 {
        put(&mut master, number);
    }
    let end = master.store.log_end().0;
    let bytes = master.disk.lend().get("commitlog/00000000000000000000").unwrap();
    let mut slave = boot(StoreConfig { role: Role::Slave, ..config() });
    assert_eq!(slave.put(&message(9)).status, PutStatus::ServiceNotAvailable);
    let half = message(0).record_len() as i64 + 50;
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, 0, &bytes[..half as usize]));
    slave.pass(20);
    assert_eq!(readable(&mut slave).len(), 1);
    assert_eq!(due(&slave, Service::Reput), None, "half a record: nothing to do until more comes");
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, half, &bytes[half as usize..end as usize]));
    slave.pass(20);
    assert_eq!((readable(&mut slave).len(), slave.store.log_end()), (3, PhysicalOffset(end)));
}

#[test]
fn a_put_that_keeps_the_lock_for_more_than_a_second_refuses_others() {
    let mut machine = boot_on(AnyDisk::Sick(Box::new(Sick::healthy())), config());
    machine.disk.sick().slow = 3_000_000_000;
    assert_eq!(machine.put(&message(0)).status, PutStatus::PutOk);
    machine.disk.sick().slow = 0;
    let mut at = |millis: u64| {
        let wall = START.plus(millis as i64);
        machine.clock = mqlab::mq::store::Clock { wall, mono: Time::ZERO + Span::from_millis(millis) };
        let put = machine.put(&message(1));
        (put.status, put.landed.map(|landed| landed.store_timestamp))
    };
    assert_eq!(at(500), (PutStatus::PutOk, Some(START.plus(3_000))), "it gets the lock when the first is out");
    assert_eq!(at(1_500), (PutStatus::OsPagecacheBusy, None));
    assert_eq!(at(3_100), (PutStatus::PutOk, Some(START.plus(3_100))));
}

#[test]
fn k04_nothing_is_handed_on_before_it_has_been_forced() {
    for (profile, early) in [(Profile::FAITHFUL, 1), (Profile::with_fix("K04").unwrap(), 0)] {
        let disk = AnyDisk::Sim(Box::new(sim_disk()));
        let mut machine = Machine::boot_as(&profile, disk, config(), clock()).unwrap_or_else(|error| panic!("{error}"));
        machine.pass(700);
        assert_eq!(machine.put(&message(0)).status, PutStatus::PutOk);
        machine.pass(20);
        assert_eq!((readable(&mut machine).len(), machine.store.flushed().0), (early, 0));
        machine.pass(11_000);
        assert_eq!(readable(&mut machine).len(), 1);
        assert!(machine.store.flushed().0 > 0);
    }
}

#[test]
fn k04_a_force_alone_makes_a_record_whole_that_came_in_two_pieces() {
    let mut master = boot(config());
    (0..3).for_each(|number| put(&mut master, number));
    let (half, end) = (message(0).record_len() as i64 + 50, master.store.log_end().0);
    let bytes = master.disk.lend().get("commitlog/00000000000000000000").unwrap();
    let slave = StoreConfig { role: Role::Slave, ..config() };
    let mut slave =
        Machine::boot_as(&Profile::with_fix("K04").unwrap(), AnyDisk::Sim(Box::new(sim_disk())), slave, clock())
            .unwrap_or_else(|error| panic!("{error}"));
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, 0, &bytes[..half as usize]));
    slave.pass(11_000);
    assert_eq!((readable(&mut slave).len(), slave.store.flushed().0), (1, half));
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, half, &bytes[half as usize..end as usize]));
    slave.pass(20);
    assert_eq!((readable(&mut slave).len(), slave.store.flushed().0), (1, half), "looked at, and not forced yet");
    slave.pass(11_000);
    assert_eq!((readable(&mut slave).len(), slave.store.flushed().0), (3, end));
}

#[test]
fn the_run_begins_at_midnight() {
    assert_eq!((START.0 + 8 * 3_600_000) % 86_400_000, 0, "{:?}", Millis(START.0));
}
