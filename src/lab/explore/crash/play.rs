//! Playing a workload, and every moment at which it may stop.

use std::sync::Arc;

use crate::lab::explore::crash::rig::{Recorder, Rig, Site, Start};
use crate::lab::explore::crash::script::{Act, Letter, Workload};
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::sim::disk::SimDisk;
use crate::mq::profile::Profile;
use crate::mq::store::Clock;
use crate::mq::time::{Millis, Span, Time};

/// 2018-11-11T00:00:00+08:00.
const START: Millis = Millis(1_541_865_600_000);

/// Plays a workload from an empty disk on; gives the moments before and after each persistence operation.
///
/// A boot that is refused ends it.
pub(super) fn moments(workload: &Workload, plan: &DiskPlan, profile: &Profile) -> Vec<Site> {
    let clock = Clock { wall: START, mono: Time::ZERO + Span::from_secs(1) };
    let start = Start { disk: SimDisk::new(plan), config: Arc::new(workload.config.clone()), clock };
    let mut recorder = Recorder::default();
    recorder.enter_recovery(&start.disk);
    let mut player = match Rig::boot(start, profile, recorder) {
        Ok(rig) => Player { rig, profile, put: 0 },
        Err(refused) => return refused.1.sites,
    };
    for act in &workload.acts {
        player = match player.act(act) {
            Ok(player) => player,
            Err(sites) => return sites,
        };
    }
    player.rig.pass(1);
    player.rig.point("the workload was over".to_owned());
    player.rig.recorder.sites
}

struct Player<'a> {
    rig: Rig,
    profile: &'a Profile,
    /// Messages put.
    put: usize,
}

impl Player<'_> {
    fn act(mut self, act: &Act) -> Result<Self, Vec<Site>> {
        let rig = &mut self.rig;
        match act {
            Act::Put(letter) => self.put(letter),
            Act::Pass(millis) => rig.pass(*millis),
            Act::Hold => rig.held = true,
            Act::Release => {
                rig.held = false;
                rig.answer();
            }
            Act::Configure(change) => change(Arc::make_mut(&mut rig.config)),
            Act::StepWall(millis) => {
                rig.clock.wall = rig.clock.wall.plus(*millis);
                rig.recorder.past.clock_set = true;
            }
            Act::Damage { file, at, bytes } => {
                rig.recorder.enter_recovery(&rig.disk);
                rig.disk.corrupt(file, *at, bytes).expect("a workload damages what is there");
                rig.recorder.past.damaged = true;
            }
            Act::Restart => {
                rig.stop();
                return self.boot();
            }
            Act::Kill => return self.boot(),
            Act::PowerLoss(keep) => {
                rig.recorder.enter_recovery(&rig.disk);
                // A workload's own power losses are no place for chance.
                rig.disk.power_loss(*keep, &mut |_| 0);
                return self.boot();
            }
        }
        Ok(self)
    }

    fn put(&mut self, letter: &Letter) {
        let message = letter.message(self.put, self.rig.clock.wall);
        self.put += 1;
        self.rig.call(|store, disk, clock| store.put(disk, clock, &message));
        self.rig.answer();
    }

    fn boot(self) -> Result<Self, Vec<Site>> {
        let Player { rig, profile, put } = self;
        let (start, recorder) = rig.into_boot();
        match Rig::boot(start, profile, recorder) {
            Ok(rig) => Ok(Player { rig, profile, put }),
            Err(refused) => Err(refused.1.sites),
        }
    }
}
