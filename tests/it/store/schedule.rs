//! Delayed messages: when they come out, what a restart, a clock or a refusal does to them, and the repairs.

use mqlab::lab::fault::episode::Keep;
use mqlab::mq::disk::Disk;
use mqlab::mq::message::QueueOffset;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::{Role, StoreConfig};
use mqlab::mq::store::delay::SCHEDULE_TOPIC;
use mqlab::mq::store::delay_offset::{self, DelayOffsets};
use mqlab::mq::store::get::GetRequest;
use mqlab::mq::store::outcome::{News, PutStatus, StoreError};
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::schedule::DELIVERIES_MAX;
use mqlab::mq::store::{Clock, Flag};
use mqlab::mq::time::{Millis, Span};

use super::machine::{AnyDisk, KINDS, Machine, sim_disk};
use super::survival::{START, clock, config, message};

/// A message that asks to be delayed.
fn delayed(number: usize, level: i32) -> NewMessage {
    let message = message(number);
    NewMessage { properties: format!("{}DELAY\u{1}{level}\u{2}", message.properties).into(), ..message }
}

fn boot(profile: &Profile, disk: AnyDisk, config: StoreConfig, clock: Clock) -> Machine {
    Machine::boot_as(profile, disk, config, clock).unwrap_or_else(|error| panic!("{error}"))
}

fn sim() -> AnyDisk {
    AnyDisk::Sim(Box::new(sim_disk()))
}

fn fix(row: &str) -> Profile {
    Profile::with_fix(row).expect("the row has a switch")
}

fn put(machine: &mut Machine, message: &NewMessage) {
    assert_eq!(machine.put(message).status, PutStatus::PutOk);
}

/// Level, entry and moment in ms since the start of everything delivered.
fn delivered(machine: &Machine) -> Vec<(i32, i64, i64)> {
    let of = |news: &News| match news {
        News::Delivered { level, offset, landed, .. } => Some((*level, *offset, landed.store_timestamp.since(START))),
        _ => None,
    };
    machine.news.iter().filter_map(of).collect()
}

/// What was dropped or refused: `dropped` or `refused`, level, entry and reason.
fn troubles(machine: &Machine) -> Vec<(&'static str, i32, i64, &'static str)> {
    let of = |news: &News| match *news {
        News::DelayedSkipped { level, offset, why } => Some(("dropped", level, offset, why)),
        News::DelayedRefused { level, offset, why } => Some(("refused", level, offset, why)),
        _ => None,
    };
    machine.news.iter().filter_map(of).collect()
}

/// The bodies in a queue of the topic, copies included.
fn bodies(machine: &mut Machine, queue_id: i32) -> Vec<String> {
    let topic = "orders".into();
    let request = GetRequest { topic: &topic, queue_id, offset: QueueOffset(0), max: 32, filter: &|_| true };
    let got = machine.store.get(machine.disk.lend(), &request).unwrap();
    let body = |record: &bytes::Bytes| {
        let length = i32::from_be_bytes(record[84..88].try_into().unwrap()) as usize;
        String::from_utf8_lossy(&record[88..88 + length]).into_owned()
    };
    got.messages.iter().map(body).collect()
}

fn cursors(machine: &mut Machine) -> Option<String> {
    let bytes = machine.disk.lend().get(delay_offset::FILE).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace(['\n', '\t'], ""))
}

/// The machine after a kill, with the same wall clock going on.
fn restarted(machine: Machine, profile: &Profile) -> Machine {
    let clock = machine.clock;
    let config = machine.store.config().clone();
    boot(profile, machine.disk.after_kill(), config, clock)
}

#[test]
fn each_level_delivers_when_its_time_is_over_on_both_disks() {
    for kind in KINDS {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = boot(&Profile::FAITHFUL, AnyDisk::new(kind, folder.path().to_owned()), config(), clock());
        machine.live(1_250);
        put(&mut machine, &delayed(1, 2));
        machine.live(730);
        put(&mut machine, &delayed(2, 1));
        put(&mut machine, &delayed(3, 99));
        machine.live(11_000);
        // Level 1 had gone round every 100 ms since 1 s, level 2 since then, too: each runs at the moment itself.
        assert_eq!(delivered(&machine), [(1, 0, 2_980), (2, 0, 6_250)]);
        assert_eq!(bodies(&mut machine, 1), ["body of message 001"]);
        assert_eq!(bodies(&mut machine, 0), ["body of message 002"]);
        assert_eq!(machine.store.max_queue_offset(SCHEDULE_TOPIC, 17).0, 1, "level 99 is the highest, two hours");
        machine.live(2 * 3_600_000);
        assert_eq!(delivered(&machine)[2], (18, 0, 1_980 + 7_200_000));
    }
}

#[test]
fn what_was_due_long_ago_comes_out_at_the_first_run_in_order_and_over_file_borders() {
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    for number in 0..50 {
        put(&mut machine, &delayed(number, 1));
    }
    machine.live(20);
    let mut machine = restarted(machine, &Profile::FAITHFUL);
    machine.live(60_000);
    let begun = machine.clock.wall.since(START) - 60_000;
    // A queue file has 20 units; each further one is looked at a round later.
    let expected: Vec<(i32, i64, i64)> = (0..50).map(|entry| (1, entry, begun + 1_000 + entry / 20 * 100)).collect();
    assert_eq!(delivered(&machine), expected);
}

#[test]
fn a_stretch_longer_than_a_run_may_be_comes_out_at_one_moment() {
    let large = StoreConfig { commit_log_file_size: 1 << 20, consume_queue_file_size: 40_000, ..config() };
    let mut machine = boot(&Profile::FAITHFUL, sim(), large, clock());
    let count = DELIVERIES_MAX as usize + 5;
    (0..count).for_each(|number| put(&mut machine, &delayed(number, 1)));
    machine.live(1_500);
    let moments: Vec<i64> = delivered(&machine).iter().map(|(_, _, at)| *at).collect();
    assert_eq!(moments, vec![1_000; count]);
}

#[test]
fn a_restart_delivers_again_from_the_cursor_in_the_file() {
    for (row, again) in [("", vec![1, 2]), ("K24", vec![])] {
        let profile = if row.is_empty() { Profile::FAITHFUL } else { fix(row) };
        let mut machine = boot(&profile, sim(), config(), clock());
        put(&mut machine, &delayed(1, 1));
        machine.live(9_000);
        assert_eq!(cursors(&mut machine), None, "nothing is written in the first 10 s");
        machine.live(1_000);
        assert_eq!(cursors(&mut machine).as_deref(), Some("{\"offsetTable\":{1:1}}"));
        put(&mut machine, &delayed(2, 1));
        put(&mut machine, &delayed(3, 1));
        machine.live(5_000);
        assert_eq!(delivered(&machine).len(), 3);
        let (clock, config) = (machine.clock, machine.store.config().clone());
        let (disk, _) = machine.shut_down();
        let mut machine = boot(&profile, disk, config, clock);
        machine.live(5_000);
        let entries: Vec<i64> = delivered(&machine).iter().map(|(_, entry, _)| *entry).collect();
        assert_eq!(entries, again, "{row}: the clean stop came before the next 10 s were over");
    }
}

#[test]
fn the_file_is_written_every_ten_seconds_and_only_if_a_cursor_moved() {
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut machine, &delayed(1, 1));
    machine.live(103_000);
    put(&mut machine, &delayed(2, 3));
    machine.live(100_000);
    let written = machine.news.iter().filter(|news| matches!(news, News::ConfigWritten { .. })).count();
    // The first at 10 s; the second when level 3 has been looked at, the third when it was delivered.
    assert_eq!(written, 3);
    let (offsets, _) = DelayOffsets::load(machine.disk.lend()).unwrap();
    assert_eq!(offsets, *machine.store.delay_offsets());
    assert_eq!(offsets.table, [(1, 1), (3, 1)].into());
}

#[test]
fn a_refused_put_is_tried_again_after_ten_seconds_and_nothing_overtakes() {
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut machine, &delayed(1, 1));
    put(&mut machine, &delayed(2, 1));
    machine.live(500);
    machine.store.set_flag(Flag::DiskFull, true);
    machine.live(5_000);
    assert_eq!(troubles(&machine), [("refused", 1, 0, "SERVICE_NOT_AVAILABLE")]);
    machine.store.set_flag(Flag::DiskFull, false);
    machine.live(10_000);
    assert_eq!(delivered(&machine), [(1, 0, 11_000), (1, 1, 11_000)]);
}

#[test]
fn a_slave_delivers_nothing() {
    let slave = StoreConfig { role: Role::Slave, ..config() };
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut machine, &delayed(1, 1));
    machine.live(20);
    let (clock, disk) = (machine.clock, machine.disk.after_kill());
    let mut machine = boot(&Profile::FAITHFUL, disk, slave, clock);
    machine.live(60_000);
    assert!(delivered(&machine).is_empty());
    assert_eq!(cursors(&mut machine), None);
}

#[test]
fn a_due_record_without_an_address_is_dropped_or_kept_k12() {
    // A message sent straight to the schedule topic has none, and its tag's hash is a moment long ago.
    let stray = NewMessage { topic: SCHEDULE_TOPIC.into(), queue_id: 0, ..message(1) };
    let mut faithful = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut faithful, &stray);
    put(&mut faithful, &delayed(2, 1));
    faithful.live(30_000);
    assert_eq!(troubles(&faithful), [("dropped", 1, 0, "no-real-queue")]);
    assert_eq!(delivered(&faithful), [(1, 1, 1_000)]);
    let mut repaired = boot(&fix("K12"), sim(), config(), clock());
    put(&mut repaired, &stray);
    put(&mut repaired, &delayed(2, 1));
    repaired.live(30_000);
    assert_eq!(troubles(&repaired), [("refused", 1, 0, "no-real-queue"); 3]);
    assert!(delivered(&repaired).is_empty(), "its level waits behind it");
    let NewMessage { properties, .. } = &stray;
    let half = NewMessage { properties: format!("{properties}REAL_QID\u{1}0\u{2}").into(), ..stray.clone() };
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut machine, &half);
    machine.live(2_000);
    assert_eq!(troubles(&machine), [("dropped", 1, 0, "no-real-topic")]);
}

#[test]
fn a_clock_that_stepped_back_makes_the_waiting_due_at_once_or_not_k19() {
    // The wall clock goes back by an hour while the broker is down.
    let run = |profile: &Profile| {
        let mut machine = boot(profile, sim(), config(), clock());
        put(&mut machine, &delayed(1, 3));
        machine.live(4_000);
        put(&mut machine, &delayed(2, 3));
        machine.live(20);
        let back = Clock { wall: START.plus(-3_600_000), mono: machine.clock.mono };
        let config = machine.store.config().clone();
        let mut machine = boot(profile, machine.disk.after_kill(), config, back);
        machine.live(60_000);
        put(&mut machine, &delayed(3, 3));
        machine.live(60_000);
        let since = |(level, entry, at): (i32, i64, i64)| (level, entry, at + 3_600_000);
        delivered(&machine).into_iter().map(since).collect::<Vec<_>>()
    };
    assert_eq!(run(&Profile::FAITHFUL), [(3, 0, 1_000), (3, 1, 1_000), (3, 2, 70_000)]);
    // 10 s after it was noticed, the second 4 s behind the first, the third by its own clock.
    assert_eq!(run(&fix("K19")), [(3, 0, 11_000), (3, 1, 15_000), (3, 2, 70_000)]);
}

#[test]
fn a_running_broker_waits_for_a_wall_clock_that_stepped_back_and_follows_one_that_stepped_ahead() {
    let mut machine = boot(&Profile::FAITHFUL, sim(), config(), clock());
    put(&mut machine, &delayed(1, 3));
    machine.live(2_000);
    machine.step_wall(machine.clock.wall.plus(-60_000));
    machine.live(59_000);
    assert!(delivered(&machine).is_empty());
    machine.live(10_000);
    assert_eq!(delivered(&machine), [(3, 0, 10_000)], "late in truth, on time by the wall");
    put(&mut machine, &delayed(2, 3));
    machine.live(1_000);
    machine.step_wall(machine.clock.wall.plus(60_000));
    let noticed = machine.clock.wall.since(START);
    machine.live(200);
    assert_eq!(delivered(&machine)[1..], [(3, 1, noticed)]);
}

#[test]
fn a_cursor_behind_the_end_of_its_queue_stalls_its_level_or_not_k20() {
    for (profile, entries) in [(Profile::FAITHFUL, vec![]), (fix("K20"), vec![0, 1])] {
        let mut disk = sim_disk();
        disk.put(delay_offset::FILE, b"{\"offsetTable\":{1:9,40:3}}").unwrap();
        let mut machine = boot(&profile, AnyDisk::Sim(Box::new(disk)), config(), clock());
        put(&mut machine, &delayed(1, 1));
        put(&mut machine, &delayed(2, 1));
        machine.live(30_000);
        let found: Vec<i64> = delivered(&machine).iter().map(|(_, entry, _)| *entry).collect();
        assert_eq!(found, entries);
        // A level that is not in the setting is kept, and a cursor that nobody moved is not written.
        let expected = if entries.is_empty() { "{\"offsetTable\":{1:9,40:3}}" } else { "{\"offsetTable\":{1:2,40:3}}" };
        assert_eq!(cursors(&mut machine).as_deref(), Some(expected));
    }
}

#[test]
fn a_cursor_below_the_queue_goes_up_to_its_first_entry() {
    let mut disk = sim_disk();
    disk.put(delay_offset::FILE, b"{\"offsetTable\":{1:-5}}").unwrap();
    let mut machine = boot(&Profile::FAITHFUL, AnyDisk::Sim(Box::new(disk)), config(), clock());
    put(&mut machine, &delayed(1, 1));
    machine.live(3_000);
    assert_eq!(delivered(&machine), [(1, 0, 1_100)], "the first run moves the cursor, the second delivers");
}

#[test]
fn power_takes_a_copy_whose_cursor_is_written_or_not_k03() {
    let run = |profile: &Profile| {
        // The log is forced once an hour; what stands in a file of JSON is there.
        let hour = Span::from_secs(3_600);
        let lazy = StoreConfig { flush_interval: hour, flush_thorough_interval: hour, ..config() };
        let mut machine = boot(profile, sim(), lazy, clock());
        put(&mut machine, &delayed(1, 1));
        machine.live(20);
        // The parked message is durable, as after a clean stop.
        let (clock, config) = (machine.clock, machine.store.config().clone());
        let (disk, _) = machine.shut_down();
        let mut machine = boot(profile, disk, config.clone(), clock);
        // The first append after a start is forced at once.
        put(&mut machine, &message(2));
        machine.live(25_000);
        assert_eq!(delivered(&machine).len(), 1);
        let written = cursors(&mut machine);
        let clock = machine.clock;
        let AnyDisk::Sim(mut disk) = machine.disk else { panic!("a simulated disk") };
        disk.power_loss(Keep::LogLostJsonKept, &mut |_| 0);
        let mut machine = boot(profile, AnyDisk::Sim(disk), config, clock);
        machine.live(5_000);
        (written.unwrap(), bodies(&mut machine, 1))
    };
    assert_eq!(run(&Profile::FAITHFUL), ("{\"offsetTable\":{1:1}}".to_owned(), vec![]));
    let again = vec!["body of message 001".to_owned()];
    assert_eq!(run(&fix("K03")), ("{\"offsetTable\":{1:0}}".to_owned(), again));
}

#[test]
fn a_copy_that_became_durable_lets_the_cursor_go_on_k03() {
    let mut machine = boot(&fix("K03"), sim(), config(), clock());
    put(&mut machine, &delayed(1, 1));
    machine.live(40_000);
    assert_eq!(cursors(&mut machine).as_deref(), Some("{\"offsetTable\":{1:1}}"));
}

#[test]
fn cursors_that_cannot_be_read_keep_the_store_closed_or_begin_anew() {
    let open = |files: &[(&str, &[u8])]| {
        let mut disk = sim_disk();
        for (suffix, bytes) in files {
            disk.put(&format!("{}{suffix}", delay_offset::FILE), bytes).unwrap();
        }
        let mut disk = AnyDisk::Sim(Box::new(disk));
        Machine::boot_as(&Profile::FAITHFUL, std::mem::replace(&mut disk, sim()), config(), clock()).map(
            |mut machine| {
                machine.answer();
                let passed_over = machine.news.iter().any(|news| matches!(news, News::ConfigPassedOver { .. }));
                (machine.store.delay_offsets().table.clone(), passed_over)
            },
        )
    };
    assert_eq!(open(&[]), Ok(([].into(), false)));
    assert_eq!(open(&[("", b"{\"offsetTable\":{\"1\":4}}")]), Ok(([(1, 4)].into(), false)));
    assert_eq!(open(&[("", b"{\"offsetTable\":{1:")]), Ok(([].into(), true)));
    assert_eq!(open(&[("", b"\x00\xff"), (".bak", b"{\"offsetTable\":{2:3}}")]), Ok(([(2, 3)].into(), true)));
    let refused = open(&[("", b"x"), (".bak", b"{\"offsetTable\":{1:1e99}}")]).unwrap_err();
    let StoreError::Config(error) = refused else { panic!("{refused}") };
    assert_eq!(
        error.to_string(),
        "`config/delayOffset.json` cannot be read (json at byte 0: no value begins so), nor can \
         `config/delayOffset.json.bak` (`offsetTable` is `1e99`, not a number of 64 bits): mend one of them, or move \
         both away to begin without"
    );
    let bad = StoreConfig { message_delay_level: "1s 2x".into(), ..config() };
    assert!(matches!(
        Machine::boot_as(&Profile::FAITHFUL, sim(), bad, clock()).map(|_| ()),
        Err(StoreError::DelayLevels { .. })
    ));
}

#[test]
fn settings_of_any_size_neither_panic_nor_come_early() {
    for (levels, expected) in [
        ("0s", vec![(1, 0, 1_000)]),
        ("-5s", vec![(1, 0, 1_000)]),
        ("100000000d", vec![]),
        ("9223372036854775807d", vec![(1, 0, 1_000)]),
    ] {
        let odd = StoreConfig { message_delay_level: levels.into(), ..config() };
        let mut machine = boot(&Profile::FAITHFUL, sim(), odd, clock());
        put(&mut machine, &delayed(1, 1));
        machine.live(30_000);
        assert_eq!(delivered(&machine), expected, "{levels}");
    }
    assert_eq!(START.plus(i64::MAX), Millis(i64::MAX));
}
