//! Near misses that the hunt found: runs in which a check once saw a violation, cut down to what it takes.

use mqlab::lab::scenario::plan::Check;

use super::tables::{of, verdict};

/// A run: what it is about, its seed, how long it goes, its check, what that says, and the scenario.
struct Near {
    name: &'static str,
    seed: u64,
    until: &'static str,
    check: Check,
    says: &'static str,
    text: &'static str,
}

#[test]
fn what_the_hunt_once_took_for_a_violation_is_none() {
    let mut wrong = Vec::new();
    for Near { name, seed, until, check, says, text } in NEAR {
        let head = format!(
            "format = 1\nid = \"near\"\nseed = {seed}\nuntil = \"{until}\"\ntitle.en = \"Near\"\ntitle.zh = \"近\"\n"
        );
        let (trace, plan) = of(&format!("{head}{text}"));
        let (found, said) = verdict(&trace, &plan, check.clone());
        if found.as_str() != *says {
            wrong.push(format!("{name}: `{}` for `{says}`: {said}", found.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const NEAR: &[Near] = &[
    Near {
        name: "G64 behind a clock that was set back",
        seed: 704922,
        until: "8s",
        check: Check::CheckpointSafe,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
flush = "sync"
properties = """
flushConsumeQueueThoroughInterval=1000
"""

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-2"
group = "shop"
start = "1s"
[[producer.send]]
topic = "orders"
count = 1
wait = "5s"
[[producer.send]]
topic = "orders"
count = 1
wait = "3800ms"

[[fault]]
name = "clock-offset-3"
at = "5s"
clock-offset = { by = "-4474ms", node = "broker-a" }

[[fault]]
name = "rack-loss-6"
at = "7s"
rack-loss = { keep = "keep-all", within = "1ms" }
"#,
    },
    Near {
        name: "G64 stored while a clock was ahead",
        seed: 8805,
        until: "20s",
        check: Check::CheckpointSafe,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
flush = "sync"
properties = """
flushConsumeQueueThoroughInterval=1000
"""

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop-1"
start = "11s"
[[producer.send]]
topic = "orders"
count = 2
wait = "6500ms"
every = "500ms"

[[fault]]
name = "clock-skew-1"
at = "17s"
lasts = "1s"
clock-skew = { by = "5s", node = "broker-a" }

[[fault]]
name = "power-loss-4"
at = "19s"
power-loss = { keep = "keep-all", node = "broker-a" }
"#,
    },
    Near {
        name: "G35 a broker that its name server forgot for a while",
        seed: 706487,
        until: "95855ms",
        check: Check::BroadcastComplete,
        says: "inconclusive",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[broker]]
name = "broker-b"

[[topic]]
name = "orders"
on = ["broker-a", "broker-b"]

[[producer]]
name = "shop-2"
group = "shop-2"
[[producer.send]]
topic = "orders"
count = 2

[[consumer]]
name = "stock-2"
group = "stock"
from = "first"
model = "broadcasting"
subscribe = { orders = "*" }

[[fault]]
name = "rolling-restart-4"
at = "5s"
rolling-restart = { down = "1ms", every = "1ms" }

[[fault]]
name = "kill-2"
at = "5s"
lasts = "1ms"
kill = { node = "stock-2" }

[[fault]]
name = "reset-1"
at = "15s"
reset = { from = "*", prefix = "none", to = "ns-1" }
"#,
    },
    Near {
        name: "G65 torn, of a slave that is off",
        seed: 706927,
        until: "16s",
        check: Check::ReplicaPrefix,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
role = "sync-master"

[[broker]]
name = "broker-a-s"
of = "broker-a"
disk = { torn_writes = true }

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop"
[[producer.send]]
topic = "orders"
count = 9
wait = "500ms"
every = "600ms"
delay_level = 2

[[fault]]
name = "power-loss-3"
at = "15s"
power-loss = { keep = "uniform", node = "broker-a-s" }
"#,
    },
    Near {
        name: "G05 torn, of a slave that is off",
        seed: 806341,
        until: "22s",
        check: Check::OffsetAgreement,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[broker]]
name = "broker-a-s"
of = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop"
start = "15s"
[[producer.send]]
topic = "orders"
count = 3
key = "shop-1-1-{n%1}"

[[fault]]
name = "power-loss-3"
at = "21s"
power-loss = { keep = "header-kept/body-lost", node = "broker-a-s" }
"#,
    },
    Near {
        name: "G05 an answer that was under way while the power went",
        seed: 707115,
        until: "34s",
        check: Check::OffsetAgreement,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]
queues = 1

[[producer]]
name = "shop-1"
group = "shop-1"
start = "1s"
[[producer.send]]
topic = "orders"
count = 3
wait = "28s"
every = "2s"

[[fault]]
name = "partition-5"
at = "30s"
lasts = "2s"
partition = { isolate = "broker-a", one-way = true }

[[fault]]
name = "power-loss-4"
at = "32s"
lasts = "1ms"
power-loss = { keep = "lose-all-unsynced", node = "broker-a" }
"#,
    },
    Near {
        name: "G05 stored under a clock that was set back",
        seed: 6584,
        until: "3s",
        check: Check::OffsetAgreement,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
flush = "sync"

[[topic]]
name = "orders"
on = ["broker-a"]
queues = 1

[[producer]]
name = "shop-1"
group = "shop"
start = "1s"
[[producer.send]]
topic = "orders"
count = 2
wait = "1s"
every = "800ms"

[[fault]]
name = "clock-offset-4"
at = "1s"
clock-offset = { by = "-369ms", node = "broker-a" }

[[fault]]
name = "sync-error-1"
at = "1s"
sync-error = { file = "commitlog", node = "broker-a", nth = 1, personality = "btrfs" }

[[fault]]
name = "reboot-1"
at = "2500ms"
restart = { node = "broker-a" }
"#,
    },
    Near {
        name: "G61 a broker that was told that its sync failed",
        seed: 804163,
        until: "22s",
        check: Check::StoreConsistent,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[broker]]
name = "broker-a-s"
of = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop-1"
start = "10s"
[[producer.send]]
topic = "orders"
count = 1
[[producer.send]]
topic = "orders"
count = 1

[[fault]]
name = "sync-error-1"
at = "1s"
sync-error = { file = "commitlog", node = "broker-a", nth = 1, personality = "ext4-journal" }
"#,
    },
    Near {
        name: "G30 told over another connection",
        seed: 3320,
        until: "27s",
        check: Check::NoRegress,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
flush = "sync"

[[topic]]
name = "orders"
on = ["broker-a"]
queues = 1

[[producer]]
name = "shop-2"
group = "shop-2"
start = "11s"
[[producer.send]]
topic = "orders"
count = 3
wait = "5s"
delay_level = 3

[[consumer]]
name = "billing-1"
group = "billing"
subscribe = { orders = "*" }

[[fault]]
name = "delay-1"
at = "22s"
lasts = "4s"
delay = { by = "1s", from = "billing-1", to = "broker-a" }
"#,
    },
    Near {
        name: "G06 a copy in the page of a failed sync",
        seed: 5772,
        until: "70981ms",
        check: Check::DerivedContinuity,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"
flush = "sync"

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop"
[[producer.send]]
topic = "orders"
count = 1
delay_level = 2

[[fault]]
name = "sync-error-4"
at = "1s"
sync-error = { file = "commitlog", node = "broker-a", nth = 1, personality = "ext4-journal" }

[[fault]]
name = "power-loss-1"
at = "20s"
power-loss = { keep = "keep-all", node = "broker-a" }
"#,
    },
    Near {
        name: "G32 of a broadcasting process whose file was written in between",
        seed: 9152,
        until: "57s",
        check: Check::DuplicatesExplained,
        says: "pass",
        text: r#"
[cluster]
nameserver = 3
profile = "hardened"

[[broker]]
name = "broker-b"

[[broker]]
name = "broker-c"

[[topic]]
name = "orders"
on = ["broker-b", "broker-c"]

[[producer]]
name = "shop-1"
group = "shop"
[[producer.send]]
topic = "orders"
count = 4
key = "shop-1-1-{n%3}"
select = "hash:key"

[[consumer]]
name = "stock-1"
group = "stock"
from = "first"
model = "broadcasting"
subscribe = { orders = "*" }

[[fault]]
name = "stop-3"
at = "10s"
lasts = "1ms"
stop = { node = "ns-2" }

[[fault]]
name = "kill-4"
at = "20s"
lasts = "5s"
kill = { node = "stock-1" }

[[fault]]
name = "reboot-1"
at = "25s"
restart = { node = "broker-c" }
"#,
    },
    Near {
        name: "G33 of a broadcasting process whose file was written in between",
        seed: 9152,
        until: "47s",
        check: Check::StartPosition,
        says: "pass",
        text: r#"
[cluster]
nameserver = 3
profile = "hardened"

[[broker]]
name = "broker-b"

[[broker]]
name = "broker-c"

[[topic]]
name = "orders"
on = ["broker-b", "broker-c"]

[[producer]]
name = "shop-1"
group = "shop"
[[producer.send]]
topic = "orders"
count = 1

[[consumer]]
name = "stock-1"
group = "stock"
from = "first"
model = "broadcasting"
subscribe = { orders = "*" }

[[fault]]
name = "stop-3"
at = "10s"
lasts = "1ms"
stop = { node = "ns-2" }

[[fault]]
name = "kill-4"
at = "15s"
lasts = "1ms"
kill = { node = "stock-1" }

[[fault]]
name = "reboot-1"
at = "10s"
restart = { node = "broker-c" }
"#,
    },
    Near {
        name: "G34 of a broker without power",
        seed: 9656,
        until: "82s",
        check: Check::ResetConformance,
        says: "inconclusive",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]

[[producer]]
name = "shop-1"
group = "shop-1"
[[producer.send]]
topic = "orders"
count = 1

[[consumer]]
name = "billing-3"
group = "billing"
subscribe = { orders = "*" }

[[operator]]
name = "ops"
start = "10s"
[[operator.reset]]
group = "billing"
topic = "orders"
wait = "1s"
to = "20181110160009"

[[fault]]
name = "power-loss-3"
at = "20s"
power-loss = { keep = "lose-all-unsynced", node = "broker-a" }
"#,
    },
    Near {
        name: "G34 of a queue whose next owner has nothing to be handed: K29",
        seed: 824009,
        until: "81s",
        check: Check::ResetConformance,
        says: "known",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-b"

[[topic]]
name = "orders"
on = ["broker-b"]

[[producer]]
name = "shop-1"
group = "shop-1"
[[producer.send]]
topic = "orders"
count = 1

[[consumer]]
name = "billing-1"
group = "billing"
start = "20s"
subscribe = { orders = "*" }

[[consumer]]
name = "billing-3"
group = "billing"
subscribe = { orders = "*" }

[[operator]]
name = "ops"
start = "10s"
[[operator.reset]]
group = "billing"
topic = "orders"
wait = "500ms"
to = "20181110160007"
"#,
    },
    Near {
        name: "G32 of copies that a repaired broker could not force before it stopped",
        seed: 822940,
        until: "60s",
        check: Check::DuplicatesExplained,
        says: "pass",
        text: r#"
[cluster]
profile = "hardened"

[[broker]]
name = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]
queues = 1

[[producer]]
name = "shop-1"
group = "shop-1"
start = "1s"
retries = 0
[[producer.send]]
topic = "orders"
count = 3
every = "400ms"
delay_level = 2

[[consumer]]
name = "billing-1"
group = "billing"
from = "first"
start = "35s"
subscribe = { orders = "*" }

[[fault]]
name = "sync-error-1"
at = "5s"
sync-error = { node = "broker-a", file = "commitlog", nth = 1, personality = "ext4-journal" }

[[fault]]
name = "stop-5"
at = "13s"
lasts = "4s"
stop = { node = "broker-a" }
"#,
    },
    Near {
        name: "G33 of a process that died before it could report what it had consumed, and one that never had the queue",
        seed: 601549,
        until: "60s",
        check: Check::StartPosition,
        says: "pass",
        text: r#"
[[broker]]
name = "broker-a"

[[topic]]
name = "orders"
on = ["broker-a"]
queues = 1

[[producer]]
name = "shop-1"
group = "shop-1"
start = "20500ms"
[[producer.send]]
topic = "orders"
count = 2
every = "50ms"

[[consumer]]
name = "billing-1"
group = "billing"
from = "first"
start = "1s"
subscribe = { orders = "*" }

[[fault]]
name = "kill-1"
at = "20900ms"
lasts = "300ms"
kill = { node = "billing-1" }

[[fault]]
name = "cut-1"
at = "20950ms"
lasts = "17s"
cut = { from = "billing-1", to = "broker-a" }

[[fault]]
name = "kill-2"
at = "37s"
lasts = "2s"
kill = { node = "billing-1" }
"#,
    },
];
