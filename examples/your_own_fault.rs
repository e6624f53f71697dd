//! A fault of your own, made of those that are there: `cargo run --example your_own_fault`.
//!
//! Faults are data, so that a run can be saved, shown and shrunk. A new one is a function that gives episodes: here an
//! operator who restarts every broker in turn, cleanly or by pulling the plug.

use mqlab::lab::check::Verdict;
use mqlab::lab::fault::episode::{Episode, FaultKind, Keep, Trigger};
use mqlab::lab::logic::Lab;
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::mq::message::Name;
use mqlab::mq::time::{Span, Time};

const SCENARIO: &str = r#"
format = 1
id = "rolling-restart"
seed = 1
until = "120s"
title = "A rolling restart"
question = "Does a rolling restart lose what was acknowledged?"
[[broker]]
name = "broker-a"
[[broker]]
name = "broker-b"
[[topic]]
name = "orders"
queues = 2
[[producer]]
name = "shop"
group = "shops"
start = "31s"
[[producer.send]]
topic = "orders"
count = 60
every = "250ms"
wait = "1s"
key = "order-{n}"
[[consumer]]
name = "billing"
group = "billings"
subscribe = { orders = "*" }
from = "first"
"#;

/// How a node goes down.
type Down = fn(Name) -> FaultKind;

/// Each node in turn goes down in the same way, stays away for a while, and boots again before the next one goes.
fn rolling(nodes: &[&str], from: Time, away: Span, down: Down) -> Vec<Episode> {
    let mut at = from;
    let mut episodes = Vec::new();
    for node in nodes {
        let name = |verb: &str| Name::from(format!("{verb}-{node}"));
        let (begin, back) = (Trigger::At(at), Trigger::At(at + away));
        episodes.push(Episode { name: name("down"), trigger: begin, lasts: None, kind: down((*node).into()) });
        let kind = FaultKind::Restart { node: (*node).into() };
        episodes.push(Episode { name: name("up"), trigger: back, lasts: None, kind });
        at = at + away + away;
    }
    episodes
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ways: [(&str, Down); 3] = [
        ("asked to stop", |node| FaultKind::Stop { node }),
        ("killed", |node| FaultKind::Kill { node }),
        ("without power", |node| FaultKind::PowerLoss { node, keep: Keep::LoseAllUnsynced }),
    ];
    for (way, down) in ways {
        let (mut lost, mut passed_over) = (0, 0);
        for seed in 1..=20 {
            let changes = Overrides { seed: Some(seed), ..Overrides::default() };
            let mut plan = load("rolling.toml", SCENARIO.as_bytes(), &changes)?.plan;
            let brokers = ["broker-a", "broker-b"];
            plan.episodes.extend(rolling(&brokers, Time(35_000_000_000), Span::from_secs(5), down));
            let run = Lab::of(plan).run();
            let is_broken = |name: &str| matches!(run.verdict(name), Some(Verdict::Violation { .. }));
            assert!(!is_broken("acked-durability"), "G01 does not promise more than a flush does, so it holds: {way}");
            let history = run.history();
            let is_there = |id: &str| {
                history.copies().any(|(_, copy)| copy.properties.get("UNIQ_KEY").is_some_and(|key| *key == *id))
            };
            lost += history.acked().filter(|(.., result)| !is_there(&result.msg_id)).count();
            // What was lost had been delivered; new messages get its offsets, and the group has passed those (K04).
            passed_over += usize::from(is_broken("at-least-once"));
        }
        println!(
            "Brokers {way}, one after the other, 20 runs: {lost} acknowledged messages are gone, \
             and in {passed_over} runs the group passes over one that is there."
        );
    }
    Ok(())
}
