//! Pass 3: clients, brokers, nameservers, topics and queues that the violation does not need go, and what names them with them.

use toml::{Table, Value};

use crate::lab::explore::shrink::document::{at, forget, keep, leaves, row, rows, text};
use crate::lab::explore::shrink::search::Search;

/// Drops nodes one by one, clients first.
pub(super) fn pass(search: &mut Search<'_>) {
    groups(search);
    for list in ["consumer", "producer", "puller", "operator"] {
        let names = named(&search.document, list);
        names.iter().for_each(|name| drop_node(search, list, name));
    }
    let is_slave = |document: &Table, name: &str| {
        rows(document, "broker").iter().any(|row| text(row, "name") == Some(name) && row.contains_key("of"))
    };
    let (slaves, masters): (Vec<String>, Vec<String>) =
        named(&search.document, "broker").into_iter().partition(|name| is_slave(&search.document, name));
    slaves.iter().chain(&masters).for_each(|name| drop_node(search, "broker", name));
    nameservers(search);
    for name in named(&search.document, "topic") {
        search.change(|document| drop_topic(document, &name));
    }
    queues(search);
}

fn named(document: &Table, list: &str) -> Vec<String> {
    rows(document, list).into_iter().filter_map(|row| text(row, "name")).map(str::to_owned).collect()
}

/// A whole consumer group at once: its members one by one may each be needed by the others.
fn groups(search: &mut Search<'_>) {
    let mut groups: Vec<String> =
        rows(&search.document, "consumer").iter().filter_map(|row| text(row, "group")).map(str::to_owned).collect();
    groups.dedup();
    for group in groups {
        search.change(|document| {
            let gone: Vec<String> = rows(document, "consumer")
                .into_iter()
                .filter(|row| text(row, "group") == Some(&*group))
                .filter_map(|row| text(row, "name").map(str::to_owned))
                .collect();
            keep(document, "consumer", |_, row| text(row, "group") != Some(&*group));
            gone.iter().for_each(|name| forget(document, name));
        });
    }
}

fn drop_node(search: &mut Search<'_>, list: &str, name: &str) {
    search.change(|document| {
        keep(document, list, |_, row| text(row, "name") != Some(name) && text(row, "of") != Some(name));
        forget(document, name);
    });
}

fn nameservers(search: &mut Search<'_>) {
    let count = |document: &Table| {
        document.get("cluster").and_then(|cluster| cluster.get("nameserver")).and_then(Value::as_integer).unwrap_or(1)
    };
    let set = |document: &mut Table, number: i64| {
        if let Some(cluster) = document.get_mut("cluster").and_then(Value::as_table_mut) {
            cluster.insert("nameserver".to_owned(), Value::Integer(number));
        }
    };
    while 1 < count(&search.document) {
        let number = count(&search.document);
        let last = format!("ns-{number}");
        let dropped = search.change(|document| {
            set(document, number - 1);
            forget(document, &last);
        });
        // What was done to the last one may as well be done to the first one.
        let moved = dropped
            || search.change(|document| {
                set(document, number - 1);
                rename(document, &last, "ns-1");
            });
        if !moved {
            return;
        }
    }
}

fn rename(document: &mut Table, from: &str, to: &str) {
    let mut places = Vec::new();
    leaves(&Value::Table(document.clone()), &Vec::new(), &mut places);
    for place in places {
        if let Some(Value::String(text)) = at(document, &place)
            && text == from
        {
            to.clone_into(text);
        }
    }
}

fn drop_topic(document: &mut Table, name: &str) {
    keep(document, "topic", |_, row| text(row, "name") != Some(name));
    for number in 0..rows(document, "producer").len() {
        if let Some(producer) = row(document, "producer", number) {
            keep(producer, "send", |_, send| text(send, "topic") != Some(name));
        }
    }
    for number in 0..rows(document, "consumer").len() {
        let subscribe = row(document, "consumer", number).and_then(|consumer| consumer.get_mut("subscribe"));
        if let Some(Value::Table(subscribe)) = subscribe {
            subscribe.remove(name);
        }
    }
    forget(document, name);
}

fn queues(search: &mut Search<'_>) {
    for number in 0..rows(&search.document, "topic").len() {
        while let Some(count) = rows(&search.document, "topic")[number].get("queues").and_then(Value::as_integer) {
            let mut set = |count: i64| {
                search.change(|document| {
                    if let Some(topic) = row(document, "topic", number) {
                        topic.insert("queues".to_owned(), Value::Integer(count));
                    }
                })
            };
            if count <= 1 || !(set(1) || set(count / 2) || set(count - 1)) {
                break;
            }
        }
    }
}
