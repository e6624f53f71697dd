//! Looking everywhere: what one seed shows by luck is shown here by going through all there is.
//!
//! [`crash`] goes through every state in which a power loss or a kill can leave a store's disk.

#![deny(clippy::float_arithmetic)]

pub mod crash;
