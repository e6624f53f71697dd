//! The real machine: the only room with `unsafe`, files, sockets, threads and a clock.
//!
//! [`tcp`] drives the system's nodes over real sockets as `lab::sim` drives them over simulated ones; [`serve`] is a
//! nameserver and brokers behind real ports, to be had in a test: [`serve::Server`]; [`client`] is a producer or consumer of a cluster, this one or
//! any other.

pub mod files;

pub mod mmap;

pub mod fault;

pub mod tcp;

pub mod client;

pub mod serve;

pub mod load;
