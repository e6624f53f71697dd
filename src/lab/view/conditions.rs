//! Conditions to stop at: what is true of a run at a moment, as a person writes it, and the moments at which it becomes true.
//!
//! A moment is looked at behind the step that made the condition true. Nothing here touches a node: it is all folded from the
//! trace.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::lab::fault::episode::EventMatch;
use crate::lab::fault::moment::{self, MomentError};
use crate::lab::locale::Phrase;
use crate::lab::trace::fold::{NodePicture, Picture, State};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, NodeId, What};
use crate::lab::view::life::{self, Life, Stage};
use crate::lab::view::lines::Handles;
use crate::mq::fact::Fact;
use crate::mq::time::Time;

/// A run as far as conditions ask about it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What was recorded.
    pub trace: &'a Trace,
    /// Its messages.
    pub handles: &'a Handles,
    /// The checks that are violated, each with the moment at which that was decided.
    pub violations: &'a [(String, u64)],
}

/// What may be true at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// `lag > 10`, `lag billing > 10`: so many messages are stored and not yet reported as consumed.
    Lag(Option<String>, i64),
    /// `broker-a down`.
    Node(NodeId, NodeIs),
    /// `m10 delivered`: a message, by its place from 0, has come to a stage.
    Message(usize, Stage),
    /// `violation`, `violated CHECK`.
    Violated(Option<String>),
    /// `fault`, `fault outage`.
    Fault(Option<String>),
    /// `append@broker-a`: each event of a kind.
    Event(EventMatch),
    /// `1.25s`.
    At(Time),
}

/// What a node may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeIs {
    /// Its process runs.
    Up,
    /// Dead or without power.
    Down,
    /// It gets no steps.
    Paused,
}

/// Why a text is no condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// Which bytes of the text are meant.
    pub at: Range<usize>,
    /// What is wrong.
    pub what: Phrase,
    /// Examples that can be typed.
    pub help: Phrase,
}

impl Wrong {
    /// The column at which it stands, from 1, in letters.
    pub fn column(&self, text: &str) -> usize {
        text.get(..self.at.start).map_or(1, |before| before.chars().count() + 1)
    }

    /// The whole in one line.
    pub fn told(&self, text: &str) -> Phrase {
        let column = self.column(text);
        Phrase {
            en: format!("column {column}: {}; {}", self.what.en, self.help.en),
            zh: format!("第 {column} 列：{}；{}", self.what.zh, self.help.zh),
        }
    }
}

/// A word of a text and where it stands.
type Word<'t> = (Range<usize>, &'t str);

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let kind = |letter: char| match letter {
        ' ' | '\t' => 0,
        '<' | '>' | '=' => 1,
        _ => 2,
    };
    let mut last = 0;
    for (at, letter) in text.char_indices() {
        let (now, end) = (kind(letter), at + letter.len_utf8());
        match words.last_mut().filter(|_| now == last && now != 0) {
            Some(word) => *word = (word.0.start..end, &text[word.0.start..end]),
            None if now != 0 => words.push((at..end, &text[at..end])),
            None => {}
        }
        last = now;
    }
    words
}

const STAGES: [Stage; 8] = [
    Stage::Sent,
    Stage::Stored,
    Stage::Flushed,
    Stage::Acked,
    Stage::Failed,
    Stage::Delivered,
    Stage::Consumed,
    Stage::Lost,
];

fn examples(run: Run<'_>) -> Phrase {
    let node = run.trace.header.nodes.iter().find(|node| node.role == crate::lab::trace::log::Role::Broker);
    let node = node.map_or("broker-a", |node| node.name.as_str());
    let all = format!("lag > 10, {node} down, m1 delivered, violation, append@{node}, 1.25s");
    Phrase::of(format!("e.g. {all}"), format!("例如 {all}"))
}

/// The condition that a text means for a run.
pub fn parse(text: &str, run: Run<'_>) -> Result<Condition, Wrong> {
    let words = words(text);
    let wrong = |at: Range<usize>, en: String, zh: String| Wrong { at, what: Phrase { en, zh }, help: examples(run) };
    let Some((first, rest)) = words.split_first() else {
        return Err(wrong(0..0, "nothing is written".to_owned(), "没有写条件".to_owned()));
    };
    let nothing_behind = |behind: &[Word<'_>], condition: Condition| match behind.first() {
        None => Ok(condition),
        Some((at, word)) => {
            Err(wrong(at.clone(), format!("`{word}` is one word too many"), format!("`{word}` 是多余的")))
        }
    };
    let missing = |en: &str, zh: &str| wrong(text.len()..text.len(), en.to_owned(), zh.to_owned());
    match first.1 {
        "lag" => lag(text, rest, run),
        "violation" => nothing_behind(rest, Condition::Violated(None)),
        "violated" => match rest.split_first() {
            None => Ok(Condition::Violated(None)),
            Some(((_, id), behind)) => nothing_behind(behind, Condition::Violated(Some((*id).to_owned()))),
        },
        "fault" => match rest.split_first() {
            None => Ok(Condition::Fault(None)),
            Some(((_, name), behind)) => nothing_behind(behind, Condition::Fault(Some((*name).to_owned()))),
        },
        name if run.trace.node(name).is_some() => {
            let node = run.trace.node(name).expect("it was found");
            let Some(((at, word), behind)) = rest.split_first() else {
                return Err(missing("is it to be up, down or paused?", "要写明 up、down 还是 paused"));
            };
            let is = match *word {
                "up" | "运行" => NodeIs::Up,
                "down" | "dead" | "死亡" => NodeIs::Down,
                "paused" | "暂停" => NodeIs::Paused,
                other => {
                    let en = format!("a node is up, down or paused, not `{other}`");
                    return Err(wrong(at.clone(), en, format!("节点是 up、down 或 paused，不是 `{other}`")));
                }
            };
            nothing_behind(behind, Condition::Node(node, is))
        }
        name if run.handles.find(name).is_some() => {
            let number = run.handles.find(name).expect("it was found");
            let names: Vec<String> = STAGES.iter().map(|stage| stage.name().en.to_lowercase()).collect();
            let Some(((at, word), behind)) = rest.split_first() else {
                let all = names.join(", ");
                return Err(missing(&format!("which state: {all}"), &format!("要写明状态：{all}")));
            };
            let is = |stage: &&Stage| stage.name().en.eq_ignore_ascii_case(word) || stage.name().zh == *word;
            let Some(stage) = STAGES.iter().find(is) else {
                let near = moment::nearest(word, names.iter().map(String::as_str));
                let (en, zh) = match near {
                    Some(near) => (format!("did you mean `{near}`?"), format!("是不是 `{near}`？")),
                    None => (format!("the states are {}", names.join(", ")), format!("状态有 {}", names.join("、"))),
                };
                let (en, zh) = (format!("`{word}` is no state; {en}"), format!("`{word}` 不是状态；{zh}"));
                return Err(wrong(at.clone(), en, zh));
            };
            nothing_behind(behind, Condition::Message(number, *stage))
        }
        word if word.starts_with(|letter: char| letter.is_ascii_digit()) => match moment::span(text) {
            Ok(span) => Ok(Condition::At(Time::ZERO + span)),
            Err(error) => Err(of_moment(error, run)),
        },
        word => match moment::event(word) {
            Ok(event) => nothing_behind(rest, Condition::Event(event)),
            Err(error) => {
                let at = first.0.start + error.at.start..first.0.start + error.at.end;
                Err(of_moment(MomentError { at, ..error }, run))
            }
        },
    }
}

fn of_moment(error: MomentError, run: Run<'_>) -> Wrong {
    let near = error.help.starts_with("did you mean").then(|| error.help.clone());
    let help = match near {
        Some(near) => Phrase::of(near.clone(), near.replace("did you mean", "是不是")),
        None => examples(run),
    };
    let zh = error.message.replace(" is neither a time nor an event", " 不是条件");
    Wrong {
        at: error.at,
        what: Phrase::of(error.message.replace("neither a time nor an event", "no condition"), zh),
        help,
    }
}

/// `lag [GROUP] > NUMBER`, behind the first word.
fn lag(text: &str, rest: &[Word<'_>], run: Run<'_>) -> Result<Condition, Wrong> {
    let end = text.len()..text.len();
    let wrong = |at: Range<usize>, en: String, zh: String| Wrong { at, what: Phrase { en, zh }, help: examples(run) };
    let is_sign = |word: &str| word.starts_with(['>', '<', '=']);
    let (group, rest) = match rest.split_first() {
        Some(((at, word), behind)) if !is_sign(word) => {
            let known: Vec<String> = lags(run.trace).into_keys().collect();
            if !known.iter().any(|group| group == word) {
                let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let en = format!("no group `{word}` reports offsets in this run: {all}");
                return Err(wrong(at.clone(), en, format!("本次运行没有消费组 `{word}` 上报位点：{all}")));
            }
            (Some((*word).to_owned()), behind)
        }
        _ => (None, rest),
    };
    let (more, rest) = match rest.split_first() {
        Some(((_, ">"), behind)) => (0, behind),
        Some(((_, ">="), behind)) => (1, behind),
        Some(((at, word), _)) => {
            let en = format!("lag is compared with `>` or `>=`, not `{word}`");
            return Err(wrong(at.clone(), en, format!("积压用 `>` 或 `>=` 比较，不是 `{word}`")));
        }
        None => return Err(wrong(end, "lag is compared with `>`".to_owned(), "积压要用 `>` 比较".to_owned())),
    };
    match rest {
        [(at, number)] => match number.parse::<i64>() {
            Ok(number) => Ok(Condition::Lag(group, number - more)),
            Err(_) => {
                let en = format!("`{number}` is no number of messages");
                Err(wrong(at.clone(), en, format!("`{number}` 不是消息条数")))
            }
        },
        [] => Err(wrong(end, "a number of messages is missing".to_owned(), "缺少消息条数".to_owned())),
        [_, (at, word), ..] => {
            Err(wrong(at.clone(), format!("`{word}` is one word too many"), format!("`{word}` 是多余的")))
        }
    }
}

impl Condition {
    /// The moments at which it becomes true, in order, each once.
    pub fn moments(&self, run: Run<'_>) -> Vec<u64> {
        let mut moments: Vec<u64> = match self {
            Condition::Lag(group, number) => {
                let lags = lags(run.trace);
                let wanted = lags.iter().filter(|(name, _)| group.as_ref().is_none_or(|group| group == *name));
                wanted.flat_map(|(_, series)| rising(series, |lag| *number < lag)).collect()
            }
            Condition::Node(node, is) => rising(&states(run.trace, *node), |state| is.holds(state)),
            Condition::Message(number, stage) => {
                let life = Life::of(run.trace, run.handles, *number);
                life.steps(*stage).map(|step| step + 1).collect()
            }
            Condition::Violated(id) => {
                let wanted = run.violations.iter().filter(|(name, _)| id.as_ref().is_none_or(|id| id == name));
                wanted.map(|(_, at)| *at).collect()
            }
            Condition::Fault(wanted) => {
                let begun = run.trace.records().iter().filter(|record| match &record.what {
                    What::Fault(Fault::Begun { name, .. }) => {
                        wanted.as_ref().is_none_or(|wanted| *name == wanted.as_str())
                    }
                    _ => false,
                });
                begun.map(|record| record.step + 1).collect()
            }
            Condition::Event(event) => {
                let records = run.trace.records().iter();
                records.filter(|record| moment::is(event, record, run.trace)).map(|record| record.step + 1).collect()
            }
            Condition::At(time) => {
                let records = run.trace.records();
                let behind = records.partition_point(|record| record.at < *time);
                records.get(behind).map(|record| record.step).into_iter().collect()
            }
        };
        moments.sort_unstable();
        moments.dedup();
        moments
    }
}

impl NodeIs {
    fn holds(self, state: State) -> bool {
        match self {
            NodeIs::Up => state == State::Up,
            NodeIs::Down => matches!(state, State::Down | State::Off),
            NodeIs::Paused => state == State::Paused,
        }
    }
}

/// Where a series begins to be as wanted.
fn rising<T: Copy>(series: &[(u64, T)], is_it: impl Fn(T) -> bool) -> Vec<u64> {
    let mut was = false;
    let mut moments = Vec::new();
    for (at, value) in series {
        let is = is_it(*value);
        if is && !was {
            moments.push(*at);
        }
        was = is;
    }
    moments
}

/// What a node is, from each moment on.
fn states(trace: &Trace, node: NodeId) -> Vec<(u64, State)> {
    let mut picture = Picture::new(trace.header.nodes.len());
    let mut states = Vec::new();
    for record in trace.records().iter().filter(|record| record.node == Some(node)) {
        if matches!(record.what, What::Machine(_)) {
            picture.fold(record);
            states.push((record.step + 1, picture.nodes[usize::from(node.0)].state));
        }
    }
    states
}

/// What each group lags behind, over all brokers, from each moment on: messages that its queues hold beyond the offsets that it
/// has reported. A broker that is down counts for nothing.
pub fn lags(trace: &Trace) -> BTreeMap<String, Vec<(u64, i64)>> {
    let mut picture = Picture::new(trace.header.nodes.len());
    let mut all: BTreeMap<String, Vec<(u64, i64)>> = BTreeMap::new();
    for record in trace.records() {
        picture.fold(record);
        let may_change = match &record.what {
            What::Machine(_) => true,
            What::Fact(fact) => matches!(
                fact,
                Fact::Queued { .. }
                    | Fact::OffsetCommitted { .. }
                    | Fact::Recovered { .. }
                    | Fact::QueueRecovered { .. }
            ),
            _ => false,
        };
        if !may_change {
            continue;
        }
        let mut now: BTreeMap<String, i64> = all.keys().map(|group| (group.clone(), 0)).collect();
        for NodePicture { queues, offsets, .. } in &picture.nodes {
            for ((group, topic, queue), offset) in offsets {
                let end = queues.get(&(topic.clone(), *queue)).map_or(0, |(_, end)| *end);
                *now.entry(group.to_string()).or_insert(0) += (end - offset).max(0);
            }
        }
        for (group, lag) in now {
            let series = all.entry(group).or_default();
            if series.last().is_none_or(|(_, last)| *last != lag) {
                series.push((record.step + 1, lag));
            }
        }
    }
    all
}

/// A condition that is true somewhere in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// As it is typed.
    pub text: String,
    /// What it means.
    pub means: Phrase,
    /// How often it becomes true.
    pub times: usize,
}

/// Kinds of events that are offered, with what they are.
const OFFERED: [(&str, &str, &str); 7] = [
    ("send-ok", "a producer hears SEND_OK", "生产者收到 SEND_OK"),
    ("send-failed", "a send fails", "发送失败"),
    ("append", "a broker writes a record", "Broker 写入一条记录"),
    ("flush", "a broker's log is forced to its disk", "Broker 的日志落盘"),
    ("recover", "a broker recovers its store", "Broker 恢复存储"),
    ("deliver", "a listener is called", "监听器被调用"),
    ("commit", "a group's offset is reported", "消费组上报位点"),
];

/// Conditions that are true somewhere, what matters most first.
pub fn ready(run: Run<'_>) -> Vec<Ready> {
    let mut all: Vec<Ready> = Vec::new();
    let mut offer = |text: String, en: String, zh: String| {
        if let Ok(condition) = parse(&text, run) {
            let times = condition.moments(run).len();
            if 0 < times {
                all.push(Ready { text, means: Phrase { en, zh }, times });
            }
        }
    };
    offer("violation".to_owned(), "a check is violated".to_owned(), "有检查被违反".to_owned());
    for (id, _) in run.violations {
        offer(format!("violated {id}"), format!("the check {id} is violated"), format!("检查 {id} 被违反"));
    }
    offer("fault".to_owned(), "a fault begins".to_owned(), "故障开始".to_owned());
    for node in &run.trace.header.nodes {
        let name = &node.name;
        offer(format!("{name} down"), format!("{name} dies or loses power"), format!("{name} 死亡或断电"));
    }
    for (group, series) in lags(run.trace) {
        let most = series.iter().map(|(_, lag)| *lag).max().unwrap_or(0);
        let half = most / 2;
        if 1 < most {
            let en = format!("{group} is more than {half} messages behind");
            offer(format!("lag {group} > {half}"), en, format!("{group} 积压超过 {half} 条"));
        }
    }
    for number in life::lost(run.trace, run.handles).into_iter().take(3) {
        let name = run.handles.name(number);
        offer(format!("m{} lost", number + 1), format!("{name} is lost"), format!("{name} 丢失"));
    }
    for (event, en, zh) in OFFERED {
        offer(event.to_owned(), en.to_owned(), zh.to_owned());
    }
    all
}
