//! The log's next file, made one ahead.
//!
//! Whoever needs a file asks for the one behind it as well, so that it lies there, all zeros, when it is needed. A clean stop
//! removes it; after a crash it is loaded as the last file, and recovery's cut removes it.
//!
//! Source: `AllocateMappedFileService`. Differs: a file is made at once, on the thread that asks; a put that cannot have one
//! is refused at once, where upstream's first such put holds the lock for five seconds. Warming up
//! (`warmMapedFileEnable`) is left out: it writes zeros over zeros.

use crate::mq::disk::Disk;
use crate::mq::store::MessageStore;
use crate::mq::store::mapped_file::{MappedFile, WriteBuffer};
use crate::mq::store::outcome::News;

impl MessageStore {
    /// Makes sure that the last file of the log can be written; `false` if its successor cannot be made.
    ///
    /// `start` places the first file of an empty log. Source: `MappedFileQueue.getLastMappedFile(startOffset)`.
    pub(super) fn next_log_file(&mut self, disk: &mut dyn Disk, start: i64) -> bool {
        let Some(from) = self.log.missing(start) else { return true };
        let Some(file) = self.allocate(disk, from) else { return false };
        if !self.log.files.is_empty() {
            self.news.push(News::Rolled { at: from });
            self.retention.look_again();
        }
        self.log.push(file);
        true
    }

    /// The file that begins at `from`, made ahead or now; and its successor, if that can be made.
    ///
    /// With `fastFailIfNoBufferInStorePool` no file is asked for that would get no buffer. What could not be made is asked for
    /// again when it is needed. Source: `AllocateMappedFileService.putRequestAndReturnMappedFile`.
    fn allocate(&mut self, disk: &mut dyn Disk, from: i64) -> Option<MappedFile> {
        let must_have_buffer = self.config.has_transient_pool() && self.config.fast_fail_if_no_buffer_in_store_pool;
        let may_ask = |store: &MessageStore| !must_have_buffer || store.free_buffers > 0;
        let file = match self.ahead.take() {
            Some(ahead) => {
                assert_eq!(ahead.from, from, "the file ahead is the next one");
                ahead
            }
            None => {
                if !may_ask(self) {
                    return None;
                }
                self.make_log_file(disk, from)?
            }
        };
        if may_ask(self) {
            self.ahead = self.make_log_file(disk, file.end());
        }
        Some(file)
    }

    /// Creates a file of the log, with a buffer of the pool while there are some. Source: `MappedFile.init`.
    fn make_log_file(&mut self, disk: &mut dyn Disk, from: i64) -> Option<MappedFile> {
        let size = self.log.file_size;
        let file = self.log.open_anew(disk, from).ok()?;
        let has_buffer = self.config.has_transient_pool() && self.free_buffers > 0;
        self.free_buffers -= usize::from(has_buffer);
        let buffer = has_buffer.then(WriteBuffer::default);
        Some(MappedFile { buffer, ..MappedFile::new(file, from, size) })
    }

    /// A clean stop: the file ahead goes. Source: `AllocateMappedFileService.shutdown`.
    pub(super) fn drop_file_ahead(&mut self, disk: &mut dyn Disk) {
        if let Some(ahead) = self.ahead.take() {
            // A file that is gone already is as good as removed.
            let _ = disk.remove(&self.log.name(ahead.from));
        }
    }
}
