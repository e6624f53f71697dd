//! The catalogue of faults: each kind changes what happens, ends, does the same twice, and leaves everybody else's draws as
//! they are.

use std::collections::{BTreeMap, BTreeSet};

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::fault::episode::Trigger;
use mqlab::lab::locale::{Lang, faults};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::record::{Fault, Level, Machine, Record, What};
use mqlab::lab::view::lines::{self, Handles};
use mqlab::mq::time::Time;

pub mod rows;
mod streams;

use rows::{ROWS, Row};

/// A shop sends 120 orders, one every 100 ms from 2 s on, a post office delayed ones, and each of them one more long after.
const BASE: &str = r#"
format = 1
id = "faults"
seed = 11
until = "150s"
title.en = "Faults"
title.zh = "故障"

[cluster]
nameserver = 2

[[broker]]
name = "broker-a"
flush = "sync"
commit_log_file_size = 65536
consume_queue_file_size = 4000

[[broker]]
name = "broker-b"
flush = "sync"
commit_log_file_size = 65536
consume_queue_file_size = 4000

[[topic]]
name = "orders"
queues = 2

[[producer]]
name = "shop"
group = "shop-producers"
start = "1s"
[[producer.send]]
topic = "orders"
wait = "1s"
count = 120
every = "100ms"
key = "order-{n}"
size = 500
[[producer.send]]
topic = "orders"
wait = "100s"
count = 1
key = "last-{n}"

[[producer]]
name = "post"
group = "post-producers"
start = "1s"
[[producer.send]]
topic = "orders"
wait = "1s"
count = 20
every = "300ms"
key = "parcel-{n}"
delay_level = 1

[[consumer]]
name = "billing"
group = "billing"
subscribe = { orders = "*" }
from = "first"
start = "1s"

[[consumer]]
name = "billing-2"
group = "billing"
subscribe = { orders = "*" }
from = "first"
start = "6s"
"#;

pub fn scenario(faults: &str) -> Scenario {
    let text = format!("{BASE}\n{faults}");
    load("faults.toml", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"))
}

pub fn sick(row: &Row) -> Scenario {
    scenario(&format!("{}\n[[fault]]\nname = \"sick\"\n{}\n", row.others, row.fault))
}

fn run(plan: &Plan) -> RunResult {
    let run = Session::run(plan, Level::Full);
    assert!(run.panics.is_empty(), "{:?}", run.panics);
    run
}

fn told(run: &RunResult, lang: Lang) -> Vec<String> {
    let handles = Handles::of(&run.trace);
    lines::of(&run.trace, &handles, lang).into_iter().map(|line| format!("{}: {}", line.actor, line.text)).collect()
}

/// Draws by stream and ordinal.
fn draws(run: &RunResult) -> BTreeMap<(String, u64), (u64, u64)> {
    let drawn = run.trace.records().iter().filter_map(|record| match &record.what {
        What::Rolled { stream, ordinal, of, got } => Some(((stream.to_string(), *ordinal), (*of, *got))),
        _ => None,
    });
    drawn.collect()
}

/// What happened beside the fault's own notes: who, what, when.
fn events(run: &RunResult) -> Vec<String> {
    let own = |record: &&Record| {
        !matches!(
            record.what,
            What::Fault(_)
                | What::Rolled { .. }
                | What::Machine(
                    Machine::ClockBent { .. }
                        | Machine::ServicePaused { .. }
                        | Machine::ServiceResumed { .. }
                        | Machine::WallStepped { .. }
                )
        )
    };
    let records = run.trace.records().iter().filter(own);
    records.map(|record| format!("{} {:?} {} {}", record.at, record.node, record.wall.0, record.what.kind())).collect()
}

fn has(run: &RunResult, (kind, part): (&str, &str)) -> bool {
    let mut records = run.trace.records().iter();
    records.any(|record| record.what.kind() == kind && (part.is_empty() || format!("{:?}", record.what).contains(part)))
}

/// Draws that two runs made at the same place are the same draws; gives how many there are.
fn agree(name: &str, one: &BTreeMap<(String, u64), (u64, u64)>, other: &BTreeMap<(String, u64), (u64, u64)>) -> usize {
    let mut same = 0;
    for (place, (of, got)) in one {
        if let Some((other_of, other_got)) = other.get(place)
            && of == other_of
        {
            assert_eq!(got, other_got, "{name}: {place:?}");
            same += 1;
        }
    }
    same
}

#[test]
fn every_kind_of_fault_has_its_row() {
    let ids: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
    assert_eq!((ids.len(), ROWS.len()), (rows::KINDS, rows::KINDS));
    for row in ROWS {
        let plan = sick(row).plan;
        let episode = plan.episodes.iter().find(|episode| episode.name == "sick").unwrap();
        assert_eq!(rows::id(&episode.kind), row.id);
    }
}

#[test]
fn each_fault_changes_what_happens_ends_and_shifts_nobodys_draws() {
    let mut failed = Vec::new();
    let mut healthy: BTreeMap<&str, RunResult> = BTreeMap::new();
    for row in ROWS {
        let name = row.id;
        let twin = healthy.entry(row.others).or_insert_with(|| run(&scenario(row.others).plan));
        let plan = sick(row).plan;
        let run = run(&plan);
        // It changes what happens, and what is its own is seen.
        if run.digest == twin.digest || events(&run) == events(twin) {
            failed.push(format!("{name}: nothing else happens"));
        }
        for &seen in row.seen {
            if !has(&run, seen) || has(twin, seen) {
                failed.push(format!("{name}: {seen:?}: {}, without it {}", has(&run, seen), has(twin, seen)));
            }
        }
        // It ends, and what is sent long after it succeeds.
        let ended = run
            .trace
            .records()
            .iter()
            .any(|record| matches!(&record.what, What::Fault(Fault::Ended { name }) if name == "sick"));
        if ended == row.once {
            failed.push(format!("{name}: ended {ended}"));
        }
        let lines = told(&run, Lang::En);
        if !lines.iter().any(|line| line.contains("SEND_OK") && line.contains("last-1")) {
            let sends: Vec<_> = lines.iter().filter(|line| line.contains("last-1")).collect();
            failed.push(format!("{name}: the last order is not acknowledged: {sends:?}"));
        }
        // Every run is judged, whatever has happened in it.
        let broken = check::run(&run.trace, &plan).into_iter();
        let broken = broken.filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Inconclusive { .. }));
        println!("{name}: {:?}", broken.map(|finding| finding.id).collect::<Vec<_>>());
        // It does the same twice.
        if Session::run(&plan, Level::Digest).digest != run.digest {
            failed.push(format!("{name}: not reproducible"));
        }
        // A draw that both runs make gives both the same; the roads' own are among them.
        let (with, without) = (draws(&run), draws(twin));
        agree(name, &with, &without);
        let roads = |draws: &BTreeMap<(String, u64), (u64, u64)>| {
            draws.iter().filter(|((stream, _), _)| stream.starts_with("link/")).map(|(k, v)| (k.clone(), *v)).collect()
        };
        let shared = agree(name, &roads(&with), &roads(&without));
        if shared < 1_000 {
            failed.push(format!("{name}: only {shared} draws of roads are shared"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_fault_that_never_begins_leaves_every_record_as_it_is() {
    let mut healthy: BTreeMap<&str, RunResult> = BTreeMap::new();
    for row in ROWS {
        let twin = healthy.entry(row.others).or_insert_with(|| run(&scenario(row.others).plan));
        let mut plan = sick(row).plan;
        for episode in plan.episodes.iter_mut().filter(|episode| episode.name == "sick") {
            episode.trigger = Trigger::At(Time(u64::MAX - 1));
        }
        let run = run(&plan);
        let (idle, never) = (draws(&run), draws(twin));
        assert_eq!(idle, never, "{}", row.id);
        // A twin's machine is there, and its empty disk is recorded at the end.
        if row.id != "twin" {
            assert_eq!(run.digest, twin.digest, "{}", row.id);
        }
    }
}

/// Every fault that draws, one after the other and all at once: each draws what it draws alone.
#[test]
fn no_fault_shifts_what_another_one_draws() {
    let verbs = [
        "latency = { from = \"shop\", mean = \"10ms\" }",
        "stall = { from = \"shop\", odds = \"1 in 10\" }",
        "stall = { from = \"shop\", odds = \"1 in 12\" }",
        "clog = { odds = \"1 in 50\", mean = \"100ms\" }",
        "datagram = { from = \"billing\", drop = \"1 in 30\", twice = \"1 in 30\" }",
        "resets = { from = \"post\", every = \"1s\" }",
        "flap = { from = \"billing-2\", to = \"broker-b\", down = \"200ms\", cycles = 3 }",
        "refuse-connect = { odds = \"1 in 3\" }",
        "slow-accept = { to = \"broker-b\", by = \"10ms..90ms\" }",
    ];
    // No fault has a name: a number in the file is not what its draws are addressed by.
    let file = |verbs: &[&str]| -> String {
        verbs.iter().map(|verb| format!("[[fault]]\nat = \"500ms\"\nlasts = \"9s\"\n{verb}\n")).collect()
    };
    let all = draws(&run(&scenario(&file(&verbs)).plan));
    for (place, verb) in verbs.iter().enumerate() {
        let name = verb.split(' ').next().unwrap();
        // The second of two with one verb and one target is told apart by its place among them.
        let (kept, stream) = match place {
            2 => (vec![verbs[1], verb], format!("fault/{name}#2/")),
            _ => (vec![*verb], format!("fault/{name}/")),
        };
        let alone = draws(&run(&scenario(&file(&kept)).plan));
        let own = alone.iter().filter(|((path, _), _)| path.starts_with(&stream)).map(|(k, v)| (k.clone(), *v));
        let own: BTreeMap<_, _> = own.collect();
        assert!(agree(verb, &own, &all) >= 3, "{verb}: {} draws of its own", own.len());
    }
}

#[test]
fn every_fault_is_told_in_both_languages() {
    for row in ROWS {
        let run = run(&sick(row).plan);
        for lang in [Lang::En, Lang::Zh] {
            let lines = told(&run, lang);
            assert!(lines.iter().any(|line| line.starts_with("FAULT: ")), "{}", row.id);
            for line in lines.iter().filter(|line| line.contains('{')) {
                assert!(!line.contains("{rate}") && !line.contains("{service}") && !line.contains("{how}"), "{line}");
            }
        }
    }
    let run = run(&sick(ROWS.iter().find(|row| row.id == "replace").unwrap()).plan);
    assert!(told(&run, Lang::Zh).iter().any(|line| line == "broker-a: 磁盘换成空盘"));
}

/// Names of nodes, files and settings, and what is called so in both languages.
#[test]
fn a_fault_that_begins_is_told_in_chinese_without_a_word_of_english() {
    let own = [
        "Broker",
        "NameServer",
        "TCP",
        "ppm",
        "ms",
        "us",
        "s",
        "B",
        "MiB",
        "commitlog",
        "consumequeue",
        "first",
        "last",
    ];
    for row in ROWS {
        let plan = sick(row).plan;
        let names: BTreeSet<&str> = plan.nodes.iter().map(|node| node.name.as_str()).chain(own).collect();
        for episode in &plan.episodes {
            let said = faults::fault(&episode.kind.sentence(), Lang::Zh);
            assert!(!said.is_ascii(), "{}: {said}", row.id);
            let is_part = |c: char| !(c.is_ascii_alphanumeric() || "-./=_".contains(c));
            for word in said.split(is_part).filter(|word| word.chars().any(|c| c.is_ascii_alphabetic())) {
                let bare = word.trim_start_matches(|c: char| c.is_ascii_digit() || ".-".contains(c));
                let is_name = names.contains(bare) || word.contains(['=', '/']) || word == "config" || word == "cut";
                assert!(is_name, "{}: `{word}` in `{said}`", row.id);
            }
        }
    }
}

#[test]
fn two_latencies_of_one_road_take_its_own_away_once() {
    let slow = "lasts = \"20s\"\nlatency = { from = \"shop\", to = \"broker-a\", min = \"1ms\", mean = \"2ms\" }";
    let faults =
        format!("[[fault]]\nname = \"one\"\nat = \"3s\"\n{slow}\n[[fault]]\nname = \"two\"\nat = \"4s\"\n{slow}\n");
    let sets = vec!["cluster.network.latency=\"9ms..10ms\"".to_owned()];
    let changes = Overrides { sets, ..Overrides::default() };
    let scenario = load("faults.toml", format!("{BASE}\n{faults}").as_bytes(), &changes);
    let run = run(&scenario.unwrap_or_else(|report| panic!("{report}")).plan);
    // A parcel that came before it left would put the clock of the world back.
    assert!(run.trace.records().is_sorted_by_key(|record| record.at));
}
