//! Any folder at all: the oracle and the checkers read it as a store and answer.
#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mqlab::lab::check::history::Image;
use mqlab::lab::check::storage::{self, Seen};
use mqlab::lab::oracle::config::Config;
use mqlab::lab::trace::image::{DiskImage, FileImage, PAGE};

/// Which file.
#[derive(Arbitrary, Debug)]
enum Role {
    Log(u8),
    Queue(bool, u8),
    Extension(u8),
    Index(u8),
    Checkpoint,
    Abort,
    Topics,
    Offsets,
    Other(u8),
}

impl Role {
    fn path(&self) -> String {
        match self {
            Role::Log(number) => format!("commitlog/{:020}", u64::from(*number) * 64),
            Role::Queue(queue, number) => format!("consumequeue/t/{}/{:020}", u8::from(*queue), u64::from(*number) * 20),
            Role::Extension(number) => format!("consumequeue_ext/t/0/{:020}", u64::from(*number) * 64),
            Role::Index(number) => format!("index/201811110000000{number:02}"),
            Role::Checkpoint => "checkpoint".to_owned(),
            Role::Abort => "abort".to_owned(),
            Role::Topics => "config/topics.json".to_owned(),
            Role::Offsets => "config/consumerOffset.json".to_owned(),
            Role::Other(number) => format!("commitlog/{number}.tmp"),
        }
    }
}

fuzz_target!(|files: Vec<(Role, &[u8])>| {
    let image = DiskImage { files: files.iter().map(|(role, bytes)| (role.path(), file(bytes))).collect() };
    let seen = Image(&image);
    let _ = storage::work(&seen);
    let _ = storage::verify(Seen::of(&seen), &mut |_| {});
    let _ = storage::checkpoint_is_safe(Seen::of(&seen));
    let _ = storage::idempotent(Seen::of(&seen), Seen::of(&seen));
    let _ = Config::read(&seen);
});

fn file(bytes: &[u8]) -> FileImage {
    let pages = bytes.chunks(PAGE).enumerate().map(|(number, chunk)| {
        let mut page = [0; PAGE];
        page[..chunk.len()].copy_from_slice(chunk);
        (number as u64, Arc::new(page))
    });
    FileImage { len: bytes.len() as u64, pages: pages.collect::<BTreeMap<_, _>>() }
}
