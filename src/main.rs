//! The front door: parse, run, print the error chain, exit code.

use std::io::Write;
use std::process::ExitCode;

/// Nodes hand many small things around, and this allocator takes and gives them faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match mqlab::lab::cli::run() {
        Ok(code) => code,
        Err(error) => {
            // Who cannot be told that either still gets the exit code.
            let _ = writeln!(std::io::stderr(), "mqlab: {error:#}");
            ExitCode::from(70)
        }
    }
}
