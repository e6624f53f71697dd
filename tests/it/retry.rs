//! Messages that fail, in whole runs: when they are tried again, and where they end.

use mqlab::lab::scenario::library;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;

/// How long each retry waits, in s: delay levels 3 to 18.
const LADDER: [u64; 16] = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200];

/// A shop that sends an order and a billing service that answers so.
fn script(until: &str, consumer: &str, rest: &str) -> String {
    format!(
        r#"
format = 1
id = "t"
seed = 7
until = "{until}"
title = "t"
question = "t"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 1
on = ["broker-a"]
[[producer]]
name = "shop"
group = "shops"
start = "31s"
[[producer.send]]
topic = "orders"
wait = "1s"
key = "order-{{n}}"
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
start = "100ms"
{consumer}
{rest}
"#
    )
}

fn run(text: &str) -> Trace {
    let plan = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

/// When something was said, in ms.
fn said<T>(trace: &Trace, pick: impl Fn(&Fact) -> Option<T>) -> Vec<(u64, T)> {
    let facts = trace.records().iter().filter_map(|record| match &record.what {
        What::Fact(fact) => Some((record.at.as_millis(), fact)),
        _ => None,
    });
    facts.filter_map(|(at, fact)| pick(fact).map(|picked| (at, picked))).collect()
}

/// When the listener was called, how often the message had been tried again, and its topic.
fn listened(trace: &Trace) -> Vec<(u64, i32, String)> {
    let calls = trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Listen { messages, .. } => Some((record.at.as_millis(), messages[0].clone())),
            _ => None,
        },
        _ => None,
    });
    calls.map(|(at, message)| (at, message.reconsume_times, message.message.topic.to_string())).collect()
}

#[test]
fn the_ladder_is_climbed_to_the_tick_and_ends_in_one_dead_letter() {
    let trace = run(library::text("21-retry-ladder").unwrap());
    // Who waits is woken when its time has come: 6 h 50 min of heartbeats and held pulls, and nobody who looks every 100 ms.
    let steps = trace.records().last().unwrap().step;
    assert!((40_000..60_000).contains(&steps), "{steps} steps");
    let backs = said(&trace, |fact| match fact {
        Fact::SentBack { level, times, .. } => Some((*level, *times)),
        _ => None,
    });
    assert_eq!(
        backs.iter().map(|(_, back)| *back).collect::<Vec<_>>(),
        (1..=16).map(|n| (n + 2, n)).collect::<Vec<_>>()
    );
    let due = said(&trace, |fact| match fact {
        Fact::DelayedDelivered { topic, .. } => Some(topic.to_string()),
        _ => None,
    });
    let dead = said(&trace, |fact| match fact {
        Fact::DeadLettered { level, times, .. } => Some((*level, *times)),
        _ => None,
    });
    assert_eq!(dead.iter().map(|(_, dead)| *dead).collect::<Vec<_>>(), [(18, 17)]);
    let parked = backs.iter().map(|(at, _)| *at).chain([dead[0].0]);
    let waits: Vec<u64> = due.iter().zip(parked).map(|((due, _), parked)| due - parked).collect();
    // The wait counts from the store time, in whole ms; the dead letter carries the last retry's level and waits again.
    for (wait, wanted) in waits.iter().zip(LADDER.iter().chain([&7_200])) {
        assert!(wait.abs_diff(wanted * 1_000) <= 1, "{wait} ms for {wanted} s");
    }
    assert_eq!(waits.len(), 17);
    assert!(due[..16].iter().all(|(_, topic)| topic == "%RETRY%billing"));
    assert_eq!(due[16].1, "%DLQ%billing");
    let calls = listened(&trace);
    assert_eq!(calls.iter().map(|(_, times, _)| *times).collect::<Vec<_>>(), (0..=16).collect::<Vec<_>>());
    assert!(calls.iter().all(|(_, _, topic)| topic == "orders"), "the listener sees its own topic");
    // Each is consumed the moment it is due: a held pull waits for it.
    for ((due, _), (call, ..)) in due.iter().zip(&calls[1..]) {
        assert!(call - due < 200, "{due} to {call}");
    }
    let offsets = said(&trace, |fact| match fact {
        Fact::OffsetCommitted { topic, queue_offset, .. } if *topic == "orders" => Some(*queue_offset),
        _ => None,
    });
    let passed = offsets.iter().find(|(_, offset)| *offset == 1).unwrap().0;
    assert!(passed < calls[1].0, "the offset passes the message while it waits");
}

#[test]
fn a_lower_limit_makes_a_dead_letter_sooner_and_a_limit_of_none_at_once() {
    let trace = run(&script("200s", "max_reconsume = 2\n[[consumer.on]]\nreply = [\"throw\", \"null\", \"fail\"]", ""));
    assert_eq!(listened(&trace).len(), 3);
    let dead = |fact: &Fact| match fact {
        Fact::DeadLettered { level, times, .. } => Some((*level, *times)),
        _ => None,
    };
    let parked = |fact: &Fact| match fact {
        Fact::DelayedDelivered { topic, .. } if *topic == "%DLQ%billing" => Some(()),
        _ => None,
    };
    assert_eq!(said(&trace, dead).iter().map(|(_, dead)| *dead).collect::<Vec<_>>(), [(4, 3)]);
    assert_eq!(said(&trace, parked).len(), 1, "half a minute later");
    let trace = run(&script("60s", "max_reconsume = 0\n[[consumer.on]]\nreply = [\"fail\"]", ""));
    assert_eq!(said(&trace, dead).iter().map(|(_, dead)| *dead).collect::<Vec<_>>(), [(0, 1)]);
    assert!(said(&trace, parked).is_empty(), "a first failure carries no level");
    let appended = said(&trace, |fact| match fact {
        Fact::Appended { topic, .. } if *topic == "%DLQ%billing" => Some(()),
        _ => None,
    });
    assert_eq!(appended.len(), 1);
}

#[test]
fn a_handler_that_succeeds_in_the_end_leaves_no_dead_letter() {
    let trace = run(&script("120s", "[[consumer.on]]\nreply = [\"fail\", \"fail\", \"ok\"]", ""));
    assert_eq!(listened(&trace).len(), 3);
    assert!(said(&trace, |fact| matches!(fact, Fact::DeadLettered { .. }).then_some(())).is_empty());
}

#[test]
fn a_message_whose_broker_died_is_tried_again_by_way_of_another() {
    let consumer = "[[consumer.on]]\nreply = [\"fail\", \"ok\"]\ntakes = \"2s\"";
    let rest = "[[broker]]\nname = \"broker-b\"\n[[fault]]\nat = \"first:deliver\"\nkill = { node = \"broker-a\" }\n";
    let trace = run(&script("120s", consumer, rest));
    let failed = said(&trace, |fact| matches!(fact, Fact::SendBackFailed { .. }).then_some(()));
    assert!(!failed.is_empty(), "nobody is there to take it back");
    let calls = listened(&trace);
    let again = calls.iter().find(|(_, times, _)| *times == 1).expect("it comes again, one failure older");
    assert!(again.0 - failed[0].0 < 40_000, "{calls:?}");
}

#[test]
fn a_listener_names_the_level_of_the_next_try_or_the_dead_letter_topic() {
    let trace = run(&script("200s", "[[consumer.on]]\nreply = [\"fail\", \"ok\"]\ndelay_level = 5", ""));
    let calls = listened(&trace);
    assert_eq!(calls.iter().map(|call| call.1).collect::<Vec<_>>(), [0, 1]);
    let waited = calls[1].0 - calls[0].0;
    assert!((60_000..60_200).contains(&waited), "level 5 is a minute: {waited} ms");
    let trace = run(&script("200s", "[[consumer.on]]\nreply = [\"fail\"]\ndelay_level = -1", ""));
    assert_eq!(listened(&trace).len(), 1, "a dead letter is not tried again");
    let dead = said(&trace, |fact| matches!(fact, Fact::DeadLettered { times: 1, .. }).then_some(()));
    assert_eq!(dead.len(), 1);
}

#[test]
fn what_lies_behind_the_ack_index_of_a_batch_is_given_back() {
    let consumer = "start = \"40s\"\nbatch = 4\n[[consumer.on]]\nreply = [\"ok\"]\nack_index = 0";
    let text = script("60s", consumer, "")
        .replace("start = \"100ms\"\n", "")
        .replace("wait = \"1s\"", "wait = \"1s\"\ncount = 4\nevery = \"100ms\"");
    let trace = run(&text);
    let back = said(&trace, |fact| matches!(fact, Fact::SentBack { times: 1, .. }).then_some(()));
    assert_eq!(back.len(), 3, "the first of four is done");
}
