//! Mapped files and queues of them: positions, and no bytes of their own.
//!
//! ```text
//!   0        flushed      readable       wrote          size
//!   ├───────────┼────────────┼─────────────┼──────────────┤     flushed <= readable <= wrote <= size
//! ```
//!
//! What was written can be read at once, unless the file has a private buffer: then only what was committed into the file.
//!
//! Source: `MappedFile`, `MappedFileQueue`.

use bytes::Bytes;

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
    /// The private buffer through which it is written, if it has one.
    pub buffer: Option<WriteBuffer>,
    /// When it was last written, as its file system will say, ms.
    pub modified_ms: i64,
}

/// What was written into a buffer of the transient store pool and not committed into the file yet.
///
/// Node memory: a process that dies takes it along. Source: `MappedFile.writeBuffer`, `committedPosition`.
/// Differs: upstream's buffers are as long as a file and are never cleared, so that behind the blank record of a batch lies
/// what an earlier file left there; here lie zeros.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteBuffer {
    /// From the file's start.
    committed: i64,
    bytes: Vec<u8>,
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

    /// An empty file.
    pub(super) fn new(file: FileId, from: i64, size: i64) -> MappedFile {
        let (wrote, flushed, forced, store_timestamp, modified_ms) = (0, 0, 0, 0, 0);
        MappedFile {
            file,
            from,
            size,
            wrote,
            flushed,
            forced,
            store_timestamp,
            first: false,
            buffer: None,
            modified_ms,
        }
    }

    /// Up to where it can be read, from its start. Source: `MappedFile.getReadPosition`.
    pub fn readable(&self) -> i64 {
        self.buffer.as_ref().map_or(self.wrote, |buffer| buffer.committed)
    }

    /// Appends `length` bytes that begin with `bytes`; the others stay as they are.
    pub(super) fn append(&mut self, disk: &mut dyn Disk, bytes: &[u8], length: i64) {
        assert!(bytes.len() as i64 <= length, "what is written is part of what is appended");
        assert!(length <= self.size - self.wrote, "an append never spans files");
        match &mut self.buffer {
            None => disk.write(self.file, self.wrote as u64, bytes),
            Some(buffer) => {
                buffer.bytes.extend_from_slice(bytes);
                buffer.bytes.resize((self.wrote + length - buffer.committed) as usize, 0);
            }
        }
        self.wrote += length;
    }

    /// How many pages of the buffer wait to be committed; a full file counts as endless.
    pub(super) fn uncommitted_pages(&self) -> i64 {
        match &self.buffer {
            Some(_) if self.is_full() => i64::MAX,
            Some(buffer) => self.wrote / OS_PAGE_SIZE - buffer.committed / OS_PAGE_SIZE,
            None => i64::MAX,
        }
    }

    /// Moves the buffer into the file if `least_pages` wait there, 0 being any byte. Returns up to where the file is committed,
    /// and whether it gave its buffer back.
    ///
    /// A failed write is logged upstream and tried again. Source: `MappedFile.commit`, `commit0`.
    fn commit(&mut self, disk: &mut dyn Disk, least_pages: i64) -> (i64, bool) {
        let pages = self.uncommitted_pages();
        let Some(buffer) = &mut self.buffer else { return (self.wrote, false) };
        if least_pages <= pages
            && buffer.committed < self.wrote
            && disk.write_through(self.file, buffer.committed as u64, &buffer.bytes).is_ok()
        {
            buffer.committed = self.wrote;
            buffer.bytes.clear();
        }
        let committed = buffer.committed;
        let is_done = committed == self.size;
        if is_done {
            self.buffer = None;
        }
        (committed, is_done)
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
    /// Moved out of private buffers up to here, in the whole sequence; looked at only where there are some.
    pub committed_where: i64,
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
        MappedFileQueue {
            folder,
            file_size,
            files: Vec::new(),
            flushed_where: 0,
            committed_where: 0,
            store_timestamp: 0,
        }
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
            let (size, modified_ms) = (self.file_size, info.modified_ms);
            self.files.push(MappedFile {
                wrote: size,
                flushed: size,
                modified_ms,
                ..MappedFile::new(file, from, size)
            });
        }
        Ok(())
    }

    /// One past the last readable byte; 0 without files. Source: `MappedFileQueue.getMaxOffset`.
    pub fn max_offset(&self) -> i64 {
        self.files.last().map_or(0, |last| last.from + last.readable())
    }

    /// The first byte; -1 without files. Source: `CommitLog.getMinOffset`.
    pub fn min_offset(&self) -> i64 {
        self.files.first().map_or(-1, |first| first.from)
    }

    /// Where the next file has to begin, if there is none or the last is full; `start` places the first one.
    ///
    /// Source: `MappedFileQueue.getLastMappedFile(startOffset)`.
    pub(super) fn missing(&self, start: i64) -> Option<i64> {
        match self.files.last() {
            None => Some(start - start % self.file_size),
            Some(last) if last.is_full() => Some(last.end()),
            Some(_) => None,
        }
    }

    /// The name of the file that begins at `from`.
    pub(super) fn name(&self, from: i64) -> String {
        format!("{}{}", self.folder, offset_to_file_name(from))
    }

    /// Adds a new file behind the last one.
    pub(super) fn push(&mut self, file: MappedFile) {
        let first = self.files.is_empty();
        self.files.push(MappedFile { first, ..file });
    }

    /// The file that can be written next, made on the spot if there is none or the last is full.
    pub fn last_or_create(&mut self, disk: &mut dyn Disk, start: i64) -> Result<&mut MappedFile, DiskError> {
        if let Some(from) = self.missing(start) {
            let file = self.open_anew(disk, from)?;
            self.push(MappedFile::new(file, from, self.file_size));
        }
        Ok(self.files.last_mut().expect("made above"))
    }

    /// The file that a commit would look at.
    pub(super) fn committing(&self) -> Option<&MappedFile> {
        self.find(self.committed_where, self.committed_where == 0).map(|at| &self.files[at])
    }

    /// Commits what waits in the one file that holds `committed_where`: whether it moved, and whether a buffer came back.
    ///
    /// Source: `MappedFileQueue.commit`.
    pub(super) fn commit(&mut self, disk: &mut dyn Disk, least_pages: i64) -> (bool, bool) {
        let Some(at) = self.find(self.committed_where, self.committed_where == 0) else { return (false, false) };
        let file = &mut self.files[at];
        let (committed, is_back) = file.commit(disk, least_pages);
        let to = file.from + committed;
        let moved = to != self.committed_where;
        self.committed_where = to;
        (moved, is_back)
    }

    /// Opens a file that is not loaded. One that lies there too short, which loading passed over, is made longer and keeps
    /// what it held until that is written over.
    ///
    /// Source: `MappedFile.init`. Differs: upstream maps the beginning of a file that is too long, which stays so and is not
    /// loaded by the next start; here it is left alone, and an error.
    pub(super) fn open_anew(&self, disk: &mut dyn Disk, from: i64) -> Result<FileId, DiskError> {
        let name = self.name(from);
        let size = self.file_size as u64;
        let is_short = disk.list(&name).iter().any(|info| info.name == name && info.len < size);
        let held = if is_short { disk.get(&name)? } else { Bytes::new() };
        if is_short {
            disk.remove(&name)?;
        }
        let file = disk.open(&name, size)?;
        if !held.is_empty() {
            disk.write(file, 0, &held);
        }
        Ok(file)
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
        let to = file.readable();
        let pages = to / OS_PAGE_SIZE - file.flushed / OS_PAGE_SIZE;
        let able = file.flushed < to && (file.is_full() || least_pages <= 0 || least_pages <= pages);
        able.then_some(Dirty {
            file: file.file,
            from: file.forced.min(file.flushed),
            to,
            up_to: file.from + to,
            store_timestamp: file.store_timestamp,
        })
    }

    /// A force of a file up to `to` was answered with success.
    pub fn forced(&mut self, file: FileId, to: i64) {
        if let Some(file) = self.files.iter_mut().find(|known| known.file == file) {
            file.forced = file.forced.max(to.min(file.readable()));
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
            assert!(file.flushed <= file.readable(), "flushed up to what can be read");
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
        let zeros = disk.zeros_from(last.file).map_or(last.size, |zeros| last.size.min(zeros as i64));
        while at < zeros {
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

    /// Removes the first file.
    pub(super) fn remove_first(&mut self, disk: &mut dyn Disk) {
        let first = self.files.remove(0);
        // Upstream does not look at the outcome either.
        let _ = disk.remove(&self.name(first.from));
    }

    /// Removes the last file. Source: `MappedFileQueue.deleteLastMappedFile`.
    pub fn remove_last(&mut self, disk: &mut dyn Disk) {
        if let Some(last) = self.files.pop() {
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&self.name(last.from));
        }
    }
}

/// How much is looked at and wiped at once.
const WIPE_STEP: i64 = 64 << 10;
/// Bytes of a page as upstream counts them. Source: `MappedFile.OS_PAGE_SIZE`.
pub const OS_PAGE_SIZE: i64 = 4096;

/// The name of the file that begins at an offset: 20 digits, behind a sign. Source: `UtilAll.offset2FileName`.
pub fn offset_to_file_name(offset: i64) -> String {
    let sign = if offset < 0 { "-" } else { "" };
    format!("{sign}{:020}", offset.unsigned_abs())
}
