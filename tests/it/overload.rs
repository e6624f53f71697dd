//! Overload: what senders hear from a broker whose one send thread is kept, and when.

use std::collections::BTreeMap;

use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;

/// Shops that send one message each, so many ms after their start at 1 s, and what their broker is like.
fn run(shops: &[u64], broker: &str, fault: &str) -> Vec<(u64, String)> {
    let mut text = format!(
        r#"
format = 1
id = "overload"
seed = 3
until = "40s"
title.en = "Overload"
title.zh = "过载"

[cluster]
network = {{ latency = "1ms" }}

[[broker]]
name = "broker-a"
{broker}

[[topic]]
name = "orders"
queues = 1
{fault}
"#
    );
    for (number, wait) in shops.iter().enumerate() {
        text += &format!(
            r#"
[[producer]]
name = "shop-{number}"
group = "shop-{number}"
start = "1s"
retries = 0
timeout = "20s"
[[producer.send]]
topic = "orders"
wait = "{wait}ms"
count = 1
"#
        );
    }
    let scenario = load("overload.toml", text.as_bytes(), &Overrides::default());
    let scenario = scenario.unwrap_or_else(|report| panic!("{:#?}", report.problems));
    let run = Session::run(&scenario.plan, Level::Full);
    let heard = run.trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Sent { result, .. } => Some((record.at.as_millis(), result.status.as_str().to_owned())),
            Return::Failed { error, .. } => Some((record.at.as_millis(), error.text.to_string())),
            _ => None,
        },
        _ => None,
    });
    heard.collect()
}

/// How many heard what; of the broker's refusals the word in brackets.
fn counts(heard: &[(u64, String)]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for (_, text) in heard {
        let word = text.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(word, _)| word);
        *counts.entry(word.unwrap_or(text)).or_insert(0) += 1;
    }
    counts
}

/// So many, 1 ms apart, from 2 s on.
fn together(count: u64) -> Vec<u64> {
    (1..=count).map(|number| 1_000 + number).collect()
}

#[test]
fn twenty_senders_and_a_sync_flush_of_50_ms_give_timeouts_of_200_ms() {
    let heard = run(&together(20), "flush = \"sync\"\ndisk = { fsync = \"50ms..50ms\" }", "");
    let counts = counts(&heard);
    assert_eq!(counts.values().sum::<usize>(), 20, "{heard:#?}");
    let (sent, late) = (counts["SEND_OK"], counts["TIMEOUT_CLEAN_QUEUE"]);
    // The first is forced at once, and one more every 50 ms until the others have waited 200 ms.
    assert!((4..=6).contains(&sent) && sent + late == 20, "{counts:?}");
    for (_, text) in heard.iter().filter(|(_, text)| text.contains("TIMEOUT")) {
        assert!(
            text.contains("[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 2"),
            "{text}"
        );
    }
}

#[test]
fn a_full_queue_is_told_as_overload() {
    let broker = "flush = \"sync\"\ndisk = { fsync = \"50ms..50ms\" }\nproperties = \"sendThreadPoolQueueCapacity=3\"";
    let counts_of = |heard: &[(u64, String)]| counts(heard).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let heard = run(&together(20), broker, "");
    let counts: BTreeMap<String, usize> = counts_of(&heard);
    // One in hand, three in the queue, sixteen turned away.
    assert_eq!(counts, BTreeMap::from([("OVERLOAD".to_owned(), 16), ("SEND_OK".to_owned(), 4)]), "{heard:#?}");
    let told = heard.iter().find(|(_, text)| text.contains("OVERLOAD")).expect("counted above");
    assert!(told.1.contains("[OVERLOAD]system busy, start flow control for a while"), "{}", told.1);
}

#[test]
fn a_hung_disk_keeps_the_lock_and_the_queue_hears_of_a_busy_page_cache() {
    let hung = "[[fault]]\nat = \"2s\"\nlasts = \"4s\"\nhung-disk = { node = \"broker-a\", file = \"commitlog\" }";
    // Who waits may do so for 1.2 s, so that the page cache is busy before anybody has waited too long.
    let mut shops = together(5);
    shops.extend([2_500, 3_500]);
    let heard = run(&shops, "properties = \"waitTimeMillsInSendQueue=1200\"", hung);
    let counts = counts(&heard);
    let expected = BTreeMap::from([("PCBUSY_CLEAN_QUEUE", 4), ("REJECTREQUEST", 2), ("SEND_OK", 1)]);
    assert_eq!(counts, expected, "{heard:#?}");
    let (at, _) = heard.iter().find(|(_, text)| text == "SEND_OK").expect("counted above");
    assert!(*at >= 6_000, "its thread was inside the lock until the disk came back: {at}");
    let when = |word: &'static str| heard.iter().filter(move |(_, text)| text.contains(word));
    for (at, text) in when("PCBUSY") {
        assert!((3_000..3_030).contains(at), "one second after the first: {at}");
        let told = "[PCBUSY_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ";
        assert!(text.contains(told), "{text}");
    }
    let turned_away: Vec<&str> = when("REJECTREQUEST").map(|(_, text)| text.as_str()).collect();
    assert!(turned_away.iter().all(|text| text.contains("[REJECTREQUEST]system busy, start flow control for a while")));
}

#[test]
fn a_processor_that_is_slow_with_sends_keeps_their_thread_as_a_slow_disk_does() {
    let slow = |what: &str| {
        format!("[[fault]]\nat = \"1900ms\"\nlasts = \"20s\"\nslow-cpu = {{ node = \"broker-a\", {what} }}")
    };
    // 20 us for a healthy task, so 50 ms each: the first four or five are done before the others have waited 200 ms.
    let heard = run(&together(20), "", &slow("times = 2500, task = \"send\""));
    let told = counts(&heard);
    let (sent, late) = (told["SEND_OK"], told["TIMEOUT_CLEAN_QUEUE"]);
    assert!((4..=6).contains(&sent) && sent + late == 20, "{told:?}");
    assert!(heard.iter().filter(|(_, text)| text == "SEND_OK").all(|(at, _)| 2_050 <= *at), "{heard:?}");
    // Whoever is slow with other things takes messages in as ever, and so does who is healthy again.
    for other in ["times = 2500, task = \"pull\"", "times = 2500, task = \"admin\""] {
        let heard = run(&together(20), "", &slow(other));
        assert_eq!(counts(&heard), BTreeMap::from([("SEND_OK", 20)]), "{other}");
        assert!(heard.iter().all(|(at, _)| *at < 2_040), "{other}: {heard:?}");
    }
    let healed = run(&together(20), "", &slow("times = 2500, task = \"send\"").replace("20s", "50ms"));
    assert_eq!(counts(&healed), BTreeMap::from([("SEND_OK", 20)]));
}

#[test]
fn pulls_and_routes_wait_for_a_slow_processor_and_for_a_thread() {
    let when = |task: &str, first: fn(&What) -> bool| {
        let fault = match task {
            "" => String::new(),
            "route" => slow_from_the_start("ns-1", task),
            _ => slow_from_the_start("broker-a", task),
        };
        let text = format!("{}{fault}", crate::refuted::tables::shop_text("60s", "count = 3", "", ""));
        let plan = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
        let trace = Session::run(&plan, Level::Full).trace;
        trace.records().iter().find(|record| first(&record.what)).map(|record| record.at.as_millis()).unwrap()
    };
    let holds = |what: &What| matches!(what, What::Fact(Fact::Held { .. }));
    let learns = |what: &What| matches!(what, What::Fact(Fact::RouteLearned { .. }));
    let (healthy, routed) = (when("", holds), when("", learns));
    // A second for each.
    assert!((healthy + 1_000..healthy + 2_500).contains(&when("pull", holds)), "{healthy}");
    assert!((routed + 1_000..routed + 2_500).contains(&when("route", learns)), "{routed}");
}

fn slow_from_the_start(node: &str, task: &str) -> String {
    format!("[[fault]]\nat = \"1ms\"\nslow-cpu = {{ node = \"{node}\", times = 50000, task = \"{task}\" }}\n")
}
