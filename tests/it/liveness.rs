//! G70 and G71: bounded waits, in runs that fulfil them, in such that end too early, and in twins that break them.

use mqlab::lab::check::measure::Measures;
use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Record, What};
use mqlab::mq::app::Return;
use mqlab::mq::time::Span;

/// Two masters and a shop; something happens to broker-a.
fn shop(until: &str, count: u32, fault: &str) -> Scenario {
    let text = format!(
        r#"
format = 1
id = "liveness"
until = "{until}"
[[broker]]
name = "broker-a"
[[broker]]
name = "broker-b"
[[topic]]
name = "orders"
queues = 2
[[producer]]
name = "shop"
group = "shop"
start = "5s"
[[producer.send]]
topic = "orders"
count = {count}
every = "500ms"
key = "order-{{n}}"
body = "order {{n}}"
[[consumer]]
name = "billing-1"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
{fault}
"#
    );
    load("liveness.toml", text.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"))
}

fn run(scenario: &Scenario) -> Trace {
    Session::run(&scenario.plan, Level::History).trace
}

fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

/// The trace without the records that are to be hidden.
fn without(trace: &Trace, hidden: impl Fn(&Record) -> bool) -> Trace {
    let mut twin = Trace::new(trace.header.clone());
    trace.records().iter().filter(|record| !hidden(record)).for_each(|record| twin.push(record.clone()));
    twin
}

const OUTAGE: &str = "[[fault]]\nname = \"outage\"\nat = \"20s\"\nlasts = \"10s\"\nkill = { node = \"broker-a\" }";

#[test]
fn what_is_owed_is_handed_out_within_the_bound_after_the_last_fault() {
    let scenario = shop("320s", 60, OUTAGE);
    let trace = run(&scenario);
    assert_eq!(verdict(&trace, &scenario.plan, Check::DrainBound), Verdict::Pass);
    let third = |record: &Record| {
        matches!(&record.what, What::App(App::Returned(answer))
        if matches!(&**answer, Return::Listen { messages, .. } if messages[0].queue_offset.0 == 2))
    };
    let twin = without(&trace, third);
    assert!(matches!(verdict(&twin, &scenario.plan, Check::DrainBound), Verdict::Violation { clause: "drain", .. }));
    // The same twin within the bound is not judged.
    let early = shop("120s", 60, OUTAGE);
    let twin = without(&run(&early), third);
    assert!(matches!(verdict(&twin, &early.plan, Check::DrainBound), Verdict::Inconclusive { .. }));
}

#[test]
fn what_lies_on_a_broker_that_never_returns_is_owed_by_nobody_and_the_rest_is() {
    let scenario = shop("400s", 60, "[[fault]]\nname = \"end\"\nat = \"20s\"\nkill = { node = \"broker-a\" }");
    let trace = run(&scenario);
    for check in [Check::DrainBound, Check::AtLeastOnce] {
        let verdict = verdict(&trace, &scenario.plan, check.clone());
        assert!(!matches!(verdict, Verdict::Violation { .. }), "{check:?}: {verdict:?}");
    }
    assert_eq!(verdict(&trace, &scenario.plan, Check::DrainBound), Verdict::Pass);
    // What lies on the broker that is left is owed within the bound, whoever stays away.
    let last = |record: &Record| {
        matches!(&record.what, What::App(App::Returned(answer))
            if matches!(&**answer, Return::Listen { messages, .. }
                if messages[0].message.properties.get("KEYS").is_some_and(|key| key == "order-60")))
    };
    let twin = without(&trace, last);
    assert!(matches!(verdict(&twin, &scenario.plan, Check::DrainBound), Verdict::Violation { clause: "drain", .. }));
}

#[test]
fn sends_go_on_within_their_bound_and_a_longer_silence_is_seen() {
    let cut = "[[fault]]\nname = \"dark\"\nat = \"20s\"\nlasts = \"200s\"\npower-loss = { node = \"broker-a\" }";
    let scenario = shop("600s", 1_000, cut);
    let trace = run(&scenario);
    assert_eq!(verdict(&trace, &scenario.plan, Check::Unavailability), Verdict::Pass);
    let gap = Measures::of(&trace).send_gap;
    assert!(Span::from_secs(2) < gap && gap < Span::from_secs(20), "a send burns its timeout first: {gap}");
    let silent = |record: &Record| {
        let is_late = (100..400).contains(&(record.at.0 / 1_000_000_000));
        is_late && matches!(&record.what, What::App(App::Returned(answer)) if matches!(**answer, Return::Sent { .. }))
    };
    let twin = without(&trace, silent);
    let broken = verdict(&twin, &scenario.plan, Check::Unavailability);
    assert!(matches!(broken, Verdict::Violation { clause: "send", .. }), "{broken:?}");
}
