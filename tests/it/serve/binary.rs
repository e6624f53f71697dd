//! `mqlab serve` as a user has it: what it prints, what it takes, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddrV4;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use mqlab::mq::wire::code::response;
use serde_json::Value;

use super::client::{Client, route};
use super::conversation::pull_until;
use crate::schemas::{faults, published};

/// A running `mqlab serve --format json`.
pub struct Served {
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    schema: Value,
}

impl Served {
    pub fn with(args: &[&str]) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mqlab"))
            .args(["serve", "--nameserver-port", "0", "--broker-port", "0", "--format", "json"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Served { child, input, output, schema: published("serve") }
    }

    /// The next line of an event; every line before it is as published.
    pub fn next(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ends before `{event}`: {}", self.complaint());
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(faults(&self.schema, &value, "line"), Vec::<String>::new(), "{line}");
            if value["event"] == event {
                return value;
            }
        }
    }

    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn addr(value: &Value) -> SocketAddrV4 {
    value.as_str().unwrap().parse().unwrap()
}

fn verify(store: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).arg("inspect").arg(store).arg("--verify").output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_says_where_it_is_takes_orders_by_line_and_stop_leaves_a_store_that_verifies() {
    let data = tempfile::tempdir().unwrap();
    let mut served = Served::with(&["--data", data.path().to_str().unwrap()]);
    let ready = served.next("ready");
    let (map, broker) = (addr(&ready["namesrv_addr"]), addr(&ready["brokers"][0]["addr"]));
    assert_eq!(Client::to(map).ask(route("orders")).unwrap().code, response::TOPIC_NOT_EXIST);
    let mut client = Client::to(broker);
    for number in 0..100 {
        client.send("orders", format!("order-{number}").as_bytes()).unwrap();
    }
    assert_eq!(pull_until(&mut client, "orders", 100).len(), 100);
    served.say("slow-disk 20ms on broker-a");
    assert_eq!(served.next("fault-began")["fault"], "slow-disk 20ms on broker-a");
    served.say("drop replies");
    let misread = served.next("misread");
    assert_eq!((&misread["word"], &misread["column"], &misread["near"]), (&"replies".into(), &6.into(), &Value::Null));
    served.say("stop");
    assert_eq!(served.next("stopped")["cleanly"], true);
    assert!(served.child.wait().unwrap().success());
    let (is_whole, text) = verify(&data.path().join("broker-a"));
    assert!(is_whole, "{text}");
    assert!(!data.path().join("broker-a/abort").exists());
}

#[test]
fn what_was_acknowledged_outlives_a_kill_of_the_whole_process() {
    let data = tempfile::tempdir().unwrap();
    let trace = data.path().join("trace.jsonl");
    let args = ["--data", data.path().to_str().unwrap(), "--trace", trace.to_str().unwrap()];
    let mut served = Served::with(&args);
    let broker = addr(&served.next("ready")["brokers"][0]["addr"]);
    let mut client = Client::to(broker);
    for number in 0..200 {
        client.send("orders", format!("order-{number}").as_bytes()).unwrap();
    }
    served.child.kill().unwrap();
    served.child.wait().unwrap();
    assert!(data.path().join("broker-a/abort").exists(), "nobody took it away");
    let mut served = Served::with(&args);
    let broker = addr(&served.next("ready")["brokers"][0]["addr"]);
    let all = pull_until(&mut Client::to(broker), "orders", 200);
    assert_eq!((all.len(), &all[199][..]), (200, &b"order-199"[..]));
    served.say("stop");
    assert_eq!(served.next("stopped")["cleanly"], true);
    let (is_whole, text) = verify(&data.path().join("broker-a"));
    assert!(is_whole, "{text}");
    let schema = published("trace");
    let trace = std::fs::read_to_string(trace).unwrap();
    assert!(2 < trace.lines().count());
    for line in trace.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(faults(&schema, &value, "line"), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn the_end_of_standard_input_is_no_order_and_a_signal_stops_cleanly() {
    let mut served = Served::with(&[]);
    let ready = served.next("ready");
    drop(served.input.take());
    assert_eq!(Client::to(addr(&ready["namesrv_addr"])).ask(route("x")).unwrap().code, response::TOPIC_NOT_EXIST);
    let folder = Path::new(ready["brokers"][0]["folder"].as_str().unwrap()).to_owned();
    assert!(folder.exists());
    let killed = Command::new("kill").arg(served.child.id().to_string()).status().unwrap();
    assert!(killed.success());
    assert_eq!(served.next("stopped")["cleanly"], true);
    assert!(served.child.wait().unwrap().success() && !folder.exists());
}

#[test]
fn a_scenario_gives_the_topology_and_a_file_its_faults_at_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults");
    std::fs::write(&faults, "# first nothing\n@1ms delay reply pull-message 10ms for 5ms\n").unwrap();
    let mut served = Served::with(&["--scenario", "23-build-2m2s", "--faults", faults.to_str().unwrap()]);
    let ready = served.next("ready");
    assert!(1 < ready["brokers"].as_array().unwrap().len(), "{ready}");
    assert_eq!(served.next("fault-began")["number"], 1);
    assert_eq!(served.next("fault-ended")["number"], 1);
}

#[test]
fn what_it_cannot_do_it_says_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let faults = folder.path().join("faults");
    std::fs::write(&faults, "\n@1s kill broker-b\n").unwrap();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--listen", "0.0.0.0"], 2, "`--expose`"),
        (&["--fault", "drop"], 4, "the line ends at column 5: wanted `request` or `reply`"),
        (&["--faults", faults.to_str().unwrap()], 4, "faults:2: `broker-b` at column 10: wanted a node's name"),
        (&["--set", "flushDiskTipe=SYNC_FLUSH"], 4, "`--set flushDiskTipe=SYNC_FLUSH` is no setting"),
        (&["--scenario", "07-nothing"], 4, "07-nothing"),
        (&["--properties", "none.properties"], 4, "none.properties cannot be read"),
    ];
    for (args, code, text) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_mqlab"))
            .args(["serve", "--nameserver-port", "0", "--broker-port", "0"])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains(text) && told.contains("help:"), "{args:?}: {told}");
    }
}
