//! The simulated machine.

pub mod disk;
