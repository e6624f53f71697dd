//! The second driver: the same nodes behind real ports, over loopback.

mod client;

mod binary;
mod clients;
mod conversation;
mod faults;
mod hostile;
mod library;
mod same;
