//! The views at chosen moments, as text: for pens that cannot ask for a moment when it is looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::trace::record::{Fault, What};
use crate::lab::view::scene::Scene;
use crate::lab::view::tabs::Tab;

/// The views at chosen moments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Samples {
    /// Each text once.
    pub texts: Vec<String>,
    /// The moments, the earliest first.
    pub moments: Vec<Sample>,
}

/// The views at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    /// The moment: before this step.
    pub step: u64,
    /// The same for people.
    pub time: String,
    /// The text of each view of [`VIEWS`], by its place among the texts.
    pub views: Vec<usize>,
}

/// The views that are sampled: all but the first, whose place the lanes take.
pub const VIEWS: [Tab; 5] = [Tab::Messages, Tab::Queues, Tab::Storage, Tab::Transactions, Tab::Checks];

/// Moments at even distances.
const EVENLY: u64 = 48;
/// Moments around faults and machines that die or boot, at most so many.
const AROUND: usize = 48;

/// The views of a run in so many columns, at moments at even distances and around what went wrong.
pub fn of(scene: &Scene<'_>, columns: usize) -> Samples {
    let end = scene.trace.steps();
    let wrong = scene.trace.records().iter().filter(|record| match &record.what {
        What::Fault(Fault::Begun { .. } | Fault::Ended { .. }) => true,
        What::Machine(machine) => machine.ends(),
        _ => false,
    });
    let around = wrong.take(AROUND).flat_map(|record| [record.step, record.step + 1]);
    let steps: BTreeSet<u64> = (0..=EVENLY).map(|part| end * part / EVENLY).chain(around).collect();
    let mut samples = Samples::default();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for step in steps.into_iter().filter(|step| *step <= end) {
        let scene = Scene { step, ..*scene };
        let views = VIEWS.map(|tab| {
            let text = tab.data(&scene).sheet(scene.lang).text(columns);
            let next = known.len();
            *known.entry(text).or_insert(next)
        });
        samples.moments.push(Sample { step, time: scene.now().to_string(), views: views.into() });
    }
    samples.texts = vec![String::new(); known.len()];
    known.into_iter().for_each(|(text, place)| samples.texts[place] = text);
    samples
}
