//! One file a family of requests; each: decode, check, do, answer.

pub mod send;

mod batch;

pub mod pull;

mod manage;
