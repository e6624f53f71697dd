//! Every guarantee of the index has at least three damaged histories that its check rejects and three near misses that it
//! accepts: a row here is a test that runs its table and counts it.

use std::collections::BTreeSet;

use mqlab::lab::check;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};

use super::tables::{Table, shop};
use super::{deals, disks, groups, letters, order, owed, owners, places, rot, sieves, stored, waits};

macro_rules! tables {
    ($($guarantee:literal $test:ident $rows:path $(, $check:ident)?;)*) => {
        $(
            #[test]
            fn $test() {
                let mut table = Table::of($guarantee, tables!(@ $($check)?));
                $rows(&mut table);
                table.ends();
            }
        )*
        /// What has a table, and the check of whole runs that judges it.
        fn tabled() -> Vec<(&'static str, Option<Check>)> {
            vec![$(($guarantee, tables!(@ $($check)?))),*]
        }
    };
    (@ $check:ident) => { Some(Check::$check) };
    (@) => { None };
}

tables! {
    "G01" acked_durability stored::durability, AckedDurability;
    "G01h" ack_honest crate::refuted_honest::rows, AckHonest;
    "G02" at_least_once owed::once, AtLeastOnce;
    "G03" no_phantom stored::phantoms, NoPhantom;
    "G04" content_integrity letters::content, ContentIntegrity;
    "G05" offset_agreement stored::agreement, OffsetAgreement;
    "G06" derived_continuity waits::derived, DerivedContinuity;
    "G07" no_misrouting letters::misrouting, NoMisrouting;
    "G10" half_invisible deals::invisible, HalfInvisible;
    "G11" transaction_atomic deals::atomic, TransactionAtomic;
    "G12" transaction_resolved deals::resolved, TransactionResolved;
    "G13" check_back deals::asked, CheckBack;
    "G20" queue_fifo order::fifo, QueueFifo;
    "G21" per_key_order owners::keys, PerKeyOrder;
    "G22" orderly_exclusive order::exclusive, OrderlyExclusive;
    "G23" no_overtaking order::overtaking, NoOvertaking;
    "G30" no_regress places::regress, NoRegress;
    "G31" no_overrun places::overrun, NoOverrun;
    "G32" duplicates_explained owed::duplicates, DuplicatesExplained;
    "G33" start_position groups::starts, StartPosition;
    "G34" reset_conformance groups::resets, ResetConformance;
    "G35" broadcast_complete groups::broadcasts, BroadcastComplete;
    "G36" rebalance_coverage owners::coverage, RebalanceCoverage;
    "G40" retry_schedule waits::schedule, RetrySchedule;
    "G41" dlq_exact waits::dead, DlqExact;
    "G42" never_early waits::early, NeverEarly;
    "G43" not_late waits::late, NotLate;
    "G50" filter_sound sieves::sound, FilterSound;
    "G51" filter_complete sieves::complete, FilterComplete;
    "G60" log_well_formed disks::logs, LogWellFormed;
    "G61" store_consistent disks::queues, StoreConsistent;
    "G62" index_recall disks::keys, IndexRecall;
    "G63" keeps_stable disks::stable, KeepsStable;
    "G64" checkpoint_safe disks::checkpoints, CheckpointSafe;
    "G65" replica_prefix disks::replicas, ReplicaPrefix;
    "G66" corruption_told rot::told, CorruptionTold;
    "G67" retention disks::retention;
    "G70" drain_bound owed::drain, DrainBound;
    "G71" unavailability owed::silence, Unavailability;
    "G71" stale_route owed::stale, StaleRoute;
    "G72" no_stuck_entity owners::stuck, NoStuckEntity;
    "G73" clean_error owners::unanswered, CleanError;
    "G74" resource_bounds owners::connections, ResourceBounds;
}

/// The index of guarantees.
const INDEX: &str = "G01 G01h G02 G03 G04 G05 G06 G07 G10 G11 G12 G13 G20 G21 G22 G23 G30 G31 G32 G33 G34 G35 G36 G40 G41 \
    G42 G43 G50 G51 G60 G61 G62 G63 G64 G65 G66 G67 G70 G71 G72 G73 G74 G80";

/// What no check of a run judges: two runs are compared by their digests.
const NO_CHECK: [&str; 1] = ["G80"];

#[test]
fn every_guarantee_of_the_index_has_a_table() {
    let own: BTreeSet<&str> = tabled().iter().map(|(guarantee, _)| *guarantee).collect();
    let missing: Vec<&str> =
        INDEX.split_whitespace().filter(|id| !own.contains(id) && !NO_CHECK.contains(id)).collect();
    assert!(missing.is_empty(), "without damaged histories and near misses: {missing:?}");
    assert!(NO_CHECK.iter().all(|id| !own.contains(id)), "it is judged after all");
}

#[test]
fn every_check_of_the_suite_has_a_table_under_its_guarantee() {
    let own: BTreeSet<&str> = tabled().iter().filter_map(|(_, check)| check.as_ref().map(Check::name)).collect();
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    for name in library::names() {
        let plan = load(name, library::text(name).unwrap().as_bytes(), &Default::default()).unwrap().plan;
        missing.extend(check::suite(&plan).iter().map(Check::name).filter(|check| !own.contains(check)));
    }
    assert!(missing.is_empty(), "without damaged histories and near misses: {missing:?}");
    let (trace, plan) = shop("20s", "count = 1", "", "");
    let checks = tabled().into_iter().filter_map(|(guarantee, check)| Some((guarantee, check?)));
    let expect = |(id, check): (&str, Check)| Expect { id: id.into(), check, outcome: Outcome::Holds };
    let plan = Plan { expects: checks.map(expect).collect(), ..plan };
    for finding in check::asked(&trace, &plan) {
        assert_eq!(finding.judges(), finding.id, "{}", finding.check);
    }
}
