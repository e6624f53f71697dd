//! G60 to G65 and G67: what lies on disks, damaged and nearly so.

use std::sync::Arc;

use mqlab::lab::check::storage::{self, Retention, Seen};
use mqlab::lab::scenario::plan::Plan;
use mqlab::lab::trace::image::{DiskImage, PAGE};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{DiskEvent, Machine, Record, What};

use super::tables::{
    Table, cut, damaged, fault, flip, of, record_at, rewrite, shop, synced, wipe, with_image, with_loss, with_machine,
};
use crate::oracle::{Folder, image};

fn dying(kind: &str) -> (Trace, Plan) {
    shop("60s", "count = 20", "", &fault("x", 10, 3, kind))
}

const KILL: &str = "kill = { node = \"broker-a\" }";
const DARK: &str = "power-loss = { node = \"broker-a\" }";

pub fn logs(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let bit = |at: usize| {
        with_image(&trace, |image| {
            let record = record_at(image, 3);
            flip(image, "commitlog/", record + at);
        })
    };
    table.rejects("another body", "record", (&bit(90), &plan));
    table.rejects("another magic number", "record", (&bit(5), &plan));
    table.rejects("another place of its own", "position", (&bit(34), &plan));
    table.rejects("another number in its queue", "queue offset", (&bit(27), &plan));
    let swept = with_image(&trace, |image| {
        let (from, to) = (record_at(image, 3), record_at(image, 4));
        let log = image.files.iter_mut().find(|(path, _)| path.starts_with("commitlog/")).unwrap().1;
        Arc::make_mut(log.pages.get_mut(&0).unwrap())[from..to].fill(0);
    });
    table.rejects("a hole", "record", (&swept, &plan));
    table.rejects("a store time before its predecessor's", "time", (&bit(58), &plan));
    let stepped = with_machine(&bit(58), "broker-a", 30, &[Machine::WallStepped { millis: -5_000 }]);
    table.accepts("the same where a clock was set", (&stepped, &plan));
    let tail = with_image(&trace, |image| cut(image, 8));
    table.accepts("a log that ends sooner", (&tail, &plan));
    let (dark, dark_plan) = dying(DARK);
    table.accepts("a broker without power", (&dark, &dark_plan));
    let (killed, killed_plan) = dying(KILL);
    table.accepts("a broker that dies", (&killed, &killed_plan));
}

pub fn queues(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let bit = |at: usize| with_image(&trace, move |image| flip(image, "consumequeue/orders/0/", at));
    table.rejects("a unit that leads elsewhere", "unit", (&bit(7), &plan));
    table.rejects("a unit of another size", "unit", (&bit(11), &plan));
    table.rejects("a unit of another tag", "unit", (&bit(19), &plan));
    let empty = with_image(&trace, |image| wipe(image, "consumequeue/orders/0/", 0));
    table.rejects("no units", "missing", (&empty, &plan));
    let hole = with_image(&trace, |image| {
        let queue = image.files.iter_mut().find(|(path, _)| path.starts_with("consumequeue/orders/0/")).unwrap().1;
        Arc::make_mut(queue.pages.get_mut(&0).unwrap())[20..40].fill(0);
    });
    table.rejects("a hole", "missing", (&hole, &plan));
    let (dark, dark_plan) = dying(DARK);
    table.accepts("a broker without power", (&dark, &dark_plan));
    let (killed, killed_plan) = dying(KILL);
    table.accepts("a broker that dies", (&killed, &killed_plan));
    let off = with_machine(&empty, "broker-a", 30, &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }]);
    table.accepts("what lost its power is not recovered yet", (&off, &plan));
    let (delayed, delayed_plan) = shop("60s", "count = 10\ndelay_level = 3", "", "");
    table.accepts("units that hold the time at which they are due", (&delayed, &delayed_plan));
}

pub fn keys(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", "", "");
    table.holds((&trace, &plan));
    let entries = with_image(&trace, |image| wipe(image, "index/", 1));
    table.rejects("no entries", "entry", (&entries, &plan));
    let renamed = with_image(&trace, |image| rewrite(image, "order-4", "order-X"));
    table.rejects("another key in the log", "entry", (&renamed, &plan));
    let slots = with_image(&trace, |image| {
        let index = image.files.iter_mut().find(|(path, _)| path.starts_with("index/")).unwrap().1;
        let last = *index.pages.keys().next_back().unwrap();
        index.pages.retain(|page, _| *page == 0 || *page == last);
    });
    table.rejects("no slots", "chain", (&slots, &plan));
    let header = with_image(&trace, |image| flip(image, "index/", 39));
    table.rejects("a header of one more slot", "header", (&header, &plan));
    let (dark, dark_plan) = dying(DARK);
    table.accepts("a broker without power", (&dark, &dark_plan));
    let (killed, killed_plan) = dying(KILL);
    table.accepts("a broker that dies", (&killed, &killed_plan));
    let off = with_machine(&entries, "broker-a", 30, &[Machine::PowerLost { lost: 1, kept: 0, torn: 0 }]);
    table.accepts("what lost its power is not recovered yet", (&off, &plan));
}

/// The trace with the last disk image of the broker changed.
fn at_the_end(trace: &Trace, change: impl Fn(&mut DiskImage)) -> Trace {
    let last = trace.records().iter().rfind(|record| is_store(record)).expect("an image").seq;
    damaged(trace, |mut record| {
        if record.seq == last
            && let What::Disk(DiskEvent::Image { cached, .. }) = &mut record.what
        {
            change(Arc::make_mut(cached));
        }
        Some(record)
    })
}

fn is_store(record: &Record) -> bool {
    matches!(&record.what, What::Disk(DiskEvent::Image { cached, .. })
        if cached.files.keys().any(|path| path.starts_with("commitlog/")))
}

pub fn stable(table: &mut Table) {
    let (trace, plan) = synced("60s", "count = 20", "", &fault("x", 10, 3, DARK));
    table.holds((&trace, &plan));
    let gone = at_the_end(&trace, |image| wipe(image, "commitlog/", 0));
    table.rejects("the log is gone", "lost", (&gone, &plan));
    let short = at_the_end(&trace, |image| cut(image, 5));
    table.rejects("what was forced is cut off", "lost", (&short, &plan));
    let bent = at_the_end(&trace, |image| {
        let record = record_at(image, 3);
        flip(image, "commitlog/", record + 90);
    });
    table.rejects("another byte in what was forced", "lost", (&bent, &plan));
    let (killed, killed_plan) = shop("60s", "count = 20", "", &fault("x", 30, 3, KILL));
    table.holds((&killed, &killed_plan));
    let lost = at_the_end(&killed, |image| cut(image, 5));
    table.rejects("lost by a death that leaves the cache", "lost", (&lost, &killed_plan));
    let tail = at_the_end(&trace, |image| cut(image, 18));
    table.accepts("what came after is gone", (&tail, &plan));
    let late = at_the_end(&trace, |image| wipe(image, "consumequeue/orders/0/", 0));
    table.accepts("a queue is empty: that is G61's", (&late, &plan));
    let (loose, loose_plan) = dying(DARK);
    table.accepts("what was not forced is gone", (&loose, &loose_plan));
    let (quiet, quiet_plan) = shop("60s", "count = 30", "", "");
    table.leaves_open("nobody died", (&at_the_end(&quiet, |image| cut(image, 5)), &quiet_plan));
}

/// The trace with the stable checkpoints changed: the log's time and the queues', ms.
fn with_checkpoint(trace: &Trace, change: impl Fn(i64) -> i64) -> Trace {
    with_stable(trace, |image| {
        if let Some(file) = image.files.get_mut("checkpoint") {
            let page = Arc::make_mut(file.pages.entry(0).or_insert_with(|| Arc::new([0; PAGE])));
            for at in [0, 8] {
                let time = change(i64::from_be_bytes(page[at..at + 8].try_into().unwrap()));
                page[at..at + 8].copy_from_slice(&time.to_be_bytes());
            }
        }
    })
}

fn with_stable(trace: &Trace, change: impl Fn(&mut DiskImage)) -> Trace {
    damaged(trace, |mut record| {
        if let (true, What::Disk(DiskEvent::Image { stable, .. })) = (is_store(&record), &mut record.what) {
            change(Arc::make_mut(stable));
        }
        Some(record)
    })
}

pub fn checkpoints(table: &mut Table) {
    let (trace, plan) = shop("150s", "count = 10", "", "");
    table.holds((&trace, &plan));
    table.rejects("far ahead", "time", (&with_checkpoint(&trace, |_| i64::MAX / 2), &plan));
    table.rejects("a minute ahead", "time", (&with_checkpoint(&trace, |time| time + 60_000), &plan));
    let behind = with_stable(&trace, |image| wipe(image, "consumequeue/orders/1/", 0));
    let behind = with_checkpoint(&behind, |time| time + 2_000);
    table.rejects("a queue is not there that it speaks for", "time", (&behind, &plan));
    let gone = with_stable(&trace, |image| cut(image, 1));
    table.rejects("a log is not there that it speaks for", "time", (&gone, &plan));
    table.accepts("behind", (&with_checkpoint(&trace, |time| time - 60_000), &plan));
    table.accepts("two seconds ahead", (&with_checkpoint(&trace, |time| time + 2_000), &plan));
    table.accepts("none", (&with_checkpoint(&trace, |_| 0), &plan));
    let unforced = with_checkpoint(&behind, |_| 0);
    table.accepts("none, and a queue is not there", (&unforced, &plan));
    let (dark, dark_plan) = dying(DARK);
    table.accepts("a broker without power", (&dark, &dark_plan));
}

/// A master and its slave, and a shop.
fn pair(rest: &str) -> (Trace, Plan) {
    of(&format!(
        r#"
format = 1
id = "t"
until = "100s"
[[broker]]
name = "broker-a"
role = "sync-master"
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"
[[topic]]
name = "orders"
queues = 1
[[producer]]
name = "shop"
group = "shops"
start = "15s"
retries = 0
[[producer.send]]
topic = "orders"
every = "200ms"
count = 40
body = "order {{n}}"
[[producer.send]]
topic = "orders"
wait = "20s"
every = "500ms"
count = 20
body = "late {{n}}"
{rest}
"#
    ))
}

/// The trace with the disk images of one node changed.
fn with_images_of(trace: &Trace, node: &str, change: impl Fn(&mut DiskImage)) -> Trace {
    let node = trace.node(node);
    damaged(trace, |mut record| {
        let is_its = record.node == node && is_store(&record);
        if let (true, What::Disk(DiskEvent::Image { cached, .. })) = (is_its, &mut record.what) {
            change(Arc::make_mut(cached));
        }
        Some(record)
    })
}

pub fn replicas(table: &mut Table) {
    let (trace, plan) = pair("");
    table.holds((&trace, &plan));
    let bent = with_images_of(&trace, "broker-a-s", |image| flip(image, "commitlog/", 50));
    table.rejects("another byte", "bytes", (&bent, &plan));
    let ahead = with_images_of(&trace, "broker-a", |image| cut(image, 10));
    table.rejects("more than its master has", "ahead", (&ahead, &plan));
    let place = with_images_of(&trace, "broker-a-s", |image| {
        let record = record_at(image, 5);
        flip(image, "commitlog/", record + 60);
    });
    table.rejects("another byte further on", "bytes", (&place, &plan));
    let outage = format!(
        "{}{}",
        "[[fault]]\nname = \"outage\"\nat = \"20s\"\npower-loss = { node = \"broker-a\", keep = \"log-lost/json-kept\" }\n",
        "[[fault]]\nname = \"return\"\nat = \"22s\"\nrestart = { node = \"broker-a\" }\n"
    );
    let (lost, lost_plan) = pair(&outage);
    table.rejects("a master that lost its tail goes on", "K02 ahead", (&lost, &lost_plan));
    let behind = with_images_of(&trace, "broker-a-s", |image| cut(image, 10));
    table.accepts("less than its master has", (&behind, &plan));
    let fresh =
        with_images_of(&trace, "broker-a-s", |image| image.files.retain(|path, _| !path.starts_with("commitlog/")));
    table.accepts("nothing yet", (&fresh, &plan));
    let (killed, killed_plan) = pair(&fault("x", 20, 5, KILL));
    table.accepts("a master that dies and keeps its log", (&killed, &killed_plan));
    let (gone, gone_plan) = pair(&fault("x", 20, 5, "power-loss = { node = \"broker-a-s\" }"));
    table.accepts("a slave without power", (&gone, &gone_plan));
    let spoilt = with_loss(&trace, 30);
    table.accepts("a power loss that took nothing", (&spoilt, &plan));
}

pub fn retention(table: &mut Table) {
    let (before, after) = (image("29-retention", "before"), image("29-retention", "after"));
    let rule = Retention { now: i64::MAX / 2, reserved: 72 * 3_600_000, due: true, forced: false };
    let early = Retention { now: 1_546_300_900_000, ..rule };
    let judge = |after: &Folder, rule: &Retention| {
        let found = storage::retention_is_safe(Seen::of(&before), Seen::of(after), rule);
        found.first().map_or("", |breach| breach.clause)
    };
    let without = |names: &[&str]| {
        let mut twin = after.clone();
        names.iter().for_each(|name| drop(twin.0.remove(*name).expect(name)));
        twin
    };
    table.says("not yet old enough", "age", judge(&after, &early));
    table.says("not the hour", "age", judge(&after, &Retention { due: false, ..rule }));
    table.says("a younger one first", "order", judge(&without(&["commitlog/00000000000000032768"]), &rule));
    let queue = without(&["consumequeue/TopicTest/0/00000000000000001600"]);
    table.says("a queue's file that is in use", "queue", judge(&queue, &rule));
    table.says("an old file, at its hour", "", judge(&after, &rule));
    table.says("nothing", "", judge(&before, &rule));
    table.says("a young one, because the disk is full", "", judge(&after, &Retention { forced: true, ..early }));
}
