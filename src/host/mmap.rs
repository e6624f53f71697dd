//! `MmapDisk`: the disk contract over memory-mapped files in a folder.
//!
//! The mapping outlives the process in the page cache, as RocketMQ's own; [`MmapDisk::flush`] is `msync`, and a [`Forcing`]
//! is one that another thread may do while this one goes on writing.

#![expect(unsafe_code, reason = "memory-mapping a file is unsafe: another process may change it under the mapping")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use std::{ptr, slice};

use bytes::Bytes;
use memmap2::MmapRaw;

use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};

/// A folder of real files.
///
/// A lock file keeps a second process out for as long as this value lives.
#[derive(Debug)]
pub struct MmapDisk {
    root: PathBuf,
    files: Vec<Option<Mapped>>,
    names: BTreeMap<String, FileId>,
    locks: Vec<File>,
}

#[derive(Debug)]
struct Mapped {
    name: String,
    /// Shared with whoever forces a range of it, and with nobody else.
    map: Arc<MmapRaw>,
}

/// A range that is to be forced to the device, by whatever thread.
#[derive(Debug)]
pub struct Forcing {
    map: Arc<MmapRaw>,
    range: Range<u64>,
}

impl Forcing {
    /// Forces it (`msync`). Errors: the device's.
    pub fn run(&self) -> Result<(), DiskError> {
        let Range { start, end } = self.range;
        self.map.flush_range(start as usize, (end - start) as usize).map_err(|error| kind(&error))
    }
}

impl MmapDisk {
    /// The disk below `root`, which is created if it is not there.
    ///
    /// Errors: the system's, when the folder cannot be made.
    pub fn new(root: impl Into<PathBuf>) -> io::Result<MmapDisk> {
        let root = root.into();
        fs::create_dir_all(&root)?;
        Ok(MmapDisk { root, files: Vec::new(), names: BTreeMap::new(), locks: Vec::new() })
    }

    /// A disk in a folder of its own below the system's folder for temporary files; [`MmapDisk::destroy`] removes it.
    pub fn scratch(name: &str) -> io::Result<MmapDisk> {
        MmapDisk::new(std::env::temp_dir().join(format!("{name}-{}", std::process::id())))
    }

    /// Removes the folder and everything in it.
    pub fn destroy(self) -> io::Result<()> {
        let root = self.root.clone();
        drop(self);
        fs::remove_dir_all(root)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Forces `range` of a file to the device (`msync`). Errors: the device's.
    pub fn flush(&mut self, file: FileId, range: Range<u64>) -> Result<(), DiskError> {
        self.forcing(file, range)?.run()
    }

    /// The same, to be done by somebody else; the file may be removed meanwhile. Errors: there is no such file or range.
    pub fn forcing(&self, file: FileId, range: Range<u64>) -> Result<Forcing, DiskError> {
        let Some(mapped) = self.files.get(file.0 as usize).and_then(Option::as_ref) else {
            return Err(DiskError::NotFound);
        };
        if range.end > mapped.map.len() as u64 || range.start > range.end {
            return Err(DiskError::Invalid);
        }
        Ok(Forcing { map: Arc::clone(&mapped.map), range })
    }

    /// The name of an open file.
    pub fn name_of(&self, file: FileId) -> Option<&str> {
        Some(&self.files.get(file.0 as usize)?.as_ref()?.name)
    }

    fn path(&self, name: &str) -> Result<PathBuf, DiskError> {
        let inside =
            !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | "..")) && !name.contains('\0');
        if inside { Ok(self.root.join(name)) } else { Err(DiskError::Invalid) }
    }

    fn map(&mut self, name: &str, len: u64) -> Result<MmapRaw, DiskError> {
        let path = self.path(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| kind(&error))?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|error| kind(&error))?;
        let found = file.metadata().map_err(|error| kind(&error))?.len();
        if found == 0 {
            file.set_len(len).map_err(|error| kind(&error))?;
        } else if found != len {
            return Err(DiskError::Invalid);
        }
        MmapRaw::map_raw(&file).map_err(|error| kind(&error))
    }

    fn mapped(&self, file: FileId) -> &MmapRaw {
        &self.files[file.0 as usize].as_ref().expect("an open file").map
    }

    fn forget(&mut self, name: &str) {
        if let Some(id) = self.names.remove(name) {
            self.files[id.0 as usize] = None;
        }
    }
}

impl Disk for MmapDisk {
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError> {
        if let Some(id) = self.names.get(name) {
            return if self.mapped(*id).len() as u64 == len { Ok(*id) } else { Err(DiskError::Invalid) };
        }
        if len == 0 {
            return Err(DiskError::Invalid);
        }
        let map = self.map(name, len)?;
        let id = FileId(self.files.len() as u32);
        self.files.push(Some(Mapped { name: name.to_owned(), map: Arc::new(map) }));
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }

    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        let map = self.mapped(file);
        assert!(range.start <= range.end, "a range ends behind its start");
        assert!(range.end <= map.len() as u64, "read behind the end of a file: {range:?}");
        // SAFETY: the range lies in the mapping, which lives as long as `self`. What writes to it through this process takes
        // `&mut self`, and who forces it reads no byte of it; the lock file keeps other processes of ours out, and nobody
        // else is expected to write below `root`.
        unsafe { slice::from_raw_parts(map.as_ptr().add(range.start as usize), (range.end - range.start) as usize) }
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        let mapped = self.files[file.0 as usize].as_mut().expect("an open file");
        let end = at as usize + bytes.len();
        assert!(end <= mapped.map.len(), "write behind the end of `{}`: {at}..{end}", mapped.name);
        // SAFETY: the range lies in the mapping; no reference into it is alive, since lending one borrows `self`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), mapped.map.as_mut_ptr().add(at as usize), bytes.len()) };
    }

    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.write(file, at, bytes);
        Ok(())
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        if self.names.contains_key(name) {
            return Err(DiskError::Invalid);
        }
        let path = self.path(name)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| kind(&error))?;
        }
        fs::write(path, bytes).map_err(|error| kind(&error))
    }

    fn get(&mut self, name: &str) -> Result<Bytes, DiskError> {
        let path = self.path(name)?;
        fs::read(path).map(Bytes::from).map_err(|error| kind(&error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        let (source, target) = (self.path(from)?, self.path(to)?);
        fs::rename(source, target).map_err(|error| kind(&error))?;
        self.forget(to);
        if let Some(id) = self.names.remove(from) {
            self.names.insert(to.to_owned(), id);
            let mapped = self.files[id.0 as usize].as_mut().expect("a name leads to a file");
            mapped.name = to.to_owned();
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        let path = self.path(name)?;
        fs::remove_file(path).map_err(|error| kind(&error))?;
        self.forget(name);
        Ok(())
    }

    fn list(&mut self, prefix: &str) -> Vec<FileInfo> {
        let (mut infos, mut folders) = (Vec::new(), vec![self.root.clone()]);
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(path);
                    continue;
                }
                let Some(name) = path.strip_prefix(&self.root).ok().and_then(Path::to_str) else { continue };
                if name.starts_with(prefix) {
                    infos.push(FileInfo {
                        name: name.to_owned(),
                        len: metadata.len(),
                        modified_ms: modified(&metadata),
                    });
                }
            }
        }
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    fn lock(&mut self, name: &str) -> Result<(), DiskError> {
        let path = self.path(name)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| kind(&error))?;
        match file.try_lock() {
            Ok(()) => {
                self.locks.push(file);
                Ok(())
            }
            Err(fs::TryLockError::WouldBlock) => Err(DiskError::Locked),
            Err(fs::TryLockError::Error(error)) => Err(kind(&error)),
        }
    }

    /// Used: the lengths of the files here. Differs: upstream asks the file system; a folder cannot know its device.
    fn space(&mut self) -> Usage {
        let used = self.list("").iter().map(|info| info.len).sum();
        Usage { used, total: SPACE_TOTAL }
    }

    fn memory(&self) -> u64 {
        MEMORY_TOTAL
    }

    fn stalled(&self) -> u64 {
        0
    }
}

/// Modification time in ms since 1970.
fn modified(metadata: &fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn kind(error: &io::Error) -> DiskError {
    match error.kind() {
        ErrorKind::NotFound => DiskError::NotFound,
        ErrorKind::PermissionDenied => DiskError::Denied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => DiskError::Full,
        ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => DiskError::Invalid,
        _ => DiskError::Io,
    }
}

/// The device's size as the watermarks see it: 1 TiB.
const SPACE_TOTAL: u64 = 1 << 40;
/// The machine's memory as the 40 % rule sees it: 16 GiB.
const MEMORY_TOTAL: u64 = 16 << 30;
