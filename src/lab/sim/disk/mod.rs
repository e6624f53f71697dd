//! The simulated disk: what a process sees, and what power leaves of it.
//!
//! Each file has two images made of shared 4 KiB pages: the *cached* one, which writes change at once and a process kill
//! keeps, and the *stable* one, which only a completed flush moves. Between them lies the journal of stores, so that a power
//! loss can leave any version of a page; and the folder is kept twice, with the operations between. What of all that survives
//! is the persistence adversary's choice ([`power`]), by a named policy or by hand. Pages are copied when written while
//! shared, so a copy of a disk costs its files, not its bytes; a segment of 1 GiB costs the pages touched. What else can be
//! wrong with a disk lies beside all that (`faults`).
//!
//! ```text
//! write ──▶ cached page ──begin_flush──▶ snapshot ──complete_flush──▶ stable page
//!   └─────▶ store journal                    put, rename, remove ──▶ folder as seen ──▶ safe folder
//! ```

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::fault::disk::Personality;
use crate::lab::fault::episode::Keep;
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::sim::disk::faults::Faults;
use crate::lab::sim::disk::file::{SimFile, Slot};
use crate::lab::sim::disk::journal::Journal;
use crate::lab::sim::disk::names::{Entry, Folder, Names};
use crate::lab::sim::storage::DiskDeed;
use crate::lab::trace::digest::{Fold, bytes_word};
use crate::lab::trace::image::{DiskImage, FileImage, PAGE, Page};
use crate::lab::trace::record::Level;
use crate::mq::disk::{DiskError, FileId, burn};
use crate::mq::message::Name;
use crate::mq::time::{Millis, Span, Time};

mod file;

mod journal;

mod names;

mod contract;

pub mod power;

mod keep;

mod faults;

#[cfg(test)]
mod tests;

/// A machine's disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    capacity: u64,
    memory: u64,
    torn_writes: bool,
    personality: Personality,
    clock: Millis,
    now: Time,
    /// By number. One that nobody can open is kept while a power loss could bring it back.
    files: Vec<Option<Arc<SimFile>>>,
    names: Names,
    journal: Journal,
    /// Stores before this number are safe: every flush of a `strict` disk commits all that was before it.
    committed: u64,
    locks: BTreeSet<Name>,
    pending: Vec<PendingFlush>,
    scratch: Vec<u8>,
    events: Vec<DiskDeed>,
    full: bool,
    fuse: Option<u64>,
    /// The shortest time of a flush: what a store waits for that has to wait for the device.
    access: Span,
    faults: Option<Box<Faults>>,
    /// The disk before each change since the tap was opened.
    tap: Option<Vec<SimDisk>>,
}

/// What a power loss did to the dirty pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PowerLoss {
    /// Gone.
    pub lost: u64,
    /// Survived whole.
    pub kept: u64,
    /// Survived in part.
    pub torn: u64,
}

#[derive(Clone, Debug)]
struct PendingFlush {
    ticket: u64,
    file: FileId,
    pages: Vec<(u64, Page)>,
    /// Stores and operations on the folder made before it was asked for.
    stores: u64,
    names: u64,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(plan: &DiskPlan) -> SimDisk {
        SimDisk {
            capacity: plan.capacity,
            memory: plan.memory,
            torn_writes: plan.torn_writes,
            personality: plan.personality,
            clock: Millis(0),
            now: Time::ZERO,
            files: Vec::new(),
            names: Names::default(),
            journal: Journal::default(),
            committed: 0,
            locks: BTreeSet::new(),
            pending: Vec::new(),
            scratch: Vec::new(),
            events: Vec::new(),
            full: false,
            fuse: None,
            access: plan.fsync_min,
            faults: None,
            tap: None,
        }
    }

    /// Tells the disk its machine's wall clock, for modification times.
    pub fn set_clock(&mut self, wall: Millis) {
        self.clock = wall;
    }

    /// Tells the disk the time, for what the kernel writes back by itself.
    pub fn set_time(&mut self, now: Time) {
        self.now = now;
        if self.faults.is_some() {
            self.begin_step_of_faults();
        }
    }

    /// Keeps the bytes of stores in its events at level `full` only.
    pub fn set_recording(&mut self, level: Level) {
        self.full = level == Level::Full;
    }

    /// Lets the process die before its `left + 1`-th changing operation from here; `None` removes the fuse.
    ///
    /// Reads do not count: a death between two reads leaves the same disk as a death before the next change.
    pub fn set_fuse(&mut self, left: Option<u64>) {
        self.fuse = left;
    }

    /// What is left of the fuse.
    pub fn fuse(&self) -> Option<u64> {
        self.fuse
    }

    /// Keeps a copy of the disk before each change from here on, until [`SimDisk::close_tap`].
    pub fn open_tap(&mut self) {
        self.tap = Some(Vec::new());
    }

    /// The copies kept since the tap was opened, oldest first. The deeds that led to each are its own
    /// [events](crate::lab::sim::storage::MachineDisk::take_events).
    pub fn close_tap(&mut self) -> Vec<SimDisk> {
        self.tap.take().unwrap_or_default()
    }

    /// A number that tells contents apart: equal for two disks whose processes read the same.
    pub fn fingerprint(&self) -> u128 {
        let mut fold = Fold::default();
        for (name, entry) in &self.names.seen.entries {
            fold.text(name);
            match entry {
                Entry::Small(small) => fold.bytes(&small.bytes),
                Entry::Mapped(id) => {
                    // Pages lie in the order of their first touch, which is nobody's business.
                    let slots = self.file(*id).expect("a name leads to a file").slots();
                    let contents = slots.iter().map(|slot| (slot.page, slot.content()));
                    let words = contents.filter(|(_, content)| !content.is_empty()).map(|(number, content)| {
                        let mut page = Fold::default();
                        page.pair(number, 1);
                        page.bytes(content);
                        page.digest().0
                    });
                    let sum = words.fold(0_u128, u128::wrapping_add);
                    fold.pair(sum as u64, (sum >> 64) as u64);
                    fold.pair(self.names.seen.len_of(*id), 2);
                }
            }
        }
        fold.digest().0
    }

    /// The name of an open file, empty once it is removed.
    pub fn name_of(&self, file: FileId) -> Name {
        self.file(file).filter(|file| !file.gone).map_or_else(Name::default, |file| file.name().clone())
    }

    /// A flush is asked for: remembers what the range holds now.
    pub fn begin_flush(&mut self, ticket: u64, file: FileId, range: Range<u64>) {
        let pages = match self.file(file) {
            Some(found) if range.start < range.end => {
                let touched = range.start / PAGE as u64..=(range.end - 1) / PAGE as u64;
                let dirty = touched.filter_map(|page| found.find(page)).filter(|slot| slot.dirty);
                dirty.map(|slot| (slot.page, Arc::clone(&slot.cached))).collect()
            }
            _ => Vec::new(),
        };
        let (stores, names) = (self.journal.end(), self.names.mark());
        self.pending.push(PendingFlush { ticket, file, pages, stores, names });
    }

    /// The flush is done: what the range held when asked is stable, and names are as the personality commits them. Later
    /// stores stay dirty.
    pub fn complete_flush(&mut self, ticket: u64) -> Result<(), DiskError> {
        let at = self.pending.iter().position(|flush| flush.ticket == ticket).ok_or(DiskError::NotFound)?;
        let flush = self.pending.remove(at);
        let done = match self.faults {
            None => {
                self.settle_flush(flush);
                Ok(())
            }
            Some(_) => self.complete_hurt(flush),
        };
        self.forget_lost_files();
        done
    }

    /// What a flush commits is safe.
    fn settle_flush(&mut self, flush: PendingFlush) {
        self.names.commit(self.personality, flush.file, flush.names);
        if self.personality == Personality::Strict {
            self.committed = self.committed.max(flush.stores);
        }
        self.settle_pages(flush);
    }

    /// The pages of a flush are stable.
    fn settle_pages(&mut self, flush: PendingFlush) {
        let Some(file) = self.files.get_mut(flush.file.0 as usize).and_then(Option::as_mut) else { return };
        let file = Arc::make_mut(file);
        for (page, snapshot) in flush.pages {
            let slot = file.slot(page);
            // Of two flushes of a page the one asked for first may be done last.
            if slot.clean <= flush.stores {
                slot.dirty = !Arc::ptr_eq(&slot.cached, &snapshot);
                slot.stable = Some(snapshot);
                slot.clean = flush.stores;
            }
        }
    }

    /// The process died: its locks and flushes are forgotten, the cached image stays.
    pub fn kill(&mut self) {
        self.locks.clear();
        self.pending.clear();
        self.fuse = None;
    }

    /// The machine loses power, and what survives is `keep`'s choice among what is at risk.
    ///
    /// `draw(n)` gives a number below `n`.
    pub fn power_loss(&mut self, keep: Keep, draw: &mut dyn FnMut(u64) -> u64) -> PowerLoss {
        let risk = self.at_risk();
        let chosen = keep::survivors(keep, &risk, self.personality, self.torn_writes, draw);
        self.lose_power(&risk, chosen)
    }

    /// What a process would read.
    pub fn cached_image(&self) -> Arc<DiskImage> {
        self.image(&self.names.seen, false, |slot| Some(&slot.cached))
    }

    /// What would be left without power if nothing survived that can be lost.
    pub fn stable_image(&self) -> Arc<DiskImage> {
        if self.personality == Personality::Strict {
            let mut copy = self.clone();
            copy.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
            return copy.cached_image();
        }
        self.image(&self.names.worst(), true, |slot| slot.stable.as_ref())
    }

    /// Dirty pages, for pictures of the page cache.
    pub fn dirty_pages(&self) -> u64 {
        let files = self.files.iter().flatten().filter(|file| !file.gone);
        files.map(|file| file.slots().iter().filter(|slot| slot.dirty).count() as u64).sum()
    }

    /// Changes bytes behind everybody's back, on both images: a corruption for tests.
    pub fn corrupt(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let file = self.mapped(name)?;
        if file.len < at.saturating_add(bytes.len() as u64) {
            return Err(DiskError::Invalid);
        }
        for (at, byte) in (at..).zip(bytes) {
            let slot = file.slot(at / PAGE as u64);
            let place = (at % PAGE as u64) as usize;
            Arc::make_mut(&mut slot.cached)[place] = *byte;
            Arc::make_mut(slot.stable.get_or_insert_with(|| Arc::new(file::ZEROS)))[place] = *byte;
            slot.filled = PAGE as u16;
        }
        Ok(())
    }

    /// Sets a file's modification time, as a copy or a restore of a folder does.
    pub fn touch(&mut self, name: &str, modified: Millis) -> Result<(), DiskError> {
        self.mapped(name)?.modified = modified;
        Ok(())
    }

    fn mapped(&mut self, name: &str) -> Result<&mut SimFile, DiskError> {
        let Some(Entry::Mapped(id)) = self.names.find(name) else { return Err(DiskError::NotFound) };
        self.files[id.0 as usize].as_mut().map(Arc::make_mut).ok_or(DiskError::NotFound)
    }

    fn image(&self, folder: &Folder, device: bool, page_of: impl Fn(&Slot) -> Option<&Page>) -> Arc<DiskImage> {
        let mut image = DiskImage::default();
        for (name, entry) in &folder.entries {
            let mut file = match entry {
                Entry::Mapped(id) => {
                    let len = folder.len_of(*id);
                    let slots = self.file(*id).expect("a name leads to a file").slots().iter();
                    let pages = slots.filter(|slot| slot.page * (PAGE as u64) < len);
                    let pages = pages.filter_map(|slot| Some((slot.page, Arc::clone(page_of(slot)?)))).collect();
                    FileImage { len, pages }
                }
                Entry::Small(small) => small_image(&small.bytes),
            };
            if let Some(faults) = &self.faults {
                faults.overlays.paint(name, entry, &mut file, device);
            }
            image.files.insert(name.to_string(), file);
        }
        Arc::new(image)
    }

    fn file(&self, id: FileId) -> Option<&Arc<SimFile>> {
        self.files.get(id.0 as usize).and_then(Option::as_ref)
    }

    /// Lets go of removed files that no power loss can bring back.
    fn forget_lost_files(&mut self) {
        for number in 0..self.files.len() {
            let gone = self.files[number].as_ref().is_some_and(|file| file.gone);
            if gone && self.names.is_lost(FileId(number as u32)) {
                self.files[number] = None;
            }
        }
    }

    /// A changing operation: a place where the fuse can burn.
    fn change(&mut self) {
        if let Some(mut copies) = self.tap.take() {
            copies.push(self.clone());
            self.tap = Some(copies);
        }
        match &mut self.fuse {
            Some(0) => burn(),
            Some(left) => *left -= 1,
            None => {}
        }
    }

    fn named(&mut self, what: &'static str, file: &str, to: Option<&str>, len: u64) {
        self.events.push(DiskDeed::Named { what, file: file.into(), to: to.map(Name::from), len });
    }

    #[inline]
    fn stored(&mut self, (file, word): (Name, u64), at: u64, bytes: &[u8]) {
        let kept = if self.full { Bytes::copy_from_slice(bytes) } else { Bytes::new() };
        let (len, hash) = (bytes.len() as u64, bytes_word(bytes));
        self.events.push(DiskDeed::Stored { file, word, at, len, bytes: kept, hash });
    }
}

fn small_image(bytes: &Bytes) -> FileImage {
    let mut file = FileImage { len: bytes.len() as u64, ..FileImage::default() };
    for (number, chunk) in bytes.chunks(PAGE).enumerate() {
        let mut page = [0; PAGE];
        page[..chunk.len()].copy_from_slice(chunk);
        file.pages.insert(number as u64, Arc::new(page));
    }
    file
}
