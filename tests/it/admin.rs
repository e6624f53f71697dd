//! Operators' calls in whole runs: topics changed and deleted, a broker closed, messages found, a group moved that is down.

use std::collections::BTreeSet;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Record, What};
use mqlab::lab::view::lines::{self, Handles};
use mqlab::lab::view::prints;
use mqlab::mq::app::{AdminAnswer, Return};
use mqlab::mq::fact::Fact;
use mqlab::mq::message::{StoredMessage, id};

/// A shop that sends an order each second, a group that bills them, and an operator; `rest` may hold anything.
pub fn script(brokers: &[&str], sends: &str, rest: &str) -> String {
    let brokers: String = brokers.iter().map(|name| format!("[[broker]]\nname = \"{name}\"\n")).collect();
    format!(
        r#"
format = 1
id = "t"
seed = 3
until = "200s"
title.en = "t"
title.zh = "t"
question.en = "t"
question.zh = "t"
{brokers}
[[topic]]
name = "orders"
queues = 2
[[producer]]
name = "shop"
group = "shop-producers"
start = "2s"
{sends}
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
start = "100ms"
[[operator]]
name = "ops"
start = "35s"
{rest}
"#
    )
}

pub fn orders(count: u32) -> String {
    format!(
        "[[producer.send]]\ntopic = \"orders\"\ncount = {count}\nwait = \"3s\"\nevery = \"1s\"\nkey = \"order-{{n}}\"\n"
    )
}

pub fn plan(text: &str) -> Plan {
    load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan
}

pub fn run(text: &str) -> Trace {
    let result = Session::run(&plan(text), Level::Full);
    assert!(result.panics.is_empty(), "{:?}", result.panics);
    result.trace
}

pub fn returns(trace: &Trace, name: &str) -> Vec<(u64, Return)> {
    let node = trace.node(name);
    let own = trace.records().iter().filter(|record| record.node == node);
    own.filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => Some((record.at.0 / 1_000_000_000, (**answer).clone())),
        _ => None,
    })
    .collect()
}

/// What the operator heard, call by call.
pub fn heard(trace: &Trace) -> Vec<Result<AdminAnswer, (i32, String)>> {
    let answers = returns(trace, "ops").into_iter().map(|(_, answer)| match answer {
        Return::Administered { what, .. } => Ok(what),
        Return::Failed { error, .. } => Err((error.code, error.text.to_string())),
        other => panic!("{other:?}"),
    });
    answers.collect()
}

fn found(trace: &Trace) -> Vec<StoredMessage> {
    match heard(trace).remove(0) {
        Ok(AdminAnswer::Messages(found)) => found,
        other => panic!("{other:?}"),
    }
}

pub fn said(trace: &Trace, of: impl Fn(&Fact) -> bool) -> Vec<u64> {
    let said = trace.records().iter().filter(|record| matches!(&record.what, What::Fact(fact) if of(fact)));
    said.map(|record| record.at.0 / 1_000_000_000).collect()
}

/// What stood at the operator's terminal.
pub fn terminal(trace: &Trace) -> Vec<String> {
    let prints = prints::of(trace, Lang::En);
    prints.into_iter().filter(|print| print.node == "ops").map(|print| print.text).collect()
}

/// Keys that the group was handed from a second on, in order.
pub fn billed(trace: &Trace, from: u64) -> Vec<String> {
    let listened = returns(trace, "billing").into_iter().filter(|(at, _)| from <= *at);
    let messages = listened.flat_map(|(_, answer)| match answer {
        Return::Listen { messages, .. } => messages,
        _ => Vec::new(),
    });
    messages.map(|one| one.message.properties.get("KEYS").unwrap().to_string()).collect()
}

/// The broker and queue of every order sent from a second on.
fn sent_to(trace: &Trace, from: u64) -> BTreeSet<(String, i32)> {
    let sent = returns(trace, "shop").into_iter().filter(|(at, _)| from <= *at);
    let queues = sent.filter_map(|(_, answer)| match answer {
        Return::Sent { result, .. } => Some((result.queue.broker.to_string(), result.queue.queue_id)),
        _ => None,
    });
    queues.collect()
}

#[test]
fn a_deleted_topic_goes_and_the_next_message_makes_it_anew() {
    let delete = "[[operator.delete_topic]]\nwait = \"5s\"\ntopic = \"orders\"\n";
    let trace = run(&script(&["broker-a"], &orders(60), delete));
    match heard(&trace).remove(0) {
        Ok(AdminAnswer::DoneBy(addrs)) => assert_eq!(addrs.len(), 2, "a broker, a nameserver: {addrs:?}"),
        other => panic!("{other:?}"),
    }
    let is_gone = |fact: &Fact| {
        matches!(fact, Fact::TopicDeleted { topic, known: 1, queues: 2 } if *topic == "orders")
            || matches!(fact, Fact::RouteForgotten { topic, brokers: 1 } if *topic == "orders")
    };
    assert_eq!(said(&trace, is_gone), [40, 40]);
    // The producer knows the way still, and its broker makes the topic after the template.
    let is_born = |fact: &Fact| matches!(fact, Fact::TopicCreated { topic, queues: 4, .. } if *topic == "orders");
    let born = said(&trace, is_born);
    assert!(matches!(born[..], [40 | 41]), "{born:?}");
    let offsets: Vec<i64> = returns(&trace, "shop")
        .into_iter()
        .filter_map(|(at, answer)| match answer {
            Return::Sent { result, .. } if 41 < at => Some(result.queue_offset.0),
            _ => None,
        })
        .collect();
    assert!(offsets[0] < 3, "its queues begin again: {offsets:?}");
    assert_eq!(
        terminal(&trace),
        [
            "delete topic [orders] from cluster [DefaultCluster] success.",
            "delete topic [orders] from NameServer success."
        ]
    );
}

#[test]
fn a_topic_that_nobody_has_is_deleted_without_a_word_and_a_cluster_that_nobody_knows_has_no_brokers() {
    let rows = "[[operator.delete_topic]]\nwait = \"5s\"\ntopic = \"nowhere\"\n\
                [[operator.update_topic]]\nwait = \"6s\"\ntopic = \"orders\"\ncluster = \"elsewhere\"\n";
    let trace = run(&script(&["broker-a"], &orders(3), rows));
    let heard = heard(&trace);
    assert!(matches!(&heard[0], Ok(AdminAnswer::DoneBy(addrs)) if addrs.len() == 2), "{heard:?}");
    assert!(matches!(&heard[1], Ok(AdminAnswer::DoneBy(addrs)) if addrs.is_empty()), "{heard:?}");
    assert!(terminal(&trace)[2].starts_with("[error] Make sure the specified clusterName exists"));
    let nothing = |fact: &Fact| matches!(fact, Fact::TopicDeleted { known: 0, queues: 0, .. });
    assert_eq!(said(&trace, nothing), [40]);
}

#[test]
fn a_broker_that_is_closed_gets_nothing_until_it_registers_other_data_for_the_topic() {
    // At a minute of age a broker makes the topic of half messages, and tells all it has: the wipe comes behind that.
    let wipe = "[[operator.wipe_write_perm]]\nwait = \"30s\"\nbroker = \"broker-a\"\n";
    let brokers = ["broker-a", "broker-b"];
    let closed = run(&script(&brokers, &orders(190), wipe));
    let both = |trace: &Trace, from: u64| sent_to(trace, from).len();
    assert_eq!(both(&closed, 0), 4);
    // The producer asks for routes every 30 s.
    let after = sent_to(&closed, 96);
    assert!(after.iter().all(|(broker, _)| broker == "broker-b"), "{after:?}");
    assert!(terminal(&closed)[0].starts_with("wipe write perm of broker[broker-a] in name server["));
    assert!(terminal(&closed)[0].contains("] OK, "), "{:?}", terminal(&closed));
    // Another topic is registered alone, though with a new version: the wipe stays.
    let other = format!("{wipe}[[operator.update_topic]]\nwait = \"70s\"\ntopic = \"returns\"\n");
    let after = sent_to(&run(&script(&brokers, &orders(190), &other)), 140);
    assert!(after.iter().all(|(broker, _)| broker == "broker-b"), "{after:?}");
    let same = format!("{wipe}[[operator.update_topic]]\nwait = \"70s\"\ntopic = \"orders\"\nread = 2\nwrite = 2\n");
    assert_eq!(both(&run(&script(&brokers, &orders(190), &same)), 140), 4);
    // A broker that left and comes back is open.
    let restart =
        format!("{wipe}[[fault]]\nname = \"r\"\nat = \"100s\"\nlasts = \"5s\"\nstop = {{ node = \"broker-a\" }}\n");
    assert_eq!(both(&run(&script(&brokers, &orders(190), &restart)), 150), 4);
}

#[test]
fn queues_to_read_and_to_write_are_two_numbers() {
    // Four are written, two are read: half of the orders is billed by nobody until the operator opens the other two.
    let rows = "[[operator.update_topic]]\nwait = \"1s\"\ntopic = \"orders\"\nread = 2\nwrite = 4\n\
                [[operator.update_topic]]\nwait = \"85s\"\ntopic = \"orders\"\nread = 4\nwrite = 4\nperm = 4\n";
    let trace = run(&script(&["broker-a"], &orders(130), rows));
    let queues: BTreeSet<i32> = sent_to(&trace, 75).into_iter().map(|(_, queue)| queue).collect();
    assert_eq!(queues, BTreeSet::from([0, 1, 2, 3]));
    let assigned = |queues: &[i32]| {
        said(
            &trace,
            |fact| matches!(fact, Fact::Assigned { topic, queue_id, .. } if *topic == "orders" && queues.contains(queue_id)),
        )
    };
    assert!(assigned(&[2, 3]).iter().all(|at| 120 <= *at), "{:?}", assigned(&[2, 3]));
    assert_eq!(assigned(&[2, 3]).len(), 2);
    assert_eq!(
        terminal(&trace)[1],
        "TopicConfig [topicName=orders, readQueueNums=2, writeQueueNums=4, perm=RW-, topicFilterType=SINGLE_TAG, \
         topicSysFlag=0, order=false]"
    );
    // Closed by its permission, it is no topic to write to any more.
    let refused = returns(&trace, "shop").into_iter().filter_map(|(_, answer)| match answer {
        Return::Failed { error, .. } => Some(error.text.to_string()),
        _ => None,
    });
    let refused: Vec<String> = refused.collect();
    assert!(refused.last().is_some_and(|text| text.starts_with("No route info of this topic, orders")), "{refused:?}");
}

#[test]
fn a_key_is_found_on_every_broker_and_one_of_the_same_hash_is_left_out() {
    let twins = "[[producer.send]]\ntopic = \"orders\"\ncount = 3\nwait = \"3s\"\nevery = \"1s\"\nkey = \"Aa\"\n\
                 [[producer.send]]\ntopic = \"orders\"\ncount = 2\nwait = \"9s\"\nevery = \"1s\"\nkey = \"BB\"\n";
    let query = "[[operator.query]]\nwait = \"5s\"\ntopic = \"orders\"\nkey = \"Aa\"\n";
    let trace = run(&script(&["broker-a", "broker-b"], twins, query));
    let found = found(&trace);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one.message.properties.get("KEYS").unwrap() == "Aa"));
    let hosts: BTreeSet<u32> = found.iter().map(|one| one.store_host.ip).collect();
    assert_eq!(hosts.len(), 2, "both brokers answer");
    let lines = terminal(&trace);
    assert_eq!(lines[0], format!("{:<50} {:>4} {:>40}", "#Message ID", "#QID", "#Offset"));
    assert_eq!(lines.len(), 4);
    // A key that nobody used: an exception, and no message was sent.
    let trace = run(&script(&["broker-a"], twins, &query.replace("\"Aa\"", "\"C#\"")));
    let (code, text) = heard(&trace).remove(0).unwrap_err();
    assert_eq!(code, 208);
    assert!(text.starts_with("CODE: 208  DESC: query message by key finished, but no message."), "{text}");
    let handles = Handles::of(&trace);
    let told: Vec<String> = lines::of(&trace, &handles, Lang::En)
        .into_iter()
        .filter(|line| line.actor == "ops" && line.kind == "failed")
        .map(|line| line.text)
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("is refused: MQClientException: CODE: 208"), "{told:?}");
    // Nobody knows the topic.
    let nowhere = query.replace("topic = \"orders\"", "topic = \"nowhere\"");
    let (code, text) = heard(&run(&script(&["broker-a"], twins, &nowhere))).remove(0).unwrap_err();
    assert_eq!(code, 17);
    assert!(text.starts_with("CODE: 17  DESC: The topic[nowhere] not matched route info"), "{text}");
}

#[test]
fn a_message_is_found_by_its_place_and_by_its_unique_key() {
    let ask = |row: &str| script(&["broker-a"], &orders(5), &format!("[[operator.query]]\nwait = \"5s\"\n{row}\n"));
    let first = run(&ask("topic = \"orders\"\nkey = \"order-4\""));
    let (own, sent) = (found(&first).remove(0), returns(&first, "shop"));
    let Return::Sent { result, .. } = &sent[3].1 else { panic!("{sent:?}") };
    assert_eq!(id::offset_msg_id(own.store_host, own.commit_log_offset), result.offset_msg_id);
    // The operator's question does not change what was sent before it.
    let by_place = run(&ask(&format!("id = \"{}\"", result.offset_msg_id)));
    assert_eq!(found(&by_place), std::slice::from_ref(&own));
    let lines = terminal(&by_place);
    assert_eq!(lines[..2], [format!("OffsetID:            {}", result.offset_msg_id), lines[0].clone()]);
    assert!(lines.contains(&"Keys:                [order-4]".to_owned()), "{lines:?}");
    assert!(lines.contains(&"Tags:                [null]".to_owned()), "{lines:?}");
    let by_unique = run(&ask(&format!("topic = \"orders\"\nunique_key = \"{}\"", result.msg_id)));
    assert_eq!(found(&by_unique), std::slice::from_ref(&own));
    assert!(terminal(&by_unique)[0].starts_with("Topic:               orders"));
    // A place is taken for a place there, too.
    let either = run(&ask(&format!("topic = \"orders\"\nunique_key = \"{}\"", result.offset_msg_id)));
    assert_eq!(found(&either), [own]);
    let (code, text) = heard(&run(&ask("id = \"order-4\""))).remove(0).unwrap_err();
    assert_eq!(
        (code, text.lines().next().unwrap()),
        (208, "CODE: 208  DESC: query message by id finished, but no message.")
    );
    let behind = format!("{}{:016X}", &result.offset_msg_id[..16], 1 << 20);
    let (code, text) = heard(&run(&ask(&format!("id = \"{behind}\"")))).remove(0).unwrap_err();
    assert_eq!((code, text.lines().next().unwrap()), (1, "CODE: 1  DESC: can not find message by the offset, 1048576"));
}

#[test]
fn a_group_that_is_down_is_moved_in_the_brokers_table_and_goes_on_from_there() {
    let stopped = "[[fault]]\nname = \"down\"\nat = \"30s\"\nlasts = \"40s\"\nstop = { node = \"billing\" }\n";
    let reset = |rest: &str| {
        format!(
            "[[operator.reset]]\nwait = \"10s\"\ngroup = \"billing\"\ntopic = \"orders\"\nto = \"20181110160010\"\n{rest}{stopped}"
        )
    };
    let trace = run(&script(&["broker-a"], &orders(20), &reset("")));
    let Ok(AdminAnswer::Rollback(rows)) = heard(&trace).remove(0) else { panic!("{:?}", heard(&trace)) };
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!((row.broker_offset, row.consumer_offset), (10, 10));
        assert_eq!(row.rollback_offset, row.timestamp_offset);
        assert!((2..=3).contains(&row.rollback_offset), "{row:?}");
    }
    assert!(terminal(&trace)[0].starts_with("#brokerName           #queueId              #brokerOffset"));
    let left: i64 = rows.iter().map(|row| 10 - row.rollback_offset).sum();
    let again = billed(&trace, 70);
    assert_eq!(again.len() as i64, left, "{again:?}");
    assert!(!again.contains(&"order-1".to_owned()) && again.contains(&"order-20".to_owned()), "{again:?}");
    // Told to the members alone, it moves nobody.
    let alone = run(&script(&["broker-a"], &orders(20), &reset("way = \"members\"\n")));
    assert_eq!(heard(&alone).remove(0).unwrap_err().0, 206);
    assert_eq!(billed(&alone, 70), Vec::<String>::new());
    // A member that is up goes on where it was, whatever the table said for a while.
    let up = reset("way = \"table\"\n").replace(stopped, "");
    let up = run(&script(&["broker-a"], &orders(20), &up));
    assert!(matches!(heard(&up).remove(0), Ok(AdminAnswer::Rollback(_))));
    assert_eq!(billed(&up, 45), Vec::<String>::new());
    // By the table a group can be moved that has no place anywhere.
    let stranger = reset("way = \"table\"\n").replacen("group = \"billing\"", "group = \"strangers\"", 1);
    let Ok(AdminAnswer::Rollback(rows)) = heard(&run(&script(&["broker-a"], &orders(20), &stranger))).remove(0) else {
        panic!("it has rows")
    };
    assert!(rows.iter().all(|row| row.consumer_offset == 0 && 2 <= row.rollback_offset), "{rows:?}");
}

#[test]
fn now_is_a_moment_and_the_last_message_lies_nearest_to_it() {
    let reset = "[[operator.reset]]\nwait = \"10s\"\ngroup = \"billing\"\ntopic = \"orders\"\nto = \"now\"\n";
    let trace = run(&script(&["broker-a"], &orders(20), reset));
    let Ok(AdminAnswer::Offsets(offsets)) = heard(&trace).remove(0) else { panic!("{:?}", heard(&trace)) };
    assert_eq!(offsets.iter().map(|(_, offset)| *offset).collect::<Vec<_>>(), [9, 9]);
    let again: BTreeSet<String> = billed(&trace, 45).into_iter().collect();
    assert_eq!(again, BTreeSet::from(["order-19".to_owned(), "order-20".to_owned()]));
    let end = run(&script(&["broker-a"], &orders(20), &reset.replace("now", "end")));
    assert_eq!(billed(&end, 45), Vec::<String>::new());
}

#[test]
fn what_an_operator_may_not_ask_is_said() {
    let wrong = |rows: &str, part: &str| {
        let text = script(&["broker-a"], &orders(1), rows);
        let report = load("t", text.as_bytes(), &Overrides::default()).map(drop).unwrap_err().to_string();
        assert!(report.contains(part), "{report}");
    };
    wrong("[[operator.query]]\nwait = \"1s\"\n", "does not say what it looks for");
    wrong("[[operator.query]]\nid = \"1\"\nkey = \"2\"\n", "does not say what it looks for");
    wrong("[[operator.query]]\nkey = \"2\"\n", "no `topic`");
    wrong("[[operator.delete_topic]]\nwait = \"1s\"\n", "no `topic`");
    wrong("[[operator.wipe_write_perm]]\nwait = \"1s\"\n", "no `broker`");
    wrong("[[operator.update_topic]]\ntopic = \"t\"\nperm = 8\n", "perm");
    wrong("[[operator.reset]]\ngroup = \"g\"\ntopic = \"t\"\nto = \"now\"\nway = \"both\"\n", "way");
}

#[test]
fn what_a_deletion_takes_is_owed_to_nobody_and_without_one_it_is_a_loss() {
    let delete = "[[operator.delete_topic]]\nwait = \"5s\"\ntopic = \"orders\"\n";
    let text = script(&["broker-a"], &orders(60), delete);
    let (trace, plan) = (run(&text), plan(&text));
    let verdict = |trace: &Trace, check: &str| {
        let found = check::run(trace, &plan).into_iter().find(|finding| finding.check == check).unwrap();
        matches!(found.verdict, Verdict::Violation { .. })
    };
    let checks = ["acked-durability", "offset-agreement", "at-least-once"];
    assert_eq!(checks.map(|check| verdict(&trace, check)), [false; 3]);
    // The same run with an operator that nobody heard.
    let ops = trace.node("ops");
    let mut silent = Trace::new(trace.header.clone());
    let heard = |record: &&Record| !(record.node == ops && matches!(record.what, What::App(_)));
    trace.records().iter().filter(heard).for_each(|record| silent.push(record.clone()));
    assert_eq!(checks.map(|check| verdict(&silent, check))[..2], [true; 2]);
}

#[test]
fn what_a_group_had_read_outlives_its_topic_and_what_lies_in_front_of_it_is_passed_over() {
    let burst = "[[producer]]\nname = \"late\"\ngroup = \"late\"\nstart = \"60s\"\n[[producer.send]]\ntopic = \"orders\"\n\
                 count = 20\nwait = \"1s\"\nevery = \"1ms\"\nkey = \"late-{n}\"\n";
    let judge = |delete: &str| {
        let text = script(&["broker-a"], &orders(6), &format!("{delete}{burst}"));
        let mut plan = plan(&text);
        plan.expects = [Check::AtLeastOnce, Check::DrainBound]
            .map(|check| Expect { id: "x".into(), check, outcome: Outcome::Holds })
            .to_vec();
        let trace = run(&text);
        let found = check::run(&trace, &plan).into_iter().map(|finding| finding.verdict).collect::<Vec<_>>();
        (billed(&trace, 60).len(), found)
    };
    let (handed, found) = judge("[[operator.delete_topic]]\nwait = \"5s\"\ntopic = \"orders\"\n");
    assert_eq!(handed, 14, "three of each of two queues are passed over");
    let is_known = |verdict: &Verdict| matches!(verdict, Verdict::Known { weakness: 33, .. });
    assert!(is_known(&found[0]), "{found:?}");
    let (handed, found) = judge("");
    assert_eq!((handed, &found[0]), (20, &Verdict::Pass));
}
