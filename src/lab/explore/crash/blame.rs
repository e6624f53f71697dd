//! Which registered weakness a breach is: the one without which it is not there.
//!
//! A tag is never more than the outcome of an experiment. First the very state is booted with one repair on and nothing
//! else; a repair of what a boot does shows there. If no repair helps, the weakness is in how the state came about: then the
//! whole workload is gone through again with one repair on, and the breach must not come at all.

use crate::lab::explore::crash::report::{Key, Report};
use crate::lab::explore::crash::rig::{Site, Start};
use crate::lab::explore::crash::script::Workload;
use crate::lab::explore::crash::survey::survey;
use crate::lab::explore::crash::{Settings, judge};
use crate::mq::profile::{Profile, SWITCHES};

/// Tries repairs.
pub(super) struct Blame {
    /// The release with one repair each; empty if nobody asks.
    repairs: Vec<(&'static str, Profile)>,
}

impl Blame {
    /// For a profile: what is repaired in it already is no suspect.
    pub(super) fn new(profile: &Profile, asked: bool) -> Blame {
        let repairs = SWITCHES.iter().filter_map(|switch| {
            let mut repaired = profile.clone();
            let is_on = std::mem::replace((switch.of)(&mut repaired), true);
            (!is_on).then_some((switch.row, repaired))
        });
        Blame { repairs: if asked && *profile == Profile::FAITHFUL { repairs.collect() } else { Vec::new() } }
    }

    /// The first row whose repair makes the breach go away when this state is booted.
    pub(super) fn of_state(&mut self, key: &Key, start: &Start, site: &Site) -> Option<&'static str> {
        if key.is_of_the_past() {
            return None;
        }
        let found = self.repairs.iter().position(|(_, repaired)| !shows(key, start, site, repaired))?;
        // The next breach is likely of the same kind.
        let (row, profile) = self.repairs.remove(found);
        self.repairs.insert(0, (row, profile));
        Some(row)
    }
}

fn shows(key: &Key, start: &Start, site: &Site, profile: &Profile) -> bool {
    let trial = judge::trial(start.clone(), profile, site.past);
    let against = trial.log.iter().flat_map(|log| judge::against(&site.before, log));
    against.chain(trial.breaches).any(|breach| Key::of(&breach) == *key)
}

/// Gives findings without a tag the first row whose repair lets the whole workload pass without them.
pub(super) fn of_workload(report: &mut Report, workload: &Workload, settings: &Settings) {
    for (row, repaired) in Blame::new(&settings.profile, true).repairs {
        if report.violations() == 0 {
            return;
        }
        let without = survey(workload, settings, &repaired, false);
        for finding in report.findings.iter_mut().filter(|finding| finding.weakness.is_none()) {
            if !without.shows(&finding.guarantee, finding.clause) {
                finding.weakness = Some(row);
            }
        }
    }
}
