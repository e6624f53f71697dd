//! Disk faults on a running broker: each does to the engine what it is there for, is told in both languages, heals, and
//! shifts nobody's draws.

use std::collections::BTreeMap;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::fault::device::Field;
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::record::{Level, Record, What};
use mqlab::lab::view::lines::{self, Handles};

mod cases;

/// A shop sends 40 orders, one every 100 ms from 2 s on; the broker stays up unless a fault takes it down.
const BASE: &str = r#"
format = 1
id = "device"
seed = 7
until = "60s"
title.en = "A disk"
title.zh = "磁盘"

[[broker]]
name = "broker-a"
commit_log_file_size = 16384
consume_queue_file_size = 4000
flush = "sync"

[[topic]]
name = "orders"
queues = 1

[[producer]]
name = "shop"
group = "shop-producers"
start = "1s"
retries = 0
timeout = "10s"
[[producer.send]]
topic = "orders"
wait = "1s"
count = 40
every = "100ms"
key = "order-{n}"
body = "order {n} of the shop"
size = 600

[[consumer]]
name = "billing"
group = "billing"
subscribe = { orders = "*" }
from = "first"
start = "1s"
"#;

/// The base with something changed, and faults behind it.
pub fn scenario(changes: &[(&str, &str)], faults: &str) -> Scenario {
    let mut text = BASE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "`{from}` is not in the scenario");
        text = text.replacen(from, to, 1);
    }
    text.push_str(faults);
    load("device.toml", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}"))
}

pub fn run(scenario: &Scenario) -> RunResult {
    let run = Session::run(&scenario.plan, Level::Full);
    assert!(run.panics.is_empty(), "{:?}", run.panics);
    run
}

/// Every sentence of a run with who says it.
pub fn told(run: &RunResult, lang: Lang) -> Vec<String> {
    let handles = Handles::of(&run.trace);
    lines::of(&run.trace, &handles, lang).into_iter().map(|line| format!("{}: {}", line.actor, line.text)).collect()
}

/// Draws by stream and ordinal; a fault's own are left out.
fn draws(run: &RunResult) -> BTreeMap<(String, u64), (u64, u64)> {
    let drawn = run.trace.records().iter().filter_map(|record| match &record.what {
        What::Rolled { stream, ordinal, of, got } if !stream.starts_with("fault/") => {
            Some(((stream.to_string(), *ordinal), (*of, *got)))
        }
        _ => None,
    });
    drawn.collect()
}

/// What a record says, without its place in the trace; a fault's own are left out.
fn said(record: &Record) -> Option<String> {
    let own = match &record.what {
        What::Fault(_) => true,
        What::Rolled { stream, .. } => stream.starts_with("fault/"),
        _ => false,
    };
    (!own).then(|| format!("{} {:?} {:?}", record.at, record.node, record.what))
}

/// The guarantees that a run breaks, of those by which every run is judged.
fn broken(run: &RunResult, scenario: &Scenario) -> Vec<String> {
    let findings = check::run(&run.trace, &scenario.plan).into_iter();
    let broken = findings.filter(|finding| !matches!(finding.verdict, Verdict::Pass | Verdict::Inconclusive { .. }));
    broken.map(|finding| format!("{} {}", finding.id, finding.verdict.as_str())).collect()
}

#[test]
fn each_fault_does_to_the_engine_what_it_is_there_for() {
    let mut failed = Vec::new();
    for case in cases::CASES {
        let (sick_plan, twin_plan) = (scenario(case.changes, case.faults), scenario(case.changes, case.others));
        let (sick, twin) = (run(&sick_plan), run(&twin_plan));
        let (sick_told, twin_told) = (told(&sick, Lang::En), told(&twin, Lang::En));
        let name = case.name;
        let says = |told: &[String], part: &str| told.iter().any(|line| line.contains(part));
        let wrong = [
            case.told.iter().chain(case.only).filter(|part| !says(&sick_told, part)).collect::<Vec<_>>(),
            case.only.iter().filter(|part| says(&twin_told, part)).collect(),
            case.never.iter().filter(|part| says(&sick_told, part)).collect(),
        ];
        assert_eq!(broken(&twin, &twin_plan), [""; 0], "{name}: the twin keeps every promise");
        let broken = broken(&sick, &sick_plan);
        if broken != case.breaks {
            failed.push(format!("{name}: breaks {broken:?}, not {:?}", case.breaks));
        }
        if wrong.iter().any(|parts| !parts.is_empty()) {
            println!("{}", sick_told.join("\n"));
            failed.push(format!("{name}: missing, said by the twin, forbidden: {wrong:?}"));
        }
        assert!(!says(&twin_told, "DISK: "), "{name}: the twin's disk is whole");
        // A draw that both runs make gives both the same.
        let (sick_draws, twin_draws) = (draws(&sick), draws(&twin));
        for (place, (of, got)) in &sick_draws {
            if let Some((twin_of, twin_got)) = twin_draws.get(place)
                && of == twin_of
            {
                assert_eq!(got, twin_got, "{name}: {place:?}");
            }
        }
        // In Chinese as well, with no English reason left.
        let chinese = told(&sick, Lang::Zh);
        let struck = sick.trace.records().iter().filter(|record| record.what.kind() == "disk-fault").count();
        let strikes: Vec<_> = chinese.iter().filter(|line| line.contains("磁盘故障：")).collect();
        assert_eq!(strikes.len(), struck, "{name}");
        if struck == 0 && !case.silent {
            failed.push(format!("{name}: nothing struck"));
        }
        for line in strikes {
            let what = line.split("磁盘故障：").nth(1).unwrap().split('，').next().unwrap();
            assert!(!what.is_ascii(), "{name}: `{what}` is not Chinese");
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_bit_flipped_in_any_field_is_survived_and_gone_when_it_heals() {
    for (field, _) in Field::ALL {
        for seed in 1..=3 {
            let fault = format!(
                "[[fault]]\nname = \"sick\"\nat = \"64s\"\nlasts = \"6s\"\n\
                 bit-flip = {{ node = \"broker-a\", field = \"{field}\" }}\n\
                 [[fault]]\nat = \"65s\"\nkill = {{ node = \"broker-a\" }}\n\
                 [[fault]]\nat = \"67s\"\nrestart = {{ node = \"broker-a\" }}\n\
                 [[fault]]\nat = \"75s\"\nrestart = {{ node = \"broker-a\" }}\n"
            );
            // The first thorough pass, which writes the checkpoint, comes after a minute.
            let mut scenario = scenario(&[("until = \"60s\"", "until = \"90s\"")], &fault);
            scenario.plan.seed = seed;
            let run = run(&scenario);
            let told = told(&run, Lang::En);
            let says = |part: &str| told.iter().filter(|line| line.contains(part)).count();
            assert_eq!(says("DISK: a bit is flipped at rest"), 1, "{field}, seed {seed}");
            assert!(says("broker-a: booted") >= 2, "{field}, seed {seed}: {told:#?}");
        }
    }
}

#[test]
fn a_fault_that_strikes_nobody_leaves_every_other_record_as_it_is() {
    let healthy = run(&scenario(&[], ""));
    let before: Vec<String> = healthy.trace.records().iter().filter_map(said).collect();
    let never = "nth = 1000000000";
    let rare = "odds = \"1 in 1000000000000\"";
    for fault in [
        format!("io-error = {{ node = \"broker-a\", {never} }}"),
        format!("map-error = {{ node = \"broker-a\", {rare} }}"),
        format!("sync-error = {{ node = \"broker-a\", {rare} }}"),
        format!("slow-sync = {{ node = \"broker-a\", {never} }}"),
        "slow-disk = { node = \"broker-a\", file = \"abort\" }".to_owned(),
        format!("read-flip = {{ node = \"broker-a\", {rare} }}"),
        format!("misdirected = {{ node = \"broker-a\", on = \"read\", {never} }}"),
        format!("lost-write = {{ node = \"broker-a\", {rare} }}"),
        format!("refuse = {{ node = \"broker-a\", on = \"map\", {rare} }}"),
    ] {
        let run = run(&scenario(&[], &format!("[[fault]]\nname = \"idle\"\nat = \"1500ms\"\n{fault}\n")));
        let after: Vec<String> = run.trace.records().iter().filter_map(said).collect();
        let differs = before.iter().zip(&after).position(|(before, after)| before != after);
        assert_eq!(differs, None, "{fault}: {:?}", differs.map(|at| (&before[at], &after[at])));
        assert_eq!(before.len(), after.len(), "{fault}");
    }
}

#[test]
fn no_fault_shifts_what_another_one_draws() {
    let fault = |name: &str, verb: &str| format!("[[fault]]\nname = \"{name}\"\nat = \"1500ms\"\n{verb}\n");
    let lost = fault("lost", "lost-write = { node = \"broker-a\", odds = \"1 in 7\" }");
    let first = fault("first", "sync-error = { node = \"broker-a\", odds = \"1 in 5\" }");
    let second = fault("second", "sync-error = { node = \"broker-a\", odds = \"1 in 3\", personality = \"xfs\" }");
    let draws = |faults: &str, of: &str| -> Vec<u64> {
        let run = run(&scenario(&[], faults));
        let stream = format!("fault/{of}/broker-a");
        let rolled = run.trace.records().iter().filter_map(|record| match &record.what {
            What::Rolled { stream: from, got, .. } if *from == *stream => Some(*got),
            _ => None,
        });
        rolled.collect()
    };
    let all = [first.clone(), second.clone(), lost.clone()].concat();
    let alone = draws(&second, "second");
    assert!(alone.len() > 40);
    assert_eq!(draws(&all, "second"), alone);
    assert_eq!(draws(&all, "lost"), draws(&lost, "lost"));
}

#[test]
fn the_same_plan_gives_the_same_digest_with_every_fault() {
    for case in cases::CASES {
        let plan = scenario(case.changes, case.faults).plan;
        let (first, second) = (Session::run(&plan, Level::Full), Session::run(&plan, Level::Digest));
        assert_eq!(first.digest, second.digest, "{}", case.name);
    }
}
