//! A scenario as written (a script), and the same with every number decided (a plan).

pub mod plan;
