//! View 3, queues: how far each group has got in each queue, what stands in the way, and which timers fire next.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::locale::{Lang, views};
use crate::lab::trace::fold::{NodePicture, Picture, State};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::NodeId;
use crate::lab::view::backstage::{Backstage, Hands};
use crate::lab::view::scene::{At, Pick, Scene};
use crate::lab::view::sheet::{self, Body, Cell, Column, Pane, Sheet, Tone};
use crate::mq::message::{MessageQueue, Name};

/// What the version of the data is called: `mqlab.view.queues/1`.
pub const SCHEMA: &str = "mqlab.view.queues/1";

/// The queues at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Queues {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// Each queue that holds anything, once for each group that consumes it; applications' topics first.
    pub lanes: Vec<Lane>,
    /// Which of them is looked at.
    pub chosen: Option<usize>,
    /// What may be said of that one, in sentences.
    pub about: Vec<String>,
    /// Timers that are set, the next first.
    pub timers: Vec<Timer>,
}

/// A queue, as one group or nobody consumes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Lane {
    /// The broker's node.
    pub broker: String,
    /// The topic.
    pub topic: String,
    /// The queue's number.
    pub queue_id: i32,
    /// The group; `null` if nobody consumes it.
    pub group: Option<String>,
    /// Which client has it; `null` if nobody.
    pub owner: Option<String>,
    /// The first place.
    pub min: i64,
    /// One past the last.
    pub max: i64,
    /// The group's next place, as the broker has noted it.
    pub committed: Option<i64>,
    /// Places in a listener's hands.
    pub hand: Vec<i64>,
    /// Places that are done and above the committed one.
    pub done: Vec<i64>,
    /// How many the group is behind.
    pub lag: Option<i64>,
    /// Pulls that wait at the broker for something to come.
    pub held: u64,
    /// Not data: for picking.
    #[serde(skip)]
    node: NodeId,
}

/// A timer that is set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Timer {
    /// Whose.
    pub node: String,
    /// Which upstream service or task it stands for.
    pub timer: String,
    /// Nanoseconds of virtual time at which it fires.
    pub ns: u64,
    /// The same for people.
    pub time: String,
    /// How long that is from now, for people.
    pub after: String,
}

/// The queues at a scene's moment.
pub fn of(scene: &Scene<'_>) -> Queues {
    let (picture, backstage) = (scene.picture(), scene.backstage());
    let mut lanes = Vec::new();
    for node in scene.nodes(Role::Broker) {
        if is_stand_in(scene, &picture, node) {
            lanes_of(scene, (&picture, &backstage), node, &mut lanes);
        }
    }
    lanes.sort_by_cached_key(|lane| {
        let rank = match lane.topic.as_str() {
            topic if topic.starts_with('%') => 1,
            topic if SYSTEM.contains(&topic) => 2,
            _ => 0,
        };
        (rank, lane.topic.clone(), lane.broker.clone(), lane.queue_id, lane.group.clone())
    });
    let chosen = chosen(scene, &lanes);
    let about = chosen.map_or_else(Vec::new, |at| about(scene, &backstage, &lanes[at]));
    Queues { schema: SCHEMA, at: scene.at(), lanes, chosen, about, timers: timers(scene, &backstage) }
}

/// Whether a broker's queues are those that its clients see: a master's, or a slave's whose master does not run.
fn is_stand_in(scene: &Scene<'_>, picture: &Picture, node: NodeId) -> bool {
    let own = scene.broker(node);
    let is_up = |node: NodeId| matches!(picture.nodes[usize::from(node.0)].state, State::Up | State::Paused);
    let mut masters = scene.nodes(Role::Broker).filter(|other| *other != node && !scene.is_slave(*other));
    !scene.is_slave(node) || !masters.any(|master| scene.broker(master) == own && is_up(master))
}

fn lanes_of(scene: &Scene<'_>, (picture, backstage): (&Picture, &Backstage), node: NodeId, lanes: &mut Vec<Lane>) {
    let broker = &picture.nodes[usize::from(node.0)];
    for ((topic, queue_id), (min, max)) in broker.queues.iter().filter(|(_, (_, max))| 0 < *max) {
        let queue = MessageQueue { topic: topic.clone(), broker: scene.broker(node), queue_id: *queue_id };
        let groups = groups(scene, picture, broker, &queue);
        let groups = if groups.is_empty() { vec![None] } else { groups.into_iter().map(Some).collect() };
        for group in groups {
            let committed = group
                .as_ref()
                .and_then(|group| broker.offsets.get(&(group.clone(), topic.clone(), *queue_id)).copied());
            let owner = group.as_ref().and_then(|group| owner(scene, picture, group, &queue));
            let hands = group.as_ref().zip(owner);
            let hands = hands.and_then(|(group, owner)| backstage.hands.get(&(owner, group.clone(), queue.clone())));
            let above = |place: &&i64| committed.unwrap_or(*min) <= **place && **place < *max;
            let places = |own: fn(&Hands) -> Vec<&i64>| -> Vec<i64> {
                hands.map(|hands| own(hands).into_iter().filter(above).copied().collect()).unwrap_or_default()
            };
            lanes.push(Lane {
                node,
                broker: scene.name(node),
                topic: topic.to_string(),
                queue_id: *queue_id,
                owner: owner.map(|owner| scene.name(owner)),
                min: *min,
                max: *max,
                committed,
                hand: places(|hands| hands.open.keys().collect()),
                done: places(|hands| hands.done.iter().collect()),
                // A slave's own account of the groups is its master's; what it has not noted it does not owe.
                lag: group.as_ref().and(committed.or((!scene.is_slave(node)).then_some(*min))).map(|from| max - from),
                held: broker.held.get(&(topic.clone(), *queue_id)).copied().unwrap_or(0),
                group: group.map(|group| group.to_string()),
            });
        }
    }
}

/// The groups that consume a queue: those that the broker has noted a place of, and those of a client that has it.
fn groups(scene: &Scene<'_>, picture: &Picture, broker: &NodePicture, queue: &MessageQueue) -> Vec<Name> {
    let noted = broker.offsets.keys().filter(|(_, topic, id)| *topic == queue.topic && *id == queue.queue_id);
    let mut groups: BTreeSet<Name> = noted.map(|(group, ..)| group.clone()).collect();
    for client in scene.nodes(Role::Client) {
        if owns(picture, client, queue) {
            let own = broker.members.iter().filter(|(_, id, role)| *role == "consumer" && is_of(scene, client, id));
            groups.extend(own.map(|(group, ..)| group.clone()));
        }
    }
    groups.into_iter().collect()
}

fn owner(scene: &Scene<'_>, picture: &Picture, group: &Name, queue: &MessageQueue) -> Option<NodeId> {
    let is_member = |client: NodeId| {
        let brokers = scene.nodes(Role::Broker).map(|node| &picture.nodes[usize::from(node.0)]);
        brokers.flat_map(|broker| &broker.members).any(|(own, id, _)| own == group && is_of(scene, client, id))
    };
    scene.nodes(Role::Client).find(|client| owns(picture, *client, queue) && is_member(*client))
}

fn owns(picture: &Picture, client: NodeId, queue: &MessageQueue) -> bool {
    let place = (queue.topic.clone(), queue.broker.clone(), queue.queue_id);
    picture.nodes[usize::from(client.0)].owned.contains(&place)
}

/// Whether a client's id is that of a node: it begins with its address.
fn is_of(scene: &Scene<'_>, node: NodeId, id: &str) -> bool {
    let addr = &scene.trace.header.nodes[usize::from(node.0)].addr;
    addr.split(':').next() == id.split('@').next()
}

/// The lane that is looked at: the one that was picked, or the message's.
fn chosen(scene: &Scene<'_>, lanes: &[Lane]) -> Option<usize> {
    if let Some(Pick::Queue { node, topic, queue_id, group }) = &scene.focus.pick {
        return lanes.iter().position(|lane| {
            lane.node == *node
                && lane.topic == *topic
                && lane.queue_id == *queue_id
                && lane.group.as_deref().unwrap_or_default() == group
        });
    }
    let (node, at) = scene.record()?;
    let letter = scene.index.ledger.in_log(node, at, scene.step)?;
    let own = |lane: &Lane| lane.topic == letter.topic && lane.queue_id == letter.queue_id;
    let at_home = lanes.iter().position(|lane| own(lane) && lane.node == node);
    at_home.or_else(|| lanes.iter().position(own))
}

/// What may be said of a lane.
fn about(scene: &Scene<'_>, backstage: &Backstage, lane: &Lane) -> Vec<String> {
    let say = |en: String, zh: String| if scene.lang == Lang::Zh { zh } else { en };
    let name = |place: i64| {
        let letter = scene.index.ledger.in_queue((lane.node, &lane.topic, lane.queue_id), place, scene.step);
        match letter.and_then(|letter| letter.message) {
            Some(number) => format!("#{place} {}", scene.message(number)),
            None => format!("#{place}"),
        }
    };
    let Some(group) = &lane.group else {
        return vec![say("no group consumes this queue".to_owned(), "没有消费组消费这个队列".to_owned())];
    };
    let mut told = Vec::new();
    match (&lane.owner, lane.committed) {
        (None, _) => told.push(say(
            format!("no member of {group} has it: the next rebalance hands it out"),
            format!("{group} 没有成员持有它：要等下一次 rebalance"),
        )),
        (Some(owner), None) => told.push(say(
            format!("{owner} has it, and {} has noted no place of {group} yet", lane.broker),
            format!("{owner} 持有它，{} 还没有记下 {group} 的位点", lane.broker),
        )),
        (Some(_), Some(_)) => {}
    }
    if let Some(first) = lane.hand.first() {
        let hands = backstage.hands.iter().find(|((node, own, queue), _)| {
            Some(scene.name(*node)) == lane.owner
                && own.as_str() == group.as_str()
                && queue.topic.as_str() == lane.topic.as_str()
                && queue.queue_id == lane.queue_id
        });
        let since = hands.and_then(|(_, hands)| hands.open.get(first)).map(|step| scene.trace.time(*step));
        let span = since.map(|since| seconds(scene.now().since(since).0)).unwrap_or_default();
        told.push(say(
            format!("{} has been in hand for {span}", name(*first)),
            format!("{} 已处理 {span}", name(*first)),
        ));
    }
    if let (Some(first), Some(last), Some(committed)) = (lane.done.first(), lane.done.last(), lane.committed) {
        let count = lane.done.len();
        let which = match first == last {
            true => name(*first),
            false => format!("{} .. {}", name(*first), name(*last)),
        };
        told.push(say(
            format!("{which}: {count} done, not committed: the group is noted at #{committed}"),
            format!("{which}：{count} 条已处理，尚未提交：消费组的位点是 #{committed}"),
        ));
        told.push(say(
            format!("a group commits its lowest unfinished place: if its member dies now, {count} come again"),
            format!("消费组只提交最低的未完成位点：若成员此刻死亡，{count} 条会再次投递"),
        ));
    }
    if lane.lag == Some(0) {
        told.push(say(format!("{group} has consumed all of it"), format!("{group} 已全部消费")));
    } else if lane.hand.is_empty()
        && lane.done.is_empty()
        && let Some(place) = lane.committed.or(Some(lane.min))
    {
        told.push(say(format!("next is {}", name(place)), format!("下一条是 {}", name(place))));
    }
    if 0 < lane.held {
        told.push(say(
            format!("{} pulls wait at {} for something to come", lane.held, lane.broker),
            format!("{} 个拉取请求挂在 {} 上等待新消息", lane.held, lane.broker),
        ));
    }
    told
}

/// A span for people, in tenths of a second, or in minutes where it is long.
fn seconds(ns: u64) -> String {
    let tenths = ns / 100_000_000;
    match tenths < 6_000 {
        true => format!("{}.{}s", tenths / 10, tenths % 10),
        false => format!("{}m{:02}", tenths / 600, tenths / 10 % 60),
    }
}

fn timers(scene: &Scene<'_>, backstage: &Backstage) -> Vec<Timer> {
    let now = scene.now();
    let mut timers: Vec<_> = backstage.timers.iter().map(|((node, key), at)| (*at, *node, *key)).collect();
    timers.sort_unstable();
    let timer = |(at, node, key): (crate::mq::time::Time, NodeId, crate::mq::node::TimerKey)| Timer {
        node: scene.name(node),
        timer: format!("{:?}", key.name),
        ns: at.0,
        time: at.to_string(),
        after: format!("+{}", seconds(at.since(now).0)),
    };
    timers.into_iter().map(timer).collect()
}

/// Topics of the system's own, which groups of applications do not consume.
const SYSTEM: &[&str] =
    &["SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC", "OFFSET_MOVED_EVENT"];

impl Queues {
    /// What can be picked: the lanes.
    fn picks(&self) -> Vec<Pick> {
        let pick = |lane: &Lane| Pick::Queue {
            node: lane.node,
            topic: lane.topic.clone(),
            queue_id: lane.queue_id,
            group: lane.group.clone().unwrap_or_default(),
        };
        self.lanes.iter().map(pick).collect()
    }

    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        let mut about: Vec<(String, Tone)> = self.about.iter().map(|line| (line.clone(), Tone::Plain)).collect();
        if self.lanes.is_empty() {
            about.push((views::NO_QUEUES.text(lang).to_owned(), Tone::Open));
        }
        Sheet {
            panes: vec![
                self.lanes_pane(lang),
                Pane::text(views::ABOUT_QUEUE.text(lang), about),
                self.timers_pane(lang),
            ],
        }
    }

    fn lanes_pane(&self, lang: Lang) -> Pane {
        let heads = vec![
            Column::words(views::BROKER.text(lang), 6),
            Column::words(views::QUEUE.text(lang), 10),
            Column::words(views::GROUP.text(lang), 6),
            Column::words(views::OWNER.text(lang), 6),
            Column::words(views::LANE.text(lang), 8),
            Column::number(views::MAX.text(lang)),
            Column::number(views::COMMITTED.text(lang)),
            Column::number(views::LAG.text(lang)),
        ];
        let row = |lane: &Lane| {
            let drawn = sheet::Lane {
                min: lane.min,
                max: lane.max,
                committed: lane.committed.unwrap_or(lane.min),
                done: lane.done.clone(),
                hand: lane.hand.clone(),
            };
            let cells = vec![
                Cell::of(&lane.broker),
                Cell::Text(format!("{}/{}", lane.topic, lane.queue_id)),
                Cell::or_dash(lane.group.as_ref()),
                Cell::of(lane.owner.as_deref().unwrap_or(views::NOBODY.text(lang))),
                Cell::Lane(drawn),
                Cell::of(lane.max),
                Cell::or_dash(lane.committed),
                Cell::or_dash(lane.lag),
            ];
            let tone = match lane.lag {
                Some(0) => Tone::Good,
                Some(_) => Tone::Open,
                None => Tone::Dim,
            };
            (cells, tone)
        };
        Pane {
            title: views::LANES.text(lang).to_owned(),
            body: Body::Table(heads, self.lanes.iter().map(row).collect()),
            chosen: self.chosen,
            picks: self.picks(),
        }
    }

    fn timers_pane(&self, lang: Lang) -> Pane {
        let title = views::TIMERS.text(lang);
        if self.timers.is_empty() {
            return Pane::text(title, vec![(views::NO_TIMERS.text(lang).to_owned(), Tone::Dim)]);
        }
        let heads = vec![Column::number(""), Column::words("", 8), Column::words("", 8)];
        let row = |timer: &Timer| {
            let cells = [&timer.after, &timer.node, &timer.timer].map(Cell::of);
            (cells.into(), Tone::Plain)
        };
        let body = Body::Table(heads, self.timers.iter().map(row).collect());
        Pane { title: title.to_owned(), body, ..Pane::default() }
    }
}
