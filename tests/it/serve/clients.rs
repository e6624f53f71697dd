//! `mqlab send`, `mqlab consume`, `mqlab admin` against a server in this process.

use std::io::{BufRead, BufReader};
use std::process::{Output, Stdio};

use assert_cmd::Command;
use mqlab::host::serve::{Config, Server};
use serde_json::Value;

use crate::schemas::{faults, published};

fn mqlab(server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    command.args(arguments).args(["--nameserver", &server.addr().to_string()]).env_remove("NAMESRV_ADDR");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What was printed, with the exit code.
fn ran(server: &Server, code: i32, arguments: &[&str]) -> String {
    let output = mqlab(server, arguments).output().unwrap();
    let (out, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{talk}");
    out
}

/// Objects that a schema of this name describes.
fn held(name: &str, all: &[Value]) {
    let schema = published(name);
    for one in all {
        assert_eq!(faults(&schema, one, name), Vec::<String>::new(), "{one}");
    }
}

fn objects(out: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    out.lines().map(parse).collect()
}

fn server() -> Server {
    Server::start(Config::free_ports()).unwrap()
}

#[test]
fn bodies_of_the_command_line_are_sent_and_results_are_printed_as_java_does() {
    let server = server();
    let out = ran(&server, 0, &["send", "orders", "first", "second", "--tag", "paid", "--key", "order-{n}"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    for line in lines {
        assert!(line.starts_with("SendResult [sendStatus=SEND_OK, msgId="), "{line}");
        assert!(line.contains("messageQueue=MessageQueue [topic=orders, brokerName=broker-a, queueId="), "{line}");
    }
}

#[test]
fn lines_of_standard_input_are_bodies_and_results_are_objects() {
    let server = server();
    for (way, count) in [("--sync", 3), ("--async", 3), ("--oneway", 0)] {
        let arguments = ["send", "orders", way, "--format", "json"];
        let output: Output = mqlab(&server, &arguments).write_stdin("one\ntwo\r\nthree").output().unwrap();
        assert!(output.status.success(), "{way}: {}", text(&output.stderr));
        let results = objects(&text(&output.stdout));
        held("send", &results);
        assert_eq!(results.len(), count, "{way}");
        assert!(results.iter().all(|result| result["status"] == "SEND_OK" && result["broker"] == "broker-a"), "{way}");
        let numbers: std::collections::BTreeSet<u64> =
            results.iter().map(|result| result["number"].as_u64().unwrap()).collect();
        assert_eq!(numbers.len(), count, "{way}");
    }
}

#[test]
fn what_cannot_be_sent_says_so_in_the_clients_words() {
    let mut config = Config::free_ports();
    config.brokers[0].config.auto_create_topic_enable = false;
    let server = Server::start(config).unwrap();
    let output = mqlab(&server, &["send", "nothing", "x"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let talk = text(&output.stderr);
    assert!(
        talk.starts_with(
            "org.apache.rocketmq.client.exception.MQClientException: No route info of this topic, nothing\nSee http"
        ),
        "{talk}"
    );
    assert!(talk.ends_with("0 of 1 sent with SEND_OK\n"), "{talk}");
    let out = ran(&server, 1, &["send", "nothing", "x", "--format", "json"]);
    let error = &objects(&out)[0]["error"];
    held("send", &objects(&out));
    assert_eq!((&error["class"], &error["code"]), (&"MQClientException".into(), &10_005.into()));
    let out = ran(&server, 1, &["send", "nothing", "", "--format", "json"]);
    assert_eq!(
        objects(&out)[0]["error"]["text"].as_str().unwrap().lines().next(),
        Some("CODE: 13  DESC: the message body length is zero")
    );
}

#[test]
fn an_address_that_is_none_is_told_with_a_way_out() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    let output = command.args(["send", "orders", "x", "--nameserver", "nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let talk = text(&output.stderr);
    assert!(talk.starts_with("`nowhere` is no nameserver's address: ") && talk.contains("help:"), "{talk}");
}

/// Every object that a consumer printed.
fn consumed(server: &Server, code: i32, arguments: &[&str]) -> Vec<Value> {
    let group = ["consume", "orders", "--group", "billing", "--format", "json"];
    let all = objects(&ran(server, code, &[&group[..], arguments].concat()));
    held("consume", &all);
    all
}

/// The bodies, in order.
fn bodies(all: &[Value]) -> Vec<String> {
    let mut bodies: Vec<String> = all.iter().map(|message| message["body"].as_str().unwrap().to_owned()).collect();
    bodies.sort();
    bodies
}

#[test]
fn what_is_sent_is_consumed_and_the_group_has_nothing_left() {
    let server = server();
    ran(&server, 0, &["send", "orders", "order-{n}", "--count", "20", "--key", "k{n}", "--tag", "paid"]);
    let all = consumed(&server, 0, &["--from", "first", "--count", "20"]);
    let mut expected: Vec<String> = (1..=20).map(|number| format!("order-{number}")).collect();
    expected.sort();
    assert_eq!(bodies(&all), expected);
    assert!(all.iter().all(|message| message["tag"] == "paid" && message["answer"] == "CONSUME_SUCCESS"));
    let progress = ran(&server, 0, &["admin", "progress", "billing"]);
    assert!(progress.ends_with("Diff Total: 0\n"), "{progress}");
    let rows = &objects(&ran(&server, 0, &["admin", "progress", "billing", "--format", "json"]))[0]["queues"];
    let offsets = rows.as_array().unwrap().iter().filter(|row| row["topic"] == "orders");
    assert_eq!(offsets.map(|row| row["consumer_offset"].as_i64().unwrap()).sum::<i64>(), 20, "{rows}");
    // A stopped member has left the group, and nobody is given anything twice.
    assert!(ran(&server, 0, &["admin", "progress"]).contains("OFFLINE"));
    assert_eq!(consumed(&server, 0, &["--from", "first", "--for", "1500ms"]), Vec::<Value>::new());
}

#[test]
fn a_delivery_that_failed_comes_again_and_tags_choose() {
    let server = server();
    ran(&server, 0, &["send", "orders", "one", "--tag", "paid"]);
    ran(&server, 0, &["send", "orders", "two", "--tag", "open"]);
    let orderly = ["--from", "first", "--count", "1", "--fail", "2", "--tag", "paid || shipped", "--orderly"];
    let all = consumed(&server, 0, &orderly);
    let answers: Vec<&str> = all.iter().map(|message| message["answer"].as_str().unwrap()).collect();
    assert_eq!(answers, ["SUSPEND_CURRENT_QUEUE_A_MOMENT", "SUSPEND_CURRENT_QUEUE_A_MOMENT", "SUCCESS"]);
    assert_eq!(bodies(&all), ["one", "one", "one"]);
}

#[test]
fn a_kill_between_sending_and_consuming_loses_nothing_that_was_acknowledged() {
    let server = server();
    ran(&server, 0, &["send", "orders", "order-{n}", "--count", "20"]);
    server.fault("kill broker-a").unwrap();
    let output = mqlab(&server, &["send", "orders", "nobody", "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "nobody is there to take it");
    server.fault("restart broker-a").unwrap();
    assert_eq!(consumed(&server, 0, &["--from", "first", "--count", "20"]).len(), 20);
}

#[test]
fn a_condition_that_the_broker_does_not_take_is_what_the_start_throws() {
    let server = server();
    ran(&server, 0, &["send", "orders", "one"]);
    let all = consumed(&server, 1, &["--sql", "a > 5"]);
    let text = all[0]["error"]["text"].as_str().unwrap();
    assert!(
        text.starts_with("CODE: 1  DESC: The broker does not support consumer to filter message by SQL92"),
        "{text}"
    );
}

#[test]
fn operators_make_look_at_and_delete_a_topic() {
    let server = server();
    let out = ran(&server, 0, &["admin", "create", "orders", "--queues", "3"]);
    assert!(
        out.contains("success.\nTopicConfig [topicName=orders, readQueueNums=3, writeQueueNums=3, perm=RW-"),
        "{out}"
    );
    let route = &objects(&ran(&server, 0, &["admin", "route", "orders", "--format", "json"]))[0];
    assert_eq!(route["queues"][0]["write_queues"], 3, "{route}");
    let sent = ran(&server, 0, &["send", "orders", "first", "--key", "k1", "--format", "json"]);
    let sent = &objects(&sent)[0];
    let status = ran(&server, 0, &["admin", "status", "orders"]);
    assert_eq!(status.lines().count(), 2 + 3, "{status}");
    let (id, place) = (sent["msg_id"].as_str().unwrap(), sent["offset_msg_id"].as_str().unwrap());
    for way in [["--id", place], ["--unique-key", id], ["--key", "k1"]] {
        let found = ran(&server, 0, &[&["admin", "query", "--topic", "orders"], &way[..]].concat());
        assert!(found.contains(if way[0] == "--key" { id } else { "Keys:                [k1]" }), "{way:?}: {found}");
    }
    assert!(ran(&server, 0, &["admin", "topics"]).contains("orders"));
    assert!(ran(&server, 0, &["admin", "cluster"]).contains("broker-a"));
    assert!(ran(&server, 0, &["admin", "route", "orders"]).contains(&server.brokers()[0].addr.to_string()));
    ran(&server, 0, &["admin", "delete", "orders"]);
    let output = mqlab(&server, &["admin", "route", "orders"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let talk = text(&output.stderr);
    assert!(
        talk.contains("MQClientException: CODE: 17  DESC: No topic route info in name server for the topic: orders"),
        "{talk}"
    );
}

#[test]
fn operators_are_told_what_is_not_there() {
    let server = server();
    let output = mqlab(&server, &["admin", "progress", "nobody"]).output().unwrap();
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(1), "no group `nobody`\n  help: groups: -\n".to_owned())
    );
    let addr = server.addr().to_string();
    drop(server);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqlab"));
    let output = command.args(["admin", "topics", "--nameserver", &addr]).output().unwrap();
    let talk = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    let expected =
        format!("org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to <{addr}> failed\n");
    assert_eq!(talk, expected);
}

#[test]
fn a_message_given_back_comes_again_behind_its_delay() {
    let mut config = Config::free_ports();
    config.brokers[0].config.store.message_delay_level = "1s 1s 1s".into();
    let server = Server::start(config).unwrap();
    ran(&server, 0, &["send", "orders", "one"]);
    let all = consumed(&server, 0, &["--from", "first", "--count", "1", "--fail", "1"]);
    let seen: Vec<(&str, i64)> = all
        .iter()
        .map(|message| (message["answer"].as_str().unwrap(), message["reconsume_times"].as_i64().unwrap()))
        .collect();
    assert_eq!(seen, [("RECONSUME_LATER", 0), ("CONSUME_SUCCESS", 1)]);
    assert_eq!(all[1]["topic"], "orders");
}

#[test]
fn a_broadcasting_member_knows_where_it_was() {
    let (server, folder) = (server(), tempfile::tempdir().unwrap());
    ran(&server, 0, &["send", "orders", "one", "two"]);
    let offsets = ["--broadcast", "--from", "first", "--offsets", folder.path().to_str().unwrap()];
    assert_eq!(consumed(&server, 0, &[&offsets[..], &["--count", "2"]].concat()).len(), 2);
    assert_eq!(consumed(&server, 1, &[&offsets[..], &["--count", "1", "--for", "1s"]].concat()).len(), 0);
}

#[test]
fn a_signal_lets_a_consumer_go_as_a_client_goes() {
    let server = server();
    ran(&server, 0, &["send", "orders", "one"]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mqlab"))
        .args(["consume", "orders", "--from", "first", "--nameserver", &server.addr().to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.ends_with("@0  -  -  one\n"), "{line}");
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let progress = ran(&server, 0, &["admin", "progress", "mqlab"]);
    assert!(progress.ends_with("Diff Total: 0\n"), "{progress}");
    assert!(ran(&server, 0, &["admin", "progress"]).contains("OFFLINE"));
}

#[test]
fn a_group_that_is_none_is_what_the_start_throws() {
    let server = server();
    for arguments in [["consume", "orders", "--group", "bad group"], ["send", "orders", "--group", "bad group"]] {
        let output = mqlab(&server, &arguments).write_stdin("x").output().unwrap();
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{talk}");
        let begin =
            "org.apache.rocketmq.client.exception.MQClientException: the specified group[bad group] contains illegal";
        assert!(talk.starts_with(begin), "{talk}");
    }
}
