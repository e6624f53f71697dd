//! A consumer under property test as its owner would write it, and what the tests of `lab::prop` itself claim.

use std::collections::BTreeSet;

use mqlab::lab::check::{Guarantee, Verdict};
use mqlab::lab::logic::{ConsumerLogic, Cx, Outcome};
use mqlab::lab::prop::{
    self, Broken, Faults, Flush, Lab, Mode, Plan, PlanStrategy, PlanTree, Replication, Test, View, eventually,
    exactly_once_effect, identity, never, promise,
};
use mqlab::mq::message::StoredMessage;
use mqlab::mq::profile::Profile;
use mqlab::mq::time::Span;
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
    assert!(text.contains("forgets.exactly-once-effect.plan.toml' cargo test forgets"), "{text}");
    // What is kept is a scenario, small, and tried before any case.
    let kept = std::fs::read_to_string(folder.path().join("forgets.exactly-once-effect.plan.toml")).unwrap();
    let plan = Plan::parse("kept", &kept).unwrap();
    assert!(plan.decided().episodes.len() <= 2, "{kept}");
    let again = test.clone().cases(0).check(&payments(), applied_once(false)).unwrap_err();
    assert_eq!(again.witness(), failure.witness());
    // Without it, proptest's own seed draws the plan anew.
    std::fs::remove_file(folder.path().join("forgets.exactly-once-effect.plan.toml")).unwrap();
    let drawn = test.clone().cases(0).check(&payments(), applied_once(false)).unwrap_err();
    assert_eq!(drawn.witness(), failure.witness());
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

#[test]
fn every_fault_of_a_scenario_is_drawn_and_honesty_survives_it() {
    let source = include_str!("../../src/lab/scenario/fault.rs");
    let script = source.split("pub struct FaultScript {").nth(1).unwrap().split("\n}").next().unwrap();
    let fields = script.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    let words: BTreeSet<String> = fields.map(|field| field.split(':').next().unwrap().replace('_', "-")).collect();
    let no_faults = ["name", "at", "lasts", "off", "resume", "heal", "end"].map(str::to_owned);
    let drawn: BTreeSet<String> = Faults::verbs().map(str::to_owned).collect();
    assert_eq!(words.difference(&BTreeSet::from(no_faults)).cloned().collect::<BTreeSet<String>>(), drawn);
    let topology = || prop::topology().pairs(1..=2).slaves(true).nameservers(1..=2);
    for verb in Faults::verbs() {
        let faults = prop::faults().every_kind().beyond().only([verb]);
        let plans = prop::plan(topology(), prop::workload().messages(8..=12), faults);
        let of_verb = (0..20).map(|seed| plans.of_seed(seed)).find(|plan| !plan.decided().episodes.is_empty());
        let plan = of_verb.unwrap_or_else(|| panic!("{verb} is never drawn"));
        assert!(plan.text().contains(&format!("\n{verb} = {{ ")), "{verb}: {plan}");
        let honest = Lab::new(Profile::HARDENED).run(&plan).require(&[promise::ACK_HONEST, promise::NO_PHANTOM]);
        honest.unwrap_or_else(|failure| panic!("{verb}: {failure}\n{plan}"));
    }
}

/// Everything that a plan can have, within what is promised.
fn everything() -> PlanStrategy {
    let topology = prop::topology().pairs(1..=2).nameservers(1..=2).slaves(true);
    let topology = topology.flush([Flush::Sync]).replication([Replication::Async, Replication::Sync]);
    let workload =
        prop::workload().group("pay").keys(1..8).messages(8..=24).members(1..=3).producers(1..=2).churn(true);
    let workload = workload.modes([Mode::Sync, Mode::Async, Mode::Oneway, Mode::Transaction]).settings(true);
    let workload = workload.delay(1..=3).batches(4).edges(true);
    prop::plan(topology, workload, prop::faults().every_kind().max_episodes(3))
}

#[test]
fn what_is_promised_holds_in_plans_of_everything() {
    let all: Vec<Guarantee> = promise::all().collect();
    assert_eq!(all.len(), 41);
    // A reset that is lost in its ten seconds is K29, and has no repair.
    let promises: Vec<Guarantee> = all.into_iter().filter(|one| *one != promise::RESET_CONFORMANCE).collect();
    Test::new("everything").cases(120).run(&everything(), |plan| {
        let run = Lab::new(Profile::HARDENED).consumer("pay", |_| Payments { remembers: true }).run(plan);
        run.require(&promises)
    });
    // Nothing of it is never drawn.
    let texts: String = (0..150).map(|seed| everything().of_seed(seed).text().to_owned()).collect();
    let words = ["sync-master", "\"transaction\"", "\"oneway\"", "\"async\"", "delay_level", "batch = ", "leaves"];
    for word in words.into_iter().chain(["operator.reset", "update_topic", "wipe_write_perm", "operator.query"]) {
        assert!(texts.contains(word), "{word}");
    }
    // Deleting a topic takes more than is promised.
    assert!(!texts.contains("delete_topic"));
    let beyond = prop::plan(prop::topology(), prop::workload(), prop::faults().operators().beyond());
    assert!((0..20).any(|seed| beyond.of_seed(seed).text().contains("delete_topic")));
}

#[test]
fn faults_can_be_named_left_out_and_put_at_a_moment() {
    let drawn = |faults: Faults| -> BTreeSet<String> {
        let plans = prop::plan(prop::topology(), prop::workload(), faults);
        let all = (0..40).flat_map(|seed| plans.of_seed(seed).decided().episodes.clone());
        all.map(|episode| episode.name.rsplit_once('-').unwrap().0.to_owned()).collect()
    };
    assert_eq!(drawn(prop::faults().network().only(["cut", "flap"])), ["cut", "flap"].map(str::to_owned).into());
    let left = drawn(prop::faults().clients().without(["kill"]));
    assert!(!left.contains("kill") && left.contains("pause"), "{left:?}");
    let moment = "before:nth(2):append@broker-a";
    let plans = prop::plan(prop::topology(), prop::workload(), prop::faults().at(moment, "kill"));
    let plan = plans.of_seed(3);
    assert!(plan.text().contains(&format!("at = \"{moment}\"")) && plan.decided().episodes.len() == 1, "{plan}");
    let message = std::panic::catch_unwind(|| prop::faults().network().only(["cuts"])).unwrap_err();
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("there is no fault `cuts`; one of: kill, stop, "), "{message}");
}

#[test]
fn what_never_holds_and_what_does_at_last_are_properties_too() {
    fn is_booked_twice(view: &View<'_>) -> bool {
        view.rows().any(|(_, times)| *times != *"1")
    }
    fn is_all_booked(view: &View<'_>) -> bool {
        let booked: BTreeSet<&str> = view.rows().map(|(payment, _)| payment.as_str()).collect();
        view.acked().all(|message| booked.contains(std::str::from_utf8(&message.body).unwrap()))
    }
    let folder = tempfile::tempdir().unwrap();
    let tried = |name: &str, remembers: bool| {
        Test::new(name).cases(20).regressions(folder.path()).check(&payments(), |plan| {
            let run = Lab::new(Profile::HARDENED).consumer("pay", move |_| Payments { remembers }).run(plan);
            run.hold(never(is_booked_twice).named("booked-twice"))?;
            run.hold(eventually(Span::from_secs(60), is_all_booked).named("all-booked"))
        })
    };
    tried("remembering", true).unwrap();
    let failure = tried("forgetting", false).unwrap_err();
    let text = failure.to_string();
    assert!(text.starts_with("booked-twice (at every moment of every run): it held at "), "{text}");
    assert!((3..=20).contains(&failure.witness().len()), "{text}");
    // The last thing that a witness tells is what made it true.
    assert!(failure.witness().last().unwrap().contains("ledger"), "{text}");
    // Nobody books: that never comes true, and is no evidence in a run that ends before it had to.
    let lazy = |within: Span| {
        let plan = payments().of_seed(1);
        Lab::new(Profile::HARDENED).run(&plan).hold(eventually(within, is_all_booked))
    };
    let text = lazy(Span::from_secs(30)).unwrap_err().to_string();
    assert!(text.starts_with("eventually (after the last fault has ended"), "{text}");
    lazy(Span::from_secs(600)).unwrap();
}

#[test]
fn each_thing_that_broke_has_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::new("two").cases(1).regressions(folder.path());
    let breaks = |name: &'static str, but: String| {
        test.check(&payments(), move |plan| match plan.text() == but {
            true => Ok(()),
            false => Lab::new(Profile::HARDENED).run(plan).hold(never(|_| true).named(name)),
        })
    };
    breaks("first thing", String::new()).unwrap_err();
    let first = std::fs::read_to_string(folder.path().join("two.first-thing.plan.toml")).unwrap();
    breaks("second thing", first).unwrap_err();
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["two.first-thing.plan.toml", "two.proptest-regressions", "two.second-thing.plan.toml"]);
    let seeds = std::fs::read_to_string(folder.path().join("two.proptest-regressions")).unwrap();
    assert!(seeds.lines().last().unwrap().starts_with("cc "), "{seeds}");
}

#[test]
fn a_repair_can_be_named_and_every_verdict_read() {
    let text = mqlab::lab::scenario::library::text("26-hunt").unwrap();
    let plan = Plan::parse("26-hunt.toml", text).unwrap();
    let durable = |lab: Lab| {
        let verdicts = lab.run(&plan).verdicts();
        verdicts.into_iter().find(|(name, _)| *name == "acked-durability").unwrap().1
    };
    let broken = durable(Lab::new(Profile::FAITHFUL));
    assert!(matches!(broken, Verdict::Violation { .. } | Verdict::Known { weakness: 1, .. }), "{broken:?}");
    assert_eq!(durable(Lab::new(Profile::FAITHFUL).fix("K01")), Verdict::Pass);
    assert!(std::panic::catch_unwind(|| Lab::new(Profile::FAITHFUL).fix("K99")).is_err());
}
