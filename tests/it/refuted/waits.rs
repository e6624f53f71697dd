//! G06, G40, G41, G42 and G43: waits, retries and dead letters, damaged and nearly so.

use std::sync::Arc;

use mqlab::lab::check::Verdict;
use mqlab::lab::scenario::plan::{Check, NodeKind, Plan};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Record, What};
use mqlab::mq::app::Call;
use mqlab::mq::broker::properties::text::Pair;
use mqlab::mq::message::property::names;
use mqlab::mq::time::Time;

use super::tables::{
    Table, cut, damaged, message, of, put_file, rewrite, shop, unanswered, verdict, with_image, with_listen, with_loss,
};

const DELAYED: &str = "count = 1\ndelay_level = 3";
const FAILS: &str = "max_reconsume = 2\n[[consumer.on]]\nreply = [\"fail\"]";
const PARDONED: &str = "[[consumer.on]]\nreply = [\"fail\", \"fail\", \"ok\"]";

/// The plan with other levels than the run had.
fn with_levels(plan: &Plan, levels: &str) -> Plan {
    let mut plan = plan.clone();
    for node in &mut plan.nodes {
        if let NodeKind::Broker(broker) = &mut node.kind {
            broker.properties.push(Pair { line: 1, key: "messageDelayLevel".into(), value: levels.into() });
        }
    }
    plan
}

fn shifted(record: &mut Record, millis: i64) {
    record.at = Time((record.at.0 as i64 + millis * 1_000_000) as u64);
}

const AT_0: &str = "{\"offsetTable\":{3:0}}";

pub fn early(table: &mut Table) {
    let (trace, plan) = shop("60s", DELAYED, "", "");
    table.holds((&trace, &plan));
    let moved = |millis: i64| {
        with_listen(&trace, "order-1", move |_, record| {
            shifted(record, millis);
            true
        })
    };
    table.rejects("handed out too early", "early", (&moved(-5_000), &plan));
    table.accepts("handed out late", (&moved(30_000), &plan));
    table.rejects("of longer levels", "early", (&trace, &with_levels(&plan, "1s 5s 1m")));
    table.accepts("of shorter levels", (&trace, &with_levels(&plan, "1s 5s 9s")));
    let asked = damaged(&trace, |mut record| {
        if let What::App(App::Called(call)) = &mut record.what
            && let Call::Send { message, .. } = Arc::make_mut(call)
        {
            message.properties.put(names::DELAY, "4");
        }
        Some(record)
    });
    table.rejects("sent for a higher level", "early", (&asked, &plan));
    let highest = shop("60s", "count = 1\ndelay_level = 1", "", "");
    table.accepts("of another level", (&highest.0, &highest.1));
}

#[test]
fn a_wait_behind_a_clock_that_was_set_back_is_measured_with_the_step() {
    // What the clock's step holds up is seen by the process after it.
    const AHEAD: &str = r#"[[fault]]
name = "ahead"
at = "3s"
lasts = "12s"
clock-skew = { node = "broker-a", by = "300s" }
[[fault]]
name = "again"
at = "25s"
restart = { node = "broker-a" }
"#;
    let text = |profile: &str| {
        format!(
            "format = 1\nid = \"t\"\nuntil = \"90s\"\n[cluster]\nprofile = \"{profile}\"\n\
             [[broker]]\nname = \"broker-a\"\n[[topic]]\nname = \"orders\"\nqueues = 1\n\
             [[producer]]\nname = \"shop\"\ngroup = \"shops\"\nstart = \"11s\"\n\
             [[producer.send]]\ntopic = \"orders\"\ncount = 1\ndelay_level = 3\nkey = \"order-{{n}}\"\n\
             [[consumer]]\nname = \"billing\"\ngroup = \"billing\"\nsubscribe = {{ orders = \"*\" }}\n\
             from = \"first\"\n{AHEAD}"
        )
    };
    let found = |(trace, plan): (&Trace, &Plan)| verdict(trace, plan, Check::NeverEarly).0;
    let (trace, plan) = of(&text("hardened"));
    assert_eq!(found((&trace, &plan)), Verdict::Pass, "it waited its ten seconds, and the stamps say less");
    let longer = with_levels(&plan, "1s 5s 10m");
    assert!(matches!(found((&trace, &longer)), Verdict::Violation { clause: "early", .. }));
    let (trace, plan) = of(&text("rocketmq-4.3.2"));
    assert!(matches!(found((&trace, &plan)), Verdict::Known { weakness: 19, .. }), "at once, as released");
}

pub fn late(table: &mut Table) {
    let (trace, plan) = shop("150s", DELAYED, "", "");
    table.holds((&trace, &plan));
    table.rejects("of shorter levels", "late", (&trace, &with_levels(&plan, "1s 1s 1s")));
    table.accepts("of hardly shorter levels", (&trace, &with_levels(&plan, "1s 5s 9s")));
    let waits = with_image(&trace, |image| {
        cut(image, 1);
        put_file(image, "config/delayOffset.json", AT_0);
    });
    table.rejects("never delivered", "never", (&waits, &plan));
    let passed = with_image(&trace, |image| cut(image, 1));
    table.rejects("behind a cursor from before", "K20 behind the cursor", (&with_loss(&passed, 2), &plan));
    table.accepts("lost behind its cursor: G06 says so", (&passed, &plan));
    let (early, early_plan) = shop("30s", DELAYED, "", "");
    let waits = with_image(&early, |image| {
        cut(image, 1);
        if image.files.contains_key("config/delayOffset.json") {
            put_file(image, "config/delayOffset.json", AT_0);
        }
    });
    table.leaves_open("not yet", (&waits, &early_plan));
}

pub fn derived(table: &mut Table) {
    let (trace, plan) = shop("150s", DELAYED, "", "");
    table.holds((&trace, &plan));
    let passed = with_image(&trace, |image| cut(image, 1));
    table.rejects("a wait", "wait", (&passed, &plan));
    table.rejects("a wait, by power", "K03 wait", (&with_loss(&passed, 40), &plan));
    let waits = with_image(&passed, |image| put_file(image, "config/delayOffset.json", AT_0));
    table.accepts("a wait that the cursor stands before", (&waits, &plan));
    let (failed, failed_plan) = shop("100s", "count = 1", PARDONED, "");
    table.accepts("a retry", (&failed, &failed_plan));
    let gone = with_listen(&with_image(&failed, |image| cut(image, 1)), "order-1", |number, _| number == 0);
    table.rejects("a retry of which nothing is left", "retry", (&gone, &failed_plan));
    let heard = with_image(&failed, |image| cut(image, 1));
    table.accepts(
        "copies that were consumed before they were lost",
        (&unanswered(&heard, "order-1", |n| n == 2), &failed_plan),
    );
}

pub fn schedule(table: &mut Table) {
    let (trace, plan) = shop("100s", "count = 1", PARDONED, "");
    table.holds((&trace, &plan));
    let moved = |millis: i64| {
        with_listen(&trace, "order-1", move |number, record| {
            if number == 2 {
                shifted(record, millis);
            }
            true
        })
    };
    table.rejects("too early", "early", (&moved(-5_000), &plan));
    table.accepts("later", (&moved(20_000), &plan));
    let hop = with_listen(&trace, "order-1", |number, record| {
        message(record, |own| own.reconsume_times += i32::from(number == 2));
        true
    });
    table.rejects("two hops at once", "no failure before it", (&hop, &plan));
    table.rejects("without a failure", "no failure before it", (&unanswered(&trace, "order-1", |n| n == 0), &plan));
    table.rejects("of longer levels", "early", (&trace, &with_levels(&plan, "1s 5s 20s 1m")));
    table.accepts("of shorter levels", (&trace, &with_levels(&plan, "1s 5s 9s 25s")));
    let chosen = shop("150s", "count = 1", "[[consumer.on]]\nreply = [\"fail\", \"ok\"]\ndelay_level = 5", "");
    table.accepts("at a level of its own", (&chosen.0, &chosen.1));
}

pub fn dead(table: &mut Table) {
    let (trace, plan) = shop("100s", "count = 1", FAILS, "");
    table.holds((&trace, &plan));
    let more = with_listen(&trace, "order-1", |number, record| {
        message(record, |own| own.reconsume_times += i32::from(number == 2));
        true
    });
    table.rejects("tried more often", "tried again", (&more, &plan));
    table.rejects("one hop early", "one hop early", (&unanswered(&trace, "order-1", |n| n == 2), &plan));
    table.rejects("never failed so often", "too early", (&with_listen(&trace, "order-1", |n, _| n == 0), &plan));
    let other = with_image(&trace, |image| rewrite(image, "order-1", "order-9"));
    table.rejects("with another key", "other content", (&other, &plan));
    let given_up = shop("60s", "count = 1", "[[consumer.on]]\nreply = [\"fail\"]\ndelay_level = -1", "");
    table.accepts("given up by its listener", (&given_up.0, &given_up.1));
    let at_once = shop("60s", "count = 1", "max_reconsume = 0\n[[consumer.on]]\nreply = [\"fail\"]", "");
    table.accepts("of a group that tries once", (&at_once.0, &at_once.1));
    let pardoned = shop("100s", "count = 1", PARDONED, "");
    table.leaves_open("none", (&pardoned.0, &pardoned.1));
}
