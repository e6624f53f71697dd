//! Ways of sending in whole runs: with callbacks, one-way, to a named queue, in large bodies.

use mqlab::lab::check::history::History;
use mqlab::lab::oracle::store::LogRecord;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;
use mqlab::mq::message::property::names;

/// A shop that sends to one broker; `row` says how, `rest` what goes wrong.
fn run(broker: &str, row: &str, rest: &str) -> Trace {
    run_text(&script(broker, row, rest))
}

fn script(broker: &str, row: &str, rest: &str) -> String {
    format!(
        r#"
format = 1
id = "t"
seed = 7
until = "60s"
title.en = "t"
title.zh = "t"
question.en = "t"
question.zh = "t"
[[broker]]
name = "broker-a"
{broker}
[[topic]]
name = "orders"
queues = 4
[[producer]]
name = "shop"
group = "shops"
start = "31s"
[[producer.send]]
topic = "orders"
wait = "2s"
key = "order-{{n}}"
{row}
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
start = "100ms"
{rest}
"#
    )
}

fn run_text(text: &str) -> Trace {
    let plan = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

/// Milliseconds and kinds of what passed the shop's application port.
fn port(trace: &Trace) -> Vec<(u64, &'static str)> {
    let shop = trace.node("shop");
    let own = trace.records().iter().filter(|record| record.node == shop && matches!(record.what, What::App(_)));
    own.map(|record| (record.at.0 / 1_000_000, record.what.kind())).collect()
}

/// Texts and attempts of the sends that failed, with their moments in ms.
fn failures(trace: &Trace) -> Vec<(u64, String, u32, bool)> {
    let failed = trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Failed { error, .. } => Some((
                record.at.0 / 1_000_000,
                format!("{}: {}", error.kind.as_str(), error.text.lines().next().unwrap_or_default()),
                error.attempts,
                error.provably_not_stored,
            )),
            _ => None,
        },
        _ => None,
    });
    failed.collect()
}

fn appended(trace: &Trace) -> Vec<(String, i32, i32)> {
    let said = trace.records().iter().filter_map(|record| match &record.what {
        What::Fact(Fact::Appended { topic, queue_id, size, .. }) => Some((topic.to_string(), *queue_id, *size)),
        _ => None,
    });
    said.collect()
}

fn delivered(trace: &Trace) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for record in trace.records() {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Listen { messages, .. } = &**answer
        {
            for message in messages {
                let key = message.message.properties.get(names::KEYS).unwrap().to_string();
                found.push((key, message.message.body.len()));
            }
        }
    }
    found.sort();
    found
}

const SLOW: &str = "flush = \"sync\"\ndisk = { fsync = \"50ms\" }\n";

/// The broker dies between the first message and the second, when its address is known.
const DEATH: &str = "[[fault]]\nname = \"death\"\nat = \"33500ms\"\nkill = { node = \"broker-a\" }\n";

#[test]
fn who_has_callbacks_does_not_wait_for_them() {
    let trace = run(SLOW, "mode = \"async\"\ncount = 3\nevery = \"10ms\"\n", "");
    let kinds: Vec<&str> = port(&trace).iter().map(|(_, kind)| *kind).collect();
    let sent = ["call-send-by", "call-send-by", "call-send-by"];
    assert_eq!(kinds, [sent, ["sent-result", "sent-result", "sent-result"]].concat());
    assert_eq!(delivered(&trace).len(), 3);
    // The same shop without callbacks sends the next when it has heard of the last.
    let trace = run(SLOW, "count = 3\nevery = \"10ms\"\n", "");
    let kinds: Vec<&str> = port(&trace).iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, ["call-send", "sent-result", "call-send", "sent-result", "call-send", "sent-result"]);
}

#[test]
fn a_shutdown_loses_the_callbacks_of_what_was_stored() {
    let rest = "[[fault]]\nname = \"over\"\nat = \"after:first:appended@broker-a\"\nstop = { node = \"shop\" }\n";
    let trace = run(SLOW, "mode = \"async\"\n", rest);
    let kinds: Vec<&str> = port(&trace).iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, ["call-send-by", "info"], "no callback, neither one nor the other");
    assert_eq!(delivered(&trace).len(), 1, "and yet it is there");
}

#[test]
fn a_callback_is_tried_again_without_an_answer_and_its_retries_have_no_time_of_their_own() {
    let rest = "[[fault]]\nname = \"freeze\"\nat = \"32500ms\"\npause = { node = \"broker-a\" }\n";
    let trace = run("", "mode = \"async\"\n", rest);
    let failures = failures(&trace);
    assert_eq!(failures.len(), 1, "{failures:?}");
    let (at, text, attempts, not_stored) = &failures[0];
    assert_eq!(text, "MQClientException: wait response timeout 0ms", "what the last retry was given");
    assert_eq!((*attempts, *not_stored), (3, false));
    // Sent at 33 s: 3 s and the scan's grace, then twice the grace alone.
    assert!((38_000..43_000).contains(at), "{at}");
}

#[test]
fn a_callback_hears_a_refusal_at_once_and_a_dead_broker_in_the_words_of_a_send() {
    let trace = run("", "mode = \"async\"\ncount = 2\nevery = \"1s\"\n", DEATH);
    let dead = failures(&trace);
    assert!(dead[0].1.starts_with("MQClientException: Send [1] times, still failed, cost ["), "{dead:?}");
    assert_eq!((dead[0].2, dead[0].3), (1, true));
    let trace = run("", "mode = \"async\"\ntimeout = \"0s\"\n", "");
    let none = failures(&trace);
    assert_eq!(none[0].1, "RemotingTooMuchRequestException: DEFAULT ASYNC send call timeout");
}

#[test]
fn one_way_is_over_when_it_is_written() {
    let trace = run(SLOW, "mode = \"oneway\"\ncount = 2\n", "");
    let kinds: Vec<&str> = port(&trace).iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, ["call-send-by", "done", "call-send-by", "done"]);
    assert_eq!(delivered(&trace).len(), 2);
    let answers = trace.records().iter().any(|record| match &record.what {
        What::Road(mqlab::lab::trace::record::Road::Sent { frame, to, .. }) => {
            frame.flag & 1 == 1 && Some(*to) == trace.node("shop") && frame.body == 0 && frame.code == 10
        }
        _ => false,
    });
    assert!(!answers, "nobody is answered");
    let dead = failures(&run("", "mode = \"oneway\"\ncount = 2\nevery = \"1s\"\n", DEATH));
    assert!(dead[0].1.starts_with("MQClientException: Send [1] times, still failed"), "{dead:?}");
}

#[test]
fn a_named_queue_is_tried_once_and_its_failure_is_the_attempts_own() {
    for mode in ["sync", "async", "oneway"] {
        let row = format!("mode = \"{mode}\"\nselect = \"queue:2\"\ncount = 3\n");
        let trace = run("", &row, "");
        let queues: Vec<i32> = appended(&trace).iter().map(|(_, queue, _)| *queue).collect();
        assert_eq!(queues, [2, 2, 2], "{mode}");
        let kill = "[[fault]]\nname = \"death\"\nat = \"32500ms\"\nkill = { node = \"broker-a\" }\n";
        let dead = failures(&run("", &row, kill));
        assert_eq!(dead.len(), 3, "{mode}: {dead:?}");
        assert_eq!(dead[0].1, "RemotingConnectException: connect to <10.0.2.1:10909> failed", "{mode}");
        assert_eq!((dead[0].2, dead[0].3), (1, true));
    }
    let trace = run("", "select = \"queue:9\"\n", "");
    let illegal = failures(&trace);
    assert!(illegal[0].1.starts_with("MQBrokerException: CODE: 1  DESC: request queueId[9] is illegal"), "{illegal:?}");
}

#[test]
fn a_large_body_travels_deflated_and_arrives_whole() {
    for (size, is_small) in [(4_095, false), (4_096, true)] {
        let trace = run("", &format!("size = {size}\n"), "");
        let [(_, _, length)] = appended(&trace)[..] else { panic!("one record") };
        assert_eq!(length < 1_000, is_small, "{size} bytes take {length}");
        assert_eq!(delivered(&trace), [("order-1".to_owned(), size)]);
    }
}

#[test]
fn a_batch_is_one_request_one_result_and_records_side_by_side() {
    for broker in ["", SLOW] {
        let trace = run(broker, "count = 7\nbatch = 5\n", "");
        let kinds: Vec<&str> = port(&trace).iter().map(|(_, kind)| *kind).collect();
        assert_eq!(kinds, ["call-send-batch", "sent-result", "call-send-batch", "sent-result"]);
        let requests = trace.records().iter().filter(|record| match &record.what {
            What::Road(mqlab::lab::trace::record::Road::Arrived { frame, .. }) => frame.label == "SEND_BATCH_MESSAGE",
            _ => false,
        });
        assert_eq!(requests.count(), 2);
        let records = appended(&trace);
        assert_eq!(records.len(), 7);
        assert!(records[..5].iter().all(|(_, queue, _)| *queue == records[0].1), "{records:?}");
        let history = History::of(&trace);
        let places: Vec<(i32, i64)> =
            history.acked().map(|(_, _, _, result)| (result.queue.queue_id, result.queue_offset.0)).collect();
        let (first, second) = (places[0].0, places[5].0);
        assert_eq!(places[..5], [0, 1, 2, 3, 4].map(|offset| (first, offset)));
        assert_eq!(places[5..], [0, 1].map(|offset| (second, offset)));
        for (send, _, _, result) in history.acked() {
            let copies = history.copies().filter(|(_, record)| {
                record.id().is_some_and(|id| id == &*result.msg_id) && *record.body == *send.message.body
            });
            assert_eq!(copies.count(), 1, "each has its own id");
        }
        let keys: Vec<String> = delivered(&trace).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, (1..=7).map(|number| format!("order-{number}")).collect::<Vec<String>>());
    }
    let refused = failures(&run("", "count = 2\nbatch = 2\ndelay_level = 3\n", ""));
    assert_eq!(refused[0].1, "MQClientException: Failed to initiate the MessageBatch");
}

#[test]
fn what_may_be_lost_is_sent_to_another_broker_if_the_producer_wants_it() {
    let brokers = "flush = \"sync\"\ndisk = { fsync = \"6s\" }\n[[broker]]\nname = \"broker-b\"\n";
    let text = script(brokers, "count = 8\ntimeout = \"20s\"\n", "");
    let statuses = |trace: &Trace| {
        let sent = trace.records().iter().filter_map(|record| match &record.what {
            What::App(App::Returned(answer)) => match &**answer {
                Return::Sent { result, .. } => Some(result.status.as_str()),
                _ => None,
            },
            _ => None,
        });
        sent.collect::<Vec<&str>>()
    };
    let as_it_is = run_text(&text.replace("until = \"60s\"", "until = \"120s\""));
    assert!(statuses(&as_it_is).contains(&"FLUSH_DISK_TIMEOUT"));
    let wanted = text
        .replace("until = \"60s\"", "until = \"120s\"")
        .replace("start = \"31s\"", "start = \"31s\"\nretry_another_broker = true");
    let trace = run_text(&wanted);
    assert_eq!(statuses(&trace), ["SEND_OK"; 8]);
    let history = History::of(&trace);
    let twice = history.acked().filter(|(_, _, _, result)| {
        let is_it = |record: &LogRecord| record.id().is_some_and(|id| id == &*result.msg_id);
        history.copies().filter(|(_, record)| is_it(record)).count() == 2
    });
    assert_ne!(twice.count(), 0, "the price: it is on both");
}
