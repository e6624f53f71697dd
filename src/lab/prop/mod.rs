//! Property tests of your own consumer, for proptest (cargo feature `proptest`).
//!
//! ```text
//!  plan(topology(), workload(), faults()) ─▶ Plan: a scenario a person can read
//!                │ simplify: one thing less          │
//!                ▼                                   ▼
//!  Test::new("pay") ── cases ──▶ Lab::new(profile).consumer("pay", …).run(&plan) ─▶ Run
//!                │                                   │ require(&[guarantee]), hold(property)
//!                ▼                                   ▼
//!      <dir>/pay.<what>.plan.toml, tried first next time   Failure: witness, faults, replay
//! ```
//!
//! ```
//! use mqlab::lab::logic::{ConsumerLogic, Cx, Outcome};
//! use mqlab::lab::prop::{self, Lab, Test, exactly_once_effect, identity, promise};
//! use mqlab::mq::message::StoredMessage;
//! use mqlab::mq::profile::Profile;
//!
//! /// Books each payment that its ledger does not know.
//! #[derive(Clone)]
//! struct Bank;
//!
//! impl ConsumerLogic for Bank {
//!     fn on_batch(&mut self, cx: &mut Cx<'_>, messages: &[StoredMessage]) -> Outcome {
//!         for payment in messages.iter().map(identity) {
//!             if cx.read(&payment).is_none() {
//!                 cx.write(payment, "1");
//!             }
//!         }
//!         Outcome::done()
//!     }
//! }
//!
//! let plans = prop::plan(prop::topology(), prop::workload().group("pay"), prop::faults().process().clients());
//! Test::new("each_payment_once").cases(4).run(&plans, |plan| {
//!     let run = Lab::new(Profile::HARDENED).consumer("pay", |_| Bank).run(plan);
//!     run.require(&[promise::AT_LEAST_ONCE])?;
//!     run.hold(exactly_once_effect("pay", identity))
//! });
//! ```

mod draw;

mod effect;

mod faults;

mod failure;

mod kinds;

mod plan;

pub mod promise;

mod run;

mod seeds;

pub mod shrink;

mod strategy;

mod test;

mod view;

mod workload;

pub use draw::{Flush, Replication, Topology, topology};
pub use effect::{ExactlyOnce, exactly_once_effect, identity};
pub use failure::Failure;
pub use faults::{Faults, faults};
pub use plan::{Plan, PlanError};
pub use run::{Broken, Lab, Property, Run};
pub use strategy::{PlanStrategy, PlanTree, plan, swarm};
pub use test::Test;
pub use view::{Claim, View, eventually, never};
pub use workload::{Mode, Workload, workload};
