//! One test binary: everything that is not beside the code it tests.

mod architecture;

mod store;

mod disk;

mod device;

mod determinism;

mod plans;

mod walk;

mod overload;

mod faults;

mod fuse;

mod trip;

mod client;

mod config_files;

mod properties;

mod pull;

mod steer;

mod delay;

mod transaction_repairs;
mod transactions;

mod ways;

mod frames;

mod golden;

mod conversations;

mod constants;

mod cli;

mod course;

mod learn;

mod first_lesson;

mod retry;

mod broadcast;

mod shards;
mod sharing;
mod suite;
mod twice;

mod tools;

mod admin;
mod groups;
mod order_conf;
mod reset;

mod begins;
mod orderly;

mod duplicates;
mod filters;

mod operators;
mod refuted_honest;
mod replica;
mod replica_repaired;
mod run;

mod serve;

mod prints;

mod exports;

mod views;
mod why;

mod diff;
mod retained;

mod run_disk;

mod scenarios;

mod guided;
mod hunt;
mod shrink;

mod bad_scenarios;

mod book;
mod book_reference;
mod readme;

#[cfg(feature = "mutants")]
mod mutants;

#[cfg(feature = "mutants")]
mod watchdogs;

mod refuted;

#[cfg(feature = "proptest")]
mod prop;

mod liveness;
mod logic;

mod oracle;

mod storage;

mod import;
mod inspect;

mod two_hands;

mod crash_states;

mod branches;
mod conditions;
mod plain;
mod player;
mod screens;
mod terminal;

mod own_scenarios;
mod run_files;
mod schemas;
mod settings;

mod picture;
