//! Scenario files: a plan or diagnostics with a place, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqlab::lab::scenario::overrides::Overrides;

fuzz_target!(|bytes: &[u8]| {
    let _ = mqlab::lab::scenario::load("fuzzed.toml", bytes, &Overrides::default());
});
