//! G42 and G43: a delayed message is not under its true topic before its time, nor long after.
//!
//! A parked copy and the one that was put under its true topic have unique key, true topic and number of tries in common; both
//! were stamped by the same wall clock.

use std::collections::BTreeMap;

use crate::lab::check::content::SCHEDULE_TOPIC;
use crate::lab::check::history::{History, Image};
use crate::lab::check::ids::ById;
use crate::lab::check::letters::label;
use crate::lab::check::scene::{FIRST_BOOTS, Scene, brokers};
use crate::lab::check::{Judged, seconds};
use crate::lab::oracle::config::Config;
use crate::lab::oracle::store::{LogRecord, Store};
use crate::lab::scenario::plan::{BrokerPlan, Plan};
use crate::lab::trace::record::{NodeId, Seq};
use crate::mq::message::property::names;
use crate::mq::time::{Span, Time};

/// How long each level of a broker waits, ms.
pub(super) struct Levels(Vec<i64>);

impl Levels {
    pub(super) fn of(broker: &BrokerPlan) -> Levels {
        let said = broker.properties.iter().rfind(|pair| pair.key == "messageDelayLevel");
        let text = said.map_or(LEVELS, |pair| &*pair.value);
        let wait = |word: &str| {
            let (number, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
            let unit = match unit {
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            Some(number.parse::<i64>().ok()?.saturating_mul(unit))
        };
        Levels(text.split(' ').map(|word| wait(word).unwrap_or(0)).collect())
    }

    /// How long a level waits; one that is too high is the highest.
    pub(super) fn wait(&self, level: i64) -> i64 {
        let place = usize::try_from(level - 1).unwrap_or(0).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or(0)
    }
}

/// What the parked and the delivered copy of one wait have in common.
type Wait<'a> = (&'a str, &'a str, i32);

/// What waits, and what has waited, in one store.
pub(super) struct Waits<'a> {
    pub(super) parked: Vec<(Wait<'a>, &'a LogRecord)>,
    fired: BTreeMap<Wait<'a>, Vec<&'a LogRecord>>,
}

impl<'a> Waits<'a> {
    pub(super) fn of(store: &'a Store) -> Waits<'a> {
        let mut waits = Waits { parked: Vec::new(), fired: BTreeMap::new() };
        for record in &store.records {
            let text = |name: &str| record.properties.get(name);
            let (Some(id), Some(real)) = (text(names::UNIQ_KEY), text(names::REAL_TOPIC)) else { continue };
            let wait = (id, real, record.reconsumed);
            match record.topic.as_ref() {
                SCHEDULE_TOPIC => waits.parked.push((wait, record)),
                topic if topic == real => waits.fired.entry(wait).or_default().push(record),
                _ => {}
            }
        }
        waits
    }

    /// The first copy under the true topic that was stored after a parked one.
    pub(super) fn fired(&self, wait: &Wait<'_>, parked: &LogRecord) -> Option<&'a LogRecord> {
        let own: &[&LogRecord] = self.fired.get(wait).map_or(&[], Vec::as_slice);
        own.get(own.partition_point(|fired| fired.at < parked.at)).copied()
    }
}

/// Nothing that waits is put under its true topic, or handed out, before its time.
pub(super) fn never_early(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let mut looked_at = 0;
    for (node, broker) in brokers(plan) {
        let Some((master, store)) = scene.master(&broker.broker_name).filter(|(master, _)| *master == node) else {
            continue;
        };
        if history.signs.is_sick(master) || history.signs.is_swapped(master) {
            continue;
        }
        let (levels, waits) = (Levels::of(broker), Waits::of(store));
        // What is stamped before a step back and delivered after it has waited for longer than the stamps say, by the step at
        // most. That it waits its time in spite of the step is what the repair of K19 is for.
        let back = history.set_back.iter().filter(|(node, _)| *node == master).map(|(_, millis)| *millis);
        let set_back: i64 = if plan.profile.fixes("K19") { back.sum() } else { 0 };
        // Which moment the earliest of the parked copies in front of a delivered one has.
        let mut due: BTreeMap<Wait<'_>, i64> = BTreeMap::new();
        let mut events: Vec<(u64, Wait<'_>, &LogRecord, bool)> =
            waits.parked.iter().map(|(wait, record)| (record.at, *wait, *record, true)).collect();
        let fired = waits.fired.iter().flat_map(|(wait, all)| all.iter().map(|one| (one.at, *wait, *one, false)));
        events.extend(fired);
        events.sort_unstable_by_key(|(at, ..)| *at);
        for (_, wait, record, is_parked) in events {
            if is_parked {
                let own = record.stored + levels.wait(i64::from(record.queue) + 1);
                due.entry(wait).and_modify(|due| *due = own.min(*due)).or_insert(own);
                continue;
            }
            let Some(due) = due.get(&wait) else { continue };
            looked_at += 1;
            if record.stored + set_back < *due {
                let by = seconds(Span::from_millis((due - record.stored).unsigned_abs()));
                let judged = early(wait.0, Vec::new(), &by);
                let is_stepped = history.clock_steps.iter().any(|(stepped, _)| *stepped == master);
                return if is_stepped && !plan.profile.fixes("K19") { judged.known(STEPPED_BACK) } else { judged };
            }
        }
    }
    match handed_early(&scene, &mut looked_at) {
        Some(found) => found,
        None if looked_at == 0 => Judged::inconclusive("nothing was delayed", "没有延时消息"),
        None => Judged::pass(format!("{looked_at} waits, none cut short"), format!("{looked_at} 次等待，都不早到")),
    }
}

/// A delayed message that a listener was handed too early, by true time.
fn handed_early(scene: &Scene<'_>, looked_at: &mut usize) -> Option<Judged> {
    let history = scene.history;
    let mut first: ById<(Time, Seq)> = ById::default();
    for delivery in &history.deliveries {
        for id in delivery.ids() {
            first.of(id).get_or_insert((delivery.at, delivery.seq));
        }
    }
    for (send, _, _, result) in history.acked() {
        let level = send.message.properties.get(names::DELAY).and_then(|level| level.parse::<i64>().ok());
        let Some(level) = level.filter(|level| 0 < *level) else { continue };
        let Some((handed, seq)) = send.id.and_then(|id| first.get(id)) else { continue };
        let broker = brokers(scene.plan).find(|(_, own)| own.broker_name == result.queue.broker && own.broker_id == 0);
        let Some((_, broker)) = broker.filter(|(node, _)| scene.is_honest(*node)) else { continue };
        *looked_at += 1;
        let due = send.at + Span::from_millis(Levels::of(broker).wait(level).unsigned_abs());
        if *handed + MILLISECOND < due {
            let by = seconds(due.since(*handed));
            return Some(early(&label(send), vec![send.seq, *seq], &by));
        }
    }
    None
}

fn early(name: &str, witness: Vec<Seq>, by: &str) -> Judged {
    Judged::violation("early", witness, format!("{name} came {by} before its time"), format!("{name} 提前了 {by}"))
}

/// Whatever has waited for its time is put under its true topic, soon after.
pub(super) fn not_late(history: &History, plan: &Plan) -> Judged {
    let scene = Scene::of(history, plan);
    let (mut looked_at, mut open) = (0, 0);
    for (node, broker) in brokers(plan) {
        let Some((master, store)) = scene.master(&broker.broker_name).filter(|(master, _)| *master == node) else {
            continue;
        };
        let Some(image) = history.disks.iter().rfind(|disk| disk.node == master) else { continue };
        if history.signs.is_sick(master) || history.signs.is_swapped(master) || !scene.is_healed() {
            continue;
        }
        let (levels, waits) = (Levels::of(broker), Waits::of(store));
        let cursors = Config::read(&Image(&image.cached)).delayed;
        // A parked message is seen when it is in its queue, which may wait for a force (K04 is repaired).
        let backlog = waits.parked.len() as i64 + history.waits_for_force.unwrap_or_default().as_millis() as i64;
        let is_settled = history.up_since.contains_key(&master) && scene.last_wrong() + SLACK <= history.end;
        for (wait, parked) in &waits.parked {
            looked_at += 1;
            let due = parked.stored + levels.wait(i64::from(parked.queue) + 1);
            if history.deletions.spoil(wait.1, Time::ZERO) || parked.is_garbled {
                continue;
            }
            if let Some(fired) = waits.fired(wait, parked) {
                let (from, to) = (scene.true_time(parked.stored), scene.true_time(fired.stored));
                let is_late = due + PROMPT_MS + backlog < fired.stored;
                // Nothing was wrong while it waited, and nothing from before lasted that long.
                let was_quiet =
                    scene.last_wrong() <= from || scene.first_wrong_after(FIRST_BOOTS).is_none_or(|at| to < at);
                if is_late && was_quiet && scene.is_honest(master) {
                    return late("late", parked, wait.0);
                }
                continue;
            }
            if image.wall < due + (SLACK.0 / 1_000_000) as i64 + backlog || !is_settled {
                open += 1;
                continue;
            }
            let cursor = cursors.get(&(parked.queue + 1)).copied().unwrap_or(0);
            let stored = scene.true_time(parked.stored);
            if cursor <= parked.queue_offset {
                return late("never", parked, wait.0);
            }
            // It lies behind a cursor that was there before it: the tail of the queue was lost, the cursor was not.
            if scene.power_losses(master).any(|at| at <= stored) {
                let judged = late("behind the cursor", parked, wait.0);
                return if plan.profile.fixes("K20") { judged } else { judged.known(BEHIND_CURSOR) };
            }
            // What the cursor has passed without a copy is lost: G06 says so.
        }
    }
    match (looked_at, open) {
        (0, _) => Judged::inconclusive("nothing was delayed", "没有延时消息"),
        (_, 0) => Judged::pass(format!("{looked_at} waits ended in time"), format!("{looked_at} 次等待按时结束")),
        (_, open) => Judged::inconclusive(
            &format!("{open} of {looked_at} still wait when the run ends"),
            &format!("运行结束时 {looked_at} 次等待中还有 {open} 次未到期限"),
        ),
    }
}

fn late(clause: &'static str, parked: &LogRecord, id: &str) -> Judged {
    let (level, offset) = (parked.queue + 1, parked.queue_offset);
    let key = parked.properties.get(names::KEYS).unwrap_or(id);
    Judged::violation(
        clause,
        Vec::new(),
        format!("{key}, number {offset} of level {level}, was not delivered when its time had come: {clause}"),
        format!("{key}（级别 {level} 的第 {offset} 条）到期后没有按时投递：{clause}"),
    )
}

/// All nodes that are masters, with what waits in their stores.
pub(super) fn waiting<'a>(scene: &Scene<'a>) -> Vec<(NodeId, Waits<'a>)> {
    let masters = brokers(scene.plan).filter_map(|(node, broker)| {
        let (master, store) = scene.master(&broker.broker_name)?;
        (master == node).then(|| (node, Waits::of(store)))
    });
    masters.collect()
}

/// Source: `MessageStoreConfig.messageDelayLevel`.
const LEVELS: &str = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";
/// Store times are cut to the millisecond.
const MILLISECOND: Span = Span::from_millis(1);
/// How soon after its time something is delivered when all is well: a look each 100 ms, and 1 s. Besides 1 ms for each that waits.
const PROMPT_MS: i64 = 5_000;
/// How long it may take after everything has healed: a failed put is tried again after ten seconds.
const SLACK: Span = Span::from_secs(60);
/// After a wall clock stepped back what waits for too long is delivered at once: K19.
const STEPPED_BACK: u8 = 19;
/// A cursor behind the end of its queue: K20.
const BEHIND_CURSOR: u8 = 20;
