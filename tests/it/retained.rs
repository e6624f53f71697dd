//! X9: an operator shortens the retention of a broker, or takes its files away by hand.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;

/// A shop sends 200 orders in twenty seconds, and one two hours later; somebody comes an hour and forty minutes late.
fn plan(faults: &str) -> Plan {
    let script = format!(
        r#"
format = 1
id = "retained"
until = "130m"
title.en = "Kept"
title.zh = "保留"
[[broker]]
name = "broker-a"
commit_log_file_size = 16384
consume_queue_file_size = 400
[[topic]]
name = "orders"
queues = 1
[[producer]]
name = "shop"
group = "shop"
start = "5s"
[[producer.send]]
topic = "orders"
count = 200
every = "100ms"
key = "order-{{n}}"
size = 600
[[producer.send]]
topic = "orders"
count = 1
wait = "120m"
key = "late-{{n}}"
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
start = "100m"
{faults}
"#
    );
    load("retained.toml", script.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}")).plan
}

fn run(plan: &Plan) -> Trace {
    let run = Session::run(plan, Level::Full);
    assert!(run.panics.is_empty(), "{:?}", run.panics);
    run.trace
}

/// The places in the queue of what was handed out.
fn handed(trace: &Trace) -> Vec<i64> {
    let returned = trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => Some(&**answer),
        _ => None,
    });
    let messages = returned.flat_map(|answer| match answer {
        Return::Listen { messages, .. } => messages.as_slice(),
        _ => &[],
    });
    let mut places: Vec<i64> = messages.map(|one| one.queue_offset.0).collect();
    places.sort_unstable();
    places
}

/// The minutes at which something was said.
fn minutes(trace: &Trace, of: impl Fn(&Fact) -> bool) -> Vec<u64> {
    let said = trace.records().iter().filter(|record| matches!(&record.what, What::Fact(fact) if of(fact)));
    said.map(|record| record.at.as_millis() / 60_000).collect()
}

fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

#[test]
fn a_retention_that_is_shortened_takes_files_and_who_comes_late_gets_what_is_left() {
    let every_hour: Vec<String> = (0..24).map(|hour| format!("{hour:02}")).collect();
    let shortened = |reserved: u32| {
        let hours = every_hour.join(";");
        plan(&format!(
            "[[fault]]\nname = \"shorter\"\nat = \"5m\"\nreconfigure = {{ node = \"broker-a\", \
             properties = \"fileReservedTime={reserved}\\ndeleteWhen={hours}\" }}\n"
        ))
    };
    let plan = shortened(1);
    let trace = run(&plan);
    let deleted = minutes(&trace, |fact| matches!(fact, Fact::FileDeleted { why: "expired", .. }));
    assert!(5 < deleted.len() && deleted.iter().all(|minute| (60..100).contains(minute)), "{deleted:?}");
    let places = handed(&trace);
    assert!(0 < places[0] && places.len() < 150, "from the first that is left: {places:?}");
    assert_eq!(*places.last().unwrap(), 200, "and everything behind it");
    assert_eq!(places.len() as i64, 201 - places[0]);
    assert_eq!(verdict(&trace, &plan, Check::StoreConsistent), Verdict::Pass);
    assert!(!matches!(verdict(&trace, &plan, Check::AtLeastOnce), Verdict::Violation { .. }));
    // As it was, and as it would be with a longer one, nothing goes and everything is there.
    for plan in [self::plan(""), shortened(3)] {
        let trace = run(&plan);
        assert_eq!(minutes(&trace, |fact| matches!(fact, Fact::FileDeleted { .. })), [0; 0]);
        assert_eq!(handed(&trace), (0..=200).collect::<Vec<i64>>());
    }
}

#[test]
fn a_first_file_that_is_emptied_by_hand_takes_the_whole_log_with_it_at_the_next_start() {
    let plan = plan(
        "[[fault]]\nname = \"hand\"\nat = \"5m\"\ntruncate = { node = \"broker-a\", file = \"commitlog/first\", to = 0 }\n\
         [[fault]]\nname = \"again\"\nat = \"6m\"\nrestart = { node = \"broker-a\" }\n",
    );
    let trace = run(&plan);
    let ends: Vec<i64> = trace
        .records()
        .iter()
        .filter_map(|record| match &record.what {
            What::Fact(Fact::Recovered { log_end, .. }) => Some(*log_end),
            _ => None,
        })
        .collect();
    assert_eq!(ends.last(), Some(&0), "a file of another length ends the list of files: {ends:?}");
    assert_eq!(handed(&trace).len(), 1, "what comes after it is all there is");
}
