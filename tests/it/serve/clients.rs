//! `mqlab send`, `mqlab consume`, `mqlab admin` against a server in this process.

use std::process::Output;

use assert_cmd::Command;
use mqlab::host::serve::{Config, Server};
use serde_json::Value;

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
