//! Delivered and consumed: states that a message has in each group that pulls its topic.

use crate::lab::locale::words::reason;
use crate::lab::locale::{Lang, Phrase};
use crate::lab::trace::fold::State;
use crate::lab::trace::log::Role;
use crate::lab::trace::record::{App, NodeId, Record, What};
use crate::lab::view::why_not::{Case, Place, Unmet, WhyNot, waits};
use crate::mq::app::{Call, Return};
use crate::mq::fact::Fact;
use crate::mq::message::{Name, StoredMessage};
use crate::mq::node::Timer;
use crate::mq::time::Time;

impl<'a> Case<'a> {
    /// The answers of all groups that pull the topic: met once every one of them is.
    pub(super) fn of_groups(&self, ask: impl Fn(&Case<'_>, &Name) -> WhyNot) -> WhyNot {
        let topic = &self.handles.messages[self.number].1.topic;
        let mut groups: Vec<&Name> = self
            .trace
            .records()
            .iter()
            .filter_map(|record| match &record.what {
                What::Fact(Fact::Pulled { group, topic: pulled, .. }) if pulled == topic => Some(group),
                _ => None,
            })
            .collect();
        groups.sort_unstable();
        groups.dedup();
        if groups.is_empty() {
            let text =
                Phrase::of(format!("no group pulls {topic} in this run"), format!("本次运行中没有消费组拉取 {topic}"));
            // What is gone nobody would be handed, whoever pulled.
            let gone = self.place().and_then(|place| self.gone(&place));
            return waits(vec![gone.unwrap_or(Unmet { text, who: None, since: None, next: None })]);
        }
        let (mut last, mut unmet) = ((0, Time::ZERO), Vec::new());
        for group in groups {
            match ask(self, group) {
                WhyNot::Has(step, at) => last = last.max((step, at)),
                WhyNot::Waits(own) => unmet.extend(own.into_iter().map(|one| Unmet {
                    text: Phrase::of(format!("{group}: {}", one.text.en), format!("{group}：{}", one.text.zh)),
                    ..one
                })),
            }
        }
        if unmet.is_empty() { WhyNot::Has(last.0, last.1) } else { waits(unmet) }
    }

    pub(super) fn delivered(&self, group: &Name) -> WhyNot {
        if let Some((record, _)) = self.handings(group).first() {
            return WhyNot::Has(record.step, record.at);
        }
        if let WhyNot::Waits(unmet) = self.queued() {
            return WhyNot::Waits(unmet);
        }
        let Some(place) = self.place() else { return waits(vec![]) };
        if let Some(unmet) = self.gone(&place) {
            return waits(vec![unmet]);
        }
        if place.topic != self.handles.messages[self.number].1.topic {
            return waits(vec![self.parked(&place)]);
        }
        let (topic, queue) = (&place.topic, format!("{}/{}", place.topic, place.queue_id));
        let broker = &self.picture.nodes[usize::from(place.node.0)];
        let committed = broker.offsets.get(&(group.clone(), topic.clone(), place.queue_id)).copied();
        if let Some(committed) = committed.filter(|committed| place.offset < *committed) {
            let text = Phrase::of(
                format!(
                    "the group stands at {committed} in {queue} and passed over it at {}: it was filtered out, or the group began behind it",
                    place.offset
                ),
                format!(
                    "消费组在 {queue} 的位点是 {committed}，已越过位于 {} 的它：被过滤掉，或该组从其后开始消费",
                    place.offset
                ),
            );
            return waits(vec![Unmet { text, who: None, since: None, next: None }]);
        }
        let members = broker.members.iter().filter(|(own, _, role)| own == group && *role == "consumer").count();
        let clients = self.clients(group);
        if members == 0 && clients.iter().all(|client| self.state(*client) != State::Up) {
            let away = clients.iter().find_map(|client| self.away(*client));
            let text = Phrase::of("no consumer of the group is up", "该消费组没有存活的消费者");
            return waits(vec![away.unwrap_or(Unmet { text, who: None, since: None, next: None })]);
        }
        let owns = |client: &&NodeId| {
            let owned = &self.picture.nodes[usize::from(client.0)].owned;
            let is_there = |broker: &Name| self.trace.name(place.node).starts_with(broker.as_str());
            owned.iter().any(|(own, broker, queue_id)| own == topic && *queue_id == place.queue_id && is_there(broker))
        };
        let Some(owner) = clients.iter().find(owns).copied() else {
            let text = Phrase::of(
                format!("no member of the group has {queue} yet: the next rebalance hands it out"),
                format!("还没有成员分到 {queue}：要等下一次 rebalance"),
            );
            let who = clients.iter().find(|client| self.state(**client) == State::Up).copied();
            return waits(vec![self.unmet(text, who, None, &[Timer::Rebalance])]);
        };
        waits(vec![self.pulled_by(owner, &place)])
    }

    /// Somebody has the queue, and has not been given the message.
    fn pulled_by(&self, owner: NodeId, place: &Place) -> Unmet {
        let (topic, queue_id) = (&place.topic, place.queue_id);
        let name = self.trace.name(owner);
        let last =
            self.before.iter().rev().filter(|record| record.node == Some(owner)).find_map(|record| {
                match &record.what {
                    What::Fact(Fact::PullDelayed { topic: own, queue_id: at, millis, why })
                        if own == topic && *at == queue_id =>
                    {
                        Some((record, (*why).to_owned(), *millis))
                    }
                    What::Fact(Fact::FlowControlled { topic: own, queue_id: at, millis, why, .. })
                        if own == topic && *at == queue_id =>
                    {
                        Some((record, (*why).to_owned(), i64::from(*millis)))
                    }
                    What::Fact(Fact::Received { topic: own, queue_id: at, .. }) if own == topic && *at == queue_id => {
                        Some((record, String::new(), 0))
                    }
                    _ => None,
                }
            });
        if let Some(unmet) = self.away(owner) {
            return unmet;
        }
        if let Some((record, why, millis)) = last.as_ref().filter(|(_, why, _)| !why.is_empty()) {
            let text = Phrase::of(
                format!("{name} put its pull off by {millis} ms: {why}"),
                format!("{name} 把拉取推迟 {millis} 毫秒：{why}"),
            );
            return self.unmet(text, Some(owner), Some(record.step), &[Timer::PullLater]);
        }
        if let Some((record, ..)) = last.as_ref().filter(|(record, ..)| self.has_received(record, place)) {
            let text = Phrase::of(
                format!("{name} has pulled it, and its threads are busy with what came before"),
                format!("{name} 已拉到它，但消费线程还在处理之前的消息"),
            );
            return self.unmet(
                text,
                Some(owner),
                Some(record.step),
                &[Timer::JobDone, Timer::OrderlyScheduled, Timer::ConsumeLater],
            );
        }
        let held = self.picture.nodes[usize::from(place.node.0)].held.contains_key(&(topic.clone(), queue_id));
        let text = match held {
            true => Phrase::of(
                format!("a pull of {name} is held at {}, and will be answered", self.trace.name(place.node)),
                format!("{name} 的拉取请求挂在 {} 上，将得到答复", self.trace.name(place.node)),
            ),
            false => Phrase::of(
                format!("{name} has the queue, and its pull is on the road"),
                format!("{name} 持有该队列，拉取请求在路上"),
            ),
        };
        let who = if held { place.node } else { owner };
        self.unmet(text, Some(who), None, &[Timer::HoldSweep, Timer::PullLater, Timer::RequestDeadline, Timer::Reput])
    }

    /// Whether what a consumer got last of a queue goes as far as the message.
    fn has_received(&self, record: &Record, place: &Place) -> bool {
        matches!(&record.what, What::Fact(Fact::Received { queue_offset, count, .. })
            if *queue_offset <= place.offset && place.offset < queue_offset + i64::from(*count))
    }

    /// A half message whose transaction has ended without it: rolled back, or given up by its broker.
    fn rolled_back(&self, place: &Place) -> Option<Unmet> {
        let over = |record: &Record, en: String, zh: String| {
            Some(Unmet { text: Phrase { en, zh }, who: None, since: Some(record.step), next: None })
        };
        let rolled = self
            .story
            .iter()
            .find(|record| matches!(&record.what, What::Fact(Fact::TransactionEnded { state: "rollback", .. })));
        if let Some(record) = rolled {
            return over(record, "its transaction was rolled back".to_owned(), "它的事务已回滚".to_owned());
        }
        // Each time that a broker asks, it writes the half message anew, and looks at that copy the next time.
        let (mut now, mut written) = (place.offset, (0, place.offset));
        for record in self.before.iter().filter(|record| record.node == Some(place.node)) {
            match &record.what {
                What::Fact(Fact::Appended { topic, queue_offset, .. }) if *topic == place.topic => {
                    written = (record.step, *queue_offset);
                }
                What::Fact(Fact::HalfChecked { half, .. }) if *half == now && written.0 == record.step => {
                    now = written.1;
                }
                What::Fact(Fact::HalfDiscarded { half, why }) if *half == now && place.step < record.step => {
                    let name = self.trace.name(place.node);
                    let (en, zh) = (reason(why, Lang::En), reason(why, Lang::Zh));
                    return over(record, format!("{name} gave it up: {en}"), format!("{name} 放弃了它：{zh}"));
                }
                _ => {}
            }
        }
        None
    }

    /// It lies in the schedule topic, or under the half topic.
    fn parked(&self, place: &Place) -> Unmet {
        let name = self.trace.name(place.node);
        if let Some(unmet) = self.rolled_back(place).filter(|_| *place.topic != *SCHEDULE_TOPIC) {
            return unmet;
        }
        let (text, timer) = match &*place.topic {
            SCHEDULE_TOPIC => (
                Phrase::of(
                    format!("it waits at {name} for its delay, level {}", place.queue_id + 1),
                    format!("它在 {name} 上等待延时，级别 {}", place.queue_id + 1),
                ),
                Timer::Schedule,
            ),
            topic => (
                Phrase::of(
                    format!("it lies under {topic} at {name} until its transaction is decided"),
                    format!("它在 {name} 的 {topic} 下，等待事务有结果"),
                ),
                Timer::TransactionCheck,
            ),
        };
        self.unmet(text, Some(place.node), Some(place.step), &[timer])
    }

    pub(super) fn consumed(&self, group: &Name) -> WhyNot {
        let handings = self.handings(group);
        let answers: Vec<(&Record, bool)> =
            handings.iter().filter_map(|(record, task)| self.listened(record, *task)).collect();
        if let Some((record, _)) = answers.iter().find(|(_, done)| *done) {
            return WhyNot::Has(record.step, record.at);
        }
        let Some((last, _)) = handings.last() else { return self.delivered(group) };
        let name = last.node.map(|node| self.trace.name(node).to_string()).unwrap_or_default();
        let failed = answers.last().filter(|(record, _)| last.seq < record.seq);
        let (text, timers) = match failed {
            None => (
                Phrase::of(
                    format!("the listener of {name} has it and has not answered"),
                    format!("{name} 的监听器正在处理，尚未返回"),
                ),
                vec![Timer::CleanExpired],
            ),
            Some(_) => (
                Phrase::of(
                    format!("the listener of {name} failed it {} times; it waits to be tried again", answers.len()),
                    format!("{name} 的监听器已失败 {} 次，等待重试", answers.len()),
                ),
                vec![Timer::Schedule, Timer::ConsumeLater, Timer::OrderlyScheduled],
            ),
        };
        let dead = self.before.iter().find(|record| {
            let own = |at: i64| self.places().iter().any(|place| place.at == at);
            matches!(&record.what, What::Fact(Fact::DeadLettered { group: own_group, at, .. }) if own_group == group && own(*at))
        });
        if let Some(record) = dead {
            let text = Phrase::of(
                format!("it has failed too often and lies under %DLQ%{group}"),
                format!("失败次数过多，已进入 %DLQ%{group}"),
            );
            return waits(vec![Unmet { text, who: None, since: Some(record.step), next: None }]);
        }
        let step = failed.map_or(last.step, |(record, _)| record.step);
        // A copy that waits for its delay waits at a broker.
        let parked = self.brokers().find_map(|broker| failed.and_then(|_| self.due(broker, &[Timer::Schedule])));
        let mut unmet = self.unmet(text, last.node, Some(step), &timers);
        unmet.next = unmet.next.or(parked);
        waits(vec![unmet])
    }

    /// What a listener answered to a callback, and whether it was done with any of it.
    fn listened(&self, handing: &Record, task: u64) -> Option<(&'a Record, bool)> {
        let own = |record: &&Record| (record.node, record.incarnation) == (handing.node, handing.incarnation);
        self.before.iter().filter(own).find_map(|record| match &record.what {
            What::App(App::Called(call)) => match &**call {
                Call::Listened { task: own, outcome } if own.0 == task => Some((record, 0 < outcome.done(usize::MAX))),
                _ => None,
            },
            _ => None,
        })
    }

    /// Callbacks of a group with the message, each with its task.
    fn handings(&self, group: &Name) -> Vec<(&'a Record, u64)> {
        let is_it = |message: &StoredMessage| self.handles.of_stored(message) == Some(self.number);
        self.before
            .iter()
            .filter_map(|record| match &record.what {
                What::App(App::Returned(answer)) => match &**answer {
                    Return::Listen { task, group: own, messages, .. } if own == group && messages.iter().any(is_it) => {
                        Some((record, task.0))
                    }
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }

    fn brokers(&self) -> impl Iterator<Item = NodeId> {
        let nodes = &self.trace.header.nodes;
        (0_u16..).zip(nodes).filter(|(_, node)| node.role == Role::Broker).map(|(at, _)| NodeId(at))
    }

    /// Clients that ever were members of a group, by the address that their ids begin with.
    fn clients(&self, group: &Name) -> Vec<NodeId> {
        let mut found = Vec::new();
        for record in self.trace.records() {
            let What::Fact(Fact::ClientRegistered { group: own, client, role: "consumer" }) = &record.what else {
                continue;
            };
            let ip = client.split('@').next().unwrap_or_default();
            let node = self.trace.header.nodes.iter().position(|node| node.addr.split(':').next() == Some(ip));
            found.extend(node.filter(|_| own == group).map(|node| NodeId(node as u16)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Source: `ScheduleMessageService.SCHEDULE_TOPIC`.
const SCHEDULE_TOPIC: &str = "SCHEDULE_TOPIC_XXXX";
