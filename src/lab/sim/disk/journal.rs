//! The store journal: which bytes were stored where, in order, for the whole disk.
//!
//! It keeps ranges, not bytes: what a page looks like now stands in its cached image, and an earlier version is had by taking
//! stores back from the end. Bytes are kept only where a store covers something that was not zero. Appending, which is
//! nearly everything a log does, costs 16 bytes a store.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::mq::disk::FileId;

/// One store into one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) file: FileId,
    pub(super) page: u32,
    /// First byte in the page.
    pub(super) from: u16,
    pub(super) len: u16,
    /// Where the bytes that it covered lie in its chunk; [`ZEROS_BEFORE`] if they were zeros.
    old: u32,
}

/// The journal. Stores are numbered from 0 and never renumbered.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    /// The number of the oldest store that is still known.
    base: u64,
    /// Full chunks, shared with copies of the disk.
    full: VecDeque<Arc<Chunk>>,
    tail: Chunk,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    stores: Vec<Stored>,
    old: Vec<u8>,
}

const ZEROS_BEFORE: u32 = u32::MAX;
/// Stores of a chunk: a copy of the disk copies at most one chunk.
const CHUNK: usize = 1_024;
/// Full chunks kept. Of an older store it is known that it was, not where: versions before it cannot be had any more.
const CHUNKS_MAX: usize = 64;

impl Journal {
    /// One past the newest store's number.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.base + (self.full.len() * CHUNK + self.tail.stores.len()) as u64
    }

    /// The number of the oldest store that is still known.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Notes a store; `covered` are the bytes under it, `None` if they are known to be zeros.
    #[inline]
    pub(super) fn push(&mut self, file: FileId, page: u64, from: usize, len: usize, covered: Option<&[u8]>) {
        if self.tail.stores.len() == CHUNK {
            self.seal();
        }
        let old = match covered {
            None => ZEROS_BEFORE,
            Some(bytes) => {
                let at = self.tail.old.len() as u32;
                self.tail.old.extend_from_slice(bytes);
                at
            }
        };
        self.tail.stores.push(Stored { file, page: page as u32, from: from as u16, len: len as u16, old });
    }

    #[cold]
    fn seal(&mut self) {
        // The oldest chunk's memory is used again, if no copy of the disk shares it.
        let mut empty = None;
        if self.full.len() == CHUNKS_MAX {
            empty = self.full.pop_front().and_then(Arc::into_inner);
            self.base += CHUNK as u64;
        }
        let mut empty = empty.unwrap_or_else(|| Chunk { stores: Vec::with_capacity(CHUNK), old: Vec::new() });
        empty.stores.clear();
        empty.old.clear();
        self.full.push_back(Arc::new(std::mem::replace(&mut self.tail, empty)));
    }

    /// Forgets every store; numbers go on.
    pub(super) fn clear(&mut self) {
        self.base = self.end();
        self.full.clear();
        self.tail.stores.clear();
        self.tail.old.clear();
    }

    /// Every known store with its number, oldest first.
    pub(super) fn each(&self) -> impl Iterator<Item = (u64, &Stored)> {
        let chunks = self.full.iter().map(AsRef::as_ref).chain(std::iter::once(&self.tail));
        chunks.enumerate().flat_map(move |(number, chunk)| {
            let first = self.base + (number * CHUNK) as u64;
            chunk.stores.iter().enumerate().map(move |(at, store)| (first + at as u64, store))
        })
    }

    /// Takes one known store back from a page that has it and none after it.
    pub(super) fn take_back(&self, number: u64, page: &mut [u8]) {
        let at = (number - self.base) as usize;
        let chunk = self.full.get(at / CHUNK).map_or(&self.tail, AsRef::as_ref);
        let store = &chunk.stores[at % CHUNK];
        let (from, len) = (usize::from(store.from), usize::from(store.len));
        let range = &mut page[from..from + len];
        match store.old {
            ZEROS_BEFORE => range.fill(0),
            old => range.copy_from_slice(&chunk.old[old as usize..old as usize + len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_taken_back_in_any_chunk_and_the_oldest_are_forgotten() {
        let mut journal = Journal::default();
        let mut page = vec![0; 4_096];
        for number in 0..(CHUNK * (CHUNKS_MAX + 3)) as u64 {
            let at = (number % 512) as usize * 8;
            let before = page[at..at + 8].to_vec();
            journal.push(FileId(0), 0, at, 8, (number >= 512).then_some(&before));
            page[at..at + 8].copy_from_slice(&number.to_be_bytes());
        }
        let end = journal.end();
        assert_eq!(journal.base(), 2 * CHUNK as u64);
        assert_eq!(journal.each().next().unwrap().0, journal.base());
        assert_eq!(journal.each().last().unwrap().0, end - 1);
        for number in (journal.base()..end).rev() {
            journal.take_back(number, &mut page);
            let at = (number % 512) as usize * 8;
            assert_eq!(page[at..at + 8], (number - 512).to_be_bytes());
        }
        journal.clear();
        assert_eq!((journal.end(), journal.each().count()), (end, 0));
    }
}
