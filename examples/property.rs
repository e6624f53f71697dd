//! A consumer of your own under property test: `cargo run --example property`.
//!
//! In a crate of your own the two `check` calls are two `#[test]` functions that call `run`.

use mqlab::lab::logic::{ConsumerLogic, Cx, Outcome};
use mqlab::lab::prop::{self, Lab, Plan, Test, View, eventually, exactly_once_effect, identity, never, promise};
use mqlab::mq::message::StoredMessage;
use mqlab::mq::profile::Profile;
use mqlab::mq::time::Span;

// ANCHOR: bank
/// Books payments; the row of a payment holds how often.
#[derive(Clone)]
struct Bank {
    remembers: bool,
}

impl ConsumerLogic for Bank {
    fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
        for payment in messages.iter().map(identity) {
            let times: u32 = cx.read(&payment).and_then(|times| times.parse().ok()).unwrap_or(0);
            if times == 0 || !self.remembers {
                cx.write(payment, (times + 1).to_string());
            }
        }
        Outcome::done().after(Span::from_millis(5))
    }
}
// ANCHOR_END: bank

// ANCHOR: moments
/// At a moment of a run: some payment's row says more than one.
fn is_booked_twice(view: &View<'_>) -> bool {
    view.rows().any(|(_, times)| *times != *"1")
}

/// At a moment of a run: there is a row for whatever was acknowledged.
fn is_all_booked(view: &View<'_>) -> bool {
    view.acked().all(|message| view.rows().any(|(payment, _)| *payment.as_bytes() == *message.body))
}
// ANCHOR_END: moments

fn main() {
    // ANCHOR: test
    let workload = prop::workload().group("pay").keys(1..8).messages(8..=40);
    let plans =
        prop::plan(prop::topology().pairs(1..=2), workload, prop::faults().process().network().clients().memory());
    let books = |remembers| {
        move |plan: &Plan| {
            let run = Lab::new(Profile::HARDENED).consumer("pay", move |_| Bank { remembers }).run(plan);
            run.require(&[promise::AT_LEAST_ONCE, promise::DUPLICATES_EXPLAINED])?;
            run.hold(never(is_booked_twice).named("booked-twice"))?;
            run.hold(eventually(Span::from_secs(60), is_all_booked).named("all-booked"))?;
            run.hold(exactly_once_effect("pay", identity))
        }
    };
    // ANCHOR_END: test
    match Test::new("books_what_it_is_handed").check(&plans, books(false)) {
        Ok(()) => println!("A bank that books what it is handed: nothing found."),
        Err(failure) => println!("A bank that books what it is handed:\n{failure}"),
    }
    Test::new("remembers").check(&plans, books(true)).expect("a bank that remembers books each payment once");
    println!("A bank that remembers: 64 plans, each payment booked once.");
}
