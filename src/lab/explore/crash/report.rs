//! What going through workloads showed, as plain data.

use serde::Serialize;

use crate::lab::check::storage::Breach;

/// What is broken: the guarantee and which part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    guarantee: u8,
    clause: &'static str,
}

impl Key {
    pub(super) fn of(breach: &Breach) -> Key {
        Key { guarantee: breach.guarantee.0, clause: breach.clause }
    }

    /// Whether it was broken before the boot, which then cannot mend it.
    pub(super) fn is_of_the_past(self) -> bool {
        self.guarantee == 64
    }
}

/// How a state came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Witness {
    /// What was done last.
    pub(super) after: String,
    /// What the crash left.
    pub(super) left: String,
    /// 1 in the workload, 2 inside a recovery.
    pub(super) depth: u32,
}

/// What one workload showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The workload.
    pub workload: &'static str,
    /// Moments at which the machine was stopped, recoveries included.
    pub points: u64,
    /// States tried.
    pub states: u64,
    /// States with contents of their own: each was booted twice.
    pub distinct: u64,
    /// States tried at moments that have more than were tried.
    pub sampled: u64,
    /// Moments that have more states than were tried.
    pub skipped: u64,
    /// Recoveries that were crashed at each of their moments.
    pub recoveries: u64,
    /// Recoveries that were not.
    pub recoveries_skipped: u64,
    /// What is broken.
    pub findings: Vec<Finding>,
}

/// Something broken, in one workload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The guarantee, as `G63`.
    pub guarantee: String,
    /// Which part of it.
    pub clause: &'static str,
    /// The registered weakness whose repair makes it go away.
    pub weakness: Option<&'static str>,
    /// How many states show it.
    pub states: u64,
    /// What was found, in the first of them.
    pub found: String,
    /// Where.
    pub file: String,
    /// The last thing done before that crash.
    pub after: String,
    /// What the crash left.
    pub left: String,
    /// 1 in the workload, 2 inside a recovery.
    pub depth: u32,
}

impl Report {
    /// Nothing yet.
    pub(super) fn new(workload: &'static str) -> Report {
        Report {
            workload,
            points: 0,
            states: 0,
            distinct: 0,
            sampled: 0,
            skipped: 0,
            recoveries: 0,
            recoveries_skipped: 0,
            findings: Vec::new(),
        }
    }

    /// One more breach.
    pub(super) fn add(&mut self, breach: &Breach, weakness: Option<&'static str>, witness: Witness) {
        let guarantee = breach.guarantee.to_string();
        let same = |known: &&mut Finding| {
            known.guarantee == guarantee && known.clause == breach.clause && known.weakness == weakness
        };
        if let Some(known) = self.findings.iter_mut().find(same) {
            known.states += 1;
            return;
        }
        let Witness { after, left, depth } = witness;
        self.findings.push(Finding {
            guarantee,
            clause: breach.clause,
            weakness,
            states: 1,
            found: breach.sentence.en.clone(),
            file: breach.file.clone(),
            after,
            left,
            depth,
        });
    }

    /// Whether a part of a guarantee is broken in some state, whatever the tag.
    pub(super) fn shows(&self, guarantee: &str, clause: &str) -> bool {
        self.findings.iter().any(|finding| finding.guarantee == guarantee && finding.clause == clause)
    }

    /// Findings that are no registered weakness.
    pub fn violations(&self) -> u64 {
        self.findings.iter().filter(|finding| finding.weakness.is_none()).count() as u64
    }

    /// Findings that are.
    pub fn known(&self) -> u64 {
        self.findings.len() as u64 - self.violations()
    }
}
