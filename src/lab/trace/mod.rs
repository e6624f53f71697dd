//! What happened: one model for everything downstream.

pub mod image;

pub mod record;

pub mod wire;

pub mod log;

pub mod digest;

pub mod file;

pub mod fold;

pub mod compare;
