//! The front door: parse, run, print the error chain, exit code.

use std::io::Write;
use std::process::ExitCode;

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
