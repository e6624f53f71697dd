//! The canonical workloads: each is small enough to be gone through completely, and has one thing that it is about.

use crate::lab::explore::crash::script::{Act, Letter, Workload};
use crate::lab::fault::episode::Keep;
use crate::mq::store::config::StoreConfig;

/// All of them.
pub fn all() -> Vec<Workload> {
    let mut all = puts();
    all.extend(rolls());
    all.extend(records());
    all.extend(stops());
    all.extend(recoveries());
    all.extend(damages());
    all
}

/// One log file of a page, five units a queue file, six entries an index file.
fn small() -> StoreConfig {
    StoreConfig {
        commit_log_file_size: 4_096,
        consume_queue_file_size: 100,
        max_hash_slot_num: 7,
        max_index_num: 6,
        ..StoreConfig::default()
    }
}

fn sync() -> StoreConfig {
    StoreConfig { sync_flush: true, ..small() }
}

/// Log files of three pages, so that records lie across pages.
fn wide(sync_flush: bool) -> StoreConfig {
    StoreConfig { commit_log_file_size: 12_288, sync_flush, ..small() }
}

/// Without an index there are fewer pages at risk, and all states can be listed.
fn plain(sync_flush: bool) -> StoreConfig {
    StoreConfig { message_index_enable: false, sync_flush, ..small() }
}

fn workload(name: &'static str, about: &'static str, config: StoreConfig, acts: Vec<Act>) -> Workload {
    Workload { name, about, config, acts }
}

/// So many messages to two queues in turn, dispatched one by one.
fn put(count: i32) -> Vec<Act> {
    each(count, |number| Letter::to(number % 2))
}

fn each(count: i32, letter: impl Fn(i32) -> Letter) -> Vec<Act> {
    (0..count).flat_map(|number| [Act::Put(letter(number)), Act::Pass(2)]).collect()
}

fn then(parts: impl IntoIterator<Item = Vec<Act>>) -> Vec<Act> {
    parts.into_iter().flatten().collect()
}

/// Every service has done its rounds, thorough ones included.
fn rounds() -> Vec<Act> {
    vec![Act::Pass(12_000)]
}

fn puts() -> Vec<Workload> {
    vec![
        workload("async-1", "one message, nobody waits for the disk", small(), put(1)),
        workload("async-4", "four messages, nobody waits for the disk", small(), put(4)),
        workload("async-20", "twenty messages, nobody waits for the disk", small(), put(20)),
        workload("sync-1", "one message that waits for the disk", sync(), put(1)),
        workload("sync-4", "four messages that wait for the disk", sync(), put(4)),
        workload("sync-20", "twenty messages that wait for the disk", sync(), put(20)),
        workload(
            "burst",
            "six messages before the follower sees the first",
            small(),
            (0..6).map(|n| Act::Put(Letter::to(n % 2))).collect(),
        ),
        workload(
            "overlap",
            "messages that come while a force is under way",
            sync(),
            then([vec![Act::Hold], put(2), vec![Act::Release], put(1)]),
        ),
        workload(
            "unwaited",
            "a sender that does not wait between two that do",
            sync(),
            then([put(1), each(2, |_| Letter::to(0).unwaited()), put(1)]),
        ),
        workload("no-index", "four messages of a store without an index", plain(true), put(4)),
    ]
}

fn rolls() -> Vec<Workload> {
    // A record of `Letter::to` takes 126 bytes.
    let of = |bytes| StoreConfig { commit_log_file_size: bytes, ..plain(true) };
    let index = StoreConfig { max_index_num: 4, ..small() };
    vec![
        workload("log-roll", "the log goes on to its second file", small(), each(7, |_| Letter::to(0).body(600))),
        workload(
            "log-roll-sync",
            "the log goes on to its second file while senders wait",
            sync(),
            each(7, |_| Letter::to(0).body(600)),
        ),
        workload("log-roll-8", "a blank of exactly eight bytes", of(3 * 126 + 8), put(5)),
        workload("log-roll-9", "a blank of nine bytes", of(3 * 126 + 9), put(5)),
        workload("log-roll-7", "a record that would fit but for the blank", of(3 * 126 + 7), put(4)),
        workload("queue-roll", "a queue goes on to its second and third file", small(), each(12, |_| Letter::to(0))),
        workload(
            "index-roll",
            "an index file fills up and is forced",
            index.clone(),
            then([each(4, |_| Letter::to(0).keys(2)), rounds()]),
        ),
        workload(
            "index-roll-sync",
            "an index file fills up while senders wait",
            StoreConfig { sync_flush: true, ..index },
            each(4, |_| Letter::to(0).keys(2)),
        ),
        workload(
            "all-roll",
            "log, queue and index roll at once",
            StoreConfig { commit_log_file_size: 1_024, ..small() },
            put(12),
        ),
    ]
}

fn records() -> Vec<Workload> {
    vec![
        workload("keys", "messages of many keys", small(), each(3, |number| Letter::to(0).keys(number as usize))),
        workload(
            "topics",
            "three topics, one log",
            small(),
            each(6, |n| Letter::to(0).topic(["t", "u", "v"][n as usize % 3])),
        ),
        workload(
            "transaction",
            "half, commit and rollback records",
            small(),
            then([
                each(2, |_| Letter::to(0).half()),
                each(1, |_| Letter::to(0).commit()),
                each(1, |_| Letter::to(0).rollback()),
                put(1),
            ]),
        ),
        workload("large", "a record across three pages", wide(false), each(2, |_| Letter::to(0).body(5_000))),
        workload(
            "large-sync",
            "a record across three pages, and senders wait",
            wide(true),
            each(2, |_| Letter::to(0).body(5_000)),
        ),
        workload("pages", "records that lie across page borders", wide(false), each(8, |_| Letter::to(0).body(900))),
    ]
}

fn stops() -> Vec<Workload> {
    vec![
        workload("first-boot", "a boot on an empty disk", small(), Vec::new()),
        workload("stop", "a clean stop and a boot", small(), then([put(3), vec![Act::Restart], put(1)])),
        workload(
            "stop-twice",
            "two clean stops with nothing between",
            small(),
            then([put(2), vec![Act::Restart, Act::Restart]]),
        ),
        workload(
            "stop-undispatched",
            "a clean stop before the follower has come",
            small(),
            then([
                vec![Act::Put(Letter::to(0)), Act::Put(Letter::to(1)), Act::Put(Letter::to(0)), Act::Restart],
                put(1),
            ]),
        ),
        workload(
            "to-sync",
            "asynchronous until a clean stop, synchronous after it",
            small(),
            then([put(3), vec![Act::Configure(|config| config.sync_flush = true), Act::Restart], put(2)]),
        ),
        workload(
            "to-async",
            "synchronous until a kill, asynchronous after it",
            sync(),
            then([put(3), vec![Act::Configure(|config| config.sync_flush = false), Act::Kill], put(2)]),
        ),
        workload(
            "checkpoint",
            "a thorough pass over the queues, and messages after it",
            small(),
            then([put(3), rounds(), put(2)]),
        ),
        workload(
            "checkpoint-twice",
            "a checkpoint a minute after the first",
            small(),
            then([put(2), vec![Act::Pass(62_000)], put(2), vec![Act::Pass(62_000)], put(1)]),
        ),
    ]
}

fn recoveries() -> Vec<Workload> {
    vec![
        workload("kill", "a kill, and messages after the boot", small(), then([put(3), vec![Act::Kill], put(2)])),
        workload(
            "kill-twice",
            "two kills with a message between",
            small(),
            then([put(3), vec![Act::Kill], put(1), vec![Act::Kill], put(1)]),
        ),
        workload("kill-sync", "a kill of a store whose senders wait", sync(), then([put(3), vec![Act::Kill], put(2)])),
        workload(
            "power-loss",
            "a power loss that takes the tail, and messages in its place",
            small(),
            then([put(2), rounds(), put(2), vec![Act::PowerLoss(Keep::LoseAllUnsynced)], put(2)]),
        ),
        workload(
            "ghost",
            "new records end where old ones begin that were cut off",
            StoreConfig { message_index_enable: false, ..wide(false) },
            then([
                each(3, |_| Letter::to(0).body(900)),
                rounds(),
                each(4, |_| Letter::to(0).body(900)),
                vec![Act::PowerLoss(Keep::LastPageOnly)],
                each(2, |_| Letter::to(0).body(900)),
                vec![Act::Kill],
            ]),
        ),
        workload(
            "log-lost",
            "the queues survive, the log does not",
            small(),
            then([put(1), rounds(), put(3), vec![Act::PowerLoss(Keep::LogLostJsonKept)], put(2)]),
        ),
    ]
}

fn damages() -> Vec<Workload> {
    let torn = &[0xff, 0xff, 0xff];
    vec![
        workload(
            "torn-tail",
            "a last record torn in its body",
            small(),
            then([
                put(3),
                vec![Act::Damage { file: "commitlog/00000000000000000000", at: 2 * 126 + 90, bytes: torn }, Act::Kill],
                put(2),
            ]),
        ),
        workload(
            "damage",
            "a flushed record damaged in front of others",
            small(),
            then([
                put(3),
                rounds(),
                vec![Act::Pass(62_000)],
                put(2),
                rounds(),
                vec![Act::Damage { file: "commitlog/00000000000000000000", at: 126 + 90, bytes: torn }, Act::Kill],
                put(1),
            ]),
        ),
        workload(
            "clock-back",
            "the wall clock steps back between two files",
            StoreConfig { commit_log_file_size: 512, ..plain(true) },
            then([
                put(4),
                rounds(),
                vec![Act::StepWall(-3_600_000)],
                put(4),
                vec![Act::Pass(62_000)],
                vec![Act::StepWall(3_600_000)],
                put(4),
            ]),
        ),
        workload(
            "clock-forward",
            "the wall clock steps forward between two files",
            StoreConfig { commit_log_file_size: 512, ..plain(true) },
            then([put(4), vec![Act::StepWall(3_600_000)], put(4), rounds(), put(2)]),
        ),
    ]
}
