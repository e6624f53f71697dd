//! Masters and slaves: the conversation, what producers hear of it, what a slave does and does not do.

use mqlab::lab::check::history::Image;
use mqlab::lab::check::storage::{self, Seen};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::image::DiskImage;
use mqlab::lab::trace::record::{App, DiskEvent, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;

/// A master, its slave, and a shop that sends to them.
fn pair(master: &str, slave: &str, send: &str, rest: &str) -> Scenario {
    let script = format!(
        r#"
format = 1
id = "replica"
until = "60s"
title.en = "A pair"
title.zh = "一主一从"

[[broker]]
name = "broker-a"
{master}
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"
{slave}

[[topic]]
name = "orders"
queues = 1

[[producer]]
name = "shop"
group = "shop-producers"
start = "15s"
retries = 0
[[producer.send]]
topic = "orders"
key = "order-{{n}}"
body = "order {{n}} of the shop"
{send}
{rest}
"#
    );
    load("replica.toml", script.as_bytes(), &Overrides::default())
        .unwrap_or_else(|report| panic!("{:#?}", report.problems))
}

fn run(scenario: &Scenario) -> RunResult {
    Session::run(&scenario.plan, Level::Full)
}

/// What the shop heard of its sends, with the milliseconds of true time at which it did.
fn heard(run: &RunResult) -> Vec<(u64, String)> {
    let sent = run.trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Sent { result, .. } => Some((record.at.as_millis(), result.status.as_str().to_owned())),
            Return::Failed { error, .. } => Some((record.at.as_millis(), error.text.to_string())),
            _ => None,
        },
        _ => None,
    });
    sent.collect()
}

fn statuses(run: &RunResult) -> Vec<String> {
    heard(run).into_iter().map(|(_, status)| status).collect()
}

/// The facts that a node said, with the milliseconds of true time at which it did.
fn facts(run: &RunResult, node: &str, wanted: impl Fn(&Fact) -> bool) -> Vec<(u64, Fact)> {
    let node = run.trace.node(node);
    let said = run.trace.records().iter().filter_map(|record| match &record.what {
        What::Fact(fact) if record.node == node && wanted(fact) => Some((record.at.as_millis(), fact.clone())),
        _ => None,
    });
    said.collect()
}

/// How a node's disk looked at the end.
fn disk<'a>(run: &'a RunResult, node: &str) -> &'a DiskImage {
    let node = run.trace.node(node);
    let image = run.trace.records().iter().rev().find_map(|record| match &record.what {
        What::Disk(DiskEvent::Image { cached, .. }) if record.node == node => Some(&**cached),
        _ => None,
    });
    image.expect("every disk is looked at when the run ends")
}

/// The files of a folder, laid end to end up to the last byte that is not zero.
fn joined(disk: &DiskImage, folder: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, file) in &disk.files {
        if name.starts_with(folder) {
            let start = bytes.len();
            bytes.resize(start + file.len as usize, 0);
            for (page, content) in &file.pages {
                let at = start + *page as usize * content.len();
                let end = (at + content.len()).min(bytes.len());
                bytes[at..end].copy_from_slice(&content[..end - at]);
            }
        }
    }
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(end);
    bytes
}

const SMALL: &str = "commit_log_file_size = 65536\nconsume_queue_file_size = 2000";
const SYNC: &str = "role = \"sync-master\"\ncommit_log_file_size = 65536\nconsume_queue_file_size = 2000";

#[test]
fn a_slave_takes_its_masters_log_and_makes_its_own_queues() {
    let scenario = pair(SMALL, "", "count = 200\nevery = \"20ms\"\nsize = 900", "");
    let run = run(&scenario);
    assert_eq!(statuses(&run), ["SEND_OK"; 200]);
    let (master, slave) = (disk(&run, "broker-a"), disk(&run, "broker-a-s"));
    let log = joined(master, "commitlog/");
    assert!(65_536 * 2 < log.len(), "three files at least: {}", log.len());
    assert!(log == joined(slave, "commitlog/"), "the same bytes");
    assert!(joined(master, "consumequeue/") == joined(slave, "consumequeue/"), "made from its own log");
    // The master's address is known some ms after the start; the first attempt was before, and the next is at 5 s.
    let connected = facts(&run, "broker-a-s", |fact| matches!(fact, Fact::MasterConnected { .. }));
    assert!((5_000..5_020).contains(&connected[0].0), "{connected:?}");
    assert_eq!(connected.len(), 1, "and it stays connected");
    let begun = facts(&run, "broker-a", |fact| matches!(fact, Fact::TransferBegun { .. }));
    assert!((10_000..10_050).contains(&begun[0].0), "not before the first report, five seconds later: {begun:?}");
    let pieces = facts(&run, "broker-a", |fact| matches!(fact, Fact::Transferred { .. }));
    let largest = pieces.iter().map(|(_, fact)| match fact {
        Fact::Transferred { size, .. } => *size,
        _ => 0,
    });
    assert!(largest.max().is_some_and(|size| 900 < size && size <= 32 << 10));
}

#[test]
fn a_sync_master_answers_when_its_slave_has_the_message() {
    let run = run(&pair(SYNC, "", "count = 20\nevery = \"100ms\"", ""));
    assert_eq!(statuses(&run), ["SEND_OK"; 20]);
    let reported = facts(&run, "broker-a", |fact| matches!(fact, Fact::SlaveReported { .. }));
    let appended = facts(&run, "broker-a", |fact| matches!(fact, Fact::Appended { .. }));
    for ((at, _), (stored, fact)) in heard(&run).iter().zip(&appended) {
        let Fact::Appended { at: from, size, .. } = fact else { unreachable!("asked for") };
        let end = from + i64::from(*size);
        let covers = |fact: &Fact| matches!(fact, Fact::SlaveReported { offset, .. } if end <= *offset);
        let (had, _) = reported.iter().find(|(_, fact)| covers(fact)).expect("the slave has it");
        assert!(stored < had && had < at, "stored {stored}, at the slave {had}, acknowledged {at}");
    }
}

#[test]
fn without_its_slave_a_sync_master_says_so_and_keeps_the_message() {
    let dies = "[[fault]]\nname = \"death\"\nat = \"20500ms\"\nkill = { node = \"broker-a-s\" }";
    let run = run(&pair(SYNC, "", "count = 10\nevery = \"1s\"", dies));
    let told = heard(&run);
    for (at, status) in &told {
        let expected = if *at < 20_500 { "SEND_OK" } else { "SLAVE_NOT_AVAILABLE" };
        assert_eq!(status, expected, "at {at}");
    }
    assert!(told.iter().any(|(at, _)| 20_500 < *at));
    let gone = facts(&run, "broker-a", |fact| matches!(fact, Fact::SlaveGone { why: "closed", .. }));
    assert_eq!(gone.len(), 1);
    assert_eq!(facts(&run, "broker-a", |fact| matches!(fact, Fact::Appended { .. })).len(), 10);
}

#[test]
fn a_slave_that_has_fallen_silent_is_waited_for_and_dropped_after_twenty_seconds() {
    let pause = "[[fault]]\nname = \"gc\"\nat = \"20s\"\npause = { node = \"broker-a-s\" }";
    let run = run(&pair(SYNC, "", "count = 35\nevery = \"1s\"\ntimeout = \"30s\"", pause));
    let told = heard(&run);
    let (early, late): (Vec<_>, Vec<_>) = told.iter().partition(|(at, _)| *at < 20_000);
    assert!(!early.is_empty() && early.iter().all(|(_, status)| status == "SEND_OK"), "{early:?}");
    assert_eq!(late[0].1, "FLUSH_SLAVE_TIMEOUT", "{late:?}");
    assert!((24_900..26_100).contains(&late[0].0), "five seconds after it was sent: {late:?}");
    let gone = facts(&run, "broker-a", |fact| matches!(fact, Fact::SlaveGone { why: "expired", .. }));
    assert_eq!(gone.len(), 1);
    assert!((40_000..42_000).contains(&gone[0].0), "{gone:?}");
    assert!(late.iter().any(|(at, status)| gone[0].0 < *at && status == "SLAVE_NOT_AVAILABLE"), "{late:?}");
}

#[test]
fn a_fresh_slave_begins_at_its_masters_last_file_or_repaired_at_the_first() {
    let late = "start = \"25s\"";
    let scenario = pair(SMALL, late, "count = 100\nevery = \"20ms\"\nsize = 900", "");
    let mut begins = Vec::new();
    for row in [None, Some("K10")] {
        let mut scenario = scenario.clone();
        row.map(|row| scenario.plan.profile.set(row, true));
        let run = run(&scenario);
        let (master, slave) = (disk(&run, "broker-a"), disk(&run, "broker-a-s"));
        assert_eq!(storage::replica_is_prefix(Seen::of(&Image(master)), Seen::of(&Image(slave))), []);
        let first = slave.files.keys().find(|name| name.starts_with("commitlog/")).expect("it has a log").clone();
        begins.push(first);
    }
    assert_eq!(begins, ["commitlog/00000000000000065536", "commitlog/00000000000000000000"]);
}

#[test]
fn five_reports_end_a_long_messages_wait() {
    // Pieces of 500 bytes: a message of 4,000 needs eight of them, and each is reported.
    let tiny = format!("{SYNC}\nproperties = \"haTransferBatchSize=500\"");
    for (size, expected) in [("1000", "SEND_OK"), ("4000", "FLUSH_SLAVE_TIMEOUT")] {
        let run = run(&pair(&tiny, "", &format!("count = 3\nevery = \"1s\"\nsize = {size}"), ""));
        assert_eq!(statuses(&run), [expected; 3], "{size} bytes");
        assert!(heard(&run)[0].0 < 15_400, "within milliseconds: {:?}", heard(&run));
        assert!(joined(disk(&run, "broker-a"), "commitlog/") == joined(disk(&run, "broker-a-s"), "commitlog/"));
    }
}
