//! The catalogue: one row a mistake, with the room that makes it, what it is of, and which guarantees should see it.

#[cfg(feature = "mutants")]
use super::Room;

/// Makes the enum and, where mistakes can be planted, what is known of each.
macro_rules! catalogue {
    ($($room:ident {
        $($(#[doc = $about:literal])+ $mistake:ident = $name:literal of $of:literal seen by $($guarantee:literal)+;)+
    })+) => {
        /// A mistake that a checker must find.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Mistake {
            $($($(#[doc = $about])+ $mistake,)+)+
        }

        #[cfg(feature = "mutants")]
        impl Mistake {
            /// All of them, room by room.
            pub const ALL: &'static [Mistake] = &[$($(Mistake::$mistake,)+)+];

            pub(super) fn row(self) -> super::Row {
                match self {
                    $($(Mistake::$mistake => super::Row {
                        name: $name,
                        about: concat!($($about),+),
                        room: Room::$room,
                        of: $of,
                        sees: &[$($guarantee),+],
                    },)+)+
                }
            }
        }
    };
}

catalogue! {
    Store {
        /// Recovery leaves what it cannot read at the log's end in place, and goes on behind it.
        KeepsTornTail = "torn-tail-kept" of "K18" seen by "G60" "G63";
        /// Recovery after a crash cuts the last good record off, too.
        RecoveryCutsOneMore = "recovery-cuts-one-more" of "recovery" seen by "G01" "G63";
        /// Recovery compares no body with its CRC and looks for no lost sector, and keeps a record of which a part was lost.
        RecoveryTrustsBodies = "recovery-trusts-bodies" of "K17" seen by "G04" "G63";
        /// A rebuilding recovery dispatches one record of each batch to no queue.
        RebuildSkipsOne = "rebuild-skips-one" of "recovery" seen by "G61" "G02";
        /// Recovery leaves units in a consume queue that point behind the log's end.
        QueueOutlivesLog = "queue-outlives-log" of "recovery" seen by "G61" "G31";
        /// Recovery begins in the file that the checkpoint names, without three seconds of slack.
        CheckpointWithoutSlack = "checkpoint-without-slack" of "B11 alibaba 467" seen by "G61" "G64";
        /// The checkpoint names the moment of a queue flush, not the last record that it covered.
        CheckpointAhead = "checkpoint-ahead" of "K05 #678" seen by "G64" "G61";
        /// A queue's next offset is taken before the append can fail or roll, and never given back.
        OffsetBeforeAppend = "offset-before-append" of "B10 #6570" seen by "G61" "G31";
        /// All messages of a batch are stored with the queue offset of the first.
        BatchSharesOffset = "batch-shares-offset" of "append" seen by "G61" "G05";
        /// A file that is full ends without the blank record that says so.
        BlankLost = "blank-lost" of "append" seen by "G60" "G63";
        /// After an append that failed the note of when the lock was taken stays, and sends are refused for hours.
        LockNoteStays = "lock-note-stays" of "B05 #3459" seen by "G70";
        /// A sync broker answers before the force has come back.
        AcksBeforeFlush = "acks-before-flush" of "ack" seen by "G01h" "G01";
        /// A force that failed or came late is answered with SEND_OK.
        FlushTimeoutIsOk = "flush-timeout-is-ok" of "ack" seen by "G01h";
        /// A sync master answers before any slave has the record.
        AcksBeforeSlave = "acks-before-slave" of "ack" seen by "G01h";
        /// A sync master without a slave at hand answers SEND_OK, not SLAVE_NOT_AVAILABLE.
        NoSlaveIsOk = "no-slave-is-ok" of "ack" seen by "G01h";
        /// Any report of a slave counts as if it had all that its master has.
        AnyReportAcksAll = "any-report-acks-all" of "ack" seen by "G01h";
        /// The wait for a slave gives up after one wake-up; the release allows five.
        OneWakeUp = "one-wake-up" of "B16 #1535" seen by "G70";
        /// A full disk stops the writing of consume queues, for good.
        DiskFullStopsQueues = "disk-full-stops-queues" of "B12 alibaba 331" seen by "G61" "G02";
        /// A slave takes a record that has half arrived for a bad one, and skips what it has.
        SlaveSkipsPartial = "slave-skips-partial" of "B13 #1164" seen by "G61" "G65";
        /// The hash of a tag loses its upper half on its way into the queue.
        TagsCodeNarrow = "tags-code-narrow" of "dispatch" seen by "G51" "G61";
        /// A clean stop waits for no dispatch, and still says that it was clean.
        StopLeavesTail = "stop-leaves-tail" of "B06 ROCKETMQ-320" seen by "G61" "G02";
        /// Of the keys of a message the first is not indexed.
        IndexForgetsFirstKey = "index-forgets-first-key" of "dispatch" seen by "G62";
        /// Retention deletes the file that is written to, whatever its age.
        DeletesActiveFile = "deletes-active-file" of "retention" seen by "G67";
        /// Retention deletes files that have not expired.
        DeletesYoungFile = "deletes-young-file" of "retention" seen by "G67";
        /// A reply that is full names the offset behind the next one.
        NextOffsetOneFar = "next-offset-one-far" of "read" seen by "G31" "G02";
        /// An offset before a queue's begin is corrected to its end, not to its begin.
        BelowBeginGoesToEnd = "below-begin-goes-to-end" of "read" seen by "G31" "G02";
        /// A slave that lags corrects the offset of a consumer that knows more.
        LaggingSlaveCorrects = "lagging-slave-corrects" of "B17 alibaba 210" seen by "G30" "G32";
        /// The lookup by time passes over the message that it should find.
        TimeLookupOneFar = "time-lookup-one-far" of "B09 #4890" seen by "G33" "G34";
        /// A slave that has nothing is sent what comes next, and nothing that was there.
        FreshSlaveBeginsAtEnd = "fresh-slave-begins-at-end" of "K10" seen by "G65";
        /// A delayed message waits in the queue of the level below its own.
        DelayLevelOneLow = "delay-level-one-low" of "delay" seen by "G42" "G43";
        /// A delayed message is delivered half a second early.
        DelayFiresEarly = "delay-fires-early" of "delay" seen by "G42";
        /// After a run over several delayed messages the cursor stands behind the first of them.
        DelayCursorOfBatchStart = "delay-cursor-of-batch-start" of "B20 #3967" seen by "G32";
        /// A clean stop does not write the delay cursors: the repair of K24 is taken back.
        StopForgetsDelays = "stop-forgets-delays" of "B19 #3473" seen by "G32";
        /// A delayed message whose put was refused is passed over.
        RefusedDelayIsSkipped = "refused-delay-is-skipped" of "K12" seen by "G06" "G43";
        /// A delivered message keeps its delay level, and is parked again.
        DelayedKeepsLevel = "delayed-keeps-level" of "delay" seen by "G43" "G02";
        /// A delayed message is delivered to queue 0, whatever its own was.
        DelayedToFirstQueue = "delayed-to-first-queue" of "delay" seen by "G07";
    }
    Broker {
        /// Of a stored offset and a committed one the broker keeps the lower.
        CommitKeepsLower = "commit-keeps-lower" of "cursor" seen by "G30" "G32";
        /// Offsets are written at a clean stop alone, never in between.
        OffsetsNeverPersisted = "offsets-never-persisted" of "cursor" seen by "G30" "G32";
        /// A stored offset at its queue's end counts as beyond it, and the group begins at 0.
        EndCountsAsBeyond = "end-counts-as-beyond" of "B02 #4215" seen by "G30" "G32";
        /// A pull that waits goes on behind the message that wakes it.
        ArrivalIsPassedOver = "arrival-is-passed-over" of "hold" seen by "G02" "G31";
        /// A message that is sent back is stored with the count that it had.
        BackKeepsCount = "back-keeps-count" of "retry" seen by "G40" "G41";
        /// A message is dead-lettered one try early.
        DeadOneEarly = "dead-one-early" of "retry" seen by "G41";
        /// A message is dead-lettered one try late.
        DeadOneLate = "dead-one-late" of "retry" seen by "G41";
        /// A message is dead-lettered twice.
        DeadTwice = "dead-twice" of "retry" seen by "G41";
        /// A message that came of a transaction becomes a half message again when it is sent back.
        BackIsHalf = "back-is-half" of "B25 #1649" seen by "G06" "G02";
        /// A condition whose answer is null counts as true.
        NullPasses = "null-passes" of "filter" seen by "G50";
        /// A half message is stored in its true queue, too.
        HalfVisible = "half-visible" of "transaction" seen by "G10";
        /// A rollback is carried out as a commit.
        RollbackDelivers = "rollback-delivers" of "transaction" seen by "G10" "G11";
        /// A transaction that has ended leaves no note, and is asked about again.
        OpForgotten = "op-forgotten" of "transaction" seen by "G13" "G32";
        /// Nobody is ever asked about an open transaction.
        NeverChecks = "never-checks" of "transaction" seen by "G12" "G13";
        /// A half message that is settled is checked all the same.
        ChecksAfterCommit = "checks-after-commit" of "transaction" seen by "G13" "G32";
        /// A check leaves the count of checks as it was, and there is no last one.
        CheckKeepsCount = "check-keeps-count" of "transaction" seen by "G13";
        /// The third check of a round finds the pool full, and the round ends with its cursors unmoved.
        FullPoolEndsScan = "full-pool-ends-scan" of "B27 #1519" seen by "G12" "G72";
        /// A half message keeps its delay level: the repair of K21 is taken back.
        HalfKeepsLevel = "half-keeps-level" of "B24 #1543" seen by "G11" "G12";
        /// A queue's lock is granted although somebody else holds it.
        LockTwice = "lock-twice" of "lock" seen by "G22";
        /// A lease never expires.
        LeaseForEver = "lease-for-ever" of "lock" seen by "G70" "G22";
        /// A lease expires after ten seconds, before its holder renews it.
        LeaseTooShort = "lease-too-short" of "lock" seen by "G22";
        /// A member that leaves takes its whole group with it, and their heartbeats do not bring them back.
        UnregisterTakesAll = "unregister-takes-all" of "B38 #3066" seen by "G36" "G70";
        /// A client whose connection is gone counts as a member for good.
        ClosedMemberStays = "closed-member-stays" of "members" seen by "G36" "G70";
        /// A slave does not take its master's offsets over.
        SlaveForgetsOffsets = "slave-forgets-offsets" of "replica" seen by "G30" "G32";
        /// A slave is given what its master has not forced yet, and compares nothing: the repair of K02 is taken back.
        DivergedSlaveGoesOn = "diverged-slave-goes-on" of "K02 #3015" seen by "G65";
    }
    Nameserver {
        /// A broker that was gone and registers again is not routed.
        ReturnStaysAway = "return-stays-away" of "route" seen by "G36" "G70";
        /// A broker expires after fifteen seconds, between two of its heartbeats.
        ExpiresBetweenHeartbeats = "expires-between-heartbeats" of "route" seen by "G36" "G70";
        /// Topics that come after a broker's first registration are not routed.
        IgnoresNewTopics = "ignores-new-topics" of "route" seen by "G70";
        /// A broker that unregisters takes all of its name with it for good, its master or slaves, too.
        UnregisterByName = "unregister-by-name" of "B47 #5374" seen by "G70";
        /// A route gives the address of one broker only.
        RouteNamesOneBroker = "route-names-one-broker" of "route" seen by "G70";
    }
    Client {
        /// A consumer commits behind the highest message that it has done, not before the lowest that it has not.
        CommitsHighest = "commits-highest" of "cursor" seen by "G31" "G02";
        /// A consumer counts what it has received as consumed.
        CommitsOnReceipt = "commits-on-receipt" of "cursor" seen by "G31" "G02";
        /// A queue that is given up is given up without a last commit.
        HandoverWithoutCommit = "handover-without-commit" of "cursor" seen by "G30" "G32";
        /// A consumer that stops does not say how far it came.
        StopForgetsOffsets = "stop-forgets-offsets" of "cursor" seen by "G32";
        /// The last member of a group takes the first queue, too, which is another's.
        TwoMembersOneQueue = "two-members-one-queue" of "rebalance" seen by "G36" "G32";
        /// The last member of a group leaves its last queue to nobody.
        QueueOfNobody = "queue-of-nobody" of "rebalance" seen by "G36" "G70";
        /// A query for an offset that fails counts as the answer 0.
        FailedSeekIsZero = "failed-seek-is-zero" of "B34 #2708" seen by "G30" "G32";
        /// A new group that is to begin at the first message begins at the end.
        FirstIsLast = "first-is-last" of "start" seen by "G33";
        /// A message that could not be sent back counts as sent back.
        DropsFailedBack = "drops-failed-back" of "retry" seen by "G06" "G02";
        /// A consumer trusts the hash of a tag, and takes another tag with the same hash.
        TagsNotCheckedAgain = "tags-not-checked-again" of "filter" seen by "G50";
        /// A broadcast group shares its queues out as a cluster does.
        BroadcastShares = "broadcast-shares" of "broadcast" seen by "G35";
        /// A consumer does not hear that its offset was reset.
        ResetIgnored = "reset-ignored" of "reset" seen by "G34";
        /// An orderly consumer hands its messages out to many threads at once.
        OrderlyInParallel = "orderly-in-parallel" of "orderly" seen by "G20" "G23";
        /// A message whose listener asks for a rest counts as consumed.
        SuspendedIsSkipped = "suspended-is-skipped" of "orderly" seen by "G23" "G31";
        /// A queue that was given up is consumed as far as it is cached.
        DroppedStillConsumed = "dropped-still-consumed" of "orderly" seen by "G22" "G32";
        /// A queue may be consumed while it is locked or its lease runs; both are asked for.
        LockOrLease = "lock-or-lease" of "B31 45cb093e79" seen by "G22";
        /// An orderly consumer begins where it planned to, and not where the group is when its lock is won.
        OffsetNotReadAgain = "offset-not-read-again" of "B32 ab573bd737" seen by "G32" "G20";
        /// A lock that was won for one queue is not noted; the round of every 20 seconds has to find it.
        WonLockForgotten = "won-lock-forgotten" of "B33 #5466" seen by "G70";
        /// A send that failed is tried again in the same queue of the same broker.
        RetriesSameQueue = "retries-same-queue" of "send" seen by "G70";
        /// A send that succeeded is sent once more.
        RetriesAfterSuccess = "retries-after-success" of "send" seen by "G32";
        /// A queue that the application selected gives way to the next one in turn.
        SelectionIgnored = "selection-ignored" of "send" seen by "G07" "G21";
        /// A large body is compressed once more with every try.
        CompressesTwice = "compresses-twice" of "B45 ROCKETMQ-166" seen by "G04";
        /// A compressed body is sent without the flag that says so.
        CompressionUntold = "compression-untold" of "send" seen by "G04";
        /// A batch is sent without its last message.
        BatchLosesLast = "batch-loses-last" of "send" seen by "G01";
        /// The last property of a message is cut off.
        PropertiesCut = "properties-cut" of "send" seen by "G04";
        /// What the local transaction came to is thrown away, and the broker is told that it is unknown.
        LocalResultLost = "local-result-lost" of "B28 #447" seen by "G11" "G12";
        /// The local transaction runs although its half message was stored without what was asked for.
        LocalAfterDegradedHalf = "local-after-degraded-half" of "B29 alibaba 448" seen by "G11";
        /// A check that is answered with unknown commits.
        UnknownCommits = "unknown-commits" of "transaction" seen by "G10" "G11";
    }
}
