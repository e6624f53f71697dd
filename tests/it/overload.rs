//! Overload: what senders hear from a broker whose one send thread is kept, and when.

use std::collections::BTreeMap;

use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;

/// So many shops that send one message each, 2 s after the start, and what their broker is like.
fn run(shops: usize, broker: &str, fault: &str) -> Vec<(u64, String)> {
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
    for number in 1..=shops {
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
wait = "{}ms"
count = 1
"#,
            2_000 + number
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

#[test]
fn twenty_senders_and_a_sync_flush_of_50_ms_give_timeouts_of_200_ms() {
    let heard = run(20, "flush = \"sync\"\ndisk = { fsync = \"50ms..50ms\" }", "");
    let counts = counts(&heard);
    assert_eq!(counts.values().sum::<usize>(), 20, "{heard:#?}");
    let (sent, late) = (counts["SEND_OK"], counts["TIMEOUT_CLEAN_QUEUE"]);
    // The first is forced at once, and one more every 50 ms until the others have waited 200 ms.
    assert!((4..=6).contains(&sent) && sent + late == 20, "{counts:?}");
    for (_, text) in heard.iter().filter(|(_, text)| text.contains("TIMEOUT")) {
        assert!(text.contains("[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 2"), "{text}");
    }
}

#[test]
fn a_full_queue_is_told_as_overload() {
    let broker = "flush = \"sync\"\ndisk = { fsync = \"50ms..50ms\" }\nproperties = \"sendThreadPoolQueueCapacity=3\"";
    let counts_of = |heard: &[(u64, String)]| counts(heard).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let heard = run(20, broker, "");
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
    let heard = run(5, "properties = \"waitTimeMillsInSendQueue=1200\"", hung);
    let counts = counts(&heard);
    assert_eq!(counts, BTreeMap::from([("PCBUSY_CLEAN_QUEUE", 4), ("SEND_OK", 1)]), "{heard:#?}");
    let (at, _) = heard.iter().find(|(_, text)| text == "SEND_OK").expect("counted above");
    assert!(*at >= 6_000, "its thread was inside the lock until the disk came back: {at}");
    for (at, text) in heard.iter().filter(|(_, text)| text.contains("PCBUSY")) {
        assert!((4_000..4_030).contains(at), "{at}");
        let told = "[PCBUSY_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ";
        assert!(text.contains(told), "{text}");
    }
}
