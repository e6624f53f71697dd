//! The front door: parse, run, print the error chain, exit code.

use std::io::Write;
use std::process::ExitCode;

/// Nodes hand many small things around, and this allocator takes and gives them faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in `mimalloc.h`, which the binding does not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// What one run frees the next one takes: pages that are given back ten milliseconds later, as is the default, are zeroed by the
/// kernel again and again, a tenth to a fifth of a hunt's time. `MIMALLOC_PURGE_DELAY` says otherwise.
#[expect(unsafe_code, reason = "a setting of the allocator is a call into C")]
fn keep_pages() {
    // SAFETY: sets a number behind a lock of its own; nothing was allocated through a setting that this changes.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, -1) };
}

fn main() -> ExitCode {
    keep_pages();
    match std::panic::catch_unwind(mqlab::lab::cli::run) {
        Ok(Ok(code)) => code,
        Err(_) => {
            let help = "please report it, with the command and what stands above";
            let _ = writeln!(std::io::stderr(), "mqlab: this is a fault of mqlab itself\n  help: {help}");
            ExitCode::from(70)
        }
        Ok(Err(error)) => {
            // Who cannot be told that either still gets the exit code.
            let _ = writeln!(std::io::stderr(), "mqlab: {error:#}");
            ExitCode::from(70)
        }
    }
}
