//! RocketMQ's own broker files, unchanged: what of them does something, and what is told of the rest.

use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::broker::BrokerConfig;
use mqlab::mq::broker::properties::{About, NoSlaveId, Places, Remark, names, text};
use mqlab::mq::fact::Fact;
use mqlab::mq::node::Addr;
use mqlab::mq::store::config::Role;
use mqlab::mq::time::Span;

const MASTER: &str = include_str!("../golden/properties/broker-a.properties");
const SLAVE: &str = include_str!("../golden/properties/broker-a-s.properties");

fn apply(file: &str, places: Places) -> (BrokerConfig, Result<Vec<Remark>, NoSlaveId>) {
    let mut config = BrokerConfig::new("broker-a", Addr { ip: 0x0A00_0201, port: 10_911 });
    let pairs = text::read(file.as_bytes()).expect("the text is well formed");
    let remarks = config.apply(&pairs, places);
    (config, remarks)
}

fn about(file: &str) -> Vec<About> {
    let (_, remarks) = apply(file, Places::Given);
    remarks.expect("no slave").into_iter().map(|remark| remark.about).collect()
}

#[test]
fn the_course_s_master_is_taken_over_and_what_does_nothing_is_named() {
    let (config, remarks) = apply(MASTER, Places::File);
    assert_eq!((&*config.cluster, &*config.broker_name), ("rocketmq-cluster", "broker-a"));
    assert_eq!((config.broker_id, config.addr.port, config.default_topic_queue_nums), (0, 10_911, 4));
    assert_eq!(config.broker_ip1, u32::from_be_bytes([192, 100, 3, 72]));
    let nameservers: Vec<String> = config.nameservers.iter().map(ToString::to_string).collect();
    assert_eq!(nameservers, ["192.100.3.72:9876", "192.100.3.73:9876"]);
    let store = &config.store;
    assert_eq!((store.role, store.sync_flush, store.max_message_size), (Role::SyncMaster, true, 65_536));
    assert_eq!((&*store.delete_when, store.file_reserved_time_h, store.disk_max_used_space_ratio), ("04", 120, 88));
    // The course means 300,000 units, and gets 15,000: the setting counts bytes.
    assert_eq!((store.commit_log_file_size, store.consume_queue_file_size), (1 << 30, 300_000));
    let remarks = remarks.expect("a master");
    let told: Vec<(&str, bool)> =
        remarks.iter().map(|remark| (&*remark.key, matches!(remark.about, About::Unknown))).collect();
    let expected = [
        ("storePathRootDir", false),
        ("storePathCommitLog", false),
        ("storePathConsumeQueue", true),
        ("storePathIndex", true),
        ("storeCheckpoint", true),
        ("abortFile", true),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        MASTER.lines().nth(remarks[2].line - 1),
        Some("storePathConsumeQueue=/usr/local/rocketmq/store/consumequeue")
    );
}

#[test]
fn the_course_s_slave_keeps_its_number_and_one_without_is_refused() {
    let (config, remarks) = apply(SLAVE, Places::File);
    assert!(remarks.is_ok());
    assert_eq!((config.store.role, config.broker_id, config.addr.port), (Role::Slave, 1, 11_011));
    let (_, refused) = apply(&SLAVE.replace("brokerId=1", "brokerId=0"), Places::File);
    assert_eq!(refused.expect_err("it needs a number").to_string(), "Slave's brokerId must be > 0");
    // A master's number is 0, whatever its file says.
    assert_eq!(apply("brokerId=7", Places::File).0.broker_id, 0);
}

#[test]
fn what_upstream_misreads_without_a_word_is_told() {
    let unreadable = |value: &str, wanted| About::Unreadable { value: value.into(), wanted };
    let int = "a whole number from -2147483648 to 2147483647, without blanks";
    assert_eq!(about("maxMessageSize=65536 "), [unreadable("65536 ", int)]);
    assert_eq!(about("flushIntervalCommitLog=1s"), [unreadable("1s", int)]);
    assert_eq!(about("mapedFileSizeCommitLog=2147483648"), [unreadable("2147483648", int)]);
    assert_eq!(about("brokerRole=MASTER"), [unreadable("MASTER", "ASYNC_MASTER, SYNC_MASTER or SLAVE")]);
    let misread = About::Misread { value: "true ".into(), taken_for: "false".into() };
    assert_eq!(about("transientStorePoolEnable=true "), [misread]);
    assert_eq!(about("transientStorePoolEnable=TRUE"), []);
    assert_eq!(about("deleteWhen=04\ndeleteWhen=05"), [About::Again { line: 2 }]);
    assert_eq!(about("brokerPermission=6 "), [unreadable("6 ", int)]);
    let (_, places) = apply("brokerIP1=10.0.0.256\nlistenPort=70000\nnamesrvAddr=10.0.0.1", Places::File);
    let wanted = ["an IPv4 address", "a port: 0 to 65535", "addresses like 127.0.0.1:9876;192.168.0.1:9876"];
    let told = places.expect("a master").into_iter().map(|remark| match remark.about {
        About::Unreadable { wanted, .. } => wanted,
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), wanted);
    assert_eq!(about("flushDiskTyp=SYNC_FLUSH"), [About::Unknown]);
    let (config, _) = apply("flushDiskType=SYNC\nmaxMessageSize=1 \ndeleteWhen=04\ndeleteWhen=05", Places::Given);
    let store = config.store;
    assert_eq!((store.sync_flush, store.max_message_size, &*store.delete_when), (false, 4 << 20, "05"));
}

#[test]
fn the_table_names_every_setting_once() {
    let mut all: Vec<&str> = names().collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
    // 66 of BrokerConfig, 11 and 12 of Netty's, 65 of MessageStoreConfig.
    assert_eq!(count, 154);
}

/// A broker with a file, and a shop that sends three orders.
fn shop(broker: &str, file: &str, send: &str) -> Result<Scenario, String> {
    let script = format!(
        r#"
format = 1
id = "properties"
until = "40s"
title.en = "A file"
title.zh = "文件"

[[broker]]
name = "broker-a"
{broker}
properties = '''
{file}'''

[[producer]]
name = "shop"
group = "shop-producers"
start = "1s"
retries = 0
[[producer.send]]
topic = "TopicTest"
count = 3
every = "100ms"
{send}
"#
    );
    load("properties.toml", script.as_bytes(), &Overrides::default())
        .map_err(|report| report.problems[0].message.clone())
}

/// Every status that the shop got.
fn statuses(scenario: &Scenario) -> Vec<String> {
    let run = Session::run(&scenario.plan, Level::Full);
    let sent = run.trace.records().iter().filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Sent { result, .. } => Some(result.status.as_str().to_owned()),
            Return::Failed { error, .. } => Some(error.text.to_string()),
            _ => None,
        },
        _ => None,
    });
    sent.collect()
}

#[test]
fn a_scenario_takes_a_file_unchanged_and_its_own_keys_go_before_it() {
    let course = shop("", MASTER, "").expect("the course's own file");
    let notes: Vec<&str> = course.notes.iter().map(|note| note.text(Lang::En)).collect();
    let has = |part: &str| notes.iter().any(|note| note.contains(part));
    assert!(has("broker-a, properties line 4, `brokerName`: does nothing here"), "{notes:#?}");
    assert!(has("`storePathIndex`: 4.3.2 has no such setting, and says nothing"), "{notes:#?}");
    assert!(course.notes.iter().any(|note| note.text(Lang::Zh).contains("4.3.2 没有这个配置项")));
    // A master that waits for slaves, and has none.
    assert_eq!(statuses(&course), ["SLAVE_NOT_AVAILABLE"; 3]);
    let alone = shop("role = \"async-master\"", MASTER, "").expect("its own keys go before it");
    assert_eq!(statuses(&alone), ["SEND_OK"; 3]);
}

#[test]
fn a_setting_of_a_file_changes_what_the_broker_does() {
    let levels = shop("", "messageDelayLevel=2s 7s\n", "delay_level = 2").expect("a file");
    let run = Session::run(&levels.plan, Level::Full);
    let at = |wanted: &dyn Fn(&Fact) -> bool| -> Vec<u64> {
        let facts =
            run.trace.records().iter().filter(|record| matches!(&record.what, What::Fact(fact) if wanted(fact)));
        facts.map(|record| record.at.as_millis()).collect()
    };
    let parked = at(&|fact| matches!(fact, Fact::Queued { topic, .. } if *topic == "SCHEDULE_TOPIC_XXXX"));
    let delivered = at(&|fact| matches!(fact, Fact::DelayedDelivered { level: 2, .. }));
    assert_eq!((parked.len(), delivered.len()), (3, 3));
    for (parked, delivered) in parked.iter().zip(&delivered) {
        assert!((6_998..=7_000).contains(&(delivered - parked)), "{parked} to {delivered}");
    }
    let small = shop("", "maxMessageSize=100\n", "body = \"x\"\nsize = 200").expect("a file");
    let told = statuses(&small);
    assert!(
        told.iter()
            .all(|status| status.contains("the message is illegal, maybe msg body or properties length not matched")),
        "{told:?}"
    );
    let (config, _) = apply("registerNameServerPeriod=15000\nflushConsumerOffsetInterval=1000", Places::Given);
    assert_eq!(config.register_name_server_period, Span::from_secs(15));
    assert_eq!(config.flush_consumer_offset_interval, Span::from_secs(1));
}

#[test]
fn a_file_with_which_no_broker_can_run_is_refused_with_a_place() {
    assert_eq!(shop("", SLAVE, "").expect_err("whose slave?"), "the slave has no master");
    let numberless = shop("role = \"async-master\"", "brokerRole=SLAVE\n", "").expect_err("upstream exits");
    assert_eq!(numberless, "properties: Slave's brokerId must be > 0");
    let escape = shop("", "deleteWhen=\\u00g4\n", "").expect_err("Java refuses it");
    assert_eq!(escape, "properties, line 1: Malformed \\uxxxx encoding.");
}
