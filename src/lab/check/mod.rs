//! What it means: guarantees, and verdicts from what outsiders could see.

use std::fmt;

use crate::lab::check::history::History;
use crate::lab::check::measure::Number;
use crate::lab::locale::Phrase;
use crate::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::Seq;
use crate::mq::time::Span;

pub mod history;

pub mod storage;

pub mod measure;

pub mod transactions;

mod agreement;
mod broadcast;
mod clean;
mod content;
mod corruption;
mod counts;
mod coverage;
mod dead;
mod delays;
pub mod deleted;
mod delivery;
mod derived;
mod duplicates;
mod fate;
mod filters;
pub mod ids;
mod keys;
pub mod leases;
pub mod letters;
mod lineage;
mod liveness;
mod minds;
mod ordered;
mod overrun;
mod regress;
mod retries;
mod roles;
mod routing;
mod scene;
mod settled;
pub mod sick;
pub mod signs;
mod stale;
mod start;
mod stuck;
mod suite;
mod wording;

mod disks;
mod durability;
mod honest;
mod logs;
mod replicas;
pub mod reset;

pub use suite::suite;

/// A guarantee of the index: `G01` is number 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Guarantee(pub u8);

impl Guarantee {
    /// `G01h`, which the index puts beside G01 without a number of its own; the numbers end below 100.
    pub const ACK_HONEST: Guarantee = Guarantee(101);
}

/// What became of one check in one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The expectation's name, or the check's.
    pub id: String,
    /// The check's name in the library.
    pub check: &'static str,
    /// The guarantee of the index that it judges, if it is one.
    pub guarantee: Option<Guarantee>,
    /// What came out.
    pub verdict: Verdict,
    /// What should come out.
    pub expected: Outcome,
    /// Whether the scenario asked for it; the others are judged in every run.
    pub asked: bool,
    /// In a sentence: what was counted, what was found.
    pub summary: Phrase,
}

/// What a checker says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) summary: Phrase,
}

/// Judged in every run, whatever the scenario asks for.
const ALWAYS: &[Check] = &[Check::AckedDurability, Check::AtLeastOnce, Check::NoPhantom, Check::OffsetAgreement];

/// A witness names at most so many records.
pub(crate) const WITNESS_MAX: usize = 30;

/// Whether a guarantee is owed whatever goes wrong: honesty is, survival is not.
pub fn is_owed_beyond(check: &Check) -> bool {
    matches!(check, Check::NoPhantom | Check::AckHonest | Check::CleanError)
}

/// Judges a run: what the plan expects, then what is judged in every run. The trace needs level `full` for `frames` and
/// `sometimes`, and `history` for everything else.
pub fn run(trace: &Trace, plan: &Plan) -> Vec<Finding> {
    let mut history = History::of(trace);
    history.part(plan);
    let mut findings = expected(trace, &history, plan);
    let also: &[Check] = if broadcast::is_done_in(plan) { &[Check::BroadcastComplete] } else { &[] };
    for check in ALWAYS.iter().chain(also) {
        if findings.iter().any(|finding| finding.guarantee == guarantee(check)) {
            continue;
        }
        let Judged { verdict, summary } = judge(check, trace, &history, plan);
        let (id, expected) = (check.name().to_owned(), Outcome::Holds);
        let (check, guarantee) = (check.name(), guarantee(check));
        findings.push(Finding { id, check, guarantee, verdict, expected, asked: false, summary });
    }
    findings
}

/// Judges what the plan expects and nothing else, in that order.
pub fn asked(trace: &Trace, plan: &Plan) -> Vec<Finding> {
    let mut history = History::of(trace);
    history.part(plan);
    expected(trace, &history, plan)
}

fn expected(trace: &Trace, history: &History, plan: &Plan) -> Vec<Finding> {
    let finding = |expect: &Expect| {
        let Judged { verdict, summary } = judge(&expect.check, trace, history, plan);
        Finding {
            id: expect.id.to_string(),
            check: expect.check.name(),
            guarantee: guarantee(&expect.check),
            verdict,
            expected: expect.outcome,
            asked: true,
            summary,
        }
    };
    plan.expects.iter().map(finding).collect()
}

fn judge(check: &Check, trace: &Trace, history: &History, plan: &Plan) -> Judged {
    match check {
        Check::NoAckedLoss => durability::no_acked_loss(history, trace),
        Check::AckedDurability => durability::acked_durability(history, trace, plan),
        Check::AckHonest => honest::ack_honest(history, trace, plan),
        Check::AtLeastOnce => delivery::at_least_once(history, plan),
        Check::NoPhantom => agreement::no_phantom(history),
        Check::OffsetAgreement => agreement::offset_agreement(history, trace),
        Check::LogWellFormed => disks::log_well_formed(history),
        Check::CorruptionTold => corruption::corruption_told(history, trace, plan),
        Check::StoreConsistent => disks::store_consistent(history),
        Check::IndexRecall => disks::index_recall(history),
        Check::KeepsStable => disks::keeps_stable(history, trace),
        Check::CheckpointSafe => disks::checkpoint_safe(history),
        Check::ReplicaPrefix => disks::replica_prefix(history, trace, plan),
        Check::StaleRoute => stale::stale_route(history, trace, plan),
        Check::HalfInvisible => settled::half_invisible(history),
        Check::TransactionAtomic => settled::transaction_atomic(history, plan),
        Check::TransactionResolved => settled::transaction_resolved(history, plan),
        Check::CheckBack => settled::check_back(history, trace, plan),
        Check::DuplicatesExplained => duplicates::explained(history, plan),
        Check::QueueFifo => ordered::queue_fifo(history, plan),
        Check::OrderlyExclusive => ordered::exclusive(history, plan),
        Check::NoOvertaking => ordered::no_overtaking(history, plan),
        Check::FilterSound => filters::sound(history, plan),
        Check::FilterComplete => filters::complete(history, plan),
        Check::NoOverrun => overrun::no_overrun(history, plan),
        Check::NoRegress => regress::no_regress(history, plan),
        Check::DerivedContinuity => derived::derived_continuity(history, plan),
        Check::ContentIntegrity => content::content_integrity(history, plan),
        Check::NoMisrouting => routing::no_misrouting(history, plan),
        Check::RetrySchedule => retries::retry_schedule(history, plan),
        Check::DlqExact => dead::dlq_exact(history, plan),
        Check::NeverEarly => delays::never_early(history, plan),
        Check::NotLate => delays::not_late(history, plan),
        Check::PerKeyOrder => keys::per_key_order(history, plan),
        Check::RebalanceCoverage => coverage::rebalance_coverage(history, plan),
        Check::NoStuckEntity => stuck::no_stuck_entity(history, trace, plan),
        Check::CleanError => clean::clean_error(history, plan),
        Check::ResourceBounds => clean::resource_bounds(history, plan),
        Check::Records { message, count } => counts::records(history, message.as_deref(), count),
        Check::CheckBacks { message, count } => counts::check_backs(history, message.as_deref(), count),
        Check::StartPosition => start::start_position(history, plan),
        Check::ResetConformance => reset::reset_conformance(history, plan),
        Check::BroadcastComplete => broadcast::broadcast_complete(history, plan),
        Check::Deliveries { message, group, count } => {
            delivery::deliveries(history, (message.as_deref(), group.as_deref(), None), count)
        }
        Check::DeliveriesTo { node, message, group, count } => {
            delivery::deliveries(history, (message.as_deref(), group.as_deref(), trace.node(node)), count)
        }
        Check::Stored { message, topic, count } => {
            counts::stored(history, (message.as_deref(), topic.as_deref()), count)
        }
        Check::SendFails { error, count } => counts::send_fails(history, error, count),
        Check::Frames { to, frame, count } => counts::frames(trace, to, frame, count),
        Check::DrainBound => liveness::drain_bound(history, plan),
        Check::Unavailability => liveness::unavailability(history, plan),
        Check::Acked { count } => measure::number(history, Number::Acked, count),
        Check::Lost { count } => measure::number(history, Number::Lost, count),
        Check::Late { count } => measure::number(history, Number::Late, count),
        Check::SendGap { count } => measure::number(history, Number::SendGap, count),
        Check::ReceiveGap { count } => measure::number(history, Number::ReceiveGap, count),
        Check::Sometimes { event } => counts::sometimes(trace, event),
    }
}

fn guarantee(check: &Check) -> Option<Guarantee> {
    match check {
        Check::NoAckedLoss | Check::AckedDurability => Some(Guarantee(1)),
        Check::AckHonest => Some(Guarantee::ACK_HONEST),
        Check::AtLeastOnce => Some(Guarantee(2)),
        Check::NoPhantom => Some(Guarantee(3)),
        Check::OffsetAgreement => Some(Guarantee(5)),
        Check::HalfInvisible => Some(Guarantee(10)),
        Check::TransactionAtomic => Some(Guarantee(11)),
        Check::TransactionResolved => Some(Guarantee(12)),
        Check::CheckBack => Some(Guarantee(13)),
        Check::DuplicatesExplained => Some(Guarantee(32)),
        Check::StartPosition => Some(Guarantee(33)),
        Check::ResetConformance => Some(Guarantee(34)),
        Check::BroadcastComplete => Some(Guarantee(35)),
        Check::QueueFifo => Some(Guarantee(20)),
        Check::OrderlyExclusive => Some(Guarantee(22)),
        Check::NoOvertaking => Some(Guarantee(23)),
        Check::FilterSound => Some(Guarantee(50)),
        Check::FilterComplete => Some(Guarantee(51)),
        Check::LogWellFormed => Some(Guarantee(60)),
        Check::StoreConsistent => Some(Guarantee(61)),
        Check::IndexRecall => Some(Guarantee(62)),
        Check::KeepsStable => Some(Guarantee(63)),
        Check::CheckpointSafe => Some(Guarantee(64)),
        Check::ReplicaPrefix => Some(Guarantee(65)),
        Check::CorruptionTold => Some(Guarantee(66)),
        Check::DrainBound => Some(Guarantee(70)),
        Check::Unavailability => Some(Guarantee(71)),
        Check::StaleRoute => Some(Guarantee(71)),
        Check::NoOverrun => Some(Guarantee(31)),
        Check::NoRegress => Some(Guarantee(30)),
        Check::DerivedContinuity => Some(Guarantee(6)),
        Check::ContentIntegrity => Some(Guarantee(4)),
        Check::NoMisrouting => Some(Guarantee(7)),
        Check::RetrySchedule => Some(Guarantee(40)),
        Check::DlqExact => Some(Guarantee(41)),
        Check::NeverEarly => Some(Guarantee(42)),
        Check::NotLate => Some(Guarantee(43)),
        Check::PerKeyOrder => Some(Guarantee(21)),
        Check::RebalanceCoverage => Some(Guarantee(36)),
        Check::NoStuckEntity => Some(Guarantee(72)),
        Check::CleanError => Some(Guarantee(73)),
        Check::ResourceBounds => Some(Guarantee(74)),
        _ => None,
    }
}

impl Finding {
    /// Whether what came out is what should.
    ///
    /// Nothing to judge is as expected only where nobody asked.
    pub fn is_as_expected(&self) -> bool {
        match (&self.verdict, self.expected) {
            (Verdict::Harness { .. }, _) => false,
            (Verdict::Inconclusive { .. }, _) => !self.asked,
            (_, Outcome::Either) | (Verdict::Pass, Outcome::Holds) => true,
            (Verdict::Violation { .. } | Verdict::Known { .. }, Outcome::Violated) => true,
            _ => false,
        }
    }

    /// `G01`, or the check's name where it judges no guarantee of the index.
    pub fn judges(&self) -> String {
        self.guarantee.map_or_else(|| self.check.to_owned(), |guarantee| guarantee.to_string())
    }
}

impl Judged {
    pub(crate) fn pass(en: impl Into<String>, zh: impl Into<String>) -> Judged {
        Judged { verdict: Verdict::Pass, summary: Phrase { en: en.into(), zh: zh.into() } }
    }

    pub(crate) fn violation(
        clause: &'static str,
        mut witness: Vec<Seq>,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Judged {
        witness.sort();
        witness.dedup();
        witness.truncate(WITNESS_MAX);
        Judged { verdict: Verdict::Violation { clause, witness }, summary: Phrase { en: en.into(), zh: zh.into() } }
    }

    /// The violation as one of a registered weakness.
    pub(crate) fn known(self, weakness: u8) -> Judged {
        let verdict = match self.verdict {
            Verdict::Violation { clause, witness } => Verdict::Known { weakness, clause, witness },
            other => other,
        };
        let Phrase { en, zh } = self.summary;
        let tag = format!("K{weakness:02}");
        Judged { verdict, summary: Phrase { en: format!("{en} ({tag})"), zh: format!("{zh}（{tag}）") } }
    }

    pub(crate) fn inconclusive(en: &str, zh: &str) -> Judged {
        let summary = Phrase { en: en.to_owned(), zh: zh.to_owned() };
        Judged { verdict: Verdict::Inconclusive { missing: en.to_owned() }, summary }
    }
}

/// What came out.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It held, and there was something to judge.
    Pass,
    /// It was broken.
    Violation {
        /// Which part of the guarantee.
        clause: &'static str,
        /// At most 30 records that show it, in order.
        witness: Vec<Seq>,
    },
    /// It was broken by a registered weakness of the release.
    Known {
        /// The weakness: `K01` is number 1.
        weakness: u8,
        /// Which part of the guarantee.
        clause: &'static str,
        /// At most 30 records that show it, in order.
        witness: Vec<Seq>,
    },
    /// There was nothing to judge.
    Inconclusive {
        /// What evidence was missing.
        missing: String,
    },
    /// The lab itself is broken.
    Harness {
        /// Which invariant.
        invariant: String,
    },
}

/// A span for people, to the millisecond.
pub(crate) fn seconds(span: Span) -> String {
    format!("{}.{:03} s", span.as_millis() / 1_000, span.as_millis() % 1_000)
}

impl Verdict {
    /// The word in JSON: `pass`, `violation`, `known`, `inconclusive`, `harness`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Violation { .. } => "violation",
            Verdict::Known { .. } => "known",
            Verdict::Inconclusive { .. } => "inconclusive",
            Verdict::Harness { .. } => "harness",
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Guarantee::ACK_HONEST => f.write_str("G01h"),
            Guarantee(number) => write!(f, "G{number:02}"),
        }
    }
}
