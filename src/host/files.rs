//! A folder of files, mapped for reading and never written: what `inspect` looks through.

#![expect(unsafe_code, reason = "memory-mapping a file is unsafe: another process may change it under the mapping")]

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use memmap2::Mmap;

/// What stood in the way of a folder, and where.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` cannot be {what}: {source}", path = path.display())]
pub struct FilesError {
    /// The folder or file.
    pub path: PathBuf,
    /// What was tried: `listed`, `opened`.
    pub what: &'static str,
    /// What the system says.
    pub source: io::Error,
}

/// A folder's files by their relative paths, mapped when first read.
///
/// Files that grow or come while it is open are not seen. A file that is cut while it is open must not be read behind its new
/// end: the system answers that with a signal, as it does to a broker.
#[derive(Debug, Default)]
pub struct MappedFolder {
    files: BTreeMap<String, MappedFile>,
}

#[derive(Debug)]
struct MappedFile {
    path: PathBuf,
    len: u64,
    /// `None` inside: the system has no mapping left, so the file is read piece by piece.
    map: OnceCell<Option<Mmap>>,
}

impl MappedFolder {
    /// Every file below `root` that can be read. Links are followed.
    ///
    /// Errors: the first folder that cannot be listed or file that cannot be opened.
    pub fn open(root: &Path) -> Result<MappedFolder, FilesError> {
        let mut folder = MappedFolder::default();
        folder.add("", root)?;
        Ok(folder)
    }

    /// Adds a file under a name, or every file below another folder under a prefix: `commitlog` may lie on a disk of its own.
    pub fn add(&mut self, name: &str, root: &Path) -> Result<(), FilesError> {
        let mut waiting = vec![(name.to_owned(), root.to_owned(), 0)];
        while let Some((name, path, depth)) = waiting.pop() {
            let metadata = fs::metadata(&path).map_err(fail(&path, "opened"))?;
            if metadata.is_file() {
                File::open(&path).map_err(fail(&path, "opened"))?;
                let file = MappedFile { len: metadata.len(), map: OnceCell::new(), path };
                self.files.insert(name, file);
                continue;
            }
            if DEPTH_MAX < depth || !metadata.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&path).map_err(fail(&path, "listed"))? {
                let below = entry.map_err(fail(&path, "listed"))?.path();
                let Some(last) = below.file_name().and_then(|last| last.to_str()) else { continue };
                let below_name = if name.is_empty() { last.to_owned() } else { format!("{name}/{last}") };
                waiting.push((below_name, below, depth + 1));
            }
        }
        Ok(())
    }

    /// Every file's path and length.
    pub fn list(&self) -> impl Iterator<Item = (&str, u64)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file.len))
    }

    /// Bytes of a file from a place on, at most so many: fewer at its end, none where there is no such file.
    pub fn read(&self, name: &str, at: u64, len: usize) -> Cow<'_, [u8]> {
        self.files.get(name).map_or(Cow::Borrowed(&[]), |file| file.read(at, len))
    }
}

impl MappedFile {
    fn read(&self, at: u64, len: usize) -> Cow<'_, [u8]> {
        let len = (len as u64).min(self.len.saturating_sub(at)) as usize;
        if len == 0 {
            return Cow::Borrowed(&[]);
        }
        match self.map.get_or_init(|| self.map()) {
            Some(map) => {
                let start = (at as usize).min(map.len());
                Cow::Borrowed(&map[start..map.len().min(start + len)])
            }
            None => Cow::Owned(self.copy(at, len).unwrap_or_default()),
        }
    }

    fn map(&self) -> Option<Mmap> {
        let file = File::open(&self.path).ok()?;
        // SAFETY: the mapping is private to reading, and no reference into it outlives this value. Another process may
        // write to the file meanwhile: bytes may change between two looks, and everything that reads them trusts none.
        unsafe { Mmap::map(&file) }.ok()
    }

    fn copy(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(len as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn fail(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> FilesError {
    move |source| FilesError { path: path.to_owned(), what, source }
}

/// No store nests its folders deeper; a link that leads back up ends here.
const DEPTH_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_their_relative_paths_and_never_behind_their_end() {
        let root = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("consumequeue/orders/0")).unwrap();
        fs::write(root.path().join("consumequeue/orders/0/00"), b"0123456789").unwrap();
        fs::write(root.path().join("abort"), b"").unwrap();
        fs::write(other.path().join("00"), b"log").unwrap();
        let mut folder = MappedFolder::open(root.path()).unwrap();
        folder.add("commitlog", other.path()).unwrap();
        let files: Vec<_> = folder.list().collect();
        assert_eq!(files, [("abort", 0), ("commitlog/00", 3), ("consumequeue/orders/0/00", 10)]);
        assert_eq!(&*folder.read("consumequeue/orders/0/00", 8, 100), b"89");
        assert_eq!(&*folder.read("consumequeue/orders/0/00", 11, 1), b"");
        assert_eq!(&*folder.read("commitlog/00", 0, 2), b"lo");
        assert_eq!(&*folder.read("abort", 0, 1), b"");
        assert_eq!(&*folder.read("none", 0, 1), b"");
        let unmapped = MappedFile { path: other.path().join("00"), len: 3, map: OnceCell::from(None) };
        assert_eq!(&*unmapped.read(1, 10), b"og");
        let missing = MappedFolder::open(&root.path().join("none")).unwrap_err();
        assert!(missing.to_string().contains("cannot be opened"), "{missing}");
    }
}
