//! Push consumers that are suspended, go on, subscribe and unsubscribe while they run.

use std::collections::BTreeSet;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::{Call, Return};
use mqlab::mq::fact::Fact;

use crate::refuted::tables::with_listen;

/// Two topics, a message a second of each, two members, the second of which comes at 15 s; these calls of the first.
fn text(calls: &str, second: &str) -> String {
    let send = |topic: &str, tag: &str| {
        format!(
            "[[producer.send]]\ntopic = \"{topic}\"\ncount = 50\nevery = \"1s\"\nwait = \"1s\"\nkey = \"{topic}-{{n}}\"\n\
             tag = \"{tag}\"\n"
        )
    };
    format!(
        "format = 1\nid = \"steer\"\nseed = 5\nuntil = \"150s\"\ntitle.en = \"t\"\ntitle.zh = \"题\"\nquestion.en = \"q\"\n\
         question.zh = \"问\"\n[cluster]\nnameserver = 1\n[[broker]]\nname = \"broker-a\"\n[[topic]]\nname = \"orders\"\n\
         queues = 4\n[[topic]]\nname = \"news\"\nqueues = 2\n[[producer]]\nname = \"shop\"\ngroup = \"shops\"\nstart = \"3s\"\n{}\
         [[producer]]\nname = \"paper\"\ngroup = \"papers\"\nstart = \"3s\"\n{}[[consumer]]\nname = \"reader-1\"\n\
         group = \"readers\"\nsubscribe = {{ orders = \"*\" }}\nfrom = \"first\"\nstart = \"2s\"\n{calls}\n{second}",
        send("orders", "{pick:pay,done}"),
        send("news", "daily")
    )
}

const SECOND: &str = "[[consumer]]\nname = \"reader-2\"\ngroup = \"readers\"\nsubscribe = { orders = \"*\" }\n\
                      from = \"first\"\nstart = \"15s\"\n";

fn run(calls: &str, second: &str) -> Trace {
    judged(calls, second).0
}

/// The run with its plan; no guarantee is broken by calls that change what is wanted.
fn judged(calls: &str, second: &str) -> (Trace, Plan) {
    let text = text(calls, second);
    let plan = load("steer", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    for check in check::suite(&plan) {
        let verdict = verdict(&result.trace, &plan, check.clone());
        assert!(!matches!(verdict, Verdict::Violation { .. } | Verdict::Known { .. }), "{check:?}: {verdict:?}");
    }
    (result.trace, plan)
}

fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

/// What is said of a run in which a group was never handed a message.
fn without(key: &str, (trace, plan): &(Trace, Plan), check: Check) -> Verdict {
    verdict(&with_listen(trace, key, |_, _| false), plan, check)
}

/// What the first reader was handed: when, in ms, and the keys, with the tags.
fn handed(trace: &Trace, topic: &str) -> Vec<(u64, String, String)> {
    let reader = trace.node("reader-1");
    let mut handed = Vec::new();
    for record in trace.records().iter().filter(|record| record.node == reader) {
        let What::App(App::Returned(answer)) = &record.what else { continue };
        let Return::Listen { messages, .. } = &**answer else { continue };
        for message in messages.iter().filter(|message| message.message.topic.as_str() == topic) {
            let property = |name: &str| message.message.properties.get(name).unwrap().to_string();
            handed.push((record.at.as_millis(), property("KEYS"), property("TAGS")));
        }
    }
    handed
}

fn keys(handed: &[(u64, String, String)]) -> BTreeSet<&str> {
    handed.iter().map(|(_, key, _)| key.as_str()).collect()
}

/// When the first reader gave queues up.
fn revoked(trace: &Trace) -> Vec<u64> {
    let reader = trace.node("reader-1");
    let own = trace.records().iter().filter(|record| record.node == reader);
    let said = own.filter(|record| matches!(&record.what, What::Fact(Fact::Revoked { .. })));
    said.map(|record| record.at.as_millis()).collect()
}

#[test]
fn who_is_suspended_pulls_nothing_and_keeps_its_queues_until_it_goes_on() {
    let calls = "[[consumer.call]]\nwait = \"8s\"\nmethod = \"suspend\"\n[[consumer.call]]\nwait = \"38s\"\nmethod = \"resume\"\n";
    let trace = run(calls, "");
    let got = handed(&trace, "orders");
    assert!(got.iter().any(|(at, ..)| *at < 10_000));
    // A pull that a broker holds is answered once more.
    assert!(got.iter().all(|(at, ..)| *at < 16_000 || 40_000 <= *at), "{got:?}");
    assert_eq!(keys(&got).len(), 50, "and all of it afterwards");
    // A member that comes meanwhile waits for the other's queues as long.
    assert!((15_000..36_000).contains(&revoked(&run("", SECOND))[0]));
    let late = revoked(&run(calls, SECOND));
    assert!(!late.is_empty() && late.iter().all(|at| 40_000 <= *at), "{late:?}");
}

#[test]
fn a_topic_more_is_told_to_the_brokers_at_once_and_shared_out_with_the_next_route() {
    let calls = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"subscribe\"\ntopic = \"news\"\n";
    let trace = run(calls, "");
    let got = handed(&trace, "news");
    assert_eq!(keys(&got).len(), 50, "from the first on");
    // Half a minute for the route, twenty seconds for the rebalance.
    assert!((20_000..71_000).contains(&got[0].0), "{}", got[0].0);
    assert_eq!(keys(&handed(&trace, "orders")).len(), 50);
    assert!(handed(&run("", ""), "news").is_empty());
}

#[test]
fn other_tags_of_a_topic_hold_from_the_next_pull_on() {
    let calls = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"subscribe\"\ntopic = \"orders\"\nwhat = \"pay\"\n";
    let got = handed(&run(calls, ""), "orders");
    assert!(got.iter().any(|(at, _, tag)| tag == "done" && *at < 20_000));
    // What a broker holds was asked for with the old words, until it is answered.
    let late: Vec<_> = got.iter().filter(|(at, ..)| 45_000 < *at).collect();
    assert!(!late.is_empty() && late.iter().all(|(_, _, tag)| tag == "pay"), "{late:?}");
}

#[test]
fn what_is_no_expression_is_an_exception_and_changes_nothing() {
    let calls = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"subscribe\"\ntopic = \"orders\"\nwhat = \"||\"\n";
    let trace = run(calls, "");
    let failed = trace.records().iter().find_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Failed { error, .. } => Some(error.text.clone()),
            _ => None,
        },
        _ => None,
    });
    assert!(failed.unwrap().starts_with("subscription exception"));
    assert_eq!(keys(&handed(&trace, "orders")).len(), 50);
}

#[test]
fn a_topic_less_is_let_go_at_the_next_rebalance_without_a_word() {
    let calls = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"unsubscribe\"\ntopic = \"orders\"\n";
    let trace = run(calls, "");
    let got = handed(&trace, "orders");
    let last = got.iter().map(|(at, ..)| *at).max().unwrap();
    assert!((18_000..41_000).contains(&last), "{last}");
    let gone = revoked(&trace);
    assert_eq!(gone.len(), 4);
    assert!(gone.iter().all(|at| (20_000..41_000).contains(at)), "{gone:?}");
    assert!(keys(&got).len() < 45);
}

#[test]
fn a_group_is_owed_what_it_went_on_wanting() {
    let subscribe = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"subscribe\"\n";
    let news = judged(&format!("{subscribe}topic = \"news\"\n"), "");
    assert_eq!(verdict(&news.0, &news.1, Check::AtLeastOnce), Verdict::Pass);
    for key in ["news-3", "news-40", "orders-7"] {
        for check in [Check::AtLeastOnce, Check::DrainBound] {
            // The bound of a drain is longer than this run.
            let is_judged = check == Check::AtLeastOnce;
            let said = without(key, &news, check);
            assert_eq!(matches!(said, Verdict::Violation { .. }), is_judged, "{key}: {said:?}");
        }
    }
    // What was given up is owed to nobody, and neither is a tag that was.
    let gone = judged("[[consumer.call]]\nwait = \"18s\"\nmethod = \"unsubscribe\"\ntopic = \"orders\"\n", "");
    assert!(matches!(verdict(&gone.0, &gone.1, Check::AtLeastOnce), Verdict::Inconclusive { .. }));
    let paid = judged(&format!("{subscribe}topic = \"orders\"\nwhat = \"pay\"\n"), "");
    assert_eq!(verdict(&paid.0, &paid.1, Check::AtLeastOnce), Verdict::Pass);
    let key_of = |tag: &str| handed(&paid.0, "orders").into_iter().find(|(.., own)| own == tag).unwrap().1;
    assert!(matches!(without(&key_of("pay"), &paid, Check::AtLeastOnce), Verdict::Violation { .. }));
    assert_eq!(without(&key_of("done"), &paid, Check::AtLeastOnce), Verdict::Pass);
}

#[test]
fn a_member_that_rests_makes_nobody_late_until_it_goes_on() {
    let suspend = "[[consumer.call]]\nwait = \"8s\"\nmethod = \"suspend\"\n";
    let rests = judged(suspend, "");
    assert!(matches!(verdict(&rests.0, &rests.1, Check::AtLeastOnce), Verdict::Inconclusive { .. }));
    let resumed = judged(&format!("{suspend}[[consumer.call]]\nwait = \"38s\"\nmethod = \"resume\"\n"), "");
    assert_eq!(verdict(&resumed.0, &resumed.1, Check::AtLeastOnce), Verdict::Pass);
    assert!(matches!(without("orders-20", &resumed, Check::AtLeastOnce), Verdict::Violation { .. }));
}

#[test]
fn what_nobody_asked_for_is_seen_whatever_was_subscribed_to_since() {
    let calls = "[[consumer.call]]\nwait = \"18s\"\nmethod = \"subscribe\"\ntopic = \"news\"\n";
    let (trace, plan) = judged(calls, "");
    assert_eq!(verdict(&trace, &plan, Check::NoMisrouting), Verdict::Pass);
    let silent = crate::refuted::tables::damaged(&trace, |record| {
        let is_told = matches!(&record.what, What::App(App::Called(call)) if matches!(**call, Call::Steer { .. }));
        (!is_told).then_some(record)
    });
    assert!(matches!(verdict(&silent, &plan, Check::NoMisrouting), Verdict::Violation { .. }));
}

#[test]
fn keys_that_a_method_does_not_take_are_refused() {
    for (call, told) in [
        ("method = \"suspend\"\ntopic = \"orders\"", "this call has other keys than its method"),
        ("method = \"subscribe\"", "this call has other keys than its method"),
        ("method = \"unsubscribe\"\ntopic = \"orders\"\nwhat = \"*\"", "this call has other keys than its method"),
        ("method = \"suspended\"", "did you mean \"suspend\"?"),
    ] {
        let text = text(&format!("[[consumer.call]]\n{call}\n"), "");
        let report = load("steer", text.as_bytes(), &Overrides::default()).unwrap_err().to_string();
        assert!(report.contains(told), "{report}");
    }
}
