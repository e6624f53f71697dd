//! The engine on both disks.

mod golden;

mod hardened;

mod machine;

mod survival;
