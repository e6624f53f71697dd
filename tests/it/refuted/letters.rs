//! G04 and G07: what letters say and where they lie, damaged and nearly so.

use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Record, What};
use mqlab::mq::app::Return;
use mqlab::mq::message::StoredMessage;
use mqlab::mq::message::property::names;

use super::tables::{Table, called_again, message, rewrite, shop, with_image, with_listen};

const FAILS: &str = "max_reconsume = 1\n[[consumer.on]]\nmatch = { key = \"order-2\" }\nreply = [\"fail\"]";

fn with_message(trace: &Trace, change: impl Fn(&mut StoredMessage)) -> Trace {
    with_listen(trace, "order-3", |_, record| {
        message(record, &change);
        true
    })
}

pub fn content(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", FAILS, "");
    table.holds((&trace, &plan));
    let body = with_message(&trace, |own| own.message.body = "order 4".into());
    table.rejects("another body", "other content", (&body, &plan));
    let tag = with_message(&trace, |own| {
        own.message.properties.put(names::TAGS, "X");
    });
    table.rejects("another tag", "other content", (&tag, &plan));
    table.rejects("another flag", "other content", (&with_message(&trace, |own| own.message.flag = 1), &plan));
    let key = with_image(&trace, |image| rewrite(image, "order-7", "order-8"));
    table.rejects("another key in the log", "other content", (&key, &plan));
    let road = with_message(&trace, |own| {
        own.message.properties.put(names::MAX_OFFSET, "77");
    });
    table.accepts("what the road adds", (&road, &plan));
    let tried = with_message(&trace, |own| own.reconsume_times += 1);
    table.accepts("another count of tries: that is G40's", (&tried, &plan));
    let stranger = with_message(&trace, |own| {
        own.message.properties.put(names::UNIQ_KEY, "nobody's");
        own.message.body = "?".into();
    });
    table.accepts("of nobody that is known: that is G03's", (&stranger, &plan));
}

pub fn misrouting(table: &mut Table) {
    let (trace, plan) = shop("60s", "count = 10", FAILS, "");
    table.holds((&trace, &plan));
    let of_topic = |topic: &'static str| {
        with_listen(&trace, "order-3", move |_, record| {
            put_topic(record, topic);
            true
        })
    };
    table.rejects("another group's retry", "of another group", (&of_topic("%RETRY%others"), &plan));
    table.rejects("a system topic", "of another group", (&of_topic("SCHEDULE_TOPIC_XXXX"), &plan));
    table.accepts("its own retry", (&of_topic("%RETRY%billing"), &plan));
    let twice = called_again(&trace, "order-2", 5, |_| {});
    table.accepts("its own retry, twice", (&twice, &plan));
    let copy = with_image(&trace, |image| rewrite(image, "\u{c}%DLQ%billing", "\u{c}%DLQ%pilling"));
    table.rejects("another group's dead letter", "of another group", (&copy, &plan));
    let never = with_listen(&trace, "order-2", |_, _| false);
    table.rejects("a retry of what nobody was handed", "of another group", (&never, &plan));
    let delayed = shop("60s", "count = 3\ndelay_level = 3", "", "");
    table.accepts("parked copies", (&delayed.0, &delayed.1));
}

fn put_topic(record: &mut Record, topic: &str) {
    if let What::App(App::Returned(answer)) = &mut record.what
        && let Return::Listen { queue, .. } = std::sync::Arc::make_mut(answer)
    {
        queue.topic = topic.into();
    }
}
