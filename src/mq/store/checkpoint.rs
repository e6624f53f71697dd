//! The checkpoint: three store times from which recovery starts. Source: `StoreCheckpoint`.
//!
//! ```text
//!   0               8                16              24        4096
//!   ├ physicMsg ms  ┼ logicsMsg ms   ┼ indexMsg ms   ┼ zeros … ┤
//! ```

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
}

impl Checkpoint {
    /// Opens or creates the file and reads it.
    pub fn open(disk: &mut dyn Disk) -> Result<Checkpoint, DiskError> {
        let file = disk.open(FILE, LEN)?;
        let bytes = disk.bytes(file, 0..24);
        let time = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        Ok(Checkpoint { file, physic: time(0), logics: time(8), index: time(16) })
    }

    /// Copies the times into the mapping; the caller forces it.
    pub fn write(&self, disk: &mut dyn Disk) {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.physic.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.logics.to_be_bytes());
        bytes[16..].copy_from_slice(&self.index.to_be_bytes());
        disk.write(self.file, 0, &bytes);
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
const SLACK_MS: i64 = 3_000;
