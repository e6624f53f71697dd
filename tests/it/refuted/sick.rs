//! Disks that did not keep what a sync should have made durable: what nobody promises then, and what stays promised.

use mqlab::lab::check::Verdict;
use mqlab::lab::scenario::plan::{Check, Plan};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{DiskEvent, What};

use super::tables::{damaged, of, verdict};

/// A broker whose fourth order was forced by a sync that told nobody that it had failed, and that lost its power then.
fn lied_to() -> (Trace, Plan) {
    of(r#"
format = 1
id = "t"
until = "500s"
[cluster]
profile = "hardened"
[[broker]]
name = "broker-a"
flush = "sync"
[[topic]]
name = "orders"
queues = 1
[[producer]]
name = "shop"
group = "shops"
start = "11s"
retries = 0
[[producer.send]]
topic = "orders"
every = "2s"
count = 8
key = "order-{n}"
body = "order {n}"
[[consumer]]
name = "billing"
group = "billing"
subscribe = { orders = "*" }
from = "first"
[[fault]]
name = "lies"
at = "16500ms"
lasts = "2s"
sync-error = { node = "broker-a", file = "commitlog", nth = 1, personality = "ext4-journal" }
[[fault]]
name = "dark"
at = "18s"
lasts = "1s"
power-loss = { node = "broker-a", keep = "lose-all-unsynced" }
"#)
}

/// The same history, of a disk that says nothing of itself.
fn unsaid(trace: &Trace) -> Trace {
    damaged(trace, |record| (!matches!(record.what, What::Disk(DiskEvent::Wrong { .. }))).then_some(record))
}

#[test]
fn what_came_in_the_place_of_what_a_sync_did_not_keep_is_owed_to_nobody_who_had_read_on() {
    let (trace, plan) = lied_to();
    let well = unsaid(&trace);
    for (check, clause) in [(Check::AtLeastOnce, "never delivered"), (Check::DrainBound, "drain")] {
        let (found, why) = verdict(&trace, &plan, check.clone());
        assert!(!matches!(found, Verdict::Violation { .. }), "a disk that did not keep it: {why}");
        let (found, why) = verdict(&well, &plan, check);
        assert!(
            matches!(found, Verdict::Violation { clause: own, .. } if own == clause),
            "a disk that was well: {why}"
        );
    }
}

/// A broker whose disk takes back what a sync should have kept, and that is started again.
pub fn struck(profile: &str, count: u32) -> (Trace, Plan) {
    of(&format!(
        r#"
format = 1
id = "t"
until = "120s"
[cluster]
profile = "{profile}"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 1
[[producer]]
name = "shop"
group = "shops"
start = "11s"
retries = 0
[[producer.send]]
topic = "orders"
every = "500ms"
count = {count}
key = "order-{{n}}"
body = "order {{n}}"
[[fault]]
name = "sick"
at = "25s"
lasts = "15s"
sync-error = {{ node = "broker-a", file = "commitlog", nth = 1, personality = "btrfs" }}
[[fault]]
name = "again"
at = "45s"
restart = {{ node = "broker-a" }}
"#
    ))
}

#[test]
fn who_goes_on_when_its_disk_has_told_it_is_silent_and_who_takes_nothing_is_not() {
    let (trace, plan) = struck("hardened", 26);
    let (found, why) = verdict(&trace, &plan, Check::CleanError);
    assert_eq!(found, Verdict::Pass, "one that takes nothing, and nobody asks: {why}");
    let (trace, plan) = struck("rocketmq-4.3.2", 60);
    let (found, why) = verdict(&trace, &plan, Check::CleanError);
    assert!(matches!(found, Verdict::Violation { clause: "silent", .. }), "one that goes on: {why}");
}
