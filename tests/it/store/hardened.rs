//! The repairs of the storage engine: each shown beside the release's behaviour that it repairs.

use mqlab::lab::check::history::Image;
use mqlab::lab::check::storage::{self, Seen};
use mqlab::lab::fault::episode::Keep;
use mqlab::mq::disk::Disk;
use mqlab::mq::message::{PhysicalOffset, QueueOffset};
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::{Role, StoreConfig};
use mqlab::mq::store::get::GetRequest;
use mqlab::mq::store::index::KeyQuery;
use mqlab::mq::store::outcome::{News, PutStatus, StoreError};
use mqlab::mq::time::Millis;
use proptest::prelude::*;

use super::machine::{AnyDisk, Machine, sim_disk};
use super::survival::{START, clock, config, logged, message, readable};

const LOG: &str = "commitlog/00000000000000000000";

fn sim() -> AnyDisk {
    AnyDisk::Sim(Box::new(sim_disk()))
}

/// Small index files, so that several fill up.
fn small() -> StoreConfig {
    StoreConfig { max_hash_slot_num: 7, max_index_num: 6, ..config() }
}

fn boot(profile: &Profile, disk: AnyDisk) -> Machine {
    match Machine::boot_as(profile, disk, small(), clock()) {
        Ok(machine) => machine,
        Err(error) => panic!("{error}"),
    }
}

fn fix(row: &str) -> Profile {
    Profile::with_fix(row).expect("the row has a switch")
}

fn put(machine: &mut Machine, number: usize) {
    assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
    machine.pass(2);
}

fn power_loss(machine: Machine, keep: Keep, draw: &mut dyn FnMut(u64) -> u64) -> AnyDisk {
    let AnyDisk::Sim(mut disk) = machine.disk else { panic!("a simulated disk") };
    disk.power_loss(keep, draw);
    AnyDisk::Sim(disk)
}

/// Everything that a reader can ask agrees with the log: queues, index.
fn assert_whole(machine: &mut Machine) {
    let in_order = logged(machine);
    let mut sorted = in_order.clone();
    sorted.sort();
    assert_eq!(readable(machine), sorted, "the queues hold what the log holds");
    for body in &in_order {
        let number = String::from_utf8_lossy(&body[body.len() - 3..]).into_owned();
        let key = format!("order-{number}");
        let query = KeyQuery { topic: "orders", key: &key, max: 64, begin: 0, end: i64::MAX };
        let found = machine.store.query_message(machine.disk.lend(), query).messages;
        let is_it = |record: &bytes::Bytes| record[88..].starts_with(body);
        assert!(found.iter().any(is_it), "{key} is found by its key");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, pages surviving out of order and torn included: what is left is whole.
    #[test]
    fn any_course_leaves_log_queues_and_index_that_agree(
        course in prop::collection::vec((0u8..10, 1u64..800), 1..60),
        draws in prop::collection::vec(0u64..1_000, 64),
        wall_steps in prop::collection::vec(-5_000i64..5_000, 8),
    ) {
        let profile = Profile::HARDENED;
        let mut machine = boot(&profile, sim());
        let (mut log, mut draw): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
        let mut number = 0;
        for (what, millis) in course {
            match what {
                0..=6 => {
                    prop_assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
                    log.push(message(number).body.to_vec());
                    number += 1;
                }
                7 => machine.pass(millis),
                8 => {
                    machine = boot(&profile, machine.disk.after_kill());
                    machine.pass(20);
                }
                _ => {
                    let flushed = machine.store.flushed().0;
                    let rest = power_loss(machine, Keep::Uniform, &mut |below| {
                        draw += 1;
                        draws[draw % 64] % below
                    });
                    machine = boot(&profile, rest);
                    prop_assert!(machine.store.log_end().0 >= flushed, "what was forced is there");
                    let found = logged(&mut machine);
                    prop_assert_eq!(&log[..found.len()], &found[..], "what is left is a prefix");
                    log.truncate(found.len());
                    machine.pass(20);
                    assert_whole(&mut machine);
                }
            }
            let step = wall_steps[number % 8];
            machine.clock.wall = Millis(machine.clock.wall.0 + step);
        }
        // Queues follow the force (K04), and a quiet log is forced within ten seconds.
        machine.pass(11_000);
        prop_assert_eq!(logged(&mut machine), log);
        assert_whole(&mut machine);
    }
}

/// Nine messages, forced and checkpointed, then a kill; and where the fourth record begins.
fn nine_durable(profile: &Profile) -> (AnyDisk, i64) {
    let mut machine = boot(profile, sim());
    let mut fourth = 0;
    for number in 0..9 {
        if number == 3 {
            fourth = machine.store.log_end().0;
        }
        put(&mut machine, number);
        machine.clock.wall = Millis(machine.clock.wall.0 + 10);
    }
    machine.pass(70_000);
    (machine.disk.after_kill(), fourth)
}

#[test]
fn k09_a_bad_record_in_front_of_durable_ones_is_refused_and_a_torn_tail_is_not() {
    let (mut disk, fourth) = nine_durable(&fix("K09"));
    disk.damage(LOG, fourth as u64 + 90, b"?");
    let mut faithful = boot(&Profile::FAITHFUL, disk);
    assert_eq!(logged(&mut faithful).len(), 3, "the release cuts everything behind it");

    let (mut disk, fourth) = nine_durable(&fix("K09"));
    disk.damage(LOG, fourth as u64 + 90, b"?");
    let error = Machine::boot_as(&fix("K09"), disk, small(), clock()).err().expect("refused");
    assert_eq!(error, StoreError::Corrupt { file: LOG.to_owned(), at: fourth });
    assert!(error.to_string().contains(&format!("`{LOG}` at {fourth}")));

    let mut machine = boot(&fix("K09"), sim());
    machine.pass(600);
    for number in 0..9 {
        put(&mut machine, number);
    }
    let end = machine.store.log_end().0;
    let mut disk = machine.disk.after_kill();
    disk.damage(LOG, end as u64 - 200, &[0; 100]);
    assert!(Machine::boot_as(&fix("K09"), disk, small(), clock()).is_ok(), "nothing behind the tear was durable");
}

#[test]
fn k17_a_damaged_body_is_not_served() {
    for (profile, served) in [(Profile::FAITHFUL, 5), (fix("K17"), 1)] {
        let mut machine = boot(&profile, sim());
        let mut third = 0;
        for number in 0..5 {
            if number == 2 {
                third = machine.store.log_end().0;
            }
            // All on one queue.
            let mut message = message(number);
            message.queue_id = 0;
            assert_eq!(machine.put(&message).status, PutStatus::PutOk);
        }
        machine.pass(5);
        machine.disk.damage(LOG, third as u64 + 90, b"?");
        let topic = "orders".into();
        let mut ask = |offset| {
            let request =
                GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(offset), max: 32, filter: &|_| true };
            machine.store.get(machine.disk.lend(), &request).map(|got| got.messages.len())
        };
        assert_eq!(ask(1), Some(if served == 5 { 4 } else { 1 }));
        assert_eq!(ask(2), (served == 5).then_some(3), "in front of it there is no answer");
    }
}

#[test]
fn k17_nothing_is_served_in_place_of_a_first_record_that_is_gone() {
    for (profile, served) in [(Profile::FAITHFUL, 1), (fix("K17"), 0)] {
        let config = StoreConfig { file_reserved_time_h: 0, ..small() };
        let mut machine = Machine::boot_as(&profile, sim(), config, clock()).unwrap_or_else(|error| panic!("{error}"));
        let mut old = message(0);
        old.topic = "old".into();
        assert_eq!(machine.put(&old).status, PutStatus::PutOk);
        for number in 0..60 {
            put(&mut machine, number);
        }
        machine.store.delete_files_manually();
        machine.store.clean_commit_log(machine.disk.lend(), machine.clock);
        let topic = "old".into();
        let request = GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(0), max: 1, filter: &|_| true };
        let got = machine.store.get(machine.disk.lend(), &request).expect("an answer");
        assert_eq!(got.messages.len(), served);
    }
}

/// Equal records A B C D, B damaged, a crash, E in B's place, another crash.
fn after_two_crashes(profile: &Profile) -> Vec<Vec<u8>> {
    let mut machine = boot(profile, sim());
    for number in 0..4 {
        put(&mut machine, number);
    }
    let size = message(0).record_len() as u64;
    let mut disk = machine.disk.after_kill();
    disk.damage(LOG, size + 90, b"?");
    let mut machine = boot(profile, disk);
    put(&mut machine, 5);
    let mut machine = boot(profile, machine.disk.after_kill());
    logged(&mut machine)
}

#[test]
fn k18_what_recovery_cut_off_does_not_come_back() {
    let body = |number: usize| message(number).body.to_vec();
    assert_eq!(after_two_crashes(&Profile::FAITHFUL), [body(0), body(5), body(2), body(3)]);
    assert_eq!(after_two_crashes(&fix("K18")), [body(0), body(5)]);
}

#[test]
fn k18_the_dispatcher_stops_in_front_of_a_bad_record_where_the_release_skips_the_rest() {
    for (profile, queued, stops) in [(Profile::FAITHFUL, 1, false), (fix("K18"), 1, true)] {
        let mut machine = boot(&profile, sim());
        put(&mut machine, 0);
        let bad = machine.store.log_end().0;
        assert_eq!(machine.put(&message(1)).status, PutStatus::PutOk);
        assert_eq!(machine.put(&message(2)).status, PutStatus::PutOk);
        machine.disk.damage(LOG, bad as u64 + 4, &[0; 4]);
        machine.pass(50);
        assert_eq!(readable(&mut machine).len(), queued);
        let stopped = machine.news.contains(&News::DispatchStopped { at: bad });
        assert_eq!(stopped, stops);
        assert_eq!(machine.store.is_writeable(), !stops, "whoever runs it has to look");
        assert_eq!(machine.store.behind() == 0, !stops);
    }
}

#[test]
fn k18_a_record_counts_only_where_it_says_that_it_is() {
    for (profile, records) in [(Profile::FAITHFUL, 4), (fix("K18"), 1)] {
        let mut machine = boot(&profile, sim());
        for number in 0..4 {
            put(&mut machine, number);
        }
        let size = message(0).record_len() as i64;
        let copy = machine.store.look(machine.disk.lend(), PhysicalOffset(size * 2)).unwrap();
        let mut disk = machine.disk.after_kill();
        disk.damage(LOG, size as u64, &copy);
        let mut machine = boot(&profile, disk);
        assert_eq!(logged(&mut machine).len(), records, "{}", profile.name());
    }
}

#[test]
fn k05_a_full_index_file_does_not_move_the_checkpoint_ahead_of_the_queues() {
    for (profile, ahead) in [(Profile::FAITHFUL, true), (fix("K05"), false)] {
        let mut machine = boot(&profile, sim());
        machine.pass(1_500);
        for number in 0..12 {
            put(&mut machine, number);
        }
        let bytes = machine.disk.lend().get("checkpoint").unwrap();
        let logics = i64::from_be_bytes(bytes[8..16].try_into().unwrap());
        let index = i64::from_be_bytes(bytes[16..24].try_into().unwrap());
        assert!(index >= START.0, "an index file was full");
        assert_eq!(logics >= START.0, ahead, "no queue has been forced since the first put");
    }
}

#[test]
fn k06_queues_are_what_the_log_says_however_timestamps_ran() {
    // Three log files; the clock stepped back before the last, so that its first record looks older than the checkpoint.
    let course = |profile: &Profile| {
        // One index file for all: a full one would write the checkpoint.
        let mut machine = Machine::boot_as(profile, sim(), config(), clock()).unwrap();
        machine.clock.wall = Millis(START.0 + 100_000);
        for number in 0..60 {
            put(&mut machine, number);
        }
        machine.pass(70_000);
        machine.clock.wall = START;
        for number in 60..110 {
            put(&mut machine, number);
        }
        let rest = power_loss(machine, Keep::KeepAll, &mut |_| 0);
        let AnyDisk::Sim(mut disk) = rest else { panic!("a simulated disk") };
        // The units of the last minute were never forced.
        for file in disk.list("consumequeue/") {
            let first: u64 = file.name[file.name.len() - 20..].parse().unwrap();
            if first >= 400 {
                disk.remove(&file.name).unwrap();
            }
        }
        let mut machine = Machine::boot_as(profile, AnyDisk::Sim(disk), config(), clock()).unwrap();
        machine.pass(20);
        machine
    };
    let mut faithful = course(&Profile::FAITHFUL);
    assert_eq!(logged(&mut faithful).len(), 110);
    assert!(readable(&mut faithful).len() < 110, "the release begins in a file that is too late");
    let mut repaired = course(&fix("K06"));
    assert_eq!(logged(&mut repaired).len(), 110);
    assert_eq!(readable(&mut repaired).len(), 110);
}

#[test]
fn k02_a_slave_whose_log_was_cut_finds_the_keys_of_what_came_instead() {
    let written = |from: usize| {
        let mut master = boot(&Profile::FAITHFUL, sim());
        (from..from + 6).for_each(|number| put(&mut master, number));
        (master.disk.lend().get(LOG).unwrap(), master.store.log_end().0)
    };
    let slave = StoreConfig { role: Role::Slave, ..small() };
    let mut slave = Machine::boot_as(&fix("K02"), sim(), slave, clock()).unwrap_or_else(|error| panic!("{error}"));
    let (ours, end) = written(0);
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, 0, &ours[..end as usize]));
    slave.pass(20);
    assert_whole(&mut slave);
    // The master has lost all but the first two, and four others have come.
    let (theirs, end) = written(2);
    let two = 2 * message(0).record_len() as i64;
    slave.store.cut_log(slave.disk.lend(), two);
    let mut others = ours[..two as usize].to_vec();
    others.extend_from_slice(&theirs[two as usize..end as usize]);
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, two, &others[two as usize..]));
    slave.pass(20);
    assert_whole(&mut slave);
    let AnyDisk::Sim(disk) = &slave.disk else { panic!("a simulated disk") };
    assert_eq!(storage::index_recalls(Seen::of(&Image(&disk.cached_image()))), []);
}

#[test]
fn k02_a_slave_of_whose_log_nothing_is_left_follows_what_comes_instead() {
    let written = |from: usize| {
        let mut master = boot(&Profile::FAITHFUL, sim());
        (from..from + 3).for_each(|number| put(&mut master, number));
        (master.disk.lend().get(LOG).unwrap(), master.store.log_end().0)
    };
    let slave = StoreConfig { role: Role::Slave, ..small() };
    let mut slave = Machine::boot_as(&fix("K02"), sim(), slave, clock()).unwrap_or_else(|error| panic!("{error}"));
    let (ours, end) = written(0);
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, 0, &ours[..end as usize]));
    slave.pass(20);
    assert_whole(&mut slave);
    // The master has lost everything, and others have come.
    slave.store.cut_log(slave.disk.lend(), 0);
    let (theirs, end) = written(7);
    assert!(slave.store.append_data(slave.disk.lend(), slave.clock, 0, &theirs[..end as usize]));
    slave.pass(20);
    assert_whole(&mut slave);
    assert_eq!(readable(&mut slave).len(), 3);
    let AnyDisk::Sim(disk) = &slave.disk else { panic!("a simulated disk") };
    assert_eq!(storage::index_recalls(Seen::of(&Image(&disk.cached_image()))), []);
}

/// Queues of 20 units a file, and 50 units at once, once the log has been forced: one pass of the flush forces one file.
#[test]
fn k05_the_checkpoint_waits_for_every_file_of_a_queue() {
    for (repaired, ahead) in [(false, true), (true, false)] {
        let mut profile = fix("K04");
        profile.set("K05", repaired);
        let config = StoreConfig { commit_log_file_size: 1 << 20, flush_least_pages: 100, ..config() };
        let mut machine = Machine::boot_as(&profile, sim(), config, clock()).unwrap_or_else(|error| panic!("{error}"));
        let mut is_ahead = false;
        for number in 0..800 {
            assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
            machine.live(100);
            if number % 5 == 0 {
                let AnyDisk::Sim(disk) = &machine.disk else { panic!("a simulated disk") };
                is_ahead |= !storage::checkpoint_is_safe(Seen::of(&Image(&disk.stable_image()))).is_empty();
            }
        }
        assert_eq!(is_ahead, ahead, "{}", profile.name());
    }
}
