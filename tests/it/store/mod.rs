//! The engine on both disks.

mod damage;

mod failures;

mod golden;

mod hardened;

pub mod machine;

mod refusals;

mod schedule;

mod services;

mod sick;

mod reading;

mod survival;
