//! What readers ask beside messages: filters at two stages, the extension behind the first, the earliest times.

use std::cell::RefCell;

use mqlab::lab::fault::episode::Keep;
use mqlab::mq::message::{QueueOffset, java};
use mqlab::mq::store::config::{Role, StoreConfig};
use mqlab::mq::store::consume_queue_ext::ExtUnit;
use mqlab::mq::store::get::{GetRequest, GetStatus, Got, MessageFilter};
use mqlab::mq::store::outcome::PutStatus;
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::reput::BitMaps;
use proptest::prelude::*;

use super::damage::{bytes, exercise_with, scatter};
use super::machine::{AnyDisk, Machine, sim_disk};
use super::survival::{START, clock, message};

const LOG: &str = "commitlog/00000000000000000000";
const QUEUE: &str = "consumequeue/orders/0/00000000000000000000";
const EXT: &str = "consumequeue_ext/orders/0/";

/// Two units fit a file of the extension, and leave room for a mark.
fn extended() -> StoreConfig {
    StoreConfig { enable_consume_queue_ext: true, consume_queue_ext_file_size: 50, ..super::survival::config() }
}

fn boot(disk: AnyDisk, config: &StoreConfig) -> Machine {
    match Machine::boot(disk, config.clone(), clock()) {
        Ok(machine) => machine,
        Err(error) => panic!("{error}"),
    }
}

fn put(machine: &mut Machine, number: usize) {
    let message = NewMessage { queue_id: 0, ..message(number) };
    assert_eq!(machine.put(&message).status, PutStatus::PutOk);
    machine.clock.wall = machine.clock.wall.plus(1000);
    machine.pass(2);
}

fn filled(count: usize, config: &StoreConfig) -> Machine {
    let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())), config);
    (0..count).for_each(|number| put(&mut machine, number));
    machine
}

fn read(machine: &mut Machine, filter: &dyn MessageFilter) -> Got {
    let topic = "orders".into();
    let request = GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(0), max: 32, filter };
    machine.store.get(machine.disk.lend(), &request).expect("a running store answers")
}

/// Notes what the first stage is told, and asks the second for a text in the record.
#[derive(Default)]
struct Asks {
    told: RefCell<Vec<(Option<i64>, Option<ExtUnit>)>>,
    text: &'static str,
}

impl MessageFilter for Asks {
    fn is_matched_by_consume_queue(&self, tags_code: Option<i64>, beside: Option<&ExtUnit>) -> bool {
        self.told.borrow_mut().push((tags_code, beside.cloned()));
        true
    }

    fn is_matched_by_commit_log(&self, record: &[u8]) -> bool {
        String::from_utf8_lossy(record).contains(self.text)
    }
}

fn told(machine: &mut Machine) -> Vec<(Option<i64>, Option<ExtUnit>)> {
    let asks = Asks::default();
    read(machine, &asks);
    asks.told.into_inner()
}

/// The last number of each unit in the queue's first file.
fn addresses(machine: &mut Machine, count: usize) -> Vec<i64> {
    let disk = machine.disk.lend();
    let file = disk.open(QUEUE, 400).unwrap();
    let unit = |number: usize| {
        let at = number as u64 * 20 + 12;
        i64::from_be_bytes(disk.bytes(file, at..at + 8).try_into().unwrap()).wrapping_sub(i64::MIN)
    };
    (0..count).map(unit).collect()
}

fn ext_files(machine: &mut Machine) -> Vec<String> {
    machine
        .disk
        .lend()
        .list(EXT)
        .into_iter()
        .map(|info| info.name[EXT.len()..].trim_start_matches('0').into())
        .collect()
}

fn tag() -> i64 {
    i64::from(java::hash("pay"))
}

#[test]
fn without_its_switch_there_is_no_extension() {
    let mut machine = filled(2, &super::survival::config());
    assert_eq!(told(&mut machine), [(Some(tag()), None), (Some(tag()), None)]);
    assert!(machine.disk.lend().list("consumequeue_ext/").is_empty());
}

#[test]
fn units_point_into_the_extension_and_files_of_it_end_with_a_mark() {
    let mut machine = filled(5, &extended());
    let beside = |number: i64| ExtUnit { tags_code: tag(), store_time: START.0 + number * 1000, bit_map: Vec::new() };
    let expected: Vec<_> = (0..5).map(|number| (Some(tag()), Some(beside(number)))).collect();
    assert_eq!(told(&mut machine), expected);
    assert_eq!(addresses(&mut machine, 5), [0, 20, 50, 70, 100]);
    assert_eq!(ext_files(&mut machine), ["", "50", "100"]);
    let file = machine.disk.lend().open(&format!("{EXT}{:020}", 0), 50).unwrap();
    assert_eq!(machine.disk.lend().bytes(file, 38..44), [0, 0, 0xFF, 0xFF, 0, 0]);
    assert_eq!(read(&mut machine, &|code: i64| code == tag()).messages.len(), 5, "a tag is found behind an address");
    assert_eq!(read(&mut machine, &|code: i64| code != tag()).status, GetStatus::NoMatchedMessage);
}

#[test]
fn an_extension_goes_on_behind_its_last_unit_after_a_start() {
    let disk = filled(3, &extended()).shut_down().0;
    let mut machine = boot(disk, &extended());
    put(&mut machine, 3);
    assert_eq!(addresses(&mut machine, 4), [0, 20, 50, 70]);
    assert_eq!(told(&mut machine).iter().filter(|(_, beside)| beside.is_some()).count(), 4);
}

#[test]
fn an_extension_is_cut_behind_the_last_address_of_its_queue() {
    let mut disk = filled(4, &extended()).shut_down().0;
    // The last two units are gone: the extension goes back to the second one's end.
    disk.damage(QUEUE, 40, &[0; 40]);
    let mut machine = boot(disk, &extended());
    assert_eq!(ext_files(&mut machine), [""]);
    put(&mut machine, 4);
    put(&mut machine, 5);
    assert_eq!(addresses(&mut machine, 4), [0, 20, 50, 70], "a mark again, and a file behind it");
}

#[test]
fn an_extension_loses_the_files_before_the_first_address_of_its_queue() {
    let mut disk = filled(60, &extended()).shut_down().0;
    disk.lend().remove(LOG).unwrap();
    // So that the first entry that the log still holds lies in the queue's first file.
    disk.lend().remove(QUEUE).unwrap();
    let mut machine = boot(disk, &extended());
    let first = machine.store.min_queue_offset("orders", 0).0;
    assert!(first > 20, "{first}");
    // Two units a file: the first one left ends at or behind the place of the first valid unit.
    let place = first / 2 * 50 + first % 2 * 20;
    let oldest: i64 = ext_files(&mut machine)[0].parse().unwrap();
    assert!(oldest + 50 >= place && oldest < place, "{oldest} for {place}");
}

#[test]
fn a_unit_that_the_extension_has_lost_passes_by_tag_and_says_nothing() {
    let mut machine = filled(2, &extended());
    machine.disk.damage(&format!("{EXT}{:020}", 0), 20, &[0, 0]);
    let told = told(&mut machine);
    assert!(told[0].1.is_some());
    assert_eq!(told[1], (None, None));
    assert_eq!(read(&mut machine, &|_: i64| false).status, GetStatus::Found, "upstream lets it pass");
}

#[test]
fn an_extension_is_forced_with_its_queue() {
    let mut machine = filled(3, &extended());
    machine.pass(130_000);
    let AnyDisk::Sim(mut disk) = machine.disk else { panic!("a simulated disk") };
    disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
    let mut machine = boot(AnyDisk::Sim(disk), &extended());
    assert_eq!(told(&mut machine).iter().filter(|(_, beside)| beside.is_some()).count(), 3);
}

#[test]
fn a_delayed_message_waits_behind_an_address_too() {
    for lost in [false, true] {
        let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())), &extended());
        let properties = "DELAY\u{1}1\u{2}".into();
        machine.put(&NewMessage { queue_id: 0, properties, ..message(0) });
        let wait = |machine: &mut Machine, tenths: usize| {
            for _ in 0..tenths {
                machine.clock.wall = machine.clock.wall.plus(100);
                machine.pass(100);
            }
        };
        wait(&mut machine, 5);
        assert_eq!(machine.store.max_queue_offset("orders", 0).0, 0, "not yet");
        if lost {
            machine.disk.damage("consumequeue_ext/SCHEDULE_TOPIC_XXXX/0/00000000000000000000", 0, &[0, 0]);
        }
        assert_eq!(machine.store.max_queue_offset("SCHEDULE_TOPIC_XXXX", 0).0, 1);
        wait(&mut machine, 50);
        assert_eq!(machine.store.max_queue_offset("orders", 0).0, 1, "lost: {lost}");
    }
}

#[test]
fn the_second_stage_is_asked_with_the_records_bytes() {
    let mut machine = filled(12, &super::survival::config());
    let got = read(&mut machine, &Asks { text: "message 01", ..Asks::default() });
    assert_eq!((got.status, got.messages.len(), got.next.0), (GetStatus::Found, 2, 12));
    let got = read(&mut machine, &Asks { text: "nowhere", ..Asks::default() });
    assert_eq!((got.status, got.messages.len(), got.next.0), (GetStatus::NoMatchedMessage, 0, 12));
    assert_eq!(got.size, 0);
}

/// Of each record its length, in a byte.
#[derive(Debug)]
struct Lengths;

impl BitMaps for Lengths {
    fn bit_map(&self, topic: &str, record: &[u8]) -> Vec<u8> {
        assert_eq!(topic, "orders");
        vec![record.len() as u8]
    }
}

#[test]
fn a_bit_map_lies_beside_the_units_put_since_it_was_asked_for() {
    let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())), &extended());
    put(&mut machine, 0);
    machine.store.calc_bit_maps(std::sync::Arc::new(Lengths));
    put(&mut machine, 1);
    let lengths = read(&mut machine, &Asks::default()).messages.iter().map(|one| one.len() as u8).collect::<Vec<_>>();
    let maps: Vec<_> = told(&mut machine).into_iter().map(|(_, beside)| beside.map(|unit| unit.bit_map)).collect();
    assert_eq!(maps, [Some(vec![]), Some(vec![lengths[1]])]);
}

#[test]
fn the_earliest_time_wants_twice_the_longest_message_in_the_first_file() {
    let config = StoreConfig { max_message_size: 400, ..super::survival::config() };
    let mut machine = boot(AnyDisk::Sim(Box::new(sim_disk())), &config);
    assert_eq!(machine.store.earliest_time(machine.disk.lend()), -1);
    assert_eq!(machine.store.earliest_time_of(machine.disk.lend(), "orders", 0), -1);
    for number in 0..10 {
        put(&mut machine, number);
        let expected = if machine.store.log_end().0 < 800 { -1 } else { START.0 };
        assert_eq!(machine.store.earliest_time(machine.disk.lend()), expected, "{number}");
        assert_eq!(machine.store.earliest_time_of(machine.disk.lend(), "orders", 0), START.0);
    }
    assert!(machine.store.log_end().0 > 800);
}

/// Where a reader who asks at `offset` is sent, by a store of that role.
fn sent_to(config: &StoreConfig, offset: i64) -> (GetStatus, i64) {
    let AnyDisk::Sim(mut disk) = filled(3, &super::survival::config()).disk else { panic!("a simulated disk") };
    disk.kill();
    let mut machine = boot(AnyDisk::Sim(disk), config);
    let topic = "orders".into();
    let filter = &|_: i64| true;
    let request = GetRequest { topic: &topic, queue_id: 0, offset: QueueOffset(offset), max: 32, filter };
    let got = machine.store.get(machine.disk.lend(), &request).expect("a running store answers");
    (got.status, got.next.0)
}

#[test]
fn a_slave_sends_nobody_elsewhere_unless_it_is_told_to_check() {
    let master = super::survival::config();
    let slave = StoreConfig { role: Role::Slave, ..master.clone() };
    let checking = StoreConfig { offset_check_in_slave: true, ..slave.clone() };
    for (config, sent) in [(&master, 0), (&slave, 9), (&checking, 0)] {
        assert_eq!(sent_to(config, 9), (GetStatus::OffsetOverflowBadly, sent), "{:?}", config.role);
        assert_eq!(sent_to(config, 3), (GetStatus::OffsetOverflowOne, 3));
    }
    for (config, sent) in [(&master, 0), (&slave, -2), (&checking, 0)] {
        assert_eq!(sent_to(config, -2), (GetStatus::OffsetTooSmall, sent), "{:?}", config.role);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_in_extension_files_panic(
        hits in prop::collection::vec((0usize..40, 0usize..50, bytes(3)), 1..6),
        cut in any::<bool>(),
        killed in any::<bool>(),
    ) {
        let machine = filled(60, &extended());
        let mut disk = if killed { machine.disk.after_kill() } else { machine.shut_down().0 };
        for (number, at, bytes) in hits {
            scatter(&mut disk, EXT, number, at, &bytes);
        }
        if cut {
            scatter(&mut disk, "consumequeue/orders/0/", 2, 13, &[0; 80]);
        }
        exercise_with(disk, 0, &extended());
    }
}
