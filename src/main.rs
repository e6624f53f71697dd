//! The front door: parse, run, print the error chain, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match mqlab::lab::cli::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mqlab: {error:#}");
            ExitCode::from(70)
        }
    }
}
