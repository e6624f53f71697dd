//! A guided hunt runs of every few seeds the one that promises most, and says the same with any number of threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use mqlab::lab::explore::hunt::guide::Choice;
use mqlab::lab::explore::hunt::report::{Line, Report};
use mqlab::lab::explore::hunt::{self, Campaign, Ground, Nobody, Watch};
use mqlab::lab::explore::swarm::Bounds;

/// Small ones, so that borders come soon.
const CHOICE: Choice = Choice { row: 3, generation: 6 };
const SEEDS: Range<u64> = 600_000..600_052;
/// Rows of three; the last has one seed.
const RUNS: u64 = 18;

fn campaign() -> Campaign {
    let profile = "rocketmq-4.3.2".to_owned();
    Campaign { ground: Ground::Drawn, bounds: Bounds::default(), profile, guided: Some(CHOICE) }
}

/// Somebody who writes down what is done, and stops after so many.
struct Clerk {
    lines: Mutex<BTreeMap<u64, Line>>,
    stops_after: usize,
}

impl Clerk {
    fn new(stops_after: usize) -> Clerk {
        Clerk { lines: Mutex::default(), stops_after }
    }

    fn seeds(&self) -> Vec<u64> {
        self.lines.lock().unwrap().keys().copied().collect()
    }
}

impl Watch for Clerk {
    fn done(&self, line: &Line) {
        self.lines.lock().unwrap().insert(line.seed, line.clone());
    }

    fn stops(&self) -> bool {
        self.stops_after <= self.lines.lock().unwrap().len()
    }
}

#[test]
fn a_guided_report_is_the_same_with_any_number_of_threads_and_stops_without_a_gap() {
    let all = Clerk::new(usize::MAX);
    let one = hunt::hunt(&campaign(), SEEDS, 1, &all);
    let seeds = all.seeds();
    assert_eq!((one.seeds, seeds.len() as u64), (RUNS, RUNS));
    for (row, seed) in (0..).zip(&seeds) {
        assert_eq!((seed - SEEDS.start) / CHOICE.row, row, "one of each row");
    }
    let is_first = |seed: &u64| (seed - SEEDS.start).is_multiple_of(CHOICE.row);
    let (before, behind) = seeds.split_at(CHOICE.generation as usize);
    assert!(before.iter().all(is_first), "nothing is known in the first generation: {before:?}");
    assert!(3 < behind.iter().filter(|seed| !is_first(seed)).count(), "behind the border there is choice: {behind:?}");

    assert_eq!(one, hunt::hunt(&campaign(), SEEDS, 2, &Nobody));
    assert_eq!(one, hunt::hunt(&campaign(), SEEDS, 3, &Nobody));

    // In the middle of a generation; and with threads that wait at a border for what nobody runs any more.
    for (jobs, stops_after) in [(3, 9), (8, 4), (1, 0)] {
        let clerk = Clerk::new(stops_after);
        let stopped = hunt::hunt(&campaign(), SEEDS, jobs, &clerk);
        assert!(stopped.seeds < RUNS && stopped.seeds <= clerk.seeds().len() as u64, "{}", stopped.seeds);
        let mut until_then = Report::default();
        let lines = seeds[..stopped.seeds as usize].iter().map(|seed| all.lines.lock().unwrap()[seed].clone());
        lines.for_each(|line| until_then.take(line));
        assert_eq!(stopped, until_then, "{jobs} threads");
    }
}

#[test]
fn a_seed_that_was_chosen_is_a_plain_one() {
    let plain = Campaign { guided: None, ..campaign() };
    let seed = SEEDS.start + 25;
    assert_eq!(hunt::plan(&plain, seed), hunt::plan(&campaign(), seed));
    let single = hunt::hunt(&campaign(), seed..seed + 1, 1, &Nobody);
    assert_eq!(single, hunt::hunt(&plain, seed..seed + 1, 1, &Nobody), "of one seed there is no choice");
}

#[test]
fn parts_of_a_guided_hunt_are_merged_and_what_is_missing_is_asked_for_in_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let mqlab = |args: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("mqlab").unwrap();
        let output = command.current_dir(folder.path()).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let part = |which: &str, more: &[&str]| {
        let asked = ["hunt", "26-hunt", "--seeds", "600000..600040", "--shard", which, "--out", "parts"];
        mqlab(&[&asked[..], more].concat())
    };
    let merged = || mqlab(&["hunt", "merge", "parts", "--no-shrink", "--format", "json"]);
    // Rows of eight, eight and four.
    assert!(part("0/2", &["--guided"]).1.contains("part 0 of 2, 3 seeds"));
    let (_, said) = merged();
    assert!(said.contains("part 1 of 2 is missing: seeds 600020..600040"), "{said}");
    assert!(said.contains("26-hunt --guided --seeds 600000..600040 --shard 1/2"), "{said}");
    part("1/2", &["--guided", "-j", "2"]);
    let (report, said) = merged();
    assert_eq!((serde_json::from_str::<Report>(&report).unwrap().seeds, said.as_str()), (6, ""));

    // A plain part is of another hunt.
    std::fs::remove_file(folder.path().join("parts/shard-1-of-2.json")).unwrap();
    part("1/2", &[]);
    let (_, said) = merged();
    assert!(said.contains(".json: --guided\n"), "{said}");

    let (_, said) = mqlab(&["hunt", "01-first-message", "--guided"]);
    assert!(said.contains("run as it is written") && said.contains("help:"), "{said}");
}
