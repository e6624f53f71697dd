//! A machine's storage: a simulated disk, or none at all for nodes that keep nothing.

use std::ops::Range;

use bytes::Bytes;

use crate::lab::fault::episode::Keep;
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};
use crate::mq::message::Name;
use crate::mq::time::Millis;

/// What a machine has for a disk.
#[derive(Clone)]
pub(crate) enum Storage {
    /// Nothing: for toys.
    None(NoDisk),
}

impl Storage {
    /// The disk as a node sees it.
    #[inline]
    pub(crate) fn lend(&mut self) -> &mut dyn Disk {
        match self {
            Storage::None(disk) => disk,
        }
    }

    /// Tells the disk what time it is, for its files' modification times.
    pub(crate) fn set_clock(&mut self, _wall: Millis) {}

    /// Begins a flush of what the range holds now.
    pub(crate) fn begin_flush(&mut self, _ticket: u64, _file: FileId, _range: Range<u64>) {}

    /// Completes a flush.
    pub(crate) fn complete_flush(&mut self, _ticket: u64) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    /// The name of an open file.
    pub(crate) fn name_of(&self, _file: FileId) -> Name {
        Name::new("")
    }

    /// Its process died.
    pub(crate) fn kill(&mut self) {}

    /// Its machine lost power; gives pages lost, kept and torn.
    pub(crate) fn power_loss(&mut self, _keep: Keep, _draw: &mut dyn FnMut(u64) -> u64) -> (u64, u64, u64) {
        (0, 0, 0)
    }
}

/// A disk that is not there: every file is missing and none can be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDisk;

impl Disk for NoDisk {
    fn open(&mut self, _name: &str, _len: u64) -> Result<FileId, DiskError> {
        Err(DiskError::Denied)
    }

    fn bytes(&mut self, _file: FileId, _range: Range<u64>) -> &[u8] {
        &[]
    }

    fn write(&mut self, _file: FileId, _at: u64, _bytes: &[u8]) {}

    fn write_through(&mut self, _file: FileId, _at: u64, _bytes: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn put(&mut self, _name: &str, _bytes: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::Denied)
    }

    fn get(&mut self, _name: &str) -> Result<Bytes, DiskError> {
        Err(DiskError::NotFound)
    }

    fn rename(&mut self, _from: &str, _to: &str) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn remove(&mut self, _name: &str) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn list(&mut self, _prefix: &str) -> Vec<FileInfo> {
        Vec::new()
    }

    fn lock(&mut self, _name: &str) -> Result<(), DiskError> {
        Err(DiskError::Denied)
    }

    fn space(&mut self) -> Usage {
        Usage { used: 0, total: 0 }
    }

    fn memory(&mut self) -> Usage {
        Usage { used: 0, total: 0 }
    }

    fn stalled(&self) -> u64 {
        0
    }
}
