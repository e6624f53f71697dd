//! Names the sources that a build is made of: parts of a hunt that were run by different ones are not merged.

use std::path::{Path, PathBuf};

fn main() {
    let mut files = Vec::new();
    ["src", "scenarios"].iter().for_each(|folder| list(Path::new(folder), &mut files));
    files.sort();
    // FNV-1a: it must be the same with every compiler.
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file.to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(&file).unwrap_or_default();
        // Line ends are the checkout's, not the sources'.
        for byte in name.bytes().chain(bytes.into_iter().filter(|byte| *byte != b'\r')) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=scenarios");
    println!("cargo:rustc-env=MQLAB_SOURCES={sum:016x}");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => list(&path, files),
            false => files.push(path),
        }
    }
}
