//! K02: what becomes of a pair whose master has lost the end of its log, as released and repaired; and G65 while it runs.

use mqlab::lab::check::{self, Finding, Verdict};
use mqlab::lab::explore::hunt::blame;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, DiskEvent, Level, Record, Road, What};
use mqlab::mq::app::Return;
use mqlab::mq::time::{Span, Time};

/// A pair and what befalls it.
fn plan(master: &str, slave: &str, faults: &str) -> Plan {
    let script = format!(
        r#"
format = 1
id = "repaired"
until = "150s"
title.en = "A tail"
title.zh = "尾部"

[[broker]]
name = "broker-a"
{master}
commit_log_file_size = 16384
consume_queue_file_size = 2000
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"
commit_log_file_size = 16384
consume_queue_file_size = 2000
{slave}

[[topic]]
name = "orders"
queues = 2

[[producer]]
name = "shop"
group = "shop-producers"
start = "15s"
retries = 0
[[producer.send]]
topic = "orders"
key = "order-{{n}}"
body = "order {{n}}"
size = 400
count = 600
every = "200ms"
{faults}
"#
    );
    let loaded = load("repaired.toml", script.as_bytes(), &Overrides::default());
    let mut plan = loaded.unwrap_or_else(|report| panic!("{:#?}", report.problems)).plan;
    let expect = |check: Check| Expect { id: check.name().into(), check, outcome: Outcome::Holds };
    plan.expects =
        [Check::ReplicaPrefix, Check::AckedDurability, Check::AckHonest, Check::LogWellFormed].map(expect).into();
    plan
}

const OUTAGE: &str = r#"
[[fault]]
name = "outage"
at = "nth(70):append"
power-loss = { node = "broker-a" }
[[fault]]
name = "return"
at = "after:power-lost + 3s"
restart = { node = "broker-a" }
"#;

/// The master's machine gets a disk of some seconds ago.
const RESTORED: &str = r#"
[[fault]]
name = "old"
at = "40s"
restore = { node = "broker-a", age = "8s" }
"#;

fn repaired(plan: &Plan) -> Plan {
    let mut repaired = plan.clone();
    assert!(repaired.profile.set("K02", true));
    repaired
}

fn trace(plan: &Plan) -> Trace {
    Session::run(plan, Level::History).trace
}

fn findings(plan: &Plan) -> Vec<Finding> {
    check::run(&trace(plan), plan)
}

/// How often a send was told `SEND_OK` behind some second.
fn told_ok(trace: &Trace, second: u64) -> usize {
    let ok = |record: &&Record| {
        matches!(&record.what, What::App(App::Returned(answer))
            if matches!(&**answer, Return::Sent { result, .. } if result.status.as_str() == "SEND_OK"))
    };
    trace.records().iter().filter(ok).filter(|record| second * 1_000 < record.at.as_millis()).count()
}

#[test]
fn nothing_parts_a_repaired_pair_whose_master_loses_its_power() {
    let mut parted = 0;
    for flush in ["async", "sync"] {
        for role in ["async-master", "sync-master"] {
            let master = format!("flush = \"{flush}\"\nrole = \"{role}\"");
            for seed in 0..30 {
                let released = Plan { seed, ..plan(&master, "", OUTAGE) };
                let fixed = repaired(&released);
                let trace = trace(&fixed);
                for finding in check::run(&trace, &fixed).iter().filter(|finding| finding.asked) {
                    let (id, summary) = (&finding.id, &finding.summary.en);
                    assert_eq!(finding.verdict, Verdict::Pass, "{flush} {role} {seed} {id}: {summary}");
                }
                assert!(100 < told_ok(&trace, 45), "{flush} {role} {seed}: {}", told_ok(&trace, 45));
                if seed < 5 {
                    let finding = findings(&released).remove(0);
                    assert!(!matches!(finding.verdict, Verdict::Violation { .. }), "{finding:?}");
                    parted += u32::from(matches!(finding.verdict, Verdict::Known { weakness: 2, .. }));
                }
            }
        }
    }
    assert!(5 < parted, "as released, some part for good: {parted}");
}

#[test]
fn what_parts_a_synchronous_pair_is_called_k02_by_an_experiment() {
    let mut tagged = 0;
    for seed in 0..30 {
        let released = Plan { seed, ..plan("flush = \"async\"\nrole = \"sync-master\"", "", OUTAGE) };
        for finding in findings(&released).iter().filter(|finding| finding.asked && finding.verdict != Verdict::Pass) {
            if matches!(finding.verdict, Verdict::Inconclusive { .. }) {
                continue;
            }
            let tag = blame::tag(&released, finding);
            assert_eq!(tag.as_deref(), Some("K02"), "seed {seed}: {} {}", finding.id, finding.summary.en);
            tagged += 1;
        }
    }
    assert!(3 < tagged, "{tagged}");
}

#[test]
fn a_slave_that_is_ahead_of_a_restored_master_gives_up_what_is_not_its_masters() {
    for role in ["async-master", "sync-master"] {
        for seed in 0..10 {
            let released = Plan { seed, ..plan(&format!("role = \"{role}\""), "", RESTORED) };
            let finding = findings(&released).remove(0);
            assert!(matches!(finding.verdict, Verdict::Known { weakness: 2, .. }), "{role} {seed}: {finding:?}");
            let fixed = repaired(&released);
            let trace = trace(&fixed);
            let finding = check::run(&trace, &fixed).remove(0);
            assert_eq!(finding.verdict, Verdict::Pass, "{role} {seed}: {}", finding.summary.en);
            let log = check::run(&trace, &fixed).remove(3);
            assert_eq!(log.verdict, Verdict::Pass, "{role} {seed}: {}", log.summary.en);
            assert!(50 < told_ok(&trace, 100), "{role} {seed}: {}", told_ok(&trace, 100));
        }
    }
}

/// The trace with each record changed, or left out.
fn damaged(trace: &Trace, mut change: impl FnMut(Record) -> Option<Record>) -> Trace {
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        if let Some(record) = change(record.clone()) {
            twin.push(record);
        }
    }
    twin
}

fn clause(trace: &Trace, plan: &Plan) -> Option<&'static str> {
    match check::run(trace, plan).remove(0).verdict {
        Verdict::Pass => None,
        Verdict::Violation { clause, .. } => Some(clause),
        other => panic!("{other:?}"),
    }
}

fn is_store_of(record: &Record, trace: &Trace, node: &str) -> bool {
    record.node == trace.node(node) && matches!(record.what, What::Disk(DiskEvent::Stored { .. }))
}

#[test]
fn a_slave_is_judged_while_it_is_connected() {
    let plan = Plan { until: Time::ZERO + Span::from_secs(170), ..plan("", "", "") };
    let trace = trace(&plan);
    assert_eq!(clause(&trace, &plan), None, "the undamaged twin");
    let finding = check::run(&trace, &plan).remove(0);
    assert!(!finding.summary.en.contains("looked at 0 times"), "{}", finding.summary.en);
    let master = trace.node("broker-a");
    // It says that it has more than there is.
    let boasting = damaged(&trace, |mut record| {
        if let What::Road(Road::Arrived { frame, .. }) = &mut record.what
            && record.node == master
        {
            frame.wire = Some(bytes::Bytes::copy_from_slice(&1_000_000_i64.to_be_bytes()).into());
        }
        Some(record)
    });
    assert_eq!(clause(&boasting, &plan), Some("ahead"));
    // Its bytes are older than the master's.
    let mut old = Trace::new(trace.header.clone());
    let stores: Vec<&Record> =
        trace.records().iter().filter(|record| is_store_of(record, &trace, "broker-a-s")).collect();
    let first = stores[0];
    for record in trace.records() {
        if record.seq == first.seq {
            for copy in &stores {
                old.push(Record { seq: first.seq, step: first.step, ..(*copy).clone() });
            }
        }
        if !is_store_of(record, &trace, "broker-a-s") {
            old.push(record.clone());
        }
    }
    assert_eq!(clause(&old, &plan), Some("bytes"));
    // Near misses: nobody told the slave that there is no more; its word came to nobody.
    let busy = damaged(&boasting, |mut record| {
        if let What::Road(Road::Arrived { frame, .. }) = &mut record.what
            && record.node != master
        {
            frame.body = 40;
        }
        Some(record)
    });
    assert_eq!(clause(&busy, &plan), None);
    let unheard = damaged(&boasting, |record| {
        (!matches!(record.what, What::Road(Road::Arrived { .. })) || record.node != master).then_some(record)
    });
    assert_eq!(clause(&unheard, &plan), None);
}
