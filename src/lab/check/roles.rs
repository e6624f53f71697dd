//! Who was the master of a name, where operators made brokers others while they ran (X1, M5).
//!
//! Two masters of one name at once are outside every promise but honesty: each counts its own queues from where it stands, and
//! clients turn to whichever the nameserver heard last. G05 tells of them; nobody owes anything for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::history::History;
use crate::lab::check::scene::brokers;
use crate::lab::fault::episode::FaultKind;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::NodeId;
use crate::mq::time::Time;

/// Which brokers were masters, and under which names two were at once.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// The last master of each name for which an operator made another one than the plan's.
    made: BTreeMap<String, NodeId>,
    doubled: BTreeSet<String>,
}

/// A process that served as a master: of which node, from when to when.
type Term = (NodeId, Time, Time);

impl Roles {
    pub(super) fn of(history: &History, plan: &Plan) -> Roles {
        let mut roles = Roles::default();
        let changes = plan.episodes.iter().any(|episode| id_of(&episode.kind).is_some());
        if !changes {
            return roles;
        }
        let mut terms: BTreeMap<&str, Vec<Term>> = BTreeMap::new();
        for (node, broker) in brokers(plan) {
            terms.entry(&broker.broker_name).or_default().extend(terms_of(history, plan, node, broker.broker_id));
        }
        for (name, mut own) in terms {
            own.sort_by_key(|(_, from, _)| *from);
            let are_two = |one: &Term, other: &Term| one.0 != other.0 && one.1 < other.2 && other.1 < one.2;
            if own.iter().enumerate().any(|(at, one)| own[at + 1..].iter().any(|other| are_two(one, other))) {
                roles.doubled.insert(name.to_owned());
            }
            if let Some((node, ..)) = own.last() {
                roles.made.insert(name.to_owned(), *node);
            }
        }
        roles
    }

    /// Whether two masters had this name at once.
    pub(super) fn is_doubled(&self, name: &str) -> bool {
        self.doubled.contains(name)
    }

    /// Whether a node counts as its name's master when the run ends; `id` is what the plan gave it.
    pub(super) fn is_master(&self, node: NodeId, (name, id): (&str, i64)) -> bool {
        self.made.get(name).map_or(id == 0, |master| *master == node)
    }
}

/// The processes of a node that booted as masters.
fn terms_of(history: &History, plan: &Plan, node: NodeId, id: i64) -> Vec<Term> {
    let boots = history.boots.iter().filter(|(booted, _)| *booted == node).map(|(_, at)| *at);
    let ends = || history.deaths.iter().chain(&history.power_losses).filter(|(dead, ..)| *dead == node);
    let terms = boots.filter(|at| id_at(history, plan, node, id, *at) == 0).map(|from| {
        let end = ends().map(|(_, _, at)| *at).filter(|at| from < *at).min();
        (node, from, end.unwrap_or(Time::NEVER))
    });
    terms.collect()
}

/// What a process that boots at a moment has for its id: the last change that is in force counts.
fn id_at(history: &History, plan: &Plan, node: NodeId, id: i64, at: Time) -> i64 {
    let name = &plan.nodes[usize::from(node.0)].name;
    let changes = plan.episodes.iter().filter_map(|episode| {
        let (_, to) = id_of(&episode.kind).filter(|(changed, _)| *name == **changed)?;
        Some((episode, to))
    });
    let moments = changes.flat_map(|(episode, to)| {
        let told = history.faults.iter().filter(|(_, own)| *own == episode.name).map(|(at, _)| *at);
        // A fault is told when it begins and when it ends.
        told.zip([to, id].into_iter().cycle())
    });
    moments.filter(|(moment, _)| *moment <= at).max_by_key(|(moment, _)| *moment).map_or(id, |(_, id)| id)
}

/// The node whose id a fault changes, and to what.
fn id_of(kind: &FaultKind) -> Option<(&str, i64)> {
    let FaultKind::Reconfigure { node, changes } = kind else { return None };
    let (_, id) = changes.iter().rfind(|(key, _)| *key == "brokerId")?;
    Some((node, id.parse().ok()?))
}
