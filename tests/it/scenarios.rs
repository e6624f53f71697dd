//! Every scenario shows what it promises, over many seeds, and one seed is one digest at every level.

use mqlab::lab::check;
use mqlab::lab::fault::moment;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::record::Level;

fn scenario(name: &str, seed: Option<u64>) -> Scenario {
    let changes = Overrides { seed, ..Overrides::default() };
    load(name, library::text(name).unwrap().as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn every_expectation_comes_true_over_many_seeds() {
    for name in library::names() {
        for seed in 1..=30 {
            let plan = scenario(name, Some(seed)).plan;
            let result = Session::run(&plan, Level::Full);
            assert!(result.panics.is_empty(), "{name} seed {seed}: {:?}", result.panics);
            for finding in check::run(&result.trace, &plan) {
                assert!(finding.is_as_expected(), "{name} seed {seed}: {finding:?}");
            }
        }
    }
}

#[test]
fn one_seed_is_one_digest_at_every_level_and_another_seed_another() {
    for name in library::names() {
        let digest = |seed, level| Session::run(&scenario(name, Some(seed)).plan, level).digest;
        let full = digest(7, Level::Full);
        assert_eq!(digest(7, Level::Full), full, "{name}");
        assert_eq!(digest(7, Level::History), full, "{name}");
        assert_eq!(digest(7, Level::Digest), full, "{name}");
        assert_ne!(digest(8, Level::Digest), full, "{name}");
    }
}

#[test]
fn every_step_of_narration_finds_its_moment_in_order() {
    for name in library::names() {
        let scenario = scenario(name, None);
        let trace = Session::run(&scenario.plan, Level::Full).trace;
        let mut last = 0;
        for step in &scenario.lesson.steps {
            let at = moment::find(&step.when, &trace);
            let at = at.unwrap_or_else(|| panic!("{name}: `{:?}` never comes", step.when));
            assert!(last <= at, "{name}: `{}` comes before the step above it", step.say.en);
            last = at;
        }
    }
}
