//! What a disk holds, as pages that travel shared.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a page.
pub const PAGE: usize = 4096;

/// A page's content.
pub type Page = Arc<[u8; PAGE]>;

/// Every file of one disk at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DiskImage {
    /// By relative path.
    pub files: BTreeMap<String, FileImage>,
}

/// One file: its length, and the pages ever touched. A page that is absent reads as zeros.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileImage {
    /// Length in bytes.
    pub len: u64,
    /// By page number.
    pub pages: BTreeMap<u64, Page>,
}

impl DiskImage {
    /// The files in a folder, or below it, to which anything was ever written, in the order of their paths.
    pub fn written<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a FileImage)> {
        let is_in = move |path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let files = self.files.iter().filter(move |(path, file)| is_in(path) && !file.pages.is_empty());
        files.map(|(path, file)| (path.as_str(), file))
    }

    /// Whether two disks hold the same in these folders, byte for byte; a file that was made and never written to holds nothing.
    pub fn agrees(&self, other: &DiskImage, folders: &[&str]) -> bool {
        folders.iter().all(|folder| self.written(folder).eq(other.written(folder)))
    }
}

impl FileImage {
    /// The bytes of `range`, zero where never written; cut at the file's length.
    pub fn read(&self, range: std::ops::Range<u64>) -> Vec<u8> {
        let end = range.end.min(self.len);
        let mut out = Vec::with_capacity(end.saturating_sub(range.start) as usize);
        let mut at = range.start;
        while at < end {
            let page = at / PAGE as u64;
            let from = (at % PAGE as u64) as usize;
            let to = PAGE.min(from + (end - at) as usize);
            match self.pages.get(&page) {
                Some(bytes) => out.extend_from_slice(&bytes[from..to]),
                None => out.resize(out.len() + to - from, 0),
            }
            at += (to - from) as u64;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_agree_in_the_folders_that_are_asked_for() {
        let disk = |log: u8, config: u8| {
            let file = |byte| FileImage { len: 1, pages: [(0, Arc::new([byte; PAGE]))].into() };
            let files = [("commitlog/0", log), ("config/topics.json", config), ("abort", 1)];
            DiskImage { files: files.map(|(path, byte)| (path.to_owned(), file(byte))).into() }
        };
        assert!(disk(1, 1).agrees(&disk(1, 2), &["commitlog"]));
        assert!(!disk(1, 1).agrees(&disk(2, 1), &["commitlog"]));
        assert!(!disk(1, 1).agrees(&DiskImage::default(), &["commitlog"]));
        assert!(disk(1, 1).agrees(&disk(2, 2), &["index"]));
        let mut next = disk(1, 1);
        next.files.insert("commitlog/1".to_owned(), FileImage { len: 9, pages: BTreeMap::new() });
        assert!(next.agrees(&disk(1, 1), &["commitlog"]), "a file that waits holds nothing");
    }

    #[test]
    fn absent_pages_read_as_zeros_and_reads_stop_at_the_length() {
        let mut file = FileImage { len: 5000, pages: BTreeMap::new() };
        let mut page = [0; PAGE];
        page[0] = 7;
        file.pages.insert(1, Arc::new(page));
        assert_eq!(file.read(4095..4098), [0, 7, 0]);
        assert_eq!(file.read(4990..6000).len(), 10);
    }
}
