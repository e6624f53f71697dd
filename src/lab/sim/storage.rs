//! What a machine has for a disk, as the driver sees it: lent to the process for a step, hurt by faults, read by the trace.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::fault::device::{Files, Wrong};
use crate::lab::fault::episode::Keep;
use crate::lab::sim::dice::{Roll, Stream};
use crate::lab::trace::image::DiskImage;
use crate::lab::trace::record::Level;
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};
use crate::mq::message::Name;
use crate::mq::time::{Millis, Span, Time};

/// A machine's disk under the driver.
pub trait MachineDisk: Disk + Send {
    /// A copy of the whole disk; pages may be shared.
    fn fork(&self) -> Box<dyn MachineDisk>;

    /// The wall clock of this machine, for modification times, and true time, for what its kernel does by itself.
    fn set_clock(&mut self, wall: Millis, now: Time);

    /// Lets the process die at the operation after `left` more; `None` takes the fuse out.
    fn set_fuse(&mut self, left: Option<u64>);

    /// How much the journal keeps.
    fn set_recording(&mut self, level: Level);

    /// Begins a flush of what the range holds now.
    fn begin_flush(&mut self, ticket: u64, file: FileId, range: Range<u64>);

    /// Completes a flush.
    fn complete_flush(&mut self, ticket: u64) -> Result<(), DiskError>;

    /// The name of an open file.
    fn name_of(&self, file: FileId) -> Name;

    /// The process died: mappings, locks and flushes under way end, the cached image stays.
    fn kill(&mut self);

    /// The machine lost power: what was not flushed is at the mercy of `keep`. Gives pages lost, kept and torn.
    fn power_loss(&mut self, keep: Keep, draw: &mut dyn FnMut(u64) -> u64) -> [u64; 3];

    /// What a process on this machine would read now.
    fn cached_image(&self) -> Arc<DiskImage>;

    /// What would be left without power.
    fn stable_image(&self) -> Arc<DiskImage>;

    /// A disk fault begins.
    fn begin_fault(&mut self, _onset: Onset) {}

    /// A disk fault ends.
    fn end_fault(&mut self, _number: u32) {}

    /// How long a flush under way takes that would take `drawn`.
    fn sync_span(&mut self, _ticket: u64, drawn: Span) -> Span {
        drawn
    }

    /// Until when a flush under way does not come back, if the device hangs.
    fn hung_until(&self, _ticket: u64) -> Option<Time> {
        None
    }

    /// Moves what was done to the disk since the last call into `into`, in order.
    fn take_events(&mut self, into: &mut Vec<DiskDeed>);
}

/// What was done to a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DiskDeed {
    /// Bytes were stored into a mapping, or a small file was replaced.
    Stored {
        /// The file.
        file: Name,
        /// The file's word in the digest.
        word: u64,
        /// From where.
        at: u64,
        /// How many bytes.
        len: u64,
        /// What; empty below level `full`.
        bytes: Bytes,
        /// The bytes' word in the digest, the same at every level.
        hash: u64,
    },
    /// A file was created, renamed or removed.
    Named {
        /// `create`, `rename`, `remove`.
        what: &'static str,
        /// The file.
        file: Name,
        /// The new name of a rename.
        to: Option<Name>,
        /// The length of a created file.
        len: u64,
    },
    /// A fault struck.
    Wrong {
        /// What it did, in the words of `lab::locale`.
        what: &'static str,
        /// The file.
        file: Name,
        /// Where.
        at: u64,
    },
    /// A fault drew from its stream.
    Rolled {
        /// The fault.
        fault: Name,
        /// The draw.
        roll: Roll,
    },
}

/// A disk fault that begins.
#[derive(Clone, Debug)]
pub struct Onset {
    /// Its episode's number.
    pub number: u32,
    /// Its episode's name.
    pub name: Name,
    /// Which files.
    pub files: Files,
    /// What goes wrong.
    pub wrong: Wrong,
    /// When it ends, if that is known.
    pub until: Option<Time>,
    /// What it draws from.
    pub stream: Stream,
}

/// A disk that is not there, for nodes that keep nothing: every file is missing and none can be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDisk;

impl Disk for NoDisk {
    fn open(&mut self, _name: &str, _len: u64) -> Result<FileId, DiskError> {
        Err(DiskError::Denied)
    }

    fn bytes(&mut self, file: FileId, _range: Range<u64>) -> &[u8] {
        panic!("file {} was never opened: there is no disk", file.0)
    }

    fn write(&mut self, file: FileId, _at: u64, _bytes: &[u8]) {
        panic!("file {} was never opened: there is no disk", file.0)
    }

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

    fn memory(&self) -> u64 {
        0
    }

    fn stalled(&self) -> u64 {
        0
    }
}

impl MachineDisk for NoDisk {
    fn fork(&self) -> Box<dyn MachineDisk> {
        Box::new(NoDisk)
    }

    fn set_clock(&mut self, _wall: Millis, _now: Time) {}

    fn set_fuse(&mut self, _left: Option<u64>) {}

    fn set_recording(&mut self, _level: Level) {}

    fn begin_flush(&mut self, _ticket: u64, _file: FileId, _range: Range<u64>) {}

    fn complete_flush(&mut self, _ticket: u64) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }

    fn name_of(&self, _file: FileId) -> Name {
        Name::new("")
    }

    fn kill(&mut self) {}

    fn power_loss(&mut self, _keep: Keep, _draw: &mut dyn FnMut(u64) -> u64) -> [u64; 3] {
        [0; 3]
    }

    fn cached_image(&self) -> Arc<DiskImage> {
        Arc::default()
    }

    fn stable_image(&self) -> Arc<DiskImage> {
        Arc::default()
    }

    fn take_events(&mut self, _into: &mut Vec<DiskDeed>) {}
}
