//! X10: an operator writes down where a topic's queues are, and the nameserver keeps it.

use std::collections::{BTreeMap, BTreeSet};

use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::trace::log::Trace;
use mqlab::mq::app::{AdminAnswer, Return};
use mqlab::mq::disk::Disk;
use mqlab::mq::fact::Fact;
use mqlab::mq::message::Name;
use mqlab::mq::namesrv::kv_config::{FILE, KvConfig, ORDER_TOPIC_CONFIG, readable};

use crate::admin::{heard, orders, returns, run, said, script, terminal};
use crate::disk::sim;

const BROKERS: [&str; 2] = ["broker-a", "broker-b"];
const ENABLED: &str = "[cluster]\norder_message_enable = true\n";
/// Broker b dies at 70 s and does not come back.
const DEATH: &str = "[[fault]]\nname = \"death\"\nat = \"70s\"\nkill = { node = \"broker-b\" }\n";
const PUT: &str = "[[operator.order_conf]]\nwait = \"1s\"\ntopic = \"orders\"\nconf = \"broker-a:2;broker-b:2\"\n";

/// Ten keys, an order each second, each to the queue that its key gives.
fn keyed() -> String {
    orders(150).replace("order-{n}", "user-{n%10}") + "select = \"hash:key\"\nretries = 0\n"
}

/// The queues that each key's orders went to from a second on.
fn queues(trace: &Trace, from: u64) -> BTreeMap<String, BTreeSet<(String, i32)>> {
    let mut queues: BTreeMap<String, BTreeSet<(String, i32)>> = BTreeMap::new();
    let mut keys: BTreeMap<u64, String> = BTreeMap::new();
    for record in trace.records() {
        use mqlab::lab::trace::record::{App, What};
        use mqlab::mq::app::Call;
        if let What::App(App::Called(call)) = &record.what
            && let Call::Send { op, message, .. } | Call::SendBy { op, message, .. } = &**call
        {
            keys.insert(op.0, message.properties.get("KEYS").unwrap().to_string());
        }
    }
    for (at, answer) in returns(trace, "shop") {
        if let Return::Sent { op, result } = answer
            && from <= at
        {
            let place = (result.queue.broker.to_string(), result.queue.queue_id);
            queues.entry(keys[&op.0].clone()).or_default().insert(place);
        }
    }
    queues
}

/// What the shop was refused from a second on.
fn refused(trace: &Trace, from: u64) -> Vec<String> {
    let failed = returns(trace, "shop").into_iter().filter(|(at, _)| from <= *at);
    let failed = failed.filter_map(|(_, answer)| match answer {
        Return::Failed { error, .. } => Some(error.text.to_string()),
        _ => None,
    });
    failed.collect()
}

#[test]
fn with_an_order_configuration_no_key_moves_to_another_queue_when_a_broker_dies() {
    let with = run(&script(&BROKERS, &keyed(), &format!("{PUT}{ENABLED}{DEATH}")));
    let (before, after) = (queues(&with, 0), queues(&with, 110));
    assert_eq!(before.len(), 10);
    assert!(before.values().all(|places| places.len() == 1), "{before:?}");
    // Whoever's queue is on the dead broker is refused; the others go on where they were.
    assert!((1..10).contains(&after.len()), "{after:?}");
    assert!(after.iter().all(|(key, places)| before[key] == *places));
    let texts = refused(&with, 110);
    assert!(texts.iter().all(|text| text.starts_with("The broker[broker-b] not exist")), "{texts:?}");
    assert!(10 - after.len() <= texts.len(), "each of the others is refused: {texts:?}");
    // Without one, or where nameservers do not hand it out, all keys are served, and some are elsewhere.
    for rest in [format!("{ENABLED}{DEATH}"), format!("{PUT}{DEATH}")] {
        let without = run(&script(&BROKERS, &keyed(), &rest));
        let after = queues(&without, 110);
        assert_eq!(after.len(), 10, "{after:?}");
        assert!(after.iter().any(|(key, places)| before[key] != *places));
        assert_eq!(refused(&without, 110), Vec::<String>::new());
    }
}

#[test]
fn an_ordered_topic_is_made_with_its_configuration_and_brokers_hear_of_it() {
    let rows = "[[operator.update_topic]]\nwait = \"1s\"\ntopic = \"orders\"\nread = 2\nwrite = 2\norder = true\n\
                [[operator.order_conf]]\nwait = \"40s\"\ntopic = \"orders\"\nmethod = \"get\"\n\
                [[operator.order_conf]]\nwait = \"45s\"\ntopic = \"orders\"\nmethod = \"delete\"\n\
                [[operator.order_conf]]\nwait = \"46s\"\ntopic = \"orders\"\nmethod = \"get\"\n";
    let trace = run(&script(&BROKERS, &keyed(), &format!("{rows}{ENABLED}")));
    let heard = heard(&trace);
    let Ok(AdminAnswer::Ordered { by, conf }) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((by.len(), conf.as_str()), (2, "broker-b:2;broker-a:2"));
    assert!(matches!(&heard[1], Ok(AdminAnswer::Value(conf)) if *conf == "broker-b:2;broker-a:2"), "{heard:?}");
    assert!(matches!(&heard[2], Ok(AdminAnswer::DoneBy(by)) if by.len() == 1), "{heard:?}");
    let (code, text) = heard[3].clone().unwrap_err();
    assert_eq!(code, 22);
    assert!(text.contains("No config item, Namespace: ORDER_TOPIC_CONFIG Key: orders"), "{text}");
    let lines = terminal(&trace);
    assert_eq!(
        lines[2],
        "set cluster orderConf. isOrder=true, orderConf=[broker-b:2;broker-a:2]TopicConfig [topicName=orders, \
         readQueueNums=2, writeQueueNums=2, perm=RW-, topicFilterType=SINGLE_TAG, topicSysFlag=0, order=true]"
    );
    assert_eq!(lines[3], "get orderConf success. topic=[orders], orderConf=[broker-b:2;broker-a:2] ");
    assert_eq!(lines[4], "delete orderConf success. topic=[orders]");
    // The names stand in the order of a Java set. With its next registration each broker learns it, and that it is gone.
    let ordered = |wanted: i64| {
        let is_it =
            |fact: &Fact| matches!(fact, Fact::TopicOrdered { topic, order } if *topic == "orders" && *order == wanted);
        said(&trace, is_it)
    };
    assert_eq!((ordered(1).len(), ordered(0).len()), (2, 2));
    assert!(ordered(1).iter().all(|at| (36..80).contains(at)) && ordered(0).iter().all(|at| 80 <= *at));
}

#[test]
fn a_topic_on_one_broker_takes_its_place_in_the_configuration_that_there_is() {
    let on = |wait: &str, broker: &str, write: u32| {
        format!(
            "[[operator.update_topic]]\nwait = \"{wait}\"\ntopic = \"audit\"\nbroker = \"{broker}\"\nwrite = {write}\norder = true\n"
        )
    };
    let get = "[[operator.order_conf]]\nwait = \"20s\"\ntopic = \"audit\"\nmethod = \"get\"\n";
    let rows = on("1s", "broker-a", 2) + &on("5s", "broker-b", 3) + &on("9s", "broker-a", 4) + get;
    let trace = run(&script(&BROKERS, &keyed(), &rows));
    let heard = heard(&trace);
    let part = |at: usize| match &heard[at] {
        Ok(AdminAnswer::Ordered { by, conf }) => (by.len(), conf.to_string()),
        other => panic!("{other:?}"),
    };
    let expected = ["broker-a:2", "broker-b:3", "broker-a:4"].map(|conf| (1, conf.to_owned()));
    assert_eq!([part(0), part(1), part(2)], expected);
    assert!(matches!(&heard[3], Ok(AdminAnswer::Value(conf)) if *conf == "broker-b:3;broker-a:4"), "{heard:?}");
    let lines = terminal(&trace);
    assert_eq!(
        lines[..2],
        [
            "set broker orderConf. isOrder=true, orderConf=[broker-a:2]create topic to 10.0.2.1:10911 success.",
            "TopicConfig [topicName=audit, readQueueNums=8, writeQueueNums=2, perm=RW-, topicFilterType=SINGLE_TAG, \
             topicSysFlag=0, order=true]"
        ]
    );
    // Each call is done by the broker that it names, and by no other.
    let made = |fact: &Fact| matches!(fact, Fact::TopicCreated { topic, .. } if *topic == "audit");
    assert_eq!(said(&trace, made).len(), 3);
    for (row, told) in [
        ("broker = \"shop\"", "\"shop\" is no broker"),
        ("broker = \"broker-c\"", "did you mean \"broker-a\"?"),
        ("broker = \"broker-a\"\ncluster = \"DefaultCluster\"", "a topic is made on a broker or on a cluster"),
    ] {
        let rows = format!("[[operator.update_topic]]\ntopic = \"audit\"\n{row}\n");
        let report = load("t", script(&BROKERS, &keyed(), &rows).as_bytes(), &Overrides::default()).unwrap_err();
        assert!(report.to_string().contains(told), "{report}");
    }
}

#[test]
fn what_was_put_is_there_after_a_restart_and_who_cannot_be_reached_has_another_view() {
    let restart = "[[fault]]\nname = \"again\"\nat = \"50s\"\nrestart = { node = \"ns-1\" }\n";
    let get = "[[operator.order_conf]]\nwait = \"30s\"\ntopic = \"orders\"\nmethod = \"get\"\n";
    let trace = run(&script(&BROKERS, &orders(3), &format!("{PUT}{get}{ENABLED}{restart}")));
    let heard_ = heard(&trace);
    assert!(matches!(&heard_[1], Ok(AdminAnswer::Value(conf)) if *conf == "broker-a:2;broker-b:2"), "{heard_:?}");
    // Two nameservers, one of them out of the operator's reach: the call fails, and one has it.
    let cut = "[[fault]]\nname = \"cut\"\nat = \"34s\"\nlasts = \"20s\"\ncut = { from = \"ops\", to = \"ns-2\" }\n";
    let two = ENABLED.replace("[cluster]\n", "[cluster]\nnameserver = 2\n");
    let trace = run(&script(&BROKERS, &orders(3), &format!("{PUT}{two}{cut}")));
    assert!(heard(&trace)[0].is_err(), "{:?}", heard(&trace));
    assert!(said(&trace, |fact| matches!(fact, Fact::KvPut { .. })).len() <= 1);
}

#[test]
fn a_configuration_that_cannot_be_read_leaves_every_client_as_it_was() {
    let broken = PUT.replace("broker-a:2;broker-b:2", "broker-a");
    let trace = run(&script(&BROKERS, &keyed(), &format!("{broken}{ENABLED}{DEATH}")));
    // The exception comes before the route is taken in: the dead broker stays in the producer's map.
    let texts = refused(&trace, 110);
    assert!(!texts.is_empty());
    assert_eq!(queues(&trace, 0).values().filter(|places| places.len() != 1).count(), 0);
}

#[test]
fn the_file_says_what_was_put_and_a_broken_one_is_refused() {
    let mut disk = sim();
    let name = |text: &str| Name::from(text);
    assert_eq!(readable(&mut disk), Ok(()));
    let mut kv = KvConfig::default();
    for (space, key, value) in
        [(ORDER_TOPIC_CONFIG, "T", "broker-a:4"), ("other", "k", "v"), (ORDER_TOPIC_CONFIG, "T", "broker-a:8")]
    {
        kv.put((&name(space), &name(key)), &name(value), &mut disk).unwrap();
    }
    let text = String::from_utf8(disk.get(FILE).unwrap().to_vec()).unwrap();
    assert_eq!(text, r#"{"configTable":{"other":{"k":"v"},"ORDER_TOPIC_CONFIG":{"T":"broker-a:8"}}}"#);
    assert_eq!(kv.delete((&name("other"), &name("k")), &mut disk), (true, Ok(())));
    assert_eq!(kv.delete((&name("other"), &name("k")), &mut disk), (false, Ok(())));
    let again = KvConfig::load(&mut disk).unwrap();
    assert_eq!(again.get(ORDER_TOPIC_CONFIG, "T").unwrap(), "broker-a:8");
    assert_eq!(again.get("other", "k"), None);
    assert!(again.list("other").unwrap().0.is_empty() && again.list("nowhere").is_none());
    // The text before lies beside it, and nobody reads it.
    disk.remove(FILE).unwrap();
    assert!(disk.get(&format!("{FILE}.bak")).is_ok());
    assert_eq!(KvConfig::load(&mut disk).unwrap().list(ORDER_TOPIC_CONFIG), None);
    for (text, why) in [("{", "cannot be read"), ("{}", "it has no `configTable`"), ("", ""), (" \n", "")] {
        disk.put(FILE, text.as_bytes()).unwrap();
        match readable(&mut disk) {
            Ok(()) => assert_eq!(why, "", "{text}"),
            Err(error) => assert!(!why.is_empty() && error.to_string().contains(why), "{text}: {error}"),
        }
    }
}

#[test]
fn what_is_put_is_said_and_what_is_not_put_is_not() {
    let wrong = |row: &str| {
        let text = script(&["broker-a"], &orders(1), &format!("[[operator.order_conf]]\ntopic = \"orders\"\n{row}\n"));
        let report = load("t", text.as_bytes(), &Overrides::default()).expect_err("it is wrong");
        report.problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(wrong(""), "this has no order configuration");
    assert_eq!(wrong("conf = \" \""), "this has no order configuration");
    assert_eq!(wrong("method = \"get\"\nconf = \"broker-a:4\""), "an order configuration is given, and not put");
    assert!(wrong("method = \"patch\"").contains("patch"));
}
