//! One table of cases for the disk contract, on both disks.

use std::ops::Range;

use mqlab::host::mmap::MmapDisk;
use mqlab::lab::scenario::plan::DiskPlan;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::disk::{Disk, DiskError, FileId};
use mqlab::mq::time::Span;

/// A case: a name, and what must hold on any disk.
type Case = (&'static str, fn(&mut dyn Disk));

const CASES: &[Case] = &[
    ("a new file is zeros of exactly its length", |disk| {
        let file = disk.open("commitlog/00000000000000000000", 8192).unwrap();
        assert_eq!(disk.bytes(file, 4000..4200), [0; 200]);
        assert_eq!(disk.list("commitlog/")[0].len, 8192);
    }),
    ("what is written is seen at once, across pages too", |disk| {
        let file = disk.open("f", 12_288).unwrap();
        disk.write(file, 4094, b"abcdef");
        assert_eq!(disk.bytes(file, 4093..4101), b"\0abcdef\0");
        disk.write_through(file, 4096, b"XY").unwrap();
        assert_eq!(disk.bytes(file, 4094..4100), b"abXYef");
    }),
    ("a write may touch the last byte", |disk| {
        let file = disk.open("f", 4096).unwrap();
        disk.write(file, 4095, b"z");
        assert_eq!(disk.bytes(file, 4095..4096), b"z");
        assert_eq!(disk.bytes(file, 4096..4096), b"");
    }),
    ("opening twice gives the same file, another length none", |disk| {
        let file = disk.open("f", 4096).unwrap();
        assert_eq!(disk.open("f", 4096), Ok(file));
        assert_eq!(disk.open("f", 8192), Err(DiskError::Invalid));
    }),
    ("names that lead outside are refused", |disk| {
        for name in ["", "/etc/passwd", "../f", "a/../../f", "a//b", "./f"] {
            assert_eq!(disk.open(name, 4096), Err(DiskError::Invalid), "{name}");
            assert_eq!(disk.put(name, b"x"), Err(DiskError::Invalid), "{name}");
        }
    }),
    ("small files are replaced, renamed and removed whole", |disk| {
        assert_eq!(disk.get("config/topics.json"), Err(DiskError::NotFound));
        disk.put("config/topics.json.tmp", b"{}").unwrap();
        disk.put("config/topics.json", b"old").unwrap();
        disk.rename("config/topics.json.tmp", "config/topics.json").unwrap();
        assert_eq!(disk.get("config/topics.json").unwrap(), "{}");
        assert_eq!(disk.rename("config/none", "config/x"), Err(DiskError::NotFound));
        disk.remove("config/topics.json").unwrap();
        assert_eq!(disk.remove("config/topics.json"), Err(DiskError::NotFound));
        assert!(disk.list("config/").is_empty());
    }),
    ("an empty file is a file", |disk| {
        disk.put("abort", b"").unwrap();
        assert_eq!(disk.list("abort")[0].len, 0);
        assert_eq!(disk.get("abort").unwrap(), "");
    }),
    ("lists are sorted and cut at the prefix", |disk| {
        for name in ["b/2", "b/10", "a/1", "c"] {
            disk.put(name, b"x").unwrap();
        }
        let names: Vec<String> = disk.list("b/").into_iter().map(|info| info.name).collect();
        assert_eq!(names, ["b/10", "b/2"]);
        assert_eq!(disk.list("").len(), 4);
    }),
    ("a removed file begins anew", |disk| {
        let file = disk.open("f", 4096).unwrap();
        disk.write(file, 0, b"old");
        disk.remove("f").unwrap();
        let file = disk.open("f", 4096).unwrap();
        assert_eq!(disk.bytes(file, 0..3), [0; 3]);
    }),
    ("a lock is taken once", |disk| {
        disk.lock("lock").unwrap();
        assert_eq!(disk.lock("lock"), Err(DiskError::Locked));
    }),
    ("a mapped file can be read whole", |disk| {
        let file = disk.open("checkpoint", 4096).unwrap();
        disk.write(file, 8, &7u64.to_be_bytes());
        assert_eq!(disk.get("checkpoint").unwrap()[8..16], 7u64.to_be_bytes());
    }),
];

pub(crate) fn sim() -> SimDisk {
    let span = Span::ZERO;
    SimDisk::new(&DiskPlan { fsync_min: span, fsync_max: span, torn_writes: true, ..DiskPlan::default() })
}

#[test]
fn both_disks_keep_the_contract() {
    for (name, case) in CASES {
        println!("{name}");
        case(&mut sim());
        case(&mut MmapDisk::new(tempfile::tempdir().unwrap().path()).unwrap());
    }
}

#[test]
fn both_disks_panic_on_a_reach_outside_a_file() {
    let reaches = |disk: &mut dyn Disk, range: Range<u64>| {
        let file = disk.open("f", 4096).unwrap();
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| disk.bytes(file, range.clone()).len()));
        let write = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| disk.write(file, range.start, &[0; 8])));
        read.is_err() && write.is_err()
    };
    assert!(reaches(&mut sim(), 4090..4098));
    assert!(reaches(&mut MmapDisk::new(tempfile::tempdir().unwrap().path()).unwrap(), 4090..4098));
}

#[test]
fn a_real_force_answers_for_ranges_inside_the_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = MmapDisk::new(folder.path()).unwrap();
    let file = disk.open("f", 8192).unwrap();
    disk.write(file, 5000, b"x");
    assert_eq!(disk.flush(file, 4096..8192), Ok(()));
    assert_eq!(disk.flush(file, 0..8193), Err(DiskError::Invalid));
    assert_eq!(disk.flush(FileId(9), 0..1), Err(DiskError::NotFound));
}

#[test]
fn a_second_process_is_kept_out_by_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = MmapDisk::new(folder.path()).unwrap();
    first.lock("lock").unwrap();
    let mut second = MmapDisk::new(folder.path()).unwrap();
    assert_eq!(second.lock("lock"), Err(DiskError::Locked));
    drop(first);
    assert_eq!(second.lock("lock"), Ok(()));
}
