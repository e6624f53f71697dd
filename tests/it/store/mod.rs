//! The engine on both disks.

mod damage;

mod golden;

mod hardened;

mod machine;

mod reading;

mod survival;
