//! Looking everywhere: what one seed shows by luck is shown here by going through all there is, or very much of it.
//!
//! [`crash`] goes through every state in which a power loss or a kill can leave a store's disk. [`swarm`] draws scenarios,
//! [`hunt`] runs thousands of them, [`shrink`] makes what they break small enough to read. [`twice`] asks whether one seed is
//! one history.
//! In a build with the feature `mutants`, `mutants` hunts each planted mistake: how good a hunt is, is what it finds.

#![deny(clippy::float_arithmetic)]

pub mod crash;

pub mod hunt;

#[cfg(feature = "mutants")]
pub mod mutants;

pub mod shrink;

pub mod swarm;

pub mod twice;
