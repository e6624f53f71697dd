//! Filters in whole runs: what a consumer hears of its condition, who drops what, and how long a filter is kept.

use std::fs;
use std::path::Path;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::broker::filter::{Change, CompileError, Filters};
use mqlab::mq::fact::Fact;
use mqlab::mq::message::{Group, Topic, property};
use mqlab::mq::time::Millis;
use mqlab::mq::wire::body::SubscriptionData;
use mqlab::mq::wire::code::{request, response};
use serde_json::Value;

const ON: &str = "enablePropertyFilter=true\n";
const FAQ: &str = "\nFor more information, please visit the url, http://rocketmq.apache.org/docs/faq/";

/// People of several ages, a few before their reader comes and a few behind it.
fn script(broker: &str, properties: &str, subscribe: &str) -> String {
    let mut sends = String::new();
    for age in ["10", "20", "old", "30"] {
        sends.push_str(&format!(
            "[[producer.send]]\ntopic = \"people\"\nkey = \"early-{age}\"\nproperties = {{ age = \"{age}\" }}\n"
        ));
    }
    for age in ["11", "12", "41", "13"] {
        sends.push_str(&format!(
            "[[producer.send]]\ntopic = \"people\"\nwait = \"9s\"\nkey = \"late-{age}\"\nproperties = {{ age = \"{age}\" }}\n"
        ));
    }
    format!(
        r#"
format = 1
id = "t"
seed = 7
until = "60s"
title = "t"
question = "t"
[[broker]]
name = "broker-a"
{broker}
properties = """
{properties}"""
[[topic]]
name = "people"
queues = 1
[[producer]]
name = "town"
group = "towns"
start = "1s"
{sends}
[[consumer]]
name = "bar"
group = "bars"
subscribe = {{ people = {subscribe} }}
from = "first"
start = "3s"
"#
    )
}

fn run(text: &str) -> Trace {
    let plan = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

fn said<T>(trace: &Trace, pick: impl Fn(&Fact) -> Option<T>) -> Vec<T> {
    let facts = trace.records().iter().filter_map(|record| match &record.what {
        What::Fact(fact) => Some(fact),
        _ => None,
    });
    facts.filter_map(pick).collect()
}

/// The keys that the listener was called with.
fn delivered(trace: &Trace) -> Vec<String> {
    let mut keys = Vec::new();
    for record in trace.records() {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Listen { messages, .. } = &**answer
        {
            keys.extend(messages.iter().filter_map(|one| one.message.properties.get(property::names::KEYS)));
        }
    }
    keys.iter().map(ToString::to_string).collect()
}

fn thrown(trace: &Trace) -> Vec<String> {
    said(trace, |fact| match fact {
        Fact::StartThrew { text, .. } => Some(text.to_string()),
        _ => None,
    })
}

/// The codes and remarks with which pulls were refused, each once.
fn refusals(trace: &Trace) -> Vec<(i32, String)> {
    let mut refused = said(trace, |fact| match fact {
        Fact::RequestRefused { request: request::PULL_MESSAGE, code, remark } => Some((*code, remark.to_string())),
        _ => None,
    });
    refused.dedup();
    refused
}

#[test]
fn a_condition_is_asked_of_messages_before_and_behind_the_consumer() {
    let trace = run(&script("", ON, r#"{ sql = "age BETWEEN 18 AND 41" }"#));
    assert_eq!(delivered(&trace), ["early-20", "early-30", "late-41"]);
    assert_eq!(thrown(&trace), [""; 0]);
    let filters = said(&trace, |fact| match fact {
        Fact::FilterRegistered { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(filters, ["new"]);
    // A held pull sleeps through what it does not want.
    let woken = said(&trace, |fact| match fact {
        Fact::HoldReleased { topic, why, .. } if *topic == "people" => Some(*why),
        _ => None,
    });
    assert_eq!(woken.iter().filter(|why| **why == "arrived").count(), 1, "{woken:?}");
    let written = said(&trace, |fact| match fact {
        Fact::ConfigPersisted { file: "consumerFilter.json" } => Some(()),
        _ => None,
    });
    assert!(!written.is_empty());
}

#[test]
fn bit_maps_in_the_extension_change_nothing_that_is_delivered() {
    let with = format!("{ON}enableConsumeQueueExt=true\nenableCalcFilterBitMap=true\n");
    let trace = run(&script("", &with, r#"{ sql = "age BETWEEN 18 AND 41" }"#));
    assert_eq!(delivered(&trace), ["early-20", "early-30", "late-41"]);
}

#[test]
fn without_its_switch_the_broker_refuses_the_start_and_every_pull() {
    let trace = run(&script("", "", r#"{ sql = "age > 18" }"#));
    let text = "The broker does not support consumer to filter message by SQL92";
    assert_eq!(thrown(&trace), [format!("CODE: 1  DESC: {text}{FAQ}")]);
    assert_eq!(delivered(&trace), [""; 0]);
    let refused = refusals(&trace);
    assert_eq!(refused.last(), Some(&(response::SYSTEM_ERROR, text.to_owned())), "{refused:?}");
}

#[test]
fn a_condition_that_does_not_compile_is_refused_with_its_cause_and_never_kept() {
    let trace = run(&script("", ON, r#"{ sql = "age > 'x'" }"#));
    let cause = "java.lang.RuntimeException: Value ''x'' cannot be compared.";
    assert_eq!(thrown(&trace), [format!("CODE: 23  DESC: {cause}{FAQ}")]);
    let why = said(&trace, |fact| match fact {
        Fact::FilterRefused { why, .. } => Some(why.to_string()),
        _ => None,
    });
    assert!(why[0].starts_with("column 7: `'x'` has no order"), "{why:?}");
    let text = "The broker's consumer filter data is not exist!Your expression may be wrong!";
    assert_eq!(refusals(&trace).last(), Some(&(response::FILTER_DATA_NOT_EXIST, text.to_owned())));
    assert_eq!(delivered(&trace), [""; 0]);
}

#[test]
fn a_broker_that_cannot_be_asked_stops_the_start_with_a_guess() {
    let trace = run(&script("announce = \"172.17.0.1\"", ON, r#"{ sql = "age > 18" }"#));
    let thrown = thrown(&trace);
    assert_eq!(thrown.len(), 1);
    assert!(thrown[0].starts_with("Check client in broker error, maybe because you use SQL92"), "{thrown:?}");
    assert!(thrown[0].ends_with(FAQ));
}

#[test]
fn a_condition_that_the_broker_will_refuse_or_cut_is_told_before_the_run() {
    let notes = |subscribe: &str| {
        let text = script("", ON, subscribe);
        let notes = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).notes;
        notes.into_iter().map(|note| (note.en, note.zh)).collect::<Vec<_>>()
    };
    assert_eq!(notes(r#"{ sql = "age > 18" }"#), []);
    let [(en, zh)] = &notes(r#"{ sql = "age == 18" }"#)[..] else { panic!("one note") };
    assert!(en.contains("column 6: `=` cannot stand here") && zh.contains("第 6 列"), "{en} {zh}");
    let [(en, _)] = &notes(r#"{ sql = "age > 18 years" }"#)[..] else { panic!("one note") };
    assert!(en.contains("`years` from column 10 on is not read"), "{en}");
    for (bad, said) in [
        ("{ sql = \"\" }", "this condition is empty"),
        ("{ sqll = \"age > 1\" }", "unknown field `sqll`"),
        ("{ sql = \"age > 1\", tags = \"a\" }", "either by `tags` or by `sql`"),
        ("\"a || \"", "no tag expression"),
    ] {
        let text = script("", ON, bad);
        let report = load("t", text.as_bytes(), &Overrides::default()).expect_err("the file is bad").to_string();
        assert!(report.contains(said), "{bad}: {report}");
    }
}

/// The recorded conversation with a real cluster: what `start()` threw there, it throws here.
#[test]
fn what_is_thrown_is_what_a_real_cluster_made_a_real_client_throw() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/conversations/09-sql92/story.json");
    let story: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let (mut is_on, mut heard) = (false, 0);
    for step in story["steps"].as_array().unwrap() {
        if let Some(enabled) = step["config"]["enablePropertyFilter"].as_bool() {
            is_on = enabled;
        }
        let Some(sql) = step["args"]["sql"].as_str() else { continue };
        let subscribe = format!("{{ sql = \"{sql}\" }}");
        let trace = run(&script("", if is_on { ON } else { "" }, &subscribe));
        let real: Vec<String> = step["result"]["message"].as_str().map(str::to_owned).into_iter().collect();
        assert_eq!(thrown(&trace), real, "{sql}");
        heard += 1;
    }
    assert_eq!(heard, 3);
}

fn subscription(expression: &str, version: i64) -> SubscriptionData {
    SubscriptionData {
        class_filter_mode: false,
        topic: "people".into(),
        sub_string: expression.into(),
        tags_set: Vec::new(),
        code_set: Vec::new(),
        sub_version: version,
        expression_type: "SQL92".into(),
    }
}

#[test]
fn a_filter_follows_the_versions_of_its_subscription_and_outlives_its_group_by_a_day() {
    let (group, mut filters) = (Group::from("bars"), Filters::default());
    let beat = |filters: &mut Filters, all: &[SubscriptionData], at: i64| {
        let changes = filters.register(&group, all, Millis(at));
        let words = changes.into_iter().map(|(topic, change)| {
            assert_eq!(topic, Topic::from("people"));
            match change {
                Change::Now(word) => word,
                Change::Refused(CompileError::Sql(_)) => "refused",
                Change::Refused(CompileError::Language) => "no such language",
            }
        });
        words.collect::<Vec<_>>()
    };
    let text = |filters: &Filters| filters.get("people", "bars").map(|filter| filter.expression.clone().unwrap());
    assert_eq!(beat(&mut filters, &[subscription("a > 1", 10)], 1_000), ["new"]);
    // The same version says nothing, whatever it says; an older one, too.
    assert_eq!(beat(&mut filters, &[subscription("a > 2", 10)], 2_000), [""; 0]);
    assert_eq!(beat(&mut filters, &[subscription("a > 2", 9)], 2_000), [""; 0]);
    assert_eq!(text(&filters).as_deref(), Some("a > 1"));
    // A newer one with the same text is the same filter, born when it was.
    assert_eq!(beat(&mut filters, &[subscription("a > 1", 11)], 3_000), [""; 0]);
    assert_eq!(
        filters.get("people", "bars").map(|filter| (filter.client_version, filter.born_time)),
        Some((11, 1_000))
    );
    assert_eq!(beat(&mut filters, &[subscription("a > 2", 12)], 4_000), ["changed"]);
    assert_eq!(filters.get("people", "bars").map(|filter| filter.born_time), Some(4_000));
    // No longer subscribed: dead; the same version revives it.
    assert_eq!(beat(&mut filters, &[], 5_000), ["dead"]);
    assert_eq!(beat(&mut filters, &[], 6_000), [""; 0]);
    assert_eq!(beat(&mut filters, &[subscription("a > 2", 12)], 7_000), ["revived"]);
    // What does not compile takes the old one with it; another language is nobody's.
    assert_eq!(beat(&mut filters, &[subscription("a >", 13)], 8_000), ["refused"]);
    assert_eq!(text(&filters), None);
    let other = SubscriptionData { expression_type: "XPATH".into(), ..subscription("a > 2", 14) };
    assert_eq!(beat(&mut filters, &[other], 8_000), ["no such language"]);
    // Tags and the empty text are no filters.
    let tags = SubscriptionData { expression_type: "TAG".into(), ..subscription("a", 15) };
    assert_eq!(beat(&mut filters, &[tags, subscription("", 15)], 8_000), [""; 0]);
    assert_eq!(beat(&mut filters, &[subscription("a > 2", 16)], 9_000), ["new"]);
    assert_eq!(filters.unregister(&group, Millis(10_000)).len(), 1);
    let day = 24 * 3_600 * 1_000;
    assert!(filters.text(Millis(10_000 + day - 1)).contains("a > 2"));
    assert!(!filters.text(Millis(10_000 + day)).contains("a > 2"));
    assert_eq!(text(&filters), None);
}

#[test]
fn members_of_two_minds_miss_what_either_wants_k16() {
    let text = mqlab::lab::scenario::library::text("34-two-minds").unwrap();
    let load = |sets: &[&str]| {
        let sets = sets.iter().map(|set| (*set).to_owned()).collect();
        let changes = Overrides { sets, ..Overrides::default() };
        load("34", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan
    };
    let verdicts = |trace: &Trace, plan: &Plan| {
        let of = |check: Check| {
            let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
            check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
        };
        [of(Check::AtLeastOnce), of(Check::FilterComplete)]
    };
    let plan = load(&[]);
    let trace = Session::run(&plan, Level::Full).trace;
    for verdict in verdicts(&trace, &plan) {
        assert!(matches!(verdict, Verdict::Known { weakness: 16, clause: "never delivered", .. }), "{verdict:?}");
    }
    // Of one mind they miss nothing; and the same loss among members of one mind would be no known weakness.
    let both = [
        "consumer.billing-1.subscribe={ orders = \"pay || refund\" }",
        "consumer.billing-2.subscribe={ orders = \"pay || refund\" }",
    ];
    let alike = load(&both);
    let whole = Session::run(&alike, Level::Full).trace;
    assert_eq!(verdicts(&whole, &alike), [Verdict::Pass, Verdict::Pass]);
    for verdict in verdicts(&trace, &alike) {
        assert!(matches!(verdict, Verdict::Violation { clause: "never delivered", .. }), "{verdict:?}");
    }
}
