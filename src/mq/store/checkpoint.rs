//! The checkpoint: three store times from which recovery starts. Source: `StoreCheckpoint`.
//!
//! ```text
//!   0               8                16              24             32        4096
//!   ├ physicMsg ms  ┼ logicsMsg ms   ┼ indexMsg ms   ┼ forced up to ┼ zeros … ┤
//! ```
//!
//! The fourth number is the log offset up to which everything has been forced: zero in the release, which has no such
//! number, and written by the repair of K09 alone, which must not depend on a wall clock.

use bytes::Bytes;

use crate::mq::disk::{Disk, DiskError, FileId};

/// The file's name.
pub const FILE: &str = "checkpoint";
/// Its length. Source: `MappedFile.OS_PAGE_SIZE`.
pub const LEN: u64 = 4096;

/// The three times; in memory until [`Checkpoint::write`].
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The mapping.
    pub file: FileId,
    /// Store time of the newest record known durable, ms.
    pub physic: i64,
    /// Store time of the newest queue unit, ms.
    pub logics: i64,
    /// Store time of the newest full index file, ms.
    pub index: i64,
    /// Log offset up to which everything has been forced (K09).
    pub log_forced: i64,
    /// The three times as they stand in the mapping.
    written: [i64; 3],
    /// Store time up to which the queues' units have been forced, ms: what `logics` should be (K05).
    pub forced_logics: i64,
}

impl Checkpoint {
    /// Opens or creates the file and reads it. One that is too short, even empty, is filled up with zeros.
    pub fn open(disk: &mut dyn Disk) -> Result<Checkpoint, DiskError> {
        let short = match disk.list(FILE).iter().any(|info| info.name == FILE && info.len < LEN) {
            true => {
                let bytes = disk.get(FILE)?;
                disk.remove(FILE)?;
                bytes
            }
            false => Bytes::new(),
        };
        let file = disk.open(FILE, LEN)?;
        if !short.is_empty() {
            disk.write(file, 0, &short);
        }
        let bytes = disk.bytes(file, 0..32);
        let time = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Ok(Checkpoint {
            file,
            physic: time(0),
            logics: time(8),
            index: time(16),
            log_forced: time(24),
            written: [time(0), time(8), time(16)],
            forced_logics: time(8),
        })
    }

    /// Copies the times into the mapping; the caller forces it.
    ///
    /// Faithful: the second is as far as dispatch has come (K05); `only_forced` keeps it to what has been forced.
    pub fn write(&mut self, disk: &mut dyn Disk, only_forced: bool) {
        let logics = if only_forced { self.forced_logics } else { self.logics };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.physic.to_be_bytes());
        bytes[8..16].copy_from_slice(&logics.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.index.to_be_bytes());
        bytes[24..].copy_from_slice(&self.log_forced.to_be_bytes());
        disk.write(self.file, 0, &bytes);
        self.written = [self.physic, logics, self.index];
    }

    /// Whether the mapping does not say what memory says.
    pub fn is_dirty(&self) -> bool {
        self.written != [self.physic, self.logics, self.index]
    }

    /// The time before which everything is known to be in place. Source: `StoreCheckpoint.getMinTimestamp`.
    pub fn min(&self) -> i64 {
        self.physic.min(self.logics).saturating_sub(SLACK_MS).max(0)
    }

    /// The same with the index. Source: `StoreCheckpoint.getMinTimestampIndex`.
    pub fn min_index(&self) -> i64 {
        self.min().min(self.index)
    }
}

/// Source: `StoreCheckpoint.getMinTimestamp`: three seconds are taken off.
pub(super) const SLACK_MS: i64 = 3_000;
