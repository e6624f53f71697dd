//! What became of a transaction at the brokers, and which registered weakness of the release explains a bad end.
//!
//! Judged from the disks at the end alone; a weakness that the run's profile repairs explains nothing.

use crate::lab::check::history::{DiskSeen, History, Image};
use crate::lab::check::transactions::{Logged, TransactionSeen};
use crate::lab::oracle::config::Config;
use crate::lab::oracle::store::Store;
use crate::lab::scenario::plan::{BrokerPlan, NodeKind, Plan};
use crate::mq::message::names;

/// What the brokers' files say of checks; where they say nothing, the release's defaults.
pub(super) struct Limits {
    /// `transactionTimeOut`: nobody is asked for a younger half message.
    pub time_out_ms: i64,
    /// `transactionCheckMax`.
    pub checks_max: i64,
    /// `transactionCheckInterval`.
    pub interval_ms: i64,
    /// `fileReservedTime`: an older half message is given up.
    pub reserved_ms: i64,
    /// The weaknesses that can explain a bad end and are not repaired.
    weaknesses: Vec<u8>,
}

impl Limits {
    /// The loosest of a plan's brokers.
    pub fn of(plan: &Plan) -> Limits {
        let brokers = || {
            plan.nodes.iter().filter_map(|node| match &node.kind {
                NodeKind::Broker(broker) => Some(&**broker),
                _ => None,
            })
        };
        let said = |key: &'static str, default: i64| {
            let said = move |broker: &BrokerPlan| {
                let pair = broker.properties.iter().rfind(|pair| pair.key == *key);
                pair.and_then(|pair| pair.value.parse().ok()).unwrap_or(default)
            };
            brokers().map(said)
        };
        Limits {
            time_out_ms: said("transactionTimeOut", 6_000).min().unwrap_or(6_000),
            checks_max: said("transactionCheckMax", 15).max().unwrap_or(15),
            interval_ms: said("transactionCheckInterval", 60_000).max().unwrap_or(60_000),
            reserved_ms: said("fileReservedTime", 72).min().unwrap_or(72).saturating_mul(3_600_000),
            weaknesses: [11, 21, 22].into_iter().filter(|number| !plan.profile.fixes(&format!("K{number}"))).collect(),
        }
    }

    /// A weakness, if it is not repaired.
    fn in_force(&self, weakness: u8) -> Option<u8> {
        self.weaknesses.contains(&weakness).then_some(weakness)
    }
}

/// What became of a transaction at the brokers, by their disks at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The true message is there.
    Committed,
    /// A note settles it, and there is no true message.
    RolledBack,
    /// It was looked at too often, or is too old, and the cursor has passed it.
    GivenUp,
    /// The cursor stands in front of its last copy.
    Pending,
    /// The cursor has passed it, and nothing says why.
    Forgotten,
    /// It was diverted to the schedule topic, from where nobody settles it (K21).
    Diverted,
    /// No log holds anything of it.
    Lost,
}

/// What became of a transaction, and the number of the weakness that explains it.
pub(super) fn fate(history: &History, seen: &TransactionSeen, limits: &Limits) -> (Fate, Option<u8>) {
    let mut found = (Fate::Lost, None);
    for broker in &history.brokers {
        let logged = Logged::of(broker, &seen.id);
        if !logged.finals.is_empty() {
            return (Fate::Committed, None);
        }
        // What comes back from the schedule topic lands among the half messages, under their topic as its own.
        if !logged.diverted.is_empty() {
            found = (Fate::Diverted, limits.in_force(21));
            continue;
        }
        let Some(last) = logged.halves.last() else { continue };
        let image = history.disks.iter().rfind(|disk| disk.node == broker.node);
        let config = image.map(|disk| Config::read(&Image(&disk.cached))).unwrap_or_default();
        let place = (names::TRANS_GROUP.to_owned(), names::TRANS_HALF_TOPIC.to_owned(), 0);
        let cursor = config.consumed.get(&place).copied().unwrap_or(0);
        found = match () {
            () if !logged.notes.is_empty() => (Fate::RolledBack, None),
            () if cursor <= last.queue_offset && has_unreadable(&broker.store, cursor, last.queue_offset) => {
                (Fate::Pending, limits.in_force(22))
            }
            () if cursor <= last.queue_offset => (Fate::Pending, None),
            () if logged.times() >= limits.checks_max => (Fate::GivenUp, None),
            () if is_old_by_producer(&logged, image, limits) => (Fate::Forgotten, limits.in_force(11)),
            // A copy to be asked for again was given to the page cache, and the failed sync had its page: no promise outlives F4.
            () if history.sick.moments(broker.node).any(|at| seen.at <= at) => (Fate::Lost, None),
            () => (Fate::Forgotten, None),
        };
    }
    found
}

/// Whether a round that begins at the cursor throws before it comes to a half message, or at it.
fn has_unreadable(store: &Store, cursor: i64, upto: i64) -> bool {
    let halves = store.records.iter().filter(|record| *record.topic == *names::TRANS_HALF_TOPIC);
    halves.filter(|half| (cursor..=upto).contains(&half.queue_offset)).any(|half| half.is_garbled)
}

/// Whether a half message is older than the log keeps anything by its producer's clock, and not by the store's.
fn is_old_by_producer(logged: &Logged<'_>, image: Option<&DiskSeen>, limits: &Limits) -> bool {
    let Some((first, image)) = logged.halves.first().zip(image) else { return false };
    limits.reserved_ms < image.wall - first.born && image.wall - first.stored <= limits.reserved_ms
}
