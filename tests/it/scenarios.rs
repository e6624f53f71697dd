//! Every scenario shows what it promises, over many seeds, and one seed is one digest at every level.

use mqlab::lab::check;
use mqlab::lab::fault::moment;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::{Scenario, library, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::fold::{Picture, State};
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

/// The run of a scenario with one setting changed.
fn changed(name: &str, set: &str, seed: u64) -> (Scenario, RunResult) {
    changed_all(name, &[set], seed)
}

fn changed_all(name: &str, sets: &[&str], seed: u64) -> (Scenario, RunResult) {
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    let changes = Overrides { seed: Some(seed), sets, ..Overrides::default() };
    let scenario =
        load(name, library::text(name).unwrap().as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}"));
    let result = Session::run(&scenario.plan, Level::Full);
    (scenario, result)
}

#[test]
fn what_the_exercises_hint_at_is_their_answer() {
    for seed in 1..=20 {
        for (count, even) in [(8, true), (12, true), (5, false), (10, false)] {
            let (_, result) = changed("01-first-message", &format!("producer.shop.send.count={count}"), seed);
            let mut picture = Picture::new(result.trace.header.nodes.len());
            result.trace.records().iter().for_each(|record| picture.fold(record));
            let broker = &picture.nodes[result.trace.node("broker-a").unwrap().0 as usize];
            let queues: Vec<i64> = (0..4).map(|queue| broker.queues[&("orders".into(), queue)].1).collect();
            assert_eq!(
                (queues.iter().sum::<i64>(), queues.iter().all(|max| *max == queues[0])),
                (count, even),
                "{queues:?}"
            );
        }
        let (scenario, result) = changed("02-wrong-address", "broker.broker-a.announce=10.0.2.1", seed);
        let findings = check::run(&result.trace, &scenario.plan);
        let stored = findings.iter().find(|finding| finding.id == "nothing-stored").unwrap();
        assert_eq!(stored.summary.en, "1 stored, expected 0", "seed {seed}");
    }
}

#[test]
fn the_last_hint_breaks_the_expectation_that_the_exercise_names() {
    let cases: [(&str, &[&str], &[&str]); 6] = [
        ("03-topic-birth", &["producer.demo-1.send.1.key=TBW102"], &["the-other-was-not", "nothing-reached-the-other"]),
        ("20-producer-retry", &["producer.im.send.1.timeout=3s"], &["calls-ran-out-of-time"]),
        (
            "30-three-subscriptions",
            &[r#"consumer.changes-1.subscribe={ demo01 = "delete || update || add" }"#],
            &["add-is-no-change"],
        ),
        ("31-three-answers", &[r#"producer.bank.on.3.check=["rollback"]"#], &["asked-and-committed"]),
        (
            "32-three-retries",
            &[r#"consumer.im-1.on.reply=["fail"]"#, "consumer.im-1.max_reconsume=3"],
            &["no-dead-letter", "given-back-three-times"],
        ),
        ("34-topic-returns", &["broker.broker-a.properties=autoCreateTopicEnable=false"], &["no-send-failed"]),
    ];
    for (name, sets, broken) in cases {
        for seed in 1..=20 {
            let (scenario, result) = changed_all(name, sets, seed);
            let findings = check::run(&result.trace, &scenario.plan);
            let other: Vec<&str> = findings
                .iter()
                .filter(|finding| finding.asked && !finding.is_as_expected())
                .map(|finding| finding.id.as_str())
                .collect();
            // What stands behind the first may break with it.
            let is_known = |id: &&str| broken.contains(id);
            assert!(other.contains(&broken[0]) && other.iter().all(is_known), "{name} seed {seed}: {other:?}");
        }
    }
}

#[test]
fn the_lesson_of_the_power_loss_speaks_of_a_broker_that_is_back() {
    let scenario = scenario("17-power-loss", None);
    let trace = Session::run(&scenario.plan, Level::Full).trace;
    let last = scenario.lesson.steps.last().unwrap();
    let at = moment::find(&last.when, &trace).unwrap();
    let mut picture = Picture::new(trace.header.nodes.len());
    trace.before(at).iter().for_each(|record| picture.fold(record));
    let broker = &picture.nodes[trace.node("broker-a").unwrap().0 as usize];
    assert_eq!((broker.state, broker.log_end), (State::Up, 0), "at {}", trace.time(at));
}
