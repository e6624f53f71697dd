//! G02, G32, G70 and G71: what groups are owed, how often and by when, and how long senders wait; damaged and nearly so.

use mqlab::lab::scenario::load;
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, Machine, Record, Road, Seq, What};
use mqlab::mq::app::Return;
use mqlab::mq::time::{Span, Time};

use super::groups::read_again;
use super::tables::{
    Table, called_again, cut, damaged, fault, message, of, shop, shop_text, with_image, with_listen, with_machine,
};

const FAILS_ONCE: &str = "[[consumer.on]]\nreply = [\"fail\", \"ok\"]";
const NEVER_RETURNS: &str = "[[fault]]\nname = \"x\"\nat = \"40s\"\nkill = { node = \"broker-a\" }\n";
const CONSUMER_DIES: &str = "[[fault]]\nname = \"x\"\nat = \"40s\"\nkill = { node = \"billing\" }\n";

fn hidden(trace: &Trace, key: &str) -> Trace {
    with_listen(trace, key, |_, _| false)
}

pub fn once(table: &mut Table) {
    let (trace, plan) = shop("150s", "count = 10", "", "");
    table.holds((&trace, &plan));
    table.rejects("the first", "never delivered", (&hidden(&trace, "order-1"), &plan));
    table.rejects("the last", "never delivered", (&hidden(&trace, "order-10"), &plan));
    let (failed, failed_plan) = shop("150s", "count = 1", FAILS_ONCE, "");
    let forgotten = with_image(&failed, |image| cut(image, 1));
    let forgotten = with_listen(&forgotten, "order-1", |number, _| number == 0);
    table.rejects("failed, and no copy is left", "forgotten", (&forgotten, &failed_plan));
    let dead = "max_reconsume = 0\n[[consumer.on]]\nreply = [\"fail\"]";
    let (dead, dead_plan) = shop("150s", "count = 1", dead, "");
    table.accepts("a dead letter", (&dead, &dead_plan));
    let waits = with_listen(&failed, "order-1", |number, _| number == 0);
    table.leaves_open("failed, and a copy waits", (&waits, &failed_plan));
    let (short, short_plan) = shop("50s", "count = 10", "", "");
    table.leaves_open("not yet", (&hidden(&short, "order-1"), &short_plan));
    let (down, down_plan) = shop("150s", "count = 10", "", NEVER_RETURNS);
    table.leaves_open("of a broker that is down", (&hidden(&down, "order-1"), &down_plan));
    let (gone, gone_plan) = shop("150s", "count = 10", "", CONSUMER_DIES);
    table.leaves_open("of a group that is down", (&hidden(&gone, "order-1"), &gone_plan));
    let late = shop_text("150s", "count = 10", "", "").replace("from = \"first\"", "from = \"last\"");
    let (late, late_plan) = of(&late);
    let start = hidden(&hidden(&late, "order-1"), "order-2");
    table.accepts("before the first that a late group was handed", (&start, &late_plan));
}

/// What a process did is another's of the same node.
fn reborn(record: &mut Record) {
    record.incarnation += 1;
}

pub fn duplicates(table: &mut Table) {
    let (trace, plan) = shop("150s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let again = |key: &str, before: u64| called_again(&trace, key, before, |_| {});
    table.rejects("once more", "unexplained", (&again("order-1", 10), &plan));
    table.rejects("once more, sooner", "unexplained", (&again("order-9", 60), &plan));
    let elsewhere = called_again(&trace, "order-1", 10, |record| {
        message(record, |own| own.queue_offset.0 = 99);
        retopic(record, "%RETRY%billing");
    });
    table.rejects("a retry of what had not failed", "unexplained", (&elsewhere, &plan));
    let (failed, failed_plan) = shop("150s", "count = 1", FAILS_ONCE, "");
    let twice = called_again(&failed, "order-1", 10, |record| {
        message(record, |own| own.queue_offset.0 = 99);
        retopic(record, "%RETRY%billing");
    });
    table.rejects("two retries of one failure", "unexplained", (&twice, &failed_plan));
    let copied = (0..3).fold(trace.clone(), |twin, copy| {
        called_again(&twin, "order-1", 10 + copy, |record| message(record, |own| own.queue_offset.0 = 90 + copy as i64))
    });
    table.rejects("more copies than its producer tries", "unexplained", (&copied, &plan));
    table.accepts("the one retry of a failure", (&failed, &failed_plan));
    let tried = called_again(&trace, "order-1", 10, |record| message(record, |own| own.queue_offset.0 = 90));
    table.accepts("a copy that its producer tried", (&tried, &plan));
    let early = called_again(&trace, "order-1", 143, |_| {});
    table.accepts("before it could be committed, while queues move", (&early, &plan));
    let died = "[[fault]]\nname = \"x\"\nat = \"9s\"\nlasts = \"5s\"\nkill = { node = \"billing\" }\n";
    let (died, died_plan) = shop("150s", "count = 20", "", died);
    table.accepts("of a process that died before its first word of offsets", (&died, &died_plan));
    let reborn = called_again(&died, "order-18", 10, reborn);
    table.rejects("of one that died long before", "unexplained", (&reborn, &died_plan));
    let (read_again, read_again_plan) = read_again();
    table.rejects("of a broadcasting process that has its file", "unexplained", (&read_again, &read_again_plan));
    let (alone, alone_plan) = of(&unrouted());
    table.accepts("of a broadcasting process whose queue left its route", (&alone, &alone_plan));
}

fn retopic(record: &mut Record, topic: &str) {
    if let What::App(App::Returned(answer)) = &mut record.what
        && let Return::Listen { queue, .. } = std::sync::Arc::make_mut(answer)
    {
        queue.topic = topic.into();
    }
}

/// A broadcasting process that reads its queue from the beginning again: it was gone from the route for a while.
fn unrouted() -> String {
    let text = shop_text("300s", "count = 10", "model = \"broadcasting\"", "");
    format!("{text}{}", fault("dark", 40, 60, "power-loss = { node = \"broker-a\" }"))
}

const OUTAGE: &str = "[[fault]]\nname = \"outage\"\nat = \"20s\"\nlasts = \"10s\"\nkill = { node = \"broker-a\" }\n";

pub fn drain(table: &mut Table) {
    let (trace, plan) = shop("340s", "count = 60", "", OUTAGE);
    table.holds((&trace, &plan));
    for key in ["order-1", "order-30", "order-60"] {
        table.rejects(key, "drain", (&hidden(&trace, key), &plan));
    }
    let (short, short_plan) = shop("120s", "count = 60", "", OUTAGE);
    table.leaves_open("within the bound", (&hidden(&short, "order-30"), &short_plan));
    let late = with_machine(&hidden(&trace, "order-30"), "shop", 200, &[Machine::Killed, Machine::Booted]);
    table.leaves_open("within the bound since somebody booted", (&late, &plan));
    let (down, down_plan) = shop("340s", "count = 60", "", NEVER_RETURNS);
    table.leaves_open("of a broker that is down", (&hidden(&down, "order-30"), &down_plan));
    let (gone, gone_plan) = shop("340s", "count = 60", "", CONSUMER_DIES);
    table.leaves_open("of a group that is down", (&hidden(&gone, "order-30"), &gone_plan));
    let dead = "max_reconsume = 0\n[[consumer.on]]\nmatch = { key = \"order-9\" }\nreply = [\"fail\"]";
    let (dead, dead_plan) = shop("340s", "count = 60", dead, OUTAGE);
    table.accepts("a dead letter", (&dead, &dead_plan));
}

/// Two masters and a shop that sends for as long as the run goes on; something happens to one of them.
fn masters(rest: &str) -> String {
    let text = shop_text("600s", "count = 1000", "", rest).replace("on = [\"broker-a\"]\n", "");
    text.replacen("[[broker]]", "[[broker]]\nname = \"broker-b\"\n[[broker]]", 1)
}

/// The trace in which no send was answered between two seconds.
fn silent(trace: &Trace, from: u64, to: u64) -> Trace {
    damaged(trace, |record| {
        let is_it = (from..to).contains(&(record.at.0 / 1_000_000_000))
            && matches!(&record.what, What::App(App::Returned(answer)) if matches!(**answer, Return::Sent { .. }));
        (!is_it).then_some(record)
    })
}

const DARK: &str = "[[fault]]\nname = \"dark\"\nat = \"50s\"\nlasts = \"300s\"\npower-loss = { node = \"broker-a\" }\n";

pub fn silence(table: &mut Table) {
    let (trace, plan) = of(&masters(DARK));
    table.holds((&trace, &plan));
    table.rejects("in the middle", "send", (&silent(&trace, 100, 300), &plan));
    table.rejects("from the beginning", "send", (&silent(&trace, 0, 200), &plan));
    table.rejects("to the end", "send", (&silent(&trace, 200, 600), &plan));
    table.accepts("within the bound", (&silent(&trace, 100, 250), &plan));
    table.accepts("within the bound at the end", (&silent(&trace, 450, 600), &plan));
    let both = with_machine(&silent(&trace, 100, 300), "broker-b", 120, &[Machine::Killed, Machine::Booted]);
    table.leaves_open("while no master was up all the time", (&both, &plan));
}

pub fn stale(table: &mut Table) {
    let plan = load("t", masters(DARK).replace("600s", "380s").as_bytes(), &Default::default()).unwrap().plan;
    let trace = Session::run(&plan, Level::Full).trace;
    table.holds((&trace, &plan));
    let (shop, ip) = (trace.node("shop"), plan.nodes.iter().find(|node| node.name == "broker-a").expect("it is").ip);
    let is_turn = |record: &&Record| {
        record.node == shop && matches!(&record.what, What::Road(Road::Opening { to, .. }) if to.ip == ip)
    };
    let turn = trace.records().iter().find(is_turn).expect("the shop connects").clone();
    let at = |second: u64| {
        let mut twin = trace.clone();
        let step = trace.records().last().expect("it has records").step;
        twin.push(Record { at: Time::ZERO + Span::from_secs(second), seq: Seq(u64::MAX), step, ..turn.clone() });
        twin
    };
    // It is silent: two minutes, a scan and a look at the route.
    for second in [220, 260, 340] {
        table.rejects("long after its death", "stale", (&at(second), &plan));
    }
    table.accepts("within the bound", (&at(205), &plan));
    table.accepts("when it is back", (&at(370), &plan));
    let mut other = at(260);
    let broker = trace.node("broker-b");
    other = damaged(&other, |mut record| {
        if record.seq == Seq(u64::MAX) {
            record.node = broker;
        }
        Some(record)
    });
    table.accepts("of one that does not produce", (&other, &plan));
}
