//! The engine on both disks.

mod golden;

mod hardened;

mod machine;

mod refusals;

mod services;

mod sick;

mod survival;
