//! G30: what a group has committed does not go back without a cause.
//!
//! ```text
//!  cause                                evidence
//!  an operator moved the group          the call
//!  the broker answered "moved"          that answer, at the client that commits
//!  the broker booted again              its death: it goes on from its file
//!  a queue changed hands                the other owner had taken it over no longer ago than a rebalance
//!  a pull was overtaken on its way      its client stood there just before
//!  a word was overtaken on its way      its client sent it before the later one, on another connection
//!  a late owner, later than that        K14: the broker takes every place from everybody
//! ```

use std::collections::BTreeMap;

use crate::lab::check::Judged;
use crate::lab::check::history::History;
use crate::lab::check::scene::{FIRST_BOOTS, Scene, clubs};
use crate::lab::check::signs::{Commit, Place};
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::NodeId;
use crate::mq::time::{Span, Time};

/// What a broker was last told of a queue, and who acted on it when.
#[derive(Default)]
struct Table<'a> {
    last: Option<&'a Commit>,
    /// What the same client had said before that.
    before: Option<i64>,
    /// How often the broker had ended by then.
    ends: usize,
    /// Who committed or was handed something of it, and when last.
    acted: BTreeMap<NodeId, Time>,
    /// Since when the last one to act is the last one.
    owner: Option<(NodeId, Time)>,
}

impl Table<'_> {
    fn acts(&mut self, node: NodeId, at: Time) {
        self.acted.insert(node, at);
        if self.owner.is_none_or(|(owner, _)| owner != node) {
            self.owner = Some((node, at));
        }
    }
}

/// Every commit is at or behind the one before it, or has a cause.
pub(super) fn no_regress(history: &History, plan: &Plan) -> Judged {
    let (scene, clubs) = (Scene::of(history, plan), clubs(plan));
    let mut tables: BTreeMap<(NodeId, &Place), Table<'_>> = BTreeMap::new();
    let (mut looked_at, mut excused, mut known) = (0, 0, None);
    let mut handed = history.deliveries.iter().peekable();
    // Callbacks by the broker's node and place, in the order of the run.
    let mut acts: BTreeMap<(NodeId, Place), Vec<(NodeId, Time)>> = BTreeMap::new();
    for commit in &history.signs.commits {
        while let Some(delivery) = handed.next_if(|delivery| delivery.seq < commit.seq) {
            let Some((master, _)) = scene.master(&delivery.queue.broker) else { continue };
            let (group, topic) = (delivery.group.clone(), delivery.queue.topic.clone());
            let place = Place { group, topic, queue: delivery.queue.queue_id };
            acts.entry((master, place)).or_default().push((delivery.node, delivery.at));
        }
        let is_master = scene
            .broker_name(commit.broker)
            .is_some_and(|name| scene.master(name).is_some_and(|(master, _)| master == commit.broker));
        let is_judged = clubs.iter().any(|club| **club.group == *commit.place.group);
        if !is_master || !is_judged || history.deletions.spoil(&commit.place.topic, Time::ZERO) {
            continue;
        }
        looked_at += 1;
        let table = tables.entry((commit.broker, &commit.place)).or_default();
        for (node, at) in acts.remove(&(commit.broker, commit.place.clone())).into_iter().flatten() {
            table.acts(node, at);
        }
        let ends = scene.ends(commit.broker).filter(|at| *at <= commit.at).count();
        let before = table.last.filter(|last| table.ends == ends && commit.value < last.value);
        if let Some(last) = before {
            match explains(&scene, table, last, commit) {
                Cause::Known => excused += 1,
                Cause::LateOwner => known = known.or(Some(regress(last, commit, "late owner").known(LATE_OWNER))),
                Cause::None => return regress(last, commit, "went back"),
            }
        }
        table.acts(commit.from, commit.at);
        // What is said again after a silence is one word.
        if table.last.is_none_or(|last| (last.from, last.value) != (commit.from, commit.value)) {
            table.before = Some(table.last.filter(|last| last.from == commit.from).map_or(0, |last| last.value));
        }
        (table.last, table.ends) = (Some(commit), ends);
    }
    match (looked_at, known) {
        (0, _) => Judged::inconclusive("no group committed anything", "没有消费组提交过位点"),
        (_, Some(known)) => known,
        _ => Judged::pass(
            format!("{looked_at} commits, {excused} went back with a cause"),
            format!("{looked_at} 次提交，其中 {excused} 次有原因的回退"),
        ),
    }
}

enum Cause {
    Known,
    LateOwner,
    None,
}

fn explains(scene: &Scene<'_>, table: &Table<'_>, last: &Commit, commit: &Commit) -> Cause {
    let history = scene.history;
    let is_reset = history.resets.seen.iter().any(|reset| {
        let Place { group, topic, .. } = &commit.place;
        reset.group == **group && reset.topic == **topic && reset.at <= commit.at
    });
    let is_moved = history.signs.moved.iter().any(|(client, at)| {
        (*client == commit.from || *client == last.from) && *at <= commit.at && commit.at <= *at + MOVES
    });
    if is_reset || is_moved {
        return Cause::Known;
    }
    let settles = commit.at <= scene.settles(commit.at);
    // A process may have the queue back, from where the broker stood when it asked.
    let is_same = last.from == commit.from;
    let others = || table.acted.iter().filter(|(node, _)| **node != commit.from);
    let overlaps = match table.acted.get(&commit.from) {
        // Since when somebody else has had it that the one who commits had before.
        Some(own) => match table.owner {
            Some((owner, since)) if owner != commit.from => commit.at <= since.max(*own) + REBALANCES,
            _ => others().any(|(_, at)| commit.at <= *at + REBALANCES),
        },
        None => others().any(|(_, at)| commit.at <= *at + REBALANCES),
    };
    // A pull says where its client stood when it was made, and may leave behind what was made later: above all where it waits
    // for a new connection.
    // Places are told over one connection and pulls asked over another. Source: `MQClientAPIImpl.updateConsumerOffsetOneway`,
    // which goes by `MixAll.brokerVIPChannel`, and `pullMessage`, which does not.
    let left_first = is_same && commit.sent < last.sent;
    let was_its_place = is_same && table.before.is_some_and(|before| before <= commit.value);
    let is_shaken = scene.went_wrong(Time(commit.at.0.saturating_sub(REBALANCES.0)).max(FIRST_BOOTS), commit.at);
    let under_way = if is_shaken { CONNECTS } else { PASSES };
    let is_overtaken = was_its_place && (commit.by_pull || is_shaken) && commit.at <= last.at + under_way;
    match () {
        () if (overlaps && settles) || is_overtaken || left_first => Cause::Known,
        () if settles && !is_same => Cause::LateOwner,
        () if settles && others().next().is_some() => Cause::Known,
        () => Cause::None,
    }
}

fn regress(last: &Commit, commit: &Commit, clause: &'static str) -> Judged {
    let Place { group, topic, queue } = &commit.place;
    let (from, to) = (last.value, commit.value);
    Judged::violation(
        clause,
        vec![last.seq, commit.seq],
        format!("{group} went back from {from} to {to} in {topic}/{queue}: {clause}"),
        format!("{group} 在 {topic}/{queue} 的位点从 {from} 退回 {to}：{clause}"),
    )
}

/// Two rebalances, with the road and a held pull.
const REBALANCES: Span = Span::from_secs(60);
/// Who was told to read elsewhere commits it ten seconds later, and again with what it holds until then.
const MOVES: Span = Span::from_secs(60);
/// How long a pull may be on its way that is overtaken.
const PASSES: Span = Span::from_millis(100);
/// How long it may wait for a connection.
const CONNECTS: Span = Span::from_secs(10);
/// The broker takes every place from everybody: K14.
const LATE_OWNER: u8 = 14;
