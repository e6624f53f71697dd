//! A machine's disk as its process sees it: memory-mapped files, and what faults make of them.

use std::ops::Range;

use bytes::Bytes;

use crate::host::mmap::MmapDisk;
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};

/// Mapped files that can be full.
#[derive(Debug)]
pub(super) struct ServedDisk {
    pub(super) files: MmapDisk,
    pub(super) is_full: bool,
}

impl ServedDisk {
    fn room(&self) -> Result<(), DiskError> {
        if self.is_full { Err(DiskError::Full) } else { Ok(()) }
    }
}

impl Disk for ServedDisk {
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError> {
        // What is there can be opened on a full disk; what would be made cannot.
        if self.is_full && !self.files.list(name).iter().any(|info| info.name == name) {
            return Err(DiskError::Full);
        }
        self.files.open(name, len)
    }

    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        self.files.bytes(file, range)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        self.files.write(file, at, bytes);
    }

    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.room()?;
        self.files.write_through(file, at, bytes)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.room()?;
        self.files.put(name, bytes)
    }

    fn get(&mut self, name: &str) -> Result<Bytes, DiskError> {
        self.files.get(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.files.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.files.remove(name)
    }

    fn list(&mut self, prefix: &str) -> Vec<FileInfo> {
        self.files.list(prefix)
    }

    fn lock(&mut self, name: &str) -> Result<(), DiskError> {
        self.files.lock(name)
    }

    fn space(&mut self) -> Usage {
        let Usage { used, total } = self.files.space();
        if self.is_full { Usage { used: total, total } } else { Usage { used, total } }
    }

    fn memory(&self) -> u64 {
        self.files.memory()
    }

    fn stalled(&self) -> u64 {
        0
    }
}
