//! The simulated machine: time, roads, disks and dice for any number of nodes, all decided by a plan and a seed.
//!
//! One invariant to remember: **a run is a function of its plan**. Whatever happens is an entry of one agenda, ordered by
//! (time, tie, sequence); whatever is left to chance is a draw addressed by (seed, stream's path, ordinal). So the same
//! plan gives the same records and the same digest, whatever is kept of them, and a world forked at a step and run on
//! gives what the original gives.
//!
//! The rooms in reading order: what happens next ([`agenda`]), what chance decides ([`dice`]), what is kept of it
//! (`record`), the roads ([`link`]), the disks ([`disk`]), the machines ([`machine`]), the world that owns them ([`world`]) and performs what
//! nodes ask for (`drive`), the faults it suffers (`fault`; of disks `device`, of roads `bend`, of machines and clocks
//! `misfortune` and `withhold`, those that act again `storm`), who boots what ([`boot`]), and the session that people and
//! checkers hold ([`session`]).

#![deny(clippy::float_arithmetic)]

pub mod agenda;

pub mod dice;

pub(crate) mod slab;

pub(crate) mod record;

pub mod link;

pub(crate) mod timer;

pub mod storage;

pub mod disk;

pub mod machine;

pub mod world;

pub mod probe;

pub mod tools;

mod drive;

pub mod marks;

mod road;

mod process;

mod device;

pub(crate) mod errand;

mod fault;

/// What faults on a road do to a parcel.
pub(crate) mod bend;

/// Faults that act more than once.
pub(crate) mod storm;

pub(crate) mod spread;

pub(crate) mod clock;

pub(crate) mod withhold;

/// What goes wrong with whole machines and their clocks.
mod misfortune;

pub mod boot;

pub mod session;
