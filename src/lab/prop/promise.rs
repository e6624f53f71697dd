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
];

/// The check of a guarantee, and when it is promised.
pub(super) fn find(guarantee: Guarantee) -> Option<(&'static Check, &'static str)> {
    ALL.iter().find(|(own, ..)| *own == guarantee).map(|(_, check, scope)| (check, *scope))
}
