//! What the applications do with the two ends: senders and listeners, as data decided by the plan.

pub mod ops;

pub mod apps;

mod decide;

mod pull;

mod pulls;

mod schedule;
