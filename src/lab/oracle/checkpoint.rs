//! The checkpoint: three times, each big-endian in eight bytes, in a file of one page.

use crate::lab::oracle::{Files, i64_at};

/// The store times up to which log, queues and index are said to be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// The log's, ms.
    pub physic: i64,
    /// The queues', ms.
    pub logics: i64,
    /// The index's: the last time of the newest file that is full, ms.
    pub index: i64,
}

impl Checkpoint {
    /// Reads it; a missing file is zeros.
    pub fn read(files: &dyn Files) -> Checkpoint {
        let bytes = files.read(NAME, 0, 24);
        Checkpoint { physic: i64_at(&bytes, 0), logics: i64_at(&bytes, 8), index: i64_at(&bytes, 16) }
    }

    /// The time that a recovery after a crash goes back to.
    pub fn recovery_time(&self) -> i64 {
        (self.physic.min(self.logics).saturating_sub(MARGIN)).max(0)
    }
}

/// Its name.
pub const NAME: &str = "checkpoint";
/// Recovery goes back by so much more, ms.
const MARGIN: i64 = 3_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;

    #[test]
    fn times_are_read_and_a_missing_file_is_zeros() {
        assert_eq!(Checkpoint::read(&Folder::default()), Checkpoint::default());
        let mut bytes = [5_000i64, 9_000, 1].map(i64::to_be_bytes).concat();
        bytes.resize(4096, 0);
        let read = Checkpoint::read(&Folder([(NAME.to_owned(), bytes)].into()));
        assert_eq!((read, read.recovery_time()), (Checkpoint { physic: 5_000, logics: 9_000, index: 1 }, 2_000));
        let early = Checkpoint { physic: i64::MIN, logics: 4, index: 0 };
        assert_eq!(early.recovery_time(), 0);
    }
}
