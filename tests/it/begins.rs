//! Where groups begin: the release's rules in whole runs, and the checker that judges them.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, ConsumerPlan, Expect, NodeKind, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::{ConsumeFrom, MessageModel, Return};
use mqlab::mq::message::property::names;
use mqlab::mq::time::Millis;

fn run(sets: &[&str]) -> (Trace, Plan) {
    let changes = Overrides { sets: sets.iter().map(|set| (*set).to_owned()).collect(), ..Overrides::default() };
    let text = library::text("08-first-offset").unwrap();
    let plan = load("08", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    (Session::run(&plan, Level::Full).trace, plan)
}

fn verdict(trace: &Trace, plan: &Plan) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check: Check::StartPosition, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

/// The keys that a node's listener was handed, in order.
fn handed(trace: &Trace, node: &str) -> Vec<String> {
    let node = trace.node(node);
    let mut keys = Vec::new();
    for record in trace.records().iter().filter(|record| record.node == node) {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Listen { messages, .. } = &**answer
        {
            keys.extend(messages.iter().map(|one| one.message.properties.get(names::KEYS).unwrap().to_string()));
        }
    }
    keys
}

fn old(keys: &[String]) -> Vec<i32> {
    keys.iter().filter_map(|key| key.strip_prefix("old-")?.parse().ok()).collect()
}

/// The plan with this node's only consumer changed: the run stays as it was, the rule is another.
fn with(plan: &Plan, node: &str, change: impl FnOnce(&mut ConsumerPlan)) -> Plan {
    let mut plan = plan.clone();
    let node = plan.nodes.iter_mut().find(|one| one.name == node).unwrap();
    let NodeKind::Client(client) = &mut node.kind else { panic!("it is a client") };
    change(&mut client.consumers[0]);
    plan
}

#[test]
fn a_moment_is_found_in_an_old_queue_and_not_asked_for_in_a_young_one() {
    let (trace, _) = run(&[]);
    let keys = handed(&trace, "reports");
    assert_eq!(keys.iter().filter(|key| key.starts_with("young-")).count(), 130);
    // The first was stored five seconds into the day, then ten a second.
    let old = old(&keys);
    assert!((50..=52).contains(&old[0]) && *old.last().unwrap() == 130, "{old:?}");
}

#[test]
fn the_default_moment_is_half_an_hour_ago_and_a_queue_that_is_younger_is_read_whole() {
    let changes = Overrides { sets: vec!["consumer.reports.from=timestamp".to_owned()], ..Overrides::default() };
    let text = library::text("08-first-offset").unwrap().replace("timestamp = \"20181110160010\"\n", "");
    let plan = load("08", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    let trace = Session::run(&plan, Level::Full).trace;
    assert_eq!(old(&handed(&trace, "reports"))[0], 1);
    assert_eq!(verdict(&trace, &plan), Verdict::Pass);
}

#[test]
fn with_so_much_memory_every_queue_is_young() {
    let (trace, plan) = run(&["broker.broker-old.disk.memory=1073741824"]);
    assert_eq!(old(&handed(&trace, "billing")).len(), 130);
    assert_eq!(old(&handed(&trace, "screen")).len(), 0, "nobody asks the broker in broadcasting");
    assert_eq!(verdict(&trace, &plan), Verdict::Pass);
}

#[test]
fn a_start_that_breaks_its_rule_is_seen_under_its_clause() {
    let (trace, plan) = run(&[]);
    assert_eq!(verdict(&trace, &plan), Verdict::Pass, "the undamaged twin");
    let moment = |seconds: i64| ConsumeFrom::Timestamp(Some(Millis(1_541_865_600_000 + seconds * 1000)));
    let twins = [
        ("later than the first", with(&plan, "billing", |one| one.from = ConsumeFrom::First)),
        ("in the middle", with(&plan, "reports", |one| one.from = ConsumeFrom::Last)),
        ("before its moment", with(&plan, "reports", |one| one.from = moment(15))),
        ("after its moment", with(&plan, "reports", |one| one.from = moment(5))),
        ("not at the end", with(&plan, "billing", |one| one.model = MessageModel::Broadcasting)),
    ];
    for (wanted, twin) in twins {
        match verdict(&trace, &twin) {
            Verdict::Violation { clause, witness } => {
                assert_eq!(clause, wanted);
                assert!(!witness.is_empty());
            }
            other => panic!("{wanted}: {other:?}"),
        }
    }
}

#[test]
fn a_process_that_boots_again_and_goes_back_behind_its_place_is_seen() {
    let (trace, plan) = run(&[]);
    assert_eq!(verdict(&trace, &plan), Verdict::Pass, "the undamaged twin");
    let billing = trace.node("billing");
    let mut twin = trace.clone();
    // The first delivery once more, in the second process.
    let template = trace.records().iter().find(|record| {
        record.node == billing
            && matches!(&record.what, What::App(App::Returned(answer)) if matches!(&**answer, Return::Listen { .. }))
    });
    let mut late = template.unwrap().clone();
    let last = trace.records().last().unwrap();
    (late.seq, late.step, late.at, late.incarnation) = (last.seq, last.step, last.at, 2);
    twin.push(late);
    match verdict(&twin, &plan) {
        Verdict::Violation { clause, .. } => assert_eq!(clause, "before its place"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn moments_and_rules_that_are_none_are_refused() {
    let text = library::text("08-first-offset").unwrap();
    for (good, bad, wanted) in [
        ("20181110160010", "2018-11-10", "is no moment"),
        ("from = \"timestamp\"", "from = \"first\"", "a timestamp says where"),
        ("from = \"first\"", "from = \"middle\"", "from cannot be \"middle\""),
        (
            "from = \"first\"",
            "from = \"first\"\nown = [\"orders/broker-old/0\"]",
            "only `by-config` is told its queues",
        ),
        (
            "from = \"first\"",
            "from = \"first\"\nrooms = [\"a\"]",
            "only `machine-room` and `machine-room-nearby` know rooms",
        ),
        ("from = \"first\"", "allocate = \"by-config\"\nown = [\"orders/0\"]", "names no queue"),
    ] {
        let bad = text.replacen(good, bad, 1);
        let report = load("08", bad.as_bytes(), &Overrides::default()).expect_err(wanted).to_string();
        assert!(report.contains(wanted), "{report}");
    }
}
