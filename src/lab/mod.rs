//! The lab: the simulated machine, and everything that watches it.

pub mod trace;

pub mod fault;

pub mod workload;

pub mod scenario;

pub mod sim;

pub mod check;

pub mod bench;

pub mod cli;
