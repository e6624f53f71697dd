//! One file a family of requests; each: decode, check, do, answer.

pub mod admit;

pub mod send;

pub mod back;

mod batch;

pub mod pull;

mod manage;

mod query;

mod reset;

mod status;
