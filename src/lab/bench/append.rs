//! *append*: a million messages into a real mapped log, beside a loop that copies the same bytes and takes the same CRCs.
//!
//! Rounds alternate between loop and engine, each on fresh files that are removed before the next begins; the first is
//! dropped. Nothing is forced: what is measured is the way from a message to its bytes in the mapping.

use bytes::Bytes;

use crate::host::mmap::MmapDisk;
use crate::lab::bench::Workload;
use crate::lab::bench::stopwatch::Stopwatch;
use crate::mq::disk::Disk;
use crate::mq::message::Host;
use crate::mq::message::record::body_crc;
use crate::mq::profile::Profile;
use crate::mq::store::config::StoreConfig;
use crate::mq::store::outcome::PutStatus;
use crate::mq::store::record::NewMessage;
use crate::mq::store::{Clock, MessageStore};
use crate::mq::time::{Millis, Time};

pub(super) const MESSAGES: u64 = 1_000_000;
/// Rounds of which the median is taken, after one that is dropped.
const ROUNDS: usize = 5;

/// The workloads: name and length of a body.
pub(crate) const SIZES: [(&str, usize); 2] = [("append-128", 128), ("append-1024", 1024)];

/// Measures one of them.
pub(crate) fn measure(name: &'static str, body: usize) -> Workload {
    let message = message(body);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (limit, engine) =
            (on_fresh_files(|disk| copy(disk, &message)), on_fresh_files(|disk| append(disk, &message)));
        if round > 0 {
            bare.push(limit);
            ours.push(engine);
        }
    }
    Workload::on_files(name, "messages", MESSAGES, MESSAGES, [ours, bare])
}

pub(super) fn message(body: usize) -> NewMessage {
    let host = Host { ip: 0x0A00_0201, port: 10_911 };
    NewMessage {
        topic: "orders".into(),
        queue_id: 0,
        flag: 0,
        sys_flag: 0,
        born_timestamp: START,
        born_host: host,
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: 0,
        body: Bytes::from(vec![b'x'; body]),
        properties: "WAIT\u{1}true\u{2}".into(),
        map: None,
    }
}

/// Runs on a folder of its own and gives how long it took, removal not counted.
fn on_fresh_files(run: impl Fn(&mut MmapDisk)) -> u64 {
    let mut scratch = Scratch::new("mqlab-append");
    let watch = Stopwatch::start();
    run(scratch.disk());
    watch.nanos()
}

/// A folder for temporary files, which goes when this does, in a panic, too.
pub(super) struct Scratch(Option<MmapDisk>);

impl Scratch {
    pub(super) fn new(name: &str) -> Scratch {
        Scratch(Some(MmapDisk::scratch(name).expect("the folder for temporary files can be written")))
    }

    pub(super) fn disk(&mut self) -> &mut MmapDisk {
        self.0.as_mut().expect("it goes last")
    }

    /// The process is over, its files stay: the disk as the next process finds it.
    pub(super) fn reopen(&mut self) {
        let root = self.disk().root().to_path_buf();
        // The old one's lock goes first.
        self.0 = None;
        self.0 = Some(MmapDisk::new(root).expect("the folder is there"));
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(disk) = self.0.take() {
            // Who cannot remove them cannot be helped here.
            let _ = disk.destroy();
        }
    }
}

fn append(disk: &mut MmapDisk, message: &NewMessage) {
    let clock = Clock { wall: START, mono: Time::ZERO };
    let mut store =
        MessageStore::open(StoreConfig::default(), Profile::FAITHFUL, disk, clock).expect("an empty folder opens");
    let mut news = Vec::new();
    for _ in 0..MESSAGES {
        let put = store.put(disk, clock, message);
        assert!(put.status == PutStatus::PutOk, "a put into an empty log");
        news.clear();
        store.take_news(&mut news);
    }
}

pub(super) fn copy(disk: &mut MmapDisk, message: &NewMessage) {
    let record = vec![b'x'; message.record_len()];
    let size = StoreConfig::default().commit_log_file_size;
    let (mut file, mut at, mut files) = (disk.open("commitlog/0", size).expect("an empty folder opens"), 0, 0);
    for _ in 0..MESSAGES {
        if at + record.len() as u64 > size {
            files += 1;
            file = disk.open(&format!("commitlog/{files}"), size).expect("an empty folder opens");
            at = 0;
        }
        std::hint::black_box(body_crc(&message.body));
        disk.write(file, at, &record);
        at += record.len() as u64;
    }
}

pub(super) const START: Millis = Millis(1_541_865_600_000);
