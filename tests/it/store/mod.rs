//! The engine on both disks.

mod golden;

pub mod machine;

mod survival;
