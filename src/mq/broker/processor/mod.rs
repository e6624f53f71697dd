//! One file a family of requests; each: decode, check, do, answer.

pub mod send;

pub mod pull;

mod manage;
