//! The road: what nodes say to each other, as typed commands and as bytes.

pub mod command;

pub mod code;

pub mod header;

pub mod body;

pub mod codec;
