//! View 1, cluster: the nodes with what they hold, routes as each client knows them, and what happened between the nodes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::locale::{Lang, Words, views};
use crate::lab::trace::fold::{NodePicture, Picture};
use crate::lab::trace::log::Role;
use crate::lab::trace::record::{App, Machine, NodeId, What};
use crate::lab::view::backstage::Backstage;
use crate::lab::view::lanes::{self, Mark, Rows};
use crate::lab::view::lines;
use crate::lab::view::scene::{self, At, Pick, Scene};
use crate::lab::view::sheet::{Body, Cell, Column, Pane, Sheet, Tone};
use crate::mq::app::{Call, Return};

/// What the version of the data is called: `mqlab.view.cluster/1`.
pub const SCHEMA: &str = "mqlab.view.cluster/1";

/// The cluster at a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Cluster {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The moment.
    pub at: At,
    /// The nodes, in the order of the plan.
    pub nodes: Vec<Node>,
    /// Which of them is looked at.
    pub chosen: Option<usize>,
    /// Routes as each client knows them.
    pub routes: Vec<Route>,
    /// What happened last, whole; `null` at the beginning.
    pub last: Option<Last>,
    /// What happened: all of the run, or what is around the moment; what lies ahead, too.
    pub timeline: Vec<Row>,
}

/// The step before the moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Last {
    /// Which.
    pub step: u64,
    /// All that happened in it.
    pub text: String,
}

/// A node; what belongs to another role is 0 or empty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// `nameserver`, `master`, `slave` or `client`.
    pub role: &'static str,
    /// `ip:port`.
    pub addr: String,
    /// `waiting`, `up`, `paused`, `down` or `off`.
    pub state: &'static str,
    /// Since when it is so; `null` if it has been so from the beginning.
    pub since: Option<At>,
    /// A nameserver's live brokers.
    pub brokers: Vec<String>,
    /// Where a broker's log ends.
    pub appended: i64,
    /// Up to where a broker believes that its log is durable.
    pub flushed: i64,
    /// Up to where a broker has followed its log into queues.
    pub dispatched: i64,
    /// Up to where a slave has said that it has a broker's log.
    pub replicated: Option<i64>,
    /// Pulls that wait at a broker.
    pub held: u64,
    /// A broker's members.
    pub members: usize,
    /// A broker's queues that hold anything.
    pub queues: Vec<Queue>,
    /// A client's queues.
    pub owned: Vec<String>,
    /// Sends that a client's applications have called.
    pub sent: usize,
    /// Of those, that a result came back for.
    pub acked: usize,
    /// Of those, that failed.
    pub failed: usize,
    /// Messages that a client's listeners were called with.
    pub received: usize,
    #[serde(skip)]
    id: NodeId,
}

/// A broker's queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Queue {
    /// `orders/0`.
    pub queue: String,
    /// One past its last entry.
    pub max: i64,
    /// The groups' places in it.
    pub committed: Vec<(String, i64)>,
}

/// A route that a client knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Route {
    /// The client's node.
    pub client: String,
    /// The topic.
    pub topic: String,
    /// How many brokers serve it.
    pub brokers: i64,
    /// How many queues of it can be written.
    pub queues: i64,
}

/// A row of the timeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// When.
    pub at: At,
    /// Whether it has happened at the moment.
    pub past: bool,
    /// `frame`, `event` or `fault`.
    pub kind: &'static str,
    /// Whose it is, or where a frame comes from; `null` for a fault.
    pub from: Option<String>,
    /// Where a frame goes.
    pub to: Option<String>,
    /// What.
    pub text: String,
}

/// The cluster at a scene's moment.
pub fn of(scene: &Scene<'_>) -> Cluster {
    let (picture, backstage) = (scene.picture(), scene.backstage());
    let heads = (0_u16..).zip(&scene.trace.header.nodes);
    let nodes = heads.map(|(number, _)| node(scene, NodeId(number), &picture, &backstage)).collect();
    let routes = backstage.routes.iter().flat_map(|(client, routes)| {
        routes.iter().map(|(topic, (brokers, queues))| Route {
            client: scene.name(*client),
            topic: topic.to_string(),
            brokers: *brokers,
            queues: *queues,
        })
    });
    let chosen = match scene.focus.pick {
        Some(Pick::Node(node) | Pick::Record { node, .. } | Pick::Queue { node, .. }) => Some(usize::from(node.0)),
        _ => None,
    };
    let last = scene
        .step
        .checked_sub(1)
        .map(|step| Last { step, text: lines::of_step(scene.trace, scene.handles, step, scene.lang) });
    let routes = routes.collect();
    Cluster { schema: SCHEMA, at: scene.at(), nodes, chosen, routes, last, timeline: timeline(scene) }
}

fn node(scene: &Scene<'_>, id: NodeId, picture: &Picture, backstage: &Backstage) -> Node {
    let head = &scene.trace.header.nodes[usize::from(id.0)];
    let own = &picture.nodes[usize::from(id.0)];
    let own_records = || scene.trace.before(scene.step).iter().filter(move |record| record.node == Some(id));
    let since = own_records().rev().find(|record| match &record.what {
        What::Machine(machine) => {
            machine.ends() || matches!(machine, Machine::Booted | Machine::Paused | Machine::Resumed)
        }
        _ => false,
    });
    let (mut sent, mut acked, mut failed, mut received) = (0, 0, 0, 0);
    for record in own_records() {
        match &record.what {
            What::App(App::Called(call)) => match &**call {
                Call::Send { .. } | Call::SendBy { .. } | Call::SendInTransaction { .. } => sent += 1,
                Call::SendBatch { messages, .. } => sent += messages.len(),
                _ => {}
            },
            What::App(App::Returned(answer)) => match &**answer {
                Return::Sent { result, .. } => acked += result.msg_id.split(',').count(),
                Return::SentInTransaction { .. } => acked += 1,
                Return::Failed { op, .. } if scene.handles.of_call(record, op.0).is_some() => failed += 1,
                Return::Listen { messages, .. } => received += messages.len(),
                _ => {}
            },
            _ => {}
        }
    }
    let is_broker = head.role == Role::Broker;
    Node {
        id,
        name: head.name.to_string(),
        role: match head.role {
            Role::Nameserver => "nameserver",
            Role::Broker if scene.is_slave(id) => "slave",
            Role::Broker => "master",
            Role::Client => "client",
        },
        addr: head.addr.to_string(),
        state: scene::state(own.state),
        since: since.map(|record| At::of(record.step, record.at)),
        brokers: own.brokers.iter().map(ToString::to_string).collect(),
        appended: own.log_end,
        flushed: own.flushed,
        dispatched: backstage.dispatched.get(&id).copied().unwrap_or(0),
        replicated: backstage.replicated.get(&id).copied().filter(|_| is_broker),
        held: own.held.values().sum(),
        members: own.members.len(),
        queues: queues(own),
        owned: own.owned.iter().map(|(topic, broker, queue)| format!("{broker} {topic}/{queue}")).collect(),
        sent,
        acked,
        failed,
        received,
    }
}

fn queues(own: &NodePicture) -> Vec<Queue> {
    let filled = own.queues.iter().filter(|(_, (_, max))| 0 < *max);
    let queue = |((topic, id), (_, max)): (&(crate::mq::message::Topic, i32), &(i64, i64))| {
        let places = own.offsets.iter().filter(|((_, other, number), _)| other == topic && number == id);
        let committed = places.map(|((group, ..), at)| (group.to_string(), *at)).collect();
        Queue { queue: format!("{topic}/{id}"), max: *max, committed }
    };
    filled.map(queue).collect()
}

fn timeline(scene: &Scene<'_>) -> Vec<Row> {
    let rows = Rows::of(scene.trace);
    let name = |lane: &usize| Some(rows.lanes.nodes[*lane].clone());
    let row = |row: lanes::Row| {
        let (kind, from, to, text) = match &row.mark {
            Mark::Arrow { from, to, label } => ("frame", name(from), name(to), label.clone()),
            Mark::Event { lane, text } => ("event", name(lane), None, text.clone()),
            Mark::Fault { text } => ("fault", None, None, text.clone()),
        };
        Row { at: At::of(row.step, row.at), past: row.step < scene.step, kind, from, to, text }
    };
    let window = scene.window(rows.count(), rows.past(scene.step));
    window.filter_map(|place| rows.row(scene.trace, scene.handles, place, scene.lang)).map(row).collect()
}

/// What a state is called, and how it looks.
pub fn word(state: &str) -> (Words, Tone, char) {
    match state {
        "up" => (views::IS_UP, Tone::Good, '+'),
        "paused" => (views::IS_PAUSED, Tone::Open, '?'),
        "down" => (views::IS_DOWN, Tone::Bad, '!'),
        "off" => (views::IS_OFF, Tone::Bad, 'X'),
        _ => (views::IS_WAITING, Tone::Dim, ' '),
    }
}

impl Node {
    /// What there is to say of it while it runs, in a line.
    fn about(&self, lang: Lang) -> String {
        let say = |label: Words, number: String| format!("{} {number}", label.text(lang));
        match self.role {
            "nameserver" => format!("{} {}", self.brokers.len(), views::BROKERS.text(lang)),
            "client" => {
                let mut words = Vec::new();
                if 0 < self.sent {
                    words.push(say(views::SENT_COUNT, self.sent.to_string()));
                    words.push(say(views::ACKED_COUNT, self.acked.to_string()));
                    words.push(say(views::FAILED_COUNT, self.failed.to_string()));
                }
                if !self.owned.is_empty() {
                    words.push(format!("{} {}", self.owned.len(), views::QUEUES_OF.text(lang)));
                    words.push(say(views::DELIVERED_COUNT, self.received.to_string()));
                }
                words.join("  ")
            }
            _ => {
                let mut words = vec![
                    say(views::WRITTEN, self.appended.to_string()),
                    say(views::FLUSHED_COUNT, self.flushed.to_string()),
                    say(views::DISPATCHED, self.dispatched.to_string()),
                ];
                words.extend(self.replicated.map(|to| say(views::REPLICATED, to.to_string())));
                words.push(say(views::HELD, self.held.to_string()));
                words.push(say(views::MEMBERS, self.members.to_string()));
                words.join("  ")
            }
        }
    }
}

impl Cluster {
    /// As panes of lines.
    pub fn sheet(&self, lang: Lang) -> Sheet {
        let route = |route: &Route| {
            let cells = vec![
                Cell::of(&route.client),
                Cell::of(&route.topic),
                Cell::Text(format!("{} {}", route.brokers, views::BROKERS.text(lang))),
                Cell::Text(format!("{} {}", route.queues, views::QUEUES_OF.text(lang))),
            ];
            (cells, Tone::Plain)
        };
        let heads = || vec![Column::words("", 8), Column::words("", 8), Column::words("", 8), Column::words("", 8)];
        let routes = Body::Table(heads(), self.routes.iter().map(route).collect());
        let row = |row: &Row| {
            let who = match (&row.from, &row.to) {
                (Some(from), Some(to)) => format!("{from} -> {to}"),
                (Some(from), None) => from.clone(),
                _ => "X".to_owned(),
            };
            let cells = vec![
                Cell::Text(format!("#{}", row.at.step)),
                Cell::of(&row.at.time),
                Cell::of(who),
                Cell::of(&row.text),
            ];
            (cells, if row.past { Tone::Plain } else { Tone::Dim })
        };
        let timeline = Body::Table(heads(), self.timeline.iter().filter(|row| row.past).map(row).collect());
        let last = self.last.iter().map(|last| (format!("#{} {}", last.step, last.text), Tone::Plain)).collect();
        let last = Pane::text(views::LAST.text(lang), last);
        let pane = |title: Words, body: Body| Pane { title: title.text(lang).to_owned(), body, ..Pane::default() };
        Sheet { panes: vec![self.list(lang), pane(views::ROUTES, routes), last, pane(views::TIMELINE, timeline)] }
    }

    fn list(&self, lang: Lang) -> Pane {
        let heads = vec![
            Column::words(views::NODE.text(lang), 8),
            Column::words(views::ROLE.text(lang), 6),
            Column::words(views::STATE.text(lang), 6),
            Column::words(views::HAS.text(lang), 20),
        ];
        let mut rows: Vec<(Vec<Cell>, Tone)> = Vec::new();
        for node in &self.nodes {
            let (word, tone, glyph) = word(node.state);
            let about = if node.state == "up" { node.about(lang) } else { String::new() };
            let state = format!("{glyph} {}", word.text(lang));
            rows.push((vec![Cell::of(&node.name), Cell::of(node.role), Cell::of(state), Cell::of(about)], tone));
        }
        Pane {
            title: views::CLUSTER.text(lang).to_owned(),
            body: Body::Table(heads, rows),
            chosen: self.chosen,
            picks: self.nodes.iter().map(|node| Pick::Node(node.id)).collect(),
        }
    }
}
