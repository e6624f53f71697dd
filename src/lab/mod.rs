//! The lab: the simulated machine, and everything that watches it.

pub mod trace;

pub mod locale;

pub mod fault;

pub mod workload;

pub mod scenario;

pub mod sim;

pub mod oracle;

pub mod check;

pub mod logic;

pub mod explore;

#[cfg(feature = "proptest")]
pub mod prop;

pub mod view;

pub mod learn;

pub mod tui;

pub mod page;

pub mod export;

pub mod bench;

pub mod cli;
