use super::*;
use crate::lab::sim::disk::power::{ContentFate, PageFate, SECTORS};
use crate::mq::disk::{Burnt, Disk};
use crate::mq::time::Span;

fn disk_of(personality: Personality) -> SimDisk {
    SimDisk::new(&DiskPlan { torn_writes: true, personality, ..DiskPlan::default() })
}

fn disk() -> SimDisk {
    disk_of(Personality::Ordered)
}

/// A file that no power loss takes.
fn safe_file(disk: &mut SimDisk, name: &str, len: u64) -> FileId {
    let file = disk.open(name, len).unwrap();
    flush(disk, file, 0..len);
    file
}

fn flush(disk: &mut SimDisk, file: FileId, range: Range<u64>) {
    disk.begin_flush(99, file, range);
    disk.complete_flush(99).unwrap();
}

fn names(disk: &mut SimDisk) -> Vec<(String, u64)> {
    disk.list("").into_iter().map(|info| (info.name, info.len)).collect()
}

fn lose_all(mut disk: SimDisk) -> SimDisk {
    disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
    disk
}

#[test]
fn a_kill_keeps_what_a_power_loss_takes() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "commitlog/0", 1 << 30);
    disk.write(file, 4090, b"0123456789");
    assert_eq!(disk.bytes(file, 4089..4101), b"\x000123456789\0");
    let mut killed = disk.clone();
    killed.kill();
    assert_eq!(killed.bytes(file, 4090..4100), b"0123456789");
    let loss = disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
    assert_eq!((loss.lost, loss.kept), (2, 0));
    assert_eq!(disk.bytes(file, 4090..4100), [0; 10]);
}

#[test]
fn a_flush_makes_stable_what_the_range_held_when_asked() {
    let mut disk = disk();
    let file = disk.open("f", 8192).unwrap();
    disk.write(file, 0, b"old");
    disk.write(file, 4096, b"out of range");
    disk.begin_flush(7, file, 0..3);
    disk.write(file, 0, b"new");
    assert_eq!(lose_all(disk.clone()).list("f"), [], "a flush under way counts as not returned");
    disk.complete_flush(7).unwrap();
    assert_eq!(disk.bytes(file, 0..3), b"new");
    let mut disk = lose_all(disk);
    assert_eq!(disk.bytes(file, 0..3), b"old");
    assert_eq!(disk.bytes(file, 4096..4099), [0; 3], "exactly the pages of the range");
}

#[test]
fn of_two_flushes_the_later_one_asked_for_stands() {
    let mut disk = disk();
    let file = disk.open("f", 4096).unwrap();
    disk.write(file, 0, b"a");
    disk.begin_flush(1, file, 0..1);
    disk.write(file, 0, b"b");
    disk.begin_flush(2, file, 0..1);
    disk.complete_flush(2).unwrap();
    disk.complete_flush(1).unwrap();
    assert_eq!(disk.dirty_pages(), 0);
    assert_eq!(lose_all(disk).bytes(file, 0..1), b"b");
}

#[test]
fn a_page_survives_as_any_prefix_of_its_stores_torn_at_any_sector() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "f", 8192);
    disk.write(file, 4096, &[9; 4096]);
    flush(&mut disk, file, 0..8192);
    for (at, byte) in [(4096, 1), (4600, 2), (4700, 3)] {
        disk.write(file, at, &[byte; 600]);
    }
    let risk = disk.at_risk();
    let [page] = &risk.pages[..] else { panic!("one dirty page") };
    assert_eq!((page.page, page.stores.len()), (1, 3));
    let version = |stores, sectors| {
        let mut disk = disk.clone();
        let mut chosen = risk.none();
        chosen.pages[0] = PageFate { stores, sectors };
        disk.lose_power(&risk, chosen);
        disk.bytes(file, 4096..8192).to_vec()
    };
    let mut expected = vec![9; 4096];
    assert_eq!(version(0, SECTORS), expected);
    expected[..600].fill(1);
    assert_eq!(version(1, SECTORS), expected);
    expected[504..1104].fill(2);
    assert_eq!(version(2, SECTORS), expected);
    let second = expected.clone();
    expected[604..1204].fill(3);
    assert_eq!(version(3, SECTORS), expected);
    expected[512..].fill(9);
    assert_eq!(version(3, 1), expected);
    expected[..1024].copy_from_slice(&second[..1024]);
    assert_eq!(version(2, 2), expected);
}

#[test]
fn versions_are_had_back_over_pages_that_were_written_and_cut_before() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "f", 4096);
    disk.write(file, 100, b"first");
    let disk = &mut lose_all(disk);
    disk.write(file, 100, b"again");
    disk.write(file, 102, b"XX");
    let risk = disk.at_risk();
    let chosen = risk.until(risk.pages[0].stores[1].number, 0);
    disk.lose_power(&risk, chosen);
    assert_eq!(disk.bytes(file, 100..105), b"again");
    assert!(disk.at_risk().pages.is_empty(), "what is left is stable");
}

#[test]
fn ordered_names_survive_in_order_and_before_stores_that_do() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "log", 4096);
    disk.put("a", b"").unwrap();
    disk.put("b", b"").unwrap();
    disk.write(file, 0, b"x");
    disk.put("c", b"").unwrap();
    assert_eq!(names(&mut lose_all(disk.clone())), [("log".into(), 4096)]);
    let risk = disk.at_risk();
    let left = |change: &dyn Fn(&mut power::Survivors)| {
        let (mut disk, mut chosen) = (disk.clone(), risk.none());
        change(&mut chosen);
        disk.lose_power(&risk, chosen);
        let names: String = names(&mut disk).into_iter().map(|(name, _)| name).collect();
        names
    };
    assert_eq!(left(&|chosen| chosen.names[1] = true), "ablog");
    assert_eq!(left(&|chosen| chosen.names[2] = true), "abclog");
    assert_eq!(left(&|chosen| chosen.pages[0] = risk.pages[0].newest()), "ablog");
}

#[test]
fn the_other_personalities_allow_more_or_less() {
    // Which names are left if only `b`, or only the store between `b` and `c`, is chosen to survive; and the log's first byte.
    let cases = [
        (Personality::Ordered, "ab", "ab"),
        (Personality::Writeback, "ab", ""),
        (Personality::Reordering, "b", ""),
        (Personality::Strict, "ab", "ab"),
    ];
    for (personality, with_b, with_store) in cases {
        let mut disk = disk_of(personality);
        let file = safe_file(&mut disk, "log", 4096);
        disk.write(file, 1, b"w");
        disk.put("a", b"").unwrap();
        disk.put("b", b"").unwrap();
        disk.write(file, 0, b"x");
        disk.put("c", b"").unwrap();
        let risk = disk.at_risk();
        let left = |change: &dyn Fn(&mut power::Survivors)| {
            let (mut disk, mut chosen) = (disk.clone(), risk.none());
            change(&mut chosen);
            disk.lose_power(&risk, chosen);
            let names = names(&mut disk).into_iter().map(|(name, _)| name).filter(|name| name != "log");
            (names.collect::<String>(), disk.bytes(file, 0..2).to_vec())
        };
        let page = if personality == Personality::Strict { b"\0w" } else { b"\0\0" };
        assert_eq!(left(&|chosen| chosen.names[1] = true), (with_b.into(), page.to_vec()), "{personality:?}");
        let newest = |chosen: &mut power::Survivors| chosen.pages[0] = risk.pages[0].newest();
        assert_eq!(left(&newest), (with_store.into(), b"xw".to_vec()), "{personality:?}");
    }
}

#[test]
fn a_flush_commits_names_as_the_personality_does() {
    for (personality, left) in [
        (Personality::Ordered, "fg"),
        (Personality::Writeback, "fg"),
        (Personality::Reordering, "g"),
        (Personality::Strict, "fg"),
    ] {
        let mut disk = disk_of(personality);
        disk.open("f", 4096).unwrap();
        let file = disk.open("g", 4096).unwrap();
        disk.begin_flush(1, file, 0..4096);
        disk.open("h", 4096).unwrap();
        disk.complete_flush(1).unwrap();
        let names: String = names(&mut lose_all(disk)).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, left, "{personality:?}");
    }
}

#[test]
fn a_file_may_be_left_without_its_length_and_is_opened_again() {
    let mut disk = disk();
    disk.open("f", 4096).unwrap();
    let risk = disk.at_risk();
    let mut chosen = risk.none();
    chosen.names[0] = true;
    disk.lose_power(&risk, chosen);
    assert_eq!(names(&mut disk), [("f".into(), 0)]);
    let file = disk.open("f", 4096).unwrap();
    assert_eq!(disk.bytes(file, 0..4096), [0; 4096]);
}

#[test]
fn a_rename_without_a_force_may_leave_an_empty_or_a_short_file() {
    let content = [b'j'; 3000];
    let cases = [
        (Personality::Ordered, ContentFate::Whole, Some(content.to_vec())),
        (Personality::Ordered, ContentFate::Short, Some(vec![b'j'; 1024])),
        (Personality::Ordered, ContentFate::Empty, Some(vec![])),
        (Personality::Ordered, ContentFate::Zeros, Some(vec![])),
        (Personality::Writeback, ContentFate::Zeros, Some(vec![0; 3000])),
        (Personality::Strict, ContentFate::Empty, Some(content.to_vec())),
    ];
    for (personality, fate, expected) in cases {
        let mut disk = disk_of(personality);
        disk.put("c.tmp", &content).unwrap();
        disk.rename("c.tmp", "c").unwrap();
        let risk = disk.at_risk();
        let mut chosen = risk.all();
        chosen.contents[0] = fate;
        disk.lose_power(&risk, chosen);
        assert_eq!(disk.get("c").ok().map(|bytes| bytes.to_vec()), expected, "{personality:?} {fate:?}");
    }
}

#[test]
fn a_removal_is_undone_by_a_power_loss_that_takes_it() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "f", 4096);
    disk.write(file, 0, b"kept");
    flush(&mut disk, file, 0..4096);
    disk.put("j", b"1").unwrap();
    disk.set_time(Time::ZERO + Span::from_secs(40));
    disk.remove("f").unwrap();
    disk.put("j", b"2").unwrap();
    disk.open("f", 8192).unwrap();
    let mut before = lose_all(disk.clone());
    let file = before.open("f", 4096).unwrap();
    assert_eq!(before.bytes(file, 0..4), b"kept");
    assert_eq!(before.get("j").unwrap(), "1", "the kernel had written it back by itself");
    disk.power_loss(Keep::KeepAll, &mut |_| 0);
    assert_eq!(names(&mut disk), [("f".into(), 8192), ("j".into(), 1)]);
}

#[test]
fn policies_choose_what_they_say() {
    let with = |keep| {
        let mut disk = disk();
        let log = safe_file(&mut disk, "commitlog/0", 16_384);
        let queue = safe_file(&mut disk, "consumequeue/t/0/0", 8192);
        disk.put("config/c.json", b"{}").unwrap();
        for page in 0..3 {
            disk.write(log, page * 4096, &[1; 4096]);
            disk.write(queue, (page % 2) * 4096, &[2; 20]);
        }
        disk.write(log, 4096 * 2 + 700, &[3; 2000]);
        disk.power_loss(keep, &mut |_| 0);
        let mut left = |file, at: u64| disk.bytes(file, at..at + 1)[0];
        let mut pages =
            [left(log, 0), left(log, 4096), left(log, 8192), left(log, 8192 + 1023), left(log, 8192 + 1024)].to_vec();
        pages.extend([left(queue, 0), left(queue, 4096)]);
        (pages, disk.get("config/c.json").ok().map(|bytes| bytes.len()))
    };
    assert_eq!(with(Keep::LoseAllUnsynced), (vec![0; 7], None));
    assert_eq!(with(Keep::KeepAll), (vec![1, 1, 1, 3, 3, 2, 2], Some(2)));
    assert_eq!(with(Keep::LogLostJsonKept), (vec![0, 0, 0, 0, 0, 2, 2], Some(2)));
    // The file system's order keeps the name of what came before the log's pages: it is found empty.
    assert_eq!(with(Keep::JsonLostLogKept), (vec![1, 1, 1, 3, 3, 2, 2], Some(0)));
    assert_eq!(with(Keep::LastPageOnly), (vec![0, 0, 1, 3, 3, 0, 2], Some(2)));
    assert_eq!(with(Keep::EvenPagesOnly), (vec![1, 0, 1, 3, 3, 2, 0], Some(2)));
    assert_eq!(with(Keep::HeaderKeptBodyLost), (vec![1, 1, 1, 3, 0, 2, 0], Some(2)));
}

#[test]
fn a_uniform_choice_reaches_every_version() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "f", 4096);
    for number in 0..4u8 {
        disk.write(file, 0, &[number + 1]);
    }
    let mut seen = BTreeSet::new();
    for course in 0..64u64 {
        let (mut disk, mut left) = (disk.clone(), course);
        disk.power_loss(Keep::Uniform, &mut |below| {
            let got = left % below;
            left /= below;
            got
        });
        seen.insert(disk.bytes(file, 0..1)[0]);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_copy_shares_pages_until_one_of_them_writes() {
    let mut disk = disk();
    let file = disk.open("f", 4096).unwrap();
    disk.write(file, 0, b"a");
    let mut copy = disk.clone();
    disk.write(file, 0, b"b");
    assert_eq!(copy.bytes(file, 0..1), b"a");
    assert_eq!(disk.bytes(file, 0..1), b"b");
}

#[test]
fn the_fuse_burns_at_the_change_it_was_cut_for() {
    let mut disk = disk();
    let file = disk.open("f", 4096).unwrap();
    disk.set_fuse(Some(1));
    disk.write(file, 0, b"a");
    let mut burning = disk.clone();
    let death = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| burning.write(file, 1, b"b")));
    assert!(death.unwrap_err().is::<Burnt>());
    assert_eq!(burning.bytes(file, 0..2), b"a\0");
}

#[test]
fn images_show_what_is_seen_and_the_worst_that_can_be_left() {
    let mut disk = disk();
    let file = safe_file(&mut disk, "log", 4096);
    disk.write(file, 0, b"x");
    disk.put("j", b"{}").unwrap();
    disk.rename("log", "log2").unwrap();
    let (cached, stable) = (disk.cached_image(), disk.stable_image());
    assert_eq!(cached.files.keys().collect::<Vec<_>>(), ["j", "log2"]);
    assert_eq!(cached.files["log2"].read(0..1), b"x");
    assert_eq!(stable.files.keys().collect::<Vec<_>>(), ["log"]);
    assert_eq!(stable.files["log"].read(0..1), b"\0");
}
