//! The real machine: the only room with `unsafe` and `std::fs`.

pub mod files;

pub mod mmap;
