//! What followed from an event: everything that it led to, as a tree in the order in which it happened.

use std::collections::BTreeMap;

use crate::lab::locale::Lang;
use crate::lab::trace::log::Trace;
use crate::lab::trace::record::{Record, Seq};
use crate::lab::view::lines::Handles;
use crate::lab::view::why::{self, Because};

/// An event that followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct After {
    /// How many hops that are told lie between it and the event that is asked about.
    pub depth: usize,
    /// The event.
    pub what: Because,
}

/// What followed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Followed {
    /// In order of time; at most as many as were asked for.
    pub all: Vec<After>,
    /// How many more there are.
    pub further: usize,
}

/// Kinds that are hops on the way and say nothing by themselves.
const HOPS: &[&str] = &["rolled", "armed", "disarmed", "fired", "stored", "sent", "departed"];

/// What followed from a step, in whatever number of hops; `None` if the run has no such step.
///
/// Trivial hops are left out, what they led to is not.
pub fn of_step((trace, handles): (&Trace, &Handles), step: u64, most: usize, lang: Lang) -> Option<Followed> {
    let own = trace.step(step);
    own.first()?;
    let mut depths: BTreeMap<Seq, usize> = own.iter().map(|record| (record.seq, 0)).collect();
    let mut followed = Followed::default();
    let behind = trace.range(step).end;
    for record in &trace.records()[behind..] {
        let Some(depth) = record.cause.and_then(|cause| depths.get(&cause)).copied() else { continue };
        let told = is_told(record);
        depths.insert(record.seq, depth + usize::from(told));
        match told {
            true if followed.all.len() < most => {
                followed.all.push(After { depth, what: why::told(trace, handles, record, lang) });
            }
            true => followed.further += 1,
            false => {}
        }
    }
    Some(followed)
}

fn is_told(record: &Record) -> bool {
    !HOPS.contains(&record.what.kind())
}
