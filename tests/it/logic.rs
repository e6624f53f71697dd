//! A user's own listeners in whole runs: what they may ask for, what outlives them, what their failures come to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mqlab::lab::logic::{ConsumerLogic, Cx, Lab, Outcome, QueueSelector, Run, TxnLogic};
use mqlab::lab::scenario::overrides::Overrides;
use mqlab::lab::scenario::plan::{NodeKind, Plan, ProducerPlan};
use mqlab::lab::scenario::{library, load};
use mqlab::lab::trace::record::Level;
use mqlab::mq::app::{AppError, LocalState, OpId, SendResult};
use mqlab::mq::message::property::{Properties, names};
use mqlab::mq::message::{Message, MessageQueue, StoredMessage};
use mqlab::mq::time::Span;

/// A shop that sends orders one by one, and who consumes them.
fn plan(count: u32, rest: &str) -> Plan {
    let text = format!(
        r#"
format = 1
id = "t"
seed = 3
until = "120s"
title = "t"
question = "t"
[[broker]]
name = "broker-a"
[[topic]]
name = "orders"
queues = 1
[[topic]]
name = "receipts"
queues = 1
[[producer]]
name = "shop"
group = "shops"
start = "31s"
[[producer.send]]
topic = "orders"
count = {count}
every = "100ms"
wait = "500ms"
key = "order-{{n}}"
[[consumer]]
name = "billing"
group = "billings"
subscribe = {{ orders = "*" }}
from = "first"
{rest}
"#
    );
    load("t", text.as_bytes(), &Overrides::default()).unwrap_or_else(|report| panic!("{report}")).plan
}

fn key(message: &Message) -> &str {
    message.properties.get(names::KEYS).map_or("", |key| key.as_str())
}

/// Counts in its ledger and in its memory.
#[derive(Clone, Default)]
struct Counts {
    seen: u32,
}

impl ConsumerLogic for Counts {
    fn on_boot(&mut self, cx: &mut Cx<'_>) {
        let boots: u32 = cx.read("boots").and_then(|boots| boots.parse().ok()).unwrap_or(0);
        cx.write("boots", (boots + 1).to_string());
    }

    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        self.seen += messages.len() as u32;
        cx.write("memory", self.seen.to_string());
        let all: u32 = cx.read("all").and_then(|all| all.parse().ok()).unwrap_or(0);
        cx.write("all", (all + messages.len() as u32).to_string());
        Outcome::done().after(Span::from_millis(1 + cx.draw(9)))
    }
}

const OUTAGE: &str = r#"
[[fault]]
name = "outage"
at = "33s"
kill = { node = "billing" }
[[fault]]
name = "return"
at = "36s"
restart = { node = "billing" }
"#;

fn number(run: &Run, key: &str) -> u32 {
    run.ledger("billing").get(key).unwrap_or_else(|| panic!("no `{key}`")).parse().unwrap()
}

#[test]
fn what_is_written_outlives_the_process_and_what_is_remembered_does_not() {
    let run = Lab::of(plan(30, OUTAGE)).consumer("billings", |_| Counts::default()).run();
    run.require().unwrap();
    assert_eq!(number(&run, "boots"), 2);
    let handed = run.deliveries("billings").map(|delivery| delivery.messages.len() as u32).sum::<u32>();
    assert_eq!(number(&run, "all"), handed);
    assert!(number(&run, "memory") < handed, "the second process began to count anew");
}

#[test]
fn one_seed_is_one_history_with_a_logic_too() {
    let lab = Lab::of(plan(30, OUTAGE)).consumer("billings", |_| Counts::default());
    let (first, again, other) = (lab.run(), lab.run(), lab.clone().seed(4).run());
    assert_eq!(first.result().digest, again.result().digest);
    assert_ne!(first.result().digest, other.result().digest);
    // A session steps through the same history, and back.
    let mut session = lab.session(Level::Full);
    while session.step() {}
    assert_eq!(session.world().digest(), first.result().digest);
}

/// Panics at the first sight of every third order.
#[derive(Clone)]
struct Breaks(Arc<AtomicUsize>);

impl ConsumerLogic for Breaks {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        let first = &messages[0];
        let number: u32 = key(&first.message).trim_start_matches("order-").parse().unwrap();
        if number.is_multiple_of(3) && first.reconsume_times == 0 {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("the listener breaks");
        }
        cx.write(key(&first.message), first.reconsume_times.to_string());
        Outcome::done()
    }
}

#[test]
fn a_panic_is_an_exception_of_the_listener_and_the_message_comes_again() {
    let broke = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&broke);
    let run = Lab::of(plan(6, "")).consumer("billings", move |_| Breaks(Arc::clone(&counter))).run();
    run.require().unwrap();
    assert_eq!(broke.load(Ordering::Relaxed), 2);
    let ledger = run.ledger("billing");
    let times: Vec<&str> = (1..=6).map(|number| ledger[format!("order-{number}").as_str()].as_str()).collect();
    assert_eq!(times, ["0", "0", "1", "0", "0", "1"]);
}

/// Does the first two of a batch, and dies once in the middle of it all.
#[derive(Clone)]
struct Partly;

impl ConsumerLogic for Partly {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        if messages.iter().any(|message| key(&message.message) == "order-7") && cx.read("died").is_none() {
            cx.write("died", "once");
            cx.crash();
        }
        let done = messages.len().min(2);
        for message in &messages[..done] {
            cx.write(key(&message.message), message.reconsume_times.to_string());
        }
        Outcome::done_to(done as i32 - 1)
    }
}

#[test]
fn what_lies_behind_the_ack_index_is_tried_again_and_a_crash_answers_nothing() {
    let rest =
        "batch = 4\nstart = \"33s\"\n[[fault]]\nname = \"return\"\nat = \"40s\"\nrestart = { node = \"billing\" }";
    let run = Lab::of(plan(8, rest)).consumer("billings", |_| Partly).run();
    run.require().unwrap();
    let ledger = run.ledger("billing");
    assert_eq!(ledger["died"], "once");
    let again = (1..=8).filter(|number| ledger[format!("order-{number}").as_str()] != "0").count();
    assert!(2 <= again, "half of a batch of four comes again: {ledger:?}");
    let died = run.deliveries("billings").filter(|delivery| delivery.answer.is_none()).count();
    assert_eq!(died, 1, "the batch in which it died has no answer");
}

/// Sends a receipt for each order and hears how that went.
#[derive(Clone)]
struct Receipts;

impl ConsumerLogic for Receipts {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        for message in messages {
            let mut properties = Properties::new();
            properties.put(names::KEYS, format!("receipt-of-{}", key(&message.message)));
            let body = message.message.body.clone();
            cx.send("cashiers", Message { topic: "receipts".into(), flag: 0, properties, body });
        }
        Outcome::done()
    }

    fn on_sent(&mut self, cx: &mut Cx<'_>, op: OpId, result: Result<&SendResult, &AppError>) {
        let told = result.map_or_else(|error| error.text.to_string(), |result| result.queue.topic.to_string());
        cx.write(format!("sent-{}", op.0 & 0xffff), told);
    }
}

#[test]
fn a_listener_sends_through_its_client_s_producer() {
    let mut plan = plan(3, "");
    // The process of the consumer has a producer, too.
    let node = plan.nodes.iter_mut().find(|node| node.name == *"billing").unwrap();
    let NodeKind::Client(client) = &mut node.kind else { panic!("a client") };
    client.producers.push(ProducerPlan {
        group: "cashiers".into(),
        send_timeout: Span::from_secs(3),
        retries: 2,
        latency_fault: false,
        retry_not_ok: false,
        transactional: false,
    });
    let run = Lab::of(plan).consumer("billings", |_| Receipts).run();
    let ledger = run.ledger("billing");
    let told: Vec<&str> = ledger.values().map(|told| told.as_str()).collect();
    assert_eq!(told, ["receipts"; 3], "{ledger:?}");
    let stored = run.history().copies().filter(|(_, copy)| *copy.topic == *"receipts").count();
    assert_eq!(stored, 3);
}

/// Commits what its ledger says; forgets to write it for every second transfer, and then has to be asked.
#[derive(Clone)]
struct Bank;

impl TxnLogic for Bank {
    fn execute(&mut self, cx: &mut Cx<'_>, message: &Message) -> LocalState {
        let key = key(message).to_owned();
        cx.write(key.clone(), "commit");
        if key.ends_with('2') {
            panic!("the answer is lost");
        }
        if key.ends_with('3') { LocalState::Unknown } else { LocalState::Commit }
    }

    fn check(&mut self, cx: &mut Cx<'_>, message: &StoredMessage) -> LocalState {
        cx.write(format!("asked-{}", key(&message.message)), "yes");
        match cx.read(key(&message.message)) {
            Some("commit") => LocalState::Commit,
            _ => LocalState::Rollback,
        }
    }
}

#[test]
fn a_transaction_listener_decides_and_is_asked() {
    let name = library::names().find(|name| name.starts_with("14-")).expect("a lesson about transactions");
    let text = library::text(name);
    let changes = Overrides { until: Some("150s".to_owned()), ..Overrides::default() };
    let mut plan = load("14", text.unwrap().as_bytes(), &changes).unwrap_or_else(|report| panic!("{report}")).plan;
    plan.expects.clear();
    let run = Lab::of(plan).transactions("bank-producers", |_| Bank).run();
    run.require().unwrap();
    let ledger = run.ledger("bank");
    let asked: Vec<&str> = ledger.keys().filter(|key| key.starts_with("asked-")).map(|key| key.as_str()).collect();
    assert_eq!(asked, ["asked-transfer-2", "asked-transfer-3"], "what was told at once is not asked for");
    let credited: std::collections::BTreeSet<String> = run
        .deliveries("credit")
        .flat_map(|delivery| &delivery.messages)
        .map(|message| key(&message.message).to_owned())
        .collect();
    assert_eq!(credited.len(), 3, "all three are committed in the end: {credited:?}");
}

#[test]
fn a_group_that_nobody_has_is_named_with_those_there_are() {
    let attempt = std::panic::catch_unwind(|| Lab::of(plan(1, "")).consumer("accounts", |_| Counts::default()));
    let told = attempt.err().and_then(|panic| panic.downcast::<String>().ok()).unwrap();
    assert!(told.contains("`accounts`") && told.contains("billings"), "{told}");
}

#[test]
fn what_does_not_hold_is_told_with_its_seed() {
    let run = Lab::of(plan(3, "")).consumer("billings", |_| Counts::default()).run();
    let broken = run.hold("nobody is billed", |run| match run.deliveries("billings").count() {
        0 => Ok(()),
        count => Err(format!("{count} bills")),
    });
    assert_eq!(broken.unwrap_err().to_string(), "t with seed 3:\n  nobody is billed: 3 bills\n");
}

/// The last queue for the first order, null for the second, an exception for the third, then in turn.
#[derive(Clone, Default)]
struct Picky {
    asked: usize,
}

impl QueueSelector for Picky {
    fn select(&mut self, cx: &mut Cx<'_>, queues: &[MessageQueue], message: &Message) -> Option<usize> {
        self.asked += 1;
        cx.write(key(message), queues.len().to_string());
        match self.asked {
            1 => Some(queues.len() - 1),
            2 => None,
            3 => panic!("no queue is good enough"),
            asked => Some(asked % queues.len()),
        }
    }
}

#[test]
fn a_selector_of_ones_own_is_asked_once_for_each_message_and_its_refusals_have_upstream_s_texts() {
    let mut plan = plan(6, "");
    for node in &mut plan.nodes {
        if let NodeKind::Broker(broker) = &mut node.kind {
            broker.topics.iter_mut().for_each(|topic| topic.queues = 3);
        }
    }
    let run = Lab::of(plan).selector("shops", |_| Picky::default()).run();
    let outcome = |send: &mqlab::lab::check::letters::SendSeen| match &send.outcome {
        mqlab::lab::check::letters::Outcome::Sent(_, _, result) => result.queue.queue_id.to_string(),
        mqlab::lab::check::letters::Outcome::Failed(_, error) => error.text.to_string(),
        mqlab::lab::check::letters::Outcome::Unknown => "?".to_owned(),
    };
    let told: Vec<String> = run.history().sends.iter().map(outcome).collect();
    assert_eq!(told[0], "2");
    assert!(told[1].contains("select message queue return null."), "{}", told[1]);
    assert!(told[2].contains("select message queue throwed exception."), "{}", told[2]);
    assert_eq!(told[3..], ["1", "2", "0"]);
    assert_eq!(run.ledger("shop").len(), 6, "asked once each");
}
