//! Ordered consumption in whole runs: what holds of it under rebalance, death and pause, and what does not (K07).

use std::collections::BTreeMap;

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::fault::episode::{FaultKind, Trigger};
use mqlab::lab::scenario::count::CountRule;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::sim::session::Session;
use mqlab::lab::trace::log::Trace;
use mqlab::lab::trace::record::{App, Level, NodeId, Record, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;
use mqlab::mq::time::{Span, Time};

use super::plans::episode;

/// A shop whose orders choose their queues, and two members of a group that consume them in order.
pub const SHOP: &str = r#"
format = 1
id = "t"
seed = 1
until = "320s"
title = "t"
question = "t"
[[broker]]
name = "broker-a"
disk = { fsync = "2ms..9ms" }
[[topic]]
name = "orders"
queues = 4
[[producer]]
name = "shop"
group = "shops"
start = "100ms"
[[producer.send]]
topic = "orders"
wait = "3s"
count = 120
every = "1200ms"
key = "{n%10}"
body = "order {n}"
select = "modulo:key"
[[consumer]]
name = "billing-1"
group = "billing"
mode = "orderly"
subscribe = { orders = "*" }
from = "first"
start = "100ms"
[[consumer.on]]
match = { key = "3" }
reply = ["ok", "suspend", "suspend", "ok", "throw", "ok"]
takes = "10ms..3s"
[[consumer.on]]
reply = ["ok"]
takes = "5ms..900ms"
[[consumer]]
name = "billing-2"
group = "billing"
mode = "orderly"
subscribe = { orders = "*" }
from = "first"
start = "100ms"
[[consumer.on]]
match = { key = "7" }
reply = ["ok", "null", "ok", "suspend", "ok"]
takes = "10ms..3s"
[[consumer.on]]
reply = ["ok"]
takes = "5ms..900ms"
"#;

fn plan(text: &str, seed: u64) -> Plan {
    let mut plan = load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.seed = seed;
    let checks = [Check::QueueFifo, Check::OrderlyExclusive, Check::NoOvertaking];
    plan.expects =
        checks.into_iter().map(|check| Expect { id: check.name().into(), check, outcome: Outcome::Holds }).collect();
    plan
}

/// A number below `n` that only the seed decides.
pub fn draw(seed: u64, what: &str, n: u64) -> u64 {
    let hash = blake3::hash(format!("{seed}/{what}").as_bytes());
    let mut word = [0; 8];
    word.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(word) % n
}

/// Members come, go, die and stop for a while, as the promise of 4.3.2 allows.
fn troubled(text: &str, seed: u64) -> Plan {
    let mut plan = plan(text, seed);
    let at = |what: &str, from: u64, to: u64| from + draw(seed, what, to - from);
    let late = plan.nodes.iter_mut().find(|node| node.name == "billing-2").expect("a member");
    late.boot = Trigger::At(Time(at("late", 100, 40_000) * 1_000_000));
    for (nth, from) in [(1, 15_000), (2, 70_000)] {
        let name = format!("{nth}");
        let node = ["billing-1", "billing-2"][draw(seed, &format!("who {nth}"), 2) as usize];
        let begins = at(&format!("when {nth}"), from, from + 50_000);
        let node = mqlab::mq::message::Name::from(node);
        match draw(seed, &format!("what {nth}"), 3) {
            0 => {
                let back = begins + at(&format!("back {nth}"), 100, 40_000);
                plan.episodes.push(episode(&format!("kill-{name}"), begins, FaultKind::Kill { node: node.clone() }));
                plan.episodes.push(episode(&format!("back-{name}"), back, FaultKind::Restart { node }));
            }
            1 => {
                let back = begins + at(&format!("back {nth}"), 8_000, 40_000);
                plan.episodes.push(episode(&format!("stop-{name}"), begins, FaultKind::Stop { node: node.clone() }));
                plan.episodes.push(episode(&format!("back-{name}"), back, FaultKind::Restart { node }));
            }
            _ => {
                let mut pause = episode(&format!("pause-{name}"), begins, FaultKind::Pause { node });
                pause.lasts = Some(Span::from_millis(at(&format!("long {nth}"), 100, 25_000)));
                plan.episodes.push(pause);
            }
        }
    }
    plan
}

/// What runs of a thousand seeds showed altogether.
#[derive(Default, Debug)]
struct Shown {
    batches: usize,
    again: usize,
    refused: usize,
    expired: usize,
    hand_overs: usize,
}

impl Shown {
    fn add(&mut self, trace: &Trace) {
        let mut owners: BTreeMap<(String, i32), NodeId> = BTreeMap::new();
        for record in trace.records() {
            match &record.what {
                What::Fact(Fact::LockRefused { .. }) => self.refused += 1,
                What::Fact(Fact::LockExpired { .. }) => self.expired += 1,
                What::App(App::Returned(answer)) => {
                    let Return::Listen { queue, messages, .. } = &**answer else { continue };
                    let node = record.node.expect("a listener lives somewhere");
                    let before = owners.insert((queue.topic.to_string(), queue.queue_id), node);
                    self.hand_overs += usize::from(before.is_some_and(|before| before != node));
                    self.batches += 1;
                    self.again += usize::from(0 < messages[0].reconsume_times);
                }
                _ => {}
            }
        }
    }
}

/// Runs seeds and judges each: every ordered guarantee holds, and all that was sent is consumed.
fn order_holds(seeds: std::ops::Range<u64>) {
    let mut shown = Shown::default();
    for seed in seeds {
        let plan = troubled(SHOP, seed);
        // What nodes say of their locks is counted in some of the runs; no verdict rests on it.
        let is_counted = seed % 10 == 0;
        let result = Session::run(&plan, if is_counted { Level::Full } else { Level::History });
        assert!(result.panics.is_empty(), "seed {seed}: {:?}", result.panics);
        for finding in check::run(&result.trace, &plan) {
            let is_judged = finding.asked || finding.check == "at-least-once";
            assert!(
                !is_judged || finding.verdict == Verdict::Pass,
                "seed {seed} {}: {:?} {}",
                finding.id,
                finding.verdict,
                finding.summary.en
            );
        }
        if is_counted {
            shown.add(&result.trace);
        }
    }
    let Shown { batches, again, refused, expired, hand_overs } = shown;
    let enough = 10_000 < batches && 300 < again && 300 < refused && 3 < expired && 300 < hand_overs;
    assert!(enough, "too little happened: {shown:?}");
}

#[test]
fn order_holds_under_rebalance_death_and_pause_over_a_thousand_seeds() {
    order_holds(0..1_000);
}

#[test]
fn order_holds_over_a_thousand_seeds_more() {
    order_holds(1_000..2_000);
}

/// A pause that begins inside a listener and ends when its lease has long been another's; behind it messages are cached.
pub fn outliving(seed: u64) -> Plan {
    let nth = 3 + draw(seed, "nth", 20);
    let fault = format!(
        "[[fault]]\nname = \"freeze\"\nat = \"nth({nth}):listen@billing-1 + 1ms\"\nlasts = \"{}s\"\n\
         pause = {{ node = \"billing-1\" }}\n",
        170 + draw(seed, "long", 60)
    );
    plan(
        &format!("{SHOP}{fault}")
            .replace("until = \"320s\"", "until = \"400s\"")
            .replace("every = \"1200ms\"", "every = \"100ms\""),
        seed,
    )
}

#[test]
fn a_pause_that_outlives_the_lease_puts_two_listeners_on_one_queue() {
    let mut known = 0;
    for seed in 0..200 {
        let plan = outliving(seed);
        let result = Session::run(&plan, Level::History);
        let findings = check::run(&result.trace, &plan);
        let verdict = |check: &str| &findings.iter().find(|finding| finding.check == check).expect("asked").verdict;
        match verdict("orderly-exclusive") {
            Verdict::Known { weakness: 7, clause: "two at once", witness } => {
                known += 1;
                assert_eq!(witness.len(), 2, "seed {seed}");
            }
            // The listener had answered in the first millisecond.
            Verdict::Pass => {}
            other => panic!("seed {seed}: {other:?}"),
        }
        // What one process sees of a queue is in order all the same, and a suspended message is not passed.
        assert_eq!(verdict("queue-fifo"), &Verdict::Pass, "seed {seed}");
        assert_eq!(verdict("no-overtaking"), &Verdict::Pass, "seed {seed}");
    }
    assert!(180 < known, "{known}");
}

/// A scenario of the library with one setting changed.
fn changed(name: &str, set: &str, seed: u64) -> (Trace, Plan) {
    let changes = Overrides { seed: Some(seed), sets: vec![set.to_owned()], ..Overrides::default() };
    let text = library::text(name).unwrap();
    let plan = load(name, text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    (Session::run(&plan, Level::Full).trace, plan)
}

fn verdict(trace: &Trace, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

#[test]
fn the_articles_hundred_messages_are_consumed_in_the_order_of_their_queues() {
    let (trace, plan) = changed("12-same-key-same-line", "consumer.desk-1.on=[]", 1);
    let mut by_queue: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for record in trace.records() {
        if let What::App(App::Returned(answer)) = &record.what
            && let Return::Listen { queue, messages, .. } = &**answer
        {
            let body = String::from_utf8_lossy(&messages[0].message.body).into_owned();
            by_queue.entry(queue.queue_id).or_default().push(body);
        }
    }
    for (queue, bodies) in &by_queue {
        let of_queue = (1..=100).filter(|n| n % 10 % 4 == *queue);
        let expected: Vec<String> = of_queue.map(|n| format!("order --> {n}, id = {}", n % 10)).collect();
        assert_eq!(*bodies, expected, "queue {queue}");
    }
    assert_eq!(by_queue.values().map(Vec::len).sum::<usize>(), 100);
    assert_eq!(verdict(&trace, &plan, Check::AtLeastOnce), Verdict::Pass);
}

#[test]
fn a_limit_turns_the_poison_into_dead_letters_by_way_of_the_delay_queue() {
    let changes = Overrides {
        until: Some("240s".into()),
        sets: vec!["consumer.desk-1.max_reconsume=2".to_owned()],
        ..Overrides::default()
    };
    let text = library::text("12-same-key-same-line").unwrap();
    let plan = load("12", text.as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    let trace = Session::run(&plan, Level::Full).trace;
    let tries = CountRule::parse("1..3").unwrap();
    let deliveries = |message: Option<&str>, count: CountRule| Check::Deliveries {
        message: message.map(Into::into),
        group: None,
        count,
    };
    assert_eq!(verdict(&trace, &plan, deliveries(None, tries)), Verdict::Pass);
    assert_eq!(verdict(&trace, &plan, deliveries(Some("4"), CountRule::exactly(3))), Verdict::Pass);
    assert_eq!(verdict(&trace, &plan, deliveries(Some("8"), CountRule::exactly(1))), Verdict::Pass);
    let dead =
        Check::Stored { message: None, topic: Some("%DLQ%ORDER_CONSUMER".into()), count: CountRule::exactly(10) };
    assert_eq!(verdict(&trace, &plan, dead), Verdict::Pass);
    for check in [Check::QueueFifo, Check::NoOvertaking, Check::OrderlyExclusive] {
        assert_eq!(verdict(&trace, &plan, check), Verdict::Pass);
    }
    // Level 3 + 2 is one minute; only then it lies in the topic of the dead.
    let first = |is_it: &dyn Fn(&Fact) -> bool| {
        let found = trace.records().iter().find(|record| matches!(&record.what, What::Fact(fact) if is_it(fact)));
        found.expect("it happened").at
    };
    let parked = first(&|fact| matches!(fact, Fact::Appended { topic, .. } if *topic == "SCHEDULE_TOPIC_XXXX"));
    let there =
        first(&|fact| matches!(fact, Fact::DelayedDelivered { level: 5, topic, .. } if topic.starts_with("%DLQ%")));
    let waited = there.since(parked).as_millis();
    assert!((59_999..61_500).contains(&waited), "{waited}");
}

#[test]
fn a_member_may_sleep_until_the_broker_misses_it() {
    for seed in 1..=20 {
        let (trace, plan) = changed("28-lease-outlived", "fault.freeze.lasts=100s", seed);
        assert_eq!(verdict(&trace, &plan, Check::OrderlyExclusive), Verdict::Pass, "seed {seed}");
        let (trace, plan) = changed("28-lease-outlived", "fault.freeze.lasts=160s", seed);
        let known = verdict(&trace, &plan, Check::OrderlyExclusive);
        assert!(matches!(known, Verdict::Known { weakness: 7, .. }), "seed {seed}: {known:?}");
    }
}

/// The broker forgets all leases when it boots again, and its list of members is short until everybody has called.
fn forgetful(seed: u64) -> Plan {
    let busy = SHOP
        .replace("every = \"1200ms\"", "every = \"100ms\"")
        .replace("takes = \"5ms..900ms\"", "takes = \"10s..50s\"")
        .replace("until = \"320s\"", "until = \"160s\"");
    let mut plan = plan(&busy, seed);
    let late = plan.nodes.iter_mut().find(|node| node.name == "billing-2").expect("a member");
    late.boot = Trigger::At(Time((100 + draw(seed, "late", 20_000)) * 1_000_000));
    let (dies, back) = (45_000 + draw(seed, "dies", 40_000), 1_000 + draw(seed, "back", 20_000));
    plan.episodes.push(episode("death", dies, FaultKind::Kill { node: "broker-a".into() }));
    plan.episodes.push(episode("back", dies + back, FaultKind::Restart { node: "broker-a".into() }));
    plan
}

#[test]
fn leases_die_with_the_broker() {
    let mut known = 0;
    for seed in 0..200 {
        let plan = forgetful(seed);
        let trace = Session::run(&plan, Level::Full).trace;
        let findings = check::run(&trace, &plan);
        let verdict = |check: &str| &findings.iter().find(|finding| finding.check == check).expect("asked").verdict;
        match verdict("orderly-exclusive") {
            Verdict::Pass => {}
            Verdict::Known { weakness: 7, .. } => known += 1,
            other => panic!("seed {seed}: {other:?}"),
        }
        assert_eq!(verdict("no-overtaking"), &Verdict::Pass, "seed {seed}");
        assert_eq!(verdict("queue-fifo"), &Verdict::Pass, "seed {seed}");
        let expired = |record: &&Record| matches!(&record.what, What::Fact(Fact::LockExpired { .. }));
        assert_eq!(trace.records().iter().filter(expired).count(), 0, "seed {seed}: nobody's lease ended");
    }
    assert!(0 < known, "in some a member took queues over while the other was in its listener: {known}");
}
