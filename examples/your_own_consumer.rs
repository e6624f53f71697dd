//! A listener of your own under test: `cargo run --example your_own_consumer`.
//!
//! RocketMQ delivers at least once. A bank that books what it is handed books some payments twice: the process dies after
//! its listener has answered and before the group's offset has reached the broker, which happens every five seconds. A bank
//! that asks its ledger first does not. Both run here over many seeds, each with other latencies.

use mqlab::lab::logic::{ConsumerLogic, Cx, Lab, Outcome, Run};
use mqlab::lab::scenario::load;
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::mq::message::StoredMessage;
use mqlab::mq::message::property::names;
use mqlab::mq::time::Span;

/// Two clients on a road with latency, one broker, twenty payments; the bank is killed and boots again.
const SCENARIO: &str = r#"
format = 1
id = "payments"
seed = 1
until = "90s"
title = "Payments"
question = "Is each payment booked once?"
[[broker]]
name = "broker-a"
[[topic]]
name = "payments"
queues = 4
[[producer]]
name = "shop"
group = "shops"
start = "31s"
[[producer.send]]
topic = "payments"
count = 20
every = "200ms"
wait = "500ms"
key = "payment-{n}"
[[consumer]]
name = "bank"
group = "banks"
subscribe = { payments = "*" }
from = "first"
[[fault]]
name = "outage"
at = "34100ms"
kill = { node = "bank" }
[[fault]]
name = "return"
at = "40s"
restart = { node = "bank" }
"#;

// ANCHOR: bank
/// Books whatever it is handed. Its ledger outlives the process, as a database does.
#[derive(Clone)]
struct Bank {
    asks_first: bool,
}

impl ConsumerLogic for Bank {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        for message in messages {
            let Some(payment) = message.message.properties.get(names::KEYS).cloned() else { continue };
            let times: u32 = cx.read(&payment).and_then(|times| times.parse().ok()).unwrap_or(0);
            if self.asks_first && times > 0 {
                continue;
            }
            cx.write(payment, (times + 1).to_string());
        }
        let thinks = Span::from_millis(5 + cx.draw(20));
        Outcome::done().after(thinks)
    }
}
// ANCHOR_END: bank

// ANCHOR: property
/// The property: no payment was booked twice, and none is missing.
fn each_once(run: &Run) -> Result<(), String> {
    let ledger = run.ledger("bank");
    for number in 1..=20 {
        match ledger.get(format!("payment-{number}").as_str()).map(|times| times.as_str()) {
            Some("1") => {}
            Some(times) => return Err(format!("payment-{number} was booked {times} times")),
            None => return Err(format!("payment-{number} was never booked")),
        }
    }
    Ok(())
}
// ANCHOR_END: property

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for asks_first in [false, true] {
        let mut broken = Vec::new();
        for seed in 1..=50 {
            let changes = Overrides { seed: Some(seed), ..Overrides::default() };
            let plan = load("payments.toml", SCENARIO.as_bytes(), &changes)?.plan;
            let run = Lab::of(plan).consumer("banks", move |_| Bank { asks_first }).run();
            // What RocketMQ promises holds in both cases; what the bank wants is its own affair.
            run.require()?;
            broken.extend(run.hold("each payment is booked once", each_once).err());
        }
        let bank = if asks_first { "asks its ledger first" } else { "books what it is handed" };
        println!("A bank that {bank}: {} of 50 seeds book a payment twice.", broken.len());
        if let Some(first) = broken.first() {
            print!("  {first}");
        }
    }
    Ok(())
}
