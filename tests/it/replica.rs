//! Masters and slaves: the conversation, what producers hear of it, what a slave does and does not do.

use mqlab::lab::check::history::Image;
use mqlab::lab::check::storage::{self, Seen};
use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, NodeKind, Outcome};
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::image::DiskImage;
use mqlab::lab::trace::record::{App, DiskEvent, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;
use mqlab::mq::time::{Span, Time};

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

#[test]
fn a_slave_takes_over_topics_offsets_and_groups_and_is_told_once_a_minute() {
    let consumer = r#"
[[consumer]]
name = "billing-1"
group = "billing"
subscribe = { orders = "*" }
start = "2s"
"#;
    let run = run(&pair("", "", "count = 3\nevery = \"1s\"\ndelay_level = 2", consumer));
    let said = facts(&run, "broker-a-s", |fact| matches!(fact, Fact::Synchronized { .. }));
    let round = |from: u64, to: u64| -> Vec<&str> {
        let within = said.iter().filter(|(at, _)| (from..to).contains(at));
        let what = within.map(|(_, fact)| match fact {
            Fact::Synchronized { what, .. } => *what,
            _ => "",
        });
        what.collect()
    };
    assert_eq!(round(9_900, 10_200), ["topics", "offsets", "delay-offsets", "groups"]);
    assert_eq!(said.len(), 4, "the next is at 70 s: {said:?}");
    let (master, slave) = (disk(&run, "broker-a"), disk(&run, "broker-a-s"));
    let text = |disk: &DiskImage, file: &str| {
        let file = &disk.files[&format!("config/{file}")];
        String::from_utf8(file.read(0..file.len)).expect("text")
    };
    for part in ["\"orders\"", "%RETRY%billing"] {
        assert!(text(slave, "topics.json").contains(part), "{part}");
        assert!(text(master, "topics.json").contains(part), "{part}");
    }
    assert!(text(slave, "subscriptionGroup.json").contains("billing"));
    assert!(text(slave, "delayOffset.json").starts_with("{\"offsetTable\":{"), "as it came, in one line");
    // Delayed messages are delivered by the master alone.
    let due = |node: &str| facts(&run, node, |fact| matches!(fact, Fact::DelayedDelivered { .. })).len();
    assert_eq!((due("broker-a"), due("broker-a-s")), (3, 0));
}

#[test]
fn what_a_slave_was_told_is_overwritten_by_its_masters_older_word() {
    // The master dies, the group goes on at the slave and reports there; the master returns, and the slave asks it.
    let rest = r#"
[[consumer]]
name = "billing-1"
group = "billing"
subscribe = { orders = "*" }
start = "2s"

[[fault]]
name = "death"
at = "18200ms"
kill = { node = "broker-a" }
[[fault]]
name = "return"
at = "50s"
restart = { node = "broker-a" }
"#;
    let mut scenario = pair("", "", "count = 30\nevery = \"100ms\"", rest);
    scenario.plan.until = Time::ZERO + Span::from_secs(200);
    let run = run(&scenario);
    let pulled = facts(&run, "broker-a-s", |fact| matches!(fact, Fact::Pulled { .. }));
    assert!(!pulled.is_empty() && pulled.iter().all(|(at, _)| 18_200 < *at), "{pulled:?}");
    let committed = facts(&run, "broker-a-s", |fact| matches!(fact, Fact::OffsetCommitted { .. }));
    assert!(!committed.is_empty(), "reports of a group without a master reach the slave");
    let findings = check::run(&run.trace, &scenario.plan);
    for finding in &findings {
        assert_eq!(finding.verdict, Verdict::Pass, "{}: {}", finding.check, finding.summary.en);
    }
}

#[test]
fn nobody_reads_at_a_slave_while_the_master_is_near_unless_it_may_be_read() {
    // Ten per cent of 1 MiB: whoever is further behind counts as slow.
    let near = |read: &str| format!("{SMALL}\ndisk = {{ memory = 1048576 }}\nproperties = \"\"\"{read}\"\"\"");
    let late = r#"
[[consumer]]
name = "billing-1"
group = "billing"
subscribe = { orders = "*" }
from = "first"
start = "40s"
"#;
    let mut pulls = Vec::new();
    for read in ["", "slaveReadEnable=true\n"] {
        let script = format!("{read}accessMessageInMemoryMaxRatio=1\n");
        let slave = format!("properties = \"\"\"{script}\"\"\"\ndisk = {{ memory = 1048576 }}");
        let run = run(&pair(&near(&script), &slave, "count = 200\nevery = \"20ms\"\nsize = 900", late));
        let found = |fact: &Fact| matches!(fact, Fact::Pulled { count, .. } if 0 < *count);
        let of = |node: &str| facts(&run, node, found).len();
        pulls.push((0 < of("broker-a"), 0 < of("broker-a-s")));
        assert!(heard(&run).iter().all(|(_, status)| status == "SEND_OK"));
    }
    assert_eq!(pulls, [(true, false), (true, true)]);
}

#[test]
fn a_producer_never_writes_to_a_slave() {
    let death = "[[fault]]\nname = \"death\"\nat = \"17s\"\nkill = { node = \"broker-a\" }";
    let mut scenario = pair("", "", "count = 60\nevery = \"1s\"", death);
    scenario.plan.until = Time::ZERO + Span::from_secs(90);
    let run = run(&scenario);
    assert_eq!(facts(&run, "broker-a-s", |fact| matches!(fact, Fact::SendAccepted { .. })), []);
    assert_eq!(facts(&run, "broker-a-s", |fact| matches!(fact, Fact::RequestRefused { .. })), []);
    let last = statuses(&run).pop().expect("sixty sends");
    assert!(last.starts_with("No route info of this topic, orders"), "once its route has no master: {last}");
}

/// A master that loses its tail while its slave keeps it, and then goes on.
fn lost_tail() -> Scenario {
    let rest = r#"
[[producer.send]]
topic = "orders"
wait = "20s"
count = 20
every = "1s"
key = "late-{n}"
body = "late {n}"

[[fault]]
name = "outage"
at = "20s"
power-loss = { node = "broker-a", keep = "fsynced" }
[[fault]]
name = "return"
at = "22s"
restart = { node = "broker-a" }
"#;
    let mut scenario = pair(SYNC, "", "count = 40\nevery = \"100ms\"", rest);
    let expect = Expect { id: "prefix".into(), check: Check::ReplicaPrefix, outcome: Outcome::Violated };
    scenario.plan.expects.push(expect);
    scenario
}

#[test]
fn a_slave_ahead_of_its_master_vouches_for_what_it_does_not_have_or_repaired_is_never_ahead() {
    let scenario = lost_tail();
    let late = |run: &RunResult| -> Vec<String> {
        let late = heard(run).into_iter().filter(|(at, _)| 45_000 < *at);
        late.map(|(_, status)| status).collect()
    };
    let released = run(&scenario);
    let told = late(&released);
    assert!(5 < told.len() && told.iter().all(|status| status == "SEND_OK"), "{told:?}");
    let sent = facts(&released, "broker-a", |fact| matches!(fact, Fact::Transferred { .. }));
    assert!(sent.iter().all(|(at, _)| *at < 22_000), "and not a byte went to the slave: {sent:?}");
    let finding = check::run(&released.trace, &scenario.plan).remove(0);
    assert!(matches!(finding.verdict, Verdict::Known { weakness: 2, .. }), "{finding:?}");

    let mut scenario = scenario;
    scenario.plan.profile.set("K02", true);
    let repaired = run(&scenario);
    let told = late(&repaired);
    assert!(5 < told.len() && told.iter().all(|status| status == "SEND_OK"), "{told:?}");
    let sent = facts(&repaired, "broker-a", |fact| matches!(fact, Fact::Transferred { .. }));
    assert!(sent.iter().any(|(at, _)| 45_000 < *at), "for the slave has it: {sent:?}");
    assert_eq!(check::run(&repaired.trace, &scenario.plan).remove(0).verdict, Verdict::Pass);
}

#[test]
fn two_slaves_of_one_master_have_ids_of_their_own() {
    let second = |id: &str| format!("[[broker]]\nname = \"broker-a-s2\"\nrole = \"slave\"\nof = \"broker-a\"\n{id}");
    let ids = |scenario: &Scenario| -> Vec<(String, i64)> {
        let brokers = scenario.plan.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Broker(broker) => Some((broker.broker_name.to_string(), broker.broker_id)),
            _ => None,
        });
        brokers.collect()
    };
    let named = |id: i64| ("broker-a".to_owned(), id);
    assert_eq!(ids(&pair("", &second(""), "", "")), [named(0), named(1), named(2)]);
    assert_eq!(ids(&pair("", &format!("id = 7\n{}", second("")), "", "")), [named(0), named(7), named(1)]);
    let run = run(&pair(SYNC, &second(""), "count = 5\nevery = \"1s\"", ""));
    assert_eq!(statuses(&run), ["SEND_OK"; 5]);
    let log = |node: &str| joined(disk(&run, node), "commitlog/");
    assert!(log("broker-a") == log("broker-a-s") && log("broker-a") == log("broker-a-s2"));
}
