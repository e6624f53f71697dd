//! The hunt: many seeds, each a scenario of its own, judged by every checker.

pub mod debt;

pub mod governor;

pub mod trial;
