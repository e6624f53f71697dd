//! G50 and G51: what is filtered, damaged and nearly so.

use mqlab::lab::scenario::library;
use mqlab::lab::scenario::plan::{NodeKind, Plan};
use mqlab::lab::trace::log::Trace;
use mqlab::mq::app::MessageSelector;
use mqlab::mq::broker::properties::text::Pair;
use mqlab::mq::message::property::names;

use super::tables::{Table, fault, message, of, with_listen};

/// The scenario with two sieves, long enough that what is missing is overdue.
fn sieved(until: &str, rest: &str) -> (Trace, Plan) {
    let text = library::text("05-two-sieves").unwrap().replacen("until = \"40s\"", &format!("until = \"{until}\""), 1);
    of(&format!("{}{rest}", text.split("[[step]]").next().unwrap()))
}

/// The plan with another subscription than the run had.
fn subscribing(plan: &Plan, to: MessageSelector) -> Plan {
    let mut plan = plan.clone();
    for node in &mut plan.nodes {
        if let NodeKind::Client(client) = &mut node.kind {
            client.consumers.iter_mut().for_each(|one| one.subscriptions[0].1 = to.clone());
        }
    }
    plan
}

fn sql(text: &str) -> MessageSelector {
    MessageSelector::Sql(text.into())
}

/// The plan whose brokers read conditions.
fn reading(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for node in &mut plan.nodes {
        if let NodeKind::Broker(broker) = &mut node.kind {
            broker.properties.push(Pair { line: 1, key: "enablePropertyFilter".into(), value: "true".into() });
        }
    }
    plan
}

fn tagged(trace: &Trace, tag: Option<&str>) -> Trace {
    with_listen(trace, "paid-1", |_, record| {
        message(record, |own| match tag {
            Some(tag) => drop(own.message.properties.put(names::TAGS, tag)),
            None => drop(own.message.properties.remove(names::TAGS)),
        });
        true
    })
}

pub fn sound(table: &mut Table) {
    let (trace, plan) = sieved("150s", "");
    table.holds((&trace, &plan));
    table.rejects("another tag of the same hash", "not wanted", (&tagged(&trace, Some("BB")), &plan));
    table.rejects("no tag", "not wanted", (&tagged(&trace, None), &plan));
    table.rejects("a tag that only begins so", "not wanted", (&tagged(&trace, Some("Aaa")), &plan));
    let with = |selector: MessageSelector| subscribing(&plan, selector);
    table.rejects("a condition that is false", "not wanted", (&trace, &with(sql("TAGS = 'BB' OR KEYS IS NULL"))));
    table.rejects("a condition that is unknown", "not wanted", (&trace, &with(sql("size > 1"))));
    table.accepts("one of several tags", (&tagged(&trace, Some("BB")), &with("Aa || BB".into())));
    table.accepts("a condition that is true", (&trace, &with(sql("TAGS = 'Aa' AND KEYS IS NOT NULL"))));
    table.leaves_open("a condition that is none", (&trace, &with(sql("TAGS = 'Aa' rest"))));
    table.leaves_open("a group that takes everything", (&tagged(&trace, Some("BB")), &with("*".into())));
}

pub fn complete(table: &mut Table) {
    let (trace, plan) = sieved("150s", "");
    table.holds((&trace, &plan));
    for key in ["paid-1", "paid-2", "paid-late"] {
        table.rejects(key, "never delivered", (&with_listen(&trace, key, |_, _| false), &plan));
    }
    let with = |selector: MessageSelector| subscribing(&plan, selector);
    table.rejects("of another tag that it wants, too", "never delivered", (&trace, &with("Aa||BB".into())));
    let condition = with(sql("TAGS = 'BB'"));
    table.rejects("that its condition wants", "never delivered", (&trace, &reading(&condition)));
    table.leaves_open("of a broker that reads no conditions", (&trace, &condition));
    let hidden = with_listen(&trace, "paid-1", |_, _| false);
    table.accepts(
        "that its condition does not want",
        (&hidden, &reading(&with(sql("KEYS = 'paid-2' AND TAGS = 'Aa'")))),
    );
    let (short, short_plan) = sieved("40s", "");
    table.leaves_open("not yet", (&with_listen(&short, "paid-1", |_, _| false), &short_plan));
    let (down, down_plan) = sieved("150s", &fault("x", 20, 200, "kill = { node = \"broker-a\" }"));
    table.leaves_open("of a broker that is down", (&with_listen(&down, "paid-1", |_, _| false), &down_plan));
}
