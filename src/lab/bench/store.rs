//! *store*: the million messages of *append*, each under a key of its own, with consume queue and key index built; and
//! *recovery*: a log of 1 GiB read again after a crash.
//!
//! The limit of *store* is that of *append*: the same bytes copied and their CRCs taken, by a loop that knows neither queue
//! nor index. The limit of *recovery* is the CRC of every byte of the log's file. What a round of *store* takes to be forced
//! to the device is told beside it.

use crate::host::files::MappedFolder;
use crate::host::mmap::MmapDisk;
use crate::lab::bench::Workload;
use crate::lab::bench::append::{MESSAGES, START, Scratch, copy, message};
use crate::lab::bench::stopwatch::Stopwatch;
use crate::mq::message::record::body_crc;
use crate::mq::profile::Profile;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::outcome::{News, PutStatus};
use crate::mq::store::record::NewMessage;
use crate::mq::store::{Clock, MessageStore, Service};
use crate::mq::time::Time;

/// The workloads: name and length of a body.
pub(crate) const SIZES: [(&str, usize); 2] = [("store-128", 128), ("store-1024", 1024)];
/// Rounds of which the median is taken, after one that is dropped.
const ROUNDS: usize = 5;
/// Messages between two turns of the dispatcher: what arrives in its millisecond when the store is busy.
const BETWEEN_TURNS: u64 = 500;

/// Measures one size.
pub(crate) fn measure(name: &'static str, body: usize) -> Workload {
    let template = keyed(&message(body), 0);
    let (mut ours, mut bare, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut scratch = Scratch::new("mqlab-store");
        let watch = Stopwatch::start();
        copy(scratch.disk(), &template);
        let limit = watch.nanos();
        drop(scratch);
        let mut scratch = Scratch::new("mqlab-store");
        let (built, nanos) = build(scratch.disk(), &template, MESSAGES);
        let flush = force(built, scratch.disk());
        if round > 0 {
            bare.push(limit);
            ours.push(nanos);
            flushes.push(flush);
        }
    }
    flushes.sort_unstable();
    let flush_ns = Some(flushes[flushes.len() / 2]);
    Workload { flush_ns, ..Workload::on_files(name, "messages", MESSAGES, MESSAGES, [ours, bare]) }
}

/// Measures how long a crashed store takes to open.
pub(crate) fn measure_recovery() -> Workload {
    let template = keyed(&message(1024), 0);
    let size = StoreConfig::default().commit_log_file_size;
    // As many as fit the first file, and the blank behind them.
    let messages = size / template.record_len() as u64;
    let mut scratch = Scratch::new("mqlab-recovery");
    // No clean stop: the `abort` file stays.
    drop(build(scratch.disk(), &template, messages));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        scratch.reopen();
        let limit = crc_pass(scratch.disk());
        let watch = Stopwatch::start();
        let store = MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, scratch.disk(), clock());
        let opened = watch.nanos();
        let store = store.expect("a crashed store opens");
        assert!(store.log_end().0 as u64 == messages * template.record_len() as u64, "nothing is lost");
        if round > 0 {
            bare.push(limit);
            ours.push(opened);
        }
    }
    Workload::on_files("recovery", "bytes", size, messages, [ours, bare])
}

/// A store, and the forces that it has asked for.
struct Built {
    store: MessageStore,
    asked: Vec<News>,
}

/// Puts messages and dispatches them; gives how long that took. Making the messages is not counted.
fn build(disk: &mut MmapDisk, template: &NewMessage, messages: u64) -> (Built, u64) {
    let clock = clock();
    let mut store =
        MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, disk, clock).expect("an empty folder opens");
    let (mut news, mut asked, mut nanos, mut number) = (Vec::new(), Vec::new(), 0, 0);
    while number < messages {
        let to = messages.min(number + BETWEEN_TURNS);
        let batch: Vec<NewMessage> = (number..to).map(|number| keyed(template, number)).collect();
        let watch = Stopwatch::start();
        for message in &batch {
            let put = store.put(disk, clock, message);
            assert!(put.status == PutStatus::PutOk, "a put into an empty log");
        }
        while 0 < store.behind() {
            store.fired(disk, clock, Service::Reput);
        }
        store.take_news(&mut news);
        nanos += watch.nanos();
        asked.extend(news.drain(..).filter(|item| matches!(item, News::Flush { .. })));
        number = to;
    }
    assert!(store.max_queue_offset(&template.topic, template.queue_id).0 as u64 == messages, "every message is queued");
    (Built { store, asked }, nanos)
}

/// Stops the store cleanly, forcing everything; gives how long the forces took.
fn force(built: Built, disk: &mut MmapDisk) -> u64 {
    let Built { mut store, asked: mut news } = built;
    let clock = clock();
    let mut nanos = 0;
    store.begin_shutdown(disk, clock);
    while !store.is_shut_down() {
        store.take_news(&mut news);
        assert!(!news.is_empty(), "a clean stop ends when its forces are answered");
        for item in news.drain(..) {
            if let News::Flush { ticket, file, from, to } = item {
                let watch = Stopwatch::start();
                let result = disk.flush(file, from..to);
                nanos += watch.nanos();
                store.flush_answered(disk, clock, ticket, result);
            }
        }
    }
    nanos
}

/// Reads the log's first file once and takes the CRC of all its bytes.
fn crc_pass(disk: &MmapDisk) -> u64 {
    let files = MappedFolder::open(disk.root()).expect("the folder was just written");
    let size = StoreConfig::default().commit_log_file_size as usize;
    let watch = Stopwatch::start();
    let bytes = files.read("commitlog/00000000000000000000", 0, size);
    assert!(bytes.len() == size, "a whole file");
    std::hint::black_box(body_crc(&bytes));
    watch.nanos()
}

/// The message under the unique key of a number: keys that follow one another fall anywhere in the index.
fn keyed(template: &NewMessage, number: u64) -> NewMessage {
    let key = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    NewMessage { properties: format!("UNIQ_KEY\u{1}{key:032X}\u{2}WAIT\u{1}true\u{2}").into(), ..template.clone() }
}

fn clock() -> Clock {
    Clock { wall: START, mono: Time::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mq::store::index::KeyQuery;

    #[test]
    fn every_message_of_a_round_is_queued_and_found_by_its_key_before_and_after_a_crash() {
        let template = keyed(&message(128), 0);
        let mut scratch = Scratch::new("mqlab-store-test");
        let (built, nanos) = build(scratch.disk(), &template, 1_200);
        assert!(0 < nanos);
        let find = |store: &MessageStore, disk: &mut MmapDisk, number: u64| {
            let key = format!("{:032X}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let query = KeyQuery { topic: "orders", key: &key, max: 64, begin: 0, end: i64::MAX };
            store.query_message(disk, query).messages.len()
        };
        for number in [0, 1, 499, 500, 1_199] {
            assert_eq!(find(&built.store, scratch.disk(), number), 1, "message {number}");
        }
        assert_eq!(find(&built.store, scratch.disk(), 1_200), 0);
        assert!(0 < force(built, scratch.disk()));
        let root = scratch.disk().root().to_path_buf();
        scratch.reopen();
        let store = MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, scratch.disk(), clock());
        let store = store.expect("it was stopped cleanly");
        assert_eq!(store.max_queue_offset("orders", 0).0, 1_200);
        assert_eq!(find(&store, scratch.disk(), 1_199), 1);
        drop(scratch);
        assert!(!root.exists(), "its files go with it");
    }
}
