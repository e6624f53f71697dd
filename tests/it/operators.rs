//! What operators do to a cluster in several steps: a broker is led out, a slave becomes the master, two builds run side by
//! side; and two processes that say that they are one.

use mqlab::lab::check::{self, Verdict};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{Check, Expect, Outcome, Plan};
use mqlab::lab::scenario::{Scenario, load};
use mqlab::lab::sim::session::{RunResult, Session};
use mqlab::lab::trace::record::{App, Level, What};
use mqlab::mq::app::Return;
use mqlab::mq::fact::Fact;

fn scenario(rest: &str) -> Scenario {
    let script = format!(
        r#"
format = 1
id = "operators"
until = "200s"
title.en = "Hands"
title.zh = "运维"

[[topic]]
name = "orders"
queues = 4

[[producer]]
name = "shop"
group = "shop-producers"
start = "15s"
retries = 1
[[producer.send]]
topic = "orders"
key = "order-{{n}}"
body = "order {{n}}"
count = 120
every = "1s"

[[consumer]]
name = "billing"
group = "billing"
subscribe = {{ orders = "*" }}
from = "first"
start = "15s"
{rest}
"#
    );
    load("operators.toml", script.as_bytes(), &Overrides::default())
        .unwrap_or_else(|report| panic!("{:#?}", report.problems))
}

fn run(plan: &Plan) -> RunResult {
    let run = Session::run(plan, Level::Full);
    assert!(run.panics.is_empty(), "{:?}", run.panics);
    run
}

/// The broker of each acknowledged send behind some second.
fn brokers(run: &RunResult, second: u64) -> Vec<String> {
    let sent = run.trace.records().iter().filter(|record| second * 1_000 <= record.at.as_millis());
    let sent = sent.filter_map(|record| match &record.what {
        What::App(App::Returned(answer)) => match &**answer {
            Return::Sent { result, .. } => Some(result.queue.broker.to_string()),
            _ => None,
        },
        _ => None,
    });
    sent.collect()
}

/// The seconds at which a node said something.
fn said(run: &RunResult, node: &str, of: impl Fn(&Fact) -> bool) -> Vec<u64> {
    let node = run.trace.node(node);
    let own = run.trace.records().iter().filter(|record| record.node == node);
    let said = own.filter(|record| matches!(&record.what, What::Fact(fact) if of(fact)));
    said.map(|record| record.at.as_millis() / 1_000).collect()
}

fn verdict(run: &RunResult, plan: &Plan, check: Check) -> Verdict {
    let expects = vec![Expect { id: "x".into(), check, outcome: Outcome::Holds }];
    check::run(&run.trace, &Plan { expects, ..plan.clone() }).remove(0).verdict
}

#[test]
fn a_broker_is_led_out_closed_drained_and_stopped() {
    let rest = r#"
[[broker]]
name = "broker-a"
[[broker]]
name = "broker-b"
[[operator]]
name = "ops"
start = "35s"
[[operator.wipe_write_perm]]
wait = "35s"
broker = "broker-a"
[[fault]]
name = "gone"
at = "130s"
stop = { node = "broker-a" }
"#;
    let plan = scenario(rest).plan;
    let run = run(&plan);
    let (before, after) = (brokers(&run, 0), brokers(&run, 105));
    assert!(before.iter().any(|broker| broker == "broker-a"));
    assert!(10 < after.len() && after.iter().all(|broker| broker == "broker-b"), "{after:?}");
    assert_eq!(before.len(), 120, "nobody was refused");
    for check in [Check::AtLeastOnce, Check::AckedDurability, Check::AckHonest] {
        assert_eq!(verdict(&run, &plan, check), Verdict::Pass);
    }
}

#[test]
fn a_slave_is_made_the_master_by_hand_and_the_old_one_follows_it() {
    let rest = r#"
[[broker]]
name = "broker-a"
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"
[[fault]]
name = "death"
at = "40s"
kill = { node = "broker-a" }
[[fault]]
name = "promoted"
at = "60s"
reconfigure = { node = "broker-a-s", properties = "brokerRole=ASYNC_MASTER\nbrokerId=0" }
[[fault]]
name = "rejoins"
at = "100s"
reconfigure = { node = "broker-a", properties = "brokerRole=SLAVE\nbrokerId=1" }
"#;
    let plan = scenario(rest).plan;
    let run = run(&plan);
    let own = run.trace.node("broker-a-s");
    let accepted = said(&run, "broker-a-s", |fact| matches!(fact, Fact::SendAccepted { .. }));
    assert!(30 < accepted.len() && accepted.iter().all(|at| 60 <= *at), "{own:?} {accepted:?}");
    let follows = said(&run, "broker-a", |fact| matches!(fact, Fact::MasterConnected { .. }));
    assert!(follows.iter().any(|at| 100 <= *at), "{follows:?}");
    let taken = said(&run, "broker-a", |fact| matches!(fact, Fact::Replicated { .. }));
    assert!(taken.iter().any(|at| 100 <= *at), "{taken:?}");
    assert_eq!(verdict(&run, &plan, Check::AckHonest), Verdict::Pass);
    let replica = verdict(&run, &plan, Check::ReplicaPrefix);
    assert!(matches!(replica, Verdict::Inconclusive { .. }), "who follows whom has changed: {replica:?}");
}

#[test]
fn an_old_master_that_comes_back_as_one_gives_offsets_twice_and_nobody_owes_for_it() {
    let rest = |comes_back: &str| {
        format!(
            r#"
[[broker]]
name = "broker-a"
[[broker]]
name = "broker-a-s"
role = "slave"
of = "broker-a"
[[fault]]
name = "lag"
at = "36s"
lasts = "6s"
cut = {{ from = "broker-a", to = "broker-a-s" }}
[[fault]]
name = "death"
at = "40500ms"
kill = {{ node = "broker-a" }}
[[fault]]
name = "promoted"
at = "45s"
reconfigure = {{ node = "broker-a-s", properties = "brokerRole=ASYNC_MASTER\nbrokerId=0" }}
[[fault]]
name = "comes-back"
at = "65s"
{comes_back}
"#
        )
    };
    let broken = |comes_back: &str| {
        let plan = scenario(&rest(comes_back)).plan;
        let run = run(&plan);
        let is_broken = |check: &Check| matches!(verdict(&run, &plan, check.clone()), Verdict::Violation { .. });
        (
            check::suite(&plan).into_iter().filter(is_broken).collect::<Vec<_>>(),
            verdict(&run, &plan, Check::AtLeastOnce),
        )
    };
    let (as_master, owed) = broken("restart = { node = \"broker-a\" }");
    assert_eq!(as_master, [Check::OffsetAgreement]);
    assert!(matches!(owed, Verdict::Inconclusive { .. }), "{owed:?}");
    let as_slave = "reconfigure = { node = \"broker-a\", properties = \"brokerRole=SLAVE\\nbrokerId=1\" }";
    assert_eq!(broken(as_slave), (vec![], Verdict::Pass));
}

#[test]
fn two_builds_run_side_by_side() {
    let pair = |master: &str, slave: &str| {
        let outage = r#"
[[fault]]
name = "outage"
at = "60s"
power-loss = { node = "broker-a", keep = "fsynced" }
[[fault]]
name = "return"
at = "63s"
restart = { node = "broker-a" }
"#;
        let brokers = format!(
            "[[broker]]\nname = \"broker-a\"\n{master}\n[[broker]]\nname = \"broker-a-s\"\nrole = \"slave\"\nof = \"broker-a\"\n{slave}\n"
        );
        let plan = scenario(&format!("{brokers}{outage}")).plan;
        let run = run(&plan);
        // The last orders come long after the outage: the slave has them.
        let taken = said(&run, "broker-a-s", |fact| matches!(fact, Fact::Replicated { .. }));
        (verdict(&run, &plan, Check::ReplicaPrefix), taken.iter().any(|at| 120 <= *at))
    };
    let new = "profile = \"hardened\"";
    assert_eq!(pair(new, new), (Verdict::Pass, true));
    // A master that gives only what it has flushed has no slave that is ahead, whatever that one's build.
    assert_eq!(pair(new, ""), (Verdict::Pass, true));
    // A slave that compares finds itself ahead of an old master, too.
    assert_eq!(pair("", new), (Verdict::Pass, true));
    let (old, _) = pair("", "");
    assert!(matches!(old, Verdict::Known { weakness: 2, .. }), "{old:?}");
}

#[test]
fn two_processes_of_one_client_id_are_one_member() {
    let rest = |twin: &str| {
        format!(
            "[[broker]]\nname = \"broker-a\"\n[[consumer]]\nname = \"billing-2\"\ngroup = \"billing\"\n\
             subscribe = {{ orders = \"*\" }}\nfrom = \"first\"\nstart = \"16s\"\n{twin}"
        )
    };
    // Whoever is the first of two members has the first two queues: here both are.
    let held = |rest: &str, node: &str| {
        let plan = scenario(rest).plan;
        let run = run(&plan);
        let is_its = |queue: &i32| {
            let of = |fact: &Fact| matches!(fact, Fact::Assigned { queue_id, topic, .. } if *topic == "orders" && queue_id == queue);
            !said(&run, node, of).is_empty()
        };
        let queues: Vec<i32> = (0..4).filter(is_its).collect();
        (queues, verdict(&run, &plan, Check::AtLeastOnce))
    };
    let (queues, owed) = held(&rest("client_id_of = \"billing\"\n"), "billing-2");
    assert_eq!(queues, [0, 1]);
    assert!(matches!(owed, Verdict::Violation { .. }), "the others are nobody's: {owed:?}");
    assert_eq!(held(&rest(""), "billing-2"), (vec![2, 3], Verdict::Pass));
}

#[test]
fn what_has_no_client_id_and_which_builds_there_are_is_said() {
    let wrong = |rest: &str, part: &str| {
        let script = format!(
            "format = 1\nid = \"t\"\ntitle.en = \"t\"\ntitle.zh = \"t\"\n[[broker]]\nname = \"broker-a\"\n{rest}"
        );
        let Err(report) = load("t.toml", script.as_bytes(), &Overrides::default()) else {
            panic!("it is wrong: {rest}")
        };
        assert!(report.problems.iter().any(|problem| problem.message.contains(part)), "{:#?}", report.problems);
    };
    wrong("profile = \"5.0\"\n", "5.0");
    let consumer = "[[consumer]]\nname = \"c\"\ngroup = \"g\"\nsubscribe = { t = \"*\" }\nclient_id_of = ";
    wrong(&format!("{consumer}\"broker-a\"\n"), "is a server");
    wrong(&format!("{consumer}\"nobody\"\n"), "nobody");
}
