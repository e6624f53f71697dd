//! G21, G36, G72, G73 and G74: order by key, owners, what stands still, calls and connections, damaged and nearly so.

use std::sync::Arc;

use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, LinkId, NodeId, Record, Road, What};
use mqlab::mq::app::{Return, SendResult};
use mqlab::mq::node::ClosedWhy;

use super::tables::{Table, called_again, damaged, field, is_frame, of, shop, with_listen};

/// Orders of one key to an ordered group, long after everything has settled.
fn line(key: &str, mode: &str) -> (Trace, Plan) {
    of(&format!(
        r#"
format = 1
id = "t"
until = "160s"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 4
[[producer]]
name = "early"
group = "early"
start = "5s"
[[producer.send]]
topic = "orders"
count = 8
every = "10ms"
[[producer]]
name = "shop"
group = "shops"
start = "5s"
[[producer.send]]
topic = "orders"
wait = "130s"
every = "500ms"
count = 8
key = "{key}"
body = "order {{n}}"
select = "modulo:key"
[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
mode = "{mode}"
"#
    ))
}

/// The results of the shop's sends, changed all together.
fn with_results(trace: &Trace, change: impl Fn(&mut [SendResult])) -> Trace {
    let shop = trace.node("shop");
    let is_own = |record: &Record| record.node == shop;
    let mut results: Vec<SendResult> = Vec::new();
    for record in trace.records().iter().filter(|record| is_own(record)) {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Sent { result, .. } = &**answer
        {
            results.push(result.clone());
        }
    }
    change(&mut results);
    let mut results = results.into_iter();
    damaged(trace, |mut record| {
        if is_own(&record)
            && let What::App(App::Returned(answer)) = &mut record.what
            && let Return::Sent { result, .. } = Arc::make_mut(answer)
        {
            *result = results.next().expect("as many");
        }
        Some(record)
    })
}

fn swap_ids(results: &mut [SendResult], one: usize, other: usize) {
    let id = results[one].msg_id.clone();
    results[one].msg_id = results[other].msg_id.clone();
    results[other].msg_id = id;
}

pub fn keys(table: &mut Table) {
    let (trace, plan) = line("7", "orderly");
    table.holds((&trace, &plan));
    table.rejects("two changed", "consumed", (&with_results(&trace, |all| swap_ids(all, 2, 3)), &plan));
    table.rejects("first and last changed", "consumed", (&with_results(&trace, |all| swap_ids(all, 0, 7)), &plan));
    let stored = with_results(&trace, |all| {
        let offset = all[4].queue_offset;
        all[4].queue_offset = all[5].queue_offset;
        all[5].queue_offset = offset;
    });
    table.rejects("stored in another order", "stored", (&stored, &plan));
    let moved = with_results(&trace, |all| all[7].queue.queue_id = (all[7].queue.queue_id + 1) % 4);
    table.rejects("in another queue", "moved", (&moved, &plan));
    let (keys, keys_plan) = line("{n}", "orderly");
    table.accepts("two of different keys", (&with_results(&keys, |all| swap_ids(all, 2, 3)), &keys_plan));
    table.accepts("the first once more", (&called_again(&trace, "7", 1, |_| {}), &plan));
    let (loose, loose_plan) = line("7", "concurrent");
    table.leaves_open("a group without order", (&with_results(&loose, |all| swap_ids(all, 2, 3)), &loose_plan));
}

/// The frames that pull this queue of the orders after a second.
fn is_pull(record: &Record, queue: &str, after: u64) -> bool {
    after * 1_000_000_000 <= record.at.0
        && is_frame(record, "PULL_MESSAGE")
        && field(record, "topic").as_deref() == Some("orders")
        && field(record, "queueId").as_deref() == Some(queue)
}

pub fn coverage(table: &mut Table) {
    let (trace, plan) = shop("250s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let without = |queue: &'static str, after: u64| {
        damaged(&trace, move |record| (!is_pull(&record, queue, after)).then_some(record))
    };
    table.rejects("nobody reads queue 0", "nobody", (&without("0", 0), &plan));
    table.rejects("nobody reads queue 1 any more", "nobody", (&without("1", 90), &plan));
    let shared = |after: u64, before: u64| {
        let mut number = 0;
        damaged(&trace, move |mut record| {
            if is_pull(&record, "0", after) && record.at.0 < before * 1_000_000_000 {
                number += 1;
                if number % 2 == 0
                    && let What::Road(Road::Arrived { from, .. }) = &mut record.what
                {
                    *from = NodeId(1);
                }
            }
            Some(record)
        })
    };
    table.rejects("two read queue 0", "two owners", (&shared(0, 250), &plan));
    table.accepts("two read queue 0 before all has settled", (&shared(0, 50), &plan));
    let early =
        damaged(&trace, |record| (90 < record.at.0 / 1_000_000_000 || !is_pull(&record, "0", 0)).then_some(record));
    table.accepts("nobody reads it before all has settled", (&early, &plan));
    let (short, short_plan) = shop("100s", "count = 10", "", "");
    let gone = damaged(&short, |record| (!is_pull(&record, "0", 0)).then_some(record));
    table.leaves_open("a run that is too short", (&gone, &short_plan));
}

pub fn stuck(table: &mut Table) {
    let (trace, plan) = shop("320s", "count = 10", "", "");
    table.holds((&trace, &plan));
    for key in ["order-1", "order-4", "order-10"] {
        table.rejects(key, "held", (&with_listen(&trace, key, |_, _| false), &plan));
    }
    let (short, short_plan) = shop("150s", "count = 10", "", "");
    table.leaves_open("too short to say", (&with_listen(&short, "order-4", |_, _| false), &short_plan));
    let (busy, busy_plan) = shop(
        "320s",
        "count = 10",
        "[[consumer.on]]\nmatch = { key = \"order-9\" }\nreply = [\"ok\"]\ntakes = \"250s\"",
        "",
    );
    let (gone, gone_plan) =
        shop("320s", "count = 10", "", "[[fault]]\nname = \"x\"\nat = \"60s\"\nkill = { node = \"billing\" }");
    table.leaves_open("of a process that has died", (&with_listen(&gone, "order-4", |_, _| false), &gone_plan));
    table.accepts("while somebody is at work", (&with_listen(&busy, "order-4", |_, _| false), &busy_plan));
}

pub fn unanswered(table: &mut Table) {
    let (humble, humble_plan) = super::sick::struck("hardened", 6);
    table.accepts("a broker that takes nothing when its disk has told it", (&humble, &humble_plan));
    let (trace, plan) = shop("150s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let without = |trace: &Trace, which: usize| {
        let mut number = 0;
        damaged(trace, move |record| {
            let is_end =
                matches!(&record.what, What::App(App::Returned(answer)) if matches!(**answer, Return::Sent { .. }));
            number += usize::from(is_end);
            (!is_end || number != which).then_some(record)
        })
    };
    for which in [1, 5, 10] {
        table.rejects("one that never ends", "unanswered", (&without(&trace, which), &plan));
    }
    let (short, short_plan) = shop("40s", "count = 10", "", "");
    table.accepts("one that has time left", (&without(&short, 10), &short_plan));
    let (killed, killed_plan) = shop(
        "150s",
        "count = 10",
        "",
        "[[fault]]\nname = \"x\"\nat = \"12s\"\nlasts = \"5s\"\nkill = { node = \"shop\" }",
    );
    table.accepts("one whose process died", (&without(&killed, 9), &killed_plan));
}

pub fn connections(table: &mut Table) {
    let (trace, plan) = shop("200s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let piled = |count: u32, both: bool, closes: bool| {
        let mut number = 0;
        let (broker, shop) = (trace.node("broker-a"), trace.node("shop"));
        let mut twin = Trace::new(trace.header.clone());
        for record in trace.records() {
            twin.push(record.clone());
            if number < count && 10_000_000_000 < record.at.0 {
                number += 1;
                for node in [broker, shop].into_iter().take(if both { 2 } else { 1 }) {
                    let what = What::Road(Road::Opened { link: LinkId(9_000 + number) });
                    twin.push(Record { node, what, ..record.clone() });
                    if closes {
                        let what = What::Road(Road::Closed { link: LinkId(9_000 + number), why: ClosedWhy::Fin });
                        twin.push(Record { node, what, ..record.clone() });
                    }
                }
            }
        }
        twin
    };
    for count in [6, 20, 100] {
        table.rejects("too many", "connections", (&piled(count, true, false), &plan));
    }
    table.accepts("a few", (&piled(3, true, false), &plan));
    table.accepts("many, each closed again", (&piled(100, true, true), &plan));
    table.accepts("half open", (&piled(20, false, false), &plan));
}
