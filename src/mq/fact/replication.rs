//! What masters and slaves say of each other: the facts of replication, put behind the list of all others.

/// Hands a list of facts on to a macro with those of replication behind it.
macro_rules! with_replication {
    ($list:ident! { $($others:tt)* }) => {
        $list! {
            $($others)*

            /// A slave connected to the replication port of a broker, and counts from now on. Source: `HAService.AcceptSocketService`.
            SlaveConnected "slave-connected" {
                /// Where it connected from.
                slave: Name,
            }
            /// A slave's connection ended. Source: `HAConnection`.
            SlaveGone "slave-gone" {
                /// Where it had connected from.
                slave: Name,
                /// `closed`, `expired`, or `ahead`, which the release does not ask.
                why: &'static str,
            }
            /// A slave said how far its log reaches. Source: `HAConnection.ReadSocketService`.
            SlaveReported "slave-reported" {
                /// Where it connected from.
                slave: Name,
                /// One past its last byte.
                offset: i64,
            }
            /// A master decided where a slave begins to read. Source: `HAConnection.WriteSocketService`.
            TransferBegun "transfer-begun" {
                /// Where it connected from.
                slave: Name,
                /// What it asked for.
                requested: i64,
                /// Where it begins.
                from: i64,
            }
            /// A master sent a piece of its log to a slave. Source: `HAConnection.WriteSocketService.transferData`.
            Transferred "transferred" {
                /// Where it connected from.
                slave: Name,
                /// Where in the log.
                at: i64,
                /// How many bytes.
                size: i64,
            }
            /// A slave's connection to its master stands. Source: `HAClient.connectMaster`.
            MasterConnected "master-connected" {
                /// The master's replication address.
                master: Name,
            }
            /// A slave's connection to its master ended. Source: `HAClient.closeMaster`.
            MasterGone "master-gone" {
                /// The master's replication address.
                master: Name,
                /// `closed`, `expired`, `diverged` or `garbled`.
                why: &'static str,
            }
            /// A slave took a piece of its master's log. Source: `HAClient.dispatchReadRequest`.
            Replicated "replicated" {
                /// Where in the log.
                at: i64,
                /// How many bytes.
                size: i64,
            }
            /// A slave was offered bytes that do not begin where its own log ends. Source: `HAClient.dispatchReadRequest`.
            ReplicaDiverged "replica-diverged" {
                /// Where its own log ends.
                own: i64,
                /// Where the master's bytes begin.
                pushed: i64,
            }
            /// A slave took something over from its master. Source: `SlaveSynchronize`.
            Synchronized "synchronized" {
                /// `topics`, `offsets`, `delay-offsets` or `groups`.
                what: &'static str,
                /// The file that now says it.
                file: &'static str,
            }
            /// A slave could not take something over from its master. Source: `SlaveSynchronize`.
            SynchronizeFailed "synchronize-failed" {
                /// `topics`, `offsets`, `delay-offsets` or `groups`.
                what: &'static str,
                /// Why.
                why: Name,
            }
        }
    };
}

pub(super) use with_replication;
