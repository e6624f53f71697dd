//! Folders of a server, and how many files it may have open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Resource, getrlimit, setrlimit};

/// A folder of its own below the system's folder for temporary files.
pub(super) fn scratch() -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mqlab-serve-{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Removes a temporary folder; what cannot be removed the system will.
pub(super) fn remove(scratch: Option<&Path>) {
    if let Some(path) = scratch {
        let _ = fs::remove_dir_all(path);
    }
}

/// Lets this process have as many files open as it may ask for: each connection is one. Where the system refuses, fewer
/// connections are taken.
pub(super) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
