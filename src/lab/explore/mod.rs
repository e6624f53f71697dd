//! Looking everywhere: what one seed shows by luck is shown here by going through all there is, or very much of it.
//!
//! [`crash`] goes through every state in which a power loss or a kill can leave a store's disk. [`swarm`] draws scenarios,
//! [`hunt`] runs thousands of them, [`shrink`] makes what they break small enough to read.

#![deny(clippy::float_arithmetic)]

pub mod crash;

pub mod hunt;

pub mod shrink;

pub mod swarm;
