//! Bad scenario files: each ends with its kind of problem, a place where it has one, a way out, exit code 4, no panic.

use assert_cmd::Command;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::report::Report;
use mqlab::lab::scenario::{library, load};

/// A sound file with one line changed, or added at the end.
fn changed(from: &str, to: &str) -> String {
    let good = library::text("17-power-loss").unwrap();
    if from.is_empty() {
        return format!("{good}\n{to}\n");
    }
    assert!(good.contains(from), "`{from}` is not in the scenario any more");
    good.replacen(from, to, 1)
}

#[track_caller]
fn refused(text: &str) -> Report {
    load("bad.toml", text.as_bytes(), &Overrides::default()).expect_err("the file is bad")
}

/// What is changed into what, the problem's code, and part of what is said.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("seed = 2018", "sead = 2018", "unknown_key", "did you mean `seed`?"),
    ("", "[brocker]\n", "unknown_key", "did you mean `broker`?"),
    ("seed = 2018", "seed = \"x\"", "syntax", "a whole number"),
    ("seed = 2018", "seed = -1", "out_of_range", "seed"),
    ("count = 10", "count = 10\ndelay_level = 200", "out_of_range", "delay_level"),
    ("count = 10", "count = 10\nqueues = 8", "contradiction", "only `mode = \"create-topic\"`"),
    ("mode = \"sync\"", "mode = \"create-topic\"\nqueues = 0", "out_of_range", "queues"),
    ("seed = 2018", "seed = 2018\nseed = 1", "syntax", "duplicate key"),
    ("seed = 2018", "seed 2018", "syntax", "expected"),
    ("format = 1", "format = 2", "format", "newer mqlab"),
    ("format = 1\n", "", "missing", "format = 1"),
    ("until = \"40s\"\n", "", "missing", "until"),
    ("until = \"40s\"", "until = \"40 parsecs\"", "wrong_time", "not a unit"),
    ("until = \"40s\"", "until = \"40\"", "wrong_time", "no unit"),
    ("until = \"40s\"", "until = \"0s\"", "impossible_time", "impossible"),
    ("until = \"40s\"", "until = \"1s\"", "impossible_time", "when the run is over"),
    (
        "power-loss = { node = \"broker-a\"",
        "power-loss = { node = \"broker_a\"",
        "unknown_node",
        "did you mean \"broker-a\"?",
    ),
    ("restart = { node = \"broker-a\" }", "restart = { nod = \"broker-a\" }", "unknown_key", "did you mean `node`?"),
    ("restart = { node = \"broker-a\" }", "restart = {}", "syntax", "missing field"),
    ("restart = { node = \"broker-a\" }", "", "missing", "does nothing"),
    ("restart = { node = \"broker-a\" }", "truncate = { node = \"shop\" }", "no_disk", "brokers do: broker-a"),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flip = { node = \"broker-a\", field = \"bdy\" }",
        "wrong_value",
        "did you mean \"body\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flip = { node = \"broker-a\", file = \"comitlog\" }",
        "unknown_file",
        "did you mean `commitlog`?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flip = { node = \"broker-a\", file = \"index/last\" }",
        "contradiction",
        "it is a field of \"commitlog\"",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flip = { node = \"broker-a\", field = \"crc\", odds = \"1 in 9\" }",
        "contradiction",
        "leave `odds` out",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flip = { node = \"broker-a\", odds = \"2 in 9\" }",
        "wrong_value",
        "one in so many",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bit-flop = { node = \"broker-a\" }",
        "unknown_key",
        "did you mean `bit-flip`?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "slow-disk = { node = \"broker-a\", time = 3 }",
        "unknown_key",
        "did you mean `times`?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "slow-disk = { node = \"broker-a\", times = 1 }",
        "out_of_range",
        "between 2 and",
    ),
    ("restart = { node = \"broker-a\" }", "slow-sync = { node = \"broker-a\", by = \"5\" }", "wrong_time", "no unit"),
    (
        "restart = { node = \"broker-a\" }",
        "io-error = { node = \"broker-a\", nth = 1, odds = \"1 in 2\" }",
        "contradiction",
        "leave one of the two out",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "io-error = { node = \"broker-a\", odds = \"often\" }",
        "wrong_value",
        "write `1 in 20`",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "io-error = { node = \"broker-a\", nth = 0 }",
        "out_of_range",
        "between 1 and",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "map-error = { node = \"broker-a\", on = \"lod\" }",
        "wrong_value",
        "did you mean \"load\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "refuse = { node = \"broker-a\", on = \"lok\" }",
        "wrong_value",
        "did you mean \"lock\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "refuse = { node = \"broker\" }",
        "unknown_node",
        "did you mean \"broker-a\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "sync-error = { node = \"broker-a\", personality = \"ext4-order\" }",
        "wrong_value",
        "did you mean \"ext4-ordered\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "disk-full = { node = \"broker-a\", shows = \"write-back\" }",
        "wrong_value",
        "did you mean \"writeback\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "misdirected = { node = \"broker-a\", pages = 0 }",
        "wrong_value",
        "`sibling = true`",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "bad-sector = { node = \"broker-a\", len = 1 }",
        "out_of_range",
        "between 512 and 65536",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "truncate = { node = \"broker-a\", file = \"checkpoint/x\" }",
        "unknown_file",
        "behind a folder",
    ),
    ("restart = { node = \"broker-a\" }", "truncate = { file = \"checkpoint\" }", "syntax", "missing field"),
    (
        "restart = { node = \"broker-a\" }",
        "latency = { mean = \"1ms\", min = \"2ms\" }",
        "contradiction",
        "at least `min`",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "latency = { shape = \"paretto\" }",
        "wrong_value",
        "did you mean \"pareto\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "latency = { shape = \"pareto\", alpha = 0.5 }",
        "out_of_range",
        "between 1.1 and 3.0",
    ),
    ("restart = { node = \"broker-a\" }", "latency = { alpha = 1.5 }", "contradiction", "shape = \"pareto\""),
    ("restart = { node = \"broker-a\" }", "bandwidth = { rate = 10 }", "out_of_range", "rate"),
    ("restart = { node = \"broker-a\" }", "bandwidth = { buffer = 10 }", "out_of_range", "buffer"),
    ("restart = { node = \"broker-a\" }", "stall = { odds = \"often\" }", "wrong_value", "write `1 in 20`"),
    ("restart = { node = \"broker-a\" }", "stall = { first = \"2m\" }", "out_of_range", "first = 2m"),
    ("restart = { node = \"broker-a\" }", "datagram = { window = 99 }", "out_of_range", "between 0 and 16"),
    ("restart = { node = \"broker-a\" }", "clog = { mean = \"2h\" }", "out_of_range", "mean = 2h"),
    ("restart = { node = \"broker-a\" }", "reset = { prefix = \"non\" }", "wrong_value", "did you mean \"none\"?"),
    ("restart = { node = \"broker-a\" }", "reset = { every = \"1s\" }", "contradiction", "write `resets`"),
    ("restart = { node = \"broker-a\" }", "resets = { every = \"0s\" }", "out_of_range", "every = 0s"),
    ("restart = { node = \"broker-a\" }", "half-open = { by = \"1s\" }", "unknown_key", "from"),
    ("restart = { node = \"broker-a\" }", "partition = {}", "missing", "isolate, side, bridge, ring, role"),
    (
        "restart = { node = \"broker-a\" }",
        "partition = { isolate = \"broker-b\" }",
        "unknown_node",
        "did you mean \"broker-a\"?",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "partition = { isolate = \"shop\", ring = true }",
        "contradiction",
        "one [[fault]] for each",
    ),
    ("restart = { node = \"broker-a\" }", "partition = { role = \"clients\" }", "missing", "other-role"),
    (
        "restart = { node = \"broker-a\" }",
        "partition = { role = \"client\", other-role = \"brokers\" }",
        "wrong_value",
        "did you mean \"clients\"?",
    ),
    ("restart = { node = \"broker-a\" }", "flap = { cycles = 0 }", "out_of_range", "cycles"),
    (
        "restart = { node = \"broker-a\" }",
        "swizzle = { nodes = [\"shoop\"] }",
        "unknown_node",
        "did you mean \"shop\"?",
    ),
    ("restart = { node = \"broker-a\" }", "refuse-connect = { by = \"1s\" }", "contradiction", "write `slow-accept`"),
    (
        "restart = { node = \"broker-a\" }",
        "slow-accept = { odds = \"1 in 2\" }",
        "contradiction",
        "write `refuse-connect`",
    ),
    ("restart = { node = \"broker-a\" }", "slow-accept = { by = \"2h\" }", "out_of_range", "at most 1h"),
    ("restart = { node = \"broker-a\" }", "full-table = { room = -1 }", "out_of_range", "room"),
    ("restart = { node = \"broker-a\" }", "port-exhaustion = { ports = 70000 }", "out_of_range", "ports"),
    (
        "restart = { node = \"broker-a\" }",
        "split-view = { broker = \"shop\", nameserver = \"ns-1\" }",
        "wrong_value",
        "name a broker",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "split-view = { broker = \"broker-a\", nameserver = \"shop\" }",
        "wrong_value",
        "no nameserver",
    ),
    ("restart = { node = \"broker-a\" }", "end = { fault = \"outrage\" }", "unknown_fault", "did you mean \"outage\"?"),
    (
        "restart = { node = \"broker-a\" }",
        "pause = { node = \"broker-a\", service = \"flsh\" }",
        "wrong_value",
        "did you mean \"flush\"?",
    ),
    ("restart = { node = \"broker-a\" }", "slow-cpu = { node = \"broker-a\", times = 1 }", "out_of_range", "times"),
    (
        "restart = { node = \"broker-a\" }",
        "slow-cpu = { node = \"broker-a\", task = \"route\" }",
        "wrong_value",
        "has no threads of the kind \"route\"",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "crash = { node = \"broker-a\", effects = 3, odds = \"1 in 9\" }",
        "contradiction",
        "leave one of the two out",
    ),
    ("restart = { node = \"broker-a\" }", "rack-loss = { nodes = [] }", "wrong_value", "all brokers"),
    ("restart = { node = \"broker-a\" }", "rack-loss = { within = \"2h\" }", "out_of_range", "within = 2h"),
    (
        "restart = { node = \"broker-a\" }",
        "replace = { node = \"broker-b\" }",
        "unknown_node",
        "did you mean \"broker-a\"?",
    ),
    ("restart = { node = \"broker-a\" }", "restore = { node = \"shop\" }", "no_disk", "brokers do: broker-a"),
    (
        "restart = { node = \"broker-a\" }",
        "restore = { node = \"broker-a\", age = \"0s\" }",
        "out_of_range",
        "age = 0s",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "swap-disks = { one = \"broker-a\", other = \"broker-a\" }",
        "contradiction",
        "name two brokers",
    ),
    ("restart = { node = \"broker-a\" }", "twin = { node = \"shop\" }", "wrong_value", "is no broker"),
    (
        "restart = { node = \"broker-a\" }",
        "reconfigure = { node = \"shop\", properties = \"flushDiskType=SYNC_FLUSH\" }",
        "wrong_value",
        "name a broker",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "reconfigure = { node = \"broker-a\", properties = \"\" }",
        "wrong_value",
        "flushDiskType=SYNC_FLUSH",
    ),
    ("restart = { node = \"broker-a\" }", "rolling-restart = { nodes = [] }", "wrong_value", "all nameservers"),
    ("restart = { node = \"broker-a\" }", "clock-offset = { node = \"broker-a\", by = \"soon\" }", "wrong_time", ""),
    (
        "restart = { node = \"broker-a\" }",
        "clock-drift = { node = \"broker-a\", millionths = 0 }",
        "wrong_value",
        "millionths = 1000",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "clock-drift = { node = \"broker-a\", millionths = 900000 }",
        "out_of_range",
        "millionths",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "clock-freeze = { node = \"broker-a\", faster = 0 }",
        "out_of_range",
        "faster",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "clock-coarse = { node = \"broker-a\", to = \"0s\" }",
        "out_of_range",
        "to = 0s",
    ),
    (
        "restart = { node = \"broker-a\" }",
        "clock-diverge = { node = \"broker-a\", by = \"0s\" }",
        "out_of_range",
        "by = 0s",
    ),
    ("keep = \"fsynced\"", "keep = \"fsync\"", "wrong_value", "did you mean \"fsynced\"?"),
    ("keep = \"fsynced\"", "keep = \"log-lost/json-kep\"", "wrong_value", "did you mean \"log-lost/json-kept\"?"),
    ("fsync = \"2ms..9ms\"", "personality = \"order\"", "wrong_value", "did you mean \"ordered\"?"),
    ("name = \"return\"", "name = \"outage\"", "duplicate_name", "another fault"),
    ("name = \"billing-1\"", "name = \"shop\"", "duplicate_name", "another node"),
    ("name = \"billing-1\"", "name = \"ns-1\"", "duplicate_name", "another nameserver"),
    ("name = \"billing-1\"", "name = \"billing 1\"", "bad_name", "no name"),
    ("on = [\"broker-a\"]", "on = [\"broker-b\"]", "unknown_broker", "did you mean \"broker-a\"?"),
    ("queues = 4", "queues = 0", "out_of_range", "between 1 and"),
    ("name = \"orders\"", "name = \"or ders\"", "bad_name", "RocketMQ allows"),
    ("start = \"after:fault:outage\"", "start = \"after:fault:outrage\"", "unknown_fault", "did you mean \"outage\"?"),
    ("start = \"after:fault:outage\"", "start = \"40s\"", "impossible_time", "set a later `until`"),
    ("at = \"1250ms\"", "at = \"50s\"", "impossible_time", "when the run is over"),
    ("at = \"1250ms\"", "at = \"after:fault:outage\"", "impossible_time", "waits for itself"),
    ("at = \"1250ms\"", "at = \"first:apend\"", "wrong_time", "did you mean `append`?"),
    ("flush = \"async\"", "flush = \"asynch\"", "wrong_value", "did you mean \"async\"?"),
    ("role = \"async-master\"", "role = \"slave\"", "missing", "the slave has no master"),
    ("role = \"async-master\"", "role = \"master\"", "wrong_value", "one of: async-master, sync-master, slave"),
    ("role = \"async-master\"", "of = \"broker-b\"", "unknown_broker", "Masters above it: none"),
    ("role = \"async-master\"", "role = \"sync-master\"\nof = \"broker-b\"", "contradiction", "only a slave"),
    ("role = \"async-master\"", "id = 2", "contradiction", "a master's id is 0"),
    ("latency = \"1ms..4ms\"", "latency = \"4ms..1ms\"", "wrong_time", "write `1ms..4ms`"),
    ("count = 10", "count = 10000000", "out_of_range", "count"),
    ("key = \"order-{n}\"", "key = \"order-{m}\"", "wrong_value", "stands for nothing"),
    ("reply = [\"ok\"]", "reply = [\"okay\"]", "wrong_value", "reply"),
    ("check = \"no-acked-loss\"", "check = \"no-ackd-loss\"", "wrong_value", "did you mean \"no-acked-loss\"?"),
    ("outcome = \"violated\"", "outcome = \"broken\"", "wrong_value", "holds, violated, either"),
    ("count = \"0 | 1\"", "count = \"few\"", "wrong_value", "no count"),
    ("id = \"store-recovers\"", "id = \"acked-is-durable\"", "duplicate_name", "another expectation"),
    ("title.zh = \"断电了\"\n", "", "missing_language", "no Chinese"),
    ("when = \"first:send-ok\"", "when = \"soon\"", "wrong_time", "neither a time nor an event"),
    ("profile = \"rocketmq-4.3.2\"", "profile = \"rocketmq-9\"", "wrong_value", "hardened"),
    ("", "[profile.fix]\nK99 = true", "unknown_weakness", "K01"),
    ("subscribe = { orders = \"*\" }", "subscribe = {}", "missing", "subscribes to nothing"),
    ("[cluster]", "[[cluster]]", "syntax", "there is one: write [cluster]"),
    ("[[broker]]", "[broker]", "syntax", "there may be several: write [[broker]]"),
    ("disk = { fsync = \"2ms..9ms\" }", "disk = [\"2ms..9ms\"]", "syntax", "expected a table, found an array"),
    ("disk = { fsync = \"2ms..9ms\" }", "disk = []", "syntax", "expected a table, found an array"),
    ("name = \"orders\"", "name = 7", "syntax", "put it in quotes: \"7\""),
    ("format = 1", "format = 99\nnovelty = 1", "format", "newer mqlab"),
    ("key = \"order-{n}\"", "key = \"order-{n\"", "wrong_value", "not closed"),
    ("tag = \"{pick:create,pay,done}\"", "tag = \"{pick:}\"", "wrong_value", "an empty choice"),
    ("key = \"order-{n}\"", "select = \"queue:x\"", "wrong_value", "names no queue"),
    ("key = \"order-{n}\"", "select = \"queue:broker-z/1\"", "wrong_value", "names no queue"),
    ("key = \"order-{n}\"", "select = \"hash:key\"", "missing", "chosen by the key"),
    ("key = \"order-{n}\"", "key = \"order-{n}\"\nselect = \"modulo:key\"", "wrong_value", "a key that is a number"),
    ("reply = [\"ok\"]", "reply = [\"suspend\"]", "contradiction", "only an ordered listener"),
    ("reply = [\"ok\"]", "reply = [\"fail\"]\ndelay_level = -2", "out_of_range", "between -1 and"),
    ("answer = { choice = 3 }", "answer = { choice = 4 }", "out_of_range", "between 1 and 3"),
    ("answer = { choice = 3 }\n", "", "missing", "no answer"),
    ("answer = { choice = 3 }", "answer = { eval = \"count(readable)\" }", "unsupported", "not built yet"),
    ("start = \"after:fault:outage\"", "start = \"first:append@billing-1\"", "impossible_time", "waits for itself"),
];

#[test]
fn faults_that_wait_for_each_other_are_told_each() {
    let text =
        changed("at = \"1250ms\"", "at = \"after:fault:return\"").replace("at = \"6s\"", "at = \"after:fault:outage\"");
    let report = refused(&text);
    let circles = report.problems.iter().filter(|problem| problem.message.contains("which waits for it")).count();
    assert_eq!(circles, 2, "{report}");
}

#[test]
fn a_flood_of_tables_is_answered_at_once() {
    let tables: String = (0..40_000).map(|number| format!("[[topic]]\nname='t{number}'\n")).collect();
    let text = refused(&changed("", &tables)).to_string();
    assert!(text.contains("there are 40001 tables [[topic]]"), "{text}");
}

#[test]
fn each_bad_file_is_told_what_where_and_how_out() {
    assert!(CASES.len() >= 25);
    for (from, to, code, part) in CASES {
        let report = refused(&changed(from, to));
        let text = report.to_string();
        let found = report.problems.iter().find(|problem| problem.code == *code);
        let problem = found.unwrap_or_else(|| panic!("`{to}`: no `{code}` in\n{text}"));
        assert!(text.contains(part), "`{to}`: `{part}` is not in\n{text}");
        assert!(!problem.help.is_empty(), "`{to}`: no way out in\n{text}");
        let (line, column) = report.place(problem).expect("it has a place");
        assert!(line >= 1 && column >= 1);
        assert!(text.contains("bad.toml"), "{text}");
    }
}

#[test]
fn places_are_exact() {
    let text = changed("power-loss = { node = \"broker-a\"", "power-loss = { node = \"broker_a\"");
    let report = refused(&text);
    let line = 1 + text.lines().position(|line| line.contains("broker_a")).unwrap();
    let column = 1 + text.lines().nth(line - 1).unwrap().find("\"broker_a").unwrap();
    assert_eq!(report.place(&report.problems[0]), Some((line, column)));
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_lines() {
    let text =
        changed("queues = 4", "queues = -4").replace("retries = 2", "retries = -2").replace("outage\"", "out age\"");
    let report = refused(&text);
    assert!(report.problems.len() >= 3, "{report}");
    let places: Vec<_> = report.problems.iter().map(|problem| report.place(problem)).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn whatever_bytes_come_there_is_an_answer_and_exit_code_4() {
    let folder = tempfile::tempdir().unwrap();
    let garbage: Vec<u8> = (0..10_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: [(&str, &[u8], &str); 9] = [
        ("empty.toml", b"", "empty"),
        ("blank.toml", b"\n \n", "empty"),
        ("utf8.toml", b"format = 1\nid = \"\xff\xfe\"\n", "utf8.toml:2:7]"),
        ("utf16.toml", b"\xff\xfef\0o\0", "not UTF-8"),
        ("big.toml", &garbage, "at most"),
        ("brackets.toml", &[b'['; 100_000], "help"),
        ("braces.toml", &[b"a = ".as_slice(), &[b'{'; 50_000]].concat(), "help"),
        ("nul.toml", b"format = 1\0\0", "help"),
        ("json.toml", b"{\"format\": 1}", "help"),
    ];
    for (name, bytes, part) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_mqlab")).arg("run").arg(&path).output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{name}: {talk}");
        assert!(talk.contains(name) && talk.contains(part), "{name}: {talk}");
        assert!(talk.contains(&format!("[{name}:")) && talk.contains("help:"), "{name} has no place: {talk}");
        assert!(!talk.contains("panicked") && talk.len() < 4_000, "{name}: {talk}");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("loop.toml", folder.path().join("loop.toml")).unwrap();
    for missing in ["absent.toml", "./", "a\0b.toml", "loop.toml", "/dev/null", "/dev/zero"] {
        let Ok(output) = std::panic::catch_unwind(|| {
            Command::new(env!("CARGO_BIN_EXE_mqlab")).args(["run", missing]).current_dir(folder.path()).output()
        }) else {
            continue;
        };
        if let Ok(output) = output {
            assert_eq!(output.status.code(), Some(4), "{missing}");
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_run_and_never_panics() {
    let good = library::text("17-power-loss").unwrap();
    let (mut sound, mut bad) = (0, 0);
    for end in (0..good.len()).step_by(37).filter(|end| good.is_char_boundary(*end)) {
        match load("cut.toml", &good.as_bytes()[..end], &Overrides::default()) {
            Ok(_) => sound += 1,
            Err(report) => {
                bad += 1;
                assert!(!report.to_string().is_empty());
            }
        }
    }
    assert!(bad > 50 && sound < bad, "{sound} {bad}");
}
