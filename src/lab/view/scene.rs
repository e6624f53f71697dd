//! What every view is made of: a run, a moment of it, and what is looked at.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::check::Finding;
use crate::lab::locale::Lang;
use crate::lab::trace::fold::{Picture, Pictures, State};
use crate::lab::trace::log::{Role, Trace};
use crate::lab::trace::record::{NodeId, What};
use crate::lab::view::backstage::{Backstage, Kept};
use crate::lab::view::counts::Counts;
use crate::lab::view::ledger::Ledger;
use crate::lab::view::life::Life;
use crate::lab::view::lines::Handles;
use crate::lab::view::owners::Owners;
use crate::mq::fact::Fact;
use crate::mq::message::Name;
use crate::mq::time::Time;

/// A run and a moment of it.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What was recorded.
    pub trace: &'a Trace,
    /// Its messages.
    pub handles: &'a Handles,
    /// Its pictures.
    pub pictures: &'a Pictures,
    /// What is found out about it once.
    pub index: &'a Index,
    /// Its verdicts.
    pub findings: &'a [Finding],
    /// The moment: before this step.
    pub step: u64,
    /// In which language sentences are.
    pub lang: Lang,
    /// What is looked at.
    pub focus: &'a Focus,
    /// How many rows of a long list are wanted around what is looked at.
    pub rows: usize,
}

/// What is looked at, in every view.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Focus {
    /// The message, by its place from 0.
    pub message: usize,
    /// What was picked beside it, of whatever kind.
    pub pick: Option<Pick>,
    /// The field of the record that is looked at, from 0.
    pub field: Option<usize>,
    /// What messages must have in their name, topic, tag or state to be listed; empty for all.
    pub filter: String,
}

/// Something that can be picked in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// A message.
    Message(usize),
    /// A record in a log.
    Record {
        /// Whose log.
        node: NodeId,
        /// Where it begins.
        at: i64,
    },
    /// A queue, as a group or nobody consumes it.
    Queue {
        /// On which node.
        node: NodeId,
        /// Its topic.
        topic: String,
        /// Its number.
        queue_id: i32,
        /// The group; empty for nobody.
        group: String,
    },
    /// A finding.
    Check(String),
    /// A node.
    Node(NodeId),
}

/// What is found out about a whole run once.
#[derive(Clone, Debug)]
pub struct Index {
    /// Whose trip each record belongs to.
    pub owners: Owners,
    /// The records of the logs.
    pub ledger: Ledger,
    /// What lies behind the pictures.
    pub kept: Kept,
    /// The messages' lives.
    pub lives: Vec<Life>,
    /// What is counted.
    pub counts: Counts,
    /// The names that brokers register under, with their numbers: 0 is a master.
    brokers: Vec<Option<(Name, i64)>>,
}

impl Index {
    /// Reads a run through.
    pub fn of(trace: &Trace, handles: &Handles) -> Index {
        let owners = Owners::of(trace, handles);
        let lives = Life::all(trace, &owners, handles.messages.len());
        let mut brokers = vec![None; trace.header.nodes.len()];
        for record in trace.records() {
            if let What::Fact(Fact::BrokerRegistered { broker, addr, broker_id, .. }) = &record.what
                && let Some(node) = trace.header.nodes.iter().position(|node| node.addr == *addr)
            {
                brokers[node] = Some((broker.clone(), *broker_id));
            }
        }
        let (ledger, kept, counts) = (Ledger::of(trace, handles), Kept::of(trace), Counts::of(trace, &lives));
        Index { owners, ledger, kept, lives, counts, brokers }
    }
}

/// A moment of a run, in a view's data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct At {
    /// The step: `31` is the moment `#31` before it.
    pub step: u64,
    /// Nanoseconds of virtual time.
    pub ns: u64,
    /// The same for people.
    pub time: String,
}

impl At {
    /// A moment.
    pub fn of(step: u64, time: Time) -> At {
        At { step, ns: time.0, time: time.to_string() }
    }
}

impl<'a> Scene<'a> {
    /// The moment, in a view's data.
    pub fn at(&self) -> At {
        At::of(self.step, self.now())
    }

    /// True time of the moment.
    pub fn now(&self) -> Time {
        self.trace.time(self.step)
    }

    /// What the nodes are like.
    pub fn picture(&self) -> Picture {
        self.pictures.at(self.trace, self.step)
    }

    /// What lies behind that.
    pub fn backstage(&self) -> Backstage {
        self.index.kept.at(self.trace, self.step)
    }

    /// The nodes of a role.
    pub fn nodes(&self, role: Role) -> impl Iterator<Item = NodeId> + use<'a> {
        let nodes = &self.trace.header.nodes;
        (0_u16..).zip(nodes).filter(move |(_, node)| node.role == role).map(|(at, _)| NodeId(at))
    }

    /// A node's name.
    pub fn name(&self, node: NodeId) -> String {
        self.trace.name(node).to_string()
    }

    /// The name that a broker registers under: its own, unless it is a slave.
    pub fn broker(&self, node: NodeId) -> Name {
        match self.index.brokers.get(usize::from(node.0)) {
            Some(Some((name, _))) => name.clone(),
            _ => self.trace.name(node).clone(),
        }
    }

    /// Whether a broker is a slave.
    pub fn is_slave(&self, node: NodeId) -> bool {
        matches!(self.index.brokers.get(usize::from(node.0)), Some(Some((_, id))) if *id != 0)
    }

    /// A message as people call it, by its place from 0.
    pub fn message(&self, number: usize) -> String {
        self.handles.name(number)
    }

    /// The record that is looked at: what was picked, or the last of the message that is no replica's.
    pub fn record(&self) -> Option<(NodeId, i64)> {
        if let Some(Pick::Record { node, at }) = self.focus.pick {
            return Some((node, at));
        }
        let mut own = self.index.ledger.of_message(self.focus.message, self.step);
        let last = own.rfind(|letter| !self.is_slave(letter.node));
        last.map(|letter| (letter.node, letter.at))
    }

    /// A part of a list around what is chosen: from where on, and up to where.
    pub fn window(&self, count: usize, chosen: usize) -> std::ops::Range<usize> {
        let rows = self.rows.min(count);
        let from = chosen.saturating_sub(rows / 2).min(count - rows);
        from..from + rows
    }
}

/// A node's state in a word of JSON.
pub fn state(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Up => "up",
        State::Paused => "paused",
        State::Down => "down",
        State::Off => "off",
    }
}
