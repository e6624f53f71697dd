//! What RocketMQ promises, by name, each with the sentence that says when.

use crate::lab::check::Guarantee;
use crate::lab::scenario::plan::Check;

/// G01: what was acknowledged is kept.
pub const ACKED_DURABILITY: Guarantee = Guarantee(1);
/// G01h: an acknowledgement is true when it leaves.
pub const ACK_HONEST: Guarantee = Guarantee::ACK_HONEST;
/// G02: each group gets each message at least once.
pub const AT_LEAST_ONCE: Guarantee = Guarantee(2);
/// G03: nothing is delivered that was not sent.
pub const NO_PHANTOM: Guarantee = Guarantee(3);
/// G04: what is delivered says what was sent.
pub const CONTENT_INTEGRITY: Guarantee = Guarantee(4);
/// G05: one place in a queue, one message.
pub const OFFSET_AGREEMENT: Guarantee = Guarantee(5);
/// G20: an ordered listener is handed each queue in order.
pub const QUEUE_FIFO: Guarantee = Guarantee(20);
/// G21: messages of one key are consumed in the order in which they were sent.
pub const PER_KEY_ORDER: Guarantee = Guarantee(21);
/// G22: two processes never consume one queue at once.
pub const ORDERLY_EXCLUSIVE: Guarantee = Guarantee(22);
/// G23: nothing passes a suspended message.
pub const NO_OVERTAKING: Guarantee = Guarantee(23);
/// G30: a group's place does not go back without a cause.
pub const NO_REGRESS: Guarantee = Guarantee(30);
/// G31: a group's place never passes what it has not settled.
pub const NO_OVERRUN: Guarantee = Guarantee(31);
/// G32: every delivery beyond the first has a cause.
pub const DUPLICATES_EXPLAINED: Guarantee = Guarantee(32);
/// G40: what failed is tried again no earlier than its level says.
pub const RETRY_SCHEDULE: Guarantee = Guarantee(40);
/// G41: dead letters are those that failed often enough.
pub const DLQ_EXACT: Guarantee = Guarantee(41);
/// G06: what a broker copies by itself (retry, delay, commit, half message) is never lost on the way.
pub const DERIVED_CONTINUITY: Guarantee = Guarantee(6);
/// G07: every copy lies where it belongs.
pub const NO_MISROUTING: Guarantee = Guarantee(7);
/// G10: a half message is seen by nobody before its commit, and never once it is rolled back.
pub const HALF_INVISIBLE: Guarantee = Guarantee(10);
/// G11: what ledgers say and what consumers see agree.
pub const TRANSACTION_ATOMIC: Guarantee = Guarantee(11);
/// G12: every half message comes to an end.
pub const TRANSACTION_RESOLVED: Guarantee = Guarantee(12);
/// G13: brokers ask when and as often as they should.
pub const CHECK_BACK: Guarantee = Guarantee(13);
/// G33: a group begins where its rule says.
pub const START_POSITION: Guarantee = Guarantee(33);
/// G34: a group that is moved goes on from there.
pub const RESET_CONFORMANCE: Guarantee = Guarantee(34);
/// G35: each subscriber gets each message.
pub const BROADCAST_COMPLETE: Guarantee = Guarantee(35);
/// G36: when all is quiet every queue has one owner.
pub const REBALANCE_COVERAGE: Guarantee = Guarantee(36);
/// G42: a delayed message is not there before its time.
pub const NEVER_EARLY: Guarantee = Guarantee(42);
/// G43: nor long after it.
pub const NOT_LATE: Guarantee = Guarantee(43);
/// G50: nobody is handed what was filtered out.
pub const FILTER_SOUND: Guarantee = Guarantee(50);
/// G51: whatever passes the filter is handed out.
pub const FILTER_COMPLETE: Guarantee = Guarantee(51);
/// G60: a log is records, end to end.
pub const LOG_WELL_FORMED: Guarantee = Guarantee(60);
/// G61: consume queues are an index of the log.
pub const STORE_CONSISTENT: Guarantee = Guarantee(61);
/// G62: a key is found.
pub const INDEX_RECALL: Guarantee = Guarantee(62);
/// G63: what was durable is there after a recovery.
pub const KEEPS_STABLE: Guarantee = Guarantee(63);
/// G64: a checkpoint never promises more than is durable.
pub const CHECKPOINT_SAFE: Guarantee = Guarantee(64);
/// G65: a slave's log is a part of its master's.
pub const REPLICA_PREFIX: Guarantee = Guarantee(65);
/// G66: damage is never dropped in silence.
pub const CORRUPTION_TOLD: Guarantee = Guarantee(66);
/// G70: what is owed is handed out within a bound.
pub const DRAIN_BOUND: Guarantee = Guarantee(70);
/// G71: nobody waits for longer than a bound.
pub const UNAVAILABILITY: Guarantee = Guarantee(71);
/// G72: no queue, lock or half message stands still for ever.
pub const NO_STUCK_ENTITY: Guarantee = Guarantee(72);
/// G73: every call ends in time, with a result or an error that is true.
pub const CLEAN_ERROR: Guarantee = Guarantee(73);
/// G74: connections do not grow without bound.
pub const RESOURCE_BOUNDS: Guarantee = Guarantee(74);

const ALL: &[(Guarantee, Check, &str)] = &[
    (
        ACKED_DURABILITY,
        Check::AckedDurability,
        "as long as no fault goes beyond what the acknowledgement's strength bears",
    ),
    (ACK_HONEST, Check::AckHonest, "whatever goes wrong"),
    (
        AT_LEAST_ONCE,
        Check::AtLeastOnce,
        "in clustering groups, from where the group starts, once all has healed and drained",
    ),
    (NO_PHANTOM, Check::NoPhantom, "whatever goes wrong but a flipped bit"),
    (CONTENT_INTEGRITY, Check::ContentIntegrity, "whatever goes wrong but a flipped bit"),
    (OFFSET_AGREEMENT, Check::OffsetAgreement, "between two truncations of a log"),
    (QUEUE_FIFO, Check::QueueFifo, "to ordered listeners, while a queue has one owner"),
    (
        PER_KEY_ORDER,
        Check::PerKeyOrder,
        "to ordered listeners, of acknowledged sends by selector over one list of queues",
    ),
    (
        ORDERLY_EXCLUSIVE,
        Check::OrderlyExclusive,
        "to ordered listeners, while no lease has run out and no broker forgot its locks",
    ),
    (NO_OVERTAKING, Check::NoOvertaking, "to ordered listeners, while a queue has one owner"),
    (NO_REGRESS, Check::NoRegress, "but for resets, corrected offsets and an older book after a power loss"),
    (NO_OVERRUN, Check::NoOverrun, "of push consumers, but for resets forward and retention"),
    (DUPLICATES_EXPLAINED, Check::DuplicatesExplained, "whatever goes wrong"),
    (RETRY_SCHEDULE, Check::RetrySchedule, "to concurrent listeners"),
    (DLQ_EXACT, Check::DlqExact, "in clustering groups"),
    (
        DERIVED_CONTINUITY,
        Check::DerivedContinuity,
        "while processes die; with repaired brokers when power is lost, too",
    ),
    (NO_MISROUTING, Check::NoMisrouting, "whatever goes wrong"),
    (HALF_INVISIBLE, Check::HalfInvisible, "whatever goes wrong"),
    (TRANSACTION_ATOMIC, Check::TransactionAtomic, "once the decision has reached the broker"),
    (TRANSACTION_RESOLVED, Check::TransactionResolved, "while somebody of the producer group is alive"),
    (CHECK_BACK, Check::CheckBack, "whatever goes wrong"),
    (START_POSITION, Check::StartPosition, "whatever goes wrong"),
    (RESET_CONFORMANCE, Check::ResetConformance, "while processes die"),
    (BROADCAST_COMPLETE, Check::BroadcastComplete, "to subscribers that live and do not fail"),
    (REBALANCE_COVERAGE, Check::RebalanceCoverage, "in steady state"),
    (NEVER_EARLY, Check::NeverEarly, "within what clocks say"),
    (NOT_LATE, Check::NotLate, "once all has healed"),
    (FILTER_SOUND, Check::FilterSound, "in groups of one mind"),
    (FILTER_COMPLETE, Check::FilterComplete, "in groups of one mind"),
    (LOG_WELL_FORMED, Check::LogWellFormed, "whatever goes wrong but a flipped bit"),
    (STORE_CONSISTENT, Check::StoreConsistent, "once dispatch has caught up"),
    (INDEX_RECALL, Check::IndexRecall, "once dispatch has caught up"),
    (KEEPS_STABLE, Check::KeepsStable, "when processes die and power is lost"),
    (CHECKPOINT_SAFE, Check::CheckpointSafe, "when processes die, power is lost and clocks step"),
    (REPLICA_PREFIX, Check::ReplicaPrefix, "whatever goes wrong"),
    (CORRUPTION_TOLD, Check::CorruptionTold, "with repaired brokers, where a medium is damaged"),
    (DRAIN_BOUND, Check::DrainBound, "once all has healed"),
    (UNAVAILABILITY, Check::Unavailability, "while something is broken"),
    (NO_STUCK_ENTITY, Check::NoStuckEntity, "once all has healed"),
    (CLEAN_ERROR, Check::CleanError, "whatever goes wrong"),
    (RESOURCE_BOUNDS, Check::ResourceBounds, "whatever goes wrong"),
];

/// All of them, in the order of their constants.
pub fn all() -> impl Iterator<Item = Guarantee> {
    ALL.iter().map(|(guarantee, ..)| *guarantee)
}

/// The check of a guarantee, and when it is promised.
pub(super) fn find(guarantee: Guarantee) -> Option<(&'static Check, &'static str)> {
    ALL.iter().find(|(own, ..)| *own == guarantee).map(|(_, check, scope)| (check, *scope))
}
