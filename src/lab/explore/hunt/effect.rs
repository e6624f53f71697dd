//! Which faults of a run had an effect: without it, something else happened.

use crate::lab::scenario::load;
use crate::lab::scenario::overrides::Overrides;
use crate::lab::scenario::plan::Plan;
use crate::lab::sim::session::Session;
use crate::lab::trace::record::{Level, Machine, NodeId, What};
use crate::mq::time::Time;

/// At most so many faults of one scenario are looked at: each is a run, and a long one has hundreds.
const FAULTS_MAX: usize = 16;

/// How many faults of a scenario began, and how many of them changed what happened beside their own notes. Where there are very
/// many, some are looked at, spread over the run.
pub fn of(name: &str, text: &str) -> (u64, u64) {
    let Ok(scenario) = load(name, text.as_bytes(), &Overrides::default()) else { return (0, 0) };
    let whole = happened(&scenario.plan);
    let (mut began, mut effective) = (0, 0);
    let every = scenario.plan.episodes.len().div_ceil(FAULTS_MAX).max(1);
    for episode in scenario.plan.episodes.iter().step_by(every) {
        began += 1;
        let without = Overrides { edits: vec![format!("-{}", episode.name)], ..Overrides::default() };
        let Ok(twin) = load(name, text.as_bytes(), &without) else { continue };
        effective += u64::from(happened(&twin.plan) != whole);
    }
    (began, effective)
}

/// What happened beside the faults' own notes: when, where, by which clock, what kind of thing.
fn happened(plan: &Plan) -> Vec<(Time, Option<NodeId>, i64, &'static str)> {
    let run = Session::run(plan, Level::Full);
    let records = run.trace.records().iter().filter(|record| {
        !matches!(
            record.what,
            What::Fault(_)
                | What::Rolled { .. }
                | What::Machine(
                    Machine::ClockBent { .. }
                        | Machine::ServicePaused { .. }
                        | Machine::ServiceResumed { .. }
                        | Machine::WallStepped { .. }
                )
        )
    });
    records.map(|record| (record.at, record.node, record.wall.0, record.what.kind())).collect()
}
