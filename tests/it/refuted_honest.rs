//! G01h: damaged histories that it refuses, near misses that it takes, and the two registered weaknesses that break it.

use std::sync::Arc;

use mqlab::lab::check::{self, Finding, Verdict};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, DiskEvent, Level, Machine, Record, Road, Seq, What};
use mqlab::mq::app::{Call, Return};

use crate::refuted::tables::Table;

/// A master with its slave, each waited for.
fn plan(master: &str, wait: &str, rest: &str) -> Plan {
    let script = format!(
        r#"
format = 1
id = "honest"
until = "40s"
title.en = "Who has it"
title.zh = "谁拥有它"

[[broker]]
name = "broker-a"
{master}
commit_log_file_size = 65536
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"

[[topic]]
name = "orders"
queues = 1

[[producer]]
name = "shop"
group = "shop-producers"
start = "15s"
retries = 0
[[producer.send]]
topic = "orders"
key = "order-{{n}}"
body = "order {{n}}"
count = 20
every = "100ms"
{wait}
{rest}
"#
    );
    let loaded = load("honest.toml", script.as_bytes(), &Overrides::default());
    let mut plan = loaded.unwrap_or_else(|report| panic!("{:#?}", report.problems)).plan;
    let id = "honest".into();
    plan.expects = vec![Expect { id, check: Check::AckHonest, outcome: Outcome::Holds }];
    plan
}

const BOTH: &str = "role = \"sync-master\"\nflush = \"sync\"";

/// A run at the level at which hunts run.
fn trace(plan: &Plan) -> Trace {
    Session::run(plan, Level::History).trace
}

fn finding(trace: &Trace, plan: &Plan) -> Finding {
    check::run(trace, plan).remove(0)
}

/// The clause of a violation that no weakness explains; `None` if it holds.
fn clause(trace: &Trace, plan: &Plan) -> Option<&'static str> {
    match finding(trace, plan).verdict {
        Verdict::Pass => None,
        Verdict::Violation { clause, .. } => Some(clause),
        other => panic!("{other:?}"),
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

fn is_flush_done(record: &Record) -> bool {
    matches!(record.what, What::Disk(DiskEvent::FlushDone { .. }))
}

fn is_store_of(record: &Record, trace: &Trace, node: &str) -> bool {
    record.node == trace.node(node) && matches!(record.what, What::Disk(DiskEvent::Stored { .. }))
}

fn is_ack(record: &Record) -> bool {
    matches!(&record.what, What::Road(Road::Sent { frame, .. }) if frame.flag & 1 == 1)
}

/// The trace with every answer to a send changed to another code.
fn answering(trace: &Trace, code: i32) -> Trace {
    damaged(trace, |mut record| {
        if let What::Road(Road::Sent { frame, .. }) = &mut record.what {
            frame.code = code;
        }
        Some(record)
    })
}

#[test]
fn nobody_is_told_of_a_flush_that_was_not_done() {
    let plan = plan(BOTH, "", "");
    let trace = trace(&plan);
    assert_eq!(clause(&trace, &plan), None, "the undamaged twin");
    assert_eq!(finding(&trace, &plan).judges(), "G01h");
    let undone = damaged(&trace, |record| (!is_flush_done(&record)).then_some(record));
    assert_eq!(clause(&undone, &plan), Some("not on the disk"));
    // Near miss: such an answer says that it was not done in time.
    assert_eq!(clause(&answering(&undone, 10), &plan), None);
}

/// The rows that are counted; the tests below tell more of each.
pub fn rows(table: &mut Table) {
    let both = plan(BOTH, "", "");
    let run = trace(&both);
    table.holds((&run, &both));
    let undone = damaged(&run, |record| (!is_flush_done(&record)).then_some(record));
    table.rejects("a flush that was not done", "not on the disk", (&undone, &both));
    let mute = damaged(&run, |record| (!is_store_of(&record, &run, "broker-a-s")).then_some(record));
    table.rejects("a slave that was given nothing", "no slave has it", (&mute, &both));
    let empty = damaged(&run, |record| (!is_store_of(&record, &run, "broker-a")).then_some(record));
    table.rejects("not even its master has it", "not in the cache", (&empty, &both));
    table.rejects("the same, told of a flush that failed", "not in the cache", (&answering(&empty, 10), &both));
    table.accepts("one that says that it was not flushed in time", (&answering(&undone, 10), &both));
    table.accepts("one that says that the slave has not got it", (&answering(&mute, 11), &both));
    table.accepts("one that says that there is no slave", (&answering(&mute, 12), &both));
    table.leaves_open("a refusal", (&answering(&empty, 14), &both));
    let loose = plan("flush = \"async\"", "", "");
    let undone = damaged(&trace(&loose), |record| (!is_flush_done(&record)).then_some(record));
    table.accepts("one that promises no disk", (&undone, &loose));
}

#[test]
fn an_answer_before_the_flush_is_a_lie_that_comes_true() {
    let plan = plan(BOTH, "", "");
    let trace = trace(&plan);
    let mut twin = Trace::new(trace.header.clone());
    let mut late: Vec<Record> = Vec::new();
    for record in trace.records() {
        let (seq, step, told) = (record.seq, record.step, is_ack(record));
        match is_flush_done(record) && record.node == trace.node("broker-a") {
            true => late.push(record.clone()),
            false => twin.push(record.clone()),
        }
        for record in late.drain(..).filter(|_| told) {
            twin.push(Record { seq, step, ..record });
        }
    }
    assert_eq!(clause(&twin, &plan), Some("not on the disk"));
}

#[test]
fn nobody_is_told_of_a_slave_that_was_given_nothing() {
    let plan = plan(BOTH, "", "");
    let trace = trace(&plan);
    let mute = |from: usize| {
        let mut stores = 0;
        damaged(&trace, |record| {
            let is_its = is_store_of(&record, &trace, "broker-a-s");
            stores += usize::from(is_its);
            (!is_its || stores < from).then_some(record)
        })
    };
    assert_eq!(clause(&mute(0), &plan), Some("no slave has it"));
    assert_eq!(clause(&mute(15), &plan), Some("no slave has it"));
    for code in [11, 12] {
        assert_eq!(clause(&answering(&mute(0), code), &plan), None, "near miss: {code} says so");
    }
}

#[test]
fn nobody_is_told_of_what_the_master_does_not_even_have() {
    let plan = plan("flush = \"async\"", "", "");
    let trace = trace(&plan);
    assert_eq!(clause(&trace, &plan), None, "the undamaged twin");
    let empty = damaged(&trace, |record| (!is_store_of(&record, &trace, "broker-a")).then_some(record));
    for code in [0, 10, 11, 12] {
        assert_eq!(clause(&answering(&empty, code), &plan), Some("not in the cache"));
    }
    // Near misses: an asynchronous flush promises no disk, a refusal nothing.
    let undone = damaged(&trace, |record| (!is_flush_done(&record)).then_some(record));
    assert_eq!(clause(&undone, &plan), None);
    assert!(matches!(finding(&answering(&empty, 14), &plan).verdict, Verdict::Inconclusive { .. }));
}

#[test]
fn who_does_not_wait_is_promised_the_cache() {
    let plan = plan(BOTH, "", "");
    let trace = damaged(&trace(&plan), |mut record| {
        if let What::App(App::Called(call)) = &mut record.what
            && let Call::Send { message, .. } = Arc::make_mut(call)
        {
            message.properties.put("WAIT", "false");
        }
        Some(record)
    });
    let undone = damaged(&trace, |record| (!is_flush_done(&record)).then_some(record));
    assert_eq!(clause(&undone, &plan), None);
    let mute = damaged(&trace, |record| (!is_store_of(&record, &trace, "broker-a-s")).then_some(record));
    assert_eq!(clause(&mute, &plan), None);
}

#[test]
fn an_answer_that_nobody_heard_is_asked_for_no_more_than_the_cache() {
    let plan = plan(BOTH, "", "");
    let trace = trace(&plan);
    let unheard = damaged(&trace, |record| {
        let heard = matches!(&record.what, What::App(App::Returned(answer)) if matches!(**answer, Return::Sent { .. }));
        (!heard && !is_flush_done(&record)).then_some(record)
    });
    assert_eq!(clause(&unheard, &plan), None);
}

#[test]
fn a_slave_that_has_lost_it_since_has_had_it() {
    let plan = plan(BOTH, "", "");
    let trace = trace(&plan);
    let slave = trace.node("broker-a-s");
    let mut twin = Trace::new(trace.header.clone());
    for record in trace.records() {
        if is_ack(record) {
            let what = What::Machine(Machine::PowerLost { lost: 1, kept: 0, torn: 0 });
            twin.push(Record { node: slave, what, ..record.clone() });
        }
        twin.push(record.clone());
    }
    assert_eq!(clause(&twin, &plan), None);
}

#[test]
fn settings_of_a_fault_change_what_is_promised() {
    let weaker = "[[fault]]\nname = \"weaker\"\nat = \"10s\"\nreconfigure = { node = \"broker-a\", properties = \"flushDiskType=ASYNC_FLUSH\" }";
    let plan = plan("flush = \"sync\"", "", weaker);
    let trace = trace(&plan);
    let undone = damaged(&trace, |record| (!is_flush_done(&record)).then_some(record));
    assert_eq!(clause(&undone, &plan), None, "it was booted with another flush");
    let without = damaged(&undone, |record| (record.what.kind() != "fault-begun").then_some(record));
    assert_eq!(clause(&without, &plan), Some("not on the disk"));
}

/// What a plan's run breaks, and what the same plan's does with one repair.
fn with_and_without(plan: &Plan, row: &str) -> [Verdict; 2] {
    let mut repaired = plan.clone();
    assert!(repaired.profile.set(row, true));
    [plan, &repaired].map(|plan| finding(&trace(plan), plan).verdict)
}

#[test]
fn a_failed_flush_is_a_lie_until_k01_is_repaired() {
    let rotten = r#"
[[fault]]
name = "rotten"
at = "nth(8):append"
sync-error = { node = "broker-a", file = "commitlog" }
"#;
    let [released, repaired] = with_and_without(&plan("flush = \"sync\"", "", rotten), "K01");
    assert!(matches!(released, Verdict::Known { weakness: 1, clause: "not on the disk", .. }), "{released:?}");
    assert_eq!(repaired, Verdict::Pass);
}

#[test]
fn a_slave_that_is_ahead_vouches_for_nothing_once_k02_is_repaired() {
    let outage = r#"
[[producer.send]]
topic = "orders"
wait = "14s"
count = 5
every = "100ms"
body = "late {n}"
[[fault]]
name = "outage"
at = "17s"
power-loss = { node = "broker-a", keep = "fsynced" }
[[fault]]
name = "return"
at = "18s"
restart = { node = "broker-a" }
"#;
    let slow = "role = \"sync-master\"\nflush_interval = \"10s\"";
    let [released, repaired] = with_and_without(&plan(slow, "", outage), "K02");
    assert!(matches!(released, Verdict::Known { weakness: 2, clause: "no slave has it", .. }), "{released:?}");
    assert_eq!(repaired, Verdict::Pass);
}

#[test]
fn a_log_is_followed_at_the_level_of_hunts_and_the_digest_is_the_same() {
    let plan = plan(BOTH, "", "");
    let [digest, history, full] = [Level::Digest, Level::History, Level::Full].map(|level| Session::run(&plan, level));
    assert_eq!((digest.digest, history.digest), (history.digest, full.digest));
    let kept: Vec<Seq> =
        history.trace.records().iter().filter(|record| is_ack(record)).map(|record| record.seq).collect();
    assert_eq!(kept.len(), 20, "an answer to each send, as it was sent");
    let elsewhere = |record: &&Record| matches!(&record.what, What::Disk(DiskEvent::Stored { file, .. }) if !file.starts_with("commitlog/"));
    assert_eq!(history.trace.records().iter().filter(elsewhere).count(), 0);
    assert_eq!(finding(&full.trace, &plan).verdict, finding(&history.trace, &plan).verdict);
}
