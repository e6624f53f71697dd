//! Every state in which a crash can leave a store, gone through exhaustively.
//!
//! A canonical workload ([`script`]) is played once; before and after each persistence operation the disk is copied. From
//! each copy come all states that a kill or a power loss may leave; each state is booted twice and judged by the storage
//! checkers; and inside each boot it all begins again. The store is called directly, without nodes and roads, so that some
//! ten thousand states a second can be judged.
//!
//! ```text
//! workload ─▶ moments ─▶ states ─▶ boot ─▶ judge
//!                ▲                   │
//!                └── moments inside ─┘   (depth 2)
//! ```

use crate::lab::explore::crash::report::Report;
use crate::lab::explore::crash::script::Workload;
use crate::lab::explore::crash::states::Limits;
use crate::lab::fault::disk::Personality;
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::trace::digest::Fold;
use crate::lab::trace::image::DiskImage;
use crate::mq::profile::Profile;
use crate::mq::time::Span;

pub mod script;

pub mod table;

mod rig;

mod play;

mod states;

mod judge;

mod blame;

mod survey;

pub mod report;

/// How one looks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Which weaknesses the store has.
    pub profile: Profile,
    /// What the file system may do.
    pub personality: Personality,
    /// 1 crashes in the workload only, 2 inside each recovery, too, and so on.
    pub depth: u32,
    /// Lists all states of up to 2^14 at a moment instead of 2^8.
    pub deep: bool,
    /// What random choices are drawn from.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { profile: Profile::HARDENED, personality: Personality::Ordered, depth: 2, deep: false, seed: 1 }
    }
}

impl Settings {
    fn limits(&self, depth: u32) -> Limits {
        // Inside a recovery there are as many moments as outside, for each state: fewer states at each will do.
        match (self.deep, depth) {
            (true, _) => Limits { units: 14, random: 256 },
            (false, 1) => Limits { units: 8, random: 256 },
            (false, _) => Limits { units: 5, random: 16 },
        }
    }

    /// How many recoveries of one workload are crashed at each of their moments, at most.
    fn recoveries(&self) -> usize {
        if self.deep { usize::MAX } else { RECOVERIES_MAX }
    }

    fn disk(&self) -> DiskPlan {
        let fsync = Span::ZERO;
        DiskPlan { fsync_min: fsync, fsync_max: fsync, personality: self.personality, ..DiskPlan::default() }
    }
}

/// In the default run; `deep` goes through all.
const RECOVERIES_MAX: usize = 200;

/// Goes through one workload.
///
/// In the faithful profile a breach is tagged with the registered weakness without which it is not there, and with none
/// otherwise.
pub fn explore(workload: &Workload, settings: &Settings) -> Report {
    let mut report = survey::survey(workload, settings, &settings.profile, true);
    if report.violations() > 0 {
        blame::of_workload(&mut report, workload, settings);
    }
    report
}

/// A number that tells logs apart.
fn digest_of(images: &[&DiskImage], end: u64) -> u128 {
    let mut fold = Fold::default();
    fold.pair(end, images.len() as u64);
    for image in images {
        for (name, file) in &image.files {
            fold.text(name);
            fold.pair(file.len, file.pages.len() as u64);
            for (number, page) in file.pages.iter().filter(|(_, page)| page.iter().any(|byte| *byte != 0)) {
                fold.pair(*number, 3);
                fold.bytes(&page[..]);
            }
        }
    }
    fold.digest().0
}
