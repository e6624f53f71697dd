//! The disk as a process is lent it, and as the driver holds it.

use std::ops::{Bound, Range};
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::fault::episode::Keep;
use crate::lab::sim::disk::SimDisk;
use crate::lab::sim::disk::faults::calls::Call;
use crate::lab::sim::disk::file::SimFile;
use crate::lab::sim::disk::names::{Change, Entry};
use crate::lab::sim::storage::{DiskDeed, MachineDisk, Onset};
use crate::lab::trace::digest::text_word;
use crate::lab::trace::image::{DiskImage, PAGE};
use crate::lab::trace::record::Level;
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage};
use crate::mq::message::Name;
use crate::mq::time::{Millis, Span, Time};

impl Disk for SimDisk {
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError> {
        if self.faults.is_some() {
            self.may_call(name, Call::Open { makes: self.names.find(name).is_none() })?;
        }
        match self.names.find(name) {
            Some(entry @ Entry::Mapped(id)) => {
                let id = *id;
                let found = self.len_shown(name, entry, self.file(id).expect("a name leads to a file").len);
                // A power loss can leave a name without its length.
                if found == 0 && 0 < len {
                    self.change();
                    self.extend(id, len);
                    return Ok(id);
                }
                return if found == len { Ok(id) } else { Err(DiskError::Invalid) };
            }
            Some(Entry::Small(_)) => return Err(DiskError::Invalid),
            None if !is_relative(name) => return Err(DiskError::Invalid),
            None => self.change(),
        }
        let id = FileId(self.files.len() as u32);
        let name = Name::from(name);
        self.files.push(Some(Arc::new(SimFile::new(name.clone(), 0, self.clock))));
        self.named("create", &name, None, len);
        self.names.change(self.now, self.journal.end(), Change::Create { name, file: id });
        self.extend(id, len);
        Ok(id)
    }

    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        if self.faults.is_some() {
            return self.bytes_hurt(file, range);
        }
        let found = self.files[file.0 as usize].as_ref().expect("an open file");
        assert!(!found.gone, "`{}` was removed", found.name());
        assert!(range.start <= range.end, "a range forwards");
        assert!(range.end <= found.len, "read behind the end of `{}`: {range:?}, length {}", found.name(), found.len);
        let (first, offset) = (range.start / PAGE as u64, (range.start % PAGE as u64) as usize);
        let length = (range.end - range.start) as usize;
        if offset + length <= PAGE {
            return &found.page(first)[offset..offset + length];
        }
        self.scratch.clear();
        let (mut page, mut from) = (first, offset);
        while self.scratch.len() < length {
            let to = PAGE.min(from + length - self.scratch.len());
            self.scratch.extend_from_slice(&found.page(page)[from..to]);
            (page, from) = (page + 1, 0);
        }
        &self.scratch
    }

    fn zeros_from(&self, file: FileId) -> Option<u64> {
        // A flipped bit may lie where nothing was ever written.
        self.faults.is_none().then(|| self.files[file.0 as usize].as_ref().map_or(0, |file| file.zeros_from()))
    }

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        if self.faults.is_some() {
            self.before_store(file, at, bytes.len() as u64);
        }
        self.store(file, at, bytes);
    }

    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        if self.faults.is_some() {
            self.before_channel_write(file, at, bytes.len() as u64)?;
        }
        self.store(file, at, bytes);
        Ok(())
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        if matches!(self.names.find(name), Some(Entry::Mapped(_))) || !is_relative(name) {
            return Err(DiskError::Invalid);
        }
        if self.faults.is_some() {
            self.may_call(name, Call::Put { len: bytes.len() as u64 })?;
        }
        self.change();
        let name = Name::from(name);
        self.names.put(self.now, self.journal.end(), name.clone(), Bytes::copy_from_slice(bytes), self.clock);
        let word = text_word(&name);
        self.stored((name, word), 0, bytes);
        Ok(())
    }

    fn get(&mut self, name: &str) -> Result<Bytes, DiskError> {
        if self.faults.is_some() {
            return self.get_hurt(name);
        }
        match self.names.find(name) {
            Some(Entry::Small(small)) => Ok(small.bytes.clone()),
            Some(Entry::Mapped(id)) => {
                let id = *id;
                let len = self.file(id).expect("a name leads to a file").len;
                Ok(Bytes::copy_from_slice(self.bytes(id, 0..len)))
            }
            None => Err(DiskError::NotFound),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        if !is_relative(to) {
            return Err(DiskError::Invalid);
        }
        let Some(entry) = self.names.find(from).cloned() else { return Err(DiskError::NotFound) };
        self.change();
        if from != to {
            self.close(to);
            if let Entry::Mapped(id) = entry {
                let file = self.files[id.0 as usize].as_mut().expect("a name leads to a file");
                Arc::make_mut(file).rename(to.into());
            }
            let change = Change::Rename { from: from.into(), to: to.into() };
            self.names.change(self.now, self.journal.end(), change);
        }
        self.named("rename", from, Some(to), 0);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        if self.names.find(name).is_none() {
            return Err(DiskError::NotFound);
        }
        self.change();
        self.close(name);
        self.names.change(self.now, self.journal.end(), Change::Remove { name: name.into() });
        self.named("remove", name, None, 0);
        Ok(())
    }

    fn list(&mut self, prefix: &str) -> Vec<FileInfo> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let entries = self.names.seen.entries.range::<str, _>(from).take_while(|(name, _)| name.starts_with(prefix));
        let info = |(name, entry): (&Name, &Entry)| {
            let (len, modified) = match entry {
                Entry::Mapped(id) => {
                    let file = self.file(*id).expect("a name leads to a file");
                    (file.len, file.modified)
                }
                Entry::Small(small) => (small.bytes.len() as u64, small.modified),
            };
            let len = self.len_shown(name, entry, len);
            FileInfo { name: name.to_string(), len, modified_ms: modified.0 }
        };
        entries.map(info).collect()
    }

    fn lock(&mut self, name: &str) -> Result<(), DiskError> {
        if self.faults.is_some() {
            self.may_call(name, Call::Lock)?;
        }
        if self.locks.insert(name.into()) { Ok(()) } else { Err(DiskError::Locked) }
    }

    fn space(&mut self) -> Usage {
        let mapped = self.files.iter().flatten().filter(|file| !file.gone);
        let pages: u64 = mapped.map(|file| file.slots().len() as u64).sum();
        let small = self.names.seen.entries.values().map(|entry| match entry {
            Entry::Small(small) => small.bytes.len() as u64,
            Entry::Mapped(_) => 0,
        });
        let total = self.capacity_left_by_faults().unwrap_or(self.capacity);
        Usage { used: pages * PAGE as u64 + small.sum::<u64>(), total }
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn stalled(&self) -> u64 {
        self.faults.as_ref().map_or(0, |faults| faults.stalled)
    }
}

impl SimDisk {
    #[inline]
    fn store(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        self.change();
        let found = self.files[file.0 as usize].as_mut().expect("an open file");
        let end = at + bytes.len() as u64;
        assert!(!found.gone, "`{}` was removed", found.name());
        assert!(end <= found.len, "write behind the end of `{}`: {at}..{end}, length {}", found.name(), found.len);
        let found = Arc::make_mut(found);
        found.modified = self.clock;
        found.store(&mut self.journal, file, at, bytes);
        let file = (found.name().clone(), found.word());
        self.stored(file, at, bytes);
    }

    fn extend(&mut self, file: FileId, len: u64) {
        if self.faults.is_some() {
            self.regrow(file);
        }
        let found = self.files[file.0 as usize].as_mut().expect("an open file");
        Arc::make_mut(found).len = len;
        self.names.change(self.now, self.journal.end(), Change::Extend { file, len });
    }

    /// A name loses what stands behind it: an open mapping ends, the pages wait for the removal to be safe.
    fn close(&mut self, name: &str) {
        if let Some(Entry::Mapped(id)) = self.names.find(name) {
            let file = self.files[id.0 as usize].as_mut().expect("a name leads to a file");
            Arc::make_mut(file).gone = true;
        }
    }
}

impl MachineDisk for SimDisk {
    fn fork(&self) -> Box<dyn MachineDisk> {
        Box::new(self.clone())
    }

    fn set_clock(&mut self, wall: Millis, now: Time) {
        SimDisk::set_clock(self, wall);
        SimDisk::set_time(self, now);
    }

    fn set_fuse(&mut self, left: Option<u64>) {
        SimDisk::set_fuse(self, left);
    }

    fn set_recording(&mut self, level: Level) {
        SimDisk::set_recording(self, level);
    }

    fn begin_flush(&mut self, ticket: u64, file: FileId, range: Range<u64>) {
        SimDisk::begin_flush(self, ticket, file, range);
    }

    fn complete_flush(&mut self, ticket: u64) -> Result<(), DiskError> {
        SimDisk::complete_flush(self, ticket)
    }

    fn name_of(&self, file: FileId) -> Name {
        SimDisk::name_of(self, file)
    }

    fn kill(&mut self) {
        SimDisk::kill(self);
    }

    fn power_loss(&mut self, keep: Keep, draw: &mut dyn FnMut(u64) -> u64) -> [u64; 3] {
        let loss = SimDisk::power_loss(self, keep, draw);
        [loss.lost, loss.kept, loss.torn]
    }

    fn cached_image(&self) -> Arc<DiskImage> {
        SimDisk::cached_image(self)
    }

    fn stable_image(&self) -> Arc<DiskImage> {
        SimDisk::stable_image(self)
    }

    fn begin_fault(&mut self, onset: Onset) {
        SimDisk::begin_fault(self, onset);
    }

    fn end_fault(&mut self, number: u32) {
        SimDisk::end_fault(self, number);
    }

    fn sync_span(&mut self, ticket: u64, drawn: Span) -> Span {
        SimDisk::sync_span(self, ticket, drawn)
    }

    fn hung_until(&self, ticket: u64) -> Option<Time> {
        SimDisk::hung_until(self, ticket)
    }

    fn take_events(&mut self, into: &mut Vec<DiskDeed>) {
        into.append(&mut self.events);
    }
}

/// A relative path with no step upwards.
fn is_relative(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('/') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
