//! A window over one file: what a walk looks at, moved as it goes.

use std::borrow::Cow;

use crate::lab::oracle::Files;

/// A part of a file, read ahead.
///
/// It begins small and doubles while the walk goes on, so that a look at one record costs little and a gigabyte costs few
/// reads. Where the files lend their bytes nothing is copied.
pub struct Window<'a> {
    files: &'a dyn Files,
    path: &'a str,
    len: u64,
    from: u64,
    bytes: Cow<'a, [u8]>,
    ahead: usize,
    most: usize,
}

impl<'a> Window<'a> {
    /// A window over a file of that length that reads at most `most` bytes ahead.
    pub fn new(files: &'a dyn Files, path: &'a str, len: u64, most: usize) -> Window<'a> {
        let most = most.min(files.ahead());
        Window { files, path, len, from: 0, bytes: Cow::Borrowed(&[]), ahead: FIRST.min(most), most }
    }

    /// The file's length.
    pub fn file_len(&self) -> u64 {
        self.len
    }

    /// The file's path.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// So many bytes from a place on; fewer at the file's end.
    pub fn bytes(&mut self, at: u64, len: usize) -> &[u8] {
        let wanted = (len as u64).min(self.len.saturating_sub(at)) as usize;
        let covered = self.from <= at && at + wanted as u64 <= self.from + self.bytes.len() as u64;
        if !covered {
            let ahead = self.ahead.max(wanted).min((self.len - at.min(self.len)) as usize);
            self.bytes = self.files.read(self.path, at, ahead);
            self.from = at;
            self.ahead = (self.ahead * 2).min(self.most);
        }
        let start = (at - self.from) as usize;
        let start = start.min(self.bytes.len());
        &self.bytes[start..self.bytes.len().min(start + wanted)]
    }
}

/// What a fresh window reads.
const FIRST: usize = 4096;
/// What a walk over the log reads at once: a few of the longest records.
pub const LOG: usize = 8 << 20;
/// What a walk over a queue or an index reads at once. There may be many queues, each with a window.
pub const SMALL: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::oracle::folder::Folder;

    #[test]
    fn every_place_reads_as_in_the_file() {
        let bytes: Vec<u8> = (0..20_000u32).map(|number| number.to_be_bytes()[3] ^ number.to_be_bytes()[2]).collect();
        let folder = Folder([("f".to_owned(), bytes.clone())].into());
        let mut window = Window::new(&folder, "f", 20_000, SMALL);
        for (at, len) in [(0, 8), (4090, 20), (19_990, 20), (3, 5000), (20_000, 4), (30_000, 4), (0, 20_000), (7, 0)] {
            let end = bytes.len().min(at as usize + len);
            assert_eq!(window.bytes(at, len), &bytes[(at as usize).min(end)..end], "{at} {len}");
        }
    }
}
