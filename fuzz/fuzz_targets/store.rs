//! A store that a broker wrote, then damaged anywhere: it opens or says why not, and every reader answers.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mqlab::lab::check::history::Image;
use mqlab::lab::check::storage::{self, Seen};
use mqlab::mq::disk::Disk;
use mqlab::mq::profile::Profile;
use mqlab::mq::store::get::GetRequest;
use mqlab::mq::store::index::KeyQuery;
use mqlab::mq::store::MessageStore;

mod written;

/// What becomes of the files.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    hardened: bool,
    patches: Vec<(u8, u16, &'a [u8])>,
}

fuzz_target!(|input: Input<'_>| {
    let profile = if input.hardened { Profile::HARDENED } else { Profile::FAITHFUL };
    let (mut disk, clock) = written::store();
    let names: Vec<(String, u64)> = disk.list("").into_iter().map(|file| (file.name, file.len)).collect();
    for (file, at, bytes) in input.patches {
        let (name, len) = &names[usize::from(file) % names.len()];
        if 0 < *len {
            let at = u64::from(at) % len;
            let room = (len - at) as usize;
            let _ = disk.corrupt(name, at, &bytes[..bytes.len().min(room)]);
        }
    }
    let before = disk.cached_image();
    let _ = storage::verify(Seen::of(&Image(&before)), &mut |_| {});
    let Ok(mut store) = MessageStore::open(written::config(), profile, &mut disk, clock) else { return };
    let queues: Vec<_> = store.each_queue().map(|(topic, queue, min, max)| (topic.clone(), queue, min, max)).collect();
    for (topic, queue_id, min, max) in queues {
        for offset in [min - 1, min, min + 1, max - 1, max, max + 1] {
            let filter = &|_: i64| true;
            let request =
                GetRequest { topic: &topic, queue_id, offset: mqlab::mq::message::QueueOffset(offset), max: 8, filter };
            let _ = store.get(&mut disk, &request);
        }
        let _ = store.offset_by_time(&mut disk, &topic, queue_id, written::START.0 + 3);
        let _ = store.earliest_time_of(&mut disk, &topic, queue_id);
    }
    let query = KeyQuery { topic: "t", key: "k3", max: 8, begin: 0, end: i64::MAX };
    let _ = store.query_message(&mut disk, query);
    let _ = store.earliest_time(&mut disk);
    let _ = store.put(&mut disk, clock, &written::message(99));
    let after = disk.cached_image();
    let _ = storage::verify(Seen::of(&Image(&after)), &mut |_| {});
});
