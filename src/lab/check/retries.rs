//! G40: what failed is tried again one hop further, and no earlier than its level says.
//!
//! ```text
//!  given back to the broker     level 3 + hops so far, or the one that the listener chose
//!  held for 15 minutes          level 3
//!  nobody took it back          5 s, at its own client
//! ```

use std::collections::BTreeSet;

use crate::lab::check::delays::Levels;
use crate::lab::check::history::History;
use crate::lab::check::ids::{By, Id};
use crate::lab::check::letters::Delivery;
use crate::lab::check::scene::{Club, Scene, brokers, clubs};
use crate::lab::check::{Judged, seconds};
use crate::lab::scenario::plan::Plan;
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::app::ConsumeOutcome;
use crate::mq::message::StoredMessage;
use crate::mq::message::names::retry_topic;
use crate::mq::message::property::names;
use crate::mq::time::{Span, Time};

/// Where a record lies: broker, topic, queue, offset.
type Place<'a> = (&'a str, &'a str, i32, i64);

/// A message in a callback, as far as its next try depends on it.
struct Try<'a> {
    delivery: &'a Delivery,
    hops: i32,
    /// The topic, the queue and the offset that it came from.
    place: Place<'a>,
    /// Whether its listener has said that it failed.
    failed: bool,
}

/// Every further try of a concurrent listener has a failure one hop before, and keeps that one's wait.
pub(super) fn retry_schedule(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let clubs: Vec<Club<'_>> = clubs(plan).into_iter().filter(|club| !club.is_orderly()).collect();
    if clubs.is_empty() {
        return Judged::inconclusive("no group consumes concurrently", "没有并发消费的消费组");
    }
    let levels: Vec<Levels> = brokers(plan).map(|(_, broker)| Levels::of(broker)).collect();
    // Where clocks were set nobody can say how long a wait was.
    let is_timed = history.clock_steps.is_empty();
    let mut tries: By<(&str, Id), Vec<Try<'_>>> = By::default();
    let mut known: BTreeSet<(&str, Place<'_>, i32)> = BTreeSet::new();
    let mut looked_at = 0;
    for delivery in &history.deliveries {
        let Some(club) = clubs.iter().find(|club| *club.group == delivery.group) else { continue };
        let done = delivery.done();
        let queue = &delivery.queue;
        for (number, (id, message)) in delivery.numbered().enumerate() {
            let Some(id) = id else { continue };
            let place = (&*queue.broker, &*queue.topic, queue.queue_id, message.queue_offset.0);
            let hops = message.reconsume_times;
            let failed = delivery.answer.is_some() && done <= number;
            let own = tries.entry((&**club.group, id)).or_default();
            if hops <= 0 && queue.topic == retry_topic(club.group) {
                return uncounted(message, delivery, own.last().map(|one| one.delivery.seq));
            }
            // The same record with the same count is the same try, handed out once more.
            if 0 < hops && known.insert((&**club.group, place, hops)) {
                looked_at += 1;
                let next = Try { delivery, hops, place, failed };
                if let Some((clause, before, by)) = wrong(&scene, own, &next, &levels, is_timed) {
                    let key = message.message.properties.get(names::KEYS).map_or(history.key(id), |key| key.as_str());
                    let witness = before.into_iter().chain([delivery.seq]).collect();
                    let (group, by) = (club.group, seconds(by));
                    return Judged::violation(
                        clause,
                        witness,
                        format!("{key} was tried again by {group}, hop {hops}: {clause} ({by})"),
                        format!("{key} 在 {group} 的第 {hops} 次重试不合规则：{clause}（{by}）"),
                    );
                }
            }
            own.push(Try { delivery, hops, place, failed });
        }
    }
    match looked_at {
        0 => Judged::inconclusive("nothing was tried again", "没有任何重试"),
        _ => Judged::pass(format!("{looked_at} further tries, each in its time"), format!("{looked_at} 次重试都合时")),
    }
}

/// A message out of a retry topic that says that it was never tried.
fn uncounted(message: &StoredMessage, delivery: &Delivery, before: Option<Seq>) -> Judged {
    let key = message.message.properties.get(names::KEYS).map_or("a message", |key| key.as_str());
    let group = &delivery.group;
    Judged::violation(
        "not counted",
        before.into_iter().chain([delivery.seq]).collect(),
        format!("{key} was tried again by {group}, and says that it was never tried"),
        format!("{key} 在 {group} 重试，却自称从未消费过"),
    )
}

/// What is wrong with a further try: the clause, the failure nearest to it, and how much too early it is.
fn wrong(
    scene: &Scene<'_>,
    before: &[Try<'_>],
    next: &Try<'_>,
    levels: &[Levels],
    is_timed: bool,
) -> Option<(&'static str, Option<Seq>, Span)> {
    let wait = |level: i64| {
        let millis = levels.iter().map(|own| own.wait(level)).min().unwrap_or(0);
        Span::from_millis(millis.unsigned_abs())
    };
    let mut earliest: Option<(Time, Seq)> = None;
    // Hops of one message are few; what failed one hop before is looked for among them.
    for one in before.iter().filter(|one| one.hops + 1 == next.hops) {
        let ladder = wait(3 + i64::from(one.hops));
        let ended = one.delivery.end.filter(|_| one.failed).map(|(_, at)| at);
        let by_answer = ended.map(|at| {
            let is_local = one.place == next.place;
            let chosen = match one.delivery.answer {
                Some(ConsumeOutcome::LaterAt { delay_level }) if 0 < delay_level => wait(i64::from(delay_level)),
                _ => ladder,
            };
            // Who cannot give it back sends it by itself, whatever level the listener chose.
            let is_shaken = scene.went_wrong(Time(at.0.saturating_sub(SHAKEN.0)), next.delivery.at);
            at + if is_local {
                LOCAL
            } else if is_shaken {
                chosen.min(ladder)
            } else {
                chosen
            }
        });
        let is_held = one.delivery.at + HELD <= one.delivery.end.map_or(scene.history.end, |(_, end)| end);
        let by_time = is_held.then_some(one.delivery.at + HELD + wait(3));
        for due in by_answer.into_iter().chain(by_time) {
            if earliest.is_none_or(|(known, _)| due < known) {
                earliest = Some((due, one.delivery.seq));
            }
        }
    }
    match earliest {
        None => Some(("no failure before it", before.last().map(|one| one.delivery.seq), Span::ZERO)),
        Some((due, seq)) if is_timed && next.delivery.at + MILLISECOND < due => {
            Some(("early", Some(seq), due.since(next.delivery.at)))
        }
        Some(_) => None,
    }
}

/// A client that cannot give a message back tries it again by itself. Source:
/// `ConsumeMessageConcurrentlyService.submitConsumeRequestLater`.
const LOCAL: Span = Span::from_secs(5);
/// Source: `DefaultMQPushConsumer.consumeTimeout`.
const HELD: Span = Span::from_secs(15 * 60);
/// How long before an answer something may have gone wrong that still shows in it.
const SHAKEN: Span = Span::from_secs(130);
/// Store times are cut to the millisecond.
const MILLISECOND: Span = Span::from_millis(1);

/// The node and process of a delivery.
pub(super) fn process(delivery: &Delivery) -> (NodeId, u32) {
    (delivery.node, delivery.incarnation)
}
