//! A simulated disk that refuses, fails or takes its time, as a test says.

use std::ops::Range;

use bytes::Bytes;
use mqlab::lab::sim::disk::SimDisk;
use mqlab::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};

use super::machine::sim_disk;

pub struct Sick {
    pub disk: SimDisk,
    /// What opening a file whose name begins like this answers.
    pub open: Option<(&'static str, DiskError)>,
    /// What a channel write answers; nothing is written.
    pub channel: Option<DiskError>,
    /// What a force answers; nothing is forced.
    pub force: Option<DiskError>,
    /// How full the disk claims to be.
    pub space: Option<Usage>,
    /// For how many ns each write holds its thread.
    pub slow: u64,
    stalled: u64,
}

impl Sick {
    pub fn healthy() -> Sick {
        Sick { disk: sim_disk(), open: None, channel: None, force: None, space: None, slow: 0, stalled: 0 }
    }
}

impl Disk for Sick {
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError> {
        match self.open {
            Some((prefix, error)) if name.starts_with(prefix) => Err(error),
            _ => self.disk.open(name, len),
        }
    }

    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        self.disk.bytes(file, range)
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        self.stalled += self.slow;
        self.disk.write(file, at, bytes);
    }

    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        match self.channel {
            Some(error) => Err(error),
            None => self.disk.write_through(file, at, bytes),
        }
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.disk.put(name, bytes)
    }

    fn get(&mut self, name: &str) -> Result<Bytes, DiskError> {
        self.disk.get(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.disk.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.disk.remove(name)
    }

    fn list(&mut self, prefix: &str) -> Vec<FileInfo> {
        self.disk.list(prefix)
    }

    fn lock(&mut self, name: &str) -> Result<(), DiskError> {
        self.disk.lock(name)
    }

    fn space(&mut self) -> Usage {
        self.space.unwrap_or_else(|| self.disk.space())
    }

    fn memory(&self) -> u64 {
        self.disk.memory()
    }

    fn stalled(&self) -> u64 {
        self.stalled
    }
}
