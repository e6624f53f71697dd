//! The engine on both disks.

mod golden;

mod hardened;

pub mod machine;

mod schedule;

mod survival;
