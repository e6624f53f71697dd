//! Groups that an operator moves, in whole runs, and the checker that judges them.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Record, What};
use mqlab::mq::app::{AdminAnswer, Return};
use mqlab::mq::message::property::names;

fn lesson() -> &'static str {
    library::text("33-reset-offset").unwrap()
}

fn run(text: &str) -> (Trace, Plan) {
    let plan = load("27", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    (result.trace, plan)
}

fn verdict(trace: &Trace, plan: &Plan) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check: Check::ResetConformance, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

/// The keys that a listener call was given.
fn keys(record: &Record) -> Vec<String> {
    let What::App(App::Returned(answer)) = &record.what else { return Vec::new() };
    let Return::Listen { messages, .. } = &**answer else { return Vec::new() };
    messages.iter().map(|one| one.message.properties.get(names::KEYS).unwrap().to_string()).collect()
}

fn times(trace: &Trace, key: &str) -> usize {
    trace.records().iter().flat_map(keys).filter(|one| one == key).count()
}

/// What the operator heard: offsets in the order of their queues, or a code and a text.
fn heard(trace: &Trace) -> Result<Vec<i64>, (i32, String)> {
    let ops = trace.node("ops");
    let answer = trace.records().iter().filter(|record| record.node == ops).find_map(|record| match &record.what {
        What::App(App::Returned(answer)) => Some((**answer).clone()),
        _ => None,
    });
    match answer.unwrap() {
        Return::Administered { what: AdminAnswer::Offsets(mut offsets), .. } => {
            offsets.sort();
            Ok(offsets.into_iter().map(|(_, offset)| offset).collect())
        }
        Return::Failed { error, .. } => Err((error.code, error.text.to_string())),
        other => panic!("{other:?}"),
    }
}

fn said(trace: &Trace, kind: &str) -> Vec<u64> {
    let said = trace.records().iter().filter(|record| record.what.kind() == kind);
    said.map(|record| record.at.as_millis()).collect()
}

#[test]
fn a_group_that_is_moved_waits_for_ten_seconds_and_reads_again_from_there() {
    let (trace, plan) = run(lesson());
    let offsets = heard(&trace).unwrap();
    assert_eq!(offsets.len(), 2);
    assert!(offsets.iter().all(|offset| (4..=6).contains(offset)), "{offsets:?}");
    let again = |from: usize, to: usize, wanted: usize| {
        for number in from..=to {
            assert_eq!(times(&trace, &format!("order-{number}")), wanted, "order-{number}");
        }
    };
    again(1, 8, 1);
    again(12, 20, 2);
    let (begun, reset) = (said(&trace, "reset-begun"), said(&trace, "offset-reset"));
    assert_eq!((begun.len(), reset.len()), (2, 2), "each member has one queue");
    for (begun, reset) in begun.iter().zip(&reset) {
        assert_eq!(reset - begun, 10_000);
    }
    let quiet = trace.records().iter().filter(|record| !keys(record).is_empty()).map(|record| record.at.as_millis());
    assert!(!quiet.clone().any(|at| begun[0] < at && at < reset[0]), "nothing is handed out meanwhile");
    assert_eq!(verdict(&trace, &plan), Verdict::Pass);
}

#[test]
fn what_cannot_be_moved_is_refused_in_upstreams_words() {
    let gone = lesson().replacen("[[operator]]", "[[fault]]\nat = \"20s\"\nstop = { node = \"billing-1\" }\n[[fault]]\nat = \"20s\"\nstop = { node = \"billing-2\" }\n[[operator]]", 1);
    let silent = gone.replace("[[step]]", "[[nothing]]");
    let silent = silent.split("[[nothing]]").next().unwrap().replacen("to = ", "way = \"members\"\nto = ", 1);
    let (code, text) = heard(&run(&silent).0).unwrap_err();
    assert_eq!(code, 206);
    let wanted = "CODE: 206  DESC: Consumer not online, so can not reset offset, Group: billing Topic: orders Timestamp: 1541865610000\n\
                  For more information, please visit the url, http://rocketmq.apache.org/docs/faq/";
    assert_eq!(text, wanted);
    let tables = lesson().split("[[step]]").next().unwrap();
    let stranger =
        tables.replacen("group = \"billing\"\ntopic = \"orders\"", "group = \"strangers\"\ntopic = \"orders\"", 1);
    let (code, text) = heard(&run(&stranger).0).unwrap_err();
    assert_eq!(code, 1);
    assert!(text.starts_with("CODE: 1  DESC: THe consumer group <strangers> not exist\n"), "{text}");
    let nowhere =
        tables.replacen("group = \"billing\"\ntopic = \"orders\"", "group = \"billing\"\ntopic = \"nowhere\"", 1);
    let (code, text) = heard(&run(&nowhere).0).unwrap_err();
    assert_eq!(code, 17);
    assert!(text.starts_with("CODE: 17  DESC: No topic route info in name server for the topic: nowhere\n"), "{text}");
}

#[test]
fn only_by_force_is_a_group_moved_forward() {
    let tables = lesson().split("[[step]]").next().unwrap();
    // One thread that takes five seconds an order: most of them wait when the operator comes.
    let slow = tables.replace(
        "subscribe = { orders = \"*\" }",
        "subscribe = { orders = \"*\" }\nthreads = 1\non = [{ reply = [\"ok\"], takes = \"5s\" }]",
    );
    let slow = slow.replace("to = \"20181110160010\"", "to = \"end\"\nforce = true");
    let (trace, plan) = run(&slow);
    assert_eq!(heard(&trace).unwrap(), [10, 10]);
    assert_eq!(times(&trace, "order-20"), 0, "passed over");
    assert_eq!(verdict(&trace, &plan), Verdict::Pass);
    let missed = check::run(&trace, &plan).into_iter().find(|finding| finding.check == "at-least-once").unwrap();
    assert!(
        !matches!(missed.verdict, Verdict::Violation { .. }),
        "what an operator passed over is owed to nobody: {missed:?}"
    );
    let gentle = slow.replace("force = true", "force = false");
    let (trace, _) = run(&gentle);
    let offsets = heard(&trace).unwrap();
    assert!(offsets.iter().all(|offset| *offset < 10), "{offsets:?}");
    assert_eq!(times(&trace, "order-20"), 1);
}

#[test]
fn a_group_that_does_not_go_where_it_was_moved_is_seen() {
    let (trace, plan) = run(lesson());
    let twin = |keep: &dyn Fn(&Record) -> bool| {
        let mut twin = Trace::new(trace.header.clone());
        trace.records().iter().filter(|record| keep(record)).for_each(|record| twin.push(record.clone()));
        twin
    };
    let reset = said(&trace, "offset-reset")[0];
    let deaf = twin(&|record| !(reset < record.at.as_millis() && keys(record).iter().any(|key| key == "order-20")));
    match verdict(&deaf, &plan) {
        Verdict::Violation { clause, witness } => assert_eq!((clause, witness.len()), ("not delivered again", 2)),
        other => panic!("{other:?}"),
    }
    let mut stray =
        trace.records().iter().find(|record| keys(record).iter().any(|key| key == "order-1")).unwrap().clone();
    let last = trace.records().last().unwrap();
    (stray.seq, stray.step, stray.at) = (last.seq, last.step, last.at);
    let mut back = trace.clone();
    back.push(stray);
    match verdict(&back, &plan) {
        Verdict::Violation { clause, .. } => assert_eq!(clause, "before its place"),
        other => panic!("{other:?}"),
    }
}

/// A group that is moved while a message waits to be tried again, and an answer without messages in the ten seconds.
const MOVED: &str = r#"
format = 1
id = "t"
seed = 502541
until = "21s"
[cluster]
profile = "hardened"
[[broker]]
name = "broker-b"
flush = "sync"
[[topic]]
name = "orders"
on = ["broker-b"]
[[producer]]
name = "shop-1"
group = "shop-1"
start = "11s"
[[producer.send]]
topic = "orders"
count = 1
wait = "4s"
tag = "{pick:create,pay,done}"
[[producer.send]]
topic = "orders"
count = 1
wait = "5s"
key = "{n}"
select = "hash:key"
[[consumer]]
name = "billing-1"
group = "billing"
mode = "orderly"
subscribe = { orders = "pay || done" }
[[consumer.on]]
reply = ["suspend", "ok"]
[[operator]]
name = "ops"
start = "15s"
[[operator.reset]]
group = "billing"
topic = "orders"
wait = "1s"
to = "20181110160011"
"#;

#[test]
fn k32_an_answer_without_messages_moves_a_group_over_what_a_reset_has_cleared() {
    let overrun = |more: &str| {
        let (trace, plan) = run(&MOVED.replace("[[broker]]", &format!("{more}[[broker]]")));
        let expects = vec![Expect { id: "x".into(), check: Check::NoOverrun, outcome: Outcome::Holds }];
        check::run(&trace, &Plan { expects, ..plan }).remove(0).verdict
    };
    let unrepaired = "[profile]\nfix = { K32 = false }\n";
    assert!(matches!(overrun(unrepaired), Verdict::Violation { clause: "in flight", .. }));
    let repaired = overrun("");
    assert!(matches!(repaired, Verdict::Inconclusive { .. }), "nothing was passed: {repaired:?}");
}
