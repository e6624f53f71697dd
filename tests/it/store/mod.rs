//! The engine on both disks.

mod golden;

mod hardened;

pub mod machine;

mod refusals;

mod services;

mod sick;

mod survival;
