//! A small store as a broker leaves it at a crash.

use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::message::Host;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::config::StoreConfig;
use mqlab::mq::store::outcome::News;
use mqlab::mq::store::record::NewMessage;
use mqlab::mq::store::{Clock, MessageStore};
use mqlab::mq::time::{Millis, Span, Time};

/// 2018-11-11T00:00:00+08:00.
pub const START: Millis = Millis(1_541_865_600_000);

/// Small files, so that each kind rolls.
pub fn config() -> StoreConfig {
    StoreConfig {
        commit_log_file_size: 1_024,
        consume_queue_file_size: 100,
        max_hash_slot_num: 7,
        max_index_num: 6,
        ..StoreConfig::default()
    }
}

/// A message of the topic `t`.
pub fn message(number: usize) -> NewMessage {
    let host = Host { ip: 0x0A00_0201, port: 10_911 };
    NewMessage {
        topic: "t".into(),
        queue_id: (number % 2) as i32,
        flag: 0,
        sys_flag: 0,
        born_timestamp: START,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: format!("message {number}").into_bytes().into(),
        properties: format!("KEYS\u{1}k{number}\u{2}TAGS\u{1}a\u{2}").as_str().into(),
        map: None,
    }
}

/// Twenty messages, dispatched; the process has died.
pub fn store() -> (SimDisk, Clock) {
    thread_local! {
        static WRITTEN: (SimDisk, Clock) = write();
    }
    WRITTEN.with(Clone::clone)
}

fn write() -> (SimDisk, Clock) {
    let mut disk = SimDisk::new(&DiskPlan::default());
    let mut clock = Clock { wall: START, mono: Time::ZERO + Span::from_secs(1) };
    let opened = MessageStore::open(config(), Profile::FAITHFUL, &mut disk, clock);
    let mut store = opened.expect("an empty disk is a store");
    for number in 0..20 {
        store.put(&mut disk, clock, &message(number));
        for _ in 0..4 {
            clock.wall = clock.wall.plus(1);
            clock.mono = clock.mono + Span::from_millis(1);
            for (service, at) in store.deadlines(clock) {
                if at.is_some_and(|at| at <= clock.mono) {
                    store.fired(&mut disk, clock, service);
                }
            }
            let mut news = Vec::new();
            store.take_news(&mut news);
            for item in news {
                if let News::Flush { ticket, file, from, to } = item {
                    disk.begin_flush(ticket, file, from..to);
                    let result = disk.complete_flush(ticket);
                    store.flush_answered(&mut disk, clock, ticket, result);
                }
            }
        }
    }
    disk.kill();
    (disk, clock)
}
