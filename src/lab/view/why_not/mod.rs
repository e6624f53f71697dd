//! Why something has not happened: what a message's next state waits for, who must act, and when its next timer fires.
//!
//! Each state has its conditions, in the order in which they are met; the first that is not is the answer. What is said here
//! is folded from what the nodes said before the moment that is looked at, as everything that is drawn.

use std::collections::BTreeMap;

use crate::lab::locale::{Lang, Phrase, Words, words};
use crate::lab::trace::fold::{Picture, Pictures, State};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{App, Clock, FrameNote, Machine, NodeId, Record, Road, What};
use crate::lab::view::lines::Handles;
use crate::lab::view::story::{self, SENDS};
use crate::mq::app::{AppError, Return};
use crate::mq::fact::Fact;
use crate::mq::message::Topic;
use crate::mq::node::{Timer, TimerKey};
use crate::mq::time::Time;

mod groups;

/// A state of a message's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// Its application has called `send`.
    Sent,
    /// A record of it stands in a log.
    Stored,
    /// The record is durable.
    Flushed,
    /// The producer has heard that it was taken in.
    Acked,
    /// Its consume queue leads to it.
    Queued,
    /// A listener has been called with it.
    Delivered,
    /// A listener has said that it is done.
    Consumed,
}

/// All of them, in order.
pub const ALL: [Wanted; 7] =
    [Wanted::Sent, Wanted::Stored, Wanted::Flushed, Wanted::Acked, Wanted::Queued, Wanted::Delivered, Wanted::Consumed];

impl Wanted {
    /// Its name, as it is asked for.
    pub fn name(self) -> &'static str {
        self.word().en
    }

    /// Its name in both languages.
    pub fn word(self) -> Words {
        match self {
            Wanted::Sent => words::SENT,
            Wanted::Stored => words::STORED,
            Wanted::Flushed => words::FLUSHED,
            Wanted::Acked => words::ACKED,
            Wanted::Queued => words::QUEUED,
            Wanted::Delivered => words::DELIVERED,
            Wanted::Consumed => words::DONE,
        }
    }

    /// As it is told: in Chinese with the name by which it is asked for.
    pub fn told(self, lang: Lang) -> String {
        match lang {
            Lang::En => self.name().to_owned(),
            Lang::Zh => format!("{}（{}）", self.word().zh, self.name()),
        }
    }
}

/// An answer to *why not*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WhyNot {
    /// It has: in this step, at this moment.
    Has(u64, Time),
    /// It waits.
    Waits(Vec<Unmet>),
}

/// A condition that is not met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unmet {
    /// What is missing.
    pub text: Phrase,
    /// Who must act, by its name; nobody if it is too late.
    pub who: Option<String>,
    /// The step since which it is so, where one can be named.
    pub since: Option<u64>,
    /// The timer by which whoever must act will look next, if one is set.
    pub next: Option<Due>,
}

/// A timer that is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Whose.
    pub node: String,
    /// Which.
    pub timer: Service,
    /// When it fires, in true time as it runs for its node.
    pub at: Time,
}

/// The upstream service or task that a timer stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Service(Timer);

impl Service {
    /// Its name: `FlushCommitLog`.
    pub fn name(self) -> String {
        format!("{:?}", self.0)
    }
}

/// Where a message was stored.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    node: NodeId,
    step: u64,
    topic: Topic,
    queue_id: i32,
    offset: i64,
    at: i64,
    end: i64,
}

/// What a question is about: a message at a moment.
struct Case<'a> {
    trace: &'a Trace,
    handles: &'a Handles,
    number: usize,
    /// What had happened.
    before: &'a [Record],
    /// Of that, what belongs to the message's trip.
    story: Vec<&'a Record>,
    picture: Picture,
}

/// Why a message, by its place from 0, is not in a state at the moment `#step`.
///
/// Delivered and consumed are asked for each group that ever pulls the message's topic.
pub fn of(
    (trace, handles, pictures): (&Trace, &Handles, &Pictures),
    number: usize,
    wanted: Wanted,
    step: u64,
) -> WhyNot {
    let before = trace.before(step);
    let lines = story::of(trace, handles, number, Lang::En);
    let story = lines.iter().filter(|line| line.step < step).filter_map(|line| trace.get(line.seq)).collect();
    let case = Case { trace, handles, number, before, story, picture: pictures.at(trace, step) };
    case.answer(wanted)
}

impl<'a> Case<'a> {
    fn answer(&self, wanted: Wanted) -> WhyNot {
        match wanted {
            Wanted::Sent => self.sent(),
            Wanted::Stored => self.stored(),
            Wanted::Flushed => self.flushed(),
            Wanted::Acked => self.acked(),
            Wanted::Queued => self.queued(),
            Wanted::Delivered => self.of_groups(|case, group| case.delivered(group)),
            Wanted::Consumed => self.of_groups(|case, group| case.consumed(group)),
        }
    }

    fn sent(&self) -> WhyNot {
        let (call, _) = &self.handles.messages[self.number];
        let Some(call) = self.trace.get(*call) else { return waits(vec![]) };
        if self.before.last().is_some_and(|last| call.seq <= last.seq) {
            return WhyNot::Has(call.step, call.at);
        }
        let who = call.node.map(|node| self.trace.name(node).to_string());
        let text = Phrase::of(
            format!("its application calls send in #{}, at {}", call.step, call.at),
            format!("应用在 #{}（{}）才调用 send", call.step, call.at),
        );
        waits(vec![Unmet { text, who, since: None, next: None }])
    }

    fn stored(&self) -> WhyNot {
        if let Some(place) = self.place() {
            return WhyNot::Has(place.step, self.trace.time(place.step));
        }
        if let WhyNot::Waits(unmet) = self.sent() {
            return WhyNot::Waits(unmet);
        }
        if let Some((record, error)) = self.failure() {
            let text =
                Phrase::of(format!("its send has failed: {}", error.text), format!("发送已失败：{}", error.text));
            return waits(vec![Unmet { text, who: None, since: Some(record.step), next: None }]);
        }
        let request = |record: &&'a Record| match &record.what {
            What::Road(Road::Sent { to, frame, .. }) if frame.flag & 1 == 0 => Some((*record, *to, frame)),
            _ => None,
        };
        let requests = || self.story.iter().rev().filter_map(request);
        // Routes are asked for again and again; what carries the message is what it waits for.
        let carries = |(.., frame): &(&Record, NodeId, &FrameNote)| SENDS.contains(&frame.code);
        let sent = requests().find(carries).or_else(|| requests().next());
        let sent = sent.map(|(record, to, frame)| (record, to, frame.label));
        let Some((frame, to, label)) = sent else { return waits(vec![self.no_route()]) };
        waits(vec![self.on_the_way(frame, to, label, Timer::Reput)])
    }

    /// No frame of it has left: its producer has no route, or no connection.
    fn no_route(&self) -> Unmet {
        let (call, message) = &self.handles.messages[self.number];
        let producer = self.trace.get(*call).and_then(|call| call.node);
        let topic = &message.topic;
        let has_route = self.before.iter().any(|record| {
            record.node == producer
                && matches!(&record.what, What::Fact(Fact::RouteLearned { topic: known, .. }) if known == topic)
        });
        let text = match has_route {
            true => Phrase::of(
                format!(
                    "the producer has a route for {topic}, and no frame has left yet: its connection is being opened, or it waits to try again"
                ),
                format!("生产者已有 {topic} 的路由，但还没有发出帧：连接正在建立，或在等待重试"),
            ),
            false => {
                Phrase::of(format!("the producer has no route for {topic} yet"), format!("生产者还没有 {topic} 的路由"))
            }
        };
        let since = self.trace.get(*call).map(|call| call.step);
        self.unmet(text, producer, since, &[Timer::RequestDeadline, Timer::SendDeadline, Timer::RoutePoll])
    }

    /// A frame that has left: on its way, lost, or with somebody who has not acted on it. The trace knows what comes of it.
    fn on_the_way(&self, frame: &Record, to: NodeId, label: &str, acts: Timer) -> Unmet {
        let name = self.trace.name(to);
        let patience = [Timer::RequestDeadline, Timer::SendDeadline];
        let arrival =
            self.trace.records().iter().find(|record| {
                record.cause == Some(frame.seq) && matches!(record.what, What::Road(Road::Arrived { .. }))
            });
        let Some(arrival) = arrival else {
            let text = Phrase::of(
                format!("{label} left for {name} in #{} and never comes in", frame.step),
                format!("{label} 在 #{} 发往 {name}，始终没有到达", frame.step),
            );
            return self.unmet(text, frame.node, Some(frame.step), &patience);
        };
        if self.before.last().is_none_or(|last| last.seq < arrival.seq) {
            let (step, at) = (arrival.step, arrival.at);
            let text = Phrase::of(
                format!("{label} is on its way to {name}, where it comes in at {at}, #{step}"),
                format!("{label} 正在去 {name} 的路上，{at}（#{step}）到达"),
            );
            return self.unmet(text, Some(to), Some(frame.step), &[]);
        }
        if let Some(unmet) = self.away(to) {
            return unmet;
        }
        let text = Phrase::of(
            format!("{name} has got {label} and has not done it"),
            format!("{name} 已收到 {label}，尚未处理完"),
        );
        let timers = [Timer::JobDone, Timer::FastFailure, Timer::GroupCommit, Timer::PutDeadline, acts];
        self.unmet(text, Some(to), Some(arrival.step), &timers)
    }

    /// A node that does not run: since when, and when it does again.
    fn away(&self, node: NodeId) -> Option<Unmet> {
        let state = self.state(node);
        if state == State::Up {
            return None;
        }
        let name = self.trace.name(node);
        let last = self.before.last().map(|last| last.seq);
        let back = self.trace.records().iter().find(|record| {
            let is_back = matches!(record.what, What::Machine(Machine::Booted | Machine::Resumed));
            record.node == Some(node) && is_back && last < Some(record.seq)
        });
        let (en, zh) = match back {
            Some(back) => (
                format!("it runs again at {}, #{}", back.at, back.step),
                format!("{}（#{}）恢复运行", back.at, back.step),
            ),
            None => ("it does not come back in this run".to_owned(), "本次运行中不再恢复".to_owned()),
        };
        let text = Phrase::of(format!("{name} {}; {en}", state_en(state)), format!("{name} {}；{zh}", state_zh(state)));
        let who = back.map(|_| name.to_string());
        Some(Unmet { text, who, since: self.ended(node), next: None })
    }

    fn flushed(&self) -> WhyNot {
        let Some(place) = self.place() else { return self.stored() };
        let broker = &self.picture.nodes[usize::from(place.node.0)];
        let name = self.trace.name(place.node);
        let forced = self.before.iter().find(|record| {
            record.node == Some(place.node)
                && place.step <= record.step
                && matches!(record.what, What::Fact(Fact::Flushed { to, .. }) if place.end <= to)
        });
        if let Some(record) = forced {
            return WhyNot::Has(record.step, record.at);
        }
        if let Some(unmet) = self.gone(&place) {
            return waits(vec![unmet]);
        }
        let (flushed, log_end) = (broker.flushed, broker.log_end);
        let dirty = (log_end / PAGE - flushed / PAGE).max(0);
        let text = Phrase::of(
            format!(
                "{name} has forced its log up to {flushed}, the record ends at {}; {dirty} whole pages wait, and below four \
                 of them only every tenth second is forced (FLUSH_DISK async)",
                place.end
            ),
            format!(
                "{name} 的日志已刷盘到 {flushed}，该记录结束于 {}；有 {dirty} 个整页待刷，不足四页时（异步刷盘）每十秒才刷一次",
                place.end
            ),
        );
        waits(vec![self.unmet(
            text,
            Some(place.node),
            Some(place.step),
            &[Timer::FlushCommitLog, Timer::GroupCommit, Timer::CommitLog],
        )])
    }

    /// Its record is not there any more, or nobody is up who has it.
    fn gone(&self, place: &Place) -> Option<Unmet> {
        let name = self.trace.name(place.node);
        let lost = self.before.iter().find(|record| {
            let shorter = matches!(record.what, What::Fact(Fact::Recovered { log_end, .. }) if log_end < place.end);
            record.node == Some(place.node) && place.step < record.step && shorter
        });
        if let Some(record) = lost {
            let text = Phrase::of(
                format!("{name} recovered without it: its log ended before {}", place.end),
                format!("{name} 恢复后没有它：日志在 {} 之前结束", place.end),
            );
            return Some(Unmet { text, who: None, since: Some(record.step), next: None });
        }
        self.away(place.node)
    }

    fn acked(&self) -> WhyNot {
        let told = self.story.iter().find(|record| match &record.what {
            What::App(App::Returned(answer)) => {
                matches!(**answer, Return::Sent { .. } | Return::SentInTransaction { .. })
            }
            _ => false,
        });
        if let Some(record) = told {
            return WhyNot::Has(record.step, record.at);
        }
        let Some(place) = self.place() else { return self.stored() };
        if let Some((record, error)) = self.failure() {
            let text = Phrase::of(
                format!("it is stored, and its producer was told an error: {}", error.text),
                format!("它已写入，但生产者得到的是错误：{}", error.text),
            );
            return waits(vec![Unmet { text, who: None, since: Some(record.step), next: None }]);
        }
        let answer = self.before.iter().rev().find_map(|record| match &record.what {
            What::Road(Road::Sent { to, frame, .. })
                if record.node == Some(place.node) && frame.flag & 1 == 1 && place.step <= record.step =>
            {
                self.story.iter().any(|own| own.seq == record.seq).then_some((record, *to, frame.label))
            }
            _ => None,
        });
        if let Some((frame, to, label)) = answer {
            return waits(vec![self.on_the_way(frame, to, label, Timer::JobDone)]);
        }
        if let Some(unmet) = self.gone(&place) {
            return waits(vec![unmet]);
        }
        let name = self.trace.name(place.node);
        let text = Phrase::of(
            format!(
                "{name} has stored it and has not answered: it waits for the disk (SYNC_FLUSH) or for its slave (SYNC_MASTER)"
            ),
            format!("{name} 已写入但还没有答复：在等磁盘（SYNC_FLUSH）或 Slave（SYNC_MASTER）"),
        );
        let timers = [Timer::GroupCommit, Timer::PutDeadline, Timer::HaTransfer, Timer::JobDone];
        waits(vec![self.unmet(text, Some(place.node), Some(place.step), &timers)])
    }

    fn queued(&self) -> WhyNot {
        let Some(place) = self.place() else { return self.stored() };
        let entry = self.before.iter().find(|record| {
            record.node == Some(place.node)
                && place.step <= record.step
                && matches!(&record.what, What::Fact(Fact::Queued { at, .. }) if *at == place.at)
        });
        if let Some(record) = entry {
            return WhyNot::Has(record.step, record.at);
        }
        if let Some(unmet) = self.gone(&place) {
            return waits(vec![unmet]);
        }
        let name = self.trace.name(place.node);
        let text = Phrase::of(
            format!(
                "{name} has not followed its log to {}: ReputMessageService has still to read the record",
                place.at
            ),
            format!("{name} 还没有分发到日志的 {}：ReputMessageService 尚未读到该记录", place.at),
        );
        waits(vec![self.unmet(text, Some(place.node), Some(place.step), &[Timer::Reput])])
    }

    /// Where it was stored, copies that were put again under other topics included.
    fn places(&self) -> Vec<Place> {
        let stored = self.story.iter().filter_map(|record| match &record.what {
            What::Fact(Fact::Appended { topic, queue_id, size, at, queue_offset }) => Some(Place {
                node: record.node?,
                step: record.step,
                topic: topic.clone(),
                queue_id: *queue_id,
                offset: *queue_offset,
                at: *at,
                end: at + i64::from(*size),
            }),
            _ => None,
        });
        stored.collect()
    }

    fn place(&self) -> Option<Place> {
        self.places().pop()
    }

    fn failure(&self) -> Option<(&'a Record, &'a AppError)> {
        self.story.iter().find_map(|record| match &record.what {
            What::App(App::Returned(answer)) => match &**answer {
                Return::Failed { error, .. } => Some((*record, error)),
                _ => None,
            },
            _ => None,
        })
    }

    fn state(&self, node: NodeId) -> State {
        self.picture.nodes[usize::from(node.0)].state
    }

    /// When a node's last process ended.
    fn ended(&self, node: NodeId) -> Option<u64> {
        let own = self.before.iter().rev().filter(|record| record.node == Some(node));
        own.map(|record| (record.step, &record.what))
            .find(|(_, what)| matches!(what, What::Machine(_)))
            .map(|(step, _)| step)
    }

    fn unmet(&self, text: Phrase, who: Option<NodeId>, since: Option<u64>, timers: &[Timer]) -> Unmet {
        let next = who.and_then(|who| self.due(who, timers));
        Unmet { text, who: who.map(|who| self.trace.name(who).to_string()), since, next }
    }

    /// The earliest of some timers that a node has set.
    fn due(&self, node: NodeId, timers: &[Timer]) -> Option<Due> {
        let mut set: BTreeMap<TimerKey, Time> = BTreeMap::new();
        for record in self.before.iter().filter(|record| record.node == Some(node)) {
            match &record.what {
                What::Clock(Clock::Armed { timer, at }) => {
                    // From the node's clock to the true one, as far apart as they are when it is set.
                    let ahead = at.0.saturating_sub(record.mono.0);
                    set.insert(*timer, Time(record.at.0 + ahead));
                }
                What::Clock(Clock::Disarmed { timer } | Clock::Fired { timer }) => drop(set.remove(timer)),
                What::Machine(machine) if machine.ends() => set.clear(),
                _ => {}
            }
        }
        let own = set.into_iter().filter(|(timer, _)| timers.contains(&timer.name));
        let (timer, at) = own.min_by_key(|(_, at)| *at)?;
        Some(Due { node: self.trace.name(node).to_string(), timer: Service(timer.name), at })
    }
}

fn waits(unmet: Vec<Unmet>) -> WhyNot {
    WhyNot::Waits(unmet)
}

fn state_en(state: State) -> &'static str {
    match state {
        State::Waiting => "has not booted yet",
        State::Up => "is up",
        State::Paused => "stands still",
        State::Down => "is down",
        State::Off => "has no power",
    }
}

fn state_zh(state: State) -> &'static str {
    match state {
        State::Waiting => "尚未启动",
        State::Up => "正在运行",
        State::Paused => "停顿中",
        State::Down => "已停止",
        State::Off => "没有电",
    }
}

/// `MappedFile.OS_PAGE_SIZE`.
const PAGE: i64 = 4_096;
