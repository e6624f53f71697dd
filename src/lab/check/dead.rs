//! G41: a dead letter is a message that failed as often as its group allows, or whose listener gave it up; it is one, says what
//! was sent, and is not tried again.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::check::Judged;
use crate::lab::check::content::differs;
use crate::lab::check::history::History;
use crate::lab::check::letters::{Delivery, uid};
use crate::lab::check::retries::process;
use crate::lab::check::scene::{Club, FIRST_BOOTS, Scene, TRIES_MAX, clubs};
use crate::lab::oracle::store::LogRecord;
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::Seq;
use crate::mq::app::ConsumeOutcome;
use crate::mq::message::names::dlq_topic;
use crate::mq::message::property::names;
use crate::mq::time::{Span, Time};

/// What a group did with one message, as far as its death depends on it.
#[derive(Default)]
struct Life<'a> {
    /// Failures after which it may be a dead letter.
    deadly: Vec<&'a Delivery>,
    /// Failures one hop before.
    nearly: Vec<&'a Delivery>,
    /// When what failed was made, by its producer's clock.
    born: BTreeSet<i64>,
}

/// Nothing is a dead letter too early, twice, or in other words; and nothing is tried more often than the group allows.
///
/// Differs: that a message which has failed too often is a dead letter at the end is G06's and G02's question.
pub(super) fn dlq_exact(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let (mut looked_at, mut known) = (0, None);
    for club in &clubs(plan) {
        let most = club.tries_max().unwrap_or(i32::MAX);
        let least = club.members.iter().map(|(_, member)| match member.max_reconsume {
            -1 if member.orderly => i32::MAX,
            -1 => TRIES_MAX,
            own => own,
        });
        let least = least.min().unwrap_or(i32::MAX);
        let letters = letters(history, club);
        let (lives, again) = lives(&scene, club, &letters, (least, most), &mut looked_at);
        if let Some((id, seq, clause, is_batched)) = again {
            let judged = wrong(clause, vec![seq], club, id);
            match is_batched {
                true => known = known.or(Some(judged.known(MIXED_BATCH))),
                false => return judged,
            }
        }
        for (id, copies) in &letters {
            looked_at += 1;
            let life = lives.get(id);
            let (deadly, nearly) = life.map_or((0, 0), |life| (life.deadly.len(), life.nearly.len()));
            let seqs = || {
                let all = life.into_iter().flat_map(|life| life.deadly.iter().chain(&life.nearly));
                all.map(|delivery| delivery.seq).collect::<Vec<Seq>>()
            };
            // What a broker took back is as old as what had failed; what a client sent by itself, because it could not give it
            // back, is new.
            let is_direct = |copy: &&&LogRecord| life.is_some_and(|life| life.born.contains(&copy.born));
            let direct = copies.iter().filter(is_direct).count();
            // What waited in the schedule topic is delivered once more by a broker that comes back before it has written how far
            // it was.
            let waited = copies.iter().any(|copy| copy.properties.contains_key(names::REAL_TOPIC));
            let ends: usize = history.brokers.iter().map(|broker| scene.ends(broker.node).count()).sum();
            let lives = if waited { 1 + ends } else { 1 };
            match (deadly, nearly) {
                (0, 0) => return wrong("too early", seqs(), club, id),
                (0, _) if 0 < direct => return wrong("one hop early", seqs(), club, id),
                // A failure is given back by one call, which nobody repeats.
                _ if deadly * lives < direct => return wrong("twice", seqs(), club, id),
                (0, _) => known = known.or(Some(wrong("one hop early", seqs(), club, id).known(FALLBACK))),
                // Given back twice is a cause of more than one, and so is a broker that waits again.
                _ if deadly + nearly < copies.len() && scene.first_wrong_after(FIRST_BOOTS).is_none() => {
                    return wrong("twice", seqs(), club, id);
                }
                _ => {}
            }
            let send = history.id(id).and_then(|id| history.sent(id));
            let is_other = |copy: &&LogRecord| !copy.is_garbled && send.is_some_and(|send| differs(send, copy));
            let is_honest = history.brokers.iter().all(|broker| scene.is_honest(broker.node));
            if is_honest && copies.iter().any(is_other) {
                return wrong("other content", seqs(), club, id);
            }
        }
    }
    match (looked_at, known) {
        (_, Some(known)) => known,
        (0, None) => Judged::inconclusive("nothing was given up", "没有死信"),
        (count, None) => Judged::pass(
            format!("{count} dead letters and last tries by the rules"),
            format!("{count} 条死信与末次重试都合规则"),
        ),
    }
}

/// The dead letters of a group by unique key, on disks that can be believed.
fn letters<'a>(history: &'a History, club: &Club<'_>) -> BTreeMap<&'a str, Vec<&'a LogRecord>> {
    let topic = dlq_topic(club.group);
    let mut letters: BTreeMap<&str, Vec<&LogRecord>> = BTreeMap::new();
    for (_, copy) in history.copies().filter(|(_, copy)| *copy.topic == *topic) {
        if let Some(id) = copy.id() {
            letters.entry(id).or_default().push(copy);
        }
    }
    letters
}

/// A try that should not have been: of which message, where, why, and whether it went along in a batch of an ordered group.
type Again<'a> = Option<(&'a str, Seq, &'static str, bool)>;

fn lives<'a>(
    scene: &Scene<'a>,
    club: &Club<'_>,
    letters: &BTreeMap<&str, Vec<&LogRecord>>,
    (least, most): (i32, i32),
    looked_at: &mut usize,
) -> (BTreeMap<&'a str, Life<'a>>, Again<'a>) {
    let mut lives: BTreeMap<&str, Life<'_>> = BTreeMap::new();
    let mut again = None;
    let mut seen: BTreeSet<(&str, i32, i64)> = BTreeSet::new();
    let is_batched = club.members.iter().any(|(_, member)| 1 < member.batch_max);
    for delivery in scene.history.deliveries.iter().filter(|delivery| delivery.group == *club.group) {
        let done = delivery.done();
        let is_held = delivery.at + HELD <= delivery.end.map_or(scene.history.end, |(_, end)| end);
        let gives_up = matches!(delivery.answer, Some(ConsumeOutcome::LaterAt { delay_level }) if delay_level < 0);
        for (number, message) in delivery.messages.iter().enumerate() {
            let Some(id) = uid(&message.message) else { continue };
            let hops = message.reconsume_times;
            let place = (delivery.queue.broker.as_str(), delivery.queue.queue_id, message.queue_offset.0);
            let is_first = delivery.queue.topic == *club.retry && seen.insert(place);
            if most < hops && is_first && !club.is_orderly() {
                again.get_or_insert((id, delivery.seq, "tried again", false));
            }
            *looked_at += usize::from(most <= hops);
            let life = lives.entry(id).or_default();
            if club.is_orderly() && again.is_none() {
                let before = life.deadly.iter().find(|one| process(one) == process(delivery) && one.seq < delivery.seq);
                let was_dead = before.is_some_and(|one| {
                    is_dead_between(scene, letters.get(id), one.at, delivery.at)
                        && delivery.queue == one.queue
                        && one.messages.iter().any(|own| own.queue_offset == message.queue_offset)
                });
                if was_dead {
                    again = Some((id, delivery.seq, "tried again", is_batched));
                }
            }
            let failed = (delivery.answer.is_some() && done <= number) || (is_held && !club.is_orderly());
            if failed {
                life.born.insert(message.born_timestamp.0);
            }
            match () {
                () if !failed => {}
                () if least <= hops || gives_up => life.deadly.push(delivery),
                () if least <= hops.saturating_add(1) => life.nearly.push(delivery),
                () => {}
            }
        }
    }
    (lives, again)
}

/// Whether a message became a dead letter between two moments in which nothing was wrong.
fn is_dead_between(scene: &Scene<'_>, letters: Option<&Vec<&LogRecord>>, from: Time, to: Time) -> bool {
    let stored = |copy: &&&LogRecord| (from..to).contains(&scene.true_time(copy.stored));
    let is_quiet = scene.history.clock_steps.is_empty() && !scene.went_wrong(Time(from.0.saturating_sub(CALL.0)), to);
    is_quiet && letters.is_some_and(|letters| letters.iter().filter(stored).count() > 0)
}

fn wrong(clause: &'static str, witness: Vec<Seq>, club: &Club<'_>, id: &str) -> Judged {
    let group = club.group;
    Judged::violation(
        clause,
        witness,
        format!("{id} is or was a dead letter of {group} against the rules: {clause}"),
        format!("{id} 在 {group} 的死信处理不合规则：{clause}"),
    )
}

/// Source: `DefaultMQPushConsumer.consumeTimeout`.
const HELD: Span = Span::from_secs(15 * 60);
/// A call that gives a message back is given up after this, twice.
const CALL: Span = Span::from_secs(20);
/// The client's own way counts the hop before it compares: K26.
const FALLBACK: u8 = 26;
/// A batch of an ordered group in which some are exhausted is tried again whole: K15.
const MIXED_BATCH: u8 = 15;
