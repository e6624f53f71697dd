//! Overload: what senders hear from a broker whose one send thread is kept, and when.

use std::collections::BTreeMap;

use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;

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
