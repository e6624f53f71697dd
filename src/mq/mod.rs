//! The system: RocketMQ 4.3.2 as state machines.
//!
//! Nothing below names `host`, `lab`, sockets, files, threads or a clock. Two contracts are all it knows of a machine:
//! [`node`] (events in, effects out) and [`disk`] (a mapping that is memory until it is forced).
//!
//! The rooms stand in the order of a message's trip: the letter, the road, the two ends, the map, the post office, the ledger.

#![deny(clippy::float_arithmetic, clippy::unwrap_used)]

pub mod time;

pub mod mistake;

pub mod profile;

pub mod disk;

pub mod app;

pub mod fact;

pub mod node;

pub mod pool;

pub mod message;

pub mod fastjson;

pub mod wire;

pub mod filter;

pub mod channel;

pub mod client;

pub mod namesrv;

pub mod broker;

pub mod store;
