//! G02: every group gets every message at least once; and how often each was delivered.

use crate::lab::check::agreement::true_time;
use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::filters::Wants;
use crate::lab::check::history::History;
use crate::lab::check::ids::{By, Id, Ids};
use crate::lab::check::letters::{Delivery, SendSeen, label};
use crate::lab::check::lineage::{Fate, Lineages};
use crate::lab::check::minds::Minds;
use crate::lab::check::transactions::{Logged, TransactionSeen};
use crate::lab::check::wording::content_of;
use crate::lab::check::{Judged, filters, scene};
use crate::lab::fault::episode::FaultKind;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::count::CountRule;
use crate::lab::scenario::plan::{NodeKind, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::{ConsumeFrom, MessageModel, MessageSelector};
use crate::mq::message::names::retry_topic;
use crate::mq::message::property::names;
use crate::mq::message::{Group, Name, Topic};
use crate::mq::time::{Span, Time};

/// How long a group may take at most when nothing goes wrong: a rebalance, a route poll and a put-off pull.
pub(super) const GRACE: Span = Span::from_secs(60);
/// How much longer an ordered group may take: a dead member's lease, and the timer that locks.
const LEASE_GRACE: Span = Span::from_secs(80);

/// A group with what it subscribes to, whether it begins at the first offset, and the nodes of its members.
pub(super) struct Member<'a> {
    pub(super) group: &'a Group,
    pub(super) subscriptions: &'a [(Topic, MessageSelector)],
    /// What other members of it subscribe to, where that is something else.
    others: Vec<&'a [(Topic, MessageSelector)]>,
    /// What each of these wants.
    wants: Vec<Wants<'a>>,
    from_first: bool,
    pub(super) orderly: bool,
    nodes: Vec<&'a Name>,
    /// What its members were told while they ran.
    pub(super) minds: Minds<'a>,
}

impl<'a> Member<'a> {
    /// Everything that somebody in the group subscribes to.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a [(Topic, MessageSelector)]> {
        std::iter::once(self.subscriptions).chain(self.others.iter().copied())
    }

    /// Whether somebody in the group wants a message, and went on wanting it; `None` if a condition is not read here.
    fn wants<'b>(&self, topic: &str, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        self.minds.keeps(self.began_with(topic, property)?, topic, property)
    }

    /// Whether somebody in the group wanted a message at some time; `None` if a condition is not read here.
    pub(super) fn may_take<'b>(&self, topic: &str, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        Some(self.began_with(topic, property)? || self.minds.may_take(topic, property)?)
    }

    fn began_with<'b>(&self, topic: &str, property: &dyn Fn(&str) -> Option<&'b str>) -> Option<bool> {
        let mut wanted = false;
        for wants in &self.wants {
            wanted |= wants.wants(topic, property)?;
        }
        Some(wanted)
    }

    /// Whether one of its members is up when the run ends, and on no road that stays cut; and none rests.
    pub(super) fn is_up(&self, history: &History, plan: &Plan) -> bool {
        !self.minds.rests()
            && self.nodes.iter().filter(|name| !is_severed(name, plan)).any(|name| {
                let number = plan.nodes.iter().position(|node| node.name == **name);
                number.is_some_and(|number| history.up_since.keys().any(|node| usize::from(node.0) == number))
            })
    }

    /// A violation, or what is known of groups of several minds, and of places that outlive their topic.
    pub(super) fn missed(&self, scene: (&History, &Plan), message: &Owed<'_>, violation: Judged) -> Judged {
        match () {
            _ if !self.others.is_empty() => violation.known(ONE_SUBSCRIPTION),
            _ if stood_behind(scene, self.group, message) => violation.known(PLACE_OUTLIVES_TOPIC),
            _ => violation,
        }
    }
}

/// Whether a node is at one end of a road that is cut and stays so: what it is owed, or owes, cannot be handed over.
pub(super) fn is_severed(name: &str, plan: &Plan) -> bool {
    let heals = plan.episodes.iter().any(|episode| matches!(episode.kind, FaultKind::Heal { .. }));
    let cuts = |kind: &FaultKind| matches!(kind, FaultKind::Cut { from, to, .. } if **from == *name || **to == *name);
    !heals && plan.episodes.iter().any(|episode| episode.lasts.is_none() && cuts(&episode.kind))
}

/// A message that groups are owed.
pub(super) struct Owed<'a> {
    source: Source<'a>,
    /// Since when.
    pub(super) at: Time,
    pub(super) broker: &'a str,
    pub(super) topic: &'a str,
    pub(super) queue_id: i32,
    pub(super) offset: i64,
    pub(super) id: Id,
}

/// Why it is owed.
enum Source<'a> {
    /// It was sent, and that was acknowledged.
    Acked(&'a SendSeen, Seq),
    /// Its transaction was committed.
    Committed(&'a TransactionSeen, &'a LogRecord),
}

impl<'a> Owed<'a> {
    /// What a person calls it.
    pub(super) fn name(&self) -> String {
        match self.source {
            Source::Acked(send, _) => label(send),
            Source::Committed(seen, _) => seen.key.to_string(),
        }
    }

    /// The records that show it.
    pub(super) fn seen(&self) -> Vec<Seq> {
        match self.source {
            Source::Acked(send, acked) => vec![send.seq, acked],
            Source::Committed(seen, _) => vec![seen.seq],
        }
    }

    /// The call that sent it, or the first that is seen of its transaction.
    pub(super) fn first(&self) -> Seq {
        match self.source {
            Source::Acked(send, _) => send.seq,
            Source::Committed(seen, _) => seen.seq,
        }
    }

    /// One of its properties.
    pub(super) fn property(&self, name: &str) -> Option<&'a str> {
        match self.source {
            Source::Acked(send, _) => send.message.properties.get(name).map(|value| value.as_str()),
            Source::Committed(_, copy) => copy.properties.get(name),
        }
    }
}

/// What was acknowledged, and what transactions have committed.
pub(super) fn owed<'a>(history: &'a History, plan: &'a Plan) -> Vec<Owed<'a>> {
    let acked = history.acked().filter_map(|(send, acked, at, result)| {
        Some(Owed {
            source: Source::Acked(send, acked),
            at,
            broker: &result.queue.broker,
            topic: &result.queue.topic,
            queue_id: result.queue.queue_id,
            offset: result.queue_offset.0,
            id: send.id?,
        })
    });
    let mut owed: Vec<Owed<'_>> = acked.collect();
    for broker in &history.brokers {
        let Some(node) = plan.nodes.get(usize::from(broker.node.0)) else { continue };
        for seen in &history.transactions.seen {
            let Some(id) = history.id(&seen.id) else { continue };
            // Copies that wait to be tried again are of one that was delivered.
            let finals = Logged::of(broker, &seen.id).finals;
            owed.extend(finals.into_iter().filter(|copy| !copy.topic.starts_with('%')).map(|copy| Owed {
                source: Source::Committed(seen, copy),
                at: true_time(copy.stored, plan.start),
                broker: &node.name,
                topic: &copy.topic,
                queue_id: copy.queue,
                offset: copy.queue_offset,
                id,
            }));
        }
    }
    owed.retain(|message| {
        !history.deletions.spoil(message.topic, message.at) && !history.roles.is_doubled(message.broker)
    });
    owed
}

/// What is owed to groups, and where it can be handed out: made once, asked for each group.
pub(super) struct Debts<'a> {
    all: Vec<Owed<'a>>,
    /// What a disk holds a copy of.
    stored: Ids,
    pub(super) reached: Reached,
}

impl<'a> Debts<'a> {
    pub(super) fn of(history: &'a History, plan: &'a Plan) -> Debts<'a> {
        let stored = history.copies_seen().filter_map(|copy| copy.id).collect();
        Debts { all: owed(history, plan), stored, reached: reachable(history, plan) }
    }
}

/// Every acknowledged or committed message that is still there and that a group subscribes to is consumed by that group, or
/// has become a dead letter of it.
///
/// A group that begins at the last offset is owed what lies at or behind the first message that it was handed of a queue.
/// A message whose time has not run out is not owed yet: the verdict is open as long as only such are missing. A group whose
/// members subscribe to different things is owed what any of them wants; what it misses of that is K16. Members that change
/// their minds while they run are owed what they wanted all the time.
pub(super) fn at_least_once(history: &History, plan: &Plan) -> Judged {
    owed_to(history, plan, &groups(history, plan))
}

/// The same of these groups alone.
pub(super) fn owed_to(history: &History, plan: &Plan, groups: &[Member<'_>]) -> Judged {
    if groups.is_empty() {
        return Judged::inconclusive("no group consumes", "没有消费组");
    }
    let last_boot = history.up_since.values().max().copied().unwrap_or(Time::ZERO);
    let debts = Debts::of(history, plan);
    let (mut owed, mut pending, mut dead) = (0, 0, 0);
    for member in groups {
        let is_up = member.is_up(history, plan);
        let Some(owed_here) = owed_in((history, plan), member, &debts) else { return filters::unread(member.group) };
        for (message, fate) in owed_here {
            owed += 1;
            let grace = if member.orderly { GRACE + LEASE_GRACE } else { GRACE };
            let is_reached = debts.reached.contains(member, message.id);
            let is_overdue = |since: Time| {
                is_up && is_reached && since.max(last_boot).max(member.minds.last()) + grace <= history.end
            };
            let is_behind = || member.orderly && waits(history, member.group, message);
            let group = member.group;
            match fate {
                Fate::Consumed => {}
                Fate::Dead => dead += 1,
                Fate::Unseen if is_overdue(message.at) && !is_behind() => {
                    let name = message.name();
                    let judged = Judged::violation(
                        "never delivered",
                        message.seen(),
                        format!("{name} was never delivered to group {group}"),
                        format!("{name} 从未投递给消费组 {group}"),
                    );
                    return member.missed((history, plan), message, judged);
                }
                Fate::Failed(at) if is_overdue(at) && !history.deletions.spoil(&retry_topic(group), at) => {
                    let name = message.name();
                    return Judged::violation(
                        "forgotten",
                        message.seen(),
                        format!("{name} failed in group {group}, and nothing is left of it to be tried again"),
                        format!("{name} 在消费组 {group} 中消费失败，之后没有留下可重试的副本"),
                    );
                }
                Fate::Unseen | Fate::Failed(_) | Fate::UnderWay => pending += 1,
            }
        }
    }
    match (owed, pending) {
        (0, _) => Judged::inconclusive("no message was owed to a group", "没有应投递给消费组的消息"),
        (_, 0) if dead == 0 => {
            Judged::pass(format!("{owed} owed, {owed} consumed"), format!("应消费 {owed} 条，已消费 {owed} 条"))
        }
        (_, 0) => {
            let done = owed - dead;
            let en = format!("{owed} owed, {done} consumed, {dead} dead letters");
            Judged::pass(en, format!("应消费 {owed} 条，已消费 {done} 条，{dead} 条成为死信"))
        }
        (_, open) => {
            let en = format!("{open} of {owed} owed are not consumed yet when the run ends");
            Judged::inconclusive(&en, &format!("运行结束时 {owed} 条中还有 {open} 条未消费"))
        }
    }
}

/// What lies on a broker that is up when the run ends: nobody can be handed the rest.
///
/// A slave hands out what lies in a topic, and delivers no delays: that does its master alone. Source:
/// `DefaultMessageStore.start`, which starts the `ScheduleMessageService` where the role is not `SLAVE`.
///
/// Who consumes in order has to lease its queues, and asks masters alone for that. Source: `RebalanceImpl.lockAll`, which
/// looks for `MixAll.MASTER_ID` only.
pub(super) fn reachable(history: &History, plan: &Plan) -> Reached {
    let reached = |node: NodeId| !plan.nodes.get(usize::from(node.0)).is_some_and(|node| is_severed(&node.name, plan));
    let is_up = |node: NodeId| history.up_since.contains_key(&node) && reached(node);
    let up = history.stores().filter(|broker| is_up(broker.node));
    let is_slave = |node: NodeId| history.slaves.iter().any(|(_, slave)| slave.node == node);
    let mut found = Reached::default();
    for broker in up {
        let is_slave = is_slave(broker.node);
        for (id, _) in broker.numbered().filter(|(_, record)| !is_slave || *record.topic != *SCHEDULE_TOPIC) {
            let Some(id) = id else { continue };
            found.by_anybody.insert(id);
            if !is_slave {
                found.in_order.insert(id);
            }
        }
    }
    found
}

/// What can be handed out.
#[derive(Default)]
pub(super) struct Reached {
    /// To members that lease nothing.
    pub(super) by_anybody: Ids,
    /// To members that lease their queues.
    in_order: Ids,
}

impl Reached {
    /// Whether a group can be handed a message.
    pub(super) fn contains(&self, member: &Member<'_>, id: Id) -> bool {
        if member.orderly { self.in_order.contains(id) } else { self.by_anybody.contains(id) }
    }
}

/// What a group is owed of all, with what became of each; `None` if its condition is not read here.
///
/// Several guarantees ask: it is found out once.
pub(super) fn owed_in<'a>(
    (history, plan): (&'a History, &Plan),
    member: &Member<'_>,
    debts: &'a Debts<'a>,
) -> Option<Vec<(&'a Owed<'a>, Fate)>> {
    let mut known = history.fates.borrow_mut();
    let own = known.entry(member.group.clone()).or_insert_with(|| fates((history, plan), member, debts));
    Some(own.as_ref()?.iter().map(|(place, fate)| (&debts.all[*place], *fate)).collect())
}

/// What became in a group of which messages that are owed to it, by their places among all; `None` as for [`owed_in`].
pub(super) type Fates = Option<Vec<(usize, Fate)>>;

fn fates((history, plan): (&History, &Plan), member: &Member<'_>, debts: &Debts<'_>) -> Fates {
    let lineages = Lineages::of(history, member.group);
    let begins = begins(history, member.group);
    let (mut owed, mut wanted) = (Vec::new(), Ids::default());
    for (place, message) in debts.all.iter().enumerate() {
        let subscribed = member.wants(message.topic, &|name: &str| message.property(name))?;
        if subscribed {
            wanted.insert(message.id);
        }
        let begin = begins.get(&(message.broker, message.topic, message.queue_id)).copied();
        let begun = member.from_first || begin.is_some_and(|begin| begin <= message.offset);
        let queue = (message.topic, message.broker, message.queue_id);
        let passed = history.resets.passed_over(member.group, queue, (message.offset, message.at));
        let is_given_again = || {
            if history.sick.count() == 0 {
                return false;
            }
            let node = plan.nodes.iter().position(|node| node.name == *message.broker);
            let place = |node| (NodeId(node as u16), message.topic, message.queue_id, message.offset);
            node.is_some_and(|node| history.sick.gives_again(history, member.group, place(node), message.at))
        };
        if subscribed && begun && !passed && debts.stored.contains(message.id) && !is_given_again() {
            let fate = lineages.fate(message.id);
            // The copy to be tried again lay in a page that a failed sync took.
            if !matches!(fate, Fate::Failed(at) if history.sick.strikes_after(at)) {
                owed.push((place, fate));
            }
        }
    }
    history.wanted.borrow_mut().insert(member.group.clone(), wanted);
    Some(owed)
}

/// The groups that share, with what their members want.
pub(super) fn groups<'a>(history: &'a History, plan: &'a Plan) -> Vec<Member<'a>> {
    let mut groups: Vec<Member<'_>> = Vec::new();
    for node in &plan.nodes {
        let NodeKind::Client(client) = &node.kind else { continue };
        // Nobody owes a message to a group that broadcasts: G35 asks each of its members.
        for consumer in client.consumers.iter().filter(|consumer| consumer.model == MessageModel::Clustering) {
            match groups.iter_mut().find(|member| *member.group == consumer.group) {
                Some(member) => {
                    member.nodes.push(&node.name);
                    if member.all().all(|known| known != consumer.subscriptions) {
                        member.others.push(&consumer.subscriptions);
                        member.wants.push(Wants::of(&consumer.subscriptions));
                    }
                }
                None => groups.push(Member {
                    group: &consumer.group,
                    subscriptions: &consumer.subscriptions,
                    others: Vec::new(),
                    wants: vec![Wants::of(&consumer.subscriptions)],
                    from_first: consumer.from == ConsumeFrom::First,
                    orderly: consumer.orderly,
                    nodes: vec![&node.name],
                    minds: Minds::of(history, &consumer.group, nodes_of(plan, &consumer.group)),
                }),
            }
        }
    }
    groups
}

/// The nodes that consume for a group.
fn nodes_of(plan: &Plan, group: &Group) -> Vec<NodeId> {
    let consumes = |kind: &NodeKind| match kind {
        NodeKind::Client(client) => client.consumers.iter().any(|consumer| consumer.group == *group),
        _ => false,
    };
    (0..).zip(&plan.nodes).filter(|(_, node)| consumes(&node.kind)).map(|(number, _)| NodeId(number)).collect()
}

/// Whether the last batch of a message's queue is not done: an ordered group gets nothing behind it.
fn waits(history: &History, group: &str, message: &Owed<'_>) -> bool {
    let mut lanes = history.lanes_of(group);
    let own = lanes.find(|(queue, _)| {
        (&*queue.broker, &*queue.topic, queue.queue_id) == (message.broker, message.topic, message.queue_id)
    });
    let is_done = |delivery: &Delivery| {
        delivery.answer.is_some_and(|answer| answer.done(delivery.messages.len()) == delivery.messages.len())
    };
    own.and_then(|(_, mut all)| all.next_back()).is_some_and(|delivery| !is_done(delivery))
}

/// Whether a topic was deleted and made anew under a group that read behind this message's place in the queue before.
fn stood_behind((history, plan): (&History, &Plan), group: &str, message: &Owed<'_>) -> bool {
    let Some(deleted) = history.deletions.last_before(message.topic, message.at) else { return false };
    history.signs.pulls.iter().any(|pull| {
        let place = &pull.place;
        let is_there =
            scene::brokers(plan).any(|(node, own)| node == pull.broker && own.broker_name == *message.broker);
        is_there
            && pull.at <= deleted + FORGETS
            && message.offset < pull.offset
            && (&*place.group, &*place.topic, place.queue) == (group, message.topic, message.queue_id)
    })
}

/// One subscription a group at each broker: what a member with another one wants is passed over.
const ONE_SUBSCRIPTION: u8 = 16;
/// What a topic's groups have read outlives the topic: where it is made anew they go on there, and what lies in front is
/// passed over. Source: `AdminBrokerProcessor.deleteTopic`, which leaves `ConsumerOffsetManager.offsetTable` as it is, and
/// `DefaultMessageStore.getMessage`, which takes an offset for illegal only if it lies behind the queue's end.
const PLACE_OUTLIVES_TOPIC: u8 = 33;
/// How long members may go on asking for a deleted topic's queues: a pull that is held, and a few that are refused.
const FORGETS: Span = Span::from_secs(60);

/// The lowest offset of each queue that a group was handed.
fn begins<'a>(history: &'a History, group: &str) -> By<(&'a str, &'a str, i32), i64> {
    let lanes = history.lanes_of(group).map(|(queue, all)| {
        let offsets = all.flat_map(|delivery| &*delivery.brief).map(|message| message.offset);
        ((&*queue.broker, &*queue.topic, queue.queue_id), offsets.min().unwrap_or(i64::MAX))
    });
    lanes.collect()
}

/// How often each message was handed to a listener, or to an application that pulled.
pub(super) fn deliveries(
    history: &History,
    only: (Option<&str>, Option<&str>, Option<NodeId>),
    count: &CountRule,
) -> Judged {
    let (key, group, to) = only;
    let key_of = |send: &SendSeen| send.message.properties.get(names::KEYS).map(|key| key.to_string());
    let looked_at: Vec<&SendSeen> =
        history.sends.iter().filter(|send| key.is_none_or(|key| key_of(send).as_deref() == Some(key))).collect();
    if looked_at.is_empty() {
        return Judged::inconclusive("no such message was sent", "没有发送过这样的消息");
    }
    let mut total = 0;
    for send in &looked_at {
        let wanted = content_of(&send.message);
        let in_group = history.deliveries.iter().chain(&history.pulls).filter(|delivery| {
            group.is_none_or(|group| delivery.group == *group) && to.is_none_or(|to| delivery.node == to)
        });
        let hits: Vec<_> = in_group
            .filter(|delivery| delivery.messages.iter().any(|message| content_of(&message.message) == wanted))
            .map(|delivery| delivery.seq)
            .collect();
        total += hits.len();
        if !count.allows(hits.len() as u64) {
            let (name, got) = (label(send), hits.len());
            let witness = std::iter::once(send.seq).chain(hits).collect();
            return Judged::violation(
                "count",
                witness,
                format!("{name} was delivered {got} times, expected {count}"),
                format!("{name} 投递了 {got} 次，预期 {count}"),
            );
        }
    }
    let messages = looked_at.len();
    Judged::pass(
        format!("{total} deliveries of {messages} messages, each {count}"),
        format!("{messages} 条消息共投递 {total} 次，每条 {count}"),
    )
}
