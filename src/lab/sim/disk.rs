//! The simulated disk: what a process sees, and what power leaves of it.
//!
//! Each file has two images made of shared 4 KiB pages: the *cached* one, which writes change at once and a process kill
//! keeps, and the *stable* one, which only a completed flush moves. A power loss makes the cached image the stable one, plus
//! those dirty pages that the policy lets survive. Pages are copied when written while shared, so a copy of a disk costs its
//! files, not its bytes; a segment of 1 GiB costs the pages touched.
//!
//! ```text
//! write ──▶ cached page ──begin_flush──▶ snapshot ──complete_flush──▶ stable page
//! ```
//!
//! Differs: names and small files (`put`) are durable in the order of their calls, as on a file system that writes data
//! before metadata and metadata in order; other personalities are a matter for the persistence adversary.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::lab::fault::episode::Keep;
use crate::lab::scenario::plan::DiskPlan;
use crate::lab::sim::storage::{DiskDeed, MachineDisk};
use crate::lab::trace::digest::bytes_word;
use crate::lab::trace::image::{DiskImage, FileImage, PAGE, Page};
use crate::lab::trace::record::Level;
use crate::mq::disk::{Disk, DiskError, FileId, FileInfo, Usage, burn};
use crate::mq::message::Name;
use crate::mq::time::Millis;

/// A machine's disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    capacity: u64,
    memory: u64,
    torn_writes: bool,
    clock: Millis,
    /// By number; a removed file leaves its place empty.
    files: Vec<Option<Arc<SimFile>>>,
    names: BTreeMap<Name, FileId>,
    small: BTreeMap<Name, SmallFile>,
    locks: BTreeSet<Name>,
    pending: Vec<PendingFlush>,
    scratch: Vec<u8>,
    events: Vec<DiskDeed>,
    full: bool,
    fuse: Option<u64>,
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
struct SimFile {
    name: Name,
    len: u64,
    modified: Millis,
    index: BTreeMap<u64, u32>,
    slots: Vec<Slot>,
    /// The page looked up last and its slot: appends stay on one page for a while.
    hot: (u64, u32),
    /// Pages of zeros for the slots to come.
    spare: Vec<Page>,
}

#[derive(Clone, Debug)]
struct Slot {
    page: u64,
    cached: Page,
    /// `None` is zeros.
    stable: Option<Page>,
    dirty: bool,
}

#[derive(Clone, Debug)]
struct SmallFile {
    bytes: Bytes,
    modified: Millis,
}

#[derive(Clone, Debug)]
struct PendingFlush {
    ticket: u64,
    file: FileId,
    pages: Vec<(u64, Page)>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(plan: &DiskPlan) -> SimDisk {
        SimDisk {
            capacity: plan.capacity,
            memory: plan.memory,
            torn_writes: plan.torn_writes,
            clock: Millis(0),
            files: Vec::new(),
            names: BTreeMap::new(),
            small: BTreeMap::new(),
            locks: BTreeSet::new(),
            pending: Vec::new(),
            scratch: Vec::new(),
            events: Vec::new(),
            full: false,
            fuse: None,
        }
    }

    /// Tells the disk its machine's wall clock, for modification times.
    pub fn set_clock(&mut self, wall: Millis) {
        self.clock = wall;
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

    /// The name of an open file, empty once it is removed.
    pub fn name_of(&self, file: FileId) -> Name {
        self.file(file).map_or_else(Name::default, |file| file.name.clone())
    }

    /// A flush is asked for: remembers what the range holds now.
    pub fn begin_flush(&mut self, ticket: u64, file: FileId, range: Range<u64>) {
        let pages = match self.file(file) {
            Some(found) if range.start < range.end => {
                let touched = range.start / PAGE as u64..=(range.end - 1) / PAGE as u64;
                let slots = found.index.range(touched).map(|(_, slot)| &found.slots[*slot as usize]);
                slots.filter(|slot| slot.dirty).map(|slot| (slot.page, Arc::clone(&slot.cached))).collect()
            }
            _ => Vec::new(),
        };
        self.pending.push(PendingFlush { ticket, file, pages });
    }

    /// The flush is done: what the range held when asked is stable. Later stores stay dirty.
    pub fn complete_flush(&mut self, ticket: u64) -> Result<(), DiskError> {
        let at = self.pending.iter().position(|flush| flush.ticket == ticket).ok_or(DiskError::NotFound)?;
        let flush = self.pending.remove(at);
        let Some(file) = self.files.get_mut(flush.file.0 as usize).and_then(Option::as_mut) else { return Ok(()) };
        let file = Arc::make_mut(file);
        for (page, snapshot) in flush.pages {
            let slot = file.slot(page);
            slot.dirty = !Arc::ptr_eq(&slot.cached, &snapshot);
            slot.stable = Some(snapshot);
        }
        Ok(())
    }

    /// The process died: its locks and flushes are forgotten, the cached image stays.
    pub fn kill(&mut self) {
        self.locks.clear();
        self.pending.clear();
        self.fuse = None;
    }

    /// The machine lost power: the cached image becomes the stable one, plus what `keep` lets survive.
    ///
    /// `draw(n)` gives a number below `n`.
    pub fn power_loss(&mut self, keep: Keep, draw: &mut dyn FnMut(u64) -> u64) -> PowerLoss {
        self.kill();
        let mut loss = PowerLoss::default();
        for file in self.files.iter_mut().flatten() {
            let file = Arc::make_mut(file);
            let last =
                file.index.iter().rev().find(|(_, slot)| file.slots[**slot as usize].dirty).map(|(page, _)| *page);
            let order: Vec<u32> = file.index.values().copied().collect();
            for at in order {
                let slot = &mut file.slots[at as usize];
                if slot.dirty {
                    let survives = match keep {
                        Keep::LoseAllUnsynced => false,
                        Keep::KeepAll => true,
                        Keep::Uniform => draw(2) == 1,
                        Keep::LastPageOnly => Some(slot.page) == last,
                        Keep::EvenPagesOnly => slot.page % 2 == 0,
                    };
                    let sectors = match keep {
                        Keep::Uniform if survives && self.torn_writes => 1 + draw(SECTORS as u64) as usize,
                        _ => SECTORS,
                    };
                    slot.settle(survives, sectors, &mut loss);
                }
            }
        }
        loss
    }

    /// What a process would read.
    pub fn cached_image(&self) -> Arc<DiskImage> {
        self.image(|slot| Some(&slot.cached))
    }

    /// What would be left without power.
    pub fn stable_image(&self) -> Arc<DiskImage> {
        self.image(|slot| slot.stable.as_ref())
    }

    /// Bytes of dirty pages, for pictures of the page cache.
    pub fn dirty_pages(&self) -> u64 {
        let files = self.files.iter().flatten();
        files.map(|file| file.slots.iter().filter(|slot| slot.dirty).count() as u64).sum()
    }

    /// Changes bytes behind everybody's back, on both images: a corruption for tests and faults.
    pub fn corrupt(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let id = *self.names.get(name).ok_or(DiskError::NotFound)?;
        let file = self.files[id.0 as usize].as_mut().map(Arc::make_mut).ok_or(DiskError::NotFound)?;
        if file.len < at.saturating_add(bytes.len() as u64) {
            return Err(DiskError::Invalid);
        }
        file.store(at, bytes);
        for slot in &mut file.slots {
            slot.stable = Some(Arc::clone(&slot.cached));
            slot.dirty = false;
        }
        Ok(())
    }

    /// Sets a file's modification time, as a copy or a restore of a folder does.
    pub fn touch(&mut self, name: &str, modified: Millis) -> Result<(), DiskError> {
        let id = *self.names.get(name).ok_or(DiskError::NotFound)?;
        let file = self.files[id.0 as usize].as_mut().map(Arc::make_mut).ok_or(DiskError::NotFound)?;
        file.modified = modified;
        Ok(())
    }

    fn image(&self, page_of: impl Fn(&Slot) -> Option<&Page>) -> Arc<DiskImage> {
        let mut image = DiskImage::default();
        for file in self.files.iter().flatten() {
            let pages = file.slots.iter().filter_map(|slot| Some((slot.page, Arc::clone(page_of(slot)?)))).collect();
            image.files.insert(file.name.to_string(), FileImage { len: file.len, pages });
        }
        for (name, small) in &self.small {
            let mut file = FileImage { len: small.bytes.len() as u64, pages: BTreeMap::new() };
            for (number, chunk) in small.bytes.chunks(PAGE).enumerate() {
                let mut page = [0; PAGE];
                page[..chunk.len()].copy_from_slice(chunk);
                file.pages.insert(number as u64, Arc::new(page));
            }
            image.files.insert(name.to_string(), file);
        }
        Arc::new(image)
    }

    fn file(&self, id: FileId) -> Option<&Arc<SimFile>> {
        self.files.get(id.0 as usize).and_then(Option::as_ref)
    }

    /// A changing operation: a place where the fuse can burn.
    fn change(&mut self) {
        match &mut self.fuse {
            Some(0) => burn(),
            Some(left) => *left -= 1,
            None => {}
        }
    }

    fn named(&mut self, what: &'static str, file: &str, to: Option<&str>, len: u64) {
        self.events.push(DiskDeed::Named { what, file: file.into(), to: to.map(Name::from), len });
    }

    fn stored(&mut self, file: Name, at: u64, bytes: &[u8]) {
        let kept = if self.full { Bytes::copy_from_slice(bytes) } else { Bytes::new() };
        self.events.push(DiskDeed::Stored { file, at, len: bytes.len() as u64, bytes: kept, hash: bytes_word(bytes) });
    }
}

impl Disk for SimDisk {
    fn open(&mut self, name: &str, len: u64) -> Result<FileId, DiskError> {
        if let Some(id) = self.names.get(name) {
            let found = self.file(*id).expect("a name leads to a file").len;
            return if found == len { Ok(*id) } else { Err(DiskError::Invalid) };
        }
        if self.small.contains_key(name) || !is_relative(name) {
            return Err(DiskError::Invalid);
        }
        self.change();
        let id = FileId(self.files.len() as u32);
        let file = SimFile {
            name: name.into(),
            len,
            modified: self.clock,
            index: BTreeMap::new(),
            slots: Vec::new(),
            hot: (u64::MAX, 0),
            spare: Vec::new(),
        };
        self.names.insert(file.name.clone(), id);
        self.named("create", name, None, len);
        self.files.push(Some(Arc::new(file)));
        Ok(id)
    }

    fn bytes(&mut self, file: FileId, range: Range<u64>) -> &[u8] {
        let found = self.files[file.0 as usize].as_ref().expect("an open file");
        assert!(range.start <= range.end, "a range forwards");
        assert!(range.end <= found.len, "read behind the end of `{}`: {range:?}, length {}", found.name, found.len);
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

    fn write(&mut self, file: FileId, at: u64, bytes: &[u8]) {
        self.change();
        let found = self.files[file.0 as usize].as_mut().expect("an open file");
        let end = at + bytes.len() as u64;
        assert!(end <= found.len, "write behind the end of `{}`: {at}..{end}, length {}", found.name, found.len);
        let found = Arc::make_mut(found);
        found.modified = self.clock;
        found.store(at, bytes);
        let name = found.name.clone();
        self.stored(name, at, bytes);
    }

    fn write_through(&mut self, file: FileId, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.write(file, at, bytes);
        Ok(())
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        if self.names.contains_key(name) || !is_relative(name) {
            return Err(DiskError::Invalid);
        }
        self.change();
        let file = SmallFile { bytes: Bytes::copy_from_slice(bytes), modified: self.clock };
        self.small.insert(name.into(), file);
        self.stored(name.into(), 0, bytes);
        Ok(())
    }

    fn get(&mut self, name: &str) -> Result<Bytes, DiskError> {
        if let Some(small) = self.small.get(name) {
            return Ok(small.bytes.clone());
        }
        let id = *self.names.get(name).ok_or(DiskError::NotFound)?;
        let len = self.file(id).expect("a name leads to a file").len;
        Ok(Bytes::copy_from_slice(self.bytes(id, 0..len)))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        if !is_relative(to) {
            return Err(DiskError::Invalid);
        }
        if !self.small.contains_key(from) && !self.names.contains_key(from) {
            return Err(DiskError::NotFound);
        }
        self.change();
        self.forget(to);
        if let Some(small) = self.small.remove(from) {
            self.small.insert(to.into(), small);
        } else if let Some(id) = self.names.remove(from) {
            self.names.insert(to.into(), id);
            let file = self.files[id.0 as usize].as_mut().expect("a name leads to a file");
            Arc::make_mut(file).name = to.into();
        }
        self.named("rename", from, Some(to), 0);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        if !self.small.contains_key(name) && !self.names.contains_key(name) {
            return Err(DiskError::NotFound);
        }
        self.change();
        self.forget(name);
        self.named("remove", name, None, 0);
        Ok(())
    }

    fn list(&mut self, prefix: &str) -> Vec<FileInfo> {
        let mapped = self.files.iter().flatten();
        let mut infos: Vec<FileInfo> = mapped
            .map(|file| FileInfo { name: file.name.to_string(), len: file.len, modified_ms: file.modified.0 })
            .chain(self.small.iter().map(|(name, small)| FileInfo {
                name: name.to_string(),
                len: small.bytes.len() as u64,
                modified_ms: small.modified.0,
            }))
            .filter(|info| info.name.starts_with(prefix))
            .collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    fn lock(&mut self, name: &str) -> Result<(), DiskError> {
        if self.locks.insert(name.into()) { Ok(()) } else { Err(DiskError::Locked) }
    }

    fn space(&mut self) -> Usage {
        let pages: u64 = self.files.iter().flatten().map(|file| file.slots.len() as u64).sum();
        let small: u64 = self.small.values().map(|small| small.bytes.len() as u64).sum();
        Usage { used: pages * PAGE as u64 + small, total: self.capacity }
    }

    fn memory(&mut self) -> Usage {
        Usage { used: self.space().used.min(self.memory), total: self.memory }
    }

    fn stalled(&self) -> u64 {
        0
    }
}

impl MachineDisk for SimDisk {
    fn fork(&self) -> Box<dyn MachineDisk> {
        Box::new(self.clone())
    }

    fn set_clock(&mut self, wall: Millis) {
        SimDisk::set_clock(self, wall);
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

    fn take_events(&mut self, into: &mut Vec<DiskDeed>) {
        into.append(&mut self.events);
    }
}

impl SimDisk {
    fn forget(&mut self, name: &str) {
        self.small.remove(name);
        if let Some(id) = self.names.remove(name) {
            self.files[id.0 as usize] = None;
        }
    }
}

impl SimFile {
    fn page(&self, page: u64) -> &[u8; PAGE] {
        if self.hot.0 == page {
            return &self.slots[self.hot.1 as usize].cached;
        }
        self.index.get(&page).map_or(&ZEROS, |slot| &self.slots[*slot as usize].cached)
    }

    /// The page's slot, made if it was never touched.
    fn slot(&mut self, page: u64) -> &mut Slot {
        if self.hot.0 != page {
            let next = self.slots.len() as u32;
            let slot = *self.index.entry(page).or_insert(next);
            if slot == next {
                let cached = self.fresh_page();
                self.slots.push(Slot { page, cached, stable: None, dirty: false });
            }
            self.hot = (page, slot);
        }
        &mut self.slots[self.hot.1 as usize]
    }

    /// A page of zeros. They are made several at a time: whenever a large piece is asked for, the allocator first tidies
    /// all the small ones that it was given back.
    fn fresh_page(&mut self) -> Page {
        if self.spare.is_empty() {
            let count = self.slots.len().clamp(1, SPARE_PAGES_MAX);
            self.spare.extend((0..count).map(|_| Arc::new(ZEROS)));
        }
        self.spare.pop().expect("filled when empty")
    }

    fn store(&mut self, at: u64, bytes: &[u8]) {
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let from = (at % PAGE as u64) as usize;
            let length = rest.len().min(PAGE - from);
            let slot = self.slot(at / PAGE as u64);
            Arc::make_mut(&mut slot.cached)[from..from + length].copy_from_slice(&rest[..length]);
            slot.dirty = true;
            (at, rest) = (at + length as u64, &rest[length..]);
        }
    }
}

impl Slot {
    /// Decides a dirty page: gone, kept, or the first `sectors` of it over what was stable.
    fn settle(&mut self, survives: bool, sectors: usize, loss: &mut PowerLoss) {
        let stable = self.stable.take().unwrap_or_else(|| Arc::new(ZEROS));
        if !survives {
            loss.lost += 1;
            self.cached = stable;
        } else if sectors < SECTORS {
            loss.torn += 1;
            let mut page = *stable;
            page[..sectors * SECTOR].copy_from_slice(&self.cached[..sectors * SECTOR]);
            self.cached = Arc::new(page);
        } else {
            loss.kept += 1;
        }
        self.stable = Some(Arc::clone(&self.cached));
        self.dirty = false;
    }
}

/// A relative path with no step upwards.
fn is_relative(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('/') && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

const SPARE_PAGES_MAX: usize = 32;
const SECTOR: usize = 512;
const SECTORS: usize = PAGE / SECTOR;
static ZEROS: [u8; PAGE] = [0; PAGE];

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> SimDisk {
        SimDisk::new(&DiskPlan {
            fsync_min: Default::default(),
            fsync_max: Default::default(),
            capacity: 1 << 40,
            memory: 1 << 34,
            torn_writes: true,
        })
    }

    #[test]
    fn a_kill_keeps_what_a_power_loss_takes() {
        let mut disk = disk();
        let file = disk.open("commitlog/0", 1 << 30).unwrap();
        disk.write(file, 4090, b"0123456789");
        assert_eq!(disk.bytes(file, 4089..4101), b"\x000123456789\0");
        let mut killed = disk.clone();
        killed.kill();
        assert_eq!(killed.bytes(file, 4090..4100), b"0123456789");
        let loss = disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
        assert_eq!((loss.lost, loss.kept), (2, 0));
        assert_eq!(disk.bytes(file, 4090..4100), [0; 10]);
    }

    #[test]
    fn a_flush_makes_stable_what_the_range_held_when_asked() {
        let mut disk = disk();
        let file = disk.open("f", 8192).unwrap();
        disk.write(file, 0, b"old");
        disk.begin_flush(7, file, 0..3);
        disk.write(file, 0, b"new");
        disk.complete_flush(7).unwrap();
        assert_eq!(disk.bytes(file, 0..3), b"new");
        disk.power_loss(Keep::LoseAllUnsynced, &mut |_| 0);
        assert_eq!(disk.bytes(file, 0..3), b"old");
    }

    #[test]
    fn a_torn_page_keeps_its_first_sectors() {
        let mut disk = disk();
        let file = disk.open("f", 4096).unwrap();
        disk.write(file, 0, &[1; 4096]);
        let mut draws = [1, 1].into_iter();
        let loss = disk.power_loss(Keep::Uniform, &mut |_| draws.next().unwrap());
        assert_eq!(loss, PowerLoss { lost: 0, kept: 0, torn: 1 });
        assert_eq!(disk.bytes(file, 1023..1025), [1, 0]);
    }

    #[test]
    fn a_copy_shares_pages_until_one_of_them_writes() {
        let mut disk = disk();
        let file = disk.open("f", 4096).unwrap();
        disk.write(file, 0, b"a");
        let mut copy = disk.clone();
        disk.write(file, 0, b"b");
        assert_eq!(copy.bytes(file, 0..1), b"a");
        assert_eq!(disk.bytes(file, 0..1), b"b");
    }

    #[test]
    fn the_fuse_burns_at_the_change_it_was_cut_for() {
        let mut disk = disk();
        let file = disk.open("f", 4096).unwrap();
        disk.set_fuse(Some(1));
        disk.write(file, 0, b"a");
        let mut burning = disk.clone();
        let death = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| burning.write(file, 1, b"b")));
        assert!(death.unwrap_err().is::<crate::mq::disk::Burnt>());
        assert_eq!(burning.bytes(file, 0..2), b"a\0");
    }
}
