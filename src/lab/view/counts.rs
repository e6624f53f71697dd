//! A run in numbers, at any moment: the steps at which something happened, in order.

use std::collections::BTreeMap;

use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Fault, Road, What};
use crate::lab::view::life::{Life, Stage};

/// The steps at which something happened, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    frames: Vec<u64>,
    faults: Vec<u64>,
    deliveries: Vec<u64>,
    stages: BTreeMap<Stage, Vec<u64>>,
}

impl Counts {
    /// What is counted of a run.
    pub fn of(trace: &Trace, lives: &[Life]) -> Counts {
        let steps = |is_it: fn(&What) -> bool| {
            trace.records().iter().filter(|record| is_it(&record.what)).map(|record| record.step).collect()
        };
        let mut counts = Counts {
            frames: steps(|what| matches!(what, What::Road(Road::Sent { .. }))),
            faults: steps(|what| matches!(what, What::Fault(Fault::Begun { .. }))),
            ..Counts::default()
        };
        for life in lives {
            for (stage, step) in life.firsts() {
                counts.stages.entry(stage).or_default().push(step);
            }
            counts.deliveries.extend(life.steps(Stage::Delivered));
        }
        counts.deliveries.sort_unstable();
        counts.stages.values_mut().for_each(|steps| steps.sort_unstable());
        counts
    }

    /// Frames that had left at the moment `#step`.
    pub fn frames(&self, step: u64) -> u64 {
        before(&self.frames, step)
    }

    /// Faults that had begun.
    pub fn faults(&self, step: u64) -> u64 {
        before(&self.faults, step)
    }

    /// How often listeners had been called with a message.
    pub fn deliveries(&self, step: u64) -> u64 {
        before(&self.deliveries, step)
    }

    /// Messages that had reached a stage.
    pub fn stage(&self, stage: Stage, step: u64) -> u64 {
        self.stages.get(&stage).map_or(0, |steps| before(steps, step))
    }
}

fn before(steps: &[u64], step: u64) -> u64 {
    steps.partition_point(|own| *own < step) as u64
}
