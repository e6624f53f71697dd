//! The course: lessons, the learner's own copy of a scenario, how it is graded, how far somebody has come, and whether the
//! course itself is in order.
//!
//! A lesson is a scenario of the library. Its exercise is passed when what it names comes out in every one of its seeds, with
//! nothing changed but what may be changed. Nothing here reads a clock or the environment: files are named by who calls.

pub mod copy;

pub mod course;

pub mod grade;

pub mod lessons;

pub mod progress;

pub mod store;

pub mod trial;
