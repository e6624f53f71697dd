//! Broadcasting in whole runs: everybody's copy, a file of one's own, and what is lost with it.

use std::collections::BTreeSet;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::oracle::local_offsets;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, DiskPlan, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::disk::SimDisk;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, DiskEvent, Level, Machine, What};
use mqlab::mq::app::{MessageModel, Return};
use mqlab::mq::client::config::{ClientConfig, ConsumerConfig};
use mqlab::mq::client::consumer::local::readable;
use mqlab::mq::disk::Disk;
use mqlab::mq::message::property::names;

fn run(text: &str, seed: u64) -> (Trace, Plan) {
    let changes = Overrides { seed: Some(seed), ..Overrides::default() };
    let plan = load("t", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    let result = Session::run(&plan, Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    (result.trace, plan)
}

fn lesson() -> &'static str {
    library::text("07-one-or-all").unwrap()
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

fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

#[test]
fn each_host_keeps_its_own_place_in_a_file_that_a_dead_process_leaves_behind() {
    let (trace, _) = run(lesson(), 1);
    let web_3 = trace.node("web-3");
    let mut texts = trace.records().iter().filter(|record| record.node == web_3).filter_map(|record| {
        let What::Disk(DiskEvent::Image { cached, .. }) = &record.what else { return None };
        let file = &cached.files[".rocketmq_offsets/10.0.3.7@DEFAULT/caches/offsets.json"];
        Some(String::from_utf8(file.read(0..file.len)).unwrap())
    });
    let at_death = texts.next().unwrap();
    assert!(at_death.starts_with("{\n\t\"offsetTable\":{{\n\t\t\t\"brokerName\":\"broker-a\",\n"), "{at_death}");
    assert_eq!(at_death.matches("}:2").count(), 3, "two orders in each of three queues\n{at_death}");
    assert_eq!(texts.next().unwrap().matches("}:4").count(), 3);
    let committed = trace.records().iter().any(|record| match &record.what {
        What::Fact(fact) => {
            fact.kind() == "offset-committed" && {
                let mut of_caches = false;
                fact.each_field(|name, value| {
                    of_caches |= name == "group" && value == mqlab::mq::fact::Value::Text("caches");
                });
                of_caches
            }
        }
        _ => false,
    });
    assert!(!committed, "the broker holds no offset of a broadcasting group");
}

#[test]
fn a_file_that_power_took_loses_the_place_and_what_was_sent_meanwhile() {
    let died = "kill = { node = \"web-3\" }";
    let unplugged = lesson().replace(died, "power_loss = { node = \"web-3\", keep = \"fsynced\" }");
    let unplugged = unplugged.replace("power_loss", "power-loss");
    let (trace, plan) = run(&unplugged, 1);
    let keys = handed(&trace, "web-3");
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("order-")), "{keys:?}");
    assert_eq!(handed(&trace, "web-1").len(), 12);
    // The release promises no more.
    assert_eq!(verdict(&trace, &plan, Check::BroadcastComplete), Verdict::Pass);
}

#[test]
fn a_group_that_begins_last_begins_at_the_end_when_it_broadcasts_and_at_the_start_when_it_shares() {
    let late = lesson().replace("start = \"100ms\"", "start = \"40s\"").replace("at = \"42s\"", "at = \"99s\"");
    let late = late.replace("at = \"50s\"", "at = \"99.5s\"").replace("wait = \"1s\"", "wait = \"2s\"");
    let (trace, _) = run(&late, 3);
    // They come one after the other, so some orders are handed out twice.
    let shared = ["billing-1", "billing-2", "billing-3"].iter().flat_map(|node| handed(&trace, node));
    assert_eq!(shared.collect::<BTreeSet<_>>().len(), 12, "the queues are young: the broker answers 0");
    for node in ["web-1", "web-2", "web-3"] {
        let keys = handed(&trace, node);
        assert!(keys.iter().all(|key| key.starts_with("late-")) && keys.len() == 6, "{node}: {keys:?}");
    }
}

#[test]
fn a_broken_file_gives_way_to_the_one_before_it_and_without_that_nobody_starts() {
    let mut config = ClientConfig::new("web", 0x0A00_0301, 1, Vec::new());
    config
        .consumers
        .push(ConsumerConfig { message_model: MessageModel::Broadcasting, ..ConsumerConfig::new("caches") });
    assert_eq!(config.client_id(), "10.0.3.1@DEFAULT");
    let file = ".rocketmq_offsets/10.0.3.1@DEFAULT/caches/offsets.json";
    let mut disk = SimDisk::new(&DiskPlan::default());
    let bak = format!("{file}.bak");
    for (main, before, fine) in [
        (None, None, true),
        (Some("{"), None, true),
        (Some("{"), Some("{\"offsetTable\":{}}"), true),
        (None, Some("{"), false),
        (Some(""), Some("["), false),
        (Some("{\"offsetTable\":{}}"), Some("{"), true),
    ] {
        for (name, text) in [(file, main), (bak.as_str(), before)] {
            match text {
                Some(text) => disk.put(name, text.as_bytes()).unwrap(),
                None => drop(disk.remove(name)),
            }
        }
        let answer = readable(&config, &mut disk);
        assert_eq!(answer.is_ok(), fine, "{main:?} {before:?}");
        if let Err(error) = answer {
            let text = error.to_string();
            assert!(text.starts_with("readLocalOffset Exception, maybe fastjson version too low"), "{text}");
            assert!(text.contains(&bak), "{text}");
        }
    }
}

#[test]
fn a_copy_that_one_subscriber_never_got_is_missed() {
    let (trace, plan) = run(lesson(), 1);
    assert_eq!(verdict(&trace, &plan, Check::BroadcastComplete), Verdict::Pass, "the undamaged twin");
    for key in ["order-2", "late-3"] {
        let mut twin = Trace::new(trace.header.clone());
        for record in trace.records() {
            let hidden = record.node == trace.node("web-3")
                && matches!(&record.what, What::App(App::Returned(answer))
                    if matches!(&**answer, Return::Listen { messages, .. }
                        if messages[0].message.properties.get(names::KEYS).is_some_and(|own| own == key)));
            if !hidden {
                twin.push(record.clone());
            }
        }
        match (key, verdict(&twin, &plan, Check::BroadcastComplete)) {
            // It lies before the place in the file that the process read when it came back.
            ("order-2", Verdict::Pass) => {}
            ("late-3", Verdict::Violation { clause, .. }) => assert_eq!(clause, "never delivered"),
            (key, other) => panic!("{key}: {other:?}"),
        }
    }
    // Without a death every order is owed.
    let died = trace.records().iter().any(|record| matches!(&record.what, What::Machine(Machine::Killed)));
    assert!(died);
}

#[test]
fn the_oracle_and_the_client_read_one_file() {
    let (trace, _) = run(lesson(), 5);
    let web_1 = trace.node("web-1");
    let last = trace.records().iter().filter(|record| record.node == web_1).rev().find_map(|record| {
        let What::Disk(DiskEvent::Image { cached, .. }) = &record.what else { return None };
        Some(local_offsets::read(&check::history::Image(cached), "caches"))
    });
    let offsets = last.unwrap();
    assert_eq!(offsets.values().copied().collect::<Vec<_>>(), [4, 4, 4], "{offsets:?}");
}
