//! Mapped files and queues of them: positions, and no bytes of their own.
//!
//! ```text
//!   0        flushed        wrote          size
//!   ├───────────┼─────────────┼──────────────┤     flushed <= wrote <= size
//! ```
//!
//! Source: `MappedFile`, `MappedFileQueue`. Differs: there is no committed position, since nothing is buffered privately.

use crate::mq::disk::{Disk, DiskError, FileId};
use crate::mq::store::StoreError;

/// A fixed-size mapped segment of a byte sequence.
#[derive(Clone, Debug)]
pub struct MappedFile {
    /// The mapping.
    pub file: FileId,
    /// Where it begins in the whole sequence: its name.
    pub from: i64,
    /// Its length.
    pub size: i64,
    /// The next byte to write, from the file's start.
    pub wrote: i64,
    /// Up to here durable, from the file's start: what upstream believes.
    pub flushed: i64,
    /// Up to here forced by this process and answered with success: what the next force may leave out.
    ///
    /// A force is of the whole mapping, and after a start nobody knows what the process before has forced.
    pub forced: i64,
    /// Store time of its last append, ms; 0 if none since it was opened.
    pub store_timestamp: i64,
    /// Whether it was the first file of its queue. Source: `MappedFile.firstCreateInQueue`.
    pub first: bool,
}

impl MappedFile {
    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.wrote == self.size
    }

    /// One past its last byte in the whole sequence.
    pub fn end(&self) -> i64 {
        self.from + self.size
    }
}

/// A sequence of mapped files in one folder.
#[derive(Clone, Debug)]
pub struct MappedFileQueue {
    /// The folder's name with a trailing `/`.
    pub folder: String,
    /// Length of each file.
    pub file_size: i64,
    /// The files, ascending and without gaps unless somebody deleted one.
    pub files: Vec<MappedFile>,
    /// Durable up to here, in the whole sequence.
    pub flushed_where: i64,
    /// Store time of the last append of the file that was flushed thoroughly last, ms.
    pub store_timestamp: i64,
}

/// A range to force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dirty {
    /// The mapping.
    pub file: FileId,
    /// First byte, from the file's start.
    pub from: i64,
    /// One past the last byte, from the file's start.
    pub to: i64,
    /// Where that is in the whole sequence.
    pub up_to: i64,
    /// Store time of the file's last append.
    pub store_timestamp: i64,
}

impl MappedFileQueue {
    /// A queue without files.
    pub fn new(folder: String, file_size: i64) -> MappedFileQueue {
        assert!(file_size > 0, "a file holds something");
        MappedFileQueue { folder, file_size, files: Vec::new(), flushed_where: 0, store_timestamp: 0 }
    }

    /// Opens the files that lie in the folder, as full as can be; recovery corrects the positions.
    ///
    /// A file of another length ends the loading, with success: it and all later ones are left alone.
    /// Errors: a name that is no number; the device.
    /// Source: `MappedFileQueue.load`.
    pub fn load(&mut self, disk: &mut dyn Disk) -> Result<(), StoreError> {
        for info in disk.list(&self.folder) {
            if info.len != self.file_size as u64 {
                break;
            }
            let number = info.name[self.folder.len()..].parse();
            // A name behind which no file can end is none either; upstream computes with it until the numbers wrap.
            let fits = |from: &i64| *from >= 0 && from.checked_add(self.file_size).is_some();
            let Some(from) = number.ok().filter(fits) else { return Err(StoreError::FileName { file: info.name }) };
            let file = disk.open(&info.name, info.len).map_err(|error| StoreError::Disk { file: info.name, error })?;
            let size = self.file_size;
            let first = false;
            self.files.push(MappedFile {
                file,
                from,
                size,
                wrote: size,
                flushed: size,
                forced: 0,
                store_timestamp: 0,
                first,
            });
        }
        Ok(())
    }

    /// One past the last written byte; 0 without files. Source: `MappedFileQueue.getMaxOffset`.
    pub fn max_offset(&self) -> i64 {
        self.files.last().map_or(0, |last| last.from + last.wrote)
    }

    /// The first byte; -1 without files. Source: `CommitLog.getMinOffset`.
    pub fn min_offset(&self) -> i64 {
        self.files.first().map_or(-1, |first| first.from)
    }

    /// The file that can be written next, made if there is none or the last is full.
    ///
    /// `start` places the first file of an empty queue. Source: `MappedFileQueue.getLastMappedFile(startOffset)`.
    /// Differs: the commit log's next file is made when it is needed, not one ahead by `AllocateMappedFileService`.
    pub fn last_or_create(&mut self, disk: &mut dyn Disk, start: i64) -> Result<&mut MappedFile, DiskError> {
        let create = match self.files.last() {
            None => Some(start - start % self.file_size),
            Some(last) if last.is_full() => Some(last.end()),
            Some(_) => None,
        };
        if let Some(from) = create {
            let file = self.open_anew(disk, from)?;
            let first = self.files.is_empty();
            let size = self.file_size;
            self.files.push(MappedFile {
                file,
                from,
                size,
                wrote: 0,
                flushed: 0,
                forced: 0,
                store_timestamp: 0,
                first,
            });
        }
        Ok(self.files.last_mut().expect("made above"))
    }

    /// Opens a file that is not loaded. One that lies there too short, which loading passed over, is made anew.
    ///
    /// Differs: upstream's mapping extends a short file and keeps what it held until that is overwritten, and maps the
    /// beginning of one that is too long; here a longer one is left alone, and an error.
    fn open_anew(&self, disk: &mut dyn Disk, from: i64) -> Result<FileId, DiskError> {
        let name = format!("{}{from:020}", self.folder);
        let size = self.file_size as u64;
        if disk.list(&name).iter().any(|info| info.name == name && info.len < size) {
            disk.remove(&name)?;
        }
        disk.open(&name, size)
    }

    /// The number of the file that holds `offset`; the first one if nothing does and `first_if_missing`.
    ///
    /// Source: `MappedFileQueue.findMappedFileByOffset`.
    pub fn find(&self, offset: i64, first_if_missing: bool) -> Option<usize> {
        let first = self.files.first()?;
        let last = self.files.last().expect("there is a first");
        if first.from <= offset && offset < last.end() {
            // Nearly always the last file is looked for; only another one is worth a division.
            if last.from <= offset {
                return Some(self.files.len() - 1);
            }
            let guess = (offset / self.file_size - first.from / self.file_size) as usize;
            let holds = |file: &MappedFile| file.from <= offset && offset < file.end();
            if self.files.get(guess).is_some_and(holds) {
                return Some(guess);
            }
            if let Some(found) = self.files.iter().position(holds) {
                return Some(found);
            }
        }
        first_if_missing.then_some(0)
    }

    /// What a flush with `least_pages` would force: of the one file that holds `flushed_where`, if enough of it is dirty.
    ///
    /// 0 pages is thorough: any dirty byte. Source: `MappedFileQueue.flush`, `MappedFile.isAbleToFlush`.
    pub fn dirty(&self, least_pages: i64) -> Option<Dirty> {
        let file = &self.files[self.find(self.flushed_where, self.flushed_where == 0)?];
        let pages = file.wrote / OS_PAGE_SIZE - file.flushed / OS_PAGE_SIZE;
        let able = file.is_full() && file.flushed < file.wrote
            || if least_pages > 0 { pages >= least_pages } else { file.wrote > file.flushed };
        let (from, to) = (file.forced.min(file.flushed), file.wrote);
        able.then_some(Dirty {
            file: file.file,
            from,
            to,
            up_to: file.from + to,
            store_timestamp: file.store_timestamp,
        })
    }

    /// A force of a file up to `to` was answered with success.
    pub fn forced(&mut self, file: FileId, to: i64) {
        if let Some(file) = self.files.iter_mut().find(|known| known.file == file) {
            file.forced = file.forced.max(to.min(file.wrote));
        }
    }

    /// Up to where every byte has been forced by this process, in the whole sequence.
    pub fn forced_where(&self) -> i64 {
        let open = self.files.iter().find(|file| file.forced < file.wrote).or(self.files.last());
        open.map_or(0, |file| file.from + file.forced)
    }

    /// Whether a thorough flush would find something.
    pub fn is_dirty(&self) -> bool {
        self.flushed_where < self.max_offset()
    }

    /// A force up to `dirty.up_to` was answered, and is taken for done whether it was or not.
    pub fn flushed(&mut self, dirty: &Dirty, succeeded: bool) {
        if let Some(file) = self.files.iter_mut().find(|file| file.file == dirty.file) {
            file.flushed = file.flushed.max(dirty.to);
            if succeeded {
                file.forced = file.forced.max(dirty.to);
            }
            assert!(file.flushed <= file.wrote, "flushed up to what was written");
        }
        self.flushed_where = self.flushed_where.max(dirty.up_to);
    }

    /// Sets the end to `offset`: positions of the file that holds it move there, later files are removed.
    ///
    /// Bytes behind the end stay on disk. Source: `MappedFileQueue.truncateDirtyFiles`.
    pub fn truncate(&mut self, disk: &mut dyn Disk, offset: i64) {
        for file in self.files.iter_mut().filter(|file| file.from <= offset && offset < file.end()) {
            file.wrote = offset % self.file_size;
            file.flushed = file.wrote;
            file.forced = file.forced.min(file.wrote);
        }
        while self.files.last().is_some_and(|last| offset < last.from) {
            self.remove_last(disk);
        }
    }

    /// Forgets and removes the files behind the first gap.
    pub fn remove_behind_gap(&mut self, disk: &mut dyn Disk) {
        let whole = self.files.windows(2).take_while(|pair| pair[0].end() == pair[1].from).count() + 1;
        while whole < self.files.len() {
            self.remove_last(disk);
        }
    }

    /// Writes zeros over what lies behind the last written byte of the last file; says which range that was, if any.
    pub fn wipe_behind(&self, disk: &mut dyn Disk) -> Option<(FileId, u64, u64)> {
        let last = self.files.last()?;
        let (mut from, mut at) = (None, last.wrote);
        let mut to = at;
        while at < last.size {
            let end = (at + WIPE_STEP).min(last.size);
            if disk.bytes(last.file, at as u64..end as u64).iter().any(|byte| *byte != 0) {
                disk.write(last.file, at as u64, &vec![0; (end - at) as usize]);
                from.get_or_insert(at as u64);
                to = end;
            }
            at = end;
        }
        from.map(|from| (last.file, from, to as u64))
    }

    /// Removes the last file. Source: `MappedFileQueue.deleteLastMappedFile`.
    pub fn remove_last(&mut self, disk: &mut dyn Disk) {
        if let Some(last) = self.files.pop() {
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&format!("{}{:020}", self.folder, last.from));
        }
    }
}

/// How much is looked at and wiped at once.
const WIPE_STEP: i64 = 64 << 10;
/// Bytes of a page as upstream counts them. Source: `MappedFile.OS_PAGE_SIZE`.
pub const OS_PAGE_SIZE: i64 = 4096;
