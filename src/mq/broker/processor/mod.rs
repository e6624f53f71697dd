//! One file a family of requests; each: decode, check, do, answer.

pub mod admit;

pub mod send;

pub mod back;

mod batch;

pub mod pull;

mod inquiry;

mod manage;

mod query;

pub mod relay;

mod offset_moved;

mod reset;

mod runtime;

mod settings;

mod status;
