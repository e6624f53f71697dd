//! G50 and G51: a group gets nothing that it does not want, and all that it wants.
//!
//! Tags are compared as texts, conditions are read by the oracle's own hand. A group whose members subscribe to different things
//! wants what any of them wants: what it misses is K16. Conditions are promised something only where every broker filters by them.

use crate::lab::check::Judged;
use crate::lab::check::delivery::{self, Member};
use crate::lab::check::history::History;
use crate::lab::check::ids::Id;
use crate::lab::oracle::condition::{Answer, Condition};
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::mq::app::MessageSelector;
use crate::mq::message::property::names;
use crate::mq::message::{Group, Topic};

/// Nothing is handed to a group that it did not subscribe to.
pub(super) fn sound(history: &History, plan: &Plan) -> Judged {
    let groups = filtered(history, plan);
    if groups.is_empty() {
        return Judged::inconclusive("no group filters", "没有消费组做过滤");
    }
    let mut looked_at = 0;
    let wanted = history.wanted.borrow();
    for member in &groups {
        // What it is owed it wants; what is said letter by letter as it was sent needs no second look.
        let wanted = wanted.get(member.group);
        let is_owed = |id: Option<Id>| id.zip(wanted).is_some_and(|(id, wanted)| wanted.contains(id));
        for delivery in history.deliveries.iter().filter(|delivery| delivery.group == *member.group) {
            if delivery.brief.iter().all(|brief| brief.is_as_sent && is_owed(brief.id)) {
                looked_at += delivery.brief.len();
                continue;
            }
            for stored in &delivery.messages {
                let message = &stored.message;
                let find = |name: &str| message.properties.get(name).map(|value| value.as_str());
                let Some(wanted) = member.may_take(&message.topic, &find) else {
                    return unread(member.group);
                };
                looked_at += 1;
                if !wanted {
                    let name = find(names::KEYS).unwrap_or("a message").to_owned();
                    return Judged::violation(
                        "not wanted",
                        vec![delivery.seq],
                        format!("{name} was handed to group {}, which does not subscribe to it", member.group),
                        format!("{name} 投递给了没有订阅它的消费组 {}", member.group),
                    );
                }
            }
        }
    }
    match looked_at {
        0 => Judged::inconclusive("nothing was handed to a group that filters", "没有消息投递给做过滤的消费组"),
        count => Judged::pass(format!("{count} deliveries, all wanted"), format!("{count} 次投递，都是所订阅的")),
    }
}

/// What a group that filters subscribes to is consumed by it.
pub(super) fn complete(history: &History, plan: &Plan) -> Judged {
    let groups = filtered(history, plan);
    if groups.is_empty() {
        return Judged::inconclusive("no group filters", "没有消费组做过滤");
    }
    let mut all = groups.iter().flat_map(Member::all).flatten();
    let has_condition = all.any(|(_, selector)| matches!(selector, MessageSelector::Sql(_)));
    match plan.nodes.iter().find(|node| has_condition && refuses_conditions(&node.kind)) {
        Some(node) => Judged::inconclusive(
            &format!("{} does not filter by SQL92: enablePropertyFilter is off", node.name),
            &format!("{} 不支持 SQL92 过滤：enablePropertyFilter 没有打开", node.name),
        ),
        None => delivery::owed_to(history, plan, &groups),
    }
}

/// Whether this is a broker without `enablePropertyFilter`; the last line of its file counts.
fn refuses_conditions(kind: &NodeKind) -> bool {
    let NodeKind::Broker(broker) = kind else { return false };
    let last = broker.properties.iter().rev().find(|pair| pair.key == "enablePropertyFilter");
    last.is_none_or(|pair| !pair.value.eq_ignore_ascii_case("true"))
}

/// Groups that do not take everything.
fn filtered<'a>(history: &'a History, plan: &'a Plan) -> Vec<Member<'a>> {
    let mut groups = delivery::groups(history, plan);
    groups.retain(|member| member.all().flatten().any(|(_, selector)| *selector != MessageSelector::from("*")));
    groups
}

/// What a subscription wants, each selector read once: it is asked for every message.
pub(super) struct Wants<'a>(Vec<(&'a Topic, Selected<'a>)>);

/// Which messages of a topic.
pub(super) enum Selected<'a> {
    All,
    Tags(Vec<&'a str>),
    /// What meets a condition, if it is read here.
    By(Option<Condition>),
}

impl<'a> Selected<'a> {
    pub(super) fn of(selector: &'a MessageSelector) -> Selected<'a> {
        match selector {
            MessageSelector::Tags(tags) if *tags == "*" => Selected::All,
            MessageSelector::Tags(tags) => Selected::Tags(tags.split("||").map(str::trim).collect()),
            MessageSelector::Sql(text) => Selected::By(Condition::read(text)),
        }
    }

    /// Whether it takes a message; `None` if its condition is not read here.
    pub(super) fn takes<'b>(&self, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        Some(match self {
            Selected::All => true,
            Selected::Tags(tags) => property(names::TAGS).is_some_and(|tag| tags.contains(&tag)),
            Selected::By(condition) => {
                condition.as_ref()?.answer(&|name| property(name).map(str::to_owned)) == Answer::Yes
            }
        })
    }
}

impl<'a> Wants<'a> {
    /// Of several selectors of one topic the last counts.
    pub(super) fn of(subscriptions: &'a [(Topic, MessageSelector)]) -> Wants<'a> {
        Wants(subscriptions.iter().rev().map(|(topic, selector)| (topic, Selected::of(selector))).collect())
    }

    /// Whether a message is wanted; `None` if the condition is not read here.
    pub(super) fn wants<'b>(&self, topic: &str, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        match self.0.iter().find(|(subscribed, _)| **subscribed == *topic) {
            Some((_, selected)) => selected.takes(property),
            None => Some(false),
        }
    }
}

/// The verdict where a condition is not read here.
pub(super) fn unread(group: &Group) -> Judged {
    let en = format!("the condition of group {group} is not one that the lab reads itself");
    let zh = format!("实验室自己读不懂消费组 {group} 的条件");
    Judged::inconclusive(&en, &zh)
}
