//! A deterministic laboratory for Apache RocketMQ 4.3.2.
//!
//! There is one system and there are two machines. Read the wings in this order:
//!
//! - [`mq`] is RocketMQ written as state machines: events go in, effects come out. It does not know whether it is simulated.
//! - [`host`] is the real machine: memory-mapped files, sockets, clocks, and nothing that the system could tell apart from a
//!   simulation.
//! - [`lab`] is the simulated machine and everything that watches it: time, links, disks, faults, traces, verdicts, pictures.

pub mod mq;

pub mod host;

pub mod lab;
