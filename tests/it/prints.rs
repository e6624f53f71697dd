//! What the applications of the article print is what the article shows, of the run's own objects.

use assert_cmd::Command;
use mqlab::lab::locale::Lang;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::lab::view::prints::{self, message_ext};
use mqlab::mq::app::{Return, SendResult};
use mqlab::mq::message::StoredMessage;

fn run(name: &str) -> Trace {
    let text = library::text(name).unwrap();
    let plan = load(name, text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    Session::run(&plan, Level::Full).trace
}

fn printed(trace: &Trace, node: &str) -> Vec<String> {
    let prints = prints::of(trace, Lang::Zh);
    prints.into_iter().filter(|print| print.node == node).map(|print| print.text).collect()
}

/// What a node gave its applications.
fn returned(trace: &Trace, node: &str) -> Vec<Return> {
    let records = trace.records().iter().filter(|record| record.node.is_some_and(|id| trace.name(id) == node));
    let answer = |what: &What| match what {
        What::App(App::Returned(answer)) => Some((**answer).clone()),
        _ => None,
    };
    records.filter_map(|record| answer(&record.what)).collect()
}

fn results(trace: &Trace, node: &str) -> Vec<SendResult> {
    let result = |answer| match answer {
        Return::Sent { result, .. } | Return::SentInTransaction { result, .. } => Some(result),
        _ => None,
    };
    returned(trace, node).into_iter().filter_map(result).collect()
}

fn heard(trace: &Trace, node: &str) -> Vec<StoredMessage> {
    let messages = |answer| match answer {
        Return::Listen { messages, .. } => messages,
        _ => Vec::new(),
    };
    returned(trace, node).into_iter().flat_map(messages).collect()
}

/// The article's line, with what differs from run to run put in.
fn article(result: &SendResult, offset_msg_id: &str) -> String {
    let (msg_id, queue, at) = (&result.msg_id, &result.queue, result.queue_offset.0);
    let (topic, broker, queue_id) = (&queue.topic, &queue.broker, queue.queue_id);
    format!(
        "SendResult [sendStatus=SEND_OK, msgId={msg_id}, offsetMsgId={offset_msg_id}, messageQueue=MessageQueue \
         [topic={topic}, brokerName={broker}, queueId={queue_id}], queueOffset={at}]"
    )
}

#[test]
fn a_topic_of_eight_queues_is_created_and_every_queue_gets_a_message() {
    let trace = run("03-topic-birth");
    let lines = printed(&trace, "demo-1");
    let results = results(&trace, "demo-1");
    let mut queues: Vec<i32> = results.iter().map(|result| result.queue.queue_id).collect();
    queues.sort_unstable();
    assert_eq!(queues, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(lines[0], "topic创建成功!");
    let sent: Vec<String> = results.iter().map(|result| article(result, &result.offset_msg_id)).collect();
    assert_eq!(lines[1..], sent);
}

#[test]
fn the_three_ways_of_sending_print_a_result_a_callback_and_nothing() {
    let trace = run("04-send-modes");
    let sent = |node| results(&trace, node).iter().map(|result| article(result, &result.offset_msg_id)).next().unwrap();
    let lines = printed(&trace, "sync-producer");
    assert_eq!((lines.len(), &lines[0]), (2, &sent("sync-producer")), "{lines:?}");
    assert!(lines[1].contains("Exception: "), "{lines:?}");
    let lines = printed(&trace, "async-producer");
    assert_eq!((lines.len(), &lines[0]), (2, &format!("发送成功了!{}", sent("async-producer"))), "{lines:?}");
    let failed = "消息发送失败!org.apache.rocketmq.client.exception.MQClientException: wait response timeout 0ms";
    assert!(lines[1].starts_with(failed), "{lines:?}");
    assert_eq!(printed(&trace, "oneway-producer"), Vec::<String>::new());
    // It shut down behind its send: its message is stored, and neither of its callbacks ever runs.
    assert_eq!(printed(&trace, "hasty-producer"), Vec::<String>::new());
}

#[test]
fn a_consumer_prints_bodies_and_messages_as_the_article_shows_them() {
    let trace = run("30-three-subscriptions");
    let heard = heard(&trace, "all-1");
    let plain =
        heard.iter().find(|stored| !stored.message.properties.iter().any(|(name, _)| *name == *"TAGS")).unwrap();
    let property = |name: &str| plain.message.properties.get(name).unwrap().to_string();
    let (id, at) = (property("UNIQ_KEY"), plain.commit_log_offset.0);
    let (ip, store) = (plain.born_host.ip.to_be_bytes(), plain.store_host.ip.to_be_bytes());
    let address = |[a, b, c, d]: [u8; 4], port: i32| format!("/{a}.{b}.{c}.{d}:{port}");
    let (born_host, store_host) = (address(ip, plain.born_host.port), address(store, plain.store_host.port));
    let offset_id = format!("{:08X}{:08X}{at:016X}", plain.store_host.ip, plain.store_host.port);
    let (born, stored, queue_id, size) =
        (plain.born_timestamp.0, plain.store_timestamp.0, plain.queue_id, plain.store_size);
    let started = property("CONSUME_START_TIME");
    let wanted = format!(
        "接收到消息 -> [MessageExt [queueId={queue_id}, storeSize={size}, queueOffset=0, sysFlag=0, bornTimestamp={born}, \
         bornHost={born_host}, storeTimestamp={stored}, storeHost={store_host}, msgId={offset_id}, commitLogOffset={at}, \
         bodyCRC=2012479578, reconsumeTimes=0, preparedTransactionOffset=0, toString()=Message{{topic='demo01', flag=0, \
         properties={{MIN_OFFSET=0, MAX_OFFSET=1, KEYS=plain, CONSUME_START_TIME={started}, UNIQ_KEY={id}, WAIT=true}}, \
         body=[-26, -120, -111, -25, -102, -124, -25, -84, -84, -28, -72, -128, -28, -72, -86, -26, -74, -120, -26, -127, \
         -81, 33], transactionId='null'}}]]"
    );
    let lines = printed(&trace, "all-1");
    let at = lines.iter().position(|line| *line == wanted).unwrap_or_else(|| panic!("{wanted}\n{lines:#?}"));
    assert_eq!(lines[at - 1], "消息:我的第一个消息!");
    let of = |node: &str| -> Vec<String> {
        printed(&trace, node).into_iter().filter(|line| line.starts_with("消息:")).collect()
    };
    assert_eq!((of("all-1").len(), of("deletes-1").len(), of("changes-1").len()), (4, 1, 2));
}

#[test]
fn a_transaction_prints_its_results_and_what_it_answers_to_a_question() {
    let trace = run("31-three-answers");
    let results = results(&trace, "bank");
    let mut wanted: Vec<String> = results.iter().map(|result| article(result, "null")).collect();
    assert_eq!(wanted.len(), 3);
    wanted.push(format!("状态回查 ---> {} COMMIT_MESSAGE", results[2].msg_id));
    assert_eq!(printed(&trace, "bank"), wanted);
    let bodies = printed(&trace, "credit-1").into_iter().filter(|line| *line == "消息:用户A给用户B转账500元");
    assert_eq!(bodies.count(), 2, "a rolled back transfer is never seen");
}

#[test]
fn three_retries_print_how_often_the_message_was_tried_again() {
    let trace = run("32-three-retries");
    let heard = heard(&trace, "im-1");
    assert_eq!(heard.iter().map(|stored| stored.reconsume_times).collect::<Vec<_>>(), [0, 1, 2, 3]);
    let received = |stored| ["消息:我的第一个消息!".to_owned(), format!("接收到消息 -> [{}]", message_ext(stored))];
    assert_eq!(printed(&trace, "im-1"), heard.iter().flat_map(received).collect::<Vec<_>>());
}

#[test]
fn a_budget_that_is_used_up_prints_an_exception_and_a_retry_prints_a_result() {
    let trace = run("20-producer-retry");
    let lines = printed(&trace, "im");
    let thrown = "org.apache.rocketmq.remoting.exception.RemotingTooMuchRequestException: sendDefaultImpl call timeout";
    assert_eq!(lines.iter().filter(|line| *line == thrown).count(), 1, "{lines:#?}");
    let sent: Vec<String> = results(&trace, "im").iter().map(|result| article(result, &result.offset_msg_id)).collect();
    assert_eq!(lines.into_iter().filter(|line| line != thrown).collect::<Vec<_>>(), sent);
    assert_eq!(sent.len(), 5);
}

#[test]
fn an_ordered_listener_prints_queue_and_body() {
    let trace = run("12-same-key-same-line");
    let heard = heard(&trace, "desk-1");
    let line = |stored: &StoredMessage| {
        format!("{} {}", stored.queue_id, String::from_utf8(stored.message.body.to_vec()).unwrap())
    };
    assert!(!heard.is_empty());
    assert_eq!(printed(&trace, "desk-1"), heard.iter().map(line).collect::<Vec<_>>());
}

#[test]
fn the_flag_prints_lines_behind_time_and_process_and_quietly_the_lines_alone() {
    let output = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
        command.args(["run", "32-three-retries", "--output", "--lang", "en"]).args(more).env_remove("MQLAB_SEED");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let (full, bare) = (output(&[]), output(&["--quiet"]));
    let trace = run("32-three-retries");
    let prints = prints::of(&trace, Lang::En);
    assert_eq!(bare.lines().collect::<Vec<_>>(), prints.iter().map(|print| &print.text[..]).collect::<Vec<_>>());
    assert!(bare.contains("\nReceive New Messages: [MessageExt [queueId=0, "), "{bare}");
    for (line, print) in full.lines().zip(&prints) {
        let mut words = line.split_whitespace();
        assert_eq!((words.next(), words.next()), (Some(&print.at.to_string()[..]), Some(&print.node[..])));
        assert!(line.ends_with(&print.text), "{line}");
    }
    assert_eq!(full.lines().count(), prints.len());
}
