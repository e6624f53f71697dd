//! The engine on both disks.

mod golden;

mod machine;

mod survival;
