//! *cluster*: the reference topology R with a fault about every minute and every checker that applies, against real time.
//!
//! One nameserver, two masters with a slave each, two producers of 21 messages a second together, four consumers in two groups; 600
//! simulated seconds recorded at level `history`, which is all that the checkers read. Every expectation of
//! `cluster.toml` must come out, and at least 20 messages must be sent and 40 delivered for each simulated second: a
//! cluster that is silent is fast and shows nothing.

use std::sync::OnceLock;

use crate::lab::bench::stopwatch::Stopwatch;
use crate::lab::bench::{Case, Load, Round};
use crate::lab::check;
use crate::lab::scenario::{Scenario, load};
use crate::lab::sim::session::Session;
use crate::lab::trace::record::{App, Level, What};
use crate::mq::app::Return;

/// The plan, read once: a person's file is not what is measured.
static SCENARIO: OnceLock<Scenario> = OnceLock::new();

pub(super) const TEXT: &str = include_str!("cluster.toml");

pub(crate) const CASE: Case =
    Case { name: "cluster", unit: "messages", round, units: |round| round.messages, round_trip_asked_ns: None };

/// The scenario that is measured.
pub(crate) fn scenario() -> &'static Scenario {
    SCENARIO.get_or_init(|| {
        load("cluster.toml", TEXT.as_bytes(), &Default::default()).unwrap_or_else(|report| panic!("{report}"))
    })
}

fn round() -> Round {
    let plan = &scenario().plan;
    let result = Session::run(plan, Level::History);
    let watch = Stopwatch::start();
    for finding in check::run(&result.trace, plan) {
        assert!(finding.is_as_expected(), "{}: {}", finding.id, finding.summary.en);
    }
    let judged_ns = watch.nanos();
    let (mut sent, mut delivered) = (0, 0);
    for record in result.trace.records() {
        let What::App(App::Returned(answer)) = &record.what else { continue };
        match &**answer {
            Return::Sent { .. } => sent += 1,
            Return::Listen { messages, .. } => delivered += messages.len() as u64,
            _ => {}
        }
    }
    let seconds = result.virtual_time.0 / 1_000_000_000;
    assert!(20 * seconds <= sent, "{sent} messages in {seconds} s");
    assert!(40 * seconds <= delivered, "{delivered} deliveries in {seconds} s");
    assert!(result.panics.is_empty(), "no process panics: {:?}", result.panics);
    Round {
        events: result.events,
        messages: sent,
        runs: 1,
        virtual_ns: result.virtual_time.0,
        digest: result.digest,
        load: Load { filed: result.events, pending: 64, heaps: 1 },
        round_trip_ns: None,
        judged_ns: Some(judged_ns),
        world: None,
    }
}
