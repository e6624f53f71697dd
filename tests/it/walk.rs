//! A message's whole trip through the real nameserver, broker, store and clients: what must be said along it.

use std::collections::BTreeMap;

use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Record, Seq, What};
use mqlab::mq::app::{Call, ConsumeOutcome, Return, SendStatus};
use mqlab::mq::fact::Fact;
use mqlab::mq::time::Span;

use crate::plans;

fn run(seed: u64) -> RunResult {
    // Orders come when the consumer has long been waiting: the trip of a message that is pushed, not fetched.
    let changes = Overrides { seed: Some(seed), ..Overrides::default() };
    let text = library::text("01-first-message").unwrap();
    let scenario = load("01", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"));
    Session::run(&scenario.plan, Level::Full)
}

/// The trip as ARCHITECTURE.md tells it: the facts along the way, and those before and after.
fn told() -> (Vec<String>, Vec<String>) {
    let map = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).unwrap();
    let section = map.split("## A message's trip").nth(1).unwrap().split("\n## ").next().unwrap();
    let (mut way, mut around) = (Vec::new(), Vec::new());
    for row in section.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let fact = cells[5].trim_matches('`').to_owned();
        if cells[3].starts_with('(') { around.push(fact) } else { way.push(fact) }
    }
    (way, around)
}

/// Everything that a record led to, in order.
fn followed<'a>(trace: &'a Trace, from: &Record) -> Vec<&'a Record> {
    let mut led: BTreeMap<Seq, bool> = BTreeMap::from([(from.seq, true)]);
    let mut found = Vec::new();
    for record in trace.records().iter().filter(|record| record.seq > from.seq) {
        let is_led = record.cause.is_some_and(|cause| led.contains_key(&cause));
        if is_led {
            led.insert(record.seq, true);
            found.push(record);
        }
    }
    found
}

#[test]
fn the_facts_of_a_trip_are_said_in_the_order_of_the_rooms() {
    let result = run(1);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    let trace = &result.trace;
    let is_second_send = |record: &&Record| matches!(&record.what, What::App(App::Called(call)) if matches!(**call, Call::Send { op, .. } if op.0 == 1));
    let send = trace.records().iter().find(is_second_send).expect("the second order is sent");
    let kinds: Vec<&str> = followed(trace, send)
        .into_iter()
        .filter(|record| matches!(record.what, What::Fact(_) | What::App(_)))
        .map(|record| record.what.kind())
        .collect();
    let (trip, _) = told();
    assert!(trip.len() >= 10, "{trip:?}");
    let mut rest = kinds.iter();
    for room in trip {
        assert!(rest.any(|kind| *kind == room.as_str()), "`{room}` is missing or too early in {kinds:?}");
    }
    assert!(kinds.contains(&"sent-result"), "the producer hears: {kinds:?}");
}

#[test]
fn earlier_and_later_rooms_speak_too() {
    let result = run(1);
    let (_, around) = told();
    assert!(around.len() >= 5, "{around:?}");
    for kind in around {
        assert!(result.trace.records().iter().any(|record| record.what.kind() == kind), "`{kind}` is never said");
    }
}

#[test]
fn five_orders_are_stored_once_delivered_once_and_committed() {
    for seed in 1..=5 {
        let result = run(seed);
        let (mut sent, mut delivered, mut done) = (0, Vec::new(), 0);
        for record in result.trace.records() {
            match &record.what {
                What::App(App::Returned(answer)) => match &**answer {
                    Return::Sent { result, .. } => sent += usize::from(result.status == SendStatus::SendOk),
                    Return::Listen { messages, .. } => {
                        delivered.extend(messages.iter().map(|message| message.message.body.clone()));
                    }
                    other => panic!("seed {seed}: {other:?}"),
                },
                What::App(App::Called(call)) => {
                    done +=
                        usize::from(matches!(**call, Call::Listened { outcome: ConsumeOutcome::Success { .. }, .. }));
                }
                _ => {}
            }
        }
        delivered.sort();
        let expected: Vec<String> = (1..=5).map(|number| format!("order {number} of the shop")).collect();
        assert_eq!((sent, done), (5, 5), "seed {seed}");
        assert_eq!(delivered, expected, "seed {seed}");
    }
}

#[test]
fn one_seed_is_one_digest_at_every_level_and_another_seed_another() {
    let plan = plans::shop(7, 5, Span::from_millis(20));
    let full = Session::run(&plan, Level::Full);
    for level in [Level::Digest, Level::History, Level::Full] {
        assert_eq!(Session::run(&plan, level).digest, full.digest, "{level:?}");
    }
    assert_ne!(Session::run(&plans::shop(8, 5, Span::from_millis(20)), Level::Digest).digest, full.digest);
}

#[test]
fn a_power_loss_before_the_flush_loses_what_was_acked_and_a_kill_does_not() {
    for (has_power, expected) in [(true, 10), (false, 0)] {
        let mut plan = plans::shop(2018, 10, Span::from_millis(20));
        plans::outage(&mut plan, 1_250, 6_000, has_power);
        let result = Session::run(&plan, Level::Full);
        assert!(result.panics.is_empty(), "{:?}", result.panics);
        let acked = result.trace.records().iter().filter(|record| record.what.kind() == "sent-result").count();
        let recovered: Vec<i64> = result
            .trace
            .records()
            .iter()
            .filter_map(|record| {
                if let What::Fact(Fact::Recovered { records, .. }) = record.what { Some(records) } else { None }
            })
            .collect();
        assert_eq!(acked, 10);
        assert_eq!(recovered, [0, expected], "power stays: {has_power}");
    }
}
