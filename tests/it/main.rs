//! One test binary: everything that is not beside the code it tests.

mod architecture;

mod store;

mod disk;

mod device;

mod determinism;

mod plans;

mod walk;

mod overload;

mod fuse;

mod trip;

mod client;

mod config_files;

mod properties;

mod delay;

mod transactions;

mod ways;

mod frames;

mod golden;

mod conversations;

mod cli;

mod retry;

mod broadcast;

mod sharing;

mod tools;

mod reset;

mod begins;

mod run;

mod scenarios;

mod bad_scenarios;

mod readme;

mod refuted;

mod oracle;

mod storage;

mod inspect;

mod two_hands;

mod crash_states;

mod screens;

mod picture;
