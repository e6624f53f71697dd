//! G30 and G31: places of groups, damaged and nearly so.

use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{NodeId, Record};
use mqlab::mq::profile::Profile;

use super::tables::{Table, damaged, field, is_frame, of, set_field, shop, unanswered, with_listen};

/// The commits of queue 0 of the orders, counted from 0, changed.
fn with_commit(trace: &Trace, mut change: impl FnMut(usize, &mut Record)) -> Trace {
    let mut number = 0;
    damaged(trace, |mut record| {
        let is_own = is_frame(&record, "UPDATE_CONSUMER_OFFSET")
            && field(&record, "topic").as_deref() == Some("orders")
            && field(&record, "queueId").as_deref() == Some("0");
        if is_own {
            change(number, &mut record);
            number += 1;
        }
        Some(record)
    })
}

/// A group that is away while its broker loses what it had consumed, and new orders come.
pub const TAIL_LOSS: &str = r#"
format = 1
id = "t"
until = "200s"
[[broker]]
name = "broker-a"
flush_interval = "100s"
flush_thorough_interval = "100s"
flush_least_pages = 100
[[topic]]
name = "orders"
queues = 1
[[producer]]
name = "shop"
group = "shops"
start = "5s"
[[producer.send]]
topic = "orders"
every = "500ms"
count = 10
key = "order-{n}"
body = "order {n}"
[[producer]]
name = "kiosk"
group = "kiosks"
start = "60s"
[[producer.send]]
topic = "orders"
every = "500ms"
count = 30
key = "late-{n}"
body = "late {n}"
[[consumer]]
name = "billing"
group = "billing"
subscribe = { orders = "*" }
from = "first"
[[fault]]
name = "away"
at = "30s"
lasts = "70s"
kill = { node = "billing" }
[[fault]]
name = "dark"
at = "40s"
lasts = "10s"
power-loss = { node = "broker-a", keep = "log-lost/json-kept" }
"#;

pub fn overrun(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 20", "", "");
    table.holds((&trace, &plan));
    table.rejects("never handed out", "skipped", (&with_listen(&trace, "order-5", |_, _| false), &plan));
    table.rejects("never answered", "in flight", (&unanswered(&trace, "order-5", |_| true), &plan));
    let raised =
        with_commit(&unanswered(&trace, "order-20", |_| true), |_, record| set_field(record, "commitOffset", "99"));
    table.rejects("a place beyond all", "in flight", (&raised, &plan));
    let (lost, lost_plan) = of(TAIL_LOSS);
    table.rejects("an old place over new messages", "K04 reused", (&lost, &lost_plan));
    let mut hardened = lost_plan.clone();
    hardened.profile = Profile::named("hardened").expect("it is");
    table.rejects("the same where that is repaired", "reused", (&lost, &hardened));
    let failed = shop("60s", "count = 20", "[[consumer.on]]\nmatch = { key = \"order-5\" }\nreply = [\"fail\"]", "");
    table.accepts("failed and given back", (&failed.0, &failed.1));
    let slow = shop(
        "90s",
        "count = 20",
        "[[consumer.on]]\nmatch = { key = \"order-5\" }\nreply = [\"ok\"]\ntakes = \"30s\"",
        "",
    );
    table.accepts("held for long", (&slow.0, &slow.1));
    let killed = shop(
        "120s",
        "count = 40",
        "",
        "[[fault]]\nname = \"x\"\nat = \"12s\"\nlasts = \"5s\"\nkill = { node = \"broker-a\" }",
    );
    table.accepts("a broker that dies", (&killed.0, &killed.1));
}

pub fn regress(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 60", "", "");
    table.holds((&trace, &plan));
    let high = with_commit(&trace, |number, record| {
        if number == 1 {
            set_field(record, "commitOffset", "90");
        }
    });
    table.rejects("once too high", "went back", (&high, &plan));
    let low = |at: usize| {
        with_commit(&trace, move |number, record| {
            if number == at {
                set_field(record, "commitOffset", "0");
            }
        })
    };
    table.rejects("once too low", "went back", (&low(3), &plan));
    table.rejects("too low at the end", "went back", (&low(6), &plan));
    // The nameserver and the shop are of no group; who commits for it in a quiet run is none of its owners.
    let stranger = with_commit(&trace, |number, record| {
        if number == 6 {
            set_field(record, "commitOffset", "1");
            if let mqlab::lab::trace::record::What::Road(mqlab::lab::trace::record::Road::Arrived { from, .. }) =
                &mut record.what
            {
                *from = NodeId(0);
            }
        }
    });
    // Seconds after the start queues may still change hands.
    table.accepts("a late owner while queues move", (&stranger, &plan));
    let killed = shop(
        "90s",
        "count = 60",
        "",
        "[[fault]]\nname = \"x\"\nat = \"12s\"\nlasts = \"5s\"\nkill = { node = \"broker-a\" }",
    );
    table.accepts("a broker that dies", (&killed.0, &killed.1));
    let dark = shop(
        "90s",
        "count = 60",
        "",
        "[[fault]]\nname = \"x\"\nat = \"22s\"\nlasts = \"5s\"\npower-loss = { node = \"broker-a\" }",
    );
    table.accepts("a broker without power", (&dark.0, &dark.1));
}
