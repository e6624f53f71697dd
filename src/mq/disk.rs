//! Contract 2, the disk: a mapped file is memory; only forcing it is I/O.
//!
//! RocketMQ appends by copying into a mapping and treats durability as a separate service. So reading and writing are
//! plain calls that cannot fail, and durability is not here at all: it is the effect [`Flush`](crate::mq::node::Effect::Flush),
//! answered by an event. The driver owns the disk and lends it for one step; the engine holds positions and [`FileId`]s.
//!
//! Names are relative paths with `/`, below the node's own root: `commitlog/00000000000000000000`, `config/topics.json`.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;

/// An open mapping of one disk, valid until the file is removed or the process dies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// What the world can refuse when a disk is asked for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DiskError {
    /// There is no file of that name.
    #[error("no such file")]
    NotFound,
    /// The device has no room left (`ENOSPC`).
    #[error("no space left on device")]
    Full,
    /// The device failed (`EIO`).
    #[error("input/output error")]
    Io,
    /// The file may not be opened (`EACCES`).
    #[error("permission denied")]
    Denied,
    /// The process may map no more (`ENOMEM`).
    #[error("cannot allocate memory")]
    NoMemory,
    /// Another process holds the lock.
    #[error("locked by another process")]
    Locked,
    /// The name is not a relative path, or the length is not the file's.
    #[error("invalid name or length")]
    Invalid,
}

/// One entry of [`Disk::list`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileInfo {
    /// Relative path.
    pub name: String,
    /// Length in bytes.
    pub len: u64,
    /// Last modification, in milliseconds since 1970 on this machine's wall clock.
    pub modified_ms: i64,
}

/// Used and total bytes of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Storage lent to a node for one step.
///
/// A byte written with [`write`](Disk::write) is visible at once and durable only after a flush has been answered.
/// Offsets and lengths are in bytes. Reaching outside a file is a bug and panics.
pub trait Disk {
    /// Creates or reopens a file of exactly `len` bytes, zero where never written.
    ///
    /// Errors: [`DiskError::Invalid`] if it exists with another length; `Full`, `Denied`, `Io` from the device.
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError>;

    /// The mapping: what this process sees in `range`, in one piece. Lent until the next call.
    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8];

    /// From where on the file holds nothing but zeros, if that is known without a look at them. A hint: what is looked for in
    /// a file of 1 GiB is not looked for in its holes.
    fn zeros_from(&self, _file: FileId) -> Option<u64> {
        None
    }

    /// Copies into the mapping: instantly visible, not durable.
    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]);

    /// The channel write of consume queues, slave logs and the transient pool: like [`write`](Disk::write), but may fail.
    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Replaces a small file whole; no fsync, as upstream.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError>;

    /// Reads a small file whole. Errors: [`DiskError::NotFound`].
    fn get(&mut self, name: &str) -> Result<Bytes, DiskError>;

    /// Moves a file, replacing the target. Errors: [`DiskError::NotFound`].
    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError>;

    /// Removes a file; an open mapping of it ends. Errors: [`DiskError::NotFound`].
    fn remove(&mut self, name: &str) -> Result<(), DiskError>;

    /// All files whose path begins with `prefix`, sorted by name.
    fn list(&mut self, prefix: &str) -> Vec<FileInfo>;

    /// Takes the lock file's exclusive lock for the life of this process. Errors: [`DiskError::Locked`].
    fn lock(&mut self, name: &str) -> Result<(), DiskError>;

    /// How full the device is: what the watermarks look at.
    fn space(&mut self) -> Usage;

    /// The machine's physical memory in bytes: what the 40 % rule looks at.
    fn memory(&self) -> u64;

    /// How long this step's accesses would have held their thread so far, in nanoseconds.
    fn stalled(&self) -> u64;
}

/// Replaces a small file as the release does: four calls, nothing forced; a crash between the third and the fourth leaves no
/// file, only its `.bak`.
///
/// Errors: the device's. Differs: upstream does not look at what deleting and renaming answered.
/// Source: `MixAll.string2File`.
pub fn replace(disk: &mut dyn Disk, file: &str, text: &str) -> Result<(), DiskError> {
    let tmp = format!("{file}.tmp");
    disk.put(&tmp, text.as_bytes())?;
    match disk.get(file) {
        Ok(old) => {
            disk.put(&format!("{file}.bak"), &old)?;
            disk.remove(file)?;
        }
        Err(DiskError::NotFound) => {}
        Err(error) => return Err(error),
    }
    disk.rename(&tmp, file)
}

/// The token with which a step is cut short: only the driver that lent the step catches it.
///
/// A fuse burns at a disk operation or an effect ([`burn`]); what was written before it has happened, nothing after it has.
pub struct Burnt(());

impl fmt::Debug for Burnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fuse burnt: the process dies here")
    }
}

/// Ends the step here by unwinding with [`Burnt`], silently: the panic hook does not run.
pub fn burn() -> ! {
    std::panic::resume_unwind(Box::new(Burnt(())))
}
