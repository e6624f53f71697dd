//! What is left after damage, death and darkness: always a prefix, never a panic, and nothing acked that a kill may not take.

use mqlab::lab::fault::episode::Keep;
use mqlab::mq::disk::{Burnt, Disk};
use mqlab::mq::message::record::MAGIC;
use mqlab::mq::message::{Host, PhysicalOffset, QueueOffset};
use mqlab::mq::store::Clock;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::get::{GetRequest, GetStatus};
use mqlab::mq::store::outcome::PutStatus;
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::time::{Millis, Time};
use proptest::prelude::*;

use super::machine::{AnyDisk, KINDS, Kind, Machine, sim_disk};

pub(super) const START: Millis = Millis(1_541_865_600_000);

pub(super) fn config() -> StoreConfig {
    StoreConfig { commit_log_file_size: 4096, consume_queue_file_size: 400, ..StoreConfig::default() }
}

pub(super) fn clock() -> Clock {
    Clock { wall: START, mono: Time::ZERO }
}

pub(super) fn message(number: usize) -> NewMessage {
    let host = Host { ip: 0x0A00_0001, port: 10_911 };
    NewMessage {
        topic: "orders".into(),
        queue_id: (number % 2) as i32,
        flag: 0,
        sys_flag: 0,
        born_timestamp: START,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: format!("body of message {number:03}").into_bytes().into(),
        properties: format!("KEYS\u{1}order-{number:03}\u{2}TAGS\u{1}pay\u{2}").into(),
        map: None,
    }
}

fn boot(disk: AnyDisk) -> Machine {
    boot_with(disk, config())
}

fn boot_with(disk: AnyDisk, config: StoreConfig) -> Machine {
    match Machine::boot(disk, config, clock()) {
        Ok(machine) => machine,
        Err(error) => panic!("{error}"),
    }
}

/// Every body that can be read through the consume queues, in order of queue and entry.
pub(super) fn readable(machine: &mut Machine) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    for queue_id in 0..2 {
        let mut offset = QueueOffset(0);
        loop {
            let topic = "orders".into();
            let request = GetRequest { topic: &topic, queue_id, offset, max: 32, filter: &|_| true };
            let got = machine.store.get(machine.disk.lend(), &request).expect("a running store answers");
            if got.status != GetStatus::Found {
                break;
            }
            // An all-zero queue file keeps one bogus unit after a truncation, which reads as an empty record: upstream's quirk.
            bodies.extend(got.messages.iter().filter(|record| !record.is_empty()).map(|record| {
                let length = i32::from_be_bytes(record[84..88].try_into().unwrap()) as usize;
                record[88..88 + length].to_vec()
            }));
            offset = got.next;
        }
    }
    bodies.sort();
    bodies
}

/// Every body in the commit log, in order: what no consume queue can hide.
pub(super) fn logged(machine: &mut Machine) -> Vec<Vec<u8>> {
    let (mut bodies, mut at) = (Vec::new(), 0);
    while at < machine.store.log_end().0 {
        let record =
            machine.store.look(machine.disk.lend(), PhysicalOffset(at)).expect("the log is whole up to its end");
        let field = |at: usize| i32::from_be_bytes(record[at..at + 4].try_into().unwrap());
        if field(4) == MAGIC {
            bodies.push(record[88..88 + field(84) as usize].to_vec());
        }
        at += i64::from(field(0));
    }
    bodies
}

fn bodies(count: usize) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = (0..count).map(|number| message(number).body.to_vec()).collect();
    bodies.sort();
    bodies
}

/// A folder with `count` messages, left by a killed process, and where its last record lies.
fn written(kind: Kind, folder: &tempfile::TempDir, count: usize) -> (AnyDisk, u64, u64) {
    let mut machine = boot(AnyDisk::new(kind, folder.path().to_owned()));
    for number in 0..count {
        assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
        machine.pass(2);
    }
    let end = machine.store.log_end().0 as u64;
    let size = message(count - 1).record_len() as u64;
    (machine.disk.after_kill(), end - size, end)
}

#[test]
fn a_log_truncated_at_any_byte_of_its_last_record_recovers_to_the_records_before() {
    for kind in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let (mut disk, start, end) = written(kind, &folder, 5);
        let whole = disk.lend().get("commitlog/00000000000000000000").unwrap();
        for cut in start..end {
            let zeros = vec![0; (end - cut) as usize];
            disk.damage("commitlog/00000000000000000000", cut, &zeros);
            let mut machine = boot(disk);
            let found = readable(&mut machine);
            // A record cut inside its properties still adds up: the CRC covers the body alone.
            let bodies_end = start + 88 + message(4).body.len() as u64;
            assert!(found == bodies(4) || (cut > bodies_end && found == bodies(5)), "{kind:?}, cut at {cut}");
            disk = machine.disk.after_kill();
            disk.damage("commitlog/00000000000000000000", start, &whole[start as usize..end as usize]);
        }
    }
}

#[test]
fn a_file_shortened_on_the_real_disk_is_left_alone_and_never_panics() {
    for length in [0, 1, 87, 500, 4095] {
        let folder = tempfile::tempdir().unwrap();
        let (disk, _, _) = written(Kind::Mmap, &folder, 5);
        drop(disk);
        let path = folder.path().join("commitlog/00000000000000000000");
        std::fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let mut machine = boot(AnyDisk::new(Kind::Mmap, folder.path().to_owned()));
        assert_eq!(readable(&mut machine), bodies(0), "a file of {length} bytes is not loaded");
        assert_eq!(machine.store.log_end().0, 0);
    }
}

#[test]
fn one_flipped_bit_in_any_field_recovers_to_a_prefix() {
    let fields = [0, 4, 8, 12, 16, 20, 28, 36, 40, 48, 56, 64, 72, 76, 84, 88, 110, 111, 118, 120];
    for kind in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let (mut disk, start, end) = written(kind, &folder, 5);
        let whole = disk.lend().get("commitlog/00000000000000000000").unwrap();
        for field in fields {
            for bit in 0..8 {
                let at = start + field;
                assert!(at < end);
                disk.damage("commitlog/00000000000000000000", at, &[whole[at as usize] ^ (1 << bit)]);
                let mut machine = boot(disk);
                let found = readable(&mut machine);
                let prefix = found.len() >= 4 && bodies(4).iter().all(|body| found.contains(body));
                assert!(prefix, "{kind:?}, field at {field}, bit {bit}: {} messages", found.len());
                disk = machine.disk.after_kill();
                disk.damage("commitlog/00000000000000000000", start, &whole[start as usize..end as usize]);
            }
        }
    }
}

#[test]
fn a_size_beyond_every_bound_is_a_bad_record() {
    for size in [i32::MAX, i32::MIN, -1, 0, 1, 90] {
        let folder = tempfile::tempdir().unwrap();
        let (mut disk, start, _) = written(Kind::Sim, &folder, 5);
        disk.damage("commitlog/00000000000000000000", start, &size.to_be_bytes());
        assert_eq!(readable(&mut boot(disk)), bodies(4), "size {size}");
    }
}

#[test]
fn a_process_killed_at_any_disk_operation_boots_again_and_keeps_what_was_acked() {
    let mut operation = 0;
    loop {
        let (disk, acked, died) = run_until_fuse(operation);
        let mut machine = boot(AnyDisk::Sim(Box::new(disk)));
        machine.pass(10);
        let found = readable(&mut machine);
        for body in &acked {
            assert!(found.contains(body), "killed at operation {operation}: {} is lost", String::from_utf8_lossy(body));
        }
        if !died {
            assert_eq!(acked.len(), 50);
            break;
        }
        operation += 1;
    }
    assert!(operation > 100, "50 puts are more than {operation} operations");
}

#[test]
fn a_kill_inside_recovery_is_survived_too() {
    let folder = tempfile::tempdir().unwrap();
    let (disk, _, _) = written(Kind::Sim, &folder, 30);
    let AnyDisk::Sim(mut before) = disk else { panic!("a simulated disk") };
    // Without queues recovery writes them anew: many operations to die at.
    for info in before.list("consumequeue/") {
        before.remove(&info.name).unwrap();
    }
    for operation in 0.. {
        let mut disk = before.clone();
        disk.set_fuse(Some(operation));
        let died = catch(|| boot(AnyDisk::Sim(disk.clone())).disk);
        let left = match died {
            Ok(disk) => disk.after_kill(),
            Err(()) => AnyDisk::Sim(before_fuse(&before, operation)),
        };
        let mut machine = boot(left);
        assert_eq!(readable(&mut machine), bodies(30), "killed at operation {operation} of recovery");
        if died_not(&before, operation) {
            return;
        }
    }
}

/// The disk as a boot left it that died at `operation`.
fn before_fuse(before: &mqlab::lab::sim::disk::SimDisk, operation: u64) -> Box<mqlab::lab::sim::disk::SimDisk> {
    let mut disk = Box::new(before.clone());
    disk.set_fuse(Some(operation));
    let lent: &mut dyn Disk = disk.as_mut();
    let _ =
        catch(|| mqlab::mq::store::MessageStore::open(config(), mqlab::mq::profile::Profile::FAITHFUL, lent, clock()));
    disk.kill();
    disk
}

fn died_not(before: &mqlab::lab::sim::disk::SimDisk, operation: u64) -> bool {
    let mut disk = before.clone();
    disk.set_fuse(Some(operation));
    catch(|| mqlab::mq::store::MessageStore::open(config(), mqlab::mq::profile::Profile::FAITHFUL, &mut disk, clock()))
        .is_ok()
}

/// Puts fifty messages on a disk whose fuse burns at `operation`: what is left, what was acked, whether it burnt.
fn run_until_fuse(operation: u64) -> (mqlab::lab::sim::disk::SimDisk, Vec<Vec<u8>>, bool) {
    let mut disk = sim_disk();
    disk.set_fuse(Some(operation));
    let mut acked = Vec::new();
    let death = catch(|| {
        let lent: &mut dyn Disk = &mut disk;
        let mut store =
            mqlab::mq::store::MessageStore::open(config(), mqlab::mq::profile::Profile::FAITHFUL, lent, clock())
                .unwrap();
        for number in 0..50 {
            let put = store.put(lent, clock(), &message(number));
            assert_eq!(put.status, PutStatus::PutOk);
            acked.push(message(number).body.to_vec());
            store.fired(lent, clock(), mqlab::mq::store::Service::Reput);
        }
    });
    disk.kill();
    (disk, acked, death.is_err())
}

/// Runs to the end, or to the fuse; any other panic goes on.
fn catch<T>(run: impl FnOnce() -> T) -> Result<T, ()> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(|panic| match panic.downcast::<Burnt>() {
        Ok(_) => (),
        Err(other) => std::panic::resume_unwind(other),
    })
}

#[test]
fn a_sync_flush_survives_a_power_loss_and_an_async_one_does_not() {
    for sync_flush in [true, false] {
        let config = StoreConfig { sync_flush, ..config() };
        let mut machine = boot_with(AnyDisk::Sim(Box::new(sim_disk())), config.clone());
        // The real-time flush's first turn is thorough and would force the first message.
        machine.pass(600);
        let mut acked = 0;
        for number in 0..5 {
            let put = machine.put(&message(number));
            machine.answer();
            let status = put.waits.map_or(put.status, |request| machine.done[&request]);
            acked += usize::from(status == PutStatus::PutOk);
        }
        assert_eq!(acked, 5);
        let AnyDisk::Sim(mut disk) = machine.disk else { panic!("a simulated disk") };
        disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
        let mut machine = boot_with(AnyDisk::Sim(disk), config);
        assert_eq!(readable(&mut machine).len(), if sync_flush { 5 } else { 0 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, the log is a prefix of what was put that reaches what was flushed.
    ///
    /// It is the log that is looked at: stale queue units can hide a record or show it twice, as upstream.
    #[test]
    fn any_course_of_puts_waits_kills_and_power_losses_leaves_a_prefix(
        course in prop::collection::vec((0u8..10, 1u64..800), 1..60),
        draws in prop::collection::vec(0u64..8, 64),
    ) {
        let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())));
        let (mut log, mut draw): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
        let mut number = 0;
        // Recovery takes what it can read for flushed, as upstream; the page cache of a killed process is not.
        let mut surely_durable = i64::MAX;
        for (what, millis) in course {
            match what {
                0..=6 => {
                    prop_assert_eq!(machine.put(&message(number)).status, PutStatus::PutOk);
                    log.push(message(number).body.to_vec());
                    number += 1;
                }
                7 => machine.pass(millis),
                8 => {
                    surely_durable = surely_durable.min(machine.store.flushed().0);
                    machine = boot(machine.disk.after_kill());
                }
                _ => {
                    let flushed = machine.store.flushed().0.min(surely_durable);
                    surely_durable = i64::MAX;
                    let AnyDisk::Sim(mut disk) = machine.disk else { panic!("a simulated disk") };
                    disk.power_loss(Keep::LoseAllUnsynced, &mut |below| { draw += 1; draws[draw % 64] % below });
                    machine = boot(AnyDisk::Sim(disk));
                    // Forces are whole pages: what lay behind the flushed position on its page may ride along.
                    prop_assert!(machine.store.log_end().0 >= flushed);
                    let found = logged(&mut machine);
                    prop_assert_eq!(&log[..found.len()], &found[..], "what is left is a prefix");
                    log.truncate(found.len());
                }
            }
        }
        prop_assert_eq!(logged(&mut machine), log);
    }
}
