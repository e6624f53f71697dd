//! G33, G34 and G35: where groups begin, where they are moved, and what everybody gets, damaged and nearly so.

use mqlab::lab::scenario::library;
use mqlab::lab::scenario::plan::{ConsumerPlan, NodeKind, Plan};
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Machine, Record, What};
use mqlab::mq::app::{AdminAnswer, ConsumeFrom, MessageModel, Return};
use mqlab::mq::time::Millis;

use super::tables::{Table, called_again, damaged, key_of, of, with_listen, with_machine, with_return};

/// A scenario of the library without its words, changed.
fn lesson(name: &str, changes: &[(&str, &str)]) -> (Trace, Plan) {
    let mut text = library::text(name).unwrap().split("[[step]]").next().unwrap().to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{name}: {from}");
        text = text.replace(from, to);
    }
    of(&text)
}

/// The plan with this node's only consumer changed: the run stays as it was, the rule is another.
fn with(plan: &Plan, node: &str, change: impl FnOnce(&mut ConsumerPlan)) -> Plan {
    let mut plan = plan.clone();
    let node = plan.nodes.iter_mut().find(|one| one.name == node).unwrap();
    let NodeKind::Client(client) = &mut node.kind else { panic!("it is a client") };
    change(&mut client.consumers[0]);
    plan
}

pub fn starts(table: &mut Table) {
    let (trace, plan) = lesson("08-first-offset", &[]);
    table.holds((&trace, &plan));
    let moment = |seconds: i64| ConsumeFrom::Timestamp(Some(Millis(1_541_865_600_000 + seconds * 1000)));
    let from = |node: &str, from: ConsumeFrom| with(&plan, node, |one| one.from = from);
    table.rejects("first", "later than the first", (&trace, &from("billing", ConsumeFrom::First)));
    table.rejects("last", "in the middle", (&trace, &from("reports", ConsumeFrom::Last)));
    table.rejects("a later moment", "before its moment", (&trace, &from("reports", moment(15))));
    table.rejects("an earlier moment", "after its moment", (&trace, &from("reports", moment(5))));
    let broadcasting = with(&plan, "billing", |one| one.model = MessageModel::Broadcasting);
    table.rejects("last, of one that broadcasts", "not at the end", (&trace, &broadcasting));
    let back = called_again(&trace, "young-1", 1, |record| {
        (record.node, record.incarnation) = (trace.node("billing"), 2);
        if let What::App(App::Returned(answer)) = &mut record.what
            && let Return::Listen { group, .. } = std::sync::Arc::make_mut(answer)
        {
            *group = "billing".into();
        }
    });
    table.rejects("behind what it had reported", "before its place", (&back, &plan));
    let (again, again_plan) = read_again();
    table.rejects("behind the place in its own file", "before its place", (&again, &again_plan));
    table.accepts("about the moment", (&trace, &from("reports", moment(10))));
    let (young, young_plan) = lesson("08-first-offset", &[("memory = 1048576", "memory = 1073741824")]);
    table.accepts("last, where every queue is young", (&young, &young_plan));
    let clocks = with_machine(&trace, "broker-old", 30, &[Machine::WallStepped { millis: 1_000 }]);
    table.leaves_open("where a clock was set", (&clocks, &from("billing", ConsumeFrom::First)));
    let forgot = with_machine(&back, "broker-young", 112, &[Machine::Killed, Machine::Booted]);
    table.accepts("behind what it had told a broker that died", (&forgot, &plan));
}

/// A broadcasting process boots again and is handed what lies before the place in its file.
pub fn read_again() -> (Trace, Plan) {
    let (trace, plan) = lesson("07-one-or-all", &[]);
    let again = called_again(&trace, "order-1", 68, |record| {
        (record.node, record.incarnation) = (trace.node("web-3"), 2);
        if let What::App(App::Returned(answer)) = &mut record.what
            && let Return::Listen { group, .. } = std::sync::Arc::make_mut(answer)
        {
            *group = "caches".into();
        }
    });
    (again, plan)
}

/// What the operator was told, changed.
fn told(trace: &Trace, change: impl Fn(i64) -> i64) -> Trace {
    with_return(trace, |answer| {
        if let Return::Administered { what: AdminAnswer::Offsets(offsets), .. } = answer {
            offsets.iter_mut().for_each(|(_, offset)| *offset = change(*offset));
        }
    })
}

/// The trace without callbacks of a message after some second.
fn deaf(trace: &Trace, key: &str, second: u64) -> Trace {
    with_listen(trace, key, |_, record| record.at.0 < second * 1_000_000_000)
}

const RESET: &str = "33-reset-offset";

pub fn resets(table: &mut Table) {
    let (trace, plan) = lesson(RESET, &[]);
    table.holds((&trace, &plan));
    table.rejects("the last is not read again", "not delivered again", (&deaf(&trace, "order-20", 45), &plan));
    table.rejects("one is not read again", "not delivered again", (&deaf(&trace, "order-15", 45), &plan));
    let back = called_again(&trace, "order-1", 1, |_| {});
    table.rejects("one before the place is read", "before its place", (&back, &plan));
    let far = told(&trace, |offset| offset + 2);
    table.rejects("moved past the nearest", "behind the nearest", (&far, &plan));
    let near = told(&trace, |offset| offset - 1);
    table.rejects("told a place from which nobody reads", "not delivered again", (&near, &plan));
    let soon = deaf(&trace, "order-20", 45);
    let soon = damaged(&soon, cut_at(90));
    table.leaves_open("not yet", (&soon, &plan));
    let (forward, forward_plan) = lesson(RESET, &[("to = \"20181110160010\"", "to = \"end\"\nforce = true")]);
    table.accepts("passed over by force", (&forward, &forward_plan));
    let under_way = called_again(&trace, "order-1", 90, |_| {});
    table.accepts("one before the place that was under way", (&under_way, &plan));
    let again = with_machine(&deaf(&trace, "order-20", 45), "billing-1", 60, &[Machine::Killed, Machine::Booted]);
    let again = with_machine(&again, "billing-2", 60, &[Machine::Killed, Machine::Booted]);
    table.leaves_open("of members that have been there for a short time", (&again, &plan));
    let refused = with_return(&deaf(&trace, "order-20", 45), |answer| {
        if let Return::Administered { what, .. } = answer {
            *what = AdminAnswer::Rollback(Vec::new());
        }
    });
    table.leaves_open("in the broker's table alone", (&refused, &plan));
}

/// The trace without what one node was handed of a message.
fn withheld(trace: &Trace, node: &str, key: &str) -> Trace {
    let node = trace.node(node);
    damaged(trace, |record| {
        let is_it = record.node == node && key_of(&record).as_deref() == Some(key);
        (!is_it).then_some(record)
    })
}

pub fn broadcasts(table: &mut Table) {
    const NAME: &str = "07-one-or-all";
    let (trace, plan) = lesson(NAME, &[]);
    table.holds((&trace, &plan));
    for (node, key) in [("web-3", "late-3"), ("web-1", "order-6"), ("web-2", "late-5")] {
        table.rejects(key, "never delivered", (&withheld(&trace, node, key), &plan));
    }
    table.accepts("before the place in its file", (&withheld(&trace, "web-3", "order-2"), &plan));
    table.accepts("of another group", (&withheld(&trace, "billing-1", "order-2"), &plan));
    let died = "[[fault]]\nname = \"web-3-is-back\"\nat = \"50s\"\nrestart = { node = \"web-3\" }\n";
    let (gone, gone_plan) = lesson(NAME, &[(died, "")]);
    table.accepts("of one that is dead at the end", (&gone, &gone_plan));
    let power = ("kill = { node = \"web-3\" }", "power-loss = { node = \"web-3\", keep = \"fsynced\" }");
    let (dark, dark_plan) = lesson(NAME, &[power]);
    table.accepts("of one that lost its file", (&dark, &dark_plan));
    let soon = damaged(&withheld(&trace, "web-3", "late-3"), cut_at(80));
    table.leaves_open("not yet", (&soon, &plan));
}

/// Leaves out what happens behind a second, disks apart, which are looked at then.
fn cut_at(second: u64) -> impl FnMut(Record) -> Option<Record> {
    move |mut record| {
        let end = second * 1_000_000_000;
        let is_disk = matches!(record.what, What::Disk(_));
        (record.at.0 < end || is_disk).then(|| {
            record.at.0 = record.at.0.min(end);
            record
        })
    }
}
