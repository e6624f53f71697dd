//! Damage in what is read beside the log: units, claims of records, index, checkpoint, settings. Upstream's numbers wrap, and
//! so do these; nothing panics.

use bytes::Bytes;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::message::QueueOffset;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::get::{GetRequest, GetStatus, Got};
use mqlab::mq::store::index::KeyQuery;
use mqlab::mq::store::outcome::{PutStatus, StoreError};
use mqlab::mq::store::record::NewMessage;
use proptest::prelude::*;

use super::machine::{AnyDisk, Machine, sim_disk};
use super::survival::{START, clock, message};

const LOG: &str = "commitlog/00000000000000000000";
const QUEUE: &str = "consumequeue/orders/0/";

/// Small files of every kind.
fn config() -> StoreConfig {
    StoreConfig { max_hash_slot_num: 10, max_index_num: 50, ..super::survival::config() }
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

fn of(topic: &str, number: usize) -> NewMessage {
    NewMessage { topic: topic.into(), queue_id: 0, ..message(number) }
}

/// A store with messages a second apart, in queue 0 of the topic that `topic` names for each.
fn filled(count: usize, topic: impl Fn(usize) -> &'static str) -> Machine {
    let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())));
    for number in 0..count {
        assert_eq!(machine.put(&of(topic(number), number)).status, PutStatus::PutOk);
        machine.clock.wall = machine.clock.wall.plus(1000);
        machine.pass(2);
    }
    machine
}

fn orders(count: usize) -> Machine {
    filled(count, |_| "orders")
}

fn get(machine: &mut Machine, offset: i64) -> Got {
    let topic = "orders".into();
    let request = GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(offset), max: 32, filter: &|_| true };
    machine.store.get(machine.disk.lend(), &request).expect("a running store answers")
}

fn remove_all(disk: &mut AnyDisk, folder: &str) {
    for info in disk.lend().list(folder) {
        disk.lend().remove(&info.name).unwrap();
    }
}

fn query(machine: &mut Machine, number: usize) -> Vec<Bytes> {
    let key = format!("order-{number:03}");
    let query = KeyQuery { topic: "orders", key: &key, max: 32, begin: 0, end: i64::MAX };
    machine.store.query_message(machine.disk.lend(), query).messages
}

#[test]
fn a_unit_that_points_beyond_all_numbers_is_passed_over() {
    for (entry, offset) in [(3, i64::MAX), (3, i64::MAX - 1), (3, i64::MIN), (63, i64::MAX - 1)] {
        let mut disk = orders(80).shut_down().0;
        let file = format!("{QUEUE}{:020}", entry / 20 * 400);
        disk.damage(&file, (entry % 20 * 20) as u64, &i64::to_be_bytes(offset));
        let mut machine = boot(disk);
        let got = get(&mut machine, entry);
        // The next file of the log would begin behind the damaged place, where that is a number at all.
        let rest = 20 - entry % 20 - 1;
        assert_eq!((got.status, got.next.0), (GetStatus::Found, entry + rest + 1), "{offset}");
        assert_eq!(got.messages.len() as i64, rest, "{offset}");
        machine.store.is_in_disk(machine.disk.lend(), "orders", 0, QueueOffset(entry));
    }
}

#[test]
fn a_first_record_that_claims_no_possible_entry_does_not_begin_its_queue() {
    for (claims, readable) in [(i64::MAX, 1), (i64::MAX / 20, 1), (-1, 1), (i64::MIN, 2), (1 << 40, 0)] {
        let mut disk = orders(1).disk.after_kill();
        disk.damage(LOG, 20, &i64::to_be_bytes(claims));
        remove_all(&mut disk, "consumequeue/");
        let mut machine = boot(disk);
        assert_eq!(machine.put(&of("orders", 1)).status, PutStatus::PutOk);
        machine.pass(100);
        assert_eq!(get(&mut machine, 0).messages.len(), readable, "{claims}");
        let mut machine = boot(machine.shut_down().0);
        assert_eq!(get(&mut machine, 0).messages.len(), readable, "{claims}, opened again");
    }
}

#[test]
fn a_key_whose_record_is_gone_does_not_answer_with_another_record() {
    let mut disk = orders(60).shut_down().0;
    assert_eq!(query(&mut boot(disk), 0).len(), 1);
    disk = orders(60).shut_down().0;
    disk.lend().remove(LOG).unwrap();
    let mut machine = boot(disk);
    assert_eq!(query(&mut machine, 0), Vec::<Bytes>::new());
    assert_eq!(query(&mut machine, 59).len(), 1, "what is there is found");
}

#[test]
fn the_first_record_that_a_key_finds_has_to_be_one() {
    let mut machine = orders(3);
    let topic_length = 88 + message(0).body.len() as u64;
    machine.disk.damage(LOG, topic_length, &[0xFF]);
    assert_eq!(query(&mut machine, 0), Vec::<Bytes>::new());
    assert_eq!(query(&mut machine, 1).len(), 1);
}

#[test]
fn the_offset_of_a_time_is_upstreams_where_the_log_has_lost_the_queue() {
    let begins = |count: usize| move |number: usize| if number < count { "early" } else { "orders" };
    for (early, expected) in [(10, 0), (25, 19)] {
        let mut disk = filled(90, begins(early)).shut_down().0;
        disk.lend().remove(LOG).unwrap();
        let mut machine = boot(disk);
        assert_eq!(machine.store.log_begin().0, 4096);
        let found = machine.store.offset_by_time(machine.disk.lend(), "early", 0, i64::MAX);
        assert_eq!(found.0, expected, "{early} messages");
        machine.store.offset_by_time(machine.disk.lend(), "early", 0, i64::MIN);
        machine.store.offset_by_time(machine.disk.lend(), "orders", 0, i64::MIN);
    }
}

#[test]
fn the_offset_of_a_time_is_zero_where_a_record_has_none() {
    let mut machine = orders(15);
    let at = |machine: &mut Machine| {
        let time = START.0 + 3_400;
        machine.store.offset_by_time(machine.disk.lend(), "orders", 0, time).0
    };
    assert_eq!(at(&mut machine), 3);
    let middle = 7 * message(0).record_len() as u64;
    machine.disk.damage(LOG, middle + 56, &i64::to_be_bytes(-5));
    assert_eq!(at(&mut machine), 0);
}

#[test]
fn the_share_of_memory_is_not_rounded_before_it_is_taken() {
    // 40 % of this are 1,999 bytes, and of its whole hundreds 1,960.
    let plan = DiskPlan { memory: 4_999, ..DiskPlan::default() };
    let mut machine = boot(AnyDisk::Sim(Box::new(SimDisk::new(&plan))));
    for number in 0..30 {
        machine.put(&of("orders", number));
        machine.pass(2);
    }
    let end = machine.store.log_end().0;
    let mut in_disk = Vec::new();
    for entry in 0..30 {
        let at = machine.store.log_offset_of(machine.disk.lend(), "orders", 0, QueueOffset(entry)).0;
        let said = machine.store.is_in_disk(machine.disk.lend(), "orders", 0, QueueOffset(entry));
        assert_eq!(said, end - at > 1_999, "{} bytes behind", end - at);
        in_disk.push(end - at);
    }
    assert!(in_disk.iter().any(|behind| (1_961..=1_999).contains(behind)), "the difference is looked at: {in_disk:?}");
}

#[test]
fn settings_with_which_no_store_can_work_are_refused_by_name() {
    type Change = fn(&mut StoreConfig);
    let cases: [(Change, &str); 8] = [
        (|config| config.max_index_num = 1, "`maxIndexNum` is 1: 2 to 107374178 is allowed"),
        (|config| config.max_index_num = -7, "`maxIndexNum` is -7: 2 to 107374178 is allowed"),
        (|config| config.max_hash_slot_num = 0, "`maxHashSlotNum` is 0: 1 to 536870891 is allowed"),
        (|config| config.max_hash_slot_num = i32::MAX, "`maxHashSlotNum` is 2147483647: 1 to 536870891 is allowed"),
        (|config| config.commit_log_file_size = 0, "`mapedFileSizeCommitLog` is 0: 8 to 2147483647 is allowed"),
        (
            |config| config.consume_queue_file_size = u64::MAX,
            "`mapedFileSizeConsumeQueue` is 9223372036854775807: 1 to 2147483640 is allowed",
        ),
        (
            |config| config.flush_interval = Default::default(),
            "`flushIntervalCommitLog` is 0: 1 to 2147483647 is allowed",
        ),
        (
            |config| config.flush_queue_interval = Default::default(),
            "`flushIntervalConsumeQueue` is 0: 1 to 2147483647 is allowed",
        ),
    ];
    for (change, said) in cases {
        let mut absurd = config();
        change(&mut absurd);
        let error = Machine::boot(AnyDisk::Sim(Box::new(sim_disk())), absurd, clock()).err().expect(said);
        assert!(matches!(error, StoreError::Setting { .. }));
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn a_transfer_count_of_zero_hands_out_one_message_at_a_time() {
    let none = StoreConfig { max_transfer_count_in_memory: 0, max_transfer_count_in_disk: 0, ..config() };
    let disk = orders(3).shut_down().0;
    let mut machine = Machine::boot(disk, none, clock()).expect("it is harmless");
    assert_eq!(get(&mut machine, 0).messages.len(), 1);
}

#[test]
fn a_name_behind_which_no_file_can_end_is_refused() {
    let mut disk = orders(1).shut_down().0;
    let name = format!("{QUEUE}{}", i64::MAX - 5);
    disk.lend().open(&name, 400).unwrap();
    let error = Machine::boot(disk, config(), clock()).err().expect("refused");
    assert_eq!(error, StoreError::FileName { file: name });
}

/// Numbers that damage likes, and any.
pub(super) fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        any::<[u8; 8]>(),
        prop::sample::select(vec![0, 1, -1, i64::MIN, i64::MAX, i64::MAX - 1, i64::MAX / 20, i64::from(i32::MIN) - 1])
            .prop_map(i64::to_be_bytes),
        prop::sample::select(vec![0x00u8, 0x7F, 0x80, 0xFF]).prop_map(|byte| [byte; 8]),
    ];
    prop::collection::vec(number, 1..max).prop_map(|numbers| numbers.concat())
}

/// Everything that reads or writes beside the log, then a clean stop and another start.
fn exercise(disk: AnyDisk, time: i64) {
    exercise_with(disk, time, &config());
}

/// The same with other settings.
pub(super) fn exercise_with(disk: AnyDisk, time: i64, config: &StoreConfig) {
    let mut machine = boot_with(disk, config.clone());
    for turn in 0..2 {
        let (min, max) = {
            let got = get(&mut machine, 0);
            (got.min.0, got.max.0)
        };
        for offset in [i64::MIN, -1, 0, 1, 19, 20, 21, 39, 40, 59, min, max - 1, max, max + 1, time, i64::MAX] {
            get(&mut machine, offset);
            machine.store.store_time_of(machine.disk.lend(), "orders", 0, QueueOffset(offset));
            machine.store.is_in_disk(machine.disk.lend(), "orders", 0, QueueOffset(offset));
            machine.store.log_offset_of(machine.disk.lend(), "orders", 0, QueueOffset(offset));
            machine.store.offset_by_time(machine.disk.lend(), "orders", 0, offset);
        }
        for number in (0..60).step_by(7) {
            query(&mut machine, number);
        }
        for number in 60..75 {
            machine.put(&of("orders", number));
            machine.pass(2);
        }
        machine.store.trim_index(machine.disk.lend());
        if turn == 0 {
            machine = boot_with(machine.shut_down().0, config.clone());
        }
    }
    machine.pass(70_000);
    machine.shut_down();
}

/// Damages the file `number` of a folder, counted round, at `at` of its bytes, counted round.
pub(super) fn scatter(disk: &mut AnyDisk, folder: &str, number: usize, at: usize, bytes: &[u8]) {
    let files = disk.lend().list(folder);
    let file = &files[number % files.len()];
    let at = at % file.len as usize;
    let fit = bytes.len().min(file.len as usize - at);
    disk.damage(&file.name, at as u64, &bytes[..fit]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_in_queue_files_panic(
        hits in prop::collection::vec((0usize..9, 0usize..400, bytes(4)), 1..6),
        time in any::<i64>(),
        killed in any::<bool>(),
    ) {
        let machine = orders(60);
        let mut disk = if killed { machine.disk.after_kill() } else { machine.shut_down().0 };
        for (number, at, bytes) in hits {
            scatter(&mut disk, QUEUE, number, at, &bytes);
        }
        exercise(disk, time);
    }

    #[test]
    fn no_bytes_in_index_files_panic(
        hits in prop::collection::vec((0usize..9, prop_oneof![0usize..80, 0usize..1080], bytes(6)), 1..6),
        killed in any::<bool>(),
    ) {
        let machine = orders(60);
        let mut disk = if killed { machine.disk.after_kill() } else { machine.shut_down().0 };
        for (number, at, bytes) in hits {
            scatter(&mut disk, "index/", number, at, &bytes);
        }
        exercise(disk, 0);
    }

    #[test]
    fn no_bytes_in_the_checkpoint_panic(at in 0usize..40, bytes in bytes(5), killed in any::<bool>()) {
        let machine = orders(60);
        let mut disk = if killed { machine.disk.after_kill() } else { machine.shut_down().0 };
        scatter(&mut disk, "checkpoint", 0, at, &bytes);
        exercise(disk, 0);
    }

    #[test]
    fn no_claims_of_records_panic(
        claims in prop::collection::vec((0u64..60, bytes(2)), 1..4),
        keeps_queues in any::<bool>(),
        removes_first in any::<bool>(),
    ) {
        let mut disk = orders(60).disk.after_kill();
        let size = message(0).record_len() as u64;
        let per_file = (4096 - 8) / size;
        for (number, claimed) in claims {
            let (file, within) = (number / per_file * 4096, number % per_file * size);
            disk.damage(&format!("commitlog/{file:020}"), within + 20, &claimed);
        }
        if !keeps_queues {
            remove_all(&mut disk, "consumequeue/");
        }
        if removes_first {
            disk.lend().remove(LOG).unwrap();
        }
        exercise(disk, 0);
    }
}
