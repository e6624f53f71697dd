//! G31: a group's place never passes a message that the group has not settled.
//!
//! A commit says of every message before it that it is settled. Each is looked at once, when the highest commit so far
//! passes it; what was not there yet is looked at again at the end: then an old place stands over new messages.

use std::collections::BTreeMap;

use crate::lab::check::history::{History, Image};
use crate::lab::check::scene::{Club, Handed, QueueKey, Scene, clubs, is_settled};
use crate::lab::check::signs::Commit;
use crate::lab::check::{Judged, filters};
use crate::lab::oracle::config::Config;
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::NodeId;
use crate::mq::time::{Span, Time};

/// How far the commits of one group in one queue have been looked at.
struct Floor<'a> {
    club: &'a Club<'a>,
    master: NodeId,
    /// Below this everything has been looked at; `None` where the group begins anew.
    place: Option<i64>,
    /// How often the broker had ended by then.
    ends: usize,
    commits: Vec<&'a Commit>,
}

/// Nothing that a group has committed past is unsettled then, nor never handed to it at the end.
///
/// Differs: a message that a concurrent listener failed counts as settled when the listener has answered; that its copy is
/// lost is G06's. A group that does not begin at the first message may begin anew where its broker has ended.
pub(super) fn no_overrun(history: &History, plan: &Plan) -> Judged {
    let (scene, clubs) = (Scene::of(history, plan), clubs(plan));
    let mut floors: BTreeMap<(&str, QueueKey<'_>), Floor<'_>> = BTreeMap::new();
    let (mut looked_at, mut known) = (0, None);
    for commit in &history.signs.commits {
        let Some(club) = clubs.iter().find(|club| **club.group == *commit.place.group) else { continue };
        let Some(broker) = scene.broker_name(commit.broker) else { continue };
        let Some((master, _)) = scene.master(broker).filter(|(master, _)| scene.is_honest(*master)) else { continue };
        let (topic, number) = (commit.place.topic.as_str(), commit.place.queue);
        if history.deletions.spoil(topic, Time::ZERO) {
            continue;
        }
        let queue = (broker, topic, number);
        let ends = scene.ends(master).filter(|at| *at <= commit.at).count();
        let from_first = club.is_from_first() || topic == club.retry;
        let floor = floors.entry((club.group, queue)).or_insert_with(|| Floor {
            club,
            master,
            place: from_first.then_some(0),
            ends,
            commits: Vec::new(),
        });
        floor.commits.push(commit);
        if !from_first && floor.ends < ends {
            (floor.place, floor.ends) = (None, ends);
        }
        let from = floor.place.unwrap_or(commit.value);
        floor.place = Some(from.max(commit.value));
        let copies = scene.copies(queue);
        let begin = copies.partition_point(|copy| copy.queue_offset < from);
        for copy in copies[begin..].iter().take_while(|copy| copy.queue_offset < commit.value) {
            // What came later is not what the client meant.
            if commit.wall < copy.stored || is_excused(&scene, club, queue, copy) {
                continue;
            }
            match club.wants(copy) {
                None => return filters::unread(club.group),
                Some(false) => continue,
                Some(true) => looked_at += 1,
            }
            let mut handed = scene.handed(club.group, queue, copy);
            let clause = match handed.next() {
                None => "skipped",
                Some(first) if std::iter::once(first).chain(handed).any(|one| is_settled_by(club, one, commit)) => {
                    continue;
                }
                Some(_) => "in flight",
            };
            let seen = scene.handed(club.group, queue, copy).map(|(delivery, _)| delivery.seq);
            let judged = overrun(clause, seen.chain([commit.seq]).collect(), club, queue, (copy, commit.value));
            match weakness(&scene, club, (queue, master), (copy, commit)) {
                None => return judged,
                Some(tag) => known = known.or(Some(judged.known(tag))),
            }
        }
    }
    for ((_, queue), floor) in &floors {
        if let Some(found) = reused(&scene, *queue, floor) {
            return found;
        }
    }
    if let Some(known) = known {
        return known;
    }
    match looked_at {
        0 => Judged::inconclusive("no group committed past anything", "没有消费组提交过位点"),
        _ => Judged::pass(
            format!("{looked_at} messages were settled when they were committed past"),
            format!("{looked_at} 条消息在位点越过时都已处理"),
        ),
    }
}

/// The registered weakness that explains a place which passed a copy.
fn weakness<'a>(
    scene: &Scene<'a>,
    club: &Club<'a>,
    (queue, master): (QueueKey<'a>, NodeId),
    (copy, commit): (&LogRecord, &Commit),
) -> Option<u8> {
    let told = |(client, at): &(NodeId, Time)| *client == commit.from && *at <= commit.at;
    let was_lost = scene.power_losses(master).any(|at| at <= commit.at);
    match () {
        () if !scene.plan.profile.fixes("K04") && scene.is_given_again(club.group, queue, copy, master) => {
            Some(TAIL_LOSS)
        }
        () if was_lost && scene.history.signs.moved.iter().any(told) => Some(CORRECTION),
        () => None,
    }
}

fn is_settled_by(club: &Club<'_>, handed: Handed<'_>, commit: &Commit) -> bool {
    let (delivery, _) = handed;
    let is_late = !club.is_orderly() && delivery.at + CONSUME_TIMEOUT <= commit.at;
    is_late || (is_settled(club, handed) && delivery.end.is_some_and(|(seq, _)| seq <= commit.seq))
}

/// Whether nobody has to be handed a copy: an operator moved the group past it, or nobody can be.
fn is_excused(scene: &Scene<'_>, club: &Club<'_>, queue: QueueKey<'_>, copy: &LogRecord) -> bool {
    let (broker, topic, number) = queue;
    copy.is_garbled
        || scene.history.resets.seen.iter().any(|reset| {
            reset.group == *club.group
                && reset.topic == topic
                && reset.told.as_ref().is_none_or(|told| {
                    let own = |(at, _): &&(crate::mq::message::MessageQueue, i64)| {
                        at.broker == *broker && at.queue_id == number
                    };
                    told.offsets.iter().find(own).is_some_and(|(_, place)| copy.queue_offset < *place)
                })
        })
        || !scene.is_reachable(broker, copy)
}

/// A place that stands over messages which were stored after it: a power loss gave their offsets away again (K04).
fn reused<'a>(scene: &Scene<'a>, queue: QueueKey<'a>, floor: &Floor<'a>) -> Option<Judged> {
    let (history, plan) = (scene.history, scene.plan);
    let (broker, topic, number) = queue;
    let first_loss = scene.power_losses(floor.master).min()?;
    let copies = scene.copies(queue);
    let end = copies.last()?.queue_offset + 1;
    let quiet = scene.last_disturbance(history.end).unwrap_or(Time::ZERO);
    let last = floor.commits.last()?;
    // Where the file says nothing the group begins where it begins.
    let kept = || {
        let image = history.disks.iter().rfind(|disk| disk.node == floor.master)?;
        let config = Config::read(&Image(&image.cached));
        config.consumed.get(&(floor.club.group.to_string(), topic.to_owned(), number)).copied()
    };
    let mut commits = floor.commits.iter().peekable();
    let mut before: Option<&Commit> = None;
    let mut by_store: Vec<&LogRecord> = copies.to_vec();
    by_store.sort_by_key(|copy| copy.stored);
    for copy in by_store {
        while let Some(commit) = commits.next_if(|commit| commit.wall < copy.stored) {
            if before.is_none_or(|before| before.value <= commit.value) {
                before = Some(commit);
            }
        }
        let Some(over) = before.filter(|before| copy.queue_offset < before.value) else {
            continue;
        };
        let stored = scene.true_time(copy.stored);
        let is_open = history.end < stored.max(quiet) + CORRECTED || stored < first_loss;
        if is_open || scene.handed(floor.club.group, queue, copy).next().is_some() {
            continue;
        }
        if is_excused(scene, floor.club, queue, copy) || floor.club.wants(copy) != Some(true) {
            continue;
        }
        // One who asks for more than there is is told so, and goes back.
        let claim = if copy.stored < last.wall { Some(last.value) } else { kept() };
        if claim.is_some_and(|claim| copy.queue_offset < claim && claim <= end)
            && history.up_since.contains_key(&floor.master)
        {
            let judged =
                overrun("reused", vec![over.seq, last.seq], floor.club, (broker, topic, number), (copy, over.value));
            return Some(if plan.profile.fixes("K04") { judged } else { judged.known(TAIL_LOSS) });
        }
    }
    None
}

fn overrun(
    clause: &'static str,
    witness: Vec<crate::lab::trace::record::Seq>,
    club: &Club<'_>,
    (broker, topic, number): QueueKey<'_>,
    (copy, value): (&LogRecord, i64),
) -> Judged {
    let (group, offset) = (club.group, copy.queue_offset);
    Judged::violation(
        clause,
        witness,
        format!("{group} stands at {value} in {topic}/{number} of {broker}, and {offset} is not settled: {clause}"),
        format!("{group} 在 {broker} 的 {topic}/{number} 提交到 {value}，而位点 {offset} 尚未处理：{clause}"),
    )
}

/// Source: `DefaultMQPushConsumer.consumeTimeout`.
const CONSUME_TIMEOUT: Span = Span::from_secs(15 * 60);
/// Who stands behind the end is told so at its next pull and goes back ten seconds later.
const CORRECTED: Span = Span::from_secs(90);
/// Who stands behind the end after a loss is sent to it, or to the beginning: K25.
const CORRECTION: u8 = 25;
/// Offsets are given again after a loss: K04.
const TAIL_LOSS: u8 = 4;
