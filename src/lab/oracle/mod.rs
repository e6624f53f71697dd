//! What is really there: a second reading of a store's files, from the published format alone.
//!
//! Nothing of the system is named here, so that what judges the engine shares no line with it; golden bytes of the Java
//! release hold both readings to one format. Nothing is believed either: lengths, counts and places may say anything, and a
//! file of a gigabyte is walked through a window, never held.
//!
//! | file | what it holds | read by |
//! |---|---|---|
//! | `commitlog/<20 digits>` | every message of the broker, one after another | [`log::Walk`], [`record::Record`] |
//! | `consumequeue/<topic>/<queue>/<20 digits>` | twenty bytes a message: where it lies | [`queue::Queue`] |
//! | `consumequeue_ext/<topic>/<queue>/<20 digits>` | what does not fit into the twenty bytes | [`extension::Extension`] |
//! | `index/<17 digits>` | from the hash of a key to the log | [`index::IndexFile`] |
//! | `checkpoint` | three times from which recovery starts | [`checkpoint::Checkpoint`] |
//! | `config/*.json` | topics, groups, offsets, filters | [`config::Config`], [`json::Json`] |
//!
//! Beside the files, [`condition::Condition`] reads what consumers filter by, and [`answer`] what senders are told.

use std::borrow::Cow;
use std::ops::Range;

pub mod layout;

pub mod window;

pub mod record;

pub mod properties;

pub mod log;

pub mod queue;

pub mod extension;

pub mod index;

pub mod checkpoint;

pub mod json;

pub mod config;

pub mod condition;

pub mod answer;

pub mod frame;
pub mod local_offsets;

pub mod store;

/// Files as bytes: a folder of mapped files, or an image in memory.
pub trait Files {
    /// Every file's path, relative to the store and with `/`, and its length.
    fn list(&self) -> Vec<(String, u64)>;

    /// Bytes of a file from a place on, at most so many: fewer at its end, none behind it or where there is no such file.
    /// Borrowed where they lie in one piece.
    fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]>;

    /// How much of a file is read ahead at most: where a read is a copy and no call, little is lost by reading again.
    fn ahead(&self) -> usize {
        usize::MAX
    }

    /// The parts of a range, in order, outside which every byte of it is zero. Who does not know says: all of it.
    fn written(&self, _path: &str, range: Range<u64>) -> Vec<Range<u64>> {
        vec![range]
    }
}

/// The big-endian number at a place; 0 where the bytes end before it.
pub(crate) fn i16_at(bytes: &[u8], at: usize) -> i16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| i16::from_be_bytes(*word))
}

/// The big-endian number at a place; 0 where the bytes end before it.
pub(crate) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| i32::from_be_bytes(*word))
}

/// The big-endian number at a place; 0 where the bytes end before it.
pub(crate) fn i64_at(bytes: &[u8], at: usize) -> i64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| i64::from_be_bytes(*word))
}

/// Whether nothing but zeros is there.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}

const ZEROS: [u8; 4096] = [0; 4096];

#[cfg(test)]
pub(crate) mod folder {
    use super::*;
    use std::collections::BTreeMap;

    /// Files in memory, for tests.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Folder(pub(crate) BTreeMap<String, Vec<u8>>);

    impl Files for Folder {
        fn list(&self) -> Vec<(String, u64)> {
            self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect()
        }

        fn read(&self, path: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
            let Some(bytes) = self.0.get(path) else { return Cow::Borrowed(&[]) };
            let at = bytes.len().min(at as usize);
            Cow::Borrowed(&bytes[at..bytes.len().min(at.saturating_add(len))])
        }
    }
}
