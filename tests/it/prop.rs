//! A consumer under property test as its owner would write it, and what the tests of `lab::prop` itself claim.

use std::collections::BTreeSet;

use mqlab::lab::logic::{ConsumerLogic, Cx, Outcome};
use mqlab::lab::prop::{
    self, Broken, Flush, Lab, Plan, PlanStrategy, PlanTree, Test, exactly_once_effect, identity, promise,
};
use mqlab::mq::message::StoredMessage;
use mqlab::mq::profile::Profile;
use proptest::strategy::ValueTree;

/// Adds each payment to its ledger on every delivery, or asks the ledger first.
#[derive(Clone)]
struct Payments {
    remembers: bool,
}

impl ConsumerLogic for Payments {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        for payment in messages.iter().map(identity) {
            let times: u32 = cx.read(&payment).and_then(|times| times.parse().ok()).unwrap_or(0);
            if times == 0 || !self.remembers {
                cx.write(payment, (times + 1).to_string());
            }
        }
        Outcome::done()
    }
}

fn payments() -> PlanStrategy {
    let topology = prop::topology().flush([Flush::Sync]).pairs(1..=2);
    let workload = prop::workload().group("pay").orderly(true).keys(1..8).messages(8..=40);
    prop::plan(topology, workload, prop::faults().within().process().network().clients().max_episodes(4))
}

fn applied_once(remembers: bool) -> impl Fn(&Plan) -> Result<(), prop::Failure> {
    move |plan| {
        let run = Lab::new(Profile::HARDENED).consumer("pay", move |_| Payments { remembers }).run(plan);
        run.require(&[promise::AT_LEAST_ONCE, promise::QUEUE_FIFO, promise::DUPLICATES_EXPLAINED])?;
        run.hold(exactly_once_effect("pay", identity))
    }
}

#[test]
fn a_consumer_that_forgets_is_found_within_a_few_cases_and_its_plan_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::new("forgets").cases(20).regressions(folder.path());
    let failure = test.check(&payments(), applied_once(false)).unwrap_err();
    assert_eq!(failure.id(), "exactly-once-effect");
    assert!((3..=20).contains(&failure.witness().len()), "{failure}");
    assert!((1..=2).contains(&failure.faults().len()), "{failure}");
    let text = failure.to_string();
    let heads: Vec<&str> =
        text.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split([' ', ':']).next().unwrap()).collect();
    assert_eq!(heads, ["exactly-once-effect", "witness", "faults", "replay"], "{text}");
    assert!(text.contains("forgets.plan.toml' cargo test forgets"), "{text}");
    // What is kept is a scenario, small, and tried before any case.
    let kept = std::fs::read_to_string(folder.path().join("forgets.plan.toml")).unwrap();
    let plan = Plan::parse("kept", &kept).unwrap();
    assert!(plan.decided().episodes.len() <= 2, "{kept}");
    let again = test.clone().cases(0).check(&payments(), applied_once(false)).unwrap_err();
    assert_eq!(again.witness(), failure.witness());
    test.cases(0).check(&payments(), applied_once(true)).unwrap();
}

#[test]
fn a_consumer_that_remembers_passes_512_cases() {
    Test::new("remembers").cases(512).run(&payments(), applied_once(true));
}

#[test]
fn a_property_of_ones_own_keeps_what_it_is_while_it_is_made_smaller() {
    let few = |run: &prop::Run| match run.history().sends.len() {
        0..=2 => Ok(()),
        many => Err(Broken { why: format!("{many} sends"), witness: Vec::new() }),
    };
    let folder = tempfile::tempdir().unwrap();
    let failure = Test::new("few")
        .regressions(folder.path())
        .check(&payments(), |plan| Lab::new(Profile::FAITHFUL).run(plan).hold(("few-sends", few)));
    // Three sends are the fewest that break it, and no fault is needed for that.
    let text = failure.unwrap_err().to_string();
    assert!(text.starts_with("few-sends (in every run): 3 sends\nwitness:\nfaults: none\nreplay: "), "{text}");
}

#[test]
fn one_seed_is_one_plan_and_seeds_differ() {
    let plans = payments();
    assert_eq!(plans.of_seed(7), plans.of_seed(7));
    let all: BTreeSet<String> = (0..50).map(|seed| plans.of_seed(seed).text().to_owned()).collect();
    assert_eq!(all.len(), 50);
    assert!(all.iter().all(|text| !text.contains("power-loss")));
}

#[test]
fn whatever_a_tree_proposes_is_a_smaller_plan_with_the_same_groups() {
    for seed in 0..5 {
        let plan = payments().of_seed(seed);
        let mut tree = PlanTree::new(plan.clone());
        let (mut steps, mut smallest) = (0, plan.text().len());
        // Every second one fails.
        while if steps % 2 == 0 { tree.simplify() } else { tree.complicate() } {
            let current = tree.current();
            assert!(current.text().len() <= plan.text().len() && current.text().contains("group = \"pay\""));
            smallest = smallest.min(current.text().len());
            steps += 1;
        }
        assert!(0 < steps && smallest < plan.text().len());
    }
}

#[test]
fn a_hunts_plans_can_be_taken_too() {
    let plans = prop::swarm(Default::default());
    for seed in 0..8 {
        let plan = plans.of_seed(seed);
        assert!(plan.is_within() && !plan.text().contains("power-loss"));
        Lab::new(Profile::HARDENED).run(&plan).require(&[promise::ACK_HONEST, promise::NO_PHANTOM]).unwrap();
    }
}

#[test]
fn a_weakness_of_the_release_is_told_with_its_tag() {
    let text = mqlab::lab::scenario::library::text("26-hunt").unwrap();
    let plan = Plan::parse("26-hunt.toml", text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("honest.plan.toml"), text).unwrap();
    let honest = |profile: Profile| {
        move |plan: &Plan| {
            Lab::new(profile.clone()).run(plan).require(&[promise::ACKED_DURABILITY, promise::ACK_HONEST])
        }
    };
    honest(Profile::HARDENED)(&plan).unwrap();
    let test = Test::new("honest").cases(0).regressions(folder.path());
    let failure = test.check(&payments(), honest(Profile::FAITHFUL)).unwrap_err();
    assert_eq!(failure.tag(), Some("K01"), "{failure}");
    assert!(failure.to_string().contains("known weakness: K01\n"), "{failure}");
}
